"""Asynchronous invocation: the queue in front of a function, its retries, and where the outcome is sent.

How often and how long AWS tries: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html.
What it sends where: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (November 2026).
"""

import contextvars
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from ministack.core.arn import parse_arn
from ministack.services import eventbridge, lambda_svc, sns, sqs

from . import metrics, recursion
from .request import Request, request

# AWS waits one minute after the first error and two after the second; a throttled event waits from 1 second up to
# 5 minutes. Here, so many seconds stand for one of its minutes. A function's tag may say otherwise; on AWS it does
# nothing.
RETRY_TAG = "localaws:retry-seconds"
MINUTE_S = 1.0
MAX_RETRIES, MAX_AGE_S = 2, 21_600  # MaximumRetryAttempts and MaximumEventAgeInSeconds, unless they are set
MAX_MESSAGE_BYTES = 1024  # of the attribute ErrorMessage

log = logging.getLogger("localaws.async")


def install() -> None:
    """Let MiniStack's asynchronous events take our way. Call once, before it serves."""
    lambda_svc.invoke_async_with_retry = accept
    eventbridge._dispatch_to_lambda = lambda arn, payload: send(arn, json.loads(payload))
    sns._deliver_to_lambda = _deliver_from_sns


def accept(func: dict, event: object) -> None:
    """Queue an event for the function that MiniStack's record `func` describes, and return at once."""
    context = contextvars.copy_context()
    if request.get() is None:
        context.run(request.set, Request(str(uuid.uuid4())))
    threading.Thread(target=context.run, args=(_process, func, event), daemon=True, name="asynchronous event").start()


def send(arn: str, event: object) -> None:
    """Queue an event for the function `arn`, if there is one, under a request id of its own."""
    func, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if func and config:
        context = contextvars.copy_context()
        context.run(request.set, None)  # not the request of whoever sent the event
        context.run(accept, lambda_svc._execution_record_for_config(func, {**config, "FunctionArn": arn}), event)


def _deliver_from_sns(endpoint, envelope, topic_arn, sub_arn, msg_id, raw_message, message_attributes) -> None:
    # SigningCertURL and the like end in Url here, and only here: docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    told = {name.removesuffix("URL") + "Url" * name.endswith("URL"): v for name, v in json.loads(envelope).items()}
    of_sns = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
    send(endpoint, {"Records": [{**of_sns, "Sns": told}]})


def _process(func: dict, event: object) -> None:
    try:
        lambda_svc._run_with_function_config_scope(func, _try_until_done, func["config"], event)
    except Exception:
        log.exception("an event of %s is lost", func["config"].get("FunctionName"))


def _try_until_done(config: dict, event: object, sleep: Callable[[float], None] = time.sleep) -> None:
    """Run the function with the event until that succeeds, or Lambda gives up; then send the outcome."""
    name, arn, accepted = config["FunctionName"], config["FunctionArn"], time.time()
    metrics.record(name, "AsyncEventsReceived", 1)
    result, attempts, errors, throttles, condition = {}, 0, 0, 0, ""
    while not condition:
        func = _present(arn, config)  # its settings may have changed, and it may be gone
        if func is None:
            return
        base = lambda_svc._functions.get(name) or func  # a version has neither tags nor settings of its own
        settings, minute = _settings(base, arn), _minute(base)
        metrics.record(name, "AsyncEventAge", (time.time() - accepted) * 1000, "Milliseconds")
        if base.get("concurrency") == 0:
            condition = "ZeroReservedConcurrency"
            break
        if recursion.stops(func["config"]):
            condition = "RecursiveInvocation"
            break
        attempts += 1
        result = lambda_svc._execute_function(func, event)
        if not result.get("error"):
            condition = "Success"
            break
        if result.get("throttle"):
            pause = minute * min(2 ** min(throttles, 3), 5)
            throttles += 1
        else:
            errors += 1
            pause = minute * errors
            if errors > settings.get("MaximumRetryAttempts", MAX_RETRIES):
                condition = "RetriesExhausted"
        if not condition and time.time() + pause - accepted > settings.get("MaximumEventAgeInSeconds", MAX_AGE_S):
            condition = "EventAgeExceeded"
        if not condition:
            sleep(pause)
    if condition != "Success":
        metrics.record(name, "AsyncEventsDropped", 1)
    _send_outcome(func, settings, event, result, condition, attempts)


def _present(arn: str, config: dict) -> dict | None:
    """MiniStack's record of the function as it is now, named as the event's sender named it."""
    func, present, _ = lambda_svc._get_func_record_for_ref(arn)
    if not func or not present:
        return None
    return lambda_svc._execution_record_for_config(func, {**present, "FunctionArn": config["FunctionArn"]})


def _settings(func: dict, arn: str) -> dict:
    """What PutFunctionEventInvokeConfig has set for the function, or for the version or alias that was named."""
    qualifier = arn.split(":")[7] if arn.count(":") == 7 else ""
    return lambda_svc._event_invoke_config(func, "" if qualifier == "$LATEST" else qualifier) or {}


def _minute(func: dict) -> float:
    """How many seconds stand for a minute of AWS's, for this function."""
    try:
        return max(0.0, float((func.get("tags") or {}).get(RETRY_TAG, MINUTE_S)))
    except ValueError:
        return MINUTE_S


def _send_outcome(func: dict, settings: dict, event: object, result: dict, condition: str, attempts: int) -> None:
    config, succeeded = func["config"], condition == "Success"
    destinations = settings.get("DestinationConfig") or {}
    destination = (destinations.get("OnSuccess" if succeeded else "OnFailure") or {}).get("Destination")
    if destination:
        record = _record(config, event, result, condition, attempts)
        _deliver(config, "DestinationDeliveryFailures", destination, record, succeeded, {})
    dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letters and not succeeded:
        _deliver(config, "DeadLetterErrors", dead_letters, event, succeeded, _attributes(result, condition))


def _record(config: dict, event: object, result: dict, condition: str, attempts: int) -> dict:
    """The invocation record that a destination gets."""
    arn, answered = config["FunctionArn"], bool(result) and not result.get("throttle")
    record = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request.get().request_id,
            "functionArn": arn if arn.count(":") == 7 else f"{arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
    }
    if answered:
        record["responseContext"] = {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")}
        if result.get("error"):
            record["responseContext"]["functionError"] = result.get("function_error", "Unhandled")
        record["responsePayload"] = result.get("body")
    return record


def _attributes(result: dict, condition: str) -> dict:
    """The attributes of a dead letter, which say why the event is one."""
    if condition == "RecursiveInvocation":
        code, message = 400, "Lambda has detected a recursive loop."
    elif condition == "ZeroReservedConcurrency" or result.get("throttle"):
        code, message = 429, "Rate Exceeded."
    else:
        body = result.get("body")
        code, message = 200, str(body.get("errorMessage", "") if isinstance(body, dict) else body)
    message = message.encode()[:MAX_MESSAGE_BYTES].decode(errors="ignore") or "none"
    return {
        "RequestID": {"DataType": "String", "StringValue": request.get().request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": str(code)},
        "ErrorMessage": {"DataType": "String", "StringValue": message},
    }


def _deliver(config: dict, failures: str, target: str, content: object, succeeded: bool, attributes: dict) -> None:
    """Send `content` to a queue, topic, function or bus; where that fails, it is counted and lost, as on AWS."""
    body = json.dumps(content, ensure_ascii=False)
    try:
        service = parse_arn(target).service
        if service == "sqs":
            if not sqs._queue_by_arn(target):
                raise LookupError(target)
            *_, account, queue = target.split(":")
            url = sqs._queue_url_for_account(account, queue)
            sqs._act_send_message({"QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes}, url)
        elif service == "sns":
            if target not in sns._topics:
                raise LookupError(target)
            sns._fanout(target, str(uuid.uuid4()), body, "", "", attributes)
        elif service == "lambda":
            send(target, content)
        elif service == "events":
            _put_event(config, target, body, succeeded)
        else:
            raise LookupError(target)  # a bucket, which AWS takes for failures
    except Exception as error:
        log.warning("%s of %s: %r", failures, config["FunctionName"], error)
        metrics.record(config["FunctionName"], failures, 1)


def _put_event(config: dict, bus: str, detail: str, succeeded: bool) -> None:
    eventbridge._put_events({"Entries": [{
        "Source": "lambda", "EventBusName": bus, "Detail": detail,
        "DetailType": f"Lambda Function Invocation Result - {'Success' if succeeded else 'Failure'}",
        "Resources": [f"{':'.join(config['FunctionArn'].split(':')[:7])}:$LATEST", bus],
    }]})
