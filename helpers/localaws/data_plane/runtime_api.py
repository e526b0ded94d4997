"""The Runtime API of one execution environment: the HTTP protocol between Lambda and a runtime.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, version 2018-06-01. What a runtime may say when,
and how it is refused, are those of https://github.com/aws/aws-lambda-runtime-interface-emulator, internal/lambda/core/
states.go and internal/lambda/rapi. It knows nothing of processes, time or logs; whoever owns the environment hands in
invocations and reads what the runtime says.
"""

import queue
import socket
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ...facts import in_bytes
from .bounded_http import BoundedHandler, BoundedServer, Refused

MAX_RESPONSE_BYTES = in_bytes("payload") + 100  # AWS's own figure in "(6291556 bytes)"
PREFIX = "/2018-06-01/runtime"


@dataclass
class Message:
    """What a runtime said: `kind` is "ready", "response", "error", "init-error" or "too-large".

    `body` is at most MAX_RESPONSE_BYTES long; a longer one makes "too-large" of a response or an error.
    """

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


class State(Enum):
    """What a runtime does, by AWS's names; a request that its state does not allow is refused."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONSE = "InvocationResponse"
    ERROR_RESPONSE = "InvocationErrorResponse"
    RESPONSE_SENT = "RuntimeResponseSentState"


_FROM = {
    State.INIT_ERROR: (State.STARTED,),
    State.READY: (State.STARTED, State.READY, State.RESPONSE_SENT),
    State.RESPONSE: (State.RUNNING,),
    State.ERROR_RESPONSE: (State.RUNNING,),
}


@dataclass
class RuntimeApi:
    """A Runtime API on a port of its own on 127.0.0.1.

    `wake` is a socket that becomes readable when `messages` has something new, so that one loop can wait for the
    runtime's words and its output together. However often a runtime asks, there are at most two messages of an
    invocation: its answer, and "ready".
    """

    messages: queue.SimpleQueue[Message] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.wake, self._wake_write = socket.socketpair()
        self._next: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # of what follows
        self._state = State.STARTED
        self._invocation: Invocation | None = None  # the last that was given
        self._server = BoundedServer(lambda *arguments: _Handler(self, *arguments), "runtime-api")

    @property
    def address(self) -> str:
        return self._server.address

    def give(self, invocation: Invocation) -> None:
        """Answer the runtime's waiting (or coming) request for /next."""
        with self._lock:
            self._invocation = invocation
        self._next.put(invocation)

    def tell(self, message: Message) -> None:
        self.messages.put(message)
        self._wake_write.send(b"!")

    def close(self) -> None:
        """End it, at once; a runtime that still waits for /next gets no answer."""
        self._next.put(None)
        self._server.close()
        self.wake.close()
        self._wake_write.close()

    # What a runtime asks for; each raises Refused where it may not.

    def take_next(self) -> Invocation | None:
        """Wait for an invocation, or give the one that is not answered yet again; None when the environment ends."""
        with self._lock:
            if self._state is State.RUNNING:
                return self._invocation
            before = self._move(State.READY)
        if before is not State.READY:
            self.tell(Message("ready"))
        invocation = self._next.get()
        if invocation is None:
            self._next.put(None)  # for the next one who waits
        else:
            with self._lock:
                self._state = State.RUNNING
        return invocation

    def begin(self, state: State, request_id: str = "") -> State:
        """The runtime is about to say this: of one request at a time, so that one body at a time is kept."""
        with self._lock:
            if state is not State.INIT_ERROR and (not self._invocation or self._invocation.request_id != request_id):
                raise Refused(400, "InvalidRequestID", "Invalid request ID")
            return self._move(state)

    def end(self, state: State, message: Message | None = None) -> None:
        """It has said that, or (without a message) it has not, and is in the state that it came from."""
        with self._lock:
            self._state = state
        if message:
            self.tell(message)

    def _move(self, state: State) -> State:
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


class _Handler(BoundedHandler):
    def __init__(self, api: RuntimeApi, *arguments: Any) -> None:
        self._api = api
        super().__init__(*arguments)

    def do_GET(self) -> None:
        try:
            if self.path != f"{PREFIX}/invocation/next":
                raise _no_such(self.path)
            invocation = self._api.take_next()
        except Refused as refused:
            return self.send_refused(refused)
        if invocation is None:
            self.close_connection = True
            return None
        return self.send(200, invocation.payload, invocation.headers())

    def do_POST(self) -> None:
        try:
            self._hear()
        except Refused as refused:
            return self.send_refused(refused)
        return self.send_json(202, {"status": "OK"})

    def _hear(self) -> None:
        """Pass on what the runtime says, once the whole of it has come."""
        try:
            state, request_id = _meaning(self.path)
            before = self._api.begin(state, request_id)
        except Refused:
            self.read_body(0)
            raise
        try:
            body = self.read_body(MAX_RESPONSE_BYTES)
        except BaseException:
            self._api.end(before)
            raise
        error_type = self.headers.get("Lambda-Runtime-Function-Error-Type", "")
        if state is State.INIT_ERROR:
            self._api.end(state, Message("init-error", body=body or b"", error_type=error_type))
        elif body is None:
            self._api.end(State.RESPONSE_SENT, Message("too-large", request_id))
        else:
            kind = "response" if state is State.RESPONSE else "error"
            self._api.end(State.RESPONSE_SENT, Message(kind, request_id, body, error_type))
        if body is None:
            sentence = f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            raise Refused(413, "RequestEntityTooLarge", sentence)


def _meaning(path: str) -> tuple[State, str]:
    """What a runtime says by a POST to this path, and of which request."""
    if path == f"{PREFIX}/init/error":
        return State.INIT_ERROR, ""
    request_id, _, what = path.removeprefix(f"{PREFIX}/invocation/").partition("/")
    states = {"response": State.RESPONSE, "error": State.ERROR_RESPONSE}
    if not path.startswith(f"{PREFIX}/invocation/") or what not in states:
        raise _no_such(path)
    return states[what], request_id


def _no_such(path: str) -> Refused:
    return Refused(404, "InvalidPath", f"no such path: {path}")
