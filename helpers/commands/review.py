"""`python3 -m helpers review`: writes pages of the reader's own session, for going over it afterwards."""

from pathlib import Path

from .. import review, settings
from ..review.strings import words
from . import say


def write(folder: Path | None, deck: bool) -> int:
    """Write the pages, and print where they begin. Raises ReviewError, LessonError or SettingError."""
    folder = folder or settings.home() / "review"
    if not review.write(folder, deck=deck):
        say(words("empty"))
        return 0
    say(words("written", folder=folder))
    print(folder / "index.html", flush=True)
    return 0
