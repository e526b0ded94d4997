"""Which exercises are solved, how many hints were shown, and what the reader predicted, kept in a file."""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import lessons, settings
from ..errors import WorkshopError
from ..files.whole_file import write_whole

# E.g. {"solved": {"09": "2026-11-24T09:00:00+00:00"}, "hints": {"09": 2}, "predictions": {"02.a": "5"},
# "language": "node"}
State = dict[str, Any]

FILE = "progress.json"
RENAMED = {"17": "17.2"}  # an exercise that was the only one of its notebook, and is not any more


class ProgressError(WorkshopError):
    """The file cannot be read; the message is one sentence for the reader."""


def solved() -> set[str]:
    """The exercises that have passed their check, e.g. {"01.1", "09"}."""
    return set(_state()["solved"])


def solve(exercise: str) -> None:
    """Enter an exercise as solved; the time of the first time stays."""
    with _changing() as state:
        state["solved"].setdefault(exercise, datetime.now(UTC).isoformat(timespec="seconds"))


def count_hint(exercise: str, number: int | None = None) -> int:
    """Count one more hint of an exercise and return how many that makes; with `number`, begin again from there."""
    with _changing() as state:
        count: int = state["hints"].get(exercise, 0) + 1 if number is None else number
        state["hints"][exercise] = count
    return count


def hints() -> dict[str, int]:
    """How many hints of each exercise were shown, e.g. {"09": 2}."""
    return dict(_state()["hints"])


def language() -> str:
    """The language that the reader chose for the labs last."""
    chosen: str = _state()["language"]
    return chosen


def choose_language(language: str) -> None:
    """Enter the language of the labs, e.g. "node"."""
    with _changing() as state:
        state["language"] = language


def prediction(key: str) -> str:
    """What the reader predicted under this key, e.g. "02.a"; "" when nothing."""
    kept: str = _state()["predictions"].get(key, "")
    return kept


def predictions() -> dict[str, str]:
    """Every prediction by its key, e.g. {"02.a": "5"}."""
    return dict(_state()["predictions"])


def keep_prediction(key: str, expected: str) -> None:
    """Enter a prediction; a later one takes its place, and an empty one takes it away."""
    with _changing() as state:
        if expected.strip():
            state["predictions"][key] = expected.strip()
        else:
            state["predictions"].pop(key, None)


def forget(exercises: Iterable[str]) -> None:
    """Take exercises as unsolved, and their hints as not shown."""
    with _changing() as state:
        for exercise in exercises:
            state["solved"].pop(exercise, None)
            state["hints"].pop(exercise, None)


def summary() -> str:
    """E.g. "3 of 40 exercises solved"."""
    exercises = lessons.exercises()
    return f"{len(solved() & set(exercises))} of {len(exercises)} exercises solved"


def summary_of_notebook(number: str) -> str:
    """E.g. "1 of 2 exercises of this notebook solved"."""
    done, exercises = of_notebook(number)
    return f"{done} of {exercises} exercise{'' if exercises == 1 else 's'} of this notebook solved"


def of_notebook(number: str) -> tuple[int, int]:
    """How many exercises of a notebook are solved, and how many it has, e.g. (1, 2)."""
    exercises = {exercise.number for exercise in lessons.lesson(number).exercises}
    return len(exercises & solved()), len(exercises)


def _state() -> State:
    """What the file holds; looking makes no file."""
    try:
        return _parse(_path().read_bytes())
    except FileNotFoundError:
        return _parse(b"")
    except OSError as error:
        raise ProgressError.about_file(error, _path(), "read") from None


@contextmanager
def _changing() -> Iterator[State]:
    """What the file holds, written back when the block has changed it. Two notebooks take turns."""
    try:
        _path().parent.mkdir(parents=True, exist_ok=True)
        with _alone(_path().parent):
            state = _state()
            yield state
            kept = {name: value for name, value in state.items() if value or name != "predictions"}
            write_whole(_path(), json.dumps(kept, indent=1) + "\n")
    except OSError as error:
        raise ProgressError.about_file(error, _path()) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder: that of the file would go with the file, which is replaced."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _parse(content: bytes) -> State:
    try:
        found = json.loads(content.decode("utf-8-sig") or "{}")
    except (ValueError, RecursionError):  # no JSON, or no UTF-8
        raise _unreadable("is no JSON") from None
    if not isinstance(found, dict):
        raise _unreadable("is no object of JSON")
    state: State = {"solved": {}, "hints": {}, "predictions": {}, "language": "python"} | found
    for name, sound in SOUND.items():
        if not sound(state[name]):
            raise _unreadable(f"is damaged at {name!r}")
    for name in ("solved", "hints"):
        state[name] = {RENAMED.get(exercise, exercise): kept for exercise, kept in state[name].items()}
    return state


def _counts(found: Any) -> bool:
    return isinstance(found, dict) and all(type(count) is int and count >= 0 for count in found.values())


def _texts(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(text, str) for text in found.values())


SOUND: dict[str, Callable[[Any], bool]] = {
    "solved": _texts,
    "hints": _counts,
    "predictions": _texts,
    "language": lambda found: isinstance(found, str),
}


def _unreadable(why: str) -> ProgressError:
    return ProgressError(f"{_path()} {why} and cannot be read; delete it, and check your exercises again.")


def _path() -> Path:
    return settings.desk() / FILE
