"""The environment: what is locked, when .venv counts as made, and what goes wrong while it is made."""

import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pip
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from helpers import __main__ as command_line
from helpers import settings
from helpers.installing import environment

# What the lists of this checkout say


def pyproject() -> dict:
    return environment.tomllib.loads(settings.PYPROJECT.read_text())


def requirements() -> list[Requirement]:
    lists = pyproject()["project"]["dependencies"] + pyproject()["dependency-groups"]["test"]
    return list(map(Requirement, lists))


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_lock_holds_each_dependency_at_a_version_that_pyproject_allows(requirement):
    version = environment.locked()[requirement.name].version
    assert requirement.specifier.contains(version, prereleases=True)


def test_direct_names_the_packages_of_pyproject():
    assert environment.direct() == [requirement.name for requirement in requirements()]
    assert {"boto3", "pytest"} < set(environment.direct())  # those of both lists


def test_each_dependency_has_a_reason_beside_it():
    lines = re.findall(r'^ +"[\w-]+[<>=].*', settings.PYPROJECT.read_text(), re.MULTILINE)
    assert len(lines) >= len(requirements())
    assert [line for line in lines if not re.search(r'",  # \w', line)] == []


def test_lock_has_one_version_of_each_package_with_hashes():
    names = re.findall(r"^([\w.-]+)==", settings.LOCK.read_text(), re.MULTILINE)
    assert len(names) == len(set(names)) == len(environment.locked())
    for name, package in environment.locked().items():
        assert package.hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in package.hashes), name


def test_lock_names_no_host_and_no_path():
    assert not re.search(r"://|--index-url|--find-links|^-|[ =]/\w", settings.LOCK.read_text(), re.MULTILINE)


def test_lock_is_installed_here():
    assert environment.ready()
    assert importlib.metadata.version("ministack") == environment.locked()["ministack"].version


def test_the_lock_holds_all_that_its_packages_ask_for():
    """pip installs it without looking at what they ask for."""
    assert "--no-deps" in environment.install_command()
    locked = environment.locked()
    for name in locked:
        try:
            asked = [Requirement(text) for text in importlib.metadata.requires(name) or ()]
        except importlib.metadata.PackageNotFoundError:  # for another system
            continue
        needed = {
            canonicalize_name(each.name) for each in asked if not each.marker or each.marker.evaluate({"extra": ""})
        }
        assert needed <= locked.keys(), name


def test_embedded_aws_is_pinned_exactly():
    [ministack] = [requirement for requirement in requirements() if requirement.name == "ministack"]
    assert str(ministack.specifier) == f"=={environment.locked()['ministack'].version}"


def test_environment_yml_installs_the_lock_on_an_allowed_python():
    text = (settings.ROOT / "environment.yml").read_text()
    dependencies = re.findall(r"^ +- (.+?)(?: +#.*)?$", text, re.MULTILINE)
    assert "-r requirements.lock" in dependencies
    assert "PIP_NO_DEPS=1 conda env create" in text  # pip's own settings reach it by variables alone
    assert "PIP_NO_DEPS=1 conda env create" in (settings.ROOT / "README.md").read_text()
    assert {re.match("[a-z]*", line)[0] for line in dependencies} >= {"python", "pip", "nodejs", "ruby"}
    [version] = re.findall(r"- python=(\S+)", text)
    assert SpecifierSet(pyproject()["project"]["requires-python"]).contains(version)


def test_command_line_accepts_the_pythons_of_pyproject():
    bounds = [".".join(map(str, bound)) for bound in (command_line.OLDEST, command_line.TOO_NEW)]
    assert pyproject()["project"]["requires-python"] == ">={},<{}".format(*bounds)


# Pure functions


def test_locked_reads_markers_and_hashes(monkeypatch, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        textwrap.dedent("""\
        # a comment
        Some_Package==1.2.post3 ; sys_platform == 'linux' \\
            --hash=sha256:aa \\
            --hash=sha256:bb
        other==4 \\
            --hash=sha256:cc
    """)
    )
    monkeypatch.setattr(settings, "LOCK", lock)
    assert environment.locked() == {
        "some-package": environment.Locked("1.2.post3", ("sha256:aa", "sha256:bb"), "sys_platform == 'linux'"),
        "other": environment.Locked("4", ("sha256:cc",)),
    }


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("OSError: [Errno 13] Permission denied: '/x'", "no write permission"),
        ("OSError: [Errno 30] Read-only file system", "no write permission"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "does not match its hash"),
        (
            "Failed to establish a new connection: [Errno 111]\nERROR: No matching distribution found for anyio==4",
            "no package registry can be reached",
        ),
        ("Temporary failure in name resolution", "no package registry can be reached"),
        ("ERROR: No matching distribution found for anyio==4", "lacks a package"),
    ],
)
def test_cause(said, meaning):
    assert meaning in environment.cause(said)


def test_cause_of_something_else_is_not_guessed():
    assert environment.cause("ERROR: something new") is None


def test_progress_grows_with_what_pip_says_and_installs():
    ignored = "Ignoring appnope: markers 'sys_platform == \"darwin\"' don't match your environment\n"
    one = "Collecting a==1 (from -r requirements.lock (line 3))\n"
    two = "Processing /somewhere/b-1-py3-none-any.whl (from -r requirements.lock (line 9))\n"
    both = ignored + one + two
    steps = [("", 0), (ignored, 0), (ignored + one + one, 0), (both, 0), (both, 2), (both, 9)]
    parts = [environment.progress(said, installed, total=3) for said, installed in steps]
    assert parts == [0, 2 / 6, 3 / 6, 4 / 6, 1, 1]


def test_runtime_client_command_takes_the_linux_wheel_alone_and_checks_its_hash(tmp_path):
    command = environment.runtime_client_command(tmp_path / "awslambdaric.txt")
    assert command[:5] == [str(environment.python()), "-I", "-m", "pip", "install"]
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} < set(command)
    assert command[command.index("--platform") + 1] == "manylinux2014_x86_64"
    assert Path(command[command.index("--target") + 1]).is_relative_to(settings.VENV)
    assert command[-2:] == ["-r", str(tmp_path / "awslambdaric.txt")]


# Making .venv: in a checkout of its own, whose lock holds one tiny package, which lies beside it

WRONG = "0" * 64  # a hash
METADATA = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"


def lock(*lines: str) -> None:
    settings.LOCK.write_text("".join(f"{line}\n" for line in lines))


def ask_for(*names: str) -> None:
    settings.PYPROJECT.write_text(f"project.dependencies = {list(names)}\ndependency-groups.test = []\n")


@pytest.fixture
def checkout(monkeypatch, tmp_path) -> Path:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "answer = 42\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    digest = environment.hashlib.sha256(wheel.read_bytes()).hexdigest()
    root = tmp_path / "checkout"
    root.mkdir()
    for name, file in {"VENV": ".venv", "LOCK": "requirements.lock", "PYPROJECT": "pyproject.toml"}.items():
        monkeypatch.setattr(settings, name, root / file)
    monkeypatch.setattr(settings, "ROOT", root)
    lock(f"tiny==1.0 --hash=sha256:{digest}")
    ask_for("tiny>=1")
    monkeypatch.setenv("WORKSHOP_HOME", str(root / "work"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # the wheel beside the checkout is all there is
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return root


@pytest.fixture
def pretended(monkeypatch, checkout) -> list[list[str]]:
    """Steps that would take long are written down, and leave behind what pip would."""
    steps = []

    def pretend(command, log, lock, how_far=None):
        steps.append(command)
        if command == environment.install_command():
            metadata = environment._site_packages() / "tiny-1.0.dist-info" / "METADATA"
            metadata.parent.mkdir()
            metadata.write_text(METADATA)

    monkeypatch.setattr(environment, "_run", pretend)
    return steps


@pytest.fixture
def borrowed_pip(monkeypatch, checkout) -> None:
    """The environment has the pip of this one: that ensurepip installs one is another test's, and takes seconds."""
    run = environment._run

    def run_or_link(command, log, lock, how_far=None):
        if "ensurepip" in command:
            (environment._site_packages() / "pip").symlink_to(Path(pip.__file__).parent)
        else:
            run(command, log, lock, how_far)

    monkeypatch.setattr(environment, "_run", run_or_link)


def run_in_venv(code: str, folder: Path) -> str:
    command = [str(environment.python()), "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_make_installs_the_lock_for_kernels_in_any_folder(checkout, tmp_path, capsys):
    (checkout / "helpers.py").write_text("")
    assert not environment.made()
    environment.make()
    assert environment.made()
    assert run_in_venv("import tiny, helpers; print(tiny.answer, helpers.__file__)", tmp_path) == (
        f"42 {checkout / 'helpers.py'}"
    )
    assert list(environment._site_packages().glob("__pycache__/tiny.*.pyc")), "functions find it compiled"
    assert "tiny-1.0" in (checkout / "work" / "environment.log").read_text()
    assert "Making the environment" in capsys.readouterr().err


def test_a_changed_lock_an_emptied_or_a_moved_venv_is_not_made(monkeypatch, checkout, pretended):
    environment.make()
    assert environment.made()

    text = settings.LOCK.read_text()
    settings.LOCK.write_text(text + "# changed\n")
    assert not environment.made()
    settings.LOCK.write_text(text)
    assert environment.made()

    metadata = environment._site_packages() / "tiny-1.0.dist-info"
    metadata.rename(metadata.with_name("gone"))
    assert not environment.made()
    metadata.with_name("gone").rename(metadata)
    assert environment.made()

    monkeypatch.setattr(settings, "ROOT", checkout.parent)
    assert not environment.made()


def test_make_removes_what_was_half_made(checkout, pretended):
    environment.make()
    (settings.VENV / "leftover").write_text("")
    environment._stamp_file().write_text("unfinished\n")  # as when the machine was switched off
    assert not environment.made()
    environment.make()
    assert environment.made()
    assert not (settings.VENV / "leftover").exists()


def test_make_sets_aside_what_it_did_not_make(checkout, pretended, capsys):
    for number in (1, 2):
        settings.VENV.mkdir()
        (settings.VENV / "theirs").write_text(str(number))
        environment.make()
        assert (checkout / f".venv.aside-{number}" / "theirs").read_text() == str(number)
        assert environment.made()
        environment.shutil.rmtree(settings.VENV)
    assert ".venv was not made by this command" in capsys.readouterr().err


def test_make_does_nothing_when_another_command_made_it(checkout, pretended):
    environment.make()
    pretended.clear()
    environment.make()
    assert pretended == []


WAITER = """
import pathlib, sys
from helpers import settings
from helpers.installing import environment
settings.ROOT = pathlib.Path(sys.argv[1])
with environment._alone():
    print("its turn", file=sys.stderr)
"""


def test_a_command_waits_for_the_one_that_makes_the_environment(checkout):
    here = Path(environment.__file__).parents[2]
    with environment._alone():
        other = subprocess.Popen([sys.executable, "-c", WAITER, checkout], cwd=here, stderr=subprocess.PIPE, text=True)
        assert other.stderr.readline().startswith("Waiting for another command")
        assert other.poll() is None
    assert other.communicate(timeout=60)[1] == "its turn\n"


def test_a_step_holds_the_lock_itself_so_that_it_counts_after_its_command_was_killed(checkout, tmp_path):
    log = tmp_path / "log"
    log.write_text("")
    with environment._alone() as lock:
        environment._run([sys.executable, "-c", f"import os; print(os.fstat({lock}).st_ino)"], log, lock)
    assert int(log.read_text()) == (checkout / ".venv.lock").stat().st_ino


# Where the packages come from


@pytest.fixture
def server(monkeypatch) -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine that has nothing, and what it was asked for."""
    asked = []

    class Nothing(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_error(404)

        do_GET = do_CONNECT = answer

        def log_message(self, *arguments) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "NO_PROXY", "no_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield f"http://127.0.0.1:{served.server_port}", asked
        served.shutdown()


def test_a_folder_of_wheels_stands_in_place_of_every_registry(checkout, borrowed_pip, server, monkeypatch, tmp_path):
    address, asked = server
    folder = tmp_path / "a folder"
    folder.mkdir()
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    wheel.rename(folder / wheel.name)
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    monkeypatch.setenv("WORKSHOP_WHEELS", str(folder))
    environment.make()
    assert environment.made()
    assert asked == []


def test_a_folder_that_lacks_a_wheel_is_one_sentence(checkout, borrowed_pip, server, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_WHEELS", str(checkout))
    with pytest.raises(
        environment.EnvironmentProblem, match="folder of wheels lacks a package .* make it anew for them"
    ):
        environment.make()
    assert not settings.VENV.exists()


def test_a_wheel_that_is_another_one_is_refused(checkout, borrowed_pip, server, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_WHEELS", str(tmp_path))
    with zipfile.ZipFile(tmp_path / "tiny-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("more.py", "")
    with pytest.raises(environment.EnvironmentProblem, match="does not match its hash"):
        environment.make()
    assert not settings.VENV.exists()


def test_the_registry_that_pip_is_told_of_is_asked(checkout, borrowed_pip, server, monkeypatch):
    address, asked = server
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    with pytest.raises(environment.EnvironmentProblem):
        environment.make()
    assert "GET /simple/tiny/" in asked


def test_a_proxy_is_asked_for_the_registry(checkout, borrowed_pip, server, monkeypatch):
    address, asked = server
    monkeypatch.setenv("HTTPS_PROXY", address)
    monkeypatch.setenv("PIP_INDEX_URL", "https://registry.invalid/simple")
    with pytest.raises(environment.EnvironmentProblem):
        environment.make()
    assert "CONNECT registry.invalid:443" in asked


def test_a_failing_pip_is_one_sentence_and_leaves_nothing(checkout, borrowed_pip):
    lock(f"tiny==1.0 --hash=sha256:{WRONG}")
    with pytest.raises(environment.EnvironmentProblem, match=r"not match its hash.*environment\.log\)\.$"):
        environment.make()
    assert not settings.VENV.exists()


def test_a_package_that_is_not_there_is_one_sentence(checkout, borrowed_pip):
    lock(f"tiny==2.0 --hash=sha256:{WRONG}")
    with pytest.raises(environment.EnvironmentProblem, match="the package registry lacks a package"):
        environment.make()
    assert not settings.VENV.exists()


def test_a_package_that_pip_left_out_is_one_sentence(checkout, borrowed_pip):
    ask_for("tiny", "more")
    lock(settings.LOCK.read_text(), f"more==1 ; sys_platform == 'none' --hash=sha256:{WRONG}")
    with pytest.raises(environment.EnvironmentProblem, match="pip did not install more"):
        environment.make()
    assert not settings.VENV.exists()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, "Permission denied", "/there"), r"there is no write permission \(/there\)\.$"),
        (OSError(28, "No space left on device", "/there"), r"the disk is full.* \(/there\)\.$"),
    ],
)
def test_a_failing_system_is_one_sentence(monkeypatch, checkout, error, sentence):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(environment.venv, "create", fail)
    with pytest.raises(environment.EnvironmentProblem, match=sentence):
        environment.make()
    assert not settings.VENV.exists()


def test_an_interruption_ends_the_step_and_leaves_nothing(monkeypatch, checkout):
    children = []

    class Interrupting(subprocess.Popen):
        def wait(self, timeout=None):
            if timeout and not children:
                children.append(self)
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(environment.subprocess, "Popen", Interrupting)
    with pytest.raises(KeyboardInterrupt):
        environment.make()
    assert children[0].returncode == -signal.SIGTERM
    assert not settings.VENV.exists()


def test_a_python_without_ensurepip_is_one_sentence(monkeypatch, checkout):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(environment.EnvironmentProblem, match="apt install python3-venv"):
        environment.make()
    assert not settings.VENV.exists()


def test_outside_linux_the_runtime_client_is_installed_on_its_own(monkeypatch, checkout, pretended):
    monkeypatch.setattr(environment.sys, "platform", "darwin")
    monkeypatch.setattr(environment, "RUNTIME_CLIENT", "tiny")
    environment.make()
    file = settings.VENV / "tiny.txt"
    assert pretended[-2:] == [environment.runtime_client_command(file), environment.compile_command()]
    assert file.read_text() == f"tiny==1.0 --hash={environment.locked()['tiny'].hashes[0]}\n"


# Entering it


@pytest.fixture
def becoming(monkeypatch) -> list[list[str]]:
    """Programs that this process would become."""
    programs = []

    def execv(program, arguments):
        programs.append([program, *arguments[1:]])

    monkeypatch.setattr(environment.os, "execv", execv)
    return programs


def test_enter_returns_when_this_python_is_ready(becoming):
    environment.enter(["doctor"])
    assert becoming == []


def test_enter_makes_venv_and_becomes_its_python(checkout, pretended, becoming):
    for arguments in (["test", "-q"], ["lab"]):  # made by the first, found by the second
        environment.enter(arguments)
    assert becoming == [
        [str(checkout / ".venv/bin/python"), "-m", "helpers", "test", "-q"],
        [str(checkout / ".venv/bin/python"), "-m", "helpers", "lab"],
    ]
    assert pretended.count(environment.install_command()) == 1


def test_a_stale_venv_hands_over_to_the_python_it_was_made_from(monkeypatch, checkout, pretended, becoming):
    def leave(program, arguments):
        becoming.append([program, *arguments[1:]])
        raise SystemExit

    monkeypatch.setattr(environment.os, "execv", leave)
    monkeypatch.setattr(environment.sys, "prefix", str(settings.VENV))
    with pytest.raises(SystemExit):
        environment.enter(["lab"])
    assert becoming == [[sys._base_executable, "-m", "helpers", "lab"]]
    assert pretended == []
