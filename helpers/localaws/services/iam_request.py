"""What a request asks for, in IAM's words: its action, the ARN of its resource, and condition keys of Lambda.

MiniStack knows most; what it does not or has otherwise than AWS is here. A request of which nobody knows the action is
one that no policy names: refused for everybody but who may do everything.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import gzip
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions

from .contract import Contract
from .shapes import Record

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
}

UNKNOWN = "UnknownOperation"
# Operations of Lambda whose action has another name
OTHER_NAMES = {
    "Invoke": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}
QUALIFIED = ("lambda:InvokeFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:DeleteFunction")


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
        return found or f"{service}:{UNKNOWN}"

    def resource(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        arguments = service, method, path, headers, body, query
        operation = (action(*arguments) or "").partition(":")[2]
        own = OWN.get(service)
        arn = own(operation, _Parameters(body, query), f"{region}:{account}") if own else ""
        found: str = arn or resource_of(*arguments, region, account)
        if f"{service}:{operation}" in QUALIFIED and (qualifier := (query.get("Qualifier") or [""])[0]):
            return f"{found}:{qualifier}"
        return found

    def context(service: str, iam_action: str, body: bytes, query: Any) -> Record:
        keys: Record = context_of(service, iam_action, body, query)
        if service == "lambda" and (function := _Parameters(body, query).get("FunctionName")):
            keys = {**keys, "lambda:functionarn": function}
        return keys

    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource
    iam_actions.request_tag_context = context


class _Parameters:
    """The parameters of a request of JSON, or of AWS's Query protocol."""

    def __init__(self, body: bytes, query: Record) -> None:
        try:
            members = json.loads(body or b"{}")
        except ValueError:
            members = {}
        self._members = members if isinstance(members, dict) else {}
        self._query = query

    def get(self, *names: str) -> str:
        """The first of these that is there, as text: of a list its first."""
        for name in names:
            value = self._members.get(name) or self._query.get(name) or self._query.get(f"{name}.member.1")
            while isinstance(value, list):
                value = value[0] if value else ""
            if isinstance(value, str) and value:
                return value
        return ""


# Lambda


def lambda_action(method: str, path: str, query: Record) -> str:
    """The action of a request to Lambda, by the paths in AWS's own model of it."""
    if method == "GET" and (query.get("find") or [""])[0] == "LayerVersion":
        return "lambda:GetLayerVersion"
    for of, pattern, operation in _operations():
        if of == method and pattern.fullmatch(path.rstrip("/")):
            return f"lambda:{OTHER_NAMES.get(operation, operation)}"
    return f"lambda:{UNKNOWN}"


@lru_cache(maxsize=1)
def _operations() -> list[tuple[str, re.Pattern[str], str]]:
    """Method, path and name of each operation, those with the fewest parameters in the path first."""
    (folder,) = importlib.util.find_spec("botocore").submodule_search_locations  # type: ignore[union-attr,misc]
    file = Path(folder) / "data" / "lambda" / "2015-03-31" / "service-2.json"
    text = file.read_bytes() if file.exists() else gzip.decompress(file.with_name(file.name + ".gz").read_bytes())
    return sorted(_routes(json.loads(text)), key=lambda route: route[1].pattern.count("[^/]+"))


def _routes(model: Record) -> Iterator[tuple[str, re.Pattern[str], str]]:
    for name, operation in model["operations"].items():
        path = operation["http"]["requestUri"].partition("?")[0].rstrip("/")
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
        yield operation["http"]["method"], re.compile(pattern), name


def _of_lambda(operation: str, parameters: _Parameters, place: str) -> str:
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
    "iam": _of_iam,
}
