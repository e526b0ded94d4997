"""An action of the console and the notebook cell that does the same: both are one function.

An action takes a Workshop and plain values. Called, it does something in AWS. `cell_of` writes its own source as a
cell, below its values and what it imports: so what a page shows is what ran.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Self

import helpers

from ..connect import Workshop
from ..deploying.package import package

Action = Callable[..., Any]

WIDTH = 88  # characters of a line, as in the notebooks
CONNECT = ("from helpers import connect", "workshop = connect()")


@dataclass(frozen=True)
class Written:
    """A value that a cell writes in another way than as a literal."""

    value: Any
    code: str
    needs: str  # the import of what the code names

    @classmethod
    def files(cls, files: dict[str, str]) -> Self:
        """The zip of these files."""
        return cls(package(files), f"package({literal(files)})", "from helpers import package")

    @classmethod
    def upload(cls, name: str, content: bytes) -> Self:
        """A file that the reader chose; the cell reads it from the folder of the notebook."""
        return cls(content, f"Path({literal(name)}).read_bytes()", "from pathlib import Path")

    @classmethod
    def text(cls, text: str) -> Self:
        """The bytes of a text."""
        return cls(text.encode("utf-8", "replace"), f"{literal(text)}.encode()", CONNECT[0])

    @classmethod
    def secret(cls, name: str, value: str) -> Self:
        """What no page and no notebook may show: the cell asks for it."""
        return cls(value, f"getpass({literal(name + ': ')})", "from getpass import getpass")


class Performer:
    """Performs actions for one request, and keeps the cell of each."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.cells: list[str] = []

    def __call__(self, action: Action, **values: Any) -> Any:
        self.cells.append(cell_of(action, **values))
        return action(self.workshop, **plain(values))


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """The values as an action takes them."""
    return {name: value.value if isinstance(value, Written) else value for name, value in values.items()}


def cell_of(action: Action, **values: Any) -> str:
    """The code of a cell that does what action(workshop, **values) does, and shows what it returns."""
    source = textwrap.dedent(inspect.getsource(action))
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef)
    imports = {CONNECT[0], *_imports(definition, action)}
    imports |= {value.needs for value in values.values() if isinstance(value, Written)}
    given = [
        f"{name} = {value.code if isinstance(value, Written) else literal(value)}" for name, value in values.items()
    ]
    parts = ["\n".join(_sorted(imports)), "\n".join([CONNECT[1], *given]), _body(definition, source)]
    return "\n\n".join(parts) + "\n"


def _body(definition: ast.FunctionDef, source: str) -> str:
    """The statements of an action; what it returns in the end is what a cell shows in the end."""
    lines = source.splitlines()
    first = definition.body[0]
    begin = first.end_lineno if ast.get_docstring(definition) else first.lineno - 1
    last = definition.body[-1]
    if isinstance(last, ast.Return):
        lines[last.lineno - 1] = lines[last.lineno - 1].replace("return ", "", 1)
    return textwrap.dedent("\n".join(lines[begin:])).strip("\n")


def _imports(definition: ast.FunctionDef, action: Action) -> Iterator[str]:
    """How a notebook imports what the statements of an action name."""
    known = inspect.unwrap(action).__globals__
    names = {node.id for part in definition.body for node in ast.walk(part) if isinstance(node, ast.Name)}
    for name in sorted(names & set(known)):
        value = known[name]
        if isinstance(value, ModuleType):
            yield f"import {name}"
        else:
            yield f"from {'helpers' if name in helpers.__all__ else value.__module__} import {name}"


def _sorted(imports: set[str]) -> list[str]:
    """As ruff sorts them: modules, then names of modules, and the workshop's own last, each in one line."""
    names: dict[str, list[str]] = {}
    for each in imports:
        if found := re.fullmatch(r"from (\S+) import (\w+)", each):
            names.setdefault(found[1], []).append(found[2])
    lines = [f"from {module} import {', '.join(sorted(each))}" for module, each in sorted(names.items())]
    standard = [*sorted(each for each in imports if each.startswith("import")), *lines]
    own = [line for line in standard if line.startswith("from helpers")]
    others = [line for line in standard if line not in own]
    return [*others, *([""] if others and own else []), *own]


def literal(value: Any, indent: int = 0) -> str:
    """A value of JSON, or bytes, as Python writes it, over several lines where one is too short."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        items = [f"{literal(key)}: {literal(item, indent + 4)}" for key, item in value.items()]
        return _within("{", items, "}", indent)
    if isinstance(value, list):
        return _within("[", [literal(item, indent + 4) for item in value], "]", indent)
    return repr(value)


def _within(opens: str, items: list[str], closes: str, indent: int) -> str:
    line = f"{opens}{', '.join(items)}{closes}"
    if len(line) + indent <= WIDTH and "\n" not in line:
        return line
    inner = " " * (indent + 4)
    return "\n".join([opens, *(f"{inner}{item}," for item in items), " " * indent + closes])


def _text(text: str) -> str:
    text = "".join(text)  # of a webhook's URL, too
    if text.count("\n") > 1 and all(each.isprintable() or each in "\n\t" for each in text):
        body = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        if body.endswith('"'):
            body = body[:-1] + '\\"'
        return f'"""\\\n{body}"""'
    return '"' + "".join(_letter(each) for each in text) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()
