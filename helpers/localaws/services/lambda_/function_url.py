"""Function URLs: their two permissions, the event of a request, CORS, and the answer, which may be streamed.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html, and
https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html for who may call one that is open to everybody.
"""

import asyncio
import json
import uuid
from typing import Any
from urllib.parse import quote, unquote

from ministack.core import responses
from ministack.services import lambda_svc

from ...asgi import Receive, Send
from ...data_plane.response_stream import QueuedStream
from ..contract import Contract
from ..request import Request, raw_target, request
from ..shapes import Answer, Record
from . import quotas, states
from .function_url_response import (
    END_OF_METADATA,
    HTTP_RESPONSE,
    JSON,
    MAX_METADATA_BYTES,
    InvalidResponse,
    Response,
    from_metadata,
    from_result,
)
from .response_streaming import pieces, started

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_build_function_url_event"): (
        "url_id",
        "account_id",
        "region",
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "source_ip",
        "anonymous",
        "trace_root",
    ),
    (lambda_svc, "_execute_function_with_config_scope"): ("func", "event"),
    (lambda_svc, "_execution_record_for_config"): ("func", "config"),
    (lambda_svc, "_function_url_is_signed"): ("headers", "query_params"),
    (lambda_svc, "_function_url_trace_root"): (),
    (lambda_svc, "_get_func_record_for_ref_in_scope"): ("function_ref", "account_id", "region"),
    (lambda_svc, "handle_function_url_request"): (
        "url_id",
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "resolved",
        "source_ip",
    ),
    (lambda_svc, "lambda_execute_result_to_api_proxy_response"): ("exec_result",),
    (lambda_svc, "resolve_function_url"): ("url_id",),
    (lambda_svc, "run_reentrant"): ("fn", "args", "thread_name"),
    (responses, "StreamingResponse"): None,
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "get_request_client_ip"): (),
}

# The permissions that everybody needs, and the condition that holds for each; the second since October 2025.
NEEDED = {
    "lambda:InvokeFunctionUrl": {"lambda:FunctionUrlAuthType": "NONE"},
    "lambda:InvokeFunction": {"lambda:InvokedViaFunctionUrl": "true"},
}
FORBIDDEN = {
    "Message": "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
}
FAILED = {"statusCode": 502, "headers": {"content-type": "text/plain"}, "body": "Internal Server Error"}
PENDING = "The function is currently in the following state: Pending"
# Answers to who asks whether a page may ask, and those to the page itself
PREFLIGHT = {"AllowHeaders": "Access-Control-Allow-Headers", "AllowMethods": "Access-Control-Allow-Methods"}
EXPOSED = {"ExposeHeaders": "Access-Control-Expose-Headers"}


def install() -> None:
    """Let MiniStack's function URLs behave as AWS's. Call once, before it serves."""
    answer = lambda_svc.lambda_execute_result_to_api_proxy_response

    def without_details(exec_result: Record) -> tuple[Any, Any]:
        """What went wrong stands in the log, and is nobody's business outside."""
        failed = exec_result.get("error") and not exec_result.get("throttle")
        told: tuple[Any, Any] = (dict(FAILED), None) if failed else answer(exec_result)
        return told

    lambda_svc.lambda_execute_result_to_api_proxy_response = without_details
    lambda_svc.handle_function_url_request = _serve


async def _serve(
    url_id: str,
    method: str,
    path: str,
    headers: Record,
    body: bytes,
    query_params: Record,
    resolved: Any = None,
    source_ip: str | None = None,
) -> Answer:
    """Answer a request to a function URL, under the request id that the function sees."""
    resolved = resolved or lambda_svc.resolve_function_url(url_id)
    if resolved is None:
        missing: Answer = responses.error_response_json("ResourceNotFoundException", "Not Found", 404)
        return missing
    account, region, name, qualifier, config = resolved
    own = {"x-amzn-RequestId": str(uuid.uuid4()), **_cors(config.get("Cors") or {}, method, headers)}
    if method == "OPTIONS" and config.get("Cors"):
        return 200, own, b""
    if _is_forbidden(resolved) or _is_unsigned(config, headers, query_params):
        return _refused(403, "AccessDeniedException", FORBIDDEN, own)
    reference = f"{name}:{qualifier}" if qualifier else name
    func, version, _ = lambda_svc._get_func_record_for_ref_in_scope(reference, account_id=account, region=region)
    if func is None or version is None:
        gone: Answer = responses.error_response_json("ResourceNotFoundException", f"Function not found: {name}", 404)
        return gone
    if states.is_pending(version):
        return _refused(409, "ResourceConflictException", {"Message": f"{states.REFUSED} {PENDING}"}, own)
    trace = own["X-Amzn-Trace-Id"] = headers.get("x-amzn-trace-id") or lambda_svc._function_url_trace_root()
    source_ip = source_ip or responses.get_request_client_ip()
    built = lambda_svc._build_function_url_event(
        url_id,
        account,
        region,
        method,
        path,
        headers,
        body,
        query_params,
        source_ip,
        config["AuthType"] == "NONE",
        trace,
    )
    event = _as_sent(with_cookies(built), own["x-amzn-RequestId"])
    payload = json.dumps(event).encode()
    if too_large := quotas.payload("RequestResponse", len(payload)):
        return _refused(413, too_large[0], {"Message": too_large[1]}, own)
    stream = QueuedStream()
    streams = config.get("InvokeMode") == "RESPONSE_STREAM"
    request.set(Request(own["x-amzn-RequestId"], "", payload, True, trace, stream=stream if streams else None))
    record = lambda_svc._execution_record_for_config(func, version)
    run = lambda_svc.run_reentrant(
        lambda_svc._execute_function_with_config_scope, record, event, thread_name="function URL"
    )
    return await _answer(started(run, stream), stream, streams, own)


async def _answer(invoked: asyncio.Task[Record], stream: QueuedStream, streams: bool, own: Record) -> Answer:
    """The answer for an invocation that runs: once it is over, or once its stream has begun."""
    first = await stream.read()
    try:
        if stream.content_type == HTTP_RESPONSE:
            while END_OF_METADATA not in first and len(first) < MAX_METADATA_BYTES and (more := await stream.read()):
                first += more
            metadata, end, rest = first.partition(END_OF_METADATA)
            if not end:
                raise InvalidResponse("The metadata do not end.")
            response = from_metadata(metadata, rest)
        elif first:
            response = Response(headers={"Content-Type": stream.content_type}, body=first)
        else:
            return _whole(await invoked, stream, streams, own)
    except InvalidResponse:
        stream.abandon()
        return _failed(own)
    body = responses.StreamingResponse(_streamed(response.body, stream, invoked))
    return response.status, _merged(response.headers, own), body


def _whole(result: Record, stream: QueuedStream, streams: bool, own: Record) -> Answer:
    """The answer for an invocation that is over and has streamed nothing."""
    if result.get("throttle"):
        headers = {"Content-Type": JSON, "x-amzn-ErrorType": "TooManyRequestsException"}
        return 429, {**headers, **own}, json.dumps(result["body"]).encode()
    if result.get("error"):
        return _failed(own)
    payload: bytes = result["body"]
    try:
        # where it could have streamed, what it returns is no description of a response
        response = Response(headers={"Content-Type": stream.content_type or JSON}, body=payload)
        response = response if streams else from_result(payload)
    except InvalidResponse:
        return _failed(own)
    return response.status, _merged(response.headers, own), response.body


def _streamed(first: bytes, stream: QueuedStream, invoked: asyncio.Task[Record]) -> Any:
    """What sends a body as it comes; where the function fails before its end, the body has none either."""

    async def run(send: Send, receive: Receive) -> None:
        if first:
            await send({"type": "http.response.body", "body": first, "more_body": True})
        async for piece in pieces(stream, receive):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if not (await invoked).get("error"):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return run


def _refused(status: int, error_type: str, body: Record, own: Record) -> Answer:
    return status, {"Content-Type": JSON, "x-amzn-ErrorType": error_type, **own}, json.dumps(body).encode()


def _failed(own: Record) -> Answer:
    return 502, {"Content-Type": "text/plain", **own}, b"Internal Server Error"


def _merged(headers: Record, own: Record) -> Record:
    """The function's headers, and AWS's, which come in their place."""
    replaced = {name.lower() for name in own}
    return {**{name: value for name, value in headers.items() if name.lower() not in replaced}, **own}


def _cors(cors: Record, method: str, headers: Record) -> Record:
    """What a browser needs so that a page of this origin may ask; nothing where it may not.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html, "Cross-origin resource sharing".
    """
    origin, allowed = headers.get("origin", ""), cors.get("AllowOrigins") or []
    if not origin or not ("*" in allowed or origin in allowed):
        return {}
    told: Record = {"Access-Control-Allow-Origin": "*" if "*" in allowed else origin}
    if "*" not in allowed:
        told["Vary"] = "Origin"
    if cors.get("AllowCredentials"):
        told["Access-Control-Allow-Credentials"] = "true"
    lists = PREFLIGHT if method == "OPTIONS" else EXPOSED
    told |= {header: ",".join(cors[member]) for member, header in lists.items() if cors.get(member)}
    if method == "OPTIONS" and cors.get("MaxAge") is not None:
        told["Access-Control-Max-Age"] = str(cors["MaxAge"])
    return told


def _is_unsigned(config: Record, headers: Record, query_params: Record) -> bool:
    return config.get("AuthType") == "AWS_IAM" and not lambda_svc._function_url_is_signed(headers, query_params)


def _is_forbidden(resolved: Any) -> bool:
    """Whether a URL says that it is open to everybody, and the policy of its function says otherwise."""
    account, region, name, qualifier, config = resolved
    if config.get("AuthType") != "NONE":
        return False
    function, *_ = lambda_svc._get_func_record_for_ref_in_scope(name, account_id=account, region=region)
    return function is not None and not is_open(function["policy"]["Statement"], qualifier)


def is_open(statements: list[Record], qualifier: str | None) -> bool:
    """Whether a resource policy lets everybody call the function, or this version or alias of it, by its URL."""
    permitted = {each["Action"] for each in statements if _is_of(each, qualifier) and _is_for_everybody(each)}
    return permitted.issuperset(NEEDED)


def _is_of(statement: Record, qualifier: str | None) -> bool:
    _, _, function = statement["Resource"].partition(":function:")
    return bool(function.partition(":")[2] == (qualifier or ""))


def _is_for_everybody(statement: Record) -> bool:
    """A condition holds where it asks for what AWS knows of such a request."""
    known = NEEDED.get(statement["Action"], {})
    conditions = [item for tests in statement.get("Condition", {}).values() for item in tests.items()]
    return statement["Principal"] == "*" and all(known.get(name) == value for name, value in conditions)


def with_cookies(event: Record) -> Record:
    """In payload format 2.0 the cookies are a list of their own, and no header."""
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "cookie"}
    cookies = "".join(value for name, value in event["headers"].items() if name.lower() == "cookie")
    found = {"cookies": [cookie.strip() for cookie in cookies.split(";")]} if cookies else {}
    return {**event, "headers": headers, **found}


def _as_sent(event: Record, request_id: str) -> Record:
    """The event with path and query as they were sent: AWS decodes neither."""
    path, query = raw_target.get()
    path = path.partition("?")[0]
    if unquote(path) != event["rawPath"]:  # MiniStack has all function URLs at one place, too
        path = quote(event["rawPath"])
    context = {**event["requestContext"], "requestId": request_id}
    context["http"] = {**context["http"], "path": path}
    return {**event, "rawPath": path, "rawQueryString": query or event["rawQueryString"], "requestContext": context}
