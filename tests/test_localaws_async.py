"""Asynchronous invocation: what is tried again, for how long, and what destinations and dead-letter queues get.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (November 2026)
"""

import json
import time

import pytest
from localaws_client import eventually

from helpers.localaws.control_plane import async_invocation

QUICK = {async_invocation.RETRY_TAG: "0.1"}
RETURN = "def handler(event, context):\n    return {'got': event}\n"
FAIL = "def handler(event, context):\n    raise RuntimeError('always')\n"
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'slept'\n"


@pytest.fixture
def queue(clients):
    """Make a queue, and give its ARN and what takes the messages out of it."""
    sqs, made = clients("sqs"), []

    def make(name):
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        made.append(url)

        def take():
            messages = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            ).get("Messages", [])
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return messages

        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"], take

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)


def configure(clients, function, on_success=None, on_failure=None, **settings):
    destinations = {"OnSuccess": on_success, "OnFailure": on_failure}
    clients("lambda").put_function_event_invoke_config(
        FunctionName=function.name, **settings,
        DestinationConfig={name: {"Destination": arn} for name, arn in destinations.items() if arn},
    )


def arn_of(clients, function):
    return clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]


def test_a_throttled_event_is_kept_until_there_is_room(make_function, clients):
    function = make_function(SLEEP, Tags=QUICK, Timeout=30)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    events = 6
    for _ in range(events):
        function.invoke(0.4, InvocationType="Event")
    eventually(lambda: function.metric("Invocations") >= events, 30)
    assert function.metric("Invocations") == events  # each once, though most were throttled
    assert function.metric("Throttles") > 2  # more often than a function error would be tried again
    assert function.metric("Errors") == 0
    assert function.metric("AsyncEventsReceived") == events
    assert function.metric("AsyncEventsDropped") == 0
    assert function.metric("ConcurrentExecutions", "Maximum") == 1


def test_a_throttled_event_runs_when_the_limit_is_lifted(make_function, clients):
    function = make_function(SLEEP, Tags={async_invocation.RETRY_TAG: "0.3"}, Timeout=30)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    function.invoke(1.5, InvocationType="Event")
    eventually(lambda: function.metric("ConcurrentExecutions", "SampleCount"))
    function.invoke(0, InvocationType="Event")
    eventually(lambda: function.metric("Throttles"))
    assert function.metric("Invocations") == 0
    clients("lambda").delete_function_concurrency(FunctionName=function.name)
    eventually(lambda: function.metric("Invocations") == 2)


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_function_error_is_tried_again_as_often_as_is_set(make_function, clients, queue, retries):
    arn, take = queue(f"after-{retries}-retries")
    function = make_function(FAIL, Tags=QUICK)
    configure(clients, function, on_failure=arn, MaximumRetryAttempts=retries)
    function.invoke({"number": 1}, InvocationType="Event")
    (message,) = eventually(take)
    assert json.loads(message["Body"])["requestContext"]["approximateInvokeCount"] == retries + 1
    assert function.metric("Invocations") == function.metric("Errors") == retries + 1
    assert function.metric("AsyncEventsDropped") == 1


def test_the_second_pause_is_twice_the_first(make_function):
    """On AWS one minute and two; one second and two here, unless the tag says otherwise."""
    function = make_function(FAIL, Tags={async_invocation.RETRY_TAG: "0.5"})
    function.invoke(InvocationType="Event")
    eventually(lambda: function.metric("Invocations") == 3)
    starts = [event["timestamp"] for event in function.logged() if event["message"].startswith("START")]
    first, second = (after - before for before, after in zip(starts, starts[1:], strict=False))
    assert 450 <= first < second
    assert second >= 950


def test_the_record_of_a_success(make_function, clients, queue):
    arn, take = queue("successes")
    function = make_function(RETURN)
    configure(clients, function, on_success=arn)
    result = function.invoke({"number": 7}, InvocationType="Event")
    (message,) = eventually(take)
    record = json.loads(message["Body"])
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": result.request_id, "functionArn": f"{arn_of(clients, function)}:$LATEST",
            "condition": "Success", "approximateInvokeCount": 1,
        },
        "requestPayload": {"number": 7},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"got": {"number": 7}},
    }


def test_the_record_of_a_failure(make_function, clients, queue):
    arn, take = queue("failures-recorded")
    function = make_function(FAIL, Tags=QUICK)
    configure(clients, function, on_failure=arn)
    function.invoke({"number": 7}, InvocationType="Event")
    (message,) = eventually(take)
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"] == {
        "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorType"] == "RuntimeError"
    assert record["requestPayload"] == {"number": 7}


def test_destinations_of_a_version_are_its_own(make_function, clients, queue):
    arn, take = queue("of-a-version")
    function = make_function(RETURN)
    version = clients("lambda").publish_version(FunctionName=function.name)["Version"]
    clients("lambda").put_function_event_invoke_config(
        FunctionName=function.name, Qualifier=version, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    function.invoke("latest", InvocationType="Event")
    function.invoke("version", InvocationType="Event", Qualifier=version)
    (message,) = eventually(take)
    record = json.loads(message["Body"])
    assert record["requestPayload"] == "version"
    assert record["responseContext"]["executedVersion"] == version
    assert record["requestContext"]["functionArn"].endswith(f":{version}")
    eventually(lambda: function.metric("Invocations") == 2)
    assert take() == []


def test_a_function_as_the_destination_gets_the_record_as_its_event(make_function, clients):
    target = make_function("def handler(event, context):\n    print('got', event['requestContext']['condition'])\n")
    function = make_function(RETURN)
    configure(clients, function, on_success=arn_of(clients, target))
    result = function.invoke(1, InvocationType="Event")
    (report,) = eventually(target.reports)
    assert "got Success\n" in target.messages()
    assert report["request_id"] != result.request_id  # it is an event of its own


def test_a_topic_and_a_bus_as_destinations(make_function, clients, queue):
    sns, events, name = clients("sns"), clients("events"), "outcomes"
    topic_queue, from_topic = queue("from-topic")
    bus_queue, from_bus = queue("from-bus")
    topic = sns.create_topic(Name=name)["TopicArn"]
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    try:
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=topic_queue)
        for url in (clients("sqs").get_queue_url(QueueName="from-topic")["QueueUrl"],):
            statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                         "Action": "sqs:SendMessage", "Resource": topic_queue}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            clients("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["lambda"]}))
        events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "1", "Arn": bus_queue}])
        good, bad = make_function(RETURN), make_function(FAIL, Tags=QUICK)
        configure(clients, good, on_success=topic)
        configure(clients, bad, on_failure=bus, MaximumRetryAttempts=0)
        for function in (good, bad):
            function.invoke({"number": 1}, InvocationType="Event")
        (told,) = eventually(from_topic)
        record = json.loads(json.loads(told["Body"])["Message"])
        assert (record["requestContext"]["condition"], record["responsePayload"]) == ("Success", {"got": {"number": 1}})
        (message,) = eventually(from_bus)
        event = json.loads(message["Body"])
        assert event["source"] == "lambda"
        assert event["detail-type"] == "Lambda Function Invocation Result - Failure"
        assert event["resources"] == [f"{arn_of(clients, bad)}:$LATEST", bus]
        assert event["detail"]["requestContext"]["condition"] == "RetriesExhausted"
    finally:
        sns.delete_topic(TopicArn=topic)
        events.remove_targets(Rule=name, EventBusName=name, Ids=["1"])
        events.delete_rule(Name=name, EventBusName=name)
        events.delete_event_bus(Name=name)


def test_a_dead_letter_is_the_event_alone_and_its_attributes_say_why(make_function, clients, queue):
    arn, take = queue("dead-letters")
    function = make_function(FAIL, Tags=QUICK, DeadLetterConfig={"TargetArn": arn})
    result = function.invoke({"number": 7}, InvocationType="Event")
    (message,) = eventually(take)
    assert json.loads(message["Body"]) == {"number": 7}
    assert message["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": result.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "always"},
    }


def test_a_function_that_must_not_run_passes_its_events_on_at_once(make_function, clients, queue):
    failures, from_failures = queue("not-run")
    letters, from_letters = queue("not-run-letters")
    function = make_function(RETURN, DeadLetterConfig={"TargetArn": letters})
    configure(clients, function, on_failure=failures)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    function.invoke({"number": 7}, InvocationType="Event")
    (message,) = eventually(from_failures)
    record = json.loads(message["Body"])
    assert record["requestPayload"] == {"number": 7}
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responsePayload" not in record
    (letter,) = eventually(from_letters)
    assert json.loads(letter["Body"]) == {"number": 7}
    assert function.metric("Invocations") == 0


def test_a_destination_that_is_gone_is_counted(make_function, clients, queue):
    arn, _ = queue("soon-gone")
    function = make_function(RETURN)
    configure(clients, function, on_success=arn)
    clients("sqs").delete_queue(QueueUrl=clients("sqs").get_queue_url(QueueName="soon-gone")["QueueUrl"])
    function.invoke(InvocationType="Event")
    eventually(lambda: function.metric("DestinationDeliveryFailures") == 1)
    clients("sqs").create_queue(QueueName="soon-gone")  # for the fixture


def test_events_of_a_function_that_is_deleted_are_gone(make_function, clients):
    function = make_function(FAIL, Tags={async_invocation.RETRY_TAG: "0.7"})
    function.invoke(InvocationType="Event")
    eventually(lambda: function.metric("Invocations") == 1)
    clients("lambda").delete_function(FunctionName=function.name)
    time.sleep(1.5)
    assert function.metric("Invocations") == 1


# What lasts too long on a true clock: the age limit of a throttled event, 60 s at the least.




@pytest.fixture
def offline(monkeypatch):
    """The module on its own: what the function answers, a clock, and what was waited and sent."""

    class World:
        def __init__(self):
            self.now, self.answers, self.waited, self.outcomes = 0.0, [], [], []

        def answer(self, func, event):
            return self.answers.pop(0) if self.answers else THROTTLED

        def sleep(self, seconds):
            self.waited.append(seconds)
            self.now += seconds

    world = World()
    func = {"config": {"FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f"}}
    monkeypatch.setattr(async_invocation.time, "time", lambda: world.now)
    monkeypatch.setattr(async_invocation, "_present", lambda arn, config: func)
    monkeypatch.setattr(async_invocation.metrics, "record", lambda *args, **kwargs: None)
    monkeypatch.setattr(async_invocation.lambda_svc, "_execute_function", world.answer)
    monkeypatch.setattr(
        async_invocation, "_send_outcome",
        lambda func, settings, event, result, condition, attempts: world.outcomes.append((condition, attempts)),
    )
    world.run = lambda: async_invocation._try_until_done(func["config"], {}, sleep=world.sleep)
    world.settings = lambda **settings: monkeypatch.setattr(async_invocation, "_settings", lambda *_: settings)
    world.settings()
    return world


THROTTLED, FAILED, DONE = {"error": True, "throttle": True}, {"error": True, "body": {}}, {"body": None}


def test_the_pauses_of_a_throttled_event_double_up_to_five_minutes(offline):
    offline.answers[:] = [THROTTLED] * 6 + [DONE]
    offline.run()
    assert offline.waited == [1, 2, 4, 5, 5, 5]  # a second stands for a minute, but for the first
    assert offline.outcomes == [("Success", 7)]


@pytest.mark.parametrize(("settings", "age"), [({"MaximumEventAgeInSeconds": 60}, 60), ({}, 21_600)])
def test_a_throttled_event_is_given_up_at_its_age(offline, settings, age):
    offline.settings(**settings)
    offline.run()
    ((condition, attempts),) = offline.outcomes
    assert condition == "EventAgeExceeded"
    assert age - 5 <= offline.now <= age
    assert attempts == len(offline.waited) + 1


def test_throttles_do_not_count_as_retries(offline):
    offline.answers[:] = [THROTTLED, FAILED, THROTTLED, FAILED, THROTTLED, THROTTLED, FAILED]
    offline.run()
    assert offline.outcomes == [("RetriesExhausted", 7)]
    assert offline.waited == [1, 1, 2, 2, 4, 5]


@pytest.mark.parametrize(("tag", "minute"), [("0.2", 0.2), ("never", 1.0), ("-3", 0.0), (None, 1.0)])
def test_the_tag(tag, minute):
    func = {"tags": {async_invocation.RETRY_TAG: tag} if tag else {}}
    assert async_invocation._minute(func) == minute


def test_an_error_message_is_cut_at_one_kilobyte():
    async_invocation.request.set(async_invocation.Request("id"))
    message = async_invocation._attributes({"body": {"errorMessage": "日" * 1000}}, "RetriesExhausted")["ErrorMessage"]
    assert 1022 <= len(message["StringValue"].encode()) <= 1024
