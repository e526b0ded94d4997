"""The checks of notebook 05: right answers pass, wrong ones get their sentence."""

import math
import re

import pytest
from notebook_cells import refused

from helpers import checks, load_prices, notebooks, progress, settings
from helpers.notebooks import source

PRICES = load_prices()
PER_GB_SECOND, PER_REQUEST = PRICES["lambda"]["gb_second"]["x86_64"], PRICES["lambda"]["request"]
ARM = PRICES["lambda"]["gb_second"]["arm64"]
MACHINE_HOUR = PRICES["ec2_hour"]["t3.small"]
HOURS = 730


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


def exercises(form) -> list[dict]:
    """What the cells of the three exercises define: form is source.solved or source.unsolved."""
    [made_of] = [each for each in notebooks.sources(settings.NOTEBOOKS) if each.name.startswith("05")]
    cells = [text for _, text in made_of.cells if source.SOLUTION.search(text)]
    found = []
    for text in cells[:2]:
        names = {"prices": PRICES, "HOURS": HOURS}
        exec(form(text), names)
        found.append(names)
    return found


def one(duration_ms, memory_mb, gb_second=PER_GB_SECOND, request=PER_REQUEST, ms=1000, mb=1024):
    """What one request costs."""
    return request + duration_ms / ms * memory_mb / mb * gb_second


def a_month(price, hours=HOURS):
    """A lambda_cost that takes `price` for one request."""
    return lambda rate, duration_ms, memory_mb: rate * 3600 * hours * price(duration_ms, memory_mb)


def with_free_tier(rate, duration_ms, memory_mb):
    requests = rate * 3600 * HOURS
    gb_seconds = requests * duration_ms / 1000 * memory_mb / 1024
    return max(requests - 1e6, 0) * PER_REQUEST + max(gb_seconds - 4e5, 0) * PER_GB_SECOND


RIGHT = a_month(one)


def test_the_answers_of_the_notebook_pass(capsys):
    first, second = exercises(source.solved)
    checks.check("05.1", first["lambda_cost"])
    checks.check("05.2", second["break_even"])
    assert progress.solved() == {"05.1", "05.2"}
    assert "Exercise 05.2" in capsys.readouterr().out


def test_the_starters_fail():
    first, second = exercises(source.unsolved)
    assert "lambda_cost is not written yet (Multiply the requests" in refused("05.1", first["lambda_cost"])
    assert "break_even is not written yet (Divide the price" in refused("05.2", second["break_even"])


def test_a_check_without_a_function_asks_for_it():
    assert 'check("05.1", lambda_cost)' in refused("05.1")
    assert 'check("05.2", break_even)' in refused("05.2", 4.05)
    assert 'check("05.3", choices)' in refused("05.3")


def test_cents_may_be_rounded():
    checks.check("05.1", lambda *load: round(RIGHT(*load), 2))
    checks.check("05.2", lambda *each: round(MACHINE_HOUR / 3600 / one(*each), 2))
    assert progress.solved() == {"05.1", "05.2"}


WRONG_COSTS = {
    "free tier": (with_free_tier, "free tier taken off"),
    "30 days": (a_month(one, 30 * 24), "a month of 30 days; a month of HOURS has 730 hours"),
    "30.5 days": (a_month(one, 30.5 * 24), "a month of 30.5 days"),
    "31 days": (a_month(one, 31 * 24), "a month of 31 days"),
    "no request": (a_month(lambda *each: one(*each, request=0)), "price of the requests is missing"),
    "no duration": (a_month(lambda *each: PER_REQUEST), "GB-seconds are missing"),
    "mb by 1000": (a_month(lambda *each: one(*each, mb=1000)), "divided by 1000; a GB has 1024 MB"),
    "mb": (a_month(lambda *each: one(*each, mb=1)), "memory went in as MB"),
    "ms": (a_month(lambda *each: one(*each, ms=1)), "duration went in as milliseconds"),
    "ms and mb": (a_month(lambda *each: one(*each, ms=1, mb=1)), "duration and memory went in as ms and MB"),
    "ms by 1024": (a_month(lambda *each: one(*each, ms=1024)), "a second has 1000 milliseconds"),
    "arm": (a_month(lambda *each: one(*each, gb_second=ARM)), "price of arm64"),
    "100 ms": (a_month(lambda ms, mb: one(math.ceil(ms / 100) * 100, mb)), "up to 100 ms, as Lambda did until 2020"),
    "an hour": (a_month(one, 1), "what one hour costs"),
    "a day": (a_month(one, 24), "what one day costs"),
    "a second": (a_month(one, 1 / 3600), "what one second costs"),
    "no 3600": (a_month(one, HOURS / 3600), "an hour has 3600 seconds; multiply"),
    "60": (a_month(one, HOURS / 60), "an hour has 3600 seconds, and not 60"),
    "cents": (lambda *load: 100 * RIGHT(*load), "that is in cents"),
    "dollars": (lambda *load: int(RIGHT(*load) + 0.5), "rounded; return the cents"),
    "hard-coded": (lambda *load: 4.91, "returned 4.91 where .* it does not depend on requests_per_second"),
    "no memory": (lambda rate, ms, mb: RIGHT(rate, ms, 512), "it does not depend on memory_mb"),
    "something else": (lambda *load: RIGHT(*load) * 1.7, "compute one request by hand"),
    "nan": (lambda *load: math.nan, "returned nan where"),
    "text": (lambda *load: f"{RIGHT(*load):.2f}", "returned a str; return one number"),
    "nothing": (lambda *load: None, "returned nothing; let it end with `return` and one number"),
    "raises": (lambda *load: {}["price"], "raised KeyError: 'price'; call it yourself"),
}


@pytest.mark.parametrize("answer", WRONG_COSTS)
def test_a_wrong_cost_gets_its_sentence(answer):
    function, says = WRONG_COSTS[answer]
    text = refused("05.1", function)
    assert re.search(says, text), text


def rate(duration_ms, memory_mb, hour=MACHINE_HOUR, **price):
    return hour / 3600 / one(duration_ms, memory_mb, **price)


WRONG_RATES = {
    "no request": (lambda *each: rate(*each, request=0), "price of a request itself is missing"),
    "no duration": (lambda *each: MACHINE_HOUR / 3600 / PER_REQUEST, "GB-seconds are missing"),
    "inverted": (lambda *each: 1 / rate(*each), "upside down"),
    "per hour": (lambda *each: MACHINE_HOUR / one(*each), "per hour, as the machine's price; .* divide by 3600"),
    "per minute": (lambda *each: 60 * rate(*each), "that is per minute"),
    "per day": (lambda *each: 86_400 * rate(*each), "that is per day"),
    "per month": (lambda *each: HOURS * 3600 * rate(*each), "that is per month"),
    "month by hour": (lambda *each: HOURS * rate(*each), "the machine for a month and the requests for an hour"),
    "hour by month": (lambda *each: rate(*each) / HOURS, "the machine for an hour and the requests for a month"),
    "t4g": (lambda *each: rate(*each, hour=PRICES["ec2_hour"]["t4g.small"]), "price of t4g.small"),
    "Virginia": (lambda *each: rate(*each, hour=load_prices("us-east-1")["ec2_hour"]["t3.small"]), "N. Virginia"),
    "arm": (lambda *each: rate(*each, gb_second=ARM), "price for arm64"),
    "mb by 1000": (lambda *each: rate(*each, mb=1000), "divided by 1000; a GB has 1024 MB"),
    "mb": (lambda *each: rate(*each, mb=1), "memory went in as MB"),
    "ms": (lambda *each: rate(*each, ms=1), "duration went in as milliseconds"),
    "ms and mb": (lambda *each: rate(*each, ms=1, mb=1), "duration and memory went in as ms and MB"),
    "free tier": (
        lambda *each: (MACHINE_HOUR * HOURS + 1e6 * PER_REQUEST + 4e5 * PER_GB_SECOND) / (HOURS * 3600 * one(*each)),
        "with the free tier",
    ),
    "up": (lambda *each: math.ceil(rate(*each)), "rounded up"),
    "rounded": (lambda *each: round(rate(*each)), "that is rounded; return the rate"),
    "constant": (lambda *each: 4.05, "does not depend on duration_ms"),
    "text": (lambda *each: "4.05", "returned a str; return one number"),
}


@pytest.mark.parametrize("answer", WRONG_RATES)
def test_a_wrong_rate_gets_its_sentence(answer):
    function, says = WRONG_RATES[answer]
    text = refused("05.2", function)
    assert re.search(says, text), text


CHOICES = {"webhook": "lambda", "sensors": "ec2", "tickets": "lambda"}


@pytest.mark.parametrize("written", [str, str.upper, str.title, " {} ".format])
def test_the_right_choices_pass(written):
    checks.check("05.3", {case: written(choice) for case, choice in CHOICES.items()})
    assert progress.solved() == {"05.3"}


@pytest.mark.parametrize(
    ("case", "choice", "says"),
    [
        ("webhook", "ec2", r"Lambda costs 0\.08 USD a month and one t3\.small 19\.86, so 'ec2' is the dearer .*wait"),
        ("sensors", "lambda", r"Lambda costs 119\.90 USD a month and 2 t3\.small 39\.71, .*never rests"),
        ("tickets", "ec2", r"Lambda costs 13\.93 USD a month and 30 t3\.small 595\.68, .*paid for the peak"),
        ("webhook", "?", "webhook is not decided yet"),
        ("sensors", "t3.small", "sensors is 't3.small'; write \"lambda\" or \"ec2\""),
        ("tickets", ["lambda"], "tickets is .'lambda'.; write"),
        ("chat", "ec2", "There is no case chat; the cases are webhook, sensors, tickets"),
    ],
)
def test_a_wrong_choice_gets_its_reason(case, choice, says):
    text = refused("05.3", {**CHOICES, case: choice})
    assert re.search(says, text), text


def test_a_missing_choice_is_not_decided():
    assert "sensors is not decided yet" in refused("05.3", {"webhook": "lambda"})
