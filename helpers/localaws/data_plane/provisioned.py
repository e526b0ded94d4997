"""Provisioned concurrency: the environments of one version that are initialised before anybody calls it.

They are neither ended when they are idle nor when others need room, and one that dies is replaced.
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import itertools
import logging
import threading
from collections.abc import Callable

from . import census
from .execution_environment import ExecutionEnvironment
from .function import Function

# After so many inits in a row that failed there are no more: as many log streams had one on AWS, in localstack's
# recording test_provisioned_concurrency_init_failure of 17 February 2026.
ATTEMPTS = 6
ASK_AGAIN_S = 0.1

Release = Callable[[], None]
Occupy = Callable[[], Release | None]  # takes a unit of concurrency, and gives what gives it back; None: all are taken

log = logging.getLogger("localaws.provisioned")


class Provisioned:
    """As many initialised environments as are wanted. Whoever calls it has the `lock`, which is the pool's.

    `make` gives an environment that has not begun, `occupy` a unit of concurrency, which each has for its whole life.
    """

    def __init__(
        self, function: Function, lock: threading.Lock, make: Callable[[], ExecutionEnvironment], occupy: Occupy
    ) -> None:
        self.function = function
        self.wanted = 0
        self._lock, self._make, self._occupy = lock, make, occupy
        self._free: list[ExecutionEnvironment] = []  # the one used last stands last
        self._units: dict[ExecutionEnvironment, Release] = {}  # of all that are initialised, free or not
        self._beginning = 0  # those that wait for a unit, too
        self._inits: set[ExecutionEnvironment] = set()
        self._failures = 0  # of inits, in a row
        self._ended = threading.Event()

    @property
    def allocated(self) -> int:
        """How many are initialised, free or not."""
        return len(self._units)

    @property
    def not_busy(self) -> int:
        """How many there are that run no invocation, those that begin included."""
        return len(self._free) + self._beginning

    @property
    def failed(self) -> bool:
        """Whether init has failed too often to be tried again."""
        return self._failures >= ATTEMPTS

    def resize(self, wanted: int) -> list[ExecutionEnvironment]:
        """Hold this many from now on. It gives those that are free and too many: they are to be ended.

        Those that begin and are too many are ended here.
        """
        self.wanted, self._failures = wanted, 0
        surplus = self._free[: max(0, self.allocated - wanted)]
        for environment in surplus:
            self._free.remove(environment)
            self._forget(environment)
        for environment in list(self._inits)[: max(0, self.allocated + len(self._inits) - wanted)]:
            environment.abandon_init()
            self._inits.remove(environment)
        if not wanted:
            self._ended.set()
        self._fill()
        return surplus

    def take(self) -> ExecutionEnvironment | None:
        """One that is free, for one invocation."""
        return self._free.pop() if self._free else None

    def dead(self, look_at_all: bool = True) -> list[ExecutionEnvironment]:
        """Those that are free and were killed, to be closed; others take their places. Or only the next ones."""
        if look_at_all:
            dead = [environment for environment in self._free if not environment.lives]
        else:
            dead = list(itertools.takewhile(lambda environment: not environment.lives, reversed(self._free)))
        for environment in dead:
            self._free.remove(environment)
            self._forget(environment)
        if dead:
            self._fill()
        return dead

    def give_back(self, environment: ExecutionEnvironment, lives: bool) -> bool:
        """Take it back after its invocation; False where it has died or is one too many, and is to be ended."""
        if lives and self.allocated <= self.wanted:
            self._free.append(environment)
            return True
        self._forget(environment)
        self._fill()
        return False

    def _forget(self, environment: ExecutionEnvironment) -> None:
        self._units.pop(environment)()

    def _fill(self) -> None:
        """Begin as many as are missing. How many do so at a time, capacity.Admission says."""
        while self.allocated + self._beginning < self.wanted and not self.failed:
            self._beginning += 1
            threading.Thread(target=self._begin, daemon=True, name="provisioned concurrency").start()

    def _begin(self) -> None:
        release = self._unit()
        if release is None:
            return
        environment = self._make()
        with self._lock:
            self._inits.add(environment)
            if self.allocated + len(self._inits) > self.wanted:
                self._inits.remove(environment)
                environment.abandon_init()
        try:
            is_ready = environment.initialise()
        except Exception:  # this machine gives no more processes, or the server ends
            is_ready = False
            if not self._ended.is_set():
                log.exception("an environment of %s cannot begin", self.function.name)
        with self._lock:
            self._beginning -= 1
            is_wanted = environment in self._inits
            self._inits.discard(environment)
            self._failures = 0 if is_ready else self._failures + is_wanted
            keep = is_ready and self.allocated < self.wanted
            if keep:
                self._units[environment] = release
                self._free.append(environment)
            self._fill()
        if not keep:
            environment.retire(census.UNPROVISIONED if is_ready else census.FAILED)
            environment.close()
            release()

    def _unit(self) -> Release | None:
        """Wait for a unit of concurrency; None where one environment less is wanted meanwhile."""
        while True:
            with self._lock:
                if self.allocated + self._beginning > self.wanted:
                    self._beginning -= 1
                    return None
            if release := self._occupy():
                return release
            self._ended.wait(ASK_AGAIN_S)
