"""How long CloudWatch keeps metrics: the older their values are, the longer the periods that hold them together.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html. MiniStack keeps each value
as it came, for two weeks.
"""

from collections.abc import Iterable

from ministack.services import cloudwatch

from ..contract import Contract
from ..shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(cloudwatch, "_metrics"): None, (cloudwatch, "_point_stats"): ("pt",)}

HOUR_S = 3600
DAY_S = 24 * HOUR_S
LONGEST_S = 455 * DAY_S
PERIODS = ((63 * DAY_S, HOUR_S), (15 * DAY_S, 300), (3 * HOUR_S, 60))  # from this age on, a period of so many seconds


def drop(now: float) -> None:
    """Keep of all metrics what AWS would still have. Other threads may add values meanwhile, but not call this."""
    for key, points in cloudwatch._metrics.all_items():
        count = len(points)
        kept = rolled_up(points[:count], now)
        if len(kept) < count:
            points[:count] = kept  # in one step, before whatever was added
        if not points:
            cloudwatch._metrics.pop_scoped(*key)


def rolled_up(points: Iterable[Record], now: float) -> list[Record]:
    """The points, the old ones by their periods: equal values are one that was seen so often, as percentiles need."""
    recent, old = [], dict[tuple[float, str, float | None], Record]()
    for point in points:
        age = now - point["Timestamp"]
        period = next((period for from_, period in PERIODS if age > from_), None)
        if period is None:
            recent.append(point)
        elif age <= LONGEST_S and cloudwatch._point_stats(point)[0]:  # a statistic set may be of nothing
            began, value = point["Timestamp"] // period * period, _only_value(point)
            key = began, point["Unit"], value
            old[key] = _together([*filter(None, [old.get(key)]), point], began, value)
    return [*old.values(), *recent]


def _only_value(point: Record) -> float | None:
    """The value of a point that stands for no other value, or None: for such a point there are no percentiles."""
    count, total, low, high = cloudwatch._point_stats(point)
    return float(low) if low == high and total == low * count else None


def _together(points: list[Record], began: float, value: float | None) -> Record:
    """Points of a period as one: a value and how often it was seen, or the statistics of several."""
    counts, totals, lows, highs = zip(*map(cloudwatch._point_stats, points), strict=True)
    one = {"Timestamp": began, "Unit": points[0]["Unit"], "Dimensions": points[0]["Dimensions"]}
    if value is not None:
        return {**one, "Value": value, "Count": sum(counts)}
    statistics = {"SampleCount": sum(counts), "Sum": sum(totals), "Minimum": min(lows), "Maximum": max(highs)}
    return {**one, "Value": statistics["Sum"] / statistics["SampleCount"], "_stat": statistics}
