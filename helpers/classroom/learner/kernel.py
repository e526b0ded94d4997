"""The thread of a kernel that sends and hears, and what it shows of that in cells; no cell waits for it."""

import contextlib
import os
import random
import secrets
import threading
import time
from collections.abc import Callable

from ... import settings
from ...errors import WorkshopError
from ...jupyter import this_notebook
from ...session import record
from ..place import place_of
from . import membership
from .membership import Membership

PAUSE_S = 5.0  # between two turns; a cell that has run shortens it
SHORTEST_S, LONGEST_S = 1.0, 120.0  # after trouble each pause is twice as long as the one before


class Follower:
    """Follows the class in this kernel: takes turns at sending, and collects what is to be shown."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._pause = PAUSE_S
        self._not_before = 0.0
        self._notices: list[str] = []
        self._shown = 0  # the last message that this kernel has shown, or that was old when it began
        self._trouble = ""
        self.on_change: list[Callable[[], None]] = []  # of boxes that are shown

    def start(self) -> None:
        """Begin the thread; a second time only wakes it."""
        self._wake.set()
        if self._thread is not None and self._thread.is_alive():
            return
        kept = membership.read()
        self._shown = max(self._shown, kept.last_message if kept else 0)
        self._thread = threading.Thread(target=self._run, name="class", daemon=True)
        self._thread.start()
        self.watch_cells()

    def watch_cells(self) -> None:
        """Show notices before a cell runs, and look for what is new after it."""
        shell = this_notebook.shell()
        if shell is not None and not getattr(shell, "follows_class", False):
            shell.follows_class = True
            shell.events.register("pre_run_cell", lambda _: self.show_notices())
            shell.events.register("post_run_cell", lambda _: self._wake.set())

    def show_notices(self) -> None:
        """Print what has come since the last cell, as text."""
        notices, self._notices = self._notices, []
        for each in notices:
            print(each)

    def say(self, text: str) -> None:
        """Let the next cell show a sentence."""
        self._notices.append(text)

    def _run(self) -> None:
        while True:
            self.turn()
            self._wake.clear()
            self._wake.wait(self._pause)
            while (left := self._not_before - time.monotonic()) > 0:
                time.sleep(left)  # however many cells run meanwhile

    def turn(self) -> None:
        """One turn, and then what came of it. Whatever goes wrong, another follows, later and later."""
        from . import sender  # only here: where nobody is in a class, no kernel loads what asks one

        try:
            wait_s = sender.turn() if record.is_on() else 0
            self._pause = max(PAUSE_S, wait_s) * random.uniform(0.8, 1.2)
            self._not_before = time.monotonic() + max(SHORTEST_S, wait_s)
        except Exception:  # no network, no disk, no class: the reader's own work has nothing to do with it
            self._pause = min(2 * self._pause, LONGEST_S)
            self._not_before = time.monotonic() + self._pause
        with contextlib.suppress(Exception):  # a box that is closed
            self._look()

    def _look(self) -> None:
        kept = membership.read()
        for each in kept.messages if kept else ():
            if each["id"] > self._shown:
                self._shown = each["id"]
                self.say(f"Your instructor says: {each['text']}")
        if kept and kept.has_left and kept.trouble and kept.trouble != self._trouble:
            self.say(kept.trouble)
        self._trouble = kept.trouble if kept else ""
        for change in list(self.on_change):
            change()


follower = Follower()


def begin() -> None:
    """From a kernel's start: follow the class that one is in, or that WORKSHOP_CLASS names. It never raises."""
    if this_notebook.shell() is None:  # a program that a cell has started
        return
    try:
        kept = membership.read()
        if record.is_on() and (text := settings.classroom()) and _is_new(kept, text):
            kept = first(text, os.environ.get("WORKSHOP_LEARNER") or "")
            membership.begin(kept)
            follower.say(
                f"WORKSHOP_CLASS lets you join the class at {kept.place.address}. join() shows what is sent, and lets "
                "you choose the name that is shown, or leave."
            )
        if kept is not None and not kept.has_left:
            follower.start()
    except (WorkshopError, OSError) as error:
        follower.say(f"You are not in the class of WORKSHOP_CLASS: {error}")
        follower.watch_cells()


def _is_new(kept: Membership | None, text: str) -> bool:
    """Whether the class of this text is another one than one is in, or has left."""
    return kept is None or kept.place != place_of(text)


def first(text: str, name: str) -> Membership:
    """The membership of who joins now: only what is done from now on is sent. Raises ClassError."""
    place = place_of(text)
    end = record.path().stat().st_size if record.path().exists() else 0
    return Membership(*place, name, end, end, secrets.token_urlsafe(24))
