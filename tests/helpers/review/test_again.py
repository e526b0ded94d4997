"""The things to look at again are chosen for a reason, in the order that the page says."""

import pytest
from kept_session import KeptSession

from helpers import lessons
from helpers.review import again, answers, guesses, session, way


def things() -> list[again.Thing]:
    kept = session.read()
    begun = way.seconds_by_notebook(way.sittings(kept.entries))
    done = []
    for lesson in kept.lessons:
        headings = frozenset(each.told["section"] for each in kept.of_kind("section") if each.notebook == lesson.number)
        notebook, works = kept.notebooks[lesson.number], answers.works(kept, lesson)
        guessed = guesses.guesses(kept, lesson)
        done.append(again.Done(lesson, notebook, lesson.number in begun, works, guessed, headings))
    return again.things(done)


def all_of(kept: KeptSession, number: str) -> None:
    """Run all sections of a notebook, and solve all of its exercises at once."""
    found = session.read().notebooks[number]
    for section in found.sections:
        if section.code:
            kept.section(number, section.heading)
    for exercise in lessons.lesson(number).exercises:
        kept.attempt(exercise.number, True)


def test_who_has_done_everything_well_is_sent_on(kept):
    all_of(kept, "04")
    kept.guess("04.a", "12", "11 times")
    [thing] = things()
    assert thing.lesson.number == "01" and "You have not begun 17 notebooks: 01, 02, 03, 05" in thing.sentences[0]


def test_nothing_done_is_nothing_to_look_at(kept):
    assert things() == []


REASONS = {
    "unsolved": (
        "04.1",
        lambda kept: [kept.attempt("04.1", False) for _ in range(2)],
        "is not solved; you checked it 2 times",
    ),
    "shown": ("04.1", lambda kept: kept.note("solution", "04", exercise="04.1"), "You looked at the solution of"),
    "failed": ("04.1", lambda kept: [kept.attempt("04.1", False) for _ in range(3)], "failed 3 times before it passed"),
    "long": ("04.1", lambda kept: [kept.attempt("04.1", False, after=400) for _ in range(3)], "took you 3"),
    "hints": (
        "04.1",
        lambda kept: [kept.note("hint", "04", exercise="04.1", number=n) for n in (1, 2)],
        "You used 2 of",
    ),
    "guess": ("", lambda kept: kept.guess("04.a", "100", "12 times"), "predicted “100”, and “12 times” was measured"),
}


@pytest.mark.parametrize("name", REASONS)
def test_each_reason_leads_to_its_section(kept, name):
    exercise, do, sentence = REASONS[name]
    do(kept)
    if name == "unsolved":
        for number in ("04.2", "04.3", "04.4"):
            kept.attempt(number, True)
        for section in session.read().notebooks["04"].sections:
            kept.section("04", section.heading, after=1)
    else:
        all_of(kept, "04")
    first = things()[0]
    anchor = "exercise-1-a-short-cold-start" if exercise else "measure-it-ten-cold-twenty-warm"
    assert first.address == f"notebooks/04-cold-start.html#{anchor}"
    assert any(sentence in each for each in first.sentences)


def test_what_was_begun_and_never_checked_is_said_so(kept):
    notebook = kept.notebook("04")
    next(each for each in notebook["cells"] if each["id"] == "shift")["source"] = "mine = 1"
    kept.keep("04", notebook)
    [first] = [each for each in things() if "Exercise 4" in each.title]
    assert first.sentences == ["Exercise 04.4 is not solved; you began it, and have not checked it."]


def test_the_order_is_that_of_the_reasons(kept):
    kept.guess("04.a", "100", "12 times")
    kept.note("solution", "04", exercise="04.2")
    kept.attempt("04.2", True)
    for _ in range(4):
        kept.attempt("04.3", False)
    kept.attempt("04.3", True)
    kept.attempt("04.1", False)
    kept.note("hint", "04", exercise="04.4", number=1)
    kept.note("hint", "04", exercise="04.4", number=2)
    kept.attempt("04.4", True)
    assert [each.title.partition(":")[0] for each in things()] == [
        "Exercise 1",
        "Exercise 2",
        "Exercise 3",
        "Exercise 4",
        "Measure it",
    ]


def test_there_are_five_at_most_and_each_section_once(kept):
    for exercise in lessons.exercises().values():
        kept.attempt(exercise.number, False)
        kept.note("solution", exercise.notebook, exercise=exercise.number)
    found = things()
    assert len(found) == again.MOST and len({each.address for each in found}) == 5
    assert all(len(each.sentences) == 2 for each in found)


def test_sections_that_were_not_run_are_named(kept):
    kept.section("08", "A server and a function")
    [left_out] = [each for each in things() if any("not run" in sentence for sentence in each.sentences)]
    assert left_out.lesson.number == "08" and left_out.section.code and not left_out.section.was_run


def test_what_the_notebook_shows_as_run_counts_as_run(kept):
    notebook = kept.notebook("04")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
    kept.keep("04", notebook)
    kept.section("04", "After a rest")
    assert not any("not run" in sentence for each in things() for sentence in each.sentences)
