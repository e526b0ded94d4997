"""A function's log in CloudWatch: Lambda's own lines to the letter, and what the function prints."""

import gc
import json
import math
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import psutil
import pytest
from localaws_client import FUNCTION, REPORT, UUID, eventually
from logs_here import logs_here
from ministack.services import cloudwatch_logs as ministack_logs

from helpers.localaws.services.logs.pages import get_log_events

NOTHING = "def handler(event, context):\n    return event\n"
INIT_START = re.compile(
    r"INIT_START Runtime Version: python:3\.\d+\.v\d+\t"
    r"Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}\n"
)
STREAM = re.compile(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}")


def test_a_cold_and_a_warm_invocation_log_lambdas_lines_to_the_letter(make_function):
    function = make_function(NOTHING, MemorySize=256)
    cold, warm = function.invoke(), function.invoke()
    lines = function.messages()
    assert len(lines) == 7
    assert INIT_START.fullmatch(lines[0])
    for id_, (start, end, report) in ((cold.request_id, lines[1:4]), (warm.request_id, lines[4:7])):
        assert re.fullmatch(UUID, id_)
        assert start == f"START RequestId: {id_} Version: $LATEST\n"
        assert end == f"END RequestId: {id_}\n"
        assert REPORT.fullmatch(report)["request_id"] == id_
        assert "\tMemory Size: 256 MB\t" in report
    assert lines[3].endswith(" ms\t\n") and "Init Duration" in lines[3]
    assert lines[6].endswith(" MB\t\n") and "Init Duration" not in lines[6]


def test_billed_duration_is_duration_and_init_rounded_up(make_function):
    function = make_function("import time\ntime.sleep(0.05)\ndef handler(event, context):\n    time.sleep(0.02)\n")
    for _ in range(3):
        function.invoke()
    first, *others = function.reports()
    assert float(first["init"]) >= 50
    assert [other["init"] for other in others] == [None, None]
    for report in (first, *others):
        assert float(report["duration"]) >= 20
        hundredths = round(float(report["duration"]) * 100) + round(float(report["init"] or 0) * 100)
        assert int(report["billed"]) == math.ceil(hundredths / 100)


def test_one_stream_per_environment_which_warm_invocations_share(make_function):
    function = make_function(NOTHING)
    for _ in range(3):
        function.invoke()
    (stream,) = function.streams()
    assert STREAM.fullmatch(stream)
    assert stream.startswith(f"{datetime.now().astimezone():%Y/}")


def test_the_log_group_and_stream_stand_in_the_functions_environment_and_context(make_function):
    function = make_function(
        "import os\n"
        "def handler(event, context):\n"
        "    return [context.log_group_name, context.log_stream_name,\n"
        "            os.environ['AWS_LAMBDA_LOG_GROUP_NAME'], os.environ['AWS_LAMBDA_LOG_STREAM_NAME']]\n"
    )
    group, stream = f"/aws/lambda/{function.name}", function.invoke().payload[1]
    assert function.invoke().payload == [group, stream, group, stream]
    assert function.streams() == [stream]


def test_max_memory_used_is_the_functions_own(make_function):
    function = make_function("def handler(event, context):\n    return len(bytearray(event * 2**20))\n", MemorySize=512)
    function.invoke(1)
    function.invoke(100)
    small, large = (int(report["used"]) for report in function.reports())
    assert 5 < small < 40
    assert 100 <= large - small + 2 <= 110


def test_the_tail_holds_the_invocations_lines_with_those_of_the_platform(make_function):
    function = make_function("print('at init')\ndef handler(event, context):\n    print('in the handler')\n")
    cold, warm = function.invoke(), function.invoke()
    init_start, *_ = function.messages()
    assert INIT_START.fullmatch(init_start)  # in CloudWatch alone
    # What init has printed is there alone, too: recorded on AWS on 2025-11-24.
    assert init_start + "at init\n" + cold.tail + warm.tail == function.text()
    assert cold.tail.startswith(f"START RequestId: {cold.request_id}")
    assert warm.tail.startswith(f"START RequestId: {warm.request_id}") and "in the handler\n" in warm.tail


def test_the_tail_is_at_most_4_kb_and_holds_the_end(make_function):
    function = make_function("def handler(event, context):\n    for n in range(1000):\n        print(n, 'あ' * 10)\n")
    tail = function.invoke().tail
    assert len(tail.encode()) <= 4096
    assert "999 ああああああああああ\n" in tail
    assert REPORT.fullmatch(tail.splitlines(keepends=True)[-1])


def test_without_log_type_tail_there_is_no_log_result(make_function, clients):
    function = make_function(NOTHING)
    assert "LogResult" not in clients("lambda").invoke(FunctionName=function.name)


def test_ten_thousand_lines_arrive_in_order_before_end(make_function, clients):
    function = make_function(
        "def handler(event, context):\n    for n in range(10_000):\n        print('line', n)\n", Timeout=20
    )
    function.invoke()
    (stream,) = function.streams()
    lines, page = [], {}
    while not lines or page["events"]:
        token = {"nextToken": page["nextForwardToken"]} if page else {}
        page = clients("logs").get_log_events(
            logGroupName=f"/aws/lambda/{function.name}", logStreamName=stream, startFromHead=True, **token
        )
        lines += [event["message"] for event in page["events"]]
    assert lines[2:-2] == [f"line {n}\n" for n in range(10_000)]
    assert lines[-2].startswith("END")


def test_five_megabytes_of_output_arrive_whole(make_function):
    function = make_function(
        "def handler(event, context):\n    for n in range(50):\n        print('x' * 100_000)\n", Timeout=20
    )
    assert function.invoke().error is None
    assert function.messages()[2:-2] == ["x" * 100_000 + "\n"] * 50


def test_output_without_a_newline_is_logged_before_end(make_function, clients):
    function = make_function("import sys\ndef handler(event, context):\n    sys.stdout.write('no newline')\n")
    function.invoke()
    function.invoke()
    kinds = [message.split()[0] for message in function.messages()]
    assert kinds == ["INIT_START", "START", "no", "END", "REPORT", "START", "no", "END", "REPORT"]


def test_a_function_that_never_stops_printing_is_stopped_by_its_time_limit(make_function):
    function = make_function(
        "import os\ndef handler(event, context):\n    while True:\n        os.write(1, b'again\\n' * 10_000)\n",
        Timeout=1,
    )
    result = function.invoke()
    assert result.payload["errorType"] == "Sandbox.Timedout"
    assert "\tStatus: timeout\n" in result.tail


def test_both_streams_and_unicode(make_function):
    function = make_function(
        "import sys\n"
        "def handler(event, context):\n    print('雪だるま ☃ 😀')\n    print('to stderr', file=sys.stderr)\n"
    )
    function.invoke()
    assert {"雪だるま ☃ 😀\n", "to stderr\n"} <= set(function.messages())


def test_print_makes_an_event_of_each_line_and_logging_one_of_each_message(make_function):
    function = make_function(
        "import logging\n"
        "def handler(event, context):\n"
        "    print('one\\ntwo')\n"
        "    logging.getLogger().warning('three\\nfour')\n"
    )
    result = function.invoke()
    printed, logged = [], []
    for message in function.messages()[2:-2]:
        (logged if message.startswith("[WARNING]") else printed).append(message)
    assert printed == ["one\n", "two\n"]
    (message,) = logged
    assert re.fullmatch(rf"\[WARNING\]\t{TIME}\t{result.request_id}\tthree\nfour\n?", message)


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_a_traceback_is_one_event(make_function):
    function = make_function("def handler(event, context):\n    raise KeyError('missing')\n")
    function.invoke()
    (message,) = [message for message in function.messages() if message.startswith("[ERROR]")]
    assert message.startswith("[ERROR] KeyError: 'missing'\nTraceback (most recent call last):\n")
    assert "line 2, in handler" in message


def test_timestamps_are_those_of_the_invocation_and_never_fall(make_function):
    function = make_function("import time\ndef handler(event, context):\n    print(time.time())\n")
    function.invoke()
    events = function.logged()
    (printed,) = [event for event in events if re.match(r"\d+\.\d+\n", event["message"])]
    assert abs(printed["timestamp"] - float(printed["message"]) * 1000) < 1000
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)


def json_lines(function):
    """The events of a function that logs JSON: those of the platform by type, and its own."""
    platform, own = {}, []
    for message in function.messages():
        event = json.loads(message)
        if "type" in event:
            assert set(event) == {"time", "type", "record"}
            assert re.fullmatch(TIME, event["time"])
            platform.setdefault(event["type"], []).append(event["record"])
        else:
            own.append(event)
    return platform, own


def test_the_json_format(make_function):
    function = make_function(
        "import logging\n"
        "def handler(event, context):\n"
        "    logging.getLogger().info('hello')\n"
        "    logging.getLogger().debug('not at INFO')\n",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
    )
    cold, warm = function.invoke(), function.invoke()
    platform, own = json_lines(function)
    (init_start,) = platform["platform.initStart"]
    assert init_start["initializationType"] == "on-demand" and init_start["phase"] == "init"
    assert re.fullmatch(r"python:3\.\d+\.v\d+", init_start["runtimeVersion"])
    ids = [cold.request_id, warm.request_id]
    assert (init_start["functionName"], init_start["functionVersion"]) == (function.name, "$LATEST")
    assert (init_start["instanceId"], init_start["instanceMaxMemory"]) == (function.streams()[0], 128 * 2**20)
    starts = platform["platform.start"]
    assert [list(start) for start in starts] == [["requestId", "functionArn", "version"]] * 2
    assert [(start["requestId"], start["version"]) for start in starts] == [(id_, "$LATEST") for id_ in ids]
    assert all(start["functionArn"].endswith(f":function:{function.name}") for start in starts)
    assert all(": " not in message for message in function.messages() if '"type":"platform.' in message)
    first, second = platform["platform.report"]
    assert [first["requestId"], second["requestId"]] == ids
    assert first["status"] == second["status"] == "success"
    assert set(second["metrics"]) == {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB"}
    assert set(first["metrics"]) - set(second["metrics"]) == {"initDurationMs"}
    total = first["metrics"]["durationMs"] + first["metrics"]["initDurationMs"]
    assert first["metrics"]["billedDurationMs"] == math.ceil(round(total, 2))
    assert [(line["level"], line["message"], line["requestId"]) for line in own] == [
        ("INFO", "hello", id_) for id_ in ids
    ]


def test_the_json_format_of_a_failure(make_function):
    function = make_function(
        "import time\ndef handler(event, context):\n    time.sleep(5)\n", Timeout=1, LoggingConfig={"LogFormat": "JSON"}
    )
    function.invoke()
    platform, _ = json_lines(function)
    (report,) = platform["platform.report"]
    assert report["status"] == "timeout"
    assert report["metrics"]["durationMs"] == 1000


def test_a_log_group_of_the_functions_own_choice(make_function, clients):
    function = make_function(NOTHING, LoggingConfig={"LogGroup": "/my/own"})
    result = function.invoke()
    events = clients("logs").filter_log_events(logGroupName="/my/own")["events"]
    clients("logs").delete_log_group(logGroupName="/my/own")
    assert any(event["message"] == f"END RequestId: {result.request_id}\n" for event in events)
    assert function.messages() == []


PRINT_THEN_RAISE = """\
def handler(event, context):
    print("printed", event)
    raise KeyError(event)
"""


def test_what_is_printed_stands_before_the_error_that_follows(make_function):
    function = make_function(PRINT_THEN_RAISE)
    with ThreadPoolExecutor(8) as callers:
        for _ in callers.map(function.invoke, range(320)):
            pass
    by_stream = defaultdict(list)
    for event in function.logged():
        by_stream[event["logStreamName"]].append(event["message"])
    told = [message.split("\n")[0] for messages in by_stream.values() for message in messages]
    told = [message for message in told if message.startswith(("printed", "[ERROR]"))]
    order = [(int(one.split()[1]), int(two.split()[2])) for one, two in zip(told[::2], told[1::2], strict=True)]
    assert sorted(order) == [(number, number) for number in range(320)]


PRINT_AND_LOG = """\
import logging
logging.getLogger().setLevel("INFO")
def handler(event, context):
    for number in range(20):
        print(f"<{number}>")
        logging.info("<%d>", number)
        print(f"<{number}>", end="")
        logging.info("<%d>", number)
"""


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_prints_and_log_records_keep_their_order(make_function, log_format):
    function = make_function(PRINT_AND_LOG, LoggingConfig={"LogFormat": log_format})
    function.invoke()
    numbers = [int(number) for message in function.messages() for number in re.findall(r"<(\d+)>", message)]
    assert numbers == [number for number in range(20) for _ in range(4)]
    assert "\n" not in function.messages()


def test_large_records_and_lines_of_a_child_process_lose_nothing(make_function):
    function = make_function(
        "import logging, subprocess, sys\n"
        "CHILD = 'for number in range(500): print(\"child\", flush=True)'\n"
        "def handler(event, context):\n"
        "    child = subprocess.Popen([sys.executable, '-c', CHILD])\n"
        "    for _ in range(10):\n"
        "        logging.error('~' * 250_000)\n"
        "    child.wait()\n"
        "    raise ValueError('~')\n",
        MemorySize=512,
        Timeout=60,
    )
    assert function.invoke().payload["errorType"] == "ValueError"
    text = "".join(function.messages())
    assert (text.count("child\n"), text.count("~")) == (500, 10 * 250_000 + 2)  # the traceback has it twice


# Each makes 48 MB of output.
FLOODS = {
    "lines": "def handler(event, context):\n    for _ in range(6 * 2**10):\n        print('~' * 8191)\n",
    "no newline": "def handler(event, context):\n    for _ in range(48 * 2**10):\n        print('~' * 1024, end='')\n",
    "standard error": (
        "import sys\n"
        "def handler(event, context):\n"
        "    for _ in range(48 * 2**10):\n"
        "        sys.stderr.write('~' * 1024)\n"
    ),
    "log records": (
        "import logging\n"
        "def handler(event, context):\n"
        "    for _ in range(12):\n"
        "        logging.error('~' * 4 * 2**20)\n"
    ),
}


def memory(embedded_aws):
    return psutil.Process(embedded_aws.pid).memory_info().rss / 2**20


@pytest.mark.parametrize(("kind", "log_format"), [*((kind, "Text") for kind in FLOODS), ("lines", "JSON")])
def test_a_flood_costs_no_memory_and_of_the_log_the_newest_is_kept(make_function, embedded_aws, kind, log_format):
    function = make_function(FLOODS[kind], Timeout=120, MemorySize=1769, LoggingConfig={"LogFormat": log_format})
    before = memory(embedded_aws)
    assert function.invoke().error is None
    assert memory(embedded_aws) - before < 48 / 2
    events = function.logged()
    sizes = [len(event["message"].encode()) for event in events]
    assert max(sizes) <= 256 * 1024 - 26
    assert 14 * 2**20 < sum(sizes) + 26 * len(events) <= 32 * 2**20 + 1000
    reason = "The embedded AWS keeps 32 MB of a log stream."
    if log_format == "JSON":
        first = json.loads(events[0]["message"])
        assert (first["type"], first["record"]["reason"]) == ("platform.logsDropped", reason)
        assert json.loads(events[-1]["message"])["type"] == "platform.report"
    else:
        assert re.fullmatch(rf"{reason} [\d,]+ older events were dropped\.\n", events[0]["message"])
        assert events[-1]["message"].startswith("REPORT ")
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)


def test_a_huge_line_of_node_is_cut_into_events(make_function, needs):
    needs("node")
    function = make_function(
        "export const handler = async () => { console.log('~'.repeat(1_000_000)); };\n",
        runtime="nodejs22.x",
        MemorySize=512,
    )
    assert function.invoke().error is None
    sizes = [message.count("~") for message in function.messages() if "~" in message]
    assert sum(sizes) == 1_000_000
    assert len(sizes) == 4 and sizes[1:3] == [256 * 1024 - 26] * 2


def test_each_event_has_an_id_as_on_aws(make_function):
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilteredLogEvent.html"""
    function = make_function(NOTHING)
    function.invoke()
    ids = [event["eventId"] for event in function.logged()]
    assert len(set(ids)) == len(ids) >= 4
    assert [event["eventId"] for event in function.logged()] == ids


def test_what_a_client_puts_into_a_functions_stream_is_among_its_events(make_function, clients):
    function = make_function("def handler(event, context):\n    print('of the function')\n")
    function.invoke()
    (stream,) = function.streams()
    where = {"logGroupName": f"/aws/lambda/{function.name}", "logStreamName": stream}
    now = int(datetime.now().timestamp() * 1000)
    for when, message in ((now - 60_000, "of the past"), (now + 60_000, "of the future")):
        clients("logs").put_log_events(**where, logEvents=[{"timestamp": when, "message": message}])
    function.invoke()
    messages = function.messages()
    assert messages[0] == "of the past" and messages.count("of the function\n") == 2
    assert messages.index("of the future") < messages.index("of the function\n", 4)
    assert messages[-1].startswith("REPORT ")


@pytest.fixture
def logs(tmp_path):
    """Logs in MiniStack's module, here; those of a stream of 1 MB, and 3 MB in all."""
    with logs_here(tmp_path, stream_mb=1, all_mb=3) as logs:
        yield logs


def kept(name, start_from_head=True):
    stream = {"logGroupName": FUNCTION.log_group, "logStreamName": name}
    return [event["message"] for event in get_log_events({**stream, "startFromHead": start_from_head})["events"]]


def test_of_many_streams_those_are_given_up_that_were_not_written_to_for_longest(logs):
    names = [f"stream-{number}" for number in range(6)]
    for number, name in enumerate(names):
        logs.write(FUNCTION, name, [(1000 + number, "first\n")])
        for _ in range(14):
            logs.write(FUNCTION, name, [(1000 + number, "x" * 2**16)])
    dropped = "The embedded AWS keeps 3 MB of logs. 15 older events were dropped.\n"
    assert [kept(name)[0] for name in names] == [dropped] * 3 + ["first\n"] * 3
    logs.write(FUNCTION, names[0], [(5000, "again\n")])
    assert kept(names[0]) == [dropped, "again\n"]


def test_a_stream_goes_on_with_what_is_newest(logs):
    for number in range(2000):
        logs.write(FUNCTION, "stream", [(1000 + number, f"{number} " + "x" * 2**12)])
    first, *others = kept("stream")
    numbers = [int(message.split()[0]) for message in others]
    assert numbers == list(range(numbers[0], 2000))
    assert first == f"The embedded AWS keeps 1 MB of a log stream. {numbers[0]:,} older events were dropped.\n"
    assert 100 < len(numbers) < 260


def test_the_file_holds_no_more_than_the_limit_and_nothing_of_a_group_that_is_gone(logs, tmp_path):
    for number in range(2000):
        logs.write(FUNCTION, f"stream-{number // 500}", [(1000 + number, "x" * 2**14)])
    logs.mark()()
    eventually(lambda: 2**19 < logs._file.size < 4 * 2**20)
    ministack_logs._delete_log_group({"logGroupName": FUNCTION.log_group})
    gc.collect()
    logs.mark()()
    eventually(lambda: logs._file.size == 0)
    logs.close()
    assert (tmp_path / "logs.sqlite").stat().st_size < 2**16


def test_what_a_group_does_not_retain_is_dropped_and_deleted_from_the_file(logs):
    now_s = 2_000_000
    logs.write(FUNCTION, "stream", [((now_s - 90_000) * 1000 + number, "x" * 2**15) for number in range(20)])
    logs.write(FUNCTION, "stream", [(now_s * 1000, "new\n")])
    logs.drop(now_s)
    assert len(kept("stream")) == 21
    ministack_logs._log_groups[FUNCTION.log_group]["retentionInDays"] = 1
    logs.drop(now_s)
    assert kept("stream") == ["new\n"]
    gc.collect()
    logs.mark()()
    eventually(lambda: logs._file.size < 2**15)


def test_an_older_event_comes_to_a_stream_of_which_all_was_dropped(logs):
    now_s = 2_000_000
    logs.write(FUNCTION, "stream", [((now_s - 90_000) * 1000, "old\n")])
    group = ministack_logs._log_groups[FUNCTION.log_group]
    group["retentionInDays"] = 1
    logs.drop(now_s)
    assert kept("stream") == []
    group["retentionInDays"] = None
    logs.put(group["streams"]["stream"], [((now_s - 100_000) * 1000, "older\n")])
    assert kept("stream") == ["older\n"]


def test_events_that_cannot_be_written_are_lost_and_the_function_goes_on(logs, caplog):
    logs.write(FUNCTION, "stream", [(1000, "kept\n")])
    logs.close()
    logs.write(FUNCTION, "stream", [(1001, "x" * 2**20)])
    assert "1 log events of f are lost" in caplog.text
    assert kept("stream") == ["kept\n"]


def test_to_write_what_an_invocation_logs_is_seldom_to_write_to_disk(logs, monkeypatch):
    written, write = [], logs._file.write
    monkeypatch.setattr(logs._file, "write", lambda *values: written.append(values) or write(*values))
    for number in range(5_000):
        logs.write(FUNCTION, f"stream-{number % 5}", [(1000 + number, "x" * 74)])  # 500 KB in all
    assert len(written) <= 20
