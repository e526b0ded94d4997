"""predict() keeps what the reader expects, in a box or without one; predicted() shows it beside the measurement."""

import importlib

import pytest
from ipywidgets import Dropdown, Text
from ipywidgets.widgets.widget import _instances

from helpers import predict, predicted
from helpers.arguments import ArgumentError
from helpers.session import progress


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


@pytest.fixture
def shown(monkeypatch) -> list:
    kept: list = []
    module = importlib.import_module("helpers.session.predict")
    monkeypatch.setattr(module, "display", lambda thing, raw=False: kept.append(thing))
    return kept


def box_of(shown):
    """The box that the last display shows."""
    model = shown[-1]["application/vnd.jupyter.widget-view+json"]["model_id"]
    return _instances[model].children[0]


def test_a_box_keeps_what_is_typed_and_shows_it_again(shown):
    predict("02.a")
    assert isinstance(box_of(shown), Text)
    box_of(shown).value = " 12 "
    assert progress.prediction("02.a") == "12"
    predict("02.a")
    assert box_of(shown).value == "12"
    box_of(shown).value = ""
    assert progress.prediction("02.a") == ""


def test_choices_are_a_list_that_begins_with_none(shown):
    predict("03.b", choices=["cheaper", "the same"])
    assert isinstance(box_of(shown), Dropdown)
    assert box_of(shown).value == ""
    box_of(shown).value = "the same"
    assert progress.prediction("03.b") == "the same"


def test_without_widgets_the_prediction_is_an_argument_and_the_page_shows_text(shown):
    predict("02.a", 12)
    assert progress.prediction("02.a") == "12"
    assert shown[-1]["text/plain"] == "You predict: 12"


def test_what_is_no_choice_is_one_sentence_and_nothing_is_kept(shown):
    with pytest.raises(ArgumentError, match="'dear' is not among the choices; take one of cheaper, the same"):
        predict("03.b", "dear", choices=["cheaper", "the same"])
    assert progress.prediction("03.b") == ""


def test_a_choice_that_a_later_workshop_no_longer_has_is_no_choice(shown):
    predict("03.b", "old")
    predict("03.b", choices=["new"])
    assert box_of(shown).value == ""


@pytest.mark.parametrize(
    ("expected", "text"),
    [("12", "You predicted **12**. Measured: **7 calls**."), ("", "You made no prediction. Measured: **7 calls**.")],
)
def test_the_prediction_is_shown_beside_the_measurement(expected, text, shown):
    progress.keep_prediction("02.a", expected)
    predicted("02.a", "7 calls")
    assert shown[-1].data == text


def test_predictions_leave_the_exercises_alone(shown):
    progress.solve("02.1")
    predict("02.a", 5)
    progress.forget(["02.1"])
    assert progress.prediction("02.a") == "5"
