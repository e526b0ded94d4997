"""The process of a runtime as its execution environment hears it: its words, its output, and its end."""

import os
import select
import selectors
import signal
import time
from dataclasses import dataclass

from .limits import MEMORY, MOMENT_S, Limit
from .log_stream import LogStream, OutputReader
from .runtime_api import Message, RuntimeApi
from .sandbox import Sandbox

PIPE_BYTES = 65536  # what a pipe holds at most: pipe(7)
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
    """A started runtime: its sandbox, its Runtime API, its limit, and one place to wait for all that they say."""

    def __init__(self, sandbox: Sandbox, api: RuntimeApi, stream: LogStream, limit: Limit) -> None:
        self.sandbox, self.api, self.limit = sandbox, api, limit
        self._exit_code: int | None = None
        self._stream, self._reader = stream, OutputReader(stream)
        for descriptor in (sandbox.output, sandbox.status):
            api.selector.register(descriptor, selectors.EVENT_READ)

    def hear(self, deadline: float, *kinds: str) -> Message | Failure:
        """The runtime's next message of these kinds, or why there will be none; all output until then is read.

        It is kept to its limit meanwhile, where `limit.kept` lasts.
        """
        moment = time.monotonic() + MOMENT_S
        while (heard := self._next(kinds) or self._failure(deadline)) is None:
            if time.monotonic() >= moment:
                self._stream.release()  # who waits for its log is to see that it has begun
                self.limit.lasts()
                moment = deadline
            self._wait(min(moment, deadline) - time.monotonic())
        self._read()
        self._reader.feed(b"")  # what a function printed before it answered belongs before END, an unfinished line too
        return heard

    def hold_up(self, seconds: float, deadline: float) -> Failure | None:
        """Stop it for so long; why it has not begun, where it was killed meanwhile or its time is over.

        It may have said that it is ready before it was stopped, which counts for nothing then.
        """
        ended = select.poll()
        ended.register(self.sandbox.status, select.POLLIN)
        self.sandbox.freeze()
        has_ended = ended.poll(max(0.0, min(seconds, deadline - time.monotonic())) * 1000)
        self.sandbox.thaw()
        self._read()
        if has_ended:
            self._exit_code = self._read_exit_code()
        return self._failure(deadline)

    def lives(self) -> bool:
        """Whether it waits for an invocation, and nobody has killed it meanwhile."""
        return self.api.is_asked() and not self.sandbox.is_killed()

    def look(self) -> Failure | None:
        """Once it is frozen: what it has too much of, if anything."""
        self.limit.looked()
        return self._exceeded()

    def close(self) -> None:
        self.api.close()
        self.sandbox.kill()

    def _next(self, kinds: tuple[str, ...]) -> Message | Failure | None:
        """A message of these kinds that is there, unless it was bought with too much memory or too many processes."""
        while self.api.messages:
            message = self.api.messages.popleft()
            if message.kind in kinds:
                return self._exceeded() or message
            # any other is an answer to an invocation that is over
        return None

    def _exceeded(self) -> Failure | None:
        """As Lambda says it of a process that it has ended for too much of something."""
        if not self.limit.excess:
            return None
        error_type = "Runtime.OutOfMemory" if self.limit.excess == MEMORY else "Runtime.ExitError"
        return Failure(error_type, exit_message(-signal.SIGKILL))

    def _failure(self, deadline: float) -> Failure | None:
        """Why there will be no message any more, if so."""
        if self._exit_code is not None:
            return self._exceeded() or Failure("Runtime.ExitError", exit_message(self._exit_code))
        return timeout() if time.monotonic() >= deadline else None

    def _wait(self, seconds: float) -> None:
        """Wait for a word of the runtime, output, or the end of the process; at most `seconds`."""
        ready, spoke = self.api.wait(seconds)
        if self.sandbox.output in ready:
            self._read()
        # A runtime waits for the answer to its last word, so once the end shows without a word, all words are in.
        if self.sandbox.status in ready and not spoke:
            self._exit_code = self._read_exit_code()

    def _read_exit_code(self) -> int:
        return int(os.read(self.sandbox.status, 16) or -signal.SIGKILL)

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
