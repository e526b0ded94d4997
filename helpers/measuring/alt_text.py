"""Gives every chart that a notebook shows an alternative text: its titles, which state the finding, and its axes.

It stands in the metadata of the output, where nbconvert's template "classic" finds it.
"""

from typing import Any

from IPython import get_ipython
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def of(figure: Figure) -> str:
    """What a chart shows, in words, e.g. "Cold starts take 9 times as long as warm calls. Across: Duration, ms."."""
    titles = [figure.get_suptitle(), *(_title(ax) for ax in figure.axes)]
    axes = [label for ax in figure.axes for label in _labels(ax)]
    parts = list(dict.fromkeys(filter(None, titles + axes)))
    return " ".join(f"{' '.join(part.split()).rstrip('.')}." for part in parts)


def install() -> None:
    """Have the running notebook, if there is one, give every figure this text, as `alt` of its PNG."""
    if shell := get_ipython():
        # beside the formatter that draws the figure, and thus whatever backend draws it
        shell.display_formatter.mimebundle_formatter.for_type(Figure, _metadata)


def _metadata(figure: Figure, *_: Any, **__: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, {"image/png": {"alt": of(figure)}}


def _title(ax: Axes) -> str:
    return ax.get_title(loc="left") or ax.get_title(loc="center")


def _labels(ax: Axes) -> list[str]:
    across, upward = ax.get_xlabel(), ax.get_ylabel()
    return [*([f"Across: {across}"] if across else []), *([f"Upward: {upward}"] if upward else [])]
