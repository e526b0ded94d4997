"""Function URLs: their two permissions, cookies in the event, the answer for a function that fails, as AWS has them.

They go with their function. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html, and
https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html for who may call one that is open to everybody.
"""

import json
from typing import Any

from ministack.services import lambda_svc

from .contract import Contract
from .shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_delete_function"): ("name", "query_params", "path_qualifier"),
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
    (lambda_svc, "resolve_function_url"): ("url_id",),
    (lambda_svc, "_get_func_record_for_ref_in_scope"): ("function_ref", "account_id", "region"),
    (lambda_svc, "lambda_execute_result_to_api_proxy_response"): ("exec_result",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_function_urls"): None,
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


def install() -> None:
    """Let MiniStack's function URLs behave as AWS's. Call once, before it serves."""
    build_event, answer = lambda_svc._build_function_url_event, lambda_svc.lambda_execute_result_to_api_proxy_response
    delete, serve = lambda_svc._delete_function, lambda_svc.handle_function_url_request

    async def serve_where_permitted(url_id: str, method: str, *request: Any, **options: Any) -> Answer:
        if _is_forbidden(url_id, method):
            headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
            return 403, headers, json.dumps(FORBIDDEN).encode()
        answer: Answer = await serve(url_id, method, *request, **options)
        return answer

    def build(*arguments: Any, **options: Any) -> Record:
        return with_cookies(build_event(*arguments, **options))

    def without_details(exec_result: Record) -> tuple[Any, Any]:
        """What went wrong stands in the log, and is nobody's business outside."""
        failed = exec_result.get("error") and not exec_result.get("throttle")
        told: tuple[Any, Any] = (dict(FAILED), None) if failed else answer(exec_result)
        return told

    def delete_with_urls(name: str, query_params: Record, path_qualifier: str | None = None) -> Answer:
        told: Answer = delete(name, query_params, path_qualifier)
        if name not in lambda_svc._functions:  # otherwise it was one version of it
            for key in [key for key in lambda_svc._function_urls if key.partition(":")[0] == name]:
                del lambda_svc._function_urls[key]
        return told

    lambda_svc._build_function_url_event = build
    lambda_svc.lambda_execute_result_to_api_proxy_response = without_details
    lambda_svc._delete_function = delete_with_urls
    lambda_svc.handle_function_url_request = serve_where_permitted


def _is_forbidden(url_id: str, method: str) -> bool:
    """Whether a URL says that it is open to everybody, and the policy of its function says otherwise."""
    found = lambda_svc.resolve_function_url(url_id)
    if found is None:
        return False
    account, region, name, qualifier, config = found
    preflight = method == "OPTIONS" and config.get("Cors")  # which is nobody's call yet
    if config.get("AuthType") != "NONE" or preflight:
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
