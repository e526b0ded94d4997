"""What patterns are made of: reading one from left to right, and the values that it compares with."""

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

SPACE = re.compile(r"\s*")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
REGEX = re.compile(r"%((?:[^%\\\s]|\\[^\s])+)%")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html: no parentheses, only these characters
IN_REGEX = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]+")
BARE = re.compile(r"[^\s\"%()&|=<>!,\[\]{}]+")
INVALID = re.compile(r"[^\w\s]+", re.ASCII)
STRANGE = re.compile(r"\$?[^\w\s(){}\[\]|&=<>!,]+", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
MOST_REGEXES = 2

Test = Callable[[str], bool]  # of a value as it stands in the event
Holds = Callable[[Any], bool]  # of the event, or of its fields


class InvalidPattern(ValueError):
    """What is no filter pattern, in AWS's words."""


def invalid_characters(text: str) -> InvalidPattern:
    found = INVALID.search(text)
    return InvalidPattern(f"Invalid character(s) in term '{found[0] if found else text}'")


def compiled_regex(text: str) -> re.Pattern[str]:
    """A regular expression between percent signs."""
    if not IN_REGEX.fullmatch(text):
        raise invalid_characters(IN_REGEX.sub("", text))
    try:
        return re.compile(text, re.ASCII)
    except (re.error, OverflowError):
        raise InvalidPattern("Invalid filter pattern") from None


def unquoted(text: str) -> str:
    """What stands between quotation marks, of which the text has none any more."""
    return ESCAPED.sub(r"\1", text)


class Scanner:
    """Reads a pattern; all positions are between its parts, without spaces."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self.regexes = self.wildcards = 0  # that it has: regular expressions, and selectors with a wildcard

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The next part, if it is such a one."""
        self._skip()
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def takes(self, symbol: str) -> bool:
        self._skip()
        if not self._text.startswith(symbol, self._at):
            return False
        self._at += len(symbol)
        return True

    def expect(self, symbol: str) -> None:
        if not self.takes(symbol):
            raise self.invalid()

    def comes(self, pattern: re.Pattern[str]) -> bool:
        """Whether such a part is the next one."""
        self._skip()
        return pattern.match(self._text, self._at) is not None

    def mark(self) -> int:
        """Where it is, for `back`."""
        return self._at

    def back(self, mark: int) -> None:
        self._at = mark

    def at_end(self) -> bool:
        self._skip()
        return self._at == len(self._text)

    def invalid(self) -> InvalidPattern:
        """Something that is not understood here: AWS names characters that no pattern has."""
        found = STRANGE.match(self._text, self._at)
        return invalid_characters(found[0]) if found else InvalidPattern("Invalid filter pattern")

    def conditions(self, part: Callable[[], Holds | None]) -> Holds | None:
        """Conditions with && and || between them, and parentheses around them; `part` reads one, or None for none."""
        return self._joined("||", any, lambda: self._joined("&&", all, lambda: self._one(part)))

    def comparison(self) -> Test:
        """An operator and what it compares with."""
        symbol = self.take(OPERATOR)
        if symbol is None:
            raise self.invalid()
        if symbol[0] in ORDERS:
            return self._order(ORDERS[symbol[0]])
        equal = self._equal()
        return equal if symbol[0] == "=" else lambda value: not equal(value)

    def _joined(
        self, symbol: str, how: Callable[[Iterable[bool]], bool], part: Callable[[], Holds | None]
    ) -> Holds | None:
        parts = [part()]
        while self.takes(symbol):
            parts.append(part())
        given = [each for each in parts if each is not None]
        if len(given) < 2:
            return given[0] if given else None
        return lambda event: how(holds(event) for holds in given)

    def _one(self, part: Callable[[], Holds | None]) -> Holds | None:
        if not self.takes("("):
            return part()
        inner = self.conditions(part)
        self.expect(")")
        return inner

    def _skip(self) -> None:
        found = SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _order(self, order: Callable[[float, float], bool]) -> Test:
        bare = self.take(BARE)
        if bare is None or not NUMBER.fullmatch(bare[0]):
            raise self.invalid() if bare is None else InvalidPattern("Invalid filter pattern")
        limit = float(bare[0])
        return lambda value: bool(NUMBER.fullmatch(value)) and order(float(value), limit)

    def _equal(self) -> Test:
        if regex := self.take(REGEX):
            self.regexes += 1
            if self.regexes > MOST_REGEXES:
                raise InvalidPattern(f"A filter pattern has at most {MOST_REGEXES} regular expressions.")
            search = compiled_regex(regex[1]).search
            return lambda value: search(value) is not None
        if quoted := self.take(QUOTED):
            return wildcard(unquoted(quoted[1]))
        bare = self.take(BARE)
        if bare is None:
            raise self.invalid()
        if NUMBER.fullmatch(bare[0]):
            wanted = float(bare[0])
            return lambda value: value == bare[0] or (bool(NUMBER.fullmatch(value)) and float(value) == wanted)
        return wildcard(bare[0])


def wildcard(pattern: str) -> Test:
    """An asterisk at the beginning or at the end stands for anything; elsewhere it is one, as on AWS."""
    if pattern == "*":
        return lambda value: True
    start, end = pattern.startswith("*"), pattern.endswith("*")
    core = pattern[start : len(pattern) - end]
    if start and end:
        return lambda value: core in value
    if start:
        return lambda value: value.endswith(core)
    return (lambda value: value.startswith(core)) if end else lambda value: value == core
