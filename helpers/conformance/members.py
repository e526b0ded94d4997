"""Finds members of requests that are accepted and neither stored nor acted upon, by sending each and reading it back.

Each round is an operation that makes something, with all members that botocore's model has of its input, and the
operation that reads it. A member that is new in the model has no value in a round, and a test says so.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import botocore.session

from .world import Account, World, zipped

STORED, REFUSED, IGNORED = "stored", "refused", "ignored"
# A member that is acted upon and not read back, at which scenarios or tests of their own look; or one that what the
# round needs excludes.
ELSEWHERE = object()
AT_ONCE = 4
DATE = "2030-01-01T00:00:00Z"

Members = dict[str, Any]


@dataclass(frozen=True)
class Round:
    """`given` makes what the call needs anyway, and a value for each other member; `read` gives what is stored.

    With `inside`, the members are those of a structure in the request: of `Targets`, say.
    """

    service: str
    operation: str
    given: Callable[[World], tuple[Members, Members]]
    read: Callable[[World, Members, Members], Any]
    inside: str = ""

    @property
    def name(self) -> str:
        return f"{self.service}: {self.operation}" + (f", {self.inside}" if self.inside else "")

    def members(self) -> set[str]:
        """All that the model has."""
        shape = (
            botocore.session.get_session().get_service_model(self.service).operation_model(self.operation).input_shape
        )
        if self.inside:
            shape = shape.members[self.inside]
            shape = shape.member if shape.type_name == "list" else shape
        return set(shape.members)

    def outcomes(self, account: Account) -> dict[str, str]:
        with World(account) as world:
            values = self.given(world)[1]
        return {name: outcome(account, self, name) for name, value in values.items() if value is not ELSEWHERE}


class Judged(Protocol):
    """A round, or a reading of reads.py."""

    @property
    def name(self) -> str: ...

    def outcomes(self, account: Account) -> dict[str, str]:
        """What becomes of each member that a value is given for."""


def all_outcomes(client: Callable[[str], Any], region: str, judged: Sequence[Judged]) -> dict[str, dict[str, str]]:
    """Of all of these, by their names; members that are stored, or acted upon, are left out."""
    account = Account(client, region, secrets.token_hex(3))
    with account.worlds, ThreadPoolExecutor(AT_ONCE) as threads:
        found = threads.map(lambda each: each.outcomes(account), judged)
        kept = {each.name: members for each, members in zip(judged, found, strict=True)}
    return {
        name: {member: kind for member, kind in members.items() if kind != STORED} for name, members in kept.items()
    }


def outcome(account: Account, each: Round, name: str) -> str:
    with World(account) as world:
        return _outcome(world, each, name)


def _outcome(world: World, each: Round, name: str) -> str:
    needed, values = each.given(world)
    value = values[name]
    member = {name: value}
    if each.inside:
        within = needed[each.inside]
        changed = [{**within[0], **member}] if isinstance(within, list) else {**within, **member}
        request = {**needed, each.inside: changed}
    else:
        request = {**needed, **member}
    operation = botocore.xform_name(each.operation)
    answer = world.call(each.service, operation, **request)
    if "refused" in answer:
        return REFUSED
    return STORED if holds(each.read(world, request, answer), name, value) else IGNORED


def holds(found: Any, name: str, value: Any) -> bool:
    """Whether a member of this name, wherever it is, has the value, or more than that."""
    if isinstance(found, Mapping):
        for key, each in found.items():
            if key.lower() == name.lower() and contains(each, value):
                return True
        return any(holds(each, name, value) for each in found.values())
    return isinstance(found, list) and any(holds(each, name, value) for each in found)


def contains(found: Any, value: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(found, Mapping):
        return all(key in found and contains(found[key], each) for key, each in value.items())
    if isinstance(value, list) and isinstance(found, list):
        return all(any(contains(one, each) for one in found) for each in value)
    if hasattr(found, "isoformat"):
        return True  # a date that is there
    return str(found) == str(value)


def table(found: Mapping[str, Mapping[str, str]]) -> str:
    """A row for each operation that ignores or refuses something."""
    lines = ["| operation | ignored | refused |", "| --- | --- | --- |"]
    for name, members in found.items():
        cells = [", ".join(f"`{key}`" for key, each in members.items() if each == kind) for kind in (IGNORED, REFUSED)]
        if any(cells):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


# the rounds


def _function(world: World) -> tuple[Members, Members]:
    name = world.name("function")
    world.finally_("lambda", "delete_function", FunctionName=name)
    needed = {
        "FunctionName": name,
        "Role": world.role,
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Code": {"ZipFile": zipped({"app.py": "handler = print"})},
    }
    return needed, {**_configuration(world), **_of_creation(), "Publish": ELSEWHERE}


def _of_creation() -> Members:
    return {
        "PackageType": "Zip",
        "Tags": {"a": "b"},
        "Architectures": ["x86_64"],
        "CodeSigningConfigArn": "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0",
        "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
        "PublishTo": "LATEST_PUBLISHED",
    }


def _configuration(world: World) -> Members:
    """What CreateFunction and UpdateFunctionConfiguration have in common."""
    key = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555"
    managed = {"CapacityProviderArn": "arn:aws:lambda:us-east-1:000000000000:capacity-provider:a"}
    return {
        "Description": "described",
        "Timeout": 7,
        "MemorySize": 256,
        "VpcConfig": {"SubnetIds": ["subnet-01234567"], "SecurityGroupIds": ["sg-01234567"]},
        "DeadLetterConfig": {"TargetArn": world.queue()[1]},
        "Environment": {"Variables": {"OWN": "b"}},
        "KMSKeyArn": key,
        "TracingConfig": {"Mode": "Active"},
        "Layers": [_layer(world)],
        "FileSystemConfigs": [
            {
                "Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0",
                "LocalMountPath": "/mnt/a",
            }
        ],
        "ImageConfig": {"Command": ["app.handler"]},
        "EphemeralStorage": {"Size": 1024},
        "SnapStart": {"ApplyOn": "PublishedVersions"},
        "LoggingConfig": {
            "LogFormat": "JSON",
            "ApplicationLogLevel": "DEBUG",
            "SystemLogLevel": "WARN",
            "LogGroup": "a",
        },
        "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": managed},
        "DurableConfig": {"RetentionPeriodInDays": 7, "ExecutionTimeout": 3600},
        "RuntimeConfig": {"RuntimeAlias": "a"},
        "AcceleratorConfig": {"AcceleratorMemorySize": 16},
    }


def _layer(world: World) -> str:
    name = world.name("layer")
    content = {"ZipFile": zipped({"python/a.py": ""})}
    arn: str = world.client("lambda").publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"]
    world.finally_("lambda", "delete_layer_version", LayerName=name, VersionNumber=1)
    return arn


def _update(world: World) -> tuple[Members, Members]:
    given = {"Role": world.role, "Handler": "app.other", "Runtime": "python3.12", "RevisionId": ELSEWHERE}
    return {"FunctionName": world.function()}, {**_configuration(world), **given}


def read_function(world: World, request: Members, answer: Members) -> Any:
    found = world.lambda_("get_function", FunctionName=request["FunctionName"])
    layers = [each["Arn"] for each in found["Configuration"].get("Layers", [])]
    return {**found, "Configuration": {**found["Configuration"], "Layers": layers}}


def new_mapping(world: World) -> tuple[Members, Members]:
    name = world.name("table")
    attribute = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    stream = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
    attributes = [{"AttributeName": "id", "AttributeType": "S"}]
    world.client("dynamodb").create_table(TableName=name, AttributeDefinitions=attributes, **attribute, **stream)
    world.finally_("dynamodb", "delete_table", TableName=name)
    arn = world.client("dynamodb").describe_table(TableName=name)["Table"]["LatestStreamArn"]
    kafka = {"ConsumerGroupId": "a"}
    values = {
        "Enabled": ELSEWHERE,
        "BatchSize": 7,
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
        "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555",
        "MetricsConfig": {"Metrics": ["EventCount"]},
        "LoggingConfig": {"SystemLogLevel": "DEBUG"},
        "ScalingConfig": ELSEWHERE,
        "MaximumBatchingWindowInSeconds": 1,
        "ParallelizationFactor": 2,
        "StartingPositionTimestamp": ELSEWHERE,
        "DestinationConfig": {"OnFailure": {"Destination": world.queue()[1]}},
        "MaximumRecordAgeInSeconds": 60,
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 3,
        "Tags": ELSEWHERE,
        "TumblingWindowInSeconds": 30,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "Topics": ["a"],
        "Queues": ["a"],
        "SourceAccessConfigurations": [
            {"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:000000000000:secret:a"}
        ],
        "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a:9092"]}},
        "AmazonManagedKafkaEventSourceConfig": kafka,
        "SelfManagedKafkaEventSourceConfig": kafka,
        "DocumentDBEventSourceConfig": {"DatabaseName": "a"},
        "ProvisionedPollerConfig": {"MinimumPollers": 2, "MaximumPollers": 4},
    }
    return {"FunctionName": world.function(), "EventSourceArn": arn, "StartingPosition": "LATEST"}, values


def _read_mapping(world: World, request: Members, answer: Members) -> Any:
    world.finally_("lambda", "delete_event_source_mapping", UUID=answer["UUID"])
    return world.lambda_("get_event_source_mapping", UUID=answer["UUID"])


def new_url(world: World) -> tuple[Members, Members]:
    cors = {
        "AllowCredentials": True,
        "AllowHeaders": ["x-a"],
        "AllowMethods": ["GET"],
        "AllowOrigins": ["https://example.com"],
        "ExposeHeaders": ["x-b"],
        "MaxAge": 60,
    }
    name = world.function()
    world.finally_("lambda", "delete_function_url_config", FunctionName=name)
    return {"FunctionName": name, "AuthType": "NONE"}, {
        "Cors": cors,
        "InvokeMode": "RESPONSE_STREAM",
        "Qualifier": ELSEWHERE,
    }


def new_event_invoke(world: World) -> tuple[Members, Members]:
    destinations = {"OnSuccess": {"Destination": world.queue()[1]}}
    values = {"MaximumEventAgeInSeconds": 60, "DestinationConfig": destinations, "Qualifier": ELSEWHERE}
    return {"FunctionName": world.function(), "MaximumRetryAttempts": 1}, values


def new_alias(world: World) -> tuple[Members, Members]:
    name = world.function()
    world.publish(name)
    world.update(name, Timeout=9)
    world.publish(name)
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}
    return {"FunctionName": name, "Name": "live", "FunctionVersion": "1"}, {"Description": "described", **weights}


def _permission(world: World) -> tuple[Members, Members]:
    needed = {"FunctionName": world.function(), "StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "*"}
    return needed, {
        "SourceArn": "arn:aws:s3:::a",
        "SourceAccount": world.account.number,
        "EventSourceToken": "token",
        "PrincipalOrgID": "o-1234567890",
        "FunctionUrlAuthType": ELSEWHERE,
        "InvokedViaFunctionUrl": True,
        "Qualifier": ELSEWHERE,
        "RevisionId": ELSEWHERE,
    }


CONDITIONS = {
    "PrincipalOrgID": "aws:PrincipalOrgID",
    "SourceArn": "AWS:SourceArn",
    "SourceAccount": "AWS:SourceAccount",
}
CONDITIONS |= {"EventSourceToken": "lambda:EventSourceToken", "InvokedViaFunctionUrl": "lambda:InvokedViaFunctionUrl"}


def _read_permission(world: World, request: Members, answer: Members) -> Any:
    """The conditions by the names of the members that make them."""
    policy = json.loads(world.client("lambda").get_policy(FunctionName=request["FunctionName"])["Policy"])
    said = {
        k: v for each in policy["Statement"] for part in each.get("Condition", {}).values() for k, v in part.items()
    }
    shown = {name: said[key] for name, key in CONDITIONS.items() if key in said}
    if "InvokedViaFunctionUrl" in shown:
        shown["InvokedViaFunctionUrl"] = str(shown["InvokedViaFunctionUrl"]).lower() == "true"
    return shown


def _layer_version(world: World) -> tuple[Members, Members]:
    name = world.name("layer")
    world.finally_("lambda", "delete_layer_version", LayerName=name, VersionNumber=1)
    return {"LayerName": name, "Content": {"ZipFile": zipped({"python/a.py": ""})}}, {
        "Description": "described",
        "CompatibleArchitectures": ["x86_64"],
        "CompatibleRuntimes": ["python3.13"],
        "LicenseInfo": "MIT",
    }


def _queue(world: World) -> tuple[Members, Members]:
    name = world.name("queue")
    attributes = {"VisibilityTimeout": "7", "DelaySeconds": "1", "MaximumMessageSize": "2048"}
    attributes |= {"MessageRetentionPeriod": "600", "ReceiveMessageWaitTimeSeconds": "3"}
    return {"QueueName": name}, {"Attributes": attributes, "tags": {"a": "b"}}


def read_queue(world: World, request: Members, answer: Members) -> Any:
    sqs, queue = world.client("sqs"), {"QueueUrl": answer["QueueUrl"]}
    world.finally_("sqs", "delete_queue", **queue)
    found = sqs.get_queue_attributes(AttributeNames=["All"], **queue)
    return {"Attributes": found["Attributes"], "tags": sqs.list_queue_tags(**queue).get("Tags")}


def _log_group(world: World) -> tuple[Members, Members]:
    name = world.name("group")
    world.finally_("logs", "delete_log_group", logGroupName=name)
    return {"logGroupName": name}, {
        "kmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555",
        "tags": {"a": "b"},
        "logGroupClass": "INFREQUENT_ACCESS",
        "deletionProtectionEnabled": True,
    }


def _read_log_group(world: World, request: Members, answer: Members) -> Any:
    logs, name = world.client("logs"), request["logGroupName"]
    group = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    return {**group, "tags": logs.list_tags_log_group(logGroupName=name).get("tags")}


def _rule(world: World) -> tuple[Members, Members]:
    name = world.name("rule")
    world.finally_("events", "delete_rule", Name=name)
    return {"Name": name, "EventPattern": '{"source": ["a"]}'}, {
        "ScheduleExpression": "rate(1 hour)",
        "State": "DISABLED",
        "Description": "described",
        "RoleArn": world.role,
        "Tags": [{"Key": "a", "Value": "b"}],
        "EventBusName": ELSEWHERE,
    }


def _read_rule(world: World, request: Members, answer: Members) -> Any:
    events = world.client("events")
    found = events.describe_rule(Name=request["Name"])
    return {**found, "Tags": events.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"]}


def _targets(world: World) -> tuple[Members, Members]:
    name, arn = world.name("rule"), world.queue()[1]
    world.client("events").put_rule(Name=name, EventPattern='{"source": ["a"]}')
    world.finally_("events", "delete_rule", Name=name)
    world.finally_("events", "remove_targets", Rule=name, Ids=["1"])
    return {"Rule": name, "Targets": [{"Id": "1", "Arn": arn}]}, {
        "RoleArn": world.role,
        "Input": '{"a": 1}',
        "InputPath": "$.detail",
        "InputTransformer": {"InputPathsMap": {"a": "$.detail"}, "InputTemplate": '{"a": <a>}'},
        "KinesisParameters": {"PartitionKeyPath": "$.id"},
        "RunCommandParameters": {"RunCommandTargets": [{"Key": "InstanceIds", "Values": ["i-01234567"]}]},
        "EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/a"},
        "BatchParameters": {"JobDefinition": "a", "JobName": "a"},
        "SqsParameters": {"MessageGroupId": "a"},
        "HttpParameters": {"HeaderParameters": {"X-A": "b"}},
        "RedshiftDataParameters": {"Database": "a"},
        "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "a", "Value": "b"}]},
        "DeadLetterConfig": {"Arn": world.queue()[1]},
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
        "AppSyncParameters": {"GraphQLOperation": "a"},
    }


def new_schedule(world: World) -> tuple[Members, Members]:
    name = world.name("schedule")
    world.finally_("scheduler", "delete_schedule", Name=name)
    target = {"Arn": world.queue()[1], "RoleArn": world.role}
    needed = {"Name": name, "ScheduleExpression": "rate(1 hour)", "Target": target}
    return {**needed, "FlexibleTimeWindow": {"Mode": "OFF"}}, {
        "GroupName": ELSEWHERE,
        "StartDate": DATE,
        "EndDate": DATE,
        "Description": "described",
        "ScheduleExpressionTimezone": "Asia/Tokyo",
        "State": "DISABLED",
        "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555",
        "ClientToken": ELSEWHERE,
        "ActionAfterCompletion": "DELETE",
    }


def new_schedule_target(world: World) -> tuple[Members, Members]:
    needed, _ = new_schedule(world)
    return needed, {
        "DeadLetterConfig": {"Arn": world.queue()[1]},
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
        "Input": '{"a": 1}',
        "EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/a"},
        "EventBridgeParameters": {"DetailType": "a", "Source": "b"},
        "EventBridgePutEventsV2Parameters": {"DetailType": "a", "Source": "b"},
        "EventBridgePutRawEventsParameters": {"Metadata": {"a": "b"}},
        "KinesisParameters": {"PartitionKey": "a"},
        "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "a", "Value": "b"}]},
        "SqsParameters": {"MessageGroupId": "a"},
    }


def _table(world: World) -> tuple[Members, Members]:
    name = world.name("table")
    world.finally_("dynamodb", "delete_table", TableName=name)
    key = [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}]
    needed = {
        "TableName": name,
        "KeySchema": key,
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in ("id", "n")],
        "BillingMode": "PAY_PER_REQUEST",
    }
    index = {"IndexName": "by-n", "KeySchema": key, "Projection": {"ProjectionType": "ALL"}}
    return needed, {
        "LocalSecondaryIndexes": [index],
        "GlobalSecondaryIndexes": [index],
        "ProvisionedThroughput": ELSEWHERE,
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        "SSESpecification": {"Enabled": True},
        "Tags": [{"Key": "a", "Value": "b"}],
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "DeletionProtectionEnabled": True,
        "WarmThroughput": {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000},
        "ResourcePolicy": '{"Version": "2012-10-17", "Statement": []}',
        "OnDemandThroughput": {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 10},
        "GlobalTableSourceArn": "arn:aws:dynamodb:eu-west-1:000000000000:table/a",
        "GlobalTableSettingsReplicationMode": "ENABLED",
        "VectorIndexes": [{"IndexName": "a"}],
    }


def _read_table(world: World, request: Members, answer: Members) -> Any:
    """The table, with what stands in answers of their own; its protection is taken away, so that it can be deleted."""
    client, name = world.client("dynamodb"), request["TableName"]
    found = client.describe_table(TableName=name)["Table"]
    if found.get("DeletionProtectionEnabled"):
        client.update_table(TableName=name, DeletionProtectionEnabled=False)
    policy = world.call("dynamodb", "get_resource_policy", ResourceArn=found["TableArn"]).get("Policy")
    tags = client.list_tags_of_resource(ResourceArn=found["TableArn"]).get("Tags")
    encrypted = found.get("SSEDescription", {}).get("Status") in ("ENABLED", "ENABLING", "UPDATING")
    return {**found, "Tags": tags, "ResourcePolicy": policy, "SSESpecification": {"Enabled": encrypted}}


def _alarm(world: World) -> tuple[Members, Members]:
    name = world.name("alarm")
    world.finally_("cloudwatch", "delete_alarms", AlarmNames=[name])
    topic = f"arn:aws:sns:{world.account.region}:{world.account.number}:a"
    needed = {
        "AlarmName": name,
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return needed, {
        "AlarmDescription": "described",
        "ActionsEnabled": False,
        "OKActions": [topic],
        "AlarmActions": [topic],
        "InsufficientDataActions": [topic],
        "ExtendedStatistic": ELSEWHERE,
        "Dimensions": [{"Name": "FunctionName", "Value": "a"}],
        "Unit": "Count",
        "DatapointsToAlarm": 1,
        "TreatMissingData": "breaching",
        "EvaluateLowSampleCountPercentile": ELSEWHERE,
        "Metrics": ELSEWHERE,
        "Tags": [{"Key": "a", "Value": "b"}],
        "ThresholdMetricId": ELSEWHERE,
        "EvaluationWindow": {"SlidingWindow": {}},
        "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5},
        "EvaluationCriteria": ELSEWHERE,
        "EvaluationInterval": ELSEWHERE,
        "ActionConfiguration": {"AlarmTagsPropagation": {}},
    }


def _read_alarm(world: World, request: Members, answer: Members) -> Any:
    cloudwatch = world.client("cloudwatch")
    found = cloudwatch.describe_alarms(AlarmNames=[request["AlarmName"]])["MetricAlarms"][0]
    return {**found, "Tags": cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]}


def _notification(world: World) -> tuple[Members, Members]:
    bucket, (url, arn), name = world.bucket(), world.queue(), world.function()
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    let_in = {"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    world.client("lambda").add_permission(FunctionName=name, **let_in)
    function = world.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    topic = world.client("sns").create_topic(Name=world.name("topic"))["TopicArn"]
    world.finally_("sns", "delete_topic", TopicArn=topic)
    events, keys = ["s3:ObjectCreated:*"], {"Key": {"FilterRules": [{"Name": "prefix", "Value": "a"}]}}
    what = {"Id": "own", "Events": events, "Filter": keys}
    return {"Bucket": bucket, "NotificationConfiguration": {}}, {
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, **what}],
        "QueueConfigurations": [{"QueueArn": arn, **what}],
        "TopicConfigurations": [{"TopicArn": topic, **what}],
        "EventBridgeConfiguration": {},
    }


ROUNDS = (
    Round("lambda", "CreateFunction", _function, read_function),
    Round("lambda", "UpdateFunctionConfiguration", _update, read_function),
    Round(
        "lambda",
        "CreateAlias",
        new_alias,
        lambda w, r, a: w.lambda_("get_alias", FunctionName=r["FunctionName"], Name=r["Name"]),
    ),
    Round(
        "lambda",
        "PublishLayerVersion",
        _layer_version,
        lambda w, r, a: w.lambda_("get_layer_version", LayerName=r["LayerName"], VersionNumber=1),
    ),
    Round("lambda", "CreateEventSourceMapping", new_mapping, _read_mapping),
    Round(
        "lambda",
        "CreateFunctionUrlConfig",
        new_url,
        lambda w, r, a: w.lambda_("get_function_url_config", FunctionName=r["FunctionName"]),
    ),
    Round(
        "lambda",
        "PutFunctionEventInvokeConfig",
        new_event_invoke,
        lambda w, r, a: w.lambda_("get_function_event_invoke_config", FunctionName=r["FunctionName"]),
    ),
    Round("lambda", "AddPermission", _permission, _read_permission),
    Round("sqs", "CreateQueue", _queue, read_queue),
    Round("logs", "CreateLogGroup", _log_group, _read_log_group),
    Round("events", "PutRule", _rule, _read_rule),
    Round(
        "events",
        "PutTargets",
        _targets,
        lambda w, r, a: w.call("events", "list_targets_by_rule", Rule=r["Rule"]),
        "Targets",
    ),
    Round(
        "scheduler", "CreateSchedule", new_schedule, lambda w, r, a: w.call("scheduler", "get_schedule", Name=r["Name"])
    ),
    Round(
        "scheduler",
        "CreateSchedule",
        new_schedule_target,
        lambda w, r, a: w.call("scheduler", "get_schedule", Name=r["Name"]),
        "Target",
    ),
    Round("dynamodb", "CreateTable", _table, _read_table),
    Round(
        "s3",
        "PutBucketNotificationConfiguration",
        _notification,
        lambda w, r, a: w.call("s3", "get_bucket_notification_configuration", Bucket=r["Bucket"]),
        "NotificationConfiguration",
    ),
    Round("cloudwatch", "PutMetricAlarm", _alarm, _read_alarm),
)
