"""wait_until() looks again and again until something holds, and shows how long it has waited."""

import time
from collections.abc import Callable
from typing import Any

from IPython.display import Markdown, display

from ..arguments import CALLABLE, SECONDS, takes
from ..errors import WorkshopError

FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH = 0.05, 0.5, 1.5  # what comes soon is seen soon, and AWS is not asked too often
SHOWN_AFTER_S = 2


class WaitError(WorkshopError):
    """What was waited for did not happen; the message is one sentence for the reader."""


@takes(condition=CALLABLE, at_most_s=SECONDS)
def wait_until(condition: Callable[[], object], at_most_s: float = 600) -> None:
    """Return once condition() is true; what it raises ends the waiting, too.

    Raises WaitError when `at_most_s` seconds are over.
    """
    began, pause = time.monotonic(), FIRST_PAUSE_S
    lines: list[Any] = []  # the one that is shown, once there is something to show
    while not condition():
        waited = time.monotonic() - began
        if waited > at_most_s:
            raise WaitError(
                f"What this cell waits for did not happen within {at_most_s:g} s; "
                "the log of the function may say why. Run the cell again to go on waiting."
            )
        if waited > SHOWN_AFTER_S:
            lines = lines or [display(Markdown("waiting"), display_id=True)]
        for line in filter(None, lines):  # None where nothing can be shown, as in a script
            line.update(Markdown(f"waited {waited:.0f} s"))
        time.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_PAUSE_S)
