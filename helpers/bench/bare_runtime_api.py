"""The least that anything has to do that runs a function as AWS's own Python client expects it: a bare Runtime API.

It hands out one event after the other to `awslambdaric` in a Python that sees nothing else, and takes the answers;
without limits, logs, errors or freezing. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from .subject import ANSWER_LIMIT_S, HANDLER, BenchError, Subject


class BareRuntimeApi(Subject):
    name = "bare Runtime API"

    def __init__(self, folder: Path, functions: Mapping[str, str]) -> None:
        super().__init__(folder, functions)
        self._runtimes: dict[str, _Runtime] = {}

    @classmethod
    def missing(cls) -> str:
        native = sys.platform == "linux"
        return "" if native else "The bare Runtime API is left out: AWS makes its client's native part for Linux alone."

    def start(self) -> None:
        for name, code in self.functions.items():
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / "app.py").write_text(code, encoding="utf-8")

    def end(self) -> None:
        for runtime in self._runtimes.values():
            runtime.end()

    def begin(self, function: str) -> float:
        """Start the function's process; how many seconds until it asks for its first event."""
        started = time.perf_counter()
        self._runtimes[function] = _Runtime(self.folder / function)
        return time.perf_counter() - started

    def invoke(self, function: str, event: object = None) -> Any:
        if function not in self._runtimes:
            self.begin(function)
        return json.loads(self._runtimes[function].invoke(json.dumps(event).encode()))

    def processes(self) -> set[psutil.Process]:
        return {psutil.Process(runtime.process.pid) for runtime in self._runtimes.values()}


class _Runtime:
    """One process, and the connection over which it asks for events. Made when it has asked for the first."""

    def __init__(self, folder: Path) -> None:
        self._number = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(ANSWER_LIMIT_S)
        self._connection: socket.socket | None = None
        packages = importlib.metadata.distribution("awslambdaric").locate_file("")
        self.process = subprocess.Popen(
            # as the embedded AWS starts it: without site-packages, the machine's own and the workshop's
            [getattr(sys, "_base_executable", sys.executable), "-S", "-B", "-m", "awslambdaric", HANDLER],
            cwd=folder,
            env={
                "PYTHONPATH": os.pathsep.join([str(folder), str(packages)]),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._listener.getsockname()[1]}",
                "AWS_LAMBDA_FUNCTION_NAME": "bench",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
                "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
                "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
                "LAMBDA_TASK_ROOT": str(folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._hear()
        except BaseException:
            self.end()
            raise

    def invoke(self, event: bytes) -> bytes:
        """The function's response to an event, once the process has asked for the next."""
        self._number += 1
        self._answer(
            b"200 OK",
            event,
            b"Content-Type: application/json\r\nLambda-Runtime-Trace-Id: Root=1\r\n"  # the client breaks without
            b"Lambda-Runtime-Aws-Request-Id: %d\r\nLambda-Runtime-Invoked-Function-Arn: bench\r\n"
            b"Lambda-Runtime-Deadline-Ms: %d\r\n" % (self._number, (time.time() + ANSWER_LIMIT_S) * 1000),
        )
        response = self._hear()
        self._answer(b"202 Accepted")
        self._hear()
        return response

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.close()
        if self._connection:
            self._connection.close()

    def _answer(self, status: bytes, body: bytes = b"", headers: bytes = b"") -> None:
        assert self._connection
        self._connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), headers, body))

    def _hear(self) -> bytes:
        """The body of the next request, over whichever connection it comes."""
        data = b""
        try:
            while b"\r\n\r\n" not in data or len(data) < _length(data):
                part = self._connection.recv(65536) if self._connection else b""
                data += part
                if not part:
                    self._connection = self._listener.accept()[0]
                    self._connection.settimeout(ANSWER_LIMIT_S)
                    self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError:
            raise BenchError(f"A process of the bare Runtime API said nothing for {ANSWER_LIMIT_S} s.") from None
        return data.partition(b"\r\n\r\n")[2]


def _length(data: bytes) -> int:
    """How long a request is whose head is there."""
    head, end, _ = data.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.lower().splitlines())
    return len(head + end) + next((int(value) for name, _, value in lines if name == b"content-length"), 0)
