"""The checks of notebook 04: a share of init, and a function whose warm calls are fast."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from helpers.connect import Workshop
from helpers.exercises import deployed
from helpers.exercises.exercise import Answer, DeployedFunction, Notes, NotSolved, WrongAnswer, call, require_number
from helpers.exercises.mistakes import Mistake, as_wrong_answers, reason
from helpers.exercises.probe import Probe
from helpers.reports import reports

CALLS = 6
TIMES_FASTER = 2
NUMBERS = (0, 2, 7_917, 7_919, 999_979, 999_983, 999_999)
# Two cold rows and a warm one. 38% of the cold time was init: (90 + 100) / (90 + 100 + 10 + 300).
EXAMPLE = {"init_ms": [90.0, np.nan, 100.0], "duration_ms": [10.0, 999.0, 300.0]}
SHARE = 190 / 500


def judge_share(share_of_init: Callable[[pd.DataFrame], float]) -> Notes:
    example = pd.DataFrame(EXAMPLE)
    share = require_number("share_of_init", call(share_of_init, example.copy()), "one number from 0 to 1")
    if math.isclose(share, SHARE, rel_tol=1e-6):
        return []
    why = reason(WRONG_SHARES, lambda formula: math.isclose(share, formula(example), rel_tol=1e-6))
    if why:
        raise NotSolved(f"share_of_init returned {share:.3f} where {SHARE:.3f} is right: {why}")
    raise NotSolved(
        f"share_of_init returned {share:.3f} where {SHARE:.3f} is right, for cold rows of 90 + 10 ms and "
        "100 + 300 ms; divide all init_ms of the cold rows by all their init_ms and duration_ms."
    )


def _share(frame: pd.DataFrame) -> float:
    return float(frame["init_ms"].sum() / (frame["init_ms"].sum() + frame["duration_ms"].sum()))


def _cold(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["init_ms"].notna()]


WRONG_SHARES = (
    Mistake("warm too", _share, "the warm rows are counted as well; keep the rows that have an init_ms."),
    Mistake(
        "mean",
        lambda frame: (frame["init_ms"] / (frame["init_ms"] + frame["duration_ms"])).mean(),
        "that is the mean of each row's share; divide the sums instead.",
    ),
    Mistake("percent", lambda frame: 100 * _share(_cold(frame)), "that is in percent; return a number from 0 to 1."),
    Mistake(
        "ratio",
        lambda frame: frame["init_ms"].sum() / _cold(frame)["duration_ms"].sum(),
        "init_ms was divided by duration_ms alone; the whole time is both together.",
    ),
)


def judge_primes(workshop: Workshop) -> Notes:
    step = "run the cell that deploys it"
    slow, fast = (
        Probe(workshop, deployed.find(workshop, workshop.name(name), step)) for name in ("primes-slow", "primes-fast")
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
    return float(rows[rows["init_ms"].isna()]["duration_ms"].median())


SHARE_OF_INIT = Answer(
    number="04.1",
    title="how much of the waiting is init",
    asks_for="share_of_init",
    judge=judge_share,
    hints=(
        "Which rows of the table are cold? Look at what the others have in the column init_ms.",
        'frame[frame["init_ms"].notna()] keeps the cold rows; .sum() adds up a column.',
        'cold["init_ms"].sum() / (cold["init_ms"].sum() + cold["duration_ms"].sum())',
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_SHARES),
        WrongAnswer("constant", lambda frame: 0.9, "returned 0.900 where 0.380 is right"),
        WrongAnswer(
            "a column", lambda frame: frame["init_ms"] / frame["duration_ms"], "returned a Series; return one number"
        ),
        WrongAnswer("nan", lambda frame: math.nan, "returned nan where 0.380 is right"),
    ),
)
PRIMES = DeployedFunction(
    number="04.2",
    title="make the warm calls fast",
    judge=judge_primes,
    hints=(
        "Which lines of the handler do the same for every event?",
        "What stands outside the handler runs once for each environment, in its init phase.",
        'Put the sieve and the loop that fills it above `def handler`; in it stays `return sieve[event["number"]]`.',
    ),
    wrong_answers=(  # each what is made of the notebook's slow_source
        WrongAnswer(
            "as slow as before",
            lambda slow_source: slow_source,
            r"A warm call takes [\d.]+ ms \(median\), and took [\d.]+ ms before; .* move it above",
        ),
        WrongAnswer(
            "odd numbers",
            lambda slow_source: "def handler(event, context):\n    return event['number'] % 2 == 1\n",
            "fast function answers false for the number 0, and the slow one true",
        ),
    ),
)
EXERCISES = (SHARE_OF_INIT, PRIMES)
