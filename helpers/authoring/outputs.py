"""Normalises the outputs of a notebook: what differs from run to run, or tells of a machine, is replaced.

Measured durations and memory stay as they were measured.
"""

import base64
import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from .. import settings
from ..jupyter.notebook_files import OF_PYTHON, STILL, WIDGET

BEGAN = datetime(2026, 1, 1, 9)  # UTC; when every notebook says that it was executed
WINDOW = timedelta(hours=12)  # a time further away, such as that of a sample event, is none of the execution
OTHER_PORTS = 50_001  # the first of the numbers given to ports that are not the embedded AWS's
PICTURES = ("image/png", STILL)
WIDGET_TEXT = "(An interactive element is here when this cell is run.)"
DRAWN = {b"IHDR", b"PLTE", b"tRNS", b"pHYs", b"IDAT", b"IEND"}  # PNG chunks; others hold software and dates


_Time = tuple[datetime, Callable[[datetime], str]]  # a time that was read, and how to write another like it


@dataclass(frozen=True)
class Rule:
    r"""What `pattern` finds becomes `put`; there, \1 is its group, and {n} numbers distinct groups from 1."""

    what: str
    pattern: str
    put: str


# The start of a path, looked for only where one can begin: elsewhere, a long text would take for ever.
PATH = r"(?<![^\s'\":=,(<\[])[^\s'\":=,(<\[]*"
# Each leaves alone what it has made, so that normalised outputs can be told from others.
RULES = (
    Rule("the code of a function", PATH + r"/localaws/environments/[0-9a-f]{32}/task\b", "/var/task"),
    Rule("the same, cut short by pandas", PATH + r"/localaws/[a-z]*(?:/[0-9a-f]*)?\.\.\.", "/var/task"),
    Rule("its layers", PATH + r"/localaws/environments/[0-9a-f]{32}/opt\b", "/opt"),
    Rule("its runtime", PATH + r"/localaws/(?:runtimes/python(?:-[\d.]+)?|data_plane/bootstrap)\b", "/var/runtime"),
    Rule("code of a notebook", PATH + r"/ipykernel_\d+/\d+\.py", "cell.py"),
    Rule(
        "request ids and other UUIDs",
        r"\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b",
        "00000000-0000-4000-8000-{n:012d}",
    ),
    Rule("trace ids", r"\b(1-[0-9a-f]{8}-[0-9a-f]{24})\b", "1-00000000-{n:024d}"),
    Rule("days of log streams", r"\b\d{4}/\d\d/\d\d(?=/\[)", f"{BEGAN:%Y/%m/%d}"),
    # of which pandas shows 26 digits
    Rule(
        "ids of environments, and other 32 hex digits",
        r"\b([0-9a-f]{26})(?:[0-9a-f]{6}\b|(?=\.\.\.))",
        "{n:08d}000000000000000000000000",
    ),
    Rule("accounts in ARNs", r"\b(arn:aws[\w-]*:[\w-]*:[\w-]*):\d{12}(?=:)", r"\1:123456789012"),
    Rule("accounts in the URLs of queues", r"(127\.0\.0\.1:\d+|\.amazonaws\.com)/\d{12}(?=/)", r"\1/123456789012"),
    Rule("accounts by name", r"(?i)(\baccount_?(?:id)?['\"]?\s*[:=]\s*['\"]?)\d{12}\b", r"\g<1>123456789012"),
    Rule("sequencers of S3's events", r"\b(?!0{9})(?=\d*[A-F])([0-9A-F]{18})\b", "{n:018d}"),
    Rule("webhooks", r"(?<=/services/)\w+/\w+/\w+", "T00000000/B00000000/hidden"),
    Rule("addresses in memory", r"\b0x[0-9a-f]{8,16}\b", "0x7f0000000000"),
)


def places(home: Path) -> list[Rule]:
    """Rules for the paths of this machine; `home` is the WORKSHOP_HOME of the execution."""
    folders = {
        home: "~/lambda-workshop/work",
        Path(sys.prefix): "~/lambda-workshop/.venv",
        settings.ROOT: "~/lambda-workshop",
        Path.home(): "~",
    }
    # as Lambda's own Python says in a stack trace
    library = Rule("Python's library", rf"{re.escape(sys.base_prefix)}(?=/(?:lib|bin)/python)", "/var/lang")
    return [library] + [
        Rule(f"the folder {put}", rf"(?<![\w./-]){re.escape(str(folder))}(?![\w-])", put)
        # the inner ones first
        for folder, put in sorted(folders.items(), key=lambda item: -len(str(item[0])))
        if folder != Path(folder.anchor)
    ]


def normalise(notebook: NotebookNode, began: datetime, port: int, places: list[Rule]) -> None:
    """Normalise all outputs in place. `began`: the execution, in UTC. `port`: of the embedded AWS."""
    seen: dict[str, dict[str, int]] = {}

    def text(value: str) -> str:
        for rule in (*places, *RULES):
            value = re.sub(rule.pattern, _replacement(rule, seen.setdefault(rule.what, {})), value)
        return _shift(_renumber_ports(value, port, seen.setdefault("ports", {})), began)

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            _normalise_output(output, text)


def pictures(output: NotebookNode) -> list[bytes]:
    """The PNG pictures of an output."""
    encoded = output.get("data", {}).get("image/png")
    return [base64.b64decode(encoded)] if encoded else []


def _replacement(rule: Rule, numbers: dict[str, int]) -> Callable[[re.Match[str]], str]:
    def put(match: re.Match[str]) -> str:
        if "{n" not in rule.put:
            return match.expand(rule.put)
        made = rule.put.format(n=numbers.setdefault(match[1], len(numbers) + 1))
        return made[: len(match[0])]

    return put


def _normalise_output(output: NotebookNode, text: Callable[[str], str]) -> None:
    if output.output_type == "stream":
        output.text = text(output.text)
    elif output.output_type == "error":
        output.evalue = text(output.evalue)
        output.traceback = [f"{output.ename}: {output.evalue}"]  # its frames are the machine's
    else:
        # The widget ended with its kernel. What says something in words, as predict() does, keeps them.
        if output.data.pop(WIDGET, None) and OF_PYTHON.match(output.data.get("text/plain", "")):
            output.data["text/plain"] = WIDGET_TEXT
        for kind, value in output.data.items():
            if kind == "image/png":
                output.data[kind] = base64.b64encode(_bare_png(base64.b64decode(value))).decode()
            elif kind.startswith("text/") or kind.endswith("json") or kind == STILL:
                output.data[kind] = _map_strings(value, text)


def _map_strings(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _map_strings(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_map_strings(item, text) for item in value]
    return text(value) if isinstance(value, str) else value


def _renumber_ports(value: str, port: int, numbers: dict[str, int]) -> str:
    def put(match: re.Match[str]) -> str:
        if int(match[2]) == port:
            return f"{match[1]}:{settings.DEFAULT_PORT}"
        return f"{match[1]}:{OTHER_PORTS + numbers.setdefault(match[2], len(numbers))}"

    return re.sub(r"\b(127\.0\.0\.1|localhost):(\d{4,5})\b", put, value)


def _shift(value: str, began: datetime) -> str:
    """Move the times of the execution as if it had begun at BEGAN: the time between two of them stays."""

    by = BEGAN - began.replace(microsecond=0)

    def put(match: re.Match[str], form: Callable[..., _Time]) -> str:
        try:
            time, write = form(*match.groups())
        except ValueError:  # looks like a time, and is none: the 45th of a month
            return match[0]
        return write(time + by) if abs(time - began) <= WINDOW else match[0]

    for pattern, form in TIMES:
        value = re.sub(pattern, partial(put, form=form), value)
    return value


def _iso(day: str, between: str, time: str) -> _Time:
    return datetime.fromisoformat(f"{day} {time}"), lambda new: f"{new:%Y-%m-%d}{between}{new:%H:%M:%S}"


def _milliseconds(text: str) -> _Time:
    start = datetime(1970, 1, 1)
    time = start + timedelta(milliseconds=int(text))
    return time, lambda new: str((new - start) // timedelta(milliseconds=1))


def _http(text: str) -> _Time:
    form = "%a, %d %b %Y %H:%M:%S GMT"
    return datetime.strptime(text, form), lambda new: new.strftime(form)


def _python(text: str) -> _Time:
    year, month, day, hour, minute, second, microsecond = [*map(int, text.split(", ")), 0, 0, 0][:7]
    time = datetime(year, month, day, hour, minute, second, microsecond)
    microseconds = [time.microsecond] if time.microsecond else []
    return time, lambda new: ", ".join(map(str, [*new.timetuple()[:6], *microseconds]))


# How a time is written, and what reads it and gives back a writer, all in UTC: ISO 8601 and pandas,
# milliseconds since 1970 (CloudWatch Logs), HTTP's Date, and the repr of Python's datetime (boto3's answers).
TIMES = (
    (r"\b(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)", _iso),
    (r"\b(\d{13})\b", _milliseconds),
    (r"\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)\b", _http),
    (r"(?<=datetime\.datetime\()(\d{4}(?:, \d{1,6}){4,6})", _python),
)


def _bare_png(png: bytes) -> bytes:
    """The picture without the chunks that draw nothing."""
    kept, place = [png[:8]], 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        end = place + 12 + length  # length, kind, data, checksum
        if kind in DRAWN:
            kept.append(png[place:end])
        place = end
    return b"".join(kept)
