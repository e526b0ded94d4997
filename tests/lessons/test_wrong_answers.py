"""Every exercise whose answer is judged by itself: known wrong answers get their sentence, and no AWS is asked."""

import os
import re
import socket
import subprocess
import sys

import pytest
from notebook_cells import refused

from helpers import lessons
from helpers.exercises import Answer, WrongAnswer, exercise
from helpers.settings import ROOT

ANSWERS = [each for each in lessons.exercises().values() if isinstance(each, Answer)]
WRONG = [
    pytest.param(each, wrong, id=f"{each.number} {wrong.name}") for each in ANSWERS for wrong in each.wrong_answers
]
# Solved in a process of its own: a function and a dictionary.
SOLVES = """
from helpers import check, lessons
from helpers.exercises import NotSolved

bill = lessons.lesson("03").module("checks").right_bill
quiz = lessons.lesson("18").module("checks").QUIZ
check("03.1", bill)
check("18.1", {name: question.right for name, question in quiz.items()})
try:
    check("03.1", lambda frame: 0.0)
except NotSolved as wrong:
    print(wrong)
"""


@pytest.fixture(autouse=True)
def without_aws(monkeypatch, tmp_path) -> None:
    """An empty home, in which no AWS runs; whoever connects all the same is an error that is no NotSolved."""
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    monkeypatch.setattr(exercise, "connect", _refuse)
    monkeypatch.setattr(socket.socket, "connect", _refuse)


def _refuse(*_: object) -> None:
    raise AssertionError("the judge of an answer asks for an AWS")


@pytest.mark.parametrize("exercise", ANSWERS, ids=lambda exercise: exercise.number)
def test_an_exercise_knows_wrong_answers_and_each_by_a_name_of_its_own(exercise: Answer):
    names = [wrong.name for wrong in exercise.wrong_answers]
    assert names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("exercise", "wrong"), WRONG)
def test_a_wrong_answer_gets_its_sentence(exercise: Answer, wrong: WrongAnswer, capsys):
    text = refused(exercise.number, wrong.answer)
    assert text.startswith("Not yet. ") and "\n" not in text
    assert re.search(wrong.says, text), text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("exercise", ANSWERS, ids=lambda exercise: exercise.number)
def test_a_check_without_an_answer_asks_for_it(exercise: Answer):
    asks = f'Give the check your {exercise.form}: check("{exercise.number}", {exercise.asks_for}).'
    assert asks in refused(exercise.number)
    assert asks in refused(exercise.number, 0.38)


@pytest.mark.parametrize("target", ["embedded", "aws"])
def test_answers_are_judged_without_credentials_and_with_the_embedded_aws_stopped(target, tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "HOME": str(tmp_path)}
    settings = {"WORKSHOP_TARGET": target, "WORKSHOP_HOME": str(tmp_path / "work"), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-c", SOLVES], cwd=ROOT, env=kept | nowhere | settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    solved_bill, solved_quiz, refused_bill = done.stdout.splitlines()
    assert solved_bill.startswith("Exercise 03.1, the bill: solved.")
    assert solved_quiz.startswith("Exercise 18.1, the quiz: solved.")
    assert refused_bill.startswith("Not yet. bill returned 0 where")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["progress.json"], "nothing was started"
