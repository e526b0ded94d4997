"""The checks of the exercises of notebooks 01 and 04: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable

import notebook_cells
import pytest
from notebook_cells import refused

from helpers import checks, deploy, progress
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor functions of another test are there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for name in ("greeter", "hello", "primes-slow", "primes-fast"):
        remove(aws, Entry("function", aws.name(name)))


@pytest.fixture
def put(aws) -> Callable[..., None]:
    """Deploy a function with this text as its app.py."""

    def put(name: str, code: str) -> None:
        deploy(aws, aws.name(name), {"app.py": code}, MemorySize=512, Timeout=10)

    return put


def cells_of(notebook: str) -> list[str]:
    """The code cells that hold an exercise, as the author wrote them."""
    return notebook_cells.exercises(notebook)


# 01.1

GREETER = """
def handler(event, context):
    greetings = {"en": "Hello", "fr": "Bonjour", "ja": "Konnichiwa"}
    greeting = greetings[event.get("language", "en")]
    return {"message": f"{greeting}, {event['name']}!"}
"""


def test_a_greeter_passes(put, capsys):
    put("greeter", GREETER)
    checks.check("01.1")
    assert "Exercise 01.1" in capsys.readouterr().out
    assert progress.solved() == {"01.1"}


def test_the_answer_of_the_notebook_passes(put):
    put("greeter", source.solved(cells_of("01")[0]))
    checks.check("01.1")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('event.get("language", "en")', 'event["language"]', "without a language: KeyError: 'language'"),
        ('event.get("language", "en")', '"en"', r'in French was .*Hello.*; it has to be .*"Bonjour, Ada'),
        ("event['name']", "'Ada'", r'in French was .*"Bonjour, Ada!"'),
        ('{"message": f"{greeting}, {event[\'name\']}!"}', "greeting", 'in French was "Bonjour"'),
        ("    greeting =", '    raise NotImplementedError("Look.")\n    greeting =', "not written yet"),
        ("def handler", "def greet", r"finds no handler app\.handler"),
        ("def handler(event, context):", "def handler(event, context)", "cannot read your file"),
    ],
    ids=["no default", "no language", "always Ada", "a text", "unsolved", "another name", "syntax"],
)  # fmt: skip
def test_a_wrong_greeter_gets_its_sentence(old, new, says, put):
    assert old in GREETER
    put("greeter", GREETER.replace(old, new))
    text = refused("01.1")
    assert re.search(says, text), text


def test_an_absent_greeter_is_said():
    assert "There is no function" in refused("01.1")


# 01.2


def answers_with(aws) -> dict[str, Callable]:
    """Ways to write report_of: the right one, and others."""
    logs = aws.client("logs")

    def lines(name):
        return [
            event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        ]

    def unsolved(name, request_id):
        raise NotImplementedError("Read the log events.")

    return {
        "right": lambda name, id: next(
            line for line in lines(name) if line.startswith("REPORT") and id in line
        ),
        "the last": lambda name, id: [line for line in lines(name) if line.startswith("REPORT")][-1],
        "the first": lambda name, id: next(line for line in lines(name) if id in line),
        "all": lambda name, id: [line for line in lines(name) if id in line],
        "raises": lambda name, id: {}["REPORT"],
        "unsolved": unsolved,
    }


def test_a_report_of_passes(put, aws):
    put("hello", "def handler(event, context):\n    return 1\n")
    checks.check("01.2", answers_with(aws)["right"])
    assert progress.solved() == {"01.2"}


def test_the_report_of_of_the_notebook_passes(put, aws):
    put("hello", "def handler(event, context):\n    return 1\n")
    names = {"logs": aws.client("logs")}
    exec(source.solved(cells_of("01")[1]), names)
    checks.check("01.2", names["report_of"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("the last", "REPORT of another invocation"),
        ("the first", "The line begins with 'START"),
        ("all", "returned a list; return one line"),
        ("raises", "raised KeyError: 'REPORT'; call it yourself"),
        ("unsolved", r"unsolved is not written yet \(Read the log events\.\)"),
    ],
)
def test_a_wrong_report_of_gets_its_sentence(answer, says, put, aws):
    put("hello", "def handler(event, context):\n    return 1\n")
    text = refused("01.2", answers_with(aws)[answer])
    assert re.search(says, text), text


def test_a_check_that_needs_a_function_asks_for_it():
    assert 'check("01.2", report_of)' in refused("01.2")
    assert 'check("04.1", share_of_init)' in refused("04.1", 0.38)


# 04.1


def cold(frame):
    return frame[frame["init_ms"].notna()]


SHARES = {
    "right": lambda frame: cold(frame)["init_ms"].sum() / cold(frame)[["init_ms", "duration_ms"]].sum().sum(),
    "warm too": lambda frame: frame["init_ms"].sum() / frame[["init_ms", "duration_ms"]].sum().sum(),
    "mean": lambda frame: (frame["init_ms"] / (frame["init_ms"] + frame["duration_ms"])).mean(),
    "percent": lambda frame: 100 * SHARES["right"](frame),
    "ratio": lambda frame: cold(frame)["init_ms"].sum() / cold(frame)["duration_ms"].sum(),
    "constant": lambda frame: 0.9,
    "series": lambda frame: frame["init_ms"] / frame["duration_ms"],
    "nan": lambda frame: float("nan"),
}


def test_a_share_of_init_passes(aws):
    checks.check("04.1", SHARES["right"])
    names = {}
    exec(source.solved(cells_of("04")[0]), names)
    checks.check("04.1", names["share_of_init"])
    assert progress.solved() == {"04.1"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("warm too", "the warm rows are counted as well"),
        ("mean", "the mean of each row's share"),
        ("percent", "that is in percent"),
        ("ratio", "divided by duration_ms alone"),
        ("constant", "returned 0.900 where 0.380 is right"),
        ("series", "returned a Series; return one number"),
        ("nan", "returned nan where 0.380 is right"),
    ],
)
def test_a_wrong_share_of_init_gets_its_sentence(answer, says, aws):
    text = refused("04.1", SHARES[answer])
    assert re.search(says, text), text


# 04.2


def primes() -> dict[str, str]:
    """slow_source and fast_source of the notebook, the latter as its solution has it."""
    names: dict[str, str] = {}
    exec(source.solved(cells_of("04")[1]), names)
    return names


def test_a_fast_function_passes(put):
    put("primes-slow", primes()["slow_source"])
    put("primes-fast", primes()["fast_source"])
    checks.check("04.2")
    assert progress.solved() == {"04.2"}


def test_a_function_that_is_as_slow_as_before_is_said(put):
    for name in ("primes-slow", "primes-fast"):
        put(name, primes()["slow_source"])
    assert re.search(
        r"A warm call takes [\d.]+ ms \(median\), and took [\d.]+ ms before; .* move it above",
        refused("04.2"),
    )


def test_other_answers_than_before_are_said(put):
    put("primes-slow", primes()["slow_source"])
    put("primes-fast", "def handler(event, context):\n    return event['number'] % 2 == 1\n")
    assert re.search(r"fast function answers false for the number 0, and the slow one true", refused("04.2"))


def test_an_absent_fast_function_is_said(put, aws):
    put("primes-slow", primes()["slow_source"])
    assert f"There is no function {aws.name('primes-fast')} yet" in refused("04.2")
