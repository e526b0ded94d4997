"""The checks of notebook 05: what a load costs on Lambda, where a machine costs the same, and three decisions."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..connect import Workshop
from ..prices import load_prices
from .exercise import Exercise, NotSolved, as_word, call, require_answer, require_number

HOURS = 365 * 24 / 12  # of a month: 730
MACHINE = "t3.small"
LOADS = ((3, 150, 768), (40, 40, 256))  # requests per second, ms, MB; in a month above the free tier
REQUESTS = ((90, 384), (700, 1536))  # ms, MB
CENTS = 0.005  # a right answer may be rounded to the second decimal

Formula = Callable[..., float]


def cost(
    requests_per_second: float, duration_ms: float, memory_mb: float, *, hours: float = HOURS, second_ms: float = 1000,
    gb_mb: float = 1024, round_ms: int = 1, requests: bool = True, duration: bool = True, free_tier: bool = False,
    architecture: str = "x86_64",
) -> float:  # fmt: skip
    """USD of a load on Lambda in `hours`; with other values for the keywords, what a wrong formula gives."""
    price = load_prices()["lambda"]
    number = requests_per_second * 3600 * hours
    seconds = math.ceil(duration_ms / round_ms) * round_ms / second_ms
    gb_seconds = number * seconds * memory_mb / gb_mb
    if free_tier:
        number = max(number - price["free_requests"], 0)
        gb_seconds = max(gb_seconds - price["free_gb_seconds"], 0)
    return requests * number * price["request"] + duration * gb_seconds * price["gb_second"][architecture]


def meet(
    duration_ms: float, memory_mb: float, *, machine: str = MACHINE, region: str = "ap-northeast-1", **wrong: Any
) -> float:
    """The requests per second at which a machine costs what Lambda does; `wrong` as for cost()."""
    return load_prices(region)["ec2_hour"][machine] / cost(1, duration_ms, memory_mb, hours=1, **wrong)


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


def _known_costs() -> Iterable[tuple[str, Formula]]:
    """What a wrong lambda_cost is likely to compute, and what to say of it."""
    yield "that is with the free tier taken off; leave it out.", _with(cost, free_tier=True)
    for days in (30, 30.5, 31):
        why = f"that is a month of {days:g} days; a month of HOURS has {HOURS:g} hours."
        yield why, _with(cost, hours=days * 24)
    yield "the price of the requests is missing; add it to that of their GB-seconds.", _with(cost, requests=False)
    yield "the GB-seconds are missing; a request costs its duration times its memory, too.", _with(cost, duration=False)
    yield "the memory was divided by 1000; a GB has 1024 MB.", _with(cost, gb_mb=1000)
    yield "the memory went in as MB; divide it by 1024, since the price is for a GB.", _with(cost, gb_mb=1)
    yield "the duration went in as milliseconds; divide it by 1000, since the price is for a second.", _with(
        cost, second_ms=1
    )
    yield "duration and memory went in as ms and MB; the price is for a second and a GB: divide both.", _with(
        cost, second_ms=1, gb_mb=1
    )
    yield "the duration was divided by 1024; a second has 1000 milliseconds.", _with(cost, second_ms=1024)
    yield "that is the price of arm64; take x86_64.", _with(cost, architecture="arm64")
    yield "that rounds the duration up to 100 ms, as Lambda did until 2020; now it is billed by the ms.", _with(
        cost, round_ms=100
    )
    yield "that is what one hour costs; multiply by HOURS.", _with(cost, hours=1)
    yield "that is what one day costs; a month has HOURS hours.", _with(cost, hours=24)
    yield "that is what one second costs; count the requests of a month.", _with(cost, hours=1 / 3600)
    yield "an hour has 3600 seconds; multiply the rate by them, too.", _with(cost, hours=HOURS / 3600)
    yield "an hour has 3600 seconds, and not 60.", _with(cost, hours=HOURS / 60)
    yield "that is in cents; return dollars.", lambda *load: 100 * cost(*load)
    yield "that is rounded; return the cents as well.", lambda *load: round(cost(*load))


def _known_rates() -> Iterable[tuple[str, Formula]]:
    """What a wrong break_even is likely to compute, and what to say of it."""
    yield "the price of a request itself is missing; add it to that of its GB-seconds.", _with(meet, requests=False)
    yield "the GB-seconds are missing; a request costs its duration times its memory, too.", _with(meet, duration=False)
    yield "that is upside down; divide the machine's price by that of a request.", lambda *each: 1 / meet(*each)
    yield "that is per hour, as the machine's price; the rate is asked per second: divide by 3600.", (
        lambda *each: 3600 * meet(*each)
    )
    yield "that is per minute; the rate is asked per second.", lambda *each: 60 * meet(*each)
    yield "that is per day; the rate is asked per second.", lambda *each: 86_400 * meet(*each)
    yield "that is per month; the rate is asked per second.", lambda *each: HOURS * 3600 * meet(*each)
    yield "that takes the machine for a month and the requests for an hour; take both for the same time.", (
        lambda *each: HOURS * meet(*each)
    )
    yield "that takes the machine for an hour and the requests for a month; take both for the same time.", (
        lambda *each: meet(*each) / HOURS
    )
    yield f"that is the price of t4g.small; take {MACHINE}.", _with(meet, machine="t4g.small")
    yield "that is the machine's price in N. Virginia; take Tokyo's.", _with(meet, region="us-east-1")
    yield "that is Lambda's price for arm64; take x86_64.", _with(meet, architecture="arm64")
    yield "the memory was divided by 1000; a GB has 1024 MB.", _with(meet, gb_mb=1000)
    yield "the memory went in as MB; divide it by 1024, since the price is for a GB.", _with(meet, gb_mb=1)
    yield "the duration went in as milliseconds; divide it by 1000, since the price is for a second.", _with(
        meet, second_ms=1
    )
    yield "duration and memory went in as ms and MB; the price is for a second and a GB: divide both.", _with(
        meet, second_ms=1, gb_mb=1
    )
    yield "that is with the free tier; leave it out.", _meet_with_free_tier
    yield "that is rounded up; return the rate as it is.", lambda *each: math.ceil(meet(*each))
    yield "that is rounded; return the rate as it is.", lambda *each: round(meet(*each))


def _meet_with_free_tier(duration_ms: float, memory_mb: float) -> float:
    price = load_prices()["lambda"]
    free = price["free_requests"] * price["request"] + price["free_gb_seconds"] * price["gb_second"]["x86_64"]
    month = cost(1, duration_ms, memory_mb)
    return meet(duration_ms, memory_mb) + free / month


def _with(formula: Formula, **wrong: Any) -> Formula:
    return lambda *arguments: formula(*arguments, **wrong)


def judge_cost(workshop: Workshop, lambda_cost: Formula) -> list[str]:
    _judge(lambda_cost, cost, LOADS, ("requests_per_second", "duration_ms", "memory_mb"), "USD", _known_costs())
    return []


def judge_rate(workshop: Workshop, break_even: Formula) -> list[str]:
    _judge(break_even, meet, REQUESTS, ("duration_ms", "memory_mb"), "requests per second", _known_rates())
    return []


def _judge(
    function: Formula, right: Formula, examples: Sequence[Sequence[float]], names: Sequence[str], unit: str,
    known: Iterable[tuple[str, Formula]],
) -> None:  # fmt: skip
    """Compare the reader's function with the right one; NotSolved with the reason where one of `known` explains it."""
    found = [_number(function, example) for example in examples]
    wanted = [right(*example) for example in examples]
    if _same(found, wanted, CENTS):
        return
    place = next(place for place, value in enumerate(found) if not _same([value], [wanted[place]], CENTS))
    arguments = ", ".join(f"{value:g}" for value in examples[place])
    says = f"{function.__name__}({arguments}) returned {found[place]:,.6g} where {wanted[place]:,.6g} {unit} is right"
    for why, formula in known:
        if _same(found, [formula(*example) for example in examples]):
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


def judge_choices(workshop: Workshop, choices: Any) -> list[str]:
    if not isinstance(choices, dict):
        raise NotSolved('Give the check your dictionary: check("05.3", choices).')
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


LAMBDA_COST = Exercise(
    "05.1", "what a load costs on Lambda", judge_cost,
    (
        "How many requests come in a month, and what does one of them cost?",
        "A month has requests_per_second * 3600 * HOURS requests.",
        "One request costs per_request + duration_ms / 1000 * memory_mb / 1024 * per_gb_second.",
        "Multiply the two, and return the product.",
    ),
    asks_for="lambda_cost",
)  # fmt: skip
BREAK_EVEN = Exercise(
    "05.2", "where the two meet", judge_rate,
    (
        "What does one request cost on Lambda? It has two parts, as in exercise 1.",
        "How many such requests does the machine's price of an hour pay for?",
        "machine_hour / one_request is per hour, and an hour has 3600 seconds.",
    ),
    asks_for="break_even",
)  # fmt: skip
CHOICES = Exercise(
    "05.3", "three decisions", judge_choices,
    (
        "Two figures for each case: lambda_month with its average, ec2_month with its peak and its zones.",
        'row = cases.loc["webhook"] gives a case; row["average"] is its average.',
        'lambda_month(row["average"], row["duration_ms"], row["memory_mb"]) against '
        'ec2_month(row["peak"], row["duration_ms"], row["memory_mb"], zones=row["zones"]).',
    ),
)  # fmt: skip
EXERCISES: tuple[Exercise, ...] = (LAMBDA_COST, BREAK_EVEN, CHOICES)
