"""Has CloudWatch keep the logs of functions that are made on AWS for a week; by itself it keeps them for ever."""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.hooks import BaseEventHooks

DAYS = 7
# What this calls, on AWS alone, by resource: a person needs it in their policies
CALLS = {"arn:aws:logs:*:*:log-group:/aws/lambda/${learner}-*": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]}


def register(events: BaseEventHooks, client: Callable[[str], Any]) -> None:
    """Do so for each function that the clients of a session create, whose events these are."""
    events.register("after-call.lambda.CreateFunction", partial(_keep_for_days, client))


def _keep_for_days(client: Callable[[str], Any], parsed: dict[str, Any], **_: Any) -> None:
    """Make the log group that Lambda would make with the first invocation."""
    if "FunctionName" not in parsed:  # AWS has refused
        return
    logs = client("logs")
    own = parsed.get("LoggingConfig", {}).get("LogGroup")
    group = own or f"/aws/lambda/{parsed['FunctionName']}"
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):  # of a function that was deleted
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=DAYS)
