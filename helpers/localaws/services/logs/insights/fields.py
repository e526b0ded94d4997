"""The fields of a log event: what each has, what is discovered in lines of Lambda, and what JSON holds.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ..log_events import Event
from .values import Timestamp, Value

ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# As a runtime's logger writes it, "[INFO]\t" or nothing, the time and then the id, and as Lambda does of a failure
LOGGED_ID = re.compile(rf"(?:\[\w+\]\t)?(?:\S+[\t ]|RequestId: )({ID})\b")
PLATFORM = re.compile(rf"(START|END|REPORT) RequestId: ({ID})")
MEASURED = re.compile(
    r"\t(?:(Duration|Billed Duration|Init Duration|Restore Duration|Billed Restore Duration): ([\d.]+) ms"
    r"|(Memory Size|Max Memory Used): (\d+) MB)"
)
TRACED = re.compile(r"XRAY TraceId: (\S+)(?:\s+SegmentId: (\S+))?")
MEASURES = {
    "Duration": "@duration",
    "Billed Duration": "@billedDuration",
    "Init Duration": "@initDuration",
    "Memory Size": "@memorySize",
    "Max Memory Used": "@maxMemoryUsed",
}
MB = 1_000_000  # @memorySize of 128 MB is 1.28E8 on AWS
LAMBDA_GROUP = "/aws/lambda/"
SYSTEM = ("@timestamp", "@message", "@logStream", "@log", "@ingestionTime")
_decode = json.JSONDecoder().raw_decode


class Source:
    """The log stream that events are from: its names, and what makes the pointer of an event in it."""

    def __init__(self, account: str, group: str, stream: str, pointer: Callable[[Event], str]) -> None:
        self.group, self.stream, self.pointer = group, stream, pointer
        self.log = f"{account}:{group}"
        self.is_lambda = group.startswith(LAMBDA_GROUP)


class Row(dict[str, Value]):
    """A row of a query: its fields by their names, each computed when it is first asked for."""

    __slots__ = ()

    def __missing__(self, name: str) -> Value:
        """A field of a structure that jsonParse has made, or None."""
        return self._within_structure(name)

    def _within_structure(self, name: str) -> Value:
        head, dot, rest = name.partition(".")
        while dot:
            value = self.get(head)
            if isinstance(value, dict | list):
                return _at(value, rest)
            step, dot, rest = rest.partition(".")
            head = f"{head}.{step}"
        return None


class EventRow(Row):
    """A row that is a log event."""

    __slots__ = ("_fragment", "_searched", "event", "source")

    def __init__(self, event: Event, source: Source) -> None:
        self.event, self.source = event, source
        self._fragment: Any = False  # of JSON, that was not looked for yet
        self._searched = False  # for what is Lambda's

    def __missing__(self, name: str) -> Value:
        value = self[name] = self._discovered(name)
        return value

    @property
    def message(self) -> str:
        return self.event[3]

    def _discovered(self, name: str) -> Value:
        if name.startswith("@@"):
            return _leaf(_at(self._json(), name[1:]))
        if name.startswith("@"):
            return self._generated(name)
        found = _leaf(_at(self._json(), name))
        return self._within_structure(name) if found is None else found

    def _generated(self, name: str) -> Value:
        match name:
            case "@timestamp":
                return Timestamp(self.event[0])
            case "@message":
                return self.message
            case "@logStream":
                return self.source.stream
            case "@log":
                return self.source.log
            case "@ingestionTime":
                return Timestamp(self.event[2])
            case "@ptr":
                return self.source.pointer(self.event)
        if not self._searched:
            self._searched = True
            for each, value in self.lambda_fields().items():
                self.setdefault(each, value)  # a field of the query's own goes before
        return self[name] if name in self else self._within_structure(name)

    def lambda_fields(self) -> dict[str, Value]:
        """What AWS discovers in a line of Lambda's."""
        message = self.message
        if message.startswith("{"):
            return self._platform_event()
        platform = PLATFORM.match(message)
        if platform is None:
            logged = LOGGED_ID.match(message)
            return {"@requestId": logged[1]} if logged else {}
        found: dict[str, Value] = {"@type": platform[1], "@requestId": platform[2]}
        if platform[1] == "REPORT":
            for time, milliseconds, size, megabytes in MEASURED.findall(message):
                if field := MEASURES.get(time or size):
                    found[field] = float(milliseconds) if time else float(int(megabytes) * MB)
            if traced := TRACED.search(message):
                found["@xrayTraceId"] = traced[1]
                if traced[2]:
                    found["@xraySegmentId"] = traced[2]
        return found

    def _platform_event(self) -> dict[str, Value]:
        """Of a line in JSON: the type of an event of the platform; its metrics are fields of JSON."""
        event = self._json()
        kind = event.get("type") if isinstance(event, dict) else None
        if not isinstance(kind, str) or not kind.startswith("platform."):
            request_id = event.get("requestId") if self.source.is_lambda and isinstance(event, dict) else None
            return {"@requestId": request_id} if isinstance(request_id, str) else {}
        record = event.get("record")
        request_id = record.get("requestId") if isinstance(record, dict) else None
        return {"@type": kind} | ({"@requestId": request_id} if request_id else {})

    def _json(self) -> Any:
        """The object that the message is, or in a log of Lambda's the first that is within it; else None."""
        if self._fragment is False:
            self._fragment = self._found_json()
        return self._fragment

    def _found_json(self) -> Any:
        message = self.message
        start = message.find("{")
        if start < 0 or not (self.source.is_lambda or not message[:start].strip()):
            return None
        try:
            found, end = _decode(message, start)
        except (ValueError, RecursionError):
            return None
        return found if self.source.is_lambda or not message[end:].strip() else None

    def all(self) -> dict[str, Value]:
        """All fields that it has, as GetLogRecord shows them."""
        found = {name: self[name] for name in SYSTEM} | self.lambda_fields()
        return found | dict(_leaves(self._json(), ""))


def _at(value: Any, path: str) -> Value:
    """What a structure holds at a path like user.roles.0; keys may have dots themselves."""
    while True:
        if isinstance(value, list):
            step, _, path = path.partition(".")
            if not step.isdecimal() or int(step) >= len(value):
                return None
            value = value[int(step)]
            if not path:
                return value
        elif isinstance(value, dict):
            if path in value:
                return value[path]
            step, dot, rest = path.partition(".")
            while dot and step not in value:
                more, dot, rest = rest.partition(".")
                step = f"{step}.{more}"
            if not dot:
                return None
            value, path = value[step], rest
        else:
            return None


def _leaf(value: Any) -> Value:
    return None if isinstance(value, dict | list) else value


def _leaves(value: Any, path: str) -> list[tuple[str, Value]]:
    """The values of an object, by their paths."""
    if isinstance(value, dict):
        items = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        items = [(str(number), each) for number, each in enumerate(value)]
    else:
        return [] if value is None else [(f"@{path}" if path.startswith("@") else path, value)]
    return [leaf for key, each in items for leaf in _leaves(each, f"{path}.{key}" if path else key)]
