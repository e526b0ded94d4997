"""What every subject of a measurement can do: start, run functions, and say what runs for it."""

import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import urlsplit

import boto3
import psutil
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from .. import localaws
from ..connect import isolated_session
from ..deploying.package import package
from ..errors import WorkshopError

REGION = "us-east-1"
HANDLER = "app.handler"
RUNTIME = "python{}.{}".format(*sys.version_info)  # on this Python, which the bare Runtime API runs on, too
START_LIMIT_S, END_LIMIT_S, ANSWER_LIMIT_S = 120, 10, 120


class BenchError(WorkshopError):
    """What cannot be measured; the message is one sentence."""


class Subject(ABC):
    """Runs `functions`, the text of app.py by name, while it is entered; what it writes goes below `folder`."""

    name: ClassVar[str]
    services: ClassVar[frozenset[str]] = frozenset()  # of AWS that it has beside Lambda
    most_at_once: int = 0  # how many invocations at a time it can be asked for

    def __init__(self, folder: Path, functions: Mapping[str, str]) -> None:
        self.folder, self.functions = folder, functions

    @classmethod
    def missing(cls) -> str:
        """Why it is left out on this machine, and how to install it: one sentence, or nothing where it is there."""
        return ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    @abstractmethod
    def start(self) -> None:
        """Return when it answers and has all functions."""

    @abstractmethod
    def end(self) -> None:
        """Leave no process of it."""

    @abstractmethod
    def invoke(self, function: str, event: object = None) -> Any:
        """What the function returns."""

    @abstractmethod
    def processes(self) -> set[psutil.Process]:
        """What runs for it, but for its own process."""


class Answers(NamedTuple):
    """To calls that came at once: how long until the last, what the functions returned, and why others did not."""

    seconds: float
    returned: list[Any]
    refused: Counter[str]


class Served(Subject):
    """A subject that speaks AWS's API over HTTP. `prefix` stands before a function's name."""

    prefix: ClassVar[str] = ""
    url = ""
    pid = 0
    credentials = Credentials("test", "test")

    def client(self, service: str) -> Any:
        """Its boto3 client, the same one each time."""
        if service not in self._clients:
            key, secret = self.credentials.access_key, self.credentials.secret_key
            session = boto3.Session(key, secret, region_name=REGION, botocore_session=isolated_session())
            config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, proxies={})
            self._clients[service] = session.client(service, endpoint_url=self.url, config=config)
        return self._clients[service]

    def __init__(self, folder: Path, functions: Mapping[str, str]) -> None:
        super().__init__(folder, functions)
        self._clients: dict[str, Any] = {}

    def invoke(self, function: str, event: object = None) -> Any:
        return self.invoked(function, event)[0]

    def invoked(self, function: str, event: object = None, **parameters: str) -> tuple[Any, str]:
        """What the function returns, and the tail of its log where LogType="Tail" asks for it."""
        answer = self.client("lambda").invoke(
            FunctionName=self.prefix + function, Payload=json.dumps(event), **parameters
        )
        returned = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise BenchError(f"A function of {self.name} failed ({returned}).")
        return returned, base64.b64decode(answer.get("LogResult", "")).decode()

    def at_once(self, function: str, number: int, event: object = None) -> Answers:
        """Call it so often at once, from a thread for each, over HTTP alone: boto3 would take longer than they run."""
        path = f"/2015-03-31/functions/{self.prefix}{function}/invocations"
        body = json.dumps(event)
        request = AWSRequest("POST", self.url + path, {}, body)
        SigV4Auth(self.credentials, "lambda", REGION).add_auth(request)
        headers, address = dict(request.headers), urlsplit(self.url).netloc
        began = threading.Barrier(number + 1)

        refused: Counter[str] = Counter()

        def call(_: int) -> Any:
            began.wait()
            connection = http.client.HTTPConnection(address, timeout=ANSWER_LIMIT_S)
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                returned = answer.read()
            except (OSError, http.client.HTTPException) as error:
                refused[type(error).__name__] += 1
                return None
            finally:
                connection.close()
            if answer.status != 200 or answer.headers["X-Amz-Function-Error"]:
                refused[f"{answer.status} {_reason(returned)}"] += 1
                return None
            return json.loads(returned)

        with ThreadPoolExecutor(number) as threads:
            results = [threads.submit(call, each) for each in range(number)]
            began.wait()
            start = time.perf_counter()
            returned = [each.result() for each in results]
            seconds = time.perf_counter() - start
        return Answers(seconds, [each for each in returned if each is not None], refused)

    def processes(self) -> set[psutil.Process]:
        return set(psutil.Process(self.pid).children(recursive=True))

    def deploy(self, role: str) -> None:
        """Create its functions in Lambda."""
        client = self.client("lambda")
        for name, code in self.functions.items():
            client.create_function(
                FunctionName=name,
                Runtime=RUNTIME,
                Role=role,
                Handler=HANDLER,
                Code={"ZipFile": package({"app.py": code})},
                Timeout=60,
                MemorySize=1769,  # as much as one vCPU: its share of CPU must not be what is measured
            )
        for name in self.functions:
            client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


class Program(Served):
    """A subject that is a program of its own."""

    _process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str], variables: Mapping[str, str], answers: Callable[[], bool]) -> None:
        """Start it, and return when it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "output").open("w") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**kept, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._process.pid
        deadline = time.monotonic() + START_LIMIT_S
        while not answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "output").read_text(errors="replace").strip().splitlines() or ["it said nothing"]
                raise BenchError(f"{self.name} did not start: {said[-1].strip().rstrip('.')}.")
            time.sleep(0.02)

    def end(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(self.pid).children(recursive=True)
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_LIMIT_S)
            for each in started:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
        self._process.kill()
        self._process.wait()
        self._process = None


def _reason(body: bytes) -> str:
    """What the body of an error says in a word."""
    told = json.loads(body)
    return str(told.get("errorType") or told.get("__type") or told)


def answers(url: str) -> bool:
    """Whether a server answers there, whatever it says."""
    try:
        localaws.open_url(url, timeout=5).close()
    except OSError as error:  # urllib's HTTPError is one
        return isinstance(getattr(error, "code", None), int)
    return True
