"""The checks of notebook 08: right answers pass, and every card has its reasons."""

import pytest
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, lessons
from helpers.session import progress

checks = checks_of("08")


@pytest.fixture(autouse=True)
def at_the_start(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


def both(*cells: str) -> tuple[Starter, Notebook]:
    """What an exercise leaves behind, as the reader and as the author has it."""
    found = Starter("08"), Notebook("08")
    for notebook in found:
        notebook.run(*cells)
    return found


# 08.1


def test_the_turns_of_the_notebook_pass_and_its_starter_has_none():
    starter, notebook = both("whose-turn")
    assert set(notebook.incidents) == set(checks.INCIDENTS)
    assert "you_act has no answer yet for: disk, kernel" in refused("08.1", starter.you_act)
    check("08.1", notebook.you_act)
    assert progress.solved() == {"08.1"}


def test_sets_and_tuples_of_levels_pass():
    check("08.1", checks.TURNS | {"disk": (), "kernel": {"IaaS"}})
    assert progress.solved() == {"08.1"}


# 08.2


def test_the_choices_of_the_notebook_pass_and_its_starter_has_none(capsys):
    starter, notebook = both("where-to-put-it")
    assert set(notebook.cards) == set(checks.CARDS)
    assert "choices has no answer yet for: driver" in refused("08.2", starter.choices)
    check("08.2", notebook.choices)
    assert "either answer passes: chat (CaaS or PaaS)" in capsys.readouterr().out
    assert progress.solved() == {"08.2"}


@pytest.mark.parametrize("name", checks.CARDS)
def test_each_level_either_passes_or_has_its_reason(name):
    card = checks.CARDS[name]
    assert {*card.fits, *card.instead} == set(checks.LEVELS)
    assert not set(card.fits) & set(card.instead)
    for level in card.fits:
        check("08.2", checks.PLACES | {name: level})
        assert progress.solved() == {"08.2"}
        progress.forget(["08.2"])


def test_the_reasons_are_all_different():
    reasons = [(name, reason) for name, card in checks.CARDS.items() for reason in card.instead.values()]
    assert len(set(reasons)) == len(reasons)


def test_the_last_hint_names_right_answers():
    exercise = lessons.exercises()["08.2"]
    containers = ("fleet", "chat", "training", "shop", "videos")
    said = {"FaaS": ("report", "thumbnails"), "IaaS": ("driver",), "CaaS": containers}
    check("08.2", {name: level for level, names in said.items() for name in names})
    assert progress.solved() == {"08.2"}
    assert all(name in exercise.hints[-1] for names in said.values() for name in names)
