"""What the reader has written as the answer to an exercise, as text for the record."""

import linecache
from pprint import pformat
from typing import Any

from ..jupyter import cells_run
from .exercise import Exercise

LONGEST = 20_000  # characters of a text; nobody's answer is as long


def written(exercise: Exercise, answer: Any) -> str | dict[str, str]:
    """The text of the cell, or of each file of a lab; "" where it cannot be known."""
    if exercise.lab:
        copy = exercise.lab.copy(exercise.lab.language())
        return {copy.name: copy.read_text(encoding="utf-8", errors="replace")[:LONGEST]} if copy.exists() else {}
    if code := getattr(answer, "__code__", None):  # the cell that defines the function, which IPython keeps
        text = "".join(linecache.getlines(code.co_filename))
    elif isinstance(answer, dict):
        text = pformat(answer, sort_dicts=False)
    else:
        text = cells_run.exercise_cell(exercise.number) or ""
    return text.rstrip()[:LONGEST]
