"""When rules and schedules of EventBridge fire: cron at its minute, in the time zone of the schedule.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html. Rules know UTC alone. A flexible time
window is not waited for.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import eventbridge, scheduler

from . import universal_target

EVERY_S = 1  # MiniStack looks every ten seconds
TIME = "%Y-%m-%dT%H:%M:%SZ"

log = logging.getLogger("localaws.schedules")


def install() -> None:
    """Let MiniStack's rules and schedules fire when AWS's would. Call once, before it serves."""
    tick_rules = eventbridge._tick_scheduled_rules
    create, update = scheduler._create_schedule, scheduler._update_schedule
    seen: dict[tuple, tuple] = {}
    eventbridge._SCHEDULER_TICK_INTERVAL = scheduler._SCHEDULE_TICK_INTERVAL = EVERY_S

    def tick_rules_anew() -> None:
        """A rule that is new, changed or enabled counts from now, also where one of its name has fired before."""
        for key, rule in eventbridge._rules.all_items():
            if _is_new(seen, key, rule, "CreationTime"):
                eventbridge._rule_last_fired[key] = time.time()
        tick_rules()

    eventbridge._tick_scheduled_rules = tick_rules_anew
    scheduler._tick_schedules = _Schedules().tick
    scheduler._create_schedule = _refusing_unknown_zones(create)
    scheduler._update_schedule = _refusing_unknown_zones(update)


def next_time(expression: str, after: datetime, zone: str = "UTC") -> datetime | None:
    """The first time after `after` that an expression names: at(…), rate(…) or cron(…); None where there is none."""
    if expression.startswith("at("):
        moment = datetime.fromisoformat(expression[3:-1]).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        return moment if moment > after else None
    if seconds := eventbridge._parse_rate_seconds(expression):
        return after + timedelta(seconds=seconds)
    fields = eventbridge._parse_cron_fields(expression)
    found = fields and eventbridge._cron_next_fire(fields, after.astimezone(ZoneInfo(zone)))
    return found.astimezone(UTC) if found else None


class _Schedules:
    """The schedules of EventBridge Scheduler, and when each is due."""

    def __init__(self) -> None:
        self._seen: dict[tuple, tuple] = {}
        self._due: dict[tuple, datetime | None] = {}

    def tick(self) -> None:
        """Fire what is due, once, and reckon when it is due again."""
        now = datetime.now(UTC)
        for key, schedule in scheduler._schedules.all_items():
            try:
                self._tick(key, schedule, now)
            except Exception:
                log.exception("schedule %s", key[2])

    def _tick(self, key: tuple, schedule: dict, now: datetime) -> None:
        expression, zone = schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]
        start, end = scheduler._to_epoch(schedule["StartDate"]), scheduler._to_epoch(schedule["EndDate"])
        if _is_new(self._seen, key, schedule, "LastModificationDate"):
            since = max(schedule["LastModificationDate"], (start or 0) - 1)
            self._due[key] = next_time(expression, datetime.fromtimestamp(since, UTC), zone)
        due = self._due.get(key)
        past = end is not None and now.timestamp() > end
        if schedule["State"] == "ENABLED" and due is not None and due <= now and not past:
            self._due[key] = next_time(expression, max(due, now - timedelta(minutes=1)), zone)
            _fire(key, schedule, due)
        if (past or self._due.get(key) is None) and schedule["ActionAfterCompletion"] == "DELETE":
            scheduler._schedules.pop_scoped(*key, None)
            scheduler._tags._data.pop((key[0], schedule["Arn"]), None)


def _is_new(seen: dict[tuple, tuple], key: tuple, record: dict, changed: str) -> bool:
    """Whether this rule or schedule was not there, or not like this, when it was last asked about."""
    known = record.get(changed), record.get("ScheduleExpression"), record.get("State")
    return seen.get(key) != known and (seen.update({key: known}) is None)


def _fire(key: tuple, schedule: dict, due: datetime) -> None:
    account, region, _ = key
    set_request_account_id(account)
    set_request_region(region)
    target, identifier = dict(schedule["Target"]), str(uuid.uuid4())
    told = _filled_in(target.get("Input") or "", schedule["Arn"], due)
    if universal_target.call(target["Arn"], told or "{}", account, region):
        return
    event = {
        "version": "0", "id": identifier, "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": account, "time": due.strftime(TIME), "region": region, "resources": [schedule["Arn"]],
        "detail": "{}",  # text, other than in the event of a rule
    }
    target["Input"] = told or json.dumps(event)
    wrapped = {"EventId": identifier, "Source": "aws.scheduler", "Time": int(due.timestamp()), "Detail": "{}"}
    eventbridge._invoke_target(target, wrapped, schedule)


def _filled_in(text: str, arn: str, due: datetime) -> str:
    """The input of a target, with the context attributes that EventBridge Scheduler fills in."""
    attributes = {
        "schedule-arn": arn, "scheduled-time": due.strftime(TIME),
        "execution-id": uuid.uuid4().hex[:16], "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _refusing_unknown_zones(put: Callable) -> Callable:
    def put_or_refuse(name: str, body: dict) -> tuple:
        zone = body.get("ScheduleExpressionTimezone") or "UTC"
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return scheduler._error(400, "ValidationException", f"ScheduleExpressionTimezone {zone} is no time zone.")
        return put(name, body)

    return put_or_refuse
