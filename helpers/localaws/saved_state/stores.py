"""Stores: what is saved together under a name, entry by entry; a long entry in pieces, so that little is written."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

LONG = 200  # members from which on an entry, or a member of it, is in pieces of so many

Key = Hashable  # of plain values, so that its repr says all of it
Piece = tuple[
    Key, str, int
]  # of an entry: which member of it ("" is itself), and the number; WHOLE is what is not long
WHOLE = -1


@dataclass(frozen=True)
class Store:
    """Entries by their keys, as plain values: `entries` gives all of them, `restore` puts one back.

    `group` is the service whose requests change it. `has_blobs` says whether values in it can be large, and `appends`
    that its entries are lists whose items never change: what stands between two that are as before is as before, too.
    """

    name: str
    group: str
    entries: Callable[[], Iterable[tuple[Key, Any]]]
    restore: Callable[[Any, Any], None]
    has_blobs: bool = False
    appends: bool = False


def pieces(entries: Iterable[tuple[Key, Any]]) -> Iterator[tuple[Piece, Any]]:
    """All entries in pieces."""
    for key, value in entries:
        long = _long(value)
        yield (key, "", WHOLE), _without(value, long)
        for member, many in long.items():
            items = iter(many.items() if isinstance(many, dict) else many)
            for number in itertools.count():
                some = list(itertools.islice(items, LONG))
                if not some:
                    break
                yield (key, member, number), some


def joined(found: Iterable[tuple[Piece, Any]]) -> Iterator[tuple[Key, Any]]:
    """The entries again, of pieces that come in order: each entry's own, its members' by their numbers."""
    entries: dict[Key, Any] = {}
    for (key, member, number), value in found:
        if number == WHOLE:
            entries[key] = value
            continue
        many = entries[key][member] if member else entries[key]
        (many.update if isinstance(many, dict) else many.extend)(value)
    yield from entries.items()


def _long(value: Any) -> dict[str, Any]:
    """What of a value is long: its members by their names, or itself, by none."""
    if type(value) is list:
        return {"": value} if len(value) > LONG else {}
    if type(value) is not dict:
        return {}
    return {
        member: each
        for member, each in value.items()
        if type(each) in (list, dict, defaultdict) and len(each) > LONG and type(member) is str and member
    }


def _without(value: Any, long: dict[str, Any]) -> Any:
    if not long:
        return value
    if "" in long:
        return []
    return {member: _empty(each) if member in long else each for member, each in value.items()}


def _empty(many: Any) -> Any:
    return defaultdict(many.default_factory) if isinstance(many, defaultdict) else type(many)()
