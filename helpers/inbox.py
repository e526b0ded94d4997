"""open_inbox() gives the Slack channel of the labs: an inbox on this machine, or Slack itself.

A function posts to its `webhook_url`; what arrived is read back here, which Slack does not allow.
"""

import contextlib
import html
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path
from typing import Any

from . import localaws, settings
from .arguments import ANY_TEXT, COUNT, MESSAGE, MOMENT, NUMBER, SECONDS, WHOLE, WORKSHOP, as_json, or_none, takes
from .connect import Workshop, connect
from .errors import WorkshopError
from .localaws import CONTROL_PATH, MESSAGES_FILE, read_posts
from .webhook import WebhookUrl

POLL_S = 0.2
MARKED_S = 900  # at the most, should the marking never be ended: longer than a check takes
SHOWN = 50  # messages in the view of show(), the newest first
IN_SLACK = "The messages go to Slack and cannot be read back here; look at the channel of your webhook."
NOT_REACHED = "The webhook cannot be reached; is the address right, and the network there?"
NO_HTTPS = (
    "The inbox is there by http alone, as this machine has no openssl to make a certificate with; install it, and "
    "start the embedded AWS anew."
)
NOT_RUNNING = "The embedded AWS, and with it the inbox, is not running; call connect() again."


class InboxError(WorkshopError):
    """The inbox cannot do what it was asked; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Message:
    """One post: when it came (UTC), its text, the Content-Type of the request, and what the inbox answered.

    A message was answered with 200 and "ok". For a post that was refused, `answer` says why, e.g.
    "invalid_payload", and `text` is "".
    """

    time: datetime
    text: str
    content_type: str
    answer: str = "ok"
    status: int = 200
    by: str = ""  # "check" where a check has caused it


class Inbox:
    """A Slack channel behind an incoming webhook; a function needs `webhook_url` as its WEBHOOK_URL."""

    def __init__(
        self, webhook_url: WebhookUrl, *, https_url: str = "", control: str = "", file: Path | None = None
    ) -> None:
        self.webhook_url, self._https_url = webhook_url, https_url
        self._control, self._file = control, file

    def __repr__(self) -> str:
        return f"<Inbox {self.webhook_url}>"

    @property
    def is_slack(self) -> bool:
        """Whether the messages go to Slack, where they cannot be read back."""
        return self._file is None

    @property
    def https_webhook_url(self) -> WebhookUrl:
        """The same webhook for a function that insists on https, as with Slack; functions alone trust it.

        Raises InboxError where this machine has none.
        """
        if self.is_slack:
            return self.webhook_url
        if not self._https_url:
            raise InboxError(NO_HTTPS)
        return WebhookUrl(self._https_url)

    @takes(message=MESSAGE)
    def post(self, message: dict[str, Any]) -> tuple[int, str]:
        """Post a message such as {"text": "hello"} as JSON; return the status and the body of the answer.

        Raises InboxError when there is no answer.
        """
        body = as_json("The message", message).encode("utf-8", "replace")
        request = urllib.request.Request(self.webhook_url.reveal(), body, {"Content-Type": "application/json"})
        send = urllib.request.urlopen if self.is_slack else localaws.open_url
        try:
            with send(request, timeout=10) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")
        except (OSError, HTTPException, UnicodeError):  # their texts may hold the URL
            raise InboxError(NOT_REACHED) from None

    @takes(since=or_none(MOMENT))
    def messages(self, since: datetime | None = None) -> list[Message]:
        """Return the messages that came after `since` (with a time zone), oldest first; 1,000 are kept.

        Raises InboxError when they went to Slack.
        """
        return [message for message in self._posts(since) if message.status == 200]

    @takes(since=or_none(MOMENT))
    def refused(self, since: datetime | None = None) -> list[Message]:
        """Return the posts that were answered with an error, as messages() does; `answer` says which."""
        return [message for message in self._posts(since) if message.status != 200]

    @takes(count=COUNT, since=or_none(MOMENT), timeout=SECONDS)
    def wait(self, count: int, since: datetime | None = None, timeout: float = 30) -> list[Message]:
        """Wait until `count` messages have come after `since`, `timeout` seconds at most, and return them.

        Raises InboxError when fewer came.
        """
        deadline = time.monotonic() + timeout
        while len(found := self.messages(since)) < count:
            if time.monotonic() > deadline:
                raise InboxError(
                    f"Within {timeout:g} s the inbox received {len(found)} of {count} messages; "
                    "look at the function's log for what it did."
                )
            time.sleep(POLL_S)
        return found

    def show(self) -> None:
        """Show the messages in a table that grows as they arrive; without widgets it is one as of now."""
        from IPython.display import display

        if self.is_slack:
            print(IN_SLACK)
            return
        view = _live_view(self._file)
        view.value = table = _table(self.messages())
        shown = view._repr_mimebundle_()
        display({**shown, "text/html": table, "text/plain": _plain(self.messages())}, raw=True)

    @takes(count=WHOLE, status=WHOLE, body=or_none(ANY_TEXT))
    def fail_next(self, count: int, status: int = 500, body: str | None = None) -> None:
        """Answer the next `count` posts with `status` (300 to 599) and `body` (None: Slack's own); 0 ends it.

        Raises InboxError when this is Slack, whose answers are its own.
        """
        self._send({"fail": count, "status": status} | ({} if body is None else {"body": body}))

    @takes(count=WHOLE, seconds=NUMBER)
    def slow_next(self, count: int, seconds: float) -> None:
        """Answer the next `count` posts `seconds` late (60 at most); 0 posts end it.

        Raises InboxError when this is Slack, whose answers are its own.
        """
        self._send({"slow": count, "seconds": seconds})

    @contextmanager
    def marked(self, by: str = "check") -> Iterator[None]:
        """Mark what comes while the block lasts as caused by a check; Slack itself marks nothing."""
        if self.is_slack:
            yield
            return
        self._send({"by": by, "seconds": MARKED_S})
        try:
            yield
        finally:
            self._send({"by": "", "seconds": 0})

    def _posts(self, since: datetime | None) -> list[Message]:
        if self._file is None:
            raise InboxError(IN_SLACK)
        try:
            posts = [_message(post) for post in read_posts(self._file)]
        except OSError as error:
            raise InboxError.about_file(error, self._file, "read") from None
        return [message for message in posts if since is None or message.time > since]

    def _send(self, order: dict[str, Any]) -> None:
        if self.is_slack:
            raise InboxError("Slack answers as it likes; to try failures, unset WORKSHOP_SLACK_WEBHOOK_URL.")
        request = urllib.request.Request(self._control, json.dumps(order).encode(), method="POST")
        try:
            localaws.open_url(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            raise InboxError(json.load(error)["message"]) from None
        except OSError:
            raise InboxError(NOT_RUNNING) from None


@takes(workshop=or_none(WORKSHOP))
def open_inbox(workshop: Workshop | None = None) -> Inbox:
    """Return Slack's channel if `WORKSHOP_SLACK_WEBHOOK_URL` is set, else the inbox of the embedded AWS.

    Raises InboxError for any other AWS, from where a function cannot reach this machine.
    """
    if url := settings.slack_webhook():
        return Inbox(WebhookUrl(url))
    workshop = workshop or connect()
    if not workshop.is_embedded:
        raise InboxError(
            "A function cannot reach the inbox of this machine from there; make an incoming webhook in Slack "
            "and set WORKSHOP_SLACK_WEBHOOK_URL to its URL."
        )
    endpoint = localaws.running(settings.home())
    if endpoint is None and (hung := localaws.alive(settings.home())):
        raise InboxError(hung.hung)
    if endpoint is None or not endpoint.inbox_url:
        raise InboxError(NOT_RUNNING)
    control = endpoint.inbox_url + CONTROL_PATH
    url, https_url = WebhookUrl(endpoint.inbox_url), endpoint.inbox_https_url
    return Inbox(url, https_url=https_url, control=control, file=settings.home() / MESSAGES_FILE)


def _message(post: dict[str, Any]) -> Message:
    came = datetime.fromisoformat(post["time"])
    return Message(came, post["text"], post["content_type"], post["answer"], post["status"], post.get("by", ""))


@lru_cache
def _live_view(file: Path) -> Any:
    """The widget that follows a file of messages in a thread that ends with the kernel; one for all cells."""
    import ipywidgets

    view = ipywidgets.HTML()

    def follow() -> None:
        last = None
        while True:
            status = os.stat(file) if file.exists() else None
            now = status and (status.st_mtime_ns, status.st_size)  # the time alone ticks too slowly for two posts
            if now != last:
                last = now
                with contextlib.suppress(OSError):  # messages() says it
                    view.value = _table([_message(post) for post in read_posts(file) if post["status"] == 200])
            time.sleep(POLL_S)

    threading.Thread(target=follow, daemon=True, name="inbox").start()
    return view


TEXT_HEAD = '<th style="text-align: left">text</th>'


def _table(messages: list[Message]) -> str:
    """The last messages as an HTML table, newest first, and how many there are."""
    if not messages:
        return "<p>No message has arrived yet.</p>"
    rows = "".join(
        f'<tr><td style="vertical-align: top">{message.time:%Y-%m-%d %H:%M:%S}</td>'
        f'<td style="vertical-align: top">{html.escape(message.by)}</td>'
        f'<td style="text-align: left; white-space: pre-wrap">{html.escape(message.text)}</td></tr>'
        for message in _newest(messages)
    )
    table = f"<table><tr><th>time (UTC)</th><th>by</th>{TEXT_HEAD}</tr>{rows}</table>"
    return f'<p>{_count(messages)}</p><div style="max-height: 28em; overflow-y: auto">{table}</div>'


def _plain(messages: list[Message]) -> str:
    lines = [f"{message.time:%Y-%m-%d %H:%M:%S}  {_mark(message)}{message.text}" for message in _newest(messages)]
    return "\n".join([_count(messages), *lines])


def _mark(message: Message) -> str:
    return f"[{message.by}] " if message.by else ""


def _newest(messages: list[Message]) -> list[Message]:
    return messages[: -SHOWN - 1 : -1]


def _count(messages: list[Message]) -> str:
    count = f"{len(messages):,} message{'' if len(messages) == 1 else 's'}"
    return f"{count}, the last {SHOWN} of them:" if len(messages) > SHOWN else f"{count}:"
