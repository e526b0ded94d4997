"""Provisioned concurrency: how many environments of a version or an alias are initialised before the first call.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html. The refusals are in AWS's words, as
localstack recorded them in November 2025 (TestLambdaProvisionedConcurrency, TestLambdaConcurrency). MiniStack keeps
a number and says that it is ready.
"""

import functools
import json
import math
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from ...data_plane.execution_environment import PROVISIONED
from ...data_plane.function import Function, unqualified
from ...data_plane.pool import Pool
from ...data_plane.provisioned import Release
from ..cloudwatch import metrics
from ..cloudwatch.metrics import Resource
from ..contract import Contract
from ..shapes import Answer, Record
from . import alias as lambda_alias
from .alias import LATEST
from .errors import conflict, function_not_found, invalid_parameter
from .functions import function_from

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_acquire_execution_slot"): ("func", "config"),
    (lambda_svc, "_delete_alias"): ("func_name", "alias_name"),
    (lambda_svc, "_delete_function"): ("name", "query_params", "path_qualifier"),
    (lambda_svc, "_delete_provisioned_concurrency"): ("func_name", "qualifier"),
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_account_settings"): (),
    (lambda_svc, "_inflight_key"): ("config",),
    (lambda_svc, "_get_provisioned_concurrency"): ("func_name", "qualifier"),
    (lambda_svc, "_put_function_concurrency"): ("func_name", "data"),
    (lambda_svc, "_put_provisioned_concurrency"): ("func_name", "qualifier", "data"),
    (lambda_svc, "_release_execution_slot"): ("key",),
    (lambda_svc, "_resolve_request_scoped_name"): ("name_or_arn",),
    (lambda_svc, "_update_alias"): ("func_name", "alias_name", "data"),
    (lambda_svc, "handle_request"): ("method", "path", "headers", "body", "query_params"),
    (provisioners, "_RESOURCE_HANDLERS"): None,
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "json_response"): ("data", "status", "content_type"),
    (responses, "request_scope"): ("account_id", "region"),
}

MOST_ITEMS = 50  # in an answer of ListProvisionedConcurrencyConfigs
UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
NO_QUALIFIER = "The function resource provided must be an alias or a published version."


@dataclass(frozen=True)
class Slot:
    """What an invocation has instead of a unit of concurrency: its environment has one already."""

    arn: str
    version: str
    function: str  # as MiniStack counts it


class ProvisionedConcurrency:
    """What is provisioned of all functions; the environments are in `pool`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._running: Counter[tuple[str, str]] = Counter()  # provisioned invocations, by ARN and version
        self._units: Counter[str] = Counter()  # that provisioned environments have, by function
        self._busy: Counter[str] = Counter()  # of these, those whose environment runs an invocation

    def install(self) -> None:
        """Let MiniStack's requests come here. Call once, before it serves: after lambda_alias, before lambda_invoke."""
        self._acquire, self._release = lambda_svc._acquire_execution_slot, lambda_svc._release_execution_slot
        update_alias, delete_alias = lambda_svc._update_alias, lambda_svc._delete_alias
        reserve, settings = lambda_svc._put_function_concurrency, lambda_svc._get_account_settings
        delete_function, handle_request = lambda_svc._delete_function, lambda_svc.handle_request
        of_stack = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Alias"]
        delete_of_stack = of_stack["delete"]

        def update(func_name: str, alias_name: str, data: Record) -> Answer:
            func = lambda_svc._functions.get(func_name) or {}
            is_provisioned = alias_name in _configs(func)
            asked = (data.get("FunctionVersion"), *lambda_alias.weights_of(data)) if is_provisioned else ()
            refusals = (_unsuitable(func, alias_name, version) for version in asked if version)
            refused = next(filter(None, refusals), None)
            answer: Answer = refused or update_alias(func_name, alias_name, data)
            if is_provisioned:
                self._provide(func)
            return answer

        def delete(func_name: str, alias_name: str) -> Answer:
            answer: Answer = delete_alias(func_name, alias_name)
            self._forget(func_name, alias_name)
            return answer

        def delete_with_stack(arn: str, properties: Record) -> None:
            delete_of_stack(arn, properties)
            if func := lambda_svc._functions.get(arn.split(":")[6]):
                self._provide(func)

        def delete_version(name: str, query_params: Record, path_qualifier: str | None = None) -> Answer:
            answer: Answer = delete_function(name, query_params, path_qualifier)
            func = lambda_svc._functions.get(name) or {}
            for qualifier in [each for each in _configs(func) if each.isdecimal() and each not in func["versions"]]:
                self._forget(name, qualifier)
            return answer

        def reserve_enough(func_name: str, data: Record) -> Answer:
            total = sum(map(_requested, _configs(lambda_svc._functions.get(func_name) or {}).values()))
            number = data.get("ReservedConcurrentExecutions", 0)
            if number < total:
                return invalid_parameter(
                    f" ReservedConcurrentExecutions  {number} should not be lower than function's total provisioned "
                    f"concurrency [{total}]."
                )
            answer: Answer = reserve(func_name, data)
            return answer

        def settings_less_provisioned() -> Answer:
            status, headers, body = settings()
            told = json.loads(body)
            told["AccountLimit"]["UnreservedConcurrentExecutions"] -= _provisioned_without_reservation()
            return status, headers, json.dumps(told).encode()

        async def handle(method: str, path: str, headers: Record, body: bytes, query_params: Record) -> Answer:
            is_list = method == "GET" and path.endswith("/provisioned-concurrency") and "List" in query_params
            if is_list:
                return self._list(path.split("/")[-2], query_params)
            answer: Answer = await handle_request(method, path, headers, body, query_params)
            return answer

        lambda_svc._put_provisioned_concurrency = self._put
        lambda_svc._get_provisioned_concurrency = self._get
        lambda_svc._delete_provisioned_concurrency = self._delete
        lambda_svc._update_alias = update
        lambda_svc._delete_alias = delete
        of_stack["delete"] = delete_with_stack
        lambda_svc._delete_function = delete_version
        lambda_svc._put_function_concurrency = reserve_enough
        lambda_svc._get_account_settings = settings_less_provisioned
        lambda_svc._release_execution_slot = self._give_back
        lambda_svc.handle_request = handle

    # Invocations

    def take(self, config: Record) -> Slot | None:
        """A slot for an invocation where a provisioned environment is free for it; otherwise it needs a unit."""
        arn, version = unqualified(config["FunctionArn"]), config.get("Version", LATEST)
        held = self._pool.provisioned(arn, version)
        if held is None:
            return None
        slot = Slot(arn, version, lambda_svc._inflight_key(config))
        with self._lock:
            allocated, running = held.allocated, self._running[arn, version]
            is_free = running < allocated
            if is_free:
                self._running[arn, version] = running = running + 1
                self._busy[slot.function] += 1
        if allocated and (resource := Resource.of(config)):
            record = functools.partial(metrics.record_of_resource, config["FunctionName"], resource)
            record("ProvisionedConcurrentExecutions", running)
            record("ProvisionedConcurrencyUtilization", running / allocated, "None")
        return slot if is_free else None

    def _give_back(self, slot: Any) -> None:
        """Instead of MiniStack's function, which gives back a unit of concurrency."""
        if not isinstance(slot, Slot):
            self._release(slot)
            return
        with self._lock:
            self._running[slot.arn, slot.version] -= 1
            self._busy[slot.function] -= 1

    def idle(self, function: str) -> tuple[int, int]:
        """How many units provisioned environments have that run nothing: those of a function, and of all."""
        if not self._units:
            return 0, 0
        with self._lock:
            return self._units[function] - self._busy[function], self._units.total() - self._busy.total()

    def count(self, function: Function, resource: Resource | None, initialization_type: str, started: float) -> None:
        """Count an invocation of a version that is provisioned: whether it had such an environment."""
        if resource and self._pool.provisioned(function.arn, function.version):
            kind = "" if initialization_type == PROVISIONED else "Spillover"
            metric = f"ProvisionedConcurrency{kind}Invocations"
            metrics.record_of_resource(function.name, resource, metric, 1, at=started)

    def resume(self) -> None:
        """Hold again what functions that were restored ask for."""
        for (account, region, _), func in lambda_svc._functions.all_items():
            if func.get("provisioned_concurrency"):
                with responses.request_scope(account, region):
                    self._provide(func)

    # Requests

    def _put(self, func_name: str, qualifier: str | None, data: Record) -> Answer:
        number = data.get("ProvisionedConcurrentExecutions", 0)
        refused = _missing(func_name, qualifier, UNPUBLISHED) or _refusal(func_name, str(qualifier), number)
        if refused:
            return refused
        func = lambda_svc._functions[func_name]
        config = {"RequestedProvisionedConcurrentExecutions": number, "LastModified": _now()}
        _configs(func)[str(qualifier)] = config
        self._provide(func)
        told = {**self._described(func, str(qualifier)), "Status": "IN_PROGRESS"}
        told.pop("StatusReason", None)
        answer: Answer = responses.json_response(told, 202)
        return answer

    def _get(self, func_name: str, qualifier: str | None) -> Answer:
        if refused := _missing(func_name, qualifier, NO_QUALIFIER):
            return refused
        func = lambda_svc._functions[func_name]
        answer: Answer
        if qualifier in _configs(func):
            answer = responses.json_response(self._described(func, qualifier), 200)
        else:
            answer = responses.error_response_json(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
                404,
            )
        return answer

    def _delete(self, func_name: str, qualifier: str | None) -> Answer:
        if refused := _missing(func_name, qualifier, NO_QUALIFIER):
            return refused
        self._forget(func_name, str(qualifier))
        return 204, {}, b""

    def _list(self, reference: str, query: Record) -> Answer:
        name = lambda_svc._resolve_request_scoped_name(reference)
        func = lambda_svc._functions.get(name)
        if func is None:
            return function_not_found(name)
        marker, most = ((query.get(key) or [default])[0] for key, default in (("Marker", ""), ("MaxItems", MOST_ITEMS)))
        qualifiers = [each for each in sorted(_configs(func)) if each > marker]
        page = qualifiers[: int(most)]
        told: Record = {
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": f"{lambda_svc._func_arn(name)}:{each}", **self._described(func, each)} for each in page
            ]
        }
        if len(qualifiers) > len(page):
            told["NextMarker"] = page[-1]
        answer: Answer = responses.json_response(told, 200)
        return answer

    def _described(self, func: Record, qualifier: str) -> Record:
        config, arn = _configs(func)[qualifier], unqualified(func["config"]["FunctionArn"])
        wanted = shares(func, qualifier)
        held = [(each, n) for version, n in wanted.items() if (each := self._pool.provisioned(arn, version))]
        allocated = sum(min(each.allocated, number) for each, number in held)
        told = {
            **config,
            "AllocatedProvisionedConcurrentExecutions": allocated,
            "AvailableProvisionedConcurrentExecutions": allocated,
        }
        if any(each.failed for each, _ in held):
            return {**told, "Status": "FAILED", "StatusReason": "FUNCTION_ERROR_INIT_FAILURE"}
        return {**told, "Status": "READY" if allocated >= _requested(config) else "IN_PROGRESS"}

    # Environments

    def _forget(self, func_name: str, qualifier: str) -> None:
        func = lambda_svc._functions.get(func_name) or {}
        if _configs(func).pop(qualifier, None):
            self._provide(func)

    def _provide(self, func: Record) -> None:
        """Let the pool hold of each version as many environments as the function's configurations ask for."""
        wanted: Counter[str] = Counter()
        for qualifier in _configs(func):
            wanted.update(shares(func, qualifier))
        for version, record in func["versions"].items():
            function = function_from(record, record["config"]) if wanted[version] else None
            if function:
                occupy = functools.partial(self._occupy, record["config"])
                self._pool.provision(function, wanted[version], occupy)
            else:
                self._pool.unprovision(unqualified(record["config"]["FunctionArn"]), version)

    def _occupy(self, config: Record) -> Release | None:
        """Take a unit of concurrency: an environment that is provisioned has one, whether it runs or not."""
        _, _, _, region, account, _, name = unqualified(config["FunctionArn"]).split(":")
        slot, _ = self._acquire(lambda_svc._functions.get_scoped(account, region, name) or {}, config)
        if slot is None:
            return None
        with self._lock:
            self._units[slot] += 1

        def release() -> None:
            with self._lock:
                self._units[slot] -= 1
            self._release(slot)

        return release


def shares(func: Record, qualifier: str) -> dict[str, int]:
    """How many environments of which version a configuration asks for: those of an alias are shared by its weights."""
    number, alias = _requested(_configs(func)[qualifier]), func["aliases"].get(qualifier)
    if alias is None:
        return {qualifier: number}
    others = {version: math.ceil(number * weight) for version, weight in lambda_alias.weights_of(alias).items()}
    wanted = {alias["FunctionVersion"]: number - sum(others.values()), **others}
    return {version: share for version, share in wanted.items() if share}


def _configs(func: Record) -> dict[str, Record]:
    """What is configured, by version or alias; MiniStack's record has a place for it."""
    configs: dict[str, Record] = func.setdefault("provisioned_concurrency", {})
    return configs


def _requested(config: Record) -> int:
    number: int = config["RequestedProvisionedConcurrentExecutions"]
    return number


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S+0000}"


def _missing(func_name: str, qualifier: str | None, unpublished: str) -> Answer | None:
    """AWS's refusal of what is no published version and no alias of the function."""
    if qualifier in (None, "", LATEST):
        return invalid_parameter(unpublished)
    func = lambda_svc._functions.get(func_name) or {}
    if qualifier in func.get("versions", {}) or qualifier in func.get("aliases", {}):
        return None
    return lambda_alias.missing(func_name, str(qualifier))


def _refusal(func_name: str, qualifier: str, number: int) -> Answer | None:
    """AWS's refusal of so many environments for this version or alias; None where they can be."""
    func, alias = lambda_svc._functions[func_name], lambda_alias.of(func_name, qualifier)
    if lambda_alias.weights_of(alias):
        return invalid_parameter("Alias with weights can not be used with Provisioned Concurrency")
    version = alias.get("FunctionVersion", qualifier)
    return _unsuitable(func, qualifier, version) or _too_many(func, qualifier, number)


def _unsuitable(func: Record, qualifier: str, version: str) -> Answer | None:
    """AWS's refusal of a version that can have no environments, or has them by another configuration."""
    if version == LATEST:
        return invalid_parameter(UNPUBLISHED)
    config = func["versions"].get(version, {}).get("config") or {}
    if (config.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions":
        return invalid_parameter("SnapStart and provisioned concurrency cannot be used on the same function version.")
    others = [each for each in _configs(func) if each != qualifier and version in shares(func, each)]
    if not others:
        return None
    message = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    if qualifier == version:
        message = "Version is pointed by a Provisioned Concurrency alias"
    return conflict(message)


def _too_many(func: Record, qualifier: str, number: int) -> Answer | None:
    """AWS's refusal of more than the function has reserved, or else than the account has left.

    The hundred that AWS leaves unreserved are not left here: the limit of this machine may be lower.
    """
    others = sum(_requested(config) for each, config in _configs(func).items() if each != qualifier)
    if (reserved := func.get("concurrency")) is not None:
        if others + number <= reserved:
            return None
        return invalid_parameter(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
        )
    limit = json.loads(lambda_svc._get_account_settings()[2])["AccountLimit"]["UnreservedConcurrentExecutions"]
    own = _requested(_configs(func)[qualifier]) if qualifier in _configs(func) else 0
    if number <= limit + own:
        return None
    return invalid_parameter(
        f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{limit}]."
    )


def _provisioned_without_reservation() -> int:
    """How many are provisioned of functions that have none reserved: a reservation holds them already."""
    functions = [lambda_svc._functions[name] for name in lambda_svc._functions]
    free = [func for func in functions if func.get("concurrency") is None]
    return sum(_requested(config) for func in free for config in _configs(func).values())
