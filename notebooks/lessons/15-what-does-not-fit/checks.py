"""The checks of notebook 15: a cashier that charges once, and a diagnosis of five failures."""

import json
import re
from typing import Any, NamedTuple

from helpers.connect import Workshop
from helpers.exercises import deployed
from helpers.exercises.diagnosis import Outcome
from helpers.exercises.exercise import Answer, DeployedFunction, NotSolved, WrongAnswer
from helpers.exercises.in_step import in_step
from helpers.exercises.probe import Probe, unique
from helpers.facts import fact

from .wrong_answers import WRONG_CASHIERS

# 15.1

AT_ONCE = 2
CLAIM_FIRST = "put the record with the state started, on its condition, before you call charge(event)"


class Cashier:
    """The reader's deployed function, with the bank's book and the records of orders that it works on."""

    def __init__(self, workshop: Workshop) -> None:
        step = "write charge_once and run the cell that deploys it"
        self.probe = Probe(
            workshop, deployed.find(workshop, workshop.name("cashier-once"), step)
        )
        self._dynamodb = workshop.client("dynamodb")
        self._payments, self.orders = workshop.name("payments"), workshop.name("orders")

    def run(self, order: str, fault: str | None = None, amount: int = 7) -> Outcome:
        return self.probe.invoke({"order": order, "amount": amount, "fault": fault})

    def succeed(self, order: str, when: str) -> Outcome:
        return self.probe.succeed({"order": order, "amount": 7}, when)

    def payments(self, order: str) -> list[str]:
        """The numbers of the payments that the bank has for an order."""
        items = self._dynamodb.query(
            TableName=self._payments,
            KeyConditionExpression="order_id = :order",
            ExpressionAttributeValues={":order": {"S": order}},
            ConsistentRead=True,
        )["Items"]
        return [item["payment"]["S"] for item in items]

    def has_record(self, order: str) -> bool:
        return "Item" in self._dynamodb.get_item(
            TableName=self.orders, Key={"id": {"S": order}}, ConsistentRead=True
        )


def judge_charge_once(workshop: Workshop) -> list[str]:
    cashier = Cashier(workshop)
    order = f"check-{unique()}"
    payment = _charges(cashier, order, "for a new order")
    _again(cashier, order, payment)
    other = _charges(
        cashier, f"check-{unique()}", "for another order of the same amount"
    )
    if other == payment:
        raise NotSolved(
            "A second order got the first one's payment; the key is event['order'], and nothing else."
        )
    _mail_is_down(cashier)
    _crash(cashier)
    _at_once(cashier)
    return []


def _charges(cashier: Cashier, order: str, when: str) -> str:
    """Run a new order, and return the one payment that the bank has for it."""
    payload, payments = cashier.succeed(order, when).payload, cashier.payments(order)
    if len(payments) != 1:
        raise NotSolved(
            f"The bank has {len(payments)} payments {when}, and one is right; "
            "call charge(event) once when the order has not been claimed before, and claim it by event['order']."
        )
    if payload != {"payment": payments[0]}:
        raise NotSolved(
            f"The function answered {_json(payload)} {when}, and the bank's payment is {payments[0]}; "
            "return what charge(event) returned."
        )
    return payments[0]


def _again(cashier: Cashier, order: str, payment: str) -> None:
    outcome = cashier.run(order)
    charged = len(cashier.payments(order))
    if charged > 1 and not cashier.has_record(order):
        raise NotSolved(
            f"The same order, sent {charged} times, was charged {charged} times, and the table of orders has no record "
            "with its number as id; the key must be the same each time that the event comes: event['order']."
        )
    if charged > 1 and "ConditionalCheckFailed" in outcome.log:
        raise NotSolved(
            f"The same order, sent {charged} times, was charged {charged} times: the condition did its work, but after "
            f"the bank had been asked; {CLAIM_FIRST}."
        )
    if charged > 1:
        raise NotSolved(
            f"The same order, sent {charged} times, was charged {charged} times; put_item replaces a record that is "
            'there, unless you give it ConditionExpression="attribute_not_exists(id)".'
        )
    if outcome.failed:
        raise NotSolved(
            f"The same order failed when it came a second time ({outcome.error_type}: {outcome.error_message[:120]}); "
            "catch Taken, read the record, and return its payment when its state is charged."
        )
    if outcome.payload != {"payment": payment}:
        raise NotSolved(
            f"The same order was answered {_json(outcome.payload)} when it came again, and {payment} is its payment; "
            "keep the payment in the record, and return it from there."
        )


def _mail_is_down(cashier: Cashier) -> None:
    order = f"check-{unique()}"
    for _ in range(3):
        cashier.run(order, "mail")
    if (charged := len(cashier.payments(order))) != 1:
        raise NotSolved(
            f"With the mail server down, an order that came three times was charged {charged} times, and once is "
            "right; note the payment before charge_once returns, and leave the record where it is."
        )
    if (
        "sent the receipt"
        not in cashier.succeed(order, "when the mail server is up again").log
    ):
        raise NotSolved(
            "When the mail server was up again, no receipt was sent; return the payment of an order that is charged, "
            "so that the handler goes on to the mail."
        )


def _crash(cashier: Cashier) -> None:
    """The process dies between the bank's answer and the note about it."""
    order = f"check-{unique()}"
    cashier.run(order, "crash")
    was_claimed = cashier.has_record(order)
    outcome, payments = cashier.run(order), cashier.payments(order)
    if len(payments) > 1 and not was_claimed:
        raise NotSolved(
            "The process died right after the bank had charged, and the next run charged again, as it had left no "
            f"record; {CLAIM_FIRST}."
        )
    if len(payments) > 1:
        raise NotSolved(
            "The process died right after the bank had charged, and the next run charged again; "
            f"{CLAIM_FIRST}, and raise an exception when you find that state: nobody knows how that run ended."
        )
    if not outcome.failed and outcome.payload != {"payment": payments[0]}:
        raise NotSolved(
            "The process died right after the bank had charged, and the next run answered "
            f"{_json(outcome.payload)}, as if all had gone well; raise an exception while the state is started."
        )


def _at_once(cashier: Cashier) -> None:
    order = f"check-{unique()}"
    with in_step(cashier.probe, cashier.orders, "id") as at_once:
        outcomes = at_once.invoke([{"order": order, "amount": 7}] * AT_ONCE)
    charged = len(cashier.payments(order))
    if charged > 1:
        raise NotSolved(
            f"{AT_ONCE} runs of one order at the same moment charged it {charged} times: each run looks before "
            'another has written; let the put itself decide, with ConditionExpression="attribute_not_exists(id)".'
        )
    if charged == 0 or all(outcome.failed for outcome in outcomes):
        raise NotSolved(
            f"Of {AT_ONCE} runs of one order at the same moment all failed; the one that claimed it must charge it."
        )


def _json(value: Any) -> str:
    return json.dumps(value, default=str)[:120]


# 15.2


class Failure(NamedTuple):
    """One failure: the sign of it in the evidence, and how it looks wherever it occurs."""

    sign: str  # what this letter shows
    looks: str  # what any evidence of this failure shows
    repair: str
    needs: str  # what a repair of it must bring about


FAILURES = {
    "loop": Failure(
        "each run has a request id of its own, none failed, and each begins right after the one before",
        "many runs with different request ids, all of them successful, and nobody asked for them",
        "elsewhere",
        "what it writes must not start it again",
    ),
    "too long": Failure(
        "the REPORT line ends with Status: timeout, and Duration is exactly the limit",
        "Status: timeout in the REPORT line",
        "pieces",
        "each run must end in time, and something must keep what is left",
    ),
    "connections": Failure(
        "53300 is PostgreSQL's code for too many connections, and the error comes from the database",
        "an error of the database that says that no connection is free",
        "bound",
        "the database must not see as many clients as there are environments",
    ),
    "retried": Failure(
        "several START lines have the same request id, and each of these runs charged before it failed",
        "the same request id in several START lines",
        "key",
        "a second run must find out that the first one has acted",
    ),
    "no command": Failure(
        "FileNotFoundError names a program, not a file of data",
        "FileNotFoundError, and the name of a program",
        "bring along",
        "the program must be where the function runs",
    ),
}
LETTERS = {
    "A": "loop",
    "B": "too long",
    "C": "connections",
    "D": "retried",
    "E": "no command",
}
DOES = {
    "key": "a key keeps a second run from acting again",
    "pieces": "pieces make each run shorter",
    "bring along": "a layer or an image adds files to the function",
    "bound": "a pool, a queue or DynamoDB protects a database from too many connections",
    "elsewhere": "another bucket or prefix keeps a function's output from starting it",
    "no retries": "without retries an event that fails once is lost",
    "more time": f"a longer Timeout lets one run go on for longer, up to {fact('timeout'):,} s",
    "brake": "a reserved concurrency of 0 stops every run of the function, also the wanted ones",
}
NEARLY = {
    (
        "retried",
        "no retries",
    ): "events still come twice from queues and callers, and after a failed mail the customer "
    "never gets a receipt.",
    (
        "too long",
        "more time",
    ): f"that helps this job today, but the job grows and {fact('timeout'):,} s do not; and "
    "each run that is stopped still leaves half the work.",
    (
        "loop",
        "brake",
    ): "that is the first thing to do, but it repairs nothing: without the brake, the loop begins again.",
    (
        "connections",
        "brake",
    ): "a small reserved concurrency would bound the connections; 0 stops the function.",
    (
        "loop",
        "key",
    ): "a run that finds its key claimed could stop, but each copy has a new name, so a new key.",
}


def judge_diagnosis(diagnosis: dict[Any, Any]) -> list[str]:
    for letter, right in LETTERS.items():
        failure, repair = _pair(letter, diagnosis.get(letter))
        if failure != right:
            raise NotSolved(_another_failure(letter, failure))
        if repair != FAILURES[right].repair:
            raise NotSolved(_another_repair(letter, repair))
    return []


def _another_failure(letter: str, failure: str) -> str:
    sign = FAILURES[LETTERS[letter]].sign
    return f"{letter} is not {failure!r}: that would show {FAILURES[failure].looks}; here, {sign}."


def _another_repair(letter: str, repair: str) -> str:
    failure = LETTERS[letter]
    why = NEARLY.get(
        (failure, repair), f"{DOES[repair]}; but here {FAILURES[failure].needs}."
    )
    return f"{letter} is {failure!r}, right; but {repair!r} does not repair it: {why}"


def _pair(letter: str, given: Any) -> tuple[str, str]:
    """The failure and the repair that the reader gave a letter, when these are words of the two lists."""
    if given is None:
        raise NotSolved(
            f"{letter} has no diagnosis yet; write one as in diagnosis[{letter!r}] = (failure, repair)."
        )
    if isinstance(given, str) or not hasattr(given, "__len__") or len(given) != 2:
        raise NotSolved(
            f"{letter} is {given!r}; give it two words in parentheses, (failure, repair)."
        )
    failure, repair = (str(word).strip().lower() for word in given)
    if failure in DOES and repair in FAILURES:
        raise NotSolved(
            f"{letter} is {given!r}; the failure comes first, and then the repair."
        )
    for word, words, what in ((failure, FAILURES, "failure"), (repair, DOES, "repair")):
        if word not in words:
            raise NotSolved(
                f"{letter} has the {what} {word!r}; choose one of: {', '.join(words)}."
            )
    return failure, repair


RIGHT_DIAGNOSIS = {
    letter: (failure, FAILURES[failure].repair) for letter, failure in LETTERS.items()
}


def _but(name: str, letter: str, given: Any, says: str) -> WrongAnswer:
    """The right diagnosis, but for one letter."""
    return WrongAnswer(name, RIGHT_DIAGNOSIS | {letter: given}, says)


WRONG_DIAGNOSES = (
    *(
        _but(
            f"{letter}: {failure}",
            letter,
            (failure, "key"),
            re.escape(_another_failure(letter, failure)),
        )
        for letter, right in LETTERS.items()
        for failure in FAILURES
        if failure != right
    ),
    *(
        _but(
            f"{letter}: {right}, {repair}",
            letter,
            (right, repair),
            re.escape(_another_repair(letter, repair)),
        )
        for letter, right in LETTERS.items()
        for repair in DOES
        if repair != FAILURES[right].repair
    ),
    _but("one word", "A", "loop", "give it two words in parentheses"),
    _but("one word in parentheses", "A", ("loop",), "give it two words in parentheses"),
    _but("the repair first", "A", ("elsewhere", "loop"), "the failure comes first"),
    _but(
        "another failure",
        "A",
        ("explosion", "key"),
        "the failure 'explosion'; choose one of: loop,",
    ),
    _but(
        "another repair",
        "A",
        ("loop", "prayer"),
        "the repair 'prayer'; choose one of: key,",
    ),
    _but(
        "a list of two",
        "A",
        ["loop", "brake"],
        "the first thing to do, but it repairs nothing",
    ),
    WrongAnswer("nothing yet", dict.fromkeys(LETTERS), "A has no diagnosis yet"),
)


CHARGE_ONCE = DeployedFunction(
    number="15.1",
    title="charge once",
    judge=judge_charge_once,
    hints=(
        "Three steps for a new order: claim it, charge it, note the payment. Which of them can fail, and what is left then?",
        'orders.put_item(Item={"id": order, "state": "started"}, ConditionExpression="attribute_not_exists(id)") '
        "claims it; put `try:` around it, and `except Taken:` after it.",
        'When it is taken: orders.get_item(Key={"id": order}, ConsistentRead=True)["Item"] is the record; raise '
        'RuntimeError while its state is "started", and otherwise return its payment.',
        'When it is yours: payment = charge(event), then orders.put_item(Item={"id": order, "state": "charged", '
        '"payment": payment}), and return payment.',
    ),
    wrong_answers=WRONG_CASHIERS,
)
DIAGNOSIS = Answer(
    number="15.2",
    title="which failure is this",
    judge=judge_diagnosis,
    hints=(
        "Look at the request ids first: the same one several times, or another one each time? Then at the errors.",
        "A run without any error can be a failure too: ask who started it.",
        "Three of the eight repairs only move or hide a failure: those that are a single setting of Lambda.",
    ),
    asks_for="diagnosis",
    form="dict",
    wrong_answers=WRONG_DIAGNOSES,
)
EXERCISES = (CHARGE_ONCE, DIAGNOSIS)
