"""The function of lab 09, deployed: the same in Python, Node.js and Ruby, whatever the webhook does."""

import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_support import PATH, Webhook, serve_webhook

from helpers.exercises.lab import labs
from helpers.exercises.languages import LANGUAGES
from helpers.localaws.data_plane.cpu_share import share

DEFAULT_MB, DEFAULT_S = 128, 3  # of a function that is told nothing else
# A handler that calls the lab's, and returns for how many seconds that has kept a processor busy.
MEASURED = {
    "python": (
        "measured.py",
        "import time\nimport app\n\n"
        "def handler(event, context):\n"
        "    before = time.process_time()\n    app.handler(event, context)\n    return time.process_time() - before\n",
    ),
    "node": (
        "measured.mjs",
        'import { handler as lab } from "./index.mjs";\n'
        "export const handler = async (event) => {\n"
        "  const before = process.cpuUsage();\n  await lab(event);\n"
        "  const { user, system } = process.cpuUsage(before);\n  return (user + system) / 1e6;\n};\n",
    ),
    "ruby": (
        "measured.rb",
        'require_relative "app"\nalias lab handler\n\n'
        "def busy = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)\n\n"
        "def measured(event:, context:)\n"
        "  before = busy\n  lab(event: event, context: context)\n  busy - before\nend\n",
    ),
}


@pytest.fixture
def slack(function_of):
    return function_of("09")


@pytest.mark.parametrize("text", ["hello", "こんにちは 🎉", 'a "quote", a \\ and\na line', "x" * 5000])
def test_it_posts_the_text_of_the_event(slack, webhook, text):
    result = slack.invoke({"text": text})
    assert (result.error, result.payload) == (None, {"posted": text})
    [(method, content_type, body)] = webhook.received
    assert (method, content_type) == ("POST", "application/json")
    assert json.loads(body) == {"text": text}


@pytest.mark.parametrize("event", [{}, {"text": ""}, {"text": None}, {"other": 1}])
def test_it_has_a_text_of_its_own(slack, webhook, event):
    assert slack.invoke(event).payload == {"posted": "Hello from Lambda"}
    assert webhook.texts() == ["Hello from Lambda"]


def test_it_works_within_the_default_memory_and_stays_warm(make_answer, webhook):
    function = make_answer("09", webhook.url, MemorySize=DEFAULT_MB)
    for number in range(3):
        assert function.invoke({"text": str(number)}).error is None
    assert webhook.texts() == ["0", "1", "2"]
    assert len(function.streams()) == 1


def test_what_it_computes_fits_into_the_default_time_limit(make_answer, webhook, language):
    """With the share of CPU of the default memory; told by the processor, as the clock depends on other work."""
    file, code = MEASURED[language]
    files = {LANGUAGES[language].file: labs()["09"].answer(language).read_text(), file: code}
    handler = "measured.measured" if language == "ruby" else "measured.handler"
    busy_s = make_answer("09", webhook.url, files, Handler=handler).invoke({"text": "hello"}).payload
    assert webhook.texts() == ["hello"]
    assert 0 < busy_s < DEFAULT_S * share(DEFAULT_MB)


@pytest.mark.parametrize(("status", "body"), [(500, "rollup_error"), (400, "no_text"), (404, "no_service"), (300, "")])
def test_it_fails_when_the_webhook_does(slack, webhook, status, body):
    webhook.status, webhook.body = status, body
    result = slack.invoke({"text": "lost"})
    assert result.error == "Unhandled"
    assert result.payload["errorMessage"] == f"Slack answered {status}: {body}"
    assert "secret" not in slack.text() + json.dumps(result.payload)
    webhook.status, webhook.body = 200, "ok"
    assert slack.invoke({"text": "found"}).payload == {"posted": "found"}
    assert webhook.texts() == ["lost", "found"]


def test_it_gives_up_by_itself_and_below_the_default_time_limit(slack, webhook, language):
    webhook.hangs = True
    result = slack.invoke({"text": "slow"})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] in ("TimeoutError", "Function<Net::ReadTimeout>")
    assert "Status: timeout" not in result.tail
    assert webhook.texts() == ["slow"]  # once: a message that is tried again may come twice
    waits = re.search(r"TIMEOUT_(M?)S = (\d+)", labs()["09"].answer(language).read_text())
    assert int(waits[2]) / (1000 if waits[1] else 1) < DEFAULT_S


def test_it_takes_a_redirect_for_a_failure(slack, webhook):
    webhook.location = webhook.url + "/elsewhere"
    result = slack.invoke({"text": "lost"})
    assert result.error == "Unhandled"
    assert "posted" not in result.tail


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}" + PATH, "no URL at all", ""])
def test_it_fails_with_a_wrong_url(make_answer, free_port, url):
    function = make_answer("09", url.format(port=free_port()))
    result = function.invoke({"text": "lost"})
    assert result.error == "Unhandled"
    assert "posted" not in result.tail
    assert "secret" not in function.text() + json.dumps(result.payload)


def test_it_posts_again_after_the_webhook_has_closed_the_connection(make_answer, webhook):
    """While an environment is frozen it does not see that; a client that keeps connections may stumble."""
    webhook.hangs_up = True
    function = make_answer("09", webhook.url)
    for number in range(5):
        assert function.invoke({"text": str(number)}).payload == {"posted": str(number)}
    assert webhook.texts() == ["0", "1", "2", "3", "4"]
    assert len(function.streams()) == 1


@pytest.fixture(scope="module")
def certificate(needs, tmp_path_factory) -> Path:
    """A folder with a certificate for 127.0.0.1 that nobody has signed but itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
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


def test_it_posts_by_https_to_whom_it_trusts(make_answer, language, https_webhook, certificate):
    code, trusted = labs()["09"].answer(language), certificate / "certificate.pem"
    files = {code.name: code.read_text(), trusted.name: trusted.read_text()}  # in the folder that the function runs in
    variables = {"SSL_CERT_FILE": trusted.name, "NODE_EXTRA_CA_CERTS": trusted.name}
    function = make_answer("09", https_webhook.url, files, variables)
    assert function.invoke({"text": "safe 🔒"}).payload == {"posted": "safe 🔒"}
    assert https_webhook.texts() == ["safe 🔒"]


def test_it_does_not_post_to_whom_it_does_not_trust(make_answer, https_webhook):
    assert make_answer("09", https_webhook.url).invoke({"text": "lost"}).error == "Unhandled"
    assert https_webhook.received == []
