"""How a function is invoked asynchronously: what is set for it, a version or an alias, and nothing that is not set.

https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html. The words are AWS's, as localstack
recorded them in November 2025 (TestLambdaEventInvokeConfig).
"""

import time
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc, sns, sqs

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import invalid_parameter, not_found

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_delete_event_invoke_config"): ("func_name", "qualifier"),
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_function_qualifier_exists"): ("func", "qualifier"),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_event_invoke_config"): ("func_name", "qualifier"),
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (lambda_svc, "_list_function_event_invoke_configs"): ("func_name", "query_params"),
    (lambda_svc, "_put_event_invoke_config"): ("func_name", "qualifier", "data"),
    (responses, "json_response"): ("data", "status", "content_type"),
    (sns, "_topics"): None,
    (sqs, "_queue_by_arn"): ("arn",),
}

LATEST = "$LATEST"
SETTINGS = ("MaximumEventAgeInSeconds", "MaximumRetryAttempts")
DESTINATIONS = ("OnSuccess", "OnFailure")
SERVICES = ("events", "lambda", "s3", "sns", "sqs")
NO_FUNCTION = "The function doesn't exist."
NOTHING = "You must specify at least one of error handling or destination setting."
MOST_ITEMS = 50


def install() -> None:
    """Let MiniStack keep what is set and nothing else. Call once, before it serves, and before who may is asked."""

    def put(func_name: str, qualifier: str | None, data: Record) -> Answer:
        return _put(func_name, qualifier, data, {})

    lambda_svc._put_event_invoke_config = put
    lambda_svc._get_event_invoke_config = _get
    lambda_svc._delete_event_invoke_config = _delete
    lambda_svc._list_function_event_invoke_configs = _list


def update(members: Record) -> Answer:
    """UpdateFunctionEventInvokeConfig, which MiniStack does not have: what is not given stays as it is."""
    name, qualifier = members["FunctionName"], members.get("Qualifier")
    present = _configs(name).get(_key(qualifier))
    if name not in lambda_svc._functions:
        return not_found(NO_FUNCTION)
    return _put(name, qualifier, members, present) if present else _without(name, qualifier)


def _put(name: str, qualifier: str | None, data: Record, present: Record) -> Answer:
    func = lambda_svc._functions.get(name)
    if not lambda_svc._function_qualifier_exists(func, qualifier):
        return not_found(NO_FUNCTION)
    if not any(data.get(each) is not None for each in (*SETTINGS, "DestinationConfig")):
        return invalid_parameter(NOTHING)
    if refused := _unreachable(name, data.get("DestinationConfig") or {}):
        return refused
    kept = {each: present[each] for each in SETTINGS if each in present}
    config = {
        **kept,
        **{each: data[each] for each in SETTINGS if data.get(each) is not None},
        "DestinationConfig": _destinations(data.get("DestinationConfig", present.get("DestinationConfig"))),
        "FunctionArn": f"{lambda_svc._func_arn(name)}:{qualifier or LATEST}",
        "LastModified": int(time.time()),
    }
    _configs(name)[_key(qualifier)] = config
    answer: Answer = responses.json_response(config, 200)
    return answer


def _destinations(given: Record | None) -> Record:
    """Both of them, each empty where nothing is to be sent."""
    found = {name: ((given or {}).get(name) or {}).get("Destination") for name in DESTINATIONS}
    return {name: {"Destination": arn} if arn else {} for name, arn in found.items()}


def _unreachable(name: str, destinations: Record) -> Answer | None:
    for destination in DESTINATIONS:
        arn = (destinations.get(destination) or {}).get("Destination")
        if not arn:
            continue
        service = (arn.split(":") + ["", "", ""])[2]
        if service not in SERVICES:
            said = {each: f"{each}(destination={arn})" if each == destination else "null" for each in DESTINATIONS}
            told = f"onSuccess={said['OnSuccess']}, onFailure={said['OnFailure']}"
            return invalid_parameter(f"The provided destination config DestinationConfig({told}) is invalid.")
        if service == "s3":
            return invalid_parameter(
                "A bucket as a destination is not in the embedded AWS; a queue, a topic, a function or an event bus "
                "can be one."
            )
        if arn == lambda_svc._func_arn(name):
            return invalid_parameter("You can't specify the function as a destination for itself.")
        if not _is_there(service, arn):
            return invalid_parameter(f"The destination ARN {arn} is invalid.")
    return None


def _is_there(service: str, arn: str) -> bool:
    match service:
        case "lambda":
            return bool(lambda_svc._get_func_record_for_ref(arn)[0])
        case "sqs":
            return bool(sqs._queue_by_arn(arn))
        case "sns":
            return arn in sns._topics
    return True


def _get(func_name: str, qualifier: str | None = None) -> Answer:
    config = _configs(func_name).get(_key(qualifier))
    answer: Answer = responses.json_response(config, 200) if config else _without(func_name, qualifier)
    return answer


def _delete(func_name: str, qualifier: str | None = None) -> Answer:
    return (204, {}, b"") if _configs(func_name).pop(_key(qualifier), None) else _without(func_name, qualifier)


def _list(func_name: str, query_params: Record) -> Answer:
    if func_name not in lambda_svc._functions:
        return not_found(NO_FUNCTION)
    marker, most = (
        (query_params.get(name) or [usual])[0] for name, usual in (("Marker", ""), ("MaxItems", MOST_ITEMS))
    )
    configs = [config for _, config in sorted(_configs(func_name).items()) if config["FunctionArn"] > marker]
    page = configs[: int(most)]  # "$LATEST" comes before all numbers and names
    told: dict[str, Any] = {"FunctionEventInvokeConfigs": page}
    if len(page) < len(configs):
        told["NextMarker"] = page[-1]["FunctionArn"]
    answer: Answer = responses.json_response(told, 200)
    return answer


def _configs(name: str) -> dict[str, Record]:
    """What is set of a function, by qualifier; MiniStack keeps that of the function itself under ""."""
    configs: dict[str, Record] = (lambda_svc._functions.get(name) or {}).get("event_invoke_configs", {})
    return configs


def _key(qualifier: str | None) -> str:
    return "" if qualifier in (None, LATEST) else str(qualifier)


def _without(name: str, qualifier: str | None) -> Answer:
    arn = f"{lambda_svc._func_arn(name)}:{qualifier or LATEST}"
    return not_found(f"The function {arn} doesn't have an EventInvokeConfig")
