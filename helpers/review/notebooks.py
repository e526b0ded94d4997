"""Reads a lesson's notebook as its learner has it: sections, cells and outputs; the starter where there is no own copy.

A notebook may hold anything: whatever cannot be read is a problem that the page tells, and the rest is there.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .. import lessons, own_copies
from ..lessons import Lesson
from ..masks import masked
from .strings import words

PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif")  # the first that there is
SVG = "{http://www.w3.org/2000/svg}svg"
# what reading a file that may hold anything raises
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
LONGEST = 20_000  # characters of a text that a page shows


@dataclass(frozen=True)
class Picture:
    """A picture of an output, as an address that holds it, and what it shows in words."""

    source: str
    alt: str
    section: "Section"


@dataclass
class Cell:
    """A cell: what is written in it, and what came of it."""

    id: str
    kind: str  # "code", or what it is else
    text: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    was_run: bool = False
    pictures: dict[int, Picture] = field(default_factory=dict)  # by the place of the output


@dataclass
class Section:
    """A section: its heading, "" for what comes before the first, and the cells after it."""

    heading: str
    anchor: str
    code: list[Cell] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The heading without its marks."""
        return re.sub(r"[`*]", "", self.heading) or words("opening")

    @property
    def was_run(self) -> bool:
        return any(cell.was_run for cell in self.code)


@dataclass
class Notebook:
    """A notebook, its cells in order, and what was wrong with it."""

    lesson: Lesson
    path: Path
    is_own: bool
    cells: list[Cell]
    problems: list[str] = field(default_factory=list)

    @property
    def page(self) -> str:
        """The page that shows it, below the review's folder."""
        return f"notebooks/{self.path.stem}.html"

    @property
    def was_run(self) -> bool:
        return self.is_own and any(cell.was_run for cell in self.cells)

    @cached_property
    def sections(self) -> list[Section]:
        sections, anchors = [Section("", "opening")], {"opening"}
        for cell in self.cells:
            if cell.kind == "code":
                sections[-1].code.append(cell)
            for heading in headings(cell):
                anchor = _anchor(heading, anchors)
                anchors.add(anchor)
                sections.append(Section(heading, anchor))
        for section in sections:
            for cell in section.code:
                self._find_pictures(cell, section)
        return sections

    @property
    def pictures(self) -> list[Picture]:
        return [each for section in self.sections for cell in section.code for each in cell.pictures.values()]

    def section(self, heading: str) -> Section | None:
        return next((each for each in self.sections if each.heading == heading), None)

    def section_with(self, call: re.Pattern[str]) -> Section | None:
        """The first section with a code cell in which the pattern is."""
        return next((each for each in self.sections if any(call.search(cell.text) for cell in each.code)), None)

    def cell(self, cell_id: str) -> Cell | None:
        return next((each for each in self.cells if each.id == cell_id), None)

    def _find_pictures(self, cell: Cell, section: Section) -> None:
        for place, output in enumerate(cell.outputs):
            kind = next((each for each in PICTURES if each in output.get("data", {})), None)
            if kind is None:
                continue
            alt = _told(output, kind) or words("picture.without_words", section=section.title)
            content = output["data"][kind]
            source = _source(kind, _joined(content)) if isinstance(content, str | list) else ""
            if source:
                cell.pictures[place] = Picture(source, masked(alt), section)
            else:
                self.problems.append(words("problem.picture", notebook=self.path.name, section=section.title))


def headings(cell: Cell) -> list[str]:
    """The headings in a cell that begin a section."""
    return [] if cell.kind != "markdown" else lessons.headings(cell.text)


def read(lesson: Lesson) -> Notebook:
    """The learner's own copy of a lesson's notebook, or its starter where there is none, or none that can be read."""
    path = own_copies.path(lesson)
    problems: list[str] = []
    if path.exists():
        try:
            cells = _cells(path, problems)
            return Notebook(lesson, path, True, cells, problems)
        except UNREADABLE as problem:
            problems.append(words("problem.notebook", notebook=path.name, path=path, why=_why(problem)))
    return Notebook(lesson, lesson.starter_path, False, starter(lesson), problems)


def older(lesson: Lesson) -> list[Notebook]:
    """The learner's copies as they were before a reset or an update, the latest first."""
    found = []
    for path in own_copies.kept(lesson):
        problems: list[str] = []
        cells: list[Cell] = []
        try:
            cells = _cells(path, problems)
        except UNREADABLE as problem:
            problems.append(words("problem.older", notebook=path.name, path=path, why=_why(problem)))
        found.append(Notebook(lesson, path, True, cells, problems))
    return found


def _why(problem: BaseException) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return words("problem.no_notebook")


@lru_cache
def starter(lesson: Lesson) -> list[Cell]:
    """The cells of a lesson's notebook as it begins."""
    try:
        return _cells(lesson.starter_path, [])
    except UNREADABLE:
        from ..authoring.source import Source  # only here: it takes a moment to load

        return [_cell(each) for each in Source(lesson).starter().cells]


def _cells(path: Path, problems: list[str]) -> list[Cell]:
    found = json.loads(path.read_bytes())["cells"]
    if not isinstance(found, list):
        raise TypeError
    cells = []
    for place, each in enumerate(found, 1):
        try:
            cells.append(_cell(each))
        except (LookupError, TypeError, AttributeError):
            problems.append(words("problem.cell", notebook=path.name, place=place))
    return cells


def _cell(found: Any) -> Cell:
    outputs = found.get("outputs") or []
    outputs = [each for each in outputs if isinstance(each, dict) and isinstance(each.get("data", {}), dict)]
    was_run = found.get("execution_count") is not None or bool(outputs)
    return Cell(str(found.get("id", "")), str(found["cell_type"]), _joined(found["source"]), list(outputs), was_run)


def _joined(text: Any) -> str:
    """A text of a notebook, which may be a list of its lines."""
    if isinstance(text, list):
        return "".join(str(each) for each in text)
    if not isinstance(text, str):
        raise TypeError
    return text


def text_of(output: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What an output says, as (kind, text): "text", "markdown" or "html"; nothing where it is a picture alone."""
    data = output.get("data", {})
    for kind, mime in (("html", "text/html"), ("markdown", "text/markdown"), ("text", "text/plain")):
        if isinstance(data.get(mime), str | list):
            yield kind, _shown(_joined(data[mime]))
            return
    if isinstance(output.get("text"), str | list):
        yield "text", _shown(_joined(output["text"]))
    elif output.get("output_type") == "error":
        said = output.get("traceback")
        lines = said if isinstance(said, list) and said else [f"{output.get('ename')}: {output.get('evalue')}"]
        yield "text", _shown("\n".join(map(str, lines)))


def _shown(text: str) -> str:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)  # colours of a terminal
    # of what a progress bar has written over itself, the last
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    more = len(text) - LONGEST
    # a secret that is cut in two is one all the same
    shown = masked(text[: LONGEST + 500])
    return shown if more <= 0 else f"{shown[:LONGEST]}\n{words('cut', n=more)}"


def _told(output: dict[str, Any], kind: str) -> str:
    """The alternative text of a picture, from its metadata or from the text beside it."""
    metadata = output.get("metadata")
    told = metadata.get(kind) if isinstance(metadata, dict) else None
    alt = told.get("alt") if isinstance(told, dict) else None
    if isinstance(alt, str):
        return alt
    plain = output["data"].get("text/plain")
    text = _joined(plain).strip().strip("'\"") if isinstance(plain, str | list) else ""
    return "" if text.startswith("<") else " ".join(text.split())


def _source(kind: str, content: str) -> str:
    """A picture as an address that holds it; "" where it is none. In an <img>, no script of it runs."""
    if kind == "image/svg+xml":
        content = masked(content)
        try:
            is_svg = "<!ENTITY" not in content and ElementTree.fromstring(content).tag == SVG
        except ElementTree.ParseError:
            is_svg = False
        return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}" if is_svg else ""
    try:
        picture = base64.b64decode(content, validate=False)
    except (binascii.Error, ValueError):
        return ""
    begins = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}[kind]
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}" if picture.startswith(begins) else ""


def _anchor(heading: str, taken: set[str]) -> str:
    name = "-".join(re.findall(r"[a-z0-9]+", heading.lower())) or "section"
    number, anchor = 1, name
    while anchor in taken:
        number += 1
        anchor = f"{name}-{number}"
    return anchor
