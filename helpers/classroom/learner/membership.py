"""A learner's place in the class, in a file of the work folder that its owner alone may read: all kernels share it."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ... import settings
from ...files.whole_file import write_private
from ..place import ClassError, Place

FILE = "class.json"
KEPT = 20  # messages


@dataclass
class Membership:
    """Of which class one is, and how far the record has been sent."""

    word: str
    host: str
    port: int
    name: str  # that is shown
    begins: int  # the end of the record when one joined: what was before is not sent
    after: int  # up to where it was sent
    key: str  # which proves who one is; it is chosen here, so that who asks to join twice is one learner
    learner: str = ""  # the class's id for one, once it was reached
    is_renamed: bool = False  # and the class does not know it yet
    is_leaving: bool = False  # the same
    has_left: bool = False  # so that WORKSHOP_CLASS lets nobody join again who has left
    hand: bool = False
    hand_changes: int = 0  # by the learner
    hand_told: int = 0  # how many of them the class knows of
    messages: list[dict[str, Any]] = field(default_factory=list)  # the last ones, each with id, at and text
    reached: float = 0.0  # when the class answered last
    trouble: str = ""  # why it did not, or will not

    @property
    def place(self) -> Place:
        return Place(self.word, self.host, self.port)

    @property
    def is_member(self) -> bool:
        """Whether one is, or wants to be, in the class."""
        return not (self.is_leaving or self.has_left)

    @property
    def last_message(self) -> int:
        return max((int(each["id"]) for each in self.messages), default=0)


def path() -> Path:
    return settings.home() / FILE


def read() -> Membership | None:
    """The membership that is kept; None where one is in no class, or the file cannot be read."""
    try:
        kept = json.loads(path().read_text(encoding="utf-8"))
        return Membership(**kept) if _is_sound(kept) else None
    except (OSError, ValueError, TypeError):
        return None


def _is_sound(kept: Any) -> bool:
    example = asdict(Membership("", "", 0, "", 0, 0, ""))
    return isinstance(kept, dict) and all(
        type(kept.get(name)) is type(value) or isinstance(value, float) and type(kept.get(name)) is int
        for name, value in example.items()
    )


@contextlib.contextmanager
def changing() -> Iterator[Membership | None]:
    """The membership, written back after the block; kernels take turns. Raises ClassError where it cannot be."""
    try:
        with _alone(path()):
            membership = read()
            yield membership
            if membership:
                _write(membership)
    except OSError as error:
        raise ClassError.about_file(error, path()) from None


def begin(membership: Membership | None) -> None:
    """Take this one in place of what is kept; None forgets it. Raises ClassError where it cannot be written."""
    try:
        with _alone(path()):
            if membership:
                _write(membership)
            else:
                path().unlink(missing_ok=True)
    except OSError as error:
        raise ClassError.about_file(error, path()) from None


def _write(membership: Membership) -> None:
    write_private(path(), json.dumps(asdict(membership), ensure_ascii=False, indent=1) + "\n")


@contextlib.contextmanager
def sending(waits: bool = False) -> Iterator[bool]:
    """Whether this is the one kernel that sends; with `waits`, once no other does. Raises OSError."""
    with _lock(path().with_suffix(".sending"), waits) as is_mine:
        yield is_mine


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    with _lock(file.with_suffix(".lock"), waits=True):
        yield


@contextlib.contextmanager
def _lock(file: Path, waits: bool) -> Iterator[bool]:
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(opened)
