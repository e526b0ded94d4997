"""Notebook 12: a schedule fires in Japan's time; the corrected function loses nothing when events repeat or it dies."""

import json
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from localaws_client import eventually
from notebook_cells import Notebook

from helpers.measuring.reports import reports

EVENINGS = [f"2026-11-{day:02}T13:00:00Z" for day in range(2, 7)]
MORNINGS = [f"2026-11-{day:02}T23:00:00Z" for day in range(2, 7)]
STEPS = ("remember", "forget", "resize", "stop_instances", "start_instances")


def event(action: str, time: str) -> dict[str, str]:
    return {"action": action, "time": time}


# The clock


def clock_role(iam, name: str, function: str) -> str:
    """A role in which Scheduler may invoke the function."""
    service = {"Service": "scheduler.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=json.dumps({"Statement": [allow]}))
    return made["Role"]["Arn"]


def test_a_schedule_fires_once_in_japans_time_and_is_gone(night, aws):
    function = night.deploy(night.draft)
    asked, scheduler = datetime.now(UTC), aws.client("scheduler")
    role = clock_role(aws.client("iam"), aws.name("tested-clock"), function)
    soon = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(seconds=5)  # what has passed does not fire
    told = {"action": "in", "time": "<aws.scheduler.scheduled-time>"}
    scheduler.create_schedule(
        Name=aws.name("tonight"),
        ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScheduleExpressionTimezone="Asia/Tokyo",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={"Arn": function, "RoleArn": role, "Input": json.dumps(told)},
    )
    eventually(lambda: night.sizes() == (0, 0))
    eventually(lambda: not scheduler.list_schedules(NamePrefix=aws.name("tonight"))["Schedules"])
    eventually(lambda: night.state() == "stopped")
    assert len(reports(aws.client("logs"), night.function, since=asked)) == 1


def test_the_days_copied_to_utc_keep_the_machines_on_over_the_weekend():
    notebook = Notebook("12")
    notebook.run("hours-on")
    wanted = notebook.hours_on("cron(0 8 ? * MON-FRI *)", "cron(0 22 ? * MON-FRI *)", "Asia/Tokyo")
    copied = notebook.hours_on("cron(0 23 ? * MON-FRI *)", "cron(0 13 ? * MON-FRI *)", "UTC")
    corrected = notebook.hours_on("cron(0 23 ? * SUN-THU *)", "cron(0 13 ? * MON-FRI *)", "UTC")
    assert sum(wanted) == 5 * 14
    not_wanted = [hour for hour in range(168) if copied[hour] and not wanted[hour]]  # from Sunday 00:00
    assert not_wanted == [*range(24 + 8), *range(6 * 24 + 8, 7 * 24)]  # until Monday 08:00, from Saturday 08:00
    assert all(copied[hour] for hour in range(168) if wanted[hour])
    assert corrected == wanted


# Twice, late, and half


def test_the_draft_loses_the_size_when_an_evening_comes_twice(night, apps):
    app = apps["draft"]
    for each in (event("in", EVENINGS[0]), event("in", EVENINGS[0]), event("out", MORNINGS[0])):
        app.handler(each, None)
    assert night.sizes() == (0, 0)


def test_the_draft_undoes_the_day_when_a_morning_comes_twice(night, apps):
    app = apps["draft"]
    app.handler(event("in", EVENINGS[0]), None)
    app.handler(event("out", MORNINGS[0]), None)
    night.set(1, 4)
    app.handler(event("out", MORNINGS[0]), None)
    assert night.sizes() == (1, 3)


@pytest.mark.parametrize("seed", range(8))
def test_the_corrected_function_bears_any_order(seed, night, apps):
    """Only the newest event counts, and what the size was by day is never lost."""
    app, dice = apps["corrected"], random.Random(seed)
    sent = [event("in", time) for time in EVENINGS] + [event("out", time) for time in MORNINGS]
    sent.sort(key=lambda each: each["time"])
    sent += dice.choices(sent, k=10)  # duplicates
    order = sorted(range(len(sent)), key=lambda place: place % 10 + dice.uniform(0, 4))  # late by up to three others
    size, newest = (1, 3), ""
    for each in (sent[place] for place in order):
        app.handler(each, None)
        newest = max(newest, each["time"])
        assert night.sizes() == (size if newest in MORNINGS else (0, 0)), (each, newest)


@pytest.mark.parametrize("dies_at", range(1, 9))  # of eight steps
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_corrected_function_bears_to_die_at_any_step(dies_at, after, night, apps, monkeypatch):
    """It dies before or after its n-th step, and gets the same event again, as from Lambda's queue."""
    app, steps = apps["corrected"], 0

    class Died(Exception):
        pass

    def tampered(step):
        def run(*arguments):
            nonlocal steps
            steps += 1
            if steps == dies_at and not after:
                raise Died
            result = step(*arguments)
            if steps == dies_at:
                raise Died
            return result

        return run

    for name in STEPS:
        monkeypatch.setattr(app, name, tampered(getattr(app, name)))
    deaths = 0
    for each, size in ((event("in", EVENINGS[0]), (0, 0)), (event("out", MORNINGS[0]), (1, 3))):
        try:
            app.handler(each, None)
        except Died:
            deaths += 1
            app.handler(each, None)
        assert night.sizes() == size
        assert night.state() == ("running" if size[1] else "stopped")
    assert deaths == 1
    assert night.tags() == {"night:last": MORNINGS[0]}


KILLED = """

sound = resize


def resize(group, least, desired):
    sound(group, least, desired)
    if "night:killed" not in tags_of(group):  # at the first try
        remember(group, "night:killed", "yes")
        os._exit(1)
"""


@pytest.mark.parametrize(("text", "left"), [("draft", (0, 0)), ("corrected", (1, 3))])
def test_a_function_killed_in_the_evening_is_tried_again_by_lambda(text, left, night, aws):
    """The process is gone after it has emptied the group: the draft loses the size, the corrected function does not."""
    arn = night.deploy(getattr(night, text) + KILLED)
    aws.client("lambda").tag_resource(Resource=arn, Tags={"localaws:retry-seconds": "0.2"})
    asked = datetime.now(UTC)
    payload = json.dumps(event("in", EVENINGS[0]))
    aws.client("lambda").invoke(FunctionName=night.function, InvocationType="Event", Payload=payload)
    tries = reports(aws.client("logs"), night.function, at_least=2, since=asked)
    assert [*tries["error_type"]] == ["Runtime.ExitError", ""]
    assert night.sizes() == (0, 0) and night.state() == "stopped"
    aws.client("lambda").invoke(FunctionName=night.function, Payload=json.dumps(event("out", MORNINGS[0])))
    assert night.sizes() == left
