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


def _end_at_once(number: int, frame: object) -> None:
    os.write(2, b"Interrupted before anything was done.\n")
    os._exit(128 + number)  # no exception: raised inside an import, it may get lost


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _end_at_once)  # until `main` watches signals: what follows takes a moment to load

import argparse
from collections.abc import Callable
from pathlib import Path

from . import aws_choice, settings
from .classroom.place import HERE, PORT
from .commands import doctor, embedded_aws, java, lab, runtimes, say
from .installing import environment
from .localaws import node_sdk

# Of pytest: some tests at once, as they wait more than they work; and at the end, the slowest.
PYTEST = ("-m", "pytest", f"--numprocesses={(os.cpu_count() or 1) + 4}", "--durations=10")

QUIET = ("stop", "doctor")  # about settings: it needs none of them, and it lists what is wrong itself


class Interrupted(BaseException):
    """A signal asked this command to end. No Exception, so that only `main` catches it."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number  # as a shell reports it: 130 for Ctrl-C


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code. Expected failures become one sentence on stderr."""
    try:
        return _run_command(arguments)
    except Interrupted as interruption:
        say(f"Interrupted: {arguments[0]} has ended, and can be run again.")
        return interruption.exit_code
    except OSError as error:
        if error.filename is None:
            raise
        say(f"{error.strerror}: {error.filename}.")  # no permission, no space, no such folder
        return 1
    except Exception as error:
        if not type(error).__module__.startswith("helpers."):
            raise
        say(str(error))  # our own exceptions carry one sentence for the reader
        return 1


def _run_command(arguments: list[str]) -> int:
    parser = _parser()
    # what follows `test` is pytest's
    options = parser.parse_args(arguments[:1] if arguments[:1] == ["test"] else arguments)
    if options.command is None:
        parser.print_help()
        return 0
    _watch_signals()
    _check_settings(options.command)
    options.arguments = arguments[1:]
    if options.needs_environment:
        environment.enter(arguments)
        _add_node_sdk()
    if options.command not in QUIET:
        for remark in settings.remarks():
            say(remark)
    code: int = options.run(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers", description="An interactive workshop on AWS Lambda. Start with: lab"
    )
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str, needs_environment: bool = True
    ) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run, needs_environment=needs_environment)
        return added

    opens = command("lab", _lab, "open the workshop in JupyterLab, with the embedded AWS behind it")
    opens.add_argument("--no-browser", action="store_true", help="only print the address")
    opens.add_argument("--hub", action="store_true", help="as the server of one learner, which a JupyterHub starts")
    console = command("console", _console, "open the console: the screens of Lambda's, for the AWS that you chose")
    console.add_argument("--no-browser", action="store_true", help="only print the address")
    console.add_argument("--port", type=int, metavar="PORT", help="of 127.0.0.1; that of last time, or a free one")
    name = "a name besides 127.0.0.1 that it may be reached by, such as a JupyterHub's"
    console.add_argument("--allow-host", action="append", default=[], metavar="HOST", help=name)
    classroom = command("class", _class, "open the page of a class: where its learners are, and who needs help")
    classroom.add_argument("--word", metavar="WORD", default="", help="which lets learners in; made if none is given")
    where = "of this machine, for learners on others; 127.0.0.1 if none is given"
    classroom.add_argument("--address", metavar="HOST", default=HERE, help=where)
    classroom.add_argument(
        "--port", type=int, metavar="PORT", default=PORT, help=f"that learners reach; {PORT} if none"
    )
    classroom.add_argument("--no-browser", action="store_true", help="only print the address of the page")
    classroom.add_argument("--allow-host", action="append", default=[], metavar="HOST", help=name)
    classroom.add_argument("--end", action="store_true", help="end the class: write one CSV, and delete the rest")
    present = command("present", _present, "present notebooks on a projector, with a presenter page beside it")
    present.add_argument("number", nargs="?", metavar="NN", help="the notebook, such as 04, or where a plan begins")
    present.add_argument("--plan", metavar="NAME", help="of notebooks/plans.toml: evening, day, or one of your own")
    present.add_argument("--no-browser", action="store_true", help="only print the addresses")
    present.add_argument(
        "--port", type=int, metavar="PORT", help="of the presenter page; that of last time, or a free one"
    )
    present.add_argument("--allow-host", action="append", default=[], metavar="HOST", help=name)
    command("test", _test, "run all tests; what follows goes to pytest")
    starts = command("start", _start, "start the embedded AWS in the background")
    for each in (opens, starts):
        each.add_argument("--fresh", action="store_true", help="with nothing in it; what it has kept is put aside")
    command("stop", lambda _: embedded_aws.stop(), "stop the embedded AWS", needs_environment=False)
    env = 'print its variables, for eval "$(python3 -m helpers env)"'
    command("env", lambda _: embedded_aws.print_variables(), env, needs_environment=False)
    run = command("run", _run, "run notebooks without a browser, on an embedded AWS of their own")
    run.add_argument("numbers", nargs="*", metavar="NN", help="their numbers, such as 04; all if none")
    run.add_argument(
        "--mine", action="store_true", help="your own, on the AWS that you chose, with your labs and your progress"
    )
    build = command("build", _build, "make the notebooks from notebooks/lessons")
    build.add_argument("--check", action="store_true", help="change nothing, and fail if one is stale")
    build.add_argument("--force", action="store_true", help="make all anew, also a notebook that holds your work")
    update = command("update", _update, "list what is new in the notebooks, and take it into yours")
    update.add_argument("numbers", nargs="*", metavar="NN", help="into these, such as 04; only list it if none")
    update.add_argument("--all", action="store_true", help="into all")
    reset = command("reset", _reset, "put a notebook back to its start, and its lab; what you had is kept")
    reset.add_argument("number", metavar="NN", help="its number, such as 09")
    command("clean", _clean, "remove everything that the notebooks made in AWS")
    goes_over = "write pages of your session: your answers, guesses and measurements, and what to look at again"
    review = command("review", _review, goes_over)
    review.add_argument("--deck", action="store_true", help="in the order of the slides, not of your way")
    policy = command("policy", _policy, "print the IAM policies that a person needs for the notebooks on AWS")
    policy.add_argument("numbers", nargs="*", metavar="NN", help="for these notebooks, such as 04; all if none")
    who = "prefix of the person's names, or ${aws:username} for everybody of a class; yours if none"
    policy.add_argument("--learner", metavar="PREFIX", help=who)
    whole = lambda text: Path(text).absolute()  # noqa: E731 - before a command goes to the checkout
    policy.add_argument("--out", type=whole, metavar="FOLDER", help="write each into a file of this folder")
    review.add_argument("--out", type=whole, metavar="FOLDER", help="where to; review in your work folder if none")
    command("java", lambda _: java.add(), f"add Java, for functions in Java: {environment.JAVA_SIZES}")
    lists = command("runtimes", _runtimes, "list which program runs which runtime of Lambda here")
    lists.add_argument("action", nargs="?", choices=["add", "remove"], help="bring the program of one, or remove it")
    lists.add_argument("name", nargs="?", help="such as python3.13")
    brings = (
        "make a folder of all that is installed here, for machines without a network: WORKSHOP_WHEELS names it there"
    )
    wheels = command("wheels", _wheels, brings)
    wheels.add_argument("folder", type=whole, metavar="FOLDER", help="it is made; what is there already stays")
    pythons = "for this Python, such as 3.13; may be said several times; the one that runs now if none"
    wheels.add_argument("--python", action="append", default=[], metavar="X.Y", help=pythons)
    platforms = "for machines of this kind, such as linux-aarch64; may be said several times; this one if none"
    wheels.add_argument("--platform", action="append", default=[], metavar="KIND", help=platforms)
    wheels.add_argument("--java", action="store_true", help="with Java, which `java` adds")
    wheels.add_argument("--runtimes", action="store_true", help="with Node.js 22, which `runtimes add nodejs22.x` adds")
    wheels.add_argument("--hub", action="store_true", help="with JupyterHub, which `install --hub` adds")
    wheels.add_argument("--site", action="store_true", help="with Sphinx, which `site` adds")
    makes = "make the environment, which every other command does too, and nothing else"
    installs = command("install", _install, makes)
    installs.add_argument("--hub", action="store_true", help="with a JupyterHub for a class on this machine: deploy/")
    about = command("facts", _facts, "list the facts about AWS: limits, prices and dates, with their sources")
    about.add_argument("--newest", action="store_true", help="say which of them the newest botocore contradicts")
    bench = command("bench", _bench, "measure the embedded AWS beside others that run functions on one machine")
    bench.add_argument(
        "scenarios", nargs="*", metavar="scenario", help="such as warm; all, and into its README, if none"
    )
    bench.add_argument("--quick", action="store_true", help="with small numbers, which say little")
    bench.add_argument("--write-again", action="store_true", help="write the figures of the last run into its README")
    installed = "where npm has installed serverless-offline, if not for all"
    bench.add_argument("--serverless", type=whole, metavar="FOLDER", help=installed)
    holds = "hold the embedded AWS and MiniStack against what AWS answers"
    conformance = command("conformance", _conformance, holds)
    conformance.add_argument("words", nargs="*", metavar="word", help="in the titles of scenarios; all if none")
    conformance.add_argument(
        "--endpoint-url", metavar="URL", help="of another AWS, with your credentials; aws is AWS itself"
    )
    conformance.add_argument("--write", action="store_true", help="write the table into the README of the embedded AWS")
    again = "write the outcomes of the last run into that README"
    conformance.add_argument("--write-again", action="store_true", help=again)
    site = command("site", _site, "write the solved workshop as a static site, to read and to publish")
    site.add_argument("--out", type=whole, metavar="FOLDER", help="where to write it; site/ of the work folder if none")
    where = "on GitHub, for links to files and to open a notebook live; that of the workflow, on GitHub itself"
    site.add_argument("--repository", metavar="OWNER/NAME", help=where)
    looks = "look at this machine and say what is missing"
    command("doctor", lambda _: doctor.look(), looks, needs_environment=False)
    return parser


def _lab(options: argparse.Namespace) -> int:
    if options.hub and "JUPYTERHUB_SERVICE_URL" not in os.environ:
        say("--hub is for a JupyterHub, which says by variables where to listen; leave it out to open the workshop.")
        return 2
    return lab.open_lab(options.no_browser, options.hub, options.fresh)


def _start(options: argparse.Namespace) -> int:
    return embedded_aws.start(options.fresh)


def _console(options: argparse.Namespace) -> int:
    from .commands import console

    return console.open_console(options.no_browser, options.port, options.allow_host)


def _class(options: argparse.Namespace) -> int:
    from .commands import class_

    if options.end:
        return class_.end_class()
    return class_.open_class(options.word, options.address, options.port, options.no_browser, options.allow_host)


def _present(options: argparse.Namespace) -> int:
    from .commands import present

    return present.present(options.number, options.plan, options.no_browser, options.port, options.allow_host)


def _test(options: argparse.Namespace) -> int:
    say("Running the tests.")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # they start hundreds of Pythons: one compiles for all
    os.execv(sys.executable, [sys.executable, *PYTEST, *options.arguments])


def _run(options: argparse.Namespace) -> int:
    from . import authoring

    which = f"notebook {', '.join(options.numbers)}" if options.numbers else "all notebooks"
    if options.mine:
        say(f"Running {which} on the AWS that you chose.")
        return _report(authoring.run(options.numbers, own=True))
    say(f"Running {which} on an embedded AWS of their own.")
    with authoring.fresh_aws() as environment:
        return _report(authoring.run(options.numbers, environment=environment))


def _build(options: argparse.Namespace) -> int:
    from . import authoring

    say("Checking the notebooks against notebooks/lessons." if options.check else "Building the notebooks.")
    return _report(authoring.build(options.check, options.force))


def _report(problems: list[str]) -> int:
    for problem in problems:
        say(problem)
    return 1 if problems else 0


def _update(options: argparse.Namespace) -> int:
    from .commands import update

    return update.show() if not (options.numbers or options.all) else update.take(options.numbers)


def _reset(options: argparse.Namespace) -> int:
    from .session.starting_points import reset

    say(f"Putting notebook {options.number} back to its start.")
    reset(options.number)
    return 0


def _facts(options: argparse.Namespace) -> int:
    from .commands import facts

    return facts.compare_with_newest() if options.newest else facts.show()


def _runtimes(options: argparse.Namespace) -> int:
    if options.action is None:
        return runtimes.show()
    if options.name is None:
        say(f"Say which runtime, such as: python3 -m helpers runtimes {options.action} python3.13.")
        return 2
    return runtimes.change(options.action, options.name)


def _wheels(options: argparse.Namespace) -> int:
    from .commands import wheels

    return wheels.make(options)


def _install(options: argparse.Namespace) -> int:
    from .commands import install

    return install.install(options.hub)


def _bench(options: argparse.Namespace) -> int:
    from .commands import bench

    if options.write_again:
        return bench.write_again()
    return bench.run(options.scenarios, options.quick, options.serverless)


def _conformance(options: argparse.Namespace) -> int:
    from .commands import conformance

    if options.write_again:
        return conformance.write_again()
    return conformance.run(options.words, options.endpoint_url, options.write)


def _policy(options: argparse.Namespace) -> int:
    from .commands import policy

    return policy.show(options.numbers, options.learner, options.out)


def _review(options: argparse.Namespace) -> int:
    from .commands import review

    return review.write(options.out, options.deck)


def _site(options: argparse.Namespace) -> int:
    from .commands import site

    return site.write(options.out, options.repository)


def _clean(options: argparse.Namespace) -> int:
    from .resources.cleanup import clean

    say("Removing what the notebooks made in AWS.")
    clean(ask=False)  # whoever types the command wants it
    return 0


# around every command


def _check_settings(command: str) -> None:
    """Refuse a bad setting before anything is made; then the folder we are called from does not matter."""
    if command not in QUIET:
        for setting in aws_choice.SETTINGS:
            setting()
    if os.environ.get("WORKSHOP_HOME"):
        os.environ["WORKSHOP_HOME"] = str(settings.home())
    os.chdir(settings.ROOT)


def _add_node_sdk() -> None:
    """Complete the environment with what pip cannot bring; without it one lab lacks one language."""
    if node_sdk.ready():
        return
    say("Adding the AWS SDK for functions in Node.js, once.")
    try:
        node_sdk.install(settings.wheels())
    except node_sdk.NodeSdkError as problem:
        say(str(problem))


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
