"""The learner's predictions beside what was measured, and how far apart the two are where that can be told.

A prediction is what anybody types. Where both hold one number, of the same unit or of none, the two are compared; where
there was a list to choose from, the choices are. Everything else is left to the reader.
"""

import math
import re
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from ..lessons import Lesson
from ..session.questions import Question, questions_in
from . import notebooks
from .notebooks import Section
from .session import Entry, Session

CLOSE, FAR = 1.25, 2.0  # times as much, or as little
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBER = re.compile(
    rf"(?<![\w.])(?P<number>-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?|\b(?:{'|'.join(WORDS)}|none|nothing)\b)\s*(?P<unit>%|[a-zµ]+|\$)?",
    re.I,
)
RANGE = re.compile(r"^\D{0,12}?(\d[\d,.]*)\s*(?:-|–|to|or|and)\s*(\d[\d,.]*)\s*([a-zµ%]*)\W*$", re.I)
# Units of the same kind, and how many of the first each is.
KINDS: dict[str, dict[str, float]] = {
    "time": {"ms": 1, "s": 1e3, "sec": 1e3, "min": 6e4, "h": 3.6e6}
    | {"milliseconds": 1, "second": 1e3, "seconds": 1e3, "minute": 6e4, "minutes": 6e4, "hour": 3.6e6, "hours": 3.6e6},
    "memory": {"kb": 1, "mb": 1e3, "gb": 1e6},
    "share": {"%": 1, "percent": 1},
    "factor": {"times": 1, "x": 1},
    "money": {"usd": 1, "$": 1, "dollar": 1, "dollars": 1, "cent": 0.01, "cents": 0.01},
}
UNITS = {unit: (kind, size) for kind, sizes in KINDS.items() for unit, size in sizes.items()}


class Verdict(Enum):
    """How a guess and a measurement compare."""

    RIGHT = "right"
    CLOSE = "close"  # a quarter more or less
    OFF = "off"  # less than twice
    FAR = "far"  # twice, or half, and beyond
    WRONG = "wrong"  # another of the possible answers
    OPEN = "open"  # cannot be told by a program
    NO_GUESS = "no_guess"
    NOT_MEASURED = "not_measured"
    DOUBTFUL = "doubtful"  # the measurement has not shown what the text beside it says


@dataclass
class Guess:
    """One prediction, with what was measured."""

    key: str
    question: Question | None
    said: str  # before it was measured first
    measured: str
    verdict: Verdict
    ratio: float | None = None  # guess by measurement, where both are numbers above zero
    later: list[str] = field(default_factory=list)  # what was said once the measurement was known
    section: Section | None = None


def guesses(session: Session, lesson: Lesson) -> list[Guess]:
    """Those of a lesson that were made or measured, in the order of the notebook."""
    asked = questions(lesson)
    said, measured = session.by("prediction", "key"), session.by("measured", "key")
    kept = session.predictions
    keys = [key for key in (*asked, *sorted({*said, *measured, *kept} - {*asked})) if key[:2] == lesson.number]
    return [
        _guess(session, key, asked.get(key), said.get(key, []), measured.get(key, []))
        for key in keys
        if key in said or key in measured or key in kept
    ]


def _guess(session: Session, key: str, question: Question | None, said: list[Entry], measured: list[Entry]) -> Guess:
    first = measured[0].at if measured else math.inf
    before = [each.told["text"].strip() for each in said if each.at <= first]
    later = [each.told["text"].strip() for each in said if each.at > first and each.told["text"].strip()]
    guess = before[-1] if before else "" if said else session.predictions.get(key, "").strip()
    found = measured[-1].told["text"].strip() if measured else ""
    verdict, ratio = _compared(guess, found, question)
    if guess and measured and _is_doubtful(session, measured[-1]):
        verdict, ratio = Verdict.DOUBTFUL, None
    notebook = session.notebooks[key[:2]]
    section = notebook.section(question.heading) if question else None
    return Guess(key, question, guess, found, verdict, ratio, later, section)


def _is_doubtful(session: Session, measured: Entry) -> bool:
    """Whether something that the text claims did not hold when this was measured: a claim counts as it was last."""
    turns = [each.at for each in session.of_kind("section")]
    began = max((at for at in turns if at <= measured.at), default=-math.inf)
    ended = min((at for at in turns if at > measured.at), default=math.inf)
    claims = [each for each in session.of_kind("claim") if each.notebook == measured.notebook]
    return not all({each.told["says"]: each.told["holds"] for each in claims if began <= each.at < ended}.values())


def _compared(guess: str, found: str, question: Question | None) -> tuple[Verdict, float | None]:
    if not found:
        return Verdict.NOT_MEASURED, None
    if not guess:
        return Verdict.NO_GUESS, None
    choices = question.choices if question else ()
    is_code = question is not None and re.search(r"\bstatus\b", question.text)  # 400 is not twice 200
    if _plain(guess) == _plain(found):
        return Verdict.RIGHT, 1.0 if _number(guess) and not choices and not is_code else None
    if choices:
        return _choice(guess, found, choices), None
    verdict, ratio = _numbers(guess, found)
    if is_code and ratio is not None:
        return Verdict.RIGHT if ratio == 1 else Verdict.WRONG, None
    return verdict, ratio


def _choice(guess: str, found: str, choices: tuple[str, ...]) -> Verdict:
    """By the one choice that the measurement names; it may say more than the choice."""
    named = [each for each in choices if re.search(rf"(?<!\w){re.escape(_plain(each))}(?!\w)", _plain(found))]
    # "first and second" names "first", too: the longest counts
    longest = [each for each in named if not any(each != other and _plain(each) in _plain(other) for other in named)]
    if len(longest) != 1 or guess not in choices:
        return Verdict.OPEN
    return Verdict.RIGHT if longest[0] == guess else Verdict.WRONG


def _numbers(guess: str, found: str) -> tuple[Verdict, float | None]:
    between = RANGE.match(guess)
    if between:
        ends = [_numbers(f"{end} {between[3]}", found) for end in between.groups()[:2]]
        ratios = [ratio for _, ratio in ends if ratio is not None]
        if len(ratios) == 2 and min(ratios) <= 1 <= max(ratios):
            return Verdict.RIGHT, 1.0
        return min(ends, key=lambda end: abs(math.log(end[1])) if end[1] else math.inf)
    one, two = _number(guess), _number(found)
    if one is None or two is None:
        return Verdict.OPEN, None
    ratio = _times(one, two)
    if ratio is None:
        return Verdict.OPEN, None
    if ratio == 1:
        return Verdict.RIGHT, 1.0
    if not 0 < ratio < math.inf:  # one of the two is zero
        return (Verdict.FAR if max(abs(one[0]), abs(two[0])) >= FAR else Verdict.OFF), None
    times = max(ratio, 1 / ratio)
    return (Verdict.CLOSE if times <= CLOSE else Verdict.OFF if times < FAR else Verdict.FAR), ratio


def _times(one: tuple[float, str], two: tuple[float, str]) -> float | None:
    """The first number by the second; None where they cannot be compared."""
    (first, unit), (second, other) = one, two
    here, there = UNITS.get(unit), UNITS.get(other)
    if here and there:
        if here[0] != there[0]:
            return None
        first, second = first * here[1], second * there[1]
    elif here or (there and there[0] == "share" and 0 < first <= 1):
        return None  # 10 ms are no number of calls; and 0.5 may mean a half, or half a percent
    if first < 0 or second < 0:
        return None
    if second == 0:
        return 1.0 if first == 0 else math.inf
    return first / second


def _number(text: str) -> tuple[float, str] | None:
    """The first number of a text, and its unit in small letters, "" for none that is known."""
    found = NUMBER.search(text)
    if not found:
        return None
    word = found["number"].lower()
    unit = (found["unit"] or "").lower()
    if text[: found.start()].rstrip().endswith("$"):
        unit = "$"
    unit = unit if unit in UNITS else ""
    if word in WORDS:
        return float(WORDS.index(word)), unit
    if word in ("none", "nothing"):
        return 0.0, unit
    if re.fullmatch(r"-?\d+,\d{1,2}", word):  # 1,5 as much of the world writes it
        word = word.replace(",", ".")
    value = float(word.replace(",", ""))
    return (value, unit) if math.isfinite(value) else None


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).strip(".!")


@lru_cache
def questions(lesson: Lesson) -> dict[str, Question]:
    """The predictions that a lesson's starter asks for, by their keys."""
    return questions_in(notebooks.starter(lesson))
