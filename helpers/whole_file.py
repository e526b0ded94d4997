"""Writes a file whole or not at all: on a full disk, or when the power goes, what was there before stays.

Standard library only: the command line needs it before the environment exists.
"""

from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Put `text` in the place of what `file` holds, if anything. Raises OSError, and then has changed nothing.

    Two who write the same file at once have to take turns.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        if file.exists():
            new.chmod(file.stat().st_mode & 0o777)
        new.replace(file)
    except BaseException as error:
        new.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(file)  # the reader knows no other
        raise
