"""The checks of notebook 03: right answers pass, however they come about; what is deployed gets its sentence."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy, load_prices
from helpers.authoring.source import solved, unsolved
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("03")
PRICES = load_prices()["lambda"]
REQUEST, GB_SECOND = PRICES["request"], PRICES["gb_second"]["x86_64"]
HAND_ON = Notebook("03").text("hand-on")
BACK = "import time\n\n\ndef handler(event, context):\n    time.sleep(event.get('wait_s', 0))\n"
IMPORTS = 'import json\nimport os\n\nimport boto3\n\nclient = boto3.client("lambda")\n\n\n'


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor functions of another test are there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for name in ("bill-hands-on", "bill-report"):
        remove(aws, Entry("function", aws.name(name)))


# 03.1


def test_the_bill_of_the_notebook_passes_and_its_starter_fails():
    starter, notebook = (make("03", prices=PRICES) for make in (Starter, Notebook))
    for each in (starter, notebook):
        each.run("bill")
    assert "is not written yet" in refused("03.1", starter.bill)
    check("03.1", notebook.bill)
    assert progress.solved() == {"03.1"}


def test_a_bill_row_by_row_passes():
    def bill(frame):
        return sum(REQUEST + row.memory_mb / 1024 * row.billed_ms / 1000 * GB_SECOND for row in frame.itertuples())

    check("03.1", bill)
    assert progress.solved() == {"03.1"}


# 03.2


@pytest.fixture
def put(aws) -> Callable[[str], None]:
    """Deploy a hand_on with this text, and the function that it hands on to."""

    def put(hand_on: str) -> None:
        back, notebook = aws.name("bill-back"), Notebook("03")
        notebook.made = deploy(aws, back, {"app.py": BACK}, MemorySize=256, Timeout=10)
        notebook.run("invoke-back")
        deploy(
            aws,
            aws.name("bill-hands-on"),
            {"app.py": IMPORTS + hand_on},
            Handler="app.hand_on",
            MemorySize=1769,
            Timeout=20,
            Role=aws.role(notebook.invoke_back),
            Environment={"Variables": {"BACK": back}},
        )

    return put


def test_the_function_of_the_notebook_that_hands_on_passes(put):
    put(solved(HAND_ON))
    check("03.2")
    assert progress.solved() == {"03.2"}


def test_a_role_that_may_not_invoke_is_said(put, aws):
    put(solved(HAND_ON))
    name = {"FunctionName": aws.name("bill-hands-on")}
    aws.client("lambda").update_function_configuration(**name, Role=aws.role())
    aws.client("lambda").get_waiter("function_updated_v2").wait(**name)
    assert re.search(r"; allow lambda:InvokeFunction on arn:\S+-bill-back\.", refused("03.2"))


def test_the_starter_of_a_function_that_hands_on_is_not_written_yet(put):
    put(unsolved(HAND_ON))
    assert "not written yet" in refused("03.2")


def test_an_absent_function_is_said():
    assert "There is no function" in refused("03.2")
    assert "There is no function" in refused("03.3")


@pytest.mark.parametrize("wrong", checks.HAND_ON.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_way_to_hand_on_gets_its_sentence(wrong, put, monkeypatch):
    monkeypatch.setattr(checks, "ARRIVES_S", 8)  # that nothing comes is seen sooner
    put(mutated(solved(HAND_ON), wrong.answer))
    text = refused("03.2")
    assert re.search(wrong.says, text), text


# 03.3


@pytest.fixture
def report(aws) -> Notebook:
    """Deploy the function that is to be tuned, as the notebook does."""
    notebook = Notebook("03", workshop=aws, lambda_client=aws.client("lambda"), logs=aws.client("logs"))
    notebook.prices = PRICES
    notebook.run("per-size", "report-code", "report")
    return notebook


def test_the_size_of_the_notebook_passes(report):
    report.run("tune-it", "tuned")
    assert progress.solved() == {"03.3"}


def test_arm64_passes_as_well(report, aws):
    deploy(aws, report.report, {"app.py": report.report_code}, MemorySize=256, Architectures=["arm64"])
    check("03.3")
    assert progress.solved() == {"03.3"}


@pytest.mark.parametrize("wrong", checks.TUNED.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_size_gets_its_sentence(wrong, report, aws):
    deploy(aws, report.report, {"app.py": report.report_code}, Timeout=10, **wrong.answer)
    text = refused("03.3")
    assert re.search(wrong.says, text), text


def test_a_time_limit_that_stops_it_is_said(report, aws):
    slower = report.report_code.replace("time.sleep(0.2)", "time.sleep(0.2)\n    time.sleep(event.get('more', 2))")
    deploy(aws, report.report, {"app.py": slower}, MemorySize=256, Timeout=1)
    assert "reached its time limit of 1 s with 256 MB" in refused("03.3")


def test_other_code_is_said(report, aws):
    deploy(aws, report.report, {"app.py": "def handler(event, context):\n    return 1\n"}, MemorySize=128)
    assert "its configuration alone is asked for" in refused("03.3")
