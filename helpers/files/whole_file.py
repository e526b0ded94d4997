"""Writes a file whole or not at all: on a full disk, or when the power goes, what was there before stays.

Standard library only: the command line needs it before the environment exists.
"""

import os
from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Put `text` in the place of what `file` holds, if anything. Raises OSError, and then has changed nothing.

    Who may read the file stays as it is, and so is nobody else's for the moment in between.
    Two who write the same file at once have to take turns.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        new.unlink(missing_ok=True)
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o666
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as opened:
            opened.write(text)
        if file.exists():
            new.chmod(mode)  # of which the umask has taken some
        new.replace(file)
    except BaseException as error:
        new.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(file)  # the reader knows no other
        raise


def write_private(file: Path, text: str) -> None:
    """The same for a file that its owner alone may read. Raises OSError."""
    file.touch(0o600)
    file.chmod(0o600)
    write_whole(file, text)
