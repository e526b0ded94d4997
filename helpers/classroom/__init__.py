"""The class: learners who want to send the instructor where they are, and a page that shows the instructor the class.

    entries.py    what of a learner's record is sent, and what is not
    learner/      in a learner's kernel: join, send the record on, hear what the instructor says
    instructor/   on the instructor's machine: the API that learners reach, the file, and the page

figures() gives the class in a few numbers to other pages of the instructor's machine.
"""

import socket
from pathlib import Path
from typing import NamedTuple

CONNECT_S = 0.5  # it is on this machine


class AtSection(NamedTuple):
    """How many learners are at a section, such as "Measure it" of notebook "04"."""

    notebook: str
    section: str
    learners: int


class StuckAt(NamedTuple):
    """How many have failed the same check for over five minutes, with the same sentence."""

    exercise: str
    sentence: str
    learners: int


class Figures(NamedTuple):
    """A class at this moment. No name is in it but of those whose hands are up, the first of them first."""

    learners: int
    sections: tuple[AtSection, ...]
    stuck: tuple[StuckAt, ...]
    hands_up: tuple[str, ...]
    is_served: bool  # learners reach it; else it is as it was left


def figures(home: Path) -> Figures | None:
    """The class whose file is in this work folder; None where none is open. Raises ClassError where it is damaged."""
    from .instructor.room import room_of
    from .instructor.store import FILE, ClassStore

    if not (home / FILE).exists():
        return None
    store = ClassStore(home / FILE)
    try:
        if not store.is_open:
            return None
        room, is_served = room_of(store), _is_served(store.address)
    finally:
        store.close()
    sections = tuple(AtSection(*place, count) for place, count in room.places.items())
    stuck = tuple(StuckAt(*check, len(who)) for check, who in room.stuck_together.items())
    return Figures(len(room.learners), sections, stuck, tuple(each.name for each in room.hands), is_served)


def _is_served(address: str) -> bool:
    """Whether somebody listens where the class was served last."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S):
            return True
    except (OSError, ValueError):
        return False
