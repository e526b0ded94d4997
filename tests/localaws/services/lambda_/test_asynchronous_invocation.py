"""Asynchronous invocation: what is tried again, for how long, and what destinations and dead-letter queues get.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (November 2026)
"""

import collections
import contextvars
import json
import threading
import time

import psutil
import pytest
from localaws_client import eventually
from ministack.core import responses

from helpers.localaws.services.lambda_ import asynchronous_invocation as asynchronous

QUICK = {asynchronous.RETRY_TAG: "0.1"}
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
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
                "Messages", []
            )
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
        FunctionName=function.name,
        **settings,
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
    eventually(lambda: function.metric("Invocations") >= events)
    assert function.metric("Invocations") == events  # each once, though most were throttled
    assert function.metric("Throttles") > 2  # more often than a function error would be tried again
    assert function.metric("Errors") == 0
    assert function.metric("AsyncEventsReceived") == events
    assert function.metric("AsyncEventsDropped") == 0
    assert function.metric("ConcurrentExecutions", "Maximum") == 1


def test_a_throttled_event_runs_when_the_limit_is_lifted(make_function, clients):
    function = make_function(SLEEP, Tags={asynchronous.RETRY_TAG: "0.3"}, Timeout=30)
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


@pytest.mark.parametrize(("max_age_s", "tries"), [(60, 1), (120, 2), (3600, 3)])
def test_an_event_ends_at_its_age_after_as_many_tries_as_on_aws(make_function, clients, queue, max_age_s, tries):
    """60 s, one try: localstack's test_maxeventage, recorded in November 2025. A pause counts as on AWS."""
    arn, take = queue(f"aged-{max_age_s}")
    function = make_function(FAIL, Tags={asynchronous.RETRY_TAG: "0.6"})
    function.invoke()  # the first try is quick, then
    configure(clients, function, on_failure=arn, MaximumEventAgeInSeconds=max_age_s)
    function.invoke(InvocationType="Event")
    (message,) = eventually(take)
    context = json.loads(message["Body"])["requestContext"]
    assert context["approximateInvokeCount"] == tries
    assert context["condition"] == ("RetriesExhausted" if tries == 3 else "EventAgeExceeded")


def test_the_second_pause_is_twice_the_first(make_function):
    """On AWS one minute and two; one second and two here, unless the tag says otherwise."""
    function = make_function(FAIL, Tags={asynchronous.RETRY_TAG: "0.5"})
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
            "requestId": result.request_id,
            "functionArn": f"{arn_of(clients, function)}:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
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
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
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
        for service, arn in (("sns", topic_queue), ("events", bus_queue)):
            url = clients("sqs").get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
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


@pytest.mark.parametrize("kind", ["queue", "function", "topic"])
def test_a_record_that_is_too_large_for_its_destination_is_counted_and_lost(make_function, clients, queue, kind):
    """A failure that holds the event and an error of 5 MB."""
    if kind == "queue":
        arn, _ = queue("small")
    elif kind == "topic":
        arn = clients("sns").create_topic(Name="small")["TopicArn"]
    else:
        target = make_function(RETURN)
        arn = arn_of(clients, target)
    function = make_function(
        "def handler(event, context):\n    raise RuntimeError('x' * 5 * 2**20)\n", MemorySize=512, Timeout=30
    )
    configure(clients, function, on_failure=arn, MaximumRetryAttempts=0)
    function.invoke({"number": 7}, InvocationType="Event")
    eventually(lambda: function.metric("DestinationDeliveryFailures") == 1)
    if kind == "topic":
        clients("sns").delete_topic(TopicArn=arn)
    if kind == "function":
        assert target.logged() == []


def test_events_of_a_function_that_is_deleted_are_gone(make_function, clients):
    function = make_function(FAIL, Tags={asynchronous.RETRY_TAG: "0.7"})
    function.invoke(InvocationType="Event")
    eventually(lambda: function.metric("Invocations") == 1)
    clients("lambda").delete_function(FunctionName=function.name)
    time.sleep(1.5)
    assert function.metric("Invocations") == 1


def test_a_reserved_concurrency_of_one_runs_each_of_many_events_and_needs_no_thread_for_those_that_wait(
    make_function, clients, embedded_aws
):
    function = make_function(SLEEP, Tags=QUICK, Timeout=30)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    function.invoke(0)  # the first call's threads stay
    server = psutil.Process(embedded_aws.pid)
    before, events = server.num_threads(), 150
    for number in range(events):
        function.invoke(0 if number else 3, InvocationType="Event")
    eventually(lambda: function.metric("Throttles") >= events - 1)
    assert server.num_threads() < before + 20
    eventually(lambda: function.metric("Invocations") == events + 1)
    assert function.metric("AsyncEventsDropped") == function.metric("Errors") == 0


# The queue in front of functions that are made up


ARN = "arn:aws:lambda:eu-west-1:111111111111:function:f"
OTHER_ARN = ARN.removesuffix("f") + "other"
leak = contextvars.ContextVar("leak", default="")


class MadeUp:
    """Stands for MiniStack and the data plane: what runs for each ARN, and how many may run at once."""

    def __init__(self, monkeypatch):
        self.functions, self.units, self.tags, self.configured = {ARN: lambda event: None}, 1000, dict(QUICK), {}
        self.running, self.ended, self.metrics = 0, [], collections.Counter()
        self._lock = threading.Lock()
        for name in ("_acquire_execution_slot", "_release_execution_slot", "_execute_function_dispatch"):
            monkeypatch.setattr(asynchronous.lambda_svc, name, getattr(self, name))
        monkeypatch.setattr(asynchronous, "_target", self.target)
        monkeypatch.setattr(asynchronous.metrics, "record", self.record)
        monkeypatch.setattr(asynchronous.AsynchronousInvocations, "_end", lambda *arguments: self.end(*arguments[1:]))
        self._invocations = asynchronous.AsynchronousInvocations(roles=None)

    def send(self, contents, arn=ARN):
        for content in contents:
            self._invocations.accept({"config": {"FunctionArn": arn}}, content)

    def contents(self, condition):
        return sorted(event.content for event, ended in self.ended if ended == condition)

    def target(self, arn):
        config = {"FunctionName": arn.split(":")[6], "FunctionArn": arn}
        return asynchronous.Target({"config": config}, {"tags": self.tags}, self.configured)

    def _acquire_execution_slot(self, func, config):
        with self._lock:
            if self.running >= self.units:
                return None, "account"
            self.running += 1
            return "unit", None

    def _release_execution_slot(self, key):
        assert key == "unit"
        with self._lock:
            self.running -= 1

    def _execute_function_dispatch(self, func, config, event, request_id, started):
        return self.functions[config["FunctionArn"]](event) or {"body": None}

    def record(self, name, metric, value, unit="Count"):
        with self._lock:
            self.metrics[metric] += 1

    def end(self, event, target, condition):
        with self._lock:
            self.ended.append((event, condition))


@pytest.fixture
def made_up(monkeypatch):
    return MadeUp(monkeypatch)


def test_ten_thousand_events_that_wait_cost_memory_for_themselves_alone(made_up):
    made_up.units, number, text = 0, 10_000, "x" * 1000
    made_up.tags[asynchronous.RETRY_TAG] = "1000"
    made_up.send(["the first has made what is made once"])
    threads, memory = threading.active_count(), psutil.Process().memory_info().rss
    made_up.send(f"{each}{text}" for each in range(number))
    eventually(lambda: made_up.metrics["AsyncEventAge"] == number + 1)  # each was tried
    assert threading.active_count() <= threads
    assert psutil.Process().memory_info().rss - memory < 3 * number * len(text)


def test_each_of_thousands_runs_once_though_few_may_run_at_a_time(made_up):
    gate, ran, number = threading.Event(), [], 2000
    made_up.tags[asynchronous.RETRY_TAG] = "0.3"
    made_up.functions[ARN] = lambda event: gate.wait() and ran.append(event)
    made_up.units, threads = 5, threading.active_count()
    made_up.send(range(number))
    eventually(lambda: made_up.metrics["AsyncEventAge"] > number)  # some were tried again
    assert threading.active_count() <= threads + 5
    gate.set()
    eventually(lambda: len(made_up.ended) == number)
    assert made_up.contents("Success") == sorted(ran) == list(range(number))
    assert made_up.metrics["AsyncEventsReceived"] == number and made_up.running == 0


def test_each_of_thousands_is_dropped_once_where_there_is_never_room(made_up):
    made_up.units, made_up.configured = 0, {"MaximumEventAgeInSeconds": 18}
    made_up.send(range(2000))
    eventually(lambda: len(made_up.ended) == 2000)
    assert made_up.contents("EventAgeExceeded") == list(range(2000))


def test_some_fail_and_some_do_not(made_up):
    tried = collections.Counter()

    def third_time_lucky(event):
        tried[event] += 1
        return {"error": True, "body": {}} if event % 2 or tried[event] < 3 else None

    made_up.tags[asynchronous.RETRY_TAG] = "0.001"
    made_up.functions[ARN] = third_time_lucky
    made_up.send(range(300))
    eventually(lambda: len(made_up.ended) == 300)
    assert made_up.contents("Success") == list(range(0, 300, 2))
    assert made_up.contents("RetriesExhausted") == list(range(1, 300, 2))
    assert set(tried.values()) == {3}


def test_as_many_run_at_once_as_may(made_up):
    together = threading.Barrier(200)
    made_up.functions[ARN] = lambda event: together.wait(60) and None
    made_up.send(range(200))
    eventually(lambda: len(made_up.ended) == 200)
    assert made_up.contents("Success") == list(range(200))


def test_a_slow_function_holds_up_no_other(made_up):
    gate = threading.Event()
    made_up.functions |= {ARN: lambda event: gate.wait() and None, OTHER_ARN: lambda event: None}
    made_up.send(range(50))
    made_up.send([50], OTHER_ARN)
    eventually(lambda: made_up.contents("Success") == [50])
    gate.set()
    eventually(lambda: made_up.contents("Success") == list(range(51)))


def test_every_attempt_has_the_context_of_its_event_and_nothing_else_of_its_sender(made_up):
    seen = []

    def fail(event):
        chain = asynchronous.recursive_loops.chain.get()
        scope = responses.get_account_id(), responses.get_region()
        seen.append((asynchronous.request.get().request_id, chain, *scope, leak.get()))
        return {"error": True, "body": {}}

    def sender():
        leak.set("of the sender")
        asynchronous.request.set(asynchronous.Request("id", payload=b'"as sent"'))
        asynchronous.recursive_loops.chain.set({"12345678": 3})
        made_up.send(["not as sent"])

    made_up.functions[ARN] = fail
    contextvars.copy_context().run(sender)
    eventually(lambda: made_up.contents("RetriesExhausted") == ["as sent"])
    assert seen == [("id", {"12345678": 3}, "111111111111", "eu-west-1", "")] * 3


def test_an_event_that_breaks_the_data_plane_comes_back_and_leaves_its_unit(made_up, caplog):
    tried = []

    def breaks(event):
        tried.append(event)
        if len(tried) == 1:
            raise OSError("no memory")

    made_up.tags[asynchronous.RETRY_TAG] = "0.001"
    made_up.functions |= {ARN: breaks, OTHER_ARN: lambda event: None}
    made_up.units = 1
    made_up.send(["it comes back"])
    eventually(lambda: "an event of f comes back" in caplog.text)
    made_up.send(["another"], OTHER_ARN)
    eventually(lambda: made_up.contents("Success") == ["another", "it comes back"])
    assert tried == ["it comes back"] * 2 and made_up.running == 0


def test_an_event_for_which_there_is_no_thread_comes_back(made_up, monkeypatch):
    class NoThread(threading.Thread):
        left = 3

        def start(self):
            if self.name.startswith("asynchronous invocation") and NoThread.left:
                NoThread.left -= 1
                raise RuntimeError("can't start new thread")
            super().start()

    made_up.tags[asynchronous.RETRY_TAG] = "0.001"
    made_up.functions[ARN] = lambda event: None
    monkeypatch.setattr(asynchronous.threading, "Thread", NoThread)
    made_up.send(["late"])
    eventually(lambda: made_up.contents("Success") == ["late"])
    assert made_up.running == 0 and NoThread.left == 0


@pytest.mark.parametrize(("tag", "minute"), [("0.2", 0.2), ("never", 1.0), ("-3", 0.0), (None, 1.0)])
def test_the_tag(tag, minute):
    func = {"tags": {asynchronous.RETRY_TAG: tag} if tag else {}}
    assert asynchronous.minute(func) == minute


def test_an_error_message_is_cut_at_one_kilobyte():
    event = asynchronous.Event(ARN, asynchronous.Request("id"), {}, result={"body": {"errorMessage": "日" * 1000}})
    message = asynchronous._attributes(event, "RetriesExhausted")["ErrorMessage"]
    assert 1022 <= len(message["StringValue"].encode()) <= 1024
