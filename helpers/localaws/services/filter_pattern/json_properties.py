"""Patterns of JSON: `{ $.level = "ERROR" && ($.n > 3 || $.user.roles[0] IS NULL) }`."""

import json
import re
from collections.abc import Callable
from typing import Any

from .scanner import Scanner

STEP = re.compile(r"\.?\[\s*(?:(\d+)|'([^']*)'|\"([^\"]*)\")\s*\]|\.([\w-]+)")
IS = re.compile(r"IS\s+(NULL|TRUE|FALSE)\b", re.IGNORECASE)
MISSING = re.compile(r"NOT\s+EXISTS\b", re.IGNORECASE)
THERE = re.compile(r"EXISTS\b", re.IGNORECASE)
CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
NOWHERE = object()  # what is at a path that the event does not have

Holds = Callable[[Any], bool]
Path = tuple[str | int, ...]


class JsonProperties:
    """Conditions on the properties of events that are JSON objects; others never match."""

    def __init__(self, text: str) -> None:
        scanner = Scanner(text)
        scanner.expect("{")
        self._holds = _either(scanner)
        scanner.expect("}")
        if not scanner.at_end():
            raise scanner.invalid()
        self.regexes = scanner.regexes

    def matches(self, message: str) -> bool:
        event = _event(message)
        return event is not None and self._holds(event)

    def extracted(self, message: str) -> dict[str, str]:
        """AWS names fields of events between spaces alone."""
        return {}

    def value(self, message: str, selector: str) -> str | None:
        """What stands for a selector as $.latency; None where there is none, or no value."""
        scanner = Scanner(selector)
        path = _path(scanner)
        found = _at(_event(message), path) if scanner.at_end() else NOWHERE
        return None if found is NOWHERE or found is None else _text(found)


def _either(scanner: Scanner) -> Holds:
    conditions = [_both(scanner)]
    while scanner.takes("||"):
        conditions.append(_both(scanner))
    return conditions[0] if len(conditions) == 1 else lambda event: any(holds(event) for holds in conditions)


def _both(scanner: Scanner) -> Holds:
    conditions = [_condition(scanner)]
    while scanner.takes("&&"):
        conditions.append(_condition(scanner))
    return conditions[0] if len(conditions) == 1 else lambda event: all(holds(event) for holds in conditions)


def _condition(scanner: Scanner) -> Holds:
    if scanner.takes("("):
        inner = _either(scanner)
        scanner.expect(")")
        return inner
    path = _path(scanner)
    if constant := scanner.take(IS):
        wanted = CONSTANTS[constant[1].upper()]
        return lambda event: _at(event, path) is wanted
    if scanner.take(MISSING):
        return lambda event: _at(event, path) is NOWHERE
    if scanner.take(THERE):
        return lambda event: _at(event, path) is not NOWHERE
    test = scanner.comparison()

    def compared(event: Any) -> bool:
        """An object, a list, null and what is not there are neither equal nor unequal to anything."""
        value = _text(_at(event, path))
        return value is not None and test(value)

    return compared


def _path(scanner: Scanner) -> Path:
    """The steps of a selector as $.users[0].id or $['@type']."""
    mark = scanner.mark()
    scanner.expect("$")
    steps: list[str | int] = []
    while found := scanner.take(STEP):
        number, single, double, plain = found.groups()
        steps.append(int(number) if number is not None else next(s for s in (single, double, plain) if s is not None))
    if not steps:
        scanner.back(mark)
        raise scanner.invalid()
    return tuple(steps)


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
