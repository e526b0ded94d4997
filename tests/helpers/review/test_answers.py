"""Each exercise as it was done: the answer that counts, beside the reference, with the lines that differ."""

import pytest

from helpers import lessons
from helpers.exercises.lab import labs
from helpers.review import answers, session
from helpers.session.starter_cells import code_cells, is_unsolved


def work_of(number: str) -> answers.Work:
    lesson = lessons.lesson(number[:2])
    return next(each for each in answers.works(session.read(), lesson) if each.number == number)


def test_who_has_done_nothing_sees_no_answer(kept):
    work = work_of("04.4")
    assert (
        not work.was_touched and not work.pairs and work.section.title == "Exercise 4: a tenth of the calls, and back"
    )


def test_the_answer_is_that_of_the_attempt_that_passed(kept):
    reference = lessons.exercises()["04.4"].answer()
    kept.attempt("04.4", False, "Not yet. It calls nothing.", "def shift(part):\n    pass")
    kept.note("hint", "04", exercise="04.4", number=1)
    kept.attempt(
        "04.4", True, "Exercise 04.4: solved.", reference.replace("    weights = ", "    # mine\n    weights = ")
    )
    kept.attempt("04.4", False, "Not yet. It was better.", "def shift(part):\n    ...")
    work = work_of("04.4")
    [pair] = work.pairs
    assert work.is_solved and work.failed == 1 and work.hints == 1 and work.seconds == 40
    assert [each.told["sentence"] for each in work.attempts][0] == "Not yet. It calls nothing."
    assert [pair.own.text.splitlines()[place - 1].strip() for place in pair.own.marked] == ["# mine"]
    assert pair.reference.marked == () and not pair.is_same


def test_a_starter_that_has_passed_is_not_what_was_judged(kept):
    notebook = kept.notebook("04")
    [cell] = [each for each in notebook["cells"] if each["id"] == "shift"]
    kept.attempt("04.4", False, answer="".join(cell["source"]))
    kept.attempt("04.4", True, answer="".join(cell["source"]))  # of a program that does not say which cell it runs
    assert work_of("04.4").pairs[0].own is None
    cell["source"] = "def shift(part):\n    return part"
    kept.keep("04", notebook)
    assert work_of("04.4").pairs[0].own.text == cell["source"]


def test_an_unsolved_exercise_shows_the_last_attempt(kept):
    kept.attempt("04.4", False, answer="first = 1")
    kept.attempt("04.4", False, answer="second = 2")
    work = work_of("04.4")
    assert not work.is_solved and work.pairs[0].own.text == "second = 2" and work.failed == 2
    assert work.pairs[0].own.marked == ()  # nothing is alike, so marks would say nothing


def test_what_was_written_and_never_checked_is_taken_from_the_notebook(kept):
    notebook = kept.notebook("04")
    [cell] = [each for each in notebook["cells"] if each["id"] == "shift"]
    cell["source"] = ["def shift(part):\n", "    return part\n"]
    kept.keep("04", notebook)
    work = work_of("04.4")
    assert work.was_tried and not work.attempts and work.pairs[0].own.text == "def shift(part):\n    return part"


def test_a_cell_that_is_the_starter_is_no_answer(kept):
    kept.keep("04", kept.notebook("04"))
    assert not work_of("04.4").was_touched


def test_the_reference_is_said_to_be_the_same(kept):
    kept.attempt("04.4", True, answer=lessons.exercises()["04.4"].answer() + "\n\n")
    [pair] = work_of("04.4").pairs
    assert pair.is_same


@pytest.mark.parametrize("language, file", [("python", "app.py"), ("node", "index.mjs"), ("ruby", "app.rb")])
def test_the_answer_of_a_lab_is_beside_the_reference_in_its_language(kept, language, file):
    kept.attempt("09", False, answer={file: "mine"})
    [pair] = work_of("09").pairs
    assert (pair.own.name, pair.own.text, pair.reference.name) == (file, "mine", file)
    assert pair.reference.text == lessons.exercises()["09"].answer(language).rstrip()


def test_the_files_of_a_lab_that_was_never_checked(kept):
    copy = labs()["09"].copy("node")
    copy.parent.mkdir(parents=True)
    copy.write_text("export const handler = 1;")
    work = work_of("09")
    assert work.was_tried and [pair.own.name for pair in work.pairs] == ["index.mjs"]
    copy.write_bytes(labs()["09"].starter("node").read_bytes())
    assert not work_of("09").was_tried


def test_what_a_reset_has_put_aside_is_the_answer_where_there_is_no_other(kept):
    for day, answer in (("2026-11-28", "old"), ("2026-11-28-2", "latest"), ("2026-11-28-3", None)):
        notebook = kept.notebook("04")
        [cell] = [each for each in notebook["cells"] if each["id"] == "shift"]
        cell["source"] = answer or cell["source"]
        kept.keep("04", notebook, day)
    kept.keep("04", kept.notebook("04"))
    work = work_of("04.4")
    assert (work.pairs[0].own.text, work.put_aside) == ("latest", ("04-cold-start.2026-11-28-2.ipynb",))
    cell["source"] = "now"
    kept.keep("04", notebook)
    work = work_of("04.4")
    assert (work.pairs[0].own.text, work.put_aside) == ("now", ())
    kept.attempt("04.4", False, answer="checked")
    assert work_of("04.4").pairs[0].own.text == "checked"


def test_so_is_the_file_of_a_lab(kept):
    lab = labs()["09"]
    for answer in ("# old\n", "# latest\n"):
        lab.copy("ruby").parent.mkdir(parents=True, exist_ok=True)
        lab.copy("ruby").write_text(answer)
        lab.put("ruby", lab.starter("ruby"))
    work = work_of("09")
    assert [(pair.own.name, pair.own.text) for pair in work.pairs] == [("app.rb", "# latest")]
    assert work.was_tried and work.put_aside == ("app.rb.bak2",)
    lab.copy("node").parent.mkdir()
    lab.copy("node").write_text("now")
    work = work_of("09")
    assert [pair.own.text for pair in work.pairs] == ["now"] and work.put_aside == ()


def test_what_is_solved_in_the_progress_alone_is_solved(kept):
    kept.progress(solved={"04.4": "2026-11-24T09:00:00+00:00"}, hints={"04.4": 99})
    work = work_of("04.4")
    assert work.is_solved and work.hints == work.most_hints and work.pairs[0].own is None


@pytest.mark.parametrize("answer", [None, 7, [], {}, {"": ""}, {"x.py": None}, "\x00\u202e", {"../../etc/passwd": "x"}])
def test_an_answer_may_be_anything(kept, answer):
    kept.attempt("04.4", False, answer=answer)
    assert len(work_of("04.4").pairs) == 1


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.number)
def test_every_exercise_is_found_in_its_notebook(kept, lesson):
    open_cells = [each for each in code_cells(lesson.starter_path) if is_unsolved(each.text)]
    works = answers.works(session.read(), lesson)
    assert all(work.section and work.section.heading for work in works)
    assert len(open_cells) == len(works)
