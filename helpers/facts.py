"""The facts about AWS that change, each with its source and its date, as facts.toml beside this file has them.

The one place from which notebooks, checks, prices and the embedded AWS take a limit, a price or a date. What it reads
is data alone: standard library, and nothing of the workshop but the base of its errors.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from .errors import WorkshopError

FILE = Path(__file__).with_name("facts.toml")
LONGER = {"minutes": 60, "hours": 3600}
BYTES = {"KB": 2**10, "MB": 2**20, "GB": 2**30}  # AWS's quotas count in powers of two
# {{timeout}}, {{timeout.slides}}
PLACEHOLDER = re.compile(r"\{\{(?P<name>[a-z][a-z0-9_]*(?:\.\d+)?)(?:\.(?P<part>[a-z]+))?\}\}")
ANY_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")


class FactError(WorkshopError, LookupError):
    """There is no such fact; one sentence for the reader."""


@dataclass(frozen=True)
class Fact:
    """One fact. What facts.toml does not give is None; its head explains each field."""

    name: str
    group: str
    value: Any  # int, float, str or datetime.date
    checked: date
    source: str
    unit: str | None = None
    slides: Any = None
    was: Any = None
    since: date | str | None = None
    lag: str | None = None
    model: str | None = None
    says: str | None = None

    def text(self, part: str | None = None) -> str | None:
        """How prose says it: "1,800 s", or a part of it, such as "900 s" for "slides"; None where it has no such part.

        "value" is the value without its unit, "number" as code writes it, "minutes" and "hours" what seconds are.
        """
        if part == "number":
            return str(self.value) if isinstance(self.value, int) else None
        if part in LONGER:
            return f"{self.value // LONGER[part]:,} {part}" if self.unit == "s" else None
        found = getattr(self, part or "value", None)
        if found is None:
            return None
        is_measured = part in (None, "slides", "was") and isinstance(found, int | float) and self.unit
        written = f"{found:,}" if isinstance(found, int) else _plain(found) if isinstance(found, float) else str(found)
        return f"{written} {self.unit}" if is_measured else written


@cache
def facts() -> dict[str, Fact]:
    """All facts by their names, in the order of the table."""
    groups = tomllib.loads(FILE.read_text(encoding="utf-8"))
    table: dict[str, Fact] = {}
    for group, entries in groups.items():
        common = {key: value for key, value in entries.items() if not isinstance(value, dict)}
        for name, own in entries.items():
            if isinstance(own, dict):
                if name in table:
                    raise ValueError(f"facts.toml has two facts with the name {name}; give each its own.")
                table[name] = Fact(name=name, group=group, **{**common, **own})
    return table


def fact(name: str) -> Any:
    """The value of a fact: fact("timeout") is 1800. Its unit and its source stand in helpers/facts.toml.

    Raises FactError, with the nearest name, for any other.
    """
    if not isinstance(name, str) or name not in facts():
        raise FactError(_no_fact(name))
    return facts()[name].value


def in_bytes(name: str) -> int:
    """The value of a size, in bytes: in_bytes("payload") is 6 * 1024 * 1024."""
    return int(fact(name)) * BYTES[facts()[name].unit or ""]


def fill(prose: str) -> str:
    """Prose with its facts in place of {{name}} and {{name.part}}; what names no fact stays, for `unknown` to find."""
    return PLACEHOLDER.sub(lambda match: _told(match) or match[0], prose)


def unknown(prose: str) -> list[str]:
    """The placeholders of prose that name no fact, or no part that it has."""
    return ANY_PLACEHOLDER.findall(fill(prose))


def _no_fact(name: object) -> str:
    close = difflib.get_close_matches(name, facts(), 1) if isinstance(name, str) else []
    hint = f"did you mean {close[0]!r}?" if close else "python3 -m helpers facts lists them."
    named = repr(name) if isinstance(name, str | int | float) or name is None else f"by a {type(name).__name__}"
    return f"There is no fact {named if len(named) < 60 else named[:50] + '…'}; {hint}"


def _plain(number: float) -> str:
    """Without an exponent: a price of 0.0000166667 is not 1.66667e-05."""
    return f"{number:.12f}".rstrip("0").rstrip(".")


def _told(match: re.Match[str]) -> str | None:
    found = facts().get(match["name"])
    return found.text(match["part"]) if found else None
