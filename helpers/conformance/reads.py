"""Finds members of requests that list or look for something and are ignored: what is found is not what was asked for.

Each reading makes things, and says of each member of an operation's input a value and which of these things are found
with it. A member that is new in the model has no value, and a test says so.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session

from . import members, updates
from .members import ELSEWHERE, IGNORED, REFUSED, STORED, Members
from .world import Account, World, zipped

EXPRESSION = "rate(1 day)"
OFF = {"Mode": "OFF"}


@dataclass(frozen=True)
class Reading:
    """`made` makes things in a world, and gives what the call needs anyway, the names of the things and the members.

    Of each member it gives a value and the names that are found with it. `pages` names the members for how many are
    wanted, the token, and the token in the answer. `name_in` gives the name of what is in the list `items`.
    """

    service: str
    operation: str
    items: str
    name_in: Callable[[Any], str]
    made: Callable[[World], tuple[Members, list[str], dict[str, Any]]]
    pages: tuple[str, str, str] = ("", "", "")

    @property
    def name(self) -> str:
        return f"{self.service}: {self.operation}"

    def members(self) -> set[str]:
        """All that the model has."""
        session = botocore.session.get_session()
        return set(session.get_service_model(self.service).operation_model(self.operation).input_shape.members)

    def outcomes(self, account: Account) -> dict[str, str]:
        with World(account) as world:
            return self._outcomes(world)

    def _outcomes(self, world: World) -> dict[str, str]:
        needed, names, values = self.made(world)
        found = {}
        for member, given in values.items():
            if given is not ELSEWHERE:
                value, expected = given
                found[member] = self._outcome(world, {**needed, member: value}, names, expected)
        most, token, _ = self.pages
        if most:
            found[most] = found[token] = self._of_pages(world, needed, names)
        return found

    def _outcome(self, world: World, request: Members, names: list[str], expected: list[str]) -> str:
        seen = set[str]()
        while True:
            answer = world.call(self.service, botocore.xform_name(self.operation), **request)
            if "refused" in answer:
                return REFUSED
            seen |= {self.name_in(each) for each in answer.get(self.items, [])} & {*names, *expected}
            if not (self.pages[2] and answer.get(self.pages[2])):
                return STORED if seen == set(expected) else IGNORED
            request = {**request, self.pages[1]: answer[self.pages[2]]}

    def _of_pages(self, world: World, needed: Members, names: list[str]) -> str:
        """Whether pages of one item hold all, each of them once."""
        most, token_in, token_out = self.pages
        seen: list[str] = []
        request = {**needed, most: 1}
        for _ in range(500):
            answer = world.call(self.service, botocore.xform_name(self.operation), **request)
            if "refused" in answer:
                return REFUSED
            found = [self.name_in(each) for each in answer.get(self.items, [])]
            if len(found) > 1:
                return IGNORED
            seen += found
            if not answer.get(token_out) or (request.get(token_in) == answer[token_out]):
                break
            request[token_in] = answer[token_out]
        ours = [name for name in seen if name in names]
        return STORED if sorted(ours) == sorted(names) else IGNORED


def _named(key: str) -> Callable[[Any], str]:
    return lambda item: str(item[key])


# what is made


def _aliases(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    name = world.function()
    world.publish(name)
    for alias, version in (("a", "1"), ("b", "$LATEST")):
        world.client("lambda").create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    return {"FunctionName": name}, ["a", "b"], {"FunctionVersion": ("1", ["a"])}


def _mappings(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    made, arns, functions = [], [], []
    for _ in range(2):
        name, (_, arn) = world.function(), world.queue()
        answer = world.client("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=arn)
        world.finally_("lambda", "delete_event_source_mapping", UUID=answer["UUID"])
        made.append(answer["UUID"])
        arns.append(arn)
        functions.append(name)
    return {}, made, {"EventSourceArn": (arns[0], made[:1]), "FunctionName": (functions[1], made[1:])}


def _event_invoke_configs(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    name = world.function()
    world.publish(name)
    arn = world.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    for qualifier in ({}, {"Qualifier": "1"}):
        world.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1, **qualifier)
    return {"FunctionName": name}, [f"{arn}:$LATEST", f"{arn}:1"], {}


def _url_configs(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    name = world.function()
    world.client("lambda").create_alias(FunctionName=name, Name="a", FunctionVersion="$LATEST")
    found = []
    for qualifier in ({}, {"Qualifier": "a"}):
        made = world.client("lambda").create_function_url_config(FunctionName=name, AuthType="NONE", **qualifier)
        world.finally_("lambda", "delete_function_url_config", FunctionName=name, **qualifier)
        found.append(made["FunctionArn"])
    return {"FunctionName": name}, found, {}


def _functions(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    names = [world.function(), world.function()]
    world.publish(names[0])
    find = world.client("lambda").get_function_configuration
    first, second = (find(FunctionName=name)["FunctionArn"] for name in names)
    plain, versions = [first, second], [f"{first}:$LATEST", f"{first}:1", f"{second}:$LATEST"]
    return {}, plain, {"MasterRegion": ELSEWHERE, "FunctionVersion": ("ALL", versions)}


def _layers(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    made = []
    for runtime, architecture in (("python3.13", "x86_64"), ("nodejs22.x", "arm64")):
        name = world.name("layer")
        world.finally_("lambda", "delete_layer_version", LayerName=name, VersionNumber=1)
        world.client("lambda").publish_layer_version(
            LayerName=name,
            Content={"ZipFile": zipped({"a.txt": ""})},
            CompatibleRuntimes=[runtime],
            CompatibleArchitectures=[architecture],
        )
        made.append(name)
    return {}, made, {"CompatibleRuntime": ("python3.13", made[:1]), "CompatibleArchitecture": ("arm64", made[1:])}


def _layer_versions(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    name = world.name("layer")
    for number, runtime, architecture in ((1, "python3.13", "x86_64"), (2, "nodejs22.x", "arm64")):
        world.finally_("lambda", "delete_layer_version", LayerName=name, VersionNumber=number)
        world.client("lambda").publish_layer_version(
            LayerName=name,
            Content={"ZipFile": zipped({"a.txt": ""})},
            CompatibleRuntimes=[runtime],
            CompatibleArchitectures=[architecture],
        )
    wanted = {"CompatibleRuntime": ("python3.13", ["1"]), "CompatibleArchitecture": ("arm64", ["2"])}
    return {"LayerName": name}, ["1", "2"], wanted


def _provisioned(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    name, found = world.function(), []
    for timeout in (3, 4):
        world.update(name, Timeout=timeout + 1)
        version = world.publish(name)
        world.client("lambda").put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1
        )
        found.append(world.client("lambda").get_function_configuration(FunctionName=name, Qualifier=version))
    return {"FunctionName": name}, [each["FunctionArn"] for each in found], {}


def _versions(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    name = world.function()
    world.publish(name)
    return {"FunctionName": name}, ["$LATEST", "1"], {}


def _log_groups(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    names = [world.name("group"), world.name("group")]
    for name, kind in zip(names, ("STANDARD", "INFREQUENT_ACCESS"), strict=True):
        world.client("logs").create_log_group(logGroupName=name, logGroupClass=kind)
        world.finally_("logs", "delete_log_group", logGroupName=name)
    return (
        {},
        names,
        {
            "accountIdentifiers": ELSEWHERE,
            "includeLinkedAccounts": ELSEWHERE,
            "logGroupNamePrefix": (names[0], names[:1]),
            "logGroupNamePattern": (names[1][2:], names[1:]),
            "logGroupClass": ("INFREQUENT_ACCESS", names[1:]),
            "logGroupIdentifiers": (names[:1], names[:1]),
        },
    )


def _group(world: World) -> str:
    name = world.name("group")
    world.client("logs").create_log_group(logGroupName=name)
    world.finally_("logs", "delete_log_group", logGroupName=name)
    return name


def _log_streams(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    name = _group(world)
    for stream in ("a", "b"):
        world.client("logs").create_log_stream(logGroupName=name, logStreamName=stream)
    wanted = {
        "logGroupIdentifier": ELSEWHERE,
        "logStreamNamePrefix": ("a", ["a"]),
        "orderBy": ELSEWHERE,
        "descending": ELSEWHERE,
    }
    return {"logGroupName": name}, ["a", "b"], wanted


def _metric_filters(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    group, names = _group(world), [world.name("filter"), world.name("filter")]
    for name in names:
        metric = {"metricName": name, "metricNamespace": name, "metricValue": "1"}
        world.client("logs").put_metric_filter(
            logGroupName=group, filterName=name, filterPattern="a", metricTransformations=[metric]
        )
    wanted = {"filterNamePrefix": (names[0], names[:1]), "metricName": ELSEWHERE, "metricNamespace": ELSEWHERE}
    return {"logGroupName": group}, names, wanted


def _subscription_filters(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    group, names, function = _group(world), [world.name("filter"), world.name("filter")], world.function()
    let_in = {"StatementId": "logs", "Action": "lambda:InvokeFunction", "Principal": "logs.amazonaws.com"}
    world.client("lambda").add_permission(FunctionName=function, **let_in)
    arn = world.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    for name in names:
        world.client("logs").put_subscription_filter(
            logGroupName=group, filterName=name, filterPattern="a", destinationArn=arn
        )
    return {"logGroupName": group}, names, {"filterNamePrefix": (names[0], names[:1])}


def _log_events(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    group, now = _group(world), int(time.time() * 1000)
    for stream, at in (("a", now - 2000), ("b", now - 1000)):
        world.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": at, "message": f"of {stream}"}
        world.client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    wanted = {
        "logGroupIdentifier": ELSEWHERE,
        "logStreamNames": (["a"], ["of a"]),
        "logStreamNamePrefix": ("b", ["of b"]),
        "startTime": (now - 1500, ["of b"]),
        "endTime": (now - 1500, ["of a"]),
        "filterPattern": ('"of a"', ["of a"]),
        "startFromHead": ELSEWHERE,
        "interleaved": ELSEWHERE,
        "unmask": ELSEWHERE,
    }
    return {"logGroupName": group}, ["of a", "of b"], wanted


def _events_of_a_stream(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    group, now = _group(world), int(time.time() * 1000)
    world.client("logs").create_log_stream(logGroupName=group, logStreamName="a")
    events = [{"timestamp": at, "message": str(at)} for at in (now - 2000, now - 1000)]
    world.client("logs").put_log_events(logGroupName=group, logStreamName="a", logEvents=events)
    one, two = (str(each["message"]) for each in events)
    wanted = {
        "logGroupIdentifier": ELSEWHERE,
        "startTime": (now - 1500, [two]),
        "endTime": (now - 1500, [one]),
        "limit": (1, [two]),
        "startFromHead": ELSEWHERE,
        "nextToken": ELSEWHERE,
        "unmask": ELSEWHERE,
    }
    return {"logGroupName": group, "logStreamName": "a"}, [one, two], wanted


def _queues(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    urls = [world.queue()[0], world.queue()[0]]
    return {}, urls, {"QueueNamePrefix": (urls[0].rpartition("/")[2], urls[:1])}


def _dead_letter_sources(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    (target, arn), sources = world.queue(), [world.queue()[0], world.queue()[0]]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})}
    for url in sources:
        world.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
    return {"QueueUrl": target}, sources, {}


def _rules(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    names = [world.name("rule"), world.name("rule")]
    for name in names:
        world.client("events").put_rule(Name=name, ScheduleExpression=EXPRESSION)
        world.finally_("events", "delete_rule", Name=name)
    bus = _bus(world)
    return {}, names, {"NamePrefix": (names[0], names[:1]), "EventBusName": (bus, [])}


def _bus(world: World) -> str:
    name = world.name("bus")
    world.client("events").create_event_bus(Name=name)
    world.finally_("events", "delete_event_bus", Name=name)
    return name


def _rules_by_target(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    _, names, _ = _rules(world)
    arn = world.queue()[1]
    for name in names:
        world.client("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
        world.finally_("events", "remove_targets", Rule=name, Ids=["1"])
    return {"TargetArn": arn}, names, {"EventBusName": (_bus(world), [])}


def _targets(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    _, (name, _), _ = _rules(world)
    targets = [{"Id": each, "Arn": world.queue()[1]} for each in ("1", "2")]
    world.client("events").put_targets(Rule=name, Targets=targets)
    world.finally_("events", "remove_targets", Rule=name, Ids=["1", "2"])
    return {"Rule": name}, ["1", "2"], {"EventBusName": ELSEWHERE}


def _buses(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    names = [_bus(world), _bus(world)]
    return {}, names, {"NamePrefix": (names[0], names[:1])}


def _archives(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    names, arns = [], []
    for _ in range(2):
        name = world.name("archive")
        arn = world.client("events").describe_event_bus(Name=_bus(world))["Arn"]
        world.client("events").create_archive(ArchiveName=name, EventSourceArn=arn)
        world.finally_("events", "delete_archive", ArchiveName=name)
        names.append(name)
        arns.append(arn)
    wanted = {"NamePrefix": (names[0], names[:1]), "EventSourceArn": (arns[1], names[1:]), "State": ("DISABLED", [])}
    return {}, names, wanted


def _schedules(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    target, names, group = {"Arn": world.queue()[1], "RoleArn": world.role}, [], world.name("schedules")
    world.client("scheduler").create_schedule_group(Name=group)
    world.finally_("scheduler", "delete_schedule_group", Name=group)
    for state, own in (("ENABLED", {}), ("DISABLED", {"GroupName": group})):
        name = world.name("schedule")
        world.client("scheduler").create_schedule(
            Name=name, ScheduleExpression=EXPRESSION, Target=target, FlexibleTimeWindow=OFF, State=state, **own
        )
        world.finally_("scheduler", "delete_schedule", Name=name, **own)
        names.append(name)
    wanted = {"GroupName": (group, names[1:]), "NamePrefix": (names[0], names[:1]), "State": ("DISABLED", names[1:])}
    return {}, names, wanted


def _schedule_groups(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    names = [world.name("schedules"), world.name("schedules")]
    for name in names:
        world.client("scheduler").create_schedule_group(Name=name)
        world.finally_("scheduler", "delete_schedule_group", Name=name)
    return {}, names, {"NamePrefix": (names[0], names[:1])}


def _alarms(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    names, topic = [], f"arn:aws:sns:{world.account.region}:{world.account.number}:a"
    for actions in ([], [topic]):
        name = world.name("alarm")
        world.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            MetricName="a",
            Namespace="b",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=actions,
        )
        world.finally_("cloudwatch", "delete_alarms", AlarmNames=[name])
        names.append(name)
    wanted = {
        "AlarmNames": (names[:1], names[:1]),
        "AlarmNamePrefix": (names[1], names[1:]),
        "AlarmTypes": (["CompositeAlarm"], []),
        "ChildrenOfAlarmName": ELSEWHERE,
        "ParentsOfAlarmName": ELSEWHERE,
        "StateValue": ("ALARM", []),
        "ActionPrefix": (topic, names[1:]),
    }
    return {}, names, wanted


def _metrics(world: World) -> tuple[Members, list[str], dict[str, Any]]:
    space, names = world.name("metrics"), ["a", "b"]
    for name in names:
        datum = {"MetricName": name, "Value": 1.0, "Dimensions": [{"Name": "of", "Value": name}]}
        world.client("cloudwatch").put_metric_data(Namespace=space, MetricData=[datum])
    wanted = {
        "MetricName": ("a", ["a"]),
        "Dimensions": ([{"Name": "of", "Value": "b"}], ["b"]),
        "NextToken": ELSEWHERE,
        "RecentlyActive": ELSEWHERE,
        "IncludeLinkedAccounts": ELSEWHERE,
        "OwningAccount": ELSEWHERE,
    }
    return {"Namespace": space}, names, wanted


LAMBDAS = ("MaxItems", "Marker", "NextMarker")
OF_LOGS = ("limit", "nextToken", "nextToken")
OF_EVENTS = ("Limit", "NextToken", "NextToken")
RESULTS = ("MaxResults", "NextToken", "NextToken")
READINGS = (
    Reading("lambda", "ListAliases", "Aliases", _named("Name"), _aliases, LAMBDAS),
    Reading("lambda", "ListEventSourceMappings", "EventSourceMappings", _named("UUID"), _mappings, LAMBDAS),
    Reading(
        "lambda",
        "ListFunctionEventInvokeConfigs",
        "FunctionEventInvokeConfigs",
        _named("FunctionArn"),
        _event_invoke_configs,
        LAMBDAS,
    ),
    Reading("lambda", "ListFunctionUrlConfigs", "FunctionUrlConfigs", _named("FunctionArn"), _url_configs, LAMBDAS),
    Reading("lambda", "ListFunctions", "Functions", _named("FunctionArn"), _functions, LAMBDAS),
    Reading("lambda", "ListLayers", "Layers", _named("LayerName"), _layers, LAMBDAS),
    Reading("lambda", "ListLayerVersions", "LayerVersions", _named("Version"), _layer_versions, LAMBDAS),
    Reading(
        "lambda",
        "ListProvisionedConcurrencyConfigs",
        "ProvisionedConcurrencyConfigs",
        _named("FunctionArn"),
        _provisioned,
        LAMBDAS,
    ),
    Reading("lambda", "ListVersionsByFunction", "Versions", _named("Version"), _versions, LAMBDAS),
    Reading("logs", "DescribeLogGroups", "logGroups", _named("logGroupName"), _log_groups, OF_LOGS),
    Reading("logs", "DescribeLogStreams", "logStreams", _named("logStreamName"), _log_streams, OF_LOGS),
    Reading("logs", "DescribeMetricFilters", "metricFilters", _named("filterName"), _metric_filters, OF_LOGS),
    Reading(
        "logs",
        "DescribeSubscriptionFilters",
        "subscriptionFilters",
        _named("filterName"),
        _subscription_filters,
        OF_LOGS,
    ),
    Reading("logs", "FilterLogEvents", "events", _named("message"), _log_events, OF_LOGS),
    Reading("logs", "GetLogEvents", "events", _named("message"), _events_of_a_stream),
    Reading("sqs", "ListQueues", "QueueUrls", str, _queues, RESULTS),
    Reading("sqs", "ListDeadLetterSourceQueues", "queueUrls", str, _dead_letter_sources, RESULTS),
    Reading("events", "ListRules", "Rules", _named("Name"), _rules, OF_EVENTS),
    Reading("events", "ListRuleNamesByTarget", "RuleNames", str, _rules_by_target, OF_EVENTS),
    Reading("events", "ListTargetsByRule", "Targets", _named("Id"), _targets, OF_EVENTS),
    Reading("events", "ListEventBuses", "EventBuses", _named("Name"), _buses, OF_EVENTS),
    Reading("events", "ListArchives", "Archives", _named("ArchiveName"), _archives, OF_EVENTS),
    Reading("scheduler", "ListSchedules", "Schedules", _named("Name"), _schedules, RESULTS),
    Reading("scheduler", "ListScheduleGroups", "ScheduleGroups", _named("Name"), _schedule_groups, RESULTS),
    Reading(
        "cloudwatch",
        "DescribeAlarms",
        "MetricAlarms",
        _named("AlarmName"),
        _alarms,
        ("MaxRecords", "NextToken", "NextToken"),
    ),
    Reading("cloudwatch", "ListMetrics", "Metrics", _named("MetricName"), _metrics),
)

# All that the engine's README tells of.
EVERYTHING = (*members.ROUNDS, *updates.ROUNDS, *READINGS)
