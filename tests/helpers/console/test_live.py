"""The page Live: its WebSocket carries the messages of a Session, for whoever has the cookie."""

import asyncio
import contextlib
import json

import pytest
import websocket
from console_browser import Browser
from localaws_client import THIS_PYTHON, eventually

from helpers import localaws
from helpers.console import live_socket, page, server
from helpers.console.actions import functions
from helpers.console.cells import Written
from helpers.watch import static_files

HANDLER = "def handler(event, context):\n    return event\n"


@pytest.fixture(scope="module")
def function(aws_of_module):
    name = aws_of_module.name("live")
    archive = Written.files({"app.py": HANDLER}).value
    functions.create_function(aws_of_module, name, THIS_PYTHON, "app.handler", aws_of_module.role(), archive)
    return name


def opened(browser, query: str = "", **options) -> websocket.WebSocket:
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.session.cookies)
    address = f"ws{browser.base.removeprefix('http')}/live-socket{query}"
    return websocket.create_connection(
        address, **{"cookie": cookies, "timeout": 30, "suppress_origin": True, **options}
    )


def until(socket: websocket.WebSocket, fits) -> dict:
    while True:
        message = json.loads(socket.recv())
        if fits(message):
            return message


def test_the_page_brings_all_that_the_picture_needs(browser, function):
    shown = browser.session.get(f"{browser.base}/live").text
    assert 'data-part="environments"' in shown
    for file in ("watch.js", *static_files.MODULES.values(), *static_files.STYLES):
        answer = browser.session.get(f"{browser.base}/watch/{file}")
        assert answer.status_code == 200 and answer.text == static_files.read(file)
    assert "watch(workshop, *functions)" in browser.get("live", function=function).cells[1]


@pytest.mark.parametrize(
    "options",
    [{"cookie": ""}, {"cookie": "console=guess"}, {"suppress_origin": False, "origin": "http://evil.example"}],
)
def test_nobody_else_gets_the_socket(browser, options):
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        opened(browser, **options)


def test_an_invocation_is_seen(browser, function, aws_of_module):
    socket = opened(browser, f"?function={function}")
    until(socket, lambda message: message["type"] == "environments")
    aws_of_module.client("lambda").invoke(FunctionName=function, Payload="{}")
    kinds = set()

    def seen(message):
        kinds.update(each["kind"] for each in message.get("events", []) if each["function"] == function)
        return {"environment.busy", "environment.idle"} <= kinds

    until(socket, seen)
    socket.close()


def test_the_system_is_told_when_it_is_looked_at(browser, function):
    socket = opened(browser)
    socket.send(json.dumps({"type": "look", "part": "system"}))
    system = until(socket, lambda message: message["type"] == "system" and message["nodes"])
    assert function in [each["name"] for each in system["nodes"]]
    socket.close()


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", "7", '{"type": "look"}', '{"type": "fault", "id": "x", "of": 1}']
)
def test_what_a_page_says_wrong_is_let_pass(browser, function, text):
    socket = opened(browser)
    socket.send(text)
    socket.send(json.dumps({"type": "look", "part": "environments"}))
    until(socket, lambda message: message["type"] == "environments")
    socket.close()


def test_its_session_ends_with_the_page(browser, function, monkeypatch):
    closed = []
    real = live_socket.Session.close
    monkeypatch.setattr(live_socket.Session, "close", lambda session: (closed.append(session), real(session)))
    socket = opened(browser)
    until(socket, lambda message: message["type"] == "environments")
    socket.close()
    eventually(lambda: closed)


def test_a_page_that_takes_nothing_is_let_go(monkeypatch):
    monkeypatch.setattr(live_socket, "WAITING", 3)

    async def fill():
        outgoing = live_socket._Outgoing()
        for number in range(5):
            outgoing.put({"n": number})
        await asyncio.sleep(0)
        return outgoing.is_full, await outgoing.next()

    assert asyncio.run(fill()) == (True, None)


def test_without_an_embedded_aws_the_page_is_told_and_let_go(browser, monkeypatch):
    monkeypatch.setattr(localaws, "running", lambda home: None)
    socket = opened(browser)
    message = json.loads(socket.recv())
    assert message["connected"] is False
    assert message["sentence"].startswith("No embedded AWS runs;")
    assert _ends(socket)
    answer = browser.session.get(f"{browser.base}/")
    assert answer.status_code == 503
    assert "No embedded AWS runs;" in answer.text and 'http-equiv="refresh"' in answer.text
    monkeypatch.undo()
    assert "Functions" in browser.get("").text, "it comes back"


def _ends(socket) -> bool:
    """Whether nothing more comes: the other end is closed, and may be gone before it hears that we know."""
    with contextlib.suppress(OSError):
        return socket.recv() == ""
    return True


def test_what_a_page_has_broken_is_undone_when_the_console_ends(aws_of_module, free_port, function):
    """A function that is held at zero runs again, also where Ctrl-C came before the page had left."""
    client = aws_of_module.client("lambda")

    def reserved() -> int | None:
        return client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions")

    with server.serving(page.Connection(aws_of_module), free_port()) as address:
        socket = opened(Browser(address), f"?function={function}")
        socket.send(json.dumps({"type": "look", "part": "system"}))
        told = until(socket, lambda message: message["type"] == "faults" and message["faults"])
        [hold] = [each for each in told["faults"] if each["id"] == "hold" and each["of"].endswith(f":{function}")]
        socket.send(json.dumps({"type": "fault", "id": hold["id"], "of": hold["of"], "on": True}))
        until(socket, lambda message: message["type"] == "done")
        assert reserved() == 0
    assert reserved() is None
