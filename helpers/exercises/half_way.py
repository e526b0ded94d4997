"""Invokes a copy of the reader's function that stops half-way, so that a check can send the same event once more."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..deploying.deploy import deploy
from .copies import copy, wrapped
from .diagnosis import Outcome
from .probe import Probe

HANDLER = Path(__file__).with_name("half_way_handler.py")


class HalfWay:
    """A copy of a function; see half_way_handler.py."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def invoke(self, event: Any, changes: int) -> Outcome:
        """Stop at the change after so many of them; the payload says whether there was one more."""
        return self._probe.invoke({"event": event, "changes": changes})


@contextmanager
def half_way(probe: Probe) -> Iterator[HalfWay]:
    """Deploy a copy of the probe's Python function while the block lasts."""
    with copy(probe, "half-way", {HANDLER.name: HANDLER.read_text(encoding="utf-8")}) as made:
        deploy(probe.workshop, made.function.name, made.function.files, **wrapped(probe.function, HANDLER))
        yield HalfWay(made)
