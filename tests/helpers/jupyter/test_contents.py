"""What JupyterLab may save: the reader's notebooks, and not those of the workshop, whichever way leads to them."""

import pytest

from helpers import own_copies, settings
from helpers.jupyter.contents import Contents


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    own_copies.make()
    return tmp_path


def test_the_workshops_notebooks_are_only_read_from_the_checkout():
    contents = Contents(root_dir=str(settings.ROOT))
    for path in ("notebooks/04-cold-start.ipynb", "/notebooks/solutions/04-cold-start.ipynb"):
        assert not contents.is_writable(path), path
    for path in ("notebooks/lessons/04-cold-start/notebook.py", "README.md", "notebooks"):
        assert contents.is_writable(path), path


def test_they_are_only_read_through_the_links_too_and_the_copies_are_the_readers(home):
    contents = Contents(root_dir=str(home))
    assert contents.is_writable("notebooks/04-cold-start.ipynb")
    assert not contents.is_writable("notebooks/solutions/04-cold-start.ipynb")
    assert not contents.is_writable("notebooks/no-such.ipynb")
