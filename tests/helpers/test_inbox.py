"""The inbox answers as Slack does and keeps what it receives; its URL does not show itself."""

import asyncio
import copy
import datetime
import json
import os
import pickle
import re
import stat
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
import requests
from botocore.exceptions import ClientError
from localaws_client import eventually

from helpers import deploy, localaws, package, settings
from helpers import inbox as inbox_module
from helpers.authoring.execution import execute
from helpers.connect import ConnectError, connect
from helpers.exercises import NotSolved
from helpers.inbox import Inbox, InboxError, Message, open_inbox
from helpers.localaws import certificate
from helpers.localaws import slack_stand_in as server_side
from helpers.webhook import WebhookUrl, hide

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
SLACK = "https://hooks.slack.com/services/T0AAAA/B0BBBB/" + "c" * 24
FIELDS = {"by", "time", "text", "content_type", "bytes", "status", "answer"}


@pytest.fixture
def inbox(aws, monkeypatch) -> Iterator[Inbox]:
    monkeypatch.delenv("WORKSHOP_SLACK_WEBHOOK_URL", raising=False)
    inbox = open_inbox(aws)
    yield inbox
    inbox.fail_next(0)


@pytest.fixture
def since() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def post(url: str, body: bytes | str | dict, content_type: str = JSON) -> requests.Response:
    data = json.dumps(body) if isinstance(body, dict) else body
    data = data.encode() if isinstance(data, str) else data
    headers = {"Content-Type": content_type} if content_type else {}
    return requests.post(WebhookUrl(url).reveal(), data, headers=headers, timeout=30)


# What Slack answers


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (JSON, b'{"text": "hi"}', (200, "ok", "hi")),
        ("application/json; charset=utf-8", '{"text": "日本 🎉"}'.encode(), (200, "ok", "日本 🎉")),
        (JSON, b'{"text": "\\ud83c\\udf89"}', (200, "ok", "🎉")),
        (JSON, b'{"text": "half \\ud83c"}', (200, "ok", "half �")),
        (FORM, b'{"text": "hi"}', (200, "ok", "hi")),  # as curl -d sends it
        ("", b'{"text": "hi"}', (200, "ok", "hi")),
        ("text/plain", b'{"text": "hi"}', (200, "ok", "hi")),
        (FORM, b"payload=%7B%22text%22%3A+%22a+b%22%7D", (200, "ok", "a b")),
        (JSON, b"payload=%7B%22text%22%3A+%22a+b%22%7D", (400, "invalid_payload", "")),
        (FORM, b"payload=hi", (400, "invalid_payload", "")),
        (FORM, b"payload=", (400, "invalid_payload", "")),
        (FORM, b"text=hi", (400, "invalid_payload", "")),
        (JSON, b"hi", (400, "invalid_payload", "")),
        (JSON, b"", (400, "invalid_payload", "")),
        (JSON, b"[]", (400, "invalid_payload", "")),
        (JSON, b'"hi"', (400, "invalid_payload", "")),
        (JSON, b"null", (400, "invalid_payload", "")),
        (JSON, b'{"text": "\xff"}', (400, "invalid_payload", "")),
        (JSON, b"[" * 100_000, (400, "invalid_payload", "")),
        (JSON, b'{"text": 5}', (400, "invalid_payload", "")),
        (JSON, b"{}", (400, "no_text", "")),
        (JSON, b'{"txt": "hi"}', (400, "no_text", "")),
        (JSON, b'{"text": ""}', (400, "no_text", "")),
        (JSON, b'{"text": " \\n"}', (400, "no_text", "")),
        (JSON, b'{"text": null}', (400, "no_text", "")),
        (JSON, b'{"blocks": [{"type": "divider"}]}', (200, "ok", "")),
        (JSON, b'{"blocks": []}', (400, "no_text", "")),
    ],
)
def test_judge(content_type, body, expected):
    assert server_side.judge(content_type, body) == expected


def test_a_message_is_answered_and_kept(inbox, since):
    answer = post(inbox.webhook_url, {"text": "hello 🎉"})
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (200, "ok", "text/html")
    [message] = inbox.messages(since)
    assert message == Message(message.time, "hello 🎉", JSON, "ok", 200)
    assert since < message.time < datetime.datetime.now(datetime.UTC)
    assert inbox.refused(since) == []


@pytest.mark.parametrize(
    ("ending", "status", "answer"), [("/more", 404, "no_service"), ("?query=1", 200, "ok"), ("/", 404, "no_service")]
)
def test_an_address_beside_it(inbox, since, ending, status, answer):
    found = post(inbox.webhook_url + ending, {"text": "hi"})
    assert (found.status_code, found.text) == (status, answer)
    assert len(inbox.messages(since)) == (status == 200)


def test_a_wrong_token_and_a_path_of_somebody_else(inbox, since):
    base, _, token = inbox.webhook_url.rpartition("/")
    for url, status, answer in (
        (f"{base}/{token[:-1]}", 403, "invalid_token"),
        (f"{base}/{token.swapcase()}", 403, "invalid_token"),
        (inbox.webhook_url.partition("/services")[0] + "/", 404, "no_service"),
        (inbox.webhook_url.partition("/services")[0] + "/services/T0AAAA/B0BBBB/cccc", 404, "no_service"),
    ):
        found = post(url, {"text": "hi"})
        assert (found.status_code, found.text) == (status, answer)
    assert inbox.messages(since) == []
    assert [each.answer for each in inbox.refused(since)] == ["invalid_token"] * 2 + ["no_service"] * 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_other_methods_are_refused(inbox, since, method):
    answer = requests.request(method, inbox.webhook_url.reveal(), timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert inbox.messages(since) == inbox.refused(since) == []


def test_a_refused_post_is_kept_with_its_answer_and_without_its_content(inbox, since):
    post(inbox.webhook_url, "not JSON", "text/plain")
    post(inbox.webhook_url, {})
    assert inbox.messages(since) == []
    first, second = inbox.refused(since)
    assert first == Message(first.time, "", "text/plain", "invalid_payload", 400)
    assert second == Message(second.time, "", JSON, "no_text", 400)


def test_a_text_is_cut_as_slack_cuts_it_and_a_body_has_an_end(inbox, since):
    assert post(inbox.webhook_url, {"text": "x" * 40_001}).status_code == 200
    assert post(inbox.webhook_url, {"text": "x" * 2**20}).status_code == 413
    [message] = inbox.messages(since)
    assert message.text == "x" * 40_000


def test_fifty_posts_at_once(inbox, since):
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda n: post(inbox.webhook_url, {"text": str(n)}), range(50)))
    assert {answer.text for answer in answers} == {"ok"}
    assert sorted(int(message.text) for message in inbox.messages(since)) == list(range(50))
    times = [message.time for message in inbox.messages(since)]
    assert times == sorted(times)


# By https: tests/localaws/data_plane/test_trust.py has what functions do


@pytest.fixture
def https_url(inbox, needs) -> WebhookUrl:
    needs("openssl")
    return inbox.https_webhook_url


def test_its_address_by_https_is_a_secret_too(inbox, https_url, embedded_aws):
    assert https_url.reveal() == embedded_aws.inbox_https_url != inbox.webhook_url.reveal()
    assert https_url.startswith("https://127.0.0.1:") and urlsplit(https_url).path == urlsplit(inbox.webhook_url).path
    assert repr(https_url) == "'https://127.0.0.1:…(hidden)'"
    assert isinstance(hide({"URL": https_url.reveal()})["URL"], WebhookUrl)
    assert https_url.rpartition("/")[2] not in repr(embedded_aws)


def test_it_is_the_same_inbox(inbox, https_url, since, embedded_home):
    trusted = str(embedded_home / certificate.CERTIFICATE_FILE)
    answers = [
        requests.post(url, body, timeout=30, verify=trusted)
        for url, body in (
            (https_url.reveal(), '{"text": "by https"}'),
            (https_url.reveal(), "{}"),
            (https_url.reveal() + "x", '{"text": "by https"}'),
        )
    ]
    expected = [(200, "ok"), (400, "no_text"), (403, "invalid_token")]
    assert [(answer.status_code, answer.text) for answer in answers] == expected
    assert [message.text for message in inbox.messages(since)] == ["by https"]


def test_who_does_not_trust_it_posts_nothing(inbox, https_url, since):
    with pytest.raises(requests.exceptions.SSLError):
        post(https_url, {"text": "lost"})
    with pytest.raises(requests.exceptions.ConnectionError):
        post("http" + https_url.reveal().removeprefix("https"), {"text": "lost"})
    assert inbox.messages(since) == inbox.refused(since) == []


def test_without_a_certificate_there_is_no_address_by_https():
    none = Inbox(WebhookUrl("http://127.0.0.1:1/services/T0/B0/x"), file=Path("any"))
    with pytest.raises(InboxError, match=r"by http alone, .* no openssl .*; install it, .*\.$"):
        _ = none.https_webhook_url


# Its control address


def test_the_control_address_tells_the_count(inbox, embedded_aws):
    assert inbox.webhook_url.reveal() == embedded_aws.inbox_url
    before = requests.get(embedded_aws.inbox_url + "/control", timeout=30).json()
    post(inbox.webhook_url, {"text": "one"})
    post(inbox.webhook_url, {})
    after = requests.get(embedded_aws.inbox_url + "/control", timeout=30).json()
    assert after == before | {"messages": before["messages"] + 1}


def test_the_control_address_is_as_secret_as_the_webhook(embedded_aws):
    for path in ("/control", "/services/T0/B0/x/control", "/_localaws/inbox"):
        address = embedded_aws.inbox_url.partition("/services")[0] + path
        assert requests.get(address, timeout=30).status_code == 405  # what every address answers that is no webhook
        assert requests.post(address, '{"fail": 1}', timeout=30).text == "no_service"
        assert requests.get(embedded_aws.url + path, timeout=30).status_code in (403, 404)


def test_the_next_posts_can_fail(inbox, since):
    inbox.fail_next(2)
    answers = [post(inbox.webhook_url, {"text": str(n)}) for n in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [
        (500, "rollup_error"),
        (500, "rollup_error"),
        (200, "ok"),
    ]
    assert [message.text for message in inbox.messages(since)] == ["2"]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, None, "no_service"),
        (410, None, "channel_is_archived"),
        (503, None, "error"),
        (500, "mine", "mine"),
        (500, "ok", "ok"),
    ],
)
def test_they_fail_with_any_status_and_body(inbox, since, status, body, expected):
    inbox.fail_next(1, status, body)
    answer = post(inbox.webhook_url, {"text": "lost"})
    assert (answer.status_code, answer.text) == (status, expected)
    assert inbox.messages(since) == []
    assert len(inbox.refused(since)) == 1


def test_they_fail_as_slack_does_when_there_are_too_many(inbox):
    inbox.fail_next(1, 429)
    answer = post(inbox.webhook_url, {"text": "lost"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.json()["error"] == "rate_limited"


def test_the_answers_to_the_next_posts_can_be_slow_and_the_messages_are_there_at_once(inbox, since):
    inbox.slow_next(1, 30)
    with pytest.raises(requests.Timeout):
        requests.post(inbox.webhook_url.reveal(), json={"text": "slow"}, timeout=5)
    assert requests.post(inbox.webhook_url.reveal(), json={"text": "fast"}, timeout=30).text == "ok"
    assert [message.text for message in inbox.messages(since)] == ["slow", "fast"]
    inbox.slow_next(1, 30)
    inbox.slow_next(0, 0)
    assert requests.post(inbox.webhook_url.reveal(), json={"text": "fast again"}, timeout=29).text == "ok"


@pytest.mark.parametrize("order", [b"", b"[]", b"{}", b'{"fail": "many"}', b'{"slow": 1}', b'{"fail": null}'])
def test_an_order_that_is_not_understood_shows_how_it_is_done(embedded_aws, order):
    answer = requests.post(embedded_aws.inbox_url + "/control", order, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith('Send {"fail": n,')


@pytest.mark.parametrize("arguments", [(-1,), (1, 200), (1, 600)])
def test_a_failure_out_of_range_is_one_sentence(inbox, arguments):
    with pytest.raises(InboxError, match=r"^A count is 0 or more, .* 60 seconds\.$"):
        inbox.fail_next(*arguments)


# What is kept, on disk


SOUND = {"time": "2026-11-20T09:00:00+00:00", "text": "hello", "content_type": "", "answer": "ok", "status": 200}
ODD = [
    b"\xff\xfe",
    b"3",
    b"[]",
    b"null",
    b"[" * 100_000,
    *(json.dumps({**SOUND, name: None}).encode() for name in SOUND),
    json.dumps({**SOUND, "time": "yesterday"}).encode(),
    json.dumps({**SOUND, "time": "2026-11-20"}).encode(),
]


@pytest.mark.parametrize("line", ODD, ids=lambda line: line[:90].decode(errors="replace"))
def test_a_line_that_is_no_post_is_passed_over(tmp_path, line):
    (tmp_path / "inbox.jsonl").write_bytes(line + b"\n" + json.dumps(SOUND).encode() + b"\n")
    assert server_side.read_posts(tmp_path / "inbox.jsonl") == [SOUND]


def deliver(inbox: server_side.SlackStandIn, text: str) -> None:
    """Post to the application itself, without a server."""

    async def receive():
        return {"type": "http.request", "body": json.dumps({"text": text}).encode(), "more_body": False}

    async def send(message):
        return None

    scope = {"type": "http", "method": "POST", "path": inbox.path, "headers": []}
    asyncio.run(inbox(scope, receive, send))


@pytest.fixture
def open_server_side(tmp_path) -> Iterator:
    """Make inboxes of one home, one after the other, as one server after the other does."""
    made = []

    def make(https: bool = False) -> server_side.SlackStandIn:
        for earlier in made:
            close(earlier)
        made.append(server_side.SlackStandIn(tmp_path, https))
        return made[-1]

    yield make
    for inbox in made:
        close(inbox)


def close(inbox: server_side.SlackStandIn) -> None:
    inbox.listener.close()
    if inbox.https_listener:
        inbox.https_listener.close()


def texts(home: Path) -> list[str]:
    return [post["text"] for post in server_side.read_posts(home / server_side.MESSAGES_FILE)]


def test_the_last_messages_are_kept_and_the_file_does_not_grow(open_server_side, tmp_path, monkeypatch):
    monkeypatch.setattr(server_side, "MAX_MESSAGES", 5)
    inbox = open_server_side()
    for number in range(23):
        deliver(inbox, str(number))
        assert texts(tmp_path) == [str(n) for n in range(max(0, number - 4), number + 1)]
        assert len((tmp_path / "inbox.jsonl").read_text().splitlines()) <= 10
    assert len(texts(tmp_path)) == 5


def test_a_restart_keeps_url_and_messages(open_server_side, tmp_path):
    first = open_server_side()
    deliver(first, "kept")
    second = open_server_side()
    assert second.url == first.url
    deliver(second, "new")
    assert texts(tmp_path) == ["kept", "new"]


def test_a_restart_keeps_the_address_by_https(open_server_side):
    assert open_server_side().https_url == ""
    first = open_server_side(https=True)
    assert open_server_side(https=True).https_url == first.https_url != ""
    assert open_server_side().url == first.url


def test_a_line_that_was_not_finished_is_dropped(open_server_side, tmp_path):
    deliver(open_server_side(), "kept")
    with (tmp_path / "inbox.jsonl").open("a") as file:
        file.write('{"time": "2026-')
    assert texts(tmp_path) == ["kept"]
    deliver(open_server_side(), "new")
    assert texts(tmp_path) == ["kept", "new"]


def test_another_port_when_its_own_is_taken(tmp_path):
    first = server_side.SlackStandIn(tmp_path)
    second = server_side.SlackStandIn(tmp_path)  # while the first still listens
    with first.listener, second.listener:
        assert second.path == first.path
        assert second.url != first.url


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"port": 1, "path": "/x"}', '{"port": "x", "path": 1}'),
        json.dumps({"port": 5000, "path": "/services/TA/BA/" + "x" * 24, "https_port": []}),
        json.dumps({"port": 5000, "path": "/services/TA/BA/" + "x" * 24, "https_port": 1}),
    ],
)
def test_an_address_that_cannot_be_read_is_made_anew(tmp_path, content):
    (tmp_path / server_side.ADDRESS_FILE).write_text(content)
    with server_side.SlackStandIn(tmp_path).listener as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        path = json.loads((tmp_path / server_side.ADDRESS_FILE).read_text())["path"]
        assert path.startswith("/services/T") and not path.endswith("x" * 24)


def test_a_path_looks_like_slack_s_and_is_another_in_every_home(tmp_path):
    paths = set()
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        inbox = server_side.SlackStandIn(tmp_path / str(number))
        inbox.listener.close()
        paths.add(inbox.path)
    assert len(paths) == 5
    for path in paths:
        assert re.fullmatch(r"/services/T[A-Z0-9]{10}/B[A-Z0-9]{10}/[A-Za-z0-9]{24}", path)


@pytest.fixture
def own_home(tmp_path, free_port) -> Iterator[tuple[Path, int]]:
    """A home and a port for an embedded AWS of the test's own, which is stopped at its end."""
    home = tmp_path / "home"
    yield home, free_port()
    localaws.stop(home)


def test_a_server_that_restarts_or_is_killed_keeps_url_and_messages(own_home):
    home, port = own_home
    endpoint = localaws.start(home, port)
    assert post(endpoint.inbox_url, {"text": "first"}).text == "ok"
    assert localaws.stop(home)
    again = localaws.start(home, port)
    assert (again.inbox_url, again.inbox_https_url) == (endpoint.inbox_url, endpoint.inbox_https_url)
    assert post(again.inbox_url, {"text": "second"}).text == "ok"
    os.kill(again.pid, 9)
    eventually(lambda: localaws.running(home) is None)
    last = localaws.start(home, port)
    assert last.inbox_url == endpoint.inbox_url
    assert texts(home) == ["first", "second"]


def test_the_files_of_a_home_keep_the_secret(inbox, embedded_home):
    post(inbox.webhook_url, {"text": "hi"})
    secret = inbox.webhook_url.rpartition("/")[2]
    private = {localaws.STATE_FILE, server_side.ADDRESS_FILE}
    for file in (file for file in embedded_home.iterdir() if file.is_file()):
        if secret in file.read_text():
            assert file.name in private
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for line in (embedded_home / server_side.MESSAGES_FILE).read_text().splitlines():
        assert set(json.loads(line)) == FIELDS
    assert secret not in repr(localaws.running(embedded_home))


def test_where_openssl_is_missing_it_is_there_by_http_alone(own_home, tmp_path, monkeypatch):
    home, port = own_home
    monkeypatch.setenv("PATH", str(tmp_path))
    endpoint = localaws.start(home, port)
    assert endpoint.inbox_https_url == "" and not (home / certificate.KEY_FILE).exists()
    assert post(endpoint.inbox_url, {"text": "by http"}).text == "ok"
    assert texts(home) == ["by http"]


def test_messages_outlive_the_process_that_reads_them(inbox, since, embedded_home, embedded_aws):
    """One process posts, and another, as a kernel that was restarted, reads."""
    code = (
        "import sys, requests\nfrom helpers import open_inbox\ninbox = open_inbox()\n"
        "requests.post(inbox.webhook_url.reveal(), json={'text': sys.argv[1]}, timeout=30)\n"
        "print([message.text for message in inbox.messages()][-2:])\n"
    )
    said = []
    for text in ("from one", "from another"):
        command = [sys.executable, "-c", code, text]
        done = subprocess.run(command, cwd=settings.ROOT, capture_output=True, text=True, check=True)
        said.append(done.stdout.strip())
    assert said[1] == "['from one', 'from another']"
    assert [message.text for message in inbox.messages(since)] == ["from one", "from another"]


# Posting


def test_post_gives_status_and_body_whatever_they_are(inbox, since):
    assert inbox.post({"text": "hello 日本"}) == (200, "ok")
    assert inbox.post({"txet": "hello"}) == (400, "no_text")
    inbox.fail_next(1, 503, "mine")
    assert inbox.post({"text": "lost"}) == (503, "mine")
    assert [(each.text, each.content_type) for each in inbox.messages(since)] == [("hello 日本", JSON)]


def test_post_goes_past_a_proxy_to_the_inbox(inbox, free_port, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert inbox.post({"text": "direct"}) == (200, "ok")


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "http://127.0.0.1:port", "http://127.0.0.1:{port}/é"])
def test_a_webhook_that_cannot_be_reached_is_one_sentence_without_its_url(address, free_port, monkeypatch):
    url = address.format(port=free_port()) + "/services/T0AAAA/B0BBBB/" + "c" * 24
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", url)
    with pytest.raises(InboxError, match=r"^The webhook cannot be reached; is the address right") as caught:
        open_inbox().post({"text": "hello"})
    assert caught.value.__suppress_context__ and "c" * 24 not in str(caught.value)


# The URL is a secret


def test_a_webhook_url_does_not_show_itself():
    url = WebhookUrl(SLACK)
    masked = "https://hooks.slack.com/…(hidden)"
    assert str(url) == f"{url}" == "{}".format(url) == "%s" % url == masked  # noqa: UP031, UP032
    assert repr(url) == f"{url!r}" == repr(masked)
    assert f"{url:>40}" == masked.rjust(40)
    for around in ([url], {"WEBHOOK_URL": url}, Inbox(url), types.SimpleNamespace(url=url), WebhookUrl(url)):
        assert "…(hidden)" in f"{around} {around!r}" and "services" not in f"{around} {around!r}"
    assert str(WebhookUrl("http://127.0.0.1:40123/services/T1/B1/secret")) == "http://127.0.0.1:…(hidden)"


def test_a_webhook_url_is_the_text_that_it_is():
    url = WebhookUrl(SLACK)
    assert url == SLACK and hash(url) == hash(SLACK) and isinstance(url, str)
    assert url.reveal() == WebhookUrl(url).reveal() == SLACK and type(url.reveal()) is str
    assert json.dumps({"WEBHOOK_URL": url}) == json.dumps({"WEBHOOK_URL": SLACK})
    assert url + "" == SLACK and url.startswith("https://")
    assert copy.copy(url) is copy.deepcopy([url])[0] is url


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_webhook_url_is_not_pickled(protocol):
    with pytest.raises(TypeError, match=r"is not pickled; call open_inbox\(\)"):
        pickle.dumps({"url": WebhookUrl(SLACK)}, protocol)


def test_hide_finds_webhook_urls_at_any_depth_and_nothing_else():
    value = {"a": [{"b": SLACK}, "https://example.com/services/x"], "c": f"see {SLACK}", "d": 1, "e": None}
    assert hide(value) is value
    assert isinstance(value["a"][0]["b"], WebhookUrl)
    assert type(value["a"][1]) is type(value["c"]) is str


OTHER_SHAPE = "https://chat.example.com/hooks/" + "d" * 26


@pytest.mark.parametrize("url", [OTHER_SHAPE, OTHER_SHAPE + "/", OTHER_SHAPE + "?channel=a"])
def test_a_webhook_of_another_shape_is_hidden_too(monkeypatch, url):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", url)
    value = hide({"Variables": {"WEBHOOK_URL": url, "OTHER": url + "x", "SLACK": SLACK}})["Variables"]
    assert "d" * 26 not in f"{value['WEBHOOK_URL']}" and value["WEBHOOK_URL"] == url
    assert type(value["OTHER"]) is str and isinstance(value["SLACK"], WebhookUrl)
    assert str(NotSolved(f"It returned {url}.")) == "It returned https://chat.example.com/…(hidden)."


def test_a_webhook_that_is_no_url_hides_nothing_and_stops_nothing(monkeypatch):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", "secret")
    assert isinstance(hide([SLACK])[0], WebhookUrl)


def test_an_error_that_repeats_the_variables_does_not_show_it(aws, inbox):
    """Lambda writes variables of more than 4 KB into its answer."""
    variables = {"Variables": {"WEBHOOK_URL": inbox.webhook_url, "LONG": "x" * 4096}}
    code = {"ZipFile": package({"app.py": ""})}
    create = {"FunctionName": aws.name("tested-inbox"), "Runtime": "python3.13", "Handler": "app.handler"}
    with pytest.raises(ClientError, match="exceeded the 4KB limit") as caught:
        aws.client("lambda").create_function(**create, Role=aws.role(), Code=code, Environment=variables)
    assert inbox.webhook_url.reveal().rpartition("/")[2] not in str(caught.value)
    assert '{"WEBHOOK_URL":"http://127.0.0.1:' in str(caught.value) and "/…(hidden)" in str(caught.value)


def test_boto3_takes_the_url_and_its_answers_do_not_show_it(aws, inbox):
    client, name = aws.client("lambda"), aws.name("tested-inbox")
    variables = {"Variables": {"WEBHOOK_URL": inbox.webhook_url}}
    try:
        answers = [
            deploy(aws, name, {"app.py": "handler = dict\n"}, Environment=variables),
            client.update_function_configuration(FunctionName=name, Environment=variables),
            client.get_function_configuration(FunctionName=name),
            client.get_function(FunctionName=name),
            client.list_functions(),
        ]
        assert answers[2]["Environment"]["Variables"]["WEBHOOK_URL"] == inbox.webhook_url.reveal()
        for answer in answers:
            assert "WEBHOOK_URL" in str(answer)
            assert "/services/" not in str(answer)
        ledger = settings.home() / "ledger.jsonl"
        assert "/services/" not in ledger.read_text()
    finally:
        client.delete_function(FunctionName=name)


# Reading


def test_waiting_ends_when_the_messages_are_there(inbox, since):
    later = threading.Timer(0.3, post, [inbox.webhook_url, {"text": "late"}])
    later.start()
    assert [message.text for message in inbox.wait(1, since)] == ["late"]
    later.join()


def test_waiting_in_vain_is_one_sentence(inbox, since):
    post(inbox.webhook_url, {"text": "one"})
    with pytest.raises(InboxError, match=r"^Within 0.1 s the inbox received 1 of 2 messages; look at .*\.$"):
        inbox.wait(2, since, timeout=0.1)


def test_an_inbox_whose_server_has_ended_is_one_sentence(own_home, monkeypatch):
    home, port = own_home
    monkeypatch.setenv("WORKSHOP_HOME", str(home))
    monkeypatch.setenv("WORKSHOP_PORT", str(port))
    for name in ("AWS_ENDPOINT_URL", "WORKSHOP_TARGET", "WORKSHOP_SLACK_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    workshop = connect()
    inbox = open_inbox(workshop)
    post(inbox.webhook_url, {"text": "kept"})
    assert localaws.stop(home)
    assert [message.text for message in inbox.messages()] == ["kept"]  # the file is still there
    for ask in (lambda: inbox.fail_next(1), lambda: open_inbox(workshop)):
        with pytest.raises(InboxError, match=r"is not running; call connect\(\) again\.$"):
            ask()


def test_what_a_check_causes_is_marked_while_it_lasts_and_not_longer(inbox):
    began = datetime.datetime.now(datetime.UTC)
    with inbox.marked():
        inbox.post({"text": "of the check"})
    inbox.post({"text": "of the reader"})
    assert [(message.text, message.by) for message in inbox.messages(since=began)] == [
        ("of the check", "check"),
        ("of the reader", ""),
    ]
    shown = inbox_module._plain(inbox.messages(since=began)).splitlines()
    assert shown[1].endswith("  of the reader") and shown[2].endswith("  [check] of the check")
    assert ">check</td>" in inbox_module._table(inbox.messages(since=began))


def test_the_table_shows_texts_as_they_are_and_no_more_than_it_can():
    now = datetime.datetime(2026, 11, 24, 9, 30, 1, tzinfo=datetime.UTC)
    table = inbox_module._table([Message(now, "<b>&\nx", JSON)])
    assert "&lt;b&gt;&amp;\nx" in table and "2026-11-24 09:30:01" in table and "1 message:" in table
    many = [Message(now, f"text {n}", JSON) for n in range(1051)]
    table, plain = inbox_module._table(many), inbox_module._plain(many)
    for view in (table, plain):
        assert view.index("text 1050") < view.index("text 1049") < view.index("text 1001")
    assert '<div style="max-height: 28em; overflow-y: auto"><table>' in table
    assert "1,051 messages, the last 50 of them:" in table
    assert "text 1050<" in table and "text 1000<" not in table.replace("text 1001<", "")
    assert "No message" in inbox_module._table([])


NOTEBOOK = [
    "from helpers import connect, deploy, open_inbox\nimport requests\naws = connect()\ninbox = open_inbox(aws)\ninbox",
    "inbox.webhook_url",
    "print(inbox.webhook_url)\n{'WEBHOOK_URL': inbox.webhook_url}",
    "code = {'app.py': 'def handler(event, context):\\n    return 1\\n'}\n"
    "variables = {'Variables': {'WEBHOOK_URL': inbox.webhook_url}}\n"
    "deploy(aws, aws.name('tested-inbox'), code, Environment=variables)",
    "aws.client('lambda').delete_function(FunctionName=aws.name('tested-inbox'));",
    "requests.post(inbox.webhook_url.reveal(), json={'text': 'shown <now>'}, timeout=30)\ninbox.show()",
    "from helpers.inbox import _live_view\nimport time\nview = _live_view(inbox._file)\n"
    "requests.post(inbox.webhook_url.reveal(), json={'text': 'shown later'}, timeout=30)\n"
    "deadline = time.monotonic() + 20\n"
    "while 'shown later' not in view.value and time.monotonic() < deadline:\n    time.sleep(0.05)\n"
    "assert 'shown later' in view.value\ninbox.show()",
    "pickle = __import__('pickle')\npickle.dumps(inbox)",
]


def test_a_notebook_shows_messages_as_they_arrive_and_never_the_url(inbox, embedded_home, embedded_aws):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in NOTEBOOK])
    execute(notebook, settings.ROOT, os.environ)
    outputs = [cell.outputs for cell in notebook.cells]
    errors = [[output.evalue for output in cell if output.output_type == "error"] for cell in outputs]
    assert errors[:-1] == [[]] * 7 and "is not pickled" in errors[-1][0]
    text = json.dumps(outputs, ensure_ascii=False)
    assert "…(hidden)" in text
    assert "/services/" not in text and inbox.webhook_url.rpartition("/")[2] not in text
    for cell, message in ((outputs[5], "shown &lt;now&gt;"), (outputs[6], "shown later")):
        [shown] = [output.data for output in cell if output.output_type == "display_data"]
        assert "application/vnd.jupyter.widget-view+json" in shown  # what JupyterLab shows
        assert message in shown["text/html"]  # what stands in a saved notebook
    views = {cell[-1].data["application/vnd.jupyter.widget-view+json"]["model_id"] for cell in outputs[5:7]}
    assert len(views) == 1


# Slack itself, and other AWS


@pytest.fixture
def slack(monkeypatch) -> Inbox:
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", SLACK)
    monkeypatch.setattr(inbox_module, "connect", lambda: pytest.fail("no AWS is needed to know Slack's URL"))
    return open_inbox()


def test_a_webhook_of_slack_takes_the_place_of_the_inbox(slack, aws):
    assert slack.is_slack and slack.webhook_url == SLACK and SLACK not in repr(slack)
    assert slack.https_webhook_url == SLACK
    assert open_inbox(aws).is_slack


def test_slack_cannot_be_read_back(slack, capsys):
    for ask in (slack.messages, slack.refused, lambda: slack.wait(1)):
        with pytest.raises(InboxError, match=r"^The messages go to Slack and cannot be read back .*\.$"):
            ask()
    for ask in (lambda: slack.fail_next(1), lambda: slack.slow_next(1, 1)):
        with pytest.raises(InboxError, match="unset WORKSHOP_SLACK_WEBHOOK_URL"):
            ask()
    slack.show()
    assert capsys.readouterr().out == inbox_module.IN_SLACK + "\n"


@pytest.mark.parametrize("value", ["hooks.slack.com/services/T/B/secret", "https://slack.com", "secret"])
def test_a_slack_webhook_that_is_no_url_is_one_sentence_that_does_not_show_it(monkeypatch, value):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", value)
    with pytest.raises(settings.SettingError, match="^WORKSHOP_SLACK_WEBHOOK_URL is no URL; set") as caught:
        open_inbox()
    assert "secret" not in str(caught.value)


def test_a_function_on_another_aws_cannot_reach_the_inbox(monkeypatch):
    monkeypatch.delenv("WORKSHOP_SLACK_WEBHOOK_URL", raising=False)
    elsewhere = types.SimpleNamespace(is_embedded=False, client=None, tags={})
    with pytest.raises(InboxError, match=r"^A function cannot reach .* set WORKSHOP_SLACK_WEBHOOK_URL .*\.$"):
        open_inbox(elsewhere)


def test_an_inbox_of_an_aws_that_cannot_be_used_says_why(monkeypatch, free_port):
    monkeypatch.delenv("WORKSHOP_SLACK_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("WORKSHOP_TARGET", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ConnectError, match="Nothing answers"):
        open_inbox()
