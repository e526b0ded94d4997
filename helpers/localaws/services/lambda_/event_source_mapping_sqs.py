"""From a queue to a function: batches and their window, the event of a batch, and what the function's answer means.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html (batching window),
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (partial batch responses).
"""

import contextvars
import time
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ...data_plane.census import Tell
from .. import sqs
from ..contract import Contract
from ..shapes import Record
from . import event_filter, event_source_mapping, recursive_loops
from .execution_role import ExecutionRoles

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_poll_sqs"): (),
    (lambda_svc, "_get_func_record_for_qualifier"): ("name", "qualifier"),
    (lambda_svc, "_sqs_esm_concurrency"): ("esm", "func_rec", "config", "queue"),
    (responses, "set_request_account_id"): ("access_key_id",),
    (responses, "set_request_region"): ("region",),
    (lambda_svc, "_execute_function"): ("func", "event"),
    (lambda_svc, "_esm_backoff_until"): None,
    (lambda_svc, "_ESM_BACKOFF_SECONDS"): None,
    (lambda_svc, "_dispatch_esm_batch"): ("esm_id", "fn", "args"),
    (lambda_svc, "_esm_inflight"): None,
}

FIFO_ATTRIBUTES = {"MessageGroupId": "group_id", "MessageDeduplicationId": "dedup_id", "SequenceNumber": "seq"}


def install(roles: ExecutionRoles, tell: Tell) -> None:
    """Let MiniStack's mappings of queues behave as AWS's, in the roles of functions. Call once, before it serves."""
    lambda_svc._poll_sqs = Poller(roles, tell).poll


class Poller:
    """Takes batches from queues, and lets functions run with them. A thread of MiniStack's calls it again and again."""

    def __init__(self, roles: ExecutionRoles, tell: Tell) -> None:
        self._roles, self._tell = roles, tell
        # What a mapping has received and not handed on yet, by its UUID: since when, and the messages.
        self._waiting: dict[str, tuple[float, list[Record]]] = {}

    def poll(self) -> bool:
        """Look once at every mapping of a queue; whether there was a batch, so that there may be more."""
        found = [contextvars.copy_context().run(self._poll, *each) for each in event_source_mapping.each()]
        return any(found)

    def _poll(self, account: str, region: str, mapping: Record) -> bool:
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        queue, func, config = _ends(mapping, account, region)
        if not queue or not func or _is_busy(mapping, func, config, queue):
            return False
        if not self._roles.may_read(config["Role"], mapping["FunctionName"], mapping["EventSourceArn"]):
            return False
        batch = self._receive(mapping, queue)
        if not batch:
            return False
        records = [_record(message, mapping["EventSourceArn"], account, region) for message in batch]
        passed = [record for record in records if event_filter.passes(record, mapping.get("FilterCriteria"))]
        handles = {record["receiptHandle"] for record in passed}
        self._delete(queue, {message["receipt_handle"] for message in batch} - handles)  # nobody else gets the others
        if passed:
            batch = [message for message in batch if message["receipt_handle"] in handles]
            event = {"Records": passed}
            self._tell("notification.sent", **event_source_mapping.edge(mapping), count=len(passed))
            lambda_svc._dispatch_esm_batch(mapping["UUID"], self._run_batch, mapping, func, event, batch, queue)
        return True

    def _receive(self, mapping: Record, queue: Record) -> list[Record]:
        """A batch for the mapping: full, or as large as it is when its window ends; else nothing yet."""
        identifier, window = mapping["UUID"], mapping.get("MaximumBatchingWindowInSeconds") or 0
        now, size = time.time(), mapping.get("BatchSize", 10)
        since, batch = self._waiting.pop(identifier, (now, []))
        batch = [message for message in batch if message["visible_at"] > now]  # the others are the queue's again
        batch += sqs.receive(queue, max(0, size - len(batch)))
        if len(batch) >= size or now - since >= window:
            return batch
        if batch:
            self._waiting[identifier] = since, batch  # the poller looks again within a second
        return []

    def _run_batch(self, mapping: Record, func: Record, event: Record, batch: list[Record], queue: Record) -> None:
        """Run the function with a batch, and delete from the queue what it has done."""
        recursive_loops.chain.set(recursive_loops.of_batch(batch))
        stopped = recursive_loops.stops(func["config"])  # its messages come back, until they are dead letters
        result = {"error": True} if stopped else lambda_svc._execute_function(func, event)
        identifier = mapping["UUID"]
        failed = {message["id"] for message in batch}
        if not result.get("error"):
            failed = _failed(mapping, result.get("body"), failed)
        if len(failed) == len(batch):  # what failed stays invisible for its time; the next batch waits a little, too
            lambda_svc._esm_backoff_until[identifier] = time.time() + lambda_svc._ESM_BACKOFF_SECONDS
        else:
            lambda_svc._esm_backoff_until.pop(identifier, None)
        self._delete(queue, {message["receipt_handle"] for message in batch if message["id"] not in failed})

    def _delete(self, queue: Record, receipt_handles: set[str]) -> None:
        if deleted := sqs.delete(queue, receipt_handles):
            self._tell("message.deleted", **sqs.about(queue, deleted))


def _ends(mapping: Record, account: str, region: str) -> tuple[Record | None, Record | None, Record]:
    """The queue and the function that a mapping joins, with its configuration; None where one is not there."""
    arn = mapping.get("EventSourceArn", "")
    if not event_source_mapping.polls(mapping) or not arn.startswith(f"arn:aws:sqs:{region}:{account}:"):
        return None, None, {}
    func, config = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    return sqs.queue_named(arn), func, config


def _is_busy(mapping: Record, func: Record, config: Record, queue: Record) -> bool:
    """Whether it has to wait after a failure, or has as many batches under way as it may."""
    identifier = mapping["UUID"]
    if lambda_svc._esm_backoff_until.get(identifier, 0) > time.time():
        return True
    most = lambda_svc._sqs_esm_concurrency(mapping, func, config, queue)
    busy: bool = lambda_svc._esm_inflight.get(identifier, 0) >= most
    return busy


def _record(message: Record, queue_arn: str, account: str, region: str) -> Record:
    """A message as the function sees it."""
    attributes = {
        "ApproximateReceiveCount": str(message.get("receive_count", 1)),
        "SentTimestamp": str(int(message["sent_at"] * 1000)),
        "SenderId": account,
        "ApproximateFirstReceiveTimestamp": str(int((message.get("first_receive_at") or time.time()) * 1000)),
    }
    if trace := (message.get("sys") or {}).get("AWSTraceHeader"):
        attributes["AWSTraceHeader"] = trace
    attributes |= {name: message[key] for name, key in FIFO_ATTRIBUTES.items() if message.get(key)}
    record = {
        "messageId": message["id"],
        "receiptHandle": message["receipt_handle"],
        "body": message["body"],
        "attributes": attributes,
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("message_attributes") or {}).items()
        },
        "md5OfBody": message.get("md5_body") or message.get("md5") or "",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    if digest := message.get("md5_attrs"):
        record["md5OfMessageAttributes"] = digest
    return record


def _attribute(sent: dict[str, Any]) -> dict[str, Any]:
    """A message attribute in the words of the event, with two lists that are always empty."""
    told = {name[:1].lower() + name[1:]: value for name, value in sent.items()}
    return {**told, "stringListValues": [], "binaryListValues": []}


def _failed(mapping: Record, answer: Any, batch: set[str]) -> set[str]:
    """The ids that a partial batch response reports, or all where it makes no sense."""
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []) or not answer:
        return set()
    try:
        reported = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return batch
    return reported if reported <= batch else batch
