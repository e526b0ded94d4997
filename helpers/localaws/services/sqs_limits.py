"""Refuses what SQS does not allow of a request: numbers out of their range, names, and to purge again at once.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/, in the words that clients of AWS report.
MiniStack takes most of it as it comes. Of a batch only the entries fail that are wrong, as the others are sent.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from ministack.services import sqs

from .contract import Contract
from .lambda_ import model
from .shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (sqs, "_dispatch"): ("action", "data", "qurl"),
    (sqs, "_Err"): ("code", "message", "status"),
    (sqs, "_get_q"): ("url", "action"),
}

NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
NAME = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?")
NO_NAME = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
MAX_BATCH = 10
PURGE_S = 60  # between two
# The least and the most, in seconds; of a queue's own settings MiniStack knows them.
DELAY = 0, 900, "DelaySeconds must be >= 0 and <= 900."
WAIT = 0, 20, "Must be >= 0 and <= 20, if provided."
INVISIBLE = 0, 43_200, "Must be >= 0 and <= 43200, if provided."
RANGES: dict[str, dict[str, tuple[int, int, str]]] = {
    "SendMessage": {"DelaySeconds": DELAY},
    "ReceiveMessage": {"WaitTimeSeconds": WAIT, "VisibilityTimeout": INVISIBLE},
    "ChangeMessageVisibility": {"VisibilityTimeout": INVISIBLE},
}
ALL = "All"  # of the attributes that are asked for


def install() -> None:
    """Let MiniStack get what SQS allows. Call once, before it serves, and before missing_members.install()."""
    dispatch = sqs._dispatch

    async def dispatched(action: str, data: Record, qurl: str) -> Record:
        _check_names(action, data)
        if said := out_of_range(action, data):
            raise sqs._Err("InvalidParameterValue", said)
        if action == "PurgeQueue":
            note_purge(sqs._get_q(data.get("QueueUrl", qurl), "sqs:PurgeQueue"), time.time())
        if not action.endswith("Batch"):
            answer: Record = await dispatch(action, data, qurl)
            return answer
        return await _each(action, data, qurl)

    async def _each(action: str, data: Record, qurl: str) -> Record:
        entries = data.get("Entries") or []
        if len(entries) > MAX_BATCH:
            many = f"Maximum number of entries per request are {MAX_BATCH}. You have sent {len(entries)}."
            raise sqs._Err("TooManyEntriesInBatchRequest", many)
        one = action.removesuffix("Batch")
        wrong = {place: said for place, each in enumerate(entries) if (said := out_of_range(one, each))}
        right = [each for place, each in enumerate(entries) if place not in wrong]
        told: Record = {"Successful": [], "Failed": []}
        if right or not wrong:
            told = await dispatch(action, {**data, "Entries": right}, qurl)
        failed = [_failure(entries[place].get("Id", ""), said) for place, said in wrong.items()]
        return {**told, "Failed": [*told["Failed"], *failed]}

    sqs._dispatch = dispatched


def out_of_range(action: str, members: Mapping[str, Any]) -> str | None:
    """AWS's sentence on the first number of a request, or of an entry of a batch, that is too small or too large."""
    for name, (least, most, reason) in RANGES.get(action, {}).items():
        value = members.get(name)  # text in a query
        if value is not None and not (NUMBER.fullmatch(str(value)) and least <= int(value) <= most):
            return f"Value {value} for parameter {name} is invalid. Reason: {reason}"
    return None


def note_purge(queue: Record, now: float) -> None:
    """Remember that a queue is purged; raises where it has been a moment ago."""
    if now - queue.get("purged_at", 0) < PURGE_S:
        said = f"Only one PurgeQueue operation on {queue['name']} is allowed every {PURGE_S} seconds."
        raise sqs._Err("PurgeQueueInProgress", said, 403)
    queue["purged_at"] = now


def _check_names(action: str, data: Record) -> None:
    name = data.get("QueueName")
    if action == "CreateQueue" and name and not NAME.fullmatch(str(name)):
        raise sqs._Err("InvalidParameterValue", NO_NAME)
    asked = data.get("AttributeNames") if action == "GetQueueAttributes" else data.get("Attributes")
    if action in ("CreateQueue", "GetQueueAttributes", "SetQueueAttributes"):
        known = model.shape("QueueAttributeName", "sqs")["enum"]
        if unknown := [each for each in asked or () if each not in known and each != ALL]:
            raise sqs._Err("InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")


def _failure(entry: str, said: str) -> Record:
    return {"Id": entry, "Code": "InvalidParameterValue", "Message": said, "SenderFault": True}
