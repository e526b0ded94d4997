"""The checks of notebook 11: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable

import notebook_cells
import numpy as np
import pytest
from notebook_cells import refused

from helpers import checks, deploy, notebooks, progress, settings
from helpers.checks import thumbnails
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source
from helpers.package import package_layer

FUNCTION = settings.FUNCTIONS / "thumbnail" / "python"


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor the function of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    remove(aws, Entry("function", aws.name(thumbnails.PARTIAL)))


def exercises() -> list[str]:
    """The code cells of the notebook that hold an exercise, as the author wrote them."""
    return notebook_cells.exercises("11")


# 11.1


@pytest.fixture(scope="module")
def layer(clients) -> str:
    """The ARN of a layer with Pillow."""
    answer = clients("lambda").publish_layer_version(
        LayerName="checks-pillow", Content={"ZipFile": package_layer(["pillow"], "embedded")}
    )
    return answer["LayerVersionArn"]


@pytest.fixture
def put(aws, layer) -> Callable[[str], None]:
    """Deploy a function with this text for its handler, as the notebook does."""
    s3 = aws.client("s3")
    for name in (thumbnails.UPLOADS, thumbnails.THUMBNAILS):
        if aws.name(name) not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket=aws.name(name))
    variables = {"THUMBNAILS": aws.name(thumbnails.THUMBNAILS)}

    def put(handler: str) -> None:
        files = {file.name: file.read_text() for file in FUNCTION.glob("*.py")}
        deploy(
            aws, aws.name(thumbnails.PARTIAL), files | {"app.py": files["app.py"] + "\n\n" + handler},
            Layers=[layer], MemorySize=2048, Timeout=20, Environment={"Variables": variables},
        )  # fmt: skip

    return put


def test_the_answer_of_the_notebook_passes_and_leaves_nothing_behind(put, aws, capsys):
    put(source.solved(exercises()[0]))
    checks.check("11.1")
    assert "Exercise 11.1" in capsys.readouterr().out
    assert progress.solved() == {"11.1"}
    for name in (thumbnails.UPLOADS, thumbnails.THUMBNAILS):
        assert aws.client("s3").list_objects_v2(Bucket=aws.name(name), Prefix="check/")["KeyCount"] == 0


def test_without_the_function_the_sentence_says_so():
    assert "There is no function" in refused("11.1")


def test_the_starter_fails(put):
    put(source.unsolved(exercises()[0]))
    assert "handler is not written yet" in refused("11.1")


RIGHT = """
def handler(event, context):
    failures = []
    for message in event["Records"]:
        try:
            work(message)
        except Exception:
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
"""
OUTSIDE = """
def handler(event, context):
    failures = []
    try:
        for message in event["Records"]:
            work(message)
    except Exception:
        failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}
"""
STOPS = """
def handler(event, context):
    for place, message in enumerate(event["Records"]):
        try:
            work(message)
        except Exception:
            rest = event["Records"][place:]
            return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in rest]}
    return {"batchItemFailures": []}
"""
ALL_WHEN_ONE = RIGHT.replace(
    '    return {"batchItemFailures": failures}',
    '    everybody = [{"itemIdentifier": message["messageId"]} for message in event["Records"]]\n'
    '    return {"batchItemFailures": everybody if failures else []}',
)


def changed(old: str, new: str) -> str:
    assert old in RIGHT
    return RIGHT.replace(old, new)


WRONG = {
    "as before": ("", "exception of the torn picture ended the handler"),
    "nothing answered": (changed('    return {"batchItemFailures": failures}', ""), "answered nothing .* is deleted"),
    "a list": (changed('{"batchItemFailures": failures}', "failures"), r"was \[.*there is no batchItemFailures in it"),
    "another key": (changed('"batchItemFailures"', '"batchItemFailure"'), "there is no batchItemFailures in it"),
    "ids alone": (changed('{"itemIdentifier": message["messageId"]}', 'message["messageId"]'), "a list of dicts"),
    "one dict": (
        changed('{"batchItemFailures": failures}', '{"batchItemFailures": {"itemIdentifier": "1"}}'), "a list of dicts"
    ),
    "a key of its own": (changed('"itemIdentifier"', '"messageId"'), "has no itemIdentifier"),
    "the handle": (changed('"messageId"', '"receiptHandle"'), "is the receiptHandle, and not the messageId"),
    "the body": (changed('message["messageId"]', 'message["body"]'), "is something else, and not the messageId"),
    "never failed": (
        changed('failures.append({"itemIdentifier": message["messageId"]})', "pass"), "lacks the torn picture"
    ),
    "all when one": (ALL_WHEN_ONE, "names a good picture as failed; it was made"),
    "stops": (STOPS, "names a good picture as failed; it was not even tried"),
    "outside the loop": (OUTSIDE, "has no thumbnail and is not reported"),
    "the last one only": (
        changed("failures.append({", "failures[:] = [({").replace('["messageId"]})', '["messageId"]})]'),
        "lacks 1 of 2 torn pictures",
    ),
    "twice": (changed('"batchItemFailures": failures', '"batchItemFailures": failures * 2'), "names a message twice"),
    "a bug": (changed('event["Records"]', 'event["records"]'), "failed with KeyError: 'records'"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_handler_gets_its_sentence(wrong, put):
    handler, says = WRONG[wrong]
    put(handler)
    text = refused("11.1")
    assert re.search(says, text), text


# 11.2


def mean_ms(frame):
    return frame[frame["init_ms"].isna()]["duration_ms"].mean()


def right(frame, images, batch_size, max_concurrency):
    return np.ceil(np.ceil(images / batch_size) / max_concurrency) * mean_ms(frame) / 1000


DRAINS = {
    "milliseconds": (lambda f, n, b, c: right(f, n, b, c) * 1000, "in milliseconds"),
    "minutes": (lambda f, n, b, c: right(f, n, b, c) / 60, "in minutes"),
    "per image": (lambda f, n, b, c: n / c * mean_ms(f) / 1000, "divide images by batch_size"),
    "batch size twice": (lambda f, n, b, c: right(f, n, b, c) / b, "divided by twice"),
    "one at a time": (lambda f, n, b, c: n / b * mean_ms(f) / 1000, "divide by it"),
    "neither": (lambda f, n, b, c: n * mean_ms(f) / 1000, "how many batches are there"),
    "median": (lambda f, n, b, c: n / b / c * f[f["init_ms"].isna()]["duration_ms"].median() / 1000, "the median"),
    "cold too": (lambda f, n, b, c: n / b / c * f["duration_ms"].mean() / 1000, "the cold rows are counted as well"),
    "cold alone": (lambda f, n, b, c: n / b / c * f.dropna()["duration_ms"].mean() / 1000, r"\.isna\(\)"),
    "billed": (lambda f, n, b, c: n / b / c * f["billed_ms"].mean() / 1000, "billed_ms of all rows"),
    "sum": (lambda f, n, b, c: n / b / c * 5 * mean_ms(f) / 1000, "the sum of the durations"),
    "no rounding": (lambda f, n, b, c: n / b / c * mean_ms(f) / 1000, "round the number of batches up"),
    "rounded down": (lambda f, n, b, c: n // b / c * mean_ms(f) / 1000, "round the number of batches up"),
    "a constant": (lambda f, n, b, c: 42, "returned 42 for 48,000 images .* how many batches"),
    "nan": (lambda f, n, b, c: float("nan"), "returned nan"),
    "a series": (lambda f, n, b, c: f["duration_ms"], "returned a Series; return one number"),
}  # fmt: skip


def test_the_drain_of_the_notebook_passes():
    names = {"np": np}
    exec(source.solved(exercises()[1]), names)
    checks.check("11.2", names["drain_seconds"])
    assert progress.solved() == {"11.2"}


def test_half_a_round_more_or_less_is_no_mistake():
    """Batches are rounded up; whether rounds are, too, makes no difference that counts."""
    checks.check("11.2", lambda f, n, b, c: np.ceil(n / b) / c * mean_ms(f) / 1000)
    assert progress.solved() == {"11.2"}


@pytest.mark.parametrize("wrong", DRAINS)
def test_a_wrong_drain_gets_its_sentence(wrong):
    answer, says = DRAINS[wrong]
    text = refused("11.2", answer)
    assert re.search(says, text), text


def test_the_drain_of_the_starter_fails():
    names = {"np": np}
    exec(source.unsolved(exercises()[1]), names)
    assert "drain_seconds is not written yet" in refused("11.2", names["drain_seconds"])
    assert 'check("11.2", drain_seconds)' in refused("11.2")


# 11.3


def ways(**changes: str) -> dict[str, str]:
    return {case: right for case, (right, _) in thumbnails.CASES.items()} | changes


def test_the_choices_of_the_notebook_pass():
    names = {"cases": thumbnails.CASES}
    exec(source.solved(exercises()[2]), names)
    checks.check("11.3", names["ways"])
    assert progress.solved() == {"11.3"}


def test_upper_case_and_spaces_do_not_matter():
    checks.check("11.3", {case: f"{way.upper()} " for case, way in ways().items()})
    assert progress.solved() == {"11.3"}


def test_the_cases_of_the_check_are_those_of_the_notebook():
    [made_of] = [each for each in notebooks.sources(settings.NOTEBOOKS) if each.name.startswith("11")]
    [text] = [text for _, text in made_of.cells if text.startswith("cases =")]
    assert re.findall(r'^    "(\w+)": ', text, re.MULTILINE) == list(thumbnails.CASES)


@pytest.mark.parametrize("case", thumbnails.CASES)
def test_a_wrong_choice_gets_its_reason(case):
    right, why = thumbnails.CASES[case]
    text = refused("11.3", ways(**{case: "direct" if right == "queue" else "queue"}))
    assert f"{case}: not " in text and why.rstrip(".") in text


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (dict.fromkeys(thumbnails.CASES, "choose"), "scans has no choice yet"),
        (ways(avatars="sqs"), "avatars: 'sqs' is no way"),
        ({"scans": "queue"}, "contracts has no choice yet"),
        (None, r'check\("11\.3", ways\)'),
    ],
    ids=["starter", "another word", "one missing", "none"],
)
def test_a_choice_that_cannot_be_judged_is_said(answer, says):
    text = refused("11.3", answer)
    assert re.search(says, text), text


def test_hints_become_more_concrete(capsys):
    for number, most in (("11.1", 3), ("11.2", 3), ("11.3", 3)):
        for _ in range(most):
            checks.hint(number)
        assert f"Hint {most} of {most}" in capsys.readouterr().out
