"""The CSV that is left of a class: a row for each learner, and no cell that a spreadsheet computes."""

import csv
import io

from helpers.classroom.instructor.room import Attempts, Learner, Place, Room
from helpers.classroom.instructor.store import Member
from helpers.classroom.instructor.table import csv_of


def read(*learners: Learner) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_of(Room(list(learners), 0.0)))))


def learner(name: str = "Ada") -> Learner:
    return Learner(Member("id", name, 0.0, 60.0, None))


def test_a_row_for_each_learner():
    ada, grace = learner(), learner('Grace, the "admiral"\nHopper')
    ada.place = Place("04", "Reuse")
    ada.attempts["04.2"] = Attempts(count=3)
    ada.solved["04.2"] = 120.0
    ada.hints["04.3"] = 2
    grace.predictions["04.a"], grace.measured["04.a"] = "12", "42 times"
    first, second = read(ada, grace)
    assert first == {
        "name": "Ada",
        "joined": "1970-01-01T00:00:00+00:00",
        "seen": "1970-01-01T00:01:00+00:00",
        "notebook": "04",
        "section": "Reuse",
        "solved": "1",
        "04.2 solved": "1970-01-01T00:02:00+00:00",
        "04.2 attempts": "3",
        "04.2 hints": "0",
        "04.3 solved": "",
        "04.3 attempts": "0",
        "04.3 hints": "2",
        "04.a predicted": "",
        "04.a measured": "",
    }
    assert second["name"] == 'Grace, the "admiral"\nHopper' and second["04.a measured"] == "42 times"


def test_no_cell_is_a_formula():
    for begins in ("=", "+", "-", "@", "\t", "\r"):
        ada = learner(f'{begins}HYPERLINK("http://evil.example")')
        ada.place = Place("04", f"{begins}1+1")
        ada.predictions["04.a"] = f"{begins}cmd|'/c calc'!A1"
        ada.measured["04.a"] = f"{begins}2*3"
        [row] = read(ada)
        for name in ("name", "section", "04.a predicted", "04.a measured"):
            assert row[name].startswith(f"'{begins}"), name


def test_a_heading_is_no_formula_either():
    ada = learner()
    ada.predictions["=1+1"] = "x"
    ada.hints["@SUM(A1)"] = 1
    header, *_ = csv.reader(io.StringIO(csv_of(Room([ada], 0.0))))
    assert not [cell for cell in header if cell[:1] in "=+-@"]


def test_a_class_of_nobody_is_a_header():
    assert csv_of(Room([], 0.0)) == "name,joined,seen,notebook,section,solved\r\n"
