"""What a function may use of this machine: memory, processes, and the share of CPU that goes with its memory.

One thread looks at all that run, and only at those that run for longer than a moment: of the others nothing that
they could use in it would matter, and one look at their end finds it.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from ...facts import fact
from .capacity import cores
from .cpu_share import Allowance, share
from .sandbox import Sandbox

MOMENT_S = 0.004  # Linux brings the clock of a running process up to date that often, at 250 Hz
LOOK_S = 0.02  # how often memory and processes are looked at while a function computes
# Of a core that the thread takes for looking at CPU, and for all else, at most: where many run, it looks less often at
# each, and as they share the cores, they all use the less meanwhile.
CPU_PART, ELSE_PART = 0.2, 0.1
IDLE_S = 0.1  # without computing: it waits for something, and others may compute meanwhile
LITTLE_S = 0.001  # of computing since the last look: nothing worth another
RUSH = 16  # while more than that start between two looks they are only counted, as many cannot be measured as quickly
# AWS lets a function start no more, threads included. Where the kernel does not count them for itself (confinement.py),
# it is ended.
TASKS: int = fact("processes")
MEMORY, PROCESSES = "memory", "processes"  # of which there can be too much, or too many


class Limit:
    """The limits of one sandbox. `excess` says what it had too much of, once it was ended for that.

    `max_memory_mb` is the most memory that its processes were seen to hold.
    """

    def __init__(self, limits: "Limits", sandbox: Sandbox, memory_mb: int, share: float | None) -> None:
        self._limits, self._sandbox, self._memory_mb, self._share = limits, sandbox, memory_mb, share
        self.max_memory_mb = 0.0
        self.excess = ""
        self._allowance: Allowance | None = None
        self._lock = threading.Lock()  # of all that follows: two threads look
        self._runs = self._watched = False
        self._idle: Callable[[], None] | None = None
        self._idle_at = 0.0  # when it is idle, if it computes nothing until then
        self._look_at = 0.0  # when its memory is to be looked at again (monotonic)
        self._tasks = 0  # how many processes and threads there were at the last look
        self._computed_s = -1.0  # how long they had computed at the last look; there was none yet

    @contextlib.contextmanager
    def kept(self, cpu: bool = True, idle: Callable[[], None] | None = None) -> Iterator[Allowance | None]:
        """Keep it to its limits while this lasts, without `cpu` to all but that; None where CPU has no limit.

        `idle` is called when it has computed nothing for IDLE_S. Its processes may still be stopped at the end, and are
        then to be frozen or killed.
        """
        self._idle, self._idle_at = idle, time.monotonic() + IDLE_S
        self._allowance = Allowance(self._sandbox, self._share) if cpu and self._share else None
        self._runs = True
        try:
            yield self._allowance
        finally:
            with self._lock:
                self._runs = False
            if self._watched:
                self._limits.leave(self)
                self._watched = False

    def lasts(self) -> None:
        """It has run for a moment: from now on it is looked at."""
        if not self._watched:
            self._watched = True
            self._limits.watch(self)

    def look_at_cpu(self) -> None:
        """Stop it for a moment, or let it go on, by its share."""
        with self._lock:
            if self._runs and self._allowance:
                self._allowance.look()

    def look_at_all_else(self) -> None:
        """End it if it has too much of anything; where nothing was computed since the last look, there is no more."""
        with self._lock:
            now = time.monotonic()
            if not self._runs or self.excess or now < self._look_at:
                return
            if self._sandbox.cpu_seconds() != self._computed_s:
                self._measure()
                self._idle_at = now + IDLE_S
                if self.excess:
                    self._sandbox.end()
            elif self._idle and now >= self._idle_at:
                self._idle()

    def looked(self) -> str:
        """What it has too much of, once more, unless it has computed too little for that since the last look."""
        with self._lock, contextlib.suppress(OSError):  # no descriptor is left to look with: what it answered counts
            if not self.excess and self._sandbox.cpu_seconds() - self._computed_s >= LITTLE_S:
                self._measure()
        return self.excess

    def _measure(self) -> None:
        self._look_at = time.monotonic() + LOOK_S
        # Before it is counted what that has started: it goes on meanwhile.
        self._computed_s = self._sandbox.cpu_seconds()
        before, self._tasks = self._tasks, self._sandbox.tasks()
        if self._tasks > TASKS:
            self.excess = PROCESSES
        elif self._tasks <= before + RUSH:
            self.max_memory_mb = max(self.max_memory_mb, self._sandbox.max_memory_mb())
            if self.max_memory_mb > self._memory_mb:
                self.excess = MEMORY


class Limits:
    """The limits of all functions, and the thread that looks; without `cpu_share` all may compute freely."""

    def __init__(self, cpu_share: bool = True) -> None:
        self._cpu_share = cpu_share
        self._cores = cores()
        self._running: set[Limit] = set()
        self._changed = threading.Condition()
        threading.Thread(target=self._look, daemon=True, name="limits").start()

    def of(self, sandbox: Sandbox, memory_mb: int) -> Limit:
        of_cpu = share(memory_mb)
        return Limit(self, sandbox, memory_mb, of_cpu if self._cpu_share and of_cpu < self._cores else None)

    def watch(self, limit: Limit) -> None:
        with self._changed:
            self._running.add(limit)
            self._changed.notify()

    def leave(self, limit: Limit) -> None:
        with self._changed:
            self._running.discard(limit)

    def _look(self) -> None:
        turn: list[Limit] = []  # who is still to be measured, before all have their turn again
        spent_s = 0.0  # for what is measured, of what there was for it
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._running)
                running = list(self._running)
            began, began_s = time.monotonic(), time.thread_time()
            for limit in running:
                with contextlib.suppress(OSError):  # no descriptor is left to look with: soon again
                    limit.look_at_cpu()
            looked_s = time.thread_time() - began_s
            turn = turn or running
            while turn and spent_s <= 0:
                before_s = time.thread_time()
                with contextlib.suppress(OSError):  # as above
                    turn.pop().look_at_all_else()
                spent_s += time.thread_time() - before_s
            time.sleep(max(MOMENT_S, looked_s * (1 / CPU_PART - 1)))
            spent_s = max(0.0, spent_s - ELSE_PART * (time.monotonic() - began))
