"""When the versions and aliases of a stack can be used: snapshots are taken, provisioned environments are there.

A stack waits for that, and fails where it never is. MiniStack waits for nothing, and provisions nothing for a version.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation, lambda_svc
from ministack.services.cloudformation import handlers, provisioners, stacks

from ...data_plane.pool import Pool
from ..contract import Contract
from ..shapes import Record
from .failure import done, failure

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudformation, "_stacks"): None,
    (handlers, "_delete_stack_async"): ("stack_name", "stack_id", "retain_resources", "force"),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_provisioned_concurrency"): ("func_name", "qualifier"),
    (lambda_svc, "_put_provisioned_concurrency"): ("func_name", "qualifier", "data"),
    (provisioners, "_lambda_function_for_cfn_ref"): ("function_ref",),
    (stacks, "_runs_on_worker_thread"): ("resource_type",),
}

SLOW = ("AWS::Lambda::Version", "AWS::Lambda::Alias")  # a stack makes them in a thread, as they wait
NUMBER = "ProvisionedConcurrentExecutions"
ASK_AGAIN_S = 0.05
FAILED = "GeneralServiceException"
IN_PROGRESS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS")
Handler = dict[str, Callable[..., Any]]  # MiniStack's, of a type of resources: create, update, delete


class Readiness:
    """Waits until what runs in `pool` is there. Where the embedded AWS ends meanwhile, it never is."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        waits = stacks._runs_on_worker_thread
        stacks._runs_on_worker_thread = lambda kind: kind in SLOW or waits(kind)
        delete = handlers._delete_stack_async

        async def delete_later(stack_name: str, *arguments: Any, **named: Any) -> None:
            """Once it is made: what a thread makes after the deletion, nobody would delete."""
            while cloudformation._stacks.get(stack_name, {}).get("StackStatus") in IN_PROGRESS:
                await asyncio.sleep(ASK_AGAIN_S)
            await delete(stack_name, *arguments, **named)

        handlers._delete_stack_async = delete_later

    def install(self, handler: Handler, settle: Callable[[str, Record], None]) -> None:
        """Let a handler end once what it has made is settled; what it has created and never is, is deleted again."""
        create, update, delete = handler["create"], handler["update"], handler["delete"]

        def created(logical_id: str, props: Record, stack_name: str) -> tuple[str, Record]:
            made: tuple[str, Record] = create(logical_id, props, stack_name)
            try:
                settle(made[0], props)
            except ValueError:
                delete(made[0], props)
                raise
            return made

        def updated(physical_id: str, old: Record, new: Record, *more: Any, **named: Any) -> tuple[str, Record]:
            made: tuple[str, Record] = update(physical_id, old, new, *more, **named)
            settle(made[0], new)
            return made

        handler["create"], handler["update"] = created, updated

    def version(self, physical_id: str, props: Record) -> None:
        """Until its snapshot is taken, if it has one, and its environments are there; it provisions them."""
        name, version = _name(props), physical_id.rpartition(":")[2]
        config = self._until(lambda: _configuration(name, version), lambda config: config.get("State") != "Pending")
        if config.get("State") == "Failed":
            raise failure(config["StateReason"], FAILED)
        if wanted := props.get("ProvisionedConcurrencyConfig"):
            done(lambda_svc._put_provisioned_concurrency(name, version, {NUMBER: int(wanted[NUMBER])}), "Lambda")
        self._provisioned(name, version)

    def alias(self, _physical_id: str, props: Record) -> None:
        """Until its environments are there."""
        self._provisioned(_name(props), props["Name"])

    def _provisioned(self, name: str, qualifier: str) -> None:
        def told() -> Record:
            status, _, body = lambda_svc._get_provisioned_concurrency(name, qualifier)
            config: Record = json.loads(body) if status < 400 else {}  # there are none
            return config

        config = self._until(told, lambda config: config.get("Status") != "IN_PROGRESS")
        if config.get("Status") == "FAILED":
            raise failure(config["StatusReason"], FAILED)

    def _until(self, ask: Callable[[], Record], is_settled: Callable[[Record], bool]) -> Record:
        while not is_settled(answer := ask()):
            if self._pool.closed:
                raise failure("The embedded AWS ends.", FAILED)
            time.sleep(ASK_AGAIN_S)  # an init has an end of itself
        return answer


def _name(props: Record) -> str:
    name: str = provisioners._lambda_function_for_cfn_ref(props.get("FunctionName", ""))[1]
    return name


def _configuration(name: str, version: str) -> Record:
    """That of a version; nothing of one that is deleted meanwhile."""
    func = lambda_svc._functions.get(name) or {}
    config: Record = func.get("versions", {}).get(version, {}).get("config", {})
    return config
