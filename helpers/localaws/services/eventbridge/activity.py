"""What is told of EventBridge: rules that match an event or are due, and what they send to their targets."""

from typing import Any

from ministack.services import eventbridge

from ...data_plane.census import Tell
from ..contract import Contract
from ..shapes import Record
from ..sqs_activity import MessageActivity

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (eventbridge, "_dispatch_to_sqs"): ("spec", "payload", "sqs_parameters"),
    (eventbridge, "_invoke_target"): ("target", "event", "rule", "view"),
    (eventbridge, "_matches_pattern_view"): ("pattern_str", "view", "owner"),
    (eventbridge, "_rules"): None,
}

OWNER = "rule "  # how MiniStack names the rule whose pattern it tries, by its key


def install(tell: Tell, messages: MessageActivity) -> None:
    """Be asked by MiniStack whenever a rule does something, or a schedule. Call once, before it serves."""
    matches, invoke, to_queue = (
        eventbridge._matches_pattern_view,
        eventbridge._invoke_target,
        eventbridge._dispatch_to_sqs,
    )
    due = ["", ""]  # the rule that was due last, and the id of its event: it may have several targets

    def matched(pattern_str: str, view: Any, owner: str = "rule") -> bool:
        found = bool(matches(pattern_str, view, owner))
        if found and owner.startswith(OWNER) and (rule := eventbridge._rules.get(owner.removeprefix(OWNER))):
            tell("rule.matched", rule=rule["Arn"])
        return found

    def invoked(target: Record, event: Record, rule: Record, view: Any = None) -> None:
        if event.get("Source") == "aws.events" and due != (fires := [rule["Arn"], event["EventId"]]):
            due[:] = fires
            tell("schedule.fired", schedule=rule["Arn"])
        tell("notification.sent", **{"from": rule["Arn"], "to": target.get("Arn", "")})
        invoke(target, event, rule, view)

    def queued(spec: Any, payload: str, sqs_parameters: Record | None = None) -> None:
        messages.delivered(str(spec), lambda: to_queue(spec, payload, sqs_parameters))

    eventbridge._matches_pattern_view = matched
    eventbridge._invoke_target = invoked
    eventbridge._dispatch_to_sqs = queued
