"""Lambda's refusals that several of its features have, in AWS's words.

https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html, and "Errors" of each operation.
"""

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_func_arn"): ("name",),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
}


def invalid_parameter(message: str) -> Answer:
    """What AWS refuses, and what neither of us does: better an error than a made-up success."""
    return _error("InvalidParameterValueException", message, 400)


def not_found(message: str) -> Answer:
    return _error("ResourceNotFoundException", message, 404)


def function_not_found(name: str, qualifier: str | None = None) -> Answer:
    """Of a function that is not there, or that has no such version."""
    return not_found(f"Function not found: {lambda_svc._func_arn(name)}{':' if qualifier else ''}{qualifier or ''}")


def conflict(message: str) -> Answer:
    return _error("ResourceConflictException", message, 409)


def stale_revision(operations: str) -> Answer:
    """Of a change to what is another one than its caller has seen; `operations` tell its revision."""
    return _error(
        "PreconditionFailedException",
        f"The Revision Id provided does not match the latest Revision Id. Call the {operations} API to retrieve the "
        "latest Revision Id",
        412,
    )


def _error(code: str, message: str, status: int) -> Answer:
    answer: Answer = responses.error_response_json(code, message, status)
    return answer
