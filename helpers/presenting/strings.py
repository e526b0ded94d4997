"""The words of the presenter page, in one catalogue for a translation: strings.en.json beside this file."""

import json
from functools import cache
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("strings.en.json")


@cache
def catalogue() -> dict[str, str]:
    strings: dict[str, str] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return strings


def words(id: str, /, **values: Any) -> str:
    """A text of the catalogue, with the values in their places."""
    return catalogue()[id].format(**values)
