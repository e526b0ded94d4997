"""What SQS and SNS say to a request that lacks a member, which SDKs that check nothing send."""

import json
import re
from urllib.parse import urlencode

import pytest
from localaws_client import refused, signed

NO_QUEUE = "The request must contain the parameter QueueUrl."


@pytest.fixture
def queue(clients):
    url = clients("sqs").create_queue(QueueName="lacking")["QueueUrl"]
    yield url
    clients("sqs").delete_queue(QueueUrl=url)


@pytest.fixture
def topic(clients):
    arn = clients("sns").create_topic(Name="lacking")["TopicArn"]
    yield arn
    clients("sns").delete_topic(TopicArn=arn)


def of_sqs(endpoint, operation, members):
    kind = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    response = signed(endpoint, "POST", "/", json.dumps(members), "sqs", **kind)
    told = response.json()
    return response.status_code, told.get("__type", "").rpartition("#")[2], told.get("message")


def of_query(endpoint, service, action, parameters, path="/"):
    body = urlencode({"Action": action, **parameters})
    response = signed(endpoint, "POST", path, body, service, **{"Content-Type": "application/x-www-form-urlencoded"})
    code, message = re.search("<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", response.text, re.DOTALL).groups()
    return response.status_code, code, message.replace("&#39;", "'").replace("&apos;", "'")


@pytest.mark.parametrize(
    ("operation", "members", "missing"),
    [
        ("SendMessage", {"MessageBody": "m"}, "QueueUrl"),
        ("SendMessage", {"QueueUrl": "", "MessageBody": "m"}, "QueueUrl"),
        ("SendMessage", {"QueueUrl": "queue"}, "MessageBody"),
        ("SendMessage", {"QueueUrl": "queue", "MessageBody": None}, "MessageBody"),
        ("ReceiveMessage", {}, "QueueUrl"),
        ("DeleteMessage", {"QueueUrl": "queue"}, "ReceiptHandle"),
        ("ChangeMessageVisibility", {"QueueUrl": "queue", "VisibilityTimeout": 0}, "ReceiptHandle"),
        ("ChangeMessageVisibility", {"QueueUrl": "queue", "ReceiptHandle": "r"}, "VisibilityTimeout"),
        ("SendMessageBatch", {"Entries": []}, "QueueUrl"),
        ("CreateQueue", {}, "QueueName"),
        ("GetQueueUrl", {}, "QueueName"),
        ("SetQueueAttributes", {"QueueUrl": "queue"}, "Attribute.Name"),
        ("TagQueue", {"QueueUrl": "queue", "Tags": {}}, "Tags"),
    ],
)
def test_a_request_to_sqs_lacks_a_member(embedded_aws, queue, operation, members, missing):
    sent = {name: queue if value == "queue" else value for name, value in members.items()}
    told = (400, "MissingParameter", f"The request must contain the parameter {missing}.")
    assert of_sqs(embedded_aws, operation, sent) == told


def test_a_batch_without_entries_is_empty(embedded_aws, queue):
    status, code, _ = of_sqs(embedded_aws, "SendMessageBatch", {"QueueUrl": queue})
    assert (status, code.rpartition(".")[2]) == (400, "EmptyBatchRequest")


def test_a_timeout_of_zero_is_there(clients, queue):
    clients("sqs").send_message(QueueUrl=queue, MessageBody="m")
    (message,) = clients("sqs").receive_message(QueueUrl=queue)["Messages"]
    handle = message["ReceiptHandle"]
    clients("sqs").change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    assert clients("sqs").receive_message(QueueUrl=queue)["Messages"]


def test_the_query_protocol_of_sqs_names_the_queue_in_its_path_or_not_at_all(embedded_aws, queue):
    path = queue.removeprefix(embedded_aws.url)
    assert of_query(embedded_aws, "sqs", "SendMessage", {}, path)[1:] == (
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
    )
    assert of_query(embedded_aws, "sqs", "SendMessage", {"MessageBody": "m"})[1:] == ("MissingParameter", NO_QUEUE)


@pytest.mark.parametrize(
    ("action", "parameters", "missing"),
    [
        ("Publish", {"Message": "m"}, "TopicArn or TargetArn"),
        ("Publish", {"Message": "m", "TopicArn": ""}, "TopicArn or TargetArn"),
        ("Subscribe", {"Protocol": "sqs"}, "TopicArn"),
        ("GetTopicAttributes", {"TopicArn": ""}, "TopicArn"),
        ("DeleteTopic", {}, "TopicArn"),
        ("Unsubscribe", {}, "SubscriptionArn"),
    ],
)
def test_a_request_to_sns_lacks_an_arn(embedded_aws, action, parameters, missing):
    told = (400, "InvalidParameter", f"Invalid parameter: {missing} Reason: no value for required parameter")
    assert of_query(embedded_aws, "sns", action, parameters) == told


@pytest.mark.parametrize(
    ("action", "parameters", "missing"),
    [
        ("Publish", {"TopicArn": "topic"}, "message"),
        ("Subscribe", {"TopicArn": "topic"}, "protocol"),
        ("CreateTopic", {}, "name"),
        ("SetTopicAttributes", {"TopicArn": "topic"}, "attributeName"),
        ("TagResource", {"Tags.member.1.Key": "k", "Tags.member.1.Value": "v"}, "resourceArn"),
        ("AddPermission", {"TopicArn": "topic", "Label": "l", "ActionName.member.1": "Publish"}, "aWSAccountId"),
    ],
)
def test_a_request_to_sns_lacks_another_member(embedded_aws, topic, action, parameters, missing):
    sent = {name: topic if value == "topic" else value for name, value in parameters.items()}
    assert of_query(embedded_aws, "sns", action, sent) == (
        400,
        "ValidationError",
        f"1 validation error detected: Value null at '{missing}' failed to satisfy constraint: Member must not be null",
    )


def test_an_empty_message_to_a_topic(clients, topic):
    told = "InvalidParameter", "Invalid parameter: Empty message"
    assert refused(clients("sns").publish, TopicArn=topic, Message="") == told
