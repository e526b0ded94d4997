"""What AWS refuses when a function is created or updated, and MiniStack does not, or in other words.

The quotas are those of facts.toml. The sentences are AWS's own.
"""

import json
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ....facts import fact, in_bytes
from ..constraints import detected, violation
from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_validate_total_unzipped_size"): ("code_zip", "layers"),
    (lambda_svc, "_unzipped_size"): ("zip_data",),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (lambda_svc, "_layer_unzipped_size"): ("attachment",),
}

Refusal = tuple[str, str]  # error code and message

# What is offered to a function on Lambda's own capacity: the API takes more, for Managed Instances.
MEMORY_MB, TIMEOUT_S, TMP_MB = fact("memory_max"), fact("timeout"), fact("tmp_max")
MAX_ENVIRONMENT_BYTES = in_bytes("environment_variables")
MAX_UNZIPPED_BYTES = in_bytes("unzipped")
MAX_LAYERS = fact("layers")
# A zip in base64, and 256 KiB for the rest of the request.
MAX_REQUEST_BYTES = -(-in_bytes("zip") * 4 // 3) + 256 * 2**10
INVOKE_ASYNC = "InvokeAsync"  # which has no invocation type
PAYLOAD_LIMITS = {
    "RequestResponse": in_bytes("payload"),
    "Event": in_bytes("payload_asynchronous"),
    INVOKE_ASYNC: in_bytes("payload_invoke_async"),
}
MAX_NAME_LENGTH = 64
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment variables"
RESERVED = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    )
)
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: those supported in November 2026, and in the last
# line those deprecated since 2025. They pass here, as AWS has put off more than once to block their creation.
RUNTIMES = (
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "nodejs22.x",
    "nodejs24.x",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
    "java8.al2",
    "java8.al2023",
    "java11",
    "java11.al2023",
    "java17",
    "java17.al2023",
    "java21",
    "java25",
    "dotnet8",
    "dotnet10",
    "provided.al2023",
    "python3.9",
    "python3.10",
    "nodejs18.x",
    "nodejs20.x",
    "ruby3.2",
    "provided.al2",
)
BLOCKED = (
    "nodejs",
    "nodejs4.3",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "java8",
    "python2.7",
    "python3.6",
    "python3.7",
    "python3.8",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "dotnet6",
    "go1.x",
    "ruby2.5",
    "ruby2.7",
    "provided",
)


def install() -> None:
    """Let MiniStack say in AWS's words what is too large unzipped. Call once, before it serves."""

    def refuse_unzipped(code_zip: bytes, layers: list[Record | None] | None) -> Answer | None:
        attached = sum(lambda_svc._layer_unzipped_size(layer) for layer in layers or [] if layer)
        refused = unzipped(lambda_svc._unzipped_size(code_zip), attached)
        answer: Answer | None = responses.error_response_json(*refused, 400) if refused else None
        return answer

    lambda_svc._validate_total_unzipped_size = refuse_unzipped


def payload(invocation_type: str, size: int) -> Refusal | None:
    """Error code and message for an Invoke whose payload has this many bytes; None where it is accepted."""
    limit = PAYLOAD_LIMITS.get(invocation_type)
    if limit is None or size <= limit:
        return None
    told = "Event" if invocation_type == INVOKE_ASYNC else invocation_type
    message = f"{size} byte payload is too large for the {told} invocation type (limit {limit} bytes)"
    return "RequestTooLargeException", message


def oversize(operation: str, size: int) -> Refusal | None:
    """Error code and message for a request whose body has this many bytes; None where it is accepted."""
    if operation == "UpdateFunctionConfiguration" or size <= MAX_REQUEST_BYTES:
        return None
    message = f"Request must be smaller than {MAX_REQUEST_BYTES} bytes for the {operation} operation"
    return "RequestEntityTooLargeException", message


def refusal(request: dict[str, Any]) -> Refusal | None:
    """Error code and message for the members of CreateFunction or UpdateFunctionConfiguration; None where accepted."""
    variables = (request.get("Environment") or {}).get("Variables") or {}
    return (
        _name(request.get("FunctionName"))
        or _range("MemorySize", request.get("MemorySize"), MEMORY_MB)
        or _range("Timeout", request.get("Timeout"), TIMEOUT_S)
        or _range("EphemeralStorage.Size", (request.get("EphemeralStorage") or {}).get("Size"), TMP_MB)
        or _runtime(request.get("Runtime"))
        or _reserved(variables)
        or _environment_size(variables)
        or _layers(request.get("Layers") or [])
    )


def unzipped(code: int, layers: int) -> Refusal | None:
    """Error code and message for a function whose code and layers have these bytes unzipped; None where accepted."""
    if code > MAX_UNZIPPED_BYTES:
        return _invalid(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")
    if code + layers > MAX_UNZIPPED_BYTES:
        return _invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNZIPPED_BYTES} bytes. "
            f"The actual size is {code + layers} bytes."
        )
    return None


def _name(name: str | None) -> Refusal | None:
    """The model's limit is that of an ARN; this is the one of the name in it."""
    own = (name or "").rpartition("function:")[2]
    if len(own) <= MAX_NAME_LENGTH:
        return None
    return _invalid(detected(violation(own, "functionName", f"have length less than or equal to {MAX_NAME_LENGTH}")))


def _range(member: str, value: int | None, offered: int) -> Refusal | None:
    """The API's own range is in its model; what is offered without Managed Instances is less of it."""
    if value is None or value <= offered:
        return None
    return _invalid(
        f"'{member}' value failed to satisfy constraint: Member must have value less than or equal to {offered}"
    )


def _runtime(name: str | None) -> Refusal | None:
    if name is None or name in RUNTIMES:
        return None
    if name in BLOCKED:
        return _invalid(
            f"The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
    return _invalid(
        f"Value {name} at 'runtime' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(RUNTIMES)}] or be a valid ARN"
    )


def _reserved(variables: dict[str, str]) -> Refusal | None:
    used = sorted(RESERVED & variables.keys())
    if not used:
        return None
    return _invalid(
        "Lambda was unable to configure your environment variables because the environment variables you have "
        "provided contains reserved keys that are currently not supported for modification. "
        f"Reserved keys used in this request: {', '.join(used)}"
    )


def _environment_size(variables: dict[str, str]) -> Refusal | None:
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) <= MAX_ENVIRONMENT_BYTES:
        return None
    return _invalid(
        "Lambda was unable to configure your environment variables because the environment variables you have "
        f"provided exceeded the {MAX_ENVIRONMENT_BYTES // 2**10}KB limit. String measured: {measured}"
    )


def _layers(arns: list[str]) -> Refusal | None:
    return _invalid(f"Cannot reference more than {MAX_LAYERS} layers.") if len(arns) > MAX_LAYERS else None


def _invalid(message: str) -> Refusal:
    return "InvalidParameterValueException", message
