"""PutLogEvents: what clients put is kept where the logs of functions are, in batches within AWS's limits.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html. MiniStack takes any batch,
and keeps each event a second time, for GetLogRecord.
"""

import itertools
import sqlite3
import time

from ministack.services import cloudwatch_logs

from ..contract import Contract
from ..shapes import Record
from .log_events import Event, size_of
from .request import Refused, constraint, log_group, log_stream, operation
from .store import Logs

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(cloudwatch_logs, "_put_log_events"): ("data",)}

BATCH_EVENTS, BATCH_BYTES = 10_000, 2**20
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OLDEST_MS, NEWEST_MS = 14 * DAY_MS, 2 * HOUR_MS
_Put = tuple[int, str]  # timestamp, message


def install(logs: Logs) -> None:
    """Let MiniStack put into `logs` what clients send. Call once, before it serves."""

    def put_log_events(data: Record) -> Record:
        group_name, group = log_group(data)
        stream_name = data.get("logStreamName")
        stream = log_stream(group, stream_name)
        now = time.time_ns() // 1_000_000
        taken, rejected = _divided(_batch(data), now, group.get("retentionInDays"))
        if taken:
            logs.arrived(group_name, str(stream_name), _put(logs, stream, taken))
        stream["uploadSequenceToken"] = token = str(int(stream["uploadSequenceToken"]) + 1)
        return {"nextSequenceToken": token} | ({"rejectedLogEventsInfo": rejected} if rejected else {})

    cloudwatch_logs._put_log_events = operation(put_log_events)


def _put(logs: Logs, stream: Record, events: list[_Put]) -> list[Event]:
    try:
        return logs.put(stream, events)
    except sqlite3.Error as error:  # a disk that is full
        raise Refused(f"The events cannot be kept: {error}", "ServiceUnavailableException", 500) from error


def _batch(data: Record) -> list[_Put]:
    """The events of a request, which are as many, as large and in such an order as AWS takes."""
    events = data.get("logEvents") or []
    if not events:
        raise constraint("logEvents", "[]", "have length greater than or equal to 1")
    if len(events) > BATCH_EVENTS:
        raise constraint("logEvents", f"[{len(events)} events]", f"have length less than or equal to {BATCH_EVENTS}")
    batch = [_event(event, number) for number, event in enumerate(events, 1)]
    sizes = [size_of(message) for _, message in batch]
    if max(sizes) > BATCH_BYTES:
        raise Refused(f"Log event too large: {max(sizes)} bytes exceeds limit of {BATCH_BYTES}")
    if sum(sizes) > BATCH_BYTES:
        raise Refused(f"Upload too large: {sum(sizes)} bytes exceeds limit of {BATCH_BYTES}")
    if any(earlier > later for (earlier, _), (later, _) in itertools.pairwise(batch)):
        raise Refused("Log events in a single PutLogEvents request must be in chronological order.")
    return batch


def _event(event: Record, number: int) -> _Put:
    where = f"logEvents.{number}.member"
    for member in ("timestamp", "message"):
        if event.get(member) is None:
            raise constraint(f"{where}.{member}", None, "not be null")
    message = event["message"]
    if not message:
        raise constraint(f"{where}.message", "", "have length greater than or equal to 1")
    return event["timestamp"], message.encode("utf-8", "replace").decode()


def _divided(batch: list[_Put], now: int, retention_days: int | None) -> tuple[list[_Put], Record]:
    """Those events that are neither too old nor too new, and where the others are: rejectedLogEventsInfo."""

    def before(earliest: int) -> int:
        return sum(timestamp < earliest for timestamp, _ in batch)

    too_old, too_new = before(now - OLDEST_MS), before(now + NEWEST_MS + 1)
    expired = before(now - retention_days * DAY_MS) if retention_days else 0
    taken = batch[max(too_old, expired) : too_new]
    if taken and taken[-1][0] - taken[0][0] > DAY_MS:
        raise Refused("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    rejected = {"tooOldLogEventEndIndex": too_old, "expiredLogEventEndIndex": expired}
    rejected = {name: end for name, end in rejected.items() if end}
    return taken, rejected | ({"tooNewLogEventStartIndex": too_new} if too_new < len(batch) else {})
