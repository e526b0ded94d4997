"""PutLogEvents: AWS's limits of a batch, what is too old or too new, and what is put is kept on disk, in order."""

import json
import time

import psutil
import pytest
from localaws_client import FUNCTION, refused
from logs_here import logs_here
from ministack.services import cloudwatch_logs as ministack_logs

from helpers.localaws.services.logs import put
from helpers.localaws.services.logs.pages import get_log_events

NOW = int(time.time() * 1000)
HOUR, DAY = 3_600_000, 86_400_000
INVALID = "InvalidParameterException"


@pytest.fixture
def stream(clients):
    """The members that name a new log stream."""
    client, where = clients("logs"), {"logGroupName": "/test/put", "logStreamName": "stream"}
    client.create_log_group(logGroupName="/test/put")
    client.create_log_stream(**where)
    yield where
    client.delete_log_group(logGroupName="/test/put")


def events(*times, message="a line"):
    return [{"timestamp": each, "message": message} for each in times]


def messages(client, stream):
    return [event["message"] for event in client.get_log_events(**stream, startFromHead=True)["events"]]


def test_events_of_later_batches_come_to_their_places(clients, stream):
    client = clients("logs")
    for at in (5, 1, 3, 3, 9, 2):
        client.put_log_events(**stream, logEvents=events(NOW + at, NOW + at, message=f"at {at}"))
    assert messages(client, stream) == [f"at {at}" for at in (1, 1, 2, 2, 3, 3, 3, 3, 5, 5, 9, 9)]
    (described,) = client.describe_log_streams(logGroupName=stream["logGroupName"])["logStreams"]
    assert (described["firstEventTimestamp"], described["lastEventTimestamp"]) == (NOW + 1, NOW + 9)


@pytest.mark.parametrize("count", [5_000, 40_000])
def test_a_batch_of_the_past_comes_before_many_that_lie_on_disk(clients, stream, count):
    client = clients("logs")
    for start in range(0, count, 10_000):
        numbers = range(start, min(start + 10_000, count))
        client.put_log_events(**stream, logEvents=[{"timestamp": NOW + n, "message": f"{n}"} for n in numbers])
    client.put_log_events(**stream, logEvents=events(NOW - 1, message="of the past"))
    client.put_log_events(**stream, logEvents=events(NOW + count // 2, message="of the middle"))
    found, page, token = [], None, {}
    while page is None or page["events"]:
        page = client.get_log_events(**stream, startFromHead=True, **token)
        found += [event["message"] for event in page["events"]]
        token = {"nextToken": page["nextForwardToken"]}
    same = ["of the past", *map(str, range(count))]
    same.insert(same.index(f"{count // 2}") + 1, "of the middle")
    assert found == same


def test_a_batch_is_taken_up_to_its_limits(clients, stream):
    client = clients("logs")
    client.put_log_events(**stream, logEvents=events(*[NOW] * 10_000, message="x"))
    client.put_log_events(**stream, logEvents=events(NOW, message="é" * (2**19 - 13)))
    client.put_log_events(**stream, logEvents=events(NOW - DAY, NOW))
    over = "exceeds limit of 1048576"
    assert refused(client.put_log_events, **stream, logEvents=events(*[NOW] * 10_001))[0] == INVALID
    assert refused(client.put_log_events, **stream, logEvents=events(NOW, message="é" * (2**19 - 12))) == (
        INVALID,
        f"Log event too large: 1048578 bytes {over}",
    )
    assert refused(client.put_log_events, **stream, logEvents=events(NOW, NOW, message="x" * 2**19)) == (
        INVALID,
        f"Upload too large: 1048628 bytes {over}",
    )
    assert refused(client.put_log_events, **stream, logEvents=events(NOW, NOW - 1)) == (
        INVALID,
        "Log events in a single PutLogEvents request must be in chronological order.",
    )
    assert refused(client.put_log_events, **stream, logEvents=events(NOW - DAY - 1, NOW)) == (
        INVALID,
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
    )
    assert refused(client.put_log_events, **{**stream, "logStreamName": "none"}, logEvents=events(NOW)) == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )


def test_what_is_too_old_or_too_new_is_left_out_and_told(clients, stream):
    client = clients("logs")
    times = [NOW - 15 * DAY, NOW - 14 * DAY - HOUR, NOW - HOUR, NOW, NOW + 3 * HOUR]
    batch = [{"timestamp": at, "message": f"{number}"} for number, at in enumerate(times)]
    told = client.put_log_events(**stream, logEvents=batch)["rejectedLogEventsInfo"]
    assert told == {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4}
    assert messages(client, stream) == ["2", "3"]
    client.put_retention_policy(logGroupName=stream["logGroupName"], retentionInDays=1)
    told = client.put_log_events(**stream, logEvents=events(NOW - 2 * DAY, NOW))["rejectedLogEventsInfo"]
    assert told == {"expiredLogEventEndIndex": 1}
    assert "rejectedLogEventsInfo" not in client.put_log_events(**stream, logEvents=events(NOW))


def test_what_clients_put_costs_no_memory_and_the_newest_is_kept(clients, stream, embedded_aws):
    """48 MB, of which a log stream keeps 32."""
    client, server = clients("logs"), psutil.Process(embedded_aws.pid)
    before = server.memory_info().rss
    for number in range(48):
        client.put_log_events(**stream, logEvents=events(*[NOW + number] * 1_000, message=f"{number} " + "x" * 1_000))
    assert server.memory_info().rss - before < 24 * 2**20
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=stream["logGroupName"])
    found = [event["message"] for page in pages for event in page["events"]]
    assert "The embedded AWS keeps 32 MB of a log stream." in found[0]
    numbers = [int(message.split()[0]) for message in found[1:]]
    assert numbers == sorted(numbers) and numbers.count(47) == 1_000 and len(numbers) > 14_000


def test_where_a_disk_is_full_the_client_hears_it_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(ministack_logs, "_put_log_events", ministack_logs._put_log_events)  # back afterwards
    with logs_here(tmp_path) as logs:
        put.install(logs)
        logs.write(FUNCTION, "stream", [(NOW, "kept\n")])
        logs._file._db.execute("pragma max_page_count = 8")  # what a full disk does
        members = {"logGroupName": FUNCTION.log_group, "logStreamName": "stream"}
        batch = events(NOW, message="x" * 2**19)
        status, _, body = ministack_logs._put_log_events({**members, "logEvents": batch})
        assert (status, json.loads(body)["__type"]) == (500, "ServiceUnavailableException")
        assert [event["message"] for event in get_log_events(members)["events"]] == ["kept\n"]


def test_half_a_character_does_not_spoil_a_log(clients, stream):
    client = clients("logs")
    client.put_log_events(**stream, logEvents=events(NOW, message="half \ud83d"))
    assert messages(client, stream) == ["half ?"]
