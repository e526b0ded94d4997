"""The checks of notebook 15: right answers pass, a wrong cashier gets its sentence."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy
from helpers.authoring.source import solved, unsolved
from helpers.lessons import function_folder, lesson
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("15")
CHARGE_ONCE = Notebook("15").text("charge-once")
STARTED = lesson("15").module("wrong_answers").STARTED


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


# 15.1


@pytest.fixture(scope="module")
def put(aws_of_module) -> Callable[..., None]:
    """Deploy a charge_once as the notebook does, with its two tables."""
    workshop = aws_of_module
    dynamodb = workshop.client("dynamodb")
    tables = {"PAYMENTS": (workshop.name("payments"), "order_id", "payment"), "ORDERS": (workshop.name("orders"), "id")}
    for name, *keys in tables.values():
        remove(workshop, Entry("table", name))
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
    arns = {"dynamodb": dynamodb, "payments": tables["PAYMENTS"][0], "orders": tables["ORDERS"][0]}
    notebook = Notebook("15", workshop=workshop, settings={}, **arns)
    notebook.run("frame", "table-arn", "once-role")
    bank = (function_folder("cashier") / "python/bank.py").read_text()
    variables = {variable: name for variable, (name, *_) in tables.items()}

    def put(charge_once: str, **more: list[str]) -> None:
        app = notebook.before_charge_once + charge_once + notebook.after_charge_once
        deploy(
            workshop,
            workshop.name("cashier-once"),
            {"app.py": app, "bank.py": bank},
            MemorySize=10_240,
            Timeout=30,
            Environment={"Variables": variables},
            Role=workshop.role(*statements_of(notebook, more)),
        )

    return put


def statements_of(notebook: Notebook, more: dict[str, list[str]]) -> list[dict]:
    """The statements of the notebook's role, and actions that another answer takes, by the name of the statement."""
    statements = []
    for name in ("to_payments", "to_orders"):
        given = getattr(notebook, name)
        actions = given["Action"] if isinstance(given["Action"], list) else [given["Action"]]
        statements.append(given | {"Action": actions + more.get(name, [])})
    return statements


def test_an_absent_cashier_is_said(aws):
    remove(aws, Entry("function", aws.name("cashier-once")))
    assert "There is no function" in refused("15.1")


def test_the_cashier_of_the_notebook_passes(put):
    put(solved(CHARGE_ONCE))
    check("15.1")
    assert progress.solved() == {"15.1"}


def test_the_starter_of_a_cashier_is_not_written_yet(put):
    put(unsolved(CHARGE_ONCE))
    assert "not written yet" in refused("15.1")


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
    put(mutated(solved(CHARGE_ONCE), (STARTED, asks)), to_payments=["dynamodb:Query"])
    check("15.1")
    assert progress.solved() == {"15.1"}


def test_what_the_role_of_a_cashier_lacks_is_said(put):
    put("def charge_once(event):\n    orders.delete_item(Key={'id': event['order']})\n    return charge(event)\n")
    assert re.search(
        r"role of \S+cashier-once does not allow .*; allow dynamodb:DeleteItem on arn:.*orders", refused("15.1")
    )


@pytest.mark.parametrize("wrong", checks.CHARGE_ONCE.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_cashier_gets_its_sentence(wrong, put):
    answer = wrong.answer if isinstance(wrong.answer, str) else mutated(solved(CHARGE_ONCE), *wrong.answer)
    put(answer, to_orders=["dynamodb:UpdateItem", "dynamodb:DeleteItem"])
    text = refused("15.1")
    assert re.search(wrong.says, text), text


# 15.2


def test_the_diagnosis_of_the_notebook_passes():
    notebook = Notebook("15", evidence=checks.LETTERS)
    notebook.run("diagnosis")
    assert notebook.diagnosis == checks.RIGHT_DIAGNOSIS
    check("15.2", notebook.diagnosis)
    assert progress.solved() == {"15.2"}


def test_the_starter_of_a_diagnosis_is_refused():
    starter = Starter("15", evidence=checks.LETTERS)
    starter.run("diagnosis")
    assert "A has no diagnosis yet" in refused("15.2", starter.diagnosis)


def test_the_words_of_the_notebook_are_those_of_the_check():
    notebook = Notebook("15")
    notebook.run("failures", "repairs")
    assert set(notebook.failures) == set(checks.FAILURES)
    assert set(notebook.repairs) == set(checks.DOES)


@pytest.mark.parametrize("letter", checks.LETTERS)
def test_each_wrong_repair_has_a_reason_of_its_own(letter):
    right = checks.FAILURES[checks.LETTERS[letter]].repair
    wrong = checks.DOES.keys() - {right}
    reasons = {checks._another_repair(letter, repair).split("does not repair it: ")[1] for repair in wrong}
    assert len(reasons) == len(wrong)


def test_upper_case_and_spaces_do_not_matter():
    check("15.2", {letter: [f" {word.upper()}" for word in pair] for letter, pair in checks.RIGHT_DIAGNOSIS.items()})
    assert progress.solved() == {"15.2"}
