"""check(), hint() and solution() of the exercises. A check deploys nothing: it looks at what is deployed."""

from typing import Any

from .. import progress
from ..connect import connect
from ..labs import LANGUAGES
from . import (
    billing,
    cold_start,
    databases,
    lambda_or_ec2,
    limits,
    night_scale_in,
    pdf,
    rendering,
    s3_list_to_slack,
    s3_to_slack,
    scaling,
    slack,
    thumbnails,
    what_does_not_fit,
    what_fits,
    what_is_lambda,
    wrap_up,
    xaas,
)  # fmt: skip
from .exercise import Exercise, NotSolved
from .words import WORDS

__all__ = ["EXERCISES", "NotSolved", "check", "hint", "solution"]

EXERCISES = {
    exercise.number: exercise
    for module in (
        what_is_lambda, scaling, billing, cold_start, lambda_or_ec2, limits, databases, xaas, slack,
        what_fits, thumbnails, night_scale_in, rendering, pdf, what_does_not_fit, s3_to_slack, s3_list_to_slack,
        wrap_up,
    )
    for exercise in module.EXERCISES
}  # fmt: skip


def check(exercise: str, answer: Any = None) -> None:
    """Check an exercise, e.g. "09" or "01.2"; when it is solved, print one line and enter it in the progress.

    Invokes the reader's deployed functions with events of its own, and looks at what they return and log, and
    at what reaches the inbox. `answer` is the function of the notebook where the exercise asks for one.

    Raises NotSolved, which a notebook shows as the one sentence that it is, when the answer is not right yet;
    ValueError for an exercise that there is not.
    """
    chosen = _exercise(exercise)
    try:
        if chosen.asks_for and not callable(answer):
            raise NotSolved(f'Give the check your function: check("{chosen.number}", {chosen.asks_for}).')
        notes = chosen.judge(connect(), answer)
    except NotSolved as wrong:
        helps = f'hint("{chosen.number}") helps'
        raise NotSolved(f"Not yet. {wrong} ({progress.summary_of_notebook(exercise[:2])}; {helps}.)") from None
    progress.solve(chosen.number)
    mind = f" Mind: {'; '.join(notes)}." if notes else ""
    print(f"Exercise {chosen.number}, {chosen.title}: solved.{mind} {progress.summary_of_notebook(exercise[:2])}.")


def hint(exercise: str) -> None:
    """Print the next hint of an exercise: the first gives little away, the last nearly all."""
    chosen = _exercise(exercise)
    hints = chosen.hints_in(chosen.lab.language()) if chosen.lab else chosen.hints_in("python")
    number = min(progress.count_hint(chosen.number), len(hints))
    print(f"Hint {number} of {len(hints)}: {hints[number - 1]}")
    if number == len(hints):
        print(f'\nThat was the last one; solution("{chosen.number}") shows an answer.')


def solution(exercise: str, language: str | None = None) -> None:
    """Show the reference answer of an exercise; nothing is deployed and no file is changed.

    `language` is "python", "node" or "ruby": by default the one that the reader last wrote the lab in.
    Raises ValueError for a language that the exercise is not in.
    """
    from IPython.display import Markdown, display

    chosen = _exercise(exercise)
    languages = list(LANGUAGES) if chosen.lab else ["python"]
    language = language or (chosen.lab.language() if chosen.lab else "python")
    if language not in languages:
        there = ", ".join(languages)
        raise ValueError(f"Exercise {chosen.number} has no answer in {language!r}; choose one of: {there}.")
    answer = chosen.lab.answer(language).read_text(encoding="utf-8") if chosen.lab else _of_notebook(exercise)
    fence = {"node": "javascript"}.get(language, language)
    others = ", ".join(f'solution("{chosen.number}", "{each}")' for each in languages if each != language)
    title = f"**An answer in {WORDS[language].title}.**" + (f" The others: `{others}`." if others else "")
    display(Markdown(f"{title}\n\n```{fence}\n{answer.rstrip()}\n```"))  # in one piece, so that the order is kept


def _exercise(number: str) -> Exercise:
    if number not in EXERCISES:
        raise ValueError(f"There is no exercise {number!r}; there are {', '.join(EXERCISES)}.")
    return EXERCISES[number]


def _of_notebook(number: str) -> str:
    """The answer that stands in the source of a notebook: "01.2" is the second exercise of notebook 01."""
    from ..notebooks import source, sources
    from ..settings import NOTEBOOKS

    notebook, place = number.split(".")
    [made_of] = [each for each in sources(NOTEBOOKS) if each.name.startswith(notebook)]
    exercises = [text for kind, text in made_of.cells if kind == "code" and source.solved(text) != text]
    return source.solved(exercises[int(place) - 1])
