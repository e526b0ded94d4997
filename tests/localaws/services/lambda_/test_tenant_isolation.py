"""Tenant isolation: environments of a tenant's own, whom the function serves, and what AWS refuses."""

import json

import pytest
from localaws_client import ROLE, eventually, refused, signed, zipped

ISOLATED = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
# The environment that serves, how often it has served, and for whom
CODE = """
import uuid
environment, calls = str(uuid.uuid4()), []

def handler(event, context):
    calls.append(context.tenant_id)
    open('/tmp/tenants', 'a').write(context.tenant_id + ' ')
    print('served', event)
    if event == 'fail':
        raise ValueError('failed')
    return [environment, calls, open('/tmp/tenants').read().split()]
"""
WITHOUT = (
    "InvalidParameterValueException",
    "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.",
)


@pytest.fixture
def function(make_function):
    return make_function(CODE, **ISOLATED)


@pytest.fixture
def client(clients):
    return clients("lambda")


def test_no_environment_serves_two_tenants(function, client):
    blue, green = (function.invoke(TenantId=tenant).payload for tenant in ("blue", "green"))
    again = function.invoke(TenantId="blue").payload
    assert blue[0] == again[0] != green[0], "one for each, and it is used again"
    assert (again[1], again[2]) == (["blue", "blue"], ["blue", "blue"])
    assert (green[1], green[2]) == (["green"], ["green"])
    assert len(function.streams()) == 2
    assert client.get_function_configuration(FunctionName=function.name)["TenancyConfig"] == ISOLATED["TenancyConfig"]


def test_versions_and_aliases_have_it_too(function, client):
    version = client.publish_version(FunctionName=function.name)
    assert version["TenancyConfig"] == ISOLATED["TenancyConfig"]
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version["Version"])
    ours = function.invoke(TenantId="blue", Qualifier="live").payload
    assert ours[1] == ["blue"]
    assert function.invoke(TenantId="blue").payload[0] != ours[0]
    assert refused(client.invoke, FunctionName=function.name, Qualifier="live") == WITHOUT


def test_a_changed_function_begins_anew_for_each_tenant(function):
    before = function.invoke(TenantId="blue").payload[0]
    function.update(Environment={"Variables": {"NEW": "1"}})
    assert function.invoke(TenantId="blue").payload[0] != before
    eventually(lambda: len(function.processes()) == 1)


@pytest.mark.parametrize("operation", ["invoke", "invoke_with_response_stream"])
def test_who_names_no_tenant_is_refused(function, client, operation):
    invoke = getattr(client, operation)
    assert refused(invoke, FunctionName=function.name) == WITHOUT
    assert refused(client.invoke, FunctionName=function.name, InvocationType="Event") == WITHOUT
    assert function.logged() == []


def test_a_function_that_is_everybodys_takes_no_tenant(make_function, client):
    function = make_function("def handler(event, context):\n    return context.tenant_id\n")
    code, message = refused(client.invoke, FunctionName=function.name, TenantId="blue")
    assert code == "InvalidParameterValueException" and "not enabled with tenancy configuration" in message
    assert function.invoke().payload is None


@pytest.mark.parametrize(
    ("tenant", "problem"),
    [
        ("a\\b", r"Member must satisfy regular expression pattern: [a-zA-Z0-9\._:\/=+\-@ ]+"),
        ("a" * 257, "Member must have length less than or equal to 256"),
    ],
)
def test_a_tenant_id_that_is_none(function, embedded_aws, tenant, problem):
    path = f"/2015-03-31/functions/{function.name}/invocations"
    answer = signed(embedded_aws, "POST", path, b"{}", **{"X-Amz-Tenant-Id": tenant})
    assert answer.status_code == 400 and answer.headers["x-amzn-ErrorType"] == "ValidationException"
    assert answer.json()["message"].startswith("1 validation error detected: Value '")
    assert answer.json()["message"].endswith(f"at 'tenantId' failed to satisfy constraint: {problem}")


def test_an_event_is_tried_again_for_its_tenant(function, client):
    client.tag_resource(
        Resource=client.get_function_configuration(FunctionName=function.name)["FunctionArn"],
        Tags={"localaws:retry-seconds": "0.1"},
    )
    function.invoke("fail", InvocationType="Event", TenantId="blue")
    eventually(lambda: len(function.reports()) == 3)
    assert function.invoke(TenantId="blue").payload[1] == ["blue"] * 4
    assert len(function.streams()) == 1


def test_a_stream_is_of_a_tenant(make_function, client):
    code = "export const handler = awslambda.streamifyResponse(async (e, s, context) => s.end(context.tenantId));"
    function = make_function(code, "nodejs22.x", MemorySize=1769, **ISOLATED)
    answer = client.invoke_with_response_stream(FunctionName=function.name, TenantId="a/b@c")
    assert [event["PayloadChunk"]["Payload"] for event in answer["EventStream"] if "PayloadChunk" in event] == [
        b"a/b@c"
    ]


@pytest.mark.parametrize(
    ("runtime", "code"),
    [
        (
            "nodejs22.x",
            "export const handler = async (event, context) => { console.log('hello'); return context.tenantId; };",
        ),
        ("ruby3.4", "def handler(event:, context:)\n  puts 'hello'\n  context.tenant_id\nend\n"),
    ],
)
def test_other_languages_know_their_tenant(make_function, needs, runtime, code):
    needs(runtime.rstrip("0123456789.x").removesuffix("js"))
    function = make_function(code, runtime, **({"Handler": "app.handler"} | ISOLATED))
    assert function.invoke(TenantId="blue").payload == "blue"


def test_json_logs_name_the_tenant(make_function):
    """https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-monitor.html"""
    code = "export const handler = async () => console.log('hello');"
    function = make_function(code, "nodejs22.x", LoggingConfig={"LogFormat": "JSON"}, **ISOLATED)
    function.invoke(TenantId="blue")
    records = [json.loads(message) for message in function.messages()]
    tenants = {each.get("type", "own"): each.get("record", each).get("tenantId") for each in records}
    assert tenants["platform.start"] == tenants["platform.report"] == tenants["own"] == "blue"
    assert tenants["platform.initStart"] is None


# What does not go with it


def made_with(client, **parameters):
    return refused(
        client.create_function,
        **{
            "FunctionName": "isolated",
            "Runtime": "python3.13",
            "Role": ROLE,
            "Handler": "app.handler",
            "Code": {"ZipFile": zipped({"app.py": CODE})},
            **parameters,
        },
    )


def test_snapstart(client):
    code, message = made_with(client, SnapStart={"ApplyOn": "PublishedVersions"}, **ISOLATED)
    assert code == "InvalidParameterValueException" and "SnapStart" in message


def test_another_mode(client):
    assert made_with(client, TenancyConfig={"TenantIsolationMode": "SHARED"}) == (
        "ValidationException",
        "1 validation error detected: Value 'SHARED' at 'tenancyConfig.tenantIsolationMode' failed to satisfy "
        "constraint: Member must satisfy enum value set: [PER_TENANT]",
    )


def test_it_is_chosen_once_and_for_all(embedded_aws, make_function):
    function = make_function("def handler(event, context):\n    return context.tenant_id\n")
    path = f"/2015-03-31/functions/{function.name}/configuration"
    answer = signed(embedded_aws, "PUT", path, json.dumps(ISOLATED))  # the operation has no such member
    assert answer.status_code == 200 and "TenancyConfig" not in answer.json()
    function.wait()
    assert function.invoke().error is None


def test_provisioned_concurrency(function, client):
    version = client.publish_version(FunctionName=function.name)["Version"]
    told = refused(
        client.put_provisioned_concurrency_config,
        FunctionName=function.name,
        Qualifier=version,
        ProvisionedConcurrentExecutions=1,
    )
    assert told[0] == "InvalidParameterValueException" and "provisioned concurrency" in told[1]


def test_a_function_url(function, client):
    told = refused(client.create_function_url_config, FunctionName=function.name, AuthType="NONE")
    assert told[0] == "InvalidParameterValueException" and "function URL" in told[1]


def test_an_event_source(function, client, clients):
    url = clients("sqs").create_queue(QueueName="of-tenants")["QueueUrl"]
    told = refused(
        client.create_event_source_mapping,
        FunctionName=function.name,
        EventSourceArn="arn:aws:sqs:us-east-1:000000000000:of-tenants",
    )
    clients("sqs").delete_queue(QueueUrl=url)
    assert told[0] == "InvalidParameterValueException" and "event source mapping" in told[1]
    assert client.list_event_source_mappings(FunctionName=function.name)["EventSourceMappings"] == []


def test_an_event_of_a_service_that_names_no_tenant_does_not_run_it(function, clients):
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    function.let_in("sns")
    topic = clients("sns").create_topic(Name="of-tenants")["TopicArn"]
    queue = clients("sqs").create_queue(QueueName="not-run")["QueueUrl"]
    clients("lambda").put_function_event_invoke_config(
        FunctionName=function.name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:not-run"}},
    )
    clients("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    clients("sns").publish(TopicArn=topic, Message="hello")
    (message,) = eventually(
        lambda: clients("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"), 30
    )
    clients("sns").delete_topic(TopicArn=topic)
    clients("sqs").delete_queue(QueueUrl=queue)
    assert json.loads(message["Body"])["responsePayload"]["errorMessage"] == WITHOUT[1]
    assert function.logged() == []
