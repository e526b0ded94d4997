"""A /tmp of its own for each execution environment, and code that it cannot write to, by Linux's mount namespaces.

A namespace lives as long as a process in it, or a descriptor of it, so there is nothing to unmount: when the keeper
ends, however it does, all are gone. Where a machine forbids namespaces, functions share its /tmp.

Standard library only, as the command line asks `possible` before the environment exists, and the keeper is to be small.
Run as a script, this fails where namespaces are forbidden.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
from pathlib import Path

TMP = os.path.realpath("/tmp")
# linux/sched.h and linux/mount.h
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_SLAVE = 1 << 12, 1 << 14, 1 << 19


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

    def __init__(self, tmp_mb: int, read_only: list[str], needed: list[str]) -> None:
        """`needed` are folders that stay to be seen, read-only, should they lie below /tmp."""
        self._outside = _here()
        _call("unshare", CLONE_NEWNS)
        try:
            _arrange(tmp_mb, read_only, needed)
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


def _arrange(tmp_mb: int, read_only: list[str], needed: list[str]) -> None:
    with contextlib.ExitStack() as stack:
        folders = {}
        for folder in sorted({*read_only, *filter(_below_tmp, needed)}):  # before they are hidden
            folders[folder] = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            stack.callback(os.close, folders[folder])
        _mount("tmpfs", TMP, MS_NOSUID | MS_NODEV, f"size={tmp_mb}m,mode=1777", kind="tmpfs")
        for folder, descriptor in folders.items():
            os.makedirs(folder, exist_ok=True)
            flags = os.fstatvfs(descriptor).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)  # those must stay
            _mount(f"/proc/self/fd/{descriptor}", folder, MS_BIND | MS_REC)
            _mount(None, folder, MS_BIND | MS_REMOUNT | MS_RDONLY | flags)


def _here() -> int:
    return os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)


def _below_tmp(folder: str) -> bool:
    return folder != TMP and Path(folder).is_relative_to(TMP) and os.path.isdir(folder)


def _mount(source: str | None, target: str, flags: int, options: str | None = None, kind: str | None = None) -> None:
    texts = [text and text.encode() for text in (source, target, kind, options)]
    _call("mount", *texts[:3], ctypes.c_ulong(flags), texts[3])


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    enter()
    View(1, [], []).close()
