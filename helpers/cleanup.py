"""clean() removes from AWS everything that the ledger holds, and nothing else, and proves that it is gone."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .connect import Workshop, connect, embedded_is_off
from .errors import WorkshopError
from .ledger import Entry
from .resource_types import RESOURCE_TYPES, ResourceType, code, says_absent

# SQS may answer for a deleted queue for 60 s, and an event source mapping takes about as long to go.
TRIES, PAUSE = 60, 3.0  # 60 * 3 s == 180 s


class CleanupError(WorkshopError):
    """Something is left, or AWS cannot be asked; the message is for the reader."""


def clean(workshop: Workshop | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Remove everything in the ledger of the present AWS, print what was removed, and "Nothing is left.".

    What is gone already is struck out. What carries this learner's prefix without being in the ledger is
    named and left alone. Asks AWS about each thing until it is gone, for three minutes at most.

    Raises CleanupError, with what is left and AWS's last answer about it.
    """
    if workshop is None and embedded_is_off():
        print("The embedded AWS is not running, and it keeps nothing when it stops. Nothing is left.")
        return
    workshop = workshop or connect(ask=False)
    order = [kind.name for kind in RESOURCE_TYPES]
    held = workshop.ledger.entries()
    unknown = [entry for entry in held if entry.kind not in order]  # a later version of this workshop's, say
    entries = sorted((entry for entry in held if entry.kind in order), key=lambda entry: order.index(entry.kind))
    present = _present(workshop, entries)
    left, answer = _delete(workshop, entries, present, sleep)
    for entry in entries:
        if entry not in left:
            workshop.ledger.removed(entry)
    if left:
        names = ", ".join(f"{entry.kind} {entry.id}" for entry in left)
        raise CleanupError(f"Still there: {names}. {_reason(answer)}; run clean() again in a few minutes.")
    if unknown:
        names = ", ".join(f"{entry.kind} {entry.id}" for entry in unknown)
        raise CleanupError(
            f"Everything else is removed, but of what kind this is, clean() does not know: {names}; "
            f"look for it in AWS, and then delete its lines from {workshop.ledger.path}."
        )
    _report(present, len(entries) - len(present), list(_strays(workshop)))


def remove(workshop: Workshop, entry: Entry) -> None:
    """Delete a thing that the ledger holds, if it is there, and strike it out."""
    kind = _kind(entry)
    client = workshop.client(kind.service)
    if kind.exists(client, entry.id):
        kind.delete(client, entry.id)
    workshop.ledger.removed(entry)


def _delete(
    workshop: Workshop, entries: list[Entry], present: list[Entry], sleep: Callable[[float], None]
) -> tuple[list[Entry], Exception | None]:
    """Delete what is present until nothing of `entries` is; return what is left, and AWS's last refusal.

    Again and again, because Lambda may write a last log line, and so make the log group anew, after the
    group was deleted, and because some things cannot go before others have gone.
    """
    answer: Exception | None = None
    for _ in range(TRIES):
        for entry in present:
            kind = _kind(entry)
            try:
                kind.delete(workshop.client(kind.service), entry.id)
            except (ClientError, BotoCoreError) as error:
                if not says_absent(error):
                    answer = error  # the next round may fare better
        present = _present(workshop, entries)
        if not present:
            break
        sleep(PAUSE)
    return present, answer


def _report(removed: list[Entry], gone_before: int, strays: list[Entry]) -> None:
    for kind in RESOURCE_TYPES:
        names = [entry.id for entry in removed if entry.kind == kind.name]
        if names:
            print(f"Removed {kind.name}: {', '.join(names)}")
    if gone_before:
        print(f"Gone already: {gone_before}")
    for entry in strays:
        print(f"Left alone, because the ledger does not hold it: {entry.kind} {entry.id}")
    print("Nothing of what the ledger holds is left." if strays else "Nothing is left.")


def _kind(entry: Entry) -> ResourceType:
    return next(kind for kind in RESOURCE_TYPES if kind.name == entry.kind)


def _reason(answer: Exception | None) -> str:
    if answer is None:
        return "AWS accepted the deletion but has not finished it"
    if isinstance(answer, ClientError):  # its code alone: the message may hold an ARN and so the account id
        return f"AWS answered {code(answer)} to {answer.operation_name}"
    return f"AWS could not be asked ({type(answer).__name__})"


def _present(workshop: Workshop, entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if _exists(workshop, entry)]


def _exists(workshop: Workshop, entry: Entry) -> bool:
    kind = _kind(entry)
    try:
        return kind.exists(workshop.client(kind.service), entry.id)
    except (ClientError, BotoCoreError) as error:
        raise CleanupError(
            f"Whether {entry.kind} {entry.id} is still there cannot be told. {_reason(error)}; "
            "mend that, and run clean() again."
        ) from None


def _strays(workshop: Workshop) -> Iterator[Entry]:
    """Things that carry this learner's prefix, wherever AWS can list them by name."""
    for kind in RESOURCE_TYPES:
        for listing, name in kind.listed_by.items():
            try:
                found = list(_listed(workshop.client(kind.service), listing, name))
            except (ClientError, BotoCoreError) as error:
                print(f"No list of everything of the kind {kind.name}: {_reason(error)}.")
                continue
            for id in found:
                if id.removeprefix("/aws/lambda/").startswith(f"{workshop.tags['learner']}-"):
                    yield Entry(kind.name, id)


def _listed(client: Any, listing: str, name: str) -> Iterator[str]:
    for found in client.get_paginator(listing).paginate().search(name):
        if found:  # a page without any answers None; a queue is listed by its URL
            yield found.rsplit("/", 1)[-1] if found.startswith("http") else found
