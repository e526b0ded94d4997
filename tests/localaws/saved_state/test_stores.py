"""Entries in pieces: a small change of a long entry is a small change of what is written."""

from collections import defaultdict

import pytest

from helpers.localaws.saved_state.stores import LONG, WHOLE, joined, pieces

MANY = {str(number): {"n": number} for number in range(3 * LONG + 1)}
ENTRIES = [
    (("account", "small"), {"items": {"1": {}}, "name": "small"}),
    (("account", "table"), {"items": defaultdict(dict, MANY), "name": "table"}),
    (("account", "points"), list(range(2 * LONG))),
    (("account", "queue"), {"messages": list(range(LONG + 1)), "tags": dict(MANY)}),
    ("text", "x" * 5000),
]


def test_entries_come_back_as_they_were():
    found = dict(joined(pieces(ENTRIES)))
    assert found == dict(ENTRIES)
    assert found["account", "table"]["items"]["new"] == {}
    assert list(found["account", "table"]["items"]) == [*MANY, "new"]


def test_what_is_long_is_in_pieces_and_the_rest_whole():
    numbers = [(key[1], member, number) for (key, member, number), _ in pieces(ENTRIES)]
    assert [each for each in numbers if each[0] == "table"] == [
        ("table", "", WHOLE), *(("table", "items", number) for number in range(4)),
    ]  # fmt: skip
    assert ("small", "", WHOLE) in numbers and ("points", "", 1) in numbers and ("points", "", 2) not in numbers


@pytest.mark.parametrize(("at", "pieces_changed"), [("5", 1), (str(3 * LONG), 1), ("new", 1)])
def test_one_change_is_one_piece(at, pieces_changed):
    before = dict(pieces(ENTRIES))
    changed = {"items": {**MANY, at: {"n": -1}}, "name": "table"}
    after = dict(pieces([(("account", "table"), changed)]))
    assert sum(before.get(piece) != value for piece, value in after.items()) == pieces_changed
