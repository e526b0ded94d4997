"""Invokes a deployed function with events of a check's own, and collects the evidence."""

import base64
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from ..connect import Workshop
from ..events import load_event
from ..inbox import Inbox
from ..webhook import secret_path
from . import diagnosis
from .deployed import Deployed
from .diagnosis import Outcome, Post
from .exercise import NotSolved

SLOW_S = 4.0  # longer than the 2 s after which lab 09 is to give up, and the 3 s that a function has
SLACK_NOTE = (
    "the messages went to Slack, where a check cannot read them, so look at them in the channel; "
    "how the function takes a failing or slow webhook was not tried"
)


class Probe:
    """One deployed function, and the inbox that it posts to (None where a function posts nowhere).

    `qualifier`: the version or alias that is invoked.
    """

    def __init__(
        self, workshop: Workshop, function: Deployed, inbox: Inbox | None = None, qualifier: str | None = None
    ) -> None:
        self.workshop, self.function, self._inbox = workshop, function, inbox
        self._called = {"FunctionName": function.name} | ({"Qualifier": qualifier} if qualifier else {})

    @property
    def inbox(self) -> Inbox:
        """The inbox. Raises LookupError for a function that posts nowhere."""
        if self._inbox is None:
            raise LookupError(f"{self.function.name} has no inbox")
        return self._inbox

    @property
    def sees_messages(self) -> bool:
        return self._inbox is not None and not self._inbox.is_slack

    def invoke(self, event: Any) -> Outcome:
        """Invoke once and wait for the answer; what the inbox gets meanwhile is taken for this function's."""
        began = datetime.now(UTC)
        answer = self.workshop.client("lambda").invoke(**self._called, Payload=json.dumps(event), LogType="Tail")
        return Outcome(
            payload=json.loads(answer["Payload"].read() or b"null"),
            failed="FunctionError" in answer,
            log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
            posts=self._posts(began),
        )

    def succeed(
        self, event: Any, when: str, explain: Callable[[Outcome, Deployed], str | None] = lambda *_: None
    ) -> Outcome:
        """Invoke and return the outcome; NotSolved unless it ended well and posted as it should.

        `explain` may know a better sentence than the usual ones.
        """
        outcome = self.invoke(event)
        _raise(explain(outcome, self.function) or diagnosis.of_posts(outcome, self.function, when))
        if outcome.failed:
            raise NotSolved(diagnosis.of_failure(outcome, self.function, when))
        self._keeps_the_secret(outcome)
        return outcome

    def fails_with_the_webhook(self, event: Any) -> None:
        """NotSolved when the function reports success although the webhook answered 500."""
        self.inbox.fail_next(1)
        try:
            outcome = self.invoke(event)
        finally:
            self.inbox.fail_next(0)
        if outcome.timed_out:
            raise NotSolved(diagnosis.of_failure(outcome, self.function, "when the webhook answered 500"))
        _raise(diagnosis.of_swallowed_error(outcome, self.function))
        self._keeps_the_secret(outcome)

    def gives_up_a_slow_webhook(self, event: Any) -> None:
        """NotSolved when the function waits for a webhook that takes longer than usual to answer."""
        self.inbox.slow_next(1, SLOW_S)
        try:
            outcome = self.invoke(event)
        finally:
            self.inbox.slow_next(0, 0)
        _raise(diagnosis.of_slow_webhook(outcome, self.function, SLOW_S))
        self._keeps_the_secret(outcome)

    def _keeps_the_secret(self, outcome: Outcome) -> None:
        if secret_path().search(outcome.log):
            raise NotSolved(
                f"The log of {self.function.name} holds the webhook's URL, and whoever reads the log could post "
                "with it; do not print it."
            )

    def _posts(self, since: datetime) -> list[Post] | None:
        if not self.sees_messages:
            return None
        posts = sorted(self.inbox.messages(since) + self.inbox.refused(since), key=lambda post: post.time)
        return [Post(post.text, post.content_type, post.answer) for post in posts]


def unique() -> str:
    """A text that no earlier message holds."""
    return secrets.token_hex(4)


def s3_event(bucket: str, *keys: str) -> dict[str, Any]:
    """The event that S3 sends for new objects: its keys are encoded as in a URL's query."""
    record = load_event("s3-put")["Records"][0]
    place, thing = record["s3"]["bucket"], record["s3"]["object"]
    records = [
        record
        | {
            "s3": record["s3"]
            | {
                "bucket": place | {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                "object": thing | {"key": quote_plus(key, safe="/")},
            }
        }
        for key in keys
    ]
    return {"Records": records}


def _raise(sentence: str | None) -> None:
    if sentence:
        raise NotSolved(sentence)
