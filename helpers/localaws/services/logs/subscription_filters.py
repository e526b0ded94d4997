"""Subscription filters: log events that fit a pattern are sent to a function.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html. MiniStack takes any destination and
any number of filters, and asks for no permission. Streams of Kinesis and Firehose are not in the embedded AWS.
"""

import base64
import gzip
import json
import time

from ministack.core import responses
from ministack.services import cloudwatch_logs, lambda_svc

from ..contract import Contract
from ..lambda_.resource_policy import ResourcePolicies
from ..request import request
from ..shapes import Record
from .log_events import Event, event_id
from .request import MISSING, Refused, constraint, filter_pattern, log_group, operation

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_delete_subscription_filter"): ("data",),
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_make_group_arn"): ("name",),
    (cloudwatch_logs, "_put_subscription_filter"): ("data",),
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (lambda_svc, "invoke_async_with_retry"): ("func", "event"),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
}

MOST_FILTERS = 2  # of a log group
BY_STREAM, DISTRIBUTIONS = "ByLogStream", ("ByLogStream", "Random")
NOT_ALLOWED = (
    "Could not execute the lambda function. "
    "Make sure you have given CloudWatch Logs permission to execute your function."
)
OWN_LOG = "The log group provided is reserved for the function logs of the destination function."


class SubscriptionFilters:
    """The subscription filters of all log groups, which MiniStack keeps."""

    def __init__(self, policies: ResourcePolicies) -> None:
        self._policies = policies

    def install(self) -> None:
        """Let MiniStack answer with these. Call once, before it serves."""
        cloudwatch_logs._put_subscription_filter = operation(self.put)
        cloudwatch_logs._delete_subscription_filter = operation(delete)

    def put(self, data: Record) -> Record:
        name, group = log_group(data)
        filter_name, text, destination = (data.get(key) for key in ("filterName", "filterPattern", "destinationArn"))
        for member, value in (("filterName", filter_name), ("destinationArn", destination)):
            if not value:
                raise constraint(member, None, "not be null")
        if text is None:
            raise constraint("filterPattern", None, "not be null")
        for member in ("fieldSelectionCriteria", "emitSystemFields", "applyOnTransformedLogs"):
            if data.get(member):
                raise Refused(f"The embedded AWS does not have {member} of subscription filters.")
        distribution = data.get("distribution", BY_STREAM)
        if distribution not in DISTRIBUTIONS:
            raise constraint("distribution", distribution, f"satisfy enum value set: [{', '.join(DISTRIBUTIONS)}]")
        filter_pattern(text, "filterPattern")
        filters = group["subscriptionFilters"]
        if filter_name not in filters and len(filters) >= MOST_FILTERS:
            raise Refused("Resource limit exceeded.", "LimitExceededException")
        self._check(name, str(destination))
        role = {"roleArn": data["roleArn"]} if data.get("roleArn") else {}
        filters[filter_name] = {
            "filterName": filter_name,
            "logGroupName": name,
            "filterPattern": text,
            "destinationArn": destination,
            **role,
            "distribution": distribution,
            "creationTime": time.time_ns() // 1_000_000,
        }
        return {}

    def arrived(self, group: str, stream: str, events: list[Event]) -> None:
        """Send new events of a log group to the functions that want them."""
        record = cloudwatch_logs._log_groups.get(group)
        for each in list(record["subscriptionFilters"].values()) if record else []:
            matches = filter_pattern(each["filterPattern"], "filterPattern").matches
            wanted = [event for event in events if matches(event[3])]
            if wanted and self._may_send(group, each["destinationArn"]):
                _send(each, group, stream, wanted)

    def _check(self, group: str, destination: str) -> None:
        """Refuse a destination that is no function, or that does not let CloudWatch Logs in."""
        if ":lambda:" not in destination:
            raise Refused(f"The embedded AWS sends log events to functions alone, not to {destination}.")
        _, config, name = lambda_svc._get_func_record_for_ref(destination)
        if config and group == (config.get("LoggingConfig") or {}).get("LogGroup", f"/aws/lambda/{name}"):
            raise Refused(OWN_LOG)
        if not self._may_send(group, destination):
            raise Refused(NOT_ALLOWED)

    def _may_send(self, group: str, destination: str) -> bool:
        """By its policy, in which CloudWatch Logs may stand with its region, as logs.us-east-1.amazonaws.com."""
        source = cloudwatch_logs._make_group_arn(group)
        services = "logs", f"logs.{responses.get_region()}"
        return any(self._policies.may_invoke(destination, service, source) for service in services)


def delete(data: Record) -> Record:
    _, group = log_group(data)
    if group["subscriptionFilters"].pop(data.get("filterName"), None) is None:
        raise Refused("The specified subscription filter does not exist.", MISSING)
    return {}


def _send(filter_: Record, group: str, stream: str, events: list[Event]) -> None:
    """Invoke the function asynchronously, with the events as AWS packs them."""
    content = {
        "messageType": "DATA_MESSAGE",
        "owner": responses.get_account_id(),
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [filter_["filterName"]],
        "logEvents": [
            {"id": event_id(timestamp, number), "timestamp": timestamp, "message": message}
            for timestamp, number, _, message in events
        ],
    }
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode("utf-8", "replace"))).decode()
    func, config, _ = lambda_svc._get_func_record_for_ref(filter_["destinationArn"])
    if func and config:
        before = request.set(None)  # what runs now may be a request for another function, whose log this is
        try:
            lambda_svc.invoke_async_with_retry(func, {"awslogs": {"data": packed}})
        finally:
            request.reset(before)
