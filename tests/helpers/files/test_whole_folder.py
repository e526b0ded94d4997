"""A folder that is written whole, or not at all."""

import stat

import pytest

from helpers.files.whole_folder import whole_folder


def old_in(folder):
    folder.mkdir()
    (folder / "page.html").write_text("old")


@pytest.mark.parametrize("is_there", [False, True])
def test_the_new_one_is_there_when_the_block_has_ended_and_nothing_else(tmp_path, is_there):
    folder = tmp_path / "below" / "out" if not is_there else tmp_path / "out"
    if is_there:
        old_in(folder)
        (folder / "gone.html").touch()
    with whole_folder(folder, 0o700) as new:
        (new / "page.html").write_text("new")
        assert folder.exists() == is_there
    assert [each.read_text() for each in folder.iterdir()] == ["new"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_where_the_block_fails(tmp_path, problem):
    old_in(tmp_path / "out")
    with pytest.raises(type(problem)), whole_folder(tmp_path / "out") as new:
        (new / "page.html").write_text("half")
        raise problem
    assert (tmp_path / "out" / "page.html").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_what_was_there_comes_back_where_the_new_one_cannot_take_its_place(tmp_path):
    old_in(tmp_path / "out")
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "out") as new:
        new.rmdir()
    assert (tmp_path / "out" / "page.html").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
