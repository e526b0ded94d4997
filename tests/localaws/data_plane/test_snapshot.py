"""Which snapshot a version has and when one ends, with snapshots that only note what they are asked for."""

import dataclasses
import importlib.util
import shutil
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from localaws_client import FUNCTION, eventually

from helpers.localaws.data_plane import runtimes
from helpers.localaws.data_plane.capacity import Admission
from helpers.localaws.data_plane.runtime_process import Failure, timeout
from helpers.localaws.data_plane.snapshot import Snapshot, SnapshotFailed, Snapshots
from helpers.localaws.data_plane.states import Ended

VERSION = dataclasses.replace(FUNCTION, version="1", snapstart=True, fingerprint="a")


class FakeSnapshot:
    """Fails to be taken where `failure` says how; `gone`: its process has ended."""

    failure: Failure | None = None

    def __init__(self, function):
        self.function, self.users, self.retired = function, 0, False
        self.taken = self.closed = self.abandoned = 0
        self.gone = self.is_taken = False

    def take(self):
        self.taken += 1
        if self.failure:
            raise SnapshotFailed(self.failure)
        self.is_taken = True

    def abandon_init(self):
        self.abandoned += 1

    def lost(self):
        return self.gone

    def close(self):
        self.closed += 1


@pytest.fixture
def made():
    return []


@pytest.fixture
def snapshots(made):
    def make(function):
        made.append(FakeSnapshot(function))
        return made[-1]

    return Snapshots(make)


def everything(key):
    return True


def test_a_version_has_one_that_all_its_environments_share(snapshots, made):
    assert snapshots.borrow(VERSION) is snapshots.borrow(VERSION)
    assert snapshots.borrow(dataclasses.replace(VERSION, version="2")) is not made[0]
    assert len(snapshots) == len(made) == 2


def test_it_stays_when_nobody_uses_it(snapshots, made):
    snapshots.give_back(snapshots.borrow(VERSION))
    assert snapshots.borrow(VERSION) is made[0]
    assert not made[0].closed


def test_it_ends_with_its_version(snapshots, made):
    snapshots.give_back(snapshots.borrow(VERSION))
    snapshots.retire(lambda key: key == (VERSION.arn, "2"))
    assert (len(snapshots), made[0].closed) == (1, 0)
    snapshots.retire(lambda key: key == (VERSION.arn, "1"))
    assert (len(snapshots), made[0].closed) == (0, 1)


def test_it_ends_with_the_last_environment_that_was_restored_from_it(snapshots, made):
    for _ in range(2):
        snapshots.borrow(VERSION)
    snapshots.retire(everything)
    snapshots.give_back(made[0])
    assert (len(snapshots), made[0].closed) == (0, 0)
    snapshots.give_back(made[0])
    assert made[0].closed == 1


@pytest.mark.parametrize("used", [False, True])
def test_another_is_taken_where_it_was_lost(snapshots, made, used):
    snapshots.borrow(VERSION)
    if not used:
        snapshots.give_back(made[0])
    made[0].gone = True
    assert snapshots.borrow(VERSION) is made[1]
    assert made[0].closed == (not used)
    if used:
        snapshots.give_back(made[0])
    assert (made[0].closed, made[1].closed) == (1, 0)


def test_another_is_taken_for_a_version_of_the_same_number_that_was_made_anew(snapshots, made):
    snapshots.give_back(snapshots.borrow(VERSION))
    assert snapshots.borrow(dataclasses.replace(VERSION, fingerprint="b")) is made[1]
    assert made[0].closed == 1


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (Failure("Runtime.Unknown", payload=b'{"errorType": "E", "errorMessage": "of init"}'), "E: of init"),
        (
            Failure("Runtime.ExitError", "Runtime exited with error: exit status 3"),
            "Runtime exited with error: exit status 3",
        ),
        (timeout(), "The init code took too long."),
        (Failure("Runtime.Unknown", payload=b"no JSON"), "Runtime.Unknown"),
    ],
)
def test_one_whose_init_fails_is_not_kept(snapshots, made, monkeypatch, failure, message):
    monkeypatch.setattr(FakeSnapshot, "failure", failure)
    with pytest.raises(SnapshotFailed) as failed:
        snapshots.borrow(VERSION)
    assert (str(failed.value), failed.value.failure) == (message, failure)
    assert (len(snapshots), made[0].closed) == (0, 1)


def test_an_init_that_lasts_ends_with_its_version_and_a_snapshot_that_is_taken_does_not(snapshots, made):
    snapshots.borrow(VERSION)
    made[0].is_taken = False
    snapshots.borrow(dataclasses.replace(VERSION, version="2"))
    snapshots.retire(everything)
    assert [each.abandoned for each in made] == [1, 0]


class FailingSnapshot(Snapshot):
    """Its init fails once all that are wanted wait for it."""

    def __init__(self, wanted):
        self._taking, self._error, self._state = threading.Lock(), None, Ended()
        self._admission = Admission(lambda: None)
        self.wanted, self.inits = wanted, 0

    def _take(self, idle):
        self.inits += 1
        self.wanted.wait(60)
        raise SnapshotFailed(Failure("Runtime.ExitError", "in vain"))


def test_those_who_wait_for_an_init_that_fails_hear_the_same_and_there_is_no_other():
    wanted = threading.Event()
    snapshot = FailingSnapshot(wanted)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(snapshot.take) for _ in range(4)]
        eventually(lambda: snapshot.inits)
        wanted.set()
        assert {str(each.exception()) for each in waiting} == {"in vain"}
    assert snapshot.inits == 1


@pytest.fixture
def program(tmp_path, monkeypatch):
    """The part of it that runs in a function's process."""
    monkeypatch.setenv("_LAMBDA_TELEMETRY_LOG_FD", "2")
    shutil.copy(runtimes.BOOTSTRAP / "lambda_snapstart.py", tmp_path)
    shutil.copy(runtimes.BOOTSTRAP.with_name("confinement.py"), tmp_path / "lambda_confinement.py")
    spec = importlib.util.spec_from_file_location("lambda_snapstart", tmp_path / "lambda_snapstart.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform != "linux", reason="it runs on Linux alone")
def test_a_folder_that_is_the_same_in_the_copy_stays_as_it_is(program, tmp_path):
    """As the one in which an environment sees what lies below the machine's own /tmp, such as a checkout there."""
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "seen" / "inner").mkdir(parents=True)
    (source / "own").mkdir(mode=0o750)
    target.mkdir()
    (target / "seen").symlink_to(source / "seen")
    program._copy_files(str(source), str(target))
    assert [stat.S_IMODE(path.stat().st_mode) for path in (source / "seen", target / "own")] == [0o755, 0o750]
