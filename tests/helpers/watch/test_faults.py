"""Each fault really breaks something, shows the cell that does the same, and is undone when the reader leaves."""

import json
import signal
import subprocess
import sys
import threading
import uuid
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually

from helpers.deploying.deploy import deploy
from helpers.inbox import open_inbox
from helpers.settings import ROOT
from helpers.watch.discovery import WEBHOOK, Edge, Node, System
from helpers.watch.environments import Environment, Environments
from helpers.watch.faults import SLOW_S, Faults
from helpers.watch.source import EmbeddedSource

SOURCE = {
    "app.py": "import time\n\n\ndef handler(event, context):\n    time.sleep(event.get('s', 0))\n    return 'ok'\n"
}


@pytest.fixture(scope="module")
def function(aws_of_module):
    """A function, and a queue with a dead-letter queue."""
    aws = aws_of_module
    arn = deploy(aws, aws.name("broken"), SOURCE)["FunctionArn"]
    sqs = aws.client("sqs")
    urls = {name: sqs.create_queue(QueueName=aws.name(f"broken-{name}"))["QueueUrl"] for name in ("jobs", "dead")}
    arns = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, url in urls.items()
    }
    redrive = json.dumps({"deadLetterTargetArn": arns["dead"], "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=urls["jobs"], Attributes={"RedrivePolicy": redrive})
    nodes = [Node(arn, "function", aws.name("broken")), Node(WEBHOOK, "webhook", "inbox")]
    nodes += [Node(arns[name], "queue", aws.name(f"broken-{name}")) for name in urls]
    system = System(tuple(nodes), (Edge(arns["jobs"], arns["dead"], "dead-letter"),))
    return SimpleNamespace(aws=aws, arn=arn, name=aws.name("broken"), urls=urls, arns=arns, system=system)


@pytest.fixture
def faults(function):
    its = Faults(function.aws, lambda: [])
    yield its
    its.close()


def invoke(function) -> str:
    try:
        answer = function.aws.client("lambda").invoke(FunctionName=function.name, Payload="{}")
    except ClientError as error:
        return error.response["Error"]["Code"]
    return json.loads(answer["Payload"].read())


def concurrency(function) -> int | None:
    answer = function.aws.client("lambda").get_function_concurrency(FunctionName=function.name)
    return answer.get("ReservedConcurrentExecutions")


def offered(faults, function, of: str) -> dict[str, dict]:
    return {each["id"]: each for each in faults.offered(function.system) if each["of"] == of}


def run(code: str, function) -> None:
    """A cell of a notebook that has connected."""
    exec(code, {"workshop": function.aws, "open_inbox": open_inbox})


def test_what_can_be_done_depends_on_the_kind(faults, function):
    of = {node.name.split("-")[-1]: set(offered(faults, function, node.id)) for node in function.system.nodes}
    assert of == {
        "broken": {"end-environment", "hold", "slow-init"},
        "inbox": {"fail-webhook"},
        "jobs": {"deliver-twice"},
        "dead": {"deliver-twice", "redrive"},
    }
    assert set(offered(faults, function, "")) == {"end-environment"}


def test_on_aws_nothing_is_offered_that_the_embedded_aws_alone_can_do(function):
    on_aws = Faults(SimpleNamespace(is_embedded=False, ledger=SimpleNamespace(place="aws")), lambda: [])
    ids = {each["id"] for each in on_aws.offered(function.system)}
    assert ids == {"hold", "redrive"}
    assert on_aws.do("slow-init", function.arn, True, function.system)["refused"]
    assert on_aws.do("fail-webhook", WEBHOOK, True, function.system)["refused"]


def test_what_has_no_cell_is_of_the_embedded_aws_alone(faults, function):
    for each in faults.offered(function.system):
        assert each["code"] or each["embedded_only"], each["id"]
        assert each["sentence"].endswith(".") and each["label"]


# Hold at zero


def test_a_function_is_held_at_zero_and_let_go(faults, function):
    done = faults.do("hold", function.arn, True, function.system)
    assert (done["on"], done["sentence"]) == (True, f"{function.name} is held at zero.")
    assert offered(faults, function, function.arn)["hold"]["on"]
    assert invoke(function) == "TooManyRequestsException"
    undone = faults.do("hold", function.arn, False, function.system)
    assert not undone["on"] and "delete_function_concurrency" in undone["code"]
    assert concurrency(function) is None and invoke(function) == "ok"


def test_a_reserved_concurrency_comes_back(faults, function):
    client = function.aws.client("lambda")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=7)
    try:
        faults.do("hold", function.arn, True, function.system)
        faults.do("hold", function.arn, True, function.system)  # pressed twice
        assert concurrency(function) == 0
        assert "ReservedConcurrentExecutions=7" in faults.do("hold", function.arn, False, function.system)["code"]
        assert concurrency(function) == 7
    finally:
        client.delete_function_concurrency(FunctionName=function.name)


def test_its_cells_do_the_same(faults, function):
    run(offered(faults, function, function.arn)["hold"]["code"], function)
    assert concurrency(function) == 0
    run(f'workshop.client("lambda").delete_function_concurrency(FunctionName="{function.name}")', function)
    faults.do("hold", function.arn, True, function.system)
    run(offered(faults, function, function.arn)["hold"]["undo"], function)
    assert concurrency(function) is None


# The webhook


def test_the_webhook_fails_until_it_is_let_answer(faults, function):
    inbox = open_inbox(function.aws)
    assert inbox.post({"text": "before"})[0] == 200
    assert faults.do("fail-webhook", WEBHOOK, True, function.system)["on"]
    assert inbox.post({"text": "meanwhile"})[0] == 500
    undone = faults.do("fail-webhook", WEBHOOK, False, function.system)
    assert inbox.post({"text": "afterwards"})[0] == 200
    run(offered(faults, function, WEBHOOK)["fail-webhook"]["code"], function)
    assert inbox.post({"text": "by the cell"})[0] == 500
    run(undone["code"], function)
    assert inbox.post({"text": "by the other cell"})[0] == 200


# Redrive


def dead_letter(function, text: str) -> None:
    """Bring a message into the dead-letter queue, as a consumer does that fails."""
    sqs, url = function.aws.client("sqs"), function.urls["jobs"]
    sqs.send_message(QueueUrl=url, MessageBody=text)
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=1)
    eventually(lambda: waiting(function, "dead"))


def waiting(function, name: str) -> int:
    names = ["ApproximateNumberOfMessages"]
    answer = function.aws.client("sqs").get_queue_attributes(QueueUrl=function.urls[name], AttributeNames=names)
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@pytest.mark.parametrize("by", ["button", "cell"])
def test_a_redrive_sends_messages_back(faults, function, by):
    dead_letter(function, by)
    if by == "button":
        assert "refused" not in faults.do("redrive", function.arns["dead"], True, function.system)
    else:
        run(offered(faults, function, function.arns["dead"])["redrive"]["code"], function)
    eventually(lambda: waiting(function, "jobs") == 1 and waiting(function, "dead") == 0)
    sqs, url = function.aws.client("sqs"), function.urls["jobs"]
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == by
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_refusal_of_aws_is_a_sentence_without_account(faults, function):
    is_none = (*function.system.edges, Edge(function.arns["dead"], function.arns["jobs"], "dead-letter"))
    done = faults.do("redrive", function.arns["jobs"], True, System(function.system.nodes, is_none))
    assert done["refused"] and "StartMessageMoveTask" in done["sentence"]
    assert "000000000000" not in done["sentence"]
    gone = System((Node(f"{function.arn}-gone", "function", f"{function.name}-gone"),))
    assert "ResourceNotFoundException" in faults.do("hold", gone.nodes[0].id, True, gone)["sentence"]


@pytest.mark.parametrize("id", ["nonsense", "", "hold\n", "redrive", "fail-webhook"])
def test_what_is_unknown_or_of_another_kind_is_refused(faults, function, id):
    assert faults.do(id, function.arn, True, function.system)["refused"]


@pytest.mark.parametrize("id", ["hold", "slow-init", "deliver-twice", "redrive"])
def test_what_is_not_in_the_system_is_not_broken(faults, function, id):
    assert faults.do(id, function.arn, True, System())["refused"]
    assert concurrency(function) is None


def test_what_somebody_holds_at_zero_stays_so(faults, function):
    client = function.aws.client("lambda")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    try:
        assert faults.do("hold", function.arn, True, function.system)["refused"]
        faults.close()
        assert concurrency(function) == 0
    finally:
        client.delete_function_concurrency(FunctionName=function.name)


# When the reader leaves


def test_all_is_undone_when_the_picture_is_closed(function):
    faults, inbox = Faults(function.aws, lambda: []), open_inbox(function.aws)
    faults.do("hold", function.arn, True, function.system)
    faults.do("fail-webhook", WEBHOOK, True, function.system)
    faults.close()
    assert concurrency(function) is None and inbox.post({"text": "x"})[0] == 200
    faults.close()


def test_what_has_gone_meanwhile_keeps_nothing_else_from_being_undone(function):
    aws, inbox = function.aws, open_inbox(function.aws)
    arn = deploy(aws, aws.name("broken-gone"), SOURCE)["FunctionArn"]
    faults = Faults(aws, lambda: [])
    faults.do("hold", arn, True, System((Node(arn, "function", aws.name("broken-gone")),)))
    faults.do("fail-webhook", WEBHOOK, True, function.system)
    aws.client("lambda").delete_function(FunctionName=aws.name("broken-gone"))
    faults.close()
    assert inbox.post({"text": "x"})[0] == 200


LEAVES = """
import sys
from helpers.connect import connect
from helpers.watch.discovery import Node, System
from helpers.watch.environments import Environment, Environments
from helpers.watch.faults import SLOW_S, Faults
from helpers.watch.source import EmbeddedSource
arn, name, how = sys.argv[1:]
if how == "interrupted":
    from IPython.core.interactiveshell import InteractiveShell
    shell = InteractiveShell.instance()
faults = Faults(connect(ask=False), lambda: [], lambda: print("undone by itself"))
print(faults.do("hold", arn, True, System((Node(arn, "function", name),)))["sentence"])
if how == "interrupted":
    shell.run_cell("raise KeyboardInterrupt")
    import os
    sys.stdout.flush()
    os._exit(0)
"""


def test_what_a_killed_kernel_has_left_is_undone_by_the_next_picture(function):
    code = f"{LEAVES}\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    done = subprocess.run([sys.executable, "-c", code, function.arn, function.name, "killed"], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL and concurrency(function) == 0
    Faults(SimpleNamespace(ledger=SimpleNamespace(place="another place")), lambda: []).undo_left()
    assert concurrency(function) == 0
    next_one = Faults(function.aws, lambda: [])
    next_one.undo_left()
    assert concurrency(function) is None
    function.aws.client("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=3)
    next_one.undo_left()
    assert concurrency(function) == 3, "once is enough"
    function.aws.client("lambda").delete_function_concurrency(FunctionName=function.name)


def test_what_a_living_picture_has_broken_is_left_to_it(faults, function):
    faults.do("hold", function.arn, True, function.system)
    Faults(function.aws, lambda: []).undo_left()
    assert concurrency(function) == 0


@pytest.mark.parametrize("how", ["ended", "interrupted"])
def test_all_is_undone_when_the_kernel_ends_or_is_interrupted(function, how):
    done = subprocess.run(
        [sys.executable, "-c", LEAVES, function.arn, function.name, how], cwd=ROOT, capture_output=True, text=True
    )
    assert f"{function.name} is held at zero." in done.stdout, done.stderr
    assert ("undone by itself" in done.stdout) == (how == "interrupted")
    assert concurrency(function) is None


# What the embedded AWS alone can do


@pytest.fixture
def watching(function):
    """What happens, as the embedded AWS tells it while a picture is open."""
    environments, lock, begun = Environments(), threading.Lock(), threading.Event()

    def told(message: dict) -> None:
        with lock:
            if message["type"] == "environments":
                environments.restart(message["environments"], message["at"])
                begun.set()
            elif message["type"] == "activity":
                environments.told(message["events"])

    def there() -> list[Environment]:
        with lock:
            return environments.there()

    source = EmbeddedSource(told)
    source.start()
    assert begun.wait(15)
    its = Faults(function.aws, there)
    yield SimpleNamespace(faults=its, there=lambda: [each for each in there() if each.function == function.name])
    its.close()
    source.close()


def begin_call(function, seconds: float) -> tuple[threading.Thread, list]:
    answers = []

    def call() -> None:
        answer = function.aws.client("lambda").invoke(FunctionName=function.name, Payload=json.dumps({"s": seconds}))
        answers.append((answer.get("FunctionError"), json.loads(answer["Payload"].read())))

    thread = threading.Thread(target=call)
    thread.start()
    return thread, answers


@pytest.mark.parametrize("of", ["function", "environment"])
def test_an_environment_is_ended_in_mid_call_and_the_next_call_has_another_process(function, watching, of):
    assert invoke(function) == "ok"
    thread, answers = begin_call(function, 60)
    (busy,) = eventually(lambda: [each for each in watching.there() if each.state == "busy"])
    of = function.arn if of == "function" else busy.environment
    done = watching.faults.do("end-environment", of, True, function.system)
    assert "refused" not in done, done["sentence"]
    thread.join(30)
    assert answers[0][0] == "Unhandled" and answers[0][1]["errorType"].startswith("Runtime.")
    assert invoke(function) == "ok"


def test_without_an_environment_there_is_none_to_end(function, faults):
    done = faults.do("end-environment", function.arn, True, function.system)
    assert done["refused"] and function.name in done["sentence"]
    assert faults.do("end-environment", "/aws/lambda/none:stream", True, function.system)["refused"]


def renewed(function) -> None:
    """Let the next call begin an environment."""
    client = function.aws.client("lambda")
    client.update_function_configuration(FunctionName=function.name, Description=str(uuid.uuid4()))
    client.get_waiter("function_updated_v2").wait(FunctionName=function.name)


def inits(watching) -> list[float]:
    return [each.init_ms for each in watching.there() if each.init_ms]


def test_the_next_init_is_slow_and_only_that(function, watching):
    renewed(function)
    assert "refused" not in watching.faults.do("slow-init", function.arn, True, function.system)
    assert invoke(function) == "ok"
    (slow,) = eventually(lambda: inits(watching))
    renewed(function)
    assert invoke(function) == "ok"
    (fast,) = eventually(lambda: [ms for ms in inits(watching) if ms != slow])
    assert slow > SLOW_S * 1000 > fast


def test_no_init_is_slow_once_the_picture_is_closed(function, watching):
    renewed(function)
    watching.faults.do("slow-init", function.arn, True, function.system)
    watching.faults.close()
    assert invoke(function) == "ok"
    assert eventually(lambda: inits(watching))[0] < SLOW_S * 1000


@pytest.mark.parametrize("leaves", [False, True])
def test_a_message_is_delivered_twice_unless_the_reader_leaves(function, faults, leaves):
    sqs = function.aws.client("sqs")
    url = sqs.create_queue(QueueName=function.aws.name(f"broken-twice-{leaves}".lower()))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    system = System((Node(arn, "queue", function.aws.name("broken-twice")),))
    assert "refused" not in faults.do("deliver-twice", arn, True, system)
    if leaves:
        faults.close()
    sqs.send_message(QueueUrl=url, MessageBody="once")
    received = []
    for _ in range(3):
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, VisibilityTimeout=30).get("Messages", [])
        received += [each["Body"] for each in messages]
        for each in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    assert received == ["once"] * (1 if leaves else 2)
    sqs.delete_queue(QueueUrl=url)
