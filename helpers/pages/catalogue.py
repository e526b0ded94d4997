"""The words of pages, in catalogues for a translation: a file of JSON beside the code of each."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

FILE = "strings.en.json"


class Catalogue:
    """The catalogue of a folder: ids to texts with {name} places, or to {"one": …, "other": …}, chosen by `n`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    @cached_property
    def entries(self) -> Mapping[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    def words(self, id: str, /, **values: Any) -> str:
        """A text of the catalogue, with the values in their places; a whole number has commas, as in 1,000."""
        entry = self.entries[id]
        text: str = entry if isinstance(entry, str) else entry["one" if values["n"] == 1 else "other"]
        return text.format(**{name: f"{each:,}" if type(each) is int else each for name, each in values.items()})
