"""The configuration of function URLs, in AWS's words as localstack recorded them (TestLambdaUrl, November 2025)."""

import pytest
from localaws_client import refused

CODE = "def handler(event, context):\n    return 1\n"
NO_RESOURCE = "ResourceNotFoundException", "The resource you requested does not exist."
NO_FUNCTION = "ResourceNotFoundException", "Function does not exist"


@pytest.fixture
def function(clients, make_function):
    """A function with an alias."""
    made, client = make_function(CODE), clients("lambda")
    version = client.publish_version(FunctionName=made.name)["Version"]
    client.create_alias(FunctionName=made.name, Name="live", FunctionVersion=version)
    return made


@pytest.fixture
def client(clients):
    return clients("lambda")


def members(answer):
    return sorted(answer.keys() - {"ResponseMetadata"})


def test_the_members_of_the_answers(client, function):
    created = client.create_function_url_config(FunctionName=function.name, AuthType="NONE")
    assert members(created) == ["AuthType", "CreationTime", "FunctionArn", "FunctionUrl"]
    found = client.get_function_url_config(FunctionName=function.name)
    assert members(found) == [*members(created), "InvokeMode", "LastModifiedTime"]
    assert found["InvokeMode"] == "BUFFERED"
    of_alias = client.create_function_url_config(
        FunctionName=function.name, Qualifier="live", AuthType="NONE", InvokeMode="RESPONSE_STREAM"
    )
    assert of_alias["InvokeMode"] == "RESPONSE_STREAM"
    assert of_alias["FunctionArn"] == f"{created['FunctionArn']}:live"
    assert of_alias["FunctionUrl"] != created["FunctionUrl"]
    got = client.get_function_url_config(FunctionName=function.name, Qualifier="live")
    assert got["FunctionArn"] == of_alias["FunctionArn"]
    updated = client.update_function_url_config(
        FunctionName=function.name, InvokeMode="RESPONSE_STREAM", Cors={"MaxAge": 7}
    )
    assert (updated["InvokeMode"], updated["Cors"], updated["AuthType"]) == ("RESPONSE_STREAM", {"MaxAge": 7}, "NONE")


def test_deleting_one_leaves_the_other(client, function):
    for qualifier in ({}, {"Qualifier": "live"}):
        client.create_function_url_config(FunctionName=function.name, AuthType="NONE", **qualifier)
    client.delete_function_url_config(FunctionName=function.name)
    assert refused(client.get_function_url_config, FunctionName=function.name) == NO_RESOURCE
    assert refused(client.delete_function_url_config, FunctionName=function.name) == NO_RESOURCE
    assert refused(client.update_function_url_config, FunctionName=function.name, AuthType="NONE") == NO_RESOURCE
    client.get_function_url_config(FunctionName=function.name, Qualifier="live")


def test_lists_have_pages(client, function):
    assert client.list_function_url_configs(FunctionName=function.name)["FunctionUrlConfigs"] == []
    arns = [
        client.create_function_url_config(FunctionName=function.name, AuthType="NONE", **qualifier)["FunctionArn"]
        for qualifier in ({}, {"Qualifier": "live"})
    ]
    pages = client.get_paginator("list_function_url_configs").paginate(
        FunctionName=function.name, PaginationConfig={"PageSize": 1}
    )
    assert [[each["FunctionArn"] for each in page["FunctionUrlConfigs"]] for page in pages] == [[arn] for arn in arns]


def test_what_is_not_there(client, function):
    absent = {"FunctionName": "absent"}
    assert refused(client.list_function_url_configs, **absent) == NO_FUNCTION
    assert refused(client.create_function_url_config, **absent, AuthType="NONE") == NO_FUNCTION
    assert refused(client.get_function_url_config, **absent) == NO_RESOURCE
    no_alias = {"FunctionName": function.name, "Qualifier": "other"}
    assert refused(client.create_function_url_config, **no_alias, AuthType="NONE") == NO_FUNCTION


def test_there_is_one_for_each(client, function):
    arn = client.create_function_url_config(FunctionName=function.name, AuthType="NONE")["FunctionArn"]
    assert refused(client.create_function_url_config, FunctionName=function.name, AuthType="NONE") == (
        "ResourceConflictException",
        f"Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists "
        "for this Lambda function",
    )


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        (
            {"InvokeMode": "UNKNOWN"},
            "Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must satisfy enum value set: "
            "[RESPONSE_STREAM, BUFFERED]",
        ),
        (
            {"Qualifier": "$LATEST"},
            r"Value '$LATEST' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression "
            r"pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
        ),
        (
            {"Qualifier": "1"},
            r"Value '1' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression "
            r"pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
        ),
        (
            {"Cors": {"MaxAge": 86401}},
            "Value '86401' at 'cors.maxAge' failed to satisfy constraint: Member must have value less than or equal "
            "to 86400",
        ),
        (
            {"Cors": {"AllowMethods": ["OPTIONS"]}},
            "Value '[OPTIONS]' at 'cors.allowMethods' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must have length less than or equal to 6, Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: .*, Member must not be null]",
        ),
        (
            {"AuthType": "ALL"},
            "Value 'ALL' at 'authType' failed to satisfy constraint: Member must satisfy enum value set: "
            "[NONE, AWS_IAM]",
        ),
    ],
    ids=str,
)
def test_what_the_api_does_not_allow(client, function, parameters, problem):
    parameters = {"FunctionName": function.name, "AuthType": "NONE", **parameters}
    told = refused(client.create_function_url_config, **parameters)
    assert told == ("ValidationException", f"1 validation error detected: {problem}")
    client.create_function_url_config(FunctionName=function.name, AuthType="NONE")
    if "Qualifier" not in parameters:
        assert refused(client.update_function_url_config, **parameters) == told
