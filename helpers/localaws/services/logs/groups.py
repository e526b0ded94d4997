"""Log groups and log streams: their names, their protection, and what is refused where one is there or is not there.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html. MiniStack takes any name,
refuses in words of its own, and protects nothing. The words about protection are those of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protecting-log-groups-from-deletion.html.
"""

import functools
import re
from collections.abc import Callable

from ministack.services import cloudwatch_logs

from ..contract import Contract
from ..shapes import Answer, Record
from .request import Refused, add_operation, constraint, log_group, log_stream, refusal

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
PROTECTION = "deletionProtectionEnabled"
PROTECTED = "Cannot delete log group with deletion protection enabled. Disable deletion protection first."
THERE = "ResourceAlreadyExistsException"

Check = Callable[[Record], object]
Operation = Callable[[Record], Answer]


def install() -> None:
    """Let MiniStack's operations be asked for what may be. Call once, before it serves."""
    cloudwatch_logs._create_log_group = checked(new_group, protecting(cloudwatch_logs._create_log_group))
    cloudwatch_logs._delete_log_group = checked(unprotected, cloudwatch_logs._delete_log_group)
    cloudwatch_logs._create_log_stream = checked(new_stream, cloudwatch_logs._create_log_stream)
    cloudwatch_logs._delete_log_stream = checked(unprotected_stream, cloudwatch_logs._delete_log_stream)
    cloudwatch_logs._put_retention_policy = checked(log_group, cloudwatch_logs._put_retention_policy)
    cloudwatch_logs._delete_retention_policy = checked(log_group, cloudwatch_logs._delete_retention_policy)
    cloudwatch_logs._describe_subscription_filters = checked(log_group, cloudwatch_logs._describe_subscription_filters)
    add_operation("PutLogGroupDeletionProtection", put_deletion_protection)


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


def protecting(create: Operation) -> Operation:
    """CreateLogGroup, which keeps whether the group is protected."""

    def created(data: Record) -> Answer:
        answer = create(data)
        if answer[0] == 200:
            cloudwatch_logs._log_groups[data["logGroupName"]][PROTECTION] = bool(data.get(PROTECTION))
        return answer

    return created


def put_deletion_protection(data: Record) -> Record:
    _, group = log_group(data)
    group[PROTECTION] = data[PROTECTION]
    return {}


def unprotected(data: Record) -> Record:
    """The log group of a request that deletes it, or something in it."""
    _, group = log_group(data)
    if group.get(PROTECTION):
        raise Refused(PROTECTED, "ValidationException")
    return group


def unprotected_stream(data: Record) -> None:
    log_stream(unprotected(data), data.get("logStreamName"))


def _named(data: Record, member: str, pattern: re.Pattern[str]) -> str:
    name = data.get(member)
    if not name:
        raise constraint(member, name, "not be null" if name is None else "have length greater than or equal to 1")
    if len(name) > MAX_NAME:
        raise constraint(member, name, f"have length less than or equal to {MAX_NAME}")
    if not pattern.fullmatch(name):
        raise constraint(member, name, f"satisfy regular expression pattern: {pattern.pattern}")
    return str(name)
