"""The WebSocket of the page Live: carries the messages between a Session of helpers/watch and the page.

Whatever a page has broken by a button is undone when it leaves, as its Session is closed then. A page that takes no
messages is let go, and comes back by itself.
"""

import asyncio
import contextlib
import json
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..local_page import server
from ..watch.session import Session
from .page import EXPECTED, Connection, notice_of

Message = dict[str, Any]

WAITING = 500  # messages that a slow page may be behind, which is 25 s of them
LOOK_S = 3  # between two looks at whether the AWS is still the same
AGAIN, TOO_SLOW = 1012, 1013  # RFC 6455's registry: the service restarts; try again later
LARGEST = 100_000  # characters of a message of the page


class LiveSockets:
    """The WebSockets of all pages that are open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open: set[asyncio.Task[Any]] = set()
        self._is_over = asyncio.Event()

    async def serve(self, socket: WebSocket) -> None:
        """Answer one page, until it leaves or the console ends."""
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            await self._serve(socket)
        finally:
            self._open.discard(task)

    async def end(self) -> None:
        """Let all pages go, and wait until what they have broken is undone."""
        self._is_over.set()
        if self._open:
            await asyncio.wait(self._open, timeout=server.END_S - 1)

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            workshop = await run_in_threadpool(self._connection.workshop)
        except EXPECTED as error:
            await socket.send_json(_gone(error))
            return await socket.close(AGAIN)
        outgoing = _Outgoing()
        functions = [name for name in socket.query_params.getlist("function") if name]
        session = Session(workshop, functions, outgoing.put)
        await run_in_threadpool(session.start)
        ends = (_send(socket, outgoing), _receive(socket, session), self._other(workshop), self._is_over.wait())
        tasks = [asyncio.ensure_future(each) for each in ends]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await run_in_threadpool(session.close)
            with contextlib.suppress(RuntimeError):  # the page has closed it
                await socket.close(TOO_SLOW if outgoing.is_full else AGAIN)

    async def _other(self, workshop: Any) -> None:
        """Return once another embedded AWS, or none, is in the place of the one that the page shows."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if await run_in_threadpool(self._connection.workshop) is not workshop:
                    return
            except EXPECTED:
                return


class _Outgoing:
    """The messages that a page has not taken yet; put() is called from any thread."""

    def __init__(self) -> None:
        self._loop, self._queue = asyncio.get_running_loop(), asyncio.Queue[Message](WAITING)
        self.is_full = False

    def put(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: Message) -> None:
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.is_full = True

    async def next(self) -> Message | None:
        """The next message; None once the page is too slow."""
        return None if self.is_full else await self._queue.get()


async def _send(socket: WebSocket, outgoing: _Outgoing) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (message := await outgoing.next()) is not None:
            await socket.send_json(message)


async def _receive(socket: WebSocket, session: Session) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            text = await socket.receive_text()
            if len(text) > LARGEST:
                return
            with contextlib.suppress(ValueError):  # no JSON
                message = json.loads(text)
                await run_in_threadpool(session.receive, message)


def _gone(error: Exception) -> Message:
    """The contract's status message, for a page that has nothing to show."""
    sentence = notice_of(error, []).sentence
    return {"type": "status", "connected": False, "sentence": sentence, "coarse": False, "now": time.time() * 1000}
