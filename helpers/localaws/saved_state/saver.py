"""When the state is saved: at once for who waits for it, many together, and a moment later for what changes by itself.

A save looks at the entries between two steps of the event loop, so that it sees no request half done; a thread then
writes what has changed.
"""

import asyncio
import contextlib
import logging
import operator
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar

from .pickles import Blobs, Digest, digest_of, encoded, holds_large
from .state_file import Change, Damaged, StateFile
from .stores import LONG, WHOLE, Piece, Store, joined, pieces

EVERY_S, IDLE_S = 1.0, 3.0  # what changes by itself, and where neither a request nor a change has come
PART = 20  # of the time at most one such part is spent on that
TRIES = 5  # to look at a store that another thread changes meanwhile

Result = TypeVar("Result")


class Saved(NamedTuple):
    """A piece that is in the file: its digest, those of the large values in it, and where it is full, its ends."""

    digest: Digest
    large: frozenset[Digest]
    ends: tuple[Any, ...] = ()


Known = dict[Piece, Saved]  # what is in the file of a store

log = logging.getLogger("localaws.state")


class NotSaved(Exception):
    """The state cannot be written; the message is a sentence."""


class Saver:
    """Saves `stores` to `file`. `marks` is called before each save of all, and what it gives after that save."""

    def __init__(
        self,
        file: StateFile,
        stores: Callable[[], Iterable[Store]],
        marks: Callable[[], Callable[[], None]] = lambda: lambda: None,
    ) -> None:
        self._file, self._stores, self._marks = file, stores, marks
        self._known: dict[str, Known] = {}
        self._held: Counter[Digest] = Counter()  # how many pieces in the file have each large value
        self._blobs = Blobs()
        self._wanted: set[str] | None = set()  # the groups that the next save looks at; None stands for all
        self._next: asyncio.Future[None] | None = None  # who waits for that
        self._working: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saved-state")
        self._odd: set[tuple[str, object]] = set()  # entries that cannot be saved, as was said
        self._awake = asyncio.Event()
        self.failed = ""  # why the last save was none

    def restore(self) -> Counter[str]:
        """Put all that is in the file back where it was, before anybody asks; how many entries each store has.

        Raises Damaged.
        """

        @cache  # what several hold is one value again, as it was: in memory once, and no save looks at it anew
        def blob(digest: Digest) -> bytes:
            return self._blobs.noted(self._file.blob(digest), digest)

        counts: Counter[str] = Counter()
        by_name = {store.name: store for store in self._stores()}
        for name in self._file.stores():
            known: Known = {}
            found = []
            for piece, value, digest, large in self._file.pieces(name, blob):
                known[piece] = Saved(digest, frozenset(large))
                found.append((piece, value))
            self._known[name] = known
            self._held.update(each for saved in known.values() for each in saved.large)
            store = by_name.get(name)
            if store is None:
                raise Damaged(f"there is no store {name}")
            try:
                for key, value in joined(found):
                    store.restore(key, value)
                    counts[name] += 1
            except Exception as error:
                raise Damaged(f"{name}: {type(error).__name__}: {error}") from error
        if gone := self._file.blobs() - self._held.keys():  # of the last save of a server that was killed or stopped
            self._drop(list(gone))
        return counts

    async def save(self, groups: frozenset[str] | None = None) -> None:
        """Return when all that these groups (all) hold by now is in the file. Raises NotSaved."""
        self._wanted = None if groups is None or self._wanted is None else self._wanted | groups
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        waiting = self._next
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        await asyncio.shield(waiting)

    async def go_on(self) -> None:
        """Save what changes by itself, for ever."""
        while True:
            began = time.perf_counter()
            self._awake.clear()
            with contextlib.suppress(NotSaved):  # which was said
                await self.save()
            await asyncio.sleep(max(EVERY_S, (time.perf_counter() - began) * PART))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), IDLE_S - EVERY_S)

    def wake(self) -> None:
        """Somebody asks, so that something may change."""
        self._awake.set()

    def close(self) -> None:
        """Save for the last time, when nothing runs in the event loop any more. Raises NotSaved."""
        try:
            self._thread.shutdown()
            self._write(self._change(None)[0])
        finally:
            self._file.close()

    async def _work(self) -> None:
        while self._next is not None:
            waiting, self._next = self._next, None
            wanted, self._wanted = self._wanted, set()
            try:
                released = self._marks() if wanted is None else None
                change, known = self._change(wanted)
                if change:
                    self.wake()
                    await asyncio.get_running_loop().run_in_executor(self._thread, self._write, change)
                self._accept(change, known)
                if released:
                    released()
            except NotSaved as error:
                if not self.failed:
                    log.warning("%s", error)
                self.failed = str(error)
                waiting.set_exception(error)
                waiting.exception()  # nobody need wait for it
            except Exception as error:
                log.exception("the state")
                waiting.set_exception(NotSaved(f"The embedded AWS cannot save its state: {error!r}."))
                waiting.exception()
            else:
                self.failed = ""
                waiting.set_result(None)

    def _change(self, groups: set[str] | None) -> tuple[Change, dict[str, Known]]:
        """What is other than in the file, and what will be in it."""
        change, news = Change(), {}
        for store in self._stores():
            if groups is None or store.group in groups:
                news[store.name] = self._looked_at(store, change)
        return change, news

    def _looked_at(self, store: Store, change: Change) -> Known:
        before, now = self._known.get(store.name, {}), Known()
        for piece, value in _undisturbed(lambda: list(pieces(store.entries()))):
            ends = _ends(value) if store.appends and piece[-1] != WHOLE else ()
            if ends and piece in before and _are_same(ends, before[piece].ends):
                now[piece] = before[piece]
                continue
            try:
                blobs = self._blobs if store.has_blobs and _undisturbed(partial(holds_large, value)) else None
                data, large = _undisturbed(partial(encoded, value, blobs))
            except Exception as error:
                self._say_odd(store, piece, error)
                continue
            digest = digest_of(data)
            now[piece] = Saved(digest, frozenset(large), ends)
            if piece in before and before[piece].digest == digest:
                continue
            change.pieces[store.name, piece] = data
            change.blobs.update((each, blob) for each, blob in large.items() if not self._held[each])
        change.pieces.update({(store.name, piece): None for piece in before.keys() - now.keys()})
        return now

    def _accept(self, change: Change, news: dict[str, Known]) -> None:
        """Note what is in the file now; large values that nothing holds any more go with the next save."""
        for name, known in news.items():
            before = self._known.get(name, {})
            for piece in before.keys() | known.keys():
                old, new = before.get(piece), known.get(piece)
                if old is not new and (old and old.large) != (new and new.large):
                    self._held.update(new.large if new else ())
                    self._held.subtract(old.large if old else ())
            self._known[name] = known
        gone = [digest for digest, count in self._held.items() if count <= 0]
        if gone:
            for digest in gone:
                del self._held[digest]
            self._blobs.keep(set(self._held))
            self._thread.submit(self._drop, gone)

    def _drop(self, gone: list[Digest]) -> None:
        """Delete large values that no piece in the file has; a save that wants one again writes it anew."""
        with contextlib.suppress(sqlite3.Error):  # they are in the way of nobody
            self._file.write(Change(blobs=dict.fromkeys(gone)))

    def _write(self, change: Change) -> None:
        try:
            self._file.write(change)
        except sqlite3.Error as error:
            raise NotSaved(f"The embedded AWS cannot save its state: {error}.") from None

    def _say_odd(self, store: Store, piece: Piece, error: Exception) -> None:
        if (store.name, piece[0]) not in self._odd:
            self._odd.add((store.name, piece[0]))
            log.error("%r of %s cannot be saved: %r", piece[0], store.name, error)


def _ends(items: list[Any]) -> tuple[Any, ...]:
    """The first and the last of as many items as a piece may have; nothing of fewer, as more will come."""
    return (items[0], items[-1]) if len(items) == LONG else ()


def _are_same(ends: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return len(ends) == len(others) and all(map(operator.is_, ends, others))


def _undisturbed(look: Callable[[], Result]) -> Result:
    """What `look` finds, though another thread changes what it looks at: a RuntimeError, where it always does."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(RuntimeError):  # "changed size during iteration"
            return look()
    return look()
