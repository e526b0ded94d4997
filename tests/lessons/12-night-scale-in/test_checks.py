"""The checks of notebook 12: right answers pass, a wrong function gets its sentence."""

import re
from collections.abc import Callable, Iterator

import pytest
from notebook_cells import Notebook, checks_of, refused

from helpers import check
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("12")


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


# 12.1


def in_utc(hour: int, days: list[str]) -> tuple[int, list[str]]:
    before = [checks.DAYS[checks.DAYS.index(day) - 1] for day in days]
    return (hour - 9) % 24, before if hour < 9 else days


def with_names(hour, minute, days):
    hour, days = in_utc(hour, days)
    return checks.cron(hour, minute, days)


def with_numbers(hour, minute, days):
    hour, days = in_utc(hour, days)
    return checks.cron(hour, f"{minute:02}", [str(checks.DAYS.index(day) + 1) for day in days])


@pytest.fixture
def rules(aws) -> Iterator[Callable[..., None]]:
    """Make the rules, each with the expression that a function makes of its time and its days in Japan."""
    events = aws.client("events")

    def rules(expression: Callable[..., str], state: str = "DISABLED") -> None:
        for rule, (hour, minute, days) in checks.TIMES.items():
            text = expression(hour, minute, list(days))
            events.put_rule(Name=aws.name(rule), ScheduleExpression=text, State=state)

    yield rules
    for rule in checks.TIMES:
        remove(aws, Entry("rule", aws.name(rule)))


@pytest.mark.parametrize("expression", [with_names, with_numbers])
def test_rules_in_utc_pass(expression, rules):
    rules(expression)
    check("12.1")
    assert progress.solved() == {"12.1"}


def test_the_rules_of_the_notebook_pass(rules, aws):
    notebook = Notebook("12", workshop=aws, events=aws.client("events"))
    notebook.run("lab-rules")
    check("12.1")
    assert progress.solved() == {"12.1"}


def test_without_rules_the_first_is_named(rules, aws):
    assert f"There is no rule {aws.name('lab-start')} yet; make it with events.put_rule" in refused("12.1")


def test_a_rule_that_would_fire_is_said(rules):
    rules(with_names, "ENABLED")
    assert 'lab-start is ENABLED, but it has no target; give it State="DISABLED"' in refused("12.1")


@pytest.mark.parametrize("wrong", checks.RULES.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_rule_gets_its_sentence(wrong, rules):
    rules(wrong.answer)
    text = refused("12.1")
    assert re.search(wrong.says, text), text


# 12.2


def test_the_change_of_the_notebook_passes_and_leaves_everything_as_it_was(night):
    night.deploy(night.corrected)
    night.remember("night:last", "x")
    check("12.2")
    assert progress.solved() == {"12.2"}
    assert night.sizes() == (1, 3)
    assert night.tags() == {"night:last": "x"}
    check("12.2")  # and may be checked again
    assert progress.solved() == {"12.2"}


def test_a_build_server_that_was_stopped_by_hand_is_no_obstacle(night):
    night.deploy(night.corrected)
    night.ec2.stop_instances(InstanceIds=[night.server])
    check("12.2")
    assert progress.solved() == {"12.2"}


@pytest.mark.parametrize("wrong", checks.CHANGE.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_change_gets_its_sentence(wrong, night):
    night.deploy_change(*wrong.answer)
    text = refused("12.2")
    assert re.search(wrong.says, text), text
    assert night.sizes() == (1, 3)


def test_the_draft_is_refused(night):
    night.deploy(night.draft)
    assert "remembered the group that was empty already; write SIZE only when" in refused("12.2")


def test_an_absent_function_or_group_is_said(night):
    night.remove_function()
    assert "There is no function" in refused("12.2")
    night.deploy(night.draft, Environment={"Variables": {"GROUP": "none"}})
    assert "GROUP names no Auto Scaling group (none)" in refused("12.2")


# The hours of a month


def test_the_hours_of_a_month_are_those_of_its_days_and_weekends():
    notebook = Notebook("12")
    notebook.run("hours-off")
    assert [notebook.hours_off(2027, month) for month in (2, 3, 6, 8)] == [392, 422, 412, 436]
