"""What a learner's work folder held in November 2026 is understood by every later workshop.

The texts below are those files, to the letter: they are not to be changed with the code, but added to.
"""

import json
import os
from datetime import datetime

import pytest

from helpers import aws_choice, draw_map, hint, lessons
from helpers.exercises.lab import labs
from helpers.resources.ledger import Entry, Ledger
from helpers.resources.types import RESOURCE_TYPES
from helpers.session import progress, starting_points

EXERCISES = {  # of a notebook: how many
    **{"01": 2, "02": 3, "03": 3, "04": 2, "05": 3, "06": 3, "07": 3, "08": 2, "09": 1, "10": 2},
    **{"11": 3, "12": 3, "13": 2, "14": 2, "15": 2, "16": 1, "17": 1, "18": 2},
}
GONE = {"12.3"}  # the hours of a month are a prediction now
PROGRESS = """\
{
 "solved": {
  "01.1": "2026-11-20T09:12:31+00:00",
  "01.2": "2026-11-20T09:20:02+00:00",
  "09": "2026-11-24T09:00:00+00:00"
 },
 "hints": {
  "09": 2,
  "16": 1
 },
 "language": "node"
}
"""
LAB_17 = """\
{
 "solved": {
  "17": "2026-11-25T10:31:02+00:00"
 },
 "hints": {
  "17": 2
 },
 "language": "python"
}
"""
PLACE = "embedded http://127.0.0.1:4566 us-east-1"
LEDGER = """\
{"event": "made", "kind": "role", "id": "ada-lambda-role", "place": "embedded http://127.0.0.1:4566 us-east-1", \
"time": "2026-11-20T09:10:00+00:00"}
{"event": "made", "kind": "function", "id": "ada-slack", "place": "embedded http://127.0.0.1:4566 us-east-1", \
"time": "2026-11-20T09:10:01+00:00"}
{"event": "made", "kind": "bucket", "id": "ada-uploads", "place": "aws 5f2a1c us-east-1", \
"time": "2026-11-21T08:00:00+00:00"}
{"event": "made", "kind": "queue", "id": "ada-orders", "place": "embedded http://127.0.0.1:4566 us-east-1", \
"time": "2026-11-21T09:10:02+00:00"}
{"event": "removed", "kind": "queue", "id": "ada-orders", "place": "embedded http://127.0.0.1:4566 us-east-1", \
"time": "2026-11-21T09:30:00+00:00"}
"""
KINDS = {  # that a ledger may hold
    "event source mapping",
    "schedule",
    "rule",
    "state machine",
    "HTTP API",
    "function URL",
    "function",
    "layer version",
    "log group",
    "alarm",
    "topic",
    "queue",
    "Auto Scaling group",
    "launch template",
    "instance",
    "bucket",
    "table",
    "DB proxy",
    "DB instance",
    "DB parameter group",
    "secret",
    "role",
}
MINE = "export const handler = async () => ({ posted: 'mine' });\n"


@pytest.fixture(autouse=True)
def old_work(tmp_path, monkeypatch):
    """The folder, as somebody left it who solved notebooks 01 and 09, the latter in Node.js."""
    work = tmp_path / "work"
    for number, language, file in (
        ("09", "node", "index.mjs"),
        ("09", "python", "app.py"),
        ("16", "node", "index.mjs"),
    ):
        copy = work / "labs" / number / language / file
        copy.parent.mkdir(parents=True)
        copy.write_bytes(labs()[number].starter(language).read_bytes())
    (work / "labs" / "09" / "node" / "index.mjs").write_text(MINE)
    (work / "labs" / "09" / "app.py.bak").write_text("# what stood there before a reset\n")
    (work / "progress.json").write_text(PROGRESS)
    (work / "ledger.jsonl").write_text(LEDGER)
    (work / "target").write_text("aws\n")
    monkeypatch.setenv("WORKSHOP_HOME", str(work))
    monkeypatch.delenv("WORKSHOP_TARGET", raising=False)
    return work


def test_every_exercise_has_kept_its_number():
    old = {
        f"{notebook}.{number}" if several > 1 else notebook
        for notebook, several in EXERCISES.items()
        for number in range(1, several + 1)
    }
    assert len(old) == 40
    assert {progress.RENAMED.get(number, number) for number in old - GONE} <= set(lessons.exercises())
    gone = GONE | set(progress.RENAMED)
    assert not gone & set(lessons.exercises()), "its number is not given to another"


def test_what_is_solved_counts():
    assert progress.solved() == {"01.1", "01.2", "09"}
    assert progress.of_notebook("01") == (2, 2)
    assert progress.summary() == f"3 of {len(lessons.exercises())} exercises solved"
    assert "01  What is Lambda?  ✓" in [text.get_text() for text in draw_map().texts]


def test_what_is_solved_now_is_added_to_it(old_work):
    progress.solve("16")
    old, now = (json.loads(text) for text in (PROGRESS, (old_work / "progress.json").read_text()))
    solved = now["solved"].pop("16")
    assert datetime.fromisoformat(solved)
    assert now == old
    assert progress.solved() == {"01.1", "01.2", "09", "16"}


def test_what_was_solved_or_hinted_at_under_an_old_number_counts(old_work, capsys):
    (old_work / "progress.json").write_text(LAB_17)
    assert progress.solved() == {"17.2"}
    assert progress.of_notebook("17") == (1, 2)
    hint("17.2")
    assert capsys.readouterr().out.startswith("Hint 3 of 4: ")
    progress.forget(["17.2"])
    assert progress.solved() == set()


def test_hints_go_on_where_they_were(capsys):
    hint("09")
    assert capsys.readouterr().out.startswith("Hint 3 of 4: ")
    hint("16")
    assert capsys.readouterr().out.startswith("Hint 2 of 4: ")


def test_the_language_is_the_one_that_was_chosen_or_written_in():
    assert progress.language() == "node"
    assert [lab.language() for lab in labs().values()] == ["node", "node", "node"]
    python = labs()["09"].copy("python")
    python.write_text("# mine as well\n")
    os.utime(python, (python.stat().st_mtime + 10,) * 2)
    assert labs()["09"].language() == "python"


def test_own_files_stay_and_lacking_starters_are_added(old_work):
    folder = starting_points.start_at("09", "node")
    assert folder == old_work / "labs" / "09"
    assert (folder / "node" / "index.mjs").read_text() == MINE
    assert (folder / "app.py.bak").read_text() == "# what stood there before a reset\n"
    assert labs()["09"].copy("ruby").read_bytes() == labs()["09"].starter("ruby").read_bytes()


def test_the_aws_that_was_chosen_is_used():
    assert (aws_choice.setting(), aws_choice.chosen()) == ("aws", "aws")


def test_the_ledger_tells_what_is_left(old_work, capsys):
    ledger = Ledger(old_work / "ledger.jsonl", PLACE)
    assert ledger.entries() == [Entry("role", "ada-lambda-role"), Entry("function", "ada-slack")]
    assert Ledger(ledger.path, "aws 5f2a1c us-east-1").entries() == [Entry("bucket", "ada-uploads")]
    ledger.removed(Entry("function", "ada-slack"))
    assert ledger.entries() == [Entry("role", "ada-lambda-role")]
    assert capsys.readouterr().out == ""


def test_every_kind_that_a_ledger_may_hold_can_be_removed():
    assert {each.name for each in RESOURCE_TYPES} >= KINDS
