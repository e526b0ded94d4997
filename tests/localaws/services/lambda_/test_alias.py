"""Aliases: which version runs for a call of one, by its weights, and what is refused of them in AWS's words.

The words are those of localstack's recordings of November 2025: TestLambdaAlias, in its test_lambda_api.snapshot.json.
"""

import collections
import json
import math

import pytest
import requests
from botocore.exceptions import ClientError
from localaws_client import PERMISSIONS, ROLE, eventually, refused

TELL = """
def handler(event, context):
    print("told", context.function_version, context.invoked_function_arn)
    return {"version": context.function_version, "arn": context.invoked_function_arn}
"""
ALIAS = "live"
CHANCE = 1e-6  # that a test of chance fails, though all is right


@pytest.fixture
def versions(make_function, clients):
    """A function with two versions, which both say who they are."""
    function = make_function(TELL)
    return publish(function, clients, Description="one"), publish(function, clients, Description="two"), function


def publish(function, clients, **changes):
    function.update(**changes)
    return clients("lambda").publish_version(FunctionName=function.name)["Version"]


def route(clients, function, weights, version="1", operation="create_alias", name=ALIAS):
    routing = {"AdditionalVersionWeights": weights}
    return getattr(clients("lambda"), operation)(
        FunctionName=function.name, Name=name, FunctionVersion=version, RoutingConfig=routing
    )


def ran(clients, function, calls):
    """How often each version answered for the alias."""
    answers = [clients("lambda").invoke(FunctionName=function.name, Qualifier=ALIAS) for _ in range(calls)]
    told = [(answer["ExecutedVersion"], json.load(answer["Payload"])) for answer in answers]
    assert all(executed == payload["version"] for executed, payload in told)
    assert {payload["arn"] for _, payload in told} == {alias_arn(function)}
    return collections.Counter(executed for executed, _ in told)


def alias_arn(function):
    return f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}:{ALIAS}"


def likely(calls, weight):
    """How many of the calls may go there: all numbers but those at both ends, which together come once in 1/CHANCE."""
    odds = [math.comb(calls, n) * weight**n * (1 - weight) ** (calls - n) for n in range(calls + 1)]
    low = next(n for n in range(calls + 1) if sum(odds[: n + 1]) > CHANCE / 2)
    high = next(n for n in range(calls, -1, -1) if sum(odds[n:]) > CHANCE / 2)
    return range(low, high + 1)


def test_what_is_likely():
    assert likely(1, 0.5) == range(2)
    assert 0 not in likely(300, 0.1) and 30 in likely(300, 0.1) and 100 not in likely(300, 0.1)


def test_calls_are_shared_by_the_weight_and_the_answer_says_which_version_ran(versions, clients):
    function = versions[2]
    route(clients, function, {"2": 0.1})
    found = ran(clients, function, 300)
    assert found["2"] in likely(300, 0.1) and found["1"] == 300 - found["2"]


def test_a_share_of_ten_per_cent_is_rolled_back_or_completed(versions, clients):
    function = versions[2]
    route(clients, function, {"2": 0.5})
    assert ran(clients, function, 40).keys() == {"1", "2"}
    rolled_back = route(clients, function, {}, operation="update_alias")
    assert "RoutingConfig" not in rolled_back
    assert ran(clients, function, 40) == {"1": 40}
    route(clients, function, {}, version="2", operation="update_alias")
    assert ran(clients, function, 40) == {"2": 40}


@pytest.mark.parametrize(("weight", "version"), [(0.0, "1"), (1.0, "2")])
def test_nothing_and_all(versions, clients, weight, version):
    function = versions[2]
    route(clients, function, {"2": weight})
    assert ran(clients, function, 40) == {version: 40}


def test_log_streams_and_start_lines_tell_the_version(versions, clients):
    function = versions[2]
    route(clients, function, {"2": 1.0})
    result = function.invoke(Qualifier=ALIAS)
    assert f"START RequestId: {result.request_id} Version: 2\n" in result.tail
    assert all("[2]" in stream for stream in function.streams())


def test_get_function_tells_the_version_that_the_alias_points_to(versions, clients):
    function = versions[2]
    route(clients, function, {"2": 1.0})
    for _ in range(5):
        configuration = clients("lambda").get_function_configuration(FunctionName=function.name, Qualifier=ALIAS)
        assert (configuration["Version"], configuration["FunctionArn"]) == ("1", alias_arn(function))


def told(function, number=1):
    """What an alias with all weight on version 2 has run, once it has run so often."""
    lines = eventually(lambda: [line for line in function.messages() if line.startswith("told")][number - 1 :])
    return {tuple(line.split()[1:]) for line in lines}


def test_an_asynchronous_call_runs_by_the_weights(versions, clients):
    function = versions[2]
    route(clients, function, {"2": 1.0})
    answer = clients("lambda").invoke(FunctionName=function.name, Qualifier=ALIAS, InvocationType="Event")
    assert answer["StatusCode"] == 202 and "ExecutedVersion" not in answer  # nothing has run yet
    assert told(function) == {("2", alias_arn(function))}


def test_a_mapping_of_a_queue_runs_by_the_weights(versions, clients):
    function, sqs = versions[2], clients("sqs")
    route(clients, function, {"2": 1.0})
    url = sqs.create_queue(QueueName="of-an-alias")["QueueUrl"]
    mapping = clients("lambda").create_event_source_mapping(
        FunctionName=alias_arn(function), EventSourceArn="arn:aws:sqs:us-east-1:000000000000:of-an-alias"
    )
    sqs.send_message(QueueUrl=url, MessageBody="x")
    try:
        assert told(function) == {("2", alias_arn(function))}
    finally:
        clients("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
        sqs.delete_queue(QueueUrl=url)


def test_a_function_url_of_an_alias_runs_by_the_weights(versions, clients):
    function, client = versions[2], clients("lambda")
    route(clients, function, {"2": 1.0})
    of_alias = {"FunctionName": function.name, "Qualifier": ALIAS}
    for statement, permission in PERMISSIONS.items():
        client.add_permission(**of_alias, StatementId=statement, Principal="*", **permission)
    url = client.create_function_url_config(**of_alias, AuthType="NONE")["FunctionUrl"]
    assert requests.get(url, timeout=30).json() == {"version": "2", "arn": alias_arn(function)}


def test_a_topic_and_a_bus_run_an_alias_by_the_weights(versions, clients):
    function, sns, events = versions[2], clients("sns"), clients("events")
    route(clients, function, {"2": 1.0})
    for service in ("sns", "events"):
        clients("lambda").add_permission(
            FunctionName=function.name,
            Qualifier=ALIAS,
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
        )
    topic = sns.create_topic(Name="of-an-alias")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=alias_arn(function))
    sns.publish(TopicArn=topic, Message="x")
    assert told(function) == {("2", alias_arn(function))}
    events.put_rule(Name="of-an-alias", EventPattern=json.dumps({"source": ["of-an-alias"]}))
    events.put_targets(Rule="of-an-alias", Targets=[{"Id": "f", "Arn": alias_arn(function)}])
    events.put_events(Entries=[{"Source": "of-an-alias", "DetailType": "x", "Detail": "{}"}])
    assert told(function, 2) == {("2", alias_arn(function))}
    events.remove_targets(Rule="of-an-alias", Ids=["f"])
    events.delete_rule(Name="of-an-alias")
    sns.delete_topic(TopicArn=topic)


def test_metrics_are_counted_for_the_alias_and_for_each_version_that_ran_for_it(versions, clients):
    function = versions[2]
    route(clients, function, {"2": 0.5})
    found = ran(clients, function, 20)
    resource = {"FunctionName": function.name, "Resource": f"{function.name}:{ALIAS}"}
    assert invocations(clients, **resource) == 20
    for version in ("1", "2"):
        assert invocations(clients, **resource, ExecutedVersion=version) == found[version]
    function.invoke(Qualifier="1")
    assert invocations(clients, FunctionName=function.name, Resource=f"{function.name}:1") == 1
    assert invocations(clients, FunctionName=function.name) == 21


def invocations(clients, **dimensions):
    (found,) = clients("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "m",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": "Invocations",
                        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                    },
                    "Period": 3600,
                    "Stat": "Sum",
                },
            }
        ],
        StartTime=0,
        EndTime=4_000_000_000,
    )["MetricDataResults"]
    return sum(found["Values"])


INVALID, VALIDATION, MISSING = "InvalidParameterValueException", "ValidationException", "ResourceNotFoundException"
CONSTRAINT = "at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map"
VALUES = (
    "value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater "
    "than or equal to 0.0, Member must not be null]"
)
KEYS = (
    "keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length "
    "greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"
)
ERROR = "1 validation error detected: Value"


@pytest.mark.parametrize("operation", ["create_alias", "update_alias"])
@pytest.mark.parametrize(
    ("version", "weights", "code", "message"),
    [
        ("1", {"1": 0.8, "2": 0.2}, INVALID, "Number of items in AdditionalVersionWeights cannot be greater than 1"),
        ("1", {"2": 2.0}, VALIDATION, f"{ERROR} '{{2=2.0}}' {CONSTRAINT} {VALUES}"),
        ("1", {"$LATEST": 0.5}, VALIDATION, f"{ERROR} '{{$LATEST=0.5}}' {CONSTRAINT} {KEYS}"),
        (
            "1",
            {"1": 0.5},
            INVALID,
            "Invalid function version 1. Function version 1 is already included in routing configuration.",
        ),
        ("10", {"2": 0.5}, MISSING, "Function not found: {arn}:10"),
        ("1", {"10": 0.5}, MISSING, "Function not found: {arn}:10"),
        ("$LATEST", {"1": 0.5}, INVALID, "$LATEST is not supported for an alias pointing to more than 1 version"),
    ],
)
def test_weights_that_aws_does_not_take(versions, clients, operation, version, weights, code, message):
    function = versions[2]
    if operation == "update_alias":
        route(clients, function, {})
    arn = alias_arn(function).removesuffix(f":{ALIAS}")
    with pytest.raises(ClientError) as raised:
        route(clients, function, weights, version, operation)
    error = raised.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, message.replace("{arn}", arn))


def test_an_update_is_judged_with_what_stays(versions, clients):
    function, client = versions[2], clients("lambda")
    route(clients, function, {"2": 0.1})
    alias = {"FunctionName": function.name, "Name": ALIAS}
    code, message = refused(client.update_alias, **alias, FunctionVersion="2")
    assert (code, message) == (
        "InvalidParameterValueException",
        "Invalid function version 2. Function version 2 is already included in routing configuration.",
    )
    assert client.update_alias(**alias, Description="new")["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}


def test_both_versions_have_the_same_role_and_dead_letters(versions, clients):
    function, iam = versions[2], clients("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    other = iam.create_role(RoleName="of-another-version", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    third = publish(function, clients, Role=other)
    code, message = refused(route, clients=clients, function=function, weights={third: 0.5})
    assert code == "InvalidParameterValueException" and "the same execution role" in message
    queue = clients("sqs").create_queue(QueueName="dead-letters-of-a-version")["QueueUrl"]
    dead_letters = {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead-letters-of-a-version"}
    fourth = publish(function, clients, Role=ROLE, DeadLetterConfig=dead_letters)
    code, message = refused(route, clients=clients, function=function, weights={fourth: 0.5})
    assert code == "InvalidParameterValueException" and "the same dead-letter queue" in message
    clients("sqs").delete_queue(QueueUrl=queue)
    iam.delete_role(RoleName="of-another-version")


def test_aliases_that_are_there_and_that_are_not(versions, clients):
    function, client = versions[2], clients("lambda")
    assert refused(route, clients=clients, function=function, weights={}, name="2024") == (
        "ValidationException",
        "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    )
    route(clients, function, {})
    code, message = refused(route, clients=clients, function=function, weights={})
    assert (code, message) == ("ResourceConflictException", f"Alias already exists: {alias_arn(function)}")
    missing = {"FunctionName": function.name, "Name": "missing"}
    code, message = refused(client.get_alias, **missing)
    assert code == "ResourceNotFoundException" and message.startswith("Cannot find alias arn: arn:")
    code, message = refused(client.update_alias, **missing)
    assert code == "ResourceNotFoundException" and message.startswith("Alias not found: arn:")
    assert client.delete_alias(**missing)["ResponseMetadata"]["HTTPStatusCode"] == 204
    route(clients, function, {}, name="2024-01-02")
