"""Unpacking code and layers: what is large is unpacked once and linked, and nobody can tell."""

import io
import os
import stat
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from localaws_client import zipped

from helpers.localaws.data_plane import archives as module
from helpers.localaws.data_plane.archives import KEPT, SMALL_BYTES, Archives, Unreadable, check

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
    monkeypatch.setattr(module, "_unzip", lambda archive, folder: done.append(archive) or unzip(archive, folder))
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


def test_what_could_not_be_removed_is_tried_again(tmp_path, monkeypatch):
    (tmp_path / "folder" / "task").mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr(module.shutil, "rmtree", lambda folder, ignore_errors: None)  # no descriptor is left
        module.remove(tmp_path / "folder")
        module.remove_left()
    assert (tmp_path / "folder").exists()
    module.remove_left()
    assert not (tmp_path / "folder").exists()


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


# What is not plain: names, kinds, permissions, and archives that are broken.


def zip_of(*entries, **changes):
    """An archive of (name, content, mode as of stat(2), or None) in this order; `changes` are those of each ZipInfo."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # a name may come twice
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode or 0) << 16 or 0x20  # what an archive of Windows says of a file
            info.create_system = 3 if mode else 0
            archive.writestr(info, content)
    return buffer.getvalue()


REGULAR, FOLDER, LINK = stat.S_IFREG, stat.S_IFDIR | 0o755, stat.S_IFLNK | 0o777


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("may_link", [True, False])
@pytest.mark.parametrize(
    ("given", "readable", "executable"),
    [
        (REGULAR | 0o644, True, False),
        (REGULAR | 0o755, True, True),
        (REGULAR | 0o600, False, False),
        (REGULAR, False, False),
        (REGULAR | 0o700, False, False),
        (REGULAR | 0o640, False, False),
        (REGULAR | 0o711, False, True),
        (None, True, False),
    ],
)
def test_a_function_may_what_all_may(tmp_path, may_link, given, readable, executable):
    archive = zip_of(("any", LARGE, given))
    Archives(tmp_path / "unpacked", lambda: may_link).unpack([archive], tmp_path / "task")
    allowed = mode(tmp_path / "task" / "any")
    assert (allowed & 0o444, allowed & 0o111) == (0o444 * readable, 0o111 * executable)


@pytest.mark.parametrize("may_link", [True, False])
def test_folders_have_their_permissions_and_can_be_removed(tmp_path, may_link):
    archive = zip_of(
        ("shut/", b"", stat.S_IFDIR | 0o700), ("shut/any", LARGE, REGULAR | 0o644), ("open/any", b"", None)
    )
    Archives(tmp_path / "unpacked", lambda: may_link).unpack([archive], tmp_path / "task")
    assert (mode(tmp_path / "task" / "shut") & 0o555, mode(tmp_path / "task" / "open")) == (0, 0o755)
    module.remove(tmp_path / "task")
    assert not (tmp_path / "task").exists()


@pytest.mark.parametrize("may_link", [True, False])
def test_links_stay_links_and_nothing_is_written_through_them(tmp_path, may_link):
    outside = tmp_path / "outside"
    outside.mkdir()
    first = zip_of(("large", LARGE, None), ("away", str(outside), LINK), ("python/lib.so", "lib.so.1", LINK))
    second = zip_of(("away/new", b"of the second", None), ("python/lib.so", b"a file", None))
    archives = Archives(tmp_path / "unpacked", lambda: may_link)
    archives.unpack([first], tmp_path / "one")
    assert os.readlink(tmp_path / "one" / "python" / "lib.so") == "lib.so.1"
    assert os.readlink(tmp_path / "one" / "away") == str(outside)
    archives.unpack([first, second], tmp_path / "both")
    assert content(tmp_path / "both") == {"large": LARGE, "away/new": b"of the second", "python/lib.so": b"a file"}
    assert not list(outside.iterdir())


@pytest.mark.parametrize("may_link", [True, False])
def test_a_later_layer_has_a_file_where_an_earlier_one_has_a_folder(tmp_path, may_link):
    layers = [zip_of(("any/of_first", LARGE, None)), zip_of(("any", b"second", None))]
    Archives(tmp_path / "unpacked", lambda: may_link).unpack(layers, tmp_path / "opt")
    assert content(tmp_path / "opt") == {"any": b"second"}


def with_bytes(signature, offset, value):
    """An archive with another value in each of its headers that begin so."""
    archive = bytearray(zipped({"app.py": "x = 1"}))
    found = archive.find(signature)
    while found >= 0:
        archive[found + offset : found + offset + len(value)] = value
        found = archive.find(signature, found + 1)
    return bytes(archive)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
BROKEN = {
    "no zip at all": b"x = 1",
    "nothing": b"",
    "cut short": zipped({"app.py": "x = 1"})[:-30],
    "another checksum": with_bytes(CENTRAL, 16, bytes(4)),
    "encrypted": with_bytes(CENTRAL, 8, b"\x01\x00"),
    "a size that is too small": with_bytes(CENTRAL, 24, (2).to_bytes(4, "little")),
    "a size that is too large": with_bytes(CENTRAL, 24, (50).to_bytes(4, "little")),
    "an unknown method": with_bytes(CENTRAL, 10, (77).to_bytes(2, "little")),
    "a name that leads out": zip_of(("../app.py", b"", None)),
    "a name that leads out later": zip_of(("a/../../app.py", b"", None)),
    "an absolute name": zip_of(("/etc/app.py", b"", None)),
    "a name that is too long": zip_of(("a" * 256, b"", None)),
    "a path that is too long": zip_of(("/".join(["a" * 200] * 20), b"", None)),
    "a file in a file": zip_of(("a", b"", None), ("a/b", b"", None)),
    "the same in another order": zip_of(("a/b", b"", None), ("a", b"", None)),
    "a file and a folder": zip_of(("a/", b"", FOLDER), ("a", b"", None)),
    "a file in a link": zip_of(("a", "/etc", LINK), ("a/b", b"", None)),
    "a file without a name": zip_of(("", b"", None)),
    "a link to nothing": zip_of(("a", b"", LINK)),
    "a link that holds a zero": zip_of(("a", b"b\0c", LINK)),
    "a link that is too long": zip_of(("a", b"b" * 4096, LINK)),
}


@pytest.mark.parametrize("archive", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_unpacked_is_unreadable(tmp_path, archive):
    with pytest.raises(Unreadable):
        check(archive)
    with pytest.raises(Unreadable):
        Archives(tmp_path / "unpacked", lambda: False).unpack([archive], tmp_path / "task")
    assert {path.name for path in tmp_path.iterdir()} <= {"task"}


@pytest.mark.parametrize(
    ("archive", "files"),
    [
        (zip_of(("./app.py", b"1", None)), {"app.py": b"1"}),
        (zip_of(("a//b.py", b"1", None)), {"a/b.py": b"1"}),
        (zip_of(("app.py", b"1", None), ("app.py", b"2", None)), {"app.py": b"2"}),
        (zip_of(("é日本.py", b"1", None)), {"é日本.py": b"1"}),
        (b"#!/bin/sh\n" + zip_of(("app.py", b"1", None)), {"app.py": b"1"}),
        (zip_of(("empty/", b"", FOLDER)), {}),
    ],
)
def test_what_can_is_unpacked(archives, tmp_path, archive, files):
    assert check(archive) >= 1
    archives.unpack([archive], tmp_path / "task")
    assert content(tmp_path / "task") == files


def test_a_large_archive_of_zip64_is_unpacked(archives, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("app.py", "w", force_zip64=True) as file:
        file.write(b"1")
    archives.unpack([buffer.getvalue()], tmp_path / "task")
    assert os.listdir(tmp_path / "task") == ["app.py"]
