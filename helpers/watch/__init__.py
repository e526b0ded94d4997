"""watch() shows the execution environments of functions, and the system around them, as they live.

Around the work of a cell it is live while the cell runs, and leaves a still picture of what happened:

    with watch(workshop, name):
        for _ in range(3):
            lambda_client.invoke(FunctionName=name)

As the last line of a cell it stays live while other cells run, until still() is called:

    seen = watch(workshop, name)
    seen

A saved notebook has the still picture in any case, as a page without a kernel shows it: an SVG, and a sentence that
counts what is in it.
"""

import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.display import display

from ..arguments import FUNCTION_NAME, TEXT, WORKSHOP, ArgumentError, name_of_function, one_of, shown, takes
from .session import Session
from .still import Still

if TYPE_CHECKING:
    from .widget import Picture

BEGIN_S = 10  # for the first snapshot
SETTLE_S = {"embedded": 10, "emulator": 30, "aws": 30}  # for what still runs, or is on its way, after the block
BETWEEN_CELLS_S = 1  # where nobody waits for it


class Watch:
    """A picture of what happens; use it in a `with`, or as the last line of a cell."""

    def __init__(self, workshop: Any, functions: tuple[str, ...], show: str) -> None:
        self._show, self._target = show, workshop.target
        self._session = Session(workshop, functions, self._send, show)
        self._widget: Picture | None = None
        self._handle: Any = None  # of what is displayed
        self._shown: Still | None = None
        self._is_on = self._is_over = False

    @property
    def sentence(self) -> str:
        """What the picture says, e.g. "3 environments of hello: 2 idle, 1 busy; 3 cold starts, …"."""
        return self._still().alt

    @takes(name=TEXT)
    def most(self, name: str) -> dict[str, int]:
        """Return the most that a picture of the system has seen at once of a queue or a function, by its name.

        E.g. {"waiting": 48, "in_flight": 10} messages, or {"running": 2}; {} where nothing was seen.
        """
        return self._session.most(name)

    def still(self) -> None:
        """End the live picture; a still one of this moment takes its place."""
        if self._is_on and not self._is_over:
            self._session.settle(SETTLE_S[self._target])
            self._end()

    def __enter__(self) -> "Watch":
        self._begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None or issubclass(kind, Exception):  # who interrupts a cell does not want to wait
                self._session.settle(SETTLE_S[self._target])
        finally:
            self._end()

    def _ipython_display_(self) -> None:
        if self._is_over:
            data, metadata = _bundle(self._still())
            display(data, metadata=metadata, raw=True)
        else:
            self._begin()

    def __repr__(self) -> str:
        return f"<Watch: {self.sentence}>"

    def _begin(self) -> None:
        if self._is_on:
            raise ArgumentError("This picture is shown already; call watch() once more for another one.")
        self._is_on = True
        self._session.start()
        self._session.has_begun(BEGIN_S)
        if shell := get_ipython():
            from .widget import Picture  # a second to import, and of no use elsewhere

            self._widget = Picture(self._show, self._session.receive)
            self._shown = self._still()
            data, metadata = self._live(self._shown)
            self._handle = display(data, metadata=metadata, raw=True, display_id=True)
            shell.events.register("post_run_cell", self._after_cell)

    def _end(self) -> None:
        still = self._still()
        self._is_over = True
        self._session.close()
        if shell := get_ipython():
            with contextlib.suppress(ValueError):
                shell.events.unregister("post_run_cell", self._after_cell)
        if self._handle:
            data, metadata = _bundle(still)
            self._handle.update(data, metadata=metadata, raw=True)
        if self._widget:
            self._widget.close()
        self._shown = still

    def _after_cell(self, _: Any) -> None:
        """The still picture that is saved beside the live one shows what this cell did."""
        self._session.settle(BETWEEN_CELLS_S)
        still = self._still()
        if self._handle and still.alt != (self._shown and self._shown.alt):
            self._shown = still
            data, metadata = self._live(still)
            self._handle.update(data, metadata=metadata, raw=True)

    def _live(self, still: Still) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = _bundle(still)
        return {**(self._widget.mimebundle() if self._widget else {}), **data}, metadata

    def _still(self) -> Still:
        if self._is_over and self._shown:
            return self._shown
        return (self._session.system_still() if self._show == "system" else None) or self._session.still()

    def _send(self, message: dict[str, Any]) -> None:
        if self._widget:
            self._widget.send(message)


@takes(workshop=WORKSHOP, show=one_of("environments", "system"))
def watch(workshop: Any, *functions: str, show: str = "environments") -> Watch:
    """Return a live picture of these functions' execution environments, or of those of all functions.

    Use it in a `with`, around what a cell does, or as the last line of a cell. `show` is the part that is shown first,
    and whose still picture stays: "environments", or "system", with the queues, buckets and whatever else there is.
    On AWS the same is made of logs and metrics; it comes some seconds later, and the picture says so.

    Raises ArgumentError for what is no name of a function.
    """
    for name in functions:
        if not FUNCTION_NAME.fits(name):
            raise ArgumentError(f"watch() takes as functions {FUNCTION_NAME.words}, and not {shown(name)}.")
    return Watch(workshop, tuple(map(name_of_function, functions)), show)


def _bundle(still: Still) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"image/svg+xml": still.svg, "text/plain": still.alt}, {"image/svg+xml": {"alt": still.alt}}
