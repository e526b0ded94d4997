"""Reads the one source of a notebook, a py:percent file, and makes its starter and its solution."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import jupytext
import nbformat
from nbformat import NotebookNode

from ..facts import fill
from ..jupyter.notebook_files import METADATA
from ..lessons import Lesson, headings, lessons_in
from ..session.starter_cells import UNSOLVED
from . import notes

# A comment that looks like a magic stays a comment.
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

SOLUTION = re.compile(r"(?P<indent> *)# solution: (?P<task>\S.*)")
PICTURE = re.compile(r"# picture: (?P<file>[a-z0-9-]+\.png)")
RAISES = re.compile(r"# raises (?P<name>\w+)")
# How a solution begins to import ours, and what it says there, as in: import helpers.in_a_solution.
OURS = re.compile(r"^from helpers import ", re.MULTILINE)
APART = "import helpers.in_a_solution  # it counts nothing, and leaves your files alone\n"
# What asks for a prediction, and what answers it; each finds the key, such as 02.a.
PREDICT = re.compile(r"^ *predict\(\s*[\"']([^\"']*)", flags=re.MULTILINE)
PREDICTED = re.compile(r"^ *predicted\(\s*[\"']([^\"']*)", flags=re.MULTILINE)
MEASURES = re.compile(r"\breports\(")
# What a measurement has to show, see helpers/measuring/claims.py.
CLAIM = re.compile(r"\bclaim\(")
NOTES = "notes"
# A cell whose code draws a picture: it is folded away until the reader opens it.
FOLDED = {"jupyter": {"source_hidden": True}}
# A relative link or picture, other than a link to another notebook, which has its solution beside it.
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|\d\d-[a-z0-9-]+\.ipynb)(?=[^)\s])")


class Cell(NamedTuple):
    """One cell of a source."""

    kind: str  # "code", "markdown", or "notes" for what an instructor says, which is in no notebook
    text: str
    name: str = ""  # becomes its id in the notebook; tests drive a notebook by the names of its cells
    is_folded: bool = False


class Section(NamedTuple):
    """What stands under one heading of the second level. Prose with several headings is in the section of each."""

    heading: str  # "" for the opening of the notebook
    cells: list[Cell]
    notes: str  # "" where there are none


@dataclass(frozen=True)
class Source:
    """The notebook of one lesson. The notebooks made of it are new objects each time, and without outputs."""

    lesson: Lesson

    @property
    def name(self) -> str:
        return self.lesson.stem

    @property
    def starter_path(self) -> Path:
        return self.lesson.starter_path

    @property
    def solution_path(self) -> Path:
        return self.lesson.solution_path

    @cached_property
    def text(self) -> str:
        return self.lesson.source.read_text(encoding="utf-8")

    @cached_property
    def written(self) -> list[Cell]:
        """Every cell, the instructor's notes too: code as written, prose with its facts about AWS."""
        return [cell._replace(text=_with_facts(cell.kind, cell.text)) for cell in _read(self.text)]

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell of its notebooks."""
        return [cell for cell in self.written if cell.kind != NOTES]

    @cached_property
    def sections(self) -> list[Section]:
        """Its sections, in their order. The notes of one follow the prose that its heading is in.

        Where that prose has several headings, their notes follow it one after the other.
        """
        found: list[Section] = []
        waiting: list[int] = []  # the places of the sections whose notes may follow now
        for cell in self.written:
            if cell.kind == NOTES:
                if waiting:
                    place = waiting.pop(0)
                    found[place] = found[place]._replace(notes=cell.text)
                continue
            begun = ([] if found else [""]) + (headings(cell.text) if cell.kind == "markdown" else [])
            waiting = list(range(len(found), len(found) + len(begun)))
            found += [Section(heading, [cell], "") for heading in begun]
            if not begun:
                found[-1].cells.append(cell)
        return found

    @cached_property
    def notes(self) -> dict[str, notes.Notes]:
        """What an instructor says, by the headings of the sections that have notes. Raises NotesError."""
        return {section.heading: notes.read(section.notes) for section in self.sections if section.notes}

    def cell(self, name: str) -> Cell:
        """The cell of this name. Raises KeyError."""
        found = [cell for cell in self.cells if cell.name == name]
        if not found:
            named = ", ".join(cell.name for cell in self.cells if cell.name)
            raise KeyError(f"notebook {self.lesson.number} has no cell {name!r}; there are: {named}")
        return found[0]

    def starter(self) -> NotebookNode:
        """The notebook that a reader opens: exercises unsolved."""
        return _notebook(
            [cell._replace(text=unsolved(cell.text)) if cell.kind == "code" else cell for cell in self.cells]
        )

    def solved(self) -> NotebookNode:
        """The notebook for solutions/, not yet executed. Its relative links lead one folder up."""
        cells = [
            cell._replace(text=solved(cell.text) if cell.kind == "code" else LINK.sub("../", cell.text))
            for cell in self.cells
        ]
        for place, cell in enumerate(cells):
            if cell.kind == "code" and OURS.search(cell.text):
                cells[place] = cell._replace(text=OURS.sub(lambda line: APART + line[0], cell.text, count=1))
                break  # before anything of ours is used
        return _notebook(cells)

    def solved_as(self, executed: NotebookNode) -> NotebookNode | None:
        """The solution with the outputs of an executed one that has the same code; None where its code is another."""
        notebook = self.solved()
        ours, theirs = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (notebook, executed))
        if [cell.source for cell in ours] != [cell.source for cell in theirs]:
            return None
        for cell, done in zip(ours, theirs, strict=True):
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
        return notebook


def sources(folder: Path) -> list[Source]:
    """The sources of all lessons below the notebooks' folder, in their order."""
    return [Source(lesson) for lesson in lessons_in(folder)]


def unsolved(code: str) -> str:
    """A code cell as the reader gets it: up to its `# solution:` line, and an error in place of the rest."""
    kept = []
    for line in code.splitlines():
        if match := SOLUTION.fullmatch(line):
            task = json.dumps(match["task"], ensure_ascii=False)  # JSON's strings are Python's, too
            kept.append(f"{match['indent']}{UNSOLVED}{task})")
            break
        kept.append(line)
    return "\n".join(kept)


def gap(code: str) -> str:
    """What a code cell holds after its `# solution:` line: what its reader has to find."""
    lines = code.splitlines()
    begins = next(place for place, line in enumerate(lines) if SOLUTION.fullmatch(line))
    return "\n".join(lines[begins + 1 :])


def solved(code: str) -> str:
    """A code cell with its solution: the `# solution:` line is gone."""
    return "\n".join(line for line in code.splitlines() if not SOLUTION.fullmatch(line))


def is_exercise(code: str) -> bool:
    """Whether a code cell, as written, holds an exercise."""
    return solved(code) != code


def is_unsolved(cell: NotebookNode) -> bool:
    """Whether this is an exercise that nobody has solved yet."""
    return cell.cell_type == "code" and UNSOLVED in cell.source


def is_check(cell: NotebookNode) -> bool:
    """Whether this cell checks the exercise before it."""
    return cell.cell_type == "code" and first_line(cell) == "# check"


def shown_error(cell: NotebookNode) -> str | None:
    """The name of the exception that this cell is there to show, if it is."""
    match = RAISES.fullmatch(first_line(cell)) if cell.cell_type == "code" else None
    return match["name"] if match else None


def first_line(cell: NotebookNode) -> str:
    return str(cell.source).split("\n", 1)[0]


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook: the same notebook gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_bytes(notebook))


def to_bytes(notebook: NotebookNode) -> bytes:
    nbformat.validate(notebook)
    written: str = nbformat.writes(notebook, version=4)
    return f"{written}\n".encode()


@lru_cache
def _read(text: str) -> list[Cell]:
    """The cells of a source as written. Kept: jupytext takes a tenth of a second, and each hint begins here."""
    cells = jupytext.reads(text, fmt=PERCENT).cells
    found = [Cell(cell.cell_type, cell.source, *_mark(cell.metadata.get("title", ""))) for cell in cells]
    return [Cell(NOTES, each.text) if (each.kind, each.name) == ("markdown", NOTES) else each for each in found]


def _mark(title: str) -> tuple[str, bool]:
    """What the line that begins a cell says of it: its name, and whether it is folded."""
    name, _, folded = title.partition(" ")
    return name, bool(folded)


def _with_facts(kind: str, text: str) -> str:
    return text if kind == "code" else fill(text)


def _notebook(cells: list[Cell]) -> NotebookNode:
    notebook: NotebookNode = nbformat.v4.new_notebook(metadata=METADATA)
    seen: Counter[tuple[str, str]] = Counter()
    for kind, text, name, is_folded in cells:
        seen[kind, text] += 1
        # From the content, so that building again gives the same ids; the count tells equal cells apart.
        digest = hashlib.sha256(f"{kind}\n{seen[kind, text]}\n{text}".encode()).hexdigest()
        written = {"source": text, "id": name or digest[:12], "metadata": FOLDED if is_folded else {}}
        is_code = kind == "code"
        cell = nbformat.v4.new_code_cell(**written) if is_code else nbformat.v4.new_markdown_cell(**written)
        notebook.cells.append(cell)
    notebook.nbformat_minor = 5
    return notebook
