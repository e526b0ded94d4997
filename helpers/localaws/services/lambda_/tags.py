"""Tags of functions and event source mappings: what AWS refuses of them.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html. The words are AWS's, as localstack recorded them
in November 2025 (TestLambdaTags, TestLambdaTag); those about the prefix are what other services of AWS say of it.
"""

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import invalid_parameter

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_esms"): None,
    (lambda_svc, "_functions"): None,
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
}

MOST = 50
KINDS = {
    "capacity-provider": "Capacity provider",
    "code-signing-config": "Code signing config",
    "event-source-mapping": "Event source mapping",
    "function": "Function",
    "layer": "Layer",
}


def of_new(members: Record) -> Answer | None:
    """AWS's refusal of the tags of what is being made."""
    return _refusal({}, members.get("Tags") or {})


def unknown(members: Record) -> Answer | None:
    """AWS's refusal to look at or change the tags of what is not there, or has none."""
    arn = members["Resource"]
    kind, name, *qualifier = arn.split(":")[5:]
    if kind == "function" and qualifier:
        return invalid_parameter(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    records = {"function": lambda_svc._functions, "event-source-mapping": lambda_svc._esms}.get(kind, {})
    if name in records:
        return None
    answer: Answer = responses.error_response_json("ResourceNotFoundException", f"{KINDS[kind]} not found: {arn}", 404)
    return answer


def added(members: Record) -> Answer | None:
    """AWS's refusal of more tags for what has some."""
    if not members["Tags"]:
        return invalid_parameter("An error occurred and the request cannot be processed.")
    kind, name = members["Resource"].split(":")[5:7]
    record = lambda_svc._functions.get(name) if kind == "function" else lambda_svc._esms[name]
    return _refusal(record.get("tags") or record.get("Tags") or {}, members["Tags"])


def _refusal(present: dict[str, str], new: dict[str, str]) -> Answer | None:
    if len({**present, **new}) > MOST:
        return invalid_parameter("Number of tags exceeds resource tag limit.")
    if any(key.lower().startswith("aws:") for key in new):
        return invalid_parameter("aws: prefixed tag key names are not allowed for external use.")
    return None
