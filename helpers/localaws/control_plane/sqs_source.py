"""From a queue to a function: batches and their window, what a batch's answer means, and dead-letter queues.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html (batching window),
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (partial batch responses).
"""

import contextlib
import json
import time
from collections.abc import Iterator

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc, sqs

from . import recursion

# What a mapping has received and not handed on yet, by its UUID: since when, and the messages.
_waiting: dict[str, tuple[float, list[dict]]] = {}
_polled: dict = {}  # the mapping that the poller, a single thread, is at


def install() -> None:
    """Let MiniStack's mappings of queues behave as AWS's. Call once, before it serves."""
    each_mapping, create = lambda_svc._iter_all_esms, lambda_svc._create_esm

    def noted() -> Iterator[tuple[str, str, dict]]:
        """Every mapping; `_polled` is the one that was given last."""
        global _polled
        for account, region, mapping in each_mapping():
            _polled = mapping
            yield account, region, mapping

    def create_once(data: dict) -> tuple:
        return _conflict(data, each_mapping()) or create(data)

    lambda_svc._iter_all_esms = noted
    lambda_svc._create_esm = create_once
    lambda_svc._run_sqs_batch = run_batch
    sqs._receive_messages_for_esm = receive
    sqs._delete_messages_for_esm = delete
    sqs._dlq_sweep = move_dead_letters


def _conflict(data: dict, mappings: Iterator[tuple[str, str, dict]]) -> tuple | None:
    """AWS's refusal of a second mapping from one source to one function."""
    source = data.get("EventSourceArn", "")
    function, qualifier, _ = lambda_svc._resolve_existing_esm_function(data.get("FunctionName", ""))
    wanted = source, function, qualifier
    for _, _, mapping in mappings:
        if (mapping["EventSourceArn"], mapping["FunctionName"], mapping.get("Qualifier")) == wanted:
            return error_response_json(
                "ResourceConflictException",
                f'An event source mapping with SQS arn (" {source} ") and function (" {function} ") already exists. '
                f"Please update or delete the existing mapping with UUID {mapping['UUID']}", 409,
            )
    return None


def receive(queue_url: str, batch_size: int) -> list[dict]:
    """A batch for the mapping that is polled: full, or as large as it is when its window ends; else nothing yet."""
    identifier, window = _polled["UUID"], _polled.get("MaximumBatchingWindowInSeconds") or 0
    now = time.time()
    since, batch = _waiting.pop(identifier, (now, []))
    batch = [message for message in batch if message["visible_at"] > now]  # the others are the queue's again
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        batch += sqs._collect_msgs(queue, batch_size - len(batch), int(queue["attributes"]["VisibilityTimeout"]))
    if len(batch) >= batch_size or now - since >= window:
        return batch
    if batch:
        _waiting[identifier] = since, batch  # the poller looks again within a second
    return []


def delete(queue_url: str, receipt_handles: set[str]) -> None:
    """Delete messages from the queue's own list. MiniStack makes a new one, and loses what is sent meanwhile."""
    with sqs._queues_lock, contextlib.suppress(sqs._Err):  # the queue may be deleted meanwhile
        messages = sqs._get_q(queue_url)["messages"]
        _remove(messages, [message for message in messages if message.get("receipt_handle") in receipt_handles])


def move_dead_letters(queue: dict) -> None:
    """Move what was received maxReceiveCount times, and is visible again, to the dead-letter queue."""
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    target = sqs._queue_by_arn(policy.get("deadLetterTargetArn", ""))
    if target is None:
        return
    now, most = time.time(), int(policy["maxReceiveCount"])
    dead = [m for m in queue["messages"] if m["receive_count"] >= most and m["visible_at"] <= now]
    _remove(queue["messages"], dead)
    for message in dead:
        system = {**message.get("sys", {}), "DeadLetterQueueSourceArn": queue["attributes"]["QueueArn"]}
        moved = {**message, "receipt_handle": None, "visible_at": now, "sys": system}
        if target["is_fifo"]:  # where the age begins anew: MessageRetentionPeriod
            moved["enqueued_at"] = now
        target["messages"].append(moved)
    if dead:
        lambda_svc._esm_wake.set()


def _remove(messages: list[dict], some: list[dict]) -> None:
    for message in some:
        with contextlib.suppress(ValueError):  # another consumer was faster
            messages.remove(message)


def run_batch(mapping: dict, func: dict, event: dict, batch: list[dict], queue_url: str, queue_name: str) -> None:
    """Run the function with a batch, and delete from the queue what it has done."""
    recursion.chain.set(recursion.of_batch(batch))
    stopped = recursion.stops(func["config"])  # its messages come back, until they are dead letters
    result = {"error": True} if stopped else lambda_svc._execute_function(func, completed(event, batch))
    identifier = mapping["UUID"]
    failed = {message["id"] for message in batch}
    if not result.get("error"):
        failed = _failed(mapping, result.get("body"), failed)
    if len(failed) == len(batch):  # what failed stays invisible for its time; the next batch waits a little, too
        lambda_svc._esm_backoff_until[identifier] = time.time() + lambda_svc._ESM_BACKOFF_SECONDS
    else:
        lambda_svc._esm_backoff_until.pop(identifier, None)
    delete(queue_url, {message["receipt_handle"] for message in batch if message["id"] not in failed})
    mapping["LastProcessingResult"] = "PROBLEM: Function call failed" if result.get("error") else "OK"


def completed(event: dict, batch: list[dict]) -> dict:
    """The event with what AWS tells of message attributes: their digest, and two lists that are always empty."""
    digests = {message["id"]: message.get("md5_attrs") for message in batch}
    for record in event["Records"]:
        for attribute in record["messageAttributes"].values():
            attribute |= {"stringListValues": [], "binaryListValues": []}
        if digest := digests[record["messageId"]]:
            record["md5OfMessageAttributes"] = digest
    return event


def _failed(mapping: dict, answer: object, batch: set[str]) -> set[str]:
    """The ids that a partial batch response reports, or all where it makes no sense."""
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []) or not answer:
        return set()
    try:
        reported = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return batch
    return reported if reported <= batch else batch
