"""Addresses that the embedded AWS hands out (function URLs, HTTP APIs) and that work as they are: a port for each.

On AWS a name leads to each of them; a name below 127.0.0.1 leads nowhere, so that here it is the port.
"""

import asyncio
import re
import socket
from dataclasses import dataclass, field

from . import tls
from .asgi import App, Message, Receive, Scope, Send, at_host, serve, without_lifespan
from .certificate import Certificate
from .saved_state.stores import Store
from .services.iam import ways
from .services.iam.authentication import as_sent

PATH = re.compile(r"/2021-10-31/functions/[^/]+/urls?$|/v2/apis(?:/([^/]+))?$")  # of function URLs, HTTP APIs
ADDRESS = re.compile(
    rb"https?://(\w+)\.(lambda-url\.[a-z0-9-]+\.on\.aws|execute-api\.127\.0\.0\.1)(?::\d+)?"
    rb"|https://([0-9a-f]{8})\.(execute-api)\.[a-z0-9-]+\.amazonaws\.com"  # as a template puts it together
)
API_DOMAIN = b"execute-api.127.0.0.1"  # MiniStack's


def told_by(scope: Scope) -> bool:
    """Whether the answer to a request tells addresses: of function URLs and HTTP APIs, or outputs of CloudFormation."""
    signed = dict(scope["headers"]).get(b"authorization", b"")
    return bool(PATH.match(scope["path"])) or b"/cloudformation/aws4_request" in signed


@dataclass
class _Address:
    """http://127.0.0.1:port, for the name of a host, and whether what was there is deleted."""

    port: int
    host: bytes
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> bytes:
        return f"http://127.0.0.1:{self.port}".encode()


class Addresses:
    """Serves what `app` (MiniStack) has at names of its own at ports of 127.0.0.1, until `ended` is set."""

    def __init__(self, app: App, ended: asyncio.Event) -> None:
        self._app, self._ended = app, ended
        self._handed_out: dict[bytes, _Address] = {}  # by the id of the function URL or the HTTP API
        self._listeners: list[asyncio.Task[None]] = []
        self.moved: list[tuple[int, int]] = []  # ports that were taken when they were to be served again, and others

    def store(self) -> Store:
        """The port of each, and for which host, so that an address goes on being one."""

        def entries() -> list[tuple[bytes, tuple[int, bytes]]]:
            return [(identifier, (each.port, each.host)) for identifier, each in self._handed_out.items()]

        return Store("addresses", "addresses", entries, self._restore)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request whose answer tells addresses, and let it tell those on this machine."""
        start, body = await self._answer_of_app(scope, receive)
        body = ADDRESS.sub(lambda match: self._address(*filter(None, match.groups())), body)
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": body})
        found = PATH.match(scope["path"])
        if scope["method"] == "DELETE" and start["status"] < 300 and found and found[1]:
            self._release(found[1].encode())

    def serve(self, app: App, listener: socket.socket, gone: asyncio.Event | None = None) -> None:
        """Serve an application at a port of its own, until the embedded AWS ends or `gone` is set."""
        events = [self._ended, gone] if gone else [self._ended]
        served = serve(without_lifespan(app), listener, lambda: _first(events))
        self._listeners.append(asyncio.create_task(served))

    def serve_by_https(self, listener: socket.socket, port: int, certificate: Certificate) -> None:
        """Serve what is at a port by https, too, once the certificate is made. Where there is none, nobody listens."""
        self._listeners.append(asyncio.create_task(self._serve_by_https(listener, port, certificate)))

    async def close(self) -> None:
        """Wait until all have ended, which they do by themselves."""
        await asyncio.gather(*self._listeners, return_exceptions=True)

    async def _serve_by_https(self, listener: socket.socket, port: int, certificate: Certificate) -> None:
        with listener:
            if await asyncio.wrap_future(certificate.made):
                await tls.serve(listener, port, certificate, self._ended.wait)

    async def _answer_of_app(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        start: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self._app(scope, receive, collect)
        return start, body

    def _address(self, identifier: bytes, domain: bytes) -> bytes:
        if identifier not in self._handed_out:
            host = identifier + b"." + (API_DOMAIN if domain.startswith(b"execute-api") else domain)
            self._hand_out(identifier, host, socket.create_server(("127.0.0.1", 0)))
        return self._handed_out[identifier].url

    def _hand_out(self, identifier: bytes, host: bytes, listener: socket.socket) -> None:
        address = self._handed_out[identifier] = _Address(listener.getsockname()[1], host)
        there = ways.limited(at_host(self._app, host), ways.Way.ADDRESS)
        self.serve(as_sent(there), listener, address.gone)

    def _restore(self, identifier: bytes, saved: tuple[int, bytes]) -> None:
        """Serve at the same port as before; where it is taken at another, and it is noted which."""
        port, host = saved
        try:
            listener = socket.create_server(("127.0.0.1", port))
        except OSError:
            listener = socket.create_server(("127.0.0.1", 0))
            self.moved.append((port, listener.getsockname()[1]))
        self._hand_out(identifier, host, listener)

    def _release(self, identifier: bytes) -> None:
        """Free the port of what was deleted."""
        if address := self._handed_out.pop(identifier, None):
            address.gone.set()


async def _first(events: list[asyncio.Event]) -> None:
    """Wait until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
