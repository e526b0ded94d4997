"""What no model of AWS allows in the JSON protocol is refused by name, whatever MiniStack would make of it."""

import json

import pytest
from localaws_client import signed

TARGETS = {
    "events": ("events", "AWSEvents"),
    "logs": ("logs", "Logs_20140328"),
    "dynamodb": ("dynamodb", "DynamoDB_20120810"),
    "streams": ("dynamodb", "DynamoDBStreams_20120810"),
    "sqs": ("sqs", "AmazonSQS"),
    "states": ("states", "AWSStepFunctions"),
    "cloudwatch": ("monitoring", "GraniteServiceVersion20100801"),
}
ALARM = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
LINES = {"filterPattern": "a", "logEventMessages": [None]}
OPERATIONS = [
    ("events", "PutEvents"),
    ("events", "PutRule"),
    ("logs", "CreateLogGroup"),
    ("logs", "PutLogEvents"),
    ("logs", "GetQueryResults"),
    ("dynamodb", "PutItem"),
    ("streams", "DescribeStream"),
    ("sqs", "SendMessage"),
    ("states", "StartExecution"),
    ("cloudwatch", "PutMetricAlarm"),
]


@pytest.fixture
def refused(embedded_aws):
    def answer(service, operation, body):
        scope, prefix = TARGETS[service]
        kind = {"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        sent = body if isinstance(body, bytes) else json.dumps(body)
        response = signed(embedded_aws, "POST", "/", sent, scope, **kind)
        told = response.json()
        assert response.status_code == 400, told
        return told["__type"].rpartition("#")[2], told.get("message") or told.get("Message")

    return answer


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
@pytest.mark.parametrize("body", [b"{", b"\xff", b"null", b"[]", b'"x"', b"1", b'{"a": NaN}'])
def test_a_body_that_is_no_structure(refused, service, operation, body):
    assert refused(service, operation, body)[0] == "SerializationException"


@pytest.mark.parametrize(
    ("service", "operation", "members", "message"),
    [
        ("events", "PutEvents", {"Entries": "x"}, "STRING_VALUE can not be converted to a List"),
        ("events", "PutEvents", {"Entries": ["x"]}, "STRING_VALUE can not be converted to a Structure"),
        ("events", "PutRule", {"Name": True}, "TRUE_VALUE can not be converted to a String"),
        ("events", "PutRule", {"Name": "r", "Tags": [{"Key": 1}]}, "NUMBER_VALUE can not be converted to a String"),
        ("logs", "CreateLogGroup", {"logGroupName": ["x"]}, "START_ARRAY can not be converted to a String"),
        ("logs", "CreateLogGroup", {"logGroupName": "g", "tags": "x"}, "STRING_VALUE can not be converted to a Map"),
        ("logs", "GetQueryResults", {"queryId": {}}, "START_OBJECT can not be converted to a String"),
        ("dynamodb", "Scan", {"TableName": "t", "Limit": "10"}, "STRING_VALUE can not be converted to an Integer"),
        (
            "dynamodb",
            "PutItem",
            {"TableName": "t", "Item": {"k": {"N": 1}}},
            "NUMBER_VALUE can not be converted to a String",
        ),
        ("sqs", "ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": "1"}, "STRING_VALUE can not be converted to an"),
    ],
)
def test_a_member_of_another_type(refused, service, operation, members, message):
    code, said = refused(service, operation, members)
    assert code == "SerializationException"
    assert said.startswith(message)


@pytest.mark.parametrize(
    ("service", "operation", "members", "code", "places"),
    [
        ("events", "PutEvents", {}, "ValidationException", ["entries"]),
        ("events", "PutTargets", {"Rule": "r", "Targets": [{}]}, "ValidationException", ["targets.1.member.id", "arn"]),
        ("logs", "PutLogEvents", {"logGroupName": "g"}, "InvalidParameterException", ["logStreamName", "logEvents"]),
        ("dynamodb", "PutItem", {"TableName": "t"}, "ValidationException", ["item"]),
        ("states", "StartExecution", {}, "ValidationException", ["stateMachineArn"]),
        ("states", "StartExecution", {"stateMachineArn": None}, "ValidationException", ["stateMachineArn"]),
        ("cloudwatch", "PutMetricAlarm", {}, "ValidationError", ["alarmName"]),
        ("logs", "TestMetricFilter", LINES, "InvalidParameterException", ["logEventMessages.1.member"]),
    ],
)
def test_a_member_that_is_missing(refused, service, operation, members, code, places):
    found, said = refused(service, operation, members)
    assert found == code
    assert all(f"{place}' failed to satisfy constraint: Member must not be null" in said for place in places)


@pytest.mark.parametrize(
    ("service", "operation", "members", "bound"),
    [
        ("states", "ListExecutions", {"maxResults": -1}, "greater than or equal to 0"),
        ("logs", "DescribeLogGroups", {"limit": 51}, "less than or equal to 50"),
        ("dynamodb", "ListTables", {"Limit": 0}, "greater than or equal to 1"),
        ("cloudwatch", "DescribeAlarms", {"MaxRecords": 101}, "less than or equal to 100"),
    ],
)
def test_a_number_out_of_range(refused, service, operation, members, bound):
    (name, number), *_ = members.items()
    _, said = refused(service, operation, members)
    assert said == (
        f"1 validation error detected: Value '{number}' at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: "
        f"Member must have value {bound}"
    )


@pytest.mark.parametrize(
    ("service", "operation", "members"),
    [
        ("logs", "DescribeLogGroups", {"limit": None, "nextToken": None}),
        ("events", "ListEventBuses", {"NamePrefix": None}),
        ("states", "ListStateMachines", {"maxResults": None}),
        ("sqs", "ListQueues", {"MaxResults": None, "QueueNamePrefix": None}),
        ("cloudwatch", "DescribeAlarms", {"AlarmNames": None, "MaxRecords": None}),
    ],
)
def test_a_member_that_is_null_is_not_there(embedded_aws, service, operation, members):
    scope, prefix = TARGETS[service]
    kind = {"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    response = signed(embedded_aws, "POST", "/", json.dumps(members), scope, **kind)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("service", "operation", "members", "place"),
    [
        ("cloudwatch", "PutMetricAlarm", {**ALARM, "ComparisonOperator": "Foo"}, "comparisonOperator"),
        ("cloudwatch", "PutMetricAlarm", {**ALARM, "Statistic": "Foo"}, "statistic"),
        ("logs", "CreateLogGroup", {"logGroupName": "g", "logGroupClass": "Foo"}, "logGroupClass"),
        ("events", "PutRule", {"Name": "r", "ScheduleExpression": "rate(1 day)", "State": "Foo"}, "state"),
        ("states", "ListExecutions", {"statusFilter": "Foo"}, "statusFilter"),
    ],
)
def test_a_word_that_a_member_does_not_know(refused, service, operation, members, place):
    code, message = refused(service, operation, members)
    assert code.startswith(("Validation", "InvalidParameter"))
    assert f"Value 'Foo' at '{place}' failed to satisfy constraint: Member must satisfy enum value set: [" in message


def test_what_a_model_allows_is_not_looked_at_further(clients):
    """Numbers for times and with fractions, members that are null, and those that no model has."""
    logs, name = clients("logs"), "/of/a/test"
    logs.create_log_group(logGroupName=name, tags={"a": "b"})
    try:
        found = logs.filter_log_events(logGroupName=name, startTime=0, interleaved=True)
        assert found["events"] == []
    finally:
        logs.delete_log_group(logGroupName=name)
