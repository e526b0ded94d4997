"""Runtimes that are added by a command: from the registry where it can be reached, and else one sentence."""

import os
import sys
from types import SimpleNamespace

import pytest

from helpers import localaws
from helpers.commands import doctor, runtimes
from helpers.installing import added_runtimes
from helpers.installing.added_runtimes import RuntimeNotAdded
from helpers.localaws.data_plane import programs

NO_NETWORK = "no package registry can be reached"


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Where runtimes are added, on a machine that has none of its own but this Python and PATH's."""
    monkeypatch.setattr(programs, "ADDED", tmp_path / "added")
    monkeypatch.setattr(localaws, "ADDED_RUNTIMES", tmp_path / "added")
    return tmp_path / "added"


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without uv, conda and the like, whose PATH is this folder alone."""
    for variable in ("UV_PYTHON_INSTALL_DIR", "PYENV_ROOT", "NVM_DIR", "RBENV_ROOT", "CONDA_PREFIX"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def tool(place, code: str) -> None:
    place.write_text(f"#!{sys.executable}\nimport os, pathlib, sys\n{code}\n")
    place.chmod(0o755)


MAKES_PYTHON = """
folder = pathlib.Path(sys.argv[sys.argv.index({option!r}) + 1]) / {below!r} / "bin"
folder.mkdir(parents=True)
program = folder / "python3.14"
program.write_text("#!/bin/sh\\necho '3 14 2 /made'\\n")
program.chmod(0o755)
"""


def test_node_22_comes_from_the_registry_and_goes(folder, capsys):
    try:
        added_runtimes.add("nodejs22.x")
    except RuntimeNotAdded as problem:
        if NO_NETWORK in str(problem):
            pytest.skip("the package registry cannot be reached")
        raise
    found = localaws.find_runtime("nodejs22.x")
    assert found.version.startswith("nodejs:22.") and found.note == ""
    assert found.command[0].startswith(str(folder))
    assert runtimes.change("add", "nodejs22.x") == 0
    assert "nodejs22.x is there already" in capsys.readouterr().err
    assert runtimes.change("remove", "nodejs22.x") == 0
    assert not (folder / "nodejs22.x").exists()


@pytest.mark.skipif(sys.version_info[:2] == (3, 14), reason="this Python is what is looked for")
def test_a_python_comes_by_uv(bare, folder):
    tool(bare / "uv", MAKES_PYTHON.format(option="--install-dir", below="cpython-3.14.2"))
    added_runtimes.add("python3.14")
    assert programs.find("python3.14") == programs.Program("/made", (3, 14, 2))
    added_runtimes.remove("python3.14")
    assert programs.find("python3.14") is None


@pytest.mark.skipif(sys.version_info[:2] == (3, 14), reason="this Python is what is looked for")
def test_where_uv_fails_conda_is_asked(bare):
    tool(bare / "uv", "sys.exit('error: client error (Connect)')")
    tool(bare / "conda", MAKES_PYTHON.format(option="--prefix", below="."))
    added_runtimes.add("python3.14")
    assert programs.find("python3.14") == programs.Program("/made", (3, 14, 2))


@pytest.mark.skipif(sys.version_info[:2] == (3, 14), reason="this Python is what is looked for")
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("sys.exit('error: client error (Connect)')", "uv could not reach the place that it downloads from"),
        ("sys.exit('error: no such version.')", r"uv failed \(error: no such version\)"),
        ("", "uv brought another version"),
    ],
)
def test_what_could_not_be_added_is_one_sentence_and_leaves_nothing(bare, folder, code, why):
    tool(bare / "uv", code)
    with pytest.raises(RuntimeNotAdded, match=rf"^python3\.14 could not be added: {why}; install that version .*\.$"):
        added_runtimes.add("python3.14")
    assert not os.path.exists(folder / "python3.14")


@pytest.mark.parametrize(
    ("action", "name", "words"),
    [
        ("add", "ruby3.4", "conda is not on this machine"),
        ("add", "java21", "cannot be added by this command; python3 -m helpers java adds Java 25, and another"),
        ("add", "provided.al2023", "There is no runtime provided.al2023; these are known: python3.11, "),
        ("add", "../../x", "There is no runtime ../../x; "),
        ("remove", "python3.14", "was not added by this workshop, so there is nothing to remove."),
        ("remove", "", "There is no runtime ;"),
    ],
)
def test_what_cannot_be_done_is_refused(bare, action, name, words):
    with pytest.raises(RuntimeNotAdded) as refused:
        getattr(added_runtimes, action)(name)
    assert words in str(refused.value)


def test_the_list_has_a_line_for_each_runtime_that_aws_supports_and_what_it_runs_on(bare, capsys):
    assert runtimes.show() == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert list(lines) == added_runtimes.names()
    version = ".".join(map(str, sys.version_info[:2]))
    assert lines[f"python{version}"] == f"python:{version}.v{sys.version_info.micro}, {programs.this_python().path}."
    others = [line for name, line in lines.items() if name.startswith("python") and name != f"python{version}"]
    assert all(line.startswith("The embedded AWS runs python3.") for line in others)


def test_doctor_tells_those_that_are_what_their_names_say_from_the_others(bare):
    (ok, true), (note, other), *_ = doctor._runtimes()
    this = f"python3.{sys.version_info.minor}"
    assert (ok, note) == ("ok", "note")
    assert this in true and this not in other
    assert "python3 -m helpers runtimes lists on which" in other


def test_doctor_names_the_command_that_brings_what_is_missing_and_no_other(bare, monkeypatch):
    """One that adds a runtime, one for the Java of the lock, and none for what has to be installed."""
    others = [name for name in added_runtimes.names() if name not in ("python3.11", "nodejs24.x")]
    monkeypatch.setattr(localaws, "find_runtime", lambda name: SimpleNamespace(note=name in others))

    def told():
        _, _, *found = doctor._runtimes()
        return [text for _, text in found]

    adds, java, installed = told()
    assert adds.startswith("python3 -m helpers runtimes add brings the right version for python3.12, ")
    assert "nodejs22.x" in adds and "ruby" not in adds and "java" not in adds
    assert java == "python3 -m helpers java brings the right version for java25."
    assert installed == "The version for ruby3.3, ruby3.4, ruby4.0, java21 is found once it is installed."
    monkeypatch.setattr(added_runtimes.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert told()[2] == "The version for java21 is found once it is installed."
