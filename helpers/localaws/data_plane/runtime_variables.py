"""The whole environment of a function's process: what Lambda documents, the function's own, and AWS_ENDPOINT_URL.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. Nothing of this machine's is in it.
"""

from .credentials import ContainerCredentials, Credentials
from .function import Function
from .places import Places
from .runtime_api import CREDENTIALS_PATH
from .runtimes import Runtime

TELEMETRY_FD = 3  # any that is free
XRAY_DAEMON = ("127.0.0.1", "2000")  # where an SDK of X-Ray sends its segments; nobody listens, as no traces are kept


def runtime_variables(
    function: Function,
    runtime: Runtime,
    places: Places,
    endpoint: str,
    log_stream: str,
    runtime_api: str,
    credentials: Credentials | ContainerCredentials,
    initialization_type: str,
) -> dict[str, str]:
    """For code and layers in `places`; `endpoint` is the embedded AWS's, `runtime_api` a host and port.

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
    managed = not function.runtime.startswith("provided")
    # Of a shell, which on AWS starts these: recorded there in January 2026.
    shell = {"PWD": places.task, "SHLVL": "0"} if managed and not function.runtime.startswith("java") else {}
    own_libraries = (
        *(each + end for each in (places.runtime, places.task) for end in ("", "/lib")),
        f"{places.opt}/lib",
    )
    return {
        "PATH": f"/usr/local/bin:/usr/bin/:/bin:{places.opt}/bin",
        "LD_LIBRARY_PATH": ":".join(("/lib64", "/usr/lib64", *own_libraries)),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": ":".join(XRAY_DAEMON),
        "_AWS_XRAY_DAEMON_ADDRESS": XRAY_DAEMON[0],
        "_AWS_XRAY_DAEMON_PORT": XRAY_DAEMON[1],
        **shell,
        "AWS_ENDPOINT_URL": endpoint,
        **places.variables(runtime),
        **function.variables,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": places.task,
        "LAMBDA_RUNTIME_DIR": places.runtime,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        **({"AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}"} if managed else {}),
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
