"""The system in a real browser: its page alone, told by messages such as Python sends."""

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import browsers
import pytest
from browsers import in_both
from localaws_client import eventually

from helpers.watch import static_files
from helpers.watch.discovery import Edge, Node, System
from helpers.watch.faults import Faults
from helpers.watch.strings import catalogue

# What a page of this has: a bus, the sentences, and modules that are loaded by name.
PAGE = """<!doctype html><meta charset="utf-8"><title>system</title>
<link rel="stylesheet" href="watch.css"><link rel="stylesheet" href="system.css">
<div class="watch" data-theme="light" data-still="false"><div id="place" class="watch-part watch-system"></div></div>
<button id="after">after</button>
<script type="module">
import { reader } from "./watch.js";
import { mount } from "./system.js";
const catalogue = await (await fetch("strings.en.json")).json();
window.sent = [];
window.said = [];
const bus = { send: (message) => sent.push(message), say: (sentence) => said.push(sentence), kept: {} };
const libraries = { load: () => import("./vendor/dagre.esm.js") };
window.part = mount(document.getElementById("place"), bus, reader(catalogue), libraries);
</script>"""
HOSTILE = "<img src=x onerror=\"window.hurt='name'\">\u202e</text><script>window.hurt='script'</script>"
EMBEDDED = SimpleNamespace(is_embedded=True, ledger=SimpleNamespace(place="embedded"))


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:us-east-1:000000000000:{name}"


def function(name: str) -> Node:
    return Node(arn("lambda", f"function:ada-{name}"), "function", f"ada-{name}", name, {"MemorySize": "512 MB"})


def queue(name: str) -> Node:
    return Node(arn("sqs", f"ada-{name}"), "queue", f"ada-{name}", name, {"QueueUrl": "http://127.0.0.1/q"})


BUCKET = Node("arn:aws:s3:::ada-uploads", "bucket", "ada-uploads", "uploads")
JOBS, DEAD, WORKER = queue("jobs"), queue("dead"), function("worker")
SYSTEM = System(
    (WORKER, JOBS, DEAD, BUCKET),
    (
        Edge(BUCKET.id, JOBS.id, "notification", "ObjectCreated"),
        Edge(JOBS.id, WORKER.id, "mapping", "BatchSize 5"),
        Edge(JOBS.id, DEAD.id, "dead-letter", "maxReceiveCount 3"),
    ),
    ("What ListTopics tells is left out, as AWS answered AccessDenied.",),
)
COUNTS = {
    JOBS.id: {"waiting": 12, "in_flight": 5},
    DEAD.id: {"waiting": 1, "in_flight": 0},
    WORKER.id: {"running": 2, "throttled": 3},
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(static_files.FOLDER, folder, dirs_exist_ok=True)
    (folder / "index.html").write_text(PAGE)
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


class Page:
    """The page as a test uses it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def tell(self, message: dict[str, Any]) -> None:
        self.run("part.receive(arguments[0])", json.loads(json.dumps(message)))

    def show(self, system: System) -> None:
        self.tell(system.message())
        eventually(lambda: len(self.nodes()) == len(system.nodes))

    def nodes(self) -> list[str]:
        """The ids of the nodes, in the order in which the Tab key goes through them."""
        return self.run("return [...document.querySelectorAll('[data-node]')].map(each => each.dataset.node)")

    def of(self, id: str, what: str) -> Any:
        """A property of a node's element, e.g. its text."""
        script = "return [...document.querySelectorAll('[data-node]')].find(e => e.dataset.node === arguments[0])"
        return self.run(f"{script}{what}", id)

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str | None:
        return self.run("return document.activeElement.dataset.node ?? null")

    def panel(self) -> str:
        return self.run("const p = document.querySelector('.watch-system-panel'); return p.hidden ? '' : p.innerText")

    def edge(self, kind: str) -> str:
        script = "return [...document.querySelectorAll('[data-edge]')].find(e => e.dataset.edge.includes(arguments[0]))"
        return self.run(f"{script}.textContent", f" {kind} ")


@pytest.fixture
def page(driver, address) -> Page:
    driver.set_window_size(1024, 700)
    driver.get(address)
    its = Page(driver)
    eventually(lambda: its.run("return Boolean(window.part?.receive)"))
    yield its
    assert [each for each in browsers.errors(driver) if "favicon" not in each] == []


@pytest.fixture
def keys(needs):
    needs("chromium")
    from selenium.webdriver.common.keys import Keys

    return Keys


def test_before_anything_is_told_it_says_that_it_looks(page):
    assert page.run("return document.body.innerText").startswith(catalogue()["system.looking"])


def test_an_empty_system_is_a_sentence(page):
    page.tell(System().message())
    eventually(lambda: catalogue()["system.empty"] in page.run("return document.body.innerText"))
    assert page.nodes() == []


@in_both
def test_the_system_stands_from_left_to_right_with_its_counts(page):
    page.show(SYSTEM)
    page.tell({"type": "counts", "counts": COUNTS})
    assert page.nodes()[:2] == [BUCKET.id, JOBS.id], "from left to right"
    assert "12 waiting" in page.of(JOBS.id, ".textContent") and "5 in flight" in page.of(JOBS.id, ".textContent")
    assert "3 throttled" in page.of(WORKER.id, ".textContent")
    left = {id: page.of(id, ".getBoundingClientRect().left") for id in page.nodes()}
    assert left[BUCKET.id] < left[JOBS.id] < left[WORKER.id]
    assert SYSTEM.left_out[0] in page.run("return document.body.innerText")
    assert (
        page.of(JOBS.id, ".getAttribute('aria-label')") == "queue jobs, 12 waiting, 5 in flight. Leads to worker, dead"
    )


def test_a_queue_has_a_sparkline_of_what_it_had(page):
    page.show(SYSTEM)
    for waiting in (3, 9, 1):
        page.tell({"type": "counts", "counts": COUNTS | {JOBS.id: {"waiting": waiting, "in_flight": 0}}})
    paths = page.of(JOBS.id, ".querySelectorAll('path').length")
    assert paths == 4, "its outline, a line below, and two lines of numbers"
    last = page.of(JOBS.id, ".querySelectorAll('path')[3].getAttribute('d')")
    assert last.count("L") == 2


@in_both
def test_no_line_goes_through_a_node_that_is_not_its_own(page):
    """Of a system like that of notebook 14, and of one with thirty nodes."""
    for system in (like_14(), of_thirty()):
        page.show(system)
        hits = page.run(
            """
            const nodes = [...document.querySelectorAll('[data-node]')];
            const svg = document.querySelector('svg').getScreenCTM();
            return [...document.querySelectorAll('[data-edge]')].flatMap((group) => {
              const path = group.querySelector('path');
              const [from, kind, to] = group.dataset.edge.split(' ');
              const length = path.getTotalLength();
              const found = new Set();
              for (let at = 0; at <= length; at += 4) {
                const point = path.getPointAtLength(at).matrixTransform(path.getScreenCTM());
                for (const node of nodes) {
                  if ([from, to].includes(node.dataset.node)) continue;
                  const box = node.querySelector('.watch-system-outline').getBoundingClientRect();
                  const inside = point.x > box.left + 1 && point.x < box.right - 1 && point.y > box.top + 1
                    && point.y < box.bottom - 1;
                  if (inside) found.add(`${group.dataset.edge} through ${node.dataset.node}`);
                }
              }
              return [...found];
            });
            """
        )
        assert hits == []


def like_14() -> System:
    uploads, pages, complete, failed = map(queue, ("pdf-uploads", "pdf-pages", "pdf-complete", "pdf-failed"))
    splitter, renderer, indexer = map(function, ("pdf-splitter", "pdf-renderer", "pdf-indexer"))
    pdfs, pictures = (
        replace(BUCKET, id=f"arn:aws:s3:::{name}", name=name, short=name) for name in ("pdfs", "pictures")
    )
    table = Node(arn("dynamodb", "table/documents"), "table", "documents", "documents")
    joins = [(pdfs, "notification", uploads), (uploads, "mapping", splitter), (splitter, "allowed", pages)]
    joins += [(pages, "mapping", renderer), (renderer, "allowed", complete), (complete, "mapping", indexer)]
    joins += [(each, "allowed", pictures) for each in (renderer, indexer)]
    joins += [(each, "allowed", table) for each in (splitter, renderer)]
    joins += [(each, "dead-letter", failed) for each in (uploads, pages, complete)]
    nodes = (uploads, pages, complete, failed, splitter, renderer, indexer, pdfs, pictures, table)
    return System(nodes, tuple(Edge(source.id, target.id, kind) for source, kind, target in joins))


def of_thirty() -> System:
    """Ten rows of a bucket or topic, a queue and a function, which share a dead-letter queue, and loops in it."""
    nodes, edges = [DEAD], []
    for row in range(10):
        its = [queue(f"a-rather-long-name-of-jobs-{row}"), function(f"worker-{row}")]
        begin = replace(BUCKET, id=f"arn:aws:s3:::files-{row}", name=f"files-{row}", short=f"files-{row}")
        nodes += [begin, *its]
        edges += [Edge(begin.id, its[0].id, "notification"), Edge(its[0].id, its[1].id, "mapping")]
        edges += [Edge(its[0].id, DEAD.id, "dead-letter")]
        if row % 3 == 0:
            edges.append(Edge(its[1].id, its[0].id, "allowed"))
            edges.append(Edge(its[1].id, nodes[1].id, "allowed"))
    return System(tuple(nodes), tuple(dict.fromkeys(edges)))


# What moves


def moves(kind: str, count: int, back: bool = False) -> dict[str, Any]:
    edge = next(each for each in SYSTEM.edges if each.kind == kind)
    return {"type": "moved", "moved": [{"edge": edge.id, "count": count, "back": back}]}


@in_both
def test_what_moves_is_counted_on_its_edge_and_shown_by_dots(page):
    page.show(SYSTEM)
    page.tell(moves("mapping", 5))
    page.tell(moves("mapping", 2))
    page.tell(moves("dead-letter", 1))
    assert page.edge("mapping").endswith("7") and page.edge("dead-letter").endswith("1")
    eventually(lambda: page.run("return document.querySelectorAll('[data-dots] circle').length"))
    eventually(lambda: not page.run("return document.querySelectorAll('[data-dots] circle').length"))


def test_a_page_that_is_opened_later_hears_how_much_has_moved(page):
    page.show(SYSTEM)
    totals = {each.id: 40 for each in SYSTEM.edges}
    page.tell({"type": "counts", "counts": COUNTS, "moved": totals})
    assert page.edge("mapping").endswith("40")
    page.tell(moves("mapping", 2))
    assert page.edge("mapping").endswith("42")


@in_both
def test_without_motion_the_number_says_it_alone(page):
    page.run("document.querySelector('.watch').dataset.still = 'true'")
    page.show(SYSTEM)
    page.tell(moves("mapping", 7))
    assert page.edge("mapping").endswith("7")
    dots = "arguments[0](document.querySelectorAll('circle').length)"
    after_two_frames = f"requestAnimationFrame(() => requestAnimationFrame(() => {dots}))"
    assert page.driver.execute_async_script(after_two_frames) == 0


def test_what_is_not_in_the_system_moves_nothing(page):
    page.show(SYSTEM)
    page.tell({"type": "moved", "moved": [{"edge": HOSTILE, "count": 1, "back": False}]})
    assert page.edge("mapping").endswith("BatchSize 5")


# The keyboard, and what can be broken


@in_both
def test_all_is_reached_by_keyboard(page, keys):
    page.show(SYSTEM)
    page.driver.execute_script("document.querySelector('[data-node]').focus()")
    seen = [page.focused()]
    for _ in range(3):
        page.press(keys.TAB)
        seen.append(page.focused())
    assert seen == page.nodes()
    page.run("document.querySelector('[data-node]').focus()")
    page.press(keys.ARROW_RIGHT)
    assert page.focused() == JOBS.id
    page.press(keys.ARROW_LEFT)
    assert page.focused() == BUCKET.id
    page.press(keys.ARROW_LEFT)
    assert page.focused() == BUCKET.id, "there is nothing further left"


@pytest.fixture
def worker_panel(page, keys) -> Callable[[], str]:
    page.show(SYSTEM)
    page.tell({"type": "faults", "faults": Faults(EMBEDDED, lambda: []).offered(SYSTEM)})
    page.of(WORKER.id, ".focus()")
    page.press(keys.ENTER)
    return page.panel


@in_both
def test_enter_opens_what_there_is_of_a_node_and_escape_goes_back(page, keys, worker_panel):
    said = worker_panel()
    assert "function ada-worker" in said and "512 MB" in said
    assert "from jobs (event source mapping: BatchSize 5)" in said
    assert catalogue()["system.fault.hold.sentence"] in said
    assert page.of(WORKER.id, ".getAttribute('aria-expanded')") == "true"
    page.press(keys.ESCAPE)
    assert worker_panel() == "" and page.focused() == WORKER.id


def test_a_button_breaks_and_shows_the_cell(page, keys, worker_panel):
    assert 'FunctionName="ada-worker", ReservedConcurrentExecutions=0' in worker_panel()
    assert catalogue()["system.fault.embedded_only"] in worker_panel()
    button = page.driver.find_element("css selector", "[data-fault='hold']")
    button.send_keys(keys.ENTER)
    assert page.run("return sent.at(-1)") == {"type": "fault", "id": "hold", "of": WORKER.id, "on": True}
    page.tell({"type": "done", "id": "hold", "of": WORKER.id, "on": True, "sentence": "It is held.", "code": "x"})
    held = [
        each | {"on": each["id"] == "hold", "undo": "back()"} for each in Faults(EMBEDDED, lambda: []).offered(SYSTEM)
    ]
    page.tell({"type": "faults", "faults": held})
    assert "It is held." in worker_panel() and "It is held." in page.run("return said")
    button = page.driver.find_element("css selector", "[data-fault='hold']")
    assert button.text == catalogue()["system.fault.hold.undo"] and button.get_attribute("aria-pressed") == "true"
    assert page.run("return document.activeElement.dataset.fault") == "hold", "the focus stays"
    assert "back()" in worker_panel()
    button.send_keys(keys.ENTER)
    assert page.run("return sent.at(-1)")["on"] is False


def test_the_panel_of_what_has_gone_is_closed(page, worker_panel):
    page.show(System((JOBS,)))
    assert worker_panel() == ""


def test_the_focus_stays_where_it_is_when_the_system_changes(page):
    page.show(SYSTEM)
    page.of(JOBS.id, ".focus()")
    page.show(System((*SYSTEM.nodes, function("another")), SYSTEM.edges))
    assert page.focused() == JOBS.id


# Names of others


def test_axe_finds_nothing(page, keys, axe):
    of_the_page = ("landmark-one-main", "page-has-heading-one", "region", "html-has-lang")  # which only holds it
    but = (*of_the_page, "label-content-name-mismatch")  # it reads the texts of an SVG without a space between them
    page.show(SYSTEM)
    page.tell({"type": "counts", "counts": COUNTS})
    assert axe.problems(page.driver, but=but) == []
    page.run("document.querySelector('[data-node]').focus()")
    page.press(keys.ENTER)
    eventually(page.panel)
    assert axe.problems(page.driver, but=but) == []


@in_both
def test_names_and_labels_are_text(page, keys):
    bad = Node(arn("lambda", "function:bad"), "function", HOSTILE, HOSTILE, {HOSTILE: HOSTILE})
    system = System((bad, JOBS), (Edge(JOBS.id, bad.id, "mapping", HOSTILE),), (HOSTILE,))
    page.show(system)
    page.tell({"type": "counts", "counts": {bad.id: {"running": 1, "throttled": 0}}})
    offered = [
        {**each, "sentence": HOSTILE, "label": HOSTILE, "code": HOSTILE}
        for each in Faults(EMBEDDED, lambda: []).offered(system)
    ]
    page.tell({"type": "faults", "faults": offered})
    page.of(bad.id, ".focus()")
    page.press(keys.ENTER)
    page.tell({"type": "done", "id": "hold", "of": bad.id, "on": True, "sentence": HOSTILE, "code": HOSTILE})
    assert "onerror" in page.panel()
    assert page.run("return window.hurt ?? null") is None
    assert page.run("return document.querySelectorAll('#place img, #place script').length") == 0
    assert "\u202e" not in page.run("return document.querySelector('.watch').innerText")


@in_both
def test_a_long_name_stays_within_its_node(page):
    long = Node(arn("sqs", "long"), "queue", "q" * 80, "q" * 80, {})
    page.show(System((long, queue("\u5199\u771f" * 20))))
    for id in page.nodes():
        box = page.of(id, ".querySelector('.watch-system-outline').getBoundingClientRect().right")
        texts = page.of(id, ".querySelectorAll('text')[1].getBoundingClientRect().right")
        assert texts <= box


def test_what_is_closed_leaves_nothing(page):
    page.show(SYSTEM)
    page.run("part.close()")
    assert page.run("return document.getElementById('place').childElementCount") == 0
