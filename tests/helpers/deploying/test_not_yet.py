"""What AWS refuses for some seconds after a role or a policy was made is tried again, and nothing else is."""

import json

import boto3
import botocore.endpoint
import pytest
from aws_answers import answer
from botocore.exceptions import ClientError

from helpers.connect import Workshop
from helpers.deploying import not_yet

ROLE = "The role defined for the function cannot be assumed by Lambda."
CALLS = {  # a call of each operation, and all of what AWS answers it meanwhile
    "lambda.CreateFunction": (
        lambda aws: aws("lambda").create_function(FunctionName="f", Role="arn:aws:iam::000000000000:role/r", Code={}),
        ROLE,
    ),
    "lambda.UpdateFunctionConfiguration": (
        lambda aws: aws("lambda").update_function_configuration(FunctionName="f"),
        ROLE,
    ),
    "lambda.CreateEventSourceMapping": (
        lambda aws: aws("lambda").create_event_source_mapping(FunctionName="f"),
        "The function execution role does not have permissions to call ReceiveMessage on SQS",
    ),
    "lambda.PutFunctionEventInvokeConfig": (
        lambda aws: aws("lambda").put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0),
        "The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:eu-west-1:1:q",
    ),
    "s3.PutBucketNotificationConfiguration": (
        lambda aws: aws("s3").put_bucket_notification_configuration(Bucket="b", NotificationConfiguration={}),
        "Unable to validate the following destination configurations",
    ),
    "scheduler.CreateSchedule": (
        lambda aws: aws("scheduler").create_schedule(
            Name="s",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "a", "RoleArn": "arn:aws:iam::000000000000:role/r"},
        ),
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    "sqs.CreateQueue": (
        lambda aws: aws("sqs").create_queue(QueueName="q"),
        "You must wait 60 seconds after deleting a queue before you can create another queue with the same name.",
    ),
    "sfn.CreateStateMachine": (
        lambda aws: aws("stepfunctions").create_state_machine(name="m", definition="{}", roleArn="a"),
        "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
        "provided role.",
    ),
}


@pytest.fixture
def aws(monkeypatch):
    """What makes a client of an AWS that refuses with each of some messages, and then answers; its pauses and calls."""
    pauses: list[float] = []
    monkeypatch.setattr(botocore.endpoint.time, "sleep", pauses.append)
    refusals: list[str] = []
    sent: list[str] = []

    def respond(request, **_):
        sent.append(request.url)
        if not refusals:
            return answer(request.url)
        message = refusals.pop(0)
        if "//s3." in request.url:
            text = f"<Error><Code>InvalidArgument</Code><Message>{message}</Message></Error>"
        else:
            text = json.dumps({"message": message, "__type": "ValidationException"})
        return answer(request.url, 400, text.encode())

    session = boto3.Session("x", "x", region_name="eu-west-1")
    session.events.register("before-send", respond)
    not_yet.register(session.events)
    return session.client, refusals, pauses, sent


@pytest.mark.parametrize("operation", not_yet.MESSAGES)
def test_what_is_refused_for_a_moment_is_tried_again(operation, aws):
    client, refusals, pauses, sent = aws
    call, message = CALLS[operation]
    refusals += [message, message]
    call(client)
    assert (pauses, len(sent)) == ([not_yet.PAUSE_S] * 2, 3)


@pytest.mark.parametrize("operation", not_yet.MESSAGES)
def test_what_is_refused_for_good_ends_with_the_answer_of_aws(operation, aws):
    client, refusals, pauses, sent = aws
    call, message = CALLS[operation]
    refusals += [message] * not_yet.TRIES
    with pytest.raises(ClientError) as caught:
        call(client)
    assert caught.value.response["Error"]["Message"] == message
    assert (len(pauses), len(sent)) == (not_yet.TRIES - 1, not_yet.TRIES)


@pytest.mark.parametrize("operation", not_yet.MESSAGES)
def test_no_other_refusal_is_tried_again(operation, aws):
    client, refusals, pauses, sent = aws
    refusals.append("The runtime is not supported.")
    with pytest.raises(ClientError):
        CALLS[operation][0](client)
    assert (pauses, len(sent)) == ([], 1)


@pytest.mark.parametrize(("target", "pause"), [("embedded", None), ("emulator", 5.0), ("aws", 5.0)])
def test_an_aws_that_is_not_embedded_is_asked_again(target, pause):
    session = boto3.Session("x", "x", region_name="eu-west-1")
    Workshop(session, target, None if target == "aws" else "http://127.0.0.1:9")
    said = (None, {"Error": {"Message": ROLE}})
    asked = {"response": said, "attempts": 1, "caught_exception": None}
    answers = session.events.emit("needs-retry.lambda.CreateFunction", **asked)
    assert [answer for _, answer in answers] == [pause]
