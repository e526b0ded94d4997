"""The checks of notebook 10: right answers pass, and every table of the checks is complete."""

import re

import pytest
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, lessons
from helpers.session import progress

checks = checks_of("10")
speaks_for = checks.speaks_for({})


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook("10", break_even=checks.break_even(), boxes={})


# 10.1


def test_speaks_for_passes():
    check("10.1", speaks_for)
    assert progress.solved() == {"10.1"}


def test_the_answer_of_the_notebook_passes(notebook):
    notebook.run("speaks-for")
    check("10.1", notebook.speaks_for)
    assert progress.solved() == {"10.1"}


def test_the_starter_is_refused():
    starter = Starter("10")
    starter.run("speaks-for")
    assert "speaks_for is not written yet" in refused("10.1", starter.speaks_for)


def test_every_trial_has_its_sentence_for_every_reason_that_may_be_wrong():
    for trial in checks.TRIALS:
        assert speaks_for(trial.case) == [reason for reason in checks.REASONS if reason in trial.reasons]
        assert trial.look_at.keys() == set(checks.REASONS)


# 10.2


def test_the_piles_of_the_notebook_pass(notebook, capsys):
    notebook.run("sorted-cards")
    check("10.2", notebook.sorted_cards)
    assert "reasonable people differ on film and discount" in capsys.readouterr().out
    assert progress.solved() == {"10.2"}


@pytest.mark.parametrize("name", checks.CARDS)
def test_each_pile_either_passes_or_has_a_reason(name):
    card = checks.CARDS[name]
    assert {*card.piles, *card.instead} == set(checks.PILES)
    assert not set(card.piles) & set(card.instead)
    for pile in card.piles:
        check("10.2", checks.RIGHT_PILES | {name: pile})
    assert progress.solved() == {"10.2"}


def test_the_reasons_of_the_cards_are_all_different():
    reasons = [reason for card in checks.CARDS.values() for reason in card.instead.values()]
    assert len(set(reasons)) == len(reasons)


def test_the_last_hint_names_right_piles():
    named = dict(re.findall(r"(Fits|Does not fit): ([^.]+)\.", lessons.exercises()["10.2"].hints[-1]))
    piles = {card: pile.lower() for pile, names in named.items() for card in names.split(", ")}
    check("10.2", dict.fromkeys(checks.CARDS, "repair first") | piles)
    assert progress.solved() == {"10.2"}
