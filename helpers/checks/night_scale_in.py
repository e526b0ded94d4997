"""The checks of notebook 12: a cron in UTC, a function that bears repeated and late events, a month's hours."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..connect import Workshop
from . import deployed
from .exercise import Exercise, NotSolved, call, require_number
from .probe import Probe

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


def judge_cron(workshop: Workshop, utc_cron: Callable[[int, int, list[str]], str]) -> list[str]:
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


# 12.2

KEPT = {"night", "workshop", "learner"}  # tags of the group that are not the function's


class _Group:
    """The reader's group, and the function that scales it."""

    def __init__(self, workshop: Workshop, function: deployed.Deployed) -> None:
        self.probe = Probe(workshop, function)
        self.client, self.ec2 = workshop.client("autoscaling"), workshop.client("ec2")
        self.is_embedded = workshop.is_embedded
        self.night = function.variables.get("NIGHT", "")
        self.name = function.variables.get("GROUP", "")
        found = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name or "-"])
        if not found["AutoScalingGroups"]:
            raise NotSolved(
                f"The function's variable GROUP names no Auto Scaling group ({self.name or 'it is empty'}); run the "
                "cells that make the group and deploy the function."
            )

    def now(self) -> dict[str, Any]:
        return self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]

    def sizes(self) -> tuple[int, int]:
        group = self.now()
        return group["MinSize"], group["DesiredCapacity"]

    def tags(self) -> list[dict[str, Any]]:
        """The tags that the function has put on the group."""
        return [tag for tag in self.now()["Tags"] if tag["Key"] not in KEPT]

    def set(self, least: int, desired: int) -> None:
        self.client.update_auto_scaling_group(
            AutoScalingGroupName=self.name, MinSize=least, DesiredCapacity=desired
        )

    def begin(self, least: int, desired: int, tags: Sequence[dict[str, Any]] = ()) -> None:
        """These sizes, and no tags of the function's but `tags`."""
        place = {"ResourceId": self.name, "ResourceType": "auto-scaling-group"}
        if present := self.tags():
            self.client.delete_tags(Tags=[{"Key": tag["Key"]} | place for tag in present])
        if tags:
            put = [{"Key": tag["Key"], "Value": tag["Value"], "PropagateAtLaunch": False} | place for tag in tags]
            self.client.create_or_update_tags(Tags=put)
        self.set(least, desired)

    def send(self, action: str, time: str, when: str) -> None:
        outcome = self.probe.invoke({"action": action, "time": time})
        if outcome.failed:
            raise NotSolved(_failure(outcome.payload or {}, when))

    def expect(self, wanted: tuple[int, int], otherwise: Callable[[tuple[int, int]], str]) -> None:
        found = self.sizes()
        if found != wanted:
            raise NotSolved(
                f"{otherwise(found)} (MinSize and DesiredCapacity are {found[0]} and {found[1]}, and should be "
                f"{wanted[0]} and {wanted[1]}.)"
            )

    def start_instances(self) -> None:
        """Whatever the reader or a check has left stopped."""
        if stopped := self.instances("stopped"):
            self.ec2.start_instances(InstanceIds=stopped)

    def instances(self, state: str) -> list[str]:
        """The instances in this state that the function may stop."""
        filters = [
            {"Name": "tag:night", "Values": [self.night]},
            {"Name": "instance-state-name", "Values": [state]},
        ]
        found = self.ec2.describe_instances(Filters=filters)["Reservations"]
        return [instance["InstanceId"] for each in found for instance in each["Instances"]]


def _failure(payload: dict[str, Any], when: str) -> str:
    kind, message = payload.get("errorType", ""), str(payload.get("errorMessage", ""))[:200]
    if kind == "NotImplementedError":
        return f"change is not written yet ({message})."
    if kind == "KeyError" and "night:" in message:
        return f"{when} the function failed with KeyError: {message}: the tag is not there; use .get, or ask with `in`."
    return f"{when} the function failed with {kind}: {message}"


def judge_change(workshop: Workshop, _: Any) -> list[str]:
    function = deployed.find(workshop, workshop.name("night-scale-in"), "run the cell that deploys it")
    group = _Group(workshop, function)
    before, tags = group.sizes(), group.tags()
    began = datetime.now(UTC).replace(microsecond=0)
    times = [(began + timedelta(hours=10 * step)).strftime("%Y-%m-%dT%H:%M:%SZ") for step in range(6)]
    try:
        for scenario in SCENARIOS:
            scenario(group, times)
    finally:
        group.begin(*before, tags)
    return []


def _one_night(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.start_instances()
    running = len(group.instances("running"))
    group.send("in", times[0], "In the evening")
    group.expect((0, 0), lambda found: (
        "After the evening's event MinSize is still what it was, and AWS refuses a capacity below it; set both to 0."
        if found == (1, 0) else "After the evening's event the group is not empty."
    ))  # fmt: skip
    if group.instances("running"):
        raise NotSolved("After the evening's event the tagged instances still run; call stop_instances() too.")
    group.send("out", times[1], "In the morning")
    group.expect((1, 2), lambda found: (
        "The morning restored the capacity, but not MinSize; remember and restore both."
        if found == (0, 2) else "The morning did not restore the sizes of the evening before."
    ))  # fmt: skip
    if group.is_embedded and len(group.instances("running")) < running:  # on AWS it still stops
        raise NotSolved("After the morning's event the tagged instances are still stopped; call start_instances() too.")


def _evening_twice(group: _Group, times: list[str]) -> None:
    group.begin(1, 3)
    for count in ("first", "second"):
        group.send("in", times[0], f"At the {count} delivery of one evening's event")
    group.send("out", times[1], "In the morning after an evening whose event came twice")
    group.expect((1, 3), lambda found: (
        "The evening's event came twice, and the second time the function remembered the group that was empty "
        "already; write SIZE only when the group has no such tag." if found == (0, 0) else
        "The evening's event came twice, and the morning did not restore the size."
    ))  # fmt: skip


def _died_in_the_evening(group: _Group, times: list[str]) -> None:
    group.begin(0, 0, [{"Key": "night:size", "Value": "1 2"}])
    group.send("in", times[0], "At the second try of an evening that died half-way")
    group.send("out", times[1], "In the morning after an evening that died half-way")
    group.expect((1, 2), lambda _: (
        "A function that had written SIZE and emptied the group died before it could note LAST; then its event came "
        "again, and the size was lost. Do not overwrite a SIZE that is there."
    ))  # fmt: skip


def _morning_twice(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.send("in", times[0], "In the evening")
    group.send("out", times[1], "In the morning")
    group.set(1, 3)
    group.send("out", times[1], "When the morning's event came a second time,")
    group.expect((1, 3), lambda _: (
        "Somebody enlarged the group after the morning; then the morning's event came a second time and undid it. "
        "Forget SIZE once it is restored."
    ))  # fmt: skip


def _late(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.send("in", times[0], "In the evening")
    group.send("out", times[1], "In the morning")
    group.send("in", times[0], "When an evening's event came once more, after the morning's,")
    group.expect((1, 2), lambda _: (
        "An evening's event came once more, after the morning's, and emptied the group by day; compare its time with "
        "LAST, the time of the last event that was handled."
    ))  # fmt: skip
    group.begin(1, 3)
    group.send("out", times[1], "When a morning came without an evening,")
    group.send("in", times[0], "When an evening's event came only after the morning's,")
    group.expect((1, 3), lambda _: (
        "A morning's event came first, and found nothing to restore; then the evening's event before it came, late, "
        "and emptied the group by day. Note LAST in every case."
    ))  # fmt: skip


def _nothing(group: _Group, times: list[str]) -> None:
    group.begin(2, 3)
    group.send("out", times[1], "In a morning without anything remembered")
    group.expect((2, 3), lambda _: "A morning without anything remembered changed the group; leave it as it is.")


def _two_nights(group: _Group, times: list[str]) -> None:
    group.begin(1, 2)
    group.send("in", times[0], "In the first evening")
    group.send("out", times[1], "In the first morning")
    group.set(2, 3)
    group.send("in", times[2], "In the second evening")
    group.expect((0, 0), lambda _: "The second evening did not empty the group; only older or equal times are ignored.")
    group.send("out", times[3], "In the second morning")
    group.expect((2, 3), lambda found: (
        "The second morning restored the size of the first night; forget SIZE once it is restored."
        if found == (1, 2) else "The second morning did not restore the sizes of the evening before."
    ))  # fmt: skip


def _by_hand_at_night(group: _Group, times: list[str]) -> None:
    group.begin(1, 3)
    group.send("in", times[0], "In the evening")
    group.set(1, 2)
    group.send("in", times[0], "When the evening's event came a second time,")
    group.expect((1, 2), lambda _: (
        "Somebody started machines at night; then the evening's event came a second time and stopped them. An event "
        "with the same time as LAST is not newer: ignore it, too."
    ))  # fmt: skip


SCENARIOS = (
    _one_night, _evening_twice, _died_in_the_evening, _morning_twice, _late, _nothing, _two_nights, _by_hand_at_night,
)  # fmt: skip

# 12.3

MONTHS = {  # (year, month): days, and workdays among them; months that the notebook does not show
    (2027, 8): (31, 22), (2027, 2): (28, 20), (2028, 2): (29, 21), (2027, 3): (31, 23), (2027, 6): (30, 22),
}  # fmt: skip


def judge_hours(workshop: Workshop, hours_off: Callable[[int, int], float]) -> list[str]:
    for (year, month), (days, workdays) in MONTHS.items():
        answer = require_number("hours_off", call(hours_off, year, month), "a number of hours")
        right = 24 * days - 14 * workdays
        if answer != right:
            why = _wrong_hours(answer, days, workdays)
            raise NotSolved(f"hours_off({year}, {month}) returned {answer:g} where {right} is right: {why}")
    return []


def _wrong_hours(answer: float, days: int, workdays: int) -> str:
    known = {
        14 * workdays: "those are the hours in which the machines are on.",
        10 * days: "the weekends are missing: on a Saturday and a Sunday the machines are off for 24 hours.",
        10 * workdays: "those are the nights alone; on a Saturday and a Sunday the machines are off for 24 hours.",
        24 * (days - workdays): "those are the weekends alone; every working day has ten hours of night.",
        24 * days - 10 * workdays: "from 08:00 to 22:00 the machines are on for 14 hours, not for 10.",
        24 * 30 - 14 * workdays: "not every month has 30 days.",
        730 - 14 * workdays: "730 hours are an average month; count the days of this one.",
    }
    if answer in known:
        return known[answer]
    if answer > 0 and (24 * days - answer) % 14 == 0:
        found = (24 * days - answer) / 14
        return f"that is the answer for {found:g} working days, and the month has {workdays}, Monday to Friday."
    return f"the month has {24 * days} hours, and {workdays} days with 14 hours on."


UTC_CRON = Exercise(
    "12.1", "from Japan's time to UTC", judge_cron,
    (
        "What time, and which day, is it in UTC when it is 08:00 on Monday in Japan? And at 22:00?",
        "(hour - 9) % 24 is the hour in UTC. The day is another one when hour - 9 is below 0.",
        "DAYS[DAYS.index(day) - 1] is the day before; in Python, index -1 is the last one.",
    ),
    asks_for="utc_cron",
)  # fmt: skip
CHANGE = Exercise(
    "12.2", "a function that bears repetition", judge_change,
    (
        "Which line of the first draft does harm when the same evening comes again? Which, when the same morning does?",
        'Begin with tags = tags_of(group), and return when time <= tags.get(LAST, "").',
        "In the evening: remember SIZE only `if SIZE not in tags`, then resize to 0, 0 in any case. In the morning: "
        "restore and forget SIZE only `if SIZE in tags`.",
        "The last line, for evening and morning alike, is remember(group, LAST, time).",
    ),
)  # fmt: skip
HOURS_OFF = Exercise(
    "12.3", "the hours of a month", judge_hours,
    (
        "How many hours has the month? How many of them are the machines on?",
        "calendar.monthrange(year, month)[1] is the number of days; date(year, month, day).weekday() is 0 on a Monday, "
        "and 6 on a Sunday.",
        "24 times the days, less 14 times the days whose weekday() is below 5.",
    ),
    asks_for="hours_off",
)  # fmt: skip
EXERCISES = (UTC_CRON, CHANGE, HOURS_OFF)
