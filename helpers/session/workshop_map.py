"""draw_map() draws the lessons of the workshop in their order, and what is solved."""

from itertools import groupby

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from ..arguments import or_none, takes
from ..lessons import Lesson, lessons
from ..plots import AXES, BLUE
from . import progress

COLUMNS, WIDTH, HEIGHT = 4, 2.6, 0.72  # boxes a row; inches of a box and its gap
SOLVED = "\N{CHECK MARK}"


@takes(ax=or_none(AXES))
def draw_map(ax: Axes | None = None) -> Axes:
    """Draw the map, with a box for each notebook of a part, and return the Axes.

    Each box says how many minutes it takes. A notebook whose exercises are all solved has a tick; one that is begun
    says how many are, e.g. 1/2.
    """
    sections = [each for each in lessons() if each.part]
    rows = [
        (part if first == 0 else "", boxes[first : first + COLUMNS])
        for part, group in groupby(sections, lambda lesson: lesson.part)
        for boxes in [list(group)]
        for first in range(0, len(boxes), COLUMNS)
    ]
    if ax is None:
        _, ax = plt.subplots(figsize=((COLUMNS + 0.8) * WIDTH, len(rows) * HEIGHT + 0.5))
    for row, (part, boxes) in enumerate(rows):
        ax.text(-0.08, row + 0.4, part, ha="right", va="center", weight="bold")
        for column, lesson in enumerate(boxes):
            _box(ax, column, row, lesson)
    ax.set_xlim(-0.8, COLUMNS)
    ax.set_ylim(len(rows), -0.1)
    ax.set_axis_off()
    ax.set_title(f"The way through the slides: {len(sections)} notebooks, {progress.summary()}")
    return ax


def _box(ax: Axes, column: int, row: int, lesson: Lesson) -> None:
    style = "round,pad=0,rounding_size=0.06"
    ax.add_patch(FancyBboxPatch((column, row), 0.92, 0.8, boxstyle=style, facecolor=BLUE, edgecolor=BLUE))
    text = f"{lesson.number}  {lesson.title}{_solved(lesson.number)}"
    for height, line, size in ((0.27, text, "medium"), (0.57, f"{lesson.minutes} min", "small")):
        ax.text(column + 0.46, row + height, line, ha="center", va="center", color="white", size=size)


def _solved(number: str) -> str:
    done, exercises = progress.of_notebook(number)
    if not done:
        return ""
    return f"  {SOLVED}" if done == exercises else f"  {done}/{exercises}"
