"""The checks of notebook 03: a bill, the rule of 2019, and a memory size chosen from a measurement."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..connect import Workshop
from ..prices import load_prices
from .exercise import Exercise, NotSolved, call, require_answer, require_number

# What the notebook does not show: sizes that differ, a cold row, an exact multiple of 100 ms, a failure.
EXAMPLE = {
    "duration_ms": [1.20, 200.00, 160.00, 40.10, 3000.00],
    "init_ms": [150.00, np.nan, np.nan, np.nan, np.nan],
    "billed_ms": [152, 200, 160, 41, 3000],
    "memory_mb": [512, 1024, 128, 1769, 256],
    "max_memory_mb": [40, 41, 39, 300, 256],
    "status": ["success", "success", "success", "success", "timeout"],
}


def judge_bill(workshop: Workshop, bill: Callable[[pd.DataFrame], float]) -> list[str]:
    frame = pd.DataFrame(EXAMPLE)
    _compare("bill", call(bill, frame.copy()), *_bills(frame), digits=9)
    return []


def _bills(frame: pd.DataFrame) -> tuple[float, dict[float, str]]:
    """The right bill in USD, and what is wrong with each bill that somebody may come to."""
    prices = load_prices()["lambda"]
    request, per_gb_second = prices["request"], prices["gb_second"]["x86_64"]
    memory, billed = frame["memory_mb"], frame["billed_ms"]
    gb_seconds = (memory / 1024 * billed / 1000).sum()
    requests = len(frame) * request

    def with_gb_seconds(number: float) -> float:
        return requests + number * per_gb_second

    memory_used = (frame["max_memory_mb"] / 1024 * billed / 1000).sum()
    without_init = (memory / 1024 * frame["duration_ms"] / 1000).sum()
    good = (memory * billed)[frame["status"] == "success"]
    return with_gb_seconds(gb_seconds), {
        gb_seconds * per_gb_second: "the requests are missing; each row is one.",
        requests: "the GB-seconds are missing.",
        len(frame) * request * 1e6 + gb_seconds * per_gb_second:
            "a request costs 0.20 USD per *million*; prices[\"request\"] is the price of one.",
        gb_seconds: "these are GB-seconds; multiply them by their price, and add the requests.",
        0.0: "it is inside the free tier, which this exercise leaves out.",
        with_gb_seconds(gb_seconds) - prices["free_requests"] * request - prices["free_gb_seconds"] * per_gb_second:
            "the free tier was subtracted, which this exercise leaves out.",
        with_gb_seconds(gb_seconds * 1024): "memory_mb was taken as GB; there are 1,024 MB in one.",
        with_gb_seconds(gb_seconds * 1000): "billed_ms was taken as seconds; there are 1,000 ms in one.",
        with_gb_seconds(gb_seconds * 1024 * 1000):
            "memory_mb was taken as GB, and billed_ms as seconds; divide by 1,024 and by 1,000.",
        with_gb_seconds(gb_seconds * 1.024): "a GB of memory was taken as 1,000 MB; Lambda counts 1,024.",
        with_gb_seconds(gb_seconds / 1.024): "a second was taken as 1,024 ms; only memory counts in 1,024.",
        with_gb_seconds(memory_used): "it is the configured memory that is billed, memory_mb, not what was used.",
        with_gb_seconds(without_init): "duration_ms lacks init and rounding; take billed_ms.",
        with_gb_seconds(memory.sum() / 1024 * billed.sum() / 1000):
            "all memory times all time is too much; multiply in each row first, and add up then.",
        with_gb_seconds(memory.mean() / 1024 * billed.sum() / 1000):
            "the mean of the memory sizes does not tell which of them ran long; multiply in each row first.",
        gb_seconds * prices["gb_second"]["arm64"] + requests: "that is the price of arm64; take x86_64.",
        good.sum() / 1024 / 1000 * per_gb_second + len(good) * request: "a call that was stopped is billed as well.",
        100 * with_gb_seconds(gb_seconds): "that is in cents; return USD.",
    }  # fmt: skip


def judge_2019(workshop: Workshop, dearer_in_2019: Callable[[pd.DataFrame], float]) -> list[str]:
    frame = pd.DataFrame(EXAMPLE)
    _compare("dearer_in_2019", call(dearer_in_2019, frame.copy()), *_factors(frame), digits=4)
    return []


def _factors(frame: pd.DataFrame) -> tuple[float, dict[float, str]]:
    """The right factor, and what is wrong with each factor that somebody may come to."""
    memory, billed, duration = frame["memory_mb"], frame["billed_ms"], frame["duration_ms"]
    today = (memory * billed).sum()
    hundreds = duration / 100
    then = np.ceil(hundreds) * 100
    right = (memory * then).sum() / today
    return right, {
        1 / right: "that is today's bill divided by that of 2019; turn it round.",
        100 * right: "that is in percent; return the factor.",
        100 * (right - 1): "that is the difference in percent; return the factor.",
        right - 1: "that is the difference; return the factor.",
        right / 100: "the hundreds were counted, not the milliseconds; multiply by 100 after rounding up.",
        then.sum() / billed.sum():
            "a millisecond at 1,769 MB is dearer than one at 128 MB; weigh each row by memory_mb.",
        (then / billed).mean(): "that is the mean of each row's factor; divide the sums instead.",
        (memory * then / billed).sum() / memory.sum():
            "that is a mean of each row's factor; divide the sums instead.",
        (memory * hundreds.round() * 100).sum() / today: "a call was rounded *up*, always; round() also rounds down.",
        (memory * (hundreds // 1) * 100).sum() / today: "a call was rounded *up*; this rounds down.",
        (memory * (hundreds // 1 + 1) * 100).sum() / today:
            "a call of exactly 200 ms was billed 200 ms; this makes it 300.",
        (memory * np.ceil(billed / 100) * 100).sum() / today:
            "init was free in 2019, and billed_ms has it in; round duration_ms up.",
        (memory * then).sum() / (memory * np.ceil(duration)).sum():
            "init is billed today; divide by billed_ms as it is.",
        (memory * then).sum() / (memory * duration).sum():
            "today's bill is billed_ms: with init, and rounded up to 1 ms.",
        math.ceil((memory * duration).sum() / memory.sum() / 100) * 100 * memory.sum() / today:
            "each call was rounded up, not all together.",
        math.ceil(duration.sum() / 100) * 100 / billed.sum():
            "each call was rounded up, not all together; and each row weighs as much as its memory_mb.",
    }  # fmt: skip


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


def judge_memory(workshop: Workshop, choose_memory: Callable[[pd.DataFrame, float], int]) -> list[str]:
    for table, limit_ms, right in CASES:
        frame = pd.DataFrame(table, index=range(10, 10 + len(table["memory_mb"])))  # an index of no meaning
        chosen = _number("choose_memory", call(choose_memory, frame.copy(), limit_ms))
        if chosen != right:
            raise NotSolved(_wrong_memory(frame, limit_ms, right, chosen))
    return []


def _wrong_memory(frame: pd.DataFrame, limit_ms: float, right: int, chosen: float) -> str:
    rows = frame.set_index("memory_mb")
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
    extreme = {fast.index.min(): "it is the smallest", fast["duration_ms"].idxmin(): "it is the fastest"}
    what = extreme.get(chosen, "it is fast enough")
    cheapest = rows.loc[right, "usd_per_million"]
    return f"{where}: {what}, but it costs {costs:g} USD per million, and {right} MB {cheapest:g}."


def _compare(name: str, found: Any, right: float, known: dict[float, str], digits: int) -> None:
    """NotSolved unless the number is right; `known` has a sentence for each wrong number that is expected."""
    number = _number(name, found)
    if math.isclose(number, right, rel_tol=1e-6):
        return
    said = f"{name} returned {number:.{digits}g} where {right:.{digits}g} is right"
    for wrong, why in known.items():
        if math.isclose(number, wrong, rel_tol=1e-6, abs_tol=1e-15):
            raise NotSolved(f"{said}: {why}")
    if number in [round(right, places) for places in range(12)]:
        raise NotSolved(f"{said}: that is rounded; return it as it is.")
    rows = pd.DataFrame(EXAMPLE)[["memory_mb", "duration_ms", "billed_ms"]].to_dict("list")
    raise NotSolved(f"{said}, for {len(EXAMPLE['memory_mb'])} rows with {rows}.")


def _number(name: str, found: Any) -> float:
    require_answer(name, found)
    return require_number(name, found)


BILL = Exercise(
    "03.1", "the bill", judge_bill,
    (
        "Two things are billed; each row of the table is one request.",
        "GB-seconds of a row: memory_mb / 1024 * billed_ms / 1000. Work with whole columns, and .sum() at the end.",
        'Add len(frame) * prices["request"] and the GB-seconds * prices["gb_second"]["x86_64"].',
    ),
    asks_for="bill",
)  # fmt: skip
IN_2019 = Exercise(
    "03.2", "how much dearer was 2019", judge_2019,
    (
        "Which column has neither init nor rounding in it? Round that one up; np.ceil does so, to whole numbers.",
        'np.ceil(frame["duration_ms"] / 100) * 100 is what each row was billed in 2019.',
        "GB-seconds need the memory of each row. The 1,024 and the 1,000 cancel out in the factor.",
        '(frame["memory_mb"] * then_ms).sum() / (frame["memory_mb"] * frame["billed_ms"]).sum()',
    ),
    asks_for="dearer_in_2019",
)  # fmt: skip
MEMORY = Exercise(
    "03.3", "choose a memory size", judge_memory,
    (
        "Two steps: which rows are fast enough, and which of those is the cheapest?",
        'table[table["duration_ms"] <= limit_ms] keeps the rows that are fast enough; .idxmin() finds the label of the '
        "least value of a column.",
        'fast.loc[fast["usd_per_million"].idxmin(), "memory_mb"]',
    ),
    asks_for="choose_memory",
)  # fmt: skip
EXERCISES = (BILL, IN_2019, MEMORY)
