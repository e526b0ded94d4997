"""The labs' functions, deployed: the same in Python, Node.js and Ruby, whatever the webhook does."""

import copy
import datetime
import http.server
import json
import re
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from helpers import settings
from helpers.events import load_event
from helpers.inbox import open_inbox

LABS = ("slack", "s3-to-slack", "s3-list-to-slack")
RUNTIMES = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
FILES = {"python": "app.py", "node": "index.mjs", "ruby": "app.rb"}
KEYS = ("report.txt", "two words.txt", "a+b.txt", "100%.txt", "日本/写真 1.jpg", "R&D?.txt", "emoji 🎉.png")


@pytest.fixture(params=RUNTIMES)
def language(request, needs) -> str:
    if request.param == "ruby":
        needs("ruby")
    return request.param


@pytest.fixture
def with_sdk(language, needs_sdk) -> None:
    needs_sdk(language)


@dataclass
class Webhook:
    """A webhook of the tests: what it received, and how it answers."""

    url: str = ""
    status: int = 200
    body: str = "ok"
    location: str = ""
    hangs: bool = False
    hangs_up: bool = False  # closes the connection after its answer, although it has not said so
    received: list[tuple[str, str, str]] = field(default_factory=list)  # method, content type, body
    ended: threading.Event = field(default_factory=threading.Event)

    def texts(self) -> list[str]:
        return [json.loads(body)["text"] for _, _, body in self.received]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    yield from serve_webhook()


def serve_webhook(context: ssl.SSLContext | None = None) -> Iterator[Webhook]:
    webhook = Webhook()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            webhook.received.append((self.command, self.headers["Content-Type"], body))
            if webhook.hangs:
                webhook.ended.wait()
                self.close_connection = True
                return
            elsewhere = webhook.location and self.path == "/services/T/B/secret"
            data = webhook.body.encode()
            self.send_response(302 if elsewhere else webhook.status)
            if elsewhere:
                self.send_header("Location", webhook.location)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.close_connection = self.close_connection or webhook.hangs_up

        do_POST = do_GET = answer

        def log_message(self, *arguments) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if context:
        server.socket, scheme = context.wrap_socket(server.socket, server_side=True), "https"
    webhook.url = f"{scheme}://127.0.0.1:{server.server_port}/services/T/B/secret"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield webhook
    finally:
        webhook.ended.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def deploy(make_function, language):
    """Deploy a lab's function in the language of the test."""
    def make(lab: str, webhook_url: str, *, starter: bool = False, variables=None, **configuration):
        folder = settings.FUNCTIONS / lab / ("starter" if starter else "") / language
        file = FILES[language]
        return make_function(
            {file: (folder / file).read_text()}, RUNTIMES[language],
            Handler=f"{file.partition('.')[0]}.handler",
            Environment={"Variables": {"WEBHOOK_URL": webhook_url} | (variables or {})},
            **{"MemorySize": 256, "Timeout": 10} | configuration,
        )
    return make


# slack


@pytest.mark.parametrize("text", ["hello", "こんにちは 🎉", 'a "quote", a \\ and\na line', "x" * 5000])
def test_slack_posts_the_text_of_the_event(deploy, webhook, text):
    function = deploy("slack", webhook.url)
    result = function.invoke({"text": text})
    assert (result.error, result.payload) == (None, {"posted": text})
    [(method, content_type, body)] = webhook.received
    assert (method, content_type) == ("POST", "application/json")
    assert json.loads(body) == {"text": text}


@pytest.mark.parametrize("event", [{}, {"text": ""}, {"text": None}, {"other": 1}])
def test_slack_has_a_text_of_its_own(deploy, webhook, event):
    assert deploy("slack", webhook.url).invoke(event).payload == {"posted": "Hello from Lambda"}
    assert webhook.texts() == ["Hello from Lambda"]


def test_slack_works_within_the_default_limits_and_stays_warm(deploy, webhook):
    function = deploy("slack", webhook.url, MemorySize=128, Timeout=3)
    for number in range(3):
        assert function.invoke({"text": str(number)}).error is None
    assert webhook.texts() == ["0", "1", "2"]
    assert len(function.streams()) == 1


@pytest.mark.parametrize(("status", "body"), [
    (500, "rollup_error"), (400, "no_text"), (404, "no_service"), (300, ""),
])
def test_slack_fails_when_the_webhook_does(deploy, webhook, status, body):
    webhook.status, webhook.body = status, body
    function = deploy("slack", webhook.url)
    result = function.invoke({"text": "lost"})
    assert result.error == "Unhandled"
    assert result.payload["errorMessage"] == f"Slack answered {status}: {body}"
    assert "secret" not in function.text() + json.dumps(result.payload)
    webhook.status, webhook.body = 200, "ok"
    assert function.invoke({"text": "found"}).payload == {"posted": "found"}
    assert webhook.texts() == ["lost", "found"]


def test_slack_gives_up_before_the_function_is_timed_out(deploy, webhook):
    webhook.hangs = True
    result = deploy("slack", webhook.url, Timeout=4).invoke({"text": "slow"})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] in ("TimeoutError", "Function<Net::ReadTimeout>")
    assert "Status: timeout" not in result.tail
    assert webhook.texts() == ["slow"]  # once: a message that is tried again may come twice


def test_slack_takes_a_redirect_for_a_failure(deploy, webhook):
    webhook.location = webhook.url + "/elsewhere"
    result = deploy("slack", webhook.url).invoke({"text": "lost"})
    assert result.error == "Unhandled"
    assert "posted" not in result.tail


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/services/T/B/secret", "no URL at all", ""])
def test_slack_fails_with_a_wrong_url(deploy, free_port, url):
    function = deploy("slack", url.format(port=free_port()))
    result = function.invoke({"text": "lost"})
    assert result.error == "Unhandled"
    assert "posted" not in result.tail
    assert "secret" not in function.text() + json.dumps(result.payload)


def test_slack_posts_again_after_the_webhook_has_closed_the_connection(deploy, webhook):
    """While an environment is frozen it does not see that; a client that keeps connections may stumble."""
    webhook.hangs_up = True
    function = deploy("slack", webhook.url)
    for number in range(5):
        assert function.invoke({"text": str(number)}).payload == {"posted": str(number)}
    assert webhook.texts() == ["0", "1", "2", "3", "4"]
    assert len(function.streams()) == 1


@pytest.fixture(scope="module")
def certificate(needs) -> Iterator[Path]:
    """A folder with a certificate for 127.0.0.1 that nobody has signed but itself, and its key."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # as functions have a /tmp of their own
        yield _certified(Path(folder), needs)


def _certified(folder: Path, needs) -> Path:
    command = [needs("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes", "-keyout", "key.pem", "-out", "certificate.pem", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return folder


@pytest.fixture
def https_webhook(certificate) -> Iterator[Webhook]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    yield from serve_webhook(context)


def test_slack_posts_by_https_to_whom_it_trusts(deploy, https_webhook, certificate):
    trusted = str(certificate / "certificate.pem")
    variables = {"SSL_CERT_FILE": trusted, "NODE_EXTRA_CA_CERTS": trusted}
    function = deploy("slack", https_webhook.url, variables=variables)
    assert function.invoke({"text": "safe 🔒"}).payload == {"posted": "safe 🔒"}
    assert https_webhook.texts() == ["safe 🔒"]


def test_slack_does_not_post_to_whom_it_does_not_trust(deploy, https_webhook):
    assert deploy("slack", https_webhook.url).invoke({"text": "lost"}).error == "Unhandled"
    assert https_webhook.received == []


# s3-to-slack


def s3_event(bucket: str, *keys: str) -> dict:
    """The sample event for these keys, which stand in it as they are given."""
    [record] = load_event("s3-put")["Records"]
    records = [copy.deepcopy(record) for _ in keys]
    for record, key in zip(records, keys, strict=True):
        record["s3"]["bucket"]["name"], record["s3"]["object"]["key"] = bucket, key
    return {"Records": records}


def test_s3_to_slack_posts_every_key_decoded(deploy, webhook):
    encoded = ("a.txt", "two+words.txt", "a%2Bb.txt", "100%25.txt", "%E6%97%A5%E6%9C%AC/1.jpg", "%26%3F.txt")
    keys = ["a.txt", "two words.txt", "a+b.txt", "100%.txt", "日本/1.jpg", "&?.txt"]
    result = deploy("s3-to-slack", webhook.url).invoke(s3_event("shop", *encoded))
    assert result.payload == {"posted": keys}
    assert webhook.texts() == [f"s3://shop/{key}" for key in keys]


def test_s3_to_slack_fails_when_the_webhook_does(deploy, webhook):
    webhook.status = 500
    assert deploy("s3-to-slack", webhook.url).invoke(s3_event("shop", "a.txt")).error == "Unhandled"


@pytest.fixture
def bucket(clients) -> Iterator[str]:
    yield from made_bucket(clients, "tested-handlers")


def made_bucket(clients, name: str) -> Iterator[str]:
    s3 = clients("s3")
    s3.create_bucket(Bucket=name)
    yield name
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
    for page in pages:
        if objects := [{"Key": item["Key"]} for item in page.get("Contents", [])]:
            s3.delete_objects(Bucket=name, Delete={"Objects": objects})
    s3.delete_bucket(Bucket=name)


def test_s3_to_slack_posts_what_is_uploaded(deploy, aws, clients, bucket):
    inbox = open_inbox(aws)
    since = datetime.datetime.now(datetime.UTC)
    function = deploy("s3-to-slack", inbox.webhook_url)
    arn = clients("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    clients("lambda").add_permission(
        FunctionName=function.name, StatementId="s3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn=f"arn:aws:s3:::{bucket}",
    )
    clients("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    for key in KEYS:
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    messages = inbox.wait(len(KEYS), since)
    assert sorted(message.text for message in messages) == sorted(f"s3://{bucket}/{key}" for key in KEYS)


# s3-list-to-slack


def listed(webhook: Webhook) -> list[str]:
    """The keys in the messages, in their order."""
    title, *keys = "\n".join(webhook.texts()).split("\n")
    assert title.startswith("Objects in s3://")
    return keys


@pytest.mark.usefixtures("with_sdk")
def test_s3_list_to_slack_says_that_a_bucket_is_empty(deploy, webhook, bucket):
    result = deploy("s3-list-to-slack", webhook.url).invoke(s3_event(bucket, "gone.txt"))
    assert result.payload == {"objects": 0, "messages": 1}
    assert webhook.texts() == [f"s3://{bucket} is empty."]


@pytest.mark.usefixtures("with_sdk")
def test_s3_list_to_slack_lists_the_bucket_of_the_event(deploy, webhook, clients, bucket):
    function = deploy("s3-list-to-slack", webhook.url)
    clients("s3").put_object(Bucket=bucket, Key="only one.txt", Body=b"1")
    assert function.invoke(s3_event(bucket, "only+one.txt")).payload == {"objects": 1, "messages": 1}
    assert webhook.texts() == [f"Objects in s3://{bucket}: 1\nonly one.txt"]
    webhook.received.clear()
    for key in KEYS:
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    assert function.invoke(s3_event(bucket, "any")).payload == {"objects": 8, "messages": 1}
    assert sorted(listed(webhook)) == sorted(["only one.txt", *KEYS])


@pytest.fixture(scope="module")
def large_bucket(clients) -> Iterator[tuple[str, list[str]]]:
    """A bucket with one object more than a page of ListObjectsV2 holds."""
    keys = [f"folder/object {number:04}.txt" for number in range(1001)]
    put = clients("s3").put_object
    for name in made_bucket(clients, "tested-handlers-large"):
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key, bucket=name: put(Bucket=bucket, Key=key, Body=b"1"), keys))
        yield name, keys


@pytest.mark.usefixtures("with_sdk")
def test_s3_list_to_slack_lists_more_than_a_page_in_several_messages(deploy, webhook, large_bucket):
    name, keys = large_bucket
    result = deploy("s3-list-to-slack", webhook.url, Timeout=30).invoke(s3_event(name, "any"))
    assert listed(webhook) == keys
    assert max(map(len, webhook.texts())) <= 3000
    least = -(-sum(len(text) + 1 for text in webhook.texts()) // 3001)
    assert result.payload == {"objects": 1001, "messages": len(webhook.received)}
    assert len(webhook.received) <= least + 1  # a message is as full as it can be


@pytest.mark.usefixtures("with_sdk")
def test_s3_list_to_slack_splits_at_line_ends_only(deploy, webhook, clients, bucket):
    keys = [f"{number}{'長' * 330}" for number in range(9)]  # 993 bytes, of the 1,024 that a key may have
    for key in keys:
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    deploy("s3-list-to-slack", webhook.url).invoke(s3_event(bucket, "any"))
    assert listed(webhook) == keys
    assert len(webhook.received) == 2


@pytest.mark.usefixtures("with_sdk")
def test_s3_list_to_slack_fails_for_a_bucket_that_is_not_there(deploy, webhook):
    result = deploy("s3-list-to-slack", webhook.url).invoke(s3_event("tested-handlers-nowhere", "any"))
    assert result.error == "Unhandled"
    assert webhook.received == []


@pytest.mark.usefixtures("with_sdk")
def test_s3_list_to_slack_fails_when_the_webhook_does(deploy, webhook, bucket):
    webhook.status = 500
    assert deploy("s3-list-to-slack", webhook.url).invoke(s3_event(bucket, "any")).error == "Unhandled"


# All of them


@pytest.mark.parametrize("lab", LABS)
def test_a_starter_says_what_is_to_be_done(deploy, webhook, lab, request):
    if lab == "s3-list-to-slack":
        request.getfixturevalue("with_sdk")
    result = deploy(lab, webhook.url, starter=True).invoke({})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] in ("NotImplementedError", "Function<NotImplementedError>")
    assert re.fullmatch(r"Post the .*\.", result.payload["errorMessage"])
    assert webhook.received == []


@pytest.mark.parametrize("lab", LABS)
def test_a_starter_begins_as_its_answer_does(lab, language):
    """What a starter gives is what the answer uses; it is not to drift away from it."""
    folder, file = settings.FUNCTIONS / lab, FILES[language]
    starter = (folder / "starter" / language / file).read_text()
    answer = (folder / language / file).read_text()
    given = [line for line in starter.splitlines() if line.strip() and "NotImplementedError" not in line]
    shared = [line for line in given if line in answer.splitlines()]
    assert len(shared) >= len(given) - 5
    assert starter != answer
