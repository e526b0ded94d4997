"""The checks of notebook 17, on functions that are really deployed: policies, wrong answers, and their buckets."""

import itertools
import json
import re
from collections.abc import Iterator

import pytest
from notebook_cells import Starter, checks_of, mutated

from helpers import check
from helpers.deploying.s3_triggers import make_bucket
from helpers.exercises.probe import Probe
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry
from helpers.session import progress

pytestmark = pytest.mark.usefixtures("at_the_start")
WRONG = checks_of("17").LIST.wrong_answers
WRONG_POLICIES = checks_of("17").POLICY.wrong_answers
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
    assert re.search(r"list the bucket that the event names, not always \S+-uploads", sentence_of("17.2"))


def test_what_the_role_lacks_is_said_and_no_bucket_is_left(put, aws, sentence_of, request):
    check_buckets = {aws.name("uploads-check"), aws.name("uploads-check-many")}
    for bucket in check_buckets:  # as a check leaves them that was interrupted
        make_bucket(aws, bucket)
        aws.client("s3").put_object(Bucket=bucket, Key="old.txt", Body=b"")
    put("17", "python", ANOTHER_ANSWER)
    check("17.2")
    assert not check_buckets & {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}
    assert not {Entry("bucket", bucket) for bucket in check_buckets} & set(aws.ledger.entries())
    progress.forget(["17.2"])
    request.getfixturevalue("many_objects_at_once")
    put("17", "python", ANOTHER_ANSWER, Role=aws.role())
    assert re.search(r"does not allow .* it needs s3:ListBucket on the bucket's own ARN", sentence_of("17.2"))


# 17.1


@pytest.fixture
def reader(aws) -> Iterator[Starter]:
    """A reader who has come to the policy: the notebook's function counts, in a role that may write its log."""
    s3, bucket = aws.client("s3"), aws.name("many")
    make_bucket(aws, bucket)
    s3.put_object(Bucket=bucket, Key="one.txt", Body=b"")
    clients = {"lambda_client": aws.client("lambda"), "s3": s3}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    notebook = Starter("17", workshop=aws, many=bucket, trust_policy=document, **clients)
    notebook.run("list-role", "write-log", "counter", "ask-counter", "put-policy")
    yield notebook
    role = {"RoleName": notebook.role_name}
    for each in aws.client("iam").list_attached_role_policies(**role)["AttachedPolicies"]:
        aws.client("iam").detach_role_policy(**role, PolicyArn=each["PolicyArn"])
    for entry in (Entry("function", aws.name("count-objects")), Entry("bucket", bucket)):
        remove(aws, entry)


def listing(aws, **changes):
    """The statement of the notebook, with changes."""
    yours = f"arn:aws:s3:::{aws.tags['learner']}-*"
    return {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": yours} | changes


def give(aws, role: str, statements: list) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    aws.client("iam").put_role_policy(RoleName=role, PolicyName="list", PolicyDocument=document)


def policies_of(aws, role: str) -> dict:
    """The role's own policies, and the names of those that are attached."""
    iam, of_role = aws.client("iam"), {"RoleName": role}
    names = iam.list_role_policies(**of_role)["PolicyNames"]
    own = {name: iam.get_role_policy(**of_role, PolicyName=name)["PolicyDocument"] for name in names}
    attached = iam.list_attached_role_policies(**of_role)["AttachedPolicies"]
    return own | {"attached": [each["PolicyName"] for each in attached]}


@pytest.mark.parametrize("wrong", WRONG_POLICIES, ids=lambda wrong: wrong.name)
def test_a_wrong_policy_gets_its_sentence_and_stays_as_it_was(wrong, reader, aws, sentence_of):
    yours = f"arn:aws:s3:::{aws.tags['learner']}-"
    answer = json.loads(json.dumps(wrong.answer).replace("{yours}", yours))
    for name in (each for each in answer if isinstance(each, str)):
        arn = f"arn:aws:iam::aws:policy/{name}"
        aws.client("iam").attach_role_policy(RoleName=reader.role_name, PolicyArn=arn)
    if statements := [each for each in answer if isinstance(each, dict)]:
        give(aws, reader.role_name, statements)
    before = policies_of(aws, reader.role_name)
    text = sentence_of("17.1")
    assert re.search(wrong.says, text), text
    assert policies_of(aws, reader.role_name) == before


def test_the_answer_of_the_notebook_passes_as_often_as_it_is_checked(reader, aws, capsys):
    denied = reader.ask_counter(reader.many)
    for part in (f"assumed-role/{aws.name('list-role')}/{aws.name('count-objects')}", "s3:ListBucket", reader.many):
        assert part in denied
    assert "no identity-based policy allows" in denied
    reader.run_cell(reader.source.cell("put-policy"))
    assert reader.ask_counter(reader.many) == 1
    before = policies_of(aws, reader.role_name)
    for _ in range(2):
        check("17.1")
        assert policies_of(aws, reader.role_name) == before
    assert progress.solved() == {"17.1"}
    assert reader.ask_counter(reader.many) == 1
    assert "1 of 2 exercises of this notebook solved" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["one that is no list", "beside one for the log", "with a name"])
def test_a_right_policy_in_another_form_passes_and_stays_as_it_was(form, reader, aws):
    logs = listing(aws, Action="logs:PutLogEvents", Resource="*")
    statements = {"beside one for the log": [listing(aws), logs], "one that is no list": listing(aws)}
    give(aws, reader.role_name, statements.get(form, [listing(aws, Sid="List")]))
    before = policies_of(aws, reader.role_name)
    check("17.1")
    assert progress.solved() == {"17.1"}
    assert policies_of(aws, reader.role_name) == before


def test_the_policy_is_put_back_when_the_check_is_interrupted(reader, aws, monkeypatch):
    give(aws, reader.role_name, [listing(aws)])
    before, invoke, runs = policies_of(aws, reader.role_name), Probe.invoke, itertools.count(1)

    def interrupted(probe, event):
        if next(runs) == 2:  # the first one is with the policy
            assert "list" not in policies_of(aws, reader.role_name)
            raise KeyboardInterrupt
        return invoke(probe, event)

    monkeypatch.setattr(Probe, "invoke", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check("17.1")
    assert policies_of(aws, reader.role_name) == before
    assert aws.name("uploads-check-role") not in {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}


def test_an_absent_counter_is_said(aws, sentence_of):
    assert f"There is no function {aws.name('count-objects')} yet; run the cells above" in sentence_of("17.1")


# 17.2


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
    assert says in sentence_of("17.2")


@pytest.mark.usefixtures("many_objects_at_once")
def test_the_title_may_be_a_message_of_its_own(put):
    title = ('texts = ["no objects"] if not keys else []', 'texts = [f"{len(keys)} objects"]')
    put("17", "python", mutated(ANOTHER_ANSWER, title, ("if not texts or", "if len(texts) == 1 or")))
    check("17.2")
    assert progress.solved() == {"17.2"}
