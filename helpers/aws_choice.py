"""Which AWS the notebooks use: what WORKSHOP_TARGET says, or what the reader chose last. Standard library only."""

import os
from collections.abc import Callable

from . import localaws, settings
from .arguments import takes
from .files.whole_file import write_whole

TARGETS = ("embedded", "aws")  # the first is the default
TARGET_FILE = "target"


def setting() -> str:
    """Which AWS, "embedded" or "aws": `WORKSHOP_TARGET`, or what `choose` was told last, or "embedded"."""
    variable = os.environ.get("WORKSHOP_TARGET")
    text = (variable or _last_choice() or TARGETS[0]).lower()
    if text in TARGETS:
        return text
    if variable:
        raise settings.SettingError(f"WORKSHOP_TARGET is {text!r}; set it to 'embedded' or 'aws'.")
    raise settings.SettingError(
        f"{settings.home() / TARGET_FILE} says {text[:40]!r}, which is neither 'embedded' nor 'aws'; delete that file, "
        "and choose again in notebook 00."
    )


def chosen() -> str:
    """Which AWS the settings come down to: "embedded", "aws", or "emulator", the one at `AWS_ENDPOINT_URL`.

    The address that `python3 -m helpers env` prints is the embedded AWS's own, and so no emulator's.
    """
    if setting() == "aws":
        return "aws"
    url = os.environ.get("AWS_ENDPOINT_URL")
    return "emulator" if url and not localaws.is_at(url, settings.home(), settings.port()) else "embedded"


@takes()
def choose(target: str) -> None:
    """Use "embedded" or "aws" from now on, in every notebook that connects afterwards.

    `WORKSHOP_TARGET`, where it is set, goes before this. Raises settings.SettingError for anything else.
    """
    if target not in TARGETS:
        raise settings.SettingError(f"There is no AWS called {target!r}; choose 'embedded' or 'aws'.")
    file = settings.home() / TARGET_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, target + "\n")
    except OSError as error:
        raise settings.SettingError.about_file(error, file) from None


# Those settings that can be set to what they cannot be.
SETTINGS: tuple[Callable[[], object], ...] = (
    settings.home,
    settings.wheels,
    settings.port,
    settings.region,
    settings.cpu_share,
    settings.iam,
    settings.concurrency,
    settings.role,
    settings.boundary,
    settings.slack_webhook,
    setting,
    settings.learner,
)


def _last_choice() -> str:
    file = settings.home() / TARGET_FILE
    try:
        return file.read_text(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise settings.SettingError.about_file(error, file, "read") from None
