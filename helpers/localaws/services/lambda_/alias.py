"""Aliases: the version that runs for a call of an alias, by its weights, and what AWS refuses of them.

https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html. The refusals are in AWS's words, as
localstack recorded them in November 2025 (TestLambdaAlias); MiniStack keeps weights, and runs by none.
"""

import contextvars
import random
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import conflict, function_not_found, invalid_parameter, not_found

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_create_alias"): ("func_name", "data"),
    (lambda_svc, "_delete_alias"): ("func_name", "alias_name"),
    (lambda_svc, "_effective_func_record_for_qualifier"): ("func", "qualifier"),
    (lambda_svc, "_execute_function"): ("func", "event"),
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_alias"): ("func_name", "alias_name"),
    (lambda_svc, "_invoke"): ("name", "event", "headers", "path_qualifier", "query_params"),
    (lambda_svc, "_list_aliases"): ("func_name", "query_params"),
    (lambda_svc, "_update_alias"): ("func_name", "alias_name", "data"),
    (responses, "json_response"): ("data", "status", "content_type"),
}

LATEST = "$LATEST"
MOST_ITEMS = 50  # of a page, where the request does not say
EXECUTED_VERSION = "X-Amz-Executed-Version"

# Where a call of Invoke notes the versions that it ran; the last one has given the answer.
_executed: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("executed", default=None)


def install() -> None:
    """Let MiniStack run aliases by their weights, under their own ARN. Call once, before it serves."""
    create, update, get, delete = (
        lambda_svc._create_alias,
        lambda_svc._update_alias,
        lambda_svc._get_alias,
        lambda_svc._delete_alias,
    )
    record_for, execute, invoke = (
        lambda_svc._effective_func_record_for_qualifier,
        lambda_svc._execute_function,
        lambda_svc._invoke,
    )

    def create_alias(func_name: str, data: Record) -> Answer:
        version = data.get("FunctionVersion", LATEST)
        refused = refusal(func_name, version, weights_of(data))
        answer: Answer = refused or _existing(func_name, data["Name"]) or create(func_name, data)
        return answer

    def update_alias(func_name: str, alias_name: str, data: Record) -> Answer:
        alias = of(func_name, alias_name)
        changed = {**alias, **data}  # what is not given stays as it is
        refused = refusal(func_name, changed["FunctionVersion"], weights_of(changed)) if alias else None
        answer: Answer = refused or update(func_name, alias_name, data)
        return answer

    def get_alias(func_name: str, alias_name: str) -> Answer:
        known = func_name not in lambda_svc._functions or of(func_name, alias_name)
        answer: Answer = get(func_name, alias_name) if known else missing(func_name, alias_name)
        return answer

    def delete_alias(func_name: str, alias_name: str) -> Answer:
        gone = func_name in lambda_svc._functions and not of(func_name, alias_name)
        answer: Answer = (204, {}, b"") if gone else delete(func_name, alias_name)
        return answer

    def record_of_alias(func: Record | None, qualifier: str | None) -> tuple[Record | None, Record | None]:
        record, config = record_for(func, qualifier)
        alias = func["aliases"].get(qualifier) if func and config else None
        if alias is None:
            return record, config
        config = {**config, "FunctionArn": alias["AliasArn"]}
        return {**record, "config": config}, config

    def execute_routed(func: Record, event: object) -> Record:
        chosen = routed(func)
        executed = _executed.get()
        if executed is not None:
            executed.append((chosen.get("config") or chosen).get("Version", LATEST))
        result: Record = execute(chosen, event)
        return result

    async def invoke_and_tell(*arguments: Any, **options: Any) -> Answer:
        executed: list[str] = []
        token = _executed.set(executed)
        try:
            status, headers, body = await invoke(*arguments, **options)
        finally:
            _executed.reset(token)
        if status == 202:  # nothing has run yet
            headers.pop(EXECUTED_VERSION, None)
        elif executed and EXECUTED_VERSION in headers:
            headers[EXECUTED_VERSION] = executed[-1]
        return status, headers, body

    lambda_svc._create_alias = create_alias
    lambda_svc._update_alias = update_alias
    lambda_svc._get_alias = get_alias
    lambda_svc._delete_alias = delete_alias
    lambda_svc._list_aliases = _list_aliases
    lambda_svc._effective_func_record_for_qualifier = record_of_alias
    lambda_svc._execute_function = execute_routed
    lambda_svc._invoke = invoke_and_tell


def _list_aliases(func_name: str, query_params: Record) -> Answer:
    """ListAliases, by their names, all or those of a version. The marker is the last name of the page before."""
    func = lambda_svc._functions.get(func_name)
    if func is None:
        return function_not_found(func_name)
    version, marker, most = (
        (query_params.get(name) or [usual])[0]
        for name, usual in (("FunctionVersion", ""), ("Marker", ""), ("MaxItems", MOST_ITEMS))
    )
    names = [name for name in sorted(func["aliases"]) if name > marker]
    found = [func["aliases"][name] for name in names if version in ("", func["aliases"][name]["FunctionVersion"])]
    page = found[: int(most)]
    told: Record = {"Aliases": page}
    if len(page) < len(found):
        told["NextMarker"] = page[-1]["Name"]
    answer: Answer = responses.json_response(told, 200)
    return answer


def of(func_name: str, name: str) -> Record:
    """MiniStack's record of an alias, which is empty where there is none."""
    func = lambda_svc._functions.get(func_name) or {}
    alias: Record = func.get("aliases", {}).get(name, {})
    return alias


def weights_of(alias: Record) -> dict[str, float]:
    """The other version that an alias routes to, and the share of calls that it gets."""
    found: dict[str, float] = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return found


def routed(record: Record) -> Record:
    """The record of a function that is to run; of one that was named by an alias, that of a version by its weights."""
    config = record.get("config") or record
    parts = config.get("FunctionArn", "").split(":")
    if len(parts) < 8:
        return record
    func = lambda_svc._functions.get_scoped(parts[4], parts[3], parts[6]) or {}
    for version, weight in weights_of(func.get("aliases", {}).get(parts[7], {})).items():
        if random.random() < weight and version in func["versions"]:
            found = func["versions"][version]
            return {**record, **found, "config": {**found["config"], "FunctionArn": config["FunctionArn"]}}
    return record


def refusal(func_name: str, version: str, weights: dict[str, float]) -> Answer | None:
    """AWS's refusal of an alias of this version with these weights; None where it takes it."""
    if len(weights) > 1:
        return invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if version in weights:
        return invalid_parameter(
            f"Invalid function version {version}. Function version {version} is already included in routing "
            "configuration."
        )
    if weights and version == LATEST:
        return invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version")
    if absent := [each for each in (version, *weights) if not _exists(func_name, each)]:
        return missing(func_name, absent[0])
    return _unlike(lambda_svc._functions[func_name], version, *weights) if weights else None


def missing(func_name: str, qualifier: str) -> Answer:
    """AWS's words for a version or an alias that is not there, be it that its function is not."""
    if qualifier == LATEST or qualifier.isdecimal():
        return function_not_found(func_name, qualifier)
    return not_found(f"Cannot find alias arn: {lambda_svc._func_arn(func_name)}:{qualifier}")


def _exists(func_name: str, version: str) -> bool:
    func = lambda_svc._functions.get(func_name)
    return func is not None and (version == LATEST or version in func["versions"])


def _existing(func_name: str, name: str) -> Answer | None:
    if not of(func_name, name):
        return None
    message = f"Alias already exists: {lambda_svc._func_arn(func_name)}:{name}"
    return conflict(message)


def _unlike(func: Record, version: str, other: str) -> Answer | None:
    """Refuse two versions that differ in what AWS says must be the same. The words are ours: AWS's are unknown."""
    one, two = (func["versions"][each]["config"] for each in (version, other))
    if one.get("Role") != two.get("Role"):
        what = "execution role"
    elif (one.get("DeadLetterConfig") or {}) != (two.get("DeadLetterConfig") or {}):
        what = "dead-letter queue configuration"
    else:
        return None
    return invalid_parameter(f"Versions {version} and {other} of an alias must have the same {what}.")
