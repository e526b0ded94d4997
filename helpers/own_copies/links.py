"""Where links lead from a reader's copy: beside the copies are links to the folders that are beside the starters.

They are symbolic links, which the environment needs, too: so pictures, solutions and code are found by any program
(JupyterLab shows nothing that is above its root), also with a WORKSHOP_HOME elsewhere. Standard library only.
"""

import os
import re
from pathlib import Path

from .. import settings

BESIDE = ("images", "lessons", "solutions")
UP = re.compile(r"(?<=\]\()\.\./(?P<work>work/)?")


def lay(folder: Path) -> list[str]:
    """Make the links in a folder, where nothing else has their names; say it where the disk knows no such links."""
    try:
        for name in BESIDE:
            _link(folder / name, settings.NOTEBOOKS / name)
    except OSError as error:
        return [f"Pictures in your notebooks will not be seen: {folder} takes no links ({error.strerror})."]
    return []


def placed(text: str, folder: Path) -> str:
    """The text of a starter as it has to be in a folder: what leads up to work/ leads to WORKSHOP_HOME."""
    root = Path(os.path.relpath(settings.ROOT, folder)).as_posix()
    return UP.sub(lambda found: "../" if found["work"] else f"{root}/", text)


def _link(link: Path, target: Path) -> None:
    # a relative one moves with the checkout
    inside = link.is_relative_to(settings.ROOT)
    wanted = os.path.relpath(target, link.parent) if inside else str(target)
    if link.is_symlink() and os.readlink(link) != wanted:  # of a checkout that was moved
        link.unlink()
    if not os.path.lexists(link):
        link.symlink_to(wanted)
