"""The process that starts function processes, and lets none of them outlive the server.

It is a process of its own because a server that is killed cannot clean up after itself: when the server's end of the
control socket closes, for whatever reason, everything below the keeper is killed. It stays single-threaded, so that
forking is safe, and small, so that forking is quick.

On the control socket (a descriptor whose number is the only argument) go JSON lines, one request and one reply at a
time: `{"start": {"argv", "env", "cwd", "view"}}` comes with two descriptors (output, status) and is answered by
`{"pid"}`; `{"confines": null}` by `{"confines"}`, whether functions have views; `{"kill": pid}`, `{"forget": name}` and
`{"keep_user": pid}` by `{}`; what goes wrong by `{"error", "errno"}`. When a process has ended, its exit code as Python
counts them (negative for a signal) is written to its status descriptor. A third descriptor is a channel that the
program gets as CHANNEL_FD; `keep_user` is for what is copied by it, see snapshot.py.

A view is null for a program of ours. A function has that of sandbox.py: processes that name the same one share a /tmp,
until it is forgotten. A function's parent is not the keeper, which it could signal, but a guard, whose process id
stands for all that the function has started. Where confinement.py can, the guard is the first in a namespace of
processes.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import selectors
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import confinement, processes
else:  # this is a script: what stands beside it is found without our package
    import confinement
    import processes

# linux/prctl.h
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
MESSAGE_LIMIT = 1 << 20
CHANNEL_FD = 4  # any that is free
MOST_DESCRIPTORS = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] % 2**63, 2**20)  # -1 is none: getrlimit(2)

libc = ctypes.CDLL(None) if sys.platform == "linux" else None
statuses: dict[int, int | None] = {}  # process id -> status descriptor; None: its guard has it
views: dict[str, confinement.View] | None = None  # None where this machine lets us make none
alive, alive_write = os.pipe()  # a child closes the second end: the first then tells when the keeper has ended


def main(control_fd: int) -> None:
    global views
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    if libc:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # what an ended runtime leaves behind becomes ours, and can be found
    if confinement.possible():
        confinement.enter()
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
        data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_LIMIT, 3)
        while data and not data.endswith(b"\n"):
            data += control.recv(MESSAGE_LIMIT)
    except ConnectionError:
        return False
    if not data:
        return False
    request = json.loads(data)
    reply: dict[str, Any] = {}
    try:
        if "start" in request:
            reply = {"pid": start(**request["start"], descriptors=descriptors)}
        elif "keep_user" in request:
            confinement.keep_user(request["keep_user"])
        elif "confines" in request:
            reply = {"confines": views is not None}
    except OSError as error:
        reply = {"error": error.strerror or str(error), "errno": error.errno}
    if "kill" in request:
        kill(request["kill"])
    elif "forget" in request and views and request["forget"] in views:
        views.pop(request["forget"]).close()
    control.sendall(json.dumps(reply).encode() + b"\n")
    return True


def start(argv: list[str], env: dict[str, str], cwd: str, view: dict[str, Any] | None, descriptors: list[int]) -> int:
    output, status, *channel = descriptors
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    try:
        with seen_through(view):
            pid = confinement.fork() if view and views is not None else os.fork()
            if pid == 0:
                end_with_the_keeper()
                if view:
                    guard(argv, env, cwd, view, output, status, channel)
                become(argv, env, cwd, None, output, channel)
    except OSError:
        os.close(status)
        raise
    finally:
        for descriptor in (output, *channel):
            os.close(descriptor)
    statuses[pid] = None if view else status
    if view:
        os.close(status)
    return pid


def seen_through(view: dict[str, Any] | None) -> contextlib.AbstractContextManager[object]:
    """The view of this description, made with its first process."""
    if views is None or view is None:
        return contextlib.nullcontext()
    name = view["name"]
    if name not in views:
        described = ("tmp_mb", "hidden", "shown", "mounts", "own", "replaced")
        views[name] = confinement.View(*(view[each] for each in described))
    return views[name]


def end_with_the_keeper() -> None:
    """Of a child that was just forked."""
    signal.set_wakeup_fd(-1)
    os.setsid()
    os.close(alive_write)
    if libc:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # daemons stay below the runtime: frozen, measured, ended with it
    if select.select([alive], [], [], 0)[0]:  # it ended before the lines above could take effect
        os._exit(1)


def guard(
    argv: list[str], env: dict[str, str], cwd: str, view: dict[str, Any], output: int, status: int, channel: list[int]
) -> None:
    """Run a function's runtime in a child, wait for it and for its orphans, and tell how it ended; never returns."""
    code = 126
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # Without those of all other functions: this one could not open as many as it may.
        close_all_but(output, status, *channel)
        runtime = os.fork() if views is None else confinement.fork_user(views[view["name"]].is_for_all)
        if runtime == 0:
            become(argv, env, cwd, view, output, channel)
        if libc:
            libc.prctl(PR_SET_DUMPABLE, 0)  # its memory is the keeper's, with what other functions were started with
        for descriptor in (output, *channel):
            os.close(descriptor)
        ended = how = 0
        while ended != runtime:
            ended, how = os.waitpid(-1, 0)
        code = os.waitstatus_to_exitcode(how)
    except BaseException as error:  # whatever it is, this copy of the keeper must not live on
        os.write(output, f"{argv[0]}: {error}\n".encode())
    finally:
        with contextlib.suppress(BrokenPipeError):  # the server has already closed its end of this environment
            os.write(status, str(code).encode())
        os._exit(0)


def close_all_but(*kept: int) -> None:
    """Close every descriptor of this process but these."""
    begin = 0
    for descriptor in sorted(kept):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, MOST_DESCRIPTORS)


def become(
    argv: list[str], env: dict[str, str], cwd: str, view: dict[str, Any] | None, output: int, channel: list[int]
) -> None:
    """Turn the forked child into the program, confined where it has a view; never returns."""
    try:
        if view is not None:
            confine(view)
        # what we ignore, what Python itself does, and what a shell does for a program in the background
        ignorable = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)
        for number in ignorable:
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.set_inheritable(0, True)  # also where it was this number already
        os.dup2(output, 1)
        os.dup2(output, 2)
        if telemetry := int(env.get("_LAMBDA_TELEMETRY_LOG_FD", 0)):
            # One pipe for all keeps the order. Opened anew, so that (on Linux) a program that makes its standard output
            # non-blocking, as Node.js does with pipes, does not make the runtime's own descriptor so.
            os.dup2(os.open(f"/dev/fd/{output}", os.O_WRONLY), telemetry)
            os.set_inheritable(telemetry, True)  # also where it was this number already
        for descriptor in channel:
            os.dup2(descriptor, CHANNEL_FD)
            os.set_inheritable(CHANNEL_FD, True)
        os.chdir(cwd)
        os.execve(argv[0], argv, env)
    except BaseException as error:  # whatever it is, this copy of the keeper must not live on
        os.write(output, f"{argv[0]}: {error}\n".encode())
    finally:
        os._exit(126)


def confine(view: dict[str, Any]) -> None:
    os.umask(0o022)
    limit(resource.RLIMIT_NOFILE, view["open_files"])
    if views is not None:
        if view["processes"]:
            limit(resource.RLIMIT_NPROC, view["processes"])  # of its own user alone: see confinement.fork_user
        confinement.renounce()
    confinement.keep_to_itself()


def limit(what: int, number: int) -> None:
    most = resource.getrlimit(what)[1]
    most = number if most == resource.RLIM_INFINITY else min(number, most)
    resource.setrlimit(what, (most, most))


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
    if pid not in statuses:  # an orphan of ours that ended by itself
        return
    descriptor = statuses.pop(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # what a guard that was killed leaves, where its children do not become ours
    kill_orphans()
    if descriptor is None:
        return
    with contextlib.suppress(BrokenPipeError):  # the server has already closed its end of this environment
        os.write(descriptor, str(os.waitstatus_to_exitcode(status)).encode())
    os.close(descriptor)


def kill(pid: int) -> None:
    """Kill a function process and all that it has started."""
    reap()
    if pid in statuses:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # all at once, or those that fork without end would outrun us
        # In a namespace the rest goes with the guard, which is its first process.
        victims = [] if views is not None and statuses[pid] is None else processes.descendants(pid)
        for victim in (*victims, pid):
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
