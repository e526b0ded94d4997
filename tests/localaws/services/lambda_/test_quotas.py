"""What AWS refuses when a function is created or updated is refused here, in its words."""

import io
import os
import re
import zipfile

import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, made_bucket, zipped

from helpers.localaws.services.lambda_ import quotas

CODE = {"app.py": "def handler(event, context):\n    return 'runs'\n"}
ABSENT = {
    "CapacityProviderConfig": {
        "LambdaManagedInstancesCapacityProviderConfig": {
            "CapacityProviderArn": "arn:aws:lambda:us-east-1:000000000000:capacity-provider:some"
        }
    },
    "DurableConfig": {"ExecutionTimeout": 60},
    "FileSystemConfigs": [
        {
            "Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0",
            "LocalMountPath": "/mnt/files",
        }
    ],
}
TOO_MUCH = [
    ({"MemorySize": 10_241}, "InvalidParameterValueException", "'MemorySize' .* less than or equal to 10240"),
    ({"MemorySize": 32_769}, "ValidationException", "Value '32769' at 'memorySize' .* less than or equal to 32768"),
    ({"Timeout": 1_801}, "InvalidParameterValueException", "'Timeout' .* less than or equal to 1800"),
    ({"Timeout": 5_401}, "ValidationException", "Value '5401' at 'timeout' .* less than or equal to 5400"),
    (
        {"EphemeralStorage": {"Size": 10_241}},
        "InvalidParameterValueException",
        "'EphemeralStorage.Size' .* less than or equal to 10240",
    ),
    (
        {"Environment": {"Variables": {"SMALL": "ok", "LARGE": "x" * 4072}}},
        "InvalidParameterValueException",
        "^Lambda was unable to configure your environment variables because the environment variables you have "
        'provided exceeded the 4KB limit. String measured: {"SMALL":"ok","LARGE":"x{4072}"}$',
    ),
    (
        {"Environment": {"Variables": {"AWS_REGION": "x", "FINE": "x", "AWS_LAMBDA_FUNCTION_NAME": "x"}}},
        "InvalidParameterValueException",
        "Reserved keys used in this request: AWS_LAMBDA_FUNCTION_NAME, AWS_REGION$",
    ),
    *(
        ({"Role": role}, "ValidationException", f"^1 validation error detected: Value '{role}' at 'role' failed to sat")
        for role in ("r1", "", "arn:aws:iam::123:role/r1", "arn:aws:iam::000000000000:user/r1", "arn:aws:s3:::role/r1")
    ),
    ({"Environment": {"Variables": {"a-b": "x"}}}, "ValidationException", "Map keys must satisfy constraint"),
    (
        {"Layers": [f"arn:aws:lambda:us-east-1:000000000000:layer:number-{number}:1" for number in range(6)]},
        "InvalidParameterValueException",
        "^Cannot reference more than 5 layers.$",
    ),
    *(
        ({member: asked}, "InvalidParameterValueException", f"not in the embedded AWS; leave {member} out")
        for member, asked in ABSENT.items()
    ),
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
        "FunctionName": "refused",
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "app.handler",
        "Code": {"ZipFile": zipped(CODE)},
        **configuration,
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
    ("name", "code", "message"),
    [
        ("my function", "ValidationException", "regular expression pattern"),
        ("x" * 65, "InvalidParameterValueException", "length less than or equal to 64"),
    ],
)
def test_a_bad_name(clients, name, code, message):
    response = create(clients, FunctionName=name)
    assert response["Error"]["Code"] == code
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


def zeros(mb: int) -> bytes:
    """A package of this size, unzipped; zipped it is small."""
    package, zeros = io.BytesIO(), {"zeros": bytes(mb * 2**20 - len(CODE["app.py"]))}
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in (CODE | zeros).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=1)
    return package.getvalue()


@pytest.fixture
def bucket(clients):
    with made_bucket(clients, "packages") as name:
        yield name


def test_a_package_over_250_mb_unzipped(make_function, clients, bucket):
    message = "Unzipped size must be smaller than 262144000 bytes"
    function, large = make_function(CODE), zeros(251)
    clients("s3").put_object(Bucket=bucket, Key="large.zip", Body=large)
    from_s3 = {"S3Bucket": bucket, "S3Key": "large.zip"}
    for code in ({"ZipFile": large}, from_s3):
        update = clients("lambda").update_function_code
        for response in (create(clients, Code=code), refused(update, FunctionName=function.name, **code)):
            assert response["Error"]["Code"] == "InvalidParameterValueException"
            assert response["Error"]["Message"] == message
    assert function.invoke().payload == "runs"


def test_a_package_of_249_mb_unzipped_is_taken(make_function, clients):
    function = make_function(CODE)
    clients("lambda").update_function_code(FunctionName=function.name, ZipFile=zeros(249))
    function.wait()
    assert function.invoke().payload == "runs"


def test_a_package_of_over_50_mb_is_taken_from_s3(make_function, clients, bucket):
    function, code = make_function(CODE), "def handler(event, context):\n    return 'large'\n"
    package = zipped({"app.py": code, "noise": os.urandom(51 * 2**20)})
    clients("s3").put_object(Bucket=bucket, Key="code.zip", Body=package)
    clients("lambda").update_function_code(FunctionName=function.name, S3Bucket=bucket, S3Key="code.zip")
    function.wait()
    assert function.invoke().payload == "large"


def test_code_and_layers_count_together(make_function, clients):
    layer = clients("lambda").publish_layer_version(LayerName="zeros", Content={"ZipFile": zeros(150)})
    arn = layer["LayerVersionArn"]
    function = make_function(CODE, Layers=[arn])
    update = clients("lambda").update_function_code
    update(FunctionName=function.name, ZipFile=zeros(99))
    function.wait()
    assert function.invoke().payload == "runs"
    response = refused(update, FunctionName=function.name, ZipFile=zeros(101))
    assert response["Error"]["Code"] == "InvalidParameterValueException"
    assert response["Error"]["Message"] == (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        f"The actual size is {251 * 2**20} bytes."
    )
    version = {"LayerName": "zeros", "VersionNumber": layer["Version"]}
    clients("lambda").delete_layer_version(**version)


def test_the_largest_function_that_is_allowed(make_function, clients):
    variables = {"TEXT": "x" * (4096 - len('{"TEXT":""}'))}
    function = make_function(CODE, MemorySize=10_240, Timeout=1800, Environment={"Variables": variables})
    assert function.invoke().payload == "runs"
    function.update(MemorySize=128, Timeout=1, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": ""}})
    assert function.invoke().payload == "runs"


@pytest.mark.parametrize("runtime", quotas.RUNTIMES)
def test_runtimes_that_can_be_created(runtime):
    assert quotas.refusal({"Runtime": runtime}) is None
    assert runtime not in quotas.BLOCKED
