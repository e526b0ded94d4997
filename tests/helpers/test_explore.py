"""explore() draws once at the defaults, and anew when a slider is moved."""

import importlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from ipywidgets import VBox

from helpers import explore


class Shown(list):
    """Stands in for IPython's display: keeps what was shown, and what took its place."""

    def __call__(self, thing, display_id=False):
        self.append(thing)
        return self

    def update(self, thing):
        self[-1] = thing


@pytest.fixture
def shown(monkeypatch) -> Shown:
    kept = Shown()
    monkeypatch.setattr(importlib.import_module("helpers.explore"), "display", kept)
    return kept


def draw(memory_mb=512, language="python"):
    _, ax = plt.subplots()
    ax.set_title(f"{memory_mb} MB in {language}", loc="center")
    return ax


def title(figure) -> str:
    return figure.axes[0].get_title()


def test_the_picture_begins_at_the_defaults_and_follows_the_sliders(shown):
    explore(draw, memory_mb=[128, 512, 1024], language=["python", "node"])
    box, figure = shown
    assert isinstance(box, VBox)
    assert title(figure) == "512 MB in python"
    memory, language = box.children
    assert [label for label, _ in memory.options] == ["128", "512", "1,024"]
    memory.value, language.value = 1024, "node"
    assert title(shown[-1]) == "1024 MB in node"
    assert len(shown) == 2, "the picture is replaced, and not shown once more"


def test_no_figure_stays_open(shown):
    before = plt.get_fignums()  # another test may have left one
    explore(draw, memory_mb=[128, 512])
    shown[0].children[0].value = 128
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"memory": [512]}, "draw has no parameter 'memory'; it has: memory_mb, language"),
        ({"memory_mb": [128, 256]}, "The choices for memory_mb lack its default, 512"),
    ],
)
def test_choices_that_do_not_fit_are_said(choices, says, shown):
    with pytest.raises(ValueError, match=says):
        explore(draw, **choices)
    assert shown == []
