"""The notebooks in which the reader works: copies of the starters, in the folder notebooks/ of WORKSHOP_HOME.

The starters are the workshop's, and git's; nobody works in them. Beside each copy, in .made-of/, is what it was made
of, so that a newer starter can be merged into it, cell by cell (merge.py). Nothing that a reader has written is lost.
"""

import contextlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from .. import settings
from ..errors import WorkshopError
from ..files.free_name import free_name
from ..files.whole_file import write_whole
from ..lessons import Lesson, lessons
from . import links
from .merge import Cell, Change, merged

MADE_OF = ".made-of"  # hidden, so that JupyterLab does not list it
KEPT = re.compile(r"\.(?P<day>\d{4}-\d\d-\d\d)(?:-(?P<number>\d+))?")  # what _dated() puts after a copy's stem


class OwnCopyError(WorkshopError):
    """A copy cannot be read or written; the message is one sentence for the reader."""


class Update(NamedTuple):
    """What was done to a copy."""

    kept: Path  # the copy as it was
    changes: list[Change]


def folder() -> Path:
    """Where they are."""
    return settings.home() / "notebooks"


def path(lesson: Lesson) -> Path:
    """The reader's notebook of a lesson, which may not be there yet."""
    return folder() / lesson.starter_path.name


def kept(lesson: Lesson) -> list[Path]:
    """The reader's notebooks of a lesson as they were before a reset or an update, the latest first."""
    stem = path(lesson).stem
    found = ((KEPT.fullmatch(each.stem.removeprefix(stem)), each) for each in folder().glob(f"{stem}.*.ipynb"))
    dated = [(name["day"], int(name["number"] or 1), each) for name, each in found if name]
    return [each for _, _, each in sorted(dated, reverse=True)]


def make() -> list[str]:
    """Make the copies that are not there yet. Return a sentence for each thing that the reader has to know.

    Where somebody has worked in a starter, as one did before there were copies, the copy begins with that.
    Raises OwnCopyError where they cannot be written.
    """
    said: list[str] = []
    taken_over: list[Lesson] = []
    if folder() == settings.NOTEBOOKS:
        raise OwnCopyError(
            "WORKSHOP_HOME is the folder of the workshop itself; set it to one of your own, such as ~/workshop."
        )
    try:
        (folder() / MADE_OF).mkdir(parents=True, exist_ok=True)
        said += links.lay(folder())
        for lesson in lessons():
            if not path(lesson).exists():
                has_work, is_readable = _make(lesson)
                if has_work and is_readable:
                    taken_over.append(lesson)
                elif has_work:
                    said.append(f"{lesson.starter_path} is no notebook that can be read; your copy begins without it.")
            elif _cells(path(lesson)) is None:
                said.append(_damaged(lesson))
    except OSError as error:
        raise OwnCopyError.about_file(error, folder()) from None
    if taken_over:
        said.append(
            f"You have worked in notebooks/ ({_numbers(taken_over)}): it is in {folder()} now, where you go on. The "
            "files in notebooks/ stay as they are; `git restore notebooks/*.ipynb` gives git its own back."
        )
    return said


def outdated() -> list[Lesson]:
    """The lessons whose starter is not the one that the reader's copy was made of; a damaged copy is left out."""
    return [each for each in lessons() if _cells(path(each)) is not None and _base(each) != _starter(each)]


def newer() -> dict[Lesson, list[Change]]:
    """What update() would change in each copy, or put beside it; lessons in which there is nothing are left out."""
    found = {lesson: _merged(lesson)[2] for lesson in outdated()}
    return {lesson: changes for lesson, changes in found.items() if changes}


def update(lesson: Lesson) -> Update | None:
    """Merge the newer starter into the reader's copy; None where that has nothing new.

    Raises OwnCopyError for a damaged copy, which stays as it is.
    """
    mine, notebook, changes = _merged(lesson)
    kept = None
    try:
        if changes:
            kept = _dated(path(lesson))
            write_whole(kept, path(lesson).read_bytes().decode())
        if notebook["cells"] != mine:
            write_whole(path(lesson), _text(notebook))
        if kept:
            _trust_as(kept, path(lesson))
        write_whole(_base_path(lesson), _starter(lesson))
    except OSError as error:
        raise OwnCopyError.about_file(error, path(lesson)) from None
    return Update(kept, changes) if kept else None


def begin_anew(lesson: Lesson) -> tuple[bool, Path | None]:
    """Put the starter in the place of the reader's copy. Return whether that changed it, and where theirs is kept."""
    mine, starter, kept = path(lesson), _starter(lesson), None
    try:
        if mine.exists():
            if mine.read_bytes() == starter.encode():
                return False, None
            kept = _dated(mine)
            mine.rename(kept)
        (folder() / MADE_OF).mkdir(parents=True, exist_ok=True)
        links.lay(folder())
        write_whole(_base_path(lesson), starter)
        write_whole(mine, starter)
    except OSError as error:
        raise OwnCopyError.about_file(error, mine) from None
    return True, kept


def _make(lesson: Lesson) -> tuple[bool, bool]:
    """Make a copy. Return whether somebody has worked in the starter, and whether it could be read."""
    from ..authoring import work  # only here: it takes a moment to load

    has_work, is_readable = work.is_there(lesson.starter_path), _cells(lesson.starter_path) is not None
    starter = _as_made(lesson) if has_work else _tracked(lesson)
    write_whole(_base_path(lesson), starter)
    write_whole(path(lesson), _tracked(lesson) if has_work and is_readable else starter)
    if has_work and is_readable:
        _trust_as(lesson.starter_path, path(lesson))
    return has_work, is_readable


def _merged(lesson: Lesson) -> tuple[list[Cell], dict[str, Any], list[Change]]:
    """The cells of the reader's copy, the notebook that it becomes, and what has changed."""
    mine = _cells(path(lesson))
    if mine is None:
        raise OwnCopyError(_damaged(lesson))
    theirs = json.loads(_starter(lesson))["cells"]
    base = _cells(_base_path(lesson))
    if base is None:  # nobody knows what the reader has changed: all that is there, then
        own = {cell.get("id") for cell in mine}
        base = [cell for cell in theirs if cell["id"] in own]
    cells, found = merged(mine, base, theirs, date.today())
    notebook: dict[str, Any] = json.loads(path(lesson).read_text(encoding="utf-8"))
    return mine, notebook | {"cells": cells}, found


def _starter(lesson: Lesson) -> str:
    """The text of the starter as a copy has it; of one in which somebody has worked, what its source makes."""
    tracked = _tracked(lesson)
    if tracked == _base(lesson):
        return tracked
    from ..authoring import work

    return _as_made(lesson) if work.is_there(lesson.starter_path) else tracked


def _tracked(lesson: Lesson) -> str:
    """The text of the starter as it stands; of one that an author has not built yet, what its source makes."""
    try:
        return links.placed(lesson.starter_path.read_text(encoding="utf-8"), folder())
    except (FileNotFoundError, UnicodeDecodeError):
        return _as_made(lesson)


def _as_made(lesson: Lesson) -> str:
    from ..authoring import source

    return links.placed(source.to_bytes(source.Source(lesson).starter()).decode(), folder())


def _base_path(lesson: Lesson) -> Path:
    return folder() / MADE_OF / lesson.starter_path.name


def _base(lesson: Lesson) -> str | None:
    """What the copy was made of; None where that is not known any more."""
    try:
        return _base_path(lesson).read_text(encoding="utf-8")
    except (FileNotFoundError, ValueError):
        return None


def _cells(file: Path) -> list[Cell] | None:
    """The cells of a notebook; None for a file that is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["cells"]
    except (FileNotFoundError, ValueError, RecursionError, LookupError, TypeError):
        return None
    sound = isinstance(found, list) and all(isinstance(each, dict) and "source" in each for each in found)
    return found if sound else None


def _text(notebook: dict[str, Any]) -> str:
    """As nbformat and JupyterLab write it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _dated(mine: Path) -> Path:
    """A free name with today's date: 04-cold-start.2026-11-30.ipynb. It is beside the copy, so that its links work."""
    named = f"{mine.stem}.{date.today().isoformat()}"
    return free_name(mine.parent, f"{named}.ipynb", f"{named}-{{}}.ipynb")


def _trust_as(former: Path, now: Path) -> None:
    """Let JupyterLab show the pictures of one notebook if it does those of the other, of which it was made."""
    import nbformat
    from nbformat.sign import NotebookNotary

    with contextlib.suppress(OSError, ValueError, nbformat.ValidationError):
        notary = NotebookNotary()
        if notary.check_signature(nbformat.read(former, as_version=4)):
            notary.sign(nbformat.read(now, as_version=4))


def _damaged(lesson: Lesson) -> str:
    return (
        f"{path(lesson)} is no notebook that can be read, and stays as it is; "
        f"`python3 -m helpers reset {lesson.number}` begins it anew."
    )


def _numbers(found: list[Lesson]) -> str:
    return ", ".join(each.number for each in found)
