"""ClientContext of Invoke: what AWS refuses of it.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-ClientContext, which has its largest
size. The words for what cannot be read are those that many programs quote which call it; those for the size are ours.
"""

import base64
import json

from ministack.core import responses

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type")
}

LARGEST = 3583  # bytes, in base64
TOO_LARGE = f"Client context must have {LARGEST} bytes of Base64 at most."
UNREADABLE = "Client context must be a valid Base64-encoded JSON object."


def unreadable(members: Record) -> Answer | None:
    """AWS's refusal of what is no object of JSON in base64, or a large one."""
    given = members.get("ClientContext")
    if not given:
        return None
    if len(given) > LARGEST:
        return _refused(TOO_LARGE)
    try:
        context = json.loads(base64.b64decode(given, validate=True))
    except (ValueError, RecursionError):
        context = None
    return None if isinstance(context, dict) else _refused(UNREADABLE)


def _refused(message: str) -> Answer:
    refused: Answer = responses.error_response_json("InvalidRequestContentException", message, 400)
    return refused
