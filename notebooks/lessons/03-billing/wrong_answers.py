"""Wrong answers to the exercise 03.3: memory sizes that are chosen in another way, and what the check says of each."""

from typing import Any

import pandas as pd

from helpers.exercises.exercise import WrongAnswer


def _fast(table: pd.DataFrame, limit_ms: float) -> pd.DataFrame:
    return table[table["duration_ms"] <= limit_ms]


def _cheapest(table: pd.DataFrame) -> Any:
    """The row, whose name is its label."""
    return table.sort_values("usd_per_million").iloc[0]


WRONG_MEMORY_SIZES = (
    WrongAnswer(
        "smallest",
        lambda table, limit_ms: _fast(table, limit_ms)["memory_mb"].min(),
        "returned 512 where 1769 is right.* it is the smallest, but it costs 4.87",
    ),
    WrongAnswer(
        "fastest",
        lambda table, limit_ms: table.loc[table["duration_ms"].idxmin(), "memory_mb"],
        "returned 3008 where 1769 is right.* it is the fastest, but it costs 4.65",
    ),
    WrongAnswer(
        "cheapest of all",
        lambda table, limit_ms: _cheapest(table)["memory_mb"],
        "returned 1769 where 3008 is right.* too slow; keep the rows that are fast enough first",
    ),
    WrongAnswer(
        "dearest",
        lambda table, limit_ms: _fast(table, limit_ms).sort_values("usd_per_million").iloc[-1]["memory_mb"],
        "but it costs",
    ),
    WrongAnswer("first", lambda table, limit_ms: _fast(table, limit_ms).iloc[0]["memory_mb"], "but it costs"),
    WrongAnswer(
        "label",
        lambda table, limit_ms: int(_cheapest(_fast(table, limit_ms)).name),
        "that is the label of a row; return its memory_mb",
    ),
    WrongAnswer(
        "cost", lambda table, limit_ms: _fast(table, limit_ms)["usd_per_million"].min(), "no row has this memory_mb"
    ),
    WrongAnswer(
        "below the limit",
        lambda table, limit_ms: _cheapest(table[table["duration_ms"] < limit_ms])["memory_mb"],
        "takes exactly 301 ms, and that is allowed",
    ),
    WrongAnswer(
        "the row", lambda table, limit_ms: _cheapest(_fast(table, limit_ms)), "returned a Series; return one number"
    ),
    WrongAnswer("hard-coded", lambda table, limit_ms: 1769, "returned 1769 where 3008 is right"),
)
