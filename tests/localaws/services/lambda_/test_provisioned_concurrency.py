"""Provisioned concurrency as clients see it: when its environments are ready, which calls they serve, what is refused.

The refusals are in the words of localstack's recordings of November 2025: TestLambdaProvisionedConcurrency in its
test_lambda_api.snapshot.json, TestLambdaConcurrency in its test_lambda.snapshot.json.
"""

import contextlib
import json
import re
import threading
import time

import psutil
import pytest
from botocore.exceptions import ClientError
from localaws_client import eventually, refused
from meeting import MEET, together

INVALID = "InvalidParameterValueException"
TELL = (
    MEET
    + """
import os, time
print("init of", os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"])
count = 0
def handler(event, context):
    global count
    count += 1
    if event == "die":
        os._exit(1)
    if isinstance(event, dict) and "meet" in event:
        meet(event["meet"])
    time.sleep(event if isinstance(event, (int, float)) else 0)
    return {"type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "version": context.function_version, "count": count,
            "stream": context.log_stream_name}
"""
)
BREAKS = """
import os
if os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency":
    raise RuntimeError("not before a call")
def handler(event, context):
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
"""
PROVISIONED = "provisioned-concurrency"


@pytest.fixture
def version(make_function, clients):
    """A function with version 1."""
    return published(make_function(TELL, Timeout=30), clients)


def published(function, clients, **changes):
    if changes:
        function.update(**changes)
    clients("lambda").publish_version(FunctionName=function.name)
    return function


def put(clients, function, number, qualifier="1"):
    return clients("lambda").put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=qualifier, ProvisionedConcurrentExecutions=number
    )


def get(clients, function, qualifier="1"):
    return clients("lambda").get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=qualifier)


def ready(clients, function, number, qualifier="1"):
    """Provision so many, and wait until they are there."""
    put(clients, function, number, qualifier)
    eventually(lambda: get(clients, function, qualifier)["Status"] == "READY")


def numbers(config):
    return [config[f"{kind}ProvisionedConcurrentExecutions"] for kind in ("Requested", "Allocated", "Available")]


def value(clients, metric, statistic="Sum", **dimensions):
    found = clients("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=time.time() - 86_400,
        EndTime=time.time() + 86_400,
        Period=86_400,
        Statistics=[statistic],
    )["Datapoints"]
    return sum(point[statistic] for point in found)


def test_it_is_in_progress_and_then_ready(version, clients):
    answer = put(clients, version, 3)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (answer["Status"], numbers(answer)) == ("IN_PROGRESS", [3, 0, 0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", answer["LastModified"])
    found = eventually(lambda: (config := get(clients, version))["Status"] == "READY" and config)
    assert numbers(found) == [3, 3, 3] and found["LastModified"] == answer["LastModified"]
    assert "StatusReason" not in found


def test_environments_are_initialised_before_the_first_call_and_serve_it(version, clients):
    ready(clients, version, 2)
    messages = version.messages()
    assert sum(message.startswith("INIT_START") for message in messages) == 2
    assert messages.count(f"init of {PROVISIONED}\n") == 2
    assert not version.reports() and version.metric("Invocations") == 0
    streams = set(version.streams())
    result = version.invoke(Qualifier="1")
    assert result.payload["type"] == PROVISIONED and result.payload["stream"] in streams
    assert result.tail.startswith("START RequestId") and set(version.streams()) == streams
    assert version.invoke(Qualifier="1").payload["count"] == 2


def test_the_time_of_init_stands_in_the_report_of_the_first_call(version, clients):
    """As on AWS: https://stackoverflow.com/q/60059435 has such a line, and so has https://qiita.com/unhurried."""
    ready(clients, version, 1)
    for _ in range(2):
        version.invoke(Qualifier="1")
    assert [report["init"] is not None for report in version.reports()] == [True, False]


def test_a_log_in_json_has_the_type(make_function, clients):
    function = published(make_function(TELL, LoggingConfig={"LogFormat": "JSON"}), clients)
    ready(clients, function, 1)
    events = [json.loads(message) for message in function.messages() if '"platform.initStart"' in message]
    assert [event["record"]["initializationType"] for event in events] == [PROVISIONED]


def test_the_other_versions_have_nothing_of_it(version, clients):
    ready(clients, version, 1)
    assert version.invoke().payload["type"] == "on-demand"


def test_a_configuration_of_an_alias_serves_its_version_too(version, clients):
    """As in localstack's recording test_lambda_provisioned_concurrency_moves_with_alias."""
    clients("lambda").create_alias(FunctionName=version.name, Name="live", FunctionVersion="1")
    ready(clients, version, 1, "live")
    assert [version.invoke(Qualifier=each).payload["type"] for each in ("live", "1")] == [PROVISIONED] * 2
    code, _ = refused(clients("lambda").get_provisioned_concurrency_config, FunctionName=version.name, Qualifier="1")
    assert code == "ProvisionedConcurrencyConfigNotFoundException"


def test_it_moves_with_the_alias(version, clients):
    client = clients("lambda")
    client.create_alias(FunctionName=version.name, Name="live", FunctionVersion="1")
    ready(clients, version, 1, "live")
    published(version, clients, Description="two")
    client.update_alias(FunctionName=version.name, Name="live", FunctionVersion="2")
    eventually(lambda: get(clients, version, "live")["Status"] == "READY")
    found = [version.invoke(Qualifier=each).payload for each in ("live", "2", "1")]
    assert [each["type"] for each in found] == [PROVISIONED, PROVISIONED, "on-demand"]
    assert [each["version"] for each in found] == ["2", "2", "1"]


def test_weights_that_an_alias_gets_later_share_its_environments(version, clients):
    client = clients("lambda")
    published(version, clients, Description="two")
    client.create_alias(FunctionName=version.name, Name="live", FunctionVersion="1")
    ready(clients, version, 4, "live")
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    client.update_alias(FunctionName=version.name, Name="live", RoutingConfig=weights)
    eventually(lambda: get(clients, version, "live")["Status"] == "READY")
    assert numbers(get(clients, version, "live")) == [4, 4, 4]
    assert version.invoke(Qualifier="2").payload["type"] == PROVISIONED
    eventually(lambda: len(version.processes()) == 4)


def test_calls_beyond_it_run_on_demand_and_are_counted_as_spillover(version, clients):
    ready(clients, version, 2)
    found = [result.payload for result in together([lambda port: version.invoke({"meet": port}, Qualifier="1")] * 3)]
    assert sorted(each["type"] for each in found) == ["on-demand", PROVISIONED, PROVISIONED]
    assert len({each["stream"] for each in found}) == 3
    of_version = {"FunctionName": version.name, "Resource": f"{version.name}:1"}
    assert value(clients, "ProvisionedConcurrencyInvocations", **of_version) == 2
    assert value(clients, "ProvisionedConcurrencySpilloverInvocations", **of_version) == 1
    assert value(clients, "ProvisionedConcurrentExecutions", "Maximum", **of_version) == 2
    assert value(clients, "ProvisionedConcurrencyUtilization", "Maximum", **of_version) == 1
    assert value(clients, "ProvisionedConcurrencyUtilization", "Minimum", **of_version) == 0.5
    assert (version.metric("Invocations"), version.metric("ConcurrentExecutions", "Maximum")) == (3, 3)


def test_metrics_name_the_alias_and_the_version_that_ran(version, clients):
    clients("lambda").create_alias(FunctionName=version.name, Name="live", FunctionVersion="1")
    ready(clients, version, 1, "live")
    version.invoke(Qualifier="live")
    of_alias = {"FunctionName": version.name, "Resource": f"{version.name}:live"}
    for dimensions in (of_alias, {**of_alias, "ExecutedVersion": "1"}):
        assert value(clients, "ProvisionedConcurrencyInvocations", **dimensions) == 1


def test_one_that_dies_is_replaced(version, clients):
    ready(clients, version, 1)
    (first,) = version.streams()
    assert version.invoke("die", Qualifier="1").error == "Unhandled"
    eventually(lambda: len(version.streams()) == 2 and get(clients, version)["Status"] == "READY")
    payload = version.invoke(Qualifier="1").payload
    assert (payload["type"], payload["count"]) == (PROVISIONED, 1) and payload["stream"] != first


def test_one_that_is_killed_between_calls_is_replaced_before_the_next_one(version, clients):
    ready(clients, version, 1)
    (first,) = version.streams()
    for process in version.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    eventually(lambda: len(version.streams()) == 2 and get(clients, version)["Status"] == "READY")
    payload = version.invoke(Qualifier="1").payload
    assert (payload["type"], payload["count"]) == (PROVISIONED, 1) and payload["stream"] != first


def test_the_number_grows_and_shrinks(version, clients):
    for number in (1, 3, 2):
        ready(clients, version, number)
        assert numbers(get(clients, version)) == [number] * 3
        eventually(lambda number=number: len(version.processes()) == number)


def test_changes_of_the_unpublished_function_leave_it_alone(version, clients):
    ready(clients, version, 1)
    stream = version.invoke(Qualifier="1").payload["stream"]
    version.update(Description="another")
    version.update_code("def handler(event, context):\n    return 'new'\n")
    assert version.invoke(Qualifier="1").payload["stream"] == stream


@pytest.mark.parametrize("ended_with", ["configuration", "alias", "function"])
def test_environments_end_with_what_they_belong_to(version, clients, ended_with):
    client = clients("lambda")
    client.create_alias(FunctionName=version.name, Name="live", FunctionVersion="1")
    ready(clients, version, 2, "live")
    assert len(version.processes()) == 2
    if ended_with == "configuration":
        client.delete_provisioned_concurrency_config(FunctionName=version.name, Qualifier="live")
    elif ended_with == "alias":
        client.delete_alias(FunctionName=version.name, Name="live")
    else:
        client.delete_function(FunctionName=version.name)
    eventually(lambda: not version.processes())
    if ended_with != "function":
        assert version.invoke(Qualifier="1").payload["type"] == "on-demand"
        assert client.list_provisioned_concurrency_configs(FunctionName=version.name)[CONFIGS] == []


def test_environments_end_with_the_version_and_a_new_one_has_none(version, clients):
    client = clients("lambda")
    ready(clients, version, 1)
    client.delete_function(FunctionName=version.name, Qualifier="1")
    eventually(lambda: not version.processes())
    assert client.list_provisioned_concurrency_configs(FunctionName=version.name)[CONFIGS] == []


def test_environments_end_with_a_stack_whose_alias_has_them(version, clients):
    properties = {
        "FunctionName": version.name,
        "FunctionVersion": "1",
        "Name": "live",
        "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1},
    }
    template = {"Resources": {"Alias": {"Type": "AWS::Lambda::Alias", "Properties": properties}}}
    clients("cloudformation").create_stack(StackName="of-an-alias", TemplateBody=json.dumps(template))
    listed = clients("lambda").list_provisioned_concurrency_configs
    eventually(lambda: [each["Status"] for each in listed(FunctionName=version.name)[CONFIGS]] == ["READY"])
    assert version.invoke(Qualifier="live").payload["type"] == PROVISIONED
    clients("cloudformation").delete_stack(StackName="of-an-alias")
    eventually(lambda: not version.processes())


def test_an_init_that_fails_is_told_and_calls_run_on_demand(make_function, clients):
    """AWS tried six times: localstack's recording test_provisioned_concurrency_init_failure of 17 February 2026."""
    function = published(make_function(BREAKS), clients)
    put(clients, function, 1)
    found = eventually(lambda: (config := get(clients, function))["Status"] == "FAILED" and config)
    assert found["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE" and numbers(found) == [1, 0, 0]
    assert len(function.streams()) == 6
    assert [line for line in function.messages() if "Phase: init\tStatus: error\tError Type: RuntimeError" in line][5:]
    assert function.invoke(Qualifier="1").payload == "on-demand"


CONFIGS = "ProvisionedConcurrencyConfigs"


def test_configurations_are_listed_in_pages(version, clients):
    client = clients("lambda")
    for number in (2, 3):
        published(version, clients, Description=str(number))
    for qualifier in "123":
        put(clients, version, 1, qualifier)
    pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName=version.name, PaginationConfig={"PageSize": 2}
    )
    listed = [page[CONFIGS] for page in pages]
    assert [len(page) for page in listed] == [2, 1]
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{version.name}"
    assert [each["FunctionArn"] for page in listed for each in page] == [f"{arn}:{each}" for each in "123"]
    assert {each["RequestedProvisionedConcurrentExecutions"] for page in listed for each in page} == {1}
    assert refused(client.list_provisioned_concurrency_configs, FunctionName="doesnotexist") == (
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:doesnotexist",
    )


@pytest.mark.parametrize("operation", ["put", "get", "delete"])
@pytest.mark.parametrize(
    ("qualifier", "code", "message"),
    [
        ("$LATEST", INVALID, "The function resource provided must be an alias or a published version."),
        ("10", "ResourceNotFoundException", "Function not found: {}:10"),
        ("missing", "ResourceNotFoundException", "Cannot find alias arn: {}:missing"),
    ],
)
def test_it_is_for_published_versions_and_aliases_that_are_there(version, clients, operation, qualifier, code, message):
    if (operation, qualifier) == ("put", "$LATEST"):
        message = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    more = {"ProvisionedConcurrentExecutions": 1} if operation == "put" else {}
    call = getattr(clients("lambda"), f"{operation}_provisioned_concurrency_config")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{version.name}"
    found = refused(call, FunctionName=version.name, Qualifier=qualifier, **more)
    assert found == (code, message.format(arn))


def test_what_is_not_configured_is_not_found_and_deleted_all_the_same(version, clients):
    client, one = clients("lambda"), {"FunctionName": version.name, "Qualifier": "1"}
    assert refused(client.get_provisioned_concurrency_config, **one) == (
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )
    assert client.delete_provisioned_concurrency_config(**one)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_a_version_has_it_by_itself_or_by_an_alias(version, clients):
    client, put_one = clients("lambda"), clients("lambda").put_provisioned_concurrency_config
    client.create_alias(FunctionName=version.name, Name="live", FunctionVersion="1")
    asked = {"FunctionName": version.name, "ProvisionedConcurrentExecutions": 1}
    put(clients, version, 1, "live")
    assert refused(put_one, **asked, Qualifier="1") == (
        "ResourceConflictException",
        "Version is pointed by a Provisioned Concurrency alias",
    )
    client.delete_provisioned_concurrency_config(FunctionName=version.name, Qualifier="live")
    put(clients, version, 1, "1")
    assert refused(put_one, **asked, Qualifier="live") == (
        "ResourceConflictException",
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    )


def both_provisioned(function, clients):
    """Version 1 by an alias, which is told, and version 2 by itself."""
    published(function, clients, Description="two")
    alias = {"FunctionName": function.name, "Name": "live"}
    clients("lambda").create_alias(**alias, FunctionVersion="1")
    put(clients, function, 1, "live")
    put(clients, function, 1, "2")
    return alias


def test_an_alias_that_has_it_moves_to_no_version_that_cannot_or_has_its_own(version, clients):
    client, alias = clients("lambda"), both_provisioned(version, clients)
    assert refused(client.update_alias, **alias, FunctionVersion="$LATEST")[0] == INVALID
    assert refused(client.update_alias, **alias, FunctionVersion="2")[0] == "ResourceConflictException"
    assert client.get_alias(**alias)["FunctionVersion"] == "1"


def test_an_alias_with_weights_cannot_get_it(version, clients):
    published(version, clients, Description="two")
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    clients("lambda").create_alias(FunctionName=version.name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    assert refused(put, clients=clients, function=version, number=1, qualifier="live") == (
        INVALID,
        "Alias with weights can not be used with Provisioned Concurrency",
    )


def test_it_is_within_the_reserved_concurrency(version, clients):
    """As in localstack's recordings test_reserved_provisioned_overlap and test_lambda_concurrency_block."""
    client = clients("lambda")
    ready(clients, version, 2)
    reserve = {"FunctionName": version.name, "ReservedConcurrentExecutions": 1}
    assert refused(client.put_function_concurrency, **reserve) == (
        INVALID,
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
    )
    client.put_function_concurrency(**{**reserve, "ReservedConcurrentExecutions": 2})
    code, _ = refused(client.invoke, FunctionName=version.name)
    assert code == "TooManyRequestsException"
    assert [version.invoke(Qualifier="1").payload["type"] for _ in range(3)] == [PROVISIONED] * 3
    published(version, clients, Description="two")
    for qualifier, number in (("1", 3), ("2", 1)):
        assert refused(put, clients=clients, function=version, number=number, qualifier=qualifier) == (
            INVALID,
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        )


def test_what_is_provisioned_is_the_accounts_no_more(version, clients):
    limits = clients("lambda").get_account_settings()["AccountLimit"]
    put(clients, version, 2)
    left = clients("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    assert left == limits["UnreservedConcurrentExecutions"] - 2
    assert refused(put, clients=clients, function=version, number=limits["ConcurrentExecutions"] + 1) == (
        INVALID,
        f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{left}].",
    )


def test_concurrency_that_runs_is_not_what_is_only_held(version, clients):
    ready(clients, version, 3)
    version.invoke(Qualifier="1")
    assert version.metric("ConcurrentExecutions", "Maximum") == 1


def test_asynchronous_calls_have_it_too(version, clients):
    ready(clients, version, 1)
    version.invoke(0, Qualifier="1", InvocationType="Event")
    eventually(version.reports)
    assert version.messages().count("init of on-demand\n") == 0 and len(version.streams()) == 1


def test_a_busy_one_finishes_when_its_alias_moves(version, clients):
    client = clients("lambda")
    client.create_alias(FunctionName=version.name, Name="live", FunctionVersion="1")
    published(version, clients, Description="two")
    ready(clients, version, 1, "live")
    found = []
    call = threading.Thread(target=lambda: found.append(version.invoke(1, Qualifier="live")))
    call.start()
    eventually(lambda: any(message.startswith("START") for message in version.messages()))
    client.update_alias(FunctionName=version.name, Name="live", FunctionVersion="2")
    call.join()
    assert (found[0].error, found[0].payload["type"], found[0].payload["version"]) == (None, PROVISIONED, "1")
    eventually(lambda: get(clients, version, "live")["Status"] == "READY")
    assert version.invoke(Qualifier="1").payload["type"] == "on-demand"


def test_a_busy_one_finishes_when_its_configuration_is_deleted(version, clients):
    ready(clients, version, 1)
    found = []
    call = threading.Thread(target=lambda: found.append(version.invoke(1, Qualifier="1")))
    call.start()
    eventually(lambda: any(message.startswith("START") for message in version.messages()))
    clients("lambda").delete_provisioned_concurrency_config(FunctionName=version.name, Qualifier="1")
    call.join()
    assert (found[0].error, found[0].payload["type"]) == (None, PROVISIONED)
    eventually(lambda: not version.processes())


SLOW = """
import os, time
if os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency":
    time.sleep(100)
def handler(event, context):
    return "well"
"""


@pytest.mark.parametrize("ended_with", ["configuration", "function", "number"])
def test_those_that_still_begin_end_with_what_they_belong_to_and_give_back_their_concurrency(
    make_function, clients, ended_with
):
    function, client = published(make_function(SLOW, Timeout=120), clients), clients("lambda")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=2)
    put(clients, function, 2)
    eventually(lambda: len(function.processes()) == 2)
    assert refused(function.invoke)[0] == "TooManyRequestsException"
    if ended_with == "configuration":
        client.delete_provisioned_concurrency_config(FunctionName=function.name, Qualifier="1")
    elif ended_with == "number":
        put(clients, function, 1)
    else:
        client.delete_function(FunctionName=function.name)
    eventually(lambda: len(function.processes()) == (1 if ended_with == "number" else 0))
    if ended_with != "function":
        eventually(lambda: outcome_of(function) == "well")
        assert not any("Status: error" in message for message in function.messages())


def outcome_of(function):
    """What a call gives, or nothing where it is throttled."""
    with contextlib.suppress(ClientError):
        return function.invoke().payload


def test_an_alias_that_has_it_gets_no_weight_for_a_version_that_cannot(version, clients):
    client, alias = clients("lambda"), both_provisioned(version, clients)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    assert refused(client.update_alias, **alias, RoutingConfig=weights)[0] == "ResourceConflictException"
    assert "RoutingConfig" not in client.get_alias(**alias)
