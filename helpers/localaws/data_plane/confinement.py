"""What a function sees and can reach of this machine, by Linux's namespaces: itself, and what its runtime needs.

An execution environment has a /tmp of its own, can change nothing else, and does not see the files of this machine's
users. Its processes see and signal each other alone, and have no rights of root. It reaches the network as all do.

A namespace lives as long as a process in it, or a descriptor of it, so there is nothing to unmount: when the keeper
ends, however it does, all are gone. It needs Linux 5.12 or newer. Where a machine forbids namespaces, nothing of
this holds but `keep_to_itself`.

Standard library only, as the command line asks `possible` before the environment exists, and the keeper is to be small.
Run as a script, this fails where namespaces are forbidden.
"""

import contextlib
import ctypes
import functools
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TMP = os.path.realpath("/tmp")
# What belongs to this machine's users, or speaks with its services; of the devices only those that Lambda has, too.
# Without /dev/shm, which Lambda does not have either, files in memory are those in /tmp.
HIDDEN = (
    *("/dev", "/home", "/media", "/mnt", "/root", "/run"),
    *("/var/backups", "/var/log", "/var/spool", "/var/tmp", TMP),
)
DEVICES = tuple(f"/dev/{name}" for name in ("full", "null", "random", "urandom", "zero"))
SHOWN = (*DEVICES, "/etc/resolv.conf", "/home/linuxbrew/.linuxbrew")
LINKS = {"/dev/fd": "/proc/self/fd", "/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2"}
# linux/sched.h, linux/mount.h, linux/prctl.h, linux/landlock.h; the numbers of system calls are the same everywhere
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
CLONE_PARENT = 0x00008000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_SLAVE = 1 << 12, 1 << 14, 1 << 19
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 1, 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_SCOPE_SIGNAL = 1, 2
SYS_CLONE3, SYS_MOUNT_SETATTR, SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_RESTRICT_SELF = 435, 442, 444, 446
PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION_3 = 0x20080522


def possible() -> bool:
    """Whether this machine lets us; tried in another process."""
    if sys.platform != "linux":
        return False
    return subprocess.run([sys.executable, "-S", __file__], capture_output=True).returncode == 0


@functools.cache
def snapshots_possible() -> bool:
    """Whether this machine lets a function's process be copied by `branch`; tried in another process, once."""
    if sys.platform != "linux":
        return False
    return subprocess.run([sys.executable, "-S", __file__, "snapshot"], capture_output=True).returncode == 0


def enter() -> None:
    """Put this process into a namespace of mounts that it may change, for `View`. OSError where that is forbidden."""
    uid, gid = os.getuid(), os.getgid()
    try:
        _call("unshare", CLONE_NEWNS)
    except PermissionError:  # not root: root in a namespace of users, in which everybody stays who they are
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        keep_user(os.getpid(), uid, gid)
    _mount(None, "/", MS_SLAVE | MS_REC)  # what the machine mounts shows here, and nothing of ours there


class View:
    """The file system as one environment sees it; `with view:` puts this process, and what it forks, into it."""

    def __init__(self, tmp_mb: int, hidden: list[str], shown: list[str], own: str) -> None:
        """Beside what is never seen, `hidden` is not, but for the folders `shown`, which may lie anywhere.

        `own` is a folder to be seen that lies among those of other environments, which are not.
        """
        others = os.path.dirname(own)
        base = _base(tuple(hidden), (*shown, others))
        _call("setns", base, CLONE_NEWNS)
        try:
            _call("unshare", CLONE_NEWNS)
            _arrange({TMP, others}, {*shown, own}, {TMP: f"size={tmp_mb}m,mode=1777"})
            _set_attributes(TMP, 0, remove=MOUNT_ATTR_RDONLY)
            self._inside = _here()
        except BaseException:
            self.__exit__()
            raise
        self.__exit__()

    def __enter__(self) -> "View":
        _call("setns", self._inside, CLONE_NEWNS)
        return self

    def __exit__(self, *exception: object) -> None:
        _call("setns", _outside(), CLONE_NEWNS)

    def close(self) -> None:
        """Give it up: /tmp is gone once the last process has ended that runs in it."""
        os.close(self._inside)


def fork() -> int:
    """Fork a child that is the first in a namespace of processes: when it ends, for any reason, the kernel ends all.

    What it mounts is seen by what it forks alone, and System V's shared memory ends with it.
    """
    return _clone(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC, signal.SIGCHLD)


def branch() -> int:
    """As `fork`, but for who has no rights of root: the child has them, in a namespace of users of its own alone.

    It is nobody there until `keep_user` was called for it from outside. Its parent is the parent of this process.
    Python does nothing of what it does after a fork, such as to seed `random` anew; there must be one thread alone.
    """
    return _clone(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_PARENT, 0)


def keep_user(pid: int, uid: int, gid: int) -> None:
    """Let this user be who it is in the namespace of users of that process, and there be no other."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path(f"/proc/{pid}/{name}").write_text(text)


def cover_tmp(tmp_mb: int) -> int:
    """For the child of `branch`: a /tmp of its own, empty but for what is mounted there, which it goes on to see.

    Returns a descriptor of the /tmp that it saw before.
    """
    with contextlib.ExitStack() as stack:
        before = os.open(TMP, os.O_PATH | os.O_CLOEXEC)
        mounted = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in _mounted_below(TMP)}
        for descriptor in mounted.values():
            stack.callback(os.close, descriptor)
        _mount("tmpfs", TMP, MS_NOSUID | MS_NODEV, f"size={tmp_mb}m,mode=1777", kind="tmpfs")
        for path, descriptor in mounted.items():
            _show(path, descriptor)
    return before


def sender(channel: socket.socket) -> int:
    """Who has sent the next message on a socket with SO_PASSCRED, as the kernel says it; 0 where there is none."""
    size = struct.calcsize("3i")
    message, ancillary, *_ = channel.recvmsg(16, socket.CMSG_SPACE(size))
    return int(struct.unpack("3i", ancillary[0][2][:size])[0]) if message else 0


def fork_plainly() -> int:
    """Fork as C does: of Python's own nothing is changed in the child, see `branch`."""
    pid: int = _libc().fork()
    if pid < 0:
        raise _error("fork")
    return pid


def show_own_processes() -> None:
    """For the child of `fork`: let /proc show its processes instead of the machine's. It is no way to the kernel's."""
    _mount("proc", "/proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, kind="proc")


def renounce() -> None:
    """Give up all rights of root, those included that a program has which belongs to root."""
    _call("prctl", PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    _call("capset", struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24))


def keep_to_itself() -> None:
    """From now on, signal, trace and speak by abstract sockets only with what this process starts: landlock(7).

    It needs no namespace, but Linux 6.12 or newer. An older one, or another system, does nothing.
    """
    if sys.platform != "linux":
        return
    syscall, scopes = (
        _libc().syscall,
        struct.pack("3Q", 0, 0, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL),
    )
    rules = syscall(ctypes.c_long(SYS_LANDLOCK_CREATE_RULESET), scopes, ctypes.c_size_t(len(scopes)), 0)
    if rules >= 0:
        _call("prctl", PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))
        _call("syscall", ctypes.c_long(SYS_LANDLOCK_RESTRICT_SELF), rules, 0)
        os.close(rules)


def _clone(flags: int, signal_at_end: int) -> int:
    arguments = struct.pack("8Q", flags, 0, 0, 0, signal_at_end, 0, 0, 0)
    pid: int = _libc().syscall(ctypes.c_long(SYS_CLONE3), arguments, ctypes.c_size_t(len(arguments)))
    if pid < 0:
        raise _error("clone3")
    return pid


@functools.cache
def _base(hidden: tuple[str, ...], shown: tuple[str, ...]) -> int:
    """A namespace with what is the same for many environments, made once, as it takes some milliseconds."""
    outside = _outside()
    _call("unshare", CLONE_NEWNS)
    try:
        covered = {*HIDDEN, *_roots_own("/etc"), *map(os.path.realpath, hidden)} - {"/"}
        _arrange(covered, {*SHOWN, *shown}, {})
        return _here()
    finally:
        _call("setns", outside, CLONE_NEWNS)


@functools.cache
def _roots_own(folder: str) -> set[str]:
    """What in this folder not everybody may read, such as passwords; of use where functions are root's, too.

    Looked for once, as it takes as long as an init.
    """
    found: set[str] = set()
    for path, folders, files in os.walk(folder) if os.geteuid() == 0 else ():
        for each in (os.path.join(path, name) for name in (*folders, *files)):
            with contextlib.suppress(FileNotFoundError):  # it has gone meanwhile
                if not os.lstat(each).st_mode & stat.S_IROTH:
                    found.add(each)
        folders[:] = [name for name in folders if os.path.join(path, name) not in found]
    return found


def _arrange(hidden: set[str], shown: set[str], options: dict[str, str]) -> None:
    """Cover folders and files, but for what is shown, and make all read-only; with options of some folders' covers."""
    with contextlib.ExitStack() as stack:
        descriptors = {}
        for path in {*shown, *map(os.path.realpath, shown)} - hidden:  # open while they are still to be seen
            if _below(path, hidden) and os.path.exists(path):
                descriptors[path] = os.open(path, os.O_PATH | os.O_CLOEXEC)
                stack.callback(os.close, descriptors[path])
        for path in sorted({*hidden, *descriptors}):  # what lies in another comes after it
            if path in descriptors:
                _show(path, descriptors[path])
            elif os.path.isdir(path):
                flags = MS_NOSUID | MS_NODEV
                _mount("tmpfs", path, flags, options.get(path, "size=1m,mode=755"), kind="tmpfs")
                if path == "/dev":
                    for link, target in LINKS.items():
                        os.symlink(target, link)
            elif os.path.exists(path):
                _mount("/dev/null", path, MS_BIND)
    _set_attributes("/", AT_RECURSIVE, add=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)


def _show(path: str, descriptor: int) -> None:
    there = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(there):
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()
    _mount(there, path, MS_BIND | MS_REC)


def _mounted_below(folder: str) -> list[str]:
    """Where something is mounted, but for what is mounted within that: proc(5), /proc/self/mountinfo."""
    found: list[str] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        path = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), line.split()[4])
        if _below(path, {folder}):
            found.append(path)
    return [path for path in sorted(set(found)) if not _below(path, set(found))]


def _below(path: str, folders: set[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


@functools.cache
def _outside() -> int:
    """Where this process is when it is in no view, once for all."""
    return _here()


def _here() -> int:
    return os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)


def _set_attributes(path: str, flags: int, add: int = 0, remove: int = 0) -> None:
    attributes = struct.pack("4Q", add, remove, 0, 0)
    number, size = ctypes.c_long(SYS_MOUNT_SETATTR), ctypes.c_size_t(len(attributes))
    _call("syscall", number, AT_FDCWD, path.encode(), ctypes.c_uint(flags), attributes, size)


def _mount(source: str | None, target: str, flags: int, options: str | None = None, kind: str | None = None) -> None:
    texts = [text and text.encode() for text in (source, target, kind, options)]
    _call("mount", *texts[:3], ctypes.c_ulong(flags), texts[3])


@functools.cache
def _libc() -> ctypes.PyDLL:
    return ctypes.PyDLL(
        None, use_errno=True
    )  # this one keeps Python's lock, which the child of `fork` has to hold, too


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc(), name)(*arguments) != 0:
        raise _error(name)


def _error(name: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{name}: {os.strerror(number)}")


def _try(snapshot: bool) -> int:
    """All of it, with a process that says how it went; with `snapshot` in a copy of it."""
    uid, gid = os.getuid(), os.getgid()
    enter()
    view = View(1, [], [], "/srv/any")
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    with view:
        pid = fork()
        if pid == 0:
            os._exit(_succeeds(lambda: _try_inside(theirs if snapshot else None)))
    view.close()
    theirs.close()
    if snapshot and (copy := sender(ours)):
        keep_user(copy, uid, gid)
        ours.send(b"kept")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _try_inside(channel: socket.socket | None) -> int:
    show_own_processes()
    user = os.fork()
    if user == 0:
        os._exit(_succeeds(lambda: _try_as_user(channel)))
    statuses = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(2 if channel else 1)]
    return max(map(abs, statuses))


def _try_as_user(channel: socket.socket | None) -> int:
    renounce()
    keep_to_itself()
    if channel and branch() == 0:
        channel.send(b"here")
        channel.recv(8)
        cover_tmp(1)
        show_own_processes()
        renounce()
        keep_to_itself()
    return 0


def _succeeds(attempt: Callable[[], int]) -> int:
    """0 where it does."""
    try:
        return attempt()
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(_try("snapshot" in sys.argv))
