"""What holds for the exercises of all lessons together."""

import ast
from collections import Counter

import pytest

from helpers import lessons
from helpers.authoring.source import Source, is_check, is_exercise, solved
from helpers.exercises import DeployedFunction

EXERCISES = lessons.exercises()


def test_most_exercises_act_on_a_function_or_on_aws():
    acting = [number for number, exercise in EXERCISES.items() if isinstance(exercise, DeployedFunction)]
    assert len(acting) > len(EXERCISES) / 2


def test_no_title_ends_with_a_mark_as_the_sentence_of_a_check_goes_on_after_it():
    assert [each.title for each in EXERCISES.values() if not each.title[-1].isalnum()] == []


@pytest.mark.parametrize("lesson", ["03", "05"])
def test_most_exercises_about_money_do_so_too(lesson):
    kinds = [isinstance(exercise, DeployedFunction) for exercise in lessons.lesson(lesson).exercises]
    assert sum(kinds) > len(kinds) / 2


def functions_of(code: str) -> list[str]:
    return [each.name for each in ast.parse(code).body if isinstance(each, ast.FunctionDef)]


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.number)
def test_what_a_check_takes_from_an_exercise_is_defined_there_alone(lesson):
    """Else the check, run by itself, would judge what another cell has defined under the same name."""
    code = [cell.text for cell in Source(lesson).cells if cell.kind == "code"]
    defined = Counter(name for text in code for name in functions_of(solved(text)))
    asked = [name for text in code if is_exercise(text) for name in functions_of(solved(text))]
    assert [name for name in asked if defined[name] > 1] == []
    starter = Source(lesson).starter()
    assert not [cell for cell in starter.cells if is_check(cell) and "getsource(handler)" in cell.source]
