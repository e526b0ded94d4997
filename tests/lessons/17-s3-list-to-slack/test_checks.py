"""The check of lab 17, on functions that are really deployed: wrong answers, its buckets, and the function's role."""

import json
import re

import pytest
from notebook_cells import Notebook, checks_of, mutated

from helpers import check, progress
from helpers.cleanup import remove
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


def test_what_the_role_lacks_is_said_and_no_bucket_is_left(put, aws, sentence_of, request):
    check_buckets = {aws.name("uploads-check"), aws.name("uploads-check-many"), aws.name("uploads-check-role")}
    for bucket in check_buckets:  # as a check leaves them that was interrupted
        make_bucket(aws, bucket)
        aws.client("s3").put_object(Bucket=bucket, Key="old.txt", Body=b"")
    put("17", "python", ANOTHER_ANSWER)
    check("17")
    assert not check_buckets & {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}
    assert not {Entry("bucket", bucket) for bucket in check_buckets} & set(aws.ledger.entries())
    progress.forget(["17"])
    request.getfixturevalue("many_objects_at_once")
    put("17", "python", ANOTHER_ANSWER, Role=aws.role())
    assert re.search(r"does not allow .* it needs s3:ListBucket on the bucket's own ARN", sentence_of("17"))


def listing(aws, **changes):
    """The statement of the notebook, with changes."""
    yours = f"arn:aws:s3:::{aws.tags['learner']}-*"
    return {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": yours} | changes


def policy_of(aws, role: str) -> list:
    answer = aws.client("iam").get_role_policy(RoleName=role.rpartition("/")[2], PolicyName="allowed")
    return answer["PolicyDocument"]["Statement"]


@pytest.mark.usefixtures("many_objects_at_once")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            [{"Action": "s3:*"}],
            r"allows s3:\*, more than one action; .* ListObjectsV2, which needs s3:ListBucket alone",
        ),
        ([{"Action": "*"}], r"allows \*, more than one action"),
        ([{"Action": ["s3:ListBucket", "s3:GetObject"]}], "allows s3:GetObject, which the function never calls"),
        ([{"Resource": "*"}], r"allows s3:ListBucket on \*, which is more than your buckets; their ARNs begin with"),
        ([{"Resource": "arn:aws:s3:::*"}], r"on arn:aws:s3:::\*, which is more than your buckets"),
        ([{}, {"Action": "s3:PutObject", "Resource": "{yours}/*"}], "allows s3:PutObject, which the function never"),
        ([{}, {"Resource": "{yours}/*"}], "which are objects, and it is a right on the bucket"),
        (
            [{}, {"Resource": "{yours}uploads-check*"}],
            "lists the bucket also without .*, a statement of .*; leave that",
        ),
    ],
    ids=range(8),
)
def test_a_role_that_is_too_wide_gets_its_sentence_and_stays_as_it_was(changes, says, put, aws, sentence_of):
    yours = f"arn:aws:s3:::{aws.tags['learner']}-*"
    start = yours.removesuffix("*")
    statements = [listing(aws, **each) for each in changes]
    for each in statements:
        ours = start if "uploads" in each["Resource"] else yours
        each["Resource"] = each["Resource"].replace("{yours}", ours)
    role = aws.role(*statements)
    put("17", "python", ANOTHER_ANSWER, Role=role)
    assert re.search(says, sentence_of("17"))
    assert policy_of(aws, role) == statements


@pytest.mark.usefixtures("many_objects_at_once")
def test_a_managed_policy_beside_is_said(put, aws, sentence_of):
    put("17", "python", ANOTHER_ANSWER, Role=aws.role("AmazonS3ReadOnlyAccess", listing(aws)))
    assert re.search("has the policy AmazonS3ReadOnlyAccess as well", sentence_of("17"))


@pytest.mark.usefixtures("many_objects_at_once")
def test_a_role_without_a_statement_too_many_is_tried_and_stays_as_it_was(put, aws):
    logs = listing(aws, Action="logs:PutLogEvents", Resource="*")
    role = aws.role(listing(aws), logs)
    put("17", "python", ANOTHER_ANSWER, Role=role)
    check("17")
    assert progress.solved() == {"17"}
    assert policy_of(aws, role) == [listing(aws), logs]


def test_the_reader_is_refused_first_and_then_counts(aws, capsys):
    s3, bucket = aws.client("s3"), aws.name("many")
    make_bucket(aws, bucket)
    s3.put_object(Bucket=bucket, Key="one.txt", Body=b"")
    clients = {"lambda_client": aws.client("lambda"), "s3": s3}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    notebook = Notebook("17", workshop=aws, many=bucket, trust_policy=document, **clients)
    notebook.run("list-role", "write-log", "counter", "ask-counter")
    denied = notebook.ask_counter(bucket)
    for part in (f"assumed-role/{aws.name('list-role')}/{aws.name('count-objects')}", "s3:ListBucket", bucket):
        assert part in denied
    assert "no identity-based policy allows" in denied
    notebook.run("put-policy")
    assert notebook.ask_counter(bucket) == 1
    for entry in (Entry("function", aws.name("count-objects")), Entry("bucket", bucket)):
        remove(aws, entry)


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
