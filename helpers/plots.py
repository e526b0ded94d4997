"""plot_durations() and plot_timeline() draw the invocations of a reports() table, and say what they show.

Whoever draws anything of their own takes the colours from here: importing this module sets the workshop's style sheet,
helpers/workshop.mplstyle, with its sizes, and gives every chart of the notebook an alternative text.
"""

import textwrap
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from pandas.api.types import is_datetime64_any_dtype

from .arguments import TEXT, ArgumentError, Wanted, or_none, takes
from .measuring import alt_text
from .palette import BLUE, BROWN, DARK_GREY, GREEN, GREY, LIGHT_GREY, ORANGE, PARTS, PINK, RED, SKY

__all__ = [
    "BLUE",
    "BROWN",
    "DARK_GREY",
    "GREEN",
    "GREY",
    "LIGHT_GREY",
    "ORANGE",
    "PARTS",
    "PINK",
    "RED",
    "SKY",
    "plot_durations",
    "plot_timeline",
]

plt.style.use("helpers.workshop")
alt_text.install()

LINE = 68  # characters of a title line


def _table(*columns: str) -> Wanted:
    """A table of reports(), or another with those of its columns that are drawn."""
    return Wanted(
        f"a table of reports(), with its columns {', '.join(columns)}",
        lambda value: (
            isinstance(value, pd.DataFrame)
            and set(value) >= set(columns)
            and all(_holds_numbers(value[column]) for column in columns if column.endswith("_ms"))
            and all(is_datetime64_any_dtype(value[column]) for column in columns if column == "start")
        ),
    )


def _holds_numbers(values: pd.Series) -> bool:
    return bool(values.map(lambda value: pd.isna(value) or isinstance(value, int | float | np.number)).all())


DURATIONS = _table("duration_ms", "init_ms", "status")
TIMELINE = _table("environment", "start", "duration_ms", "init_ms", "status")
AXES = Wanted("Axes of matplotlib", lambda value: isinstance(value, Axes))


class _Strip(NamedTuple):
    """One row of points."""

    label: str
    color: str
    marker: str
    offset: float  # from the middle of its band; bands are 1 apart, and the vertical axis points down


INIT = _Strip("cold: Init Duration", RED, "D", -0.27)
COLD = _Strip("cold: Duration", BROWN, "o", 0.0)
WARM = _Strip("warm: Duration", BLUE, "o", 0.27)


@takes(frame=DURATIONS, title=or_none(TEXT), ax=or_none(AXES), by=or_none(TEXT))
def plot_durations(
    frame: pd.DataFrame, title: str | None = None, ax: Axes | None = None, by: str | None = None
) -> Axes:
    """Draw every successful invocation of a reports() table, in ms, and return the Axes.

    A cold invocation has two points, its Init Duration and its Duration; a warm one has its Duration. The
    lines are medians. `by` names a column, e.g. "function", whose values get a band each. Without `title`,
    the title states the finding that the medians show.

    Raises ArgumentError when there is no successful invocation to draw, or no such column.
    """
    groups = _groups(frame, by)
    if ax is None:
        rows = sum(len(_strips(group)) for group in groups.values())
        height = 1.9 + (0.95 * len(groups) if by else 0.6 * rows)  # inches
        _, ax = plt.subplots(figsize=(10, height))
    for place, (_, group) in enumerate(groups.items()):
        for strip, values in _strips(group).items():
            _draw(ax, strip, values, place + strip.offset)
    _axes(ax, list(groups), by)
    ax.set_title(textwrap.fill(title or _finding(groups, frame), LINE))
    return ax


def _groups(frame: pd.DataFrame, by: str | None) -> dict[str, pd.DataFrame]:
    if by is not None and by not in frame:
        raise ArgumentError(f"The table has no column {by!r} to split by; it has: {', '.join(frame.columns)}.")
    done = frame[frame["status"] == "success"]
    if done.empty:
        raise ArgumentError("There is no successful invocation to draw; invoke the function first.")
    if by is None:
        return {"": done}
    return {str(name): group for name, group in done.groupby(by, sort=False)}


def _strips(group: pd.DataFrame) -> dict[_Strip, pd.Series]:
    cold = group[group["init_ms"].notna()]
    warm = group[group["init_ms"].isna()]
    strips = {INIT: cold["init_ms"], COLD: cold["duration_ms"], WARM: warm["duration_ms"]}
    return {strip: values for strip, values in strips.items() if len(values)}


def _draw(ax: Axes, strip: _Strip, values: pd.Series, y: float) -> None:
    # The jitter is the same on every run: the golden ratio spreads neighbours apart.
    jitter = ((np.arange(len(values)) * 0.618034) % 1 - 0.5) * 0.16
    ax.scatter(
        values,
        y + (jitter if len(values) > 1 else 0),
        s=42,
        marker=strip.marker,
        color=strip.color,
        alpha=0.65,
        linewidths=0,
        label=strip.label,
        zorder=2,
    )
    median = float(values.median())
    ax.plot([median, median], [y - 0.12, y + 0.12], color="black", linewidth=2.5, zorder=3)
    ax.annotate(
        f"median {_ms(median)} ms",
        (float(values.max()), y),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        color=strip.color,
    )


def _axes(ax: Axes, names: list[str], by: str | None) -> None:
    ax.set_xscale("log")  # Init Duration is often a hundred times a warm Duration
    low, high = ax.dataLim.intervalx
    ax.set_xlim(low / 1.5, high * 2.5 * (high / low) ** 0.25)  # room on the right for the last median
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel("milliseconds (log scale), from Lambda's REPORT lines; black: medians")
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.7g}"))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.spines[["top", "right", "left"]].set_visible(False)
    if by:
        ax.set_yticks(range(len(names)), names)
        _legend(ax)
        for place in range(1, len(names)):
            ax.axhline(place - 0.5, color="0.85", linewidth=1, zorder=0)
    else:
        drawn = set(ax.get_legend_handles_labels()[1])
        strips = [strip for strip in (INIT, COLD, WARM) if strip.label in drawn]
        ax.set_yticks([strip.offset for strip in strips], [strip.label for strip in strips])
        ax.set_ylim(strips[-1].offset + 0.23, strips[0].offset - 0.23)


def _legend(ax: Axes, columns: int = 3) -> None:
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=columns, frameon=False)


def _finding(groups: dict[str, pd.DataFrame], frame: pd.DataFrame) -> str:
    """One sentence that the medians support, with the number of calls behind it."""
    calls = sum(len(group) for group in groups.values())
    failed = len(frame) - calls
    counted = "1 call" if calls == 1 else f"medians, {calls} calls"
    basis = f"{counted}; {failed} failed, left out" if failed else counted
    basis = basis.replace(" ", "\N{NO-BREAK SPACE}")  # a line of the title ends before it, not within
    waits = {name: _waits(group) for name, group in groups.items()}
    if len(groups) > 1:
        return f"{_comparison(waits)}; {basis}"
    ((cold, warm),) = waits.values()
    if pd.isna(warm):
        return f"A cold start takes {_ms(cold)} ms: Init Duration and Duration ({basis})"
    if pd.isna(cold):
        return f"A warm call takes {_ms(warm)} ms ({basis})"
    if cold < warm:
        return f"Cold starts take no longer than warm calls ({basis})"
    return f"Cold starts take {_times(cold / warm)} as long as warm calls ({basis})"


def _waits(group: pd.DataFrame) -> tuple[float, float]:
    """Medians in ms of init plus duration when cold, and of duration when warm; NaN where there is none."""
    cold = group[group["init_ms"].notna()]
    warm = group[group["init_ms"].isna()]
    return float((cold["init_ms"] + cold["duration_ms"]).median()), float(warm["duration_ms"].median())


def _comparison(waits: dict[str, tuple[float, float]]) -> str:
    colds = {name: cold for name, (cold, _) in waits.items() if not pd.isna(cold)}
    if len(colds) > 1:
        what, found = "Cold starts take", colds
    else:
        warms = {name: warm for name, (_, warm) in waits.items() if not pd.isna(warm)}
        what, found = "Warm calls take", warms
    fast, slow = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    return f"{what} from {_ms(found[fast])} ms ({fast}) to {_ms(found[slow])} ms ({slow})"


def _ms(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _times(factor: float) -> str:
    return f"{factor:,.0f} times" if factor >= 2 else f"{factor:.1f} times"


# How plot_timeline fills its bars: hatches tell them apart without colours, too.
PHASES: dict[str, dict[str, Any]] = {
    "init": {"facecolor": "white", "edgecolor": RED, "hatch": "////"},
    "cold": {"facecolor": ORANGE, "edgecolor": "white"},
    "warm": {"facecolor": BLUE, "edgecolor": "white"},
    "failed": {"facecolor": PINK, "edgecolor": "black", "hatch": "xx"},
}


@takes(frame=TIMELINE, title=or_none(TEXT), ax=or_none(AXES))
def plot_timeline(frame: pd.DataFrame, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw every invocation of a reports() table as a bar over time, in the row of its environment; return the Axes.

    A bar lasts for duration_ms from the start of its invocation; a cold one has its init phase before it. Rows are
    in the order of their first use, counted from 1. Without `title`, the title counts calls, environments and cold
    starts, and says how many were busy at once.

    Raises ArgumentError when the table is empty.
    """
    if frame.empty:
        raise ArgumentError("There is no invocation to draw; invoke the function first.")
    bars = _bars(frame)
    rows = int(bars["row"].max())
    if ax is None:
        _, ax = plt.subplots(figsize=(10, 2.4 + min(0.28 * rows, 2.9)))  # no taller than a projector shows
    for phase, style in PHASES.items():
        drawn = bars[bars["phase"] == phase]
        if len(drawn):
            ax.barh(drawn["row"], drawn["seconds"], left=drawn["begin"], linewidth=0.5, label=phase, **style)
    _timeline_axes(ax, rows)
    ax.set_title(textwrap.fill(title or _count(frame), LINE))
    return ax


def _bars(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each bar, in seconds since the first began: row, phase, begin, seconds."""
    frame = frame.sort_values("start", ignore_index=True)
    order = {name: row for row, name in enumerate(frame["environment"].unique(), start=1)}
    common = pd.DataFrame({"row": frame["environment"].map(order)})
    start = (frame["start"] - frame["start"].min()).dt.total_seconds()
    init = frame["init_ms"] / 1000
    kind = np.select([frame["status"] != "success", init.notna()], ["failed", "cold"], "warm")
    invocations = common.assign(phase=kind, begin=start, seconds=frame["duration_ms"] / 1000)
    inits = common.assign(phase="init", begin=start - init, seconds=init).dropna()
    bars = pd.concat([inits, invocations], ignore_index=True)
    bars["begin"] -= bars["begin"].min()
    return bars


def _timeline_axes(ax: Axes, rows: int) -> None:
    ax.set_ylim(rows + 0.7, 0.3)  # the first environment stands on top
    ax.set_yticks(np.linspace(1, rows, rows if rows <= 10 else 6).round().astype(int))
    ax.set_xlim(left=0)
    ax.set_xlabel("seconds since the first began, from Lambda's START and REPORT lines")
    ax.set_ylabel("environment")
    ax.grid(axis="x")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    _legend(ax, len(PHASES))


def _count(frame: pd.DataFrame) -> str:
    calls, environments, cold = len(frame), frame["environment"].nunique(), int(frame["init_ms"].notna().sum())
    failed = int((frame["status"] != "success").sum())
    asked = "1 call" if calls == 1 else f"{calls:,} calls, at most {_busy_at_once(frame)} at once"
    ran = f"{environments} environment{'s' if environments > 1 else ''}"
    starts = f"{cold or 'no'} cold start{'' if cold == 1 else 's'}"
    return f"{asked}: {ran}, {starts}" + (f"; {failed}\N{NO-BREAK SPACE}failed" if failed else "")


def _busy_at_once(frame: pd.DataFrame) -> int:
    """The most environments that were busy at one moment, with init or with an invocation."""
    start = (frame["start"] - frame["start"].min()).dt.total_seconds() * 1000
    begins, ends = start - frame["init_ms"].fillna(0), start + frame["duration_ms"]
    # START has whole milliseconds, cut off: with ends cut off as well, what follows in an environment never overlaps.
    changes = pd.concat([pd.Series(1, index=np.floor(begins.round(2))), pd.Series(-1, index=np.floor(ends.round(2)))])
    return max(1, int(changes.groupby(level=0).sum().cumsum().max()))
