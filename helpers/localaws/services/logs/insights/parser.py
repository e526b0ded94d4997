"""Parsing a query of Logs Insights: its text becomes a tree, or MalformedQuery says where it is wrong."""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

# Commands of AWS's that are not here: each is refused by its name.
MISSING_COMMANDS = (
    *("accum", "addtotals", "anomaly", "appendcols", "autoregress", "cidrlookup", "diff", "expand", "filldown"),
    *("fillmissing", "filterIndex", "head", "join", "logcompare", "lookup", "outlier", "pattern", "relevantfields"),
    *("sessionize", "SOURCE", "tail", "unmask", "unnest"),
)
MAX_SHOWN = 40  # characters of a symbol that is not understood
AT_COMMAND = re.compile(r"(?:^|\|)(?:\s|#[^\n]*(?:\n|$))*$")
SYMBOL = re.compile(r"[@\w.]+|\S|$")


class MalformedQuery(Exception):
    """A query that AWS would not take, or the embedded AWS does not have: what is wrong, and from where to where."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start, self.end = start, end

    @classmethod
    def at(cls, place: "Tree[Token] | Token", message: str) -> "MalformedQuery":
        """Wrong is a part of the query that was parsed."""
        start, end = span(place)
        return cls(message, start, end)


def parsed(text: str) -> "Tree[Token]":
    """The tree of a query, by grammar.lark."""
    from lark.exceptions import UnexpectedInput

    try:
        return _parser().parse(text)
    except UnexpectedInput as unexpected:
        position = unexpected.pos_in_stream if unexpected.pos_in_stream is not None else len(text)
        at_end = getattr(getattr(unexpected, "token", None), "type", "") == "$END"
        raise _unexpected(text, len(text.rstrip()) if at_end else position) from None


def span(place: "Tree[Token] | Token") -> tuple[int, int]:
    """From where to where a part of the query is."""
    from lark import Token

    if isinstance(place, Token):
        start, end = place.start_pos, place.end_pos
    else:
        start, end = place.meta.start_pos, place.meta.end_pos
    return start or 0, end or 0


@functools.cache
def _parser() -> "Lark":
    from lark import Lark  # the server starts without it

    grammar = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    return Lark(grammar, start="query", parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _unexpected(text: str, position: int) -> MalformedQuery:
    """In the words of AWS: "unexpected symbol found ( at line 1 and position 115"."""
    found = SYMBOL.match(text, position)
    symbol = found[0][:MAX_SHOWN] if found else ""
    end = position + len(symbol)
    missing = {name.lower(): name for name in MISSING_COMMANDS}.get(symbol.lower())
    if missing and AT_COMMAND.search(text[:position]):
        return MalformedQuery(f"The embedded AWS does not have the command {missing} of Logs Insights.", position, end)
    before = text[:position]
    line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1)
    return MalformedQuery(
        f"unexpected symbol found {symbol or '<EOF>'} at line {line} and position {column}", position, end
    )
