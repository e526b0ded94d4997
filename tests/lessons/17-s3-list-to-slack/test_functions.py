"""The function of lab 17, deployed: the same in Python, Node.js and Ruby, for buckets of every size."""

import pytest
from lab_support import KEYS, Webhook, s3_event

pytestmark = pytest.mark.usefixtures("with_sdk")


@pytest.fixture
def s3_list_to_slack(function_of):
    return function_of("17")


def listed(webhook: Webhook) -> list[str]:
    """The keys in the messages, in their order."""
    title, *keys = "\n".join(webhook.texts()).split("\n")
    assert title.startswith("Objects in s3://")
    return keys


def test_it_says_that_a_bucket_is_empty(s3_list_to_slack, webhook, bucket):
    result = s3_list_to_slack.invoke(s3_event(bucket, "gone.txt"))
    assert result.payload == {"objects": 0, "messages": 1}
    assert webhook.texts() == [f"s3://{bucket} is empty."]


def test_it_lists_the_bucket_of_the_event(s3_list_to_slack, webhook, clients, bucket):
    clients("s3").put_object(Bucket=bucket, Key="only one.txt", Body=b"1")
    assert s3_list_to_slack.invoke(s3_event(bucket, "only+one.txt")).payload == {"objects": 1, "messages": 1}
    assert webhook.texts() == [f"Objects in s3://{bucket}: 1\nonly one.txt"]
    webhook.received.clear()
    for key in KEYS:
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    assert s3_list_to_slack.invoke(s3_event(bucket, "any")).payload == {"objects": 8, "messages": 1}
    assert sorted(listed(webhook)) == sorted(["only one.txt", *KEYS])


def test_it_lists_more_than_a_page_in_several_messages(s3_list_to_slack, webhook, many_objects):
    name, keys = many_objects
    result = s3_list_to_slack.invoke(s3_event(name, "any"))
    assert listed(webhook) == keys
    assert max(map(len, webhook.texts())) <= 3000
    least = -(-sum(len(text) + 1 for text in webhook.texts()) // 3001)
    assert result.payload == {"objects": len(keys), "messages": len(webhook.received)}
    assert 1 < len(webhook.received) <= least + 1  # a message is as full as it can be


def test_it_splits_at_line_ends_only(s3_list_to_slack, webhook, clients, bucket):
    keys = [f"{number}{'長' * 330}" for number in range(9)]  # 993 bytes, of the 1,024 that a key may have
    for key in keys:
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    assert s3_list_to_slack.invoke(s3_event(bucket, "any")).payload == {"objects": 9, "messages": 2}
    assert listed(webhook) == keys
    assert len(webhook.received) == 2


def test_it_fails_for_a_bucket_that_is_not_there(s3_list_to_slack, webhook):
    result = s3_list_to_slack.invoke(s3_event("tested-handlers-nowhere", "any"))
    assert result.error == "Unhandled"
    assert webhook.received == []


def test_it_fails_when_the_webhook_does(s3_list_to_slack, webhook, bucket):
    webhook.status = 500
    assert s3_list_to_slack.invoke(s3_event(bucket, "any")).error == "Unhandled"
