"""Makes the jars of Java classes from their sources, which stand beside them, where this machine has a compiler.

Readers have a Java that runs classes and does not compile, so the jars are in git. Compilers differ in the bytes that
they make of the same source; so a jar holds the hashes of its sources, and by these it is known whether it is stale.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import localaws

RELEASE = "17"  # the oldest Java that runs functions
SOURCES = "META-INF/sources.sha256"  # a line for each source: its hash and its name
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can hold


@dataclass(frozen=True)
class Jar:
    """A jar, and the folder that has its sources: all files that end in .java, by their packages."""

    path: Path
    sources: Path
    needs: tuple[Path, ...] = ()  # other jars

    def problem(self, check: bool) -> str | None:
        """Make it, if it is stale and this is no `check`; one sentence where it stays stale."""
        hashes = self._hashes()
        if _hashes_in(self.path) == hashes:
            return None
        if check:
            return f"{self.path.name} is not made of {self.sources}; run `python3 -m helpers build`"
        compiler = _compiler()
        if compiler is None:
            return f"{self.path.name} cannot be made, as no javac is on this machine: apt install default-jdk-headless"
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([*self._command(compiler), "-d", folder], capture_output=True, text=True)
            if done.returncode:
                return f"{self.path.name} cannot be made: {done.stderr.strip()}"
            _write(self.path, Path(folder), hashes)
        return None

    def _command(self, compiler: str) -> list[str]:
        # Strings joined by a call of a method that is made at run time would cost each cold start some milliseconds.
        options = ["--release", RELEASE, "-encoding", "UTF-8", "-XDstringConcat=inline", "-Xlint:all", "-Werror"]
        needed = ["-cp", os.pathsep.join(map(str, self.needs))] if self.needs else []
        return [compiler, *options, *needed, *map(str, self._files())]

    def _hashes(self) -> str:
        lines = []
        for file in self._files():
            lines.append(
                f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(self.sources).as_posix()}\n"
            )
        return "".join(lines)

    def _files(self) -> list[Path]:
        return sorted(self.sources.rglob("*.java"))


def runtime_jar() -> Jar:
    """The embedded AWS's runtime for Java."""
    return Jar(localaws.JAVA_RUNTIME, localaws.JAVA_RUNTIME.parent)


def function_jars(functions: Mapping[str, Path]) -> list[Jar]:
    """One for each of these functions, name -> folder, that is written in Java."""
    written = {name: folder / "java" for name, folder in functions.items() if (folder / "java").is_dir()}
    needs = (localaws.JAVA_RUNTIME,)
    return [Jar(folder / "lib" / f"{name}.jar", folder, needs) for name, folder in written.items()]


def _hashes_in(path: Path) -> str | None:
    if not path.exists():
        return None
    with zipfile.ZipFile(path) as jar:
        return jar.read(SOURCES).decode()


def _compiler() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return (home and shutil.which("javac", path=os.path.join(home, "bin"))) or shutil.which("javac")


def _write(path: Path, classes: Path, hashes: str) -> None:
    contents = {file.relative_to(classes).as_posix(): file.read_bytes() for file in classes.rglob("*.class")}
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as jar:
        for name, content in sorted({SOURCES: hashes.encode(), **contents}.items()):
            jar.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
