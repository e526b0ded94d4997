"""How tests drive a notebook: its cells by their names, and changed answers."""

import ast
import contextlib
from types import ModuleType
from typing import Any

import pytest

from helpers import lessons
from helpers.authoring.source import Cell, Source, solved, unsolved
from helpers.exercises import NotSolved, check
from helpers.session import progress


class Notebook:
    """A notebook that a test runs cell by cell. What its cells have defined are attributes, also to be set.

    What its cells import is there from the start, and then `names`, which may stand in for some of that.
    A cell is named in its source, `# %% make-queue`. To run a cell with another value, set the value after the cell
    that defines it.
    """

    def __init__(self, number: str, **names: Any) -> None:
        source = Source(lessons.lesson(number))
        vars(self).update(source=source, names=_imported(source) | names)

    def run(self, *cells: str) -> None:
        """Run the cells of these names, solved."""
        for name in cells:
            self.run_cell(self.source.cell(name))

    def run_cell(self, cell: Cell) -> None:
        """Run a cell of the source, named or not, solved."""
        exec(compile(solved(cell.text), f"notebook {self.source.name}, cell {cell.name}", "exec"), self.names)

    def text(self, cell: str) -> str:
        """What stands in a cell, as the author wrote it."""
        return self.source.cell(cell).text

    def __getattr__(self, name: str) -> Any:
        try:
            return self.names[name]
        except KeyError:
            raise AttributeError(f"no cell that was run defines {name}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self.names[name] = value


class Starter(Notebook):
    """A notebook as its reader gets it: the cells of its exercises end at their gaps."""

    def run(self, *cells: str) -> None:
        """Run the cells of these names; what a gap has cut off is left undone."""
        for name in cells:
            code = compile(unsolved(self.text(name)), f"starter {self.source.name}, cell {name}", "exec")
            with contextlib.suppress(NotImplementedError):  # a gap that stands in no function
                exec(code, self.names)


def _imported(source: Source) -> dict[str, Any]:
    """The names that the cells of a notebook import."""
    names: dict[str, Any] = {}
    for cell in source.cells:
        if cell.kind == "code":
            found = [
                each for each in ast.parse(solved(cell.text)).body if isinstance(each, ast.Import | ast.ImportFrom)
            ]
            exec(compile(ast.Module(found, []), f"imports of notebook {source.name}", "exec"), names)
    return names


def mutated(text: str, *changes: tuple[str, str]) -> str:
    """An answer with each (old, new) put in; AssertionError where it does not hold the old."""
    for old, new in changes:
        assert old in text, f"{old!r} is not in the answer any more"
        text = text.replace(old, new)
    return text


def refused(*arguments: Any) -> str:
    """Give check() a wrong answer, and return what it says."""
    with pytest.raises(NotSolved) as caught:
        check(*arguments)
    assert progress.solved() == set()
    return str(caught.value)


def checks_of(number: str) -> ModuleType:
    """The checks.py of a lesson."""
    return lessons.lesson(number).module("checks")
