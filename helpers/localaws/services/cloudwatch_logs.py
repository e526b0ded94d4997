"""CloudWatch Logs: where the lines of an execution environment are kept, in the log group of its function.

MiniStack keeps events in memory; those of functions lie in a file, and there is a limit to them, which CloudWatch has
not: beyond it the oldest are dropped, and a line in their place says so. Groups and streams are MiniStack's: when it
forgets one, its events are deleted.
"""

import logging
import sqlite3
import threading
import time
from pathlib import Path

from ministack.core import responses
from ministack.services import cloudwatch_logs

from ..data_plane.function import Function
from ..data_plane.platform_logs import JsonFormat, TextFormat
from .contract import Contract
from .log_events import EventFile, Events
from .shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_log_events_lock"): None,
    (cloudwatch_logs, "_log_records"): None,
    (responses, "AccountRegionScopedDict"): None,
    (cloudwatch_logs, "_fanout_to_subscription_filters"): ("group_name", "stream_name", "events"),
    (cloudwatch_logs, "_append_log_events"): ("stream", "events"),
    (cloudwatch_logs, "_make_group_arn"): ("name",),
}

STREAM_MB, ALL_MB = 32, 256  # what is kept of one log stream, and of all together
MAX_POINTERS = 10_000  # that GetLogRecord knows: as many as a query of Logs Insights has results at most

log = logging.getLogger("localaws.logs")


def install() -> None:
    """Let MiniStack keep no copy of each event that a query has looked at. Call once, before it serves."""
    cloudwatch_logs._log_records = _Records()


class _Records(responses.AccountRegionScopedDict):  # type: ignore[misc]
    """The events that GetLogRecord knows by their pointers: only those that were looked at last."""

    __slots__ = ()

    def __setitem__(self, key: str, value: Record) -> None:
        super().__setitem__(key, value)
        while len(self._data) > MAX_POINTERS:
            self._data.pop(next(iter(self._data)), None)


class Logs:
    """The logs of all functions, in a file in the folder `home`."""

    def __init__(self, home: Path, stream_mb: float = STREAM_MB, all_mb: float = ALL_MB) -> None:
        self._file = EventFile(home / "logs.sqlite")
        self._stream_mb, self._all_mb = stream_mb, all_mb
        self._lock = threading.Lock()  # two streams may make their log group at the same time

    def close(self) -> None:
        self._file.close()

    def write(self, function: Function, stream_name: str, events: list[tuple[int, str]]) -> None:
        """Append (ms since 1970, message) events to a stream of the function's log group, making both if need be."""
        now = time.time_ns() // 1_000_000
        stored = [{"timestamp": timestamp, "message": message, "ingestionTime": now} for timestamp, message in events]
        try:
            with self._lock:
                self._append(self._stream(function.log_group, stream_name, now), stored)
        except sqlite3.Error as error:  # the function has run, whatever becomes of its log
            log.warning("%d log events of %s are lost: %s", len(events), function.name, error)
        cloudwatch_logs._fanout_to_subscription_filters(function.log_group, stream_name, stored)

    def _append(self, stream: Record, stored: list[Record]) -> None:
        latest = stream["lastEventTimestamp"] or 0  # a client may have put an event of the future
        for event in stored:  # none is earlier, or MiniStack would make a list of all, in memory
            event["timestamp"] = max(event["timestamp"], latest)
        cloudwatch_logs._append_log_events(stream, stored)
        if stream["events"].size > self._stream_mb * 2**20:
            self._shorten(stream)
        if self._file.size > self._all_mb * 2**20:
            self._make_room(stream)

    def _stream(self, group_name: str, name: str, now: int) -> Record:
        """MiniStack's record of the stream, whose events lie in our file."""
        groups = cloudwatch_logs._log_groups
        group = groups.get(group_name)
        if group is None:
            group = groups[group_name] = _new_group(group_name, now)
        stream: Record | None = group["streams"].get(name)
        if stream is None:
            stream = group["streams"][name] = _new_stream(now)
        with cloudwatch_logs._log_events_lock:
            if not isinstance(stream["events"], Events):  # it is new, or a client has put an event before the others
                stream["events"] = self._file.events(stream["events"])
        return stream

    def _shorten(self, stream: Record) -> None:
        """Give up the older half of a stream's events. Who reads them at the moment is not disturbed."""
        with cloudwatch_logs._log_events_lock:
            events = stream["events"]
            while events.size > self._stream_mb * 2**20:
                half = events.middle()
                reason = f"The embedded AWS keeps {self._stream_mb:g} MB of a log stream."
                events = self._file.events([_notice(events, half, reason)], events, half)
            stream["events"] = events

    def _make_room(self, stream: Record) -> None:
        """Give up all events of those streams that were not written to for the longest time; not of this one."""
        streams = [each for _, group in cloudwatch_logs._log_groups.all_items() for each in group["streams"].values()]
        streams = [each for each in streams if isinstance(each["events"], Events)]
        total = sum(each["events"].size for each in streams)
        for each in sorted(streams, key=lambda each: each["lastIngestionTime"] or 0):
            with cloudwatch_logs._log_events_lock:
                events = each["events"]
                if total > self._all_mb * 2**20 and each is not stream and len(events) > 1:
                    total -= events.size
                    reason = f"The embedded AWS keeps {self._all_mb:g} MB of logs."
                    each["events"] = self._file.events([_notice(events, len(events), reason)], events, len(events))


def _notice(events: Events, count: int, reason: str) -> Record:
    """The event that stands for the first events of a stream, this many, when they are dropped."""
    format_ = JsonFormat() if events[0]["message"].startswith("{") else TextFormat()  # as Lambda's own first line is
    last = events[count - 1]
    return {**last, "message": format_.logs_dropped(events.dropped_before(count), reason), "eventId": None}


def has_group(name: str) -> bool:
    return name in cloudwatch_logs._log_groups


def has_stream(group: str, name: str) -> bool:
    return has_group(group) and name in cloudwatch_logs._log_groups[group]["streams"]


def _new_group(name: str, now: int) -> Record:
    return {
        "arn": cloudwatch_logs._make_group_arn(name),
        "creationTime": now,
        "retentionInDays": None,
        "tags": {},
        "subscriptionFilters": {},
        "streams": {},
    }


def _new_stream(now: int) -> Record:
    return {
        "events": [],
        "uploadSequenceToken": "1",
        "creationTime": now,
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }
