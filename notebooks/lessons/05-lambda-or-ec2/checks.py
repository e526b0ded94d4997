"""The checks of notebook 05: what a load costs on Lambda, where a machine costs the same, and three decisions."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from helpers.exercises.exercise import (
    Answer,
    Notes,
    NotSolved,
    WrongAnswer,
    as_word,
    call,
    require_answer,
    require_number,
)
from helpers.exercises.mistakes import Mistake, as_wrong_answers, reason
from helpers.prices import load_prices

HOURS = 365 * 24 / 12  # of a month: 730
MACHINE = "t3.small"
LOADS = ((3, 150, 768), (40, 40, 256))  # requests per second, ms, MB; in a month above the free tier
REQUESTS = ((90, 384), (700, 1536))  # ms, MB
CENTS = 0.005  # a right answer may be rounded to the second decimal

Formula = Callable[..., float]


def cost(
    requests_per_second: float,
    duration_ms: float,
    memory_mb: float,
    *,
    hours: float = HOURS,
    second_ms: float = 1000,
    gb_mb: float = 1024,
    round_ms: int = 1,
    requests: bool = True,
    duration: bool = True,
    free_tier: bool = False,
    architecture: str = "x86_64",
) -> float:
    """USD of a load on Lambda in `hours`; with other values for the keywords, what a wrong formula gives."""
    price = load_prices()["lambda"]
    number = requests_per_second * 3600 * hours
    seconds = math.ceil(duration_ms / round_ms) * round_ms / second_ms
    gb_seconds = number * seconds * memory_mb / gb_mb
    if free_tier:
        number = max(number - price["free_requests"], 0)
        gb_seconds = max(gb_seconds - price["free_gb_seconds"], 0)
    gb_second: float = price["gb_second"][architecture]
    return requests * number * float(price["request"]) + duration * gb_seconds * gb_second


def meet(
    duration_ms: float, memory_mb: float, *, machine: str = MACHINE, region: str = "ap-northeast-1", **wrong: Any
) -> float:
    """The requests per second at which a machine costs what Lambda does; `wrong` as for cost()."""
    machine_hour: float = load_prices(region)["ec2_hour"][machine]
    return machine_hour / cost(1, duration_ms, memory_mb, hours=1, **wrong)


def fleet(peak: float, duration_ms: float, memory_mb: float, zones: int) -> tuple[int, float]:
    """How many machines serve the peak, each as many requests at once as fit into it, and their USD a month."""
    prices = load_prices()
    at_once = prices["ec2"][MACHINE]["memory_mb"] // memory_mb
    number = max(math.ceil(peak * duration_ms / 1000 / at_once), zones)
    return number, number * prices["ec2_hour"][MACHINE] * HOURS


class Case(NamedTuple):
    """A load to decide on, as the notebook shows it."""

    average: float  # requests per second
    peak: float
    duration_ms: float
    memory_mb: int
    zones: int

    def sums(self) -> dict[str, float]:
        """USD a month, by choice."""
        on_ec2 = fleet(self.peak, self.duration_ms, self.memory_mb, self.zones)[1]
        return {"lambda": cost(self.average, self.duration_ms, self.memory_mb), "ec2": on_ec2}

    def cheaper(self) -> str:
        sums = self.sums()
        return min(sums, key=sums.__getitem__)


CASES = {
    "webhook": Case(0.02, 1, 300, 256, 1),
    "sensors": Case(150, 160, 50, 128, 2),
    "tickets": Case(1.5, 300, 400, 512, 2),
}
REASONS = {
    "webhook": "a machine would wait for a call every fifty seconds, and cost the same as a busy one.",
    "sensors": "a load that never rests keeps two machines at work, and Lambda takes its price for every request.",
    "tickets": "EC2 is paid for the peak, all month, and the peak is 200 times the average.",
}


def judge_cost(lambda_cost: Formula) -> Notes:
    names = ("requests_per_second", "duration_ms", "memory_mb")
    _compare(lambda_cost, cost, LOADS, names, "USD", WRONG_COSTS)
    return []


def judge_rate(break_even: Formula) -> Notes:
    _compare(break_even, meet, REQUESTS, ("duration_ms", "memory_mb"), "requests per second", WRONG_RATES)
    return []


def _with(formula: Formula, **wrong: Any) -> Formula:
    return lambda *arguments: formula(*arguments, **wrong)


MB_BY_1000 = "the memory was divided by 1000; a GB has 1024 MB."
MB = "the memory went in as MB; divide it by 1024, since the price is for a GB."
MS = "the duration went in as milliseconds; divide it by 1000, since the price is for a second."
MS_AND_MB = "duration and memory went in as ms and MB; the price is for a second and a GB: divide both."
NO_DURATION = "the GB-seconds are missing; a request costs its duration times its memory, too."
MONTH = "that is a month of {} days; a month of HOURS has 730 hours."
WRONG_COSTS = (
    Mistake("free tier", _with(cost, free_tier=True), "that is with the free tier taken off; leave it out."),
    Mistake("30 days", _with(cost, hours=30 * 24), MONTH.format(30)),
    Mistake("30.5 days", _with(cost, hours=30.5 * 24), MONTH.format(30.5)),
    Mistake("31 days", _with(cost, hours=31 * 24), MONTH.format(31)),
    Mistake(
        "no request",
        _with(cost, requests=False),
        "the price of the requests is missing; add it to that of their GB-seconds.",
    ),
    Mistake("no duration", _with(cost, duration=False), NO_DURATION),
    Mistake("MB by 1000", _with(cost, gb_mb=1000), MB_BY_1000),
    Mistake("MB", _with(cost, gb_mb=1), MB),
    Mistake("ms", _with(cost, second_ms=1), MS),
    Mistake("ms and MB", _with(cost, second_ms=1, gb_mb=1), MS_AND_MB),
    Mistake(
        "ms by 1024", _with(cost, second_ms=1024), "the duration was divided by 1024; a second has 1000 milliseconds."
    ),
    Mistake("arm64", _with(cost, architecture="arm64"), "that is the price of arm64; take x86_64."),
    Mistake(
        "100 ms",
        _with(cost, round_ms=100),
        "that rounds the duration up to 100 ms, as Lambda did until 2020; now it is billed by the ms.",
    ),
    Mistake("an hour", _with(cost, hours=1), "that is what one hour costs; multiply by HOURS."),
    Mistake("a day", _with(cost, hours=24), "that is what one day costs; a month has HOURS hours."),
    Mistake("a second", _with(cost, hours=1 / 3600), "that is what one second costs; count the requests of a month."),
    Mistake("no 3600", _with(cost, hours=HOURS / 3600), "an hour has 3600 seconds; multiply the rate by them, too."),
    Mistake("60", _with(cost, hours=HOURS / 60), "an hour has 3600 seconds, and not 60."),
    Mistake("cents", lambda *load: 100 * cost(*load), "that is in cents; return dollars."),
    Mistake("dollars", lambda *load: round(cost(*load)), "that is rounded; return the cents as well."),
)


def _meet_with_free_tier(duration_ms: float, memory_mb: float) -> float:
    price = load_prices()["lambda"]
    free: float = price["free_requests"] * price["request"] + price["free_gb_seconds"] * price["gb_second"]["x86_64"]
    month = cost(1, duration_ms, memory_mb)
    return meet(duration_ms, memory_mb) + free / month


WRONG_RATES = (
    Mistake(
        "no request",
        _with(meet, requests=False),
        "the price of a request itself is missing; add it to that of its GB-seconds.",
    ),
    Mistake("no duration", _with(meet, duration=False), NO_DURATION),
    Mistake(
        "inverted",
        lambda *each: 1 / meet(*each),
        "that is upside down; divide the machine's price by that of a request.",
    ),
    Mistake(
        "per hour",
        lambda *each: 3600 * meet(*each),
        "that is per hour, as the machine's price; the rate is asked per second: divide by 3600.",
    ),
    Mistake("per minute", lambda *each: 60 * meet(*each), "that is per minute; the rate is asked per second."),
    Mistake("per day", lambda *each: 86_400 * meet(*each), "that is per day; the rate is asked per second."),
    Mistake("per month", lambda *each: HOURS * 3600 * meet(*each), "that is per month; the rate is asked per second."),
    Mistake(
        "month by hour",
        lambda *each: HOURS * meet(*each),
        "that takes the machine for a month and the requests for an hour; take both for the same time.",
    ),
    Mistake(
        "hour by month",
        lambda *each: meet(*each) / HOURS,
        "that takes the machine for an hour and the requests for a month; take both for the same time.",
    ),
    Mistake("t4g", _with(meet, machine="t4g.small"), f"that is the price of t4g.small; take {MACHINE}."),
    Mistake("Virginia", _with(meet, region="us-east-1"), "that is the machine's price in N. Virginia; take Tokyo's."),
    Mistake("arm64", _with(meet, architecture="arm64"), "that is Lambda's price for arm64; take x86_64."),
    Mistake("MB by 1000", _with(meet, gb_mb=1000), MB_BY_1000),
    Mistake("MB", _with(meet, gb_mb=1), MB),
    Mistake("ms", _with(meet, second_ms=1), MS),
    Mistake("ms and MB", _with(meet, second_ms=1, gb_mb=1), MS_AND_MB),
    Mistake("free tier", _meet_with_free_tier, "that is with the free tier; leave it out."),
    Mistake("up", lambda *each: math.ceil(meet(*each)), "that is rounded up; return the rate as it is."),
    Mistake("rounded", lambda *each: round(meet(*each)), "that is rounded; return the rate as it is."),
)


def _compare(
    function: Formula,
    right: Formula,
    examples: Sequence[Sequence[float]],
    names: Sequence[str],
    unit: str,
    mistakes: Sequence[Mistake],
) -> None:
    """NotSolved, with the reason where one of the mistakes explains it, unless the reader's function is right."""
    found = [_number(function, example) for example in examples]
    wanted = [right(*example) for example in examples]
    if _same(found, wanted, CENTS):
        return
    place = next(place for place, value in enumerate(found) if not _same([value], [wanted[place]], CENTS))
    arguments = ", ".join(f"{value:g}" for value in examples[place])
    says = f"{function.__name__}({arguments}) returned {found[place]:,.6g} where {wanted[place]:,.6g} {unit} is right"
    why = reason(mistakes, lambda formula: _same(found, [formula(*example) for example in examples]))
    if why:
        raise NotSolved(f"{says}: {why}")
    for number, name in enumerate(names):
        other = [*examples[0][:number], examples[0][number] * 3, *examples[0][number + 1 :]]
        if _same([_number(function, other)], found[:1]):
            raise NotSolved(f"{says}: it does not depend on {name}.")
    raise NotSolved(f"{says}; compute one request by hand, and compare each step.")


def _number(function: Formula, arguments: Sequence[float]) -> float:
    value = call(function, *arguments)
    require_answer(function.__name__, value)
    return require_number(function.__name__, value)


def _same(found: Sequence[float], wanted: Sequence[float], within: float = 0) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(math.isclose(value, right, rel_tol=1e-3, abs_tol=within) for value, right in pairs)


def judge_choices(choices: dict[str, Any]) -> Notes:
    for name, case in CASES.items():
        _judge_choice(name, case, choices.get(name, "?"))
    if strange := [str(name) for name in choices if name not in CASES]:
        raise NotSolved(f"There is no case {', '.join(strange)}; the cases are {', '.join(CASES)}.")
    return []


def _judge_choice(name: str, case: Case, choice: Any) -> None:
    choice = as_word(choice)  # "EC2" is its name, too
    if choice == "?":
        raise NotSolved(f'{name} is not decided yet; compute both sums and write "lambda" or "ec2".')
    sums = case.sums()
    if not isinstance(choice, str) or choice not in sums:
        raise NotSolved(f'{name} is {choice!r}; write "lambda" or "ec2".')
    if choice != case.cheaper():
        number, on_ec2 = fleet(case.peak, case.duration_ms, case.memory_mb, case.zones)
        machines = f"{number} {MACHINE}" if number > 1 else f"one {MACHINE}"
        raise NotSolved(
            f"{name}: Lambda costs {sums['lambda']:,.2f} USD a month and {machines} {on_ec2:,.2f}, "
            f"so {choice!r} is the dearer choice: {REASONS[name]}"
        )


def _decided(case: str, choice: Any, says: str) -> WrongAnswer:
    """One wrong decision among right ones."""
    right = {name: each.cheaper() for name, each in CASES.items()}
    return WrongAnswer(f"{case} is {choice}", right | {case: choice}, says)


LAMBDA_COST = Answer(
    number="05.1",
    title="what a load costs on Lambda",
    asks_for="lambda_cost",
    judge=judge_cost,
    hints=(
        "How many requests come in a month, and what does one of them cost?",
        "A month has requests_per_second * 3600 * HOURS requests.",
        "One request costs per_request + duration_ms / 1000 * memory_mb / 1024 * per_gb_second.",
        "Multiply the two, and return the product.",
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_COSTS),
        WrongAnswer(
            "hard-coded", lambda *load: 4.91, "returned 4.91 where .* it does not depend on requests_per_second"
        ),
        WrongAnswer("no memory", lambda rate, ms, mb: cost(rate, ms, 512), "it does not depend on memory_mb"),
        WrongAnswer("something else", lambda *load: cost(*load) * 1.7, "compute one request by hand"),
        WrongAnswer("nan", lambda *load: math.nan, "returned nan where"),
        WrongAnswer("text", lambda *load: f"{cost(*load):.2f}", "returned a str; return one number"),
        WrongAnswer("nothing", lambda *load: None, "returned nothing; let it end with `return` and one number"),
        WrongAnswer("raises", lambda *load: load_prices()["price"], "raised KeyError: 'price'; call it yourself"),
    ),
)
BREAK_EVEN = Answer(
    number="05.2",
    title="where the two meet",
    asks_for="break_even",
    judge=judge_rate,
    hints=(
        "What does one request cost on Lambda? It has two parts, as in exercise 1.",
        "How many such requests does the machine's price of an hour pay for?",
        "machine_hour / one_request is per hour, and an hour has 3600 seconds.",
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_RATES),
        WrongAnswer("constant", lambda *each: 4.05, "does not depend on duration_ms"),
        WrongAnswer("text", lambda *each: "4.05", "returned a str; return one number"),
    ),
)
CHOICES = Answer(
    number="05.3",
    title="three decisions",
    asks_for="choices",
    form="dict",
    judge=judge_choices,
    hints=(
        "Two figures for each case: lambda_month with its average, ec2_month with its peak and its zones.",
        'row = cases.loc["webhook"] gives a case; row["average"] is its average.',
        'lambda_month(row["average"], row["duration_ms"], row["memory_mb"]) against '
        'ec2_month(row["peak"], row["duration_ms"], row["memory_mb"], zones=row["zones"]).',
    ),
    wrong_answers=(
        _decided(
            "webhook", "ec2", r"Lambda costs 0\.08 USD a month and one t3\.small 19\.86, so 'ec2' is the dearer .*wait"
        ),
        _decided("sensors", "lambda", r"Lambda costs 119\.90 USD a month and 2 t3\.small 39\.71, .*never rests"),
        _decided("tickets", "ec2", r"Lambda costs 13\.93 USD a month and 30 t3\.small 595\.68, .*paid for the peak"),
        _decided("webhook", "?", "webhook is not decided yet"),
        _decided("sensors", "t3.small", """sensors is 't3.small'; write "lambda" or "ec2\""""),
        _decided("tickets", ["lambda"], "tickets is .'lambda'.; write"),
        _decided("chat", "ec2", "There is no case chat; the cases are webhook, sensors, tickets"),
        WrongAnswer("one alone", {"webhook": "lambda"}, "sensors is not decided yet"),
    ),
)
EXERCISES = (LAMBDA_COST, BREAK_EVEN, CHOICES)
