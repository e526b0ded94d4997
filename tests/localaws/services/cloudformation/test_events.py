"""Rules and schedules of a stack are refused as by their APIs, and schedules have what their properties ask for."""

import itertools
import json

import pytest
from localaws_client import ROLE, eventually

_numbers = itertools.count(1)
TARGET = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:any", "RoleArn": ROLE}
DAILY = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": TARGET}

RULE = {"ScheduleExpression": "rate(1 day)"}


@pytest.fixture
def stack(clients):
    """Make a stack of one resource: its status, and why it has failed."""
    stacks, made = clients("cloudformation"), []

    def make(kind, update=False, **properties):
        body = json.dumps({"Resources": {"Any": {"Type": f"AWS::{kind}", "Properties": properties}}})
        if update:
            name = made[-1]
            stacks.update_stack(StackName=name, TemplateBody=body)
        else:
            name = f"events-of-a-test-{next(_numbers)}"
            stacks.create_stack(StackName=name, TemplateBody=body)
            made.append(name)
        status = lambda: stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]  # noqa: E731
        eventually(lambda: not status().endswith("IN_PROGRESS"))
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        failed = [each["ResourceStatusReason"] for each in events if each["ResourceStatus"].endswith("_FAILED")]
        return status(), " ".join(failed)

    yield make
    for name in made:
        stacks.delete_stack(StackName=name)


@pytest.mark.parametrize(
    ("kind", "properties", "words"),
    [
        ("Events::Rule", {"ScheduleExpression": "rate(0 minutes)"}, "Parameter ScheduleExpression is not valid."),
        ("Events::Rule", {"EventPattern": {"source": "a"}}, "Event pattern is not valid."),
        (
            "Events::Rule",
            {"ScheduleExpression": "rate(1 day)", "Targets": [{"Id": "a b", "Arn": TARGET["Arn"]}]},
            "at 'targets.1.member.id' failed to satisfy",
        ),
        ("Events::Rule", {"Name": "a b", "ScheduleExpression": "rate(1 day)"}, "at 'name' failed to satisfy"),
        ("Scheduler::Schedule", {**DAILY, "ScheduleExpression": "rate(0 days)"}, "Invalid Schedule Expression"),
        ("Scheduler::Schedule", {**DAILY, "Target": {**TARGET, "RoleArn": "x"}}, "at 'target.roleArn' failed to"),
        ("Scheduler::Schedule", {**DAILY, "ScheduleExpressionTimezone": "Mars"}, "is no time zone"),
    ],
)
def test_what_is_refused_fails_its_stack(stack, kind, properties, words):
    status, reason = stack(kind, **properties)
    assert (status, words in reason) == ("ROLLBACK_COMPLETE", True), reason


def test_a_schedule_has_what_its_properties_say(stack, clients):
    status, reason = stack("Scheduler::Schedule", Name="of-a-stack", **DAILY, ScheduleExpressionTimezone="Asia/Tokyo")
    assert status == "CREATE_COMPLETE", reason
    made = clients("scheduler").get_schedule(Name="of-a-stack")
    assert (made["ScheduleExpressionTimezone"], made["State"]) == ("Asia/Tokyo", "ENABLED")


def test_a_rule_is_there(stack, clients):
    status, reason = stack("Events::Rule", Name="of-a-stack", EventPattern={"source": ["a"]}, State="DISABLED")
    assert status == "CREATE_COMPLETE", reason
    made = clients("events").describe_rule(Name="of-a-stack")
    assert (json.loads(made["EventPattern"]), made["State"]) == ({"source": ["a"]}, "DISABLED")


@pytest.mark.parametrize(
    ("kind", "good", "change", "words"),
    [
        ("Events::Rule", RULE, {"ScheduleExpression": "rate(0 minutes)"}, "Parameter ScheduleExpression is not valid."),
        ("Events::Rule", RULE, {"Targets": [{"Id": "a b", "Arn": TARGET["Arn"]}]}, "at 'targets.1.member.id' failed"),
        ("Scheduler::Schedule", DAILY, {"ScheduleExpression": "rate(0 days)"}, "Invalid Schedule Expression"),
        ("Scheduler::Schedule", DAILY, {"ScheduleExpressionTimezone": "Mars"}, "is no time zone"),
        ("Scheduler::Schedule", DAILY, {"Target": {**TARGET, "RoleArn": "x"}}, "at 'target.roleArn' failed to"),
    ],
)
def test_a_change_that_is_refused_fails_the_update_of_its_stack(stack, kind, good, change, words):
    status, reason = stack(kind, **good)
    assert status == "CREATE_COMPLETE", reason
    status, reason = stack(kind, update=True, **{**good, **change})
    assert (status, words in reason) == ("UPDATE_ROLLBACK_COMPLETE", True), reason


def test_a_schedule_that_is_changed_has_what_its_properties_say(stack, clients):
    stack("Scheduler::Schedule", Name="changed-by-a-stack", **DAILY)
    changed = {**DAILY, "ScheduleExpression": "rate(2 days)", "ScheduleExpressionTimezone": "Asia/Tokyo"}
    status, reason = stack("Scheduler::Schedule", update=True, Name="changed-by-a-stack", **changed)
    assert status == "UPDATE_COMPLETE", reason
    made = clients("scheduler").get_schedule(Name="changed-by-a-stack")
    assert (made["ScheduleExpression"], made["ScheduleExpressionTimezone"]) == ("rate(2 days)", "Asia/Tokyo")
    status, reason = stack("Scheduler::Schedule", update=True, Name="renamed-by-a-stack", **changed)
    assert status == "UPDATE_COMPLETE", reason
    names = [each["Name"] for each in clients("scheduler").list_schedules()["Schedules"]]
    assert "renamed-by-a-stack" in names and "changed-by-a-stack" not in names


def test_a_rule_that_is_changed_has_its_targets(stack, clients):
    rule = {"Name": "changed-by-a-stack", "ScheduleExpression": "rate(1 day)"}
    status, reason = stack("Events::Rule", **rule, Targets=[{"Id": "1", "Arn": TARGET["Arn"]}])
    assert status == "CREATE_COMPLETE", reason
    status, reason = stack("Events::Rule", update=True, **rule, Targets=[{"Id": "2", "Arn": TARGET["Arn"]}])
    assert status == "UPDATE_COMPLETE", reason
    targets = clients("events").list_targets_by_rule(Rule="changed-by-a-stack")["Targets"]
    assert [each["Id"] for each in targets] == ["2"]
