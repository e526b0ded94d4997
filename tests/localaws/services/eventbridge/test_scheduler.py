"""Schedules of EventBridge Scheduler: they fire at their minute, in their time zone, with their input.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, eventually

from helpers.localaws.services.eventbridge.scheduler import next_time

SHOW = "import json\ndef handler(event, context):\n    print('event', json.dumps(event))\n"
NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        ("cron(* * * * ? *)", "UTC", "2026-11-24T12:01:00"),
        ("cron(0 9 * * ? *)", "UTC", "2026-11-25T09:00:00"),
        ("cron(0 9 * * ? *)", "Asia/Tokyo", "2026-11-25T00:00:00"),
        ("cron(30 21 * * ? *)", "Asia/Tokyo", "2026-11-24T12:30:00"),
        ("cron(0 8 ? * MON-FRI *)", "Asia/Tokyo", "2026-11-24T23:00:00"),  # Wednesday there
        ("cron(0 9 * * ? *)", "America/New_York", "2026-11-24T14:00:00"),
        ("cron(0 0 1 1 ? 2020)", "UTC", None),
        ("rate(5 minutes)", "Asia/Tokyo", "2026-11-24T12:05:30"),
        ("at(2026-11-24T21:00:31)", "Asia/Tokyo", "2026-11-24T12:00:31"),
        ("at(2026-11-24T12:00:31)", "UTC", "2026-11-24T12:00:31"),
        ("at(2026-11-24T12:00:31)", "Asia/Tokyo", None),  # long ago
        ("rate(99999999999999 days)", "UTC", "9999-12-31T23:59:59.999999"),  # beyond any calendar
        ("at(9999-12-31T23:59:59)", "America/New_York", "9999-12-31T23:59:59.999999"),
    ],
)
def test_the_next_time(expression, zone, expected):
    found = next_time(expression, NOON, zone)
    assert found == (datetime.fromisoformat(expected).replace(tzinfo=UTC) if expected else None)


def test_cron_keeps_to_the_wall_clock_when_the_clocks_change():
    before = datetime(2026, 3, 7, 20, tzinfo=UTC)  # New York changes on the 8th
    first = next_time("cron(0 9 * * ? *)", before, "America/New_York")
    assert first == datetime(2026, 3, 8, 13, tzinfo=UTC)
    assert next_time("cron(0 9 * * ? *)", before - timedelta(days=1), "America/New_York") == datetime(
        2026, 3, 7, 14, tzinfo=UTC
    )


@pytest.fixture
def schedule(clients):
    """Make a schedule whose target is a function, and give its ARN."""
    made = []

    def make(name, function, expression, zone="UTC", **more):
        arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
        target = {"Arn": arn, "RoleArn": ROLE, **more.pop("target", {})}
        answer = clients("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=expression,
            ScheduleExpressionTimezone=zone,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target,
            **more,
        )
        made.append(name)
        return answer["ScheduleArn"]

    yield make
    for name in made:
        try:
            clients("scheduler").delete_schedule(Name=name)
        except clients("scheduler").exceptions.ResourceNotFoundException:
            continue


def at(zone_hours, seconds=3):
    """An expression for the time in so many seconds, on the clock of a zone so many hours before UTC."""
    moment = datetime.now(UTC) + timedelta(hours=zone_hours, seconds=seconds)
    return f"at({moment:%Y-%m-%dT%H:%M:%S})"


def events(function):
    return [json.loads(line.removeprefix("event ")) for line in function.messages() if line.startswith("event ")]


def test_a_schedule_in_tokyo_fires_by_tokyos_clock(make_function, schedule):
    function = make_function(SHOW)
    arn = schedule("tokyo", function, at(9), "Asia/Tokyo")
    schedule("utc", function, at(9))  # nine hours later
    (event,) = eventually(lambda: events(function))
    assert event["resources"] == [arn]
    assert (event["source"], event["detail-type"], event["version"]) == ("aws.scheduler", "Scheduled Event", "0")
    assert event["detail"] == "{}"  # as in powertools-lambda-python, tests/events/eventBridgeSchedulerEvent.json
    eventually(lambda: len(function.reports()) == 1)


def test_a_schedule_that_is_done_deletes_itself_if_it_is_told_to(make_function, clients, schedule):
    function = make_function(SHOW)
    schedule("once", function, at(0), ActionAfterCompletion="DELETE")
    eventually(lambda: events(function))

    def gone():
        try:
            clients("scheduler").get_schedule(Name="once")
        except clients("scheduler").exceptions.ResourceNotFoundException:
            return True
        return False

    eventually(gone)
    assert len(events(function)) == 1


def test_the_input_of_a_schedule_knows_when_it_was_due(make_function, schedule):
    function, expression = make_function(SHOW), at(0)
    arn = schedule(
        "told",
        function,
        expression,
        target={"Input": '{"due": "<aws.scheduler.scheduled-time>", "by": "<aws.scheduler.schedule-arn>"}'},
    )
    (event,) = eventually(lambda: events(function))
    assert event == {"due": expression[3:-1] + "Z", "by": arn}


def test_a_schedule_may_call_an_api_without_a_function(clients):
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html"""
    ec2 = clients("ec2")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    clients("scheduler").create_schedule(
        Name="night",
        ScheduleExpression=at(9),
        ScheduleExpressionTimezone="Asia/Tokyo",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances",
            "RoleArn": ROLE,
            "Input": json.dumps({"InstanceIds": [instance]}),
        },
    )

    def state():
        (reservation,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return reservation["Instances"][0]["State"]["Name"]

    assert state() in ("pending", "running")
    eventually(lambda: state() == "stopped")
    ec2.terminate_instances(InstanceIds=[instance])


def test_a_time_zone_that_does_not_exist_is_refused(make_function, schedule):
    with pytest.raises(ClientError, match="Mars/Olympus") as error:
        schedule("nowhere", make_function(SHOW), "rate(1 minute)", "Mars/Olympus")
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_what_is_no_schedule(make_function, schedule):
    function = make_function(SHOW)

    def refusal(expression="rate(1 day)", name="refused", **more):
        with pytest.raises(ClientError) as error:
            schedule(name, function, expression, **more)
        told = error.value.response["Error"]
        assert told["Code"] == "ValidationException"
        return told["Message"]

    for expression in ("rate(0 minutes)", "cron(0 25 * * ? *)", "cron(0 8 * * * *)", "at(2026-11-24)", "daily"):
        assert refusal(expression) == f"Invalid Schedule Expression {expression}."
    assert refusal(name="n" * 65).endswith("Member must have length less than or equal to 64")
    assert refusal(State="ON").endswith("Member must satisfy enum value set: [ENABLED, DISABLED]")


@pytest.mark.parametrize("role", [" ", "x", "arn:aws:iam::000000000000:user/somebody"])
def test_a_role_that_is_no_role(clients, role):
    target = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "RoleArn": role}
    wanted = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    with pytest.raises(ClientError, match="'target.roleArn' failed to satisfy constraint") as error:
        clients("scheduler").create_schedule(Name="refused", **wanted)
    assert error.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize("window", [{"Mode": "FLEXIBLE"}, {"Mode": "OFF", "MaximumWindowInMinutes": 5}])
def test_a_flexible_time_window_has_a_length(clients, window):
    target = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "RoleArn": ROLE}
    with pytest.raises(ClientError, match="MaximumWindowInMinutes"):
        clients("scheduler").create_schedule(
            Name="w", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=window, Target=target
        )
