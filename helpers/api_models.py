"""Compares the facts about AWS with what AWS's own API models state, as a botocore holds them.

The place of a fact in a model, `model` in facts.toml, is "service:Shape.max" (or min, or enum), "service:Shape.Member"
or "service:Operation": of the last two it is the documentation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.loaders
from botocore.exceptions import UnknownServiceError

from .facts import Fact, facts

CONSTRAINTS = ("min", "max", "enum")
RUNTIMES = "lambda:Runtime.enum"


@dataclass(frozen=True)
class Drift:
    """A fact and the model that contradicts it."""

    fact: Fact
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.fact.name}: {place_of(self.fact)} should state {self.expected}; {self.found}"


def stated() -> list[Fact]:
    """The facts that a model states: those with a place in one, and the names of the runtimes."""
    return [each for each in facts().values() if place_of(each)]


def place_of(fact: Fact) -> str | None:
    return fact.model or (RUNTIMES if fact.group == "runtimes" else None)


def drift(loader: botocore.loaders.Loader) -> list[Drift]:
    """The facts that the models of this loader contradict."""
    return [found for each in stated() for found in contradictions(each, loader)]


def contradictions(fact: Fact, loader: botocore.loaders.Loader) -> Iterator[Drift]:
    """What the model states in place of this fact; nothing where they agree."""
    place = place_of(fact) or ""
    there = read(place, loader)
    if place.endswith((".min", ".max")):
        expected, holds = str(fact.value), there == fact.value
    else:
        expected = fact.name if fact.group == "runtimes" else (fact.says or "{value}").format(value=fact.value)
        holds = expected in (there or "")
    if not holds:
        yield Drift(fact, repr(expected), _shown(there, fact))


def read(place: str, loader: botocore.loaders.Loader) -> Any:
    """What stands at a place: a number, the values of an enum, or documentation as plain text; None where nothing."""
    service, _, path = place.partition(":")
    try:
        model = loader.load_service_model(service, "service-2")
    except UnknownServiceError:
        return None
    name, _, part = path.partition(".")
    shape = model["shapes"].get(name, {})
    if part in CONSTRAINTS:
        return shape.get(part)
    described = shape.get("members", {}).get(part) if part else model["operations"].get(name)
    return _plain(described.get("documentation", "")) if described else None


def _shown(there: Any, fact: Fact) -> str:
    """What a model says instead, in one line: of a documentation the sentence that is nearest."""
    if there is None:
        return "it has no such place"
    if not isinstance(there, str):
        return f"it states {there}"
    words = set((fact.says or "").lower().split())
    sentences = re.split(r"(?<=[.!?]) ", there)
    return f"it says {max(sentences, key=lambda each: len(words & set(each.lower().split())))!r}"


def _plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()
