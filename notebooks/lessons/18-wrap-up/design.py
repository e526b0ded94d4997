"""Judges exercise 18.2: a design of the system for receipts, and each choice that is wrong in it."""

from typing import Any

from helpers.exercises.exercise import NotSolved, WrongAnswer
from helpers.facts import fact

# The figures of the description in the notebook.
RECEIPTS, HOURS = 3_000, 3  # that many must be booked within that time
MEAN_S, LONGEST_S, FULL_CPU_MB = (
    6,
    25,
    fact("vcpu_memory"),
)  # seconds with a whole vCPU, which a function has from this size on
NEEDS_MB, AT_ONCE = (
    600,
    20,
)  # memory that is used; calls that the booking service handles
TIMES_TIMEOUT = 6  # AWS's recommendation for a queue's visibility timeout
LONGEST_FLIGHT_S = (
    2 * 3600
)  # of a photo whose function died, so that a second try fits into the three hours
RETENTION_S = (
    4 * 24 * 3600
)  # SQS keeps a message for four days unless it is told otherwise

WORDS = {
    "trigger": {
        "S3 event": "",
        "schedule": "a schedule runs when there is no photo, and late when there is one; S3 sends an event when a photo comes.",
        "function URL": f"an event has at most {fact('payload')} MB and a photo up to 8, and nobody waits for an answer.",
    },
    "in between": {
        "queue": "",
        "nothing": "without a queue Lambda runs as often as photos come, and what fails three times is gone; in a queue the "
        "photos wait, you limit how many are worked on at once, and what fails is kept.",
    },
    "idempotency key": {
        "bucket, key and version": "",
        "hash of the photo": "",
        "request id": "SQS hands a message out again in another invocation, with another request id.",
        "message id": "S3 may send the event of a photo twice, and then it is two messages with two ids.",
        "user": "one user has many receipts, and only the first would be booked.",
    },
}
NUMBERS = (
    "MemorySize",
    "Timeout",
    "MaximumConcurrency",
    "VisibilityTimeout",
    "maxReceiveCount",
)


def judge_design(design: dict[Any, Any]) -> list[str]:
    if absent := [field for field in (*WORDS, *NUMBERS) if design.get(field) is None]:
        raise NotSolved(f"design has nothing yet for: {', '.join(absent)}.")
    for field, options in WORDS.items():
        if design[field] not in list(options):
            raise NotSolved(
                f"design[{field!r}] is {design[field]!r}; choose one of {', '.join(map(repr, options))}."
            )
        if reason := options[design[field]]:
            raise NotSolved(f"{field!r}: {reason}")
    memory, timeout, at_once, visibility, receives = (
        _number(design, field) for field in NUMBERS
    )
    _memory(memory)
    slower = max(1, FULL_CPU_MB / memory)  # than with a whole vCPU
    _timeout(timeout, memory, LONGEST_S * slower)
    _concurrency(at_once, RECEIPTS * MEAN_S * slower / 3600)
    _visibility(visibility, timeout)
    return _patience(timeout, LONGEST_S * slower) + _receives(receives, visibility)


def _number(design: dict[str, Any], field: str) -> int:
    value = design[field]
    if type(value) is not int:
        raise NotSolved(
            f"design[{field!r}] is {value!r}; write a whole number, as boto3 takes it."
        )
    return value


def _memory(memory: int) -> None:
    if memory <= NEEDS_MB:
        raise NotSolved(
            f"'MemorySize': {NEEDS_MB} MB are used, so at {memory} MB the process is killed (`signal: killed`); "
            "the unit is MB."
        )
    if memory < NEEDS_MB + 100:
        raise NotSolved(
            f"'MemorySize': {memory} MB leave {memory - NEEDS_MB} MB for a photo larger than all before; "
            "more memory costs nothing here, since the function computes."
        )
    if memory > FULL_CPU_MB:
        raise NotSolved(
            f"'MemorySize': from {FULL_CPU_MB:,} MB on one thread has a whole vCPU and gets no faster, so more memory "
            "is paid for and not used."
        )


def _timeout(timeout: int, memory: int, longest_s: float) -> None:
    if timeout > fact("timeout"):
        raise NotSolved(
            f"'Timeout': the unit is seconds, and Lambda takes {fact('timeout'):,} at most; {timeout} is more."
        )
    if timeout <= longest_s:
        raise NotSolved(
            f"'Timeout': with the CPU of {memory} MB the worst photos take {longest_s:.0f} s, so a limit of "
            f"{timeout} s stops them, at every try."
        )


def _concurrency(at_once: int, hours_alone: float) -> None:
    if at_once < 2:
        raise NotSolved(
            f"'MaximumConcurrency': {at_once} is less than 2, the least that Lambda takes."
        )
    if at_once > AT_ONCE:
        raise NotSolved(
            f"'MaximumConcurrency': {at_once} calls at once, and the booking service handles {AT_ONCE}."
        )
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
    if visibility > LONGEST_FLIGHT_S:
        raise NotSolved(
            f"'VisibilityTimeout': when a function dies, its photo is in flight for {visibility / 3600:.1f} hours, "
            f"and there are {HOURS}; stay at two hours or less, so that there is time to try again."
        )


def _patience(timeout: int, longest_s: float) -> list[str]:
    """What is right, and can cost more than it needs to."""
    if timeout <= 300:
        return []
    return [
        f"a call that hangs is paid for until its limit, and keeps one of the places: a Timeout of {timeout} s is long "
        f"for work of {longest_s:.0f} s at most"
    ]


def _receives(receives: int, visibility: int) -> list[str]:
    if receives < 2:
        raise NotSolved(
            f"'maxReceiveCount': with {receives} a photo goes to the dead-letter queue after one failure, without a second "
            "try."
        )
    if receives * visibility > RETENTION_S:
        raise NotSolved(
            f"'maxReceiveCount': {receives} tries of {visibility} s are longer than the four days for which SQS keeps "
            "a message by default, so it would be gone before it comes to the dead-letter queue."
        )
    if receives > 10:
        raise NotSolved(
            f"'maxReceiveCount': what cannot be read is tried, and paid for, {receives} times before a person sees it; "
            "ten or fewer are enough."
        )
    if receives < 5:
        return [
            "AWS recommends a maxReceiveCount of 5 or more, since a throttled call counts as a try, too"
        ]
    return []


RIGHT_DESIGN: dict[str, Any] = {
    "trigger": "S3 event",
    "in between": "queue",
    "idempotency key": "hash of the photo",
    "MemorySize": 1024,
    "Timeout": 90,
    "MaximumConcurrency": 5,
    "VisibilityTimeout": 600,
    "maxReceiveCount": 6,
}
# One choice that is wrong, and what the sentence says of it.
WRONG_CHOICES: tuple[tuple[str, Any, str], ...] = (
    ("trigger", "schedule", "'trigger': a schedule runs when there is no photo"),
    ("trigger", "function URL", "'trigger': an event has at most 6 MB"),
    ("trigger", "S3", "choose one of 'S3 event', 'schedule', 'function URL'"),
    ("in between", "nothing", "what fails three times is gone"),
    ("in between", True, "choose one of 'queue', 'nothing'"),
    ("in between", ["queue"], "choose one of 'queue', 'nothing'"),
    ("idempotency key", "request id", "in another invocation, with another request id"),
    ("idempotency key", "message id", "two messages with two ids"),
    ("idempotency key", "user", "one user has many receipts"),
    ("MemorySize", 128, "at 128 MB the process is killed"),
    ("MemorySize", 1, "the unit is MB"),
    ("MemorySize", 600, "600 MB are used"),
    ("MemorySize", 640, "leave 40 MB for a photo larger"),
    ("MemorySize", 3008, "gets no faster"),
    ("Timeout", 3, "the worst photos take 43 s, so a limit of 3 s stops them"),
    ("Timeout", 30, "with the CPU of 1024 MB the worst photos take 43 s"),
    (
        "Timeout",
        90_000,
        f"the unit is seconds, and Lambda takes {fact('timeout'):,} at most",
    ),
    ("Timeout", fact("timeout") + 1, "Lambda takes .* at most; .* is more"),
    ("Timeout", 90.5, "write a whole number"),
    ("Timeout", True, "write a whole number"),
    ("MaximumConcurrency", 1, "less than 2, the least that Lambda takes"),
    (
        "MaximumConcurrency",
        2,
        r"8\.6 hours of work, so 2 at a time need 4\.3 hours, and there are 3",
    ),
    ("MaximumConcurrency", 1000, "the booking service handles 20"),
    ("VisibilityTimeout", 30, "Lambda refuses such a mapping"),
    ("VisibilityTimeout", 90, "AWS recommends six times the Timeout, here 540 s"),
    ("VisibilityTimeout", 43_200, r"its photo is in flight for 12\.0 hours"),
    ("maxReceiveCount", 1, "to the dead-letter queue after one failure"),
    ("maxReceiveCount", 0, "to the dead-letter queue after one failure"),
    ("maxReceiveCount", 1000, "longer than the four days"),
    ("maxReceiveCount", 100, "tried, and paid for, 100 times"),
    ("maxReceiveCount", None, "nothing yet for: maxReceiveCount"),
)
WRONG_DESIGNS = (
    *(
        WrongAnswer(f"{field}: {choice}", RIGHT_DESIGN | {field: choice}, says)
        for field, choice, says in WRONG_CHOICES
    ),
    WrongAnswer(
        "nothing yet",
        dict.fromkeys([*WORDS, *NUMBERS]),
        "nothing yet for: trigger, in between, idempotency key, MemorySize",
    ),
)
