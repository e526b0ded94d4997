"""The one place where MiniStack's Lambda is given another data plane: ours.

MiniStack keeps the control plane, the event sources, retries and throttling; it asks this module to run a function.
`install` puts our functions in the place of its own, and refuses to when MiniStack is not as it was when this was
written. Everything that we touch in MiniStack is named here.
"""

import contextvars
import inspect
import json
import secrets
import threading
import time
import uuid
from dataclasses import dataclass

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json
from ministack.services import cloudwatch, cloudwatch_logs, eventbridge, lambda_svc, sns

from .function import Function
from .pool import Pool
from .runtime_api import Invocation

# What we replace or call, with the parameters that it had in the version that pyproject.toml pins.
CONTRACT = {
    (lambda_svc, "_execute_function_dispatch"): ("func", "config", "event", "request_id", "started"),
    (lambda_svc, "_acquire_execution_slot"): ("func", "config"),
    (lambda_svc, "_emit_lambda_metrics"): ("function_name", "duration_ms", "error", "throttle"),
    (lambda_svc, "invalidate_worker"): ("func_name", "qualifier", "account", "region"),
    (lambda_svc, "invoke_async_with_retry"): ("func", "event"),
    (lambda_svc, "_validate_snapstart"): ("snap", "runtime", "package_type", "ephemeral_size"),
    (lambda_svc, "_put_provisioned_concurrency"): ("func_name", "qualifier", "data"),
    (lambda_svc, "_delete_function"): ("name", "query_params", "path_qualifier"),
    (lambda_svc, "_resolve_layer_zip"): ("attachment",),
    (lambda_svc, "executions_in_flight"): (),
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (lambda_svc, "_execution_record_for_config"): ("func", "config"),
    (eventbridge, "_dispatch_to_lambda"): ("arn", "payload"),
    (sns, "_deliver_to_lambda"): (
        "endpoint", "envelope", "topic_arn", "sub_arn", "msg_id", "raw_message", "message_attributes",
    ),
    (lambda_svc, "_inflight_key"): ("config",),
    (lambda_runtime, "reset"): (),
    (cloudwatch, "record_metric"): ("namespace", "metric_name", "value", "unit", "dimensions"),
    (cloudwatch_logs, "_append_log_events"): ("stream", "events"),
    (cloudwatch_logs, "_make_group_arn"): ("name",),
    (cloudwatch_logs, "_fanout_to_subscription_filters"): ("group_name", "stream_name", "events"),
}


class SeamError(RuntimeError):
    """MiniStack is not the one that this module was written for."""


@dataclass(frozen=True)
class Request:
    """One request to run a function, as its caller sent it; `payload` is None where an event source made the event."""

    request_id: str
    client_context: str = ""
    payload: bytes | None = None
    waits: bool = False  # the caller waits for the answer, and gets it byte for byte


# Set by the gateway for a call of Invoke, and by ours for every other asynchronous event; its retries inherit it,
# so that they share one request id, as on AWS.
request: contextvars.ContextVar[Request | None] = contextvars.ContextVar("request", default=None)


def verify() -> None:
    """Raise SeamError, with a sentence, unless every name of CONTRACT is there with the parameters it had."""
    for (module, name), parameters in CONTRACT.items():
        found = getattr(module, name, None)
        if found is None:
            raise SeamError(f"MiniStack has no {module.__name__}.{name} any more; pin the version that has it.")
        actual = tuple(inspect.signature(found).parameters)
        if actual != parameters:
            raise SeamError(
                f"{module.__name__}.{name} of MiniStack takes {actual}, not {parameters}; pin the old version."
            )


def install(pool: Pool) -> None:
    """Let MiniStack run its functions in `pool`. Call once, before it serves."""
    verify()
    acquire_slot, validate_snapstart = lambda_svc._acquire_execution_slot, lambda_svc._validate_snapstart
    invoke_async, delete = lambda_svc.invoke_async_with_retry, lambda_svc._delete_function

    def execute(func: dict, config: dict, event, request_id: str, started: float) -> dict:
        return run(pool, func, config, event, request_id)

    def acquire(func: dict, config: dict):
        slot, limit = acquire_slot(func, config)
        name = config.get("FunctionName", "")
        if slot is None:
            record(name, "Throttles", 1)
        else:
            total, each = lambda_svc.executions_in_flight()
            record(name, "ConcurrentExecutions", each.get(lambda_svc._inflight_key(config), 1), everywhere=total)
        return slot, limit

    def invoke_async_with_retry(func: dict, event: dict) -> None:
        context = contextvars.copy_context()
        if request.get() is None:
            context.run(request.set, Request(str(uuid.uuid4())))
        context.run(invoke_async, func, event)

    def deliver(arn: str, event: dict) -> None:
        """Lambda queues what these send and tries three times; MiniStack's own ways run it once."""
        func, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if func and config:
            context = contextvars.copy_context()
            context.run(request.set, None)  # not the request of whoever sent the event
            context.run(invoke_async_with_retry, lambda_svc._execution_record_for_config(func, config), event)

    def deliver_from_eventbridge(arn, payload) -> None:
        deliver(arn, json.loads(payload))

    def deliver_from_sns(endpoint, envelope, topic_arn, sub_arn, msg_id, raw_message, message_attributes) -> None:
        record = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
        deliver(endpoint, {"Records": [{**record, "Sns": json.loads(envelope)}]})

    def delete_with_urls(name, query_params, path_qualifier=None):
        answer = delete(name, query_params, path_qualifier)
        if name not in lambda_svc._functions:  # otherwise it was one version of it
            for key in [key for key in lambda_svc._function_urls if key.partition(":")[0] == name]:
                del lambda_svc._function_urls[key]
        return answer

    def refuse_snapstart(snap, *, runtime, package_type, ephemeral_size):
        if (snap or {}).get("ApplyOn", "None") != "None":
            return _refusal("SnapStart is not in the embedded AWS, which takes no snapshots; leave SnapStart out.")
        return validate_snapstart(snap, runtime=runtime, package_type=package_type, ephemeral_size=ephemeral_size)

    def refuse_provisioned_concurrency(func_name, qualifier, data):
        return _refusal("Provisioned concurrency is not in the embedded AWS, which holds no environments ready.")

    def invalidate_worker(func_name, qualifier=None, account=None, region=None) -> None:
        pool.retire(func_name, qualifier)

    lambda_svc._execute_function_dispatch = execute
    lambda_svc._acquire_execution_slot = acquire
    lambda_svc._emit_lambda_metrics = lambda *args, **kwargs: None  # it counts some calls twice and others never
    lambda_svc.invalidate_worker = invalidate_worker
    lambda_svc._delete_function = delete_with_urls
    lambda_svc.invoke_async_with_retry = invoke_async_with_retry
    eventbridge._dispatch_to_lambda = deliver_from_eventbridge
    sns._deliver_to_lambda = deliver_from_sns
    lambda_svc._validate_snapstart = refuse_snapstart
    lambda_svc._put_provisioned_concurrency = refuse_provisioned_concurrency
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = 0.0  # a new function is ready at once: there is nothing to wait for
    lambda_runtime.reset = pool.retire_all


def run(pool: Pool, func: dict, config: dict, event, request_id: str) -> dict:
    """Run one invocation and answer in the words of MiniStack's own executors; count it, once."""
    function = function_from(func, config)
    if function is None:
        return _failure("InvalidParameterValueException", "The embedded AWS runs zip packages only.")
    sent = request.get() or Request(request_id)
    outcome = pool.invoke(function, Invocation(
        request_id=sent.request_id, payload=sent.payload or json.dumps(event).encode(), deadline_ms=0,
        function_arn=config["FunctionArn"], trace_id=_trace_id(), client_context=sent.client_context,
    ))
    record(function.name, "Invocations", 1)
    record(function.name, "Errors", int(outcome.failed))
    record(function.name, "Duration", outcome.report.duration_ms, "Milliseconds")
    result = {"body": outcome.payload if sent.waits else _parsed(outcome.payload), "log": outcome.log}
    return {**result, "error": True, "function_error": "Unhandled"} if outcome.failed else result


def function_from(func: dict, config: dict) -> Function | None:
    """Our view of MiniStack's record of a function; None for a container image."""
    if not func.get("code_zip"):
        return None
    layers = tuple(filter(None, (lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or ())))
    latest = lambda_svc._functions.get(config["FunctionName"]) or func  # a version has no tags of its own
    return Function.from_configuration(config, func["code_zip"], layers, latest.get("tags") or {})


def record(function_name: str, metric: str, value: float, unit: str = "Count", everywhere: float | None = None) -> None:
    """Record a metric of AWS/Lambda for the function, and for all functions together (`everywhere`, or the same)."""
    cloudwatch.record_metric("AWS/Lambda", metric, value, unit, {"FunctionName": function_name})
    cloudwatch.record_metric("AWS/Lambda", metric, value if everywhere is None else everywhere, unit, {})


_log_lock = threading.Lock()


def write_log(function: Function, stream_name: str, events: list[tuple[int, str]]) -> None:
    """Append (ms since 1970, message) events to a stream of the function's log group, making both if need be."""
    now = time.time_ns() // 1_000_000
    stored = [{"timestamp": timestamp, "message": message, "ingestionTime": now} for timestamp, message in events]
    with _log_lock:
        group = cloudwatch_logs._log_groups.get(function.log_group)
        if group is None:
            group = cloudwatch_logs._log_groups[function.log_group] = {
                "arn": cloudwatch_logs._make_group_arn(function.log_group), "creationTime": now,
                "retentionInDays": None, "tags": {}, "subscriptionFilters": {}, "streams": {},
            }
        stream = group["streams"].setdefault(stream_name, {
            "events": [], "uploadSequenceToken": "1", "creationTime": now,
            "firstEventTimestamp": None, "lastEventTimestamp": None, "lastIngestionTime": None,
        })
        cloudwatch_logs._append_log_events(stream, stored)
    cloudwatch_logs._fanout_to_subscription_filters(function.log_group, stream_name, stored)


def _parsed(payload: bytes):
    """JSON as a value, as MiniStack's event sources want it; anything else as it is."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload


def _refusal(message: str) -> tuple:
    """MiniStack's answer for what neither of us does: better an error than a success that is made up."""
    return error_response_json("InvalidParameterValueException", message, 400)


def _failure(error_type: str, message: str) -> dict:
    body = {"errorType": error_type, "errorMessage": message}
    return {"body": body, "error": True, "function_error": "Unhandled", "log": message}


def _trace_id() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
