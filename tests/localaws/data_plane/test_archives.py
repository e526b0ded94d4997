"""Unpacking code and layers: what is large is unpacked once and linked, and nobody can tell."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from localaws_client import zipped

from helpers.localaws.data_plane import archives as module
from helpers.localaws.data_plane.archives import KEPT, SMALL_BYTES, Archives

LARGE = os.urandom(SMALL_BYTES)  # does not get smaller when it is zipped


def large(**files):
    return zipped({"large.bin": LARGE, **{f"{name}.py": content for name, content in files.items()}})


@pytest.fixture
def archives(tmp_path):
    return Archives(tmp_path / "unpacked", lambda: True)


@pytest.fixture
def unzipped(monkeypatch):
    """The archives that were unpacked, in order."""
    done, unzip = [], module._unzip
    monkeypatch.setattr(module, "_unzip", lambda archive, folder: (done.append(archive), unzip(archive, folder)))
    return done


def content(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("may_link", [True, False])
@pytest.mark.parametrize("size", [1, SMALL_BYTES])
def test_files_and_their_permissions_are_those_of_the_archive(tmp_path, may_link, size):
    archive = zipped({"bootstrap": LARGE[:size], "package/app.py": "x = 1"}, executable=("bootstrap",))
    archives = Archives(tmp_path / "unpacked", lambda: may_link)
    archives.unpack([archive], tmp_path / "task")
    assert content(tmp_path / "task") == {"bootstrap": LARGE[:size], "package/app.py": b"x = 1"}
    assert [(tmp_path / "task" / name).stat().st_mode & 0o777 for name in ("bootstrap", "package/app.py")] == [
        0o755,
        0o644,
    ]


def test_nothing_is_an_empty_folder(archives, tmp_path):
    archives.unpack([], tmp_path / "opt")
    assert content(tmp_path / "opt") == {}


def test_what_is_large_is_unpacked_once(archives, tmp_path, unzipped):
    archive = large()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: archives.unpack([archive], tmp_path / str(number)), range(8)))
    assert unzipped == [archive]
    assert len({(tmp_path / str(number) / "large.bin").stat().st_ino for number in range(8)}) == 1


@pytest.mark.parametrize(("archive", "may_link"), [(zipped({"app.py": ""}), True), (large(), False)])
def test_what_is_small_or_could_be_written_to_is_not_shared(tmp_path, archive, may_link):
    archives = Archives(tmp_path / "unpacked", lambda: may_link)
    for name in ("one", "two"):
        archives.unpack([archive], tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        path.write_bytes(b"changed")
    assert b"changed" not in content(tmp_path / "two").values()
    assert not (tmp_path / "unpacked").exists()


def test_a_later_layer_covers_an_earlier_one_and_leaves_it_as_it_is(archives, tmp_path):
    first, second = large(a="first", b="first"), zipped({"a.py": "second"})
    archives.unpack([first, second], tmp_path / "both")
    archives.unpack([first], tmp_path / "first")
    assert content(tmp_path / "both") == {"large.bin": LARGE, "a.py": b"second", "b.py": b"first"}
    assert content(tmp_path / "first") == {"large.bin": LARGE, "a.py": b"first", "b.py": b"first"}


def test_those_used_last_are_kept_and_files_in_use_stay(archives, tmp_path, unzipped):
    made = [large(number=str(number)) for number in range(KEPT + 1)]
    for number, archive in enumerate(made):
        archives.unpack([archive], tmp_path / f"task-{number}")
    assert len(os.listdir(tmp_path / "unpacked")) == KEPT
    assert content(tmp_path / "task-0") == {"large.bin": LARGE, "number.py": b"0"}
    archives.unpack([made[-1]], tmp_path / "again-the-last")
    assert len(unzipped) == KEPT + 1
    archives.unpack([made[0]], tmp_path / "again-the-first")
    assert unzipped[-1] == made[0]


def test_nothing_is_left_at_the_end(archives, tmp_path):
    archives.unpack([large()], tmp_path / "task")
    archives.close()
    assert not (tmp_path / "unpacked").exists()
    assert content(tmp_path / "task") == {"large.bin": LARGE}
