"""Who gets in: whoever has the address, once, and then the cookie; no page of another site, nobody by another name."""

import json
import re
import stat

import pytest
import requests
from console_browser import Browser, Shown

from helpers.console import server
from helpers.console.page import Connection
from helpers.local_page import server as local_page


@pytest.fixture
def own(aws_of_module, free_port):
    """A console of the test's own, as its address is good for one time."""
    with server.serving(Connection(aws_of_module), free_port(), ("hub.example",)) as address:
        yield address


def base_of(address: str) -> str:
    return address.partition("/enter")[0]


def ask(address: str, path: str = "/", method: str = "GET", **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, base_of(address) + path, headers=headers, allow_redirects=False)


def test_without_the_cookie_nothing_is_shown(own):
    for path in ("/", "/create", "/alive", "/static/console.js", "/functions/x/code", "/nowhere"):
        answer = ask(own, path)
        assert answer.status_code == 403, path
        assert "python3 -m helpers console" in answer.text


def test_the_address_opens_it_once(own):
    first = ask(own, own.removeprefix(base_of(own)))
    assert first.status_code == 200
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path" not in cookie
    again = ask(own, own.removeprefix(base_of(own)))
    assert (again.status_code, again.headers.get("set-cookie")) == (403, None)


def test_the_address_still_leads_the_browser_in_that_it_has_let_in(own):
    first = ask(own, own.removeprefix(base_of(own)))
    again = ask(own, own.removeprefix(base_of(own)), Cookie=first.headers["set-cookie"].partition(";")[0])
    assert (again.status_code, again.headers.get("set-cookie")) == (200, None)


@pytest.mark.parametrize("token", ["", "?token=", "?token=guess", "?token=%FF"])
def test_another_token_opens_nothing(own, token):
    answer = ask(own, f"/enter{token}")
    assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None)


def test_a_token_is_old_after_a_while(own, monkeypatch):
    monkeypatch.setattr("helpers.local_page.access.time.monotonic", lambda: 1e9)
    assert ask(own, own.removeprefix(base_of(own))).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.evil.example"]
)
def test_another_name_is_refused(own, host):
    answer = ask(own, own.removeprefix(base_of(own)), Host=host)
    assert answer.status_code == 403
    assert host in answer.text
    assert "set-cookie" not in answer.headers


def test_a_name_that_was_allowed_is_answered(own):
    headers = {"Host": "hub.example", "Origin": "https://hub.example"}
    assert ask(own, own.removeprefix(base_of(own)), **headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(own, headers):
    browser = Browser(own)
    proof = Shown(browser.session.get(f"{browser.base}/create").text).values["proof"]
    data = {"proof": proof, "do": "create", "name": "from-elsewhere"}
    answer = browser.session.post(f"{browser.base}/create", data=data, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("proof", ["", "0" * 64, "é"])
def test_a_form_without_the_proof_changes_nothing(own, proof):
    browser = Browser(own)
    answer = browser.session.post(f"{browser.base}/create", data={"proof": proof, "do": "create", "name": "x"})
    assert answer.status_code == 403
    assert "load it again" in answer.text


def test_each_answer_has_the_headers_that_a_browser_needs(own):
    browser = Browser(own)
    for path in ("", "create", "static/console.js", "code.css", "nowhere", "alive"):
        headers = browser.session.get(f"{browser.base}/{path}").headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_no_page_needs_what_the_policy_forbids(own, aws_of_module):
    """No script and no style stands in a page, and all addresses are relative."""
    browser = Browser(own)
    for path in ("", "create", "inbox", "nowhere"):
        html = browser.session.get(f"{browser.base}/{path}").text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", html)
        found = re.findall(r'(?:href|src|action)="([^"]*)"', html)
        assert found and not [each for each in found if each.startswith(("/", "http"))]


def test_what_is_kept_is_the_owners_alone_and_lets_a_page_come_back(aws_of_module, free_port, embedded_home):
    port = free_port()
    with server.serving(Connection(aws_of_module), port) as address:
        browser = Browser(address)
    file = local_page.state_file("console")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["port"] == port
    with server.serving(Connection(aws_of_module)) as again:  # at the port of last time
        assert base_of(again) == browser.base
        assert "Functions" in browser.get("").text


def test_a_cookie_is_not_good_for_ever(aws_of_module, free_port, embedded_home):
    port = free_port()
    with server.serving(Connection(aws_of_module), port) as address:
        browser = Browser(address)
    file = local_page.state_file("console")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"until": 0}))
    with server.serving(Connection(aws_of_module), port):
        assert browser.session.get(browser.base).status_code == 403


def test_a_port_that_is_taken_is_one_sentence(own, aws_of_module):
    port = int(base_of(own).rpartition(":")[2])
    with pytest.raises(Exception, match=rf"Port {port} is taken; choose another with --port, or none\."):
        server.serving(Connection(aws_of_module), port).__enter__()
