"""The Runtime API of one execution environment: the HTTP protocol between Lambda and a runtime.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, version 2018-06-01. It knows nothing of
processes, time or logs; whoever owns the environment hands in invocations and reads what the runtime says.
"""

import contextlib
import json
import queue
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from ...facts import in_bytes

MAX_RESPONSE_BYTES = in_bytes("payload") + 100  # AWS's own figure in "(6291556 bytes)"
PREFIX = "/2018-06-01/runtime"
MAX_HEADER_BYTES = 65536  # Python's limit: http.client refuses a request with a longer line


@dataclass
class Message:
    """What a runtime said: `kind` is "ready", "response", "error", "init-error" or "too-large"."""

    kind: str
    request_id: str = ""
    body: bytes = b""
    error_type: str = ""


@dataclass
class Invocation:
    """What a runtime is given by /next; the deadline is in milliseconds since 1970."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str = ""
    client_context: str = ""

    def headers(self) -> dict[str, str]:
        headers = {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
            "Lambda-Runtime-Client-Context": self.client_context,
        }
        return {name: value for name, value in headers.items() if value}


@dataclass
class RuntimeApi:
    """A Runtime API on a port of its own on 127.0.0.1.

    `wake` is a socket that becomes readable when `messages` has something new, so that one loop can wait for the
    runtime's words and its output together.
    """

    messages: queue.SimpleQueue[Message] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.wake, self._wake_write = socket.socketpair()
        self._next: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._server = _Server(self)
        self._closed = False
        threading.Thread(target=self._serve, daemon=True, name="runtime-api").start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def give(self, invocation: Invocation) -> None:
        """Answer the runtime's waiting (or coming) request for /next."""
        self._next.put(invocation)

    def tell(self, message: Message) -> None:
        self.messages.put(message)
        self._wake_write.send(b"!")

    def take_next(self) -> Invocation | None:
        """Called for a runtime that asks for /next: waits for an invocation; None when the environment ends."""
        self.tell(Message("ready"))
        return self._next.get()

    def close(self) -> None:
        """End it, at once; a runtime that still waits for /next gets no answer."""
        self._closed = True
        self._next.put(None)
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self._server.server_port)).close()  # wakes the thread that accepts
        self.wake.close()
        self._wake_write.close()

    def _serve(self) -> None:
        # Not serve_forever: its shutdown takes up to half a second, which would count in Init Duration.
        while not self._closed:
            self._server.handle_request()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        super().__init__(("127.0.0.1", 0), lambda *arguments: _Handler(api, *arguments))

    def server_bind(self) -> None:
        # HTTPServer would look up this host's name here, which can take seconds without a network.
        self.socket.bind(("127.0.0.1", 0))
        self.server_name, self.server_port = self.socket.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        """A runtime that is killed in the middle of a request is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small writes with Nagle's algorithm and delayed acknowledgement cost 40 ms a call: send each answer in one piece.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, api: RuntimeApi, *arguments: Any) -> None:
        self._api = api
        super().__init__(*arguments)

    def parse_request(self) -> bool:
        """Leave out what is too long: awslambdaric sends the whole stack trace, up to 1 MiB, in a header of its own."""
        connection, lines = self.rfile, []
        while (line := connection.readline()) not in (b"\r\n", b"\n", b""):
            lines.append(line)
        self.rfile = BytesIO(b"".join(line for line in lines if len(line) <= MAX_HEADER_BYTES) + b"\r\n")
        try:
            return super().parse_request()
        finally:
            self.rfile = connection

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            return self._answer(404, {"errorType": "InvalidPath", "errorMessage": f"no such path: {self.path}"})
        invocation = self._api.take_next()
        if invocation is None:
            self.close_connection = True
            return None
        return self._send(200, invocation.payload, invocation.headers())

    def do_POST(self) -> None:
        body = self._body()
        error_type = self.headers.get("Lambda-Runtime-Function-Error-Type", "")
        if self.path == f"{PREFIX}/init/error":
            self._api.tell(Message("init-error", body=body, error_type=error_type))
            return self._answer(202, {"status": "OK"})
        request_id, _, what = self.path.removeprefix(f"{PREFIX}/invocation/").partition("/")
        if not self.path.startswith(f"{PREFIX}/invocation/") or what not in ("response", "error"):
            return self._answer(404, {"errorType": "InvalidPath", "errorMessage": f"no such path: {self.path}"})
        if what == "response" and len(body) > MAX_RESPONSE_BYTES:
            self._api.tell(Message("too-large", request_id))
            return self._answer(
                413,
                {
                    "errorType": "RequestEntityTooLarge",
                    "errorMessage": f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).",
                },
            )
        self._api.tell(Message(what, request_id, body, error_type))
        return self._answer(202, {"status": "OK"})

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _answer(self, code: int, body: dict[str, str]) -> None:
        self._send(code, json.dumps(body).encode(), {})

    def _send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Not into the server's log: what a function does belongs to CloudWatch."""
