"""The checks of notebook 04: right answers pass, and a wrong function gets its sentence."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, Starter, checks_of, refused

from helpers import check, deploy, progress
from helpers.cleanup import remove
from helpers.ledger import Entry

checks = checks_of("04")


# 04.1


def test_the_share_of_init_of_the_notebook_passes_and_its_starter_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    starter, notebook = Starter("04"), Notebook("04")
    for each in (starter, notebook):
        each.run("share-of-init")
    assert "is not written yet" in refused("04.1", starter.share_of_init)
    check("04.1", notebook.share_of_init)
    assert progress.solved() == {"04.1"}


# 04.2


@pytest.fixture
def primes(aws, embedded_home) -> Notebook:
    """slow_source and fast_source of the notebook; neither function is deployed, and nothing solved."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for name in ("primes-slow", "primes-fast"):
        remove(aws, Entry("function", aws.name(name)))
    notebook = Notebook("04")
    notebook.run("primes")
    return notebook


@pytest.fixture
def put(aws) -> Callable[..., None]:
    """Deploy a function with this text as its app.py."""

    def put(name: str, code: str) -> None:
        deploy(aws, aws.name(name), {"app.py": code}, MemorySize=512, Timeout=10)

    return put


def test_a_fast_function_passes(primes, put):
    put("primes-slow", primes.slow_source)
    put("primes-fast", primes.fast_source)
    check("04.2")
    assert progress.solved() == {"04.2"}


@pytest.mark.parametrize("wrong", checks.PRIMES.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_function_gets_its_sentence(wrong, primes, put):
    put("primes-slow", primes.slow_source)
    put("primes-fast", wrong.answer(primes.slow_source))
    text = refused("04.2")
    assert re.search(wrong.says, text), text


def test_an_absent_fast_function_is_said(primes, put, aws):
    put("primes-slow", primes.slow_source)
    assert f"There is no function {aws.name('primes-fast')} yet" in refused("04.2")
