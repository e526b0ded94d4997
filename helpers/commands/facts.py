"""`python3 -m helpers facts`: lists the facts about AWS, or compares them with the newest botocore of the registry."""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import botocore.loaders

from .. import settings
from ..api_models import Drift, drift, stated
from ..errors import WorkshopError
from ..facts import FILE, Fact, facts
from ..installing import environment
from . import say

NOWHERE = "no package registry that pip can reach has it; check the network, and pip's settings"
# Where a fact can be used; what is generated, and what the reader makes, is not looked at.
PLACES = ("helpers", "notebooks/lessons", "tests", "README.md")


class RegistryError(WorkshopError):
    """The newest botocore did not come; one sentence for the reader."""


def show() -> int:
    """Print the table, one fact a line, on stdout."""
    for each in facts().values():
        print(_line(each))
    return 0


def compare_with_newest() -> int:
    """Print what the newest botocore contradicts, and where it is used; 1 where there is something.

    Raises RegistryError.
    """
    with tempfile.TemporaryDirectory(prefix="lambda-workshop-") as folder:
        wheel = _download(Path(folder))
        version = wheel.name.split("-")[1]
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        found = drift(loader_of(Path(folder) / "botocore" / "data"))
    for each in found:
        print(each)
        for place in used_in(each.fact.name):
            print(f"    {place}")
    say(_summary(version, found))
    return 1 if found else 0


def loader_of(data: Path) -> botocore.loaders.Loader:
    """A loader of the models in a folder, and of no others."""
    return botocore.loaders.Loader(extra_search_paths=[str(data)], include_default_search_paths=False)


def used_in(name: str) -> list[str]:
    """The places that take a fact from the table: "path:line" below the checkout."""
    uses = re.compile(
        rf"""\b(?:fact|in_bytes)\(["']{re.escape(name)}["']\)|\{{\{{{re.escape(name)}(?:\.[a-z]+)?\}}\}}"""
    )
    return [
        f"{path.relative_to(settings.ROOT).as_posix()}:{number}"
        for path in _files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if uses.search(line)
    ]


def _files() -> list[Path]:
    roots = [settings.ROOT / place for place in PLACES]
    found = {path for root in roots for path in (root.rglob("*.py") if root.is_dir() else [root]) if path.exists()}
    return sorted(path for path in found if "node_modules" not in path.parts)


def _line(each: Fact) -> str:
    told = [each.text() or ""]
    told += [f"slides: {each.text('slides')}"] if each.slides is not None else []
    told += [f"since {each.since}"] if each.since else []
    told += [f"before: {each.text('was')}"] if each.was is not None else []
    told += [each.lag] if each.lag else []
    where = f"{each.source}, and {each.model} in the API" if each.model else each.source
    return f"{each.name:32} {'; '.join(told)} ({where}; checked {each.checked})"


def _download(folder: Path) -> Path:
    """The wheel of the newest botocore, by pip and with pip's own settings."""
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--quiet", "--no-deps"]
    say("Asking the package registry for the newest botocore.")
    done = subprocess.run(
        [*command, "--only-binary=:all:", "--dest", str(folder), "botocore"], capture_output=True, text=True
    )
    wheel = next(folder.glob("botocore-*.whl"), None)
    if done.returncode or wheel is None:
        nowhere = "No matching distribution found" in done.stderr  # all that pip says, where it reaches no registry
        reason = NOWHERE if nowhere else environment.cause(done.stderr) or "pip could not download it"
        raise RegistryError(f"The newest botocore did not come: {reason}.")
    return wheel


def _summary(version: str, found: list[Drift]) -> str:
    oldest = min(each.checked for each in facts().values() if each.group != "slides")
    rest = (
        f"models state {len(stated())} of {len(facts())} facts; the others are for a person to look up, "
        f"and the oldest of them was on {oldest}"
    )
    if not found:
        return f"botocore {version} agrees with {FILE.name}: {rest}."
    return f"botocore {version} contradicts {len(found)} of the facts in {FILE.name}; {rest}."
