"""HTTP on a port of its own, for a client that may send anything: what it costs is bounded, however much comes.

Few connections are served at a time, the others wait in the system's queue. A body that is too long is read and thrown
away, and what is no HTTP is answered by an error.

Nothing here has a thread, or waits: its owner selects, and calls what `data` of a key that is ready holds. So one
thread can serve a port and wait for other things, and a port for which nobody waits costs nothing.
"""

import contextlib
import functools
import json
import re
import selectors
import socket
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol, TypeVar

CONNECTIONS = 16  # a runtime needs one or two
BACKLOG = 128  # who waits for a place, waits connected: the system tries again only after a second
MAX_HEADER_BYTES = 65536  # a longer line is left out; a path that long is refused
MAX_HEADERS = 100
MAX_HEADERS_BYTES = 2 * 2**20  # all of a request: awslambdaric sends up to 1 MiB of stack trace in one
MAX_DRAINED_BYTES = 64 * 2**20  # of a body beyond its limit: who still sends it does not hear the answer before
PIECE_BYTES = 65536
UNREAD_PIECES = 16  # that are read at the end of a connection, if they are there
MAX_LINE_BYTES = 4096  # of a chunk's size with its extensions

_REQUEST_LINE = re.compile(rb"([!-~]+) ([!-~]+) HTTP/1\.([0-9])\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n")
_NEWLINES = (b"\r\n", b"\n")

Result = TypeVar("Result")
Steps = Generator[None, None, Result]  # work on a connection, which yields where it has to wait


class Sink(Protocol):
    """Where the body of a request goes, piece by piece."""

    @property
    def is_full(self) -> bool:
        """Whether it takes no more for now; it then calls `Connection.resume` once it does, from the same thread."""

    def add(self, piece: bytes) -> None:
        """Take a piece; EndlessError where there have been too many."""


class Refused(Exception):
    """A request that is answered by an error: its HTTP status, and the type and the message of the error."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error_type, self.message = status, error_type, message


@dataclass(frozen=True)
class Request:
    """What a request says before its body, and after it. Names of headers and trailers are in lower case."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    trailers: dict[str, str] = field(default_factory=dict)  # once the body has been read

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]

    def header(self, name: str) -> str:
        """The first header of this name, or ""."""
        for each, value in self.headers:
            if each == name:
                return value
        return ""


class BoundedServer:
    """Serves at `address` on 127.0.0.1, from its making until `close`, while somebody selects with `selector`.

    `answer` does what a request asks for. It takes the connection and the request, and raises Refused where it will
    not.
    """

    def __init__(
        self, answer: Callable[["Connection", Request], Steps[None]], selector: selectors.BaseSelector
    ) -> None:
        self.answer, self.selector = answer, selector
        self._open: set[Connection] = set()
        self._listener = socket.socket()
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(BACKLOG)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._listen()

    def close(self) -> None:
        """End it, and its connections, at once."""
        for connection in list(self._open):
            connection.close()
        self.selector.unregister(self._listener)
        self._listener.close()

    def left(self, connection: "Connection") -> None:
        """There is a place for another connection."""
        if len(self._open) == CONNECTIONS:
            self._listen()
        self._open.discard(connection)

    def _listen(self) -> None:
        self.selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):  # it has gone again
            return
        self._open.add(Connection(accepted, self))
        if len(self._open) == CONNECTIONS:
            self.selector.unregister(self._listener)


class Connection:
    """One connection, which serves one request after another until its client ends it."""

    def __init__(self, accepted: socket.socket, server: BoundedServer) -> None:
        accepted.setblocking(False)
        # Small writes with Nagle's algorithm and delayed acknowledgement cost 40 ms a call.
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self._server = accepted, server
        self._come, self._at = b"", 0  # bytes that have come, and how many of them are taken
        self._last = False  # after this request there will be none
        self._watched = 0  # the events that it waits for
        self._steps: Iterator[None] = self._serve()
        self.resume()

    def resume(self) -> None:
        """Go on, until it has to wait again."""
        try:
            next(self._steps)
        except (StopIteration, OSError):  # the last request was answered, or the client is gone
            self.close()

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._watch(0)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            for _ in range(
                UNREAD_PIECES
            ):  # what nobody has read makes a reset of the end, which can overtake an answer
                if not self._socket.recv(PIECE_BYTES):
                    break
        self._socket.close()
        self._steps = iter(())
        self._server.left(self)

    def is_gone(self) -> bool:
        """Whether its client has ended it, of one that rests, and so is not watched."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def rest(self) -> Steps[None]:
        """Wait until somebody calls `resume`."""
        self._watch(0)
        yield

    def read_body(self, request: Request, limit: int) -> Steps[bytes | None]:
        """The body, or None where it has more bytes than this; Refused where it is none.

        What is longer is read on, and thrown away; what never ends is not: then the connection is closed.
        """
        body = _Body(limit)
        yield from self.read_into(body, request)
        return bytes(body.kept) if body.size <= limit else None

    def read_into(self, sink: Sink, request: Request) -> Steps[bool]:
        """Read the body as it comes, and say whether that was all of it; Refused where it is none.

        What `sink` does not take waits with its sender. Where that is told to end, the connection will be closed.
        """
        if request.header("expect").lower() == "100-continue":
            yield from self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            if encodings := request.all("transfer-encoding"):
                yield from self._read_chunks(encodings, sink)
                request.trailers.update(reversed((yield from self._read_headers())))
            else:
                yield from self._read(self._length(request), sink)
        except EndlessError:
            self._last = True
            return False
        return True

    def send_json(self, status: int, body: dict[str, str]) -> Steps[None]:
        yield from self.send(status, json.dumps(body).encode(), {})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> Steps[None]:
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        if self._last:
            fields["Connection"] = "close"
        lines = [_status_line(status), *map(": ".join, fields.items())]
        head = "\r\n".join(lines)
        if head.count("\r") + head.count("\n") > 2 * (len(lines) - 1):  # one says more than a line may
            head = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
        yield from self._send(f"{head}\r\n\r\n".encode() + body)

    def _serve(self) -> Steps[None]:
        while not self._last:
            try:
                request = yield from self._read_request()
                if request is None:
                    return
                yield from self._server.answer(self, request)
            except Refused as refused:
                error = {"errorType": refused.error_type, "errorMessage": refused.message}
                yield from self.send_json(refused.status, error)

    def _read_request(self) -> Steps[Request | None]:
        """The next request, or None where none will come."""
        line = yield from self._read_line(MAX_HEADERS_BYTES)
        if not line:
            return None
        if len(line) > MAX_HEADER_BYTES:
            raise self._unreadable("The path is too long", 414)
        found = _REQUEST_LINE.fullmatch(line)
        if not found:
            raise self._unreadable("Bad request")
        method, path, version = (part.decode() for part in found.groups())
        request = Request(method, path, (yield from self._read_headers()))
        connection = request.header("connection").lower()
        self._last = connection == "close" or (version == "0" and connection != "keep-alive")
        return request

    def _read_headers(self) -> Steps[list[tuple[str, str]]]:
        if (headers := self._take_headers()) is not None:
            return headers
        headers = []
        read = count = 0
        while (line := (yield from self._read_line(MAX_HEADERS_BYTES - read))) not in _NEWLINES:
            name, colon, value = line.partition(b":")
            if not colon:
                raise self._unreadable("A header has no colon")
            read, count = read + len(line), count + 1
            if read == MAX_HEADERS_BYTES:
                raise self._unreadable("Too many headers", 431)
            if len(line) <= MAX_HEADER_BYTES and count <= MAX_HEADERS:
                headers.append((name.decode("latin-1").strip().lower(), value.decode("latin-1").strip()))
        if count > MAX_HEADERS:  # not before all have come: who still sends them does not hear the answer
            raise self._unreadable("Too many headers", 431)
        return headers

    def _take_headers(self) -> list[tuple[str, str]] | None:
        """Those that have all come, and are as they should be; else nothing is taken."""
        end = self._come.find(b"\r\n\r\n", self._at, self._at + MAX_HEADER_BYTES)
        if end < 0:
            return None
        text = self._come[self._at : end].decode("latin-1")
        parts = [line.partition(":") for line in text.split("\r\n")]
        if len(parts) > MAX_HEADERS or text.count("\n") >= len(parts) or not all(colon for _, colon, _ in parts):
            return None
        self._at = end + 4
        return [(name.strip().lower(), value.strip()) for name, _, value in parts]

    def _length(self, request: Request) -> int:
        lengths = set(request.all("content-length")) or {"0"}
        length = lengths.pop()
        if lengths or not _LENGTH.fullmatch(length):
            raise self._unreadable("Content-Length is no number of bytes")
        return int(length)

    def _read_chunks(self, encodings: list[str], sink: Sink) -> Steps[None]:
        if [each.lower() for each in encodings] != ["chunked"]:
            raise self._unreadable(f"Unsupported transfer encoding: {', '.join(encodings)[:100]}")
        while size := (yield from self._read_chunk_size()):
            yield from self._read(size, sink)
            if (yield from self._read_line(2)) not in _NEWLINES:
                raise self._unreadable("A chunk does not end where it says")

    def _read_chunk_size(self) -> Steps[int]:
        line = yield from self._read_line(MAX_LINE_BYTES)
        if not line:
            raise self._truncated()
        found = _CHUNK_SIZE.fullmatch(line)
        if not found:
            raise self._unreadable("The size of a chunk is no number of bytes")
        return int(found[1], 16)

    def _read(self, size: int, sink: Sink) -> Steps[None]:
        while size:
            if self._at == len(self._come) and not (yield from self._receive()):
                raise self._truncated()
            piece = self._take(min(size, len(self._come) - self._at))
            size -= len(piece)
            sink.add(piece)
            while sink.is_full:
                yield from self.rest()

    def _read_line(self, limit: int) -> Steps[bytes]:
        """All up to a newline, but no more than `limit` bytes; less, without a newline, where no more will come."""
        while (end := self._come.find(b"\n", self._at, self._at + limit)) < 0:
            if len(self._come) - self._at >= limit or not (yield from self._receive()):
                return self._take(min(limit, len(self._come) - self._at))
        return self._take(end + 1 - self._at)

    def _take(self, size: int) -> bytes:
        taken = self._come[self._at : self._at + size]
        self._at += size
        return taken

    def _receive(self) -> Steps[bool]:
        """Wait for bytes; False where no more will come."""
        self._watch(selectors.EVENT_READ)
        yield
        piece = self._socket.recv(PIECE_BYTES)
        self._come, self._at = self._come[self._at :] + piece, 0
        return bool(piece)

    def _send(self, data: bytes) -> Steps[None]:
        left = memoryview(data)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                self._watch(selectors.EVENT_WRITE)
                yield

    def _watch(self, events: int) -> None:
        if self._watched == events:
            return
        if not self._watched:
            self._server.selector.register(self._socket, events, self.resume)
        elif events:
            self._server.selector.modify(self._socket, events, self.resume)
        else:
            self._server.selector.unregister(self._socket)
        self._watched = events

    def _truncated(self) -> Refused:
        self._last = True
        return Refused(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")

    def _unreadable(self, message: str, status: int = 400) -> Refused:
        """Where this request ends is not known, and so not where the next one begins."""
        self._last = True
        return Refused(status, "InvalidRequest", message)


@functools.cache
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"


class EndlessError(Exception):
    """A body goes on after all that is read of one."""


class _Body:
    """What is kept of a body as it comes: all of it, or nothing once it has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.kept, self.size = bytearray(), 0

    @property
    def is_full(self) -> bool:
        return False

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= self._limit:
            self.kept += piece
        else:
            self.kept.clear()
        if self.size > self._limit + MAX_DRAINED_BYTES:
            raise EndlessError
