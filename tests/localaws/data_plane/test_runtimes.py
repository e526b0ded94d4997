"""Node.js, Ruby and runtimes of one's own behave as AWS's; one that is missing says what to install."""

import json
import os
import re
import resource

import pytest

from helpers.localaws.data_plane import capacity, runtimes

pytestmark = pytest.mark.usefixtures("embedded_aws")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def node(make_function):
    def make(code, runtime="nodejs24.x", **configuration):
        return make_function(code, runtime=runtime, **{"Timeout": 10, "MemorySize": 256, **configuration})

    return make


@pytest.fixture
def ruby(make_function, needs):
    needs("ruby")

    def make(code, **configuration):
        return make_function(code, runtime="ruby3.4", **{"Timeout": 10, "MemorySize": 256, **configuration})

    return make


def test_node_hello(node):
    function = node("let n = 0; export const handler = async (event) => ({ event, n: ++n });")
    assert function.invoke({"é": "日"}).payload == {"event": {"é": "日"}, "n": 1}
    assert function.invoke([1]).payload == {"event": [1], "n": 2}
    first, second = function.reports()
    assert first["init"] and not second["init"]
    assert re.match(r"INIT_START Runtime Version: nodejs:\d+\.v\d+\t", function.text())


def test_node_console(node):
    function = node(
        "console.log('at init');\n"
        "export const handler = async (event) => {\n"
        "  console.log('hello %s', 'you', { a: 1 }); console.error('two\\nlines');\n"
        "  console.warn('w'); console.debug('d');\n"
        "  process.stdout.write('plain\\n');\n"
        "};"
    )
    result = function.invoke()
    own = [message.rstrip("\n") for message in function.messages() if not re.match(r"INIT|START|END|REPORT", message)]
    assert re.fullmatch(rf"{TIME}\t-\tINFO\tat init", own[0])  # aws-lambda-ric 4.0.2
    expected = ["INFO\thello you { a: 1 }", "ERROR\ttwo\nlines", "WARN\tw", "DEBUG\td"]
    logged = [message for message in own[1:] if message != "plain"]
    for message, ending in zip(logged, expected, strict=True):
        assert re.fullmatch(rf"{TIME}\t{result.request_id}\t{re.escape(ending)}", message)
    assert "plain" in own


def test_node_exceptions(node):
    function = node(
        "export const handler = async (event) => {\n  if (event.boom) throw new TypeError('bad');\n  return 'well';\n};"
    )
    failed = function.invoke({"boom": 1})
    assert failed.error == "Unhandled"
    assert set(failed.payload) == {"errorType", "errorMessage", "trace"}
    assert (failed.payload["errorType"], failed.payload["errorMessage"]) == ("TypeError", "bad")
    assert failed.payload["trace"][0] == "TypeError: bad" and "app.mjs" in failed.payload["trace"][1]
    assert re.search(rf"^{TIME}\t{failed.request_id}\tERROR\tInvoke Error \t", failed.tail, re.MULTILINE)
    line = next(line for line in failed.tail.splitlines() if "Invoke Error" in line)
    logged = json.loads(line.split("\t")[-1])
    assert (logged["errorType"], logged["errorMessage"], logged["stack"][0]) == ("TypeError", "bad", "TypeError: bad")
    assert function.invoke().payload == "well"
    assert len(function.streams()) == 1


@pytest.mark.parametrize(
    ("code", "handler", "error_type", "words"),
    [
        (
            "import 'no-such-package'; export const handler = 1;",
            "app.handler",
            "Error",  # ERR_MODULE_NOT_FOUND; Runtime.ImportModuleError is MODULE_NOT_FOUND alone
            "no-such-package",
        ),
        (
            "export const other = () => {};",
            "app.handler",
            "Runtime.HandlerNotFound",
            "app.handler is undefined or not exported",
        ),
        ("export const handler = 5;", "app.handler", "Runtime.HandlerNotFound", "app.handler is not a function"),
        (
            "export const handler = async () => {};",
            "nowhere.handler",
            "Runtime.ImportModuleError",
            "Cannot find module 'nowhere'",
        ),
        ("export const handler = async () => {};", "app", "Runtime.MalformedHandlerName", "Bad handler"),
        ("export const handler = async () => {", "app.handler", "Runtime.UserCodeSyntaxError", "SyntaxError"),
        ("throw new RangeError('at import');", "app.handler", "RangeError", "at import"),
    ],
)
def test_node_code_that_cannot_be_loaded(node, code, handler, error_type, words):
    result = node(code, Handler=handler).invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == error_type
    assert words in result.payload["errorMessage"]
    assert f"\tPhase: init\tStatus: error\tError Type: {error_type}\n" in result.tail


def test_node_that_exits(node):
    function = node(
        "export const handler = async (event) => {\n  if (event.exit) process.exit(event.exit);\n  return 'well';\n};"
    )
    ended = function.invoke({"exit": 7})
    assert ended.payload["errorType"] == "Runtime.ExitError"
    assert ended.payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")
    assert function.invoke().payload == "well"


CALLBACK = {
    "app.js": "exports.handler = (event, context, callback) => {\n"
    "  context.callbackWaitsForEmptyEventLoop = !event.hurry;\n"
    "  if (event.never) return 'ignored';\n"
    "  setTimeout(() => event.fail ? callback(new Error('late')) : callback(null, 'called'), 20);\n"
    "  if (event.after) setTimeout(() => console.log('after'), 500);\n};"
}


def test_node_with_a_callback(node):
    function = node(CALLBACK, "nodejs22.x")
    assert function.invoke().payload == "called"
    assert function.invoke({"fail": 1}).payload["errorMessage"] == "late"
    assert function.invoke({"never": 1}).payload is None
    assert "after" in function.invoke({"after": 1}).tail
    hurried = function.invoke({"after": 1, "hurry": 1})
    assert (hurried.payload, "after" in hurried.tail) == ("called", False)
    assert len(function.streams()) == 1


def test_node_24_refuses_a_handler_with_a_callback(node):
    result = node(CALLBACK).invoke()
    assert result.payload["errorType"] == "Runtime.CallbackHandlerDeprecated"
    assert "has removed support for callback-based function handlers" in result.payload["errorMessage"]


def test_node_24_keeps_what_a_handler_returns_at_once_and_node_22_does_not(node):
    code = "export const handler = (event) => 'at once';"
    assert node(code).invoke().payload == "at once"
    assert node(code, "nodejs22.x").invoke().payload is None


def test_node_rejects_and_throws_later(node):
    function = node(
        "export const handler = async (event) => {\n"
        "  if (event.reject) Promise.reject(new Error('nobody waits'));\n"
        "  if (event.later) setTimeout(() => { throw new Error('later'); }, 1);\n"
        "  await new Promise((resolve) => setTimeout(resolve, 200));\n  return 'well';\n};"
    )
    for event, words in (({"reject": 1}, "nobody waits"), ({"later": 1}, "later")):
        result = function.invoke(event)
        assert result.error == "Unhandled"
        assert words in result.tail
    assert function.invoke().payload == "well"


def test_node_context_and_tmp(node):
    function = node(
        "import fs from 'node:fs';\n"
        "export const handler = async (event, context) => {\n"
        "  fs.writeFileSync(`/tmp/${context.functionName}`, 'kept');\n"
        "  const read = fs.readFileSync(`/tmp/${context.functionName}`, 'utf8');\n"
        "  fs.unlinkSync(`/tmp/${context.functionName}`);\n"
        "  const remaining = context.getRemainingTimeInMillis();\n"
        "  return { ...context, remaining, read, env: Object.keys(process.env) };\n};"
    )
    result = function.invoke()
    found = result.payload
    assert found["functionName"] == function.name and found["functionVersion"] == "$LATEST"
    assert found["awsRequestId"] == result.request_id
    assert found["memoryLimitInMB"] == "256"
    assert found["invokedFunctionArn"].endswith(f":function:{function.name}")
    assert found["logGroupName"] == f"/aws/lambda/{function.name}"
    assert [found["logStreamName"]] == function.streams()
    assert 8000 < found["remaining"] <= 10_000
    assert found["read"] == "kept"
    assert not [name for name in found["env"] if name.startswith(("WORKSHOP", "HOME", "_LAMBDA_TELEMETRY"))]


def test_node_timeout_and_memory(node):
    slow = node("export const handler = async () => { await new Promise((r) => setTimeout(r, 60000)); };", Timeout=1)
    assert slow.invoke().payload["errorType"] == "Sandbox.Timedout"
    big = node(
        "export const handler = async () => {\n  const kept = [];\n  for (;;) kept.push(Buffer.alloc(2 ** 20, 1));\n};",
        MemorySize=128,
    )
    assert big.invoke().payload["errorType"] == "Runtime.OutOfMemory"


def test_node_response_too_large(node):
    function = node("export const handler = async (event) => 'x'.repeat(event);", MemorySize=512)
    assert function.invoke(6 * 2**20 + 200).payload["errorType"] == "Function.ResponseSizeTooLarge"
    assert function.invoke(2).payload == "xx"


def test_node_json_log(node):
    function = node(
        "export const handler = async () => { console.log('hello', 1); console.log({ a: 1 }); };",
        LoggingConfig={"LogFormat": "JSON"},
    )
    result = function.invoke()
    events = [json.loads(message) for message in function.messages()]
    own = [event for event in events if "level" in event]
    assert [(event["message"], event["level"], event["requestId"]) for event in own] == [
        ("hello 1", "INFO", result.request_id),
        ({"a": 1}, "INFO", result.request_id),
    ]


def test_ruby_hello(ruby):
    function = ruby(
        '$n = 0\ndef handler(event:, context:)\n  $n += 1\n  puts "hello #{event}"\n  { event: event, n: $n }\nend\n'
    )
    assert function.invoke({"é": "日"}).payload == {"event": {"é": "日"}, "n": 1}
    assert function.invoke([1]).payload == {"event": [1], "n": 2}
    assert "hello [1]\n" in function.messages()
    assert re.match(r"INIT_START Runtime Version: ruby:\d+\.\d+\.v\d+\t", function.text())
    assert len(function.streams()) == 1


def test_ruby_exceptions(ruby):
    function = ruby("def handler(event:, context:)\n  raise ArgumentError, 'bad' if event['boom']\n  'well'\nend\n")
    failed = function.invoke({"boom": 1})
    assert failed.error == "Unhandled"
    assert set(failed.payload) == {"errorType", "errorMessage", "stackTrace"}
    assert (failed.payload["errorType"], failed.payload["errorMessage"]) == ("Function<ArgumentError>", "bad")
    assert "app.rb:2" in failed.payload["stackTrace"][0]
    assert "Function<ArgumentError>" in failed.tail
    assert function.invoke().payload == "well"
    assert len(function.streams()) == 1


@pytest.mark.parametrize(
    ("code", "handler", "error_type", "words"),
    [
        ("require 'no_such_gem'\n", "app.handler", "Init<LoadError>", "no_such_gem"),
        ("", "nowhere.handler", "Init<LoadError>", "nowhere"),
        ("", "app", "Init<ArgumentError>", 'Invalid handler ["app"], must be of form'),
        ("def handler(\n", "app.handler", "Init<SyntaxError>", "app.rb"),
        ("raise 'at load'\n", "app.handler", "Init<RuntimeError>", "at load"),
    ],
)
def test_ruby_code_that_cannot_be_loaded(ruby, code, handler, error_type, words):
    result = ruby(code, Handler=handler).invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == error_type
    assert words in result.payload["errorMessage"]
    named = error_type in ("Init<LoadError>", "Init<ArgumentError>")  # of other classes the platform is told no name
    told = error_type if named else "Function<UserException>"
    assert f"\tPhase: init\tStatus: error\tError Type: {told}\n" in result.tail


def test_ruby_that_exits(ruby):
    function = ruby("def handler(event:, context:)\n  exit! 7 if event['exit']\n  'well'\nend\n")
    ended = function.invoke({"exit": 1})
    assert ended.payload["errorType"] == "Runtime.ExitError"
    assert ended.payload["errorMessage"].endswith("exit status 7")
    assert function.invoke().payload == "well"


def test_ruby_class_method_context_and_tmp(ruby):
    function = ruby(
        {
            "app.rb": (
                "module Shop\n  class Handler\n    def self.process(event:, context:)\n"
                "      path = \"/tmp/#{context.function_name}\"\n      File.write(path, 'kept')\n"
                "      read = File.read(path)\n"
                "      File.delete(path)\n"
                "      [context.aws_request_id, context.function_name,\n"
                "       context.memory_limit_in_mb, context.log_stream_name,\n"
                "       context.get_remaining_time_in_millis, read, ENV.keys]\n    end\n  end\nend\n"
            )
        },
        Handler="app.Shop::Handler.process",
    )
    result = function.invoke()
    request_id, name, memory, stream, remaining, read, names = result.payload
    assert (request_id, name, memory, [stream]) == (result.request_id, function.name, "256", function.streams())
    assert 8000 < remaining <= 10_000
    assert read == "kept"
    assert not [name for name in names if name.startswith(("WORKSHOP", "HOME", "_LAMBDA_TELEMETRY"))]


BOOTSTRAP = """#!/usr/bin/env python3
import os, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/'
print('my own runtime, handler', os.environ['_HANDLER'], flush=True)
while True:
    with opener.open(api + 'next') as answer:
        request_id, event = answer.headers['Lambda-Runtime-Aws-Request-Id'], answer.read()
    echo = b'{"echo": ' + event + b'}'
    opener.open(urllib.request.Request(api + request_id + '/response', data=echo)).close()
"""


def test_a_runtime_of_ones_own(make_function):
    function = make_function(
        {"bootstrap": BOOTSTRAP}, runtime="provided.al2023", executable=("bootstrap",), Handler="any.thing", Timeout=10
    )
    assert [function.invoke(n).payload for n in (1, 2)] == [{"echo": 1}, {"echo": 2}]
    assert "my own runtime, handler any.thing\n" in function.messages()
    assert len(function.streams()) == 1


def test_a_process_starts_with_no_signal_ignored_and_no_descriptor_but_its_own(make_function):
    shell = "#!/bin/sh\ngrep SigIgn /proc/self/status\nls -l /proc/$$/fd\nexec ./bootstrap.py\n"
    function = make_function(
        {"bootstrap": shell, "bootstrap.py": BOOTSTRAP},
        runtime="provided.al2023",
        executable=("bootstrap", "bootstrap.py"),
        Timeout=10,
    )
    assert function.invoke(1).payload == {"echo": 1}
    assert "SigIgn:\t0000000000000000\n" in function.messages()
    # Standard input, output and error, telemetry (one pipe with these two), and the shell's own of its script.
    found = [message.split(" -> ")[1].strip() for message in function.messages() if " -> " in message]
    pipes = [file for file in found if file.startswith("pipe:")]
    assert (len(pipes), len(set(pipes))) == (3, 1)
    others = {file.split("/")[-1] for file in found if file not in pipes}
    assert others == {"null", "bootstrap"}


def test_a_runtime_of_ones_own_without_bootstrap(make_function):
    result = make_function({"other": ""}, runtime="provided.al2023").invoke()
    assert result.payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Couldn't find valid bootstrap(s)" in result.payload["errorMessage"]


def test_a_bootstrap_that_may_not_be_executed(make_function):
    result = make_function({"bootstrap": BOOTSTRAP}, runtime="provided.al2023").invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorType"] in ("Runtime.InvalidEntrypoint", "Runtime.ExitError")
    assert "Permission denied" in result.tail


def test_a_runtime_that_the_embedded_aws_has_not(make_function):
    function = make_function({"function.dll": b""}, runtime="dotnet8")
    for _ in range(2):
        result = function.invoke()
        assert result.error == "Unhandled"
        assert result.payload["errorType"] == "Runtime.InvalidEntrypoint"
        assert (
            "the embedded AWS cannot run dotnet8; it runs python3.x, nodejs2x.x, ruby3.x, java2x and provided.al2023"
            in result.payload["errorMessage"]
        )
    assert function.metric("Errors") == 2


def test_a_program_that_is_not_on_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(runtimes, "_node_wheel", lambda: None)
    monkeypatch.setattr(runtimes, "_java_wheel", lambda: None)
    for name, words in (
        ("ruby3.4", "apt install ruby"),
        ("nodejs24.x", "nodejs.org"),
        ("java21", r"python3 -m helpers java adds it to the environment, 104 MB"),
    ):
        with pytest.raises(runtimes.MissingRuntime, match=words):
            runtimes.find(name, tmp_path, tmp_path, tmp_path)


def test_a_program_on_the_path_is_found_with_its_version(monkeypatch, tmp_path):
    program = tmp_path / "ruby"
    program.write_text("#!/bin/sh\necho 'ruby 3.4.7 (2025)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = runtimes.find("ruby3.4", tmp_path, tmp_path, tmp_path)
    assert (found.version, found.command[0]) == ("ruby:3.4.v7", str(program))
    assert re.fullmatch(r"[0-9a-f]{64}", found.arn_digest)


@pytest.fixture
def program(tmp_path):
    """Write a java that prints this, and exits with this code."""

    def write(folder, printed, code=0):
        (tmp_path / folder / "bin").mkdir(parents=True)
        program = tmp_path / folder / "bin" / "java"
        program.write_text(f"#!/bin/sh\necho '{printed}'\nexit {code}\n")
        program.chmod(0o755)
        return program

    return write


def test_java_is_the_environment_s_then_that_of_java_home_then_that_of_the_path(monkeypatch, program):
    monkeypatch.setattr(runtimes, "_java_wheel", lambda: None)
    on_path, at_home, wheel = (program(f"of-{n}", f"openjdk {n}.0.3 2026") for n in (17, 21, 25))
    monkeypatch.setenv("PATH", f"{on_path.parent}:/usr/bin:/bin")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert runtimes.find_here("java25").command[0] == str(on_path)
    assert runtimes.find_here("java25").version == "java:17.v3"
    monkeypatch.setenv("JAVA_HOME", str(at_home.parent.parent))
    assert runtimes.find_here("java25").version == "java:21.v3"
    monkeypatch.setattr(runtimes, "_java_wheel", lambda: wheel)
    assert runtimes.find_here("java21").version == "java:25.v3"


@pytest.mark.parametrize(
    ("printed", "code", "found"),
    [
        ("openjdk 25 2025-09-16", 0, "java:25.v0"),
        ("openjdk 11.0.2 2019-01-15", 0, "Java 11 is too old, 17 is the oldest that does"),
        ("Unable to locate a Java Runtime", 1, "Java is not installed on this machine"),  # of macOS
    ],
)
def test_what_stands_in_the_place_of_java(monkeypatch, program, printed, code, found):
    wheel = program("any", printed, code)
    monkeypatch.setattr(runtimes, "_java_wheel", lambda: wheel)
    try:
        assert runtimes.find_here("java21").version == found
    except runtimes.MissingRuntime as missing:
        assert str(missing).startswith(found)


def test_python_sees_boto3_and_what_it_requires_and_nothing_else(tmp_path):
    found = runtimes.find("python3.13", tmp_path / "task", tmp_path / "opt", tmp_path / "library")
    folder = found.variables["PYTHONPATH"].split(os.pathsep)[-1]
    modules = {name for name in os.listdir(folder) if not name.endswith(".dist-info")}
    assert {"boto3", "botocore", "s3transfer", "awslambdaric", "urllib3", "dateutil", "jmespath", "six.py"} <= modules
    assert not modules & {"requests", "pandas", "numpy", "ministack", "psutil", "pip", "helpers"}


@pytest.mark.parametrize("free", range(8))
def test_what_python_functions_see_is_made_later_where_few_descriptors_are_left(tmp_path, free):
    """Whatever is the first that there is none for."""
    places = tmp_path / "task", tmp_path / "opt", tmp_path / "library"
    runtimes.find("python3.13", *places)
    runtimes._make_python_library.cache_clear()  # as with the next start of the server
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + free, hard))
    try:
        runtimes.find("python3.13", *places)
    except OSError as error:
        assert error.errno in capacity.USED_UP, "so the call is throttled"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir(runtimes.find("python3.13", *places).variables["PYTHONPATH"])
