"""The one place where MiniStack's Lambda is given another data plane: ours.

MiniStack keeps the control plane and the throttling, and asks this module to run a function. `install` puts our
functions in the place of its own, those of the modules of events too, and refuses to when MiniStack is not as it was
when this was written. Everything that we touch in MiniStack is named here.
"""

import inspect
import json
import secrets
import threading
import time

from ministack.core import arn, lambda_runtime, responses
from ministack.core.responses import error_response_json
from ministack.services import apigateway, cloudwatch, cloudwatch_logs, eventbridge, lambda_svc, scheduler, sns, sqs

from .. import rds
from ..data_plane.function import Function
from ..data_plane.pool import Pool
from ..data_plane.runtime_api import Invocation
from . import async_invocation, function_url, http_api, metrics, quotas, recursion, redrive, schedules, sqs_source
from .request import Request, request

# What we replace, call or read, with the parameters that it had in the version that pyproject.toml pins, or None
# where it is a value.
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
    (lambda_svc, "_validate_total_unzipped_size"): ("code_zip", "layers"),
    (lambda_svc, "_unzipped_size"): ("zip_data",),
    (lambda_svc, "_layer_unzipped_size"): ("attachment",),
    (lambda_svc, "executions_in_flight"): (),
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (lambda_svc, "_execution_record_for_config"): ("func", "config"),
    (eventbridge, "_dispatch_to_lambda"): ("arn", "payload"),
    (sns, "_deliver_to_lambda"): (
        "endpoint", "envelope", "topic_arn", "sub_arn", "msg_id", "raw_message", "message_attributes",
    ),
    (lambda_svc, "_inflight_key"): ("config",),
    (lambda_runtime, "reset"): (),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_function_urls"): None,
    (lambda_svc, "_LAMBDA_STATE_TRANSITION_DELAY"): None,
    (lambda_svc, "_execute_function"): ("func", "event"),
    (lambda_svc, "_run_with_function_config_scope"): ("func_or_config", "callback", "args", "kwargs"),
    (lambda_svc, "_recursive_loop_drop"): ("name", "func", "depth"),
    (lambda_svc, "_event_invoke_config"): ("func", "qualifier"),
    (lambda_svc, "_build_function_url_event"): (
        "url_id", "account_id", "region", "method", "path", "headers", "body", "query_params", "source_ip", "anonymous",
        "trace_root",
    ),
    (lambda_svc, "lambda_execute_result_to_api_proxy_response"): ("exec_result",),
    (lambda_svc, "_iter_all_esms"): (),
    (lambda_svc, "_create_esm"): ("data",),
    (lambda_svc, "_resolve_existing_esm_function"): ("function_ref",),
    (lambda_svc, "_run_sqs_batch"): ("esm", "func_rec", "event", "batch", "queue_url", "queue_name"),
    (lambda_svc, "_esm_wake"): None,
    (lambda_svc, "_esm_backoff_until"): None,
    (lambda_svc, "_ESM_BACKOFF_SECONDS"): None,
    (sqs, "_receive_messages_for_esm"): ("queue_url", "max_number"),
    (sqs, "_delete_messages_for_esm"): ("queue_url", "receipt_handles"),
    (sqs, "_collect_msgs"): ("q", "max_n", "vis_timeout"),
    (sqs, "_expire_retained"): ("q",),
    (sqs, "_refresh_counts"): ("q",),
    (sqs, "_dlq_sweep"): ("q",),
    (sqs, "_ensure_msg_fields"): ("m",),
    (sqs, "_get_q"): ("url", "action"),
    (sqs, "_queue_by_arn"): ("arn",),
    (sqs, "_queue_url_for_account"): ("account_id", "name"),
    (sqs, "_act_send_message"): ("data", "qurl"),
    (sqs, "_Err"): ("code", "message", "status"),
    (sqs, "_HANDLERS"): None,
    (sqs, "_queues"): None,
    (sqs, "_queues_lock"): None,
    (sqs, "esm_wake"): None,
    (sns, "_topics"): None,
    (sns, "_fanout"): (
        "topic_arn", "msg_id", "message", "subject", "message_structure", "message_attributes", "message_group_id",
        "message_dedup_id",
    ),
    (eventbridge, "_put_events"): ("data", "allow_aws_source"),
    (eventbridge, "_tick_scheduled_rules"): (),
    (eventbridge, "_SCHEDULER_TICK_INTERVAL"): None,
    (eventbridge, "_rules"): None,
    (eventbridge, "_rule_last_fired"): None,
    (eventbridge, "_parse_rate_seconds"): ("expr",),
    (eventbridge, "_parse_cron_fields"): ("expr",),
    (eventbridge, "_cron_next_fire"): ("fields", "after_dt"),
    (eventbridge, "_invoke_target"): ("target", "event", "rule", "view"),
    (scheduler, "_tick_schedules"): (),
    (scheduler, "_SCHEDULE_TICK_INTERVAL"): None,
    (scheduler, "_schedules"): None,
    (scheduler, "_tags"): None,
    (scheduler, "_create_schedule"): ("name", "body"),
    (scheduler, "_update_schedule"): ("name", "body"),
    (scheduler, "_to_epoch"): ("value",),
    (scheduler, "_error"): ("status", "code", "message"),
    (apigateway, "_create_api"): ("data",),
    (apigateway, "_create_integration"): ("api_id", "data"),
    (apigateway, "_create_route"): ("api_id", "data"),
    (apigateway, "_create_stage"): ("api_id", "data"),
    (apigateway, "run_reentrant"): ("fn", "args", "thread_name"),
    (cloudwatch, "_metrics"): None,
    (cloudwatch, "_metric_bucket"): ("key",),
    (cloudwatch, "_evict_old_metrics"): (),
    (cloudwatch, "_dims_from_list"): ("dimensions",),
    (cloudwatch, "_dims_key"): ("dims",),
    (cloudwatch, "_calc_stats"): ("points",),
    (cloudwatch, "_stat_value"): ("stats", "stat_name", "points"),
    (cloudwatch, "_alarms"): None,
    (cloudwatch, "_evaluate_alarm"): ("alarm",),
    (cloudwatch, "_evaluate_parent_alarms"): ("child", "seen"),
    (cloudwatch, "_record_history"): ("alarm_name", "old_state", "new_state", "reason", "alarm_type", "reason_data"),
    (cloudwatch, "_dispatch_alarm_actions"): ("alarm", "old_state", "new_state", "reason"),
    (arn, "parse_arn"): ("value",),
    (responses, "set_request_account_id"): ("access_key_id",),
    (responses, "set_request_region"): ("region",),
    (responses, "get_region"): (),
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_append_log_events"): ("stream", "events"),
    (cloudwatch_logs, "_make_group_arn"): ("name",),
    (cloudwatch_logs, "_fanout_to_subscription_filters"): ("group_name", "stream_name", "events"),
    **rds.CONTRACT,
}


class SeamError(RuntimeError):
    """MiniStack is not the one that this module was written for."""


def verify() -> None:
    """Raise SeamError, with a sentence, unless every name of CONTRACT is there with the parameters it had."""
    for (module, name), parameters in CONTRACT.items():
        found = getattr(module, name, None)
        if found is None:
            raise SeamError(f"MiniStack has no {module.__name__}.{name} any more; pin the version that has it.")
        actual = tuple(inspect.signature(found).parameters) if parameters is not None else None
        if actual != parameters:
            raise SeamError(
                f"{module.__name__}.{name} of MiniStack takes {actual}, not {parameters}; pin the old version."
            )


def install(pool: Pool) -> None:
    """Let MiniStack run its functions in `pool`. Call once, before it serves."""
    verify()
    for module in (metrics, async_invocation, sqs_source, redrive, recursion, schedules, http_api, function_url):
        module.install()
    acquire_slot, validate_snapstart = lambda_svc._acquire_execution_slot, lambda_svc._validate_snapstart
    delete = lambda_svc._delete_function

    def execute(func: dict, config: dict, event, request_id: str, started: float) -> dict:
        return run(pool, func, config, event, request_id)

    def acquire(func: dict, config: dict):
        name = config.get("FunctionName", "")
        slot, limit = acquire_slot(lambda_svc._functions.get(name) or func, config)  # a version has no limit of its own
        if slot is None:
            metrics.record(name, "Throttles", 1)
        else:
            total, each = lambda_svc.executions_in_flight()
            running = each.get(lambda_svc._inflight_key(config), 1)
            metrics.record(name, "ConcurrentExecutions", running, everywhere=total)
        return slot, limit

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

    def refuse_unzipped(code_zip, layers):
        attached = sum(lambda_svc._layer_unzipped_size(layer) for layer in layers or [] if layer)
        refused = quotas.unzipped(lambda_svc._unzipped_size(code_zip), attached)
        return error_response_json(*refused, 400) if refused else None

    def refuse_provisioned_concurrency(func_name, qualifier, data):
        return _refusal("Provisioned concurrency is not in the embedded AWS, which holds no environments ready.")

    def invalidate_worker(func_name, qualifier=None, account=None, region=None) -> None:
        pool.retire(func_name, qualifier)

    lambda_svc._execute_function_dispatch = execute
    lambda_svc._acquire_execution_slot = acquire
    lambda_svc._emit_lambda_metrics = lambda *args, **kwargs: None  # it counts some calls twice and others never
    lambda_svc.invalidate_worker = invalidate_worker
    lambda_svc._delete_function = delete_with_urls
    lambda_svc._validate_snapstart = refuse_snapstart
    lambda_svc._validate_total_unzipped_size = refuse_unzipped
    lambda_svc._put_provisioned_concurrency = refuse_provisioned_concurrency
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = 0.0  # a new function is ready at once: there is nothing to wait for
    lambda_runtime.reset = pool.retire_all


def run(pool: Pool, func: dict, config: dict, event, request_id: str) -> dict:
    """Run one invocation and answer in the words of MiniStack's own executors; count it, once."""
    function = function_from(func, config)
    if function is None:
        return _failure("InvalidParameterValueException", "The embedded AWS runs zip packages only.")
    sent = request.get() or Request(request_id)
    started = time.time()
    outcome = pool.invoke(function, Invocation(
        request_id=sent.request_id, payload=sent.payload or json.dumps(event).encode(), deadline_ms=0,
        function_arn=config["FunctionArn"], trace_id=f"{_trace_id()};{recursion.lineage(config)}",
        client_context=sent.client_context,
    ))
    metrics.record(function.name, "Invocations", 1, at=started)
    metrics.record(function.name, "Errors", int(outcome.failed), at=started)
    metrics.record(function.name, "Duration", outcome.report.duration_ms, "Milliseconds", at=started)
    result = {"body": outcome.payload if sent.waits else _parsed(outcome.payload), "log": outcome.log}
    return {**result, "error": True, "function_error": "Unhandled"} if outcome.failed else result


def function_from(func: dict, config: dict) -> Function | None:
    """Our view of MiniStack's record of a function; None for a container image."""
    if not func.get("code_zip"):
        return None
    layers = tuple(filter(None, (lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or ())))
    latest = lambda_svc._functions.get(config["FunctionName"]) or func  # a version has no tags of its own
    return Function.from_configuration(config, func["code_zip"], layers, latest.get("tags") or {})


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
