"""The checks of notebook 06: right answers pass, and wrong functions get their sentence."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy
from helpers.authoring.source import solved, unsolved
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("06")
NOTEBOOK = Notebook("06")


@pytest.fixture
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor functions of another test are there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for name in ("worker", "table-maker"):
        remove(aws, Entry("function", aws.name(name)))


@pytest.fixture
def bucket(aws) -> str:
    """The bucket of the notebook."""
    aws.client("s3").create_bucket(Bucket=aws.bucket("limits"))  # again and again, in us-east-1
    return aws.bucket("limits")


@pytest.fixture
def put(aws, at_the_start) -> Callable[..., None]:
    """Deploy a function with this text as its app.py, and with the role that the notebook gives it."""
    notebook = Notebook("06", workshop=aws)
    notebook.run("bucket", "write")
    usual = {
        "worker": {"Handler": "app.stop_in_time"},
        "table-maker": {"Handler": "app.make_table", "Role": aws.role(notebook.write)},
    }

    def put(name: str, code: str, **configuration) -> None:
        deploy(aws, aws.name(name), {"app.py": code}, **usual[name] | configuration)

    return put


# 06.1

WORKER = "import time\n\n\n" + NOTEBOOK.text("worker")
ANOTHER_WORKER = """\
import time


def stop_in_time(event, context):
    time.sleep(0.4)  # as if the machine were slow
    items, seconds = event["items"], event["seconds_each"]
    for place, item in enumerate(items):
        if context.get_remaining_time_in_millis() / 1000 - seconds < 0.5:
            return {"done": items[:place], "left": items[place:]}
        time.sleep(seconds)
        print("worked on", item)
    return {"done": items, "left": []}
"""


def test_the_worker_of_the_notebook_passes(put):
    put("worker", solved(WORKER), Timeout=3)
    check("06.1")
    assert progress.solved() == {"06.1"}


def test_another_worker_passes_on_a_slower_machine_too(put):
    put("worker", ANOTHER_WORKER, Timeout=3)
    check("06.1")
    assert progress.solved() == {"06.1"}


def test_the_starter_of_a_worker_is_not_written_yet(put):
    put("worker", unsolved(WORKER), Timeout=3)
    assert "not written yet" in refused("06.1")


@pytest.mark.usefixtures("at_the_start")
def test_an_absent_worker_is_said():
    assert "There is no function" in refused("06.1")


def test_a_worker_with_plenty_of_time_is_said(put):
    put("worker", solved(WORKER), Timeout=60)
    assert "has a Timeout of 60 s; deploy it with Timeout=3" in refused("06.1")


@pytest.mark.parametrize("wrong", checks.WORKER.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_worker_gets_its_sentence(wrong, put):
    put("worker", mutated(solved(WORKER), wrong.answer), Timeout=3)
    text = refused("06.1")
    assert re.search(wrong.says, text), text


# 06.2

TABLE = NOTEBOOK.text("table-maker")
FAST = {"MemorySize": 1769, "Timeout": 60}


def test_the_table_of_the_notebook_passes(put, bucket, aws):
    put("table-maker", solved(TABLE), **FAST)
    check("06.2")
    assert progress.solved() == {"06.2"}
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="check/")


def test_the_starter_of_a_table_is_not_written_yet(put, bucket):
    put("table-maker", unsolved(TABLE), **FAST)
    assert "not written yet" in refused("06.2")


@pytest.mark.usefixtures("at_the_start")
def test_an_absent_table_maker_is_said(bucket):
    assert "There is no function" in refused("06.2")


@pytest.mark.parametrize("wrong", checks.TABLE.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_table_gets_its_sentence(wrong, put, bucket, aws):
    put("table-maker", mutated(solved(TABLE), wrong.answer), **FAST)
    text = refused("06.2")
    assert re.search(wrong.says, text), text
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="check/")


def test_a_bucket_that_its_role_does_not_allow_is_said(put, bucket, aws):
    other = aws.bucket("limits-other")
    aws.client("s3").create_bucket(Bucket=other)
    put("table-maker", mutated(solved(TABLE), ("Bucket=bucket", f'Bucket="{other}"')), **FAST)
    text = refused("06.2")
    remove(aws, Entry("bucket", other))
    assert re.search(f"calls s3:PutObject on arn:aws:s3:::{other}/check/.* does not allow: only the bucket", text), text


def test_a_role_that_is_too_narrow_is_said(put, bucket, aws):
    put("table-maker", solved(TABLE), Role=aws.role(), **FAST)
    assert f"does not allow s3:PutObject on the objects of the bucket {bucket} for 7 rows" in refused("06.2")


def test_a_bucket_that_is_missing_is_said(put, aws):
    remove(aws, Entry("bucket", aws.bucket("limits")))
    put("table-maker", solved(TABLE), **FAST)
    assert re.search("There is no bucket .* run the notebook from the top", refused("06.2"))


# 06.3


def test_the_run_times_of_the_notebook_pass_and_its_starter_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    starter, notebook = Starter("06"), Notebook("06")
    for each in (starter, notebook):
        each.run("run-times")
    assert "not written yet" in refused("06.3", starter.run_times)
    check("06.3", notebook.run_times)
    assert progress.solved() == {"06.3"}


def test_the_example_of_the_check_holds_runs_of_several_requests():
    messages = [event["message"] for event in checks.example_log()]
    assert sum(message.startswith("START RequestId: ") for message in messages) == 6
    assert len(messages) == 30
