"""Many invocations at the same time: an environment for each, none that fails for its neighbours, and none left."""

import resource
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from localaws_client import ROLE, TestedFunction, clients_for, eventually, processes_of, refused, start_server, zipped
from meeting import MEETS, meeting, together

from helpers import localaws

STREAM = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return context.log_stream_name\n"
MANY = 50


@pytest.fixture
def server(tmp_path, free_port):
    """Start an embedded AWS; it is stopped at the end."""
    yield lambda: start_server(tmp_path, free_port())
    localaws.stop(tmp_path)
    assert processes_of(tmp_path) == []


def made(endpoint, code=STREAM, name="many", **configuration):
    """A function there."""
    clients = clients_for(endpoint)
    code = {"ZipFile": zipped({"app.py": code})}
    clients("lambda").create_function(
        **{"FunctionName": name, "Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler", "Code": code}
        | {"Timeout": 60, "MemorySize": 1769}
        | configuration
    )
    function = TestedFunction(name, clients)
    function.wait()
    return function


def at_once(function, events):
    with ThreadPoolExecutor(len(events)) as threads:
        return list(threads.map(function.invoke, events))


def test_many_at_once_have_an_environment_each_though_few_files_may_be_open(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # it has some eight for each
    try:
        endpoint = server()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    function = made(endpoint, MEETS, Timeout=300)
    for _ in "cold", "warm":
        results = together([function.invoke] * MANY)
        assert [result.error for result in results] == [None] * MANY
        assert len({result.payload for result in results}) == MANY
    processes = function.processes()
    assert len(processes) >= MANY
    clients_for(endpoint)("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: not any(process.is_running() for process in processes))


def test_no_init_fails_because_many_begin(server):
    """All of them together compute for longer than Lambda lets an Init last."""
    code = "import time\nwhile time.process_time() < 0.5: pass\n" + STREAM
    function, number = made(server(), code, MemorySize=128), 12 * psutil.cpu_count()
    results = at_once(function, [2] * min(number, MANY))
    assert [result.error for result in results] == [None] * len(results)
    assert "INIT_REPORT" not in function.text()
    inits_ms = [float(report["init"]) for report in function.reports() if report["init"]]
    assert len(inits_ms) > len(results) / 2
    assert max(inits_ms) < 0.5 * sum(inits_ms) / psutil.cpu_count()  # each but a part of what they took together


def test_those_that_wait_in_init_do_not_hold_up_those_that_compute(server):
    endpoint = server()
    waiting = made(endpoint, "import time\ntime.sleep(3)\n" + STREAM, name="waiting")
    computing = made(endpoint, name="computing")
    with ThreadPoolExecutor(2 * MANY) as threads:
        slow = [threads.submit(waiting.invoke, 0) for _ in range(20)]
        eventually(lambda: "INIT_START" in waiting.text())
        quick = [threads.submit(computing.invoke, 0) for _ in range(3)]
        assert [each.result().error for each in quick] == [None] * 3
        assert not all(each.done() for each in slow)
        assert [each.result().error for each in slow] == [None] * 20


def test_more_than_the_setting_are_throttled_as_those_beyond_an_accounts_limit(server, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CONCURRENCY", "3")
    function = made(server(), MEETS, Timeout=300)
    client = function._lambda
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 3
    with ThreadPoolExecutor(3) as threads, meeting() as held:
        running = [threads.submit(function.invoke, held.port) for _ in range(3)]
        held.wait_for(3)
        code, _ = refused(client.invoke, FunctionName=function.name, Payload="0")
        assert code == "TooManyRequestsException"
        held.end()
        assert [each.result().error for each in running] == [None] * 3
    assert [each.error for each in together([function.invoke] * 3)] == [None] * 3


def test_environments_of_other_functions_make_room(server, monkeypatch):
    monkeypatch.setenv("WORKSHOP_CONCURRENCY", "4")
    endpoint = server()
    first, second = (made(endpoint, MEETS, name, Timeout=300) for name in ("first", "second"))
    for function in (first, second):
        assert len({result.payload for result in together([function.invoke] * 4)}) == 4
    eventually(lambda: first.processes() == [])
    assert len(second.processes()) >= 4


def test_a_server_that_is_stopped_while_many_run_leaves_nothing_and_starts_again(server, tmp_path):
    function = made(server())
    with ThreadPoolExecutor(MANY) as threads:
        running = [threads.submit(function.invoke, 30) for _ in range(MANY)]
        eventually(lambda: len(function.processes()) >= MANY // 2)
        localaws.stop(tmp_path)
        assert all(each.exception() or each.result().error for each in running)  # none is answered as if all were well
    assert processes_of(tmp_path) == []
    again = TestedFunction(function.name, clients_for(server()))
    assert again.invoke(0).error is None, "it is remembered"
