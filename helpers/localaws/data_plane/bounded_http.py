"""HTTP for a client that nobody trusts: whatever it sends, it costs a bounded amount of memory and threads.

Clients of one server share a few connections: who opens more waits until another is closed. A header that is too
long is left out, a body that is too long is read and thrown away, and what is no HTTP is answered by an error.
"""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

CONNECTIONS = 16  # a runtime needs one or two; each has a thread
MAX_HEADER_BYTES = 65536  # Python's limit: http.client refuses a request with a longer line
MAX_HEADERS_BYTES = 2 * 2**20  # all of a request: awslambdaric sends up to 1 MiB of stack trace in one
MAX_DRAINED_BYTES = 64 * 2**20  # of a body beyond its limit: who still sends it does not hear the answer before
PIECE_BYTES = 65536
MAX_LINE_BYTES = 4096  # of a chunk's size with its extensions, and of a trailer

_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n")


class Refused(Exception):
    """A request that is answered by an error: its HTTP status, and the type and the message of the error."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error_type, self.message = status, error_type, message


class BoundedServer(ThreadingHTTPServer):
    """Serves on a port of its own on 127.0.0.1, from its making until `close`; `handler` makes a handler."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # who waits for a place, waits connected: the system tries again only after a second

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler], name: str) -> None:
        self._places = threading.Semaphore(CONNECTIONS)
        self._closed = False
        super().__init__(("127.0.0.1", 0), handler)
        threading.Thread(target=self._serve, daemon=True, name=name).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def close(self) -> None:
        """End it, at once. Connections that are open stay so until their client ends."""
        self._closed = True
        self._places.release()  # for the thread that accepts, if it waits for a place
        with contextlib.suppress(OSError):  # or else it waits for this; where so many wait already, it does not
            socket.create_connection(("127.0.0.1", self.server_port), timeout=0.2).close()

    def server_bind(self) -> None:
        # HTTPServer would look up this host's name here, which can take seconds without a network.
        self.socket.bind(("127.0.0.1", 0))
        self.server_name, self.server_port = self.socket.getsockname()

    def process_request(self, request: object, client_address: object) -> None:
        self._places.acquire()
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def process_request_thread(self, request: object, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed in the middle of a request is no news."""

    def _serve(self) -> None:
        # Not serve_forever: its shutdown takes up to half a second, which would count in Init Duration.
        while not self._closed:
            self.handle_request()
        self.server_close()


class BoundedHandler(BaseHTTPRequestHandler):
    """One connection; a subclass has the methods do_GET and so on."""

    protocol_version = "HTTP/1.1"
    # Small writes with Nagle's algorithm and delayed acknowledgement cost 40 ms a call: send each answer in one piece.
    wbufsize = -1
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        """Leave out headers that are too long; refuse what goes on after all that a request may have."""
        connection, lines, left = self.rfile, [], MAX_HEADERS_BYTES
        while (line := connection.readline(left)) not in (b"\r\n", b"\n", b""):
            left -= len(line)
            if left <= 0:
                self.send_error(431, "Too many headers")
                return False
            if len(line) <= MAX_HEADER_BYTES:
                lines.append(line)
        self.rfile = BytesIO(b"".join(lines) + b"\r\n")
        try:
            return super().parse_request()
        finally:
            self.rfile = connection

    def read_body(self, limit: int) -> bytes | None:
        """The body, or None where it has more bytes than this; Refused where it is none.

        What is longer is read on, and thrown away; what never ends is not: then the connection is closed.
        """
        body, size = bytearray(), 0
        for piece in self._pieces():
            size += len(piece)
            if size <= limit:
                body += piece
            else:
                body.clear()
            if size > limit + MAX_DRAINED_BYTES:
                self.close_connection = True
                break
        return bytes(body) if size <= limit else None

    def send_json(self, status: int, body: dict[str, str]) -> None:
        self.send(status, json.dumps(body).encode(), {})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_refused(self, refused: Refused) -> None:
        self.send_json(refused.status, {"errorType": refused.error_type, "errorMessage": refused.message})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses by itself, in JSON, and the end of the connection."""
        self.close_connection = True
        self.request_version = self.protocol_version  # of a request that cannot be read it is not known
        if code == 501:  # http.server's word for a method that has no do_…
            code, message = 405, f"No such method here: {self.command}"
        self.send_refused(Refused(code, "InvalidRequest", message or "Bad request"))

    def log_message(self, *arguments: object) -> None:
        """Not into the server's log: a client may ask as often as it likes."""

    def _pieces(self) -> Iterator[bytes]:
        """The body as it comes, in pieces of a bounded size."""
        encoding = self.headers.get_all("Transfer-Encoding", [])
        if encoding:
            if [each.strip().lower() for each in encoding] != ["chunked"]:
                raise self._unreadable(f"Unsupported transfer encoding: {', '.join(encoding)[:100]}")
            while size := self._chunk_size():
                yield from self._read(size)
                if self.rfile.readline(3) not in (b"\r\n", b"\n"):
                    raise self._unreadable("A chunk does not end where it says")
            while (line := self.rfile.readline(MAX_LINE_BYTES)) not in (b"\r\n", b"\n"):
                if not line.endswith(b"\n"):
                    raise self._unreadable("A trailer does not end")
            return
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        length = lengths.pop().strip()
        if lengths or not _LENGTH.fullmatch(length):
            raise self._unreadable("Content-Length is no number of bytes")
        yield from self._read(int(length))

    def _chunk_size(self) -> int:
        found = _CHUNK_SIZE.fullmatch(self.rfile.readline(MAX_LINE_BYTES))
        if not found:
            raise self._unreadable("The size of a chunk is no number of bytes")
        return int(found[1], 16)

    def _read(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self.rfile.read(min(size, PIECE_BYTES))
            if not piece:
                self.close_connection = True
                raise Refused(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
            size -= len(piece)
            yield piece

    def _unreadable(self, message: str) -> Refused:
        """Where the body ends is not known, and so not where the next request begins."""
        self.close_connection = True
        return Refused(400, "InvalidRequest", message)
