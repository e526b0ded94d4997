"""The checks of notebook 12: rules in UTC, and a function that handles repeated and late events."""

import re
from typing import Any

from helpers.connect import Workshop
from helpers.exercises.exercise import DeployedFunction, NotSolved, WrongAnswer

from .nights import WRONG_CHANGES, judge_change

# 12.1

DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]  # as AWS counts them, from 1
AHEAD = 9  # hours that Japan is ahead of UTC
CRON = re.compile(r"cron\((.*)\)")
TIMES = {  # of a rule: hour and minute in Japan, and the days there
    "lab-start": (7, 30, ["SUN", "TUE", "THU"]),
    "lab-open": (9, 0, ["MON"]),
    "lab-stop": (21, 45, ["SUN", "TUE", "THU"]),
    "lab-clean": (0, 15, ["SAT"]),
}


def judge_rules(workshop: Workshop) -> list[str]:
    events = workshop.client("events")
    for rule, (hour, minute, days) in TIMES.items():
        name = workshop.name(rule)
        try:
            found = events.describe_rule(Name=name)
        except events.exceptions.ResourceNotFoundException:
            raise NotSolved(
                f"There is no rule {name} yet; make it with events.put_rule."
            ) from None
        expression = found.get("ScheduleExpression")
        said = f"{rule} has {expression}"
        if wrong := _wrong_time(_fields(expression, said), hour, minute, days):
            raise NotSolved(f"{said}: {wrong}")
        if found["State"] != "DISABLED":
            raise NotSolved(
                f'{rule} is {found["State"]}, but it has no target; give it State="DISABLED".'
            )
    return []


def _fields(answer: Any, said: str) -> tuple[str, str, set[str]]:
    """Minute, hour and days of an expression; NotSolved where AWS would refuse it."""
    if not isinstance(answer, str):
        raise NotSolved(
            f"{said}; give it a ScheduleExpression, a text that begins with cron(."
        )
    matched = CRON.fullmatch(answer)
    if not matched:
        raise NotSolved(f"{said}; AWS wants the word around it: cron(0 13 ? * MON *).")
    fields = matched[1].split()
    if len(fields) != 6:
        raise NotSolved(
            f"{said}, which has {len(fields)} fields; AWS's cron has six: minutes, hours, day of month, month, day of "
            "week, year."
        )
    minute, hour, day_of_month, month, days, year = fields
    if [day_of_month, days].count("?") != 1:
        raise NotSolved(
            f"{said}; AWS refuses it: exactly one of the two fields for days must be '?'."
        )
    if days == "?" or (day_of_month, month, year) != ("?", "*", "*"):
        raise NotSolved(
            f"{said}; the days of the week are the fifth field, after ? * and before *."
        )
    return minute, hour, _days(days, said)


def _days(text: str, said: str) -> set[str]:
    if text == "*":
        return set(DAYS)
    found: set[str] = set()
    for part in text.upper().split(","):
        names = [
            DAYS[int(each) - 1] if each in list("1234567") else each
            for each in part.split("-")
        ]
        if len(names) > 2 or not set(names) <= set(DAYS):
            raise NotSolved(
                f"{said}; {part!r} is not a day of the week for AWS: write SUN, MON, TUE … between commas."
            )
        first, last = (DAYS.index(name) for name in (names[0], names[-1]))
        found |= {
            DAYS[day % 7]
            for day in range(first, last + 1 if first <= last else last + 8)
        }
    return found


def _wrong_time(
    found: tuple[str, str, set[str]], hour: int, minute: int, days: list[str]
) -> str | None:
    """What is wrong with an expression that AWS would take, or None."""
    before = {DAYS[DAYS.index(day) - 1] for day in days}
    shifts = hour < AHEAD
    there, right = f"{hour:02}:{minute:02} in Japan", (hour - AHEAD) % 24
    its_minute, its_hour, its_days = found
    if its_minute != str(minute) and its_minute != f"{minute:02}":
        return f"the minutes come first, and are the same in both places: {minute}."
    if not its_hour.isdigit() or int(its_hour) != right:
        if its_hour == str((hour + AHEAD) % 24) or its_hour == str(hour + AHEAD):
            return f"Japan is ahead of UTC, so {there} is nine hours less in UTC, not more."
        if its_hour == str(hour):
            return "that is still the hour in Japan; in UTC it is nine hours less."
        return f"{there} is {right:02}:{minute:02} in UTC."
    if its_days == (before if shifts else set(days)):
        return None
    if shifts and its_days == set(days):
        return f"{there} is still the day before in UTC, so the days must move back by one."
    if not shifts and its_days == before:
        return f"{there} is the same day in UTC, so the days stay as they are; they move only before 09:00."
    if shifts and its_days == {DAYS[(DAYS.index(day) + 1) % 7] for day in days}:
        return f"the days moved the wrong way: {there} is the day before in UTC."
    if len(its_days) < len(days):
        return f"{len(days)} days went in and {len(its_days)} came out; each day has one before it, SUN has SAT."
    return f"for {there} on {', '.join(days)} the days in UTC are {', '.join(sorted(before if shifts else days))}."


def _before(days: list[str]) -> list[str]:
    return [DAYS[DAYS.index(day) - 1] for day in days]


def _after(days: list[str]) -> list[str]:
    return [DAYS[(DAYS.index(day) + 1) % 7] for day in days]


def _shifted(hour: int, days: list[str]) -> list[str]:
    return _before(days) if hour < AHEAD else days


def _without_sunday(hour: int, days: list[str]) -> list[str]:
    return (
        _before([day for day in days if day != "SUN"]) or ["SAT"]
        if hour < AHEAD
        else days
    )


def cron(hour: Any, minute: Any, days: list[str]) -> str:
    return f"cron({minute} {hour} ? * {','.join(days)} *)"


WRONG_CRONS = (  # each what makes the expressions of the rules, of hour, minute and days in Japan
    WrongAnswer(
        "no shift",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, days),
        "lab-start has .*: 07:30 in Japan is still the day before in UTC",
    ),
    WrongAnswer(
        "always shifted",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, _before(days)),
        "lab-open has .*: 09:00 in Japan is the same day in UTC, so the days stay .*only before 09:00",
    ),
    WrongAnswer(
        "wrong way",
        lambda hour, minute, days: cron(
            (hour - 9) % 24, minute, _after(days) if hour < 9 else days
        ),
        "the days moved the wrong way",
    ),
    WrongAnswer(
        "added",
        lambda hour, minute, days: cron((hour + 9) % 24, minute, _shifted(hour, days)),
        "nine hours less in UTC, not more",
    ),
    WrongAnswer(
        "not converted",
        lambda hour, minute, days: cron(hour, minute, days),
        "still the hour in Japan",
    ),
    WrongAnswer(
        "no sunday",
        lambda hour, minute, days: cron(
            (hour - 9) % 24, minute, _without_sunday(hour, days)
        ),
        "3 days went in and 2 came out",
    ),
    WrongAnswer(
        "eight hours",
        lambda hour, minute, days: cron((hour - 8) % 24, minute, _shifted(hour, days)),
        "07:30 in Japan is 22:30 in UTC",
    ),
    WrongAnswer(
        "the minute forgotten",
        lambda hour, minute, days: cron((hour - 9) % 24, 0, _shifted(hour, days)),
        "the minutes come first",
    ),
    WrongAnswer(
        "each day",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, ["*"]),
        "the days in UTC are",
    ),
    WrongAnswer(
        "a rate",
        lambda hour, minute, days: "rate(1 day)",
        "the word around it|begins with cron",
    ),
)

RULES = DeployedFunction(
    number="12.1",
    title="from Japan's time to UTC",
    judge=judge_rules,
    hints=(
        "What time, and which day, is it in UTC when it is 07:30 on Sunday in Japan? And at 21:45?",
        "The hour in UTC is nine less. Where that is below 0, add 24, and replace each day by the one before it.",
        'Minutes come first, and one of the two fields for days has a "?", as in "cron(0 0 ? * MON *)" for lab-open.',
    ),
    wrong_answers=WRONG_CRONS,
)
CHANGE = DeployedFunction(
    number="12.2",
    title="work that may run twice",
    judge=judge_change,
    hints=(
        "Which line of the first draft does harm when the same evening comes again? Which, when the same morning does?",
        'Begin with tags = tags_of(group), and return when time <= tags.get(LAST, "").',
        "In the evening: remember SIZE only `if SIZE not in tags`, then resize to 0, 0 in any case. In the morning: "
        "restore and forget SIZE only `if SIZE in tags`.",
        "The last line, for evening and morning alike, is remember(group, LAST, time).",
    ),
    wrong_answers=WRONG_CHANGES,
)
EXERCISES = (RULES, CHANGE)
