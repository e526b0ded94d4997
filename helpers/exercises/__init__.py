"""check(), hint() and solution() of the exercises. A check looks at what is there; it deploys but copies (copies.py).

A lesson's checks.py declares each of its exercises as one object: an Answer, which is judged by itself, or a
DeployedFunction, which is invoked.
"""

from typing import Any

from IPython import get_ipython

from .. import lessons
from ..arguments import COUNT, EXERCISE, TEXT, YES_NO, ArgumentError, or_none, shown, takes
from ..jupyter import cells_run
from ..pages.fenced import fenced
from ..session import progress, record
from ..session.starter_cells import is_unsolved
from .answers import written
from .exercise import Answer, DeployedFunction, Exercise, NotSolved, WrongAnswer
from .languages import LANGUAGES

__all__ = ["Answer", "DeployedFunction", "Exercise", "NotSolved", "WrongAnswer", "check", "hint", "solution"]


@takes(exercise=EXERCISE)
def check(exercise: str, answer: Any = None) -> None:
    """Check an exercise, e.g. "09" or "01.2"; when it is solved, print one line and enter it in the progress.

    Invokes the reader's deployed functions with events of its own, and looks at what they return and log, and
    at what reaches the inbox. `answer` is the function of the notebook where the exercise asks for one.

    Raises NotSolved, which a notebook shows as the one sentence that it is, when the answer is not right yet;
    ArgumentError for an exercise that there is not.
    """
    chosen = _exercise(exercise)
    try:
        with record.without("table"):
            notes = chosen.judged(answer)
    except NotSolved as wrong:
        helps = f'hint("{chosen.number}") helps'
        no = NotSolved(f"Not yet. {wrong} ({progress.summary_of_notebook(chosen.notebook)}; {helps}.)")
        _note_attempt(chosen, answer, str(no), solved=False)
        raise no from None
    progress.solve(chosen.number)
    note = f" Note: {'; '.join(notes)}." if notes else ""
    yes = f"Exercise {chosen.number}, {chosen.title}: solved.{note} {progress.summary_of_notebook(chosen.notebook)}."
    _note_attempt(chosen, answer, yes, solved=True)
    print(yes)


@takes(exercise=EXERCISE, number=or_none(COUNT))
def hint(exercise: str, number: int | None = None) -> None:
    """Print the next hint of an exercise: the first gives little away, the last nearly all.

    hint("09", 1) begins again from the first. Of a notebook with several exercises, "01" is the first one that is not
    solved yet. Raises ArgumentError for an exercise that there is not.
    """
    chosen = _exercise(exercise, next_one=True)
    hints = chosen.hints_in(chosen.lab.language()) if chosen.lab else chosen.hints_in("python")
    wanted = None if number is None else min(max(number, 1), len(hints))
    place = min(progress.count_hint(chosen.number, wanted), len(hints))
    record.note("hint", exercise=chosen.number, number=place)
    print(f"Hint {place} of {len(hints)}{_which(exercise, chosen)}: {hints[place - 1]}")
    if place == len(hints):
        again, answer = f'hint("{chosen.number}", 1)', f'solution("{chosen.number}")'
        print(f"\nThat was the last one; {answer} shows an answer, and {again} begins again.")


@takes(exercise=EXERCISE, language=or_none(TEXT), use=YES_NO)
def solution(exercise: str, language: str | None = None, *, use: bool = False) -> None:
    """Show the reference answer of an exercise; with `use`, take it in place of one's own, and go on with it.

    `language` is "python", "node" or "ruby": by default the one that the reader last wrote the lab in. To use an answer
    runs it in the notebook; in a lab it becomes the file that the next cells deploy, and the reader's own is kept.
    Raises ArgumentError for a language that the exercise is not in, or where there is no notebook.
    """
    chosen = _exercise(exercise)
    languages = list(LANGUAGES) if chosen.lab else ["python"]
    language = language or (chosen.lab.language() if chosen.lab else "python")
    if language not in languages:
        there = ", ".join(languages)
        raise ArgumentError(f"Exercise {chosen.number} has no answer in {language!r}; choose one of: {there}.")
    if use:
        _use(chosen, language)
    else:
        _show(chosen, language, languages)
    record.note("solution", exercise=chosen.number)


def _note_attempt(chosen: Exercise, answer: Any, sentence: str, *, solved: bool) -> None:
    if record.is_on("attempt"):
        text = written(chosen, answer)
        if is_unsolved(str(text)):
            return  # the starter as it is: Run All comes by, and nobody has tried anything
        record.note("attempt", exercise=chosen.number, solved=solved, sentence=sentence, answer=text)


def _show(chosen: Exercise, language: str, languages: list[str]) -> None:
    from IPython.display import Markdown, display

    answer = chosen.answer(language)
    shown_as = {"node": "javascript"}.get(language, language)
    others = ", ".join(f'solution("{chosen.number}", "{each}")' for each in languages if each != language)
    title = f"**An answer in {LANGUAGES[language].title}.**" + (f" The others: `{others}`." if others else "")
    # In one piece, so that the order is kept.
    display(Markdown(f"{title}\n\n{fenced(answer.rstrip(), shown_as)}"))


def _use(chosen: Exercise, language: str) -> None:
    if chosen.lab:
        kept = chosen.lab.put(language, chosen.lab.answer(language))
        yours = f"; yours is kept as {kept.name}" if kept else ""
        print(f"{chosen.lab.copy(language)} is the reference answer now{yours}. Run the cell that deploys it again.")
        return
    shell = get_ipython()
    if shell is None:
        raise ArgumentError(f'solution("{chosen.number}", use=True) runs the answer in a notebook, and this is none.')
    shell.run_cell(chosen.answer(), store_history=False).raise_error()  # which inspect.getsource() then finds
    cells_run.put_in_exercise_cell(chosen.number, chosen.answer())
    print(
        f"The reference answer of exercise {chosen.number} is in place of yours; go on with the next cell. Your cell "
        f'keeps what you wrote, and brings it back when it runs; solution("{chosen.number}") shows ours, to copy.'
    )


def _exercise(asked: str, next_one: bool = False) -> Exercise:
    """The exercise that is meant by "01.2", "1.2", "9" or "09.1"; "01" is, with `next_one`, the next one to solve."""
    notebook, _, place = str(asked).strip().partition(".")
    there = {lesson.number: lesson.exercises for lesson in lessons.lessons()}
    of_notebook = there.get(lessons.numbered(notebook), ())
    if not place and (len(of_notebook) == 1 or (of_notebook and next_one)):
        solved = progress.solved() if len(of_notebook) > 1 else set()
        return next((each for each in of_notebook if each.number not in solved), of_notebook[0])
    if place.isdecimal() and 1 <= int(place) <= len(of_notebook):
        return of_notebook[int(place) - 1]
    known = ", ".join(each.number for each in of_notebook or lessons.exercises().values())
    if of_notebook and not place:
        raise ArgumentError(f"Notebook {lessons.numbered(notebook)} has several exercises; name one of {known}.")
    raise ArgumentError(f"There is no exercise {shown(asked)}; there are {known}.")


def _which(asked: str, chosen: Exercise) -> str:
    """Said where a notebook was named, and one of its exercises was taken."""
    return "" if "." in str(asked) or "." not in chosen.number else f" for {chosen.number}"
