"""The checks of notebook 02: the concurrency a load needs, the peak that a log shows, and a reservation."""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from helpers.connect import Workshop
from helpers.exercises import deployed
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    Notes,
    NotSolved,
    WrongAnswer,
    call,
    require_answer,
    require_number,
)
from helpers.exercises.mistakes import Mistake, as_wrong_answers, reason

Rows = tuple[
    tuple[str, int, float, float], ...
]  # environment, start, init and duration in ms
Unit = Literal["s", "ms", "ns"]

# Calls per second, milliseconds of a call, environments. The second and third have a fraction to round up.
LOADS = ((40, 250, 10), (7, 900, 7), (3, 400, 2), (2_600, 1_500, 3_900))

# Three run at once, twice: A, B and C, then A, D and E. In E's init
# phase A, B and C run; with their init phases after them, A, B and C reach into D. Ten invocations, seven environments and six cold starts: no other number is the peak's.
EXAMPLE: Rows = (
    ("1", 0, 50.0, 1_000.0),  # A
    ("2", 200, 20.0, 500.0),  # B
    ("5", 300, 120.0, 300.0),  # C
    ("2", 700, np.nan, 600.0),  # D
    ("3", 750, 650.0, 400.0),  # E
    ("1", 2_000, np.nan, 300.0),
    ("4", 2_200, 10.0, 300.0),
    ("7", 4_000, np.nan, 100.0),
    ("6", 9_000, 10.0, 100.0),
    ("6", 9_500, np.nan, 100.0),
)
PEAK = 3
# One environment, one call after the other, each starting when the one before ends.
IN_TURN: Rows = (
    ("1", 0, np.nan, 250.0),
    ("1", 250, np.nan, 250.0),
    ("1", 500, np.nan, 250.0),
)

WRITER = "order-writer"
PEAK_ORDERS, SECONDS = 30, 0.4
CONNECTIONS, OTHERS = 20, 6
LEAST, MOST = math.ceil(PEAK_ORDERS * SECONDS), CONNECTIONS - OTHERS  # 12 and 14


def judge_sum(concurrency_needed: Callable[[float, float], int]) -> Notes:
    for calls_per_second, duration_ms, right in LOADS:
        found = call(concurrency_needed, calls_per_second, duration_ms)
        _number(found, "concurrency_needed", "one whole number")
        if found != right:
            load = f"{calls_per_second:,} calls per second of {duration_ms:,} ms"
            why = _wrong_sum(found, calls_per_second, duration_ms)
            raise NotSolved(
                f"concurrency_needed returned {found:g} for {load}, where {right:,} is right: {why}"
            )
    return []


def _wrong_sum(found: float, calls_per_second: float, duration_ms: float) -> str:
    why = reason(
        WRONG_SUMS,
        lambda formula: math.isclose(
            found, formula(calls_per_second, duration_ms), rel_tol=1e-9
        ),
    )
    return (
        why
        or "multiply the calls per second by the seconds that one takes, and round up."
    )


WRONG_SUMS = (
    Mistake(
        "not rounded",
        lambda calls, ms: calls * ms / 1000,
        "there is no half environment, so round up with math.ceil.",
        r"returned 6\.3 for 7 calls per second of 900 ms, where 7 is right: ",
    ),
    Mistake(
        "not converted",
        lambda calls, ms: calls * ms,
        "the duration is in milliseconds, and the calls are per second; divide by 1,000.",
        "returned 10000 for 40 ",
    ),
    Mistake(
        "rounded down",
        lambda calls, ms: calls * ms // 1000,
        "the remainder needs one environment more; always round up.",
        "returned 6 for 7 ",
    ),
    Mistake(
        "divided",
        lambda calls, ms: math.ceil(calls * 1000 / ms),
        "multiply by the duration; do not divide by it.",
    ),
    Mistake(
        "divided, not rounded",
        lambda calls, ms: calls * 1000 / ms,
        "multiply by the duration; do not divide by it.",
    ),
    Mistake(
        "no duration",
        lambda calls, ms: calls,
        "the duration counts too; that would be right for calls of one second.",
    ),
    Mistake(
        "one more",
        lambda calls, ms: calls * ms // 1000 + 1,
        "this load fills its environments exactly; add one only where there is a remainder.",
        "returned 11 for 40 ",
    ),
)


def judge_peak(peak_concurrency: Callable[[pd.DataFrame], int]) -> Notes:
    for rows, right in (
        (EXAMPLE, PEAK),
        (IN_TURN, 1),
        (EXAMPLE[::-1], PEAK),
        (EXAMPLE[5:], 2),
    ):
        found = call(peak_concurrency, _table(rows))
        _number(found, "peak_concurrency", "one whole number")
        if found != right:
            count = f"peak_concurrency returned {found:g} where {right} is right, for {len(rows)} invocations"
            raise NotSolved(f"{count}: {_wrong_peak(found, rows)}")
    return []


def _wrong_peak(found: float, rows: Rows) -> str:
    frame = _table(rows)
    return reason(WRONG_PEAKS, lambda formula: int(found) == formula(frame)) or (
        "add 1 at each start and take 1 away at each end, in the order of time (the table may not be in it), "
        "and take the largest sum."
    )


def running(
    frame: pd.DataFrame,
    *,
    ends_first: bool = True,
    in_order: bool = True,
    init: bool = False,
    unit: Unit = "ms",
) -> "pd.Series[int]":
    """How many run after each start and each end; with other values for the keywords, as a wrong answer counts."""
    begins = frame["start"] - pd.to_timedelta(
        frame["init_ms"].fillna(0) if init else 0, unit="ms"
    )
    ends = frame["start"] + pd.to_timedelta(frame["duration_ms"], unit=unit)
    changes = pd.DataFrame(
        {"at": [*begins, *ends], "change": [1] * len(frame) + [-1] * len(frame)}
    )
    if in_order:
        changes = changes.sort_values(["at", "change"], ascending=[True, ends_first])
    return changes["change"].cumsum()


MILLISECONDS = "that is how many there are; look at when each one ends; duration_ms is in milliseconds."
WRONG_PEAKS = (
    Mistake(
        "starts first",
        lambda frame: running(frame, ends_first=False).max(),
        "each starts at the moment at which the one before it ends, so they did not run together; "
        "count the ends before the starts of the same moment.",
        "returned 2 where 1 is right, for 3 invocations: ",
    ),
    Mistake(
        "not in order",
        lambda frame: running(frame, in_order=False).max(),
        MILLISECONDS,
        "returned 10 where 3 is right, for 10 invocations: ",
    ),
    Mistake(
        "in seconds",
        lambda frame: running(frame, unit="s").max(),
        MILLISECONDS,
        "returned 10 where 3 is right, ",
    ),
    Mistake("rows", len, MILLISECONDS, "returned 10 where 3 is right, "),
    Mistake(
        "environments",
        lambda frame: frame["environment"].nunique(),
        "that is the number of environments, and those that ran at different times count too; compare the times.",
        "returned 7 where 3 is right",
    ),
    Mistake(
        "with init",
        lambda frame: running(frame, init=True).max(),
        "the init phase is counted too; an invocation runs from its start.",
        "returned 4 where 3 is right, for 10 invocations: ",
    ),
    Mistake(
        "with init at the end",
        lambda frame: running(
            frame.assign(duration_ms=frame["duration_ms"] + frame["init_ms"].fillna(0))
        ).max(),
        "the init phase is counted too; an invocation runs from its start.",
        "returned 4 where 3 is right, for 10 invocations: ",
    ),
    Mistake(
        "in nanoseconds",
        lambda frame: running(frame, unit="ns").max(),
        "some do overlap; look at when each one ends; duration_ms is in milliseconds.",
        "returned 1 where 3 is right",
    ),
    Mistake(
        "the last",
        lambda frame: running(frame).iloc[-1],
        "at the end of the log nothing runs; take the largest sum on the way, not the last.",
        "returned 0 where 3 is right",
    ),
    Mistake(
        "cold starts",
        lambda frame: frame["init_ms"].notna().sum(),
        "that is the number of cold starts; compare starts and ends.",
        "returned 6 where 3 is right",
    ),
)


def _table(rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame(
        rows, columns=["environment", "start", "init_ms", "duration_ms"]
    )
    start = pd.Timestamp("2026-11-24", tz="UTC") + pd.to_timedelta(
        frame["start"], unit="ms"
    )
    return frame.assign(start=start.astype("datetime64[ms, UTC]"), status="success")


def _number(found: Any, function: str, wanted: str) -> None:
    require_answer(function, found, wanted)
    if not math.isfinite(require_number(function, found, wanted)):
        raise NotSolved(f"{function} returned {found:g}; return {wanted}.")


def judge_reservation(workshop: Workshop) -> Notes:
    name = workshop.name(WRITER)
    deployed.find(workshop, name, "run the cell that deploys it")
    answer = workshop.client("lambda").get_function_concurrency(FunctionName=name)
    if sentence := _wrong_reservation(answer.get("ReservedConcurrentExecutions"), name):
        raise NotSolved(sentence)
    return []


def _wrong_reservation(reserved: int | None, name: str) -> str | None:
    """What is wrong with this reservation, in one sentence that says why, or None."""
    if reserved is None:
        return (
            f"{name} has no reservation, so a burst may open a connection for every environment up to the "
            "account's limit; call put_function_concurrency."
        )
    if reserved == 0:
        return f"{name} has 0 reserved, the emergency stop: no order is written at all; reserve what they need."
    if reserved < LEAST:
        return (
            f"With {reserved} reserved, orders are throttled at the peak; look at the highest bar, and work out "
            "the concurrency that so many orders per second need."
        )
    if reserved > CONNECTIONS:
        return (
            f"With {reserved} reserved, the function may open {reserved} connections, and the database takes "
            f"{CONNECTIONS} in all; reserve less."
        )
    if reserved > MOST:
        return (
            f"With {reserved} reserved, a burst takes connections away from reports and backups; "
            f"leave them their {OTHERS} of the {CONNECTIONS}."
        )
    return None


SUM = Answer(
    number="02.1",
    title="how many environments a load needs",
    asks_for="concurrency_needed",
    judge=judge_sum,
    hints=(
        "10 calls per second of 0.5 s are 5 at once. What did you do with the two numbers?",
        "The duration comes in milliseconds: divide by 1,000. And 6.3 environments are 7.",
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_SUMS),
        WrongAnswer(
            "rounded",
            lambda calls, ms: round(calls * ms / 1000),
            "returned 6 for 7 .*always round up",
        ),
        WrongAnswer(
            "constant",
            lambda calls, ms: 5,
            "returned 5 for 40 calls .*where 10 is right",
        ),
        WrongAnswer(
            "a text",
            lambda calls, ms: f"{calls * ms / 1000:.0f}",
            "returned a str; return one whole number",
        ),
        WrongAnswer(
            "nothing",
            lambda calls, ms: None,
            "returned nothing; let it end with `return` and one whole number",
        ),
        WrongAnswer(
            "nan", lambda calls, ms: math.nan, "returned nan; return one whole number"
        ),
        WrongAnswer(
            "truth", lambda calls, ms: True, "returned a bool; return one whole number"
        ),
        WrongAnswer("raises", lambda calls, ms: calls / 0, "ZeroDivisionError"),
    ),
)
PEAK_OF_LOG = Answer(
    number="02.2",
    title="read the concurrency from the log",
    asks_for="peak_concurrency",
    judge=judge_peak,
    hints=(
        "Draw three bars on paper, as plot_timeline does, and go from left to right: where does their number change?",
        "It goes up by one at each start and down by one at each end. pd.Series(1, index=start) is all the "
        "starts; make such a Series of -1 for the ends, and put them together with pd.concat.",
        "changes.groupby(level=0).sum() adds up what happens at the same time and sorts by it; .cumsum() then is how "
        "many run, and .max() the most.",
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_PEAKS),
        WrongAnswer("constant", lambda frame: 3, "returned 3 where 1 is right"),
        WrongAnswer("a series", running, "returned a Series; return one whole number"),
        WrongAnswer(
            "infinity", lambda frame: math.inf, "returned inf; return one whole number"
        ),
    ),
)
RESERVATION = DeployedFunction(
    number="02.3",
    title="choose a reservation",
    judge=judge_reservation,
    hints=(
        "Two numbers limit the choice: what do the orders need at the peak, and what does the database have left?",
        "At the peak 30 orders come per second, each of 0.4 s. Of 20 connections 6 are taken.",
        "Any number from 12 to 14 is right: "
        "lambda_client.put_function_concurrency(FunctionName=writer, ReservedConcurrentExecutions=14)",
    ),
    wrong_answers=(  # each what is reserved
        WrongAnswer("none", None, "has no reservation"),
        WrongAnswer("all stopped", 0, "the emergency stop"),
        WrongAnswer(
            "far too little", 1, "With 1 reserved, orders are throttled at the peak"
        ),
        WrongAnswer(
            "too little", 11, "With 11 reserved, orders are throttled at the peak"
        ),
        WrongAnswer(
            "too much",
            15,
            "takes connections away from reports and backups; leave them their 6 of the 20",
        ),
        WrongAnswer(
            "all connections", 20, "takes connections away from reports and backups"
        ),
        WrongAnswer(
            "more than all", 21, "may open 21 connections, and the database takes 20"
        ),
        WrongAnswer("far too much", 100, "may open 100 connections"),
    ),
)
EXERCISES = (SUM, PEAK_OF_LOG, RESERVATION)
