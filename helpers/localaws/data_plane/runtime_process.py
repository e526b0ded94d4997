"""The process of a runtime as its execution environment sees it: one place to wait for it, and how it ended."""

import os
import selectors
import signal

from .log_stream import LogStream, OutputReader
from .runtime_api import RuntimeApi
from .sandbox import Sandbox

PIPE_BYTES = 65536  # what a pipe holds at most: pipe(7)
SIGNALS = {
    signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGABRT: "aborted",
    signal.SIGTERM: "terminated", signal.SIGINT: "interrupt", signal.SIGBUS: "bus error",
}


class RuntimeProcess:
    """A started runtime: its sandbox, its Runtime API, and one place to wait for all that they say."""

    def __init__(self, sandbox: Sandbox, api: RuntimeApi, stream: LogStream) -> None:
        self.sandbox, self.api = sandbox, api
        self.exit_code: int | None = None
        self._reader = OutputReader(stream)
        self._selector = selectors.DefaultSelector()
        for descriptor in (sandbox.output, sandbox.status, api.wake):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def wait(self, seconds: float) -> None:
        """Wait for a word of the runtime, output, or the end of the process; at most `seconds`."""
        ready = {key.fd for key, _ in self._selector.select(seconds)}
        if self.api.wake.fileno() in ready:
            self.api.wake.recv(4096)
        if self.sandbox.output in ready:
            self._read()
        # A runtime waits for the answer to its last word, so once the end shows without a word, all words are in.
        if self.sandbox.status in ready and self.api.wake.fileno() not in ready:
            self.exit_code = int(os.read(self.sandbox.status, 16) or -signal.SIGKILL)

    def read_output(self) -> None:
        """Read all output that is there: what a function printed before it answered belongs before END."""
        self._read()
        self._reader.feed(b"")  # a last line without a newline too

    def close(self) -> None:
        self._selector.close()
        self.sandbox.kill()
        self.api.close()

    def _read(self) -> None:
        """Read once, all that the pipe holds: to read on until it is empty might never end."""
        output = self.sandbox.output
        try:
            data = os.read(output, PIPE_BYTES)
        except BlockingIOError:
            return
        self._reader.feed(data)
        if not data and output in self._selector.get_map():  # every holder of the other end is gone
            self._selector.unregister(output)


def exit_message(code: int) -> str:
    """What Lambda says of a process that ended with this code, or by a signal, which counts negative."""
    if code == 0:
        return "Runtime exited without providing a reason"
    reason = f"exit status {code}" if code > 0 else f"signal: {SIGNALS.get(-code, str(-code))}"
    return f"Runtime exited with error: {reason}"
