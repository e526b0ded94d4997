"""The process of a runtime as its execution environment hears it: its words, its output, its memory, and its end."""

import os
import selectors
import signal
import time
from dataclasses import dataclass

from ...facts import fact
from .log_stream import LogStream, OutputReader
from .runtime_api import Message, RuntimeApi
from .sandbox import Sandbox

PIPE_BYTES = 65536  # what a pipe holds at most: pipe(7)
POLL_S = 0.02  # how often memory and processes are looked at while a function runs
LITTLE_S = 0.001  # of computing between its answer and its next question: nothing worth a look
RUSH = 16  # while more than that start between two looks they are only counted, as many cannot be measured as quickly
TASKS: int = fact("processes")  # AWS lets a function start no more, threads included; here it is ended
SIGNALS: dict[int, str] = {
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupt",
    signal.SIGBUS: "bus error",
}


@dataclass
class Failure:
    """Why a process did not do what it was started or asked for."""

    error_type: str
    message: str = ""  # the platform's own sentence; empty where the runtime has told the error itself
    payload: bytes = b""
    status: str = "error"
    process_lives: bool = False


def timeout() -> Failure:
    return Failure("Sandbox.Timedout", status="timeout")


class RuntimeProcess:
    """A started runtime: its sandbox, its Runtime API, and one place to wait for all that they say.

    `max_memory_mb` is the most memory that it was seen to hold; more than `memory_limit_mb` is a failure, and so are
    more processes than Lambda has.
    """

    def __init__(self, sandbox: Sandbox, api: RuntimeApi, stream: LogStream, memory_limit_mb: int) -> None:
        self.sandbox, self.api = sandbox, api
        self.max_memory_mb = 0.0
        self._memory_limit_mb = memory_limit_mb
        self._look_at = 0.0  # when it is to be looked at again (monotonic)
        self._tasks = 0  # how many processes and threads there were at the last look
        self._computed_s = 0.0  # how long its processes had computed at the last look
        self._exit_code: int | None = None
        self._reader = OutputReader(stream)
        for descriptor in (sandbox.output, sandbox.status):
            api.selector.register(descriptor, selectors.EVENT_READ)

    def hear(self, deadline: float, *kinds: str) -> Message | Failure:
        """The runtime's next message of these kinds, or why there will be none; all output until then is read."""
        heard = self._next(kinds) or self._failure(deadline)
        while heard is None:
            self._wait(min(deadline - time.monotonic(), POLL_S))
            heard = self._next(kinds) or self._excess_now_and_then() or self._failure(deadline)
        self._read()
        self._reader.feed(b"")  # what a function printed before it answered belongs before END, an unfinished line too
        return heard

    def close(self) -> None:
        self.api.close()
        self.sandbox.kill()

    def _next(self, kinds: tuple[str, ...]) -> Message | Failure | None:
        """A message of these kinds that is there, unless it was bought with too much memory or too many processes."""
        while self.api.messages:
            message = self.api.messages.popleft()
            if message.kind in kinds:
                idle = message.kind == "ready" and self.sandbox.cpu_seconds() - self._computed_s < LITTLE_S
                return (None if idle else self._excess()) or message
            # any other is an answer to an invocation that is over
        return None

    def _failure(self, deadline: float) -> Failure | None:
        """Why there will be no message any more, if so."""
        if self._exit_code is not None:
            return Failure("Runtime.ExitError", exit_message(self._exit_code))
        return timeout() if time.monotonic() >= deadline else None

    def _excess_now_and_then(self) -> Failure | None:
        """A look now and then, and only where something was computed: else nothing was allocated or started."""
        if time.monotonic() < self._look_at:
            return None
        return self._excess() if self.sandbox.cpu_seconds() != self._computed_s else None

    def _excess(self) -> Failure | None:
        self._look_at = time.monotonic() + POLL_S
        before, self._tasks = self._tasks, self.sandbox.tasks()
        self._computed_s = self.sandbox.cpu_seconds()
        if self._tasks > TASKS:
            return Failure("Runtime.ExitError", exit_message(-signal.SIGKILL))
        if self._tasks <= before + RUSH:
            self.max_memory_mb = max(self.max_memory_mb, self.sandbox.max_memory_mb())
        if self.max_memory_mb <= self._memory_limit_mb:
            return None
        return Failure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")

    def _wait(self, seconds: float) -> None:
        """Wait for a word of the runtime, output, or the end of the process; at most `seconds`."""
        ready, spoke = self.api.wait(seconds)
        if self.sandbox.output in ready:
            self._read()
        # A runtime waits for the answer to its last word, so once the end shows without a word, all words are in.
        if self.sandbox.status in ready and not spoke:
            self._exit_code = int(os.read(self.sandbox.status, 16) or -signal.SIGKILL)

    def _read(self) -> None:
        """Read once, all that the pipe holds: to read on until it is empty might never end."""
        output = self.sandbox.output
        try:
            data = os.read(output, PIPE_BYTES)
        except BlockingIOError:
            return
        self._reader.feed(data)
        if not data and output in self.api.selector.get_map():  # every holder of the other end is gone
            self.api.selector.unregister(output)


def exit_message(code: int) -> str:
    """What Lambda says of a process that ended with this code, or by a signal, which counts negative."""
    if code == 0:
        return "Runtime exited without providing a reason"
    reason = f"exit status {code}" if code > 0 else f"signal: {SIGNALS.get(-code, str(-code))}"
    return f"Runtime exited with error: {reason}"
