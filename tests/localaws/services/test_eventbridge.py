"""Rules of EventBridge: a cron expression fires at its minute, in UTC, and a new one counts anew.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from datetime import UTC, datetime, timedelta

import pytest
from ministack.services import eventbridge

from helpers.localaws.services import eventbridge as ours

NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)  # a Tuesday


class Clock:
    def __init__(self, now):
        self.moment = now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock(NOON)
    monkeypatch.setattr(ours.time, "time", lambda: clock.moment.timestamp())
    return clock


@pytest.fixture
def fired(monkeypatch):
    """The names of the rules that fire, in order."""
    names = []
    monkeypatch.setattr(eventbridge, "_invoke_target", lambda target, event, of, view=None: names.append(of["Name"]))
    return names


@pytest.fixture
def rules(monkeypatch, clock, fired):
    """Rules in this process, with a target each."""
    for name in ("_rules", "_targets", "_rule_last_fired"):
        empty = {} if name == "_rule_last_fired" else type(getattr(eventbridge, name))()
        monkeypatch.setattr(eventbridge, name, empty)
    for module, name in ((eventbridge, "_tick_scheduled_rules"), (eventbridge, "_SCHEDULER_TICK_INTERVAL")):
        monkeypatch.setattr(module, name, getattr(module, name))  # so that it is put back
    monkeypatch.setattr(eventbridge, "_now_ts", lambda: clock.moment.timestamp())
    ours.install()

    def put(name, expression, state="ENABLED"):
        key = ("000000000000", "us-east-1", f"default|{name}")
        eventbridge._rules._data[key] = {
            "Name": name,
            "ScheduleExpression": expression,
            "State": state,
            "CreationTime": clock.moment.timestamp(),
            "Arn": f"arn:aws:events:us-east-1:000000000000:rule/{name}",
            "EventBusName": "default",
        }
        eventbridge._targets._data[key] = [{"Id": "1", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}]
        return eventbridge._rules._data[key]

    return put


def run_until(clock, minute, second):
    """Tick once a second until then, as the server does."""
    end = NOON.replace(minute=minute, second=second)
    while clock.moment <= end:
        eventbridge._tick_scheduled_rules()
        clock.moment += timedelta(seconds=1)


def test_a_cron_rule_fires_at_the_minute_not_a_minute_after_it_was_made(rules, clock, fired):
    rules("r", "cron(* * * * ? *)")
    run_until(clock, 0, 59)
    assert fired == []
    run_until(clock, 1, 0)
    assert fired == ["r"]
    run_until(clock, 1, 59)
    assert fired == ["r"]
    run_until(clock, 3, 0)
    assert fired == ["r"] * 3


def test_a_rate_rule_counts_from_its_creation(rules, clock, fired):
    rules("r", "rate(1 minute)")
    run_until(clock, 1, 29)
    assert fired == []
    run_until(clock, 1, 31)
    assert fired == ["r"]


def test_a_rule_that_is_enabled_does_not_make_up_for_what_it_missed(rules, clock, fired):
    rule = rules("r", "cron(* * * * ? *)", state="DISABLED")
    run_until(clock, 5, 20)
    rule["State"] = "ENABLED"
    run_until(clock, 5, 59)
    assert fired == []
    run_until(clock, 6, 0)
    assert fired == ["r"]


def test_a_rule_that_is_made_again_counts_anew(rules, clock, fired):
    rules("r", "rate(1 minute)")
    run_until(clock, 1, 40)
    assert fired == ["r"]
    rules("r", "rate(1 minute)")
    run_until(clock, 2, 39)
    assert fired == ["r"]
    run_until(clock, 2, 43)
    assert fired == ["r", "r"]
