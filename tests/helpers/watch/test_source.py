"""EmbeddedSource: reads the stream of activity, says when it is gone, and goes on by itself."""

import http.server
import json
import queue
import threading
from types import SimpleNamespace

import pytest
from localaws_client import eventually

from helpers import localaws
from helpers.watch.source import PATH, EmbeddedSource, events

CREATED = {"at": 1.0, "kind": "environment.created", "environment": "g:s", "function": "hello", "version": "1"}


class Stream:
    """A server whose one stream a test writes by hand."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.status = 200
        self.sends: queue.Queue[bytes | None] = queue.Queue()  # None ends an answer
        stream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stream.asked.append({"path": self.path, **{name.lower(): text for name, text in self.headers.items()}})
                self.send_response(stream.status)
                self.end_headers()
                while stream.status == 200 and (data := stream.sends.get()) is not None:
                    self.wfile.write(data)
                    self.wfile.flush()

            def log_message(self, *arguments) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    def tell(self, kind: str, data: object, id: int = 1) -> None:
        self.sends.put(f"id: {id}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode())


@pytest.fixture
def stream():
    served = Stream()
    yield served
    served.sends.put(None)
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def told(stream, monkeypatch):
    """What a source that reads this stream tells, in a list that grows."""
    monkeypatch.setattr(localaws, "page_token", lambda secret: f"token of {secret}", raising=False)
    endpoint = SimpleNamespace(port=stream.server.server_port, secret_access_key="key")
    messages: list[dict] = []
    source = EmbeddedSource(messages.append, lambda: endpoint)
    source.start()
    yield messages
    source.close()
    stream.sends.put(None)
    source._thread.join(10)
    assert not source._thread.is_alive()


def test_one_that_is_closed_while_it_connects_ends(stream, monkeypatch):
    monkeypatch.setattr(localaws, "page_token", lambda secret: f"token of {secret}", raising=False)

    def find():
        source.close()  # there is no socket yet that it could shut
        return SimpleNamespace(port=stream.server.server_port, secret_access_key="key")

    source = EmbeddedSource(lambda message: None, find)
    source.start()
    source._thread.join(10)
    assert not source._thread.is_alive()


def of(told: list[dict], kind: str) -> list[dict]:
    return [each for each in told if each["type"] == kind]


def test_it_tells_the_snapshot_and_then_what_happens(stream, told):
    stream.tell("environments", {"at": 1.0, "environments": [{"environment": "g:s"}]})
    stream.sends.put(b": keep-alive\n\n")
    stream.tell("activity", CREATED, id=2)
    [activity] = eventually(lambda: of(told, "activity"))
    assert activity["events"] == [CREATED]
    assert [each["environments"] for each in of(told, "environments")] == [[{"environment": "g:s"}]]
    assert of(told, "status")[0] == {"type": "status", "connected": True, "sentence": "", "coarse": False}
    assert stream.asked[0]["path"] == PATH
    assert stream.asked[0]["authorization"] == "Bearer token of key"


def test_a_stream_that_ends_is_said_and_read_on_from_where_it_was(stream, told):
    stream.tell("environments", [], id=41)
    stream.tell("activity", CREATED, id=42)
    eventually(lambda: of(told, "activity"))
    stream.sends.put(None)
    eventually(lambda: len(stream.asked) == 2)
    assert "last-event-id" not in stream.asked[0]
    assert stream.asked[1]["last-event-id"] == "42"
    lost = [each for each in of(told, "status") if not each["connected"]]
    assert [each["sentence"] for each in lost] == [
        "The embedded AWS does not answer. This goes on by itself once it runs again."
    ]
    stream.tell("activity", CREATED, id=43)
    eventually(lambda: len(of(told, "activity")) == 2)
    assert of(told, "status")[-1]["connected"]


def test_who_reads_too_slowly_is_told_so_and_begins_anew(stream, told):
    stream.tell("dropped", {"sentence": "You read too slowly."})
    eventually(lambda: len(stream.asked) == 2)
    assert [each["sentence"] for each in of(told, "status") if not each["connected"]] == [
        "More happens than can be told here. This begins anew."
    ]


def test_a_refusal_is_said_with_its_status(stream, told):
    stream.status = 401
    stream.sends.put(None)  # the first answer, which had begun with 200
    refused = eventually(lambda: [each for each in of(told, "status") if "401" in each["sentence"]])
    assert not refused[0]["connected"]


@pytest.mark.parametrize("data", [b"event: activity\ndata: {\n\n", b"event: activity\ndata: 4\n\n\xff\n"])
def test_what_is_no_event_ends_nothing(stream, told, data):
    stream.sends.put(data)
    stream.sends.put(None)
    stream.tell("activity", CREATED)
    assert eventually(lambda: [each for each in of(told, "activity") if each["events"] == [CREATED]])


def test_nobody_there_is_said(monkeypatch):
    messages: list[dict] = []
    source = EmbeddedSource(messages.append, lambda: None)
    source.start()
    eventually(lambda: messages)
    source.close()
    assert not messages[0]["connected"]


def test_events_are_read_as_the_standard_has_them():
    lines = [b"id: 7\r\n", b"event:odd\n", b"data: a\n", b"data: b\n", b": comment\n", b"\n", b"data\n", b"\n", b"\n"]
    assert list(events(iter(lines))) == [("7", "odd", "a\nb"), ("", "message", "")]
