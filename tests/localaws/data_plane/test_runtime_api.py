"""The Runtime API, with a runtime that is nothing but an HTTP client."""

import base64
import contextlib
import http.client
import json
import os
import selectors
import socket
import tracemalloc
from dataclasses import replace

import pytest
from localaws_client import eventually
from served_runtime_api import ServedRuntimeApi

from helpers.localaws.data_plane import bounded_http, runtime_api
from helpers.localaws.data_plane.credentials import ContainerCredentials, Credentials
from helpers.localaws.data_plane.runtime_api import MAX_RESPONSE_BYTES, Invocation, Message, RuntimeApi

ID = "11111111-2222-3333-4444-555555555555"
INVOCATION = Invocation(ID, b'{"a": 1}', 1700000000000, "arn:aws:lambda:x", "Root=1", '{"custom": {}}')
NEXT = "/2018-06-01/runtime/invocation/next"
RESPONSE = f"/2018-06-01/runtime/invocation/{ID}/response"
ERROR = f"/2018-06-01/runtime/invocation/{ID}/error"
INIT_ERROR = "/2018-06-01/runtime/init/error"
RESTORE_NEXT = "/2018-06-01/runtime/restore/next"
RESTORE_ERROR = "/2018-06-01/runtime/restore/error"
CREDENTIALS = "/2021-04-23/credentials"


@pytest.fixture
def api():
    api = ServedRuntimeApi()
    yield api
    api.close()


@pytest.fixture
def runtime(api):
    host, port = api.address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    yield connection
    connection.close()


@pytest.fixture
def served():
    """Serve a Runtime API; `served(restored=True)` gives it, and a connection of a runtime."""
    with contextlib.ExitStack() as stack:

        def serve(**options):
            api = ServedRuntimeApi(**options)
            stack.callback(api.close)
            host, port = api.address.split(":")
            return api, stack.enter_context(contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=10)))

        yield serve


def ask(runtime, method, path, body=None, headers=None, **options):
    runtime.request(method, path, body, headers or {}, **options)
    answer = runtime.getresponse()
    return answer.status, dict(answer.headers), answer.read()


def heard(api):
    return api.heard()


def answered(runtime, method, path, body=None, headers=None, **options):
    """The status of an answer, and the type of its error."""
    status, _, body = ask(runtime, method, path, body, headers, **options)
    return status, json.loads(body).get("errorType")


def begun(api, runtime):
    """The runtime has taken the invocation."""
    api.give(INVOCATION)
    ask(runtime, "GET", NEXT)
    assert heard(api) == Message("ready")
    return runtime


def said(api, data):
    """The status that a connection of its own gets for these bytes, after which it sends no more."""
    host, port = api.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read())["errorType"]


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
    status, _, body = ask(begun(api, runtime), "POST", RESPONSE, b'"done"')
    assert (status, json.loads(body)) == (202, {"status": "OK"})
    assert heard(api) == Message("response", ID, b'"done"')


def test_a_response_in_chunks(api, runtime):
    chunks = [b'"', b"x" * 70_000, b'"']
    status, *_ = ask(
        begun(api, runtime),
        "POST",
        RESPONSE,
        iter(chunks),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert status == 202
    assert heard(api) == Message("response", ID, b"".join(chunks))


def test_an_error(api, runtime):
    status, *_ = ask(
        begun(api, runtime), "POST", ERROR, b'{"errorType": "E"}', {"Lambda-Runtime-Function-Error-Type": "Unhandled"}
    )
    assert status == 202
    assert heard(api) == Message("error", ID, b'{"errorType": "E"}', "Unhandled")


def test_an_init_error(api, runtime):
    status, *_ = ask(
        runtime, "POST", INIT_ERROR, b"{}", {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"}
    )
    assert status == 202
    assert heard(api) == Message("init-error", "", b"{}", "Runtime.ImportModuleError")


@pytest.mark.parametrize("path", [RESPONSE, ERROR])
def test_an_answer_as_long_as_may_be(api, runtime, path):
    assert answered(begun(api, runtime), "POST", path, b"x" * MAX_RESPONSE_BYTES) == (202, None)
    assert len(heard(api).body) == MAX_RESPONSE_BYTES


TOO_LONG = MAX_RESPONSE_BYTES + 1
TOO_LARGE = 413, "RequestEntityTooLarge"


@pytest.mark.parametrize("path", [RESPONSE, ERROR])
@pytest.mark.parametrize("body", [b"x" * TOO_LONG, [b"x" * 2**20] * 7], ids=["at once", "in chunks"])
def test_a_longer_answer_is_refused_and_not_kept(api, runtime, path, body):
    assert answered(begun(api, runtime), "POST", path, body) == TOO_LARGE
    assert heard(api) == Message("too-large", ID)
    api.give(Invocation("next", b"1", 1, "arn"))
    assert ask(runtime, "GET", NEXT)[2] == b"1"  # the same connection serves on


def test_a_longer_init_error_is_one_without_a_body(api, runtime):
    type_ = {"Lambda-Runtime-Function-Error-Type": "Runtime.Unknown"}
    assert answered(runtime, "POST", INIT_ERROR, b"x" * TOO_LONG, type_) == TOO_LARGE
    assert heard(api) == Message("init-error", "", b"", "Runtime.Unknown")


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 9999999999999\r\n\r\n" + b"x" * 2**20,
        b"Transfer-Encoding: chunked\r\n\r\n" + b"fffffffffff\r\n" + b"x" * 2**20,
    ],
    ids=["a length", "a chunk"],
)
def test_a_response_of_terabytes_is_given_up_before_it_has_come(api, runtime, monkeypatch, body):
    monkeypatch.setattr(bounded_http, "MAX_DRAINED_BYTES", 2**19)
    monkeypatch.setattr(runtime_api, "MAX_RESPONSE_BYTES", 1000)
    begun(api, runtime)
    host, port = api.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST " + RESPONSE.encode() + b" HTTP/1.1\r\n" + body)
        assert heard(api) == Message("too-large", ID)


def test_memory_for_a_response_is_bounded_by_what_may_be_long_not_by_what_comes(api, runtime):
    tracemalloc.start()
    try:
        assert answered(begun(api, runtime), "POST", RESPONSE, (b"x" * 2**20 for _ in range(48))) == TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_RESPONSE_BYTES
    finally:
        tracemalloc.stop()


INVALID_ID = 400, "InvalidRequestID"
NOT_NOW = 403, "InvalidStateTransition"


@pytest.mark.parametrize("what", ["response", "error"])
@pytest.mark.parametrize("request_id", ["another", ID + "0", ID.upper() + "A", ""])
def test_an_answer_to_another_request_is_refused_and_the_right_one_goes_on(api, runtime, request_id, what):
    begun(api, runtime)
    path = f"/2018-06-01/runtime/invocation/{request_id}/{what}"
    status, _, body = ask(runtime, "POST", path, b"1")
    assert (status, json.loads(body)) == (400, {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
    assert not api.messages
    assert answered(runtime, "POST", RESPONSE, b"2") == (202, None)
    assert heard(api) == Message("response", ID, b"2")


def test_an_answer_before_there_is_an_invocation_is_refused(api, runtime):
    assert answered(runtime, "POST", RESPONSE, b"1") == INVALID_ID
    assert not api.messages


def test_an_answer_to_an_invocation_that_was_not_taken_is_refused(api, runtime):
    api.give(INVOCATION)
    status, _, body = ask(runtime, "POST", RESPONSE, b"1")
    assert (status, json.loads(body)["errorMessage"]) == (
        403,
        "State transition from Started to InvocationResponse failed for runtime. "
        "Error: State transition is not allowed",
    )
    assert not api.messages


@pytest.mark.parametrize("second", [RESPONSE, ERROR])
@pytest.mark.parametrize("first", [RESPONSE, ERROR])
def test_a_second_answer_is_refused(api, runtime, first, second):
    assert answered(begun(api, runtime), "POST", first, b"1") == (202, None)
    assert heard(api).body == b"1"
    assert answered(runtime, "POST", second, b"2") == NOT_NOW
    assert not api.messages


def test_an_answer_to_the_invocation_before_is_refused(api, runtime):
    ask(begun(api, runtime), "POST", RESPONSE, b"1")
    api.give(Invocation("next", b"1", 1, "arn"))
    ask(runtime, "GET", NEXT)
    assert answered(runtime, "POST", RESPONSE, b"1") == INVALID_ID


def test_an_init_error_after_init_is_refused(api, runtime):
    assert answered(begun(api, runtime), "POST", INIT_ERROR, b"{}") == NOT_NOW
    assert not api.messages


def test_after_an_init_error_there_is_no_next(api, runtime):
    assert answered(runtime, "POST", INIT_ERROR, b"{}") == (202, None)
    assert answered(runtime, "GET", NEXT) == NOT_NOW
    assert answered(runtime, "POST", INIT_ERROR, b"{}") == NOT_NOW


def test_who_asks_again_gets_the_invocation_again_and_is_ready_once(api, runtime):
    begun(api, runtime)
    for _ in range(50):
        assert ask(runtime, "GET", NEXT)[2] == INVOCATION.payload
    assert not api.messages


def test_a_second_answer_while_the_first_one_comes_is_refused(api, runtime):
    begun(api, runtime)
    host, port = api.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as first:
        first.sendall(f"POST {RESPONSE} HTTP/1.1\r\nContent-Length: 3\r\n\r\n1".encode())
        eventually(lambda: answered(runtime, "GET", NEXT) == NOT_NOW)
        assert answered(runtime, "POST", RESPONSE, b"2") == NOT_NOW
        first.sendall(b"23")
        assert heard(api) == Message("response", ID, b"123")


def post(headers, body=b""):
    return b"POST " + RESPONSE.encode() + b" HTTP/1.1\r\n" + headers + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
UNREADABLE = {
    "negative length": post(b"Content-Length: -1\r\n"),
    "a word for a length": post(b"Content-Length: many\r\n"),
    "a length that only Python reads": post(b"Content-Length: 1_0\r\n", b"x" * 10),
    "a length of a thousand digits": post(b"Content-Length: " + b"9" * 1000 + b"\r\n"),
    "two lengths": post(b"Content-Length: 1\r\nContent-Length: 2\r\n", b"12"),
    "an unknown encoding": post(b"Transfer-Encoding: gzip, chunked\r\n"),
    "a word for a chunk's size": post(CHUNKED, b"many\r\n"),
    "a negative size of a chunk": post(CHUNKED, b"-1\r\n"),
    "no size of a chunk": post(CHUNKED, b"\r\n"),
    "a size of a chunk that does not end": post(CHUNKED, b"1" * 5000),
    "a chunk that is longer than it says": post(CHUNKED, b"1\r\nxxx\r\n0\r\n\r\n"),
    "a trailer that does not end": post(CHUNKED, b"0\r\n" + b"x" * 5000),
}


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused_and_the_right_one_heard(api, runtime, request_):
    begun(api, runtime)
    assert said(api, request_) == (400, "InvalidRequest")
    assert not api.messages
    assert answered(runtime, "POST", RESPONSE, b"2") == (202, None)


@pytest.mark.parametrize("request_", [post(b"Content-Length: 9\r\n", b"1"), post(CHUNKED, b"9\r\n1")])
def test_a_body_that_ends_early_is_refused_and_the_right_one_heard(api, runtime, request_):
    begun(api, runtime)
    assert said(api, request_) == (400, "TruncatedHTTPRequest")
    assert not api.messages
    assert answered(runtime, "POST", RESPONSE, b"2") == (202, None)


def test_a_trailer_after_the_last_chunk_is_passed_over(api, runtime):
    begun(api, runtime)
    host, port = api.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(post(CHUNKED, b"1;name=value\r\n7\r\n0\r\nA-Trailer: 1\r\n\r\n"))
        assert heard(api) == Message("response", ID, b"7")


NONSENSE = {
    "no request": (b"\x00\xff nonsense\r\n\r\n", 400),
    "a version that is none": (b"GET / HTTP/nine\r\n\r\n", 400),
    "a path that does not end": (b"GET /" + b"x" * 65_540 + b" HTTP/1.1\r\n\r\n", 414),
    "a hundred thousand headers": (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000 + b"\r\n", 431),
    "an unknown method": (b"BREW " + NEXT.encode() + b" HTTP/1.1\r\n\r\n", 405),
    "a method that is not for this": (b"DELETE " + RESPONSE.encode() + b" HTTP/1.1\r\n\r\n", 405),
}


@pytest.mark.parametrize(("request_", "status"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused(api, runtime, request_, status):
    assert said(api, request_) == (status, "InvalidRequest")
    assert begun(api, runtime)


def test_headers_that_do_not_end_cost_a_bounded_amount(api, runtime):
    tracemalloc.start()
    try:
        host, port = api.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection, pytest.raises(OSError):
            connection.sendall(b"GET / HTTP/1.1\r\n")
            for _ in range(64):
                connection.sendall(b"a: " + b"x" * 2**20)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_a_header_that_is_too_long_is_left_out(api, runtime):
    """The stack trace that awslambdaric sends, of up to 1 MiB."""
    headers = {"Lambda-Runtime-Function-XRay-Error-Cause": "x" * 2**20, "Lambda-Runtime-Function-Error-Type": "E"}
    assert answered(begun(api, runtime), "POST", ERROR, b"{}", headers) == (202, None)
    assert heard(api) == Message("error", ID, b"{}", "E")


def connect(api):
    host, port = api.address.split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def is_open(connection):
    """Whether the other end has not closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True


def test_few_connections_are_served_at_a_time_and_the_others_later(api):
    first = [connect(api) for _ in range(bounded_http.CONNECTIONS)]
    last = connect(api)
    last.sendall(b"GET / HTTP/1.1\r\n\r\n")
    for connection in first:  # each is served
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")
    last.setblocking(False)
    with pytest.raises(BlockingIOError):
        last.recv(1)
    last.settimeout(10)
    first.pop().close()
    assert last.recv(100).startswith(b"HTTP/1.1 404 ")
    for connection in (*first, last):
        connection.close()


def test_many_connections_are_all_served(api):
    made = [connect(api) for _ in range(100)]
    for connection in made:
        connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    for connection in made:
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")
        connection.close()


def test_it_can_be_closed_while_connections_wait_for_a_place(api):
    made = [connect(api) for _ in range(2 * bounded_http.CONNECTIONS)]
    api.close()
    for connection in made:
        with contextlib.suppress(ConnectionError):
            eventually(lambda connection=connection: not is_open(connection))
        connection.close()


def test_a_connection_that_ends_gives_its_descriptor_back(api):
    connect(api).close()
    before = len(os.listdir("/dev/fd"))
    for _ in range(50):
        connect(api).close()
    eventually(lambda: len(os.listdir("/dev/fd")) <= before + 1)


def test_who_waited_for_the_next_invocation_and_has_gone_does_not_take_it(api, runtime):
    for _ in range(3):
        with connect(api) as gone:
            gone.sendall(f"GET {NEXT} HTTP/1.1\r\n\r\n".encode())
            eventually(lambda: api.waiting == 1)
        api.give(INVOCATION)
        assert ask(runtime, "GET", NEXT)[2] == INVOCATION.payload
        ask(runtime, "POST", RESPONSE, b"1")


def test_the_next_request_on_a_connection_may_come_before_the_answer(api):
    api.give(INVOCATION)
    with connect(api) as connection:
        post = f"POST {RESPONSE} HTTP/1.1\r\nContent-Length: 1\r\n\r\n7"
        connection.sendall(f"GET {NEXT} HTTP/1.1\r\n\r\n{post}".encode())
        assert [heard(api), heard(api)] == [Message("ready"), Message("response", ID, b"7")]


def test_who_waits_to_be_told_to_go_on_with_a_body_is_told(api, runtime):
    """As curl does, by which AWS's own clients of Python and Node.js talk."""
    begun(api, runtime)
    with connect(api) as connection:
        connection.sendall(post(b"Expect: 100-continue\r\nContent-Length: 1\r\n"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"7")
        assert heard(api) == Message("response", ID, b"7")


@pytest.mark.parametrize(
    ("head", "stays"), [("1.1\r\n", True), ("1.1\r\nConnection: close\r\n", False), ("1.0\r\n", False)]
)
def test_a_connection_stays_as_its_client_asks(api, head, stays):
    with connect(api) as connection:
        connection.sendall(f"GET / HTTP/{head}\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")
        assert is_open(connection) if stays else eventually(lambda: not is_open(connection)) or True


def test_a_payload_that_is_longer_than_what_the_system_holds_arrives(api):
    api.give(Invocation(ID, b"x" * MAX_RESPONSE_BYTES, 1, "arn"))
    with connect(api) as connection:
        connection.sendall(f"GET {NEXT} HTTP/1.1\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert len(answer.read()) == MAX_RESPONSE_BYTES


def test_a_client_context_of_any_characters_and_lines_is_one_header(api, runtime):
    api.give(Invocation(ID, b"1", 1, "arn", client_context='{"custom":\n {"name": "Ünï 日本"}}'))
    _, headers, body = ask(runtime, "GET", NEXT)
    told = headers["Lambda-Runtime-Client-Context"].encode("latin-1").decode()  # as http.client reads it
    assert (json.loads(told), body) == ({"custom": {"name": "Ünï 日本"}}, b"1")


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
    assert not api.messages


def test_one_connection_serves_many_invocations(api, runtime):
    for number in range(20):
        api.give(Invocation(str(number), str(number).encode(), 1, "arn"))
        _, headers, body = ask(runtime, "GET", NEXT)
        assert (headers["Lambda-Runtime-Aws-Request-Id"], body) == (str(number), str(number).encode())
        ask(runtime, "POST", f"/2018-06-01/runtime/invocation/{number}/response", body)
    assert [heard(api).kind for _ in range(40)] == ["ready", "response"] * 20


def test_close_ends_all_who_wait_for_the_next_invocation(api):
    waiting = [http.client.HTTPConnection(*api.address.split(":"), timeout=10) for _ in range(5)]
    for connection in waiting:
        connection.request("GET", NEXT)
    eventually(lambda: api.waiting == len(waiting))
    assert heard(api) == Message("ready") and not api.messages
    api.close()
    for connection in waiting:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            connection.getresponse()


def test_close_frees_the_port(api):
    api.close()
    host, port = api.address.split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def test_nothing_is_served_while_nobody_waits():
    api = RuntimeApi()
    with connect(api) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert is_open(connection) and not api.messages
        connection.settimeout(10)
        while not api.wait(10)[1]:
            pass
        api.wait(10)
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")
    api.close()


def test_other_things_can_be_waited_for_too():
    api, (read, write) = RuntimeApi(), os.pipe()
    api.selector.register(read, selectors.EVENT_READ)
    assert api.wait(0) == (set(), False)
    os.write(write, b"!")
    assert api.wait(10) == ({read}, False)
    api.close()
    os.close(read)
    os.close(write)


def test_it_listens_on_127_0_0_1(api):
    assert api.address.startswith("127.0.0.1:")


def test_without_snapstart_there_is_no_restore(api, runtime):
    assert answered(runtime, "GET", RESTORE_NEXT) == (404, "InvalidPath")
    assert answered(runtime, "GET", CREDENTIALS) == (404, "InvalidPath")


def test_who_is_to_be_a_snapshot_says_so_and_gets_no_answer(served):
    api, runtime = served(restored=False)
    runtime.request("GET", RESTORE_NEXT)
    assert api.heard() == Message("snapshot")
    assert is_open(runtime.sock)


def test_who_was_restored_is_answered_and_goes_on(served):
    api, runtime = served(restored=True)
    status, _, body = ask(runtime, "GET", RESTORE_NEXT)
    assert (status, body, api.heard()) == (200, b"", Message("restored"))
    api.give(INVOCATION)
    assert ask(runtime, "GET", NEXT)[2] == INVOCATION.payload
    assert api.heard() == Message("ready")
    assert answered(runtime, "GET", RESTORE_NEXT) == (403, "InvalidStateTransition")


def test_an_error_after_the_restore(served):
    api, runtime = served(restored=True)
    assert answered(runtime, "POST", RESTORE_ERROR, b"{}") == (403, "InvalidStateTransition")
    ask(runtime, "GET", RESTORE_NEXT)
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.AfterRestoreError"}
    assert ask(runtime, "POST", RESTORE_ERROR, b'{"errorType": "ValueError"}', headers)[0] == 202
    assert api.heard() == Message("restored")
    said = api.heard()
    assert (said.kind, said.error_type) == ("restore-error", "Runtime.AfterRestoreError")
    assert said.body == b'{"errorType": "ValueError"}'
    assert answered(runtime, "GET", NEXT) == (403, "InvalidStateTransition")


def test_credentials_are_for_who_has_their_token(served):
    credentials = ContainerCredentials(Credentials("ASIAKEY", "secret", "session"))
    _, runtime = served(restored=True, credentials=credentials)
    token = credentials.variables("http://any")["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    assert answered(runtime, "GET", CREDENTIALS) == (401, "Unauthorized")
    assert answered(runtime, "GET", CREDENTIALS, headers={"Authorization": token[1:]}) == (401, "Unauthorized")
    status, _, body = ask(runtime, "GET", CREDENTIALS, headers={"Authorization": token})
    told = json.loads(body)
    assert status == 200
    assert told.pop("Expiration") > "2026"
    assert told == {"AccessKeyId": "ASIAKEY", "SecretAccessKey": "secret", "Token": "session"}


# Response streaming: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html

STREAMED = b"Lambda-Runtime-Function-Response-Mode: streaming\r\n" + CHUNKED
WRONG = base64.b64encode(b'{"errorType": "E"}')
TRAILERS = (
    b"Lambda-Runtime-Function-Error-Type: E\r\nLambda-Runtime-Function-Error-Body: " + WRONG + b"\r\nOther: x\r\n"
)


class Heard:
    """A stream that keeps all that comes, and has room where the test says so."""

    def __init__(self, has_room=True):
        self.content_type, self.pieces, self.has_room, self.waiting = None, [], has_room, []

    def begin(self, content_type):
        self.content_type = content_type

    def write(self, piece):
        self.pieces.append(piece)
        return self.has_room

    def when_room(self, tell):
        self.waiting.append(tell)


def begun_streaming(api, runtime, has_room=True):
    """The runtime has taken an invocation with this stream."""
    stream = Heard(has_room)
    api.give(replace(INVOCATION, stream=stream))
    ask(runtime, "GET", NEXT)
    assert heard(api) == Message("ready")
    return stream


@contextlib.contextmanager
def sender(api):
    host, port = api.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def test_a_streamed_response_is_passed_on_as_it_comes(api, runtime):
    stream = begun_streaming(api, runtime)
    with sender(api) as connection:
        connection.sendall(post(STREAMED + b"Content-Type: text/html\r\n", b"3\r\none\r\n"))
        eventually(lambda: stream.pieces)
        assert (stream.content_type, stream.pieces) == ("text/html", [b"one"])
        assert not api.messages, "it goes on"
        connection.sendall(b"3\r\ntwo\r\n0\r\n\r\n")
        assert heard(api) == Message("response", ID, b"")
    assert stream.pieces == [b"one", b"two"]
    assert answered(runtime, "POST", RESPONSE, b"2") == (403, "InvalidStateTransition")


def test_a_stream_of_a_known_length_and_of_no_known_type(api, runtime):
    stream = begun_streaming(api, runtime)
    headers = {"Lambda-Runtime-Function-Response-Mode": "streaming"}
    assert answered(runtime, "POST", RESPONSE, b"one", headers) == (202, None)
    assert (stream.content_type, b"".join(stream.pieces)) == ("application/octet-stream", b"one")


@pytest.mark.parametrize("is_read", [True, False])
def test_an_error_in_the_trailers(api, runtime, is_read):
    begun_streaming(api, runtime) if is_read else begun(api, runtime)
    with sender(api) as connection:
        connection.sendall(post(STREAMED, b"3\r\none\r\n0\r\n" + TRAILERS + b"\r\n"))
        assert heard(api) == Message("error", ID, b'{"errorType": "E"}', "E")


def test_what_nobody_reads_as_it_comes_is_a_response_like_others(api, runtime):
    begun(api, runtime)
    with sender(api) as connection:
        connection.sendall(post(STREAMED, b"3\r\none\r\n0\r\n\r\n"))
        assert heard(api) == Message("response", ID, b"one")


@pytest.mark.parametrize("is_read", [True, False])
def test_a_streamed_response_that_breaks_off_is_over(api, runtime, is_read):
    begun_streaming(api, runtime) if is_read else begun(api, runtime)
    assert said(api, post(STREAMED, b"3\r\none\r\n")) == (400, "TruncatedHTTPRequest")
    assert heard(api) == Message("truncated", ID)
    api.give(Invocation("next", b"2", 1, "arn"))
    assert ask(runtime, "GET", NEXT)[2] == b"2"


def test_an_unknown_mode(api, runtime):
    begun(api, runtime)
    headers = {"Lambda-Runtime-Function-Response-Mode": "steaming"}
    assert answered(runtime, "POST", RESPONSE, b"one", headers) == (400, "InvalidFunctionResponseMode")
    assert heard(api) == Message("error", ID, b"", "Runtime.InvalidResponseModeHeader")


def test_a_runtime_waits_while_its_stream_has_no_room(api, runtime):
    stream = begun_streaming(api, runtime, has_room=False)
    with sender(api) as connection:
        connection.sendall(post(STREAMED, b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"))
        eventually(lambda: stream.waiting)
        assert (stream.pieces, list(api.messages)) == ([b"one"], [])
        stream.waiting.pop()()
        eventually(lambda: stream.waiting)
        assert (stream.pieces, list(api.messages)) == ([b"one", b"two"], [])
        stream.waiting.pop()()
        assert heard(api) == Message("response", ID, b"")


def test_a_stream_that_is_too_large(api, runtime, monkeypatch):
    monkeypatch.setattr(runtime_api, "MAX_STREAMED_BYTES", 5)
    stream = begun_streaming(api, runtime)
    with sender(api) as connection:
        connection.sendall(post(STREAMED, b"3\r\none\r\n3\r\ntwo\r\n"))
        assert heard(api) == Message("too-large", ID, limit=5)
    assert stream.pieces == [b"one"]


def test_the_tenant_is_a_header(api, runtime):
    api.give(replace(INVOCATION, tenant_id="blue"))
    _, headers, _ = ask(runtime, "GET", NEXT)
    assert headers["Lambda-Runtime-Aws-Tenant-Id"] == "blue"
