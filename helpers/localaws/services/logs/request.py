"""What the operations of CloudWatch Logs share: which log group is meant, what its members may be, how it is refused.

The words are AWS's own where they are known: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/.
"""

import base64
import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch_logs

from ..constraints import detected, violation
from ..contract import Contract
from ..shapes import Answer, Record
from .filter_pattern import FilterPattern, InvalidPattern, compiled

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "handle_request"): ("method", "path", "headers", "body", "query_params"),
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_log_group_name_from_identifier_arn"): ("identifier",),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "json_response"): ("data", "status", "content_type"),
}

MAX_PATTERN = 1024
INVALID, MISSING = "InvalidParameterException", "ResourceNotFoundException"


class Refused(Exception):
    """What a request asks for is refused: with the code, the message, the status and more members of AWS's error."""

    def __init__(self, message: str, code: str = INVALID, status: int = 400, extra: Record | None = None) -> None:
        super().__init__(message)
        self.code, self.status, self.extra = code, status, extra


def operation(answer: Callable[[Record], Record]) -> Callable[[Record], Answer]:
    """What MiniStack takes for an operation, of a function that answers the members of a request or raises Refused."""

    @functools.wraps(answer)
    def answered(data: Record) -> Answer:
        try:
            done: Answer = responses.json_response(answer(data))
        except Refused as refused:
            done = refusal(refused)
        return done

    return answered


def refusal(refused: Refused) -> Answer:
    answer: Answer = responses.error_response_json(refused.code, str(refused), refused.status, refused.extra)
    return answer


def add_operation(name: str, answer: Callable[[Record], Record]) -> None:
    """Let MiniStack have an operation that it does not know. Call once for each, before it serves."""
    handle, answered = cloudwatch_logs.handle_request, operation(answer)

    async def handled(method: str, path: str, headers: Record, body: bytes, query_params: Record) -> Any:
        if headers.get("x-amz-target", "").endswith(f".{name}"):
            try:
                data = json.loads(body or b"{}")
            except ValueError:
                return responses.error_response_json("SerializationException", "Invalid JSON", 400)
            return answered(data)
        return await handle(method, path, headers, body, query_params)

    cloudwatch_logs.handle_request = handled


def log_group(data: Record) -> tuple[str, Record]:
    """The name of the log group that a request is about, and MiniStack's record of it."""
    name, identifier = data.get("logGroupName"), data.get("logGroupIdentifier")
    if bool(name) == bool(identifier):
        raise Refused("You must include one of logGroupName and logGroupIdentifier, but not both.")
    name = name or cloudwatch_logs._log_group_name_from_identifier_arn(identifier) or identifier
    group: Record | None = cloudwatch_logs._log_groups.get(name)
    if group is None:
        raise Refused("The specified log group does not exist.", MISSING)
    return str(name), group


def log_stream(group: Record, name: str | None) -> Record:
    stream: Record | None = group["streams"].get(name)
    if stream is None:
        raise Refused("The specified log stream does not exist.", MISSING)
    return stream


def constraint(member: str, value: object, must: str) -> Refused:
    return Refused(detected(violation(value, member, must)))


def limit(data: Record, most: int) -> int:
    """How many items are wanted at most."""
    value: int = data.get("limit", most)
    if value < 1:
        raise constraint("limit", value, "have value greater than or equal to 1")
    if value > most:
        raise constraint("limit", value, f"have value less than or equal to {most}")
    return value


def filter_pattern(pattern: str, member: str) -> FilterPattern:
    """A filter pattern that a member of a request has."""
    if len(pattern) > MAX_PATTERN:
        raise constraint(member, pattern, f"have length less than or equal to {MAX_PATTERN}")
    try:
        return compiled(pattern)
    except InvalidPattern as invalid:
        raise Refused(str(invalid)) from None


def token(*content: Any) -> str:
    """A token for the next page, which says this."""
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def content_of(token: str) -> list[Any]:
    """What a token says, as a list; not_ours() where it is none."""
    try:
        content = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars="-_", validate=True))
    except ValueError:
        raise not_ours() from None
    if not isinstance(content, list):
        raise not_ours()
    return content


def not_ours() -> Refused:
    return Refused("The specified nextToken is invalid.")
