"""The checks of notebook 18: right answers pass, and the notebook shows the words of the checks."""

import itertools
import re

import pytest
from notebook_cells import Notebook, Starter, checks_of

from helpers import check, lessons
from helpers.authoring.source import Source
from helpers.session import progress

checks = checks_of("18")
design = lessons.lesson("18").module("design")
QUIZ = checks.QUIZ


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


@pytest.fixture
def notebook() -> Notebook:
    notebook = Notebook("18")
    notebook.run("quiz", "design")
    return notebook


@pytest.fixture
def starter() -> Starter:
    starter = Starter("18")
    starter.run("quiz", "design")
    return starter


def prose_with(text: str) -> str:
    """The one cell of prose that holds this."""
    [found] = [
        cell.text for cell in Source(lessons.lesson("18")).cells if cell.kind == "markdown" and text in cell.text
    ]
    return found


# 18.1


def test_the_answers_of_the_notebook_pass(notebook):
    check("18.1", notebook.answers)
    assert progress.solved() == {"18.1"}


def test_the_starter_of_the_quiz_has_every_question_and_no_answer(starter):
    assert starter.answers == dict.fromkeys(QUIZ)


def test_the_notebook_shows_the_options_of_the_check_and_its_notebooks():
    shown = {}
    form = r"- \*\*([\w ]+)\*\* \((\d\d)\):.*?\*Answers:\* ([^\n]+)"
    for name, notebook, options in re.findall(form, prose_with("*Answers:*"), re.DOTALL):
        shown[name] = notebook, {eval(option) for option in re.findall("`([^`]+)`", options)}
    assert shown == {name: (question.notebook, {question.right, *question.instead}) for name, question in QUIZ.items()}


def test_every_question_goes_back_to_a_notebook_that_is_there():
    numbers = {each.number for each in lessons.lessons()}
    assert {question.notebook for question in QUIZ.values()} <= numbers
    assert 10 <= len(QUIZ) <= 12


def test_the_reasons_are_all_different():
    reasons = [reason for question in QUIZ.values() for reason in question.instead.values()]
    assert len(set(reasons)) == len(reasons)


def test_the_last_hint_of_the_quiz_has_the_answers():
    listed = lessons.exercises()["18.1"].hints[-1].removeprefix("In order: ").removesuffix(".")
    assert dict(zip(QUIZ, eval(f"[{listed}]"), strict=True)) == checks.RIGHT_ANSWERS


# 18.2


def test_the_design_of_the_notebook_passes(notebook, capsys):
    check("18.2", notebook.design)
    assert progress.solved() == {"18.2"}
    assert "Mind" not in capsys.readouterr().out


def test_the_starter_of_the_design_has_every_field_and_no_choice(starter):
    assert starter.design == dict.fromkeys([*design.WORDS, *design.NUMBERS])


def test_the_notebook_names_the_words_of_the_check():
    text = prose_with("travel agency")
    for field, options in design.WORDS.items():
        [line] = re.findall(rf'^- `"{field}"`.*$', text, re.MULTILINE)
        assert set(re.findall('`"([^"]+)"`', line)) == {field, *options}
    assert all(f'`"{field}"`' in text for field in design.NUMBERS)
    for figure in ("3,000", "one thread", "6 seconds", "600 MB", "20 calls at once", "three hours"):
        assert f"**{figure}**" in text


@pytest.mark.parametrize(
    ("memory", "timeout", "at_once", "key"),
    [
        *itertools.product([1024, 1769], [45, 120, 300], [3, 20], ["bucket, key and version", "hash of the photo"]),
        (1769, 26, 2, "hash of the photo"),
        (700, 64, 5, "hash of the photo"),
    ],
)
def test_there_is_more_than_one_right_design(memory, timeout, at_once, key):
    numbers = {"MemorySize": memory, "Timeout": timeout, "MaximumConcurrency": at_once, "idempotency key": key}
    check("18.2", design.RIGHT_DESIGN | numbers | {"VisibilityTimeout": 6 * timeout})
    assert progress.solved() == {"18.2"}


def test_a_long_timeout_is_right_with_a_remark(capsys):
    check("18.2", design.RIGHT_DESIGN | {"Timeout": 1200, "VisibilityTimeout": 6 * 1200})
    assert progress.solved() == {"18.2"}
    assert "Note: a call that hangs is paid for until its limit" in capsys.readouterr().out


def test_few_tries_pass_with_a_remark(capsys):
    check("18.2", design.RIGHT_DESIGN | {"maxReceiveCount": 2})
    assert "Note: AWS recommends a maxReceiveCount of 5 or more" in capsys.readouterr().out


def test_the_last_hint_of_the_design_is_right():
    hint = lessons.exercises()["18.2"].hints[-1]
    words = dict(zip(("trigger", "in between", "idempotency key"), re.findall('"([^"]+)"', hint), strict=True))
    numbers = {field: int(re.search(rf"\b{field} (\d+)", hint)[1]) for field in design.NUMBERS}
    check("18.2", words | numbers)
    assert progress.solved() == {"18.2"}
