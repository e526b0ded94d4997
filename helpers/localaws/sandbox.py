"""One function process: started through the keeper, frozen, thawed, measured and killed."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from .keeper import PR_SET_CHILD_SUBREAPER

KEEPER = Path(__file__).with_name("keeper.py")


class Keeper:
    """The server's end of the keeper process; see keeper.py for what it does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closing = False
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a killed keeper leaves becomes ours
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(KEEPER), str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, start_new_session=True,
            )
        threading.Thread(target=self._watch, daemon=True, name="keeper-watch").start()

    def start(self, argv: list[str], env: dict[str, str], cwd: Path) -> "Sandbox":
        """Start a process with `env` as its whole environment; a missing program shows as exit code 126."""
        output, output_write = os.pipe()
        telemetry, telemetry_write = os.pipe()
        status, status_write = os.pipe()
        theirs = [output_write, telemetry_write, status_write]
        try:
            reply = self._ask({"start": {"argv": argv, "env": env, "cwd": str(cwd)}}, theirs)
        except OSError:
            for descriptor in (output, telemetry, status):
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return Sandbox(self, reply["pid"], output, telemetry, status)

    def kill(self, pid: int) -> None:
        try:
            self._ask({"kill": pid})
        except OSError:
            return  # the keeper has ended, and with it every process that it had started

    def close(self) -> None:
        """End the keeper, and with it every process that it has started."""
        self._closing = True
        self._control.close()
        self._process.wait()

    def _watch(self) -> None:
        """When somebody else ends the keeper, end what it leaves behind, and the server, which cannot go on."""
        self._process.wait()
        if self._closing:
            return
        while children := [child for child in psutil.Process().children(recursive=True) if _lives(child)]:
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        os.kill(os.getpid(), signal.SIGTERM)

    def _ask(self, request: dict, descriptors: list[int] = ()) -> dict:
        data = json.dumps(request).encode() + b"\n"
        with self._lock:
            if descriptors:
                sent = socket.send_fds(self._control, [data], descriptors)
                self._control.sendall(data[sent:])
            else:
                self._control.sendall(data)
            reply = b""
            while not reply.endswith(b"\n"):
                part = self._control.recv(65536)
                if not part:
                    raise ConnectionResetError("the keeper of function processes has ended")
                reply += part
        return json.loads(reply)


class Sandbox:
    """A running function process and the descriptors that it speaks through.

    `output` carries what it prints, `telemetry` the frames of a runtime that logs whole messages, and `status` its
    exit code once it has ended. All three are read by the owner, who calls `kill` exactly once at the end.
    """

    def __init__(self, keeper: Keeper, pid: int, output: int, telemetry: int, status: int) -> None:
        self._keeper = keeper
        self.pid = pid
        self.output, self.telemetry, self.status = output, telemetry, status
        for descriptor in (output, telemetry):
            os.set_blocking(descriptor, False)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def max_memory_mb(self) -> float:
        """The most memory that the process has held so far, in MB, plus what its children hold now."""
        try:
            return (_peak_bytes(self.pid) + sum(_resident_bytes(child) for child in _children(self.pid))) / 2**20
        except (OSError, psutil.Error):  # it has ended
            return 0.0

    def kill(self) -> None:
        self._keeper.kill(self.pid)
        for descriptor in (self.output, self.telemetry, self.status):
            os.close(descriptor)

    def _signal(self, number: int) -> None:
        """To its process group at once, and to every descendant, as some may have left the group."""
        with contextlib.suppress(OSError, psutil.Error):  # it has ended
            os.killpg(self.pid, number)
            for child in _children(self.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if sys.platform == "linux":

    def _peak_bytes(pid: int) -> int:
        return _status_bytes(pid, "VmHWM:")

    def _resident_bytes(pid: int) -> int:
        return _status_bytes(pid, "VmRSS:")

    def _status_bytes(pid: int, field: str) -> int:
        """A field of /proc/<pid>/status, which stands there in kB; 0 for a process that is a zombie."""
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
        return 0

    def _children(pid: int) -> list[int]:
        direct = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                  for child in (task / "children").read_text().split()]
        return direct + [grandchild for child in direct for grandchild in _children(child)]

else:

    def _peak_bytes(pid: int) -> int:  # no high-water mark of another process here: what it holds now
        return psutil.Process(pid).memory_info().rss

    _resident_bytes = _peak_bytes

    def _children(pid: int) -> list[int]:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
