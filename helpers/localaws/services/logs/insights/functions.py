"""The functions of Logs Insights that compute one value of others; None where an argument is missing or does not fit.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

import base64
import binascii
import hashlib
import ipaddress
import json
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from .regexes import regex_of_function
from .values import Timestamp, Value, number, text, truth

EARTH_KM = 6371.0
Compute = Callable[..., Value]


class Function(NamedTuple):
    """What computes a value, and of how many arguments; `most` is None where there is no end."""

    compute: Compute
    least: int
    most: int | None


# Those of AWS's that are not here; each is refused by its name.
MISSING = ("parseDate", "formatDate", "strftime", "rate", "histogram", "count_over_time", "sum_over_time", "values")


def add(a: Value, b: Value) -> Value:
    return _of_numbers(lambda x, y: x + y, a, b)


def subtract(a: Value, b: Value) -> Value:
    return _of_numbers(lambda x, y: x - y, a, b)


def multiply(a: Value, b: Value) -> Value:
    return _of_numbers(lambda x, y: x * y, a, b)


def divide(a: Value, b: Value) -> Value:
    return _of_numbers(_quotient, a, b)


def remainder(a: Value, b: Value) -> Value:
    """With the sign of `a`, as in Java."""
    return _of_numbers(lambda x, y: _whole(math.fmod(x, y), x, y), a, b)


def power(a: Value, b: Value) -> Value:
    return _of_numbers(lambda x, y: _whole(math.pow(x, y), x, y), a, b)


def negative(a: Value) -> Value:
    return _of_numbers(lambda x: -x, a)


def _of_numbers(compute: Callable[..., Value], *values: Value) -> Value:
    """What is computed of these, if all are numbers and the result is one."""
    numbers = [number(value) for value in values]
    if None in numbers:
        return None
    try:
        return compute(*numbers)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _quotient(a: float, b: float) -> float:
    return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b


def _whole(result: float, *operands: float) -> float:
    """The result of whole numbers is shown as one, too."""
    whole = all(isinstance(each, int) for each in operands) and result.is_integer()
    return int(result) if whole else result


def numeric(compute: Callable[..., Value]) -> Compute:
    return lambda *values: _of_numbers(compute, *values)


def textual(compute: Callable[..., Value]) -> Compute:
    """A function of texts; numbers are taken as they are shown."""

    def computed(*values: Value) -> Value:
        texts = [text(value) for value in values]
        if None in texts:
            return None
        try:
            return compute(*texts)
        except (ValueError, re.error):
            return None

    return computed


def _round(value: float, digits: float = 0) -> float:
    factor = 10 ** int(digits)
    rounded = math.floor(abs(value) * factor + 0.5) / factor
    signed = math.copysign(rounded, value)
    return int(signed) if digits <= 0 else signed


def _haversine(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    a, b, difference = math.radians(lat1), math.radians(lat2), math.radians(lon2 - lon1)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(difference / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def _substr(value: str, start: str, length: str | None = None) -> str | None:
    first, count = number(start), number(length)
    if first is None or (length is not None and count is None):
        return None
    begin = max(0, int(first))
    return value[begin:] if count is None else value[begin : begin + max(0, int(count))]


def _blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _if(condition: Value, then: Value, otherwise: Value) -> Value:
    return then if truth(condition) else otherwise


def _case(*values: Value) -> Value:
    """Conditions and values by turns, and perhaps a value for when none of them holds."""
    for condition, value in zip(values[::2], values[1::2], strict=False):
        if truth(condition):
            return value
    return values[-1] if len(values) % 2 else None


def _json_parse(value: Value) -> Value:
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _json_stringify(value: Value) -> Value:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if isinstance(value, dict | list) else None


def _array(value: Value) -> list[Any] | None:
    found = value if isinstance(value, list) else _json_parse(value)
    return found if isinstance(found, list) else None


def _array_size(value: Value) -> Value:
    found = _array(value)
    return None if found is None else len(found)


def _array_contains(value: Value, wanted: Value) -> Value:
    return text(wanted) in [text(each) for each in _array(value) or []]


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(value: Value) -> Address | None:
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def of_address(test: Callable[[Address], Any]) -> Compute:
    """Whether a text is an address, and such a one."""

    def tested(value: Value) -> bool:
        address = _address(value)
        return address is not None and bool(test(address))

    return tested


def in_subnet(*versions: int) -> Compute:
    def tested(value: Value, subnet: Value) -> Value:
        address = _address(value)
        try:
            network = ipaddress.ip_network(subnet, strict=False)
        except ValueError:
            return None
        return (
            address is not None
            and network.version in versions
            and address.version == network.version
            and address in network
        )

    return tested


def _to_int(value: Value) -> Value:
    return _of_numbers(int, value)


def _dec_to_hex(value: float) -> str:
    whole = int(value)
    return f"{'-' * (whole < 0)}0x{abs(whole):x}"


def _unbase64(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except binascii.Error as error:
        raise ValueError(value) from error


def _utf8(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


FUNCTIONS = {
    "abs": Function(numeric(abs), 1, 1),
    "ceil": Function(numeric(math.ceil), 1, 1),
    "floor": Function(numeric(math.floor), 1, 1),
    "greatest": Function(numeric(max), 1, None),
    "least": Function(numeric(min), 1, None),
    "log": Function(numeric(math.log), 1, 1),
    "round": Function(numeric(_round), 1, 2),
    "sqrt": Function(numeric(math.sqrt), 1, 1),
    "haversine": Function(numeric(_haversine), 4, 4),
    "tonumber": Function(number, 1, 1),
    "toint": Function(_to_int, 1, 1),
    "tolong": Function(_to_int, 1, 1),
    "todouble": Function(numeric(float), 1, 1),
    "frommillis": Function(numeric(Timestamp), 1, 1),
    "tomillis": Function(lambda at: int(at) if isinstance(at, Timestamp) else None, 1, 1),
    "ispresent": Function(lambda value: value is not None, 1, 1),
    "coalesce": Function(_coalesce, 1, None),
    "if": Function(_if, 3, 3),
    "case": Function(_case, 2, 21),
    "isnumeric": Function(lambda value: number(value) is not None, 1, 1),
    "messagesize": Function(textual(lambda value: len(_utf8(value))), 1, 1),
    "jsonparse": Function(_json_parse, 1, 1),
    "jsonstringify": Function(_json_stringify, 1, 1),
    "jsonarraysize": Function(_array_size, 1, 1),
    "jsonarraycontains": Function(_array_contains, 2, 2),
    "isvalidip": Function(of_address(lambda address: True), 1, 1),
    "isvalidipv4": Function(of_address(lambda address: address.version == 4), 1, 1),
    "isvalidipv6": Function(of_address(lambda address: address.version == 6), 1, 1),
    "isprivateip": Function(of_address(lambda address: address.is_private), 1, 1),
    "ispublicip": Function(of_address(lambda address: address.is_global), 1, 1),
    "isreservedip": Function(of_address(lambda address: address.is_reserved), 1, 1),
    "isipinsubnet": Function(in_subnet(4, 6), 2, 2),
    "isipv4insubnet": Function(in_subnet(4), 2, 2),
    "isipv6insubnet": Function(in_subnet(6), 2, 2),
    "ipv4tonumber": Function(lambda value: int(a) if (a := _address(value)) and a.version == 4 else None, 1, 1),
    "isempty": Function(lambda value: value is None or value == "", 1, 1),
    "isblank": Function(_blank, 1, 1),
    "concat": Function(lambda *values: "".join(text(value) or "" for value in values), 1, None),
    "ltrim": Function(textual(str.lstrip), 1, 2),
    "rtrim": Function(textual(str.rstrip), 1, 2),
    "trim": Function(textual(str.strip), 1, 2),
    "strlen": Function(textual(len), 1, 1),
    "toupper": Function(textual(str.upper), 1, 1),
    "tolower": Function(textual(str.lower), 1, 1),
    "substr": Function(textual(_substr), 2, 3),
    "replace": Function(textual(str.replace), 3, 3),
    "regexreplace": Function(
        textual(lambda value, pattern, by: regex_of_function(pattern).sub(lambda _: by, value)), 3, 3
    ),
    # A third argument, for any case, has no effect on AWS (tried by others in June 2026), so it is not taken here.
    "strcontains": Function(textual(lambda value, wanted: int(wanted in value)), 2, 2),
    "startswith": Function(textual(lambda value, wanted: int(value.startswith(wanted))), 2, 2),
    "endswith": Function(textual(lambda value, wanted: int(value.endswith(wanted))), 2, 2),
    "urlencode": Function(textual(lambda value: quote(value, safe="")), 1, 1),
    "urldecode": Function(textual(unquote), 1, 1),
    "base64encode": Function(textual(lambda value: base64.b64encode(_utf8(value)).decode()), 1, 1),
    "base64decode": Function(textual(_unbase64), 1, 1),
    "split": Function(textual(lambda value, by: value.split(by)), 2, 2),
    "hextoascii": Function(textual(lambda value: bytes.fromhex(value).decode("ascii")), 1, 1),
    "hextodec": Function(textual(lambda value: int(value, 16)), 1, 1),
    "dectohex": Function(numeric(_dec_to_hex), 1, 1),
    "md5": Function(textual(lambda value: hashlib.md5(_utf8(value), usedforsecurity=False).hexdigest()), 1, 1),
    "sha256": Function(textual(lambda value: hashlib.sha256(_utf8(value)).hexdigest()), 1, 1),
}
FUNCTIONS["regex_replace"] = FUNCTIONS["regexreplace"]
