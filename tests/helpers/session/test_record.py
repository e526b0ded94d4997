"""The record: what is entered, by whom it is read, and what it never holds."""

import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from broken_disk import as_nobody, full_disk

from helpers import check, claim, hint, lessons, predict, predicted, settings, solution
from helpers.exercises import NotSolved, bill
from helpers.exercises.answers import written
from helpers.session import record
from helpers.session.starter_cells import code_cells

reports = importlib.import_module("helpers.measuring.reports")
COLUMNS = reports.COLUMNS
SESSION = "JPY_SESSION_NAME"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "work"))
    monkeypatch.setenv(SESSION, "/checkout/work/notebooks/04-cold-start.ipynb")
    monkeypatch.setattr(record, "_warned", False)
    monkeypatch.setattr(reports, "_noted", {})
    return tmp_path / "work"


def read(after: int = 0) -> list[record.Entry]:
    return [entry for _, entry in record.entries(after)]


def test_whether_a_claim_holds_is_entered(capsys):
    claim("a cold start takes longer", 3 > 2)
    claim("a cold start takes longer", [])
    assert [(each["kind"], each["says"], each["holds"]) for each in read()] == [
        ("claim", "a cold start takes longer", True),
        ("claim", "a cold start takes longer", False),
    ]


def test_an_entry_has_its_kind_its_time_and_its_notebook():
    record.note("measured", key="04.a", text="7 calls")
    [entry] = read()
    assert isinstance(entry.pop("at"), float)
    assert entry == {"kind": "measured", "notebook": "04", "key": "04.a", "text": "7 calls"}


@pytest.mark.parametrize("name", ["notes.ipynb", "2026-notes.ipynb"])
def test_in_a_notebook_of_ones_own_the_number_is_that_of_what_it_is_about(name, monkeypatch):
    monkeypatch.setenv(SESSION, name)
    record.note("hint", exercise="16.2", number=1)
    record.note("prediction", key="02.a", text="12")
    record.note("bill", usd=1.0, text="all")
    assert [entry["notebook"] for entry in read()] == ["16", "02", ""]


def test_only_its_owner_may_read_it(home):
    record.note("hint", exercise="04.1", number=1)
    assert (home / record.FILE).stat().st_mode & 0o777 == 0o600


def test_one_goes_on_from_where_one_was():
    for number in range(3):
        record.note("hint", exercise="04.1", number=number)
    places = [place for place, _ in record.entries()]
    assert [entry["number"] for entry in read(places[0])] == [1, 2]
    assert read(places[-1]) == []
    assert len(read(places[-1] + 1)) == 3  # it is another file than the one that was read


def test_before_the_first_entry_there_is_none_and_no_file(home):
    assert read() == []
    assert not home.exists()


def test_what_many_enter_at_once_is_all_there():
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: record.note("hint", exercise="04.1", number=number), range(200)))
    assert sorted(entry["number"] for entry in read()) == list(range(200))


def test_a_line_that_was_torn_is_left_out_and_the_next_begins_anew(home):
    record.note("hint", exercise="04.1", number=1)
    place = (home / record.FILE).stat().st_size
    with (home / record.FILE).open("a") as file:
        file.write('{"kind": "hint", "at": 1.0, "numb')
    assert [entry["number"] for entry in read()] == [1]
    assert read(place) == []
    record.note("hint", exercise="04.1", number=2)
    assert [entry["number"] for entry in read()] == [1, 2]
    assert [entry["number"] for entry in read(place)] == [2]


@pytest.mark.parametrize("damage", [b"{", b"[1]", b"null", b"\xff\xfe", b'{"kind": 3, "at": 1}', b'{"kind": "hint"}'])
def test_a_damaged_line_is_left_out(home, damage):
    record.note("hint", exercise="04.1", number=1)
    with (home / record.FILE).open("ab") as file:
        file.write(damage + b"\n")
    record.note("hint", exercise="04.1", number=2)
    assert [entry["number"] for entry in read()] == [1, 2]


def test_on_a_full_disk_a_cell_goes_on_with_one_sentence(home, capsys):
    record.note("hint", exercise="04.1", number=1)
    with full_disk(home / record.FILE):
        record.note("hint", exercise="04.1", number=2)
        record.note("hint", exercise="04.1", number=3)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("Your session is not recorded in record.jsonl (File too large)")
    assert [entry["number"] for entry in read()] == [1]


def test_a_file_that_may_not_be_written_is_one_sentence(home, capsys):
    record.note("hint", exercise="04.1", number=1)
    (home / record.FILE).chmod(0)
    with as_nobody(home / record.FILE):
        record.note("hint", exercise="04.1", number=2)
        record.note("hint", exercise="04.1", number=3)
    assert capsys.readouterr().err.count("Permission denied") == 1


def test_what_is_no_json_is_one_sentence(capsys):
    record.note("measured", key="04.a", text=object())
    assert capsys.readouterr().err.startswith("Your session is not recorded")
    assert read() == []


SECRETS = {
    "https://hooks.slack.com/services/T0AB/B0CD/secret": "/services/",
    "arn:aws:lambda:us-east-1:210987654321:function:mine": "210987654321",
    "https://sqs.us-east-1.amazonaws.com/210987654321/mine": "210987654321",
    "account_id = '210987654321'": "210987654321",
    "a bucket named uploads-210987654321": "210987654321",
    "key = 'AKIAIOSFODNN7EXAMPLE'": "IOSFODNN7EXAMPLE",
    'aws_secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"': "wJalrXUtnFEMI",
    "export X=the-secret-of-this-process": "the-secret-of-this-process",
}


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_and_no_account_is_in_it(text, home, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-of-this-process")
    record.note("attempt", exercise="09", solved=False, sentence=text, answer={"app.py": f"first\n{text}\nlast"})
    written = (home / record.FILE).read_text()
    assert SECRETS[text] not in written
    assert "first" in written and "last" in written


@pytest.mark.parametrize("text", ["0.123456789012 USD", "1764486000123 ms", "12345678901 calls", "0x123456789012abc"])
def test_a_measurement_stays_as_it_is(text):
    record.note("measured", key="04.a", text=text)
    assert read()[0]["text"] == text


def test_a_webhook_of_ones_own_is_not_in_it(home, monkeypatch):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", "https://chat.example.com/hook/abc")
    record.note(
        "attempt", exercise="09", solved=False, sentence="x", answer="url = 'https://chat.example.com/hook/abc'"
    )
    assert "hook/abc" not in (home / record.FILE).read_text()


# who enters something


def use_everything():
    predict("04.a", "7")
    predicted("04.a", "8 calls")
    hint("18.1")
    solution("18.1")
    check("18.1", lessons.lesson("18").module("checks").RIGHT_ANSWERS)


def test_nothing_is_noted_outside_of_a_notebook(home, monkeypatch):
    monkeypatch.delenv(SESSION)
    use_everything()
    assert not (home / record.FILE).exists()


@pytest.mark.parametrize("how", ["imported", "opened"])
def test_a_solution_notes_nothing(home, monkeypatch, how):
    if how == "imported":
        monkeypatch.setattr(settings, "is_solution", True)
    else:
        monkeypatch.setenv(SESSION, "/checkout/notebooks/solutions/18-wrap-up.ipynb")
    use_everything()
    assert not (home / record.FILE).exists()


def test_what_the_reader_does_is_there_in_its_order():
    use_everything()
    entries = read()
    assert [entry["kind"] for entry in entries] == ["prediction", "measured", "hint", "solution", "attempt"]
    assert [entries[0][name] for name in ("key", "text")] == ["04.a", "7"]
    assert [entries[1][name] for name in ("key", "text")] == ["04.a", "8 calls"]
    assert [entries[2][name] for name in ("exercise", "number")] == ["18.1", 1]
    assert entries[3]["exercise"] == "18.1"
    assert entries[4]["solved"] is True
    assert entries[4]["sentence"].startswith("Exercise 18.1, the quiz: solved.")


def test_a_prediction_that_is_the_same_again_is_no_new_one():
    predict("04.a", "7")
    predict("04.a", "7")
    predict("04.a", "8")
    assert [entry["text"] for entry in read()] == ["7", "8"]


def test_an_attempt_has_the_sentence_that_was_said_and_the_answer():
    with pytest.raises(NotSolved) as said:
        check("18.1", {"burst": 1})
    [entry] = read()
    assert (entry["exercise"], entry["solved"], entry["sentence"]) == ("18.1", False, str(said.value))
    assert entry["answer"] == "{'burst': 1}"


def test_a_starter_as_it_is_is_no_attempt():
    def unwritten(frame):
        raise NotImplementedError("Add it up.")

    with pytest.raises(NotSolved):
        check("03.1", unwritten)
    assert read() == []


def test_a_bill_is_that_of_all_tables_that_were_read():
    rows = [{"billed_ms": 100, "memory_mb": 1024, "init_ms": 1.0, "start": 0, "status": "success"}] * 2
    frame = reports._frame([dict.fromkeys(COLUMNS, 1) | row for row in rows])
    reports._note("mine", frame)
    reports._note("mine", frame)  # the same again
    bill.note_bill(lambda frame: float(frame["billed_ms"].sum()))
    table, noted = read()
    assert (table["name"], table["total"], len(table["rows"])) == ("mine", 2, 2)
    assert dict(zip(table["columns"], table["rows"][0], strict=True))["start"] == "1970-01-01T00:00:00.000Z"
    assert noted["usd"] == pd.Series([100, 100]).sum()


def test_the_bill_is_entered_by_the_check_of_the_readers_own():
    """Notebook 03's first exercise: the function that it passes is the reader's `bill`."""
    row = {"billed_ms": 1000, "memory_mb": 1024, "start": 0}
    reports._note("mine", reports._frame([dict.fromkeys(COLUMNS, 1) | row]))
    check("03.1", lessons.lesson("03").module("checks").right_bill)
    table, noted, attempt = read()
    assert [each["kind"] for each in (table, noted, attempt)] == ["table", "bill", "attempt"]
    assert noted["usd"] == pytest.approx(1.69e-5, rel=0.01)  # one GB-second and one request
    assert noted["text"] == f"1 invocation of 1 function: {noted['usd']:.8f} USD"


def test_a_long_table_is_cut_to_its_last_rows():
    frame = reports._frame([dict.fromkeys(COLUMNS, 1) | {"start": number} for number in range(300)])
    reports._note("long", frame)
    [table] = read()
    assert (table["total"], len(table["rows"])) == (300, 200)
    assert table["rows"][-1][table["columns"].index("start")].endswith("00.299Z")


def test_a_kernel_of_vs_code_notes_them_too(home):
    """It has no variable that names the notebook, but a name among those of the cells, and ids of its own."""
    lesson = lessons.lesson("04")
    first = code_cells(lesson.starter_path)[0]
    code = f"""
import ipykernel
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.user_ns["__vsc_ipynb_file__"] = "/checkout/work/notebooks/04-cold-start.ipynb"
import helpers
shell.run_cell({first.text!r}, cell_id="vscode-notebook-cell:/04-cold-start.ipynb#W0s")
"""
    without = {name: value for name, value in os.environ.items() if name != SESSION}
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True, env=without)
    assert done.returncode == 0, done.stderr
    assert [(entry["notebook"], entry["section"], entry["cell"]) for entry in read()] == [("04", "", first.id)]


def test_a_kernel_notes_the_sections_of_its_notebook_by_the_cells_ids(home):
    """Of cells as a frontend sends them, with their ids."""
    lesson = lessons.lesson("04")
    first, *rest = code_cells(lesson.starter_path)
    other = next(cell for cell in rest if cell.section)
    code = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import helpers
for id in {[first.id, first.id, "my-own", other.id, other.id]!r}:
    shell.run_cell("mine = 1", cell_id=id)
shell.run_cell({first.text!r}, cell_id="vscode-notebook-cell:/04-cold-start.ipynb#W0s")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [(entry["section"], entry["cell"]) for entry in read()] == [
        ("", first.id),
        (other.section, other.id),
        ("", first.id),
    ]


def test_the_answer_is_the_text_of_the_cell_that_was_run():
    exercises = lessons.exercises()
    code = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import helpers
from helpers import lessons
from helpers.session.starter_cells import code_cells, is_unsolved
from helpers.exercises.answers import written
lesson = lessons.lesson("03")
ids = [cell.id for cell in code_cells(lesson.starter_path) if is_unsolved(cell.text)]
shell.run_cell("rate = 2\\ndef bill(frame):\\n    return rate", cell_id=ids[0])
shell.run_cell("mine = 'a memory size'", cell_id=ids[2])
print(written(lessons.exercises()["03.1"], shell.user_ns["bill"]))
print(written(lessons.exercises()["03.3"], None))
shell.run_cell("from unittest.mock import Mock; lambda_client = report = Mock()")
shell.run_cell("from helpers import solution; solution('03.3', use=True)")
print(written(lessons.exercises()["03.3"], None))
"""
    own = {SESSION: "work/notebooks/03-billing.ipynb", "WORKSHOP_HOME": os.environ["WORKSHOP_HOME"]}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True, env=os.environ | own
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:4] == ["rate = 2", "def bill(frame):", "    return rate", "mine = 'a memory size'"]
    assert said[-1] in exercises["03.3"].answer()


def test_the_answer_of_a_lab_is_its_file():
    lab = lessons.exercises()["09"].lab
    assert written(lessons.exercises()["09"], None) == {}
    lab.copy("ruby").parent.mkdir(parents=True)
    lab.copy("ruby").write_text("mine")
    assert written(lessons.exercises()["09"], None) == {"app.rb": "mine"}
