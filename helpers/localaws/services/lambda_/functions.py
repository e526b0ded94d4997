"""Functions as the data plane knows them, and what becomes of their environments when they are changed or deleted.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from ministack.services import lambda_svc

from ...data_plane import census
from ...data_plane.function import Function
from ...data_plane.pool import Pool
from ..contract import Contract
from ..shapes import Record
from . import states

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_resolve_layer_zip"): ("attachment",),
    (lambda_svc, "invalidate_worker"): ("func_name", "qualifier", "account", "region"),
}

LATEST = "$LATEST"


def install(pool: Pool) -> None:
    """Let `pool` know of functions that change. Call once, before it serves."""

    def invalidate_worker(
        func_name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
    ) -> None:
        if qualifier == LATEST:
            return  # an update ends what ran before when it is Successful: states.py
        func = lambda_svc._functions.get(func_name)  # it is taken away before, where it is deleted; so is a version
        is_there = func and (qualifier is None or qualifier in func["versions"])
        reason = census.CHANGED if is_there else census.DELETED
        pool.retire(lambda_svc._func_arn(func_name), qualifier, reason)  # of the region of the request

    lambda_svc.invalidate_worker = invalidate_worker


def is_deleted(function: Function) -> bool:
    """Whether the function, or this version of it, is not there any more."""
    kept = lambda_svc._functions.get(function.name)
    return kept is None or (function.version != LATEST and function.version not in kept["versions"])


def function_from(func: Record, config: Record) -> Function | None:
    """Our view of MiniStack's record of a function as it runs now; None for a container image."""
    func, config = states.running(func, config)
    if not func.get("code_zip"):
        return None
    layers = tuple(filter(None, (lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or ())))
    latest = lambda_svc._functions.get(config["FunctionName"]) or func  # a version has no tags of its own
    return Function.from_configuration(config, func["code_zip"], layers, latest.get("tags") or {})
