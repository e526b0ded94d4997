"""No sentence that a reader gets to read has a doubled punctuation mark, or a word that puzzles.

Those that are put together at run time are looked at wherever a test brings one about: see `tests/conftest.py`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from plain_words import puzzling
from sentences import doubled

from helpers import lessons, settings
from helpers.authoring.source import Source
from helpers.errors import WorkshopError

CODE = [
    *(path for path in (settings.ROOT / "helpers").rglob("*.py") if "node_modules" not in path.parts),
    *(settings.NOTEBOOKS / "lessons").rglob("*.py"),
]
TEXTS = [
    *settings.ROOT.glob("*.md"),
    *(settings.ROOT / folder / "README.md" for folder in ("helpers/localaws", "deploy")),
]
A_PATTERN = ("(?", "\\d", "\\s", "\\(", "\\.", ".*")  # of what is a regular expression and no sentence


def texts_of(path: Path) -> Iterator[str]:
    """Every text in a Python file that may be prose, with x for each value that comes into it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(each.value if isinstance(each, ast.Constant) else "x" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(settings.ROOT)))
def test_the_texts_of_our_code(path):
    prose = [text for text in texts_of(path) if " " in text and not any(sign in text for sign in A_PATTERN)]
    assert [found for text in prose for found in doubled(text)] == []
    assert puzzling(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_the_prose_of_a_notebook(lesson):
    prose = [cell.text for cell in Source(lesson).written if cell.kind != "code"]
    assert prose and [found for text in prose for found in doubled(text)] == []


@pytest.mark.parametrize("exercise", lessons.exercises().values(), ids=lambda exercise: exercise.number)
def test_the_hints_of_an_exercise(exercise):
    for language in ("python", "node", "ruby"):
        assert [found for hint in exercise.hints_in(language) for found in doubled(hint)] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_the_pages(path):
    assert doubled(path.read_text(encoding="utf-8")) == []
    assert puzzling(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("picture", sorted(settings.NOTEBOOKS.glob("lessons/*/*.svg")), ids=lambda path: path.stem)
def test_the_pictures(picture):
    assert puzzling(picture.read_text(encoding="utf-8")) == []


def test_a_word_that_puzzles_is_named_with_a_plain_one():
    assert puzzling("Dear functions: mend them.") == ["Dear: write expensive", "mend: write fix"]
    assert puzzling("A torn-off page, recommended by dearth") == ["torn: write damaged"]


@pytest.mark.parametrize(
    "text",
    [
        "a torn picture,, and",
        "Did you mean lambda?.",
        "It is there.. And",
        "x is missing;, add it",
        "this: .",
        "so.; then",
    ],
)
def test_what_is_doubled(text):
    assert doubled(text)
    with pytest.raises(AssertionError):
        WorkshopError(text)  # as any test would that brings it about


@pytest.mark.parametrize(
    "text",
    [
        "an ARN, e.g., this",
        "wait...",
        "use `a::b`, and",
        "'../x' is none",
        "a?.b",
        "it is .5",
        "(see there.) And",
        "a: b, c.",
    ],
)
def test_what_is_not(text):
    assert doubled(text) == []
