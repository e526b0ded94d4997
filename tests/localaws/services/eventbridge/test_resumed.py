"""What comes of rules and schedules whose time has passed while the embedded AWS was off."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from ministack.core import responses
from ministack.services import eventbridge, scheduler

from helpers.localaws.services.eventbridge.rules import Rules
from helpers.localaws.services.eventbridge.scheduler import Schedules

KEY = ("000000000000", "us-east-1", "s")


@pytest.fixture
def resumed(monkeypatch):
    """Give when a schedule is due, in seconds from now, that was due so many seconds ago."""

    def resume(expression, ago_s, **target):
        now = datetime.now(UTC)
        kept = responses.AccountRegionScopedDict()
        schedule = {"ScheduleExpression": expression, "ScheduleExpressionTimezone": "UTC", "Target": target}
        kept._data[KEY] = schedule
        monkeypatch.setattr(scheduler, "_schedules", kept)
        schedules = Schedules("http://nowhere", lambda kind, **members: None)
        schedules.store().restore(KEY, ((1.0, expression, "ENABLED"), now - timedelta(seconds=ago_s)))
        schedules.resume()
        ((key, (_, due)),) = schedules.store().entries()
        assert key == KEY
        return due and (due - now).total_seconds()

    return resume


def test_a_rate_goes_on_in_its_step_and_what_was_missed_does_not_come(resumed):
    assert resumed("rate(10 minutes)", 3 * 3600 + 60) == pytest.approx(9 * 60, abs=5)


def test_a_cron_comes_at_its_next_time(resumed):
    assert 0 < resumed("cron(* * * * ? *)", 3600) <= 61


def test_what_comes_once_comes_late_unless_it_is_too_old(resumed):
    assert resumed("at(2026-11-30T00:00:00)", 3600) == pytest.approx(-3600, abs=5)
    assert resumed("at(2026-11-30T00:00:00)", 2 * 86_400) is None
    assert resumed("at(2026-11-30T00:00:00)", 3600, RetryPolicy={"MaximumEventAgeInSeconds": 60}) is None


def test_what_is_still_to_come_stays(resumed):
    assert resumed("rate(10 minutes)", -30) == pytest.approx(30, abs=5)


def test_a_rule_fires_in_its_step_and_not_for_what_was_missed(monkeypatch):
    monkeypatch.setattr(eventbridge, "_rule_last_fired", {})
    rules, now = Rules(), time.time()
    for key, expression in (("rate", "rate(10 minutes)"), ("cron", "cron(0 * * * ? *)")):
        rules.store().restore((*KEY[:2], key), ((1, expression, "ENABLED"), now - 3 * 3600 - 60))
    rules.resume()
    fired = {key[2]: now - at for key, (_, at) in rules.store().entries()}
    assert fired == {"rate": pytest.approx(60, abs=5), "cron": pytest.approx(0, abs=5)}
