"""What is told of SNS: the notifications of a topic on their way to its queues and functions."""

from typing import Any

from ministack.services import sns

from ..data_plane.census import Tell
from .contract import Contract
from .sqs_activity import MessageActivity

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (sns, "_deliver_to_lambda"): (
        "endpoint",
        "envelope",
        "topic_arn",
        "sub_arn",
        "msg_id",
        "raw_message",
        "message_attributes",
    ),
    (sns, "_deliver_to_sqs"): (
        "endpoint",
        "envelope",
        "raw",
        "raw_message",
        "message_group_id",
        "message_dedup_id",
        "message_attributes",
        "topic_arn",
    ),
}


def install(tell: Tell, messages: MessageActivity) -> None:
    """Be asked by MiniStack whenever a topic delivers. Call once, before it serves, after asynchronous_invocation."""
    to_queue, to_function = sns._deliver_to_sqs, sns._deliver_to_lambda

    def queued(endpoint: str, *rest: Any, topic_arn: str = "", **more: Any) -> None:
        tell("notification.sent", **{"from": topic_arn, "to": endpoint})
        messages.delivered(endpoint, lambda: to_queue(endpoint, *rest, topic_arn=topic_arn, **more))

    def invoked(endpoint: str, envelope: str, topic_arn: str, *rest: Any) -> None:
        tell("notification.sent", **{"from": topic_arn, "to": endpoint})
        to_function(endpoint, envelope, topic_arn, *rest)

    sns._deliver_to_sqs = queued
    sns._deliver_to_lambda = invoked
