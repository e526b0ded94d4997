"""Functions in Java: the shapes of a handler, their errors and logs, and the JVM within an environment's limits."""

import base64
import json
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from localaws_client import zipped

from helpers import localaws

pytestmark = pytest.mark.usefixtures("embedded_aws")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
SOURCES = Path(__file__).with_name("java")


@pytest.fixture(scope="module")
def classes(needs, tmp_path_factory):
    """The classes of the handlers in java/, as files of a package."""
    needs("java")
    folder = tmp_path_factory.mktemp("classes")
    command = [
        needs("javac"),
        "--release",
        "17",
        "-encoding",
        "UTF-8",
        "-cp",
        str(localaws.JAVA_RUNTIME),
        "-d",
        str(folder),
    ]
    subprocess.run([*command, *map(str, SOURCES.rglob("*.java"))], check=True)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.class")}


@pytest.fixture
def java(make_function, classes):
    def make(handler, files=None, **configuration):
        configuration = {"Timeout": 20, "MemorySize": 512, "Handler": handler} | configuration
        return make_function(classes if files is None else files, runtime="java21", **configuration)

    return make


def own(function) -> list[str]:
    """What the function has logged, without the lines of Lambda itself."""
    return [message for message in function.messages() if not re.match(r"INIT|START|END|REPORT", message)]


@pytest.mark.parametrize(
    ("handler", "event", "answer"),
    [
        ("example.Greeter", {"name": "日"}, {"message": "Hello, 日!"}),
        ("example.Greeter::handleRequest", {}, {"message": "Hello, null!"}),
        ("example.Shapes::text", "é", "é!"),
        ("example.Shapes::text", 5, "5!"),
        ("example.Shapes::number", 20, 21),
        ("example.Shapes::boxed", "20", 21),
        ("example.Shapes::number", b"null", 1),
        ("example.Shapes::fraction", 1, 0.5),
        ("example.Shapes::fraction", "NaN", "NaN"),
        ("example.Shapes::not", True, False),
        ("example.Shapes::total", [1, 2, 3], 6),
        ("example.Shapes::lengths", {"a": "x", "b": "xyz"}, {"a": 1, "b": 3}),
        ("example.Shapes::same", {"a": [1, -2.5, 10**10, 10**30, True, None, {}, []], "b": 'é"\\\n\t\u0001/'}, ...),
        ("example.Shapes::same", [{"a": None, "b": 1}], [{"b": 1}]),
        ("example.Shapes::nothing", {"any": "event"}, None),
        ("example.Shapes::noEvent", {"any": "event"}, "no event"),
        ("example.Shapes::arrays", {}, [[1, 2], ["a", None], "x", "ONE"]),
        (
            "example.Shapes::order",
            {"id": 7, "lines": [{"item": "tea", "price": 2.5}], "more": 1},
            {"id": 7, "sum": 2.5},
        ),
        ("example.Shapes::overloaded", "x", "String and Context"),
        ("example.Orders", {"id": 7, "lines": []}, "0 lines in 7"),
        ("example.Echo", {"é": "日"}, {"é": "日"}),
        ("example.Echo::handleRequest", [1], [1]),
        ("example.Shapes::streams", "abc", {"bytes": 5}),
        ("example.Shapes::output", "abc", "only output"),
    ],
)
def test_shapes_of_a_handler(java, handler, event, answer):
    result = java(handler).invoke(event)
    assert (result.error, result.payload) == (None, event if answer is ... else answer)


def test_the_log_says_which_java_runs_it(java):
    function = java("example.Greeter")
    function.invoke()
    assert re.match(r"INIT_START Runtime Version: java:\d+\.v\d+\t", function.text())
    assert [bool(report["init"]) for report in function.reports()] == [True]


def test_a_warm_call_finds_what_the_first_has_left(java):
    function = java("example.Shapes::count")
    assert [function.invoke().payload for _ in range(3)] == [1, 2, 3]
    assert len(function.streams()) == 1


@pytest.mark.parametrize("tenant", [{}, {"TenantId": "blue"}], ids=str)
def test_context(java, tenant):
    isolated = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}} if tenant else {}
    function = java("example.Shapes::context", **isolated)
    client = {"client": {"app_title": "shop"}, "custom": {"k": "é"}, "env": {"locale": "en"}}
    result = function.invoke({}, ClientContext=base64.b64encode(json.dumps(client).encode()).decode(), **tenant)
    found = result.payload
    assert found.pop("tenant", None) == tenant.get("TenantId")
    assert 15_000 < found.pop("remaining") <= 20_000
    assert found.pop("arn").endswith(f":function:{function.name}")
    assert found == {
        "id": result.request_id,
        "group": f"/aws/lambda/{function.name}",
        "stream": function.streams()[0],
        "name": function.name,
        "version": "$LATEST",
        "memory": 512,
        "client": ["shop", "é", "en"],
        "properties": [True, True],  # of X-Ray's trace, and that there is no identity
    }


# Errors


def test_an_exception(java):
    function = java("example.Failures::fail")
    result = function.invoke("state")
    assert result.error == "Unhandled"
    assert set(result.payload) == {"errorType", "errorMessage", "stackTrace"}
    assert (result.payload["errorType"], result.payload["errorMessage"]) == ("java.lang.IllegalStateException", "bad")
    assert re.fullmatch(r"example\.Failures\.fail\(Failures\.java:\d+\)", result.payload["stackTrace"][0])
    assert not [call for call in result.payload["stackTrace"] if "localaws" in call]
    [logged] = own(function)
    assert logged.startswith(
        "bad: java.lang.IllegalStateException\njava.lang.IllegalStateException: bad\n\tat example."
    )
    assert "Caused by: java.io.IOException: deeper" in logged
    assert function.invoke("well").payload == "well"
    assert len(function.streams()) == 1


def test_an_exception_without_a_message_is_named(java):
    assert java("example.Failures::fail").invoke("null").payload["errorMessage"] == "java.lang.NullPointerException"


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        (
            "example.Nowhere",
            {"errorMessage": "Class not found: example.Nowhere", "errorType": "java.lang.ClassNotFoundException"},
        ),
        (
            "example.Shapes::nowhere",
            {
                "errorMessage": "No public method named nowhere with appropriate method signature found on class "
                "example.Shapes"
            },
        ),
        (
            "example.Shapes",
            {"errorMessage": "Class does not implement an appropriate handler interface: example.Shapes"},
        ),
        (
            "example.Failures$Inner",
            {
                "errorMessage": "Class example.Failures$Inner cannot be instantiated because it is a non-static inner "
                "class",
                "errorType": "java.lang.Exception",
            },
        ),
        (
            "example.Failures$Private::run",
            {
                "errorMessage": "Class example.Failures$Private has no public zero-argument constructor",
                "errorType": "java.lang.Exception",
            },
        ),
        ("::", {"errorMessage": "Invalid handler: `::'"}),
    ],
)
def test_a_handler_that_is_not_there_fails_each_invocation(java, handler, payload):
    function = java(handler)
    for _ in range(2):
        result = function.invoke()
        assert (result.error, result.payload) == ("Unhandled", payload)
    assert payload["errorMessage"] in own(function)[0]
    assert len(function.streams()) == 1 and function.reports()[0]["init"]


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("example.Failures$Static", "Error loading class example.Failures$Static"),
        ("example.Failures$Constructor", "no constructor"),
    ],
)
def test_a_class_that_fails_at_init_fails_init(java, handler, message):
    result = java(handler).invoke()
    assert result.error == "Unhandled"
    assert result.payload["errorMessage"].startswith(message) and "stackTrace" not in result.payload
    assert "\tPhase: init\tStatus: error\tError Type: Runtime.BadFunctionCode\n" in result.tail


def test_a_class_that_we_make_no_json_of_is_refused_by_one_sentence(java):
    message = java("example.Failures::bean").invoke({}).payload["errorMessage"]
    assert message.startswith("The embedded AWS makes no JSON of example.Failures$Bean,") and message.endswith(".")
    function = java("example.Failures::answersBean")
    result = function.invoke()
    assert result.payload["errorMessage"] == "An error occurred during JSON serialization of response"
    assert "The embedded AWS makes no JSON of example.Failures$Bean," in function.text()


def test_an_event_that_the_handler_does_not_take(java):
    function = java("example.Shapes::number")
    for event in ({"a": 1}, "x", 2**40):
        payload = function.invoke(event).payload
        assert payload["errorType"] == "java.lang.RuntimeException"
        assert payload["errorMessage"] == "An error occurred during JSON parsing"
    assert function.invoke(1).payload == 2


def test_a_function_that_exits(java):
    function = java("example.Failures::exit")
    ended = function.invoke(7)
    assert ended.payload["errorType"] == "Runtime.ExitError"
    assert ended.payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")
    assert function.invoke(0).payload == "well"


def test_too_little_heap_is_an_error_and_a_new_process(java):
    function = java("example.Failures::fill")
    result = function.invoke()
    assert (result.payload["errorType"], result.payload["errorMessage"]) == (
        "java.lang.OutOfMemoryError",
        "Java heap space",
    )
    assert function.invoke("once").payload == "once"
    assert [bool(each["init"]) for each in function.reports()] == [True, False]


def test_more_memory_than_the_function_has_ends_it(java):
    """What is outside of the heap is not the JVM's to limit."""
    assert java("example.Failures::buffers", MemorySize=128).invoke().payload["errorType"] == "Runtime.OutOfMemory"


def test_a_timeout(java):
    function = java("example.Failures::sleep", Timeout=3)
    assert function.invoke(60_000).payload["errorType"] == "Sandbox.Timedout"
    assert function.invoke(0).payload == "slept"


def test_a_response_too_large(java):
    function = java("example.Failures::large")
    assert function.invoke(6 * 2**20 + 200).payload["errorType"] == "Function.ResponseSizeTooLarge"
    assert function.invoke(2).payload == "xx"


# Logs


def test_logs(java):
    function = java("example.Logs::handle")
    function.invoke()
    assert own(function) == [
        "out é\n",
        "two\n",
        "lines\n",
        "err 日\n",
        "logger\nof two lines",
        "bytes",
        "[WARN] with a level",
        "static",
    ]


def test_logs_in_json(java):
    logging = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN"}
    function = java("example.Logs::handle", LoggingConfig=logging)
    result = function.invoke()
    events = [json.loads(message) for message in function.messages() if "AWSRequestId" in message]
    assert [(event["level"], event["message"]) for event in events] == [
        ("UNDEFINED", "logger\nof two lines"),
        ("WARN", "with a level"),
        ("UNDEFINED", "static"),
    ]
    assert {event["AWSRequestId"] for event in events} == {result.request_id}
    assert all(re.fullmatch(TIME, event["timestamp"]) for event in events)


# The JVM within its environment


def test_128_mb_are_enough_for_garbage(java):
    function = java("example.Shapes::garbage", MemorySize=128, Timeout=60)
    assert function.invoke(500).payload == 500
    assert int(function.reports()[0]["used"]) < 128


def test_options_follow_from_memory_and_the_function_s_own_come_in_their_place(java):
    options = java("example.Shapes::options").invoke().payload
    of_trust = "-Djavax.net.ssl"  # there as soon as the inbox has a certificate
    assert [each for each in options if not each.startswith(of_trust)][:4] == [
        "-XX:MaxHeapSize=445645k",
        "-XX:InitialHeapSize=8m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
    ]
    chosen = "-XX:+UseParallelGC -XX:TieredStopAtLevel=4 -Xmx100m"
    function = java("example.Shapes::options", Environment={"Variables": {"JAVA_TOOL_OPTIONS": chosen}})
    result = function.invoke()
    assert result.payload[:3] == chosen.split()
    assert own(function) == [f"Picked up JAVA_TOOL_OPTIONS: {chosen}\n"]


def test_it_has_a_tmp_and_the_variables_of_its_own_alone(java):
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        names, entries = java("example.Shapes::surroundings").invoke().payload
        assert not [name for name in names if name.startswith(("WORKSHOP", "HOME", "JAVA"))]
        assert "mine" in entries and not [name for name in entries if name.startswith("hsperf")]
        if localaws.confinement_possible():
            assert Path(file.name).name not in entries


def test_its_threads_stand_still_between_invocations(java):
    function = java("example.Shapes::ticks")
    before = function.invoke().payload
    after = function.invoke().payload
    assert before >= 1 and after - before < 100


def test_classes_of_the_function_come_before_those_of_its_lib_and_of_layers(java, classes, layer, needs):
    greeter = {name: content for name, content in classes.items() if "Greeter" in name}
    jar = zipped({"example/Where.txt": "lib", **greeter})
    arn = layer({"java/lib/of_layer.jar": zipped({"example/Where.txt": "layer", "example/Layer.txt": "layer"})})
    function = java("example.Greeter", {"lib/greeter.jar": jar, "other.txt": ""}, Layers=[arn])
    assert function.invoke({"name": "Ada"}).payload == {"message": "Hello, Ada!"}
    found = java(
        "example.Shapes::resources", {**classes, "lib/a.jar": jar, "example/Task.txt": "task"}, Layers=[arn]
    ).invoke(["example/Task.txt", "example/Where.txt", "example/Layer.txt", "example/None.txt"])
    assert found.payload == ["task", "lib", "layer", None]


@pytest.fixture
def layer(clients):
    made = []

    def make(files) -> str:
        answer = clients("lambda").publish_layer_version(LayerName="tested-java", Content={"ZipFile": zipped(files)})
        made.append(answer["Version"])
        return answer["LayerVersionArn"]

    yield make
    for version in made:
        clients("lambda").delete_layer_version(LayerName="tested-java", VersionNumber=version)
