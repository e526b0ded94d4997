"""SnapStart: a version that is published with it has its snapshot taken, and its environments begin from that.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html. MiniStack says which functions may have it and keeps the
state of their versions. Of the runtimes that AWS has it for, it is here for Python alone.
"""

import contextvars
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ...data_plane import confinement
from ...data_plane.pool import Pool
from ...data_plane.snapshot import SnapshotFailed
from ..contract import Contract
from ..shapes import Answer, Record
from . import model
from .errors import invalid_parameter
from .functions import function_from, is_deleted

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_invoke"): ("name", "event", "headers", "path_qualifier", "query_params"),
    (lambda_svc, "_snapstart_provision_version_async"): ("name", "ver_record"),
    (lambda_svc, "_snapstart_runtime_supported"): ("runtime",),
    (lambda_svc, "_validate_snapstart"): ("snap", "runtime", "package_type", "ephemeral_size"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "request_scope"): ("account_id", "region"),
}

log = logging.getLogger("localaws.snapstart")

FUNCTION_ERROR = "X-Amz-Function-Error"
# StateReasonCode of a version by the error of its init; any other is RuntimeInitError.
REASON_CODES = {
    "Sandbox.Timedout": "InitTimeout",
    "Runtime.OutOfMemory": "InitResourceExhausted",
    "Runtime.InvalidEntrypoint": "InvalidEntryPoint",
}


def install(pool: Pool) -> Callable[[], None]:
    """Let `pool` take the snapshots of versions that are published. Call once, before it serves.

    What it gives goes on with those that were Pending when they were saved. The others have theirs taken when they run.
    """
    validate, invoke = lambda_svc._validate_snapstart, lambda_svc._invoke

    def refuse(snap: Record | None, *, runtime: str, package_type: str, ephemeral_size: int) -> Answer | None:
        asked = (snap or {}).get("ApplyOn") == "PublishedVersions"
        if asked and package_type != "Image" and not lambda_svc._snapstart_runtime_supported(runtime):
            return invalid_parameter(f"{runtime} is not supported for SnapStart enabled functions.")
        refused: Answer | None = validate(
            snap, runtime=runtime, package_type=package_type, ephemeral_size=ephemeral_size
        )
        if refused or not asked:
            return refused
        if package_type == "Image" or not runtime.startswith("python"):
            return invalid_parameter(
                "SnapStart is in the embedded AWS for Python functions alone; leave SnapStart out."
            )
        if not confinement.snapshots_possible():
            return invalid_parameter(
                "SnapStart is not in the embedded AWS on this machine, which forbids a process without rights of root "
                "to make Linux namespaces; leave SnapStart out."
            )
        return None

    def provision(name: str, ver_record: Record) -> None:
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(take, pool, ver_record), daemon=True, name="snapshot").start()

    async def answer(*arguments: Any, **named: Any) -> Answer:
        status, headers, body = await invoke(*arguments, **named)
        if headers.get(FUNCTION_ERROR, "Unhandled") == "Unhandled":
            return status, headers, body
        code, message = headers[FUNCTION_ERROR], json.loads(body)["errorMessage"]
        error = model.shape(code)["error"]
        refused: Answer = responses.error_response_json(code, message, error["httpStatusCode"])
        return refused

    lambda_svc._validate_snapstart = refuse
    lambda_svc._snapstart_provision_version_async = provision
    lambda_svc._invoke = answer

    def resume() -> None:
        for (account, region, name), func in lambda_svc._functions.all_items():
            for version in func["versions"].values():
                has_snapshot = (version["config"].get("SnapStart") or {}).get("OptimizationStatus") == "On"
                if has_snapshot and version["config"].get("State") == "Pending":
                    with responses.request_scope(account, region):
                        provision(name, version)

    return resume


def take(pool: Pool, version: Record) -> None:
    """Take the snapshot of a version, and note in its configuration how that went."""
    config = version["config"]
    function = function_from(version, config)
    assert function, "a version of a container image is refused before"
    try:
        pool.take_snapshot(function)
        state = {"State": "Active"}
    except SnapshotFailed as error:
        code = f"FunctionError.{REASON_CODES.get(error.failure.error_type, 'RuntimeInitError')}"
        state = {"State": "Failed", "StateReason": str(error), "StateReasonCode": code}
    except Exception:
        state = {"State": "Failed", "StateReason": "An internal error occurred.", "StateReasonCode": "InternalError"}
        if not pool.closed:
            log.exception("a snapshot")
    if pool.closed:  # it stays Pending, and is taken once the server is there again
        return
    for name in ("StateReason", "StateReasonCode"):
        config.pop(name, None)
    config |= {"LastUpdateStatus": "Successful", **state}
    if is_deleted(function):  # meanwhile
        pool.retire(function.arn, function.version)
