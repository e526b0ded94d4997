"""Faults: what runs is killed, or this machine has no more of something. A call is answered, or told in a sentence."""

import contextlib
import resource
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from localaws_client import ROLE, TestedFunction, clients_for, eventually, make_role, processes_of, start_server, zipped

from helpers import localaws, settings

SLEEP = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return context.log_stream_name\n"
# Its first init waits until it is killed, but less long than an init may take.
SLOW_INIT = """
import os, time
if not os.path.exists("/tmp/begun"):
    open("/tmp/begun", "w").close()
    time.sleep(9)
def handler(event, context):
    return "well"
"""
GREEDY = "import time\ndef handler(event, context):\n    kept = bytearray(600 * 2**20)\n    time.sleep(60)\n"
KILLED = "Runtime exited with error: signal: killed"


def runtime(function):
    """Its process, once there is one."""
    (found,) = eventually(lambda: function.processes())
    return found


def guard(function):
    """What stands between the keeper and its process."""
    return runtime(function).parent()


VICTIMS = pytest.mark.parametrize("victim", [runtime, guard])


@VICTIMS
def test_an_environment_that_is_killed_in_init_begins_again_within_its_call(make_function, victim):
    function = make_function(SLOW_INIT, Timeout=60)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke)
        victim(function).kill()
        result = running.result()
    assert (result.error, result.payload) == (None, "well")
    assert "Phase: init\tStatus: error\tError Type: Runtime.ExitError" in function.text()
    assert function.invoke().payload == "well"


@VICTIMS
def test_an_environment_that_is_killed_in_mid_call_is_an_error_and_the_next_call_is_well(make_function, victim):
    function = make_function(SLEEP, Timeout=60)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke, 50)
        eventually(lambda: "START Req" in function.text())
        victim(function).kill()
        result = running.result()
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith(KILLED)
    assert function.invoke(0).error is None


@VICTIMS
def test_the_call_after_an_environment_was_killed_has_a_new_one(make_function, victim):
    function = make_function(SLEEP)
    first = function.invoke(0)
    its = runtime(function)
    victim(function).kill()
    eventually(lambda: not its.is_running() or its.status() == psutil.STATUS_ZOMBIE)
    second = function.invoke(0)
    assert (first.error, second.error) == (None, None)
    assert first.payload != second.payload
    assert function.invoke(0).payload == second.payload


def test_a_call_in_the_moment_after_that_has_a_new_one_too(make_function):
    """Its process is still being taken down then, which takes the longer the more memory it has."""
    function = make_function(f"kept = bytearray(300 * 2**20)\n{SLEEP}", MemorySize=512)
    for _ in range(5):
        first, its = function.invoke(0), runtime(function)
        its.kill()
        second = function.invoke(0)
        assert (first.error, second.error) == (None, None)
        assert first.payload != second.payload
        runtime(function).kill()
        eventually(lambda: not function.processes())
    starts, ends = (function.text().count(word) for word in ("START Req", "REPORT Req"))
    assert starts == ends == 10


@pytest.fixture
def server(tmp_path, free_port):
    """Start an embedded AWS; it is stopped at the end."""
    yield lambda: start_server(tmp_path, free_port())
    localaws.stop(tmp_path)
    eventually(lambda: not processes_of(tmp_path))


def made(endpoint, name="faulty", code=SLEEP, **configuration):
    """A function there."""
    clients = clients_for(endpoint)
    clients("lambda").create_function(
        **{"FunctionName": name, "Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler"}
        | {"Code": {"ZipFile": zipped({"app.py": code})}, "Timeout": 60, "MemorySize": 1769}
        | configuration
    )
    function = TestedFunction(name, clients)
    function.wait()
    return function


def outcome(function, event):
    """What becomes of a call: "answered", a type of error, or "no answer" where the server has ended."""
    try:
        result = function.invoke(event)
        return result.payload["errorType"] if result.error else "answered"
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError as error:
        print(error)  # pytest shows it where a test fails
        return "no answer"


REFUSED = {"TooManyRequestsException", "Sandbox.Failure"}  # before it ran, and while it ran


def outcomes(function, number, event):
    with ThreadPoolExecutor(number) as threads:
        return Counter(threads.map(lambda _: outcome(function, event), range(number)))


def log(tmp_path):
    return (tmp_path / localaws.LOG_FILE).read_text()


def test_calls_end_with_the_keeper_and_the_next_start_is_clean(server, tmp_path):
    function = made(server())
    with ThreadPoolExecutor(10) as threads:
        running = [threads.submit(outcome, function, 50) for _ in range(10)]
        eventually(lambda: function.text().count("START Req") == 10)
        (keeper,) = psutil.Process(localaws.running(tmp_path).pid).children()
        keeper.kill()
        assert {each.result() for each in running} <= {"Runtime.ExitError", "no answer"}
    eventually(lambda: not processes_of(tmp_path))
    assert "Traceback" not in log(tmp_path)
    assert made(server(), "another").invoke(0).error is None


STARTS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2)
from pathlib import Path
from helpers import localaws
localaws.start(Path(sys.argv[2]), localaws.free_port())
"""


def test_where_few_descriptors_are_allowed_more_calls_are_throttled(server, tmp_path):
    few = 384
    subprocess.run([sys.executable, "-c", STARTS, str(few), str(tmp_path)], cwd=settings.ROOT, check=True, timeout=120)
    endpoint = localaws.running(tmp_path)
    make_role(clients_for(endpoint)("iam"))
    function = made(endpoint)
    limit = function._lambda.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    assert 1 < limit < 30
    found = outcomes(function, few + 50, 3)  # more than it could have connections
    assert set(found) == {"answered", "TooManyRequestsException"}
    # once the connections of before have ended, which have descriptors, too
    eventually(lambda: outcomes(function, limit, 3) == {"answered": limit}, seconds=120)
    assert "Traceback" not in log(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what runs already")
def test_where_descriptors_are_used_up_calls_are_throttled_and_later_answered(server, tmp_path):
    endpoint = server()
    function = made(endpoint)
    function.invoke(0)
    before = resource.prlimit(endpoint.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(endpoint.pid, resource.RLIMIT_NOFILE, (psutil.Process(endpoint.pid).num_fds() + 40, before[1]))
    found = outcomes(function, 40, 2)
    assert found["TooManyRequestsException"] and set(found) <= {"answered", *REFUSED}
    resource.prlimit(endpoint.pid, resource.RLIMIT_NOFILE, before)
    eventually(lambda: outcomes(function, 20, 1) == {"answered": 20}, seconds=120)
    greedy = made(endpoint, name="greedy", code=GREEDY, MemorySize=128, Timeout=30)
    assert outcome(greedy, None) == "Runtime.OutOfMemory"  # whoever watches over limits is there again
    assert "Traceback" not in log(tmp_path)


@pytest.mark.parametrize("number", [100, pytest.param(300, marks=pytest.mark.slow)])
def test_functions_that_are_deleted_while_they_run_answer_and_leave_nothing(server, number):
    endpoint = server()
    with ThreadPoolExecutor(50) as threads:
        functions = list(threads.map(lambda each: made(endpoint, name=f"deleted-{each}"), range(number)))
        for few in (functions[first : first + 50] for first in range(0, number, 50)):
            running = [threads.submit(outcome, function, 3) for function in few]
            eventually(lambda few=few: all("START Req" in function.text() for function in few), seconds=300)
            for function in few:
                function._lambda.delete_function(FunctionName=function.name)
            assert {each.result() for each in running} == {"answered"}
    eventually(lambda: not any(function.processes() for function in functions[-50:]))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems hold fewer connections that wait")
def test_connections_that_come_while_the_server_is_busy_wait_and_are_answered(server):
    endpoint = server()
    process = psutil.Process(endpoint.pid)
    with contextlib.ExitStack() as opened:
        process.suspend()
        try:
            connections = [
                opened.enter_context(socket.create_connection(("127.0.0.1", endpoint.port), 10)) for _ in range(600)
            ]
        finally:
            process.resume()
        for connection in connections:
            connection.settimeout(60)
            connection.sendall(b"GET /_localaws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert {connection.recv(100).split()[1] for connection in connections} == {b"200"}
