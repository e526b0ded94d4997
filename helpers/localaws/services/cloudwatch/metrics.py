"""CloudWatch's metrics of functions and queues, and the alarms on them.

MiniStack counts some invocations twice and others never, answers a query without dimensions with all of them added
up, lets an alarm look at the metric of every function, and only when something is put.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import contextvars
import dataclasses
import functools
import logging
import operator
import threading
import time
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch, sqs

from .. import absent
from ..contract import Contract
from ..shapes import Answer, Key, Record
from .state_reason import Datapoint, state_reason

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch, "_dims_from_list"): ("dimensions",),
    (cloudwatch, "_evict_old_metrics"): (),
    (cloudwatch, "_metric_bucket"): ("key",),
    (cloudwatch, "_evaluate_alarm"): ("alarm",),
    (cloudwatch, "_record_history"): ("alarm_name", "old_state", "new_state", "reason", "alarm_type", "reason_data"),
    (cloudwatch, "_dispatch_alarm_actions"): ("alarm", "old_state", "new_state", "reason"),
    (cloudwatch, "_evaluate_parent_alarms"): ("child", "seen"),
    (cloudwatch, "_alarms"): None,
    (cloudwatch, "_describe_alarms"): ("params", "cbor_data", "is_cbor", "is_json"),
    (cloudwatch, "_error"): ("code", "message", "status", "use_json", "use_cbor"),
    (cloudwatch, "_put_metric_alarm"): ("params", "cbor_data", "is_cbor", "is_json"),
    (responses, "set_request_account_id"): ("access_key_id",),
    (responses, "set_request_region"): ("region",),
    (sqs, "_queues"): None,
    (sqs, "_refresh_counts"): ("q",),
    (cloudwatch, "_dims_key"): ("dims",),
    (cloudwatch, "_stat_value"): ("stats", "stat_name", "points"),
    (cloudwatch, "_metrics"): None,
    (cloudwatch, "_calc_stats"): ("points",),
}

# AWS looks at an alarm once a minute and sends the metrics of a queue about as often; we are not as patient.
EVERY_S = 2.0
SAMPLE_AT_LEAST_EVERY_S = 60.0
QUEUE_METRICS = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
# Of an alarm's metric, CloudWatch also looks at a little more than the periods that count, for datapoints that are
# late: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
MORE_PERIODS = 2
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
NO_NAME = "\0"  # of no alarm

log = logging.getLogger("localaws.metrics")


class _Exactly(dict[str, str]):
    """The dimensions of a query. None of them name the metric that has none, which MiniStack takes for no filter."""

    def __bool__(self) -> bool:
        return True


def install() -> None:
    """Let MiniStack's CloudWatch keep and answer metrics as AWS does. Call once, before it serves."""
    dimensions_from, put_alarm, describe = (
        cloudwatch._dims_from_list,
        cloudwatch._put_metric_alarm,
        cloudwatch._describe_alarms,
    )

    def put_metric_alarm(params: Record, cbor_data: Record, is_cbor: bool, is_json: bool = False) -> Answer:
        members = cbor_data if is_cbor or is_json else {name.partition(".")[0]: value for name, value in params.items()}
        refused = absent.refusal("cloudwatch", "PutMetricAlarm", members)
        answer: Answer = (
            cloudwatch._error(*refused, 400, use_json=is_json, use_cbor=is_cbor)
            if refused
            else put_alarm(params, cbor_data, is_cbor, is_json)
        )
        return answer

    def describe_alarms(params: Record, cbor_data: Record, is_cbor: bool, is_json: bool = False) -> Answer:
        if is_json and (prefix := cbor_data.get("ActionPrefix")):  # which MiniStack does not look at
            cbor_data = {**cbor_data, "AlarmNames": _acting(prefix, cbor_data.get("AlarmNames") or None) or [NO_NAME]}
        answer: Answer = describe(params, cbor_data, is_cbor, is_json)
        return answer

    def exactly(dimensions: list[Record]) -> _Exactly:
        return _Exactly(dimensions_from(dimensions))

    def bucket(key: tuple[Any, ...]) -> list[Record]:
        points: list[Record] = cloudwatch._metrics.setdefault(key, [])
        return points

    cloudwatch._dims_from_list = exactly
    # It drops what is two weeks old by building new lists, and with them what other threads add meanwhile.
    cloudwatch._evict_old_metrics = lambda: None
    cloudwatch._metric_bucket = bucket
    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._describe_alarms = describe_alarms
    cloudwatch._put_metric_alarm = put_metric_alarm
    threading.Thread(target=contextvars.Context().run, args=(_watch,), daemon=True, name="metrics").start()


def _acting(prefix: str, names: list[str] | None) -> list[str]:
    """The names of the alarms, all or some, that have an action whose ARN begins like this."""
    return [
        name
        for name, alarm in cloudwatch._alarms.items()
        if (names is None or name in names)
        and any(action.startswith(prefix) for kind in ACTIONS for action in alarm.get(kind) or ())
    ]


@dataclasses.dataclass(frozen=True)
class Resource:
    """The version or alias that a call named, and the version that runs for it."""

    qualifier: str
    executed_version: str

    @classmethod
    def of(cls, config: Record) -> "Resource | None":
        """From the configuration that runs; its FunctionArn ends as the call named the function."""
        qualifier = config["FunctionArn"].partition(":function:")[2].partition(":")[2]
        return cls(qualifier, config.get("Version", "$LATEST")) if qualifier not in ("", "$LATEST") else None

    def dimensions(self, function_name: str) -> list[dict[str, str]]:
        """Of each metric of AWS/Lambda that it has: with ExecutedVersion there are those of aliases alone."""
        dimensions = {"FunctionName": function_name, "Resource": f"{function_name}:{self.qualifier}"}
        if self.qualifier == self.executed_version:
            return [dimensions]
        return [dimensions, {**dimensions, "ExecutedVersion": self.executed_version}]


def record(
    function_name: str,
    metric: str,
    value: float,
    unit: str = "Count",
    *,
    everywhere: float | None = None,
    at: float | None = None,
    resource: Resource | None = None,
) -> None:
    """Record a metric of AWS/Lambda for the function, and for all functions together (`everywhere`, or the same).

    Where the call named a version or an alias, it is also recorded for this `resource`.
    `at` is the time it belongs to, in seconds since 1970: for an invocation that of its start, as on AWS.
    """
    total = value if everywhere is None else everywhere
    record_value("AWS/Lambda", metric, value, unit, {"FunctionName": function_name}, at)
    record_value("AWS/Lambda", metric, total, unit, {}, at)
    if resource:
        record_of_resource(function_name, resource, metric, value, unit, at=at)


def record_of_resource(
    function_name: str, resource: Resource, metric: str, value: float, unit: str = "Count", *, at: float | None = None
) -> None:
    """Record a metric of AWS/Lambda for a version or an alias alone."""
    for dimensions in resource.dimensions(function_name):
        record_value("AWS/Lambda", metric, value, unit, dimensions, at)


def record_failed_invocation(rule_name: str) -> None:
    """Count an event that a rule of EventBridge could not hand to its target."""
    record_value("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule_name}, None)


def record_value(
    namespace: str, metric: str, value: float, unit: str, dimensions: dict[str, str], at: float | None
) -> None:
    """Add a value to a metric; `at` is when it was, in seconds since 1970, or None for now."""
    key = cloudwatch._dims_key(dimensions) if len(dimensions) > 1 else "".join(map("=".join, dimensions.items()))
    cloudwatch._metric_bucket((namespace, metric, key)).append(
        {"Timestamp": at or time.time(), "Value": float(value), "Unit": unit, "Dimensions": dimensions}
    )


def _watch() -> None:
    """Again and again, for every account and region: sample the queues and evaluate the alarms."""
    sample = functools.partial(_sample_queues, {})
    while True:
        time.sleep(EVERY_S)
        for work in (sample, _evaluate_alarms):
            try:
                work()
            except Exception:
                log.exception("metrics")


def _evaluate_alarms() -> None:
    for (account, region, _), alarm in cloudwatch._alarms.all_items():
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        evaluate(alarm)


def _sample_queues(sampled: dict[Key, tuple[float, list[int]]]) -> None:
    """Record how many messages each queue holds, where that has changed or was not recorded for a minute."""
    now = time.time()
    for key, queue in sqs._queues.all_items():
        responses.set_request_account_id(key[0])
        responses.set_request_region(key[1])
        sqs._refresh_counts(queue)
        counts = [int(queue["attributes"][attribute]) for attribute in QUEUE_METRICS.values()]
        before, known = sampled.get(key, (0.0, []))
        if counts != known or now - before >= SAMPLE_AT_LEAST_EVERY_S:
            sampled[key] = now, counts
            for metric, count in zip(QUEUE_METRICS, counts, strict=True):
                record_value("AWS/SQS", metric, count, "Count", {"QueueName": queue["name"]}, now)


def evaluate(alarm: Record) -> None:
    """Look at the metric of one alarm, and change the alarm's state and tell its topics if need be."""
    compare = COMPARISONS.get(alarm.get("ComparisonOperator", ""))
    if not alarm.get("MetricName") or compare is None:  # a band
        return
    periods = alarm["EvaluationPeriods"]
    points = _latest_datapoints(alarm, periods)
    breaching = [point for point in points if compare(point.value, alarm["Threshold"])]
    new = _state(alarm, periods - len(points), len(points), len(breaching))
    old = alarm["StateValue"]
    if new == old:
        return
    telling = breaching if new == "ALARM" else [point for point in points if point not in breaching]
    reason = state_reason(alarm, new, telling, len(points))
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _latest_datapoints(alarm: Record, periods: int) -> list[Datapoint]:
    """Those of the latest periods that hold one, newest first, at most `periods` of them."""
    key = alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(cloudwatch._dims_from_list(alarm["Dimensions"]))
    period, statistic = alarm["Period"], alarm.get("ExtendedStatistic") or alarm["Statistic"]
    latest = int(time.time() // period)
    points: dict[int, list[Record]] = {}
    for point in list(cloudwatch._metrics.get(key) or ()):
        points.setdefault(int(point["Timestamp"] // period), []).append(point)
    slots = [slot for slot in range(latest, latest - periods - MORE_PERIODS, -1) if slot in points][:periods]
    values = (cloudwatch._stat_value(cloudwatch._calc_stats(points[slot]), statistic, points[slot]) for slot in slots)
    return [Datapoint(slot * period, value) for slot, value in zip(slots, values, strict=True)]


def _state(alarm: Record, missing: int, known: int, breaching: int) -> str:
    """The state for so many datapoints, by the alarm's TreatMissingData."""
    treat = alarm["TreatMissingData"]
    if not known and treat in ("missing", "ignore"):
        return str(alarm["StateValue"]) if treat == "ignore" else "INSUFFICIENT_DATA"
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    if treat == "breaching":
        breaching += missing
    elif treat != "notBreaching":
        needed = min(needed, known)
    return "ALARM" if breaching >= needed else "OK"
