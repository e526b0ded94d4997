"""What stands between a client and MiniStack: request ids, quotas, and addresses that work as they are.

An ASGI application around MiniStack's. It also answers `/_localaws`, by which the command line knows the server, and
`/_localaws/inbox`, which tells the address of the inbox and lets its next posts fail.
"""

import asyncio
import base64
import binascii
import json
import os
import re
import socket
import uuid

from hypercorn.asyncio import serve
from hypercorn.config import Config

from .control_plane import quotas, recursion, seam
from .inbox import Inbox

WHO = "/_localaws"
INBOX = "/_localaws/inbox"
INVOKE_PATH = re.compile(r"/2015-03-31/functions/[^/]+/invocations$")
FUNCTION_PATH = re.compile(r"/2015-03-31/functions/?(?:[^/]+/(code|configuration))?$")
CONFIGURING = {
    ("POST", None): "CreateFunction", ("PUT", "code"): "UpdateFunctionCode",
    ("PUT", "configuration"): "UpdateFunctionConfiguration",
}
ADDRESS_PATH = re.compile(r"/2021-10-31/functions/[^/]+/urls?$|/v2/apis(?:/([^/]+))?$")  # of function URLs, HTTP APIs
ADDRESS = re.compile(rb"https?://(\w+)\.(lambda-url\.[a-z0-9-]+\.on\.aws|execute-api\.127\.0\.0\.1)(?::\d+)?")
# Synchronous 6 MB, asynchronous 1 MB (256 KB until October 2025): the developer guide's "Lambda quotas".
PAYLOAD_LIMITS = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024}


class Gateway:
    """Passes requests on to `app`, MiniStack's, and serves function URLs, HTTP APIs and the inbox on other ports."""

    def __init__(self, app, ended: asyncio.Event, inbox: Inbox) -> None:
        self._app = app
        self._ended = ended
        self._inbox = inbox
        self._addresses: dict[bytes, bytes] = {}  # id of a function URL or an HTTP API -> http://127.0.0.1:port
        self._gone: dict[bytes, asyncio.Event] = {}  # by the same id: what was there is deleted
        self._listeners: list[asyncio.Task] = []
        self._serve(inbox, inbox.listener)

    async def __call__(self, scope, receive, send) -> None:
        recursion.chain.set(recursion.from_header(scope.get("headers", [])))
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == WHO:
            await _answer(send, 200, {"pid": os.getpid()})
        elif scope["path"] == INBOX:
            await self._control_inbox(scope, receive, send)
        elif scope["method"] == "POST" and INVOKE_PATH.search(scope["path"]):
            await self._invoke(scope, receive, send)
        elif found := ADDRESS_PATH.search(scope["path"]):
            await self._with_addresses(scope, receive, send)
            if scope["method"] == "DELETE" and found[1]:
                self._release(found[1].encode())
        elif operation := _configuring(scope["method"], scope["path"]):
            await self._configure(operation, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def close(self) -> None:
        await asyncio.gather(*self._listeners, return_exceptions=True)

    async def _invoke(self, scope, receive, send) -> None:
        body = await _body(receive)
        headers = {name.lower(): value for name, value in scope["headers"]}
        kind = headers.get(b"x-amz-invocation-type", b"RequestResponse").decode()
        limit = PAYLOAD_LIMITS.get(kind)
        if limit is not None and len(body) > limit:
            message = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
            return await _answer(send, 413, {"Type": "User", "message": message}, "RequestTooLargeException")
        if problem := _json_problem(body):
            message = f"Could not parse request body into json: {problem}"
            return await _answer(send, 400, {"Type": "User", "message": message}, "InvalidRequestContentException")
        request_id = str(uuid.uuid4())
        seam.request.set(seam.Request(request_id, _client_context(headers), body or b"{}", kind == "RequestResponse"))
        await self._app(scope, _replay(body, receive), _with_request_id(send, request_id))

    async def _configure(self, operation: str, scope, receive, send) -> None:
        """Pass on a request that creates or changes a function, unless it goes beyond what AWS allows."""
        body = await _body(receive)
        refused = quotas.oversize(operation, len(body))
        if refused is None and operation != "UpdateFunctionCode" and isinstance(request := _parsed(body), dict):
            refused = quotas.refusal(request)
        if refused is None:
            return await self._app(scope, _replay(body, receive), send)
        code, message = refused
        status = 413 if code == "RequestEntityTooLargeException" else 400
        await _answer(send, status, {"Type": "User", "message": message}, code)

    async def _with_addresses(self, scope, receive, send) -> None:
        """Pass on a request about function URLs or HTTP APIs, and hand out addresses on this machine."""
        start, body = None, b""

        async def collect(message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self._app(scope, receive, collect)
        body = ADDRESS.sub(lambda match: self._address(*match.groups()), body)
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _address(self, identifier: bytes, domain: bytes) -> bytes:
        if identifier not in self._addresses:
            listener = socket.create_server(("127.0.0.1", 0))
            self._addresses[identifier] = f"http://127.0.0.1:{listener.getsockname()[1]}".encode()
            self._gone[identifier] = asyncio.Event()
            self._serve(_AtHost(self._app, identifier + b"." + domain), listener, self._gone[identifier])
        return self._addresses[identifier]

    def _release(self, identifier: bytes) -> None:
        """Free the port of what was deleted."""
        if self._addresses.pop(identifier, None):
            self._gone.pop(identifier).set()

    def _serve(self, app, listener: socket.socket, gone: asyncio.Event | None = None) -> None:
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.graceful_timeout = 1
        events = [self._ended, gone] if gone else [self._ended]
        served = serve(_WithoutLifespan(app), config, shutdown_trigger=lambda: _first(events))
        self._listeners.append(asyncio.create_task(served))

    async def _control_inbox(self, scope, receive, send) -> None:
        if scope["method"] == "POST":
            try:
                self._inbox.control(await _body(receive))
            except ValueError as error:
                return await _answer(send, 400, {"message": str(error)})
        await _answer(send, 200, self._inbox.state())


class _WithoutLifespan:
    """An application that needs no start and no end of its own: MiniStack, once it has been started, and the inbox."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "lifespan":
            return await self._app(scope, receive, send)
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return


class _AtHost:
    """MiniStack, as seen by a request that names this host."""

    def __init__(self, app, host: bytes) -> None:
        self._app, self._host = app, host

    async def __call__(self, scope, receive, send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
        await self._app({**scope, "headers": [(b"host", self._host), *headers]}, receive, send)


async def _first(events: list[asyncio.Event]) -> None:
    """Wait until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def _body(receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes, receive):
    """A `receive` that gives a body that was read already, then goes on with the real one."""
    given = False

    async def replayed():
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _with_request_id(send, request_id: str):
    """A `send` whose answer carries the request id that the function sees, as on AWS."""

    async def send_with_id(message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name.lower() != b"x-amzn-requestid"]
            message = {**message, "headers": [*headers, (b"x-amzn-requestid", request_id.encode())]}
        await send(message)

    return send_with_id


async def _answer(send, status: int, body: dict, error_type: str = "") -> None:
    data = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    if error_type:
        headers += [(b"x-amzn-errortype", error_type.encode()), (b"x-amzn-requestid", str(uuid.uuid4()).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def _configuring(method: str, path: str) -> str | None:
    """The operation that creates a function or changes it, if it is one."""
    found = FUNCTION_PATH.search(path)
    return CONFIGURING.get((method, found[1])) if found else None


def _parsed(body: bytes):
    """A body of JSON as a value; None where it is none, which MiniStack will say."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _json_problem(body: bytes) -> str:
    """What is wrong with an event, or nothing; no body at all stands for {}."""
    try:
        json.loads(body or b"{}", parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return str(error)
    return ""


def _refuse(constant: str) -> None:
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(f"{constant} is not JSON")


def _client_context(headers: dict[bytes, bytes]) -> str:
    try:
        return base64.b64decode(headers.get(b"x-amz-client-context", b""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
