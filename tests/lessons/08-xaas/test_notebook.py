"""What notebook 08 claims: a server with one place queues, a function does not, and only the server stays."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection

import pandas as pd
import psutil
import pytest
from notebook_cells import Notebook

from helpers import deploy, reports
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry

CALLS = 10


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    """Its task and its server_source."""
    notebook = Notebook("08")
    notebook.run("task", "web", "server")
    return notebook


@pytest.fixture
def serve(notebook):
    """Start the notebook's server with so many places; give its process and its port."""
    started = []

    def start(places: int) -> tuple[subprocess.Popen[str], int]:
        server = subprocess.Popen(
            [sys.executable, "-c", notebook.task + notebook.server_source, str(places)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(server)
        return server, int(server.stdout.readline())

    yield start
    for server in started:
        with server:
            server.kill()


def access_log(server: subprocess.Popen[str], port: int) -> pd.DataFrame:
    """Ten calls at once, as the server's own log has them."""

    def call(_) -> bytes:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/")
        return connection.getresponse().read()

    with ThreadPoolExecutor(CALLS) as threads:
        assert set(threads.map(call, range(CALLS))) == {b"done"}
    return pd.DataFrame([json.loads(server.stdout.readline()) for _ in range(CALLS)])


def most_at_once(began: pd.Series, ended: pd.Series) -> int:
    """How many calls were worked on at the same moment, at most."""
    steps = sorted([(moment, 1) for moment in began] + [(moment, -1) for moment in ended])
    return max(pd.Series([step for _, step in steps]).cumsum())


def test_a_server_with_one_place_works_on_one_call_at_a_time(serve):
    log = access_log(*serve(1))
    assert most_at_once(log["began"], log["ended"]) == 1
    assert log["ended"].max() - log["began"].min() >= CALLS * 0.2


def test_more_places_are_a_choice_that_helps(serve):
    log = access_log(*serve(CALLS))
    assert most_at_once(log["began"], log["ended"]) > 3


def test_the_server_stays_until_it_is_ended(serve):
    server, port = serve(1)
    access_log(server, port)
    assert psutil.Process(server.pid).memory_info().rss > 1e6
    server.terminate()
    assert server.wait(timeout=30) != 0


def test_the_server_ends_with_the_notebook(serve):
    server, _ = serve(1)
    server.stdin.close()
    assert server.wait(timeout=30) == 0


def test_a_function_works_on_many_calls_at_once_and_leaves_nothing_running(aws, notebook):
    lambda_client, logs, name = aws.client("lambda"), aws.client("logs"), aws.name("xaas-task")
    remove(aws, Entry("function", name))
    deploy(aws, name, {"app.py": notebook.task}, MemorySize=256, Timeout=30)
    arn = lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"]
    lambda_client.tag_resource(Resource=arn, Tags={"localaws:idle-seconds": "2"})
    began = datetime.now(UTC)
    with ThreadPoolExecutor(CALLS) as threads:
        list(threads.map(lambda _: lambda_client.invoke(FunctionName=name), range(CALLS)))
    calls = reports(logs, name, at_least=CALLS, since=began)
    ended = calls["start"] + pd.to_timedelta(calls["duration_ms"], unit="ms")
    assert most_at_once(calls["start"], ended) > 1  # how many: that is how quickly this machine begins them
    # as many places as calls at the same moment, and nobody chose the number
    assert calls["environment"].nunique() >= most_at_once(calls["start"], ended)
    assert given_up_after_a_rest(lambda_client, logs, name, calls)


def given_up_after_a_rest(lambda_client, logs, name: str, calls: pd.DataFrame) -> bool:
    """Whether a call finds none of the environments of before; a slow machine gets longer rests."""
    for rest in (4, 8, 16):
        time.sleep(rest)  # the rest itself is what is tested
        asked = datetime.now(UTC)
        lambda_client.invoke(FunctionName=name)
        after = reports(logs, name, since=asked)
        if after["init_ms"].notna().all() and not set(after["environment"]) & set(calls["environment"]):
            return True
    return False
