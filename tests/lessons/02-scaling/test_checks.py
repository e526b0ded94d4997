"""The checks of notebook 02: right answers pass, and a wrong reservation gets its sentence."""

import math
import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, deploy
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

plt.switch_backend("Agg")
checks = checks_of("02")
FUNCTIONS = {"02.1": "concurrency_needed", "02.2": "peak_concurrency"}


@pytest.fixture(autouse=True)
def at_the_start(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


@pytest.mark.parametrize(("number", "function"), FUNCTIONS.items())
def test_the_answer_of_the_notebook_passes_and_its_starter_fails(number, function, capsys):
    starter, solved = (make("02", math=math, pd=pd) for make in (Starter, Notebook))
    for notebook in (starter, solved):
        notebook.run(function.replace("_", "-"))
    assert f"{function} is not written yet" in refused(number, getattr(starter, function))
    check(number, getattr(solved, function))
    assert f"Exercise {number}" in capsys.readouterr().out
    assert progress.solved() == {number}


def test_a_whole_float_is_a_right_sum():
    check("02.1", lambda calls, ms: float(math.ceil(calls * ms / 1000)))
    assert progress.solved() == {"02.1"}


def test_a_number_of_numpy_is_a_right_peak():
    check("02.2", lambda frame: checks.running(frame).max())
    assert progress.solved() == {"02.2"}


# 02.3


@pytest.fixture
def no_writer(aws, embedded_home) -> str:
    """The name of the function, which is not there; nor is the progress of another test."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    name = aws.name(checks.WRITER)
    remove(aws, Entry("function", name))
    return name


@pytest.fixture
def writer(no_writer, aws) -> str:
    deploy(aws, no_writer, {"app.py": "def handler(event, context):\n    return 1\n"})
    return no_writer


@pytest.mark.parametrize("reserved", [12, 13, 14])
def test_a_reservation_that_serves_the_orders_and_spares_the_database_passes(reserved, writer, aws):
    aws.client("lambda").put_function_concurrency(FunctionName=writer, ReservedConcurrentExecutions=reserved)
    check("02.3")
    assert progress.solved() == {"02.3"}


def test_the_reservation_of_the_notebook_passes_and_its_starter_fails(writer, aws):
    names = {"lambda_client": aws.client("lambda"), "writer": writer}
    Starter("02", **names).run("reservation")
    assert "has no reservation" in refused("02.3")
    Notebook("02", **names).run("reservation")
    check("02.3")
    assert progress.solved() == {"02.3"}


@pytest.mark.parametrize("wrong", checks.RESERVATION.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_reservation_gets_its_sentence(wrong, writer, aws):
    if wrong.answer is not None:
        aws.client("lambda").put_function_concurrency(FunctionName=writer, ReservedConcurrentExecutions=wrong.answer)
    text = refused("02.3")
    assert re.search(wrong.says, text), text


def test_an_absent_writer_is_said(no_writer):
    assert f"There is no function {no_writer} yet" in refused("02.3")


def test_the_check_and_the_notebook_tell_the_same_story():
    notebook = Notebook("02", pd=pd, plt=plt)
    notebook.run("orders")
    plt.close("all")
    assert notebook.orders_per_second.max() == checks.PEAK_ORDERS
    prose = " ".join(" ".join(cell.text for cell in notebook.source.cells if cell.kind == "markdown").split())
    assert f"**{checks.SECONDS} seconds**" in prose
    assert f"**{checks.CONNECTIONS} connections**, and **{checks.OTHERS}** of them" in prose
