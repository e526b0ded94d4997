"""HTTP APIs of API Gateway: quick create, and the event and the answers of payload format 2.0 as AWS has them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import json
import re
import secrets
import time
from collections.abc import Callable

from ministack.core import responses
from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from ..contract import Contract
from ..lambda_ import states
from ..lambda_.function_url import with_cookies
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (apigateway, "_apigw_error"): ("code", "message", "status"),
    (apigateway, "_apis"): None,
    (apigateway, "_create_api"): ("data",),
    (apigateway, "run_reentrant"): ("fn", "args", "thread_name"),
    (apigateway, "_create_integration"): ("api_id", "data"),
    (apigateway, "_create_route"): ("api_id", "data"),
    (apigateway, "_create_stage"): ("api_id", "data"),
    (apigateway, "handle_request"): ("method", "path", "headers", "body", "query_params"),
    (provisioners, "_RESOURCE_HANDLERS"): None,
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
}

OF_AN_API = re.compile(r"/v2/apis/([^/]+)")

FAILED = {
    "statusCode": 500,
    "headers": {"content-type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}


def install() -> None:
    """Let MiniStack's HTTP APIs behave as AWS's. Call once, before it serves."""
    create_api, run_reentrant = apigateway._create_api, apigateway.run_reentrant
    handle_request = apigateway.handle_request

    async def handle(method: str, path: str, *rest: object) -> Answer:
        """Of an API that is not there, whatever its name looks like, nothing is unknown but itself."""
        named = OF_AN_API.match(path)
        if named and named[1] not in apigateway._apis:
            message = f"Invalid API identifier specified {responses.get_account_id()}:{named[1]}"
            missing: Answer = apigateway._apigw_error("NotFoundException", message, 404)
            return missing
        answer: Answer = await handle_request(method, path, *rest)
        return answer

    def create(data: Record) -> Answer:
        answer: Answer = create_api(data)
        if answer[0] == 201 and data.get("target"):
            _quick_create(json.loads(answer[2])["apiId"], data["target"], data.get("routeKey") or "$default")
        return answer

    in_template = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create_in_stack = in_template["create"]

    def create_from_template(logical_id: str, properties: Record, stack: str) -> tuple[str, Record]:
        api_id, attributes = create_in_stack(logical_id, properties, stack)
        if properties.get("Target"):
            _quick_create(api_id, properties["Target"], properties.get("RouteKey") or "$default")
        return api_id, attributes

    async def run(execute: Callable[..., Record], func: Record, event: Record, *, thread_name: str) -> Record:
        ours = event.get("version") == "2.0" and "type" not in event  # not a WebSocket's, nor an authorizer's
        sent = completed(event) if ours else event
        if ours and states.is_pending(func.get("config") or {}):
            return {"body": FAILED}
        result: Record = await run_reentrant(execute, func, sent, thread_name=thread_name)
        failed = ours and result.get("error") and not result.get("throttle")
        return {"body": FAILED} if failed else result

    apigateway.handle_request = handle
    apigateway._create_api = create
    in_template["create"] = create_from_template
    apigateway.run_reentrant = run


def completed(event: Record) -> Record:
    """The event of a route as AWS sends it."""
    context = dict(event["requestContext"])
    context["domainPrefix"] = context["apiId"]
    context["domainName"] = f"{context['apiId']}.execute-api.{responses.get_region()}.amazonaws.com"
    context["time"] = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(context["timeEpoch"] / 1000))
    headers = {
        "content-length": "0",
        **event["headers"],
        "host": context["domainName"],
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}",
        "x-forwarded-for": context["http"]["sourceIp"],
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    event = with_cookies({**event, "headers": headers, "requestContext": context})
    if not event["pathParameters"]:
        del event["pathParameters"]
    if context["stage"] != "$default":  # the path of a named stage begins with it
        event["rawPath"] = f"/{context['stage']}{event['rawPath']}"
        context["http"] = {**context["http"], "path": event["rawPath"]}
    return event


def _quick_create(api_id: str, target: str, route_key: str) -> None:
    """The integration, route and $default stage that CreateApi makes where it is given a target."""
    kind = {"integrationType": "AWS_PROXY", "payloadFormatVersion": "2.0"}
    if not target.startswith("arn:"):  # a URL
        kind = {"integrationType": "HTTP_PROXY", "payloadFormatVersion": "1.0", "integrationMethod": "ANY"}
    answer = apigateway._create_integration(api_id, {**kind, "integrationUri": target})
    integration = json.loads(answer[2])["integrationId"]
    apigateway._create_route(api_id, {"routeKey": route_key, "target": f"integrations/{integration}"})
    apigateway._create_stage(api_id, {"stageName": "$default", "autoDeploy": True})
