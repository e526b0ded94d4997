"""SnapStart for Python: a process that has done its init is the snapshot, and forks for each execution environment.

awslambdaric runs the hooks and asks GET /restore/next in between, which is where the snapshot is taken: the process
asks, and then waits at its channel (keeper.py) for who wants a copy. Each copy asks its own Runtime API the same, which
answers at once. What the copies must not share with one another is made anew in them: processes, /tmp, open files.

What cannot be copied by a fork is refused before: threads, other processes, pipes and the like.
"""

import ctypes
import errno
import fcntl
import http.client
import importlib.util
import json
import os
import resource
import shutil
import signal
import socket
import stat
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

CHANNEL_FD, TELEMETRY_FD = 4, int(os.environ["_LAMBDA_TELEMETRY_LOG_FD"])
RESTORE_NEXT = "/2018-06-01/runtime/restore/next"
PR_SET_DUMPABLE = 4  # linux/prctl.h
MESSAGE_LIMIT = 65536
HINT = "end it before, in a function that is registered with register_before_snapshot"

_file = Path(__file__).with_name("lambda_confinement.py")  # it belongs to the keeper, and is no module of a function's
_spec = importlib.util.spec_from_file_location("lambda_confinement", _file)
assert _spec and _spec.loader
confinement = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(confinement)


class SnapshotNotPossible(Exception):
    """The process has what a copy of it would not have."""


def install(make_native: Callable[[], types.ModuleType]) -> None:
    """Let awslambdaric's client take the snapshot where it waits to be restored.

    `make_native` makes what stands for its native module, with another address.
    """
    from awslambdaric import lambda_runtime_client

    client: Any = lambda_runtime_client.BaseLambdaRuntimeClient
    ask_again = client.restore_next

    def restore_next(self: Any) -> None:
        refuse_what_cannot_be_copied()
        sys.stdout.flush()
        sys.stderr.flush()
        asking = http.client.HTTPConnection(self.lambda_runtime_address)
        asking.request("GET", RESTORE_NEXT)
        variables = wait_to_be_restored()
        asking.close()
        os.environ.update(variables)
        self.lambda_runtime_address = variables["AWS_LAMBDA_RUNTIME_API"]
        lambda_runtime_client.runtime_client = make_native()
        ask_again(self)

    client.restore_next = restore_next


def refuse_what_cannot_be_copied() -> None:
    threads = len(os.listdir("/proc/self/task")) - 1
    if threads:
        raise SnapshotNotPossible(
            f"The embedded AWS's snapshot has no threads beside the main one, and {threads} run: {HINT}"
        )
    if any(_lives(each) for each in os.listdir("/proc") if each.isdigit() and int(each) not in (1, os.getpid())):
        raise SnapshotNotPossible(f"The embedded AWS's snapshot has one process, and init has started another: {HINT}")
    for descriptor in _open_descriptors():
        mode, target = os.fstat(descriptor).st_mode, os.readlink(f"/proc/self/fd/{descriptor}")
        known = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISCHR(mode) or _is_of_the_network(descriptor)
        if not known or target.endswith(" (deleted)"):
            raise SnapshotNotPossible(f"The embedded AWS's snapshot has no copy of {target}, which is open: {HINT}")


def wait_to_be_restored() -> dict[str, str]:
    """Fork whenever somebody wants a copy. Returns in each copy alone, with its variables."""
    channel = socket.socket(fileno=CHANNEL_FD)
    while True:
        message, descriptors, *_ = socket.recv_fds(channel, MESSAGE_LIMIT, 3)
        if not message:
            os._exit(0)  # nobody will want one any more
        if confinement.branch() == 0:
            request, (output, status, own_channel) = json.loads(message), descriptors
            _become_environment(output, status, own_channel, request["tmp_mb"], request["processes"])
            channel.close()
            variables: dict[str, str] = request["variables"]
            return variables
        for descriptor in descriptors:
            os.close(descriptor)


def _become_environment(output: int, status: int, channel: int, tmp_mb: int, processes: int) -> None:
    """In the first process of the copy's namespaces, which is its guard; returns in the child that goes on."""
    try:
        os.setsid()
        os.write(channel, b"here")
        if os.read(channel, 8) != b"kept":
            os._exit(1)
        before = confinement.cover_tmp(tmp_mb)
        _copy_files(f"/proc/self/fd/{before}", confinement.TMP)
        os.close(before)
        confinement.show_own_processes()
        runtime = confinement.fork_plainly()
        if runtime:
            _guard(runtime, status)
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        confinement.renounce()
        confinement.keep_to_itself()
        os.close(channel)
        os.close(status)
        _write_to(output)
        for descriptor in _open_descriptors():
            _open_anew(descriptor)
        _stay_in_folder()
    except BaseException as error:  # whatever it is, this copy must not go on as if it were the snapshot
        try:
            os.write(output, f"The snapshot cannot be restored: {error!r}\n".encode())
        finally:
            os._exit(1)


def _copy_files(source: str, target: str) -> None:
    """What lies there, but for what is mounted there. It takes no more room than before: holes and links stay."""
    _copy_folder(source, target, os.stat(source).st_dev, {})
    shutil.copystat(source, target)


def _copy_folder(source: str, target: str, device: int, copies: dict[int, str]) -> None:
    """`copies`: of the files that are copied already, by their inodes."""
    for entry in os.scandir(source):
        copy, found = os.path.join(target, entry.name), entry.stat(follow_symlinks=False)
        if found.st_dev != device:
            continue
        if stat.S_ISDIR(found.st_mode):
            if not os.path.lexists(copy):  # what something is mounted in is there
                os.mkdir(copy)
                os.chmod(copy, stat.S_IRWXU)  # whatever the function's umask is
            _copy_folder(entry.path, copy, device, copies)
        elif stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(entry.path), copy)
        elif found.st_ino in copies:
            os.link(copies[found.st_ino], copy)
        elif stat.S_ISREG(found.st_mode):
            _copy_file(entry.path, copy, found.st_size)
        else:  # a named pipe, or the name of a socket
            os.mknod(copy, found.st_mode)
        copies[found.st_ino] = copy
        shutil.copystat(entry.path, copy, follow_symlinks=False)


def _copy_file(source: str, target: str, size: int) -> None:
    with open(source, "rb") as original, open(target, "xb") as copy:
        copy.truncate(size)
        for start, end in _parts_with_data(original.fileno(), size):
            os.lseek(copy.fileno(), start, os.SEEK_SET)
            while start < end and (sent := os.sendfile(copy.fileno(), original.fileno(), start, end - start)):
                start += sent


def _parts_with_data(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Where they begin and end; between them there are holes."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return  # the rest is a hole
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end


def _stay_in_folder() -> None:
    """In its own /tmp, where that is the folder."""
    try:
        os.chdir(os.getcwd())
    except FileNotFoundError:  # it was removed
        os.chdir("/")


def _guard(runtime: int, status: int) -> NoReturn:
    """Wait for the runtime and for its orphans, and tell how it ended, as the keeper's own guards do."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)  # no handler of the function's own
        except OSError:  # one that belongs to the C library
            continue
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
    os.closerange(0, status)
    os.closerange(status + 1, os.sysconf("SC_OPEN_MAX"))
    ended = how = 0
    while ended != runtime:
        ended, how = os.waitpid(-1, 0)
    try:
        os.write(status, str(os.waitstatus_to_exitcode(how)).encode())
    finally:
        os._exit(0)


def _write_to(output: int) -> None:
    """From now on what is printed and logged goes there; opened twice, as keeper.py does."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    logs = os.open(f"/dev/fd/{output}", os.O_WRONLY)
    os.dup2(logs, TELEMETRY_FD)
    os.close(logs)
    os.close(output)


def _open_descriptors() -> Iterator[int]:
    """Those that the function has opened."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor in (0, 1, 2, TELEMETRY_FD, CHANNEL_FD):
            continue
        try:
            os.fstat(descriptor)
        except OSError:  # that of the folder that is read here
            continue
        yield descriptor


def _open_anew(descriptor: int) -> None:
    """Let it belong to this copy alone: a file at the same place, in this /tmp; a connection that has been lost."""
    inheritable = os.get_inheritable(descriptor)
    if _is_of_the_network(descriptor):
        own, other = socket.socketpair()
        other.close()
        own.setblocking(os.get_blocking(descriptor))
        new = own.detach()
    else:
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC)
        new = _open_as_before(os.readlink(f"/proc/self/fd/{descriptor}"), flags)
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and not flags & os.O_PATH:
            os.lseek(new, os.lseek(descriptor, 0, os.SEEK_CUR), os.SEEK_SET)
    os.dup2(new, descriptor, inheritable)
    os.close(new)


def _open_as_before(path: str, flags: int) -> int:
    try:
        return os.open(path, flags)
    except PermissionError:  # its mode allows less than when it was made
        mode = stat.S_IMODE(os.stat(path).st_mode)
        os.chmod(path, mode | stat.S_IRUSR | stat.S_IWUSR)
        try:
            return os.open(path, flags)
        finally:
            os.chmod(path, mode)


def _is_of_the_network(descriptor: int) -> bool:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as found:
        return found.family in (socket.AF_INET, socket.AF_INET6)


def _lives(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # it has ended
        return False
