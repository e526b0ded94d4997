"""Which environment serves an invocation, with environments that only note what they are asked for."""

import dataclasses
import errno
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from localaws_client import FUNCTION, eventually

from helpers.localaws.data_plane import pool as pool_module
from helpers.localaws.data_plane.capacity import Exhausted
from helpers.localaws.data_plane.pool import Pool


class FakeEnvironment:
    made = []
    lives = True

    def __init__(self, function, *others):
        self.function, self.used_at, self.retired, self.closed = function, 0.0, False, 0
        self.initialization_type, self.is_ready = others[-1], True
        self.served, self.busy = [], threading.Lock()
        self.made.append(self)

    def initialise(self):
        self.is_ready = self.function.handler != "breaks"
        return self.is_ready

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

    def retire(self, reason):
        self.retired, self.reason = True, reason

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
    assert old.reason == "changed"


def test_an_old_environment_that_comes_back_late_is_ended_and_not_used(pool):
    old, new = variant(fingerprint="old"), variant(fingerprint="new")
    used = []
    late = pool.invoke(old, lambda: used.append(pool.invoke(new, 1)))
    used += [pool.invoke(new, 2), pool.invoke(new, 3)]
    assert len(set(used)) == 1 and late not in used
    eventually(lambda: (late.closed, used[0].closed) == (1, 0))


def test_a_warm_call_looks_at_one_environment_however_many_are_free(pool, monkeypatch):
    many = 50
    barrier, looked_at = threading.Barrier(many), []
    with ThreadPoolExecutor(many) as threads:
        list(threads.map(lambda _: pool.invoke(FUNCTION, barrier.wait), range(many)))
    monkeypatch.setattr(FakeEnvironment, "lives", property(lambda each: looked_at.append(each) or True))
    used = pool.invoke(FUNCTION, 1)
    assert looked_at == [used] and len(FakeEnvironment.made) == many


def test_versions_do_not_share(pool):
    one, two = pool.invoke(variant(version="1"), 1), pool.invoke(variant(version="2"), 1)
    assert one is not two and not one.closed
    assert pool.invoke(variant(version="1"), 1) is one


def test_retire_ends_those_of_one_function(pool):
    mine, other = pool.invoke(FUNCTION, 1), pool.invoke(variant(arn=FUNCTION.arn + "-other"), 1)
    elsewhere = pool.invoke(variant(arn=FUNCTION.arn.replace("us-east-1", "eu-west-1")), 1)
    pool.retire(FUNCTION.arn)
    eventually(lambda: (mine.closed, other.closed, elsewhere.closed) == (1, 0, 0))
    assert pool.invoke(FUNCTION, 2) is not mine


def test_retire_ends_those_of_one_version(pool):
    one, two = pool.invoke(variant(version="1"), 1), pool.invoke(variant(version="2"), 1)
    pool.retire(FUNCTION.arn, "1")
    eventually(lambda: (one.closed, two.closed) == (1, 0))


def test_a_retired_environment_that_is_busy_finishes_and_is_not_used_again(pool):
    busy = pool.invoke(FUNCTION, lambda: pool.retire(FUNCTION.arn))
    assert busy.retired and busy.closed == 1
    assert pool.invoke(FUNCTION, 1) is not busy


def test_an_environment_is_ended_when_it_was_idle_for_longer_than_its_time(pool, clock):
    patient, hasty = (pool.invoke(variant(version="1", idle_s=100), 1), pool.invoke(variant(version="2", idle_s=5), 1))
    clock[0] = 5.1
    eventually(lambda: hasty.closed)
    assert not patient.closed and hasty.reason == "idle"
    assert pool.invoke(variant(version="2", idle_s=5), 1) is not hasty
    assert pool.invoke(variant(version="1", idle_s=100), 1) is patient


def test_for_one_more_than_there_may_be_the_one_that_nobody_used_for_the_longest_time_is_ended(pool):
    pool._most = 3
    first, second, third = (pool.invoke(variant(version=str(number)), 1) for number in range(3))
    for used_at, environment in enumerate((second, first, third)):
        environment.used_at = used_at
    pool.invoke(variant(version="3"), 1)
    eventually(lambda: [each.closed for each in (first, second, third)] == [0, 1, 0])
    assert second.reason == "room"
    assert pool.invoke(variant(version="0"), 2) is first


def test_a_version_that_needs_all_that_there_may_be_has_them(pool):
    pool._most, barrier = 3, threading.Barrier(3)
    other = pool.invoke(variant(version="other"), 1)
    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(lambda _: pool.invoke(FUNCTION, barrier.wait), range(3)))) == 3
    eventually(lambda: other.closed == 1)


class Units:
    """The units of concurrency that provisioned environments have, of so many."""

    def __init__(self, most=1000):
        self.most, self.taken, self.given_back = most, 0, 0

    def occupy(self):
        if self.taken - self.given_back >= self.most:
            return None
        self.taken += 1
        return self.release

    def release(self):
        self.given_back += 1


def allocated(pool, function=FUNCTION):
    held = pool.provisioned(function.arn, function.version)
    return held.allocated if held else None


def provisioned(pool, number, function=FUNCTION, units=None):
    """The environments, once as many are initialised."""
    pool.provision(function, number, (units or Units()).occupy)
    eventually(lambda: allocated(pool, function) == number)
    return [each for each in FakeEnvironment.made if each.initialization_type == "provisioned-concurrency"]


def test_provisioned_environments_are_there_before_a_call_and_serve_it(pool):
    made = provisioned(pool, 2)
    barrier = threading.Barrier(3)
    with ThreadPoolExecutor(3) as threads:
        used = set(threads.map(lambda _: pool.invoke(FUNCTION, barrier.wait), range(3)))
    assert used > set(made)
    assert [each.initialization_type for each in used - set(made)] == ["on-demand"]
    assert len({pool.invoke(FUNCTION, 1) for _ in range(3)} - set(made)) == 0


def test_provisioned_environments_of_one_version_serve_no_other(pool):
    (only,) = provisioned(pool, 1, variant(version="1"))
    assert pool.invoke(variant(version="2"), 1) is not only


def test_provisioned_environments_are_kept_however_long_nobody_uses_them(pool, clock):
    (only,) = provisioned(pool, 1, variant(version="1", idle_s=5))
    other = pool.invoke(variant(version="2", idle_s=5), 1)
    clock[0] = 5.1
    eventually(lambda: other.closed)
    assert not only.closed and pool.invoke(variant(version="1", idle_s=5), 1) is only


def test_provisioned_environments_make_no_room_for_others_but_others_do_for_them(pool):
    pool._most = 2
    other = pool.invoke(variant(version="other"), 1)
    first, second = provisioned(pool, 2)
    eventually(lambda: other.closed)
    pool.invoke(variant(version="third"), 1)
    assert not first.closed and not second.closed


def test_a_provisioned_environment_that_dies_is_replaced(pool):
    units = Units()
    (first,) = provisioned(pool, 1, units=units)

    def dies():
        first.is_ready = False

    assert pool.invoke(FUNCTION, dies) is first and first.closed == 1
    eventually(lambda: allocated(pool) == 1)
    assert pool.invoke(FUNCTION, 1).initialization_type == "provisioned-concurrency"
    assert (units.taken, units.given_back) == (2, 1)


def test_a_provisioned_environment_that_breaks_is_replaced(pool):
    def breaks():
        raise OSError("no memory")

    (first,) = provisioned(pool, 1)
    with pytest.raises(OSError, match="no memory"):
        pool.invoke(FUNCTION, breaks)
    eventually(lambda: allocated(pool) == 1)
    assert first.closed == 1 and pool.invoke(FUNCTION, 1) is not first


def test_another_number_makes_more_or_ends_what_is_free(pool):
    units = Units()
    assert len(provisioned(pool, 1, units=units)) == 1
    made = provisioned(pool, 3, units=units)
    assert len(made) == 3
    pool.provision(FUNCTION, 1, units.occupy)
    eventually(lambda: sum(each.closed for each in made) == 2)
    assert (allocated(pool), units.taken - units.given_back) == (1, 1)


def test_one_too_many_that_is_busy_finishes(pool):
    units = Units()
    (only,) = provisioned(pool, 1, units=units)
    assert pool.invoke(FUNCTION, lambda: pool.unprovision(FUNCTION.arn, FUNCTION.version)) is only
    assert only.closed == 1 and units.given_back == 1
    assert pool.invoke(FUNCTION, 1).initialization_type == "on-demand"


@pytest.mark.parametrize("version", [None, FUNCTION.version])
def test_with_the_function_or_its_version_end_the_provisioned_environments(pool, version):
    units = Units()
    (only,) = provisioned(pool, 1, units=units)
    pool.retire(FUNCTION.arn, version)
    eventually(lambda: only.closed == 1)
    assert allocated(pool) is None and units.given_back == 1


def test_a_function_of_the_same_name_does_not_get_what_was_provisioned_for_another(pool):
    (old,) = provisioned(pool, 1, variant(fingerprint="old"))
    provisioned(pool, 1, variant(fingerprint="new"))
    eventually(lambda: old.closed == 1)
    assert pool.invoke(variant(fingerprint="new"), 1) is not old


def test_an_init_that_fails_is_tried_six_times_and_gives_back_its_unit(pool):
    units, broken = Units(), variant(handler="breaks")
    pool.provision(broken, 1, units.occupy)
    held = pool.provisioned(broken.arn, broken.version)
    eventually(lambda: units.given_back == 6)
    assert held.failed and held.allocated == 0 and units.taken == 6
    assert [each.closed for each in FakeEnvironment.made] == [1] * 6


def test_environments_wait_for_a_unit_of_concurrency(pool):
    units = Units(most=1)
    pool.provision(FUNCTION, 2, units.occupy)
    eventually(lambda: allocated(pool) == 1)
    assert len(FakeEnvironment.made) == 1
    units.most = 2
    eventually(lambda: allocated(pool) == 2)


def test_who_waits_for_a_unit_stops_where_it_is_wanted_no_more(pool):
    units = Units(most=0)
    pool.provision(FUNCTION, 3, units.occupy)
    held = pool.provisioned(FUNCTION.arn, FUNCTION.version)
    pool.unprovision(FUNCTION.arn, FUNCTION.version)
    eventually(lambda: held.not_busy == 0)
    assert FakeEnvironment.made == [] and units.taken == 0


def test_an_environment_that_breaks_is_ended_and_not_used_again(pool):
    def breaks():
        raise OSError("no memory")

    with pytest.raises(OSError, match="no memory"):
        pool.invoke(FUNCTION, breaks)
    (broken,) = FakeEnvironment.made
    assert broken.closed == 1
    assert pool.invoke(FUNCTION, 1) is not broken


def test_an_environment_whose_process_was_killed_is_ended_and_not_used_again(pool):
    killed = pool.invoke(FUNCTION, 1)
    killed.lives = False
    assert pool.invoke(FUNCTION, 2) is not killed
    eventually(lambda: killed.closed == 1)


def test_an_environment_that_cannot_begin_for_want_of_something_is_told_apart(pool):
    def has_no_more():
        raise OSError(errno.EMFILE, "Too many open files")

    with pytest.raises(Exhausted, match="^Too many open files$"):
        pool.invoke(FUNCTION, has_no_more)
    (broken,) = FakeEnvironment.made
    assert broken.closed == 1


def test_what_finishes_after_the_end_of_the_pool_is_ended(pool):
    late = pool.invoke(FUNCTION, pool.close)
    assert late.closed == 1


def test_what_a_killed_server_left_is_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(pool_module, "Keeper", FakeKeeper)
    left = tmp_path / "environments" / "old" / "task"
    left.mkdir(parents=True)
    Pool(tmp_path, "", lambda *_: None, NO_ROLES).close()
    assert not left.exists()
