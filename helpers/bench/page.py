"""Writes figures into the README of the embedded AWS, between two marks, with a picture."""

import textwrap

from matplotlib.figure import Figure as Chart
from matplotlib.ticker import FuncFormatter

from .. import settings
from ..files.marks import between
from ..measuring import alt_text
from ..plots import BLUE, GREY, LINE, RED
from .bare_runtime_api import BareRuntimeApi
from .embedded_aws import EmbeddedAws
from .figures import Figure, Measurements
from .plain_ministack import PlainMiniStack
from .scenarios import COLD, COMPARED, NO_OP, SUBJECTS, WARM

FOLDER = settings.ROOT / "helpers" / "localaws"
PAGE, DATA, PICTURE = FOLDER / "README.md", FOLDER / "bench.json", FOLDER / "bench.png"
BEGIN, END = "<!-- The figures: `python3 -m helpers bench` writes them. -->", "<!-- The figures end. -->"
PART = between(BEGIN, END)
DRAWN = {NO_OP: (GREY, "s"), WARM: (BLUE, "o"), COLD: (RED, "D")}


def write(measured: Measurements) -> None:
    """Put the figures on the page; they are kept beside it, so that it can be made of them anew."""
    measured.write(DATA)
    chart(measured).savefig(PICTURE, dpi=100, metadata={"Software": None})
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PART.sub(lambda _: part(measured), text, count=1), encoding="utf-8")


def part(measured: Measurements) -> str:
    """What stands between the marks."""
    machine = " ".join(measured.machine)
    remarks = "".join(f"- {each}\n" for each in measured.remarks)
    alt = alt_text.of(chart(measured))
    return (
        f"\n{machine}\n\n![{alt}]({PICTURE.name})\n\n{table(measured)}\n\n"
        "Each figure is a median, and in brackets is where the middle half of the times lies. "
        "Where there are several subjects, they took turns.\n" + (f"\n{remarks}" if remarks else "") + "\n"
    )


def table(measured: Measurements) -> str:
    """A row for each thing that was measured, a column for each subject."""
    subjects = [kind.name for kind in SUBJECTS if any(each.subject == kind.name for each in measured.figures)]
    rows = [["", "times", *subjects], ["---"] * (2 + len(subjects))]
    for what in dict.fromkeys(each.what for each in measured.figures):
        found = [measured.figure(what, subject) for subject in subjects]
        times = max(each.times for each in found if each)
        rows.append([what, f"{times:,}", *(_cell(each) for each in found)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    spread = f" ({_text(figure.low)} to {_text(figure.high)})" if figure.times > 1 else ""
    return f"{_text(figure.median)} {figure.unit}".strip() + spread


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def chart(measured: Measurements) -> Chart:
    """Calls of all subjects, in ms; the title is what they show."""
    subjects = [kind.name for kind in SUBJECTS if measured.figure(WARM, kind.name)]
    drawn = Chart(figsize=(10, 1.8 + 0.6 * len(subjects)))
    ax = drawn.subplots()
    for what, (color, marker) in DRAWN.items():
        found = [(row, each) for row, name in enumerate(subjects) if (each := measured.figure(what, name))]
        values = [each.median for _, each in found]
        ax.scatter(values, [row for row, _ in found], s=70, color=color, marker=marker, label=what.split(",")[0])
        for row, each in found:
            ax.annotate(
                _text(each.median),
                (each.median, row),
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                color=color,
            )
    ax.set_xscale("log")
    ax.margins(x=0.1)
    ax.set_ylim(len(subjects) - 0.5, -0.7)
    ax.set_yticks(range(len(subjects)), subjects)
    ax.set_xlabel("milliseconds for one call (log scale), medians")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.7g}"))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.spines[["top", "right", "left"]].set_visible(False)
    drawn.legend(loc="outside lower left", ncols=len(DRAWN), frameon=False)
    ax.set_title(textwrap.fill(_finding(measured), LINE))
    return drawn


def _finding(measured: Measurements) -> str:
    """One sentence on ratios, which are what may be true of other machines, too."""
    ours, theirs = (measured.figure(COMPARED, each.name) for each in (EmbeddedAws, PlainMiniStack))
    cold, least = (measured.figure(COLD, each.name) for each in (EmbeddedAws, BareRuntimeApi))
    said = []
    if ours:
        beside = f" ({PlainMiniStack.name}: {theirs.median:.1f} times)" if theirs else ""
        said.append(f"warm calls take {ours.median:.1f} times as long as one that does nothing{beside}")
    if cold and least:
        said.append(f"cold calls {cold.median / least.median:.1f} times as long as the least possible")
    return f"The {EmbeddedAws.name}: {', '.join(said)}"
