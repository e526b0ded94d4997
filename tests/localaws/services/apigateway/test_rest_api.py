"""REST APIs of API Gateway, as their clients see them."""

import json

import pytest
from localaws_client import refused


@pytest.fixture
def api(clients):
    client = clients("apigateway")
    made = client.create_rest_api(name="tested")["id"]
    yield lambda *operations: client.update_rest_api(restApiId=made, patchOperations=list(operations))
    client.delete_rest_api(restApiId=made)


def replace(path, value):
    return {"op": "replace", "path": path, "value": value}


def test_an_empty_size_turns_compression_off(api):
    assert api(replace("/minimumCompressionSize", "1024"))["minimumCompressionSize"] == 1024
    assert "minimumCompressionSize" not in api(replace("/minimumCompressionSize", ""))


def test_a_boolean_and_a_text(api):
    changed = api(replace("/disableExecuteApiEndpoint", "true"), replace("/description", "1024"))
    assert changed["disableExecuteApiEndpoint"] is True and changed["description"] == "1024"
    assert api(replace("/disableExecuteApiEndpoint", "false"))["disableExecuteApiEndpoint"] is False


def document(*paths):
    """An OpenAPI document with a method at each path."""
    return json.dumps({"swagger": "2.0", "info": {"title": "tested"}, "paths": {path: {"get": {}} for path in paths}})


def paths_of(client, api):
    found = client.get_resources(restApiId=api)["items"]
    return sorted(each["path"] for each in found if "GET" in each.get("resourceMethods", {}))


def test_an_api_from_a_document(clients):
    client = clients("apigateway")
    made = client.import_rest_api(body=document("/a/{name}", "/b"))
    try:
        assert made["name"] == "tested" and paths_of(client, made["id"]) == ["/a/{name}", "/b"]
        client.put_rest_api(restApiId=made["id"], mode="merge", body=document("/c"))
        assert paths_of(client, made["id"]) == ["/a/{name}", "/b", "/c"]
        client.put_rest_api(restApiId=made["id"], mode="overwrite", body=document("/d"))
        assert paths_of(client, made["id"]) == ["/d"]
    finally:
        client.delete_rest_api(restApiId=made["id"])


def test_what_is_no_document(clients):
    client = clients("apigateway")
    for body in ("{", "[1]", "{}"):
        assert refused(client.import_rest_api, body=body) == ("BadRequestException", "Invalid OpenAPI input.")
    assert refused(client.put_rest_api, restApiId="none", body=document("/"))[0] == "NotFoundException"
