"""What AWS refuses of a request before it looks at anything else: members that its model of the API does not allow.

The words are those of ValidationException, as localstack recorded them in November 2025 (TestLambdaFunction, others):
every violation of a request in one sentence. What the model cannot say is in the modules of the features.
"""

from collections.abc import Iterator
from typing import Any

from ..constraints import MistypedError, broken, detected, limit, mistyped, violation, wire
from ..shapes import Record
from . import model
from .model import Found

Refusal = tuple[str, str]  # error code and message

# Members whose values AWS looks at later, in other words: quotas.py.
ELSEWHERE = {("CreateFunctionRequest", "Runtime"), ("UpdateFunctionConfigurationRequest", "Runtime")}
# The order in which AWS names the values of these; of all others it is the model's.
ORDERS: dict[str, list[str]] = {
    "EventSourcePosition": ["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"],
    "InvokeMode": ["RESPONSE_STREAM", "BUFFERED"],
}
SCALARS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
    "boolean": bool,
}


def refusal(found: Found, members: Record) -> Refusal | None:
    """Error code and message for a request with these members; None where the model allows them."""
    if not found.operation.input:
        return None
    try:
        violations = list(_of_structure(found.operation.input, members, ""))
    except MistypedError as error:
        return "SerializationException", str(error)
    if not violations:
        return None
    return "ValidationException", detected(*sorted(violations))


def _of_structure(name: str, value: Record, path: str) -> Iterator[str]:
    structure = model.shape(name)
    if not isinstance(value, dict):
        raise MistypedError("Unexpected field type")
    required = {*structure.get("required", ())} - {structure.get("payload")}  # that is the body, whatever it holds
    for member, reference in structure["members"].items():
        place = f"{path}.{wire(member)}".lstrip(".")
        found = value.get(reference.get("locationName", member) if path else member)
        if found is None:
            if member in required:
                yield violation(None, place, "not be null")
        elif (name, member) not in ELSEWHERE:
            yield from _of_value(reference["shape"], found, place)


def _of_value(name: str, value: Any, place: str) -> Iterator[str]:
    shape = model.shape(name)
    match shape["type"]:
        case "structure":
            yield from _of_structure(name, value, place)
        case "list":
            yield from _of_list(name, shape, value, place)
        case "map":
            yield from _of_map(shape, value, place)
        case kind:
            _check_type(kind, value)
            said = _text(value)
            yield from (_sentence(shape, f"'{said}'", place, each) for each in _broken(name, value))


def _of_list(name: str, shape: Record, values: Any, place: str) -> Iterator[str]:
    if not isinstance(values, list):
        raise MistypedError("Unexpected field type")
    element = shape["member"]["shape"]
    said = f"'[{', '.join(map(_text, values))}]'"
    yield from (_sentence(shape, said, place, each) for each in _broken(name, values))
    if model.shape(element)["type"] in ("structure", "list", "map"):
        for number, each in enumerate(values, 1):
            yield from _of_value(element, each, f"{place}.{number}.member")
    elif any(_fails(element, each) for each in values):
        every = f"satisfy constraint: [{', '.join([*_constraints(element), NOT_NULL])}]"
        yield _sentence(shape, said, place, every)


def _of_map(shape: Record, values: Any, place: str) -> Iterator[str]:
    if not isinstance(values, dict):
        raise MistypedError("Unexpected field type")
    kind = model.shape(shape["value"]["shape"])["type"]
    for value in values.values():
        if value is not None:
            _check_type(kind, value)
    is_double = kind == "double"
    said = ", ".join(f"{key}={float(value) if is_double else _text(value)}" for key, value in values.items() if value)
    parts = (
        ("Map keys", shape["key"]["shape"], values.keys(), ()),
        ("Map value", shape["value"]["shape"], values.values(), (NOT_NULL,)),
    )
    for what, element, found, more in parts:
        if any(_fails(element, each) for each in found):
            every = ", ".join([*_constraints(element), *more])
            given = "" if _is_sensitive(shape, element) else f" '{{{said}}}'"
            yield f"Value{given} at '{place}' failed to satisfy constraint: {what} must satisfy constraint: [{every}]"


NOT_NULL = "Member must not be null"


def _sentence(shape: Record, said: str, place: str, constraint: str) -> str:
    given = "" if shape.get("sensitive") else f" {said}"
    return f"Value{given} at '{place}' failed to satisfy constraint: Member must {constraint}"


def _is_sensitive(shape: Record, element: str) -> bool:
    return bool(shape.get("sensitive") or model.shape(element).get("sensitive"))


def _fails(name: str, value: Any) -> bool:
    if value is None:
        return True
    _check_type(model.shape(name)["type"], value)
    return next(iter(_broken(name, value)), None) is not None


def _broken(name: str, value: Any) -> Iterator[str]:
    """What a value of a shape must be and is not, one after another."""
    shape = model.shape(name)
    return broken({**shape, "enum": _values(name, shape)} if "enum" in shape else shape, value)


def _constraints(name: str) -> Iterator[str]:
    """All that values of a shape must be, as AWS lists it where one of several is not."""
    shape = model.shape(name)
    noun = "length" if shape["type"] in ("string", "list", "map") else "value"
    if "max" in shape:
        yield f"Member must have {noun} less than or equal to {limit(shape, 'max')}"
    if "min" in shape:
        yield f"Member must have {noun} greater than or equal to {limit(shape, 'min')}"
    if "pattern" in shape:
        yield f"Member must satisfy regular expression pattern: {shape['pattern']}"
    if "enum" in shape:
        yield f"Member must satisfy enum value set: [{', '.join(_values(name, shape))}]"


def _values(name: str, shape: Record) -> list[str]:
    """The values that a member may have, in AWS's order."""
    return ORDERS.get(name) or list(shape["enum"])


def _check_type(kind: str, value: Any) -> None:
    expected = SCALARS.get(kind)
    if expected is None or (isinstance(value, expected) and (kind == "boolean") == isinstance(value, bool)):
        return
    if isinstance(value, list):
        raise MistypedError("Start of list found where not expected")
    if isinstance(value, dict):
        raise MistypedError("Start of structure or map found where not expected.")
    raise mistyped(value, kind)


def _text(value: Any) -> str:
    """A value as AWS's sentences have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
