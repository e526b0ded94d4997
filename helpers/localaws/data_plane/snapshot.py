"""SnapStart: a snapshot for each version, made by an init when it is published, and the environments restored from it.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html. A snapshot is a process that has done its init and waits,
with its memory and its /tmp; restored is a copy that it forks (bootstrap/lambda_snapstart.py). It gets no invocation.
"""

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from ...facts import fact
from . import census
from .credentials import ContainerCredentials
from .execution_environment import Begun, ExecutionEnvironment, Outcome
from .function import Function
from .limits import TASKS
from .platform_logs import Restore
from .runtime_api import Invocation, Message, RuntimeApi
from .runtime_process import Failure, RuntimeProcess
from .runtime_variables import restore_variables
from .runtimes import Runtime
from .sandbox import Sandbox
from .states import Ended, Starting, State

RESTORE_LIMIT_S = float(fact("restore"))


class RestoreError(Exception):
    """An environment could not be restored: the error of Invoke and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class SnapshotFailed(Exception):
    """The init of a version failed; the message says why, and `failure` how."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        too_long = "The init code took too long." if failure.status == "timeout" else ""
        super().__init__(too_long or failure.message or _told(failure.payload) or failure.error_type)


class Snapshot(ExecutionEnvironment):
    """The snapshot of one version. `users` and `retired` are for Snapshots."""

    def __init__(self, function: Function, *others: Any) -> None:
        super().__init__(function, *others)
        self.users, self.retired = 0, False
        self._taking = threading.Lock()
        self.is_taken = False  # also once its process has gone
        self._error: BaseException | None = None  # of the taking
        self._channel, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def take(self) -> None:
        """Do the init, unless it was done; raises SnapshotFailed, also to those who have waited meanwhile."""
        with self._taking:
            if self._error:
                raise self._error
            if isinstance(self._state, Starting):
                return
            try:
                with self._admission.place() as idle:
                    self._take(idle)
            except BaseException as error:
                self._error = error
                raise

    def lost(self) -> bool:
        """Whether it was taken, and its process is not there any more."""
        state, ended = self._state, select.poll()
        if not isinstance(state, Starting):
            return False
        ended.register(state.process.sandbox.status, select.POLLIN)
        return bool(ended.poll(0))

    def restore(self, api: RuntimeApi, credentials: ContainerCredentials) -> Sandbox:
        """A copy of its process, which speaks with this Runtime API."""
        variables = restore_variables(api.address, credentials)
        return self._keeper.restore(self._channel, variables, self.function.tmp_mb, TASKS)

    def close(self) -> None:
        self._channel.close()
        self._theirs.close()
        super().close()

    def _take(self, idle: Callable[[], None]) -> None:
        self.entry.created()
        self._unpack()
        self._write_init_start()
        started = time.monotonic()
        if failure := self._start_runtime(started + self._init_limit_s, phase="init", idle=idle):
            raise SnapshotFailed(failure)
        self._stream.platform(self._format.init_report((time.monotonic() - started) * 1000, "init", "success", ""))
        self.entry.ended(census.SNAPSHOT)  # it serves no invocation

    def _begin(self, runtime: Runtime) -> RuntimeProcess:
        credentials = ContainerCredentials(self._assumed())
        api = RuntimeApi(restored=False, credentials=credentials)
        return self._process(api, lambda: self._start_process(runtime, api, credentials, self._theirs))

    def _hear_begun(self, process: RuntimeProcess, deadline: float) -> Message | Failure:
        return self._hear(process, deadline, "snapshot", "init-error")

    def _settled(self, starting: Starting) -> State:
        """It is not frozen: it waits for who wants a copy, and what is frozen would be its copies, too."""
        self._theirs.close()
        self.is_taken = True
        return starting


class Snapshots:
    """The snapshots of all versions; `make` gives one that is not taken yet."""

    def __init__(self, make: Callable[[Function], Snapshot]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], Snapshot] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def borrow(self, function: Function) -> Snapshot:
        """That of a version, for `give_back`. It is taken where there is none, or none any more; SnapshotFailed."""
        key = function.arn, function.version
        with self._lock:
            kept = self._kept.get(key)
            useless = kept and (kept.lost() or kept.function.fingerprint != function.fingerprint)
            closing = self._retire([key]) if useless else []
            if key not in self._kept:
                self._kept[key] = self._make(function)
            snapshot = self._kept[key]
            snapshot.users += 1
        for each in closing:
            each.close()
        try:
            snapshot.take()
        except BaseException:
            with self._lock:
                if self._kept.get(key) is snapshot:
                    self._retire([key])
            self.give_back(snapshot)
            raise
        return snapshot

    def give_back(self, snapshot: Snapshot) -> None:
        with self._lock:
            snapshot.users -= 1
            unused = snapshot.retired and not snapshot.users
        if unused:
            snapshot.close()

    def retire(self, names: Callable[[tuple[str, str]], bool]) -> None:
        """End those of versions that `names` says, at once or with the last environment that was restored from them."""
        with self._lock:
            unused = self._retire([key for key in self._kept if names(key)])
        for snapshot in unused:
            snapshot.close()

    def _retire(self, keys: list[tuple[str, str]]) -> list[Snapshot]:
        """Forget them; those that nobody uses are returned, to be closed."""
        retired = [self._kept.pop(key) for key in keys if key in self._kept]
        for snapshot in retired:
            snapshot.retired = True
            if not snapshot.is_taken:
                snapshot.abandon_init()
        return [snapshot for snapshot in retired if not snapshot.users]


class RestoredEnvironment(ExecutionEnvironment):
    """An execution environment that begins from the snapshot of its version. `invoke` may raise RestoreError."""

    def __init__(self, snapshots: Snapshots, function: Function, *others: Any) -> None:
        super().__init__(function, *others)
        self._snapshots = snapshots
        self._snapshot: Snapshot | None = None
        self._asked_at = 0.0  # when the runtime was there again (monotonic)

    def invoke(self, invocation: Invocation) -> Outcome:
        try:
            outcome = super().invoke(invocation)
        except RestoreError as error:
            self.entry.finished(invocation.request_id, error.code)
            raise
        if isinstance(self._state, Ended):
            self.retired = True  # with its processes its /tmp has gone; the next one is restored anew
        return outcome

    def close(self) -> None:
        super().close()
        if self._snapshot:
            self._snapshots.give_back(self._snapshot)
            self._snapshot = None

    def _init(self) -> Begun:
        try:
            self._snapshot = self._snapshots.borrow(self.function)
        except SnapshotFailed as error:
            message = f"Lambda couldn't regenerate the SnapStart snapshot for the function. {error}"
            raise RestoreError("SnapStartRegenerationFailureException", message) from error
        return super()._init()

    def _init_phase(self, idle: Callable[[], None]) -> Begun:
        self._stream.platform(self._format.restore_start(*self._runtime_version()))
        self._stream.begin()  # as after INIT_START
        started = time.monotonic()
        self.entry.init(phase="restore")
        try:
            failure = self._try_start(started + RESTORE_LIMIT_S, idle)
        except OSError as error:  # the snapshot's process has ended meanwhile; the next invocation takes it anew
            failure = Failure("Runtime.ExitError", str(error))
        ended = time.monotonic()
        took_ms = (ended - started) * 1000
        if failure is None:
            self._stream.platform(self._format.restore_report(took_ms, "success", ""))
            self.entry.ready(took_ms, self._max_memory_mb, "restore_ms")
            return Begun(restore=Restore(took_ms, (ended - self._asked_at) * 1000))
        self._state = self._state.end()
        self.entry.ended(census.TIMEOUT if failure.status == "timeout" else census.FAILED)
        error_type = "" if failure.status == "timeout" else failure.error_type
        self._stream.platform(self._format.restore_report(took_ms, failure.status, error_type))
        if failure.status == "timeout":
            message = "Lambda couldn't restore the snapshot within the timeout limit."
            raise RestoreError("SnapStartTimeoutException", message)
        message = _told(failure.payload) or failure.message or failure.error_type
        raise RestoreError("SnapStartException", message)

    def _begin(self, runtime: Runtime) -> RuntimeProcess:
        assert self._snapshot
        snapshot, credentials = self._snapshot, ContainerCredentials(self._assumed())
        api = RuntimeApi(restored=True, credentials=credentials)
        return self._process(api, lambda: snapshot.restore(api, credentials))

    def _hear_begun(self, process: RuntimeProcess, deadline: float) -> Message | Failure:
        heard = self._hear(process, deadline, "restored")
        self._asked_at = time.monotonic()
        return heard if isinstance(heard, Failure) else self._hear(process, deadline, "ready", "restore-error")


def _told(payload: bytes) -> str:
    """What a runtime has said of an error, as AWS's own error messages name it."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        told = json.loads(payload)
        return f"{told['errorType']}: {told['errorMessage']}"
    return ""
