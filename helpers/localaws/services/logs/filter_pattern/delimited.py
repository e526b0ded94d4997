"""Patterns of fields between spaces: `[ip, user, ..., status = 4*, size > 1000]`."""

import re

from .scanner import OPERATOR, Holds, InvalidPattern, Scanner

EMPTY = re.compile(r"(?=[,\]])")
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# What stands between brackets or quotation marks is one field.
FIELD = re.compile(r'\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)


class Delimited:
    """Names of fields, or `...` for any number of them, and conditions on what the fields are."""

    def __init__(self, text: str) -> None:
        self._names: list[str | None] = []  # None stands for an ellipsis, "" for a field without a name
        self._conditions: list[Holds] = []
        scanner = Scanner(text)
        scanner.expect("[")
        while True:
            self._field(scanner)
            if scanner.takes("]"):
                break
            scanner.expect(",")
        if not scanner.at_end():
            raise scanner.invalid()
        if self._names.count(None) > 1:
            raise InvalidPattern("Invalid filter pattern")
        self.regexes = scanner.regexes

    def _field(self, scanner: Scanner) -> None:
        """One place of the pattern. After && there may also be another field, as AWS's documentation has it."""
        if scanner.takes("...") or scanner.takes("…"):
            self._names.append(None)
        elif scanner.comes(EMPTY):
            self._names.append("")
        elif condition := scanner.conditions(lambda: self._condition(scanner)):
            self._conditions.append(condition)

    def _condition(self, scanner: Scanner) -> Holds | None:
        found = scanner.take(NAME)
        if found is None:
            raise scanner.invalid()
        name = found[0]
        if name not in self._names:
            self._names.append(name)
        if scanner.comes(OPERATOR):
            test = scanner.comparison()
            return lambda fields: test(fields[name])
        return None

    def matches(self, message: str) -> bool:
        fields = self._fields(message)
        return fields is not None and all(holds(fields) for holds in self._conditions)

    def extracted(self, message: str) -> dict[str, str]:
        """The fields of an event that matches: by their names, and by their places where they have none."""
        return {f"${name}": value for name, value in (self._fields(message) or {}).items()}

    def value(self, message: str, selector: str) -> str | None:
        """What stands for $name; None where the pattern has no such field."""
        return (self._fields(message) or {}).get(selector.removeprefix("$"))

    def _fields(self, message: str) -> dict[str, str] | None:
        """The fields of an event by their names; None where it has too few for the pattern.

        Where it has more, the last one is the rest of the event: [w1 = ERROR, w2] is about all that begin with ERROR.
        """
        parts = [*FIELD.finditer(message)]
        values = [next(part for part in found.groups() if part is not None) for found in parts]
        names, more = self._names, len(parts) - len(self._names)
        if None in names:
            place = names.index(None)
            names = [*names[:place], *[""] * (more + 1), *names[place + 1 :]]
        elif more > 0:
            values[-more - 1 :] = [message[parts[-more - 1].start() :].rstrip()]
        if len(names) != len(values):
            return None
        return {name or str(at): value for at, (name, value) in enumerate(zip(names, values, strict=True), 1)}
