"""Refuses what a web page somewhere makes the reader's browser send: it would run code as the reader.

AWS needs no such thing, as each of its requests is signed. A browser names the page that asks in `Origin`, and says in
`Sec-Fetch-Site` how near it is (https://www.w3.org/TR/fetch-metadata/); a name that somebody has pointed at this
machine is in `Host`. From a browser, looking at an object passes, as for a link to a presigned URL, and so does what
a page asks of a bucket that invites it.
"""

import re
from collections.abc import Callable

from .asgi import App, Message, Receive, Scope, Send, answer, query_of

HERE = re.compile(
    r"(?:(?:[\w-]+\.)*localhost|127\.0\.0\.1|\[::1\])(?::\d+)?"
)  # any port: it may be reached by a tunnel
LOOKS = ("GET", "HEAD")


def from_here(app: App, invites: Callable[[Scope], bool]) -> App:
    """`app`, for programs of this machine, and for the pages that a bucket `invites`."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        if scope["type"] == "http" and _is_here(scope) and _header(scope, b"origin") and invites(scope):
            return await app(scope, receive, send)
        why = _refusal(scope)
        if why and scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})  # policy violation, RFC 6455
        if why:
            return await answer(send, 403, {"message": why}, "AccessDeniedException")
        await app(scope, receive, _without_cors(send))

    return guarded


def _header(scope: Scope, wanted: bytes) -> str | None:
    found = [value for name, value in scope["headers"] if name.lower() == wanted]
    return found[-1].decode("latin-1") if found else None


def _is_here(scope: Scope) -> bool:
    return bool(HERE.fullmatch(_header(scope, b"host") or "127.0.0.1"))


def _refusal(scope: Scope) -> str | None:
    if not _is_here(scope):
        return f"The embedded AWS is at 127.0.0.1 alone, and not at {_header(scope, b'host')}."
    origin, site = _header(scope, b"origin"), _header(scope, b"sec-fetch-site") or "none"
    if origin is not None:
        return f"The embedded AWS answers programs on this machine, and not the page at {origin}."
    if site != "none" and not _only_looks(scope):
        return f"The embedded AWS answers programs on this machine, and not a {site} page."
    return None


def _only_looks(scope: Scope) -> bool:
    """Whether a request changes nothing: SQS, SNS, IAM and EC2 take their actions by GET, too."""
    query = query_of(scope)
    return scope.get("method") in LOOKS and "Action" not in query


def _without_cors(send: Send) -> Send:
    """A `send` that lets no page read the answer, as MiniStack would let all."""

    async def send_without(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if not _is_cors(name)]
            message = {**message, "headers": kept}
        await send(message)

    return send_without


def _is_cors(name: bytes) -> bool:
    return name.lower().startswith(b"access-control-")
