"""What `bench` measures: ratios within one run, never times; and a page that says nothing but what was measured."""

import re
import sys
import tempfile

import pytest

from helpers import settings
from helpers.bench import page
from helpers.bench.bare_runtime_api import BareRuntimeApi
from helpers.bench.embedded_aws import EmbeddedAws
from helpers.bench.figures import Figure, Measurements
from helpers.bench.plain_ministack import PlainMiniStack
from helpers.bench.scenarios import COLD, COMPARED, CPU_COMPARED, QUICK, SCENARIOS, WARM, measure
from helpers.bench.serverless_offline import INSTALLS, ServerlessOffline
from helpers.bench.subject import BenchError
from helpers.commands import bench
from helpers.localaws.command_lines import command_lines

OURS, LEAST = EmbeddedAws.name, BareRuntimeApi.name
MADE_UP = [Figure.of(WARM, OURS, "ms", [1.5, 2.5, 4.5]), Figure.of(COMPARED, OURS, "×", [12.34])]
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="what is compared or asked for is Linux's alone")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A quick run of all but the lab, without serverless-offline; it leaves no file and no process."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(folder))
        patched.setattr(ServerlessOffline, "missing", lambda: "It is not here.")
        figures, remarks = measure([name for name in SCENARIOS if name != "lab"], QUICK, lambda text: None)
    assert list(folder.iterdir()) == []
    assert [command for _, command in command_lines() if str(folder) in command] == []
    return Measurements(["A machine."], figures, remarks)


def test_a_warm_call_takes_little_longer_than_one_that_does_nothing(measured):
    assert measured.figure(COMPARED, OURS).low <= 2.5
    assert measured.figure(CPU_COMPARED, OURS).low <= 4  # of few calls: the system counts in hundredths of a second
    assert measured.figure(WARM, OURS).median < measured.figure(WARM, PlainMiniStack.name).median


@needs_linux
def test_a_cold_call_takes_little_longer_than_the_least_that_is_possible(measured):
    assert measured.figure(COLD, OURS).low <= 6 * measured.figure(COLD, LEAST).median
    computes = measured.figure("CPU time of a process until its handler, compared with the bare", OURS)
    assert computes.low <= 2


def test_many_at_once_have_an_environment_each(measured):
    (number,) = QUICK.at_once
    for state in ("cold", "warm"):
        assert measured.figure(f"{number} at once, {state}: execution environments", OURS).median == number


@needs_linux
def test_an_environment_takes_about_as_much_memory_as_the_capacity_counts_on(measured):
    from helpers.localaws.data_plane.capacity import MEMORY_MB

    idle, boto3 = measured.figure("memory of an idle environment", OURS), measured.figure("the same, with boto3", OURS)
    assert MEMORY_MB / 3 < idle.median < 3 * MEMORY_MB
    assert idle.median < boto3.median


def test_what_is_missing_is_left_out_with_a_sentence(measured, monkeypatch):
    assert measured.remarks.count("It is not here.") == 1
    assert ServerlessOffline.name not in {figure.subject for figure in measured.figures}
    monkeypatch.setenv("PATH", "")
    assert ServerlessOffline.missing().endswith(f"as it is not installed: {INSTALLS} installs it.")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert BareRuntimeApi.missing().startswith("The bare Runtime API is left out: ")


def test_all_that_was_measured_is_in_the_table_and_nothing_else(measured):
    rows = [row.strip("| ").split(" | ") for row in page.table(measured).splitlines()]
    assert {row[0] for row in rows[2:]} == {figure.what for figure in measured.figures}
    empty = Measurements(measured.machine, [Figure(f.what, f.subject, f.unit, 1, 0, 0, 0) for f in measured.figures])
    cells = [cell for row in page.table(empty).splitlines()[2:] for cell in row.split("|")[2:]]
    assert {*re.findall(r"[\d.,]+", " ".join(cells))} == {"1", "0"}


def test_a_spread_is_the_middle_half(measured):
    figure = Figure.of("x", OURS, "ms", [1.0, 2.0, 3.0, 4.0, 100.0])
    assert (figure.times, figure.median, figure.low, figure.high) == (5, 3.0, 2.0, 4.0)
    assert Figure.of("x", OURS, "ms", [1234.567]).high == 1230


def test_figures_are_kept_as_they_are(tmp_path, measured):
    measured.write(tmp_path / "bench.json")
    assert Measurements.read(tmp_path / "bench.json") == measured


@pytest.fixture
def own_page(tmp_path, monkeypatch):
    """A page of the test's own, with the marks."""
    for name in ("PAGE", "DATA", "PICTURE"):
        monkeypatch.setattr(page, name, tmp_path / getattr(page, name).name)
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    page.PAGE.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    return page.PAGE


@pytest.fixture
def measures_little(monkeypatch):
    monkeypatch.setattr(bench, "measure", lambda names, sizes, say: (MADE_UP, ["Something is left out."]))


@pytest.mark.usefixtures("measures_little")
def test_all_scenarios_are_written_into_the_readme_and_again_of_what_is_kept(own_page, capsys):
    assert bench.run([]) == 0
    text = own_page.read_text()
    assert text.startswith(f"before\n{page.BEGIN}\n") and text.endswith(f"{page.END}\nafter\n")
    assert "2.5 ms (2 to 3.5)" in text and "\n- Something is left out.\n" in text and "old" not in text
    assert "![The embedded AWS: warm calls take 12.3 times as long as one that does nothing. Across: " in text
    assert page.PICTURE.read_bytes().startswith(b"\x89PNG")
    assert "2.5 ms (2 to 3.5)" in capsys.readouterr().out
    own_page.write_text(text.replace("2.5 ms", "2.0 ms"))
    assert bench.write_again() == 0
    assert own_page.read_text() == text


@pytest.mark.usefixtures("measures_little")
@pytest.mark.parametrize(("names", "quick"), [(["warm"], False), ([], True)])
def test_less_than_all_is_printed_and_not_written(own_page, capsys, names, quick):
    before = own_page.read_text()
    assert bench.run(names, quick) == 0
    assert "| a warm call | 3 | 2.5 ms (2 to 3.5) |" in capsys.readouterr().out
    assert own_page.read_text() == before


def test_an_unknown_scenario_is_refused():
    with pytest.raises(BenchError, match=r"^There is no scenario hot; there is warm, cold, "):
        bench.run(["warm", "hot"])


def test_the_readme_of_the_embedded_aws_says_what_was_measured():
    text, measured = page.PAGE.read_text(encoding="utf-8"), Measurements.read(page.DATA)
    assert page.PART.findall(text) == [page.part(measured)]
    assert page.PICTURE.is_file()
    assert re.search(r"!\[The embedded AWS: warm calls take [\d.]+ times as long as one that does nothing ", text)
