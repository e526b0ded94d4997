"""What a class has sent, in an SQLite file of the instructor's work folder; it survives a restart and a crash."""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..entries import NAME, for_class, one_line
from ..place import ClassError, bare

FILE = "class.sqlite"
LEARNERS = 200  # at the most
ENTRIES = 5_000  # of one learner, at the most: more than in days of work; the page goes through all of them
MESSAGE = 500
MESSAGES = 20  # that a notebook which asks for the first time gets
MEMBERS = "SELECT id, name, joined, seen, hand FROM learner"
SCHEMA = """
CREATE TABLE IF NOT EXISTS class (word TEXT NOT NULL, address TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS learner (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, joined REAL NOT NULL, seen REAL NOT NULL, hand REAL
);
-- `at` as the learner's clock says it, and `moment` as the instructor's does
CREATE TABLE IF NOT EXISTS entry (
    learner TEXT NOT NULL REFERENCES learner (id) ON DELETE CASCADE, offset INTEGER NOT NULL, at REAL NOT NULL,
    moment REAL NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (learner, offset, at)
);
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, text TEXT NOT NULL);
"""


class Member(NamedTuple):
    """A learner of the class, and since when their hand is up."""

    id: str
    name: str
    joined: float
    seen: float
    hand: float | None


class Message(NamedTuple):
    """A message to all."""

    id: int
    at: float
    text: str


class Full(ClassError):
    """The class takes no more."""


class ClassStore:
    """The class in one file. Threads take turns; a second process may read it."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the file, or make it, for its owner alone. Raises ClassError where that cannot be."""
        self.file, self._clock, self._lock = file, clock, threading.RLock()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            file.chmod(0o600)  # SQLite gives the files beside it the same rights
        except OSError as error:
            raise ClassError.about_file(error, file) from None
        self._database = sqlite3.connect(file, check_same_thread=False, timeout=10)
        try:
            with self._changing() as database:
                database.execute("PRAGMA journal_mode = WAL")  # who reads waits for nobody
                database.execute("PRAGMA foreign_keys = ON")
                database.execute("PRAGMA secure_delete = ON")
                database.executescript(SCHEMA)
        except ClassError:
            self._database.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def now(self) -> float:
        """The time by the instructor's clock, in epoch seconds."""
        return self._clock()

    # the class

    def begin(self, word: str, address: str) -> None:
        """Begin the class, or go on with the one that is open, under this word and at this address."""
        with self._changing() as database:
            if self.is_open:
                database.execute("UPDATE class SET (word, address) = (?, ?)", (word, address))
            else:
                database.execute("INSERT INTO class (word, address) VALUES (?, ?)", (word, address))

    @property
    def is_open(self) -> bool:
        return bool(self._rows("SELECT 1 FROM class"))

    @property
    def word(self) -> str:
        """The word, or "" where no class is open."""
        return next((word for (word,) in self._rows("SELECT word FROM class")), "")

    @property
    def address(self) -> str:
        """The address at which learners reached the class last."""
        return next((address for (address,) in self._rows("SELECT address FROM class")), "")

    def is_word(self, word: str) -> bool:
        """Whether it is the word; how long the answer takes says nothing of it."""
        ours, theirs = (hashlib.sha256(bare(each).encode()).digest() for each in (self.word, word))
        return hmac.compare_digest(ours, theirs) and self.is_open

    def end(self) -> None:
        """Delete everything."""
        with self._changing() as database:
            for table in ("entry", "learner", "message", "class"):
                database.execute(f"DELETE FROM {table}")
        with contextlib.suppress(sqlite3.Error), self._lock:
            self._database.execute("VACUUM")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # learners

    def add(self, name: str, key: str) -> Member:
        """Take in a learner, whom this key proves from now on; who asks twice is one learner. Raises Full."""
        now = self._clock()
        with self._changing() as database:
            if known := self._rows("SELECT id FROM learner WHERE key = ?", _digest(key)):
                return next(each for each in self.members() if each.id == known[0][0])
            if len(self.members()) >= LEARNERS:
                raise Full(f"The class has {LEARNERS} learners, and takes no more.")
            member = Member(secrets.token_urlsafe(9), self._free_name(name), now, now, None)
            row = (member.id, _digest(key), member.name, now, now, None)
            database.execute("INSERT INTO learner VALUES (?, ?, ?, ?, ?, ?)", row)
        return member

    def knows(self, id: str, key: str) -> bool:
        """Whether this learner is of the class, and this is their key."""
        [kept] = [*(each for (each,) in self._rows("SELECT key FROM learner WHERE id = ?", id)), ""][:1]
        return hmac.compare_digest(kept, _digest(key))

    def members(self) -> list[Member]:
        """The learners in the order in which they came."""
        return [Member(*row) for row in self._rows(f"{MEMBERS} ORDER BY joined, rowid")]

    def member(self, id: str) -> Member | None:
        return next((Member(*row) for row in self._rows(f"{MEMBERS} WHERE id = ?", id)), None)

    def seen(self, id: str) -> None:
        """Keep that a learner's notebook has asked just now."""
        with self._changing() as database:
            database.execute("UPDATE learner SET seen = ? WHERE id = ?", (self._clock(), id))

    def rename(self, id: str, name: str) -> None:
        with self._changing() as database:
            database.execute("UPDATE learner SET name = ? WHERE id = ?", (self._free_name(name, id), id))

    def raise_hand(self, id: str, up: bool) -> None:
        """Raise a hand, which keeps the time of the first, or lower it."""
        change = "SET hand = coalesce(hand, ?)" if up else "SET hand = NULL"
        with self._changing() as database:
            database.execute(f"UPDATE learner {change} WHERE id = ?", (self._clock(), id) if up else (id,))

    def remove(self, id: str) -> None:
        """Delete a learner, and all that they have sent."""
        with self._changing() as database:
            database.execute("DELETE FROM learner WHERE id = ?", (id,))

    def _free_name(self, name: str, own: str = "") -> str:
        """The name, with a number where somebody else of the class has it."""
        wanted = one_line(name, NAME) or "Learner"
        taken = {each.name.casefold() for each in self.members() if each.id != own}
        names = (wanted if number == 1 else f"{wanted[: NAME - 6]} ({number})" for number in range(1, LEARNERS + 2))
        return next(each for each in names if each.casefold() not in taken)

    # entries and messages

    def take(self, id: str, sent: Iterable[tuple[int, Any]], ahead_s: float = 0) -> None:
        """Keep entries of a learner, each with its offset in their record; one that is there already stays as it is.

        `ahead_s` is by how much the learner's clock is behind ours. What is no entry for the class is left out.
        """
        entries = [(offset, entry) for offset, each in sent if (entry := for_class(each))]
        now = self._clock()  # nothing was done later, whatever the learner's clock says
        rows = [
            (id, offset, entry["at"], min(entry["at"] + ahead_s, now), json.dumps(entry, ensure_ascii=False))
            for offset, entry in entries
        ]
        if not rows:
            return
        with self._changing() as database:
            [(there,)] = self._rows("SELECT count(*) FROM entry WHERE learner = ?", id)
            database.executemany("INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?)", rows[: ENTRIES - there])

    def entries(self) -> Iterator[tuple[str, float, dict[str, Any]]]:
        """Every entry: whose it is, when it was, and what; in the order of time."""
        for id, moment, entry in self._rows("SELECT learner, moment, entry FROM entry ORDER BY moment, offset"):
            yield id, moment, json.loads(entry)

    def say(self, text: str) -> None:
        """A message to all."""
        with self._changing() as database:
            database.execute("INSERT INTO message (at, text) VALUES (?, ?)", (self._clock(), one_line(text, MESSAGE)))

    def messages(self, after: int = 0, since: float = 0) -> list[Message]:
        """The messages after this one, and after a moment, oldest first; the last few alone."""
        query = "SELECT id, at, text FROM message WHERE id > ? AND at >= ? ORDER BY id DESC LIMIT ?"
        rows = self._rows(query, after, since, MESSAGES)
        return [Message(*row) for row in reversed(rows)]

    # the file

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction. Raises ClassError where the file cannot be used, and then has changed nothing."""
        with self._lock:
            try:
                with self._database:
                    yield self._database
            except sqlite3.Error as error:
                raise _unusable(self.file, error) from None

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._database.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise _unusable(self.file, error) from None


def delete(file: Path) -> None:
    """Delete the file of a class that has ended, and what SQLite keeps beside it."""
    for each in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        each.unlink(missing_ok=True)


def _unusable(file: Path, error: sqlite3.Error) -> ClassError:
    return ClassError(
        f"The file of the class, {file}, cannot be used ({error}); move it away, or make room on its disk."
    )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
