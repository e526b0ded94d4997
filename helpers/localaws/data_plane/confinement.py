"""What a function sees and can reach of this machine, by Linux's namespaces: itself, and what its runtime needs.

An execution environment has a /tmp of its own, can change nothing else, and does not see the files of this machine's
users. Its processes see and signal each other alone, and have no rights of root. It reaches the network as all do.

A namespace lives as long as a process in it, or a descriptor of it, so there is nothing to unmount: when the keeper
ends, however it does, all are gone. It needs Linux 5.12 or newer. Where a machine forbids namespaces, nothing of
this holds.

Standard library only, as the command line asks `possible` before the environment exists, and the keeper is to be small.
Run as a script, this fails where namespaces are forbidden.
"""

import contextlib
import ctypes
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

TMP = os.path.realpath("/tmp")
# What belongs to this machine's users, or speaks with its services; of the devices only those that Lambda has, too.
# Without /dev/shm, which Lambda does not have either, files in memory are those in /tmp.
HIDDEN = ("/dev", "/home", "/media", "/mnt", "/root", "/run", "/var/tmp", TMP)
DEVICES = tuple(f"/dev/{name}" for name in ("full", "null", "random", "urandom", "zero"))
SHOWN = (*DEVICES, "/etc/resolv.conf", "/home/linuxbrew/.linuxbrew")
LINKS = {"/dev/fd": "/proc/self/fd", "/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2"}
# linux/sched.h, linux/mount.h, linux/prctl.h, linux/capability.h; the numbers of system calls are the same everywhere
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_SLAVE = 1 << 12, 1 << 14, 1 << 19
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 1, 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
SYS_CLONE3, SYS_MOUNT_SETATTR = 435, 442
PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION_3 = 0x20080522


def possible() -> bool:
    """Whether this machine lets us; tried in another process."""
    if sys.platform != "linux":
        return False
    return subprocess.run([sys.executable, "-S", __file__], capture_output=True).returncode == 0


def enter() -> None:
    """Put this process into a namespace of mounts that it may change, for `View`. OSError where that is forbidden."""
    uid, gid = os.getuid(), os.getgid()
    try:
        _call("unshare", CLONE_NEWNS)
    except PermissionError:  # not root: root in a namespace of users, in which everybody stays who they are
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _mount(None, "/", MS_SLAVE | MS_REC)  # what the machine mounts shows here, and nothing of ours there


class View:
    """The file system as one environment sees it; `with view:` puts this process, and what it forks, into it."""

    def __init__(self, tmp_mb: int, hidden: list[str], shown: list[str]) -> None:
        """Beside what is never seen, `hidden` is not, but for the folders `shown`, which may lie anywhere."""
        self._outside = _here()
        _call("unshare", CLONE_NEWNS)
        try:
            _arrange(tmp_mb, {*HIDDEN, *map(os.path.realpath, hidden)} - {"/"}, {*SHOWN, *shown})
            self._inside = _here()
        except BaseException:
            self.__exit__()
            os.close(self._outside)
            raise
        self.__exit__()

    def __enter__(self) -> "View":
        _call("setns", self._inside, CLONE_NEWNS)
        return self

    def __exit__(self, *exception: object) -> None:
        _call("setns", self._outside, CLONE_NEWNS)

    def close(self) -> None:
        """Give it up: /tmp is gone once the last process has ended that runs in it."""
        os.close(self._inside)
        os.close(self._outside)


def fork() -> int:
    """Fork a child that is the first in a namespace of processes: when it ends, for any reason, the kernel ends all.

    What it mounts is seen by what it forks alone, and System V's shared memory ends with it.
    """
    arguments = struct.pack("8Q", CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    libc = ctypes.PyDLL(None, use_errno=True)  # this one keeps Python's lock, which the child has to hold, too
    pid: int = libc.syscall(ctypes.c_long(SYS_CLONE3), arguments, ctypes.c_size_t(len(arguments)))
    if pid < 0:
        raise _error("clone3")
    return pid


def show_own_processes() -> None:
    """For the child of `fork`: let /proc show its processes instead of the machine's. It is no way to the kernel's."""
    _mount("proc", "/proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, kind="proc")


def renounce() -> None:
    """Give up all rights of root, those included that a program has which belongs to root."""
    _call("prctl", PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    _call("capset", struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24))


def _arrange(tmp_mb: int, hidden: set[str], shown: set[str]) -> None:
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
                options = f"size={tmp_mb}m,mode=1777" if path == TMP else "size=1m,mode=755"
                _mount("tmpfs", path, MS_NOSUID | MS_NODEV, options, kind="tmpfs")
    for path, target in LINKS.items():
        os.symlink(target, path)
    _set_attributes("/", AT_RECURSIVE, add=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    _set_attributes(TMP, 0, remove=MOUNT_ATTR_RDONLY)


def _show(path: str, descriptor: int) -> None:
    there = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(there):
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()
    _mount(there, path, MS_BIND | MS_REC)


def _below(path: str, folders: set[str]) -> bool:
    return any(str(parent) in folders for parent in Path(path).parents)


def _here() -> int:
    return os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)


def _set_attributes(path: str, flags: int, add: int = 0, remove: int = 0) -> None:
    attributes = struct.pack("4Q", add, remove, 0, 0)
    number, size = ctypes.c_long(SYS_MOUNT_SETATTR), ctypes.c_size_t(len(attributes))
    _call("syscall", number, AT_FDCWD, path.encode(), ctypes.c_uint(flags), attributes, size)


def _mount(source: str | None, target: str, flags: int, options: str | None = None, kind: str | None = None) -> None:
    texts = [text and text.encode() for text in (source, target, kind, options)]
    _call("mount", *texts[:3], ctypes.c_ulong(flags), texts[3])


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise _error(name)


def _error(name: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{name}: {os.strerror(number)}")


def _try() -> int:
    """All of it, with a process that says how it went."""
    enter()
    view = View(1, [], [])
    with view:
        pid = fork()
        if pid == 0:
            try:
                show_own_processes()
                renounce()
            except OSError:
                os._exit(1)
            os._exit(0)
    view.close()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(_try())
