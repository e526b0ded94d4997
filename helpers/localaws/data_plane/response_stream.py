"""A streamed response on its way from the thread of its invocation to the event loop, where somebody reads it.

It holds a bounded amount: a function that writes faster than its caller reads has to wait, as on AWS.
"""

import asyncio
import collections
import contextlib
import threading
from collections.abc import Callable

ROOM_BYTES = 2**20


class QueuedStream:
    """A runtime_api.ResponseStream whose other end is `read`. Make it in the event loop that reads."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pieces: collections.deque[bytes] = collections.deque()
        self._size = 0
        self._tell: Callable[[], None] | None = None  # who waits for room
        self._abandoned = False
        self._ended = False
        self._changed = asyncio.Event()
        self.content_type: str | None = None  # once the runtime has begun to respond
        self.version = ""  # of the function that runs

    # For the thread of the invocation

    def begin(self, content_type: str) -> None:
        self.content_type = content_type

    def write(self, piece: bytes) -> bool:
        with self._lock:
            if self._abandoned:
                return True
            self._pieces.append(piece)
            self._size += len(piece)
            has_room = self._size < ROOM_BYTES
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server ends
            self._loop.call_soon_threadsafe(self._changed.set)
        return has_room

    def when_room(self, tell: Callable[[], None]) -> None:
        with self._lock:
            if self._size >= ROOM_BYTES:
                self._tell = tell
                return
        tell()

    # For the event loop

    async def read(self) -> bytes:
        """What has come since the last time; nothing where all has."""
        while not self._pieces and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        return self._take()

    def end(self, *_: object) -> None:
        """The invocation is over, so nothing comes any more."""
        self._ended = True
        self._changed.set()

    def abandon(self) -> None:
        """Nobody reads any more: what the function still writes is thrown away."""
        with self._lock:
            self._abandoned = True
        self._take()

    def _take(self) -> bytes:
        with self._lock:
            taken = b"".join(self._pieces)
            self._pieces.clear()
            self._size, tell, self._tell = 0, self._tell, None
        if tell:
            tell()
        return taken
