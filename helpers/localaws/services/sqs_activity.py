"""What is told of messages of SQS: sent, received, returned to the queue, deleted, dead letters, sent back from there.

A message is returned when its visibility timeout has passed: nothing runs then, so while somebody reads, the queues are
looked at, and each of them before anything is taken out of it.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import sqs

from ..data_plane.census import Census
from .contract import Contract
from .iam.authentication import sender
from .shapes import Record
from .sqs import about

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (sqs, "_Err"): ("code", "message", "status"),
    (sqs, "_HANDLERS"): None,
    (sqs, "_act_change_visibility"): ("data", "qurl"),
    (sqs, "_act_change_visibility_batch"): ("data", "qurl"),
    (sqs, "_act_delete_message"): ("data", "qurl"),
    (sqs, "_act_delete_message_batch"): ("data", "qurl"),
    (sqs, "_act_purge_queue"): ("data", "qurl"),
    (sqs, "_act_send_message"): ("data", "qurl"),
    (sqs, "_collect_msgs"): ("q", "max_n", "vis_timeout"),
    (sqs, "_dlq_sweep"): ("q",),
    (sqs, "_get_q"): ("url", "action"),
    (sqs, "_queue_by_arn"): ("arn",),
    (sqs, "_queues"): None,
}

LOOK_EVERY_S = 0.25

Handler = Callable[[Record, str], Any]


class MessageActivity:
    """Tells of what MiniStack does with messages."""

    def __init__(self, told: Census) -> None:
        self._tell, self._watched = told.tell, told.watched
        self._looking = threading.Lock()
        self._looked: dict[str, float] = {}  # when each queue was looked at, by its ARN; empty while nobody reads

    def install(self) -> None:
        """Be asked by MiniStack's handlers. Call once, before it serves, after sqs.py."""
        self._collect, self._sweep = sqs._collect_msgs, sqs._dlq_sweep
        sqs._act_send_message = sqs._HANDLERS["SendMessage"] = self._sending(sqs._act_send_message)
        for action, handler in (
            ("DeleteMessage", sqs._act_delete_message),
            ("DeleteMessageBatch", sqs._act_delete_message_batch),
            ("PurgeQueue", sqs._act_purge_queue),
        ):
            sqs._HANDLERS[action] = self._deleting(handler)
        for action, handler in (
            ("ChangeMessageVisibility", sqs._act_change_visibility),
            ("ChangeMessageVisibilityBatch", sqs._act_change_visibility_batch),
        ):
            sqs._HANDLERS[action] = self._changing(handler)
        sqs._collect_msgs, sqs._dlq_sweep = self._collected, self._swept
        threading.Thread(target=self._look, daemon=True, name="messages that return").start()

    def delivered(self, arn: str, deliver: Callable[[], object]) -> None:
        """Let a service `deliver` a message to a queue, and tell of it."""
        queue = sqs._queue_by_arn(arn) if self._watched.is_set() else None
        last = queue["messages"][-1:] if queue else []
        deliver()
        if queue and (new := queue["messages"][-1:]) and (not last or new[0] is not last[0]):
            self._tell("message.sent", **about(queue, new))

    def _sending(self, send: Handler) -> Handler:
        def sent(data: Record, qurl: str) -> Any:
            queue = _named(data, qurl) if self._watched.is_set() else None
            number = queue["fifo_seq"] if queue else None
            answer = send(data, qurl)
            if queue and not (queue["is_fifo"] and queue["fifo_seq"] == number):  # else it was there already
                self._tell("message.sent", **about(queue, [{"id": answer["MessageId"]}]), **sender())
            return answer

        return sent

    def _deleting(self, delete: Handler) -> Handler:
        def deleted(data: Record, qurl: str) -> Any:
            queue = _named(data, qurl) if self._watched.is_set() else None
            before = list(queue["messages"]) if queue else []
            answer = delete(data, qurl)
            if queue:
                left = {id(message) for message in queue["messages"]}
                if gone := [message for message in before if id(message) not in left]:
                    self._tell("message.deleted", **about(queue, gone))
            return answer

        return deleted

    def _changing(self, change: Handler) -> Handler:
        def changed(data: Record, qurl: str) -> Any:
            answer = change(data, qurl)
            if self._watched.is_set() and (queue := _named(data, qurl)):
                self._returned(queue)
            return answer

        return changed

    def _collected(self, queue: Record, max_n: int, vis_timeout: int) -> list[Record]:
        if not self._watched.is_set():
            found: list[Record] = self._collect(queue, max_n, vis_timeout)
            return found
        self._returned(queue)
        found = self._collect(queue, max_n, vis_timeout)
        if found:
            self._tell("message.received", **about(queue, found))
        return found

    def _swept(self, queue: Record) -> None:
        if self._watched.is_set():
            self._returned(queue)
        if dead := self._sweep(queue):
            target, messages = dead
            self._tell("message.dead-lettered", **about(queue, messages), to=target["attributes"]["QueueArn"])

    def _look(self) -> None:
        while self._watched.wait():
            for _, queue in sqs._queues.all_items():
                self._returned(queue)
            time.sleep(LOOK_EVERY_S)
            if not self._watched.is_set():
                self._looked.clear()

    def _returned(self, queue: Record) -> None:
        """Tell of the messages that are visible again since the queue was looked at."""
        arn, now = queue["attributes"]["QueueArn"], time.time()
        with self._looking:
            last, self._looked[arn] = self._looked.get(arn, now), now
        back = [each for each in list(queue["messages"]) if last < each["visible_at"] <= now and each["receive_count"]]
        if back:
            self._tell("message.returned", **about(queue, back))


def _named(data: Record, qurl: str) -> Record | None:
    """The queue of a request, if there is one; whoever asks for another is refused afterwards."""
    try:
        queue: Record | None = sqs._get_q(data.get("QueueUrl", qurl))
    except sqs._Err:
        return None
    return queue
