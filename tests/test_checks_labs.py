"""The checks of the three labs, on functions that are really deployed: right, wrong and unfinished ones."""

import re
import shutil
import urllib.request
from collections.abc import Callable

import pytest
import wrong_answers
from wrong_answers import FILES, LANGUAGES, RUNTIMES, Wrong

from helpers import checks, deploy, labs, progress
from helpers.checks import s3_to_slack
from helpers.checks.slack import probe_of
from helpers.inbox import open_inbox
from helpers.ledger import Entry

WRONG = [(wrong, language) for wrong in wrong_answers.ALL for language in wrong.languages]


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Nothing of another test is there: no working copy, no progress, no function, no bucket."""
    shutil.rmtree(embedded_home / "labs", ignore_errors=True)
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for lab in labs.LABS.values():
        labs.remove(aws, Entry("function", aws.name(lab.name)))
    labs.remove(aws, Entry("bucket", aws.name("uploads")))


@pytest.fixture
def inbox(aws):
    return open_inbox(aws)


@pytest.fixture
def put(aws, inbox, needs) -> Callable[..., None]:
    """Deploy the code of a lab's handler, in one file."""

    def put(lab: str, language: str, code: str, **configuration) -> None:
        if language == "ruby":  # the others come with the workshop
            needs("ruby")
        variables = {"Variables": {"WEBHOOK_URL": inbox.webhook_url}}
        deploy(
            aws, aws.name(labs.LABS[lab].name), {FILES[language]: code},
            **{"Runtime": RUNTIMES[language], "Environment": variables, "Role": aws.role(labs.READ_BUCKETS)}
            | configuration,
        )  # fmt: skip

    return put


@pytest.fixture
def trigger(aws) -> Callable[..., None]:
    """Make the bucket of lab 16 and its trigger."""
    name, bucket, client = aws.name("s3-to-slack"), aws.name("uploads"), aws.client("lambda")

    def trigger(
        source: str | None = f"arn:aws:s3:::{bucket}", event="s3:ObjectCreated:*", **rules: str
    ) -> None:
        labs.make_bucket(aws, bucket)
        if source:
            client.add_permission(
                FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                Principal="s3.amazonaws.com", SourceArn=source,
            )  # fmt: skip
        arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
        notification = {"LambdaFunctionArn": arn, "Events": [event]}
        if rules:
            filters = [{"Name": name, "Value": value} for name, value in rules.items()]
            notification["Filter"] = {"Key": {"FilterRules": filters}}
        aws.client("s3").put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [notification]}
        )

    return trigger


def sentence_of(lab: str) -> str:
    """What the check says of a wrong answer; it may say nothing else and enter nothing."""
    with pytest.raises(checks.NotSolved) as caught:
        checks.check(lab)
    assert progress.solved() == set()
    text = str(caught.value)
    assert text.startswith("Not yet. ") and text.count("\n") == 0
    return text


@pytest.mark.parametrize(("wrong", "language"), WRONG, ids=[f"{w.lab}-{w.name}-{lang}" for w, lang in WRONG])
def test_a_wrong_answer_gets_its_own_sentence(wrong: Wrong, language, put, aws, inbox, capsys):
    url = inbox.webhook_url.reveal()
    places = {"webhook": url, "reversed": url[::-1], "uploads": aws.name("uploads")}
    put(wrong.lab, language, wrong_answers.code(wrong, language, **places), **wrong.configuration)
    text = sentence_of(wrong.lab)
    assert re.search(wrong.expected(language), text), text
    assert url.rpartition("/")[2] not in text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lab", labs.LABS)
def test_the_reference_answer_passes(lab, language, put, trigger, capsys):
    put(lab, language, labs.LABS[lab].answer(language).read_text(), Timeout=10)
    if lab == "16":
        trigger()
    checks.check(lab)
    assert progress.solved() == {lab}
    assert capsys.readouterr().out.endswith(": solved. 1 of 1 exercise of this notebook solved.\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_right_answer_passes(language, put):
    put("09", language, wrong_answers.right("09", language))
    checks.check("09")
    assert progress.solved() == {"09"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lab", labs.LABS)
def test_the_starter_fails(lab, language, put):
    labs.start_at("17")
    put(lab, language, labs.LABS[lab].starter(language).read_text())
    assert re.search(r"What is deployed is the starter", sentence_of(lab))


@pytest.mark.parametrize("lab", labs.LABS)
def test_an_absent_function_is_said(lab, aws):
    text = sentence_of(lab)
    assert f"There is no function {aws.name(labs.LABS[lab].name)} yet; write " in text
    assert str(labs.LABS[lab].copy("python")) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_older_version_than_the_file_is_said(language, put):
    copy = labs.start_at("09") / language / FILES[language]
    copy.write_text(wrong_answers.right("09", language))
    put("09", language, labs.LABS["09"].starter(language).read_text())
    assert f"does not run what is in {copy} now; deploy that file" in sentence_of("09")
    put("09", language, wrong_answers.right("09", language))
    checks.check("09")


def test_a_language_that_no_lab_has_is_said(aws, put):
    put("09", "python", wrong_answers.right("09", "python"), Runtime="java21", Handler="Main::handler")
    assert "runs on java21, and this check knows Python, Node.js and Ruby" in sentence_of("09")


def test_failures_that_the_reader_asked_for_are_over(put, inbox):
    put("09", "python", wrong_answers.right("09", "python"))
    inbox.fail_next(20)
    checks.check("09")
    assert progress.solved() == {"09"}


def test_a_url_that_the_function_returns_is_not_shown(put, inbox):
    right = wrong_answers.right("09", "python")
    put("09", "python", right.replace('{"posted": text}', '{"posted": os.environ["WEBHOOK_URL"]}'))
    text = sentence_of("09")
    assert "/…(hidden)" in text and inbox.webhook_url.rpartition("/")[2] not in text


def test_the_webhook_works_again_after_a_check(put, inbox):
    swallows = next(each for each in wrong_answers.SLACK if each.name == "an error swallowed")
    put("09", "python", wrong_answers.code(swallows, "python"))
    sentence_of("09")
    request = urllib.request.Request(inbox.webhook_url.reveal(), b'{"text": "after the check"}')
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        assert answer.read() == b"ok"


# the trigger of lab 16


@pytest.fixture
def posting(put) -> None:
    put("16", "python", wrong_answers.right("16", "python"))


def test_16_without_its_bucket(posting):
    assert "There is no bucket" in sentence_of("16")


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ({"source": None}, "S3 may not invoke .* call add_permission"),
        ({"source": "arn:aws:s3:::another-bucket"}, "S3 may not invoke .* call add_permission"),
        ({"source": "arn:aws:s3:::other-*"}, "S3 may not invoke .* call add_permission"),
        ({"event": "s3:ObjectRemoved:*"}, r"waits for s3:ObjectRemoved:\*; new objects are s3:ObjectCreated"),
        (
            {"prefix": "photos/"},
            r"The filter of the trigger \(Prefix 'photos/'\) leaves out the object 'uploads/",
        ),
        ({"suffix": ".jpg"}, r"The filter of the trigger \(Suffix '.jpg'\) leaves out"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_16_with_a_wrong_trigger(configuration, says, posting, trigger):
    trigger(**configuration)
    assert re.search(says, sentence_of("16"), re.IGNORECASE)


def test_16_without_a_trigger(posting, trigger, aws):
    trigger()
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=aws.name("uploads"), NotificationConfiguration={}
    )
    assert "does not notify" in sentence_of("16")


def test_16_with_a_filter_that_lets_the_upload_pass_leaves_no_object(posting, trigger, aws):
    trigger(source="arn:aws:s3:::*-uploads", prefix="uploads/", suffix=".txt", event="s3:ObjectCreated:Put")
    checks.check("16")
    assert progress.solved() == {"16"}
    assert aws.client("s3").list_objects_v2(Bucket=aws.name("uploads"))["KeyCount"] == 0


@pytest.mark.parametrize("slack", [False, True], ids=["inbox", "slack"])
def test_16_when_nothing_comes_of_an_upload(slack, posting, trigger, aws, inbox, monkeypatch):
    trigger()
    if slack:
        monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    probe = probe_of(aws, labs.LABS["16"])
    aws.client("lambda").put_function_concurrency(
        FunctionName=probe.function.name, ReservedConcurrentExecutions=0
    )
    monkeypatch.setattr(s3_to_slack, "ARRIVES_S", 1)
    says = "no invocation shows in the log" if slack else "no message about it came"
    with pytest.raises(checks.NotSolved, match=f"{says} within 1 s; look into the log of .*/aws/lambda/"):
        s3_to_slack.posts_an_upload(probe, "uploads/lost.txt")
    assert aws.client("s3").list_objects_v2(Bucket=aws.name("uploads"))["KeyCount"] == 0


# the buckets and the role of lab 17


def test_17_lists_another_bucket_than_the_readers_own(put, aws):
    labs.make_bucket(aws, aws.name("uploads"))
    aws.client("s3").put_object(Bucket=aws.name("uploads"), Key="mine.txt", Body=b"")
    own = next(each for each in wrong_answers.S3_LIST_TO_SLACK if each.name == "its own bucket")
    put("17", "python", wrong_answers.code(own, "python", uploads=aws.name("uploads")))
    assert re.search(r"list the bucket that the event names, not always \S+-uploads", sentence_of("17"))


def test_17_says_what_the_role_lacks_and_leaves_no_bucket(put, aws, capsys):
    check_bucket = aws.name("uploads-check")
    labs.make_bucket(aws, check_bucket)  # as a check leaves it that was interrupted
    aws.client("s3").put_object(Bucket=check_bucket, Key="old.txt", Body=b"")
    put("17", "python", wrong_answers.right("17", "python"), Role=aws.role(), Timeout=10)
    checks.check("17")
    assert "solved. Mind: the role of" in capsys.readouterr().out
    assert check_bucket not in [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]]
    assert Entry("bucket", check_bucket) not in aws.ledger.entries()
    put("17", "python", wrong_answers.right("17", "python"), Timeout=10)
    checks.check("17")
    assert "solved. 1 of 1" in capsys.readouterr().out


# with Slack itself


@pytest.mark.parametrize("lab", labs.LABS)
def test_with_slack_the_check_says_what_it_cannot_see(lab, put, aws, trigger, inbox, monkeypatch, capsys):
    # Here Slack is the inbox, which is not asked what came: only the function's answers count.
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    put(lab, "python", wrong_answers.right(lab, "python"), Timeout=10)
    if lab == "16":
        trigger()
    checks.check(lab)
    assert (
        "solved. Mind: the messages went to Slack, where a check cannot read them" in capsys.readouterr().out
    )


def test_with_slack_a_key_that_is_not_decoded_shows_in_what_is_returned(put, inbox, monkeypatch):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    encoded = next(each for each in wrong_answers.S3_TO_SLACK if each.name == "a key not decoded")
    put("16", "python", wrong_answers.code(encoded, "python"))
    assert re.search(r"returned .*%E5%AF.* with the decoded key", sentence_of("16"))


def test_with_slack_a_message_for_each_key_is_known_by_what_is_returned(put, inbox, monkeypatch):
    monkeypatch.setenv("WORKSHOP_SLACK_WEBHOOK_URL", inbox.webhook_url.reveal())
    each = next(each for each in wrong_answers.S3_LIST_TO_SLACK if each.name == "a message for each key")
    put("17", "python", wrong_answers.code(each, "python"))
    assert "It posted 50 messages, one for each key" in sentence_of("17")
