"""What is damaged is told with its text, and the rest is read."""

import base64
import json

import pytest
from kept_session import output, picture

from helpers.review import session
from helpers.review.notebooks import text_of


def sentences() -> list[str]:
    return [each.sentence for each in session.read().problems]


def test_nothing_is_empty(kept):
    assert session.read().is_empty


def test_a_copy_that_nobody_has_run_is_nothing_yet(kept):
    kept.keep("04", kept.notebook("04"))
    assert session.read().is_empty
    notebook = kept.notebook("04")
    next(each for each in notebook["cells"] if each["cell_type"] == "code")["execution_count"] = 1
    kept.keep("04", notebook)
    assert not session.read().is_empty


@pytest.mark.parametrize(
    "line, why",
    [
        ('{"at": 17, "kin', "is damaged"),
        ("[]", "is damaged"),
        ("null", "is damaged"),
        ('{"kind": "hint", "exercise": "04.1"}', "is damaged"),
        ('{"at": 17, "kind": "hint", "exercise": "04.1"}', "has no time"),
        ('{"at": NaN, "kind": "hint", "exercise": "04.1"}', "has no time"),
        ('{"at": 1e300, "kind": "hint", "exercise": "04.1"}', "has no time"),
        ('{"at": 1780000000, "kind": "dance"}', "does not know"),
        ('{"at": 1780000000, "kind": "hint", "notebook": "04"}', "lacks a sound “exercise”"),
        ('{"at": 1780000000, "kind": "hint", "exercise": 4}', "lacks a sound “exercise”"),
        ('{"at": 1780000000, "kind": "attempt", "exercise": "04.1", "solved": "yes", "sentence": ""}', "“solved”"),
        ('{"at": 1780000000, "kind": "hint", "exercise": "77.1"}', "does not have"),
        ('{"at": 1780000000, "kind": "section", "notebook": "77", "section": "x"}', "does not have"),
        ('{"at": 1780000000, "kind": "table", "notebook": "04", "name": "f", "columns": 1, "rows": []}', "“columns”"),
        ("\x00\ufffd", "is damaged"),
    ],
)
def test_a_line_that_is_damaged_is_told_and_the_others_are_read(kept, line, why):
    kept.section("04", "After a rest")
    kept.write_line(line)
    kept.section("04", "By language")
    found = session.read()
    assert [each.told["section"] for each in found.entries] == ["After a rest", "By language"]
    [problem] = found.problems
    assert problem.sentence.startswith("Line 2 of the record") and why in problem.sentence and problem.text == line


def test_a_last_line_without_an_end_is_told(kept):
    kept.section("04", "After a rest")
    with (kept.home / "record.jsonl").open("a") as file:
        file.write('{"at": 1')
    assert [each.text for each in session.read().problems] == ['{"at": 1']


def test_a_damaged_line_shows_no_secret(kept):
    kept.write_line('{"sentence": "arn:aws:iam::123456789012:role/x')
    [problem] = session.read().problems
    assert "123456789012" not in problem.text and "role/x" in problem.text


def test_a_record_that_is_a_folder_is_told(kept):
    (kept.home / "record.jsonl").mkdir(parents=True)
    [sentence] = sentences()
    assert "cannot be read" in sentence


def test_damaged_progress_is_told(kept):
    kept.home.mkdir(parents=True)
    (kept.home / "progress.json").write_text("{")
    [sentence] = sentences()
    assert "progress.json" in sentence


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"cells": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_notebook_that_is_none_is_told_and_its_starter_shown(kept, content):
    kept.path("04").parent.mkdir(parents=True)
    kept.path("04").write_bytes(content)
    found = session.read()
    [problem] = found.problems
    assert "04-cold-start.ipynb cannot be read" in problem.sentence and str(kept.path("04")) in problem.sentence
    assert not found.notebooks["04"].is_own and found.notebooks["04"].section("After a rest")
    assert kept.path("04").read_bytes() == content


def test_a_damaged_cell_is_told_and_the_others_are_there(kept):
    notebook = kept.notebook("04")
    before = len(notebook["cells"])
    notebook["cells"][3:5] = [7, {"cell_type": "code"}]
    kept.keep("04", notebook)
    found = session.read()
    assert sentences() == [f"Cell {place} of 04-cold-start.ipynb is damaged and left out." for place in (4, 5)]
    assert len(found.notebooks["04"].cells) == before - 2


def with_output(kept, *outputs) -> session.Session:
    notebook = kept.notebook("04")
    cell = [each for each in notebook["cells"] if each["id"] == "shift"][0]
    cell["outputs"], cell["execution_count"] = list(outputs), 1
    kept.keep("04", notebook)
    return session.read()


def test_a_picture_has_its_words_and_its_section(kept):
    found = with_output(kept, picture("Cold starts take 9 times as long."))
    [shown] = found.notebooks["04"].pictures
    assert shown.alt == "Cold starts take 9 times as long." and shown.source.startswith("data:image/png;base64,iVBOR")
    assert shown.section.title == "Exercise 4: a tenth of the calls, and back" and not found.problems


SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><text>123456789012</text></svg>'


def test_a_still_is_an_image_in_which_nothing_runs(kept):
    found = with_output(kept, output(image_svg_xml=SVG, text_plain="1 environment of hello."))
    [shown] = found.notebooks["04"].pictures
    kind, _, content = shown.source.partition(";base64,")
    assert kind == "data:image/svg+xml" and shown.alt == "1 environment of hello."
    assert "123456789012" not in base64.b64decode(content).decode()


@pytest.mark.parametrize(
    "data",
    [
        {"image_png": "no base64!"},
        {"image_png": base64.b64encode(b"<html>").decode()},
        {"image_png": {"a": 1}},
        {"image_png": ""},
        {"image_svg_xml": "<svg"},
        {"image_svg_xml": "<html></html>"},
        {"image_svg_xml": '<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'},
    ],
)
def test_a_picture_that_is_none_is_told(kept, data):
    found = with_output(kept, output(**data))
    assert found.notebooks["04"].pictures == []
    assert [each.sentence for each in found.problems] == [
        "A picture in the section “Exercise 4: a tenth of the calls, and back” of 04-cold-start.ipynb is damaged and "
        "left out."
    ]


@pytest.mark.parametrize(
    "found, shown",
    [
        ({"output_type": "stream", "text": ["a\n", "b"]}, [("text", "a\nb")]),
        ({"output_type": "stream", "text": "10%\r50%\r100%\n"}, [("text", "100%\n")]),
        ({"output_type": "error", "ename": "X", "evalue": "y", "traceback": []}, [("text", "X: y")]),
        ({"output_type": "error", "traceback": ["\x1b[31mred\x1b[0m"]}, [("text", "red")]),
        (output(text_html="<b>x</b>", text_plain="x"), [("html", "<b>x</b>")]),
        (output(text_markdown="*x*"), [("markdown", "*x*")]),
        (output(text_plain="arn:aws:iam::123456789012:x"), [("text", "arn:aws:iam::…(hidden):x")]),
        ({"output_type": "stream", "text": 7}, []),
        (output(), []),
    ],
)
def test_what_an_output_says(found, shown):
    assert list(text_of(found)) == shown


def test_a_long_output_is_cut_and_says_so():
    [(_, text)] = text_of({"output_type": "stream", "text": "x" * 30_000})
    assert len(text) < 21_000 and text.endswith("… (10,000 characters more)")


def test_a_session_of_a_solution_is_none_of_the_readers(kept):
    (kept.home / "solutions").mkdir(parents=True)
    (kept.home / "solutions" / "progress.json").write_text(json.dumps({"solved": {"04.1": "x"}}))
    assert session.read().is_empty
