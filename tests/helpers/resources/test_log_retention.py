"""The logs of a function that is made on AWS are kept for a week, whoever creates it."""

import json

import boto3
import pytest
from aws_answers import answer
from botocore.exceptions import ClientError

from helpers.connect import Workshop

CALL = {"FunctionName": "ada-f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": b"x"}}


@pytest.fixture
def make(monkeypatch, tmp_path):
    """What makes a client of Lambda whose AWS gives these answers, and keeps what CloudWatch Logs was asked."""
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))

    def make(target: str, created: dict, status: int = 201, group_is_there: bool = False):
        asked: list[tuple[str, dict]] = []

        def respond(request, **_):
            target = (request.headers.get("X-Amz-Target") or b"").decode()
            if "Logs" in target:
                operation = target.rpartition(".")[2]
                body = json.loads(request.body)
                if operation != "DescribeLogGroups":  # the ledger's question
                    asked.append((operation, body))
                if operation == "CreateLogGroup" and group_is_there:
                    refused = {"__type": "ResourceAlreadyExistsException", "message": "it is there"}
                    return answer(request.url, 400, json.dumps(refused).encode())
                return answer(request.url, 200, b'{"logGroups": []}')
            if request.method == "GET":
                return answer(request.url, 404, x_amzn_errortype="ResourceNotFoundException")
            refused = {} if status == 201 else {"x_amzn_errortype": "InvalidParameterValueException"}
            return answer(request.url, status, json.dumps(created).encode(), **refused)

        session = boto3.Session("x", "x", region_name="eu-west-1")
        session.events.register("before-send", respond)
        return Workshop(session, target, account="123456789012").client("lambda"), asked

    return make


@pytest.mark.parametrize("is_there", [False, True])
def test_for_a_week(make, is_there):
    client, asked = make("aws", {"FunctionName": "ada-f"}, group_is_there=is_there)
    client.create_function(**CALL)
    assert [operation for operation, _ in asked] == ["CreateLogGroup", "PutRetentionPolicy"]
    assert {body["logGroupName"] for _, body in asked} == {"/aws/lambda/ada-f"}
    assert asked[0][1]["tags"]["workshop"] == "lambda"
    assert asked[1][1]["retentionInDays"] == 7


def test_in_the_log_group_that_the_function_names(make):
    client, asked = make("aws", {"FunctionName": "ada-f", "LoggingConfig": {"LogGroup": "own"}})
    client.create_function(**CALL)
    assert {body["logGroupName"] for _, body in asked} == {"own"}


def test_not_of_a_function_that_aws_refuses(make):
    client, asked = make("aws", {"message": "no"}, status=400)
    with pytest.raises(ClientError):
        client.create_function(**CALL)
    assert asked == []


def test_an_emulator_forgets_by_itself(make):
    client, asked = make("emulator", {"FunctionName": "ada-f"})
    client.create_function(**CALL)
    assert asked == []
