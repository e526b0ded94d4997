"""One execution environment: a process with a Runtime API, taken through Init, Invoke and Shutdown as on AWS.

It serves one invocation at a time, is frozen in between, and writes its log to a stream of its own. Life cycle and
error names: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.
"""

import json
import queue
import shutil
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from . import runtimes
from .cpu_share import Governor
from .function import Function
from .log_stream import LogStream
from .platform_logs import Format, JsonFormat, Report, TextFormat
from .runtime_api import MAX_RESPONSE_BYTES, Invocation, Message, RuntimeApi
from .runtime_process import RuntimeProcess, exit_message
from .sandbox import Keeper, View

INIT_LIMIT_S = 10.0
POLL_S = 0.02  # how often memory is looked at while a function runs
TELEMETRY_FD = 3  # any that is free


@dataclass
class Outcome:
    """How an invocation ended: the payload for the caller, whether it is an error, its report and its log."""

    payload: bytes
    failed: bool
    report: Report
    log: str


@dataclass
class Failure:
    """Why a process did not do what it was started or asked for."""

    error_type: str
    message: str = ""  # the platform's own sentence; empty where the runtime has told the error itself
    payload: bytes = b""
    status: str = "error"
    process_lives: bool = False


class ExecutionEnvironment:
    """Starts cold with the first `invoke`; `close` ends it. `used_at`: when it was last free, in monotonic seconds."""

    def __init__(
        self, function: Function, home: Path, keeper: Keeper, governor: Governor, endpoint: str,
        write_log: Callable[[Function, str, list[tuple[int, str]]], None],
    ) -> None:
        self.function = function
        self.used_at = time.monotonic()
        self.retired = False  # set by the pool: the function has changed, so not to be used again
        self._id = uuid.uuid4().hex
        self._keeper = keeper
        self._governor = governor
        self._endpoint = endpoint
        self._library = home / "runtimes"
        self._folder = home / "environments" / self._id
        self._stream = LogStream(function, self._id, write_log)
        system_level = function.log_levels.get("SystemLogLevel", "INFO")
        self._format: Format = JsonFormat(system_level) if function.log_format == "JSON" else TextFormat()
        self._process: RuntimeProcess | None = None
        self._runtime: runtimes.Runtime | None = None
        self._initialized = False  # the init phase is over, well or badly: a later init is part of an invocation
        self._max_memory_mb = 0.0

    @property
    def stream_name(self) -> str:
        return self._stream.name

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end, whatever that is. Never raises for anything that the function does."""
        self._stream.begin()
        init_ms = None if self._initialized else self._init_phase()
        started = time.monotonic()
        deadline = started + self.function.timeout_s
        failure = self._start_runtime(deadline, phase="invoke") if self._process is None else None
        self._stream.platform(self._format.start(invocation.request_id, self.function.version))
        message = failure or self._run(invocation, deadline)
        duration_ms = (time.monotonic() - started) * 1000
        return self._finish(invocation, message, duration_ms, init_ms)

    def close(self) -> None:
        """Shutdown. Without extensions AWS gives a function no notice of it either."""
        self._end_process()
        self._keeper.forget(self._id)
        shutil.rmtree(self._folder, ignore_errors=True)

    # Init

    def _init_phase(self) -> float | None:
        """The first start: its time in ms, or None when it failed and is to be tried again within the invocation."""
        self._initialized = True
        self._unpack()
        try:
            self._runtime = self._find_runtime()
        except runtimes.MissingRuntime:
            version, digest = f"{self.function.runtime}", "0" * 64
        else:
            version, digest = self._runtime.version, self._runtime.arn_digest
        arn = f"arn:aws:lambda:{self.function.region}::runtime:{digest}"
        self._stream.platform(self._format.init_start(version, arn))
        started = time.monotonic()
        failure = self._start_runtime(started + INIT_LIMIT_S, phase="init")
        return None if failure else (time.monotonic() - started) * 1000

    def _start_runtime(self, deadline: float, phase: str) -> Failure | None:
        """Start the process and wait until it asks for its first invocation; log and return what went wrong."""
        started = time.monotonic()
        failure = self._try_start(deadline)
        if failure:
            took = min(time.monotonic(), deadline) - started
            self._end_process()
            status, error_type = failure.status, failure.error_type if failure.status == "error" else ""
            self._stream.platform(self._format.init_report(took * 1000, phase, status, error_type))
        return failure

    def _try_start(self, deadline: float) -> Failure | None:
        try:
            runtime = self._runtime = self._runtime or self._find_runtime()
        except runtimes.MissingRuntime as error:
            return Failure("Runtime.InvalidEntrypoint", str(error))
        api = RuntimeApi()
        try:
            task, opt = self._folder / "task", self._folder / "opt"
            view = View(self._id, self.function.tmp_mb, [str(task), str(opt)], list(runtime.folders))
            sandbox = self._keeper.start(list(runtime.command), self._variables(runtime, api), task, view)
        except OSError:
            api.close()
            raise
        self._process = RuntimeProcess(sandbox, api, self._stream)
        message = self._await(deadline, "ready", "init-error")
        if isinstance(message, Failure):
            return message
        if message.kind == "init-error":
            return Failure(message.error_type or "Runtime.Unknown", payload=message.body)
        sandbox.freeze()
        return None

    def _find_runtime(self) -> runtimes.Runtime:
        return runtimes.find(self.function.runtime, self._folder / "task", self._folder / "opt", self._library)

    def _unpack(self) -> None:
        for folder, archives in (("task", [self.function.code]), ("opt", self.function.layers)):
            (self._folder / folder).mkdir(parents=True)
            for archive in archives:
                _unzip(archive, self._folder / folder)

    def _variables(self, runtime: runtimes.Runtime, api: RuntimeApi) -> dict[str, str]:
        """The whole environment of the process: what Lambda documents, the function's own, and AWS_ENDPOINT_URL.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
        """
        function, task, opt = self.function, self._folder / "task", self._folder / "opt"
        logging = {"AWS_LAMBDA_LOG_FORMAT": "JSON"} if function.log_format == "JSON" else {}
        if "ApplicationLogLevel" in function.log_levels:
            logging["AWS_LAMBDA_LOG_LEVEL"] = function.log_levels["ApplicationLogLevel"]
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:" + str(opt / "bin"),
            "LD_LIBRARY_PATH": ":".join(map(str, (task, task / "lib", opt / "lib"))),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_ENDPOINT_URL": self._endpoint,
            **runtime.variables,
            **function.variables,
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(runtimes.BOOTSTRAP),
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_ACCESS_KEY_ID": function.account,  # the emulator reads the account from it
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_SESSION_TOKEN": "embedded",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream.name,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "_LAMBDA_TELEMETRY_LOG_FD": str(TELEMETRY_FD),
            **logging,
        }

    # Invoke

    def _run(self, invocation: Invocation, deadline: float) -> Message | Failure:
        """Thaw, hand over the invocation, wait for the answer, and freeze once the runtime asks for the next one."""
        process = self._process
        invocation.deadline_ms = int((time.time() + deadline - time.monotonic()) * 1000)
        with self._governor.keep(process.sandbox, self.function.memory_mb) as allowance:
            process.sandbox.thaw()
            process.api.give(invocation)
            message = self._await(deadline, "response", "error", "too-large")
            if isinstance(message, Failure):
                return message
            afterwards = self._await(deadline, "ready")
        if isinstance(afterwards, Failure):
            if message.kind == "too-large":
                return _too_large(invocation, process_lives=False)
            if afterwards.error_type == "Runtime.OutOfMemory":
                return afterwards
            self._end_process()  # it answered and then ended: the caller has the answer, the next one starts anew
            return message
        process.sandbox.freeze()
        if allowance and not allowance.settle(deadline):
            return _timeout()
        return _too_large(invocation, process_lives=True) if message.kind == "too-large" else message

    def _await(self, deadline: float, *kinds: str) -> Message | Failure:
        """The runtime's next message of these kinds; or why there will be none."""
        process = self._process
        while True:
            try:
                message = process.api.messages.get_nowait()
            except queue.Empty:
                message = None
            if message and message.kind in kinds:
                process.read_output()
                return self._memory_failure() or message
            if message:
                continue  # an answer to an invocation that is over
            if process.exit_code is not None:
                process.read_output()
                return Failure("Runtime.ExitError", exit_message(process.exit_code))
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                process.read_output()
                return _timeout()
            process.wait(min(remaining, POLL_S))
            if failure := self._memory_failure():
                process.read_output()
                return failure

    def _memory_failure(self) -> Failure | None:
        self._max_memory_mb = max(self._max_memory_mb, self._process.sandbox.max_memory_mb())
        if self._max_memory_mb <= self.function.memory_mb:
            return None
        return Failure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")

    def _finish(self, invocation: Invocation, end: Message | Failure, duration_ms: float, init_ms) -> Outcome:
        report = Report(duration_ms, self.function.memory_mb, min(round(self._max_memory_mb), self.function.memory_mb),
                        init_ms)
        request_id = invocation.request_id
        if isinstance(end, Message):
            # An exception in the handler is the function's own affair: the platform's report says success.
            failed, payload = end.kind == "error", end.body
        else:
            failed, payload = True, self._explain(end, request_id, report)
            if not end.process_lives:
                self._end_process()
                if end.error_type == "Runtime.OutOfMemory":
                    self._max_memory_mb = 0.0  # the next process starts with an empty memory
        self._stream.platform(self._format.end(request_id))
        self._stream.platform(self._format.report(request_id, report))
        self.used_at = time.monotonic()
        return Outcome(payload, failed, report, self._stream.text())

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

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


def _timeout() -> Failure:
    return Failure("Sandbox.Timedout", status="timeout")


def _too_large(invocation: Invocation, process_lives: bool) -> Failure:
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    payload = _error_payload("Function.ResponseSizeTooLarge", message)
    return Failure("Function.ResponseSizeTooLarge", payload=payload, process_lives=process_lives)


def _error_payload(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


def _unzip(archive: bytes, folder: Path) -> None:
    """Unpack with the permissions that the archive holds, as Lambda does."""
    with zipfile.ZipFile(BytesIO(archive)) as package:
        for entry in package.infolist():
            path = Path(package.extract(entry, folder))
            if mode := entry.external_attr >> 16 & 0o777:
                path.chmod(mode)
