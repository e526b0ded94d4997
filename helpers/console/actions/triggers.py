"""Triggers: what invokes a function, and the permission that AWS needs for it."""

import json
from contextlib import suppress
from typing import Any

from ...connect import Workshop

# S3


def list_buckets(workshop: Workshop, prefix: str) -> Any:
    buckets = workshop.client("s3").list_buckets()["Buckets"]
    return [each["Name"] for each in buckets if each["Name"].startswith(prefix)]


def list_notifications(workshop: Workshop, buckets: list[str]) -> Any:
    s3 = workshop.client("s3")
    found = {
        name: s3.get_bucket_notification_configuration(Bucket=name) for name in buckets
    }
    return {
        name: each.get("LambdaFunctionConfigurations", []) for name, each in found.items()
    }


def create_bucket(workshop: Workshop, bucket: str) -> Any:
    place = {"LocationConstraint": workshop.region}
    elsewhere = (
        {} if workshop.region == "us-east-1" else {"CreateBucketConfiguration": place}
    )
    workshop.client("s3").create_bucket(Bucket=bucket, **elsewhere)


def add_s3_trigger(
    workshop: Workshop,
    function_name: str,
    bucket: str,
    s3_event: str,
    prefix: str,
    suffix: str,
) -> Any:
    lambda_client, s3 = workshop.client("lambda"), workshop.client("s3")
    function_arn = lambda_client.get_function_configuration(FunctionName=function_name)[
        "FunctionArn"
    ]
    with suppress(
        lambda_client.exceptions.ResourceConflictException
    ):  # the permission is there already
        lambda_client.add_permission(
            FunctionName=function_name,
            StatementId=f"s3-{bucket.replace('.', '-')}",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:{workshop.partition}:s3:::{bucket}",
            SourceAccount=function_arn.split(":")[4],
        )
    notifications = s3.get_bucket_notification_configuration(Bucket=bucket)
    del notifications["ResponseMetadata"]
    trigger = {"LambdaFunctionArn": function_arn, "Events": [s3_event]}
    wanted = {"prefix": prefix, "suffix": suffix}
    if rules := [{"Name": name, "Value": value} for name, value in wanted.items() if value]:
        trigger["Filter"] = {"Key": {"FilterRules": rules}}
    notifications.setdefault("LambdaFunctionConfigurations", []).append(trigger)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=notifications
    )


def remove_s3_trigger(
    workshop: Workshop, function_name: str, bucket: str, notification_id: str
) -> Any:
    lambda_client, s3 = workshop.client("lambda"), workshop.client("s3")
    notifications = s3.get_bucket_notification_configuration(Bucket=bucket)
    del notifications["ResponseMetadata"]
    triggers = notifications.get("LambdaFunctionConfigurations", [])
    kept = [each for each in triggers if each["Id"] != notification_id]
    notifications["LambdaFunctionConfigurations"] = kept
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=notifications
    )
    if not any(function_name in each["LambdaFunctionArn"].split(":") for each in kept):
        with suppress(
            lambda_client.exceptions.ResourceNotFoundException
        ):  # its permission has another name
            lambda_client.remove_permission(
                FunctionName=function_name, StatementId=f"s3-{bucket.replace('.', '-')}"
            )


def put_object(workshop: Workshop, bucket: str, key: str, body: bytes) -> Any:
    workshop.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


# SQS


def list_queues(workshop: Workshop, prefix: str) -> Any:
    pages = (
        workshop.client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
    )
    return [url.rpartition("/")[2] for page in pages for url in page.get("QueueUrls", [])]


def list_mappings(workshop: Workshop, function_name: str) -> Any:
    pages = (
        workshop.client("lambda")
        .get_paginator("list_event_source_mappings")
        .paginate(FunctionName=function_name)
    )
    return [each for page in pages for each in page["EventSourceMappings"]]


def create_queue(workshop: Workshop, queue: str) -> Any:
    return workshop.client("sqs").create_queue(QueueName=queue)["QueueUrl"]


def add_sqs_trigger(
    workshop: Workshop, function_name: str, queue: str, batch_size: int
) -> Any:
    sqs = workshop.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]
    mapping = workshop.client("lambda").create_event_source_mapping(
        FunctionName=function_name,
        EventSourceArn=attributes["QueueArn"],
        BatchSize=batch_size,
    )
    return mapping["UUID"]


def remove_mapping(workshop: Workshop, uuid: str) -> Any:
    workshop.client("lambda").delete_event_source_mapping(UUID=uuid)


def send_message(workshop: Workshop, queue: str, body: str) -> Any:
    sqs = workshop.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]


# Schedules


def list_rules(workshop: Workshop, function_arn: str) -> Any:
    events = workshop.client("events")
    names = events.list_rule_names_by_target(TargetArn=function_arn)["RuleNames"]
    return [events.describe_rule(Name=name) for name in names]


def list_schedules(workshop: Workshop, function_arn: str, prefix: str) -> Any:
    scheduler = workshop.client("scheduler")
    pages = scheduler.get_paginator("list_schedules").paginate(NamePrefix=prefix)
    schedules = [
        each
        for page in pages
        for each in page["Schedules"]
        if each["Target"]["Arn"] == function_arn
    ]
    return [
        scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
        for each in schedules
    ]


def add_schedule(
    workshop: Workshop, function_name: str, rule: str, expression: str, event: Any
) -> Any:
    lambda_client, events = workshop.client("lambda"), workshop.client("events")
    function_arn = lambda_client.get_function_configuration(FunctionName=function_name)[
        "FunctionArn"
    ]
    rule_arn = events.put_rule(Name=rule, ScheduleExpression=expression)["RuleArn"]
    with suppress(
        lambda_client.exceptions.ResourceConflictException
    ):  # the permission is there already
        lambda_client.add_permission(
            FunctionName=function_name,
            StatementId=f"rule-{rule.replace('.', '-')}",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule_arn,
        )
    target = {"Id": "function", "Arn": function_arn}
    if event is not None:
        target["Input"] = json.dumps(event)
    events.put_targets(Rule=rule, Targets=[target])


def remove_rule(workshop: Workshop, function_name: str, rule: str) -> Any:
    lambda_client, events = workshop.client("lambda"), workshop.client("events")
    targets = events.list_targets_by_rule(Rule=rule)["Targets"]
    ids = [each["Id"] for each in targets if function_name in each["Arn"].split(":")]
    events.remove_targets(Rule=rule, Ids=ids)
    if len(ids) == len(targets):  # it has no other target
        events.delete_rule(Name=rule)
    with suppress(
        lambda_client.exceptions.ResourceNotFoundException
    ):  # its permission has another name
        lambda_client.remove_permission(
            FunctionName=function_name, StatementId=f"rule-{rule.replace('.', '-')}"
        )


def remove_schedule(workshop: Workshop, schedule: str, group: str) -> Any:
    workshop.client("scheduler").delete_schedule(Name=schedule, GroupName=group)


# Function URL


def get_url(workshop: Workshop, function_name: str) -> Any:
    pages = (
        workshop.client("lambda")
        .get_paginator("list_function_url_configs")
        .paginate(FunctionName=function_name)
    )
    return [each for page in pages for each in page["FunctionUrlConfigs"]]


def add_url(workshop: Workshop, function_name: str, auth_type: str) -> Any:
    lambda_client = workshop.client("lambda")
    made = lambda_client.create_function_url_config(
        FunctionName=function_name, AuthType=auth_type
    )
    if (
        auth_type == "NONE"
    ):  # everybody may call it, and the function has to permit it, twice
        everybody = {"FunctionName": function_name, "Principal": "*"}
        use = {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
        with suppress(
            lambda_client.exceptions.ResourceConflictException
        ):  # it is there already
            lambda_client.add_permission(StatementId="url-use", **everybody, **use)
        run = {"Action": "lambda:InvokeFunction", "StatementId": "url-invoke"}
        with suppress(lambda_client.exceptions.ResourceConflictException):
            lambda_client.add_permission(InvokedViaFunctionUrl=True, **everybody, **run)
    return made["FunctionUrl"]


def remove_url(workshop: Workshop, function_name: str) -> Any:
    lambda_client = workshop.client("lambda")
    lambda_client.delete_function_url_config(FunctionName=function_name)
    for statement in ("url-use", "url-invoke"):
        with suppress(
            lambda_client.exceptions.ResourceNotFoundException
        ):  # not for everybody
            lambda_client.remove_permission(
                FunctionName=function_name, StatementId=statement
            )
