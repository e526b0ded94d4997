"""What a process has broken and not undone, in a file of its own: one that is killed leaves it to the next process."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from .. import settings

FOLDER = "faults"  # below the work folder; a file for each process


class Broken:
    """What this process has broken at a place (see ledger.py), with how it was before."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._broken: dict[tuple[str, str], Any] = {}  # by the ids of a fault and of a node

    def note(self, key: tuple[str, str], before: Any) -> None:
        self._broken[key] = before
        self._write()

    def forget(self, key: tuple[str, str]) -> None:
        if key in self._broken:
            del self._broken[key]
            self._write()

    def left(self) -> Iterator[tuple[str, str, Any]]:
        """What processes that have gone have left at this place; it is struck out once the caller asks for the next."""
        for file in sorted(_folder().glob("*.json")):
            try:
                told = json.loads(file.read_text(encoding="utf-8"))
                if _lives(*told["process"]) or told["place"] != self._place:
                    continue
                entries = [(str(id), str(of), before) for id, of, before in told["broken"]]
            except (OSError, ValueError, KeyError, TypeError):  # it has just gone, or is none of ours
                continue
            yield from entries
            file.unlink(missing_ok=True)

    def _write(self) -> None:
        file = _folder() / f"{os.getpid()}-{id(self)}.json"
        with contextlib.suppress(OSError):  # a full disk keeps nobody from breaking and undoing
            if not self._broken:
                file.unlink(missing_ok=True)
                return
            file.parent.mkdir(parents=True, exist_ok=True)
            process = [os.getpid(), psutil.Process().create_time()]
            broken = [[*key, before] for key, before in self._broken.items()]
            file.write_text(json.dumps({"place": self._place, "process": process, "broken": broken}), encoding="utf-8")


def _folder() -> Path:
    return settings.home() / FOLDER


def _lives(pid: int, began: float) -> bool:
    """Whether this process is there: another one may have its number."""
    try:
        return bool(abs(psutil.Process(pid).create_time() - began) < 1)
    except psutil.Error:
        return False
