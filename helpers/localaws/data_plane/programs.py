"""Finds the programs that run functions, each in the version that the name of a runtime means: Python 3.13, Node.js 22.

They are looked for where readers have them: where `python3 -m helpers runtimes add` puts them, in the folders of uv,
pyenv, conda, nvm, fnm, volta, rbenv and rvm, and on PATH. Standard library only.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ADDED = Path(__file__).parents[3] / ".runtimes"  # a folder for each that was added, by the runtime's name
CONDAS = ("mamba", "micromamba", "conda")  # by which a Ruby can be added
TITLES = {"python": "Python", "nodejs": "Node.js", "ruby": "Ruby", "java": "Java"}
NAME = re.compile(r"(python|nodejs|ruby|java)(\d+(?:\.\d+)?)(?:\.x|\.al\w+)?")
# Where each keeps its versions: below which folder, and the pattern of a program in there, for a version {v}.
PLACES = {
    "python": (
        ("UV_PYTHON_INSTALL_DIR", "~/.local/share/uv/python", "cpython-{v}.*/bin/python{v}"),
        ("PYENV_ROOT", "~/.pyenv", "versions/{v}.*/bin/python{v}"),
    ),
    "nodejs": (
        ("NVM_DIR", "~/.nvm", "versions/node/v{v}.*/bin/node"),
        ("FNM_DIR", "~/.local/share/fnm", "node-versions/v{v}.*/installation/bin/node"),
        ("VOLTA_HOME", "~/.volta", "tools/image/node/{v}.*/bin/node"),
    ),
    "ruby": (
        ("RBENV_ROOT", "~/.rbenv", "versions/{v}.*/bin/ruby"),
        ("RVM_PATH", "~/.rvm", "rubies/ruby-{v}.*/bin/ruby"),
    ),
}
FILES = {"python": ("python{v}",), "nodejs": ("node",), "ruby": ("ruby{v}", "ruby")}
# A Python has to have what AWS's client and boto3 import; it says which program it is itself, as a shim is none.
ABOUT_PYTHON = (
    "import ctypes, os, ssl, sys, zlib; "
    "print(*sys.version_info[:3], os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable))"
)


@dataclass(frozen=True)
class Program:
    """One that was found; the version is (major, minor, micro)."""

    path: str
    version: tuple[int, ...]


def meant(runtime: str) -> tuple[str, str] | None:
    """The language and the version that the name of a runtime means, such as ("python", "3.13"); None for others."""
    found = NAME.fullmatch(runtime)
    return (found[1], found[2]) if found else None


def is_meant(runtime: str, version: tuple[int, ...]) -> bool:
    """Whether a program of this version is what the name of the runtime means."""
    found = meant(runtime)
    return found is None or [*map(int, found[1].split("."))] == [*version[: found[1].count(".") + 1]]


def find(runtime: str) -> Program | None:
    """The program for a runtime such as "python3.13", in just that version; None where this machine has none."""
    language, _ = meant(runtime) or ("", "")
    if language not in FILES:
        return None
    if language == "python" and is_meant(runtime, sys.version_info[:3]):
        return this_python()
    asked = (_python(path) if language == "python" else _program(path) for path in _candidates(runtime))
    return next((each for each in asked if each and is_meant(runtime, each.version)), None)


def this_python() -> Program:
    """The Python that runs here, less the environment that it may be in."""
    path = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    return Program(path, tuple(sys.version_info[:3]))


@lru_cache
def version_of(path: str) -> tuple[int, ...] | None:
    """None for what is in the place of a program, such as the java of a macOS without Java."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    found = re.search(r"(\d+)(?:\.(\d+)\.(\d+))?", done.stdout)  # the first version of a Java is "25"
    return tuple(int(part or 0) for part in found.groups()) if found and done.returncode == 0 else None


def _candidates(runtime: str) -> Iterator[str]:
    language, version = meant(runtime) or ("", "")
    files = [file.format(v=version) for file in FILES[language]]
    for folder in (ADDED / runtime, *_below(ADDED / runtime, "*")):
        yield from (str(folder / "bin" / file) for file in files)
    for variable, usual, pattern in PLACES[language]:
        top = Path(os.path.expanduser(os.environ.get(variable) or usual))
        yield from map(str, _below(top, pattern.format(v=version)))
    for prefix in _conda_environments():
        yield from (str(prefix / "bin" / file) for file in files)
    yield from filter(None, map(shutil.which, files))


def _below(folder: Path, pattern: str) -> list[Path]:
    """What is there, the newest version first."""
    return sorted(folder.glob(pattern), key=lambda path: [*map(int, re.findall(r"\d+", str(path)))], reverse=True)


def _conda_environments() -> list[Path]:
    listed = Path(os.path.expanduser("~/.conda/environments.txt"))
    lines = listed.read_text().splitlines() if listed.is_file() else []
    return [Path(line) for line in dict.fromkeys([os.environ.get("CONDA_PREFIX", ""), *lines]) if line]


def _program(path: str) -> Program | None:
    version = version_of(path) if os.access(path, os.X_OK) else None
    return Program(path, version) if version else None


def _python(path: str) -> Program | None:
    return _asked_python(path) if os.access(path, os.X_OK) else None


@lru_cache
def _asked_python(path: str) -> Program | None:
    """None for a shim of a version that is not chosen, and for a Python that lacks what functions need."""
    done = subprocess.run([path, "-I", "-S", "-c", ABOUT_PYTHON], capture_output=True, text=True, timeout=30)
    if done.returncode:
        return None
    major, minor, micro, program = done.stdout.strip().split(" ", 3)
    return Program(program, (int(major), int(minor), int(micro)))
