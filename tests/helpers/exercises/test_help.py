"""hint() and solution(): graded, in the reader's language, and without any call to AWS."""

import os
import re
import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from lab_support import exercise_of

from helpers import exercises, hint, lessons, settings, solution
from helpers.arguments import ArgumentError
from helpers.authoring.source import Source, solved, unsolved
from helpers.exercises import exercise
from helpers.exercises.lab import labs
from helpers.exercises.languages import LANGUAGES
from helpers.session import progress, starting_points


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A fresh home, in which nothing runs; a call of connect() would be an error."""
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    for module in (exercise, starting_points):
        monkeypatch.setattr(module, "connect", lambda: pytest.fail("a call to AWS"))
    return tmp_path


@pytest.mark.parametrize("exercise", lessons.exercises())
def test_hints_come_one_by_one_and_the_last_points_to_the_solution(exercise, capsys):
    for language in LANGUAGES:
        assert 2 <= len(lessons.exercises()[exercise].hints_in(language)) <= 5
    count = len(lessons.exercises()[exercise].hints_in("python"))
    shown = []
    for _ in range(count + 1):
        hint(exercise)
        shown.append(capsys.readouterr().out)
    for number, text in enumerate(shown[:-1], start=1):
        assert text.startswith(f"Hint {number} of {count}: ")
        assert (f'solution("{exercise}")' in text) == (number == count)
        assert (f'hint("{exercise}", 1) begins again' in text) == (number == count)
    assert shown[-1] == shown[-2]
    assert len(set(shown)) == count
    hint(exercise, 1)
    hint(exercise)
    assert capsys.readouterr().out == shown[0] + shown[1]


@pytest.mark.parametrize("exercise", [number for number, each in lessons.exercises().items() if not each.lab])
def test_the_last_hint_pasted_into_the_starter_is_the_answer_which_the_tests_of_its_lesson_check(exercise):
    chosen = lessons.exercises()[exercise]
    answer = chosen.answer()
    starter = unsolved(next(cell for cell in exercise_cells(exercise) if solved(cell) == answer))
    begins, raises, rest = re.split(r"( *raise NotImplementedError\(.*\))$", starter, flags=re.MULTILINE)
    assert raises and not rest
    assert begins + chosen.hints_in("python")[-1].partition("\n\n")[2] == answer


def exercise_cells(exercise: str) -> list[str]:
    return [cell.text for cell in Source(lessons.lesson(exercise[:2])).cells if cell.kind == "code"]


@pytest.mark.parametrize("lab", labs())
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_hint_spoils_nothing_and_the_last_gives_the_heart(lab, language):
    first, *_, last = lessons.exercises()[exercise_of(lab)].hints_in(language)
    answer = [line.strip() for line in labs()[lab].answer(language).read_text().splitlines()]
    assert not [line for line in answer if len(line) > 12 and line in first]
    assert "post" in last and "return" in last or language == "ruby"


def test_hints_are_in_the_language_that_the_reader_writes(home, capsys):
    folder = starting_points.start_at("09")
    (folder / "ruby" / "app.rb").write_text("# mine\n")
    for _ in range(4):
        hint("09")
    assert "Net::HTTP.start" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("language", "line"),
    [("python", "    text = event.get("), ("node", "    const text = event.text"), ("ruby", "    text = event.fetch(")],
)
def test_the_last_hint_of_09_says_where_the_text_comes_from(language, line):
    assert f"\n{line}" in lessons.exercises()["09"].hints_in(language)[-1]


def test_in_nodejs_the_event_is_printed_whole():
    first = {language: lessons.exercises()["16"].hints_in(language)[0] for language in LANGUAGES}
    assert "console.log(JSON.stringify(event))" in first["node"]
    assert first["python"] == first["ruby"] and first["ruby"].startswith("Print the event, or look at events/")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lab", labs())
def test_the_solution_of_a_lab_is_its_reference_answer(lab, language, monkeypatch):
    title, answer = shown_by(monkeypatch, exercise_of(lab), language).split("\n\n", 1)
    fence = {"python": "python", "node": "javascript", "ruby": "ruby"}[language]
    assert answer == f"```{fence}\n{labs()[lab].answer(language).read_text().rstrip()}\n```"
    assert [each for each in LANGUAGES if f'solution("{exercise_of(lab)}", "{each}")' in title] == [
        each for each in LANGUAGES if each != language
    ]


@pytest.mark.parametrize(
    ("exercise", "line"),
    [
        ("01.1", 'greeting = greetings[event.get("language", "en")]'),
        ("01.2", "def report_of(function_name, request_id):"),
        ("03.1", "def bill(frame):"),
        ("04.2", "fast_source ="),
    ],
)
def test_the_solution_of_a_notebook_is_what_its_source_holds(exercise, line, monkeypatch):
    shown = shown_by(monkeypatch, exercise)
    assert line in shown and "# solution" not in shown


def shown_by(monkeypatch, *arguments) -> str:
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda thing: shown.append(thing.data))
    solution(*arguments)
    [text] = shown
    return text


def test_hints_and_solutions_are_in_the_language_that_was_chosen(home, monkeypatch, capsys):
    starting_points.start_at("09", "node")
    for _ in range(4):
        hint("09")
    assert "await fetch" in capsys.readouterr().out
    assert "\n\n```javascript\n" in shown_by(monkeypatch, "09")


def test_a_solution_changes_no_file_and_no_progress(home, monkeypatch):
    starting_points.start_at("09")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    shown_by(monkeypatch, "09")
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("call", [exercises.check, exercises.hint, exercises.solution])
def test_an_unknown_exercise_is_said_with_those_that_there_are(call):
    with pytest.raises(ArgumentError, match=r"^There is no exercise '99'; there are 01\.1, 01\.2, .*, 09, "):
        call("99")
    with pytest.raises(ArgumentError, match=r"^There is no exercise '01\.7'; there are 01\.1, 01\.2\.$"):
        call("01.7")


@pytest.mark.parametrize(("asked", "number"), [("1.1", "01.1"), (1.1, "01.1"), (" 01.1 ", "01.1"), ("9", "09")])
@pytest.mark.parametrize("call", [exercises.hint, exercises.solution])
def test_an_exercise_is_understood_without_its_zero(call, asked, number, monkeypatch, capsys):
    monkeypatch.setattr("IPython.display.display", lambda thing: print(thing.data))
    call(number)
    wanted = capsys.readouterr().out
    progress.forget([number])
    call(asked)
    assert capsys.readouterr().out == wanted


@pytest.mark.parametrize("asked", ["01", "1", 1])
def test_of_a_notebook_the_next_exercise_to_solve_gets_its_hint(asked, capsys):
    for number in ("01.1", "01.2", "01.1"):  # those that are solved are gone through, and the first comes again
        progress.forget(["01.1", "01.2"] if number == "01.1" else [])
        hint(asked)
        assert re.match(rf"Hint 1 of \d for {number}: ", capsys.readouterr().out)
        progress.solve(number)


@pytest.mark.parametrize("call", [exercises.check, exercises.solution])
def test_of_a_notebook_with_several_exercises_a_check_takes_none_by_itself(call):
    with pytest.raises(ArgumentError, match=r"^Notebook 01 has several exercises; name one of 01\.1, 01\.2\.$"):
        call("1")


@pytest.mark.parametrize(("exercise", "language"), [("09", "java"), ("01.1", "ruby")])
def test_an_unknown_language_is_said(exercise, language):
    with pytest.raises(ValueError, match=f"Exercise {exercise} has no answer in '{language}'; choose one of: python"):
        solution(exercise, language)


def test_in_a_notebook_a_wrong_answer_is_one_sentence_without_a_traceback(home):
    code = "from helpers import check; check('03.1')"
    environment = os.environ | {"IPYTHONDIR": str(home / "ipython"), "WORKSHOP_TARGET": "embedded"}
    result = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", code],
        cwd=settings.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == (
        'Not yet. Give the check your function: check("03.1", bill). '
        '(0 of 3 exercises of this notebook solved; hint("03.1") helps.)'
    )
    assert result.stderr == ""


@pytest.fixture
def in_notebook(monkeypatch) -> InteractiveShell:
    """A shell that runs cells, as a notebook's kernel has one."""
    shell = InteractiveShell()
    monkeypatch.setattr(exercises, "get_ipython", lambda: shell)
    return shell


def test_an_answer_that_is_used_takes_the_place_of_the_readers_and_is_not_solved_by_that(in_notebook, capsys):
    in_notebook.user_ns["report_of"] = lambda event: "mine"
    solution("03.1", use=True)
    name = lessons.exercises()["03.1"].asks_for
    in_notebook.run_cell(f"import inspect\nfound = inspect.getsource({name})")
    assert in_notebook.user_ns["found"].rstrip() in lessons.exercises()["03.1"].answer()
    assert capsys.readouterr().out.startswith("The reference answer of exercise 03.1 is in place of yours")
    assert progress.solved() == set()


def test_an_answer_is_used_in_a_notebook_alone():
    with pytest.raises(ArgumentError, match="runs the answer in a notebook, and this is none"):
        solution("03.1", use=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_of_a_lab_that_is_used_becomes_its_file_and_the_readers_is_kept(language, home, capsys):
    copy = starting_points.start_at("09") / language / LANGUAGES[language].file
    solution("09", language, use=True)
    assert copy.read_bytes() == labs()["09"].answer(language).read_bytes()
    assert not list(labs()["09"].folder.glob("*.bak*")), "a starter is nothing to keep"
    copy.write_text("# mine\n")
    capsys.readouterr()
    solution("09", language, use=True)
    assert copy.read_bytes() == labs()["09"].answer(language).read_bytes()
    (kept,) = labs()["09"].folder.glob("*.bak")
    assert kept.read_text() == "# mine\n"
    assert f"yours is kept as {kept.name}. Run the cell that deploys it again." in capsys.readouterr().out
