"""What the system tells of processes: of one that runs, of what is below it, and of one that has ended."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from helpers.localaws.data_plane import processes

# Starts a child that sleeps, says its process id, and waits for a line.
PARENT = "import subprocess as s; c = s.Popen(['sleep', '600']); print(c.pid, flush=True); input(); c.kill(); c.wait()"


@pytest.fixture
def family():
    """A process and the id of its child, both of which end with the test."""
    parent = subprocess.Popen([sys.executable, "-S", "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    yield parent, child
    parent.communicate(b"\n")


def ways(*names):
    """Those ways to find out that this system has."""
    return [getattr(processes, name) for name in names if hasattr(processes, name)]


@pytest.mark.parametrize("children", ways("_children_by_proc", "_children_by_psutil"))
def test_children_are_those_that_a_process_has_started(family, children):
    parent, child = family
    assert children(parent.pid) == [child]
    assert parent.pid in children(os.getpid()) and child not in children(os.getpid())


@pytest.mark.parametrize("descendants", ways("_descendants_by_proc", "_descendants_by_psutil"))
def test_descendants_are_their_children_too(family, descendants):
    parent, child = family
    assert {parent.pid, child} <= set(descendants(os.getpid()))
    assert descendants(child) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")
def test_one_that_was_killed_is_told_from_one_that_is_stopped_before_it_has_gone():
    code = "import os, signal; kept = bytearray(300 * 2**20); print(flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    parent = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE)
    try:
        assert parent.stdout.read(1)
        for _ in range(100):  # whether it is stopped already or not
            assert not processes.is_killed(parent.pid)
        parent.kill()
        for _ in range(100):
            assert processes.is_killed(parent.pid)
        os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
        assert processes.is_killed(parent.pid), "it waits for its parent"
    finally:
        parent.kill()
        parent.communicate()
    assert processes.is_killed(parent.pid)


def test_children_of_every_thread_are_found():
    code = (
        "import subprocess as s, threading\n"
        "def start():\n    print(s.Popen(['sleep', '600']).pid, flush=True); stay.wait()\n"
        "stay = threading.Event()\nthreading.Thread(target=start).start()\n"
    )
    parent = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    try:
        assert processes.descendants(parent.pid) == [child]
    finally:
        os.kill(child, signal.SIGKILL)
        parent.kill()
        parent.communicate()


def test_memory_is_that_of_the_process():
    holding = "held = bytearray(50 * 2**20); print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-S", "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        for measure in (processes.peak_bytes, processes.share_bytes):
            assert 50 * 2**20 < measure(process.pid) < 100 * 2**20
    finally:
        process.communicate(b"\n")


def test_cpu_time_is_that_of_the_process_alone_and_then_of_what_has_ended():
    spin = "import time\nwhile time.process_time() < 0.2: pass"
    code = f"import subprocess as s, sys; s.run([sys.executable, '-S', '-c', {spin!r}]); print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        if psutil.LINUX:  # elsewhere it is not told
            assert processes.ended_seconds(process.pid) >= 0.15
        assert 0 < processes.cpu_seconds(process.pid) < processes.cpu_seconds(os.getpid()) + 0.2
    finally:
        process.communicate(b"\n")


def test_of_a_process_that_has_ended_there_is_nothing():
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert processes.children(ended.pid) == processes.descendants(ended.pid) == []
    for measure in (processes.peak_bytes, processes.share_bytes, processes.cpu_seconds, processes.ended_seconds):
        assert measure(ended.pid) == 0
