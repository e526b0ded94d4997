"""How long metrics are kept, and in which periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

import pytest
from ministack.services import cloudwatch

from helpers.localaws.services.cloudwatch.retention import DAY_S, HOUR_S, rolled_up

NOW = 2_000_000.0 * HOUR_S


def point(ago, value, **more):
    return {"Timestamp": NOW - ago, "Value": value, "Unit": "Count", "Dimensions": {"a": "b"}, **more}


def statistics(count, total, low, high):
    return {"SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high}


def seen(points):
    """What CloudWatch would answer of all of them together."""
    stats = cloudwatch._calc_stats(points)
    return stats, [cloudwatch._stat_value(stats, name, points) for name in ("p50", "p99")]


@pytest.mark.parametrize(
    ("ago", "period"), [(0, None), (4 * HOUR_S, 60), (16 * DAY_S, 300), (64 * DAY_S, 3600), (454 * DAY_S, 3600)]
)
def test_equal_values_of_a_period_become_one(ago, period):
    points = [point(ago + second, 2.0) for second in range(10, 7210, 10)]
    kept = rolled_up(points, NOW)
    assert len(kept) == (7200 / period if period else 720)
    assert seen(kept) == seen(points)
    assert rolled_up(kept, NOW) == kept
    if period:
        assert {each["Timestamp"] % period for each in kept} == {0}
        assert {each["Count"] for each in kept} == {period / 10}


def test_percentiles_of_old_values_are_what_they_were():
    points = [point(20 * DAY_S - value / 100, value) for value in (1.5, 2.0, 2.0, 7.25, 0.1, 0.1, 0.1)]
    kept = rolled_up(points, NOW)
    assert len(kept) == 4
    assert seen(kept)[1] == seen(points)[1] != [None, None]
    assert rolled_up([*kept, *points], NOW) == rolled_up([*points, *points], NOW)


def test_statistics_that_were_put_stay_statistics():
    sets = [statistics(3, 9.0, 1.0, 5.0), statistics(2, 4.0, 0.0, 4.0), statistics(2, 8.0, 4.0, 4.0)]
    points = [point(20 * DAY_S, 1.0, _stat=each) for each in sets]
    kept = rolled_up(points, NOW)
    assert [each.get("_stat") for each in kept] == [statistics(5, 13.0, 0.0, 5.0), None]
    assert seen(kept) == seen(points)


def test_what_is_older_than_455_days_is_dropped():
    assert rolled_up([point(456 * DAY_S, 1.0), point(0, 2.0)], NOW) == [point(0, 2.0)]


def test_units_are_kept_apart():
    kept = rolled_up([point(DAY_S, 1.0), point(DAY_S, 1.0, Unit="Seconds")], NOW)
    assert [each["Unit"] for each in kept] == ["Count", "Seconds"]


def test_a_statistic_set_of_nothing_is_nothing_later():
    of_nothing = point(4 * HOUR_S, 0.0, _stat=statistics(0, 5, 1, 2))
    assert rolled_up([of_nothing], NOW) == []
    (kept,) = rolled_up([of_nothing, point(4 * HOUR_S, 2.0)], NOW)
    assert (kept["Value"], kept["Count"]) == (2.0, 1)
