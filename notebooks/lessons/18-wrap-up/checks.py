"""The checks of notebook 18: the quiz, and the design of a system for receipts."""

import re
from typing import Any, NamedTuple

import numpy as np
from helpers.exercises.exercise import Answer, NotSolved, WrongAnswer, as_word
from helpers.facts import fact

from .design import FULL_CPU_MB, WRONG_DESIGNS, judge_design


class Question(NamedTuple):
    """The right answer, the notebook that measured it, and why each of the other answers is wrong."""

    right: int | str
    notebook: str
    instead: dict[int | str, str]


QUIZ = {
    "burst": Question(
        10,
        "02",
        {
            0: "it was deployed a moment ago, so there is no environment that could be warm.",
            1: "one environment serves one invocation at a time, so nine of the ten calls find it busy.",
            5: "each call takes a second, so none has ended when the last one begins.",
        },
    ),
    "pinger": Question(
        9,
        "04",
        {
            0: "the ping keeps one environment warm, and ten calls at once need ten.",
            1: "one is the number of warm calls.",
            10: "one of the ten finds the environment that the ping has kept warm.",
        },
    ),
    "cold bill": Question(
        93,
        "03",
        {
            3: f"that was right until {fact('billing_of_init')}; since then the init phase is billed as well.",
            91: "that is the init phase alone, and Duration is billed as well.",
            100: f"rounding up to 100 ms ended on {fact('billing_by_1_ms')}.",
        },
    ),
    "rounding": Question(
        100,
        "03",
        {
            2: f"counting by single milliseconds began on {fact('billing_by_1_ms')}.",
            3: "2.00 ms are two whole milliseconds, and the unit of 2019 was larger than that.",
            10: "the unit of 2019 was still larger: the slide names it.",
        },
    ),
    "memory": Question(
        "faster, same price",
        "03",
        {
            "faster, more expensive": "a second costs 14 times as much, and the function needs a 14th of the seconds.",
            "as slow, more expensive": "that is true of a function that waits; one that computes gets more CPU with more memory.",
        },
    ),
    "ec2": Question(
        23,
        "05",
        {
            2: "at 2% of the month Lambda costs less than a tenth of the machine's price.",
            50: "at 50% Lambda costs some 44 dollars a month, and the machine 20.",
            88: "88 dollars is Lambda's price for a whole month; divide the machine's 20 by it.",
        },
    ),
    "timeout": Question(
        "killed",
        "06",
        {
            "finally runs": "the process is killed from outside, so no `except` and no `finally` runs any more.",
            "runs on": "Lambda stops a function at its limit, and bills it up to there.",
        },
    ),
    "retries": Question(
        3,
        "06",
        {
            1: "that is true of a synchronous call, whose caller gets the error; here nobody waits, so Lambda tries again.",
            2: "MaximumRetryAttempts is 2 by default, and the first run is not among them.",
            6: "for up to six hours Lambda keeps an event that is throttled; one that fails is tried again twice.",
        },
    ),
    "connections": Question(
        "refused",
        "07",
        {
            "wait": "PostgreSQL lets nobody wait for a connection; RDS Proxy does that.",
            "shared": "environments share nothing, so each has a connection of its own; RDS Proxy can share "
            "them.",
        },
    ),
    "batch": Question(
        5,
        "11",
        {
            1: "for that you need `ReportBatchItemFailures`, and a handler that says which message failed.",
            3: "Lambda cannot know how far the handler came: a batch succeeds or fails as a whole.",
        },
    ),
    "night": Question(
        "TUE-SAT",
        "12",
        {
            "MON-FRI": "the rule counts its days in UTC, and 23:00 there is 8:00 of the next day in Japan.",
            "SUN-THU": "Japan is ahead of UTC, so the day moves forward.",
        },
    ),
    "charge": Question(
        "conditional put",
        "15",
        {
            "no retries": "that stops only Lambda's own retries; queues and callers can still send an event "
            "twice.",
            "look first": "two runs at the same moment both look, both find nothing, and both charge.",
            "more time": "the event did not come twice because of the time limit.",
        },
    ),
}


def judge_quiz(answers: dict[Any, Any]) -> list[str]:
    if absent := [name for name in QUIZ if answers.get(name) is None]:
        raise NotSolved(f"These questions have no answer yet: {', '.join(absent)}.")
    if unknown := [str(name) for name in answers if name not in QUIZ]:
        raise NotSolved(
            f"answers has an entry that is no question: {', '.join(unknown)}; take the names as they are."
        )
    chosen = {
        name: _option(name, question, answers[name]) for name, question in QUIZ.items()
    }
    wrong = [name for name, question in QUIZ.items() if chosen[name] != question.right]
    if wrong:
        first, others = (
            wrong[0],
            [f"{name} ({QUIZ[name].notebook})" for name in wrong[1:]],
        )
        more = f" (Then look again at: {', '.join(others)}.)" if others else ""
        raise NotSolved(
            f"{len(QUIZ) - len(wrong)} of {len(QUIZ)} are right. {_another_answer(first, chosen[first])}{more}"
        )
    return []


def _another_answer(name: str, answer: int | str) -> str:
    question = QUIZ[name]
    return f"{name!r} is not {answer!r}: {question.instead[answer]} Notebook {question.notebook} measures it."


def _means(answer: Any, option: int | str) -> bool:
    """Whether the reader chose this option; a number may be one that was computed, such as 93.0."""
    if isinstance(option, str):
        return isinstance(answer, str) and as_word(answer) == as_word(option)
    is_number = isinstance(answer, int | float | np.number)
    return is_number and not isinstance(answer, bool) and answer == option


def _option(name: str, question: Question, answer: Any) -> int | str:
    """The option that the reader chose. Raises NotSolved where there is no such option."""
    options = [question.right, *question.instead]
    if chosen := [option for option in options if _means(answer, option)]:
        return chosen[0]
    if any(str(answer) == str(option) for option in options):
        raise NotSolved(
            f"answers[{name!r}] is {answer!r}; write numbers without quotes, and words within them."
        )
    listed = ", ".join(repr(option) for option in sorted(options))
    raise NotSolved(f"answers[{name!r}] is {answer!r}; choose one of {listed}.")


RIGHT_ANSWERS = {name: question.right for name, question in QUIZ.items()}


def _but(name: str, answers: dict[str, Any], says: str) -> WrongAnswer:
    """The right answers, but for some."""
    return WrongAnswer(name, RIGHT_ANSWERS | answers, says)


THREE_WRONG = {"burst": 1, "batch": 1, "night": "MON-FRI"}
WRONG_QUIZZES = (
    *(
        _but(
            f"{name}: {answer}",
            {name: answer},
            re.escape(
                f"{len(QUIZ) - 1} of {len(QUIZ)} are right. {_another_answer(name, answer)}"
            ),
        )
        for name, question in QUIZ.items()
        for answer in question.instead
    ),
    WrongAnswer(
        "nothing yet", dict.fromkeys(QUIZ), f"no answer yet: {', '.join(QUIZ)}"
    ),
    _but("no answer", {"night": None}, "no answer yet: night"),
    WrongAnswer(
        "a question left out",
        {name: answer for name, answer in RIGHT_ANSWERS.items() if name != "burst"},
        "no answer yet: burst",
    ),
    _but("no question", {"day": 1}, "an entry that is no question: day"),
    _but("a number in quotes", {"burst": "10"}, "write numbers without quotes"),
    _but(
        "a truth",
        {"burst": True},
        r"answers\['burst'\] is True; choose one of 0, 1, 5, 10",
    ),
    _but("another number", {"burst": 7}, "choose one of 0, 1, 5, 10"),
    _but("a list of one", {"burst": [10]}, "choose one of 0, 1, 5, 10"),
    _but("in percent", {"ec2": "23%"}, "choose one of 2, 23, 50, 88"),
    _but(
        "another word",
        {"timeout": "stopped"},
        "choose one of 'finally runs', 'killed', 'runs on'",
    ),
    _but("written large", {"timeout": "Runs On"}, "'timeout' is not 'runs on'"),
    _but(
        "three wrong, the first of them",
        THREE_WRONG,
        "9 of 12 are right. 'burst' is not 1",
    ),
    _but(
        "three wrong, the others",
        THREE_WRONG,
        r"\(Then look again at: batch \(11\), night \(12\)\.\)",
    ),
)


QUIZ_EXERCISE = Answer(
    number="18.1",
    title="the quiz",
    judge=judge_quiz,
    hints=(
        "Each question names the notebook that measured it; the folder solutions has it with its figures.",
        "One environment serves one invocation at a time. A batch succeeds or fails as a whole. Japan is nine hours ahead of UTC.",
        "The answers 0, 1 and 2 are all wrong. 3 is right once: two retries follow the first run.",
        'In order: 10, 9, 93, 100, "faster, same price", 23, "killed", 3, "refused", 5, "TUE-SAT", "conditional put".',
    ),
    asks_for="answers",
    form="dict",
    wrong_answers=WRONG_QUIZZES,
)
DESIGN = Answer(
    number="18.2",
    title="design a system",
    judge=judge_design,
    hints=(
        "The words first: what starts it, what must happen when 3,000 photos come at once, and what stays the same "
        "when the event of a photo comes twice?",
        "Memory: more than is used, and not more than one vCPU needs. How slow are the worst photos then? They take "
        f"25 s * {FULL_CPU_MB} / MemorySize.",
        f"At once: 20 at most, and at least 3,000 * 6 s * {FULL_CPU_MB} / MemorySize / 10,800 s. VisibilityTimeout: "
        "six times the Timeout.",
        '"S3 event", "queue", MemorySize 1769, Timeout 60, MaximumConcurrency 10, VisibilityTimeout 360, '
        'maxReceiveCount 5, "bucket, key and version".',
    ),
    asks_for="design",
    form="dict",
    wrong_answers=WRONG_DESIGNS,
)
EXERCISES = (QUIZ_EXERCISE, DESIGN)
