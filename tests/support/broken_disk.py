"""A disk that is full and a file that may not be touched, made with the system's own means."""

import contextlib
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

NOBODY = 65534


@contextlib.contextmanager
def full_disk(file: Path) -> Iterator[None]:
    """No file of this process can become larger than `file` is now; what writes to it gets an OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size if file.exists() else 0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def as_nobody(file: Path) -> Iterator[None]:
    """This process is refused what the mode of `file` does not allow, also when root runs the tests.

    The file becomes nobody's own, and its folders can be passed through.
    """
    if os.geteuid() != 0:
        yield
        return
    before = {folder: folder.stat().st_mode for folder in file.parents}
    os.chown(file, NOBODY, -1)
    try:
        for folder, mode in before.items():
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
        os.seteuid(NOBODY)
        yield
    finally:
        os.seteuid(0)
        os.chown(file, 0, -1)
        for folder, mode in before.items():
            folder.chmod(mode & 0o7777)
