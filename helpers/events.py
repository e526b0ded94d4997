"""load_event() gives a copy of one of the events in events/; compare_events() sets two side by side."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from . import settings
from .arguments import TEXT, ArgumentError, as_json, takes
from .palette import BLUE_TINT, ORANGE_TINT, RED_TINT

Event = dict[str, Any]  # e.g. {"name": "Ada"}

MARKS = ("same", "value differs", "only in the sample", "only delivered")
COLORS = dict(zip(MARKS[1:], (ORANGE_TINT, BLUE_TINT, RED_TINT), strict=True))
WIDTH = 48  # characters of a value that is shown
# A long path or value is wrapped, so that no column leaves the window. Of the ways to say so, JupyterLab keeps this one
# in an output that it does not trust.
WRAPPED = ";word-break:break-all"

_ABSENT = object()
_NAME = re.compile(r"[A-Za-z_$][\w$-]*")  # a key that needs no quotes in a path: detail-type, x-amz-id-2


@takes(event=TEXT)
def load_event(event: str, /, **changes: Any) -> Event:
    """Return events/<event>.json as a fresh dict, its top-level keys replaced by `changes`.

    Raises ArgumentError, with the names that there are, when there is no such event, or no such key in it.
    """
    files = {path.stem: path for path in settings.EVENTS.glob("*.json")}
    if event not in files:
        raise ArgumentError(f"There is no event {event!r}; choose one of: {', '.join(sorted(files))}.")
    stored: Event = json.loads(files[event].read_text(encoding="utf-8"))
    if unknown := [name for name in changes if name not in stored]:
        raise ArgumentError(
            f"The event {event!r} has no {unknown[0]!r} to replace; it has: {', '.join(stored)}. "
            f"To add it, write load_event({event!r}) | {{{unknown[0]!r}: …}}."
        )
    return stored | changes


class EventComparison(pd.DataFrame):
    """What compare_events() returns: a DataFrame that a notebook shows in colour, under its summary."""

    @property
    def summary(self) -> str:
        """One line: how many values there are, and how many have each mark."""
        same, differ, sample, delivered = ((self["mark"] == mark).sum() for mark in MARKS)
        values = "1 value" if len(self) == 1 else f"{len(self)} values"
        return (
            f"{values}: {same} the same, {differ} different, {sample} only in the sample, {delivered} only delivered."
        )

    def __repr__(self) -> str:
        return f"{self.summary}\n{pd.DataFrame(self.map(_short)).to_string(index=False)}"

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="text-align:left">{name}</th>' for name in self)
        body = "".join(_html_row(dict(zip(map(str, self), row, strict=True))) for row in self.itertuples(index=False))
        return f"<p>{self.summary}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@takes()
def compare_events(sample: Event, delivered: Event) -> EventComparison:
    """Return a table with one row for each value of two events, in the order in which they stand there.

    Columns: mark (one of MARKS), path (e.g. `Records[0].s3.object.key`), sample and delivered (the values as JSON text,
    so that 1 and "1" can be told apart; empty where there is none). Long values are shown
    shortened, and are whole in the table. `.summary` counts the marks in one line.

    Raises ArgumentError when an event is no dict.
    """
    for name, event in {"sample": sample, "delivered": delivered}.items():
        if not isinstance(event, dict):
            raise ArgumentError(
                f"The {name} event is a {type(event).__name__}, not a dict; "
                "if it is JSON text, json.loads() makes a dict of it."
            )
        as_json(f"The {name} event", event)
    pairs = _pairs("", sample, delivered)
    rows = [(_mark(one, other), path, _json(one), _json(other)) for path, one, other in pairs]
    return EventComparison(rows, columns=["mark", "path", "sample", "delivered"], dtype="str")


def _pairs(path: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every path with its values on both sides; a list or dict counts through what is in it, or as empty."""
    if (branches := _branches(one, other)) is None:
        yield path, one, other
        return
    for name in branches:
        yield from _pairs(_join(path, name), _child(one, name), _child(other, name))


def _branches(one: Any, other: Any) -> list[str] | range | None:
    """The keys or indexes of two dicts or two lists, or of the only one; None where there are none."""
    there = [value for value in (one, other) if value is not _ABSENT]
    if not any(there):
        return None
    if all(isinstance(value, dict) for value in there):
        return list(dict.fromkeys(key for value in there for key in value))
    if all(isinstance(value, list) for value in there):
        return range(max(map(len, there)))
    return None


def _child(value: Any, name: str | int) -> Any:
    if value is _ABSENT:
        return _ABSENT
    try:
        return value[name]
    except LookupError:
        return _ABSENT


def _join(path: str, name: str | int) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    if not _NAME.fullmatch(name):
        return f"{path}[{_json(name)}]"
    return f"{path}.{name}" if path else name


def _mark(one: Any, other: Any) -> str:
    if other is _ABSENT:
        return "only in the sample"
    if one is _ABSENT:
        return "only delivered"
    # In Python, True == 1; in JSON they are two things.
    same = one == other and isinstance(one, bool) == isinstance(other, bool)
    return "same" if same else "value differs"


def _json(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    """The text, or its beginning and its end: those of an ARN and of a URL tell the most."""
    end = WIDTH // 3
    return text if len(text) <= WIDTH else f"{text[: WIDTH - end - 1]}…{text[-end:]}"


def _html_row(row: dict[str, str]) -> str:
    # Styles stand in the cells, as Jupyter takes <style> out of an output that it does not trust.
    color = COLORS.get(row["mark"])
    style = "text-align:left" + (f";background-color:{color};color:black" if color else "")
    cells = (_html_cell(text, style if name == "mark" else style + WRAPPED) for name, text in row.items())
    return f"<tr>{''.join(cells)}</tr>"


def _html_cell(text: str, style: str) -> str:
    shown = _short(text)
    whole = f' title="{html.escape(text)}"' if shown != text else ""  # seen when the mouse rests there
    return f'<td style="{style}"{whole}>{html.escape(shown)}</td>'
