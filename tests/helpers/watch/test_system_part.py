"""The system in the picture: what the page is told, counts included, and the still picture that stays."""

import re
from contextlib import suppress
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from localaws_client import eventually

from helpers import localaws
from helpers.deploying.deploy import deploy
from helpers.watch import system_still
from helpers.watch.discovery import Edge, Node, System
from helpers.watch.system import part
from helpers.watch.system_counts import METRICS_S, QUEUES_S, SAMPLES, Counts
from helpers.watch.system_still import Seen, draw, sentence

SOURCE = {"app.py": "import time\n\n\ndef handler(event, context):\n    time.sleep(event.get('s', 0))\n"}
HOSTILE = "</title><script>alert(1)</script>\u202e\x00&amp;\"'"


@pytest.fixture
def queue(aws):
    name = aws.name("part-jobs")
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    yield SimpleNamespace(name=name, url=url, arn=arn, sqs=sqs)
    with suppress(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def told(aws):
    """The part of a picture that somebody looks at, and the messages for its page."""
    messages = []
    its = part(aws, (), messages.append)
    yield SimpleNamespace(part=its, messages=messages, of=lambda kind: [m for m in messages if m["type"] == kind])
    its.close()


def test_the_most_is_known_after_the_end_and_nobody_is_asked_any_more(told, queue, monkeypatch):
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="{}")
    assert told.part.most(queue.name)["waiting"] == 1
    told.part.close()
    monkeypatch.setattr(told.part, "_ask", None)
    assert told.part.most(queue.name)["waiting"] == 1


def test_nothing_is_asked_before_somebody_looks(told):
    assert told.messages == []


def test_the_page_is_told_what_there_is_and_then_the_counts(told, queue):
    for _ in range(3):
        queue.sqs.send_message(QueueUrl=queue.url, MessageBody="{}")
    queue.sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=60)
    told.part.look(True)
    counts = eventually(lambda: told.of("counts"))[0]["counts"]
    assert counts[queue.arn] == {"waiting": 2, "in_flight": 1}
    (system,) = told.of("system")
    assert queue.arn in [node["id"] for node in system["nodes"]]
    assert told.part.most(queue.name) == {"waiting": 2, "in_flight": 1} and told.part.most("none") == {}
    assert [m["type"] for m in told.messages[:3]] == ["system", "faults", "counts"]


def test_who_looks_anew_is_told_again_and_who_has_gone_is_told_nothing(told, queue):
    told.part.look(True)
    eventually(lambda: told.of("counts"))
    told.part.look(True)
    eventually(lambda: len(told.of("system")) == 2)
    told.part.close()
    assert not [thread for thread in told.part._threads if thread.is_alive()]


def test_the_page_breaks_something_and_hears_of_it_and_a_picture_that_is_closed_undoes_it(told, aws):
    arn = deploy(aws, aws.name("part-worker"), SOURCE)["FunctionArn"]
    client = aws.client("lambda")

    def concurrency() -> int | None:
        return client.get_function_concurrency(FunctionName=arn).get("ReservedConcurrentExecutions")

    told.part.look(True)
    eventually(lambda: told.of("counts"))
    told.part.receive({"type": "fault", "id": "hold", "of": arn, "on": True})
    (done,) = eventually(lambda: told.of("done"))
    assert done["on"] and concurrency() == 0
    on = eventually(lambda: [each for each in told.of("faults")[-1]["faults"] if each["on"]])
    assert [(each["id"], each["of"]) for each in on] == [("hold", arn)]
    told.part.close()
    assert concurrency() is None


@pytest.mark.parametrize(
    "message", [{"type": "fault"}, {"type": "fault", "id": ["hold"], "of": {}, "on": "x"}, {"type": "look"}, {}]
)
def test_whatever_a_page_sends_breaks_nothing(told, message):
    told.part.receive(message)
    if message.get("type") == "fault":
        assert eventually(lambda: told.of("done"))[0]["refused"]
    assert not [each for each in told.of("done") if each["on"]]


def test_what_has_gone_a_moment_ago_is_not_in_the_still_picture(told, queue):
    name = queue.name.partition("-")[2]
    assert f">{name}<" in told.part.still().svg
    queue.sqs.delete_queue(QueueUrl=queue.url)  # which no event tells of
    assert f">{name}<" not in told.part.still().svg


def test_what_runs_and_is_throttled_comes_from_the_events():
    f = Node("arn:aws:lambda:us-east-1:000000000000:function:f", "function", "f")
    counts = Counts(SimpleNamespace(is_embedded=True, target="embedded"))
    counts.receive([{"kind": "invocation.throttled", "function": "f"}, {"kind": "invocation.queued", "function": "f"}])
    counts.receive(
        [{"kind": "invocation.throttled", "function": f.id}, {"kind": "invocation.throttled", "function": "g"}]
    )
    assert counts.look(System((f,)), ["f", "f", "g"]) == {f.id: {"running": 2, "throttled": 2}}


def test_the_most_at_once_is_kept_of_queues_and_functions(monkeypatch):
    f = Node("arn:aws:lambda:us-east-1:000000000000:function:f", "function", "f")
    q = Node("arn:aws:sqs:us-east-1:000000000000:q", "queue", "q", "q")
    numbers = iter([3, 9, 1])
    counts = Counts(SimpleNamespace(is_embedded=True, target="embedded"))
    monkeypatch.setattr(counts, "_queue", lambda node: {"waiting": next(numbers), "in_flight": 0})
    assert counts.most(System((f, q))) == {}
    for _ in range(3):
        counts.look(System((f, q)), [], anew=True)
    counts.run(["f", "g", "f"])
    counts.run(["f"])
    assert counts.most(System((f, q))) == {f.id: {"running": 2}, q.id: {"waiting": 9, "in_flight": 0}}


def test_on_aws_what_runs_comes_from_metrics_once_a_minute():
    asked, now = [], [0.0]

    class CloudWatch:
        def get_metric_statistics(self, **parameters):
            asked.append(parameters["MetricName"])
            statistic = parameters["Statistics"][0]
            return {"Datapoints": [{"Timestamp": 2, statistic: 3.0}, {"Timestamp": 1, statistic: 7.0}]}

    aws = SimpleNamespace(is_embedded=False, target="aws", client=lambda service: CloudWatch())
    counts = Counts(aws, clock=lambda: now[0])
    f = Node("arn:aws:lambda:us-east-1:000000000000:function:f", "function", "f")
    for _ in range(2):
        assert counts.look(System((f,)), []) == {f.id: {"running": 3, "throttled": 10}}
    assert asked == ["ConcurrentExecutions", "Throttles"]
    now[0] += METRICS_S
    counts.look(System((f,)), [])
    assert len(asked) == 4


def test_a_queue_is_asked_when_an_event_tells_of_it_or_after_a_while(monkeypatch):
    asked, now = [], [0.0]
    counts = Counts(SimpleNamespace(is_embedded=True, target="embedded"), clock=lambda: now[0])
    monkeypatch.setattr(counts, "_queue", lambda node: asked.append(node.id) or {"waiting": len(asked), "in_flight": 0})
    both = System((Node("q", "queue", "q"), Node("dead", "queue", "dead")))

    def asked_for(**how: bool) -> list[str]:
        asked.clear()
        assert set(counts.look(both, [], **how)) == {"q", "dead"}
        return list(asked)

    assert asked_for() == ["q", "dead"]
    assert asked_for() == []
    counts.receive([{"kind": "message.sent", "queue": "q", "count": 1}])
    assert asked_for() == ["q"]
    counts.receive([{"kind": "message.dead-lettered", "queue": "other", "to": "dead", "count": 1}])
    assert asked_for() == ["dead"]
    assert asked_for(anew=True) == ["q", "dead"]
    now[0] += QUEUES_S["embedded"]
    assert asked_for() == ["q", "dead"]
    assert asked_for() == []


def test_of_many_samples_the_most_of_each_stretch_is_kept(monkeypatch):
    counts = Counts(SimpleNamespace(is_embedded=True, target="embedded"))
    numbers = iter(range(1000))
    monkeypatch.setattr(counts, "_queue", lambda node: {"waiting": next(numbers), "in_flight": 1})
    queue = System((Node("q", "queue", "q", "q"),))
    for _ in range(30):
        counts.look(queue, [], anew=True)
    assert counts.lately() == {"q": [(number, 1) for number in range(30)]}
    for _ in range(770):
        counts.look(queue, [], anew=True)
    lately = counts.lately()["q"]
    assert len(lately) == SAMPLES and lately[0] == (209, 1) and lately[-1] == (799, 1)


# The still picture


def small(name: str = "f", label: str = "") -> System:
    f = Node("arn:aws:lambda:us-east-1:000000000000:function:f", "function", name, name, {"Runtime": name})
    q = Node("arn:aws:sqs:us-east-1:000000000000:q", "queue", "q", "q", {"QueueUrl": "u"})
    return System((f, q), (Edge(q.id, f.id, "mapping", label),), ())


NOTHING = Seen({}, {}, {}, {})
COUNTS = {"arn:aws:sqs:us-east-1:000000000000:q": {"waiting": 4, "in_flight": 5}}


def test_the_still_picture_says_what_is_there_and_how_much_of_it():
    still = draw(small(), Seen(COUNTS, {}, {}, {}))
    assert still.alt == "1 function, 1 queue. 4 waiting, 5 in flight, 0 running, 0 throttled."
    root = ElementTree.fromstring(still.svg)
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"f", "q", "4 waiting", "5 in flight", "function", "queue"} <= set(texts)
    assert root.get("aria-label") == still.alt and root.get("role") == "img"
    assert "NaN" not in still.svg and "var(" not in still.svg


def test_the_sentence_says_the_most_that_was_seen_at_once():
    system = small()
    most = {system.nodes[0].id: {"running": 3}, system.nodes[1].id: {"waiting": 48, "in_flight": 10}}
    said = sentence(system, Seen(COUNTS, most, {}, {}))
    assert said.endswith(" At most 48 waiting in q, 3 of f running.")


def test_the_still_picture_has_what_moved_and_what_the_queue_had():
    system = small()
    lately = {system.nodes[1].id: [(number, 2) for number in range(10)]}
    with_numbers = ElementTree.fromstring(draw(system, Seen(COUNTS, {}, lately, {system.edges[0].id: 37})).svg)
    without = ElementTree.fromstring(draw(system, Seen(COUNTS, {}, {}, {})).svg)
    texts = [each.text for each in with_numbers.iter("{http://www.w3.org/2000/svg}text")]
    assert "37" in texts
    paths = [len(list(each.iter("{http://www.w3.org/2000/svg}path"))) for each in (with_numbers, without)]
    assert paths[0] - paths[1] == 3, "a line below, and two lines of numbers"


def test_the_still_picture_has_the_nodes_from_left_to_right():
    root = ElementTree.fromstring(draw(small(), Seen(COUNTS, {}, {}, {})).svg)
    places = {
        each.get("data-node"): float(re.match(r"translate\(([\d.]+)", each.get("transform"))[1])
        for each in root.iter()
        if each.get("data-node")
    }
    queue, function = sorted(places, key=lambda id: "lambda" in id)
    assert places[queue] < places[function]


def test_each_line_ends_in_a_direction_so_that_its_arrow_has_one():
    there = small()
    f, q = there.nodes
    there = System(there.nodes, (*there.edges, Edge(f.id, q.id, "allowed", "sqs:SendMessage")), ())
    root = ElementTree.fromstring(draw(there, NOTHING).svg)
    lines = [each.get("d") for each in root.iter() if each.get("marker-end")]
    assert len(lines) == 2
    for line in lines:
        x, level = re.search(r"([\d.]+),[\d.]+(?: H([\d.]+))?$", line).groups()
        assert x != level, line


def test_names_are_text_in_the_still_picture():
    still = draw(small(HOSTILE, HOSTILE), NOTHING)
    root = ElementTree.fromstring(still.svg)
    assert not [each for each in root.iter() if each.tag.endswith("script")]
    assert "\u202e" not in still.svg and "\x00" not in still.svg


def test_an_empty_system_is_a_sentence():
    still = draw(System(), NOTHING)
    assert (
        still.alt
        == sentence(System(), NOTHING)
        == ("Nothing is here: no function, queue, bucket or anything else with your prefix.")
    )
    ElementTree.fromstring(still.svg)


def test_without_node_there_is_no_picture(monkeypatch):
    def missing(name):
        raise localaws.MissingRuntime("There is no Node.js.")

    monkeypatch.setattr(localaws, "find_runtime", missing)
    system_still._drawn.cache_clear()
    assert draw(small(), NOTHING) is None


def test_the_part_draws_its_still_picture(told, queue):
    assert "part-jobs" in told.part.still().svg


def test_every_kind_of_node_and_edge_has_its_words():
    from helpers.watch.discovery import KINDS
    from helpers.watch.strings import catalogue

    kinds = {*KINDS.values(), "schedule", "HTTP API", "function URL", "webhook", "other"}
    edges = {"mapping", "notification", "subscription", "target", "pattern", "url", "route", "on-success"}
    edges |= {"on-failure", "dead-letter", "webhook", "allowed"}
    for kind in kinds:
        assert {f"system.kind.{kind}", f"system.count.{kind}"} <= set(catalogue())
    assert {f"system.edge.{edge}" for edge in edges} <= set(catalogue())
