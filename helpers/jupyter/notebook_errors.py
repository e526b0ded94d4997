"""How a notebook goes on past an exercise that is not solved, and what it says where a cell above has not run.

A frontend stops Run All where the kernel answers a cell with "error". A cell that only lacks the reader's answer shows
one sentence in place of a traceback, and counts as run. Any other error stays an error; of a wait that a cell ends with
a TimeoutError the sentence is shown.

An IPython extension: `lab` gives it to every kernel, so that it is there after a restart, and connect() to all others.
"""

import re
import symtable
from collections.abc import Iterator
from traceback import walk_tb
from types import TracebackType
from typing import Any, NamedTuple

from .. import lessons
from ..errors import WorkshopError
from . import this_notebook

CELL = re.compile(r"^# %%.*\n", re.MULTILINE)
TASK = re.compile(r"^ *# solution: (?P<task>.+)$", re.MULTILINE)


def load_ipython_extension(shell: Any) -> None:
    """Show errors so in this shell; a second time changes nothing. IPython calls it by this name."""
    if not getattr(shell, "shows_workshop_errors", False):
        shell.shows_workshop_errors = True
        _Errors(shell)


class Unsolved(NamedTuple):
    """An exercise as it stands in a notebook's source."""

    number: str
    task: str
    names: frozenset[str]  # what its answer makes


class _Errors:
    """The errors of one shell's cells."""

    def __init__(self, shell: Any) -> None:
        self._missing: dict[str, str] = {}  # a name that an exercise was to make: the exercise
        self._goes_on: BaseException | None = None
        shell.set_custom_exc((NotImplementedError, NameError, TimeoutError, WorkshopError), self._show)
        shell.events.register("post_run_cell", self._after)

    def _show(
        self,
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType,
        tb_offset: int | None = None,
    ) -> None:
        waits = isinstance(error, TimeoutError) and _raised_in_a_cell(shell, trace)  # the notebook's own sentence
        sentence, goes_on = (str(error), False) if waits else self._said(error)
        if sentence is None:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        else:
            shell._showtraceback(kind, error, [sentence])  # as IPython shows an error that renders itself
        self._goes_on = error if goes_on else None

    def _after(self, result: Any) -> None:
        if result.error_in_exec is not None and result.error_in_exec is self._goes_on:
            result.error_in_exec = None  # so that the kernel answers "ok"
        self._goes_on = None

    def _said(self, error: BaseException) -> tuple[str | None, bool]:
        """The one sentence about an error, None for a traceback; and whether the notebook goes on."""
        if isinstance(error, WorkshopError):
            return str(error), error.goes_on
        if isinstance(error, NotImplementedError):
            return self._said_of_exercise(str(error))
        name = getattr(error, "name", None) or ""
        if number := self._missing.get(name):
            return f'This needs exercise {number}: solve it, or run solution("{number}", use=True).', True
        if name in _made_here():
            return (
                f"There is no {name} yet: the cell above that makes it has not run since this kernel started. "
                "Choose Run → Run All Above Selected Cell."
            ), False
        return None, False

    def _said_of_exercise(self, task: str) -> tuple[str | None, bool]:
        found = next((each for lesson in lessons.lessons() for each in exercises_of(lesson) if each.task == task), None)
        if found is None:
            return None, False
        self._missing |= dict.fromkeys(found.names, found.number)
        return f'Exercise {found.number} is yours. {task} (hint("{found.number}") helps.)', True


def _raised_in_a_cell(shell: Any, trace: TracebackType) -> bool:
    """Whether the code of a cell raised it itself, and nothing that it called."""
    *_, (frame, _line) = walk_tb(trace)
    return frame.f_globals is shell.user_ns


def exercises_of(lesson: lessons.Lesson) -> Iterator[Unsolved]:
    """The exercises of a lesson's source, in their order."""
    cells = CELL.split(lesson.source.read_text(encoding="utf-8"))
    found = [(match["task"], cell) for cell in cells if (match := TASK.search(cell))]
    for place, (task, cell) in enumerate(found, start=1):
        number = lesson.number if len(found) == 1 else f"{lesson.number}.{place}"
        yield Unsolved(number, task, frozenset(_names(cell)))


def _made_here() -> set[str]:
    """The names that the cells of the open notebook make; none where nobody says which one is open."""
    lesson = this_notebook.lesson()
    return _names(lesson.source.read_text(encoding="utf-8")) if lesson else set()


def _names(code: str) -> set[str]:
    """The names that a piece of code makes where it runs."""
    symbols = symtable.symtable(code, "notebook", "exec").get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}
