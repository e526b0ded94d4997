"""Refuses what S3 does not allow: keys that are too long, copies that change nothing, and pages that cannot be.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html, API_CopyObject.html and API_ListObjectsV2.html.
MiniStack takes them, and lists more than a thousand keys at once, or none and says that there are more.
"""

import base64
import re
from urllib.parse import unquote

from ministack.services import s3

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (s3, "_collect_list_entries"): ("bucket_objects", "prefix", "delimiter", "max_keys", "start_after"),
    (s3, "_dispatch"): ("method", "bucket", "key", "headers", "body", "query_params"),
    (s3, "_error"): ("code", "message", "status", "resource", "extra", "headers"),
    (s3, "_qp"): ("params", "key", "default"),
}

MAX_KEY_BYTES = 1024
MOST_KEYS = 1000  # of a page
NUMBER = re.compile(r"\d{1,10}", re.ASCII)
MAX_KEYS = "Argument maxKeys must be an integer between 0 and 2147483647"
NO_TOKEN = "The continuation token provided is incorrect"
# The headers that make another object of a copy to the same place.
CHANGES = ("x-amz-storage-class", "x-amz-website-redirect-location")
ENCRYPTS = "x-amz-server-side-encryption"
NO_CHANGE = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)


def install() -> None:
    """Let MiniStack get what S3 allows. Call once, before it serves."""
    dispatch, collect = s3._dispatch, s3._collect_list_entries

    def dispatched(method: str, bucket: str, key: str, headers: Record, body: bytes, query_params: Record) -> Answer:
        refused = _refusal(method, bucket, key, headers, query_params)
        if refused is None and not key and s3._qp(query_params, "max-keys"):
            most = min(int(s3._qp(query_params, "max-keys")), MOST_KEYS)
            query_params = {**query_params, "max-keys": [str(most)]}
        answer: Answer = refused or dispatch(method, bucket, key, headers, body, query_params)
        return answer

    def collected(objects: Record, prefix: str, delimiter: str, max_keys: int, start: str) -> tuple[object, ...]:
        found: tuple[object, ...] = collect(objects, prefix, delimiter, max_keys, start)
        return found if max_keys else ([], set(), False, "")

    s3._dispatch = dispatched
    s3._collect_list_entries = collected


def _refusal(method: str, bucket: str, key: str, headers: Record, query_params: Record) -> Answer | None:
    if (size := len(key.encode("utf-8", "surrogatepass"))) > MAX_KEY_BYTES:
        sizes = {"Size": str(size), "MaxSizeAllowed": str(MAX_KEY_BYTES)}
        return _error("KeyTooLongError", "Your key is too long", sizes)
    if method == "PUT" and "partNumber" not in query_params and _changes_nothing(bucket, key, headers):
        return _error("InvalidRequest", NO_CHANGE)
    if method != "GET" or not bucket or key:
        return None
    most = s3._qp(query_params, "max-keys")
    if most and not (NUMBER.fullmatch(most) and int(most) < 2**31):
        return _error("InvalidArgument", MAX_KEYS, {"ArgumentName": "maxKeys", "ArgumentValue": most})
    token = s3._qp(query_params, "continuation-token")
    if s3._qp(query_params, "list-type") == "2" and token and not _is_token(token):
        return _error("InvalidArgument", NO_TOKEN, {"ArgumentName": "continuation-token"})
    return None


def _changes_nothing(bucket: str, key: str, headers: Record) -> bool:
    """Whether a request copies an object to its own place, and changes nothing by that."""
    source = headers.get("x-amz-copy-source", "")
    if unquote(source).lstrip("/") != f"{bucket}/{key}":  # a version of it has ?versionId=
        return False
    replaces = headers.get("x-amz-metadata-directive", "").upper() == "REPLACE"
    return not (replaces or any(name in CHANGES or name.startswith(ENCRYPTS) for name in headers))


def _is_token(token: str) -> bool:
    """Whether it is one of MiniStack's: the last key of the page before."""
    try:
        return bool(base64.b64decode(token, validate=True).decode())
    except ValueError:
        return False


def _error(code: str, message: str, extra: dict[str, str] | None = None) -> Answer:
    answer: Answer = s3._error(code, message, 400, extra=extra)
    return answer
