"""What is presented now: the step that the projector shows, the clock, and what the presenter page asks it to do."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import clock
from .plans import Plan, Step

ASK_S = 20.0  # how long a question waits for its answer
GONE_S = 5.0  # how long after its last question a projector counts as there


@dataclass
class Talk:
    """One session. It is used from one event loop alone."""

    plan: Plan
    at: int = 0  # the place of the step that is on
    now: Callable[[], float] = time.monotonic
    version: int = 0  # of what the presenter page shows
    _began: float | None = None
    _first: int = 0  # the step that the clock began at
    _entered: float = 0.0
    _spent: dict[int, float] = field(default_factory=dict)  # seconds, by step, without the present visit
    _asked: dict[str, Any] = field(default_factory=lambda: {"number": 0})
    _listeners: int = 0
    _heard: float | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def step(self) -> Step:
        return self.plan.steps[self.at]

    @property
    def following(self) -> Step | None:
        """The next step; None at the end."""
        return self.plan.steps[self.at + 1] if self.at + 1 < len(self.plan.steps) else None

    @property
    def has_projector(self) -> bool:
        """Whether a projector follows what this asks."""
        return self._listeners > 0 or (self._heard is not None and self.now() - self._heard < GONE_S)

    def pace(self) -> clock.Pace | None:
        """How it keeps to its plan; None before it began."""
        if self._began is None:
            return None
        spent = self._spent.get(self.at, 0.0) + self.now() - self._entered
        minutes = [step.minutes for step in self.plan.steps]
        first = min(self._first, self.at)
        return clock.pace(minutes[first:], self.at - first, self.now() - self._began, spent)

    def start(self) -> None:
        """The clock begins, or begins anew, with the step that is on."""
        self._began = self._entered = self.now()
        self._first = self.at
        self._spent.clear()
        self._tell()

    def stop(self) -> None:
        """The clock is as before the beginning."""
        self._began = None
        self._tell()

    def shown(self, step: int, is_move: bool) -> None:
        """The projector shows this step; the first that somebody goes to begins the clock."""
        if self._began is None and is_move:
            self.start()
        if step != self.at:
            if self._began is not None:
                self._spent[self.at] = self._spent.get(self.at, 0.0) + self.now() - self._entered
            self._entered, self.at = self.now(), step
            self._tell()

    def ask(self, do: str, step: int = 0) -> None:
        """Have the projector do it: next, back, or go to a step. Without a projector this page goes on by itself."""
        if self.has_projector:
            self._asked = {"number": self._asked["number"] + 1, "do": do, "step": step}
            self._tell()
            return
        step = {"next": self.at + 1, "back": self.at - 1}.get(do, step)
        if 0 <= step < len(self.plan.steps):
            self.shown(step, is_move=True)

    async def asked(self, after: int | None) -> dict[str, Any]:
        """The newest thing that was asked; with `after`, it waits a while for one with a higher number."""
        self._listeners += 1
        if self._listeners == 1:
            self._tell()
        try:
            await self._wait(lambda: after is None or self._asked["number"] > after)
        finally:
            self._listeners -= 1
            self._heard = self.now()
        return self._asked

    async def changed(self, after: int) -> int:
        """The version of what is shown, once it is another than `after`, or after a while."""
        await self._wait(lambda: self.version != after)
        return self.version

    async def _wait(self, is_there: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(ASK_S):
                while not is_there():
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _tell(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()
