"""Function URLs: cookies in the event, and the answer for a function that fails, as AWS has them.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from ministack.services import lambda_svc

FAILED = {"statusCode": 502, "headers": {"content-type": "text/plain"}, "body": "Internal Server Error"}


def install() -> None:
    """Let MiniStack's function URLs behave as AWS's. Call once, before it serves."""
    build_event, answer = lambda_svc._build_function_url_event, lambda_svc.lambda_execute_result_to_api_proxy_response

    def build(*arguments, **options) -> dict:
        return with_cookies(build_event(*arguments, **options))

    def without_details(exec_result: dict) -> tuple:
        """What went wrong stands in the log, and is nobody's business outside."""
        failed = exec_result.get("error") and not exec_result.get("throttle")
        return (dict(FAILED), None) if failed else answer(exec_result)

    lambda_svc._build_function_url_event = build
    lambda_svc.lambda_execute_result_to_api_proxy_response = without_details


def with_cookies(event: dict) -> dict:
    """In payload format 2.0 the cookies are a list of their own, and no header."""
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "cookie"}
    cookies = "".join(value for name, value in event["headers"].items() if name.lower() == "cookie")
    found = {"cookies": [cookie.strip() for cookie in cookies.split(";")]} if cookies else {}
    return {**event, "headers": headers, **found}
