"""Each exercise as the learner did it: answer and reference, attempts, hints, and whether it is solved."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ..exercises import Exercise
from ..exercises.languages import LANGUAGES
from ..lessons import Lesson
from ..masks import masked
from ..session import starter_cells
from ..session.starter_cells import Cell
from . import session, way
from .notebooks import Section
from .session import Entry, Session

ALIKE = 0.3  # from which share of equal lines on, the lines that differ are marked
BY_FILE = {each.file: name for name, each in LANGUAGES.items()}


@dataclass(frozen=True)
class Side:
    """A text beside another one, and which of its lines are not in the other, from 1."""

    name: str  # of its file, which tells the language; "" for a cell
    text: str
    marked: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pair:
    """An answer and its reference."""

    own: Side | None
    reference: Side

    @property
    def is_same(self) -> bool:
        return self.own is not None and _lines(self.own.text) == _lines(self.reference.text)


@dataclass
class Work:
    """What was done for one exercise."""

    exercise: Exercise
    section: Section | None
    attempts: list[Entry]
    hints: int
    most_hints: int
    solutions: list[Entry]
    solved_at: Entry | None  # the first attempt that passed
    is_solved: bool
    seconds: float | None  # from the first attempt to the one that passed
    pairs: list[Pair] = field(default_factory=list)
    was_changed: bool = False  # the cell or the file is not the starter's
    put_aside: tuple[str, ...] = ()  # the files that the answer is from, where a reset has put it aside

    @property
    def number(self) -> str:
        return self.exercise.number

    @property
    def title(self) -> str:
        return self.exercise.title

    @cached_property
    def failed(self) -> int:
        """How many attempts did not pass, before the first that did."""
        end = self.solved_at.at if self.solved_at else float("inf")
        return sum(1 for each in self.attempts if not each.told["solved"] and each.at <= end)

    @property
    def was_tried(self) -> bool:
        return bool(self.attempts or self.is_solved or self.was_changed or self.solutions)

    @property
    def was_touched(self) -> bool:
        return self.was_tried or bool(self.hints)


class _Own(NamedTuple):
    """What the learner wrote, as {file: text} with "" for a cell."""

    texts: dict[str, str]
    was_changed: bool  # it is not the starter any more
    put_aside: tuple[str, ...] = ()


def works(kept: Session, lesson: Lesson) -> list[Work]:
    """What was done for each exercise of a lesson."""
    attempts, hints, shown = (kept.by(kind, "exercise") for kind in ("attempt", "hint", "solution"))
    found = []
    for exercise in lesson.exercises:
        number = exercise.number
        tried = attempts.get(number, [])
        passed = next((each for each in tried if each.told["solved"]), None)
        own = _own(kept, exercise, tried)
        shown_hints = max(len(hints.get(number, [])), kept.hints.get(number, 0))
        work = Work(
            exercise=exercise,
            section=kept.notebooks[lesson.number].section_with(_check_of(number)),
            attempts=tried,
            hints=shown_hints,
            most_hints=0,
            solutions=shown.get(number, []),
            solved_at=passed,
            is_solved=passed is not None or number in kept.solved,
            seconds=way.seconds_between(kept.entries, tried[0].at, passed.at) if passed else None,
            was_changed=own.was_changed,
            put_aside=own.put_aside,
        )
        if work.was_touched:
            language = next((BY_FILE[name] for name in own.texts if name in BY_FILE), "python")
            work.most_hints = len(exercise.hints_in(language))
            work.hints = min(shown_hints, work.most_hints)
        if work.was_tried:
            work.pairs = _pairs(exercise, own.texts)
        found.append(work)
    return found


def _check_of(number: str) -> re.Pattern[str]:
    return re.compile(rf"""^ *check\(\s*["']{re.escape(number)}["']""", re.MULTILINE)


def _own(kept: Session, exercise: Exercise, tried: Sequence[Entry]) -> _Own:
    """What the last attempt that passed has judged, or else the last of all.

    Without one, what stands in the notebook or the lab, or stood there before it was begun anew.
    """
    cell = None if exercise.lab else starter_cells.of_exercise(exercise.number)
    there = _there(kept, exercise, cell)
    passed = [each for each in tried if each.told["solved"]]
    for each in passed[-1:] or reversed(tried):
        answer = each.told.get("answer")
        # a starter that has passed is not what was judged: the program that ran the cell did not say which it is
        is_unknown = cell is not None and each.told["solved"] and str(answer).strip() == cell.text.strip()
        if isinstance(answer, str) and answer.strip() and not is_unknown:
            return _Own({"": answer}, there.was_changed)
        if isinstance(answer, dict) and answer:
            return _Own({str(name): str(text) for name, text in answer.items()}, there.was_changed)
    return there


def _there(kept: Session, exercise: Exercise, cell: Cell | None) -> _Own:
    """What stands in the notebook or the lab; where that is the starter, what a reset has put aside last."""
    if exercise.lab:
        files = session.lab_files(exercise.lab)
        older = {} if files else session.older_lab_files(exercise.lab)
        texts = files or dict(older.values())
        return _Own(texts, bool(texts), tuple(path.name for path in older))
    now = kept.notebooks[exercise.notebook]
    for notebook in (now, *kept.older[exercise.notebook]):
        own = notebook.cell(cell.id) if cell else None
        if own is not None and cell is not None and own.text.strip() != cell.text.strip():
            return _Own({"": own.text}, True, () if notebook is now else (notebook.path.name,))
    return _Own({}, False)


def _pairs(exercise: Exercise, own: dict[str, str]) -> list[Pair]:
    """Each text of the learner's beside the reference in its language; the reference alone where there is none."""
    if not own:
        return [Pair(None, Side(_file(exercise, "python"), exercise.answer("python").rstrip()))]
    pairs = []
    for name, text in own.items():
        language = BY_FILE.get(name, "python")
        own_text, reference = masked(text.rstrip()), exercise.answer(language).rstrip()
        one, two = _differing(own_text, reference)
        pairs.append(Pair(Side(name, own_text, one), Side(_file(exercise, language), reference, two)))
    return pairs


def _file(exercise: Exercise, language: str) -> str:
    return LANGUAGES[language].file if exercise.lab else ""


def _differing(one: str, two: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The lines of each text that are not in the other; none where the two have little in common."""
    here, there = _lines(one), _lines(two)
    matcher = difflib.SequenceMatcher(None, here, there, autojunk=False)
    if matcher.ratio() < ALIKE or len(here) + len(there) > 2_000:
        return (), ()
    same_here: set[int] = set()
    same_there: set[int] = set()
    for block in matcher.get_matching_blocks():
        same_here |= set(range(block.a, block.a + block.size))
        same_there |= set(range(block.b, block.b + block.size))
    return (
        tuple(place + 1 for place, line in enumerate(here) if line and place not in same_here),
        tuple(place + 1 for place, line in enumerate(there) if line and place not in same_there),
    )


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]
