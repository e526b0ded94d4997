"""Rounds of operations that change something, or send something on; members.py says what a round is."""

import json
from typing import Any

from .members import (
    ELSEWHERE,
    Members,
    Round,
    new_alias,
    new_event_invoke,
    new_mapping,
    new_schedule,
    new_schedule_target,
    new_url,
    read_function,
    read_queue,
)
from .world import World, zipped

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555"


def _mapping(world: World) -> tuple[Members, Members]:
    needed, values = new_mapping(world)
    made = world.client("lambda").create_event_source_mapping(**needed)["UUID"]
    world.finally_("lambda", "delete_event_source_mapping", UUID=made)

    def ready() -> bool:
        return bool(world.lambda_("get_event_source_mapping", UUID=made)["State"] == "Enabled")

    world.eventually(ready)
    of_new_ones = ("StartingPositionTimestamp", "Tags", "Topics", "Queues", "SelfManagedEventSource")
    return {"UUID": made}, {
        **{name: value for name, value in values.items() if name not in of_new_ones},
        "FunctionName": ELSEWHERE,
    }


def _alias(world: World) -> tuple[Members, Members]:
    needed, values = new_alias(world)
    world.client("lambda").create_alias(**needed)
    name = {"FunctionName": needed["FunctionName"], "Name": needed["Name"]}
    return name, {**values, "FunctionVersion": "2", "RevisionId": ELSEWHERE}


def _url(world: World) -> tuple[Members, Members]:
    needed, values = new_url(world)
    world.client("lambda").create_function_url_config(**needed)
    return {"FunctionName": needed["FunctionName"]}, {**values, "AuthType": "AWS_IAM"}


def _event_invoke(world: World) -> tuple[Members, Members]:
    needed, values = new_event_invoke(world)
    world.client("lambda").put_function_event_invoke_config(FunctionName=needed["FunctionName"], MaximumRetryAttempts=2)
    return {"FunctionName": needed["FunctionName"]}, {**values, "MaximumRetryAttempts": 1}


def _code(world: World) -> tuple[Members, Members]:
    archive = zipped({"app.py": "handler = str"})
    return {"FunctionName": world.function(), "ZipFile": archive}, {
        "S3Bucket": ELSEWHERE,
        "S3Key": ELSEWHERE,
        "S3ObjectVersion": ELSEWHERE,
        "S3ObjectStorageMode": "REFERENCE",
        "ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/a:b",
        "Publish": ELSEWHERE,
        "PublishTo": "LATEST_PUBLISHED",
        "DryRun": ELSEWHERE,
        "RevisionId": ELSEWHERE,
        "Architectures": ["x86_64"],
        "SourceKMSKeyArn": KEY,
    }


def _schedule(world: World) -> tuple[Members, Members]:
    needed, values = new_schedule(world)
    world.client("scheduler").create_schedule(**needed)
    return needed, values


def _schedule_target(world: World) -> tuple[Members, Members]:
    needed, values = new_schedule_target(world)
    world.client("scheduler").create_schedule(**needed)
    return needed, values


def _queue(world: World) -> tuple[Members, Members]:
    attributes = {"VisibilityTimeout": "7", "DelaySeconds": "1", "MaximumMessageSize": "2048"}
    attributes |= {"MessageRetentionPeriod": "600", "ReceiveMessageWaitTimeSeconds": "3"}
    return {"QueueUrl": world.queue()[0]}, {"Attributes": attributes}


def _message(world: World) -> tuple[Members, Members]:
    return {"QueueUrl": world.queue()[0], "MessageBody": "body"}, {
        "DelaySeconds": ELSEWHERE,
        "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}},
        "MessageSystemAttributes": ELSEWHERE,
        "MessageDeduplicationId": ELSEWHERE,
        "MessageGroupId": ELSEWHERE,
    }


def _read_message(world: World, request: Members, answer: Members) -> Any:
    return world.call("sqs", "receive_message", QueueUrl=request["QueueUrl"], MessageAttributeNames=["All"])


def _group(world: World) -> str:
    name = world.name("group")
    world.client("logs").create_log_group(logGroupName=name)
    world.finally_("logs", "delete_log_group", logGroupName=name)
    return name


def _metric_filter(world: World) -> tuple[Members, Members]:
    metric = {"metricName": "a", "metricNamespace": "b", "metricValue": "1"}
    needed = {"logGroupName": _group(world), "filterName": "f", "filterPattern": "a"}
    return {**needed, "metricTransformations": [metric]}, {
        "applyOnTransformedLogs": True,
        "fieldSelectionCriteria": 'a = "b"',
        "emitSystemFieldDimensions": ["@aws.account"],
    }


def _metric_transformation(world: World) -> tuple[Members, Members]:
    needed, _ = _metric_filter(world)
    return {**needed, "filterPattern": "{ $.a = * }"}, {"defaultValue": 7.0, "dimensions": ELSEWHERE, "unit": "Seconds"}


def _subscription_filter(world: World) -> tuple[Members, Members]:
    function = world.function()
    let_in = {"StatementId": "logs", "Action": "lambda:InvokeFunction", "Principal": "logs.amazonaws.com"}
    world.client("lambda").add_permission(FunctionName=function, **let_in)
    arn = world.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    needed = {"logGroupName": _group(world), "filterName": "f", "filterPattern": "a", "destinationArn": arn}
    return needed, {
        "roleArn": world.role,
        "distribution": "Random",
        "applyOnTransformedLogs": True,
        "fieldSelectionCriteria": 'a = "b"',
        "emitSystemFields": ["@aws.account"],
    }


def _topic(world: World) -> tuple[Members, Members]:
    return {"Name": world.name("topic")}, {
        "Attributes": {"DisplayName": "shown"},
        "Tags": [{"Key": "a", "Value": "b"}],
        "DataProtectionPolicy": '{"Name": "a", "Version": "2021-06-01", "Statement": []}',
    }


def _read_topic(world: World, request: Members, answer: Members) -> Any:
    sns, arn = world.client("sns"), answer["TopicArn"]
    world.finally_("sns", "delete_topic", TopicArn=arn)
    return {
        **sns.get_topic_attributes(TopicArn=arn),
        "Tags": sns.list_tags_for_resource(ResourceArn=arn)["Tags"],
        "DataProtectionPolicy": world.call("sns", "get_data_protection_policy", ResourceArn=arn).get(
            "DataProtectionPolicy"
        ),
    }


def _subscription(world: World) -> tuple[Members, Members]:
    topic = world.client("sns").create_topic(Name=world.name("topic"))["TopicArn"]
    world.finally_("sns", "delete_topic", TopicArn=topic)
    values = {"FilterPolicy": json.dumps({"a": ["b"]}), "RawMessageDelivery": "true"}
    needed = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": world.queue()[1]}
    return needed, {"Attributes": values, "ReturnSubscriptionArn": ELSEWHERE}


def _read_subscription(world: World, request: Members, answer: Members) -> Any:
    return world.call("sns", "get_subscription_attributes", SubscriptionArn=answer["SubscriptionArn"])


def _read_of_function(operation: str, *names: str) -> Any:
    return lambda world, request, answer: world.lambda_(operation, **{name: request[name] for name in names})


ROUNDS = (
    Round("lambda", "UpdateEventSourceMapping", _mapping, _read_of_function("get_event_source_mapping", "UUID")),
    Round("lambda", "UpdateAlias", _alias, _read_of_function("get_alias", "FunctionName", "Name")),
    Round("lambda", "UpdateFunctionUrlConfig", _url, _read_of_function("get_function_url_config", "FunctionName")),
    Round(
        "lambda",
        "UpdateFunctionEventInvokeConfig",
        _event_invoke,
        _read_of_function("get_function_event_invoke_config", "FunctionName"),
    ),
    Round("lambda", "UpdateFunctionCode", _code, read_function),
    Round("sqs", "SetQueueAttributes", _queue, lambda w, r, a: read_queue(w, r, r)),
    Round("sqs", "SendMessage", _message, _read_message),
    Round(
        "logs",
        "PutMetricFilter",
        _metric_filter,
        lambda w, r, a: w.call("logs", "describe_metric_filters", logGroupName=r["logGroupName"]),
    ),
    Round(
        "logs",
        "PutMetricFilter",
        _metric_transformation,
        lambda w, r, a: w.call("logs", "describe_metric_filters", logGroupName=r["logGroupName"]),
        "metricTransformations",
    ),
    Round(
        "logs",
        "PutSubscriptionFilter",
        _subscription_filter,
        lambda w, r, a: w.call("logs", "describe_subscription_filters", logGroupName=r["logGroupName"]),
    ),
    Round(
        "scheduler", "UpdateSchedule", _schedule, lambda w, r, a: w.call("scheduler", "get_schedule", Name=r["Name"])
    ),
    Round(
        "scheduler",
        "UpdateSchedule",
        _schedule_target,
        lambda w, r, a: w.call("scheduler", "get_schedule", Name=r["Name"]),
        "Target",
    ),
    Round("sns", "CreateTopic", _topic, _read_topic),
    Round("sns", "Subscribe", _subscription, _read_subscription),
)
