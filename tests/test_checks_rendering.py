"""The checks of notebook 13: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable

import notebook_cells
import pytest
from notebook_cells import refused

from helpers import checks, deploy, notebooks, progress, settings
from helpers.checks import rendering
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor the page of another test is there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for kind in ("function URL", "function"):
        remove(aws, Entry(kind, aws.name(rendering.CORNER)))


def cells() -> list[str]:
    return notebook_cells.code("13")


def exercises() -> list[str]:
    """The code cells of the notebook that hold an exercise, as the author wrote them."""
    return [text for text in cells() if source.SOLUTION.search(text)]


# 13.1


def alone(frame):
    return frame[frame["callers"] == 1]["wait_ms"]


CAPACITIES: dict[str, Callable] = {
    "right": lambda frame, workers: 1000 / (alone(frame).median() / workers),
    "one worker": lambda frame, workers: 1000 / alone(frame).median(),
    "divided": lambda frame, workers: 1000 / alone(frame).median() / workers,
    "per ms": lambda frame, workers: workers / alone(frame).median(),
    "a million": lambda frame, workers: workers * 1_000_000 / alone(frame).median(),
    "ms per page": lambda frame, workers: alone(frame).median() / workers,
    "s per page": lambda frame, workers: alone(frame).median() / workers / 1000,
    "wait": lambda frame, workers: alone(frame).median(),
    "mean": lambda frame, workers: workers * 1000 / alone(frame).mean(),
    "all rows": lambda frame, workers: workers * 1000 / frame["wait_ms"].median(),
    "mean of all": lambda frame, workers: workers * 1000 / frame["wait_ms"].mean(),
    "most callers": lambda frame, workers: workers * 1000 / frame[frame["callers"] > 1]["wait_ms"].median(),
    "p95": lambda frame, workers: workers * 1000 / alone(frame).quantile(0.95),
    "shortest": lambda frame, workers: workers * 1000 / frame["wait_ms"].min(),
    "measured": lambda frame, workers: frame["per_second"].max(),
    "measured, multiplied": lambda frame, workers: workers * frame["per_second"].max(),
    "rounded": lambda frame, workers: round(CAPACITIES["right"](frame, workers)),
    "whole": lambda frame, workers: int(CAPACITIES["right"](frame, workers)),
    "constant": lambda frame, workers: 10.0,
    "series": lambda frame, workers: workers * 1000 / alone(frame),
    "nothing": lambda frame, workers: None,
    "raises": lambda frame, workers: frame["waits"],
}


def test_a_capacity_passes(aws, capsys):
    checks.check("13.1", CAPACITIES["right"])
    assert "Exercise 13.1" in capsys.readouterr().out
    assert progress.solved() == {"13.1"}


def test_the_capacity_of_the_notebook_passes(aws):
    names: dict = {}
    exec(source.solved(exercises()[0]), names)
    checks.check("13.1", names["capacity"])


def test_the_starter_is_not_written_yet(aws):
    names: dict = {}
    [starter] = [made.starter() for made in notebooks.sources(settings.NOTEBOOKS) if made.name.startswith("13")]
    exec(next(cell.source for cell in starter.cells if cell.source.startswith("def capacity")), names)
    assert "capacity is not written yet" in refused("13.1", names["capacity"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("one worker", "what one worker serves; multiply"),
        ("divided", "you divided by `workers`"),
        ("per ms", "pages per millisecond"),
        ("a million", "not 1,000,000"),
        ("ms per page", "milliseconds per page; turn"),
        ("s per page", "seconds per page; turn"),
        ("wait", "that is the median wait"),
        ("mean", "the mean, which one slow request moves"),
        ("all rows", "they stood in line; keep the rows with one caller"),
        ("mean of all", "the mean of all rows"),
        ("most callers", "rows with most callers"),
        ("p95", "that is p95"),
        ("shortest", "the shortest wait"),
        ("measured", "measured with other workers"),
        ("measured, multiplied", "measured under load"),
        ("rounded", "it is rounded"),
        ("whole", "it is rounded"),
        ("constant", r"returned 10 where 35\.71 is right"),
        ("series", "returned a Series; return one number"),
        ("nothing", "returned a NoneType; return one number"),
        ("raises", "raised KeyError: 'waits'; call it yourself"),
    ],
)
def test_a_wrong_capacity_gets_its_sentence(answer, says, aws):
    text = refused("13.1", CAPACITIES[answer])
    assert re.search(says, text), text


def test_the_check_asks_for_the_function(aws):
    assert 'check("13.1", capacity)' in refused("13.1")


# 13.2


@pytest.fixture
def put(aws) -> Callable[..., None]:
    """Deploy a page with this text, and give it an address."""

    def put(code: str, address: bool = True) -> None:
        client, name = aws.client("lambda"), aws.name(rendering.CORNER)
        deploy(aws, name, {"app.py": code})
        if address:
            client.create_function_url_config(FunctionName=name, AuthType="NONE")

    return put


def sources() -> dict[str, str]:
    """careless_source and careful_source as the notebook has them."""
    names: dict[str, str] = {}
    exec(next(text for text in cells() if text.startswith("careless_source")).split("corner = ")[0], names)
    exec(source.solved(exercises()[1]), names)
    return names


def test_the_careful_page_of_the_notebook_passes(put, capsys):
    put(sources()["careful_source"])
    checks.check("13.2")
    assert "Exercise 13.2" in capsys.readouterr().out
    assert progress.solved() == {"13.2"}


CAREFUL = """
from html import escape

TEAS = {"1": "Sencha", "2": "Hojicha"}
HTML = {"content-type": "text/html"}


def handler(event, context):
    path = event["rawPath"]
    visitor = (event.get("queryStringParameters") or {}).get("visitor", "you")
    name = escape(visitor, quote=False)
    if path.startswith("/products/"):
        place = path.replace("products", "item")
        return {"statusCode": 302, "headers": {"location": place}, "body": ""}
    tea = TEAS.get(path[6:]) if path.startswith("/item/") else None
    if tea is None:
        return {"statusCode": 404, "headers": HTML, "body": f"<p>No {escape(path)}</p>"}
    return {"statusCode": 200, "headers": HTML, "body": f"<h1>{tea}</h1> for {name}"}
"""


def test_another_careful_page_passes(put):
    put(CAREFUL)
    checks.check("13.2")


def test_the_careless_page_of_the_notebook_is_refused(put):
    put(sources()["careless_source"])
    failed = "GET /item/9 was answered 502: the function failed with KeyError: '9'."
    assert f"{failed} There is no such page: answer 404" in refused("13.2")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('{"statusCode": 404', '{"statusCode": 200', r"/item/9 was answered 200, .* has to be 404"),
        ('{"statusCode": 404', '{"statusCode": 410', r"/item/9 was answered 410; .* it is 404"),
        ('{"statusCode": 404, "headers": HTML, "body": f"<p>No {escape(path)}</p>"}', '{"statusCode": 404}',
         "comes as application/json, and a browser would show the source"),
        ('f"<p>No {escape(path)}</p>"', '""', "has an empty body"),
        ("No {escape(path)}", "No {path}", "repeats the path unescaped"),
        ("TEAS.get(path[6:])", "TEAS[path[6:]]", "There is no such page: answer 404"),
        ("if tea is None", 'if path == "/item/9"', "GET /item/42 was answered 200, and there is no such page"),
        ('TEAS.get(path[6:]) if path.startswith("/item/") else None', "TEAS.get(path[6:], 'Sencha')",
         "was answered 200, and there is no such page"),
        ('{"statusCode": 302', '{"statusCode": 301', "remember for good; 302 is asked for"),
        ('{"statusCode": 302', '{"statusCode": 200', "was answered 200; the old address is sent on"),
        ('if path.startswith("/products/")', "if False", "/products/1 was answered 404; the old address"),
        ('"headers": {"location": place}, ', "", "no header Location"),
        ('path.replace("products", "item")', '"/"', "leads to '/'; its header Location has to be '/item/1'"),
        ('path.replace("products", "item")', '"/item/1"', "leads to '/item/1'; its header Location .* '/item/2'"),
        ("name = escape(visitor, quote=False)", "name = visitor", "into the page as they are"),
        ("name = escape(visitor, quote=False)", "name = escape(escape(visitor))", "escaped twice"),
        ("escape(visitor, quote=False)", 'visitor.replace("<", "&lt;").replace(">", "&gt;")',
         "has to become '&amp;' as well"),
        ("escape(visitor, quote=False)", '"".join(c for c in visitor if c not in "<>&")',
         "nothing of it may be left out"),
        ("escape(visitor, quote=False)", "escape('you')", "showed 'Ada-.*' before, and does no longer"),
        ("<h1>{tea}</h1>", "", "showed 'Sencha' before"),
        ('{"statusCode": 200', '{"statusCode": 201', "has to be answered 200 as before, and was 201"),
        ('200, "headers": HTML', "200", "/item/1 comes as application/json"),
        ("def handler", "def page", "was answered 502: the function failed with Runtime.HandlerNotFound"),
        ("from html import escape\n", "", "the function failed with NameError: name 'escape' is not defined"),
        ("def handler(event, context):", "def handler(event, context)", "failed with Runtime.UserCodeSyntaxError: "),
    ],
    ids=lambda text: text[:28],
)  # fmt: skip
def test_a_wrong_page_gets_its_sentence(old, new, says, put):
    assert CAREFUL.count(old) == 1
    put(CAREFUL.replace(old, new))
    text = refused("13.2")
    assert re.search(says, text), text


def test_an_absent_page_is_said(aws):
    assert f"There is no function {aws.name(rendering.CORNER)} yet" in refused("13.2")


def test_a_page_without_an_address_is_said(put):
    put(CAREFUL, address=False)
    assert "has no function URL; run the cell" in refused("13.2")


@pytest.mark.parametrize("number", ["13.1", "13.2"])
def test_hints_are_graded(number, aws, capsys):
    shown = []
    for _ in checks.EXERCISES[number].hints:
        checks.hint(number)
        shown.append(capsys.readouterr().out)
    assert len(set(shown)) == len(shown) >= 2
    assert "That was the last one" in shown[-1]
