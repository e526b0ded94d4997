"""Numbers and names that SQS does not allow are refused, by themselves and in a batch."""

import re
from urllib.parse import urlencode

import pytest
from localaws_client import refused, signed
from ministack.services.sqs import _Err as Refused

from helpers.localaws.services import sqs_limits

VALUE = "InvalidParameterValue"
OF_MESSAGES = "Reason: Must be >= 0 and <= 43200, if provided."
DELAY = "Reason: DelaySeconds must be >= 0 and <= 900."


@pytest.fixture
def sqs(clients):
    return clients("sqs")


@pytest.fixture
def url(sqs):
    made = sqs.create_queue(QueueName="limited")["QueueUrl"]
    yield made
    sqs.delete_queue(QueueUrl=made)


@pytest.mark.parametrize("value", [-1, 901])
def test_the_delay_of_a_message(sqs, url, value):
    told = refused(sqs.send_message, QueueUrl=url, MessageBody="x", DelaySeconds=value)
    assert told == (VALUE, f"Value {value} for parameter DelaySeconds is invalid. {DELAY}")
    sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=900)


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("WaitTimeSeconds", 21, "Reason: Must be >= 0 and <= 20, if provided."),
        ("WaitTimeSeconds", -1, "Reason: Must be >= 0 and <= 20, if provided."),
        ("VisibilityTimeout", 43_201, OF_MESSAGES),
        ("VisibilityTimeout", -1, OF_MESSAGES),
    ],
)
def test_what_is_asked_of_a_receipt(sqs, url, member, value, reason):
    told = refused(sqs.receive_message, QueueUrl=url, **{member: value})
    assert told == (VALUE, f"Value {value} for parameter {member} is invalid. {reason}")


def test_a_message_is_hidden_for_twelve_hours_at_most(sqs, url):
    sqs.send_message(QueueUrl=url, MessageBody="x")
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    its = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    told = refused(sqs.change_message_visibility, **its, VisibilityTimeout=43_201)
    assert told == (VALUE, f"Value 43201 for parameter VisibilityTimeout is invalid. {OF_MESSAGES}")
    sqs.change_message_visibility(**its, VisibilityTimeout=43_200)


def test_of_a_batch_only_what_is_wrong_fails(sqs, url):
    entries = [{"Id": str(each), "MessageBody": "x", "DelaySeconds": each} for each in (0, 901, 1)]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1"]
    message = f"Value 901 for parameter DelaySeconds is invalid. {DELAY}"
    assert answer["Failed"] == [{"Id": "901", "Code": VALUE, "Message": message, "SenderFault": True}]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries[1:2])
    assert "Successful" not in answer or answer["Successful"] == []
    assert [each["Id"] for each in answer["Failed"]] == ["901"]


def test_a_batch_has_ten_entries_at_most(sqs, url):
    entries = [{"Id": str(each), "MessageBody": "x"} for each in range(11)]
    code, message = refused(sqs.send_message_batch, QueueUrl=url, Entries=entries)
    assert code.rpartition(".")[2] == "TooManyEntriesInBatchRequest"
    assert message == "Maximum number of entries per request are 10. You have sent 11."


@pytest.mark.parametrize("name", ["two words", "ü", "a.b", "x" * 81, "x.fifo.fifo"])
def test_a_name_that_is_none(sqs, name):
    words = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    assert refused(sqs.create_queue, QueueName=name) == (VALUE, words)


def test_attributes_that_there_are_not(sqs, url):
    words = ("InvalidAttributeName", "Unknown Attribute Colour.")
    assert refused(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All", "Colour"]) == words
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Colour": "red"}) == words
    assert refused(sqs.create_queue, QueueName="coloured", Attributes={"Colour": "red"}) == words
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["DelaySeconds"] == "0"


def test_the_same_in_a_query(embedded_aws, url):
    body = urlencode({"Action": "ReceiveMessage", "QueueUrl": url, "WaitTimeSeconds": "many"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = signed(embedded_aws, "POST", "/", body, "sqs", **kind)
    assert answer.status_code == 400
    assert re.search("<Message>Value many for parameter WaitTimeSeconds is invalid", answer.text)


def test_a_queue_is_purged_once_a_minute(sqs, url):
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="y")
    code, sentence = refused(sqs.purge_queue, QueueUrl=url)
    assert code == "AWS.SimpleQueueService.PurgeQueueInProgress"
    assert sentence == "Only one PurgeQueue operation on limited is allowed every 60 seconds."
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "y"


def test_a_minute_later_it_is_purged_again():
    queue = {"name": "any"}
    sqs_limits.note_purge(queue, now=1000.0)
    with pytest.raises(Refused):
        sqs_limits.note_purge(queue, now=1059.0)
    sqs_limits.note_purge(queue, now=1060.0)
