"""Gathers what Sphinx reads into a folder: a notebook for each page, and the pictures and files that they show."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .. import settings
from ..errors import WorkshopError
from ..lessons import Lesson, lessons
from . import pages
from .links import FRONT, Links
from .outputs import Shown

AS_THEY_ARE = "as-they-are"  # the folder of what the site has without a change


class NoSolution(WorkshopError):
    """A lesson has no solution that was executed; the message is one sentence for the reader."""


def gather(into: Path, repository: str | None) -> None:
    """Write the source of the whole site. Raises NoSolution."""
    links, shown = Links(repository), Shown()
    for lesson in lessons():
        _write(into / f"{lesson.stem}.ipynb", pages.of_lesson(lesson, _solution(lesson), links, shown))
    _write(into / f"{FRONT}.ipynb", pages.front(lessons(), links))
    made: set[str] = set()
    while new := links.files.keys() - made:  # a page of a file may lead to others
        for place in sorted(new):
            _write(into / place, pages.of_file(links.files[place], place, links))
        made |= new
    for place, file in links.pictures.items():
        _put(into / place, file.read_bytes())
    for place, content in shown.pictures.items():
        _put(into / place, content)
    for place, file in links.downloads.items():
        _put(into / AS_THEY_ARE / place, file.read_bytes())


def _solution(lesson: Lesson) -> NotebookNode:
    if not lesson.solution_path.is_file():
        name = lesson.solution_path.relative_to(settings.ROOT)
        raise NoSolution(f"{name} is not there; `python3 -m helpers build` makes it.")
    solution: NotebookNode = nbformat.read(lesson.solution_path, as_version=4)
    return solution


def _write(file: Path, page: NotebookNode) -> None:
    _put(file, nbformat.writes(page).encode())


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
