"""Invoke: MiniStack takes the call and asks for a slot, the data plane runs the function, CloudWatch counts it once.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import functools
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ministack.services import lambda_svc

from ...data_plane.capacity import Exhausted
from ...data_plane.pool import Pool
from ...data_plane.runtime_api import Invocation
from ...data_plane.snapshot import RestoreError
from ...kept_threads import KeptThreads
from ..cloudwatch import metrics as cloudwatch_metrics
from ..cloudwatch.metrics import Resource
from ..contract import Contract
from ..request import Request, request
from ..shapes import Record
from . import recursive_loops, tenant_isolation
from . import tracing as lambda_tracing
from .functions import function_from, is_deleted
from .provisioned_concurrency import ProvisionedConcurrency

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_acquire_execution_slot"): ("func", "config"),
    (lambda_svc, "_execute_function_dispatch"): ("func", "config", "event", "request_id", "started"),
    (lambda_svc, "_emit_lambda_metrics"): ("function_name", "duration_ms", "error", "throttle"),
    (lambda_svc, "executions_in_flight"): (),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_inflight_key"): ("config",),
    (lambda_svc, "_lambda_function_account_region_from_arn"): ("value",),
    (lambda_svc, "run_reentrant"): ("fn", "args", "thread_name"),
    (lambda_svc, "_throttle_response"): ("reason_code", "msg", "retry_after"),
}

# The reason of a call that is throttled, by the limit that MiniStack names.
THROTTLED = {
    "function": "ReservedFunctionConcurrentInvocationLimitExceeded",
    "account": "ConcurrentInvocationLimitExceeded",
}
OVER_LIMIT = "Rate Exceeded."  # AWS's words; the reason is a member of its own
FAILED = "The operation cannot be performed at this time. The function is currently in the following state: Failed"


def install(pool: Pool, provisioned: ProvisionedConcurrency) -> None:
    """Let MiniStack run its functions in `pool`. Call once, before it serves."""
    acquire_slot, threads, tracing = lambda_svc._acquire_execution_slot, KeptThreads(), lambda_tracing.Tracing()
    throttle_response = lambda_svc._throttle_response

    def execute(func: Record, config: Record, event: object, request_id: str, started: float) -> Record:
        return run(pool, provisioned, tracing, func, config, event, request_id)

    def acquire(func: Record, config: Record) -> tuple[Any, Any]:
        name = config.get("FunctionName", "")
        slot, limit = provisioned.take(config), None
        if slot is None:  # a version has no limit of its own
            slot, limit = acquire_slot(lambda_svc._functions.get(name) or func, config)
        if slot is None:
            cloudwatch_metrics.record(name, "Throttles", 1, resource=Resource.of(config))
            _tell_throttled(pool, config, THROTTLED[str(limit)])
        else:
            total, each = lambda_svc.executions_in_flight()
            key = lambda_svc._inflight_key(config)
            idle, idle_everywhere = provisioned.idle(key)
            running = max(1, each.get(key, 1) - idle)
            cloudwatch_metrics.record(name, "ConcurrentExecutions", running, everywhere=total - idle_everywhere)
        return slot, limit

    def throttled(reason_code: str, msg: str, retry_after: int = 1) -> Record:
        told: Record = throttle_response(reason_code, OVER_LIMIT, retry_after)
        return told

    async def run_beside(fn: Callable[..., Any], *args: Any, thread_name: str = "") -> Any:
        return await threads.run(fn, *args)

    # It parses the ARN of the function four times for each call.
    parsed = functools.lru_cache(maxsize=1024)(lambda_svc._lambda_function_account_region_from_arn)
    lambda_svc._lambda_function_account_region_from_arn = parsed
    lambda_svc.run_reentrant = run_beside  # it starts a thread for each call
    lambda_svc._execute_function_dispatch = execute
    lambda_svc._acquire_execution_slot = acquire
    lambda_svc._throttle_response = throttled
    lambda_svc._emit_lambda_metrics = lambda *args, **kwargs: None  # it counts some calls twice and others never


def run(
    pool: Pool,
    provisioned: ProvisionedConcurrency,
    tracing: lambda_tracing.Tracing,
    func: Record,
    config: Record,
    event: object,
    request_id: str,
) -> Record:
    """Run one invocation and answer in the words of MiniStack's own executors; count it, once."""
    function = function_from(func, config)
    if function is None:
        return _failure("InvalidParameterValueException", "The embedded AWS runs zip packages only.")
    sent, resource = request.get() or Request(request_id), Resource.of(config)
    started, lineage = time.time(), recursive_loops.lineage(config)
    if function.tenant_isolation:
        if not sent.tenant_id:  # an event source's: it names no tenant
            return _failure("InvalidParameterValueException", tenant_isolation.WITHOUT_TENANT)
        function = replace(function, tenant_id=sent.tenant_id)
    invocation = Invocation(
        request_id=sent.request_id,
        payload=sent.payload or json.dumps(event).encode(),
        deadline_ms=0,
        function_arn=config["FunctionArn"],
        trace_id=f"{tracing.header(config, sent.trace or lambda_tracing.caller.get())};{lineage}",
        client_context=sent.client_context,
        tenant_id=sent.tenant_id,
        stream=sent.stream,
    )
    if sent.stream:
        sent.stream.version = function.version
    try:
        if function.snapstart and config.get("State") == "Failed":
            raise RestoreError("ResourceConflictException", FAILED)
        outcome = pool.invoke(function, invocation)
        if is_deleted(function):  # before it had an environment, which then nobody has ended
            pool.retire(function.arn, function.version)
    except RestoreError as error:
        return _not_restored(error)
    except Exhausted as used_up:
        _tell_throttled(pool, config, THROTTLED["account"])
        return _throttled(function.name, resource, used_up)
    metrics = (
        ("Invocations", 1, "Count"),
        ("Errors", int(outcome.failed), "Count"),
        ("Duration", outcome.report.duration_ms, "Milliseconds"),
    )
    for metric, value, unit in metrics:
        cloudwatch_metrics.record(function.name, metric, value, unit, at=started, resource=resource)
    provisioned.count(function, resource, outcome.initialization_type, started)
    result = {"body": outcome.payload if sent.waits else _parsed(outcome.payload), "log": outcome.log}
    return {**result, "error": True, "function_error": "Unhandled"} if outcome.failed else result


def _tell_throttled(pool: Pool, config: Record, reason: str) -> None:
    names = {"function": config["FunctionName"], "version": config.get("Version", "$LATEST")}
    sent = request.get()
    pool.told.tell("invocation.throttled", **names, request_id=sent.request_id if sent else "", reason=reason)


def _throttled(name: str, resource: Resource | None, used_up: Exhausted) -> Record:
    """As beyond an account's limit: here it is this machine's, and less than what was counted at the start."""
    cloudwatch_metrics.record(name, "Throttles", 1, resource=resource)
    message = f"Rate Exceeded: this machine has no more for another execution environment: {used_up}."
    throttled: Record = lambda_svc._throttle_response("ConcurrentInvocationLimitExceeded", "")
    return {**throttled, "body": {**throttled["body"], "message": message}}


def _parsed(payload: bytes) -> Any:
    """JSON as a value, as MiniStack's event sources want it; anything else as it is."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload


def _failure(error_type: str, message: str) -> Record:
    body = {"errorType": error_type, "errorMessage": message}
    return {"body": body, "error": True, "function_error": "Unhandled", "log": message}


def _not_restored(error: RestoreError) -> Record:
    """An error of the call, and not of the function: snapstart.py makes its answer of this, by its code."""
    return {**_failure(error.code, error.message), "function_error": error.code}
