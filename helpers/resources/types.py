"""RESOURCE_TYPES: the kinds of things that the workshop makes in AWS, and how each is asked for, listed and deleted.

A new kind of thing is one entry. It decides nothing: ledger.py notes what was made, cleanup.py removes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

ABSENT = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchEntityException",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "NotFound",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "DBInstanceNotFound",
    "DBParameterGroupNotFound",
    "DBProxyNotFoundFault",
    "InvalidInstanceID.NotFound",
    "InvalidLaunchTemplateName.NotFoundException",
}

TAG = ("workshop", "lambda")  # which everything bears that can bear tags
TAGGED = f"Tags[?Key=='{TAG[0]}' && Value=='{TAG[1]}']"  # JMESPath, where AWS answers the tags with each thing


@dataclass(frozen=True)
class ResourceType:
    """A kind of thing in AWS: which calls make it, and how to ask for it, list it and delete it."""

    name: str
    service: str  # boto3's name of it
    made_by: dict[str, str]  # operation -> identifier, a format string over the call's parameters and answer
    exists: Callable[[Any, str], bool]  # (client, identifier)
    delete: Callable[[Any, str], None]
    listed_by: dict[str, str] = field(default_factory=dict)  # paginated operation -> JMESPath of names, ARNs or URLs
    chosen_by_aws: bool = False  # whether the identifier is AWS's, and so has no prefix


def code(error: ClientError) -> str:
    name: str = error.response["Error"]["Code"]
    return name


def says_absent(error: Exception) -> bool:
    return isinstance(error, ClientError) and code(error) in ABSENT


def _unless_absent(ask: Callable[[Any, str], bool]) -> Callable[[Any, str], bool]:
    """exists() from a question that AWS may answer with an error that says that the thing is absent."""

    def exists(client: Any, id: str) -> bool:
        try:
            return ask(client, id)
        except ClientError as error:
            if says_absent(error):
                return False
            raise

    return exists


def _answers(operation: str, parameter: str) -> Callable[[Any, str], bool]:
    """exists() for what a single call finds or reports as absent."""

    @_unless_absent
    def exists(client: Any, id: str) -> bool:
        getattr(client, operation)(**{parameter: id})
        return True

    return exists


def _call(operation: str, parameter: str) -> Callable[[Any, str], None]:
    """delete() for what a single call deletes."""
    return lambda client, id: getattr(client, operation)(**{parameter: id})


def _delete_mapping(client: Any, uuid: str) -> None:
    # One that is on its way out is not asked to go again: who may delete it is known by its function alone
    # (helpers/policies.py), and when it is gone in the meantime there is none, so that the answer is AccessDenied.
    if client.get_event_source_mapping(UUID=uuid)["State"] != "Deleting":
        client.delete_event_source_mapping(UUID=uuid)


@_unless_absent
def _bucket_exists(client: Any, name: str) -> bool:
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if code(error) != "403":  # somebody else's: bucket names are shared by all accounts
            raise
    return True


def _delete_bucket(client: Any, name: str) -> None:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        if keys:  # a page holds 1,000 at most, and so does delete_objects
            client.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
    client.delete_bucket(Bucket=name)


def _delete_rule(client: Any, name: str) -> None:
    targets = [target["Id"] for target in client.list_targets_by_rule(Rule=name)["Targets"]]
    if targets:  # a rule has five at most
        client.remove_targets(Rule=name, Ids=targets)
    client.delete_rule(Name=name)


def _delete_role(client: Any, name: str) -> None:
    for policy in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        client.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
        client.delete_role_policy(RoleName=name, PolicyName=policy)
    client.delete_role(RoleName=name)


def _log_group_exists(client: Any, name: str) -> bool:
    # One page is enough: groups come sorted by name, so the exact match comes first.
    groups = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def _queue_url(client: Any, name: str) -> str:
    url: str = client.get_queue_url(QueueName=name)["QueueUrl"]
    return url  # not in the ledger: it has the account id in it


def _topic_arns(client: Any, name: str) -> list[str]:
    arns = client.get_paginator("list_topics").paginate().search("Topics[].TopicArn")
    return [arn for arn in arns if arn and arn.endswith(f":{name}")]


def _delete_topic(client: Any, name: str) -> None:
    for arn in _topic_arns(client, name):
        client.delete_topic(TopicArn=arn)


def _state_machine_arns(client: Any, name: str) -> list[str]:
    pages = client.get_paginator("list_state_machines").paginate()
    return [each["stateMachineArn"] for page in pages for each in page["stateMachines"] if each["name"] == name]


def _delete_state_machine(client: Any, name: str) -> None:
    for arn in _state_machine_arns(client, name):
        client.delete_state_machine(stateMachineArn=arn)


def _layer_version(id: str) -> dict[str, Any]:
    name, number = id.rsplit(":", 1)
    return {"LayerName": name, "VersionNumber": int(number)}


def _layer_version_exists(client: Any, id: str) -> bool:
    name, number = id.rsplit(":", 1)
    pages = client.get_paginator("list_layer_versions").paginate(LayerName=name)
    return int(number) in pages.search("LayerVersions[].Version")


def _alarm_exists(client: Any, name: str) -> bool:
    return bool(client.describe_alarms(AlarmNames=[name])["MetricAlarms"])


@_unless_absent
def _secret_exists(client: Any, name: str) -> bool:
    return "DeletedDate" not in client.describe_secret(SecretId=name)  # on AWS it goes a moment later


def _delete_secret(client: Any, name: str) -> None:
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def _delete_db_instance(client: Any, name: str) -> None:
    client.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)


def _group_exists(client: Any, name: str) -> bool:
    return bool(client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"])


def _delete_group(client: Any, name: str) -> None:
    client.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)  # with its instances


@_unless_absent
def _launch_template_exists(client: Any, name: str) -> bool:
    # an emulator may answer an empty list
    return bool(client.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"])


@_unless_absent
def _instance_exists(client: Any, id: str) -> bool:
    reservations = client.describe_instances(InstanceIds=[id])["Reservations"]
    states = [instance["State"]["Name"] for each in reservations for instance in each["Instances"]]
    return any(state not in ("shutting-down", "terminated") for state in states)  # AWS shows these for an hour


# In the order in which things are removed: what starts functions first, roles last.
RESOURCE_TYPES = [
    ResourceType(
        "event source mapping",
        "lambda",
        {"lambda.CreateEventSourceMapping": "{UUID}"},
        _answers("get_event_source_mapping", "UUID"),
        _delete_mapping,
        {"list_event_source_mappings": "EventSourceMappings[].UUID"},
        chosen_by_aws=True,
    ),
    ResourceType(
        "schedule",
        "scheduler",
        {"scheduler.CreateSchedule": "{Name}"},
        _answers("get_schedule", "Name"),
        _call("delete_schedule", "Name"),
        {"list_schedules": "Schedules[].Name"},
    ),
    ResourceType(
        "rule",
        "events",
        {"events.PutRule": "{Name}"},
        _answers("describe_rule", "Name"),
        _delete_rule,
        {"list_rules": "Rules[].Name"},
    ),
    ResourceType(
        "state machine",
        "stepfunctions",
        {"stepfunctions.CreateStateMachine": "{name}"},
        lambda client, name: bool(_state_machine_arns(client, name)),
        _delete_state_machine,
        {"list_state_machines": "stateMachines[].name"},
    ),
    ResourceType(
        "HTTP API",
        "apigatewayv2",
        {"apigatewayv2.CreateApi": "{ApiId}"},
        _answers("get_api", "ApiId"),
        _call("delete_api", "ApiId"),
        {"get_apis": f"Items[?Tags.{TAG[0]}=='{TAG[1]}'].ApiId"},
        chosen_by_aws=True,
    ),
    ResourceType(
        "function URL",
        "lambda",
        {"lambda.CreateFunctionUrlConfig": "{FunctionName}"},
        _answers("get_function_url_config", "FunctionName"),
        _call("delete_function_url_config", "FunctionName"),
    ),
    ResourceType(
        "function",
        "lambda",
        {"lambda.CreateFunction": "{FunctionName}"},
        _answers("get_function_configuration", "FunctionName"),
        _call("delete_function", "FunctionName"),
        {"list_functions": "Functions[].FunctionName"},
    ),
    ResourceType(
        "layer version",
        "lambda",
        {"lambda.PublishLayerVersion": "{LayerName}:{Version}"},
        _layer_version_exists,
        lambda client, id: client.delete_layer_version(**_layer_version(id)),
        {"list_layers": "Layers[].LatestMatchingVersion.LayerVersionArn"},
    ),
    ResourceType(  # Lambda makes it at the first log line, unless the reader has made it before
        "log group",
        "logs",
        {"lambda.CreateFunction": "/aws/lambda/{FunctionName}", "logs.CreateLogGroup": "{logGroupName}"},
        _log_group_exists,
        _call("delete_log_group", "logGroupName"),
        {"describe_log_groups": "logGroups[].logGroupName"},
    ),
    ResourceType(
        "alarm",
        "cloudwatch",
        {"cloudwatch.PutMetricAlarm": "{AlarmName}"},
        _alarm_exists,
        lambda client, name: client.delete_alarms(AlarmNames=[name]),
        {"describe_alarms": "MetricAlarms[].AlarmName"},
    ),
    ResourceType(
        "topic",
        "sns",
        {"sns.CreateTopic": "{Name}"},
        lambda client, name: bool(_topic_arns(client, name)),
        _delete_topic,
        {"list_topics": "Topics[].TopicArn"},
    ),
    ResourceType(
        "queue",
        "sqs",
        {"sqs.CreateQueue": "{QueueName}"},
        _answers("get_queue_url", "QueueName"),
        lambda client, name: client.delete_queue(QueueUrl=_queue_url(client, name)),
        {"list_queues": "QueueUrls[]"},
    ),
    ResourceType(
        "Auto Scaling group",
        "autoscaling",
        {"autoscaling.CreateAutoScalingGroup": "{AutoScalingGroupName}"},
        _group_exists,
        _delete_group,
        {"describe_auto_scaling_groups": "AutoScalingGroups[].AutoScalingGroupName"},
    ),
    ResourceType(
        "launch template",
        "ec2",
        {"ec2.CreateLaunchTemplate": "{LaunchTemplateName}"},
        _launch_template_exists,
        _call("delete_launch_template", "LaunchTemplateName"),
        {"describe_launch_templates": "LaunchTemplates[].LaunchTemplateName"},
    ),
    ResourceType(
        "instance",
        "ec2",
        {"ec2.RunInstances": "{Instances[0][InstanceId]}"},  # the workshop asks for one at a time
        _instance_exists,
        lambda client, id: client.terminate_instances(InstanceIds=[id]),
        {"describe_instances": f"Reservations[].Instances[?{TAGGED}][].InstanceId"},
        chosen_by_aws=True,
    ),
    ResourceType(
        "bucket",
        "s3",
        {"s3.CreateBucket": "{Bucket}"},
        _bucket_exists,
        _delete_bucket,
        {"list_buckets": "Buckets[].Name"},
    ),
    ResourceType(
        "table",
        "dynamodb",
        {"dynamodb.CreateTable": "{TableName}"},
        _answers("describe_table", "TableName"),
        _call("delete_table", "TableName"),
        {"list_tables": "TableNames[]"},
    ),
    ResourceType(
        "DB proxy",
        "rds",
        {"rds.CreateDBProxy": "{DBProxyName}"},
        _answers("describe_db_proxies", "DBProxyName"),
        _call("delete_db_proxy", "DBProxyName"),
        {"describe_db_proxies": "DBProxies[].DBProxyName"},
    ),
    ResourceType(
        "DB instance",
        "rds",
        {"rds.CreateDBInstance": "{DBInstanceIdentifier}"},
        _answers("describe_db_instances", "DBInstanceIdentifier"),
        _delete_db_instance,
        {"describe_db_instances": "DBInstances[].DBInstanceIdentifier"},
    ),
    ResourceType(
        "DB parameter group",
        "rds",
        {"rds.CreateDBParameterGroup": "{DBParameterGroupName}"},
        _answers("describe_db_parameter_groups", "DBParameterGroupName"),
        _call("delete_db_parameter_group", "DBParameterGroupName"),
        {"describe_db_parameter_groups": "DBParameterGroups[].DBParameterGroupName"},
    ),
    ResourceType(
        "secret",
        "secretsmanager",
        {"secretsmanager.CreateSecret": "{Name}"},
        _secret_exists,
        _delete_secret,
        {"list_secrets": "SecretList[].Name"},
    ),
    ResourceType(
        "role",
        "iam",
        {"iam.CreateRole": "{RoleName}"},
        _answers("get_role", "RoleName"),
        _delete_role,
        {"list_roles": "Roles[].RoleName"},
    ),
]
