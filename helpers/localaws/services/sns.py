"""SNS: names of topics that AWS refuses, answers that are XML whatever a request says, and when Lambda has a message.

https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html. MiniStack takes any name.
"""

import logging
import re
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import sns

from . import absent
from .contract import Contract
from .shapes import Answer, Record

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
    (sns, "_p"): ("params", "key", "default"),
    (sns, "_threading"): None,
    (sns, "_xml"): ("status", "root_tag", "inner"),
    (sns, "_xml_escape"): ("text",),
}

NAME = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+(\.fifo)?")
NO_NAME = "Invalid parameter: Topic Name"
NOT_OF_XML = re.compile(
    r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # https://www.w3.org/TR/xml/#charsets

log = logging.getLogger("localaws.sns")


def install() -> None:
    """Let MiniStack refuse what AWS refuses. Call once, before it serves."""
    create, escape, made_xml = sns._create_topic, sns._xml_escape, sns._xml

    def create_topic(params: Record) -> Answer:
        refused = absent.refusal("sns", "CreateTopic", {name: sns._p(params, name) for name in params})
        if not NAME.fullmatch(sns._p(params, "Name")):
            refused = "InvalidParameter", NO_NAME
        answer: Answer = sns._error(*refused, 400) if refused else create(params)
        return answer

    def escaped(text: str) -> str:
        told: str = escape(NOT_OF_XML.sub("", text))
        return told

    def answered(status: int, root_tag: str, inner: str) -> Answer:
        answer: Answer = made_xml(status, root_tag, NOT_OF_XML.sub("", inner))
        return answer

    sns._create_topic = create_topic
    sns._threading = _Threads
    sns._xml = answered
    sns._xml_escape = escaped


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
