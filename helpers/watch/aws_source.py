"""AwsSource: the same messages as of the embedded AWS, made of what AWS tells: log lines, and a metric for throttles.

It is later and coarser, and its status says so. An environment is seen from its first invocation on, of which the log
has START and REPORT lines; nobody tells when it ends, so one that was not used for UNSEEN_S is taken away.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import isnan, nan
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..errors import WorkshopError
from ..measuring.report_lines import Line, Reported, invocations, parse
from ..resources.types import code, says_absent
from .environments import Environments, Event
from .source import Message
from .strings import say

EVERY_S = 3  # CloudWatch allows a few filter_log_events calls per second for an account
METRICS_EVERY_S = 60  # each request costs, and Lambda's metrics have a value for a minute
FUNCTIONS_EVERY_S = 30
LATE_MS = 20_000  # lines come to the log by as much, not in the order of their times
UNSEEN_S = 15 * 60
PAGES = 20  # of a log that are read at once, for each function
LINES, REMEMBERED = 1000, 2000  # Lambda's own lines of a stream, and ids of lines, that are kept
MOST_FUNCTIONS = 20
VERSION = re.compile(r"\[([^\[\]]+)\]")  # in the name of a log stream


@dataclass
class _Stream:
    """The log stream of one environment, as far as it was read, and what was told of it."""

    lines: list[tuple[int, Line]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)  # requests that are over, with their start
    busy: str = ""  # the request that was told to have begun
    is_there: bool = False
    last: float = 0


class AwsSource:
    """Tells {"type": "environments", …} once, then "activity" and "status", until it is closed."""

    quiet_s = 3.0 * EVERY_S

    def __init__(self, workshop: Any, functions: tuple[str, ...], told: Callable[[Message], None]) -> None:
        self._workshop, self._functions, self._told = workshop, functions, told
        self._is_closed = threading.Event()
        self._logs = {name: _Log(workshop, name) for name in functions}
        self._looked = self._measured = 0.0
        self._lacks = ""  # what AWS does not let us see of the rest, in a sentence
        self._thread = threading.Thread(target=self._run, daemon=True, name="watch-aws")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._is_closed.set()

    def _run(self) -> None:
        is_first = True
        while not self._is_closed.is_set():
            try:
                events = self._look()
            except ClientError as error:
                self._say(False, say("watch.aws_refused", code=code(error)))
            except (BotoCoreError, WorkshopError):
                self._say(False, say("watch.aws_refused", code="network"))
            else:
                self._say(True, f"{say('watch.aws', minutes=UNSEEN_S // 60)} {self._lacks}".rstrip())
                if is_first:
                    is_first = False
                    self._told(_snapshot(events))
                elif events:
                    self._told({"type": "activity", "events": events})
            self._is_closed.wait(EVERY_S)

    def _say(self, connected: bool, sentence: str) -> None:
        self._told({"type": "status", "connected": connected, "sentence": sentence, "coarse": True})

    def _look(self) -> list[Event]:
        """What has happened since the last look, by the time."""
        now = time.time()
        if not self._functions and now - self._looked > FUNCTIONS_EVERY_S:
            self._looked = now
            self._find_functions()
        events = [event for log in self._logs.values() for event in log.look(now)]
        if now - self._measured > METRICS_EVERY_S:
            self._measured = now
            events += self._throttles(now)
        return sorted(events, key=lambda event: float(event["at"]))

    def _throttles(self, now: float) -> list[Event]:
        try:
            found = [event for log in self._logs.values() for event in log.throttles(now)]
        except ClientError as error:  # who may read logs may perhaps not read metrics
            self._lacks = say("watch.aws_no_throttles", code=code(error))
            return []
        self._lacks = ""
        return found

    def _find_functions(self) -> None:
        prefix = f"{self._workshop.tags['learner']}-"
        pages = self._workshop.client("lambda").get_paginator("list_functions").paginate()
        names = (each["FunctionName"] for page in pages for each in page["Functions"])
        for name in islice((name for name in names if name.startswith(prefix)), MOST_FUNCTIONS):
            if name not in self._logs:
                self._logs[name] = _Log(self._workshop, name)


class _Log:
    """The log of one function, and its metric."""

    def __init__(self, workshop: Any, function: str) -> None:
        self._function = function
        self._logs, self._metrics = workshop.client("logs"), workshop.client("cloudwatch")
        self._lambda = workshop.client("lambda")
        self._group = ""
        self._since = int((time.time() - UNSEEN_S) * 1000)
        self._seen: dict[str, None] = {}  # ids of lines, the last ones
        self._streams: dict[str, _Stream] = {}
        self._throttled: dict[datetime, float] = {}  # by the minute

    def look(self, now: float) -> list[Event]:
        events: list[Event] = []
        for name in self._read():
            events += self._events(name, self._streams[name])
        for name, stream in list(self._streams.items()):
            if now * 1000 - stream.last > UNSEEN_S * 1000:
                del self._streams[name]
                events.append(self._event("ended", name, now * 1000, reason="unseen"))
        return events

    def throttles(self, now: float) -> Iterator[Event]:
        """One event for each minute that had more of them than was told."""
        end = datetime.fromtimestamp(now, UTC)
        answer = self._metrics.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Throttles",
            Dimensions=[{"Name": "FunctionName", "Value": self._function}],
            StartTime=end - timedelta(minutes=5),
            EndTime=end,
            Period=60,
            Statistics=["Sum"],
        )
        is_first = not self._throttled
        for point in answer["Datapoints"]:
            more = int(point["Sum"] - self._throttled.get(point["Timestamp"], 0))
            self._throttled[point["Timestamp"]] = point["Sum"]
            if more > 0 and not is_first:
                at = point["Timestamp"].timestamp() * 1000
                yield {"kind": "invocation.throttled", "at": at, "function": self._function, "count": more}
        self._throttled.setdefault(datetime.min.replace(tzinfo=UTC), 0)  # what was there at first is known

    def _read(self) -> list[str]:
        """Read on; the streams that have new lines of Lambda's own."""
        group = self._log_group()
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=self._since - LATE_MS
        )
        changed: dict[str, None] = {}
        try:
            for page in islice(pages, PAGES):
                for event in page["events"]:
                    if event["eventId"] in self._seen:
                        continue
                    self._seen[event["eventId"]] = None
                    self._since = max(self._since, event["timestamp"])
                    name = event["logStreamName"]
                    line = parse(event["message"]) if self._is_ours(group, name) else None
                    if line:
                        self._streams.setdefault(name, _Stream()).lines.append((event["timestamp"], line))
                        changed[name] = None
        except self._logs.exceptions.ResourceNotFoundException:  # Lambda makes the group when the first line arrives
            pass
        for id in list(self._seen)[:-REMEMBERED]:
            del self._seen[id]
        return list(changed)

    def _log_group(self) -> str:
        if not self._group:
            try:
                config = self._lambda.get_function_configuration(FunctionName=self._function)
            except ClientError as error:
                if not says_absent(error):
                    raise
                return f"/aws/lambda/{self._function}"  # it is not there yet
            self._group = config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self._function}"
        return self._group

    def _is_ours(self, group: str, stream: str) -> bool:
        """Whether a stream is the function's: those of a shared group have its name, before its version."""
        return group == f"/aws/lambda/{self._function}" or f"/{self._function}[" in stream

    def _events(self, name: str, stream: _Stream) -> Iterator[Event]:
        """What the new lines of a stream tell."""
        stream.lines.sort(key=lambda line: line[0])
        del stream.lines[:-LINES]
        found = invocations(stream.lines)
        over = {_key(each) for each in found}
        for each in found:
            if _key(each) not in stream.told:
                yield from self._invocation(name, stream, each)
        stream.told = over
        # A START whose REPORT is not there yet.
        last = next((line for line in reversed(stream.lines) if line[1].kind == "start"), None)
        if last and last[1].request != stream.busy and not any(each.start == last[0] for each in found):
            yield from self._first(name, stream, float(last[0]), None)
            stream.busy, stream.last = last[1].request, max(stream.last, last[0])
            yield self._event("busy", name, last[0], request_id=_id(last[1].request))

    def _invocation(self, name: str, stream: _Stream, each: Reported) -> Iterator[Event]:
        report = each.report
        yield from self._first(name, stream, each.start, report)
        if _id(stream.busy) != report["request_id"]:
            yield self._event("busy", name, each.start, request_id=report["request_id"])
        stream.busy = ""
        end = each.start + report["duration_ms"]
        stream.last = max(stream.last, end)
        yield self._event(
            "idle",
            name,
            end,
            request_id=report["request_id"],
            duration_ms=report["duration_ms"],
            billed_ms=report["billed_ms"],
            memory_size=report["memory_mb"],
            memory_mb=report["max_memory_mb"],
            status=report["status"],
        )

    def _first(self, name: str, stream: _Stream, start: float, report: dict[str, Any] | None) -> Iterator[Event]:
        """An environment that was not there before, and its init, as its first invocation tells."""
        init_ms = report.get("restore_ms", report["init_ms"]) if report else nan
        is_cold = not isnan(init_ms)  # otherwise it was there before anybody looked, or its REPORT is not there yet
        is_restored = bool(report and "restore_ms" in report)
        began = start - init_ms if is_cold else start
        if not stream.is_there:
            stream.is_there = True
            kind = "snap-start" if is_restored else "on-demand"
            size = report["memory_mb"] if report else None
            yield self._event("created", name, began, memory_size=size, initialization_type=kind)
        if is_cold:
            yield self._event("init", name, began, phase="restore" if is_restored else "init")
            yield self._event("ready", name, start, **{"restore_ms" if is_restored else "init_ms": init_ms})

    def _event(self, kind: str, stream: str, at: float, **members: Any) -> Event:
        version = VERSION.search(stream)
        return {
            "kind": f"environment.{kind}",
            "at": at,
            "environment": f"{self._log_group()}:{stream}",
            "function": self._function,
            "version": version[1] if version else "",
            **members,
        }


def _snapshot(events: list[Event]) -> Message:
    """What was there before anybody looked."""
    environments = Environments()
    environments.told(events)
    return {"type": "environments", "environments": environments.messages(), "at": time.time() * 1000}


def _key(each: Reported) -> str:
    return f"{each.report['request_id']} {each.start}"


def _id(request: str) -> str:
    return request.removeprefix("JSON ")  # as report_lines.py has it for lines in JSON
