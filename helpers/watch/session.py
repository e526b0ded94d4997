"""Session: what one picture is told and what it may ask, whoever carries the messages: a widget, or a WebSocket.

CONTRIBUTING.md, "Show what happens". Messages are JSON, each with a "type"; what comes from a page is checked
here, as anybody may have written it.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Protocol

from .environments import Environments
from .log_follower import LogFollower
from .source import EmbeddedSource, Message, Source
from .still import Still, draw

BATCH_S = 0.05  # at most 20 messages a second
HEARTBEAT_S = 2  # by which a page knows that somebody is there
MOST_EVENTS = 2000  # of a message; there is another one soon
UNSEEN = 3  # snapshots that are sent before any page has asked for one: it may have missed the first


class Part(Protocol):
    """Another part of the picture, such as the system: made when a page looks at it first."""

    def look(self, on: bool) -> None:
        """Somebody looks at it, or has stopped to."""

    def told(self, message: Message) -> None:
        """What the source tells."""

    def receive(self, message: Message) -> None:
        """What the page asks."""

    def still(self) -> Still | None: ...

    def most(self, name: str) -> dict[str, int]:
        """The most that was seen at once of a queue or function, e.g. {"waiting": 48, "in_flight": 10}."""

    def close(self) -> None: ...


class Session:
    """Begins with start() and ends with close(); `send` is called from several threads, one at a time."""

    def __init__(
        self,
        workshop: Any,
        functions: Iterable[str],
        send: Callable[[Message], None],
        show: str = "environments",
        *,
        source: Callable[[Callable[[Message], None]], Source] | None = None,
    ) -> None:
        self._workshop, self._functions = workshop, tuple(functions)
        self._send_out, self._sending = send, threading.Lock()
        self._environments = Environments(self._functions)
        self._lock = threading.RLock()  # of what follows, and of the environments
        self._status: Message = {"type": "status", "connected": True, "sentence": "", "coarse": False}
        self._waiting: list[dict[str, Any]] = []  # events for the page
        self._system: Part | None = None
        self._snapshots = UNSEEN
        self._last_event = time.monotonic()
        self._has_begun, self._is_closed = threading.Event(), threading.Event()
        self._stirred = threading.Event()
        self._log = LogFollower(workshop.client("logs"), self._send)
        self._source = (source or self._source_of_target)(self._told)
        self._ticker = threading.Thread(target=self._tick, daemon=True, name="watch-ticker")
        self._is_of_system = show == "system"  # and is counted whether a page looks at it or not
        self._look_at_system(self._is_of_system)

    def start(self) -> None:
        self._source.start()
        self._ticker.start()

    def has_begun(self, at_most_s: float) -> bool:
        """Wait until the first snapshot is there; False when it did not come in time."""
        return self._has_begun.wait(at_most_s)

    def receive(self, message: Any) -> None:
        """A message of the page."""
        if not isinstance(message, dict):
            return
        kind = message.get("type")
        if kind == "look":
            self._snapshots = 0
            with self._lock:
                self._snapshot()
            self._send(self._heartbeat())
            self._look_at_system(self._is_of_system or message.get("part") == "system")
        elif kind == "log":
            asked = message.get("environment")
            with self._lock:
                is_known = isinstance(asked, str) and asked in self._environments.all
            self._log.follow(asked if is_known else None)
        elif kind == "fault":
            self._make_system()
        if self._system:
            self._system.receive(message)

    def settle(self, at_most_s: float) -> None:
        """Wait until nothing has happened for a moment and no environment has anything to do, but not for longer."""
        began = time.monotonic()
        while time.monotonic() < began + at_most_s and not self._is_settled(began):
            self._is_closed.wait(BATCH_S)

    def still(self) -> Still:
        """The picture as it is now, of the environments."""
        with self._lock:
            return draw(self._environments, time.time() * 1000)

    def most(self, name: str) -> dict[str, int]:
        """The most that was seen at once of a queue or function, while somebody looked at the system."""
        self._make_system()
        return self._system.most(name) if self._system else {}

    def system_still(self) -> Still | None:
        return self._system.still() if self._system else None

    def close(self) -> None:
        with self._lock:
            self._is_closed.set()
            self._stirred.set()
        self._source.close()
        self._log.follow(None)
        if self._system:
            self._system.close()

    def _source_of_target(self, told: Callable[[Message], None]) -> Source:
        if self._workshop.is_embedded:
            return EmbeddedSource(told)
        from .aws_source import AwsSource

        return AwsSource(self._workshop, self._functions, told)

    def _is_settled(self, since: float) -> bool:
        with self._lock:
            quiet_s = time.monotonic() - max(self._last_event, since)
            return quiet_s > self._source.quiet_s and self._environments.is_settled

    def _told(self, message: Message) -> None:
        """A message of the source, in its thread."""
        with self._lock:
            if message["type"] == "activity":
                self._last_event = time.monotonic()
                self._waiting += self._environments.told(message["events"])
                self._stirred.set()
            elif message["type"] == "environments":
                self._environments.restart(message["environments"], message["at"])
                self._snapshot()
                self._has_begun.set()
            elif message["type"] == "status":
                self._status = message
        if message["type"] == "status":
            self._send(self._heartbeat())
        if self._system:
            self._system.told(message)

    def _look_at_system(self, on: bool) -> None:
        if on:
            self._make_system()
        if self._system:
            self._system.look(on)

    def _make_system(self) -> None:
        """The part of the system, which is made when it is needed first."""
        from . import system

        with self._lock:
            if self._system is None:
                self._system = system.part(self._workshop, self._functions, self._send)
                snapshot = self._environments.messages()
                self._system.told({"type": "environments", "environments": snapshot, "at": time.time() * 1000})

    def _snapshot(self) -> None:
        """Send all environments, after which the events that wait are no news any more."""
        self._waiting.clear()
        told = self._environments
        counts = asdict(told.counts)
        functions = list(self._functions)
        self._send({"type": "environments", "environments": told.messages(), "counts": counts, "functions": functions})

    def _heartbeat(self) -> Message:
        return {**self._status, "now": time.time() * 1000}

    def _tick(self) -> None:
        beat = 0.0
        while not self._is_closed.is_set():
            now = time.monotonic()
            if now - beat >= HEARTBEAT_S:
                beat = now
                self._send(self._heartbeat())
                if self._snapshots and self._has_begun.is_set():
                    self._snapshots -= 1
                    with self._lock:
                        self._snapshot()
            with self._lock:
                events, self._waiting = self._waiting[:MOST_EVENTS], self._waiting[MOST_EVENTS:]
                if not (self._waiting or self._is_closed.is_set()):
                    self._stirred.clear()
                if events:
                    self._send({"type": "activity", "events": events})
            self._is_closed.wait(BATCH_S)
            self._stirred.wait(max(0, beat + HEARTBEAT_S - time.monotonic()))

    def _send(self, message: Message) -> None:
        if not self._is_closed.is_set():
            with self._sending:
                self._send_out(message)
