"""Shows what newer starters have that the reader's notebooks lack, and takes it into them."""

from collections.abc import Sequence

from .. import own_copies
from ..lessons import Lesson, lesson
from ..own_copies.merge import Change
from . import say

NOTHING = "There is nothing new: your notebooks have all that the workshop's have."
WIDTH = 70  # of what is shown of a cell
# by the kind of a change: what it would be, and what it was
SAYS = {
    "new": ("would be new", "new"),
    "renewed": ("would be renewed", "renewed"),
    "moved": ("would be moved", "moved"),
    "gone": ("would be left out", "left out"),
    "beside": ("you have changed this cell, so the newer one would go below it", "the newer cell is below yours"),
}


def show() -> int:
    """List what is new, cell by cell; change nothing."""
    _make()
    newer = own_copies.newer()
    for each, changes in newer.items():
        _print(each, changes, is_done=False)
    if newer:
        numbers = " ".join(each.number for each in newer)
        say(
            f"To take it into your notebooks: python3 -m helpers update {numbers}. What you have written and what you "
            "have run stays, and each notebook as it was is kept."
        )
    else:
        say(NOTHING)
    return 0


def take(numbers: Sequence[str]) -> int:
    """Take what is new into these of the reader's notebooks, or into all."""
    _make()
    if numbers:
        for each in [lesson(number) for number in dict.fromkeys(numbers)]:
            if not _take(each):
                say(f"There is nothing new in {each.number}.")
    elif not [each for each in own_copies.outdated() if _take(each)]:
        say(NOTHING)
    return 0


def _take(chosen: Lesson) -> bool:
    """Take what is new into one; whether there was something."""
    update = own_copies.update(chosen)
    if update is None:
        return False
    _print(chosen, update.changes, is_done=True)
    say(
        f"{own_copies.path(chosen).name} has it; as it was it is {update.kept.name}, beside it. If it is open, choose "
        "File > Reload Notebook from Disk."
    )
    return True


def _print(chosen: Lesson, changes: Sequence[Change], is_done: bool) -> None:
    print(f"{chosen.number} {chosen.title}")
    for change in changes:
        print(f"  {_line(change, is_done)}")


def _make() -> None:
    for sentence in own_copies.make():
        say(sentence)


def _line(change: Change, is_done: bool) -> str:
    first = next((line for line in change.text.splitlines() if line.strip()), "")
    text = first if len(first) <= WIDTH else first[: WIDTH - 1] + "…"
    where = f' in "{change.section}"' if change.section else ""
    return f"{SAYS[change.kind][is_done]}{where}: {text}"
