"""The check of lab 16, on functions that are really deployed: wrong answers, and every trigger that is none."""

import re
from collections.abc import Callable

import pytest
from notebook_cells import Notebook, checks_of

from helpers import check
from helpers.deploying.s3_triggers import lambda_triggers, make_bucket
from helpers.exercises import NotSolved
from helpers.exercises.lab import labs
from helpers.exercises.lab_probe import probe_of
from helpers.session import progress

pytestmark = pytest.mark.usefixtures("at_the_start")
checks = checks_of("16")
WRONG = checks.EXERCISE.wrong_answers
ANOTHER_ANSWER = """\
import json
import os
import urllib.parse
import urllib.request


def post(text):
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(os.environ["WEBHOOK_URL"], body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=20).close()


def handler(event, context):
    keys = []
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        post(f"s3://{bucket}/{key}")
        keys.append(key)
    return {"posted": keys}
"""


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.name}-{wrong.language}")
def test_a_wrong_answer_gets_its_own_sentence(wrong, gets_its_sentence):
    gets_its_sentence("16", wrong)


def test_with_slack_a_key_that_is_not_decoded_shows_in_what_is_returned(put_answer, sentence_of, inbox, monkeypatch):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    [encoded] = [each for each in WRONG if (each.name, each.language) == ("a key not decoded", "python")]
    put_answer("16", "python", *encoded.answer)
    assert re.search(r"returned .*%E5%AF.* with the decoded key", sentence_of("16"))


@pytest.fixture
def posting(put) -> None:
    put("16", "python", ANOTHER_ANSWER)


@pytest.fixture
def trigger(aws) -> Callable[..., None]:
    """Make the bucket and its trigger, or what is to be one."""
    name, bucket, client = aws.name("s3-to-slack"), aws.name("uploads"), aws.client("lambda")

    def trigger(permissions=({},), event="s3:ObjectCreated:*", **rules: str) -> None:
        """Each permission is what differs from the right one; None leaves a parameter out."""
        make_bucket(aws, bucket)
        arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
        right = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
        right |= {"SourceArn": f"arn:aws:s3:::{bucket}", "SourceAccount": arn.split(":")[4]}
        client.add_permission(FunctionName=name, StatementId="at-first", **right)  # or S3 refuses the notification
        notification = {"LambdaFunctionArn": arn, "Events": [event]}
        if rules:
            filters = [{"Name": name, "Value": value} for name, value in rules.items()]
            notification["Filter"] = {"Key": {"FilterRules": filters}}
        aws.client("s3").put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [notification]}
        )
        client.remove_permission(FunctionName=name, StatementId="at-first")
        for number, changes in enumerate(permissions):
            given = {key: value for key, value in (right | changes).items() if value}
            client.add_permission(FunctionName=name, StatementId=f"s3-{number}", **given)

    return trigger


def test_without_its_bucket(posting, sentence_of):
    assert "There is no bucket" in sentence_of("16")


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ({"event": "s3:ObjectRemoved:*"}, r"waits for s3:ObjectRemoved:\*; new objects are s3:ObjectCreated"),
        ({"prefix": "photos/"}, r"The filter of the trigger \(Prefix 'photos/'\) leaves out the object 'uploads/"),
        ({"suffix": ".jpg"}, r"The filter of the trigger \(Suffix '.jpg'\) leaves out"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_with_a_wrong_trigger(configuration, says, posting, trigger, sentence_of):
    trigger(**configuration)
    assert re.search(says, sentence_of("16"), re.IGNORECASE)


NOT = "S3 may not invoke .* call add_permission with .* SourceArn, the ARN of the bucket, and SourceAccount"
ANY_BUCKET = "may invoke .* for any bucket; remove the statement 's3-0' .* add_permission SourceArn, the ARN"
ANY_ACCOUNT = "for a bucket of this name in any account; remove the statement .* SourceAccount, the number of your"
ANYBODY = "Not only S3 may invoke .* give add_permission Principal='s3.amazonaws.com'"
BY_URL = {"Principal": "*", "SourceArn": None, "SourceAccount": None, "InvokedViaFunctionUrl": True}


@pytest.mark.parametrize(
    ("permissions", "says"),
    [
        pytest.param((), NOT, id="none"),
        pytest.param(({"SourceArn": "arn:aws:s3:::another-bucket"},), NOT, id="another bucket"),
        pytest.param(({"SourceArn": "arn:aws:s3:::other-*"},), NOT, id="other buckets"),
        pytest.param(({"SourceAccount": "999999999999"},), NOT, id="another account"),
        pytest.param(({"Principal": "sns.amazonaws.com"},), NOT, id="another service"),
        pytest.param(({"Action": "lambda:GetFunction"},), NOT, id="another action"),
        pytest.param((BY_URL,), NOT, id="a function URL"),
        pytest.param(({"SourceArn": None, "SourceAccount": None},), ANY_BUCKET, id="any bucket"),
        pytest.param(({"SourceArn": None},), ANY_BUCKET, id="any bucket of the account"),
        pytest.param(({"SourceAccount": None},), ANY_ACCOUNT, id="any account"),
        pytest.param(({"Principal": "*"},), ANYBODY, id="anybody"),
        pytest.param(({"SourceArn": None}, {}), ANY_BUCKET, id="a right one beside"),
    ],
)
def test_with_a_permission_that_is_missing_or_too_wide(permissions, says, posting, trigger, sentence_of):
    trigger(permissions)
    assert re.search(says, sentence_of("16"))


def test_a_permission_for_something_else_may_stand_beside(posting, trigger):
    trigger(({}, BY_URL, {"SourceArn": "arn:aws:s3:::another-bucket", "SourceAccount": None}))
    check("16")
    assert progress.solved() == {"16"}


@pytest.mark.parametrize("change", [str.lower, str.upper], ids=["small", "capital"])
def test_the_letters_of_a_condition_may_be_small_or_capital(change):
    condition = {"ArnLike": {change("aws:SourceArn"): "arn:aws:s3:::b?cket"}}
    condition["StringEquals"] = {change("aws:SourceAccount"): "1"}
    statement = {"Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}
    statement |= {"Action": "lambda:InvokeFunction", "Condition": condition}
    assert checks._lets_s3_in(statement, "bucket", "1") and not checks._lets_s3_in(statement, "bucket", "2")
    assert checks._too_wide(statement, "name") is None


def test_without_a_permission_the_notebook_s_notification_is_refused_and_with_it_accepted(posting, aws, capsys):
    bucket, name = aws.name("uploads"), aws.name("s3-to-slack")
    make_bucket(aws, bucket)
    arn = aws.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    given = {"bucket": bucket, "name": name, "function_arn": arn, "bucket_arn": f"arn:aws:s3:::{bucket}"}
    notebook = Notebook("16", s3=aws.client("s3"), lambda_client=aws.client("lambda"), **given)
    notebook.run("notification", "refused")
    assert capsys.readouterr().out == "Unable to validate the following destination configurations\n"
    assert lambda_triggers(aws, bucket, name) == []
    notebook.run("permission", "accepted")
    check("16")
    assert progress.solved() == {"16"}


def test_without_either_setting_the_permission_is_said_first(posting, aws, sentence_of):
    make_bucket(aws, aws.name("uploads"))
    assert re.search(NOT, sentence_of("16"))


def test_without_a_trigger(posting, trigger, aws, sentence_of):
    trigger()
    aws.client("s3").put_bucket_notification_configuration(Bucket=aws.name("uploads"), NotificationConfiguration={})
    assert "does not notify" in sentence_of("16")


def test_with_a_filter_that_lets_the_upload_pass_leaves_no_object(posting, trigger, aws):
    trigger(({"SourceArn": "arn:aws:s3:::*-uploads"},), prefix="uploads/", suffix=".txt", event="s3:ObjectCreated:Put")
    check("16")
    assert progress.solved() == {"16"}
    assert aws.client("s3").list_objects_v2(Bucket=aws.name("uploads"))["KeyCount"] == 0


@pytest.mark.parametrize("slack", [False, True], ids=["inbox", "slack"])
def test_when_nothing_comes_of_an_upload(slack, posting, trigger, aws, inbox, monkeypatch):
    trigger()
    if slack:
        monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    name = aws.name("s3-to-slack")
    aws.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    monkeypatch.setattr(checks, "ARRIVES_S", 1)
    says = "no invocation shows in the log" if slack else "no message about it came"
    match = f"{says} within 1 s; look into the log of .*/aws/lambda/"
    with probe_of(aws, labs()["16"]) as probe, pytest.raises(NotSolved, match=match):
        checks.posts_an_upload(probe, "uploads/lost.txt")
    assert aws.client("s3").list_objects_v2(Bucket=aws.name("uploads"))["KeyCount"] == 0
