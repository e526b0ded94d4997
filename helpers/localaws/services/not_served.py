"""Services and operations that are not here: one sentence that names them, in the form that the caller's SDK reads.

MiniStack answers in words of its own, for which most SDKs have no place, so that nobody reads them.
https://smithy.io/2.0/aws/protocols/ says how each protocol of AWS tells an error.
"""

import gzip
import importlib.util
import json
import re
import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ministack import app as ministack_app
from ministack.core import router

from .contract import Contract
from .iam.request import lambda_action
from .shapes import Answer

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (ministack_app, "SERVICE_HANDLERS"): None,
    (ministack_app, "_dispatch_service_request"): ("method", "path", "headers", "body", "query_params", "request_id"),
    (ministack_app, "_routing_params"): ("method", "path", "headers", "body", "query_params"),
    (router, "SERVICE_PATTERNS"): None,
    (router, "detect_service"): ("method", "path", "headers", "query_params"),
}

STATUS = 501  # which SDKs do not try again
SCOPE = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")
OTHER_SCOPES = {"execute-api": "apigateway"}  # services whose signatures have another name than MiniStack's
XML_SERVICES = frozenset(("s3", "cloudfront", "route53"))
# How MiniStack's services say that they do not know an operation.
UNKNOWN = re.compile(
    rb"Unknown (?:[\w ]+ )?(?:action|operation|path|route):|The action \w+ is not valid for this|Function not found: /"
)
IN_CBOR = re.compile(r"/service/[^/]+/operation/([^/]+)$")  # the path of an operation in CBOR
METADATA_BYTES = 2048  # at the beginning of a model, where the names are


def install() -> None:
    """Let MiniStack say what it does not have. Call once, before it serves, and before ways.install()."""
    dispatch = ministack_app._dispatch_service_request

    async def dispatched(
        method: str, path: str, headers: Any, body: bytes, query_params: Any, request_id: str
    ) -> Answer:
        scope = scope_of(headers, query_params)
        parameters = ministack_app._routing_params(method, path, headers, body, query_params)
        service = router.detect_service(method, path, headers, parameters)

        def wanted() -> Wanted:  # looked at only where it is refused
            return Wanted(method, path, headers, parameters, scope)

        if "cbor" in headers.get("smithy-protocol", ""):  # MiniStack takes it for an empty request
            return wanted().refused(f"The embedded AWS reads no CBOR; let the client of {name_of(scope)} send JSON.")
        if scope and not _is_here(scope, service):
            return wanted().refused(f"The embedded AWS does not have {name_of(scope)}.")
        if target := _foreign_target(headers, service):
            return wanted().refused(f"{name_of(scope)} has no operation {target}.", "UnknownOperationException", 400)
        answer: Answer = await dispatch(method, path, headers, body, query_params, request_id)
        if answer[0] >= 400 and isinstance(answer[2], bytes) and UNKNOWN.search(answer[2]):
            asked = wanted()
            return asked.refused(f"The embedded AWS does not have {asked.operation} of {name_of(scope)}.")
        return answer

    ministack_app._dispatch_service_request = dispatched


def scope_of(headers: Any, query: Any) -> str:
    """The service that a request is signed for."""
    found = SCOPE.search(headers.get("authorization", ""))
    if found:
        return found[1]
    parts = str((query.get("X-Amz-Credential") or [""])[0]).split("/")
    return parts[3] if len(parts) == 5 else ""


def _is_here(scope: str, detected: str) -> bool:
    handlers = ministack_app.SERVICE_HANDLERS
    return detected in handlers and OTHER_SCOPES.get(scope, scope) in handlers


def _foreign_target(headers: Any, service: str) -> str:
    """The target of a request that is none of the service's: MiniStack reads its end alone."""
    target = str(headers.get("x-amz-target", ""))
    prefixes = router.SERVICE_PATTERNS.get(service, {}).get("target_prefixes")
    return target if target and prefixes and not target.startswith(tuple(prefixes)) else ""


class Wanted:
    """What a request asks for, and the form in which its sender reads an error."""

    def __init__(self, method: str, path: str, headers: Any, parameters: Any, scope: str) -> None:
        self._headers, self._scope = headers, scope
        target, action = headers.get("x-amz-target", ""), str((parameters.get("Action") or [""])[0])
        in_cbor = IN_CBOR.search(path) if "cbor" in headers.get("smithy-protocol", "") else None
        self._is_query, self._is_cbor = bool(action) and not target, in_cbor is not None
        self.operation = target.rpartition(".")[2] or (in_cbor[1] if in_cbor else action)
        if scope == "lambda":
            self.operation = lambda_action(method, path, parameters).partition(":")[2]
        self.operation = self.operation or f"{method} {path}"

    def refused(self, message: str, code: str = "NotImplemented", status: int = STATUS) -> Answer:
        if self._is_cbor:
            body = b"\xa2" + b"".join(map(_in_cbor, ("__type", code, "message", message)))
            return status, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, body
        if self._is_query or self._scope in XML_SERVICES:
            return status, {"Content-Type": "text/xml"}, self._in_xml(message, code, status).encode()
        told = {"__type": code, "message": message}
        kind = self._headers.get("content-type") or "application/json"
        return status, {"Content-Type": kind, "x-amzn-errortype": code}, json.dumps(told).encode()

    def _in_xml(self, message: str, code: str, status: int) -> str:
        error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
        identifier = f"<RequestId>{uuid.uuid4()}</RequestId>"
        if self._scope == "s3":
            return f"<Error>{error}{identifier}</Error>"
        if self._scope == "ec2":
            return f"<Response><Errors><Error>{error}</Error></Errors>{identifier}</Response>"
        whose = "Receiver" if status == 500 else "Sender"
        return f"<ErrorResponse><Error><Type>{whose}</Type>{error}</Error>{identifier}</ErrorResponse>"


def _in_cbor(text: str) -> bytes:
    """A text of fewer than 2**16 bytes: https://www.rfc-editor.org/rfc/rfc8949.html#section-3.1, major type 3."""
    content = text.encode()
    return b"\x79" + len(content).to_bytes(2, "big") + content


def name_of(scope: str) -> str:
    """The service that is signed for by this name, as AWS calls it in full."""
    return _names().get(scope, scope)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """The full names of all services in botocore's models, by the name for which requests are signed."""
    (folder,) = importlib.util.find_spec("botocore").submodule_search_locations  # type: ignore[union-attr,misc]
    names: dict[str, str] = {}
    for file in sorted(Path(folder, "data").glob("*/*/service-2.json*")):
        head = _head(file)
        told: dict[str, str] = dict(re.findall(r'"(signingName|endpointPrefix|serviceFullName)"\s*:\s*"([^"]*)"', head))
        scope, service = told.get("signingName") or told.get("endpointPrefix", ""), file.parents[1].name
        if scope not in names or service == scope:  # of several, the one that has this name itself
            names[scope] = told["serviceFullName"]
    return names


def _head(file: Path) -> str:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as model:
        head: bytes = model.read(METADATA_BYTES)
    return head.decode(errors="ignore")
