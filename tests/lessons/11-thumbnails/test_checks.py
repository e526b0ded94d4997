"""The checks of notebook 11: right answers pass, wrong handlers get their sentence."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, deploy, hint
from helpers.authoring.source import solved, unsolved
from helpers.deploying.package import package_layer
from helpers.lessons import function_folder
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("11")

FUNCTION = function_folder("thumbnail") / "python"
HANDLER = Notebook("11").text("partial-handler")


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


# 11.1


@pytest.fixture(scope="module")
def layer(clients) -> str:
    """The ARN of a layer with Pillow."""
    answer = clients("lambda").publish_layer_version(
        LayerName="checks-pillow", Content={"ZipFile": package_layer(["pillow"], "embedded")}
    )
    return answer["LayerVersionArn"]


@pytest.fixture(scope="module")
def put(aws_of_module, layer) -> Callable[..., None]:
    """Deploy a function with this text for its handler, as the notebook does."""
    workshop = aws_of_module
    s3 = workshop.client("s3")
    there = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    for name in {workshop.bucket(checks.UPLOADS), workshop.bucket(checks.THUMBNAILS)}.difference(there):
        s3.create_bucket(Bucket=name)
    files = {file.name: file.read_text() for file in FUNCTION.glob("*.py")}
    variables = {"THUMBNAILS": workshop.bucket(checks.THUMBNAILS)}
    notebook = Notebook("11", workshop=workshop)
    notebook.run("role")

    def put(handler: str, role: str = notebook.makes_thumbnails) -> None:
        deploy(
            workshop,
            workshop.name(checks.PARTIAL),
            files | {"app.py": files["app.py"] + "\n\n" + handler},
            Handler="app.handle_each",
            Role=role,
            Layers=[layer],
            MemorySize=10_240,
            Timeout=20,
            Environment={"Variables": variables},
        )

    return put


def test_without_the_function_the_sentence_says_so(aws):
    remove(aws, Entry("function", aws.name(checks.PARTIAL)))
    assert "There is no function" in refused("11.1")


def test_the_answer_of_the_notebook_passes_and_leaves_nothing_behind(put, aws, capsys):
    put(solved(HANDLER))
    check("11.1")
    assert "Exercise 11.1" in capsys.readouterr().out
    assert progress.solved() == {"11.1"}
    for name in (checks.UPLOADS, checks.THUMBNAILS):
        assert aws.client("s3").list_objects_v2(Bucket=aws.bucket(name), Prefix="check/")["KeyCount"] == 0


def test_the_starter_fails(put):
    put(unsolved(HANDLER))
    assert "handle_each is not written yet" in refused("11.1")


@pytest.mark.parametrize("wrong", checks.ONLY_THE_BAD.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_handler_gets_its_sentence(wrong, put):
    put(wrong.answer)
    text = refused("11.1")
    assert re.search(wrong.says, text), text


def test_a_role_that_is_too_narrow_is_named_with_the_call(put, aws):
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{aws.bucket(checks.UPLOADS)}/*"}
    put(solved(HANDLER), aws.role(read))
    assert f"does not allow s3:PutObject on arn:aws:s3:::{aws.bucket(checks.THUMBNAILS)}/check/" in refused("11.1")


# 11.2


def test_the_drain_of_the_notebook_passes():
    notebook = Notebook("11", np=np)
    notebook.run("drain-seconds")
    check("11.2", notebook.drain_seconds)
    assert progress.solved() == {"11.2"}


def test_half_a_round_more_or_less_is_no_mistake():
    """Batches are rounded up; whether rounds are, too, makes no difference that counts."""

    def drain_seconds(frame, images, batch_size, max_concurrency):
        mean_ms = frame[frame["init_ms"].isna()]["duration_ms"].mean()
        return np.ceil(images / batch_size) / max_concurrency * mean_ms / 1000

    check("11.2", drain_seconds)
    assert progress.solved() == {"11.2"}


def test_the_drain_of_the_starter_fails():
    starter = Starter("11")
    starter.run("drain-seconds")
    assert "drain_seconds is not written yet" in refused("11.2", starter.drain_seconds)


# 11.3


def test_the_choices_of_the_notebook_pass():
    notebook = Notebook("11")
    notebook.run("ways")
    check("11.3", notebook.ways)
    assert progress.solved() == {"11.3"}


def test_the_choices_of_the_starter_fail():
    starter = Starter("11")
    starter.run("ways")
    assert "scans has no choice yet" in refused("11.3", starter.ways)


def test_upper_case_and_spaces_do_not_matter():
    check("11.3", {case: f"{way.upper()} " for case, way in checks.RIGHT_WAYS.items()})
    assert progress.solved() == {"11.3"}


def test_the_cases_of_the_check_are_those_of_the_notebook():
    notebook = Notebook("11")
    notebook.run("ways")
    assert list(notebook.cases) == list(checks.CASES)


@pytest.mark.parametrize("exercise", checks.EXERCISES, ids=lambda exercise: exercise.number)
def test_hints_become_more_concrete(exercise, capsys):
    hints = exercise.hints_in("python")
    for _ in hints:
        hint(exercise.number)
    assert f"Hint {len(hints)} of {len(hints)}" in capsys.readouterr().out
