"""The checks of notebook 02: the concurrency a load needs, the peak that a log shows, and a reservation."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..connect import Workshop
from . import deployed
from .exercise import Exercise, NotSolved, call, require_answer, require_number

# Calls per second, milliseconds of a call, environments. The second and third have a fraction to round up.
LOADS = ((40, 250, 10), (7, 900, 7), (3, 400, 2), (2_600, 1_500, 3_900))

# Environment, start, init and duration in ms. Three run at once, twice: A, B and C, then A, D and E. In E's init
# phase A, B and C run. Ten invocations, seven environments and six cold starts: no other number is the peak's.
EXAMPLE = (
    ("1", 0, 50.0, 1_000.0),  # A
    ("2", 200, 20.0, 500.0),  # B
    ("5", 300, 20.0, 300.0),  # C
    ("2", 700, np.nan, 600.0),  # D
    ("3", 750, 650.0, 400.0),  # E
    ("1", 2_000, np.nan, 300.0),
    ("4", 2_200, 10.0, 300.0),
    ("7", 4_000, np.nan, 100.0),
    ("6", 9_000, 10.0, 100.0),
    ("6", 9_500, np.nan, 100.0),
)
PEAK, WITH_INIT = 3, 4
# One environment, one call after the other, each starting when the one before ends.
IN_TURN = (("1", 0, np.nan, 250.0), ("1", 250, np.nan, 250.0), ("1", 500, np.nan, 250.0))

WRITER = "order-writer"
PEAK_ORDERS, SECONDS = 30, 0.4
CONNECTIONS, OTHERS = 20, 6
LEAST, MOST = math.ceil(PEAK_ORDERS * SECONDS), CONNECTIONS - OTHERS  # 12 and 14


def judge_sum(workshop: Workshop, concurrency_needed: Callable[[float, float], int]) -> list[str]:
    for calls_per_second, duration_ms, right in LOADS:
        found = call(concurrency_needed, calls_per_second, duration_ms)
        _number(found, "concurrency_needed", "one whole number")
        if found != right:
            load = f"{calls_per_second:,} calls per second of {duration_ms:,} ms"
            why = _wrong_sum(found, calls_per_second, duration_ms)
            raise NotSolved(f"concurrency_needed returned {found:g} for {load}, where {right:,} is right: {why}")
    return []


def _wrong_sum(found: float, calls_per_second: float, duration_ms: float) -> str:
    exact = calls_per_second * duration_ms / 1000
    known = {
        exact: "there is no half environment, so round up with math.ceil.",
        exact * 1000: "the duration is in milliseconds, and the calls are per second; divide by 1,000.",
        math.floor(exact): "what remains after the whole environments needs one more; always round up.",
        math.ceil(calls_per_second * 1000 / duration_ms): "multiply by the duration; do not divide by it.",
        calls_per_second * 1000 / duration_ms: "multiply by the duration; do not divide by it.",
        calls_per_second: "the duration counts too; that would be right for calls of one second.",
        math.floor(exact) + 1: "this load fills its environments exactly; add one only where something remains.",
    }
    for wrong, why in known.items():
        if math.isclose(found, wrong, rel_tol=1e-9):
            return why
    return "multiply the calls per second by the seconds that one takes, and round up."


def judge_peak(workshop: Workshop, peak_concurrency: Callable[[pd.DataFrame], int]) -> list[str]:
    for rows, right in ((EXAMPLE, PEAK), (IN_TURN, 1), (EXAMPLE[::-1], PEAK), (EXAMPLE[5:], 2)):
        found = call(peak_concurrency, _table(rows))
        _number(found, "peak_concurrency", "one whole number")
        if found != right:
            count = f"peak_concurrency returned {found:g} where {right} is right, for {len(rows)} invocations"
            raise NotSolved(f"{count}: {_wrong_peak(found, rows)}")
    return []


def _wrong_peak(found: float, rows: tuple) -> str:
    frame = _table(rows)
    if rows is IN_TURN and found == 2:
        return (
            "each starts in the very moment in which the one before it ends, so they did not run together; "
            "let the ends count before the starts of the same moment."
        )
    known = {
        len(frame): (
            "that is how many there are; look at when each one ends, and mind that duration_ms is in milliseconds."
        ),
        frame["environment"].nunique(): (
            "that is the number of environments, and those that ran at different times count too; compare the times."
        ),
        int(frame["init_ms"].notna().sum()): "that is the number of cold starts; compare starts and ends.",
        WITH_INIT: "the init phase is counted too; an invocation runs from its start.",
        1: "some do overlap; look at when each one ends, and mind that duration_ms is in milliseconds.",
        0: "at the end of the log nothing runs; take the largest sum on the way, not the last.",
    }
    return known.get(
        int(found),
        "add 1 at each start and take 1 away at each end, in the order of time (the table may not be in it), "
        "and take the largest sum.",
    )


def _table(rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["environment", "start", "init_ms", "duration_ms"])
    start = pd.Timestamp("2026-11-24", tz="UTC") + pd.to_timedelta(frame["start"], unit="ms")
    return frame.assign(start=start.astype("datetime64[ms, UTC]"), status="success")


def _number(found: Any, function: str, wanted: str) -> None:
    require_answer(function, found, wanted)
    if not math.isfinite(require_number(function, found, wanted)):
        raise NotSolved(f"{function} returned {found:g}; return {wanted}.")


def judge_reservation(workshop: Workshop, _: Any) -> list[str]:
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


SUM = Exercise(
    "02.1", "how many environments a load needs", judge_sum,
    (
        "10 calls per second of 0.5 s are 5 at once. What did you do with the two numbers?",
        "The duration comes in milliseconds: divide by 1,000. And 6.3 environments are 7.",
        "math.ceil(calls_per_second * duration_ms / 1000)",
    ),
    asks_for="concurrency_needed",
)  # fmt: skip
PEAK_OF_LOG = Exercise(
    "02.2", "read the concurrency from the log", judge_peak,
    (
        "Draw three bars on paper, as plot_timeline does, and go from left to right: where does their number change?",
        "It goes up by one at each start and down by one at each end. pd.Series(1, index=start) is all the "
        "starts; make such a Series of -1 for the ends, and put them together with pd.concat.",
        "changes.groupby(level=0).sum() adds up what happens at the same time and sorts by it; .cumsum() then is how "
        "many run, and .max() the most.",
    ),
    asks_for="peak_concurrency",
)  # fmt: skip
RESERVATION = Exercise(
    "02.3", "choose a reservation", judge_reservation,
    (
        "Two numbers bound the choice: what do the orders need at the peak, and what can the database spare?",
        "At the peak 30 orders come per second, each of 0.4 s. Of 20 connections 6 are taken.",
        "Anything from 12 to 14 will do: "
        "lambda_client.put_function_concurrency(FunctionName=writer, ReservedConcurrentExecutions=14)",
    ),
)  # fmt: skip
EXERCISES = (SUM, PEAK_OF_LOG, RESERVATION)
