"""Subscription filters: log events reach a function, packed as on AWS, if it lets CloudWatch Logs in."""

import base64
import gzip
import json
import time

import pytest
from localaws_client import eventually, refused

HANDLER = "import json\ndef handler(event, context):\n    print('GOT ' + json.dumps(event))\n"
INVALID = "InvalidParameterException"


@pytest.fixture
def group(clients):
    client, name = clients("logs"), "/test/subscriptions"
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="s")
    yield name
    client.delete_log_group(logGroupName=name)


@pytest.fixture
def subscribe(clients, group):
    def subscribed(function, name="f", pattern="ERROR", log_group=group):
        clients("logs").put_subscription_filter(
            logGroupName=log_group, filterName=name, filterPattern=pattern, destinationArn=arn_of(clients, function)
        )

    return subscribed


def arn_of(clients, function):
    return clients("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]


def put(clients, group, *messages):
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    clients("logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


def got(function):
    """What the events of all its invocations hold."""
    packed = [json.loads(line[4:])["awslogs"]["data"] for line in function.messages() if line.startswith("GOT ")]
    return [json.loads(gzip.decompress(base64.b64decode(each))) for each in packed]


def test_events_that_fit_are_sent(make_function, clients, group, subscribe):
    function = make_function(HANDLER)
    function.let_in("logs", SourceArn=f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*")
    subscribe(function)
    put(clients, group, "ERROR 1", "fine", "ERROR 2")
    (content,) = eventually(lambda: got(function))
    found = clients("logs").filter_log_events(logGroupName=group, filterPattern="ERROR")["events"]
    assert content == {
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": group,
        "logStream": "s",
        "subscriptionFilters": ["f"],
        "logEvents": [
            {"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]} for event in found
        ],
    }
    assert [event["message"] for event in content["logEvents"]] == ["ERROR 1", "ERROR 2"]


def test_the_log_of_a_function_is_sent_to_another(make_function, clients, subscribe):
    watched = make_function("def handler(event, context):\n    raise ValueError('no')\n")
    watcher = make_function(HANDLER)
    log_group = f"/aws/lambda/{watched.name}"
    clients("logs").create_log_group(logGroupName=log_group)
    watcher.let_in("logs")
    subscribe(watcher, pattern="ValueError", log_group=log_group)
    watched.invoke({"not": "for the watcher"})
    content = eventually(lambda: got(watcher))[0]
    assert content["logGroup"] == log_group
    assert all("ValueError" in event["message"] for event in content["logEvents"])


def test_a_function_that_lets_nobody_in_is_refused(make_function, clients, group, subscribe):
    function = make_function(HANDLER)
    denied = (
        INVALID,
        "Could not execute the lambda function. "
        "Make sure you have given CloudWatch Logs permission to execute your function.",
    )
    assert refused(subscribe, function=function) == denied
    function.let_in("logs", SourceArn="arn:aws:logs:us-east-1:000000000000:log-group:/another:*")
    assert refused(subscribe, function=function) == denied
    clients("lambda").remove_permission(FunctionName=function.name, StatementId="logs")
    clients("lambda").add_permission(
        FunctionName=function.name,
        StatementId="regional",
        Action="lambda:InvokeFunction",
        Principal="logs.us-east-1.amazonaws.com",
    )
    subscribe(function)
    clients("lambda").remove_permission(FunctionName=function.name, StatementId="regional")
    put(clients, group, "ERROR")
    assert function.metric("AsyncEventsReceived") == 0


def test_a_group_has_two_filters_at_most(make_function, clients, group, subscribe):
    function = make_function(HANDLER)
    function.let_in("logs")
    for name in ("one", "two", "two"):
        subscribe(function, name)
    assert refused(subscribe, function=function, name="three") == ("LimitExceededException", "Resource limit exceeded.")
    filters = clients("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert [(each["filterName"], each["distribution"]) for each in filters] == [
        ("one", "ByLogStream"),
        ("two", "ByLogStream"),
    ]
    assert "roleArn" not in filters[0]
    clients("logs").delete_subscription_filter(logGroupName=group, filterName="one")
    subscribe(function, "three")


def test_what_else_is_refused(make_function, clients, group, subscribe):
    function = make_function(HANDLER)
    function.let_in("logs")
    own = f"/aws/lambda/{function.name}"
    function.invoke({"awslogs": {"data": ""}})
    assert refused(subscribe, function=function, log_group=own)[1].startswith("The log group provided is reserved")
    assert refused(subscribe, function=function, pattern="{") == (INVALID, "Invalid filter pattern")
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    assert refused(
        clients("logs").put_subscription_filter,
        logGroupName=group,
        filterName="f",
        filterPattern="",
        destinationArn=stream,
    ) == (INVALID, f"The embedded AWS sends log events to functions alone, not to {stream}.")
    assert refused(clients("logs").delete_subscription_filter, logGroupName=group, filterName="no") == (
        "ResourceNotFoundException",
        "The specified subscription filter does not exist.",
    )
