"""The whole environment of a function's process: what Lambda documents, the function's own, and AWS_ENDPOINT_URL.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. Nothing of this machine's is in it.
"""

from pathlib import Path

from .credentials import ContainerCredentials, Credentials
from .function import Function
from .runtime_api import CREDENTIALS_PATH
from .runtimes import BOOTSTRAP, Runtime

TELEMETRY_FD = 3  # any that is free


def runtime_variables(
    function: Function,
    runtime: Runtime,
    task: Path,
    opt: Path,
    endpoint: str,
    log_stream: str,
    runtime_api: str,
    credentials: Credentials | ContainerCredentials,
    initialization_type: str,
) -> dict[str, str]:
    """For code in `task` and layers in `opt`; `endpoint` is the embedded AWS's, `runtime_api` a host and port.

    With `credentials` from a port they are those of a function with SnapStart, which knows of no log stream.
    """
    if isinstance(credentials, ContainerCredentials):
        own = restore_variables(runtime_api, credentials)
    else:
        own = {
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            **credentials.variables(),
        }
    logging = {"AWS_LAMBDA_LOG_FORMAT": "JSON"} if function.log_format == "JSON" else {}
    if "ApplicationLogLevel" in function.log_levels:
        logging["AWS_LAMBDA_LOG_LEVEL"] = function.log_levels["ApplicationLogLevel"]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:" + str(opt / "bin"),
        "LD_LIBRARY_PATH": ":".join(map(str, (task, task / "lib", opt / "lib"))),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_ENDPOINT_URL": endpoint,
        **runtime.variables,
        **function.variables,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(task),
        "LAMBDA_RUNTIME_DIR": str(BOOTSTRAP),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        **own,
        "_LAMBDA_TELEMETRY_LOG_FD": str(TELEMETRY_FD),
        **logging,
    }


def restore_variables(runtime_api: str, credentials: ContainerCredentials) -> dict[str, str]:
    """What of it is another in each execution environment that is made of one snapshot."""
    where = credentials.variables(f"http://{runtime_api}{CREDENTIALS_PATH}")
    return {"AWS_LAMBDA_RUNTIME_API": runtime_api, **where}
