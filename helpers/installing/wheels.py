"""Makes a folder of all that is installed here, for machines without a network: WORKSHOP_WHEELS names it there.

Every file of it is one that a lock knows by its hash, and is held against that again when it is installed.
"""

import platform
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from ..errors import WorkshopError
from ..localaws import npm
from . import environment

FAILED = "What has to be in the folder could not be downloaded"
# For each platform, what pip calls it, from the newest on; a Linux here has a glibc of 2.28 (2018) or newer.
# Source: packaging.python.org, "Platform compatibility tags".
MANYLINUX = (*(f"manylinux_2_{minor}" for minor in range(28, 16, -1)), "manylinux2014", "manylinux2010", "manylinux1")
PLATFORMS = {
    **{f"linux-{machine}": tuple(f"{each}_{machine}" for each in MANYLINUX) for machine in ("x86_64", "aarch64")},
    **{f"macos-{machine}": (f"macosx_14_0_{machine}",) for machine in ("arm64", "x86_64")},
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class WheelsError(WorkshopError):
    """The folder could not be made; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Target:
    """The machines that wheels are for: a Python such as "3.13", and one of PLATFORMS."""

    python: str
    platform: str

    @property
    def is_here(self) -> bool:
        return self == here()

    def options(self) -> list[str]:
        """What pip has to be told of it; nothing where it is this machine, which pip knows better than we do."""
        if self.is_here:
            return []
        tags = [option for tag in PLATFORMS[self.platform] for option in ("--platform", tag)]
        return ["--implementation", "cp", "--python-version", self.python, *tags]

    def takes(self, marker: str) -> bool:
        """Whether a requirement with this marker of the lock is for it. pip would ask the Python that runs it."""
        system, _, machine = self.platform.partition("-")
        known = {
            "os_name": "posix",
            "sys_platform": {"linux": "linux", "macos": "darwin"}[system],
            "platform_system": {"linux": "Linux", "macos": "Darwin"}[system],
            "platform_machine": machine,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
        }
        return Marker(marker).evaluate(known)


def here() -> Target:
    """This machine, with the Python that runs now."""
    system = {"linux": "linux", "darwin": "macos"}[sys.platform]
    return Target("{}.{}".format(*sys.version_info[:2]), f"{system}-{platform.machine()}")


def download(folder: Path, target: Target, locks: Iterable[Path]) -> None:
    """Download the wheels of these locks for one target; those that are there already are not downloaded again.

    Raises EnvironmentProblem.
    """
    for lock in locks:  # each on its own: two may hold one package at two versions
        _pip_download(folder, target.options(), requirements(lock, target))
    if target.platform.startswith("macos"):  # it has no wheel there, and environment.py takes Linux's
        client = environment.locked()[environment.RUNTIME_CLIENT]
        where = ["--python-version", target.python, "--platform", environment.RUNTIME_CLIENT_PLATFORM]
        _pip_download(folder, where, [client.line(environment.RUNTIME_CLIENT)])


def download_node(folder: Path, project: Path) -> None:
    """Download the packages of Node.js that the lock of this folder names. Raises WheelsError."""
    try:
        npm.download(project, folder)
    except npm.NpmError as error:
        raise WheelsError(f"{FAILED}: {error}") from None


def requirements(lock: Path, target: Target) -> list[str]:
    """The lines of the lock that are for the target, without their markers."""
    return [
        package.line(name)
        for name, package in environment.locked(lock).items()
        if not package.marker or target.takes(package.marker)
    ]


def _pip_download(folder: Path, options: list[str], wanted: list[str]) -> None:
    pip = [sys.executable, "-I", "-m", "pip", "download", "--no-input", "--progress-bar=off", "--no-deps"]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "requirements.txt"
        file.write_text("".join(f"{line}\n" for line in wanted))
        command = [*pip, *environment.CHECKS, *options, "--dest", str(folder), "-r", str(file)]
        environment.run(command, FAILED, lambda said: min(1.0, 2 * environment.progress(said, 0, len(wanted))))
