"""The log lines that Lambda itself writes, in text and in JSON, to the letter.

Sources: the formats of CloudWatch Logs as AWS writes them in 2026; for JSON,
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
"""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from .function import Function


@dataclass
class Restore:
    """How long it took to restore a snapshot, and of that what is billed: the runtime and its hooks, in ms."""

    duration_ms: float
    hooks_ms: float

    @property
    def billed_ms(self) -> int:
        return math.ceil(round(self.hooks_ms, 2))


@dataclass
class Report:
    """What one invocation cost. Times in ms.

    `init_ms` is None unless this invocation was the environment's first, and `restore` unless it was that of one which
    was restored: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html.
    """

    duration_ms: float
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None
    status: str = "success"  # or "error", "timeout"
    error_type: str = ""
    restore: Restore | None = None
    trace: str = ""  # the header of a trace that is sampled

    @property
    def billed_ms(self) -> int:
        """Since 1 August 2025 INIT is billed with the invocation, rounded up to 1 ms together."""
        hundredths = round(self.duration_ms * 100) + round((self.init_ms or 0.0) * 100)  # exact, as printed
        return math.ceil(hundredths / 100) + (self.restore.billed_ms if self.restore else 0)


class Format(Protocol):
    """The events of the platform. Each method returns the message of one, or None where the log has no such event."""

    def init_start(self, runtime_version: str, runtime_arn: str) -> str | None: ...

    def init_note(self, note: str) -> str: ...

    def init_report(self, init_ms: float, phase: str, status: str, error_type: str) -> str | None: ...

    def restore_start(self, runtime_version: str, runtime_arn: str) -> str | None: ...

    def restore_report(self, restore_ms: float, status: str, error_type: str) -> str | None: ...

    def start(self, request_id: str, version: str, trace: str = "") -> str | None: ...

    def failure(self, request_id: str, error_message: str, error_type: str) -> str | None: ...

    def timed_out(self, request_id: str, seconds: float, when: datetime) -> str | None: ...

    def end(self, request_id: str) -> str | None: ...

    def report(self, request_id: str, report: Report) -> str | None: ...

    def logs_dropped(self, records: int, reason: str) -> str: ...


class TextFormat:
    """LoggingConfig.LogFormat = "Text": lines with tabs."""

    def init_start(self, runtime_version: str, runtime_arn: str) -> str:
        return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_arn}\n"

    def init_note(self, note: str) -> str:
        """Not a line of AWS's, whose runtimes are what their names say."""
        return f"INIT_NOTE {note}\n"

    def init_report(self, init_ms: float, phase: str, status: str, error_type: str) -> str:
        """With SnapStart there is one of an init that went well, too, as no REPORT has its duration."""
        ending = "" if status == "success" else f"\tPhase: {phase}{_ending(status, error_type)}"
        return f"INIT_REPORT Init Duration: {init_ms:.2f} ms{ending}\n"

    def restore_start(self, runtime_version: str, runtime_arn: str) -> str:
        return f"RESTORE_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_arn}\n"

    def restore_report(self, restore_ms: float, status: str, error_type: str) -> str:
        ending = "" if status == "success" else _ending(status, error_type)
        return f"RESTORE_REPORT Restore Duration: {restore_ms:.2f} ms{ending}\n"

    def start(self, request_id: str, version: str, trace: str = "") -> str:
        return f"START RequestId: {request_id} Version: {version}\n"

    def failure(self, request_id: str, error_message: str, error_type: str) -> str:
        return f"RequestId: {request_id} Error: {error_message}\n{error_type}\n"

    def timed_out(self, request_id: str, seconds: float, when: datetime) -> str:
        return f"{_iso(when)} {request_id} Task timed out after {seconds:.2f} seconds\n\n"

    def end(self, request_id: str) -> str:
        return f"END RequestId: {request_id}\n"

    def report(self, request_id: str, report: Report) -> str:
        init = "" if report.init_ms is None else f"Init Duration: {report.init_ms:.2f} ms\t"
        head = (
            f"REPORT RequestId: {request_id}\tDuration: {report.duration_ms:.2f} ms\t"
            f"Billed Duration: {report.billed_ms} ms\tMemory Size: {report.memory_mb} MB\t"
            f"Max Memory Used: {report.max_memory_mb} MB\t{init}{_restored(report.restore)}"
        )
        if report.status == "success":
            return head + "\n" + _traced(report.trace)
        return head.removesuffix("\t") + _ending(report.status, report.error_type) + "\n" + _traced(report.trace)

    def logs_dropped(self, records: int, reason: str) -> str:
        """Not a line of AWS's, which drops none of a log."""
        return f"{reason} {records:,} older events were dropped.\n"


class JsonFormat:
    """LoggingConfig.LogFormat = "JSON": one object a line.

    `system_level` is LoggingConfig.SystemLogLevel: at "WARN" only what went wrong is logged. `initialization_type` is
    the environment's AWS_LAMBDA_INITIALIZATION_TYPE, and `instance` the name of its log stream. What events say of the
    `function` is as functions have logged it on AWS in October 2026. With tenant isolation each invocation names its
    tenant: https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-monitor.html.
    """

    def __init__(
        self,
        system_level: str = "INFO",
        initialization_type: str = "on-demand",
        function: Function | None = None,
        instance: str = "",
    ) -> None:
        self._only_failures = system_level == "WARN"
        self._initialization_type = initialization_type
        self._arn: dict[str, Any] = {"functionArn": function.arn} if function else {}
        self._tenant = {"tenantId": function.tenant_id} if function and function.tenant_id else {}
        self._instance: dict[str, Any] = {}
        if function:
            self._instance = {
                "functionName": function.name,
                "functionVersion": function.version,
                "instanceId": instance,
                "instanceMaxMemory": function.memory_mb * 2**20,
            }

    def init_start(self, runtime_version: str, runtime_arn: str) -> str | None:
        if self._only_failures:
            return None
        return _event(
            "platform.initStart",
            {
                "initializationType": self._initialization_type,
                "phase": "init",
                "runtimeVersion": runtime_version,
                "runtimeVersionArn": runtime_arn,
                **self._instance,
            },
        )

    def init_note(self, note: str) -> str:
        return _event("platform.initNote", {"note": note})

    def init_report(self, init_ms: float, phase: str, status: str, error_type: str) -> str | None:
        if self._only_failures and status == "success":
            return None
        record = {"initializationType": self._initialization_type, "phase": phase, "status": status}
        if error_type:
            record["errorType"] = error_type
        return _event("platform.initReport", {**record, "metrics": {"durationMs": round(init_ms, 2)}})

    def restore_start(self, runtime_version: str, runtime_arn: str) -> str | None:
        if self._only_failures:
            return None
        return _event("platform.restoreStart", {"runtimeVersion": runtime_version, "runtimeVersionArn": runtime_arn})

    def restore_report(self, restore_ms: float, status: str, error_type: str) -> str | None:
        if self._only_failures and status == "success":
            return None
        record = {"status": status, "errorType": error_type} if error_type else {"status": status}
        return _event("platform.restoreReport", {**record, "metrics": {"durationMs": round(restore_ms, 2)}})

    def start(self, request_id: str, version: str, trace: str = "") -> str | None:
        if self._only_failures:
            return None
        record = {"requestId": request_id, **self._arn, "version": version, **_tracing(trace), **self._tenant}
        return _event("platform.start", record)

    def failure(self, request_id: str, error_message: str, error_type: str) -> None:
        return None

    def timed_out(self, request_id: str, seconds: float, when: datetime) -> None:
        return None

    def end(self, request_id: str) -> None:
        return None

    def report(self, request_id: str, report: Report) -> str | None:
        if self._only_failures and report.status == "success":
            return None
        metrics = {
            "durationMs": round(report.duration_ms, 2),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.max_memory_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 2)
        if report.restore is not None:
            metrics["restoreDurationMs"] = round(report.restore.duration_ms, 2)
        record = {"requestId": request_id, "metrics": metrics, "status": report.status}
        if report.error_type:
            record["errorType"] = report.error_type
        return _event("platform.report", record | _tracing(report.trace) | self._tenant)

    def logs_dropped(self, records: int, reason: str) -> str:
        """In CloudWatch AWS drops none; by this event it tells extensions of what they have missed."""
        return _event("platform.logsDropped", {"droppedRecords": records, "reason": reason})


def _restored(restore: Restore | None) -> str:
    if restore is None:
        return ""
    return f"Restore Duration: {restore.duration_ms:.2f} ms\tBilled Restore Duration: {restore.billed_ms} ms\t"


def sampled(trace: str) -> str:
    """The trace header of an invocation, as far as X-Ray sees it; empty where the trace is not sampled."""
    return trace.partition(";Lineage=")[0] if ";Sampled=1" in trace else ""


def _of(trace: str, member: str) -> str:
    return dict(part.split("=", 1) for part in trace.split(";"))[member]


def _traced(trace: str) -> str:
    """The second line of a REPORT, https://docs.aws.amazon.com/lambda/latest/dg/python-tracing.html."""
    if not trace:
        return ""
    return f"XRAY TraceId: {_of(trace, 'Root')}\tSegmentId: {_of(trace, 'Parent')}\tSampled: true\t\n"


def _tracing(trace: str) -> dict[str, Any]:
    """The schema's TraceContext."""
    if not trace:
        return {}
    return {"tracing": {"spanId": _of(trace, "Parent"), "type": "X-Amzn-Trace-Id", "value": trace}}


def _ending(status: str, error_type: str) -> str:
    return f"\tStatus: {status}" + (f"\tError Type: {error_type}" if error_type else "")


def _event(kind: str, record: dict[str, Any]) -> str:
    event = {"time": _iso(datetime.now(UTC)), "type": kind, "record": record}
    return json.dumps(event, separators=(",", ":")) + "\n"


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"
