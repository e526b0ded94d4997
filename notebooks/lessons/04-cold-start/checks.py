"""The checks of notebook 04: a function whose cold start is short, and one whose warm calls are fast."""

import json
from datetime import UTC, datetime
from typing import Any

from helpers.connect import Workshop
from helpers.exercises import deployed
from helpers.exercises.cold import cold_call
from helpers.exercises.exercise import DeployedFunction, Notes, NotSolved, WrongAnswer
from helpers.exercises.probe import Probe, unique
from helpers.reports import reports

CALLS = 6
TIMES_FASTER = 2
NUMBERS = (2, 9, 7_917, 7_919, 999_979, 999_983, 999_999)


def judge_light(workshop: Workshop) -> Notes:
    step = "run the cell that deploys it"
    heavy, light = (
        Probe(workshop, deployed.find(workshop, workshop.name(name), step))
        for name in ("init-heavy", "init-light")
    )
    _same_answer(heavy, light, {"name": f"Ada {unique()}"}, "to an event that greets")
    _same_answer(heavy, light, {"count": True}, "to an event that counts")
    now = cold_call(light, {"name": "Ada"}, "when it greeted, cold")
    if "boto3" in now.modules:
        before = cold_call(heavy, {"name": "Ada"}, "when it greeted, cold")
        raise NotSolved(
            f"A cold call that only greets is billed {now.billed_ms:g} ms, and was billed {before.billed_ms:g} before; "
            "boto3 is still loaded for it: import it, and make the client, only where an event counts."
        )
    return []


# Each is put in place of what the notebook's heavy_source holds.
IMPORT, COUNTED = (
    'import boto3\n\ns3 = boto3.client("s3")\n',
    '    if event.get("count"):\n',
)
MAKES = '    import boto3\n\n    s3 = boto3.client("s3")\n'
WRONG_LIGHTS = (
    WrongAnswer(
        "as heavy as before",
        (),
        r"only greets is billed \d+ ms, and was billed \d+ before; boto3",
    ),
    WrongAnswer(
        "for every event",
        ((IMPORT, ""), (COUNTED, MAKES + COUNTED)),
        r"only greets is billed \d+ ms, and",
    ),
    WrongAnswer(
        "the client alone",
        ((IMPORT, "import boto3\n"), ("s3.list", 'boto3.client("s3").list')),
        "boto3 is still loaded",
    ),
    WrongAnswer(
        "no boto3",
        ((IMPORT, ""),),
        "failed to an event that counts: NameError: name 's3' is not defined",
    ),
    WrongAnswer(
        "a number made up",
        ((IMPORT, ""), ('len(s3.list_buckets()["Buckets"])', "-1")),
        'answers {"buckets": -1} to an event that counts, and the heavy one {"buckets": .*must stay the same',
    ),
)


def judge_primes(workshop: Workshop) -> Notes:
    step = "run the cell that deploys it"
    slow, fast = (
        Probe(workshop, deployed.find(workshop, workshop.name(name), step))
        for name in ("primes-slow", "primes-fast")
    )
    for number in NUMBERS:
        _same_answer(slow, fast, {"number": number}, f"for the number {number}")
    medians = {probe.function.name: _warm_median_ms(probe) for probe in (slow, fast)}
    before, now = medians.values()
    if now > before / TIMES_FASTER:
        raise NotSolved(
            f"A warm call takes {now:.1f} ms (median), and took {before:.1f} ms before; "
            "the handler still makes again, for every event, what could be made once: move it above."
        )
    return []


def _same_answer(old: Probe, new: Probe, event: dict[str, Any], when: str) -> None:
    wanted, found = (probe.succeed(event, when).payload for probe in (old, new))
    if found != wanted:
        their, its = (probe.function.name.rpartition("-")[2] for probe in (new, old))
        raise NotSolved(
            f"The {their} function answers {json.dumps(found)[:100]} {when}, and the {its} one "
            f"{json.dumps(wanted)}; the answers must stay the same."
        )


def _warm_median_ms(probe: Probe) -> float:
    began = datetime.now(UTC)
    for _ in range(CALLS):
        probe.invoke({"number": NUMBERS[-1]})
    rows = reports(
        probe.workshop.client("logs"), probe.function.name, at_least=CALLS, since=began
    )
    return float(rows[rows["init_ms"].isna()]["duration_ms"].median())


LIGHT = DeployedFunction(
    number="04.1",
    title="a short cold start",
    judge=judge_light,
    hints=(
        "Which lines does an event that greets not need?",
        "An import may be in a function: it runs when the function is called, and is quick from the second time on.",
        "Make the client in a function of its own, with @functools.cache above it: so each environment makes it once.",
    ),
    wrong_answers=WRONG_LIGHTS,  # each as changes of the notebook's heavy_source
)
PRIMES = DeployedFunction(
    number="04.2",
    title="make the warm calls fast",
    judge=judge_primes,
    hints=(
        "Which lines of the handler do the same for every event?",
        "What is outside the handler runs once for each environment, in its init phase.",
        'Put the sieve and the loop that fills it above `def handler`; keep `return sieve[event["number"]]` in it.',
    ),
    wrong_answers=(  # each what is made of the notebook's slow_source
        WrongAnswer(
            "as slow as before",
            lambda slow_source: slow_source,
            r"A warm call takes [\d.]+ ms \(median\), and took [\d.]+ ms before; .* move it above",
        ),
        WrongAnswer(
            "odd numbers",
            lambda slow_source: (
                "def handler(event, context):\n    return event['number'] % 2 == 1\n"
            ),
            "fast function answers false for the number 2, and the slow one true",
        ),
    ),
)
EXERCISES = (LIGHT, PRIMES)
