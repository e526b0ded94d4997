"""A page that is served has one more address for whoever may read its file: for a browser that has lost its cookie."""

import http.server
import json
import re
import threading

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from helpers.commands import browser
from helpers.local_page import server
from helpers.local_page.access import ANOTHER, guarded
from helpers.local_page.server import another_address

NAME = "test page"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))


@pytest.fixture
def address(free_port):
    """A page that is served: the address that its command has printed."""
    listener, access = server.listen(NAME, "test", free_port())
    page = Starlette(routes=[Route("/", lambda request: PlainTextResponse("the page"))])
    with server.served(guarded(page, access), listener):
        yield server.address(access)


def opens(address: str) -> bool:
    """Whether a browser that knows nothing yet gets the page by an address."""
    with requests.Session() as session:
        session.trust_env = False
        session.get(address, timeout=30)
        return session.get(address.partition("enter?")[0], timeout=30).text == "the page"


def test_each_browser_gets_in_by_an_address_of_its_own(address):
    assert opens(address) and not opens(address)
    others = [another_address(NAME) for _ in range(2)]
    assert len({address, *others}) == 3 and all(map(opens, others))
    assert not any(map(opens, others)), "each is good once"


def test_who_has_lost_the_cookie_is_told_the_command_that_gives_one(address):
    answer = requests.get(address.partition("enter?")[0], timeout=30)
    assert answer.status_code == 403 and "python3 -m helpers test again, with --no-browser" in answer.text


@pytest.mark.parametrize("headers", [{}, {"Cookie": "test-page-1=x"}, {"Origin": "http://evil.example"}])
def test_without_the_cookie_there_is_none(address, headers):
    answer = requests.post(address.partition("/enter")[0] + ANOTHER, headers=headers, timeout=30)
    assert answer.status_code == 403


def test_a_page_of_another_site_gets_none_and_a_look_makes_none(address):
    base = address.partition("/enter")[0]
    with requests.Session() as session:
        session.trust_env = False
        session.get(address, timeout=30)
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
            assert session.post(base + ANOTHER, headers=headers, timeout=30).status_code == 403
        assert session.get(base + ANOTHER, timeout=30).status_code == 404


def test_a_page_that_is_not_served_has_none(free_port):
    assert another_address(NAME) is None
    listener, _ = server.listen(NAME, "test", free_port())
    listener.close()
    assert another_address(NAME) is None, "it was served once"


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"port": "1", "cookie": 1}', '{"port": 99999, "cookie": "é€\\n"}'])
def test_a_damaged_file_has_none(kept):
    server.state_file(NAME).write_text(kept, encoding="utf-8")
    assert another_address(NAME) is None


@pytest.mark.parametrize("said", [b"", b"hello", b"\xff" * 43, b"x" * 5000])
def test_another_program_at_its_port_gives_none(said):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        server.state_file(NAME).write_text(json.dumps({"port": other.server_port, "cookie": "x"}))
        assert another_address(NAME) is None
        other.shutdown()


def test_a_command_that_is_run_again_prints_it(address, capsys):
    assert browser.open_again(NAME, no_browser=True)
    told = capsys.readouterr()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]+\n", told.out) and opens(told.out.strip())
    assert "The test page is served already, as it was begun; Ctrl-C in its terminal ends it." in told.err
    assert not browser.open_again("other page", no_browser=True)
