"""The checks of notebook 04: cold starts that are short, warm calls that are fast, what SnapStart repeats, an alias."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from helpers.connect import Workshop
from helpers.exercises import deployed
from helpers.exercises.cold import cold_call
from helpers.exercises.exercise import (
    DeployedFunction,
    Notes,
    NotSolved,
    WrongAnswer,
    call,
)
from helpers.exercises.probe import Probe, unique
from helpers.measuring.reports import reports

CALLS = 6
TIMES_FASTER = 2
NUMBERS = (2, 9, 7_917, 7_919, 999_979, 999_983, 999_999)
AT_ONCE, WAITS_S = (
    3,
    (1, 4),
)  # calls that draw tickets, and how long each waits; longer where they did not meet


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


def judge_tickets(workshop: Workshop) -> Notes:
    step = "run the cell that publishes it"
    function = deployed.find(workshop, workshop.name("tickets-unique"), step)
    client, name = workshop.client("lambda"), function.name
    version = client.publish_version(FunctionName=name)["Version"]
    client.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier=version
    )
    published = client.get_function_configuration(FunctionName=name, Qualifier=version)
    if published["SnapStart"]["OptimizationStatus"] != "On":
        raise NotSolved(
            f'{name} was published without SnapStart; publish it with SnapStart={{"ApplyOn": "PublishedVersions"}}. '
            "(Where the embedded AWS has refused that, this exercise cannot be solved on this machine.)"
        )
    probe = Probe(workshop, function, qualifier=version)
    tickets = _drawn(probe)
    if len(set(tickets)) < len(tickets):
        raise NotSolved(
            f"{len(tickets)} calls drew {len(set(tickets))} different tickets: environments of one snapshot still "
            "draw the same; what must be unique has to be made after the restore, such as in the handler."
        )
    return []


def _drawn(probe: Probe) -> list[int]:
    """The tickets of calls that had environments of their own, two of each."""
    for seconds in WAITS_S:
        began, events = datetime.now(UTC), [{"seconds": seconds}] * AT_ONCE
        with ThreadPoolExecutor(AT_ONCE) as threads:
            drawn = list(threads.map(lambda event: _draw(probe, event), events))
        for answer in drawn:
            if not isinstance(answer, dict) or type(answer.get("ticket")) is not int:
                raise NotSolved(
                    f'The function answered {json.dumps(answer)[:100]}; the answer has to stay {{"ticket": …}} '
                    "with a whole number."
                )
        rows = reports(
            probe.workshop.client("logs"),
            probe.function.name,
            at_least=AT_ONCE,
            since=began,
        )
        if rows["environment"].nunique() > 1:
            return [each["ticket"] for each in (*drawn, _draw(probe, {"seconds": 0}))]
    raise NotSolved(
        "Calls at the same time had one environment after the other; keep the line with sleep, "
        'which waits for event["seconds"].'
    )


def _draw(probe: Probe, event: dict[str, float]) -> Any:
    return probe.succeed(event, "when it drew a ticket").payload


def judge_shift(workshop: Workshop, shift: Callable[[float], Any]) -> Notes:
    step = "run the cell that publishes its two versions"
    name = deployed.find(workshop, workshop.name("canary"), step).name
    before, new = _alias(workshop, name), _newest_version(workshop, name)
    for part in (0.1, 0.25, 0):
        call(shift, part)
        alias = _alias(workshop, name)
        if alias["FunctionVersion"] != before["FunctionVersion"]:
            raise NotSolved(
                f"After shift({part}) the alias points at version {alias['FunctionVersion']}; let it point at the old "
                "one, and give the new one its part by RoutingConfig."
            )
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        if sum(weights.values()) != part:
            raise NotSolved(
                f"After shift({part}) the new version gets {sum(weights.values()):.0%} of the calls, where it should "
                f"get {part:.0%}; look at RoutingConfig."
            )
        if part and set(weights) != {new}:
            raise NotSolved(
                f"After shift({part}) version {', '.join(weights)} gets a part of the calls, where it should be version "
                f"{new}, whose number is in new."
            )
    return []


def _newest_version(workshop: Workshop, name: str) -> str:
    pages = workshop.client("lambda").get_paginator("list_versions_by_function")
    found = [
        each["Version"]
        for page in pages.paginate(FunctionName=name)
        for each in page["Versions"]
    ]
    return max(found[1:], key=int, default="")  # the first is $LATEST


def _alias(workshop: Workshop, name: str) -> dict[str, Any]:
    client = workshop.client("lambda")
    try:
        found: dict[str, Any] = client.get_alias(FunctionName=name, Name="live")
    except client.exceptions.ResourceNotFoundException:
        raise NotSolved(
            f"{name} has no alias live; run the cell that publishes its two versions, and check again."
        ) from None
    return found


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
TICKETS = DeployedFunction(
    number="04.3",
    title="unique, though restored",
    judge=judge_tickets,
    hints=(
        "What does the function make in init, and what only in the handler? A snapshot holds what init has made.",
        "A generator that init has made goes on from the same point in each environment that is restored.",
        "secrets.randbits(64) asks the operating system each time. A new random.Random() in the handler does so, too.",
    ),
    wrong_answers=(  # each as changes of the notebook's repeated_source
        WrongAnswer("as before", (), "4 calls drew [12] different tickets"),
        WrongAnswer(
            "seeded in init",
            (("random.Random()", "random.Random(time.time())"),),
            "drew [12] different tickets",
        ),
        WrongAnswer(
            "one for all",
            (
                ("random.Random()", "random.SystemRandom().getrandbits(64)"),
                ("generator.getrandbits(64)", "generator"),
            ),
            "4 calls drew 1 different tickets",
        ),
        WrongAnswer(
            "another form",
            (('{"ticket": generator.getrandbits(64)}', "generator.getrandbits(64)"),),
            'has to stay {"ticket": …}',
        ),
        WrongAnswer(
            "no sleep",
            (('    time.sleep(event["seconds"])\n', ""),),
            "drew [12] different tickets|keep the line with sleep",
        ),
    ),
)


def _pointing(update: dict[str, Any]) -> Callable[..., Any]:
    """An answer that gives update_alias this, made of what the notebook has."""

    def answer(client: Any, canary: str, new: str) -> Callable[[float], Any]:
        def shift(part: float) -> Any:
            told = {
                key: value(new, part) if callable(value) else value
                for key, value in update.items()
            }
            return client.update_alias(FunctionName=canary, Name="live", **told)

        return shift

    return answer


SHIFT = DeployedFunction(
    number="04.4",
    title="a tenth of the calls, and back",
    asks_for="shift",
    judge=judge_shift,
    hints=(
        "The alias goes on pointing at the old version. What RoutingConfig names is the other version, and its part.",
        "AdditionalVersionWeights is a dict: its key is the number of the new version, as text, its value the part.",
        "No weights at all, {}, send all calls to the version that the alias points at.",
    ),
    wrong_answers=(  # each is given the client, the function's name and the new version, and makes a shift
        WrongAnswer(
            "all at once",
            _pointing({"FunctionVersion": lambda new, part: new}),
            "the alias points at version",
        ),
        WrongAnswer(
            "always a tenth",
            _pointing(
                {
                    "RoutingConfig": lambda new, part: {
                        "AdditionalVersionWeights": {new: 0.1}
                    }
                }
            ),
            r"After shift\(0.25\) the new version gets 10% .* should get 25%",
        ),
        WrongAnswer(
            "another version",
            _pointing(
                {
                    "RoutingConfig": lambda new, part: {
                        "AdditionalVersionWeights": {str(int(new) - 2): part}
                        if part
                        else {}
                    }
                }
            ),
            r"version \d+ gets a part of the calls, where it should be version \d+, whose number is in new",
        ),
        WrongAnswer(
            "no way back",
            _pointing(
                {
                    "RoutingConfig": lambda new, part: {
                        "AdditionalVersionWeights": {new: part or 0.25}
                    }
                }
            ),
            r"After shift\(0\) the new version gets 25% .* should get 0%",
        ),
        WrongAnswer(
            "in percent",
            _pointing(
                {
                    "RoutingConfig": lambda new, part: {
                        "AdditionalVersionWeights": {new: 100 * part}
                    }
                }
            ),
            "shift raised",
        ),
        WrongAnswer(
            "nothing",
            lambda client, canary, new: lambda part: None,
            r"After shift\(0.1\) the new version gets 0%",
        ),
    ),
)
EXERCISES = (LIGHT, PRIMES, TICKETS, SHIFT)
