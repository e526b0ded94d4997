"""By its tags the workshop knows what it has made, even where its ledger does not hold it.

Each kind of thing in resource_types.py that can bear tags tells them in a way of its own. Layer versions, schedules,
function URLs and the log groups that Lambda makes bear none.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Tags = Any  # a dict, or a list of Key and Value, or of key and value

ASKED_BY_ARN = {  # kind: (the operation that lists its tags, its parameter for the ARN, where the tags are)
    "event source mapping": ("list_tags", "Resource", "Tags"),
    "rule": ("list_tags_for_resource", "ResourceARN", "Tags"),
    "state machine": ("list_tags_for_resource", "resourceArn", "tags"),
    "alarm": ("list_tags_for_resource", "ResourceARN", "Tags"),
    "topic": ("list_tags_for_resource", "ResourceArn", "Tags"),
    "table": ("list_tags_of_resource", "ResourceArn", "Tags"),
    "DB proxy": ("list_tags_for_resource", "ResourceName", "TagList"),
    "DB instance": ("list_tags_for_resource", "ResourceName", "TagList"),
    "DB parameter group": ("list_tags_for_resource", "ResourceName", "TagList"),
}


def tag_filters(tags: dict[str, str]) -> list[dict[str, Any]]:
    """How AWS's tagging API is asked for what bears all these tags."""
    return [{"Key": key, "Values": [value]} for key, value in tags.items()]


def bears(kind: str, client: Any, id: str, tags: dict[str, str]) -> bool:
    """Whether a thing that is there bears all these tags; False for what bears none, or tells them to nobody."""
    if kind not in TELLS:
        return False
    try:
        found = _as_dict(TELLS[kind](client, id))
    except (ClientError, LookupError):  # it has just gone, has no tags at all, or is another account's
        return False
    return all(found.get(key) == value for key, value in tags.items())


def _as_dict(tags: Tags) -> dict[str, str]:
    if isinstance(tags, dict):
        return tags
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags or []}


def _by_arn(kind: str, arn: Callable[[Any, str], str]) -> Callable[[Any, str], Tags]:
    operation, parameter, place = ASKED_BY_ARN[kind]
    return lambda client, id: getattr(client, operation)(**{parameter: arn(client, id)})[place]


def _mapping_arn(client: Any, uuid: str) -> str:
    arn: str = client.get_event_source_mapping(UUID=uuid)["EventSourceMappingArn"]
    return arn


def _topic_arn(client: Any, name: str) -> str:
    pages = client.get_paginator("list_topics").paginate()
    arns = [topic["TopicArn"] for page in pages for topic in page["Topics"]]
    return _only([arn for arn in arns if arn.endswith(f":{name}")])


def _state_machine_arn(client: Any, name: str) -> str:
    pages = client.get_paginator("list_state_machines").paginate()
    return _only([each["stateMachineArn"] for page in pages for each in page["stateMachines"] if each["name"] == name])


def _only(found: list[str]) -> str:
    return found[0]  # IndexError, which is a LookupError, where it has just gone


def _queue_tags(client: Any, name: str) -> Tags:
    return client.list_queue_tags(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])["Tags"]


def _instance_tags(client: Any, id: str) -> Tags:
    return client.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]["Tags"]


def _first(operation: str, parameter: str, place: str, several: bool = False) -> Callable[[Any, str], dict[str, Any]]:
    """What a describing call tells of one thing."""

    def ask(client: Any, id: str) -> dict[str, Any]:
        told: dict[str, Any] = getattr(client, operation)(**{parameter: [id] if several else id})[place][0]
        return told

    return ask


_db_proxy = _first("describe_db_proxies", "DBProxyName", "DBProxies")
_db_instance = _first("describe_db_instances", "DBInstanceIdentifier", "DBInstances")
_db_parameter_group = _first("describe_db_parameter_groups", "DBParameterGroupName", "DBParameterGroups")
_alarm = _first("describe_alarms", "AlarmNames", "MetricAlarms", several=True)
_group = _first("describe_auto_scaling_groups", "AutoScalingGroupNames", "AutoScalingGroups", several=True)
_template = _first("describe_launch_templates", "LaunchTemplateNames", "LaunchTemplates", several=True)

# Kind of thing -> its tags, of a client and an identifier.
TELLS: dict[str, Callable[[Any, str], Tags]] = {
    "event source mapping": _by_arn("event source mapping", _mapping_arn),
    "rule": _by_arn("rule", lambda client, name: client.describe_rule(Name=name)["Arn"]),
    "state machine": _by_arn("state machine", _state_machine_arn),
    "HTTP API": lambda client, id: client.get_api(ApiId=id)["Tags"],
    "function": lambda client, name: client.get_function(FunctionName=name)["Tags"],
    "alarm": _by_arn("alarm", lambda client, name: _alarm(client, name)["AlarmArn"]),
    "topic": _by_arn("topic", _topic_arn),
    "queue": _queue_tags,
    "Auto Scaling group": lambda client, name: _group(client, name)["Tags"],
    "launch template": lambda client, name: _template(client, name)["Tags"],
    "instance": _instance_tags,
    "bucket": lambda client, name: client.get_bucket_tagging(Bucket=name)["TagSet"],
    "table": _by_arn("table", lambda client, name: client.describe_table(TableName=name)["Table"]["TableArn"]),
    "DB proxy": _by_arn("DB proxy", lambda client, name: _db_proxy(client, name)["DBProxyArn"]),
    "DB instance": _by_arn("DB instance", lambda client, name: _db_instance(client, name)["DBInstanceArn"]),
    "DB parameter group": _by_arn(
        "DB parameter group", lambda client, name: _db_parameter_group(client, name)["DBParameterGroupArn"]
    ),
    "secret": lambda client, name: client.describe_secret(SecretId=name)["Tags"],
    "role": lambda client, name: client.list_role_tags(RoleName=name)["Tags"],
}
