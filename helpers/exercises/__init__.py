"""check(), hint() and solution() of the exercises. A check looks at what is there; it deploys but copies (in_step.py).

A lesson's checks.py declares each of its exercises as one object: an Answer, which is judged by itself, or a
DeployedFunction, which is invoked.
"""

from typing import Any

from .. import lessons, progress
from .exercise import Answer, DeployedFunction, Exercise, NotSolved, WrongAnswer
from .languages import LANGUAGES

__all__ = ["Answer", "DeployedFunction", "Exercise", "NotSolved", "WrongAnswer", "check", "hint", "solution"]


def check(exercise: str, answer: Any = None) -> None:
    """Check an exercise, e.g. "09" or "01.2"; when it is solved, print one line and enter it in the progress.

    Invokes the reader's deployed functions with events of its own, and looks at what they return and log, and
    at what reaches the inbox. `answer` is the function of the notebook where the exercise asks for one.

    Raises NotSolved, which a notebook shows as the one sentence that it is, when the answer is not right yet;
    ValueError for an exercise that there is not.
    """
    chosen = _exercise(exercise)
    try:
        notes = chosen.judged(answer)
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
    answer = chosen.answer(language)
    fence = {"node": "javascript"}.get(language, language)
    others = ", ".join(f'solution("{chosen.number}", "{each}")' for each in languages if each != language)
    title = f"**An answer in {LANGUAGES[language].title}.**" + (f" The others: `{others}`." if others else "")
    # In one piece, so that the order is kept.
    display(Markdown(f"{title}\n\n```{fence}\n{answer.rstrip()}\n```"))


def _exercise(number: str) -> Exercise:
    there = {each.number for each in lessons.lessons()}
    exercises = lessons.lesson(number[:2]).exercises if number[:2] in there else ()
    for exercise in exercises:
        if exercise.number == number:
            return exercise
    known = [each.number for each in exercises] or list(lessons.exercises())
    raise ValueError(f"There is no exercise {number!r}; there are {', '.join(known)}.")
