"""The checks of notebook 12: right answers pass, a wrong function gets its sentence."""

import re

import numpy as np
import pytest
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, progress

checks = checks_of("12")


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


@pytest.fixture
def notebook() -> Notebook:
    """The notebook, with what stands above its exercises."""
    notebook = Notebook("12")
    notebook.run("hours-on")
    return notebook


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


def with_a_star(hour, minute, days):
    hour, days = in_utc(hour, days)
    return checks.cron(hour, minute, ["*"] if len(days) == 7 else days)


@pytest.mark.parametrize("utc_cron", [with_names, with_numbers, with_a_star])
def test_a_utc_cron_passes(utc_cron):
    check("12.1", utc_cron)
    assert progress.solved() == {"12.1"}


def test_the_utc_cron_of_the_notebook_passes(notebook):
    notebook.run("utc-cron")
    assert notebook.utc_cron(22, 0, ["MON", "FRI"]) == "cron(0 13 ? * MON,FRI *)"  # as the prose says
    check("12.1", notebook.utc_cron)
    assert progress.solved() == {"12.1"}


def test_the_starter_of_utc_cron_is_refused():
    starter = Starter("12")
    starter.run("utc-cron")
    assert "not written yet" in refused("12.1", starter.utc_cron)


# 12.2


def test_the_change_of_the_notebook_passes_and_leaves_everything_as_it_was(night):
    night.deploy(night.mended)
    night.remember("night:last", "x")
    check("12.2")
    assert progress.solved() == {"12.2"}
    assert night.sizes() == (1, 3)
    assert night.tags() == {"night:last": "x"}
    check("12.2")  # and may be checked again
    assert progress.solved() == {"12.2"}


def test_a_build_server_that_was_stopped_by_hand_is_no_obstacle(night):
    night.deploy(night.mended)
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


# 12.3


def test_hours_off_passes(notebook):
    notebook.run("hours-off")
    assert notebook.hours_off(2026, 11) == 426  # as the prose says
    check("12.3", notebook.hours_off)
    assert progress.solved() == {"12.3"}


def test_a_number_of_numpy_is_a_number(notebook):
    notebook.run("hours-off")
    check("12.3", lambda year, month: np.int64(notebook.hours_off(year, month)))
    assert progress.solved() == {"12.3"}


def test_the_starter_of_hours_off_is_refused():
    starter = Starter("12")
    starter.run("hours-off")
    assert "not written yet" in refused("12.3", starter.hours_off)
