"""The record of a session: what one was at, predicted, measured and tried, in the order of time.

A file of JSON lines in WORKSHOP_HOME that its owner alone may read, and that is only ever appended to. `review` and
`class` read it. It holds no outputs, no secret and no account's id. Standard library only.

    section     section: its heading, "" before the first; cell: the id of the first one that was run in it
    prediction  key, such as "04.a"; text
    measured    key; text: what was shown beside the prediction
    claim       says: what a text says of what was measured; holds
    attempt     exercise; solved; sentence: what check() said; answer: the text of a cell, or the text of each file
    hint        exercise; number
    solution    exercise
    table       name: of a function; columns; rows, the last 200; total
    bill        usd; text

Each entry has its `kind`, `at` (seconds since 1970) and its `notebook`, such as "04".
"""

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import settings
from ..files.appended_file import append_line
from ..jupyter import this_notebook
from ..masks import masked

FILE = "record.jsonl"
Entry = dict[str, Any]

CREDENTIALS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")

_left_out: list[str] = []  # kinds, by the blocks of without() that are open
_warned = False


def is_on(kind: str = "") -> bool:
    """Whether this is a notebook's kernel in which somebody works: no solution, no test, no `build`; and of a kind."""
    opened = this_notebook.path()
    if opened is None or opened.parent.name == "solutions" or settings.is_solution:
        return False
    return kind not in _left_out


@contextlib.contextmanager
def without(kind: str) -> Iterator[None]:
    """No entry of a kind is made while the block lasts: what a check measures is no doing of the reader's."""
    _left_out.append(kind)
    try:
        yield
    finally:
        _left_out.remove(kind)


def note(kind: str, **members: Any) -> None:
    """Add an entry, where is_on(). Whatever goes wrong is one sentence on stderr, once: no cell fails by it."""
    if not is_on(kind):
        return
    entry = {"at": time.time(), "kind": kind, "notebook": _notebook(members)} | _without_secrets(members)
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        append_line(path(), json.dumps(entry, allow_nan=False).encode(), mode=0o600)
    except (OSError, ValueError, TypeError, settings.SettingError) as problem:
        _warn(problem)


def entries(after: int = 0) -> Iterator[tuple[int, Entry]]:
    """The entries, each with the place in the file at which it ends: with it as `after`, one goes on from there.

    Lines that are damaged, and a last one that has no end yet, are left out. A file that is shorter than `after` is
    another one, and is read from its beginning. Raises OSError for one that cannot be read.
    """
    try:
        file = path().open("rb")
    except FileNotFoundError:
        return
    with file:
        place = after if 0 <= after <= os.fstat(file.fileno()).st_size else 0
        file.seek(place)
        for line in file:
            if not line.endswith(b"\n"):
                return
            place += len(line)
            if entry := parse(line):
                yield place, entry


def path() -> Path:
    """Where it is, or will be."""
    return settings.home() / FILE


def parse(line: bytes) -> Entry | None:
    """The entry of a line; None for a damaged one, or one that has no end yet."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, or no UTF-8
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        return None
    return entry if isinstance(entry.get("at"), int | float) else None


def _notebook(members: Entry) -> str:
    """The number of the open notebook, or of what the entry is about; "" for another notebook."""
    opened = this_notebook.path()
    texts = [opened.name if opened else "", *(str(members.get(name, "")) for name in ("exercise", "key"))]
    return next((text[:2] for text in texts if re.match(r"\d\d(?!\d)", text)), "")


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, str):
        return value
    text = masked(value)
    for secret in filter(None, map(os.environ.get, CREDENTIALS)):
        text = text.replace(secret, "…")
    return text


def _warn(problem: Exception) -> None:
    global _warned
    if not _warned:
        why = problem.strerror if isinstance(problem, OSError) else str(problem).rstrip(".")
        print(
            f"Your session is not recorded in {FILE} ({why}); all else works, and `review` will lack this.",
            file=sys.stderr,
        )
    _warned = True
