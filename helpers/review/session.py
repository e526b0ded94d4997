"""Reads what is kept of a session: the record, the progress, the notebooks and the files of labs.

What is damaged is no reason to stop: it is told, with its text, and the rest is read.
"""

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import lessons
from ..exercises.lab import Lab
from ..exercises.languages import LANGUAGES
from ..lessons import Lesson
from ..masks import masked
from ..session import progress, record
from . import notebooks
from .notebooks import Notebook
from .strings import words

TEXTS = (str,)
# What an entry of each kind has to hold.
MEMBERS: dict[str, dict[str, tuple[type, ...]]] = {
    "section": {"section": TEXTS},
    "prediction": {"key": TEXTS, "text": TEXTS},
    "measured": {"key": TEXTS, "text": TEXTS},
    "claim": {"says": TEXTS, "holds": (bool,)},
    "attempt": {"exercise": TEXTS, "solved": (bool,), "sentence": TEXTS},
    "hint": {"exercise": TEXTS},
    "solution": {"exercise": TEXTS},
    "table": {"name": TEXTS, "columns": (list,), "rows": (list,)},
    "bill": {"text": TEXTS},
}
YEAR_2000, YEAR_2200 = 946_684_800, 7_258_118_400  # a time outside of them is no time of a session
SHOWN = 2_000  # characters of a line that could not be read


@dataclass(frozen=True)
class Entry:
    """One sound entry of the record."""

    at: float
    kind: str
    notebook: str
    told: dict[str, Any]

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.at).astimezone()


@dataclass(frozen=True)
class Problem:
    """What could not be read: a sentence, and the text itself."""

    sentence: str
    text: str = ""


@dataclass
class Session:
    """All that is kept."""

    lessons: list[Lesson]
    entries: list[Entry]
    notebooks: dict[str, Notebook]
    older: dict[str, list[Notebook]]  # as they were before a reset or an update, the latest first
    predictions: dict[str, str]  # of progress.json, which is older than the record
    solved: set[str]
    hints: dict[str, int]
    problems: list[Problem] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Entry]:
        return [each for each in self.entries if each.kind == kind]

    def by(self, kind: str, member: str) -> dict[str, list[Entry]]:
        """The entries of a kind, by what a member of them says."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for each in self.of_kind(kind):
            found[each.told[member]].append(each)
        return found

    @property
    def all_notebooks(self) -> list[Notebook]:
        return [*self.notebooks.values(), *(each for older in self.older.values() for each in older)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done: opening a notebook is nothing yet."""
        was_run = any(each.was_run for each in self.all_notebooks)
        return not (self.entries or self.problems or self.predictions or self.solved or self.hints or was_run)


def read() -> Session:
    """Read all of it. Raises LessonError or SettingError, where the workshop itself is not as it has to be."""
    there = lessons.lessons()
    problems: list[Problem] = []
    entries = list(_entries({each.number for each in there}, problems))
    entries.sort(key=lambda entry: entry.at)  # a clock may have been put back
    own = {each.number: notebooks.read(each) for each in there}
    older = {each.number: notebooks.older(each) for each in there}
    session = Session(there, entries, own, older, {}, set(), {}, problems)
    _read_progress(session)
    for each in session.all_notebooks:
        assert each.sections  # which finds what is wrong with its pictures
        problems += [Problem(sentence) for sentence in each.problems]
    return session


def lab_files(lab: Lab) -> dict[str, str]:
    """What the learner has written in a lab, as {file: text}: those that are not the starter any more."""
    found = {}
    for language in LANGUAGES:
        copy = lab.copy(language)
        with contextlib.suppress(OSError):
            if copy.read_bytes() != lab.starter(language).read_bytes():
                found[copy.name] = _text(copy)
    return found


def older_lab_files(lab: Lab) -> dict[Path, tuple[str, str]]:
    """The same of what a reset has put aside, as {file that is kept: (file, text)}: of each language the latest."""
    found = {}
    for language in LANGUAGES:
        for path in lab.kept(language)[:1]:
            with contextlib.suppress(OSError):
                found[path] = (lab.copy(language).name, _text(path))
    return found


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _read_progress(session: Session) -> None:
    try:
        session.solved = progress.solved()
        session.hints = progress.hints()
        session.predictions = progress.predictions()
    except progress.ProgressError as problem:
        session.problems.append(Problem(str(problem)))


def _entries(numbers: set[str], problems: list[Problem]) -> Iterator[Entry]:
    """The sound entries; the others become problems."""
    try:
        lines = io.BytesIO(record.path().read_bytes() if record.path().exists() else b"")
    except OSError as problem:
        problems.append(Problem(words("problem.record", path=record.path(), why=problem.strerror or "")))
        return
    for number, line in enumerate(lines, 1):
        entry = record.parse(line)
        why = words("problem.damaged") if entry is None else _why_not(entry, numbers)
        if entry is not None and not why:
            told = {name: value for name, value in entry.items() if name not in ("at", "kind", "notebook")}
            yield Entry(float(entry["at"]), entry["kind"], entry["notebook"], told)
        elif line.strip():
            text = masked(line.decode("utf-8", errors="replace").strip())
            problems.append(Problem(words("problem.line", number=number, why=why), text[:SHOWN]))


def _why_not(entry: dict[str, Any], numbers: set[str]) -> str:
    """What is wrong with an entry; "" where it is sound."""
    at, kind = entry["at"], entry["kind"]
    if isinstance(at, bool) or not YEAR_2000 < at < YEAR_2200:
        return words("problem.time")
    if kind not in MEMBERS:
        return words("problem.kind")
    for name, types in MEMBERS[kind].items():
        if not isinstance(entry.get(name), types):
            return words("problem.member", name=name)
    about = next((str(entry[name])[:2] for name in ("exercise", "key") if name in entry), entry.get("notebook"))
    if about not in numbers and kind not in ("table", "bill"):
        return words("problem.lesson")
    if entry.get("notebook") not in numbers:
        entry["notebook"] = about if about in numbers else ""
    return ""
