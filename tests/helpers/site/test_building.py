"""Where the site may be written, what happens where it cannot be made, and the environment that it is made with."""

import re
import subprocess
import sys

import pytest

from helpers import settings
from helpers.commands import site as command
from helpers.installing import environment
from helpers.installing.environment import EnvironmentProblem
from helpers.repository import RepositoryError
from helpers.site import building, source
from helpers.site.building import MARK, SiteError


@pytest.fixture(autouse=True)
def no_repository(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)


@pytest.fixture
def sphinx(monkeypatch):
    """A Sphinx that makes one page of a source that is empty; what it is told is in the list that this gives."""
    told = []

    def build(python, source, pages, repository):
        told.append(repository)
        assert (source / "index.ipynb").is_file()
        (pages / "index.html").write_text("new")

    monkeypatch.setattr(building, "build", build)
    monkeypatch.setattr(building, "gather", lambda into, repository: (into / "index.ipynb").touch())
    monkeypatch.setattr(environment, "make_apart", lambda *_: sys.executable)
    return told


def test_the_command_says_where_it_writes_and_prints_the_front_page(sphinx, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "my work"))
    assert command.write(None, None) == 0
    out = tmp_path / "my work" / "site"
    said = capsys.readouterr()
    assert (said.err, said.out) == (f"Writing the site into {out}.\n", f"{out}/index.html\n")
    assert sorted(each.name for each in out.iterdir()) == [MARK, "index.html"]


def test_the_repository_is_the_given_one_or_that_of_the_workflow(sphinx, tmp_path, monkeypatch):
    command.write(tmp_path / "a", "ada/workshop")
    monkeypatch.setenv("GITHUB_REPOSITORY", "bob/fork")
    command.write(tmp_path / "b", None)
    command.write(tmp_path / "c", "ada/workshop")
    assert sphinx == ["ada/workshop", "bob/fork", "ada/workshop"]


@pytest.mark.parametrize("text", ["", "ada", "ada/", "/x", "ada/x/y", "https://github.com/ada/x", "a da/x", "-a/x"])
def test_what_is_no_repository_is_refused(text, tmp_path):
    with pytest.raises(RepositoryError, match=f"^{re.escape(repr(text))} is no repository; "):
        command.write(tmp_path / "site", text)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_its_own_is_replaced_and_an_empty_one_filled(sphinx, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/below", "empty"):
        building.write(tmp_path / name, None)
        assert (tmp_path / name / "index.html").read_text() == "new"
        (tmp_path / name / "index.html").write_text("old")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["empty", "new"]


def test_a_link_to_a_folder_stays_a_link(sphinx, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    building.write(tmp_path / "link", None)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "index.html").exists()


def test_what_holds_something_else_is_refused_and_untouched(sphinx, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, why in (("mine", "holds other files"), ("file", "is a file")):
        with pytest.raises(SiteError, match=rf"^{re.escape(str(tmp_path / name))} {why}.*\.$"):
            building.write(tmp_path / name, None)
    with pytest.raises(SiteError, match="holds other files"):
        building.write(settings.ROOT, None)
    assert sphinx == []
    assert (tmp_path / "mine" / "thesis.txt").read_text() == (tmp_path / "file").read_text() == "mine"


def test_a_parent_that_is_a_file_is_said(sphinx, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((SiteError, OSError)) as caught:
        building.write(tmp_path / "file" / "site", None)
    assert getattr(caught.value, "filename", str(caught.value))


def test_a_failure_leaves_what_was_there(sphinx, tmp_path, monkeypatch):
    building.write(tmp_path / "site", None)

    def fail(python, source, pages, repository):
        (pages / "index.html").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "build", fail)
    with pytest.raises(KeyboardInterrupt):
        building.write(tmp_path / "site", None)
    assert (tmp_path / "site" / "index.html").read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["site"]


def test_a_missing_solution_is_said(tmp_path, own_notebooks, monkeypatch):
    monkeypatch.setattr(settings, "ROOT", own_notebooks.parent)
    with pytest.raises(
        source.NoSolution, match=r"^notebooks/solutions/00-start-here\.ipynb is not there; .* makes it\.$"
    ):
        source.gather(tmp_path / "source", None)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("SOURCE/04.ipynb:3: WARNING: nothing there\nand more\n", r"04\.ipynb:3: WARNING: nothing there"),
        ("OSError: [Errno 28] No space left on device\n", "the disk is full"),
        ("", "Sphinx failed"),
    ],
)
def test_what_sphinx_complains_of_is_one_sentence(tmp_path, monkeypatch, said, words):
    text = said.replace("SOURCE", str(tmp_path / "source"))
    done = subprocess.CompletedProcess([], 1, stdout="", stderr=text)
    monkeypatch.setattr(building.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(SiteError, match=rf"^The site could not be made: {words}[^\n]*\.$"):
        building.build(sys.executable, tmp_path / "source", tmp_path / "pages", None)


# its environment


def test_the_lock_holds_what_pyproject_asks_for_with_hashes_and_is_no_learners():
    listed = environment.tomllib.loads(settings.PYPROJECT.read_text())["dependency-groups"]["site"]
    locked = environment.locked(settings.SITE_LOCK)
    assert {re.split("[^a-z-]", each)[0] for each in listed} <= locked.keys()
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for package in locked.values() for each in package.hashes)
    assert all(package.hashes for package in locked.values())
    assert not re.search(r"://|--index-url|--find-links", settings.SITE_LOCK.read_text())
    assert not {"sphinx", "myst-nb", "pydata-sphinx-theme"} & environment.locked().keys()


@pytest.fixture
def apart(monkeypatch, tmp_path):
    """A checkout whose lock of the site names a package that no registry can be asked for."""
    lock = tmp_path / "requirements-site.lock"
    lock.write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return lock


def test_what_cannot_be_installed_is_one_sentence_and_leaves_nothing(apart, tmp_path, capsys):
    place = tmp_path / ".venv-site"
    with pytest.raises(EnvironmentProblem, match=r"^The site could not be made: the package registry lacks .*\.$"):
        environment.make_apart(place, apart, "Adding Sphinx.", building.FAILED)
    assert "Adding Sphinx.\n" in capsys.readouterr().err
    assert not place.exists()


def test_a_folder_of_wheels_stands_in_place_of_the_registry(apart, tmp_path, monkeypatch):
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("WORKSHOP_WHEELS", str(tmp_path / "wheels"))
    with pytest.raises(EnvironmentProblem, match=r"^The site could not be made: the folder of wheels lacks .*\.$"):
        environment.make_apart(tmp_path / ".venv-site", apart, "Adding Sphinx.", building.FAILED)
    steps = []
    monkeypatch.setattr(environment, "_run", lambda command, *_: steps.append(command))
    environment.make_apart(tmp_path / ".venv-site", apart, "Adding Sphinx.", building.FAILED)
    [pip] = steps
    assert pip[pip.index("--find-links") + 1] == str(tmp_path / "wheels") and "--no-index" in pip


def test_it_is_made_once_and_anew_for_another_lock(apart, tmp_path, monkeypatch, capsys):
    place, steps = tmp_path / ".venv-site", []
    monkeypatch.setattr(environment, "_run", lambda command, *_: steps.append(command))
    for _ in range(2):
        program = environment.make_apart(place, apart, "Adding Sphinx.", building.FAILED)
    assert subprocess.run([str(program), "-c", "import sys; print(sys.prefix)"], capture_output=True).returncode == 0
    assert len(steps) == 1 and str(apart) in steps[0] and "--require-hashes" in steps[0]
    assert capsys.readouterr().err.count("Adding Sphinx.") == 1
    apart.write_text(f"other==1.0 --hash=sha256:{'0' * 64}\n")
    environment.make_apart(place, apart, "Adding Sphinx.", building.FAILED)
    assert len(steps) == 2
