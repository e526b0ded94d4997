"""What a class has predicted, as bars: one for each answer, with what was measured beside them."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median_low
from typing import NamedTuple

from ... import lessons
from ...session import questions
from .room import Learner
from .strings import words

NUMBER = re.compile(r"[-+−]?(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}(?![0-9])|[0-9]{1,15})?(?:\.[0-9]{1,9})?(?<=[0-9])")
MARKUP = re.compile(r"\[([^\]]+)\]\([^)]*\)|[*`]")  # what is no text of it in CommonMark; [1] is the text of a link
VALUES = 12  # bars with one number each; where there are more numbers, a bar is a range of them
RANGES = 8
ANSWERS = 12  # bars of answers in words


class Question(NamedTuple):
    """What a notebook asks: its text, and the answers where one chooses among some."""

    text: str
    choices: tuple[str, ...]


NO_QUESTION = Question("", ())


class Bar(NamedTuple):
    """How many learners have predicted this, and whether it is what was measured."""

    answer: str
    learners: int
    is_measured: bool


@dataclass(frozen=True)
class Predictions:
    """The predictions of one question."""

    key: str
    question: Question
    bars: tuple[Bar, ...]
    count: int
    measured: str  # as a notebook said it: the one in the middle
    measured_count: int
    lowest: str = ""  # of the numbers, where they differ
    highest: str = ""

    @property
    def most(self) -> int:
        return max((bar.learners for bar in self.bars), default=0) or 1


def of(key: str, learners: Sequence[Learner], is_hidden: bool = False) -> Predictions:
    """The predictions of a class under a key, such as "04.a"; with `is_hidden`, nothing of what was measured."""
    told = [text for each in learners if (text := each.predictions.get(key, ""))]
    measured = [text for each in learners if (text := each.measured.get(key, "")) and not is_hidden]
    question = question_of(key)
    by_number = _is_about_numbers(told or measured, question)
    bars = _number_bars(told, measured) if by_number else _word_bars(told, measured, question.choices)
    middle, lowest, highest = _middle(measured, by_number)
    return Predictions(key, question, tuple(bars), len(told), middle, len(measured), lowest, highest)


def question_of(key: str) -> Question:
    """What the notebook asks under this key, by its source; an empty one where it has no such question."""
    asked = _questions(key.partition(".")[0]).get(key)
    return Question(MARKUP.sub(lambda match: match[1] or "", asked.paragraph), asked.choices) if asked else NO_QUESTION


@lru_cache
def _questions(number: str) -> dict[str, questions.Question]:
    from ...authoring.source import Source  # which takes a moment to load

    try:
        return questions.questions_in(Source(lessons.lesson(number)).cells)
    except (lessons.LessonError, OSError):
        return {}


def number_in(text: str) -> float | None:
    """The first number of a text, such as 40 in "about 40%"."""
    found = NUMBER.search(text)
    return float(found[0].replace(",", "").replace("−", "-")) if found else None


def _is_about_numbers(texts: Sequence[str], question: Question) -> bool:
    return not question.choices and 2 * sum(number_in(each) is not None for each in texts) > len(texts)


def _number_bars(told: list[str], measured: list[str]) -> list[Bar]:
    """Bars in the order of the numbers; what holds no number is one bar more."""
    guesses = [number for each in told if (number := number_in(each)) is not None]
    results = [number for each in measured if (number := number_in(each)) is not None]
    values = sorted({*guesses, *results})
    if len(values) <= VALUES:
        count, seen = Counter(guesses), set(results)
        bars = [Bar(_shown(each), count[each], each in seen) for each in values]
    else:
        edges = _edges(values[0], values[-1])
        bars = [
            Bar(
                words("bars.range", low=_shown(low), high=_shown(high)),
                sum(map(inside, guesses)),
                any(map(inside, results)),
            )
            for low, high, inside in _ranges(edges)
        ]
    rest = len(told) - len(guesses)
    return [*bars, *([Bar(words("bars.no_number"), rest, False)] if rest else [])]


def _ranges(edges: list[float]) -> list[tuple[float, float, Callable[[float], bool]]]:
    """From each edge to the next."""
    inner = [-math.inf, *edges[1:-1], math.inf]  # what arithmetic leaves outside of an end belongs to it

    def within(low: float, high: float) -> Callable[[float], bool]:
        return lambda value: low <= value < high

    pairs = zip(edges, edges[1:], inner, inner[1:], strict=False)
    return [(low, high, within(begins, ends)) for low, high, begins, ends in pairs]


def _edges(low: float, high: float) -> list[float]:
    """Round numbers from below the lowest to above the highest: 1, 2, 5, 10, … where they are far apart."""
    if low > 0 and high / low >= 50:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        steps = [digit * 10.0**power for power in range(first, last + 1) for digit in (1, 2, 5)]
        steps = steps if last - first <= 4 else [10.0**power for power in range(first, last + 2)]
        below = max((place for place, each in enumerate(steps) if each <= low), default=0)
        above = min((place for place, each in enumerate(steps) if each >= high), default=len(steps) - 1)
        return steps[below : above + 1]
    rough = (high - low) / RANGES
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough)
    begins, ends = math.floor(low / step), math.ceil(high / step)
    return [place * step for place in range(begins, ends + 1)]


def _word_bars(told: list[str], measured: list[str], choices: tuple[str, ...]) -> list[Bar]:
    """A bar for each choice, in the notebook's order; or the answers, those first that most have given."""
    count = Counter(_folded(each) for each in told)
    spelled = {_folded(each): each for each in reversed([*choices, *told])}
    results = {_folded(each) for each in measured}
    order = [*dict.fromkeys([*map(_folded, choices), *(each for each, _ in count.most_common())])]
    chosen = set(map(_folded, choices))
    bars = [Bar(spelled[each], count[each], _is_among(each, results, each in chosen)) for each in order]
    shown, rest = bars[:ANSWERS], bars[ANSWERS:]
    others = [Bar(words("bars.others"), sum(bar.learners for bar in rest), False)] if rest else []
    return [*shown, *others]


def _is_among(answer: str, results: set[str], is_choice: bool) -> bool:
    """Whether it was measured: the result is the answer, or a choice and more, as in "to the left, from 3 to 2"."""
    if answer in results:
        return True
    return is_choice and any(re.match(rf"{re.escape(answer)}\s*[,:;(]", each) for each in results)


def _middle(measured: list[str], by_number: bool) -> tuple[str, str, str]:
    """What was measured: the text with the number in the middle; the lowest number and the highest, if they differ."""
    by_value = sorted((number, each) for each in measured if (number := number_in(each)) is not None)
    if not by_number or not by_value:
        return Counter(measured).most_common(1)[0][0] if measured else "", "", ""
    middle = median_low([number for number, _ in by_value])
    text = next(each for number, each in by_value if number == middle)
    lowest, highest = by_value[0][0], by_value[-1][0]
    return (text, _shown(lowest), _shown(highest)) if lowest != highest else (text, "", "")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _shown(number: float) -> str:
    return f"{number:,.10g}"
