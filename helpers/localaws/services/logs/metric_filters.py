"""Metric filters: log events that fit a pattern become values of a metric.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html. MiniStack keeps such filters, and never
looks at an event.
"""

import time

from ministack.services import cloudwatch_logs

from ..cloudwatch import metrics
from ..contract import Contract
from ..shapes import Record
from .filter_pattern import FilterPattern
from .filter_pattern.terms import Terms
from .log_events import Event
from .request import MISSING, Refused, add_operation, constraint, filter_pattern, log_group, operation

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_delete_metric_filter"): ("data",),
    (cloudwatch_logs, "_metric_filters"): None,
    (cloudwatch_logs, "_put_metric_filter"): ("data",),
}

MOST_FILTERS, MOST_DIMENSIONS = 100, 3  # of a log group; of a metric
MOST_REGEX_FILTERS = 5  # of a log group, that have a regular expression
MOST_MESSAGES = 50  # of TestMetricFilter
MINUTE_MS = 60_000
SIZES = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits")
AMOUNTS = (*SIZES, "Terabits", "Count")
UNITS = (
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Percent",
    "None",
    *AMOUNTS,
    *(f"{unit}/Second" for unit in AMOUNTS),
)

Filter = tuple[str, str]  # the names of its log group and its own


class MetricFilters:
    """The metric filters of all log groups, which MiniStack keeps."""

    def __init__(self) -> None:
        # The minute for which each filter has last given its default value or a match: a default is given once
        self._told: dict[Filter, int] = {}

    def install(self) -> None:
        """Let MiniStack answer with these. Call once, before it serves."""
        cloudwatch_logs._put_metric_filter = operation(put_metric_filter)
        cloudwatch_logs._delete_metric_filter = operation(delete_metric_filter)
        add_operation("TestMetricFilter", test_metric_filter)

    def arrived(self, group: str, stream: str, events: list[Event]) -> None:
        """Count new events of a log group."""
        for key, each in list(cloudwatch_logs._metric_filters.items()):
            if key[0] == group:
                pattern = filter_pattern(each["filterPattern"], "filterPattern")
                for transformation in each["metricTransformations"]:
                    self._count(key, pattern, transformation, events)

    def _count(self, key: Filter, pattern: FilterPattern, transformation: Record, events: list[Event]) -> None:
        """Of a minute whose events do not fit, the default value is given, if there is one."""
        default = transformation.get("defaultValue")
        for timestamp, _, _, message in events:
            minute = timestamp // MINUTE_MS
            if pattern.matches(message):
                _publish(pattern, transformation, message, timestamp)
                self._told[key] = minute
            elif default is not None and self._told.get(key, -1) < minute:
                _add(transformation, float(default), {}, timestamp)
                self._told[key] = minute


def put_metric_filter(data: Record) -> Record:
    name, _ = log_group(data)
    filter_name, text = data.get("filterName"), data.get("filterPattern")
    if not filter_name:
        raise constraint("filterName", None, "not be null")
    if text is None:
        raise constraint("filterPattern", None, "not be null")
    for member in ("fieldSelectionCriteria", "emitSystemFieldDimensions", "applyOnTransformedLogs"):
        if data.get(member):
            raise Refused(f"The embedded AWS does not have {member} of metric filters.")
    pattern = filter_pattern(text, "filterPattern")
    others = {key: each for key, each in cloudwatch_logs._metric_filters.items() if key[0] == name}
    others.pop((name, filter_name), None)
    if len(others) >= MOST_FILTERS or (pattern.regexes and _with_regex(others) >= MOST_REGEX_FILTERS):
        raise Refused("Resource limit exceeded.", "LimitExceededException")
    cloudwatch_logs._metric_filters[(name, filter_name)] = {
        "filterName": filter_name,
        "logGroupName": name,
        "filterPattern": text,
        "metricTransformations": [_transformation(pattern, data)],
        "creationTime": time.time_ns() // 1_000_000,
    }
    return {}


def delete_metric_filter(data: Record) -> Record:
    name, _ = log_group(data)
    if cloudwatch_logs._metric_filters.pop((name, data.get("filterName")), None) is None:
        raise Refused("The specified metric filter does not exist.", MISSING)
    return {}


def test_metric_filter(data: Record) -> Record:
    """Which of some messages fit a pattern, and the fields of those."""
    text, messages = data.get("filterPattern"), data.get("logEventMessages")
    if text is None:
        raise constraint("filterPattern", None, "not be null")
    if not messages or len(messages) > MOST_MESSAGES:
        raise constraint("logEventMessages", f"{messages or []}", f"have length from 1 to {MOST_MESSAGES}")
    pattern = filter_pattern(text, "filterPattern")
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.extracted(message)}
            for number, message in enumerate(messages, 1)
            if pattern.matches(message)
        ]
    }


def _with_regex(filters: Record) -> int:
    return sum(bool(filter_pattern(each["filterPattern"], "filterPattern").regexes) for each in filters.values())


def _transformation(pattern: FilterPattern, data: Record) -> Record:
    """The one transformation of a filter, which names its metric."""
    given = data.get("metricTransformations") or []
    if len(given) != 1:
        raise constraint("metricTransformations", f"{given}", "have length of 1")
    (transformation,) = given
    for member in ("metricName", "metricNamespace", "metricValue"):
        if not transformation.get(member):
            raise constraint(f"metricTransformations.1.member.{member}", None, "not be null")
    if transformation["metricNamespace"].startswith("AWS/"):
        raise Refused("The value AWS/ for parameter MetricNamespace is invalid.")
    unit, value = transformation.get("unit"), transformation["metricValue"]
    if unit is not None and unit not in UNITS:
        raise constraint("metricTransformations.1.member.unit", unit, f"satisfy enum value set: [{', '.join(UNITS)}]")
    if not value.startswith("$") and _number(value) is None:
        raise Refused(f"Invalid metric transformation: {value} is neither a number nor a field.")
    dimensions = transformation.get("dimensions") or {}
    if dimensions and transformation.get("defaultValue") is not None:
        raise Refused("Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
    if len(dimensions) > MOST_DIMENSIONS:
        raise Refused(f"Invalid metric transformation: a metric has at most {MOST_DIMENSIONS} dimensions.")
    if isinstance(pattern, Terms) and (dimensions or value.startswith("$")):
        raise Refused("Invalid metric transformation: a pattern of terms has no fields.")
    return dict(transformation)


def _publish(pattern: FilterPattern, transformation: Record, message: str, timestamp: int) -> None:
    """The value of an event that fits. Where a field is missing or is no number, there is none."""
    wanted = transformation["metricValue"]
    found = pattern.value(message, wanted) if wanted.startswith("$") else wanted
    value = None if found is None else _number(found)
    dimensions = {
        name: pattern.value(message, selector) for name, selector in (transformation.get("dimensions") or {}).items()
    }
    known = {name: each for name, each in dimensions.items() if each}
    if value is not None and len(known) == len(dimensions):
        _add(transformation, value, known, timestamp)


def _add(transformation: Record, value: float, dimensions: dict[str, str], timestamp: int) -> None:
    metrics.record_value(
        transformation["metricNamespace"],
        transformation["metricName"],
        value,
        transformation.get("unit") or "None",
        dimensions,
        timestamp / 1000,
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
