"""Lists come in pages: each item once, and no page for a token that is none of the list's."""

import json
from types import SimpleNamespace

import pytest
from localaws_client import ROLE, refused, signed

from helpers.localaws.services import paging

NAMES = ["pages-1", "pages-2", "pages-3"]


def test_a_page_ends_where_the_next_one_begins_whatever_is_new():
    first, token = paging.page("all", ["c", "a"], str, 1, None)
    second, end = paging.page("all", ["c", "a", "b", "0"], str, 2, token)
    assert (first, second, end) == (["a"], ["b", "c"], None)


@pytest.mark.parametrize("token", ["x", "1", "e30=", paging.page("others", ["a", "b"], str, 1, None)[1]])
def test_a_token_of_something_else_is_foreign(token):
    with pytest.raises(paging.ForeignToken):
        paging.page("all", ["a"], str, 1, token)


@pytest.fixture(scope="module")
def lists(clients):
    """What there are three of, by the name of its list: how to ask for it, and how its items are named."""
    events, scheduler, sqs = clients("events"), clients("scheduler"), clients("sqs")
    arn = sqs.create_queue(QueueName="pages-0")["QueueUrl"]
    target = "arn:aws:sqs:us-east-1:000000000000:pages-0"
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 3})}
    for name in NAMES:
        sqs.create_queue(QueueName=name, Attributes=redrive)
        events.create_event_bus(Name=name)
        scheduler.create_schedule_group(Name=name)
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": ROLE},
        )
    events.put_rule(Name="pages", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="pages", Targets=[{"Id": name, "Arn": target} for name in NAMES])

    def last(url):
        return url.rpartition("/")[2]

    yield {
        "buses": (events.list_event_buses, "EventBuses", {"NamePrefix": "pages-"}, "Limit", lambda item: item["Name"]),
        "targets": (events.list_targets_by_rule, "Targets", {"Rule": "pages"}, "Limit", lambda item: item["Id"]),
        "groups": (
            scheduler.list_schedule_groups,
            "ScheduleGroups",
            {"NamePrefix": "pages-"},
            "MaxResults",
            lambda item: item["Name"],
        ),
        "schedules": (
            scheduler.list_schedules,
            "Schedules",
            {"NamePrefix": "pages-"},
            "MaxResults",
            lambda item: item["Name"],
        ),
        "sources": (sqs.list_dead_letter_source_queues, "queueUrls", {"QueueUrl": arn}, "MaxResults", last),
        "queues": (sqs.list_queues, "QueueUrls", {"QueueNamePrefix": "pages-"}, "MaxResults", last),
    }
    events.remove_targets(Rule="pages", Ids=NAMES)
    events.delete_rule(Name="pages")
    for name in NAMES:
        scheduler.delete_schedule(Name=name)
        scheduler.delete_schedule_group(Name=name)
        events.delete_event_bus(Name=name)
    for name in ("pages-0", *NAMES):
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])


LISTS = ["buses", "targets", "groups", "schedules", "sources", "queues"]


@pytest.mark.parametrize("what", LISTS)
def test_each_item_is_on_one_page(lists, what):
    call, member, asked, most, name_of = lists[what]
    found, token = [], {}
    while True:
        answer = call(**asked, **token, **{most: 2})
        assert len(answer[member]) <= 2
        found += [name_of(item) for item in answer[member]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert [name for name in found if name != "pages-0"] == NAMES


@pytest.mark.parametrize("what", LISTS)
def test_a_foreign_token_is_refused(lists, what):
    call, _, asked, most, _ = lists[what]
    code, message = refused(call, **asked, **{most: 2}, NextToken="foreign")
    assert code in ("ValidationException", "InvalidParameterValue") and "NextToken" in message


@pytest.mark.parametrize("path", ["/schedules", "/schedule-groups"])
@pytest.mark.parametrize(
    ("number", "code"),
    [("a", "SerializationException"), ("1.5", "SerializationException"), ("0", "ValidationException")],
)
def test_a_number_of_schedules_that_is_none(embedded_aws, path, number, code):
    answer = signed(embedded_aws, "GET", f"{path}?MaxResults={number}", "", "scheduler")
    told = SimpleNamespace(**answer.json())
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, code), told
