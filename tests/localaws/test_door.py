"""The embedded AWS is a house of its own: it needs of the workshop its errors' base and the facts, and has one door."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import localaws, settings

HELPERS = settings.ROOT / "helpers"
HOUSE = HELPERS / "localaws"
INSIDE = sorted(path for path in HOUSE.rglob("*.py") if "bootstrap" not in path.parts)
OUTSIDE = sorted(path for path in HELPERS.rglob("*.py") if HOUSE not in path.parents)
ALLOWED = {"helpers.errors.WorkshopError", "helpers.facts.fact", "helpers.facts.in_bytes"}
LESSONS = sorted((settings.ROOT / "notebooks" / "lessons").rglob("*.py"))


def imported(path: Path, source: str) -> Iterator[str]:
    """The full names that a module imports, `package.module` or `package.module.name`."""
    package = path.relative_to(settings.ROOT).parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            of = ".".join((*above, *([node.module] if node.module else [])))
            yield from (f"{of}.{alias.name}" for alias in node.names)


def entered(path: Path) -> Iterator[str]:
    """The names of localaws that a module uses, `name` or `module.name`."""
    source = path.read_text()
    for name in imported(path, source):
        if name.startswith("helpers.localaws."):
            yield name.removeprefix("helpers.localaws.")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "localaws":
            yield node.attr


def test_the_scan_sees_every_way_to_import():
    source = "import os\nfrom . import a\nfrom .. import b\nfrom ..c import d\nfrom helpers.e import f\n"
    assert list(imported(HOUSE / "server.py", source)) == [
        "os",
        "helpers.localaws.a",
        "helpers.b",
        "helpers.c.d",
        "helpers.e.f",
    ]


@pytest.mark.parametrize("path", INSIDE, ids=lambda path: str(path.relative_to(HOUSE)))
def test_it_imports_nothing_of_the_workshop_but_the_base_of_its_errors_and_the_facts(path):
    of_helpers = {name for name in imported(path, path.read_text()) if name.split(".")[0] == "helpers"}
    assert {name for name in of_helpers if not name.startswith("helpers.localaws")} <= ALLOWED


@pytest.mark.parametrize("path", [*OUTSIDE, *LESSONS], ids=lambda path: str(path.relative_to(settings.ROOT)))
def test_the_workshop_enters_by_the_door_alone(path):
    assert set(entered(path)) <= set(localaws.__all__)


def test_the_data_plane_knows_neither_ministack_nor_the_services():
    names = {
        name
        for path in INSIDE
        if "data_plane" in path.parts
        for name in imported(path, path.read_text())
        if name.split(".")[0] == "ministack" or name.startswith("helpers.localaws")
    }
    assert {name for name in names if not name.startswith("helpers.localaws.data_plane.")} == set()


def test_what_the_door_names_is_there():
    assert all(hasattr(localaws, name) for name in localaws.__all__)


def test_its_readme_names_every_module_and_none_that_is_gone():
    """A folder of services/ that is named stands for its modules."""
    readme = (HOUSE / "README.md").read_text()
    patterns = {f"**/{name}" for name in re.findall(r"`([\w/*]+\.py)`", readme)}
    patterns |= {f"services/{name}/**/*.py" for name in re.findall(r"`services/(\w+(?:/\w+)?)/`", readme)}
    found = {pattern: set(HOUSE.glob(pattern)) for pattern in patterns}
    assert [pattern for pattern, paths in found.items() if not paths] == []
    assert set(INSIDE).difference(*found.values()) == set()
