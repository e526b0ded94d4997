"""The checks of notebook 14: right answers pass, wrong ones get their sentence."""

import re

import notebook_cells
import pytest
from notebook_cells import refused

from helpers import checks, deploy, progress
from helpers.checks import pdf
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor the function of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    remove(aws, Entry("function", aws.name(pdf.COUNTER)))


def cells() -> list[str]:
    return notebook_cells.code("14")


def exercises() -> list[str]:
    """The code cells of the notebook that hold an exercise, as the author wrote them."""
    return [text for text in cells() if source.SOLUTION.search(text)]


# 14.1


@pytest.fixture
def put(aws):
    """Deploy a counter with this text for `count`, as the notebook does."""
    dynamodb = aws.client("dynamodb")
    table = aws.name(pdf.TABLE)
    if table not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "document", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "document", "KeyType": "HASH"}],
        )  # fmt: skip
    dynamodb.delete_item(TableName=table, Key={"document": {"S": "all"}})
    names: dict[str, str] = {}
    exec(next(text for text in cells() if text.startswith("counter_source")), names)

    def put(count: str) -> None:
        options = {"MemorySize": 512, "Timeout": 10, "Environment": {"Variables": {"TABLE": table}}}
        deploy(aws, aws.name(pdf.COUNTER), {"app.py": names["counter_source"] + count}, **options)

    return put


def test_the_answer_of_the_notebook_passes(put, capsys):
    put(source.solved(exercises()[0]))
    checks.check("14.1")
    assert "Exercise 14.1" in capsys.readouterr().out
    assert progress.solved() == {"14.1"}


OTHER_ANSWER = """
def count(document, page, pages):
    before = table.update_item(
        Key={"document": document}, UpdateExpression="ADD rendered :page",
        ExpressionAttributeValues={":page": {page}}, ReturnValues="ALL_OLD",
    ).get("Attributes", {}).get("rendered", set())
    return page not in before and len(before) + 1 == pages
"""


def test_another_way_to_count_passes(put):
    put(OTHER_ANSWER)
    checks.check("14.1")


def test_the_starter_is_not_written_yet(put):
    put(source.unsolved(exercises()[0]))
    assert "count is not written yet" in refused("14.1")


def test_the_naive_count_of_the_notebook_is_told_that_it_counts_messages(put):
    put(next(text for text in cells() if text.startswith("def count") and not source.SOLUTION.search(text)))
    assert "it counts messages; count different pages" in refused("14.1")


ALL_NEW = """
def count(document, page, pages):
    item = table.update_item(
        Key={"document": document}, UpdateExpression="ADD rendered :page",
        ExpressionAttributeValues={":page": {page}}, ReturnValues="ALL_NEW",
    )["Attributes"]
    return len(item["rendered"]) == pages
"""
REFERENCE = source.solved(exercises()[0])
WRONG = {
    "complete again after the end": (ALL_NEW, "page 2 came again, and count returned True once more"),
    "exception not caught": (
        re.sub(r"except .*\n", "except KeyError:\n", REFERENCE),
        "ConditionalCheckFailedException: that is DynamoDB's way",
    ),
    "the last number": (
        "def count(document, page, pages):\n    return page == pages\n", "the last page need not be the last to come"
    ),
    "the last number, with a table": (
        ALL_NEW.replace('len(item["rendered"]) == pages', "page == pages"), "the last page need not be the last to come"
    ),
    "in memory": (
        "seen = {}\n\n\ndef count(document, page, pages):\n    pages_seen = seen.setdefault(document, set())\n"
        "    new = page not in pages_seen\n    pages_seen.add(page)\n    return new and len(pages_seen) == pages\n",
        "what is kept in the memory of one environment",
    ),
    "before this page": (
        OTHER_ANSWER.replace("len(before) + 1", "len(before)"), "count did not return True for the last one"
    ),
    "always": ("def count(document, page, pages):\n    return True\n", "page 1 of 3 came, count said that all are"),
    "never": (
        "def count(document, page, pages):\n    return False\n", "the table has no item with the document as its key"
    ),
    "one item for all documents": (
        OTHER_ANSWER.replace('{"document": document}', '{"document": "all"}'), "the item's key is the document"
    ),
    "a table that is not there": (
        "table = boto3.resource('dynamodb').Table('no-such-table')\n" + ALL_NEW, "failed with ResourceNotFoundException"
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_count_gets_its_sentence(wrong, put):
    code, says = WRONG[wrong]
    put(code)
    assert says in refused("14.1")


def test_an_absent_counter_is_said(aws):
    assert f"There is no function {aws.name(pdf.COUNTER)} yet; run the cell that deploys it" in refused("14.1")


def test_another_answer_of_the_function_is_said(put, aws):
    deploy(aws, aws.name(pdf.COUNTER), {"app.py": "def handler(event, context):\n    return 1\n"})
    assert 'has to answer {"complete": [...]}' in refused("14.1")


# 14.2


def where_is(second, received, deleted, visibility_timeout, max_receives):
    names: dict = {}
    exec(source.solved(exercises()[1]), names)
    return names["where_is"](second, received, deleted, visibility_timeout, max_receives)


def test_the_where_is_of_the_notebook_passes():
    checks.check("14.2", where_is)
    assert progress.solved() == {"14.2"}


def test_upper_case_and_spaces_do_not_matter():
    checks.check("14.2", lambda *arguments: f"{where_is(*arguments).upper()} ")
    assert progress.solved() == {"14.2"}


def test_the_where_is_of_the_starter_is_not_written_yet():
    names: dict = {}
    exec(source.unsolved(exercises()[1]), names)
    assert "where_is is not written yet" in refused("14.2", names["where_is"])


def variant(*changes: tuple[str, str]):
    """The notebook's answer with some of its text replaced."""
    text = source.solved(exercises()[1])
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    names: dict = {}
    exec(text, names)
    return names["where_is"]


IN_FLIGHT = "second < received[-1] + visibility_timeout"
GONE = "deleted is not None and second >= deleted"
PAST = "    received = [each for each in received if each <= second]\n"
DEAD = 'return "dead-letter queue" if len(received) >= max_receives else "waiting"'
TO_THE_DEAD = 'return "dead-letter queue"'
WRONG_PLACES = {
    "from 0": ([(IN_FLIGHT, "second < visibility_timeout")], "runs from second 7, when it was received"),
    "from the first receive": ([("received[-1]", "received[0]")], "received again at second 52, and the timeout"),
    "the future counts": ([(PAST, "")], "it will be received at second 7, and that is still to come"),
    "the future counts as a try": (
        [(PAST, "    tries = len(received)\n" + PAST), ("len(received) >=", "tries >=")],
        "of its receives only two were before second 110",
    ),
    "no dead-letter queue": ([(DEAD, 'return "waiting"')], "received 3 times, and the last timeout ended at 135"),
    "given up too early": (
        [(f"    if {IN_FLIGHT}", f'    if len(received) >= max_receives:\n        {TO_THE_DEAD}\n    if {IN_FLIGHT}')],
        "the third try, begun at second 95, is still running",
    ),
    "one try more": ([(">= max_receives", "> max_receives")], "received 3 times, and the last timeout ended at 135"),
    "never gone": ([(GONE, "False")], "it was deleted at second 11"),
    "gone before it is": ([(GONE, "deleted is not None")], "it will be deleted at second 11"),
    "gone only from the flight": (
        [(GONE, "deleted is not None and second >= deleted and second < received[-1] + visibility_timeout")],
        "it was deleted at second 97, and what is deleted goes nowhere",
    ),
    "never waiting": ([('        return "waiting"\n', '        return "in flight"\n')], "nobody has received it yet"),
    "another word": ([('return "gone"', 'return "deleted"')], "return one of: waiting, in flight, dead-letter"),
    "raises": ([("    if not received:\n        return \"waiting\"\n", "")], "raised IndexError"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_PLACES)
def test_a_wrong_where_is_gets_its_sentence(wrong):
    changes, says = WRONG_PLACES[wrong]
    text = refused("14.2", variant(*changes))
    assert says in text, text


def test_every_case_of_the_check_is_right_by_the_notebook_and_has_its_own_reason():
    for (second, received, deleted), right, _ in pdf.CASES:
        assert where_is(second, received, deleted, pdf.TIMEOUT, pdf.MOST) == right
    assert len({why for _, _, why in pdf.CASES}) == len(pdf.CASES)
