"""The picture of the guesses: how many times too high or too low each was, on a logarithmic scale.

Plain SVG in the page, whose colours and letters are the page's, by its style sheet.
"""

import math
from dataclasses import dataclass

from .guesses import Guess
from .strings import words

MOST = 100.0  # times; what is farther stands at the edge
WIDTH, LEFT, RIGHT, ROW, TOP = 640, 64, 24, 22, 34


@dataclass(frozen=True)
class Mark:
    """One guess in the picture."""

    key: str
    verdict: str
    x: float
    y: float
    is_beyond: bool  # it stands at the edge

    @property
    def arrow(self) -> str:
        """The path of an arrow, outwards."""
        tip = 7 if self.x > WIDTH / 2 else -7
        return f"M{self.x + tip},{self.y} l{-2 * tip},-6 v12 z"


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    marks: list[Mark]
    width: int
    height: int
    left: float
    right: float
    ticks: list[tuple[float, str]]
    exact: float
    told: str  # the same in words


def chart(guesses: list[Guess]) -> Chart | None:
    """The picture of the guesses that are numbers; None for fewer than two."""
    shown = [each for each in guesses if each.ratio]
    if len(shown) < 2:
        return None
    marks = [
        Mark(each.key, each.verdict.value, _x(each.ratio or 1), TOP + ROW * (place + 0.5), _is_beyond(each.ratio or 1))
        for place, each in enumerate(shown)
    ]
    told = ", ".join(words("guesses.chart.item", key=each.key, ratio=f"{each.ratio:.2g}") for each in shown)
    labels = {0.01: "÷100", 0.1: "÷10", 0.5: "÷2", 1.0: "1", 2.0: "×2", 10.0: "×10", 100.0: "×100"}
    ticks = [(_x(ratio), label) for ratio, label in labels.items()]
    return Chart(marks, WIDTH, TOP + ROW * len(shown) + 8, LEFT, WIDTH - RIGHT, ticks, _x(1), told)


def _is_beyond(ratio: float) -> bool:
    return not 1 / MOST <= ratio <= MOST


def _x(ratio: float) -> float:
    place = math.log10(min(max(ratio, 1 / MOST), MOST)) / math.log10(MOST)  # from -1 to 1
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (place + 1) / 2, 1)
