"""Log groups and log streams: their names, and what is refused where one is there already or is not there.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html. MiniStack takes any name,
and refuses in words of its own.
"""

import functools
import re
from collections.abc import Callable

from ministack.services import cloudwatch_logs

from ..contract import Contract
from ..shapes import Answer, Record
from .request import Refused, constraint, log_group, log_stream, refusal

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_create_log_group"): ("data",),
    (cloudwatch_logs, "_create_log_stream"): ("data",),
    (cloudwatch_logs, "_delete_log_group"): ("data",),
    (cloudwatch_logs, "_delete_log_stream"): ("data",),
    (cloudwatch_logs, "_delete_retention_policy"): ("data",),
    (cloudwatch_logs, "_describe_subscription_filters"): ("data",),
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_put_retention_policy"): ("data",),
}

MAX_NAME = 512
GROUP_NAME, STREAM_NAME = re.compile(r"[\.\-_/#A-Za-z0-9]+"), re.compile(r"[^:*]*")
THERE = "ResourceAlreadyExistsException"

Check = Callable[[Record], object]
Operation = Callable[[Record], Answer]


def install() -> None:
    """Let MiniStack's operations be asked for what may be. Call once, before it serves."""
    cloudwatch_logs._create_log_group = checked(new_group, cloudwatch_logs._create_log_group)
    cloudwatch_logs._delete_log_group = checked(log_group, cloudwatch_logs._delete_log_group)
    cloudwatch_logs._create_log_stream = checked(new_stream, cloudwatch_logs._create_log_stream)
    cloudwatch_logs._delete_log_stream = checked(stream, cloudwatch_logs._delete_log_stream)
    cloudwatch_logs._put_retention_policy = checked(log_group, cloudwatch_logs._put_retention_policy)
    cloudwatch_logs._delete_retention_policy = checked(log_group, cloudwatch_logs._delete_retention_policy)
    cloudwatch_logs._describe_subscription_filters = checked(log_group, cloudwatch_logs._describe_subscription_filters)


def checked(check: Check, operation: Operation) -> Operation:
    """The operation, once the check has not refused the request."""

    @functools.wraps(operation)
    def answered(data: Record) -> Answer:
        try:
            check(data)
        except Refused as refused:
            return refusal(refused)
        return operation(data)

    return answered


def new_group(data: Record) -> None:
    name = _named(data, "logGroupName", GROUP_NAME)
    if name in cloudwatch_logs._log_groups:
        raise Refused("The specified log group already exists", THERE)


def new_stream(data: Record) -> None:
    name = _named(data, "logStreamName", STREAM_NAME)
    _, group = log_group(data)
    if name in group["streams"]:
        raise Refused("The specified log stream already exists", THERE)


def stream(data: Record) -> None:
    _, group = log_group(data)
    log_stream(group, data.get("logStreamName"))


def _named(data: Record, member: str, pattern: re.Pattern[str]) -> str:
    name = data.get(member)
    if not name:
        raise constraint(member, name, "not be null" if name is None else "have length greater than or equal to 1")
    if len(name) > MAX_NAME:
        raise constraint(member, name, f"have length less than or equal to {MAX_NAME}")
    if not pattern.fullmatch(name):
        raise constraint(member, name, f"satisfy regular expression pattern: {pattern.pattern}")
    return str(name)
