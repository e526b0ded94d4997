"""Rules and schedules of a stack are refused as by their APIs, and schedules have what their properties ask for."""

import itertools
import json

import pytest
from localaws_client import ROLE, eventually

_numbers = itertools.count(1)
TARGET = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:any", "RoleArn": ROLE}
DAILY = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": TARGET}


@pytest.fixture
def stack(clients):
    """Make a stack of one resource: its status, and why it has failed."""
    stacks, made = clients("cloudformation"), []

    def make(kind, **properties):
        name = f"events-of-a-test-{next(_numbers)}"
        body = json.dumps({"Resources": {"Any": {"Type": f"AWS::{kind}", "Properties": properties}}})
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
