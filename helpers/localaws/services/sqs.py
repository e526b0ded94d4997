"""SQS: dead-letter queues, message move tasks, which send their messages back, and lists of queues.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html. Here a task has
done all its work when it is started, whatever MaxNumberOfMessagesPerSecond says. MiniStack has no such tasks.
"""

import contextlib
import json
import re
import time
import uuid
from collections.abc import Collection, Sequence

from ministack.services import sqs

from ..data_plane.census import Tell
from ..saved_state.stores import Store
from .contract import Contract
from .paging import ForeignToken, page
from .shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (sqs, "_dlq_sweep"): ("q",),
    (sqs, "_get_q"): ("url", "action"),
    (sqs, "_queue_by_arn"): ("arn",),
    (sqs, "_queues_lock"): None,
    (sqs, "_HANDLERS"): None,
    (sqs, "_expire_retained"): ("q",),
    (sqs, "_collect_msgs"): ("q", "max_n", "vis_timeout"),
    (sqs, "_Err"): ("code", "message", "status"),
    (sqs, "esm_wake"): None,
    (sqs, "_queues"): None,
}

NUMBER = re.compile(r"\d{1,9}", re.ASCII)
MOST_RESULTS = 1000  # of a list, and where the request does not say
MOST_IDS = 10  # that are told of several messages


def install(tell: Tell) -> "MessageMoveTasks":
    """Let MiniStack's dead letters behave as AWS's, and add the operations. Call once, before it serves."""
    sqs._dlq_sweep = move_dead_letters
    tasks = MessageMoveTasks(tell)
    sqs._HANDLERS.update(
        StartMessageMoveTask=tasks.start,
        ListMessageMoveTasks=tasks.list,
        CancelMessageMoveTask=tasks.cancel,
        ListQueues=list_queues,
        ListDeadLetterSourceQueues=list_dead_letter_source_queues,
    )
    return tasks


def queue_named(arn: str) -> Record | None:
    """MiniStack's record of a queue, if there is one."""
    queue: Record | None = sqs._queue_by_arn(arn)
    return queue


def list_queues(data: Record, _url: str) -> Record:
    prefix = data.get("QueueNamePrefix") or ""
    return _listed("QueueUrls", [url for url, each in sqs._queues.items() if each["name"].startswith(prefix)], data)


def list_dead_letter_source_queues(data: Record, _url: str) -> Record:
    """The queues whose dead letters go to this one."""
    arn = sqs._get_q(data.get("QueueUrl", ""))["attributes"]["QueueArn"]
    return _listed("queueUrls", [url for url, each in sqs._queues.items() if _dead_letter_target(each) == arn], data)


def _listed(member: str, urls: list[str], data: Record) -> Record:
    """A page of queues; there is a token where MaxResults asks for pages, and only there."""
    given = data.get("MaxResults")
    if given is not None and not (NUMBER.fullmatch(str(given)) and 1 <= int(given) <= MOST_RESULTS):  # text in a query
        reason = f"Reason: must be between 1 and {MOST_RESULTS}, if provided."
        raise sqs._Err("InvalidParameterValue", f"Value {given} for parameter MaxResults is invalid. {reason}")
    most = MOST_RESULTS if given is None else int(given)
    try:
        found, token = page(member, urls, str, most, data.get("NextToken"))
    except ForeignToken:
        raise sqs._Err("InvalidParameterValue", "The value for parameter NextToken is invalid.") from None
    return {member: found, **({"NextToken": token} if token and given is not None else {})}


def about(queue: Record, messages: Sequence[Record]) -> Record:
    """What is told of some messages of a queue."""
    ids = [message["id"] for message in messages[:MOST_IDS]]
    return {"queue": queue["attributes"]["QueueArn"], "count": len(messages), "message_ids": ids}


def receive(queue: Record, most: int) -> list[Record]:
    """Up to `most` messages of the queue, which are then in flight."""
    with sqs._queues_lock:
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        found: list[Record] = sqs._collect_msgs(queue, most, int(queue["attributes"]["VisibilityTimeout"]))
    return found


def delete(queue: Record, receipt_handles: Collection[str]) -> list[Record]:
    """Delete messages from the queue's own list. MiniStack makes a new one, and loses what is sent meanwhile."""
    with sqs._queues_lock:
        messages = queue["messages"]
        deleted = [message for message in messages if message.get("receipt_handle") in receipt_handles]
        _remove(messages, deleted)
    return deleted


def move_dead_letters(queue: Record) -> tuple[Record, list[Record]] | None:
    """Move what was received maxReceiveCount times, and is visible again, to the dead-letter queue: which, and what."""
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    target = queue_named(policy.get("deadLetterTargetArn", ""))
    if target is None:
        return None
    now, most = time.time(), int(policy["maxReceiveCount"])
    dead = [m for m in queue["messages"] if m["receive_count"] >= most and m["visible_at"] <= now]
    _remove(queue["messages"], dead)
    for message in dead:
        system = {**message.get("sys", {}), "DeadLetterQueueSourceArn": queue["attributes"]["QueueArn"]}
        moved = {**message, "receipt_handle": None, "visible_at": now, "sys": system}
        if target["is_fifo"]:  # where the age begins anew: MessageRetentionPeriod
            moved["enqueued_at"] = now
        target["messages"].append(moved)
    if not dead:
        return None
    sqs.esm_wake.set()
    return target, dead


def _remove(messages: list[Record], some: list[Record]) -> None:
    for message in some:
        with contextlib.suppress(ValueError):  # another consumer was faster
            messages.remove(message)


class MessageMoveTasks:
    """The operations on message move tasks; each takes a request's members and the address of the service."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._tasks: dict[str, list[Record]] = {}  # by the ARN of the source queue, newest first

    def store(self) -> Store:
        return Store("message move tasks", "sqs", lambda: list(self._tasks.items()), self._tasks.__setitem__)

    def start(self, data: Record, _url: str) -> Record:
        source_arn, destination_arn = data.get("SourceArn", ""), data.get("DestinationArn")
        source = _queue(source_arn)
        if not any(_dead_letter_target(queue) == source_arn for queue in sqs._queues.values()):
            raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        destination = _queue(destination_arn) if destination_arn else None
        task = {
            "SourceArn": source_arn,
            "StartedTimestamp": int(time.time() * 1000),
            "Status": "COMPLETED",
            "ApproximateNumberOfMessagesMoved": 0,
            "ApproximateNumberOfMessagesToMove": 0,
        }
        task.update({k: data[k] for k in ("DestinationArn", "MaxNumberOfMessagesPerSecond") if k in data})
        for target, messages in _move(source, destination, task):
            self._tell("message.redriven", **about(source, messages), to=target["attributes"]["QueueArn"])
        self._tasks.setdefault(source_arn, []).insert(0, task)
        sqs.esm_wake.set()
        return {"TaskHandle": uuid.uuid4().hex}

    def list(self, data: Record, _url: str) -> Record:
        _queue(data.get("SourceArn", ""))
        return {"Results": self._tasks.get(data["SourceArn"], [])[: int(data.get("MaxResults") or 1)]}

    def cancel(self, _data: Record, _url: str) -> Record:
        raise sqs._Err("ResourceNotFoundException", "One or more specified resources don't exist.", 404)  # none runs


def _move(source: Record, destination: Record | None, task: Record) -> list[tuple[Record, list[Record]]]:
    """Move what is visible in `source` to `destination`, or where each message came from; `task` tells of it.

    It gives which messages went where, as they were.
    """
    moved: dict[str, tuple[Record, list[Record]]] = {}
    with sqs._queues_lock:
        waiting = [message for message in source["messages"] if message["visible_at"] <= time.time()]
        task["ApproximateNumberOfMessagesToMove"] = len(waiting)
        for message in waiting:
            target = destination or queue_named(message.get("sys", {}).get("DeadLetterQueueSourceArn", ""))
            if target is None:
                task.update(Status="FAILED", FailureReason="CouldNotDetermineMessageSource")
                break
            source["messages"].remove(message)
            target["messages"].append(_renewed(message))
            moved.setdefault(target["attributes"]["QueueArn"], (target, []))[1].append(message)
            task["ApproximateNumberOfMessagesMoved"] += 1
    return list(moved.values())


def _queue(arn: str) -> Record:
    queue = queue_named(arn)
    if queue is None:
        raise sqs._Err(
            "ResourceNotFoundException",
            "The resource that you specified for the SourceArn parameter doesn't exist.",
            404,
        )
    return queue


def _dead_letter_target(queue: Record) -> str | None:
    target: str | None = json.loads(queue["attributes"].get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    return target


def _renewed(message: Record) -> Record:
    """A message as one that was just sent: with an id, an age and a receive count of its own."""
    now = time.time()
    system = {k: v for k, v in message["sys"].items() if k != "DeadLetterQueueSourceArn"}
    return {
        **message,
        "id": str(uuid.uuid4()),
        "receipt_handle": None,
        "sent_at": now,
        "visible_at": now,
        "receive_count": 0,
        "first_receive_at": None,
        "chain": {},
        "sys": {**system, "SentTimestamp": str(int(now * 1000))},
    }
