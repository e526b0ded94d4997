"""clean() removes from AWS everything that the workshop has made, and nothing else, and proves that it is gone.

That is what the ledger holds, and what bears the workshop's tags, should the ledger have lost it: what is named with
the learner's prefix, what has an identifier that AWS chose, and what AWS's tagging API finds, whatever its name.
Without a ledger, a thing that bears no tags is known by its prefix alone, and left alone.
"""

import contextlib
import fnmatch
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from ..arguments import CALLABLE, WORKSHOP, YES_NO, or_none, takes
from ..asking import says_yes
from ..connect import WHERE, Workshop, embedded_is_empty, present_aws
from ..errors import WorkshopError
from .ledger import UNKNOWN, Entry, LedgerError
from .tags import bears, tag_filters
from .types import RESOURCE_TYPES, ResourceType, code, says_absent

# SQS may answer for a deleted queue for 60 s, and an event source mapping takes about as long to go.
TRIES, PAUSE = 60, 3.0  # 60 * 3 s == 180 s
SHOWN = 5  # names of a kind

NO_NAME = {"ValidationException", "InvalidInstanceID.Malformed"}  # AWS's answers about what cannot be a name
LOG_GROUPS = "/aws/lambda/"  # where Lambda makes a function's log group


class CleanupError(WorkshopError):
    """Something is left, or AWS cannot be asked; the message is for the reader."""


@takes(workshop=or_none(WORKSHOP), ask=YES_NO, sleep=CALLABLE)
def clean(workshop: Workshop | None = None, *, ask: bool = True, sleep: Callable[[float], None] = time.sleep) -> None:
    """Remove everything in the ledger of the present AWS, print what was removed, and "Nothing is left.".

    Asks before, unless `ask` is False: a cell may run because all of its notebook does. `WORKSHOP_CLEAN=yes` answers in
    advance; where there is nobody to ask, nothing is removed, and that is said.

    What bears this learner's tags is entered before, should the ledger lack it; what is gone already is struck out.
    What has only this learner's prefix is named and left alone. Asks AWS about each thing until it is gone, for three
    minutes at most.

    Raises CleanupError, with what is left and AWS's last answer about it; LedgerError, before anything is removed,
    when the ledger cannot be read and written.
    """
    if workshop is None and embedded_is_empty():
        print("The embedded AWS is not running, and it has kept nothing. Nothing is left.")
        return
    with contextlib.nullcontext(workshop) if workshop else present_aws() as present:
        _clean(present, ask, sleep)


def _clean(workshop: Workshop, ask: bool, sleep: Callable[[float], None]) -> None:
    workshop.ledger.require_writable()
    adopt(workshop)
    if ask and not _agreed(workshop):
        return
    order = [kind.name for kind in RESOURCE_TYPES]
    held = workshop.ledger.entries()
    unknown = [entry for entry in held if entry.kind not in order]  # a later version of this workshop's, say
    entries = sorted((entry for entry in held if entry.kind in order), key=lambda entry: order.index(entry.kind))
    present = _present(workshop, entries)
    left, answer = _delete(workshop, entries, present, sleep)
    _strike_out(workshop, [entry for entry in entries if entry not in left])
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


def adopt(workshop: Workshop) -> None:
    """Enter in the ledger what is the workshop's by its tags, and settle the calls whose answer never came.

    A kind that bears no tags is known by such a call alone: a layer version by its name, a function's log group by
    the function.
    """
    held, unknown = workshop.ledger.entries(), workshop.ledger.unknown()
    adopted: list[Entry] = []
    for entry in _named(workshop, _tagged(workshop), say=lambda text: None):
        ours = entry not in held and (_is_ours(workshop, entry, unknown) or _function_of(entry) in adopted)
        if ours and _exists(workshop, entry):  # EC2 lists a terminated instance for an hour
            workshop.ledger.made(entry)
            adopted.append(entry)
            print(f"Found by its tags, though the ledger did not hold it: {entry.kind} {entry.id}")
    for entry in unknown:
        workshop.ledger.removed(entry)


def is_ours(workshop: Workshop, entry: Entry) -> bool:
    """Whether a thing is the workshop's: by the ledger, or by its tags."""
    return entry in workshop.ledger.entries() or _is_ours(workshop, entry, [])


def _is_ours(workshop: Workshop, entry: Entry, unknown: list[Entry]) -> bool:
    if bears(entry.kind, workshop.client(_kind(entry).service), entry.id, workshop.tags):
        return True
    # e.g. "ada-tools:*", a layer whose version AWS never told; "*" alone would be anybody's
    begun = [each.id for each in unknown if each.kind == entry.kind and each.id != UNKNOWN]
    return any(fnmatch.fnmatchcase(entry.id, pattern) for pattern in begun)


def _function_of(entry: Entry) -> Entry | None:
    """The function whose log group this is, made by Lambda without tags."""
    return Entry("function", entry.id.removeprefix(LOG_GROUPS)) if entry.kind == "log group" else None


def _strike_out(workshop: Workshop, gone: list[Entry]) -> None:
    try:
        for entry in gone:
            workshop.ledger.removed(entry)
    except LedgerError as error:
        raise CleanupError(
            f"What was made is removed, and cannot be struck out. {error} Run clean() again after that."
        ) from None


def _agreed(workshop: Workshop) -> bool:
    """Whether the reader lets all go that the ledger holds. Without anything in it there is no question."""
    held = workshop.ledger.entries()
    if not held or os.environ.get("WORKSHOP_CLEAN") == "yes":
        return True
    counts = Counter(entry.kind for entry in held)
    kinds = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
    print(f"What the workshop has made in {WHERE[workshop.target]} ({kinds}) is to be removed.")
    agreed = says_yes("Type yes to remove it: ")
    if agreed is None:
        print("Nothing was removed, as there is nobody to ask; python3 -m helpers clean removes all of it.")
    elif not agreed:
        print("Nothing was removed; run this cell again when you want it.")
    return bool(agreed)


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
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            print(f"Removed {kind.name}: {', '.join(names[:SHOWN])}{more}")
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
    except (ParamValidationError, ValueError):  # what AWS does not take as a name is not there
        return False
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and code(error) in NO_NAME:
            return False
        raise CleanupError(
            f"Whether {entry.kind} {entry.id[:80]} is still there cannot be told. {_reason(error)}; "
            "put that right, and run clean() again."
        ) from None


def _strays(workshop: Workshop) -> Iterator[Entry]:
    """Things that have this learner's prefix, wherever AWS can list them by name."""
    return (entry for entry in _named(workshop, set(), say=print) if _has_prefix(workshop, entry))


def _has_prefix(workshop: Workshop, entry: Entry) -> bool:
    return entry.id.removeprefix(LOG_GROUPS).startswith(f"{workshop.tags['learner']}-")


def _tagged(workshop: Workshop) -> set[str]:
    """The names of what bears this learner's tags, as AWS's tagging API knows them; none where it may not be asked."""
    filters = tag_filters(workshop.tags)
    pages = workshop.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=filters)
    try:
        arns = [each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]]
    except (ClientError, BotoCoreError):
        return set()
    return {re.split("[:/]", arn)[-1] for arn in arns}


def _named(workshop: Workshop, tagged: set[str], say: Callable[[str], None]) -> Iterator[Entry]:
    """What AWS lists with this learner's prefix, with an identifier that AWS chose, or with a name of `tagged`."""
    for kind in RESOURCE_TYPES:
        for listing, place in kind.listed_by.items():
            try:
                found = list(workshop.client(kind.service).get_paginator(listing).paginate().search(place))
            except (ClientError, BotoCoreError) as error:
                say(f"No list of everything of the kind {kind.name}: {_reason(error)}.")
                continue
            for entry in (Entry(kind.name, _id(text)) for text in found if text):  # a page without any answers None
                named = _has_prefix(workshop, entry) or entry.id.removeprefix(LOG_GROUPS) in tagged
                if kind.chosen_by_aws or named:
                    yield entry


def _id(listed: str) -> str:
    """The identifier in what a list holds: of a queue its URL, of a topic and a layer version their ARN."""
    if listed.startswith("http"):
        return listed.rsplit("/", 1)[-1]
    if listed.startswith("arn:"):
        return listed.split(":layer:")[-1] if ":layer:" in listed else listed.rsplit(":", 1)[-1]
    return listed
