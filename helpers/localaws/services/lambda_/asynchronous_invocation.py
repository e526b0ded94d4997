"""Asynchronous invocation: the queue in front of a function, its retries, and where the outcome is sent.

How often and how long AWS tries: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html.
What it sends where: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (November 2026).
"""

import contextvars
import itertools
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any

from ministack.core import arn as arns
from ministack.services import eventbridge, lambda_svc, sns

from ....facts import in_bytes
from ...data_plane.census import Tell
from ...data_plane.event_queue import EventQueue
from ...data_plane.pool import Pool
from ...data_plane.retry_policy import MINUTE_S, SUCCESS, Attempts, Result, Settings, TryAgain, decide
from ...saved_state.stores import Store
from ..acknowledged import EVENTS
from ..cloudwatch import metrics
from ..contract import Contract
from ..request import Request, request
from ..shapes import Record
from . import alias, recursive_loops, states
from . import destination as lambda_destination
from .execution_role import ExecutionRoles

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "invoke_async_with_retry"): ("func", "event"),
    (eventbridge, "_dispatch_to_lambda"): ("arn", "payload"),
    (sns, "_deliver_to_lambda"): (
        "endpoint",
        "envelope",
        "topic_arn",
        "sub_arn",
        "msg_id",
        "raw_message",
        "message_attributes",
    ),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (lambda_svc, "_execution_record_for_config"): ("func", "config"),
    (lambda_svc, "_run_with_function_config_scope"): ("func_or_config", "callback", "args", "kwargs"),
    (lambda_svc, "_event_invoke_config"): ("func", "qualifier"),
    (lambda_svc, "_acquire_execution_slot"): ("func", "config"),
    (lambda_svc, "_execute_function_dispatch"): ("func", "config", "event", "request_id", "started"),
    (lambda_svc, "_release_execution_slot"): ("key",),
    (eventbridge, "_put_events"): ("data", "allow_aws_source"),
    (arns, "parse_arn"): ("value",),
}

# How many seconds stand for a minute of AWS's, unless a function's tag says otherwise; on AWS the tag does nothing.
RETRY_TAG = "localaws:retry-seconds"
MAX_MESSAGE_BYTES = 1024  # of the attribute ErrorMessage
MAX_RECORD_BYTES = in_bytes("payload_asynchronous")  # of an event to a function, and of a message of SQS as well
THROTTLED = {"error": True, "throttle": True}

log = logging.getLogger("localaws.async")


@dataclass(slots=True)
class Event:
    """An event that was accepted, and all that is kept of it until its outcome is sent."""

    arn: str  # of the function, with the version or alias that its sender named
    request: Request  # its payload is the event
    chain: Mapping[str, int]
    number: int = 0  # of those that are kept
    accepted_at: float = field(default_factory=time.time)
    accepted: float = field(default_factory=time.monotonic)
    attempts: Attempts = Attempts()
    shortened_s: float = 0.0  # by which its pauses are shorter than AWS's, in all
    due_at: float = 0.0  # before that it is not tried again
    result: Record = field(default_factory=dict)  # of the last attempt, once it will not be tried again

    @property
    def function_name(self) -> str:
        return self.arn.split(":")[6]

    @property
    def names(self) -> dict[str, str]:
        """As it is told of."""
        qualifier = self.arn.split(":")[7] if self.arn.count(":") == 7 else "$LATEST"
        return {"function": self.function_name, "version": qualifier, "request_id": self.request.request_id}

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.accepted

    @property
    def content(self) -> Any:
        return json.loads(self.request.payload or b"null")

    def saved(self) -> tuple[Any, ...]:
        """As plain values. Whoever waits for an answer of the function is not among them: nobody does."""
        sent = replace(self.request, stream=None)
        times = self.accepted_at, self.shortened_s, self.due_at
        return self.arn, astuple(sent), dict(self.chain), astuple(self.attempts), times

    @classmethod
    def restored(cls, number: int, saved: tuple[Any, ...]) -> "Event":
        arn, sent, chain, attempts, (accepted_at, shortened_s, due_at) = saved
        age_s = max(0.0, time.time() - accepted_at)
        accepted = time.monotonic() - age_s
        times = accepted_at, accepted, Attempts(*attempts), shortened_s, due_at
        return cls(arn, Request(*sent), chain, number, *times)


@dataclass(frozen=True)
class Target:
    """The function that an event is for, as it is at one attempt: its settings may change until the next."""

    func: Record  # MiniStack's record, named as the event's sender named it
    base: Record  # that of $LATEST: a version has neither tags nor a concurrency of its own
    configured: Record  # what PutFunctionEventInvokeConfig has set for it

    @property
    def config(self) -> Record:
        config: Record = self.func["config"]
        return config

    @property
    def retries(self) -> Settings:
        usual = Settings()
        return Settings(
            self.configured.get("MaximumRetryAttempts", usual.max_retries),
            self.configured.get("MaximumEventAgeInSeconds", usual.max_age_s),
            minute(self.base),
        )


def install(roles: ExecutionRoles, pool: Pool) -> "AsynchronousInvocations":
    """Let MiniStack's asynchronous events take our way. Call once, before it serves."""
    invocations = AsynchronousInvocations(roles, pool.told.tell, lambda: pool.closed)
    lambda_svc.invoke_async_with_retry = invocations.accept
    eventbridge._dispatch_to_lambda = lambda arn, payload: invocations.send(arn, json.loads(payload))
    sns._deliver_to_lambda = invocations.deliver_from_sns
    return invocations


class AsynchronousInvocations:
    """The queue in front of all functions.

    Its few workers try what is due: take one unit of concurrency, or else put the event back. What has got a unit runs
    in a thread of its own, so there are as many of these as the account's concurrency allows, whatever the machine's
    number of cores: each of them does nothing but wait for its function. A slow function holds up no other one.
    """

    def __init__(
        self, roles: ExecutionRoles, tell: Tell = lambda kind, **members: None, ends: Callable[[], bool] = lambda: False
    ) -> None:
        self._roles, self._tell = roles, tell
        self._ends = ends  # whether no outcome counts any more, as functions end because the server does
        self._queue: EventQueue[Event] = EventQueue(lambda event: self._step(event, self._try))
        self._kept: dict[int, Event] = {}  # what was accepted and has no outcome yet, by its number
        self._numbers = itertools.count(1)

    def store(self) -> Store:
        """What was accepted, which is saved before its sender is told so."""

        def entries() -> list[tuple[int, tuple[Any, ...]]]:
            return [(number, event.saved()) for number, event in list(self._kept.items())]

        def restore(number: int, saved: tuple[Any, ...]) -> None:
            self._kept[number] = Event.restored(number, saved)

        return Store("asynchronous invocations", EVENTS, entries, restore, has_blobs=True)

    def resume(self) -> None:
        """Go on with what was restored, at least once each: nobody knows how far the last try came."""
        self._numbers = itertools.count(max(self._kept, default=0) + 1)
        for event in list(self._kept.values()):
            self._queue.put(event, max(0.0, event.due_at - time.time()))

    def accept(self, func: Record, event: object) -> None:
        """Queue an event for the function that MiniStack's record `func` describes, and return at once."""
        self._put(func["config"]["FunctionArn"], event, request.get())

    def send(self, arn: str, event: object) -> None:
        """Queue an event for the function `arn`, if there is one, under a request id of its own."""
        func, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if func and config:
            self._put(arn, event, None)  # not the request of whoever sent the event

    def deliver_from_sns(
        self,
        endpoint: str,
        envelope: str,
        topic_arn: str,
        sub_arn: str,
        msg_id: str,
        raw_message: str,
        message_attributes: Record,
    ) -> None:
        # SigningCertURL and the like end in Url here, and only here: docs.aws.amazon.com/lambda/latest/dg/with-sns.html
        told = {name.removesuffix("URL") + "Url" * name.endswith("URL"): v for name, v in json.loads(envelope).items()}
        of_sns = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
        self.send(endpoint, {"Records": [{**of_sns, "Sns": told}]})

    def _put(self, arn: str, content: object, sent: Request | None) -> None:
        sent = sent or Request(str(uuid.uuid4()))
        payload = sent.payload or json.dumps(content).encode()
        event = Event(arn, replace(sent, payload=payload), recursive_loops.chain.get(), next(self._numbers))
        self._kept[event.number] = event
        self._step(event, _count, "AsyncEventsReceived")
        self._tell("invocation.queued", **event.names)
        self._queue.put(event)

    def _try(self, event: Event) -> None:
        """Run the function with the event if that can be now."""
        target = _target(event.arn)
        if target is None:  # the function is gone, and its events with it
            self._kept.pop(event.number, None)
            return self._tell("invocation.dropped", **event.names, condition="FunctionDeleted")
        if states.is_pending(target.config):  # that is no attempt: nothing can run yet
            return self._queue.put(event, states.TRANSITION_S)
        metrics.record(event.function_name, "AsyncEventAge", event.age_s * 1000, "Milliseconds")
        if condition := _obstacle(target):
            return self._end(event, target, condition)
        slot, _ = lambda_svc._acquire_execution_slot(target.func, target.config)
        if slot is None:
            return self._after(event, target, THROTTLED)
        try:
            arguments = event, self._run, target, slot
            threading.Thread(target=self._step, args=arguments, daemon=True, name="asynchronous invocation").start()
        except RuntimeError:  # the system gives no more threads
            lambda_svc._release_execution_slot(slot)
            self._after(event, target, THROTTLED)

    def _run(self, event: Event, target: Target, slot: str) -> None:
        """Run the function with the event, for which it has taken the unit of concurrency `slot`."""
        request_id = event.request.request_id
        try:
            result = lambda_svc._execute_function_dispatch(
                target.func, target.config, event.content, request_id, time.time()
            )
        except Exception:  # an error of Lambda's own, which puts the event back as a throttle does
            result = THROTTLED
            if not self._ends():
                log.exception("an event of %s comes back", event.function_name)
        finally:
            lambda_svc._release_execution_slot(slot)
        self._after(event, target, result)

    def _after(self, event: Event, target: Target, result: Record) -> None:
        """Put the event back, or send its outcome, as this result of an attempt has it."""
        if self._ends():
            return
        kind = _kind(result)
        event.attempts = event.attempts.after(kind)
        decision = decide(event.attempts, kind, event.age_s + event.shortened_s, target.retries)
        if isinstance(decision, TryAgain):
            event.shortened_s += decision.shortened_s
            why = "throttled" if kind is Result.THROTTLE else "error"
            again = {"attempts": event.attempts.total, "after_s": decision.after_s}
            self._tell("invocation.retried", **event.names, why=why, **again)
            event.due_at = time.time() + decision.after_s
            self._queue.put(event, decision.after_s)
        else:
            event.result = result  # not before: an answer of 6 MB would be kept as long as its event waits
            self._end(event, target, decision.condition)

    def _end(self, event: Event, target: Target, condition: str) -> None:
        """Send the outcome to the function's destination, and its dead letter."""
        succeeded = condition == SUCCESS
        if not succeeded:
            _count(event, "AsyncEventsDropped")
            self._tell("invocation.dropped", **event.names, condition=condition)
        destinations = target.configured.get("DestinationConfig") or {}
        destination = (destinations.get("OnSuccess" if succeeded else "OnFailure") or {}).get("Destination")
        if destination:
            record = _record(event, target, condition)
            self._deliver(event, target, "DestinationDeliveryFailures", destination, record, condition)
        dead_letters = (target.config.get("DeadLetterConfig") or {}).get("TargetArn")
        if dead_letters and not succeeded:
            attributes = _attributes(event, condition)
            self._deliver(event, target, "DeadLetterErrors", dead_letters, event.content, condition, attributes)
        self._kept.pop(event.number, None)

    def _step(self, event: Event, step: Callable[..., None], *arguments: object) -> None:
        """Call step(event, *arguments) as of the event's request, chain, account and region, and as of nothing else."""
        try:
            contextvars.Context().run(_in_scope, event, step, arguments)
        except Exception:
            self._kept.pop(event.number, None)
            log.exception("an event of %s is lost", event.function_name)

    def _deliver(
        self,
        event: Event,
        sender: Target,
        failures: str,
        target: str,
        content: Any,
        condition: str,
        attributes: Record | None = None,
    ) -> None:
        """Send `content` to a queue, topic, function or bus; where that fails, it is counted and lost, as on AWS.

        What is too large fails, too: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.
        """
        senders: dict[str, Callable[[str, Any, Record], None]] = {
            "sqs": lambda_destination.send_message,
            "sns": lambda_destination.publish,
            "lambda": lambda arn, content, attributes: self.send(arn, content),
            "events": _put_event,
        }
        try:
            if not self._roles.may_send(sender.config["Role"], event.function_name, target):
                raise PermissionError(target)
            if (size := len(lambda_destination.body(content).encode())) > MAX_RECORD_BYTES:
                raise ValueError(f"{size} bytes are more than a destination takes")
            senders[arns.parse_arn(target).service](target, content, attributes or {})
            self._tell("invocation.destination", **event.names, to=target, condition=condition)
        except Exception as error:
            log.warning("%s of %s: %r", failures, event.function_name, error)
            _count(event, failures)


def _in_scope(event: Event, step: Callable[..., None], arguments: tuple[object, ...]) -> None:
    request.set(event.request)
    recursive_loops.chain.set(event.chain)
    lambda_svc._run_with_function_config_scope({"FunctionArn": event.arn}, step, event, *arguments)


def _count(event: Event, metric: str) -> None:
    metrics.record(event.function_name, metric, 1)


def _target(arn: str) -> Target | None:
    """The function as it is now, or None where it is gone."""
    found, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not found or not config:
        return None
    func = alias.routed(lambda_svc._execution_record_for_config(found, {**config, "FunctionArn": arn}))
    base = lambda_svc._functions.get(name) or func
    qualifier = arn.split(":")[7] if arn.count(":") == 7 else ""
    configured = lambda_svc._event_invoke_config(base, "" if qualifier == "$LATEST" else qualifier)
    return Target(func, base, configured or {})


def _obstacle(target: Target) -> str:
    """Why the function must not run at all, or nothing."""
    if target.base.get("concurrency") == 0:
        return "ZeroReservedConcurrency"
    return "RecursiveInvocation" if recursive_loops.stops(target.config) else ""


def _kind(result: Record) -> Result:
    if not result.get("error"):
        return Result.SUCCESS
    return Result.THROTTLE if result.get("throttle") else Result.ERROR


def minute(func: Record) -> float:
    """How many seconds stand for a minute of AWS's, for this function."""
    try:
        return max(0.0, float((func.get("tags") or {}).get(RETRY_TAG, MINUTE_S)))
    except ValueError:
        return MINUTE_S


def _record(event: Event, target: Target, condition: str) -> Record:
    """The invocation record that a destination gets."""
    result = event.result
    record: Record = {
        "version": "1.0",
        "timestamp": lambda_destination.now(),
        "requestContext": {
            "requestId": event.request.request_id,
            "functionArn": event.arn if event.arn.count(":") == 7 else f"{event.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": event.attempts.total,
        },
        "requestPayload": event.content,
    }
    if result and not result.get("throttle"):
        response = {"statusCode": 200, "executedVersion": target.config.get("Version", "$LATEST")}
        if result.get("error"):
            response["functionError"] = result.get("function_error", "Unhandled")
        record |= {"responseContext": response, "responsePayload": result.get("body")}
    return record


def _attributes(event: Event, condition: str) -> Record:
    """The attributes of a dead letter, which say why the event is one."""
    if condition == "RecursiveInvocation":
        code, message = 400, "Lambda has detected a recursive loop."
    elif condition == "ZeroReservedConcurrency" or event.result.get("throttle"):
        code, message = 429, "Rate Exceeded."
    else:
        body = event.result.get("body")
        code, message = 200, str(body.get("errorMessage", "") if isinstance(body, dict) else body)
    message = message.encode()[:MAX_MESSAGE_BYTES].decode(errors="ignore") or "none"
    return {
        "RequestID": {"DataType": "String", "StringValue": event.request.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": str(code)},
        "ErrorMessage": {"DataType": "String", "StringValue": message},
    }


def _put_event(bus: str, record: Record, attributes: Record) -> None:
    """An event of a bus whose detail is the invocation record."""
    succeeded = record["requestContext"]["condition"] == SUCCESS
    entry = {
        "Source": "lambda",
        "EventBusName": bus,
        "Detail": lambda_destination.body(record),
        "DetailType": f"Lambda Function Invocation Result - {'Success' if succeeded else 'Failure'}",
        "Resources": [f"{':'.join(record['requestContext']['functionArn'].split(':')[:7])}:$LATEST", bus],
    }
    eventbridge._put_events({"Entries": [entry]})
