"""What Lambda's API offers and the embedded AWS does not have is refused by a sentence, and changes nothing."""

import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, zipped

CODE = "def handler(event, context):\n    return 1\n"
FUNCTION = {
    "FunctionName": "refused",
    "Role": ROLE,
    "Runtime": "python3.13",
    "Handler": "app.handler",
    "Code": {"ZipFile": zipped({"app.py": CODE})},
}
SIGNING = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0"


@pytest.fixture
def client(clients):
    return clients("lambda")


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    return error["Message"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "leave VpcConfig out"),
        ({"PackageType": "Image", "Code": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/i:1"}}, "zip"),
        ({"ImageConfig": {"Command": ["a"]}}, "zip packages only"),
        ({"CodeSigningConfigArn": SIGNING}, "leave CodeSigningConfigArn out"),
        ({"PublishTo": "LATEST_PUBLISHED"}, "leave PublishTo out"),
        ({"Code": {"ZipFile": b"x", "SourceKMSKeyArn": "arn:aws:kms:us-east-1:0:key/k"}}, "leave SourceKMSKeyArn out"),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "k", "S3ObjectStorageMode": "REFERENCE"}}, "by reference"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_members_of_a_new_function(client, change, word):
    message = refused(client.create_function, **{**FUNCTION, **change})
    assert word in message and "embedded AWS" in message
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="refused")


def test_members_of_an_update(client, make_function):
    function = make_function(CODE)
    vpc = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert "VPC" in refused(client.update_function_configuration, FunctionName=function.name, VpcConfig=vpc)
    assert "zip" in refused(client.update_function_code, FunctionName=function.name, ImageUri="image")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("list_capacity_providers", {}),
        ("list_code_signing_configs", {}),
        ("put_function_code_signing_config", {"FunctionName": "f", "CodeSigningConfigArn": SIGNING}),
        ("list_durable_executions_by_function", {"FunctionName": "f"}),
        ("get_function_scaling_config", {"FunctionName": "f", "Qualifier": "1"}),
    ],
)
def test_operations(client, operation, parameters):
    name = "".join(word.capitalize() for word in operation.split("_"))
    assert refused(getattr(client, operation), **parameters).endswith(f"not in the embedded AWS, and so {name} is not.")


def test_a_function_has_no_code_signing_and_updates_of_its_runtime_come_by_themselves(client, make_function):
    function = make_function(CODE)
    name, arn = function.name, client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    assert "CodeSigningConfigArn" not in client.get_function_code_signing_config(FunctionName=name)
    found = client.get_runtime_management_config(FunctionName=name)
    assert (found["UpdateRuntimeOn"], found["FunctionArn"]) == ("Auto", f"{arn}:$LATEST")
    assert client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Auto")["UpdateRuntimeOn"] == "Auto"
    assert "UpdateRuntimeOn is Auto" in refused(
        client.put_runtime_management_config, FunctionName=name, UpdateRuntimeOn="FunctionUpdate"
    )
    for operation in (client.get_function_code_signing_config, client.get_runtime_management_config):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            operation(FunctionName="missing")
