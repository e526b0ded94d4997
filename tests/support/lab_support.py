"""What the tests of the labs share: a clean start, and a webhook that answers as a test wants it to."""

import copy
import http.server
import json
import shutil
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.connect import Workshop
from helpers.events import load_event
from helpers.exercises.lab import labs
from helpers.lessons import lesson
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

PATH = "/services/T/B/secret"
KEYS = ("report.txt", "two words.txt", "a+b.txt", "100%.txt", "日本/写真 1.jpg", "R&D?.txt", "emoji 🎉.png")
# More than the share of CPU that goes with 128 MB, where loading an SDK takes seconds; and a time limit that is never
# reached, however busy the machine is. A test that is about one of them says so.
ENOUGH = {"MemorySize": 2048, "Timeout": 120}


def exercise_of(lab: str) -> str:
    """The number of the exercise that a lab is: in most, "09" of lab "09", as it is the only one of its notebook."""
    [number] = [each.number for each in lesson(lab).exercises if each.lab]
    return number


def remove_labs(workshop: Workshop, home: Path) -> None:
    """Take away what another test has left of the labs: working copies, progress, functions and the bucket."""
    shutil.rmtree(home / "labs", ignore_errors=True)
    (home / progress.FILE).unlink(missing_ok=True)
    for lab in labs().values():
        remove(workshop, Entry("function", workshop.name(lab.name)))
    remove(workshop, Entry("bucket", workshop.name("uploads")))


def s3_event(bucket: str, *keys: str) -> dict[str, Any]:
    """The sample event for these keys, which stand in it as they are given."""
    [record] = load_event("s3-put")["Records"]
    records = [copy.deepcopy(record) for _ in keys]
    for record, key in zip(records, keys, strict=True):
        record["s3"]["bucket"]["name"], record["s3"]["object"]["key"] = bucket, key
    return {"Records": records}


@dataclass
class Webhook:
    """A webhook of the tests: what it received, and how it answers."""

    url: str = ""
    status: int = 200
    body: str = "ok"
    location: str = ""
    hangs: bool = False
    hangs_up: bool = False  # closes the connection after its answer, although it has not said so
    received: list[tuple[str, str, str]] = field(default_factory=list)  # method, content type, body
    ended: threading.Event = field(default_factory=threading.Event)

    def as_new(self) -> "Webhook":
        """Answer as at first, with nothing received; whoever still waits for an answer gets none."""
        self.ended.set()
        vars(self).update(vars(Webhook(url=self.url)))
        return self

    def texts(self) -> list[str]:
        return [json.loads(body)["text"] for _, _, body in self.received]


def serve_webhook(context: ssl.SSLContext | None = None) -> Iterator[Webhook]:
    webhook = Webhook()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            webhook.received.append((self.command, self.headers["Content-Type"], body))
            if webhook.hangs:
                webhook.ended.wait()  # the event of this test, also where the next one has begun
                self.close_connection = True
                return
            elsewhere = webhook.location and self.path == PATH
            data = webhook.body.encode()
            self.send_response(302 if elsewhere else webhook.status)
            if elsewhere:
                self.send_header("Location", webhook.location)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.close_connection = self.close_connection or webhook.hangs_up

        do_POST = do_GET = answer

        def log_message(self, *arguments) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if context:
        server.socket, scheme = context.wrap_socket(server.socket, server_side=True), "https"
    webhook.url = f"{scheme}://127.0.0.1:{server.server_port}{PATH}"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield webhook
    finally:
        webhook.ended.set()
        server.shutdown()
        server.server_close()
