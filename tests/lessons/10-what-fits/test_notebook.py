"""What notebook 10 claims: of its cases and cards, of a burst, and of asynchronous calls."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pandas as pd
import pytest
from meeting import MEETS, together
from notebook_cells import Notebook, checks_of

from helpers import deploy, load_prices, reports
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry

checks = checks_of("10")
speaks_for = checks.speaks_for({})


def test_its_break_even_is_that_of_the_check():
    calls = pd.DataFrame({"environment": ["one"], "init_ms": [90.0], "billed_ms": [600], "memory_mb": [256]})
    notebook = Notebook("10", load_prices=load_prices, calls=calls)
    notebook.run("break-even")
    assert notebook.break_even == pytest.approx(checks.break_even()) == pytest.approx(0.2267, abs=1e-3)


def test_the_cases_of_the_slides_have_the_slides_labels():
    notebook = Notebook("10", pd=pd)
    notebook.run("cases")
    found = {case["case"]: speaks_for(case) for case in notebook.cases.to_dict("records")}
    assert {"offload", "event", "async"} <= set(found["thumbnails"])
    assert "no server" in found["night scale-in"]
    assert found["page rendering"] == ["burst", "offload"]
    assert {"offload", "event", "async"} <= set(found["pages of a PDF"])
    assert found["busy API"] == []


def test_its_cards_and_piles_are_those_of_the_check():
    notebook = Notebook("10")
    notebook.run("cards")
    assert set(notebook.cards) == set(checks.CARDS)
    assert tuple(notebook.piles) == checks.PILES


@pytest.fixture
def sleeper(aws) -> Callable[[str, float], str]:
    """Deploy a function that takes so many seconds, anew; give its name."""

    def make(name: str, seconds: float) -> str:
        remove(aws, Entry("function", aws.name(name)))
        code = f"import time\n\n\ndef handler(event, context):\n    time.sleep({seconds})\n"
        deploy(aws, aws.name(name), {"app.py": code}, MemorySize=1769, Timeout=30)
        return aws.name(name)

    return make


def test_a_burst_has_an_environment_and_a_cold_start_for_each_call(aws):
    name = aws.name("fits-burst")
    deploy(aws, name, {"app.py": MEETS}, MemorySize=1769, Timeout=300)
    lambda_client, began = aws.client("lambda"), datetime.now(UTC)
    together([lambda port: lambda_client.invoke(FunctionName=name, Payload=str(port))] * 10)
    calls = reports(aws.client("logs"), name, at_least=10, since=began)
    assert calls["environment"].nunique() == calls["init_ms"].notna().sum() == 10


def test_an_event_is_accepted_before_its_work_is_done(aws, sleeper):
    name = sleeper("fits-slow", 5)
    lambda_client, logs, began = aws.client("lambda"), aws.client("logs"), datetime.now(UTC)
    answers = [lambda_client.invoke(FunctionName=name, InvocationType="Event") for _ in range(3)]
    answered = time.time()
    assert {answer["StatusCode"] for answer in answers} == {202}
    assert {answer["Payload"].read() for answer in answers} == {b""}
    work = reports(logs, name, at_least=3, since=began)
    ended = work["start"].map(datetime.timestamp) + work["duration_ms"] / 1000
    assert (ended > answered).all()
