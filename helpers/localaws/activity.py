"""What happens in the embedded AWS, as it happens: everybody may tell, and readers follow, each at its own pace.

There is one list of events, the latest ones, and a reader is a place in it. So the memory is the same for any number of
readers, one that is too slow is one whose place is gone, and one that comes back goes on where it was.
"""

import asyncio
import contextlib
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

MOST_EVENTS = 20_000  # that are kept: a burst of 1,000 cold invocations is about half as many
MOST_READERS = 64
RETURN_S = 60.0  # how long is kept on after the last reader has gone, as it may come back
_encoded = json.JSONEncoder(default=str).encode  # json.dumps would make an encoder for each event


class Dropped(Exception):
    """A reader is too slow, or is not to read any more; the message is one sentence."""


class Event:
    """One event. It is encoded when it is first sent, together with others: that costs less than one at a time."""

    __slots__ = ("_at", "_kind", "_members", "_sent", "number")

    def __init__(self, number: int, kind: str, members: dict[str, Any]) -> None:
        self.number, self._at, self._kind, self._members = number, time.time(), kind, members
        self._sent = b""

    @property
    def function(self) -> str:
        """The name of the function that it is about; empty where it is about none."""
        name: str = self._members.get("function", "")
        return name

    @property
    def sent(self) -> bytes:
        """How it is sent."""
        if not self._sent:
            told = _encoded({"at": round(self._at * 1000, 3), "kind": self._kind, **self._members})
            self._sent = f"id: {self.number}\nevent: activity\ndata: {told}\n\n".encode()
        return self._sent


@dataclass(eq=False)
class Reader:
    """A place in the list: the number of the last event that was read."""

    number: int
    stirred: asyncio.Event  # is set when there is something to read


class Activity:
    """The list of the latest events. While nobody reads, none is kept, and to tell one costs next to nothing."""

    def __init__(self, most_events: int = MOST_EVENTS) -> None:
        self._most_events = most_events
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # that of the readers
        self._readers: set[Reader] = set()
        self._asleep = False  # a reader waits for the next event
        self.watched, self._until = threading.Event(), 0.0  # whether anybody reads, or may come back to do so
        self._events: dict[int, Event] = {}  # by their numbers, without a gap
        # The numbers of another life of the embedded AWS are lower: it has told less than an event each microsecond.
        self._number = time.time_ns() // 1000
        self._first = self._number + 1  # of those that are kept
        self.closed = False

    def tell(self, kind: str, **members: Any) -> None:
        """From any thread: this has happened just now. Nothing of `members` is changed afterwards."""
        if not self.watched.is_set():
            return
        with self._lock:
            if not self._readers and time.monotonic() > self._until:
                self._forget()
                return
            self._number += 1
            self._events[self._number] = Event(self._number, kind, members)
            if len(self._events) > self._most_events:
                del self._events[self._first]
                self._first += 1
            asleep, self._asleep = self._asleep, False
        if asleep:
            self._stir()

    def begin(self, last: int | None = None) -> Reader | None:
        """A new reader, from now on; or one that had event `last`, from there on, and None where that is not kept."""
        with self._lock:
            if last is not None and not (self.watched.is_set() and self._first - 1 <= last <= self._number):
                return None
            if len(self._readers) >= MOST_READERS:
                raise Dropped(f"There are {MOST_READERS} readers already; end one of them.")
            if not self.watched.is_set():
                self._number += 1  # what has happened before was not kept
                self._first = self._number + 1
            self._loop = asyncio.get_running_loop()
            self.watched.set()
            reader = Reader(self._number if last is None else last, asyncio.Event())
            self._readers.add(reader)
            return reader

    def read(self, reader: Reader, most: int) -> list[Event]:
        """The next events for a reader; where there are none, it is stirred at the next one. Raises Dropped."""
        with self._lock:
            if reader.number < self._first - 1:
                raise Dropped(f"You read too slowly: only the latest {len(self._events):,} events are kept.")
            end = min(reader.number + most, self._number)
            events = [self._events[number] for number in range(reader.number + 1, end + 1)]
            reader.number = end
            if not events:
                if self.closed:
                    raise Dropped("The embedded AWS stops.")
                reader.stirred.clear()
                self._asleep = True
            return events

    def end(self, reader: Reader) -> None:
        """A reader has gone."""
        with self._lock:
            self._readers.discard(reader)
            self._until = time.monotonic() + RETURN_S

    def close(self) -> None:
        """Readers get what was told until now, and end."""
        self.closed = True
        self._stir()

    async def ended(self, limit_s: float) -> None:
        """Wait until no reader is left, but not for longer than this."""
        deadline = time.monotonic() + limit_s
        while self._readers and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def _forget(self) -> None:
        self.watched.clear()
        self._events.clear()

    def _stir(self) -> None:
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._stir_all)

    def _stir_all(self) -> None:
        for reader in self._readers:
            reader.stirred.set()
