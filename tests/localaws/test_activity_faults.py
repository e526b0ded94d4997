"""The faults that only the embedded AWS can bring about: each is real, has an end, and what is no fault is refused."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import ANY

import pytest
import requests
from activity_reader import ActivityReader
from localaws_client import clients_for, eventually, start_server

from helpers import localaws

SLEEP = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return context.log_stream_name\n"


@pytest.fixture
def reader(embedded_aws):
    with ActivityReader(embedded_aws) as reader:
        yield reader


@pytest.fixture
def fault(embedded_aws):
    def ask(name, token=None, **members):
        token = localaws.page_token(embedded_aws.secret_access_key) if token is None else token
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{embedded_aws.url}/_localaws/faults/{name}"
        answer = requests.post(url, data=json.dumps(members), headers=headers, timeout=30)
        return answer.status_code, answer.json()

    return ask


_numbers = itertools.count(1)


@pytest.fixture
def make_queue(clients):
    made, sqs = [], clients("sqs")

    def make(ending="", **attributes):
        url = sqs.create_queue(QueueName=f"faulty-{next(_numbers)}{ending}", Attributes=attributes)["QueueUrl"]
        made.append(url)
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, told["Attributes"]["QueueArn"]

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)


def test_the_call_after_an_environment_was_ended_has_another_one_at_once(make_function, fault, reader):
    function = make_function(f"kept = bytearray(300 * 2**20)\n{SLEEP}", MemorySize=512)
    for number in range(1, 4):
        first = function.invoke(0)
        idle = reader.wait("environment.idle", 2 * number - 1, function=function.name)[-1]
        assert fault("end-environment", environment=idle["environment"]) == (200, {"done": True, "sentence": ANY})
        second = function.invoke(0)
        assert (first.error, second.error) == (None, None)
        reader.wait("environment.idle", 2 * number, function=function.name)
        fault("end-environment", environment=f"/aws/lambda/{function.name}:{second.payload}")
    assert not reader.of("invocation.failed", function=function.name)


def test_an_environment_is_ended_in_mid_call_as_by_a_crash(make_function, fault, reader):
    function = make_function(SLEEP, Timeout=60)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke, 50)
        (busy,) = reader.wait("environment.busy", function=function.name)
        status, answer = fault("end-environment", environment=busy["environment"])
        result = running.result()
    assert (status, answer["done"]) == (200, True)
    assert answer["sentence"] == f"The process of the execution environment {busy['environment']} was killed."
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    (ended,) = reader.wait("environment.ended", function=function.name)
    assert ended["reason"] == "killed"
    assert function.invoke(0).error is None


def test_an_environment_is_ended_while_it_is_idle_and_while_it_begins(make_function, fault, reader):
    function = make_function(SLEEP, Timeout=60)
    first = function.invoke(0).payload
    fault("end-environment", environment=f"/aws/lambda/{function.name}:{first}")
    assert reader.wait("environment.ended", function=function.name)[0]["reason"] == "killed"
    assert fault("end-environment", environment=f"/aws/lambda/{function.name}:{first}")[0] == 400
    fault("slow-init", function=function.name, seconds=60)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(function.invoke, 0)
        init = reader.wait("environment.init", 2, function=function.name)[1]
        eventually(lambda: fault("end-environment", environment=init["environment"])[0] == 200)
        second = running.result().payload
    assert init["environment"] == f"/aws/lambda/{function.name}:{second}" and second != first
    assert reader.wait("environment.ended", 2, function=function.name)[1]["reason"] == "killed"


def test_a_provisioned_environment_that_is_ended_is_replaced(make_function, clients, fault, reader):
    function = make_function(SLEEP)
    version = clients("lambda").publish_version(FunctionName=function.name)["Version"]
    ids = {"FunctionName": function.name, "Qualifier": version}
    clients("lambda").put_provisioned_concurrency_config(**ids, ProvisionedConcurrentExecutions=1)
    (ready,) = reader.wait("environment.ready", function=function.name)
    fault("end-environment", environment=ready["environment"])
    assert function.invoke(0, Qualifier=version).error is None
    kind = {"function": function.name, "initialization_type": "provisioned-concurrency"}
    _, other = reader.wait("environment.created", 2, **kind)
    assert other["environment"] != ready["environment"]
    clients("lambda").delete_provisioned_concurrency_config(**ids)


def test_the_next_init_takes_longer_and_those_after_it_do_not(make_function, fault, clients):
    function = make_function(SLEEP)
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    status, answer = fault("slow-init", function=arn, seconds=1.5)
    assert (status, answer["sentence"]) == (200, f"The next init of {function.name} takes 1.5 s longer.")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(function.invoke, [1, 1]))
    quick, slow = sorted(float(report["init"]) for report in function.reports())
    assert slow > 1500 > quick


def test_an_init_that_is_made_too_slow_is_ended_and_tried_again(make_function, fault, reader):
    function = make_function(SLEEP, Timeout=30)
    fault("slow-init", function=function.name, seconds=60)
    assert eventually(lambda: function.invoke(0)).error is None
    assert "Phase: init\tStatus: timeout" in function.text()
    assert reader.wait("environment.ended", function=function.name)[0]["reason"] == "timeout"


def test_a_slow_init_is_taken_back(make_function, fault):
    function = make_function(SLEEP)
    fault("slow-init", function=function.name, seconds=8, times=1000)
    _, answer = fault("slow-init", function=function.name, seconds=0)
    assert answer["sentence"] == f"The next init of {function.name} takes no longer than it needs."
    function.invoke(0)
    assert float(function.reports()[0]["init"]) < 8000


def test_the_next_message_is_delivered_twice(clients, make_queue, fault):
    sqs, (url, arn) = clients("sqs"), make_queue()
    status, answer = fault("deliver-twice", queue=arn)
    assert (status, answer["sentence"]) == (200, f"The next message that is received from {arn} is delivered twice.")
    sent = [sqs.send_message(QueueUrl=url, MessageBody=text)["MessageId"] for text in ("one", "two")]
    received = []
    while found := sqs.receive_message(QueueUrl=url, AttributeNames=["All"]).get("Messages"):
        received += found
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
    assert sorted(message["MessageId"] for message in received) == sorted([sent[0], *sent])
    assert len({message["ReceiptHandle"] for message in received}) == 3
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in received} == {"1"}


def test_a_function_gets_the_message_of_its_queue_twice(clients, make_function, make_queue, fault, reader):
    function, (url, arn) = make_function("def handler(event, context): pass"), make_queue()
    mapping = clients("lambda").create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn)["UUID"]
    fault("deliver-twice", queue=arn)
    clients("sqs").send_message(QueueUrl=url, MessageBody="one")
    received = reader.wait("message.received", 2, queue=arn)
    reader.wait("invocation.succeeded", 2, function=function.name)
    assert len({tuple(each["message_ids"]) for each in received}) == 1
    clients("lambda").delete_event_source_mapping(UUID=mapping)


def test_delivering_twice_is_taken_back(clients, make_queue, fault):
    sqs, (url, arn) = clients("sqs"), make_queue()
    fault("deliver-twice", queue=arn, times=5)
    _, answer = fault("deliver-twice", queue=arn, times=0)
    assert answer["sentence"] == f"No message of {arn} is delivered twice any more."
    sqs.send_message(QueueUrl=url, MessageBody="one")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


NAME = "arn:aws:lambda:us-east-1:000000000000:function:nobody"


@pytest.mark.parametrize(
    ("name", "members", "sentence"),
    [
        ("end-environment", {}, "environment is missing."),
        ("end-environment", {"environment": 1}, "environment is a text."),
        ("end-environment", {"environment": "x"}, "There is no execution environment x that has a process."),
        ("slow-init", {"function": "nobody"}, "seconds is missing."),
        ("slow-init", {"function": NAME, "seconds": 1}, f"There is no function {NAME}."),
        ("slow-init", {"function": "nobody", "seconds": "1"}, "seconds is a number."),
        ("slow-init", {"function": "nobody", "seconds": 901}, "seconds is a number from 0 to 900."),
        ("slow-init", {"function": "nobody", "seconds": -1}, "seconds is a number from 0 to 900."),
        ("slow-init", {"function": "nobody", "seconds": float("nan")}, "seconds is a number."),
        ("slow-init", {"function": "nobody", "seconds": 1, "x": 1}, "x is no member of it."),
        ("deliver-twice", {"queue": "nobody"}, "There is no queue nobody."),
        ("deliver-twice", {"queue": ""}, "queue is a text."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(fault, name, members, sentence):
    assert fault(name, **members) == (400, {"message": sentence})


@pytest.mark.parametrize("times", [-1, 1001, 1.5, "1", True, None])
def test_how_often_is_refused_in_a_sentence(make_queue, fault, times):
    _, arn = make_queue()
    told = {"message": "times is a whole number from 0 to 1000."}
    assert fault("deliver-twice", queue=arn, times=times) == (400, told)


def test_a_fifo_queue_delivers_no_message_twice(make_queue, fault):
    _, arn = make_queue(".fifo", FifoQueue="true")
    assert fault("deliver-twice", queue=arn) == (400, {"message": "A FIFO queue delivers no message twice."})


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 5000, "1", '{"queue": "' + "x" * 5000 + '"}'])
def test_what_is_no_object_is_refused(embedded_aws, body):
    headers = {"Authorization": f"Bearer {localaws.page_token(embedded_aws.secret_access_key)}"}
    url = f"{embedded_aws.url}/_localaws/faults/deliver-twice"
    answer = requests.post(url, data=body, headers=headers, timeout=30)
    told = {"message": "A fault is asked for by an object in JSON."}
    assert (answer.status_code, answer.json()) == (400, told)


def test_there_is_no_other_fault_and_none_without_a_token(fault):
    assert fault("earthquake") == (404, {"message": "The embedded AWS has nothing at /_localaws/faults/earthquake."})
    assert fault("end-environment", token="", environment="x")[0] == 401


def test_faults_are_gone_with_a_restart(tmp_path, free_port):
    port = free_port()
    for life in (1, 2):
        endpoint = start_server(tmp_path, port)
        try:
            clients = clients_for(endpoint)
            url = clients("sqs").create_queue(QueueName="q")["QueueUrl"]
            if life == 1:
                clients("sqs").send_message(QueueUrl=url, MessageBody="one")
                told = clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
                arn = told["Attributes"]["QueueArn"]
                headers = {"Authorization": f"Bearer {localaws.page_token(endpoint.secret_access_key)}"}
                asked = json.dumps({"queue": arn, "times": 1000})
                answer = requests.post(
                    f"{endpoint.url}/_localaws/faults/deliver-twice", data=asked, headers=headers, timeout=30
                )
                assert answer.status_code == 200
            else:
                assert len(clients("sqs").receive_message(QueueUrl=url)["Messages"]) == 1
                assert "Messages" not in clients("sqs").receive_message(QueueUrl=url)
        finally:
            localaws.stop(tmp_path)
