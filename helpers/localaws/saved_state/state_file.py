"""The file of the state: pieces of entries by their stores, large values by their digests; a save as a whole or not."""

import ast
import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ...errors import WorkshopError
from . import LOGS, STATE
from .database import connected
from .pickles import Digest, decoded, digest_of
from .stores import Piece

FORMAT = 1
ASIDE = "put-aside-"  # and the date: folders of what is not used any more

_TABLES = """
create table about (name text primary key, value text) without rowid;
create table pieces (
    id integer primary key, store text, key text, member text, number integer, digest blob, data blob,
    unique (store, key, member, number)
);
create table blobs (digest blob primary key, data blob) without rowid;
"""
_PUT = """
insert into pieces (store, key, member, number, digest, data) values (?, ?, ?, ?, ?, ?)
on conflict (store, key, member, number) do update set digest = excluded.digest, data = excluded.data
"""
_DROP = "delete from pieces where store = ? and key = ? and member = ? and number = ?"

Row = tuple[str, Piece]  # a piece of a store


class StateError(WorkshopError):
    """The state cannot be kept; the message is one sentence for the reader."""


class Damaged(Exception):
    """The file is not as it was written."""


class CannotBeRestored(Exception):
    """What was kept is damaged, and put aside now: the message is a sentence. The process has to begin anew."""


@dataclass
class Change:
    """What one save writes: pieces with their bytes, or None where they are gone; large values that are new or gone."""

    pieces: dict[Row, bytes | None] = field(default_factory=dict)
    blobs: dict[Digest, bytes | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.pieces or self.blobs)


class StateFile:
    """The file, for this process alone. Of its methods one runs at a time."""

    def __init__(self, path: Path) -> None:
        """Raises Damaged, or StateError where another process has it."""
        try:
            self._db = connected(path)
        except sqlite3.Error as error:
            raise explained(error, path) from None
        try:
            with self._transaction():
                if not self._db.execute("select count(*) from sqlite_schema").fetchone()[0]:
                    for statement in _TABLES.split(";"):
                        self._db.execute(statement)
            problems = self._db.execute("pragma quick_check").fetchall()
        except sqlite3.Error as error:
            self._db.close()
            raise explained(error, path) from None
        if problems != [("ok",)]:
            self._db.close()
            raise Damaged(str(problems[0][0]))

    def about(self) -> dict[str, str]:
        """What is known of the whole: format, versions, life. Empty where nothing was ever saved."""
        with _read():
            return dict(self._db.execute("select name, value from about"))

    def tell(self, **about: str) -> None:
        with self._transaction():
            self._db.executemany("insert or replace into about values (?, ?)", about.items())

    def stores(self) -> set[str]:
        with _read():
            return {name for (name,) in self._db.execute("select distinct store from pieces")}

    def pieces(self, store: str, blob: Callable[[Digest], bytes]) -> Iterator[tuple[Piece, Any, Digest, set[Digest]]]:
        """All pieces of a store, in order: what each is, its value, the digest of its bytes, those of what is large.

        `blob` gives what is large: blob() of this file, or what has kept that.
        """
        query = "select key, member, number, digest, data from pieces where store = ? order by number, id"
        with _read():
            for key, member, number, digest, data in self._db.execute(query, (store,)).fetchall():
                if digest_of(key.encode() + data) != digest:
                    raise Damaged(f"a piece of {store}")
                value, found = decoded(data, blob)
                yield (ast.literal_eval(key), member, number), value, digest_of(data), found

    def blobs(self) -> set[Digest]:
        with _read():
            return {digest for (digest,) in self._db.execute("select digest from blobs")}

    def write(self, change: Change) -> None:
        """All of it or nothing: raises sqlite3.Error, and then it was nothing."""
        with self._transaction():
            for digest, data in change.blobs.items():
                if data is not None:
                    self._db.execute("insert or ignore into blobs values (?, ?)", (digest, data))
            for (store, (key, member, number)), data in change.pieces.items():
                text = repr(key)
                place = store, text, member, number
                if data is None:
                    self._db.execute(_DROP, place)
                else:
                    self._db.execute(_PUT, (*place, digest_of(text.encode() + data), data))
            gone = [(digest,) for digest, data in change.blobs.items() if data is None]
            self._db.executemany("delete from blobs where digest = ?", gone)

    def close(self) -> None:
        self._db.close()

    def blob(self, digest: Digest) -> bytes:
        """A large value. Raises Damaged."""
        row = self._db.execute("select data from blobs where digest = ?", (digest,)).fetchone()
        if row is None or digest_of(row[0]) != digest:
            raise Damaged("a large value")
        data: bytes = row[0]
        return data

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # it is rolled back already
                self._db.execute("rollback")
            raise


@dataclass(frozen=True)
class Opened:
    """The file, the life of what is in it, and what has to be said of that: a sentence, or nothing."""

    file: StateFile
    life: str
    remark: str = ""


def opened(folder: Path, writer: str, fresh: bool) -> Opened:
    """The state in this folder, as `writer` reads and writes it; what cannot be read, or is not wanted, is put aside.

    Raises StateError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _opened(folder, writer, fresh)
    except sqlite3.Error as error:
        raise explained(error, folder / STATE) from None


def explained(error: sqlite3.Error, path: Path) -> Exception:
    """What an error of SQLite means: the disk is full or the like, and the file is as it was, or else it is damaged."""
    if not isinstance(error, sqlite3.OperationalError):
        return Damaged(str(error))
    if "locked" in str(error):
        return StateError(f"Another embedded AWS has {path}; stop that one before.")
    return StateError(f"{path} cannot be used: {error}.")


def _opened(folder: Path, writer: str, fresh: bool) -> Opened:
    remark = ""
    if fresh and (where := put_aside(folder)):
        remark = f"It begins empty, as you asked; what it kept is in {where}."
    try:
        return replace(_found(folder, writer), remark=remark)
    except Damaged as damage:
        remark = f"What it had kept cannot be read ({damage}), so it begins empty"
    except _Other as other:
        remark = f"What it had kept is of {other}, and this is {writer}, so it begins empty"
    where = put_aside(folder)
    file = StateFile(folder / STATE)
    return Opened(file, _begun(file, writer), f"{remark}; the old files are in {where}.")


def put_aside(folder: Path) -> Path | None:
    """Move what was kept into a folder with the date of today; None where there is nothing."""
    files = [file for name in (STATE, LOGS) for file in sorted(folder.glob(f"{name}*"))]
    if not (folder / STATE).exists():
        for file in files:  # of logs alone nobody knows whose they were
            file.unlink()
        return None
    date = f"{datetime.now():%Y-%m-%d-%H%M%S}"
    aside = next(each for n in range(1000) if not (each := folder / f"{ASIDE}{date}{f'-{n}' * bool(n)}").exists())
    aside.mkdir(mode=0o700)
    for file in files:
        file.rename(aside / file.name)
    return aside


class _Other(Exception):
    """The state was written by another version; the message names it."""


def _found(folder: Path, writer: str) -> Opened:
    path, log = folder / STATE, folder / f"{STATE}-wal"
    if path.exists() and not path.stat().st_size and not log.exists() and (folder / LOGS).exists():
        raise Damaged("the file is empty")
    file = StateFile(path)
    try:
        about = file.about()
        if not about:
            return Opened(file, _begun(file, writer))
        if (about.get("format"), about.get("writer")) != (str(FORMAT), writer):
            raise _Other(about.get("writer") or "an unknown version")
        return Opened(file, about["life"])
    except BaseException as error:
        file.close()
        if isinstance(error, KeyError):
            raise Damaged("it has no life") from None
        raise


def _begun(file: StateFile, writer: str) -> str:
    life = secrets.token_hex(8)
    file.tell(format=str(FORMAT), writer=writer, life=life)
    return life


@contextlib.contextmanager
def _read() -> Iterator[None]:
    """Whatever reading damaged bytes leads to is Damaged."""
    try:
        yield
    except Damaged:
        raise
    except Exception as error:
        raise Damaged(f"{type(error).__name__}: {error}"[:200]) from None
