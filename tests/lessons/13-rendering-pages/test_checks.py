"""The checks of notebook 13: right answers pass, a wrong page gets its sentence."""

import contextlib
import re
from collections.abc import Callable, Iterable

import pytest
from localaws_client import PERMISSIONS, public_url
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, deploy, hint, lessons
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("13")
CAREFUL = lessons.lesson("13").module("wrong_answers").CAREFUL


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


# 13.1


def test_a_capacity_passes(capsys):
    check("13.1", lambda frame, workers: 1000 / (frame[frame["callers"] == 1]["wait_ms"].median() / workers))
    assert "Exercise 13.1" in capsys.readouterr().out
    assert progress.solved() == {"13.1"}


def test_the_capacity_of_the_notebook_passes():
    notebook = Notebook("13")
    notebook.run("capacity")
    check("13.1", notebook.capacity)
    assert progress.solved() == {"13.1"}


def test_the_starter_is_not_written_yet():
    starter = Starter("13")
    starter.run("capacity")
    assert "capacity is not written yet" in refused("13.1", starter.capacity)


# 13.2


@pytest.fixture
def put(aws_of_module) -> Callable[..., None]:
    """Deploy a page with this text, and give it an address, open to everybody, or take it away."""
    client, name = aws_of_module.client("lambda"), aws_of_module.name(checks.CORNER)

    def put(code: str, address: bool = True, permissions: Iterable[str] = PERMISSIONS) -> None:
        deploy(aws_of_module, name, {"app.py": code}, MemorySize=10_240)
        if not address:
            remove(aws_of_module, Entry("function URL", name))
            return
        for statement in PERMISSIONS:
            with contextlib.suppress(client.exceptions.ResourceNotFoundException):
                client.remove_permission(FunctionName=name, StatementId=statement)
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.delete_function_url_config(FunctionName=name)
        public_url(client, name, permissions)

    return put


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    notebook = Notebook("13")
    notebook.run("careless-source", "careful-source")
    return notebook


@pytest.mark.parametrize("permissions", [(), ("use-url",), ("invoke",)], ids=str)
def test_an_address_that_is_not_open_is_said(put, permissions):
    put(CAREFUL, permissions=permissions)
    assert "The address answers 403, Forbidden" in refused("13.2")


def test_an_absent_page_is_said(aws):
    for kind in ("function URL", "function"):
        remove(aws, Entry(kind, aws.name(checks.CORNER)))
    assert f"There is no function {aws.name(checks.CORNER)} yet" in refused("13.2")


def test_the_careful_page_of_the_notebook_passes(put, notebook, capsys):
    put(notebook.careful_source)
    check("13.2")
    assert "Exercise 13.2" in capsys.readouterr().out
    assert progress.solved() == {"13.2"}


def test_another_careful_page_passes(put):
    put(CAREFUL)
    check("13.2")
    assert progress.solved() == {"13.2"}


def test_the_careless_page_of_the_notebook_is_refused(put, notebook):
    put(notebook.careless_source)
    failed = "GET /item/9 was answered 502: the function failed with KeyError: '9'."
    assert f"{failed} There is no such page: answer 404" in refused("13.2")


@pytest.mark.parametrize("wrong", checks.CAREFUL_PAGE.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_page_gets_its_sentence(wrong, put):
    put(wrong.answer)
    text = refused("13.2")
    assert re.search(wrong.says, text), text


def test_a_page_without_an_address_is_said(put):
    put(CAREFUL, address=False)
    assert "has no function URL; run the cell" in refused("13.2")


@pytest.mark.parametrize("exercise", checks.EXERCISES, ids=lambda exercise: exercise.number)
def test_hints_are_graded(exercise, capsys):
    shown = []
    hints = exercise.hints_in("python")
    for _ in hints:
        hint(exercise.number)
        shown.append(capsys.readouterr().out)
    assert len(set(shown)) == len(shown) >= 2
    assert "That was the last one" in shown[-1]
