"""A function that its own messages, objects or calls start again and again is stopped after 16 runs.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-lambda_recursive_loops.html
"""

import itertools
import json

import pytest
from localaws_client import eventually

from helpers.localaws.services.lambda_.recursive_loops import LIMIT, from_header, of_batch

SQS = (
    "import boto3, os\n"
    "def handler(event, context):\n"
    "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody='again')\n"
)
S3 = (
    "import boto3, json\n"
    "def handler(event, context):\n"
    "    bucket = event['Records'][0]['s3']['bucket']['name']\n"
    "    boto3.client('s3').put_object(Bucket=bucket, Key='again', Body=b'x')\n"
)
SNS = (
    "import boto3\n"
    "def handler(event, context):\n"
    "    topic = event['Records'][0]['EventSubscriptionArn'].rpartition(':')[0]\n"
    "    boto3.client('sns').publish(TopicArn=topic, Message='again')\n"
)
SELF = (
    "import boto3\n"
    "def handler(event, context):\n"
    "    boto3.client('lambda').invoke(FunctionName=context.function_name, InvocationType='Event')\n"
)
numbers = itertools.count(1)


def arn_of(clients, function):
    return clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]


@pytest.fixture
def loop_of_sqs(make_function, clients):
    """A function that answers each message with another, and what sends the first."""
    sqs = clients("sqs")
    name = f"looping-{next(numbers)}"  # a poller of the test before may still receive from its queue
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    function = make_function(SQS, Environment={"Variables": {"QUEUE": url}}, Timeout=30, MemorySize=512)
    mapping = clients("lambda").create_event_source_mapping(
        EventSourceArn=dead_arn.removesuffix("-dead"), FunctionName=function.name, BatchSize=1
    )["UUID"]
    # less than the function's timeout, which Lambda takes where it comes later: the dead letters are there sooner
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    yield function, lambda: sqs.send_message(QueueUrl=url, MessageBody="first"), dead
    clients("lambda").delete_event_source_mapping(UUID=mapping)
    for each in (url, dead):
        sqs.delete_queue(QueueUrl=each)


def test_a_loop_through_a_queue_ends_in_the_dead_letter_queue(loop_of_sqs, clients):
    function, start, dead = loop_of_sqs
    start()
    eventually(lambda: function.metric("RecursiveInvocationsDropped") >= 1)
    (message,) = eventually(lambda: clients("sqs").receive_message(QueueUrl=dead).get("Messages"))
    assert message["Body"] == "again"
    eventually(lambda: function.metric("Invocations") == LIMIT)  # the last one may not have ended yet
    assert function.metric("Errors") == 0
    assert function.metric("RecursiveInvocationsDropped") == 1
    assert function.metric("Invocations") == LIMIT


def test_a_loop_that_is_allowed_goes_on(loop_of_sqs, clients):
    function, start, _ = loop_of_sqs
    clients("lambda").put_function_recursion_config(FunctionName=function.name, RecursiveLoop="Allow")
    start()
    eventually(lambda: function.metric("Invocations") > LIMIT + 2)
    assert function.metric("RecursiveInvocationsDropped") == 0


def test_messages_that_do_not_come_from_each_other_are_no_loop(make_function, clients, loop_of_sqs):
    function, start, dead = loop_of_sqs
    patient = {"VisibilityTimeout": "60"}  # a slow machine must not make a dead letter of a message that waits
    clients("sqs").set_queue_attributes(QueueUrl=dead.removesuffix("-dead"), Attributes=patient)
    function.update_code("def handler(event, context):\n    pass\n")
    for _ in range(LIMIT + 4):
        start()
    eventually(lambda: function.metric("Invocations") == LIMIT + 4)
    assert function.metric("RecursiveInvocationsDropped") == 0


def test_a_loop_through_a_bucket(make_function, clients):
    s3, bucket, function = clients("s3"), "looping-bucket", make_function(S3, Timeout=30, MemorySize=512)
    s3.create_bucket(Bucket=bucket)
    function.let_in("s3")
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {"LambdaFunctionArn": arn_of(clients, function), "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    s3.put_object(Bucket=bucket, Key="first", Body=b"x")
    eventually(lambda: function.metric("RecursiveInvocationsDropped") == 1)
    eventually(lambda: function.metric("Invocations") == LIMIT)  # the last one may not have ended yet
    assert function.metric("AsyncEventsDropped") == 1
    for key in ("first", "again"):
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)


def test_a_loop_through_a_topic(make_function, clients):
    sns, function = clients("sns"), make_function(SNS, Timeout=30, MemorySize=512)
    function.let_in("sns")
    topic = sns.create_topic(Name="looping")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn_of(clients, function))
    sns.publish(TopicArn=topic, Message="first")
    eventually(lambda: function.metric("RecursiveInvocationsDropped") == 1)
    eventually(lambda: function.metric("Invocations") == LIMIT)  # the last one may not have ended yet
    sns.delete_topic(TopicArn=topic)


def test_a_function_that_calls_itself(make_function):
    function = make_function(SELF, Timeout=30, MemorySize=512)
    function.invoke()
    eventually(lambda: function.metric("RecursiveInvocationsDropped") >= 1)
    eventually(lambda: function.metric("Invocations") == LIMIT)  # the last one may not have ended yet


def test_the_chain_in_a_trace_header():
    header = b"Root=1-6ae86ec0-1262368bb06a6b8f25274764;Sampled=0;Lineage=0a1b2c3d:3%7Cffffffff:16"
    assert from_header([(b"X-Amzn-Trace-Id", header)]) == {"0a1b2c3d": 3, "ffffffff": 16}
    assert from_header([(b"X-Amzn-Trace-Id", b"Root=1-6ae86ec0-1262368bb06a6b8f25274764")]) == from_header([]) == {}
    assert from_header([(b"x-amzn-trace-id", b"Lineage=nonsense:x|;")]) == {}


def test_the_chain_of_a_batch_is_the_longest_of_each_function():
    messages = [{"chain": {"a": 2, "b": 1}}, {"chain": {"a": 1, "c": 4}}, {}]
    assert of_batch(messages) == {"a": 2, "b": 1, "c": 4}
