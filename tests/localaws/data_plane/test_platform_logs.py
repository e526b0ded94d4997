"""Lambda's own log lines, against lines as AWS writes them."""

import json
from datetime import UTC, datetime

import pytest
from localaws_client import FUNCTION

from helpers.localaws.data_plane.platform_logs import JsonFormat, Report, Restore, TextFormat

TEXT, JSON = TextFormat(), JsonFormat()
ID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
WHEN = datetime(2026, 11, 24, 1, 2, 3, 45_678, tzinfo=UTC)


def test_init_start():
    digest = "0" * 64
    assert TEXT.init_start("python:3.13.v43", f"arn:aws:lambda:us-east-1::runtime:{digest}") == (
        "INIT_START Runtime Version: python:3.13.v43\t"
        f"Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:{digest}\n"
    )


def test_start_and_end():
    assert TEXT.start(ID, "$LATEST") == f"START RequestId: {ID} Version: $LATEST\n"
    assert TEXT.end(ID) == f"END RequestId: {ID}\n"


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            Report(2.46, 1024, 95, init_ms=413.61),
            "Duration: 2.46 ms\tBilled Duration: 417 ms\tMemory Size: 1024 MB\tMax Memory Used: 95 MB\t"
            "Init Duration: 413.61 ms\t\n",
        ),
        (
            Report(1.12, 1024, 95),
            "Duration: 1.12 ms\tBilled Duration: 2 ms\tMemory Size: 1024 MB\tMax Memory Used: 95 MB\t\n",
        ),
        (
            Report(3000, 128, 30, status="timeout"),
            "Duration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t"
            "Status: timeout\n",
        ),
        (
            Report(100, 128, 128, init_ms=50.5, status="error", error_type="Runtime.OutOfMemory"),
            "Duration: 100.00 ms\tBilled Duration: 151 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t"
            "Init Duration: 50.50 ms\tStatus: error\tError Type: Runtime.OutOfMemory\n",
        ),
        (
            Report(306.34, 3009, 155, restore=Restore(511.25, 302.2)),
            "Duration: 306.34 ms\tBilled Duration: 610 ms\tMemory Size: 3009 MB\tMax Memory Used: 155 MB\t"
            "Restore Duration: 511.25 ms\tBilled Restore Duration: 303 ms\t\n",
        ),
    ],
)
def test_report(report, line):
    assert TEXT.report(ID, report) == f"REPORT RequestId: {ID}\t{line}"


@pytest.mark.parametrize(
    ("duration", "init", "billed"),
    [
        (2.46, 413.61, 417),
        (1.12, None, 2),
        (1.0, None, 1),
        (0.001, None, 0),
        (0.01, None, 1),
        (0.5, 0.5, 1),
        (1.004, None, 1),
        (1.006, None, 2),
        (99.99, 0.01, 100),
        (99.99, 0.02, 101),
        (3000.0, None, 3000),
        (0.1, 0.2, 1),
        (1.1, 2.2, 4),
    ],
)
def test_billed_duration_is_the_sum_as_printed_rounded_up(duration, init, billed):
    assert Report(duration, 128, 1, init).billed_ms == billed


def test_init_report():
    assert TEXT.init_report(83.58, "invoke", "error", "Runtime.ImportModuleError") == (
        "INIT_REPORT Init Duration: 83.58 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n"
    )
    assert TEXT.init_report(9999.56, "init", "timeout", "") == (
        "INIT_REPORT Init Duration: 9999.56 ms\tPhase: init\tStatus: timeout\n"
    )


def test_failures():
    assert TEXT.timed_out(ID, 3, WHEN) == f"2026-11-24T01:02:03.045Z {ID} Task timed out after 3.00 seconds\n\n"
    assert TEXT.failure(ID, "Runtime exited with error: exit status 3", "Runtime.ExitError") == (
        f"RequestId: {ID} Error: Runtime exited with error: exit status 3\nRuntime.ExitError\n"
    )


def record(line):
    event = json.loads(line)
    assert list(event) == ["time", "type", "record"]
    assert line.endswith("}\n") and "\n" not in line[:-1]
    datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
    return event["type"], event["record"]


def test_json_start_and_report():
    assert record(JSON.start(ID, "7")) == ("platform.start", {"requestId": ID, "version": "7"})
    assert record(JSON.report(ID, Report(2.456, 1024, 95, init_ms=413.614))) == (
        "platform.report",
        {
            "requestId": ID,
            "status": "success",
            "metrics": {
                "durationMs": 2.46,
                "billedDurationMs": 417,
                "memorySizeMB": 1024,
                "maxMemoryUsedMB": 95,
                "initDurationMs": 413.61,
            },
        },
    )
    kind, warm = record(JSON.report(ID, Report(1.12, 1024, 95)))
    assert "initDurationMs" not in warm["metrics"] and "errorType" not in warm


def test_json_failures():
    _, failed = record(JSON.report(ID, Report(1, 128, 1, status="error", error_type="Runtime.ExitError")))
    assert (failed["status"], failed["errorType"]) == ("error", "Runtime.ExitError")
    assert record(JSON.init_report(83.58, "init", "error", "Runtime.ImportModuleError")) == (
        "platform.initReport",
        {
            "initializationType": "on-demand",
            "phase": "init",
            "status": "error",
            "errorType": "Runtime.ImportModuleError",
            "metrics": {"durationMs": 83.58},
        },
    )


def test_json_init_start():
    kind, start = record(JSON.init_start("python:3.13.v43", "arn:x"))
    assert kind == "platform.initStart"
    assert start == {
        "initializationType": "on-demand",
        "phase": "init",
        "runtimeVersion": "python:3.13.v43",
        "runtimeVersionArn": "arn:x",
    }


def test_json_says_whose_it_is():
    """As logged on AWS on 2026-10-08: each member in its place, and no spaces."""
    of_function = JsonFormat("INFO", "on-demand", FUNCTION, "2026/10/08/[$LATEST]22be")
    _, start = record(of_function.init_start("nodejs:22.v122", "arn:x"))
    assert list(start)[4:] == ["functionName", "functionVersion", "instanceId", "instanceMaxMemory"]
    assert (start["instanceId"], start["instanceMaxMemory"]) == ("2026/10/08/[$LATEST]22be", FUNCTION.memory_mb * 2**20)
    line = of_function.start(ID, "$LATEST")
    assert line.endswith(f'{{"requestId":"{ID}","functionArn":"{FUNCTION.arn}","version":"$LATEST"}}}}\n')


def test_json_has_no_lines_for_what_the_report_says_already():
    assert JSON.end(ID) is JSON.failure(ID, "x", "y") is JSON.timed_out(ID, 3, WHEN) is None


def test_at_system_level_warn_only_what_went_wrong_is_logged():
    quiet = JsonFormat("WARN")
    assert quiet.init_start("python:3.13.v5", "arn") is None
    assert quiet.start("id", "$LATEST") is None
    assert quiet.report("id", Report(1.0, 128, 30)) is None
    assert '"timeout"' in quiet.report("id", Report(1000.0, 128, 30, status="timeout"))


def test_a_restore():
    arn = f"arn:aws:lambda:us-east-1::runtime:{'0' * 64}"
    assert TEXT.restore_start("python:3.13.v43", arn) == (
        f"RESTORE_START Runtime Version: python:3.13.v43\tRuntime Version ARN: {arn}\n"
    )
    assert TEXT.restore_report(511.25, "success", "") == "RESTORE_REPORT Restore Duration: 511.25 ms\n"
    assert TEXT.restore_report(1236.04, "timeout", "") == (
        "RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: timeout\n"
    )
    assert TEXT.restore_report(1236.04, "error", "Runtime.ExitError") == (
        "RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: error\tError Type: Runtime.ExitError\n"
    )


def test_a_restore_in_json():
    begin, end = (
        json.loads(text) for text in (JSON.restore_start("v", "arn"), JSON.restore_report(9.123, "success", ""))
    )
    assert (begin["type"], begin["record"]) == (
        "platform.restoreStart",
        {"runtimeVersion": "v", "runtimeVersionArn": "arn"},
    )
    assert (end["type"], end["record"]) == (
        "platform.restoreReport",
        {"status": "success", "metrics": {"durationMs": 9.12}},
    )
    quiet = JsonFormat("WARN")
    assert (quiet.restore_start("v", "arn"), quiet.restore_report(9, "success", "")) == (None, None)
    assert "Runtime.ExitError" in quiet.restore_report(9, "error", "Runtime.ExitError")


def test_an_init_that_went_well_has_a_report_with_snapstart_alone():
    assert TEXT.init_report(13316.04, "init", "success", "") == "INIT_REPORT Init Duration: 13316.04 ms\n"
    record = json.loads(JsonFormat("INFO", "snap-start").init_report(9, "init", "success", ""))["record"]
    assert (record["initializationType"], record["status"]) == ("snap-start", "success")
    assert JsonFormat("WARN", "snap-start").init_report(9, "init", "success", "") is None
