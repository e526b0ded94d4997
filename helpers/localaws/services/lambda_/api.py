"""A request to Lambda's API before and after MiniStack has it: refused where AWS's model says so, answered as by AWS.

Names of functions may be ARNs, whole or in part (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html).
Here they become names, as MiniStack knows one of the forms alone. The words are AWS's, as localstack recorded
them in November 2025 (TestLambdaFunction).
"""

import contextvars
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..request import raw_target
from ..shapes import Answer, Record
from . import absent as lambda_absent
from . import model, quotas, validation
from .errors import invalid_parameter
from .model import Found

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "handle_request"): ("method", "path", "headers", "body", "query_params"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
}

REFERENCE = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[a-zA-Z0-9-_.]+)(?::(?P<qualifier>[a-zA-Z0-9-_$.]+))?"
)
# Operations that take a function alone, and none of its versions or aliases.
OF_FUNCTIONS = ("PutFunctionConcurrency",)
# Operations whose body names a function
NAMING = ("CreateEventSourceMapping", "CreateFunction", "UpdateEventSourceMapping")

# The beginning of messages that come without a Type
UNTYPED = ("Specified ReservedConcurrentExecutions", "ReservedConcurrentExecutions")

# What is said to a request before MiniStack has it, of its members; None where MiniStack may have it.
Reply = Callable[[Record], Answer | None]
# What makes the answer of an operation AWS's: of the members of the request and those of the answer.
Shaping = Callable[[Record, Record], Record]

# Whether Lambda's API is asked; CloudFormation uses the same functions of MiniStack without a request.
asked: contextvars.ContextVar[bool] = contextvars.ContextVar("asked", default=False)


class Routed(str):
    """A path in which MiniStack finds the words by which it tells operations where the operation has them.

    It would find them in names, too: /functions/url-shortener has "/url".
    """

    uri: str

    def __new__(cls, path: str, found: Found) -> "Routed":
        made = super().__new__(cls, unquote(path))
        made.uri = found.operation.uri
        return made

    def __contains__(self, word: str) -> bool:  # type: ignore[override]
        return word in self.uri


def install(replies: dict[str, list[Reply]], shapings: dict[str, Shaping]) -> None:
    """Let MiniStack get what is valid alone, and shape its answers. Call once, after what else handles requests.

    `replies` are asked one after another, by the name of the operation, in which a function is named by its name and
    `Qualifier` alone.
    """
    handle_request = lambda_svc.handle_request

    async def handle(method: str, path: str, headers: Record, body: bytes, query_params: Record) -> Answer:
        found = model.found_at(method, _as_sent(path), query_params)
        if found is None:
            unknown: Answer = await handle_request(method, path, headers, body, query_params)
            return unknown
        answer: Answer | None
        operation = found.operation.name
        inline = _parsed(body) if "payload" not in _input(found) else {}
        members = model.members_of(found, headers, inline, query_params)
        answer = lambda_absent.operation(operation) or _invalid(found, members, inline) or _unreachable(found, members)
        if answer is None:
            path, members = _named(found, path, members)
            answer = next(filter(None, (reply(members) for reply in replies.get(operation, ()))), None)
        if answer is None:
            asked.set(True)
            changed = json.dumps(members).encode() if operation in NAMING else body
            answer = await handle_request(method, Routed(path, found), headers, changed, query_params)
        return _shaped(answer, members, shapings.get(operation))

    lambda_svc.handle_request = handle


def _as_sent(path: str) -> str:
    """A path as its sender wrote it: a name may hold a slash, %2F, and is then refused for that."""
    raw, _ = raw_target.get()
    return raw if unquote(raw) == path else path


def refusal(operation: str, members: Record, replies: Iterable[Reply]) -> Answer | None:
    """AWS's refusal of an operation with these members, for who asks without a request."""
    refused = _invalid(model.named(operation), members, {})
    return refused or next(filter(None, (reply(members) for reply in replies)), None)


def _input(found: Found) -> Record:
    return model.shape(found.operation.input) if found.operation.input else {}


def _parsed(body: bytes) -> Any:
    """A body of JSON as a value; None where it is none, or null."""
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return None


def _invalid(found: Found, members: Record, inline: Any) -> Answer | None:
    """AWS's refusal of members that its model does not allow, or whose values go beyond quotas."""
    refused = None
    if inline is None:
        refused = "InvalidRequestContentException", "Could not parse request body into json."
    elif not isinstance(inline, dict):
        refused = "SerializationException", "Unexpected field type"
    refused = refused or validation.refusal(found, members)
    if refused is None and found.operation.name in ("CreateFunction", "UpdateFunctionConfiguration"):
        if absent := lambda_absent.configured(members):
            return absent
        refused = quotas.refusal(members)
    return _error(*refused, 400) if refused else None


def _unreachable(found: Found, members: Record) -> Answer | None:
    """AWS's refusal of a function of another region or account, or that is named in two ways that do not agree."""
    match = REFERENCE.fullmatch(members.get("FunctionName", ""))
    if match is None or found.operation.name in ("CreateEventSourceMapping", "UpdateEventSourceMapping"):
        return None
    region, qualifier = responses.get_region(), members.get("Qualifier")
    if match["region"] and match["region"] != region:
        message = f"Functions from '{match['region']}' are not reachable in this region ('{region}')"
        return _error("ResourceNotFoundException", message, 404)
    if match["account"] and match["account"] != responses.get_account_id():
        return _error("AccessDeniedException", None, 403)
    if match["qualifier"] and qualifier and qualifier != match["qualifier"]:
        return invalid_parameter("The derived qualifier from the function name does not match the specified qualifier.")
    if match["qualifier"] and found.operation.name in OF_FUNCTIONS:
        return invalid_parameter(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return None


def _named(found: Found, path: str, members: Record) -> tuple[str, Record]:
    """Path and members with the function's name instead of its ARN, and its qualifier for itself."""
    match = REFERENCE.fullmatch(members.get("FunctionName", ""))
    if match is None or found.operation.name == "ListEventSourceMappings":
        return path, members
    if found.operation.name.endswith("EventSourceMapping"):  # the whole ARN, with the qualifier
        arn = lambda_svc._func_arn(match["name"]) + (f":{match['qualifier']}" if match["qualifier"] else "")
        is_own = match["account"] in (None, responses.get_account_id())
        return path, {**members, "FunctionName": arn} if is_own else members
    named = {**members, "FunctionName": match["name"]}
    if match["qualifier"]:
        named["Qualifier"] = match["qualifier"]
    if "FunctionName" in found.labels and match["name"] != members["FunctionName"]:
        before, _, after = path.partition("/functions/")
        rest = after.partition("/")[2]
        qualified = match["name"] + (f":{match['qualifier']}" if match["qualifier"] else "")
        path = f"{before}/functions/{quote(qualified, safe=':$')}{'/' * bool(rest)}{rest}"
    return path, named


def _shaped(answer: Answer, members: Record, shaping: Shaping | None) -> Answer:
    """An answer of MiniStack's with the members that AWS's has."""
    status, headers, body = answer
    if not isinstance(body, bytes) or (status < 400 and shaping is None):
        return answer
    told = _parsed(body)
    if not isinstance(told, dict):
        return answer
    if status < 400:
        assert shaping
        return status, headers, json.dumps(shaping(members, told), ensure_ascii=False).encode()
    if "__type" not in told:
        return answer
    told_headers = {name: value for name, value in headers.items() if name != "Retry-After"}  # AWS does not say it
    return status, {"x-amzn-errortype": told["__type"], **told_headers}, json.dumps(_as_error(told)).encode()


def _as_error(told: Record) -> Record:
    """The members of an error: Type and Message, or message, and others, as the model of the exception has them."""
    try:
        members = model.shape(told["__type"])["members"]
    except KeyError:  # as of ValidationException, which the model does not have
        members = {}
    key = "Message" if "Message" in members else "message"
    untyped = str(told.get("message")).lstrip().startswith(UNTYPED)
    given = {**({} if untyped else {"Type": "User"}), key: told.get("message", told.get("Message")), **told}
    in_body = [name for name, member in members.items() if name in given and "location" not in member]
    return {name: given[name] for name in in_body or [key]}


def _error(code: str, message: str | None, status: int) -> Answer:
    answer: Answer = responses.error_response_json(code, message, status)
    return answer
