"""What a learner has made, and what joins it: functions, queues, buckets and the rest as nodes, what moves as edges.

find() asks AWS through the workshop's clients, in the same way on the embedded AWS. It changes nothing there, and what
AWS refuses to tell is left out, with a sentence. Discovery says when it is time to ask again.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .. import settings
from ..arguments import name_of_function
from ..connect import Workshop
from ..inbox import InboxError, open_inbox
from ..resources.tags import tag_filters
from ..resources.types import code, says_absent

MOST = 500  # of one kind that are listed, so that an account with many things is not read for minutes
AGAIN_S = {"embedded": 10.0, "emulator": 30.0, "aws": 60.0}  # while somebody looks, should no event tell of a change
SOONEST_S = 1.0  # between two looks, however much changes
WEBHOOK = "webhook"  # the id of the one node that is not in AWS
WEBHOOK_VARIABLE = "WEBHOOK_URL"

# What a role has to allow for something to move, and to which kind of node; reading moves nothing there.
MOVING = {
    "queue": {"sqs:SendMessage"},
    "topic": {"sns:Publish"},
    "bucket": {"s3:PutObject"},
    "table": {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"},
    "function": {"lambda:InvokeFunction"},
    "event bus": {"events:PutEvents"},
}
KINDS = {  # by the service in an ARN, and how its resource begins
    ("lambda", "function"): "function",
    ("sqs", ""): "queue",
    ("s3", ""): "bucket",
    ("sns", ""): "topic",
    ("dynamodb", "table"): "table",
    ("kinesis", "stream"): "stream",
    ("events", "event-bus"): "event bus",
    ("events", "rule"): "rule",
    ("states", "stateMachine"): "state machine",
}
CHANGES = {"changed", "deleted"}  # why an environment has ended, where a function is another one now


@dataclass(frozen=True)
class Node:
    """One thing. `id` is its ARN, or what AWS has in its place; `short` is the name without the learner's prefix."""

    id: str
    kind: str
    name: str
    short: str = ""
    attributes: dict[str, str] = field(default_factory=dict)  # AWS's words for them, and their values


@dataclass(frozen=True)
class Edge:
    """What can move from one node to another, and why: `kind` is an id of the catalogue, system.edge.…."""

    source: str
    target: str
    kind: str
    label: str = ""

    @property
    def id(self) -> str:
        return f"{self.source} {self.kind} {self.target}"


@dataclass(frozen=True)
class System:
    """The nodes and the edges, in a fixed order, and a sentence for each thing that AWS did not tell."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    left_out: tuple[str, ...] = ()

    def message(self) -> dict[str, Any]:
        """What the page is told."""
        edges = [
            {"id": edge.id, "from": edge.source, "to": edge.target, "kind": edge.kind, "label": edge.label}
            for edge in self.edges
        ]
        return {"type": "system", "nodes": [*map(asdict, self.nodes)], "edges": edges, "left_out": [*self.left_out]}

    def node(self, id: str) -> Node | None:
        return next((node for node in self.nodes if node.id == id), None)


Found = Iterator[Node | Edge]


class Discovery:
    """When to look again: a while after the last look, and soon after an event that tells of something new."""

    def __init__(
        self, workshop: Workshop, functions: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.system = System()
        self._workshop, self._functions, self._clock = workshop, functions, clock
        self._looked: float | None = None
        self._changed = False

    def receive(self, events: Iterable[dict[str, Any]]) -> None:
        """Take note of what the events tell of the system."""
        self._changed = self._changed or any(_is_news(event, self.system) for event in events)

    def is_due(self) -> bool:
        if self._looked is None:
            return True
        return self._clock() - self._looked > (SOONEST_S if self._changed else AGAIN_S[self._workshop.target])

    def look(self) -> System | None:
        """The system as it is now; None where it is as at the last look."""
        self._changed = False
        before, self.system = self.system, find(self._workshop, self._functions)
        first, self._looked = self._looked is None, self._clock()
        return self.system if first or self.system != before else None


def _is_news(event: dict[str, Any], system: System) -> bool:
    if event["kind"] == "environment.ended":
        return event.get("reason") in CHANGES
    if event["kind"] == "environment.created":
        return not any(
            node.kind == "function" and node.name == name_of_function(event["function"]) for node in system.nodes
        )
    if event["kind"] == "notification.sent":
        ends = unqualified(event["from"]), unqualified(event["to"])
        known = any((edge.source, edge.target) == ends for edge in system.edges)
        return not known and any(system.node(end) for end in ends)
    return False


def find(workshop: Workshop, functions: Sequence[str] = ()) -> System:
    """The learner's system; with names of functions, what is joined to these alone."""
    asking = _Asking(workshop)
    parts = (_functions, _mappings, _queues, _buckets, _topics, _tables, _rules, _schedules, _apis)
    asking.tagged = frozenset(
        asking.pages("resourcegroupstaggingapi", "get_resources", "", {"TagFilters": tag_filters(workshop.tags)})
    )
    with ThreadPoolExecutor(len(parts)) as threads:  # on AWS each answer takes a while
        found = [each for part in threads.map(lambda part: list(part(asking)), parts) for each in part]
    nodes = {each.id: each for each in found if isinstance(each, Node)}
    edges = [each for each in found if isinstance(each, Edge)]
    edges += list(_patterns(nodes, edges))
    edges = [edge for edge in edges if edge.source in nodes or edge.target in nodes]
    for end in (end for edge in edges for end in (edge.source, edge.target)):
        nodes.setdefault(end, _by_arn(workshop, end))
    edges += _allowed(asking, nodes)
    nodes, edges = _joined_to(functions, nodes, _merged(edges))
    in_order = sorted(nodes.values(), key=lambda node: (node.kind, node.name, node.id))
    return System(tuple(in_order), tuple(edges), tuple(dict.fromkeys(sorted(asking.left_out))))


def unqualified(arn: str) -> str:
    """The ARN of a function without its version or alias, of a table without its stream; any other as it is."""
    parts = arn.split(":")
    if len(parts) > 7 and parts[2] == "lambda" and parts[5] == "function":
        return ":".join(parts[:7])
    return arn.partition("/stream/")[0] if ":dynamodb:" in arn else arn


class _Asking:
    """Questions to AWS; what is refused is an empty answer, and a sentence in left_out."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.prefix = f"{workshop.tags['learner']}-"
        self.tagged: frozenset[str] = frozenset()
        self.left_out: set[str] = set()

    def is_ours(self, name: str, arn: str = "") -> bool:
        return name.startswith(self.prefix) or (arn or name) in self.tagged

    def node(self, id: str, kind: str, name: str, **attributes: Any) -> Node:
        told = {key: str(value) for key, value in attributes.items() if value not in (None, "")}
        return Node(id, kind, name, name.removeprefix(self.prefix), told)

    def one(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one call."""
        with _Refusal(self, operation):
            answer: dict[str, Any] = getattr(self.workshop.client(service), operation)(**parameters)
            return answer
        return {}

    def pages(self, service: str, operation: str, place: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        """What a list holds, MOST things at most; of the tagging API the ARNs."""
        place = place or "ResourceTagMappingList[].ResourceARN"
        with _Refusal(self, operation):
            pages = self.workshop.client(service).get_paginator(operation).paginate(**parameters or {})
            found = list(islice((each for each in pages.search(place) if each), MOST + 1))
            if len(found) > MOST:
                self.left_out.add(
                    f"More than {MOST} are there of what {_called(operation)} lists; the rest is left out."
                )
            return found[:MOST]
        return []


class _Refusal:
    """Turns AWS's refusal of one operation into a sentence; what has just gone is no refusal."""

    def __init__(self, asking: _Asking, operation: str) -> None:
        self._asking, self._operation = asking, operation

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, ClientError | BotoCoreError):
            return False
        if not says_absent(error):
            # of AWS's answer the code alone: its message may hold an ARN and so the account id
            reason = code(error) if isinstance(error, ClientError) else type(error).__name__
            called = _called(self._operation)
            self._asking.left_out.add(f"What {called} tells is left out, as AWS answered {reason}.")
        return True


def _called(operation: str) -> str:
    """An operation as AWS names it, e.g. "ListQueues"."""
    return "".join(word.capitalize() for word in operation.split("_"))


def _functions(asking: _Asking) -> Found:
    ask = partial(asking.pages, "lambda")
    inbox = _inbox_url(asking.workshop)
    for each in ask("list_functions", "Functions[]"):
        arn, name = each["FunctionArn"], each["FunctionName"]
        if not asking.is_ours(name, arn):
            continue
        yield asking.node(
            arn,
            "function",
            name,
            Runtime=each.get("Runtime"),
            Handler=each.get("Handler"),
            MemorySize=f"{each['MemorySize']} MB",
            Timeout=f"{each['Timeout']} s",
            Role=each["Role"],
        )
        if dead := each.get("DeadLetterConfig", {}).get("TargetArn"):
            yield Edge(arn, dead, "dead-letter")
        if url := each.get("Environment", {}).get("Variables", {}).get(WEBHOOK_VARIABLE):
            yield Node(WEBHOOK, WEBHOOK, "inbox" if url in inbox else WEBHOOK, "inbox" if url in inbox else WEBHOOK)
            yield Edge(arn, WEBHOOK, "webhook", WEBHOOK_VARIABLE)
        for config in ask("list_function_event_invoke_configs", "FunctionEventInvokeConfigs[]", {"FunctionName": name}):
            yield from _destinations(arn, config, _qualifier(config["FunctionArn"]))
        for config in ask("list_function_url_configs", "FunctionUrlConfigs[]", {"FunctionName": name}):
            address, auth = config["FunctionUrl"], config["AuthType"]
            yield asking.node(address, "function URL", name, FunctionUrl=address, AuthType=auth)
            yield Edge(address, arn, "url", _qualifier(config["FunctionArn"]))


def _inbox_url(workshop: Workshop) -> set[str]:
    """The addresses of the inbox on this machine, where there is one."""
    if not workshop.is_embedded or settings.slack_webhook():
        return set()
    inbox = open_inbox(workshop)
    addresses = {inbox.webhook_url.reveal()}
    try:
        return addresses | {inbox.https_webhook_url.reveal()}
    except InboxError:  # this machine has no openssl to make a certificate with
        return addresses


def _destinations(source: str, config: dict[str, Any], label: str = "") -> Found:
    for event, kind in (("OnSuccess", "on-success"), ("OnFailure", "on-failure")):
        if target := config.get("DestinationConfig", {}).get(event, {}).get("Destination"):
            yield Edge(source, unqualified(target), kind, label)


def _qualifier(arn: str) -> str:
    """The version or alias in a function's ARN; "" where that is the unpublished one."""
    parts = arn.split(":")
    return parts[7] if len(parts) > 7 and parts[7] != "$LATEST" else ""


def _mappings(asking: _Asking) -> Found:
    for each in asking.pages("lambda", "list_event_source_mappings", "EventSourceMappings[]"):
        if "EventSourceArn" not in each:  # of a broker outside AWS
            continue
        words = [_qualifier(each["FunctionArn"]), f"BatchSize {each['BatchSize']}" if "BatchSize" in each else ""]
        words += [each["State"]] if each.get("State") not in (None, "Enabled") else []
        function = unqualified(each["FunctionArn"])
        yield Edge(unqualified(each["EventSourceArn"]), function, "mapping", ", ".join(filter(None, words)))
        yield from _destinations(function, each)


def _queues(asking: _Asking) -> Found:
    names = ["QueueArn", "RedrivePolicy", "VisibilityTimeout", "MessageRetentionPeriod"]
    urls = set(asking.pages("sqs", "list_queues", "QueueUrls[]", {"QueueNamePrefix": asking.prefix}))
    for arn in (arn for arn in asking.tagged if ":sqs:" in arn and not arn.split(":")[-1].startswith(asking.prefix)):
        urls.add(asking.one("sqs", "get_queue_url", QueueName=arn.split(":")[-1]).get("QueueUrl", ""))
    for url in sorted(urls - {""}):
        told = asking.one("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names).get("Attributes")
        if not told:  # it has just gone, or may not be asked
            continue
        arn, retention = told["QueueArn"], int(told.get("MessageRetentionPeriod", 0))
        redrive = json.loads(told.get("RedrivePolicy", "{}"))
        yield asking.node(
            arn,
            "queue",
            arn.split(":")[-1],
            QueueUrl=url,
            VisibilityTimeout=f"{told.get('VisibilityTimeout', '?')} s",
            MessageRetentionPeriod=f"{retention} s",
            maxReceiveCount=redrive.get("maxReceiveCount"),
        )
        if dead := redrive.get("deadLetterTargetArn"):
            yield Edge(arn, dead, "dead-letter", f"maxReceiveCount {redrive.get('maxReceiveCount')}")


def _buckets(asking: _Asking) -> Found:
    partition = asking.workshop.partition
    for name in asking.pages("s3", "list_buckets", "Buckets[].Name"):
        arn = f"arn:{partition}:s3:::{name}"
        if not asking.is_ours(name, arn):
            continue
        told = asking.one("s3", "get_bucket_notification_configuration", Bucket=name)
        on = "enabled" if "EventBridgeConfiguration" in told else None
        yield asking.node(arn, "bucket", name, EventBridgeConfiguration=on)
        for kind, key in (("Queue", "QueueArn"), ("Topic", "TopicArn"), ("LambdaFunction", "LambdaFunctionArn")):
            for each in told.get(f"{kind}Configurations", []):
                rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", [])
                filters = [f"{rule['Name'].lower()} {rule['Value']}" for rule in rules]
                events = [event.removeprefix("s3:").removesuffix(":*") for event in each["Events"]]
                yield Edge(arn, unqualified(each[key]), "notification", ", ".join(events + filters))


def _topics(asking: _Asking) -> Found:
    for arn in asking.pages("sns", "list_topics", "Topics[].TopicArn"):
        name = arn.split(":")[-1]
        if not asking.is_ours(name, arn):
            continue
        found = asking.pages("sns", "list_subscriptions_by_topic", "Subscriptions[]", {"TopicArn": arn})
        yield asking.node(arn, "topic", name, Subscriptions=len(found))
        for each in found:
            if each["Protocol"] in ("sqs", "lambda"):  # mail, for one, is no node
                yield Edge(arn, unqualified(each["Endpoint"]), "subscription")


def _tables(asking: _Asking) -> Found:
    names = set(asking.pages("dynamodb", "list_tables", "TableNames[]"))
    ours = {arn.split("/")[1] for arn in asking.tagged if ":dynamodb:" in arn and "/" in arn}
    for name in sorted(name for name in names if name.startswith(asking.prefix) or name in ours):
        if told := asking.one("dynamodb", "describe_table", TableName=name).get("Table"):
            view = told.get("StreamSpecification", {}).get("StreamViewType")
            key = ", ".join(each["AttributeName"] for each in told.get("KeySchema", []))
            yield asking.node(told["TableArn"], "table", name, KeySchema=key, StreamViewType=view)


def _rules(asking: _Asking) -> Found:
    for each in asking.pages("events", "list_rules", "Rules[]"):  # of the default bus
        arn, name = each["Arn"], each["Name"]
        if not asking.is_ours(name, arn):
            continue
        yield asking.node(
            arn,
            "rule",
            name,
            ScheduleExpression=each.get("ScheduleExpression"),
            EventPattern=each.get("EventPattern"),
            State=each.get("State"),
        )
        for target in asking.pages("events", "list_targets_by_rule", "Targets[]", {"Rule": name}):
            disabled = "" if each.get("State", "ENABLED") == "ENABLED" else each["State"]
            yield Edge(arn, unqualified(target["Arn"]), "target", each.get("ScheduleExpression") or disabled)
            if dead := target.get("DeadLetterConfig", {}).get("Arn"):
                yield Edge(arn, dead, "dead-letter")


def _schedules(asking: _Asking) -> Found:
    for each in asking.pages("scheduler", "list_schedules", "Schedules[]", {"NamePrefix": asking.prefix}):
        told = asking.one("scheduler", "get_schedule", Name=each["Name"], GroupName=each.get("GroupName", "default"))
        if not told:
            continue
        when, state, target = told["ScheduleExpression"], told.get("State"), told["Target"]
        yield asking.node(told["Arn"], "schedule", each["Name"], ScheduleExpression=when, State=state)
        yield Edge(told["Arn"], unqualified(target["Arn"]), "target", when)
        if dead := target.get("DeadLetterConfig", {}).get("Arn"):
            yield Edge(told["Arn"], dead, "dead-letter")


def _apis(asking: _Asking) -> Found:
    partition, region = asking.workshop.partition, asking.workshop.region
    for each in asking.pages("apigatewayv2", "get_apis", "Items[]"):
        id, name = each["ApiId"], each["Name"]
        tags = each.get("Tags", {})
        if not name.startswith(asking.prefix) and any(
            tags.get(key) != tag for key, tag in asking.workshop.tags.items()
        ):
            continue
        arn = f"arn:{partition}:apigateway:{region}::/apis/{id}"
        yield asking.node(arn, "HTTP API", name, ApiEndpoint=each.get("ApiEndpoint"), ApiId=id)
        routes = asking.pages("apigatewayv2", "get_routes", "Items[]", {"ApiId": id})
        for integration in asking.pages("apigatewayv2", "get_integrations", "Items[]", {"ApiId": id}):
            uri = integration.get("IntegrationUri", "")
            target = uri.partition("/functions/")[2].removesuffix("/invocations") or uri
            if ":function:" in target:
                end = f"integrations/{integration['IntegrationId']}"
                keys = sorted(route["RouteKey"] for route in routes if route.get("Target") == end)
                yield Edge(arn, unqualified(target), "route", ", ".join(keys))


def _patterns(nodes: dict[str, Node], edges: list[Edge]) -> Iterator[Edge]:
    """What brings events to the rules that wait for them: a bucket that tells EventBridge, and the bus itself."""
    buses = {edge.target for edge in edges if ":event-bus/" in edge.target}
    for rule in (node for node in nodes.values() if "EventPattern" in node.attributes):
        pattern = json.loads(rule.attributes["EventPattern"])
        for bus in buses:
            if bus.endswith("/default"):
                yield Edge(bus, rule.id, "pattern")
        if "aws.s3" not in pattern.get("source", []):
            continue
        for bucket in (node for node in nodes.values() if "EventBridgeConfiguration" in node.attributes):
            names = pattern.get("detail", {}).get("bucket", {}).get("name", [bucket.name])
            if bucket.name in names:
                yield Edge(bucket.id, rule.id, "pattern", ", ".join(map(str, pattern.get("detail-type", []))))


def _allowed(asking: _Asking, nodes: dict[str, Node]) -> Iterator[Edge]:
    """Where functions may put something, by the policies in their roles that name it."""
    policies: dict[str, list[dict[str, Any]]] = {}
    for function in [node for node in nodes.values() if "Role" in node.attributes]:
        role = function.attributes["Role"].split("/")[-1]
        if role not in policies:
            policies[role] = [*_inline(asking, role)]
        for node in nodes.values():
            actions = {action for each in policies[role] if _names(each, node) for action in _list(each, "Action")}
            if node.id != function.id and (moving := actions & MOVING.get(node.kind, set())):
                yield Edge(function.id, node.id, "allowed", ", ".join(sorted(moving)))


def _inline(asking: _Asking, role: str) -> Iterator[dict[str, Any]]:
    for name in asking.pages("iam", "list_role_policies", "PolicyNames[]", {"RoleName": role}):
        document = asking.one("iam", "get_role_policy", RoleName=role, PolicyName=name).get("PolicyDocument", {})
        for each in _list(document, "Statement"):
            if each.get("Effect") == "Allow":
                yield each


def _names(statement: dict[str, Any], node: Node) -> bool:
    """Whether a statement names this node, or a part of it such as keys of a bucket: a "*" names nothing."""
    return any(each == node.id or each.startswith(f"{node.id}/") for each in _list(statement, "Resource"))


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    """IAM takes one thing in the place of a list of one."""
    value = holder.get(key, [])
    return value if isinstance(value, list) else [value]


def _by_arn(workshop: Workshop, arn: str) -> Node:
    """A node of which nothing is known but that something of the learner's is joined to it."""
    parts = arn.split(":", 5)
    service, resource = (parts[2], parts[5]) if len(parts) == 6 else ("", arn)
    kind = next((kind for (of, begin), kind in KINDS.items() if of == service and resource.startswith(begin)), "other")
    name = resource.replace("/", ":").split(":")[-1]
    return Node(arn, kind, name, name.removeprefix(f"{workshop.tags['learner']}-"))


def _merged(edges: Iterable[Edge]) -> list[Edge]:
    """One edge for each pair of ends and kind, with all their labels; what is allowed and also set up is the latter."""
    found: dict[str, Edge] = {}
    for edge in sorted(edges, key=lambda edge: (edge.id, edge.label)):
        if known := found.get(edge.id):
            labels = dict.fromkeys(filter(None, (known.label, edge.label)))
            found[edge.id] = replace(known, label="; ".join(labels))
        else:
            found[edge.id] = edge
    set_up = {(edge.source, edge.target) for edge in found.values() if edge.kind != "allowed"}
    return [edge for edge in found.values() if edge.kind != "allowed" or (edge.source, edge.target) not in set_up]


def _joined_to(
    functions: Sequence[str], nodes: dict[str, Node], edges: list[Edge]
) -> tuple[dict[str, Node], list[Edge]]:
    """What can be reached from these functions along edges of any direction; everything where none is named."""
    if not functions:
        return nodes, edges
    names = {name_of_function(each) for each in functions}
    reached = {id for id, node in nodes.items() if node.kind == "function" and node.name in names}
    before = 0
    while len(reached) != before:
        before = len(reached)
        through = reached - {WEBHOOK}  # to which everybody posts
        for edge in edges:
            if edge.source in through or edge.target in through:
                reached |= {edge.source, edge.target}
    kept = [edge for edge in edges if edge.source in reached and edge.target in reached]
    return {id: node for id, node in nodes.items() if id in reached}, kept
