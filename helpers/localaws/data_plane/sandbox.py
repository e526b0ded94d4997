"""One function process: started through the keeper, frozen, thawed, measured and killed."""

import contextlib
import ctypes
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from . import confinement, processes

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
KEEPER = Path(__file__).with_name("keeper.py")
KEEPER_LIMIT_S = (
    20  # for an answer of the keeper, which takes milliseconds; as long as it has is a busy machine's affair
)
CLOSE_LIMIT_S = 5.0  # for the keeper to end by itself
SIGNAL_PASSES = 3  # enough for all but a function that starts processes without end, which must not hold us up


@dataclass(frozen=True)
class View:
    """The file system as the processes of one environment see it, where the machine lets us make that.

    They share a /tmp of this size, and can change nothing else. They see no file of a user or below `hidden`, but
    for what lies in a folder of `shown`, what the runtime has by `mounts`, what is seen in the place of a file of the
    system's by `replaced`, and what is the environment's `own`: see confinement.View. None opens more than
    `open_files`, and there are no more `processes`, threads included; 0 is no limit. `name`: for `Keeper.forget`.
    """

    name: str
    tmp_mb: int
    hidden: list[str]
    shown: list[str]
    mounts: dict[str, str]
    own: dict[str, str]
    open_files: int
    processes: int
    replaced: dict[str, str] = field(default_factory=dict)


class Keeper:
    """The server's end of the keeper process; see keeper.py for what it does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closing = False
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a killed keeper leaves becomes ours
        self._control, theirs = socket.socketpair()
        self._control.settimeout(KEEPER_LIMIT_S)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(KEEPER), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        threading.Thread(target=self._watch, daemon=True, name="keeper-watch").start()

    @functools.cached_property
    def confines(self) -> bool:
        """Whether a process with a view has it: where the machine lets us make none, it sees the machine's own."""
        return bool(self._ask({"confines": None})["confines"])

    def start(
        self,
        argv: list[str],
        env: dict[str, str],
        cwd: Path,
        view: View | None = None,
        channel: socket.socket | None = None,
    ) -> "Sandbox":
        """Start a process with `env` as its whole environment; a missing program shows as exit code 126.

        It gets `channel` as keeper.py's CHANNEL_FD, to be copied by `restore`.
        """
        request = {"argv": argv, "env": env, "cwd": str(cwd), "view": view and asdict(view)}
        with _pipes() as (output, status, theirs):
            reply = self._ask({"start": request}, [*theirs, *([channel.fileno()] if channel else [])])
        return Sandbox(self, reply["pid"], output, status)

    def restore(self, channel: socket.socket, variables: dict[str, str], tmp_mb: int, tasks: int) -> "Sandbox":
        """Let the process at the other end of `channel` fork: the copy has these variables, and its own /tmp.

        It has as many processes and threads at most as `tasks` says.

        OSError where there is none any more, or it gives no answer. See bootstrap/lambda_snapstart.py.
        """
        ours, theirs = socket.socketpair()
        ours.settimeout(KEEPER_LIMIT_S)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with ours, _pipes() as (output, status, descriptors):
            with theirs:
                request = json.dumps({"variables": variables, "tmp_mb": tmp_mb, "processes": tasks}).encode()
                socket.send_fds(channel, [request], [*descriptors, theirs.fileno()])
            pid = confinement.sender(ours)
            if not pid:
                raise ConnectionResetError("the process to be restored has ended")
            copy = os.pidfd_open(pid)
            try:
                self._ask({"keep_user": pid})
                ours.send(b"kept")
            except OSError:
                os.close(copy)
                raise
        return RestoredSandbox(self, pid, output, status, copy)

    def kill(self, pid: int) -> None:
        with contextlib.suppress(OSError):  # the keeper has ended, and with it every process that it had started
            self._ask({"kill": pid})

    def forget(self, view: str) -> None:
        """Give up the view of this name, and with it what lies in its /tmp, once no process is left in it."""
        with contextlib.suppress(OSError):
            self._ask({"forget": view})

    def close(self) -> None:
        """End the keeper, and with it every process that it has started."""
        self._closing = True
        with contextlib.suppress(OSError):  # it has ended already
            self._control.shutdown(socket.SHUT_RDWR)  # also for who waits for its answer
        self._control.close()
        try:
            self._process.wait(CLOSE_LIMIT_S)
        except subprocess.TimeoutExpired:  # it hangs, or was suspended
            self._process.kill()
            self._process.wait()
            _end_descendants()

    def _watch(self) -> None:
        """When somebody else ends the keeper, end what it leaves behind, and the server, which cannot go on."""
        code = self._process.wait()
        if self._closing:
            return
        print(
            f"The keeper of function processes has ended (exit code {code}), and the embedded AWS ends with it.",
            file=sys.stderr,
            flush=True,
        )
        _end_descendants()
        os.kill(os.getpid(), signal.SIGTERM)

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        data = json.dumps(request).encode() + b"\n"
        with self._lock:
            try:
                reply = self._exchange(data, descriptors)
            except TimeoutError:  # it hangs; `_watch` ends what it leaves, and the server
                print(f"The keeper of function processes gave no answer for {KEEPER_LIMIT_S:g} s.", file=sys.stderr)
                self._process.kill()
                raise
        answer: dict[str, Any] = json.loads(reply)
        if "error" in answer:
            raise OSError(answer["errno"], answer["error"])
        return answer

    def _exchange(self, data: bytes, descriptors: Sequence[int]) -> bytes:
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
        return reply


@contextlib.contextmanager
def _pipes() -> Iterator[tuple[int, int, list[int]]]:
    """Where to read output and status of a process that is being started, and what it gets to write them."""
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        output, output_write = _pipe(ours, theirs)
        status, status_write = _pipe(ours, theirs)
        yield output, status, [output_write, status_write]
        ours.pop_all()


def _pipe(read: contextlib.ExitStack, write: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe whose ends are closed with these."""
    ends = os.pipe()
    if sys.platform == "linux":
        os.fchmod(ends[1], 0o666)  # for who opens /dev/stdout, and is another user: only who has it finds it
    for stack, end in zip((read, write), ends, strict=True):
        stack.callback(os.close, end)
    return ends


class Sandbox:
    """A running function process and the descriptors that it speaks through.

    `pid` is that of its guard, see keeper.py, or of the program itself where it is ours and runs without a view.
    `output` carries what it prints and the frames of a runtime that logs whole messages, and `status` its exit
    code once it has ended. Both are read by the owner, who calls `kill` exactly once at the end.
    """

    _guard_is_theirs = False  # whether it is stopped with them

    def __init__(self, keeper: Keeper, pid: int, output: int, status: int) -> None:
        self._keeper = keeper
        self.pid = pid
        self.output, self.status = output, status
        os.set_blocking(output, False)
        self._stopping = threading.Lock()  # held by whoever stops or continues its processes
        self._frozen = self._paused = self._killed = False
        self._group_stopped = False
        self._children: list[int] = []  # all below the guard, as of the last count
        self._tasks = 0  # these and their threads
        self._ended_seconds = 0.0  # what those have computed that have ended, as of then

    def freeze(self) -> None:
        """Stop all its processes, those included that are just being started."""
        with self._stopping:
            self._frozen = True
            self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all go on that `freeze` has stopped: meanwhile none can have started another."""
        with self._stopping:
            self._frozen = self._paused = False
            self._signal_known(signal.SIGCONT)

    def pause(self) -> None:
        """Stop its processes for a moment, while it is not frozen. Quicker than `freeze`, and may miss new ones."""
        with self._stopping:
            self._paused = True
            self._stop_quickly()

    def resume(self) -> None:
        """Let them go on after `pause`: all that are there, as one that was just leaving the group may be stopped."""
        with self._stopping:
            self._paused = False
            self._continue()

    def max_memory_mb(self) -> float:
        """The most memory in MB that one of its processes has held so far, or what they all hold now, if more.

        Of those that `tasks` has found.
        """
        if len(self._children) < 2:
            return self._memory_mb()
        with self._stopping:  # one that forks without end keeps its memory locked: to ask for it would have to wait
            self._stop_quickly()
        try:
            return self._memory_mb()
        finally:
            with self._stopping:
                if not self._paused:
                    self._continue()

    def _memory_mb(self) -> float:
        most = max(map(processes.peak_bytes, self._children), default=0)
        files: dict[int, int] = {}
        for child in self._children:
            files |= processes.memory_files(child)
        together = sum(map(processes.share_bytes, self._children)) if len(self._children) > 1 or files else 0
        if files:  # what a process writes to them counts for none that has not mapped it
            together += max(0, sum(files.values()) - sum(map(processes.shared_bytes, self._children)))
        return max(most, together) / 2**20

    def tasks(self) -> int:
        """How many processes and threads there are now; `freeze` has counted them."""
        if not self._frozen:
            self._count()
        self._ended_seconds = sum(map(processes.ended_seconds, (self.pid, *self._children)))
        return self._tasks

    def cpu_seconds(self) -> float:
        """How long its processes have computed so far. New ones show with the next count of `tasks`."""
        return sum(map(processes.cpu_seconds, (self.pid, *self._children))) + self._ended_seconds

    def is_killed(self) -> bool:
        """Whether its program was killed, though it may not be gone yet: the first below its guard."""
        ended = select.poll()
        ended.register(self.status, select.POLLIN)
        try:
            return bool(ended.poll(0)) or any(map(processes.is_killed, self._children[:1]))
        except OSError:  # no descriptor is left to look
            return False

    def end(self) -> None:
        """Kill its processes at once; its owner hears that, and calls `kill` as for any that has ended."""
        for child in (self.pid, *self._children):
            _signal_one(child, signal.SIGKILL)
        _signal_group(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        with self._stopping:
            self._killed = True
        self._kill()
        for descriptor in (self.output, self.status):
            os.close(descriptor)

    def _kill(self) -> None:
        self._keeper.kill(self.pid)

    def _stop_quickly(self) -> None:
        if not (self._frozen or self._killed):
            self._signal_known(signal.SIGSTOP, alone=False)  # one that it has just started may be in its group

    def _continue(self) -> None:
        if not (self._frozen or self._killed):
            self._signal(signal.SIGCONT)

    def _count(self) -> None:
        self._children, self._tasks = processes.tasks(self.pid)

    def _signal(self, number: int) -> None:
        """To all that are known, and to those that were just being started meanwhile."""
        told: set[int] = set()
        for _ in range(SIGNAL_PASSES):
            self._signal_known(number, told)
            told.update(self._children)
            try:
                self._count()
            except OSError:  # no descriptor is left to look for others: those that are known have the signal
                return
            if told.issuperset(self._children) and not self._may_fork(number):
                return

    def _may_fork(self, number: int) -> bool:
        """Whether another thread of the one that was stopped alone may just be starting a process, not seen so far.

        The kernel stops that too where the group is told, but not where one process is.
        """
        return number == signal.SIGSTOP and self._tasks > 1 and not self._group_stopped

    def _signal_known(self, number: int, told: Collection[int] = (), alone: bool = True) -> None:
        """To the group, at once, then to each, as not all are of it; where there is one thread, to its process alone.

        With the group the guard stops and goes on, and each time its parent, the keeper, wakes up to hear of it.
        """
        if not alone or self._guard_is_theirs or self._tasks != 1 or self._group_stopped:
            _signal_group(self.pid, number)
            self._group_stopped = number == signal.SIGSTOP
        for child in self._children:
            if child not in told:
                _signal_one(child, number)


class RestoredSandbox(Sandbox):
    """A process that was copied by `Keeper.restore`; `copy` is a descriptor of its guard.

    The guard is the first in a namespace of processes, and a child of the guard of the process that was copied. It is a
    copy of that process, too.
    """

    _guard_is_theirs = True

    def __init__(self, keeper: Keeper, pid: int, output: int, status: int, copy: int) -> None:
        super().__init__(keeper, pid, output, status)
        self._copy = copy

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._copy, signal.SIGKILL)
        ended = select.poll()
        ended.register(self._copy, select.POLLIN)
        ended.poll(KEEPER_LIMIT_S * 1000)  # until all in its namespace have ended
        os.close(self._copy)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended
        os.killpg(pid, number)


def _signal_one(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _end_descendants() -> None:
    """Kill every process below this one."""
    while children := [child for child in psutil.Process().children(recursive=True) if _lives(child)]:
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def end_leftovers(folder: Path) -> None:
    """Kill what functions with code below this folder have left running: their server and its keeper were killed."""
    while left := [process for process in psutil.process_iter() if _lives(process) and _runs_below(process, folder)]:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1)


def _runs_below(process: psutil.Process, folder: Path) -> bool:
    try:
        root = process.uids().real == os.getuid() and process.environ().get("LAMBDA_TASK_ROOT")
    except psutil.Error:  # it has ended, or is none of ours
        return False
    return bool(root) and Path(root).is_relative_to(folder)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
