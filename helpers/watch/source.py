"""EmbeddedSource: what happens in the embedded AWS, as a thread reads it from its stream of activity.

The stream is of Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html. The reader's key
signs the request here; a page never sees it, nor any token of it.
"""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .. import localaws, settings
from .strings import say

PATH = "/_localaws/activity"
SILENCE_S = 40  # the stream says something more often, if only a comment
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.3, 3

Message = dict[str, Any]


class Source(Protocol):
    """Where the events come from; each message of it goes to the function `told` that it was made with."""

    quiet_s: float  # without an event, after which none is on its way any more

    def start(self) -> None: ...

    def close(self) -> None: ...


class StreamError(Exception):
    """The stream could not be read; says in a sentence for the reader why."""


class EmbeddedSource:
    """Tells {"type": "environments", …}, {"type": "activity", …} and {"type": "status", …} until it is closed.

    Where the embedded AWS stops it says so, and goes on by itself once one runs again.
    """

    quiet_s = 0.4

    def __init__(
        self,
        told: Callable[[Message], None],
        find: Callable[[], localaws.Endpoint | None] = lambda: localaws.running(settings.home()),
    ) -> None:
        self._told, self._find = told, find
        self._is_closed = threading.Event()
        self._socket: socket.socket | None = None
        self._last = ""  # id of the last event
        self._thread = threading.Thread(target=self._run, daemon=True, name="watch-source")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._is_closed.set()
        if connected := self._socket:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)  # ends the read that the thread waits in

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._is_closed.is_set():
            try:
                for message in self._read():
                    pause = FIRST_PAUSE_S
                    self._told(message)
                reason = say("watch.stopped")
            except StreamError as error:
                reason = str(error)
            except (OSError, http.client.HTTPException, ValueError, localaws.LocalAwsError):
                reason = say("watch.stopped")
            if not self._is_closed.is_set():
                self._told({"type": "status", "connected": False, "sentence": reason, "coarse": False})
            self._is_closed.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _read(self) -> Iterator[Message]:
        """The messages of one connection, while it lasts."""
        endpoint = self._find()
        if endpoint is None:
            raise StreamError(say("watch.stopped"))
        connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=SILENCE_S)
        with contextlib.closing(connection):
            connection.connect()
            self._socket = connection.sock  # which the answer keeps for itself from getresponse() on
            if self._is_closed.is_set():  # by somebody who has found no socket to end
                return
            headers = {"Authorization": f"Bearer {localaws.page_token(endpoint.secret_access_key)}"}
            if self._last:
                headers["Last-Event-ID"] = self._last  # what was told meanwhile, where that is kept
            connection.request("GET", PATH, headers=headers)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise StreamError(say("watch.refused", status=str(answer.status)))
            yield {"type": "status", "connected": True, "sentence": "", "coarse": False}
            for id, kind, data in events(answer):
                self._last = id or self._last
                yield from _message(kind, data)


def events(lines: Iterator[bytes] | http.client.HTTPResponse) -> Iterator[tuple[str, str, str]]:
    """The id, the kind and the data of each event of a stream, without comments."""
    id, kind, data = "", "message", list[str]()
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield id, kind, "\n".join(data)
            id, kind, data = "", "message", []
        elif name == "id":
            id = value
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)


def _message(kind: str, data: str) -> Iterator[Message]:
    if kind == "dropped":
        raise StreamError(say("watch.slow"))
    if kind not in ("activity", "environments"):
        return
    told = json.loads(data)
    if kind == "activity":
        if isinstance(told, dict) and isinstance(told.get("kind"), str) and isinstance(told.get("at"), int | float):
            yield {"type": "activity", "events": [told]}
    else:
        listed = told["environments"] if isinstance(told, dict) else told
        yield {"type": "environments", "environments": listed, "at": time.time() * 1000}
