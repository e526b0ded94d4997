"""The little of ASGI that the embedded AWS needs: its shapes, whole bodies, answers of JSON, serving at a port.

https://asgi.readthedocs.io/en/stable/specs/www.html
"""

import json
import socket
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BACKLOG = 2048  # connections that wait to be taken: 1,000 calls may come at once, and the system resets what is beyond
REST_S = 75  # how long a connection may rest before it is closed; descriptors are scarce on some machines

if TYPE_CHECKING:
    from hypercorn.typing import Framework


async def serve(app: App, listener: socket.socket, until: Callable[[], Awaitable[object]]) -> None:
    """Serve an application at a listening socket, which it takes over, until `until` returns."""
    import hypercorn.asyncio  # not above: who only starts the server takes shapes alone from here
    import hypercorn.config

    from . import resting_connections

    resting_connections.install()
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.backlog = BACKLOG
    config.graceful_timeout = 1
    config.keep_alive_timeout = REST_S
    await hypercorn.asyncio.serve(cast("Framework", app), config, shutdown_trigger=until)


def query_of(scope: Scope) -> dict[str, list[str]]:
    """The query of a request, by its names."""
    return parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read already, then goes on with the real one."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def with_request_id(send: Send, request_id: str) -> Send:
    """A `send` whose answer carries the request id that the function sees, as on AWS."""

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name.lower() != b"x-amzn-requestid"]
            message = {**message, "headers": [*headers, (b"x-amzn-requestid", request_id.encode())]}
        await send(message)

    return send_with_id


async def answer(send: Send, status: int, body: dict[str, Any], error_type: str = "") -> None:
    """Answer with JSON; an error of AWS's is named in a header, too."""
    data = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    if error_type:
        headers += [(b"x-amzn-errortype", error_type.encode()), (b"x-amzn-requestid", str(uuid.uuid4()).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def without_lifespan(app: App) -> App:
    """`app`, which needs no start and no end of its own: MiniStack, once it has been started, and the inbox."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await app(scope, receive, send)
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return

    return served


def at_host(app: App, host: bytes) -> App:
    """`app`, as seen by a request that names this host."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
        await app({**scope, "headers": [(b"host", host), *headers]}, receive, send)

    return named
