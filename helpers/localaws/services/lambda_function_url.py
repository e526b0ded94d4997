"""Function URLs: cookies in the event, and the answer for a function that fails, as AWS has them; they go with it.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

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
    (lambda_svc, "lambda_execute_result_to_api_proxy_response"): ("exec_result",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_function_urls"): None,
}

FAILED = {"statusCode": 502, "headers": {"content-type": "text/plain"}, "body": "Internal Server Error"}


def install() -> None:
    """Let MiniStack's function URLs behave as AWS's. Call once, before it serves."""
    build_event, answer = lambda_svc._build_function_url_event, lambda_svc.lambda_execute_result_to_api_proxy_response
    delete = lambda_svc._delete_function

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


def with_cookies(event: Record) -> Record:
    """In payload format 2.0 the cookies are a list of their own, and no header."""
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "cookie"}
    cookies = "".join(value for name, value in event["headers"].items() if name.lower() == "cookie")
    found = {"cookies": [cookie.strip() for cookie in cookies.split(";")]} if cookies else {}
    return {**event, "headers": headers, **found}
