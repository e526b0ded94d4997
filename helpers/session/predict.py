"""predict() asks what the reader expects before something is measured; predicted() shows it beside the measurement."""

from collections.abc import Sequence
from typing import Any

from IPython.display import Markdown, display
from ipywidgets import HTML, Dropdown, HBox, Layout, Text

from ..arguments import TEXT, TEXTS, ArgumentError, takes
from . import progress, record

WIDE = Layout(width="34em")


@takes(key=TEXT, choices=TEXTS)
def predict(key: str, expected: Any = None, *, choices: Sequence[str] = ()) -> None:
    """Show a small box for the reader's prediction, which is kept; a list where there are `choices`.

    `key` is the notebook's number and a letter, e.g. "02.a". Where no widgets work, `expected` says the prediction:
    predict("02.a", 12). Nothing is judged: predicted() shows it beside what was measured.

    Raises ArgumentError for an `expected` that is not among the `choices`.
    """
    if expected is not None:
        if choices and str(expected) not in choices:
            raise ArgumentError(f"{expected!r} is not among the choices; take one of {', '.join(choices)}.")
        _keep(key, str(expected))
    kept = progress.prediction(key)
    said = HTML(_said(kept))
    box = _box(kept, choices)

    def keep(change: dict[str, Any]) -> None:
        _keep(key, change["new"])
        said.value = _said(change["new"])

    box.observe(keep, names="value")
    # beside the widgets, what a page without them shows
    display({**HBox([box, said])._repr_mimebundle_(), "text/plain": _said(kept)}, raw=True)


@takes(key=TEXT)
def predicted(key: str, measured: Any) -> None:
    """Show what the reader predicted under this key, and what was measured."""
    kept = progress.prediction(key)
    yours = f"You predicted **{kept}**." if kept else "You made no prediction."
    record.note("measured", key=key, text=str(measured))
    display(Markdown(f"{yours} Measured: **{measured}**."))


def _keep(key: str, expected: str) -> None:
    before = progress.prediction(key)
    progress.keep_prediction(key, expected)
    if (kept := progress.prediction(key)) != before:  # a cell that runs again predicts nothing new
        record.note("prediction", key=key, text=kept)


def _box(kept: str, choices: Sequence[str]) -> Text | Dropdown:
    if choices:
        return Dropdown(options=["", *choices], value=kept if kept in choices else "", layout=WIDE)
    return Text(value=kept, placeholder="your prediction, then Enter", continuous_update=False, layout=WIDE)


def _said(kept: str) -> str:
    return f"You predict: {kept}" if kept else "What do you predict?"
