"""The states of a function, and what is refused before it is ready: functions-states.html of the developer guide.

The answers are those of localstack's recordings test_function_lifecycle, test_lambda_concurrent_code_updates and
test_publish_with_update of November 2025.
"""

import itertools
import json

import pytest
import requests
from botocore.exceptions import ClientError
from localaws_client import ROLE, TestedFunction, eventually, zipped

CODE = zipped({"app.py": "def handler(event, context):\n    return 1\n"})
OTHER = zipped({"app.py": "def handler(event, context):\n    return 2\n"})
CANNOT = "The operation cannot be performed at this time."


@pytest.fixture
def created(clients, request):
    """A function that was made just now, and what CreateFunction has answered."""
    client, name = clients("lambda"), f"created-{abs(hash(request.node.name))}"
    answer = client.create_function(
        FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="app.handler", Code={"ZipFile": CODE}
    )
    yield TestedFunction(name, clients), answer
    client.delete_function(FunctionName=name)


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_new_function_is_pending_and_then_active(created, clients):
    function, answer = created
    assert (answer["State"], answer["StateReasonCode"]) == ("Pending", "Creating")
    assert answer["StateReason"] == "The function is being created."
    assert not [name for name in answer if name.startswith("LastUpdate")]
    function.wait()
    ready = clients("lambda").get_function_configuration(FunctionName=function.name)
    assert ready["State"] == "Active" and ready["LastUpdateStatus"] == "Successful"
    assert not {"StateReason", "StateReasonCode", "LastUpdateStatusReason"} & ready.keys()
    assert ready["RevisionId"] != answer["RevisionId"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("invoke", {}),
        ("invoke", {"InvocationType": "Event"}),
        ("update_function_configuration", {"Timeout": 5}),
        ("update_function_code", {"ZipFile": OTHER}),
        ("publish_version", {}),
    ],
)
def test_nobody_can_use_a_function_that_is_pending(created, clients, operation, parameters):
    function, _ = created
    words = f"{CANNOT} The function is currently in the following state: Pending"
    found = refused(getattr(clients("lambda"), operation), FunctionName=function.name, **parameters)
    assert found == ("ResourceConflictException", words)
    function.wait()
    assert function.invoke().payload == 1


TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}


@pytest.fixture
def renewed(clients):
    """Make a function of one name anew, so that what points to it finds it Pending."""
    client, name = clients("lambda"), "renewed-for-a-test"
    code = zipped({"app.py": "def handler(event, context):\n    return {'statusCode': 200, 'body': 'done'}\n"})

    def make():
        if name in [each["FunctionName"] for each in client.list_functions()["Functions"]]:
            client.delete_function(FunctionName=name)
        client.create_function(
            FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="app.handler", Code={"ZipFile": code}
        )
        function = TestedFunction(name, clients)
        function.let_in("apigateway")
        return client.get_function_configuration(FunctionName=name)["FunctionArn"]

    make()
    yield make
    client.delete_function(FunctionName=name)


def test_a_state_machine_cannot_use_it_either(renewed, clients):
    states = clients("stepfunctions")
    task = {**TASK, "Parameters": {"FunctionName": renewed(), "Payload": {}}}
    definition = json.dumps({"StartAt": "Only", "States": {"Only": task}})
    machine = states.create_state_machine(name="renewed-for-a-test", roleArn=ROLE, definition=definition)

    def executed():
        arn = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        eventually(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
        return states.describe_execution(executionArn=arn)

    def refused_meanwhile():
        renewed()
        return executed().get("error") == "Lambda.ResourceConflictException"

    eventually(refused_meanwhile)  # a slow machine may need more than one try
    eventually(lambda: executed()["status"] == "SUCCEEDED")
    states.delete_state_machine(stateMachineArn=machine["stateMachineArn"])


def test_an_http_api_cannot_use_it_either(renewed, clients):
    gateway = clients("apigatewayv2")
    made = gateway.create_api(Name="renewed-for-a-test", ProtocolType="HTTP", Target=renewed())

    def status():
        return requests.get(made["ApiEndpoint"], timeout=30).status_code

    def refused_meanwhile():
        renewed()
        return status() == 500

    eventually(refused_meanwhile)
    eventually(lambda: status() == 200)
    gateway.delete_api(ApiId=made["ApiId"])


@pytest.mark.parametrize(
    ("another", "parameters"),
    [
        ("update_function_configuration", {"Timeout": 6}),
        ("update_function_code", {"ZipFile": CODE}),
        ("publish_version", {}),
    ],
)
@pytest.mark.parametrize(
    ("operation", "change"),
    [("update_function_configuration", {"Timeout": 5}), ("update_function_code", {"ZipFile": OTHER})],
)
def test_an_update_is_in_progress_for_a_moment(make_function, clients, operation, change, another, parameters):
    client, function = clients("lambda"), make_function("def handler(event, context):\n    return 1\n")
    before = client.get_function_configuration(FunctionName=function.name)
    answer = getattr(client, operation)(FunctionName=function.name, **change)
    assert (answer["State"], answer["LastUpdateStatus"]) == ("Active", "InProgress")
    assert answer["LastUpdateStatusReason"] == "The function is being created."
    assert answer["LastUpdateStatusReasonCode"] == "Creating"
    words = f"{CANNOT} An update is in progress for resource: {answer['FunctionArn']}"
    found = refused(getattr(client, another), FunctionName=function.name, **parameters)
    assert found == ("ResourceConflictException", words)
    assert function.invoke().error is None  # it can still be used
    function.wait()
    after = client.get_function_configuration(FunctionName=function.name)
    assert len({each["RevisionId"] for each in (before, answer, after)}) == 3
    assert function.invoke().payload == (2 if "ZipFile" in change else 1)


NUMBERED = """
import os
calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("ran {number}")
    return [{number}, int(os.environ.get("NUMBER", 0)), context.function_version, calls]
"""


@pytest.fixture
def while_updating(clients, make_function):
    """Call a function while it is updated to the next number, and give that number and what came meanwhile."""
    function = make_function(NUMBERED.format(number=0))
    client, numbers = clients("lambda"), itertools.count(1)

    def update(number, kind):
        if kind == "code":
            code = zipped({"app.py": NUMBERED.format(number=number)})
            client.update_function_code(FunctionName=function.name, ZipFile=code)
        else:
            variables = {"Variables": {"NUMBER": str(number)}}
            client.update_function_configuration(FunctionName=function.name, Environment=variables)

    def run(kind, call):
        while True:  # a slow machine may need more than one try
            number = next(numbers)
            update(number, kind)
            found = call(function)
            status = client.get_function_configuration(FunctionName=function.name)["LastUpdateStatus"]
            function.wait()
            if status == "InProgress":
                return number, found

    run.function = function
    return run


@pytest.mark.parametrize(("kind", "place"), [("code", 0), ("configuration", 1)])
def test_until_an_update_is_successful_the_old_one_runs(while_updating, clients, kind, place):
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html says so."""
    function = while_updating.function
    clients("lambda").create_alias(FunctionName=function.name, Name="newest", FunctionVersion="$LATEST")

    def call(function):
        return [function.invoke(**named).payload for named in ({}, {"Qualifier": "$LATEST"}, {"Qualifier": "newest"})]

    function.invoke()
    number, meanwhile = while_updating(kind, call)
    assert {each[place] for each in meanwhile} == {number - 1}
    first = meanwhile[0][3]
    assert [each[3] for each in meanwhile] == [first, first + 1, first + 2]  # in one environment
    assert number > 1 or first == 2  # which was there before
    after = function.invoke().payload
    assert (after[place], after[3]) == (number, 1)


def test_the_old_one_runs_for_events_as_well(while_updating, clients):
    def send(function):
        lines = len(ran(function))
        function.invoke(InvocationType="Event")
        eventually(lambda: len(ran(function)) > lines)
        return ran(function)[-1]

    def ran(function):
        return [each["message"].strip() for each in function.logged() if each["message"].startswith("ran")]

    number, meanwhile = while_updating("code", send)
    assert meanwhile == f"ran {number - 1}"


def test_a_version_runs_what_it_was_published_with(while_updating, clients):
    function = while_updating.function
    clients("lambda").publish_version(FunctionName=function.name)
    clients("lambda").create_alias(FunctionName=function.name, Name="first", FunctionVersion="1")
    _, found = while_updating("code", lambda function: function.invoke(Qualifier="first").payload)
    assert found[:3] == [0, 0, "1"]
    assert function.invoke(Qualifier="1").payload[0] == 0


def test_an_update_that_is_refused_changes_nothing_of_what_runs(make_function, clients):
    function = make_function("def handler(event, context):\n    return 1\n")
    code, _ = refused(clients("lambda").update_function_code, FunctionName=function.name, ZipFile=b"no archive")
    assert code == "InvalidParameterValueException"
    function.update_code("def handler(event, context):\n    return 2\n")
    assert function.invoke().payload == 2


def test_the_waiters_of_boto3_see_it(created, clients):
    function, _ = created
    client, quick = clients("lambda"), {"Delay": 0.05, "MaxAttempts": 200}
    client.get_waiter("function_active_v2").wait(FunctionName=function.name, WaiterConfig=quick)
    client.update_function_configuration(FunctionName=function.name, Timeout=7)
    client.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig=quick)
    client.update_function_configuration(FunctionName=function.name, Timeout=8)
    function.wait()


def test_a_version_that_is_published_with_an_update_is_pending_too(make_function, clients):
    client, function = clients("lambda"), make_function("def handler(event, context):\n    return 1\n")
    version = client.update_function_code(FunctionName=function.name, ZipFile=OTHER, Publish=True)
    assert (version["Version"], version["State"], version["StateReasonCode"]) == ("1", "Pending", "Creating")
    assert version["FunctionArn"].endswith(f":{function.name}:1")
    latest = client.get_function_configuration(FunctionName=function.name)
    assert (latest["State"], latest["LastUpdateStatus"]) == ("Active", "InProgress")
    code, message = refused(client.invoke, FunctionName=function.name, Qualifier="1")
    assert code == "ResourceConflictException" and message.endswith("in the following state: Pending")
    client.get_waiter("published_version_active").wait(
        FunctionName=function.name, Qualifier="1", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    assert function.invoke(Qualifier="1").payload == 2


def test_an_event_waits_until_its_function_is_ready(clients, make_function):
    """Those of other services, which Lambda has accepted: here of a function that sends its result on."""
    client = clients("lambda")
    target = make_function("def handler(event, context):\n    return event\n")
    source = make_function("def handler(event, context):\n    return 'sent'\n")
    arn = client.get_function(FunctionName=target.name)["Configuration"]["FunctionArn"]
    client.put_function_event_invoke_config(
        FunctionName=source.name, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    source.invoke()
    client.delete_function(FunctionName=target.name)
    client.create_function(
        FunctionName=target.name, Runtime="python3.13", Role=ROLE, Handler="app.handler", Code={"ZipFile": OTHER}
    )
    source.invoke(InvocationType="Event")
    eventually(lambda: target.metric("Invocations") == 1)
    assert target.metric("Errors") == target.metric("Throttles") == 0


def test_what_cloudformation_makes_can_be_used_at_once(clients):
    template = {
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "of-a-stack",
                    "Runtime": "python3.13",
                    "Role": ROLE,
                    "Handler": "index.handler",
                    "Timeout": 3,
                    "Code": {"ZipFile": "def handler(event, context):\n    return 'stack'\n"},
                },
            }
        }
    }
    stacks, function = clients("cloudformation"), TestedFunction("of-a-stack", clients)

    def done(status):
        return stacks.describe_stacks(StackName="stack")["Stacks"][0]["StackStatus"] == status

    stacks.create_stack(StackName="stack", TemplateBody=json.dumps(template))
    eventually(lambda: done("CREATE_COMPLETE"))
    assert function.invoke().payload == "stack"
    properties = template["Resources"]["Function"]["Properties"]
    properties |= {"Timeout": 5, "Code": {"ZipFile": "def handler(event, context):\n    return 'changed'\n"}}
    stacks.update_stack(StackName="stack", TemplateBody=json.dumps(template))
    eventually(lambda: done("UPDATE_COMPLETE"))
    assert function.invoke().payload == "changed"
    stacks.delete_stack(StackName="stack")
    eventually(
        lambda: "of-a-stack" not in [each["FunctionName"] for each in clients("lambda").list_functions()["Functions"]]
    )
