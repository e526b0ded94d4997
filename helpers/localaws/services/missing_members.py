"""Refuses requests to SQS or SNS that lack a member, in AWS's words, which differ from those of other services.

SQS: MissingParameter of https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html, in
words as https://github.com/localstack/localstack/issues/12317 has them from AWS. SNS: InvalidParameter for an ARN, see
https://github.com/sul-dlss/dlme/issues/432; for other members the sentence of all services, for want of a recording.
MiniStack takes what is missing for what is empty. SDKs that check nothing themselves send such requests.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from ministack.services import sns, sqs

from .constraints import detected, violation, wire
from .contract import Contract
from .lambda_ import model
from .shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (sns, "_error"): ("code", "message", "status"),
    (sns, "handle_request"): ("method", "path", "headers", "body", "query_params"),
    (sqs, "_Err"): ("code", "message", "status"),
    (sqs, "_dispatch"): ("action", "data", "qurl"),
}

NOTHING: tuple[Any, ...] = (None, "", [], {})
OTHERWISE = ("Entries",)  # a batch without entries is one that is empty, which has an error of its own
NAMES = {"Attributes": "Attribute.Name"}  # as SQS calls it
ARNS = ("TopicArn", "SubscriptionArn")
TARGETS = ("TopicArn", "TargetArn", "PhoneNumber")  # of Publish, which needs one of them


def install() -> None:
    """Let MiniStack get requests that have what they need. Call once, before it serves."""
    dispatch, handle_request = sqs._dispatch, sns.handle_request

    async def dispatched(action: str, data: Record, qurl: str) -> Record:
        for member in _required("sqs", action):
            if (qurl if member == "QueueUrl" else data.get(member)) in NOTHING and member not in OTHERWISE:
                needed = NAMES.get(member, member)
                raise sqs._Err("MissingParameter", f"The request must contain the parameter {needed}.")
        answer: Record = await dispatch(action, data, qurl)
        return answer

    async def handle(method: str, path: str, headers: Record, body: bytes, query_params: Record) -> Answer:
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True) if method == "POST" else {}
        refused = of_sns({**query_params, **form})
        answer: Answer
        if refused:
            answer = sns._error(*refused, 400)
        else:
            answer = await handle_request(method, path, headers, body, query_params)
        return answer

    sqs._dispatch = dispatched
    sns.handle_request = handle


def of_sns(parameters: Record) -> tuple[str, str] | None:
    """Error code and message for a request with these parameters, of the Query protocol; None if nothing is missing."""
    action = str((parameters.get("Action") or [""])[0])
    given = {name.partition(".")[0] for name in parameters}  # the members of a list are Name.member.1
    valued = {name for name in given if parameters.get(name) != [""]}
    required = [*_required("sns", action)]
    if missing := [member for member in required if member not in ARNS and member not in given]:
        return "ValidationError", detected(*(violation(None, wire(member), "not be null") for member in missing))
    needed = next((member for member in required if member in ARNS and member not in valued), None)
    if action == "Publish" and valued.isdisjoint(TARGETS):
        needed = "TopicArn or TargetArn"
    elif action == "Publish" and "Message" not in valued:
        return "InvalidParameter", "Invalid parameter: Empty message"
    return (
        ("InvalidParameter", f"Invalid parameter: {needed} Reason: no value for required parameter") if needed else None
    )


def _required(service: str, operation: str) -> Iterator[str]:
    """The members that AWS's model of an operation requires."""
    told = model.read(service)
    shape = (told["operations"].get(operation) or {}).get("input")
    yield from told["shapes"][shape["shape"]].get("required", ()) if shape else ()
