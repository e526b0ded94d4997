"""Patterns of terms: all have to be in the event, or one of those with `?`, and none of those with `-`."""

import re

from .scanner import REGEX, InvalidPattern, compiled_regex, invalid_characters, unquoted

TERM = re.compile(r'\s*(-\s*|\?)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', re.DOTALL)
EVERYTHING = ("", '""', '" "')
WORD = re.compile(r"\w+", re.ASCII)


class Terms:
    """Terms, phrases in quotation marks, or one regular expression between percent signs."""

    regexes = 0

    def __init__(self, text: str) -> None:
        self._needed: list[str] = []
        self._any: list[str] = []
        self._excluded: list[str] = []
        self._regex: re.Pattern[str] | None = None
        if text in EVERYTHING:
            return
        if regex := REGEX.fullmatch(text):
            self._regex = compiled_regex(regex[1])
            self.regexes = 1
        else:
            self._read(text)

    def _read(self, text: str) -> None:
        at = 0
        while at < len(text):
            found = TERM.match(text, at)
            if found is None:
                raise InvalidPattern("Invalid filter pattern")
            at = found.end()
            sign, quoted, word = found.groups()
            if quoted is None and not WORD.fullmatch(word):
                raise invalid_characters(word)
            kind = self._needed if not sign else self._any if sign == "?" else self._excluded
            kind.append(word if quoted is None else unquoted(quoted))
        if self._needed or self._excluded:  # terms with ? beside others have no effect on AWS
            self._any = []

    def matches(self, message: str) -> bool:
        if self._regex:
            return self._regex.search(message) is not None
        return (
            all(term in message for term in self._needed)
            and (not self._any or any(term in message for term in self._any))
            and not any(term in message for term in self._excluded)
        )

    def extracted(self, message: str) -> dict[str, str]:
        """A pattern of terms has no fields."""
        return {}

    def value(self, message: str, selector: str) -> str | None:
        return None
