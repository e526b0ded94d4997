"""Writes a folder whole or not at all: as long as the new one is being made, or if it fails, what was there stays."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_folder(folder: Path, mode: int = 0o777) -> Iterator[Path]:
    """A new folder for the block to fill, which then takes the place of `folder`, if that is there. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}.", dir=folder.parent, ignore_cleanup_errors=True
    ) as beside:
        new, old = Path(beside) / "new", Path(beside) / "old"
        new.mkdir(mode)
        yield new
        try:
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        except BaseException:
            if old.exists() and not folder.exists():
                old.rename(folder)
            raise
