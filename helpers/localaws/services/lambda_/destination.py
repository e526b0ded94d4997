"""Destinations of Lambda: what was not done is sent to a queue or a topic, and what was, too.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.services import sns, sqs

from ..contract import Contract
from ..shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (sqs, "_queue_by_arn"): ("arn",),
    (sqs, "_queue_url_for_account"): ("account_id", "name"),
    (sqs, "_act_send_message"): ("data", "qurl"),
    (sns, "_topics"): None,
    (sns, "_fanout"): (
        "topic_arn",
        "msg_id",
        "message",
        "subject",
        "message_structure",
        "message_attributes",
        "message_group_id",
        "message_dedup_id",
    ),
}


def send_message(queue: str, content: Any, attributes: Record) -> None:
    """Send it to the queue with this ARN. Raises LookupError where there is none."""
    if not sqs._queue_by_arn(queue):
        raise LookupError(queue)
    *_, account, name = queue.split(":")
    url = sqs._queue_url_for_account(account, name)
    sqs._act_send_message({"QueueUrl": url, "MessageBody": body(content), "MessageAttributes": attributes}, url)


def publish(topic: str, content: Any, attributes: Record) -> None:
    """Publish it to the topic with this ARN. Raises LookupError where there is none."""
    if topic not in sns._topics:
        raise LookupError(topic)
    sns._fanout(topic, str(uuid.uuid4()), body(content), "", "", attributes)


def now() -> str:
    """The time as the records of destinations tell it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def body(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)
