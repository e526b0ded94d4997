"""What stands beside a section: its notes as HTML, the solution of the next exercise, and how learners get there."""

import tomllib

import pytest

from helpers import lessons
from helpers.authoring.source import Source
from helpers.presenting import beside, plans
from helpers.session import progress, starting_points

PLANS = tomllib.loads(plans.FILE.read_text(encoding="utf-8"))
PLANNED = sorted({step.lesson.number for name in PLANS for step in plans.read(name).steps})


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_each_exercise_stands_in_one_section(lesson):
    plan = plans.of_lesson(lesson.number)
    found = [exercise.number for step in plan.steps for exercise in beside.exercises_of(step)]
    assert found == [exercise.number for exercise in lesson.exercises]


def test_the_solution_is_that_of_the_next_exercise():
    plan = plans.of_lesson("01")
    headings = [step.section.heading for step in plan.steps]
    for heading, number in (("", "01.1"), ("Serverless", "01.1"), (headings[9], "01.1"), (headings[10], "01.2")):
        solution = beside.next_solution(plan, headings.index(heading))
        assert solution.number == number
        assert solution.text == lessons.exercises()[number].answer().rstrip()
        assert "# solution:" not in solution.text and not solution.file
    assert beside.next_solution(plan, len(headings) - 1) is None


def test_an_exercise_that_a_plan_leaves_out_is_not_offered():
    evening = plans.read("evening")
    at = [step.lesson.number for step in evening.steps].index("02")
    assert beside.next_solution(evening, at) is None
    assert beside.next_solution(plans.of_lesson("02"), 0).number == "02.1"


@pytest.mark.parametrize("language", ["python", "node", "ruby"])
def test_the_solution_of_a_lab_is_a_file_in_the_language_that_was_chosen(language):
    progress.choose_language(language)
    solution = beside.next_solution(plans.of_lesson("09"), 0)
    assert solution.file == {"python": "app.py", "node": "index.mjs", "ruby": "app.rb"}[language]
    assert solution.text == lessons.exercises()["09"].answer(language).rstrip()


def test_notes_are_commonmark_without_html():
    assert beside.html("*a* `b`\n- c") == "<p><em>a</em> <code>b</code></p>\n<ul>\n<li>c</li>\n</ul>\n"
    assert beside.html("<script>x</script>") == "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"
    assert "<img" not in beside.html("<img src=x onerror=y>")


def test_a_link_leads_to_another_site_or_is_its_text():
    html = beside.html("[one](https://example.org/a) and [**two**](02-scaling.ipynb), [three](javascript:x)")
    assert '<a href="https://example.org/a" target="_blank" rel="noreferrer">one</a>' in html
    assert "<strong>two</strong>" in html and html.count("<a") == html.count("</a>") == 1


def test_a_section_without_notes_has_none(monkeypatch):
    monkeypatch.setattr(Source, "notes", {})
    assert beside.notes_of(plans.of_lesson("01").steps[0]) == beside.NO_NOTES


@pytest.mark.parametrize("number", PLANNED)
def test_learners_can_start_at_each_notebook_of_a_plan(number, monkeypatch, capsys):
    monkeypatch.setattr(starting_points, "_make_earlier", lambda before, language: None)  # tests/commands makes them
    folder = starting_points.start_at(number)
    lab = lessons.lesson(number).lab
    assert (folder is None) == (lab is None)
    if lab:
        assert {path.name for path in folder.iterdir()} == {"python", "node", "ruby"}
    capsys.readouterr()
