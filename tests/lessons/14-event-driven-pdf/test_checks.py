"""The checks of notebook 14: right answers pass, a wrong count gets its sentence."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy
from helpers.authoring.source import solved, unsolved
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("14")
COUNT = Notebook("14").text("count-once")


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """No progress of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)


# 14.1


@pytest.fixture(scope="module")
def put(aws_of_module) -> Callable[..., None]:
    """Deploy a counter with this text for `count`, as the notebook does."""
    dynamodb, table = aws_of_module.client("dynamodb"), aws_of_module.name(checks.TABLE)
    notebook = Notebook("14", workshop=aws_of_module, dynamodb=dynamodb)
    notebook.run("make-table", "allow", "counter-source", "counts")

    def put(count: str, name: str = "count_once") -> None:
        dynamodb.delete_item(TableName=table, Key={"document": {"S": "all"}})  # of one who counts all in one item
        options = notebook.options | {"MemorySize": 10_240}
        files = {"app.py": f"{notebook.counter_source}{count}\n\ncount = {name}\n"}
        deploy(aws_of_module, aws_of_module.name(checks.COUNTER), files, **options)

    return put


def test_an_absent_counter_is_said(aws):
    remove(aws, Entry("function", aws.name(checks.COUNTER)))
    assert f"There is no function {aws.name(checks.COUNTER)} yet; run the cell that deploys it" in refused("14.1")


def test_the_answer_of_the_notebook_passes(put, capsys):
    put(solved(COUNT))
    check("14.1")
    assert "Exercise 14.1" in capsys.readouterr().out
    assert progress.solved() == {"14.1"}


@pytest.mark.parametrize("right", [checks.OLD, checks.LOCKS], ids=["the set before", "a version"])
def test_another_way_to_count_passes(right, put):
    put(right)
    check("14.1")
    assert progress.solved() == {"14.1"}


def test_the_starter_is_not_written_yet(put):
    put(unsolved(COUNT))
    assert "count_once is not written yet" in refused("14.1")


def test_the_naive_count_of_the_notebook_is_told_that_it_counts_messages(put):
    put(Notebook("14").text("naive-count"), "count")
    assert "it counts messages; count different pages" in refused("14.1")


@pytest.mark.parametrize("wrong", checks.COUNT.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_count_gets_its_sentence(wrong, put):
    put(wrong.answer if isinstance(wrong.answer, str) else mutated(solved(COUNT), *wrong.answer))
    text = refused("14.1")
    assert re.search(wrong.says, text), text


def test_another_answer_of_the_function_is_said(put, aws):
    put(checks.OLD)
    deploy(aws, aws.name(checks.COUNTER), {"app.py": "def handler(event, context):\n    return 1\n"})
    assert 'must answer {"complete": [...]}' in refused("14.1")


# 14.2


@pytest.fixture(scope="module")
def where_is() -> Callable[..., str]:
    notebook = Notebook("14")
    notebook.run("where-is")
    return notebook.where_is


def test_the_where_is_of_the_notebook_passes(where_is):
    check("14.2", where_is)
    assert progress.solved() == {"14.2"}


def test_upper_case_and_spaces_do_not_matter(where_is):
    check("14.2", lambda *arguments: f"{where_is(*arguments).upper()} ")
    assert progress.solved() == {"14.2"}


def test_the_where_is_of_the_starter_is_not_written_yet():
    starter = Starter("14")
    starter.run("where-is")
    assert "where_is is not written yet" in refused("14.2", starter.where_is)


def test_every_case_of_the_check_is_right_by_the_notebook_and_has_its_own_reason(where_is):
    for (second, received, deleted), right, _ in checks.CASES:
        assert where_is(second, received, deleted, checks.TIMEOUT, checks.MOST) == right
    assert len({why for _, _, why in checks.CASES}) == len(checks.CASES)
