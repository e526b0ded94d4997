"""The checks of notebook 03: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable

import notebook_cells
import numpy as np
import pandas as pd
import pytest
from notebook_cells import refused

from helpers import checks, load_prices, progress
from helpers.notebooks import source

PRICES = load_prices()["lambda"]
REQUEST, GB_SECOND = PRICES["request"], PRICES["gb_second"]["x86_64"]


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    (embedded_home / progress.FILE).unlink(missing_ok=True)


def cell(place: int) -> str:
    """The exercise's cell as the author wrote it; the first is 0."""
    return notebook_cells.exercises("03")[place]


@pytest.mark.parametrize(
    ("number", "function"), [("03.1", "bill"), ("03.2", "dearer_in_2019"), ("03.3", "choose_memory")]
)
def test_the_answer_of_the_notebook_passes_and_its_starter_fails(number, function):
    text = cell(int(number[-1]) - 1)
    names = {"np": np, "pd": pd, "prices": PRICES}
    exec(source.unsolved(text), names)
    assert "is not written yet" in refused(number, names[function])
    exec(source.solved(text), names)
    checks.check(number, names[function])
    assert progress.solved() == {number}


def test_a_check_asks_for_its_function():
    assert 'check("03.1", bill)' in refused("03.1")
    assert 'check("03.2", dearer_in_2019)' in refused("03.2", 1.5)
    assert 'check("03.3", choose_memory)' in refused("03.3", 512)


# 03.1


def gb_seconds(frame, memory="memory_mb", time="billed_ms"):
    return (frame[memory] / 1024 * frame[time] / 1000).sum()


def usd(frame, amount) -> float:
    return len(frame) * REQUEST + amount * GB_SECOND


BILLS: dict[str, Callable] = {
    "row by row": lambda f: sum(
        REQUEST + row.memory_mb / 1024 * row.billed_ms / 1000 * GB_SECOND for row in f.itertuples()
    ),
    "no requests": lambda f: gb_seconds(f) * GB_SECOND,
    "requests alone": lambda f: len(f) * REQUEST,
    "per million": lambda f: len(f) * 0.20 + gb_seconds(f) * GB_SECOND,
    "amounts": gb_seconds,
    "free": lambda f: 0.0,
    "free tier": lambda f: (len(f) - 1_000_000) * REQUEST + (gb_seconds(f) - 400_000) * GB_SECOND,
    "mb as gb": lambda f: usd(f, (f.memory_mb * f.billed_ms / 1000).sum()),
    "ms as s": lambda f: usd(f, (f.memory_mb / 1024 * f.billed_ms).sum()),
    "mb and ms": lambda f: usd(f, (f.memory_mb * f.billed_ms).sum()),
    "1000 mb": lambda f: usd(f, (f.memory_mb / 1000 * f.billed_ms / 1000).sum()),
    "1024 ms": lambda f: usd(f, (f.memory_mb / 1024 * f.billed_ms / 1024).sum()),
    "used": lambda f: usd(f, gb_seconds(f, memory="max_memory_mb")),
    "duration": lambda f: usd(f, gb_seconds(f, time="duration_ms")),
    "sums": lambda f: usd(f, f.memory_mb.sum() / 1024 * f.billed_ms.sum() / 1000),
    "mean": lambda f: usd(f, f.memory_mb.mean() / 1024 * f.billed_ms.sum() / 1000),
    "arm": lambda f: len(f) * REQUEST + gb_seconds(f) * PRICES["gb_second"]["arm64"],
    "successes": lambda f: usd(f[f.status == "success"], gb_seconds(f[f.status == "success"])),
    "cents": lambda f: 100 * usd(f, gb_seconds(f)),
    "rounded": lambda f: round(usd(f, gb_seconds(f)), 8),
    "hard-coded": lambda f: 0.0000225,
    "a column": lambda f: f.memory_mb / 1024 * f.billed_ms / 1000 * GB_SECOND,
    "nan": lambda f: float("nan"),
    "raises": lambda f: f["memory"],
}  # fmt: skip


def test_another_way_to_the_bill_passes():
    checks.check("03.1", BILLS["row by row"])
    assert progress.solved() == {"03.1"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("no requests", "the requests are missing"),
        ("requests alone", "the GB-seconds are missing"),
        ("per million", r"0\.20 USD per \*million\*"),
        ("amounts", "these are GB-seconds"),
        ("free", "inside the free tier"),
        ("free tier", "the free tier was subtracted"),
        ("mb as gb", "memory_mb was taken as GB; there are 1,024"),
        ("ms as s", "billed_ms was taken as seconds"),
        ("mb and ms", "memory_mb was taken as GB, and billed_ms as seconds"),
        ("1000 mb", "a GB of memory was taken as 1,000 MB"),
        ("1024 ms", "a second was taken as 1,024 ms"),
        ("used", "the configured memory that is billed"),
        ("duration", "duration_ms lacks init and rounding"),
        ("sums", "multiply in each row first, and add up then"),
        ("mean", "the mean of the memory sizes"),
        ("arm", "the price of arm64"),
        ("successes", "a call that was stopped is billed as well"),
        ("cents", "in cents"),
        ("rounded", "that is rounded; return it as it is"),
        ("hard-coded", r"is right, for 5 rows with \{'memory_mb'"),
        ("a column", "returned a Series; return one number"),
        ("nan", "returned nan where"),
        ("raises", "raised KeyError: 'memory'; call it yourself"),
    ],
)
def test_a_wrong_bill_gets_its_sentence(answer, says):
    text = refused("03.1", BILLS[answer])
    assert re.search(says, text), text


# 03.2


def then(frame):
    return np.ceil(frame["duration_ms"] / 100) * 100


def today(frame):
    return (frame.memory_mb * frame.billed_ms).sum()


FACTORS: dict[str, Callable] = {
    "in GB-seconds": lambda f: (f.memory_mb / 1024 * then(f) / 1000).sum() / gb_seconds(f),
    "inverse": lambda f: today(f) / (f.memory_mb * then(f)).sum(),
    "percent": lambda f: 100 * (f.memory_mb * then(f)).sum() / today(f),
    "percent more": lambda f: 100 * ((f.memory_mb * then(f)).sum() / today(f) - 1),
    "difference": lambda f: (f.memory_mb * then(f)).sum() / today(f) - 1,
    "hundreds": lambda f: (f.memory_mb * np.ceil(f.duration_ms / 100)).sum() / today(f),
    "no memory": lambda f: then(f).sum() / f.billed_ms.sum(),
    "mean": lambda f: (then(f) / f.billed_ms).mean(),
    "weighted mean": lambda f: np.average(then(f) / f.billed_ms, weights=f.memory_mb),
    "round": lambda f: (f.memory_mb * (f.duration_ms / 100).round() * 100).sum() / today(f),
    "down": lambda f: (f.memory_mb * (f.duration_ms // 100) * 100).sum() / today(f),
    "one more": lambda f: (f.memory_mb * (f.duration_ms // 100 + 1) * 100).sum() / today(f),
    "billed": lambda f: (f.memory_mb * np.ceil(f.billed_ms / 100) * 100).sum() / today(f),
    "no init today": lambda f: (f.memory_mb * then(f)).sum() / (f.memory_mb * np.ceil(f.duration_ms)).sum(),
    "not billed today": lambda f: (f.memory_mb * then(f)).sum() / (f.memory_mb * f.duration_ms).sum(),
    "sum without memory": lambda f: np.ceil(f.duration_ms.sum() / 100) * 100 / f.billed_ms.sum(),
    "rounded": lambda f: round((f.memory_mb * then(f)).sum() / today(f), 2),
    "hard-coded": lambda f: 50.0,
    "a column": lambda f: then(f) / f.billed_ms,
    "text": lambda f: "1.04",
    "nothing": lambda f: None,
}  # fmt: skip


def test_another_way_to_the_factor_passes():
    checks.check("03.2", FACTORS["in GB-seconds"])
    assert progress.solved() == {"03.2"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("inverse", "turn it round"),
        ("percent", "that is in percent"),
        ("percent more", "the difference in percent"),
        ("difference", "that is the difference; return the factor"),
        ("hundreds", "the hundreds were counted"),
        ("no memory", "weigh each row by memory_mb"),
        ("mean", "the mean of each row's factor"),
        ("weighted mean", "a mean of each row's factor"),
        ("round", r"round\(\) also rounds down"),
        ("down", "this rounds down"),
        ("one more", "exactly 200 ms was billed 200 ms"),
        ("billed", "init was free in 2019"),
        ("no init today", "init is billed today"),
        ("not billed today", "today's bill is billed_ms"),
        ("sum without memory", "each call was rounded up, not all together"),
        ("rounded", "that is rounded; return it as it is"),
        ("hard-coded", "is right, for 5 rows with"),
        ("a column", "returned a Series"),
        ("text", "returned a str; return one number"),
        ("nothing", "returned nothing; let it end with `return` and one number"),
    ],
)
def test_a_wrong_factor_gets_its_sentence(answer, says):
    text = refused("03.2", FACTORS[answer])
    assert re.search(says, text), text


# 03.3


def fast(table, limit_ms):
    return table[table.duration_ms <= limit_ms]


CHOICES: dict[str, Callable] = {
    "sorted": lambda t, limit: fast(t, limit).sort_values("usd_per_million").iloc[0]["memory_mb"],
    "in a loop": lambda t, limit: min(
        (row.usd_per_million, row.memory_mb) for row in t.itertuples() if row.duration_ms <= limit
    )[1],
    "smallest": lambda t, limit: fast(t, limit).memory_mb.min(),
    "fastest": lambda t, limit: t.loc[t.duration_ms.idxmin(), "memory_mb"],
    "cheapest of all": lambda t, limit: t.loc[t.usd_per_million.idxmin(), "memory_mb"],
    "dearest": lambda t, limit: fast(t, limit).sort_values("usd_per_million").iloc[-1]["memory_mb"],
    "first": lambda t, limit: fast(t, limit).iloc[0]["memory_mb"],
    "label": lambda t, limit: int(fast(t, limit).usd_per_million.idxmin()),
    "cost": lambda t, limit: fast(t, limit).usd_per_million.min(),
    "below": lambda t, limit: t.loc[t[t.duration_ms < limit].usd_per_million.idxmin(), "memory_mb"],
    "the row": lambda t, limit: t.loc[fast(t, limit).usd_per_million.idxmin()],
    "hard-coded": lambda t, limit: 1769,
}


@pytest.mark.parametrize("answer", ["sorted", "in a loop"])
def test_another_way_to_the_memory_size_passes(answer):
    checks.check("03.3", CHOICES[answer])
    assert progress.solved() == {"03.3"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("smallest", "returned 512 where 1769 is right.* it is the smallest, but it costs 4.87"),
        ("fastest", "returned 3008 where 1769 is right.* it is the fastest, but it costs 4.65"),
        ("cheapest of all", "returned 1769 where 3008 is right.* too slow; keep the rows that are fast enough first"),
        ("dearest", "but it costs"),
        ("first", "but it costs"),
        ("label", "that is the label of a row; return its memory_mb"),
        ("cost", "no row has this memory_mb"),
        ("below", "takes exactly 301 ms, and that is allowed"),
        ("the row", "returned a Series; return one number"),
        ("hard-coded", "returned 1769 where 3008 is right"),
    ],
)
def test_a_wrong_memory_size_gets_its_sentence(answer, says):
    text = refused("03.3", CHOICES[answer])
    assert re.search(says, text), text


@pytest.mark.parametrize("number", ["03.1", "03.2", "03.3"])
def test_the_last_hint_gives_it_nearly_away(number):
    exercise = checks.EXERCISES[number]
    assert 2 <= len(exercise.hints) <= 4
    solved = source.solved(cell(int(number[-1]) - 1))
    last = exercise.hints[-1]
    assert any(word in solved for word in re.findall(r"prices\[\S+\]|\w+\[.*?\]", last))
