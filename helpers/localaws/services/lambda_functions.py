"""Functions as they are made, changed and deleted: their environments end with them, and what is not here is refused.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from ministack.core import responses
from ministack.services import lambda_svc

from ..data_plane.function import Function
from ..data_plane.pool import Pool
from .contract import Contract
from .shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_resolve_layer_zip"): ("attachment",),
    (lambda_svc, "invalidate_worker"): ("func_name", "qualifier", "account", "region"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
}


# Members of a request that ask for what is not here, and what they ask for.
ABSENT = {
    "CapacityProviderConfig": "Lambda Managed Instances are",
    "AcceleratorConfig": "Lambda Managed Instances are",
    "DurableConfig": "Durable functions are",
    "FileSystemConfigs": "A file system to mount (EFS, S3 Files) is",
}


def absent(members: Record) -> tuple[str, str] | None:
    """Error code and message for a request that asks for what is not here; None where all of it is."""
    for member, what in ABSENT.items():
        if members.get(member):
            return "InvalidParameterValueException", f"{what} not in the embedded AWS; leave {member} out."
    return None


def install(pool: Pool) -> None:
    """Let `pool` know of functions that change, and refuse what has no counterpart. Call once, before it serves."""

    def invalidate_worker(
        func_name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
    ) -> None:
        pool.retire(lambda_svc._func_arn(func_name), qualifier)  # of the region of the request

    lambda_svc.invalidate_worker = invalidate_worker


def function_from(func: Record, config: Record) -> Function | None:
    """Our view of MiniStack's record of a function; None for a container image."""
    if not func.get("code_zip"):
        return None
    layers = tuple(filter(None, (lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or ())))
    latest = lambda_svc._functions.get(config["FunctionName"]) or func  # a version has no tags of its own
    return Function.from_configuration(config, func["code_zip"], layers, latest.get("tags") or {})


def invalid_parameter(message: str) -> Answer:
    """Lambda's refusal of what AWS refuses, and of what neither of us does: better an error than a made-up success."""
    answer: Answer = responses.error_response_json("InvalidParameterValueException", message, 400)
    return answer
