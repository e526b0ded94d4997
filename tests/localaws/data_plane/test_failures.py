"""How an invocation fails: error names, payloads and log lines as on AWS, and the environment after."""

import contextlib
import re
import threading

import psutil
import pytest
from localaws_client import DAEMON, UUID

COUNTER = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n"
IMPORT_ERROR = "Unable to import module 'app': No module named 'requests'"


def lines_of(text):
    """Log lines without times and ids, to compare as a whole."""
    text = re.sub(UUID, "<id>", text)
    text = re.sub(r"runtime:[0-9a-f]{64}", "runtime:<digest>", text)
    text = re.sub(r"python:3\.\d+\.v\d+", "python:<version>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)
    text = re.sub(r"\d+\.\d\d ms", "<ms>", text)
    return re.sub(r"(Billed Duration|Max Memory Used): \d+", r"\1: <n>", text).splitlines()


INIT_START = (
    "INIT_START Runtime Version: python:<version>\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:<digest>"
)
START, END = "START RequestId: <id> Version: $LATEST", "END RequestId: <id>"
REPORT = "REPORT RequestId: <id>\tDuration: <ms>\tBilled Duration: <n> ms\tMemory Size: 128 MB\tMax Memory Used: <n> MB"


def test_an_uncaught_exception_leaves_the_environment_warm(make_function):
    function = make_function(
        COUNTER + "    if count == 2:\n        raise ValueError('two\\nlines')\n    return count\n"
    )
    first, second, third = (function.invoke() for _ in range(3))
    assert (first.payload, third.payload) == (1, 3)
    assert (first.error, second.error, third.error) == (None, "Unhandled", None)
    assert second.status == 200
    assert set(second.payload) == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert second.payload["errorMessage"] == "two\nlines"
    assert second.payload["errorType"] == "ValueError"
    assert second.payload["requestId"] == second.request_id
    (frame,) = second.payload["stackTrace"]
    assert "app.py" in frame and "line 6, in handler" in frame
    assert len(function.streams()) == 1
    assert [report["status"] for report in function.reports()] == [None] * 3  # the function's own affair


def test_an_exception_of_the_functions_own_class(make_function):
    function = make_function("class Sold(Exception): pass\ndef handler(event, context):\n    raise Sold('out')\n")
    assert function.invoke().payload["errorType"] == "Sold"


def test_sys_exit_ends_the_process_and_the_next_call_initialises_within_its_duration(make_function):
    function = make_function(
        "import sys, time\ntime.sleep(0.1)\n"
        + COUNTER
        + "    if event == 'exit':\n        sys.exit(3)\n    return count\n"
    )
    assert function.invoke().payload == 1
    ended, after = function.invoke("exit"), function.invoke()
    assert ended.error == "Unhandled"
    assert ended.payload == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {ended.request_id} Error: Runtime exited with error: exit status 3",
    }
    assert lines_of(ended.tail) == [
        START,
        "RequestId: <id> Error: Runtime exited with error: exit status 3",
        "Runtime.ExitError",
        END,
        REPORT + "\tStatus: error\tError Type: Runtime.ExitError",
    ]
    assert after.payload == 1
    _, _, report = function.reports()
    assert report["init"] is None and float(report["duration"]) >= 100
    assert function.text().count("INIT_START") == len(function.streams()) == 1


def test_exit_with_status_0_is_an_error_too(make_function):
    result = make_function("import os\ndef handler(event, context):\n    os._exit(0)\n").invoke()
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith("Error: Runtime exited without providing a reason")


@pytest.mark.parametrize(
    ("crash", "reason"),
    [
        ("ctypes.string_at(0)", "signal: segmentation fault"),
        ("os.abort()", "signal: aborted"),
        ("os.kill(os.getpid(), 9)", "signal: killed"),
    ],
)
def test_a_crash_names_its_signal(make_function, crash, reason):
    function = make_function(
        f"import ctypes, os\ndef handler(event, context):\n    if event:\n        {crash}\n    return 'well'\n"
    )
    crashed = function.invoke(1)
    assert crashed.payload["errorType"] == "Runtime.ExitError"
    assert crashed.payload["errorMessage"].endswith(f" Error: Runtime exited with error: {reason}")
    assert function.invoke(0).payload == "well"


@pytest.mark.parametrize(
    "grow",
    [
        "bytearray(600 * 2**20)",
        "[bytearray(2**20) for _ in range(600)]",
        "subprocess.run([sys.executable, '-S', '-c', 'b = bytearray(600 * 2**20)'])",
        "daemon(sys.executable, '-S', '-c', 'b = bytearray(600 * 2**20); input()'), time.sleep(10)",
    ],
    ids=["at once", "bit by bit", "in a child", "in a daemon"],
)
def test_more_memory_than_the_function_has(make_function, grow):
    function = make_function(
        DAEMON + "import time\n" + COUNTER + f"    if event:\n        kept = {grow}\n    return count\n", Timeout=20
    )
    assert function.invoke(0).payload == 1
    result = function.invoke(1)
    assert result.error == "Unhandled"
    assert result.payload == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed",
    }
    report = function.reports()[-1]
    assert (report["status"], report["error_type"]) == ("error", "Runtime.OutOfMemory")
    assert report["used"] == report["memory"] == "128"
    assert function.invoke(0).payload == 1


def test_memory_that_processes_share_counts_once(make_function):
    function = make_function(
        "import os, time\n"
        "shared = os.urandom(50 * 2**20)\n"
        "def child():\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        time.sleep(1)\n"
        "        os._exit(0)\n"
        "    return pid\n"
        "def handler(event, context):\n"
        "    return [os.waitpid(pid, 0)[1] for pid in [child(), child(), child()]]\n"
    )
    assert function.invoke().payload == [0, 0, 0]
    assert 60 < int(function.reports()[0]["used"]) < 128


def test_memory_below_the_limit_is_fine(make_function):
    function = make_function(
        "def handler(event, context):\n    return len(bytearray(600 * 2**20))\n", MemorySize=1024, Timeout=20
    )
    assert function.invoke().payload == 600 * 2**20


def test_a_timeout_lasts_exactly_the_limit(make_function):
    function = make_function(
        "import os, time\n"
        + COUNTER
        + "    if event:\n        open('/tmp/' + event, 'w').close()\n        time.sleep(60)\n"
        "    return [count, os.path.exists('/tmp/' + context.function_name)]\n",
        Timeout=1,
    )
    late = function.invoke(function.name)
    assert (late.status, late.error) == (200, "Unhandled")
    assert late.payload == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {late.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert "\tDuration: 1000.00 ms\t" in late.tail
    assert lines_of(late.tail) == [
        START,
        "<time> <id> Task timed out after 1.00 seconds",
        "",
        END,
        REPORT + "\tInit Duration: <ms>\tStatus: timeout",
    ]
    after = function.invoke("")
    assert after.payload == [1, True]  # a new process, and /tmp as it was
    assert function.reports()[-1]["init"] is None
    assert len(function.streams()) == 1


def test_the_remaining_time_counts_down_from_the_limit(make_function):
    function = make_function(
        "import time\ndef handler(event, context):\n    first = context.get_remaining_time_in_millis()\n"
        "    time.sleep(0.2)\n    return first, context.get_remaining_time_in_millis()\n",
        Timeout=7,
    )
    first, second = function.invoke().payload
    assert 6000 < first <= 7000
    assert first - second >= 200


def test_a_failed_import(make_function):
    function = make_function("import requests\ndef handler(event, context): pass\n")
    first, second = function.invoke(), function.invoke()
    for result in (first, second):
        assert (result.status, result.error) == (200, "Unhandled")
        assert result.payload["errorType"] == "Runtime.ImportModuleError"
        assert result.payload["errorMessage"] == IMPORT_ERROR
    own = f"[ERROR] Runtime.ImportModuleError: {IMPORT_ERROR}"
    ending = "\tStatus: error\tError Type: Runtime.ImportModuleError"
    in_init, in_invoke = (f"INIT_REPORT Init Duration: <ms>\tPhase: {phase}{ending}" for phase in ("init", "invoke"))
    interesting = [
        line
        for line in lines_of(first.tail + second.tail)
        if line.startswith(("INIT", "START", "END", "REPORT", "[ERROR]"))
    ]
    assert interesting == [
        own,
        in_init,
        own,
        in_invoke,
        START,
        END,
        REPORT + ending,
        own,
        in_invoke,
        START,
        END,
        REPORT + ending,
    ]


@pytest.mark.parametrize(
    ("handler", "code", "error_type", "words"),
    [
        (
            "app.missing",
            "def handler(event, context): pass",
            "Runtime.HandlerNotFound",
            "Handler 'missing' missing on module 'app'",
        ),
        ("nowhere.handler", "", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("nodot", "", "Runtime.MalformedHandlerName", "Bad handler 'nodot'"),
        ("app.handler", "def handler(event, context)\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("app.handler", "raise LookupError('at import')", "LookupError", "at import"),
    ],
)
def test_code_that_cannot_be_loaded(make_function, handler, code, error_type, words):
    function = make_function(code, Handler=handler)
    result = function.invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == error_type
    assert words in result.payload["errorMessage"]
    assert f"\tStatus: error\tError Type: {error_type}" in result.tail
    assert function.reports()[-1]["error_type"] == error_type


def test_exit_while_loading(make_function):
    result = make_function("import sys\nsys.exit(4)\n").invoke()
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 4")


def test_an_init_that_fails_once_and_then_succeeds(make_function):
    function = make_function(
        "import os\nmark = '/tmp/' + os.environ['AWS_LAMBDA_FUNCTION_NAME']\n"
        "if not os.path.exists(mark):\n    open(mark, 'w').close()\n    raise OSError('not yet')\n"
        "os.remove(mark)\ndef handler(event, context):\n    return 'ready'\n"
    )
    result = function.invoke()
    assert (result.error, result.payload) == (None, "ready")
    assert "\tPhase: init\tStatus: error\tError Type: OSError" in function.text()
    assert function.reports()[0]["init"] is None


def test_an_init_of_over_ten_seconds_is_run_again_within_the_functions_limit(make_function):
    function = make_function(
        "import time\ntime.sleep(11)\ndef handler(event, context):\n    return 'ready'\n", Timeout=15
    )
    result = function.invoke()
    assert result.payload == "ready"
    lines = lines_of(function.text())[1:]
    assert lines == ["INIT_REPORT Init Duration: <ms>\tPhase: init\tStatus: timeout", START, END, REPORT + "\t"]
    (init_ms,) = re.findall(r"INIT_REPORT Init Duration: ([\d.]+) ms", function.text())
    assert 9990 <= float(init_ms) <= 10_000
    assert 11_000 <= float(function.reports()[0]["duration"]) < 15_000


@pytest.mark.parametrize("value", ["{1, 2}", "object()"])
def test_a_result_that_json_cannot_hold(make_function, value):
    function = make_function(f"def handler(event, context):\n    return {value}\n")
    result = function.invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "Runtime.MarshalError"
    assert re.match(
        r"Unable to marshal response: Object of type \w+ is not JSON serializable", result.payload["errorMessage"]
    )
    function.invoke()
    assert len(function.streams()) == 1


def test_a_child_that_holds_the_output_open_does_not_delay_the_answer(make_function):
    function = make_function(
        "import subprocess, sys\n"
        "def handler(event, context):\n"
        "    subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        "    return 'answered'\n",
        Timeout=10,
    )
    assert [function.invoke().payload for _ in range(2)] == ["answered"] * 2
    assert all(float(report["duration"]) < 5000 for report in function.reports())


def test_an_exception_with_a_very_long_message_is_an_exception(make_function):
    function = make_function("def handler(event, context):\n    raise ValueError('x' * 200_000)\n")
    result = function.invoke()
    assert (result.error, result.payload["errorType"]) == ("Unhandled", "ValueError")
    assert len(result.payload["errorMessage"]) == 200_000


ASK = """
import http.client, os
def ask(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'], timeout=20)
    connection.request(method, '/2018-06-01/runtime/' + path, body, headers)
    return connection.getresponse().status
"""


def test_a_function_that_answers_for_another_request_is_refused_and_goes_on(make_function):
    function = make_function(
        f"{ASK}\ndef handler(event, context):\n"
        "    made_up = ask('POST', 'invocation/11111111-2222-3333-4444-555555555555/response', 'made up')\n"
        "    return [made_up, ask('POST', 'init/error', 'made up')]\n"
    )
    assert [function.invoke().payload for _ in range(2)] == [[400, 403]] * 2


def test_a_function_that_answers_for_itself_and_then_returns_has_answered_once(make_function):
    function = make_function(
        f"{ASK}\ndef handler(event, context):\n"
        "    ask('POST', f'invocation/{context.aws_request_id}/response', str(event))\n"
        "    return 'later'\n"
    )
    assert [function.invoke(number).payload for number in (1, 2)] == [1, 2]


@contextlib.contextmanager
def most_memory(aws):
    """Gives a function that tells by how many MB at most the server has grown meanwhile."""
    server, ended = psutil.Process(aws.pid), threading.Event()
    seen = [server.memory_info().rss]

    def watch():
        while not ended.wait(0.005):
            seen.append(server.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield lambda: (max(seen) - seen[0]) / 2**20
    finally:
        ended.set()
        watching.join()


@pytest.mark.parametrize(
    "body", ["b'x' * (200 * 2**20)", "(b'x' * 2**20 for _ in range(200))"], ids=["at once", "in chunks"]
)
def test_a_response_of_200_mb_costs_the_server_no_memory(make_function, embedded_aws, body):
    """Its end is not waited for: the connection is closed, and the process that fails by that is started anew."""
    function = make_function(
        f"{ASK}\ndef handler(event, context):\n"
        "    if event == 'small':\n"
        "        return event\n"
        f"    ask('POST', f'invocation/{{context.aws_request_id}}/response', {body})\n",
        MemorySize=512,
        Timeout=60,
    )
    with most_memory(embedded_aws) as grown_by:
        assert function.invoke().payload["errorType"] == "Function.ResponseSizeTooLarge"
    assert grown_by() < 50
    assert function.invoke("small").payload == "small"


@pytest.mark.parametrize("when", ["in the handler", "in init"])
def test_an_error_of_10_mb_is_refused_as_a_response_is(make_function, when):
    failing = "raise ValueError('x' * 10 * 2**20)\n"
    code = failing if when == "in init" else f"def handler(event, context):\n    {failing}"
    function = make_function(code, MemorySize=512, Timeout=60)
    result = function.invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == ("ValueError" if when == "in init" else "Function.ResponseSizeTooLarge")
    assert function.reports()[-1]["error_type"] == result.payload["errorType"]


def test_a_hundred_connections_to_the_runtime_api_have_few_threads_in_the_server(make_function, embedded_aws):
    function = make_function(
        "import os, socket\n"
        "kept = []\n"
        "def handler(event, context):\n"
        "    host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')\n"
        "    for _ in range(event):\n"
        "        kept.append(socket.create_connection((host, int(port))))\n"
        "    return len(kept)\n",
        Timeout=30,
    )
    function.invoke(0)
    server = psutil.Process(embedded_aws.pid)
    before = server.num_threads()
    assert function.invoke(100).payload == 100
    assert server.num_threads() - before < 30
    assert function.invoke(0).payload == 100
