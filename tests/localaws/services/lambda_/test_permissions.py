"""Permissions of functions, versions and aliases, as recorded on AWS: localstack's TestLambdaPermissions, 2025."""

import json

import pytest
from botocore.exceptions import ClientError

CODE = "def handler(event, context):\n    return 1\n"
STALE = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest "
    "Revision Id"
)


@pytest.fixture
def client(clients):
    return clients("lambda")


@pytest.fixture
def function(make_function):
    return make_function(CODE)


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


def add(client, function, sid="s3", principal="s3.amazonaws.com", **more):
    answer = client.add_permission(
        FunctionName=function.name, StatementId=sid, Action="lambda:InvokeFunction", Principal=principal, **more
    )
    return json.loads(answer["Statement"])


def statements(client, function, **more):
    return json.loads(client.get_policy(FunctionName=function.name, **more)["Policy"])["Statement"]


@pytest.mark.parametrize(
    ("principal", "told"),
    [
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
        ("alexa-appkit.amazon.com", {"Service": "alexa-appkit.amazon.com"}),
        ("*", "*"),
        ("111111111111", {"AWS": "arn:aws:iam::111111111111:root"}),
        ("arn:aws:iam::111111111111:user/someone", {"AWS": "arn:aws:iam::111111111111:user/someone"}),
    ],
)
def test_a_principal(client, function, principal, told):
    statement = add(client, function, principal=principal)
    assert statement["Principal"] == told
    assert statements(client, function) == [statement]


@pytest.mark.parametrize("principal", ["nobody", "s3.example.com", "amazonaws.com", "s3.amazonaws.com.example.com"])
def test_a_principal_that_is_none(client, function, principal):
    assert refused(add, client=client, function=function, principal=principal) == (
        "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.",
    )


def test_a_function_its_version_and_its_alias_have_policies_of_their_own(client, function):
    """test_lambda_permission_fn_versioning"""
    client.publish_version(FunctionName=function.name)
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    for more in ({}, {"Qualifier": "1"}, {"Qualifier": "live"}):
        assert refused(client.get_policy, FunctionName=function.name, **more) == (
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
        )
        statement = add(client, function, **more)
        assert statement["Sid"] == "s3" and statements(client, function, **more) == [statement]
    revisions = {
        client.get_policy(FunctionName=function.name, **more)["RevisionId"]
        for more in ({}, {"Qualifier": "1"}, {"Qualifier": "live"})
    }
    assert len(revisions) == 3
    client.remove_permission(FunctionName=function.name, StatementId="s3")
    assert len(statements(client, function, Qualifier="1")) == len(statements(client, function, Qualifier="live")) == 1


def test_a_statement_that_is_there_or_is_not(client, function):
    """test_remove_multi_permissions"""
    remove, missing = client.remove_permission, "ResourceNotFoundException"
    assert refused(remove, FunctionName=function.name, StatementId="s3") == (
        missing,
        "No policy is associated with the given resource.",
    )
    code, message = refused(remove, FunctionName="missing", StatementId="s3")
    assert code == missing and message.startswith("No policy found for: arn:") and message.endswith(":missing")
    add(client, function)
    assert refused(add, client=client, function=function) == (
        "ResourceConflictException",
        "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing "
        "statement.",
    )
    assert refused(remove, FunctionName=function.name, StatementId="non-existent") == (
        missing,
        "Statement non-existent is not found in resource policy.",
    )
    remove(FunctionName=function.name, StatementId="s3")
    assert refused(client.get_policy, FunctionName=function.name)[0] == missing


def test_a_policy_has_a_revision(client, function):
    add(client, function)
    before = client.get_policy(FunctionName=function.name)["RevisionId"]
    assert refused(add, client=client, function=function, sid="two", RevisionId="another") == (
        "PreconditionFailedException",
        STALE,
    )
    add(client, function, sid="two", RevisionId=before)
    after = client.get_policy(FunctionName=function.name)["RevisionId"]
    assert after != before
    found = refused(client.remove_permission, FunctionName=function.name, StatementId="two", RevisionId=before)
    assert found == ("PreconditionFailedException", STALE)
    client.remove_permission(FunctionName=function.name, StatementId="two", RevisionId=after)


def test_nothing_is_for_latest_alone(client, function):
    assert refused(add, client=client, function=function, Qualifier="$LATEST") == (
        "InvalidParameterValueException",
        "We currently do not support adding policies for $LATEST.",
    )
