"""Which execution environment serves an invocation: a warm one that is free, or a new one.

One environment serves one invocation at a time, so N concurrent invocations have N environments. Those that nobody
has used for a while are ended; so are those of a function that was changed or deleted. Provisioned ones come first.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from . import capacity, census
from .archives import Archives, remove, remove_left
from .credentials import Roles
from .execution_environment import ON_DEMAND, PROVISIONED, SNAP_START, ExecutionEnvironment, Outcome
from .function import Function
from .limits import Limits
from .log_stream import WriteLog
from .provisioned import Occupy, Provisioned
from .runtime_api import Invocation
from .sandbox import Keeper, end_leftovers
from .slow_inits import SlowInits
from .snapshot import RestoredEnvironment, Snapshot, Snapshots
from .trust import Trust

REAP_EVERY_S = 0.5
# What each environment is made with.
Parts = tuple[Path, Keeper, Archives, Limits, str, WriteLog, Roles, capacity.Admission, Trust, census.Census, SlowInits]


class Pool:
    """All execution environments of the embedded AWS. `write_log` stores log events, `roles` gives credentials.

    `cpu_share` says whether each gets only the share of CPU that goes with its memory, `most` how many there may be:
    for another one, the one that nobody has used for the longest time is ended. `heard`: see capacity.Admission;
    `certificate`: see Trust; `told`: who is told of all environments.
    """

    def __init__(
        self,
        home: Path,
        endpoint: str,
        write_log: WriteLog,
        roles: Roles,
        cpu_share: bool = True,
        most: int = capacity.ACCOUNT,
        heard: Callable[[], None] = lambda: None,
        certificate: Callable[[], Path | None] = lambda: None,
        told: census.Census | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home, self._endpoint, self._write_log, self._roles, self._clock = home, endpoint, write_log, roles, clock
        self._most, self._admission = most, capacity.Admission(heard)
        self.told = told or census.Census()
        end_leftovers(home / "environments")  # of a server that was killed, and its keeper too
        self._keeper = Keeper()
        self._archives = Archives(home / "unpacked", lambda: self._keeper.confines)
        self._remove_files()
        self._limits = Limits(cpu_share)
        self._trust = Trust(home / "trust", certificate)
        self.slow_inits = SlowInits()
        self._lock = threading.Lock()
        self._free: dict[tuple[str, str, str], list[ExecutionEnvironment]] = {}  # the one used last stands last
        self._busy: set[ExecutionEnvironment] = set()
        self._provisioned: dict[tuple[str, str], Provisioned] = {}
        self._lent: dict[ExecutionEnvironment, Provisioned] = {}  # the busy ones that are provisioned
        self._snapshots = Snapshots(lambda function: Snapshot(function, *self._parts(), SNAP_START))
        self._closed = threading.Event()
        threading.Thread(target=self._reap_idle, daemon=True, name="reaper").start()

    def invoke(self, function: Function, invocation: Invocation) -> Outcome:
        """Run one invocation in an environment of its own. Raises capacity.Exhausted, and then nothing has run."""
        environment = self._take(function)
        try:
            outcome = environment.invoke(invocation)
        except BaseException as error:
            self._drop(environment)
            if isinstance(error, OSError) and error.errno in capacity.USED_UP:
                raise capacity.Exhausted(error.strerror) from None
            raise
        self._give_back(environment)
        return outcome

    def provision(self, function: Function, number: int, occupy: Occupy) -> None:
        """Hold so many environments of this version initialised from now on; they begin in the background."""
        key = _version(function)
        with self._lock:
            held, old = self._provisioned.get(key), list[ExecutionEnvironment]()
            if held is None or held.function.fingerprint != function.fingerprint:
                old += _retired(held.resize(0), census.CHANGED) if held else []
                held = Provisioned(function, self._lock, lambda: self._one_more(function), occupy)
                self._provisioned[key] = held
            old += _retired(held.resize(number), census.UNPROVISIONED)
        self._close(old)

    def unprovision(self, arn: str, version: str) -> None:
        """End the provisioned environments of a version, at once or as soon as they are free."""
        with self._lock:
            held = self._provisioned.pop((arn, version), None)
            environments = held.resize(0) if held else []
        self._close(_retired(environments, census.UNPROVISIONED))

    def provisioned(self, arn: str, version: str) -> Provisioned | None:
        """What is held of a version, to be looked at."""
        return self._provisioned.get((arn, version))

    def take_snapshot(self, function: Function) -> None:
        """Init a version with SnapStart, for its environments to begin from; raises SnapshotFailed."""
        self._snapshots.give_back(self._snapshots.borrow(function))

    def retire(self, arn: str, version: str | None = None, reason: str = census.CHANGED) -> None:
        """End the environments of a function (of one version of it), at once or as soon as they are free."""
        with self._lock:
            retired = [key for key in self._free if _names(key[:2], arn, version)]
            environments = [environment for key in retired for environment in self._free.pop(key)]
            for key in [key for key in self._provisioned if _names(key, arn, version)]:
                environments += self._provisioned.pop(key).resize(0)
            for environment in self._busy:
                if _names(_version(environment.function), arn, version):
                    environment.retire(reason)
        self._close(_retired(environments, reason))
        self._snapshots.retire(lambda key: _names(key, arn, version))

    @property
    def closed(self) -> bool:
        """Whether functions end because the server does, so that what becomes of them is nobody's outcome."""
        return self._closed.is_set()

    def crash(self, environment: str) -> bool:
        """Kill the processes of the environment of this name, whatever it does; whether there were any."""
        entry = self.told.entries.get(environment)
        return entry is not None and entry.crash()

    def close(self) -> None:
        """End everything, busy or not."""
        self._closed.set()
        with self._lock:
            for held in self._provisioned.values():
                held.resize(0)
        self._keeper.close()
        self._remove_files()

    def _remove_files(self) -> None:
        self._archives.close()
        remove(self._home / "environments")

    def _take(self, function: Function) -> ExecutionEnvironment:
        with self._lock:
            held = self._provisioned.get(_version(function))
            self._close(_retired(held.dead(look_at_all=False), census.KILLED) if held else [])
            if held and (environment := held.take()):
                self._lent[environment] = held
                self._busy.add(environment)
                return environment
            free, stale = self._free.get(_key(function), []), list[ExecutionEnvironment]()
            while free and (reason := _unfit(free[-1], function)):  # the others are looked at when their turn comes
                stale += _retired([free.pop()], reason)
            is_warm = bool(free)
            environment = free.pop() if is_warm else self._new(function)
            environment.function = function  # the same but for its tags, and with them its idle time
            self._busy.add(environment)
            if not is_warm:  # a warm call must not grow with the number of environments
                stale += self._too_many()
        self._close(stale)
        return environment

    def _too_many(self) -> list[ExecutionEnvironment]:
        """Those of other functions that nobody has used for the longest time, where there are more than there may be.

        They are taken out of `_free`. Call it with the lock.
        """
        free = [environment for free in self._free.values() for environment in free]
        provisioned = sum(held.not_busy for held in self._provisioned.values())
        number = len(free) + provisioned + len(self._busy) + len(self._snapshots) - self._most
        if number <= 0:
            return []
        oldest = sorted(free, key=lambda environment: environment.used_at)[:number]
        for environment in oldest:
            self._free[_key(environment.function)].remove(environment)
        return _retired(oldest, census.ROOM)

    def _one_more(self, function: Function) -> ExecutionEnvironment:
        """A provisioned one that has not begun; others make room."""
        with self._lock:
            too_many = self._too_many()
        self._close(too_many)
        return ExecutionEnvironment(function, *self._parts(), PROVISIONED)

    def _new(self, function: Function) -> ExecutionEnvironment:
        if function.snapstart:
            return RestoredEnvironment(self._snapshots, function, *self._parts(), SNAP_START)
        return ExecutionEnvironment(function, *self._parts(), ON_DEMAND)

    def _parts(self) -> Parts:
        return (
            self._home,
            self._keeper,
            self._archives,
            self._limits,
            self._endpoint,
            self._write_log,
            self._roles,
            self._admission,
            self._trust,
            self.told,
            self.slow_inits,
        )

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            self._busy.discard(environment)
            held = self._lent.pop(environment, None)
            keep = not environment.retired and not self._closed.is_set()
            if held:
                keep = held.give_back(environment, keep and environment.is_ready)
                if not keep and not environment.retired:
                    environment.retire(census.UNPROVISIONED)
            elif keep:
                self._free.setdefault(_key(environment.function), []).append(environment)
        if not keep:
            environment.close()

    def _drop(self, environment: ExecutionEnvironment) -> None:
        """End one that has broken."""
        if not environment.retired:
            environment.retire(census.FAILED)
        self._give_back(environment)

    def _reap_idle(self) -> None:
        while not self._closed.wait(REAP_EVERY_S):
            remove_left()
            now = self._clock()
            with self._lock:
                free = [environment for free in self._free.values() for environment in free]
                idle = _retired([each for each in free if now - each.used_at > each.function.idle_s], census.IDLE)
                if self.told.watched.is_set():  # else who calls next finds that somebody has killed it
                    idle += _retired([each for each in free if not each.lives and each not in idle], census.KILLED)
                for environment in idle:
                    self._free[_key(environment.function)].remove(environment)
                for held in self._provisioned.values():
                    idle += _retired(held.dead(), census.KILLED)
            self._close(idle)

    @staticmethod
    def _close(environments: list[ExecutionEnvironment]) -> None:
        """End them, all at the same time; nobody waits until the system has taken down what was theirs."""
        for environment in environments:
            environment.end()

        def close() -> None:
            for environment in environments:
                environment.close()

        if environments:
            threading.Thread(target=close, name="closing").start()


def _retired(environments: list[ExecutionEnvironment], reason: str) -> list[ExecutionEnvironment]:
    """These, which now know why they are to be ended."""
    for environment in environments:
        environment.retire(reason)
    return environments


def _unfit(environment: ExecutionEnvironment, function: Function) -> str:
    """Why this environment is not to serve the function any more, if so."""
    if environment.function.fingerprint != function.fingerprint:
        return census.CHANGED
    return "" if environment.lives else census.KILLED  # by somebody: whoever calls need not hear of that


def _key(function: Function) -> tuple[str, str, str]:
    """What the environments have in common that may serve the same invocations."""
    return *_version(function), function.tenant_id


def _version(function: Function) -> tuple[str, str]:
    return function.arn, function.version


def _names(key: tuple[str, str], arn: str, version: str | None) -> bool:
    own_arn, own_version = key
    return own_arn == arn and version in (None, own_version)
