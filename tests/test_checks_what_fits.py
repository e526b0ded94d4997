"""Notebook 10: its checks, and what it claims of a burst and of asynchronous calls."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import notebook_cells
import pandas as pd
import pytest
from notebook_cells import refused

from helpers import checks, deploy, progress, reports
from helpers.checks.what_fits import CARDS, PILES, REASONS, TRIALS, _break_even
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source

RIGHT_PILES = {name: card.piles[0] for name, card in CARDS.items()}


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


def cells() -> list[str]:
    return notebook_cells.code("10")


def exercise(place: int) -> str:
    return [text for text in cells() if source.SOLUTION.search(text)][place]


# 10.1


def speaks_for(**changes: Callable[[dict], bool]) -> Callable[[dict], list[str]]:
    """The right answer, except for what is changed."""
    rules = {
        "burst": lambda case: case["peak"] >= 1 and case["peak"] >= 10 * case["mean"],
        "offload": lambda case: case["on the web server now"],
        "event": lambda case: case["started by"] in ("file", "message", "schedule"),
        "async": lambda case: not case["somebody waits"],
        "no_server": lambda case: case["mean"] * case["seconds"] < _break_even(),
    } | changes
    return lambda case: [name.replace("_", " ") for name, holds in rules.items() if holds(case)]


def test_speaks_for_passes():
    checks.check("10.1", speaks_for())
    assert progress.solved() == {"10.1"}


def test_the_answer_of_the_notebook_passes():
    names = {"break_even": _break_even()}
    exec(source.solved(exercise(0)), names)
    checks.check("10.1", names["speaks_for"])


def test_the_starter_is_refused():
    names = {"break_even": _break_even()}
    exec(source.unsolved(exercise(0)), names)
    assert "speaks_for is not written yet" in refused("10.1", names["speaks_for"])


def test_the_break_even_of_the_check_is_the_notebooks():
    [text] = [text for text in cells() if "break_even =" in text]
    lines = [line for line in text.splitlines() if line.startswith(("prices =", "lambda_hour =", "break_even ="))]
    names: dict = {}
    exec("from helpers import load_prices\n" + "\n".join(lines), names)
    assert names["break_even"] == pytest.approx(_break_even()) == pytest.approx(0.2267, abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"burst": lambda c: c["peak"] >= 10 * c["mean"]}, '"burst" does not hold .* less than 1 call per second'),
        ({"burst": lambda c: c["peak"] >= 1 and c["peak"] > 10 * c["mean"]}, '"burst" holds and is missing.*use >='),
        ({"burst": lambda c: c["peak"] >= 1}, '"burst" does not hold .* 90 is not ten times the mean of 40'),
        ({"offload": lambda c: not c["on the web server now"]}, '"offload" does not hold'),
        ({"offload": lambda c: False}, '"offload" holds and is missing'),
        ({"event": lambda c: c["started by"] != "itself"}, '"event" does not hold .* a request is not among'),
        ({"event": lambda c: c["started by"] == "message"}, '"event" holds and is missing .* by a schedule'),
        ({"event": lambda c: c["started by"] in ("message", "schedule")}, '"event" holds .* started by a file'),
        ({"event": lambda c: c["started by"] != "request"}, '"event" does not hold .* runs by itself'),
        ({"async": lambda c: c["somebody waits"]}, '"async" does not hold .* somebody waits'),
        ({"async": lambda c: c["started by"] in ("file", "message", "schedule")}, '"async" .* whatever started it'),
        ({"no_server": lambda c: c["mean"] < _break_even()}, '"no server" does not hold .* multiply mean and seconds'),
        ({"no_server": lambda c: c["seconds"] < _break_even()}, '"no server" holds and is missing'),
        ({"no_server": lambda c: 100 * c["mean"] * c["seconds"] < _break_even()}, "a share from 0 to 1"),
        ({"no_server": lambda c: c["mean"] * c["seconds"] > _break_even()}, '"no server" does not hold'),
        ({"no_server": lambda c: c["mean"] * c["seconds"] < 1}, '"no server" does not hold .* for half of the time'),
    ],
)  # fmt: skip
def test_a_wrong_reason_gets_its_sentence(changed, says):
    assert re.search(says, refused("10.1", speaks_for(**changed)))


def test_the_first_reason_alone_is_recognised():
    assert "test each by an if of its own" in refused("10.1", lambda case: speaks_for()(case)[:1])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda case: None, "returned nothing; let it end with `return found`"),
        (lambda case: "burst", "returned a str; return a list"),
        (lambda case: True, "returned a bool; return a list"),
        (lambda case: ["bursts"], "named 'bursts'; the reasons are burst, offload"),
        (lambda case: case["waits"], "raised KeyError: 'waits'"),
        (lambda case: [], '"burst" holds and is missing'),
        (lambda case: list(REASONS), '"burst" does not hold'),
    ],
)
def test_what_is_no_list_of_reasons_is_said(answer, says):
    assert says in refused("10.1", answer)


def test_every_trial_has_its_sentence_for_every_reason_that_may_be_wrong():
    for trial in TRIALS:
        assert speaks_for()(trial.case) == [reason for reason in REASONS if reason in trial.reasons]
    looked_at = {(i, reason) for i, trial in enumerate(TRIALS) for reason in trial.look_at}
    wanted = {(i, reason) for i in range(len(TRIALS)) for reason in REASONS}
    assert wanted == looked_at


def test_the_cases_of_the_slides_have_the_slides_labels():
    names = {"pd": pd, "break_even": _break_even()}
    [text] = [text for text in cells() if text.startswith("cases = ")]
    exec(text, names)
    found = {case["case"]: speaks_for()(case) for case in names["cases"].to_dict("records")}
    assert {"offload", "event", "async"} <= set(found["thumbnails"])
    assert "no server" in found["night scale-in"]
    assert found["page rendering"] == ["burst", "offload"]
    assert {"offload", "event", "async"} <= set(found["pages of a PDF"])
    assert found["busy API"] == []


# 10.2


def test_the_piles_of_the_notebook_pass(capsys):
    names = {"boxes": {}}
    exec(source.solved(exercise(1)), names)
    checks.check("10.2", names["sorted_cards"])
    assert "reasonable people differ on film and discount" in capsys.readouterr().out
    assert progress.solved() == {"10.2"}


def test_the_cards_of_the_notebook_are_the_checks():
    [text] = [text for text in cells() if text.startswith("cards = ")]
    names: dict = {}
    exec(text.split("\nboxes = ")[0], names)
    assert set(names["cards"]) == set(CARDS)
    assert tuple(names["piles"]) == PILES


@pytest.mark.parametrize("name", CARDS)
def test_each_pile_either_passes_or_is_answered_by_its_reason(name):
    card = CARDS[name]
    assert {*card.piles, *card.instead} == set(PILES)
    assert not set(card.piles) & set(card.instead)
    for pile in card.piles:
        checks.check("10.2", RIGHT_PILES | {name: pile})
    progress.forget(["10.2"])
    for pile, reason in card.instead.items():
        assert f'"{name}" does not belong to "{pile}": {reason}' in refused("10.2", RIGHT_PILES | {name: pile})


def test_the_reasons_of_the_cards_are_all_different():
    reasons = [reason for card in CARDS.values() for reason in card.instead.values()]
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, 'Give the check your dict: check("10.2", sorted_cards)'),
        (dict.fromkeys(CARDS, "choose"), "lie on no pile yet: photos, points"),
        (RIGHT_PILES | {"film": None}, "lie on no pile yet: film"),
        (RIGHT_PILES | {"film": "mend"}, """"film" lies on 'mend'; the piles are fits"""),
        (RIGHT_PILES | {"backup": "fits", "game": "fits"}, "(Then look again at: game.)"),
        (dict.fromkeys(CARDS, "mend first"), '"photos" does not belong to "mend first"'),
        (dict.fromkeys(CARDS, "fits"), '"points" does not belong to "fits"'),
    ],
)
def test_other_answers_are_said(answer, says):
    assert says in refused("10.2", answer)


def test_the_last_hint_names_right_piles():
    named = dict(re.findall(r"(Fits|Does not fit): ([^.]+)\.", checks.EXERCISES["10.2"].hints[-1]))
    piles = {card: pile.lower() for pile, names in named.items() for card in names.split(", ")}
    checks.check("10.2", dict.fromkeys(CARDS, "mend first") | piles)


# What the notebook claims


@pytest.fixture
def sleeper(aws) -> Callable[[str, float], str]:
    """Deploy a function that takes so many seconds, anew; give its name."""

    def make(name: str, seconds: float) -> str:
        remove(aws, Entry("function", aws.name(name)))
        code = f"import time\n\n\ndef handler(event, context):\n    time.sleep({seconds})\n"
        deploy(aws, aws.name(name), {"app.py": code}, MemorySize=256, Timeout=30)
        return aws.name(name)

    return make


def test_a_burst_has_an_environment_and_a_cold_start_for_each_call(aws, sleeper):
    name = sleeper("fits-burst", 3)  # long enough that even on a busy machine no call finds a free environment
    lambda_client, began = aws.client("lambda"), datetime.now(UTC)
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: lambda_client.invoke(FunctionName=name), range(10)))
    calls = reports(aws.client("logs"), name, at_least=10, since=began)
    assert calls["environment"].nunique() == calls["init_ms"].notna().sum() >= 8


def test_an_event_is_accepted_before_its_work_is_done(aws, sleeper):
    name = sleeper("fits-slow", 5)
    lambda_client, logs, began = aws.client("lambda"), aws.client("logs"), datetime.now(UTC)
    answers = [lambda_client.invoke(FunctionName=name, InvocationType="Event") for _ in range(3)]
    answered = time.time()
    assert {answer["StatusCode"] for answer in answers} == {202}
    assert {answer["Payload"].read() for answer in answers} == {b""}
    work = reports(logs, name, at_least=3, since=began)
    ended = work["start"].map(datetime.timestamp) + work["duration_ms"] / 1000
    assert (ended > answered).all()
