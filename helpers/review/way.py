"""The way of a session: which section of which notebook when, and for how long, as far as the record tells.

The record has an entry when something is done: another section is begun, a prediction made, an answer checked. The time
from one entry to the next counts for the section that one was in. A longer gap than PAUSE_S is a pause: not counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from .session import Entry

PAUSE_S = 15 * 60.0


@dataclass
class Visit:
    """Some time in one section."""

    began: datetime
    notebook: str
    heading: str
    seconds: float = 0.0


@dataclass
class Sitting:
    """What was done between two pauses."""

    began: datetime
    ended: datetime
    visits: list[Visit] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(visit.seconds for visit in self.visits)


def sittings(entries: Sequence[Entry]) -> list[Sitting]:
    """The way, from the entries in the order of time."""
    found: list[Sitting] = []
    headings: dict[str, str] = {}  # where one was last in each notebook
    before: Entry | None = None
    for entry in entries:
        gap = entry.at - before.at if before else PAUSE_S + 1
        if gap > PAUSE_S:
            found.append(Sitting(entry.time, entry.time))
        elif found[-1].visits:
            found[-1].visits[-1].seconds += gap
        sitting, before = found[-1], entry
        sitting.ended = entry.time
        if entry.kind == "section":
            headings[entry.notebook] = entry.told["section"]
        at = (entry.notebook, headings.get(entry.notebook, ""))
        last = sitting.visits[-1] if sitting.visits else None
        if entry.notebook and (last is None or (last.notebook, last.heading) != at):
            sitting.visits.append(Visit(entry.time, *at))
    return found


def seconds_by_notebook(way: Iterable[Sitting]) -> dict[str, float]:
    """How long one was at each notebook, in the order in which they were begun."""
    found: dict[str, float] = defaultdict(float)
    for sitting in way:
        for visit in sitting.visits:
            found[visit.notebook] += visit.seconds
    return found


def seconds_between(entries: Sequence[Entry], first: float, last: float) -> float:
    """How long one worked between two moments, pauses left out."""
    times = sorted({first, last, *(each.at for each in entries if first <= each.at <= last)})
    return sum(gap for gap in (two - one for one, two in pairwise(times)) if gap <= PAUSE_S)
