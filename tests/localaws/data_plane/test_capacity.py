"""How many execution environments there may be, and how many begin at once."""

import resource
import threading
from types import SimpleNamespace

import psutil
import pytest
from localaws_client import eventually

from helpers.localaws.data_plane import capacity
from helpers.localaws.data_plane.capacity import ACCOUNT, Admission

GB = 2**30


@pytest.fixture
def machine(monkeypatch):
    """A machine that carries what the test says."""

    def machine(memory=64 * GB, descriptors=100_000, processes=100_000):
        limits = {resource.RLIMIT_NOFILE: (1024, descriptors), resource.RLIMIT_NPROC: (processes, processes)}
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=memory))
        monkeypatch.setattr(resource, "getrlimit", limits.get)

    return machine


def test_a_large_machine_carries_what_an_account_has(machine):
    machine()
    assert capacity.environments() == ACCOUNT


def test_no_limit_is_no_limit(machine):
    machine(descriptors=resource.RLIM_INFINITY, processes=resource.RLIM_INFINITY)
    assert capacity.environments() == ACCOUNT


@pytest.mark.parametrize("less", [{"memory": GB}, {"descriptors": 2048}, {"processes": 1000}])
def test_a_smaller_one_carries_fewer(machine, less):
    machine(**less)
    assert 50 < capacity.environments() < 400


def test_the_least_is_one(machine):
    machine(memory=1, descriptors=64, processes=1)
    assert capacity.environments() == 1


def test_as_many_files_may_be_open_as_the_system_lets():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        capacity.raise_descriptors()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_few_have_a_place_and_the_next_one_has_it_when_one_leaves():
    admission, has, end = Admission(lambda: None, 2), [], threading.Event()

    def begin(number):
        with admission.place():
            has.append(number)
            end.wait(10)

    threads = [threading.Thread(target=begin, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(has) == 2)
    with pytest.raises(AssertionError):
        eventually(lambda: len(has) > 2, seconds=0.1)
    end.set()
    for thread in threads:
        thread.join()
    assert sorted(has) == [0, 1, 2, 3, 4]


def test_who_leaves_early_gives_its_place_back_once():
    admission = Admission(lambda: None, 1)
    with admission.place() as leave:
        leave()
        leave()
        with admission.place():
            taken = threading.Thread(target=lambda: admission.place().__enter__(), daemon=True)
            taken.start()
            taken.join(0.1)
            assert taken.is_alive()  # there is one place, whoever left it twice


def test_who_has_a_place_begins_when_the_server_has_heard_who_is_there():
    order = []
    with Admission(lambda: order.append("heard")).place():
        order.append("begins")
    assert order == ["heard", "begins"]
