"""What notebook 03 claims of billing and memory holds on the embedded AWS: ratios and counts, no absolute times."""

import math
import statistics
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from notebook_cells import Notebook

from helpers import deploy, load_prices, reports

DOES_AS_TOLD = """
import time


def handler(event, context):
    began, cpu = time.monotonic(), time.process_time()
    while time.process_time() - cpu < event.get("compute_s", 0):
        pass
    time.sleep(event.get("wait_s", 0))
    if event.get("fail"):
        raise ValueError("told to fail")
    return (time.process_time() - cpu) / (time.monotonic() - began)
"""


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    """The functions of the notebook."""
    notebook = Notebook("03", np=np, pd=pd, prices=load_prices()["lambda"])
    notebook.run("three-rules", "invoice", "per-size", "monthly")
    return notebook


def test_billed_is_init_and_duration_together_rounded_up(make_function):
    function = make_function(DOES_AS_TOLD)
    for _ in range(4):
        function.invoke()
    cold, *warm = function.reports()
    assert cold["init"] and not any(report["init"] for report in warm)
    for report in (cold, *warm):
        together = Decimal(report["duration"]) + Decimal(report["init"] or 0)
        assert int(report["billed"]) == math.ceil(together)


def test_what_fails_is_billed_like_what_succeeds(make_function):
    function = make_function(DOES_AS_TOLD)
    function.invoke()
    assert function.invoke({"wait_s": 0.2, "fail": True}).error == "Unhandled"
    failed = function.reports()[-1]
    assert failed["status"] is None  # REPORT does not tell
    assert int(failed["billed"]) >= 200


def test_a_timeout_is_billed_to_its_limit(make_function):
    function = make_function(DOES_AS_TOLD, Timeout=1)
    for _ in range(2):
        assert function.invoke({"wait_s": 5}).error == "Unhandled"
    first, second = function.reports()
    assert first["status"] == second["status"] == "timeout"
    assert int(first["billed"]) == math.ceil(1000 + float(first["init"]))
    assert int(second["billed"]) == 1000


def test_what_is_throttled_is_not_billed(make_function, clients):
    function = make_function(DOES_AS_TOLD)
    function.invoke()
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(clients("lambda").exceptions.TooManyRequestsException):
        function.invoke()
    assert len(function.reports()) == 1


def test_memory_used_is_not_what_is_billed(make_function):
    function = make_function(DOES_AS_TOLD, MemorySize=1024)
    function.invoke()
    [report] = function.reports()
    assert int(report["used"]) < int(report["memory"]) == 1024


def share_of_cpu(function, memory_mb: int, calls: int = 2) -> float:
    function.update(MemorySize=memory_mb)
    function.invoke()  # cold
    return statistics.median(function.invoke({"compute_s": 0.06}).payload for _ in range(calls))


def test_a_function_that_computes_gets_cpu_in_proportion_to_memory(make_function):
    function = make_function(DOES_AS_TOLD, Timeout=60)
    small = large = 0.0
    for _ in range(5):  # a busy machine only takes away, so the best round counts
        small = max(small, share_of_cpu(function, 128))
        large = max(large, share_of_cpu(function, 512))
        if large / small > 3:
            break
    assert small == pytest.approx(128 / 1769, rel=0.4)
    assert 2 < large / small < 6, "four times the memory, four times the CPU: the same price"


def test_a_function_that_waits_is_not_slowed_by_little_memory(make_function):
    function = make_function(DOES_AS_TOLD, MemorySize=128)
    function.invoke()
    for _ in range(3):
        function.invoke({"wait_s": 0.3})
    assert min(float(report["duration"]) for report in function.reports()[1:]) < 2 * 300


def test_init_is_not_slowed_by_little_memory(make_function):
    computes_in_init = "import time\nwhile time.process_time() < 0.3:\n    pass\ndef handler(event, context): pass"
    function = make_function(computes_in_init, MemorySize=128)
    function.invoke()
    [report] = function.reports()
    # With its share, 128 / 1769, 0.3 s of CPU would take over 4 s.
    assert 250 < float(report["init"]) < 2_500


FRONT = """
import json
import os

import boto3

client = boto3.client("lambda")


def handler(event, context):
    client.invoke(FunctionName=os.environ["BACK"], Payload=json.dumps({"wait_s": 0.5}))
"""


def test_who_waits_for_another_function_is_billed_for_it_too(aws):
    front, back = aws.name("test-front"), aws.name("test-back")
    own = Notebook("03", made=deploy(aws, back, {"app.py": DOES_AS_TOLD}, Timeout=10))
    own.run("invoke-back")
    settings = {"MemorySize": 512, "Timeout": 30, "Environment": {"Variables": {"BACK": back}}}
    deploy(aws, front, {"app.py": FRONT}, Role=aws.role(own.invoke_back), **settings)
    for _ in range(2):
        aws.client("lambda").invoke(FunctionName=front)
    billed = {name: reports(aws.client("logs"), name, at_least=2)["billed_ms"].iloc[-1] for name in (front, back)}
    assert billed[front] >= billed[back] >= 500


def test_the_rules_of_the_notebook(notebook):
    frame = pd.DataFrame({"duration_ms": [1.2, 100.0, 100.01, 1000.0], "init_ms": [80.85, None, None, None]})
    found = notebook.three_rules(frame)
    assert found["2019"].tolist() == [100, 100, 200, 1000]
    assert found["since Dec 2020"].tolist() == [2, 100, 101, 1000]
    assert found["since Aug 2025"].tolist() == [83, 100, 101, 1000]


def test_what_a_gb_second_costs(notebook):
    frame = pd.DataFrame({"memory_mb": [512, 1024], "billed_ms": [2_000, 1_000]})  # a GB-second each
    lines = notebook.invoice(frame)
    assert lines["amount"].tolist() == [2, 2.0]
    assert lines["USD"].sum() == pytest.approx(2 * 0.2 / 1e6 + 2 * 0.0000166667)
    assert lines["of the free tier"].tolist() == [2 / 1e6, 2 / 400_000]
    warm = frame.assign(duration_ms=[1_999.9, 999.9], init_ms=None)
    per_million = notebook.per_size(warm)["usd_per_million"]
    assert per_million.tolist() == pytest.approx([16.6667 + 0.2] * 2)


def test_the_free_tier_of_a_month(notebook):
    monthly = notebook.monthly
    assert monthly(1_000_000, 128, 1_000) == 0  # 125,000 GB-seconds
    assert monthly(1_000_000, 1024, 500) == pytest.approx(100_000 * 0.0000166667)
    assert monthly(1_000_000, 1024, 500, free=False) == pytest.approx(0.2 + 500_000 * 0.0000166667)
