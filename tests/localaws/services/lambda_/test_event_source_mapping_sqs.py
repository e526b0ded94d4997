"""Queues and functions: batches, their window, partial answers, dead letters and their way back.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import itertools
import json
import threading

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually

COUNT = "def handler(event, context):\n    print('batch of', len(event['Records']))\n"
_numbers = itertools.count(1)


class Queue:
    def __init__(self, sqs, **attributes):
        self.sqs, self.name = sqs, f"queue-{next(_numbers)}"
        self.url = sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]

    def __getitem__(self, attribute):
        return self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[attribute])["Attributes"][attribute]

    def send(self, *bodies):
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def receive(self):
        return self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"]).get(
            "Messages", []
        )

    def counts(self):
        """How many messages are visible and how many are in flight."""
        return int(self["ApproximateNumberOfMessages"]), int(self["ApproximateNumberOfMessagesNotVisible"])


@pytest.fixture
def queue(clients):
    made = []

    def make(**attributes):
        made.append(Queue(clients("sqs"), **attributes))
        return made[-1]

    yield make
    for each in made:
        clients("sqs").delete_queue(QueueUrl=each.url)


@pytest.fixture
def mapping(clients):
    """Map a queue to a function, and give the mapping's UUID."""
    made = []

    def make(queue, function, **parameters):
        made.append(
            clients("lambda").create_event_source_mapping(
                EventSourceArn=queue["QueueArn"], FunctionName=function.name, **parameters
            )["UUID"]
        )
        return made[-1]

    yield make
    for uuid in made:
        settled(clients, uuid)
        clients("lambda").delete_event_source_mapping(UUID=uuid)


def settled(clients, uuid):
    """Wait until the mapping is neither being made nor changed, and give its state."""

    def state():
        found = clients("lambda").get_event_source_mapping(UUID=uuid)["State"]
        return found if found in ("Enabled", "Disabled") else None

    return eventually(state)


def test_provisioned_mode_is_refused_as_it_is_not_here(make_function, clients, queue, mapping):
    source = queue()
    function, pollers = make_function(COUNT), {"ProvisionedPollerConfig": {"MinimumPollers": 2}}
    refused = pytest.raises(
        clients("lambda").exceptions.InvalidParameterValueException, match="Provisioned mode is not"
    )
    with refused:
        mapping(source, function, **pollers)
    uuid = mapping(source, function)
    settled(clients, uuid)
    with refused:
        clients("lambda").update_event_source_mapping(UUID=uuid, **pollers)
    assert "ProvisionedPollerConfig" not in clients("lambda").get_event_source_mapping(UUID=uuid)


def batches(function):
    return [int(line.split()[-1]) for line in function.messages() if line.startswith("batch of")]


def test_a_window_gathers_messages_until_it_ends(make_function, queue, mapping):
    function, source = make_function(COUNT), queue()
    mapping(source, function, BatchSize=10, MaximumBatchingWindowInSeconds=3)
    source.send("1", "2")
    eventually(lambda: source.counts() == (0, 2))  # they are in flight, and have not come to the function
    source.send("3")
    assert batches(function) == []
    eventually(lambda: batches(function) == [3])
    eventually(lambda: source.counts() == (0, 0))


def test_a_full_batch_does_not_wait_for_its_window(make_function, queue, mapping):
    function, source = make_function(COUNT), queue()
    mapping(source, function, BatchSize=2, MaximumBatchingWindowInSeconds=300)
    source.send("1", "2", "3")
    eventually(lambda: batches(function) == [2])
    eventually(lambda: source.counts() == (0, 1))


def test_a_batch_may_be_larger_than_ten_where_there_is_a_window(make_function, queue, mapping):
    function, source = make_function(COUNT), queue()
    source.send(*map(str, range(25)))
    mapping(source, function, BatchSize=25, MaximumBatchingWindowInSeconds=60)
    eventually(lambda: batches(function) == [25])


def test_without_a_window_a_message_comes_at_once(make_function, queue, mapping):
    function, source = make_function(COUNT), queue()
    mapping(source, function, BatchSize=10)
    source.send("1")
    eventually(lambda: batches(function) == [1])


def test_a_window_is_no_longer_than_the_visibility_timeout_allows(make_function, queue, mapping):
    """The messages that wait are in flight; when their time is over, they are received again, and so on."""
    function, source = make_function(COUNT, Timeout=1), queue(VisibilityTimeout="1")
    mapping(source, function, BatchSize=10, MaximumBatchingWindowInSeconds=4)
    source.send("1")
    eventually(lambda: batches(function))
    assert batches(function) == [1]


def test_a_disabled_mapping_takes_nothing_and_goes_on_when_it_is_enabled(make_function, clients, queue, mapping):
    function, source = make_function(COUNT), queue()
    uuid = mapping(source, function, BatchSize=1)
    source.send("1")
    eventually(lambda: batches(function) == [1])
    assert clients("lambda").update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    source.send("2")
    settled(clients, uuid)
    eventually(lambda: source.counts() == (1, 0))
    assert batches(function) == [1]
    assert clients("lambda").update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    eventually(lambda: batches(function) == [1, 1])


def test_at_most_maximum_concurrency_batches_at_once(make_function, queue, mapping):
    function, source = make_function("import time\ndef handler(event, context):\n    time.sleep(0.4)\n"), queue()
    mapping(source, function, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    source.send(*map(str, range(8)))
    eventually(lambda: function.metric("Invocations") == 8)
    assert function.metric("ConcurrentExecutions", "Maximum") == 2
    assert function.metric("Throttles") == 0


PARTIAL = (
    "def handler(event, context):\n"
    "    print('batch of', len(event['Records']))\n"
    "    answers = {record['body']: record['messageId'] for record in event['Records']}\n"
    "    return eval(ANSWER)\n"
)


def answering(expression):
    return PARTIAL.replace("ANSWER", repr(expression))


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("{'batchItemFailures': [{'itemIdentifier': answers['2']}]}", {"2"}),
        ("{'batchItemFailures': []}", set()),
        ("{'batchItemFailures': None}", set()),
        ("{}", set()),
        ("None", set()),
        ("{'batchItemFailures': [{'itemIdentifier': ''}]}", {"1", "2", "3"}),
        ("{'batchItemFailures': [{'itemIdentifier': None}]}", {"1", "2", "3"}),
        ("{'batchItemFailures': [{'id': answers['2']}]}", {"1", "2", "3"}),
        ("{'batchItemFailures': [{'itemIdentifier': 'nobody'}]}", {"1", "2", "3"}),
        ("{'batchItemFailures': [answers['2']]}", {"1", "2", "3"}),
        ("'not an object'", {"1", "2", "3"}),
    ],
)
def test_what_a_partial_batch_response_means(make_function, queue, mapping, answer, left):
    """services-sqs-errorhandling.html, "Success and failure conditions"."""
    dead, function = queue(), make_function(answering(answer), Timeout=1)
    policy = json.dumps({"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 1})
    source = queue(VisibilityTimeout="1", RedrivePolicy=policy)
    source.send("1", "2", "3")
    mapping(
        source,
        function,
        BatchSize=3,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumBatchingWindowInSeconds=1,
    )
    eventually(lambda: source.counts() == (0, 0) and dead.counts() == (len(left), 0))
    assert {message["Body"] for message in dead.receive()} == left
    assert function.metric("Errors") == 0


def test_no_message_is_lost_while_others_are_deleted(make_function, queue, mapping, clients):
    function, source = make_function("def handler(event, context):\n    pass\n"), queue()
    mapping(source, function, BatchSize=1)
    threads = [threading.Thread(target=source.send, args=[str(n) for n in range(40)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: function.metric("Invocations") >= 120)
    eventually(lambda: source.counts() == (0, 0))
    assert function.metric("Invocations") == 120


@pytest.fixture
def dead_letters(queue):
    """A queue, its dead-letter queue, and two messages in that."""
    dead = queue()
    policy = json.dumps({"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 1})
    source = queue(VisibilityTimeout="0", RedrivePolicy=policy)
    source.send("1", "2")
    eventually(lambda: source.receive() == [] and dead.counts() == (2, 0))
    return source, dead


def test_dead_letters_go_back_where_they_came_from(dead_letters, clients):
    source, dead = dead_letters
    assert clients("sqs").start_message_move_task(SourceArn=dead["QueueArn"])["TaskHandle"]
    assert (source.counts(), dead.counts()) == ((2, 0), (0, 0))
    (task,) = clients("sqs").list_message_move_tasks(SourceArn=dead["QueueArn"])["Results"]
    assert task["Status"] == "COMPLETED"
    assert task["ApproximateNumberOfMessagesMoved"] == task["ApproximateNumberOfMessagesToMove"] == 2
    assert sorted(message["Body"] for message in source.receive()) == ["1", "2"]


def test_a_message_that_went_back_counts_its_receives_anew(dead_letters, clients):
    source, dead = dead_letters
    clients("sqs").set_queue_attributes(QueueUrl=dead.url, Attributes={"VisibilityTimeout": "0"})
    before = {message["MessageId"] for message in dead.receive()}
    assert len(before) == 2
    clients("sqs").start_message_move_task(SourceArn=dead["QueueArn"])
    messages = source.receive()
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in messages] == ["1", "1"]
    assert before.isdisjoint(message["MessageId"] for message in messages)


def test_dead_letters_may_go_to_another_queue(dead_letters, clients, queue):
    source, dead = dead_letters
    other = queue()
    clients("sqs").start_message_move_task(SourceArn=dead["QueueArn"], DestinationArn=other["QueueArn"])
    assert (source.counts(), dead.counts(), other.counts()) == ((0, 0), (0, 0), (2, 0))


def test_what_a_move_task_refuses(clients, queue):
    sqs, plain = clients("sqs"), queue()
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=plain["QueueArn"])
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.start_message_move_task(SourceArn=plain["QueueArn"] + "-gone")
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.cancel_message_move_task(TaskHandle="none")


def test_what_a_filter_drops_is_deleted_even_where_the_function_fails(make_function, queue, mapping):
    source = queue(VisibilityTimeout="3")
    function = make_function("def handler(event, context):\n    raise ValueError\n")
    source.send('{"kind": "good"}', '{"kind": "bad"}', "plain text")
    pattern = json.dumps({"body": {"kind": [{"prefix": "go"}]}})
    mapping(source, function, FilterCriteria={"Filters": [{"Pattern": pattern}]}, BatchSize=10)
    eventually(lambda: function.metric("Errors") == 1)
    assert source.counts() == (0, 1)


def test_a_second_mapping_of_the_same_queue_and_function_is_refused(queue, mapping, make_function):
    source, first, second = queue(), make_function(COUNT), make_function(COUNT)
    identifier = mapping(source, first)
    with pytest.raises(ClientError, match=f"ResourceConflictException.* already exists.* UUID {identifier}"):
        mapping(source, first)
    assert mapping(source, second) != identifier
