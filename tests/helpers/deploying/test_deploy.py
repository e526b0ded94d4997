"""deploy() calls Lambda with exactly the parameters that are needed, and no more often than that."""

import base64
import hashlib
import sys
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber

from helpers.deploying.deploy import DEFAULTS, DeployError, deploy
from helpers.deploying.package import package

NAME = "ada-hello"
ROLE = "arn:aws:iam::000000000000:role/ada-lambda-role"
SOURCE = {"app.py": "def handler(event, context):\n    return event\n"}
ARCHIVE = package(SOURCE)
SHA256 = base64.b64encode(hashlib.sha256(ARCHIVE).digest()).decode()
ASKED = {"FunctionName": NAME}
THIS_PYTHON = f"python3.{sys.version_info.minor}"
CREATED = {
    "FunctionName": NAME,
    "Code": {"ZipFile": ARCHIVE},
    "Runtime": THIS_PYTHON,
    "Handler": "app.handler",
    "Role": ROLE,
    "MemorySize": 128,
    "Timeout": 3,
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
}
READY = {
    "FunctionName": NAME,
    "CodeSha256": SHA256,
    "Runtime": THIS_PYTHON,
    "Handler": "app.handler",
    "Role": ROLE,
    "MemorySize": 128,
    "Timeout": 3,
    "Description": "",
    "EphemeralStorage": {"Size": 512},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{NAME}"},
    "Architectures": ["x86_64"],
    "State": "Active",
    "LastUpdateStatus": "Successful",
}


@pytest.fixture
def stub():
    client = boto3.client("lambda", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def workshop(stub: Stubber, target: str = "embedded") -> SimpleNamespace:
    return SimpleNamespace(
        client={"lambda": stub.client}.__getitem__, role=lambda: ROLE, tags={"workshop": "lambda"}, target=target
    )


def absent(stub: Stubber) -> None:
    stub.add_client_error("get_function", "ResourceNotFoundException", expected_params=ASKED)


def present(stub: Stubber, tags: dict | None = None, **changes) -> None:
    stub.add_response("get_function", {"Configuration": READY | changes, "Tags": tags or {}}, ASKED)


def waited(stub: Stubber) -> None:
    stub.add_response("get_function", {"Configuration": READY}, ASKED)


def answered(stub: Stubber) -> None:
    stub.add_response("get_function_configuration", READY, ASKED)


def test_a_new_function_is_created_and_waited_for(stub):
    absent(stub)
    stub.add_response("create_function", READY, CREATED)
    stub.add_response("get_function", {"Configuration": READY | {"State": "Pending"}}, ASKED)
    waited(stub)
    answered(stub)
    assert deploy(workshop(stub), NAME, SOURCE) == READY


def test_keywords_are_those_of_lambda(stub):
    given = {"Runtime": "nodejs24.x", "MemorySize": 512, "Timeout": 10, "Environment": {"Variables": {"A": "1"}}}
    absent(stub)
    stub.add_response(
        "create_function", READY, CREATED | given | {"Handler": "index.handler", "Architectures": ["arm64"]}
    )
    waited(stub)
    answered(stub)
    assert deploy(workshop(stub), NAME, ARCHIVE, **given, Architectures=["arm64"])["FunctionName"] == NAME


def test_an_unchanged_function_is_left_as_it_is(stub):
    present(stub)
    waited(stub)  # active
    waited(stub)  # updated
    answered(stub)
    assert deploy(workshop(stub), NAME, SOURCE) == READY


def test_other_code_updates_the_code_alone(stub):
    present(stub, CodeSha256="of something else")
    waited(stub)
    waited(stub)
    stub.add_response("update_function_code", READY, {"FunctionName": NAME, "ZipFile": ARCHIVE})
    waited(stub)
    answered(stub)
    assert deploy(workshop(stub), NAME, SOURCE) == READY


def test_only_the_changed_part_of_the_configuration_is_updated(stub):
    present(stub, MemorySize=1024, Environment={"Variables": {"A": "1", "B": "2"}})
    waited(stub)
    waited(stub)
    stub.add_response(
        "update_function_configuration",
        READY,
        {"FunctionName": NAME, "MemorySize": 128, "Environment": {"Variables": {"A": "1"}}},
    )
    stub.add_response("get_function", {"Configuration": READY | {"LastUpdateStatus": "InProgress"}}, ASKED)
    waited(stub)
    answered(stub)
    assert deploy(workshop(stub), NAME, SOURCE, Environment={"Variables": {"A": "1"}}) == READY


def test_another_architecture_updates_the_code(stub):
    present(stub)
    waited(stub)
    waited(stub)
    stub.add_response(
        "update_function_code", READY, {"FunctionName": NAME, "ZipFile": ARCHIVE, "Architectures": ["arm64"]}
    )
    waited(stub)
    answered(stub)
    assert deploy(workshop(stub), NAME, SOURCE, Architectures=["arm64"]) == READY


def test_layers_are_compared_by_arn(stub):
    arn = "arn:aws:lambda:us-east-1:000000000000:layer:tools:1"
    present(stub, Layers=[{"Arn": arn, "CodeSize": 10}])
    waited(stub)
    waited(stub)
    answered(stub)
    assert deploy(workshop(stub), NAME, SOURCE, Layers=[arn]) == READY


@pytest.mark.parametrize(
    ("name", "hint"),
    [("memorysize", "did you mean MemorySize=?"), ("Timeuot", "did you mean Timeout=?"), ("xyz", "it knows")],
)
def test_an_unknown_keyword_is_named(stub, name, hint):
    with pytest.raises(TypeError) as caught:
        deploy(workshop(stub), NAME, SOURCE, **{name: 1})
    assert f"deploy() does not know {name}=; {hint}" in str(caught.value)


def test_a_runtime_without_a_default_handler_needs_one(stub):
    with pytest.raises(TypeError, match="no default handler for dotnet8; say which one with Handler="):
        deploy(workshop(stub), NAME, SOURCE, Runtime="dotnet8")


def test_a_given_handler_and_role_stand_for_any_runtime(stub):
    given = {"Runtime": "java21", "Handler": "app.Hello::handle", "Role": ROLE + "-mine"}
    absent(stub)
    stub.add_response("create_function", READY, CREATED | given)
    waited(stub)
    answered(stub)
    without_role = workshop(stub)
    del without_role.role
    assert deploy(without_role, NAME, SOURCE, **given) == READY


def test_on_aws_a_function_of_somebody_else_stays_as_it_is(stub):
    present(stub, tags={"team": "payments"})
    with pytest.raises(DeployError, match="ada-hello that this workshop did not make, and it stays as it is"):
        deploy(workshop(stub, "aws"), NAME, SOURCE)


def test_on_aws_a_function_of_the_workshop_is_updated(stub):
    present(stub, tags={"workshop": "lambda"})
    waited(stub)
    waited(stub)
    answered(stub)
    assert deploy(workshop(stub, "aws"), NAME, SOURCE, Runtime=THIS_PYTHON) == READY


def test_on_aws_the_runtime_is_the_one_that_libraries_are_taken_for(stub):
    stub.add_client_error("get_function", "ResourceNotFoundException", expected_params=ASKED)
    stub.add_response("create_function", {}, CREATED | {"Runtime": "python3.13"})
    waited(stub)
    answered(stub)
    deploy(workshop(stub, "aws"), NAME, SOURCE)


def test_the_defaults_are_parameters_of_lambda(stub):
    for operation in ("CreateFunction", "UpdateFunctionConfiguration"):
        members = stub.client.meta.service_model.operation_model(operation).input_shape.members
        assert set(DEFAULTS) <= set(members)


def test_create_change_and_go_back_on_an_aws(aws):
    name = aws.name("test-deploy")
    read = (
        "import os\n"
        "def handler(event, context):\n"
        "    return [os.environ.get('COLOUR'), int(context.memory_limit_in_mb)]\n"
    )

    def answer() -> bytes:
        return aws.client("lambda").invoke(FunctionName=name)["Payload"].read()

    first = deploy(aws, name, {"app.py": read})
    assert answer() == b"[null, 128]"
    deploy(aws, name, {"app.py": read}, MemorySize=256, Environment={"Variables": {"COLOUR": "red"}})
    assert answer() == b'["red", 256]'
    last = deploy(aws, name, {"app.py": read})
    assert answer() == b"[null, 128]"
    assert last["CodeSha256"] == first["CodeSha256"]
