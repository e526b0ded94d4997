"""What moves along which edge, by the events of an AWS."""

from typing import Any

import pytest

from helpers.watch.discovery import Edge, Node, System
from helpers.watch.system_moves import Moves


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:us-east-1:000000000000:{name}"


WORKER, QUEUE, DEAD = arn("lambda", "function:worker"), arn("sqs", "jobs"), arn("sqs", "dead")
BUCKET, TABLE, RULE = "arn:aws:s3:::files", arn("dynamodb", "table/t"), arn("events", "rule/r")
NAMES = {WORKER: "worker", QUEUE: "jobs", DEAD: "dead", BUCKET: "files", TABLE: "t", RULE: "r"}
KINDS = {WORKER: "function", BUCKET: "bucket", TABLE: "table", RULE: "rule"}
JOINED = [(BUCKET, QUEUE), (QUEUE, WORKER), (TABLE, WORKER), (RULE, WORKER), (QUEUE, DEAD)]
JOINED += [(WORKER, DEAD), (WORKER, BUCKET)]
SYSTEM = System(
    tuple(Node(id, KINDS.get(id, "queue"), name) for id, name in NAMES.items()),
    tuple(Edge(source, target, "any") for source, target in JOINED),
)


def sent(source: str, target: str) -> dict[str, Any]:
    return {"kind": "notification.sent", "from": source, "to": target}


@pytest.mark.parametrize(
    ("event", "ends"),
    [
        (sent(BUCKET, QUEUE), (BUCKET, QUEUE)),
        (sent(QUEUE, f"{WORKER}:live"), (QUEUE, WORKER)),
        (sent(f"{TABLE}/stream/2026", WORKER), (TABLE, WORKER)),
        (sent(RULE, WORKER), (RULE, WORKER)),
        ({"kind": "message.dead-lettered", "queue": QUEUE, "to": DEAD}, (QUEUE, DEAD)),
        ({"kind": "message.sent", "queue": DEAD, "from": WORKER}, (WORKER, DEAD)),
        ({"kind": "message.sent", "queue": DEAD, "by": "arn:aws:sts::0:assumed-role/any/worker"}, (WORKER, DEAD)),
        ({"kind": "object.created", "bucket": "files", "key": "k", "from": WORKER}, (WORKER, BUCKET)),
        ({"kind": "invocation.destination", "function": "worker", "to": DEAD}, (WORKER, DEAD)),
    ],
)
def test_an_event_moves_along_the_edge_between_its_ends(event, ends):
    moves = Moves()
    moves.receive([event, event | {"count": 4}], SYSTEM)
    edge = Edge(*ends, "any").id
    assert moves.take() == [{"edge": edge, "back": False, "count": 5}]
    assert moves.totals == {edge: 5}
    assert moves.take() == []


def test_a_redrive_goes_backwards():
    moves = Moves()
    moves.receive([{"kind": "message.redriven", "queue": DEAD, "to": QUEUE, "count": 2}], SYSTEM)
    assert moves.take() == [{"edge": Edge(QUEUE, DEAD, "any").id, "back": True, "count": 2}]


@pytest.mark.parametrize(
    "event",
    [
        sent(QUEUE, BUCKET),
        sent("", ""),
        {"kind": "notification.sent"},
        {"kind": "message.sent", "queue": QUEUE},
        {"kind": "message.sent", "queue": DEAD, "by": "arn:aws:iam::0:user/ada"},
        {"kind": "object.created", "bucket": "files", "key": "k"},
        {"kind": "invocation.destination", "function": "other", "to": DEAD},
        {"kind": "message.received", "queue": QUEUE},
        {"kind": "environment.busy", "function": "worker"},
    ],
)
def test_what_nobody_knows_the_ends_of_moves_nothing(event):
    moves = Moves()
    moves.receive([event], SYSTEM)
    assert moves.take() == [] and not moves.totals
