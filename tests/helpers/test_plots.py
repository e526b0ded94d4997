"""plot_durations() and plot_timeline() draw what the table holds, and their titles say what it shows."""

import re

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402

from helpers import lessons, palette, settings  # noqa: E402
from helpers.plots import plot_durations, plot_timeline  # noqa: E402

NAN = float("nan")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def table(*rows: tuple, status: str = "success") -> pd.DataFrame:
    """Rows of (function, init_ms, duration_ms)."""
    frame = pd.DataFrame(rows, columns=["function", "init_ms", "duration_ms"])
    return frame.assign(status=status)


COLD_AND_WARM = table(("a", 98.0, 2.0), ("a", NAN, 1.0), ("a", NAN, 3.0), ("a", 198.0, 2.0), ("a", NAN, 2.0))


def title_of(ax) -> str:
    """The title on one line."""
    return " ".join(ax.get_title(loc="left").split())


def points(ax) -> dict[str, list[float]]:
    """Label -> the drawn values in ms."""
    drawn: dict[str, list[float]] = {}
    for collection in ax.collections:
        drawn.setdefault(collection.get_label(), []).extend(float(x) for x in collection.get_offsets()[:, 0])
    return drawn


def test_every_invocation_is_drawn_with_init_apart():
    assert points(plot_durations(COLD_AND_WARM)) == {
        "cold: Init Duration": [98.0, 198.0],
        "cold: Duration": [2.0, 2.0],
        "warm: Duration": [1.0, 3.0, 2.0],
    }


def test_the_title_states_the_finding():
    # Medians: (100 + 200) / 2 = 150 ms cold, 2 ms warm.
    title = title_of(plot_durations(COLD_AND_WARM))
    assert title == "Cold starts take 75 times as long as warm calls (medians, 5 calls)"


def test_a_given_title_stands_instead():
    assert plot_durations(COLD_AND_WARM, title="Mine").get_title(loc="left") == "Mine"


def test_the_axis_has_its_unit_and_a_log_scale():
    ax = plot_durations(COLD_AND_WARM)
    assert "milliseconds" in ax.get_xlabel()
    assert ax.get_xscale() == "log"


def test_every_text_is_at_least_12_points():
    ax = plot_durations(pd.concat([COLD_AND_WARM, COLD_AND_WARM.assign(function="b")]), by="function")
    texts = [text for text in ax.figure.findobj(plt.Text) if text.get_text()]
    assert len(texts) > 8
    assert min(text.get_fontsize() for text in texts) >= 12


def test_the_picture_is_the_same_on_every_run():
    def places():
        return [collection.get_offsets().tolist() for collection in plot_durations(COLD_AND_WARM).collections]

    assert places() == places()


def test_an_axes_of_the_caller_is_used():
    _, ax = plt.subplots()
    assert plot_durations(COLD_AND_WARM, ax=ax) is ax


def test_by_gives_each_function_a_band():
    slow = table(("b", 1000.0, 4.0), ("b", NAN, 4.0))
    ax = plot_durations(pd.concat([COLD_AND_WARM, slow]), by="function")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert title_of(ax) == "Cold starts take from 150 ms (a) to 1,004 ms (b); medians, 7 calls"
    assert sorted(points(ax)["warm: Duration"]) == [1.0, 2.0, 3.0, 4.0]


def test_by_without_cold_starts_compares_warm_calls():
    frame = table(("a", NAN, 1.0), ("b", NAN, 20.0), ("a", NAN, 3.0))
    title = title_of(plot_durations(frame, by="function"))
    assert title == "Warm calls take from 2 ms (a) to 20 ms (b); medians, 3 calls"


def test_failed_invocations_are_left_out_and_counted():
    failed = table(("a", NAN, 3000.0), status="timeout")
    ax = plot_durations(pd.concat([COLD_AND_WARM, failed]))
    assert 3000.0 not in points(ax)["warm: Duration"]
    assert "5 calls; 1 failed, left out" in title_of(ax)


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ([("a", NAN, 1.5)], "A warm call takes 1.5 ms (1 call)"),
        ([("a", 90.0, 1.5)], "A cold start takes 92 ms: Init Duration and Duration (1 call)"),
        ([("a", 1.0, 1.0), ("a", NAN, 5.0)], "Cold starts take no longer than warm calls (medians, 2 calls)"),
        ([("a", 1.0, 2.0), ("a", NAN, 2.0)], "Cold starts take 1.5 times as long as warm calls (medians, 2 calls)"),
    ],
)
def test_the_title_fits_whatever_there_is(rows, title):
    assert title_of(plot_durations(table(*rows))) == title


def test_no_two_texts_overlap():
    rows = [(name, init, 2.0) for name in ("python", "node", "ruby") for init in (90.0, 140.0, NAN, NAN)]
    ax = plot_durations(table(*rows), by="function")
    renderer = ax.figure.canvas.get_renderer()
    ax.figure.draw(renderer)
    boxes = [text.get_window_extent(renderer) for text in ax.texts]
    assert len(boxes) == 9
    overlaps = [(i, j) for i in range(9) for j in range(i) if boxes[i].overlaps(boxes[j])]
    assert overlaps == []
    assert all(box.x1 <= ax.get_window_extent(renderer).x1 for box in boxes)


@pytest.mark.parametrize("init", [3.0, 98.0, 12_345.0, 123_456.0])
@pytest.mark.parametrize("by", [None, "function"])
def test_the_median_on_the_right_has_room(init, by):
    ax = plot_durations(table(("python 3.13", init, 2.0), ("python 3.13", NAN, 1.0)), by=by)
    renderer = ax.figure.canvas.get_renderer()
    ax.figure.draw(renderer)
    right = ax.get_window_extent(renderer).x1
    assert [text.get_text() for text in ax.texts if text.get_window_extent(renderer).x1 > right] == []


@pytest.mark.parametrize("failures", [0, 1])
@pytest.mark.parametrize("cold", [98.0, 12_345.0, 123_456.0])
def test_the_title_keeps_what_it_rests_on_together_and_fits(cold, failures):
    rows = table(*[("a", cold, 2.0)] * 5, *[("a", NAN, 1.234)] * 40)
    failed = table(*[("a", NAN, 3000.0)] * failures, status="timeout")
    ax = plot_durations(pd.concat([rows, failed]))
    basis = "medians, 45 calls; 1 failed, left out" if failures else "medians, 45 calls"
    lines = ax.get_title(loc="left").replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert lines[-1].endswith(f"({basis})")
    renderer = ax.figure.canvas.get_renderer()
    ax.figure.draw(renderer)
    (title,) = [text for text in ax.findobj(plt.Text) if text.get_text() == ax.get_title(loc="left")]
    assert title.get_window_extent(renderer).x1 <= ax.figure.bbox.x1


def test_nothing_to_draw_and_no_such_column_are_said():
    with pytest.raises(ValueError, match="There is no successful invocation to draw"):
        plot_durations(COLD_AND_WARM.iloc[:0])
    with pytest.raises(ValueError, match="no column 'language' to split by; it has: function, init_ms"):
        plot_durations(COLD_AND_WARM, by="language")


def test_medians_are_marked():
    ax = plot_durations(COLD_AND_WARM)
    assert sorted(float(np.mean(line.get_xdata())) for line in ax.lines) == [2.0, 2.0, 148.0]
    assert {text.get_text() for text in ax.texts} == {"median 148 ms", "median 2 ms"}


def timeline(*rows: tuple) -> pd.DataFrame:
    """Rows of (environment, start in ms, init_ms, duration_ms), or with a status behind."""
    frame = pd.DataFrame([(*row, "success")[:5] for row in rows])
    frame.columns = ["environment", "start", "init_ms", "duration_ms", "status"]
    return frame.assign(start=pd.to_datetime(frame["start"], unit="ms", utc=True).astype("datetime64[ms, UTC]"))


# "b" begins its init first, 100 ms before "a" starts; "a" serves a second call after the first.
TWO = timeline(("b", 1200, 300.0, 400.0), ("a", 1000, NAN, 500.0), ("a", 1500, NAN, 500.0))


def bars(ax) -> dict[str, list[tuple]]:
    """Label -> (row, begin in s, length in s)."""
    return {
        container.get_label(): [
            (round(bar.get_y() + bar.get_height() / 2), round(bar.get_x(), 3), round(bar.get_width(), 3))
            for bar in container
        ]
        for container in ax.containers
    }


def test_a_timeline_has_a_bar_for_every_invocation_in_the_row_of_its_environment_and_init_before_it():
    assert bars(plot_timeline(TWO)) == {
        "init": [(2, 0.0, 0.3)],
        "cold": [(2, 0.3, 0.4)],
        "warm": [(1, 0.1, 0.5), (1, 0.6, 0.5)],
    }


@pytest.mark.parametrize(
    ("frame", "title"),
    [
        (TWO, "3 calls, at most 2 at once: 2 environments, 1 cold start"),
        (TWO[:1], "1 call: 1 environment, 1 cold start"),
        (TWO[1:], "2 calls, at most 1 at once: 1 environment, no cold starts"),
        (TWO.assign(init_ms=[300.0, 50.0, NAN]), "3 calls, at most 2 at once: 2 environments, 2 cold starts"),
        (
            timeline(("a", 0, NAN, 9.0, "timeout"), ("b", 5, NAN, 9.0)),
            "2 calls, at most 2 at once: 2 environments, no cold starts; 1 failed",
        ),
    ],
)
def test_the_title_of_a_timeline_counts(frame, title):
    assert title_of(plot_timeline(frame)) == title


def test_an_environment_never_overlaps_with_itself_where_start_lost_its_fraction():
    # In truth from 0.1 to 500.8 ms, and from 500.9 ms on: START has whole milliseconds.
    frame = timeline(("a", 0, NAN, 500.7), ("a", 500, NAN, 500.7))
    assert "at most 1 at once" in title_of(plot_timeline(frame))


def test_an_init_counts_as_busy():
    frame = timeline(("a", 0, NAN, 200.0), ("b", 300, 150.0, 10.0))
    assert "at most 2 at once" in title_of(plot_timeline(frame))


def test_a_failed_invocation_is_told_apart_by_more_than_its_colour():
    ax = plot_timeline(timeline(("a", 0, NAN, 9.0, "timeout"), ("b", 5, 1.0, 9.0)))
    hatches = {container.get_label(): container[0].get_hatch() for container in ax.containers}
    assert hatches == {"init": "////", "cold": None, "failed": "xx"}


def test_a_timeline_takes_a_title_and_an_axes():
    _, ax = plt.subplots()
    assert plot_timeline(TWO, title="Mine", ax=ax) is ax
    assert ax.get_title(loc="left") == "Mine"


@pytest.mark.parametrize("environments", [1, 6, 50, 200])
def test_a_timeline_fits_and_can_be_read_whatever_it_holds(environments):
    ax = plot_timeline(timeline(*[(f"e{number}", number, 90.0, 1000.0) for number in range(environments)]))
    assert all(float(label).is_integer() for label in ax.get_yticks())
    assert ax.figure.get_figheight() <= 5.3
    renderer = ax.figure.canvas.get_renderer()
    ax.figure.draw(renderer)
    texts = [text for text in ax.figure.findobj(plt.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 12
    wide = [text for text in texts if len(text.get_text()) > 8]  # not the labels of ticks beyond the axis
    assert max(text.get_window_extent(renderer).x1 for text in wide) <= ax.figure.bbox.x1


def test_a_timeline_of_nothing_is_said():
    with pytest.raises(ValueError, match="There is no invocation to draw"):
        plot_timeline(TWO[:0])


# One style sheet and one palette


HELPERS = [
    file
    for folder in ("", "measuring", "session")
    for file in (settings.ROOT / "helpers" / folder).glob("*.py")
    if file.stem != "palette"
]
DRAWING = [*(lesson.source for lesson in lessons.lessons()), *HELPERS]


@pytest.mark.parametrize("file", DRAWING, ids=lambda file: "/".join(file.parts[-2:]))
def test_sizes_and_colours_come_from_the_style_sheet_and_the_palette(file):
    text = file.read_text(encoding="utf-8")
    assert not re.findall(r"\b(?:fontsize|labelsize)=", text), "workshop.mplstyle says it"
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", text), "helpers/palette.py has names"


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_a_notebook_that_draws_has_the_style_sheet(lesson):
    text = lesson.source.read_text(encoding="utf-8")
    first = text.find("plt.subplots(")
    style = re.search(r"^from helpers\.plots import ", text, re.MULTILINE)
    assert first == -1 or (style and style.start() < first)


def test_lines_that_name_no_colour_have_those_of_the_palette():
    cycle = [palette.BLUE, palette.RED, palette.GREEN, palette.ORANGE, palette.PINK, palette.SKY]
    assert ["#" + each["color"].lstrip("#") for each in plt.rcParams["axes.prop_cycle"]] == cycle
