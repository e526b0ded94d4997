"""What an HTTP API may not be, and what it may."""

import pytest
from localaws_client import refused

from helpers.localaws.services.apigateway.http_api_limits import NO_PROTOCOL, NO_ROUTE, NO_VERSION

BAD = "BadRequestException"


@pytest.fixture
def client(clients):
    return clients("apigatewayv2")


@pytest.fixture
def api(client):
    made = {"ApiId": client.create_api(Name="limited", ProtocolType="HTTP")["ApiId"]}
    yield made
    client.delete_api(**made)


def test_there_are_two_protocols(client):
    assert refused(client.create_api, Name="x", ProtocolType="GRPC") == (BAD, NO_PROTOCOL)


@pytest.mark.parametrize("key", ["GET", "GET x", "FETCH /x", "get /x", "/x", "GET /two words", "GET  /x", ""])
def test_a_route_that_no_request_has(client, api, key):
    assert refused(client.create_route, **api, RouteKey=key) == (BAD, NO_ROUTE)
    route = client.create_route(**api, RouteKey="GET /old")["RouteId"]
    assert refused(client.update_route, **api, RouteId=route, RouteKey=key) == (BAD, NO_ROUTE)
    assert client.get_route(**api, RouteId=route)["RouteKey"] == "GET /old"


def test_a_route_is_there_once(client, api):
    for key in "$default", "ANY /", "GET /item/{id}", "POST /{path+}":
        route = client.create_route(**api, RouteKey=key)["RouteId"]
        told = refused(client.create_route, **api, RouteKey=key)
        assert told == ("ConflictException", f"Route with key {key} already exists for this API")
        client.update_route(**api, RouteId=route, RouteKey=key, OperationName="its own key")
    told = refused(client.update_route, **api, RouteId=route, RouteKey="ANY /")
    assert told == ("ConflictException", "Route with key ANY / already exists for this API")


def test_the_integration_of_a_function_says_the_version_of_its_events(client, api):
    function = {"IntegrationType": "AWS_PROXY", "IntegrationUri": "arn:aws:lambda:us-east-1:000000000000:function:f"}
    assert refused(client.create_integration, **api, **function) == (BAD, NO_VERSION)
    client.create_integration(**api, **function, PayloadFormatVersion="2.0")


def test_an_api_of_websockets_has_routes_of_its_own(client):
    made = {"ApiId": client.create_api(Name="limited", ProtocolType="WEBSOCKET")["ApiId"]}
    client.create_route(**made, RouteKey="sendMessage")
    client.delete_api(**made)
