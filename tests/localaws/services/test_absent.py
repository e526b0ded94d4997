"""What MiniStack would ignore is refused by a sentence that names it."""

import pytest
from localaws_client import refused

TABLE = {
    "TableName": "absent",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ALARM = {"AlarmName": "absent", "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
METRIC = {"MetricName": "Errors", "Namespace": "AWS/Lambda", "Statistic": "Sum", "Period": 60}
STATISTIC = {"Metric": {"MetricName": "Errors", "Namespace": "AWS/Lambda"}, "Period": 60, "Stat": "Sum"}


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("WarmThroughput", {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000}),
        ("ResourcePolicy", '{"Version": "2012-10-17", "Statement": []}'),
        ("GlobalTableSourceArn", "arn:aws:dynamodb:eu-west-1:000000000000:table/a"),
    ],
)
def test_a_table_with_what_is_not_here_is_not_made(clients, member, value):
    client = clients("dynamodb")
    code, message = refused(client.create_table, **TABLE, **{member: value})
    assert code == "ValidationException" and message.endswith(f"not in the embedded AWS; leave {member} out.")
    assert "absent" not in client.list_tables()["TableNames"]


def test_a_policy_of_a_table_that_nobody_would_ask_is_not_taken(clients):
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/any"
    _, message = refused(clients("dynamodb").put_resource_policy, ResourceArn=arn, Policy="{}")
    assert message == "A policy of a table is not in the embedded AWS, and so PutResourcePolicy is not."


@pytest.mark.parametrize(
    "members",
    [
        {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}, **METRIC},
        {"ActionConfiguration": {"AlarmTagsPropagation": {"Enabled": True}}, **METRIC},
        {"Metrics": [{"Id": "e", "MetricStat": STATISTIC, "ReturnData": True}]},
    ],
    ids=lambda members: next(iter(members)),
)
def test_an_alarm_that_would_never_look_at_what_is_asked_is_not_made(clients, members):
    client, member = clients("cloudwatch"), next(iter(members))
    _, message = refused(client.put_metric_alarm, **ALARM, **members)
    assert message.endswith(f"not in the embedded AWS; leave {member} out.")
    assert client.describe_alarms(AlarmNames=["absent"])["MetricAlarms"] == []


def test_a_topic_with_a_policy_that_nobody_would_apply_is_not_made(clients):
    policy = '{"Name": "a", "Version": "2021-06-01", "Statement": []}'
    _, message = refused(clients("sns").create_topic, Name="absent", DataProtectionPolicy=policy)
    assert message == "A data protection policy is not in the embedded AWS; leave DataProtectionPolicy out."
