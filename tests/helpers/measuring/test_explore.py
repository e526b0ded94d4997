"""explore() draws once at the defaults, and anew when a slider is moved."""

import importlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from ipywidgets import Box, Dropdown, Label, Output, SelectionSlider, Widget

from helpers import explore


@pytest.fixture
def shown(monkeypatch) -> list[tuple[dict, dict]]:
    """What was displayed: each bundle, and its metadata."""
    kept: list[tuple[dict, dict]] = []

    def display(bundle, metadata, raw):
        assert raw
        kept.append((bundle, metadata))

    monkeypatch.setattr(importlib.import_module("helpers.measuring.explore"), "display", display)
    return kept


@pytest.fixture
def boxes(monkeypatch) -> list[Box]:
    """The boxes that explore() makes."""
    module, made = importlib.import_module("helpers.measuring.explore"), []

    def box(*arguments, **options):
        made.append(Box(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(module, "Box", box)
    return made


def draw(memory_mb=512, language="python"):
    _, ax = plt.subplots()
    ax.set_title(f"{memory_mb} MB in {language}", loc="center")
    return ax


def controls(box: Box) -> list[Widget]:
    return [part for part in box.children[0].children if not isinstance(part, Label)]


def said(output: Output) -> str:
    """The alternative text of the one picture there."""
    (picture,) = output.outputs
    assert picture["data"]["image/png"]
    return picture["metadata"]["image/png"]["alt"]


def test_a_long_number_fits_into_the_place_that_a_slider_has_for_it(shown, boxes):
    explore(draw, memory_mb=[0, 512, 1_500_000, 100_000_000])
    [slider] = controls(boxes[0])
    assert [text for text, _ in slider.options] == ["0", "512", "1,500,000", "100 million"]


def test_the_picture_begins_at_the_defaults_and_follows_the_controls(shown, boxes):
    explore(draw, memory_mb=[128, 512, 1024], language=["python", "node"])
    (box,) = boxes
    memory, language = controls(box)
    picture = box.children[1]
    assert said(picture) == "512 MB in python."
    assert isinstance(memory, SelectionSlider) and isinstance(language, Dropdown), "words are chosen from a list"
    assert [part.value for part in box.children[0].children if isinstance(part, Label)] == ["memory MB", "language"]
    assert [label for label, _ in memory.options] == ["128", "512", "1,024"]
    memory.value, language.value = 1024, "node"
    assert said(picture) == "1024 MB in node."


def test_a_page_without_widgets_shows_the_first_picture_and_says_it(shown):
    explore(draw, memory_mb=[128, 512])
    ((bundle, metadata),) = shown
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["image/png"].startswith("iVBOR")
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == "512 MB in python."


def test_no_figure_stays_open(shown, boxes):
    before = plt.get_fignums()  # another test may have left one
    explore(draw, memory_mb=[128, 512])
    controls(boxes[0])[0].value = 128
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
