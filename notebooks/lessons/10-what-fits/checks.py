"""The checks of notebook 10: which reasons speak for Lambda, and which cases fit it."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from helpers.exercises.exercise import Answer, NotSolved, WrongAnswer, call
from helpers.facts import fact
from helpers.measuring.prices import load_prices

REASONS = ("burst", "offload", "event", "async", "no server")
PILES = ("fits", "repair first", "does not fit")

Case = dict[str, Any]  # one row of the notebook's table of cases


def break_even() -> float:
    """The share of the time above which a t3.small is cheaper than a function of its 2 GB."""
    prices = load_prices()
    return float(
        prices["ec2_hour"]["t3.small"]
        / (2 * 3600 * prices["lambda"]["gb_second"]["x86_64"])
    )


def _case(
    started_by: str,
    somebody_waits: bool,
    mean: float,
    peak: float,
    seconds: float,
    on_the_web_server: bool,
) -> Case:
    return {
        "case": "one of the check's own",
        "started by": started_by,
        "somebody waits": somebody_waits,
        "mean": mean,
        "peak": peak,
        "seconds": seconds,
        "on the web server now": on_the_web_server,
    }


class Trial(NamedTuple):
    """A case of the check's own, the reasons that hold, and what to look at where one is wrong."""

    case: Case
    reasons: tuple[str, ...]
    look_at: dict[str, str]


TRIALS = (
    Trial(
        _case("request", True, 40, 90, 0.5, False),
        (),
        {
            "burst": "the peak of 90 is not ten times the mean of 40.",
            "offload": "it is not on the web server now.",
            "event": "a request is not among the three that start it by themselves.",
            "async": "somebody waits, and that speaks against it.",
            "no server": "40 calls a second of half a second keep 20 servers busy: multiply mean and seconds.",
        },
    ),
    Trial(
        _case("request", True, 2, 20, 1, True),
        ("burst", "offload"),
        {
            "burst": "20 is ten times 2, and at least ten times the mean is asked for: use >=.",
            "offload": "it is on the web server now.",
            "event": "a request is not among the three that start it by themselves.",
            "async": "somebody waits, and that speaks against it.",
            "no server": "2 calls a second of 1 second keep two servers busy all the time.",
        },
    ),
    Trial(
        _case("schedule", False, 0.001, 0.5, 4, False),
        ("event", "async", "no server"),
        {
            "burst": "the peak is ten times the mean and more, but less than 1 call per second.",
            "offload": "it is not on the web server now.",
            "event": "it is started by a schedule, which is an event, too.",
            "async": "nobody waits.",
            "no server": "0.001 calls a second of 4 seconds keep a server busy for 0.4% of the time; break_even is a "
            "share from 0 to 1, and so is 0.004.",
        },
    ),
    Trial(
        _case("file", True, 0.1, 0.9, 5, False),
        ("event",),
        {
            "burst": "the peak is less than 1 call per second, and less than ten times the mean.",
            "offload": "it is not on the web server now.",
            "event": "it is started by a file.",
            "async": "somebody waits, whatever started it.",
            "no server": "0.1 calls a second of 5 seconds keep a server busy for half of the time: multiply mean and "
            "seconds, and compare the product with break_even.",
        },
    ),
    Trial(
        _case("itself", True, 2, 10, 0.1, False),
        ("no server",),
        {
            "burst": "the peak of 10 is not ten times the mean of 2.",
            "offload": "it is not on the web server now.",
            "event": "what runs by itself, all the time, is not started by an event.",
            "async": "somebody waits, and that speaks against it.",
            "no server": "2 calls a second of 0.1 seconds keep a server busy for 20% of the time, which is less than "
            "break_even.",
        },
    ),
    Trial(
        _case("message", False, 0.01, 30, 2, True),
        REASONS,
        {reason: "all five reasons hold here." for reason in REASONS},
    ),
)


class Card(NamedTuple):
    """The piles on which a card may lie, and why not on each of the others."""

    piles: tuple[str, ...]
    instead: dict[str, str]


MINUTES = fact("timeout") // 60
CARDS = {
    "photos": Card(
        ("fits",),
        {
            "repair first": "there is nothing to repair: a second run writes the same thumbnail under the same name.",
            "does not fit": "it is short, comes in bursts from an event, and may run twice: nothing speaks against it.",
        },
    ),
    "points": Card(
        ("repair first",),
        {
            "fits": "a message may come twice, and then the customer has 20 points; it has to remember the ids of the "
            "messages that are done.",
            "does not fit": "events that are counted twice can be repaired: remember the ids of those that are done.",
        },
    ),
    "backup": Card(
        ("does not fit",),
        {
            "fits": f"Lambda stops it after {MINUTES} minutes.",
            "repair first": f"one copy in one go cannot be cut into pieces of {MINUTES} minutes; a container or a "
            "server can run for five hours.",
        },
    ),
    "report": Card(
        ("fits",),
        {
            "repair first": "it is short, started by a schedule, and a second mail does no harm: nothing to repair.",
            "does not fit": "20 seconds a night are too little for a server of its own, and nobody waits.",
        },
    ),
    "game": Card(
        ("does not fit",),
        {
            "fits": "a function is frozen after each event, and keeps neither a match in memory nor its connections.",
            "repair first": "a match that goes through a database 30 times a second for each player is too slow to "
            "play.",
        },
    ),
    "film": Card(
        ("repair first", "does not fit"),
        {"fits": f"40 minutes are more than {MINUTES}: as it is, Lambda stops it."},
    ),
    "orders": Card(
        ("repair first",),
        {
            "fits": "500 calls at once are 500 environments and 500 connections, and the database takes 100.",
            "does not fit": "waves of events are what Lambda is good for; a queue with a limited concurrency, or RDS Proxy, "
            "protects the database.",
        },
    ),
    "TV page": Card(
        ("fits",),
        {
            "repair first": "a cold start now and then is allowed, and rendering a page twice does no harm.",
            "does not fit": "it is short and comes in bursts of 60 times the mean, and a cold start is allowed.",
        },
    ),
    "prices": Card(
        ("does not fit",),
        {
            "fits": "none of the five reasons holds: 20 calls run all the time, and the servers that the team has are "
            "cheaper.",
            "repair first": "there is nothing to repair in the work; steady load is what servers are good at.",
        },
    ),
    "discount": Card(
        ("repair first", "does not fit"),
        {"fits": "code that needs the shop's classes and session cannot run alone."},
    ),
}


def judge_reasons(speaks_for: Callable[[Case], Any]) -> list[str]:
    _does_not_stop_early(_reasons(call(speaks_for, dict(TRIALS[-1].case))))
    for trial in TRIALS:
        found = _reasons(call(speaks_for, dict(trial.case)))
        for reason in REASONS:
            if (reason in found) != (reason in trial.reasons):
                raise NotSolved(_wrong_reason(trial, reason, found))
    return []


def _reasons(answer: Any) -> list[str]:
    """What speaks_for returned, when that is a list of reasons."""
    if answer is None:
        raise NotSolved("speaks_for returned nothing; let it end with `return found`.")
    if not isinstance(answer, list | tuple | set):
        raise NotSolved(
            f"speaks_for returned a {type(answer).__name__}; return a list, empty where no reason holds."
        )
    if unknown := [repr(each) for each in answer if each not in REASONS]:
        raise NotSolved(
            f"speaks_for named {', '.join(unknown)}; the reasons are {', '.join(REASONS)}."
        )
    if twice := [each for each in REASONS if list(answer).count(each) > 1]:
        raise NotSolved(f'speaks_for named "{twice[0]}" twice; once is enough.')
    return list(answer)


def _does_not_stop_early(found: list[str]) -> None:
    """NotSolved when one reason was found in the case that has them all."""
    if len(found) == 1:
        raise NotSolved(
            f"For a case in which all five reasons hold, you returned {found}; "
            "test each by an if of its own, since elif and return stop at the first one."
        )


def _wrong_reason(trial: Trial, reason: str, found: list[str]) -> str:
    facts = ", ".join(
        f"{key}: {value}" for key, value in trial.case.items() if key != "case"
    )
    how = "holds and is missing" if reason in trial.reasons else "does not hold"
    return f'"{reason}" {how} for a case with {facts}: {trial.look_at[reason]} You returned {found}.'


def judge_cards(sorted_cards: dict[Any, Any]) -> list[str]:
    if absent := [card for card in CARDS if sorted_cards.get(card) in (None, "choose")]:
        raise NotSolved(f"These cards lie on no pile yet: {', '.join(absent)}.")
    for card in CARDS:
        if sorted_cards[card] not in PILES:
            raise NotSolved(
                f'"{card}" lies on {sorted_cards[card]!r}; the piles are {", ".join(PILES)}.'
            )
    wrong = [card for card in CARDS if sorted_cards[card] not in CARDS[card].piles]
    if wrong:
        first, others = wrong[0], wrong[1:]
        pile = sorted_cards[first]
        more = f" (Then look again at: {', '.join(others)}.)" if others else ""
        raise NotSolved(
            f'"{first}" does not belong to "{pile}": {CARDS[first].instead[pile]}{more}'
        )
    open_to_both = [card for card in CARDS if len(CARDS[card].piles) > 1]
    both = " and ".join(open_to_both)
    return [
        f'reasonable people differ on {both}, where "repair first" and "does not fit" both pass'
    ]


def speaks_for(
    changes: dict[str, Callable[[Case], bool]],
) -> Callable[[Case], list[str]]:
    """A right answer to 10.1, except for the reasons that are changed."""
    rules: dict[str, Callable[[Case], bool]] = {
        "burst": lambda case: case["peak"] >= 1 and case["peak"] >= 10 * case["mean"],
        "offload": lambda case: case["on the web server now"],
        "event": lambda case: case["started by"] in ("file", "message", "schedule"),
        "async": lambda case: not case["somebody waits"],
        "no server": lambda case: case["mean"] * case["seconds"] < break_even(),
    }
    rules |= changes
    return lambda case: [reason for reason, holds in rules.items() if holds(case)]


# What somebody may ask in place of one of the questions, and what the sentence says.
WRONG_RULES: tuple[tuple[str, str, Callable[[Case], bool], str], ...] = (
    (
        "burst",
        "the mean alone",
        lambda c: c["peak"] >= 10 * c["mean"],
        "does not hold .* less than 1 call per second",
    ),
    (
        "burst",
        "> for >=",
        lambda c: c["peak"] >= 1 and c["peak"] > 10 * c["mean"],
        "holds and is missing.*use >=",
    ),
    (
        "burst",
        "the peak alone",
        lambda c: c["peak"] >= 1,
        "does not hold .* 90 is not ten times the mean of 40",
    ),
    (
        "offload",
        "turned around",
        lambda c: not c["on the web server now"],
        "does not hold",
    ),
    ("offload", "never", lambda c: False, "holds and is missing"),
    (
        "event",
        "a request, too",
        lambda c: c["started by"] != "itself",
        "does not hold .* a request is not among",
    ),
    (
        "event",
        "a message alone",
        lambda c: c["started by"] == "message",
        "holds and is missing .* by a schedule",
    ),
    (
        "event",
        "no file",
        lambda c: c["started by"] in ("message", "schedule"),
        "holds .* started by a file",
    ),
    (
        "event",
        "itself, too",
        lambda c: c["started by"] != "request",
        "does not hold .* runs by itself",
    ),
    (
        "async",
        "turned around",
        lambda c: c["somebody waits"],
        "does not hold .* somebody waits",
    ),
    (
        "async",
        "by an event",
        lambda c: c["started by"] in ("file", "message", "schedule"),
        "whatever started it",
    ),
    (
        "no server",
        "calls alone",
        lambda c: c["mean"] < break_even(),
        "does not hold .* multiply mean and seconds",
    ),
    (
        "no server",
        "seconds alone",
        lambda c: c["seconds"] < break_even(),
        "holds and is missing",
    ),
    (
        "no server",
        "in percent",
        lambda c: 100 * c["mean"] * c["seconds"] < break_even(),
        "a share from 0 to 1",
    ),
    (
        "no server",
        "turned around",
        lambda c: c["mean"] * c["seconds"] > break_even(),
        "does not hold",
    ),
    (
        "no server",
        "below one",
        lambda c: c["mean"] * c["seconds"] < 1,
        "does not hold .* for half of the time",
    ),
)
WRONG_REASONS = (
    *(
        WrongAnswer(
            f"{reason}, {name}", speaks_for({reason: rule}), f'"{reason}" .*{says}'
        )
        for reason, name, rule, says in WRONG_RULES
    ),
    WrongAnswer(
        "the first alone",
        lambda case: speaks_for({})(case)[:1],
        "test each by an if of its own",
    ),
    WrongAnswer(
        "nothing", lambda case: None, "returned nothing; let it end with `return found`"
    ),
    WrongAnswer("a text", lambda case: "burst", "returned a str; return a list"),
    WrongAnswer("a truth", lambda case: True, "returned a bool; return a list"),
    WrongAnswer(
        "another word",
        lambda case: ["bursts"],
        "named 'bursts'; the reasons are burst, offload",
    ),
    WrongAnswer(
        "a reason twice",
        lambda case: [*speaks_for({})(case), "burst"],
        'named "burst" twice; once is enough',
    ),
    WrongAnswer("another fact", lambda case: case["waits"], "raised KeyError: 'waits'"),
    WrongAnswer("no reason", lambda case: [], '"burst" holds and is missing'),
    WrongAnswer("every reason", lambda case: list(REASONS), '"burst" does not hold'),
)
RIGHT_PILES = {name: card.piles[0] for name, card in CARDS.items()}


SPEAKS_FOR = Answer(
    number="10.1",
    title="what speaks for Lambda",
    judge=judge_reasons,
    hints=(
        "Each reason is a question about the facts, and independent of the others: one `if` for each.",
        'Two are facts already: "on the web server now", and "somebody waits", turned around with `not`.',
        "How busy is a server? Two calls a second that take 0.1 s each keep it busy for 2 * 0.1 == 0.2 of the time.",
        'case["started by"] in ("file", "message", "schedule"); case["mean"] * case["seconds"] < break_even.',
    ),
    asks_for="speaks_for",
    wrong_answers=WRONG_REASONS,
)
SORT_THE_CARDS = Answer(
    number="10.2",
    title="sort the cards",
    judge=judge_cards,
    hints=(
        "Go through the six objections for each card. None of them holds? Then it fits.",
        "Where an objection holds: can the work be changed so that it no longer does, by pieces, remembered ids or "
        "a queue? Then repair first.",
        "Three cards fit. Two are about doing it twice and about connections: they can be repaired.",
        'Fits: photos, report, TV page. Does not fit: backup, game, prices. "repair first" is right for the others.',
    ),
    asks_for="sorted_cards",
    form="dict",
    wrong_answers=(
        *(
            WrongAnswer(
                f"{name}: {pile}",
                RIGHT_PILES | {name: pile},
                re.escape(f'"{name}" does not belong to "{pile}": {reason}'),
            )
            for name, card in CARDS.items()
            for pile, reason in card.instead.items()
        ),
        WrongAnswer(
            "nothing chosen",
            dict.fromkeys(CARDS, "choose"),
            "lie on no pile yet: photos, points",
        ),
        WrongAnswer(
            "one not chosen", RIGHT_PILES | {"film": None}, "lie on no pile yet: film"
        ),
        WrongAnswer(
            "another pile",
            RIGHT_PILES | {"film": "repair"},
            """"film" lies on 'repair'; the piles are fits""",
        ),
        WrongAnswer(
            "two wrong piles",
            RIGHT_PILES | {"backup": "fits", "game": "fits"},
            r"\(Then look again at: game\.\)",
        ),
        WrongAnswer(
            "all are repaired",
            dict.fromkeys(CARDS, "repair first"),
            '"photos" does not belong to "repair first"',
        ),
        WrongAnswer(
            "all fit",
            dict.fromkeys(CARDS, "fits"),
            '"points" does not belong to "fits"',
        ),
    ),
)
EXERCISES = (SPEAKS_FOR, SORT_THE_CARDS)
