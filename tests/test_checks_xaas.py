"""The checks of notebook 08: right answers pass, wrong ones get their sentence."""

import re

import pytest
from notebook_cells import refused

from helpers import checks, notebooks, progress, settings
from helpers.checks.xaas import CARDS, INCIDENTS, LEVELS
from helpers.notebooks import source

RIGHT_TURNS = {name: list(incident.yours) for name, incident in INCIDENTS.items()}
RIGHT_PLACES = {name: card.fits[0] for name, card in CARDS.items()}


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


def notebook(place: int, solved: bool) -> dict:
    """What an exercise leaves behind, as the author or as the reader has it: its cards, then its cell."""
    [made_of] = [each for each in notebooks.sources(settings.NOTEBOOKS) if each.name.startswith("08")]
    cells = [text for kind, text in made_of.cells if kind == "code"]
    number = [number for number, text in enumerate(cells) if source.SOLUTION.search(text)][place]
    names: dict = {"Markdown": str}
    exec(cells[number - 1], names)
    if solved:
        exec(source.solved(cells[number]), names)
    else:
        with pytest.raises(NotImplementedError):
            exec(source.unsolved(cells[number]), names)
    return names


# 08.1


def test_the_turns_of_the_notebook_pass():
    names = notebook(0, solved=True)
    checks.check("08.1", names["you_act"])
    assert set(names["incidents"]) == set(INCIDENTS)
    assert progress.solved() == {"08.1"}


def test_the_starter_has_no_turns():
    assert "you_act has no answer yet for: disk, kernel" in refused("08.1", notebook(0, solved=False)["you_act"])


def test_sets_and_tuples_of_levels_pass():
    checks.check("08.1", RIGHT_TURNS | {"disk": (), "kernel": {"IaaS"}})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"disk": ["IaaS"]}, '"disk": on IaaS it is not your turn: hardware is the lowest layer'),
        ({"kernel": ["IaaS", "CaaS"]}, '"kernel": on CaaS it is not your turn: the kernel belongs to'),
        ({"kernel": []}, '"kernel": on IaaS it is your turn too'),
        ({"library": ["CaaS"]}, '"library": on IaaS it is your turn too: a system library is part of'),
        ({"library": ["IaaS"]}, '"library": on CaaS it is your turn too'),
        ({"patch": list(LEVELS)}, '"patch": on PaaS and FaaS it is not your turn: the provider patches the runtime'),
        ({"end of support": ["IaaS", "CaaS"]}, '"end of support": on PaaS and FaaS it is your turn too: the provider'),
        ({"end of support": []}, '"end of support": on IaaS, CaaS, PaaS and FaaS it is your turn too'),
        ({"bug": ["FaaS"]}, '"bug": on IaaS, CaaS and PaaS it is your turn too: your code'),
        ({"bug": "FaaS"}, r"""you_act\["bug"\] is 'FaaS'; write a list"""),
        ({"bug": 4}, r'you_act\["bug"\] is 4; write a list'),
        ({"bug": ["Faas"]}, r'you_act\["bug"\] names Faas; the levels are IaaS'),
        ({"bug": None}, "no answer yet for: bug"),
        ({"fire": []}, "has an entry that is no case: fire"),
    ],
)
def test_a_wrong_turn_gets_its_sentence(wrong, says):
    assert re.search(says, refused("08.1", RIGHT_TURNS | wrong))


def test_the_turns_of_the_provider_are_recognised():
    theirs = {name: sorted(set(LEVELS) - set(levels)) for name, levels in RIGHT_TURNS.items()}
    assert "That says where the provider acts" in refused("08.1", theirs)


def test_a_check_without_a_dict_asks_for_it():
    assert 'Give the check your dict: check("08.1", you_act)' in refused("08.1")
    assert 'Give the check your dict: check("08.2", choices)' in refused("08.2", ["IaaS"])


# 08.2


def test_the_choices_of_the_notebook_pass(capsys):
    names = notebook(1, solved=True)
    checks.check("08.2", names["choices"])
    assert set(names["cards"]) == set(CARDS)
    assert "either answer passes: chat (CaaS or PaaS)" in capsys.readouterr().out
    assert progress.solved() == {"08.2"}


def test_the_starter_has_no_choices():
    assert "choices has no answer yet for: driver" in refused("08.2", notebook(1, solved=False)["choices"])


@pytest.mark.parametrize("name", CARDS)
def test_each_level_either_passes_or_is_answered_by_its_reason(name):
    card = CARDS[name]
    assert {*card.fits, *card.instead} == set(LEVELS)
    assert not set(card.fits) & set(card.instead)
    for level in card.fits:
        checks.check("08.2", RIGHT_PLACES | {name: level})
    progress.forget(["08.2"])
    for level, reason in card.instead.items():
        assert f'"{name}" does not belong on {level}: {reason}' in refused("08.2", RIGHT_PLACES | {name: level})


def test_the_reasons_are_all_different():
    reasons = [(name, reason) for name, card in CARDS.items() for reason in card.instead.values()]
    assert len(set(reasons)) == len(reasons)


def test_a_level_that_there_is_not_is_said():
    assert """choices["shop"] is 'paas'; choose one of IaaS""" in refused("08.2", RIGHT_PLACES | {"shop": "paas"})


def test_other_wrong_cards_are_named():
    wrong = RIGHT_PLACES | {"chat": "FaaS", "videos": "FaaS"}
    assert '"chat" does not belong on FaaS: a function handles one event' in refused("08.2", wrong)
    assert "Then look again at: videos" in refused("08.2", wrong)


def test_one_level_for_everything_does_not_pass():
    for level in LEVELS:
        refused("08.2", dict.fromkeys(CARDS, level))


def test_the_last_hint_names_right_answers():
    exercise = checks.EXERCISES["08.2"]
    containers = ("fleet", "chat", "training", "shop", "videos")
    said = {"FaaS": ("report", "thumbnails"), "IaaS": ("driver",), "CaaS": containers}
    checks.check("08.2", {name: level for level, names in said.items() for name in names})
    assert all(name in exercise.hints[-1] for names in said.values() for name in names)
