"""Recursive loops: a function that is called again and again by what it does itself is stopped, as on AWS.

The trace header of an invocation says which functions ran in the chain of requests that led to it. AWS's SDKs send it
with each call, S3 and SNS hand it on, and so do the messages of SQS; the other services do not.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-lambda_recursive_loops.html
"""

import contextvars
import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote

from ministack.core import responses
from ministack.services import lambda_svc, sqs

from ....facts import fact
from ...data_plane.function import unqualified
from ..cloudwatch import metrics
from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_recursive_loop_drop"): ("name", "func", "depth"),
    (sqs, "_act_send_message"): ("data", "qurl"),
    (sqs, "_ensure_msg_fields"): ("m",),
    (sqs, "_HANDLERS"): None,
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (lambda_svc, "_functions"): None,
    (sqs, "_get_q"): ("url", "action"),
}

LIMIT = fact("recursive_loop")  # runs of a function in one chain: "approximately 16 times"
HEADER = b"x-amzn-trace-id"
LINEAGE = re.compile(r"Lineage=((?:[0-9a-f]{8}:\d+\|?)+)")

# How often each function ran in the chain of requests that led here; a function is named by a digest of its ARN.
chain: contextvars.ContextVar[Mapping[str, int]] = contextvars.ContextVar("chain", default=MappingProxyType({}))


def install() -> None:
    """Let MiniStack count by the chain, which it does for direct calls alone. Call once, before it serves."""
    ensure_fields, send_message = sqs._ensure_msg_fields, sqs._act_send_message
    lambda_svc._recursive_loop_drop = lambda name, func, depth: _refusal(name) if stops(func["config"]) else None

    def send(data: Record, qurl: str) -> Record:
        answer: Record = send_message(data, qurl)
        if chain.get():
            messages = reversed(sqs._get_q(data.get("QueueUrl", qurl))["messages"])
            sent: Record = next((message for message in messages if message["id"] == answer["MessageId"]), {})
            sent.setdefault("chain", dict(chain.get()))
        return answer

    def stamp(message: Record) -> None:
        """MiniStack calls this for what SNS and S3 send, too, and for each message that it receives."""
        message.setdefault("chain", dict(chain.get()))
        ensure_fields(message)

    sqs._act_send_message = sqs._HANDLERS["SendMessage"] = send
    sqs._ensure_msg_fields = stamp


def from_header(headers: list[tuple[bytes, bytes]]) -> Mapping[str, int]:
    """The chain that a request's trace header tells of."""
    found = LINEAGE.search(unquote(next((value for name, value in headers if name.lower() == HEADER), b"").decode()))
    return {key: int(count) for key, count in (part.split(":") for part in found[1].split("|"))} if found else {}


def lineage(config: Record) -> str:
    """What the trace header of an invocation tells of its chain, this run of the function included."""
    before, key = chain.get(), _key(config)
    runs = {**before, key: before.get(key, 0) + 1}
    return "Lineage=" + "|".join(f"{key}:{count}" for key, count in runs.items())


def of_batch(messages: list[Record]) -> Mapping[str, int]:
    """The chain of a batch: for each function the most runs that any of its messages has behind it."""
    runs: dict[str, int] = {}
    for message in messages:
        for key, count in (message.get("chain") or {}).items():
            runs[key] = max(count, runs.get(key, 0))
    return runs


def stops(config: Record) -> bool:
    """Whether the function has run too often in this chain to run once more; then that is counted."""
    func = lambda_svc._functions.get(config["FunctionName"]) or {}
    if chain.get().get(_key(config), 0) < LIMIT or func.get("recursive_loop") == "Allow":
        return False
    metrics.record(config["FunctionName"], "RecursiveInvocationsDropped", 1)
    return True


def _key(config: Record) -> str:
    return hashlib.sha256(unqualified(config["FunctionArn"]).encode()).hexdigest()[:8]


def _refusal(name: str) -> Answer:
    refusal: Answer = responses.error_response_json(
        "RecursiveInvocationException",
        "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped "
        f"your function's invocation: {name}",
        400,
    )
    return refusal
