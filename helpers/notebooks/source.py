"""Reads the one source of a notebook, a py:percent file, and makes its starter and its solution."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

# The whole metadata of a built notebook: no version of Python, which would differ from machine to machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
# A comment that looks like a magic stays a comment.
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

FILE_NAME = re.compile(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*\.py")
SOLUTION = re.compile(r"(?P<indent> *)# solution: (?P<task>\S.*)")
PICTURE = re.compile(r"# picture: (?P<file>[a-z0-9-]+\.png)")
RAISES = re.compile(r"# raises (?P<name>\w+)")
# A relative link or picture, other than a link to another notebook, which has its solution beside it.
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|\d\d-[a-z0-9-]+\.ipynb)(?=[^)\s])")


@dataclass(frozen=True)
class Source:
    """One file of notebooks/src. The notebooks made of it are new objects each time, and without outputs."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem.replace("_", "-")  # e.g. "04-cold-start"

    @property
    def starter_path(self) -> Path:
        return self.path.parent.parent / f"{self.name}.ipynb"

    @property
    def solution_path(self) -> Path:
        return self.path.parent.parent / "solutions" / f"{self.name}.ipynb"

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def cells(self) -> list[tuple[str, str]]:
        """Type and text of every cell, as written."""
        return [(cell.cell_type, cell.source) for cell in jupytext.reads(self.text, fmt=PERCENT).cells]

    def starter(self) -> NotebookNode:
        """The notebook that a reader opens: exercises unsolved."""
        return _notebook([(kind, unsolved(text) if kind == "code" else text) for kind, text in self.cells])

    def solved(self) -> NotebookNode:
        """The notebook for solutions/, not yet executed. Its relative links lead one folder up."""
        return _notebook(
            [(kind, solved(text) if kind == "code" else LINK.sub("../", text)) for kind, text in self.cells]
        )


def sources(folder: Path) -> list[Source]:
    """All sources below the notebooks' folder, in their order."""
    return [Source(path) for path in sorted((folder / "src").glob("*.py"))]


def unsolved(code: str) -> str:
    """A code cell as the reader gets it: up to its `# solution:` line, and an error in place of the rest."""
    kept = []
    for line in code.splitlines():
        if match := SOLUTION.fullmatch(line):
            task = json.dumps(match["task"], ensure_ascii=False)  # JSON's strings are Python's, too
            kept.append(f"{match['indent']}raise NotImplementedError({task})")
            break
        kept.append(line)
    return "\n".join(kept)


def solved(code: str) -> str:
    """A code cell with its solution: the `# solution:` line is gone."""
    return "\n".join(line for line in code.splitlines() if not SOLUTION.fullmatch(line))


def is_unsolved(cell: NotebookNode) -> bool:
    """Whether this is an exercise that nobody has solved yet."""
    return cell.cell_type == "code" and "raise NotImplementedError(" in cell.source


def is_check(cell: NotebookNode) -> bool:
    """Whether this cell checks the exercise before it."""
    return cell.cell_type == "code" and first_line(cell) == "# check"


def shown_error(cell: NotebookNode) -> str | None:
    """The name of the exception that this cell is there to show, if it is."""
    match = RAISES.fullmatch(first_line(cell)) if cell.cell_type == "code" else None
    return match and match["name"]


def first_line(cell: NotebookNode) -> str:
    return cell.source.split("\n", 1)[0]


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook: the same notebook gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_bytes(notebook))


def to_bytes(notebook: NotebookNode) -> bytes:
    nbformat.validate(notebook)
    return (nbformat.writes(notebook, version=4) + "\n").encode()


def _notebook(cells: list[tuple[str, str]]) -> NotebookNode:
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    seen: Counter[tuple[str, str]] = Counter()
    for kind, text in cells:
        seen[kind, text] += 1
        # From the content, so that building again gives the same ids; the count tells equal cells apart.
        digest = hashlib.sha256(f"{kind}\n{seen[kind, text]}\n{text}".encode()).hexdigest()
        new_cell = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        notebook.cells.append(new_cell(text, id=digest[:12]))
    notebook.nbformat_minor = 5
    return notebook
