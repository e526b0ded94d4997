"""DescribeLogGroups and DescribeLogStreams: pages that a new item does not disturb, in AWS's orders."""

import time

import pytest
from localaws_client import FUNCTION, refused
from logs_here import logs_here

from helpers.localaws.services.logs.describe import describe_log_groups, describe_log_streams

T0 = int(time.time() * 1000) - 3_600_000
GROUP = {"logGroupName": FUNCTION.log_group}
INVALID = "InvalidParameterException"


@pytest.fixture
def logs(tmp_path):
    """Logs in MiniStack's module, here."""
    with logs_here(tmp_path) as logs:
        yield logs


@pytest.fixture
def group(clients):
    """The name of a log group with the streams s-0 to s-119; the greater the number, the older the last event."""
    client, name = clients("logs"), "/test/describe"
    client.create_log_group(logGroupName=name)
    for number in range(120):
        client.create_log_stream(logGroupName=name, logStreamName=f"s-{number}")
        event = {"timestamp": T0 - number, "message": "a line"}
        client.put_log_events(logGroupName=name, logStreamName=f"s-{number}", logEvents=[event])
    yield name
    client.delete_log_group(logGroupName=name)


def names(client, **members):
    pages = client.get_paginator("describe_log_streams").paginate(**members)
    return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]


def test_streams_come_in_pages_of_fifty_in_each_order(clients, group):
    client = clients("logs")
    first = client.describe_log_streams(logGroupName=group)
    assert len(first["logStreams"]) == 50
    by_name, by_time = sorted(f"s-{number}" for number in range(120)), [f"s-{number}" for number in range(119, -1, -1)]
    assert names(client, logGroupName=group) == by_name
    assert names(client, logGroupName=group, descending=True) == by_name[::-1]
    assert names(client, logGroupName=group, orderBy="LastEventTime") == by_time
    assert names(client, logGroupName=group, orderBy="LastEventTime", descending=True) == by_time[::-1]
    assert names(client, logGroupIdentifier=group, logStreamNamePrefix="s-11") == [
        "s-11",
        *(f"s-11{number}" for number in range(10)),
    ]
    newest = client.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)
    (stream,) = newest["logStreams"]
    assert (stream["logStreamName"], stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == ("s-0", T0, T0)
    assert stream["storedBytes"] == 0
    assert stream["arn"].endswith(f":log-group:{group}:log-stream:s-0")


def test_a_stream_that_is_made_between_pages_neither_repeats_nor_hides_one(logs):
    for number in range(10, 30):
        logs.write(FUNCTION, f"s-{number}", [(T0 + number, "a line\n")])
    found, page, round_ = [], {"nextToken": None}, 0
    while "nextToken" in page:
        token = {"nextToken": page["nextToken"]} if page["nextToken"] else {}
        page = describe_log_streams({**GROUP, "limit": 3, **token})
        found += [stream["logStreamName"] for stream in page["logStreams"]]
        logs.write(FUNCTION, f"a-{round_}", [(T0, "a line\n")])
        round_ += 1
    assert found == [f"s-{number}" for number in range(10, 30)]


def test_what_describe_log_streams_refuses(clients, group):
    ask = clients("logs").describe_log_streams
    token = ask(logGroupName=group)["nextToken"]
    assert refused(ask, logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="s") == (
        INVALID,
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
    )
    bad = (INVALID, "The specified nextToken is invalid.")
    assert refused(ask, logGroupName=group, nextToken="nonsense") == bad
    assert refused(ask, logGroupName=group, nextToken=token, orderBy="LastEventTime") == bad
    assert refused(ask, logGroupName=group, limit=51)[0] == INVALID
    assert refused(ask, logGroupName=group, orderBy="Size")[0] == INVALID
    assert refused(ask, logGroupName="/none")[0] == "ResourceNotFoundException"


def test_groups_come_in_pages_and_are_found_by_what_their_names_have(clients):
    client = clients("logs")
    made = [f"/test/Group-{number:02}" for number in range(60)]
    try:
        for name in made:
            client.create_log_group(logGroupName=name)

        def found(**members):
            pages = client.get_paginator("describe_log_groups").paginate(**members)
            return [group["logGroupName"] for page in pages for group in page["logGroups"]]

        assert len(client.describe_log_groups(logGroupNamePrefix="/test/Group-")["logGroups"]) == 50
        assert found(logGroupNamePrefix="/test/Group-") == made
        assert set(made) <= set(found())
        assert found(logGroupNamePattern="Group-5") == made[50:]
        assert found(logGroupNamePattern="group-5") == []
        assert found(logGroupNamePrefix="/test/Group-", logGroupClass="INFREQUENT_ACCESS") == []
        assert found(logGroupIdentifiers=made[3:5]) == made[3:5]
        both = {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}
        assert refused(client.describe_log_groups, **both)[0] == INVALID
    finally:
        for name in made:
            client.delete_log_group(logGroupName=name)


def test_the_bytes_of_a_group_are_those_that_are_kept_and_cost_no_reading(logs, monkeypatch):
    logs.write(FUNCTION, "one", [(T0, "x" * 100_000), (T0, "é")])
    logs.write(FUNCTION, "two", [(T0, "x")])
    monkeypatch.setattr(logs._file, "block", None)
    (group,) = describe_log_groups({})["logGroups"]
    assert group["storedBytes"] == 100_000 + 2 + 1 + 3 * 26
