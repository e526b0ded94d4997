"""Patterns of JSON: `{ $.level = "ERROR" && ($.n > 3 || $.user.roles[0] IS NULL) }`."""

import json
import re
from typing import Any

from .scanner import Holds, InvalidPattern, Scanner, Test

STEP = re.compile(r"\.?\[\s*(?:(\d+)|'([^']*)'|\"([^\"]*)\"|(\*))\s*\]|\.(?:([\w-]+)|(\*))")
IS = re.compile(r"IS\s+(NULL|TRUE|FALSE)\b", re.IGNORECASE)
MISSING = re.compile(r"NOT\s+EXISTS\b", re.IGNORECASE)
CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
NOWHERE = object()  # what is at a path that the event does not have
EACH = object()  # a step to any element of a list, or any property of an object
MOST_WILDCARDS = 3  # of a pattern, one for each selector

Path = tuple[Any, ...]  # names, numbers and EACH


class JsonProperties:
    """Conditions on the properties of events that are JSON objects; others never match."""

    def __init__(self, text: str) -> None:
        scanner = Scanner(text)
        scanner.expect("{")
        self._holds = scanner.conditions(lambda: _condition(scanner))
        scanner.expect("}")
        if not scanner.at_end():
            raise scanner.invalid()
        self.regexes = scanner.regexes

    def matches(self, message: str) -> bool:
        event = _event(message)
        return event is not None and self._holds is not None and self._holds(event)

    def extracted(self, message: str) -> dict[str, str]:
        """AWS names fields of events between spaces alone."""
        return {}

    def value(self, message: str, selector: str) -> str | None:
        """What stands for a selector as $.latency; None where there is none, or no value."""
        scanner = Scanner(selector)
        path = _path(scanner)
        found = _found(_event(message), path) if scanner.at_end() else []
        return next((text for value in found if (text := _text(value)) is not None), None)


def _condition(scanner: Scanner) -> Holds:
    path = _path(scanner)
    scanner.wildcards += EACH in path
    if scanner.wildcards > MOST_WILDCARDS:
        raise InvalidPattern(f"A filter pattern has at most {MOST_WILDCARDS} wildcard selectors.")
    if constant := scanner.take(IS):
        wanted = CONSTANTS[constant[1].upper()]
        return lambda event: any(value is wanted for value in _found(event, path))
    if scanner.take(MISSING):
        return lambda event: all(value is NOWHERE for value in _found(event, path))
    test = scanner.comparison()
    if EACH in path:
        return lambda event: any(_compared(test, value) for value in _found(event, path))
    return lambda event: _compared(test, _at(event, path))


def _compared(test: Test, value: Any) -> bool:
    """An object, a list, null and what is not there are neither equal nor unequal to anything."""
    text = _text(value)
    return text is not None and test(text)


def _path(scanner: Scanner) -> Path:
    """The steps of a selector as $.users[0].id, $['@type'] or $.roles[*]."""
    mark = scanner.mark()
    scanner.expect("$")
    steps: list[Any] = []
    while found := scanner.take(STEP):
        number, *names = found.groups()
        if number is not None:
            steps.append(int(number))
        else:
            single, double, element, plain, each = names
            steps.append(
                EACH if element or each else next(name for name in (single, double, plain) if name is not None)
            )
    if not steps:
        scanner.back(mark)
        raise scanner.invalid()
    if steps.count(EACH) > 1:
        raise InvalidPattern("A property selector has at most one wildcard selector.")
    return tuple(steps)


def _found(event: Any, path: Path) -> list[Any]:
    """All that is at a path."""
    if EACH not in path:
        return [_at(event, path)]
    place = path.index(EACH)
    several = _at(event, path[:place])
    values = several if isinstance(several, list) else list(several.values()) if isinstance(several, dict) else []
    return [_at(value, path[place + 1 :]) for value in values]


def _event(message: str) -> Any:
    if not message.lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _at(event: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            if not isinstance(event, list) or step >= len(event):
                return NOWHERE
            event = event[step]
        else:
            if not isinstance(event, dict) or step not in event:
                return NOWHERE
            event = event[step]
    return event


def _text(value: Any) -> str | None:
    """A value as it is compared; None for what is no text, number or boolean."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, int | float) else None
