"""Entries as bytes: plain values come back as they were, large ones lie beside, and nothing else is made of bytes."""

import os
import pickle
import struct
from collections import defaultdict, deque
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from helpers.localaws.saved_state import pickles

PLAIN = {
    "text": "ä\ud800",
    "numbers": [1, 2.5, -(2**70), Decimal("1.10")],
    ("a", None): {"set", "of"},
    "time": datetime(2026, 11, 30, tzinfo=UTC),
    "bytes": b"\0\xff",
    "queue": deque([1, 2]),
    "nested": {"tables": defaultdict(dict, {"k": {"s": 1}})},
}


def none(digest):
    raise AssertionError("there is no large value")


@pytest.mark.parametrize("blobs", [None, pickles.Blobs()], ids=["inside", "beside"])
def test_plain_values_come_back_as_they_were(blobs):
    data, large = pickles.encoded(PLAIN, blobs)
    value, found = pickles.decoded(data, none)
    assert (value, large, found) == (PLAIN, {}, set())
    assert value["nested"]["tables"]["new"] == {}


def test_what_is_large_is_there_once_by_its_digest():
    code, blobs = os.urandom(pickles.LARGE), pickles.Blobs()
    data, large = pickles.encoded([{"code": code}, {"code": code}, b"small"], blobs)
    assert list(large.values()) == [code] and len(data) < 200
    value, found = pickles.decoded(data, large.__getitem__)
    assert value == [{"code": code}, {"code": code}, b"small"] and found == set(large)
    blobs.keep(set())
    assert pickles.encoded(bytes(bytearray(code)), blobs)[1] == large


@pytest.mark.parametrize("made", [os.system, eval, struct.Struct, pickles.Blobs, getattr])
def test_bytes_that_name_anything_else_are_refused(made):
    with pytest.raises(pickles.Refusal, match="has no place in the state"):
        pickles.decoded(pickle.dumps(made), none)


@pytest.mark.parametrize("around", [lambda x: x, lambda x: {"a": [{"b": x}]}, lambda x: [("key", {"body": x})]])
def test_whether_there_is_something_large(around):
    assert pickles.holds_large(around(b"x" * pickles.LARGE))
    assert not pickles.holds_large(around(b"x" * (pickles.LARGE - 1)))
