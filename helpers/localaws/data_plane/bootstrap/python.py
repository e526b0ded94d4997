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
    """A module with the functions of awslambdaric's native `runtime_client`.

    It speaks HTTP on a bare socket, as far as the Runtime API does: http.client takes longer to import than all else.
    """
    import _socket

    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    prefix = "/2018-06-01/runtime/invocation/"
    kept: list[_socket.socket] = []  # the connection, between two requests

    def connected() -> _socket.socket:
        host, _, port = address.partition(":")
        connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        connection.connect((host, int(port)))
        return connection

    def more(connection: _socket.socket) -> bytes:
        data = connection.recv(2**16)
        if not data:
            raise ConnectionError("The Runtime API has closed the connection")
        return data

    def read(connection: _socket.socket) -> tuple[int, dict[str, str], bytes]:
        """An answer's status, its headers by their names in lower case, and its body."""
        come = bytearray()
        while (end := come.find(b"\r\n\r\n")) < 0:
            come += more(connection)
        line, *fields = come[:end].decode("latin-1").split("\r\n")
        parts = [field.partition(":") for field in fields]
        headers = {name.lower(): value.strip() for name, _, value in parts}
        del come[: end + 4]
        while len(come) < int(headers["content-length"]):
            come += more(connection)
        return int(line.split()[1]), headers, bytes(come)

    def ask(method: str, path: str, body: bytes = b"", content_type: str = "") -> tuple[bytes, dict[str, str]]:
        connection = kept.pop() if kept else connected()
        fields = [f"{method} {prefix}{path} HTTP/1.1", f"Host: {address}", f"Content-Length: {len(body)}"]
        fields += [f"Content-Type: {content_type}"] if content_type else []
        connection.sendall("\r\n".join([*fields, "", ""]).encode() + body)
        status, headers, data = read(connection)
        if headers.get("connection") != "close":
            kept.append(connection)
        if not 200 <= status < 300:
            raise RuntimeError(f"Failed to post invocation response (HTTP {status})")
        return data, headers

    def next() -> tuple[bytes, dict[str, str | int | None]]:
        body, headers = ask("GET", "next")
        return body, {
            name: int(value) if (value := headers.get(name.lower())) and name.endswith("-Deadline-Ms") else value
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
        ask("POST", request_id + "/response", data, content_type)

    def post_error(request_id: str, error: str, xray_cause: str, invocation_id: str | None = None) -> None:
        ask("POST", request_id + "/error", error.encode(), "application/json")

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
