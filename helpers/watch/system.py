"""part() is the system of a learner in the picture: what is there, what moves and waits in it, and what can be broken.

It asks AWS in a thread of its own, and only while somebody looks.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

from ..connect import ConnectError, Workshop
from .discovery import Discovery, System
from .environments import Environment, Environments
from .faults import Faults
from .source import Message
from .still import Still
from .system_counts import Counts, OfNode
from .system_moves import Moves
from .system_still import Seen, draw

EVERY_S = 1.0  # between two counts
MOVES_S = 0.1  # between two messages of what has moved
WAIT_S = 5.0  # for a look that goes on, when the part is closed


class SystemPart:
    """The part; `send` gets the messages for the page."""

    def __init__(self, workshop: Workshop, functions: Sequence[str], send: Callable[[Message], None]) -> None:
        self._send = send
        self._discovery = Discovery(workshop, functions)
        self._counts = Counts(workshop)
        self._moves = Moves()
        self._environments = Environments()  # of all functions: others than those that are named may be joined to them
        self._faults = Faults(workshop, self._there, self._tell_faults)
        self._telling = threading.Lock()  # of the environments, and of what moves
        self._asking = threading.Lock()  # of what asks AWS, which may take a while
        self._stop: threading.Event | None = None  # that of the thread which looks at present
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    def look(self, on: bool) -> None:
        """Somebody looks at it, anew perhaps, or has stopped to."""
        if self._stop:
            self._stop.set()
        self._stop = threading.Event() if on else None
        if self._stop:
            thread = threading.Thread(target=self._follow, args=(self._stop,), daemon=True, name="watch-system")
            self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]
            thread.start()

    def told(self, message: Message) -> None:
        """What the source tells."""
        if message["type"] == "activity":
            with self._telling:
                self._environments.told(message["events"])
                self._moves.receive(message["events"], self._discovery.system)
                if any(event["kind"] == "environment.busy" for event in message["events"]):
                    self._counts.run(self._busy())
            self._counts.receive(message["events"])
            self._discovery.receive(message["events"])
        elif message["type"] == "environments":
            with self._telling:
                self._environments.restart(message["environments"], message.get("at", time.time() * 1000))

    def receive(self, message: Message) -> None:
        """What the page asks: to break something or undo that. The answer comes later, as it may take a while."""
        if message.get("type") == "fault":
            asked = str(message.get("id")), str(message.get("of")), message.get("on") is not False
            threading.Thread(target=self._break, args=asked, daemon=True, name="watch-fault").start()

    def still(self) -> Still | None:
        """The picture as it is now, looked for anew; None where this machine cannot draw it."""
        system, counts = self._ask(anew=True)
        return draw(system, Seen(counts, self._counts.most(system), self._counts.lately(), self._moved()))

    def most(self, name: str) -> OfNode:
        """The most that was seen at once, by the name of a queue or function: {"waiting": 48, "in_flight": 10}."""
        system = self._discovery.system if self._is_closed else self._ask(anew=True)[0]
        most = self._counts.most(system)
        return next((most[node.id] for node in system.nodes if node.name == name and node.id in most), {})

    def close(self) -> None:
        """Nobody looks any more; what was broken is as before."""
        self._is_closed = True
        self.look(False)
        for thread in self._threads:
            thread.join(WAIT_S)
        self._faults.close()

    def _follow(self, stop: threading.Event) -> None:
        """Tell the page what is there at first, and then what changes."""
        told: System | None = None
        with contextlib.suppress(ConnectError):  # as below
            self._faults.undo_left()
        while not stop.is_set():
            try:
                system, counts = self._ask()
            except ConnectError:  # the embedded AWS has stopped, which the source says; it may come back
                stop.wait(EVERY_S)
                continue
            if system != told:
                self._tell(system)
                told = system
            self._tell_moves()
            self._send({"type": "counts", "counts": counts, "moved": self._moved()})
            until = time.monotonic() + EVERY_S
            while time.monotonic() < until and not stop.wait(MOVES_S):
                self._tell_moves()

    def _ask(self, anew: bool = False) -> tuple[System, dict[str, OfNode]]:
        """The system and its counts; what is there is looked for `anew`, or when it is time to."""
        with self._asking:
            if anew or self._discovery.is_due():
                self._discovery.look()
            system = self._discovery.system
            with self._telling:
                busy = self._busy()
            return system, self._counts.look(system, busy, anew)

    def _busy(self) -> list[str]:
        """The name of a function for each environment of it that runs now."""
        return [each.function for each in self._environments.there() if each.state == "busy"]

    def _there(self) -> list[Environment]:
        with self._telling:
            return self._environments.there()

    def _moved(self) -> dict[str, int]:
        with self._telling:
            return dict(self._moves.totals)

    def _tell_moves(self) -> None:
        with self._telling:
            moved = self._moves.take()
        if moved:
            self._send({"type": "moved", "moved": moved})

    def _tell(self, system: System) -> None:
        self._send(system.message())
        self._tell_faults()

    def _tell_faults(self) -> None:
        self._send({"type": "faults", "faults": self._faults.offered(self._discovery.system)})

    def _break(self, id: str, of: str, on: bool) -> None:
        self._send(self._faults.do(id, of, on, self._discovery.system))
        self._tell_faults()


def part(workshop: Workshop, functions: Sequence[str], send: Callable[[Message], None]) -> SystemPart:
    """The system of these functions, or all of the learner's; it asks nothing before somebody looks at it."""
    return SystemPart(workshop, functions, send)
