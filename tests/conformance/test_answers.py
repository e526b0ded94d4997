"""Answers are written down alike on each AWS, and what differs is named; the page tells what was found."""

import re
from datetime import datetime

import pytest

from helpers.conformance import page
from helpers.conformance.answers import Writer, differences

UUIDS = [f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abc"]


def written(value):
    return Writer("123456789012", "eu-west-1", {"own": "<function>", "own-2": "<function:2>"}).written(value)


def test_names_account_and_region():
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:own-2"
    assert written([arn, "own"]) == ["arn:aws:lambda:<region>:<account>:function:<function:2>", "<function>"]
    assert written("123456789012345") == "123456789012345"


def test_identifiers_are_numbered_as_they_come():
    assert written([UUIDS[1], {"a": UUIDS[0]}, f"RequestId: {UUIDS[1]}"]) == [
        "<id:1>",
        {"a": "<id:2>"},
        "RequestId: <id:1>",
    ]


def test_what_nobody_can_foretell_has_to_have_its_form():
    assert written({"LastModified": "2025-01-02T03:04:05.678+0000"}) == {"LastModified": "<date>"}
    assert written({"LastModified": "2025-01-02"}) == {"LastModified": "2025-01-02"}
    assert written({"LastModified": datetime(2025, 1, 2), "CodeSize": 7}) == {
        "LastModified": "<date>",
        "CodeSize": "<size>",
    }
    assert written({"CodeSize": 0}) == {"CodeSize": 0}


@pytest.mark.parametrize(
    ("expected", "found", "lines"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {}, ["a is missing"]),
        ({}, {"a": []}, ["a is there ([])"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a[1].b: AWS gives 2, this one 3"]),
        ([1], [1, 2], ["the answer: AWS gives [1], this one [1, 2]"]),
        (1, True, ["the answer: AWS gives 1, this one true"]),
        ({"a": re.compile("x+")}, {"a": "xx"}, []),
        ({"a": re.compile("x+")}, {"a": "xy"}, ['a: "xy" does not match x+']),
    ],
)
def test_differences_are_named_with_their_places(expected, found, lines):
    assert differences(expected, found) == lines


ROWS = [
    page.Row("A", "one", True, {"ours": True, "theirs": False}, "", ""),
    page.Row("A", "two", True, {"ours": False, "theirs": False}, "", "It is not there yet."),
    page.Row("B", "three", True, {"ours": False, "theirs": True}, "It is refused.", ""),
]


def test_the_table_counts_by_area():
    assert page.table(ROWS).splitlines()[2:] == ["| A | 2 | 1 | 0 |", "| B | 1 | 0 | 1 |", "| all | 3 | 1 | 1 |"]


def test_the_page_says_why_and_counts_what_is_not_refused():
    part = page.part(ROWS, "ours")
    assert "1 agree (50.0 %)" in part
    assert "- **A**, two: It is not there yet." in part and "- **B**, three: It is refused." in part


def test_the_page_is_what_its_data_makes():
    rows, members = page.read()
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.PART.search(text)[0] == page.part(rows, "embedded AWS")
    assert page.MEMBERS.search(text)[0] == page.members_part(members)
