"""REST APIs of API Gateway: made and changed from an OpenAPI document, and by patches, as chalice does.

https://docs.aws.amazon.com/apigateway/latest/api/API_ImportRestApi.html and API_PutRestApi.html, API_UpdateRestApi.html
"""

import re
from typing import Any

import yaml
from ministack.services import apigateway_v1

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (apigateway_v1, "_get_rest_api"): ("api_id",),
    (apigateway_v1, "_import_path_item"): ("api_id", "path", "path_item", "scheme_map", "default_security"),
    (apigateway_v1, "_import_rest_api"): ("spec", "base_data"),
    (apigateway_v1, "_import_security_schemes"): ("api_id", "spec"),
    (apigateway_v1, "_qp"): ("query_params", "key", "default"),
    (apigateway_v1, "_resources"): None,
    (apigateway_v1, "_rest_apis"): None,
    (apigateway_v1, "_update_rest_api"): ("api_id", "data"),
    (apigateway_v1, "_v1_error"): ("code", "message", "status"),
    (apigateway_v1, "handle_request"): ("method", "path", "headers", "body", "query_params"),
}

APIS, ONE = "/restapis", re.compile(r"/restapis/(\w+)/?")
BINARY = "x-amazon-apigateway-binary-media-types"
NUMBER, BOOLEAN = "/minimumCompressionSize", "/disableExecuteApiEndpoint"  # of a patch, whose values are texts


def install() -> None:
    """Let MiniStack take documents, and keep what a patch means. Call once, before it serves."""
    update_rest_api, handle = apigateway_v1._update_rest_api, apigateway_v1.handle_request

    def update(api_id: str, data: Record) -> Answer:
        operations = [kept(operation) for operation in data.get("patchOperations", [])]
        answer: Answer = update_rest_api(api_id, {**data, "patchOperations": operations})
        return answer

    async def handled(method: str, path: str, headers: Any, body: bytes, query: Any) -> Answer:
        mode, one = apigateway_v1._qp(query, "mode"), ONE.fullmatch(path)
        if method == "POST" and path.rstrip("/") == APIS and mode == "import":
            return imported(body)
        if method == "PUT" and one:
            return put(one[1], body, overwrite=mode == "overwrite")
        answer: Answer = await handle(method, path, headers, body, query)
        return answer

    apigateway_v1._update_rest_api = update
    apigateway_v1.handle_request = handled


def imported(body: bytes) -> Answer:
    """A new API from a document."""
    document = parsed(body)
    if document is None:
        return _no_document()
    api_id = apigateway_v1._import_rest_api(document, {"binaryMediaTypes": document.get(BINARY, [])})
    status, headers, told = apigateway_v1._get_rest_api(api_id)
    return (201 if status == 200 else status), headers, told


def put(api_id: str, body: bytes, overwrite: bool) -> Answer:
    """An API as a document has it: what it had before goes, or stays beside it."""
    document = parsed(body)
    if document is None:
        return _no_document()
    if api_id in apigateway_v1._rest_apis:
        if overwrite:
            resources = apigateway_v1._resources[api_id]
            for identifier, each in list(resources.items()):
                if each["path"] == "/":
                    each["resourceMethods"] = {}
                else:
                    del resources[identifier]
        schemes = apigateway_v1._import_security_schemes(api_id, document)
        for path, item in (document.get("paths") or {}).items():
            apigateway_v1._import_path_item(api_id, path, item, schemes, document.get("security"))
    answer: Answer = apigateway_v1._get_rest_api(api_id)
    return answer


def parsed(body: bytes) -> Record | None:
    """An OpenAPI document in JSON or YAML; None where it is none."""
    try:
        found = yaml.safe_load(body)
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict) and ("swagger" in found or "openapi" in found) else None


def kept(operation: Record) -> Record:
    """A patch operation with the value that AWS keeps; an empty size is none, which turns compression off."""
    value = operation.get("value")
    if operation.get("path") == NUMBER:
        return {**operation, "value": int(value) if value else None}
    if operation.get("path") == BOOLEAN:
        return {**operation, "value": value == "true"}
    return operation


def _no_document() -> Answer:
    answer: Answer = apigateway_v1._v1_error("BadRequestException", "Invalid OpenAPI input.", 400)
    return answer
