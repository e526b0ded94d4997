"""The states of a function: a new one is Pending for a moment, and an update is InProgress, before either can be used.

Until an update is Successful the function runs as it was before.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html. What AWS refuses meanwhile is in its words, as
localstack recorded them in November 2025 (test_lambda_concurrent_code_updates, test_function_lifecycle).
"""

import functools
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, stepfunctions

from ...data_plane import census
from ...data_plane.event_queue import EventQueue
from ...data_plane.pool import Pool
from ..contract import Contract
from ..shapes import Answer, Record
from . import api
from .errors import conflict, function_not_found

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_effective_func_record_for_qualifier"): ("func", "qualifier"),
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (lambda_svc, "_schedule_state_transition"): ("func_name", "delay"),
    (lambda_svc, "_sqs_esm_concurrency"): ("esm", "func_rec", "config", "queue"),
    (lambda_svc, "_update_code"): ("name", "data"),
    (lambda_svc, "_update_config"): ("name", "data"),
    (stepfunctions, "_ExecutionError"): None,
    (stepfunctions, "_call_lambda"): ("func_ref", "event"),
}

# How long a function is Pending, an update InProgress, an event source mapping Creating, …; on AWS some seconds
TRANSITION_S = 0.5
BEFORE = "before_update"  # of MiniStack's record of a function: what runs until the update is Successful
CREATING = {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
REFUSED = "The operation cannot be performed at this time."
IS_PENDING = f"{REFUSED} The function is currently in the following state: Pending"


def install(pool: Pool) -> Callable[[], None]:
    """Let functions and updates take their moment; then `pool` ends what ran before. Call once, before it serves.

    What it gives lets the functions that were restored go on with theirs.
    """
    transitions: EventQueue[Record] = EventQueue(functools.partial(_end, pool), workers=1)
    concurrency, call = lambda_svc._sqs_esm_concurrency, stepfunctions._call_lambda
    update_code, update_configuration = lambda_svc._update_code, lambda_svc._update_config

    def schedule(func_name: str, delay: float) -> None:
        func = lambda_svc._functions[func_name]
        if func["config"].get("StateReasonCode") == "Updating":  # it can still be used
            _settle(func["config"])
            func["config"] |= begun_update()
        if api.asked.get():
            transitions.put(func, TRANSITION_S)
        else:  # CloudFormation waits until a function can be used
            _end(pool, func)

    def concurrency_of(esm: Record, func_rec: Record, config: Record, queue: Record | None = None) -> int:
        most: int = 0 if is_pending(config) else concurrency(esm, func_rec, config, queue)
        return most

    def called(func_ref: str, event: Any) -> Any:
        _, config, _ = lambda_svc._get_func_record_for_ref(func_ref)
        if config and is_pending(config):
            raise stepfunctions._ExecutionError("Lambda.ResourceConflictException", IS_PENDING)
        return call(func_ref, event)

    lambda_svc._update_code = _keeping_what_runs(update_code)
    lambda_svc._update_config = _keeping_what_runs(update_configuration)
    lambda_svc._schedule_state_transition = schedule
    stepfunctions._call_lambda = called
    lambda_svc._sqs_esm_concurrency = concurrency_of

    def resume() -> None:
        for _, func in lambda_svc._functions.all_items():
            if is_pending(func["config"]) or func["config"].get("LastUpdateStatus") == "InProgress":
                transitions.put(func, TRANSITION_S)

    return resume


def begun_update() -> Record:
    """The members of a configuration while an update is in progress. AWS's reason speaks of creation, too."""
    reason = {f"LastUpdateStatus{name.removeprefix('State')}": value for name, value in CREATING.items()}
    return {"LastUpdateStatus": "InProgress", **reason}


def is_pending(config: Record) -> bool:
    """Whether a version is not there yet, so that nobody can use it."""
    return config.get("State") == "Pending"


def in_progress(members: Record) -> Answer | None:
    """AWS's refusal to change or publish a function that is being made or changed."""
    name = members["FunctionName"]
    config = (lambda_svc._functions.get(name) or {}).get("config", {})
    if is_pending(config):
        return conflict(IS_PENDING)
    if config.get("LastUpdateStatus") == "InProgress":
        return conflict(f"{REFUSED} An update is in progress for resource: {lambda_svc._func_arn(name)}")
    return None


def not_ready(members: Record) -> Answer | None:
    """AWS's refusal to invoke what is not there yet."""
    name, qualifier = members["FunctionName"], members.get("Qualifier")
    func = lambda_svc._functions.get(name)
    if func is None and qualifier:
        return function_not_found(name, qualifier)
    _, config = lambda_svc._effective_func_record_for_qualifier(func, qualifier)
    if not config or not is_pending(config):
        return None
    return conflict(IS_PENDING)


def _keeping_what_runs(update: Callable[[str, Record], Answer]) -> Callable[[str, Record], Answer]:
    """An update of MiniStack's, which changes its record of a function at once, beside what runs meanwhile."""

    def updated(name: str, data: Record) -> Answer:
        func = lambda_svc._functions.get(name)
        if func and api.asked.get():  # a stack waits until the update is Successful
            func[BEFORE] = {"config": dict(func["config"]), "code_zip": func["code_zip"]}
        answer: Answer = update(name, data)
        if func and answer[0] >= 400:
            func.pop(BEFORE, None)
        return answer

    return updated


def running(func: Record, config: Record) -> tuple[Record, Record]:
    """The record and the configuration by which a version runs now: of $LATEST the old ones until it is updated."""
    latest = lambda_svc._functions.get(config["FunctionName"]) or {}
    before = latest.get(BEFORE)
    if before is None or config.get("Version", "$LATEST") != "$LATEST":
        return func, config
    return before, {**before["config"], "FunctionArn": config["FunctionArn"]}


def _end(pool: Pool, func: Record) -> None:
    """The moment is over: the function and its versions can be used. SnapStart's have their snapshots taken first."""
    func.pop(BEFORE, None)
    versions = [version["config"] for version in func["versions"].values()]
    for config in [func["config"], *versions]:
        has_snapshot = (config.get("SnapStart") or {}).get("OptimizationStatus") == "On"
        if not has_snapshot and (is_pending(config) or config.get("LastUpdateStatus") == "InProgress"):
            _settle(config)
    pool.retire(func["config"]["FunctionArn"], "$LATEST", census.CHANGED)


def _settle(config: Record) -> None:
    for name in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        config.pop(name, None)
    config |= {"State": "Active", "LastUpdateStatus": "Successful", "RevisionId": str(uuid.uuid4())}
