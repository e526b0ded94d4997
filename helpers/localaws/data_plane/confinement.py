"""What a function sees and can reach of this machine, by Linux's namespaces: itself, and what its runtime needs.

An execution environment has its code, its layers and its runtime where they are on AWS, and a /tmp of its own. It can
change nothing else, and does not see the files of this machine's users. Its processes see and signal each other alone,
belong to AWS's user and have no rights of root. It reaches the network as all do.

A namespace lives as long as a process in it, or a descriptor of it, so there is nothing to unmount: when the keeper
ends, however it does, all are gone. It needs Linux 5.12 or newer. Where a machine forbids namespaces, nothing of
this holds but `keep_to_itself`.

Standard library only, as the command line asks `possible` before the environment exists, and the keeper is to be small.
Run as a script, this fails where namespaces are forbidden.
"""

import contextlib
import ctypes
import errno
import fcntl
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
TASK, OPT, RUNTIME = "/var/task", "/opt", "/var/runtime"  # code, layers, and what the runtime itself is made of
# What belongs to this machine's users, or speaks with its services; of the devices only those that Lambda has, too.
# Without /dev/shm, which Lambda does not have either, files in memory are those in /tmp.
HIDDEN = (
    *("/dev", "/home", "/media", "/mnt", "/root", "/run"),
    *("/var/backups", "/var/log", "/var/spool", "/var/tmp", TMP),
)
# Where folders of AWS's have to be, which this machine need not have: the rest of /var is shown in a new one.
VAR = "/var"
DEVICES = tuple(f"/dev/{name}" for name in ("full", "null", "random", "urandom", "zero"))
SHOWN = (*DEVICES, "/etc/resolv.conf", "/home/linuxbrew/.linuxbrew")
# Who runs a function on AWS, as functions have printed it: `id`, and the host's name, an address.
USER, GROUP, USER_NAME, HOST_NAME = 993, 990, "sbx_user1051", b"169.254.100.1"
# Who that is to this machine where root runs it: nobody's number. Who is not root has no other user than itself.
ROOTS_USER = 1_051_993
LINKS = {"/dev/fd": "/proc/self/fd", "/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2"}
# linux/sched.h, linux/mount.h, linux/prctl.h, linux/landlock.h; the numbers of system calls are the same everywhere
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
CLONE_NEWUTS, CLONE_PARENT = 0x04000000, 0x00008000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_SLAVE = 1 << 12, 1 << 14, 1 << 19
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4
AT_FDCWD, AT_RECURSIVE, AT_EMPTY_PATH = -100, 0x8000, 0x1000
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, MNT_DETACH = 1, 4, 2
LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_SCOPE_SIGNAL = 1, 2
SYS_OPEN_TREE, SYS_MOVE_MOUNT = 428, 429
SYS_CLONE3, SYS_MOUNT_SETATTR, SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_RESTRICT_SELF = 435, 442, 444, 446
PR_SET_NO_NEW_PRIVS = 38
NS_GET_PARENT = 0xB702  # linux/nsfs.h
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
        _map(os.getpid(), {uid: uid}, {gid: gid})
    _mount(None, "/", MS_SLAVE | MS_REC)  # what the machine mounts shows here, and nothing of ours there


class View:
    """The file system as one environment sees it; `with view:` puts this process, and what it forks, into it."""

    def __init__(
        self,
        tmp_mb: int,
        hidden: list[str],
        shown: list[str],
        mounts: dict[str, str],
        own: dict[str, str],
        replaced: dict[str, str],
    ) -> None:
        """Beside what is never seen, `hidden` is not, but for the folders `shown`, which may lie anywhere.

        `mounts` says what of this machine is seen where, by path below RUNTIME, and `own` what are TASK and OPT, which
        no other environment sees. `replaced` says which file is seen in the place of another.
        """
        base = _base(tuple(hidden), tuple(shown), tuple(mounts.items()), tuple(replaced.items()))
        kept = _kept(tuple(shown))
        with contextlib.ExitStack() as stack:
            for path in kept:  # a program of this machine may be there, too
                if _below(path, {OPT}):
                    _make_place(f"{own[OPT]}{path.removeprefix(OPT)}", os.path.isdir(path))
            folders = {path: _detached(folder) for path, folder in own.items()}
            for descriptor in folders.values():
                stack.callback(os.close, descriptor)
            stack.callback(_call, "setns", _outside(), CLONE_NEWNS)
            _call("setns", base, CLONE_NEWNS)
            _call("unshare", CLONE_NEWNS)
            below = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in kept}
            for descriptor in below.values():
                stack.callback(os.close, descriptor)
            _mount("tmpfs", TMP, MS_NOSUID | MS_NODEV, f"size={tmp_mb}m,mode=1777", kind="tmpfs")
            for path, descriptor in folders.items():
                _attach(descriptor, path)
            for path, descriptor in below.items():
                _show(path, descriptor)
            self._inside = _here()
        self.is_for_all = _are_for_all((*shown, *mounts.values(), *replaced.values()))

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
    return _clone(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, signal.SIGCHLD)


def fork_user(is_for_all: bool) -> int:
    """Fork a child that is AWS's user, in a namespace of users: so the kernel counts its processes for itself.

    For the child of `fork`, which sees only its own processes from now on. `is_for_all` is the view's.
    """
    _call("sethostname", HOST_NAME, ctypes.c_size_t(len(HOST_NAME)))
    _mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, kind="proc")
    wait, ready = os.pipe()
    pid = _clone(CLONE_NEWUSER, signal.SIGCHLD)
    if pid:
        os.close(wait)
        try:
            _map(pid, *_users(is_for_all))
            _set_attributes("/proc", 0, add=MOUNT_ATTR_RDONLY)  # it is no way to the kernel's settings
            os.write(ready, b"mapped")
        finally:
            os.close(ready)
        return pid
    os.close(ready)
    if not os.read(wait, 8):
        os._exit(1)
    os.close(wait)
    if os.getuid() != USER:
        os.setgroups([])
        os.setresgid(GROUP, GROUP, GROUP)
        os.setresuid(USER, USER, USER)
    return 0


def _users(is_for_all: bool = True) -> tuple[dict[int, int], dict[int, int]]:
    """Users and groups as a function sees them, and who they are outside of its namespace.

    Where root runs this, files belong to root, as on AWS, and the function is another user, if its runtime `is_for_all`
    to read. Elsewhere all is one user's.
    """
    if os.getuid() == 0 and is_for_all:
        return {0: 0, USER: ROOTS_USER}, {0: 0, GROUP: ROOTS_USER}
    return {USER: os.getuid()}, {GROUP: os.getgid()}


def branch() -> int:
    """As `fork`, but for who has no rights of root: the child has them, in a namespace of users of its own alone.

    It is nobody there until `keep_user` was called for it from outside. Its parent is the parent of this process.
    Python does nothing of what it does after a fork, such as to seed `random` anew; there must be one thread alone.
    """
    return _clone(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_PARENT, 0)


def keep_user(pid: int) -> None:
    """Let the child of `branch` be who it was: told by another process, which is where that one came from."""
    teller = os.fork()
    if teller == 0:
        os._exit(_succeeds(lambda: _keep_user(pid)))
    if os.waitpid(teller, 0)[1]:
        raise PermissionError(errno.EPERM, "a namespace of users cannot be told who its users are")


def _keep_user(pid: int) -> int:
    own = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    _call("setns", fcntl.ioctl(own, NS_GET_PARENT), CLONE_NEWUSER)
    users, groups = _users()
    _map(pid, {each: each for each in users}, {each: each for each in groups})
    return 0


def _map(pid: int, users: dict[int, int], groups: dict[int, int]) -> None:
    """Say who the users of that process's namespace are outside of it; there are no others."""
    if len(groups) == 1:
        _tell(pid, "setgroups", "deny")
    for name, ids in (("uid_map", users), ("gid_map", groups)):
        _tell(pid, name, "\n".join(f"{inside} {outside} 1" for inside, outside in ids.items()))


def _tell(pid: int, name: str, text: str) -> None:
    """Write to a file of that process in /proc: what takes a moment here is a part of Init."""
    descriptor = os.open(f"/proc/{pid}/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


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
    """For the child of `branch`: let /proc show its processes alone. It is no way to the kernel's settings."""
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
def _base(
    hidden: tuple[str, ...],
    shown: tuple[str, ...],
    mounts: tuple[tuple[str, str], ...],
    replaced: tuple[tuple[str, str], ...],
) -> int:
    """A namespace with what is the same for many environments, made once, as it takes some milliseconds."""
    outside = _outside()
    _call("unshare", CLONE_NEWNS)
    try:
        _make_folders_at_the_top(VAR, OPT)
        covered = {*HIDDEN, *_roots_own("/etc"), *map(os.path.realpath, hidden), VAR, OPT} - {"/"}
        seen = {*SHOWN, *shown, *_rest_of_var()}
        places = {path: path for path in {*seen, *map(os.path.realpath, seen)} - covered}
        places |= {f"{RUNTIME}/{name}".rstrip("/"): source for name, source in mounts}
        _arrange(covered, places, dict(replaced))
        return _here()
    finally:
        _call("setns", outside, CLONE_NEWNS)


def _make_folders_at_the_top(*paths: str) -> None:
    """Where this machine lacks one, or has a link there: in a new root, with all else of the machine's."""
    if all(os.path.isdir(path) and not os.path.islink(path) for path in paths):
        return
    entries = {entry.name: entry for entry in os.scandir("/") if not (entry.path in paths and entry.is_symlink())}
    with contextlib.ExitStack() as stack:
        descriptors = {}
        for name, entry in entries.items():
            if not entry.is_symlink():
                descriptors[name] = os.open(entry.path, os.O_PATH | os.O_CLOEXEC)
                stack.callback(os.close, descriptors[name])
        _mount("tmpfs", TMP, MS_NOSUID | MS_NODEV, "size=1m,mode=755", kind="tmpfs")  # which none of these lies in
        for name, entry in entries.items():
            if name in descriptors:
                _show(f"{TMP}/{name}", descriptors[name])
            else:
                os.symlink(os.readlink(entry.path), f"{TMP}/{name}")
    for path in paths:
        os.makedirs(f"{TMP}{path}", exist_ok=True)
    os.chdir(TMP)
    _call("pivot_root", b".", b".")  # the old one then lies above the new one: pivot_root(2)
    _call("umount2", b".", MNT_DETACH)


@functools.cache
def _kept(shown: tuple[str, ...]) -> list[str]:
    """Those that lie where each environment has a folder of its own."""
    kept = {path for path in (*shown, *map(os.path.realpath, shown)) if _below(path, {TMP, OPT})}
    return sorted(filter(os.path.exists, kept))


@functools.cache
def _are_for_all(paths: tuple[str, ...]) -> bool:
    """Whether others than their owner may read them: with a umask of 077 a program of root's is for root alone."""
    return all(os.stat(path).st_mode & stat.S_IROTH for path in paths if os.path.exists(path))


def _rest_of_var() -> list[str]:
    """What this machine has in /var beside AWS's folders: the links in it are made anew, by `_arrange`."""
    entries = [entry.path for entry in os.scandir(VAR) if not entry.is_symlink()]
    return [path for path in entries if path not in (TASK, RUNTIME, "/var/run", *HIDDEN)]


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


def _arrange(hidden: set[str], shown: dict[str, str], replaced: dict[str, str]) -> None:
    """Cover folders and files, but for what is shown, each path by what it is to be; make all read-only."""
    links = {entry.path: os.readlink(entry.path) for entry in os.scandir(VAR) if entry.is_symlink()}
    folders = {path for path in hidden if os.path.isdir(path)}
    with contextlib.ExitStack() as stack:
        descriptors = {}
        for path, source in {**shown, **replaced}.items():  # open while they are still to be seen
            if (path in replaced or _below(path, hidden)) and os.path.exists(source):
                descriptors[path] = os.open(source, os.O_PATH | os.O_CLOEXEC)
                stack.callback(os.close, descriptors[path])
        for path in sorted({*hidden, *descriptors}):  # what lies in another comes after it
            if path in descriptors:
                _show(path, descriptors[path])
            elif path in folders:
                os.makedirs(path, exist_ok=True)
                _mount("tmpfs", path, MS_NOSUID | MS_NODEV, "size=1m,mode=755", kind="tmpfs")
            elif os.path.exists(path):
                _mount("/dev/null", path, MS_BIND)
    for link, target in {**LINKS, **links}.items():
        os.symlink(target, link)
    for path in (TASK, RUNTIME):
        os.makedirs(path, exist_ok=True)
    _name_user()
    _set_attributes("/", AT_RECURSIVE, add=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)


def _name_user() -> None:
    """Give AWS's user its name: in a file beside the machine's own, which is seen in its place."""
    if not os.path.exists("/etc/passwd"):
        return
    file = Path(f"{VAR}/passwd")
    file.write_text(f"{USER_NAME}:x:{USER}:{GROUP}::/home/{USER_NAME}:/sbin/nologin\n{Path('/etc/passwd').read_text()}")
    _mount(str(file), "/etc/passwd", MS_BIND)
    file.unlink()


def _show(path: str, descriptor: int) -> None:
    there = f"/proc/self/fd/{descriptor}"
    _make_place(path, os.path.isdir(there))
    _mount(there, path, MS_BIND | MS_REC)


def _make_place(path: str, is_folder: bool) -> None:
    """A folder or a file for something to be seen at."""
    if is_folder:
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()


def _detached(folder: str) -> int:
    """A mount of this folder that is nowhere yet, and read-only, for `_attach` in any namespace."""
    number, flags = ctypes.c_long(SYS_OPEN_TREE), ctypes.c_uint(OPEN_TREE_CLONE | os.O_CLOEXEC)
    descriptor: int = _libc().syscall(number, AT_FDCWD, folder.encode(), flags)
    if descriptor < 0:
        raise _error("open_tree")
    try:
        _set_attributes("", AT_EMPTY_PATH, add=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, at=descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _attach(descriptor: int, path: str) -> None:
    number, flags = ctypes.c_long(SYS_MOVE_MOUNT), ctypes.c_uint(MOVE_MOUNT_F_EMPTY_PATH)
    _call("syscall", number, descriptor, b"", AT_FDCWD, path.encode(), flags)


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


def _set_attributes(path: str, flags: int, add: int, at: int = AT_FDCWD) -> None:
    attributes = struct.pack("4Q", add, 0, 0, 0)
    number, size = ctypes.c_long(SYS_MOUNT_SETATTR), ctypes.c_size_t(len(attributes))
    _call("syscall", number, at, path.encode(), ctypes.c_uint(flags), attributes, size)


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
    import tempfile  # which the keeper, who forks, does without

    enter()
    with tempfile.TemporaryDirectory() as own:
        view = View(1, [], [], {}, {TASK: own, OPT: own}, {})
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with view:
            pid = fork()
            if pid == 0:
                os._exit(_succeeds(lambda: _try_inside(theirs if snapshot else None)))
        view.close()
        theirs.close()
        if snapshot and (copy := sender(ours)):
            keep_user(copy)
            ours.send(b"kept")
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _try_inside(channel: socket.socket | None) -> int:
    user = fork_user(True)
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
