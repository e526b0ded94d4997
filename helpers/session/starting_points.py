"""start_at() makes what the notebooks before one would have made; reset() begins a notebook anew."""

import shutil
from pathlib import Path
from typing import Any

from .. import aws_choice, lessons, own_copies
from ..arguments import NOTEBOOK, TEXT, takes
from ..connect import Workshop, connect, embedded_is_empty, present_aws
from ..deploying.deploy import deploy
from ..deploying.s3_triggers import UPLOADS, make_trigger, remove_trigger
from ..errors import WorkshopError
from ..exercises.lab import Lab, labs
from ..exercises.languages import LANGUAGES
from ..lessons import Lesson
from ..localaws import MissingRuntime, find_runtime
from ..resources.cleanup import is_ours, remove
from ..resources.ledger import Entry
from . import progress

TIMEOUT_S = 10  # of the functions that start_at() deploys; an SDK that is loaded cold is slow at 128 MB


class LabError(WorkshopError):
    """There is no such lab or language; the message is one sentence for the reader."""


@takes(notebook=NOTEBOOK, language=TEXT)
def start_at(notebook: str, language: str = "python") -> Path | None:
    """Make what the notebooks before `notebook`, e.g. "16", would have made, and say what that was.

    The labs before it get their function, in `language`, with the reference answer, unless there is one; lab
    16 also its bucket and its trigger. A lab's starters are copied to the folder that is returned (None for a
    notebook without a lab), unless they are there: a file of the reader's is never written over. hint() and
    solution() keep to `language`.

    Raises LessonError for an unknown notebook, LabError for an unknown language.
    """
    notebook = lessons.lesson(notebook).number
    if language not in LANGUAGES:
        raise LabError(f"The labs are not in {language!r}; choose one of: {', '.join(LANGUAGES)}.")
    progress.choose_language(language)
    _say_if_missing(language)
    before = [lab for number, lab in labs().items() if number < notebook]
    lab = labs().get(notebook)
    for each in [*before, *([lab] if lab else [])]:
        _copy_starters(each)
    if before:
        _make_earlier(before, language)
    elif not lab:
        print(f"Notebook {notebook} needs nothing of the notebooks before it.")
    return lab.folder if lab else None


@takes(notebook=NOTEBOOK)
def reset(notebook: str) -> None:
    """Put a notebook, e.g. "04", back to its start, with its progress; of a lab its files and its function, too.

    Nothing is lost: the notebook as it was is kept beside it, with the day in its name, and a lab's file beside the
    folder of its language, as e.g. app.py.bak. What else is in AWS stays; clean() removes it. Prints what was done.

    Raises LessonError for an unknown notebook.
    """
    lesson = lessons.lesson(notebook)
    _reset_notebook(lesson)
    if lab := labs().get(lesson.number):
        _reset_lab(lab)
    progress.forget([each.number for each in lesson.exercises])
    print(f"Notebook {lesson.number} counts as unsolved: {progress.summary()}.")


def _say_if_missing(language: str) -> None:
    """Say it when the embedded AWS cannot run the language here; Python, which runs all this, it always can."""
    if language == "python" or aws_choice.chosen() != "embedded":
        return
    try:
        find_runtime(LANGUAGES[language].runtime)
    except MissingRuntime as missing:
        print(f"{missing}; choose another language.")


def _copy_starters(lab: Lab) -> None:
    made = []
    for language in LANGUAGES:
        copy = lab.copy(language)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lab.starter(language), copy)
            made.append(f"{language}/{copy.name}")
    what = f"made {', '.join(made)}" if made else "your files are there already"
    print(f"Lab {lab.number}, {lab.folder}: {what}.")


def _make_earlier(before: list[Lab], language: str) -> None:
    from ..inbox import open_inbox

    workshop = connect()
    url = open_inbox(workshop).webhook_url
    for lab in before:
        _deploy_answer(workshop, lab, language, url)
        if lab.name == "s3-to-slack":
            make_trigger(workshop, workshop.name(lab.name))


def _deploy_answer(workshop: Workshop, lab: Lab, language: str, url: str) -> None:
    name, client = workshop.name(lab.name), workshop.client("lambda")
    try:
        client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        deploy(
            workshop,
            name,
            lab.answer(language).parent,
            Runtime=LANGUAGES[language].runtime,
            Role=workshop.role(*policies_of(workshop, lab)),
            Timeout=TIMEOUT_S,
            Environment={"Variables": {"WEBHOOK_URL": url}},
        )
        print(f"Function {name}: made, with the reference answer in {language}.")
    else:
        print(f"Function {name}: is there already.")


def policies_of(workshop: Workshop, lab: Lab) -> list[dict[str, Any]]:
    """What the function of a lab may do beside writing its log: statements for workshop.role()."""
    if lab.name != "s3-list-to-slack":
        return []  # the event tells all that it needs
    yours = f"arn:{workshop.partition}:s3:::{workshop.tags['learner']}-*"
    return [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": yours}]


def _reset_lab(lab: Lab) -> None:
    for language in LANGUAGES:
        if lab.copy(language).exists() and (kept := lab.put(language, lab.starter(language))):
            what = f"what you had written is {kept.name} in {kept.parent}"
            print(f"{lab.copy(language)} is the starter again; {what}.")
    if not embedded_is_empty():
        with present_aws() as workshop:
            _remove_function(workshop, lab)


def _reset_notebook(lesson: Lesson) -> None:
    mine = own_copies.path(lesson)
    changed, kept = own_copies.begin_anew(lesson)
    if not changed:
        print(f"{mine.name} is as it was at first.")
        return
    yours = f"; yours is {kept.name} in {kept.parent}" if kept else ""
    print(f"{mine.name} is as it was at first{yours}. If it is open, choose File > Reload Notebook from Disk.")


def _remove_function(workshop: Workshop, lab: Lab) -> None:
    name = workshop.name(lab.name)
    entry = Entry("function", name)
    if not is_ours(workshop, entry):
        print(f"Function {name}: is not there, or not the workshop's, so there is nothing to remove.")
        return
    remove_trigger(workshop, workshop.bucket(UPLOADS), name)
    remove(workshop, entry)
    print(f"Function {name}: removed.")
