"""The lists of EventBridge and its Scheduler in pages: MiniStack answers some as a whole, and takes any token.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html,
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import eventbridge, scheduler

from ..constraints import detected, violation
from ..contract import Contract
from ..paging import ForeignToken, page
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (eventbridge, "_list_api_destinations"): ("data",),
    (eventbridge, "_list_archives"): ("data",),
    (eventbridge, "_list_connections"): ("data",),
    (eventbridge, "_list_event_buses"): ("data",),
    (eventbridge, "_list_replays"): ("data",),
    (eventbridge, "_list_rule_names_by_target"): ("data",),
    (eventbridge, "_list_rules"): ("data",),
    (eventbridge, "_list_targets_by_rule"): ("data",),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "json_response"): ("data", "status", "content_type"),
    (scheduler, "_error"): ("status", "code", "message"),
    (scheduler, "_json_resp"): ("status", "body"),
    (scheduler, "_list_schedule_groups"): ("query",),
    (scheduler, "_list_schedules"): ("query",),
}

NOT_VALID = "NextToken is not valid."
MOST = 100  # of a page, and where the request does not say

List = Callable[[Record], Answer]


def install() -> None:
    """Let MiniStack answer in pages. Call once, before it serves, and after what else refuses a list."""
    eventbridge._list_api_destinations = paged(eventbridge._list_api_destinations, "ApiDestinations", "Name")
    eventbridge._list_archives = paged(eventbridge._list_archives, "Archives", "ArchiveName")
    eventbridge._list_connections = paged(eventbridge._list_connections, "Connections", "Name")
    eventbridge._list_event_buses = paged(eventbridge._list_event_buses, "EventBuses", "Name")
    eventbridge._list_replays = paged(eventbridge._list_replays, "Replays", "ReplayName")
    eventbridge._list_rule_names_by_target = paged(eventbridge._list_rule_names_by_target, "RuleNames", "")
    eventbridge._list_rules = paged(eventbridge._list_rules, "Rules", "Name")
    eventbridge._list_targets_by_rule = paged(eventbridge._list_targets_by_rule, "Targets", "Id")
    scheduler._list_schedules = _of_scheduler(scheduler._list_schedules, "Schedules")
    scheduler._list_schedule_groups = _of_scheduler(scheduler._list_schedule_groups, "ScheduleGroups")


def paged(listed: List, member: str, key: str) -> List:
    """A list whose items stand in this member of its answer, each named by its `key`, or a name itself."""

    def answered(data: Record) -> Answer:
        most = MOST if data.get("Limit") is None else data["Limit"]
        if not 1 <= most <= MOST:
            bound = "greater than or equal to 1" if most < 1 else f"less than or equal to {MOST}"
            return _refused(detected(violation(most, "limit", f"have value {bound}")))
        items, refused = _all(listed, member, data)
        if refused:
            return refused
        try:
            found, token = page(
                member, items, lambda item: str(item[key] if key else item), most, data.get("NextToken")
            )
        except ForeignToken:
            return _refused(NOT_VALID)
        answer: Answer = responses.json_response({member: found, **({"NextToken": token} if token else {})})
        return answer

    return answered


def _of_scheduler(listed: List, member: str) -> List:
    """A list of schedules, or of groups of them."""

    def answered(query: Record) -> Answer:
        everything = json.loads(listed({**query, "MaxResults": sys.maxsize})[2])[member]
        try:
            found, token = page(
                member,
                everything,
                lambda item: str(item["Arn"]),
                int(query.get("MaxResults", MOST)),
                query.get("NextToken"),
            )
        except ForeignToken:
            refused: Answer = scheduler._error(400, "ValidationException", NOT_VALID)
            return refused
        answer: Answer = scheduler._json_resp(200, {member: found, **({"NextToken": token} if token else {})})
        return answer

    return answered


def _all(listed: List, member: str, data: Record) -> tuple[list[Any], Answer | None]:
    """All items of a list, or its refusal."""
    asked = {name: value for name, value in data.items() if name not in ("Limit", "NextToken") and value is not None}
    found: list[Any] = []
    while True:
        status, headers, body = listed(asked)
        if status >= 300:
            return [], (status, headers, body)
        answer = json.loads(body)
        found += answer[member]
        if not answer.get("NextToken"):
            return found, None
        asked["NextToken"] = answer["NextToken"]


def _refused(message: str) -> Answer:
    answer: Answer = responses.error_response_json("ValidationException", message, 400)
    return answer
