"""The checks of notebook 13: the capacity of a server, and a page that stays right with careless and malicious requests."""

import html
import math
import re
from collections.abc import Callable

import pandas as pd
import requests
from helpers.connect import Workshop
from helpers.events import load_event
from helpers.exercises import deployed
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    NotSolved,
    WrongAnswer,
    call,
    require_number,
)
from helpers.exercises.probe import Probe, unique

from .wrong_answers import WRONG_CAPACITIES, WRONG_PAGES

CORNER = "corner-page"  # without the learner's prefix
TEAS = {"1": "Sencha", "2": "Hojicha"}
TIMEOUT_S = 30

# One caller: 80, 84 and 400 ms, so the median is 84 and no mean. Then four callers.
WAITS, CALLERS = [80.0, 84.0, 400.0, 300.0, 310.0, 320.0, 330.0], [1, 1, 1, 4, 4, 4, 4]
WORKERS = 3
CAPACITY = WORKERS * 1000 / 84


def _measured() -> pd.DataFrame:
    return pd.DataFrame({"wait_ms": WAITS, "callers": CALLERS, "per_second": 7.5})


def _alone(frame: pd.DataFrame) -> "pd.Series[float]":
    return frame[frame["callers"] == 1]["wait_ms"]


# How somebody may calculate, and what to look at then: (frame, workers) -> pages per second.
CAPACITIES: dict[str, tuple[Callable[[pd.DataFrame, int], float], str]] = {
    "one worker": (
        lambda frame, workers: 1000 / _alone(frame).median(),
        "that is what one worker serves; multiply by `workers`.",
    ),
    "divided": (
        lambda frame, workers: 1000 / _alone(frame).median() / workers,
        "you divided by `workers`; more workers serve more pages.",
    ),
    "per ms": (
        lambda frame, workers: workers / _alone(frame).median(),
        "that is pages per millisecond; a second has 1000.",
    ),
    "a million": (
        lambda frame, workers: workers * 1_000_000 / _alone(frame).median(),
        "`wait_ms` is in milliseconds; a second has 1000, not 1,000,000.",
    ),
    "ms per page": (
        lambda frame, workers: _alone(frame).median() / workers,
        "that is milliseconds per page; divide the other way round.",
    ),
    "s per page": (
        lambda frame, workers: _alone(frame).median() / workers / 1000,
        "that is seconds per page; divide the other way round.",
    ),
    "the wait": (
        lambda frame, workers: _alone(frame).median(),
        "that is the median wait; how many of them fit into a second, and how many workers are there?",
    ),
    "the mean": (
        lambda frame, workers: workers * 1000 / _alone(frame).mean(),
        "that is the mean, which one slow request moves; take the median.",
    ),
    "all rows": (
        lambda frame, workers: workers * 1000 / frame["wait_ms"].median(),
        "the requests of several callers are in it, and they stood in line; keep the rows with one caller.",
    ),
    "the mean of all": (
        lambda frame, workers: workers * 1000 / frame["wait_ms"].mean(),
        "it is the mean of all rows; take the median of those with one caller.",
    ),
    "most callers": (
        lambda frame, workers: (
            workers * 1000 / frame[frame["callers"] > 1]["wait_ms"].median()
        ),
        "those are the rows with most callers, who stood in line; keep the rows with one caller.",
    ),
    "p95": (
        lambda frame, workers: float(workers * 1000 / _alone(frame).quantile(0.95)),
        "that is p95; take the median, p50.",
    ),
    "the shortest": (
        lambda frame, workers: workers * 1000 / frame["wait_ms"].min(),
        "that is the shortest wait; take the median.",
    ),
    "measured": (
        lambda frame, workers: frame["per_second"].max(),
        "`per_second` was measured with other workers; calculate from the wait of one caller.",
    ),
    "measured, multiplied": (
        lambda frame, workers: workers * frame["per_second"].max(),
        "`per_second` was measured under load; calculate from the wait of one caller.",
    ),
}


def judge_capacity(capacity: Callable[[pd.DataFrame, int], float]) -> list[str]:
    found = require_number(
        "capacity",
        call(capacity, _measured(), WORKERS),
        "one number, of pages per second",
    )
    if not math.isclose(found, CAPACITY, rel_tol=1e-6):
        raise NotSolved(
            f"capacity returned {found:.4g} where {CAPACITY:.4g} is right, for 3 workers and, with one caller, "
            f"waits of 80, 84 and 400 ms: {_why_wrong(found)}"
        )
    return []


def _why_wrong(found: float) -> str:
    for wrong, why in CAPACITIES.values():
        if math.isclose(found, wrong(_measured(), WORKERS), rel_tol=1e-6):
            return why
    if found == round(CAPACITY) or found == math.floor(CAPACITY):
        return "it is rounded; return the number as it is."
    return "a worker serves 1000 / median of them a second."


class _Page:
    """The reader's page, asked by HTTP as a browser would."""

    def __init__(self, workshop: Workshop) -> None:
        client = workshop.client("lambda")
        name = workshop.name(CORNER)
        self._probe = Probe(
            workshop, deployed.find(workshop, name, "run the cell that deploys it")
        )
        try:
            self.url = client.get_function_url_config(FunctionName=name)[
                "FunctionUrl"
            ].rstrip("/")
        except client.exceptions.ResourceNotFoundException:
            raise NotSolved(
                f"{name} has no function URL; run the cell that calls open_to_everybody."
            ) from None
        self._session = requests.Session()
        self._session.trust_env = workshop.endpoint is None

    def get(self, path: str, **query: str) -> requests.Response:
        answer = self._session.get(
            self.url + path, params=query, allow_redirects=False, timeout=TIMEOUT_S
        )
        shown = f"{path}?{'&'.join(query)}=…" if query else path
        if (
            answer.status_code == 403
            and answer.headers.get("x-amzn-ErrorType") == "AccessDeniedException"
        ):
            raise NotSolved(
                "The address answers 403, Forbidden: its function does not permit everybody to use the URL and to be "
                "invoked by way of it; run the cell that calls open_to_everybody."
            )
        if answer.status_code >= 500:
            raise NotSolved(
                f"GET {shown} was answered {answer.status_code}: {self._why(path, query)}"
            )
        return answer

    def _why(self, path: str, query: dict[str, str]) -> str:
        """What the function says when it is invoked with such a request."""
        event = load_event("function-url", rawPath=path)
        event.pop("queryStringParameters", None)
        outcome = self._probe.invoke(
            event | ({"queryStringParameters": query} if query else {})
        )
        if not outcome.failed:
            return "what the function returned is no answer to a browser; return a dict with a statusCode and a body."
        return f"the function failed with {outcome.error_type}: {outcome.error_message[:200].rstrip('.')}."


def judge_page(workshop: Workshop) -> list[str]:
    page = _Page(workshop)
    for number, tea in TEAS.items():
        _is_tea(page.get(f"/item/{number}"), number, tea, "you")
    visitor = f"Ada-{unique()}"
    _is_tea(page.get("/item/1", visitor=visitor), "1", TEAS["1"], visitor)
    _not_found(page)
    _sent_on(page)
    _escaped(page)
    return []


def _is_tea(answer: requests.Response, number: str, tea: str, visitor: str) -> None:
    if answer.status_code != 200:
        raise NotSolved(
            f"GET /item/{number} must be answered 200 as before, and was {answer.status_code}."
        )
    _is_html(answer, f"/item/{number}")
    for wanted in (tea, visitor):
        if wanted not in answer.text:
            raise NotSolved(
                f"The page /item/{number} showed {wanted!r} before, and no longer does."
            )


def _is_html(answer: requests.Response, path: str) -> None:
    kind = answer.headers.get("Content-Type", "")
    if not kind.startswith("text/html"):
        raise NotSolved(
            f"GET {path} comes as {kind or 'nothing in particular'}, and a browser would show the source; "
            'give it the header "Content-Type": "text/html; charset=utf-8".'
        )


def _not_found(page: _Page) -> None:
    for path in ("/item/9", "/item/42", f"/item/{unique()}", "/item/", "/cart"):
        try:
            answer = page.get(path)
        except NotSolved as failed:
            raise NotSolved(
                f"{failed} There is no such page: answer 404 before you look it up."
            ) from None
        if answer.status_code == 200:
            raise NotSolved(
                f"GET {path} was answered 200, and there is no such page; its statusCode must be 404."
            )
        if answer.status_code != 404:
            raise NotSolved(
                f"GET {path} was answered {answer.status_code}; for a page that does not exist it is 404."
            )
        _is_html(answer, path)
        if not answer.text.strip():
            raise NotSolved(
                f"GET {path} has an empty body; tell the visitor that there is no such page."
            )


def _sent_on(page: _Page) -> None:
    for number in TEAS:
        path = f"/products/{number}"
        answer = page.get(path)
        place = answer.headers.get("Location", "")
        if answer.status_code in (301, 308):
            raise NotSolved(
                f"GET {path} was answered {answer.status_code}, which browsers remember for good; "
                "302 is asked for, which you can take back."
            )
        if answer.status_code != 302:
            raise NotSolved(
                f"GET {path} was answered {answer.status_code}; the old address is sent on, with 302."
            )
        if not place:
            raise NotSolved(
                f"GET {path} has no header Location, so that a browser does not know where to go."
            )
        if not re.fullmatch(rf"({re.escape(page.url)})?/item/{number}(\?.*)?", place):
            raise NotSolved(
                f"GET {path} leads to {place!r}; its header Location must be '/item/{number}'."
            )


def _escaped(page: _Page) -> None:
    visitor = f"Tom & <b onclick=\"alert('{unique()}')\">Ada</b>"
    text = page.get("/item/2", visitor=visitor).text
    if visitor in text or "<b onclick" in text:
        raise NotSolved(
            "A visitor named <b …>Ada</b> gets the tags into the page as they are, and a script would come in the same "
            "way; send the name through html.escape()."
        )
    if "&amp;lt;" in text or "&amp;amp;" in text:
        raise NotSolved(
            "The visitor's name is escaped twice: '<' became '&amp;lt;'; once is enough."
        )
    if not any(html.escape(visitor, quote=quote) in text for quote in (True, False)):
        missing = (
            "'&' must become '&amp;' as well"
            if "Tom & " in text
            else "nothing of it may be left out"
        )
        raise NotSolved(
            f"The visitor {visitor!r} does not show as given; {missing}: html.escape() does it."
        )
    answer = page.get("/item/<b onclick=x>")
    if "<b onclick" in answer.text:
        raise NotSolved(
            "The page for what does not exist repeats the path unescaped; a path comes from outside, too: escape it."
        )


CAPACITY_OF_A_SERVER = Answer(
    number="13.1",
    title="how much a server can take",
    judge=judge_capacity,
    hints=(
        "How long does one page keep a worker busy, when nobody waits in line? Which rows show it?",
        'frame[frame["callers"] == 1] keeps the rows with one caller; ["wait_ms"].median() is the middle of them.',
        "A second has 1000 ms: a worker serves 1000 / median pages in it, and several workers as many times more.",
    ),
    asks_for="capacity",
    wrong_answers=(
        *(
            WrongAnswer(name, wrong, re.escape(why))
            for name, (wrong, why) in CAPACITIES.items()
        ),
        *WRONG_CAPACITIES,
    ),
)
CAREFUL_PAGE = DeployedFunction(
    number="13.2",
    title="a careless page",
    judge=judge_page,
    hints=(
        "page.py, at the top of the notebook, does two of the three. Which of its lines look at what comes from outside?",
        "TEAS[number] fails for a number that is not there; `if number not in TEAS` asks first. Return a dict with "
        '"statusCode": 404, a header Content-Type and a body.',
        'A redirect is {"statusCode": 302, "headers": {"Location": "/item/2"}}, its number taken from /products/2.',
        "`import html` at the top, and html.escape(visitor) where the name goes into the page, once.",
    ),
    wrong_answers=WRONG_PAGES,
)
EXERCISES = (CAPACITY_OF_A_SERVER, CAREFUL_PAGE)
