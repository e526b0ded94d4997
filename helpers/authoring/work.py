"""Tells whether somebody has worked in a starter, so that building does not overwrite it."""

import hashlib
import json
import subprocess
from pathlib import Path

from .. import settings
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
    """Take note of a starter that has just been built."""
    settings.home().mkdir(parents=True, exist_ok=True)
    text = json.dumps({**_built(), str(path): _digest(path)}, indent=1, sort_keys=True)
    (settings.home() / BUILT_FILE).write_text(text + "\n")


def _built() -> dict[str, str]:
    try:
        built: dict[str, str] = json.loads((settings.home() / BUILT_FILE).read_text())
        return built
    except (FileNotFoundError, ValueError):  # nothing built yet, or not written to its end: then git alone tells
        return {}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _differs_from_head(path: Path) -> bool:
    command = ["git", "--no-optional-locks", "status", "--porcelain", "--", path.name]
    try:
        status = subprocess.run(command, cwd=path.parent, capture_output=True)
    except FileNotFoundError:  # no git on this machine
        return False
    return status.returncode == 0 and bool(status.stdout)
