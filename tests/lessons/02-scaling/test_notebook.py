"""What notebook 02 claims, on the embedded AWS: environments, throttles, retries, metrics, and the sum of the ramp.

Functions here wait at a gate, a port of the test's, so that calls overlap for certain, however slow the machine.
"""

import json
import math
import socket
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from botocore.config import Config
from localaws_client import eventually
from notebook_cells import Notebook

from helpers import plot_timeline, reports

plt.switch_backend("Agg")
CALLS = 12
# Comes to the gate, and waits until it opens; at one that is open it does not wait.
WAITS = textwrap.dedent("""
    import contextlib, socket

    def handler(event, context):
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", event["gate"]), 60) as gate:
            gate.recv(1)
""")


class Gate:
    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._door.setblocking(False)
        self._waiting: list[socket.socket] = []
        self.payload = json.dumps({"gate": self._door.getsockname()[1]})

    def waiting(self) -> int:
        """How many have come to it."""
        with suppress(BlockingIOError):
            while True:
                self._waiting.append(self._door.accept()[0])
        return len(self._waiting)

    def open(self) -> None:
        for each in (self._door, *self._waiting):
            each.close()


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    """The functions of the notebook."""
    notebook = Notebook("02", np=np, pd=pd, plt=plt, math=math, ThreadPoolExecutor=ThreadPoolExecutor)
    notebook.run("burst", "peak-concurrency", "throttles-of", "ramp", "finding", "draw")
    return notebook


@pytest.fixture
def burst(notebook) -> Callable[..., list]:
    """The notebook's burst, with all its calls at once: the gate opens when `together` of them have come to it."""

    def send(client, function, calls: int, together: int) -> list:
        gate = Gate()
        refused = []

        class Counting:  # the client, which says when a call was refused
            exceptions = client.exceptions

            def invoke(self, **parameters):
                try:
                    return client.invoke(**parameters)
                except client.exceptions.TooManyRequestsException:
                    refused.append(parameters)
                    raise

        with ThreadPoolExecutor(1) as thread:
            sent = thread.submit(notebook.burst, Counting(), function.name, calls, gate.payload)
            eventually(lambda: gate.waiting() == together and len(refused) == calls - together)
            gate.open()
            return sent.result()

    return send


@contextmanager
def held(client, function, gate: Gate) -> Iterator[None]:
    """While the block lasts, one call of the function is running."""
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(client.invoke, FunctionName=function.name, Payload=gate.payload)
        eventually(gate.waiting)
        try:
            yield
        finally:
            gate.open()
            running.result()


def test_a_burst_has_an_environment_for_every_call_and_is_cold_only_for_what_was_missing(make_function, clients, burst):
    function = make_function(WAITS, Timeout=90)
    seen = 0
    for calls, cold in ((1, 1), (4, 3), (CALLS, CALLS - 4), (CALLS, 0)):
        burst(clients("lambda"), function, calls, together=calls)
        rows = reports(clients("logs"), function.name, at_least=seen + calls)[seen:]
        seen += calls
        assert (rows["environment"].nunique(), rows["init_ms"].notna().sum()) == (calls, cold)
    assert len(function.streams()) == CALLS


def test_how_many_run_at_once_decides_about_environments_and_not_how_many_calls_there_are(make_function):
    function = make_function("def handler(event, context):\n    return 1\n")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: function.invoke(), range(20)))
    assert len(function.reports()) == 20
    assert len(function.streams()) <= 2


def test_the_smaller_the_reservation_the_more_calls_are_throttled_and_the_metrics_count_it(
    make_function, clients, burst, notebook
):
    function = make_function(WAITS, Timeout=90)
    client = clients("lambda")
    throttled = {}
    for reserved in (None, CALLS, 8, 3, 1):
        if reserved is not None:
            client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=reserved)
        answers = burst(client, function, CALLS, together=reserved or CALLS)
        throttled[reserved] = sum(map(notebook.throttles_of, answers))
        reasons = {answer.response["Reason"] for answer in answers if isinstance(answer, Exception)}
        assert reasons <= {"ReservedFunctionConcurrentInvocationLimitExceeded"}
    assert throttled == {None: 0, CALLS: 0, 8: CALLS - 8, 3: CALLS - 3, 1: CALLS - 1}
    assert function.metric("Throttles") == sum(throttled.values())
    assert function.metric("Invocations") == len(function.reports()) == 5 * CALLS - sum(throttled.values())
    assert function.metric("ConcurrentExecutions", "Maximum") == CALLS


def test_concurrent_executions_is_at_least_what_the_log_shows_to_overlap(make_function, clients, burst, notebook):
    function = make_function(WAITS, Timeout=90)
    burst(clients("lambda"), function, 5, together=5)
    frame = reports(clients("logs"), function.name, at_least=5)
    assert notebook.peak_concurrency(frame) == 5
    assert function.metric("ConcurrentExecutions", "Maximum") >= 5
    assert "5 calls, at most 5 at once: 5 environments, 5 cold starts" in plot_timeline(frame).get_title(loc="left")
    plt.close("all")


def test_boto3_hides_throttles_and_counts_its_retries(make_function, clients, aws, notebook):
    function = make_function(WAITS, Timeout=90)
    patient, honest = aws.client("lambda"), aws.client("lambda", Config(retries={"total_max_attempts": 1}))
    patient.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    first, second = Gate(), Gate()
    with ThreadPoolExecutor(1) as thread:
        with held(clients("lambda"), function, first):
            waiting = thread.submit(patient.invoke, FunctionName=function.name, Payload=first.payload)
            eventually(lambda: function.metric("Throttles") >= 1)
        answer = waiting.result()
    assert notebook.throttles_of(answer) == function.metric("Throttles") >= 1
    throttled = pytest.raises(honest.exceptions.TooManyRequestsException)
    with held(clients("lambda"), function, second), throttled as refused:
        honest.invoke(FunctionName=function.name, Payload=first.payload)
    assert notebook.throttles_of(refused.value) == 1
    assert function.metric("Throttles") == notebook.throttles_of(answer) + 1
    assert len(function.reports()) == 3, "a throttled call leaves no line"


def test_a_client_with_settings_of_its_own_keeps_the_others_and_the_ledger(aws):
    usual = aws.client("lambda")
    own = aws.client("lambda", Config(retries={"total_max_attempts": 1}))
    assert own.meta.config.retries["total_max_attempts"] == 1
    assert usual.meta.config.retries["total_max_attempts"] == 5
    assert own.meta.config.read_timeout == usual.meta.config.read_timeout == 1810
    assert own.meta.endpoint_url == usual.meta.endpoint_url
    assert aws.client("lambda") is usual
    name = aws.name("own-client")
    aws.client("sqs", Config(read_timeout=60)).create_queue(QueueName=name)
    assert ("queue", name) in {(entry.kind, entry.id) for entry in aws.ledger.entries()}
    aws.client("sqs").delete_queue(QueueUrl=aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


# The ramp: 1,000 environments at once, and 100 more per second.


def at(table: pd.DataFrame, second: int) -> tuple[float, float]:
    row = table[table["second"] == second].iloc[0]
    return row["environments"], row["throttled"]


def test_the_ramp_gives_100_environments_per_second(notebook):
    table = notebook.ramp(calls_per_second=3000, duration_s=1, account_limit=10_000)
    assert [at(table, second) for second in (0, 1, 10, 20, 120)] == [
        (1000, 2000),
        (1100, 1900),
        (2000, 1000),
        (3000, 0),
        (3000, 0),
    ]
    assert table["throttled"].sum() == 100 * (20 * 21 / 2)


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        ((500, 1, 1000), [(500, 0), (500, 0)]),  # no ramp needed
        ((3000, 1, 1000), [(1000, 2000), (1000, 2000)]),  # the account's limit, for ever
        ((10_000, 0.2, 10_000), [(1000, 5000), (2000, 0)]),  # an environment serves 5 calls per second
        ((100, 0.5, 10), [(10, 80), (10, 80)]),  # a new account: 10 environments of 2 calls per second
    ],
)
def test_the_ramp_ends_at_what_is_needed_or_allowed(load, expected, notebook):
    table = notebook.ramp(*load)
    assert [at(table, 0), at(table, 10)] == expected


@pytest.fixture
def picture(notebook) -> Callable[..., str]:
    """The title of the notebook's picture of the ramp; it fits into the figure."""

    def title(**inputs) -> str:
        figure = notebook.draw(**inputs).figure
        figure.canvas.draw()
        texts = [text for text in figure.findobj(plt.Text) if len(text.get_text()) > 8]
        assert max(text.get_window_extent().x1 for text in texts) <= figure.bbox.x1
        plt.close(figure)
        return figure.axes[0].get_title(loc="left")

    return title


def test_the_picture_of_the_ramp_says_what_it_shows(picture):
    assert picture() == "All are served after 20 s; until then about 21,000 calls are throttled"
    assert picture(calls_per_second=500) == "500 calls per second are served from the first second on"
    assert picture(account_limit=1000) == "Never enough: a limit of 1,000 throttles 2,000 calls per second"
    assert picture(calls_per_second=10_000, duration_s=2.0, servers=100).startswith("Never enough: a limit of 10,000")
