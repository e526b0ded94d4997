"""The sentences in which AWS says what of a request its model of an API does not allow.

They are the same in all services, https://smithy.io/2.0/spec/constraint-traits.html; as localstack recorded them in
November 2025 (TestLambdaFunction, others).
"""

from typing import Any


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
