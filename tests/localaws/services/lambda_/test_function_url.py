"""Function URLs as clients see them: the event, what a result becomes, CORS, limits, request ids.

What is recorded on AWS is cited by its scenario in localstack's tests (November 2025).
"""

import base64
import contextlib
import http.client
import json
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from localaws_client import eventually, public_url

RETURNS = "import base64\ndef handler(event, context):\n    return {}\n"
FAILED = 502, "Internal Server Error"
ORIGIN = {"Origin": "https://shop.example"}


@pytest.fixture
def session():
    with requests.Session() as made:
        made.trust_env = False
        yield made


@pytest.fixture
def url_of(clients, make_function):
    """The address of a function that returns a Python expression."""

    def make(expression, **configuration):
        function = make_function(RETURNS.replace("{}", expression), **configuration)
        return public_url(clients("lambda"), function.name)

    return make


@pytest.fixture
def echo(url_of):
    return url_of("event | {'id': context.aws_request_id}")


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ("True", "true"),  # test_lambda_url_invocation
        ("{'hello': 'world'}", '{"hello":"world"}'),
        ("3.1", "3.1"),
        ("3", "3"),
        ("'hi'", "hi"),
        ("['日', None]", '["日",null]'),
        ("None", "null"),
        ("{'body': 'no status', 'headers': {'x-a': 'b'}}", '{"body":"no status","headers":{"x-a":"b"}}'),
        ("{'statusCode': 200}", ""),
        ("{'statusCode': 200, 'body': None}", ""),
        ("{'statusCode': 200, 'body': {'a': [1, '日']}}", '{"a":[1,"日"]}'),
        ("{'statusCode': 200, 'body': [1, 2]}", "[1,2]"),
        ("{'statusCode': 200, 'body': 7}", "7"),
        ("{'statusCode': 200, 'body': False}", "false"),
        ("{'statusCode': '200', 'body': 'text'}", "text"),
        ("{'statusCode': 200, 'body': 'text', 'isBase64Encoded': False}", "text"),
        ("{'statusCode': 200, 'body': 'text', 'headers': None, 'cookies': None}", "text"),
    ],
)
def test_what_a_result_becomes(url_of, session, result, body):
    answer = session.get(url_of(result))
    assert (answer.status_code, answer.content.decode()) == (200, body)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == str(len(body.encode()))


@pytest.mark.parametrize(
    "result",
    [
        "{'statusCode': 'abc'}",
        "{'statusCode': 99}",
        "{'statusCode': 1000}",
        "{'statusCode': None}",
        "{'statusCode': True}",
        "{'statusCode': 200.5}",
        "{'statusCode': 200, 'headers': 'x'}",
        "{'statusCode': 200, 'headers': {'x-a': ['b']}}",
        "{'statusCode': 200, 'headers': {'x-a': 'b\\nx-c: d'}}",
        "{'statusCode': 200, 'headers': {'x a': 'b'}}",
        "{'statusCode': 200, 'headers': {'x-a': '日'}}",
        "{'statusCode': 200, 'cookies': 'a=1'}",
        "{'statusCode': 200, 'cookies': [{}]}",
        "{'statusCode': 200, 'body': '%', 'isBase64Encoded': True}",
        "{'statusCode': 200, 'body': {}, 'isBase64Encoded': True}",
        "1 / 0",
        "'x' * 7 * 2**20",
        "object()",
    ],
)
def test_a_result_that_is_no_response(url_of, session, result):
    answer = session.get(url_of(result))
    assert (answer.status_code, answer.text) == FAILED


def test_status_headers_and_bytes(url_of, session):
    body = base64.b64encode(bytes(range(256))).decode()
    headers = {"Content-Type": "image/png", "x-number": 1, "x-yes": True, "x-none": None, "Content-Length": "1"}
    result = {"statusCode": "203", "headers": headers, "body": body, "isBase64Encoded": True}
    answer = session.get(url_of(repr({**result, "cookies": ["a=1", "b=2; Secure"]})))
    assert (answer.status_code, answer.content) == (203, bytes(range(256)))
    told = answer.headers
    assert (told["Content-Type"], told["x-number"], told["x-yes"]) == ("image/png", "1", "true")
    assert "x-none" not in told and told["x-amzn-Remapped-Content-Length"] == "1"
    assert answer.raw.headers.getlist("Set-Cookie") == ["a=1", "b=2; Secure"]


def test_one_id_for_the_header_the_event_the_context_and_the_log(clients, make_function, session):
    """As test_request_id_invoke_url."""
    function = make_function(RETURNS.replace("{}", "[event['requestContext']['requestId'], context.aws_request_id]"))
    answer = session.get(public_url(clients("lambda"), function.name))
    request_id = answer.headers["x-amzn-RequestId"]
    assert answer.json() == [request_id, request_id]
    assert function.reports()[0]["request_id"] == request_id


def test_path_and_query_come_as_they_were_sent(echo):
    """As test_lambda_url_echo_http_fixture_default, whose path cannot be decoded at all; so `requests` changes it."""
    with contextlib.closing(http.client.HTTPConnection(urlsplit(echo).netloc)) as connection:
        connection.request("GET", "/pa2%Fth/%E6%97%A5%2F1?q=a%20b&q=c+d&empty=&%E6%97%A5=%2C")
        event = json.loads(connection.getresponse().read())
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/pa2%Fth/%E6%97%A5%2F1"
    assert event["rawQueryString"] == "q=a%20b&q=c+d&empty=&%E6%97%A5=%2C"
    assert event["queryStringParameters"] == {"q": "a b,c d", "empty": "", "日": ","}
    assert (event["version"], event["routeKey"], event["requestContext"]["stage"]) == ("2.0", "$default", "$default")


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("text/csv; charset=utf-8", True),
        ("application/json", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("multipart/form-data; boundary=x", False),  # test_lambda_url_form_payload
        ("application/x-www-form-urlencoded", False),
        ("image/png", False),
        (None, False),
    ],
)
def test_what_comes_as_text_and_what_in_base64(echo, session, content_type, is_text):
    event = session.post(echo, data="日".encode(), headers={"Content-Type": content_type}).json()
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("日" if is_text else base64.b64encode("日".encode()).decode())


def test_a_request_without_a_body_has_none(echo, session):
    event = session.get(echo).json()
    assert "body" not in event and event["isBase64Encoded"] is False
    assert "queryStringParameters" not in event and event["rawQueryString"] == ""


def test_what_is_too_large_for_an_event(echo, session):
    text = {"Content-Type": "text/plain"}
    assert session.post(echo, data=b"x" * (5 * 2**20), headers=text).status_code == 200
    answer = session.post(echo, data=b"x" * (6 * 2**20), headers=text)
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (413, "RequestTooLargeException")
    assert session.post(echo, data=b"x" * (5 * 2**20)).status_code == 413, "in base64 it is a third longer"


def test_beyond_its_concurrency_it_says_429(clients, make_function, session):
    function = make_function(RETURNS.replace("{}", "1"))
    url = public_url(clients("lambda"), function.name)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    answer = session.get(url)
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (429, "TooManyRequestsException")
    assert answer.json()["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert function.metric("Throttles") == 1


def test_a_signed_url_takes_signed_requests_alone(clients, make_function, session, embedded_aws):
    function = make_function(RETURNS.replace("{}", "event['requestContext']['accountId']"))
    config = clients("lambda").create_function_url_config(FunctionName=function.name, AuthType="AWS_IAM")
    url = config["FunctionUrl"]
    assert session.get(url).status_code == 403
    request = AWSRequest("GET", url)
    keys = boto3.Session(embedded_aws.access_key_id, embedded_aws.secret_access_key).get_credentials()
    SigV4Auth(keys, "lambda", "us-east-1").add_auth(request)
    answer = session.get(url, headers=dict(request.headers))
    assert (answer.status_code, answer.text) == (200, "000000000000")


# Pages of another origin


@pytest.fixture
def shared(clients, make_function):
    """The URL of a function that invites pages, and what changes how."""
    answer = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://its.own"}, "body": "x"}
    function = make_function(RETURNS.replace("{}", repr(answer)))
    url = public_url(clients("lambda"), function.name)

    def invite(**cors):
        clients("lambda").update_function_url_config(FunctionName=function.name, Cors=cors)
        return url

    invite.function = function
    return invite


def cors_of(answer):
    return {name[len("access-control-") :]: value for name, value in told(answer) if name.startswith("access-control-")}


def told(answer):
    return [(name.lower(), value) for name, value in answer.headers.items()]


def test_who_asks_first_is_answered_without_the_function(shared, session):
    url = shared(
        AllowOrigins=["https://shop.example", "https://other.example"],
        AllowMethods=["GET", "PUT"],
        AllowHeaders=["x-colour"],
        ExposeHeaders=["x-id"],
        AllowCredentials=True,
        MaxAge=60,
    )
    asked = {**ORIGIN, "Access-Control-Request-Method": "PUT"}
    answer = session.options(url, headers=asked)
    assert (answer.status_code, answer.content) == (200, b"")
    assert cors_of(answer) == {
        "allow-origin": "https://shop.example",
        "allow-methods": "GET,PUT",
        "allow-headers": "x-colour",
        "allow-credentials": "true",
        "max-age": "60",
    }
    assert cors_of(session.options(url, headers={**asked, "Origin": "https://evil.example"})) == {}
    assert shared.function.logged() == []


def test_the_answer_to_a_page_has_awss_headers_and_not_the_functions(shared, session):
    url = shared(AllowOrigins=["https://shop.example"], ExposeHeaders=["x-id"], AllowMethods=["*"])
    answer = session.get(url, headers=ORIGIN)
    assert cors_of(answer) == {"allow-origin": "https://shop.example", "expose-headers": "x-id"}
    assert answer.headers["Vary"] == "Origin"
    url = shared(AllowOrigins=["*"])
    assert cors_of(session.get(url, headers=ORIGIN)) == {"allow-origin": "*"}


def test_without_a_configuration_it_is_the_functions_own_affair(clients, make_function, session):
    answer = {"statusCode": 204, "headers": {"Access-Control-Allow-Origin": "https://its.own"}}
    function = make_function(RETURNS.replace("{}", repr(answer)))
    answer = session.options(public_url(clients("lambda"), function.name), headers=ORIGIN)
    assert (answer.status_code, cors_of(answer)) == (204, {"allow-origin": "https://its.own"})
    eventually(lambda: len(function.reports()) == 1)
