"""The checks of notebook 07: a concurrency that a database survives, a batch with bad orders, and four choices."""

import json
import re
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from numbers import Integral
from typing import Any, NamedTuple

from helpers.connect import Workshop
from helpers.exercises import deployed, diagnosis
from helpers.exercises.deployed import Deployed
from helpers.exercises.diagnosis import Outcome
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    Notes,
    NotSolved,
    WrongAnswer,
    as_word,
    call,
)
from helpers.exercises.mistakes import Mistake, as_wrong_answers, reason
from helpers.exercises.probe import Probe, unique

from .wrong_answers import WRONG_WRITERS

# max_connections, superuser_reserved, others, functions: the right answer
CONCURRENCIES = {
    (100, 3, 8, 1): 89,
    (112, 3, 20, 4): 22,
    (112, 3, 19, 4): 22,
    (100, 10, 3, 3): 29,
    (100, 10, 4, 3): 28,  # 28.67 each
    (20, 3, 17, 1): 0,
    (20, 3, 30, 2): 0,
}
FULL = (
    "it has no connection left; give back those of the other functions with end_environments(*functions.values()), "
    "and check again."
)
WAYS = ("direct", "dynamodb", "queue", "proxy")


def _require_database(workshop: Workshop) -> None:
    if not workshop.is_embedded:
        raise NotSolved(
            "This exercise needs the database, which this notebook makes only on the embedded AWS; "
            "choose that one in notebook 00."
        )


# 07.1


def judge_concurrency(safe_concurrency: Callable[..., int]) -> Notes:
    for given, right in CONCURRENCIES.items():
        found = call(safe_concurrency, *given)
        if found is None:
            raise NotSolved(
                f"safe_concurrency{given} returned nothing; end it with return and a whole number."
            )
        if isinstance(found, bool) or not isinstance(found, Integral):
            raise NotSolved(
                f"safe_concurrency{given} returned {found!r}, a {type(found).__name__}; "
                "a concurrency is a whole number, rounded down: // divides so."
            )
        if found != right:
            raise NotSolved(_wrong_concurrency(given, int(found), right))
    return []


def _wrong_concurrency(given: tuple[int, int, int, int], found: int, right: int) -> str:
    if found < 0:
        why: str | None = "there is no room at all; return 0."
    else:
        why = reason(
            WRONG_CONCURRENCIES, lambda formula: bool(found == formula(*given))
        )
    why = why or "take from max_connections what is not yours, and share the rest."
    return f"safe_concurrency{given} returned {found} where {right} is right: {why}"


# Of max_connections, superuser_reserved, others and functions.
WRONG_CONCURRENCIES = (
    Mistake(
        "rounded up",
        lambda most, reserved, others, functions: max(
            0, -(-(most - reserved - others) // functions)
        ),
        "rounded up, all functions together have more than there are; round down.",
    ),
    Mistake(
        "all of them",
        lambda most, reserved, others, functions: most // functions,
        "neither the superuser's connections nor the others are left out.",
    ),
    Mistake(
        "the superuser's",
        lambda most, reserved, others, functions: max(0, most - others) // functions,
        "the connections that are reserved for the superuser are not for you.",
    ),
    Mistake(
        "the others'",
        lambda most, reserved, others, functions: max(0, most - reserved) // functions,
        "the connections that others use are taken already.",
    ),
    Mistake(
        "not shared",
        lambda most, reserved, others, functions: max(0, most - reserved - others),
        "each of the functions gets its share; divide by their number.",
    ),
    Mistake(
        "divided first",
        lambda most, reserved, others, functions: most // functions - reserved - others,
        "take off what is taken first, and divide what is left.",
    ),
    Mistake(
        "one less",
        lambda most, reserved, others, functions: (
            max(0, most - reserved - others) // functions - 1
        ),
        "one more is safe; each environment needs one connection.",
    ),
)


# 07.2

RUNS = 2  # that a batch is delivered to at the same moment
MEET_S = 20.0  # for both to come to their insert; the function's own limit is 30 s


class Batch(NamedTuple):
    """Orders, as records of SQS; the bad ones have a quantity that the table refuses."""

    way: str
    quantities: tuple[int, ...]
    ids: tuple[str, ...]  # of their messages

    @classmethod
    def of(cls, *quantities: int) -> "Batch":
        return cls(
            f"check-{unique()}",
            quantities,
            tuple(str(uuid.uuid4()) for _ in quantities),
        )

    @property
    def bad(self) -> list[int]:
        return [
            number for number, quantity in enumerate(self.quantities) if quantity <= 0
        ]

    def event(self) -> dict[str, Any]:
        orders = [
            {"way": self.way, "id": number, "quantity": quantity}
            for number, quantity in enumerate(self.quantities)
        ]
        return {
            "Records": [
                {
                    "messageId": id,
                    "receiptHandle": f"handle-{id}",
                    "body": json.dumps(order),
                    "attributes": {},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "awsRegion": "us-east-1",
                }
                for id, order in zip(self.ids, orders, strict=True)
            ]
        }


def judge_writer(workshop: Workshop) -> Notes:
    _require_database(workshop)
    function = deployed.find(
        workshop, workshop.name("orders-writer"), "run the cells that make it"
    )
    probe = Probe(workshop, function)
    _judge_batch(probe, Batch.of(2, 1), "for a batch of good orders")
    mixed = Batch.of(
        3, 0, 1, 2, -1, 4
    )  # good ones before, between and after the bad ones
    _judge_batch(probe, mixed, "for a batch with bad orders")
    _judge_batch(probe, mixed, "for a batch that SQS delivers a second time")
    _at_once(probe, Batch.of(2, 0, 1))
    return []


def _at_once(probe: Probe, batch: Batch) -> None:
    """Deliver a batch to two environments that certainly meet: the table is locked until both are at their insert."""
    connection = _connection(probe.function)
    try:
        connection.run("BEGIN")
        connection.run(
            "LOCK TABLE orders IN SHARE MODE"
        )  # reading goes on, and an insert waits
        with ThreadPoolExecutor(RUNS) as threads:
            runs = [threads.submit(probe.invoke, batch.event()) for _ in range(RUNS)]
            _wait_for_inserts(connection, runs)
            connection.run("COMMIT")
            outcomes = [run.result() for run in runs]
    finally:
        connection.close()
    for outcome in outcomes:
        _judge_outcome(
            probe,
            outcome,
            batch,
            "for a batch that SQS delivers to two environments at the same moment",
        )


def _wait_for_inserts(connection: Any, runs: Sequence[Future[Outcome]]) -> None:
    """Until all that still run wait for the lock, or for one another."""
    waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    deadline = time.monotonic() + MEET_S
    while time.monotonic() < deadline:
        if connection.run(waiting)[0][0] >= sum(not run.done() for run in runs):
            return
        time.sleep(0.05)


def _judge_batch(probe: Probe, batch: Batch, when: str) -> None:
    _judge_outcome(probe, probe.invoke(batch.event()), batch, when)


def _judge_outcome(probe: Probe, outcome: Outcome, batch: Batch, when: str) -> None:
    if outcome.failed:
        raise NotSolved(_of_failed_batch(outcome, probe.function, when))
    reported = _reported(outcome.payload, batch, when)
    stored = _stored(probe.function, batch.way)
    for number, id in enumerate(batch.ids):
        is_bad, is_reported = number in batch.bad, id in reported
        place = f"record {number + 1} of {len(batch.ids)}"
        if is_bad and not is_reported:
            raise NotSolved(
                f"{_begun(when)}, {place} has a quantity that the table refuses, and it is not reported; "
                "SQS treats it as done and deletes it."
            )
        if not is_bad and is_reported:
            raise NotSolved(
                f"{_begun(when)}, {place} is good, and it is reported as failed; report only those for which "
                "the insert raises DatabaseError."
            )
        if not is_bad and number not in stored:
            raise NotSolved(
                f"{_begun(when)}, {place} is good, and it is neither in the table nor reported, so it is lost; "
                "go on after a bad order, and let nothing roll the good ones back."
            )


def _begun(when: str) -> str:
    return when[0].upper() + when[1:]


def _of_failed_batch(outcome: Outcome, function: Deployed, when: str) -> str:
    if "'23514'" in outcome.error_message:  # check_violation
        return (
            f"{function.name} failed {when}, so that SQS brings back all of them: catch pg8000's DatabaseError "
            "for each record, and go on."
        )
    if (
        "'25P02'" in outcome.error_message
        or "in failed transaction" in outcome.error_message
    ):
        return (
            f"{function.name} failed {when}: after an error PostgreSQL refuses the rest of the transaction; "
            "leave out BEGIN, so that each insert is one of its own."
        )
    if "'23505'" in outcome.error_message:  # unique_violation
        return (
            f"{function.name} failed {when}: the orders are in the table already; let INSERT end in "
            "ON CONFLICT DO NOTHING."
        )
    if "'53300'" in outcome.error_message:  # too_many_connections
        return f"{function.name} failed {when}: {FULL}"
    return diagnosis.of_failure(outcome, function, when)


def _reported(payload: Any, batch: Batch, when: str) -> set[str]:
    """The messages that the answer reports; NotSolved when SQS could not read it."""
    form = 'return {"batchItemFailures": [{"itemIdentifier": "<messageId>"}, ...]}'
    if not isinstance(payload, dict) or not isinstance(
        failures := payload.get("batchItemFailures"), list
    ):
        raise NotSolved(
            f"{_begun(when)}, the function returned {json.dumps(payload)[:100]}, which reports no failure to SQS; "
            f"{form}, with an empty list when all went well."
        )
    if not all(
        isinstance(each, dict) and set(each) == {"itemIdentifier"} for each in failures
    ):
        raise NotSolved(
            f"{_begun(when)}, batchItemFailures holds {json.dumps(failures[0])[:100]}, and SQS expects a dictionary "
            f"with itemIdentifier alone; {form}."
        )
    found = {str(each["itemIdentifier"]) for each in failures}
    if strange := sorted(found - set(batch.ids)):
        raise NotSolved(
            f"{_begun(when)}, itemIdentifier is {strange[0][:50]!r}, which is no messageId of the batch; Lambda "
            'then brings back the whole batch. Use record["messageId"].'
        )
    return found


def _stored(function: Deployed, way: str) -> set[int]:
    """The numbers of the orders that the table has."""
    connection = _connection(function)
    try:
        return {
            number
            for (number,) in connection.run(
                "SELECT id FROM orders WHERE way = :way", way=way
            )
        }
    finally:
        connection.close()


def _connection(function: Deployed) -> Any:
    """A connection to the database that the function is told of."""
    import pg8000.native

    names = ("DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT")
    if missing := [name for name in names if name not in function.variables]:
        raise NotSolved(
            f"{function.name} has no environment variable {missing[0]}; deploy it with **direct_settings, as in the "
            "notebook."
        )
    user, password, host, port = (function.variables[name] for name in names)
    try:
        return pg8000.native.Connection(
            user, host=host, port=int(port), database="orders", password=password
        )
    except pg8000.native.DatabaseError:
        raise NotSolved(f"The check cannot look into the database: {FULL}") from None


# 07.3


class Case(NamedTuple):
    """The way that fits a case, and why each of the others does not."""

    fits: str
    instead: dict[str, str]


CASES = {
    "baskets": Case(
        "dynamodb",
        {
            "direct": "3,000 calls at once would be 3,000 connections.",
            "queue": "the customer wants to see the basket now, and a queue cannot be read by the customer's number.",
            "proxy": "it would work, but 3,000 callers would wait for a few connections, and nothing here needs SQL: "
            "the data is new, and read and written by its key.",
        },
    ),
    "clicks": Case(
        "queue",
        {
            "direct": "2,000 clicks a second are many connections at once, and a burst would keep the analysts out.",
            "dynamodb": "the analysts look for the clicks in their PostgreSQL.",
            "proxy": "each click would still be a transaction of its own while a caller waits, though nobody needs the "
            "answer; written in batches they cost the database far less.",
        },
    ),
    "seats": Case(
        "proxy",
        {
            "direct": "300 people at once would be 300 connections, and those that are refused have no seat.",
            "dynamodb": "the data is in an existing PostgreSQL, and one booking is a transaction over three tables "
            "there.",
            "queue": "the people wait for their answer: with a queue they would hear that they may have a seat, later.",
        },
    ),
    "nightly": Case(
        "direct",
        {
            "dynamodb": "the data is in an existing PostgreSQL; moving it for one report a night is much work for "
            "little.",
            "queue": "a queue is for writes that can wait; this function reads.",
            "proxy": "one invocation a night needs one connection; there is nothing to share, and a proxy costs all "
            "day.",
        },
    ),
}


def judge_choices(choices: dict[str, Any]) -> Notes:
    if strange := [str(name) for name in choices if name not in CASES]:
        raise NotSolved(
            f"There is no case {strange[0]}; the cases are {', '.join(CASES)}."
        )
    for name, case in CASES.items():
        chosen = as_word(choices.get(name))
        if chosen is None:
            raise NotSolved(f"{name} has no way yet; choose one of: {', '.join(WAYS)}.")
        if chosen not in WAYS:
            raise NotSolved(f"{name} is {chosen!r}; choose one of: {', '.join(WAYS)}.")
        if chosen != case.fits:
            raise NotSolved(f"{chosen!r} does not fit {name}: {case.instead[chosen]}")
    return []


FITTING = {name: case.fits for name, case in CASES.items()}

CONCURRENCY = Answer(
    number="07.1",
    title="a limit that the database survives",
    asks_for="safe_concurrency",
    judge=judge_concurrency,
    hints=(
        "How many of the connections are neither the superuser's nor another program's?",
        "The functions share what is left: divide by their number, and round down: one too many is refused.",
        "// divides and rounds down. With nothing left the difference is below 0: max(0, ...) helps.",
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_CONCURRENCIES),
        WrongAnswer(
            "a fraction",
            lambda m, s, o, f: (m - s - o) / f,
            r"returned 89\.0, a float; a concurrency is a whole number",
        ),
        WrongAnswer(
            "rounded",
            lambda m, s, o, f: max(0, round((m - s - o) / f)),
            "returned 29 where 28 is right: rounded up, .*; round down",
        ),
        WrongAnswer(
            "below zero",
            lambda m, s, o, f: (m - s - o) // f,
            "returned -7 where 0 is right: there is no room",
        ),
        WrongAnswer("constant", lambda m, s, o, f: 89, "returned 89 where 22 is right"),
        WrongAnswer(
            "nothing", lambda m, s, o, f: None, "returned nothing; end it with return"
        ),
        WrongAnswer("raises", lambda m, s, o, f: m // 0, "raised ZeroDivisionError"),
    ),
)
WRITER = DeployedFunction(
    number="07.2",
    title="one bad order in the batch",
    judge=judge_writer,
    hints=(
        "What should happen to the other orders of the batch, when one is refused?",
        "Put `try:` around the insert of one record, inside the loop, and catch pg8000.native.DatabaseError.",
        'Collect {"itemIdentifier": record["messageId"]} for each that was refused.',
        'After the loop, return {"batchItemFailures": failures}, also when the list is empty.',
    ),
    wrong_answers=WRONG_WRITERS,
)
CHOICES = Answer(
    number="07.3",
    title="which way",
    asks_for="choices",
    form="dict",
    judge=judge_choices,
    hints=(
        "Ask of each case: where must the data be, who waits for the answer, and how many come at once?",
        "Is the data read and written by a key, and is there no database yet? Does nobody wait? Is there one caller?",
        "One case each: without connections, with an early answer, with shared connections, and with none of these.",
    ),
    wrong_answers=(
        *(
            WrongAnswer(
                f"{name} goes {way}",
                FITTING | {name: way},
                re.escape(f"{way!r} does not fit {name}: {why}"),
            )
            for name, case in CASES.items()
            for way, why in case.instead.items()
        ),
        WrongAnswer("none chosen", dict.fromkeys(CASES), "baskets has no way yet"),
        WrongAnswer(
            "another way",
            {"baskets": "rds"},
            "baskets is 'rds'; choose one of: direct, dynamodb, queue, proxy",
        ),
        WrongAnswer(
            "another case",
            {"basket": "queue"},
            "There is no case basket; the cases are baskets",
        ),
    ),
)
EXERCISES = (CONCURRENCY, WRITER, CHOICES)
