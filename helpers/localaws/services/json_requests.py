"""Requests in AWS's JSON protocol whose members are not what the service's model says: refused, and not stumbled over.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html. MiniStack takes what it gets. SDKs that check
nothing themselves, as the one for JavaScript, send whatever they are given. Lambda has lambda_/validation.py.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from ministack import app as ministack_app
from ministack.core import responses

from . import absent
from .constraints import MistypedError, broken, detected, mistyped, violation, wire
from .contract import Contract
from .lambda_ import model
from .shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (ministack_app, "_dispatch_service_request"): ("method", "path", "headers", "body", "query_params", "request_id"),
    (ministack_app, "_decompress_request_body"): ("body", "headers"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
}

# The services, by the beginning of their targets: the name of the model, and the code for what it does not allow.
SERVICES = {
    "AWSEvents": ("events", "ValidationException"),
    "AWSStepFunctions": ("stepfunctions", "ValidationException"),
    "DynamoDBStreams_20120810": ("dynamodbstreams", "ValidationException"),
    "DynamoDB_20120810": ("dynamodb", "ValidationException"),
    "GraniteServiceVersion20100801": ("cloudwatch", "ValidationError"),
    "Logs_20140328": ("logs", "InvalidParameterException"),
}
UNTYPED = {"AmazonSQS": "sqs"}  # that says in words of its own what is missing
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "blob": str,
    "character": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float, str),  # NaN and Infinity are strings
    "double": (int, float, str),
    "timestamp": (int, float, str),
    "structure": dict,
    "map": dict,
    "list": list,
}


def install() -> None:
    """Let MiniStack get what a model allows. Call once, before it serves, and before not_served.install()."""
    dispatch = ministack_app._dispatch_service_request

    async def dispatched(
        method: str, path: str, headers: Any, body: bytes, query_params: Any, request_id: str
    ) -> Answer:
        target = headers.get("x-amz-target", "")
        if target:  # boto3 compresses large requests of some; in S3's the header is about the object
            body = ministack_app._decompress_request_body(body, headers)
        answer: Answer
        if refused := refusal(target, body):
            answer = responses.error_response_json(*refused, 400)
        else:
            if b"null" in body and target.rpartition(".")[0] in (*SERVICES, *UNTYPED):
                body = json.dumps(_without_null(json.loads(body))).encode()
            answer = await dispatch(method, path, headers, body, query_params, request_id)
        return answer

    ministack_app._dispatch_service_request = dispatched


def _without_null(value: Any) -> Any:
    """The same, without members that are null, as if they were not there; so the protocol has it."""
    if isinstance(value, dict):
        return {name: _without_null(each) for name, each in value.items() if each is not None}
    return [_without_null(each) for each in value] if isinstance(value, list) else value


def _no_number(constant: str) -> NoReturn:
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(constant)


def refusal(target: str, body: bytes) -> tuple[str, str] | None:
    """Error code and message for a request with this target and body; None where the model allows it."""
    prefix, _, operation = target.rpartition(".")
    service, code = SERVICES.get(prefix) or (UNTYPED.get(prefix, ""), "")
    told = model.read(service)["operations"].get(operation) if service else None
    if told is None or "input" not in told:
        return None
    try:
        members = json.loads(body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        return "SerializationException", "The request is no JSON."
    try:
        wrong = list(violations(model.read(service)["shapes"], told["input"]["shape"], members, ""))
    except MistypedError as error:
        return "SerializationException", str(error)
    if wrong and code:
        return code, detected(*wrong)
    return absent.refusal(service, operation, members)


def violations(shapes: Record, name: str, value: Any, place: str) -> Iterator[str]:
    """Which members are missing in a value of this shape, which numbers are out of range, and which words unknown.

    Raises MistypedError where a member is of another type.
    """
    shape = shapes[name]
    kind = shape["type"]
    if kind == "structure" and shape.get("document"):
        return
    expected: Any = KINDS[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
        raise mistyped(value, kind)
    if kind == "structure":
        for member, reference in shape["members"].items():
            found, at = value.get(reference.get("locationName", member)), f"{place}.{wire(member)}".lstrip(".")
            if found is not None:
                yield from violations(shapes, reference["shape"], found, at)
            elif member in shape.get("required", ()):
                yield violation(None, at, "not be null")
    elif kind in ("list", "map"):
        element = shape["member" if kind == "list" else "value"]["shape"]
        each = enumerate(value, 1) if kind == "list" else value.items()
        for key, found in each:
            if found is not None:
                yield from violations(shapes, element, found, f"{place}.{key}.member")
            elif kind == "list":
                yield violation(None, f"{place}.{key}.member", "not be null")
    elif kind in ("integer", "long") or "enum" in shape:
        yield from (violation(value, place, must) for must in broken(shape, value))
