"""reports() reads what CloudWatch Logs recorded of a function's invocations into a table.

It measures nothing itself: every figure is Lambda's own, from the REPORT line of the invocation.
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd

from .arguments import CALLABLE, COUNT, FUNCTION_NAME, LOGS, MOMENT, SECONDS, or_none, takes
from .errors import WorkshopError

COLUMNS = {
    "request_id": "str",
    "environment": "str",
    "start": "datetime64[ms, UTC]",
    "duration_ms": "float64",
    "init_ms": "float64",
    "billed_ms": "int64",
    "memory_mb": "int64",
    "max_memory_mb": "int64",
    "status": "str",
    "error_type": "str",
}
POLL = 0.5  # s; CloudWatch allows a few filter_log_events calls per second for an account

START = re.compile(r"START RequestId: (\S+)")
REPORT = re.compile(
    r"REPORT RequestId: (?P<request_id>\S+)\t"
    r"Duration: (?P<duration>[\d.]+) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<memory>\d+) MB\tMax Memory Used: (?P<max_memory>\d+) MB(?P<rest>.*)",
    re.DOTALL,
)
INIT_REPORT = re.compile(r"INIT_REPORT Init Duration: ([\d.]+) ms\t.*Phase: init\b")

Report = dict[str, Any]  # e.g. {"request_id": "8f5…", "duration_ms": 2.46, "init_ms": 413.61, …}


class ReportsError(WorkshopError, TimeoutError):
    """The lines did not come in time; the message is one sentence for the reader."""


class _Line(NamedTuple):
    """One event of a log group."""

    stream: str
    timestamp: int  # ms since 1970 UTC
    message: str


@takes(
    logs=LOGS,
    function_name=FUNCTION_NAME,
    at_least=COUNT,
    since=or_none(MOMENT),
    timeout=SECONDS,
    clock=CALLABLE,
    sleep=CALLABLE,
)
def reports(
    logs: Any,
    function_name: str,
    *,
    at_least: int = 1,
    since: datetime | None = None,
    timeout: float = 60,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> pd.DataFrame:
    """Return one row for each REPORT of the function, in the order in which the invocations started.

    `logs` is a CloudWatch Logs client. Logs reach CloudWatch seconds after the invocation, so this asks again
    until `at_least` rows are there. `since` leaves out the invocations that started before.

    Columns: request_id (retries of an asynchronous event share it), environment (the log stream: one for each
    execution environment), start (UTC), duration_ms, init_ms (NaN when the environment was warm, and when
    it was initialised anew within duration_ms, after a crash), billed_ms, memory_mb, max_memory_mb, status
    ("success", "timeout" or "error", by the REPORT line alone), error_type ("" where the line names none).
    Reads the text format and the JSON format.

    Raises ReportsError, a TimeoutError, when fewer rows than `at_least` came within `timeout` seconds.
    """
    deadline = clock() + timeout
    while True:
        rows = _rows(_read(logs, f"/aws/lambda/{function_name}", since), started=since is not None)
        if len(rows) >= at_least:
            return _frame(rows)
        if clock() >= deadline:
            raise ReportsError(
                f"{len(rows)} of {at_least} REPORT lines of {function_name} came to CloudWatch within "
                f"{timeout:g} s; check that it was invoked that often and that its role may write logs."
            )
        sleep(POLL)


def parse_report(line: str) -> Report | None:
    """Return what a REPORT line says, in text or JSON format, or None for any other line.

    Keys: request_id, duration_ms, init_ms (NaN without one), billed_ms, memory_mb, max_memory_mb, status,
    error_type. Format: "Working with Lambda function logs" in the AWS Lambda Developer Guide.
    """
    if found := REPORT.match(line):
        return _from_text(found)
    record = _platform(line, "platform.report")
    return _from_json(record) if record else None


def _from_text(found: re.Match[str]) -> Report:
    pairs = (part.strip().split(": ", 1) for part in found["rest"].split("\t"))
    rest = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # e.g. {"Init Duration": "413.61 ms"}
    return {
        "request_id": found["request_id"],
        "duration_ms": float(found["duration"]),
        "init_ms": float(rest.get("Init Duration", "nan").removesuffix(" ms")),
        "billed_ms": int(found["billed"]),
        "memory_mb": int(found["memory"]),
        "max_memory_mb": int(found["max_memory"]),
        "status": rest.get("Status", "success"),
        "error_type": rest.get("Error Type", ""),
    }


def _from_json(record: dict[str, Any]) -> Report:
    metrics = record["metrics"]
    status = record.get("status", "success")
    return {
        "request_id": record["requestId"],
        "duration_ms": float(metrics["durationMs"]),
        "init_ms": float(metrics.get("initDurationMs", "nan")),
        "billed_ms": int(metrics["billedDurationMs"]),
        "memory_mb": int(metrics["memorySizeMB"]),
        "max_memory_mb": int(metrics["maxMemoryUsedMB"]),
        "status": status if status in ("success", "timeout") else "error",  # JSON also knows "failure"
        "error_type": record.get("errorType", ""),
    }


def _platform(line: str, kind: str) -> dict[str, Any] | None:
    """The record of a platform event in JSON format, or None for any other line."""
    if f'"{kind}"' not in line:  # cheap, and most lines are the function's own
        return None
    try:
        event = json.loads(line)
    except ValueError:  # a function may print anything
        return None
    return event.get("record") if isinstance(event, dict) and event.get("type") == kind else None


def _read(logs: Any, group: str, since: datetime | None) -> Iterator[_Line]:
    # All lines, and no filter pattern: START and REPORT are both needed, and emulators differ on patterns.
    wanted: dict[str, Any] = {"logGroupName": group}
    if since is not None:
        wanted["startTime"] = int(since.timestamp() * 1000)
    try:
        for page in logs.get_paginator("filter_log_events").paginate(**wanted):
            for event in page["events"]:
                yield _Line(event["logStreamName"], event["timestamp"], event["message"])
    except logs.exceptions.ResourceNotFoundException:
        return  # Lambda makes the group when the first line arrives


def _rows(lines: Iterator[_Line], started: bool) -> list[Report]:
    """One row for each REPORT; with `started`, only where the START is among the lines too."""
    starts: dict[tuple[str, str], list[int]] = defaultdict(list)
    inits: dict[str, list[float]] = defaultdict(list)
    rows = []
    for stream, timestamp, message in sorted(lines, key=lambda line: line.timestamp):
        if request_id := _started(message):
            starts[stream, request_id].append(timestamp)
        elif (init_ms := _failed_init(message)) is not None:
            inits[stream].append(init_ms)
        elif row := parse_report(message):
            rows.append(row | {"environment": stream, "reported": timestamp})
    kept = []
    for row in rows:
        start_is_known = _complete(row, starts[row["environment"], row["request_id"]], inits[row["environment"]])
        if start_is_known or not started:
            kept.append(row)
    return sorted(kept, key=lambda row: row["start"])


def _complete(row: Report, starts: list[int], inits: list[float]) -> bool:
    """Give a row its start, and the time of an init that failed before it; False when no START was logged."""
    # The n-th REPORT of a request in a stream has the n-th START: lines of one millisecond come unordered.
    # A START after the REPORT is the next attempt's.
    reported = row.pop("reported")
    known = bool(starts) and starts[0] <= reported
    start = starts.pop(0) if known else reported - row["duration_ms"]
    row["start"] = pd.Timestamp(int(start), unit="ms", tz="UTC")
    # An init that failed in its own phase has a line of its own. (In "Phase: invoke" Duration contains it.)
    if inits and pd.isna(row["init_ms"]):
        row["init_ms"] = inits.pop(0)
    return known


def _started(message: str) -> str | None:
    """The request id of a START line in text or JSON format."""
    if found := START.match(message):
        return found[1]
    record = _platform(message, "platform.start")
    return record["requestId"] if record else None


def _failed_init(message: str) -> float | None:
    """Milliseconds of an init that INIT_REPORT shows to have failed before the invoke phase."""
    if found := INIT_REPORT.match(message):
        return float(found[1])
    record = _platform(message, "platform.initReport")
    if record and record.get("phase") == "init" and record.get("status") != "success":
        return float(record["metrics"]["durationMs"])
    return None


def _frame(rows: list[Report]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
