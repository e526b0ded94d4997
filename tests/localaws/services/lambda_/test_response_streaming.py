"""InvokeWithResponseStream and function URLs that stream, in Node.js and by the Runtime API's protocol.

A function that has sent its first chunk waits for a word of its client, so nothing here depends on how long it takes.
"""

import base64
import contextlib
import json
import socket

import pytest
import requests
from localaws_client import eventually, public_url, refused, signed

FAST = {"MemorySize": 1769, "Timeout": 20}  # a whole vCPU
# A streamed page whose second part waits until the client, which listens at this port, has said a word
PAGE = """
import net from "node:net";

const word = (port) => new Promise((resolve) => net.connect(port, "127.0.0.1").once("data", resolve));

export const handler = awslambda.streamifyResponse(async (event, responseStream, context) => {
  const headers = { "Content-Type": "text/html", "x-id": context.awsRequestId };
  const metadata = { statusCode: 201, headers, cookies: ["a=1", "b=2"] };
  const { port, then } = { ...event, ...event.queryStringParameters };
  const stream = event.rawPath ? awslambda.HttpResponseStream.from(responseStream, metadata) : responseStream;
  stream.write("<h1>first</h1>");
  await word(Number(port));
  if (then === "throw") throw new TypeError("midway");
  if (then === "exit") process.exit(7);
  if (then === "hang") await new Promise(() => setInterval(() => {}, 1000));
  stream.write("<p>second</p>");
  console.log("wrote all");
  stream.end();
});
"""
# The protocol alone, spoken by a bootstrap of the function's own
BOOTSTRAP = """#!{python}
import base64, http.client, json, os, socket
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
runtime = "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", runtime + "next")
    given = api.getresponse()
    event, request_id = json.loads(given.read()), given.headers["Lambda-Runtime-Aws-Request-Id"]
    def chunks():
        yield b"first"
        with socket.create_connection(("127.0.0.1", event["port"])) as client:
            client.recv(1)
        if event.get("break"):
            api.sock.shutdown(socket.SHUT_RDWR)
        yield b"second"
    api.putrequest("POST", runtime + request_id + "/response")
    api.putheader("Lambda-Runtime-Function-Response-Mode", event.get("mode", "streaming"))
    api.putheader("Transfer-Encoding", "chunked")
    if event.get("fail"):
        api.putheader("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
    api.endheaders()
    try:
        for chunk in chunks():
            api.send(b"%x\\r\\n%s\\r\\n" % (len(chunk), chunk))
        api.send(b"0\\r\\n")
        if event.get("fail"):
            error = base64.b64encode(b'{"errorType": "Function.Late", "errorMessage": "too late"}').decode()
            api.send(b"Lambda-Runtime-Function-Error-Type: Function.Late\\r\\n")
            api.send(f"Lambda-Runtime-Function-Error-Body: {error}\\r\\n".encode())
        api.send(b"\\r\\n")
        api.getresponse().read()
    except OSError:
        api.close()
"""


class Client:
    """Listens where a function asks for a word, which it gets when the test says so."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port = self._listener.getsockname()[1]

    def say(self):
        connection, _ = self._listener.accept()
        with connection:
            connection.sendall(b"!")

    def close(self):
        self._listener.close()


@pytest.fixture
def client():
    with contextlib.closing(Client()) as made:
        yield made


@pytest.fixture
def page(make_function):
    return make_function(PAGE, "nodejs22.x", **FAST)


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def streaming_url(clients, page):
    url = public_url(clients("lambda"), page.name)
    clients("lambda").update_function_url_config(FunctionName=page.name, InvokeMode="RESPONSE_STREAM")
    return url


def streamed(clients, function, event=None, **parameters):
    """The answer to InvokeWithResponseStream, and its events one by one."""
    payload = json.dumps({} if event is None else event)
    answer = clients("lambda").invoke_with_response_stream(
        **{"FunctionName": function.name, "Payload": payload, **parameters}
    )
    return answer, iter(answer["EventStream"])


def whole(events):
    """The body that the chunks make together, and what the last event says."""
    body, complete = b"", None
    for event in events:
        assert complete is None, "nothing comes after InvokeComplete"
        body += event.get("PayloadChunk", {}).get("Payload", b"")
        complete = event.get("InvokeComplete")
    return body, complete


def test_the_first_chunk_is_there_before_the_function_writes_the_last(clients, page, client):
    answer, events = streamed(clients, page, {"port": client.port}, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    assert next(events)["PayloadChunk"]["Payload"] == b"<h1>first</h1>"
    assert "wrote all" not in page.text()
    client.say()
    body, complete = whole(events)
    assert body == b"<p>second</p>"
    log = base64.b64decode(complete.pop("LogResult")).decode()
    assert log.startswith("START") and "wrote all" in log and "REPORT" in log
    assert complete == {}
    assert len(page.reports()) == page.metric("Invocations") == 1 and page.metric("Errors") == 0
    assert answer["ResponseMetadata"]["RequestId"] == page.reports()[0]["request_id"]


@pytest.mark.parametrize(
    ("then", "error_type"), [("throw", "TypeError"), ("exit", "Runtime.ExitError"), ("hang", "Sandbox.Timedout")]
)
def test_what_goes_wrong_midway_is_told_at_the_end(clients, page, client, then, error_type):
    page.update(Timeout=2)
    _, events = streamed(clients, page, {"port": client.port, "then": then})
    assert next(events)["PayloadChunk"]["Payload"] == b"<h1>first</h1>"
    client.say()
    body, complete = whole(events)
    assert (body, complete["ErrorCode"]) == (b"", "Unhandled")
    assert json.loads(complete["ErrorDetails"])["errorType"] == error_type
    assert page.metric("Errors") == 1
    _, events = streamed(clients, page, {"port": client.port})  # and the function goes on
    next(events)
    client.say()
    assert whole(events) == (b"<p>second</p>", {})


@pytest.mark.parametrize("answer", ["{'a': 1}", "1 / 0"])
def test_a_function_that_does_not_stream_gives_one_chunk(clients, make_function, answer):
    function = make_function(f"def handler(event, context):\n    return {answer}\n")
    chunk, complete = streamed(clients, function)[1]
    told = json.loads(chunk["PayloadChunk"]["Payload"])
    if answer == "1 / 0":
        assert told["errorType"] == "ZeroDivisionError"
        assert complete["InvokeComplete"]["ErrorCode"] == "Unhandled"
        assert json.loads(complete["InvokeComplete"]["ErrorDetails"]) == told
    else:
        assert (told, complete) == ({"a": 1}, {"InvokeComplete": {}})


def test_versions_dry_runs_and_refusals(clients, make_function):
    code = "export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.end('x'); });"
    function = make_function(code, "nodejs22.x", **FAST)
    version = clients("lambda").publish_version(FunctionName=function.name)["Version"]
    clients("lambda").create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    answer, events = streamed(clients, function, Qualifier="live")
    assert answer["ExecutedVersion"] == version and whole(events)[0] == b"x"
    answer, _ = streamed(clients, function, InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    invoke = clients("lambda").invoke_with_response_stream
    assert refused(invoke, FunctionName="absent")[0] == "ResourceNotFoundException"
    assert refused(invoke, FunctionName=function.name, Payload="{")[0] == "InvalidRequestContentException"
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    assert refused(invoke, FunctionName=function.name)[0] == "TooManyRequestsException"


def test_invoke_gets_the_whole_of_what_is_streamed(clients, make_function):
    code = """export const handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("one");
      stream.write({ two: 2 });
      if (event.fail) throw new RangeError("three");
      stream.end("four");
    });"""
    function = make_function(code, "nodejs24.x", **FAST)
    answer = clients("lambda").invoke(FunctionName=function.name)
    assert answer["Payload"].read() == b'one{"two":2}four'
    failed = function.invoke({"fail": True})
    assert (failed.error, failed.payload["errorType"], failed.payload["errorMessage"]) == (
        "Unhandled",
        "RangeError",
        "three",
    )


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("(event, stream) => stream.end('x')", "Error", "Streaming does not support non-async handlers."),
        ("async () => { throw 'plain' }", "Error", "plain"),
        ("async (event, stream) => stream.destroy()", "Error", "Response stream is not finished."),
        (
            "async (event, stream) => { stream.write('x'); stream.setContentType('text/html') }",
            "Runtime.InvalidStreamingOperation",
            "Cannot set content-type, too late.",
        ),
    ],
)
def test_handlers_that_do_not_stream_as_they_should(clients, make_function, handler, error_type, message):
    function = make_function(f"export const handler = awslambda.streamifyResponse({handler});", "nodejs22.x", **FAST)
    for _ in range(2):  # the environment lives on
        whole(streamed(clients, function)[1])
    errors = [text for text in function.messages() if "Invoke Error" in text]
    assert len(errors) == 2, function.text()
    told = json.loads(errors[0].partition("Invoke Error \t")[2])
    assert (told["errorType"], told["errorMessage"]) == (error_type, message)


def test_a_stream_that_never_ends_is_waited_for_until_the_time_is_up(clients, make_function):
    code = "export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.write('x'); });"
    function = make_function(code, "nodejs22.x", **FAST | {"Timeout": 1})
    body, complete = whole(streamed(clients, function)[1])
    assert (body, json.loads(complete["ErrorDetails"])["errorType"]) == (b"x", "Sandbox.Timedout")


def test_more_than_aws_streams_is_an_error(clients, make_function):
    code = """import { pipeline } from "node:stream/promises";
    export const handler = awslambda.streamifyResponse(async (event, stream) => {
      await pipeline(function* () { for (let i = 0; i < event.mb; i++) yield Buffer.alloc(2 ** 20); }, stream);
    });"""
    function = make_function(code, "nodejs22.x", **FAST | {"Timeout": 300})
    body, complete = whole(streamed(clients, function, {"mb": 7})[1])
    assert (len(body), complete) == (7 * 2**20, {}), "more than the 6 MB of a buffered response"
    body, complete = whole(streamed(clients, function, {"mb": 201})[1])
    assert len(body) <= 200 * 2**20
    assert json.loads(complete["ErrorDetails"])["errorType"] == "Function.ResponseSizeTooLarge"
    assert function.invoke({"mb": 7}).payload["errorType"] == "Function.ResponseSizeTooLarge", "it is buffered"


def test_a_function_waits_for_a_client_that_does_not_read(clients, make_function, client):
    """Its pipe, its connections and our queue are full long before the 100 MB are through."""
    code = """import net from "node:net";
    export const handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("begun");
      const say = net.connect(event.port, "127.0.0.1");
      let written = 0;
      for (; written < 100; written++)
        if (!stream.write(Buffer.alloc(2 ** 20))) {
          const drained = new Promise((resolve) => stream.once("drain", () => resolve(true)));
          const told = new Promise((resolve) => say.once("data", () => resolve(false)));
          if (!(await Promise.race([drained, told]))) break;
        }
      say.destroy();
      console.log(`written ${written}`);
      stream.end();
    });"""
    function = make_function(code, "nodejs22.x", **FAST)
    _, events = streamed(clients, function, {"port": client.port})
    assert next(events)["PayloadChunk"]["Payload"].startswith(b"begun")
    used = [-1.0]

    def stands_still():
        used.append(sum(sum(process.cpu_times()[:2]) for process in function.processes()))
        return used[-5:] == 5 * used[-1:]

    eventually(stands_still)
    client.say()
    body, complete = whole(events)
    assert complete == {} and len(body) < 100 * 2**20
    assert "written 100" not in function.text()


# Function URLs


def test_a_page_comes_through_its_url_piece_by_piece(page, streaming_url, http, client):
    with http.get(f"{streaming_url}shop", params={"port": client.port}, stream=True) as answer:
        assert (answer.status_code, answer.headers["Content-Type"]) == (201, "text/html")
        assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
        assert answer.headers["x-id"] == answer.headers["x-amzn-RequestId"]
        pieces = answer.iter_content(None)
        assert next(pieces) == b"<h1>first</h1>"
        assert "wrote all" not in page.text()
        client.say()
        assert b"".join(pieces) == b"<p>second</p>"
    assert len(page.reports()) == page.metric("Invocations") == 1


def test_the_same_function_behind_a_buffered_url(clients, page, http, client):
    url = public_url(clients("lambda"), page.name)
    with pytest.raises(requests.ReadTimeout):  # nothing comes before all of it is there
        http.get(url, params={"port": client.port}, stream=True, timeout=0.5)
    client.say()
    eventually(lambda: len(page.reports()) == 1)
    no_wait = "export const handler = awslambda.streamifyResponse(async (event, stream) => {\n"
    no_wait += "  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 203, headers: { 'x-a': 1 } });\n"
    page.update_code(no_wait + "  stream.write('all'); stream.end();\n});", "app.mjs")
    answer = http.get(url)
    assert (answer.status_code, answer.headers["x-a"], answer.text) == (203, "1", "all")
    assert answer.headers["Content-Length"] == "3"


@pytest.mark.parametrize("then", ["throw", "exit", "hang"])
def test_a_page_that_fails_midway_breaks_off(page, streaming_url, http, client, then):
    page.update(Timeout=2)
    with http.get(streaming_url, params={"port": client.port, "then": then}, stream=True) as answer:
        assert answer.status_code == 201
        pieces = answer.iter_content(None)
        assert next(pieces) == b"<h1>first</h1>"
        client.say()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            b"".join(pieces)


def test_a_function_goes_on_when_its_client_has_gone(page, streaming_url, http, client):
    with http.get(streaming_url, params={"port": client.port}, stream=True) as answer:
        assert next(answer.iter_content(None)) == b"<h1>first</h1>"
    client.say()
    eventually(lambda: page.reports())
    assert "wrote all" in page.text() and page.metric("Errors") == 0


@pytest.mark.parametrize(
    ("code", "status", "content_type", "body"),
    [
        ("stream.setContentType('text/plain'); stream.write('bare'); stream.end()", 200, "text/plain", "bare"),
        ("stream.end('bare')", 200, "application/octet-stream", "bare"),
        ("stream.end()", 200, "application/octet-stream", ""),
        ("throw new Error('a secret')", 502, "text/plain", "Internal Server Error"),
        (
            "awslambda.HttpResponseStream.from(stream, {}).write('x'); stream.end()",
            200,
            "application/octet-stream",
            "x",
        ),
        (
            "awslambda.HttpResponseStream.from(stream, { statusCode: 'x' }).write('x'); stream.end()",
            502,
            "text/plain",
            "Internal Server Error",
        ),
        # as with AWS's client, only write() sends the metadata
        (
            "awslambda.HttpResponseStream.from(stream, { statusCode: 201 }).end('x')",
            502,
            "text/plain",
            "Internal Server Error",
        ),
    ],
)
def test_what_a_stream_makes_of_the_answer(clients, make_function, http, code, status, content_type, body):
    function = make_function(
        f"export const handler = awslambda.streamifyResponse(async (event, stream) => {{ {code} }});",
        "nodejs22.x",
        **FAST,
    )
    url = public_url(clients("lambda"), function.name)
    clients("lambda").update_function_url_config(FunctionName=function.name, InvokeMode="RESPONSE_STREAM")
    answer = http.get(url)
    assert (answer.status_code, answer.headers["Content-Type"], answer.text) == (status, content_type, body)


def test_a_function_that_does_not_stream_behind_a_streaming_url(clients, make_function, http):
    """Where it could have streamed, what it returns describes no response."""
    function = make_function("def handler(event, context):\n    return {'statusCode': 418, 'body': 'tea'}\n")
    url = public_url(clients("lambda"), function.name)
    clients("lambda").update_function_url_config(FunctionName=function.name, InvokeMode="RESPONSE_STREAM")
    answer = http.get(url)
    assert (answer.status_code, answer.json()) == (200, {"statusCode": 418, "body": "tea"})


# Custom runtimes


@pytest.fixture
def custom(make_function, needs):
    python = needs("/usr/bin/python3", "/usr/local/bin/python3")
    files = {"bootstrap": BOOTSTRAP.replace("{python}", python)}
    return make_function(files, "provided.al2023", executable=("bootstrap",), **FAST)


def test_a_runtime_of_its_own_streams_by_the_protocol(clients, custom, client):
    _, events = streamed(clients, custom, {"port": client.port})
    assert next(events)["PayloadChunk"]["Payload"] == b"first"
    client.say()
    assert whole(events) == (b"second", {})


def test_a_runtime_of_its_own_says_in_trailers_what_went_wrong(clients, custom, client):
    _, events = streamed(clients, custom, {"port": client.port, "fail": True})
    next(events)
    client.say()
    body, complete = whole(events)
    assert body == b"second" and json.loads(complete["ErrorDetails"])["errorMessage"] == "too late"


def test_a_response_that_breaks_off(clients, custom, client):
    _, events = streamed(clients, custom, {"port": client.port, "break": True})
    next(events)
    client.say()
    body, complete = whole(events)
    assert json.loads(complete["ErrorDetails"])["errorType"] == "Runtime.TruncatedResponse"
    assert custom.reports()[0]["error_type"] == "Runtime.TruncatedResponse"
    _, events = streamed(clients, custom, {"port": client.port})
    next(events)
    client.say()
    assert whole(events) == (b"second", {}), "its environment lives on"


def test_a_bootstrap_of_sh_and_curl_streams(clients, make_function, needs, client):
    needs("curl")
    bootstrap = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  id=$(curl -sS -D - -o /tmp/event "$api/next" | tr -d '\\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //ip')
  port=$(cat /tmp/event)
  { printf first; curl -s "http://127.0.0.1:$port/" >/dev/null; printf second; } |
    curl -sS -X POST -H "Lambda-Runtime-Function-Response-Mode: streaming" -H "Transfer-Encoding: chunked" \
      -T - "$api/$id/response" >/dev/null
done
"""
    function = make_function({"bootstrap": bootstrap}, "provided.al2023", executable=("bootstrap",), **FAST)
    _, events = streamed(clients, function, client.port)
    assert next(events)["PayloadChunk"]["Payload"] == b"first"
    client.say()
    assert whole(events) == (b"second", {})


def test_it_needs_the_permission_to_invoke(clients, embedded_aws, page):
    path = f"/2021-11-15/functions/{page.name}/response-streaming-invocations"
    answer = signed(embedded_aws, "POST", path, b"{}", "lambda", **{"X-Amz-Invocation-Type": "DryRun"})
    assert answer.status_code == 204
    assert requests.post(embedded_aws.url + path, data=b"{}", timeout=30).status_code == 403
