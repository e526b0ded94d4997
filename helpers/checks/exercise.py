"""What an exercise is, and how a check says no."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..connect import Workshop
from ..errors import WorkshopError
from ..labs import Lab
from ..webhook import secret_path


class NotSolved(WorkshopError):
    """A wrong answer; the message is the one sentence that names what to look at, without a webhook's URL."""

    def __init__(self, sentence: str) -> None:
        super().__init__(secret_path().sub("/…(hidden)", sentence))


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function that the reader wrote in a notebook; NotSolved when it raises."""
    try:
        return function(*arguments)
    except NotImplementedError as error:
        raise NotSolved(f"{function.__name__} is not written yet ({error}).") from None
    except Exception as error:  # whatever the reader's code does is theirs to look at
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise NotSolved(f"{function.__name__} raised {what}; call it yourself to see where.") from None


def require_answer(name: str, found: Any, wanted: str = "one number") -> None:
    """NotSolved when the reader's function `name` has no return."""
    if found is None:
        raise NotSolved(f"{name} returned nothing; let it end with `return` and {wanted}.")


def require_number(name: str, found: Any, wanted: str = "one number") -> float:
    """What the reader's function `name` returned; NotSolved when it is no number."""
    if isinstance(found, bool) or not isinstance(found, int | float | np.number):
        raise NotSolved(f"{name} returned a {type(found).__name__}; return {wanted}.")
    return float(found)


def as_word(choice: Any) -> Any:
    """A choice as it is compared: capitals and spaces around it do not matter."""
    return choice.strip().lower() if isinstance(choice, str) else choice


# Raises NotSolved, or returns what it could not see (one sentence for each, mostly none).
Judge = Callable[[Workshop, Any], list[str]]


@dataclass(frozen=True)
class Exercise:
    """One exercise with its check and its hints."""

    number: str  # e.g. "01.2"
    title: str
    judge: Judge
    hints: tuple[str, ...] | dict[str, tuple[str, ...]]  # the first gives little away; in a lab by language
    lab: Lab | None = None  # None when the answer stands in a notebook
    asks_for: str = ""  # the function of the notebook that check() is given, e.g. "report_of"

    def hints_in(self, language: str) -> tuple[str, ...]:
        return self.hints[language] if isinstance(self.hints, dict) else self.hints
