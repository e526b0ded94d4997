"""Which lines of a log stream Lambda itself has written: START, END and REPORT, in text and in JSON.

A function may print anything, also lines that look like these, and on AWS nothing marks whose a line is. But an
execution environment has one invocation at a time: what stands between a START and the REPORT of the same request is
the function's own. Two things cannot be told from Lambda's lines: the END and REPORT of its own request, printed to
the letter, with other invocations printed after them; and all lines of an invocation printed outside of any.
"""

import itertools
import json
import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
START = re.compile(rf"START RequestId: {ID} Version: \S+\s*")
END = re.compile(rf"END RequestId: {ID}\s*")
REPORT = re.compile(
    rf"REPORT RequestId: {ID}\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t"
    r"Memory Size: (\d+) MB\tMax Memory Used: (\d+) MB((?:[\t\n]+[A-Z][\w ]*: [^\t\n]*)*)[\t\n]*"
)
INIT_START = re.compile(r"INIT_START Runtime Version: [^\t\n]+\tRuntime Version ARN: \S+\s*")
RESTORE_START = re.compile(r"RESTORE_START Runtime Version: [^\t\n]+\tRuntime Version ARN: \S+\s*")
INIT_REPORT = re.compile(r"INIT_REPORT Init Duration: ([\d.]+) ms\tPhase: (\w+)\t.*\s*")

Report = dict[str, Any]  # e.g. {"request_id": "8f5…", "duration_ms": 2.46, "init_ms": 413.61, …}


class Line(NamedTuple):
    """A line that looks like one of Lambda's: its kind, its request, and what it says."""

    kind: str  # "start", "end", "report", "init_start" (or of a restore), or "init_failed"
    request: str = ""  # "" where it has none; those of text and of JSON are never the same
    says: Any = None  # the Report, or how many milliseconds an init took that failed


class Reported(NamedTuple):
    """One invocation of a stream."""

    report: Report
    start: float  # ms since 1970
    started: bool  # whether its START is there, too


def parse_report(line: str) -> Report | None:
    """Return what a REPORT line says, in text or JSON format, or None for any other line.

    Keys: request_id, duration_ms, init_ms (NaN without one), billed_ms, memory_mb, max_memory_mb, status,
    error_type, and restore_ms where there is one. Format: "Working with Lambda function logs" in the AWS Lambda
    Developer Guide.
    """
    found = parse(line)
    return found.says if found and found.kind == "report" else None


def parse(message: str) -> Line | None:
    """The line, where it looks like one of Lambda's."""
    reads = PARSERS.get(message[:3])
    if reads:
        return reads(message)
    if message.startswith("{") and '"platform.' in message:  # cheap, and most lines are the function's own
        try:
            return _json(json.loads(message))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # what the function printed
            pass
    return None


def invocations(lines: Iterable[tuple[int, Line]]) -> list[Reported]:
    """The invocations of one log stream, of its lines with their times, in the order of time."""
    return _Stream([(time, line) for time, line in lines]).read()


class _Stream:
    """The lines of one stream, which are gone through once."""

    def __init__(self, lines: list[tuple[int, Line]]) -> None:
        self._lines = lines
        self._where: dict[tuple[str, str], list[int]] = defaultdict(list)  # by kind and request
        for number, (_, line) in enumerate(lines):
            self._where[line.kind, line.request].append(number)
        self._found: list[Reported] = []
        self._request = ""  # of the last one that was found
        self._init_ms = math.nan  # of an init that failed in its own phase, which has a line of its own
        self._begun = False  # whether what is there begins before any START
        self._ended = ""  # the request of the last END before any START

    def read(self) -> list[Reported]:
        number = 0
        while number < len(self._lines):
            time, line = self._lines[number]
            last = number
            if line.kind == "start":
                self._begun = True
                if closing := self._closing(number):
                    last = max(number, *closing)  # what is between was printed by the function
                    self._add(line.request, self._lines[closing[-1]][1].says, time, True)
            elif line.kind == "report":
                self._unexpected(time, line)
            elif line.kind == "init_start":
                self._begun = True
            elif line.kind == "end":
                self._ended = line.request
            elif line.kind == "init_failed":
                self._init_ms = line.says
            number = last + 1
        return self._found

    def _closing(self, start: int) -> list[int]:
        """Where the END, if there is one, and the REPORT of this START are; none while there is no REPORT."""
        time, line = self._lines[start]
        found = []
        for kind in ("end", "report"):
            # By time: lines of one millisecond may come unordered.
            places = self._where.get((kind, line.request), [])
            place = bisect_left(places, time, key=lambda number: self._lines[number][0])
            if place < len(places):
                found.append(places[place])
                time = self._lines[places[place]][0]
            elif kind == "report":
                return []
        return found

    def _unexpected(self, time: int, line: Line) -> None:
        """A REPORT after one of the same invocation, which the function had printed, or one without a START."""
        if line.request == self._request and self._found[-1].started:
            self._found[-1] = self._found[-1]._replace(report=line.says)
        elif not self._begun and not self._starts_at(time, line.request):
            if line.request == self._ended:  # what is before the END was printed
                last = reversed(self._found)
                same = list(itertools.takewhile(lambda each: each.report["request_id"] == line.request, last))
                del self._found[len(self._found) - len(same) :]
            self._add(line.request, line.says, time - line.says["duration_ms"], False)

    def _starts_at(self, time: int, request: str) -> bool:
        return any(self._lines[number][0] == time for number in self._where.get(("start", request), []))

    def _add(self, request: str, report: Report, start: float, started: bool) -> None:
        if math.isnan(report["init_ms"]):  # with "Phase: invoke" Duration contains it
            report = {**report, "init_ms": self._init_ms}
        self._init_ms, self._request = math.nan, request
        self._found.append(Reported(report, start, started))


def _start(message: str) -> Line | None:
    found = START.fullmatch(message)
    return Line("start", found[1]) if found else None


def _end(message: str) -> Line | None:
    found = END.fullmatch(message)
    return Line("end", found[1]) if found else None


def _report(message: str) -> Line | None:
    found = REPORT.fullmatch(message)
    if found is None:
        return None
    id_, duration, billed, memory, used, rest = found.groups()
    pairs = dict(part.split(": ", 1) for part in re.split(r"[\t\n]+", rest) if part)  # e.g. Init Duration, Status
    report = {
        "request_id": id_,
        "duration_ms": float(duration),
        "init_ms": float(pairs.get("Init Duration", "nan").removesuffix(" ms")),
        "billed_ms": int(billed),
        "memory_mb": int(memory),
        "max_memory_mb": int(used),
        "status": pairs.get("Status", "success"),
        "error_type": pairs.get("Error Type", ""),
    }
    if "Restore Duration" in pairs:
        report["restore_ms"] = float(pairs["Restore Duration"].removesuffix(" ms"))
    return Line("report", id_, report)


def _init(message: str) -> Line | None:
    if INIT_START.fullmatch(message):
        return Line("init_start")
    found = INIT_REPORT.fullmatch(message)
    return Line("init_failed", says=float(found[1])) if found and found[2] == "init" else None


def _restore(message: str) -> Line | None:
    return Line("init_start") if RESTORE_START.fullmatch(message) else None


PARSERS = {"STA": _start, "END": _end, "REP": _report, "INI": _init, "RES": _restore}  # by the beginning of a line


def _json(event: dict[str, Any]) -> Line | None:
    """An event of the platform. https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html."""
    kind, record = event["type"], event["record"]
    if kind in ("platform.initStart", "platform.restoreStart"):
        return Line("init_start")
    if kind == "platform.start":
        return Line("start", f"JSON {record['requestId']}")
    if kind == "platform.initReport" and record["phase"] == "init" and record["status"] != "success":
        return Line("init_failed", says=float(record["metrics"]["durationMs"]))
    if kind != "platform.report":
        return None
    metrics, status = record["metrics"], record.get("status", "success")
    report = {
        "request_id": str(record["requestId"]),
        "duration_ms": float(metrics["durationMs"]),
        "init_ms": float(metrics.get("initDurationMs", "nan")),
        "billed_ms": int(metrics["billedDurationMs"]),
        "memory_mb": int(metrics["memorySizeMB"]),
        "max_memory_mb": int(metrics["maxMemoryUsedMB"]),
        "status": status if status in ("success", "timeout") else "error",  # JSON also knows "failure"
        "error_type": str(record.get("errorType", "")),
    }
    if "restoreDurationMs" in metrics:
        report["restore_ms"] = float(metrics["restoreDurationMs"])
    return Line("report", f"JSON {record['requestId']}", report)
