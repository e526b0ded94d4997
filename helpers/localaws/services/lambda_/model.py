"""AWS's models of APIs, Lambda's above all, as botocore has them: which operation is asked for, and its members.

https://smithy.io/2.0/spec/http-bindings.html says how a request carries members: in its path, query, headers and body.
"""

import gzip
import importlib.util
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from ..shapes import Record

LAMBDA = "lambda"


class Operation(NamedTuple):
    """An operation and where it is: method, path with a group for each label, and what the query says in any case."""

    name: str
    method: str
    path: re.Pattern[str]
    labels: tuple[str, ...]
    query: frozenset[tuple[str, str]]
    input: str  # the name of its input's shape; empty where it takes nothing
    service: str
    uri: str  # the path with the names of its labels in braces


class Found(NamedTuple):
    """The operation that a request asks for, and what its path says."""

    operation: Operation
    labels: dict[str, str]


def found_at(method: str, path: str, query: Record, service: str = LAMBDA) -> Found | None:
    """What a request asks for, by method, path and query; None where the service has nothing there."""
    said = frozenset((name, str(values[0])) for name, values in query.items() if values)
    return _found_at(service, method, path, said)


def named(operation: str) -> Found:
    """An operation by its name, for who asks without a request."""
    return next(Found(each, {}) for each in _operations(LAMBDA) if each.name == operation)


def shape(name: str, service: str = LAMBDA) -> Record:
    """A shape of a model, by its name."""
    found: Record = read(service)["shapes"][name]
    return found


def members_of(found: Found, headers: Record, body: Any, query: Record) -> Record:
    """The members of a request, by their names in the model, those alone that are there. `body` is JSON's value."""
    if not found.operation.input:
        return {}
    service, members = found.operation.service, {}
    structure = shape(found.operation.input, service)
    lowered = {name.lower(): value for name, value in headers.items()}
    inline = body if isinstance(body, dict) and "payload" not in structure else {}
    for name, reference in structure["members"].items():
        wire, kind = reference.get("locationName", name), shape(reference["shape"], service)
        match reference.get("location"):
            case "uri":
                value: Any = _from_text(found.labels.get(wire), kind)
            case "querystring":
                values = query.get(wire)
                value = values or None if kind["type"] == "list" else _from_text(values[0] if values else None, kind)
            case "header":
                value = _from_text(lowered.get(wire.lower()), kind)
            case _:
                value = inline.get(wire)
        if value is not None:
            members[name] = value
    return members


def _from_text(text: str | None, kind: Record) -> Any:
    """A value that stood in a path, query or header."""
    if text is None or kind["type"] == "string":
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


@lru_cache(maxsize=1024)
def _found_at(service: str, method: str, path: str, query: frozenset[tuple[str, str]]) -> Found | None:
    for operation in _operations(service):
        is_there = operation.method == method and operation.query <= query
        if is_there and (match := operation.path.fullmatch(path.rstrip("/"))):
            return Found(operation, dict(zip(operation.labels, map(unquote, match.groups()), strict=True)))
    return None


@lru_cache(maxsize=4)
def _operations(service: str) -> list[Operation]:
    """The operations of a service, those first that say most about their requests."""
    found = [_operation(service, name, each) for name, each in read(service)["operations"].items()]
    return sorted(found, key=lambda each: (-len(each.query), len(each.labels)))


def _operation(service: str, name: str, told: Record) -> Operation:
    path, _, query = told["http"]["requestUri"].partition("?")
    labels = tuple(re.findall(r"\{([^}+]*)\+?\}", path))
    pattern = re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(path.rstrip("/")))
    shape_name = told.get("input", {}).get("shape", "")
    return Operation(
        name,
        told["http"]["method"],
        re.compile(pattern),
        labels,
        frozenset(parse_qsl(query)),
        shape_name,
        service,
        path,
    )


@lru_cache(maxsize=16)
def read(service: str) -> Record:
    """AWS's newest model of a service, by its name in botocore."""
    (folder,) = importlib.util.find_spec("botocore").submodule_search_locations  # type: ignore[union-attr,misc]
    file = max(Path(folder, "data", service).glob("*/service-2.json*"))
    text = file.read_bytes() if file.suffix == ".json" else gzip.decompress(file.read_bytes())
    model: Record = json.loads(text, object_pairs_hook=_without_documentation)
    return model


def _without_documentation(pairs: list[tuple[str, Any]]) -> Record:
    return {name: value for name, value in pairs if name != "documentation" or not isinstance(value, str)}
