"""A name for what is put aside."""

from helpers.files.free_name import free_name


def test_the_first_name_that_is_free(tmp_path):
    names = []
    for _ in range(3):
        free = free_name(tmp_path, "app.py.bak", "app.py.bak{}")
        free.touch()
        names.append(free.name)
    assert names == ["app.py.bak", "app.py.bak2", "app.py.bak3"]
    (tmp_path / "app.py.bak2").unlink()
    assert free_name(tmp_path, "app.py.bak", "app.py.bak{}") == tmp_path / "app.py.bak2"
