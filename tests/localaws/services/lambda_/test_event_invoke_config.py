"""What is set for asynchronous invocation, as recorded on AWS: localstack's TestLambdaEventInvokeConfig, 2025."""

import pytest
from botocore.exceptions import ClientError

CODE = "def handler(event, context):\n    return 1\n"
INVALID, MISSING = "InvalidParameterValueException", "ResourceNotFoundException"
EMPTY = {"OnSuccess": {}, "OnFailure": {}}


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


def settings(answer):
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "LastModified")}


def arn_of(client, function):
    return client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]


def test_what_is_not_set_is_not_told(client, function):
    """test_lambda_eventinvokeconfig_lifecycle"""
    arn, name = f"{arn_of(client, function)}:$LATEST", function.name
    told = {"FunctionArn": arn, "DestinationConfig": EMPTY}
    put, update = client.put_function_event_invoke_config, client.update_function_event_invoke_config
    assert settings(put(FunctionName=name, MaximumRetryAttempts=0)) == {**told, "MaximumRetryAttempts": 0}
    assert settings(put(FunctionName=name, MaximumEventAgeInSeconds=60)) == {**told, "MaximumEventAgeInSeconds": 60}
    both = {**told, "MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1}
    assert settings(update(FunctionName=name, MaximumRetryAttempts=1)) == both
    assert settings(client.get_function_event_invoke_config(FunctionName=name)) == both
    assert settings(client.get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")) == both
    (listed,) = client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    assert settings(listed) == both
    client.delete_function_event_invoke_config(FunctionName=name)
    assert client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"] == []


def test_what_cannot_be_set(client, function, make_function):
    """test_lambda_eventinvokeconfig_exceptions"""
    put, arn = client.put_function_event_invoke_config, arn_of(client, function)
    assert refused(put, FunctionName="missing", MaximumRetryAttempts=0) == (MISSING, "The function doesn't exist.")
    assert refused(put, FunctionName=function.name, Qualifier="live", MaximumRetryAttempts=0)[0] == MISSING
    nothing = "You must specify at least one of error handling or destination setting."
    assert refused(put, FunctionName=function.name) == (INVALID, nothing)

    def destination(target, place="OnFailure"):
        return {"FunctionName": function.name, "DestinationConfig": {place: {"Destination": target}}}

    itself = "You can't specify the function as a destination for itself."
    assert refused(put, **destination(arn)) == (INVALID, itself)
    for target in (arn + "-missing", arn.replace("lambda", "sqs").replace("function:", "")):
        assert refused(put, **destination(target)) == (INVALID, f"The destination ARN {target} is invalid.")
    target = arn.replace(":lambda:", ":iam:")
    assert refused(put, **destination(target, "OnSuccess")) == (
        INVALID,
        "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
        f"{target}), onFailure=null) is invalid.",
    )
    other = arn_of(client, make_function(CODE))
    answer = put(**destination(other, "OnSuccess"))
    assert answer["DestinationConfig"] == {"OnSuccess": {"Destination": other}, "OnFailure": {}}
    assert put(FunctionName=function.name, DestinationConfig={"OnFailure": {}})["DestinationConfig"] == EMPTY


def test_where_nothing_is_set(client, function):
    for name in (function.name, "missing"):
        for operation in ("get_function_event_invoke_config", "delete_function_event_invoke_config"):
            code, message = refused(getattr(client, operation), FunctionName=name)
            assert code == MISSING
            assert message.endswith(f":function:{name}:$LATEST doesn't have an EventInvokeConfig")
    code, message = refused(client.update_function_event_invoke_config, FunctionName="missing", MaximumRetryAttempts=1)
    assert (code, message) == (MISSING, "The function doesn't exist.")
    found = refused(client.list_function_event_invoke_configs, FunctionName="missing")
    assert found == (MISSING, "The function doesn't exist.")


def test_they_are_listed_in_pages(client, function):
    client.publish_version(FunctionName=function.name)
    for more in ({}, {"Qualifier": "1"}):
        client.put_function_event_invoke_config(FunctionName=function.name, MaximumRetryAttempts=0, **more)
    pages = client.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName=function.name, PaginationConfig={"PageSize": 1}
    )
    found = [[each["FunctionArn"].rpartition(":")[2] for each in page["FunctionEventInvokeConfigs"]] for page in pages]
    assert found == [["$LATEST"], ["1"]]


def test_a_bucket_is_no_destination_here(client, function):
    wanted = {"OnFailure": {"Destination": "arn:aws:s3:::any"}}
    code, message = refused(
        client.put_function_event_invoke_config, FunctionName=function.name, DestinationConfig=wanted
    )
    assert code == INVALID
    assert message.startswith("A bucket as a destination is not in the embedded AWS;")
