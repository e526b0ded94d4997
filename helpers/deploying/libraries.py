"""files_of() gathers the files of libraries for a package: those installed here, or those built for Lambda."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from importlib import metadata
from pathlib import Path

from .. import localaws, settings
from ..errors import WorkshopError
from ..installing import environment

# Where functions run on AWS: "Lambda runtimes" in the AWS Lambda Developer Guide, checked November 2026. python3.13 is
# on Amazon Linux 2023, whose C library is glibc 2.34: it takes wheels for 2.28 and, as manylinux2014, for 2.17.
PYTHON, MACHINE = "3.13", "x86_64"
PLATFORMS = (f"manylinux_2_28_{MACHINE}", f"manylinux2014_{MACHINE}")
MARKERS = {
    "extra": "",
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": MACHINE,
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.0",
}

LEFT_OUT = {"__pycache__", ".DS_Store", ".ipynb_checkpoints"}
INSTALLERS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}  # they tell of this machine


class PackageError(WorkshopError):
    """What cannot become a Lambda package; its message is one sentence for the reader."""


def files_of(libraries: Iterable[str], target: str | None) -> dict[str, bytes]:
    """The files of these distributions and of those that they need: path at the root of the package -> content.

    `target` says whose compiled parts: "embedded" for this machine's, any other for AWS's, None for neither.
    """
    markers = {"extra": ""} if target in (None, "embedded") else MARKERS
    files: dict[str, bytes] = {}
    for library in localaws.with_requirements(libraries, partial(_find, target=target), markers).values():
        for file in library.files or ():
            if file.parts[0] != ".." and not LEFT_OUT & set(file.parts) and file.name not in INSTALLERS:
                files[file.as_posix()] = Path(str(file.locate())).read_bytes()
    return files


def _find(name: str, target: str | None) -> metadata.Distribution:
    try:
        here = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise PackageError(
            f"The library {name!r} is not installed in this environment, so it cannot be packaged; check its name."
        ) from None
    if target == "embedded" or "Root-Is-Purelib: true" in (here.read_text("WHEEL") or ""):
        return here
    if target is None:
        raise PackageError(
            f"The library {name!r} has parts that were compiled for one kind of machine, and Lambda runs on Amazon "
            "Linux; say where the function will run, with target=workshop.target."
        )
    return _built_for_lambda(name)


def _built_for_lambda(name: str) -> metadata.Distribution:
    """The locked version of a library as its makers built it for Lambda's Python; downloaded once, into work/."""
    locked = environment.locked().get(name)
    if locked is None:
        raise PackageError(f"The library {name!r} is not in requirements.lock, so nobody vouches for what would come.")
    folder = settings.home() / "wheels" / f"{name}-{locked.version}-python{PYTHON}-{MACHINE}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _download(name, locked, Path(scratch))
            shutil.move(Path(scratch) / "files", folder)
    return next(iter(metadata.distributions(name=name, path=[str(folder)])))


def _download(name: str, locked: environment.Locked, scratch: Path) -> None:
    """Unpack the wheel below scratch/files. pip compares it with the hashes in the lock."""
    wanted = scratch / "requirements.txt"
    wanted.write_text(locked.line(name))
    command = [sys.executable, "-I", "-m", "pip", "install", "--no-input", "--quiet", "--no-deps", "--no-compile"]
    command += [*environment.CHECKS, "--target", str(scratch / "files"), "-r", str(wanted)]
    command += ["--python-version", PYTHON, *(f"--platform={platform}" for platform in PLATFORMS)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = environment.cause(done.stderr) or "pip could not download it"
        raise PackageError(
            f"{name} {locked.version} for Python {PYTHON} on Amazon Linux ({MACHINE}) did not come: {reason}; "
            "put that right, and run the cell again."
        )
