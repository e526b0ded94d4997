"""The list of lessons is derived from their folders: all of the workshop knows a made-up one."""

import contextlib
import os
import re
import shutil
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import nbformat
import pytest

from helpers import authoring, check, draw_map, lessons, own_copies, package, settings, solution
from helpers.authoring import readme
from helpers.exercises import NotSolved
from helpers.lessons import LessonError
from helpers.session import progress, starting_points

TEA = """\
# %% [markdown]
# # 20 Tea
#
# After this notebook you will be able to
#
# - say how long tea
#   draws;
# - pour it.
#
# It takes about 7 minutes. Slides: "Tea", in the part "Kitchen".

# %% notes [markdown]
# Minutes: 7
#
# Say: Tea needs time.


# %% draw-tea
def draws_s(kind):
    # solution: Return the seconds that this kind of tea draws.
    return {"green": 120, "black": 240}[kind]


# %%
# check
from helpers import check

check("20.1", draws_s)
"""
TEA_CHECKS = '''\
"""The check of lesson 20: how long tea draws."""

from helpers.exercises import Answer, NotSolved, WrongAnswer


def judge(draws_s):
    if draws_s("green") != 120:
        raise NotSolved("Green tea is bitter then; let it draw for two minutes.")
    return []


EXERCISES = (
    Answer(
        number="20.1",
        title="tea",
        hints=("Look at the packet.",),
        asks_for="draws_s",
        judge=judge,
        wrong_answers=(WrongAnswer("minutes", lambda kind: 2, "bitter"),),
    ),
)
'''


@pytest.fixture
def notebooks(tmp_path, monkeypatch) -> Path:
    """A folder of notebooks with two real lessons and README beside it; the workshop's list is theirs."""
    folder = tmp_path / "workshop" / "notebooks"
    for stem in ("01-what-is-lambda", "05-lambda-or-ec2"):
        shutil.copytree(settings.NOTEBOOKS / "lessons" / stem, folder / "lessons" / stem)
    (folder.parent / "README.md").write_text(f"{readme.BEGIN}\n{readme.END}\n")
    monkeypatch.setattr(settings, "NOTEBOOKS", folder)
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    return folder


@pytest.fixture
def tea(notebooks) -> Path:
    """The one folder that a new lesson is."""
    folder = notebooks / "lessons" / "20-tea"
    (folder / "functions" / "kettle" / "python").mkdir(parents=True)
    (folder / "functions" / "kettle" / "python" / "app.py").write_text("def handler(event, context): ...\n")
    (folder / "notebook.py").write_text(TEA)
    (folder / "checks.py").write_text(TEA_CHECKS)
    return folder


def test_the_list_knows_it(tea):
    lesson = lessons.lesson("20")

    assert [each.number for each in lessons.lessons()] == ["01", "05", "20"]
    assert (lesson.stem, lesson.title, lesson.minutes, lesson.part) == ("20-tea", "Tea", 7, "Kitchen")
    assert lesson.learn == "say how long tea draws"
    assert [each.title for each in lesson.exercises] == ["tea"]
    assert "20.1" in lessons.exercises()
    assert (lesson.starter_path.name, lesson.solution_path.parent.name) == ("20-tea.ipynb", "solutions")


def test_build_makes_its_notebooks_and_its_row_of_the_map_and_then_finds_nothing(tea, notebooks, tmp_path):
    for lesson in lessons.lessons()[:2]:  # others than this one are there for the list only
        shutil.rmtree(lesson.folder)
    assert authoring.build(folder=notebooks, aws=lambda: no_aws(tmp_path, notebooks)) == []

    starter = nbformat.read(notebooks / "20-tea.ipynb", as_version=4)
    assert starter.cells[1].id == "draw-tea"
    assert starter.cells[1].source.endswith(
        'raise NotImplementedError("Return the seconds that this kind of tea draws.")'
    )
    solved = nbformat.read(notebooks / "solutions" / "20-tea.ipynb", as_version=4)
    assert "Exercise 20.1, tea: solved." in solved.cells[2].outputs[0].text
    row = "| 20 | [Tea](notebooks/20-tea.ipynb) | 7 min | say how long tea draws |"
    assert row in (notebooks.parent / "README.md").read_text().splitlines()
    assert authoring.build(check=True, folder=notebooks) == []


def no_aws(folder: Path, notebooks: Path) -> contextlib.AbstractContextManager:
    """Its cells need none. Its kernel takes the list of lessons from the same folder as this test."""
    code = f"import pathlib\nfrom helpers import settings\nsettings.NOTEBOOKS = pathlib.Path({str(notebooks)!r})\n"
    (folder / "sitecustomize.py").write_text(code)
    return contextlib.nullcontext({**os.environ, "PYTHONPATH": str(folder)})


def test_the_map_that_is_drawn_has_a_box_for_it_that_says_what_is_solved(tea):
    progress.solve("20.1")
    texts = [text.get_text() for text in draw_map().texts]

    assert any(text.startswith("20  Tea") and text.endswith("\N{CHECK MARK}") for text in texts)
    assert {"Kitchen", "7 min"} <= set(texts)


@pytest.mark.parametrize("words", ["in the part", "It takes about 7"])
def test_a_line_of_the_first_cell_may_end_within_what_the_map_says(tea, words):
    source = tea / "notebook.py"
    source.write_text(
        source.read_text().replace(words, words[: words.rindex(" ")] + "\n#" + words[words.rindex(" ") :])
    )

    assert (lessons.lesson("20").part, lessons.lesson("20").minutes) == ("Kitchen", 7)


def test_every_lesson_but_the_first_is_on_the_map():
    assert [each.number for each in lessons.lessons() if not each.part] == ["00"]


def test_its_exercise_is_judged_and_counted(tea, capsys):
    with pytest.raises(NotSolved, match="bitter.*0 of 1 exercise of this notebook solved"):
        check("20.1", lessons.exercises()["20.1"].wrong_answers[0].answer)
    with pytest.raises(NotSolved, match=r'Give the check your function: check\("20.1", draws_s\)'):
        check("20.1", 120)

    check("20.1", {"green": 120, "black": 240}.get)
    assert progress.solved() == {"20.1"}
    assert "Exercise 20.1, tea: solved." in capsys.readouterr().out
    assert progress.summary_of_notebook("20") == "1 of 1 exercise of this notebook solved"


def test_its_reference_answer_is_the_one_of_its_source(tea, monkeypatch):
    shown: list = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    solution("20.1")
    assert 'return {"green": 120, "black": 240}[kind]' in shown[0].data


def test_one_exercise_more_touches_the_same_folder_alone(tea):
    second = TEA_CHECKS.replace(
        "    ),\n)\n",
        '    ),\n    Answer(number="20.2", title="pour", hints=("Slowly.",), asks_for="pour", judge=judge),\n)\n',
    )
    (tea / "checks.py").write_text(second)

    assert [each.number for each in lessons.lesson("20").exercises] == ["20.1", "20.2"]
    assert progress.of_notebook("20") == (0, 2)


def test_start_at_and_reset_know_it(tea, capsys):
    assert starting_points.start_at("20") is None
    assert capsys.readouterr().out == "Notebook 20 needs nothing of the notebooks before it.\n"
    with pytest.raises(LessonError, match="There is no notebook '21'; name it by its number, from '01' to '20'"):
        starting_points.start_at("21")
    copy = own_copies.path(lessons.lesson("20"))
    starting_points.reset("20")
    assert copy.exists() and f"{copy.name} is as it was at first." in capsys.readouterr().out


def test_its_function_is_found_by_its_name(tea):
    assert lessons.function_folder("kettle") == tea / "functions" / "kettle"
    assert package("kettle/python") == package(tea / "functions" / "kettle" / "python")


# What is wrong is one sentence


def rename(notebooks: Path, stem: str) -> None:
    (notebooks / "lessons" / "20-tea").rename(notebooks / "lessons" / stem)


def twin(notebooks: Path, _: str) -> None:
    shutil.copytree(notebooks / "lessons" / "20-tea" / "functions", notebooks / "lessons/05-lambda-or-ec2/functions")


def without(notebooks: Path, line: str) -> None:
    source = notebooks / "lessons" / "20-tea" / "notebook.py"
    source.write_text(source.read_text().replace(line, ""))


BROKEN = {
    "a number twice": (rename, "05-tea", "05-lambda-or-ec2 and 05-tea have the same number; give each its own."),
    "no number": (rename, "tea", "tea is no lesson's name; name it like 04-cold-start."),
    "capitals": (rename, "20-Tea", "20-Tea is no lesson's name; name it like 04-cold-start."),
    "one function twice": (twin, "", "have the same name; rename one of them."),
    "no minutes": (
        without,
        "It takes about 7 minutes.",
        "does not say how long it takes: `It takes about 30 minutes.`.",
    ),
    "no title": (without, "# 20 Tea", "does not say its heading, such as `# 20 Cold start`."),
}


@pytest.mark.parametrize("spoil, given, sentence", BROKEN.values(), ids=BROKEN)
def test_what_a_lesson_lacks_is_one_sentence_of_the_build(tea, notebooks, spoil, given, sentence):
    spoil(notebooks, given)
    said = [problem for problem in authoring.build(check=True, folder=notebooks) if problem.endswith(sentence)]
    assert len(said) == 1


def test_a_folder_without_a_source_is_one_sentence(tea):
    (tea / "notebook.py").unlink()
    with pytest.raises(LessonError, match="20-tea has no notebook.py; write the source of its notebook."):
        lessons.lessons()


def test_an_exercise_that_is_numbered_for_another_lesson_is_one_sentence(tea):
    (tea / "checks.py").write_text(TEA_CHECKS.replace("20.1", "19.1"))
    with pytest.raises(LessonError, match=r"checks\.py numbers an exercise 19\.1; begin with 20\."):
        lessons.exercises()


@pytest.mark.parametrize("lesson", [each for each in lessons.lessons() if each.part], ids=lambda lesson: lesson.number)
def test_each_names_its_slides_with_their_pages(lesson):
    opening = lesson.source.read_text(encoding="utf-8").partition("\n# %%")[0]
    assert re.search(r"Slides: .+\bpages? \d", opening, re.DOTALL)
    assert lesson.slides and len(lesson.slides) == len(re.findall(r"\bpages? \d", opening.partition("Slides:")[2]))


def test_the_slides_of_the_lessons_go_on_from_page_to_page():
    slides = [slide for each in lessons.lessons() for slide in each.slides]
    assert [slide.first for slide in slides] == sorted(slide.first for slide in slides)
    assert all(slide.first <= slide.last for slide in slides)
    cold_start, comparison = lessons.lesson("04").slides[0], lessons.lesson("08").slides
    assert (cold_start.original, cold_start.pages) == ("Lambdaの注意点 その1「コールドスタート問題」", "pages 8 and 9")
    assert [each.title for each in comparison] == ["Comparison with XaaS", "Services that correspond to XaaS"]
    assert lessons.lesson("06").slides[0].original.endswith("サイズに制限がある")
