"""The checks of notebook 18: right answers pass, wrong ones get their reason and the notebook to go back to."""

import itertools
import re

import pytest
from notebook_cells import refused

from helpers import checks, notebooks, progress, settings
from helpers.checks.wrap_up import NUMBERS, QUIZ, WORDS
from helpers.notebooks import source

RIGHT = {name: question.right for name, question in QUIZ.items()}
DESIGN = {
    "trigger": "S3 event", "in between": "queue", "idempotency key": "hash of the photo", "MemorySize": 1024,
    "Timeout": 90, "MaximumConcurrency": 5, "VisibilityTimeout": 600, "maxReceiveCount": 6,
}  # fmt: skip


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


def cells(kind: str) -> list[str]:
    [made_of] = [each for each in notebooks.sources(settings.NOTEBOOKS) if each.name.startswith("18")]
    return [text for each, text in made_of.cells if each == kind]


def exercise(place: int) -> str:
    return [text for text in cells("code") if source.SOLUTION.search(text)][place]


def values_of(code: str, name: str) -> dict:
    names: dict = {}
    try:
        exec(code, names)
    except NotImplementedError:  # a starter, up to its gap
        return names[name]
    return names[name]


# 18.1


def test_the_answers_of_the_notebook_pass():
    checks.check("18.1", values_of(source.solved(exercise(0)), "answers"))
    assert progress.solved() == {"18.1"}


def test_the_starter_of_the_quiz_is_refused():
    answers = values_of(source.unsolved(exercise(0)), "answers")
    assert set(answers) == set(QUIZ)
    assert f"no answer yet: {', '.join(QUIZ)}" in refused("18.1", answers)


def test_the_notebook_shows_the_options_of_the_check_and_its_notebooks():
    [text] = [text for text in cells("markdown") if "*Answers:*" in text]
    shown = {}
    form = r"- \*\*([\w ]+)\*\* \((\d\d)\):.*?\*Answers:\* ([^\n]+)"
    for name, notebook, options in re.findall(form, text, re.DOTALL):
        shown[name] = notebook, {eval(option) for option in re.findall("`([^`]+)`", options)}
    assert shown == {
        name: (question.notebook, {question.right, *question.instead}) for name, question in QUIZ.items()
    }


def test_every_question_goes_back_to_a_notebook_that_is_there():
    numbers = {each.name[:2] for each in notebooks.sources(settings.NOTEBOOKS)}
    assert {question.notebook for question in QUIZ.values()} <= numbers
    assert 10 <= len(QUIZ) <= 12


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name in QUIZ for wrong in QUIZ[name].instead])
def test_a_wrong_answer_gets_its_reason_and_its_notebook(name, wrong):
    question = QUIZ[name]
    text = refused("18.1", RIGHT | {name: wrong})
    assert f"11 of 12 are right. {name!r} is not {wrong!r}: {question.instead[wrong]}" in text
    assert f"Notebook {question.notebook} measures it." in text


def test_the_reasons_are_all_different():
    reasons = [reason for question in QUIZ.values() for reason in question.instead.values()]
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, 'Give the check your dict: check("18.1", answers)'),
        ([10, 9], "Give the check your dict"),
        (RIGHT | {"night": None}, "no answer yet: night"),
        ({name: RIGHT[name] for name in list(RIGHT)[1:]}, "no answer yet: burst"),
        (RIGHT | {"day": 1}, "an entry that is no question: day"),
        (RIGHT | {"burst": "10"}, "write numbers without quotes"),
        (RIGHT | {"burst": True}, "answers['burst'] is True; choose one of 0, 1, 5, 10"),
        (RIGHT | {"burst": 7}, "choose one of 0, 1, 5, 10"),
        (RIGHT | {"burst": [10]}, "choose one of 0, 1, 5, 10"),
        (RIGHT | {"ec2": "23%"}, "choose one of 2, 23, 50, 88"),
        (RIGHT | {"timeout": "Killed"}, "choose one of 'finally runs', 'killed', 'runs on'"),
        (RIGHT | {"burst": 1, "batch": 1, "night": "MON-FRI"}, "9 of 12 are right. 'burst' is not 1"),
        (RIGHT | {"burst": 1, "batch": 1, "night": "MON-FRI"}, "(Then look again at: batch (11), night (12).)"),
    ],
)
def test_other_answers_of_the_quiz_are_said(answer, says):
    assert says in refused("18.1", answer)


def test_the_last_hint_of_the_quiz_has_the_answers():
    listed = checks.EXERCISES["18.1"].hints[-1].removeprefix("In order: ").removesuffix(".")
    assert dict(zip(QUIZ, eval(f"[{listed}]"), strict=True)) == RIGHT


# 18.2


def test_the_design_of_the_notebook_passes(capsys):
    checks.check("18.2", values_of(source.solved(exercise(1)), "design"))
    assert progress.solved() == {"18.2"}
    assert "Mind" not in capsys.readouterr().out


def test_the_starter_of_the_design_is_refused():
    design = values_of(source.unsolved(exercise(1)), "design")
    assert set(design) == {*WORDS, *NUMBERS}
    assert "nothing yet for: trigger, in between, idempotency key, MemorySize" in refused("18.2", design)


def test_the_notebook_names_the_words_of_the_check():
    [text] = [text for text in cells("markdown") if "travel agency" in text]
    for field, options in WORDS.items():
        [line] = [line for line in text.splitlines() if line.startswith(f'- `"{field}"`')]
        assert set(re.findall('`"([^"]+)"`', line)) == {field, *options}
    assert all(f'`"{field}"`' in text for field in NUMBERS)
    for figure in ("3,000", "one thread", "6 seconds", "600 MB", "20 calls at once", "three hours"):
        assert f"**{figure}**" in text


@pytest.mark.parametrize(
    ("memory", "timeout", "at_once", "key"),
    [
        *itertools.product([1024, 1769], [45, 120, 300], [3, 20], ["bucket, key and version", "hash of the photo"]),
        (1769, 26, 2, "hash of the photo"),
        (700, 64, 5, "hash of the photo"),
    ],
)
def test_there_is_more_than_one_right_design(memory, timeout, at_once, key):
    numbers = {"MemorySize": memory, "Timeout": timeout, "MaximumConcurrency": at_once, "idempotency key": key}
    checks.check("18.2", DESIGN | numbers | {"VisibilityTimeout": 6 * timeout})


def test_few_tries_pass_with_a_remark(capsys):
    checks.check("18.2", DESIGN | {"maxReceiveCount": 2})
    assert "Mind: AWS recommends a maxReceiveCount of 5 or more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trigger": "schedule"}, "'trigger': a schedule looks when nothing is there"),
        ({"trigger": "function URL"}, "'trigger': an event may have 6 MB"),
        ({"trigger": "S3"}, "choose one of 'S3 event', 'schedule', 'function URL'"),
        ({"in between": "nothing"}, "what fails three times is gone"),
        ({"in between": True}, "choose one of 'queue', 'nothing'"),
        ({"in between": ["queue"]}, "choose one of 'queue', 'nothing'"),
        ({"idempotency key": "request id"}, "in another invocation, with another request id"),
        ({"idempotency key": "message id"}, "two messages with two ids"),
        ({"idempotency key": "user"}, "one user has many receipts"),
        ({"MemorySize": 128}, "at 128 MB the process is killed"),
        ({"MemorySize": 1}, "it is in MB"),
        ({"MemorySize": 600}, "600 MB are used"),
        ({"MemorySize": 640}, "leave 40 MB for a photo larger"),
        ({"MemorySize": 3008}, "gets no faster"),
        ({"Timeout": 3}, "the worst photos take 43 s, so a limit of 3 s kills them"),
        ({"Timeout": 30}, "with the CPU of 1024 MB the worst photos take 43 s"),
        ({"Timeout": 90_000}, "it is in seconds, and Lambda takes 900 at most"),
        ({"Timeout": 900}, "a call that hangs is paid for until its limit"),
        ({"Timeout": 90.5}, "write a whole number"),
        ({"Timeout": True}, "write a whole number"),
        ({"MaximumConcurrency": 1}, "less than 2, the least that Lambda takes"),
        ({"MaximumConcurrency": 2}, "8.6 hours of work, so 2 at a time need 4.3 hours, and there are 3"),
        ({"MaximumConcurrency": 1000}, "the booking service bears 20"),
        ({"VisibilityTimeout": 30}, "Lambda refuses such a mapping"),
        ({"VisibilityTimeout": 90}, "AWS recommends six times the Timeout, here 540 s"),
        ({"VisibilityTimeout": 43_200}, "its photo lies in flight for 12.0 hours"),
        ({"maxReceiveCount": 1}, "a dead letter after any short trouble"),
        ({"maxReceiveCount": 0}, "a dead letter after any short trouble"),
        ({"maxReceiveCount": 1000}, "longer than the four days"),
        ({"maxReceiveCount": 100}, "tried, and paid for, 100 times"),
        ({"maxReceiveCount": None}, "nothing yet for: maxReceiveCount"),
    ],
)
def test_a_wrong_choice_gets_its_reason(changes, says):
    assert says in refused("18.2", DESIGN | changes)


def test_what_is_no_design_is_said():
    assert 'Give the check your dict: check("18.2", design)' in refused("18.2", None)


def test_the_last_hint_of_the_design_is_right():
    hint = checks.EXERCISES["18.2"].hints[-1]
    words = dict(zip(("trigger", "in between", "idempotency key"), re.findall('"([^"]+)"', hint), strict=True))
    numbers = {field: int(re.search(rf"\b{field} (\d+)", hint)[1]) for field in NUMBERS}
    checks.check("18.2", words | numbers)
