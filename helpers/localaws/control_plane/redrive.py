"""Message move tasks of SQS, which send the messages of a dead-letter queue back; MiniStack has none.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html. Here a task has
done all its work when it is started, whatever MaxNumberOfMessagesPerSecond says.
"""

import json
import time
import uuid

from ministack.services import sqs

_tasks: dict[str, list[dict]] = {}  # by the ARN of the source queue, newest first


def install() -> None:
    """Add the three operations to MiniStack's SQS. Call once, before it serves."""
    sqs._HANDLERS.update(StartMessageMoveTask=start, ListMessageMoveTasks=list_tasks, CancelMessageMoveTask=cancel)


def start(data: dict, _url: str) -> dict:
    source_arn, destination_arn = data.get("SourceArn", ""), data.get("DestinationArn")
    source = _queue(source_arn)
    if not any(_dead_letter_target(queue) == source_arn for queue in sqs._queues.values()):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    destination = _queue(destination_arn) if destination_arn else None
    task = {
        "SourceArn": source_arn, "StartedTimestamp": int(time.time() * 1000), "Status": "COMPLETED",
        "ApproximateNumberOfMessagesMoved": 0, "ApproximateNumberOfMessagesToMove": 0,
    }
    task.update({k: data[k] for k in ("DestinationArn", "MaxNumberOfMessagesPerSecond") if k in data})
    with sqs._queues_lock:
        waiting = [message for message in source["messages"] if message["visible_at"] <= time.time()]
        task["ApproximateNumberOfMessagesToMove"] = len(waiting)
        for message in waiting:
            target = destination or sqs._queue_by_arn(message.get("sys", {}).get("DeadLetterQueueSourceArn", ""))
            if target is None:
                task.update(Status="FAILED", FailureReason="CouldNotDetermineMessageSource")
                break
            source["messages"].remove(message)
            target["messages"].append(_renewed(message))
            task["ApproximateNumberOfMessagesMoved"] += 1
    _tasks.setdefault(source_arn, []).insert(0, task)
    sqs.esm_wake.set()
    return {"TaskHandle": uuid.uuid4().hex}


def list_tasks(data: dict, _url: str) -> dict:
    _queue(data.get("SourceArn", ""))
    return {"Results": _tasks.get(data["SourceArn"], [])[: int(data.get("MaxResults") or 1)]}


def cancel(_data: dict, _url: str) -> dict:
    raise sqs._Err("ResourceNotFoundException", "One or more specified resources don't exist.", 404)  # none is running


def _queue(arn: str) -> dict:
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        raise sqs._Err("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter "
                       "doesn't exist.", 404)
    return queue


def _dead_letter_target(queue: dict) -> str | None:
    return json.loads(queue["attributes"].get("RedrivePolicy") or "{}").get("deadLetterTargetArn")


def _renewed(message: dict) -> dict:
    """A message as one that was just sent: with an id, an age and a receive count of its own."""
    now = time.time()
    system = {k: v for k, v in message["sys"].items() if k != "DeadLetterQueueSourceArn"}
    return {
        **message, "id": str(uuid.uuid4()), "receipt_handle": None, "sent_at": now, "visible_at": now,
        "receive_count": 0, "first_receive_at": None, "chain": {},
        "sys": {**system, "SentTimestamp": str(int(now * 1000))},
    }
