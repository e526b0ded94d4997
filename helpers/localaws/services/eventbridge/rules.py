"""Rules of EventBridge: what is refused, when those with a schedule fire, and entries that are no event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html,
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html. Rules fire at their minute, a new one
counts from now, and they know UTC alone.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ministack.core import responses
from ministack.services import eventbridge

from ....facts import fact, in_bytes
from ...saved_state.stores import Store
from ..constraints import detected, violation
from ..contract import Contract
from ..refusals import unless
from ..shapes import Answer, Key, Record
from . import schedule_expression

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (eventbridge, "_SCHEDULER_TICK_INTERVAL"): None,
    (eventbridge, "_delete_rule"): ("data",),
    (eventbridge, "_describe_rule"): ("data",),
    (eventbridge, "_disable_rule"): ("data",),
    (eventbridge, "_enable_rule"): ("data",),
    (eventbridge, "_event_bus_name_from_ref"): ("name",),
    (eventbridge, "_list_targets_by_rule"): ("data",),
    (eventbridge, "_parse_rate_seconds"): ("expr",),
    (eventbridge, "_put_events"): ("data", "allow_aws_source"),
    (eventbridge, "_put_rule"): ("data",),
    (eventbridge, "_put_targets"): ("data",),
    (eventbridge, "_remove_targets"): ("data",),
    (eventbridge, "_rule_key"): ("rule_name", "bus_name"),
    (eventbridge, "_rule_last_fired"): None,
    (eventbridge, "_rules"): None,
    (eventbridge, "_targets"): None,
    (eventbridge, "_tick_scheduled_rules"): (),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
}

EVERY_S = 1  # MiniStack looks every ten seconds
NAME = r"[\.\-_A-Za-z0-9]+"
MAX_NAME_LENGTH = 64
MAX_TARGETS = fact("rule_targets")
MAX_ENTRIES = fact("put_events_entries")
MAX_ENTRIES_BYTES = in_bytes("put_events")
TIME_BYTES = 14  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html, "entry size"
REQUIRED = ("Source", "DetailType", "Detail")
INPUTS = ("Input", "InputPath", "InputTransformer")


def install() -> "Rules":
    """Let MiniStack refuse what AWS refuses, and fire its rules when AWS would. Call once, before it serves."""
    rules = Rules()
    eventbridge._SCHEDULER_TICK_INTERVAL = EVERY_S
    eventbridge._tick_scheduled_rules = rules.tick
    eventbridge._put_rule = unless(_unruly, eventbridge._put_rule)
    eventbridge._put_targets = unless(_untargeted, unless(_missing, eventbridge._put_targets))
    eventbridge._delete_rule = unless(_targeted, eventbridge._delete_rule)
    eventbridge._describe_rule = unless(_missing, eventbridge._describe_rule)
    eventbridge._disable_rule = unless(_missing, eventbridge._disable_rule)
    eventbridge._enable_rule = unless(_missing, eventbridge._enable_rule)
    eventbridge._list_targets_by_rule = unless(_missing, eventbridge._list_targets_by_rule)
    eventbridge._remove_targets = unless(_missing, eventbridge._remove_targets)
    put_events = eventbridge._put_events

    def put(data: Record, allow_aws_source: bool = False) -> Answer:
        answer: Answer = _too_many(data["Entries"]) or _put(
            data["Entries"], lambda entries: put_events({**data, "Entries": entries}, allow_aws_source)
        )
        return answer

    eventbridge._put_events = put
    return rules


def _refused(code: str, message: str) -> Answer:
    answer: Answer = responses.error_response_json(code, message, 400)
    return answer


def _constraint(value: str, where: str, must: str) -> Answer:
    return _refused("ValidationException", detected(violation(value, where, must)))


def _name(value: str, where: str) -> Answer | None:
    """AWS's refusal of what is no name of a rule, or no id of a target."""
    if len(value) > MAX_NAME_LENGTH:
        return _constraint(value, where, f"have length less than or equal to {MAX_NAME_LENGTH}")
    if not re.fullmatch(NAME, value):
        return _constraint(value, where, f"satisfy regular expression pattern: {NAME}")
    return None


def _unruly(data: Record) -> Answer | None:
    """AWS's refusal of a rule; MiniStack says what is wrong with a pattern."""
    if refused := _name(data.get("Name") or "", "name"):
        return refused
    schedule = data.get("ScheduleExpression")
    if not schedule and not data.get("EventPattern"):
        return _refused("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if schedule and not schedule_expression.is_of_a_rule(schedule):
        return _refused("ValidationException", "Parameter ScheduleExpression is not valid.")
    if schedule and _bus(data) != "default":
        return _refused("ValidationException", "ScheduleExpression is supported only on the default event bus.")
    return None


def _bus(data: Record) -> str:
    name, _ = eventbridge._event_bus_name_from_ref(data.get("EventBusName") or "default")
    return str(name or data["EventBusName"])


def _key(data: Record) -> str:
    return str(eventbridge._rule_key(data.get("Rule") or data.get("Name"), _bus(data)))


def _missing(data: Record) -> Answer | None:
    if _key(data) in eventbridge._rules:
        return None
    rule = data.get("Rule") or data.get("Name")
    return _refused("ResourceNotFoundException", f"Rule {rule} does not exist on EventBus {_bus(data)}.")


def _targeted(data: Record) -> Answer | None:
    if _key(data) in eventbridge._rules and eventbridge._targets.get(_key(data)):
        return _refused("ValidationException", "Rule can't be deleted since it has targets.")
    return None


def _untargeted(data: Record) -> Answer | None:
    """AWS's refusal of targets, and of more than a rule may have."""
    targets = data.get("Targets") or []
    for number, target in enumerate(targets, 1):
        if refused := _name(target.get("Id") or "", f"targets.{number}.member.id"):
            return refused
        if sum(name in target for name in INPUTS) > 1:
            return _refused(
                "ValidationException",
                f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}.",
            )
        if "Input" in target and not _is_json(target["Input"]):
            return _refused("ValidationException", f"JSON syntax error in input for target {target['Id']}.")
    there = {target["Id"] for target in eventbridge._targets.get(_key(data)) or []}
    if len(there | {target["Id"] for target in targets}) > MAX_TARGETS:
        return _refused("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return False
    return True


def _no_number(constant: str) -> NoReturn:
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(constant)


def _too_many(entries: list[Record]) -> Answer | None:
    """AWS's refusal of the whole of a PutEvents."""
    if len(entries) > MAX_ENTRIES:
        return _constraint("[PutEventsRequestEntry]", "entries", f"have length less than or equal to {MAX_ENTRIES}")
    if sum(map(_size, entries)) > MAX_ENTRIES_BYTES:
        return _refused("ValidationException", "Total size of the entries in the request is over the limit.")
    return None


def _size(entry: Record) -> int:
    """How many bytes EventBridge counts for an entry."""
    texts = [str(entry.get(name) or "") for name in REQUIRED] + list(entry.get("Resources") or [])
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if entry.get("Time") else 0)


def _put(entries: list[Record], put_good: Callable[[list[Record]], Answer]) -> Answer:
    """Put the entries that are events; the answer tells of the others at their places."""
    failures = {number: failure for number, entry in enumerate(entries) if (failure := _failure(entry))}
    good = [entry for number, entry in enumerate(entries) if number not in failures]
    status, headers, body = put_good(good)
    if not failures or status >= 300:
        return status, headers, body
    answered = json.loads(body)
    results = iter(answered["Entries"])
    answered["Entries"] = [failures.get(number) or next(results) for number in range(len(entries))]
    answered["FailedEntryCount"] += len(failures)
    return status, headers, json.dumps(answered).encode()


def _failure(entry: Record) -> Record | None:
    """Why an entry is no event, as its answer says it."""
    for name in REQUIRED:
        if not entry.get(name):
            reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
    try:
        detail = json.loads(entry["Detail"], parse_constant=_no_number)
    except (ValueError, RecursionError):
        detail = None
    return (
        None if isinstance(detail, dict) else {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    )


class Rules:
    """MiniStack's rules, and how each was when it was last looked at."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[object, ...]] = {}
        self._fire_what_is_due = eventbridge._tick_scheduled_rules

    def store(self) -> Store:
        """How each was, and when it has fired."""

        def entries() -> list[tuple[Key, Any]]:
            fired = eventbridge._rule_last_fired
            return [(key, (seen, fired[key])) for key, seen in list(self._seen.items()) if key in fired]

        def restore(key: Key, saved: tuple[tuple[object, ...], float]) -> None:
            self._seen[key], eventbridge._rule_last_fired[key] = saved

        return Store("times of rules", "eventbridge", entries, restore)

    def resume(self) -> None:
        """What was due while nobody looked does not come any more; a rate goes on in its step."""
        now = time.time()
        for key, (_, expression, _) in self._seen.items():
            fired = eventbridge._rule_last_fired[key]
            seconds = eventbridge._parse_rate_seconds(str(expression or ""))
            eventbridge._rule_last_fired[key] = now - (now - fired) % seconds if seconds and now > fired else now

    def tick(self) -> None:
        """Fire what is due. A rule that is new, changed or enabled counts from now, also one of a name used before."""
        for key, rule in eventbridge._rules.all_items():
            state = rule.get("CreationTime"), rule.get("ScheduleExpression"), rule.get("State")
            if self._seen.get(key) != state:
                self._seen[key] = state
                eventbridge._rule_last_fired[key] = time.time()
        self._fire_what_is_due()
