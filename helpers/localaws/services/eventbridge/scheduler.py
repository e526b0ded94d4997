"""Schedules of EventBridge Scheduler: what is refused, and cron at its minute, in the time zone of the schedule.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html. A flexible time window is not waited for.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ministack.core import responses
from ministack.services import eventbridge, scheduler

from ...data_plane.census import Tell
from ...saved_state.stores import Store
from ..constraints import detected, violation
from ..contract import Contract
from ..iam.sts import RoleSessions
from ..shapes import Answer, Key, Record
from . import schedule_expression, universal_target
from .universal_target import Call

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (scheduler, "_SCHEDULE_TICK_INTERVAL"): None,
    (scheduler, "_tick_schedules"): (),
    (scheduler, "_create_schedule"): ("name", "body"),
    (scheduler, "_update_schedule"): ("name", "body"),
    (eventbridge, "_parse_cron_fields"): ("expr",),
    (eventbridge, "_parse_rate_seconds"): ("expr",),
    (eventbridge, "_cron_next_fire"): ("fields", "after_dt"),
    (responses, "set_request_account_id"): ("access_key_id",),
    (responses, "set_request_region"): ("region",),
    (eventbridge, "_invoke_target"): ("target", "event", "rule", "view"),
    (scheduler, "_schedules"): None,
    (scheduler, "_to_epoch"): ("value",),
    (scheduler, "_error"): ("status", "code", "message"),
    (scheduler, "_tags"): None,
}

EVERY_S = 1  # MiniStack looks every ten seconds
NAME = r"[0-9a-zA-Z-_.]+"
ROLE = r"arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@\/-]+"
MAX_NAME_LENGTH = 64
MAX_WINDOW_MINUTES = 1440
LONGEST_AGE_S = 86_400  # of an event, unless its RetryPolicy says less: API_RetryPolicy
NEVER = datetime.max.replace(tzinfo=UTC)
TIME = "%Y-%m-%dT%H:%M:%SZ"

log = logging.getLogger("localaws.schedules")


def install(endpoint: str, tell: Tell) -> "Schedules":
    """Let MiniStack's schedules fire when AWS's would; those with a universal target call `endpoint`, in their role.

    Call once, before it serves.
    """
    scheduler._SCHEDULE_TICK_INTERVAL = EVERY_S
    schedules = Schedules(endpoint, tell)
    scheduler._tick_schedules = schedules.tick
    scheduler._create_schedule = _refusing(scheduler._create_schedule)
    scheduler._update_schedule = _refusing(scheduler._update_schedule)
    return schedules


def next_time(expression: str, after: datetime, zone: str = "UTC") -> datetime | None:
    """The first time after `after` that an expression names: at(…), rate(…) or cron(…); None where there is none."""
    try:
        return _next_time(expression, after, zone)
    except OverflowError:  # beyond the year 9999
        return NEVER


def _next_time(expression: str, after: datetime, zone: str) -> datetime | None:
    if expression.startswith("at("):
        moment = datetime.fromisoformat(expression[3:-1]).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        return moment if moment > after else None
    if seconds := eventbridge._parse_rate_seconds(expression):
        return after + timedelta(seconds=seconds)
    fields = eventbridge._parse_cron_fields(expression)
    found: datetime | None = fields and eventbridge._cron_next_fire(fields, after.astimezone(ZoneInfo(zone)))
    return found.astimezone(UTC) if found else None


class Schedules:
    """MiniStack's schedules: how each was when it was last looked at, and when it is due."""

    def __init__(self, endpoint: str, tell: Tell) -> None:
        self._endpoint, self._tell, self._roles = endpoint, tell, RoleSessions()
        self._seen: dict[Key, tuple[object, ...]] = {}
        self._due: dict[Key, datetime | None] = {}

    def store(self) -> Store:
        """How each was, and when it is due."""

        def entries() -> list[tuple[Key, Any]]:
            return [(key, (seen, self._due.get(key))) for key, seen in list(self._seen.items())]

        def restore(key: Key, saved: tuple[tuple[object, ...], datetime | None]) -> None:
            self._seen[key], self._due[key] = saved

        return Store("times of schedules", "scheduler", entries, restore)

    def resume(self) -> None:
        """What was due while nobody looked: once, where it comes but once and is not too old, and else no more."""
        now = datetime.now(UTC)
        for key, schedule in scheduler._schedules.all_items():
            expression, due = schedule["ScheduleExpression"], self._due.get(key)
            if due is None or due > now:
                continue
            if expression.startswith("at("):
                retries = schedule["Target"].get("RetryPolicy") or {}
                age = timedelta(seconds=retries.get("MaximumEventAgeInSeconds", LONGEST_AGE_S))
                self._due[key] = due if now - due < age else None
            elif seconds := eventbridge._parse_rate_seconds(expression):
                self._due[key] = now + timedelta(seconds=seconds - (now - due).total_seconds() % seconds)
            else:
                self._due[key] = next_time(expression, now, schedule["ScheduleExpressionTimezone"])

    def tick(self) -> None:
        """Fire what is due, once, and reckon when it is due again."""
        now = datetime.now(UTC)
        for key, schedule in scheduler._schedules.all_items():
            try:
                self._note_changes(key, schedule)
                self._tick(key, schedule, now)
            except Exception:
                log.exception("schedule %s", key[2])

    def _note_changes(self, key: Key, schedule: Record) -> None:
        """Reckon anew when a schedule is due that was not there, or not like this, when it was last looked at."""
        state = schedule.get("LastModificationDate"), schedule.get("ScheduleExpression"), schedule.get("State")
        if self._seen.get(key) == state:
            return
        self._seen[key] = state
        since = max(schedule["LastModificationDate"], (scheduler._to_epoch(schedule["StartDate"]) or 0) - 1)
        after, zone = datetime.fromtimestamp(since, UTC), schedule["ScheduleExpressionTimezone"]
        self._due[key] = next_time(schedule["ScheduleExpression"], after, zone)

    def _tick(self, key: Key, schedule: Record, now: datetime) -> None:
        expression, zone = schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]
        due, end = self._due.get(key), scheduler._to_epoch(schedule["EndDate"])
        past = end is not None and now.timestamp() > end
        if schedule["State"] == "ENABLED" and due is not None and due <= now and not past:
            self._due[key] = next_time(expression, max(due, now - timedelta(minutes=1)), zone)
            self._fire(key, schedule, due)
        if (past or self._due.get(key) is None) and schedule["ActionAfterCompletion"] == "DELETE":
            scheduler._schedules.pop_scoped(*key, None)
            scheduler._tags._data.pop((key[0], schedule["Arn"]), None)

    def _fire(self, key: Key, schedule: Record, due: datetime) -> None:
        account, region, _ = key
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        target, identifier = dict(schedule["Target"]), str(uuid.uuid4())
        told = _filled_in(target.get("Input") or "", schedule["Arn"], due)
        self._tell("schedule.fired", schedule=schedule["Arn"])
        if call := universal_target.named_by(target["Arn"]):
            self._tell("notification.sent", **{"from": schedule["Arn"], "to": target["Arn"]})
            return self._call(call, told or "{}", region, target["RoleArn"])
        event = {
            "version": "0",
            "id": identifier,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": due.strftime(TIME),
            "region": region,
            "resources": [schedule["Arn"]],
            "detail": "{}",  # text, other than in the event of a rule
        }
        target["Input"] = told or json.dumps(event)
        wrapped = {"EventId": identifier, "Source": "aws.scheduler", "Time": int(due.timestamp()), "Detail": "{}"}
        eventbridge._invoke_target(target, wrapped, schedule)

    def _call(self, call: Call, told: str, region: str, role: str) -> None:
        credentials = self._roles.assume(role, uuid.uuid4().hex)
        try:
            call.make(told, self._endpoint, region, credentials)
        finally:
            self._roles.end(credentials)


def _filled_in(text: str, arn: str, due: datetime) -> str:
    """The input of a target, with the context attributes that EventBridge Scheduler fills in."""
    attributes = {
        "schedule-arn": arn,
        "scheduled-time": due.strftime(TIME),
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _refusing(put: Callable[[str, Record], Answer]) -> Callable[[str, Record], Answer]:
    def put_or_refuse(name: str, body: Record) -> Answer:
        refused = _refusal(name, body)
        answer: Answer = scheduler._error(400, "ValidationException", refused) if refused else put(name, body)
        return answer

    return put_or_refuse


def _refusal(name: str, body: Record) -> str | None:
    """Why AWS refuses a schedule, or None; MiniStack says what is missing."""
    for value, member, allowed in (
        (body.get("State"), "state", ("ENABLED", "DISABLED")),
        (body.get("ActionAfterCompletion"), "actionAfterCompletion", ("NONE", "DELETE")),
        ((body.get("FlexibleTimeWindow") or {}).get("Mode"), "flexibleTimeWindow.mode", ("OFF", "FLEXIBLE")),
    ):
        if value and value not in allowed:
            return detected(violation(value, member, f"satisfy enum value set: [{', '.join(allowed)}]"))
    if not re.fullmatch(NAME, name):
        return detected(violation(name, "name", f"satisfy regular expression pattern: {NAME}"))
    if len(name) > MAX_NAME_LENGTH:
        return detected(violation(name, "name", f"have length less than or equal to {MAX_NAME_LENGTH}"))
    role = (body.get("Target") or {}).get("RoleArn")
    if role and not re.fullmatch(ROLE, role):
        return detected(violation(role, "target.roleArn", f"satisfy regular expression pattern: {ROLE}"))
    expression = body.get("ScheduleExpression")
    if expression and not schedule_expression.is_of_a_schedule(expression):
        return f"Invalid Schedule Expression {expression}."
    return _zone(body.get("ScheduleExpressionTimezone") or "UTC") or _window(body.get("FlexibleTimeWindow") or {})


def _zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"ScheduleExpressionTimezone {name} is no time zone."
    return None


def _window(window: Record) -> str | None:
    """Why a flexible time window is refused: it has a length where it is one, and nowhere else."""
    length = window.get("MaximumWindowInMinutes")
    if length is not None and not 1 <= length <= MAX_WINDOW_MINUTES:
        bound = f"less than or equal to {MAX_WINDOW_MINUTES}" if length > 1 else "greater than or equal to 1"
        return detected(violation(str(length), "flexibleTimeWindow.maximumWindowInMinutes", f"have value {bound}"))
    if window and (window.get("Mode") == "FLEXIBLE") != (length is not None):
        return "A FlexibleTimeWindow has MaximumWindowInMinutes where its Mode is FLEXIBLE, and only there."
    return None
