"""draw_map() draws the sections of the workshop in their order, those that are here, and what is solved."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from . import progress, settings

# Part of the slides -> number and title of each notebook.
PARTS = {
    "Know Lambda": {
        "01": "What is Lambda?", "02": "Scaling", "03": "Billing", "04": "Cold start",
        "05": "Lambda or EC2?", "06": "Limits", "07": "Databases", "08": "XaaS compared",
    },
    "Hands-on": {"09": "Slack message"},
    "Architectures": {
        "10": "What fits", "11": "Thumbnails", "12": "Night scale-in",
        "13": "Rendering pages", "14": "Event-driven PDF", "15": "What does not fit",
    },
    "Hands-on ": {"16": "S3 to Slack", "17": "S3 list to Slack"},
    "Wrap-up": {"18": "Wrap-up and quiz"},
}  # fmt: skip
COLUMNS, WIDTH, HEIGHT = 4, 2.6, 0.72  # boxes a row; inches of a box and its gap
HERE, NOT_HERE = "#0072B2", "#f0f0f0"
SOLVED = "\N{CHECK MARK}"


def draw_map(ax: Axes | None = None) -> Axes:
    """Draw the map and return the Axes: blue boxes are notebooks in this checkout, grey ones have none yet.

    A notebook whose exercises are all solved has a tick; one that is begun says how many are, e.g. 1/2.
    """
    present = {path.name[:2] for path in settings.NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")}
    rows = [(part if first == 0 else "", list(titles.items())[first : first + COLUMNS])
            for part, titles in PARTS.items() for first in range(0, len(titles), COLUMNS)]  # fmt: skip
    if ax is None:
        _, ax = plt.subplots(figsize=((COLUMNS + 0.8) * WIDTH, len(rows) * HEIGHT + 0.5), layout="constrained")
    for row, (part, boxes) in enumerate(rows):
        ax.text(-0.08, row + 0.4, part.strip(), ha="right", va="center", fontsize=14, weight="bold")
        for column, (number, title) in enumerate(boxes):
            _box(ax, column, row, f"{number}  {title}{_solved(number)}", number in present)
    ax.set_xlim(-0.8, COLUMNS)
    ax.set_ylim(len(rows), -0.1)
    ax.set_axis_off()
    found = sum(number in present for titles in PARTS.values() for number in titles)
    ax.set_title(f"The way through the slides: {found} of 18 sections are here (blue), "
                 f"{progress.summary()}", fontsize=15, loc="left")  # fmt: skip
    return ax


def _solved(number: str) -> str:
    done, exercises = progress.of_notebook(number)
    if not done:
        return ""
    return f"  {SOLVED}" if done == exercises else f"  {done}/{exercises}"


def _box(ax: Axes, column: int, row: int, text: str, present: bool) -> None:
    color = HERE if present else NOT_HERE
    ax.add_patch(FancyBboxPatch((column, row), 0.92, 0.8, boxstyle="round,pad=0,rounding_size=0.06",
                                facecolor=color, edgecolor=color))  # fmt: skip
    ax.text(column + 0.46, row + 0.4, text, ha="center", va="center", fontsize=13,
            color="white" if present else "#666666")  # fmt: skip
