"""Threads for work that may wait for the server itself. They are kept: to start one for each call takes its time.

There are as many as there is work at the same time. A fixed number could all wait for each other.
"""

import _thread
import asyncio
import contextlib
import contextvars
import functools
import queue
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
KEPT = 256  # of those that have nothing to do; after a thousand calls at once the others end


class KeptThreads:
    """Runs what an event loop must not wait for. All of it is for the thread of the loop alone."""

    def __init__(self) -> None:
        self._idle: list[queue.SimpleQueue[Callable[[], None] | None]] = []  # the one used last stands last

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """What `work` returns or raises, run in the context of the caller.

        Who is cancelled meanwhile is so after its end: nobody may go on as if it had, while it still works.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        context = contextvars.copy_context()
        inbox = self._idle.pop() if self._idle else self._new()

        def worked() -> None:
            try:
                tell = functools.partial(future.set_result, context.run(work, *arguments))
            except BaseException as error:
                tell = functools.partial(future.set_exception, error)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                loop.call_soon_threadsafe(self._tell, tell, inbox)

        inbox.put(worked)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            future.exception()  # or asyncio would say that nobody has asked for it
            raise

    def _tell(self, tell: Callable[[], None], inbox: queue.SimpleQueue[Callable[[], None] | None]) -> None:
        if len(self._idle) < KEPT:
            self._idle.append(inbox)
        else:
            inbox.put(None)
        tell()

    def _new(self) -> queue.SimpleQueue[Callable[[], None] | None]:
        inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        _thread.start_new_thread(_work, (inbox,))  # threading's would let the event loop wait until it runs
        return inbox


def _work(inbox: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while work := inbox.get():
        work()
