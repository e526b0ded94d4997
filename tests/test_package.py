"""package() gives a zip that Lambda accepts, and the same bytes for the same source."""

import io
import os
import time
import zipfile

import pytest

from helpers import settings
from helpers.package import PackageError, package

SOURCE = "def handler(event, context):\n    return event\n"


def entries(archive: bytes) -> list[zipfile.ZipInfo]:
    return zipfile.ZipFile(io.BytesIO(archive)).infolist()


def test_a_dict_becomes_files_with_sorted_names_fixed_times_and_permissions():
    found = entries(package({"b.txt": b"\x00", "app.py": SOURCE}))
    assert [entry.filename for entry in found] == ["app.py", "b.txt"]
    assert {entry.date_time for entry in found} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 & 0o777 for entry in found} == {0o644}


def test_text_is_packed_as_utf_8_and_bytes_as_they_are():
    archive = zipfile.ZipFile(io.BytesIO(package({"a.py": "# é", "b": b"\xff"})))
    assert archive.read("a.py") == b"# \xc3\xa9"
    assert archive.read("b") == b"\xff"


def test_the_order_of_a_dict_does_not_matter():
    assert package({"a": "1", "b": "2"}) == package({"b": "2", "a": "1"})


def test_the_same_folder_at_another_time_gives_the_same_bytes(tmp_path):
    (tmp_path / "app.py").write_text(SOURCE)
    before = package(tmp_path)
    later = time.time() + 100_000
    os.utime(tmp_path / "app.py", (later, later))
    (tmp_path / "app.py").chmod(0o600)
    assert package(tmp_path) == before


def test_other_text_gives_other_bytes():
    assert package({"app.py": SOURCE}) != package({"app.py": SOURCE + "\n"})


def test_a_folder_is_packed_from_its_root_without_what_python_and_jupyter_leave(tmp_path):
    for name in ("app.py", "lib/tool.py", "__pycache__/app.cpython-313.pyc", ".ipynb_checkpoints/app.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    assert [entry.filename for entry in entries(package(str(tmp_path)))] == ["app.py", "lib/tool.py"]


def test_an_executable_file_stays_executable(tmp_path):
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o700)
    (entry,) = entries(package(tmp_path / "run.sh"))
    assert entry.filename == "run.sh"
    assert entry.external_attr >> 16 & 0o777 == 0o755


def test_a_name_under_notebooks_functions(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "FUNCTIONS", tmp_path)
    (tmp_path / "hello" / "python").mkdir(parents=True)
    (tmp_path / "hello" / "python" / "app.py").write_text(SOURCE)
    assert package("hello/python") == package({"app.py": SOURCE})


def test_what_does_not_exist_is_named(tmp_path):
    with pytest.raises(PackageError, match=r"There is no file or folder 'helo/python'.*check its name\."):
        package("helo/python")


def test_an_empty_folder_and_an_empty_dict_are_refused(tmp_path):
    with pytest.raises(PackageError, match="There is no file to package in"):
        package(tmp_path)
    with pytest.raises(PackageError, match="There is no file to package in the dict"):
        package({})


def test_over_250_mb_unzipped_is_refused():
    with pytest.raises(
        PackageError, match=r"the dict is 250\.0 MB unzipped, and Lambda takes 250 MB at most"
    ):
        package({"zeros": bytes(250 * 1024 * 1024 + 1)})


def test_over_50_mb_zipped_is_refused():
    with pytest.raises(PackageError, match=r"5\d\.\d MB zipped, and Lambda takes 50 MB at most"):
        package({"noise": os.urandom(51 * 1024 * 1024)})
