"""CloudWatch Logs: where log events are kept, those of functions in the log groups of their functions.

MiniStack keeps events in memory; here all lie in a file, and there is a limit to them, which CloudWatch has not:
beyond it the oldest are dropped, and a line in their place says so. Groups and streams are MiniStack's: when it
forgets one, its events are deleted. So are events that are older than what the group retains.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ministack.services import cloudwatch_logs

from ...data_plane.function import Function
from ...data_plane.platform_logs import JsonFormat, TextFormat
from ...saved_state import LOGS
from ...saved_state.stores import Store
from ..contract import Contract
from ..shapes import Key, Record
from .log_events import Event, EventFile, Events, Place

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_append_log_events"): ("stream", "events"),
    (cloudwatch_logs, "_make_group_arn"): ("name",),
}

GROUPS = "ministack.services.cloudwatch_logs._log_groups"  # the name by which they are saved
STREAM_MB, ALL_MB = 32, 256  # what is kept of one log stream, and of all together
DAY_S = 24 * 3600

log = logging.getLogger("localaws.logs")


class Logs:
    """The events of all log streams, in a file in the folder `home`."""

    def __init__(self, home: Path, stream_mb: float = STREAM_MB, all_mb: float = ALL_MB) -> None:
        self._file = EventFile(home / LOGS)
        self._stream_mb, self._all_mb = stream_mb, all_mb
        self._lock = threading.Lock()  # of groups and streams that are made, and of what is appended
        # What is told of new events, with the names of their log group and stream: arrivals.py
        self.arrived: Callable[[str, str, list[Event]], None] = lambda group, stream, events: None

    def install(self) -> None:
        """Let MiniStack keep events here. Call once, before it serves."""

        def append(stream: Record, events: list[Record]) -> None:
            self.put(stream, [(event["timestamp"], event["message"]) for event in events])

        cloudwatch_logs._append_log_events = append

    def close(self) -> None:
        self._file.close()

    def store(self) -> Store:
        """The log groups, each with its streams; of their events those that are not in the file."""
        groups = cloudwatch_logs._log_groups._data

        def entries() -> list[tuple[Key, Record]]:
            with self._lock:
                return [(key, _saved(group)) for key, group in list(groups.items())]

        def restore(key: Key, group: Record) -> None:
            for stream in group["streams"].values():
                if isinstance(stream["events"], tuple):
                    stream["events"] = self._file.restored(stream["events"])
            groups[key] = group

        return Store(GROUPS, "cloudwatch_logs", entries, restore)

    def resume(self) -> None:
        groups = [group for _, group in cloudwatch_logs._log_groups.all_items()]
        found = [stream["events"] for group in groups for stream in group["streams"].values()]
        lists = [events for events in found if isinstance(events, Events)]
        self._file.resume([events.last_number for events in lists], {events.name for events in lists})

    def mark(self) -> Callable[[], None]:
        """Before everything is saved; what it gives is called after that."""
        return self._file.mark()

    def write(self, function: Function, stream_name: str, events: list[tuple[int, str]]) -> None:
        """Append (ms since 1970, message) events to a stream of the function's log group, making both if need be."""
        now = time.time_ns() // 1_000_000
        try:
            with self._lock:
                group = _group(function.log_group, now)
                stream = _stream(group, stream_name, now)
                latest = stream["lastEventTimestamp"] or 0  # a client may have put an event of the future
                written = self._numbered([(max(at, latest), message) for at, message in events], now)
                self._append(stream, written, now)
        except sqlite3.Error as error:  # the function has run, whatever becomes of its log
            log.warning("%d log events of %s are lost: %s", len(events), function.name, error)
            return
        self.arrived(function.log_group, stream_name, written)

    def put(self, stream: Record, events: list[tuple[int, str]]) -> list[Event]:
        """Put (ms since 1970, message) events into a stream, at whatever time; sqlite3.Error where there is no room."""
        now = time.time_ns() // 1_000_000
        with self._lock:
            written = self._numbered(sorted(events, key=lambda event: event[0]), now)
            self._append(stream, written, now)
        return written

    def drop(self, now: float) -> None:
        """Drop the events that their groups do not retain any more, at a time in seconds since 1970."""
        for _, group in cloudwatch_logs._log_groups.all_items():
            if days := group["retentionInDays"]:
                place = int((now - days * DAY_S) * 1000), 0
                for stream in [*group["streams"].values()]:
                    with self._lock:
                        _drop_before(stream, place)

    def _numbered(self, events: Sequence[tuple[int, str]], now: int) -> list[Event]:
        number = self._file.number
        return [(timestamp, number(), now, message) for timestamp, message in events]

    def _append(self, stream: Record, events: list[Event], now: int) -> None:
        """Add events, which are in order, to the stream; those that it has may be later."""
        kept: Events | list[Record] = stream["events"]
        if not isinstance(kept, Events):  # MiniStack has made the stream
            kept = self._file.events()
        first, last, latest = events[0][0], events[-1][0], stream["lastEventTimestamp"]
        if latest is not None and first < latest:
            kept = kept.with_late(events)
        else:
            kept.extend(events)
        if latest is None or last > latest:
            stream["lastEventTimestamp"] = last
        if stream["firstEventTimestamp"] is None or first < stream["firstEventTimestamp"]:
            stream["firstEventTimestamp"] = first
        stream["lastIngestionTime"] = now
        stream["events"] = kept  # last: whoever reads meanwhile takes it that a stream with events has its times
        if kept.size > self._stream_mb * 2**20:
            self._shorten(stream)
        if self._file.size > self._all_mb * 2**20:
            self._make_room(stream)

    def _shorten(self, stream: Record) -> None:
        """Give up the older half of a stream's events. Who reads them at the moment is not disturbed."""
        while stream["events"].size > self._stream_mb * 2**20:
            reason = f"The embedded AWS keeps {self._stream_mb:g} MB of a log stream."
            stream["events"] = stream["events"].newer(0.5, _notice(stream["events"], reason))

    def _make_room(self, stream: Record) -> None:
        """Give up all events of those streams that were not written to for the longest time; not of this one."""
        streams = [
            each for _, group in cloudwatch_logs._log_groups.all_items() for each in [*group["streams"].values()]
        ]
        streams = [each for each in streams if isinstance(each["events"], Events)]
        total = sum(each["events"].size for each in streams)
        for each in sorted(streams, key=lambda each: each["lastIngestionTime"] or 0):
            events = each["events"]
            if total > self._all_mb * 2**20 and each is not stream and len(events) > 1:
                total -= events.size
                reason = f"The embedded AWS keeps {self._all_mb:g} MB of logs."
                each["events"] = events.newer(0, _notice(events, reason))


def _drop_before(stream: Record, place: Place) -> None:
    """Drop the events of a stream before that place, if there are any."""
    events = stream["events"]
    if not isinstance(events, Events) or next(events.backward(place), None) is None:
        return
    stream["events"] = kept = events.since(place)
    stream["firstEventTimestamp"] = next((timestamp for timestamp, *_ in kept.forward()), None)


def _saved(group: Record) -> Record:
    """A log group as plain values."""
    streams = {}
    for name, stream in list(group["streams"].items()):
        events = stream["events"]
        streams[name] = {**stream, "events": events.saved() if isinstance(events, Events) else events}
    return {**group, "streams": streams}


def _notice(events: Events, reason: str) -> Callable[[int], str]:
    """The message of the event that stands for so many that were dropped, in the format of these."""
    *_, message = next(events.forward())
    format_ = JsonFormat() if message.startswith("{") else TextFormat()  # as Lambda's own first line is
    return lambda count: format_.logs_dropped(count, reason)


def has_group(name: str) -> bool:
    return name in cloudwatch_logs._log_groups


def has_stream(group: str, name: str) -> bool:
    return has_group(group) and name in cloudwatch_logs._log_groups[group]["streams"]


def _group(name: str, now: int) -> Record:
    group: Record | None = cloudwatch_logs._log_groups.get(name)
    if group is None:
        group = cloudwatch_logs._log_groups[name] = {
            "arn": cloudwatch_logs._make_group_arn(name),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    return group


def _stream(group: Record, name: str, now: int) -> Record:
    stream: Record | None = group["streams"].get(name)
    if stream is None:
        stream = group["streams"][name] = {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        }
    return stream
