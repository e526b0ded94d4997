"""The functions of `stats`, each of which collects the values of many rows into one.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

import math
import statistics
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .values import Timestamp, Value, number, order, shown


class Aggregate(Protocol):
    """What has seen some values; `at` is when their events were, in ms."""

    def add(self, value: Value, at: int) -> None: ...

    def result(self) -> Value: ...


class Count:
    """Of the values that are there."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: Value, at: int) -> None:
        self._count += value is not None

    def result(self) -> Value:
        return self._count


class Distinct:
    """How many values differ."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def add(self, value: Value, at: int) -> None:
        if value is not None:
            self._seen.add(shown(value))

    def result(self) -> Value:
        return len(self._seen)


class Numbers:
    """All numbers among the values, and what is computed of them at the end; None where there is none."""

    def __init__(self, compute: Callable[[list[int | float]], Value]) -> None:
        self._numbers: list[int | float] = []
        self._compute = compute

    def add(self, value: Value, at: int) -> None:
        found = number(value)
        if found is not None:
            self._numbers.append(found)

    def result(self) -> Value:
        return self._compute(self._numbers) if self._numbers else None


class Extreme:
    """The value that comes before all others, by a key that is compared."""

    def __init__(self, better: Callable[[Value, Value], bool], by_time: bool = False) -> None:
        self._better, self._by_time = better, by_time
        self._best: Value = None
        self._key: Value = None

    def add(self, value: Value, at: int) -> None:
        if value is None:
            return
        key = at if self._by_time else order(value)
        if self._best is None or self._better(key, self._key):
            self._best, self._key = value, key

    def result(self) -> Value:
        return int(self._best) if isinstance(self._best, Timestamp) else self._best  # AWS gives milliseconds


class Kind(NamedTuple):
    """How an aggregate is made; of `pct` with its second argument."""

    make: Callable[..., Aggregate]
    least: int = 1
    most: int = 1


def _percentile(percent: float) -> Aggregate:
    """A value of the data, of which so many percent are at most as large (the nearest rank)."""

    def of(numbers: list[int | float]) -> Value:
        rank = math.ceil(percent / 100 * len(numbers))
        return sorted(numbers)[max(1, rank) - 1]

    return Numbers(of)


def _sum(numbers: list[int | float]) -> int | float:
    return sum(numbers) if all(isinstance(each, int) for each in numbers) else math.fsum(numbers)


def _mean(numbers: list[int | float]) -> float:
    return math.fsum(numbers) / len(numbers)


AGGREGATES = {
    "count": Kind(Count, 0),
    "count_distinct": Kind(Distinct),
    "sum": Kind(lambda: Numbers(_sum)),
    "avg": Kind(lambda: Numbers(_mean)),
    "min": Kind(lambda: Extreme(lambda key, best: bool(key < best))),
    "max": Kind(lambda: Extreme(lambda key, best: bool(key > best))),
    "pct": Kind(_percentile, 2, 2),
    "stddev": Kind(lambda: Numbers(statistics.pstdev)),
    "earliest": Kind(lambda: Extreme(lambda at, best: bool(at < best), by_time=True)),
    "latest": Kind(lambda: Extreme(lambda at, best: bool(at >= best), by_time=True)),
    "sortsfirst": Kind(lambda: Extreme(lambda key, best: bool(key < best))),
    "sortslast": Kind(lambda: Extreme(lambda key, best: bool(key > best))),
}
