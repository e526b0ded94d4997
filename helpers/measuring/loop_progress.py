"""track() shows how far a loop has come."""

import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar, cast

from IPython.display import Markdown, display

from ..arguments import COUNT, TEXT, ArgumentError, Wanted, or_none, takes

Item = TypeVar("Item")
ITEMS = Wanted("what a loop can go through, such as a list", lambda value: isinstance(value, Iterable))
EVERY_S = 0.2  # often enough for the eye


@takes(items=ITEMS, label=TEXT, total=or_none(COUNT))
def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items, and show "label: 12 of 50" meanwhile; `total` is needed where the items have no len().

    An item counts once the loop asks for the next one. No items show nothing.
    """
    if total is None and not isinstance(items, Sized):
        raise ArgumentError("track() cannot count these items beforehand; say how many there are with total=.")
    total = len(cast(Sized, items)) if total is None else total
    shown = display(Markdown(f"{label}: 0 of {total}"), display_id=True) if total else None
    updated = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        if done == total or time.monotonic() - updated > EVERY_S:
            if shown:  # None where nothing can be shown, as in a script
                shown.update(Markdown(f"{label}: {done} of {total}"))
            updated = time.monotonic()
