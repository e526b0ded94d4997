"""What happens, as Server-Sent Events to who has a page token: GET /_localaws/activity; and POST /_localaws/faults/….

https://html.spec.whatwg.org/multipage/server-sent-events.html. A reader gets all environments first, and then each
event; one that comes back with Last-Event-ID gets what it has missed instead, as long as that is kept.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from .activity import Activity, Dropped, Event, Reader
from .asgi import Message, Receive, Scope, Send, answer, body_of, query_of
from .data_plane.census import Census
from .page_token import TokenRefused, expiry

PATH, FAULTS = "/_localaws/activity", "/_localaws/faults/"
PAUSE_S = 0.1  # between what is sent to a reader: each time costs as much as to tell of four invocations
KEEP_ALIVE_S = 15.0
SLOW_S = 30.0  # in which a reader has to take something
MOST_AT_ONCE = 500  # events
MOST_BODY = 4096  # bytes, of a fault
KEEP_ALIVE = b": keep-alive\n\n"
Fault = Callable[[dict[str, Any]], str]  # brings it about and says so in a sentence; raises FaultRefused


class FaultRefused(Exception):
    """A fault cannot be brought about; the message is one sentence."""


class ActivityStream:
    """The application at these paths; `faults` by name."""

    def __init__(self, activity: Activity, census: Census, secret_access_key: str, faults: dict[str, Fault]) -> None:
        self._activity, self._census, self._faults = activity, census, faults
        self._secret_access_key = secret_access_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, headers = scope["path"], {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = query_of(scope)
        fault = self._faults.get(path.removeprefix(FAULTS)) if path.startswith(FAULTS) else None
        if path != PATH and fault is None:
            return await _refuse(send, 404, f"The embedded AWS has nothing at {path}.")
        if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
            return await _refuse(send, 403, "The embedded AWS tells programs on this machine, and no other page.")
        try:
            expires = expiry(_token(headers, query), self._secret_access_key)
        except TokenRefused as refused:
            return await _refuse(send, 401, str(refused))
        if scope["method"] != ("POST" if fault else "GET"):
            return await _refuse(send, 405, f"{scope['method']} is not for {path}.")
        if fault:
            await _bring_about(fault, receive, send)
        else:
            functions = tuple(name for text in query.get("functions", []) for name in text.split(",") if name)
            await self._stream(functions, _last_event(headers), expires, receive, send)

    async def _stream(
        self, functions: tuple[str, ...], last: int | None, expires: float, receive: Receive, send: Send
    ) -> None:
        try:
            first, reader = self._begin(functions, last)
        except Dropped as refused:
            return await _refuse(send, 503, str(refused))
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: reader.stirred.set())
        try:
            headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._follow(first, reader, functions, expires, gone, send)
        except TimeoutError:  # it takes nothing, not even a notice: its connection is broken off
            pass
        finally:
            gone.cancel()
            self._activity.end(reader)

    def _begin(self, functions: tuple[str, ...], last: int | None) -> tuple[bytes, Reader]:
        """A reader, and what it gets first: nothing where it goes on after an event, or else all environments."""
        if last is not None and (resumed := self._activity.begin(last)):
            return b"", resumed
        environments, reader = self._census.look(self._activity.begin)
        assert reader
        chosen = [each for each in environments if _concerns(each["function"], functions)]
        told = json.dumps({"at": round(time.time() * 1000, 3), "environments": chosen})
        return _event("environments", told, reader.number), reader

    async def _follow(
        self,
        first: bytes,
        reader: Reader,
        functions: tuple[str, ...],
        expires: float,
        gone: "asyncio.Future[None]",
        send: Send,
    ) -> None:
        """Send what happens, until the reader has gone, is too slow, or the embedded AWS stops."""
        await _give(send, first or KEEP_ALIVE)
        while not gone.done():
            try:
                events = self._activity.read(reader, MOST_AT_ONCE)
                if time.time() >= expires:
                    raise Dropped("The page token has expired; make a new one.")
            except Dropped as dropped:
                notice = _event("dropped", json.dumps({"sentence": str(dropped)}))
                await _give(send, notice, more=False)
                return
            if events:
                await _give(send, _sent(events, functions))
                if len(events) == MOST_AT_ONCE:  # there are more already
                    continue
            try:
                async with asyncio.timeout(min(KEEP_ALIVE_S, max(0.0, expires - time.time()))):
                    await reader.stirred.wait()
                    await asyncio.sleep(PAUSE_S)
            except TimeoutError:
                await _give(send, KEEP_ALIVE)


async def _give(send: Send, data: bytes, more: bool = True) -> None:
    """Send it; TimeoutError where the reader does not take it."""
    if data:
        message: Message = {"type": "http.response.body", "body": data, "more_body": more}
        async with asyncio.timeout(SLOW_S):
            await send(message)


async def _gone(receive: Receive) -> None:
    """Wait until the reader has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _bring_about(fault: Fault, receive: Receive, send: Send) -> None:
    body = await body_of(receive)
    try:
        asked = json.loads(body) if len(body) <= MOST_BODY else None
        if not isinstance(asked, dict):
            raise FaultRefused("A fault is asked for by an object in JSON.")
        sentence = await asyncio.to_thread(fault, asked)
    except (ValueError, RecursionError):
        return await _refuse(send, 400, "A fault is asked for by an object in JSON.")
    except FaultRefused as refused:
        return await _refuse(send, 400, str(refused))
    await answer(send, 200, {"done": True, "sentence": sentence})


async def _refuse(send: Send, status: int, message: str) -> None:
    await answer(send, status, {"message": message})


def _token(headers: dict[bytes, str], query: dict[str, list[str]]) -> str:
    scheme, _, token = headers.get(b"authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else (query.get("token") or [""])[0]


def _last_event(headers: dict[bytes, str]) -> int | None:
    text = headers.get(b"last-event-id", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def _concerns(function: str, functions: tuple[str, ...]) -> bool:
    """Whether a reader who asked for functions whose names begin so wants to hear of this one, or of none at all."""
    return not functions or not function or function.startswith(functions)


def _sent(events: list[Event], functions: tuple[str, ...]) -> bytes:
    return b"".join(event.sent for event in events if _concerns(event.function, functions))


def _event(kind: str, data: str, number: int | None = None) -> bytes:
    identifier = "" if number is None else f"id: {number}\n"
    return f"{identifier}event: {kind}\ndata: {data}\n\n".encode()
