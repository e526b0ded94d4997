"""What of a learner's record goes to the class: these kinds with these members, within limits, and nothing else.

Both sides use it: a learner's kernel before it sends, and the instructor's machine for what it was sent. Standard
library only: it is there from a kernel's start.
"""

import re
import unicodedata
from typing import Any, TypeGuard

from ..webhook import without_secret

LONGEST = 500  # characters of a text
NAME = 40  # characters of the name that is shown of a learner
BATCH = 100  # entries of a request
MEMBERS: dict[str, dict[str, type]] = {
    "section": {"section": str},
    "prediction": {"key": str, "text": str},
    "measured": {"key": str, "text": str},
    "attempt": {"exercise": str, "solved": bool, "sentence": str},
    "hint": {"exercise": str, "number": int},
    "solution": {"exercise": str},
}
# What the workshop's own numbers look like; a key or a notebook of a learner's own stays with the learner.
NUMBERS = {"notebook": r"(\d\d)?", "key": r"\d\d\.[a-z]", "exercise": r"\d\d(\.\d{1,2})?"}
LATEST = 1e11  # epoch seconds; what is later is no time
LARGEST = 10_000  # of a number, such as that of a hint
INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories of Unicode: what turns a text around, or hides in it


def for_class(entry: Any) -> dict[str, Any] | None:
    """An entry of the record as the class gets it; None for one that stays with the learner, or is none.

    Without the learner's code, outputs and answers; texts are cut, and have no webhook and no invisible letters.
    """
    if not isinstance(entry, dict):
        return None
    kind, at, notebook = entry.get("kind"), entry.get("at"), entry.get("notebook", "")
    if not isinstance(kind, str) or kind not in MEMBERS or not is_time(at) or not _fits("notebook", notebook):
        return None
    members: dict[str, Any] = {"kind": kind, "at": at, "notebook": notebook}
    for name, type_ in MEMBERS[kind].items():
        value = entry.get(name)
        if not _fits(name, value) or type(value) is not type_ or (type(value) is int and not 0 <= value <= LARGEST):
            return None
        members[name] = one_line(value) if isinstance(value, str) else value
    return members


def one_line(text: str, longest: int = LONGEST) -> str:
    """A text of somebody else's in one line, of `longest` characters at most."""
    seen = "".join(
        each for each in text[: 4 * LONGEST] if each.isspace() or unicodedata.category(each) not in INVISIBLE
    )
    shown = without_secret(" ".join(seen.split()))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _fits(name: str, value: Any) -> bool:
    """Whether a number of the workshop is one; anything else fits."""
    return name not in NUMBERS or (isinstance(value, str) and bool(re.fullmatch(NUMBERS[name], value, re.ASCII)))


def is_time(at: Any) -> TypeGuard[float]:
    """Whether it is a time in epoch seconds; NaN, infinity and a number of hundred digits are none."""
    return type(at) in (int, float) and 0 < at < LATEST
