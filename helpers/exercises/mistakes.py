"""Mistakes that a judge recognises by what they compute, each with the reason that the reader is told."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .exercise import WrongAnswer


@dataclass(frozen=True)
class Mistake:
    """A wrong way to the answer that a judge knows: when the reader's function computes the same, this is why."""

    name: str  # e.g. "memory in MB taken for GB"
    formula: Callable[..., Any]  # what the reader's function does then
    why: str  # ends the sentence that the check says
    begins: str = ""  # a regular expression: what the sentence says before, e.g. of the number that was returned


def reason(mistakes: Iterable[Mistake], is_made: Callable[[Callable[..., Any]], bool]) -> str | None:
    """Why the first mistake is one whose formula is what the reader's function computes; None for an unknown one."""
    return next((each.why for each in mistakes if is_made(each.formula)), None)


def as_wrong_answers(mistakes: Iterable[Mistake]) -> tuple[WrongAnswer, ...]:
    """The mistakes as wrong answers of an exercise: each computes what it computes, and is told why."""
    return tuple(WrongAnswer(each.name, each.formula, f"{each.begins}.*{re.escape(each.why)}") for each in mistakes)
