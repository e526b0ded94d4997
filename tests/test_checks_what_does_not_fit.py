"""The checks of notebook 15: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable

import notebook_cells
import pytest
from notebook_cells import refused

from helpers import checks, deploy, progress, settings
from helpers.checks.what_does_not_fit import DOES, FAILURES, LETTERS
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor a function of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    remove(aws, Entry("function", aws.name("cashier-once")))


def cells() -> list[str]:
    return notebook_cells.code("15")


def exercise(place: int) -> str:
    """The code cell of an exercise, as the author wrote it."""
    return [text for text in cells() if source.SOLUTION.search(text)][place]


# 15.1

FRAME: dict[str, str] = {}
exec(next(text for text in cells() if text.startswith("before_charge_once")), FRAME)
RIGHT = source.solved(exercise(0))
NOTE = """    orders.put_item(Item={"id": order, "state": "charged", "payment": payment})
"""
FORGETS = """    if event.get("fault") == "mail":
        orders.delete_item(Key={"id": order})
"""
STARTED = """        if record["state"] == "started":
            raise RuntimeError(f"order {order} was started and not finished") from None
"""
NAIVE = """
def charge_once(event):
    return charge(event)
"""
LOOKS_FIRST = """
def charge_once(event):
    record = orders.get_item(Key={"id": event["order"]}, ConsistentRead=True).get("Item")
    if record and record["state"] == "started":
        raise RuntimeError("started")
    if record:
        return record["payment"]
    orders.put_item(Item={"id": event["order"], "state": "started"})
    payment = charge(event)
    orders.put_item(Item={"id": event["order"], "state": "charged", "payment": payment})
    return payment
"""
LOOKS_LONG = LOOKS_FIRST.replace(
    "    orders.put_item(Item={\"id\": event[\"order\"], \"state\": \"started\"})",
    """    if not event.get("fault"):
        __import__("time").sleep(1.5)
    orders.put_item(Item={"id": event["order"], "state": "started"})  # without a ConditionExpression""",
)
assert LOOKS_LONG != LOOKS_FIRST
NOTES_ONLY = """
def charge_once(event):
    record = orders.get_item(Key={"id": event["order"]}, ConsistentRead=True).get("Item")
    if record:
        return record["payment"]
    payment = charge(event)
    orders.put_item(Item={"id": event["order"], "state": "charged", "payment": payment})
    return payment
"""
CLAIMS_LATE = """
def charge_once(event):
    payment = charge(event)
    try:
        orders.put_item(
            Item={"id": event["order"], "payment": payment}, ConditionExpression="attribute_not_exists(id)"
        )
    except Taken as error:
        print(error)
        return orders.get_item(Key={"id": event["order"]}, ConsistentRead=True)["Item"]["payment"]
    return payment
"""
NEVER_CHARGES = """
def charge_once(event):
    orders.put_item(Item={"id": event["order"], "state": "charged", "payment": "1"})
    return "1"
"""


def changed(*changes: tuple[str, str]) -> str:
    text = RIGHT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def put(aws) -> Callable[[str], None]:
    """Deploy a charge_once as the notebook does, with its two tables."""
    dynamodb = aws.client("dynamodb")
    tables = {"PAYMENTS": (aws.name("payments"), "order_id", "payment"), "ORDERS": (aws.name("orders"), "id")}
    for name, *keys in tables.values():
        remove(aws, Entry("table", name))
        dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )  # fmt: skip

    def put(charge_once: str) -> None:
        files = {
            "app.py": FRAME["before_charge_once"] + charge_once + FRAME["after_charge_once"],
            "bank.py": (settings.FUNCTIONS / "cashier/python/bank.py").read_text(),
        }
        variables = {variable: name for variable, (name, *_) in tables.items()}
        deploy(
            aws, aws.name("cashier-once"), files, MemorySize=1769, Timeout=10, Environment={"Variables": variables}
        )

    return put


def test_the_cashier_of_the_notebook_passes(put, capsys):
    put(RIGHT)
    checks.check("15.1")
    assert progress.solved() == {"15.1"}


def test_the_starter_of_a_cashier_is_not_written_yet(put):
    put(source.unsolved(exercise(0)))
    assert "not written yet" in refused("15.1")


def test_an_absent_cashier_is_said():
    assert "There is no function" in refused("15.1")


def test_a_cashier_that_asks_the_bank_about_a_crash_passes(put):
    """What the text below the exercise recommends: reconcile with the bank's book."""
    asks = """        if record["state"] == "started":
            from bank import payments
            from boto3.dynamodb.conditions import Key
            found = payments.query(KeyConditionExpression=Key("order_id").eq(order), ConsistentRead=True)["Items"]
            if not found:
                raise RuntimeError("not there yet") from None
            return found[0]["payment"]
"""
    put(changed((STARTED, asks)))
    checks.check("15.1")


@pytest.mark.parametrize(
    ("charge_once", "says"),
    [
        (NAIVE, r"sent 2 times, was charged 2 times, and the table of orders has no record"),
        (changed(('order = event["order"]', 'order = str(__import__("uuid").uuid4())')), r"has no record .*event\['o"),
        (changed(('order = event["order"]', 'order = str(event["amount"])')), "0 payments for another order of the sa"),
        (NEVER_CHARGES, "has 0 payments for a new order"),
        (changed(("payment = charge(event)", "charge(event)\n    payment = order")), "answered .*return what charge"),
        (changed(("    payment = charge", "    charge(event)\n    payment = charge")), "has 2 payments"),
        (changed((', ConditionExpression="attribute_not_exists(id)"', "")), "put_item replaces a record that is there"),
        (CLAIMS_LATE, "after the bank had been asked; put the record with the state started"),
        (changed(("except Taken", "except KeyError")), "failed when it came a second time .*catch Taken"),
        (
            changed((', "payment": payment}', "}"), ('record["payment"]', 'record.get("payment")')),
            "was answered .*null.*keep the payment in the record",
        ),
        (NOTES_ONLY, "died right after the bank had charged.*as it had left no record; put the record"),
        (
            changed((STARTED, '        if record["state"] == "started":\n            return charge(event)\n')),
            "died right after the bank had charged.*raise an exception when you find that state",
        ),
        (
            changed((STARTED, ""), ('record["payment"]', 'record.get("payment")')),
            "the next run answered .*null.*as if all were well",
        ),
        (LOOKS_FIRST, "Two runs of one order at the same moment can both charge it: each run looks before"),
        (LOOKS_LONG, r"4 runs of one order at the same moment charged it \d times: each run looks before"),
        (
            changed((NOTE, NOTE + FORGETS)),
            "With the mail server down, an order that came three times was charged 3 times",
        ),
        (
            changed(("        return record[", "        globals()['send_receipt'] = print\n        return record[")),
            "When the mail server was up again, no receipt was sent",
        ),
    ],
    ids=[
        "naive", "another key each time", "the amount as key", "never charges", "another answer", "charges twice",
        "no condition", "claims late", "not caught", "payment not kept", "no claim", "charges after a crash",
        "answers after a crash", "looks first", "looks long before", "forgets when the mail fails", "no receipt",
    ],
)  # fmt: skip
def test_a_wrong_cashier_gets_its_sentence(charge_once, says, put):
    put(charge_once)
    text = refused("15.1")
    assert re.search(says, text), text


# 15.2

DIAGNOSIS = {letter: (failure, FAILURES[failure].mending) for letter, failure in LETTERS.items()}


def test_the_diagnosis_of_the_notebook_passes(aws):
    names = {"evidence": LETTERS}
    exec(source.solved(exercise(1)), names)
    assert names["diagnosis"] == DIAGNOSIS
    checks.check("15.2", names["diagnosis"])
    assert progress.solved() == {"15.2"}


def test_the_words_of_the_notebook_are_those_of_the_check():
    names: dict = {}
    exec(next(text for text in cells() if text.startswith("failures = ")), names)
    assert set(names["failures"]) == set(FAILURES)
    assert set(names["mendings"]) == set(DOES)


def test_the_starter_of_a_diagnosis_is_refused():
    assert "A has no diagnosis yet" in refused("15.2", dict.fromkeys(LETTERS))


@pytest.mark.parametrize("letter", LETTERS)
def test_each_wrong_failure_gets_a_reason(letter):
    right = FAILURES[LETTERS[letter]]
    for failure in FAILURES.keys() - {LETTERS[letter]}:
        text = refused("15.2", DIAGNOSIS | {letter: (failure, "key")})
        assert f"{letter} is not '{failure}'" in text
        assert FAILURES[failure].looks in text and right.sign in text


@pytest.mark.parametrize("letter", LETTERS)
def test_each_wrong_mending_gets_a_reason(letter):
    failure = LETTERS[letter]
    reasons = set()
    for mending in DOES.keys() - {FAILURES[failure].mending}:
        text = refused("15.2", DIAGNOSIS | {letter: (failure, mending)})
        assert f"'{mending}' does not mend it: " in text
        reasons.add(text.split("does not mend it: ")[1])
    assert len(reasons) == len(DOES) - 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("loop", r"give it two words in parentheses"),
        (("loop",), r"give it two words in parentheses"),
        (("elsewhere", "loop"), "the failure comes first"),
        (("explosion", "key"), "the failure 'explosion'; choose one of: loop,"),
        (("loop", "prayer"), "the mending 'prayer'; choose one of: key,"),
        (["loop", "brake"], "the first thing to do, but it mends nothing"),
    ],
)
def test_a_diagnosis_of_another_form_is_said(given, says):
    text = refused("15.2", DIAGNOSIS | {"A": given})
    assert re.search(says, text), text


def test_upper_case_and_spaces_do_not_matter():
    checks.check("15.2", {letter: [f" {word.upper()}" for word in pair] for letter, pair in DIAGNOSIS.items()})
    assert progress.solved() == {"15.2"}


def test_a_list_is_no_diagnosis():
    assert 'check("15.2", diagnosis)' in refused("15.2", list(DIAGNOSIS))
