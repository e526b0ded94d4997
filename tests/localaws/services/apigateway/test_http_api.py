"""HTTP APIs: the endpoint works as it is, and routes, events and answers are those of payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
import re
import time

import pytest
import requests
from localaws_client import eventually

ECHO = (
    "import json\n"
    "def handler(event, context):\n"
    "    return {'statusCode': 201, 'headers': {'x-answer': 'yes'}, 'cookies': ['a=1', 'b=2'],\n"
    "            'body': json.dumps(event)}\n"
)


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def api(clients):
    """Make an API, and give its id and endpoint."""
    made = []

    def make(**parameters):
        answer = clients("apigatewayv2").create_api(**{"Name": "tested", "ProtocolType": "HTTP", **parameters})
        made.append(answer["ApiId"])
        return answer["ApiId"], answer["ApiEndpoint"]

    yield make
    for identifier in made:
        try:
            clients("apigatewayv2").delete_api(ApiId=identifier)
        except clients("apigatewayv2").exceptions.NotFoundException:
            continue


def arn_of(clients, function):
    """The ARN of a function that APIs may invoke."""
    function.let_in("apigateway")
    return clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]


def routed(clients, identifier, function, *keys, stage="$default"):
    gateway = clients("apigatewayv2")
    integration = gateway.create_integration(
        ApiId=identifier,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn_of(clients, function),
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    for key in keys:
        gateway.create_route(ApiId=identifier, RouteKey=key, Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=identifier, StageName=stage, AutoDeploy=True)


def test_quick_create_makes_an_api_that_works(make_function, clients, api, session):
    function, gateway = make_function(ECHO), clients("apigatewayv2")
    identifier, endpoint = api(Target=arn_of(clients, function))
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", endpoint)
    answer = session.post(f"{endpoint}/some/path?q=1&q=2", data="hello", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.headers["x-answer"], answer.cookies["a"], answer.cookies["b"]) == (
        201,
        "yes",
        "1",
        "2",
    )
    event = answer.json()
    assert (event["routeKey"], event["rawPath"], event["body"]) == ("$default", "/some/path", "hello")
    assert event["queryStringParameters"] == {"q": "1,2"}
    assert [route["RouteKey"] for route in gateway.get_routes(ApiId=identifier)["Items"]] == ["$default"]
    assert [stage["StageName"] for stage in gateway.get_stages(ApiId=identifier)["Items"]] == ["$default"]
    assert len(function.reports()) == 1


def test_quick_create_with_a_route_of_its_own(make_function, clients, api, session):
    function = make_function(ECHO)
    _, endpoint = api(Target=arn_of(clients, function), RouteKey="GET /hello")
    assert session.get(f"{endpoint}/hello").status_code == 201
    assert session.get(f"{endpoint}/other").status_code == 404
    assert session.post(f"{endpoint}/hello").status_code == 404


def test_routes_with_path_parameters(make_function, clients, api, session):
    function = make_function(ECHO)
    identifier, endpoint = api()
    routed(clients, identifier, function, "GET /orders/{id}", "ANY /files/{path+}", "$default")

    def seen(path):
        event = session.get(endpoint + path).json()
        return event["routeKey"], event.get("pathParameters")

    assert seen("/orders/17") == ("GET /orders/{id}", {"id": "17"})
    assert seen("/files/a/b.txt") == ("ANY /files/{path+}", {"path": "a/b.txt"})
    assert seen("/else") == ("$default", None)
    assert session.post(f"{endpoint}/orders/17").json()["routeKey"] == "$default"


def test_the_event_has_the_members_that_awss_has(make_function, clients, api, session):
    function = make_function(ECHO)
    identifier, endpoint = api(Target=arn_of(clients, function))
    answer = session.get(f"{endpoint}/path", headers={"Cookie": "one=1; two=2", "X-Colour": "red"})
    event = answer.json()
    # Those of the page's example, but for body, pathParameters and stageVariables, which this request does not have.
    assert set(event) == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert event["cookies"] == ["one=1", "two=2"]
    assert event["headers"]["x-colour"] == "red" and "cookie" not in event["headers"]
    context = event["requestContext"]
    assert context["domainName"] == event["headers"]["host"] == f"{identifier}.execute-api.us-east-1.amazonaws.com"
    assert (context["domainPrefix"], context["stage"]) == (identifier, "$default")
    assert context["http"]["method"] == "GET" and context["http"]["path"] == "/path"
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(context["timeEpoch"] / 1000))
    assert context["time"] == stamp


def test_a_body_that_is_no_text_comes_in_base64(make_function, clients, api, session):
    _, endpoint = api(Target=arn_of(clients, make_function(ECHO)))
    event = session.post(endpoint, data=b"\x00\xff", headers={"Content-Type": "image/png"}).json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x00\xff"


def test_the_path_of_a_named_stage_begins_with_it(make_function, clients, api, session):
    identifier, endpoint = api()
    routed(clients, identifier, make_function(ECHO), "GET /orders/{id}", stage="prod")
    event = session.get(f"{endpoint}/prod/orders/3").json()
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/prod/orders/3", "prod")
    assert event["pathParameters"] == {"id": "3"}
    assert session.get(f"{endpoint}/orders/3").status_code == 404


def test_what_an_answer_without_a_status_becomes(make_function, clients, api, session):
    code = "def handler(event, context):\n    return {'plain': True} if event['rawPath'] == '/json' else 'text'\n"
    _, endpoint = api(Target=arn_of(clients, make_function(code)))
    answer = session.get(f"{endpoint}/json")
    assert (answer.status_code, answer.json()) == (200, {"plain": True})
    assert answer.headers["content-type"] == "application/json"
    assert session.get(f"{endpoint}/text").text == "text"


def test_a_function_that_fails_is_an_internal_server_error(make_function, clients, api, session):
    function = make_function("def handler(event, context):\n    raise RuntimeError('secret')\n")
    _, endpoint = api(Target=arn_of(clients, function))
    answer = session.get(endpoint)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert function.metric("Errors") == 1


def test_the_endpoint_is_the_same_wherever_it_is_asked_for(make_function, clients, api):
    identifier, endpoint = api()
    gateway = clients("apigatewayv2")
    assert gateway.get_api(ApiId=identifier)["ApiEndpoint"] == endpoint
    assert gateway.update_api(ApiId=identifier, Name="other")["ApiEndpoint"] == endpoint
    assert endpoint in [each["ApiEndpoint"] for each in gateway.get_apis()["Items"]]


def test_two_apis_do_not_mix(make_function, clients, api, session):
    endpoints = [
        api(Target=arn_of(clients, make_function(f"def handler(event, context):\n    return 'number {n}'\n")))[1]
        for n in (1, 2)
    ]
    assert [session.get(endpoint).text for endpoint in endpoints] == ["number 1", "number 2"]


def test_a_deleted_api_frees_its_port(make_function, clients, api, session):
    identifier, endpoint = api(Target=arn_of(clients, make_function(ECHO)))
    assert session.get(endpoint).status_code == 201
    clients("apigatewayv2").delete_api(ApiId=identifier)

    def refused():
        try:
            session.get(endpoint, timeout=60)
        except requests.ConnectionError:
            return True
        return False

    eventually(refused)


def test_cors_is_answered_by_the_api(make_function, clients, api, session):
    function = make_function(ECHO)
    _, endpoint = api(
        Target=arn_of(clients, function), CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["GET"]}
    )
    answer = session.options(endpoint, headers={"Origin": "http://here", "Access-Control-Request-Method": "GET"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert function.logged() == []
    assert json.loads(session.get(endpoint, headers={"Origin": "http://here"}).text)["version"] == "2.0"
