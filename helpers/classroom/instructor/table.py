"""What is left of a class at its end: one CSV, a row for each learner."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ...pages.spreadsheets import no_formula
from .room import Learner, Room


def csv_of(room: Room) -> str:
    """The class as CSV: who, at which section, each exercise and each prediction that anybody came to."""
    exercises = sorted({each for learner in room.learners for each in (*learner.attempts, *learner.hints)})
    questions = sorted({each for learner in room.learners for each in (*learner.predictions, *learner.measured)})
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow([no_formula(cell) for cell in _header(exercises, questions)])
    for learner in room.learners:
        rows.writerow([no_formula(str(cell)) for cell in _cells(learner, exercises, questions)])
    return out.getvalue()


def _header(exercises: list[str], questions: list[str]) -> list[str]:
    judged = [f"{each} {what}" for each in exercises for what in ("solved", "attempts", "hints")]
    asked = [f"{each} {what}" for each in questions for what in ("predicted", "measured")]
    return ["name", "joined", "seen", "notebook", "section", "solved", *judged, *asked]


def _cells(learner: Learner, exercises: list[str], questions: list[str]) -> Iterator[Any]:
    member = learner.member
    yield from (member.name, _time(member.joined), _time(member.seen))
    yield from learner.place or ("", "")
    yield len(learner.solved)
    for each in exercises:
        yield _time(learner.solved[each]) if each in learner.solved else ""
        yield learner.attempts[each].count if each in learner.attempts else 0
        yield learner.hints[each]
    for each in questions:
        yield learner.predictions.get(each, "")
        yield learner.measured.get(each, "")


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
