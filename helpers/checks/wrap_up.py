"""The checks of notebook 18: the quiz, and the design of a system for receipts."""

from typing import Any, NamedTuple

from ..connect import Workshop
from .exercise import Exercise, NotSolved

# 18.1


class Question(NamedTuple):
    """The right answer, the notebook that measured it, and why each of the other answers is wrong."""

    right: int | str
    notebook: str
    instead: dict[int | str, str]


QUIZ = {
    "burst": Question(10, "02", {
        0: "it was deployed a moment ago, so there is no environment that could be warm.",
        1: "one environment serves one invocation at a time, so nine of the ten calls find it busy.",
        5: "each call takes a second, so none is over before the last one begins.",
    }),
    "pinger": Question(9, "04", {
        0: "the pinger keeps one environment warm, and ten calls at once need ten.",
        1: "one is how many calls are warm.",
        10: "one of the ten finds the environment that the pinger has kept warm.",
    }),
    "cold bill": Question(93, "03", {
        3: "that was right until July 2025; since August 2025 the init phase is billed as well.",
        91: "that is the init phase alone, and Duration is billed as well.",
        100: "rounding up to 100 ms ended in December 2020.",
    }),
    "rounding": Question(100, "03", {
        2: "counting by single milliseconds began in December 2020.",
        3: "2.00 ms are two whole milliseconds, and the unit of 2019 was larger than that.",
        10: "the unit of 2019 was larger still: the slide names it.",
    }),
    "memory": Question("faster, same price", "03", {
        "faster, dearer": "a second costs 14 times as much, and the function needs a 14th of the seconds.",
        "as slow, dearer": "that is a function that waits; one that computes gets CPU in proportion to its memory.",
    }),
    "ec2": Question(23, "05", {
        2: "at 2% of the month Lambda costs less than a tenth of what the machine does.",
        50: "at 50% Lambda costs some 44 dollars a month, and the machine 20.",
        88: "88 is what Lambda costs in dollars when it is in use all month; divide the machine's 20 by it.",
    }),
    "timeout": Question("killed", "06", {
        "finally runs": "the process is killed from outside, so no `except` and no `finally` runs any more.",
        "runs on": "Lambda stops a function at its limit, and bills it up to there.",
    }),
    "retries": Question(3, "06", {
        1: "that is a synchronous call, whose caller has the error; here nobody waits, so Lambda tries again.",
        2: "MaximumRetryAttempts is 2 by default, and the first run is not among them.",
        6: "six hours is how long Lambda keeps an event that is throttled; failures it repeats twice.",
    }),
    "connections": Question("refused", "07", {
        "wait": "PostgreSQL lets nobody wait for a connection; it is RDS Proxy that does.",
        "shared": "environments share nothing, so each has a connection of its own; it is RDS Proxy that shares them.",
    }),
    "batch": Question(5, "11", {
        1: "that takes `ReportBatchItemFailures`, and a handler that says which message failed.",
        3: "Lambda cannot know how far the handler came: to it a batch succeeds or fails as a whole.",
    }),
    "night": Question("TUE-SAT", "12", {
        "MON-FRI": "the rule counts its days in UTC, and 23:00 there is 8:00 of the next day in Japan.",
        "SUN-THU": "Japan is ahead of UTC, so the day moves forward.",
    }),
    "charge": Question("conditional put", "15", {
        "no retries": "that stops Lambda's own retries alone; queues and callers may send an event twice all the same.",
        "look first": "two runs at the same moment both look, both find nothing, and both charge.",
        "more time": "the time limit is not why the event came twice.",
    }),
}  # fmt: skip


def judge_quiz(workshop: Workshop, answers: Any) -> list[str]:
    if not isinstance(answers, dict):
        raise NotSolved('Give the check your dict: check("18.1", answers).')
    if absent := [name for name in QUIZ if answers.get(name) is None]:
        raise NotSolved(f"These questions have no answer yet: {', '.join(absent)}.")
    if unknown := [str(name) for name in answers if name not in QUIZ]:
        raise NotSolved(f"answers has an entry that is no question: {', '.join(unknown)}; take the names as they are.")
    for name, question in QUIZ.items():
        _is_an_option(name, question, answers[name])
    wrong = [name for name, question in QUIZ.items() if answers[name] != question.right]
    if wrong:
        first, others = wrong[0], [f"{name} ({QUIZ[name].notebook})" for name in wrong[1:]]
        more = f" (Then look again at: {', '.join(others)}.)" if others else ""
        raise NotSolved(
            f"{len(QUIZ) - len(wrong)} of {len(QUIZ)} are right. {first!r} is not {answers[first]!r}: "
            f"{QUIZ[first].instead[answers[first]]} Notebook {QUIZ[first].notebook} measures it.{more}"
        )
    return []


def _is_an_option(name: str, question: Question, answer: Any) -> None:
    options = [question.right, *question.instead]
    if any(type(answer) is type(option) and answer == option for option in options):
        return
    if any(str(answer) == str(option) for option in options):
        raise NotSolved(f"answers[{name!r}] is {answer!r}; write numbers without quotes, and words within them.")
    listed = ", ".join(repr(option) for option in sorted(options))
    raise NotSolved(f"answers[{name!r}] is {answer!r}; choose one of {listed}.")


# 18.2: the figures of the description in the notebook

RECEIPTS, HOURS = 3_000, 3  # that many have to be booked within that time
MEAN_S, LONGEST_S, FULL_CPU_MB = 6, 25, 1_769  # seconds with a whole vCPU, which a function has from this size on
NEEDS_MB, AT_ONCE = 600, 20  # memory that is used; calls that the booking service bears
TIMES_TIMEOUT = 6  # AWS's recommendation for a queue's visibility timeout
RETENTION_S = 4 * 24 * 3600  # SQS keeps a message for four days unless it is told otherwise

WORDS = {
    "trigger": {
        "S3 event": "",
        "schedule": "a schedule looks when nothing is there, and late when something is; S3 tells when a photo comes.",
        "function URL": "an event may have 6 MB and the photos up to 8, and nobody waits for an answer.",
    },
    "in between": {
        "queue": "",
        "nothing": "S3 → Lambda starts as many as come, and what fails three times is gone; a queue lets the photos "
        "wait, bounds how many are worked on, and keeps what fails.",
    },
    "idempotency key": {
        "bucket, key and version": "",
        "hash of the photo": "",
        "request id": "SQS hands a message out again in another invocation, with another request id.",
        "message id": "S3 may announce a photo twice, and then it is two messages with two ids.",
        "user": "one user has many receipts, and all but the first would be taken for repetitions.",
    },
}  # fmt: skip
NUMBERS = ("MemorySize", "Timeout", "MaximumConcurrency", "VisibilityTimeout", "maxReceiveCount")


def judge_design(workshop: Workshop, design: Any) -> list[str]:
    if not isinstance(design, dict):
        raise NotSolved('Give the check your dict: check("18.2", design).')
    if absent := [field for field in (*WORDS, *NUMBERS) if design.get(field) is None]:
        raise NotSolved(f"design has nothing yet for: {', '.join(absent)}.")
    for field, options in WORDS.items():
        if design[field] not in list(options):
            raise NotSolved(f"design[{field!r}] is {design[field]!r}; choose one of {', '.join(map(repr, options))}.")
        if reason := options[design[field]]:
            raise NotSolved(f"{field!r}: {reason}")
    memory, timeout, at_once, visibility, receives = (_number(design, field) for field in NUMBERS)
    _memory(memory)
    slower = max(1, FULL_CPU_MB / memory)  # than with a whole vCPU
    _timeout(timeout, memory, LONGEST_S * slower)
    _concurrency(at_once, RECEIPTS * MEAN_S * slower / 3600)
    _visibility(visibility, timeout)
    return _receives(receives, visibility)


def _number(design: dict[str, Any], field: str) -> int:
    value = design[field]
    if type(value) is not int:
        raise NotSolved(f"design[{field!r}] is {value!r}; write a whole number, as boto3 takes it.")
    return value


def _memory(memory: int) -> None:
    if memory <= NEEDS_MB:
        raise NotSolved(
            f"'MemorySize': {NEEDS_MB} MB are used, so at {memory} MB the process is killed (`signal: killed`); "
            "it is in MB."
        )
    if memory < NEEDS_MB + 100:
        raise NotSolved(
            f"'MemorySize': {memory} MB leave {memory - NEEDS_MB} MB for a photo larger than all before; "
            "more costs nothing here, since the function computes."
        )
    if memory > FULL_CPU_MB:
        raise NotSolved(
            f"'MemorySize': from {FULL_CPU_MB:,} MB on one thread has a whole vCPU and gets no faster, so more memory "
            "is paid for and not used."
        )


def _timeout(timeout: int, memory: int, longest_s: float) -> None:
    if timeout > 900:
        raise NotSolved(f"'Timeout': it is in seconds, and Lambda takes 900 at most; {timeout} is more.")
    if timeout <= longest_s:
        raise NotSolved(
            f"'Timeout': with the CPU of {memory} MB the worst photos take {longest_s:.0f} s, so a limit of "
            f"{timeout} s kills them, each time anew."
        )
    if timeout > 300:
        raise NotSolved(
            f"'Timeout': a call that hangs is paid for until its limit, and keeps one of the places: {timeout} s are "
            f"many for work of {longest_s:.0f} s at most; stay at five minutes or less."
        )


def _concurrency(at_once: int, hours_alone: float) -> None:
    if at_once < 2:
        raise NotSolved(f"'MaximumConcurrency': {at_once} is less than 2, the least that Lambda takes.")
    if at_once > AT_ONCE:
        raise NotSolved(f"'MaximumConcurrency': {at_once} calls at once, and the booking service bears {AT_ONCE}.")
    if hours_alone / at_once > HOURS:
        raise NotSolved(
            f"'MaximumConcurrency': {RECEIPTS:,} receipts at this memory size are {hours_alone:.1f} hours of work, so "
            f"{at_once} at a time need {hours_alone / at_once:.1f} hours, and there are {HOURS}."
        )


def _visibility(visibility: int, timeout: int) -> None:
    if visibility < timeout:
        raise NotSolved(
            f"'VisibilityTimeout': {visibility} s are less than the Timeout of {timeout} s, so a message would be "
            "given to a second function while the first still works on it; Lambda refuses such a mapping."
        )
    if visibility < TIMES_TIMEOUT * timeout:
        raise NotSolved(
            f"'VisibilityTimeout': AWS recommends six times the Timeout, here {TIMES_TIMEOUT * timeout} s, so that "
            "there is time for throttled calls, too."
        )
    if visibility > 3600:
        raise NotSolved(
            f"'VisibilityTimeout': when a function dies, its photo lies in flight for {visibility / 3600:.1f} hours, "
            f"and there are {HOURS}; stay at an hour or less."
        )


def _receives(receives: int, visibility: int) -> list[str]:
    if receives < 2:
        raise NotSolved(
            f"'maxReceiveCount': with {receives} a photo is a dead letter after any short trouble, without a second "
            "try."
        )
    if receives * visibility > RETENTION_S:
        raise NotSolved(
            f"'maxReceiveCount': {receives} tries of {visibility} s are longer than the four days for which SQS keeps "
            "a message by default, so it would be gone before it is a dead letter."
        )
    if receives > 10:
        raise NotSolved(
            f"'maxReceiveCount': what cannot be read is tried, and paid for, {receives} times before a person sees it; "
            "ten or fewer will do."
        )
    if receives < 5:
        return ["AWS recommends a maxReceiveCount of 5 or more, since a throttled call counts as a try, too"]
    return []


QUIZ_EXERCISE = Exercise(
    "18.1", "the quiz", judge_quiz,
    (
        "Each question names the notebook that measured it; in the folder solutions it stands with its figures.",
        "One environment serves one invocation at a time. A batch is one thing to Lambda. UTC is nine hours behind.",
        "Wrong: all answers with 0, 1, 2 or 3, except for one, where 2 retries follow the first run.",
        'In order: 10, 9, 93, 100, "faster, same price", 23, "killed", 3, "refused", 5, "TUE-SAT", "conditional put".',
    ),
)  # fmt: skip
DESIGN = Exercise(
    "18.2", "design a system", judge_design,
    (
        "The words first: what starts it, what has to happen when 3,000 photos come at once, and what stays the same "
        "when a photo is announced twice?",
        "Memory: above what is used, and not above one vCPU. How slow are the worst photos with that CPU? They take "
        "25 s * 1769 / MemorySize.",
        "At once: 20 at most, and at least 3,000 * 6 s * 1769 / MemorySize / 10,800 s. VisibilityTimeout: six times "
        "the Timeout.",
        '"S3 event", "queue", MemorySize 1769, Timeout 60, MaximumConcurrency 10, VisibilityTimeout 360, '
        'maxReceiveCount 5, "bucket, key and version".',
    ),
)  # fmt: skip
EXERCISES: tuple[Exercise, ...] = (QUIZ_EXERCISE, DESIGN)
