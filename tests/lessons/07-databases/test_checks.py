"""The checks of notebook 07: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pg8000.native
import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy, package
from helpers.authoring.source import solved, unsolved
from helpers.exercises import NotSolved
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("07")

USER, PASSWORD, NAME = "tester", "for-this-test-only", "checked-orders"
ROOM = 9  # 12 connections, of which three are the superuser's


@pytest.fixture
def at_home(monkeypatch, tmp_path) -> None:
    """Nothing is solved yet, and no AWS is needed."""
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


@pytest.fixture
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
        DBInstanceIdentifier=NAME,
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername=USER,
        MasterUserPassword=PASSWORD,
        DBName="orders",
        DBParameterGroupName=NAME,
    )["DBInstance"]["Endpoint"]["Port"]
    login = {"user": USER, "password": PASSWORD, "database": "orders", "host": "127.0.0.1", "port": found}
    notebook = Notebook("07", has_database=True, login=login)
    notebook.run("orders-table")
    notebook.admin.close()
    yield found
    rds.delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)
    rds.delete_db_parameter_group(DBParameterGroupName=NAME)


def connect_to(port: int) -> pg8000.native.Connection:
    return pg8000.native.Connection(USER, host="127.0.0.1", port=port, database="orders", password=PASSWORD)


@pytest.fixture
def put(aws, port, at_the_start) -> Callable[..., None]:
    """Deploy a function with this text as its app.py, and the database's address in its environment."""

    def put(name: str, code: str, **without) -> None:
        variables = {"DB_USER": USER, "DB_PASSWORD": PASSWORD, "DB_HOST": "127.0.0.1", "DB_PORT": str(port)}
        kept = {key: value for key, value in variables.items() if key not in without}
        deploy(
            aws,
            aws.name(name),
            package({"app.py": code}, libraries=["pg8000"]),
            Handler="app.write_orders",
            Environment={"Variables": kept},
            MemorySize=1769,
            Timeout=30,
        )

    return put


# 07.1


@pytest.mark.usefixtures("at_home")
def test_the_safe_concurrency_of_the_notebook_passes_and_its_starter_fails():
    starter, notebook = Starter("07"), Notebook("07")
    for each in (starter, notebook):
        each.run("safe-concurrency")
    assert "is not written yet" in refused("07.1", starter.safe_concurrency)
    check("07.1", notebook.safe_concurrency)
    assert progress.solved() == {"07.1"}


@pytest.mark.usefixtures("at_home")
def test_a_whole_number_of_numpy_is_right_too():
    check("07.1", lambda m, s, o, f: np.maximum(0, m - s - o) // f)
    assert progress.solved() == {"07.1"}


# 07.2


HANDLER = Notebook("07").text("orders-writer")


def connect_source() -> str:
    """connect_source as the notebook has it, with work that takes no time."""
    notebook = Notebook("07")
    notebook.run("connect-source")
    return mutated(notebook.connect_source, ("pg_sleep(0.2)", "pg_sleep(0)"))


@pytest.fixture
def put_writer(put) -> Callable[[str], None]:
    """Deploy the writer with this handler."""
    return lambda code: put("orders-writer", f"{connect_source()}\n\n{code}")


def test_the_writer_of_the_notebook_passes(put_writer):
    put_writer(solved(HANDLER))
    check("07.2")
    assert progress.solved() == {"07.2"}


def test_the_starter_of_a_writer_is_not_written_yet(put_writer):
    put_writer(unsolved(HANDLER))
    assert "not written yet" in refused("07.2")


@pytest.mark.parametrize("wrong", checks.WRITER.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_writer_gets_its_sentence(wrong, put_writer):
    put_writer(wrong.answer)
    text = refused("07.2")
    assert re.search(wrong.says, text), text


def test_a_writer_without_an_address_is_told_which(put):
    put("orders-writer", 'def write_orders(event, context):\n    return {"batchItemFailures": []}\n', DB_HOST=None)
    assert "no environment variable DB_HOST" in refused("07.2")


def test_a_full_database_is_said(put_writer, port):
    held = [connect_to(port) for _ in range(ROOM)]
    put_writer(solved(HANDLER))
    text = refused("07.2")
    for connection in held:
        connection.close()
    assert "it has no connection left; give back those" in text


@pytest.mark.usefixtures("at_the_start")
def test_an_absent_writer_is_said():
    assert "There is no function" in refused("07.2")


def test_on_aws_the_check_of_the_writer_says_that_the_database_is_not_there():
    with pytest.raises(NotSolved, match="only on the embedded AWS"):
        checks.judge_writer(SimpleNamespace(is_embedded=False))


# 07.3


@pytest.fixture
def choices(at_home) -> dict[str, str]:
    notebook = Notebook("07")
    notebook.run("choices")
    return notebook.choices


def test_the_choices_of_the_notebook_pass_and_its_starter_fails(choices):
    starter = Starter("07")
    starter.run("choices")
    assert "baskets has no way yet" in refused("07.3", starter.choices)
    check("07.3", choices)
    assert progress.solved() == {"07.3"}


def test_choices_in_capitals_and_with_spaces_are_right_too(choices):
    check("07.3", {case: f" {way.upper()}" for case, way in reversed(choices.items())})
    assert progress.solved() == {"07.3"}


def test_every_case_has_a_reason_against_every_other_way():
    assert all({case.fits, *case.instead} == set(checks.WAYS) for case in checks.CASES.values())
