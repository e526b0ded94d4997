"""InvokeAsync, the way to send an event before Invoke had a type for that: deprecated, and still answered by AWS.

https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html. MiniStack does not have it.
"""

import re
from typing import Any

from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(lambda_svc, "handle_request"): ("method", "path", "headers", "body", "query_params")}

PATH = re.compile(r"/2014-11-13(/functions/[^/]+)/invoke-async/?")


def install() -> None:
    """Let it be Invoke with the invocation type Event. Call once, before api.install()."""
    handle_request = lambda_svc.handle_request

    async def handle(method: str, path: str, headers: Record, body: bytes, query_params: Any) -> Answer:
        if method == "POST" and (asked := PATH.fullmatch(path)):
            path, headers = f"/2015-03-31{asked[1]}/invocations", {**headers, "x-amz-invocation-type": "Event"}
        answer: Answer = await handle_request(method, path, headers, body, query_params)
        return answer

    lambda_svc.handle_request = handle
