"""ClientContext of Invoke: what AWS refuses of it.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-ClientContext. The words are those
that many programs quote which call it.
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

UNREADABLE = "Client context must be a valid Base64-encoded JSON object."


def unreadable(members: Record) -> Answer | None:
    """AWS's refusal of what is no object of JSON in base64."""
    given = members.get("ClientContext")
    if not given:
        return None
    try:
        context = json.loads(base64.b64decode(given, validate=True))
    except (ValueError, RecursionError):
        context = None
    if isinstance(context, dict):
        return None
    refused: Answer = responses.error_response_json("InvalidRequestContentException", UNREADABLE, 400)
    return refused
