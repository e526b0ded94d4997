"""A request gets where its key or its address leads, and not by a path to what MiniStack keeps for itself."""

import pytest
import requests
from localaws_client import public_url, signed

CODE = "def handler(event, context):\n    return event.get('rawPath') or 'no path'\n"
MINISTACKS = [
    ("POST", "/_ministack/reset"),
    ("POST", "/_ministack/config"),
    ("GET", "/_ministack/health"),
    ("GET", "/_ministack/sqs/messages"),
    ("PUT", "/_ministack/cfn-response/any"),
    ("GET", "/_aws/lambda-url/any/"),
    ("GET", "/_aws/execute-api/any/prod"),
    ("GET", "/v20180820/tags/any"),
    ("GET", "/v2/_catalog"),
    ("GET", "/v2/email/identities"),
    ("GET", "/iceberg/v1/config"),
    ("GET", "/oauth2/authorize"),
    ("GET", "/2015-03-31/functions/"),
]


def test_at_the_address_of_a_function_every_path_is_the_functions(make_function, clients):
    function = make_function(CODE)
    url = public_url(clients("lambda"), function.name)
    paths = [*MINISTACKS, ("GET", f"/_ministack/lambda-code/000000000000/us-east-1/{function.name}")]
    for method, path in paths:
        answer = requests.request(method, url.rstrip("/") + path, timeout=30)
        assert (answer.status_code, answer.text) == (200, path)
    clients("lambda").delete_function_url_config(FunctionName=function.name)
    for method, path in paths:
        assert requests.request(method, url.rstrip("/") + path, timeout=30).status_code in (403, 404), path


def test_at_the_address_of_an_api_is_that_api(make_function, clients):
    function = make_function(CODE)
    api = clients("apigatewayv2").create_api(Name="tested-ways", ProtocolType="HTTP")
    for method, path in [*MINISTACKS, ("GET", f"/_ministack/lambda-code/000000000000/us-east-1/{function.name}")]:
        answer = requests.request(method, api["ApiEndpoint"] + path, timeout=30)
        assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"}), path
    clients("apigatewayv2").delete_api(ApiId=api["ApiId"])


def test_an_address_stays_where_its_end_was_refused(embedded_aws, clients):
    api = clients("apigatewayv2").create_api(Name="tested-ways", ProtocolType="HTTP")
    for path in ("/v2/apis/", "/any-bucket/v2/apis/"):
        assert requests.delete(f"{embedded_aws.url}{path}{api['ApiId']}", timeout=30).status_code in (403, 404)
    assert requests.get(api["ApiEndpoint"], timeout=30).status_code == 404
    clients("apigatewayv2").delete_api(ApiId=api["ApiId"])


@pytest.mark.parametrize("authorization", [{}, {"Authorization": "Bearer x"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v20180820/tags/tested-ways"),
        ("POST", "/v20180820/tags/tested-ways"),
        ("GET", "/v2/_catalog"),
        ("GET", "/v2/email/identities"),
        ("POST", "/iceberg/v1/config"),
        ("GET", "/oauth2/authorize"),
        ("POST", "/login"),
    ],
)
def test_without_a_key_no_path_leads_past_the_services(embedded_aws, clients, method, path, authorization):
    s3 = clients("s3")
    s3.create_bucket(Bucket="tested-ways")
    answer = requests.request(method, embedded_aws.url + path, headers=authorization, timeout=30)
    s3.delete_bucket(Bucket="tested-ways")
    refused = (
        "MissingAuthenticationToken",
        "<Code>NoSuchBucket",
        "<Code>MethodNotAllowed",
    )  # and no such bucket is there
    assert any(code in answer.text for code in refused), answer.text


def test_what_no_notebook_uses_is_nowhere(embedded_aws):
    for service, path in (("ecr", "/v2/_catalog"), ("ses", "/v2/email/identities"), ("glue", "/iceberg/v1/config")):
        assert signed(embedded_aws, "GET", path, service=service).status_code >= 400, path
