"""What a scenario is: steps against an AWS, and what AWS itself answers to them."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import settings
from .world import World

FOLDER = settings.ROOT / "tests" / "conformance" / "scenarios"
RECORDED = "recorded"

Steps = Callable[[World], Any]


@dataclass(frozen=True)
class Source:
    """Where the expected answer comes from: a recording of AWS, AWS's documentation, or the source of a client."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def recorded(scenario: str, date: str) -> Source:
    """A recording of AWS, by the name of its scenario and its date."""
    return Source(RECORDED, f"{scenario}, {date}")


def documented(page: str) -> Source:
    """A page of AWS's documentation."""
    return Source("documented", page)


def source_of(program: str) -> Source:
    """The source of one of AWS's own programs, with its version and file."""
    return Source("source", program)


@dataclass(frozen=True)
class Scenario:
    """`steps` return what `gives` says, with its placeholders; answers.py says which there are.

    `refused` says why the embedded AWS differs on purpose, `not_yet` why it does so otherwise.
    """

    area: str
    name: str
    source: Source
    gives: Any
    steps: Steps
    refused: str = ""
    not_yet: str = ""

    @property
    def title(self) -> str:
        return f"{self.area}: {self.name}"

    @property
    def reason(self) -> str:
        """Why the embedded AWS differs; nothing where it agrees."""
        return self.refused or self.not_yet


_declared: list[Scenario] = []


def scenario(
    area: str, name: str, source: Source, gives: Any, refused: str = "", not_yet: str = ""
) -> Callable[[Steps], Steps]:
    """Declare the function below as the steps of a scenario."""

    def declare(steps: Steps) -> Steps:
        _declared.append(Scenario(area, name, source, gives, steps, refused, not_yet))
        return steps

    return declare


def load() -> list[Scenario]:
    """All scenarios, by area."""
    _declared.clear()
    for file in sorted(FOLDER.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"conformance_{file.stem}", file)
        assert spec and spec.loader
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return list(_declared)
