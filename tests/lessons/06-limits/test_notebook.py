"""What notebook 06 claims of Lambda's limits and retries, on both sides of each limit where that is cheap.

The sizes of packages, layers and variables are in test_lambda_quotas.py.
"""

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually

from helpers.localaws.data_plane import confinement
from helpers.measuring.reports import reports

MB = 2**20
SLEEPS = """
import time
def handler(event, context):
    try:
        for _ in range(event["seconds"]):
            print(context.get_remaining_time_in_millis(), "ms left")
            time.sleep(1)
    except BaseException:
        print("caught")
    return "done"
"""
ALLOCATES = 'def handler(event, context):\n    return len(b"x" * (event["mb"] * 1024 * 1024))\n'
ECHO = 'def handler(event, context):\n    return {"received": len(event["text"]), "answer": "x" * event["bytes"]}\n'
FAILS = """
def handler(event, context):
    print("charged", event["order"])
    raise ConnectionError("no mail today")
"""
WRITES = """
import os
def handler(event, context):
    path, written = "/tmp/tests-of-limits.bin", 0
    try:
        with open(path, "wb") as file:
            while written < event["mb"]:
                file.write(b"x" * (8 * 1024 * 1024))
                file.flush()
                written += 8
    except OSError as error:
        return {"written": written, "error": f"{type(error).__name__}: {error}"}
    finally:
        os.remove(path)
    return {"written": written, "error": None}
"""


def test_a_function_has_three_seconds_unless_we_say_otherwise(make_function):
    function = make_function(SLEEPS)
    result = function.invoke({"seconds": 5})
    assert result.payload["errorType"] == "Sandbox.Timedout"
    assert result.payload["errorMessage"].endswith("Task timed out after 3.00 seconds")
    [report] = function.reports()
    assert report["status"] == "timeout"
    assert float(report["duration"]) == 3000.0
    assert 1 <= result.tail.count("ms left") <= 4  # the fourth with 0 ms left, if at all
    assert "caught" not in result.tail
    function.update(Timeout=10)
    assert function.invoke({"seconds": 1}).payload == "done"


def test_more_memory_size_is_what_helps_against_signal_killed(make_function, clients):
    function = make_function(ALLOCATES, MemorySize=128, Timeout=30)
    assert function.invoke({"mb": 25}).payload == 25 * MB
    assert function.invoke({"mb": 75}).payload == 75 * MB
    killed = function.invoke({"mb": 150})
    assert killed.payload["errorType"] == "Runtime.OutOfMemory"
    assert killed.payload["errorMessage"].endswith("signal: killed")
    function.update(MemorySize=256)
    assert function.invoke({"mb": 150}).payload == 150 * MB
    small, medium, too_much, fits = reports(clients("logs"), function.name, at_least=4).to_dict("records")
    assert 25 < small["max_memory_mb"] < medium["max_memory_mb"] < 128
    assert (too_much["max_memory_mb"], too_much["error_type"]) == (128, "Runtime.OutOfMemory")
    assert 150 < fits["max_memory_mb"] < 256
    assert [each["status"] for each in (small, medium, too_much, fits)] == ["success", "success", "error", "success"]


def refused(clients, **parameters):
    with pytest.raises(ClientError) as raised:
        clients("lambda").invoke(**parameters)
    return raised.value.response


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6 * MB), ("Event", MB)])
def test_a_larger_event_never_reaches_the_function(kind, limit, make_function, clients):
    function = make_function(ECHO, MemorySize=512, Timeout=30)
    frame = len(json.dumps({"text": "", "bytes": 0}))
    event = json.dumps({"text": "x" * (limit - frame), "bytes": 0})
    call = {"FunctionName": function.name, "InvocationType": kind}
    response = refused(clients, Payload=event + " ", **call)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert f"{limit + 1} byte payload is too large for the {kind} invocation type" in response["Error"]["Message"]
    assert function.messages() == []
    clients("lambda").invoke(Payload=event, **call)
    eventually(lambda: len(function.reports()) == 1)


def test_a_larger_answer_has_run_all_the_same(make_function):
    function = make_function(ECHO, MemorySize=512, Timeout=30)
    frame = len(json.dumps({"received": 0, "answer": ""}))
    assert len(function.invoke({"text": "", "bytes": 6 * MB - frame}).payload["answer"]) == 6 * MB - frame
    result = function.invoke({"text": "", "bytes": 7 * MB})
    assert result.payload["errorType"] == "Function.ResponseSizeTooLarge"
    assert "START" in result.tail
    assert "Error Type: Function.ResponseSizeTooLarge" in result.tail


def test_what_is_too_large_for_an_event_goes_through_s3(make_function, clients):
    code = """
import boto3
def handler(event, context):
    body = boto3.client("s3").get_object(Bucket=event["bucket"], Key=event["key"])["Body"]
    return {"lines": sum(1 for line in body.iter_lines(chunk_size=1024 * 1024))}
"""
    function, s3 = make_function(code, MemorySize=1769, Timeout=60), clients("s3")
    s3.create_bucket(Bucket="large-events")
    s3.put_object(Bucket="large-events", Key="lines.txt", Body=b"a line of ten.......\n" * (8 * MB // 20))
    assert function.invoke({"bucket": "large-events", "key": "lines.txt"}).payload == {"lines": 8 * MB // 20}
    s3.delete_object(Bucket="large-events", Key="lines.txt")
    s3.delete_bucket(Bucket="large-events")


def test_tmp_is_as_large_as_the_function_says(make_function):
    if not confinement.possible():
        pytest.skip("functions share this machine's /tmp")
    function = make_function(WRITES, MemorySize=1769, Timeout=60)
    full = function.invoke({"mb": 520}).payload
    assert full["error"] == "OSError: [Errno 28] No space left on device"
    assert full["written"] <= 512
    function.update(EphemeralStorage={"Size": 1024})
    assert function.invoke({"mb": 520}).payload == {"written": 520, "error": None}


@pytest.fixture
def queue(clients):
    sqs = clients("sqs")
    url = sqs.create_queue(QueueName="given-up")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    yield url, arn
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_failing_event_is_run_once_more_than_the_retries_and_then_reaches_its_destination(
    retries, make_function, clients, queue
):
    url, arn = queue
    function = make_function(FAILS)
    clients("lambda").put_function_event_invoke_config(
        FunctionName=function.name,
        MaximumRetryAttempts=retries,
        MaximumEventAgeInSeconds=3600,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    began = datetime.now(UTC)
    result = function.invoke({"order": 17}, InvocationType="Event")
    assert result.status == 202
    receive = clients("sqs").receive_message
    [message] = eventually(lambda: receive(QueueUrl=url, WaitTimeSeconds=1).get("Messages"))
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == retries + 1
    assert record["requestContext"]["requestId"] == result.request_id
    assert record["requestPayload"] == {"order": 17}
    assert record["responsePayload"]["errorType"] == "ConnectionError"

    rows = reports(clients("logs"), function.name, at_least=retries + 1, since=began)
    assert set(rows["request_id"]) == {result.request_id}
    assert set(rows["status"]) == {"success"}  # of the platform; the metric counts the errors
    assert [line for line in function.messages() if line.startswith("charged")] == ["charged 17\n"] * (retries + 1)
    assert function.metric("Errors") == len(rows) == retries + 1
    pauses = rows["start"].diff().dt.total_seconds().dropna().tolist()
    assert pauses == sorted(pauses)  # Lambda waits longer each time
    assert all(pause > 0.5 for pause in pauses)


def test_a_synchronous_call_is_not_tried_again(make_function):
    function = make_function(FAILS)
    assert function.invoke({"order": 1}).payload["errorType"] == "ConnectionError"
    assert function.metric("Invocations") == len(function.reports()) == 1
