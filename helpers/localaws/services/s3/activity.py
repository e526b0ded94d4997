"""What is told of S3: objects that are made or deleted, and the notifications of a bucket on their way."""

from collections.abc import Callable
from typing import Any

from ministack.services import s3

from ...data_plane.census import Tell
from ..contract import Contract
from ..iam.authentication import sender
from ..shapes import Record
from ..sqs_activity import MessageActivity

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (s3, "_deliver_event_to_lambda"): ("arn", "event_payload", "bucket_region"),
    (s3, "_deliver_event_to_sns"): ("arn", "event_payload", "bucket_region", "bucket_name"),
    (s3, "_deliver_event_to_sqs"): ("arn", "event_payload", "bucket_region", "bucket_name"),
    (s3, "_fire_s3_event_async"): (
        "bucket_name",
        "key",
        "event_name",
        "size",
        "etag",
        "deletion_type",
        "version_id",
        "object_extra",
        "record_extra",
    ),
}

CREATED, REMOVED = "s3:ObjectCreated:", "s3:ObjectRemoved:"


def install(tell: Tell, messages: MessageActivity) -> None:
    """Be asked by MiniStack whenever something becomes of an object. Call once, before it serves."""
    fire, to_queue = s3._fire_s3_event_async, s3._deliver_event_to_sqs

    def fired(bucket_name: str, key: str, event_name: str, *rest: Any, **more: Any) -> None:
        for begin, kind in ((CREATED, "object.created"), (REMOVED, "object.deleted")):
            if event_name.startswith(begin):
                tell(kind, bucket=bucket_name, key=key, event=event_name.removeprefix("s3:"), **sender())
        fire(bucket_name, key, event_name, *rest, **more)

    def sending(deliver: Callable[..., None]) -> Callable[..., None]:
        def sent(arn: str, event_payload: Record, *rest: Any, **more: Any) -> None:
            if "Records" in event_payload:  # a test event, which a new configuration sends, is of no object
                tell("notification.sent", **{"from": event_payload["Records"][0]["s3"]["bucket"]["arn"], "to": arn})
            deliver(arn, event_payload, *rest, **more)

        return sent

    def queued(arn: str, *rest: Any, **more: Any) -> None:
        messages.delivered(arn, lambda: to_queue(arn, *rest, **more))

    s3._fire_s3_event_async = fired
    s3._deliver_event_to_lambda = sending(s3._deliver_event_to_lambda)
    s3._deliver_event_to_sns = sending(s3._deliver_event_to_sns)
    s3._deliver_event_to_sqs = sending(queued)
