"""The checks of notebook 05: right answers pass."""

import numpy as np
import pandas as pd
import pytest
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, load_prices, progress

checks = checks_of("05")
CELLS = {"05.1": "lambda-cost", "05.2": "break-even"}
CHOICES = {"webhook": "lambda", "sensors": "ec2", "tickets": "lambda"}


@pytest.fixture(autouse=True)
def at_the_start(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("number", "function", "task"),
    [("05.1", "lambda_cost", "Multiply the requests"), ("05.2", "break_even", "Divide the price")],
)
def test_the_answer_of_the_notebook_passes_and_its_starter_fails(number, function, task, capsys):
    starter, notebook = (make("05", prices=load_prices(), HOURS=730) for make in (Starter, Notebook))
    for each in (starter, notebook):
        each.run(CELLS[number])
    assert f"{function} is not written yet ({task}" in refused(number, getattr(starter, function))
    check(number, getattr(notebook, function))
    assert progress.solved() == {number}
    assert f"Exercise {number}" in capsys.readouterr().out


def test_cents_may_be_rounded():
    check("05.1", lambda *load: round(checks.cost(*load), 2))
    check("05.2", lambda *each: round(checks.meet(*each), 2))
    assert progress.solved() == {"05.1", "05.2"}


def test_the_choices_of_the_notebook_pass_and_its_starter_fails():
    starter, notebook = (
        make("05", np=np, pd=pd, prices=load_prices(), load_prices=load_prices, HOURS=730)
        for make in (Starter, Notebook)
    )
    for each in (starter, notebook):
        each.run("vcpus", "lambda-month", "machines", "cases", "choices")
    assert "webhook is not decided yet" in refused("05.3", starter.choices)
    check("05.3", notebook.choices)
    assert progress.solved() == {"05.3"}


@pytest.mark.parametrize("written", [str, str.upper, str.title, " {} ".format])
def test_the_right_choices_pass(written):
    check("05.3", {case: written(choice) for case, choice in CHOICES.items()})
    assert progress.solved() == {"05.3"}
