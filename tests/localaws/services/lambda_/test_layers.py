"""Layers of a function, as in localstack's recording test_layer_function_exceptions of November 2025."""

import pytest
from botocore.exceptions import ClientError
from localaws_client import zipped

CODE = "def handler(event, context):\n    return 1\n"


@pytest.fixture
def client(clients):
    return clients("lambda")


@pytest.fixture
def layers(client):
    content = {"ZipFile": zipped({"python/a.py": "A = 1\n"})}
    published = [client.publish_layer_version(LayerName="of-a-test", Content=content) for _ in range(3)]
    yield [each["LayerVersionArn"] for each in published]
    for each in published:
        client.delete_layer_version(LayerName="of-a-test", VersionNumber=each["Version"])


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    error = raised.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    return error["Message"]


@pytest.mark.parametrize("places", [(0, 1), (0, 0), (0, 1, 2)])
def test_two_versions_of_one_layer(client, layers, make_function, places):
    function = make_function(CODE)
    found = refused(
        client.update_function_configuration, FunctionName=function.name, Layers=[layers[place] for place in places]
    )
    assert found == (
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{layers[places[0]]} and {layers[places[1]]} are versions of the same layer."
    )


def test_a_layer_that_is_not_there(client, layers, make_function):
    function = make_function(CODE)
    for arn in (layers[0].replace("of-a-test", "missing"), layers[0].rpartition(":")[0] + ":99"):
        found = refused(client.update_function_configuration, FunctionName=function.name, Layers=[arn])
        assert found == f"Layer version {arn} does not exist."
    elsewhere = layers[0].replace("us-east-1", "eu-west-1")
    found = refused(client.update_function_configuration, FunctionName=function.name, Layers=[elsewhere])
    assert found == (
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."
    )


def test_a_layer_of_another_account(client, make_function):
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:theirs:1"
    found = refused(client.update_function_configuration, FunctionName=make_function(CODE).name, Layers=[arn])
    assert arn in found
    assert "no layers of other accounts" in found


def test_permissions_of_a_layer(client, layers):
    """test_layer_policy_lifecycle"""
    version = {"LayerName": "of-a-test", "VersionNumber": int(layers[0].rpartition(":")[2])}
    statement = {**version, "StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    first = client.add_layer_version_permission(**statement)
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_layer_version_permission(**statement)
    second = client.add_layer_version_permission(**{**statement, "StatementId": "s2"}, RevisionId=first["RevisionId"])
    assert client.get_layer_version_policy(**version)["RevisionId"] == second["RevisionId"] != first["RevisionId"]
    with pytest.raises(client.exceptions.PreconditionFailedException, match="Call the GetLayerPolicy API to retrieve"):
        client.remove_layer_version_permission(**version, StatementId="s1", RevisionId=first["RevisionId"])
    client.remove_layer_version_permission(**version, StatementId="s1")
    client.remove_layer_version_permission(**version, StatementId="s2")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_layer_version_policy(**version)
