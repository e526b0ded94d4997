"""Installs what a package-lock.json says: from npm's registry, or from a folder of npm's files without a network.

A `project` is the folder of a lock; node_modules comes beside it. No script of a package is run. Standard library only.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from . import runtimes

LIMIT_S = 300
# As npm writes them: the lock in git, and what it has installed, which it writes last.
LOCK, INSTALLED = "package-lock.json", "node_modules/.package-lock.json"


class NpmError(RuntimeError):
    """npm, or what it has brought, failed; the message is the end of a sentence for the reader."""


def is_installed(project: Path) -> bool:
    """Whether everything is there as the lock says."""
    return (project / INSTALLED).is_file() and _hashes(project / INSTALLED) == _hashes(project / LOCK)


def version(project: Path, package: str) -> str:
    """The locked version of a package."""
    return str(_entries(project / LOCK)[f"node_modules/{package}"]["version"])


def install(project: Path, folder: Path | None = None) -> None:
    """Install what the lock says, from the folder that `download` has filled, if one is named. Raises NpmError."""
    if folder:
        return _unpack(project, folder)
    _run(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], project, lambda: is_installed(project))


def download(project: Path, folder: Path) -> None:
    """Download what the lock names as npm's files (.tgz) into a folder, unless they are there. Raises NpmError."""
    names = {package["integrity"]: _name(place, package) for place, package in _entries(project / LOCK).items()}
    there = _found(folder)
    if wanted := sorted({name for integrity, name in names.items() if integrity not in there}):
        _run(["pack", "--ignore-scripts", "--pack-destination", str(folder), *wanted], folder)
        there = _found(folder)
    if wrong := [name for integrity, name in names.items() if integrity not in there]:
        raise NpmError(f"what npm has brought for {wrong[0]} does not match its hash in the lock.")


def _unpack(project: Path, folder: Path) -> None:
    """What `npm ci` would do with these files: each package into its place, and last the list of what is there."""
    there = _found(folder)
    wanted = _entries(project / LOCK)
    shutil.rmtree(project / "node_modules", ignore_errors=True)
    for place, package in wanted.items():
        if package["integrity"] not in there:
            raise NpmError(f"{folder} lacks {_name(place, package)}, as the lock has it; make that folder anew.")
        _extract(there[package["integrity"]], project / place)
    lock = json.loads((project / LOCK).read_text())
    (project / INSTALLED).write_text(json.dumps({**lock, "packages": wanted}, indent=2))


def _extract(file: Path, place: Path) -> None:
    """Extract npm's file: everything is in one folder of it, whose name does not count."""
    with tarfile.open(file) as archive:
        for member in archive:
            inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            content = archive.extractfile(member) if member.isfile() and ".." not in inside.parts else None
            if content:
                target = place / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, target.open("wb") as written:
                    shutil.copyfileobj(content, written)


def _run(arguments: list[str], folder: Path, is_done: Callable[[], bool] = lambda: True) -> None:
    command = [
        *[*_npm(), *arguments, "--no-update-notifier", "--loglevel=error"],
        # in ms: where there is no network, every command of the reader waits for this
        *["--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=10000"],
    ]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise NpmError(f"npm did not end within {LIMIT_S} s.") from None
    if done.returncode or not is_done():
        code = re.search(r"npm error code (\S+)", done.stderr)
        raise NpmError(
            f"npm failed ({code[1] if code else f'exit code {done.returncode}'}); "
            "check the network, or set NPM_CONFIG_REGISTRY to a registry that can be reached."
        )


def _npm() -> list[str]:
    """npm as it comes with the Node.js that runs functions."""
    try:
        node = Path(runtimes.node_program())
    except runtimes.MissingRuntime as missing:
        raise NpmError(f"{missing}.") from None
    script = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.exists():
        return [str(node), str(script)]
    if npm := shutil.which("npm"):
        return [npm]
    raise NpmError("npm is not on this machine.")


def _found(folder: Path) -> dict[str, Path]:
    """Hash -> file of all npm files in a folder."""
    return {_integrity(file): file for file in folder.glob("*.tgz")}


def _integrity(file: Path) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()


def _entries(lock: Path) -> dict[str, dict[str, str]]:
    """Folder -> what a lock says of the package in it."""
    packages: dict[str, dict[str, str]] = json.loads(lock.read_text())["packages"]
    return {folder: package for folder, package in packages.items() if folder}


def _hashes(lock: Path) -> dict[str, str]:
    return {folder: package["integrity"] for folder, package in _entries(lock).items()}


def _name(place: str, package: dict[str, str]) -> str:
    """ "@aws-sdk/client-s3@3.1.0": what npm calls the package of a folder."""
    return f"{place.rpartition('node_modules/')[2]}@{package['version']}"
