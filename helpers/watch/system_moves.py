"""Moves: along which edges of a system something moves, as the events of an AWS say, and how much did so far."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..arguments import name_of_function
from .discovery import System, unqualified

Event = dict[str, Any]
Move = tuple[str, bool]  # the id of an edge, and whether it goes backwards, as a redrive does

SESSION = re.compile(r":assumed-role/[^/]+/(.+)")  # of a function's role; it has the name of the function


class Moves:
    """What has moved; not thread-safe."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()  # by edge
        self._new: Counter[Move] = Counter()

    def receive(self, events: Iterable[Event], system: System) -> None:
        for event in events:
            if move := _move(event, system):
                self.totals[move[0]] += event.get("count", 1)
                self._new[move] += event.get("count", 1)

    def take(self) -> list[dict[str, Any]]:
        """What has moved since this was asked last."""
        new, self._new = self._new, Counter()
        return [{"edge": edge, "back": back, "count": count} for (edge, back), count in new.items()]


def _move(event: Event, system: System) -> Move | None:
    ends = _ends(event, system)
    if ends is None or None in ends:
        return None
    source, target = (unqualified(str(end)) for end in ends)
    edge = next((each for each in system.edges if (each.source, each.target) == (source, target)), None)
    return (edge.id, event["kind"] == "message.redriven") if edge else None


def _ends(event: Event, system: System) -> tuple[str | None, str | None] | None:
    """From where to where; None for an event of another kind."""
    match event["kind"]:
        case "notification.sent":
            return event.get("from"), event.get("to")
        case "message.sent":
            return _sender(event, system), event.get("queue")
        case "object.created":
            return _sender(event, system), _named("bucket", event.get("bucket", ""), system)
        case "message.dead-lettered":
            return event.get("queue"), event.get("to")
        case "message.redriven":
            return event.get("to"), event.get("queue")
        case "invocation.destination":
            return _named("function", name_of_function(event.get("function", "")), system), event.get("to")
    return None


def _sender(event: Event, system: System) -> str | None:
    """The function that sent something, where this is told: by its ARN, or by the session of its role."""
    if sender := event.get("from"):
        return str(sender)
    session = SESSION.search(event.get("by", ""))
    return _named("function", session[1], system) if session else None


def _named(kind: str, name: str, system: System) -> str | None:
    return next((node.id for node in system.nodes if node.kind == kind and name in (node.name, node.id)), None)
