"""The Runtime API of one execution environment: the HTTP protocol between Lambda and a runtime.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, version 2018-06-01. What a runtime may say when,
and how it is refused, are those of https://github.com/aws/aws-lambda-runtime-interface-emulator, internal/lambda/core/
states.go and internal/lambda/rapi. It knows nothing of processes, time or logs; whoever owns the environment hands in
invocations and reads what the runtime says.
"""

import base64
import collections
import contextlib
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ...facts import in_bytes
from .bounded_http import BoundedServer, Connection, EndlessError, Refused, Request, Steps
from .credentials import ContainerCredentials

MAX_STREAMED_BYTES = in_bytes("streamed")
MAX_RESPONSE_BYTES = in_bytes("payload") + 100  # AWS's own figure in "(6291556 bytes)"
PREFIX = "/2018-06-01/runtime"
CREDENTIALS_PATH = "/2021-04-23/credentials"
RESPONSE_MODE, STREAMING = "lambda-runtime-function-response-mode", "streaming"
ERROR_TYPE, ERROR_BODY = "lambda-runtime-function-error-type", "lambda-runtime-function-error-body"


@dataclass
class Message:
    """What a runtime said: `kind` is "ready", "response", "error", "init-error" or "too-large".

    With SnapStart also "snapshot", once it waits to be restored, and "restored" or "restore-error" after that. Of a
    streamed response there may also be "truncated": it has broken off.

    `body` is at most MAX_RESPONSE_BYTES long; a longer one makes "too-large" of a response or an error. It is empty
    where the response has gone to the stream of its invocation: of that `limit` bytes are not too large.
    """

    kind: str
    request_id: str = ""
    body: bytes = b""
    error_type: str = ""
    limit: int = MAX_RESPONSE_BYTES


class ResponseStream(Protocol):
    """Where a streamed response goes while the function still runs. All is called by the thread of the invocation."""

    def begin(self, content_type: str) -> None:
        """The runtime has begun to respond."""

    def write(self, piece: bytes) -> bool:
        """Pass on a piece; whether there is room for more."""

    def when_room(self, tell: Callable[[], None]) -> None:
        """Call `tell` once there is room again, from any thread, and at once if there is."""


@dataclass
class Invocation:
    """What a runtime is given by /next; the deadline is in milliseconds since 1970."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str = ""
    client_context: str = ""
    tenant_id: str = ""
    stream: ResponseStream | None = None  # where nobody reads a response before its end, there is none

    def headers(self) -> dict[str, str]:
        headers = {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
            "Lambda-Runtime-Client-Context": self.client_context,
            "Lambda-Runtime-Aws-Tenant-Id": self.tenant_id,
        }
        return {name: value for name, value in headers.items() if value}


class State(Enum):
    """What a runtime does, by AWS's names; a request that its state does not allow is refused."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    RESTORE_READY = "RestoreReady"
    RESTORING = "Restoring"
    RESTORE_ERROR = "RestoreError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONSE = "InvocationResponse"
    ERROR_RESPONSE = "InvocationErrorResponse"
    RESPONSE_SENT = "RuntimeResponseSentState"


_FROM = {
    State.INIT_ERROR: (State.STARTED,),
    State.RESTORE_READY: (State.STARTED,),
    State.RESTORING: (State.RESTORE_READY,),
    State.RESTORE_ERROR: (State.RESTORING,),
    State.READY: (State.STARTED, State.RESTORING, State.READY, State.RESPONSE_SENT),
    State.RESPONSE: (State.RUNNING,),
    State.ERROR_RESPONSE: (State.RUNNING,),
}


class RuntimeApi:
    """A Runtime API on a port of its own on 127.0.0.1, served while its owner waits with `wait`.

    What the runtime has said is appended to `messages`. However often it asks, there are at most two messages of an
    invocation: its answer, and "ready". With `selector` the owner can wait for more than the runtime's words.

    `restored` is None for a runtime without SnapStart, False for one that becomes a snapshot, whose /restore/next is
    never answered, and True for a copy of it. `credentials` are for who asks with their token.
    """

    def __init__(self, restored: bool | None = None, credentials: ContainerCredentials | None = None) -> None:
        self._restored, self._credentials = restored, credentials
        self.messages: collections.deque[Message] = collections.deque()
        self.selector = selectors.DefaultSelector()
        self._state = State.STARTED
        self._invocation: Invocation | None = None  # the last that was given
        self._to_give: Invocation | None = None  # the same, until the runtime takes it
        self._waiting: collections.deque[Connection] = collections.deque()  # requests for /next
        self._server = BoundedServer(self._answer, self.selector)

    @property
    def address(self) -> str:
        return self._server.address

    def give(self, invocation: Invocation) -> None:
        """Answer the runtime's waiting (or coming) request for /next."""
        self._invocation = self._to_give = invocation
        while self._to_give and self._waiting:  # of those that wait, some may have gone
            self._waiting.popleft().resume()

    def is_asked(self) -> bool:
        """Whether the runtime waits for an invocation, and has not gone."""
        return any(not connection.is_gone() for connection in self._waiting)

    def wait(self, seconds: float) -> tuple[set[int], bool]:
        """Serve what comes within these seconds, once, and return at once when something has come.

        Returns the descriptors that are ready of those that the owner has registered, and whether the runtime spoke.
        """
        ready = [key for key, _ in self.selector.select(seconds)]
        spoken = [key.data for key in ready if key.data]
        for serve in spoken:
            serve()
        return {key.fd for key in ready if not key.data}, bool(spoken)

    def close(self) -> None:
        """End it, at once; a runtime that still waits for /next gets no answer."""
        self._server.close()
        self.selector.close()

    def _answer(self, connection: Connection, request: Request) -> Steps[None]:
        if request.method == "GET":
            yield from connection.read_body(request, 0)
            yield from self._give(connection, request)
        elif request.method == "POST":
            yield from self._hear(connection, request)
            yield from connection.send_json(202, {"status": "OK"})
        else:
            yield from connection.read_body(request, 0)
            raise Refused(405, "InvalidRequest", f"No such method here: {request.method[:100]}")

    def _give(self, connection: Connection, request: Request) -> Steps[None]:
        """What a runtime asks for."""
        if request.path == f"{PREFIX}/invocation/next":
            invocation = yield from self._next(connection)
            yield from connection.send(200, invocation.payload, invocation.headers())
        elif request.path == f"{PREFIX}/restore/next" and self._restored is not None:
            self._move(State.RESTORE_READY)
            if not self._restored:
                self.messages.append(Message("snapshot"))
                yield from self._never(connection)
            self._move(State.RESTORING)
            self.messages.append(Message("restored"))
            yield from connection.send(200, b"", {})
        elif request.path == CREDENTIALS_PATH and self._credentials:
            if not self._credentials.are_asked_for_with(request.header("authorization")):
                raise Refused(401, "Unauthorized", "Bad session token or header key")
            yield from connection.send(200, self._credentials.document(), {"Content-Type": "application/json"})
        else:
            raise _no_such(request.path)

    @staticmethod
    def _never(connection: Connection) -> Steps[None]:
        """Wait for as long as the connection is there."""
        while True:
            yield from connection.rest()

    def _next(self, connection: Connection) -> Steps[Invocation]:
        """Wait for an invocation, or give the one that is not answered yet again."""
        if self._state is State.RUNNING and self._invocation:
            return self._invocation
        if self._move(State.READY) is not State.READY:
            self.messages.append(Message("ready"))
        while not self._to_give:
            self._waiting.append(connection)
            yield from connection.rest()
        invocation, self._to_give = self._to_give, None
        self._state = State.RUNNING
        return invocation

    def _hear(self, connection: Connection, request: Request) -> Steps[None]:
        """Take what the runtime says, once the whole of it has come: of one request, so that one body is kept."""
        try:
            state, request_id = _meaning(request.path)
            if request_id is not None and (not self._invocation or self._invocation.request_id != request_id):
                raise Refused(400, "InvalidRequestID", "Invalid request ID")
            before = self._move(state)
        except Refused:
            yield from connection.read_body(request, 0)
            raise
        if state is State.RESPONSE and self._invocation and request.header(RESPONSE_MODE):
            yield from self._hear_stream(connection, request, self._invocation)
            return
        try:
            body = yield from connection.read_body(request, MAX_RESPONSE_BYTES)
        except BaseException:
            self._state = before
            raise
        error_type = request.header(ERROR_TYPE)
        if request_id is None:
            kind = "init-error" if state is State.INIT_ERROR else "restore-error"
            self.messages.append(Message(kind, body=body or b"", error_type=error_type))
        else:
            self._state = State.RESPONSE_SENT
            kind = "response" if state is State.RESPONSE else "error"
            said = Message("too-large", request_id) if body is None else Message(kind, request_id, body, error_type)
            self.messages.append(said)
        if body is None:
            sentence = f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            raise Refused(413, "RequestEntityTooLarge", sentence)

    def _hear_stream(self, connection: Connection, request: Request, invocation: Invocation) -> Steps[None]:
        """Take a response in the streaming mode, which is over once it has begun, however it ends.

        https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html, "Implementing response streaming".
        """
        said = Message("truncated", invocation.request_id)
        try:
            if request.header(RESPONSE_MODE).lower() != STREAMING:
                said = Message("error", invocation.request_id, b"", "Runtime.InvalidResponseModeHeader")
                yield from connection.read_body(request, 0)
                raise Refused(400, "InvalidFunctionResponseMode", "Invalid function response mode")
            said = yield from self._streamed(connection, request, invocation)
        finally:
            self._state = State.RESPONSE_SENT
            self.messages.append(said)
        if said.kind == "too-large":
            sentence = f"Exceeded maximum allowed payload size ({said.limit} bytes)."
            raise Refused(413, "RequestEntityTooLarge", sentence)

    def _streamed(self, connection: Connection, request: Request, invocation: Invocation) -> Steps[Message]:
        """What a streamed response has come to: what went wrong stands in its trailers."""
        body, limit = b"", MAX_RESPONSE_BYTES
        if invocation.stream:
            limit = MAX_STREAMED_BYTES
            invocation.stream.begin(request.header("content-type") or "application/octet-stream")
            with contextlib.closing(_Outlet(invocation.stream, connection, self.selector)) as outlet:
                is_whole = yield from connection.read_into(outlet, request)
        else:
            whole = yield from connection.read_body(request, limit)
            body, is_whole = whole or b"", whole is not None
        if not is_whole:
            return Message("too-large", invocation.request_id, limit=limit)
        if error_type := request.trailers.get(ERROR_TYPE):
            return Message("error", invocation.request_id, _decoded(request.trailers.get(ERROR_BODY, "")), error_type)
        return Message("response", invocation.request_id, body)

    def _move(self, state: State) -> State:
        """Change to this state, and return the one before; Refused where that does not lead here."""
        before = self._state
        if before not in _FROM[state]:
            raise Refused(
                403,
                "InvalidStateTransition",
                f"State transition from {before.value} to {state.value} failed for runtime. "
                "Error: State transition is not allowed",
            )
        self._state = state
        return before


class _Outlet:
    """Passes a body on to a stream, and lets its connection rest while that has no room."""

    def __init__(self, stream: ResponseStream, connection: Connection, selector: selectors.BaseSelector) -> None:
        self._stream, self._connection, self._selector = stream, connection, selector
        self._size = 0
        self._bell: tuple[socket.socket, socket.socket] | None = None  # by which another thread says that there is room
        self.is_full = False

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > MAX_STREAMED_BYTES:
            raise EndlessError
        if not self._stream.write(piece):
            self.is_full = True
            self._stream.when_room(self._ring())

    def close(self) -> None:
        if self._bell:
            self._selector.unregister(self._bell[0])
            for end in self._bell:
                end.close()
            self._bell = None

    def _ring(self) -> Callable[[], None]:
        if self._bell is None:
            self._bell = socket.socketpair()
            for end in self._bell:
                end.setblocking(False)
            self._selector.register(self._bell[0], selectors.EVENT_READ, self._heard)
        rung = self._bell[1]

        def ring() -> None:
            with contextlib.suppress(OSError):  # it is over
                rung.send(b"!")

        return ring

    def _heard(self) -> None:
        if self._bell and self.is_full:
            self._bell[0].recv(1)
            self.is_full = False
            self._connection.resume()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _meaning(path: str) -> tuple[State, str | None]:
    """What a runtime says by a POST to this path, and of which request; None where it is of none."""
    if path == f"{PREFIX}/init/error":
        return State.INIT_ERROR, None
    if path == f"{PREFIX}/restore/error":
        return State.RESTORE_ERROR, None
    request_id, _, what = path.removeprefix(f"{PREFIX}/invocation/").partition("/")
    states = {"response": State.RESPONSE, "error": State.ERROR_RESPONSE}
    if not path.startswith(f"{PREFIX}/invocation/") or what not in states:
        raise _no_such(path)
    return states[what], request_id


def _no_such(path: str) -> Refused:
    return Refused(404, "InvalidPath", f"no such path: {path}")
