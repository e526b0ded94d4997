"""The checks of notebook 05: a function configured for its load, readings in packs, and three decisions."""

import json
import math
import re
from typing import Any, NamedTuple

from helpers.connect import Workshop
from helpers.exercises import deployed
from helpers.exercises.bill import architecture, billed_ms, require_same_code, usd
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    Notes,
    NotSolved,
    WrongAnswer,
    as_word,
)
from helpers.exercises.probe import Probe, unique
from helpers.measuring.prices import load_prices

HOURS = 365 * 24 / 12  # of a month: 730
MACHINE = "t3.small"


def cost(requests_per_second: float, duration_ms: float, memory_mb: float) -> float:
    """USD of a load on Lambda in a month, on x86_64, at list price without the free tier."""
    price = load_prices()["lambda"]
    number = requests_per_second * 3600 * HOURS
    gb_seconds = number * duration_ms / 1000 * memory_mb / 1024
    return number * float(price["request"]) + gb_seconds * float(
        price["gb_second"]["x86_64"]
    )


def fleet(
    peak: float, duration_ms: float, memory_mb: float, zones: int
) -> tuple[int, float]:
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
        return {
            "lambda": cost(self.average, self.duration_ms, self.memory_mb),
            "ec2": on_ec2,
        }

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
    "sensors": "a load that never rests keeps two machines at work, and on Lambda you pay for every request.",
    "tickets": "on EC2 you pay all month for the peak, which is 200 times the average.",
}


# 05.1

AVERAGE, PEAK, SECONDS = 3, 60, 0.1  # calls per second, calls per second, of a call
AT_ONCE = 10  # calls that the service can take
LEAST = math.ceil(PEAK * SECONDS)
LIMIT_USD, HANGS_S = 6.0, 5
WAITS = "time.sleep(0.1)"


def judge_intake(workshop: Workshop) -> Notes:
    function = deployed.find(
        workshop, workshop.name("intake"), "run the cell that deploys it"
    )
    require_same_code(function, WAITS)
    if architecture(function) != "arm64":
        raise NotSolved(
            f"{function.name} runs on {architecture(function)}, where a GB-second costs a quarter more than on arm64; "
            'Architectures=["arm64"] changes it.'
        )
    if function.timeout_s > HANGS_S:
        raise NotSolved(
            f"{function.name} has a Timeout of {function.timeout_s} s, so you pay that long for a call that hangs; "
            f"{HANGS_S} s at most are asked for."
        )
    answer = workshop.client("lambda").get_function_concurrency(
        FunctionName=function.name
    )
    if sentence := _wrong_reservation(
        answer.get("ReservedConcurrentExecutions"), function.name
    ):
        raise NotSolved(sentence)
    _costs_little(Probe(workshop, function), AVERAGE * 3600 * HOURS)
    return []


def _wrong_reservation(reserved: int | None, name: str) -> str | None:
    if reserved is None:
        return (
            f"{name} has no reserved concurrency, so the service may get as many calls at once as the account allows, "
            f"and it can take {AT_ONCE}; call put_function_concurrency."
        )
    if reserved > AT_ONCE:
        return f"With {reserved} reserved, {reserved} calls may reach the service at once, and it can take {AT_ONCE}."
    if reserved < LEAST:
        return (
            f"With {reserved} reserved, calls are throttled at the peak: {PEAK} a second, each of {SECONDS} s, need "
            "more; multiply the two."
        )
    return None


def _costs_little(probe: Probe, requests: float) -> None:
    memory_mb = probe.function.configuration["MemorySize"]
    billed = billed_ms(probe, {}, f"with {memory_mb} MB")
    month = usd(probe.function, requests, billed)
    if month > LIMIT_USD:
        raise NotSolved(
            f"With {memory_mb:,} MB its calls are billed {billed:g} ms, and a month costs {month:.2f} USD, where "
            f"{LIMIT_USD:.2f} is the limit; the function waits, so less memory does not make it slower."
        )


RIGHT_INTAKE: dict[str, Any] = {
    "Architectures": ["arm64"],
    "MemorySize": 128,
    "Timeout": 5,
    "reserved": 6,
}


def _intake(name: str, says: str, **other: Any) -> WrongAnswer:
    """The right settings, but for some."""
    return WrongAnswer(name, RIGHT_INTAKE | other, says)


WRONG_INTAKES = (
    _intake(
        "another processor",
        "runs on x86_64, where a GB-second costs a quarter more",
        Architectures=["x86_64"],
    ),
    _intake(
        "patient",
        "has a Timeout of 900 s, so you pay that long for a call that hangs; 5 s at most",
        Timeout=900,
    ),
    _intake(
        "nothing reserved", "has no reserved concurrency, so the service", reserved=None
    ),
    _intake(
        "the peak's calls",
        "With 60 reserved, 60 calls may reach the service at once, and it can take 10",
        reserved=60,
    ),
    _intake(
        "the average's",
        "With 1 reserved, calls are throttled at the peak: 60 a second, each of 0.1 s",
        reserved=1,
    ),
    _intake(
        "memory as before",
        r"With 1,024 MB its calls are billed \d+ ms, and a month costs 1[2-9]\.",
        MemorySize=1024,
    ),
    _intake(
        "half of it",
        r"With 512 MB its calls are billed \d+ ms, and a month costs [67]\.",
        MemorySize=512,
    ),
)

# 05.2

PACK = 100  # readings in a call
PACKS_LIMIT_USD = 0.02  # of a million readings
SAVED = re.compile(r"^saved (\d+) readings$", re.MULTILINE)
DURATION = re.compile(r"\tDuration: ([\d.]+) ms")
SAVE_MS = 20  # what save takes, in the notebook


def judge_packs(workshop: Workshop) -> Notes:
    step = "write store_readings and run the cell that deploys it"
    probe = Probe(
        workshop, deployed.find(workshop, workshop.name("reading-packs"), step)
    )
    _stores_all(probe, 1)
    _stores_all(probe, PACK)
    billed = billed_ms(
        probe, {"readings": list(range(PACK))}, f"for a pack of {PACK} readings"
    )
    million = usd(probe.function, 1e6 / PACK, billed)
    if million > PACKS_LIMIT_USD:
        raise NotSolved(
            f"A pack of {PACK} readings is billed {billed:g} ms, so a million cost {million:.4f} USD, and "
            f"{PACKS_LIMIT_USD} is the limit; save takes its 20 ms for any list: call it once, with all of them."
        )
    return []


def _stores_all(probe: Probe, number: int) -> None:
    readings = [f"{unique()}" for _ in range(number)]
    when = f"for {number} reading{'' if number == 1 else 's'}"
    outcome = probe.succeed({"readings": readings}, when)
    saved = sum(map(int, SAVED.findall(outcome.log)))
    if saved != number:
        raise NotSolved(
            f"{saved} readings were saved {when}; give save all of event['readings'], and leave its print as it is."
        )
    took_ms = float(DURATION.findall(outcome.log)[-1])
    if took_ms < SAVE_MS:
        raise NotSolved(
            f"The function took {took_ms:g} ms {when}, and save alone takes {SAVE_MS} ms; let it call save."
        )
    if outcome.payload != {"stored": number}:
        raise NotSolved(
            f'The function returned {json.dumps(outcome.payload)[:100]} {when}; return {{"stored": {number}}}.'
        )


CALL = '    save(event["readings"])\n'
ONE_BY_ONE = '    for reading in event["readings"]:\n        save([reading])\n'
WRONG_PACKS = (  # each a change of the notebook's answer
    WrongAnswer(
        "one by one",
        (CALL, ONE_BY_ONE),
        r"is billed [\d,.e+]+ ms, so a million cost 0\.0[3-9]\d* USD",
    ),
    WrongAnswer(
        "the first alone",
        (CALL, '    save(event["readings"][:1])\n'),
        "1 readings were saved for 100 readings",
    ),
    WrongAnswer(
        "nothing saved",
        (CALL, ""),
        "0 readings were saved for 1 reading; give save all",
    ),
    WrongAnswer(
        "said alone",
        (CALL, '    print("saved", len(event["readings"]), "readings")\n'),
        "and save alone takes 20 ms; let it call save",
    ),
    WrongAnswer(
        "saved twice", (CALL, CALL + CALL), "2 readings were saved for 1 reading;"
    ),
    WrongAnswer(
        "nothing returned",
        ('{"stored": len(event["readings"])}', "None"),
        "returned null for 1 reading; return",
    ),
    WrongAnswer(
        "a number",
        ('{"stored": len(event["readings"])}', "1"),
        r"returned 1 for 1 reading; return",
    ),
)

# 05.3


def judge_choices(choices: dict[str, Any]) -> Notes:
    for name, case in CASES.items():
        _judge_choice(name, case, choices.get(name, "?"))
    if strange := [str(name) for name in choices if name not in CASES]:
        raise NotSolved(
            f"There is no case {', '.join(strange)}; the cases are {', '.join(CASES)}."
        )
    return []


def _judge_choice(name: str, case: Case, choice: Any) -> None:
    choice = as_word(choice)  # "EC2" is its name, too
    if choice == "?":
        raise NotSolved(
            f'{name} is not decided yet; compute both costs and write "lambda" or "ec2".'
        )
    sums = case.sums()
    if not isinstance(choice, str) or choice not in sums:
        raise NotSolved(f'{name} is {choice!r}; write "lambda" or "ec2".')
    if choice != case.cheaper():
        number, on_ec2 = fleet(case.peak, case.duration_ms, case.memory_mb, case.zones)
        machines = f"{number} {MACHINE}" if number > 1 else f"one {MACHINE}"
        raise NotSolved(
            f"{name}: Lambda costs {sums['lambda']:,.2f} USD a month and {machines} {on_ec2:,.2f}, "
            f"so {choice!r} is the more expensive choice: {REASONS[name]}"
        )


def _decided(case: str, choice: Any, says: str) -> WrongAnswer:
    """One wrong decision among right ones."""
    right = {name: each.cheaper() for name, each in CASES.items()}
    return WrongAnswer(f"{case} is {choice}", right | {case: choice}, says)


INTAKE = DeployedFunction(
    number="05.1",
    title="configure a function for its load",
    judge=judge_intake,
    hints=(
        "Which of the four points is about memory? Which are about one setting each?",
        'deploy takes Architectures=["arm64"], MemorySize= in MB and Timeout= in seconds.',
        "60 calls a second of 0.1 s are 6 at once, and the service can take 10: reserve from 6 to 10 with "
        "put_function_concurrency.",
    ),
    wrong_answers=WRONG_INTAKES,  # each the settings; `reserved` is the concurrency
)
PACKS = DeployedFunction(
    number="05.2",
    title="pack them together",
    judge=judge_packs,
    hints=(
        "How often is save called for a hundred readings, and how long does that take?",
        "save takes a list, and the event holds one.",
    ),
    wrong_answers=WRONG_PACKS,
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
            "webhook",
            "ec2",
            r"Lambda costs 0\.08 USD a month and one t3\.small 19\.86, so 'ec2' is the more expensive .*wait",
        ),
        _decided(
            "sensors",
            "lambda",
            r"Lambda costs 119\.90 USD a month and 2 t3\.small 39\.71, .*never rests",
        ),
        _decided(
            "tickets",
            "ec2",
            r"Lambda costs 13\.93 USD a month and 30 t3\.small 595\.68, .*pay all month for the peak",
        ),
        _decided("webhook", "?", "webhook is not decided yet"),
        _decided(
            "sensors", "t3.small", """sensors is 't3.small'; write "lambda" or "ec2\""""
        ),
        _decided("tickets", ["lambda"], r"tickets is \['lambda'\]; write"),
        _decided(
            "chat",
            "ec2",
            "There is no case chat; the cases are webhook, sensors, tickets",
        ),
        WrongAnswer("one alone", {"webhook": "lambda"}, "sensors is not decided yet"),
    ),
)
EXERCISES = (INTAKE, PACKS, CHOICES)
