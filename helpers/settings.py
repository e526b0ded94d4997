"""Every path and every WORKSHOP_* variable of the workshop, read in one place.

Standard library only: the command line needs it before the environment exists.
"""

import contextlib
import difflib
import getpass
import os
import re
from pathlib import Path
from typing import Any

from .errors import WorkshopError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
EVENTS = ROOT / "events"
PYPROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "requirements.lock"
JAVA_LOCK = ROOT / "requirements-java.lock"
RUNTIMES_LOCK = ROOT / "requirements-runtimes.lock"
HUB_LOCK = ROOT / "deploy" / "requirements-hub.lock"
HUB_PROXY = ROOT / "deploy"  # its package-lock.json has the proxy of JupyterHub
SITE_LOCK = ROOT / "requirements-site.lock"
VENV = ROOT / ".venv"
SITE_VENV = ROOT / ".venv-site"

DEFAULT_PORT = 4566  # the port that AWS emulators have settled on
DEFAULT_REGION = "us-east-1"
REGION = r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}"  # eu-west-1, us-gov-west-1, eusc-de-east-1

# Every WORKSHOP_* variable that the workshop reads.
NAMES = (
    "WORKSHOP_BOUNDARY",
    "WORKSHOP_CLASS",
    "WORKSHOP_CLEAN",
    "WORKSHOP_CONCURRENCY",
    "WORKSHOP_CONFIRM",
    "WORKSHOP_CPU_SHARE",
    "WORKSHOP_HOME",
    "WORKSHOP_IAM",
    "WORKSHOP_LEARNER",
    "WORKSHOP_PORT",
    "WORKSHOP_ROLE",
    "WORKSHOP_SLACK_WEBHOOK_URL",
    "WORKSHOP_TARGET",
    "WORKSHOP_WHEELS",
)
OTHER_NAMES = {"WORKSHOP_REGION": "AWS_REGION"}  # what somebody may well try: what it is called


is_solution = False  # whether this kernel runs a notebook of solutions/, which imports in_a_solution


class SettingError(WorkshopError):
    """A WORKSHOP_* variable that cannot be used; its message is one sentence for the reader."""


def home() -> Path:
    """Where what the reader makes goes: ledger, logs, state. `WORKSHOP_HOME`, or work/ in the checkout."""
    text = (os.environ.get("WORKSHOP_HOME") or "").strip() or str(ROOT / "work")
    try:
        return Path(text).expanduser().resolve()  # "~" stays as it is where no shell has read the setting
    except (RuntimeError, OSError, ValueError):  # ~nobody, a loop of links, a NUL
        raise SettingError(f"WORKSHOP_HOME is {text!r}; set it to a folder of your own, such as ~/workshop.") from None


def wheels() -> Path | None:
    """The folder that all is installed from, without a network: `WORKSHOP_WHEELS`; None where that is not set."""
    text = (os.environ.get("WORKSHOP_WHEELS") or "").strip()
    if not text:
        return None
    with contextlib.suppress(RuntimeError, OSError, ValueError):  # ~nobody, a loop of links, a NUL
        if (folder := Path(text).expanduser().resolve()).is_dir():
            return folder
    raise SettingError(
        f"WORKSHOP_WHEELS is {text!r}; set it to a folder that python3 -m helpers wheels has made, or unset it."
    )


def desk() -> Path:
    """Where the reader's progress and lab files are. Those of a solution are elsewhere, and count for nobody."""
    return home() / "solutions" if is_solution else home()


def port() -> int:
    """Port of the embedded AWS on 127.0.0.1: `WORKSHOP_PORT`, or 4566."""
    text = os.environ.get("WORKSHOP_PORT") or str(DEFAULT_PORT)
    if not re.fullmatch("[0-9]{4,5}", text) or not 1024 <= int(text) <= 65535:
        raise SettingError(f"WORKSHOP_PORT is {text!r}; set it to a port number from 1024 to 65535.")
    return int(text)


def region() -> str:
    """The region of the embedded AWS, and of AWS where the reader's own configuration names none."""
    name = "AWS_REGION" if os.environ.get("AWS_REGION") else "AWS_DEFAULT_REGION"
    text = os.environ.get(name) or DEFAULT_REGION
    if not re.fullmatch(REGION, text):
        raise SettingError(f"{name} is {text!r}; set it to a region of AWS, such as {DEFAULT_REGION}.")
    return text


def cpu_share() -> bool:
    """Whether functions get the share of CPU that goes with their memory: `WORKSHOP_CPU_SHARE`, "on" or "off"."""
    text = (os.environ.get("WORKSHOP_CPU_SHARE") or "on").lower()
    if text not in ("on", "off"):
        raise SettingError(f"WORKSHOP_CPU_SHARE is {text!r}; set it to 'on' or 'off'.")
    return text == "on"


def iam() -> bool:
    """Whether the embedded AWS asks the policies of roles and resources: `WORKSHOP_IAM`, "on" or "off"."""
    text = (os.environ.get("WORKSHOP_IAM") or "on").lower()
    if text not in ("on", "off"):
        raise SettingError(f"WORKSHOP_IAM is {text!r}; set it to 'on' or 'off'.")
    return text == "on"


def concurrency() -> int | None:
    """How many invocations the embedded AWS runs at a time: `WORKSHOP_CONCURRENCY`, or what this machine carries."""
    text = (os.environ.get("WORKSHOP_CONCURRENCY") or "").strip()
    if text and not re.fullmatch("[1-9][0-9]{0,3}|10000", text):
        raise SettingError(f"WORKSHOP_CONCURRENCY is {text!r}; set it to a number from 1 to 10000.")
    return int(text) if text else None


def embedded_aws() -> dict[str, Any]:
    """The settings of the embedded AWS that count when it starts, as localaws.start takes them."""
    return {"cpu_share": cpu_share(), "iam": iam(), "concurrency": concurrency()}


def role() -> str:
    """The execution role of all functions on AWS, by name or ARN: `WORKSHOP_ROLE`, or "" where we make roles."""
    text = (os.environ.get("WORKSHOP_ROLE") or "").strip()
    if text and not re.fullmatch(r"(arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+)|([\w+=,.@-]{1,64})", text, re.ASCII):
        raise SettingError(  # an ARN holds the account's id, so it is not shown
            "WORKSHOP_ROLE names no role; set it to the name or the ARN of a role that Lambda may assume."
        )
    return text


def boundary() -> str:
    """The permissions boundary of roles that are made, by name or ARN: `WORKSHOP_BOUNDARY`, or "" for none."""
    text = (os.environ.get("WORKSHOP_BOUNDARY") or "").strip()
    named = r"(arn:aws[\w-]*:iam::\d{12}:policy/[\w+=,.@/-]+)|([\w+=,.@-]{1,128})"
    if text and not re.fullmatch(named, text, re.ASCII):
        raise SettingError(  # an ARN holds the account's id, so it is not shown
            "WORKSHOP_BOUNDARY names no policy; set it to the name or the ARN of a managed policy of your account."
        )
    return text


def slack_webhook() -> str:
    """The incoming webhook that messages go to in place of the inbox: `WORKSHOP_SLACK_WEBHOOK_URL`, or ""."""
    url = (os.environ.get("WORKSHOP_SLACK_WEBHOOK_URL") or "").strip()
    if url and not re.fullmatch(r"https?://[^\s/]+/\S+", url):  # the value is a secret, so it is not shown
        raise SettingError(
            "WORKSHOP_SLACK_WEBHOOK_URL is no URL; set it to an incoming webhook, https://hooks.slack.com/services/…"
        )
    return url


def classroom() -> str:
    """The class to join, as its word and its address: `WORKSHOP_CLASS`, or "" for none."""
    return (os.environ.get("WORKSHOP_CLASS") or "").strip()


def learner() -> str:
    """The prefix of every name: `WORKSHOP_LEARNER`, or the login name, as lower-case letters, digits and hyphens."""
    text = os.environ.get("WORKSHOP_LEARNER") or _login_name()
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:20].strip("-")
    if not name:
        raise SettingError(f"WORKSHOP_LEARNER is {text!r}; set it to a name with letters from a to z or digits.")
    return name


def remarks() -> list[str]:
    """One sentence for each setting that counts for nothing, or for something else than what it says."""
    said = []
    for name in sorted(os.environ):
        if name.startswith("WORKSHOP_") and name not in NAMES:
            ends = {each.removeprefix("WORKSHOP_"): each for each in NAMES}
            close = difflib.get_close_matches(name.removeprefix("WORKSHOP_"), ends, 1)
            meant = OTHER_NAMES.get(name) or (ends[close[0]] if close else None)
            hint = f"did you mean {meant}?" if meant else f"there are {', '.join(NAMES)}."
            said.append(f"There is no setting {name}, so it counts for nothing; {hint}")
    text = os.environ.get("WORKSHOP_LEARNER")
    if text and learner() != text:
        said.append(
            f"WORKSHOP_LEARNER is {text!r}; names begin with {learner()!r}, as AWS takes lower-case letters, digits "
            "and hyphens, and the workshop twenty of them."
        )
    return said


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no entry in the password file
        return "learner"
