"""All execution environments as they are now, and what is told of each while it lives.

Every change goes to a callable, `tell(kind, **members)`; who listens is none of the data plane's business.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from .function import Function

Tell = Callable[..., None]  # tell(kind, **members)
Told = dict[str, Any]
Result = TypeVar("Result")

TIMES_KEPT = 5  # of the invocations of an environment, the last ones
# Why an environment ends, and with it its processes.
IDLE, ROOM = "idle", "room"  # nobody used it; another one needed its place
CHANGED, DELETED = "changed", "deleted"  # its function
UNPROVISIONED = "unprovisioned"  # provisioned concurrency is lower, or no more
KILLED, EXITED, MEMORY = "killed", "exited", "memory"  # by somebody; of itself; it had too much
FAILED, TIMEOUT = "failed", "timeout"  # its init or restore; init, or an invocation, took too long
SNAPSHOT = "snapshot"  # it was there to be copied: SnapStart
CLOSED = "closed"  # the embedded AWS stops


class Census:
    """All environments that have a process, or wait for their turn to have one.

    `watched` says whether somebody listens: only then is looked for what nobody has to know otherwise.
    """

    def __init__(self, tell: Tell = lambda kind, **members: None, watched: threading.Event | None = None) -> None:
        self.tell, self.watched = tell, watched or threading.Event()
        self.lock = threading.Lock()
        self.entries: dict[str, Entry] = {}
        self.closed = False

    def look(self, then: Callable[[], Result]) -> tuple[list[Told], Result]:
        """All as they are now, and what `then` gives: no change is told between the two."""
        with self.lock:
            return [entry.state_now() for entry in self.entries.values()], then()

    def close(self) -> None:
        """All end now; nothing is told any more."""
        for entry in list(self.entries.values()):
            entry.ended(CLOSED)
        self.closed = True


class Entry:
    """One environment; its methods are the changes of its life. `name` never changes."""

    def __init__(self, census: Census, function: Function, stream: str, initialization_type: str) -> None:
        self._census, self._tell = census, census.tell
        self.name = f"{function.log_group}:{stream}"
        self._function = {"environment": self.name, "function": function.name, "version": function.version}
        self._memory_size, self._type, self._idle_s = function.memory_mb, initialization_type, function.idle_s
        self._state, self._since, self._created = "waiting", 0.0, 0.0
        self._init_ms: float | None = None
        self._memory_mb: float | None = None
        self._request_id = ""
        self._invocations = 0
        self.crash: Callable[[], bool] = lambda: False  # kills its processes; whether there were any
        self._times: deque[tuple[float, float, str]] = deque(maxlen=TIMES_KEPT)

    def created(self) -> None:
        """It is made, and waits for its turn to begin; after the end of its process, for the next invocation, too."""
        with self._census.lock:
            if self._census.closed:
                return
            self._census.entries[self.name] = self
            self._to("waiting")
            self._created, self._init_ms, self._memory_mb = self._since, None, None
            kind = self._type
            self._tell("environment.created", **self._function, memory_size=self._memory_size, initialization_type=kind)

    def init(self, **more: str) -> None:
        """Its process starts: `phase` is "init", or "invoke" where that counts to an invocation, or "restore"."""
        with self._census.lock:
            if self._there():
                self._to("init")
                self._tell("environment.init", **self._function, **more)

    def ready(self, init_ms: float, memory_mb: float, measure: str = "init_ms") -> None:
        """It waits, frozen, for its first invocation; `measure` names what `init_ms` is."""
        with self._census.lock:
            if self._there():
                self._to("idle")
                self._init_ms, self._memory_mb = round(init_ms, 2), round(memory_mb, 1)
                self._tell("environment.ready", **self._function, **{measure: self._init_ms}, memory_mb=self._memory_mb)
                self._tell("environment.frozen", **self._function)

    def busy(self, request_id: str, idle_s: float) -> None:
        """It goes on, with this invocation; it may be idle for so long afterwards."""
        with self._census.lock:
            if self._there():
                self._to("busy")
                self._request_id, self._idle_s = request_id, idle_s
                self._tell("environment.thawed", **self._function)
                self._tell("environment.busy", **self._function, request_id=request_id)

    def invoked(self, request_id: str) -> None:
        """It is to serve this invocation, once it is ready."""
        self._tell("invocation.started", **self._function, request_id=request_id)

    def finished(self, request_id: str, error_type: str | None, duration_ms: float = 0.0) -> None:
        """The invocation is over, and its caller gets an answer, or an error of this type."""
        members = {**self._function, "request_id": request_id, "duration_ms": round(duration_ms, 2)}
        if error_type is None:
            self._tell("invocation.succeeded", **members)
        else:
            self._tell("invocation.failed", **members, error_type=error_type)

    def idle(self, duration_ms: float, billed_ms: int, memory_mb: float, status: str, frozen: bool) -> None:
        """It serves no invocation any more."""
        with self._census.lock:
            if self._there() and self._state == "busy":
                self._times.append((self._since, duration_ms, status))
                self._invocations += 1
                self._memory_mb, request_id, self._request_id = memory_mb, self._request_id, ""
                self._to("idle")
                self._tell(
                    "environment.idle",
                    **self._function,
                    request_id=request_id,
                    duration_ms=round(duration_ms, 2),
                    billed_ms=billed_ms,
                    memory_mb=memory_mb,
                    status=status,
                )
                if frozen:
                    self._tell("environment.frozen", **self._function)

    def ended(self, reason: str) -> None:
        """Its processes are gone; the first reason counts."""
        with self._census.lock:
            if self._there():
                del self._census.entries[self.name]
                self._tell("environment.ended", **self._function, reason=reason)

    def state_now(self) -> Told:
        """As it is; the census has the lock."""
        told: Told = {
            **self._function,
            "memory_size": self._memory_size,
            "initialization_type": self._type,
            "state": self._state,
            "since": _ms(self._since),
            "created": _ms(self._created),
            "init_ms": self._init_ms,
            "memory_mb": self._memory_mb,
            "invocations": self._invocations,
            "idle_s": self._idle_s,
            "invocation_times": [
                {"start": _ms(start), "duration_ms": round(duration_ms, 2), "status": status}
                for start, duration_ms, status in self._times
            ],
        }
        return {**told, "request_id": self._request_id} if self._request_id else told

    def _there(self) -> bool:
        return self.name in self._census.entries

    def _to(self, state: str) -> None:
        self._state, self._since = state, time.time()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
