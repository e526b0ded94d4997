"""The command lines of this machine's processes. Standard library only."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def command_line(pid: int) -> str:
    """The command line of a process, or nothing when there is no such process or it has ended."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps("-o", "args=", "-p", str(pid))


def command_lines() -> Iterator[tuple[int, str]]:
    """All processes that can be seen, each with its command line."""
    if sys.platform == "linux":
        for folder in Path("/proc").glob("[0-9]*"):
            yield int(folder.name), command_line(int(folder.name))
        return
    for line in _ps("-ax", "-o", "pid=,args=").splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), command


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", "-ww", *arguments], capture_output=True, text=True, errors="replace").stdout
