"""What TEACHING.md quotes of what learners see is what the workshop says."""

import ast
import re
from pathlib import Path

import pytest

from helpers.settings import ROOT

ROWS = [line.split(" | ")[0] for line in (ROOT / "TEACHING.md").read_text(encoding="utf-8").splitlines()]
QUOTED = [
    text
    for row in ROWS
    if row.startswith("| ")
    for text in re.findall(r"`([^`]+)`", row)
    if " " in text and not text.startswith("python3 ")
]


def texts_of(path: Path) -> str:
    """The texts in a Python file, with … for each value that comes into one."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(each.value if isinstance(each, ast.Constant) else "…" for each in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return "\n".join(found)


@pytest.fixture(scope="module")
def said() -> str:
    files = (path for path in (ROOT / "helpers").rglob("*.py") if "node_modules" not in path.parts)
    return "\n".join(map(texts_of, files))


def test_there_are_quotations():
    assert len(QUOTED) > 10


@pytest.mark.parametrize("text", QUOTED)
def test_what_is_quoted_is_said(text, said):
    anything = r"[^\n]*"
    assert re.search(anything.join(re.escape(part.strip()) for part in text.split("…")), said)
