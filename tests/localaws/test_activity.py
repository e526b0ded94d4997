"""What happens in the embedded AWS, told as it happens: what is told of scenarios, and how a reader gets it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from activity_reader import ActivityReader

WORK = """
import os, time
def handler(event, context):
    if event == "exit":
        os._exit(3)
    if event == "raise":
        raise ValueError("<script>")
    time.sleep(event if isinstance(event, (int, float)) else 0)
    return "well"
"""
LIFE = ["created", "init", "ready", "frozen", "thawed", "busy", "idle", "frozen"]


@pytest.fixture
def reader(embedded_aws):
    with ActivityReader(embedded_aws) as reader:
        yield reader


def lives(reader, function):
    """What was told of each environment of a function, in short."""
    told = {}
    for event in reader.of("environment.", function=function.name):
        told.setdefault(event["environment"], []).append(event["kind"].removeprefix("environment."))
    return told


# Environments


def test_the_life_of_an_environment_is_told_in_order(make_function, reader):
    function = make_function(WORK, MemorySize=256)
    first, second = function.invoke(0), function.invoke(0)
    reader.wait("invocation.succeeded", 2, function=function.name)
    (told,) = lives(reader, function).values()
    assert told == [*LIFE, "thawed", "busy", "idle", "frozen"]
    (created,) = reader.of("environment.created", function=function.name)
    assert created["environment"] == f"/aws/lambda/{function.name}:{function.streams()[0]}"
    assert (created["version"], created["memory_size"]) == ("$LATEST", 256)
    assert created["initialization_type"] == "on-demand"
    (ready,) = reader.of("environment.ready", function=function.name)
    idle = reader.of("environment.idle", function=function.name)
    assert ready["init_ms"] == pytest.approx(float(function.reports()[0]["init"]), abs=50)
    assert [event["request_id"] for event in idle] == [first.request_id, second.request_id]
    assert [event["status"] for event in idle] == ["success", "success"]
    numbers = [event["id"] for event in reader.events]
    assert numbers == sorted(set(numbers)) and all(event["at"] > 0 for event in reader.events)


def test_a_burst_is_an_environment_for_each(make_function, reader):
    function = make_function(WORK)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(function.invoke, [1.5] * 8))
    reader.wait("invocation.succeeded", 8, function=function.name)
    told = lives(reader, function)
    assert len(told) == 8 and all(each == LIFE for each in told.values())
