"""What an exercise is: one declared object for each, of two kinds; and how a check says no."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import lessons
from ..connect import connect
from ..errors import WorkshopError
from ..webhook import without_secret
from .lab import Lab, labs


class NotSolved(WorkshopError):
    """A wrong answer; the message is the one sentence that names what to look at, without a webhook's URL."""

    goes_on = True

    def __init__(self, sentence: str) -> None:
        super().__init__(without_secret(sentence))


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


@dataclass(frozen=True)
class WrongAnswer:
    """An answer that somebody may come to, and what the check's sentence about it says.

    `answer` is what check() is given, or for a deployed function its text, or what a test makes one of. `says` is a
    regular expression that the sentence holds.
    """

    name: str  # e.g. "memory in MB taken for GB"
    answer: Any
    says: str


# What a judge returns says what it could not see: one sentence for each, mostly none. Otherwise it raises NotSolved.
Notes = list[str]
FORMS: dict[str, Callable[[Any], bool]] = {"function": callable, "dict": lambda answer: isinstance(answer, dict)}


@dataclass(frozen=True, kw_only=True)
class Exercise(ABC):
    """One exercise: what it is called, what it judges, its hints, its answer, and the wrong answers that it knows.

    Its reference answer stands where its reader writes, and is read from there.
    """

    number: str  # of its lesson, and in it where there are several: "01.2" or "09"
    title: str
    hints: tuple[str, ...] | Mapping[str, tuple[str, ...]]  # the first gives little away; in a lab by language, and
    # then the last holds code. Where the answer stands in a notebook, what fills its gap is one hint more.
    wrong_answers: tuple[WrongAnswer, ...] = ()

    @property
    def notebook(self) -> str:
        """The number of its notebook, e.g. "01"."""
        return self.number[:2]

    @abstractmethod
    def judged(self, answer: Any) -> Notes:
        """Judge what check() was given. Raises NotSolved."""

    def hints_in(self, language: str) -> tuple[str, ...]:
        """All hints; the last, after an empty line, has what passes in place of what the starter raises."""
        if isinstance(self.hints, Mapping):
            return self.hints[language]
        from ..authoring.source import gap  # only where it is shown: it takes a moment to load

        return (*self.hints, f"In place of the line that begins with `raise`:\n\n{gap(self._cell())}")

    def answer(self, language: str = "python") -> str:
        """The reference answer: in a lab the file beside its starter, else what the notebook's source holds solved."""
        if self.lab:
            return self.lab.answer(language).read_text(encoding="utf-8")
        from ..authoring.source import solved

        return solved(self._cell())

    def _cell(self) -> str:
        """The cell of the notebook in which the answer stands, as its author wrote it."""
        from ..authoring.source import Source, is_exercise

        lesson, _, place = self.number.partition(".")  # "01.2" is the second exercise of notebook 01
        cells = Source(lessons.lesson(lesson)).cells
        exercises = [cell.text for cell in cells if cell.kind == "code" and is_exercise(cell.text)]
        return exercises[int(place) - 1]

    @property
    def lab(self) -> Lab | None:
        """The lab whose function this exercise is about; None when the answer stands in a notebook."""
        is_in_languages = isinstance(self.hints, Mapping)  # its notebook may have other exercises
        return labs().get(self.notebook) if is_in_languages else None


@dataclass(frozen=True, kw_only=True)
class Answer(Exercise):
    """An exercise whose answer is a function or a value of the notebook. It is judged without any AWS."""

    asks_for: str  # the answer's name in the notebook, e.g. "report_of"
    form: str = "function"  # what it is, one of FORMS
    judge: Callable[[Any], Notes]

    def judged(self, answer: Any) -> Notes:
        _require_form(self, self.asks_for, self.form, answer)
        return self.judge(answer)


@dataclass(frozen=True, kw_only=True)
class DeployedFunction(Exercise):
    """An exercise whose answer is a function that the reader has deployed, and that the judge invokes."""

    asks_for: str = ""  # a function of the notebook that looks at the deployed one, and is given to the judge as well
    judge: Callable[..., Notes]  # of a Workshop, and of that function

    def judged(self, answer: Any) -> Notes:
        if not self.asks_for:
            return self.judge(connect())
        _require_form(self, self.asks_for, "function", answer)
        return self.judge(connect(), answer)


def _require_form(exercise: Exercise, asks_for: str, form: str, answer: Any) -> None:
    if not FORMS[form](answer):
        raise NotSolved(f'Give the check your {form}: check("{exercise.number}", {asks_for}).')
