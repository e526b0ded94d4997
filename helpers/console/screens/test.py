"""The tab Test: an event from a template or of the reader's own, and what the function made of it."""

import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from ...measuring.report_lines import parse_report
from ...pages import highlight
from ...webhook import without_secret
from .. import events
from ..actions import invoke
from ..page import Done, Page, Screen
from ..strings import words

FIRST = "hello"
SHOWN = 50_000  # characters of an answer


@dataclass(frozen=True)
class Result:
    """What Invoke answered."""

    status: int
    error: str | None  # FunctionError
    payload: Markup  # its beginning, where it is long
    length: int
    log: str
    report: dict[str, Any]  # of the REPORT line; empty where there is none


def show(page: Page) -> Response:
    chosen, is_own = page.asked("own") or page.asked("template", FIRST), bool(page.asked("own"))
    result, last = page.notice.result if page.notice and page.notice.result else (None, "")
    text = page.form.text("event", last or events.read(chosen, is_own))
    return page.render(
        "test.html",
        tab="test",
        templates=events.templates(),
        own=events.own(),
        chosen="" if is_own else chosen,
        chosen_own=chosen if is_own else "",
        event=text,
        event_name=page.asked("event_name", chosen if is_own else ""),
        result=result,
        most=SHOWN,
    )


def press_test(page: Page) -> Done:
    event = events.parsed(page.asked("event"))
    status, error, payload, log = page.perform(invoke.invoke, function_name=page.function_name, event=event)
    text = _laid_out(without_secret(payload))
    result = Result(status, error, highlight.json_text(text[:SHOWN]), len(text), without_secret(log), _report(log))
    sentence = words("test.failed" if error else "test.succeeded", name=page.function_name, error=error)
    return Done(sentence, result=(result, page.asked("event")))


def send(page: Page) -> Done:
    event = events.parsed(page.asked("event"))
    status = page.perform(invoke.invoke_asynchronously, function_name=page.function_name, event=event)
    return Done(words("test.sent", status=status), result=(None, page.asked("event")))


def save(page: Page) -> Done:
    name = page.asked("event_name").strip()
    events.save(name, page.asked("event"))
    return Done(words("test.saved", name=name), result=(None, page.asked("event")))


def delete(page: Page) -> Done:
    name = page.asked("event_name").strip()
    events.delete(name)
    return Done(words("test.deleted", name=name))


def _laid_out(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload


def _report(log: str) -> dict[str, Any]:
    reports = [parse_report(line + "\n") for line in log.splitlines() if line.startswith(("REPORT", "{"))]
    found = next((each for each in reversed(reports) if each), None)
    return {name: value for name, value in (found or {}).items() if value == value and value != ""}  # NaN: not there


SCREEN = Screen("/functions/{name}/test", show, {"test": press_test, "send": send, "save": save, "delete": delete})
