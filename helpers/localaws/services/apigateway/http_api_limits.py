"""Refuses what API Gateway does not allow of an HTTP API: other protocols, routes that no request has, doubles.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html, in the words that users of
AWS report. MiniStack takes any text.
"""

import re

from ministack.services import apigateway

from ..contract import Contract
from ..refusals import unless
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (apigateway, "_apigw_error"): ("code", "message", "status"),
    (apigateway, "_apis"): None,
    (apigateway, "_create_api"): ("data",),
    (apigateway, "_create_integration"): ("api_id", "data"),
    (apigateway, "_create_route"): ("api_id", "data"),
    (apigateway, "_routes"): None,
    (apigateway, "_update_route"): ("api_id", "route_id", "data"),
}

PROTOCOLS = (HTTP := "HTTP", "WEBSOCKET")
ROUTE = re.compile(r"\$default|(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) /\S*")
NO_PROTOCOL = f"Invalid protocol specified. Must be one of [{', '.join(PROTOCOLS)}]"
NO_ROUTE = "The provided route key is not formatted properly for HTTP protocol. "
NO_ROUTE += 'Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
OF_FUNCTION = "AWS_PROXY"
NO_VERSION = "PayloadFormatVersion is a required parameter for integration"


def install() -> None:
    """Let MiniStack get what an HTTP API may be. Call once, before it serves, and after http_api.install()."""
    apigateway._create_api = unless(_wrong_api, apigateway._create_api)
    apigateway._create_integration = unless(_wrong_integration, apigateway._create_integration)
    apigateway._create_route = unless(_wrong_route, apigateway._create_route)
    apigateway._update_route = unless(_wrong_change, apigateway._update_route)


def _wrong_api(data: Record) -> Answer | None:
    return None if data.get("protocolType", HTTP) in PROTOCOLS else _bad(NO_PROTOCOL)


def _wrong_route(api_id: str, data: Record, route_id: str = "") -> Answer | None:
    key = data.get("routeKey")
    if key is None or apigateway._apis.get(api_id, {}).get("protocolType") != HTTP:
        return None
    if not ROUTE.fullmatch(key):
        return _bad(NO_ROUTE)
    others = (each for id_, each in apigateway._routes.get(api_id, {}).items() if id_ != route_id)
    if any(each["routeKey"] == key for each in others):
        message = f"Route with key {key} already exists for this API"
        conflict: Answer = apigateway._apigw_error("ConflictException", message, 409)
        return conflict
    return None


def _wrong_change(api_id: str, route_id: str, data: Record) -> Answer | None:
    return _wrong_route(api_id, data, route_id)


def _wrong_integration(api_id: str, data: Record) -> Answer | None:
    if apigateway._apis.get(api_id, {}).get("protocolType") != HTTP:
        return None
    is_versioned = data.get("payloadFormatVersion") or data.get("integrationType") != OF_FUNCTION
    return None if is_versioned else _bad(NO_VERSION)


def _bad(message: str) -> Answer:
    refused: Answer = apigateway._apigw_error("BadRequestException", message, 400)
    return refused
