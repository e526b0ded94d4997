"""The life of execution environments: cold, warm, frozen, reaped, and made anew by a change."""

import contextlib
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from localaws_client import DAEMON, eventually, statuses_below, zipped
from meeting import MEET, MEETS, together

from helpers.localaws.data_plane.execution_environment import init_limit_s

COUNT = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return context.log_stream_name\n"


def cold_starts(function):
    return sum(report["init"] is not None for report in function.reports())


def test_the_first_call_is_cold_and_the_next_ones_are_warm(make_function):
    function = make_function(COUNT)
    assert [function.invoke().payload for _ in range(5)] == [1, 2, 3, 4, 5]
    assert [report["init"] is not None for report in function.reports()] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("kind", "timeout_s", "limit_s"),
    [
        ("on-demand", 3, 10),
        ("on-demand", 600, 10),
        ("provisioned-concurrency", 3, 130),
        ("provisioned-concurrency", 600, 600),
        ("provisioned-concurrency", 1800, 900),
    ],
)
def test_init_may_take_longer_where_nobody_waits_for_it(kind, timeout_s, limit_s):
    assert init_limit_s(kind, timeout_s) == limit_s


def test_parallel_calls_have_an_environment_each_and_the_next_ones_reuse_them(make_function):
    function = make_function(MEETS, Timeout=300)
    number = 8
    first = together([function.invoke] * number)
    streams = {result.payload for result in first}
    assert len(streams) == number == len(function.streams()) == cold_starts(function)
    second = together([function.invoke] * number)
    assert {result.payload for result in second} == streams
    assert cold_starts(function) == number and len(function.reports()) == 2 * number


def test_each_environment_keeps_its_own_state(make_function):
    function = make_function(MEET + COUNT.replace("return", "meet(event); return"), Timeout=300)
    assert [result.payload for result in together([function.invoke] * 3)] == [1, 1, 1]


def test_an_environment_is_frozen_between_invocations(make_function):
    function = make_function(
        "import threading, time\n"
        "ticks = 0\n"
        "def tick():\n"
        "    global ticks\n"
        "    while True:\n"
        "        ticks += 1\n"
        "        time.sleep(0.01)\n"
        "threading.Thread(target=tick, daemon=True).start()\n"
        "def handler(event, context):\n"
        "    before = ticks\n"
        "    time.sleep(event)\n"
        "    return before, ticks\n"
    )
    before, after = function.invoke(0.5).payload
    assert after - before > 10  # the thread runs while the function does
    pause = 2
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began > pause, pause + 5)
    later, _ = function.invoke(0).payload
    assert later - after < 20  # a running thread would have ticked some 200 times


def test_while_a_function_is_one_process_nobody_above_it_is_stopped_with_it(make_function):
    """Each stop would wake up the keeper, which has nothing to do with a warm call."""
    function = make_function("import os\ndef handler(event, context):\n    return os.getpid()\n")
    process = function.process(function.invoke().payload)
    function.invoke()
    eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    assert process.parent().status() != psutil.STATUS_STOPPED


@pytest.mark.parametrize(
    "started",
    ["subprocess.Popen(SPIN).pid", "subprocess.Popen(SPIN, start_new_session=True).pid", "daemon(*SPIN)"],
    ids=["in its group", "in a session of its own", "as a daemon"],
)
def test_what_a_function_starts_is_frozen_and_thawed_with_it(make_function, started):
    function = make_function(
        DAEMON + "import time\n"
        "SPIN = [sys.executable, '-S', '-c', 'while True: pass']\n"
        "def handler(event, context):\n"
        "    if event:\n"
        f"        return {started}\n"
        "    time.sleep(1)\n"
    )
    child = function.process(function.invoke(1).payload)
    eventually(lambda: child.status() == psutil.STATUS_STOPPED)
    frozen = sum(child.cpu_times())
    assert function.invoke(0).error is None
    eventually(lambda: child.status() == psutil.STATUS_STOPPED)
    assert sum(child.cpu_times()) > frozen  # what it used tells that it ran: to see it run takes luck


# A thread starts a process at about the time at which the handler has answered. It takes a while to copy this memory.
FORKS = """
import os, threading, time
held = os.urandom(4096) * (500 * 2**20 // 4096)
asked, pauses, started = threading.Semaphore(0), [], []
def fork():
    while asked.acquire():
        time.sleep(pauses.pop())
        process = os.fork()
        if process == 0:
            time.sleep(100)
            os._exit(0)
        started.append(process)
threading.Thread(target=fork, daemon=True).start()
def handler(event, context):
    while started:
        os.kill(process := started.pop(), 9)
        os.waitpid(process, 0)
    pauses.append(event)
    asked.release()
"""


def test_a_process_that_a_thread_is_just_starting_is_frozen_too(make_function):
    function = make_function(FORKS, MemorySize=1769)
    for number in range(80):
        assert function.invoke(number % 30 / 10_000).error is None
        eventually(lambda: {each.status() for each in function.processes()} == {psutil.STATUS_STOPPED})


@pytest.mark.parametrize("end", ["the function is deleted", "the runtime crashes"])
def test_a_daemon_ends_with_its_environment(make_function, clients, end):
    function = make_function(
        DAEMON + "import os\n"
        "def handler(event, context):\n"
        "    return daemon('/bin/sleep', '600') if event else os._exit(3)\n"
    )
    daemon = function.process(function.invoke(1).payload)
    if end == "the function is deleted":
        clients("lambda").delete_function(FunctionName=function.name)
    else:
        assert function.invoke(0).payload["errorType"] == "Runtime.ExitError"
    eventually(lambda: not daemon.is_running())


def test_an_idle_environment_is_ended_and_the_next_call_is_cold(make_function):
    function = make_function(
        "import os\ndef handler(event, context):\n    return os.getpid()\n", Tags={"localaws:idle-seconds": "1"}
    )
    process = function.process(function.invoke().payload)
    eventually(lambda: not process.is_running())
    assert function.invoke().error is None
    assert len(function.streams()) == cold_starts(function) == 2


def test_a_new_idle_time_holds_from_the_next_call_on(make_function, clients):
    function = make_function("import os\ndef handler(event, context):\n    return os.getpid()\n")
    process = function.process(function.invoke().payload)
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    clients("lambda").tag_resource(Resource=arn, Tags={"localaws:idle-seconds": "1"})
    assert function.process(function.invoke().payload) == process
    eventually(lambda: not process.is_running())


@pytest.mark.parametrize(
    "change",
    [
        {"MemorySize": 256},
        {"Timeout": 7},
        {"Environment": {"Variables": {"COLOUR": "red"}}},
        {"Handler": "app.other"},
        {"LoggingConfig": {"LogFormat": "JSON"}},
        {"Layers": []},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_configuration_makes_the_next_call_cold(make_function, clients, change):
    function = make_function(COUNT + "other = handler\n")
    if "Layers" in change:
        layer = clients("lambda").publish_layer_version(
            LayerName="some", Content={"ZipFile": zipped({"python/some.py": ""})}
        )
        change = {"Layers": [layer["LayerVersionArn"]]}
    assert [function.invoke().payload for _ in range(2)] == [1, 2]
    function.update(**change)
    assert [function.invoke().payload for _ in range(2)] == [1, 2]
    assert len(function.streams()) == 2


def test_new_code_makes_the_next_call_cold(make_function):
    function = make_function(COUNT)
    assert function.invoke().payload == 1
    function.update_code(COUNT.replace("return count", "return -count"))
    assert [function.invoke().payload for _ in range(2)] == [-1, -2]
    assert len(function.streams()) == cold_starts(function) == 2


def test_a_change_during_an_invocation_lets_it_finish(make_function):
    function = make_function(SLEEP)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke, 1.5)
        eventually(lambda: "START" in function.text())
        function.update(MemorySize=192)
        new = function.invoke(0).payload
        assert running.result().payload not in (None, new)
    assert function.invoke(0).payload == new


def test_a_changed_tag_is_no_new_environment(make_function, clients):
    function = make_function(COUNT)
    function.invoke()
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    clients("lambda").tag_resource(Resource=arn, Tags={"colour": "red"})
    assert function.invoke().payload == 2


def test_versions_have_environments_of_their_own(make_function, clients):
    function = make_function(COUNT)
    version = clients("lambda").publish_version(FunctionName=function.name)["Version"]
    clients("lambda").create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    assert [function.invoke().payload for _ in range(2)] == [1, 2]
    assert [function.invoke(Qualifier=version).payload for _ in range(2)] == [1, 2]
    assert function.invoke(Qualifier="live").payload == 3  # an alias leads to its version's environments
    latest, numbered = sorted(function.streams(), key=lambda stream: "$LATEST" not in stream)
    assert "/[$LATEST]" in latest and f"/[{version}]" in numbered
    assert f"Version: {version}\n" in function.text()


def test_deleting_a_function_ends_its_environments(make_function, clients):
    function = make_function("import os\ndef handler(event, context):\n    return os.getpid()\n")
    process = function.process(function.invoke().payload)
    clients("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: not process.is_running())


def test_a_function_deleted_while_it_runs_is_answered_and_then_ended(make_function, clients):
    function = make_function("import time\ndef handler(event, context):\n    time.sleep(1)\n    return 'answered'\n")
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(function.invoke) for _ in range(2)]
        eventually(lambda: function.text().count("START Req") == 2)
        processes = function.processes()
        clients("lambda").delete_function(FunctionName=function.name)
        assert [result.result().payload for result in running] == ["answered"] * 2
    assert len(processes) == 2
    eventually(lambda: not any(process.is_running() for process in processes))
    with pytest.raises(clients("lambda").exceptions.ResourceNotFoundException):
        function.invoke()


def test_calls_that_come_as_a_function_is_deleted_leave_no_environment(make_function, clients):
    for _ in range(5):
        function, deleted = make_function("def handler(event, context):\n    return 'answered'\n"), threading.Event()

        def call(function=function, deleted=deleted):
            with contextlib.suppress(clients("lambda").exceptions.ResourceNotFoundException):
                while not deleted.is_set():
                    function.invoke()

        with ThreadPoolExecutor(12) as threads:
            calling = [threads.submit(call) for _ in range(12)]
            eventually(function.processes)
            clients("lambda").delete_function(FunctionName=function.name)
            deleted.set()
        assert not any(each.exception() for each in calling)
        eventually(lambda function=function: not function.processes())


def test_a_hundred_cold_starts_leave_nothing_behind_in_the_server(make_function, embedded_aws):
    server = psutil.Process(embedded_aws.pid)
    keepers = server.children()  # the pool's, and the databases' if there has been one
    function = make_function("import os\ndef handler(event, context):\n    os._exit(1)\n")

    def start_cold(times):
        for _ in range(times):
            assert function.invoke().payload["errorType"] == "Runtime.ExitError"

    start_cold(5)
    descriptors, threads, kept = server.num_fds(), server.num_threads(), _descriptors(keepers)
    start_cold(100)
    eventually(lambda: server.num_fds() <= descriptors + 5)
    eventually(lambda: server.num_threads() <= threads + 5)
    eventually(lambda: _descriptors(keepers) <= kept)
    assert psutil.STATUS_ZOMBIE not in statuses_below(server)


def _descriptors(processes) -> int:
    return sum(process.num_fds() for process in processes)


def test_new_environments_leave_nothing_behind_either(make_function, clients, embedded_aws, embedded_home):
    server = psutil.Process(embedded_aws.pid)
    function = make_function(COUNT)
    folders = embedded_home / "localaws" / "environments"

    def renew(times):
        for number in range(times):
            clients("lambda").update_function_configuration(FunctionName=function.name, Description=str(number))
            function.wait()
            assert function.invoke().payload == 1

    renew(3)
    descriptors, threads, unpacked = server.num_fds(), server.num_threads(), len(os.listdir(folders))
    renew(30)
    eventually(lambda: server.num_fds() <= descriptors + 5)
    eventually(lambda: server.num_threads() <= threads + 5)
    eventually(lambda: len(os.listdir(folders)) <= unpacked)


def test_a_warm_call_costs_little_more_than_any_other_call(make_function, clients):
    function = make_function("def handler(event, context): pass\n")
    function.invoke()
    warm, other = [], []
    for _ in range(40):
        for times, call in ((warm, clients("lambda").invoke), (other, clients("lambda").get_function_configuration)):
            started = time.perf_counter()
            call(FunctionName=function.name)
            times.append(time.perf_counter() - started)
    assert statistics.median(warm) < 25 * statistics.median(other)


def test_a_caller_who_gives_up_does_not_end_the_invocation(make_function, embedded_aws):
    function = make_function("import time\n" + COUNT.replace("return", "time.sleep(event); return"), Timeout=10)
    impatient = boto3.client(
        "lambda",
        endpoint_url=embedded_aws.url,
        aws_access_key_id=embedded_aws.access_key_id,
        aws_secret_access_key=embedded_aws.secret_access_key,
        region_name="us-east-1",
        config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ReadTimeoutError):
        impatient.invoke(FunctionName=function.name, Payload=b"1.5")
    eventually(lambda: len(function.reports()) == 1)
    assert function.invoke(0).payload == 2
    assert [report["status"] for report in function.reports()] == [None, None]


def test_calls_from_many_threads_at_once_are_all_answered(make_function):
    function = make_function("def handler(event, context):\n    return event\n")
    barrier = threading.Barrier(16)

    def call(number):
        barrier.wait()
        return [function.invoke(f"{number}-{time}").payload for time in range(10)]

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(call, range(16)))
    assert answers == [[f"{number}-{time}" for time in range(10)] for number in range(16)]
    assert len(function.reports()) == 160
    assert cold_starts(function) == len(function.streams()) <= 16
