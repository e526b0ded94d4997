"""Which schedule expressions EventBridge and EventBridge Scheduler take: rate(…), cron(…), and at(…).

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from datetime import datetime

RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\(([^()]+)\)")
AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (  # of cron: least, most and names of a value
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, MONTHS),
    (1, 7, DAYS),
    (1970, 2199, ()),
)
OF_MONTH, OF_WEEK = 2, 4


def is_of_a_rule(expression: str) -> bool:
    """Whether a rule of EventBridge takes it: one is "1 minute", and two are "2 minutes"."""
    rate = RATE.fullmatch(expression)
    return _is_cron(expression) if rate is None else (rate[1] == "1") == (rate[3] == "")


def is_of_a_schedule(expression: str) -> bool:
    """Whether EventBridge Scheduler takes it: at(…) as well, and "1 minutes", too."""
    if found := AT.fullmatch(expression):
        return _is_moment(found[1])
    rate = RATE.fullmatch(expression)
    return _is_cron(expression) if rate is None else rate[1] == "1" or rate[3] == "s"


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_cron(expression: str) -> bool:
    """Six fields, of which one of the two for days is "?", and none other."""
    found = CRON.fullmatch(expression)
    fields = found[1].upper().split() if found else []
    if len(fields) != len(FIELDS) or (fields[OF_MONTH] == "?") == (fields[OF_WEEK] == "?"):
        return False
    return all(
        (field == "?" and place in (OF_MONTH, OF_WEEK)) or all(_is_part(part, place) for part in field.split(","))
        for place, field in enumerate(fields)
    )


def _is_part(part: str, place: int) -> bool:
    """One of what commas separate in a field: a value, a range, all, steps, or a day by its place in the month."""
    if place == OF_MONTH and (part in ("L", "LW") or (part.endswith("W") and _is_value(part[:-1], place))):
        return True
    if place == OF_WEEK:
        day, mark, number = part.partition("#")
        if mark:
            return _is_value(day, place) and number in ("1", "2", "3", "4", "5")
        if part == "L" or (part.endswith("L") and _is_value(part[:-1], place)):
            return True
    what, slash, step = part.partition("/")
    most = FIELDS[place][1]
    if slash and not (step.isdecimal() and 1 <= int(step) <= most):
        return False
    first, dash, last = what.partition("-")
    return what == "*" or (_is_value(first, place) and (not dash or _is_value(last, place)))


def _is_value(text: str, place: int) -> bool:
    least, most, names = FIELDS[place]
    return text in names or (text.isdecimal() and least <= int(text) <= most)
