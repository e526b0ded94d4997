"""explore() shows a picture beside a control for each of its inputs; where nothing is interactive, it stays."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import matplotlib.pyplot as plt
from IPython.core.pylabtools import print_figure
from IPython.display import display
from ipywidgets import Box, Dropdown, Label, Layout, Output, SelectionSlider, VBox

from ..arguments import CALLABLE, ArgumentError, shown, takes
from . import alt_text

NARROW = Layout(width="12em")
WIDE = Layout(flex="1 1 26em", min_width="0")  # a picture shrinks, so that it fits beside its controls on a projector
IN_A_ROW = Layout(display="flex", flex_flow="row wrap", align_items="flex-start")


@takes(draw=CALLABLE)
def explore(draw: Callable[..., Any], **choices: Iterable[Any]) -> None:
    """Show what `draw` returns, an Axes or a Figure, and draw it anew whenever an input is changed.

    `choices` gives the values of each parameter: numbers get a slider, anything else a list to choose from:
    explore(draw, memory_mb=[128, 256, 512], language=["Python", "Ruby"]). Each begins at the default that `draw` has
    for its parameter, and so does the picture that a saved notebook keeps.

    Raises ArgumentError when `draw` has no such parameter, or when its default is not among the choices.
    """
    if not choices:
        raise ArgumentError("explore() needs the values of a parameter, such as memory_mb=[128, 256, 512].")
    for name, values in choices.items():
        if not isinstance(values, Iterable) or isinstance(values, str):
            raise ArgumentError(f"explore() takes as {name} a list of its values, and not {shown(values)}.")
    controls = {name: _control(draw, name, list(values)) for name, values in choices.items()}

    def picture() -> dict[str, Any]:
        return _picture(draw(**{name: control.value for name, control in controls.items()}))

    first = picture()
    drawn = Output(outputs=(first,), layout=WIDE)

    def redraw(change: dict[str, Any]) -> None:
        drawn.outputs = (picture(),)

    for control in controls.values():
        control.observe(redraw, names="value")
    labelled = [part for name, control in controls.items() for part in (Label(_label(name)), control)]
    beside = Box([VBox(labelled), drawn], layout=IN_A_ROW)
    # beside the widgets, what a page without them shows
    display({**beside._repr_mimebundle_(), **first["data"]}, metadata=first["metadata"], raw=True)


def _picture(drawn: Any) -> dict[str, Any]:
    """An Axes or a Figure as the output of a cell, with its alternative text."""
    figure = getattr(drawn, "figure", None) or drawn
    plt.close(figure)  # otherwise Jupyter shows it once more when the cell ends
    alt = alt_text.of(figure)
    data = {"image/png": print_figure(figure, base64=True), "text/plain": alt}
    return {"output_type": "display_data", "data": data, "metadata": {"image/png": {"alt": alt}}}


def _label(name: str) -> str:
    """E.g. "memory MB" for memory_mb."""
    return " ".join({"mb": "MB"}.get(word, word) for word in name.split("_"))


def _said(value: Any) -> str:
    """E.g. "1,024", and "100 million": a slider has a narrow place for its value, and cuts what is longer."""
    if not isinstance(value, int | float):
        return str(value)
    return f"{value // 1_000_000:,.0f} million" if value and value % 1_000_000 == 0 else f"{value:,}"


def _control(draw: Callable[..., Any], name: str, values: list[Any]) -> SelectionSlider | Dropdown:
    try:
        parameters = inspect.signature(draw).parameters
    except ValueError:  # of some functions that Python brings along
        raise ArgumentError("explore() cannot tell the parameters of this function; give one of your own.") from None
    if name not in parameters:
        raise ArgumentError(f"{draw.__name__} has no parameter {name!r}; it has: {', '.join(parameters)}.")
    default = parameters[name].default
    if default not in values:
        raise ArgumentError(f"The choices for {name} lack its default, {default!r}; add it to them.")
    labels = [(_said(value), value) for value in values]
    if all(isinstance(value, int | float) for value in values):
        return SelectionSlider(options=labels, value=default, continuous_update=False, layout=NARROW)
    return Dropdown(options=labels, value=default, layout=NARROW)
