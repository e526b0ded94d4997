"""What is told of a function: the members of localstack's recordings of November 2025 (test_function_lifecycle)."""

import re

import pytest
import requests
from localaws_client import zipped

ONE = "def handler(event, context):\n    return 1\n"
ALWAYS = {
    "Architectures",
    "CodeSha256",
    "CodeSize",
    "Description",
    "EphemeralStorage",
    "FunctionArn",
    "FunctionName",
    "Handler",
    "LastModified",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "RevisionId",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "Version",
}
ALONE = {"LastUpdateStatus", "RuntimeVersionConfig", "State"}  # not in lists


@pytest.fixture
def client(clients):
    return clients("lambda")


def members(answer):
    return answer.keys() - {"ResponseMetadata"}


def test_the_members_of_a_configuration(make_function, client):
    function = make_function(ONE)
    found = client.get_function_configuration(FunctionName=function.name)
    assert members(found) == ALWAYS | ALONE
    assert found["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"}
    assert found["TracingConfig"] == {"Mode": "PassThrough"}
    assert found["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", found["LastModified"])
    version = found["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert re.fullmatch(r"arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}", version)


def test_what_was_set_and_is_no_more(make_function, client, clients):
    queue = clients("sqs").create_queue(QueueName="letters")["QueueUrl"]
    arn = clients("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = make_function(ONE, DeadLetterConfig={"TargetArn": arn}, Environment={"Variables": {}})
    found = client.get_function_configuration(FunctionName=function.name)
    assert found["DeadLetterConfig"] == {"TargetArn": arn} and found["Environment"] == {"Variables": {}}
    function.update(DeadLetterConfig={}, Layers=[], KMSKeyArn="", VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
    assert members(client.get_function_configuration(FunctionName=function.name)) == ALWAYS | ALONE | {"Environment"}
    clients("sqs").delete_queue(QueueUrl=queue)


def test_get_function_has_tags_and_concurrency_where_there_are_some(make_function, client):
    function = make_function(ONE)
    assert members(client.get_function(FunctionName=function.name)) == {"Code", "Configuration"}
    arn = client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"a": "b"})
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    found = client.get_function(FunctionName=function.name)
    assert found["Tags"] == {"a": "b"}
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    assert found["Code"].keys() == {"Location", "RepositoryType"}


def test_a_function_has_the_arn_by_which_it_is_asked_for(make_function, client):
    function = make_function(ONE)
    client.publish_version(FunctionName=function.name)
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    for qualifier, version in (("$LATEST", "$LATEST"), ("1", "1"), ("live", "1")):
        found = client.get_function(FunctionName=function.name, Qualifier=qualifier)["Configuration"]
        assert found["FunctionArn"].endswith(f":function:{function.name}:{qualifier}")
        assert found["Version"] == version


def test_the_code_of_a_version_is_its_own(make_function, client):
    function = make_function(ONE)
    client.publish_version(FunctionName=function.name)
    function.update_code(ONE.replace("1", "2"))
    sizes = []
    for qualifier, code in (("1", ONE), ("$LATEST", ONE.replace("1", "2"))):
        place = client.get_function(FunctionName=function.name, Qualifier=qualifier)["Code"]["Location"]
        sizes.append(requests.get(place, timeout=60).content == zipped({"app.py": code}))
    assert sizes == [True, True]


def test_log_settings_keep_what_is_not_said(make_function, client):
    """test_function_partial_advanced_logging_configuration_update"""
    function = make_function(ONE)
    group = {"LogGroup": f"/aws/lambda/{function.name}"}
    for given, kept in (
        ({"LogFormat": "JSON"}, {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}),
        (
            {"ApplicationLogLevel": "DEBUG"},
            {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "INFO"},
        ),
        ({"LogFormat": "Text"}, {"LogFormat": "Text"}),
    ):
        function.update(LoggingConfig=given)
        assert client.get_function_configuration(FunctionName=function.name)["LoggingConfig"] == {**kept, **group}


def test_functions_and_versions_are_listed_in_pages(make_function, client):
    """test_list_functions, test_publish_version_on_create"""
    one, two = make_function(ONE), make_function(ONE)
    client.publish_version(FunctionName=one.name)
    listed = client.list_versions_by_function(FunctionName=one.name)["Versions"]
    assert [each["FunctionArn"].rpartition(f"{one.name}:")[2] for each in listed] == ["$LATEST", "1"]
    assert members(listed[0]) == members(listed[1]) == ALWAYS
    names = [each["FunctionName"] for each in client.list_functions()["Functions"]]
    assert {one.name, two.name} <= set(names) and len(names) == len(set(names))
    pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 1})
    found = [(each["FunctionName"], each["Version"]) for page in pages for each in page["Functions"]]
    assert found.count((one.name, "$LATEST")) == found.count((one.name, "1")) == found.count((two.name, "$LATEST")) == 1
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=one.name, PaginationConfig={"PageSize": 1}
    )
    assert [each["Version"] for page in pages for each in page["Versions"]] == ["$LATEST", "1"]
    aliases = client.list_aliases(FunctionName=one.name)
    assert aliases["Aliases"] == []


def test_aliases_are_listed_by_version(make_function, client):
    """test_alias_lifecycle"""
    function = make_function(ONE)
    client.publish_version(FunctionName=function.name)
    for name, version in (("b", "1"), ("a", "$LATEST")):
        client.create_alias(FunctionName=function.name, Name=name, FunctionVersion=version)
    listed = client.list_aliases(FunctionName=function.name, FunctionVersion="1")["Aliases"]
    assert [each["Name"] for each in listed] == ["b"]
    assert [each["Name"] for each in client.list_aliases(FunctionName=function.name)["Aliases"]] == ["a", "b"]
    page = client.list_aliases(FunctionName=function.name, MaxItems=1)
    assert page["Aliases"][0]["Name"] == "a"
    rest = client.list_aliases(FunctionName=function.name, Marker=page["NextMarker"])
    assert [each["Name"] for each in rest["Aliases"]] == ["b"]
