"""Which environment serves an invocation, with environments that only note what they are asked for."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from localaws_client import FUNCTION, eventually

from helpers.localaws.data_plane import pool as pool_module
from helpers.localaws.data_plane.pool import Pool


class FakeEnvironment:
    made = []

    def __init__(self, function, *others):
        self.function, self.used_at, self.retired, self.closed = function, 0.0, False, 0
        self.served, self.busy = [], threading.Lock()
        self.made.append(self)

    def invoke(self, invocation):
        assert self.busy.acquire(blocking=False), "one invocation at a time"
        assert not self.closed
        try:
            if callable(invocation):
                invocation()
            self.served.append(invocation)
            return self
        finally:
            self.busy.release()

    def end(self):
        """There is no process."""

    def close(self):
        self.closed += 1


NO_ROLES = None  # who asks for none


class FakeKeeper:
    def close(self):
        """There is no process to end."""


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def pool(monkeypatch, tmp_path, clock):
    monkeypatch.setattr(FakeEnvironment, "made", [])
    monkeypatch.setattr(pool_module, "ExecutionEnvironment", FakeEnvironment)
    monkeypatch.setattr(pool_module, "Keeper", FakeKeeper)
    monkeypatch.setattr(pool_module, "REAP_EVERY_S", 0.01)
    pool = Pool(tmp_path, "http://127.0.0.1:1", lambda *_: None, NO_ROLES, clock=lambda: clock[0])
    yield pool
    pool.close()


def variant(**changes):
    return dataclasses.replace(FUNCTION, **changes)


def test_a_free_environment_is_used_again(pool):
    assert pool.invoke(FUNCTION, 1) is pool.invoke(FUNCTION, 2)
    (only,) = FakeEnvironment.made
    assert only.served == [1, 2] and not only.closed


def test_environments_in_use_at_the_same_time_are_different(pool):
    barrier = threading.Barrier(5)
    with ThreadPoolExecutor(5) as threads:
        used = set(threads.map(lambda _: pool.invoke(FUNCTION, barrier.wait), range(5)))
    assert len(used) == len(FakeEnvironment.made) == 5
    with ThreadPoolExecutor(5) as threads:
        assert set(threads.map(lambda _: pool.invoke(FUNCTION, barrier.wait), range(5))) == used


def test_the_one_used_last_is_used_first(pool):
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: pool.invoke(FUNCTION, barrier.wait), range(2)))
    assert len({pool.invoke(FUNCTION, 1) for _ in range(5)}) == 1


def test_a_changed_function_has_new_environments_and_the_old_ones_are_ended(pool):
    old = pool.invoke(variant(fingerprint="old"), 1)
    new = pool.invoke(variant(fingerprint="new"), 2)
    assert old is not new
    eventually(lambda: (old.closed, new.closed) == (1, 0))


def test_versions_do_not_share(pool):
    one, two = pool.invoke(variant(version="1"), 1), pool.invoke(variant(version="2"), 1)
    assert one is not two and not one.closed
    assert pool.invoke(variant(version="1"), 1) is one


def test_retire_ends_those_of_one_function(pool):
    mine, other = pool.invoke(FUNCTION, 1), pool.invoke(variant(arn=FUNCTION.arn + "-other"), 1)
    pool.retire("f")
    eventually(lambda: (mine.closed, other.closed) == (1, 0))
    assert pool.invoke(FUNCTION, 2) is not mine


def test_retire_ends_those_of_one_version(pool):
    one, two = pool.invoke(variant(version="1"), 1), pool.invoke(variant(version="2"), 1)
    pool.retire("f", "1")
    eventually(lambda: (one.closed, two.closed) == (1, 0))


def test_a_retired_environment_that_is_busy_finishes_and_is_not_used_again(pool):
    busy = pool.invoke(FUNCTION, lambda: pool.retire("f"))
    assert busy.retired and busy.closed == 1
    assert pool.invoke(FUNCTION, 1) is not busy


def test_an_environment_is_ended_when_it_was_idle_for_longer_than_its_time(pool, clock):
    patient, hasty = (pool.invoke(variant(version="1", idle_s=100), 1), pool.invoke(variant(version="2", idle_s=5), 1))
    clock[0] = 5.1
    eventually(lambda: hasty.closed)
    assert not patient.closed
    assert pool.invoke(variant(version="2", idle_s=5), 1) is not hasty
    assert pool.invoke(variant(version="1", idle_s=100), 1) is patient


def test_for_one_more_than_there_may_be_the_one_that_nobody_used_for_the_longest_time_is_ended(pool):
    pool._most = 3
    first, second, third = (pool.invoke(variant(version=str(number)), 1) for number in range(3))
    for used_at, environment in enumerate((second, first, third)):
        environment.used_at = used_at
    pool.invoke(variant(version="3"), 1)
    eventually(lambda: [each.closed for each in (first, second, third)] == [0, 1, 0])
    assert pool.invoke(variant(version="0"), 2) is first


def test_a_version_that_needs_all_that_there_may_be_has_them(pool):
    pool._most, barrier = 3, threading.Barrier(3)
    other = pool.invoke(variant(version="other"), 1)
    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(lambda _: pool.invoke(FUNCTION, barrier.wait), range(3)))) == 3
    eventually(lambda: other.closed == 1)


def test_an_environment_that_breaks_is_ended_and_not_used_again(pool):
    def breaks():
        raise OSError("no memory")

    with pytest.raises(OSError, match="no memory"):
        pool.invoke(FUNCTION, breaks)
    (broken,) = FakeEnvironment.made
    assert broken.closed == 1
    assert pool.invoke(FUNCTION, 1) is not broken


def test_what_finishes_after_the_end_of_the_pool_is_ended(pool):
    late = pool.invoke(FUNCTION, pool.close)
    assert late.closed == 1


def test_what_a_killed_server_left_is_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(pool_module, "Keeper", FakeKeeper)
    left = tmp_path / "environments" / "old" / "task"
    left.mkdir(parents=True)
    Pool(tmp_path, "", lambda *_: None, NO_ROLES).close()
    assert not left.exists()
