"""The Runtime API, with a runtime that is nothing but an HTTP client."""

import http.client
import json
import socket
import threading

import pytest
from localaws_client import eventually

from helpers.localaws.data_plane.runtime_api import MAX_RESPONSE_BYTES, Invocation, Message, RuntimeApi

ID = "11111111-2222-3333-4444-555555555555"
INVOCATION = Invocation(ID, b'{"a": 1}', 1700000000000, "arn:aws:lambda:x", "Root=1", '{"custom": {}}')
NEXT = "/2018-06-01/runtime/invocation/next"


@pytest.fixture
def api():
    api = RuntimeApi()
    yield api
    api.close()


@pytest.fixture
def runtime(api):
    host, port = api.address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    yield connection
    connection.close()


def ask(runtime, method, path, body=None, headers=None, **options):
    runtime.request(method, path, body, headers or {}, **options)
    answer = runtime.getresponse()
    return answer.status, dict(answer.headers), answer.read()


def heard(api):
    return api.messages.get(timeout=10)


def test_next_waits_for_an_invocation_and_gives_it_with_its_headers(api, runtime):
    runtime.request("GET", NEXT)
    assert heard(api) == Message("ready")
    api.give(INVOCATION)
    answer = runtime.getresponse()
    assert (answer.status, answer.read()) == (200, b'{"a": 1}')
    assert answer.headers["Lambda-Runtime-Aws-Request-Id"] == ID
    assert answer.headers["Lambda-Runtime-Deadline-Ms"] == "1700000000000"
    assert answer.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:x"
    assert answer.headers["Lambda-Runtime-Trace-Id"] == "Root=1"
    assert answer.headers["Lambda-Runtime-Client-Context"] == '{"custom": {}}'
    assert answer.headers["Content-Type"] == "application/json"


def test_an_invocation_without_client_context_has_no_such_header(api, runtime):
    api.give(Invocation(ID, b"1", 1, "arn"))
    _, headers, _ = ask(runtime, "GET", NEXT)
    assert "Lambda-Runtime-Client-Context" not in headers and "Lambda-Runtime-Trace-Id" not in headers


def test_a_response(api, runtime):
    status, _, body = ask(runtime, "POST", f"/2018-06-01/runtime/invocation/{ID}/response", b'"done"')
    assert (status, json.loads(body)) == (202, {"status": "OK"})
    assert heard(api) == Message("response", ID, b'"done"')


def test_a_response_in_chunks(api, runtime):
    chunks = [b'"', b"x" * 70_000, b'"']
    status, *_ = ask(
        runtime,
        "POST",
        f"/2018-06-01/runtime/invocation/{ID}/response",
        iter(chunks),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert status == 202
    assert heard(api) == Message("response", ID, b"".join(chunks))


def test_an_error(api, runtime):
    status, *_ = ask(
        runtime,
        "POST",
        f"/2018-06-01/runtime/invocation/{ID}/error",
        b'{"errorType": "E"}',
        {"Lambda-Runtime-Function-Error-Type": "Unhandled"},
    )
    assert status == 202
    assert heard(api) == Message("error", ID, b'{"errorType": "E"}', "Unhandled")


def test_an_init_error(api, runtime):
    status, *_ = ask(
        runtime,
        "POST",
        "/2018-06-01/runtime/init/error",
        b"{}",
        {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"},
    )
    assert status == 202
    assert heard(api) == Message("init-error", "", b"{}", "Runtime.ImportModuleError")


@pytest.mark.parametrize(
    ("size", "status", "kind"), [(MAX_RESPONSE_BYTES, 202, "response"), (MAX_RESPONSE_BYTES + 1, 413, "too-large")]
)
def test_the_size_of_a_response_is_limited(api, runtime, size, status, kind):
    got, _, body = ask(runtime, "POST", f"/2018-06-01/runtime/invocation/{ID}/response", b"x" * size)
    assert got == status
    assert heard(api).kind == kind
    if status == 413:
        assert json.loads(body)["errorType"] == "RequestEntityTooLarge"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/2018-06-01/runtime/invocation"),
        ("POST", "/2018-06-01/runtime/nothing"),
        ("POST", f"/2018-06-01/runtime/invocation/{ID}/nothing"),
        ("POST", f"/2020-01-01/runtime/invocation/{ID}/response"),
    ],
)
def test_an_unknown_path(api, runtime, method, path):
    status, _, body = ask(runtime, method, path, b"" if method == "POST" else None)
    assert status == 404
    assert json.loads(body)["errorType"] == "InvalidPath"
    assert api.messages.empty()


def test_one_connection_serves_many_invocations(api, runtime):
    for number in range(20):
        api.give(Invocation(str(number), str(number).encode(), 1, "arn"))
        _, headers, body = ask(runtime, "GET", NEXT)
        assert (headers["Lambda-Runtime-Aws-Request-Id"], body) == (str(number), str(number).encode())
        ask(runtime, "POST", f"/2018-06-01/runtime/invocation/{number}/response", body)
    assert [heard(api).kind for _ in range(40)] == ["ready", "response"] * 20


def test_wake_becomes_readable_with_a_message(api, runtime):
    api.wake.setblocking(False)
    with pytest.raises(BlockingIOError):
        api.wake.recv(1)
    ask(runtime, "POST", f"/2018-06-01/runtime/invocation/{ID}/response", b"1")
    assert api.wake.recv(16)


def test_close_ends_a_waiting_runtime_and_frees_the_port(runtime, api):
    runtime.request("GET", NEXT)
    assert heard(api) == Message("ready")
    api.close()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        runtime.getresponse()
    host, port = api.address.split(":")

    def refused():
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) != 0

    eventually(refused)
    eventually(lambda: "runtime-api" not in {thread.name for thread in threading.enumerate()})


def test_it_listens_on_127_0_0_1(api):
    assert api.address.startswith("127.0.0.1:")
