"""reports() reads every form of REPORT line that Lambda writes, and waits for CloudWatch."""

import json
import math
import sys
import time
from datetime import UTC, datetime

import boto3
import pandas as pd
import pytest
from botocore.stub import Stubber

from helpers.deploying.deploy import deploy
from helpers.measuring.report_lines import invocations, parse, parse_report
from helpers.measuring.reports import COLUMNS, reports

ID = "8f507cfc-1f2e-4a3b-9c7d-5e6f7a8b9c0d"
OTHER = "0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f"
GROUP = "/aws/lambda/ada-hello"
STREAM = "2026/11/02/[$LATEST]0123456789abcdef0123456789abcdef"
STREAM_2 = "2026/11/02/[$LATEST]fedcba9876543210fedcba9876543210"
T0 = 1_793_000_000_000  # ms

COLD = (
    f"REPORT RequestId: {ID}\tDuration: 2.46 ms\tBilled Duration: 417 ms\tMemory Size: 1024 MB\t"
    "Max Memory Used: 95 MB\tInit Duration: 413.61 ms\t\n"
)
WARM = (
    f"REPORT RequestId: {ID}\tDuration: 1.12 ms\tBilled Duration: 2 ms\tMemory Size: 1024 MB\t"
    "Max Memory Used: 95 MB\t\n"
)

RESTORED = (
    f"REPORT RequestId: {ID}\tDuration: 1036.17 ms\tBilled Duration: 1040 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 45 MB\tRestore Duration: 16.84 ms\tBilled Restore Duration: 3 ms\t\n"
)


def failed(ending: str, duration: str = "3000.00", request_id: str = ID) -> str:
    return (
        f"REPORT RequestId: {request_id}\tDuration: {duration} ms\tBilled Duration: 3000 ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: 41 MB\t{ending}\n"
    )


def test_a_cold_report():
    assert parse_report(COLD) == {
        "request_id": ID,
        "duration_ms": 2.46,
        "init_ms": 413.61,
        "billed_ms": 417,
        "memory_mb": 1024,
        "max_memory_mb": 95,
        "status": "success",
        "error_type": "",
    }


def test_a_warm_report_has_no_init():
    report = parse_report(WARM)
    assert math.isnan(report["init_ms"])
    assert (report["duration_ms"], report["billed_ms"], report["status"]) == (1.12, 2, "success")


@pytest.mark.parametrize(
    ("ending", "status", "error_type"),
    [
        ("Status: timeout", "timeout", ""),
        ("Status: error\tError Type: Runtime.OutOfMemory", "error", "Runtime.OutOfMemory"),
        ("Status: error\tError Type: Runtime.ExitError", "error", "Runtime.ExitError"),
        ("Init Duration: 91.20 ms\tStatus: timeout", "timeout", ""),
    ],
)
def test_a_failed_report(ending, status, error_type):
    report = parse_report(failed(ending))
    assert (report["status"], report["error_type"]) == (status, error_type)
    assert report["duration_ms"] == 3000.0
    assert report["max_memory_mb"] == 41


def test_what_follows_of_x_ray_does_no_harm():
    more = "{}XRAY TraceId: 1-5e\tSampled: true\t\n"
    for line in ("", "\n"):  # AWS has both
        report = parse_report(COLD.rstrip("\n") + more.format(line))
        assert (report["init_ms"], report["status"]) == (413.61, "success")


def test_the_report_of_an_environment_that_was_restored():
    report = parse_report(RESTORED)
    assert math.isnan(report["init_ms"])
    assert (report["restore_ms"], report["billed_ms"]) == (16.84, 1040)
    assert parse_report(json_report(metrics={"restoreDurationMs": 16.84}))["restore_ms"] == 16.84


@pytest.mark.parametrize(
    "line",
    [
        f"START RequestId: {ID} Version: $LATEST\n",
        f"END RequestId: {ID}\n",
        "INIT_START Runtime Version: python:3.13.v43\tRuntime Version ARN: arn:aws:lambda:::runtime:a\n",
        "INIT_REPORT Init Duration: 83.58 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n",
        "REPORT RequestId: printed by the function itself\n",
        f"printed: {WARM}",
        f"{WARM}and more",
        WARM.replace("\t", " "),
        '{"type": "platform.report", "record": {"requestId": "printed"}}',
        '{"type": "platform.report", "record": "printed"}',
        '{"type": "platform.report", "record": {"requestId": "1", "metrics": {"durationMs": "short"}}}',
        '{"type": "platform.report"',
        '["platform.report"]',
        '{"message": "about \\"platform.report\\"", "type": "mine"}',
        "",
    ],
)
def test_any_other_line_is_none(line):
    assert parse_report(line) is None


def json_report(**record) -> str:
    metrics = {"durationMs": 2.46, "billedDurationMs": 417, "memorySizeMB": 1024, "maxMemoryUsedMB": 95}
    metrics |= record.pop("metrics", {})
    record = {"requestId": ID, "metrics": metrics} | record
    return json.dumps({"time": "2026-11-02T09:00:00.000Z", "type": "platform.report", "record": record})


def test_a_json_report_says_the_same_as_a_text_report():
    line = json_report(status="success", metrics={"initDurationMs": 413.61})
    assert parse_report(line) == parse_report(COLD)


@pytest.mark.parametrize(
    ("said", "status"), [("timeout", "timeout"), ("error", "error"), ("failure", "error"), ("success", "success")]
)
def test_the_status_of_a_json_report(said, status):
    report = parse_report(json_report(status=said, errorType="Runtime.ExitError"))
    assert (report["status"], report["error_type"]) == (status, "Runtime.ExitError")
    assert math.isnan(report["init_ms"])


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.slept = 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += 1


@pytest.fixture
def logs():
    client = boto3.client("logs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        client.stubber = stubber
        yield client
        stubber.assert_no_pending_responses()


def page(*events: tuple[str, int, str], token: str | None = None) -> dict:
    found = [{"logStreamName": stream, "timestamp": T0 + ms, "message": text} for stream, ms, text in events]
    return {"events": found} | ({"nextToken": token} if token else {})


def start(request_id: str = ID) -> str:
    return f"START RequestId: {request_id} Version: $LATEST\n"


def read(logs, at_least: int = 1, **options) -> pd.DataFrame:
    clock = Clock()
    return reports(logs, "ada-hello", at_least=at_least, clock=clock, sleep=clock.sleep, **options)


def test_rows_come_from_all_pages_in_the_order_of_their_starts(logs):
    logs.stubber.add_response(
        "filter_log_events", page((STREAM, 500, start()), (STREAM, 503, WARM), token="more"), {"logGroupName": GROUP}
    )
    logs.stubber.add_response(
        "filter_log_events",
        page((STREAM_2, 100, start(OTHER)), (STREAM_2, 900, COLD.replace(ID, OTHER))),
        {"logGroupName": GROUP, "nextToken": "more"},
    )
    frame = read(logs, at_least=2)
    assert frame["request_id"].tolist() == [OTHER, ID]
    assert frame["environment"].tolist() == [STREAM_2, STREAM]
    assert frame["start"].tolist() == [pd.Timestamp(T0 + ms, unit="ms", tz="UTC") for ms in (100, 500)]
    assert frame["init_ms"].isna().tolist() == [False, True]


def test_columns_and_their_types(logs):
    logs.stubber.add_response("filter_log_events", page((STREAM, 0, start()), (STREAM, 3, COLD)))
    frame = read(logs)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == COLUMNS


def test_restores_have_a_column_where_there_are_some(logs):
    begin = "RESTORE_START Runtime Version: python:3.13.v43\tRuntime Version ARN: arn:aws:lambda:::runtime:a\n"
    lines = [(STREAM, 0, begin), (STREAM, 3, start()), (STREAM, 6, RESTORED)]
    logs.stubber.add_response(
        "filter_log_events", page(*lines, (STREAM, 8, start(OTHER)), (STREAM, 9, WARM.replace(ID, OTHER)))
    )
    frame = read(logs, at_least=2)
    assert list(frame.columns) == [*COLUMNS, "restore_ms"]
    assert frame["restore_ms"].isna().tolist() == [False, True]
    assert frame["init_ms"].isna().all()


def test_retries_share_a_request_id_and_keep_their_own_starts(logs):
    ending = "Status: error\tError Type: Runtime.ExitError"
    logs.stubber.add_response(
        "filter_log_events",
        page(
            (STREAM, 0, start()),
            (STREAM, 5, failed(ending, duration="5.00")),
            (STREAM, 60_000, start()),
            (STREAM, 60_007, failed(ending, duration="7.00")),
        ),
    )
    frame = read(logs, at_least=2)
    assert frame["request_id"].tolist() == [ID, ID]
    assert frame["duration_ms"].tolist() == [5.0, 7.0]
    assert frame["start"].diff().iloc[1] == pd.Timedelta(minutes=1)


def test_lines_of_the_same_millisecond_may_come_in_any_order(logs):
    logs.stubber.add_response("filter_log_events", page((STREAM, 7, WARM), (STREAM, 7, start())))
    assert read(logs)["start"].tolist() == [pd.Timestamp(T0 + 7, unit="ms", tz="UTC")]


def test_since_leaves_out_an_invocation_that_started_before(logs):
    since = datetime.fromtimestamp(T0 / 1000, UTC)
    logs.stubber.add_response(
        "filter_log_events",
        page((STREAM, 1, WARM), (STREAM_2, 2, start(OTHER)), (STREAM_2, 3, WARM.replace(ID, OTHER))),
        {"logGroupName": GROUP, "startTime": T0},
    )
    assert read(logs, since=since)["request_id"].tolist() == [OTHER]


def test_the_report_of_an_attempt_before_since_does_not_take_the_start_of_the_next(logs):
    since = datetime.fromtimestamp(T0 / 1000, UTC)
    logs.stubber.add_response(
        "filter_log_events",
        page(
            (STREAM, 5, failed("Status: timeout")),
            (STREAM, 60_000, start()),
            (STREAM, 60_007, failed("Status: timeout", duration="7.00")),
        ),
    )
    assert read(logs, since=since)["duration_ms"].tolist() == [7.0]


def test_without_since_a_report_without_its_start_is_a_row(logs):
    logs.stubber.add_response("filter_log_events", page((STREAM, 1000, WARM)), {"logGroupName": GROUP})
    assert read(logs)["start"].tolist() == [pd.Timestamp(T0 + 998, unit="ms", tz="UTC")]


def test_an_init_that_failed_in_its_own_phase_is_shown(logs):
    logs.stubber.add_response(
        "filter_log_events",
        page(
            (STREAM, 0, "INIT_REPORT Init Duration: 9999.56 ms\tPhase: init\tStatus: timeout\n"),
            (STREAM, 1, start()),
            (STREAM, 3001, failed("Status: timeout")),
        ),
    )
    assert read(logs)["init_ms"].tolist() == [9999.56]


def test_an_init_within_the_invoke_phase_is_part_of_the_duration(logs):
    kind = "Status: error\tError Type: Runtime.ImportModuleError"
    logs.stubber.add_response(
        "filter_log_events",
        page(
            (STREAM, 0, f"INIT_REPORT Init Duration: 83.58 ms\tPhase: invoke\t{kind}\n"),
            (STREAM, 1, start()),
            (STREAM, 90, failed(kind, duration="90.00")),
        ),
    )
    frame = read(logs)
    assert frame["init_ms"].isna().all()
    assert frame["error_type"].tolist() == ["Runtime.ImportModuleError"]


def test_json_format(logs):
    def record(kind: str, **content) -> str:
        return json.dumps({"time": "2026-11-02T09:00:00Z", "type": kind, "record": content})

    logs.stubber.add_response(
        "filter_log_events",
        page(
            (STREAM, 0, record("platform.initStart", phase="init")),
            (STREAM, 10, record("platform.start", requestId=ID, version="$LATEST")),
            (STREAM, 11, json.dumps({"level": "INFO", "message": "hello"})),
            (STREAM, 13, json_report(status="success")),
        ),
    )
    frame = read(logs)
    assert frame["start"].tolist() == [pd.Timestamp(T0 + 10, unit="ms", tz="UTC")]
    assert frame["billed_ms"].tolist() == [417]


def test_it_asks_again_until_enough_rows_are_there(logs):
    one, two = (STREAM, 3, COLD), (STREAM, 9, WARM)
    logs.stubber.add_client_error("filter_log_events", "ResourceNotFoundException")
    logs.stubber.add_response("filter_log_events", page(one))
    logs.stubber.add_response("filter_log_events", page(one, two))
    clock = Clock()
    assert len(reports(logs, "ada-hello", at_least=2, clock=clock, sleep=clock.sleep)) == 2
    assert clock.slept == 2


COUNTED = r"{} of 5 REPORT lines of ada-hello came to CloudWatch within 1 s; "


def test_it_gives_up_with_a_sentence_on_what_is_likely_where_there_are_lines(logs):
    for _ in range(3):
        logs.stubber.add_response("filter_log_events", page((STREAM, 3, COLD), (STREAM, 4, "printed")))
    with pytest.raises(
        TimeoutError, match=COUNTED.format(1) + "2 lines of it were read: check that it was invoked that"
    ):
        read(logs, at_least=5, timeout=1)


def test_where_there_are_no_lines_it_may_be_the_role(logs):
    for _ in range(3):
        logs.stubber.add_response("filter_log_events", page())
    with pytest.raises(
        TimeoutError, match=COUNTED.format(0) + f"{GROUP} has no line of it: .* its role may write logs"
    ):
        read(logs, at_least=5, timeout=1)
    for _ in range(3):
        logs.stubber.add_client_error("filter_log_events", "ResourceNotFoundException")
    with pytest.raises(TimeoutError, match=COUNTED.format(0) + f"there is no log group {GROUP}: "):
        read(logs, at_least=5, timeout=1)


def test_a_log_that_cannot_be_read_in_time_is_not_cut(logs):
    """Even where enough rows were read: there may be others."""
    clock = Clock()

    def later(**_):
        clock.sleep(0.7)

    logs.meta.events.register("after-call.cloudwatch-logs.FilterLogEvents", later)
    logs.stubber.add_response("filter_log_events", page((STREAM, 0, start()), (STREAM, 3, COLD), token="1"))
    logs.stubber.add_response("filter_log_events", page((STREAM, 4, "printed"), token="2"))
    with pytest.raises(TimeoutError, match=r"longer than what can be read in 1 s \(3 lines\).* `since`"):
        reports(logs, "ada-hello", at_least=1, timeout=1, clock=clock, sleep=clock.sleep)


def whole(request_id: str, report: str = WARM) -> list[str]:
    return [start(request_id), f"END RequestId: {request_id}\n", report.replace(ID, request_id)]


THIRD = "7c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f"
FAKE = "0badc0de-4a5b-4c6d-8e7f-9a0b1c2d3e4f"
LONG = WARM.replace("1.12", "999.00")
# What a function prints in its invocation OTHER, which is its second; the REPORT of its first is COLD, with ID.
PRINTED = {
    "its own REPORT": [LONG.replace(ID, OTHER)],
    "its own END": [f"END RequestId: {OTHER}\n"],
    "its own END and REPORT": [f"END RequestId: {OTHER}\n", LONG.replace(ID, OTHER)],
    "its own START": [start(OTHER)],
    "the REPORT before": [COLD],
    "all lines of the invocation before": whole(ID, COLD),
    "all lines of another function": whole(FAKE),
    "a START without an end": [start(FAKE)],
    "a REPORT without a START": [LONG.replace(ID, FAKE)],
    "an INIT_REPORT": ["INIT_REPORT Init Duration: 9999.56 ms\tPhase: init\tStatus: timeout\n"],
    "an INIT_START": ["INIT_START Runtime Version: python:3.13.v43\tRuntime Version ARN: arn:aws:lambda:::runtime:a\n"],
    "the next REPORT": [WARM.replace(ID, THIRD)],
    "everything, twice": [*whole(FAKE), *whole(ID), LONG.replace(ID, OTHER), *whole(FAKE), *whole(ID)],
    "JSON": [json_report(), json_report().replace(ID, OTHER)],
}


@pytest.mark.parametrize("apart", [0, 1], ids=["in one millisecond", "one after another"])
@pytest.mark.parametrize("printed", PRINTED.values(), ids=PRINTED)
def test_what_a_function_prints_is_no_report(logs, printed, apart):
    first, second, third = whole(ID, COLD), whole(OTHER), whole(THIRD)
    lines = [*first, second[0], "before\n", *printed, "after\n", *second[1:], *third]
    logs.stubber.add_response(
        "filter_log_events", page(*((STREAM, apart * at, line) for at, line in enumerate(lines)), (STREAM_2, 50, LONG))
    )
    frame = read(logs, at_least=3)
    of_stream = frame[frame["environment"] == STREAM]
    assert of_stream["request_id"].tolist() == [ID, OTHER, THIRD]
    assert of_stream["duration_ms"].tolist() == [2.46, 1.12, 1.12]
    starts = [apart * lines.index(start(each)) for each in (ID, OTHER, THIRD)]
    assert of_stream["start"].tolist() == [pd.Timestamp(T0 + at, unit="ms", tz="UTC") for at in starts]
    assert of_stream["init_ms"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("apart", [0, 1], ids=["in one millisecond", "one after another"])
def test_what_a_function_prints_is_no_report_where_the_start_of_it_was_dropped(logs, apart):
    """The embedded AWS keeps a part of a log stream, and the function printed more."""
    lines = [LONG, "printed\n", LONG, *whole(ID)[1:], *whole(OTHER)]
    logs.stubber.add_response("filter_log_events", page(*((STREAM, apart * at, line) for at, line in enumerate(lines))))
    frame = read(logs, at_least=2)
    assert frame["request_id"].tolist() == [ID, OTHER]
    assert frame["duration_ms"].tolist() == [1.12, 1.12]


def test_what_is_printed_in_the_init_is_no_report_without_a_start(logs):
    begin = "INIT_START Runtime Version: python:3.13.v43\tRuntime Version ARN: arn:aws:lambda:::runtime:a\n"
    lines = [begin, LONG.replace(ID, FAKE), start(FAKE), *whole(ID, COLD)]
    logs.stubber.add_response("filter_log_events", page(*((STREAM, at, line) for at, line in enumerate(lines))))
    assert read(logs)["request_id"].tolist() == [ID]


def test_what_is_printed_in_json_is_no_report(logs):
    def begun(request_id):
        return json.dumps({"time": "", "type": "platform.start", "record": {"requestId": request_id}})

    ended = json_report(status="success")
    lines = [
        begun(ID),
        begun(FAKE),
        ended.replace(ID, FAKE),
        *whole(FAKE),
        ended.replace("417", "999"),
        ended,
        begun(OTHER),
        begun(ID),
        ended,
        ended.replace(ID, OTHER),
    ]
    logs.stubber.add_response("filter_log_events", page(*((STREAM, at, line) for at, line in enumerate(lines))))
    frame = read(logs, at_least=2)
    assert frame["request_id"].tolist() == [ID, OTHER]
    assert frame["billed_ms"].tolist() == [417, 417]


def test_a_report_that_has_not_come_hides_no_other(logs):
    lines = [start(FAKE), *whole(ID), start(THIRD), f"END RequestId: {THIRD}\n", *whole(OTHER), start(FAKE)]
    logs.stubber.add_response("filter_log_events", page(*((STREAM, at, line) for at, line in enumerate(lines))))
    assert read(logs, at_least=2)["request_id"].tolist() == [ID, OTHER]


def test_failures_without_their_starts_are_rows_each(logs):
    """SystemLogLevel WARN: nothing else of the platform is logged."""
    line = json_report(status="failure")
    logs.stubber.add_response("filter_log_events", page(*((STREAM, 1000 * number, line) for number in range(3))))
    assert read(logs, at_least=3)["status"].tolist() == ["error"] * 3


def test_many_lines_that_look_alike_are_read_in_a_moment():
    """By comparisons: twice the lines are twice the work."""

    def steps(count):
        lines = [(at, parse(line)) for at, line in enumerate([start(ID), LONG, start(OTHER)] * count)]
        calls = [0]

        def count_calls(frame, event, argument):
            calls[0] += event == "call"

        sys.setprofile(count_calls)
        try:
            invocations(lines)
        finally:
            sys.setprofile(None)
        return calls[0]

    assert steps(2000) < 3 * steps(1000)


def test_none_wanted_and_none_there_is_an_empty_table(logs):
    logs.stubber.add_client_error("filter_log_events", "ResourceNotFoundException")
    frame = read(logs, at_least=0)
    assert frame.empty
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == COLUMNS


def test_what_cloudwatch_refuses_is_not_hidden(logs):
    logs.stubber.add_client_error("filter_log_events", "AccessDeniedException")
    with pytest.raises(logs.exceptions.ClientError, match="AccessDenied"):
        read(logs)


def test_cold_and_warm_on_an_aws(aws):
    name = aws.name("test-reports")
    deploy(aws, name, {"app.py": "def handler(event, context):\n    return event\n"})
    for _ in range(3):
        aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    frame = reports(aws.client("logs"), name, at_least=3)
    assert len(frame) == 3
    assert frame["init_ms"].isna().tolist() == [False, True, True]
    assert frame["environment"].nunique() == 1
    assert frame["request_id"].nunique() == 3
    assert (frame["memory_mb"] == 128).all()
    assert (frame["status"] == "success").all()
    assert (frame["billed_ms"] >= frame["duration_ms"]).all()


FAKES = """\
def handler(event, context):
    for id_ in ("0badc0de-4a5b-4c6d-8e7f-9a0b1c2d3e4f", context.aws_request_id):
        report = "Duration: 9.00 ms\\tBilled Duration: 9 ms\\tMemory Size: 9 MB\\tMax Memory Used: 9 MB\\t"
        print(f"START RequestId: {id_} Version: $LATEST")
        print(f"END RequestId: {id_}")
        print(f"REPORT RequestId: {id_}\\t{report}")
    return context.aws_request_id
"""


@pytest.fixture
def shared_group(aws):
    yield (group := f"/shared/{aws.name('reports')}")
    aws.client("logs").delete_log_group(logGroupName=group)


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_of_a_shared_group_only_the_lines_of_the_function_and_of_lambda_count(aws, shared_group, log_format):
    invoked = {}
    for text in ("reports-one", "reports-one-more"):
        name = aws.name(text)
        deploy(aws, name, {"app.py": FAKES}, LoggingConfig={"LogFormat": log_format, "LogGroup": shared_group})
        answers = [aws.client("lambda").invoke(FunctionName=name, Payload=b"{}") for _ in range(3)]
        invoked[name] = [json.load(answer["Payload"]) for answer in answers]
    streams = aws.client("logs").describe_log_streams(logGroupName=shared_group)["logStreams"]
    assert sorted(stream["logStreamName"].split("/")[3].split("[")[0] for stream in streams) == sorted(invoked)
    for name, ids in invoked.items():
        frame = reports(aws.client("logs"), name, at_least=3, timeout=60)
        assert frame["request_id"].tolist() == ids
        assert (frame["memory_mb"] == 128).all()
        arn = aws.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        assert reports(aws.client("logs"), arn)["request_id"].tolist() == ids


def test_a_level_that_leaves_out_reports_is_named(aws):
    name = aws.name("reports-warn")
    deploy(
        aws,
        name,
        {"app.py": "import logging\ndef handler(event, context):\n    logging.error('logged')\n"},
        LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"},
    )
    aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    with pytest.raises(TimeoutError, match="its SystemLogLevel is WARN"):
        reports(aws.client("logs"), name, timeout=1)


def test_a_chatty_function(aws):
    """Its REPORT lines are far apart, and on other pages than the first."""
    name = aws.name("reports-chatty")
    code = "def handler(event, context):\n    for number in range(15_000):\n        print(number)\n"
    deploy(aws, name, {"app.py": code}, Timeout=60)
    for _ in range(3):
        aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    frame = reports(aws.client("logs"), name, at_least=3)
    assert len(frame) == 3
    assert frame["start"].is_monotonic_increasing
    assert frame["init_ms"].isna().tolist() == [False, True, True]


def test_ten_thousand_reports_cost_little_more_than_to_read_them(aws):
    """By CPU time of this process, against a plain loop through the same pages."""
    logs, name = aws.client("logs"), aws.name("reports-many")
    group = f"/aws/lambda/{name}"
    logs.create_log_group(logGroupName=group)
    try:
        now = int(datetime.now(UTC).timestamp() * 1000) - 3_600_000
        for stream in range(10):
            stream_name = f"2026/11/02/[$LATEST]{stream:032x}"
            logs.create_log_stream(logGroupName=group, logStreamName=stream_name)
            batch = []
            for number in range(1_000):
                lines = whole(f"{stream:08x}-4a5b-4c6d-8e7f-{number:012x}")
                batch += [{"timestamp": now + number * 10 + at, "message": line} for at, line in enumerate(lines)]
            logs.put_log_events(logGroupName=group, logStreamName=stream_name, logEvents=batch)

        def cpu(call):
            began = time.process_time()
            call()
            return time.process_time() - began

        def loop():
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            assert sum(len(page["events"]) for page in pages) == 30_000

        frame = reports(logs, name, at_least=10_000)
        assert len(frame) == frame["request_id"].nunique() == 10_000
        ratios = (cpu(lambda: reports(logs, name, at_least=10_000)) / cpu(loop) for _ in range(5))
        assert any(ratio < 4 for ratio in ratios)
    finally:
        logs.delete_log_group(logGroupName=group)
