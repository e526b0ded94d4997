"""The lessons of the workshop: the one list of them, derived from the folders in notebooks/lessons.

A lesson is a folder with its notebook's source, the checks of its exercises, its functions and its pictures. Standard
library only; the exercises of a lesson are loaded where they are asked for.
"""

import importlib
import re
import sys
import types
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import settings
from .errors import WorkshopError
from .facts import fill

if TYPE_CHECKING:
    from .exercises.exercise import Exercise

STEM = re.compile(r"\d\d(-[a-z0-9]+)+")
MINUTES = re.compile(r"It takes about (?P<minutes>\d+) minutes\.")
PART = re.compile(r"in the part \"(?P<part>[^\"]+)\"")
# What begins a section of a notebook, and where nothing does
SECTION = re.compile(r"^## +(.+?) *#*$", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
# As a notebook names a slide: "Services that correspond to XaaS" (XaaSに対応するサービス, page 14)
SLIDE = re.compile(
    r"\"(?P<title>[^\"]+)\" \((?:「(?P<quoted>[^」]+)」|(?P<original>.+?)), "
    r"pages? (?P<first>\d+)(?: (?:and|to) (?P<last>\d+))?\)"
)


class LessonError(WorkshopError):
    """A lesson that is not there, or whose folder is not as it has to be; one sentence for the reader."""


@dataclass(frozen=True)
class Slide:
    """A section of the slides, by its title in English and in Japanese, and its pages."""

    title: str
    original: str
    first: int
    last: int

    @property
    def pages(self) -> str:
        """E.g. "page 7", "pages 8 and 9", or "pages 15 to 22"."""
        if self.first == self.last:
            return f"page {self.first}"
        return f"pages {self.first} {'and' if self.last == self.first + 1 else 'to'} {self.last}"


@dataclass(frozen=True)
class Lesson:
    """One lesson, by its folder, such as notebooks/lessons/14-event-driven-pdf. Hash and equality are the folder's."""

    folder: Path

    @property
    def stem(self) -> str:
        """E.g. "14-event-driven-pdf": the name of its folder, its notebook and its tests."""
        return self.folder.name

    @property
    def number(self) -> str:
        """E.g. "14"."""
        return self.stem[:2]

    @property
    def source(self) -> Path:
        """The one source of its notebook, in jupytext's py:percent."""
        return self.folder / "notebook.py"

    @property
    def starter_path(self) -> Path:
        """The notebook that a reader opens."""
        return self.folder.parent.parent / f"{self.stem}.ipynb"

    @property
    def solution_path(self) -> Path:
        """The same, solved and executed."""
        return self.folder.parent.parent / "solutions" / f"{self.stem}.ipynb"

    @property
    def calls_path(self) -> Path:
        """What the solution called in AWS, by which policies are made."""
        return self.solution_path.parent / "calls" / f"{self.stem}.json"

    @property
    def other_calls_path(self) -> Path:
        """What a reader may call and the solution does not: on AWS, or where something goes wrong. Few have it."""
        return self.folder / "calls.json"

    @property
    def title(self) -> str:
        """E.g. "Event-driven PDF", as the notebook's heading says it."""
        heading = re.compile(rf"^# {self.number} (?P<title>.+)", re.MULTILINE)
        return self._told(heading, f"its heading, such as `# {self.number} Cold start`")["title"]

    @property
    def minutes(self) -> int:
        return int(self._told(MINUTES, "how long it takes: `It takes about 30 minutes.`")["minutes"])

    @property
    def part(self) -> str:
        """The part of the slides that it belongs to, e.g. "Know Lambda"; "" for a notebook outside of them."""
        found = PART.search(" ".join(self._opening.split()))  # a line may end within
        return found["part"] if found else ""

    @property
    def slides(self) -> tuple[Slide, ...]:
        """The sections of the slides that it goes through; none for a notebook outside of them."""
        text = " ".join(self._opening.partition("Slides:")[2].split())
        return tuple(
            Slide(
                found["title"],
                found["quoted"] or found["original"],
                int(found["first"]),
                int(found["last"] or found["first"]),
            )
            for found in SLIDE.finditer(text)
        )

    @property
    def learn(self) -> str:
        """What one learns first of all: the first item of the notebook's opening list."""
        found = re.search(r"^- (?P<item>.+?)(?=\n- |\n\n|\Z)", self._opening, re.MULTILINE | re.DOTALL)
        if not found:
            raise LessonError(f"{self.source} does not open with a list of what one learns; write it.")
        return " ".join(found["item"].split()).rstrip(";.")

    @property
    def functions(self) -> dict[str, Path]:
        """The Lambda functions that it introduces: name, such as "pdf-splitter", and folder."""
        return {path.name: path for path in sorted((self.folder / "functions").glob("*")) if path.is_dir()}

    @property
    def lab(self) -> Path | None:
        """The one of its functions that the reader writes, in a lesson that is a lab: it has starters."""
        return next((folder for folder in self.functions.values() if (folder / "starter").is_dir()), None)

    @cached_property
    def exercises(self) -> "tuple[Exercise, ...]":
        """Its exercises in their order, from its checks.py; none where it has no such file."""
        if not (self.folder / "checks.py").exists():
            return ()
        exercises: tuple[Exercise, ...] = self.module("checks").EXERCISES
        if strays := [each.number for each in exercises if each.number[:2] != self.number]:
            raise LessonError(f"{self.folder / 'checks.py'} numbers an exercise {strays[0]}; begin with {self.number}.")
        return exercises

    @property
    def _opening(self) -> str:
        """The prose of the notebook's first cell."""
        cell = self.source.read_text(encoding="utf-8").partition("\n# %%")[0]
        return fill("\n".join(line.removeprefix("#").removeprefix(" ") for line in cell.splitlines()[1:]))

    def _told(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.search(self._opening) or pattern.search(" ".join(self._opening.split()))
        if not found:
            raise LessonError(f"The first cell of {self.source} does not say {what}.")
        return found

    def module(self, name: str) -> types.ModuleType:
        """A Python file of its folder, as a module of a package that stands for the folder."""
        package = "lesson_" + self.stem.replace("-", "_")
        known = sys.modules.get(package)
        if known is None or known.__path__ != [str(self.folder)]:
            for old in [each for each in sys.modules if each == package or each.startswith(package + ".")]:
                del sys.modules[old]  # of a lesson with the same name in another checkout
            sys.modules[package] = made = types.ModuleType(package, "A lesson's folder.")
            made.__path__ = [str(self.folder)]
        return importlib.import_module(f"{package}.{name}")


def lessons() -> list[Lesson]:
    """All lessons in their order. Raises LessonError for a folder whose name is no lesson's, or a number twice."""
    return lessons_in(settings.NOTEBOOKS)


def lessons_in(notebooks: Path) -> list[Lesson]:
    """The lessons below a folder of notebooks."""
    folders = sorted(each for each in (notebooks / "lessons").glob("[!_.]*") if each.is_dir())
    for place, folder in enumerate(folders):
        if not STEM.fullmatch(folder.name):
            raise LessonError(f"{folder} is no lesson's name; name it like 04-cold-start.")
        if not (folder / "notebook.py").exists():
            raise LessonError(f"{folder} has no notebook.py; write the source of its notebook.")
        if place and folder.name[:2] == folders[place - 1].name[:2]:
            raise LessonError(f"{folders[place - 1].name} and {folder.name} have the same number; give each its own.")
    return [_known.setdefault(folder, Lesson(folder)) for folder in folders]


def headings(prose: str) -> list[str]:
    """The headings in prose of a notebook that begin sections: those of the second level, outside of code."""
    return SECTION.findall(FENCED.sub("", prose))


_known: dict[Path, Lesson] = {}  # so that a lesson's exercises are loaded once


def numbered(notebook: str | int) -> str:
    """The number of a notebook as it stands in its name: "04" for "4" and for 4."""
    text = str(notebook).strip()
    return text.zfill(2) if text else text


def lesson(number: str | int) -> Lesson:
    """The lesson with this number, e.g. "04" or "4". Raises LessonError when there is none."""
    there = {each.number: each for each in lessons()}
    if numbered(number) not in there:
        raise LessonError(
            f"There is no notebook {number!r}; name it by its number, from {min(there)!r} to {max(there)!r}."
        )
    return there[numbered(number)]


def exercises() -> "dict[str, Exercise]":
    """Every exercise by its number, e.g. "01.2"; loading them all needs the environment."""
    return {exercise.number: exercise for each in lessons() for exercise in each.exercises}


def function_folder(name: str) -> Path:
    """The folder of a Lambda function of the workshop, e.g. of "pdf-splitter". Raises LessonError."""
    there = functions()
    if name not in there:
        raise LessonError(f"There is no function {name!r} in the workshop; there are {', '.join(sorted(there))}.")
    return there[name]


def functions() -> dict[str, Path]:
    """Every Lambda function of the workshop: name and folder. Raises LessonError where two lessons have one name."""
    return functions_in(settings.NOTEBOOKS)


def functions_in(notebooks: Path) -> dict[str, Path]:
    """The functions of the lessons below a folder of notebooks."""
    found: dict[str, Path] = {}
    for each in lessons_in(notebooks):
        for name, folder in each.functions.items():
            if name in found:
                raise LessonError(f"{found[name]} and {folder} have the same name; rename one of them.")
            found[name] = folder
    return found
