"""Counts: how many messages wait and are in flight in each queue, how many environments of a function run, throttles.

On the embedded AWS what runs and is throttled comes from its events, which also say which queues there is something to
ask of. On AWS it comes from CloudWatch's metrics, by the minute and some minutes late.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..arguments import name_of_function
from ..connect import Workshop
from .discovery import Node, System

WAITING, IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
QUEUES_S = {"embedded": 10.0, "emulator": 1.0, "aws": 5.0}  # each answer of SQS is a request that AWS bills
METRICS_S = 60.0  # a metric has one value a minute
MOST_SAMPLES, SAMPLES = 600, 60  # of a queue, that are kept, and that its sparkline has
LATE = timedelta(minutes=10)  # how old the newest value of a metric may be

Sample = tuple[int, int]  # messages waiting, and in flight
OfNode = dict[str, int]  # "waiting", "in_flight", "running", "throttled"; what is not known is not there


class Counts:
    """The counts of a system. What AWS refuses to tell is not there."""

    def __init__(self, workshop: Workshop, clock: Callable[[], float] = time.monotonic) -> None:
        self._workshop, self._clock = workshop, clock
        self._samples: dict[str, list[Sample]] = {}  # by queue, one of every look
        self._most: dict[str, OfNode] = {}  # of queues by ARN, and of functions by name
        self._stirred: set[str] = set()  # queues of which an event has told since they were asked
        self._throttled: Counter[str] = Counter()
        self._lock = threading.Lock()  # of these two
        self._queues: dict[str, OfNode] = {}
        self._functions: dict[str, OfNode] = {}
        self._asked: dict[str, float] = {}
        self._began = datetime.now(UTC)

    def receive(self, events: Iterable[dict[str, Any]]) -> None:
        """Take note of throttles, and of queues in which something happens."""
        for event in events:
            if event.get("kind", "").startswith("message."):
                with self._lock:
                    self._stirred |= {event.get("queue", ""), event.get("to", "")}
            if event.get("kind") == "invocation.throttled" and event.get("function"):
                with self._lock:
                    self._throttled[name_of_function(event["function"])] += event.get("count", 1)

    def run(self, busy: Iterable[str]) -> None:
        """Take note of what runs now: the name of a function for each environment of it."""
        for name, running in Counter(busy).items():
            self._note(name, {"running": running})

    def most(self, system: System) -> dict[str, OfNode]:
        """The most of each count that was seen so far, by ARN; without those of which nothing was seen."""
        found = {node.id: self._most.get(node.id) or self._most.get(node.name, {}) for node in system.nodes}
        return {id: most for id, most in found.items() if any(most.values())}

    def look(self, system: System, busy: Iterable[str], anew: bool = False) -> dict[str, OfNode]:
        """The counts by ARN; `busy` has the name of a function for each environment of it that runs now.

        With `anew`, every queue is asked, whenever it was asked last.
        """
        queues = {node.id: node for node in system.nodes if node.kind == "queue"}
        functions = [node for node in system.nodes if node.kind == "function"]
        with self._lock:
            stirred, self._stirred = self._stirred, set()
        every = anew or self._is_time("queues", QUEUES_S[self._workshop.target])
        asked = queues if every else {id: queues[id] for id in queues if id in stirred or id not in self._queues}
        self._queues = {id: told for id, told in self._queues.items() if id in queues and id not in asked}
        self._queues |= {id: told for id, node in asked.items() if (told := self._queue(node))}
        for id, told in self._queues.items():
            self._samples.setdefault(id, []).append((told["waiting"], told["in_flight"]))
            del self._samples[id][:-MOST_SAMPLES]
            self._note(id, told)
        if self._workshop.is_embedded:
            running = Counter(busy)
            self._functions = {
                node.id: {"running": running[node.name], "throttled": self._throttled[node.name]} for node in functions
            }
        elif self._is_time("metrics", METRICS_S):
            self._functions = {node.id: told for node in functions if (told := self._metrics(node))}
            for id, told in self._functions.items():
                self._note(id, {"running": told["running"]})
        return self._queues | self._functions

    def lately(self) -> dict[str, list[Sample]]:
        """For each queue what was counted lately: the most of each stretch, if there is more than a line can show."""
        return {id: _few(list(samples)) for id, samples in dict(self._samples).items()}

    def _note(self, key: str, told: OfNode) -> None:
        most = self._most.setdefault(key, {})
        most.update({what: max(number, most.get(what, 0)) for what, number in told.items()})

    def _is_time(self, what: str, every_s: float) -> bool:
        if what in self._asked and self._clock() - self._asked[what] < every_s:
            return False
        self._asked[what] = self._clock()
        return True

    def _queue(self, node: Node) -> OfNode:
        if not (url := node.attributes.get("QueueUrl")):  # not the learner's, and so not known
            return {}
        try:
            answer = self._workshop.client("sqs").get_queue_attributes(
                QueueUrl=url, AttributeNames=[WAITING, IN_FLIGHT]
            )
        except (ClientError, BotoCoreError):  # it has just gone; otherwise discovery says it
            return {}
        told = answer.get("Attributes", {})
        return {"waiting": int(told.get(WAITING, 0)), "in_flight": int(told.get(IN_FLIGHT, 0))}

    def _metrics(self, node: Node) -> OfNode:
        """The newest number at once, and all throttles since these counts began, as CloudWatch knows them."""
        now = datetime.now(UTC)
        try:
            running = self._metric(node, "ConcurrentExecutions", "Maximum", now - LATE, now)
            throttled = self._metric(node, "Throttles", "Sum", self._began.replace(second=0, microsecond=0), now)
        except (ClientError, BotoCoreError):
            return {}
        return {"running": int(running[-1]) if running else 0, "throttled": int(sum(throttled))}

    def _metric(self, node: Node, name: str, statistic: str, since: datetime, now: datetime) -> list[float]:
        answer = self._workshop.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": node.name}],
            StartTime=since,
            EndTime=now,
            Period=max(60, 60 * (1 + int((now - since).total_seconds()) // 60 // 1440)),  # 1,440 values at most
            Statistics=[statistic],
        )
        points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
        return [point[statistic] for point in points]


def _few(samples: list[Sample]) -> list[Sample]:
    length = -(-len(samples) // SAMPLES)
    stretches = [samples[begin : begin + length] for begin in range(0, len(samples), length or 1)]
    return [(max(waiting for waiting, _ in each), max(flying for _, flying in each)) for each in stretches]
