"""One execution environment: a process with a Runtime API, taken through Init, Invoke and Shutdown as on AWS.

It serves one invocation at a time, is frozen in between, and writes its log to a stream of its own. Life cycle and
error names: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.
"""

import json
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from ...facts import fact
from . import census, confinement, runtimes
from .archives import Archives, remove
from .capacity import USED_UP, Admission
from .credentials import ContainerCredentials, Credentials, Roles
from .function import Function
from .limits import TASKS, Limits
from .log_stream import LogStream, WriteLog
from .places import Places
from .platform_logs import Format, JsonFormat, Report, Restore, TextFormat, sampled
from .runtime_api import Invocation, Message, RuntimeApi
from .runtime_process import Failure, RuntimeProcess, exit_message, timeout
from .runtime_variables import runtime_variables
from .sandbox import Keeper, Sandbox, View
from .slow_inits import SlowInits
from .states import Created, Ready, Starting, State
from .trust import Trust

INIT_LIMIT_S = float(fact("init"))
PROVISIONED_INIT_LIMITS_S = (float(fact("init_provisioned")), float(fact("init_provisioned_max")))
# AWS_LAMBDA_INITIALIZATION_TYPE
ON_DEMAND, PROVISIONED, SNAP_START = "on-demand", "provisioned-concurrency", "snap-start"
OPEN_FILES: int = fact("open_files")
CHECKOUT = Path(__file__).parents[3]


@dataclass
class Outcome:
    """How an invocation ended: the payload for the caller, whether it is an error, its report and its log."""

    payload: bytes
    failed: bool
    report: Report
    log: str
    initialization_type: str  # of its environment


@dataclass
class Begun:
    """What the begin of an environment took, for the report of its first invocation."""

    init_ms: float | None = None
    restore: Restore | None = None


class ExecutionEnvironment:
    """Starts cold with the first `invoke`, unless `initialise` came before; `close` ends it.

    `used_at`: when it was last free, in monotonic seconds.
    """

    _noted: ClassVar[set[tuple[str, str]]] = set()  # the functions that have been told something of their runtime

    def __init__(
        self,
        function: Function,
        home: Path,
        keeper: Keeper,
        archives: Archives,
        limits: Limits,
        endpoint: str,
        write_log: WriteLog,
        roles: Roles,
        admission: Admission,
        trust: Trust,
        told: census.Census,
        slow_inits: SlowInits,
        initialization_type: str,
    ) -> None:
        self.function = function
        self._initialization_type = initialization_type
        self._init_limit_s = init_limit_s(initialization_type, function.timeout_s)
        self.used_at = time.monotonic()
        self.retired = False  # not to be used again
        self._abandoned = False  # not to begin
        self._reason = census.CLOSED  # why it ends
        self._id = uuid.uuid4().hex
        self._keeper = keeper
        self._archives = archives
        self._limits = limits
        self._endpoint = endpoint
        self._roles = roles
        self._admission = admission  # of those that begin
        self._trust = trust
        self._credentials: Credentials | None = None  # from Init on
        self._library = home / "runtimes"
        self._folder = home / "environments" / self._id
        self._home = home.parent
        self._stream = LogStream(function, self._id, write_log)
        self.entry = census.Entry(told, function, self._stream.name, initialization_type)
        self.entry.crash = self._crash
        self._slow_inits = slow_inits
        system_level = function.log_levels.get("SystemLogLevel", "INFO")
        is_json = function.log_format == "JSON"
        in_json = JsonFormat(system_level, initialization_type, function, self._stream.name)
        self._format: Format = in_json if is_json else TextFormat()
        self._runtime: runtimes.Runtime | None = None
        self._state: State = Created()
        self._max_memory_mb = 0.0  # of the process that ran last
        self._begun = Begun()  # what stands in no report yet

    @property
    def stream_name(self) -> str:
        return self._stream.name

    @property
    def is_ready(self) -> bool:
        """Whether its process waits for an invocation."""
        return isinstance(self._state, Ready)

    def initialise(self) -> bool:
        """Init before there is an invocation, as provisioned concurrency has it; whether it is ready then.

        Its time stands in the report of the first invocation, however much later that comes, as on AWS.
        """
        self._begun = self._init()
        return self.is_ready

    @property
    def lives(self) -> bool:
        """Whether it can serve an invocation: while nobody heard it, its process may have been killed."""
        return not isinstance(self._state, Ready) or self._state.process.lives()

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end, whatever that is. Never raises for anything that the function does.

        Raises OSError where this machine has no more of something to begin with.
        """
        self.entry.invoked(invocation.request_id)
        self._stream.begin()
        if isinstance(self._state, Created):
            self._begun = self._init()
        begun, self._begun = self._begun, Begun()
        started = time.monotonic()
        deadline = started + self.function.timeout_s
        failure = None if isinstance(self._state, Ready) else self._start_again(deadline)
        if failure:
            self._log_start(invocation)
        end = failure or self._run_or_lose(invocation, deadline)
        duration_ms = (time.monotonic() - started) * 1000
        return self._finish(invocation, end, duration_ms, begun)

    def retire(self, reason: str) -> None:
        """It is not to be used again, as the function has changed, or for another reason of census.py."""
        self.retired, self._reason = True, reason

    def abandon_init(self) -> None:
        """Kill what runs in it where that has not begun, or as soon as it runs: nobody wants it any more."""
        self._abandoned = True
        if not isinstance(self._state, Ready):
            self._crash()

    def end(self) -> None:
        """Kill what runs in it, before `close`; nobody waits for that."""
        if isinstance(self._state, Ready):
            self._state.process.sandbox.end()
            self.entry.ended(self._reason)

    def close(self) -> None:
        """Shutdown. Without extensions AWS gives a function no notice of it either."""
        self._state = self._state.close()
        self.entry.ended(self._reason)
        if self._credentials:
            self._roles.end(self._credentials)
        self._keeper.forget(self._id)
        remove(self._folder)

    def _crash(self) -> bool:
        """Kill what runs in it, whatever it does, as anybody on this machine could; whether there was something."""
        process: RuntimeProcess | None = getattr(self._state, "process", None)
        if process is None:
            return False
        process.sandbox.end()
        return True

    # Init

    def _init(self) -> Begun:
        """The first start, with no time when it failed and is to be tried again within the invocation.

        The wait for its turn to begin counts nowhere: neither as Init, nor as the invocation's.
        """
        self.entry.created()
        with self._admission.place() as leave:
            return self._init_phase(leave)

    def _init_phase(self, idle: Callable[[], None]) -> Begun:
        self._unpack()
        self._write_init_start()
        self._stream.begin()  # this line is in CloudWatch alone
        started = time.monotonic()
        failure = self._start_runtime(started + self._init_limit_s, phase="init", idle=idle)
        if failure:
            return Begun()
        init_ms = (time.monotonic() - started) * 1000
        self.entry.ready(init_ms, self._max_memory_mb)
        return Begun(init_ms=init_ms)

    def _unpack(self) -> None:
        self._archives.unpack([self.function.code], self._folder / "task")
        self._archives.unpack(self.function.layers, self._folder / "opt")

    def _write_init_start(self) -> None:
        """And once for a function, where its runtime is not what the name says, that it is not."""
        start, note = self._format.init_start(*self._runtime_version()), self._runtime.note if self._runtime else ""
        is_news = note and (self.function.arn, note) not in self._noted
        if is_news:
            self._noted.add((self.function.arn, note))
        self._stream.platform(start, self._format.init_note(note) if is_news else None)

    def _runtime_version(self) -> tuple[str, str]:
        """The version of its runtime, and the ARN of that."""
        try:
            self._runtime = self._find_runtime()
        except runtimes.MissingRuntime:
            version, digest = f"{self.function.runtime}", "0" * 64
        else:
            version, digest = self._runtime.version, self._runtime.arn_digest
        return version, f"arn:aws:lambda:{self.function.region}::runtime:{digest}"

    def _start_again(self, deadline: float) -> Failure | None:
        """Start a process after the one before has ended, within the time of the invocation."""
        started = time.monotonic()
        self.entry.created()
        failure = self._start_runtime(deadline, phase="invoke")
        if not failure:
            self.entry.ready((time.monotonic() - started) * 1000, self._max_memory_mb)
        return failure

    def _start_runtime(self, deadline: float, phase: str, idle: Callable[[], None] = lambda: None) -> Failure | None:
        """Start the process and wait until it asks for its first invocation; log and return what went wrong.

        `idle` is called when it computes nothing for a while.
        """
        started = time.monotonic()
        self.entry.init(phase=phase)
        failure = self._try_start(deadline, idle)
        if failure:
            self.entry.ended(_reason(failure, census.FAILED))
            took = min(time.monotonic(), deadline) - started
            self._state = self._state.end()
            status, error_type = failure.status, failure.error_type if failure.status == "error" else ""
            if not self._abandoned:
                self._stream.platform(self._format.init_report(took * 1000, phase, status, error_type))
        return failure

    def _try_start(self, deadline: float, idle: Callable[[], None]) -> Failure | None:
        try:
            runtime = self._runtime = self._runtime or self._find_runtime()
        except runtimes.MissingRuntime as error:
            return Failure("Runtime.InvalidEntrypoint", str(error))
        starting = self._state = self._state.start(lambda: self._begin(runtime))
        if self._abandoned:  # before there was a process
            self._crash()
        with starting.process.limit.kept(cpu=False, idle=idle):  # Init has all of it: AWS gives a burst
            failure = None
            if seconds := self._slow_inits.take(self.function.arn):
                idle()
                failure = starting.process.hold_up(seconds, deadline)
            message = failure or self._hear_begun(starting.process, deadline)
        if isinstance(message, Failure):
            return message
        if message.kind in ("init-error", "restore-error"):
            return Failure(message.error_type or "Runtime.Unknown", payload=message.body)
        self._state = self._settled(starting)
        return self._look(starting.process)

    def _hear_begun(self, process: RuntimeProcess, deadline: float) -> Message | Failure:
        """That its process has begun, or why it has not."""
        return self._hear(process, deadline, "ready", "init-error")

    def _settled(self, starting: Starting) -> State:
        """The state of an environment whose process has begun."""
        return starting.ready()

    def _begin(self, runtime: runtimes.Runtime) -> RuntimeProcess:
        api, credentials = RuntimeApi(), self._assumed()
        return self._process(api, lambda: self._start_process(runtime, api, credentials))

    def _assumed(self) -> Credentials:
        self._credentials = self._credentials or self._roles.assume(self.function.role, self.function.name)
        return self._credentials

    def _start_process(
        self,
        runtime: runtimes.Runtime,
        api: RuntimeApi,
        credentials: Credentials | ContainerCredentials,
        channel: socket.socket | None = None,
    ) -> Sandbox:
        places = Places(self._folder, runtime.mounts, self._keeper.confines)
        variables = runtime_variables(
            self.function,
            runtime,
            places,
            self._endpoint,
            self._stream.name,
            api.address,
            credentials,
            self._initialization_type,
        )
        hidden = [str(folder) for folder in (os.path.expanduser("~"), CHECKOUT, self._home)]
        is_managed = not self.function.runtime.startswith("provided")
        wrapper = self.function.variables.get("AWS_LAMBDA_EXEC_WRAPPER") if is_managed else None
        view = View(
            name=self._id,
            tmp_mb=self.function.tmp_mb,
            hidden=hidden,
            shown=list(runtime.folders),
            mounts=runtime.mounts,
            own={confinement.TASK: str(self._folder / "task"), confinement.OPT: str(self._folder / "opt")},
            open_files=OPEN_FILES,
            # Each that is restored from a snapshot has its own: with the snapshot's they would count together.
            processes=0 if channel else TASKS,
            replaced=runtime.replaced,
        )
        return self._keeper.start(places.command(runtime, wrapper), variables, Path(places.task), view, channel)

    def _process(self, api: RuntimeApi, start: Callable[[], Sandbox]) -> RuntimeProcess:
        try:
            sandbox = start()
        except OSError:
            api.close()
            raise
        return RuntimeProcess(sandbox, api, self._stream, self._limits.of(sandbox, self.function.memory_mb))

    def _find_runtime(self) -> runtimes.Runtime:
        task, opt, function = self._folder / "task", self._folder / "opt", self.function
        found = runtimes.find(function.runtime, task, opt, self._library, function.memory_mb, function.variables)
        confines = self._keeper.confines
        return self._trust.given_to(found, function.runtime, (task, opt), function.variables, confines)

    # Invoke

    def _run_or_lose(self, invocation: Invocation, deadline: float) -> Message | Failure:
        """Run it; where this machine has no more of something to hear and to stop its process with, that is lost."""
        try:
            return self._run(invocation, deadline)
        except OSError as error:
            if error.errno not in USED_UP:
                raise
            return Failure("Sandbox.Failure", f"This machine has no more for it: {error.strerror}")

    def _run(self, invocation: Invocation, deadline: float) -> Message | Failure:
        """Hand over the invocation, wait for the answer, and freeze once the runtime asks for the next one."""
        invocation.deadline_ms = int((time.time() + deadline - time.monotonic()) * 1000)
        assert isinstance(self._state, Ready)
        process = self._state.process
        with process.limit.kept() as allowance:
            invoking = self._state = self._state.invoke(invocation)
            self.entry.busy(invocation.request_id, self.function.idle_s)
            self._stream.begin()  # the tail begins at START; what init has said is in CloudWatch alone
            self._log_start(invocation)
            message = self._hear(process, deadline, "response", "error", "too-large", "truncated")
            if isinstance(message, Failure):
                return message
            afterwards = self._hear(process, deadline, "ready")
        if isinstance(afterwards, Failure):
            if message.kind == "too-large":
                return _too_large(message.limit, process_lives=False)
            if process.limit.excess or message.kind == "truncated":
                return afterwards
            self._state = (
                invoking.end()
            )  # it answered and then ended: the caller has the answer, the next one starts anew
            return message
        self._state = invoking.ready()
        if excess := self._look(process):
            return excess
        if allowance and not allowance.settle(deadline):
            return timeout()
        if message.kind == "too-large":
            return _too_large(message.limit, process_lives=True)
        return _truncated(invocation) if message.kind == "truncated" else message

    def _log_start(self, invocation: Invocation) -> None:
        self._stream.hold(
            self._format.start(invocation.request_id, self.function.version, sampled(invocation.trace_id))
        )

    def _look(self, process: RuntimeProcess) -> Failure | None:
        excess = process.look()
        self._max_memory_mb = process.limit.max_memory_mb
        return excess

    def _hear(self, process: RuntimeProcess, deadline: float, *kinds: str) -> Message | Failure:
        heard = process.hear(deadline, *kinds)
        self._max_memory_mb = process.limit.max_memory_mb
        return heard

    def _finish(self, invocation: Invocation, end: Message | Failure, duration_ms: float, begun: Begun) -> Outcome:
        used_mb = min(round(self._max_memory_mb), self.function.memory_mb)
        report = Report(duration_ms, self.function.memory_mb, used_mb, begun.init_ms)
        report.restore, report.trace = begun.restore, sampled(invocation.trace_id)
        request_id = invocation.request_id
        if isinstance(end, Message):
            # An exception in the handler is the function's own affair: the platform's report says success.
            failed, payload = end.kind == "error", end.body
        else:
            failed, payload = True, self._explain(end, request_id, report)
            if not end.process_lives:
                self._state = self._state.end()
        self._stream.platform(self._format.end(request_id), self._format.report(request_id, report))
        self.used_at = time.monotonic()
        status = "error" if failed and report.status == "success" else report.status
        self.entry.idle(report.duration_ms, report.billed_ms, used_mb, status, frozen=self.is_ready)
        if not self.is_ready:
            self.entry.ended(_reason(end, census.EXITED))
        self.entry.finished(request_id, (report.error_type or "Unhandled") if failed else None, report.duration_ms)
        return Outcome(payload, failed, report, self._stream.text(), self._initialization_type)

    def _explain(self, failure: Failure, request_id: str, report: Report) -> bytes:
        """Log what the platform says of a failure, note it in the report, and give the payload for the caller."""
        report.status, report.error_type = failure.status, failure.error_type
        if failure.status == "timeout":
            report.duration_ms, report.error_type = self.function.timeout_s * 1000.0, ""
            seconds = float(self.function.timeout_s)
            self._stream.platform(self._format.timed_out(request_id, seconds, datetime.now(UTC)))
            message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
            return _error_payload("Sandbox.Timedout", message)
        if failure.payload:
            return failure.payload
        self._stream.platform(self._format.failure(request_id, failure.message, failure.error_type))
        return _error_payload(failure.error_type, f"RequestId: {request_id} Error: {failure.message}")


def _reason(end: Message | Failure, otherwise: str) -> str:
    """Why a process has ended, in the words of census.py."""
    if isinstance(end, Message):
        return census.EXITED
    if end.status == "timeout":
        return census.TIMEOUT
    if end.error_type == "Runtime.OutOfMemory":
        return census.MEMORY
    return census.KILLED if end.message == exit_message(-signal.SIGKILL) else otherwise


def init_limit_s(initialization_type: str, timeout_s: int) -> float:
    """How long init may take, in s. It has longer where no call waits for it."""
    least, most = PROVISIONED_INIT_LIMITS_S
    return INIT_LIMIT_S if initialization_type == ON_DEMAND else min(max(least, float(timeout_s)), most)


def _truncated(invocation: Invocation) -> Failure:
    """Of a streamed response that has broken off, though its process lives."""
    error_type = "Runtime.TruncatedResponse"
    payload = _error_payload(error_type, f"RequestId: {invocation.request_id} Error: {error_type}")
    return Failure(error_type, payload=payload, process_lives=True)


def _too_large(limit: int, process_lives: bool) -> Failure:
    message = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    payload = _error_payload("Function.ResponseSizeTooLarge", message)
    return Failure("Function.ResponseSizeTooLarge", payload=payload, process_lives=process_lives)


def _error_payload(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
