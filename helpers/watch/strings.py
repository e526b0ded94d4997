"""say() takes the sentences of the picture from its one catalogue, static/strings.en.json, which its page reads too."""

import json
import math
import unicodedata
from functools import cache
from typing import Any

from .static_files import read

# What turns a text around, hides in it or moves on a terminal: its Unicode categories; line feed and tab may stay.
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@cache
def catalogue() -> dict[str, Any]:
    """Ids to texts with {name} places, or to {"one": …, "other": …}, chosen by the value `n`."""
    entries: dict[str, Any] = json.loads(read("strings.en.json"))
    return entries


def say(id: str, /, **values: object) -> str:
    """The sentence of this id with these values in it, e.g. say("environments.count", n=3); KeyError without one."""
    entry = catalogue()[id]
    text: str = entry if isinstance(entry, str) else entry["one" if values["n"] == 1 else "other"]
    return text.format(**{name: _shown(value) for name, value in values.items()})


def visible(text: str) -> str:
    """A text of somebody else's, with an escape such as \\u202e in place of each character that cannot be seen."""
    return "".join(_escape(each) if _hides(each) else each for each in text)


def _hides(character: str) -> bool:
    # U+FFFE and U+FFFF are no characters, and XML has none of them
    return character not in "\t\n" and (unicodedata.category(character) in INVISIBLE or character in "\ufffe\uffff")


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"


UNITS = {"ms": (1, 1000), "s": (1000, 60), "min": (60_000, 60), "h": (3_600_000, math.inf)}  # how long, how many


def time_text(ms: float) -> str:
    """How long something lasts, in the largest unit that it fills once rounded, e.g. "481 ms" or "2.5 min"."""
    values = {unit: _rounded(max(ms, 0) / length) for unit, (length, _) in UNITS.items()}
    unit = next(unit for unit, (_, most) in UNITS.items() if values[unit] < most)
    return say(f"time.{unit}", value=values[unit])


def _rounded(value: float) -> float:
    return round(value, 0 if value >= 10 else 1)


def _shown(value: object) -> str:
    return f"{value:,.10g}" if isinstance(value, int | float) else visible(str(value))
