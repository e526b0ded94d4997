"""The checks of notebook 12: right answers pass, wrong ones get their sentence."""

import calendar
import re
from datetime import date

import numpy as np
import pytest
from night import DRAFT, Night, exercises, function_entry, mended
from notebook_cells import refused

from helpers import checks, progress
from helpers.labs import remove
from helpers.notebooks import source

DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor the function of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    remove(aws, function_entry(aws))


def defined(cell: str) -> dict:
    names = {"DAYS": DAYS}
    exec(cell, names)
    return names


# 12.1


def before(days):
    return [DAYS[DAYS.index(day) - 1] for day in days]


def after(days):
    return [DAYS[(DAYS.index(day) + 1) % 7] for day in days]


def cron(hour, minute, days, tail="*"):
    return f"cron({minute} {hour} ? * {','.join(days)} {tail})"


def shifted(hour, days):
    return before(days) if hour < 9 else days


CRONS = {
    "right": lambda hour, minute, days: cron((hour - 9) % 24, minute, shifted(hour, days)),
    "numbers": lambda hour, minute, days: cron(
        (hour - 9) % 24, f"{minute:02}", [str(DAYS.index(day) + 1) for day in shifted(hour, days)]
    ),
    "star": lambda hour, minute, days: cron((hour - 9) % 24, minute, ["*"] if len(days) == 7 else shifted(hour, days)),
    "no shift": lambda hour, minute, days: cron((hour - 9) % 24, minute, days),
    "always shifted": lambda hour, minute, days: cron((hour - 9) % 24, minute, before(days)),
    "wrong way": lambda hour, minute, days: cron((hour - 9) % 24, minute, after(days) if hour < 9 else days),
    "shifted at nine": lambda hour, minute, days: cron((hour - 9) % 24, minute, before(days) if hour <= 9 else days),
    "added": lambda hour, minute, days: cron((hour + 9) % 24, minute, shifted(hour, days)),
    "not converted": lambda hour, minute, days: cron(hour, minute, days),
    "negative": lambda hour, minute, days: cron(hour - 9, minute, shifted(hour, days)),
    "no sunday": lambda hour, minute, days: cron(
        (hour - 9) % 24, minute,
        [DAYS[DAYS.index(day) - 1] for day in days if day != "SUN"] or ["SAT"] if hour < 9 else days,
    ),
    "eight hours": lambda hour, minute, days: cron((hour - 8) % 24, minute, shifted(hour, days)),
    "swapped": lambda hour, minute, days: cron(minute, (hour - 9) % 24, shifted(hour, days)),
    "unix": lambda hour, minute, days: f"cron({minute} {(hour - 9) % 24} * * {','.join(shifted(hour, days))})",
    "two stars": lambda hour, minute, days: f"cron({minute} {(hour - 9) % 24} * * {','.join(shifted(hour, days))} *)",
    "day of month": lambda hour, minute, days: f"cron({minute} {(hour - 9) % 24} {','.join(days)} * ? *)",
    "bare": lambda hour, minute, days: f"{minute} {(hour - 9) % 24} ? * {','.join(shifted(hour, days))} *",
    "a list": lambda hour, minute, days: cron((hour - 9) % 24, minute, [str(shifted(hour, days))]).replace(" '", "'"),
    "nothing": lambda hour, minute, days: None,
    "constant": lambda hour, minute, days: "cron(0 13 ? * MON,FRI *)",
    "raises": lambda hour, minute, days: days[9],
}


@pytest.mark.parametrize("answer", ["right", "numbers", "star"])
def test_a_utc_cron_passes(answer, aws):
    checks.check("12.1", CRONS[answer])
    assert progress.solved() == {"12.1"}


def test_the_utc_cron_of_the_notebook_passes(aws):
    utc_cron = defined(source.solved(exercises()[0]))["utc_cron"]
    assert utc_cron(22, 0, ["MON", "FRI"]) == "cron(0 13 ? * MON,FRI *)"  # as the prose says
    checks.check("12.1", utc_cron)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("no shift", r"utc_cron\(8, 59, .*: 08:59 in Japan is still the day before in UTC"),
        ("always shifted", "utc_cron.21, 30, .*: 21:30 in Japan is the same day in UTC, so the days stay"),
        ("shifted at nine", "utc_cron.9, 0, .*same day in UTC, .* they move only before 09:00"),
        ("wrong way", "the days moved the wrong way"),
        ("added", "nine hours less in UTC, not more"),
        ("not converted", "still the hour in Japan"),
        ("negative", "there is no hour -1; .* add 24"),
        ("no sunday", "7 days went in and 6 came out"),
        ("eight hours", "21:30 in Japan is 12:30 in UTC"),
        ("swapped", "the minutes come first"),
        ("unix", "has 5 fields; AWS's cron has six"),
        ("two stars", "exactly one of the two fields for days has to be ?"),
        ("day of month", "belong into the fifth field"),
        ("bare", "AWS wants the word around it"),
        ("a list", "is no day of the week for AWS"),
        ("nothing", "returned None; return the expression"),
        ("constant", "the minutes come first"),
        ("raises", "raised IndexError"),
    ],
)
def test_a_wrong_utc_cron_gets_its_sentence(answer, says, aws):
    text = refused("12.1", CRONS[answer])
    assert re.search(says, text), text


def test_the_starter_of_utc_cron_is_refused(aws):
    assert "not written yet" in refused("12.1", defined(source.unsolved(exercises()[0]))["utc_cron"])


# 12.2


@pytest.fixture
def night(aws):
    night = Night(aws)
    yield night
    night.remove()


def test_the_change_of_the_notebook_passes_and_leaves_everything_as_it_was(night):
    night.deploy(mended())
    night.autoscaling.create_or_update_tags(Tags=[{
        "ResourceId": night.group, "ResourceType": "auto-scaling-group", "Key": "night:last", "Value": "x",
        "PropagateAtLaunch": False,
    }])  # fmt: skip
    checks.check("12.2")
    assert progress.solved() == {"12.2"}
    assert night.sizes() == (1, 3)
    assert night.tags() == {"night:last": "x"}
    checks.check("12.2")  # and may be checked again


def test_a_build_server_that_was_stopped_by_hand_is_no_obstacle(night):
    night.deploy(mended())
    night.ec2.stop_instances(InstanceIds=[night.server])
    checks.check("12.2")
    assert progress.solved() == {"12.2"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("        if SIZE not in tags:\n            remember(", "        if True:\n            remember(",
         "died before it could note LAST; .* Do not overwrite a SIZE that is there"),
        ('    if time <= tags.get(LAST, ""):\n', "    if False:\n", "came once more, after the morning's, and emptied"),
        ("    if time <= tags", "    if time < tags", "with the same time as LAST is not newer"),
        ("            forget(group, SIZE)\n", "", "restored the size of the first night; forget SIZE"),
        ("        if SIZE in tags:\n            least", "        if True:\n            least",
         "failed with KeyError: 'night:size'.* the tag is not there"),
        ("    remember(group, LAST, time)", "", "after the morning's, and emptied"),
        ("    remember(group, LAST, time)",
         "    if SIZE in tags or action == 'in':\n        remember(group, LAST, time)",
         "found nothing to restore; .* Note LAST in every case"),
        ("resize(group, int(least), int(desired))", "resize(group, 0, int(desired))", "the capacity, but not MinSize"),
        ("resize(group, int(least), int(desired))", "resize(group, 1, 3)", "did not restore the sizes"),
        ("resize(group, 0, 0)", "resize(group, group['MinSize'], 0)", "MinSize is still what it was"),
        ("resize(group, 0, 0)", "pass", "the group is not empty"),
        ("        stop_instances()\n", "", r"still run; call stop_instances\(\)"),
        ("        start_instances()\n", "", r"still stopped; call start_instances\(\)"),
        ("    tags = tags_of(group)", "    tags = {}", "remembered the group that was empty already|did not restore"),
        ("    tags = tags_of(group)", "    raise ValueError('no')", "In the evening the function failed with ValueErr"),
        ("    tags = tags_of(group)", "    raise NotImplementedError('Ignore.')", r"not written yet \(Ignore\.\)"),
    ],
    ids=[
        "size overwritten", "no time", "only older", "not forgotten", "no memory", "no last", "last only with a size",
        "no minimum", "constant", "minimum left", "no scale-in", "no stop", "no start", "no tags", "raises", "unsolved",
    ],
)  # fmt: skip
def test_a_wrong_change_gets_its_sentence(old, new, says, night):
    answer = mended().removeprefix(DRAFT)
    assert old in answer
    night.deploy(DRAFT + answer.replace(old, new))
    text = refused("12.2")
    assert re.search(says, text), text
    assert night.sizes() == (1, 3)


def test_the_draft_is_refused(night):
    night.deploy(DRAFT)
    assert "remembered the group that was empty already; write SIZE only when" in refused("12.2")


def test_an_absent_function_or_group_is_said(night):
    assert "There is no function" in refused("12.2")
    night.deploy(DRAFT, Environment={"Variables": {"GROUP": "none"}})
    assert "GROUP names no Auto Scaling group (none)" in refused("12.2")


# 12.3


def month(year, number, is_workday=lambda day: day.weekday() < 5):
    days = calendar.monthrange(year, number)[1]
    return days, sum(is_workday(date(year, number, day)) for day in range(1, days + 1))


HOURS = {
    "right": lambda y, m: 24 * month(y, m)[0] - 14 * month(y, m)[1],
    "numpy": lambda y, m: np.int64(HOURS["right"](y, m)),
    "on": lambda y, m: 14 * month(y, m)[1],
    "no weekends": lambda y, m: 10 * month(y, m)[0],
    "nights": lambda y, m: 10 * month(y, m)[1],
    "weekends": lambda y, m: 24 * (month(y, m)[0] - month(y, m)[1]),
    "ten": lambda y, m: 24 * month(y, m)[0] - 10 * month(y, m)[1],
    "thirty": lambda y, m: 24 * 30 - 14 * month(y, m)[1],
    "average": lambda y, m: 730 - 14 * month(y, m)[1],
    "saturdays": lambda y, m: 24 * month(y, m)[0] - 14 * month(y, m, lambda day: day.weekday() <= 5)[1],
    "no fridays": lambda y, m: 24 * month(y, m)[0] - 14 * month(y, m, lambda day: day.isoweekday() < 5)[1],
    "constant": lambda y, m: 426,
    "text": lambda y, m: "426",
    "truth": lambda y, m: True,
    "nan": lambda y, m: float("nan"),
}


def test_hours_off_passes(aws):
    checks.check("12.3", HOURS["right"])
    checks.check("12.3", HOURS["numpy"])
    hours_off = defined(source.solved(exercises()[2]))["hours_off"]
    assert hours_off(2026, 11) == 426  # as the prose says
    checks.check("12.3", hours_off)
    assert progress.solved() == {"12.3"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("on", "in which the machines are on"),
        ("no weekends", "the weekends are missing"),
        ("nights", "those are the nights alone"),
        ("weekends", "those are the weekends alone"),
        ("ten", "on for 14 hours, not for 10"),
        ("thirty", "not every month has 30 days"),
        ("average", "an average month; count"),
        ("saturdays", "answer for 26 working days, and the month has 22"),
        ("no fridays", "answer for 18 working days, and the month has 22"),
        ("constant", "returned 426 where 436 is right"),
        ("text", "returned a str; return a number"),
        ("truth", "returned a bool"),
        ("nan", "returned nan where"),
    ],
)
def test_wrong_hours_off_get_their_sentence(answer, says, aws):
    text = refused("12.3", HOURS[answer])
    assert re.search(says, text), text


def test_the_starter_of_hours_off_is_refused(aws):
    assert "not written yet" in refused("12.3", defined(source.unsolved(exercises()[2]))["hours_off"])
