"""What the system tells of a process: who is below it, how much memory it holds, how long it has computed.

Linux tells it in /proc, elsewhere psutil finds out. Of a process that has ended there is nothing: no error, but none
below it, no memory, no time. It imports nothing of ours, as keeper.py, which is a script, uses it too, and nothing
large that is not needed, as a small process forks quickly.
"""

import contextlib
import os
import signal
import sys
import time

MANY = 2000  # descendants: where processes start others without end, there is no last one to be found
FULL = os.sysconf("SC_PAGESIZE") // 2  # a file of /proc comes a page at a time: of less than that there is no more
EXITING, ENDED, AT_REST = 0x4, b"ZX", b"TtS"  # a flag and states of proc_pid_stat(5)
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")  # the unit of times in /proc


def _children_by_psutil(pid: int) -> list[int]:
    return _found_by_psutil(pid, recursive=False)


def _descendants_by_psutil(pid: int) -> list[int]:
    return _found_by_psutil(pid, recursive=True)


def _found_by_psutil(pid: int, recursive: bool) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children(recursive)]
    except psutil.NoSuchProcess:
        return []


if sys.platform == "linux":

    def _children_by_proc(pid: int) -> list[int]:
        return _started_by(pid, _threads_by_proc(pid))

    def _started_by(pid: int, threads: list[str]) -> list[int]:
        """The children of a process: each is listed by the thread that started it."""
        found: list[int] = []
        for thread in threads:
            found += map(int, _content(f"/proc/{pid}/task/{thread}/children").split())
        return found

    def _descendants_by_proc(pid: int) -> list[int]:
        return _tasks_by_proc(pid)[0]

    def _tasks_by_proc(pid: int) -> tuple[list[int], int]:
        found, count = _children_by_proc(pid), 0
        for child in found:  # it grows meanwhile: they may lie deeper than Python can recurse
            threads = _threads_by_proc(child)
            count += len(threads)
            if len(found) <= MANY:
                found += _started_by(child, threads)
        return found, count

    def _tasks_by_psutil(pid: int) -> tuple[list[int], int]:
        found = _descendants_by_psutil(pid)
        return found, sum(len(_threads_by_proc(child)) for child in found)

    def _threads_by_proc(pid: int) -> list[str]:
        folder = f"/proc/{pid}/task"
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # then there are no entries
            if os.stat(folder).st_nlink == 3:  # itself, its parent, and a folder for each thread: quicker than to list
                return [str(pid)]
        return _entries(folder)

    # Not every kernel has the list (CONFIG_PROC_CHILDREN), without which every process has to be asked for its parent.
    _listed = os.path.exists("/proc/thread-self/children")
    children = _children_by_proc if _listed else _children_by_psutil
    descendants = _descendants_by_proc if _listed else _descendants_by_psutil
    tasks = _tasks_by_proc if _listed else _tasks_by_psutil

    def peak_bytes(pid: int) -> int:
        """The most memory that it has held so far."""
        return _kilobytes(f"/proc/{pid}/status", b"VmHWM:")

    def share_bytes(pid: int) -> int:
        """Its memory, where a page that several processes share counts for each by its share of it: proc(5)."""
        return _kilobytes(f"/proc/{pid}/smaps_rollup", b"Pss:")

    def shared_bytes(pid: int) -> int:
        """That of its `share_bytes` which is in files that exist in memory alone."""
        return _kilobytes(f"/proc/{pid}/smaps_rollup", b"Pss_Shmem:")

    def memory_files(pid: int) -> dict[int, int]:
        """The files without a name that it has open, memfd_create(2), and the bytes of memory that each takes."""
        found = {}
        for descriptor in _entries(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # closed, or ended
                if os.readlink(path := f"/proc/{pid}/fd/{descriptor}").startswith("/memfd:"):
                    file = os.stat(path)
                    found[file.st_ino] = file.st_blocks * 512
        return found

    def cpu_seconds(pid: int) -> float:
        """How long it has computed so far, its children not included."""
        try:
            return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3), as the kernel numbers these clocks
        except OSError:  # it has ended
            return 0.0

    def ended_seconds(pid: int) -> float:
        """What its children that have ended have computed: cutime and cstime in proc(5)."""
        fields = _fields(pid)
        return (int(fields[13]) + int(fields[14])) / TICKS_PER_SECOND if fields else 0.0

    def is_killed(pid: int) -> bool:
        """Whether it was killed, though with much memory it may not be gone for long; or has ended."""
        if (state := _state(pid)) is None:
            return True
        if state[0] in AT_REST:  # SIGKILL wakes up what is stopped or sleeps, at once
            return False
        pending = _content(f"/proc/{pid}/status")
        if any(int(_field(pending, name) or b"0", 16) & 1 << signal.SIGKILL - 1 for name in (b"SigPnd:", b"ShdPnd:")):
            return True
        return (state := _state(pid)) is None or bool(state[1] & EXITING)

    def _state(pid: int) -> tuple[bytes, int] | None:
        """The letter of its state, and its flags; None where it has ended."""
        fields = _fields(pid, 7)
        return (fields[0], int(fields[6])) if fields and fields[0] not in ENDED else None

    def _fields(pid: int, most: int = -1) -> list[bytes]:
        """Those of proc_pid_stat(5) from the state on, the first so many apart; none where it has ended."""
        return _content(f"/proc/{pid}/stat").rpartition(b")")[2].split(None, most)

    def _field(content: bytes, name: bytes) -> bytes:
        """The first word after a name that begins a line; b"" where there is none."""
        return b"".join(content.partition(b"\n" + name)[2].split(maxsplit=1)[:1])

    def _kilobytes(file: str, name: bytes) -> int:
        """A field that stands there in kB, as bytes."""
        return int(_field(_content(file), name) or 0) * 1024

    def _content(file: str) -> bytes:
        """The content of a file of /proc, which is empty where the process has ended."""
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return b""
        try:
            content = piece = os.read(descriptor, 65536)
            while len(piece) >= FULL:
                piece = os.read(descriptor, 65536)
                content += piece
            return content
        except ProcessLookupError:
            return b""
        finally:
            os.close(descriptor)

    def _entries(folder: str) -> list[str]:
        try:
            return os.listdir(folder)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return []

else:
    import psutil

    children, descendants = _children_by_psutil, _descendants_by_psutil

    def peak_bytes(pid: int) -> int:
        """What it holds now: there is no high-water mark of another process here."""
        try:
            return psutil.Process(pid).memory_info().rss
        except psutil.NoSuchProcess:
            return 0

    share_bytes = peak_bytes

    def shared_bytes(pid: int) -> int:
        return 0  # not told here

    def memory_files(pid: int) -> dict[int, int]:
        return {}  # there are none here

    def is_killed(pid: int) -> bool:
        return False  # not told here

    def tasks(pid: int) -> tuple[list[int], int]:
        found = descendants(pid)
        return found, sum(map(_threads, found))

    def _threads(pid: int) -> int:
        try:
            return int(psutil.Process(pid).num_threads())
        except psutil.Error:  # it has ended
            return 0

    def cpu_seconds(pid: int) -> float:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.Error:  # it has ended
            return 0.0
        return times.user + times.system

    def ended_seconds(pid: int) -> float:
        return 0.0  # not told here
