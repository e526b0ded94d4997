"""reports() reads every form of REPORT line that Lambda writes, and waits for CloudWatch."""

import json
import math
from datetime import UTC, datetime

import boto3
import pandas as pd
import pytest
from botocore.stub import Stubber

from helpers.deploy import deploy
from helpers.reports import COLUMNS, parse_report, reports

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


def test_what_follows_of_x_ray_and_snapstart_does_no_harm():
    more = "Restore Duration: 9.10 ms\tXRAY TraceId: 1-5e\tSampled: true\t\n"
    report = parse_report(COLD.rstrip("\n") + more)
    assert (report["init_ms"], report["status"]) == (413.61, "success")


@pytest.mark.parametrize(
    "line",
    [
        f"START RequestId: {ID} Version: $LATEST\n",
        f"END RequestId: {ID}\n",
        "INIT_START Runtime Version: python:3.13.v43\tRuntime Version ARN: arn:aws:lambda:::runtime:a\n",
        "INIT_REPORT Init Duration: 83.58 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n",
        "REPORT RequestId: printed by the function itself\n",
        f"printed: {WARM}",
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


def test_it_gives_up_with_a_sentence(logs):
    for _ in range(3):
        logs.stubber.add_response("filter_log_events", page((STREAM, 3, COLD)))
    with pytest.raises(TimeoutError, match=r"1 of 5 REPORT lines of ada-hello came to CloudWatch within 1 s"):
        read(logs, at_least=5, timeout=1)


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
