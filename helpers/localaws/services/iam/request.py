"""What a request asks for, in IAM's words: its action, the ARN of its resource, and condition keys of Lambda.

MiniStack knows most; what it does not or has otherwise than AWS is here. A request of which nobody knows the action is
one that no policy names: refused for everybody but who may do everything.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions, responses

from ..contract import Contract
from ..lambda_ import model
from ..shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (iam_actions, "extract_iam_action"): ("service", "method", "path", "headers", "body", "query_params"),
    (iam_actions, "extract_resource_arn"): (
        "service",
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "region",
        "account_id",
    ),
    (iam_actions, "request_tag_context"): ("service", "iam_action", "body", "params"),
    (iam_actions, "verified_access_resource_arns"): ("query_params", "region", "account_id"),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
}

UNKNOWN = "UnknownOperation"
# Operations of Lambda whose action has another name
OTHER_NAMES = {
    "Invoke": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}
# Others whose operation on many is the action on one, as AWS has no action for a batch
BATCHES = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
NUMBERED = re.compile(r"(?:\.member)?\.\d+")
# The type of a resource of EC2, by the beginning of its id
EC2_KINDS = {"i": "instance", "lt": "launch-template", "vol": "volume", "sg": "security-group", "ami": "image"}
# And of what has no id yet, or is named otherwise in the request
EC2_UNKNOWN = {
    "RunInstances": "instance",
    "CreateLaunchTemplate": "launch-template",
    "DeleteLaunchTemplate": "launch-template",
}
QUALIFIED = (
    "InvokeFunction",
    "GetFunction",
    "GetFunctionConfiguration",
    "DeleteFunction",
    "PutProvisionedConcurrencyConfig",
    "GetProvisionedConcurrencyConfig",
    "DeleteProvisionedConcurrencyConfig",
)


def install() -> None:
    """Let MiniStack ask us first. Call once, before it serves."""
    action_of, resource_of, context_of = (
        iam_actions.extract_iam_action,
        iam_actions.extract_resource_arn,
        iam_actions.request_tag_context,
    )

    def action(service: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> str | None:
        if service == "lambda":
            return lambda_action(method, path, query)
        found: str | None = action_of(service, method, path, headers, body, query)
        return BATCHES.get(found or "", found) or f"{service}:{UNKNOWN}"

    def resource(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        arguments = service, method, path, headers, body, query
        own = OWN.get(service)
        if own is None:
            return str(resource_of(*arguments, region, account))
        operation = (action(*arguments) or "").partition(":")[2]
        arn = own(operation, _Parameters(body, query), f"{region}:{account}")
        found = str(arn or resource_of(*arguments, region, account))
        if service == "lambda" and operation in QUALIFIED and (qualifier := (query.get("Qualifier") or [""])[0]):
            return f"{found}:{qualifier}"
        return found

    def context(service: str, iam_action: str, body: bytes, query: Any) -> Record:
        keys: Record = context_of(service, iam_action, body, query)
        parameters = _Parameters(body, query)
        of_mapping = iam_action.endswith(("EventSourceMapping", "EventSourceMappings"))
        if of_mapping and (function := parameters.get("FunctionName")):
            keys = {**keys, "lambda:functionarn": function_arn(function)}
        if iam_action == "iam:CreateRole" and (boundary := parameters.get("PermissionsBoundary")):
            keys = {**keys, "iam:permissionsboundary": boundary}
        return keys

    more_of_ec2 = iam_actions.verified_access_resource_arns

    def resources_of_ec2(query: Any, region: str, account: str) -> list[str]:
        """All resources of a request, each of which MiniStack has judged."""
        operation = (query.get("Action") or [""])[0]
        found: list[str] = _all_of_ec2(operation, _Parameters(b"", query), f"{region}:{account}")
        return found or more_of_ec2(query, region, account)

    iam_actions.verified_access_resource_arns = resources_of_ec2
    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource
    iam_actions.request_tag_context = context


class _Parameters:
    """The parameters of a request of JSON, or of AWS's Query protocol."""

    def __init__(self, body: bytes, query: Record) -> None:
        self._body, self._query = body, query

    @cached_property
    def _members(self) -> Record:
        try:
            members = json.loads(self._body or b"{}")
        except ValueError:
            return {}
        return members if isinstance(members, dict) else {}

    def get(self, *names: str) -> str:
        """The first of these that is there, as text: of a list its first."""
        for name in names:
            value = self._members.get(name) or self._query.get(name) or self._query.get(f"{name}.member.1")
            while isinstance(value, list):
                value = value[0] if value else ""
            if isinstance(value, str) and value:
                return value
        return ""

    def each(self, *names: str) -> list[str]:
        """All that lists of the Query protocol hold, e.g. InstanceId.1, InstanceId.2 and Tags.member.1.ResourceId."""
        found = sorted(key for key in self._query if NUMBERED.sub("", key) in names)
        return [self.get(key) for key in found]


# Lambda


def function_arn(reference: str) -> str:
    """The ARN of a function that a request names by its ARN, a part of it, or its name."""
    if reference.startswith("arn:"):
        return reference
    here = f"{responses.get_region()}:{responses.get_account_id()}"
    return f"arn:aws:lambda:{here}:function:{reference.partition('function:')[2] or reference}"


def lambda_action(method: str, path: str, query: Record) -> str:
    """The action of a request to Lambda, by the paths in AWS's own model of it."""
    found = model.found_at(method, path, query)
    name = found.operation.name if found else UNKNOWN
    return f"lambda:{OTHER_NAMES.get(name, name)}"


def _of_lambda(operation: str, parameters: _Parameters, place: str) -> str:
    if operation == "ListLayerVersions":
        return "*"
    if operation == "CreateFunction":
        return f"arn:aws:lambda:{place}:function:{parameters.get('FunctionName')}"
    return ""


# Others


def _of_events(operation: str, parameters: _Parameters, place: str) -> str:
    """A rule of the default bus has no bus in its ARN."""
    if "Rule" not in operation and "Targets" not in operation:
        return ""
    name, bus = parameters.get("Rule", "Name"), parameters.get("EventBusName")
    if not name or operation == "ListRules":
        return ""
    bus = unquote(bus.rpartition("/")[2])
    return (
        f"arn:aws:events:{place}:rule/{name}" if bus in ("", "default") else f"arn:aws:events:{place}:rule/{bus}/{name}"
    )


def _of_logs(operation: str, parameters: _Parameters, place: str) -> str:
    """Of a group the form with an end, which ":*" in a policy stands for."""
    group = parameters.get("logGroupName", "logGroupIdentifier", "logGroupNames", "logGroupIdentifiers")
    if not group or operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        return ""
    arn = group.removesuffix(":*") if group.startswith("arn:") else f"arn:aws:logs:{place}:log-group:{group}"
    return f"{arn}:log-stream:{parameters.get('logStreamName', 'logStreamNames')}"


def _of_sns(operation: str, parameters: _Parameters, place: str) -> str:
    subscription = parameters.get("SubscriptionArn")
    return subscription.rpartition(":")[0] if subscription.count(":") == 6 else parameters.get("ResourceArn")


def _of_sqs(operation: str, parameters: _Parameters, place: str) -> str:
    return parameters.get("SourceArn")


def _of_dynamodb_streams(operation: str, parameters: _Parameters, place: str) -> str:
    return parameters.get("StreamArn")


def _of_states(operation: str, parameters: _Parameters, place: str) -> str:
    if operation in ("ListExecutions", "DescribeExecution", "StopExecution", "GetExecutionHistory"):
        return parameters.get("executionArn", "stateMachineArn")
    return ""


def _of_cloudwatch(operation: str, parameters: _Parameters, place: str) -> str:
    name = parameters.get("AlarmNames", "AlarmName")
    return f"arn:aws:cloudwatch:{place}:alarm:{name}" if name and operation.endswith(("Alarms", "AlarmActions")) else ""


def _all_of_ec2(operation: str, parameters: _Parameters, place: str) -> list[str]:
    """The instances that a request starts, stops or tags: each is judged. A list is on no resource."""
    if operation.startswith("Describe"):
        return ["*"]
    if kind := EC2_UNKNOWN.get(operation):
        return [f"arn:aws:ec2:{place}:{kind}/*"]
    found = parameters.each("InstanceId", "ResourceId")
    kinds = {each: EC2_KINDS.get(each.partition("-")[0]) for each in found}
    return [f"arn:aws:ec2:{place}:{kind}/{each}" if kind else "*" for each, kind in kinds.items()]


def _of_ec2(operation: str, parameters: _Parameters, place: str) -> str:
    return next(iter(_all_of_ec2(operation, parameters, place)), "")


def _of_auto_scaling(operation: str, parameters: _Parameters, place: str) -> str:
    """The group; the id in its ARN is unknown here, and "*" in a policy stands for it."""
    if operation.startswith("Describe"):
        return "*"
    names = set(parameters.each("Tags.ResourceId")) or {parameters.get("AutoScalingGroupName")}
    name = names.pop() if len(names) == 1 else ""  # tags of several groups: no one group is what is asked for
    return f"arn:aws:autoscaling:{place}:autoScalingGroup:*:autoScalingGroupName/{name}" if name else "*"


def _of_rds(operation: str, parameters: _Parameters, place: str) -> str:
    """Also of parameter groups and proxies; the ids of these are unknown here, and "*" in a policy stands for them."""
    if operation.startswith("Describe"):
        return ""
    if "ParameterGroup" in operation and (name := parameters.get("DBParameterGroupName")):
        return f"arn:aws:rds:{place}:pg:{name}"
    if "DBProxyTarget" in operation:
        return f"arn:aws:rds:{place}:target-group:*"
    return f"arn:aws:rds:{place}:db-proxy:*" if operation in ("DeleteDBProxy", "ModifyDBProxy") else ""


def _of_iam(operation: str, parameters: _Parameters, place: str) -> str:
    account = place.partition(":")[2]
    if "AccessKey" in operation and parameters.get("UserName"):
        return f"arn:aws:iam::{account}:user/{parameters.get('UserName')}"
    if operation == "CreatePolicy":
        return f"arn:aws:iam::{account}:policy{parameters.get('Path') or '/'}{parameters.get('PolicyName')}"
    return ""


OWN: dict[str, Callable[[str, _Parameters, str], str]] = {
    "lambda": _of_lambda,
    "events": _of_events,
    "logs": _of_logs,
    "sns": _of_sns,
    "sqs": _of_sqs,
    "dynamodbstreams": _of_dynamodb_streams,
    "states": _of_states,
    "monitoring": _of_cloudwatch,
    "rds": _of_rds,
    "iam": _of_iam,
    "ec2": _of_ec2,
    "autoscaling": _of_auto_scaling,
}
