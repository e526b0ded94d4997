"""What is presented, section by section: the plans of notebooks/plans.toml, and what is said of a bad one."""

import re

import pytest

from helpers import lessons, settings
from helpers.authoring.source import Source
from helpers.presenting import plans

PROSE = "\n".join(cell.text for cell in Source(lessons.lesson("00")).cells if cell.kind == "markdown")
ROWS = re.findall(r"^\| (\d\d) \| (\d+) \| ([^|]+?) \| ([^|]*?) *\|$", PROSE, re.MULTILINE)
# What the table of notebook 00 leaves out, by the words that it has for it.
LEFT_OUT = {
    "": [],
    "exercise 1": ["Exercise 1: the calculation"],
    "the experiment that needs a while": ["An experiment that needs a while"],
    "the parts of the console": ["The three screens of the slides"],
}


def headings(number: str) -> list[str]:
    return [section.heading for section in Source(lessons.lesson(number)).sections]


def of_notebook(plan: plans.Plan, number: str) -> list[plans.Step]:
    return [step for step in plan.steps if step.lesson.number == number]


def test_the_evening_has_the_minutes_of_the_slides():
    assert plans.read("evening").minutes == 90


def test_the_evening_is_what_notebook_00_says():
    evening = plans.read("evening")
    assert list(dict.fromkeys(step.lesson.number for step in evening.steps)) == [number for number, *_ in ROWS]
    for number, minutes, up_to, left_out in ROWS:
        steps, there = of_notebook(evening, number), headings(number)
        assert sum(step.minutes for step in steps) == int(minutes), number
        wanted = there[: there.index(up_to) + 1]
        assert [step.section.heading for step in steps] == [each for each in wanted if each not in LEFT_OUT[left_out]]


def test_the_day_is_what_notebook_00_says():
    day = plans.read("day")
    hours, said = re.search(r"\*\*One day\*\*, about (\w+) hours: (.+)\.", PROSE).groups()
    assert list(dict.fromkeys(step.lesson.number for step in day.steps)) == re.findall(r"\b\d\d\b", said)
    for number in dict.fromkeys(step.lesson.number for step in day.steps):
        wanted = headings(number)
        if f"{number} up to its pause" in said:
            wanted = wanted[: wanted.index("A pause")]
        assert [step.section.heading for step in of_notebook(day, number)] == wanted
    assert abs(day.minutes / 60 - {"six": 6, "seven": 7, "eight": 8}[hours]) <= 0.6


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_a_notebook_is_a_plan_of_all_its_sections(lesson):
    plan = plans.of_lesson(lesson.number.lstrip("0") or "0")
    assert plan.title == f"{lesson.number} {lesson.title}"
    assert [step.section.heading for step in plan.steps] == headings(lesson.number)
    assert plan.minutes == pytest.approx(lesson.minutes)


ENTRY = '{ notebook = "00", section = "The map", minutes = 5 }'
GOOD = f"""\
# a [plan]
[mine]
title = "{{ notebook }}"
minutes = 15  # {{ of all }}
sections = [
    {ENTRY},
    # {{ notebook = "09" }}
    {{ notebook = "00", minutes = 10 }},
]
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        file = tmp_path / "plans.toml"
        file.write_text(text)
        return file

    return write


def test_a_whole_notebook_has_its_minutes_in_shares(written):
    plan = plans.read("mine", written(GOOD))
    assert plan.title == "{ notebook }"
    assert [step.section.heading for step in plan.steps] == ["The map", *headings("00")]
    assert sum(step.minutes for step in plan.steps[1:]) == pytest.approx(10)


def test_a_plan_may_be_written_as_tables(written):
    text = '[mine]\ntitle = "x"\nminutes = 1\n[[mine.sections]]\nnotebook = "00"\nsection = ""\nminutes = 0.5\n'
    file = written(text + text[text.index("[[") :].replace('""', '"Maps"'))
    with pytest.raises(plans.PlanError, match="line 8: notebook 00 has no section 'Maps'"):
        plans.read("mine", file)
    file.write_text(file.read_text().replace("Maps", "The map"))
    assert [step.section.heading for step in plans.read("mine", file).steps] == ["", "The map"]


EXAMPLE = '{ notebook = "04", section = "Time", minutes = 5 }'
BAD = {
    "unknown notebook": ('"00", minutes', '"77", minutes', 8, "There is no notebook '77'; name it by its number"),
    "unknown section": ("The map", "The maps", 6, "notebook 00 has no section 'The maps'"),
    "minutes as a text": ("minutes = 10", 'minutes = "10"', 8, "minutes are a number above 0, and not '10'"),
    "no minutes": (", minutes = 10", "", 8, "minutes are missing: how long the section takes"),
    "minutes that are true": ("minutes = 10", "minutes = true", 8, "minutes are a number above 0, and not True"),
    "no time": ("minutes = 10", "minutes = 0", 8, "minutes are a number above 0, and not 0"),
    "no end": ("minutes = 10", "minutes = inf", 8, "minutes are a number above 0, and not inf"),
    "no number that there is": ("minutes = 10", "minutes = nan", 8, "minutes are a number above 0, and not nan"),
    "another sum": ("minutes = 15", "minutes = 16", 2, "the plan mine says 16 minutes, and its sections have 15"),
    "a section without a notebook": ('notebook = "00", section', "section", 6, f"a section of a plan is {EXAMPLE}"),
    "a notebook as a number": ('"00", minutes', "4, minutes", 8, f"a section of a plan is {EXAMPLE}"),
    "a section that is a text": (ENTRY, '"The map"', 2, "a section of a plan is"),
    "unknown member": ("section =", "heading =", 6, "a section of a plan has notebook, section, minutes, and no head"),
    "no title": ("title =", "name =", 2, "the plan mine needs a title, its minutes, and a list of sections"),
    "unknown member of a plan": ("minutes = 15", "minutes = 15\nbreak = 5", 2, "the plan mine has break; a plan has"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_plan_is_one_sentence_that_names_the_line(written, old, new, line, sentence):
    assert old in GOOD
    file = written(GOOD.replace(old, new))
    with pytest.raises(plans.PlanError) as caught:
        plans.read("mine", file)
    assert str(caught.value).startswith(f"{file}, line {line}: {sentence}")
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_plan_without_sections_is_named(written):
    with pytest.raises(plans.PlanError, match="line 1: the plan mine has no sections"):
        plans.read("mine", written('[mine]\ntitle = "x"\nminutes = 0\nsections = []\n'))


def test_what_is_no_toml_and_what_is_not_there_is_named(written, tmp_path):
    with pytest.raises(plans.PlanError, match=r"plans\.toml is no TOML: .*line 1"):
        plans.read("mine", written("[mine\n"))
    with pytest.raises(plans.PlanError, match="cannot be read"):
        plans.read("mine", tmp_path / "no.toml")
    with pytest.raises(
        plans.PlanError, match=r"^There is no plan 'noon' in notebooks/plans\.toml; there is evening and day\.$"
    ):
        plans.read("noon")
    with pytest.raises(plans.PlanError, match="; there is none"):
        plans.read("noon", written("# nothing yet\n"))


def test_the_file_is_where_instructors_find_it():
    assert plans.FILE == settings.ROOT / "notebooks" / "plans.toml"
