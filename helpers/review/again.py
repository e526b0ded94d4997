"""Chooses the five things to look at again, and says why: from what was tried, shown, guessed and left out.

A thing is a section of a notebook. Each reason has a weight; the heaviest reason of a section counts, and the others
break a tie. Nothing is chosen for which there is no reason, so there may be fewer than five.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..lessons import Lesson
from .answers import Work
from .guesses import Guess, Verdict
from .notebooks import Notebook, Section
from .strings import words

MOST = 5
MANY_FAILED, LONG_S, MANY_HINTS = 3, 10 * 60.0, 2

# Reasons by their weight: what is open comes before what was hard, and that before what was left out.
UNSOLVED, SHOWN, HARD, HINTS, GUESS, UNTRIED, LEFT_OUT, NOT_BEGUN = 80, 70, 60, 50, 40, 30, 20, 10


@dataclass
class Thing:
    """A section to look at again."""

    lesson: Lesson
    notebook: Notebook
    section: Section | None
    reasons: list[tuple[float, str]] = field(default_factory=list)

    @property
    def weight(self) -> tuple[float, float]:
        weights = sorted((weight for weight, _ in self.reasons), reverse=True)
        return weights[0], sum(weights[1:])

    @property
    def title(self) -> str:
        return self.section.title if self.section else self.lesson.title

    @property
    def sentences(self) -> list[str]:
        return [sentence for _, sentence in sorted(self.reasons, key=lambda reason: -reason[0])]

    @property
    def address(self) -> str:
        """Of the section in the learner's notebook, from the review's first page; of the slide where there is none."""
        if self.section:
            return f"{self.notebook.page}#{self.section.anchor}"
        return f"#slide-{self.lesson.slides[0].first}"


@dataclass(frozen=True)
class Done:
    """What was done of one lesson."""

    lesson: Lesson
    notebook: Notebook
    is_begun: bool
    works: list[Work]
    guesses: list[Guess]
    headings: frozenset[str]  # of the sections that the record knows


def things(done: Sequence[Done]) -> list[Thing]:
    """The heaviest five, or fewer."""
    found: list[Thing] = []
    for each in done:
        found += _of_lesson(each)
    begun = [each for each in done if each.is_begun]
    if begun and (later := [each for each in done if not each.is_begun and each.lesson.slides]):
        named = ", ".join(each.lesson.number for each in later)
        reason = words("again.not_begun", n=len(later), notebooks=named)
        found.append(Thing(later[0].lesson, later[0].notebook, None, [(NOT_BEGUN, reason)]))
    return sorted(found, key=lambda thing: thing.weight, reverse=True)[:MOST]


def _of_lesson(done: Done) -> list[Thing]:
    things: dict[str, Thing] = {}

    def add(section: Section | None, weight: float, reason: str) -> None:
        key = section.anchor if section else ""
        thing = things.setdefault(key, Thing(done.lesson, done.notebook, section))
        thing.reasons.append((weight, reason))

    for work in done.works:
        for weight, reason in _reasons(work, done.is_begun):
            add(work.section, weight, reason)
    for guess in done.guesses:
        if guess.verdict in (Verdict.FAR, Verdict.WRONG):
            add(guess.section, GUESS + _how_far(guess), words("again.guess", said=guess.said, measured=guess.measured))
    if done.is_begun and (left := _left_out(done)):
        reason = words("again.left_out", n=len(left), titles="; ".join(each.title for each in left))
        add(left[0], LEFT_OUT, reason)
    return list(things.values())


def _reasons(work: Work, is_begun: bool) -> list[tuple[float, str]]:
    number, found = work.number, list[tuple[float, str]]()
    if not work.is_solved and (work.attempts or work.was_changed):
        said = "again.unsolved" if work.attempts else "again.unchecked"
        found.append((UNSOLVED + min(len(work.attempts), 9), words(said, number=number, n=len(work.attempts))))
    if work.solutions:
        found.append((SHOWN, words("again.shown", number=number)))
    if work.is_solved and work.failed >= MANY_FAILED:
        found.append((HARD + min(work.failed, 9), words("again.failed", number=number, n=work.failed)))
    if work.seconds is not None and work.seconds >= LONG_S:
        found.append((HARD, words("again.long", number=number, n=round(work.seconds / 60))))
    if work.hints >= MANY_HINTS:
        found.append(
            (HINTS + min(work.hints, 9), words("again.hints", number=number, n=work.hints, most=work.most_hints))
        )
    if is_begun and not work.was_tried:
        found.append((UNTRIED, words("again.untried", number=number)))
    return found


def _how_far(guess: Guess) -> float:
    """From 0 to 9: how many times the guess is too high or too low."""
    return min(9.0, abs(math.log2(guess.ratio))) if guess.ratio else 1.0


def _left_out(done: Done) -> list[Section]:
    """The sections with code that neither the record nor the notebook knows as run; exercises are told apart."""
    of_exercises = {work.section.anchor for work in done.works if work.section}
    return [
        each
        for each in done.notebook.sections
        if each.code
        and each.heading
        and not each.was_run
        and each.heading not in done.headings
        and each.anchor not in of_exercises
    ]
