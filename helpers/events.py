"""load_event() gives a copy of one of the events that stand in events/, one JSON file each."""

import json
from typing import Any

from . import settings

Event = dict[str, Any]  # e.g. {"name": "Ada"}


def load_event(event: str, /, **changes: Any) -> Event:
    """Return events/<event>.json as a fresh dict, its top-level keys replaced or added from `changes`.

    Raises ValueError, with the names that there are, when there is no such event.
    """
    files = {path.stem: path for path in settings.EVENTS.glob("*.json")}
    if event not in files:
        raise ValueError(f"There is no event {event!r}; choose one of: {', '.join(sorted(files))}.")
    return json.loads(files[event].read_text(encoding="utf-8")) | changes
