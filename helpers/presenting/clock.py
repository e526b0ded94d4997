"""Compares the time that a session has taken with the minutes of its plan."""

from collections.abc import Sequence
from typing import NamedTuple

MIN_S = 60


class Pace(NamedTuple):
    """How a session keeps to its plan. All in seconds."""

    elapsed: float  # since it began
    planned: float  # of the whole plan
    spent: float  # in the section that is on
    ahead: float  # by how much it is ahead of its plan; negative is behind, and 0 while the section has its time
    left: float  # until its end, if the rest takes as long as planned


def pace(minutes: Sequence[float], at: int, elapsed: float, spent: float) -> Pace:
    """How it stands while section number `at` is on, `elapsed` seconds after the beginning, `spent` of them in it."""
    begins, of_section = sum(minutes[:at]) * MIN_S, minutes[at] * MIN_S
    ends = begins + of_section
    ahead = begins - elapsed if elapsed < begins else min(0.0, ends - elapsed)
    rest = max(0.0, of_section - spent) + sum(minutes[at + 1 :]) * MIN_S
    return Pace(elapsed, sum(minutes) * MIN_S, spent, ahead, rest)
