"""What is published of a function, and what is deleted of it.

The answers are those of localstack's recordings TestLambdaVersions and TestLambdaRevisions of November 2025.
"""

import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, zipped

ONE = "def handler(event, context):\n    return 1\n"
STALE = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the "
    "latest Revision Id"
)


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    error = raised.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def function(make_function):
    return make_function(ONE)


@pytest.fixture
def client(clients):
    return clients("lambda")


def versions(client, function):
    return [each["Version"] for each in client.list_versions_by_function(FunctionName=function.name)["Versions"]]


def test_a_version_is_active_at_once_and_the_function_has_another_revision(function, client):
    before = client.get_function_configuration(FunctionName=function.name)
    version = client.publish_version(FunctionName=function.name, Description="first")
    assert (version["Version"], version["Description"], version["State"]) == ("1", "first", "Active")
    assert version["LastUpdateStatus"] == "Successful"
    after = client.get_function_configuration(FunctionName=function.name)
    assert len({each["RevisionId"] for each in (before, version, after)}) == 3
    assert after["Description"] == ""


def test_nothing_is_published_where_nothing_has_changed(function, client):
    first = client.publish_version(FunctionName=function.name)
    assert (
        client.publish_version(FunctionName=function.name, Description="another")["RevisionId"] == first["RevisionId"]
    )
    function.update_code(ONE)
    assert client.publish_version(FunctionName=function.name)["Version"] == "1"
    function.update(Description="of the function")
    assert client.publish_version(FunctionName=function.name)["Version"] == "2"
    function.update(Timeout=9)
    assert client.publish_version(FunctionName=function.name)["Version"] == "3"


def test_numbers_are_not_used_again(function, client):
    client.publish_version(FunctionName=function.name)
    client.delete_function(FunctionName=function.name, Qualifier="1")
    assert versions(client, function) == ["$LATEST"]
    function.update(Timeout=9)
    assert client.publish_version(FunctionName=function.name)["Version"] == "2"


def test_another_code_or_revision_than_the_caller_knows(function, client):
    current = client.get_function_configuration(FunctionName=function.name)
    assert refused(client.publish_version, FunctionName=function.name, CodeSha256="another") == (
        "InvalidParameterValueException",
        f"CodeSHA256 (another) is different from current CodeSHA256 in $LATEST ({current['CodeSha256']}). "
        "Please try again with the CodeSHA256 in $LATEST.",
        400,
    )
    for operation, parameters in (
        (client.publish_version, {}),
        (client.update_function_configuration, {"Timeout": 5}),
        (client.update_function_code, {"ZipFile": zipped({"app.py": ONE})}),
    ):
        found = refused(operation, FunctionName=function.name, RevisionId="another", **parameters)
        assert found == ("PreconditionFailedException", STALE, 412)
    known = {"CodeSha256": current["CodeSha256"], "RevisionId": current["RevisionId"]}
    assert client.publish_version(FunctionName=function.name, **known)["Version"] == "1"
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    found = refused(client.update_alias, FunctionName=function.name, Name="live", RevisionId="another")
    assert found == ("PreconditionFailedException", STALE, 412)


def test_a_function_can_be_published_as_it_is_made(client):
    made = client.create_function(
        FunctionName="published",
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ONE})},
        Publish=True,
    )
    try:
        assert made["Version"] == "1" and made["FunctionArn"].endswith(":published")
        found = client.get_function_configuration(FunctionName="published", Qualifier="1")
        assert found["FunctionArn"].endswith(":published:1")
        client.get_waiter("published_version_active").wait(
            FunctionName="published", Qualifier="1", WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
        )
        assert client.get_function_configuration(FunctionName="published")["Version"] == "$LATEST"
    finally:
        client.delete_function(FunctionName="published")


def test_what_can_not_be_deleted_of_a_function(function, client):
    client.publish_version(FunctionName=function.name)
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    delete, invalid = client.delete_function, "InvalidParameterValueException"
    assert refused(delete, FunctionName=function.name, Qualifier="$LATEST") == (
        invalid,
        "$LATEST version cannot be deleted without deleting the function.",
        400,
    )
    assert refused(delete, FunctionName=function.name, Qualifier="live") == (
        invalid,
        "Deletion of aliases is not currently supported.",
        400,
    )
    assert refused(delete, FunctionName=function.name, Qualifier="1") == (
        "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [live]",
        409,
    )
    assert refused(delete, FunctionName="missing", Qualifier="$LATEST")[0] == invalid
    assert refused(delete, FunctionName="missing")[0] == "ResourceNotFoundException"
    assert versions(client, function) == ["$LATEST", "1"]
    assert function.invoke().payload == 1


def test_a_version_that_an_alias_routes_some_calls_to(function, client):
    for timeout in (8, 9):
        function.update(Timeout=timeout)
        client.publish_version(FunctionName=function.name)
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    code, message, _ = refused(client.delete_function, FunctionName=function.name, Qualifier="2")
    assert code == "ResourceConflictException" and message.endswith("the following aliases reference it: [live]")


def test_the_deletion_of_a_version_takes_its_things_with_it_and_no_others(function, client):
    client.publish_version(FunctionName=function.name)
    for qualifier in ({}, {"Qualifier": "1"}):
        client.add_permission(
            FunctionName=function.name,
            StatementId="same",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            **qualifier,
        )
        client.put_function_event_invoke_config(FunctionName=function.name, MaximumRetryAttempts=0, **qualifier)
    client.delete_function(FunctionName=function.name, Qualifier="1")
    assert client.get_policy(FunctionName=function.name)["Policy"].count('"same"') == 1
    assert len(client.list_function_event_invoke_configs(FunctionName=function.name)["FunctionEventInvokeConfigs"]) == 1
    assert function.invoke().payload == 1
    assert refused(client.invoke, FunctionName=function.name, Qualifier="1")[0] == "ResourceNotFoundException"


def test_the_deletion_of_a_version_that_is_not_there_does_nothing(function, client):
    """As measured on AWS: https://github.com/floci-io/floci/pull/2824."""
    assert client.delete_function(FunctionName=function.name, Qualifier="99")["StatusCode"] == 204
    assert function.invoke().payload == 1
