"""What a function returns, or streams, as the HTTP response of its function URL.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html: an object with a `statusCode` is a response of
payload format 2.0, anything else is the body of one. Recorded on AWS (localstack, test_lambda_url_invocation): JSON is
written anew without spaces, and text goes out as it is. Of a stream the metadata come first, as JSON, and then 8 bytes
of zero: https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from ..shapes import Record

HTTP_RESPONSE = "application/vnd.awslambda.http-integration-response"
END_OF_METADATA = bytes(8)
MAX_METADATA_BYTES = 2**20  # what has no end by then is none
JSON = "application/json"
STATUS = re.compile(r"[1-5][0-9]{2}")
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
VALUE = re.compile(r"[\t -~\x80-\xff]*")
# AWS's front end says these itself; what a function says of them comes under another name
OWN = ("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "x-amzn-requestid")


class InvalidResponse(ValueError):
    """Something that is no HTTP response."""


@dataclass
class Response:
    """Status, headers and body of an answer; `headers` has lists where a header comes several times."""

    status: int = 200
    headers: Record = field(default_factory=dict)
    body: bytes = b""


def from_result(payload: bytes) -> Response:
    """The response for what a function has returned, or streamed to who waits for all of it. Raises InvalidResponse."""
    metadata, end, body = payload.partition(END_OF_METADATA)
    if end:
        return from_metadata(metadata, body)
    try:
        result = json.loads(payload)
    except (ValueError, RecursionError):  # a custom runtime may answer with anything
        return Response(headers={"Content-Type": JSON}, body=payload)
    if isinstance(result, dict) and "statusCode" in result:
        return _described(result, _body(result), JSON)
    return Response(headers={"Content-Type": JSON}, body=_text(result))


def from_metadata(metadata: bytes, body: bytes = b"") -> Response:
    """The response whose status, headers and cookies a stream begins with. Raises InvalidResponse."""
    try:
        described = json.loads(metadata)
    except (ValueError, RecursionError) as error:
        raise InvalidResponse("The metadata are no JSON.") from error
    if not isinstance(described, dict):
        raise InvalidResponse("The metadata are no object.")
    return _described(described, body, "application/octet-stream")


def _described(described: Record, body: bytes, content_type: str) -> Response:
    status = described.get("statusCode", 200)
    if isinstance(status, bool) or not isinstance(status, int | str) or not STATUS.fullmatch(str(status)):
        raise InvalidResponse("There is no such status.")
    headers, cookies = described.get("headers") or {}, described.get("cookies") or []
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise InvalidResponse("Headers are an object, and cookies a list.")
    made: Record = {}
    for name, value in headers.items():
        if value is not None:
            made[_own_name(name)] = _header(name, value)
    if cookies:
        made = {name: value for name, value in made.items() if name.lower() != "set-cookie"}
        made["Set-Cookie"] = [_header("Set-Cookie", cookie) for cookie in cookies]
    if not any(name.lower() == "content-type" for name in made):
        made["Content-Type"] = content_type
    return Response(int(status), made, body)


def _own_name(name: str) -> str:
    return f"x-amzn-Remapped-{name}" if name.lower() in OWN else name


def _header(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, dict | list) or not NAME.fullmatch(name) or not VALUE.fullmatch(text):
        raise InvalidResponse("A header is text.")
    return text


def _body(result: Record) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if result.get("isBase64Encoded") is not True:
        return _text(body)
    try:
        return base64.b64decode(body, validate=True)
    except (ValueError, TypeError) as error:
        raise InvalidResponse("The body is not in base64.") from error


def _text(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")
