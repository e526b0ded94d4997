"""The pages of the site as notebooks, which Sphinx reads: those of solutions/, other files, and the front page."""

import re
from copy import deepcopy
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

from .. import settings
from ..jupyter.notebook_files import METADATA
from ..lessons import Lesson
from ..pages.fenced import fenced
from ..repository import address, live
from .links import FRONT, Links, Place
from .outputs import Shown

AS_JUPYTER = {"myst": {"gfm_only": True}}  # JupyterLab's Markdown, and nothing that MyST adds
ALONE = AS_JUPYTER | {"orphan": True}  # a page that the map does not list
FOLDED = "hide-input"  # myst-nb's tag for a cell whose code is folded away
BIG = 1_000_000  # bytes of a file that is downloaded, and not shown


def of_lesson(lesson: Lesson, notebook: NotebookNode, links: Links, shown: Shown) -> NotebookNode:
    """The page of a solution, as it was executed."""
    page, place = deepcopy(notebook), Place(lesson.solution_path.parent, f"{lesson.stem}.ipynb")
    page.metadata = nbformat.from_dict(METADATA | AS_JUPYTER)
    markdown, follow = partial(links.in_markdown, place=place), partial(links.follow, place=place)
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = markdown(cell.source)
        elif cell.cell_type == "code":
            cell.metadata = nbformat.from_dict({"tags": [FOLDED]} if _is_folded(cell) else {})
            shown.change(cell.outputs, markdown, follow)
    if links.repository:
        heading, _, rest = page.cells[0].source.partition("\n")
        page.cells[0].source = f"{heading}\n\n{_live(links.repository, lesson)}\n{rest}"
    return page


def of_file(file: Path, name: str, links: Links) -> NotebookNode:
    """The page of another file of the repository, by its name in the site: Markdown, or source as it is written."""
    place, path = Place(file.parent, name), file.relative_to(settings.ROOT).as_posix()
    try:
        text = file.read_text(encoding="utf-8") if file.stat().st_size < BIG else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        return _page(f"# {file.name}\n\n`{path}` holds no text: [{file.name}]({links.download(file, place)})")
    if file.suffix == ".md":
        return _page(links.in_markdown(text, place))
    return _page(f"# {file.name}\n\n`{path}`\n\n{fenced(text.rstrip(), _language(file))}")


def front(lessons: list[Lesson], links: Links) -> NotebookNode:
    """The front page: what the workshop is, in README.md's words, and the map of it."""
    readme, place = settings.ROOT / "README.md", Place(settings.ROOT, f"{FRONT}.ipynb")
    opening = re.split(r"\n(?:!\[|## )", readme.read_text(encoding="utf-8"), maxsplit=1)[0]  # its words
    rows = [
        f"| [{each.number} {each.title}]({each.stem}.html) | {each.minutes}&nbsp;min | {each.learn} |"
        for each in lessons
    ]
    about = (
        "## The map\n\nThese are the notebooks, solved: with the answers to their exercises, and with what one "
        "execution on the embedded AWS has shown. "
        f"[README.md]({links.follow(readme.name, place)}) says how to run them yourself."
    )
    if links.repository:
        services = " or ".join(f"[{name}]({url})" for name, url in live(links.repository).items())
        about += f" Or open the workshop live, in {services}."
    table = "\n".join(["| notebook | time | you learn to |", "|---|---|---|", *rows])
    cells = [links.in_markdown(opening, place), about, table, _contents(lessons)]
    return _notebook(cells, METADATA)


def _contents(lessons: list[Lesson]) -> str:
    """The order of the pages, for the list beside them and for next and back."""
    parts = [(part, list(group)) for part, group in groupby(lessons, lambda lesson: lesson.part)]
    return "\n\n".join(
        "\n".join(
            [
                "```{toctree}",
                ":hidden:",
                *([f":caption: {part}"] if part else []),
                *(f"{each.number} {each.title} </{each.stem}>" for each in group),
                "```",
            ]
        )
        for part, group in parts
    )


def _live(repository: str, lesson: Lesson) -> str:
    """The line that opens a notebook where it runs, and where its exercises are open."""
    notebook = lesson.starter_path.relative_to(settings.ROOT).as_posix()
    services = " or ".join(f"[{name}]({url})" for name, url in live(repository, notebook).items())
    return f"Open it live, in {services}, or see [the notebook on GitHub]({address(repository, notebook)})."


def _is_folded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def _page(text: str) -> NotebookNode:
    return _notebook([text], METADATA | ALONE)


def _notebook(texts: list[str], metadata: dict[str, Any]) -> NotebookNode:
    cells = [nbformat.v4.new_markdown_cell(text, id=f"cell-{number}") for number, text in enumerate(texts)]
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    return notebook


def _language(file: Path) -> str:
    try:
        return str(get_lexer_for_filename(file.name).aliases[0])
    except ClassNotFound:
        return "text"
