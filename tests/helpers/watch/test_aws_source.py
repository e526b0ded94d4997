"""AwsSource: the same messages, made of the log lines and the metric that AWS has."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually

from helpers.watch import aws_source
from helpers.watch.aws_source import AwsSource
from helpers.watch.environments import Environments

R1, R2, R3 = (f"8f507cfc-0000-4697-b07a-00000000000{number}" for number in (1, 2, 3))
STREAM = "2026/11/30/[$LATEST]8f5"


class Aws:
    """CloudWatch Logs, its metrics, and Lambda, as far as the source asks them."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.throttles: list[dict] = []
        self.config: dict = {}
        self.error = self.metrics_error = ""
        self.exceptions = SimpleNamespace(ResourceNotFoundException=KeyError)
        self.functions = ["ada-hello", "ada-other", "somebody-elses"]

    def add(self, message: str, at: float, stream: str = STREAM) -> None:
        event = {"eventId": str(len(self.events)), "timestamp": int(at), "message": message, "logStreamName": stream}
        self.events.append(event)

    def get_paginator(self, operation: str):
        if operation == "list_functions":
            return SimpleNamespace(
                paginate=lambda: [{"Functions": [{"FunctionName": name} for name in self.functions]}]
            )
        assert operation == "filter_log_events"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, logGroupName: str, startTime: int):
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "FilterLogEvents")
        if logGroupName == "/aws/lambda/ada-hello" or "LoggingConfig" in self.config:
            yield {"events": [each for each in self.events if each["timestamp"] >= startTime]}
        else:
            raise KeyError(logGroupName)

    def get_function_configuration(self, FunctionName: str) -> dict:
        return self.config

    def get_metric_statistics(self, **asked) -> dict:
        if self.metrics_error:
            raise ClientError({"Error": {"Code": self.metrics_error}}, "GetMetricStatistics")
        if asked["Dimensions"][0]["Value"] != "ada-hello":
            return {"Datapoints": []}
        return {"Datapoints": [dict(each) for each in self.throttles]}


def start(request: str) -> str:
    return f"START RequestId: {request} Version: $LATEST\n"


def report(request: str, init: str = "", status: str = "", duration: str = "20.00") -> str:
    return (
        f"REPORT RequestId: {request}\tDuration: {duration} ms\tBilled Duration: 20 ms\tMemory Size: 128 MB\t"
        f"Max Memory Used: 34 MB\t{init}{status}\n"
    )


INIT = "Init Duration: 400.00 ms\t"


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def source(aws, monkeypatch):
    """A source that has told its snapshot; `.environments` are those that its messages fold into."""
    monkeypatch.setattr(aws_source, "EVERY_S", 0.02)
    monkeypatch.setattr(aws_source, "METRICS_EVERY_S", 0.02)
    messages: list[dict] = []
    environments = Environments()

    def told(message: dict) -> None:
        messages.append(message)
        if message["type"] == "activity":
            environments.told(message["events"])
        elif message["type"] == "environments":
            environments.restart(message["environments"], message["at"])

    def begin(*functions: str):
        workshop = SimpleNamespace(client=lambda service: aws, tags={"learner": "ada"})
        begun = AwsSource(workshop, functions, told)
        begun.start()
        eventually(lambda: [each for each in messages if each["type"] == "environments"] or aws.error)
        return SimpleNamespace(messages=messages, environments=environments, close=begun.close, thread=begun._thread)

    made = []
    yield lambda *functions: made.append(begin(*functions)) or made[-1]
    for each in made:
        each.close()
        each.thread.join(10)
        assert not each.thread.is_alive()


def now() -> float:
    return time.time() * 1000


def states(seen) -> list[tuple]:
    return [(each.state, each.invocations, each.init_ms) for each in seen.environments.all.values()]


def test_it_says_that_it_is_later_and_coarser(source):
    seen = source("ada-hello")
    status = next(each for each in seen.messages if each["type"] == "status")
    assert (status["connected"], status["coarse"]) == (True, True)
    assert "some seconds later" in status["sentence"]
    assert "for 15 minutes" in status["sentence"]


def test_a_cold_start_and_a_warm_invocation(source, aws):
    seen = source("ada-hello")
    at = now()
    aws.add("INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:aws:lambda:r\n", at - 400)
    aws.add(start(R1), at)
    aws.add(f"END RequestId: {R1}\n", at + 20)
    aws.add(report(R1, INIT), at + 20)
    aws.add(start(R2), at + 100)
    aws.add(report(R2, status="Status: timeout"), at + 120)
    eventually(lambda: states(seen) == [("idle", 2, 400.0)])
    assert seen.environments.sentence() == "1 environment of ada-hello: 1 idle; 1 cold start, 2 invocations, 1 failed."
    [environment] = seen.environments.there()
    assert environment.environment == f"/aws/lambda/ada-hello:{STREAM}"
    assert (environment.version, environment.memory_size, environment.memory_mb) == ("$LATEST", 128, 34)
    kinds = [each["kind"] for message in seen.messages for each in message.get("events", [])]
    assert kinds == [f"environment.{kind}" for kind in ("created", "init", "ready", "busy", "idle", "busy", "idle")]


def test_what_has_no_report_yet_is_busy(source, aws):
    seen = source("ada-hello")
    at = now()
    aws.add(start(R1), at)
    eventually(lambda: states(seen) == [("busy", 0, None)])
    aws.add(report(R1, INIT), at + 20)
    eventually(lambda: states(seen) == [("idle", 1, 400.0)])
    assert seen.environments.counts.cold_starts == 1


def test_what_was_there_before_is_a_snapshot(source, aws):
    aws.add(start(R1), now() - 60_000)
    aws.add(report(R1, INIT), now() - 60_000 + 20)
    seen = source("ada-hello")
    eventually(lambda: states(seen) == [("idle", 1, 400.0)])
    assert seen.environments.counts.cold_starts == 0
    assert not [each for each in seen.messages if each["type"] == "activity"]


def test_lines_of_the_function_are_nobodys_invocations(source, aws):
    seen = source("ada-hello")
    at = now()
    for message in (start(R1), report(R2), "hello\n", report(R1)):
        aws.add(message, at)
    eventually(lambda: states(seen) == [("idle", 1, None)])
    aws.add(start(R3), at + 50)
    aws.add(report(R3), at + 60)
    eventually(lambda: states(seen) == [("idle", 2, None)])


def test_a_restore_is_a_cold_start_of_snapstart(source, aws):
    seen = source("ada-hello")
    at = now()
    aws.add(start(R1), at)
    aws.add(report(R1, "Restore Duration: 250.00 ms\tBilled Restore Duration: 50 ms"), at + 20)
    eventually(lambda: states(seen) == [("idle", 1, 250.0)])
    [environment] = seen.environments.there()
    assert (environment.initialization_type, seen.environments.counts.cold_starts) == ("snap-start", 1)


def test_one_that_nobody_uses_is_taken_away(source, aws, monkeypatch):
    monkeypatch.setattr(aws_source, "UNSEEN_S", 1)
    seen = source("ada-hello")
    aws.add(start(R1), now())
    aws.add(report(R1), now())
    eventually(lambda: [each.reason for each in seen.environments.all.values()] == ["unseen"])


def test_throttles_come_from_the_metric(source, aws):
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    aws.throttles = [{"Timestamp": minute, "Sum": 5.0}]  # before anybody looked
    seen = source("ada-hello")
    aws.throttles = [{"Timestamp": minute, "Sum": 8.0}]
    eventually(lambda: seen.environments.counts.throttled == 3)


def test_who_may_read_no_metrics_sees_the_rest(source, aws):
    aws.metrics_error = "AccessDenied"
    seen = source("ada-hello")
    aws.add(start(R1), now())
    eventually(lambda: states(seen) == [("busy", 0, None)])
    said = [each["sentence"] for each in seen.messages if each["type"] == "status"][-1]
    assert said.endswith("Throttles are not told, as CloudWatch answered AccessDenied.")


def test_without_names_the_functions_of_the_learner_are_watched(source, aws):
    seen = source()
    aws.add(start(R1), now())
    eventually(lambda: [each.function for each in seen.environments.there()] == ["ada-hello"])


def test_a_shared_log_group_has_other_functions_lines(source, aws):
    aws.config = {"LoggingConfig": {"LogGroup": "shared"}}
    seen = source("ada-hello")
    aws.add(start(R1), now(), "2026/11/30/ada-hello[$LATEST]1")
    aws.add(start(R2), now(), "2026/11/30/ada-other[3]2")
    eventually(lambda: seen.environments.all)
    assert list(seen.environments.all) == ["shared:2026/11/30/ada-hello[$LATEST]1"]


def test_a_refusal_is_said_and_tried_again(source, aws):
    aws.error = "AccessDeniedException"
    seen = source("ada-hello")
    refused = eventually(lambda: [each for each in seen.messages if each.get("connected") is False])
    assert refused[0]["sentence"] == ("The log cannot be read (AccessDeniedException). This tries again by itself.")
    aws.error = ""
    eventually(lambda: [each for each in seen.messages if each["type"] == "environments"])
    eventually(lambda: seen.messages[-1].get("connected"))
