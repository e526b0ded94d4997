"""The checks of notebook 07: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import notebook_cells
import numpy as np
import pg8000.native
import pytest
from notebook_cells import refused

from helpers import checks, deploy, package, progress
from helpers.checks import databases
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source

USER, PASSWORD, NAME = "tester", "for-this-test-only", "checked-orders"
ROOM = 9  # 12 connections, of which three are the superuser's


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor the function of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    remove(aws, Entry("function", aws.name("orders-writer")))


@pytest.fixture(scope="module")
def port(clients):
    """The port of a database with the table of the notebook."""
    rds = clients("rds")
    rds.create_db_parameter_group(DBParameterGroupName=NAME, DBParameterGroupFamily="postgres18", Description="x")
    few = {"ParameterName": "max_connections", "ParameterValue": "12", "ApplyMethod": "pending-reboot"}
    rds.modify_db_parameter_group(DBParameterGroupName=NAME, Parameters=[few])
    found = rds.create_db_instance(
        DBInstanceIdentifier=NAME, Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername=USER, MasterUserPassword=PASSWORD, DBName="orders", DBParameterGroupName=NAME,
    )["DBInstance"]["Endpoint"]["Port"]  # fmt: skip
    connection = connect_to(found)
    [create] = re.findall(r"CREATE TABLE orders [^\"]*", cell_with("07", "CREATE TABLE"))
    connection.run(create)
    connection.close()
    yield found
    rds.delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)
    rds.delete_db_parameter_group(DBParameterGroupName=NAME)


def connect_to(port: int) -> pg8000.native.Connection:
    return pg8000.native.Connection(USER, host="127.0.0.1", port=port, database="orders", password=PASSWORD)


@pytest.fixture
def put(aws, port) -> Callable[..., None]:
    """Deploy a function with this text as its app.py, and the database's address in its environment."""

    def put(name: str, code: str, **without) -> None:
        variables = {"DB_USER": USER, "DB_PASSWORD": PASSWORD, "DB_HOST": "127.0.0.1", "DB_PORT": str(port)}
        kept = {key: value for key, value in variables.items() if key not in without}
        deploy(
            aws, aws.name(name), package({"app.py": code}, libraries=["pg8000"]),
            Environment={"Variables": kept}, MemorySize=1769, Timeout=30,
        )  # fmt: skip

    return put


def code_cells(notebook: str) -> list[str]:
    return notebook_cells.code(notebook)


def cells_of(notebook: str) -> list[str]:
    """The code cells that hold an exercise, as the author wrote them."""
    return [text for text in code_cells(notebook) if source.SOLUTION.search(text)]


def cell_with(notebook: str, text: str) -> str:
    [found] = [each for each in code_cells(notebook) if text in each]
    return found


def connect_source() -> str:
    """connect_source as the notebook has it, with work that takes no time."""
    names: dict = {"print": lambda *_: None}
    exec(cell_with("07", "connect_source = "), names)
    assert "pg_sleep(0.2)" in names["connect_source"]
    return names["connect_source"].replace("pg_sleep(0.2)", "pg_sleep(0)")


# 07.1


def safe_concurrency() -> Callable:
    names: dict = {}
    exec(source.solved(cells_of("07")[0]), names)
    return names["safe_concurrency"]


def test_the_safe_concurrency_of_the_notebook_passes():
    checks.check("07.1", safe_concurrency())
    assert progress.solved() == {"07.1"}


def test_a_whole_number_of_numpy_is_right_too():
    checks.check("07.1", lambda m, s, o, f: np.maximum(0, m - s - o) // f)
    assert progress.solved() == {"07.1"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda m, s, o, f: max(0, m - o) // f, "reserved for the superuser are not for you"),
        (lambda m, s, o, f: max(0, m - s) // f, "that others use are taken already"),
        (lambda m, s, o, f: m // f, "neither the superuser's connections nor"),
        (lambda m, s, o, f: max(0, m - s - o), "divide by their number"),
        (lambda m, s, o, f: m // f - s - o, "take off what is taken first"),
        (lambda m, s, o, f: max(0, -(-(m - s - o) // f)), "rounded up, all functions together have more"),
        (lambda m, s, o, f: (m - s - o) / f, r"returned 89\.0, a float; a concurrency is a whole number"),
        (lambda m, s, o, f: (m - s - o) // f, "returned -7 where 0 is right: there is no room"),
        (lambda m, s, o, f: max(0, m - s - o) // f - 1, "one more is safe"),
        (lambda m, s, o, f: 89, "returned 89 where 22 is right"),
        (lambda m, s, o, f: None, "returned nothing; end it with return"),
        (lambda m, s, o, f: 1 // 0, "raised ZeroDivisionError"),
    ],
)  # fmt: skip
def test_a_wrong_concurrency_gets_its_sentence(answer, says):
    text = refused("07.1", answer)
    assert re.search(says, text), text


def test_an_unsolved_concurrency_is_said():
    names: dict = {}
    exec(source.unsolved(cells_of("07")[0]), names)
    assert "is not written yet" in refused("07.1", names["safe_concurrency"])


# 07.2


def handler() -> str:
    return source.solved(cells_of("07")[1])


@pytest.fixture
def put_writer(put):
    """Deploy the writer with this handler, and with another INSERT if need be."""

    def put_writer(code: str, insert: str = "") -> None:
        put("orders-writer", connect_source() + insert + "\n\n" + code)

    return put_writer


def test_the_writer_of_the_notebook_passes(put_writer):
    put_writer(handler())
    checks.check("07.2")
    assert progress.solved() == {"07.2"}


BARE = '        connection.run(INSERT, **json.loads(record["body"]))\n'
LOOP = """
def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            connection.run(INSERT, **json.loads(record["body"]))
        except pg8000.native.DatabaseError as error:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
"""
WITH_BEGIN = LOOP.replace("    for", '    connection.run("BEGIN")\n    for').replace(
    "    return", '    connection.run("COMMIT")\n    return'
)
ONCE = '\nINSERT = "INSERT INTO orders VALUES (:way, :id, :quantity)"\n'


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (f"def handler(event, context):\n    for record in event['Records']:\n{BARE}"
         '    return {"batchItemFailures": []}\n', "failed for a batch with bad orders, so that SQS brings back all"),
        (LOOP.replace('return {"batchItemFailures": failures}', "pass"), r"returned null, which reports no failure"),
        (LOOP.replace('return {"batchItemFailures": failures}', "return failures"), r"returned \[\], which reports"),
        (LOOP.replace('{"itemIdentifier": record["messageId"]}', 'record["messageId"]'), "SQS wants a dictionary"),
        (LOOP.replace('record["messageId"]', 'record["receiptHandle"]'), "'handle-.* which is no messageId"),
        (LOOP.replace('record["messageId"]', 'json.loads(record["body"])["id"]'), "which is no messageId"),
        (LOOP.replace("failures}", "failures[:1]}"), "record 5 of 6 has a quantity .*, and it is not reported"),
        (LOOP.replace("failures}", "[]}"), "record 2 of 6 has a quantity that the table refuses, and it is not"),
        (LOOP.replace('messageId"]})', 'messageId"]})\n            break'), "record 3 of 6 is good, and it is neither"),
        (LOOP.replace("failures}", "[{'itemIdentifier': r['messageId']} for r in event['Records'] if failures]}"),
         "record 1 of 6 is good, and it is reported"),
        (WITH_BEGIN, "refuses the rest of the transaction; leave out BEGIN"),
        (WITH_BEGIN.replace("failures.append", "if error.args[0]['C'] != '23514': raise\n            failures.append"),
         "leave out BEGIN"),
        (WITH_BEGIN.replace('messageId"]})', 'messageId"]})\n            connection.run("ROLLBACK")'),
         "record 1 of 6 is good, and it is neither in the table nor reported"),
        ("def handler(event, context):\n    raise NotImplementedError('Insert.')\n", "is not written yet|not written"),
    ],
    ids=["no try", "nothing returned", "a list", "bare ids", "receipt handles", "ids of orders", "the first bad only",
         "none reported", "stops at the first", "reports all", "one transaction", "aborted", "rolled back", "unsolved"],
)  # fmt: skip
def test_a_wrong_writer_gets_its_sentence(code, says, put_writer):
    put_writer(code)
    text = refused("07.2")
    assert re.search(says, text), text


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (LOOP, "SQS delivers a second time, record 1 of 6 is good, and it is reported"),
        (LOOP.replace("failures.append", "if error.args[0]['C'] != '23514': raise\n            failures.append"),
         "second time: the orders are in the table already"),
    ],
    ids=["reported", "raised"],
)  # fmt: skip
def test_a_writer_that_cannot_bear_a_second_delivery_is_told_so(code, says, put_writer):
    put_writer(code, insert=ONCE)
    text = refused("07.2")
    assert re.search(says, text), text


def test_a_writer_without_an_address_is_told_which(put):
    put("orders-writer", 'def handler(event, context):\n    return {"batchItemFailures": []}\n', DB_HOST=None)
    assert "no environment variable DB_HOST" in refused("07.2")


def test_a_full_database_is_said(put_writer, port):
    held = [connect_to(port) for _ in range(ROOM)]
    put_writer(handler())
    text = refused("07.2")
    for connection in held:
        connection.close()
    assert "it has no connection left; give back those" in text


def test_an_absent_writer_is_said():
    assert "There is no function" in refused("07.2")


def test_on_aws_the_check_of_the_writer_says_that_the_database_is_not_there():
    with pytest.raises(checks.NotSolved, match="embedded AWS alone"):
        databases.judge_writer(SimpleNamespace(is_embedded=False), None)


# 07.3


def choices() -> dict[str, str]:
    names: dict = {}
    exec(source.solved(cells_of("07")[2]), names)
    return names["choices"]


def test_the_choices_of_the_notebook_pass():
    checks.check("07.3", choices())
    assert progress.solved() == {"07.3"}


@pytest.mark.parametrize(
    ("case", "way", "reason"),
    [(case, way, reason) for case, found in databases.CASES.items() for way, reason in found.instead.items()],
)
def test_a_wrong_choice_gets_its_reason(case, way, reason):
    assert f"{way!r} does not fit {case}: {reason}" in refused("07.3", choices() | {case: way})


def test_choices_in_capitals_and_with_spaces_are_right_too():
    checks.check("07.3", {case: f" {way.upper()}" for case, way in reversed(choices().items())})
    assert progress.solved() == {"07.3"}


def test_every_case_has_a_reason_against_every_other_way():
    assert all({case.fits, *case.instead} == set(databases.WAYS) for case in databases.CASES.values())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (dict.fromkeys(databases.CASES), "baskets has no way yet"),
        ({"baskets": "rds"}, "baskets is 'rds'; choose one of: direct, dynamodb, queue, proxy"),
        ({"basket": "queue"}, "There is no case basket; the cases are baskets"),
        (None, "Give the check your dictionary"),
    ],
)
def test_choices_of_another_form_are_said(answer, says):
    assert says in refused("07.3", answer)
