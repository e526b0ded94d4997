"""The questions that a notebook asks before it measures: the prose before each predict(), and its choices."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from .. import lessons

ASKS = "**Predict"


class Cell(Protocol):
    """A cell of a notebook: its kind, "code" or "markdown", and its text."""

    @property
    def kind(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Question:
    """A prediction as its notebook asks for it."""

    paragraph: str  # that asks, in CommonMark and in one line: "**Predict:** how many …"
    choices: tuple[str, ...]
    heading: str  # of its section

    @property
    def text(self) -> str:
        """What is asked, without the mark before it; "" where there is no mark."""
        _, mark, asked = self.paragraph.partition(ASKS)
        return re.sub(r"^:?\*\*:?", "", asked).strip() if mark else ""


def questions_in(cells: Iterable[Cell]) -> dict[str, Question]:
    """The questions of a notebook, by the keys of their predictions, such as "04.a"."""
    found: dict[str, Question] = {}
    heading, prose = "", ""
    for cell in cells:
        if cell.kind != "code":
            heading = (lessons.headings(cell.text) or [heading])[-1]
            prose = cell.text
            continue
        for call in _predictions(cell.text) if "predict(" in cell.text else ():
            key = call.args[0] if call.args else None
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                found[key.value] = Question(_asked(prose), _choices(call), heading)
    return found


def _predictions(code: str) -> list[ast.Call]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [each for each in calls if isinstance(each.func, ast.Name) and each.func.id == "predict"]


def _choices(call: ast.Call) -> tuple[str, ...]:
    for each in call.keywords:
        if each.arg == "choices" and isinstance(each.value, ast.List | ast.Tuple):
            return tuple(str(item.value) for item in each.value.elts if isinstance(item, ast.Constant))
    return ()


def _asked(prose: str) -> str:
    """The last paragraph that says **Predict**, else the last of all."""
    paragraphs = [" ".join(each.split()) for each in prose.strip().split("\n\n")]
    return next((each for each in reversed(paragraphs) if ASKS in each), paragraphs[-1])
