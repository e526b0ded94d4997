"""Streams of DynamoDB and functions: order, retries, what becomes of records that are not done, and their events.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html; shapes as recorded on AWS
(mapping_dynamodbstreams, 2025-11-25).
"""

import itertools
import json
import re

import pytest
from localaws_client import eventually

SHOW = (
    "import json\n"
    "def handler(event, context):\n"
    "    ids = [record['dynamodb']['Keys']['id']['S'] for record in event['Records']]\n"
    "    print('batch', json.dumps(ids))\n"
    "    print('event', json.dumps(event))\n"
)
FAIL = SHOW + "    if 'bad' in ids:\n        raise ValueError('bad')\n"
_numbers = itertools.count(1)


class Table:
    def __init__(self, client, view):
        self.client, self.name = client, f"streamed-{next(_numbers)}"
        self.stream = client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )["TableDescription"]["LatestStreamArn"]

    def put(self, *ids, **attributes):
        for each in ids:
            self.client.put_item(TableName=self.name, Item={"id": {"S": each}, **attributes})


@pytest.fixture
def table(clients):
    made = []

    def make(view="NEW_AND_OLD_IMAGES"):
        made.append(Table(clients("dynamodb"), view))
        return made[-1]

    yield make
    for each in made:
        clients("dynamodb").delete_table(TableName=each.name)


@pytest.fixture
def mapping(clients):
    client, made = clients("lambda"), []

    def make(table, function, **parameters):
        settings = {"StartingPosition": "TRIM_HORIZON", **parameters}
        uuid = client.create_event_source_mapping(EventSourceArn=table.stream, FunctionName=function.name, **settings)[
            "UUID"
        ]
        made.append(uuid)
        return uuid

    yield make
    for uuid in made:
        eventually(lambda uuid=uuid: client.get_event_source_mapping(UUID=uuid)["State"] in ("Enabled", "Disabled"))
        client.delete_event_source_mapping(UUID=uuid)


@pytest.fixture
def failures(clients):
    """The ARN of a queue, and what came to it."""
    sqs = clients("sqs")
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = {"Policy": json.dumps({"Statement": [everybody]})}
    url = sqs.create_queue(QueueName=f"failures-{next(_numbers)}", Attributes=policy)["QueueUrl"]

    def received():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    yield arn, received
    sqs.delete_queue(QueueUrl=url)


def batches(function):
    return [json.loads(line[6:]) for line in function.messages() if line.startswith("batch ")]


def events(function):
    return [json.loads(line[6:]) for line in function.messages() if line.startswith("event ")]


def test_the_event(make_function, table, mapping, clients):
    function, source = make_function(SHOW), table()
    source.put("one")
    source.put("one", note={"S": "new"}, count={"N": "-12.5"}, flag={"BOOL": True})
    clients("dynamodb").delete_item(TableName=source.name, Key={"id": {"S": "one"}})
    mapping(source, function)
    (event,) = eventually(lambda: events(function))
    insert, modify, remove = event["Records"]
    assert re.fullmatch("[0-9a-f]{32}", insert.pop("eventID"))
    change = insert["dynamodb"]
    assert isinstance(change.pop("ApproximateCreationDateTime"), int)
    assert change.pop("SequenceNumber").isdigit()
    assert insert == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": source.stream,
        "dynamodb": {
            "Keys": {"id": {"S": "one"}},
            "NewImage": {"id": {"S": "one"}},
            "SizeBytes": 10,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }
    # keys 5, the old image 5, the new one 5 + note 4 + new 3 + count 5 + -12.5 4 + flag 4 + true 1
    assert (modify["eventName"], modify["dynamodb"]["SizeBytes"]) == ("MODIFY", 36)
    assert "NewImage" not in remove["dynamodb"]
    assert remove["dynamodb"]["OldImage"]["note"] == {"S": "new"}
    assert "userIdentity" not in remove


def test_latest_begins_with_what_comes_after_the_mapping(make_function, table, mapping):
    function, source = make_function(SHOW), table()
    source.put("before")
    mapping(source, function, StartingPosition="LATEST")
    source.put("after")
    eventually(lambda: batches(function) == [["after"]])


def test_batches_have_their_size_and_come_one_after_the_other(make_function, table, mapping):
    function, source = make_function(SHOW), table()
    source.put(*"abcdefg")
    mapping(source, function, BatchSize=3)
    eventually(lambda: sum(batches(function), []) == list("abcdefg"))
    assert [len(batch) for batch in batches(function)] == [3, 3, 1]
    assert function.metric("ConcurrentExecutions", "Maximum") == 1


def test_a_window_gathers_records(make_function, table, mapping):
    function, source = make_function(SHOW), table()
    mapping(source, function, MaximumBatchingWindowInSeconds=2)
    source.put("a")
    source.put("b")
    eventually(lambda: batches(function) == [["a", "b"]])


def test_a_full_batch_does_not_wait_for_its_window(make_function, table, mapping):
    function, source = make_function(SHOW), table()
    source.put("a", "b", "c")
    mapping(source, function, BatchSize=2, MaximumBatchingWindowInSeconds=300)
    eventually(lambda: batches(function) == [["a", "b"]])


def test_a_batch_is_tried_until_it_is_done_and_those_behind_it_wait(make_function, table, mapping):
    code = SHOW + (
        "    import pathlib\n"
        "    seen = pathlib.Path('/tmp/seen')\n"
        "    tries = len(seen.read_text()) if seen.exists() else 0\n"
        "    seen.write_text('x' * (tries + 1))\n"
        "    if tries < 2:\n        raise ValueError\n"
    )
    function, source = make_function(code), table()
    source.put("first", "second")
    mapping(source, function, BatchSize=1)
    eventually(lambda: batches(function) == [["first"]] * 3 + [["second"]])


def test_what_was_tried_often_enough_is_told_and_left(make_function, table, mapping, failures, clients):
    function, source, (arn, received) = make_function(FAIL), table(), failures
    source.put("bad", "good")
    to = {"OnFailure": {"Destination": arn}}
    uuid = mapping(source, function, BatchSize=1, MaximumRetryAttempts=1, DestinationConfig=to)
    (told,) = eventually(received)
    eventually(lambda: batches(function) == [["bad"], ["bad"], ["good"]])
    bad = events(function)[0]["Records"][0]["dynamodb"]["SequenceNumber"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("timestamp"))
    batch, context = told["DDBStreamBatchInfo"], told["requestContext"]
    for times in ("approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", batch.pop(times))
    assert context.pop("requestId") == function.reports()[1]["request_id"]
    assert batch.pop("shardId").startswith("shardId-")
    assert told == {
        "requestContext": {
            "functionArn": clients("lambda").get_event_source_mapping(UUID=uuid)["FunctionArn"],
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "startSequenceNumber": bad,
            "endSequenceNumber": bad,
            "batchSize": 1,
            "streamArn": source.stream,
        },
    }


def test_bisecting_finds_the_record_that_fails(make_function, table, mapping, failures):
    function, source, (arn, received) = make_function(FAIL), table(), failures
    source.put("a", "b", "bad", "c")
    to = {"OnFailure": {"Destination": arn}}
    mapping(source, function, MaximumRetryAttempts=0, BisectBatchOnFunctionError=True, DestinationConfig=to)
    (told,) = eventually(received)
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1
    eventually(lambda: len(batches(function)) == 5)
    assert batches(function) == [["a", "b", "bad", "c"], ["a", "b"], ["bad", "c"], ["bad"], ["c"]]


@pytest.mark.parametrize(
    ("answer", "second"),
    [
        ("{'batchItemFailures': [{'itemIdentifier': numbers[2]}, {'itemIdentifier': numbers[1]}]}", ["b", "c"]),
        ("{'batchItemFailures': [{'itemIdentifier': ''}]}", ["a", "b", "c"]),
        ("{'batchItemFailures': [{'itemIdentifier': None}]}", ["a", "b", "c"]),
        ("{'batchItemFailures': [{'foo': numbers[1]}]}", ["a", "b", "c"]),
        ("{'batchItemFailures': [{'itemIdentifier': 'nobody'}]}", ["a", "b", "c"]),
        ("{'batchItemFailures': []}", None),
        ("{'batchItemFailures': None}", None),
        ("[]", None),
        ("None", None),
    ],
)
def test_what_a_partial_batch_response_means(make_function, table, mapping, failures, answer, second):
    numbers = "    numbers = [record['dynamodb']['SequenceNumber'] for record in event['Records']] + ['', '']\n"
    function = make_function(SHOW + numbers + f"    return {answer} if len(ids) == 3 else None\n")
    source, (arn, received) = table(), failures
    source.put("a", "b", "c")
    mapping(
        source,
        function,
        BatchSize=3,
        MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    source.put("d")
    expected = [["a", "b", "c"], *([second] if second else []), ["d"]]
    eventually(lambda: batches(function) == expected)
    told = received()
    assert len(told) == (second == ["a", "b", "c"])
    assert all(each["responseContext"]["functionError"] is None for each in told)


def test_records_that_are_too_old_are_left(make_function, table, mapping, failures):
    """The tag makes a minute of AWS's half a second here, as for asynchronous events."""
    function = make_function(FAIL, Tags={"localaws:retry-seconds": "0.5"})
    source, (arn, received) = table(), failures
    source.put("bad")
    mapping(source, function, MaximumRecordAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": arn}})
    (told,) = eventually(received)
    assert told["requestContext"]["condition"] == "RecordAgeExpired"
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_topic_as_destination(make_function, table, mapping, failures, clients):
    function, source, (arn, received) = make_function(FAIL), table(), failures
    topic = clients("sns").create_topic(Name=f"failures-{next(_numbers)}")["TopicArn"]
    clients("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    source.put("bad")
    mapping(source, function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": topic}})
    (told,) = eventually(received)
    assert json.loads(told["Message"])["requestContext"]["condition"] == "RetryAttemptsExhausted"
    clients("sns").delete_topic(TopicArn=topic)


def test_parallelization_keeps_the_order_of_each_item(make_function, table, mapping):
    code = SHOW + "    import time\n    time.sleep(0.5)\n"
    function, source = make_function(code), table()
    for number in range(3):
        source.put(*"abcdefgh", number={"N": str(number)})
    mapping(source, function, BatchSize=2, ParallelizationFactor=4)
    eventually(lambda: sum(map(len, batches(function))) == 24)
    assert function.metric("ConcurrentExecutions", "Maximum") > 1
    came: dict[str, list[str]] = {}
    for event in events(function):
        for record in event["Records"]:
            change = record["dynamodb"]
            came.setdefault(change["Keys"]["id"]["S"], []).append(change["NewImage"]["number"]["N"])
    assert came == {each: ["0", "1", "2"] for each in "abcdefgh"}


def test_filters_choose_records(make_function, table, mapping):
    function, source = make_function(SHOW), table()
    source.put("a", kind={"S": "us-1"})
    source.put("b", kind={"S": "eu-1"})
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": [{"prefix": "us"}]}}}}
    mapping(source, function, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    source.put("c", kind={"S": "us-2"})
    eventually(lambda: sum(batches(function), []) == ["a", "c"])


def test_a_disabled_mapping_goes_on_where_it_was(make_function, table, mapping, clients):
    function, source, client = make_function(SHOW), table(), clients("lambda")
    uuid = mapping(source, function, BatchSize=1)
    source.put("a")
    eventually(lambda: batches(function) == [["a"]])
    eventually(lambda: client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"] == "OK")
    client.update_event_source_mapping(UUID=uuid, Enabled=False)
    eventually(lambda: client.get_event_source_mapping(UUID=uuid)["State"] == "Disabled")
    source.put("b")
    client.update_event_source_mapping(UUID=uuid, Enabled=True)
    eventually(lambda: batches(function) == [["a"], ["b"]])
