"""The ledger holds what the workshop makes, and clean() removes that, all of it, and nothing else."""

import contextlib
import dataclasses
import json
import os
import string
from types import SimpleNamespace
from unittest import mock
from unittest.mock import patch

import boto3
import botocore.session
import nbformat
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from broken_disk import as_nobody, full_disk
from localaws_client import TRUSTED
from nbformat.v4 import new_code_cell, new_notebook

from helpers import authoring, localaws
from helpers.deploying.deploy import deploy
from helpers.deploying.package import package
from helpers.resources import cleanup
from helpers.resources.cleanup import PAUSE, RESOURCE_TYPES, TRIES, CleanupError, clean
from helpers.resources.ledger import Entry, Ledger, LedgerError, Recorder
from helpers.resources.types import ResourceType

HELLO = Entry("function", "ada-hello")
TAGS = {"workshop": "lambda", "learner": "ada"}
PHOTOS = Entry("bucket", "ada-photos")
SOURCE = {"app.py": "def handler(event, context):\n    print('hello')\n"}


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "new" / "ledger.jsonl", "embedded http://127.0.0.1:4566 us-east-1")


# The ledger


def test_the_ledger_is_empty_before_anything_is_made(ledger):
    assert ledger.entries() == []


def test_what_is_made_is_read_back_in_order_by_another_process(ledger):
    ledger.made(HELLO)
    ledger.made(PHOTOS)
    assert Ledger(ledger.path, ledger.place).entries() == [HELLO, PHOTOS]


def test_a_thing_is_entered_once(ledger):
    ledger.made(HELLO)
    ledger.made(HELLO)
    assert len(ledger.path.read_text().splitlines()) == 1


def test_what_is_removed_is_struck_out_and_may_be_made_again(ledger):
    ledger.made(HELLO)
    ledger.removed(HELLO)
    assert ledger.entries() == []
    ledger.made(HELLO)
    assert ledger.entries() == [HELLO]


def test_two_places_do_not_mix(ledger):
    ledger.made(HELLO)
    aws = Ledger(ledger.path, "aws 0a1b2c us-east-1")
    aws.made(PHOTOS)
    aws.removed(HELLO)
    assert (ledger.entries(), aws.entries()) == ([HELLO], [PHOTOS])


GARBAGE = [
    b"{bad",
    b"{}",
    b"\xff",
    b"[]",
    b"3",
    b"[" * 100_000,
    b'{"event": "lost", "kind": "bucket", "id": "b", "place": "p"}',
    b'{"event": "made", "kind": "bucket", "id": 3, "place": "p"}',
    b'{"event": "made", "kind": "bucket", "id": "", "place": "p"}',
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: garbage[:30].decode(errors="replace"))
def test_a_line_that_cannot_be_read_is_skipped_and_named_once(ledger, capsys, garbage):
    ledger.made(HELLO)
    with ledger.path.open("ab") as file:
        file.write(garbage + b"\n\n")
    ledger.made(PHOTOS)
    assert ledger.entries() == ledger.entries() == [HELLO, PHOTOS]
    assert capsys.readouterr().err == (
        f"Line 2 of {ledger.path} cannot be read and is skipped; if it held something in AWS, clean() does not "
        "remove that: look for it there, and then delete the line.\n"
    )


def test_a_line_that_was_torn_spoils_no_other(ledger):
    ledger.made(HELLO)
    with ledger.path.open("a") as file:
        file.write('{"event": "ma')  # the disk was full
    ledger.made(PHOTOS)
    assert ledger.entries() == [HELLO, PHOTOS]
    assert len(ledger.path.read_text().splitlines()) == 3


# The hooks


def recorded(
    ledger: Ledger, service: str, operation: str, parameters: dict, answer: dict | str, there=(), tagged=()
) -> dict:
    """Call `operation` with the hooks in place, answered by `answer` or refused with that code.

    `there` are the identifiers that AWS has before the call, `tagged` those of them that bear our tags. Returns the
    parameters as they were sent.
    """
    kinds = [dataclasses.replace(kind, exists=lambda _, id: id in there) for kind in RESOURCE_TYPES]
    session = boto3.Session("x", "x", region_name="us-east-1")
    Recorder(ledger, kinds, TAGS, lambda _: None).register(session.events)
    client = session.client(service)
    sent: list[dict] = []
    client.meta.events.register_last("before-parameter-build", lambda params, **_: sent.append(params))
    bears = patch("helpers.resources.ledger.bears", lambda kind, client, id, tags: id in tagged and tags == TAGS)
    with Stubber(client) as stubber, bears:
        if isinstance(answer, str):
            stubber.add_client_error(operation, answer, http_status_code=409)
            with pytest.raises(ClientError, match=answer):
                getattr(client, operation)(**parameters)
        else:
            stubber.add_response(operation, answer)
            getattr(client, operation)(**parameters)
    return sent[0]


FUNCTION = {"FunctionName": "ada-hello", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": b"zip"}}


def test_a_function_is_entered_with_its_log_group(ledger):
    recorded(ledger, "lambda", "create_function", FUNCTION, {})
    assert ledger.entries() == [HELLO, Entry("log group", "/aws/lambda/ada-hello")]


def test_what_was_there_before_is_not_entered(ledger):
    recorded(ledger, "events", "put_rule", {"Name": "mine"}, {}, there={"mine"})
    assert ledger.entries() == []
    recorded(ledger, "lambda", "create_function", FUNCTION, {}, there={"/aws/lambda/ada-hello"})
    assert ledger.entries() == [HELLO]


def test_what_the_workshop_made_before_stays_entered(ledger):
    ledger.made(Entry("rule", "ada-night"))
    recorded(ledger, "events", "put_rule", {"Name": "ada-night"}, {}, there={"ada-night"})
    assert ledger.entries() == [Entry("rule", "ada-night")]


def test_what_bears_our_tags_is_entered_again_with_all_that_its_call_makes(ledger):
    there = {"ada-hello", "/aws/lambda/ada-hello"}
    recorded(ledger, "lambda", "create_function", FUNCTION, "ResourceConflictException", there, tagged={"ada-hello"})
    assert ledger.entries() == [HELLO, Entry("log group", "/aws/lambda/ada-hello")]


def events_of(ledger: Ledger) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    return [(line["event"], line["id"]) for line in lines]


def test_what_is_to_be_made_is_entered_before_the_call_and_again_when_it_is(ledger):
    recorded(ledger, "sqs", "create_queue", {"QueueName": "ada-q"}, {"QueueUrl": "u"})
    assert events_of(ledger) == [("intended", "ada-q"), ("made", "ada-q")]


def test_an_identifier_that_aws_chooses_is_open_until_it_answers(ledger):
    layer = {"LayerName": "ada-tools", "Content": {"ZipFile": b"zip"}}
    recorded(ledger, "lambda", "publish_layer_version", layer, {"Version": 3})
    assert events_of(ledger) == [("intended", "ada-tools:*"), ("made", "ada-tools:3"), ("removed", "ada-tools:*")]
    assert (ledger.entries(), ledger.unknown()) == ([Entry("layer version", "ada-tools:3")], [])


def test_a_call_that_never_ends_leaves_what_it_may_have_made(ledger):
    session = boto3.Session("x", "x", region_name="us-east-1")
    Recorder(ledger, RESOURCE_TYPES, TAGS, lambda _: SimpleNamespace(**ABSENT)).register(session.events)
    client = session.client("lambda", config=Config(retries={"total_max_attempts": 1}))

    def kill(**_):
        raise KeyboardInterrupt

    client.meta.events.register("before-send", kill)
    with pytest.raises(KeyboardInterrupt):
        client.create_function(**FUNCTION, Runtime="python3.13", Handler="app.handler")
    with pytest.raises(KeyboardInterrupt):
        client.create_event_source_mapping(FunctionName="ada-hello")
    assert ledger.entries() == [HELLO, Entry("log group", "/aws/lambda/ada-hello")]
    assert ledger.unknown() == [Entry("event source mapping", "*")]


def _absent(**_):
    raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Get")


ABSENT = {"get_function_configuration": _absent, "describe_log_groups": lambda **_: {"logGroups": []}}


def test_a_bucket_of_a_first_try_whose_answer_was_lost_is_entered(ledger):
    session = boto3.Session("x", "x", region_name="eu-west-1")
    tagged: list[str] = []
    s3 = SimpleNamespace(put_bucket_tagging=lambda Bucket, Tagging: tagged.append(Bucket))
    kinds = [dataclasses.replace(kind, exists=lambda _, id: False) for kind in RESOURCE_TYPES]
    Recorder(ledger, kinds, TAGS, lambda _: s3).register(session.events)
    client = session.client("s3")
    with Stubber(client) as stubber:
        stubber.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", http_status_code=409)
        with pytest.raises(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket="ada-photos")
    assert (ledger.entries(), tagged) == ([PHOTOS], ["ada-photos"])


def test_what_aws_refuses_is_not_entered(ledger):
    recorded(ledger, "sqs", "create_queue", {"QueueName": "ada-q"}, "QueueDeletedRecently")
    assert ledger.entries() == []


def test_an_identifier_that_aws_chooses_is_entered(ledger):
    uuid = "7a07f299-dd82-4915-9d5d-7cd1a8006356"
    parameters = {"FunctionName": "ada-hello", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q"}
    recorded(ledger, "lambda", "create_event_source_mapping", parameters, {"UUID": uuid})
    assert ledger.entries() == [Entry("event source mapping", uuid)]


def test_another_call_is_neither_entered_nor_changed(ledger):
    assert recorded(ledger, "lambda", "list_functions", {"MaxItems": 1}, {}) == {"MaxItems": 1}
    assert ledger.entries() == []


def test_tags_are_added_as_each_service_takes_them(ledger):
    as_list = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    assert recorded(ledger, "lambda", "create_function", FUNCTION, {})["Tags"] == TAGS
    assert recorded(ledger, "sqs", "create_queue", {"QueueName": "q"}, {"QueueUrl": "u"})["tags"] == TAGS
    assert recorded(ledger, "events", "put_rule", {"Name": "r"}, {})["Tags"] == as_list


def test_tags_of_the_caller_stay(ledger):
    mine = {"Name": "r", "Tags": [{"Key": "learner", "Value": "me"}, {"Key": "a", "Value": "b"}]}
    sent = recorded(ledger, "events", "put_rule", mine, {})
    assert sent["Tags"] == [*mine["Tags"], {"Key": "workshop", "Value": "lambda"}]
    assert len(mine["Tags"]) == 2
    sent = recorded(ledger, "sqs", "create_queue", {"QueueName": "q", "tags": {"learner": "me"}}, {"QueueUrl": "u"})
    assert sent["tags"] == {"workshop": "lambda", "learner": "me"}


def test_what_ec2_makes_is_tagged_and_entered(ledger):
    mine = [{"Key": "night", "Value": "off"}, {"Key": "learner", "Value": "me"}]
    specifications = [{"ResourceType": "volume", "Tags": mine}, {"ResourceType": "instance", "Tags": mine}]
    parameters = {"MinCount": 1, "MaxCount": 1, "TagSpecifications": specifications}
    sent = recorded(ledger, "ec2", "run_instances", parameters, {"Instances": [{"InstanceId": "i-1"}]})
    volume, instance = sent["TagSpecifications"]
    assert volume == specifications[0] and instance["ResourceType"] == "instance"
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags == {"workshop": "lambda", "learner": "me", "night": "off"}
    parameters = {"LaunchTemplateName": "t", "LaunchTemplateData": {}}
    sent = recorded(ledger, "ec2", "create_launch_template", parameters, {})
    assert [each["ResourceType"] for each in sent["TagSpecifications"]] == ["launch-template"]
    assert ledger.entries() == [Entry("instance", "i-1"), Entry("launch template", "t")]


def test_a_call_that_takes_no_tags_gets_none(ledger):
    target = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "RoleArn": "arn:aws:iam::000000000000:role/r"}
    schedule = {
        "Name": "s",
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }
    assert "Tags" not in recorded(ledger, "scheduler", "create_schedule", schedule, {"ScheduleArn": "a"})


# The table of kinds


@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=lambda kind: kind.name)
def test_each_kind_names_operations_and_fields_that_aws_has(kind):
    session = botocore.session.get_session()
    for operation, template in kind.made_by.items():
        service, name = operation.split(".")
        model = session.get_service_model(service).operation_model(name)
        members = {*model.input_shape.members, *(model.output_shape.members if model.output_shape else ())}
        fields = {field.split("[")[0] for _, field, _, _ in string.Formatter().parse(template) if field}
        assert fields and fields <= members
    client = boto3.Session("x", "x", region_name="us-east-1").client(kind.service)
    assert all(client.can_paginate(listing) for listing in kind.listed_by)


def test_kinds_have_names_of_their_own():
    assert len({kind.name for kind in RESOURCE_TYPES}) == len(RESOURCE_TYPES)


# clean()


class Things:
    """An AWS that holds named things, for kinds made by kind(); it can refuse, and things can come back."""

    def __init__(self, *names: str):
        self.names = list(names)
        self.deleted: list[str] = []
        self.refusals: dict[str, list[Exception]] = {}
        self.returning: list[str] = []

    def delete(self, name: str) -> None:
        if self.refusals.get(name):
            raise self.refusals[name].pop(0)
        self.deleted.append(name)
        self.names.remove(name)
        if name in self.returning:
            self.returning.remove(name)
            self.names.append(name)

    def kind(self, name: str) -> ResourceType:
        return ResourceType(name, "any", {}, lambda _, id: id in self.names, lambda _, id: self.delete(id))


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "arn:aws:iam::123456789012:role/x"}}, "DeleteThing")


@pytest.fixture
def things(ledger, monkeypatch):
    """Two things of two kinds that were made, and one that was not; `.clean()` cleans up."""
    found = Things("a", "b", "theirs")
    monkeypatch.setattr(cleanup, "RESOURCE_TYPES", [found.kind("first"), found.kind("second")])
    monkeypatch.setattr(cleanup, "_tagged", lambda _: set())
    ledger.made(Entry("second", "b"))
    ledger.made(Entry("first", "a"))
    found.pauses = []
    workshop = SimpleNamespace(ledger=ledger, client=lambda _: None, tags=TAGS, target="embedded")
    found.clean = lambda **asked: clean(workshop, sleep=found.pauses.append, **{"ask": False} | asked)
    return found


@pytest.mark.parametrize("state, asked", [("Creating", 1), ("Enabled", 1), ("Disabled", 1), ("Deleting", 0)])
def test_a_mapping_that_is_being_deleted_is_not_asked_to_go_again(state, asked):
    """Once it is gone, AWS knows its function no more, and so denies what the policy allows for ours alone."""
    client = mock.Mock()
    client.get_event_source_mapping.return_value = {"State": state}
    [mapping] = [each for each in RESOURCE_TYPES if each.name == "event source mapping"]
    mapping.delete(client, "9d1d1f59")
    assert client.delete_event_source_mapping.mock_calls == asked * [mock.call(UUID="9d1d1f59")]


# What the reader answers


@pytest.fixture
def asks(monkeypatch):
    """Let the reader answer; what was asked is returned."""
    monkeypatch.delenv("WORKSHOP_CLEAN", raising=False)

    def answers(answer: str | type[Exception]) -> list[str]:
        asked = []

        def typed(question=""):
            asked.append(question)
            if isinstance(answer, str):
                return answer
            raise answer

        monkeypatch.setattr("builtins.input", typed)
        return asked

    return answers


def test_it_asks_before_it_removes_anything(things, asks, capsys):
    assert asks("yes") == []
    things.clean(ask=True)
    assert things.deleted == ["a", "b"]
    assert capsys.readouterr().out.startswith(
        "What the workshop has made in the embedded AWS (second: 1, first: 1) is to be removed.\n"
    )


@pytest.mark.parametrize("answer", ["no", "", "y"])
def test_whoever_does_not_say_yes_keeps_all(things, asks, ledger, capsys, answer):
    asked = asks(answer)
    things.clean(ask=True)
    assert asked == ["Type yes to remove it: "]
    assert things.deleted == [] and len(ledger.entries()) == 2
    assert capsys.readouterr().out.endswith("Nothing was removed; run this cell again when you want it.\n")


@pytest.mark.parametrize("error", [EOFError, OSError, NotImplementedError])
def test_where_nobody_can_be_asked_all_stays(things, asks, ledger, capsys, error):
    asks(error)
    things.clean(ask=True)
    assert things.deleted == [] and len(ledger.entries()) == 2
    assert "as there is nobody to ask; python3 -m helpers clean removes" in capsys.readouterr().out


def test_the_answer_can_be_given_in_advance(things, asks, monkeypatch):
    asked = asks("no")
    monkeypatch.setenv("WORKSHOP_CLEAN", "yes")
    things.clean(ask=True)
    assert (asked, things.names) == ([], ["theirs"])


def test_without_anything_to_remove_there_is_no_question(things, asks, ledger):
    for entry in ledger.entries():
        ledger.removed(entry)
    asked = asks("no")
    things.clean(ask=True)
    assert asked == []


def test_things_go_in_the_order_of_the_table_and_nothing_else_goes(things, ledger, capsys):
    things.clean()
    assert things.deleted == ["a", "b"]
    assert things.names == ["theirs"]
    assert ledger.entries() == []
    assert capsys.readouterr().out == "Removed first: a\nRemoved second: b\nNothing is left.\n"
    assert things.pauses == []


def test_of_many_things_a_few_are_named_and_all_are_counted(things, ledger, capsys):
    for number in range(7):
        things.names.append(f"more-{number}")
        ledger.made(Entry("second", f"more-{number}"))
    things.clean()
    names = "b, more-0, more-1, more-2, more-3 and 3 more"
    assert capsys.readouterr().out == f"Removed first: a\nRemoved second: {names}\nNothing is left.\n"
    assert things.names == ["theirs"]


def test_what_is_gone_already_is_struck_out(things, ledger, capsys):
    things.names.remove("a")
    things.clean()
    assert ledger.entries() == []
    assert capsys.readouterr().out == "Removed second: b\nGone already: 1\nNothing is left.\n"


def test_what_comes_back_is_removed_again(things):
    things.returning = ["a"]
    things.clean()
    assert things.deleted == ["a", "b", "a"]
    assert things.pauses == [PAUSE]


def test_what_cannot_go_yet_goes_later(things):
    things.refusals["a"] = [refusal("ResourceInUseException"), refusal("ResourceInUseException")]
    things.clean()
    assert things.names == ["theirs"]
    assert things.pauses == [PAUSE, PAUSE]


def test_what_stays_is_named_and_stays_in_the_ledger(things, ledger):
    things.refusals["b"] = [refusal("AccessDenied")] * TRIES
    with pytest.raises(CleanupError) as caught:
        things.clean()
    assert str(caught.value) == (
        "Still there: second b. AWS answered AccessDenied to DeleteThing; run clean() again in a few minutes."
    )
    assert ledger.entries() == [Entry("second", "b")]


def test_a_kind_that_is_not_known_is_named_and_everything_else_goes(things, ledger):
    ledger.made(Entry("spaceship", "c"))
    with pytest.raises(CleanupError) as caught:
        things.clean()
    assert str(caught.value) == (
        "Everything else is removed, but of what kind this is, clean() does not know: spaceship c; "
        f"look for it in AWS, and then delete its lines from {ledger.path}."
    )
    assert things.deleted == ["a", "b"]
    assert ledger.entries() == [Entry("spaceship", "c")]


def test_it_waits_longer_than_sqs_answers_for_a_deleted_queue():
    assert TRIES * PAUSE > 60  # seconds, by the documentation of DeleteQueue


def test_that_aws_cannot_be_asked_is_said(things, monkeypatch):
    def refuse(client, id):
        raise refusal("AccessDenied")

    refusing = [dataclasses.replace(kind, exists=refuse) for kind in cleanup.RESOURCE_TYPES]
    monkeypatch.setattr(cleanup, "RESOURCE_TYPES", refusing)
    with pytest.raises(CleanupError, match="Whether first a is still there cannot be told. AWS answered Acc"):
        things.clean()
    assert things.deleted == []


def test_an_embedded_aws_that_is_off_holds_nothing(monkeypatch, capsys):
    monkeypatch.setattr(cleanup, "embedded_is_empty", lambda: True)
    clean()
    assert capsys.readouterr().out.endswith("Nothing is left.\n")


# On an AWS


def make_one_of_each(aws) -> None:
    """Everything that RESOURCE_TYPES knows, by plain boto3, with content in the bucket and policies on the role."""
    name, client = aws.name, aws.client
    aws.role()
    trust = {"Effect": "Allow", "Principal": {"Service": TRUSTED}, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(RoleName=name("all"), AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    service_role = role["Role"]["Arn"]
    client("iam").attach_role_policy(RoleName=name("all"), PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    function = deploy(aws, name("all"), SOURCE, Role=service_role)["FunctionArn"]
    client("lambda").invoke(FunctionName=name("all"))
    client("lambda").create_function_url_config(FunctionName=name("all"), AuthType="NONE")
    client("lambda").publish_layer_version(LayerName=name("all"), Content={"ZipFile": package(SOURCE)})
    client("sqs").create_queue(QueueName=name("all"))
    url = client("sqs").get_queue_url(QueueName=name("all"))["QueueUrl"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    client("lambda").create_event_source_mapping(FunctionName=name("all"), EventSourceArn=attributes["QueueArn"])
    client("events").put_rule(Name=name("all"), ScheduleExpression="rate(1 hour)")
    client("events").put_targets(Rule=name("all"), Targets=[{"Id": "1", "Arn": function}])
    client("scheduler").create_schedule(
        Name=name("all"),
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": function, "RoleArn": service_role},
    )
    client("apigatewayv2").create_api(Name=name("all"), ProtocolType="HTTP")
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    client("stepfunctions").create_state_machine(
        name=name("all"), definition=json.dumps(definition), roleArn=service_role
    )
    client("cloudwatch").put_metric_alarm(
        AlarmName=name("all"),
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client("sns").create_topic(Name=name("all"))
    client("dynamodb").create_table(
        TableName=name("all"),
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    client("rds").create_db_parameter_group(
        DBParameterGroupName=name("all"), DBParameterGroupFamily="postgres18", Description="a test's"
    )
    client("rds").create_db_instance(
        DBInstanceIdentifier=name("all"),
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="workshop",
        MasterUserPassword="secret-of-a-test",
        DBParameterGroupName=name("all"),
    )
    secret = client("secretsmanager").create_secret(Name=name("all"), SecretString="{}")["ARN"]
    subnets = client("ec2").describe_subnets()["Subnets"]
    client("rds").create_db_proxy(
        DBProxyName=name("all"),
        EngineFamily="POSTGRESQL",
        RoleArn=service_role,
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret}],
        VpcSubnetIds=[subnet["SubnetId"] for subnet in subnets],
    )
    machine = {"ImageId": "ami-12345678", "InstanceType": "t4g.nano"}
    client("ec2").create_launch_template(LaunchTemplateName=name("all"), LaunchTemplateData=machine)
    client("ec2").run_instances(LaunchTemplate={"LaunchTemplateName": name("all")}, MinCount=1, MaxCount=1)
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name("all"),
        LaunchTemplate={"LaunchTemplateName": name("all")},
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=subnets[0]["SubnetId"],
    )
    client("s3").create_bucket(Bucket=name("all"))
    client("s3").put_bucket_versioning(Bucket=name("all"), VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        client("s3").put_object(Bucket=name("all"), Key="a key", Body=body)
    client("s3").delete_object(Bucket=name("all"), Key="a key")
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    client("iam").put_role_policy(
        RoleName=name("lambda-role"),
        PolicyName="inline",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )


def empty(aws) -> None:
    """Let nothing be there, not even a log that has come late, of a function of another test that was deleted."""
    clean(aws)
    logs = plain(aws, "logs")
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{aws.tags['learner']}-")["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])


def test_one_of_each_kind_is_entered_removed_and_proved_gone(aws, capsys):
    empty(aws)
    make_one_of_each(aws)
    entries = aws.ledger.entries()
    kinds = {kind.name: kind for kind in RESOURCE_TYPES}
    assert {entry.kind for entry in entries} == set(kinds)
    capsys.readouterr()
    clean(aws)
    shown = capsys.readouterr().out
    assert shown.endswith("\nNothing is left.\n")
    assert all(f"Removed {name}: " in shown for name in kinds)
    assert aws.ledger.entries() == []
    # Asked by clients that know nothing of the workshop's hooks.
    assert [e for e in entries if kinds[e.kind].exists(plain(aws, kinds[e.kind].service), e.id)] == []


UNTAGGED = {"schedule", "function URL", "layer version"}  # of these AWS keeps no tags


def test_a_notebook_that_runs_without_a_browser_removes_nothing(aws, tmp_path):
    name = aws.name("test-run")
    aws.client("sqs").create_queue(QueueName=name)
    cells = [new_code_cell("from helpers import clean, connect\nclean(connect())")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "18-tiny.ipynb")
    environment = {variable: value for variable, value in os.environ.items() if variable != "WORKSHOP_CLEAN"}
    assert authoring.run(["18"], folder=tmp_path, environment=environment) == []
    assert exists(aws, Entry("queue", name))
    assert Entry("queue", name) in aws.ledger.entries()


def test_what_bears_our_tags_goes_although_the_ledger_was_emptied(aws, capsys):
    empty(aws)
    make_one_of_each(aws)
    entries = aws.ledger.entries()
    aws.ledger.path.write_text("")
    kinds = {kind.name: kind for kind in RESOURCE_TYPES}
    capsys.readouterr()
    clean(aws)
    shown = capsys.readouterr().out
    for entry in entries:
        if entry.kind in UNTAGGED:
            continue
        assert f"Found by its tags, though the ledger did not hold it: {entry.kind} {entry.id}\n" in shown
        assert not kinds[entry.kind].exists(plain(aws, kinds[entry.kind].service), entry.id)
    left = [entry for entry in entries if kinds[entry.kind].exists(plain(aws, kinds[entry.kind].service), entry.id)]
    try:
        assert {entry.kind for entry in left} <= UNTAGGED
        assert all(
            f"Left alone, because the ledger does not hold it: {entry.kind} {entry.id}" in shown for entry in left
        )
    finally:
        for entry in left:
            aws.ledger.made(entry)
        clean(aws)


def test_what_bears_our_tags_goes_whatever_its_name_although_the_ledger_was_emptied(aws, capsys):
    empty(aws)
    deploy(aws, "other-function", SOURCE)
    aws.client("lambda").invoke(FunctionName="other-function")
    for name in ("other-queue", "others-queue"):
        aws.client("sqs").create_queue(QueueName=name)
    aws.client("s3").create_bucket(Bucket="other-bucket")
    entries = [*aws.ledger.entries()]
    theirs = Entry("queue", "others-queue")
    url = aws.client("sqs").get_queue_url(QueueName=theirs.id)["QueueUrl"]
    aws.client("sqs").tag_queue(QueueUrl=url, Tags={"learner": "grace"})
    aws.ledger.path.write_text("")
    try:
        clean(aws)
        shown = capsys.readouterr().out
        ours = {entry for entry in entries if entry != theirs}
        assert {entry.kind for entry in ours} >= {"function", "log group", "queue", "bucket"}
        assert all(f"Found by its tags, though the ledger did not hold it: {e.kind} {e.id}\n" in shown for e in ours)
        assert [entry for entry in ours if exists(aws, entry)] == []
        assert exists(aws, theirs)
    finally:
        aws.client("sqs").delete_queue(QueueUrl=url)


def test_on_a_full_disk_nothing_is_made(aws):
    aws.ledger.made(Entry("queue", "root-x"))
    name = aws.name("test-full")
    with (
        full_disk(aws.ledger.path),
        pytest.raises(LedgerError, match=r"^Cannot write to .*ledger\.jsonl .*; make room"),
    ):
        aws.client("s3").create_bucket(Bucket=name)
    assert not exists(aws, PHOTOS._replace(id=name))
    aws.client("s3").create_bucket(Bucket=name)
    assert Entry("bucket", name) in aws.ledger.entries()


def test_a_disk_that_is_full_when_aws_has_answered(aws):
    name, s3 = aws.name("test-filled"), aws.client("s3")
    with contextlib.ExitStack() as stack:
        # it is filled while the call is on its way, after the intention was entered
        fill = lambda **_: stack.enter_context(full_disk(aws.ledger.path))  # noqa: E731
        s3.meta.events.register("before-send.s3.CreateBucket", fill, unique_id="fill")
        with pytest.raises(LedgerError, match="make room"):
            s3.create_bucket(Bucket=name)
    s3.meta.events.unregister("before-send.s3.CreateBucket", unique_id="fill")
    assert exists(aws, Entry("bucket", name))
    assert Entry("bucket", name) in aws.ledger.entries()
    s3.create_bucket(Bucket=name)  # the cell again
    clean(aws)
    assert not exists(aws, Entry("bucket", name))


@pytest.mark.parametrize("mode", [0o400, 0o000], ids=oct)
def test_a_ledger_that_may_not_be_written_is_said_before_anything_is_removed(aws, mode):
    name = aws.name("test-mode")
    aws.client("sqs").create_queue(QueueName=name)
    aws.ledger.path.chmod(mode)
    try:
        with as_nobody(aws.ledger.path), pytest.raises(LedgerError, match=r"^Cannot write to .*Permission denied"):
            clean(aws)
        assert exists(aws, Entry("queue", name))
    finally:
        aws.ledger.path.chmod(0o644)
    clean(aws)
    assert not exists(aws, Entry("queue", name))


def test_a_disk_that_is_full_while_it_is_cleaned_keeps_nothing_in_aws(aws):
    name = aws.name("test-cleaned")
    aws.client("sqs").create_queue(QueueName=name)
    with full_disk(aws.ledger.path), pytest.raises(CleanupError, match="^What was made is removed, .*make room.*again"):
        clean(aws)
    assert not exists(aws, Entry("queue", name))
    clean(aws)
    assert aws.ledger.entries() == []


@pytest.mark.parametrize("state", ["", "{", "[5]"])
def test_a_damaged_state_file_does_not_pass_for_nothing_to_look_at(aws, embedded_home, state):
    name = aws.name("test-state")
    aws.client("sqs").create_queue(QueueName=name)
    (embedded_home / localaws.STATE_FILE).write_text(state)
    clean()
    assert not exists(aws, Entry("queue", name))


@pytest.mark.parametrize("id", ["a b/ä", "x:y"])
def test_what_cannot_be_a_name_in_aws_keeps_nobody_from_cleaning_up(aws, id):
    empty(aws)
    for kind in RESOURCE_TYPES:
        aws.ledger.made(Entry(kind.name, id))
    clean(aws)
    assert aws.ledger.entries() == []


def test_a_layer_whose_version_was_never_told_is_found_by_its_name(aws):
    name = aws.name("test-layer")
    plain(aws, "lambda").publish_layer_version(LayerName=name, Content={"ZipFile": package(SOURCE)})
    aws.ledger.intended(Entry("layer version", f"{name}:*"))
    clean(aws)
    assert not exists(aws, Entry("layer version", f"{name}:1"))
    assert aws.ledger.unknown() == []


def test_the_ledger_holds_no_account_id_and_no_secret(aws):
    empty(aws)
    make_one_of_each(aws)
    text = aws.ledger.path.read_text()
    account = aws.client("sts").get_caller_identity()["Account"]
    assert "lambda-role" in text
    assert account not in text and "arn:" not in text
    clean(aws)


def test_tags_reach_aws(aws):
    function = deploy(aws, aws.name("test-tags"), SOURCE)["FunctionArn"]
    assert aws.client("lambda").list_tags(Resource=function)["Tags"] == aws.tags
    aws.client("s3").create_bucket(Bucket=aws.name("test-tags"))
    tags = aws.client("s3").get_bucket_tagging(Bucket=aws.name("test-tags"))["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == aws.tags


def test_a_bucket_made_anew_is_tagged_even_when_the_ledger_still_holds_it(aws):
    name, s3 = aws.name("test-anew"), aws.client("s3")
    s3.create_bucket(Bucket=name)
    plain(aws, "s3").delete_bucket(Bucket=name)  # as when the embedded AWS was stopped and started again
    s3.create_bucket(Bucket=name)
    assert {tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]} == set(aws.tags.values())


def test_tags_that_a_bucket_has_got_since_stay(aws):
    name, s3 = aws.name("test-tagged"), aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "mine", "Value": "1"}]})
    s3.create_bucket(Bucket=name)
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "mine", "Value": "1"}]


def test_a_bucket_that_was_there_before_is_left_alone_and_named(aws, capsys):
    empty(aws)
    name = aws.name("test-theirs")
    theirs = plain(aws, "s3")
    theirs.create_bucket(Bucket=name)
    aws.client("s3").create_bucket(Bucket=name)  # succeeds: in us-east-1 S3 accepts it from the owner
    capsys.readouterr()
    try:
        clean(aws)
        assert capsys.readouterr().out == (
            f"Left alone, because the ledger does not hold it: bucket {name}\n"
            "Nothing of what the ledger holds is left.\n"
        )
        assert theirs.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    finally:
        theirs.delete_bucket(Bucket=name)


def exists(aws, entry: Entry) -> bool:
    kind = next(kind for kind in RESOURCE_TYPES if kind.name == entry.kind)
    return kind.exists(plain(aws, kind.service), entry.id)


def plain(aws, service: str):
    """A client that knows nothing of the workshop."""
    key = aws._session.get_credentials()
    session = boto3.Session(key.access_key, key.secret_key, region_name=aws.region)
    return session.client(service, endpoint_url=aws.endpoint, config=Config(proxies={}))
