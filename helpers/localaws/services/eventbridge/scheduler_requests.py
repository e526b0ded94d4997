"""Requests to EventBridge Scheduler that AWS's model of it does not allow: refused, and not stumbled over.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html,
https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html. MiniStack takes a body that is none for an empty one.
"""

import json
from collections.abc import Iterator

from ministack.services import scheduler

from ..constraints import MistypedError, broken, detected, violation, wire
from ..contract import Contract
from ..json_requests import violations
from ..lambda_ import model
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (scheduler, "_error"): ("status", "code", "message"),
    (scheduler, "handle_request"): ("method", "path", "headers", "body_bytes", "query_params"),
}

SERVICE = "scheduler"


def install() -> None:
    """Let MiniStack get what the model allows. Call once, before it serves."""
    handle = scheduler.handle_request

    async def handled(method: str, path: str, headers: Record, body: bytes, query: Record) -> Answer:
        refused = refusal(method, path, headers, body, query)
        answer: Answer = (
            scheduler._error(400, *refused) if refused else await handle(method, path, headers, body, query)
        )
        return answer

    scheduler.handle_request = handled


def refusal(method: str, path: str, headers: Record, body: bytes, query: Record) -> tuple[str, str] | None:
    """Error code and message for a request; None where the model allows it, or knows nothing there."""
    found = model.found_at(method, path, query, SERVICE)
    if found is None or not found.operation.input:
        return None
    try:
        sent = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return "SerializationException", "The request is no JSON."
    if not isinstance(sent, dict):
        return "SerializationException", "Unexpected field type"
    members, name = model.members_of(found, headers, sent, query), found.operation.input
    try:
        wrong = list(violations(model.read(SERVICE)["shapes"], name, members, ""))
    except MistypedError as error:
        return "SerializationException", str(error)
    wrong += _of_texts(name, members)
    return ("ValidationException", detected(*wrong)) if wrong else None


def _of_texts(name: str, members: Record) -> Iterator[str]:
    """What is wrong with texts that stand in the path and in the query."""
    for member, reference in model.shape(name, SERVICE)["members"].items():
        if "location" in reference and isinstance(value := members.get(member), str):
            for must in broken(model.shape(reference["shape"], SERVICE), value):
                yield violation(value, wire(member), must)
