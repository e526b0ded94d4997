"""The code cells of a starter, with their sections, and which of them hold an exercise that nobody has solved yet.

Standard library only: it is there from a kernel's start.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .. import lessons

UNSOLVED = "raise NotImplementedError("  # what a starter has in place of an answer


class Cell(NamedTuple):
    """A code cell of a starter."""

    id: str
    text: str
    section: str


def is_unsolved(code: str) -> bool:
    """Whether an answer is still to be written in this code."""
    return UNSOLVED in code


@lru_cache
def code_cells(starter: Path) -> tuple[Cell, ...]:
    """The code cells of a starter; none where it cannot be read."""
    found, section = [], ""
    try:
        cells = json.loads(starter.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            text = "".join(cell["source"])
            if cell["cell_type"] == "code":
                found.append(Cell(cell["id"], text, section))
            elif begun := lessons.headings(text):
                section = begun[-1]
    except (OSError, ValueError, LookupError, TypeError):
        return ()
    return tuple(found)


def of_exercise(number: str) -> Cell | None:
    """The cell of an exercise: of "03.3" the third of notebook 03 in which there is something to solve."""
    lesson, _, place = number.partition(".")
    cells = [cell for cell in code_cells(lessons.lesson(lesson).starter_path) if is_unsolved(cell.text)]
    return cells[int(place or 1) - 1] if int(place or 1) <= len(cells) else None
