"""What of the record goes to the class: the kinds and the members that are allowed, and nothing else."""

import json

import pytest

from helpers.classroom.entries import LONGEST, MEMBERS, for_class, one_line

AT = {"at": 1700000000.5, "notebook": "04"}
SOUND = {
    "section": {"section": "Measure it", "cell": "abc"},
    "prediction": {"key": "04.a", "text": "12"},
    "measured": {"key": "04.a", "text": "42 times"},
    "attempt": {"exercise": "04.2", "solved": False, "sentence": "Not yet.", "answer": "SECRET"},
    "hint": {"exercise": "04.2", "number": 1},
    "solution": {"exercise": "04.2"},
}


@pytest.mark.parametrize("kind", SOUND)
def test_an_entry_has_the_members_of_its_kind_and_no_other(kind):
    sent = for_class({"kind": kind, **AT, **SOUND[kind], "webhook": "x", "output": "y"})
    assert set(sent) == {"kind", "at", "notebook", *MEMBERS[kind]}
    assert "SECRET" not in json.dumps(sent)
    assert for_class(sent) == sent, "the instructor's side takes what the learner's side sends"


def test_all_kinds_are_tried():
    assert set(SOUND) == set(MEMBERS)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {},
        {"kind": "table", **AT, "name": "f", "columns": [], "rows": [], "total": 0},
        {"kind": "bill", **AT, "usd": 1.0, "text": "x"},
        {"kind": ["hint"], **AT},
        {"kind": "hint", **AT, "exercise": "04.2"},
        {"kind": "hint", **AT, "exercise": "=1+1", "number": 1},
        {"kind": "hint", **AT, "exercise": "04.2\n", "number": 1},
        {"kind": "prediction", **AT, "key": "my own", "text": "x"},
        {"kind": "section", "at": 1.0, "notebook": "notes", "section": "x"},
        {"kind": "hint", **AT, "exercise": "04.2", "number": True},
        {"kind": "hint", **AT, "exercise": "04.2", "number": -1},
        {"kind": "hint", **AT, "exercise": "04.2", "number": 10**30},
        {"kind": "attempt", **AT, "exercise": "04.2", "solved": 1, "sentence": "x"},
        {"kind": "solution", "notebook": "04", "exercise": "04.2"},
        {"kind": "solution", "at": float("nan"), "notebook": "04", "exercise": "04.2"},
        {"kind": "solution", "at": 1e300, "notebook": "04", "exercise": "04.2"},
        {"kind": "solution", "at": 10**400, "notebook": "04", "exercise": "04.2"},
        {"kind": "solution", "at": True, "notebook": "04", "exercise": "04.2"},
        {"kind": "solution", "at": 1.0, "notebook": 4, "exercise": "04.2"},
    ],
)
def test_anything_else_stays_where_it_is(entry):
    assert for_class(entry) is None


def test_a_text_is_one_line_that_can_be_seen_without_a_webhook():
    assert one_line("a\n\x1b[31mb\u202e c\x00") == "a [31mb c"
    assert one_line("see https://hooks.slack.com/services/T0/B0/abc now") == "see https://hooks.slack.com/…(hidden) now"
    assert len(one_line("x" * 10_000)) == LONGEST
    assert one_line("<b>") == "<b>", "a page escapes it"
