"""The reader's copies: made once, never written over, taken over from a starter that was worked in, and updated."""

import json
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest
from broken_disk import full_disk
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers import authoring, lessons, own_copies, settings
from helpers.authoring import lint, source
from helpers.commands import lab, update
from helpers.own_copies import OwnCopyError, links


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "checkout" / "work"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))  # where what is trusted is kept
    return tmp_path / "checkout" / "work"


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch) -> Path:
    """A checkout with three lessons, as git has cloned it."""
    root = tmp_path / "checkout"
    for stem in ("04-cold-start", "09-slack", "13-rendering-pages"):
        (root / "notebooks" / "lessons").mkdir(parents=True, exist_ok=True)
        (root / "notebooks" / "lessons" / stem).symlink_to(settings.NOTEBOOKS / "lessons" / stem)
        (root / "notebooks" / f"{stem}.ipynb").write_bytes((settings.NOTEBOOKS / f"{stem}.ipynb").read_bytes())
    for name in ("images", "solutions"):
        (root / "notebooks" / name).symlink_to(settings.NOTEBOOKS / name)
    (root / ".gitignore").write_text("work/\n")
    monkeypatch.setattr(settings, "ROOT", root)
    monkeypatch.setattr(settings, "NOTEBOOKS", root / "notebooks")
    commit(root)
    return root


def git(root: Path, *command: str) -> str:
    own = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    return subprocess.run(["git", *own, *command], cwd=root, check=True, capture_output=True, text=True).stdout


def commit(root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "as it is")


def copy_of(number: str) -> Path:
    return own_copies.path(lessons.lesson(number))


def starter_of(number: str) -> Path:
    return lessons.lesson(number).starter_path


def edit(file: Path, cell: int, text: str) -> None:
    """Change the source of a cell, as a reader or an author does."""
    notebook = json.loads(file.read_text())
    notebook["cells"][cell]["source"] = [text]
    file.write_text(json.dumps(notebook))


def first_code(file: Path) -> int:
    return next(n for n, cell in enumerate(json.loads(file.read_text())["cells"]) if cell["cell_type"] == "code")


def test_they_are_made_once_and_git_stays_clean(checkout):
    assert own_copies.make() == []
    assert copy_of("04").read_bytes() == starter_of("04").read_bytes()
    edit(copy_of("04"), 0, "mine")
    before = copy_of("04").read_bytes()
    assert own_copies.make() == []
    assert copy_of("04").read_bytes() == before
    assert git(checkout, "status", "--short") == ""


def test_one_that_was_deleted_is_made_again():
    own_copies.make()
    copy_of("09").unlink()
    assert own_copies.make() == []
    assert copy_of("09").exists()


@pytest.mark.parametrize("where", ["work", "of/my/own", "../elsewhere"])
def test_what_a_copy_leads_to_is_there(checkout, where, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(checkout / where))
    own_copies.make()
    (settings.home() / "labs" / "09" / "python").mkdir(parents=True)
    (settings.home() / "labs" / "09" / "python" / "app.py").touch()
    found = 0
    for lesson in lessons.lessons():
        for target in links_in(own_copies.path(lesson)):
            is_there = (own_copies.folder() / target).exists()
            assert is_there or target[:2].isdecimal() or "labs/09/" in target, target
            found += is_there
    assert found >= 6
    assert (own_copies.folder() / "solutions" / "04-cold-start.ipynb").exists()


def links_in(file: Path) -> list[str]:
    prose = ["".join(cell["source"]) for cell in json.loads(file.read_text())["cells"]]
    found = [link for text in prose for link in source.LINK.split(text)[1:]]
    return [link.partition(")")[0] for link in found]


def test_links_to_the_work_folder_and_to_the_checkout_lead_there(checkout):
    text = "[a](../work/labs/09/python/app.py) [b](../README.md) [c](lessons/x.svg) [d](04-cold-start.ipynb)"
    assert links.placed(text, checkout / "work" / "notebooks") == (
        "[a](../labs/09/python/app.py) [b](../../README.md) [c](lessons/x.svg) [d](04-cold-start.ipynb)"
    )


def test_links_of_a_checkout_that_was_moved_are_laid_anew(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "elsewhere"))
    own_copies.make()
    checkout.rename(tmp_path / "moved")
    monkeypatch.setattr(settings, "ROOT", tmp_path / "moved")
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path / "moved" / "notebooks")
    assert not (own_copies.folder() / "images").exists()
    own_copies.make()
    assert (own_copies.folder() / "images" / "databases.png").exists()


def test_a_folder_of_ones_own_with_that_name_stays():
    (own_copies.folder() / "images").mkdir(parents=True)
    (own_copies.folder() / "images" / "mine.png").touch()
    assert own_copies.make() == []
    assert [file.name for file in (own_copies.folder() / "images").iterdir()] == ["mine.png"]


def test_a_disk_without_links_is_one_sentence(monkeypatch):
    def refused(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refused)
    [said] = own_copies.make()
    assert said.startswith("Pictures in your notebooks will not be seen:")
    assert copy_of("04").exists()


def test_run_mine_runs_the_copies_and_the_starters_where_there_are_none():
    source.write(new_notebook(cells=[new_code_cell("raise KeyError('mine')")]), copy_of("04"))
    source.write(new_notebook(cells=[new_code_cell("1 / 0")]), starter_of("04"))
    source.write(new_notebook(cells=[new_code_cell("1 / 0")]), starter_of("09"))
    assert authoring.run(["04", "09"], own=True, folder=settings.NOTEBOOKS) == [
        "04-cold-start: cell 1: KeyError: 'mine'",
        "09-slack: cell 1: ZeroDivisionError: division by zero",
    ]


# what somebody has done in a starter, as one did before there were copies


def work_in(file: Path) -> None:
    notebook = lint.read(file)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.source, code.execution_count = code.source + "\nmine = 1", 1
    code.outputs = [new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "a picture"})]
    source.write(notebook, file)


def test_work_in_a_starter_is_taken_over_and_the_starter_stays(checkout, capsys):
    work_in(starter_of("09"))
    before = starter_of("09").read_bytes()
    [said] = own_copies.make()
    assert said.startswith("You have worked in notebooks/ (09): it is in ")
    assert "git restore" in said
    assert starter_of("09").read_bytes() == before
    assert "mine = 1" in copy_of("09").read_text() and "<svg/>" in copy_of("09").read_text()
    assert "](../labs/09/python/app.py)" in copy_of("09").read_text()
    assert own_copies.newer() == {}
    assert own_copies.make() == []


def test_what_was_trusted_in_a_starter_is_in_the_copy():
    work_in(starter_of("09"))
    work_in(starter_of("04"))
    NotebookNotary().sign(lint.read(starter_of("09")))
    own_copies.make()
    assert NotebookNotary().check_signature(lint.read(copy_of("09")))
    assert not NotebookNotary().check_signature(lint.read(copy_of("04")))


def test_after_that_a_reset_gives_the_starter_of_the_workshop():
    clean = starter_of("04").read_bytes()
    work_in(starter_of("04"))
    own_copies.make()
    own_copies.begin_anew(lessons.lesson("04"))
    assert copy_of("04").read_bytes() == clean


def test_what_is_kept_is_found_again_the_latest_first():
    own_copies.make()
    assert own_copies.kept(lessons.lesson("04")) == []
    names = [f"04-cold-start.{date.today()}.ipynb", *(f"04-cold-start.{date.today()}-{n}.ipynb" for n in range(2, 11))]
    for _ in names:
        edit(copy_of("04"), 0, "mine")
        own_copies.begin_anew(lessons.lesson("04"))
    (own_copies.folder() / "04-cold-start.2020-01-02.ipynb").touch()
    (own_copies.folder() / "04-cold-start-Copy1.ipynb").touch()
    kept = [each.name for each in own_copies.kept(lessons.lesson("04"))]
    assert kept == [*reversed(names), "04-cold-start.2020-01-02.ipynb"]


@pytest.mark.parametrize("damage", [b"{", b"<<<<<<< HEAD\n{}", b"\xff\xfe"])
def test_a_starter_that_somebody_has_damaged_is_said_and_not_taken_over(damage):
    clean = starter_of("04").read_bytes()
    starter_of("04").write_bytes(damage)
    [said] = own_copies.make()
    assert said == f"{starter_of('04')} is no notebook that can be read; your copy begins without it."
    assert copy_of("04").read_bytes() == clean
    assert starter_of("04").read_bytes() == damage
    assert own_copies.newer() == {}


# a newer starter


def test_a_newer_starter_is_said_and_shown_and_changes_nothing_by_itself(checkout, capsys):
    own_copies.make()
    edit(starter_of("04"), 0, "# 04 Cold start\n\nOnce more.")
    commit(checkout)
    before = copy_of("04").read_bytes()
    assert [each.number for each in own_copies.newer()] == ["04"]
    lab.prepare_copies()
    assert "There is something new in 04, and your notebooks stay as they are" in capsys.readouterr().err
    assert update.show() == 0
    shown = capsys.readouterr()
    assert shown.out == "04 Cold start\n  would be renewed: # 04 Cold start\n"
    assert "python3 -m helpers update 04" in shown.err
    assert copy_of("04").read_bytes() == before


def test_a_cell_that_has_moved_is_said(checkout, capsys):
    own_copies.make()
    content = json.loads(starter_of("04").read_text())
    content["cells"].insert(3, content["cells"].pop(1))
    starter_of("04").write_text(json.dumps(content))
    commit(checkout)
    assert update.show() == 0
    assert "  would be moved" in capsys.readouterr().out
    assert update.take(["04"]) == 0
    assert "  moved" in capsys.readouterr().out


@pytest.mark.parametrize("numbers", [None, ["4"], []])
def test_each_notebook_is_merged_once(checkout, monkeypatch, numbers):
    own_copies.make()
    edit(starter_of("04"), 0, "# 04 Cold start\n\nOnce more.")
    commit(checkout)
    merges = []
    merged = own_copies.merged
    monkeypatch.setattr(own_copies, "merged", lambda *given: merges.append(given) or merged(*given))
    assert update.show() == 0 if numbers is None else update.take(numbers) == 0
    assert len(merges) == 1


@pytest.mark.parametrize("numbers", [["4"], []])
def test_it_is_taken_into_the_copy_which_is_kept_as_it_was(checkout, capsys, numbers):
    own_copies.make()
    code = first_code(copy_of("04"))
    edit(copy_of("04"), code, "mine = 1")
    before = copy_of("04").read_bytes()
    edit(starter_of("04"), 0, "# 04 Cold start\n\nOnce more.")
    commit(checkout)
    assert update.take(numbers) == 0
    assert "renewed: # 04 Cold start" in capsys.readouterr().out
    cells = json.loads(copy_of("04").read_text())["cells"]
    assert "Once more." in "".join(cells[0]["source"])
    assert "".join(cells[code]["source"]) == "mine = 1"
    assert (own_copies.folder() / f"04-cold-start.{date.today()}.ipynb").read_bytes() == before
    assert lint.read(copy_of("04")) is not None, "a notebook of format 4"
    assert own_copies.newer() == {}
    update.take(numbers)
    assert "There is nothing new" in capsys.readouterr().err


def test_what_the_reader_has_changed_too_is_below(checkout):
    own_copies.make()
    code = first_code(copy_of("04"))
    edit(copy_of("04"), code, "mine = 1")
    edit(starter_of("04"), code, "theirs = 2")
    commit(checkout)
    own_copies.update(lessons.lesson("04"))
    cells = json.loads(copy_of("04").read_text())["cells"]
    assert "".join(cells[code]["source"]) == "mine = 1"
    assert "theirs = 2" in "".join(cells[code + 1]["source"])
    assert cells[code + 1]["cell_type"] == "markdown"
    assert own_copies.newer() == {}


def test_where_it_is_not_known_of_what_a_copy_was_made_what_is_in_it_stays(checkout):
    own_copies.make()
    code = first_code(copy_of("04"))
    edit(copy_of("04"), code, "mine = 1")
    (own_copies.folder() / own_copies.MADE_OF / "04-cold-start.ipynb").unlink()
    assert own_copies.newer() == {}
    before = copy_of("04").read_bytes()
    edit(starter_of("04"), 0, "# 04 Cold start\n\nOnce more.")
    commit(checkout)
    own_copies.update(lessons.lesson("04"))
    assert copy_of("04").read_bytes() == before


def test_outputs_that_were_trusted_are_so_afterwards(checkout):
    own_copies.make()
    work_in(copy_of("09"))
    NotebookNotary().sign(lint.read(copy_of("09")))
    edit(starter_of("09"), 0, "# 09 Slack message\n\nOnce more.")
    commit(checkout)
    own_copies.update(lessons.lesson("09"))
    assert NotebookNotary().check_signature(lint.read(copy_of("09")))


def test_an_unknown_notebook_is_said():
    with pytest.raises(lessons.LessonError, match="There is no notebook '99'"):
        update.take(["99"])


# what goes wrong


DAMAGED = ["", "{", "[]", '{"cells": {}}', '{"cells": [3]}', "\ufeff{"]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_copy_is_said_and_left_alone(checkout, text, capsys):
    own_copies.make()
    copy_of("04").write_text(text)
    [said] = own_copies.make()
    assert "04-cold-start.ipynb is no notebook that can be read" in said and "helpers reset 04" in said
    edit(starter_of("04"), 0, "# 04 Cold start\n\nOnce more.")
    commit(checkout)
    assert own_copies.newer() == {}
    with pytest.raises(OwnCopyError, match="no notebook that can be read"):
        update.take(["04"])
    assert copy_of("04").read_text() == text
    own_copies.begin_anew(lessons.lesson("04"))
    assert "Once more." in copy_of("04").read_text()


def test_on_a_full_disk_the_copy_stays_as_it_was(checkout):
    own_copies.make()
    edit(starter_of("04"), 0, "# 04 Cold start\n\nOnce more. " + "x" * 1000)
    commit(checkout)
    before, names = copy_of("04").read_bytes(), sorted(os.listdir(own_copies.folder()))
    with full_disk(own_copies.folder() / "no-file"), pytest.raises(OwnCopyError, match="make room on its disk"):
        own_copies.update(lessons.lesson("04"))
    assert copy_of("04").read_bytes() == before
    assert sorted(os.listdir(own_copies.folder())) == names
    assert own_copies.update(lessons.lesson("04"))


def test_something_else_in_the_place_of_the_folder_is_one_sentence(home):
    home.mkdir(parents=True)
    (home / "notebooks").write_text("mine")
    with pytest.raises(OwnCopyError, match="something else is in its place"):
        own_copies.make()


def test_the_checkout_itself_is_no_folder_for_copies(checkout, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(checkout))
    with pytest.raises(OwnCopyError, match="WORKSHOP_HOME is the folder of the workshop itself"):
        own_copies.make()
    assert git(checkout, "status", "--short") == ""
