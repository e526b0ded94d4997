"""A session of an evening as a learner may have it: six notebooks, right and wrong guesses, failed attempts."""

import json
import re

from kept_session import KeptSession

from helpers import lessons
from helpers.review.guesses import questions
from helpers.session.starter_cells import is_unsolved

GUESSES = ("3", "10", "40", "about 20", "1 s", "50%", "all of them", "2 to 5")
COLUMNS = ["request_id", "environment", "start", "duration_ms", "init_ms", "billed_ms", "memory_mb", "status"]
FAILS = {"02.1": 1, "02.2": 4, "03.1": 2, "03.3": 5, "09": 2}


def make(kept: KeptSession, numbers: tuple[str, ...] = ("00", "01", "02", "03", "04", "09")) -> None:
    """Keep such a session. Outputs are those of the solutions; of notebook 04 the second half is not run."""
    for number in numbers:
        _work_through(kept, number)
        kept.at += 3_600
    kept.note("bill", "03", usd=0.000123, text="412 invocations of 9 functions: 0.00012345 USD")


def _work_through(kept: KeptSession, number: str) -> None:
    lesson = lessons.lesson(number)
    own, solution = kept.notebook(number), json.loads(lesson.solution_path.read_text(encoding="utf-8"))
    middle = len(own["cells"]) // 2
    heading, was = "", None
    for place, (cell, solved) in enumerate(zip(own["cells"], solution["cells"], strict=True)):
        text = "".join(cell["source"])
        if cell["cell_type"] != "code":
            heading = (lessons.headings(text) or [heading])[-1]
            continue
        if number == "04" and place > middle:
            continue
        if is_unsolved(text):
            cell["source"] = solved["source"]
        cell["outputs"], cell["execution_count"] = solved["outputs"], place
        if heading != was:
            kept.section(number, heading, after=90)
            was = heading
        _note_what_it_does(kept, lesson, place, "".join(solved["source"]), solved["outputs"])
    kept.keep(number, own)


def _note_what_it_does(kept: KeptSession, lesson: lessons.Lesson, place: int, code: str, outputs: list) -> None:
    for key in re.findall(r"^ *predict\([\"'](\d\d\.\w)", code, re.MULTILINE):
        choices = questions(lesson)[key].choices
        kept.guess(key, (choices or GUESSES)[place % len(choices or GUESSES)])
    said = ["".join(each.get("data", {}).get("text/markdown", "")) for each in outputs]
    measured = [found[1] for each in said if (found := re.search(r"Measured: \*\*(.+?)\*\*", each))]
    keys = re.findall(r"predicted\([\"'](\d\d\.\w)", code)
    for key, text in zip(keys, measured, strict=False):
        kept.guess(key, "", text)
    if "reports(" in code:
        rows = [
            [f"{n:08d}", "2026/11/28/[$LATEST]" + "0" * 32, "2026-11-28T09:00:00Z", n / 3, None, n, 128, "success"]
            for n in range(place % 50 + 1)
        ]
        kept.note("table", lesson.number, 1, name=f"learner-{place}", columns=COLUMNS, rows=rows, total=len(rows))
    if found := re.search(r"^ *check\([\"'](\d\d(?:\.\d)?)", code, re.MULTILINE):
        _solve(kept, next(each for each in lesson.exercises if each.number == found[1]))


def _solve(kept: KeptSession, exercise) -> None:
    reference, fails = exercise.answer(), FAILS.get(exercise.number, 0)
    for number in range(fails):
        wrong = exercise.wrong_answers[number % len(exercise.wrong_answers)].name
        answer = reference.replace("return", "return  # a try\n    return", 1)
        sentence = f'Not yet. Look at {wrong}. (hint("{exercise.number}") helps.)'
        kept.attempt(exercise.number, False, sentence, {"app.py": answer} if exercise.lab else answer)
        if number:
            kept.note("hint", exercise.notebook, exercise=exercise.number, number=number)
    if fails == 5:
        kept.note("solution", exercise.notebook, exercise=exercise.number)
        return
    answer = reference.replace("    ", "    # mine\n    ", 1)
    sentence = f"Exercise {exercise.number}, {exercise.title}: solved."
    kept.attempt(exercise.number, True, sentence, {"app.py": answer} if exercise.lab else answer)
