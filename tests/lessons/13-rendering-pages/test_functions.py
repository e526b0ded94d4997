"""The functions of notebook 13, each on its own: called here with events of events/; and the server beside them."""

import base64
import gzip
import html
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest
import requests

from helpers import load_event
from helpers.lessons import function_folder

PAGES = function_folder("render-page")
CONTEXT = SimpleNamespace(aws_request_id="an-id")


@pytest.fixture(scope="module")
def pages() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(PAGES / "python"))
        yield load(PAGES / "python/app.py")
    sys.modules.pop("page", None)  # another function may have a module of this name


@pytest.fixture(scope="module")
def answers() -> ModuleType:
    return load(function_folder("render-page-answers") / "python/app.py")


def load(path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.parts[-3].replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("event", ["function-url", "http-api"])
def test_both_kinds_of_event_get_the_list(pages, event):
    answer = pages.handler(load_event(event, rawPath="/"), CONTEXT)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert answer["headers"]["X-Request-Id"] == "an-id"
    assert answer["body"].count('<a href="/item/') == 4


def test_an_item_has_its_name_and_price(pages):
    answer = pages.handler(load_event("http-api", rawPath="/item/4"), CONTEXT)
    assert answer["statusCode"] == 200 and "<h1>Matcha</h1>" in answer["body"] and "950 yen" in answer["body"]


@pytest.mark.parametrize("path", ["/item/9", "/item/", "/static/site.css", "/<script>", "/item/<script>"])
def test_other_paths_are_not_found_and_not_repeated(pages, path):
    answer = pages.handler(load_event("function-url", rawPath=path), CONTEXT)
    assert answer["statusCode"] == 404 and "No such page" in answer["body"] and "<script>" not in answer["body"]


def test_a_visitor_is_escaped(pages):
    name = "<script>alert('Ada & \"Tom\"')</script>"
    event = load_event("function-url", rawPath="/", queryStringParameters={"visitor": name})
    body = pages.handler(event, CONTEXT)["body"]
    assert "<script>" not in body and html.escape(name) in body


def test_a_request_without_a_query_is_answered(pages):
    event = load_event("function-url", rawPath="/")
    del event["queryStringParameters"]
    assert "Chosen for you:" in pages.handler(event, CONTEXT)["body"]


def test_links_to_static_files_are_taken_from_the_environment(pages, monkeypatch):
    monkeypatch.setenv("STYLE", "https://bucket.example/site.css?a=1&b=2")
    body = pages.handler(load_event("function-url", rawPath="/"), CONTEXT)["body"]
    assert 'href="https://bucket.example/site.css?a=1&amp;b=2"' in body and 'src="/static/logo.svg"' in body


def test_visits_are_counted_in_a_cookie(answers):
    event = load_event("http-api", rawPath="/visits")
    first = answers.handler(event, CONTEXT)
    assert first["body"] == "This is visit 1." and first["cookies"][0].startswith("visits=1;")
    again = answers.handler(event | {"cookies": ["other=x", "visits=6"]}, CONTEXT)
    assert again["body"] == "This is visit 7." and again["cookies"][0].startswith("visits=7;")


def test_a_compressed_page_travels_in_base64(answers):
    answer = answers.handler(load_event("http-api", rawPath="/zipped"), CONTEXT)
    assert answer["isBase64Encoded"] is True and answer["headers"]["Content-Encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(answer["body"])).decode() == answers.LONG_PAGE


def test_any_other_path_gets_its_event_back(answers):
    event = load_event("http-api", rawPath="/event/7")
    assert answers.handler(event, CONTEXT) == event


# the server


def start(workers: int) -> tuple[subprocess.Popen, str]:
    process = subprocess.Popen(
        [sys.executable, str(PAGES / "server/server.py"), str(workers)],
        env=os.environ | {"PYTHONPATH": str(PAGES / "python")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen, str]]:
    process, url = start(2)
    yield process, url
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("path", ["/", "/item/2", "/item/9"])
def test_the_server_sends_the_same_pages(server, pages, path):
    _, url = server
    with requests.Session() as http:
        http.trust_env = False
        answer = http.get(url + path)
    expected = pages.handler(load_event("function-url", rawPath=path, queryStringParameters={}), CONTEXT)
    assert (answer.status_code, answer.text) == (expected["statusCode"], expected["body"])
    assert answer.headers["Content-Type"] == expected["headers"]["Content-Type"]


def test_the_server_ends_with_the_process_that_started_it(server):
    process, _ = server
    process.stdin.close()
    assert process.wait(30) == 0
