"""Log events on disk: lists of them, each in the order of time, that lie in one file, so that a log costs no memory.

An event has a number, which grows with each that is written. Its timestamp and its number are its place among all
events, and make its eventId.
"""

import collections
import functools
import heapq
import itertools
import marshal
import queue
import sqlite3
import threading
import weakref
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ...saved_state.database import connected
from ..shapes import Record

OVERHEAD_BYTES = 26  # of each event, as CloudWatch counts: API_PutLogEvents
BLOCK_BYTES = 32 * 1024  # what a list keeps in memory: a short log costs no writing
BLOCK_EVENTS = 500  # at most, that are written and read together
DELETED_BLOCKS = 20  # at once, while nobody else can write

FORMAT = 1

Event = tuple[int, int, int, str]  # timestamp, number, ingestionTime, message
Place = tuple[int, int]  # timestamp and number: just before the event that has them
BEGINNING: Place = (0, 0)
END: Place = (2**63, 0)
Saved = tuple[int, int, list[int], list[Place], list[Event]]  # a list of events: Events.saved

# A block is what was written at once: `data` are the events, and `number` is how many of the list are before them.
_TABLE = """
create table if not exists blocks (list integer, number integer, size integer, data blob, primary key (list, number))
"""


def size_of(message: str) -> int:
    """The bytes of an event, as CloudWatch counts them."""
    return OVERHEAD_BYTES + (len(message) if message.isascii() else len(message.encode("utf-8", "surrogatepass")))


def event_id(timestamp: int, number: int) -> str:
    """56 digits, as on AWS, in the order of the events."""
    return f"{timestamp:018}{number:038}"


class EventFile:
    """A file for all log events of a server and of the next one. The lists themselves are saved elsewhere.

    What a list held is deleted from it, little by little, once nobody uses that list any more, and it is not among
    those that are saved, either: `mark`.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.number = itertools.count(1).__next__  # a new event's
        self._lock = threading.Lock()  # of all this
        self._gone: queue.SimpleQueue[int | None] = queue.SimpleQueue()  # a finalizer may put into it at any time
        self._forgotten: collections.deque[int] = collections.deque()  # lists whose events are still there
        self._db = connected(path)
        self._db.execute(f"pragma user_version = {FORMAT}")  # which is written anew, so a full disk is known by now
        self._db.execute(_TABLE)
        self.size, self._lists = self._db.execute(
            "select coalesce(sum(size), 0), coalesce(max(list), 0) from blocks"
        ).fetchone()
        self.block = functools.lru_cache(maxsize=4)(self._read_block)  # who reads a page, goes on in its last block
        threading.Thread(target=self._delete, daemon=True, name="log-events").start()

    def events(self) -> "Events":
        """A new list."""
        with self._lock:
            self._lists += 1
            return Events(self, self._lists)

    def close(self) -> None:
        self._gone.put(None)
        with self._lock:
            self._db.close()

    def restored(self, saved: "Saved") -> "Events":
        """The list that was saved like this. What has come into the file since then is in it, too."""
        list_, dropped, numbers, places, last = saved
        with self._lock:
            self._lists = max(self._lists, list_)
            blocks = self._db.execute(
                "select number, size, data from blocks where list = ? and number >= ? order by number",
                (list_, numbers[-1] if numbers else 0),
            ).fetchall()
            (size,) = self._db.execute("select coalesce(sum(size), 0) from blocks where list = ?", (list_,)).fetchone()
        events = Events(self, list_)
        return events._filled(dropped, (numbers, places), blocks, last, size)

    def resume(self, numbers: Iterable[int], lists: set[int]) -> None:
        """Go on after these numbers of events; of the lists in the file, these are the ones that there are."""
        self.number = itertools.count(max(numbers, default=0) + 1).__next__
        with self._lock:
            found = [list_ for (list_,) in self._db.execute("select distinct list from blocks")]
        for list_ in set(found) - lists:
            self._gone.put(list_)

    def mark(self) -> Callable[[], None]:
        """Before lists are saved: what is then called deletes what those held that nobody used any more by now."""
        gone = [self._forgotten.popleft() for _ in range(len(self._forgotten))]

        def delete() -> None:
            for list_ in gone:
                self._gone.put(list_)

        return delete

    # For Events

    def write(self, statement: str, values: Sequence[Any], size: int) -> None:
        """Add to the file what has this size, all or nothing."""
        with self._lock:
            self._db.execute(statement, values)
            self.size += size

    def read(self, statement: str, *values: object) -> Any:
        """The first row."""
        with self._lock:
            return self._db.execute(statement, values).fetchone()

    def forget(self, list_: int) -> None:
        self._forgotten.append(list_)

    def _read_block(self, list_: int, number: int) -> list[Event]:
        """The events of the block that begins there."""
        (data,) = self.read("select data from blocks where list = ? and number = ?", list_, number)
        events: list[Event] = marshal.loads(data)
        return events

    def _delete(self) -> None:
        while (list_ := self._gone.get()) is not None:
            while self._delete_some(list_):
                pass

    def _delete_some(self, list_: int) -> int:
        where = f"where rowid in (select rowid from blocks where list = ? limit {DELETED_BLOCKS})"
        try:
            with self._lock:
                (size,) = self._db.execute(f"select coalesce(sum(size), 0) from blocks {where}", (list_,)).fetchone()
                self._db.execute(f"delete from blocks {where}", (list_,))
                self.size -= size
                return int(size)
        except sqlite3.Error:  # it is closed
            return 0


class Events:
    """A list of log events; the last few are in memory, and all others in the file.

    `size`: in bytes, as CloudWatch counts. To iterate gives events as MiniStack has them.
    """

    def __init__(self, file: EventFile, list_: int) -> None:
        self._file, self._list = file, list_
        self.size = 0
        self._dropped = 0  # how many events were before those that it was made of
        self._state: tuple[int, list[Event]] = 0, []  # how many blocks are in the file, and the events that are not
        self._in_memory = 0  # the size of those
        self._numbers: list[int] = []  # of the blocks
        self._places: list[Place] = []  # where they begin
        self._written = 0  # events in the blocks
        self.last_number = 0  # of its last event, if it was restored
        weakref.finalize(self, file.forget, list_).atexit = False

    def saved(self) -> Saved:
        """As plain values: which list it is, where its blocks begin, and the events that are not in the file."""
        blocks, last = self._state
        return self._list, self._dropped, self._numbers[:blocks], self._places[:blocks], last[:]

    @property
    def name(self) -> int:
        """Of the list, in the file."""
        return self._list

    def _filled(
        self,
        dropped: int,
        known: tuple[list[int], list[Place]],
        blocks: list[tuple[int, int, bytes]],
        last: list[Event],
        size: int,
    ) -> "Events":
        """This list, with what was saved of it, and with the last blocks that are in the file."""
        self._dropped = dropped
        self._numbers, self._places = [*known[0]], [*known[1]]
        latest: Place = BEGINNING
        for number, _, data in blocks:
            events: list[Event] = marshal.loads(data)
            if number not in self._numbers[-1:]:
                self._numbers.append(number)
                self._places.append(events[0][:2])
            self._written, latest = number + len(events), (events[-1][0], events[-1][1] + 1)
        rest = [event for event in last if event[:2] >= latest]
        self.last_number = rest[-1][1] if rest else max(0, latest[1] - 1)
        self._in_memory = sum(size_of(event[3]) for event in rest)
        self._state = len(self._numbers), rest
        self.size = size + self._in_memory
        return self

    def __len__(self) -> int:
        return self._written + len(self._state[1])

    def __iter__(self) -> Iterator[Record]:
        for timestamp, number, ingested, message in self.forward():
            id_ = event_id(timestamp, number)
            yield {"timestamp": timestamp, "message": message, "ingestionTime": ingested, "eventId": id_}

    def forward(self, place: Place = BEGINNING) -> Iterator[Event]:
        """The events from there on, of those that are there now."""
        blocks, last = self._now()
        for block in range(max(0, bisect_right(self._places, place, hi=blocks) - 1), blocks):
            events = self._block(block)
            yield from events[bisect_left(events, place) :]
        yield from last[bisect_left(last, place) :]

    def backward(self, place: Place) -> Iterator[Event]:
        """The events before that place, the last one first."""
        blocks, last = self._now()
        yield from reversed(last[: bisect_left(last, place)])
        for block in reversed(range(bisect_left(self._places, place, hi=blocks))):
            events = self._block(block)
            yield from reversed(events[: bisect_left(events, place)])

    def extend(self, events: Sequence[Event]) -> None:
        """Append events whose places are after those of the others; sqlite3.Error where there is no room for them."""
        if len(events) <= BLOCK_EVENTS:
            self._append(events)
        else:
            for start in range(0, len(events), BLOCK_EVENTS):
                self._append(events[start : start + BLOCK_EVENTS])

    def with_late(self, events: Sequence[Event]) -> "Events":
        """A new list, where also these events are, in their places. Who reads this one is not disturbed."""
        self._write()
        made = self._file.events()
        made._dropped = self._dropped
        if not self._places:  # all of them are older than their group retains
            made.extend(events)
            return made
        place: Place = events[0][:2]
        block = max(0, bisect_right(self._places, place) - 1)
        made._copy(self, 0, block)
        rest = heapq.merge(self.forward(self._places[block]), events)
        while some := list(itertools.islice(rest, BLOCK_EVENTS)):
            made.extend(some)
        return made

    def since(self, place: Place) -> "Events":
        """A new list with the events from there on. Who reads this one is not disturbed."""
        self._write()
        made = self._file.events()
        block = max(0, bisect_right(self._places, place) - 1)
        if self._places:
            events = self._block(block)
            made.extend(events[bisect_left(events, place) :])
            made._write()
            made._copy(self, block + 1, len(self._places))
        return made

    def newer(self, part: float, notice: Callable[[int], str]) -> "Events":
        """A new list with this part of the events, the newest, after one that stands for all that were dropped.

        `notice` makes its message of how many there were.
        """
        self._write()
        blocks = len(self._places)
        kept = int(blocks * part)
        timestamp, number, ingested, _ = self._block(blocks - kept - 1)[-1]
        gone = self._numbers[blocks - kept] if kept else self._written
        made = self._file.events()
        made._dropped = self._dropped + gone - (self._dropped > 0)  # the one that stands for others is none of them
        made.extend([(timestamp, number, ingested, notice(made._dropped))])
        made._write()
        made._copy(self, blocks - kept, blocks)
        return made

    def _now(self) -> tuple[int, list[Event]]:
        """How many blocks there are, and the events that are in memory: a list that stays as it is."""
        blocks, last = self._state
        return blocks, last[:]

    def _block(self, block: int) -> list[Event]:
        return self._file.block(self._list, self._numbers[block])

    def _append(self, events: Sequence[Event]) -> None:
        size = sum(size_of(event[3]) for event in events)
        if self._in_memory + size > BLOCK_BYTES:
            self._write(events, size)
        else:
            self._state[1].extend(events)
            self._in_memory += size
        self.size += size

    def _write(self, events: Sequence[Event] = (), size: int = 0) -> None:
        """Write those that are in memory, and these, of this size. Who reads at the moment has the old state."""
        blocks, last = self._state
        size += self._in_memory
        block = [*last, *events]
        if not block:
            return
        self._file.write(
            "insert into blocks values (?1, ?2, ?3, ?4)", (self._list, self._written, size, marshal.dumps(block)), size
        )
        self._numbers.append(self._written)
        self._places.append(block[0][:2])
        self._written += len(block)
        self._state, self._in_memory = (blocks + 1, []), 0

    def _copy(self, events: "Events", start: int, stop: int) -> None:
        """Append the blocks of another list from `start` to `stop`; nothing is in memory."""
        if start == stop:
            return
        first = events._numbers[start]
        end = events._numbers[stop] if stop < len(events._numbers) else events._written
        those = "from blocks where list = ?1 and number >= ?2 and number < ?3"
        (size,) = self._file.read(f"select sum(size) {those}", events._list, first, end)
        shift = self._written - first
        statement = f"insert into blocks select ?4, number + ?5, size, data {those}"
        self._file.write(statement, (events._list, first, end, self._list, shift), size)
        self._numbers += [number + shift for number in events._numbers[start:stop]]
        self._places += events._places[start:stop]
        self._written += end - first
        self._state = len(self._numbers), []
        self.size += size
