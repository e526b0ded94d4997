"""What a learner has made is found through boto3, with what joins it, and no more calls than are needed."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually

from helpers.arguments import name_of_function
from helpers.deploying.deploy import deploy
from helpers.watch import discovery
from helpers.watch.discovery import AGAIN_S, SOONEST_S, Discovery, Edge, Node, System, find, unqualified

SOURCE = {"app.py": "def handler(event, context):\n    return event\n"}


@pytest.fixture(scope="module")
def wired(aws_of_module):
    """One of everything that can be joined to functions; the workshop, and ARNs by name."""
    aws = aws_of_module
    clients = SimpleNamespace(
        **{name: aws.client(name) for name in ("lambda", "s3", "sqs", "sns", "dynamodb", "events", "scheduler")}
    )
    lambda_client, api = aws.client("lambda"), aws.client("apigatewayv2")
    arns: dict[str, str] = {}
    for name in ("jobs", "dead", "done"):
        url = clients.sqs.create_queue(QueueName=aws.name(f"wired-{name}"))["QueueUrl"]
        answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arns[name] = answer["Attributes"]["QueueArn"]
        arns[f"{name} url"] = url
    redrive = json.dumps({"deadLetterTargetArn": arns["dead"], "maxReceiveCount": 3})
    clients.sqs.set_queue_attributes(QueueUrl=arns["jobs url"], Attributes={"RedrivePolicy": redrive})
    clients.dynamodb.create_table(
        TableName=aws.name("wired-table"),
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    table = clients.dynamodb.describe_table(TableName=aws.name("wired-table"))["Table"]
    arns["table"] = table["TableArn"]
    arns["topic"] = clients.sns.create_topic(Name=aws.name("wired-topic"))["TopicArn"]
    take = {"Effect": "Allow", "Resource": arns["jobs"]}
    take["Action"] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"]
    read = {"Effect": "Allow", "Resource": f"{arns['table']}/stream/*"}
    read["Action"] = [f"dynamodb:{each}" for each in ("GetRecords", "GetShardIterator", "DescribeStream")]
    streams = {"Effect": "Allow", "Action": "dynamodb:ListStreams", "Resource": "*"}
    write = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": arns["table"]}
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": [arns["done"], arns["dead"]]}
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": arns["topic"]}
    put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{aws.bucket('wired-files')}/out/*"}
    role = aws.role(take, read, streams, write, send, publish, put)
    for name in ("worker", "lone"):
        arns[name] = deploy(aws, aws.name(f"wired-{name}"), SOURCE, Role=role if name == "worker" else aws.role())[
            "FunctionArn"
        ]
    worker = aws.name("wired-worker")
    lambda_client.update_function_configuration(
        FunctionName=worker,
        DeadLetterConfig={"TargetArn": arns["dead"]},
        Environment={"Variables": {"WEBHOOK_URL": _inbox(aws)}},
    )
    eventually(lambda: _updated(lambda_client, worker))
    lambda_client.put_function_event_invoke_config(
        FunctionName=worker,
        DestinationConfig={"OnSuccess": {"Destination": arns["done"]}, "OnFailure": {"Destination": arns["topic"]}},
    )
    for source, more in ((arns["jobs"], {"BatchSize": 5}), (table["LatestStreamArn"], {"StartingPosition": "LATEST"})):
        lambda_client.create_event_source_mapping(EventSourceArn=source, FunctionName=worker, **more)
    arns["url"] = lambda_client.create_function_url_config(FunctionName=worker, AuthType="AWS_IAM")["FunctionUrl"]
    _let_in(lambda_client, worker, "s3", "sns", "events", "apigateway")
    bucket = aws.bucket("wired-files")
    clients.s3.create_bucket(Bucket=bucket)
    arns["bucket"] = f"arn:aws:s3:::{bucket}"
    clients.s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {
                    "LambdaFunctionArn": arns["worker"],
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}},
                }
            ],
            "EventBridgeConfiguration": {},
        },
    )
    clients.sns.subscribe(TopicArn=arns["topic"], Protocol="lambda", Endpoint=arns["worker"])
    clients.sns.subscribe(TopicArn=arns["topic"], Protocol="sqs", Endpoint=arns["done"])
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Deleted"], "detail": {"bucket": {"name": [bucket]}}}
    for name, when in (
        ("clock", {"ScheduleExpression": "rate(1 day)"}),
        ("gone", {"EventPattern": json.dumps(pattern)}),
    ):
        arns[name] = clients.events.put_rule(Name=aws.name(f"wired-{name}"), **when)["RuleArn"]
        clients.events.put_targets(Rule=aws.name(f"wired-{name}"), Targets=[{"Id": "1", "Arn": arns["worker"]}])
    arns["night"] = clients.scheduler.create_schedule(
        Name=aws.name("wired-night"),
        ScheduleExpression="cron(0 2 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arns["worker"], "RoleArn": _scheduler_role(aws), "DeadLetterConfig": {"Arn": arns["dead"]}},
    )["ScheduleArn"]
    made = api.create_api(Name=aws.name("wired-api"), ProtocolType="HTTP", Target=arns["worker"])
    arns["api"] = f"arn:aws:apigateway:{aws.region}::/apis/{made['ApiId']}"
    return SimpleNamespace(aws=aws, arns=arns)


def _updated(client, name: str) -> bool:
    return client.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful"


def _inbox(aws) -> str:
    from helpers.inbox import open_inbox

    return open_inbox(aws).webhook_url.reveal()


def _let_in(client, function: str, *services: str) -> None:
    for service in services:
        client.add_permission(
            FunctionName=function,
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
        )


def _scheduler_role(aws) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = aws.client("iam").create_role(
        RoleName=aws.name("wired-scheduler"), AssumeRolePolicyDocument=json.dumps(trust)
    )
    return role["Role"]["Arn"]


@pytest.fixture(scope="module")
def found(wired) -> System:
    mappings = wired.aws.client("lambda").list_event_source_mappings
    eventually(lambda: {each["State"] for each in mappings()["EventSourceMappings"]} == {"Enabled"})
    return find(wired.aws, [wired.aws.name("wired-worker")])


def test_everything_that_is_joined_to_a_function_is_found(wired, found):
    kinds = {node.id: node.kind for node in found.nodes}
    arns = wired.arns
    assert kinds == {
        arns["worker"]: "function",
        arns["jobs"]: "queue",
        arns["dead"]: "queue",
        arns["done"]: "queue",
        arns["table"]: "table",
        arns["topic"]: "topic",
        arns["bucket"]: "bucket",
        arns["clock"]: "rule",
        arns["gone"]: "rule",
        arns["night"]: "schedule",
        arns["api"]: "HTTP API",
        arns["url"]: "function URL",
        "webhook": "webhook",
    }
    assert found.left_out == ()


def test_each_edge_says_why_something_moves_along_it(wired, found):
    names = {arn: name for name, arn in wired.arns.items()} | {"webhook": "webhook"}
    edges = {(names[each.source], each.kind, names[each.target]): each.label for each in found.edges}
    assert edges == {
        ("jobs", "mapping", "worker"): "BatchSize 5",
        ("table", "mapping", "worker"): "BatchSize 100",
        ("bucket", "notification", "worker"): "ObjectCreated, prefix in/",
        ("bucket", "pattern", "gone"): "Object Deleted",
        ("gone", "target", "worker"): "",
        ("clock", "target", "worker"): "rate(1 day)",
        ("night", "target", "worker"): "cron(0 2 * * ? *)",
        ("night", "dead-letter", "dead"): "",
        ("topic", "subscription", "worker"): "",
        ("topic", "subscription", "done"): "",
        ("url", "url", "worker"): "",
        ("api", "route", "worker"): "$default",
        ("worker", "dead-letter", "dead"): "",
        ("worker", "on-success", "done"): "",
        ("worker", "on-failure", "topic"): "",
        ("worker", "webhook", "webhook"): "WEBHOOK_URL",
        ("worker", "allowed", "table"): "dynamodb:PutItem",
        ("worker", "allowed", "jobs"): "sqs:SendMessage",
        ("worker", "allowed", "bucket"): "s3:PutObject",
        ("jobs", "dead-letter", "dead"): "maxReceiveCount 3",
    }


def test_nodes_have_names_without_the_prefix_and_what_aws_says_of_them(wired, found):
    worker = found.node(wired.arns["worker"])
    assert (worker.name, worker.short) == (wired.aws.name("wired-worker"), "wired-worker")
    assert worker.attributes["MemorySize"] == "128 MB"
    assert found.node(wired.arns["jobs"]).attributes["maxReceiveCount"] == "3"
    assert found.node("webhook").name == "inbox"


def test_no_secret_is_told_to_the_page(wired, found):
    assert "/services/T" not in json.dumps(found.message())


def test_a_function_that_nothing_is_joined_to_stands_alone(wired):
    alone = find(wired.aws, [wired.aws.name("wired-lone")])
    assert [(node.kind, node.short) for node in alone.nodes] == [("function", "wired-lone")]
    assert alone.edges == ()


def test_without_names_all_that_is_the_learners_is_found(wired):
    everything = find(wired.aws)
    assert {wired.arns["worker"], wired.arns["lone"]} <= {node.id for node in everything.nodes}


def test_what_another_learner_has_is_not_found(wired, clients):
    url = clients("sqs").create_queue(QueueName="somebody-jobs")["QueueUrl"]
    try:
        assert "somebody-jobs" not in {node.name for node in find(wired.aws).nodes}
    finally:
        clients("sqs").delete_queue(QueueUrl=url)


def test_what_is_told_to_the_page_is_json_with_from_and_to(wired, found):
    message = json.loads(json.dumps(found.message()))
    assert message["type"] == "system"
    edge = next(each for each in message["edges"] if each["kind"] == "route")
    assert set(edge) == {"id", "from", "to", "kind", "label"}
    assert len({each["id"] for each in message["edges"]}) == len(message["edges"])


def test_a_change_is_seen_at_the_next_look(wired):
    discovery = Discovery(wired.aws, [wired.aws.name("wired-lone")])
    assert discovery.look() is not None
    assert discovery.look() is None
    lone = wired.aws.name("wired-lone")
    url = wired.aws.client("lambda").create_function_url_config(FunctionName=lone, AuthType="NONE")["FunctionUrl"]
    try:
        assert url in {node.id for node in discovery.look().nodes}
    finally:
        wired.aws.client("lambda").delete_function_url_config(FunctionName=lone)


# What AWS does not tell


class Refusing:
    """A workshop on which some operations are denied."""

    def __init__(self, workshop, *denied: str) -> None:
        self._workshop, self._denied = workshop, denied

    def __getattr__(self, name):
        return getattr(self._workshop, name)

    def client(self, service: str):
        client = self._workshop.client(service)
        refusing = self

        class Denying:
            def __getattr__(self, name):
                if name in refusing._denied:
                    return refusing._deny(name)
                return getattr(client, name)

            def get_paginator(self, name):
                if name in refusing._denied:
                    return SimpleNamespace(paginate=refusing._deny(name))
                return client.get_paginator(name)

        return Denying()

    def _deny(self, operation: str):
        def deny(**_):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "arn:aws:iam::123:user/x"}}, operation)

        return deny


def test_what_may_not_be_asked_is_left_out_with_a_sentence(wired):
    denied = find(Refusing(wired.aws, "list_topics", "get_bucket_notification_configuration", "get_resources"))
    assert denied.left_out == (
        "What GetBucketNotificationConfiguration tells is left out, as AWS answered AccessDenied.",
        "What GetResources tells is left out, as AWS answered AccessDenied.",
        "What ListTopics tells is left out, as AWS answered AccessDenied.",
    )
    kinds = {node.id: node.kind for node in denied.nodes}
    assert kinds[wired.arns["topic"]] == "topic", "the function's destination names it"
    assert kinds[wired.arns["bucket"]] == "bucket"


def test_lists_are_bounded(wired, monkeypatch):
    monkeypatch.setattr(discovery, "MOST", 1)
    assert "More than 1 are there of what ListFunctions lists; the rest is left out." in find(wired.aws).left_out


# When to look again


def test_it_looks_again_after_a_while_and_soon_after_news(aws):
    now = [100.0]
    discovery = Discovery(aws, clock=lambda: now[0])
    assert discovery.is_due()
    discovery.look()
    assert not discovery.is_due()
    now[0] += SOONEST_S + 0.1
    assert not discovery.is_due()
    discovery.receive([{"kind": "environment.ended", "reason": "idle"}, {"kind": "message.sent", "queue": "q"}])
    assert not discovery.is_due()
    discovery.receive([{"kind": "environment.ended", "reason": "changed"}])
    assert discovery.is_due()
    discovery.look()
    assert not discovery.is_due()
    now[0] += AGAIN_S["embedded"] + 0.1
    assert discovery.is_due()


FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
SMALL = System((Node(FUNCTION, "function", "f"), Node(QUEUE, "queue", "q")), (Edge(QUEUE, FUNCTION, "mapping"),))


@pytest.mark.parametrize(
    ("event", "is_news"),
    [
        ({"kind": "environment.created", "function": "f"}, False),
        ({"kind": "environment.created", "function": f"{FUNCTION}:live"}, False),
        ({"kind": "environment.created", "function": "g"}, True),
        ({"kind": "notification.sent", "from": QUEUE, "to": f"{FUNCTION}:live"}, False),
        ({"kind": "notification.sent", "from": FUNCTION, "to": QUEUE}, True),
        ({"kind": "notification.sent", "from": "arn:aws:s3:::other", "to": "arn:aws:sqs:r:0:other"}, False),
        ({"kind": "invocation.failed", "function": "g"}, False),
    ],
)
def test_which_events_are_news(event, is_news):
    assert discovery._is_news(event, SMALL) is is_news


def test_arns_are_brought_to_the_thing_that_they_are_of():
    assert unqualified(f"{FUNCTION}:live") == unqualified(FUNCTION) == FUNCTION
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/t"
    assert unqualified(f"{table}/stream/2026-11-30T00:00:00.000") == table
    assert name_of_function(f"{FUNCTION}:3") == name_of_function("f:live") == name_of_function("f") == "f"
