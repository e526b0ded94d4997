"""A file is written whole or not at all, and nobody may read it meanwhile who may not before."""

import os

import pytest
from broken_disk import full_disk

from helpers.files.whole_file import write_whole


def test_a_private_file_is_private_from_its_first_byte_on(tmp_path, monkeypatch):
    file = tmp_path / "secret.json"
    file.touch(0o600)
    modes = []
    fdopen = os.fdopen

    def opened(descriptor, *rest, **named):
        modes.append(os.fstat(descriptor).st_mode & 0o777)
        return fdopen(descriptor, *rest, **named)

    monkeypatch.setattr(os, "fdopen", opened)
    write_whole(file, "a cookie")
    assert (file.read_text(), file.stat().st_mode & 0o777, modes) == ("a cookie", 0o600, [0o600])


def test_what_more_may_read_stays_theirs(tmp_path):
    file = tmp_path / "open.json"
    file.touch()
    file.chmod(0o666)  # more than the umask leaves
    write_whole(file, "anybody's")
    assert file.stat().st_mode & 0o777 == 0o666


def test_on_a_full_disk_all_is_as_before(tmp_path):
    file = tmp_path / "kept.json"
    file.write_text("what was there")
    with full_disk(file), pytest.raises(OSError) as raised:
        write_whole(file, "x" * 100)
    assert raised.value.filename == str(file)
    assert [each.name for each in tmp_path.iterdir()] == ["kept.json"]
    assert file.read_text() == "what was there"
