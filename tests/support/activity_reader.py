"""A reader of what happens in the embedded AWS, as any client could be one: HTTP and Server-Sent Events alone."""

import contextlib
import http.client
import json
import threading
from typing import Any
from urllib.parse import urlencode

from localaws_client import eventually

from helpers import localaws
from helpers.localaws import Endpoint

PATH = "/_localaws/activity"


class ActivityReader:
    """Reads in a thread of its own until it is closed, or the server ends the stream."""

    def __init__(self, endpoint: Endpoint, last: str = "", **query: str) -> None:
        self.events: list[dict[str, Any]] = []
        self.snapshots: list[list[dict[str, Any]]] = []
        self.notices: list[str] = []
        self.kinds: list[str] = []  # of the frames, one after another
        self.last = last  # the id of the last frame
        self.ended = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=60)
        headers = {"Authorization": f"Bearer {localaws.page_token(endpoint.secret_access_key)}"}
        self._connection.request(
            "GET", f"{PATH}?{urlencode(query)}", headers=headers | ({"Last-Event-ID": last} if last else {})
        )
        self._answer = self._connection.getresponse()
        self.status, self.content_type = self._answer.status, self._answer.headers["content-type"]
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        if not last:
            eventually(lambda: self.snapshots)

    def __enter__(self) -> "ActivityReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._connection.sock:
                self._connection.sock.shutdown(2)
        self._thread.join(10)
        self._connection.close()

    def of(self, kind: str = "", **members: Any) -> list[dict[str, Any]]:
        """The events of this kind (or whose kind begins so) that have these members."""
        return [
            event
            for event in list(self.events)
            if event["kind"].startswith(kind) and all(event.get(name) == value for name, value in members.items())
        ]

    def wait(self, kind: str, count: int = 1, **members: Any) -> list[dict[str, Any]]:
        """Those, once there are so many."""
        return eventually(lambda: len(found := self.of(kind, **members)) >= count and found)

    def _read(self) -> None:
        frame: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException, AttributeError):
            for line in self._answer:
                text = line.decode().rstrip("\n")
                if text:
                    name, _, value = text.partition(": ")
                    frame[name] = value
                elif frame:
                    self._take(frame)
                    frame = {}
        self.ended.set()

    def _take(self, frame: dict[str, str]) -> None:
        kind = frame.get("event")
        if kind is None:  # a comment
            return
        self.kinds.append(kind)
        data = json.loads(frame["data"])
        if kind == "activity":
            self.events.append({"id": int(frame["id"]), **data})
        elif kind == "environments":
            self.snapshots.append(data["environments"])
        else:
            self.notices.append(data["sentence"])
        self.last = frame.get("id", self.last)
