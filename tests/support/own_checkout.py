"""A checkout with an environment of its own, for a test that changes either; the tests' own stay as they are."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.settings import ROOT, VENV

LEFT_OUT = (".git", ".venv*", "work", "__pycache__", ".*_cache", ".runtimes")


def checkout(folder: Path, with_environment: bool = True) -> Path:
    """Make it in `folder`: what git would clone, with the environment that runs the test, or with none.

    The files of the environment are hard links where that can be, so that it takes seconds.
    """
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    if with_environment:
        if Path(sys.prefix).resolve() != VENV.resolve():
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up("the environment is not in .venv, so it cannot be copied")
        shutil.copytree(VENV.resolve(), folder / ".venv", symlinks=True, copy_function=_link)
        _write_anew(
            folder / ".venv" / "workshop-stamp.txt", lambda text: re.sub("(?m)^place .*", f"place {folder}", text)
        )
        [path_file] = (folder / ".venv").glob("lib/python*/site-packages/lambda-workshop.pth")
        _write_anew(path_file, lambda _: f"{folder}\n")
    return folder


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        shutil.copy2(source, target)


def _write_anew(file: Path, change: Callable[[str], str]) -> None:
    """Change a file that is a link to another one, which stays."""
    text = file.read_text()
    file.unlink()
    file.write_text(change(text))
