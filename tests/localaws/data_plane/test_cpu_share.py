"""The share of CPU that goes with a function's memory: what its processes get, together, and when they are stopped."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psutil
import pytest
from localaws_client import DAEMON, ROLE, TestedFunction, clients_for, eventually, start_server, statuses_below, zipped

from helpers import localaws, settings
from helpers.localaws.data_plane import cpu_share
from helpers.localaws.data_plane.cpu_share import Allowance, share

# Computes for `event` seconds of CPU time; returns what it has used, children that have ended included, and how long
# that took: the first divided by the second is the share that it got.
COMPUTE = """
import os, subprocess, sys, threading, time
SPIN = 'import time\\nwhile time.process_time() < float(%r): pass'
def used():
    return sum(os.times()[:4])
def spin(seconds):
    while time.process_time() < seconds: pass
def handler(event, context):
    before, began = used(), time.monotonic()
    compute(event)
    return used() - before, time.monotonic() - began
"""
WAYS = {
    "one thread": "def compute(seconds):\n    spin(time.process_time() + seconds)\n",
    "threads": (
        "def compute(seconds):\n    until = time.process_time() + seconds\n"
        "    threads = [threading.Thread(target=spin, args=[until]) for _ in range(3)]\n"
        "    [thread.start() for thread in threads]\n    [thread.join() for thread in threads]\n"
    ),
    "children": (
        "def compute(seconds):\n"
        "    command = [sys.executable, '-S', '-c', SPIN % (seconds / 2)]\n"
        "    children = [subprocess.Popen(command, start_new_session=new) for new in (True, False)]\n"
        "    [child.wait() for child in children]\n"
    ),
    "many short children": (
        "def compute(seconds):\n    until = used() + seconds\n"
        "    while used() < until:\n        subprocess.run([sys.executable, '-S', '-c', ''])\n"
    ),
}
COMPUTED_S = 0.25  # so long that what is saved up, and what is used between two looks, weigh little


def shares(*functions, seconds):
    """The share of CPU that each has got, while all run at once, so that the machine is as busy for all."""
    with ThreadPoolExecutor(len(functions)) as threads:
        results = list(threads.map(lambda function: function.invoke(seconds), functions))
    assert [result.error for result in results] == [None] * len(functions), results
    return [cpu / took for cpu, took in (result.payload for result in results)]


@pytest.mark.parametrize("memory_mb", [128, 256, 512])
def test_a_function_gets_the_share_of_its_memory(make_function, memory_mb):
    function, free = (
        make_function(COMPUTE + WAYS["one thread"], MemorySize=size, Timeout=60) for size in (memory_mb, 10_240)
    )
    got, possible = shares(function, free, seconds=2 * share(memory_mb))  # two seconds on the clock
    # Never more, but for what is saved up; and less only where the machine has no time for it.
    assert 0.5 * min(share(memory_mb), possible) < got < 1.35 * share(memory_mb)


def test_a_share_of_one_core_is_not_slowed(make_function):
    function, free = (
        make_function(COMPUTE + WAYS["one thread"], MemorySize=size, Timeout=60) for size in (1769, 10_240)
    )
    got, possible = shares(function, free, seconds=COMPUTED_S)
    assert got > 0.5 * possible


@pytest.mark.parametrize("way", ["threads", "children", "many short children"])
def test_threads_and_children_have_one_share_together(make_function, way):
    function = make_function(COMPUTE + WAYS[way], MemorySize=256, Timeout=60)
    (got,) = shares(function, seconds=3 * COMPUTED_S)  # two threads can use twice as much before they are looked at
    assert got < 1.35 * share(256)


def test_short_invocations_take_their_time_too(make_function):
    function = make_function(COMPUTE + WAYS["one thread"], MemorySize=128, Timeout=60)
    function.invoke(0)
    for _ in range(5):
        function.invoke(0.003)  # shorter than the time between two looks
    saved_ms = cpu_share.PERIOD_S * 1000
    expected_ms = 3 / share(128) - saved_ms  # 21 ms
    assert all(float(report["duration"]) > 0.8 * expected_ms for report in function.reports()[1:])


def test_waiting_is_not_slowed(make_function):
    code = (
        "import time\ndef handler(event, context):\n    began, cpu = time.monotonic(), time.process_time()\n"
        "    for _ in range(20):\n        time.sleep(0.05)\n"
        "    return time.monotonic() - began, time.process_time() - cpu\n"
    )
    small, large = make_function(code, MemorySize=128), make_function(code, MemorySize=8192)
    for function in (small, large):
        function.invoke()
    with ThreadPoolExecutor(2) as threads:  # side by side, so that the machine is as busy for both
        (slept, used), (as_long, _) = [
            result.payload for result in threads.map(lambda function: function.invoke(), (small, large))
        ]
    assert used < 0.05  # or there is nothing to compare
    assert slept < 1.3 * as_long


def test_an_init_has_all_of_the_cpu(make_function):
    code = (
        "import time\nbegan = time.monotonic()\nwhile time.process_time() < 0.3: pass\n"
        "took = time.monotonic() - began\ndef handler(event, context):\n    return took\n"
    )
    small, large = (make_function(code, MemorySize=size, Timeout=60) for size in (128, 8192))
    with ThreadPoolExecutor(2) as threads:  # side by side, so that the machine is as busy for both
        took, as_long = threads.map(lambda function: function.invoke().payload, (small, large))
    assert took < 5 * as_long  # at a share of 7% it would be fourteen times


def test_many_at_once_each_have_their_share(make_function):
    number = 20
    function = make_function(COMPUTE + WAYS["one thread"], MemorySize=128, Timeout=60)
    shares(*[function] * number, seconds=0)
    assert max(shares(*[function] * number, seconds=0.1)) < 1.5 * share(128)


def test_a_timeout_holds_for_a_function_that_is_stopped(make_function):
    function = make_function(
        "import os, time\ndef handler(event, context):\n    if event == 'pid':\n        return os.getpid()\n"
        "    while True:\n        pass\n",
        MemorySize=128,
        Timeout=1,
    )
    process = function.process(function.invoke("pid").payload)
    assert function.invoke().payload["errorType"] == "Sandbox.Timedout"
    assert not process.is_running()
    assert function.reports()[-1]["duration"] == "1000.00"
    assert function.invoke("pid").error is None


def test_a_debt_that_cannot_be_paid_in_time_is_a_timeout(make_function):
    """A function that computes for 0.9 of its limit in one go has the CPU time of much more than its limit."""
    function = make_function(COMPUTE + WAYS["one thread"], MemorySize=128, Timeout=1)
    assert function.invoke(0.9).payload["errorType"] == "Sandbox.Timedout"


@pytest.mark.skipif(not psutil.LINUX, reason="reads /proc")
def test_what_is_stopped_for_a_moment_is_not_left_so(make_function):
    """A child in a session of its own goes on, too, after each of the many stops of its function."""
    function = make_function(
        DAEMON + "import os, time\nSPIN = [sys.executable, '-S', '-c', 'while True: pass']\n"
        "def handler(event, context):\n    pid = daemon(*SPIN)\n    time.sleep(1)\n"
        "    fields = open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()\n"
        "    os.kill(pid, 9)\n    return int(fields[11]) / os.sysconf('SC_CLK_TCK')\n",
        MemorySize=256,
        Timeout=30,
    )
    assert 0.02 < function.invoke().payload < 0.4  # 0.145 of a second, and neither nothing nor all


def test_an_invocation_leaves_nothing_to_do(make_function, embedded_aws):
    function = make_function(COMPUTE + WAYS["one thread"], MemorySize=128, Timeout=60)
    for _ in range(3):
        assert function.invoke(0.02).error is None
    server = psutil.Process(embedded_aws.pid)
    eventually(lambda: psutil.STATUS_RUNNING not in statuses_below(server))


# The setting


@pytest.mark.parametrize(("setting", "limited"), [("off", False), ("on", True)])
def test_the_setting(monkeypatch, tmp_path, free_port, setting, limited):
    monkeypatch.setenv("WORKSHOP_CPU_SHARE", setting)
    endpoint = start_server(tmp_path, free_port())
    try:
        clients = clients_for(endpoint)
        code = zipped({"app.py": COMPUTE + WAYS["one thread"]})
        clients("lambda").create_function(
            FunctionName="any",
            Runtime="python3.13",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": code},
            Timeout=60,
        )
        function = TestedFunction("any", clients)
        function.wait()
        (got,) = shares(function, seconds=0.1)
        assert (got < 2 * share(128)) is limited
    finally:
        localaws.stop(tmp_path)


def test_a_setting_that_is_neither_is_said_in_a_sentence(monkeypatch, tmp_path, free_port):
    monkeypatch.setenv("WORKSHOP_CPU_SHARE", "half")
    with pytest.raises(settings.SettingError, match="WORKSHOP_CPU_SHARE is 'half'; set it to 'on' or 'off'"):
        start_server(tmp_path, free_port())


# The rule, with a sandbox that only notes what it is told


class FakeSandbox:
    def __init__(self):
        self.cpu, self.told = 0.0, []

    def cpu_seconds(self):
        return self.cpu

    def pause(self):
        self.told.append("pause")

    def resume(self):
        self.told.append("resume")


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]

    def sleep(seconds):
        now[0] += seconds

    monkeypatch.setattr(cpu_share, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    return now


def test_lambdas_shares():
    assert share(1769) == 1
    assert share(128) == pytest.approx(0.0724, abs=0.0001)
    assert share(10_240) == pytest.approx(5.79, abs=0.01)


def test_what_is_overdrawn_is_stopped_until_it_is_paid(clock):
    sandbox = FakeSandbox()
    allowance = Allowance(sandbox, 0.1)  # 2 ms saved up
    sandbox.cpu = 0.001
    allowance.look()
    assert sandbox.told == []
    sandbox.cpu = 0.012
    allowance.look()
    assert sandbox.told == ["pause"]
    clock[0] += 0.099  # of the 100 ms that 10 ms take at this share
    allowance.look()
    assert sandbox.told == ["pause"]
    clock[0] += 0.002
    allowance.look()
    assert sandbox.told == ["pause", "resume"]


def test_what_goes_on_though_stopped_is_stopped_again(clock):
    sandbox = FakeSandbox()
    allowance = Allowance(sandbox, 0.1)
    for sandbox.cpu in (0.012, 0.013, 0.013, 0.013):
        allowance.look()
    assert sandbox.told == ["pause", "pause"]


def test_not_more_can_be_saved_up_than_one_period_has(clock):
    sandbox = FakeSandbox()
    allowance = Allowance(sandbox, 0.1)
    clock[0] += 60
    allowance.look()
    sandbox.cpu = 0.0021
    allowance.look()
    assert sandbox.told == ["pause"]


def test_a_clock_that_goes_back_costs_nothing_and_gives_nothing(clock):
    """A child that has ended is for a moment neither there nor among those that have ended."""
    sandbox = FakeSandbox()
    allowance = Allowance(sandbox, 0.1)
    for sandbox.cpu in (0.0015, 0.0, 0.0015):
        allowance.look()
    assert sandbox.told == []
    sandbox.cpu = 0.0021
    allowance.look()
    assert sandbox.told == ["pause"]


def test_a_debt_is_paid_at_the_end(clock):
    sandbox = FakeSandbox()
    allowance = Allowance(sandbox, 0.1)
    sandbox.cpu = 0.012
    assert allowance.settle(deadline=clock[0] + 1)
    assert clock[0] == pytest.approx(100.1)
    sandbox.cpu += 1
    assert not allowance.settle(deadline=clock[0] + 1)
    assert clock[0] == pytest.approx(101.1)
