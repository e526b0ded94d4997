"""A Slack incoming webhook on 127.0.0.1: it answers as Slack does, and keeps the messages in a file.

What Slack answers: its changelog "Improving error conditions for Incoming Webhooks" (2016-05-17) lists status
codes and bodies. The README of Kibana's Slack simulator (read November 2026) has what hooks.slack.com answers
curl: JSON is taken whatever the Content-Type, `[]` is invalid_payload, and a wrong token 403 invalid_token.
"""

import asyncio
import contextlib
import json
import re
import secrets
import socket
import string
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .asgi import Receive, Scope, Send, body_of
from .asgi import answer as answer_json
from .private_file import write_private

MESSAGES_FILE = "inbox.jsonl"
ADDRESS_FILE = "inbox-address.json"  # kept, so that a restart changes no WEBHOOK_URL; a secret: mode 0600
MAX_MESSAGES = 1000
MAX_TEXT = 40_000  # Slack cuts longer texts: its changelog "Truncating really long messages" (April 2018)
MAX_BODY = 1024 * 1024
CONTROL_PATH = "/control"  # below the secret address: no address of Slack's
CONTROL = '{"fail": n, "status": 500, "body": "…"}, {"slow": n, "seconds": s} or {"by": "check", "seconds": s}'
ANSWERS = {  # the body that goes with a status, where the control request names none
    400: "invalid_payload",
    403: "action_prohibited",
    404: "no_service",
    410: "channel_is_archived",
    429: '{"retry_after":1,"ok":false,"error":"rate_limited"}',
    500: "rollup_error",
}


@dataclass
class Trouble:
    """What meets the next `left` posts: a delay and, with a `status`, an answer other than Slack's."""

    left: int = 0
    status: int | None = None
    body: str = ""
    delay_s: float = 0.0


@dataclass
class Label:
    """Who causes the posts that come now, where somebody has said so, and until when by the monotonic clock."""

    by: str = ""
    until_s: float = 0.0

    @property
    def now(self) -> str:
        return self.by if time.monotonic() < self.until_s else ""


class SlackStandIn:
    """An ASGI application for `listener`; it keeps each post's time, text, content type, size and answer.

    With `https` there is another address for it, at `https_listener`: `https_url`, else "".
    """

    def __init__(self, home: Path, https: bool = False) -> None:
        self._file = home / MESSAGES_FILE
        self.path, port, https_port = _last_address(home / ADDRESS_FILE) or (_new_path(), 0, 0)
        self.listener = _listen(port)
        self.https_listener = _listen(https_port) if https else None
        self.url = self._url("http", self.listener)
        self.https_url = self._url("https", self.https_listener) if self.https_listener else ""
        write_private(home / ADDRESS_FILE, json.dumps(self._address()))
        self._posts = deque(read_posts(self._file), MAX_MESSAGES)
        self._trouble = Trouble()
        self._label = Label()
        self._rewrite()

    def _url(self, scheme: str, listener: socket.socket) -> str:
        return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}{self.path}"

    def _address(self) -> dict[str, int | str]:
        """What is kept of it."""
        by_https = {"https_port": self.https_listener.getsockname()[1]} if self.https_listener else {}
        return {"port": self.listener.getsockname()[1], "path": self.path, **by_https}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if secrets.compare_digest(scope["path"].encode(), f"{self.path}{CONTROL_PATH}".encode()):
            return await self._controlled(scope, receive, send)
        if scope["method"] != "POST":
            return await _send(send, 405, "method_not_allowed")
        body = await _read(receive)
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        trouble = self._next_trouble()
        text = ""
        if trouble and trouble.status:
            status, answer = trouble.status, trouble.body
        elif refusal := self._refusal(scope["path"]):
            status, answer = refusal
        elif body is None:
            status, answer = 413, "request_too_large"
        else:
            status, answer, text = judge(content_type, body)
        self._keep(text, content_type, len(body or b""), status, answer)
        if trouble:  # it is the answer that is late: the message is there, also where nobody waits for the answer
            await asyncio.sleep(trouble.delay_s)
        await _send(send, status, answer)

    async def _controlled(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell how things are, after a change where one is asked for."""
        if scope["method"] == "POST":
            try:
                self._control(await body_of(receive))
            except ValueError as error:
                return await answer_json(send, 400, {"message": str(error)})
        count = sum(post["status"] == 200 for post in self._posts)
        await answer_json(send, 200, {"messages": count, "failing": self._trouble.left})

    def _control(self, body: bytes) -> None:
        """Do what CONTROL shows. Raises ValueError with a sentence."""
        if label := _parse_label(body):
            self._label = label
        else:
            self._trouble = _parse_control(body)

    def _next_trouble(self) -> Trouble | None:
        if not self._trouble.left:
            return None
        self._trouble.left -= 1
        return self._trouble

    def _refusal(self, path: str) -> tuple[int, str] | None:
        """Slack's answer to an address that is not this inbox's: its secret end is wrong, or all of it."""
        if secrets.compare_digest(path.encode(), self.path.encode()):
            return None
        ours, theirs = self.path.rpartition("/")[0], path.rpartition("/")[0]
        return (403, "invalid_token") if ours == theirs else (404, "no_service")

    def _keep(self, text: str, content_type: str, size: int, status: int, answer: str) -> None:
        post = {
            "time": datetime.now(UTC).isoformat(),
            "text": text[:MAX_TEXT],
            "content_type": content_type[:200],
            "bytes": size,
            "status": status,
            "answer": answer[:200],
            "by": self._label.now,
        }
        self._posts.append(post)
        self._lines += 1
        if self._lines > 2 * MAX_MESSAGES:
            self._rewrite()
        else:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(post) + "\n")

    def _rewrite(self) -> None:
        self._lines = len(self._posts)
        new = self._file.with_suffix(".new")
        new.write_text("".join(json.dumps(post) + "\n" for post in self._posts), encoding="utf-8")
        new.replace(self._file)


def read_posts(file: Path) -> list[dict[str, Any]]:
    """The last posts of a file, oldest first. A line that a killed server did not finish is left out."""
    if not file.exists():
        return []
    posts = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines()[-MAX_MESSAGES:]:
        with contextlib.suppress(ValueError, RecursionError):
            posts.append(json.loads(line))
    return [post for post in posts if _is_post(post)]


def _is_post(post: Any) -> bool:
    """Whether it has what _keep() writes, and not what somebody else has put into the file."""
    if not isinstance(post, dict) or type(post.get("status")) is not int:
        return False
    if not all(isinstance(post.get(name), str) for name in ("time", "text", "content_type", "answer")):
        return False
    try:
        return datetime.fromisoformat(post["time"]).tzinfo is not None
    except ValueError:
        return False


def judge(content_type: str, body: bytes) -> tuple[int, str, str]:
    """Slack's status and answer to a post, and the text of the message if it is one."""
    form = content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"
    try:
        if form and body.startswith(b"payload="):  # the older way, which Slack still takes
            body = urllib.parse.parse_qs(body.decode(), keep_blank_values=True)["payload"][0].encode()
        payload = json.loads(body)
    except (ValueError, RecursionError):  # neither JSON nor, in UnicodeDecodeError, UTF-8
        return 400, "invalid_payload", ""
    text = payload.get("text", "") if isinstance(payload, dict) else None
    if not isinstance(text, str | None) or not isinstance(payload, dict):
        return 400, "invalid_payload", ""
    text = (text or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half an emoji is none
    if not text.strip() and not payload.get("blocks") and not payload.get("attachments"):
        return 400, "no_text", ""
    return 200, "ok", text


def _listen(port: int) -> socket.socket:
    """A socket that listens at this port of the last time, if it is still free; 0 is any."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:  # another program has the port now
        return socket.create_server(("127.0.0.1", 0))


def _last_address(file: Path) -> tuple[str, int, int] | None:
    """The path of the webhook, its port, and that by https, or 0."""
    try:
        address = json.loads(file.read_text())
        path, port, https_port = str(address["path"]), int(address["port"]), int(address.get("https_port", 0))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None
    ports_usable = 1024 <= port < 65536 and (https_port == 0 or 1024 <= https_port < 65536)
    usable = re.fullmatch(r"/services/T\w+/B\w+/\w{24}", path) and ports_usable
    return (path, port, https_port) if usable else None


def _new_path() -> str:
    def some(characters: str, length: int) -> str:
        return "".join(secrets.choice(characters) for _ in range(length))

    capitals, letters = string.ascii_uppercase + string.digits, string.ascii_letters + string.digits
    return f"/services/T{some(capitals, 10)}/B{some(capitals, 10)}/{some(letters, 24)}"


def _parse_label(order: bytes) -> Label | None:
    """The label that a control request asks for; None for a request of another kind."""
    try:
        asked = dict(json.loads(order))
        if "by" not in asked:
            return None
        by, seconds = str(asked["by"])[:20], float(asked["seconds"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"Send {CONTROL}.") from None
    return Label(by, time.monotonic() + seconds)


def _parse_control(order: bytes) -> Trouble:
    try:
        asked = dict(json.loads(order))
        if "slow" in asked:
            trouble = Trouble(int(asked["slow"]), delay_s=float(asked["seconds"]))
        else:
            status = int(asked.get("status", 500))
            body = str(asked.get("body", ANSWERS.get(status, "error")))
            trouble = Trouble(int(asked["fail"]), status, body)
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"Send {CONTROL}.") from None
    if trouble.left < 0 or not 0 <= trouble.delay_s <= 60 or not 300 <= (trouble.status or 500) <= 599:
        raise ValueError("A count is 0 or more, a status from 300 to 599, and a delay from 0 to 60 seconds.")
    return trouble


async def _read(receive: Receive) -> bytes | None:
    """The body of a request, or None when it is too large to be kept."""
    body, more, too_large = b"", True, False
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > MAX_BODY:
            body, too_large = b"", True
    return None if too_large else body


async def _send(send: Send, status: int, text: str) -> None:
    kind = b"application/json; charset=utf-8" if text.startswith("{") else b"text/html"
    data = text.encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(data)).encode())]
    headers += [(b"allow", b"POST")] if status == 405 else []
    headers += [(b"retry-after", b"1")] if status == 429 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
