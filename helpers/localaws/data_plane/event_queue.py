"""A queue of events, each with the time when it is due, and the few workers who take them then.

An event that waits costs its own memory and no thread, however many there are.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

# To take an event and find that its function is busy takes no time, and to send an outcome may take some.
WORKERS = 2

T = TypeVar("T")


class EventQueue(Generic[T]):
    """Calls `serve` with each event once it is due, the one due first first. `serve` is short, and does not raise."""

    def __init__(self, serve: Callable[[T], None], workers: int = WORKERS) -> None:
        self._serve = serve
        self._waiting: list[tuple[float, int, T]] = []  # a heap: when it is due (monotonic), its number, the event
        self._numbers = itertools.count()  # of two that are due at the same time, the first one in is the first out
        self._changed = threading.Condition()
        for _ in range(workers):
            threading.Thread(target=self._work, daemon=True, name="event-queue").start()

    def put(self, event: T, after_s: float = 0.0) -> None:
        """Let the event be served so many seconds from now."""
        due = time.monotonic() + after_s
        with self._changed:
            heapq.heappush(self._waiting, (due, next(self._numbers), event))
            self._changed.notify()

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._waiting)

    def _work(self) -> None:
        while True:
            self._serve(self._take())

    def _take(self) -> T:
        with self._changed:
            while (seconds := self._until_due()) is None or seconds > 0:
                self._changed.wait(seconds)
            return heapq.heappop(self._waiting)[2]

    def _until_due(self) -> float | None:
        """Seconds until the first event is due; None while there is none."""
        return self._waiting[0][0] - time.monotonic() if self._waiting else None
