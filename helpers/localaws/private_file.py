"""Files with a secret in them, which their owner alone may read."""

import os
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone may read, whoever could read the one before it."""
    new = file.with_name(file.name + ".new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(text)
        new.replace(file)
    except OSError as error:
        error.filename = str(file)  # the reader knows no other
        raise
