"""The trace header of an invocation: what a caller has sent, and what is sampled."""

import json
import re

import pytest

from helpers.localaws.services.lambda_.tracing import Tracing

CODE = "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
PLAIN, ACTIVE = {"FunctionName": "f"}, {"FunctionName": "f", "TracingConfig": {"Mode": "Active"}}


def parts(header):
    found = re.fullmatch(
        r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])(;Lineage=.*)?", header
    )
    assert found, header
    return found.groups()[:3]


def test_what_nobody_traces_is_not_sampled():
    root, _, sampled = parts(Tracing(clock=lambda: 0x5759E988).header(PLAIN, ""))
    assert root.startswith("1-5759e988-") and sampled == "0"


@pytest.mark.parametrize(("chance", "later"), [(0.049, "1"), (0.051, "0")])
def test_with_active_tracing_the_first_of_a_second_is_sampled_and_a_twentieth_of_the_others(chance, later):
    now = [100.0]
    tracing = Tracing(clock=lambda: now[0], chance=lambda: chance)
    assert [parts(tracing.header(ACTIVE, ""))[2] for _ in range(3)] == ["1", later, later]
    assert parts(tracing.header(ACTIVE | {"FunctionName": "g"}, ""))[2] == "1"
    now[0] += 1
    assert parts(tracing.header(ACTIVE, ""))[2] == "1"


@pytest.mark.parametrize("config", [PLAIN, ACTIVE])
@pytest.mark.parametrize("sampled", ["0", "1"])
def test_a_caller_decides(config, sampled):
    root, parent, decided = parts(Tracing().header(config, f"Root={ROOT};Parent={PARENT};Sampled={sampled}"))
    assert (root, decided) == (ROOT, sampled)
    assert (parent == PARENT) == (config is PLAIN)  # a traced function has a segment of its own


@pytest.mark.parametrize("sent", ["", "Root=any", "Root=1-x-y;Sampled=2", "Self=1;Parent=a", "é"])
def test_what_is_no_header_is_none(sent):
    assert parts(Tracing().header(PLAIN, sent))[0] not in sent


@pytest.fixture
def with_header(clients):
    """Lambda's client, which sends this trace header as long as the test lasts."""
    client, added = clients("lambda"), []

    def make(value):
        def add(request, **_):
            request.headers["X-Amzn-Trace-Id"] = value

        client.meta.events.register("before-sign.lambda.Invoke", add)
        added.append(add)
        return client

    yield make
    for add in added:
        client.meta.events.unregister("before-sign.lambda.Invoke", add)


def test_a_function_finds_it_and_the_report_tells_of_it(make_function, with_header):
    function = make_function(CODE)
    header = f"Root={ROOT};Parent={PARENT};Sampled=1"
    answer = with_header(header).invoke(FunctionName=function.name)
    assert json.load(answer["Payload"]).startswith(header + ";Lineage=")
    report = function.messages()[-1]
    assert report.endswith(f"\t\nXRAY TraceId: {ROOT}\tSegmentId: {PARENT}\tSampled: true\t\n")


def test_in_json_start_and_report_have_it(make_function, with_header):
    function = make_function(CODE, LoggingConfig={"LogFormat": "JSON"})
    header = f"Root={ROOT};Parent={PARENT};Sampled=1"
    with_header(header).invoke(FunctionName=function.name)
    events = [json.loads(message) for message in function.messages()]
    traced = {event["type"]: event["record"].get("tracing") for event in events}
    expected = {"spanId": PARENT, "type": "X-Amzn-Trace-Id", "value": header}
    assert traced == {"platform.initStart": None, "platform.start": expected, "platform.report": expected}


def test_a_function_with_active_tracing_is_sampled(make_function):
    function = make_function(CODE, TracingConfig={"Mode": "Active"})
    assert parts(function.invoke().payload)[2] == "1"
    assert "\nXRAY TraceId: 1-" in function.messages()[-1]
    function.update(TracingConfig={"Mode": "PassThrough"})
    assert parts(function.invoke().payload)[2] == "0"
    assert "XRAY" not in function.messages()[-1]
