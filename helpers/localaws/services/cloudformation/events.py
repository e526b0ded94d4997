"""Rules of EventBridge and schedules in CloudFormation: what their APIs refuse fails the stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Scheduler.html. MiniStack writes rules past
the API, and does not look at its answer about a schedule.
"""

import json
from typing import Any

from ministack.services import eventbridge, scheduler
from ministack.services.cloudformation import provisioners

from ..contract import Contract
from ..shapes import Record
from .failure import done

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (eventbridge, "_ensure_default_bus"): (),
    (eventbridge, "_put_rule"): ("data",),
    (provisioners, "_RESOURCE_HANDLERS"): None,
    (provisioners, "_physical_name"): ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
    (scheduler, "_create_schedule"): ("name", "body"),
    (scheduler, "_schedule_arn"): ("group", "name"),
}


def install() -> None:
    """Let stacks make what the APIs make. Call once, before it serves, after what else refuses rules and schedules."""
    rule, schedule = (
        provisioners._RESOURCE_HANDLERS[f"AWS::{kind}"] for kind in ("Events::Rule", "Scheduler::Schedule")
    )
    make_rule = rule["create"]

    def create_rule(logical_id: str, props: Record, stack_name: str) -> Any:
        members = {**props, "Name": _name(logical_id, props, stack_name)}
        if isinstance(members.get("EventPattern"), dict):
            members["EventPattern"] = json.dumps(members["EventPattern"])
        eventbridge._ensure_default_bus()  # as before each request to the API
        done(eventbridge._put_rule({name: value for name, value in members.items() if name != "Targets"}), "Events")
        return make_rule(logical_id, props, stack_name)

    def create_schedule(logical_id: str, props: Record, stack_name: str) -> tuple[str, Record]:
        name, members = _name(logical_id, props, stack_name), {"State": "ENABLED", **props}
        members.pop("Name", None)
        done(scheduler._create_schedule(name, members), "Scheduler")
        return name, {"Arn": scheduler._schedule_arn(props.get("GroupName", "default"), name)}

    rule["create"], schedule["create"] = create_rule, create_schedule


def _name(logical_id: str, props: Record, stack_name: str) -> str:
    return str(props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64))
