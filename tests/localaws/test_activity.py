"""What happens in the embedded AWS, told as it happens: what is told of scenarios, and how a reader gets it."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from activity_reader import ActivityReader
from localaws_client import ROLE, eventually, made_bucket, refused

from helpers.localaws.data_plane import confinement

WORK = """
import os, time
def handler(event, context):
    if event == "exit":
        os._exit(3)
    if event == "raise":
        raise ValueError("<script>")
    time.sleep(event if isinstance(event, (int, float)) else 0)
    return "well"
"""
LIFE = ["created", "init", "ready", "frozen", "thawed", "busy", "idle", "frozen"]


@pytest.fixture
def reader(embedded_aws):
    with ActivityReader(embedded_aws) as reader:
        yield reader


_numbers = itertools.count(1)


class Queue:
    def __init__(self, sqs, ending="", **attributes):
        self.sqs = sqs
        self.url = sqs.create_queue(QueueName=f"told-{next(_numbers)}{ending}", Attributes=attributes)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn = attributes["Attributes"]["QueueArn"]

    def send(self, text, **more):
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=text, **more)["MessageId"]

    def receive(self, **more):
        """The receipt handles of what there is."""
        messages = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, **more).get("Messages", [])
        return [message["ReceiptHandle"] for message in messages]


@pytest.fixture
def make_queue(clients):
    made = []

    def make(*arguments, **attributes):
        made.append(Queue(clients("sqs"), *arguments, **attributes))
        return made[-1]

    yield make
    for queue in made:
        for mapping in clients("lambda").list_event_source_mappings(EventSourceArn=queue.arn)["EventSourceMappings"]:
            clients("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
        queue.sqs.delete_queue(QueueUrl=queue.url)


@pytest.fixture
def queue(make_queue):
    return make_queue()


def lives(reader, function):
    """What was told of each environment of a function, in short."""
    told = {}
    for event in reader.of("environment.", function=function.name):
        told.setdefault(event["environment"], []).append(event["kind"].removeprefix("environment."))
    return told


# Environments


def test_the_life_of_an_environment_is_told_in_order(make_function, reader):
    function = make_function(WORK, MemorySize=256)
    first, second = function.invoke(0), function.invoke(0)
    reader.wait("invocation.succeeded", 2, function=function.name)
    (told,) = lives(reader, function).values()
    assert told == [*LIFE, "thawed", "busy", "idle", "frozen"]
    (created,) = reader.of("environment.created", function=function.name)
    assert created["environment"] == f"/aws/lambda/{function.name}:{function.streams()[0]}"
    assert (created["version"], created["memory_size"]) == ("$LATEST", 256)
    assert created["initialization_type"] == "on-demand"
    (ready,) = reader.of("environment.ready", function=function.name)
    idle = reader.of("environment.idle", function=function.name)
    assert ready["init_ms"] == pytest.approx(float(function.reports()[0]["init"]), abs=50)
    assert [event["request_id"] for event in idle] == [first.request_id, second.request_id]
    assert [event["status"] for event in idle] == ["success", "success"]
    numbers = [event["id"] for event in reader.events]
    assert numbers == sorted(set(numbers)) and all(event["at"] > 0 for event in reader.events)


def test_a_burst_is_an_environment_for_each(make_function, reader):
    function = make_function(WORK)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(function.invoke, [1.5] * 8))
    reader.wait("invocation.succeeded", 8, function=function.name)
    told = lives(reader, function)
    assert len(told) == 8 and all(each == LIFE for each in told.values())


def test_an_environment_that_is_killed_is_told_and_the_next_invocation_has_a_new_one(make_function, reader):
    function = make_function(WORK)
    function.invoke(0)
    (process,) = function.processes()
    process.kill()
    (ended,) = reader.wait("environment.ended", function=function.name)
    assert ended["reason"] == "killed"
    function.invoke(0)
    first, second = reader.wait("environment.created", 2, function=function.name)
    assert first["environment"] == ended["environment"] != second["environment"]


@pytest.mark.parametrize(
    ("event", "reason", "status"), [("exit", "exited", "error"), (9, "timeout", "timeout")], ids=["exit", "timeout"]
)
def test_an_environment_whose_process_ends_within_an_invocation_begins_anew(
    make_function, reader, event, reason, status
):
    function = make_function(WORK, Timeout=1)
    function.invoke(event)
    function.invoke(0)
    reader.wait("invocation.succeeded", function=function.name)
    (told,) = lives(reader, function).values()
    assert told == [*LIFE[:-1], "ended", *LIFE]
    (ended,) = reader.of("environment.ended", function=function.name)
    idle = reader.of("environment.idle", function=function.name)
    assert ended["reason"] == reason and [each["status"] for each in idle] == [status, "success"]
    assert [each["phase"] for each in reader.of("environment.init", function=function.name)] == ["init", "invoke"]


def test_an_environment_whose_init_fails_is_told(make_function, reader):
    function = make_function("raise ValueError()")
    function.invoke(0)
    reader.wait("invocation.failed", function=function.name)
    (told,) = lives(reader, function).values()
    assert told == ["created", "init", "ended"] * 2
    assert {each["reason"] for each in reader.of("environment.ended", function=function.name)} == {"failed"}


def test_why_an_environment_ends_that_is_free(make_function, clients, reader):
    changed, deleted, idle = (make_function(WORK) for _ in range(3))
    for function in (changed, deleted, idle):
        function.invoke(0)
    changed.update(MemorySize=256)
    clients("lambda").delete_function(FunctionName=deleted.name)
    arn = clients("lambda").get_function_configuration(FunctionName=idle.name)["FunctionArn"]
    clients("lambda").tag_resource(Resource=arn, Tags={"localaws:idle-seconds": "0.1"})
    idle.invoke(0)
    for function, reason in ((changed, "changed"), (deleted, "deleted"), (idle, "idle")):
        reader.wait("environment.ended", function=function.name, reason=reason)


def test_provisioned_environments_are_told_before_any_invocation(make_function, clients, reader):
    function = make_function(WORK)
    version = clients("lambda").publish_version(FunctionName=function.name)["Version"]
    ids = {"FunctionName": function.name, "Qualifier": version}
    clients("lambda").put_provisioned_concurrency_config(**ids, ProvisionedConcurrentExecutions=2)
    reader.wait("environment.ready", 2, function=function.name, version=version)
    created = reader.of("environment.created", function=function.name)
    assert {each["initialization_type"] for each in created} == {"provisioned-concurrency"}
    clients("lambda").delete_provisioned_concurrency_config(**ids)
    ended = reader.wait("environment.ended", 2, function=function.name)
    assert {each["reason"] for each in ended} == {"unprovisioned"}


def test_an_environment_is_restored_from_its_snapshot(make_function, clients, reader):
    if not confinement.snapshots_possible():
        pytest.skip("this machine takes no snapshots")
    function = make_function(WORK, SnapStart={"ApplyOn": "PublishedVersions"})
    version = clients("lambda").publish_version(FunctionName=function.name)["Version"]
    reader.wait("environment.ended", function=function.name, reason="snapshot")
    eventually(lambda: function.invoke(0, Qualifier=version))
    (ready,) = reader.wait("environment.ready", function=function.name)
    assert ready["restore_ms"] > 0
    assert "restore" in [each["phase"] for each in reader.of("environment.init", function=function.name)]


# Invocations


def test_an_asynchronous_event_is_queued_tried_again_and_sent_to_a_destination(make_function, clients, queue, reader):
    function = make_function(WORK, Tags={"localaws:retry-seconds": "0.1"})
    clients("lambda").put_function_event_invoke_config(
        FunctionName=function.name, DestinationConfig={"OnFailure": {"Destination": queue.arn}}
    )
    request_id = function.invoke("raise", InvocationType="Event").request_id
    (sent,) = reader.wait("invocation.destination", request_id=request_id)
    kinds = [each["kind"].partition(".")[2] for each in reader.of("invocation.", request_id=request_id)]
    attempt = ["started", "failed"]
    assert kinds == ["queued", *attempt, "retried", *attempt, "retried", *attempt, "dropped", "destination"]
    assert (sent["to"], sent["condition"], sent["function"]) == (queue.arn, "RetriesExhausted", function.name)
    assert [each["attempts"] for each in reader.of("invocation.retried", request_id=request_id)] == [1, 2]


def test_a_throttle_is_told_with_its_reason(make_function, clients, reader):
    function = make_function(WORK)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    code, _ = refused(clients("lambda").invoke, FunctionName=function.name)
    assert code == "TooManyRequestsException"
    (throttled,) = reader.wait("invocation.throttled", function=function.name)
    assert throttled["reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded" and throttled["request_id"]


# Messages, objects, notifications


def test_a_message_is_sent_received_returned_and_deleted(queue, reader):
    sent = queue.send("1")
    (receipt,) = queue.receive(VisibilityTimeout=1)
    reader.wait("message.returned", queue=queue.arn)
    (receipt,) = queue.receive()
    queue.sqs.change_message_visibility(QueueUrl=queue.url, ReceiptHandle=receipt, VisibilityTimeout=0)
    reader.wait("message.returned", 2, queue=queue.arn)
    (receipt,) = queue.receive()
    queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=receipt)
    reader.wait("message.deleted", queue=queue.arn)
    told = reader.of("message.", queue=queue.arn)
    again = ["received", "returned"]
    assert [each["kind"].partition(".")[2] for each in told] == ["sent", *again, *again, "received", "deleted"]
    assert {(each["count"], *each["message_ids"]) for each in told} == {(1, sent)}


def test_who_sends_a_message_and_puts_an_object_is_told(make_function, clients, queue, reader):
    function = make_function(
        "import boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=event['queue'], MessageBody='1')\n"
        "    boto3.client('s3').put_object(Bucket=event['bucket'], Key='k')\n"
        "    boto3.client('s3').delete_object(Bucket=event['bucket'], Key='k')\n",
        Timeout=30,
    )
    with made_bucket(clients, "told-by") as bucket:
        queue.send("1")
        assert function.invoke({"queue": queue.url, "bucket": bucket}).error is None
        mine, its = reader.wait("message.sent", 2, queue=queue.arn)
        reader.wait("object.deleted", bucket=bucket)
        objects = reader.of("object.", bucket=bucket)
    assert its["by"].endswith(f":assumed-role/{ROLE.rpartition('/')[2]}/{function.name}")
    assert "by" not in mine
    assert {each["by"] for each in objects} == {its["by"]}


def test_a_message_that_is_visible_again_at_once_is_returned_before_it_is_received_again(queue, reader):
    queue.send("1")
    for _ in range(3):
        queue.receive(VisibilityTimeout=0)
    reader.wait("message.returned", 3, queue=queue.arn)
    kinds = [each["kind"].partition(".")[2] for each in reader.of("message.", queue=queue.arn)]
    assert kinds == ["sent", *["received", "returned"] * 3]


def test_a_dead_letter_is_told_and_its_way_back(queue, make_queue, reader):
    dead = make_queue()
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": "1"})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": policy})
    sent = queue.send("1")
    queue.receive(VisibilityTimeout=0)
    assert queue.receive() == []
    (moved,) = reader.wait("message.dead-lettered", queue=queue.arn)
    assert (moved["to"], moved["message_ids"]) == (dead.arn, [sent])
    queue.sqs.start_message_move_task(SourceArn=dead.arn)
    (back,) = reader.wait("message.redriven", queue=dead.arn)
    assert (back["to"], back["count"]) == (queue.arn, 1)


def test_messages_of_a_fifo_queue_that_are_sent_twice_are_told_once(make_queue, reader):
    queue = make_queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for text in ("one", "one", "two"):
        queue.send(text, MessageGroupId="g")
    reader.wait("message.sent", 2, queue=queue.arn)
    queue.sqs.purge_queue(QueueUrl=queue.url)
    (deleted,) = reader.wait("message.deleted", queue=queue.arn)
    assert deleted["count"] == len(reader.of("message.sent", queue=queue.arn)) == 2


def test_a_batch_goes_from_a_queue_to_its_function(make_function, clients, queue, reader):
    function = make_function(WORK)
    clients("lambda").create_event_source_mapping(FunctionName=function.name, EventSourceArn=queue.arn)
    queue.send("1")
    (sent,) = reader.wait("notification.sent", **{"from": queue.arn})
    assert sent["to"].endswith(f":function:{function.name}") and sent["count"] == 1
    (deleted,) = reader.wait("message.deleted", queue=queue.arn)
    (succeeded,) = reader.wait("invocation.succeeded", function=function.name)
    assert sent["id"] < succeeded["id"] < deleted["id"]


HOSTILE = "<img src=x onerror=alert(1)>\r\ndata: {}\u2028 'é.txt"


def test_an_object_and_its_notifications_are_told_whatever_its_name(clients, queue, reader):
    s3, queue_policy = clients("s3"), {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": queue.arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [queue_policy]})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})
    with made_bucket(clients, "told") as bucket:
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
        s3.put_object(Bucket=bucket, Key=HOSTILE, Body=b"1")
        (created,) = reader.wait("object.created", bucket=bucket)
        (sent,) = reader.wait("notification.sent", to=queue.arn)
        reader.wait("message.sent", queue=queue.arn)
        s3.delete_object(Bucket=bucket, Key=HOSTILE)
        (deleted,) = reader.wait("object.deleted", bucket=bucket)
    assert created["key"] == deleted["key"] == HOSTILE
    assert created["event"] == "ObjectCreated:Put" and sent["from"] == f"arn:aws:s3:::{bucket}"


def test_a_topic_tells_its_queues_and_functions(make_function, clients, queue, reader):
    sns, function = clients("sns"), make_function(WORK)
    topic = sns.create_topic(Name="told")["TopicArn"]
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": queue.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": document})
    function.let_in("sns")
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="1")
    sent = reader.wait("notification.sent", 2, **{"from": topic})
    assert {each["to"] for each in sent} == {queue.arn, arn}
    reader.wait("message.sent", queue=queue.arn)
    reader.wait("invocation.succeeded", function=function.name)
    sns.delete_topic(TopicArn=topic)


def test_a_rule_matches_and_tells_its_target(make_function, clients, reader):
    events, function = clients("events"), make_function(WORK)
    rule = events.put_rule(Name="told", EventPattern=json.dumps({"source": ["test.told"]}))["RuleArn"]
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    function.let_in("events")
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": arn}])
    for source in ("test.other", "test.told"):
        events.put_events(Entries=[{"Source": source, "DetailType": "d", "Detail": "{}"}])
    (sent,) = reader.wait("notification.sent", **{"from": rule})
    (matched,) = reader.wait("rule.matched", rule=rule)
    assert sent["to"] == arn and matched["id"] < sent["id"]
    events.remove_targets(Rule="told", Ids=["1"])
    events.delete_rule(Name="told")


def test_a_schedule_fires_and_tells_its_target(clients, queue, reader):
    scheduler, at = clients("scheduler"), datetime.now(UTC) + timedelta(seconds=2)
    schedule = scheduler.create_schedule(
        Name="told-once",
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue.arn, "RoleArn": ROLE},
    )["ScheduleArn"]
    (fired,) = reader.wait("schedule.fired", schedule=schedule)
    (sent,) = reader.wait("notification.sent", **{"from": schedule})
    assert sent["to"] == queue.arn and fired["id"] < sent["id"]
    reader.wait("message.sent", queue=queue.arn)
    scheduler.delete_schedule(Name="told-once")


@pytest.mark.slow
def test_a_rule_with_a_schedule_fires_once_for_all_its_targets(clients, make_queue, reader):
    events, targets = clients("events"), [{"Id": str(number), "Arn": make_queue().arn} for number in (1, 2)]
    rule = events.put_rule(Name="told-rate", ScheduleExpression="rate(1 minute)")["RuleArn"]
    events.put_targets(Rule="told-rate", Targets=targets)
    eventually(lambda: reader.of("notification.sent", **{"from": rule})[1:], seconds=90)
    assert len(reader.of("schedule.fired", schedule=rule)) == 1
    events.remove_targets(Rule="told-rate", Ids=["1", "2"])
    events.delete_rule(Name="told-rate")
