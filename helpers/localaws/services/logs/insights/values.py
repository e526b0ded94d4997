"""The values of a query: what they are as numbers, how they compare, how they are ordered and how they are shown.

A value is None (the field is missing), a bool, an int, a float, a Timestamp, a str, or a dict or list of jsonParse.
"""

import functools
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Value = Any

NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
CHUNKS = re.compile(r"\d+|\D+", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATS_DECIMALS = Decimal("0.0001")


class Timestamp(int):
    """Milliseconds since 1970 that are shown as a date and a time."""

    def __str__(self) -> str:
        second, milliseconds = divmod(int(self), 1000)
        try:
            return f"{_second(second)}.{milliseconds:03d}"
        except OverflowError:
            return str(int(self))


@functools.lru_cache(maxsize=1024)  # the events of a log are close to each other
def _second(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S")


def number(value: Value) -> int | float | None:
    """A value as a number, also a text that is one; None for others."""
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    if kind is str:
        if not NUMBER.fullmatch(value):
            return None
        text = value.strip()
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return int(value) if isinstance(value, int) else None  # a Timestamp or a bool


def text(value: Value) -> str | None:
    """A value as a text; None for one that is missing, and for a structure."""
    if isinstance(value, str):
        return value
    return None if value is None or isinstance(value, dict | list) else shown(value)


def truth(value: Value) -> bool | None:
    """Whether a condition holds; None where that is unknown, as a field is missing."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return bool(value)


def compared(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> bool | None:
    """As numbers where both are, and else as texts. Nothing is known of a field that is missing.

    A structure is equal to nothing, and so is a timestamp to a text, as on AWS.
    """
    if left is None or right is None:
        return None
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False
    if type(left) is str and type(right) is str and not (left[:1] <= "9" and right[:1] <= "9"):
        return compare(left, right)
    one, other = number(left), number(right)
    if one is not None and other is not None:
        return compare(one, other)
    if isinstance(left, Timestamp) or isinstance(right, Timestamp):
        return False
    return compare(_word(left), _word(right))


def _word(value: Value) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else shown(value)


def order(value: Value) -> tuple[Any, ...]:
    """A key for the natural order of Logs Insights: what is missing, then texts, then numbers.

    Digits within a text are compared as a number: by how many they are, and then by their value.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
    """
    if value is None:
        return (0,)
    as_number = number(value)
    if as_number is not None:
        return 2, as_number
    chunks = CHUNKS.findall(value if isinstance(value, str) else shown(value))
    return 1, [(0, len(each), each) if each[0] in "0123456789" else (1, 0, each) for each in chunks]


def shown(value: Value) -> str:
    """A value as GetQueryResults shows it: a double as Java writes it, 67 MB of @maxMemoryUsed as 6.7E7."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return _as_java(value)
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown_by_stats(value: Value) -> str:
    """A result of `stats`: a number with at most four decimals."""
    if isinstance(value, float) and math.isfinite(value) and (value == 0 or abs(value) >= 1e-3):
        rounded = Decimal(repr(value)).quantize(STATS_DECIMALS, ROUND_HALF_UP)
        return f"{rounded:f}".rstrip("0").rstrip(".")
    return shown(value)


def _as_java(value: float) -> str:
    """As Double.toString: plain from a thousandth to ten millions, and else with an exponent."""
    if not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = f"{Decimal(repr(value)):f}"
        return plain if "." in plain else f"{plain}.0"
    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    shown_digits = "".join(map(str, digits))
    exponent = Decimal(repr(value)).adjusted()
    return f"{'-' * sign}{shown_digits[0]}.{shown_digits[1:] or '0'}E{exponent}"
