"""deploy() makes a function what its arguments say: it creates it, or updates what differs, and waits."""

import base64
import difflib
import hashlib
import sys
from typing import Any

from botocore.exceptions import ParamValidationError

from ..arguments import CODE, FUNCTION_NAME, WORKSHOP, ArgumentError, takes
from ..connect import Workshop
from ..errors import WorkshopError
from ..facts import fact
from .libraries import PYTHON
from .package import Source, package

# What create_function assumes for what it is not told. An update states it all the same, so that a function
# depends on the last deploy() alone and not on those before it.
DEFAULTS: dict[str, Any] = {
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": fact("tmp")},
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": fact("memory_default"),
    "Runtime": f"python{PYTHON}",
    "Timeout": fact("timeout_default"),
}
HANDLERS = {
    "python": "app.handler",
    "nodejs": "index.handler",
    "ruby": "app.handler",
    "java": "example.Handler::handleRequest",
}

WAIT = {"Delay": 0.1, "MaxAttempts": 3000}  # 3000 * 0.1 s == 300 s, as boto3's own, which looks once a second


class DeployError(WorkshopError):
    """A function that cannot be deployed; the message is one sentence for the reader."""


@takes(workshop=WORKSHOP, function_name=FUNCTION_NAME, code=CODE)
def deploy(workshop: Workshop, function_name: str, code: bytes | Source, **configuration: Any) -> dict[str, Any]:
    """Create the function, or update what differs, and return its configuration once it can be invoked.

    `code` is a zip archive, or whatever package() takes. `configuration` has the names and the shapes of
    update_function_configuration (`Runtime=`, `Handler=`, `MemorySize=` in MB, `Timeout=` in s,
    `Environment=`, `Role=`, ...) and `Architectures=`. What is left out goes back to DEFAULTS, on the
    embedded AWS to this Python's runtime, to the file and function `app.handler` (Node: `index.handler`,
    Java: `example.Handler::handleRequest`), and to the execution role of `workshop.role()`.
    The answer has the shape of get_function_configuration's.

    Raises PackageError, ArgumentError for an unknown keyword or a value of the wrong type, DeployError for a function
    that is not the workshop's, and botocore's ClientError for whatever AWS refuses.
    """
    client = workshop.client("lambda")
    _check_names(client, configuration)
    archive = code if isinstance(code, bytes) else package(code)
    wanted = DEFAULTS | _this_python(workshop, configuration) | configuration
    try:
        return _deploy(workshop, function_name, archive, wanted)
    except ParamValidationError as error:  # its first line has no news
        refused = "; ".join(str(error.kwargs["report"]).splitlines())
        raise ArgumentError(f"deploy() was given what boto3 cannot send: {refused}.") from None


def _deploy(workshop: Workshop, function_name: str, archive: bytes, wanted: dict[str, Any]) -> dict[str, Any]:
    client = workshop.client("lambda")
    if "Handler" not in wanted:
        wanted["Handler"] = _default_handler(wanted["Runtime"])
    if "Role" not in wanted:
        wanted["Role"] = workshop.role()
    present = _present(workshop, function_name)
    if present is None:
        client.create_function(FunctionName=function_name, Code={"ZipFile": archive}, **wanted)
        client.get_waiter("function_active_v2").wait(FunctionName=function_name, WaiterConfig=WAIT)
    else:
        _update(client, function_name, archive, wanted, present)
    answer = client.get_function_configuration(FunctionName=function_name)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _this_python(workshop: Workshop, configuration: dict[str, Any]) -> dict[str, Any]:
    """On the embedded AWS the runtime is this Python: it is surely there, and package() takes libraries for it.

    AWS has SnapStart from Python 3.12 on: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html.
    """
    too_old = "SnapStart" in configuration and sys.version_info < (3, 12)
    return {"Runtime": f"python3.{sys.version_info.minor}"} if workshop.target == "embedded" and not too_old else {}


def _check_names(client: Any, configuration: dict[str, Any]) -> None:
    model = client.meta.service_model.operation_model("UpdateFunctionConfiguration")
    known = {*model.input_shape.members, "Architectures"} - {"FunctionName", "RevisionId"}
    for name in configuration:
        if name not in known:
            folded = {each.lower(): each for each in known}
            close = difflib.get_close_matches(name.lower(), folded, 1)
            hint = f"did you mean {folded[close[0]]}=?" if close else f"it knows {', '.join(sorted(known))}."
            raise ArgumentError(f"deploy() does not know {name}=; {hint}")


def _default_handler(runtime: Any) -> str:
    language = str(runtime).rstrip("0123456789.x")
    if language not in HANDLERS:
        raise ArgumentError(f"deploy() has no default handler for {runtime}; say which one with Handler=.")
    return HANDLERS[language]


def _present(workshop: Workshop, function_name: str) -> dict[str, Any] | None:
    """The function's configuration, or None when there is no such function."""
    client = workshop.client("lambda")
    try:
        answer = client.get_function(FunctionName=function_name)
    except client.exceptions.ResourceNotFoundException:
        return None
    if workshop.target == "aws" and answer.get("Tags", {}).get("workshop") != workshop.tags["workshop"]:
        raise DeployError(
            f"There is a function {function_name} that this workshop did not make, and it stays as it is; "
            "choose another name, or set WORKSHOP_LEARNER to another prefix."
        )
    configuration: dict[str, Any] = answer["Configuration"]
    return configuration


def _update(client: Any, name: str, archive: bytes, wanted: dict[str, Any], present: dict[str, Any]) -> None:
    # Lambda refuses an update while the one before it, or the creation, is in progress.
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    updated = client.get_waiter("function_updated_v2")
    updated.wait(FunctionName=name, WaiterConfig=WAIT)
    architectures = {key: value for key, value in wanted.items() if key == "Architectures"}
    sha256 = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    if present["CodeSha256"] != sha256 or _different(architectures, present):
        client.update_function_code(FunctionName=name, ZipFile=archive, **architectures)
        updated.wait(FunctionName=name, WaiterConfig=WAIT)
    configuration = {key: value for key, value in wanted.items() if key not in architectures}
    changed = _different(configuration, present)
    if changed:
        client.update_function_configuration(FunctionName=name, **changed)
        updated.wait(FunctionName=name, WaiterConfig=WAIT)


def _different(wanted: dict[str, Any], present: dict[str, Any]) -> dict[str, Any]:
    """The part of `wanted` that the function does not have yet."""
    return {name: value for name, value in wanted.items() if not _holds(name, value, present)}


def _holds(name: str, wanted: Any, present: dict[str, Any]) -> bool:
    found = present.get(name, DEFAULTS.get(name))  # AWS leaves out what is empty
    if name == "Layers":  # asked for by ARN, answered with ARN and size
        found = [layer["Arn"] for layer in found or []]
    if isinstance(wanted, dict) and isinstance(found, dict):  # AWS adds members, e.g. LogGroup
        return all(found.get(key) == value for key, value in wanted.items())
    return bool(found == wanted)
