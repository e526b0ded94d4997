"""The process that starts function processes, and lets none of them outlive the server.

It is a process of its own because a server that is killed cannot clean up after itself: when the server's end of the
control socket closes, for whatever reason, everything below the keeper is killed. It stays single-threaded, so that
forking is safe, and small, so that forking is quick.

On the control socket (a descriptor whose number is the only argument) go JSON lines, one request and one reply at a
time: `{"start": {"argv", "env", "cwd", "view"}}` comes with two descriptors (output, status) and is answered by
`{"pid"}`; `{"kill": pid}` and `{"forget": name}` are answered by `{}`; what goes wrong by `{"error"}`. A view is null
or `{"name", "tmp_mb", "read_only", "needed"}`: processes that name the same one share a /tmp, until it is forgotten.
When a process has ended, its exit code as Python counts them (negative for a signal) is written to its status
descriptor.
"""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import own_tmp, processes
else:  # this is a script: what stands beside it is found without our package
    import own_tmp
    import processes

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36
MESSAGE_LIMIT = 1 << 20

libc = ctypes.CDLL(None) if sys.platform == "linux" else None
statuses: dict[int, int] = {}  # process id -> status descriptor
views: dict[str, own_tmp.View] | None = None  # None where this machine lets us make none


def main(control_fd: int) -> None:
    global views
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    if libc:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # what an ended runtime leaves behind becomes ours, and can be found
    if own_tmp.possible():
        own_tmp.enter()
        views = {}
    wake, wake_write = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the server hears these too, and closes the control socket
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(control, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if wake in ready:
                    os.read(wake, 4096)
                    reap()
                if control.fileno() in ready and not answer(control):
                    return
    finally:
        kill_everything()


def answer(control: socket.socket) -> bool:
    """Serve one request; False when the server is gone."""
    try:
        data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_LIMIT, 2)
        while data and not data.endswith(b"\n"):
            data += control.recv(MESSAGE_LIMIT)
    except ConnectionError:
        return False
    if not data:
        return False
    request = json.loads(data)
    reply: dict[str, Any] = {}
    if "start" in request:
        try:
            reply = {"pid": start(**request["start"], descriptors=descriptors)}
        except OSError as error:
            reply = {"error": str(error)}
    elif "kill" in request:
        kill(request["kill"])
    elif views and request["forget"] in views:
        views.pop(request["forget"]).close()
    control.sendall(json.dumps(reply).encode() + b"\n")
    return True


def start(argv: list[str], env: dict[str, str], cwd: str, view: dict[str, Any] | None, descriptors: list[int]) -> int:
    output, status = descriptors
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    keeper = os.getpid()
    try:
        with seen_through(view):
            pid = os.fork()
            if pid == 0:
                become(argv, env, cwd, output, keeper)
    except OSError:
        os.close(status)
        raise
    finally:
        os.close(output)
    statuses[pid] = status
    return pid


def seen_through(view: dict[str, Any] | None) -> contextlib.AbstractContextManager[object]:
    """The view of this description, made with its first process."""
    if views is None or view is None:
        return contextlib.nullcontext()
    name = view["name"]
    if name not in views:
        views[name] = own_tmp.View(view["tmp_mb"], view["read_only"], view["needed"])
    return views[name]


def become(argv: list[str], env: dict[str, str], cwd: str, output: int, keeper: int) -> None:
    """Turn the forked child into the runtime; never returns."""
    try:
        os.setsid()
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:  # the keeper ended before the line above could take effect
                os._exit(1)
            libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # daemons stay below the runtime: frozen, measured, ended with it
        # what we ignore, what Python itself does, and what a shell does for a program in the background
        ignorable = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)
        for number in ignorable:
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if telemetry := int(env.get("_LAMBDA_TELEMETRY_LOG_FD", 0)):
            # One pipe for all keeps the order. Opened anew, so that (on Linux) a program that makes its standard output
            # non-blocking, as Node.js does with pipes, does not make the runtime's own descriptor so.
            os.dup2(os.open(f"/dev/fd/{output}", os.O_WRONLY), telemetry)
            os.set_inheritable(telemetry, True)  # also where it was this number already
        os.chdir(cwd)
        os.execve(argv[0], argv, env)
    except BaseException as error:  # whatever it is, this copy of the keeper must not live on
        os.write(output, f"{argv[0]}: {error}\n".encode())
    finally:
        os._exit(126)


def reap() -> None:
    """Take note of every child that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        note_end(pid, status)


def note_end(pid: int, status: int) -> None:
    descriptor = statuses.pop(pid, None)
    if descriptor is None:  # an orphan of ours that ended by itself
        return
    kill_orphans()
    with contextlib.suppress(BrokenPipeError):  # the server has already closed its end of this environment
        os.write(descriptor, str(os.waitstatus_to_exitcode(status)).encode())
    os.close(descriptor)


def kill(pid: int) -> None:
    """Kill a function process and all that it has started."""
    reap()
    if pid in statuses:
        for victim in (*processes.descendants(pid), pid):
            send_kill(victim)
        note_end(*os.waitpid(pid, 0))


def kill_orphans() -> None:
    """Kill what ended runtimes have left behind: every child of ours that is no runtime, as those adopt their own."""
    while orphans := [child for child in processes.children(os.getpid()) if child not in statuses]:
        for orphan in orphans:
            send_kill(orphan)
            os.waitpid(orphan, 0)  # from now on its own children are ours


def kill_everything() -> None:
    while children := processes.descendants(os.getpid()):
        for child in children:
            send_kill(child)
        reap()


def send_kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
