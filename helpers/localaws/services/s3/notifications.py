"""Notifications of S3: which configurations are refused, and what their events say, to whom they go.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html (overlaps),
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html (events),
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html (those of EventBridge).
"""

import contextvars
import hashlib
import itertools
import json
import logging
import secrets
import uuid
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_evaluator, responses
from ministack.services import eventbridge, s3, sts

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (eventbridge, "_dispatch_event"): ("event", "view"),
    (iam_evaluator, "_anonymous"): None,
    (iam_evaluator, "_request_origin"): None,
    (ministack_app, "_dispatch_service_request"): ("method", "path", "headers", "body", "query_params", "request_id"),
    (responses, "get_account_id"): (),
    (responses, "set_request_region"): ("region",),
    (s3, "_MALFORMED_XML"): None,
    (s3, "_bucket_notifications"): None,
    (s3, "_bucket_owner_account"): ("name",),
    (s3, "_deliver_event_to_lambda"): ("arn", "event_payload", "bucket_region"),
    (s3, "_deliver_event_to_sns"): ("arn", "event_payload", "bucket_region", "bucket_name"),
    (s3, "_deliver_event_to_sqs"): ("arn", "event_payload", "bucket_region", "bucket_name"),
    (s3, "_delete_object_tagging"): ("bucket_name", "key", "query_params"),
    (s3, "_ensure_bucket"): ("name",),
    (s3, "_error"): ("code", "message", "status", "resource", "extra", "headers"),
    (s3, "_event_matches"): ("event_name", "patterns"),
    (s3, "_event_object_key"): ("key",),
    (s3, "_fire_s3_event"): (
        "bucket_name",
        "key",
        "event_name",
        "size",
        "etag",
        "deletion_type",
        "restore_event_data",
        "version_id",
        "sequencer",
        "object_extra",
        "record_extra",
    ),
    (s3, "_fire_s3_event_async"): (
        "bucket_name",
        "key",
        "event_name",
        "size",
        "etag",
        "deletion_type",
        "version_id",
        "object_extra",
        "record_extra",
    ),
    (s3, "_invalid_notification_config"): ("message",),
    (s3, "_key_matches_filter"): ("key", "prefix", "suffix"),
    (s3, "_notification_bucket_region"): ("bucket_name",),
    (s3, "_parse_notification_config"): ("bucket_name",),
    (s3, "_next_event_sequencer"): ("event_name",),
    (s3, "_put_bucket_notification"): ("name", "body", "headers"),
    (s3, "_put_object_acl"): ("bucket_name", "key", "body", "headers", "query_params"),
    (s3, "_put_object_tagging"): ("bucket_name", "key", "body", "query_params"),
    (s3, "_s3_event_to_eventbridge"): ("event_name",),
    (s3, "handle_request"): (
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "signed_path",
        "enforce_bucket_region",
        "internal",
        "access_point_region",
        "access_point",
    ),
    (sts, "_caller_identity"): ("headers", "query_params"),
}

VERSION = "2.6"  # recorded on AWS in 2025
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
FAMILIES = {
    "ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "ObjectRestore": ("Post", "Completed", "Delete"),
    "Replication": (
        "OperationFailedReplication",
        "OperationMissedThreshold",
        "OperationReplicatedAfterThreshold",
        "OperationNotTracked",
    ),
    "LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "ObjectTagging": ("Put", "Delete"),
    "ObjectAnnotation": ("Put", "Delete"),
}
ALONE = ("ReducedRedundancyLostObject", "LifecycleTransition", "IntelligentTiering", "ObjectAcl:Put")
EVENTS = frozenset(
    [f"s3:{name}" for name in ALONE]
    + [f"s3:{family}:{name}" for family, names in FAMILIES.items() for name in ("*", *names)]
)
# A configuration of each kind, and where it says its destination.
CONFIGURATIONS = {
    "QueueConfiguration": "Queue",
    "TopicConfiguration": "Topic",
    "CloudFunctionConfiguration": "CloudFunction",
}
MAX_RULE_BYTES = 1024
UNREACHABLE = "Unable to validate the following destination configurations"
OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
AMBIGUOUS = (
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
    "overlapping for the same event type."
)
DETAIL_TYPES = {  # of EventBridge; the other events have theirs from MiniStack
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl:Put": "Object ACL Updated",
}
ANONYMOUS = "Anonymous"

log = logging.getLogger("localaws.notifications")


@dataclass(frozen=True)
class Origin:
    """The request that an event comes from: its ids, which its answer has, too, and how its sender is found."""

    headers: Any
    query: Any
    request_id: str = field(default_factory=lambda: secrets.token_hex(8).upper())
    extended_id: str = field(default_factory=lambda: secrets.token_urlsafe(57))


_origin: contextvars.ContextVar[Origin | None] = contextvars.ContextVar("origin", default=None)


def install() -> None:
    """Let MiniStack refuse what S3 refuses, and tell what S3 tells. Call once, before it serves."""
    handle, put, invalid = s3.handle_request, s3._put_bucket_notification, s3._invalid_notification_config
    dispatch = ministack_app._dispatch_service_request

    async def dispatched(*request: Any) -> Answer:
        _origin.set(None)
        answer: Answer = await dispatch(*request)
        if _origin.get():  # an answer of S3, which has no id of this name: SDKs would take it for the only one
            answer[1].pop("x-amzn-requestid", None)
        return answer

    async def handled(method: str, path: str, headers: Any, body: bytes, query: Any, *rest: Any, **more: Any) -> Answer:
        origin = Origin(headers, query)
        _origin.set(origin)
        status, told, content = await handle(method, path, headers, body, query, *rest, **more)
        told |= {"x-amz-request-id": origin.request_id, "x-amz-id-2": origin.extended_id}
        return status, told, content

    def put_or_refuse(name: str, body: bytes, headers: Any = None) -> Answer:
        answer: Answer
        try:
            root = xml.fromstring(body)
        except xml.ParseError:
            answer = put(name, body, headers)  # which says so
        else:
            if _is_malformed(root):
                answer = s3._error("MalformedXML", s3._MALFORMED_XML, 400)
            elif refused := _refusal(root):
                answer = s3._error("InvalidArgument", refused, 400)
            else:
                answer = put(name, body, headers)
        return answer

    def refused(message: str) -> Answer:
        """MiniStack adds the destinations, which S3 tells elsewhere in its answer."""
        answer: Answer = invalid(UNREACHABLE if message.startswith(UNREACHABLE) else message)
        return answer

    ministack_app._dispatch_service_request = dispatched
    s3.handle_request = handled
    s3._put_bucket_notification = put_or_refuse
    s3._invalid_notification_config = refused
    s3._fire_s3_event, s3._fire_s3_event_async = _fire, _fire_at_once
    s3._put_object_tagging = _telling(s3._put_object_tagging, "s3:ObjectTagging:Put")
    s3._delete_object_tagging = _telling(s3._delete_object_tagging, "s3:ObjectTagging:Delete")
    s3._put_object_acl = _telling(s3._put_object_acl, "s3:ObjectAcl:Put")


def _telling(operation: Callable[..., Answer], event: str) -> Callable[..., Answer]:
    """An operation on an object that MiniStack tells nobody of."""

    def told(bucket: str, key: str, *rest: Any) -> Answer:
        answer = operation(bucket, key, *rest)
        if answer[0] < 300:
            found = ((s3._ensure_bucket(bucket) or {}).get("objects") or {}).get(key) or {}
            version = answer[1].get("x-amz-version-id")
            s3._fire_s3_event_async(bucket, key, event, etag=found.get("etag", ""), version_id=version)
        return answer

    return told


# Configurations


@dataclass(frozen=True)
class _Configuration:
    """One of a bucket's configurations: for which events, and for keys with which beginning and end."""

    identifier: str
    events: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]  # name and value

    def value(self, name: str) -> str:
        return dict(self.rules).get(name, "")


def _is_malformed(root: xml.Element) -> bool:
    """Whether a configuration has no event, or no destination, which the schema of S3 wants."""
    return any(
        not {"Event", CONFIGURATIONS[_tag(each)]} <= {_tag(part) for part in each if (part.text or "").strip()}
        for each in root
        if _tag(each) in CONFIGURATIONS
    )


def _refusal(root: xml.Element) -> str | None:
    """Why S3 refuses the configurations of a bucket, or None; MiniStack says what is wrong with a destination."""
    configurations = list(_configurations(root))
    for each in configurations:
        if not EVENTS.issuperset(each.events):
            return "The event is not supported for notifications"
        if refused := _rules(each.rules):
            return refused
    named = [each.identifier for each in configurations if each.identifier]
    if len(set(named)) < len(named):
        return "Same ID used for multiple configurations. IDs must be unique"
    pairs = itertools.combinations(configurations, 2)
    return next((refused for one, other in pairs if (refused := _overlap(one, other))), None)


def _configurations(root: xml.Element) -> Iterator[_Configuration]:
    for each in root:
        if _tag(each) not in CONFIGURATIONS:
            continue
        texts = [(_tag(part), part.text or "") for part in each.iter()]
        names = [text.strip().lower() for tag, text in texts if tag == "Name"]
        values = [text for tag, text in texts if tag == "Value"]
        yield _Configuration(
            next((text for tag, text in texts if tag == "Id"), ""),
            tuple(text.strip() for tag, text in texts if tag == "Event"),
            tuple(zip(names, values, strict=False)),
        )


def _tag(element: xml.Element) -> str:
    return element.tag.rpartition("}")[2]


def _rules(rules: tuple[tuple[str, str], ...]) -> str | None:
    names = [name for name, _ in rules]
    if not {"prefix", "suffix"}.issuperset(names):
        return "filter rule name must be either prefix or suffix"
    for name in ("prefix", "suffix"):
        if names.count(name) > 1:
            return f"Cannot specify more than one {name} rule in a filter."
    if any(len(value.encode()) > MAX_RULE_BYTES for _, value in rules):
        return f"Size of filter rule value cannot exceed {MAX_RULE_BYTES} bytes in UTF-8 representation"
    return None


def _overlap(one: _Configuration, other: _Configuration) -> str | None:
    """Why S3 refuses two configurations: a key and an event could be meant for both."""
    if not any(_is_shared(*pair) for pair in itertools.product(one.events, other.events)):
        return None
    if not one.rules and not other.rules:
        return OVERLAP
    prefixes, suffixes = ((one.value(name), other.value(name)) for name in ("prefix", "suffix"))
    begins = prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0])
    ends = suffixes[0].endswith(suffixes[1]) or suffixes[1].endswith(suffixes[0])
    return AMBIGUOUS if begins and ends else None


def _is_shared(one: str, other: str) -> bool:
    return bool(s3._event_matches(one, [other]) or s3._event_matches(other, [one]))


# Events


def _fire_at_once(bucket_name: str, key: str, event_name: str, *rest: Any, **more: Any) -> None:
    """Tell before the request is answered, not in a thread: after a crash nobody would know of it."""
    if bucket_name in s3._bucket_notifications:
        more["sequencer"] = s3._next_event_sequencer(event_name)
        contextvars.copy_context().run(_fire, bucket_name, key, event_name, *rest, **more)


def _fire(
    bucket_name: str,
    key: str,
    event_name: str,
    size: int = 0,
    etag: str = "",
    deletion_type: str | None = None,
    restore_event_data: Record | None = None,
    version_id: str | None = None,
    sequencer: str | None = None,
    object_extra: Record | None = None,
    record_extra: Record | None = None,
) -> None:
    """Tell everybody who is to hear of it what became of an object."""
    try:
        about: Record = {} if event_name.startswith("s3:ObjectRemoved:") else {"size": size, "eTag": etag.strip('"')}
        if event_name.startswith(("s3:ObjectTagging:", "s3:ObjectAcl:")):
            del about["size"]
        about |= {name: value for name, value in (("versionId", version_id), ("sequencer", sequencer)) if value}
        happened = _Happened(bucket_name, key, event_name, about | (object_extra or {}))
        restored = {"glacierEventData": {"restoreEventData": restore_event_data}} if restore_event_data else {}
        happened.notify({**(record_extra or {}), **restored})
        if "EventBridgeConfiguration" in s3._bucket_notifications.get(bucket_name, ""):
            happened.put_event(deletion_type)
    except Exception:
        log.exception("an event of s3://%s/%s", bucket_name, key)


class _Happened:
    """What became of an object, and where that is told."""

    def __init__(self, bucket: str, key: str, event_name: str, about: Record) -> None:
        self._bucket, self._key, self._event_name, self._about = bucket, key, event_name, about
        self._origin = _origin.get() or Origin({}, {})
        self._region = s3._notification_bucket_region(bucket)
        self._address = iam_evaluator._request_origin.get()[0]

    def notify(self, more: Record) -> None:
        """Send the event to the queues, topics and functions whose configurations want it."""
        for configuration in s3._parse_notification_config(self._bucket):
            key = self._key, configuration["filter_prefix"], configuration["filter_suffix"]
            if s3._event_matches(self._event_name, configuration["events"]) and s3._key_matches_filter(*key):
                event = {"Records": [{**self._record(configuration["id"]), **more}]}
                try:
                    self._deliver(configuration["type"], configuration["arn"], event)
                except Exception:
                    log.exception("the notification %s of %s", configuration["id"], self._bucket)

    def _deliver(self, kind: str, arn: str, event: Record) -> None:
        if kind == "lambda":
            s3._deliver_event_to_lambda(arn, event, self._region)
        elif kind == "sqs":
            s3._deliver_event_to_sqs(arn, event, self._region, self._bucket)
        else:
            s3._deliver_event_to_sns(arn, event, self._region, self._bucket)

    def _record(self, configuration: str) -> Record:
        return {
            "eventVersion": VERSION,
            "eventSource": "aws:s3",
            "awsRegion": self._region,
            "eventTime": _now(),
            "eventName": self._event_name.removeprefix("s3:"),
            "userIdentity": {"principalId": _principal(self._origin)},
            "requestParameters": {"sourceIPAddress": self._address},
            "responseElements": {"x-amz-request-id": self._origin.request_id, "x-amz-id-2": self._origin.extended_id},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": self._bucket,
                    "ownerIdentity": {"principalId": _customer(s3._bucket_owner_account(self._bucket))},
                    "arn": f"arn:aws:s3:::{self._bucket}",
                },
                "object": {"key": s3._event_object_key(self._key), **self._about},
            },
        }

    def put_event(self, deletion_type: str | None) -> None:
        """Put the event on the default bus."""
        kind, reason = s3._s3_event_to_eventbridge(self._event_name)
        kind = DETAIL_TYPES.get(self._event_name.removeprefix("s3:"), kind)
        names = {"size": "size", "eTag": "etag", "versionId": "version-id", "sequencer": "sequencer"}
        about = {names[name]: value for name, value in self._about.items() if name in names}
        detail = {
            "version": "0",
            "bucket": {"name": self._bucket},
            "object": {"key": self._key, **about},
            "request-id": self._origin.request_id,
            "requester": responses.get_account_id(),
            "source-ip-address": self._address,
        }
        if reason is not None and kind in ("Object Created", "Object Deleted"):
            detail["reason"] = reason
        if kind == "Object Deleted":
            detail["deletion-type"] = deletion_type or "Permanently Deleted"
        responses.set_request_region(self._region)
        eventbridge._dispatch_event(
            {
                "EventId": str(uuid.uuid4()),
                "Source": "aws.s3",
                "DetailType": kind,
                "Detail": json.dumps(detail, ensure_ascii=False),
                "EventBusName": "default",
                "Time": _now(),
                "Resources": [f"arn:aws:s3:::{self._bucket}"],
                "Account": responses.get_account_id(),
                "Region": self._region,
            }
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _principal(origin: Origin) -> str:
    """Who sent the request, as S3 names it: AWS:AIDA…, AWS:AROA…:session, or the customer for the account itself."""
    if iam_evaluator._anonymous.get() or not origin.headers:
        return ANONYMOUS
    caller = sts._caller_identity(origin.headers, origin.query)
    if not isinstance(caller, dict):
        return ANONYMOUS
    return _customer(caller["accountId"]) if caller["userArn"].endswith(":root") else f"AWS:{caller['userId']}"


def _customer(account: str | None) -> str:
    """The customer of an account, whose id says nothing: here it follows from the account's number."""
    return f"A{int(hashlib.sha256((account or '').encode()).hexdigest()[:16], 16):X}"[:14]
