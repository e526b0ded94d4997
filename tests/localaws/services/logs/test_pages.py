"""FilterLogEvents and GetLogEvents give pages and tokens as AWS does."""

import itertools
import time

import pytest
from localaws_client import FUNCTION, refused
from logs_here import logs_here
from ministack.services import cloudwatch_logs as ministack_logs

from helpers.localaws.services.logs import pages as cloudwatch_logs_pages
from helpers.localaws.services.logs.log_events import Events
from helpers.localaws.services.logs.pages import filter_log_events, get_log_events

T0 = int(time.time() * 1000) - 3_600_000
GROUP = {"logGroupName": FUNCTION.log_group}
INVALID = ("InvalidParameterException", "The specified nextToken is invalid.")


@pytest.fixture
def logs(tmp_path):
    """Logs in MiniStack's module, here."""
    with logs_here(tmp_path, stream_mb=4) as logs:
        yield logs


@pytest.fixture
def group(clients):
    """The members that name a log group with the streams "a" and "b", of 12,000 events by turns, in the server."""
    client, name = clients("logs"), "/test/pages"
    client.create_log_group(logGroupName=name)
    for stream in ("a", "b"):
        client.create_log_stream(logGroupName=name, logStreamName=stream)
        put(client, name, stream, range(stream == "b", 12_000, 2))
    yield {"logGroupName": name}
    client.delete_log_group(logGroupName=name)


def put(client, group, stream, numbers):
    events = [{"timestamp": T0 + number, "message": f"number {number}"} for number in numbers]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def numbers(events):
    return [int(event["message"].split()[1]) for event in events]


def found(client, **members):
    return [event for page in client.get_paginator("filter_log_events").paginate(**members) for event in page["events"]]


def test_a_group_is_read_to_its_end(clients, group):
    client = clients("logs")
    pages = list(client.get_paginator("filter_log_events").paginate(**group))
    assert [len(page["events"]) for page in pages] == [10_000, 2_000]
    assert all(page["searchedLogStreams"] == [] for page in pages)
    assert "nextToken" not in client.filter_log_events(**group, nextToken=pages[0]["nextToken"])
    events = [event for page in pages for event in page["events"]]
    assert numbers(events) == list(range(12_000))
    assert [event["timestamp"] for event in events] == list(range(T0, T0 + 12_000))
    assert [event["logStreamName"] for event in events] == ["a", "b"] * 6_000
    ids = [event["eventId"] for event in events]
    assert {len(id_) for id_ in ids} == {56} and "".join(ids).isdigit() and sorted(set(ids)) == ids
    assert all(abs(event["ingestionTime"] - time.time() * 1000) < 600_000 for event in events)
    assert found(client, **group) == events


def test_the_limit_may_change_from_page_to_page(clients, group):
    client, events, token = clients("logs"), [], {}
    for limit in itertools.cycle((1, 7, 4_000)):
        page = client.filter_log_events(**group, limit=limit, **token)
        assert len(page["events"]) <= limit
        events += page["events"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert numbers(events) == list(range(12_000))


def test_times_are_included_and_a_stream_can_be_chosen(clients, group):
    client = clients("logs")
    between = {"startTime": T0 + 100, "endTime": T0 + 200}
    assert numbers(found(client, **group, **between)) == list(range(100, 201))
    assert numbers(found(client, **group, **between, logStreamNames=["b"])) == list(range(101, 200, 2))
    assert numbers(found(client, **group, **between, logStreamNames=["b", "a", "b"])) == list(range(100, 201))
    assert numbers(found(client, **group, **between, logStreamNamePrefix="a")) == list(range(100, 201, 2))
    assert found(client, **group, **between, logStreamNamePrefix="c") == []
    assert found(client, **group, startTime=T0 + 12_000) == found(client, **group, startTime=9, endTime=8) == []
    arn = client.describe_log_groups(logGroupNamePrefix=group["logGroupName"])["logGroups"][0]["logGroupArn"]
    for identifier in (arn, f"{arn}:*", group["logGroupName"]):
        assert numbers(found(client, logGroupIdentifier=identifier, **between)) == list(range(100, 201))


def test_a_pattern_finds_what_is_beyond_the_first_page(clients, group):
    assert numbers(found(clients("logs"), **group, filterPattern="11999")) == [11_999]


def test_the_newest_come_first_where_that_is_asked(clients, group):
    client = clients("logs")
    members = {**group, "startFromHead": False, "startTime": T0 + 10, "endTime": T0 + 11_000}
    assert numbers(found(client, **members)) == list(range(11_000, 9, -1))
    first = client.filter_log_events(**members, limit=3)
    second = client.filter_log_events(**{**members, "startFromHead": True}, limit=3, nextToken=first["nextToken"])
    assert numbers(second["events"]) == [10_997, 10_996, 10_995]  # the token's direction goes before
    for early in ({}, {"startTime": 1_704_067_199_999}):
        assert refused(client.filter_log_events, **group, startFromHead=False, **early)[0] == INVALID[0]


def test_what_filter_log_events_refuses(clients, group):
    client = clients("logs")
    ask = client.filter_log_events
    token = ask(**group, limit=5)["nextToken"]
    for bad in ("nonsense", "f/1", token[:-3], "W10"):
        assert refused(ask, **group, nextToken=bad) == INVALID
    for other in ({"filterPattern": "x"}, {"startTime": 1}, {"endTime": 1}, {"logStreamNames": ["a"]}):
        assert refused(ask, **group, nextToken=token, **other) == INVALID
    gone = "ResourceNotFoundException"
    assert refused(ask, logGroupName="/none") == (gone, "The specified log group does not exist.")
    assert refused(ask, **group, logStreamNames=["c"]) == (gone, "The specified log stream does not exist.")
    both = refused(ask, **group, logStreamNames=["a"], logStreamNamePrefix="a")
    assert both[0] == INVALID[0] and "logStreamNames" in both[1] and "logStreamNamePrefix" in both[1]
    assert refused(ask)[0] == refused(ask, **group, logGroupIdentifier="x")[0] == INVALID[0]
    assert refused(ask, **group, limit=10_001) == (
        INVALID[0],
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 10000",
    )
    assert refused(ask, **group, filterPattern="x" * 1025)[0] == INVALID[0]
    assert refused(ask, **group, logStreamNames=["a"] * 101)[0] == INVALID[0]


def write(logs, stream, *events):
    logs.write(FUNCTION, stream, list(events))


def all_pages(**members):
    page = filter_log_events({**GROUP, **members})
    yield page["events"]
    while "nextToken" in page:
        page = filter_log_events({**GROUP, **members, "nextToken": page["nextToken"]})
        yield page["events"]


def test_a_page_has_one_megabyte_at_most_and_one_event_at_least(logs):
    write(logs, "stream", *((T0 + number, "é" * 2**17) for number in range(9)))  # 256 KB each, and 26 bytes
    assert [len(events) for events in all_pages()] == [3, 3, 3]
    write(logs, "large", (T0 + 100, "x" * 1_500_000), (T0 + 101, "x" * 1_500_000))
    assert [len(events) for events in all_pages(logStreamNames=["large"])] == [1, 1]
    page = get_log_events({**GROUP, "logStreamName": "stream", "startFromHead": True})
    assert len(page["events"]) == 3


def test_a_pattern_that_fits_none_is_searched_page_by_page(logs, monkeypatch):
    monkeypatch.setattr(cloudwatch_logs_pages, "SEARCHED", 100)
    write(logs, "stream", *((T0 + number, f"number {number}") for number in range(250)))
    assert [numbers(events) for events in all_pages(filterPattern="249")] == [[], [], [249]]


@pytest.mark.parametrize("forward", [True, False])
def test_what_is_written_between_pages_neither_repeats_nor_hides_an_event(logs, forward):
    streams = [f"stream-{number}" for number in range(5)]
    for number in range(400):
        write(logs, streams[number % 5], (T0 + number // 7, f"number {number}"))
    told, pages = [], all_pages(startTime=T0, startFromHead=forward, limit=30)
    for round_, events in enumerate(pages):
        told += events
        write(logs, f"new-{round_}", (T0 + 30, "new"))
        logs.put(ministack_logs._log_groups[GROUP["logGroupName"]]["streams"][streams[0]], [(T0 + 20, "late")])
    old = [event for event in told if event["message"].startswith("number")]
    assert numbers(old) == list(range(400))[:: 1 if forward else -1]
    ids = [event["eventId"] for event in told]
    assert len(set(ids)) == len(ids)


def test_what_is_dropped_between_pages_hides_nothing_that_is_kept(logs):
    write(logs, "stream", *((T0, f"number {number} " + "x" * 1000) for number in range(3_000)))
    first = filter_log_events({**GROUP, "limit": 10})
    before = get_log_events({**GROUP, "logStreamName": "stream", "startFromHead": True, "limit": 10})
    write(logs, "stream", *((T0, f"number {number} " + "x" * 1000) for number in range(3_000, 6_000)))
    rest = [event for page in all_pages(nextToken=first["nextToken"]) for event in page]
    assert "older events were dropped" in rest[0]["message"]
    kept = numbers(rest[1:])
    assert kept == list(range(kept[0], 6_000)) and len(kept) > 1_000
    page = get_log_events({**GROUP, "logStreamName": "stream", "nextToken": before["nextForwardToken"]})
    assert page["events"][0]["message"] == rest[0]["message"] and numbers(page["events"][1:2]) == kept[:1]


def test_a_thousand_streams_are_read_in_the_order_of_time(logs):
    for number in range(3_000):
        write(logs, f"stream-{number % 1_000}", (T0 + number, f"number {number}"))
    assert numbers(itertools.chain.from_iterable(all_pages(limit=700))) == list(range(3_000))


def test_a_page_costs_as_much_at_the_end_of_a_log_as_at_its_beginning(logs):
    """By what is read of the disk: blocks."""
    write(logs, "stream", *((T0 + number, f"number {number} " + "x" * 200) for number in range(12_000)))
    read, counts, token = logs._file._read_block, [], {}
    logs._file.block = lambda *block: counts.append(1) or read(*block)
    costs = []
    for _ in range(100):
        page = filter_log_events({**GROUP, "limit": 100, **token})
        costs.append(len(counts))
        counts.clear()
        token = {"nextToken": page["nextToken"]}
    assert max(costs) <= 3


# GetLogEvents


def through(client, direction, **members):
    """The pages of a log stream, until a token comes back, as AWS's documentation says that clients do."""
    page = client.get_log_events(**members, startFromHead=direction == "nextForwardToken")
    pages = [page["events"]]
    while True:
        token = page[direction]
        page = client.get_log_events(**members, startFromHead=direction == "nextForwardToken", nextToken=token)
        if page[direction] == token:
            assert page["events"] == []
            return pages
        pages.append(page["events"])


def test_a_stream_is_read_to_its_end_in_both_directions(clients, group):
    client, stream = clients("logs"), {**group, "logStreamName": "a"}
    pages = through(client, "nextForwardToken", **stream, limit=4_000)
    assert [numbers(page) for page in pages] == [list(range(0, 8_000, 2)), list(range(8_000, 12_000, 2))]
    pages = through(client, "nextBackwardToken", **stream, limit=4_000)
    assert [numbers(page) for page in pages] == [list(range(4_000, 12_000, 2)), list(range(0, 4_000, 2))]
    assert all(set(event) == {"timestamp", "message", "ingestionTime"} for page in pages for event in page)


def test_the_newest_events_are_the_default(clients, group):
    client, stream = clients("logs"), {**group, "logStreamName": "a"}
    assert numbers(client.get_log_events(**stream, limit=3)["events"]) == [11_994, 11_996, 11_998]
    assert numbers(client.get_log_events(**stream, limit=3, startFromHead=True)["events"]) == [0, 2, 4]
    assert len(client.get_log_events(**stream)["events"]) == 6_000


def test_the_end_of_the_times_is_not_included(clients, group):
    client, stream = clients("logs"), {**group, "logStreamName": "a", "startTime": T0 + 10, "endTime": T0 + 20}
    assert numbers(client.get_log_events(**stream)["events"]) == [10, 12, 14, 16, 18]
    for direction in ("nextForwardToken", "nextBackwardToken"):
        assert sorted(numbers(itertools.chain(*through(client, direction, **stream, limit=2)))) == [10, 12, 14, 16, 18]


def test_one_can_turn_round_at_any_page(clients, group):
    client, stream = clients("logs"), {**group, "logStreamName": "a", "limit": 5}
    first = client.get_log_events(**stream, startFromHead=True)
    assert [first[f"next{way}Token"][:2] for way in ("Forward", "Backward")] == ["f/", "b/"]
    assert client.get_log_events(**stream, nextToken=first["nextBackwardToken"])["events"] == []
    second = client.get_log_events(**stream, nextToken=first["nextForwardToken"])
    assert numbers(second["events"]) == [10, 12, 14, 16, 18]
    assert client.get_log_events(**stream, nextToken=second["nextBackwardToken"])["events"] == first["events"]
    newest = client.get_log_events(**stream)
    end = client.get_log_events(**stream, nextToken=newest["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], newest["nextForwardToken"])
    assert client.get_log_events(**stream, nextToken=end["nextBackwardToken"])["events"] == newest["events"]


def test_a_token_of_the_end_gives_what_is_written_afterwards(clients, group):
    client, name = clients("logs"), group["logGroupName"]
    client.create_log_stream(logGroupName=name, logStreamName="new")
    stream = {**group, "logStreamName": "new"}
    for head in (True, False):
        empty = client.get_log_events(**stream, startFromHead=head)
        assert empty["events"] == []
        again = client.get_log_events(**stream, nextToken=empty["nextForwardToken"])
        assert again["nextForwardToken"] == empty["nextForwardToken"]
    put(client, name, "new", [1, 2])
    page = client.get_log_events(**stream, nextToken=empty["nextForwardToken"])
    assert numbers(page["events"]) == [1, 2]
    put(client, name, "new", [2, 3])
    assert numbers(client.get_log_events(**stream, nextToken=page["nextForwardToken"])["events"]) == [2, 3]


def test_what_get_log_events_refuses(clients, group):
    ask = clients("logs").get_log_events
    for bad in ("nonsense", "f/1", "x/" + "0" * 56 + "/s"):
        assert refused(ask, **group, logStreamName="a", nextToken=bad) == INVALID
    gone = "ResourceNotFoundException"
    assert refused(ask, **group, logStreamName="c") == (gone, "The specified log stream does not exist.")
    assert refused(ask, logGroupName="/none", logStreamName="a") == (gone, "The specified log group does not exist.")
    assert refused(ask, **group, logStreamName="a", limit=10_001)[0] == INVALID[0]


def test_following_a_log_as_the_aws_cli_does_finds_each_event_once(clients, group):
    """`aws logs tail --follow`: from the time of the newest event on, without those whose eventId it has shown."""
    client, shown, since = clients("logs"), [], T0 + 11_990
    seen = set()
    for round_ in range(4):
        for event in found(client, **group, startTime=since):
            if event["eventId"] not in seen:
                shown.append(event)
                seen.add(event["eventId"])
        since = shown[-1]["timestamp"]
        put(client, group["logGroupName"], "a", [since - T0, since - T0, 12_000 + round_])
    assert len(shown) == 10 + 3 * 3


def test_a_group_is_read_at_the_moment_when_a_stream_gets_its_first_events(logs, monkeypatch):
    extend, seen = Events.extend, []

    def and_read(events, more):
        extend(events, more)
        seen.append(filter_log_events(GROUP)["events"])

    write(logs, "before", (T0, "number 0"))
    monkeypatch.setattr(Events, "extend", and_read)
    write(logs, "stream", (T0, "number 1"))
    assert [numbers(events) for events in seen] == [[0]]
