"""CloudWatch Logs: where the lines of an execution environment are kept, in the log group of its function."""

import threading
import time

from ministack.services import cloudwatch_logs

from ..data_plane.function import Function
from .contract import Contract
from .shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_fanout_to_subscription_filters"): ("group_name", "stream_name", "events"),
    (cloudwatch_logs, "_append_log_events"): ("stream", "events"),
    (cloudwatch_logs, "_make_group_arn"): ("name",),
}

_lock = threading.Lock()  # two streams may make their log group at the same time


def write_log(function: Function, stream_name: str, events: list[tuple[int, str]]) -> None:
    """Append (ms since 1970, message) events to a stream of the function's log group, making both if need be."""
    now = time.time_ns() // 1_000_000
    stored = [{"timestamp": timestamp, "message": message, "ingestionTime": now} for timestamp, message in events]
    with _lock:
        groups = cloudwatch_logs._log_groups
        group = groups.get(function.log_group)
        if group is None:
            group = groups[function.log_group] = _new_group(function.log_group, now)
        cloudwatch_logs._append_log_events(group["streams"].setdefault(stream_name, _new_stream(now)), stored)
    cloudwatch_logs._fanout_to_subscription_filters(function.log_group, stream_name, stored)


def has_group(name: str) -> bool:
    return name in cloudwatch_logs._log_groups


def has_stream(group: str, name: str) -> bool:
    return has_group(group) and name in cloudwatch_logs._log_groups[group]["streams"]


def _new_group(name: str, now: int) -> Record:
    return {
        "arn": cloudwatch_logs._make_group_arn(name),
        "creationTime": now,
        "retentionInDays": None,
        "tags": {},
        "subscriptionFilters": {},
        "streams": {},
    }


def _new_stream(now: int) -> Record:
    return {
        "events": [],
        "uploadSequenceToken": "1",
        "creationTime": now,
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }
