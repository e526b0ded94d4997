"""The checks of notebook 04: right answers pass, and a wrong function gets its sentence."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, Starter, checks_of, mutated, refused

from helpers import check, deploy
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

checks = checks_of("04")


# 04.1


@pytest.fixture
def sources(aws, embedded_home) -> Notebook:
    """heavy_source and light_source of the notebook, and what they are deployed with; nothing is solved."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    notebook = Notebook("04", workshop=aws, options={"MemorySize": 512, "Timeout": 30})
    notebook.run("counting", "heavy", "light")
    return notebook


@pytest.fixture
def put_both(aws, sources) -> Callable[[str], None]:
    """Deploy the heavy function, and this text as the light one."""

    def put_both(light: str) -> None:
        for name, code in {"init-heavy": sources.heavy_source, "init-light": light}.items():
            deploy(aws, aws.name(name), {"app.py": code}, **sources.counting)

    return put_both


def test_a_light_function_passes_and_leaves_no_copy(sources, put_both, aws):
    put_both(sources.light_source)
    check("04.1")
    assert progress.solved() == {"04.1"}
    names = [each["FunctionName"] for each in aws.client("lambda").list_functions()["Functions"]]
    assert aws.name("init-light") in names and not [name for name in names if name.endswith("-cold")]


@pytest.mark.parametrize("wrong", checks.LIGHT.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_light_function_gets_its_sentence(wrong, sources, put_both):
    put_both(mutated(sources.heavy_source, *wrong.answer))
    text = refused("04.1")
    assert re.search(wrong.says, text), text


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


# 04.3

SNAP_START = {"SnapStart": {"ApplyOn": "PublishedVersions"}}


@pytest.fixture
def tickets(aws, embedded_home) -> Notebook:
    """repeated_source and unique_source of the notebook; the function is not deployed, and nothing solved."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    remove(aws, Entry("function", aws.name("tickets-unique")))
    notebook = Notebook("04")
    notebook.run("repeated")
    notebook.run("tickets")
    return notebook


def put_tickets(aws, code: str, **more) -> None:
    deploy(aws, aws.name("tickets-unique"), {"app.py": code}, MemorySize=512, Timeout=10, **more)


def test_unique_tickets_pass(tickets, aws):
    put_tickets(aws, tickets.unique_source, **SNAP_START)
    check("04.3")
    assert progress.solved() == {"04.3"}


@pytest.mark.parametrize(
    "change",
    [
        ("generator.getrandbits", "random.Random().getrandbits"),
        ("random.Random()", "random.SystemRandom()"),
        (
            "generator = random.Random()",
            "from snapshot_restore_py import register_after_restore\n\ngenerator = random.Random()\n\n\n"
            "@register_after_restore\ndef seed():\n    generator.seed()",
        ),
    ],
    ids=["a generator for each", "the system's", "seeded after the restore"],
)
def test_other_ways_to_unique_tickets_pass(change, tickets, aws):
    put_tickets(aws, mutated(tickets.repeated_source, change), **SNAP_START)
    check("04.3")
    assert progress.solved() == {"04.3"}


@pytest.mark.parametrize("wrong", checks.TICKETS.wrong_answers, ids=lambda wrong: wrong.name)
def test_wrong_tickets_get_their_sentence(wrong, tickets, aws):
    put_tickets(aws, mutated(tickets.repeated_source, *wrong.answer), **SNAP_START)
    text = refused("04.3")
    assert re.search(wrong.says, text), text


def test_without_snapstart_there_is_nothing_to_judge(tickets, aws):
    put_tickets(aws, tickets.unique_source)
    assert "was published without SnapStart" in refused("04.3")


# 04.4


@pytest.fixture
def canary(aws, embedded_home) -> dict:
    """What the cell with the answer needs: a function with versions, and an alias on the one before the newest."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    client, name = aws.client("lambda"), aws.name("canary")
    remove(aws, Entry("function", name))
    versions = []
    for number in (1, 2, 3):
        deploy(aws, name, {"app.py": f"def handler(event, context):\n    return {number}\n"})
        versions.append(client.publish_version(FunctionName=name)["Version"])
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=versions[1])
    return {"lambda_client": client, "canary": name, "new": versions[2]}


def test_the_shift_of_the_notebook_passes_and_its_starter_fails(canary):
    starter, solved = Starter("04", **canary), Notebook("04", **canary)
    for notebook in (starter, solved):
        notebook.run("shift")
    assert "shift is not written yet" in refused("04.4", starter.shift)
    check("04.4", solved.shift)
    assert progress.solved() == {"04.4"}


@pytest.mark.parametrize("wrong", checks.SHIFT.wrong_answers, ids=lambda wrong: wrong.name)
def test_a_wrong_shift_gets_its_sentence(wrong, canary):
    shift = wrong.answer(canary["lambda_client"], canary["canary"], canary["new"])
    text = refused("04.4", shift)
    assert re.search(wrong.says, text), text


def test_an_absent_alias_is_said(canary):
    canary["lambda_client"].delete_alias(FunctionName=canary["canary"], Name="live")
    assert "has no alias live" in refused("04.4", lambda part: None)
