"""The embedded metric format: log events that say themselves which of their members are metrics, as Powertools does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..logs.log_events import Event
from ..shapes import Record
from .metrics import record_value

MARK = '"CloudWatchMetrics"'  # without it, no event is even parsed
OLDEST_S, LATEST_S = 14 * 24 * 3600, 2 * 3600  # what CloudWatch takes, before now and after
MOST_VALUES, MOST_METRICS, MOST_DIMENSIONS = 100, 100, 30


@dataclass(frozen=True)
class Value:
    """One value of a metric, at a time in seconds since 1970."""

    namespace: str
    metric: str
    value: float
    unit: str
    dimensions: dict[str, str]
    at: float


def arrived(group: str, stream: str, events: list[Event]) -> None:
    """Keep the values of new events."""
    for _, _, ingested, message in events:
        for each in values(message, ingested / 1000):
            record_value(each.namespace, each.metric, each.value, each.unit, each.dimensions, each.at)


def values(message: str, now: float) -> list[Value]:
    """The values that an event says it has; none where it does not keep to the format."""
    if MARK not in message:
        return []
    try:
        event = json.loads(message)
        about = event["_aws"]
        at = about["Timestamp"] / 1000
        if not now - OLDEST_S <= at <= now + LATEST_S:
            return []
        return [each for directive in about["CloudWatchMetrics"] for each in _of_directive(event, directive, at)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _of_directive(event: Record, directive: Record, at: float) -> Iterator[Value]:
    """Each metric once for each set of dimensions; without any, for none."""
    metrics = directive["Metrics"]
    if len(metrics) > MOST_METRICS:
        return
    for names in directive.get("Dimensions") or [[]]:
        dimensions = {name: event[name] for name in names}
        if len(dimensions) > MOST_DIMENSIONS or not all(isinstance(each, str) for each in dimensions.values()):
            continue
        for metric in metrics:
            for value in _numbers(event.get(metric["Name"])):
                unit = metric.get("Unit") or "None"
                yield Value(directive["Namespace"], metric["Name"], value, unit, dimensions, at)


def _numbers(value: Any) -> Sequence[float]:
    """A number, or a list of them."""
    found = value if isinstance(value, list) else [value]
    if len(found) > MOST_VALUES or not all(_is_number(each) for each in found):
        return []
    return [float(each) for each in found]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
