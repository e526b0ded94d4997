"""The checks of notebook 04: a share of init, and a function whose warm calls are fast."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from ..connect import Workshop
from ..reports import reports
from . import deployed
from .exercise import Exercise, NotSolved, call, require_number
from .probe import Probe

CALLS = 6
TIMES_FASTER = 2
NUMBERS = (0, 2, 7_917, 7_919, 999_979, 999_983, 999_999)
# Two cold rows and a warm one. 38% of the cold time was init: (90 + 100) / (90 + 100 + 10 + 300).
EXAMPLE = {"init_ms": [90.0, np.nan, 100.0], "duration_ms": [10.0, 999.0, 300.0]}
SHARE = 190 / 500
WITH_THE_WARM = 190 / 1_499
MEAN_OF_SHARES = (90 / 100 + 100 / 400) / 2


def judge_share(workshop: Workshop, share_of_init: Callable[[pd.DataFrame], float]) -> list[str]:
    share = require_number("share_of_init", call(share_of_init, pd.DataFrame(EXAMPLE)), "one number from 0 to 1")
    sentence = _wrong_share(share)
    if sentence:
        raise NotSolved(sentence)
    return []


def _wrong_share(share: float) -> str | None:
    """What is wrong with the share of EXAMPLE, or None."""
    known = {
        WITH_THE_WARM: "the warm rows are counted as well; keep the rows that have an init_ms.",
        MEAN_OF_SHARES: "that is the mean of each row's share; divide the sums instead.",
        SHARE * 100: "that is in percent; return a number from 0 to 1.",
        190 / 310: "init_ms was divided by duration_ms alone; the whole time is both together.",
    }
    if math.isclose(share, SHARE, rel_tol=1e-6):
        return None
    for wrong, why in known.items():
        if math.isclose(share, wrong, rel_tol=1e-6):
            return f"share_of_init returned {share:.3f} where {SHARE:.3f} is right: {why}"
    return (
        f"share_of_init returned {share:.3f} where {SHARE:.3f} is right, for cold rows of 90 + 10 ms and "
        "100 + 300 ms; divide all init_ms of the cold rows by all their init_ms and duration_ms."
    )


def judge_primes(workshop: Workshop, _: Any) -> list[str]:
    step = "run the cell that deploys it"
    slow, fast = (
        Probe(workshop, deployed.find(workshop, workshop.name(name), step))
        for name in ("primes-slow", "primes-fast")
    )
    for number in NUMBERS:
        _same_answer(slow, fast, number)
    medians = {probe.function.name: _warm_median_ms(probe) for probe in (slow, fast)}
    before, now = medians.values()
    if now > before / TIMES_FASTER:
        raise NotSolved(
            f"A warm call takes {now:.1f} ms (median), and took {before:.1f} ms before; "
            "what is made anew for every event still stands in the handler: move it above."
        )
    return []


def _same_answer(slow: Probe, fast: Probe, number: int) -> None:
    when = f"for the number {number}"
    wanted, found = (probe.succeed({"number": number}, when).payload for probe in (slow, fast))
    if found != wanted:
        raise NotSolved(
            f"The fast function answers {json.dumps(found)[:100]} {when}, and the slow one "
            f"{json.dumps(wanted)}; the answers have to stay the same."
        )


def _warm_median_ms(probe: Probe) -> float:
    began = datetime.now(UTC)
    for _ in range(CALLS):
        probe.invoke({"number": NUMBERS[-1]})
    rows = reports(probe.workshop.client("logs"), probe.function.name, at_least=CALLS, since=began)
    return rows[rows["init_ms"].isna()]["duration_ms"].median()


SHARE_OF_INIT = Exercise(
    "04.1", "how much of the waiting is init", judge_share,
    (
        "Which rows of the table are cold? Look at what the others have in the column init_ms.",
        'frame[frame["init_ms"].notna()] keeps the cold rows; .sum() adds up a column.',
        'cold["init_ms"].sum() / (cold["init_ms"].sum() + cold["duration_ms"].sum())',
    ),
    asks_for="share_of_init",
)  # fmt: skip
PRIMES = Exercise(
    "04.2", "make the warm calls fast", judge_primes,
    (
        "Which lines of the handler do the same for every event?",
        "What stands outside the handler runs once for each environment, in its init phase.",
        "Put the sieve and the loop that fills it above `def handler`; in it stays "
        '`return sieve[event["number"]]`.',
    ),
)  # fmt: skip
EXERCISES = (SHARE_OF_INIT, PRIMES)
