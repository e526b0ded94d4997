"""The log of one execution environment, on its way from the process to a CloudWatch log stream."""

import re
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime

from .function import Function

TAIL_BYTES = 4096  # what LogType=Tail answers
WriteLog = Callable[[Function, str, list[tuple[int, str]]], None]  # function, stream, (ms since 1970, message)
EVENT_BYTES = 256 * 1024 - 26  # CloudWatch's limit for one event, less its overhead


class LogStream:
    """Collects log events and writes them on, in order. One environment has one stream for its whole life."""

    def __init__(self, function: Function, environment: str, write: WriteLog) -> None:
        self._function = function
        self._write = write
        self.name = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{environment}"
        self._tail = ""
        self._latest = 0  # ms since 1970: CloudWatch sorts by time, so an event is never earlier than the last

    def begin(self) -> None:
        """A new invocation: its tail starts empty."""
        self._tail = ""

    def platform(self, message: str | None) -> None:
        """Write one of Lambda's own lines; None stands for a line that the log format leaves out."""
        if message is not None:
            self.put([(_now_ms(), message)])

    def put(self, events: list[tuple[int, str]]) -> None:
        """Write events: (ms since 1970, message)."""
        events = [(self._not_before(at), message) for at, message in events]
        if events:
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
    """

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream
        self._rest = b""
        self._interrupted = False  # a frame came in the middle of a line; the rest of that line follows

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; nothing (b"") means that no more will, and ends what is not complete."""
        self._rest += data
        events = []
        while True:
            start, size = _find_frame(self._rest)
            events += self._take_lines(start, size > 0)
            if not 0 < size <= len(self._rest):
                break
            events.append(self._take_frame(size))
        if self._rest and not data:
            text = self._rest[_HEADER.size :] if size else self._rest
            events.append((_now_ms(), _terminated(_decoded(text))))
            self._rest = b""
        self._stream.put(events)

    def _take_lines(self, end: int, frame_follows: bool) -> list[tuple[int, str]]:
        """Take the whole lines up to there, and what follows the last newline if it cannot wait."""
        *lines, unfinished = self._rest[:end].split(b"\n")
        if end and self._interrupted:
            self._interrupted = False
            if lines and not lines[0]:  # the newline of the line that the frame has ended
                del lines[0]
        if unfinished and (frame_follows or len(unfinished) > EVENT_BYTES):
            lines.append(unfinished)
            unfinished, self._interrupted = b"", frame_follows
        self._rest = unfinished + self._rest[end:]
        return [(_now_ms(), _decoded(line) + "\n") for line in lines]

    def _take_frame(self, size: int) -> tuple[int, str]:
        microseconds = _HEADER.unpack_from(self._rest)[2]
        text = _decoded(self._rest[_HEADER.size : size])
        self._rest = self._rest[size:]
        return min(microseconds // 1000, _now_ms()), text


_HEADER = struct.Struct(">IIQ")
# The types differ by level and format. awslambdaric's lambda_runtime_log_utils.py lists them.
_TYPE = re.compile(rb"\xa5\x5a\x00[\x02\x03\x0a\x0b\x0e\x0f\x12\x13\x16\x17\x1a\x1b]")
# What begins like a frame and says that it is longer, or from a later time, is none.
_LONGEST = 64 * 2**20  # bytes
_LATEST = 4_102_444_800_000_000  # the year 2100


def _find_frame(data: bytes) -> tuple[int, int]:
    """Where the first frame begins, and its size in bytes, whether or not all of it is there.

    The size is 0 where there is none, and where too little of its header is there to know.
    """
    for found in _TYPE.finditer(data):
        start = found.start()
        if len(data) < start + _HEADER.size:
            return start, 0
        _, length, microseconds = _HEADER.unpack_from(data, start)
        if length <= _LONGEST and microseconds < _LATEST:
            return start, _HEADER.size + length
    return len(data), 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _terminated(message: str) -> str:
    return message if message.endswith("\n") else message + "\n"
