"""The function of lab 16, deployed: the same in Python, Node.js and Ruby, also when S3 itself invokes it."""

import datetime

import pytest
from lab_support import KEYS, s3_event

from helpers.inbox import open_inbox


@pytest.fixture
def s3_to_slack(function_of):
    return function_of("16")


def test_it_posts_every_key_decoded(s3_to_slack, webhook):
    encoded = ("a.txt", "two+words.txt", "a%2Bb.txt", "100%25.txt", "%E6%97%A5%E6%9C%AC/1.jpg", "%26%3F.txt")
    keys = ["a.txt", "two words.txt", "a+b.txt", "100%.txt", "日本/1.jpg", "&?.txt"]
    result = s3_to_slack.invoke(s3_event("shop", *encoded))
    assert result.payload == {"posted": keys}
    assert webhook.texts() == [f"s3://shop/{key}" for key in keys]


def test_it_fails_when_the_webhook_does(s3_to_slack, webhook):
    webhook.status = 500
    assert s3_to_slack.invoke(s3_event("shop", "a.txt")).error == "Unhandled"


def test_it_posts_what_is_uploaded(make_answer, aws, clients, bucket):
    inbox = open_inbox(aws)
    since = datetime.datetime.now(datetime.UTC)
    function = make_answer("16", inbox.webhook_url)
    arn = clients("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    function.let_in("s3", SourceArn=f"arn:aws:s3:::{bucket}")
    clients("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    for key in KEYS:
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    messages = inbox.wait(len(KEYS), since, timeout=120)
    assert sorted(message.text for message in messages) == sorted(f"s3://{bucket}/{key}" for key in KEYS)
