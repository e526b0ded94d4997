"""Tells whether somebody has worked in a starter, so that building does not overwrite it."""

import contextlib
import hashlib
import json
import subprocess
from pathlib import Path

from .. import settings
from ..files.whole_file import write_whole
from . import lint

BUILT_FILE = "built.json"


def is_there(path: Path) -> bool:
    """Whether a starter has outputs, or is neither what we last built nor what git's HEAD holds.

    Where there is no git to ask, outputs alone tell.
    """
    if not path.exists():
        return False
    starter = lint.read(path)
    if starter is not None and lint.has_outputs(starter):
        return True
    return _built().get(str(path)) != _digest(path) and _differs_from_head(path)


def note_built(path: Path) -> None:
    """Take note of a starter that has just been built; where that cannot be written, git alone tells."""
    text = json.dumps({**_built(), str(path): _digest(path)}, indent=1, sort_keys=True)
    with contextlib.suppress(OSError):
        settings.home().mkdir(parents=True, exist_ok=True)
        write_whole(settings.home() / BUILT_FILE, text + "\n")


def _built() -> dict[str, str]:
    try:
        built = json.loads((settings.home() / BUILT_FILE).read_text())
    except (OSError, ValueError, RecursionError):  # nothing built yet, or damaged: then git alone tells
        return {}
    return built if isinstance(built, dict) else {}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _differs_from_head(path: Path) -> bool:
    command = ["git", "--no-optional-locks", "status", "--porcelain", "--", path.name]
    try:
        status = subprocess.run(command, cwd=path.parent, capture_output=True)
    except FileNotFoundError:  # no git on this machine
        return False
    return status.returncode == 0 and bool(status.stdout)
