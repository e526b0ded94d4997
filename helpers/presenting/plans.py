"""Reads what is presented, section by section and with minutes: a plan of notebooks/plans.toml, or one notebook."""

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import lessons, settings
from ..authoring.source import Section, Source
from ..errors import WorkshopError
from ..lessons import Lesson, LessonError

FILE = settings.NOTEBOOKS / "plans.toml"
MEMBERS: dict[str, Any] = {"title": str, "minutes": (int, float), "sections": list}
ENTRY = ("notebook", "section", "minutes")
# What begins an entry of `sections`; the other matches are comments and texts, where it does not.
BEGINS = re.compile(r"""#.*|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?P<entry>\{|\[\[)""")


class PlanError(WorkshopError):
    """There is no such plan, or it is not as it has to be; one sentence that names the line."""


class Step(NamedTuple):
    """One section of a plan."""

    lesson: Lesson
    section: Section
    minutes: float


class Plan(NamedTuple):
    """What is presented, in its order."""

    title: str
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> float:
        return sum(step.minutes for step in self.steps)


def of_lesson(number: str) -> Plan:
    """The plan of one notebook: all its sections, with the minutes of their notes. Raises LessonError."""
    lesson = lessons.lesson(number)
    return Plan(f"{lesson.number} {lesson.title}", tuple(_all_of(lesson, lesson.minutes)))


def read(name: str, file: Path = FILE) -> Plan:
    """The plan of this name. Raises PlanError."""
    plans = _File(file)
    if name not in plans.tables:
        there = " and ".join(plans.tables) or "none"
        raise PlanError(f"There is no plan {name!r} in {_shown(file)}; there is {there}.")
    return plans.plan(name)


class _File:
    """A file of plans, and where in it what stands."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self.text = file.read_text(encoding="utf-8")
            self.tables: dict[str, Any] = tomllib.loads(self.text)
        except (OSError, UnicodeDecodeError) as error:
            raise PlanError(f"{_shown(file)} cannot be read: {error}.") from None
        except tomllib.TOMLDecodeError as error:
            raise PlanError(f"{_shown(file)} is no TOML: {error}.") from None

    def plan(self, name: str) -> Plan:
        table = self.tables[name]
        head = self._line(name)
        if not isinstance(table, Mapping) or not all(isinstance(table.get(each), MEMBERS[each]) for each in MEMBERS):
            raise self._error(head, f"the plan {name} needs a title, its minutes, and a list of sections")
        if unknown := [each for each in table if each not in MEMBERS]:
            raise self._error(head, f"the plan {name} has {unknown[0]}; a plan has {', '.join(MEMBERS)}")
        steps: list[Step] = []
        tables = 0
        for entry in table["sections"]:
            is_table = isinstance(entry, Mapping)
            steps += self._steps(entry, self._line(name, tables) if is_table else head)
            tables += is_table
        if not steps:
            raise self._error(head, f"the plan {name} has no sections")
        plan = Plan(table["title"], tuple(steps))
        if not math.isclose(plan.minutes, table["minutes"]):
            said, are = _figure(table["minutes"]), _figure(plan.minutes)
            raise self._error(head, f"the plan {name} says {said} minutes, and its sections have {are}")
        return plan

    def _steps(self, entry: Any, line: int) -> Iterator[Step]:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("notebook"), str):
            raise self._error(line, 'a section of a plan is { notebook = "04", section = "Time", minutes = 5 }')
        if unknown := [each for each in entry if each not in ENTRY]:
            raise self._error(line, f"a section of a plan has {', '.join(ENTRY)}, and no {unknown[0]}")
        minutes = entry.get("minutes")
        if minutes is None:
            raise self._error(line, "minutes are missing: how long the section takes")
        if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < math.inf:
            raise self._error(line, f"minutes are a number above 0, and not {minutes!r}")
        try:
            lesson = lessons.lesson(entry["notebook"])
        except LessonError as error:
            raise self._error(line, str(error).rstrip(".")) from None
        if "section" not in entry:
            yield from _all_of(lesson, minutes)
            return
        found = [each for each in Source(lesson).sections if each.heading == entry["section"]]
        if not found:
            raise self._error(line, f"notebook {lesson.number} has no section {entry['section']!r}")
        yield Step(lesson, found[0], minutes)

    def _line(self, name: str, place: int | None = None) -> int:
        """The line on which a plan begins, or the entry at a place of its sections."""
        head = re.search(rf"^\s*\[+\s*[\"']?{re.escape(name)}\b", self.text, re.MULTILINE)
        at = head.start() + len(head[0]) - len(head[0].lstrip()) if head else 0
        if place is not None:
            entries = [each.start() for each in BEGINS.finditer(self.text, at) if each["entry"]]
            at = entries[place] if place < len(entries) else at
        return self.text.count("\n", 0, at) + 1

    def _error(self, line: int, what: str) -> PlanError:
        return PlanError(f"{_shown(self.file)}, line {line}: {what}.")


def _all_of(lesson: Lesson, minutes: float) -> Iterator[Step]:
    """All sections of a notebook; each has its share of the minutes, by its notes, or else an equal one."""
    made_of = Source(lesson)
    noted = made_of.notes
    told: list[float] = [noted[each.heading].minutes if each.heading in noted else 0 for each in made_of.sections]
    shares = told if len(noted) == len(told) and any(told) else [1.0] * len(told)
    for section, share in zip(made_of.sections, shares, strict=True):
        yield Step(lesson, section, minutes * share / sum(shares))


def _figure(minutes: float) -> str:
    return f"{minutes:g}"


def _shown(file: Path) -> str:
    return str(file.relative_to(settings.ROOT)) if file.is_relative_to(settings.ROOT) else str(file)
