"""Sees which cells of a notebook are run: notes the section that one is at, and keeps the text of each cell.

Standard library only: it is there from a kernel's start.
"""

import contextlib
from typing import Any

from .. import lessons
from ..session import record, starter_cells
from . import this_notebook

_texts: dict[str, str] = {}  # what was run last of each cell, by its id
_at: tuple[str, str] | None = None  # the notebook and the section of the cell that was run last


def watch() -> None:
    """Look at each cell that this kernel runs from now on; a second time changes nothing. Outside of one, nothing."""
    shell = this_notebook.shell()
    if shell is not None and not getattr(shell, "watched_by_workshop", False):
        shell.watched_by_workshop = True
        shell.events.register("pre_run_cell", _before)


def exercise_cell(number: str) -> str | None:
    """What the cell of an exercise, such as "03.3", held when it was run last in this kernel; None if it was not."""
    return _texts.get(_exercise_id(number))


def put_in_exercise_cell(number: str, text: str) -> None:
    """Take note of an answer that was run in place of the cell of an exercise."""
    _texts[_exercise_id(number)] = text


def _before(info: Any) -> None:
    """IPython calls it before a cell runs. It must not raise: a traceback would stand below the reader's cell."""
    with contextlib.suppress(lessons.LessonError, OSError):
        if record.is_on():
            _note(str(getattr(info, "cell_id", None)), str(info.raw_cell))


def _note(cell_id: str, text: str) -> None:
    global _at
    lesson = this_notebook.lesson()
    cells = starter_cells.code_cells(lesson.starter_path) if lesson else ()
    # VS Code has ids of its own: there the text tells, as long as it is the starter's
    cell = next((each for each in cells if each.id == cell_id), None) or next(
        (each for each in cells if each.text.strip() == text.strip()), None
    )
    if lesson is None or cell is None:  # the reader's own
        return
    _texts[cell.id] = text
    if _at != (lesson.number, cell.section):
        _at = (lesson.number, cell.section)
        record.note("section", section=cell.section, cell=cell.id)


def _exercise_id(number: str) -> str:
    cell = starter_cells.of_exercise(number)
    return cell.id if cell else ""
