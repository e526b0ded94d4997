"""What a learner does in the class, by a cell or by the box: enter, change the name, raise a hand, look, leave.

Each gives the sentence that says what came of it, and raises ClassError where nothing did.
"""

import json

from ...session import record
from ..entries import NAME, for_class, one_line
from ..place import ClassError
from . import kernel, membership, sender
from .connection import Refused, Unreachable
from .membership import Membership

NOWHERE = 'You are in no class; join("word") joins one, with the word that your instructor says.'
OUTSIDE = "A class is joined in a notebook of your own; nothing of this kernel is recorded, so nothing could be sent."


def enter(text: str, name: str) -> str:
    """Join a class under a name; leave the one that one is in."""
    if not record.is_on():
        raise ClassError(OUTSIDE)
    new = kernel.first(text, one_line(name, NAME))
    before = membership.read()
    if before and before.is_member and before.learner:
        leave()
    membership.begin(new)
    kernel.follower.start()
    _reaches()
    return status(membership.read())


def rename(name: str) -> str:
    """Be shown under another name."""
    with membership.changing() as kept:
        _require(kept).name = one_line(name, NAME)
        _require(kept).is_renamed = bool(_require(kept).learner)
    _reaches()
    return status(membership.read())


def raise_hand(up: bool) -> str:
    """Raise a hand, or lower it."""
    with membership.changing() as kept:
        _require(kept).hand = up
        _require(kept).hand_changes += 1
    if not _reaches():
        return "The class cannot be reached now; your instructor sees it when it can be."
    return "Your hand is up; hand(False) lowers it." if up else "Your hand is down."


def leave() -> str:
    """Leave the class, and let it delete what it has."""
    with membership.changing() as kept:
        _require(kept).is_leaving = True
    if not _reaches():
        return "You have left the class. It cannot be reached now; what it has of you is deleted when it can be."
    return "You have left the class, and what it had of you is deleted."


def status(kept: Membership | None) -> str:
    """Where one stands."""
    if kept is None or (not kept.is_member and not kept.trouble):
        return NOWHERE
    if kept.trouble:
        return kept.trouble
    if not kept.learner:
        return f"You are about to join the class at {kept.place.address} as {kept.name}."
    return f"You are in the class at {kept.place.address} as {kept.name}.{' Your hand is up.' if kept.hand else ''}"


def how_to_join(word: str) -> str:
    """What is still missing where a word was given alone."""
    return f'Type a name of your choice to join, or run join("{word}", "a name").'


def what_is_sent(count: int) -> str:
    """The last entries that were sent, one a line, as they were; and what else the class has of one."""
    kept = membership.read()
    if kept is None or not kept.is_member:
        return NOWHERE
    entries = [
        json.dumps([offset, sent], ensure_ascii=False)
        for offset, entry in record.entries(kept.begins)
        if offset <= kept.after and (sent := for_class(entry))
    ]
    shown = entries[-count:] if count else []
    about = json.dumps({"name": kept.name, "hand": kept.hand}, ensure_ascii=False)
    return "\n".join([f"Sent to {kept.place.address}: {about} and {_count(len(shown), len(entries))}.", *shown])


def _count(shown: int, there: int) -> str:
    """E.g. "the last 20 of 31 entries"."""
    entries = f"{there} entr{'y' if there == 1 else 'ies'}"
    return entries if shown == there else f"the last {shown} of {entries}"


def _require(kept: Membership | None) -> Membership:
    if kept is None or not kept.is_member:
        raise ClassError(NOWHERE)
    return kept


def _reaches() -> bool:
    """Tell the class now; whether it could be reached. Raises ClassError where it refuses."""
    try:
        sender.turn(waits=True, is_urgent=True)
    except Unreachable:
        return False
    except Refused as refused:
        raise ClassError(str(refused)) from None
    except OSError as error:
        raise ClassError.about_file(error, membership.path()) from None
    kept = membership.read()
    if kept and kept.trouble:
        raise ClassError(kept.trouble)
    return True
