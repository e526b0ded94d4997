"""The configuration of function URLs: what AWS refuses of one, and the members of its answers.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html. Words and members are as localstack
recorded them on AWS (TestLambdaUrl). What the API's model does not allow is refused by validation.py.
"""

import json
from urllib.parse import unquote

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_create_function_url_config"): ("func_name", "data", "qualifier"),
    (lambda_svc, "_delete_function"): ("name", "query_params", "path_qualifier"),
    (lambda_svc, "_delete_function_url_config"): ("func_name", "qualifier"),
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_function_urls"): None,
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_function_url_config"): ("func_name", "qualifier"),
    (lambda_svc, "_list_function_url_configs"): ("func_name", "query_params"),
    (lambda_svc, "_qp_first"): ("query_params", "key", "default"),
    (lambda_svc, "_update_function_url_config"): ("func_name", "data", "qualifier"),
    (lambda_svc, "_url_config_key"): ("func_name", "qualifier"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "json_response"): ("data", "status", "content_type"),
}

NO_FUNCTION = "Function does not exist"
NO_RESOURCE = "The resource you requested does not exist."
MOST_ITEMS = 50  # in an answer of ListFunctionUrlConfigs


def install() -> None:
    """Let MiniStack keep function URLs as AWS does. Call once, before it serves."""
    create, update, delete_function = (
        lambda_svc._create_function_url_config,
        lambda_svc._update_function_url_config,
        lambda_svc._delete_function,
    )

    def created(func_name: str, data: Record, qualifier: str | None) -> Answer:
        if refused := _absent(func_name, qualifier, NO_FUNCTION):
            return refused
        arn = _arn(func_name, qualifier)
        if _key(func_name, qualifier) in lambda_svc._function_urls:
            message = (
                f"Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig "
                "exists for this Lambda function"
            )
            return _error("ResourceConflictException", message, 409)
        status, headers, body = create(func_name, data, qualifier)
        lambda_svc._function_urls[_key(func_name, qualifier)]["FunctionArn"] = arn
        told = json.loads(body) | {"FunctionArn": arn}
        for member in ("LastModifiedTime", *(() if "InvokeMode" in data else ("InvokeMode",))):
            told.pop(member, None)
        return status, headers, json.dumps(told).encode()

    def updated(func_name: str, data: Record, qualifier: str | None) -> Answer:
        answer: Answer = _missing(func_name, qualifier) or update(func_name, data, qualifier)
        return answer

    def found(func_name: str, qualifier: str | None) -> Answer:
        answer: Answer = _missing(func_name, qualifier) or responses.json_response(
            lambda_svc._function_urls[_key(func_name, qualifier)]
        )
        return answer

    def deleted(func_name: str, qualifier: str | None) -> Answer:
        if refused := _missing(func_name, qualifier):
            return refused
        del lambda_svc._function_urls[_key(func_name, qualifier)]
        return 204, {}, b""

    def delete_with_urls(name: str, query_params: Record, path_qualifier: str | None = None) -> Answer:
        told: Answer = delete_function(name, query_params, path_qualifier)
        if name not in lambda_svc._functions:  # otherwise it was one version of it
            for key in _keys(name):
                del lambda_svc._function_urls[key]
        return told

    lambda_svc._create_function_url_config = created
    lambda_svc._update_function_url_config = updated
    lambda_svc._get_function_url_config = found
    lambda_svc._delete_function_url_config = deleted
    lambda_svc._list_function_url_configs = _listed
    lambda_svc._delete_function = delete_with_urls


def _listed(func_name: str, query_params: Record) -> Answer:
    """A page of the URLs of a function; its marker is the key of the first one of the next page."""
    if func_name not in lambda_svc._functions:
        return _error("ResourceNotFoundException", NO_FUNCTION, 404)
    most = lambda_svc._qp_first(query_params, "MaxItems") or str(MOST_ITEMS)
    marker = unquote(lambda_svc._qp_first(query_params, "Marker") or "")
    keys = [key for key in _keys(func_name) if key >= marker]
    number = min(max(int(most), 1), MOST_ITEMS) if most.isdecimal() else MOST_ITEMS
    page: Record = {"FunctionUrlConfigs": [lambda_svc._function_urls[key] for key in keys[:number]]}
    if keys[number:]:
        page["NextMarker"] = keys[number]
    answer: Answer = responses.json_response(page)
    return answer


def _keys(func_name: str) -> list[str]:
    return sorted(key for key in lambda_svc._function_urls if key.partition(":")[0] == func_name)


def _key(func_name: str, qualifier: str | None) -> str:
    return str(lambda_svc._url_config_key(func_name, qualifier))


def _arn(func_name: str, qualifier: str | None) -> str:
    arn = str(lambda_svc._func_arn(func_name))
    return f"{arn}:{qualifier}" if qualifier else arn


def _absent(func_name: str, qualifier: str | None, message: str) -> Answer | None:
    """The refusal of a function, or an alias of it, that is not there."""
    func = lambda_svc._functions.get(func_name)
    if func is None or (qualifier and qualifier not in func.get("aliases", {})):
        return _error("ResourceNotFoundException", message, 404)
    return None


def _missing(func_name: str, qualifier: str | None) -> Answer | None:
    if _key(func_name, qualifier) in lambda_svc._function_urls:
        return None
    return _error("ResourceNotFoundException", NO_RESOURCE, 404)


def _error(code: str, message: str, status: int) -> Answer:
    answer: Answer = responses.error_response_json(code, message, status)
    return answer
