"""The three labs: where their files are, start_at() to begin at any notebook, reset() to begin a lab anew."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from . import progress, settings
from .connect import Workshop, connect, embedded_is_off
from .deploy import deploy
from .errors import WorkshopError
from .kinds import KINDS
from .ledger import Entry
from .localaws.data_plane import runtimes

S3 = "s3.amazonaws.com"  # who invokes a function when an object comes
UPLOADS = "uploads"  # the bucket of labs 16 and 17, without the learner's prefix
TIMEOUT_S = 10  # of the functions that start_at() deploys; an SDK that is loaded cold is slow at 128 MB
READ_BUCKETS = "AmazonS3ReadOnlyAccess"


class LabError(WorkshopError):
    """There is no such notebook, lab or language; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Language:
    """A language that the labs can be solved in."""

    runtime: str
    file: str  # which holds the handler


LANGUAGES = {
    "python": Language("python3.13", "app.py"),
    "node": Language("nodejs24.x", "index.mjs"),
    "ruby": Language("ruby3.4", "app.rb"),
}


@dataclass(frozen=True)
class Lab:
    """One lab of the workshop."""

    number: str  # of its notebook, e.g. "16"
    name: str  # of its function and of its folder in notebooks/functions, e.g. "s3-to-slack"

    @property
    def folder(self) -> Path:
        """Where the reader's own files are, one folder for each language."""
        return settings.home() / "labs" / self.number

    def copy(self, language: str) -> Path:
        """The file that the reader writes."""
        return self.folder / language / LANGUAGES[language].file

    def starter(self, language: str) -> Path:
        return settings.FUNCTIONS / self.name / "starter" / language / LANGUAGES[language].file

    def answer(self, language: str) -> Path:
        """The reference answer."""
        return settings.FUNCTIONS / self.name / language / LANGUAGES[language].file

    def language(self) -> str:
        """The language that the reader wrote in last, or else chose."""
        begun = [each for each in LANGUAGES if self._is_begun(each)]
        return max(begun, key=lambda each: self.copy(each).stat().st_mtime, default=progress.language())

    def _is_begun(self, language: str) -> bool:
        copy = self.copy(language)
        return copy.exists() and copy.read_bytes() != self.starter(language).read_bytes()


LABS = {
    lab.number: lab for lab in (Lab("09", "slack"), Lab("16", "s3-to-slack"), Lab("17", "s3-list-to-slack"))
}
NOTEBOOKS = [f"{number:02}" for number in range(19)]


def start_at(notebook: str, language: str = "python") -> Path | None:
    """Make what the notebooks before `notebook`, e.g. "16", would have made, and say what that was.

    The labs before it get their function, in `language`, with the reference answer, unless there is one; lab
    16 also its bucket and its trigger. A lab's starters are copied to the folder that is returned (None for a
    notebook without a lab), unless they are there: a file of the reader's is never written over. hint() and
    solution() keep to `language`.

    Raises LabError for an unknown notebook or language.
    """
    if notebook not in NOTEBOOKS:
        raise LabError(f"There is no notebook {notebook!r}; name it by its number, from '00' to '18'.")
    if language not in LANGUAGES:
        raise LabError(f"The labs are not in {language!r}; choose one of: {', '.join(LANGUAGES)}.")
    progress.choose_language(language)
    _say_if_missing(language)
    before = [lab for number, lab in LABS.items() if number < notebook]
    lab = LABS.get(notebook)
    for each in [*before, *([lab] if lab else [])]:
        _copy_starters(each)
    if before:
        _make_earlier(before, language)
    elif not lab:
        print(f"Notebook {notebook} needs nothing of the notebooks before it.")
    return lab.folder if lab else None


def reset(notebook: str) -> None:
    """Put a lab, e.g. "09", back to its start: its files, its function with its trigger, and its progress.

    A file that differs from its starter is kept beside the folder of its language, as e.g. app.py.bak.
    The bucket stays, with what is in it. Prints what was done.

    Raises LabError when the notebook has no lab.
    """
    lab = LABS.get(notebook)
    if lab is None:
        raise LabError(f"Notebook {notebook!r} has no lab to reset; the labs are {', '.join(LABS)}.")
    for language in LANGUAGES:
        _put_back(lab, language)
    if not embedded_is_off():
        _remove_function(connect(ask=False), lab)
    progress.forget([lab.number])
    print(f"Lab {lab.number} counts as unsolved: {progress.summary()}.")


def remove(workshop: Workshop, entry: Entry) -> None:
    """Delete a thing that the ledger holds, if it is there, and strike it out."""
    kind = next(kind for kind in KINDS if kind.name == entry.kind)
    client = workshop.client(kind.service)
    if kind.exists(client, entry.id):
        kind.delete(client, entry.id)
    workshop.ledger.removed(entry)


def make_bucket(workshop: Workshop, name: str) -> None:
    """Create a bucket, or keep it where it is this account's already."""
    s3 = workshop.client("s3")
    place = {} if workshop.region == "us-east-1" else {"LocationConstraint": workshop.region}
    try:
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


def lambda_triggers(workshop: Workshop, bucket: str, function_name: str) -> list[dict[str, Any]] | None:
    """The bucket's notifications for this function, as S3's API has them; None when there is no bucket."""
    try:
        notifications = _notifications(workshop, bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return None
        raise
    triggers = notifications.get("LambdaFunctionConfigurations", [])
    return [each for each in triggers if _is_for(each, function_name)]


def _say_if_missing(language: str) -> None:
    """Say it when the embedded AWS cannot run the language here; Python, which runs all this, it always can."""
    if language == "python" or settings.chosen() != "embedded":
        return
    try:
        runtimes.find(LANGUAGES[language].runtime, Path(), Path(), Path())
    except runtimes.MissingRuntime as missing:
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


def _make_earlier(labs: list[Lab], language: str) -> None:
    from .inbox import open_inbox

    workshop = connect()
    url = open_inbox(workshop).webhook_url
    for lab in labs:
        _deploy_answer(workshop, lab, language, url)
        if lab.name == "s3-to-slack":
            _make_trigger(workshop, workshop.name(lab.name))


def _deploy_answer(workshop: Workshop, lab: Lab, language: str, url: str) -> None:
    name, client = workshop.name(lab.name), workshop.client("lambda")
    try:
        client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        deploy(
            workshop, name, lab.answer(language).parent, Runtime=LANGUAGES[language].runtime,
            Role=workshop.role(READ_BUCKETS), Timeout=TIMEOUT_S,
            Environment={"Variables": {"WEBHOOK_URL": url}},
        )  # fmt: skip
        print(f"Function {name}: made, with the reference answer in {language}.")
    else:
        print(f"Function {name}: is there already.")


def _make_trigger(workshop: Workshop, function_name: str) -> None:
    """The bucket, S3's permission to invoke the function, and the notification."""
    client, bucket = workshop.client("lambda"), workshop.name(UPLOADS)
    make_bucket(workshop, bucket)
    if lambda_triggers(workshop, bucket, function_name):
        print(f"Bucket {bucket}: is there already, with its trigger.")
        return
    arn = client.get_function_configuration(FunctionName=function_name)["FunctionArn"]
    partition, account = arn.split(":")[1], arn.split(":")[4]
    try:
        client.add_permission(
            FunctionName=function_name, StatementId=UPLOADS, Action="lambda:InvokeFunction", Principal=S3,
            SourceArn=f"arn:{partition}:s3:::{bucket}", SourceAccount=account,
        )  # fmt: skip
    except client.exceptions.ResourceConflictException:
        client.get_policy(FunctionName=function_name)  # the statement is there already
    notifications = _notifications(workshop, bucket)
    ours = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    notifications.setdefault("LambdaFunctionConfigurations", []).append(ours)
    workshop.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=notifications
    )
    print(f"Bucket {bucket}: is there, and triggers {function_name}.")


def _put_back(lab: Lab, language: str) -> None:
    copy, starter = lab.copy(language), lab.starter(language)
    if not copy.exists() or copy.read_bytes() == starter.read_bytes():
        return
    backup = _free_name(lab.folder / f"{copy.name}.bak")  # not in the language's folder, which is packaged
    copy.rename(backup)
    shutil.copyfile(starter, copy)
    print(f"{copy} is the starter again; what you had written is {backup.name} in {backup.parent}.")


def _free_name(path: Path) -> Path:
    """The path, or with a number the first one after it that is free: no backup is lost."""
    number = 2
    free = path
    while free.exists():
        free = path.with_name(f"{path.name}{number}")
        number += 1
    return free


def _remove_function(workshop: Workshop, lab: Lab) -> None:
    name = workshop.name(lab.name)
    entry = Entry("function", name)
    if entry not in workshop.ledger.entries():
        print(f"Function {name}: the ledger does not hold it, so there is nothing to remove.")
        return
    _remove_trigger(workshop, workshop.name(UPLOADS), name)
    remove(workshop, entry)
    print(f"Function {name}: removed.")


def _remove_trigger(workshop: Workshop, bucket: str, function_name: str) -> None:
    if not lambda_triggers(workshop, bucket, function_name):
        return
    notifications = _notifications(workshop, bucket)
    triggers = notifications["LambdaFunctionConfigurations"]
    others = [each for each in triggers if not _is_for(each, function_name)]
    workshop.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=notifications | {"LambdaFunctionConfigurations": others}
    )
    print(f"Bucket {bucket}: no longer triggers {function_name}.")


def _notifications(workshop: Workshop, bucket: str) -> dict[str, Any]:
    answer = workshop.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _is_for(notification: dict[str, Any], function_name: str) -> bool:
    arn = notification["LambdaFunctionArn"]  # with a version or an alias behind the name, perhaps
    return arn.split(":")[6:7] == [function_name]
