"""The checks of notebook 08: on which levels the reader acts, and where a system belongs."""

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from helpers.exercises.exercise import Answer, Notes, NotSolved, WrongAnswer
from helpers.facts import fact

LEVELS = ("IaaS", "CaaS", "PaaS", "FaaS")


class Incident(NamedTuple):
    """Where the reader acts, and why there."""

    yours: tuple[str, ...]
    because: str


class Card(NamedTuple):
    """The levels that fit a system, why, and why each of the others does not."""

    fits: tuple[str, ...]
    instead: dict[str, str]


INCIDENTS = {
    "disk": Incident(
        (), "hardware is the lowest layer, and the provider's on every level"
    ),
    "kernel": Incident(
        ("IaaS",),
        "the kernel belongs to the operating system, which only a machine of your own leaves to you",
    ),
    "library": Incident(
        ("IaaS", "CaaS"),
        "a system library is part of the machine with IaaS and of your image with CaaS; "
        "above that the provider brings it",
    ),
    "patch": Incident(
        ("IaaS", "CaaS"),
        "the provider patches the runtime within its version on PaaS and FaaS; with IaaS and CaaS it is yours",
    ),
    "end of support": Incident(
        LEVELS,
        "the provider patches within a version, and moving your code to the next one is yours everywhere",
    ),
    "bug": Incident(
        LEVELS, "your code is the layer at the top, and yours on every level"
    ),
}

MINUTES, TMP_GB = fact("timeout") // 60, fact("tmp_max") // 1024
CARDS = {
    "driver": Card(
        ("IaaS",),
        {
            "CaaS": "a container shares the provider's kernel, so it cannot install a driver in it.",
            "PaaS": "on a platform the operating system and its kernel are the provider's.",
            "FaaS": "neither the system's version nor its kernel is yours there.",
        },
    ),
    "report": Card(
        ("FaaS",),
        {
            "IaaS": "a machine would run, and want updates, all day for 20 seconds of work.",
            "CaaS": "a scheduled container can do it, but you keep an image patched for code that needs none.",
            "PaaS": "an application would wait all day for 20 seconds of work.",
        },
    ),
    "chat": Card(
        ("CaaS", "PaaS"),
        {
            "IaaS": "it works, but nothing in this case needs an operating system that is yours to patch.",
            "FaaS": "a function handles one event and is frozen, so it can keep neither a connection open nor "
            "the rooms in its memory; with API Gateway, which holds the connections, it would be another program.",
        },
    ),
    "training": Card(
        ("IaaS", "CaaS"),
        {
            "PaaS": "a platform is made for applications that answer requests, and this is one long job on a GPU.",
            "FaaS": f"Lambda stops a function after {MINUTES} minutes, and has a GPU on Managed Instances alone, "
            "which are machines of your account.",
        },
    ),
    "thumbnails": Card(
        ("FaaS",),
        {
            "IaaS": "you would size a machine for 200 in a minute and pay for it in the hours with none.",
            "CaaS": "it can be done, and some services scale containers like functions; but the image, with the runtime in "
            "it, is yours to patch, for a second of work.",
            "PaaS": "an application would wait for the hours with none, and add its copies after the users have come.",
        },
    ),
    "shop": Card(
        ("PaaS", "CaaS"),
        {
            "IaaS": "you would patch the operating system yourselves, and there is no administrator.",
            "FaaS": "Lambda has no runtime for PHP; in an image, with an adapter, it runs uncut, but each environment has "
            "a database connection of its own, and a shop that is busy all day gains little from environments that "
            "come and go.",
        },
    ),
    "videos": Card(
        ("CaaS", "IaaS"),
        {
            "PaaS": "a platform is made for applications that answer requests, and this is one job of three hours.",
            "FaaS": f"Lambda stops a function after {MINUTES} minutes, and its /tmp has {TMP_GB} GB at most.",
        },
    ),
    "fleet": Card(
        ("CaaS",),
        {
            "IaaS": "you can run Kubernetes yourself on rented machines, and would then look after it as well.",
            "PaaS": "a platform takes applications, and does not read the settings of Kubernetes.",
            "FaaS": "that means rewriting twelve services as functions, and they should stay as they are.",
        },
    ),
}


def judge_incidents(you_act: dict[str, Any]) -> Notes:
    _is_complete(you_act, INCIDENTS, "you_act")
    found = {name: _levels(name, you_act[name]) for name in INCIDENTS}
    if all(
        found[name] == set(LEVELS) - set(incident.yours)
        for name, incident in INCIDENTS.items()
    ):
        raise NotSolved(
            "That says where the provider acts; write down the levels on which you do."
        )
    for name, incident in INCIDENTS.items():
        if missing := [
            level
            for level in LEVELS
            if level in incident.yours and level not in found[name]
        ]:
            raise NotSolved(
                f'"{name}": on {_listed(missing)} it is your turn too: {incident.because}.'
            )
        if extra := [
            level
            for level in LEVELS
            if level in found[name] and level not in incident.yours
        ]:
            raise NotSolved(
                f'"{name}": on {_listed(extra)} it is not your turn: {incident.because}.'
            )
    return []


def judge_cards(choices: dict[str, Any]) -> Notes:
    _is_complete(choices, CARDS, "choices")
    for name in CARDS:
        if choices[name] not in LEVELS:
            raise NotSolved(
                f'choices["{name}"] is {choices[name]!r}; choose one of {", ".join(LEVELS)}.'
            )
    wrong = [name for name, card in CARDS.items() if choices[name] not in card.fits]
    if wrong:
        first, others = wrong[0], wrong[1:]
        more = f" (Then look again at: {', '.join(others)}.)" if others else ""
        level = choices[first]
        raise NotSolved(
            f'"{first}" does not belong on {level}: {CARDS[first].instead[level]}{more}'
        )
    open_to_both = {
        name: card.fits for name, card in CARDS.items() if len(card.fits) > 1
    }
    pairs = ", ".join(
        f"{name} ({' or '.join(fits)})" for name, fits in open_to_both.items()
    )
    return [f"good engineers disagree on some, and either answer passes: {pairs}"]


def _is_complete(answer: dict[str, Any], wanted: Collection[str], name: str) -> None:
    """NotSolved unless the answer has an entry for everything that is wanted, and for nothing else."""
    if absent := [each for each in wanted if answer.get(each) is None]:
        raise NotSolved(f"{name} has no answer yet for: {', '.join(absent)}.")
    if unknown := [str(each) for each in answer if each not in wanted]:
        raise NotSolved(
            f"{name} has an entry that is no case: {', '.join(unknown)}; take the keys as they are."
        )


def _levels(name: str, answer: Any) -> set[str]:
    """The levels that the reader wrote down for one incident."""
    if isinstance(answer, str) or not isinstance(answer, Collection):
        raise NotSolved(
            f'you_act["{name}"] is {answer!r}; write a list of levels, such as ["IaaS"], or [].'
        )
    if unknown := [str(each) for each in answer if each not in LEVELS]:
        raise NotSolved(
            f'you_act["{name}"] names {", ".join(unknown)}; the levels are {", ".join(LEVELS)}.'
        )
    return set(answer)


def _listed(levels: list[str]) -> str:
    return " and ".join(
        [", ".join(levels[:-1]), levels[-1]] if len(levels) > 1 else levels
    )


TURNS: dict[str, Any] = {
    name: list(incident.yours) for name, incident in INCIDENTS.items()
}
PLACES = {name: card.fits[0] for name, card in CARDS.items()}


def _turn(name: str, levels: Any, says: str) -> WrongAnswer:
    """One wrong turn among right ones."""
    return WrongAnswer(f"{name} on {levels}", TURNS | {name: levels}, says)


def _place(name: str, level: str, says: str) -> WrongAnswer:
    """One wrong place among right ones."""
    return WrongAnswer(f"{name} on {level}", PLACES | {name: level}, says)


WHOSE_TURN = Answer(
    number="08.1",
    title="whose turn is it",
    asks_for="you_act",
    form="dict",
    judge=judge_incidents,
    hints=(
        "To which layer of the picture does each incident belong? Look up whose that layer is on each level.",
        "A disk is hardware; OpenSSL is a system library, so it belongs to the container image; "
        "3.13.7 and 3.13.8 are the same runtime, patched.",
        "Moving from Python 3.13 to 3.14 may break your code. Can a provider do that for you?",
        'The disk: []. The kernel: ["IaaS"]. Library and patch: ["IaaS", "CaaS"]. The other two: all four.',
    ),
    wrong_answers=(
        _turn(
            "disk",
            ["IaaS"],
            '"disk": on IaaS it is not your turn: hardware is the lowest layer',
        ),
        _turn(
            "kernel",
            ["IaaS", "CaaS"],
            '"kernel": on CaaS it is not your turn: the kernel belongs to',
        ),
        _turn("kernel", [], '"kernel": on IaaS it is your turn too'),
        _turn(
            "library",
            ["CaaS"],
            '"library": on IaaS it is your turn too: a system library is part of',
        ),
        _turn("library", ["IaaS"], '"library": on CaaS it is your turn too'),
        _turn(
            "patch",
            LEVELS,
            '"patch": on PaaS and FaaS it is not your turn: the provider patches the runtime',
        ),
        _turn(
            "end of support",
            ["IaaS", "CaaS"],
            '"end of support": on PaaS and FaaS it is your turn too: the provider',
        ),
        _turn(
            "end of support",
            [],
            '"end of support": on IaaS, CaaS, PaaS and FaaS it is your turn too',
        ),
        _turn(
            "bug",
            ["FaaS"],
            '"bug": on IaaS, CaaS and PaaS it is your turn too: your code',
        ),
        _turn("bug", "FaaS", r"""you_act\["bug"\] is 'FaaS'; write a list"""),
        _turn("bug", 4, r'you_act\["bug"\] is 4; write a list'),
        _turn("bug", ["Faas"], r'you_act\["bug"\] names Faas; the levels are IaaS'),
        _turn("bug", None, "no answer yet for: bug"),
        _turn("fire", [], "has an entry that is no case: fire"),
        WrongAnswer(
            "turns of the provider",
            {name: sorted(set(LEVELS) - set(levels)) for name, levels in TURNS.items()},
            "That says where the provider acts",
        ),
    ),
)
WHERE_TO_PUT_IT = Answer(
    number="08.2",
    title="where would you put it",
    asks_for="choices",
    form="dict",
    judge=judge_cards,
    hints=(
        f"Begin at the top: does it answer single events, in under {MINUTES} minutes, with nothing kept between them? "
        "FaaS.",
        "Else: is it an application that waits for requests, in a language that platforms know? PaaS. Is it a "
        "container image already, or a long job? CaaS.",
        "What remains needs the operating system itself, such as a driver in its kernel: IaaS.",
        "FaaS: report and thumbnails. IaaS: driver. CaaS: fleet, and it is never wrong for chat, training, shop "
        "and videos.",
    ),
    wrong_answers=(
        *(
            _place(
                name, level, re.escape(f'"{name}" does not belong on {level}: {reason}')
            )
            for name, card in CARDS.items()
            for level, reason in card.instead.items()
        ),
        *(
            WrongAnswer(
                f"{level} for all", dict.fromkeys(CARDS, level), "does not belong on"
            )
            for level in LEVELS
        ),
        _place("shop", "paas", r"""choices\["shop"\] is 'paas'; choose one of IaaS"""),
        WrongAnswer(
            "two wrong places",
            PLACES | {"chat": "FaaS", "videos": "FaaS"},
            '"chat" does not belong on FaaS: a function handles one event.*Then look again at: videos',
        ),
    ),
)
EXERCISES = (WHOSE_TURN, WHERE_TO_PUT_IT)
