"""Fixtures of the tests of the labs: their functions in three languages, and the webhook that these post to."""

import contextlib
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lab_support import ENOUGH, Webhook, exercise_of, remove_labs, serve_webhook
from localaws_client import ROLE, TestedFunction, made_bucket, zipped
from notebook_cells import checks_of, mutated

from helpers import check, deploy, settings
from helpers.exercises import NotSolved
from helpers.exercises.lab import labs
from helpers.exercises.lab_mistakes import WrongLabAnswer
from helpers.exercises.languages import LANGUAGES
from helpers.inbox import Inbox, open_inbox
from helpers.session import progress, starting_points

# What checks look at: the reader's functions, which post to the inbox.


@pytest.fixture
def at_the_start(aws, embedded_home) -> None:
    """Nothing of another test is there: no working copy, no progress, no function, no bucket."""
    remove_labs(aws, embedded_home)


@pytest.fixture
def inbox(aws) -> Inbox:
    return open_inbox(aws)


@pytest.fixture
def put(aws, inbox, needs) -> Callable[..., None]:
    """Deploy the code of a lab's handler, in one file."""

    def put(lab: str, language: str, code: str, **configuration: Any) -> None:
        if language == "ruby":  # the others come with the workshop
            needs("ruby")
        usual = {
            "Runtime": LANGUAGES[language].runtime,
            "Role": aws.role(*starting_points.policies_of(aws, labs()[lab])),
            "Environment": {"Variables": {"WEBHOOK_URL": inbox.webhook_url}},
            **ENOUGH,
        }
        deploy(aws, aws.name(labs()[lab].name), {LANGUAGES[language].file: code}, **usual | configuration)

    return put


@pytest.fixture
def put_answer(put) -> Callable[..., None]:
    """Deploy the reference answer of a lab, with changes."""

    def put_answer(lab: str, language: str, *changes: tuple[str, str], **configuration: Any) -> None:
        put(lab, language, mutated(labs()[lab].answer(language).read_text(), *changes), **configuration)

    return put_answer


@pytest.fixture
def sentence_of() -> Callable[[str], str]:
    """What the check of an exercise says of a wrong answer; it may say nothing else and enter nothing."""

    def sentence_of(exercise: str) -> str:
        with pytest.raises(NotSolved) as caught:
            check(exercise)
        assert progress.solved() == set()
        text = str(caught.value)
        assert text.startswith("Not yet. ") and text.count("\n") == 0
        return text

    return sentence_of


@pytest.fixture
def gets_its_sentence(put, aws, inbox, sentence_of, capsys) -> Callable[[str, WrongLabAnswer], None]:
    """Deploy a wrong answer to a lab, and look at what the check says of it."""

    def gets_its_sentence(lab: str, wrong: WrongLabAnswer) -> None:
        url = inbox.webhook_url.reveal()
        code = mutated(labs()[lab].answer(wrong.language).read_text(), *wrong.answer)
        for name, value in {"webhook": url, "reversed": url[::-1], "uploads": aws.name("uploads")}.items():
            code = code.replace("{" + name + "}", value)
        # 2 s for a request become 20: what is wrong is not how busy the machine is.
        patient, found = re.subn(r"(TIMEOUT_M?S = 2)\b|(TIMEOUT_MS = 2)(?=000\b)", r"\g<0>0", code)
        assert found == 1
        put(lab, wrong.language, patient, **wrong.configuration)
        text = sentence_of(exercise_of(lab))
        assert re.search(wrong.says, text), text
        assert url.rpartition("/")[2] not in text
        assert capsys.readouterr().out == ""

    return gets_its_sentence


@pytest.fixture(scope="module")
def many_objects(clients) -> Iterator[tuple[str, list[str]]]:
    """A bucket of the learner's with one object more than a page of ListObjectsV2 holds, and their keys.

    It is gone at the end, as other modules look for what has the learner's prefix.
    """
    name, keys = f"{settings.learner()}-tested-many", [f"k{number:04}" for number in range(checks_of("17").MANY)]
    clients("s3").create_bucket(Bucket=name)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: clients("s3").put_object(Bucket=name, Key=key, Body=b"1"), keys))
    yield name, keys
    for some in (keys[:1000], keys[1000:]):  # as many as one call deletes
        clients("s3").delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in some]})
    clients("s3").delete_bucket(Bucket=name)


@pytest.fixture
def many_objects_at_once(many_objects, monkeypatch) -> None:
    """Spare the check of lab 17 to make a bucket with many objects: it finds one."""
    bucket, there = many_objects

    @contextlib.contextmanager
    def bucket_of_keys(workshop: Any, keys: list[str]) -> Iterator[str]:
        assert keys == there
        yield bucket

    monkeypatch.setattr(checks_of("17"), "bucket_of_keys", bucket_of_keys)


# The functions by themselves, which post to a webhook of the tests.


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request, needs) -> str:
    if request.param == "ruby":
        needs("ruby")
    return request.param


@pytest.fixture(scope="module")
def with_sdk(language, needs_sdk) -> None:
    needs_sdk(language)


@pytest.fixture(scope="module")
def webhook_of_module() -> Iterator[Webhook]:
    yield from serve_webhook()


@pytest.fixture
def webhook(webhook_of_module) -> Webhook:
    return webhook_of_module.as_new()


@pytest.fixture(scope="module")
def function_of(clients, language, webhook_of_module) -> Iterator[Callable[[str], TestedFunction]]:
    """Give a lab's function, which posts to `webhook`; tests that only invoke it share it."""
    made: dict[str, TestedFunction] = {}

    def function_of(lab: str) -> TestedFunction:
        if lab not in made:
            code = {LANGUAGES[language].file: labs()[lab].answer(language).read_text()}
            clients("lambda").create_function(
                FunctionName=f"tested-lab-{lab}-{language}",
                Runtime=LANGUAGES[language].runtime,
                Role=ROLE,
                Handler=_handler(language),
                Code={"ZipFile": zipped(code)},
                Environment={"Variables": {"WEBHOOK_URL": webhook_of_module.url}},
                **ENOUGH,
            )
            made[lab] = TestedFunction(f"tested-lab-{lab}-{language}", clients)
            made[lab].wait()
        return made[lab]

    yield function_of
    for function in made.values():
        clients("lambda").delete_function(FunctionName=function.name)
        clients("logs").delete_log_group(logGroupName=f"/aws/lambda/{function.name}")


@pytest.fixture
def make_answer(make_function, language) -> Callable[..., TestedFunction]:
    """Make a function with files of its own: by default a lab's, with another webhook or configuration."""

    def make_answer(
        lab: str, webhook_url: str, files: dict[str, str] | None = None, variables: Any = None, **configuration: Any
    ) -> TestedFunction:
        return make_function(
            files or {LANGUAGES[language].file: labs()[lab].answer(language).read_text()},
            LANGUAGES[language].runtime,
            Environment={"Variables": {"WEBHOOK_URL": webhook_url} | (variables or {})},
            **{"Handler": _handler(language)} | ENOUGH | configuration,
        )

    return make_answer


def _handler(language: str) -> str:
    return LANGUAGES[language].file.partition(".")[0] + ".handler"


@pytest.fixture
def bucket(clients) -> Iterator[str]:
    """An empty bucket, which is gone afterwards."""
    with made_bucket(clients, "tested-handlers") as name:
        yield name
