"""Tags, as in localstack's recordings TestLambdaTag and TestLambdaTags of November 2025."""

import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, zipped

CODE = "def handler(event, context):\n    return 1\n"
INVALID = "InvalidParameterValueException"


@pytest.fixture
def client(clients):
    return clients("lambda")


@pytest.fixture
def arn(client, make_function):
    return client.get_function(FunctionName=make_function(CODE).name)["Configuration"]["FunctionArn"]


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


def test_tags_of_a_function_alone(client, arn):
    words = "Tags on function aliases and versions are not supported. Please specify a function ARN."
    assert refused(client.list_tags, Resource=f"{arn}:1") == (INVALID, words)
    assert refused(client.tag_resource, Resource=f"{arn}:live", Tags={"a": "b"}) == (INVALID, words)
    assert refused(client.untag_resource, Resource=f"{arn}:live", TagKeys=["a"]) == (INVALID, words)


def test_what_is_not_there(client, arn):
    place, mapping = arn.partition(":function:")[0], "event-source-mapping:00000000-0000-0000-0000-000000000000"
    for resource, kind in ((f"{arn}-missing", "Function"), (f"{place}:{mapping}", "Event source mapping")):
        for operation, more in (
            (client.list_tags, {}),
            (client.tag_resource, {"Tags": {"a": "b"}}),
            (client.untag_resource, {"TagKeys": ["a"]}),
        ):
            found = refused(operation, Resource=resource, **more)
            assert found == ("ResourceNotFoundException", f"{kind} not found: {resource}")


def test_fifty_tags_and_no_more(client, arn):
    client.tag_resource(Resource=arn, Tags={f"key{number}": "" for number in range(50)})
    client.tag_resource(Resource=arn, Tags={"key7": "changed"})
    message = "Number of tags exceeds resource tag limit."
    assert refused(client.tag_resource, Resource=arn, Tags={"another": ""}) == (INVALID, message)
    assert len(client.list_tags(Resource=arn)["Tags"]) == 50
    found = refused(
        client.create_function,
        FunctionName="refused",
        Role=ROLE,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": CODE})},
        Tags={f"key{number}": "" for number in range(51)},
    )
    assert found == (INVALID, message)


def test_tags_that_are_none(client, arn):
    words = "An error occurred and the request cannot be processed."
    assert refused(client.tag_resource, Resource=arn, Tags={}) == (INVALID, words)
    assert refused(client.tag_resource, Resource=arn, Tags={"aws:mine": "x"})[0] == INVALID
    client.untag_resource(Resource=arn, TagKeys=["missing"])
    assert client.list_tags(Resource=arn)["Tags"] == {}
