"""Packages of Node.js from a folder of npm's files: each as the lock says, none of another hash."""

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from helpers.localaws import npm


def packed(files: dict[str, str]) -> bytes:
    """What `npm pack` makes of these files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


FILES = {
    "node_modules/outer": packed({"package/package.json": '{"name": "outer"}', "package/lib/index.js": "1"}),
    "node_modules/outer/node_modules/@scope/inner": packed({"odd name/index.js": "2", "odd name/../../../out": "3"}),
}


@pytest.fixture
def project(tmp_path) -> Path:
    """The folder of a lock that names two packages, one of them inside the other."""
    entries = {
        place: {"version": "1.2.3", "integrity": "sha512-" + base64.b64encode(hashlib.sha512(file).digest()).decode()}
        for place, file in FILES.items()
    }
    lock = {"lockfileVersion": 3, "packages": {"": {"name": "tested"}, **entries}}
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / npm.LOCK).write_text(json.dumps(lock))
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of their files, whose names do not count."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    for number, file in enumerate(FILES.values()):
        (folder / f"{number}.tgz").write_bytes(file)
    return folder


def test_each_package_is_put_in_its_place(project, folder, tmp_path):
    assert not npm.is_installed(project)
    npm.install(project, folder)
    assert npm.is_installed(project)
    modules = project / "node_modules"
    assert (modules / "outer" / "lib" / "index.js").read_text() == "1"
    assert (modules / "outer" / "node_modules" / "@scope" / "inner" / "index.js").read_text() == "2"
    assert not list(tmp_path.rglob("out")), "no file leaves its package"


def test_what_stood_there_before_is_gone(project, folder):
    (project / "node_modules" / "old").mkdir(parents=True)
    npm.install(project, folder)
    assert not (project / "node_modules" / "old").exists()


def test_a_file_of_another_hash_is_not_installed(project, folder):
    (folder / "1.tgz").write_bytes(packed({"package/index.js": "something else"}))
    with pytest.raises(npm.NpmError, match=r"lacks @scope/inner@1\.2\.3, as the lock has it; make that folder anew\.$"):
        npm.install(project, folder)
    assert not npm.is_installed(project)


def test_what_is_there_is_not_downloaded_again(project, folder, monkeypatch):
    monkeypatch.setattr(npm, "_npm", lambda: ["/no/such/npm"])
    npm.download(project, folder)
    assert len(list(folder.iterdir())) == len(FILES)


def test_a_file_that_npm_brings_with_another_hash_is_refused(project, folder, monkeypatch):
    (folder / "0.tgz").unlink()
    monkeypatch.setattr(npm, "_npm", lambda: ["/bin/sh", "-c", "echo other > other.tgz"])
    with pytest.raises(npm.NpmError, match=r"brought for outer@1\.2\.3 does not match its hash in the lock\.$"):
        npm.download(project, folder)
