"""What holds for every lab and in every language, on functions that are really deployed: right and unfinished ones."""

import re

import pytest
from lab_support import exercise_of

from helpers import check
from helpers.deploying.s3_triggers import make_trigger
from helpers.exercises.lab import labs
from helpers.exercises.languages import LANGUAGES
from helpers.lessons import exercises
from helpers.session import progress, starting_points

GAPS = {  # what stands in a starter in place of the handler's work
    "python": re.compile(r" +raise NotImplementedError\([^)]*\)\n"),
    "node": re.compile(r" +const error = new Error\([^)]*\);\n.*\n +throw error;\n"),
    "ruby": re.compile(r" +raise NotImplementedError,\s+\".*\"\n"),
}
checked = pytest.mark.usefixtures("at_the_start", "many_objects_at_once")
every_lab = pytest.mark.parametrize("lab", labs())
every_language = pytest.mark.parametrize("language", LANGUAGES)


@checked
@every_language
@every_lab
def test_the_reference_answer_passes(lab, language, put_answer, aws, capsys):
    put_answer(lab, language)
    if lab == "16":
        make_trigger(aws, aws.name(labs()[lab].name))
        capsys.readouterr()
    check(exercise_of(lab))
    assert progress.solved() == {exercise_of(lab)}
    assert capsys.readouterr().out.endswith(f": solved. {progress.summary_of_notebook(lab)}.\n")


@checked
@every_language
@every_lab
def test_the_last_hint_passes_where_it_is_pasted_into_the_starter(lab, language, put, aws):
    starter = labs()[lab].starter(language).read_text()
    code = exercises()[exercise_of(lab)].hints_in(language)[-1].partition("\n\n")[2]
    put(lab, language, GAPS[language].sub(lambda _: f"{code}\n", starter, count=1))
    if lab == "16":
        make_trigger(aws, aws.name(labs()[lab].name))
    check(exercise_of(lab))
    assert progress.solved() == {exercise_of(lab)}


@checked
@every_language
@every_lab
def test_the_starter_fails(lab, language, put, sentence_of):
    starting_points.start_at(lab)
    put(lab, language, labs()[lab].starter(language).read_text())
    assert re.search(r"What is deployed is the starter", sentence_of(exercise_of(lab)))


@checked
@every_lab
def test_an_absent_function_is_said(lab, aws, sentence_of):
    text = sentence_of(exercise_of(lab))
    assert f"There is no function {aws.name(labs()[lab].name)} yet; write " in text
    assert str(labs()[lab].copy("python")) in text


@checked
@every_lab
def test_with_slack_the_check_says_what_it_cannot_see(lab, put_answer, aws, inbox, monkeypatch, capsys):
    # Here Slack is the inbox, which is not asked what came: only the function's answers count.
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    put_answer(lab, "python")
    if lab == "16":
        make_trigger(aws, aws.name(labs()[lab].name))
    check(exercise_of(lab))
    assert progress.solved() == {exercise_of(lab)}
    assert "solved. Note: the messages went to Slack, where a check cannot read them" in capsys.readouterr().out


@every_lab
def test_a_starter_says_what_is_to_be_done(lab, make_answer, webhook, language, request):
    if lab == "17":
        request.getfixturevalue("with_sdk")
    files = {LANGUAGES[language].file: labs()[lab].starter(language).read_text()}
    result = make_answer(lab, webhook.url, files).invoke({})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] in ("NotImplementedError", "Function<NotImplementedError>")
    assert re.fullmatch(r"Post .*\.", result.payload["errorMessage"])
    assert webhook.received == []


@every_language
@every_lab
def test_a_starter_begins_as_its_answer_does(lab, language):
    """What a starter gives is what the answer uses; it is not to drift away from it."""
    starter, answer = labs()[lab].starter(language).read_text(), labs()[lab].answer(language).read_text()
    given = [line for line in starter.splitlines() if line.strip() and "NotImplementedError" not in line]
    shared = [line for line in given if line in answer.splitlines()]
    assert len(shared) >= len(given) - 5
    assert starter != answer
