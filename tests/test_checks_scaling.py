"""The checks of notebook 02: right answers pass, wrong ones get their sentence."""

import math
import re

import notebook_cells
import pandas as pd
import pytest
from notebook_cells import refused

from helpers import checks, deploy, notebooks, progress, settings
from helpers.checks import scaling
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor the function of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    remove(aws, Entry("function", aws.name(scaling.WRITER)))


def cells() -> list[str]:
    """The code cells of the notebook that hold an exercise, as the author wrote them."""
    return notebook_cells.exercises("02")


def defined(cell: str) -> dict:
    names = {"math": math, "pd": pd}
    exec(cell, names)
    return names


# 02.1

SUMS = {
    "right": lambda calls, ms: math.ceil(calls * ms / 1000),
    "a whole float": lambda calls, ms: float(math.ceil(calls * ms / 1000)),
    "not rounded": lambda calls, ms: calls * ms / 1000,
    "rounded": lambda calls, ms: round(calls * ms / 1000),
    "rounded down": lambda calls, ms: calls * ms // 1000,
    "one more": lambda calls, ms: calls * ms // 1000 + 1,
    "not converted": lambda calls, ms: calls * ms,
    "divided": lambda calls, ms: math.ceil(calls / (ms / 1000)),
    "no duration": lambda calls, ms: calls,
    "constant": lambda calls, ms: 5,
    "a text": lambda calls, ms: f"{calls * ms / 1000:.0f}",
    "nothing": lambda calls, ms: None,
    "nan": lambda calls, ms: float("nan"),
    "truth": lambda calls, ms: True,
    "raises": lambda calls, ms: calls / 0,
}


@pytest.mark.parametrize("answer", ["right", "a whole float"])
def test_a_sum_passes(answer, capsys):
    checks.check("02.1", SUMS[answer])
    assert "Exercise 02.1" in capsys.readouterr().out
    assert progress.solved() == {"02.1"}


def test_the_sum_of_the_notebook_passes():
    checks.check("02.1", defined(source.solved(cells()[0]))["concurrency_needed"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("not rounded", r"returned 6\.3 for 7 calls per second of 900 ms, where 7 is right: .*no half environment"),
        ("rounded", "returned 6 for 7 .*always round up"),
        ("rounded down", "returned 6 for 7 .*always round up"),
        ("one more", "returned 11 for 40 .*add one only where something remains"),
        ("not converted", "returned 10000 for 40 .*the duration is in milliseconds"),
        ("divided", "multiply by the duration; do not divide"),
        ("no duration", "the duration counts too"),
        ("constant", "returned 5 for 40 calls .*where 10 is right"),
        ("a text", "returned a str; return one whole number"),
        ("nothing", "returned nothing; let it end with `return` and one whole number"),
        ("nan", "returned nan; return one whole number"),
        ("truth", "returned a bool; return one whole number"),
        ("raises", "ZeroDivisionError"),
    ],
)
def test_a_wrong_sum_gets_its_sentence(answer, says):
    text = refused("02.1", SUMS[answer])
    assert re.search(says, text), text


# 02.2


def sweep(frame, ends_first=True, sort=True, init=False, unit="ms") -> pd.Series:
    """How many run after each change."""
    begins = frame["start"] - pd.to_timedelta(frame["init_ms"].fillna(0) if init else 0, unit="ms")
    ends = frame["start"] + pd.to_timedelta(frame["duration_ms"], unit=unit)
    changes = pd.DataFrame({"at": [*begins, *ends], "change": [1] * len(frame) + [-1] * len(frame)})
    if sort:
        changes = changes.sort_values(["at", "change"], ascending=[True, ends_first])
    return changes["change"].cumsum()


PEAKS = {
    "right": lambda frame: int(sweep(frame).max()),
    "of numpy": lambda frame: sweep(frame).max(),
    "starts first": lambda frame: int(sweep(frame, ends_first=False).max()),
    "not sorted": lambda frame: int(sweep(frame, sort=False).max()),
    "with init": lambda frame: int(sweep(frame, init=True).max()),
    "seconds": lambda frame: int(sweep(frame, unit="s").max()),
    "nanoseconds": lambda frame: int(sweep(frame, unit="ns").max()),
    "the last": lambda frame: int(sweep(frame).iloc[-1]),
    "environments": lambda frame: frame["environment"].nunique(),
    "cold starts": lambda frame: int(frame["init_ms"].notna().sum()),
    "rows": len,
    "constant": lambda frame: 3,
    "a series": lambda frame: sweep(frame),
    "infinity": lambda frame: float("inf"),
}


@pytest.mark.parametrize("answer", ["right", "of numpy"])
def test_a_peak_passes(answer):
    checks.check("02.2", PEAKS[answer])
    assert progress.solved() == {"02.2"}


def test_the_peak_of_the_notebook_passes():
    checks.check("02.2", defined(source.solved(cells()[1]))["peak_concurrency"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("starts first", "returned 2 where 1 is right, for 3 invocations: .*let the ends count before the starts"),
        ("not sorted", "returned 10 where 3 is right, for 10 invocations: that is how many there are"),
        ("seconds", "returned 10 where 3 is right, .*mind that duration_ms is in milliseconds"),
        ("rows", "that is how many there are"),
        ("with init", "returned 4 where 3 is right, for 10 invocations: the init phase is counted too"),
        ("nanoseconds", "returned 1 where 3 is right.*some do overlap"),
        ("the last", "returned 0 where 3 is right.*take the largest sum"),
        ("environments", "returned 7 where 3 is right.*the number of environments"),
        ("cold starts", "returned 6 where 3 is right.*the number of cold starts"),
        ("constant", "returned 3 where 1 is right"),
        ("a series", "returned a Series; return one whole number"),
        ("infinity", "returned inf; return one whole number"),
    ],
)
def test_a_wrong_peak_gets_its_sentence(answer, says):
    text = refused("02.2", PEAKS[answer])
    assert re.search(says, text), text


def test_a_check_that_needs_a_function_asks_for_it():
    assert 'check("02.1", concurrency_needed)' in refused("02.1", 5)
    assert 'check("02.2", peak_concurrency)' in refused("02.2")


# 02.3


@pytest.fixture
def writer(aws) -> str:
    name = aws.name(scaling.WRITER)
    deploy(aws, name, {"app.py": "def handler(event, context):\n    return 1\n"})
    return name


@pytest.mark.parametrize("reserved", [12, 13, 14])
def test_a_reservation_that_serves_the_orders_and_spares_the_database_passes(reserved, writer, aws):
    aws.client("lambda").put_function_concurrency(FunctionName=writer, ReservedConcurrentExecutions=reserved)
    checks.check("02.3")
    assert progress.solved() == {"02.3"}


def test_the_reservation_of_the_notebook_passes(writer, aws):
    exec(source.solved(cells()[2]), {"lambda_client": aws.client("lambda"), "writer": writer})
    checks.check("02.3")


@pytest.mark.parametrize(
    ("reserved", "says"),
    [
        (None, "has no reservation"),
        (0, "the emergency stop"),
        (1, "With 1 reserved, orders are throttled at the peak"),
        (11, "With 11 reserved, orders are throttled at the peak"),
        (15, "takes connections away from reports and backups; leave them their 6 of the 20"),
        (20, "takes connections away from reports and backups"),
        (21, "may open 21 connections, and the database takes 20"),
        (100, "may open 100 connections"),
    ],
)
def test_a_wrong_reservation_gets_its_sentence(reserved, says, writer, aws):
    if reserved is not None:
        aws.client("lambda").put_function_concurrency(FunctionName=writer, ReservedConcurrentExecutions=reserved)
    assert says in refused("02.3")


def test_an_absent_writer_is_said(aws):
    assert f"There is no function {aws.name('order-writer')} yet" in refused("02.3")


def test_the_check_and_the_notebook_tell_the_same_story():
    [made_of] = [each for each in notebooks.sources(settings.NOTEBOOKS) if each.name.startswith("02")]
    [orders] = [text for _, text in made_of.cells if text.startswith("orders_per_second")]
    names = {"pd": pd}
    exec(orders.splitlines()[0], names)
    assert names["orders_per_second"].max() == scaling.PEAK_ORDERS
    prose = " ".join(" ".join(text for kind, text in made_of.cells if kind == "markdown").split())
    assert f"**{scaling.SECONDS} seconds**" in prose
    assert f"**{scaling.CONNECTIONS} connections**, and **{scaling.OTHERS}** of them" in prose


# All of them


@pytest.mark.parametrize("number", [0, 1])
def test_the_starter_fails(number):
    names = defined(source.unsolved(cells()[number]))
    name = ("concurrency_needed", "peak_concurrency")[number]
    assert f"{name} is not written yet" in refused(f"02.{number + 1}", names[name])


def test_the_starter_of_the_reservation_fails(writer):
    assert "has no reservation" in refused("02.3")
