"""Periods of time, as in bin(5m): which part of time a timestamp is in.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .values import EPOCH, Timestamp

PERIOD = re.compile(r"(\d+)([A-Za-z]+)")
UNITS = {
    "ms": ("millisecond", "ms", "msec"),
    "s": ("second", "s", "sec"),
    "m": ("minute", "m", "min"),
    "h": ("hour", "h", "hr"),
    "d": ("day", "d"),
    "w": ("week", "w"),
    "mo": ("month", "mo", "mon"),
    "q": ("quarter", "q", "qtr"),
    "y": ("year", "y", "yr"),
}
# A name of more than one letter may have an s at its end.
BY_NAME = {
    spelled: unit
    for unit, names in UNITS.items()
    for name in names
    for spelled in ((name, f"{name}s") if len(name) > 1 else (name,))
}
MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
MONTHS = {"mo": 1, "q": 3, "y": 12}
MOST = {"ms": 1000, "s": 60, "m": 60, "h": 24}  # bin(300s) means bin(60s) on AWS, too
FIRST_MONDAY_MS = 4 * 86_400_000  # 1970-01-05, as 1970 began on a Thursday


class Period(NamedTuple):
    """So many of a unit of time, within AWS's most."""

    amount: int
    unit: str

    @classmethod
    def of(cls, text: str) -> "Period | None":
        found = PERIOD.fullmatch(text)
        unit = BY_NAME.get(found[2].lower()) if found else None
        if not found or unit is None or int(found[1]) < 1:
            return None
        return cls(min(int(found[1]), MOST.get(unit, int(found[1]))), unit)

    def floor(self) -> Callable[[int], Timestamp]:
        """What gives the beginning of the period that a timestamp is in."""
        if self.unit in MONTHS:
            months = self.amount * MONTHS[self.unit]
            return lambda at: _month(_months(at) // months * months)
        size = self.amount * MILLISECONDS[self.unit]
        first = FIRST_MONDAY_MS if self.unit == "w" else 0
        return lambda at: Timestamp((at - first) // size * size + first)

    def ceil(self) -> Callable[[int], Timestamp]:
        """What gives the end of that period; a timestamp at its beginning stays as it is."""
        floor = self.floor()
        if self.unit in MONTHS:
            months = self.amount * MONTHS[self.unit]
            return lambda at: floor(at) if floor(at) == at else _month((_months(at) // months + 1) * months)
        size = self.amount * MILLISECONDS[self.unit]
        return lambda at: floor(at) if floor(at) == at else Timestamp(floor(at) + size)


def _months(at: int) -> int:
    """Months since 1970."""
    when = EPOCH + timedelta(milliseconds=at)
    return (when.year - 1970) * 12 + when.month - 1


def _month(months: int) -> Timestamp:
    when = datetime(1970 + months // 12, months % 12 + 1, 1, tzinfo=UTC)
    return Timestamp(when.timestamp() * 1000)
