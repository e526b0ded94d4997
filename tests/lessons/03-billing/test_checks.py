"""The checks of notebook 03: right answers pass, however they come about."""

import re

import numpy as np
import pandas as pd
import pytest
from notebook_cells import Notebook, Starter, refused

from helpers import check, lessons, load_prices, progress
from helpers.authoring.source import solved

PRICES = load_prices()["lambda"]
REQUEST, GB_SECOND = PRICES["request"], PRICES["gb_second"]["x86_64"]
FUNCTIONS = {"03.1": "bill", "03.2": "dearer_in_2019", "03.3": "choose_memory"}
OTHER_WAYS = {
    "bill, row by row": (
        "03.1",
        lambda f: sum(REQUEST + row.memory_mb / 1024 * row.billed_ms / 1000 * GB_SECOND for row in f.itertuples()),
    ),
    "factor, in GB-seconds": (
        "03.2",
        lambda f: (
            (f.memory_mb / 1024 * np.ceil(f.duration_ms / 100) / 10).sum()
            / (f.memory_mb / 1024 * f.billed_ms / 1000).sum()
        ),
    ),
    "memory, sorted": (
        "03.3",
        lambda t, limit: t[t.duration_ms <= limit].sort_values("usd_per_million").iloc[0]["memory_mb"],
    ),
    "memory, in a loop": (
        "03.3",
        lambda t, limit: min(
            (row.usd_per_million, row.memory_mb) for row in t.itertuples() if row.duration_ms <= limit
        )[1],
    ),
}


@pytest.fixture(autouse=True)
def at_the_start(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


@pytest.mark.parametrize(("number", "function"), FUNCTIONS.items())
def test_the_answer_of_the_notebook_passes_and_its_starter_fails(number, function):
    starter, notebook = (make("03", np=np, pd=pd, prices=PRICES) for make in (Starter, Notebook))
    for each in (starter, notebook):
        each.run(function.replace("_", "-"))
    assert "is not written yet" in refused(number, getattr(starter, function))
    check(number, getattr(notebook, function))
    assert progress.solved() == {number}


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_another_way_passes(way):
    number, function = OTHER_WAYS[way]
    check(number, function)
    assert progress.solved() == {number}


@pytest.mark.parametrize(("number", "function"), FUNCTIONS.items())
def test_the_last_hint_gives_it_nearly_away(number, function):
    exercise = lessons.exercises()[number]
    assert 2 <= len(exercise.hints) <= 4
    answer = solved(Notebook("03").text(function.replace("_", "-")))
    assert any(word in answer for word in re.findall(r"prices\[\S+\]|\w+\[.*?\]", exercise.hints[-1]))
