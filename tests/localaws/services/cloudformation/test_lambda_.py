"""Resources of Lambda in a stack are refused as by the API, and have what their properties ask for."""

import itertools
import json
import sys

import pytest
from localaws_client import ROLE, TestedFunction, clients_for, eventually, processes_of, start_server

from helpers import localaws
from helpers.localaws.data_plane import confinement

_numbers = itertools.count(1)
FUNCTION = {
    "Runtime": "python3.13",
    "Role": ROLE,
    "Handler": "index.handler",
    "Code": {"ZipFile": "def handler(event, context):\n    return context.function_name\n"},
}
PLACE = "us-east-1:000000000000"


@pytest.fixture
def stack(clients):
    """Make a stack of resources: its status, and why what failed has failed."""
    stacks, made = clients("cloudformation"), []

    def make(update="", **resources):
        body = json.dumps({"Resources": resources})
        name = update or f"of-a-test-{next(_numbers)}"
        (stacks.update_stack if update else stacks.create_stack)(StackName=name, TemplateBody=body)
        made.append(name)
        status = lambda: stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]  # noqa: E731
        eventually(lambda: not status().endswith("IN_PROGRESS"))
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        failed = [each["ResourceStatusReason"] for each in events if each["ResourceStatus"].endswith("_FAILED")]
        return name, status(), " ".join(failed)

    yield make
    for name in set(made):
        stacks.delete_stack(StackName=name)


def function(**properties):
    wanted = {**FUNCTION, "FunctionName": f"in-a-stack-{next(_numbers)}", **properties}
    return {"Type": "AWS::Lambda::Function", "Properties": {k: v for k, v in wanted.items() if v is not None}}


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Runtime": "python9"}, "Value python9 at 'runtime' failed to satisfy constraint"),
        ({"MemorySize": 64}, "Member must have value greater than or equal to 128"),
        ({"Timeout": "0"}, "Member must have value greater than or equal to 1"),
        ({"Role": "arn:aws:iam::000000000000:role/nobody"}, "cannot be assumed by Lambda"),
        ({"Role": None}, "Value null at 'role'"),
        ({"Architectures": ["X86"]}, "Member must satisfy enum value set: [x86_64, arm64]"),
        ({"Code": {"S3Bucket": "not-there", "S3Key": "k"}}, "S3 Error Code: NoSuchBucket"),
        ({"EphemeralStorage": {"Size": 100}}, "greater than or equal to 512"),
        ({"DurableConfig": {"RetentionPeriodInDays": 1}}, "leave DurableConfig out"),
        ({"ReservedConcurrentExecutions": 100_000}, "UnreservedConcurrentExecution below its minimum value"),
        (
            {"VpcConfig": {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}},
            "leave VpcConfig out",
        ),
    ],
    ids=lambda each: str(each)[:30],
)
def test_a_function_that_is_refused_fails_its_stack(stack, clients, properties, words):
    resource = function(**properties)
    _, status, reason = stack(Any=resource)
    assert (status, words in reason) == ("ROLLBACK_COMPLETE", True), reason
    names = [each["FunctionName"] for each in clients("lambda").list_functions()["Functions"]]
    assert resource["Properties"]["FunctionName"] not in names


def test_a_function_has_what_its_properties_say(stack, clients):
    resource = function(
        MemorySize="256",
        TenancyConfig={"TenantIsolationMode": "PER_TENANT"},
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{PLACE}:any"},
        Environment={"Variables": {"NUMBER": 5, "TRUTH": True}},
        LoggingConfig={"LogFormat": "JSON"},
        ReservedConcurrentExecutions="1",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    client, name = clients("lambda"), resource["Properties"]["FunctionName"]
    stacked, status, reason = stack(Any=resource)
    assert status == "CREATE_COMPLETE", reason
    told = client.get_function(FunctionName=name)
    configuration = told["Configuration"]
    assert configuration["State"] == "Active"
    assert configuration["MemorySize"] == 256
    assert configuration["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    assert configuration["DeadLetterConfig"] == {"TargetArn": f"arn:aws:sqs:{PLACE}:any"}
    assert configuration["Environment"]["Variables"] == {"NUMBER": "5", "TRUTH": "true"}
    assert configuration["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert told["Concurrency"] == {"ReservedConcurrentExecutions": 1}
    assert told["Tags"]["a"] == "b"
    assert json.load(client.invoke(FunctionName=name, TenantId="t")["Payload"]) == name
    changed = {**resource, "Properties": {**resource["Properties"], "MemorySize": 64}}
    _, status, reason = stack(update=stacked, Any=changed)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert "greater than or equal to 128" in reason


def test_a_mapping_that_is_refused_fails_its_stack(stack, clients, make_function):
    made = make_function("x = 1")
    url = clients("sqs").create_queue(QueueName="of-a-stack")["QueueUrl"]
    queue = {"FunctionName": made.name, "EventSourceArn": f"arn:aws:sqs:{PLACE}:of-a-stack"}

    def mapped(**properties):
        wanted = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**queue, **properties}}
        return stack(Any=wanted)[1:]

    assert "specified queue does not exist" in mapped(EventSourceArn=queue["EventSourceArn"] + "-gone")[1]
    assert "Maximum batch window" in mapped(BatchSize=11)[1]
    assert "Function not found" in mapped(FunctionName="nobody")[1]
    assert mapped(BatchSize="5")[0] == "CREATE_COMPLETE"
    (mapping,) = clients("lambda").list_event_source_mappings(FunctionName=made.name)["EventSourceMappings"]
    assert (mapping["State"], mapping["BatchSize"]) == ("Enabled", 5)
    clients("sqs").delete_queue(QueueUrl=url)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"BatchSize": 11}, "Maximum batch window"),
        ({"BatchSize": 0}, "at 'batchSize' failed to satisfy"),
        ({"FunctionName": "nobody"}, "Function not found"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern"),
        ({"ParallelizationFactor": 2}, "Unsupported 'parallelizationFactor' parameter"),
    ],
)
def test_a_change_of_a_mapping_is_judged_too(stack, clients, make_function, change, words):
    made = make_function("x = 1")
    url = clients("sqs").create_queue(QueueName="of-a-changed-stack")["QueueUrl"]
    good = {"FunctionName": made.name, "EventSourceArn": f"arn:aws:sqs:{PLACE}:of-a-changed-stack", "BatchSize": 5}

    def mapped(update="", **more):
        return stack(update, Any={"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**good, **more}})

    name, status, reason = mapped()
    assert status == "CREATE_COMPLETE", reason
    _, status, reason = mapped(update=name, **change)
    assert (status, words in reason) == ("UPDATE_ROLLBACK_COMPLETE", True), reason
    assert mapped(update=name, BatchSize=7)[1] == "UPDATE_COMPLETE"
    (mapping,) = clients("lambda").list_event_source_mappings(FunctionName=made.name)["EventSourceMappings"]
    assert (mapping["State"], mapping["BatchSize"]) == ("Enabled", 7)
    clients("sqs").delete_queue(QueueUrl=url)


def test_a_change_of_what_belongs_to_a_function_is_judged_too(stack, make_function):
    name = make_function("x = 1").name
    kind, good = "AWS::Lambda::EventInvokeConfig", {"FunctionName": name, "Qualifier": "$LATEST"}
    stacked, status, reason = stack(Any={"Type": kind, "Properties": {**good, "MaximumRetryAttempts": 1}})
    assert status == "CREATE_COMPLETE", reason
    wrong = {"Type": kind, "Properties": {**good, "MaximumRetryAttempts": 3}}
    _, status, reason = stack(update=stacked, Any=wrong)
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "at 'maximumRetryAttempts' failed to satisfy" in reason


LAMBDA = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}


@pytest.mark.parametrize(
    ("kind", "properties", "words"),
    [
        ("Permission", {"FunctionName": "nobody", **LAMBDA}, "Function not found: arn:aws:lambda:"),
        ("Permission", {**LAMBDA, "Principal": "x"}, "The provided principal was invalid"),
        ("Permission", {**LAMBDA, "SourceAccount": "1"}, "at 'sourceAccount' failed to satisfy"),
        ("Version", {"FunctionName": "nobody"}, "Function not found: arn:aws:lambda:"),
        ("Alias", {"FunctionName": "nobody", "FunctionVersion": "1", "Name": "a"}, "Function not found: "),
        ("Alias", {"FunctionVersion": "9", "Name": "a"}, ":9"),
        ("Alias", {"FunctionVersion": "$LATEST", "Name": "1"}, "at 'name' failed to satisfy"),
        ("Url", {"AuthType": "ANY"}, "Member must satisfy enum value set: [NONE, AWS_IAM]"),
        ("EventInvokeConfig", {"Qualifier": "$LATEST", "MaximumRetryAttempts": "5"}, "less than or equal to 2"),
        ("LayerVersion", {"Content": {"S3Bucket": "not-there", "S3Key": "k"}}, "NoSuchBucket"),
    ],
)
def test_others_that_are_refused_fail_their_stack(stack, make_function, kind, properties, words):
    name = make_function("x = 1").name
    own = {} if kind == "LayerVersion" else {"TargetFunctionArn" if kind == "Url" else "FunctionName": name}
    _, status, reason = stack(Any={"Type": f"AWS::Lambda::{kind}", "Properties": {**own, **properties}})
    assert (status, words in reason) == ("ROLLBACK_COMPLETE", True), reason


def test_an_alias_of_a_version_of_the_same_stack(stack, clients):
    resource = function()
    name = resource["Properties"]["FunctionName"]
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Made"}}}
    number = {"Fn::GetAtt": ["Version", "Version"]}
    alias = {"Name": "live", "FunctionName": {"Ref": "Made"}, "FunctionVersion": number}
    url = {"TargetFunctionArn": {"Ref": "Alias"}, "AuthType": "NONE"}
    _, status, reason = stack(
        Made=resource,
        Version=version,
        Alias={"Type": "AWS::Lambda::Alias", "Properties": alias},
        Url={"Type": "AWS::Lambda::Url", "Properties": url},
    )
    assert status == "CREATE_COMPLETE", reason
    assert clients("lambda").get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    assert clients("lambda").get_function_url_config(FunctionName=name, Qualifier="live")["AuthType"] == "NONE"


def version_of(function, **properties):
    return {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": function, **properties}}


SNAPSTART = {"ApplyOn": "PublishedVersions"}
# This Python's, or the oldest that has SnapStart.
SNAPPED = {"SnapStart": SNAPSTART, "Runtime": f"python3.{max(12, sys.version_info.minor)}"}
SLEEPS = "import time\ntime.sleep(2)\ndef handler(event, context):\n    return 'well'\n"
FAILS = "raise ValueError('in vain')\n"


@pytest.mark.parametrize("with_stack", ["version", "function"])
def test_a_version_has_its_environments_when_the_stack_is_made_and_they_end_with_it(
    stack, make_function, clients, with_stack
):
    client, two = clients("lambda"), {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 2}}
    if with_stack == "version":
        tested = make_function("def handler(event, context):\n    return 'well'\n")
        name, status, reason = stack(V=version_of(tested.name, **two))
    else:
        whole = function()
        tested = TestedFunction(whole["Properties"]["FunctionName"], clients)
        name, status, reason = stack(F=whole, V=version_of({"Ref": "F"}, **two))
    assert status == "CREATE_COMPLETE", reason
    told = client.get_provisioned_concurrency_config(FunctionName=tested.name, Qualifier="1")
    assert (told["Status"], len(tested.processes())) == ("READY", 2)
    clients("cloudformation").delete_stack(StackName=name)
    eventually(lambda: not tested.processes())
    if with_stack == "version":
        assert client.list_provisioned_concurrency_configs(FunctionName=tested.name)[CONFIGS] == []
        assert tested.invoke().payload == "well"


CONFIGS = "ProvisionedConcurrencyConfigs"


def test_an_alias_has_its_environments_when_the_stack_is_made(stack, clients):
    whole = function(Code={"ZipFile": SLEEPS})
    wanted = {"Name": "live", "FunctionVersion": {"Fn::GetAtt": ["V", "Version"]}, "FunctionName": {"Ref": "F"}}
    wanted["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": 1}
    alias = {"Type": "AWS::Lambda::Alias", "Properties": wanted}
    _, status, reason = stack(F=whole, V=version_of({"Ref": "F"}), A=alias)
    assert status == "CREATE_COMPLETE", reason
    its = {"FunctionName": whole["Properties"]["FunctionName"], "Qualifier": "live"}
    assert clients("lambda").get_provisioned_concurrency_config(**its)["Status"] == "READY"


def test_a_version_whose_environments_cannot_begin_fails_its_stack(stack, clients):
    one = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}
    _, status, reason = stack(F=function(Code={"ZipFile": FAILS}), V=version_of({"Ref": "F"}, **one))
    assert (status, "FUNCTION_ERROR_INIT_FAILURE" in reason) == ("ROLLBACK_COMPLETE", True), reason


@pytest.mark.skipif(not confinement.snapshots_possible(), reason="this machine forbids what SnapStart needs")
def test_a_version_with_snapstart_can_be_called_when_the_stack_is_made(stack, clients):
    whole = function(Code={"ZipFile": SLEEPS}, **SNAPPED)
    name, status, reason = stack(F=whole, V=version_of({"Ref": "F"}))
    assert status == "CREATE_COMPLETE", reason
    tested = TestedFunction(whole["Properties"]["FunctionName"], clients)
    assert tested.invoke(Qualifier="1").payload == "well"
    clients("cloudformation").delete_stack(StackName=name)
    eventually(lambda: not tested.processes())
    _, status, reason = stack(F=function(Code={"ZipFile": FAILS}, **SNAPPED), V=version_of({"Ref": "F"}))
    assert (status, "in vain" in reason) == ("ROLLBACK_COMPLETE", True), reason


def test_a_version_that_an_alias_names_does_not_end_with_its_stack(stack, make_function, clients):
    tested, client = (
        make_function("def handler(event, context):\n    return context.function_version\n"),
        clients("lambda"),
    )
    name, status, reason = stack(V=version_of(tested.name))
    assert status == "CREATE_COMPLETE", reason
    client.create_alias(FunctionName=tested.name, Name="live", FunctionVersion="1")
    stacks = clients("cloudformation")
    stacks.delete_stack(StackName=name)
    status = lambda: stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]  # noqa: E731
    eventually(lambda: status() == "DELETE_FAILED")
    assert tested.invoke(Qualifier="live").payload == "1"
    client.delete_alias(FunctionName=tested.name, Name="live")


def test_a_stack_that_is_deleted_while_it_is_made_leaves_nothing(make_function, clients):
    tested, stacks = make_function(SLEEPS), clients("cloudformation")
    one = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}
    body = json.dumps({"Resources": {"V": version_of(tested.name, **one)}})
    stacks.create_stack(StackName="deleted-early", TemplateBody=body)
    eventually(tested.processes)
    stacks.delete_stack(StackName="deleted-early")
    stacks.get_waiter("stack_delete_complete").wait(StackName="deleted-early", WaiterConfig={"Delay": 1})
    eventually(lambda: not tested.processes())
    versions = clients("lambda").list_versions_by_function(FunctionName=tested.name)["Versions"]
    assert [each["Version"] for each in versions] == ["$LATEST"]


@pytest.mark.skipif(not confinement.snapshots_possible(), reason="this machine forbids what SnapStart needs")
def test_the_embedded_aws_ends_though_a_stack_waits(tmp_path, free_port):
    whole = function(Code={"ZipFile": SLEEPS.replace("2", "100")}, **SNAPPED)
    clients, name = clients_for(start_server(tmp_path, free_port())), whole["Properties"]["FunctionName"]
    body = json.dumps({"Resources": {"F": whole, "V": version_of({"Ref": "F"})}})
    clients("cloudformation").create_stack(StackName="waits", TemplateBody=body)
    eventually(TestedFunction(name, clients).processes)
    localaws.stop(tmp_path)
    eventually(lambda: not processes_of(tmp_path))
    stacks = clients_for(start_server(tmp_path, free_port()))("cloudformation")
    try:
        status = lambda: stacks.describe_stacks(StackName="waits")["Stacks"][0]["StackStatus"]  # noqa: E731
        eventually(lambda: not status().endswith("IN_PROGRESS"))
        assert status() != "CREATE_COMPLETE"
    finally:
        localaws.stop(tmp_path)
    eventually(lambda: not processes_of(tmp_path))
