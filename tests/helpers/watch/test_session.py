"""Session: what a page is told, and what it may ask."""

import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually

from helpers.watch.session import Session

AT = 1_790_000_000_000.0
ID = "/aws/lambda/hello:2026/11/30/[$LATEST]8f5"
SNAPSHOT = {"environment": ID, "function": "hello", "version": "$LATEST", "state": "idle", "since": AT, "created": AT}


def event(kind: str, **members) -> dict:
    named = {"environment": ID, "function": "hello", "version": "$LATEST"}
    return {"at": AT, "kind": f"environment.{kind}", **named, **members}


class Source:
    """Tells what a test tells it to."""

    is_started = is_closed = False
    quiet_s = 0.1

    def __init__(self, told) -> None:
        self.told = told

    def start(self) -> None:
        self.is_started = True

    def close(self) -> None:
        self.is_closed = True


class Logs:
    """A log stream of CloudWatch Logs that grows."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.asked: list[dict] = []
        self.is_there = True

    def get_log_events(self, **wanted) -> dict:
        self.asked.append(wanted)
        if not self.is_there:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetLogEvents")
        begin = int(wanted.get("nextToken", 0))
        new = [{"timestamp": 1, "message": line} for line in self.lines[begin:]][-wanted["limit"] :]
        return {"events": new, "nextForwardToken": str(len(self.lines))}


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def page(logs):
    """A session whose page is a list; `.source` tells, `.sent` is what came."""
    sent: list[dict] = []
    sources: list[Source] = []

    def source(told) -> Source:
        sources.append(Source(told))
        return sources[-1]

    workshop = SimpleNamespace(client=lambda service: logs, is_embedded=True)
    session = Session(workshop, ["hello"], sent.append, source=source)
    session.start()
    of = lambda kind: [each for each in list(sent) if each["type"] == kind]  # noqa: E731
    yield SimpleNamespace(session=session, source=sources[0], sent=sent, of=of, logs=logs)
    session.close()
    eventually(lambda: not [each for each in threading.enumerate() if each.name in ("watch-ticker", "watch-log")])


def tell(page, *snapshots: dict) -> None:
    page.source.told({"type": "environments", "environments": list(snapshots), "at": AT})


def test_who_looks_gets_all_environments_and_the_status(page):
    tell(page, SNAPSHOT)
    page.sent.clear()
    page.session.receive({"type": "look", "part": "environments"})
    [snapshot] = page.of("environments")
    assert [each["environment"] for each in snapshot["environments"]] == [ID]
    assert snapshot["functions"] == ["hello"]
    assert snapshot["counts"]["cold_starts"] == 0
    assert page.of("status")[0]["connected"]


def test_a_page_that_comes_late_needs_not_ask(page):
    """A widget's page may have missed the first snapshot, and its messages may wait until the cell is done."""
    tell(page, SNAPSHOT)
    assert eventually(lambda: len(page.of("environments")) > 1)


def test_events_come_in_batches_and_only_those_of_its_functions(page):
    tell(page)
    other = {**event("created"), "function": "other", "environment": "g:other"}
    created = event("created", initialization_type="on-demand")
    for each in (created, event("init", phase="init"), other):
        page.source.told({"type": "activity", "events": [each]})
    batches = eventually(lambda: sum(len(each["events"]) for each in page.of("activity")) >= 2 and page.of("activity"))
    assert [each["kind"] for batch in batches for each in batch["events"]] == [
        "environment.created",
        "environment.init",
    ]
    assert page.session.still().alt == "1 environment of hello: 1 in init; 1 cold start, 0 invocations."


def test_a_snapshot_makes_what_waits_no_news(page):
    """Otherwise the page would count it twice."""
    tell(page, SNAPSHOT)
    with page.session._sending:  # nothing is sent meanwhile
        thread = threading.Thread(
            target=lambda: (
                page.source.told({"type": "activity", "events": [event("busy", request_id="r")]}),
                page.session.receive({"type": "look", "part": "environments"}),
            )
        )
        thread.start()
        eventually(lambda: page.session._last_event)
    thread.join(10)
    said = [each for each in page.sent if each["type"] in ("environments", "activity")]
    last = max(place for place, each in enumerate(said) if each["type"] == "environments")
    assert said[last]["environments"][0]["state"] == "busy"
    assert not [each for each in said[last:] if each["type"] == "activity"]


def test_it_says_that_it_is_there_again_and_again(page):
    assert eventually(lambda: len(page.of("status")) >= 2)
    assert page.of("status")[-1]["now"] > page.of("status")[0]["now"]


def test_what_the_source_says_of_itself_is_passed_on(page):
    page.source.told({"type": "status", "connected": False, "sentence": "It has gone.", "coarse": False})
    assert page.of("status")[-1]["sentence"] == "It has gone."


def test_the_log_of_one_is_shown_and_goes_on(page, logs):
    tell(page, SNAPSHOT)
    logs.lines = ["START\n", "x" * 300_000]
    page.session.receive({"type": "log", "environment": ID})
    [first] = eventually(lambda: page.of("log"))
    assert (first["environment"], first["begins"]) == (ID, True)
    assert [len(line["text"]) for line in first["lines"]] == [5, 4000]
    logs.lines.append("END")
    [_, more] = eventually(lambda: len(page.of("log")) == 2 and page.of("log"))
    assert ([line["text"] for line in more["lines"]], more["begins"]) == (["END"], False)
    assert logs.asked[0]["logGroupName"] == "/aws/lambda/hello"
    assert logs.asked[0]["logStreamName"] == "2026/11/30/[$LATEST]8f5"


def test_a_log_that_is_not_there_is_empty(page, logs):
    tell(page, SNAPSHOT)
    logs.is_there = False
    page.session.receive({"type": "log", "environment": ID})
    [first] = eventually(lambda: page.of("log"))
    assert first["lines"] == []


def test_no_log_is_read_of_what_is_no_environment_or_of_none(page, logs):
    tell(page, SNAPSHOT)
    for asked in ("/aws/secret:stream", None, 4, ["x"], {"a": 1}):
        page.session.receive({"type": "log", "environment": asked})
    assert logs.asked == []
    assert not [each for each in threading.enumerate() if each.name == "watch-log"]


@pytest.mark.parametrize("message", [None, 3, "look", [], {}, {"type": None}, {"type": ["look"]}, {"type": "odd"}])
def test_what_a_page_may_send_breaks_nothing(page, message):
    page.session.receive(message)
    tell(page, SNAPSHOT)
    assert page.session.has_begun(5)


def test_it_is_settled_when_nothing_has_anything_to_do(page):
    tell(page, SNAPSHOT)
    page.source.told({"type": "activity", "events": [event("busy", request_id="r")]})
    threading.Timer(
        0.2, lambda: page.source.told({"type": "activity", "events": [event("idle", duration_ms=200)]})
    ).start()
    page.session.settle(30)
    assert page.session.still().alt.startswith("1 environment of hello: 1 idle; ")


def test_waiting_for_that_has_an_end(page):
    tell(page, SNAPSHOT)
    page.source.told({"type": "activity", "events": [event("busy", request_id="r")]})
    page.session.settle(0.1)
    assert page.session.still().alt.startswith("1 environment of hello: 1 busy; ")


def test_when_it_is_closed_nothing_more_is_sent(page):
    page.session.close()
    page.sent.clear()
    tell(page, SNAPSHOT)
    page.session.receive({"type": "look", "part": "environments"})
    assert page.sent == []
    assert page.source.is_closed
