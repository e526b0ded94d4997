"""Compiling expressions of a query: each becomes a function that computes its value of a row."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import functions
from .aggregates import AGGREGATES, Aggregate
from .fields import Row
from .functions import FUNCTIONS
from .parser import MalformedQuery
from .periods import Period
from .regexes import regex
from .values import Value, compared, number, text, truth

if TYPE_CHECKING:
    from lark import Token, Tree

Expression = Callable[[Row], Value]

COMPARISONS = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC = {
    "+": functions.add,
    "-": functions.subtract,
    "*": functions.multiply,
    "/": functions.divide,
    "%": functions.remainder,
    "^": functions.power,
}
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
CONTROL = {"n": "\n", "t": "\t", "r": "\r"}
PART = re.compile(r"`([^`\n]+)`|\[(\d+)\]|([\w@]+)")
DATE_FUNCTIONS = ("bin", "datefloor", "dateceil")


@dataclass(frozen=True)
class Window:
    """When a query was started, and what time it is about; all in ms since 1970."""

    started: int
    start: int
    end: int


@dataclass
class Wanted:
    """An aggregate that a command `stats` has to make: of what, and under which name its result is found."""

    name: str
    make: Callable[[], Aggregate]
    value: Expression


@dataclass
class Compiler:
    """Compiles the expressions of one command.

    In `stats` it notes in `aggregates` what is to be collected, and takes no field outside of that but `known` ones.
    """

    window: Window
    source: str
    in_stats: bool = False
    known: set[str] = field(default_factory=set)
    aggregates: list[Wanted] = field(default_factory=list)
    _inside: bool = False  # an aggregate

    def compiled(self, node: "Tree[Token]") -> Expression:
        return getattr(self, f"_{node.data}")(node)  # type: ignore[no-any-return]

    def _parts(self, node: "Tree[Token]") -> tuple[list[Expression], list[str]]:
        """What is computed of the operands, and the operators between them."""
        return (
            [self.compiled(each) for each in node.children if not isinstance(each, str)],
            [str(each) for each in node.children if isinstance(each, str)],
        )

    # Conditions

    def _either(self, node: "Tree[Token]") -> Expression:
        return _joined(self._parts(node)[0], True)

    def _both(self, node: "Tree[Token]") -> Expression:
        return _joined(self._parts(node)[0], False)

    def _negation(self, node: "Tree[Token]") -> Expression:
        (operand,), _ = self._parts(node)

        def negated(row: Row) -> Value:
            known = truth(operand(row))
            return None if known is None else not known

        return negated

    def _compared(self, node: "Tree[Token]") -> Expression:
        (left, right), (symbol,) = self._parts(node)
        compare = COMPARISONS[symbol]
        return lambda row: compared(compare, left(row), right(row))

    def _like(self, node: "Tree[Token]") -> Expression:
        operand, pattern = self.compiled(_tree(node.children[0])), node.children[-1]
        if _token(pattern).type == "STRING":
            wanted = unquoted(_token(pattern))
            return lambda row: None if (found := text(operand(row))) is None else wanted in found
        search = compiled_regex(_token(pattern)).search
        return lambda row: None if (found := text(operand(row))) is None else search(found) is not None

    def _unlike(self, node: "Tree[Token]") -> Expression:
        like = self._like(node)
        return lambda row: None if (found := like(row)) is None else not found

    def _member(self, node: "Tree[Token]") -> Expression:
        operand = self.compiled(_tree(node.children[0]))
        wanted = [_literal(_token(each)) for each in _tree(node.children[-1]).children]

        def found(row: Row) -> Value:
            value = operand(row)
            return None if value is None else any(compared(operator.eq, value, each) for each in wanted)

        return found

    def _stranger(self, node: "Tree[Token]") -> Expression:
        member = self._member(node)
        return lambda row: None if (found := member(row)) is None else not found

    # Arithmetic

    def _sum(self, node: "Tree[Token]") -> Expression:
        operands, symbols = self._parts(node)
        result = operands[0]
        for symbol, operand in zip(symbols, operands[1:], strict=True):
            result = _computed(ARITHMETIC[symbol], result, operand)
        return result

    _product = _power = _sum

    def _minus(self, node: "Tree[Token]") -> Expression:
        (operand,), _ = self._parts(node)
        return lambda row: functions.negative(operand(row))

    # What is no operation

    def _number(self, node: "Tree[Token]") -> Expression:
        return _constant(number(str(node.children[0])))

    def _string(self, node: "Tree[Token]") -> Expression:
        return _constant(unquoted(_token(node.children[0])))

    def _true(self, node: "Tree[Token]") -> Expression:
        return _constant(True)

    def _false(self, node: "Tree[Token]") -> Expression:
        return _constant(False)

    def _field(self, node: "Tree[Token]") -> Expression:
        token = _token(node.children[0])
        name = named(token)
        if self.in_stats and not self._inside and name not in self.known:
            raise MalformedQuery.at(
                token, f"The field {name} stands in stats outside of a function that aggregates it."
            )
        return lambda row: row[name]

    def _call(self, node: "Tree[Token]") -> Expression:
        name, *arguments = node.children
        lower = str(name).lower()
        if lower in AGGREGATES:
            return self._aggregate(node, lower, arguments)
        if lower in DATE_FUNCTIONS:
            return self._date(node, lower, arguments)
        if lower in ("now", "querystarttime", "queryendtime", "querytimerange"):
            _count_of(node, arguments, 0, 0)
            times = self.window.started // 1000, self.window.start, self.window.end, self.window.end - self.window.start
            return _constant(times[("now", "querystarttime", "queryendtime", "querytimerange").index(lower)])
        function = FUNCTIONS.get(lower)
        if function is None:
            missing = {each.lower(): each for each in functions.MISSING}.get(lower)
            message = f"The embedded AWS does not have the function {missing} of Logs Insights."
            raise MalformedQuery.at(_token(name), message if missing else f"There is no function {name}.")
        _count_of(node, arguments, function.least, function.most)
        operands = [self.compiled(_operand(node, each)) for each in arguments]
        compute = function.compute
        if len(operands) == 1:
            (operand,) = operands
            return lambda row: compute(operand(row))
        return lambda row: compute(*[operand(row) for operand in operands])

    def _date(self, node: "Tree[Token]", name: str, arguments: "list[Tree[Token] | Token]") -> Expression:
        """bin(5m), datefloor(@timestamp, 1h) or dateceil(@timestamp, 1h)."""
        count = 1 if name == "bin" else 2
        _count_of(node, arguments, count, count)
        period = Period.of(str(arguments[-1])) if getattr(arguments[-1], "type", "") == "PERIOD" else None
        if period is None:
            raise MalformedQuery.at(arguments[-1], f"{name} takes a period, for example 5m.")
        move = period.ceil() if name == "dateceil" else period.floor()
        at: Expression = self.compiled(_operand(node, arguments[0])) if count == 2 else lambda row: row["@timestamp"]

        def moved(row: Row) -> Value:
            when = at(row)
            try:
                return move(when) if isinstance(when, int) else None
            except (OverflowError, ValueError):  # beyond the years that there are
                return None

        return moved

    def _aggregate(self, node: "Tree[Token]", name: str, arguments: "list[Tree[Token] | Token]") -> Expression:
        if not self.in_stats:
            raise MalformedQuery.at(node, f"{name} is a function of stats.")
        if self._inside:
            raise MalformedQuery.at(node, f"{name} stands within another function that aggregates.")
        kind = AGGREGATES[name]
        every = name == "count" and (not arguments or getattr(arguments[0], "type", "") == "STAR")
        if not every:
            _count_of(node, arguments, kind.least, kind.most)
        make: Callable[[], Aggregate] = kind.make
        if name == "pct":
            percent = number(str(self.source[slice(*_span(arguments[1]))]))
            if percent is None or not 0 <= percent <= 100:
                raise MalformedQuery.at(arguments[1], "The percentile of pct is a number from 0 to 100.")
            make = lambda: kind.make(percent)  # noqa: E731
        self._inside = True
        value = _constant(1) if every else self.compiled(_operand(node, arguments[0]))
        self._inside = False
        wanted = Wanted(f"\0{len(self.aggregates)}", make, value)  # no field has such a name
        self.aggregates.append(wanted)
        return lambda row: row[wanted.name]


def named(token: "Token") -> str:
    """The name of a field: its parts between dots, without backticks."""
    return ".".join(quoted or index or plain for quoted, index, plain in PART.findall(str(token)))


def unquoted(token: "Token") -> str:
    """The text between quotation marks. A backslash that stands before anything else stays."""
    quote = token[0]

    def meant(found: re.Match[str]) -> str:
        return str(found[1] if found[1] in (quote, "\\") else CONTROL.get(found[1], found[0]))

    return ESCAPED.sub(meant, str(token)[1:-1])


def compiled_regex(token: "Token") -> re.Pattern[str]:
    try:
        return regex(str(token))
    except (re.error, KeyError, OverflowError) as error:
        raise MalformedQuery.at(token, f"Invalid regular expression: {error}") from None


def _joined(operands: list[Expression], found: bool) -> Expression:
    """`or` where one that is true is enough, and `and` where one that is false is."""

    def known(row: Row) -> Value:
        unknown = False
        for operand in operands:
            value = truth(operand(row))
            if value is found:
                return found
            unknown = unknown or value is None
        return None if unknown else not found

    return known


def _computed(compute: Callable[[Value, Value], Value], left: Expression, right: Expression) -> Expression:
    return lambda row: compute(left(row), right(row))


def _constant(value: Value) -> Expression:
    return lambda row: value


def _literal(token: "Token") -> Value:
    if token.type == "STRING":
        return unquoted(token)
    return number(str(token)) if token.type == "SIGNED" else token.type == "TRUE"


def _count_of(node: "Tree[Token]", arguments: "list[Tree[Token] | Token]", least: int, most: int | None) -> None:
    if len(arguments) < least or (most is not None and len(arguments) > most):
        wanted = f"{least}" if least == most else f"{least} to {most}" if most else f"{least} or more"
        raise MalformedQuery.at(node, f"{node.children[0]} takes {wanted} arguments, not {len(arguments)}.")


def _operand(node: "Tree[Token]", argument: "Tree[Token] | Token") -> "Tree[Token]":
    """An argument that is an expression."""
    if isinstance(argument, str):
        raise MalformedQuery.at(argument, f"{node.children[0]} does not take {argument}.")
    return argument


def _tree(node: "Tree[Token] | Token") -> "Tree[Token]":
    assert not isinstance(node, str)
    return node


def _token(node: "Tree[Token] | Token") -> "Token":
    assert isinstance(node, str)
    return node


def _span(node: "Tree[Token] | Token") -> tuple[int, int]:
    from .parser import span

    return span(node)
