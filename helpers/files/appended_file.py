"""Adds a line to a file that is only ever appended to: all of the line or, on a full disk, nothing.

Standard library only.
"""

import fcntl
import os
from pathlib import Path


def append_line(path: Path, line: bytes, mode: int = 0o666) -> None:
    """Add a line, which has no end yet; `mode` is that of a new file. Two who add take turns. Raises OSError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file).st_size
        # a last line without an end was written by somebody who was killed: the next must not be added to it
        rest = (b"\n" if size and os.pread(file, 1, size - 1) != b"\n" else b"") + line + b"\n"
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
        except OSError:
            os.ftruncate(file, size)
            raise
    finally:
        os.close(file)
