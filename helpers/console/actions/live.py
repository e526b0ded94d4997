"""The live picture of functions, as a notebook has it."""

from typing import Any

from ...connect import Workshop
from ...watch import watch


def watch_functions(workshop: Workshop, functions: list[str]) -> Any:
    return watch(workshop, *functions)
