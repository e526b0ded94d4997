"""The sentences in which AWS says what of a request its model of an API does not allow.

They are the same in all services, https://smithy.io/2.0/spec/constraint-traits.html; as localstack recorded them in
November 2025 (TestLambdaFunction, others).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from .shapes import Record


class MistypedError(Exception):
    """A value of another type than its member has; the message is that of SerializationException."""


def violation(value: object, place: str, must: str) -> str:
    """What is wrong with one value; with None, that a member is missing."""
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{place}' failed to satisfy constraint: Member must {must}"


def detected(*violations: str) -> str:
    """All that is wrong with a request, in one sentence."""
    return f"{len(violations)} validation error{'s' * (len(violations) > 1)} detected: {'; '.join(violations)}"


def mistyped(value: Any, kind: str) -> MistypedError:
    """A value that is no `kind` of the model, such as "integer"."""
    article = "an" if kind == "integer" else "a"
    return MistypedError(f"{_token(value)} can not be converted to {article} {kind.capitalize()}")


def broken(shape: Record, value: Any) -> Iterator[str]:
    """What a value of a shape of a model must be and is not, one after another."""
    size, noun = (len(value), "length") if isinstance(value, str | list | dict) else (value, "value")
    if isinstance(value, bool) or shape["type"] == "blob":
        return
    if size > shape.get("max", size):
        yield f"have {noun} less than or equal to {limit(shape, 'max')}"
    if size < shape.get("min", size):
        yield f"have {noun} greater than or equal to {limit(shape, 'min')}"
    if isinstance(value, str):
        if "pattern" in shape and not _pattern(shape["pattern"]).fullmatch(value):
            yield f"satisfy regular expression pattern: {shape['pattern']}"
        if "enum" in shape and value not in shape["enum"]:
            yield f"satisfy enum value set: [{', '.join(shape['enum'])}]"


def limit(shape: Record, bound: str) -> float | int:
    """A limit as AWS writes it: 1.0 for numbers that may have a fraction."""
    number: int = shape[bound]
    return float(number) if shape["type"] in ("double", "float") else number


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    r"""A pattern of a model, which is Java's: \p{L}, \p{Z} and \p{N} are letters, separators and numbers."""
    return re.compile(pattern.replace(r"\p{L}", r"\w").replace(r"\p{Z}", r"\s").replace(r"\p{N}", r"\d"))


def wire(member: str) -> str:
    """A member as these sentences name it: functionName."""
    return f"{member[0].lower()}{member[1:]}"


def _token(value: Any) -> str:
    match value:
        case bool():
            return f"{str(value).upper()}_VALUE"
        case str():
            return "STRING_VALUE"
        case int() | float():
            return "NUMBER_VALUE"
        case None:
            return "NULL_VALUE"
    return "START_ARRAY" if isinstance(value, list) else "START_OBJECT"
