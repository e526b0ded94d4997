"""The contract with MiniStack: the names of it that a service replaces, calls or reads are as they were.

Every module of this package that touches MiniStack says in a CONTRACT of its own what it relies on. Here they are
gathered, so that a MiniStack that has moved one of them is refused at the start, by a sentence.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

# (module of MiniStack, name in it) -> the parameters that it had in the version that pyproject.toml pins, or None
# where it is a value, or a class or function of which nothing but its being there matters.
Contract = dict[tuple[ModuleType, str], tuple[str, ...] | None]


class ContractError(RuntimeError):
    """MiniStack is not the one that the services were written for; the message is one sentence."""


def modules() -> Iterator[ModuleType]:
    """Every module of services/, also those in folders of it, wherever a new one is put."""
    package = __name__.rpartition(".")[0]
    found = importlib.import_module(package).__path__
    for each in pkgutil.walk_packages(found, f"{package}."):
        yield importlib.import_module(each.name)


def gathered() -> Contract:
    """The contracts of all services together."""
    together: Contract = {}
    for module in modules():
        for key, parameters in getattr(module, "CONTRACT", {}).items():
            if together.setdefault(key, parameters) != parameters:
                raise ContractError(f"{module.__name__} has other parameters of {key[1]} in its CONTRACT than another.")
    return together


def verify() -> None:
    """Raise ContractError unless every name of every CONTRACT is there with the parameters that it had."""
    for (module, name), parameters in gathered().items():
        found = getattr(module, name, None)
        if found is None:
            raise ContractError(f"MiniStack has no {module.__name__}.{name} any more; pin the version that has it.")
        actual = tuple(inspect.signature(found).parameters) if parameters is not None else None
        if actual != parameters:
            raise ContractError(
                f"{module.__name__}.{name} of MiniStack takes {actual}, not {parameters}; pin the old version."
            )
