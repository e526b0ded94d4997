"""Fixtures that several test modules share."""

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import psutil
import pytest
from botocore.config import Config
from localaws_client import ROLE, TestedFunction, eventually, processes_of, zipped

from helpers import localaws
from helpers.localaws import Endpoint
from helpers.localaws.data_plane import node_sdk

# In the server's environment, where no function may see it.
HOST_VARIABLE = "WORKSHOP_TEST_HOST_VARIABLE"
FILES = {"python": "app.py", "nodejs": "app.mjs", "ruby": "app.rb"}


@pytest.fixture(scope="session")
def needs() -> Callable[..., str]:
    """Give the path of a program, by any of its names; skip the test where it is missing, but fail in CI."""

    def find(*names: str) -> str:
        if path := next(filter(None, map(shutil.which, names)), None):
            return path
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"{names[0]} is not installed on this machine")

    return find


@pytest.fixture(scope="session")
def needs_sdk(needs) -> Callable[[str], None]:
    """Skip the test, but fail in CI, where functions in "node" or "ruby" lack the AWS SDK; Python has boto3."""
    def check(language: str) -> None:
        try:
            if language == "node":
                node_sdk.install()
            elif language == "ruby":
                subprocess.run([needs("ruby"), "-e", "require 'aws-sdk-s3'"], capture_output=True, check=True)
        except (node_sdk.NodeSdkError, subprocess.CalledProcessError) as error:
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up(f"functions in {language} lack the AWS SDK: {error}")
    return check


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Give a port on 127.0.0.1 that nobody listens on."""
    return localaws.free_port


@pytest.fixture(scope="session")
def embedded_home(tmp_path_factory) -> Path:
    """The WORKSHOP_HOME of the embedded AWS that tests share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def embedded_aws(embedded_home, free_port) -> Iterator[Endpoint]:
    """A fresh embedded AWS, shared by all tests of a run; at its end no process of it may be left."""
    endpoint = start_server(embedded_home, free_port())
    yield endpoint
    assert psutil.pid_exists(endpoint.pid), (
        "the embedded AWS died: " + (embedded_home / localaws.LOG_FILE).read_text()
    )
    assert localaws.stop(embedded_home)
    eventually(lambda: not processes_of(embedded_home))


def start_server(home: Path, port: int) -> Endpoint:
    """Start an embedded AWS whose processes have its folder in their environment, for `processes_of`."""
    os.environ[HOST_VARIABLE] = str(home)
    try:
        return localaws.start(home, port)
    finally:
        del os.environ[HOST_VARIABLE]


@pytest.fixture(scope="session")
def clients(embedded_aws) -> Callable[[str], Any]:
    """Give the boto3 client of a service; it knows nothing of this project but endpoint and keys."""
    return clients_for(embedded_aws)


def clients_for(endpoint: Endpoint) -> Callable[[str], Any]:
    variables = endpoint.variables()
    nothing = (None, None, os.devnull, None)  # nothing of the profiles of whoever runs the tests
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
        botocore_session=botocore.session.Session(
            session_vars={"profile": (None,) * 4, "config_file": nothing, "credentials_file": nothing}
        ),
    )
    # No retries: throttled calls are what some tests are about. Path style: 127.0.0.1 has no names below it.
    config = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=64,
        s3={"addressing_style": "path"},
        proxies={},
    )
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=variables["AWS_ENDPOINT_URL"], config=config)
        return made[service]

    return client


_numbers = itertools.count(1)


@pytest.fixture
def make_function(clients) -> Iterator[Callable[..., TestedFunction]]:
    """Deploy `code`, the text of the handler's file or a dict of files; it is deleted afterwards."""
    made = []

    def make(
        code: str | dict[str, str | bytes], runtime: str = "python3.13", executable=(), **configuration
    ) -> TestedFunction:
        if isinstance(code, str):
            code = {next(file for start, file in FILES.items() if runtime.startswith(start)): code}
        name = f"tested-{next(_numbers)}"
        made.append(name)
        clients("lambda").create_function(
            **{
                "FunctionName": name,
                "Runtime": runtime,
                "Role": ROLE,
                "Handler": "app.handler",
                "Code": {"ZipFile": zipped(code, executable)},
                **configuration,
            }
        )
        function = TestedFunction(name, clients)
        function.wait()
        return function

    yield make
    for name in made:
        with contextlib.suppress(
            clients("lambda").exceptions.ResourceNotFoundException
        ):  # a test's own business
            clients("lambda").delete_function(FunctionName=name)
        if TestedFunction(name, clients).logged():
            clients("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")


@pytest.fixture
def aws(embedded_aws, embedded_home, monkeypatch):
    """A helpers.connect.Workshop on the embedded AWS, whatever the reader's settings are."""
    return _connect(embedded_aws, embedded_home, monkeypatch)


@pytest.fixture(scope="module")
def aws_of_module(embedded_aws, embedded_home):
    """The same, while a module lasts; what its tests have made through it is then removed."""
    from helpers.kinds import KINDS
    from helpers.labs import remove

    with pytest.MonkeyPatch.context() as patched:
        workshop = _connect(embedded_aws, embedded_home, patched)
        there = workshop.ledger.entries()
        yield workshop
        made = [entry for entry in workshop.ledger.entries() if entry not in there]
        order = [kind.name for kind in KINDS]
        for entry in sorted(made, key=lambda entry: order.index(entry.kind)):
            remove(workshop, entry)


def _connect(endpoint: Endpoint, home: Path, patched: pytest.MonkeyPatch):
    from helpers.connect import connect

    for name in ("AWS_ENDPOINT_URL", "WORKSHOP_TARGET"):
        patched.delenv(name, raising=False)
    patched.setenv("WORKSHOP_HOME", str(home))
    patched.setenv("WORKSHOP_PORT", str(endpoint.port))
    return connect()
