"""What AWS's model of Lambda's API does not allow is refused by ValidationException, in its words.

Where a recording is cited it is one of localstack's tests/aws/services/lambda_/test_lambda_api.py, of November 2025.
"""

import json
import re

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from localaws_client import ROLE, signed, zipped

CODE = {"ZipFile": zipped({"app.py": "def handler(event, context):\n    return 1\n"})}
FUNCTION = {"FunctionName": "refused", "Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler", "Code": CODE}
NAME = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
PLACE = "arn:aws:lambda:us-east-1:000000000000"


@pytest.fixture(scope="module")
def unchecked(embedded_aws, clients):
    """A client that sends what it is given, whatever its own model says."""
    import boto3

    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return boto3.client(
        "lambda",
        endpoint_url=embedded_aws.url,
        region_name=embedded_aws.region,
        aws_access_key_id=embedded_aws.access_key_id,
        aws_secret_access_key=embedded_aws.secret_access_key,
        config=config,
    )


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    response = raised.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def one(value, place, must):
    said = f"1 validation error detected: Value {value} at '{place}' failed to satisfy constraint: Member must {must}"
    return "ValidationException", said, 400


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        # test_create_lambda_exceptions
        (
            {"Architectures": ["X86_64"]},
            one(
                "'[X86_64]'",
                "architectures",
                "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
            ),
        ),
        (
            {"Architectures": ["x86_64", "arm64"]},
            one("'[x86_64, arm64]'", "architectures", "have length less than or equal to 1"),
        ),
        # test_snapstart_exceptions
        (
            {"SnapStart": {"ApplyOn": "invalidOption"}},
            one("'invalidOption'", "snapStart.applyOn", "satisfy enum value set: [PublishedVersions, None]"),
        ),
        ({"MemorySize": 127}, one("'127'", "memorySize", "have value greater than or equal to 128")),
        ({"Timeout": 0}, one("'0'", "timeout", "have value greater than or equal to 1")),
        (
            {"EphemeralStorage": {"Size": 100}},
            one("'100'", "ephemeralStorage.size", "have value greater than or equal to 512"),
        ),
        ({"EphemeralStorage": {}}, one("null", "ephemeralStorage.size", "not be null")),
        ({"Handler": "a b"}, one("'a b'", "handler", r"satisfy regular expression pattern: [^\s]+")),
        ({"Description": "x" * 257}, one(f"'{'x' * 257}'", "description", "have length less than or equal to 256")),
        ({"PackageType": "Jar"}, one("'Jar'", "packageType", "satisfy enum value set: [Zip, Image]")),
        (
            {"TracingConfig": {"Mode": "On"}},
            one("'On'", "tracingConfig.mode", "satisfy enum value set: [Active, PassThrough]"),
        ),
        (
            {"Code": {"S3Bucket": "ab", "S3Key": "k"}},
            one("'ab'", "code.s3Bucket", "have length greater than or equal to 3"),
        ),
        (
            {"LoggingConfig": {"LogFormat": "XML"}},
            one("'XML'", "loggingConfig.logFormat", "satisfy enum value set: [JSON, Text]"),
        ),
        ({"Role": None}, one("null", "role", "not be null")),
        ({"Code": None}, one("null", "code", "not be null")),
        ({"MemorySize": "128"}, ("SerializationException", "STRING_VALUE can not be converted to an Integer", 400)),
        ({"Publish": "yes"}, ("SerializationException", "STRING_VALUE can not be converted to a Boolean", 400)),
        ({"Handler": 3}, ("SerializationException", "NUMBER_VALUE can not be converted to a String", 400)),
        ({"Handler": ["a"]}, ("SerializationException", "Start of list found where not expected", 400)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_member_that_the_model_does_not_allow(embedded_aws, clients, change, answer):
    body = {**FUNCTION, "Code": {"ZipFile": "UEsFBg=="}, **change}
    body = {name: value for name, value in body.items() if value is not None}
    response = signed(embedded_aws, "POST", "/2015-03-31/functions", json.dumps(body))
    found = response.headers["x-amzn-errortype"], response.json()["message"], response.status_code
    assert found == answer
    with pytest.raises(clients("lambda").exceptions.ResourceNotFoundException):
        clients("lambda").get_function(FunctionName="refused")


def test_all_that_is_wrong_is_told_at_once(unchecked):
    code, message, _ = refused(unchecked.create_function, **{**FUNCTION, "Timeout": 0, "MemorySize": 1})
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: Value '0' at 'timeout' failed")
    assert "; Value '1' at 'memorySize' failed to satisfy constraint" in message


@pytest.mark.parametrize("operation", ["get_function", "delete_function", "invoke", "get_policy", "list_aliases"])
@pytest.mark.parametrize(
    "name", ["my-function!", "*", f"{PLACE}:function:f:1:2", "arn:aws:ec2:us-east-1:000000000000:i:i"]
)
def test_what_is_no_name_of_a_function(unchecked, operation, name):
    """test_function_name_and_qualifier_validation"""
    code, message, status = refused(getattr(unchecked, operation), FunctionName=name)
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith(
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must "
    )


def test_the_pattern_of_a_name_is_that_of_the_operation(unchecked):
    _, message, _ = refused(unchecked.get_function, FunctionName="my-function!")
    assert message.endswith(f"satisfy regular expression pattern: {NAME}")


@pytest.mark.parametrize(
    ("operation", "parameters", "answer"),
    [
        (
            "get_function",
            {"FunctionName": "f", "Qualifier": "invalid!"},
            one(
                "'invalid!'",
                "qualifier",
                r"satisfy regular expression pattern: \$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
            ),
        ),
        (
            "list_functions",
            {"FunctionVersion": "invalid"},
            one("'invalid'", "functionVersion", "satisfy enum value set: [ALL]"),
        ),
        ("list_functions", {"MaxItems": 0}, one("'0'", "maxItems", "have value greater than or equal to 1")),
        (
            "create_alias",
            {"FunctionName": "f", "Name": "2024", "FunctionVersion": "1"},
            one("'2024'", "name", "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"),
        ),
        (
            "put_function_event_invoke_config",
            {"FunctionName": "f", "MaximumEventAgeInSeconds": 59},
            one("'59'", "maximumEventAgeInSeconds", "have value greater than or equal to 60"),
        ),
        (
            "put_function_event_invoke_config",
            {"FunctionName": "f", "MaximumRetryAttempts": 3},
            one("'3'", "maximumRetryAttempts", "have value less than or equal to 2"),
        ),
        (
            "create_event_source_mapping",
            {
                "FunctionName": "f",
                "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q",
                "StartingPosition": "invalid",
            },
            one("'invalid'", "startingPosition", "satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"),
        ),
        (
            "create_function_url_config",
            {"FunctionName": "f", "AuthType": "NONE", "InvokeMode": "UNKNOWN"},
            one("'UNKNOWN'", "invokeMode", "satisfy enum value set: [RESPONSE_STREAM, BUFFERED]"),
        ),
        ("untag_resource", {"Resource": f"{PLACE}:function:f", "TagKeys": []}, one("null", "tagKeys", "not be null")),
        (
            "put_function_concurrency",
            {"FunctionName": "f", "ReservedConcurrentExecutions": -1},
            one("'-1'", "reservedConcurrentExecutions", "have value greater than or equal to 0"),
        ),
        (
            "put_provisioned_concurrency_config",
            {"FunctionName": "f", "Qualifier": "1", "ProvisionedConcurrentExecutions": 0},
            one("'0'", "provisionedConcurrentExecutions", "have value greater than or equal to 1"),
        ),
        (
            "invoke",
            {"FunctionName": "f", "InvocationType": "Sync"},
            one("'Sync'", "invocationType", "satisfy enum value set: [Event, RequestResponse, DryRun]"),
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_path_query_and_headers_are_looked_at_too(unchecked, operation, parameters, answer):
    assert refused(getattr(unchecked, operation), **parameters) == answer


@pytest.mark.parametrize("name", ["../f", "f/code", "f?x", "f#x", "f%2Fx"])
def test_a_name_that_would_be_another_path(unchecked, name):
    for operation in ("get_function", "invoke", "list_versions_by_function", "delete_function_concurrency"):
        code, message, status = refused(getattr(unchecked, operation), FunctionName=name)
        assert (code, status) == ("ValidationException", 400)
        assert f"Value '{name}' at 'functionName' failed to satisfy constraint" in message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "InvalidRequestContentException"),
        (b"\xff", "InvalidRequestContentException"),
        (b"null", "InvalidRequestContentException"),
        (b"[]", "SerializationException"),
        (b'{"FunctionVersion": [], "RoutingConfig": null}', "SerializationException"),
        (b'{"RoutingConfig": {"AdditionalVersionWeights": {"1": "much"}}}', "SerializationException"),
        (b'{"RoutingConfig": {"AdditionalVersionWeights": {"1": []}}}', "SerializationException"),
    ],
)
def test_a_body_that_is_none(embedded_aws, body, code):
    answer = signed(embedded_aws, "PUT", "/2015-03-31/functions/f/aliases/a", body)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, code)


def test_a_name_of_another_type(embedded_aws):
    for body in (b'{"FunctionName": 1}', b'{"FunctionName": ["f"]}', b'{"FunctionName": {}}'):
        answer = signed(embedded_aws, "POST", "/2015-03-31/functions", body)
        assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "SerializationException")


@pytest.mark.parametrize("most", ["null", "x", "1.5"])
def test_a_number_of_items_that_is_none(embedded_aws, most):
    answer = signed(embedded_aws, "GET", f"/2015-03-31/functions?MaxItems={most}")
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_a_marker_that_is_none_is_no_error_of_ours(make_function, clients):
    function = make_function({"app.py": "def handler(event, context):\n    return event\n"})
    for marker in ("abc", "a:b", "arn:aws:lambda:us-east-1:000000000000:function"):
        client = clients("lambda")
        assert client.list_versions_by_function(FunctionName=function.name, Marker=marker)["Versions"]


def test_the_arn_of_a_tag_resource(unchecked):
    code, message, _ = refused(unchecked.list_tags, Resource=f"{PLACE}:foobar:f")
    assert code == "ValidationException"
    assert re.match(f"1 validation error detected: Value '{PLACE}:foobar:f' at 'resource' failed to satisfy", message)


@pytest.mark.parametrize(
    "form",
    [
        "{name}",
        "function:{name}",
        "000000000000:function:{name}",
        "arn:aws:lambda:us-east-1:000000000000:function:{name}",
    ],
)
def test_every_form_of_a_name(make_function, clients, embedded_aws, form):
    """test_function_arns"""
    function = make_function({"app.py": "def handler(event, context):\n    return event\n"})
    account = clients("sts").get_caller_identity()["Account"]
    name = form.format(name=function.name).replace("000000000000", account).replace("us-east-1", embedded_aws.region)
    client = clients("lambda")
    assert client.get_function(FunctionName=name)["Configuration"]["FunctionName"] == function.name
    assert client.get_function(FunctionName=f"{name}:$LATEST")["Configuration"]["FunctionName"] == function.name
    assert client.invoke(FunctionName=name, Payload=b"3")["Payload"].read() == b"3"
    if form != "{name}":
        client.delete_function(FunctionName=name)
        made = client.create_function(**{**FUNCTION, "FunctionName": name})
        assert made["FunctionName"] == function.name and made["FunctionArn"].endswith(f":function:{function.name}")
        function.wait()


def test_a_function_of_another_region(clients):
    """test_get_function_wrong_region"""
    arn = "arn:aws:lambda:ap-southeast-1:000000000000:function:f"
    for operation in ("get_function", "delete_function", "get_function_configuration", "invoke"):
        code, message, status = refused(getattr(clients("lambda"), operation), FunctionName=arn)
        assert (code, status) == ("ResourceNotFoundException", 404)
        assert message.startswith("Functions from 'ap-southeast-1' are not reachable in this region ('")


def test_a_function_of_another_account(clients, embedded_aws):
    arn = f"arn:aws:lambda:{embedded_aws.region}:123456789012:function:f"
    code, _, status = refused(clients("lambda").create_function, **{**FUNCTION, "FunctionName": arn})
    assert (code, status) == ("AccessDeniedException", 403)


def test_two_qualifiers_that_do_not_agree(clients):
    """test_ops_with_arn_qualifier_mismatch"""
    words = "The derived qualifier from the function name does not match the specified qualifier."
    for operation in ("get_function", "delete_function", "get_function_configuration", "invoke"):
        found = refused(getattr(clients("lambda"), operation), FunctionName="some-function:1", Qualifier="$LATEST")
        assert found == ("InvalidParameterValueException", words, 400)


def test_reserved_concurrency_is_of_functions_alone(clients):
    code, message, _ = refused(
        clients("lambda").put_function_concurrency, FunctionName="f:1", ReservedConcurrentExecutions=1
    )
    assert code == "InvalidParameterValueException"
    assert message.startswith("This operation is permitted on Lambda functions only. Aliases and versions do not")


def test_errors_have_the_members_of_aws(embedded_aws):
    missing = signed(embedded_aws, "GET", "/2015-03-31/functions/missing").json()
    assert missing.keys() == {"Type", "Message"} and missing["Type"] == "User"
    invalid = signed(embedded_aws, "DELETE", "/2015-03-31/functions/missing:1?Qualifier=2").json()
    assert invalid.keys() == {"Type", "message"}
    assert signed(embedded_aws, "GET", "/2015-03-31/functions/*").json().keys() == {"message"}
