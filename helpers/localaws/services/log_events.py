"""Log events on disk: lists of them that lie in one file, so that a log costs the server no memory.

An event is what MiniStack keeps in `stream["events"]`: timestamp, message, ingestionTime, and perhaps an eventId.
"""

import functools
import marshal
import queue
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from .shapes import Record

OVERHEAD_BYTES = 26  # of each event, as CloudWatch counts: API_PutLogEvents
BLOCK_BYTES = 32 * 1024  # what a list keeps in memory: a short log costs no writing
BLOCK_EVENTS = 500  # at most, that are written and read together
DELETED_BLOCKS = 20  # at once, while nobody else can write

# A block is what was written at once: `data` are the events, and `number` is the place of the first of them.
_TABLE = "create table blocks (list integer, number integer, size integer, data blob, primary key (list, number))"
_Event = tuple[int, str, int, str | None]  # timestamp, message, ingestionTime, eventId


class EventFile:
    """A file of its own for all log events of a server, which begins empty and is deleted by `close`.

    What a list held is deleted from it, little by little, once nobody uses that list any more.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # of a server that was killed
        self._path = path
        self.size = 0  # in bytes, as CloudWatch counts, with those that are still to be deleted
        self._lists = 0
        self._lock = threading.Lock()  # of all this
        self._gone: queue.SimpleQueue[int | None] = queue.SimpleQueue()  # a finalizer may put into it at any time
        self._db = sqlite3.connect(path, check_same_thread=False)
        # It need not survive the server, only an error, as of a disk that is full; and it gives free space back.
        for setting in ("auto_vacuum = full", "locking_mode = exclusive", "journal_mode = memory", "synchronous = off"):
            self._db.execute(f"pragma {setting}")
        self._db.execute(_TABLE)
        self.block = functools.lru_cache(maxsize=4)(self._read_block)  # who reads one event, reads the next one, too
        threading.Thread(target=self._delete, daemon=True, name="log-events").start()

    def events(self, first: Sequence[Record] = (), of: "Events | None" = None, start: int = 0) -> "Events":
        """A new list: `first`, and what the list `of` holds from `start`."""
        with self._lock:
            self._lists += 1
            made = Events(self, self._lists)
        made.extend(first)
        if of is not None:
            made.copy(of, start)
        return made

    def close(self) -> None:
        self._gone.put(None)
        with self._lock:
            self._db.close()
        self._path.unlink(missing_ok=True)

    # For Events

    def write(self, statement: str, values: Sequence[Any], size: int) -> None:
        """Add to the file what has this size, all or nothing."""
        with self._lock, self._db:
            self._db.execute(statement, values)
            self.size += size

    def read(self, statement: str, *values: object) -> Any:
        """The first row."""
        with self._lock:
            return self._db.execute(statement, values).fetchone()

    def forget(self, list_: int) -> None:
        self._gone.put(list_)

    def _read_block(self, list_: int, number: int) -> list[_Event]:
        """The events of the block that begins there."""
        (data,) = self.read("select data from blocks where list = ? and number = ?", list_, number)
        events: list[_Event] = marshal.loads(data)
        return events

    def _delete(self) -> None:
        while (list_ := self._gone.get()) is not None:
            while self._delete_some(list_):
                pass

    def _delete_some(self, list_: int) -> int:
        where = f"where rowid in (select rowid from blocks where list = ? limit {DELETED_BLOCKS})"
        try:
            with self._lock, self._db:
                (size,) = self._db.execute(f"select coalesce(sum(size), 0) from blocks {where}", (list_,)).fetchone()
                self._db.execute(f"delete from blocks {where}", (list_,))
                self.size -= size
                return int(size)
        except sqlite3.Error:  # it is closed
            return 0


class Events(Sequence[Record]):
    """A list of log events that only grows; the last few are in memory, and all others in the file.

    `size`: in bytes, as CloudWatch counts; `dropped`: how many events were before those that it was made of.
    """

    def __init__(self, file: EventFile, list_: int) -> None:
        self._file, self._list = file, list_
        self.size = self.dropped = 0
        self._state: tuple[int, list[_Event]] = 0, []  # how many are in the file, and those that are not
        self._in_memory = 0  # the size of those
        weakref.finalize(self, file.forget, list_).atexit = False

    def __len__(self) -> int:
        written, last = self._state
        return written + len(last)

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        places = range(len(self))[index]
        if isinstance(places, int):
            return next(self._read(places, places + 1))
        if places.step != 1:
            return [self[place] for place in places]
        return list(self._read(places.start, places.stop))

    def __iter__(self) -> Iterator[Record]:
        return self._read(0, len(self))

    def extend(self, events: Sequence[Record]) -> None:
        """Append events; sqlite3.Error where there is no room for them."""
        for start in range(0, len(events), BLOCK_EVENTS):
            self._append([_packed(event) for event in events[start : start + BLOCK_EVENTS]])

    def middle(self) -> int:
        """About half of its length, where a block begins."""
        self._write()
        return self._block_at(len(self) // 2) or len(self)

    def dropped_before(self, place: int) -> int:
        """How many events there were before this one, less the one that stands for those that were dropped already."""
        return self.dropped + place - (self.dropped > 0)

    def copy(self, events: "Events", start: int) -> None:
        """Append what another list has in the file from there, where a block begins; what is before it is dropped."""
        self._write()
        written, _ = self._state
        rest = "from blocks where list = ? and number >= ?"
        (size,) = self._file.read(f"select coalesce(sum(size), 0) {rest}", events._list, start)
        statement = f"insert into blocks select ?1, number + ?2, size, data {rest}"
        self._file.write(statement, (self._list, written - start, events._list, start), size)
        self._state = written + len(events) - start, []
        self.size += size
        self.dropped = events.dropped_before(start)

    def _append(self, events: list[_Event]) -> None:
        size = sum(len(event[1].encode("utf-8", "surrogatepass")) + OVERHEAD_BYTES for event in events)
        if self._in_memory + size > BLOCK_BYTES:
            self._write(events, size)
        else:
            self._state[1].extend(events)
            self._in_memory += size
        self.size += size

    def _write(self, events: Sequence[_Event] = (), size: int = 0) -> None:
        """Write those that are in memory, and these, of this size. Who reads at the moment has the old state."""
        written, last = self._state
        size += self._in_memory
        block = [*last, *events]
        if not block:
            return
        self._file.write(
            "insert into blocks values (?1, ?2, ?3, ?4)", (self._list, written, size, marshal.dumps(block)), size
        )
        self._state, self._in_memory = (written + len(block), []), 0

    def _read(self, start: int, stop: int) -> Iterator[Record]:
        written, last = self._state
        while start < min(stop, written):
            first = self._block_at(start)
            events = self._file.block(self._list, first)
            yield from self._unpacked(events[start - first : stop - first], start)
            start = first + len(events)
        yield from self._unpacked(last[max(0, start - written) : max(0, stop - written)], start)

    def _block_at(self, place: int) -> int:
        """The place of the first event of the block that holds the event at this place."""
        where = "where list = ? and number <= ? order by number desc limit 1"
        return int(self._file.read(f"select number from blocks {where}", self._list, place)[0])

    def _unpacked(self, events: Sequence[_Event], place: int) -> Iterator[Record]:
        """As they were appended; the first is at this place. An event has an id of 56 digits, as on AWS."""
        list_ = f"{self._list:015}"
        for number, (timestamp, message, ingested, id_) in enumerate(events, place):
            yield {
                "timestamp": timestamp,
                "message": message,
                "ingestionTime": ingested,
                "eventId": id_ or f"{list_}{number:041}",
            }


def _packed(event: Record) -> _Event:
    return event["timestamp"], event["message"], event["ingestionTime"], event.get("eventId")
