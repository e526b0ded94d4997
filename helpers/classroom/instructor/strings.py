"""The words of the page, in one catalogue for a translation: strings.en.json beside this file."""

import json
from functools import cache
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("strings.en.json")


@cache
def catalogue() -> dict[str, Any]:
    """Ids to texts with {name} places, or to {"one": …, "other": …}, chosen by the value `n`."""
    strings: dict[str, Any] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return strings


def words(id: str, /, **values: Any) -> str:
    """A text of the catalogue, with the values in their places."""
    entry = catalogue()[id]
    text: str = entry if isinstance(entry, str) else entry["one" if values["n"] == 1 else "other"]
    return text.format(**values)
