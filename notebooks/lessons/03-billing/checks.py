"""The checks of notebook 03: a bill, the rule of 2019, and a memory size chosen from a measurement."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from helpers.exercises.exercise import Answer, Notes, NotSolved, WrongAnswer, call, require_answer, require_number
from helpers.exercises.mistakes import Mistake, as_wrong_answers, reason
from helpers.prices import load_prices

from .wrong_answers import WRONG_MEMORY_SIZES

Frames = Callable[[pd.DataFrame], float]

PRICES = load_prices()["lambda"]
REQUEST, GB_SECOND = float(PRICES["request"]), float(PRICES["gb_second"]["x86_64"])
# What the notebook does not show: sizes that differ, a cold row, an exact multiple of 100 ms, a failure.
EXAMPLE = {
    "duration_ms": [1.20, 200.00, 160.00, 40.10, 3000.00],
    "init_ms": [150.00, np.nan, np.nan, np.nan, np.nan],
    "billed_ms": [152, 200, 160, 41, 3000],
    "memory_mb": [512, 1024, 128, 1769, 256],
    "max_memory_mb": [40, 41, 39, 300, 256],
    "status": ["success", "success", "success", "success", "timeout"],
}


# 03.1


def judge_bill(bill: Frames) -> Notes:
    _compare("bill", bill, right_bill, WRONG_BILLS, digits=9)
    return []


def right_bill(frame: pd.DataFrame) -> float:
    return _with_requests(frame, _gb_seconds(frame))


def _gb_seconds(frame: pd.DataFrame, memory: str = "memory_mb", time: str = "billed_ms") -> float:
    return float((frame[memory] / 1024 * frame[time] / 1000).sum())


def _with_requests(frame: pd.DataFrame, gb_seconds: float, gb_second: float = GB_SECOND) -> float:
    return len(frame) * REQUEST + gb_seconds * gb_second


WRONG_BILLS = (
    Mistake("no requests", lambda f: _gb_seconds(f) * GB_SECOND, "the requests are missing; each row is one."),
    Mistake("requests alone", lambda f: len(f) * REQUEST, "the GB-seconds are missing."),
    Mistake(
        "per million",
        lambda f: len(f) * REQUEST * 1e6 + _gb_seconds(f) * GB_SECOND,
        'a request costs 0.20 USD per *million*; prices["request"] is the price of one.',
    ),
    Mistake("amounts", _gb_seconds, "these are GB-seconds; multiply them by their price, and add the requests."),
    Mistake("free", lambda f: 0.0, "it is inside the free tier, which this exercise leaves out."),
    Mistake(
        "free tier",
        lambda f: (
            (len(f) - PRICES["free_requests"]) * REQUEST + (_gb_seconds(f) - PRICES["free_gb_seconds"]) * GB_SECOND
        ),
        "the free tier was subtracted, which this exercise leaves out.",
    ),
    Mistake(
        "MB as GB",
        lambda f: _with_requests(f, (f["memory_mb"] * f["billed_ms"] / 1000).sum()),
        "memory_mb was taken as GB; there are 1,024 MB in one.",
    ),
    Mistake(
        "ms as s",
        lambda f: _with_requests(f, (f["memory_mb"] / 1024 * f["billed_ms"]).sum()),
        "billed_ms was taken as seconds; there are 1,000 ms in one.",
    ),
    Mistake(
        "MB and ms",
        lambda f: _with_requests(f, (f["memory_mb"] * f["billed_ms"]).sum()),
        "memory_mb was taken as GB, and billed_ms as seconds; divide by 1,024 and by 1,000.",
    ),
    Mistake(
        "1000 MB",
        lambda f: _with_requests(f, (f["memory_mb"] / 1000 * f["billed_ms"] / 1000).sum()),
        "a GB of memory was taken as 1,000 MB; Lambda counts 1,024.",
    ),
    Mistake(
        "1024 ms",
        lambda f: _with_requests(f, (f["memory_mb"] / 1024 * f["billed_ms"] / 1024).sum()),
        "a second was taken as 1,024 ms; only memory counts in 1,024.",
    ),
    Mistake(
        "memory used",
        lambda f: _with_requests(f, _gb_seconds(f, memory="max_memory_mb")),
        "it is the configured memory that is billed, memory_mb, not what was used.",
    ),
    Mistake(
        "Duration",
        lambda f: _with_requests(f, _gb_seconds(f, time="duration_ms")),
        "duration_ms lacks init and rounding; take billed_ms.",
    ),
    Mistake(
        "sums",
        lambda f: _with_requests(f, f["memory_mb"].sum() / 1024 * f["billed_ms"].sum() / 1000),
        "all memory times all time is too much; multiply in each row first, and add up then.",
    ),
    Mistake(
        "mean",
        lambda f: _with_requests(f, f["memory_mb"].mean() / 1024 * f["billed_ms"].sum() / 1000),
        "the mean of the memory sizes does not tell which of them ran long; multiply in each row first.",
    ),
    Mistake(
        "arm64",
        lambda f: _with_requests(f, _gb_seconds(f), PRICES["gb_second"]["arm64"]),
        "that is the price of arm64; take x86_64.",
    ),
    Mistake(
        "successes", lambda f: right_bill(f[f["status"] == "success"]), "a call that was stopped is billed as well."
    ),
    Mistake("cents", lambda f: 100 * right_bill(f), "that is in cents; return USD."),
)


# 03.2


def judge_2019(dearer_in_2019: Frames) -> Notes:
    _compare("dearer_in_2019", dearer_in_2019, right_factor, WRONG_FACTORS, digits=4)
    return []


def right_factor(frame: pd.DataFrame) -> float:
    return _memory_times(frame, _then_ms(frame)) / _today(frame)


def _then_ms(frame: pd.DataFrame) -> "pd.Series[Any]":
    return frame["duration_ms"].div(100).map(math.ceil) * 100


def _today(frame: pd.DataFrame) -> float:
    return _memory_times(frame, frame["billed_ms"])


def _memory_times(frame: pd.DataFrame, milliseconds: "pd.Series[Any]") -> float:
    return float((frame["memory_mb"] * milliseconds).sum())


ALL_TOGETHER = "each call was rounded up, not all together"
WRONG_FACTORS = (
    Mistake("inverse", lambda f: 1 / right_factor(f), "that is today's bill divided by that of 2019; turn it round."),
    Mistake("percent", lambda f: 100 * right_factor(f), "that is in percent; return the factor."),
    Mistake(
        "percent more", lambda f: 100 * (right_factor(f) - 1), "that is the difference in percent; return the factor."
    ),
    Mistake("difference", lambda f: right_factor(f) - 1, "that is the difference; return the factor."),
    Mistake(
        "hundreds",
        lambda f: _memory_times(f, np.ceil(f["duration_ms"] / 100)) / _today(f),
        "the hundreds were counted, not the milliseconds; multiply by 100 after rounding up.",
    ),
    Mistake(
        "no memory",
        lambda f: _then_ms(f).sum() / f["billed_ms"].sum(),
        "a millisecond at 1,769 MB is dearer than one at 128 MB; weigh each row by memory_mb.",
    ),
    Mistake(
        "mean",
        lambda f: (_then_ms(f) / f["billed_ms"]).mean(),
        "that is the mean of each row's factor; divide the sums instead.",
    ),
    Mistake(
        "weighted mean",
        lambda f: np.average(_then_ms(f) / f["billed_ms"], weights=f["memory_mb"]),
        "that is a mean of each row's factor; divide the sums instead.",
    ),
    Mistake(
        "round()",
        lambda f: _memory_times(f, (f["duration_ms"] / 100).round() * 100) / _today(f),
        "a call was rounded *up*, always; round() also rounds down.",
    ),
    Mistake(
        "rounded down",
        lambda f: _memory_times(f, f["duration_ms"] // 100 * 100) / _today(f),
        "a call was rounded *up*; this rounds down.",
    ),
    Mistake(
        "one more",
        lambda f: _memory_times(f, (f["duration_ms"] // 100 + 1) * 100) / _today(f),
        "a call of exactly 200 ms was billed 200 ms; this makes it 300.",
    ),
    Mistake(
        "billed",
        lambda f: _memory_times(f, np.ceil(f["billed_ms"] / 100) * 100) / _today(f),
        "init was free in 2019, and billed_ms has it in; round duration_ms up.",
    ),
    Mistake(
        "no init today",
        lambda f: _memory_times(f, _then_ms(f)) / _memory_times(f, np.ceil(f["duration_ms"])),
        "init is billed today; divide by billed_ms as it is.",
    ),
    Mistake(
        "not billed today",
        lambda f: _memory_times(f, _then_ms(f)) / _memory_times(f, f["duration_ms"]),
        "today's bill is billed_ms: with init, and rounded up to 1 ms.",
    ),
    Mistake(
        "all together",
        lambda f: (
            math.ceil(_memory_times(f, f["duration_ms"]) / f["memory_mb"].sum() / 100)
            * 100
            * f["memory_mb"].sum()
            / _today(f)
        ),
        f"{ALL_TOGETHER}.",
    ),
    Mistake(
        "all together, no memory",
        lambda f: math.ceil(f["duration_ms"].sum() / 100) * 100 / f["billed_ms"].sum(),
        f"{ALL_TOGETHER}; and each row weighs as much as its memory_mb.",
    ),
)


def _compare(name: str, function: Frames, right_function: Frames, mistakes: tuple[Mistake, ...], digits: int) -> None:
    """NotSolved, with the reason where one of the mistakes explains it, unless the reader's number is right."""
    frame = pd.DataFrame(EXAMPLE)
    number, right = _number(name, call(function, frame.copy())), right_function(frame)
    if math.isclose(number, right, rel_tol=1e-6):
        return
    said = f"{name} returned {number:.{digits}g} where {right:.{digits}g} is right"
    why = reason(mistakes, lambda formula: math.isclose(number, formula(frame), rel_tol=1e-6, abs_tol=1e-15))
    if why:
        raise NotSolved(f"{said}: {why}")
    if number in [round(right, places) for places in range(12)]:
        raise NotSolved(f"{said}: that is rounded; return it as it is.")
    rows = frame[["memory_mb", "duration_ms", "billed_ms"]].to_dict("list")
    raise NotSolved(f"{said}, for {len(frame)} rows with {rows}.")


# 03.3

# Where the cheapest, the smallest and the fastest that are fast enough are three sizes; then others that differ.
COMPUTES = {
    "memory_mb": [3008, 512, 128, 1769, 1024],
    "duration_ms": [91.0, 560.0, 2300.0, 150.0, 265.0],
    "usd_per_million": [4.65, 4.87, 4.99, 4.52, 4.62],
}
WAITS = {
    "memory_mb": [128, 256, 512, 1024],
    "duration_ms": [320.0, 304.0, 301.0, 300.0],
    "usd_per_million": [0.87, 1.47, 2.71, 5.20],
}
CASES = (  # (table, limit in ms, right answer)
    (COMPUTES, 600.0, 1769),
    (COMPUTES, 120.0, 3008),
    (WAITS, 1_000.0, 128),
    (WAITS, 310.0, 256),
    (WAITS, 301.0, 512),
)


def judge_memory(choose_memory: Callable[[pd.DataFrame, float], int]) -> Notes:
    for table, limit_ms, right in CASES:
        frame = pd.DataFrame(table).rename(lambda label: label + 10)  # an index of no meaning
        chosen = _number("choose_memory", call(choose_memory, frame.copy(), limit_ms))
        if chosen != right:
            raise NotSolved(_wrong_memory(frame, limit_ms, right, chosen))
    return []


def _wrong_memory(frame: pd.DataFrame, limit_ms: float, right: int, chosen: float) -> str:
    rows: Any = frame.set_index("memory_mb")
    where = f"choose_memory returned {chosen:g} where {right} is right, for at most {limit_ms:g} ms"
    if chosen not in rows.index:
        if chosen in frame.index:
            return f"{where}: that is the label of a row; return its memory_mb."
        return f"{where}: no row has this memory_mb, and the sizes are {', '.join(map(str, sorted(rows.index)))}."
    took, costs = rows.loc[chosen]
    if took > limit_ms:
        return (
            f"{where}: at {chosen:g} MB it takes {took:g} ms, which is too slow; "
            "keep the rows that are fast enough first."
        )
    if rows.loc[right, "duration_ms"] == limit_ms:
        return f"{where}: {right} MB takes exactly {limit_ms:g} ms, and that is allowed."
    fast = rows[rows["duration_ms"] <= limit_ms]
    extreme: dict[Any, str] = {
        fast.index.min(): "it is the smallest",
        fast["duration_ms"].idxmin(): "it is the fastest",
    }
    what = extreme.get(chosen, "it is fast enough")
    cheapest = rows.loc[right, "usd_per_million"]
    return f"{where}: {what}, but it costs {costs:g} USD per million, and {right} MB {cheapest:g}."


def _number(name: str, found: Any) -> float:
    require_answer(name, found)
    return require_number(name, found)


BILL = Answer(
    number="03.1",
    title="the bill",
    asks_for="bill",
    judge=judge_bill,
    hints=(
        "Two things are billed; each row of the table is one request.",
        "GB-seconds of a row: memory_mb / 1024 * billed_ms / 1000. Work with whole columns, and .sum() at the end.",
        'Add len(frame) * prices["request"] and the GB-seconds * prices["gb_second"]["x86_64"].',
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_BILLS),
        WrongAnswer("rounded", lambda f: round(right_bill(f), 8), "that is rounded; return it as it is"),
        WrongAnswer("hard-coded", lambda f: 0.0000225, r"is right, for 5 rows with \{'memory_mb'"),
        WrongAnswer(
            "a column", lambda f: f["memory_mb"] / 1024 * f["billed_ms"], "returned a Series; return one number"
        ),
        WrongAnswer("nan", lambda f: math.nan, "returned nan where"),
        WrongAnswer("raises", lambda f: f["memory"], "raised KeyError: 'memory'; call it yourself"),
    ),
)
IN_2019 = Answer(
    number="03.2",
    title="how much dearer was 2019",
    asks_for="dearer_in_2019",
    judge=judge_2019,
    hints=(
        "Which column has neither init nor rounding in it? Round that one up; np.ceil does so, to whole numbers.",
        'np.ceil(frame["duration_ms"] / 100) * 100 is what each row was billed in 2019.',
        "GB-seconds need the memory of each row. The 1,024 and the 1,000 cancel out in the factor.",
        '(frame["memory_mb"] * then_ms).sum() / (frame["memory_mb"] * frame["billed_ms"]).sum()',
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_FACTORS),
        WrongAnswer("rounded", lambda f: round(right_factor(f), 2), "that is rounded; return it as it is"),
        WrongAnswer("hard-coded", lambda f: 50.0, "is right, for 5 rows with"),
        WrongAnswer("a column", lambda f: _then_ms(f) / f["billed_ms"], "returned a Series"),
        WrongAnswer("text", lambda f: "1.04", "returned a str; return one number"),
        WrongAnswer("nothing", lambda f: None, "returned nothing; let it end with `return` and one number"),
    ),
)
MEMORY = Answer(
    number="03.3",
    title="choose a memory size",
    asks_for="choose_memory",
    judge=judge_memory,
    hints=(
        "Two steps: which rows are fast enough, and which of those is the cheapest?",
        'table[table["duration_ms"] <= limit_ms] keeps the rows that are fast enough; .idxmin() finds the label of the '
        "least value of a column.",
        'fast.loc[fast["usd_per_million"].idxmin(), "memory_mb"]',
    ),
    wrong_answers=WRONG_MEMORY_SIZES,
)
EXERCISES = (BILL, IN_2019, MEMORY)
