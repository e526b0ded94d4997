"""The log of one execution environment, on its way from the process to a CloudWatch log stream."""

import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime

from .function import Function

TAIL_BYTES = 4096  # what LogType=Tail answers
EVENT_BYTES = 256 * 1024 - 26  # CloudWatch's limit for one event, less its overhead


class LogStream:
    """Collects log events and writes them on, in order. One environment has one stream for its whole life."""

    def __init__(self, function: Function, environment: str, write: Callable) -> None:
        self._function = function
        self._write = write
        self.name = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{environment}"
        self._tail = ""

    def begin(self) -> None:
        """A new invocation: its tail starts empty."""
        self._tail = ""

    def platform(self, message: str | None) -> None:
        """Write one of Lambda's own lines; None stands for a line that the log format leaves out."""
        if message is not None:
            self.put([(time.time_ns() // 1_000_000, message)])

    def put(self, events: list[tuple[int, str]]) -> None:
        """Write events: (ms since 1970, message)."""
        if events:
            self._tail = (self._tail + "".join(_terminated(message) for _, message in events))[-TAIL_BYTES:]
            self._write(self._function, self.name, events)

    def text(self) -> str:
        """The end of what this invocation has logged, for LogType=Tail; it begins with a whole character."""
        return self._tail.encode()[-TAIL_BYTES:].decode("utf-8", "ignore")


class LineReader:
    """Standard output and standard error: every line is an event of its own."""

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; nothing (b"") means the end, and ends a last line that has no newline."""
        text = self._rest + data
        *lines, self._rest = text.split(b"\n")
        now = time.time_ns() // 1_000_000
        if self._rest and (not data or len(self._rest) > EVENT_BYTES):
            lines.append(self._rest)
            self._rest = b""
        self._stream.put([(now, line.decode("utf-8", "replace") + "\n") for line in lines])


class FrameReader:
    """The telemetry descriptor: a frame is an event, however many lines it has.

    A frame: type (4 bytes), length (4), microseconds since 1970 (8), text; big-endian. Source: awslambdaric.
    """

    _HEADER = struct.Struct(">IIQ")

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream
        self._rest = b""

    def feed(self, data: bytes) -> None:
        self._rest += data
        events = []
        while len(self._rest) >= self._HEADER.size:
            _, length, microseconds = self._HEADER.unpack_from(self._rest)
            end = self._HEADER.size + length
            if len(self._rest) < end:
                break
            text = self._rest[self._HEADER.size:end].decode("utf-8", "replace")
            events.append((microseconds // 1000, text))
            self._rest = self._rest[end:]
        self._stream.put(events)


def _terminated(message: str) -> str:
    return message if message.endswith("\n") else message + "\n"
