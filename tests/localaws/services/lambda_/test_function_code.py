"""Code that a function or layer cannot have, in Lambda's words, and an update that is only tried."""

import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, made_bucket, zipped

CODE = {"app.py": "def handler(event, context):\n    return 'runs'\n"}
NO_SOURCE = "Please provide a source for function code."
EMPTY = "Uploaded file must be a non-empty zip"


@pytest.fixture
def client(clients):
    return clients("lambda")


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    return error["Message"]


def create(client, code, **more):
    return refused(
        client.create_function,
        **{
            "FunctionName": "refused",
            "Role": ROLE,
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": code,
            **more,
        },
    )


def from_s3(code, message):
    return f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"


@pytest.fixture(scope="module")
def bucket(clients):
    with made_bucket(clients, "code-of-functions") as name:
        yield name


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ({}, NO_SOURCE),
        ({"S3Key": "a.zip"}, NO_SOURCE),
        ({"ZipFile": b""}, EMPTY),
        ({"ZipFile": zipped({})}, EMPTY),
        ({"ZipFile": b"no zip"}, "Could not unzip uploaded file. Please check your file, then try to upload again."),
        (
            {"ZipFile": zipped(CODE), "S3Bucket": "bucket", "S3Key": "a.zip"},
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        ),
        (
            {"S3Bucket": "there-is-none", "S3Key": "a.zip"},
            from_s3("NoSuchBucket", "The specified bucket does not exist"),
        ),
        ({"S3Bucket": "code-of-functions", "S3Key": "a"}, from_s3("NoSuchKey", "The specified key does not exist.")),
        (
            {"S3Bucket": "code-of-functions", "S3Key": "a", "S3ObjectVersion": "v"},
            from_s3("NoSuchVersion", "The specified version does not exist."),
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_code_that_is_none(client, bucket, make_function, code, message):
    assert create(client, code) == message
    function = make_function(CODE)
    assert refused(client.update_function_code, FunctionName=function.name, **code) == message
    assert refused(client.publish_layer_version, LayerName="refused", Content=code) == message
    assert client.list_layer_versions(LayerName="refused")["LayerVersions"] == []
    assert function.invoke().payload == "runs"


@pytest.mark.parametrize("left_out", ["Runtime", "Handler"])
def test_a_zip_needs_a_runtime_and_a_handler(client, left_out):
    parameters = {
        "FunctionName": "refused",
        "Role": ROLE,
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Code": {"ZipFile": zipped(CODE)},
    }
    del parameters[left_out]
    message = refused(client.create_function, **parameters)
    assert message == "Runtime and Handler are mandatory parameters for functions created with deployment packages."


def test_an_update_that_is_only_tried_changes_nothing(client, make_function):
    function = make_function(CODE)
    before = client.get_function(FunctionName=function.name)["Configuration"]
    other = zipped({"app.py": CODE["app.py"].replace("runs", "runs differently")})
    tried = client.update_function_code(FunctionName=function.name, ZipFile=other, DryRun=True)
    assert tried["CodeSize"] == len(other) and tried["CodeSha256"] != before["CodeSha256"]
    assert client.get_function(FunctionName=function.name)["Configuration"] == before
    assert function.invoke().payload == "runs"
    update = client.update_function_code
    assert refused(update, FunctionName=function.name, ZipFile=b"", DryRun=True) == EMPTY
    assert refused(update, FunctionName=function.name, ZipFile=b"", Architectures=["arm64"]) == EMPTY
    assert client.get_function(FunctionName=function.name)["Configuration"]["Architectures"] == ["x86_64"]


def test_a_number_of_a_layer_is_never_used_again(client):
    layer = {"LayerName": "numbered", "Content": {"ZipFile": zipped({"python/a.py": "A = 1\n"})}}
    assert client.publish_layer_version(**layer)["Version"] == 1
    assert refused(client.publish_layer_version, LayerName="numbered", Content={"ZipFile": b""}) == EMPTY
    assert client.publish_layer_version(**layer)["Version"] == 2
    client.delete_layer_version(LayerName="numbered", VersionNumber=2)
    assert client.publish_layer_version(**layer)["Version"] == 3
    listed = client.list_layer_versions(LayerName="numbered")["LayerVersions"]
    assert [each["Version"] for each in listed] == [3, 1]
    assert listed[0].keys() == {"CreatedDate", "Description", "LayerVersionArn", "Version"}
