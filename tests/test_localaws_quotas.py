"""What AWS refuses when a function is created or updated is refused here, in its words."""

import io
import re
import zipfile

import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, zipped

from helpers.localaws import quotas

CODE = {"app.py": "def handler(event, context):\n    return 'runs'\n"}
TOO_MUCH = [
    ({"MemorySize": 10_241}, "InvalidParameterValueException", "'MemorySize' .* less than or equal to 10240"),
    ({"Timeout": 901}, "InvalidParameterValueException", "'Timeout' .* less than or equal to 900"),
    ({"Environment": {"Variables": {"TEXT": "x" * 4096}}}, "InvalidParameterValueException", "exceeded the 4KB limit"),
    (
        {"Environment": {"Variables": {"AWS_REGION": "x", "FINE": "x", "AWS_LAMBDA_FUNCTION_NAME": "x"}}},
        "InvalidParameterValueException",
        "Reserved keys used in this request: AWS_LAMBDA_FUNCTION_NAME, AWS_REGION$",
    ),
    ({"Environment": {"Variables": {"a-b": "x"}}}, "ValidationException", "Map keys must satisfy constraint"),
    ({"Runtime": "python9.9"}, "InvalidParameterValueException", "^Value python9.9 at 'runtime' failed"),
    ({"Runtime": "nodejs12.x"}, "InvalidParameterValueException", "parameter of nodejs12.x is no longer supported"),
]
CASES = pytest.mark.parametrize(("change", "code", "message"), TOO_MUCH, ids=lambda value: str(value)[:40])


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    return raised.value.response


def create(clients, **configuration):
    parameters = {
        "FunctionName": "refused", "Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler",
        "Code": {"ZipFile": zipped(CODE)}, **configuration,
    }
    response = refused(clients("lambda").create_function, **parameters)
    with pytest.raises(clients("lambda").exceptions.ResourceNotFoundException):
        clients("lambda").get_function(FunctionName="refused")
    return response


@CASES
def test_a_function_beyond_the_quotas_is_not_created(clients, change, code, message):
    response = create(clients, **change)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == code
    assert re.search(message, response["Error"]["Message"])


@CASES
def test_an_update_beyond_the_quotas_changes_nothing(make_function, clients, change, code, message):
    function = make_function(CODE)
    before = clients("lambda").get_function_configuration(FunctionName=function.name)
    update = clients("lambda").update_function_configuration
    response = refused(update, FunctionName=function.name, **change)
    assert response["Error"]["Code"] == code
    assert re.search(message, response["Error"]["Message"])
    after = clients("lambda").get_function_configuration(FunctionName=function.name)
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}


@pytest.mark.parametrize(
    ("name", "message"), [("my function", "regular expression pattern"), ("x" * 65, "length less than or equal to 64")]
)
def test_a_bad_name(clients, name, message):
    response = create(clients, FunctionName=name)
    assert response["Error"]["Code"] == "ValidationException"
    assert re.search(message, response["Error"]["Message"])


def test_a_package_over_50_mb_in_the_request(make_function, clients):
    package = bytes(51 * 2**20)  # refused for its size, before anybody looks into it
    response = create(clients, Code={"ZipFile": package})
    assert response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    message = "Request must be smaller than 70167211 bytes for the CreateFunction operation"
    assert response["Error"]["Message"] == message
    function = make_function(CODE)
    response = refused(clients("lambda").update_function_code, FunctionName=function.name, ZipFile=package)
    assert response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert "UpdateFunctionCode" in response["Error"]["Message"]
    assert function.invoke().payload == "runs"


def test_a_package_over_250_mb_unzipped(clients):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(251 * 2**20), zipfile.ZIP_DEFLATED, 1)
    response = create(clients, Code={"ZipFile": package.getvalue()})
    assert response["Error"]["Code"] == "InvalidParameterValueException"
    assert response["Error"]["Message"] == "Unzipped size must be smaller than 262144000 bytes"


def test_the_largest_function_that_is_allowed(make_function, clients):
    variables = {"TEXT": "x" * (4096 - len('{"TEXT":""}'))}
    function = make_function(CODE, MemorySize=10_240, Timeout=900, Environment={"Variables": variables})
    assert function.invoke().payload == "runs"
    function.update(MemorySize=128, Timeout=1, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": ""}})
    assert function.invoke().payload == "runs"


@pytest.mark.parametrize(
    "request_", [{"MemorySize": 127}, {"Timeout": 0}], ids=str
)  # boto3 refuses these itself, other clients send them
def test_less_than_the_least(request_):
    code, message = quotas.refusal(request_)
    assert code == "InvalidParameterValueException"
    assert "greater than or equal to" in message


@pytest.mark.parametrize("name", ["x" * 64, "arn:aws:lambda:us-east-1:000000000000:function:a_b-c", "function:a"])
def test_good_names(name):
    assert quotas.refusal({"FunctionName": name}) is None


@pytest.mark.parametrize("runtime", quotas.RUNTIMES)
def test_runtimes_that_can_be_created(runtime):
    assert quotas.refusal({"Runtime": runtime}) is None
    assert runtime not in quotas.BLOCKED
