"""package() gives a zip that Lambda accepts, and the same bytes for the same source."""

import io
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import pytest

from helpers import settings
from helpers.deploying import libraries
from helpers.deploying.package import PackageError, package, package_layer
from helpers.installing import environment

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


def test_a_function_of_any_lesson_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path)
    functions = tmp_path / "lessons" / "01-greeting" / "functions"
    functions.mkdir(parents=True)
    (functions.parent / "notebook.py").write_text("# %% [markdown]\n# # 01 Greeting\n")
    (functions / "hello" / "python").mkdir(parents=True)
    (functions / "hello" / "python" / "app.py").write_text(SOURCE)
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
    with pytest.raises(PackageError, match=r"the dict is 250\.0 MB unzipped, and Lambda takes 250 MB at most"):
        package({"zeros": bytes(250 * 1024 * 1024 + 1)})


@pytest.mark.parametrize("name", ["", "zeros"])
def test_a_folder_over_250_mb_is_refused_before_it_is_read(tmp_path, monkeypatch, name):
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(250 * 1024 * 1024 + 1)
    monkeypatch.delattr(Path, "read_bytes")
    with pytest.raises(PackageError, match=r"have more than 250 MB, and Lambda takes 250 MB at most; name a folder"):
        package(tmp_path / name)


def test_a_name_that_no_file_can_have_is_no_file():
    with pytest.raises(PackageError, match=r"^There is no file or folder 'x+', neither here"):
        package("x" * 5000)


def test_over_50_mb_zipped_is_refused():
    with pytest.raises(PackageError, match=r"5\d\.\d MB zipped, and Lambda takes 50 MB at most"):
        package({"noise": os.urandom(51 * 1024 * 1024)})


# Libraries


def test_a_library_comes_along_with_what_it_needs_at_the_root():
    archive = zipfile.ZipFile(io.BytesIO(package({"app.py": SOURCE}, libraries=["pg8000"])))
    names = archive.namelist()
    assert {"app.py", "pg8000/native.py", "scramp/core.py", "asn1crypto/core.py", "six.py"} <= set(names)
    assert names == sorted(names)
    left = [name for name in names if "__pycache__" in name or name.endswith("/RECORD") or name.startswith("..")]
    assert left == []
    assert archive.read("app.py").decode() == SOURCE


def test_the_same_libraries_give_the_same_bytes_whatever_their_order_and_spelling():
    first = package({"app.py": SOURCE}, libraries=["pg8000", "python-dateutil"])
    assert package({"app.py": SOURCE}, libraries=["Python_DateUtil", "PG8000"]) == first


def test_a_file_of_ones_own_takes_the_place_of_a_librarys():
    archive = zipfile.ZipFile(io.BytesIO(package({"six.py": "mine"}, libraries=["pg8000"])))
    assert archive.read("six.py") == b"mine"


def test_no_library_is_packed_unasked():
    assert [entry.filename for entry in entries(package({"app.py": SOURCE}, libraries=()))] == ["app.py"]


@pytest.mark.parametrize(
    ("library", "says"),
    [
        ("no-such-library", "'no-such-library' is not installed"),
        ("numpy", "'numpy' has parts that were compiled .* target=workshop.target"),
    ],
)
def test_a_library_that_cannot_be_packed_is_said_in_one_sentence(library, says):
    with pytest.raises(PackageError, match=says):
        package({"app.py": SOURCE}, libraries=[library])


# Layers, and libraries with compiled parts


def names(archive: bytes) -> list[str]:
    return [entry.filename for entry in entries(archive)]


def test_a_layer_has_its_libraries_below_python():
    found = names(package_layer(["pg8000"]))
    assert {"python/pg8000/native.py", "python/scramp/core.py", "python/six.py"} <= set(found)
    assert all(name.startswith("python/") for name in found)


def test_a_layer_without_a_library_is_refused():
    with pytest.raises(PackageError, match="There is no library to package"):
        package_layer([])


def test_for_the_embedded_aws_a_compiled_library_is_the_one_of_this_machine(tmp_path):
    archive = package_layer(["pillow"], "embedded")
    assert f"python/PIL/_imaging{sysconfig.get_config_var('EXT_SUFFIX')}" in names(archive)
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'python')!r})\nimport PIL._imaging; print(PIL.__file__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path)), done.stderr


def test_a_layer_that_is_too_large_is_named(monkeypatch):
    monkeypatch.setattr(sys.modules["helpers.deploying.package"], "MAX_ZIP_BYTES", 1024 * 1024)
    with pytest.raises(PackageError, match="the layer of pillow is .* MB zipped, and Lambda takes 1 MB at most"):
        package_layer(["pillow"], "embedded")


class Pip:
    """Takes pip's place: notes the commands, and installs what its makers have built for Lambda, or fails."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.requirements = self.fails = ""

    def run(self, command: list[str], **_) -> subprocess.CompletedProcess:
        self.commands.append(command)
        self.requirements = Path(command[command.index("-r") + 1]).read_text()
        target = Path(command[command.index("--target") + 1])
        if not self.fails:
            files = {
                "PIL/_imaging.cpython-313-x86_64-linux-gnu.so": "compiled",
                "PIL/__pycache__/Image.cpython-313.pyc": "",
                "pillow-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: pillow\nVersion: 1\n",
                "pillow-1.dist-info/WHEEL": "Root-Is-Purelib: false\n",
            }
            files["pillow-1.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files)
            for name, text in files.items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_text(text)
        return subprocess.CompletedProcess(command, bool(self.fails), "", self.fails)


@pytest.fixture
def pip(monkeypatch, tmp_path) -> Pip:
    made = Pip()
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    monkeypatch.setattr(libraries.subprocess, "run", made.run)
    return made


LAMBDAS = [
    "python/PIL/_imaging.cpython-313-x86_64-linux-gnu.so",
    "python/pillow-1.dist-info/METADATA",
    "python/pillow-1.dist-info/WHEEL",
]


@pytest.mark.parametrize("target", ["aws", "emulator"])
def test_for_any_other_aws_a_compiled_library_is_built_for_lambdas_machines(pip, target):
    assert names(package_layer(["pillow"], target)) == LAMBDAS
    [command] = pip.commands
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps", "--platform=manylinux2014_x86_64"} <= set(command)
    assert command[command.index("--python-version") + 1] == "3.13"
    locked = environment.locked()["pillow"]
    assert pip.requirements.split() == [f"pillow=={locked.version}", *(f"--hash={each}" for each in locked.hashes)]


def test_a_library_for_lambda_is_downloaded_once(pip):
    first = package_layer(["pillow"], "aws")
    assert package_layer(["Pillow"], "aws") == first
    assert len(pip.commands) == 1


def test_a_download_that_fails_is_one_sentence_and_leaves_nothing_behind(pip, tmp_path):
    pip.fails = "ERROR: Could not find a version that satisfies the requirement\nConnection refused"
    with pytest.raises(PackageError, match=r"Python 3\.13 on Amazon Linux .* no package registry can be reached"):
        package_layer(["pillow"], "aws")
    assert list((tmp_path / "work" / "wheels").iterdir()) == []
    pip.fails = ""
    assert names(package_layer(["pillow"], "aws")) == LAMBDAS


def test_a_function_may_have_a_compiled_library_in_its_package(pip):
    assert set(names(package({"app.py": SOURCE}, ["pillow"], "aws"))) > {"app.py"}


def test_for_lambda_a_library_in_pure_python_is_the_one_of_this_machine(pip):
    assert package_layer(["pg8000"], "aws") == package_layer(["pg8000"])
    assert pip.commands == []


def test_what_is_not_in_the_lock_is_not_downloaded(pip, monkeypatch):
    monkeypatch.setattr(environment, "locked", dict)
    with pytest.raises(PackageError, match="'pillow' is not in requirements.lock"):
        package_layer(["pillow"], "aws")
    assert pip.commands == []
