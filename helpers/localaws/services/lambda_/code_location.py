"""Where the code of a function and of a layer is: an address with a signature of ours, valid for ten minutes as AWS's.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
"""

import hmac
import re
import secrets
import time
from hashlib import sha256

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_layer_content_url"): ("layer_name", "version"),
    (lambda_svc, "_presigned_code_url"): ("func_name",),
    (lambda_svc, "serve_function_code"): ("func_name", "account_id", "region"),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
}

PATH = re.compile(r"/_ministack/lambda-(?:code|layers)/")
VALID_S = 600
_secret = secrets.token_bytes()


def install(endpoint: str) -> None:
    """Let MiniStack hand out such addresses at `endpoint`. Call once, before it serves."""

    def of_code(func_name: str) -> str:
        return _signed(endpoint, f"/_ministack/lambda-code/{_scope()}/{func_name}")

    def of_layer(layer_name: str, version: int) -> str:
        return _signed(endpoint, f"/_ministack/lambda-layers/{_scope()}/{layer_name}/{version}/content")

    serve = lambda_svc.serve_function_code

    def serve_code(func_name: str, account_id: str | None = None, region: str | None = None) -> Answer:
        name, _, version = func_name.partition(":")
        found = (lambda_svc._functions.get_scoped(account_id, region, name) or {}).get("versions", {}).get(version)
        answer: Answer = serve(name, account_id, region)
        return (200, {"Content-Type": "application/zip"}, found["code_zip"]) if found else answer

    lambda_svc.serve_function_code = serve_code
    lambda_svc._presigned_code_url = of_code
    lambda_svc._layer_content_url = of_layer


def is_valid(path: str, query: dict[str, list[str]]) -> bool:
    """Whether we handed out this address, and not long ago."""
    if not PATH.match(path):
        return False
    date, signature = (query.get(name, [""])[0] for name in ("X-Amz-Date", "X-Amz-Signature"))
    is_ours = hmac.compare_digest(signature.encode(), _signature(path, date).encode())
    return is_ours and time.time() < int(date) + VALID_S


def _scope() -> str:
    return f"{responses.get_account_id()}/{responses.get_region()}"


def _signed(endpoint: str, path: str) -> str:
    date = str(int(time.time()))
    return f"{endpoint}{path}?X-Amz-Date={date}&X-Amz-Expires={VALID_S}&X-Amz-Signature={_signature(path, date)}"


def _signature(path: str, date: str) -> str:
    return hmac.new(_secret, f"{path} {date}".encode(), sha256).hexdigest()
