"""What stands in for the native module of AWS's client for Python: its functions, on a bare socket."""

import _socket
import os
import types


def stand_in() -> types.ModuleType:
    """A module with the functions of awslambdaric's native `runtime_client`.

    It speaks HTTP on a bare socket, as far as the Runtime API does: http.client takes longer to import than all else.
    """
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
