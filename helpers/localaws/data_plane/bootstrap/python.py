"""Starts AWS's own runtime interface client for Python, on the handler that _HANDLER names.

Its options (-X): the folder of the runtime's packages, and those of the layers. As AWS's own bootstrap.py does, it
imports what the runtime itself needs before the function's folders are looked into, so that a json.py in there is not
for it; then the function's come first, the layers' next, and .pth files count in both. A function with a PYTHONPATH of
its own finds no layer.

AWS ships the client's native module `runtime_client` for Linux and some Pythons, and it keeps the address that it was
loaded with; elsewhere, and after a restore, a stand-in with the same four functions speaks the same HTTP.
"""

import importlib
import os
import site
import sys
import types

snapstart: types.ModuleType | None = None
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    snapstart = importlib.import_module("lambda_snapstart")  # while this file's own folder is the first on the path

packages, layers = (str(sys._xoptions[f"lambda_{what}"]) for what in ("packages", "layers"))
sys.path[:] = [packages, *(each for each in sys.path[1:] if each != packages)]  # in place of this file's own folder
if os.environ.get("LC_CTYPE") == "C.UTF-8":
    del os.environ["LC_CTYPE"]  # Python sets it where a machine lacks the locale that LANG names (PEP 538)


def look_into_the_function() -> None:
    own = [os.environ["LAMBDA_TASK_ROOT"]]
    if os.environ.get("PYTHONPATH") == packages:  # the function has none of its own
        own += layers.split(os.pathsep)
    sys.path[:0] = own
    for folder in own:
        site.addsitedir(folder)


def stand_in() -> types.ModuleType:
    """A module with the functions of awslambdaric's native `runtime_client`, over http.client."""
    import http.client

    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    prefix = "/2018-06-01/runtime/invocation/"

    def ask(
        method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[bytes, http.client.HTTPMessage]:
        connection.request(method, prefix + path, body, headers or {})
        response = connection.getresponse()
        data = response.read()
        if not 200 <= response.status < 300:
            raise RuntimeError(f"Failed to post invocation response (HTTP {response.status})")
        return data, response.headers

    def next() -> tuple[bytes, dict[str, str | int | None]]:
        body, headers = ask("GET", "next")
        return body, {
            name: int(headers[name]) if name == "Lambda-Runtime-Deadline-Ms" else headers[name]
            for name in (
                "Lambda-Runtime-Aws-Request-Id",
                "Lambda-Runtime-Trace-Id",
                "Lambda-Runtime-Invoked-Function-Arn",
                "Lambda-Runtime-Deadline-Ms",
                "Lambda-Runtime-Client-Context",
                "Lambda-Runtime-Cognito-Identity",
                "Lambda-Runtime-Aws-Tenant-Id",
                "Lambda-Runtime-Invocation-Id",
                "Content-Type",
            )
        }

    def post_invocation_result(
        request_id: str, body: str | bytes, content_type: str = "application/json", invocation_id: str | None = None
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        ask("POST", request_id + "/response", data, {"Content-Type": content_type})

    def post_error(request_id: str, error: str, xray_cause: str, invocation_id: str | None = None) -> None:
        ask("POST", request_id + "/error", error.encode(), {"Content-Type": "application/json"})

    module = types.ModuleType("runtime_client")
    vars(module).update(
        initialize_client=lambda user_agent: None,
        next=next,
        post_invocation_result=post_invocation_result,
        post_error=post_error,
    )
    return module


def write_whole_frames() -> None:
    """Let the client's log sink write on when a write was cut short, as happens to a process that was stopped in it."""
    import io

    from awslambdaric import bootstrap

    class Sink(bootstrap.FramedTelemetryLogSink):  # type: ignore[misc]
        def __enter__(self) -> "Sink":
            self.file = io.BufferedWriter(os.fdopen(self.fd, "wb", 0))
            return self

        def log(self, msg: object, frame_type: object = None) -> None:
            super().log(msg, frame_type)
            self.file.flush()

    bootstrap.FramedTelemetryLogSink = Sink


if __name__ == "__main__":
    try:
        import runtime_client  # noqa: F401
    except ImportError:
        sys.modules["runtime_client"] = stand_in()
    write_whole_frames()
    if snapstart:
        snapstart.install(stand_in)
    from awslambdaric.__main__ import main

    look_into_the_function()
    main([sys.argv[0], os.environ["_HANDLER"]])
