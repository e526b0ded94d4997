"""The checks of notebook 12: a cron in UTC, a function that bears repeated and late events, a month's hours."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from typing import Any

from helpers.exercises.exercise import Answer, DeployedFunction, NotSolved, WrongAnswer, call, require_number

from .nights import WRONG_CHANGES, judge_change

# 12.1

DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]  # as AWS counts them, from 1
AHEAD = 9  # hours that Japan is ahead of UTC
CRON = re.compile(r"cron\((.*)\)")
TIMES = [  # hour and minute in Japan, and the days there
    (21, 30, ["TUE", "THU"]),
    (9, 0, ["MON"]),
    (8, 59, ["WED", "SAT"]),
    (0, 15, ["MON", "TUE", "WED", "THU", "FRI"]),
    (7, 5, ["SUN"]),
    (6, 45, DAYS),
    (23, 0, DAYS),
]


def judge_cron(utc_cron: Callable[[int, int, list[str]], str]) -> list[str]:
    for hour, minute, days in TIMES:
        answer = call(utc_cron, hour, minute, list(days))
        said = f"utc_cron({hour}, {minute}, {days}) returned {answer!r}"
        found = _fields(answer, said)
        if wrong := _wrong_time(found, hour, minute, days):
            raise NotSolved(f"{said}: {wrong}")
    return []


def _fields(answer: Any, said: str) -> tuple[str, str, set[str]]:
    """Minute, hour and days of an expression; NotSolved where AWS would refuse it."""
    if not isinstance(answer, str):
        raise NotSolved(f"{said}; return the expression, a text that begins with cron(.")
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
        raise NotSolved(f"{said}; AWS refuses it: exactly one of the two fields for days has to be ?.")
    if days == "?" or (day_of_month, month, year) != ("?", "*", "*"):
        raise NotSolved(f"{said}; the days of the week belong into the fifth field, with ? * before and * behind it.")
    return minute, hour, _days(days, said)


def _days(text: str, said: str) -> set[str]:
    if text == "*":
        return set(DAYS)
    found: set[str] = set()
    for part in text.upper().split(","):
        names = [DAYS[int(each) - 1] if each in list("1234567") else each for each in part.split("-")]
        if len(names) > 2 or not set(names) <= set(DAYS):
            raise NotSolved(f"{said}; {part!r} is no day of the week for AWS: write SUN, MON, TUE … between commas.")
        first, last = (DAYS.index(name) for name in (names[0], names[-1]))
        found |= {DAYS[day % 7] for day in range(first, last + 1 if first <= last else last + 8)}
    return found


def _wrong_time(found: tuple[str, str, set[str]], hour: int, minute: int, days: list[str]) -> str | None:
    """What is wrong with an expression that AWS would take, or None."""
    before = {DAYS[DAYS.index(day) - 1] for day in days}
    shifts = hour < AHEAD
    there, right = f"{hour:02}:{minute:02} in Japan", (hour - AHEAD) % 24
    its_minute, its_hour, its_days = found
    if its_minute != str(minute) and its_minute != f"{minute:02}":
        return f"the minutes come first, and are the same in both places: {minute}."
    if its_hour.startswith("-"):
        return f"there is no hour {its_hour}; what is below 0 belongs to the day before: add 24."
    if not its_hour.isdigit() or int(its_hour) != right:
        if its_hour == str((hour + AHEAD) % 24) or its_hour == str(hour + AHEAD):
            return f"Japan is ahead of UTC, so {there} is nine hours less in UTC, not more."
        if its_hour == str(hour):
            return "that is still the hour in Japan; in UTC it is nine hours less."
        return f"{there} is {right:02}:{minute:02} in UTC."
    if its_days == (before if shifts else set(days)):
        return None
    if shifts and its_days == set(days):
        return f"{there} is still the day before in UTC, so the days have to move back by one."
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
    return _before([day for day in days if day != "SUN"]) or ["SAT"] if hour < AHEAD else days


def cron(hour: Any, minute: Any, days: list[str]) -> str:
    return f"cron({minute} {hour} ? * {','.join(days)} *)"


WRONG_CRONS = (
    WrongAnswer(
        "no shift",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, days),
        r"utc_cron\(8, 59, .*: 08:59 in Japan is still the day before in UTC",
    ),
    WrongAnswer(
        "always shifted",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, _before(days)),
        r"utc_cron\(21, 30, .*: 21:30 in Japan is the same day in UTC, so the days stay",
    ),
    WrongAnswer(
        "shifted at nine",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, _before(days) if hour <= 9 else days),
        r"utc_cron\(9, 0, .*same day in UTC, .* they move only before 09:00",
    ),
    WrongAnswer(
        "wrong way",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, _after(days) if hour < 9 else days),
        "the days moved the wrong way",
    ),
    WrongAnswer(
        "added",
        lambda hour, minute, days: cron((hour + 9) % 24, minute, _shifted(hour, days)),
        "nine hours less in UTC, not more",
    ),
    WrongAnswer("not converted", lambda hour, minute, days: cron(hour, minute, days), "still the hour in Japan"),
    WrongAnswer(
        "negative",
        lambda hour, minute, days: cron(hour - 9, minute, _shifted(hour, days)),
        "there is no hour -1; .* add 24",
    ),
    WrongAnswer(
        "no sunday",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, _without_sunday(hour, days)),
        "7 days went in and 6 came out",
    ),
    WrongAnswer(
        "eight hours",
        lambda hour, minute, days: cron((hour - 8) % 24, minute, _shifted(hour, days)),
        "21:30 in Japan is 12:30 in UTC",
    ),
    WrongAnswer(
        "swapped",
        lambda hour, minute, days: cron(minute, (hour - 9) % 24, _shifted(hour, days)),
        "the minutes come first",
    ),
    WrongAnswer(
        "unix",
        lambda hour, minute, days: f"cron({minute} {(hour - 9) % 24} * * {','.join(_shifted(hour, days))})",
        "has 5 fields; AWS's cron has six",
    ),
    WrongAnswer(
        "two stars",
        lambda hour, minute, days: f"cron({minute} {(hour - 9) % 24} * * {','.join(_shifted(hour, days))} *)",
        r"exactly one of the two fields for days has to be \?",
    ),
    WrongAnswer(
        "day of month",
        lambda hour, minute, days: f"cron({minute} {(hour - 9) % 24} {','.join(days)} * ? *)",
        "belong into the fifth field",
    ),
    WrongAnswer(
        "bare",
        lambda hour, minute, days: f"{minute} {(hour - 9) % 24} ? * {','.join(_shifted(hour, days))} *",
        "AWS wants the word around it",
    ),
    WrongAnswer(
        "a list",
        lambda hour, minute, days: cron((hour - 9) % 24, minute, [str(_shifted(hour, days)).replace(" ", "")]),
        "is no day of the week for AWS",
    ),
    WrongAnswer("nothing", lambda hour, minute, days: None, "returned None; return the expression"),
    WrongAnswer("constant", lambda hour, minute, days: "cron(0 13 ? * MON,FRI *)", "the minutes come first"),
    WrongAnswer("raises", lambda hour, minute, days: days[9], "raised IndexError"),
)

# 12.3

MONTHS = {  # (year, month): days, and workdays among them; months that the notebook does not show
    (2027, 8): (31, 22),
    (2027, 2): (28, 20),
    (2028, 2): (29, 21),
    (2027, 3): (31, 23),
    (2027, 6): (30, 22),
}


def judge_hours(hours_off: Callable[[int, int], float]) -> list[str]:
    for (year, month), (days, workdays) in MONTHS.items():
        answer = require_number("hours_off", call(hours_off, year, month), "a number of hours")
        right = 24 * days - 14 * workdays
        if answer != right:
            why = _wrong_hours(answer, days, workdays)
            raise NotSolved(f"hours_off({year}, {month}) returned {answer:g} where {right} is right: {why}")
    return []


# How somebody may calculate with the days and the workdays of a month, and what to look at then.
HOURS: dict[str, tuple[Callable[[int, int], int], str]] = {
    "on": (lambda days, workdays: 14 * workdays, "those are the hours in which the machines are on."),
    "no weekends": (
        lambda days, workdays: 10 * days,
        "the weekends are missing: on a Saturday and a Sunday the machines are off for 24 hours.",
    ),
    "nights": (
        lambda days, workdays: 10 * workdays,
        "those are the nights alone; on a Saturday and a Sunday the machines are off for 24 hours.",
    ),
    "weekends": (
        lambda days, workdays: 24 * (days - workdays),
        "those are the weekends alone; every working day has ten hours of night.",
    ),
    "ten": (
        lambda days, workdays: 24 * days - 10 * workdays,
        "from 08:00 to 22:00 the machines are on for 14 hours, not for 10.",
    ),
    "thirty": (lambda days, workdays: 24 * 30 - 14 * workdays, "not every month has 30 days."),
    "average": (
        lambda days, workdays: 730 - 14 * workdays,
        "730 hours are an average month; count the days of this one.",
    ),
}


def _wrong_hours(answer: float, days: int, workdays: int) -> str:
    for wrong, why in HOURS.values():
        if answer == wrong(days, workdays):
            return why
    if answer > 0 and (24 * days - answer) % 14 == 0:
        found = (24 * days - answer) / 14
        return f"that is the answer for {found:g} working days, and the month has {workdays}, Monday to Friday."
    return f"the month has {24 * days} hours, and {workdays} days with 14 hours on."


def _of_the_month(hours: Callable[[int, int], int]) -> Callable[[int, int], int]:
    """An answer to 12.3 from a calculation with days and workdays."""
    return lambda year, month: hours(*MONTHS[year, month])


def _with_workdays(is_workday: Callable[[date], bool]) -> Callable[[int, int], int]:
    def hours_off(year: int, month: int) -> int:
        days = [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]
        return 24 * len(days) - 14 * sum(map(is_workday, days))

    return hours_off


WRONG_HOURS = (
    *(WrongAnswer(name, _of_the_month(wrong), re.escape(why)) for name, (wrong, why) in HOURS.items()),
    WrongAnswer(
        "saturdays", _with_workdays(lambda day: day.weekday() <= 5), "answer for 26 working days, and the month has 22"
    ),
    WrongAnswer(
        "no fridays", _with_workdays(lambda day: day.weekday() < 4), "answer for 18 working days, and the month has 22"
    ),
    WrongAnswer("constant", lambda year, month: 426, "returned 426 where 436 is right"),
    WrongAnswer("text", lambda year, month: "426", "returned a str; return a number"),
    WrongAnswer("truth", lambda year, month: True, "returned a bool"),
    WrongAnswer("nan", lambda year, month: float("nan"), "returned nan where"),
)


UTC_CRON = Answer(
    number="12.1",
    title="from Japan's time to UTC",
    judge=judge_cron,
    hints=(
        "What time, and which day, is it in UTC when it is 08:00 on Monday in Japan? And at 22:00?",
        "(hour - 9) % 24 is the hour in UTC. The day is another one when hour - 9 is below 0.",
        "DAYS[DAYS.index(day) - 1] is the day before; in Python, index -1 is the last one.",
    ),
    asks_for="utc_cron",
    wrong_answers=WRONG_CRONS,
)
CHANGE = DeployedFunction(
    number="12.2",
    title="a function that bears repetition",
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
HOURS_OFF = Answer(
    number="12.3",
    title="the hours of a month",
    judge=judge_hours,
    hints=(
        "How many hours has the month? How many of them are the machines on?",
        "calendar.monthrange(year, month)[1] is the number of days; date(year, month, day).weekday() is 0 on a Monday, "
        "and 6 on a Sunday.",
        "24 times the days, less 14 times the days whose weekday() is below 5.",
    ),
    asks_for="hours_off",
    wrong_answers=WRONG_HOURS,
)
EXERCISES = (UTC_CRON, CHANGE, HOURS_OFF)
