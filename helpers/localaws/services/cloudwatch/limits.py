"""Refuses what CloudWatch does not allow of metrics that are put or asked for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/, API_GetMetricStatistics.html and
API_PutMetricData.html, in the words that clients of AWS report. MiniStack takes all of it.
"""

from collections.abc import Callable

from ministack.services import cloudwatch

from ..contract import Contract
from ..refusals import unless
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch, "_error"): ("code", "message", "status", "use_json", "use_cbor"),
    (cloudwatch, "_get_metric_statistics"): ("params", "cbor_data", "is_cbor", "is_json"),
    (cloudwatch, "_parse_ts"): ("value",),
    (cloudwatch, "_put_metric_data"): ("params", "cbor_data", "is_cbor", "is_json"),
}

MOST_POINTS, MOST_DATA = 1440, 1000
OF_AWS = "AWS/"
Refusal = tuple[str, str]  # code and message


def install() -> None:
    """Let MiniStack get what CloudWatch allows. Call once, before it serves."""
    statistics, data = _answering(statistics_refused), _answering(data_refused)
    cloudwatch._get_metric_statistics = unless(statistics, cloudwatch._get_metric_statistics)
    cloudwatch._put_metric_data = unless(data, cloudwatch._put_metric_data)


def _answering(refusal: Callable[[Record], Refusal | None]) -> Callable[..., Answer | None]:
    """`refusal` as an answer. Members of the old Query protocol are taken as they come."""

    def answer(params: Record, cbor_data: Record, is_cbor: bool, is_json: bool = False) -> Answer | None:
        refused = refusal(cbor_data) if is_cbor or is_json else None
        return cloudwatch._error(*refused, 400, use_json=is_json, use_cbor=is_cbor) if refused else None

    return answer


def statistics_refused(members: Record) -> Refusal | None:
    """Code and message of AWS's refusal of a question, or None."""
    if not members.get("Statistics") and not members.get("ExtendedStatistics"):
        message = "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        return "InvalidParameterCombination", message
    start, end = (cloudwatch._parse_ts(members.get(each)) or 0.0 for each in ("StartTime", "EndTime"))
    points = int((end - start) // max(1, members.get("Period") or 1))
    if points > MOST_POINTS:
        message = f"You have requested up to {points:,} datapoints, which exceeds the limit of {MOST_POINTS:,}. "
        message += "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        return "InvalidParameterCombination", message
    return None


def data_refused(members: Record) -> Refusal | None:
    """Code and message of AWS's refusal of new data, or None."""
    if str(members.get("Namespace", "")).startswith(OF_AWS):
        return "InvalidParameterValue", f"The value {OF_AWS} for parameter Namespace is invalid."
    data = members.get("MetricData")
    if data is not None and not data:
        return "MissingParameter", "The parameter MetricData is required."
    if data and len(data) > MOST_DATA:
        message = f"The collection MetricData must not have a size greater than {MOST_DATA}."
        return "InvalidParameterValue", message
    return None
