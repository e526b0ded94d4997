"""The notebooks in solutions/ count for nobody, and leave the reader's files alone."""

import os
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import lessons, settings
from helpers.authoring.execution import kernel
from helpers.authoring.source import APART, Source, is_exercise
from helpers.exercises.lab import labs
from helpers.session import progress

SOLVES = f"""
{APART}
from helpers import check, hint, lessons, start_at
from helpers.exercises.lab import labs

check("18.1", lessons.lesson("18").module("checks").RIGHT_ANSWERS)
hint("18.1")
start_at("09", "ruby")
labs()["09"].copy("ruby").write_text("the answer")
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    return tmp_path / "work"


def test_what_is_solved_in_a_solution_counts_nothing_and_writes_over_no_file_of_the_readers(home):
    mine = labs()["09"].copy("ruby")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    progress.choose_language("node")
    before = (home / progress.FILE).read_bytes()
    done = subprocess.run([sys.executable, "-c", SOLVES], cwd=settings.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Exercise 18.1, the quiz: solved." in done.stdout
    assert (home / progress.FILE).read_bytes() == before
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.number)
def test_every_solution_says_so_before_it_uses_anything_of_ours_and_no_starter_does(lesson):
    source = Source(lesson)
    assert not any(APART in cell.source for cell in source.starter().cells)
    ours = [cell.source for cell in source.solved().cells if cell.cell_type == "code" and "helpers" in cell.source]
    assert [text.count(APART) for text in ours] == [1] + [0] * (len(ours) - 1)
    assert ours[0].index(APART) < ours[0].index("from helpers")
    assert not is_exercise(ours[0])


def test_the_next_notebook_of_a_kernel_counts_again(home, tmp_path):
    says = "import helpers.settings; print(helpers.settings.is_solution)"
    solution, starter, again = (
        new_notebook(cells=[new_code_cell(code)]) for code in (f"{APART}{says}", says, f"{APART}{says}")
    )
    with kernel(os.environ) as started:
        for notebook in (solution, starter, again):
            assert started.execute(notebook, tmp_path) == []
    said = [notebook.cells[0].outputs[0].text for notebook in (solution, starter, again)]
    assert said == ["True\n", "False\n", "True\n"]
