"""What is solved is kept on disk: over restarts, for several notebooks at once, and shown in the map."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import pytest
from broken_disk import as_nobody, full_disk

from helpers import draw_map, lessons, settings
from helpers.exercises.lab import labs
from helpers.session import progress

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    return tmp_path / "work"


def test_nothing_is_solved_at_first_and_looking_makes_no_file(home):
    assert progress.solved() == set()
    assert progress.summary() == f"0 of {len(lessons.exercises())} exercises solved"
    assert not home.exists()


def test_another_process_finds_what_was_solved(home):
    progress.solve("09")
    code = "from helpers.session import progress; print(sorted(progress.solved()))"
    result = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True)
    assert result.stdout == "['09']\n"


def test_the_first_time_stays(home):
    progress.solve("09")
    file = home / progress.FILE
    file.write_text(file.read_text().replace("20", "19", 1))
    first = file.read_text()
    progress.solve("09")
    assert file.read_text() == first


def test_forgetting_takes_the_hints_too():
    progress.solve("09")
    progress.solve("16")
    assert [progress.count_hint("09") for _ in range(3)] == [1, 2, 3]
    progress.forget(["09"])
    assert progress.solved() == {"16"}
    assert progress.count_hint("09") == 1


def test_what_many_enter_at_once_is_all_there():
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(progress.count_hint, ["09"] * 100))
    assert progress.count_hint("09") == 101


SPOILT = {
    b"{": "is no JSON",
    b"[1]": "is no object of JSON",
    b"null": "is no object of JSON",
    b'"text"': "is no object of JSON",
    b"\xff\xfe{}": "is no JSON",
    b"[" * 100_000: "is no JSON",
    b'{"solved": null}': "is damaged at 'solved'",
    b'{"solved": []}': "is damaged at 'solved'",
    b'{"solved": {"09": 1}}': "is damaged at 'solved'",
    b'{"hints": {"09": "2"}}': "is damaged at 'hints'",
    b'{"hints": {"09": -2}}': "is damaged at 'hints'",
    b'{"hints": {"09": true}}': "is damaged at 'hints'",
    b'{"hints": 3}': "is damaged at 'hints'",
    b'{"predictions": {"02.a": 5}}': "is damaged at 'predictions'",
    b'{"language": 3}': "is damaged at 'language'",
}


@pytest.mark.parametrize("content", SPOILT, ids=lambda content: content[:30].decode(errors="replace"))
def test_a_spoilt_file_is_said(home, content):
    progress.solve("09")
    (home / progress.FILE).write_bytes(content)
    said = re.escape(f"progress.json {SPOILT[content]} and cannot be read; delete it")
    for use in (progress.solved, progress.language, lambda: progress.solve("16"), lambda: progress.count_hint("09")):
        with pytest.raises(progress.ProgressError, match=said):
            use()
    assert (home / progress.FILE).read_bytes() == content


@pytest.mark.parametrize("content", ["", "\ufeff", "\ufeff{}"], ids=ascii)
def test_an_empty_file_is_a_beginning(home, content):
    home.mkdir()
    (home / progress.FILE).write_text(content)  # some editors put a mark of byte order before it
    progress.solve("09")
    assert progress.solved() == {"09"}


def test_what_a_later_workshop_has_entered_stays(home):
    home.mkdir()
    (home / progress.FILE).write_text('{"guesses": {"02.a": 4}, "language": "rust"}')
    progress.solve("09")
    assert json.loads((home / progress.FILE).read_text())["guesses"] == {"02.a": 4}
    assert labs()["09"].language() == "python"


def test_on_a_full_disk_what_was_solved_stays(home):
    progress.solve("09")
    before = (home / progress.FILE).read_text()
    with full_disk(home / progress.FILE), pytest.raises(progress.ProgressError, match="^Cannot write to .*; make room"):
        progress.solve("16")
    assert (home / progress.FILE).read_text() == before
    assert [path.name for path in home.iterdir()] == [progress.FILE]
    progress.solve("16")
    assert progress.solved() == {"09", "16"}


def test_a_file_that_may_not_be_read_is_said(home):
    progress.solve("09")
    (home / progress.FILE).chmod(0)
    with (
        as_nobody(home / progress.FILE),
        pytest.raises(progress.ProgressError, match=r"^Cannot read .*Permission denied.*WORKSHOP_HOME"),
    ):
        progress.solved()


def test_the_file_holds_nothing_but_exercises_times_and_predictions(home):
    progress.solve("01.1")
    progress.count_hint("04.2")
    progress.keep_prediction("02.a", "5")
    state = json.loads((home / progress.FILE).read_text())
    assert list(state) == ["solved", "hints", "predictions", "language"]
    assert (list(state["solved"]), state["hints"], state["language"]) == (["01.1"], {"04.2": 1}, "python")


def test_an_exercise_of_an_older_workshop_does_not_count():
    progress.solve("99")
    assert progress.summary() == f"0 of {len(lessons.exercises())} exercises solved"


def texts_of_the_map() -> list[str]:
    axes = draw_map()
    return [text.get_text() for text in axes.texts] + [axes.get_title(loc="left")]


def test_the_map_ticks_what_is_solved_and_counts_what_is_begun():
    solved = ["01.1", "09", *(each for each in lessons.exercises() if each.startswith("04"))]
    for exercise in solved:
        progress.solve(exercise)
    texts = texts_of_the_map()
    assert {"01  What is Lambda?  1/2", "04  Cold start  ✓", "09  Slack message  ✓", "16  S3 to Slack"} <= set(texts)
    assert texts[-1].endswith(f"{len(solved)} of {len(lessons.exercises())} exercises solved")


def test_the_map_without_any_progress_has_no_tick():
    assert not [text for text in texts_of_the_map() if "✓" in text or "/" in text]
