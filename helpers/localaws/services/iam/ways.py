"""Which ways through MiniStack a request may take: few, and what is at an address of its own meets nothing else.

MiniStack looks at a path before it looks for an API or a function at a host, and before it asks who is there. So it
would reset itself, or hand out code, at the address of every function URL, and serves what no notebook uses (SES, ECR,
Cognito, Iceberg) to everybody.
"""

import contextvars
from enum import Enum
from typing import Any
from urllib.parse import quote

from ministack import app as ministack_app

from ...asgi import App, Receive, Scope, Send
from ..contract import Contract
from ..request import raw_target
from ..shapes import Answer

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (ministack_app, "_LAMBDA_URL_RE"): None,
    (ministack_app, "_dispatch_service_request"): ("method", "path", "headers", "body", "query_params", "request_id"),
    (ministack_app, "_handle_execute_api_request"): (
        "host",
        "path",
        "method",
        "headers",
        "body",
        "query_params",
        "raw_path",
        "raw_query_string",
    ),
    (ministack_app, "_handle_lambda_download_request"): ("path", "method"),
    (ministack_app, "_handle_lambda_url_request"): (
        "host",
        "path",
        "method",
        "headers",
        "body",
        "query_params",
        "source_ip",
    ),
    (ministack_app, "_handle_options_request"): ("method", "path", "headers", "query_params", "request_id"),
    (ministack_app, "_s3_cors_target"): ("host", "path", "path_style"),
    (ministack_app, "_handle_post_body_shortcuts"): ("method", "path", "headers", "body", "query_params", "request_id"),
    (ministack_app, "_handle_pre_body_request"): ("method", "path", "headers", "query_params", "request_id"),
    (ministack_app, "_handle_s3_control_request"): ("path", "method", "body", "query_params", "request_id", "headers"),
    (ministack_app, "_handle_s3_vhost_request"): ("host", "path", "method", "headers", "body", "query_params"),
    (ministack_app, "_handle_special_data_plane_request"): (
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "request_id",
        "raw_path",
        "raw_query_string",
        "client_ip",
    ),
    (ministack_app, "_with_data_plane_headers"): ("response", "request_id", "include_s3_id", "wildcard_cors"),
}

ANSWERS = "/_ministack/cfn-"  # where what a CloudFormation stack waits for answers
NOTHING = 404, {"Content-Type": "application/json"}, b'{"message":"Not Found"}'


class Way(Enum):
    """How far a request gets."""

    SERVICES = "what a key is for, and an address with a secret of its own"
    SERVICE = "the service that it asks, by its path alone"
    ADDRESS = "the function URL or HTTP API at the host that it names"


_way: contextvars.ContextVar[Way] = contextvars.ContextVar("way", default=Way.SERVICES)


def limited(app: App, way: Way) -> App:
    """`app`, MiniStack's, by this way alone."""

    async def on_its_way(scope: Scope, receive: Receive, send: Send) -> None:
        _way.set(way)
        await app(scope, receive, send)

    return on_its_way


def install() -> None:
    """Let MiniStack go these ways alone. Call once, before it serves."""
    post_body, dispatch = ministack_app._handle_post_body_shortcuts, ministack_app._dispatch_service_request

    async def before_body(method: str, path: str, headers: Any, *rest: Any) -> Answer | None:
        found: Answer | None = None
        if method == "OPTIONS" and _way.get() is not Way.ADDRESS:  # a browser asks whether a page may ask a bucket
            if ministack_app._s3_cors_target(headers.get("host", ""), path):
                found = ministack_app._handle_options_request(method, path, headers, *rest)
        elif _way.get() is Way.SERVICES:
            found = ministack_app._handle_lambda_download_request(path, method)
        return found

    async def after_body(method: str, path: str, *rest: Any) -> Answer | None:
        found: Answer | None = None
        if _way.get() is Way.SERVICES and path.startswith(ANSWERS):
            found = await post_body(method, path, *rest)
        return found

    async def special(
        method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str, **raw: Any
    ) -> Answer | None:
        request, host, found = (method, headers, body, query), headers.get("host", ""), None
        way, names = _way.get(), ("raw_path", "raw_query_string")
        if way is Way.SERVICE:
            return None
        if way is Way.SERVICES:
            found = await ministack_app._handle_s3_control_request(path, method, body, query, request_id, headers)
        if not found and not ministack_app._LAMBDA_URL_RE.match(host):  # else a path could name an API
            found = await ministack_app._handle_execute_api_request(
                host, path, *request, **{name: raw[name] for name in names}
            )
            found = ministack_app._with_data_plane_headers(found, request_id, wildcard_cors=False)
        raw_target.set((raw["raw_path"] or quote(path), raw["raw_query_string"] or ""))
        if not found and (found := await ministack_app._handle_lambda_url_request(host, path, *request)):
            found[1].setdefault("x-amzn-RequestId", request_id)
        if not found and way is Way.SERVICES:
            found = await ministack_app._handle_s3_vhost_request(host, path, *request)
            found = ministack_app._with_data_plane_headers(found, request_id, include_s3_id=True)
        result: Answer | None = found
        return result

    async def dispatched(*request: Any) -> Answer:
        if _way.get() is Way.ADDRESS:  # what was here is deleted
            status, headers, body = NOTHING
            return status, dict(headers), body
        answer: Answer = await dispatch(*request)
        return answer

    ministack_app._handle_pre_body_request = before_body
    ministack_app._handle_post_body_shortcuts = after_body
    ministack_app._handle_special_data_plane_request = special
    ministack_app._dispatch_service_request = dispatched
