"""explore() shows a picture with a slider for each of its inputs; where nothing is interactive, the picture stays."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import matplotlib.pyplot as plt
from IPython.display import display
from ipywidgets import Layout, SelectionSlider, VBox

from .arguments import CALLABLE, ArgumentError, shown, takes


@takes(draw=CALLABLE)
def explore(draw: Callable[..., Any], **choices: Iterable[Any]) -> None:
    """Show what `draw` returns, an Axes or a Figure, and draw it anew whenever a slider is moved.

    `choices` gives the values of each parameter that gets a slider: explore(draw, memory_mb=[128, 256, 512]). A slider
    begins at the default that `draw` has for its parameter, and so does the picture that a saved notebook keeps.

    Raises ArgumentError when `draw` has no such parameter, or when its default is not among the choices.
    """
    if not choices:
        raise ArgumentError("explore() needs the values of a parameter, such as memory_mb=[128, 256, 512].")
    for name, values in choices.items():
        if not isinstance(values, Iterable) or isinstance(values, str):
            raise ArgumentError(f"explore() takes as {name} a list of its values, and not {shown(values)}.")
    sliders = {name: _slider(draw, name, list(values)) for name, values in choices.items()}

    def picture() -> Any:
        drawn = draw(**{name: slider.value for name, slider in sliders.items()})
        figure = getattr(drawn, "figure", None) or drawn
        plt.close(figure)  # otherwise Jupyter shows it once more when the cell ends
        return figure

    display(VBox(list(sliders.values())))
    drawn = display(picture(), display_id=True)
    for slider in sliders.values():
        slider.observe(lambda change: drawn.update(picture()), names="value")


def _slider(draw: Callable[..., Any], name: str, values: list[Any]) -> SelectionSlider:
    try:
        parameters = inspect.signature(draw).parameters
    except ValueError:  # of some functions that Python brings along
        raise ArgumentError("explore() cannot tell the parameters of this function; give one of your own.") from None
    if name not in parameters:
        raise ArgumentError(f"{draw.__name__} has no parameter {name!r}; it has: {', '.join(parameters)}.")
    default = parameters[name].default
    if default not in values:
        raise ArgumentError(f"The choices for {name} lack its default, {default!r}; add it to them.")
    labels = [(f"{value:,}" if isinstance(value, int | float) else str(value), value) for value in values]
    return SelectionSlider(
        options=labels,
        value=default,
        description=name.replace("_", " "),
        continuous_update=False,
        style={"description_width": "initial"},
        layout=Layout(width="30em"),
    )
