"""The check of lab 17, on functions that are really deployed: wrong answers, its buckets, and the function's role."""

import re

import pytest
from notebook_cells import checks_of, mutated

from helpers import check, progress
from helpers.ledger import Entry
from helpers.s3_triggers import make_bucket

pytestmark = pytest.mark.usefixtures("at_the_start")
WRONG = checks_of("17").EXERCISE.wrong_answers
ANOTHER_ANSWER = """\
import json
import os
import urllib.request

import boto3

s3 = boto3.client("s3")


def post(text):
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(os.environ["WEBHOOK_URL"], body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=20).close()


def handler(event, context):
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    keys = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys += [item["Key"] for item in page.get("Contents", [])]
    texts = ["no objects"] if not keys else []
    for key in keys:
        if not texts or len(texts[-1]) + 1 + len(key) > 3000:
            texts.append(key)
        else:
            texts[-1] += "\\n" + key
    for text in texts:
        post(text)
    return {"objects": len(keys), "messages": len(texts)}
"""


@pytest.mark.usefixtures("many_objects_at_once")
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.name}-{wrong.language}")
def test_a_wrong_answer_gets_its_own_sentence(wrong, gets_its_sentence):
    gets_its_sentence("17", wrong)


def changes(name: str) -> tuple[tuple[str, str], ...]:
    """What a wrong answer in Python changes."""
    [found] = [each for each in WRONG if (each.name, each.language) == (name, "python")]
    return found.answer


def test_a_bucket_of_the_readers_own_is_listed_instead(put_answer, aws, sentence_of):
    make_bucket(aws, aws.name("uploads"))
    aws.client("s3").put_object(Bucket=aws.name("uploads"), Key="mine.txt", Body=b"")
    own = [(old, new.replace("{uploads}", aws.name("uploads"))) for old, new in changes("its own bucket")]
    put_answer("17", "python", *own)
    assert re.search(r"list the bucket that the event names, not always \S+-uploads", sentence_of("17"))


def test_what_the_role_lacks_is_said_and_no_bucket_is_left(put, aws, capsys, request):
    check_buckets = {aws.name("uploads-check"), aws.name("uploads-check-many")}
    for bucket in check_buckets:  # as a check leaves them that was interrupted
        make_bucket(aws, bucket)
        aws.client("s3").put_object(Bucket=bucket, Key="old.txt", Body=b"")
    put("17", "python", ANOTHER_ANSWER, Role=aws.role())
    check("17")
    assert "solved. Note: the role of" in capsys.readouterr().out
    assert not check_buckets & {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}
    assert not {Entry("bucket", bucket) for bucket in check_buckets} & set(aws.ledger.entries())
    request.getfixturevalue("many_objects_at_once")
    put("17", "python", ANOTHER_ANSWER)
    check("17")
    assert "solved. 1 of 1" in capsys.readouterr().out
    assert progress.solved() == {"17"}


@pytest.mark.usefixtures("many_objects_at_once")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a message for each key", "It posted 51 messages, one for each key"),
        ("ten keys to a message", "The list of 1,001 objects came in 101 messages, and 3 of 3,000"),
    ],
    ids=["each", "ten"],
)
def test_with_slack_too_many_messages_are_known_by_what_is_returned(
    name, says, put_answer, sentence_of, inbox, monkeypatch
):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    put_answer("17", "python", *changes(name))
    assert says in sentence_of("17")


@pytest.mark.usefixtures("many_objects_at_once")
def test_the_title_may_be_a_message_of_its_own(put):
    title = ('texts = ["no objects"] if not keys else []', 'texts = [f"{len(keys)} objects"]')
    put("17", "python", mutated(ANOTHER_ANSWER, title, ("if not texts or", "if len(texts) == 1 or")))
    check("17")
    assert progress.solved() == {"17"}
