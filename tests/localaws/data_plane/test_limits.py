"""What a function may use: what is looked at, when, by whom, and what is ended for it."""

import contextlib
import time

import psutil
import pytest
from localaws_client import eventually

from helpers.localaws.data_plane import limits
from helpers.localaws.data_plane.limits import MEMORY, PROCESSES, TASKS, Limits

LIMIT_MB = 128


class FakeSandbox:
    """It has what the test gives it; `looks` counts how often its memory was looked at."""

    def __init__(self):
        self.memory_mb, self.computed_s, self.looks, self.running, self.told = 10.0, 0.1, 0, 1, []

    def tasks(self):
        return self.running

    def max_memory_mb(self):
        self.looks += 1
        return self.memory_mb

    def cpu_seconds(self):
        return self.computed_s

    def end(self):
        self.told.append("end")

    def pause(self):
        self.told.append("pause")

    def resume(self):
        self.told.append("resume")


@pytest.fixture
def sandbox():
    return FakeSandbox()


@pytest.fixture
def limit(sandbox):
    return Limits(cpu_share=False).of(sandbox, LIMIT_MB)


def test_at_the_end_it_is_looked_at_once_more(limit, sandbox):
    sandbox.memory_mb = LIMIT_MB + 1
    assert limit.looked() == MEMORY
    assert limit.max_memory_mb == LIMIT_MB + 1


def test_the_most_memory_counts(limit, sandbox):
    for sandbox.memory_mb in (20, 50, 30):
        sandbox.computed_s += 0.1
        assert limit.looked() == ""
    assert limit.max_memory_mb == 50


def test_what_has_computed_little_since_the_last_look_is_not_looked_at_again(limit, sandbox):
    limit.looked()
    for computed, looks in ((limits.LITTLE_S / 2, 1), (limits.LITTLE_S, 2)):
        sandbox.computed_s += computed
        limit.looked()
        assert sandbox.looks == looks


def test_more_processes_than_on_aws_are_too_many(limit, sandbox):
    sandbox.running = TASKS
    assert limit.looked() == ""
    sandbox.running, sandbox.computed_s = TASKS + 1, 0.2
    assert limit.looked() == PROCESSES


def test_while_many_processes_start_their_memory_is_not_looked_at(limit, sandbox):
    for sandbox.running in (10, 100, 100):
        sandbox.computed_s += 0.1
        limit.looked()
    assert sandbox.looks == 2


def test_what_lasts_is_looked_at_while_it_computes_and_ended_once(limit, sandbox):
    with limit.kept():
        limit.lasts()
        eventually(lambda: sandbox.looks == 1)
        sandbox.memory_mb, sandbox.computed_s = LIMIT_MB + 1, 0.2
        eventually(lambda: limit.excess == MEMORY)
        sandbox.computed_s = 0.3
        time.sleep(3 * limits.LOOK_S)  # nothing to wait for: it is to stay as it is
    assert (sandbox.looks, sandbox.told) == (2, ["end"])


def test_what_computes_nothing_is_not_looked_at(limit, sandbox):
    limit.looked()
    with limit.kept():
        limit.lasts()
        time.sleep(3 * limits.LOOK_S)
    assert sandbox.looks == 1


def test_what_computes_nothing_for_a_while_is_idle(limit, sandbox):
    idle = []
    limit.looked()
    with limit.kept(idle=lambda: idle.append(1)):
        limit.lasts()
        eventually(lambda: idle)
    busy, computing_on = [], Limits(cpu_share=False).of(Costly("nothing"), LIMIT_MB)
    with computing_on.kept(idle=lambda: busy.append(1)):
        computing_on.lasts()
        time.sleep(2 * limits.IDLE_S)
    assert not busy


def test_what_is_short_or_over_is_not_looked_at(limit, sandbox):
    with limit.kept():
        pass
    limit.look_at_all_else()
    assert sandbox.looks == 0


def computing(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Costly(FakeSandbox):
    """Of which one look at `what` costs a millisecond, and which computes on."""

    def __init__(self, what):
        super().__init__()
        self.what, self.counted = what, 0

    def cpu_seconds(self):
        if self.what == "cpu":
            self.counted += 1
            computing(0.001)
        self.computed_s += 1e-6
        return self.computed_s

    def tasks(self):
        if self.what == "all else":
            self.counted += 1
            computing(0.001)
        return 1


@pytest.mark.parametrize(("what", "part"), [("cpu", limits.CPU_PART), ("all else", limits.ELSE_PART)])
def test_where_many_run_all_looks_together_take_a_part_of_a_core(what, part):
    all_, sandboxes = Limits(), [Costly(what) for _ in range(30)]
    with contextlib.ExitStack() as kept:
        for sandbox in sandboxes:
            limit = all_.of(sandbox, LIMIT_MB)
            kept.enter_context(limit.kept())
            limit.lasts()
        began, before = time.monotonic(), sum(each.counted for each in sandboxes)
        eventually(lambda: time.monotonic() > began + 1)
        looked_s = 0.001 * (sum(each.counted for each in sandboxes) - before)
        assert 0 < looked_s < 2 * part * (time.monotonic() - began)
        eventually(lambda: all(each.counted for each in sandboxes))  # each has its turn


# CPU


def test_memory_for_all_cores_of_the_machine_is_without_a_limit_of_cpu(sandbox):
    with Limits().of(sandbox, 1769 * psutil.cpu_count()).kept() as allowance:
        assert allowance is None


def test_without_shares_all_compute_freely(limit):
    with limit.kept() as allowance:
        assert allowance is None


def test_init_has_all_of_the_cpu(sandbox):
    with Limits().of(sandbox, 128).kept(cpu=False) as allowance:
        assert allowance is None


def test_what_overdraws_its_share_is_stopped_and_goes_on(sandbox):
    limit = Limits().of(sandbox, 128)
    with limit.kept():
        limit.lasts()
        sandbox.computed_s += 0.003
        eventually(lambda: sandbox.told == ["pause", "resume"])
    sandbox.computed_s += 1
    limit.look_at_cpu()
    assert sandbox.told == ["pause", "resume"]
