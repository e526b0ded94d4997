"""The checks of notebook 05: right answers pass, and wrong settings and functions get their sentence."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy, load_prices
from helpers.authoring.source import solved, unsolved
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("05")
CHOICES = {"webhook": "lambda", "sensors": "ec2", "tickets": "lambda"}
STORE = "import time\n\n\n" + Notebook("05").text("store-readings")


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor functions of another test are there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for name in ("intake", "reading-packs"):
        remove(aws, Entry("function", aws.name(name)))


# 05.1


@pytest.fixture
def notebook(aws) -> Notebook:
    """The notebook, with intake as it is deployed there."""
    notebook = Notebook("05", workshop=aws, lambda_client=aws.client("lambda"), np=np, pd=pd, HOURS=730)
    notebook.prices = load_prices()
    notebook.run("lambda-month", "intake")
    return notebook


@pytest.fixture
def configure(aws, notebook) -> Callable[..., None]:
    """Deploy intake with these settings."""

    def configure(reserved: int | None = 6, **settings) -> None:
        deploy(aws, notebook.intake, {"app.py": notebook.intake_code}, **settings)
        if reserved is not None:
            reserve = {"FunctionName": notebook.intake, "ReservedConcurrentExecutions": reserved}
            aws.client("lambda").put_function_concurrency(**reserve)

    return configure


def test_the_settings_of_the_notebook_pass(notebook):
    notebook.run("configure")
    check("05.1")
    assert progress.solved() == {"05.1"}


def test_as_it_is_deployed_it_is_refused(notebook):
    assert "runs on x86_64" in refused("05.1")


def test_other_settings_that_do_as_asked_pass(configure):
    configure(reserved=8, Architectures=["arm64"], MemorySize=192, Timeout=2)
    check("05.1")
    assert progress.solved() == {"05.1"}


@pytest.mark.parametrize("wrong", checks.INTAKE.wrong_answers, ids=lambda wrong: wrong.name)
def test_wrong_settings_get_their_sentence(wrong, configure):
    configure(**wrong.answer)
    text = refused("05.1")
    assert re.search(wrong.says, text), text


def test_absent_functions_are_said():
    assert "There is no function" in refused("05.1")
    assert "There is no function" in refused("05.2")


# 05.2


@pytest.fixture
def put(aws) -> Callable[[str], None]:
    """Deploy a store_readings with this text."""
    name = aws.name("reading-packs")
    return lambda code: deploy(aws, name, {"app.py": code}, Handler="app.store_readings", Timeout=10)


def test_the_function_of_the_notebook_passes(put):
    put(solved(STORE))
    check("05.2")
    assert progress.solved() == {"05.2"}


def test_the_starter_of_a_function_is_not_written_yet(put):
    put(unsolved(STORE))
    assert "not written yet" in refused("05.2")


@pytest.mark.parametrize("wrong", checks.PACKS.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_function_gets_its_sentence(wrong, put):
    put(mutated(solved(STORE), wrong.answer))
    text = refused("05.2")
    assert re.search(wrong.says, text), text


# 05.3


def test_the_choices_of_the_notebook_pass_and_its_starter_fails():
    starter, notebook = (
        make("05", np=np, pd=pd, prices=load_prices(), load_prices=load_prices, HOURS=730)
        for make in (Starter, Notebook)
    )
    for each in (starter, notebook):
        each.run("vcpus", "lambda-month", "machines", "ec2-month", "cases", "choices")
    assert "webhook is not decided yet" in refused("05.3", starter.choices)
    check("05.3", notebook.choices)
    assert progress.solved() == {"05.3"}


@pytest.mark.parametrize("written", [str, str.upper, str.title, " {} ".format])
def test_the_right_choices_pass(written):
    check("05.3", {case: written(choice) for case, choice in CHOICES.items()})
    assert progress.solved() == {"05.3"}
