"""What notebook 15 claims: five failures happen, and what repairs each of them repairs it, with faults injected."""

import json
import uuid

import pytest
from localaws_client import ROLE, eventually, made_bucket
from notebook_cells import Notebook

from helpers import package
from helpers.authoring.source import solved
from helpers.lessons import function_folder
from helpers.localaws.services.lambda_.recursive_loops import LIMIT

BANK, CASHIER = ((function_folder("cashier") / "python" / name).read_text() for name in ("bank.py", "app.py"))
PIECEWORK, STAMP, COUNTER = (
    (function_folder(name) / "python/app.py").read_text() for name in ("piecework", "stamp", "count-slides")
)


def cashier_once() -> str:
    """The function of exercise 15.1, as the notebook puts it together."""
    notebook = Notebook("15")
    notebook.run("frame")
    return notebook.before_charge_once + solved(notebook.text("charge-once")) + notebook.after_charge_once


@pytest.fixture(scope="module")
def tables(clients):
    """The tables of the notebook, under names of the tests' own."""
    dynamodb = clients("dynamodb")
    kinds = {"order_id": "S", "payment": "S", "id": "S", "job": "S", "item": "N"}
    made = {"PAYMENTS": ("order_id", "payment"), "ORDERS": ("id",), "RESULTS": ("job", "item")}
    for name, keys in made.items():
        dynamodb.create_table(
            TableName=f"tested-{name.lower()}",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kinds[key]} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
    yield {name: f"tested-{name.lower()}" for name in made}
    for name in made:
        dynamodb.delete_table(TableName=f"tested-{name.lower()}")


@pytest.fixture
def rows(clients, tables):
    """Count the rows of a table for the value of its first key."""
    keys = {"PAYMENTS": "order_id", "RESULTS": "job"}

    def count(table: str, value: str) -> int:
        return clients("dynamodb").query(
            TableName=tables[table],
            KeyConditionExpression=f"{keys[table]} = :value",
            ExpressionAttributeValues={":value": {"S": value}},
            ConsistentRead=True,
        )["Count"]

    return count


# 1. Retried


@pytest.fixture
def cashier(make_function, tables):
    """Give a cashier with this text of app.py, which is tried again a fifth of a second after a failure."""

    def make(text: str):
        return make_function(
            {"app.py": text, "bank.py": BANK},
            MemorySize=10_240,
            Timeout=10,
            Environment={"Variables": tables},
            Tags={"localaws:retry-seconds": "0.2"},
        )

    return make


def failing_order() -> dict:
    return {"order": str(uuid.uuid4()), "amount": 10, "fault": "mail"}


def test_a_cashier_that_is_retried_charges_three_times(cashier, rows):
    function, event = cashier(CASHIER), failing_order()
    request_id = function.invoke(event, InvocationType="Event").request_id
    eventually(lambda: len(function.reports()) == 3)
    assert {report["request_id"] for report in function.reports()} == {request_id}
    assert rows("PAYMENTS", event["order"]) == 3


def test_with_a_key_three_runs_and_a_duplicate_charge_once_and_the_receipt_is_sent_in_the_end(cashier, rows):
    function, event = cashier(cashier_once()), failing_order()
    function.invoke(event, InvocationType="Event")
    eventually(lambda: len(function.reports()) == 3)
    assert rows("PAYMENTS", event["order"]) == 1
    assert "sent the receipt" not in function.text()
    answers = [function.invoke(event | {"fault": None}).payload for _ in range(2)]  # delivered twice
    assert answers[0] == answers[1]
    assert rows("PAYMENTS", event["order"]) == 1
    assert function.text().count("sent the receipt") == 2


def test_a_crash_between_the_charge_and_the_note_leaves_an_order_that_is_never_charged_again(cashier, rows):
    function, event = cashier(cashier_once()), failing_order() | {"fault": "crash"}
    assert function.invoke(event).payload["errorType"] == "Runtime.ExitError"
    for _ in range(2):
        assert "started and not finished" in function.invoke(event | {"fault": None}).payload["errorMessage"]
    assert rows("PAYMENTS", event["order"]) == 1


def test_after_the_same_crash_the_first_cashier_charges_again(cashier, rows):
    function, event = cashier(CASHIER), failing_order() | {"fault": "crash"}
    function.invoke(event)
    function.invoke(event | {"fault": None})
    assert rows("PAYMENTS", event["order"]) == 2


# 2. Too long

ITEMS = 12


def new_job(seconds_each: float = 0.25) -> dict:
    return {"job": str(uuid.uuid4()), "left": list(range(ITEMS)), "seconds_each": seconds_each}


@pytest.fixture
def piecework(make_function, tables):
    def make(handler: str, text: str = PIECEWORK, **variables: str):
        return make_function(
            text, Handler=f"app.{handler}", MemorySize=10_240, Timeout=2, Environment={"Variables": tables | variables}
        )

    return make


@pytest.fixture
def queue(clients):
    sqs = clients("sqs")
    url = sqs.create_queue(QueueName="tested-piecework", Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def mapped(clients, queue):
    """Connect the queue to a function."""
    made = []

    def connect(function) -> None:
        arn = clients("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        made.append(
            clients("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function.name, BatchSize=1)[
                "UUID"
            ]
        )

    yield connect
    for each in made:
        clients("lambda").delete_event_source_mapping(UUID=each)


def test_a_job_that_is_too_long_never_gets_done_by_trying_again(piecework, rows):
    function, job = piecework("all_at_once"), new_job()
    for _ in range(2):
        assert function.invoke(job).payload["errorType"] == "Sandbox.Timedout"
        assert rows("RESULTS", job["job"]) < ITEMS
    assert {report["status"] for report in function.reports()} == {"timeout"}


def test_what_does_not_fit_is_left_for_the_next_run(piecework, rows):
    function, job = piecework("handler"), new_job()
    left = function.invoke(job).payload["left"]
    assert left and left == job["left"][ITEMS - len(left) :]
    assert rows("RESULTS", job["job"]) == ITEMS - len(left)
    assert function.invoke(job | {"left": []}).payload["left"] == []


def test_a_queue_hands_on_what_is_left_until_all_is_done(piecework, queue, mapped, clients, rows):
    function, job = piecework("from_queue", QUEUE_URL=queue), new_job()
    mapped(function)
    clients("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(job))
    eventually(lambda: rows("RESULTS", job["job"]) == ITEMS)
    eventually(lambda: len(function.reports()) >= 3)
    assert {report["status"] for report in function.reports()} == {None}


def test_a_run_that_is_killed_and_a_message_that_comes_twice_lose_nothing_and_double_nothing(
    piecework, queue, mapped, clients, rows
):
    killed_once = PIECEWORK + (
        "\n\nwork_as_before = work\n"
        "def work(job, item):\n"
        "    work_as_before(job, item)\n"
        "    key = {'job': 'killed ' + job['job'], 'item': item}\n"
        "    if item == 3 and 'Item' not in results.get_item(Key=key, ConsistentRead=True):\n"
        "        results.put_item(Item=key)\n"
        "        os._exit(1)\n"
    )
    function, job = piecework("from_queue", killed_once, QUEUE_URL=queue), new_job()
    mapped(function)
    for _ in range(2):
        clients("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(job))
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def all_worked_off() -> bool:
        found = clients("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return set(found.values()) == {"0"}

    eventually(lambda: rows("RESULTS", job["job"]) == ITEMS and all_worked_off(), 90)
    assert rows("RESULTS", job["job"]) == ITEMS
    assert rows("RESULTS", "killed " + job["job"]) == 1
    assert "Runtime.ExitError" in function.text()


def test_a_state_machine_calls_the_handler_until_nothing_is_left(piecework, clients, rows):
    function, job = piecework("handler"), new_job()
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    notebook = Notebook("15", worker_arn=arn, to_lambda="arn:aws:states:::lambda:invoke")
    notebook.run("work-state", "state-machine")
    states = clients("stepfunctions")
    machine = states.create_state_machine(
        name="tested-piecework", definition=json.dumps(notebook.definition), roleArn=ROLE
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(job))["executionArn"]
    found = eventually(
        lambda: (it := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and it, 60
    )
    states.delete_state_machine(stateMachineArn=machine)
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"])["left"] == []
    assert rows("RESULTS", job["job"]) == ITEMS
    assert len(function.reports()) >= 3


# 3. A command


def test_a_command_is_found_and_run_once_a_layer_brings_it_along_executable(make_function, clients):
    function = make_function(COUNTER)
    script = (function_folder("count-slides") / "layer/bin/count-slides").read_text()
    errors = []
    for layer in (None, {"bin/count-slides": script}, function_folder("count-slides") / "layer"):
        if layer:
            version = clients("lambda").publish_layer_version(
                LayerName="tested-count-slides", Content={"ZipFile": package(layer)}
            )["LayerVersionArn"]
            function.update(Layers=[version])
        payload = function.invoke({"deck": "a\n---\nb\n---\nc\n"}).payload
        errors.append(payload.get("errorType"))
    assert errors == ["FileNotFoundError", "PermissionError", None]
    assert payload == {"slides": 3}


# 5. It starts itself


@pytest.fixture
def bucket(clients):
    with made_bucket(clients, "tested-stamps") as name:
        yield name


@pytest.fixture
def stamp(make_function, clients, bucket):
    """Give the function, triggered by incoming/, with this TARGET."""

    def make(target: str, **configuration: str):
        variables = {"Environment": {"Variables": {"TARGET": target}}}
        function = make_function(STAMP, MemorySize=10_240, Timeout=10, **variables, **configuration)
        function.let_in("s3", SourceArn=f"arn:aws:s3:::{bucket}", SourceAccount="000000000000")
        arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
        rule = {"Name": "prefix", "Value": "incoming/"}
        clients("s3").put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "LambdaFunctionConfigurations": [
                    {
                        "LambdaFunctionArn": arn,
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {"Key": {"FilterRules": [rule]}},
                    }
                ]
            },
        )
        return function

    return make


def keys_in(clients, bucket) -> list[str]:
    return [each["Key"] for each in clients("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_one_upload_under_its_own_prefix_runs_until_lambda_stops_it(stamp, clients, bucket):
    function = stamp("incoming/stamped-")
    clients("s3").put_object(Bucket=bucket, Key="incoming/note.txt", Body=b"a note\n")
    eventually(lambda: function.metric("RecursiveInvocationsDropped") == 1)
    eventually(lambda: len(function.reports()) == LIMIT)
    assert len(keys_in(clients, bucket)) == LIMIT + 1
    assert function.metric("Errors") == 0


def test_under_another_prefix_it_runs_once(stamp, clients, bucket):
    function = stamp("stamped/")
    clients("s3").put_object(Bucket=bucket, Key="incoming/two words.txt", Body=b"a note\n")
    eventually(lambda: "stamped/two words.txt" in keys_in(clients, bucket))
    body = clients("s3").get_object(Bucket=bucket, Key="stamped/two words.txt")["Body"].read()
    assert body == b"a note\nstamp\n"
    eventually(lambda: len(function.reports()) == 1)
    assert function.metric("RecursiveInvocationsDropped") == 0


def test_the_brake_lets_nothing_in(stamp, clients, bucket):
    function = stamp("incoming/stamped-")
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    clients("s3").put_object(Bucket=bucket, Key="incoming/note.txt", Body=b"a note\n")
    eventually(lambda: function.metric("AsyncEventsDropped") == 1)
    assert function.reports() == []
    assert keys_in(clients, bucket) == ["incoming/note.txt"]


def test_the_role_of_the_notebook_lets_no_loop_begin_whatever_the_target_is(aws, stamp, clients, bucket):
    names = {"workshop": aws, "bucket": bucket, "unfinished_url": "", "arn_of": lambda url: "arn:aws:sqs:::unfinished"}
    notebook = Notebook("15", **names)
    notebook.run("stamp-policies")
    function = stamp("incoming/stamped-", Role=aws.role(*notebook.stamp_policies("stamped/")))
    clients("s3").put_object(Bucket=bucket, Key="incoming/note.txt", Body=b"a note\n")
    eventually(lambda: function.metric("Errors") >= 1)
    what = f'perform: s3:PutObject on resource: "arn:aws:s3:::{bucket}/incoming/stamped-note.txt"'
    eventually(lambda: what in function.text())
    assert keys_in(clients, bucket) == ["incoming/note.txt"]
    assert function.metric("RecursiveInvocationsDropped") == 0
