"""Messages of a standard queue that are delivered twice, as somebody has asked for it: SQS says that it may happen.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html:
a copy was on a server that could not be reached when the message was received or deleted, and is received once more.
"""

import time

from ministack.services import sqs

from .contract import Contract
from .shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(sqs, "_collect_msgs"): ("q", "max_n", "vis_timeout"), (sqs, "esm_wake"): None}

COPY = "is_copy"  # a member of a message that is one: it is not copied again


class Duplicates:
    """What was asked for, by the ARN of the queue. It is forgotten with the server."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def install(self) -> None:
        """Be asked by MiniStack when it hands out messages. Call once, before it serves, and before sqs_activity."""
        collect = sqs._collect_msgs

        def collected(queue: Record, max_n: int, vis_timeout: int) -> list[Record]:
            found: list[Record] = collect(queue, max_n, vis_timeout)
            if self._left and found:
                self._copy(queue, found)
            return found

        sqs._collect_msgs = collected

    def ask(self, arn: str, times: int) -> None:
        """Let so many of the next messages that are received come once more, whatever was asked for before."""
        self._left.pop(arn, None)
        if times:
            self._left[arn] = times

    def _copy(self, queue: Record, received: list[Record]) -> None:
        arn = queue["attributes"]["QueueArn"]
        chosen = [message for message in received if COPY not in message][: self._left.get(arn, 0)]
        if not chosen:
            return
        self.ask(arn, self._left[arn] - len(chosen))
        for message in chosen:
            count = message["receive_count"] - 1
            first = message["first_receive_at"] if count else None
            unseen = {"receipt_handle": None, "visible_at": time.time(), "receive_count": count, COPY: True}
            queue["messages"].append({**message, **unseen, "first_receive_at": first})
        sqs.esm_wake.set()
