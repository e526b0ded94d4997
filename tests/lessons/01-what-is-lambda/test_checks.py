"""The checks of notebook 01: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy
from helpers.authoring.source import solved, unsolved
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("01")
GREETER = Notebook("01").text("greeter")


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor functions of another test are there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for name in ("greeter", "hello"):
        remove(aws, Entry("function", aws.name(name)))


@pytest.fixture
def put(aws) -> Callable[..., None]:
    """Deploy a function with this text as its app.py."""

    def put(name: str, code: str, handler: str = "app.handler") -> None:
        deploy(aws, aws.name(name), {"app.py": code}, Handler=handler, MemorySize=512, Timeout=10)

    return put


# 01.1


def test_the_greeter_of_the_notebook_passes(put, capsys):
    put("greeter", solved(GREETER), "app.greet")
    check("01.1")
    assert "Exercise 01.1" in capsys.readouterr().out
    assert progress.solved() == {"01.1"}


def test_the_starter_of_a_greeter_is_not_written_yet(put):
    put("greeter", unsolved(GREETER), "app.greet")
    assert "not written yet" in refused("01.1")


@pytest.mark.parametrize("wrong", checks.GREETER.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_greeter_gets_its_sentence(wrong, put):
    put("greeter", mutated(solved(GREETER), wrong.answer), "app.greet")
    text = refused("01.1")
    assert re.search(wrong.says, text), text


def test_an_absent_greeter_is_said():
    assert "There is no function" in refused("01.1")


# 01.2


@pytest.fixture
def hello(put) -> None:
    put("hello", "def handler(event, context):\n    return 1\n")


@pytest.mark.usefixtures("hello")
def test_the_report_of_of_the_notebook_passes(aws):
    notebook = Notebook("01", logs=aws.client("logs"))
    notebook.run("report-of")
    check("01.2", notebook.report_of)
    assert progress.solved() == {"01.2"}


@pytest.mark.usefixtures("hello")
def test_the_starter_of_report_of_is_not_written_yet():
    starter = Starter("01")
    starter.run("report-of")
    says = r"report_of is not written yet \(Return the message that starts with REPORT and holds the request id\.\)"
    text = refused("01.2", starter.report_of)
    assert re.search(says, text), text


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("wrong", checks.REPORT_OF.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_report_of_gets_its_sentence(wrong, aws):
    logs = aws.client("logs")

    def report_of(name: str, request_id: str):
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        return wrong.answer([event["message"] for event in events], request_id)

    text = refused("01.2", report_of)
    assert re.search(wrong.says, text), text


def test_a_check_that_needs_a_function_asks_for_it():
    assert 'check("01.2", report_of)' in refused("01.2")
