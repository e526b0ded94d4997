"""Rules of EventBridge with a schedule: they fire at their minute, and a new one counts from now. They know UTC alone.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

import time

from ministack.services import eventbridge

from .contract import Contract
from .shapes import Key

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (eventbridge, "_SCHEDULER_TICK_INTERVAL"): None,
    (eventbridge, "_tick_scheduled_rules"): (),
    (eventbridge, "_rules"): None,
    (eventbridge, "_rule_last_fired"): None,
}

EVERY_S = 1  # MiniStack looks every ten seconds


def install() -> None:
    """Let MiniStack's rules fire when AWS's would. Call once, before it serves."""
    eventbridge._SCHEDULER_TICK_INTERVAL = EVERY_S
    eventbridge._tick_scheduled_rules = _Rules().tick


class _Rules:
    """MiniStack's rules, and how each was when it was last looked at."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[object, ...]] = {}
        self._fire_what_is_due = eventbridge._tick_scheduled_rules

    def tick(self) -> None:
        """Fire what is due. A rule that is new, changed or enabled counts from now, also one of a name used before."""
        for key, rule in eventbridge._rules.all_items():
            state = rule.get("CreationTime"), rule.get("ScheduleExpression"), rule.get("State")
            if self._seen.get(key) != state:
                self._seen[key] = state
                eventbridge._rule_last_fired[key] = time.time()
        self._fire_what_is_due()
