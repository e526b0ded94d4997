"""reports() reads what CloudWatch Logs recorded of a function's invocations into a table.

It measures nothing itself: every figure is Lambda's own, from the REPORT line of the invocation.
"""

import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd
from botocore.exceptions import ClientError

from ..arguments import CALLABLE, COUNT, FUNCTION_NAME, LOGS, MOMENT, SECONDS, name_of_function, or_none, takes
from ..errors import WorkshopError
from ..session import record
from .report_lines import Line, Report, invocations, parse

COLUMNS = {
    "request_id": "str",
    "environment": "str",
    "start": "datetime64[ms, UTC]",
    "duration_ms": "float64",
    "init_ms": "float64",
    "billed_ms": "int64",
    "memory_mb": "int64",
    "max_memory_mb": "int64",
    "status": "str",
    "error_type": "str",
}
RESTORED = {"restore_ms": "float64"}  # the last column, where environments were restored from a snapshot
NOTED = 200  # rows of a table in the record
POLL = 0.5  # s; CloudWatch allows a few filter_log_events calls per second for an account


class ReportsError(WorkshopError, TimeoutError):
    """The lines did not come in time; the message is one sentence for the reader."""


@dataclass(frozen=True)
class _Log:
    """Where the lines of a function are: its name, log group, which other functions may share, and what is logged."""

    function: str
    group: str
    only_failures: bool = False

    def has(self, stream: str) -> bool:
        """Whether a log stream is the function's: those of a shared group have its name, before its version."""
        return self.group == _default_group(self.function) or f"/{self.function}[" in stream


@dataclass
class _Read:
    """What was read of a log: the lines of each stream that look like Lambda's, with their times."""

    is_there: bool = True  # the log group
    is_whole: bool = True  # there was time for all pages
    lines: int = 0  # of the function, whatever is in them
    streams: dict[str, list[tuple[int, Line]]] = field(default_factory=lambda: defaultdict(list))


@takes(
    logs=LOGS,
    function_name=FUNCTION_NAME,
    at_least=COUNT,
    since=or_none(MOMENT),
    timeout=SECONDS,
    clock=CALLABLE,
    sleep=CALLABLE,
)
def reports(
    logs: Any,
    function_name: str,
    *,
    at_least: int = 1,
    since: datetime | None = None,
    timeout: float = 60,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> pd.DataFrame:
    """Return one row for each REPORT of the function, in the order in which the invocations started.

    `logs` is a CloudWatch Logs client, workshop.client("logs"): another does not tell which log group LoggingConfig
    names. Logs reach CloudWatch seconds after the invocation, so this asks again until `at_least` rows are there.
    `since` leaves out the invocations that started before.

    Columns: request_id (retries of an asynchronous event share it), environment (the log stream: one for each
    execution environment), start (UTC), duration_ms, init_ms (NaN when the environment was warm, and when
    it was initialised anew within duration_ms, after a crash), billed_ms, memory_mb, max_memory_mb, status
    ("success", "timeout" or "error", by the REPORT line alone), error_type ("" where the line names none); and, where
    environments were restored from a snapshot, restore_ms (NaN for the other invocations).
    Reads the text format and the JSON format. What the function prints is no row, also where it looks like a REPORT
    line; report_lines.py says how far that goes.

    Raises ReportsError, a TimeoutError, when fewer rows than `at_least` came within `timeout` seconds, or when the log
    is too long to be read in that time.
    """
    deadline = clock() + timeout
    log = _log(logs, function_name)
    while True:
        read = _read(logs, log, since, lambda: clock() > deadline)
        rows = _rows(read, started=since is not None)
        if read.is_whole and len(rows) >= at_least:
            frame = _frame(rows)
            _note(log.function, frame)
            return frame
        if clock() >= deadline:
            raise ReportsError(_why(log, read, len(rows), at_least, timeout))
        sleep(POLL)


def _default_group(function: str) -> str:
    return f"/aws/lambda/{function}"


def _log(logs: Any, function_name: str) -> _Log:
    """Where the function writes its log, as Lambda says where it can be asked; function_name may be an ARN."""
    name = name_of_function(function_name)
    config: dict[str, Any] = {}
    with contextlib.suppress(ClientError):  # it was deleted, its log is still there; or one may not ask
        # A client of a workshop knows the others of it: see connect.py.
        events = getattr(getattr(logs, "meta", None), "events", None)
        for _, client in events.emit("workshop.client", service="lambda") if events else ():
            config = client.get_function_configuration(FunctionName=name).get("LoggingConfig", {})
    only_failures = config.get("LogFormat") == "JSON" and config.get("SystemLogLevel") == "WARN"
    return _Log(name, config.get("LogGroup") or _default_group(name), only_failures)


def _why(log: _Log, read: _Read, rows: int, at_least: int, timeout: float) -> str:
    """Why there are too few rows, as far as can be seen: a sentence."""
    if not read.is_whole:
        return (
            f"The log of {log.function} is longer than what can be read in {timeout:g} s ({read.lines:,} lines); "
            "read less of it, with a later `since`, or give it more time, with `timeout`."
        )
    if not read.is_there:
        cause = f"there is no log group {log.group}: check that it was invoked, and that its role may write logs"
    elif not read.lines:
        cause = f"{log.group} has no line of it: check that it was invoked, and that its role may write logs"
    elif log.only_failures:
        cause = "its SystemLogLevel is WARN, with which Lambda logs only what fails: set it to INFO"
    else:
        cause = f"{read.lines:,} lines of it were read: check that it was invoked that often, and has answered"
    return f"{rows} of {at_least} REPORT lines of {log.function} came to CloudWatch within {timeout:g} s; {cause}."


def _read(logs: Any, log: _Log, since: datetime | None, is_late: Callable[[], bool]) -> _Read:
    # All lines, and no filter pattern: START and END are needed, too, and emulators differ on patterns.
    wanted: dict[str, Any] = {"logGroupName": log.group}
    if since is not None:
        wanted["startTime"] = int(since.timestamp() * 1000)
    read = _Read()
    try:
        for page in logs.get_paginator("filter_log_events").paginate(**wanted):
            for event in page["events"]:
                if log.has(event["logStreamName"]):
                    read.lines += 1
                    if line := parse(event["message"]):
                        read.streams[event["logStreamName"]].append((event["timestamp"], line))
            if is_late() and "nextToken" in page:
                read.is_whole = False
                break
    except logs.exceptions.ResourceNotFoundException:  # Lambda makes the group when the first line arrives
        read.is_there = False
    return read


def _rows(read: _Read, started: bool) -> list[Report]:
    """One row for each invocation; with `started`, only those whose START is among the lines too."""
    rows = [
        found.report | {"environment": stream, "start": int(found.start)}
        for stream, lines in read.streams.items()
        for found in invocations(sorted(lines, key=lambda line: line[0]))
        if found.started or not started
    ]
    return sorted(rows, key=lambda row: row["start"])


def _frame(rows: list[Report]) -> pd.DataFrame:
    columns = COLUMNS | (RESTORED if any("restore_ms" in row for row in rows) else {})
    frame = pd.DataFrame(rows, columns=list(columns))
    frame["start"] = pd.to_datetime(frame["start"], unit="ms", utc=True)
    return frame.astype(columns)


_noted: dict[str, pd.DataFrame] = {}  # the table of each function that was read last in this kernel


def tables() -> dict[str, pd.DataFrame]:
    """The table of each function, by its name, as the cells of this kernel have read it last."""
    return dict(_noted)


def _note(function: str, frame: pd.DataFrame) -> None:
    """Enter a table in the record, unless it is the one that was read before."""
    before = _noted.get(function)
    if record.is_on("table") and len(frame) and (before is None or not frame.equals(before)):
        _noted[function] = frame.copy()
        rows = json.loads(frame.tail(NOTED).to_json(orient="values", date_format="iso"))
        record.note("table", name=function, columns=list(frame.columns), rows=rows, total=len(frame))
