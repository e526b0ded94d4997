"""Sends what is new in the record to the class, and hears what it says: one turn, of one kernel at a time."""

import json
import time
from typing import Any, NamedTuple

from ...session import record
from ..entries import BATCH, for_class, one_line
from . import membership
from .connection import Refused, Unreachable, ask
from .membership import Membership

LARGEST = 48 * 2**10  # bytes of them, within what a request may have
RECENT_S = 4  # so long ago another kernel has asked just now
OVER = (401, 410)  # the class does not know one any more, or has ended
GONE = "The class has ended, or the instructor has taken you out of it; nothing is sent any more."
NOT_REACHED = "The class at {address} cannot be reached; what you do is kept, and sent when it can be."


class Batch(NamedTuple):
    """What is sent next: entries with their offsets, and the offset up to which nothing is left then."""

    entries: list[tuple[int, dict[str, Any]]]
    until: int
    is_last: bool


def turn(waits: bool = False, is_urgent: bool = False) -> float:
    """Join if one has not yet, and send all that is new; or leave. Returns how long the class asks one to wait, or 0.

    Does nothing where another kernel is at it, unless this one waits. Raises Unreachable where nobody answers, and
    Refused where the class does not take one in.
    """
    with membership.sending(waits) as is_mine:
        if not is_mine or (kept := membership.read()) is None or kept.has_left:
            return 0
        try:
            return _turn(kept, is_urgent)
        except Unreachable:
            _keep(trouble=NOT_REACHED.format(address=kept.place.address))
            raise
        except Refused as refused:
            if refused.status in OVER and kept.learner:
                _keep(trouble=GONE, has_left=True)
                return 0
            if refused.status in (400, 403, 410):
                _keep(trouble=str(refused), has_left=True)
            elif refused.wait_s:
                _keep(trouble=str(refused))
                return refused.wait_s
            raise


def _turn(kept: Membership, is_urgent: bool) -> float:
    if kept.is_leaving:
        _leave(kept)
        return 0
    if not kept.learner:
        answer = ask(kept.place, "POST", "/learners", {"word": kept.word, "name": kept.name, "key": kept.key})
        if not isinstance(answer.get("learner"), str) or not isinstance(answer.get("name"), str):
            raise Unreachable("no class answers there")
        _keep(learner=answer["learner"], name=one_line(answer["name"]), reached=time.time(), trouble="")
    while True:
        if (now := membership.read()) is None:
            return 0
        kept, batch = now, next_batch(now.after)
        is_quiet = not batch.entries and kept.hand_changes == kept.hand_told and not kept.is_renamed
        if is_quiet and not is_urgent and 0 <= time.time() - kept.reached < RECENT_S:
            return 0  # another kernel has just heard what there is
        _sync(kept, batch)
        if batch.is_last:
            return 0


def next_batch(after: int) -> Batch:
    """What of the record comes next, as the class gets it."""
    entries: list[tuple[int, dict[str, Any]]] = []
    until, size = after, 0
    for offset, entry in record.entries(after):
        if sent := for_class(entry):
            size += len(json.dumps([offset, sent]))
            if len(entries) == BATCH or size > LARGEST:
                return Batch(entries, until, False)
            entries.append((offset, sent))
        until = offset
    return Batch(entries, until, True)


def _sync(kept: Membership, batch: Batch) -> None:
    body: dict[str, Any] = {"now": time.time(), "entries": batch.entries, "heard": kept.last_message}
    if kept.hand_changes != kept.hand_told:
        body["hand"] = kept.hand
    if kept.is_renamed:
        body["name"] = kept.name
    answer = ask(kept.place, "POST", f"/learners/{kept.learner}/sync", body, kept.key)
    with membership.changing() as now:
        if now is None or now.key != kept.key:  # one has left, or joined another, meanwhile
            return
        now.after, now.reached, now.trouble = batch.until, time.time(), ""
        now.hand_told = kept.hand_changes
        if now.hand_changes == kept.hand_changes:  # else what the learner has done meanwhile counts
            now.hand = bool(answer.get("hand"))
        if now.name == kept.name:
            now.name, now.is_renamed = one_line(str(answer.get("name", now.name))), False
        now.messages = [*now.messages, *_messages(answer, now.last_message)][-membership.KEPT :]


def _messages(answer: dict[str, Any], heard: int) -> list[dict[str, Any]]:
    told = answer.get("messages")
    return [
        {"id": each["id"], "at": float(each["at"]), "text": one_line(each["text"])}
        for each in (told if isinstance(told, list) else [])
        if isinstance(each, dict)
        and type(each.get("id")) is int
        and isinstance(each.get("at"), int | float)
        and isinstance(each.get("text"), str)
        and each["id"] > heard
    ]


def _leave(kept: Membership) -> None:
    try:
        if kept.learner:
            ask(kept.place, "DELETE", f"/learners/{kept.learner}", key=kept.key)
    except Refused as refused:
        if refused.status not in OVER:
            raise
    _keep(is_leaving=False, has_left=True, trouble="", messages=[], hand=False)


def _keep(**changes: Any) -> None:
    with membership.changing() as now:
        for name, value in changes.items() if now else ():
            setattr(now, name, value)
