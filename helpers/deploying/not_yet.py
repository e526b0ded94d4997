"""Has boto3 try again what AWS refuses for a moment only.

A service has not heard of a new role or policy yet, as IAM's changes reach it some seconds late, or a queue of the same
name was deleted less than a minute ago.
Source: "Changes that I make are not always immediately visible", AWS Identity and Access Management User Guide.
"""

from collections.abc import Callable
from typing import Any

from botocore.hooks import BaseEventHooks

# An operation, as botocore's events name it, and a part of the message that AWS answers meanwhile.
MESSAGES = {
    "lambda.CreateFunction": "cannot be assumed by Lambda",
    "lambda.UpdateFunctionConfiguration": "cannot be assumed by Lambda",
    "lambda.CreateEventSourceMapping": "does not have permissions to call",
    "lambda.PutFunctionEventInvokeConfig": "does not have permissions to call",
    "s3.PutBucketNotificationConfiguration": "Unable to validate the following destination configurations",
    "scheduler.CreateSchedule": "must allow AWS EventBridge Scheduler to assume the role",
    "sqs.CreateQueue": "You must wait 60 seconds after deleting a queue",
    "sfn.CreateStateMachine": "is authorized to assume the provided role",
}
TRIES, PAUSE_S = 14, 5.0  # 13 pauses of 5 s: a little more than a minute


def register(events: BaseEventHooks) -> None:
    """Have the clients of a session, whose events these are, try again."""
    for operation, message in MESSAGES.items():
        events.register(f"needs-retry.{operation}", _retry_of(message))


def _retry_of(message: str) -> Callable[..., float | None]:
    def pause(response: tuple[Any, dict[str, Any]] | None, attempts: int, **_: Any) -> float | None:
        """How long to wait before the next try; None where there is none, or where botocore itself decides."""
        refusal = response[1].get("Error", {}).get("Message", "") if response else ""
        return PAUSE_S if message in refusal and attempts < TRIES else None

    return pause
