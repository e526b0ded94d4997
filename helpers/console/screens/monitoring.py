"""The tab Monitoring: the counts of CloudWatch, and the workshop's plots of the last invocations."""

import base64
import io
import threading
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from starlette.responses import Response

from ...errors import WorkshopError
from ...measuring import alt_text
from ..actions import functions, observe
from ..cells import Action
from ..page import Page, Screen

HOURS = (1, 3, 12, 24)
_pyplot = threading.Lock()  # it has one state for all threads


@dataclass(frozen=True)
class Picture:
    """A plot as a page shows it: its address, which holds it, and its alternative text."""

    address: str
    alt: str


def show(page: Page) -> Response:
    name, hours = page.function_name, _hours(page.asked("hours"))
    page.perform(functions.get_configuration, function_name=name)
    metrics = page.read(observe.get_metrics, {}, function_name=name, hours=hours)
    pictures, why = [], ""
    for draw in (observe.draw_durations, observe.draw_timeline):
        try:
            pictures.append(_picture(page, draw, name, hours))
        except WorkshopError as error:  # nothing was invoked, or its lines have not come
            why = str(error)
    return page.render(
        "monitoring.html", tab="monitoring", metrics=metrics, pictures=pictures, why=why, hours=hours, choices=HOURS
    )


def _hours(text: str) -> int:
    return int(text) if text in {str(hours) for hours in HOURS} else HOURS[0]


def _picture(page: Page, draw: Action, name: str, hours: int) -> Picture:
    import matplotlib.pyplot as plt

    with _pyplot:
        axes: Axes = page.perform(draw, function_name=name, hours=hours)
        figure = axes.figure
        assert isinstance(figure, Figure)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", bbox_inches="tight")
        alt = alt_text.of(figure)
        plt.close(figure)
    return Picture("data:image/png;base64," + base64.b64encode(drawn.getvalue()).decode(), alt)


SCREEN = Screen("/functions/{name}/monitoring", show)
