"""Functions reach the inbox by https with the clients of each language, and trust nobody else for that."""

import importlib.metadata
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from localaws_client import THIS_PYTHON, zipped

from helpers import localaws
from helpers.localaws import certificate
from helpers.localaws.data_plane import confinement, runtimes, trust
from helpers.localaws.data_plane.trust import Trust

POSTS = {
    "urllib": """
import json, os, urllib.request
def handler(event, context):
    body = json.dumps(event).encode()
    request = urllib.request.Request(os.environ['WEBHOOK_URL'], body, {'Content-Type': 'application/json'})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()
""",
    "http.client": """
import http.client, json, os, urllib.parse
def handler(event, context):
    url = urllib.parse.urlsplit(os.environ['WEBHOOK_URL'])
    connection = http.client.HTTPSConnection(url.hostname, url.port)
    connection.request('POST', url.path, json.dumps(event), {'Content-Type': 'application/json'})
    return connection.getresponse().read().decode()
""",
    "urllib3": """
import json, os, urllib3
def handler(event, context):
    return urllib3.PoolManager().request('POST', os.environ['WEBHOOK_URL'], body=json.dumps(event)).data.decode()
""",
    "requests": """
import os, requests
def handler(event, context):
    return requests.post(os.environ['WEBHOOK_URL'], json=event).text
""",
    "https.request": """
import https from 'node:https';
export const handler = (event) => new Promise((resolve, reject) => {
  const request = https.request(process.env.WEBHOOK_URL, { method: 'POST' }, (response) => {
    let said = '';
    response.on('data', (part) => { said += part; });
    response.on('end', () => resolve(said));
  });
  request.on('error', reject);
  request.end(JSON.stringify(event));
});
""",
    "fetch": """
export const handler = async (event) => {
  const response = await fetch(process.env.WEBHOOK_URL, { method: 'POST', body: JSON.stringify(event) });
  return response.text();
};
""",
    "net/http": """
require 'json'
require 'net/http'
def handler(event:, context:)
  url = URI(ENV['WEBHOOK_URL'])
  http = Net::HTTP.new(url.host, url.port)
  http.use_ssl = true
  http.post(url.path, event.to_json, 'Content-Type' => 'application/json').body
end
""",
    "curl": """#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while true; do
  event=$(curl -sS -D /tmp/headers "$api/next")
  id=$(grep -i lambda-runtime-aws-request-id /tmp/headers | tr -d '[:space:]' | cut -d: -f2)
  said=$(curl -sS -d "$event" "$WEBHOOK_URL" 2>&1)
  curl -sS -d "\\"$said\\"" "$api/$id/response" > /dev/null
done
""",
}
JAVA = """
import java.io.*;
import java.net.*;
import java.net.http.*;
import java.util.*;

public class Posts {
    static URI webhook() { return URI.create(System.getenv("WEBHOOK_URL")); }

    static String body(Map<String, Object> event) { return "{\\"text\\": \\"" + event.get("text") + "\\"}"; }

    public String client(Map<String, Object> event) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(webhook())
            .POST(HttpRequest.BodyPublishers.ofString(body(event))).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    public String connection(Map<String, Object> event) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) webhook().toURL().openConnection();
        connection.setDoOutput(true);
        connection.getOutputStream().write(body(event).getBytes());
        return new String(connection.getInputStream().readAllBytes());
    }
}
"""


def of_requests() -> dict[str, str | bytes]:
    """The package `requests`, and what it needs."""
    files: dict[str, str | bytes] = {}
    for name in ("requests", "urllib3", "idna", "certifi", "charset-normalizer"):
        for file in importlib.metadata.files(name) or ():
            if file.suffix in (".py", ".pem") and ".." not in file.parts:
                files[file.as_posix()] = Path(str(file.locate())).read_bytes()
    return files


@pytest.fixture
def https_url(embedded_aws) -> str:
    if not embedded_aws.inbox_https_url:
        pytest.skip("this machine has no openssl")
    return embedded_aws.inbox_https_url


@pytest.fixture
def texts(embedded_home):
    """The texts that are in the inbox now."""
    return lambda: [post["text"] for post in localaws.read_posts(embedded_home / localaws.MESSAGES_FILE)]


def posting(make_function, client: str, runtime: str, url: str):
    files = {"app.mjs" if runtime.startswith("nodejs") else "app.rb" if "ruby" in runtime else "app.py": POSTS[client]}
    if client == "requests":
        files |= of_requests()
    if client == "curl":
        files = {"bootstrap": POSTS[client]}
    variables = {"Variables": {"WEBHOOK_URL": url}}
    return make_function(files, runtime=runtime, executable=("bootstrap",), Environment=variables, Timeout=30)


CLIENTS = [
    *((client, runtime) for client in ("urllib", "http.client") for runtime in (THIS_PYTHON, "python3.13")),
    *((client, THIS_PYTHON) for client in ("urllib3", "requests")),
    *((client, runtime) for client in ("https.request", "fetch") for runtime in ("nodejs22.x", "nodejs24.x")),
    ("net/http", "ruby3.4"),
    ("curl", "provided.al2023"),
]


@pytest.mark.parametrize(("client", "runtime"), dict.fromkeys(CLIENTS))
def test_each_language_posts_by_https(make_function, needs, https_url, texts, client, runtime):
    if client in ("net/http", "curl"):
        needs({"net/http": "ruby", "curl": "curl"}[client])
    function = posting(make_function, client, runtime, https_url)
    assert function.invoke({"text": f"by {client} of {runtime}"}).payload == "ok"
    assert texts()[-1] == f"by {client} of {runtime}"


@pytest.mark.parametrize("handler", ["client", "connection"])
def test_java_posts_by_https(make_function, needs, https_url, texts, tmp_path, handler):
    needs("java")
    (tmp_path / "Posts.java").write_text(JAVA)
    command = [needs("javac"), "--release", "17", "-d", str(tmp_path), str(tmp_path / "Posts.java")]
    subprocess.run(command, check=True)
    function = make_function(
        {"Posts.class": (tmp_path / "Posts.class").read_bytes()},
        runtime="java21",
        Handler=f"Posts::{handler}",
        Environment={"Variables": {"WEBHOOK_URL": https_url}},
        MemorySize=512,
        Timeout=30,
    )
    assert function.invoke({"text": f"by {handler}"}).payload == "ok"
    assert texts()[-1] == f"by {handler}"


@pytest.fixture
def stranger(tmp_path, needs):
    """Somebody else on this machine, with a certificate like ours, who answers by https."""
    needs("openssl")
    other = certificate.Certificate(tmp_path)
    other.make()
    assert other.when_made()
    program = (
        "import http.server, ssl, sys\n"
        "class Says(http.server.BaseHTTPRequestHandler):\n"
        "    def do_POST(self):\n        self.send_response(200)\n        self.end_headers()\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\ncontext.load_cert_chain(*sys.argv[1:])\n"
        "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Says)\n"
        "server.socket = context.wrap_socket(server.socket, server_side=True)\n"
        "print(server.server_port, flush=True)\nserver.serve_forever()\n"
    )
    command = [sys.executable, "-c", program, str(other.file), str(other.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield f"https://127.0.0.1:{process.stdout.readline().strip()}/"
        process.kill()


@pytest.mark.parametrize(
    ("client", "runtime"), [("urllib", THIS_PYTHON), ("requests", THIS_PYTHON), ("fetch", "nodejs24.x")]
)
def test_nobody_else_is_trusted_for_that(make_function, stranger, client, runtime):
    assert posting(make_function, client, runtime, stranger).invoke({"text": "lost"}).error == "Unhandled"


def test_who_is_no_function_does_not_trust_it(https_url, embedded_home, texts):
    request = urllib.request.Request(https_url, json.dumps({"text": "not trusted"}).encode(), method="POST")
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(request, timeout=30)
    assert "not trusted" not in texts()
    trusting = ssl.create_default_context(cafile=embedded_home / certificate.CERTIFICATE_FILE)
    with urllib.request.urlopen(request, context=trusting, timeout=30) as answer:
        assert answer.read() == b"ok"


ASKS = """
import os, ssl
def handler(event, context):
    context = ssl.create_default_context()
    names = [name for name in os.environ if 'CA' in name.split('_') or 'CERT' in name or 'SSL' in name]
    return [sorted(names), [dict(each[0] for each in found['subject']) for found in context.get_ca_certs()]]
"""


def test_the_authorities_of_this_machine_are_trusted_as_before(make_function, https_url):
    """A certificate that is no authority's is not among those: it is trusted for itself alone."""
    if not confinement.possible():
        pytest.skip("this machine lets us make no namespaces")
    _, authorities = make_function(ASKS).invoke().payload
    here = {
        json.dumps(dict(each[0] for each in found["subject"])) for found in ssl.create_default_context().get_ca_certs()
    }
    assert here <= {json.dumps(each) for each in authorities}


def test_the_variables_are_those_of_aws_where_there_is_another_way(make_function, https_url):
    if not confinement.possible() or not trust._system_files():
        pytest.skip("this machine lets us make no namespaces, or has no file of authorities")
    reads = trust._file_read_by(runtimes.find_here(THIS_PYTHON).command[0], "python")
    expected = [] if os.path.realpath(reads) in trust._system_files() else ["SSL_CERT_FILE"]
    assert make_function(ASKS).invoke().payload[0] == expected
    with_requests = make_function({"app.py": ASKS, "certifi/cacert.pem": ""}).invoke().payload[0]
    assert with_requests == sorted([*expected, "REQUESTS_CA_BUNDLE"])


def test_a_layer_may_bring_requests_too(make_function, clients, https_url, texts):
    content = {f"python/{name}": data for name, data in of_requests().items()}
    layer = clients("lambda").publish_layer_version(LayerName="of-requests", Content={"ZipFile": zipped(content)})
    variables = {"Variables": {"WEBHOOK_URL": https_url}}
    function = make_function(POSTS["requests"], Layers=[layer["LayerVersionArn"]], Environment=variables, Timeout=30)
    assert function.invoke({"text": "of a layer"}).payload == "ok"
    assert texts()[-1] == "of a layer"


def test_what_a_function_says_itself_counts_more(make_function, https_url):
    variables = {"Variables": {"WEBHOOK_URL": https_url, "SSL_CERT_FILE": "/var/task/none.pem"}}
    function = make_function(POSTS["urllib"], Environment=variables)
    assert function.invoke({"text": "lost"}).error == "Unhandled"


# Where namespaces are forbidden, and where authorities are missing


@pytest.fixture
def trusting(embedded_home, https_url, tmp_path) -> Trust:
    return Trust(tmp_path / "trust", lambda: embedded_home / certificate.CERTIFICATE_FILE)


@pytest.mark.parametrize("language", ["python", "ruby", "nodejs"])
def test_without_namespaces_variables_say_it(needs, trusting, tmp_path, https_url, texts, language):
    if language == "ruby":
        needs("ruby")
    name = {"python": THIS_PYTHON, "ruby": "ruby3.4", "nodejs": "nodejs24.x"}[language]
    posts = {
        "python": (
            "-c",
            'import sys, urllib.request as u; print(u.urlopen(sys.argv[1], b\'{"text": "seen"}\').read())',
        ),
        "ruby": ("-rnet/http", "-e", 'puts Net::HTTP.post(URI(ARGV[0]), \'{"text": "seen"}\').body'),
        "nodejs": ("-e", "fetch(process.argv[1], {method: 'POST', body: '{\"text\": \"seen\"}'})"),
    }[language]
    found = runtimes.find_here(name)
    told = trusting.given_to(found, name, (tmp_path, tmp_path), {}, confines=False).variables
    command = [found.command[0], *posts, https_url]
    before = texts().count("seen")
    refused = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True)
    assert refused.returncode and texts().count("seen") == before
    subprocess.run(command, env={"PATH": os.environ["PATH"], **told}, capture_output=True, check=True)
    assert texts().count("seen") == before + 1


def test_without_a_certificate_a_runtime_is_as_it_was(tmp_path):
    found = runtimes.find_here(THIS_PYTHON)
    none = Trust(tmp_path, lambda: None)
    assert none.given_to(found, THIS_PYTHON, (tmp_path, tmp_path), {}, confines=True) is found


def test_a_machine_without_a_file_of_authorities_has_those_of_the_workshop(trusting, monkeypatch, tmp_path):
    monkeypatch.setattr(trust, "_system_files", lambda: ())
    found = runtimes.find_here(THIS_PYTHON)
    told = trusting.given_to(found, THIS_PYTHON, (tmp_path, tmp_path), {}, confines=True)
    assert told.replaced == {}
    bundle = ssl.create_default_context(cafile=told.variables["SSL_CERT_FILE"])
    assert len(bundle.get_ca_certs()) > 100
