"""The log of one execution environment, on its way from the process to a CloudWatch log stream."""

import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .function import Function

TAIL_BYTES = 4096  # what LogType=Tail answers
WriteLog = Callable[[Function, str, list[tuple[int, str]]], None]  # function, stream, (ms since 1970, message)
# Where Lambda cuts an event in two: 256 KB, less CloudWatch's overhead. CloudWatch itself takes 1 MB since April 2025
# (API_PutLogEvents); that Lambda writes such events is not documented.
EVENT_BYTES = 256 * 1024 - 26


class LogStream:
    """Collects log events and writes them on, in order. One environment has one stream for its whole life."""

    def __init__(self, function: Function, environment: str, write: WriteLog) -> None:
        self._function = function
        self._write = write
        # In a group that functions may share: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
        whose = "" if function.log_group == f"/aws/lambda/{function.name}" else function.name
        self.name = f"{datetime.now(UTC):%Y/%m/%d}/{whose}[{function.version}]{environment}"
        self._tail = ""
        self._held: list[tuple[int, str]] = []
        self._latest = 0  # ms since 1970: CloudWatch sorts by time, so an event is never earlier than the last

    def begin(self) -> None:
        """A new invocation: its tail starts empty."""
        self._tail = ""

    def platform(self, *messages: str | None) -> None:
        """Write lines of Lambda's own; None stands for a line that the log format leaves out."""
        now = _now_ms()
        self.put([(now, message) for message in messages if message is not None])

    def hold(self, message: str | None) -> None:
        """A line as of `platform` that has time until the next one, or until `release`: together they cost less."""
        if message is not None:
            self._held.append((_now_ms(), message))

    def release(self) -> None:
        """Write what is held."""
        held, self._held = self._held, []
        self.put(held)

    def put(self, events: list[tuple[int, str]]) -> None:
        """Write events: (ms since 1970, message). A longer message than an event may have makes several."""
        if events:
            events, self._held = [*self._held, *events], []
            events = [(self._not_before(at), part) for at, message in events for part in _parts(message)]
            self._tail = (self._tail + "".join(_terminated(message) for _, message in events))[-TAIL_BYTES:]
            self._write(self._function, self.name, events)

    def _not_before(self, at: int) -> int:
        self._latest = max(self._latest, at)
        return self._latest

    def text(self) -> str:
        """The end of what this invocation has logged, for LogType=Tail; it begins with a whole character."""
        return self._tail.encode()[-TAIL_BYTES:].decode("utf-8", "ignore")


class OutputReader:
    """What a runtime writes, in the order in which it was written: frames, and lines between them.

    Every line of standard output and standard error is an event of its own. A frame of the telemetry descriptor
    is one event, however many lines it has: type (4 bytes), length (4), microseconds since 1970 (8), text;
    big-endian. Source: awslambdaric. Both come through one pipe, as two would not tell which was written first.

    Of what is not whole it keeps no more than makes an event: the longest line or frame becomes several.
    """

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream
        self._rest = b""
        self._interrupted = False  # a frame came in the middle of a line; the rest of that line follows
        self._frame: _Frame | None = None  # whose text has not all come

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; nothing (b"") means that no more will, and ends what is not complete."""
        self._rest += data
        events = self._take_frame()
        while not self._frame:
            start, self._frame = _find_frame(self._rest)
            events += self._take_lines(start, self._frame is not None)
            if not self._frame:
                break
            self._rest = self._rest[_HEADER.size :]
            events += self._take_frame()
        if not data:
            if self._rest:
                events.append((_now_ms(), _terminated(_decoded(self._rest))))
            self._rest, self._frame = b"", None
        self._stream.put(events)

    def _take_lines(self, end: int, frame_follows: bool) -> list[tuple[int, str]]:
        """Take the whole lines up to there, and what follows the last newline if it cannot wait."""
        *lines, unfinished = self._rest[:end].split(b"\n")
        if end and self._interrupted:
            self._interrupted = False
            if lines and not lines[0]:  # the newline of the line that the frame has ended
                del lines[0]
        events = [(_now_ms(), _decoded(line) + "\n") for line in lines]
        while len(unfinished) > EVENT_BYTES:
            cut = _end_of_part(unfinished)
            events.append((_now_ms(), _decoded(unfinished[:cut])))
            unfinished = unfinished[cut:]
        if unfinished and frame_follows:
            events.append((_now_ms(), _decoded(unfinished) + "\n"))
            unfinished, self._interrupted = b"", True
        self._rest = unfinished + self._rest[end:]
        return events

    def _take_frame(self) -> list[tuple[int, str]]:
        """Take what has come of a frame's text, in parts as long as an event may be."""
        events = []
        while self._frame:
            if len(self._rest) < min(self._frame.missing, EVENT_BYTES + 1):
                break
            whole = self._frame.missing <= EVENT_BYTES
            end = self._frame.missing if whole else _end_of_part(self._rest)
            events.append((min(self._frame.at, _now_ms()), _decoded(self._rest[:end])))
            self._rest = self._rest[end:]
            self._frame = None if whole else _Frame(self._frame.missing - end, self._frame.at)
        return events


@dataclass(frozen=True)
class _Frame:
    """A frame that has begun: how many bytes of its text have not been taken, and its time in ms since 1970."""

    missing: int
    at: int


_HEADER = struct.Struct(">IIQ")
# The types differ by level and format. awslambdaric's lambda_runtime_log_utils.py lists them.
_TYPE = re.compile(rb"\xa5\x5a\x00[\x02\x03\x0a\x0b\x0e\x0f\x12\x13\x16\x17\x1a\x1b]")
# What begins like a frame and says that it is longer, or from a later time, is none.
_LONGEST = 64 * 2**20  # bytes
_LATEST = 4_102_444_800_000_000  # the year 2100


def _find_frame(data: bytes) -> tuple[int, _Frame | None]:
    """Where the first frame begins, and what its header says; None where there is none, or not all of its header."""
    for found in _TYPE.finditer(data):
        start = found.start()
        if len(data) < start + _HEADER.size:
            return start, None
        _, length, microseconds = _HEADER.unpack_from(data, start)
        if length <= _LONGEST and microseconds < _LATEST:
            return start, _Frame(length, microseconds // 1000)
    return len(data), None


def _parts(message: str) -> list[str]:
    """The message, cut where it is longer than an event may be."""
    if len(message) <= EVENT_BYTES // 4:  # a character has at most four bytes
        return [message]
    data, parts = message.encode("utf-8", "replace"), []
    while len(data) > EVENT_BYTES:
        end = _end_of_part(data)
        parts.append(data[:end].decode())
        data = data[end:]
    return [*parts, data.decode()]


def _end_of_part(data: bytes) -> int:
    """Where to cut what is longer than an event may be: not within a character."""
    for end in range(EVENT_BYTES, EVENT_BYTES - 4, -1):
        if data[end] & 0xC0 != 0x80:  # what follows begins a character
            return end
    return EVENT_BYTES


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _terminated(message: str) -> str:
    return message if message.endswith("\n") else message + "\n"
