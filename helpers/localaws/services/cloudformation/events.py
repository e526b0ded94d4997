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
    (eventbridge, "_put_targets"): ("data",),
    (provisioners, "_RESOURCE_HANDLERS"): None,
    (provisioners, "_physical_name"): ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
    (scheduler, "_create_schedule"): ("name", "body"),
    (scheduler, "_schedule_arn"): ("group", "name"),
    (scheduler, "_schedules"): None,
    (scheduler, "_update_schedule"): ("name", "body"),
}


def install() -> None:
    """Let stacks make what the APIs make. Call once, before it serves, after what else refuses rules and schedules."""
    rule, schedule = (
        provisioners._RESOURCE_HANDLERS[f"AWS::{kind}"] for kind in ("Events::Rule", "Scheduler::Schedule")
    )
    make_rule, change_rule, delete_rule = rule["create"], rule["update"], rule["delete"]

    def create_rule(logical_id: str, props: Record, stack_name: str) -> Any:
        name = _name(logical_id, props, stack_name)
        _put_rule(name, props)
        made = make_rule(logical_id, {**props, "Targets": []}, stack_name)
        try:
            _put_targets(name, props)
        except ValueError:
            delete_rule(made[0], props)
            raise
        return made

    def update_rule(
        physical_id: str, old_props: Record, new_props: Record, stack_name: str, logical_id: str | None = None
    ) -> Any:
        name = _name(logical_id or physical_id, new_props, stack_name)
        _put_rule(name, new_props)
        _put_targets(name, new_props)
        return change_rule(physical_id, old_props, new_props, stack_name, logical_id)

    def create_schedule(logical_id: str, props: Record, stack_name: str) -> tuple[str, Record]:
        name, members = _name(logical_id, props, stack_name), {"State": "ENABLED", **props}
        members.pop("Name", None)
        done(scheduler._create_schedule(name, members), "Scheduler")
        return name, {"Arn": scheduler._schedule_arn(props.get("GroupName", "default"), name)}

    def update_schedule(physical_id: str, old_props: Record, new_props: Record, stack_name: str) -> tuple[str, Record]:
        name, group = new_props.get("Name", physical_id), new_props.get("GroupName", "default")
        if f"{group}/{name}" not in scheduler._schedules:  # another name or group is another schedule
            return create_schedule(physical_id, new_props, stack_name)
        done(
            scheduler._update_schedule(name, {name: new_props[name] for name in new_props if name != "Name"}),
            "Scheduler",
        )
        return physical_id, {"Arn": scheduler._schedule_arn(group, name)}

    rule["create"], rule["update"] = create_rule, update_rule
    schedule["create"], schedule["update"] = create_schedule, update_schedule


def _put_rule(name: str, props: Record) -> None:
    members = {key: value for key, value in props.items() if key not in ("Name", "Targets")}
    if isinstance(members.get("EventPattern"), dict):
        members["EventPattern"] = json.dumps(members["EventPattern"])
    eventbridge._ensure_default_bus()  # as before each request to the API
    done(eventbridge._put_rule({**members, "Name": name}), "Events")


def _put_targets(name: str, props: Record) -> None:
    if targets := props.get("Targets"):
        bus = props.get("EventBusName") or "default"
        done(eventbridge._put_targets({"Rule": name, "EventBusName": bus, "Targets": targets}), "Events")


def _name(logical_id: str, props: Record, stack_name: str) -> str:
    return str(props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64))
