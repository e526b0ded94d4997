"""The notebook tool, tried on tiny notebooks: what it makes of a source, and what it says of a bad one."""

import base64
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import nbformat
import pytest

from helpers import authoring, predict, settings
from helpers.authoring import execution, lint, outputs, readme
from helpers.authoring.outputs import RULES
from helpers.jupyter.notebook_files import STILL
from helpers.measuring import claims

TINY = """\
# %% [markdown]
# # 01 Tiny
#
# After this notebook you will be able to
#
# - double a number;
# - set a constant.
#
# It takes about 5 minutes.
#
# See [the next one](02-other.ipynb), [a function](lessons/01-tiny/functions/tiny/app.py) and [a site](https://example.org).

# %% notes [markdown]
# Minutes: 1
#
# Say: It is tiny.

# %% print-id
import uuid

print("id", uuid.uuid4())

# %%
# raises ZeroDivisionError
1 / 0

# %%
# picture: tiny.png
import matplotlib.pyplot as plt

import helpers.plots

plt.plot([1, 2])
plt.title("Two points");

# %% [markdown]
# ## Exercise: double

# %% notes [markdown]
# Minutes: 2
#
# Say: Twice.


# %%
def double(number):
    # solution: Return twice the "number".
    return 2 * number


# %%
# check
assert double(21) == 42
print("well done")

# %% [markdown]
# ## Exercise: a constant

# %% notes [markdown]
# Minutes: 2
#
# Say: Once.

# %%
limit = 3
# solution: Set answer to 42.
answer = 42

# %%
# check
assert answer == 42
"""

OTHER = """\
# %% [markdown]
# # 02 Other
#
# - say what x is.
#
# It takes about 5 minutes.

# %% notes [markdown]
# Minutes: 5
#
# Say: It is one.

# %%
x = 1

# %%
x = 1
"""


def no_aws():
    """Tiny notebooks need none: the kernel gets this process's environment."""
    return contextlib.nullcontext(os.environ)


def write_lesson(notebooks: Path, stem: str, text: str) -> Path:
    """Write the source of a lesson, such as "01-tiny", with a function of the same name; return the source's path."""
    source = notebooks / "lessons" / stem / "notebook.py"
    function = source.parent / "functions" / stem[3:]
    function.mkdir(parents=True, exist_ok=True)
    (function / "app.py").write_text("")
    source.write_text(text)
    if not (readme_path := notebooks.parent / "README.md").exists():
        readme_path.write_text(f"# Tiny workshop\n\n{readme.BEGIN}\n{readme.END}\n\nThe end.\n")
    return source


def source_of_lesson(notebooks: Path, stem: str) -> Path:
    return notebooks / "lessons" / stem / "notebook.py"


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory) -> Iterator[None]:
    """What a build takes note of stays out of the reader's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSHOP_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def built_once(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "notebooks"
    write_lesson(folder, "01-tiny", TINY)
    write_lesson(folder, "02-other", OTHER)
    assert authoring.build(folder=folder, aws=no_aws) == []
    return folder


@pytest.fixture
def built(built_once, tmp_path) -> Path:
    """A folder with two notebooks, built as they should be; a test may spoil it."""
    shutil.copy(built_once.parent / "README.md", tmp_path)
    return Path(shutil.copytree(built_once, tmp_path / "notebooks"))


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def change(path: Path, changed) -> None:
    notebook = read(path)
    changed(notebook)
    path.write_text(json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def source_of(notebook: dict, number: int) -> str:
    return "".join(notebook["cells"][number - 1]["source"])


# What is built


def test_the_starter_keeps_what_stands_before_the_solution(built):
    starter = read(built / "01-tiny.ipynb")

    assert source_of(starter, 6) == (
        'def double(number):\n    raise NotImplementedError("Return twice the \\"number\\".")'
    )
    assert source_of(starter, 9) == 'limit = 3\nraise NotImplementedError("Set answer to 42.")'
    assert all(cell["outputs"] == [] for cell in starter["cells"] if cell["cell_type"] == "code")


def test_the_solution_is_solved_and_executed_in_order(built):
    solution = read(built / "solutions" / "01-tiny.ipynb")
    code = [cell for cell in solution["cells"] if cell["cell_type"] == "code"]

    assert source_of(solution, 6) == "def double(number):\n    return 2 * number"
    assert source_of(solution, 9) == "limit = 3\nanswer = 42"
    assert [cell["execution_count"] for cell in code] == [1, 2, 3, 4, 5, 6, 7]
    assert code[4]["outputs"][0]["text"] == ["well done\n"]
    assert code[0]["outputs"][0]["text"] == ["id 00000000-0000-4000-8000-000000000001\n"]
    assert code[1]["outputs"][0]["traceback"] == ["ZeroDivisionError: division by zero"]


def test_relative_links_of_a_solution_lead_up_but_for_other_notebooks(built):
    assert source_of(read(built / "01-tiny.ipynb"), 1).endswith(
        "[the next one](02-other.ipynb), [a function](lessons/01-tiny/functions/tiny/app.py) and "
        "[a site](https://example.org)."
    )
    assert source_of(read(built / "solutions" / "01-tiny.ipynb"), 1).endswith(
        "[the next one](02-other.ipynb), [a function](../lessons/01-tiny/functions/tiny/app.py) and "
        "[a site](https://example.org)."
    )


def test_format_and_metadata(built):
    for path in (built / "01-tiny.ipynb", built / "solutions" / "01-tiny.ipynb"):
        notebook = read(path)
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
        assert "version" not in notebook["metadata"]["language_info"]
        assert all(cell["metadata"] == {} for cell in notebook["cells"])
        assert path.read_text() == json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_ids_follow_from_the_content_and_tell_equal_cells_apart(built):
    ids = [cell["id"] for cell in read(built / "02-other.ipynb")["cells"]]

    assert len(set(ids)) == 3
    # pinned: a change here would change every notebook
    assert ids == ["744e423a0400", "3b17675bbb3b", "8b586fc38e78"]


def test_a_named_cell_has_its_name_as_its_id_and_the_mark_stays_in_the_source(built):
    for path in (built / "01-tiny.ipynb", built / "solutions" / "01-tiny.ipynb"):
        cell = read(path)["cells"][1]
        assert cell["id"] == "print-id"
        assert "".join(cell["source"]).startswith("import uuid\n")


def test_a_folded_cell_is_closed_in_both_notebooks_and_takes_no_time_to_read(tmp_path):
    notebooks = tmp_path / "notebooks"
    drawn = "\n\n# %% draw-it folded\n" + "y = 2\n" * 14
    write_lesson(notebooks, "02-other", OTHER + drawn)
    assert authoring.build(folder=notebooks, aws=no_aws) == []
    for path in (notebooks / "02-other.ipynb", notebooks / "solutions" / "02-other.ipynb"):
        last = read(path)["cells"][-1]
        assert (last["id"], last["metadata"]) == ("draw-it", {"jupyter": {"source_hidden": True}})
    (made_of,) = authoring.sources(notebooks)
    assert lint.minutes(made_of) < 1

    write_lesson(notebooks, "02-other", OTHER + drawn.replace(" folded", ""))
    stale = ["02-other.ipynb", "solutions/02-other.ipynb"]
    said = authoring.build(check=True, folder=notebooks)
    assert [any(each.startswith(f"{name} is not what") for each in said) for name in stale] == [True, True]


CLAIMING = """

# %%
import os
from pathlib import Path

from helpers import claim

tries = Path(os.environ["TRIES"])
tries.write_text(tries.read_text() + "x")
claim("the {ordinal} is the fastest", len(tries.read_text()) >= {needed})
"""


@pytest.fixture
def tries(tmp_path, monkeypatch) -> Path:
    """A file that gets one more character with each execution."""
    tries = tmp_path / "tries"
    tries.write_text("")
    monkeypatch.setenv("TRIES", str(tries))
    return tries


@pytest.fixture
def quiet(monkeypatch) -> list[str]:
    """No wait for a quiet machine; what was waited for."""
    waits: list[str] = []
    monkeypatch.setattr(authoring, "_wait_for_quiet", lambda: waits.append("quiet"))
    return waits


def test_figures_that_contradict_the_text_are_measured_again(tmp_path, tries, quiet, capfd):
    write_lesson(tmp_path / "notebooks", "02-other", OTHER + CLAIMING.format(ordinal="second", needed=2))

    assert authoring.build(folder=tmp_path / "notebooks", aws=no_aws) == []
    assert (tries.read_text(), quiet) == ("xx", ["quiet"])
    assert "02-other: once more, as its figures do not show that the second is the fastest" in capfd.readouterr().err


def test_figures_that_contradict_the_text_again_and_again_stay_out(tmp_path, tries, quiet):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "02-other", OTHER + CLAIMING.format(ordinal="fourth", needed=4))

    assert authoring.build(folder=notebooks, aws=no_aws) == [
        "solutions/02-other.ipynb: executed 3 times, its figures did not show that the fourth is the fastest; "
        "build it on a quiet machine."
    ]
    assert tries.read_text() == "xxx"
    assert not (notebooks / "solutions" / "02-other.ipynb").exists()


def test_a_quiet_machine_is_waited_for_and_not_for_ever(monkeypatch):
    percents = iter([95.0, 60.0, 3.0])
    monkeypatch.setattr(authoring.psutil, "cpu_percent", lambda interval: next(percents))
    authoring._wait_for_quiet()
    assert list(percents) == []
    monkeypatch.setattr(authoring.psutil, "cpu_percent", lambda interval: 100.0)
    monkeypatch.setattr(authoring, "QUIET_LIMIT_S", 0)
    authoring._wait_for_quiet()


def test_a_source_gives_a_cell_by_its_name_and_says_which_names_there_are(built):
    tiny, other = authoring.sources(built)

    assert tiny.cell("print-id").text.endswith('print("id", uuid.uuid4())')
    with pytest.raises(KeyError, match="notebook 01 has no cell 'make-queue'; there are: print-id"):
        tiny.cell("make-queue")
    with pytest.raises(KeyError, match="notebook 02 has no cell 'print-id'"):
        other.cell("print-id")


def test_the_map_has_a_row_for_each_lesson_and_the_rest_of_the_readme_stays(built):
    text = (built.parent / "README.md").read_text()

    assert text.startswith("# Tiny workshop\n\n") and text.endswith("\n\nThe end.\n")
    assert "\n| 01 | [Tiny](notebooks/01-tiny.ipynb) | 5 min | double a number |\n" in text
    assert "\n| 02 | [Other](notebooks/02-other.ipynb) | 5 min | say what x is |\n" in text


def test_the_picture_is_the_solutions_without_its_software(built):
    (output,) = read(built / "solutions" / "01-tiny.ipynb")["cells"][3]["outputs"]
    png = (built / "images" / "tiny.png").read_bytes()

    assert png == base64.b64decode("".join(output["data"]["image/png"]))
    assert png.startswith(b"\x89PNG") and png.endswith(b"IEND\xaeB\x60\x82")
    assert b"tEXt" not in png and b"Matplotlib" not in png


def test_building_again_gives_the_same_bytes_and_executes_nothing(built):
    def refuse():
        raise AssertionError("a solution is executed although nothing has changed")

    before = {path: path.read_bytes() for path in built.parent.rglob("*") if path.is_file()}
    assert authoring.build(folder=built, aws=refuse) == []
    assert {path: path.read_bytes() for path in built.parent.rglob("*") if path.is_file()} == before


def test_a_check_of_a_good_build_says_nothing_and_executes_nothing(built):
    assert authoring.build(check=True, folder=built) == []


def test_what_a_solution_calls_is_kept_beside_it(built, tmp_path):
    called = {"principal": "arn:aws:iam::000000000000:user/learner", "action": "sqs:ListQueues", "resource": "*"}

    def noting():
        tmp_path.joinpath("access-activity.jsonl").write_text(json.dumps(called | {"allowed": True}) + "\n")
        return contextlib.nullcontext(os.environ | {"WORKSHOP_HOME": str(tmp_path)})

    source_of_lesson(built, "02-other").write_text(OTHER + "\nprint(x)\n")
    assert authoring.build(folder=built, aws=noting) == []
    kept = json.loads((built / "solutions" / "calls" / "02-other.json").read_text())
    assert kept == {"learner": {"*": ["sqs:ListQueues"]}, "passed": {}, "roles": {}}


def test_only_what_has_changed_is_executed_again(built):
    tiny = (built / "solutions" / "01-tiny.ipynb").read_bytes()
    source = source_of_lesson(built, "02-other")
    source.write_text(source.read_text() + "\nprint(x)\n")

    assert authoring.build(folder=built, aws=no_aws) == []
    assert (built / "solutions" / "01-tiny.ipynb").read_bytes() == tiny
    assert read(built / "solutions" / "02-other.ipynb")["cells"][2]["outputs"][0]["text"] == ["1\n"]
    assert authoring.build(check=True, folder=built) == []


def test_where_only_prose_has_changed_nothing_is_executed_and_the_outputs_stay(built):
    def refuse():
        raise AssertionError("a solution is executed although its code has not changed")

    path, source = built / "solutions" / "01-tiny.ipynb", source_of_lesson(built, "01-tiny")
    before = [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]
    source.write_text(source.read_text() + "\n# %% [markdown]\n# One more sentence.\n")

    assert authoring.build(folder=built, aws=refuse) == []
    after = read(path)["cells"]
    assert after[-1]["source"] == ["One more sentence."]
    assert [cell for cell in after if cell["cell_type"] == "code"] == before
    assert authoring.build(check=True, folder=built) == []


def test_a_deleted_or_forced_solution_is_executed_again(built):
    path = built / "solutions" / "02-other.ipynb"
    path.unlink()
    assert authoring.build(folder=built, aws=no_aws) == []
    assert path.exists()

    change(path, lambda notebook: notebook["cells"][1].update(execution_count=7))
    assert authoring.build(force=True, folder=built, aws=no_aws) == []
    assert read(path)["cells"][1]["execution_count"] == 1


def test_files_that_are_no_notebooks_are_made_anew(built):
    good = (built / "02-other.ipynb").read_bytes()
    for path in (built / "02-other.ipynb", built / "solutions" / "02-other.ipynb"):
        path.write_text("{}")

    assert authoring.build(folder=built, aws=no_aws) == []
    assert (built / "02-other.ipynb").read_bytes() == good


def test_a_starter_that_somebody_has_worked_in_is_not_overwritten(built):
    path = built / "02-other.ipynb"
    change(path, lambda notebook: notebook["cells"][1].update(execution_count=1, source=["x = 'mine'"]))
    theirs = path.read_bytes()

    assert authoring.build(folder=built, aws=no_aws) == [HOLDS_WORK]
    assert path.read_bytes() == theirs


HOLDS_WORK = (
    "02-other.ipynb holds work of yours; copy it elsewhere or commit it, then run `python3 -m helpers build --force`."
)


@pytest.fixture
def in_git(built, needs):
    """The built notebooks in a repository of their own, committed."""
    needs("git")
    for command in (["init"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "built"]):
        subprocess.run(["git", *command], cwd=built, capture_output=True, check=True)
    return built


def solve(path: Path) -> bytes:
    """Change a cell without running it, and return what the file holds then."""
    change(path, lambda notebook: notebook["cells"][1].update(source=["x = 'mine'"]))
    return path.read_bytes()


def test_a_starter_that_git_shows_as_changed_is_not_overwritten_unless_forced(in_git):
    path = in_git / "02-other.ipynb"
    theirs, good = solve(path), (in_git / "01-tiny.ipynb").read_bytes()

    assert authoring.build(folder=in_git, aws=no_aws) == [HOLDS_WORK]
    assert path.read_bytes() == theirs
    assert (in_git / "01-tiny.ipynb").read_bytes() == good

    assert authoring.build(force=True, folder=in_git, aws=no_aws) == []
    assert path.read_bytes() != theirs
    assert authoring.build(check=True, folder=in_git) == []


def test_a_source_that_changes_again_and_again_needs_no_force(in_git):
    for number in range(3):
        source = source_of_lesson(in_git, "02-other")
        source.write_text(f"{source.read_text()}\n\n# %%\nprint({number})\n")
        assert authoring.build(folder=in_git, aws=no_aws) == []
    solve(in_git / "02-other.ipynb")
    assert authoring.build(folder=in_git, aws=no_aws) == [HOLDS_WORK]


def test_a_new_notebook_needs_no_force(in_git):
    for text in (OTHER.replace("02 Other", "03 New"), OTHER.replace("02 Other", "03 Newer")):
        write_lesson(in_git, "03-new", text)
        assert authoring.build(folder=in_git, aws=no_aws) == []


def test_where_there_is_no_git_a_starter_without_outputs_is_made_anew(built):
    theirs = solve(built / "02-other.ipynb")
    assert authoring.build(folder=built, aws=no_aws) == []
    assert (built / "02-other.ipynb").read_bytes() != theirs


def test_a_solution_that_fails_is_not_written(built):
    source = source_of_lesson(built, "02-other")
    source.write_text(source.read_text() + "\n\n# %%\nnowhere\n")
    before = (built / "solutions" / "02-other.ipynb").read_bytes()

    assert authoring.build(folder=built, aws=no_aws) == [
        "solutions/02-other.ipynb: cell 4: NameError: name 'nowhere' is not defined"
    ]
    assert (built / "solutions" / "02-other.ipynb").read_bytes() == before


# What a check says of spoilt files


def spoil_solution(changed):
    return lambda folder: change(folder / "solutions" / "01-tiny.ipynb", changed)


def spoil_starter(changed):
    return lambda folder: change(folder / "01-tiny.ipynb", changed)


def swap_counts(notebook):
    notebook["cells"][1]["execution_count"], notebook["cells"][2]["execution_count"] = 2, 1


def with_output(number: int, *new: dict):
    return lambda notebook: notebook["cells"][number - 1].update(outputs=list(new))


def printed(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def error(name: str) -> dict:
    return {"output_type": "error", "ename": name, "evalue": "no", "traceback": [f"{name}: no"]}


STALE = "is not what lessons/01-tiny/notebook.py makes; run `python3 -m helpers build`."
NO_OUTPUT_NEEDED = "delete the file and run `python3 -m helpers build`."
SPOILT = {
    "starter missing": (
        lambda folder: (folder / "01-tiny.ipynb").unlink(),
        "01-tiny.ipynb is missing; run `python3 -m helpers build`.",
    ),
    "starter stale": (
        spoil_starter(lambda notebook: notebook["cells"][1].update(source=["print(1)"])),
        f"01-tiny.ipynb {STALE}",
    ),
    "starter with an output": (
        spoil_starter(with_output(2, printed("1"))),
        "01-tiny.ipynb holds outputs; a starter has none.",
    ),
    "starter with metadata": (
        spoil_starter(lambda notebook: notebook["metadata"].update(widgets={})),
        "01-tiny.ipynb: metadata of the notebook: widgets.",
    ),
    "starter of another kernel": (
        spoil_starter(lambda notebook: notebook["metadata"]["kernelspec"].update(name="conda")),
        "01-tiny.ipynb: the notebook's kernelspec is not "
        "{'display_name': 'Python 3', 'language': 'python', 'name': 'python3'}.",
    ),
    "starter that is none": (
        lambda folder: (folder / "01-tiny.ipynb").write_text("{}"),
        "01-tiny.ipynb cannot be read as a notebook of format 4; delete it and run `python3 -m helpers build`.",
    ),
    "solution missing": (
        lambda folder: (folder / "solutions" / "01-tiny.ipynb").unlink(),
        "solutions/01-tiny.ipynb is missing; run `python3 -m helpers build`.",
    ),
    "solution stale": (
        lambda folder: write_lesson(folder, "01-tiny", TINY.replace("21", "42 / 2")),
        f"solutions/01-tiny.ipynb {STALE}",
    ),
    "solution that is none": (
        lambda folder: (folder / "solutions" / "01-tiny.ipynb").write_text("outputs"),
        "solutions/01-tiny.ipynb cannot be read as a notebook of format 4; "
        "delete it and run `python3 -m helpers build`.",
    ),
    "solution out of order": (
        spoil_solution(swap_counts),
        f"solutions/01-tiny.ipynb: cell 2: was not executed as number 1; {NO_OUTPUT_NEEDED}",
    ),
    "solution not executed": (
        spoil_solution(lambda notebook: notebook["cells"][6].update(execution_count=None, outputs=[])),
        f"solutions/01-tiny.ipynb: cell 7: was not executed as number 5; {NO_OUTPUT_NEEDED}",
    ),
    "solution with an error": (
        spoil_solution(with_output(2, error("KeyError"))),
        "solutions/01-tiny.ipynb: cell 2: shows KeyError, and is there to show no error.",
    ),
    "solution with another error than announced": (
        spoil_solution(with_output(3, error("KeyError"))),
        "solutions/01-tiny.ipynb: cell 3: shows KeyError, and is there to show ZeroDivisionError.",
    ),
    "solution without the error announced": (
        spoil_solution(with_output(3)),
        "solutions/01-tiny.ipynb: cell 3: shows no error, and is there to show ZeroDivisionError.",
    ),
    "solution with cell metadata": (
        spoil_solution(lambda notebook: notebook["cells"][1]["metadata"].update(tags=["x"])),
        "solutions/01-tiny.ipynb: cell 2: metadata: tags.",
    ),
    "solution with a huge output": (
        spoil_solution(with_output(2, printed("x" * 400_000))),
        "solutions/01-tiny.ipynb: cell 2: 400,057 bytes of output; 300,000 at most.",
    ),
    "solution with a request id": (
        spoil_solution(with_output(2, printed("9a0a1f3c-5a43-4c5b-9d5e-6a3c0f6b7d8e"))),
        f"solutions/01-tiny.ipynb: its outputs are not normalised; {NO_OUTPUT_NEEDED}",
    ),
    "solution with a claim that was not met": (
        spoil_solution(with_output(2, printed("Not measured this time: cold takes longer. " + claims.WHY))),
        "solutions/01-tiny.ipynb: its figures do not show that cold takes longer; "
        "run `python3 -m helpers build` on a quiet machine.",
    ),
    "solution with the id of an instance": (
        spoil_solution(with_output(2, printed("stopped: i-0123456789abcdef0"))),
        "solutions/01-tiny.ipynb: cell 2: its output shows an id of EC2, which tells a reader nothing; "
        "show a name or a number instead.",
    ),
    "solution with a webhook": (
        spoil_solution(with_output(2, printed("https://hooks.slack.com/services/T0/B0/x"))),
        "solutions/01-tiny.ipynb: cell 2: its output holds a secret.",
    ),
    "solution without its picture": (
        spoil_solution(with_output(4)),
        "solutions/01-tiny.ipynb: no picture in the cell that begins with `# picture: tiny.png`.",
    ),
    "picture without words": (
        spoil_solution(lambda notebook: notebook["cells"][3]["outputs"][0].update(metadata={})),
        "solutions/01-tiny.ipynb: cell 4: shows a picture without an alternative text; give the chart a title, or the "
        "picture an `alt`.",
    ),
    "still picture without words": (
        spoil_solution(with_output(2, {"output_type": "display_data", "data": {STILL: "<svg/>"}, "metadata": {}})),
        "solutions/01-tiny.ipynb: cell 2: shows a picture without an alternative text; give the chart a title, or the "
        "picture an `alt`.",
    ),
    "picture missing": (
        lambda folder: (folder / "images" / "tiny.png").unlink(),
        "solutions/01-tiny.ipynb: images/tiny.png is not its picture; run `python3 -m helpers build`.",
    ),
    "picture of another run": (
        lambda folder: (folder / "images" / "tiny.png").write_bytes(b"older"),
        "solutions/01-tiny.ipynb: images/tiny.png is not its picture; run `python3 -m helpers build`.",
    ),
    "starter without a source": (
        lambda folder: shutil.copy(folder / "01-tiny.ipynb", folder / "03-old.ipynb"),
        "03-old.ipynb has no lesson; delete it, or write its lesson.",
    ),
    "solution without a source": (
        lambda folder: shutil.copy(folder / "01-tiny.ipynb", folder / "solutions" / "03-old.ipynb"),
        "solutions/03-old.ipynb has no lesson; delete it, or write its lesson.",
    ),
}


SPOILT |= {
    "map missing": (
        lambda folder: (folder.parent / "README.md").unlink(),
        f"README.md has no place for the map of the lessons; write a line `{readme.BEGIN}` and a line `{readme.END}`.",
    ),
    "map stale": (
        lambda folder: (folder.parent / "README.md").write_text(f"{readme.BEGIN}\n| 01 | Old |\n{readme.END}\n"),
        "The map in README.md is not what the lessons say; run `python3 -m helpers build`.",
    ),
}


@pytest.mark.parametrize("spoil, sentence", SPOILT.values(), ids=SPOILT)
def test_a_check_says_what_is_spoilt(built, spoil, sentence):
    spoil(built)
    before = {path: path.read_bytes() for path in built.parent.rglob("*") if path.is_file()}

    assert sentence in authoring.build(check=True, folder=built)
    assert {path: path.read_bytes() for path in built.parent.rglob("*") if path.is_file()} == before


# What a check says of bad sources

HEADING = "# %% [markdown]\n# # 01 Bad\n#\n# - see what is bad.\n#\n# It takes about 5 minutes.\n\n"
HEADING += "# %% notes [markdown]\n# Minutes: 5\n#\n# Say: It is bad.\n\n"
EXERCISE = "# %%\n# solution: Do it.\npass\n\n"
CHECK = "# %%\n# check\nassert True\n\n"
ONE_HEADING = "the first cell has to begin with the one heading of the first level (`# 04 Cold start`)"
MARK = "write `# %%`, `# %% name-of-the-cell`, `# %% name folded`, `# %% [markdown]` or `# %% notes [markdown]`"
ASKED = '# %% [markdown]\n# **Predict:** how many?\n\n# %%\npredict("01.a", choices=["1", "2"])\n\n'
ANSWERED = '# %%\nif True:\n    predicted("01.a", 1)\n\n'
BAD_SOURCES = {
    "no heading": ("# %%\n1\n", ONE_HEADING),
    "two headings": (HEADING + "# %% [markdown]\n# # More\n", ONE_HEADING),
    "tags": (HEADING + '# %% tags=["x"]\n1\n', f'{MARK} in place of `# %% tags=["x"]`'),
    "raw cell": (HEADING + "# %% [raw]\n# 1\n", f"{MARK} in place of `# %% [raw]`"),
    "name with a capital": (HEADING + "# %% Make queue\n1\n", f"{MARK} in place of `# %% Make queue`"),
    "one name twice": (
        HEADING + "# %% make-queue\n1\n\n# %% make-queue\n2\n",
        "two cells have the name make-queue; give each its own",
    ),
    "html": (HEADING + "# %% [markdown]\n# <div>x</div>\n", "cell 2: raw HTML: <div>x</div>"),
    "html in a line": (HEADING + "# %% [markdown]\n# a <b>c\n", "cell 2: raw HTML: <b>"),
    "attachment": (
        HEADING + "# %% [markdown]\n# ![x](attachment:x.png)\n",
        "cell 2: attachment:x.png: put the picture into the folder of the lesson",
    ),
    "no fact": (
        HEADING + "# %% [markdown]\n# {{timeout}} and {{hours}}\n",
        "cell 2: {{hours}} names no fact of helpers/facts.toml, or no part that it has",
    ),
    "no part of a fact": (
        HEADING + "# %% [markdown]\n# {{layers.slides}}\n",
        "cell 2: {{layers.slides}} names no fact of helpers/facts.toml, or no part that it has",
    ),
    "dead link": (HEADING + "# %% [markdown]\n# [x](no.md#a)\n", "cell 2: there is no file no.md#a to link to"),
    "file of another lab": (
        HEADING + "# %% [markdown]\n# [x](../work/labs/09/python/app.py)\n",
        "cell 2: there is no file ../work/labs/09/python/app.py to link to",
    ),
    "dead picture": (
        HEADING + "# %% [markdown]\n# ![x](images/no.png)\n",
        "cell 2: there is no file images/no.png to link to",
    ),
    "long cell": (HEADING + "# %%\n" + "x = 1\n" * 15, "cell 2: 15 lines of code; 14 at most, and better two to eight"),
    "long folded cell": (
        HEADING + "# %% draw folded\n" + "x = 1\n" * 41,
        "cell 2: 41 lines of code; 40 at most, and better two to eight",
    ),
    "folded without a name": (HEADING + "# %% [folded]\n1\n", f"{MARK} in place of `# %% [folded]`"),
    "wide line": (HEADING + f"# %%\nname = {'1' * 82}\n", f"cell 2: 89 characters in `name = {'1' * 23}…`; 88 at most"),
    "figures without a claim": (
        HEADING + "# %%\nreports(logs, name)\n",
        'it measures and claims nothing; write claim("what the text says", condition) beside a measurement',
    ),
    "too few minutes": (
        HEADING + "# %% [markdown]\n# " + "word " * 2400 + "\n",
        "it says 5 minutes; by its words, code and exercises it takes 12",
    ),
    "too many minutes": (
        HEADING.replace(" 5 ", " 50 "),
        "it says 50 minutes; by its words, code and exercises it takes 0",
    ),
    "exercise without a check": (HEADING + EXERCISE, "the exercise in cell 2 has no cell that begins with `# check`"),
    "two exercises, one check": (
        HEADING + EXERCISE + EXERCISE + CHECK,
        "the exercise in cell 2 has no cell that begins with `# check`",
    ),
    "one exercise, two checks": (
        HEADING + EXERCISE + CHECK + CHECK,
        "cell 4 checks no exercise; each has exactly one `# check`",
    ),
    "solution without a task": (
        HEADING + "# %%\n# solution\n1\n\n" + CHECK,
        "cell 2: an exercise has one line `# solution: …` that says what to write",
    ),
    "two solutions in a cell": (
        HEADING + "# %%\n# solution: Do it.\n1\n# solution: And this.\n2\n\n" + CHECK,
        "cell 2: an exercise has one line `# solution: …` that says what to write",
    ),
    "half a statement before the solution": (
        HEADING + "# %%\nx = [\n    # solution: Fill it.\n    1,\n]\n\n" + CHECK,
        "cell 2: the code up to `# solution` is no complete Python",
    ),
    "nothing after the solution": (
        HEADING + "# %%\ndef f():\n    # solution: Write it.\n\n\n" + CHECK,
        "cell 2: the code without `# solution` is no complete Python",
    ),
    "nameless picture": (HEADING + "# %%\n# picture\n1\n", "cell 2: write `# picture: name.png` as its first line"),
    "nameless error": (
        HEADING + "# %%\n# raises\n1\n",
        "cell 2: write `# raises NameOfTheException` as its first line",
    ),
    "prediction without a box": (
        HEADING + "# %% [markdown]\n# **Predict:** how many?\n\n# %%\n1\n",
        'cell 2: the cell after **Predict** has to be `predict("01.a")`',
    ),
    "prediction at the end": (
        HEADING + "# %% [markdown]\n# **Predict** how many.\n",
        'cell 2: the cell after **Predict** has to be `predict("01.a")`',
    ),
    "one prediction twice": (
        HEADING + ASKED + ASKED + ANSWERED,
        "two predictions have the key 01.a; give each its own",
    ),
    "prediction of another notebook": (
        HEADING + (ASKED + ANSWERED).replace("01.a", "02.a"),
        "the key 02.a is not one of this notebook; write 01.a, 01.b and so on",
    ),
    "prediction without an answer": (
        HEADING + ASKED + ANSWERED + ASKED.replace("01.a", "01.b"),
        'nothing answers the prediction 01.b; write `predicted("01.b", …)` where it is measured',
    ),
    "answer above its prediction": (HEADING + ANSWERED + ASKED, "cell 2: no cell above asks for the prediction 01.a"),
}


@pytest.mark.parametrize("text, problem", BAD_SOURCES.values(), ids=BAD_SOURCES)
def test_a_bad_source_is_named_and_not_built(tmp_path, text, problem):
    write_lesson(tmp_path / "notebooks", "01-bad", text)

    assert f"lessons/01-bad/notebook.py: {problem}." in authoring.build(folder=tmp_path / "notebooks", aws=no_aws)
    assert not (tmp_path / "notebooks" / "01-bad.ipynb").exists()


def test_a_prediction_that_is_asked_and_answered_is_no_problem(tmp_path):
    noted = HEADING.replace("It is bad.\n", "It is bad.\n#\n# Answer 01.a: One.\n")
    write_lesson(tmp_path / "notebooks", "01-bad", noted + ASKED + ANSWERED + ANSWERED)
    (made_of,) = authoring.sources(tmp_path / "notebooks")
    assert lint.source_problems(made_of) == []


@pytest.mark.parametrize(("file", "is_there"), [("python/app.py", True), ("ruby/app.rb", False)])
def test_a_link_to_the_readers_own_file_needs_its_starter(tmp_path, file, is_there):
    link = f"../work/labs/01/{file}"
    written = write_lesson(tmp_path / "notebooks", "01-lab", HEADING + f"# %% [markdown]\n# [x]({link})\n")
    starter = written.parent / "functions" / "lab" / "starter" / "python" / "app.py"
    starter.parent.mkdir(parents=True)
    starter.write_text("")
    (made_of,) = authoring.sources(tmp_path / "notebooks")
    assert any(link in problem for problem in lint.source_problems(made_of)) != is_there


OPENINGS = {
    "another lesson's heading": ("01 Bad", "07 Bad", "does not say its heading, such as `# 01 Cold start`."),
    "no minutes": ("5 minutes", "an hour", "does not say how long it takes: `It takes about 30 minutes.`."),
    "nothing to learn": ("# - see what is bad.\n", "", "does not open with a list of what one learns; write it."),
}


@pytest.mark.parametrize("old, new, sentence", OPENINGS.values(), ids=OPENINGS)
def test_an_opening_that_the_map_needs_and_lacks_is_one_sentence(tmp_path, old, new, sentence):
    source = write_lesson(tmp_path / "notebooks", "01-bad", HEADING.replace(old, new))
    problems = authoring.build(folder=tmp_path / "notebooks", aws=no_aws)

    assert len(problems) == 1 and str(source) in problems[0] and problems[0].endswith(sentence)


def test_lessons_that_cannot_be_told_apart_are_one_sentence_and_nothing_is_built(tmp_path):
    write_lesson(tmp_path / "notebooks", "01-tiny", TINY)
    write_lesson(tmp_path / "notebooks", "02-tiny", OTHER)
    first, second = (
        tmp_path / "notebooks" / "lessons" / stem / "functions" / "tiny" for stem in ("01-tiny", "02-tiny")
    )

    assert authoring.build(folder=tmp_path / "notebooks", aws=no_aws) == [
        f"{first} and {second} have the same name; rename one of them."
    ]
    assert not list((tmp_path / "notebooks").glob("*.ipynb"))


def test_a_folder_that_is_no_lessons_is_named(tmp_path):
    folder = write_lesson(tmp_path / "notebooks", "Intro", OTHER).parent
    assert authoring.build(folder=tmp_path / "notebooks", aws=no_aws) == [
        f"{folder} is no lesson's name; name it like 04-cold-start."
    ]


def test_a_fact_stands_in_prose_by_its_value_and_in_code_by_its_name(tmp_path):
    text = HEADING.replace("see what is bad", "stop after {{timeout}}")
    text += '# %% [markdown]\n# At most {{timeout.minutes}}, see [AWS]({{timeout.source}}).\n\n# %%\nf"{{timeout}}"\n'
    write_lesson(tmp_path / "notebooks", "01-bad", text)
    (made_of,) = authoring.sources(tmp_path / "notebooks")
    *_, prose, code = (cell["source"] for cell in made_of.starter()["cells"])
    assert prose.startswith("At most 30 minutes, see [AWS](https://docs.aws.amazon.com/lambda/")
    assert code == 'f"{{timeout}}"'
    assert made_of.lesson.learn == "stop after 1,800 s"


def test_magics_and_comments_that_look_like_them_stay_as_written(tmp_path):
    write_lesson(tmp_path / "notebooks", "01-magic", HEADING + "# %%\n# ls the folder\n# %time\nx = 1\n")
    (source,) = authoring.sources(tmp_path / "notebooks")
    assert source.starter().cells[1].source == "# ls the folder\n# %time\nx = 1"


# Running


def notebook_in(folder: Path, *cells: str, name: str = "01-tiny") -> Path:
    folder.mkdir(exist_ok=True)
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(made, folder / f"{name}.ipynb")
    return folder


UNSOLVED = 'def double(x):\n    raise NotImplementedError("Write it.")'
SOLVED = "def double(x):\n    return 2 * x"
DOUBLE_CHECK = "# check\nassert double(1) == 2"
RUNS = {
    "fine": (["x = 1", "x"], []),
    "unsolved": ([UNSOLVED, DOUBLE_CHECK, "1"], []),
    "unsolved, raising at once": (['raise NotImplementedError("Set x.")', "# check\nassert x", "1"], []),
    "solved": ([SOLVED, DOUBLE_CHECK], []),
    "solved wrongly": (["def double(x):\n    return x", DOUBLE_CHECK], ["cell 2: AssertionError"]),
    "unsolved, with a mistake": (
        ['nowhere\nraise NotImplementedError("x")', "# check\nassert x"],
        ["cell 1: NameError: name 'nowhere' is not defined"],
    ),
    "an error outside exercises": (["1 / 0", "print(1)"], ["cell 1: ZeroDivisionError: division by zero"]),
    "a cell that needs the solution": (
        [UNSOLVED, "double(1)", DOUBLE_CHECK],
        ["cell 2: NotImplementedError: Write it."],
    ),
    "an error after the check": (
        [UNSOLVED, DOUBLE_CHECK, "nowhere"],
        ["cell 3: NameError: name 'nowhere' is not defined"],
    ),
    "a check that cannot fail": (
        [UNSOLVED, "# check\nassert True"],
        ["cell 2: passes, although its exercise is not solved"],
    ),
    "the second check of an unsolved exercise": (
        [UNSOLVED, DOUBLE_CHECK, DOUBLE_CHECK],
        ["cell 3: NotImplementedError: Write it."],
    ),
    "an error shown": (["# raises ZeroDivisionError\n1 / 0", "1"], []),
    "another error": (
        ["# raises KeyError\n1 / 0"],
        ["cell 1: is there to show KeyError, and raised ZeroDivisionError"],
    ),
    "no error": (["# raises KeyError\n1"], ["cell 1: is there to show KeyError, and raised nothing"]),
    "a kernel that dies": (["import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"], ["cell 1: the kernel died"]),
    "a question": (
        ["input('Name? ')"],
        ["cell 1: StdinNotImplementedError: raw_input was called, but this frontend does not support input requests."],
    ),
}


@pytest.mark.parametrize("cells, problems", RUNS.values(), ids=RUNS)
def test_a_run_says_what_went_wrong(tmp_path, cells, problems):
    folder = notebook_in(tmp_path, *cells)
    before = (folder / "01-tiny.ipynb").read_bytes()

    assert authoring.run(fresh=True, folder=folder) == [f"01-tiny: {problem}" for problem in problems]
    assert (folder / "01-tiny.ipynb").read_bytes() == before


def test_a_cell_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "CELL_LIMIT_S", 1)
    folder = notebook_in(tmp_path, "while True:\n    pass")
    assert authoring.run(folder=folder) == ["01-tiny: cell 1: did not end within 1 seconds"]


def test_a_check_may_pass_where_the_reader_has_solved_the_exercise_before(tmp_path):
    assert authoring.run(folder=notebook_in(tmp_path, UNSOLVED, "# check\nassert True")) == []


def test_a_run_takes_the_chosen_notebooks_and_says_which_there_are(tmp_path):
    notebook_in(tmp_path, "nowhere", name="01-bad")
    notebook_in(tmp_path, "1", name="02-good")

    assert authoring.run(["2"], folder=tmp_path) == []
    assert authoring.run(["02", "01"], folder=tmp_path) == ["01-bad: cell 1: NameError: name 'nowhere' is not defined"]
    assert authoring.run(["07"], folder=tmp_path) == ["There is no notebook 07; there is 01, 02."]


def test_a_run_without_a_notebook_is_no_success(tmp_path):
    assert authoring.run(folder=tmp_path) == [f"There is no notebook in {tmp_path}; run `python3 -m helpers build`."]

    (tmp_path / "01-tiny.ipynb").write_text("{}")
    assert authoring.run(folder=tmp_path) == ["01-tiny: cannot be read as a notebook of format 4"]


def test_solutions_run_in_their_own_folder(tmp_path):
    notebook_in(tmp_path, "nowhere")
    notebook_in(tmp_path / "solutions", f"import os\nassert os.getcwd() == {str(tmp_path / 'solutions')!r}")

    assert authoring.run(solutions=True, folder=tmp_path) == []


def test_the_kernel_is_this_python_with_helpers_and_without_the_users_settings(tmp_path, monkeypatch):
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    specification = {"argv": ["false"], "display_name": "x", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(specification))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "theirs.py").write_text("theirs = 1")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "mine"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    folder = notebook_in(
        tmp_path / "notebooks",
        f"import os, sys\nassert sys.executable == {sys.executable!r}",
        f"import helpers\nassert helpers.__file__.startswith({str(settings.ROOT)!r})",
        f"assert {str(tmp_path / 'mine')!r} in sys.path",
        "assert 'theirs' not in globals()",
        "import matplotlib\nassert 'inline' in matplotlib.get_backend()",
        f"assert os.getcwd() == {str(tmp_path / 'notebooks')!r}",
    )
    assert authoring.run(folder=folder) == []


def test_progress_is_a_bar_for_a_person_and_a_line_for_a_log(tmp_path, monkeypatch):
    folder = notebook_in(tmp_path, "1", "2")

    def said(to_a_person: bool) -> str:
        stderr = io.StringIO()
        stderr.isatty = lambda: to_a_person
        monkeypatch.setattr(sys, "stderr", stderr)
        assert authoring.run(folder=folder) == []
        return stderr.getvalue()

    assert said(to_a_person=False) == "01-tiny: 2 cells\n"
    assert said(to_a_person=True) == (f"\r01-tiny [{'#' * 15}{'.' * 15}] cell 1/2 \r01-tiny [{'#' * 30}] cell 2/2 \n")


# Normalised outputs

BEGAN = datetime(2026, 11, 24, 7, 0, 33, 250_000)
HEX = "c3f0b2d94e1a4f6c8b7a6d5e4f3a2b1c"
ONE, TWO = "9a0a1f3c-5a43-4c5b-9d5e-6a3c0f6b7d8e", "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"
EXAMPLES = {
    "the code of a function": (
        f'File "/x/y/localaws/environments/{HEX}/task/app.py", line 3',
        'File "/var/task/app.py", line 3',
    ),
    "the same, cut short by pandas": (
        "LAMBDA_TASK_ROOT   /x/y/localaws/environ...\na  /x/localaws/environments/c3f0b...",
        "LAMBDA_TASK_ROOT   /var/task\na  /var/task",
    ),
    "its layers": (f"PYTHONPATH=/x/localaws/environments/{HEX}/opt/python:", "PYTHONPATH=/opt/python:"),
    "its runtime": (
        "/x/localaws/runtimes/python/boto3/session.py /y/helpers/localaws/data_plane/bootstrap",
        "/var/runtime/boto3/session.py /var/runtime",
    ),
    "code of a notebook": ("/tmp/ipykernel_4711/3057219837.py:3: UserWarning: x", "cell.py:3: UserWarning: x"),
    "request ids and other UUIDs": (
        f"{ONE} {TWO} {ONE}",
        "00000000-0000-4000-8000-000000000001 00000000-0000-4000-8000-000000000002 "
        "00000000-0000-4000-8000-000000000001",
    ),
    "trace ids": ("Root=1-5759e988-bd862e3fe1be46a994272793;", "Root=1-00000000-000000000000000000000001;"),
    "days of log streams": ("2026/11/24/[$LATEST]x and 2026/11/24", "2026/01/01/[$LATEST]x and 2026/11/24"),
    "ids of environments, and other 32 hex digits": (
        f"[$LATEST]{HEX[:26]}... [$LATEST]{HEX} {HEX[::-1]} {HEX * 2}",
        "[$LATEST]00000001000000000000000000... [$LATEST]00000001000000000000000000000000 "
        f"00000002000000000000000000000000 {HEX * 2}",
    ),
    "accounts in ARNs": (
        "arn:aws:lambda:us-east-1:000000000000:function:x arn:aws:lambda:us-east-1::runtime:1",
        "arn:aws:lambda:us-east-1:123456789012:function:x arn:aws:lambda:us-east-1::runtime:1",
    ),
    "accounts in the URLs of queues": (
        "http://127.0.0.1:40123/000000000000/jobs https://sqs.us-east-1.amazonaws.com/210987654321/jobs",
        "http://127.0.0.1:4566/123456789012/jobs https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
    ),
    "accounts by name": (
        "'Account': '000000000000', \"accountId\": \"000000000000\", account_id=000000000000, 111111111111",
        "'Account': '123456789012', \"accountId\": \"123456789012\", account_id=123456789012, 111111111111",
    ),
    "sequencers of S3's events": ('"sequencer": "0069BA2F4D1E7C93A5"', '"sequencer": "000000000000000001"'),
    "webhooks": (
        "http://127.0.0.1:40123/services/T1/B2/c3D4e5",
        "http://127.0.0.1:4566/services/T00000000/B00000000/hidden",
    ),
    "addresses in memory": ("<object at 0x7fa1b2c3d4e0>", "<object at 0x7f0000000000>"),
}
TIME_EXAMPLES = {
    "ISO 8601": (
        "2026-11-24T07:00:33.250Z to 2026-11-24T07:00:35Z",
        "2026-01-01T09:00:00.250Z to 2026-01-01T09:00:02Z",
    ),
    "pandas": ("2026-11-24 07:01:33.123000+00:00", "2026-01-01 09:01:00.123000+00:00"),
    "a sample event": ("1970-01-01T00:00:00.000Z and 2027-06-30", "1970-01-01T00:00:00.000Z and 2027-06-30"),
    "milliseconds": ("'timestamp': 1795503633250, 1234567890123", "'timestamp': 1767258000250, 1234567890123"),
    "HTTP": ("'date': 'Tue, 24 Nov 2026 07:00:34 GMT'", "'date': 'Thu, 01 Jan 2026 09:00:01 GMT'"),
    "Python": (
        "datetime.datetime(2026, 11, 24, 7, 0, 43, 5000, tzinfo=UTC), datetime.datetime(2026, 11, 24, 7, 1)",
        "datetime.datetime(2026, 1, 1, 9, 0, 10, 5000, tzinfo=UTC), datetime.datetime(2026, 1, 1, 9, 0, 27)",
    ),
    "what is no time": ("2026-13-45 07:00:33", "2026-13-45 07:00:33"),
}
PORT_EXAMPLES = {
    "ports": (
        "http://127.0.0.1:40123/ http://127.0.0.1:5001/ http://localhost:39999/ http://127.0.0.1:5001/",
        "http://127.0.0.1:4566/ http://127.0.0.1:50001/ http://localhost:50002/ http://127.0.0.1:50001/",
    )
}
ALL_EXAMPLES = EXAMPLES | TIME_EXAMPLES | PORT_EXAMPLES


def normalised(*given: dict, began: datetime = BEGAN, port: int = 40123, places=()) -> list:
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.from_dict(output) for output in given])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    outputs.normalise(notebook, began, port, list(places))
    return cell.outputs


def normal_text(text: str, **how) -> str:
    return normalised(printed(text), **how)[0].text


def test_a_number_of_as_many_digits_as_a_sequencer_is_a_number():
    assert normal_text("{'ticket': 147849876232049427}") == "{'ticket': 147849876232049427}"


def test_every_rule_has_an_example():
    assert list(EXAMPLES) == [rule.what for rule in RULES]


@pytest.mark.parametrize("before, after", ALL_EXAMPLES.values(), ids=ALL_EXAMPLES)
def test_outputs_are_normalised_and_then_stay(before, after):
    assert normal_text(before) == after
    assert normal_text(after, began=outputs.BEGAN, port=settings.DEFAULT_PORT) == after


def test_measured_figures_stay():
    report = "Duration: 2.46 ms\tBilled Duration: 417 ms\tMemory Size: 1024 MB\tInit Duration: 413.61 ms\t\n"
    assert normal_text(report) == report


def test_one_id_has_one_number_in_all_of_a_notebook():
    first, second = normalised(printed(TWO), printed(f"{ONE} {TWO}"))
    assert second.text == f"00000000-0000-4000-8000-000000000002 {first.text}"


def test_paths_of_this_machine_go(tmp_path):
    before = (
        f"{tmp_path}/ledger.jsonl {settings.ROOT}/events/a.json {settings.ROOT}-old {Path.home()}/x "
        f"{sys.prefix}/lib/a.py {sys.base_prefix}/lib/python3.13/json/__init__.py"
    )
    after = normal_text(before, places=outputs.places(tmp_path))

    assert after == normal_text(after, places=outputs.places(tmp_path))
    assert after.startswith("~/lambda-workshop/work/ledger.jsonl ~/lambda-workshop/events/a.json ")
    assert after.endswith("~/x ~/lambda-workshop/.venv/lib/a.py /var/lang/lib/python3.13/json/__init__.py")
    assert "~/lambda-workshop-old" not in after


def test_an_error_keeps_its_message_and_loses_its_frames():
    (output,) = normalised(error("KeyError") | {"evalue": ONE, "traceback": ["/a", "/b"]})
    assert output.traceback == ["KeyError: 00000000-0000-4000-8000-000000000001"]


def test_every_text_of_an_output_is_normalised():
    data = {"text/plain": ONE, "text/html": f"<p>{ONE}</p>", "application/json": {"a": [ONE, 1]}}
    (output,) = normalised({"output_type": "display_data", "data": data, "metadata": {}})
    one = "00000000-0000-4000-8000-000000000001"

    assert output.data == {"text/plain": one, "text/html": f"<p>{one}</p>", "application/json": {"a": [one, 1]}}


def test_a_widget_leaves_a_sentence():
    data = {"text/plain": "IntSlider(value=0)", "application/vnd.jupyter.widget-view+json": {"model_id": HEX}}
    (output,) = normalised({"output_type": "display_data", "data": data, "metadata": {}})

    assert output.data == {"text/plain": "(An interactive element is here when this cell is run.)"}


def test_a_widget_that_says_in_words_what_it_is_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    shown: list[dict] = []
    monkeypatch.setattr(sys.modules["helpers.session.predict"], "display", lambda data, raw: shown.append(data))
    predict("01.a")
    (output,) = normalised({"output_type": "display_data", "data": shown[0], "metadata": {}})

    assert output.data == {"text/plain": "What do you predict?"}
    assert normalised(output) == [output]
