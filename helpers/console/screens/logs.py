"""The tab Logs: the lines of a function's log group by a filter pattern, or a query of Logs Insights."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from ...webhook import without_secret
from ..actions import functions, observe
from ..page import EXPECTED, Page, Screen, notice_of

MINUTES = (15, 60, 180, 1440)
MOST = 300  # lines on a page
QUERY = "fields @timestamp, @message\n| sort @timestamp desc\n| limit 20"


def show(page: Page) -> Response:
    configuration = page.perform(functions.get_configuration, function_name=page.function_name)
    group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{page.function_name}"
    minutes = _minutes(page.asked("minutes"))
    is_query = page.asked("with") == "insights"
    lines: list[dict[str, str]] = []
    rows: list[dict[str, str]] = []
    try:
        if is_query:
            answer = page.perform(observe.query_log, log_group=group, query=page.asked("query", QUERY), minutes=minutes)
            rows = _rows(answer["results"])
        else:
            found = page.perform(
                observe.filter_log, log_group=group, pattern=page.asked("pattern"), minutes=minutes, at_most=MOST
            )
            lines = [_line(each) for each in found]
    except EXPECTED as error:
        page.notice = notice_of(error, [])
    return page.render(
        "logs.html",
        tab="logs",
        group=group,
        pattern=page.asked("pattern"),
        query=page.asked("query", QUERY),
        is_query=is_query,
        minutes=minutes,
        choices=MINUTES,
        lines=lines,
        rows=rows,
        most=MOST,
    )


def _minutes(text: str) -> int:
    return int(text) if text in {str(minutes) for minutes in MINUTES} else MINUTES[1]


def _line(event: dict[str, Any]) -> dict[str, str]:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return {
        "at": f"{at:%H:%M:%S}.{at.microsecond // 1000:03}",
        "text": without_secret(event["message"].rstrip("\n")),
        "stream": event.get("logStreamName", ""),
    }


def _rows(results: list[list[dict[str, str]]]) -> list[dict[str, str]]:
    return [
        {field["field"]: without_secret(field.get("value", "")) for field in row if field["field"] != "@ptr"}
        for row in results
    ]


SCREEN = Screen("/functions/{name}/logs", show)
