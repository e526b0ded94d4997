"""plot_durations() draws the cold and the warm invocations of a reports() table, and says what they show."""

import textwrap
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

TEXT, TITLE = 13, 15  # points: readable from the back of a room
LINE = 68  # characters of a title line


class _Strip(NamedTuple):
    """One row of points."""

    label: str
    color: str  # of the palette by Okabe and Ito, which colour-blind readers can tell apart
    marker: str
    offset: float  # from the middle of its band; bands are 1 apart, and the vertical axis points down


INIT = _Strip("cold: Init Duration", "#D55E00", "D", -0.27)
COLD = _Strip("cold: Duration", "#8a5a00", "o", 0.0)
WARM = _Strip("warm: Duration", "#0072B2", "o", 0.27)


def plot_durations(
    frame: pd.DataFrame, title: str | None = None, ax: Axes | None = None, by: str | None = None
) -> Axes:
    """Draw every successful invocation of a reports() table, in ms, and return the Axes.

    A cold invocation has two points, its Init Duration and its Duration; a warm one has its Duration. The
    lines are medians. `by` names a column, e.g. "function", whose values get a band each. Without `title`,
    the title states the finding that the medians show.

    Raises ValueError when there is no successful invocation to draw, or no such column.
    """
    groups = _groups(frame, by)
    if ax is None:
        rows = sum(len(_strips(group)) for group in groups.values())
        height = 1.9 + (0.95 * len(groups) if by else 0.6 * rows)  # inches
        _, ax = plt.subplots(figsize=(10, height), layout="constrained")
    for place, (_, group) in enumerate(groups.items()):
        for strip, values in _strips(group).items():
            _draw(ax, strip, values, place + strip.offset)
    _axes(ax, list(groups), by)
    ax.set_title(textwrap.fill(title or _finding(groups, frame), LINE), fontsize=TITLE, loc="left")
    return ax


def _groups(frame: pd.DataFrame, by: str | None) -> dict[str, pd.DataFrame]:
    if by is not None and by not in frame:
        raise ValueError(f"The table has no column {by!r} to split by; it has: {', '.join(frame.columns)}.")
    done = frame[frame["status"] == "success"]
    if done.empty:
        raise ValueError("There is no successful invocation to draw; invoke the function first.")
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
        values, y + (jitter if len(values) > 1 else 0), s=42, marker=strip.marker, color=strip.color,
        alpha=0.65, linewidths=0, label=strip.label, zorder=2,
    )  # fmt: skip
    median = float(values.median())
    ax.plot([median, median], [y - 0.12, y + 0.12], color="black", linewidth=2.5, zorder=3)
    ax.annotate(
        f"median {_ms(median)} ms", (float(values.max()), y), xytext=(10, 0), textcoords="offset points",
        va="center", fontsize=TEXT, color=strip.color,
    )  # fmt: skip


def _axes(ax: Axes, names: list[str], by: str | None) -> None:
    ax.set_xscale("log")  # Init Duration is often a hundred times a warm Duration
    low, high = ax.dataLim.intervalx
    ax.set_xlim(low / 1.5, high * 2.5 * (high / low) ** 0.25)  # room on the right for the last median
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel("milliseconds (log scale), from Lambda's REPORT lines; black: medians", fontsize=TEXT)
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.7g}"))
    ax.tick_params(labelsize=TEXT)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", alpha=0.3)
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


def _legend(ax: Axes) -> None:
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.figure.legend(
        handles.values(), handles.keys(), loc="outside lower left", ncols=3, fontsize=TEXT, frameon=False
    )


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
