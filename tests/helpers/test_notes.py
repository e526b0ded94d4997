"""What an instructor says of a section: read from the source of a lesson, and in no notebook."""

import shutil

import pytest

from helpers import authoring, lessons
from helpers.authoring import lint, notes, source
from helpers.authoring.source import Source
from helpers.exercises import exercise
from helpers.jupyter.notebook_errors import exercises_of

LESSON = """\
# %% [markdown]
# # 01 Tea
#
# After this notebook you will be able to
#
# - make tea.
#
# It takes about 10 minutes.
NOTES-0
# %%
import math

# %% [markdown]
# The end of it.
#
# ## Water
#
# **Predict:** how hot?
NOTES-1
# %%
predict("01.a")

# %% boil
predicted("01.a", 100)

# %% [markdown]
# ## A word
#
# Tea.
#
# ## Exercise: leaves
NOTES-2
NOTES-3
# %%
def leaves(cups):
    # solution: Return two for each cup.
    return 2 * cups


# %%
# check
assert leaves(2) == 4
"""
NOTES = (
    "# Minutes: 1\n#\n# Say: Welcome.",
    """\
# Minutes: 3
#
# Say: Put the kettle on. It needs
# {{timeout}}.
#
# Say: Wait:
# - a little
#
# Goes wrong: # solution: Do not write this. Say: nothing.
#
# Answer 01.a: A hundred degrees.
#
# Answer 01.a: At sea level.
#
# Skip: The kettle.""",
    "# Minutes: 2\n#\n# Say: Tea.",
    "# Minutes: 4\n#\n# Say: Two for each cup.",
)


def text(*cells: str) -> str:
    """The lesson with these notes; "" leaves one out."""
    written = LESSON
    for place in range(len(NOTES)):
        cell = cells[place] if place < len(cells) else ""
        written = written.replace(f"NOTES-{place}\n", f"\n# %% notes [markdown]\n{cell}\n" if cell else "\n")
    return written


def write(folder, written: str) -> Source:
    lesson = lessons.Lesson(folder / "notebooks" / "lessons" / "01-tea")
    lesson.folder.mkdir(parents=True, exist_ok=True)
    lesson.source.write_text(written)
    return Source(lesson)


def test_notes_are_in_no_notebook(tmp_path):
    plain, noted = write(tmp_path / "plain", text()), write(tmp_path / "noted", text(*NOTES))
    for made in (Source.starter, Source.solved):
        assert source.to_bytes(made(plain)) == source.to_bytes(made(noted))
    assert plain.cells == noted.cells
    assert list(exercises_of(plain.lesson)) == list(exercises_of(noted.lesson))
    assert lint.minutes(plain) == lint.minutes(noted)


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_no_notebook_of_the_workshop_holds_a_word_of_its_notes(lesson, tmp_path):
    made_of = Source(lesson)
    shutil.copytree(lesson.folder, tmp_path / "notebooks" / "lessons" / lesson.stem)
    bare = Source(lessons.Lesson(tmp_path / "notebooks" / "lessons" / lesson.stem))
    bare.lesson.source.write_text(without_notes(made_of.text))
    assert not bare.notes
    for made in (Source.starter, Source.solved):
        assert source.to_bytes(made(bare)) == source.to_bytes(made(made_of))
    for path in (lesson.starter_path, lesson.solution_path):
        assert "Goes wrong:" not in path.read_text() and "Minutes: " not in path.read_text()


def without_notes(text: str) -> str:
    """A source as its author would have written it without notes."""
    kept, is_notes = [], False
    for line in text.splitlines():
        is_notes = line == "# %% notes [markdown]" or is_notes and not line.startswith("# %%")
        kept += [] if is_notes else [line]
    return "\n".join(kept) + "\n"


def test_the_answer_and_the_hints_of_an_exercise_are_those_of_its_cell(tmp_path, monkeypatch):
    noted = write(tmp_path, text(*NOTES))
    monkeypatch.setattr(lessons, "lesson", lambda number: noted.lesson)
    judged = exercise.Answer(number="01.1", title="leaves", hints=(), asks_for="leaves", judge=lambda answer: ())
    assert judged.answer() == "def leaves(cups):\n    return 2 * cups"
    assert judged.hints_in("python")[-1].endswith("    return 2 * cups")


def test_notes_are_read_by_section(tmp_path):
    made_of = write(tmp_path, text(*NOTES))
    assert [section.heading for section in made_of.sections] == ["", "Water", "A word", "Exercise: leaves"]
    assert [len(section.cells) for section in made_of.sections] == [2, 3, 1, 3]
    water = made_of.notes["Water"]
    assert water == notes.Notes(
        minutes=3,
        say="Put the kettle on. It needs\n1,800 s.\n\nWait:\n- a little",
        goes_wrong="# solution: Do not write this. Say: nothing.",
        answers={"01.a": "A hundred degrees.\n\nAt sea level."},
        skip="The kettle.",
    )
    assert [each.minutes for each in made_of.notes.values()] == [1, 3, 2, 4]
    assert made_of.notes["A word"].skip == ""


def test_a_section_may_have_no_notes_and_the_next_one_has(tmp_path):
    made_of = write(tmp_path, text("", NOTES[1]))
    assert list(made_of.notes) == ["Water"]
    assert made_of.sections[0].notes == ""


def test_good_notes_are_no_problem(tmp_path):
    problems = lint.source_problems(write(tmp_path, text(*NOTES)))
    assert [each for each in problems if "by its words" not in each] == []


ONE = "# Minutes: 1\n#\n# Say: Welcome."
FORMS = "begin it with `Minutes:`, `Say:`, `Goes wrong:`, `Skip:` or `Answer 04.a:`"
BAD = {
    "unknown label": (
        [ONE + "\n#\n# Joke: Tea."],
        f"the notes of the opening: a paragraph begins with `Joke:`; {FORMS}",
    ),
    "no label": ([ONE + "\n#\n# and so on"], f"the notes of the opening: a paragraph begins with `and so on`; {FORMS}"),
    "a label with a key that has none": (
        [ONE + "\n#\n# Skip 01.a: it"],
        f"the notes of the opening: a paragraph begins with `Skip 01.a:`; {FORMS}",
    ),
    "an answer without its key": (
        [ONE + "\n#\n# Answer: one"],
        f"the notes of the opening: a paragraph begins with `Answer:`; {FORMS}",
    ),
    "order": (
        ["# Say: Welcome.\n#\n# Minutes: 1"],
        "the notes of the opening: its paragraphs are not in this order: Minutes, Say, Goes wrong, Answer, Skip",
    ),
    "minutes that are no number": (
        ["# Minutes: few\n#\n# Say: x"],
        "the notes of the opening: its minutes are no whole number; begin with `Minutes: 6`",
    ),
    "no minutes": (
        ["# Say: Welcome."],
        "the notes of the opening: its minutes are no whole number; begin with `Minutes: 6`",
    ),
    "minutes twice": (
        ["# Minutes: 1\n#\n# Minutes: 1\n#\n# Say: x"],
        "the notes of the opening: its minutes are no whole number; begin with `Minutes: 6`",
    ),
    "nothing to say": (
        ["# Minutes: 1"],
        "the notes of the opening: it does not say what to say; write a paragraph that begins with `Say:`",
    ),
    "no fact": (
        [ONE + " {{teapots}}"],
        "the notes of the opening: {{teapots}} names no fact of helpers/facts.toml, or no part that it has",
    ),
    "html": ([ONE + " <b>"], "the notes of the opening: raw HTML: <b>"),
    "an answer to what nobody asks": (
        [ONE + "\n#\n# Answer 01.a: one"],
        "the notes of the opening: the section does not ask for the prediction 01.a",
    ),
    "a prediction without an answer": (
        [ONE, ONE],
        "the notes of Water: no `Answer 01.a:` for the prediction that the section asks for",
    ),
    "none": (
        [ONE, NOTES[1], NOTES[2]],
        "the section Exercise: leaves has no notes; write a cell `# %% notes [markdown]` after its prose",
    ),
    "none in the opening": (
        ["", *NOTES[1:]],
        "the opening has no notes; write a cell `# %% notes [markdown]` after its prose",
    ),
    "two in a section": (
        [ONE + "\n\n# %% notes [markdown]\n# Minutes: 2"],
        "the notes that begin with `Minutes: 2` do not follow the prose that begins a section, one for each",
    ),
    "minutes of all": (
        [NOTES[0], NOTES[1], NOTES[2], NOTES[3].replace("4", "7")],
        "it says 10 minutes; by the notes of its sections it takes 13",
    ),
}


@pytest.mark.parametrize("cells, problem", BAD.values(), ids=BAD)
def test_bad_notes_are_named(tmp_path, cells, problem):
    made_of = write(tmp_path, text(*cells))
    assert f"lessons/01-tea/notebook.py: {problem}." in lint.source_problems(made_of)


def test_notes_after_code_are_in_no_section(tmp_path):
    made_of = write(tmp_path, text().replace("# %% boil", f"# %% notes [markdown]\n{ONE}\n\n# %% boil"))
    assert made_of.notes == {}
    assert any("do not follow the prose that begins a section" in each for each in lint.source_problems(made_of))


def test_two_sections_with_one_heading_are_named(tmp_path):
    made_of = write(tmp_path, text().replace("## A word", "## Water"))
    assert any(
        "two sections have the heading Water; give each its own" in each for each in lint.source_problems(made_of)
    )


@pytest.mark.parametrize("mark", ["# %% notes", "# %% notes folded", "# %% water [markdown]"])
def test_notes_that_a_reader_would_see_are_not_built(tmp_path, mark):
    made_of = write(tmp_path, text(*NOTES).replace("# %% notes [markdown]", mark, 1))
    [problem] = lint.source_problems(made_of)
    assert problem.endswith(f"`# %% [markdown]` or `# %% notes [markdown]` in place of `{mark}`.")
    problems = authoring.build(folder=tmp_path / "notebooks")
    assert problem in problems and not made_of.starter_path.exists()


def test_notes_that_cannot_be_read_are_one_sentence(tmp_path):
    made_of = write(tmp_path, text("# Minutes: few\n#\n# Say: x"))
    with pytest.raises(notes.NotesError, match="^Notes are not as they have to be: its minutes are no whole number"):
        _ = made_of.notes
