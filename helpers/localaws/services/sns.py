"""SNS: what AWS refuses of topics, subscriptions and messages, answers that are XML, and when Lambda has a message.

https://docs.aws.amazon.com/sns/latest/api/, in the words that clients of AWS report. MiniStack takes any name, protocol
and filter policy.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ministack.services import sns

from . import absent
from .contract import Contract
from .refusals import unless
from .shapes import Answer, Record
from .xml_text import legal

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (sns, "_create_topic"): ("params",),
    (sns, "_deliver_to_lambda"): (
        "endpoint",
        "envelope",
        "topic_arn",
        "sub_arn",
        "msg_id",
        "raw_message",
        "message_attributes",
    ),
    (sns, "_error"): ("code", "message", "status"),
    (sns, "_get_topic"): ("topic_arn", "action"),
    (sns, "_p"): ("params", "key", "default"),
    (sns, "_is_fifo_topic"): ("topic",),
    (sns, "_resolve_dedup_id"): ("topic", "params", "message"),
    (sns, "_publish"): ("params",),
    (sns, "_publish_batch"): ("params",),
    (sns, "_set_subscription_attributes"): ("params",),
    (sns, "_subscribe"): ("params",),
    (sns, "_threading"): None,
    (sns, "_unsubscribe"): ("params",),
    (sns, "_xml"): ("status", "root_tag", "inner"),
    (sns, "_xml_escape"): ("text",),
}

NAME = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+(\.fifo)?")
NO_NAME = "Invalid parameter: Topic Name"
PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")
SUBJECT = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,99}")  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MOST_ENTRIES, LONGEST_ID = 10, 80  # of a batch: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
ENTRY = re.compile(r"(PublishBatchRequestEntries\.member\.(\d+)\.)")
ENTRY_ID = re.compile(r"[A-Za-z0-9_-]+")
NO_GROUP = "The MessageGroupId parameter is required for FIFO topics"
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
ARNS = {"sqs": "SQS", "lambda": "Lambda"}  # the protocols whose endpoints are ARNs, as SNS calls them
PARSED = "Message Structure - JSON message body failed to parse"
EMPTY = "Empty message"
NO_DEFAULT = "Message Structure - No default entry in JSON message body"
LEAST_OF_AN_ARN = 6  # elements

log = logging.getLogger("localaws.sns")


def install() -> None:
    """Let MiniStack refuse what AWS refuses. Call once, before it serves."""
    create, escape, made_xml = sns._create_topic, sns._xml_escape, sns._xml
    sns._publish = unless(_answering(wrong_message), sns._publish)
    sns._publish_batch = unless(_wrong_batch, sns._publish_batch)
    sns._set_subscription_attributes = unless(_answering(wrong_attribute), sns._set_subscription_attributes)
    sns._subscribe = unless(_answering(wrong_subscription), sns._subscribe)
    sns._unsubscribe = unless(_answering(wrong_arn), sns._unsubscribe)

    def create_topic(params: Record) -> Answer:
        refused = absent.refusal("sns", "CreateTopic", {name: sns._p(params, name) for name in params})
        if not NAME.fullmatch(sns._p(params, "Name")):
            refused = "InvalidParameter", NO_NAME
        answer: Answer = sns._error(*refused, 400) if refused else create(params)
        return answer

    def escaped(text: str) -> str:
        told: str = escape(legal(text))
        return told

    def answered(status: int, root_tag: str, inner: str) -> Answer:
        answer: Answer = made_xml(status, root_tag, legal(inner))
        return answer

    sns._create_topic = create_topic
    sns._threading = _Threads
    sns._xml = answered
    sns._xml_escape = escaped


def _answering(wrong: Callable[[Callable[[str], str]], str | None]) -> Callable[[Record], Answer | None]:
    """What is `wrong` as an answer; that is given what tells the members of a request by their names."""

    def answer(params: Record) -> Answer | None:
        said = wrong(_members(params))
        return sns._error("InvalidParameter", f"Invalid parameter: {said}", 400) if said else None

    return answer


def _members(params: Record, prefix: str = "") -> Callable[[str], str]:
    """What tells the members of a request, or of a part of it, by their names."""
    return lambda name: str(sns._p(params, prefix + name) or "")


def wrong_subscription(member: Callable[[str], str]) -> str | None:
    """What AWS says is wrong with a subscription, or None."""
    protocol, endpoint = member("Protocol"), member("Endpoint")
    if protocol not in PROTOCOLS:
        return f"Amazon SNS does not support this protocol string: {protocol}"
    if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
        return "Endpoint must match the specified protocol"
    if protocol.startswith("email") and not ADDRESS.fullmatch(endpoint):
        return "Email address"
    if protocol in ARNS and not endpoint.startswith(f"arn:aws:{protocol}:"):
        return f"{ARNS[protocol]} endpoint ARN"
    place = 1
    while name := member(f"Attributes.entry.{place}.key"):
        if wrong := _wrong_policy(name, member(f"Attributes.entry.{place}.value")):
            return wrong
        place += 1
    return None


def wrong_attribute(member: Callable[[str], str]) -> str | None:
    """What AWS says is wrong with a new attribute of a subscription, or None."""
    return _wrong_policy(member("AttributeName"), member("AttributeValue"))


def wrong_message(member: Callable[[str], str]) -> str | None:
    """What AWS says is wrong with a message, but for its size, or None."""
    if (subject := member("Subject")) and not SUBJECT.fullmatch(subject):
        return "Subject"
    if member("MessageStructure") != "json":
        return None
    try:
        message = json.loads(member("Message"))
    except (ValueError, RecursionError):
        return PARSED
    if not isinstance(message, dict):
        return PARSED
    return None if isinstance(message.get("default"), str) else NO_DEFAULT


def _wrong_batch(params: Record) -> Answer | None:
    """AWS's refusal of a batch, be it for one of its entries: then none is published."""
    topic, refused = sns._get_topic(sns._p(params, "TopicArn"), "sns:Publish")
    prefixes = {int(found[2]): found[1] for name in params if (found := ENTRY.match(name))}
    entries = [_members(params, prefixes[place]) for place in sorted(prefixes)]
    wrong = _wrong_number(entries)
    if refused and not wrong:
        answer: Answer = refused
        return answer
    wrong = wrong or _wrong_ids([entry("Id") for entry in entries])
    wrong = wrong or next(filter(None, (_wrong_entry(topic, entry) for entry in entries)), None)
    return sns._error(*wrong, 400) if wrong else None


def _wrong_number(entries: Sequence[object]) -> tuple[str, str] | None:
    """Error code and sentence for what is wrong with how many entries a batch has, or None."""
    if not entries:
        return "EmptyBatchRequest", "The batch request doesn't contain any entries."
    if len(entries) > MOST_ENTRIES:
        return "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."
    return None


def _wrong_ids(identifiers: list[str]) -> tuple[str, str] | None:
    """The same of their ids."""
    if len(set(identifiers)) < len(identifiers):
        return "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."
    for each in identifiers:
        if len(each) > LONGEST_ID:
            return "InvalidBatchEntryId", f"The Id of a batch entry in the batch request is too long: {each}"
        if not ENTRY_ID.fullmatch(each):
            what = "contains an impermissible character"
            return "InvalidBatchEntryId", f"The Id of a batch entry in the batch request {what}: {each}"
    return None


def _wrong_entry(topic: Record, entry: Callable[[str], str]) -> tuple[str, str] | None:
    """The same of the message of one."""
    said = wrong_message(entry) or ("" if entry("Message") else EMPTY)
    if not said and sns._is_fifo_topic(topic):
        own = {"MessageDeduplicationId": [entry("MessageDeduplicationId")]}
        try:
            sns._resolve_dedup_id(topic, own, entry("Message"))
            said = "" if entry("MessageGroupId") else NO_GROUP
        except ValueError as error:
            said = str(error).removeprefix("Invalid parameter: ")
    return ("InvalidParameter", f"Invalid parameter: {said}") if said else None


def wrong_arn(member: Callable[[str], str]) -> str | None:
    """What AWS says is wrong with the ARN of a subscription, or None."""
    elements = len(member("SubscriptionArn").split(":"))
    if elements >= LEAST_OF_AN_ARN:
        return None
    return f"SubscriptionArn Reason: An ARN must have at least {LEAST_OF_AN_ARN} elements, not {elements}"


def _wrong_policy(attribute: str, value: str) -> str | None:
    """The same of a filter policy; other attributes, and one that is taken away, are as they may be."""
    if attribute != "FilterPolicy" or not value:
        return None
    try:
        policy = json.loads(value)
    except (ValueError, RecursionError):
        return "FilterPolicy: failed to parse JSON."
    if not isinstance(policy, dict):
        return "FilterPolicy: Filter policy must be a JSON object"
    wrong = next(_no_rules(policy), None)
    return f'FilterPolicy: "{wrong}" must be an object or an array' if wrong else None


def _no_rules(policy: Record) -> Iterator[str]:
    """The keys whose values are no rules."""
    for key, value in policy.items():
        if isinstance(value, dict):
            yield from _no_rules(value)
        elif not isinstance(value, list):
            yield key


class _Threads:
    """The threads in which MiniStack delivers. To Lambda it does so at once, so that no message is lost."""

    @staticmethod
    def Thread(target: Callable[..., Any], args: tuple[Any, ...], daemon: bool) -> "threading.Thread | _AtOnce":  # noqa: N802
        if args[0] is sns._deliver_to_lambda:
            return _AtOnce(target, args)
        return threading.Thread(target=target, args=args, daemon=daemon)


class _AtOnce:
    def __init__(self, deliver: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._deliver, self._arguments = deliver, arguments

    def start(self) -> None:
        try:
            self._deliver(*self._arguments)
        except Exception:
            log.exception("a message to a function")
