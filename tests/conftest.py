"""Fixtures that several test modules share."""

import contextlib
import functools
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import headless_chromium
import headless_firefox
import psutil
import pytest
from accessibility import Axe
from botocore.exceptions import ClientError
from localaws_client import (
    ROLE,
    THIS_PYTHON,
    TestedFunction,
    clients_for,
    eventually,
    processes_of,
    start_server,
    zipped,
)
from sentences import doubled

from helpers import localaws, settings
from helpers.errors import WorkshopError
from helpers.localaws import Endpoint, node_sdk

os.environ.setdefault("MPLBACKEND", "Agg")  # no window for a picture that a test draws
os.environ.pop("JPY_SESSION_NAME", None)  # tests that a notebook has started are no session of its reader

# A worker reads the model of a service once, and not for each of its many sessions.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

# With several workers: what takes longest comes first, so that no other waits for it at the end.
FIRST = (
    "deploy/test_hub.py",
    "commands/test_offline.py",
    "helpers/site/test_site.py",
    "lessons/test_notebooks.py",
    "commands/test_browser.py",
    "commands/test_browser_present.py",
    "commands/test_browser_console.py",
    "localaws/test_faults.py",
    "localaws/test_saved_state.py",
    "commands/test_start_at.py",
    "commands/test_command_line.py",
    "lessons/11-thumbnails/test_notebook.py",
    "localaws/services/test_rds.py",
    "localaws/test_server.py",
    "lessons/09-slack/test_checks.py",
    "lessons/17-s3-list-to-slack/test_checks.py",
    "test_style.py",
)
ALONE = "lessons/test_notebooks.py"  # each of its tests may go to another worker
FILES = {"python": "app.py", "nodejs": "app.mjs", "ruby": "app.rb"}


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # of pytest-xdist: our order counts, not the number of tests in a module


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((place for place, file in enumerate(FIRST) if file in item.nodeid), len(FIRST))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole modules for each worker, as their fixtures take long."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if ALONE in nodeid else nodeid.partition("::")[0]

    return ByModule(config, log)


@pytest.fixture(scope="session", autouse=True)
def no_sentence_is_doubled() -> Iterator[None]:
    """Every error for the reader that any test brings about has single punctuation marks."""

    def made(self: WorkshopError, *arguments: object) -> None:
        Exception.__init__(self, *arguments)
        assert doubled(str(self)) == [], str(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WorkshopError, "__init__", made)
        yield


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
def axe(needs, tmp_path_factory) -> Axe:
    """What finds faults of accessibility in a page."""
    needs("npm")
    return Axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="session")
def chromium(needs, tmp_path_factory) -> Iterator[Any]:
    """One Chromium for those tests of a worker that need no profile of their own."""
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1024,700")
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def firefox(needs, tmp_path_factory) -> Iterator[Any]:
    """One Firefox for all tests of a worker that look at a page in it."""
    driver = headless_firefox.start(needs, tmp_path_factory.mktemp("firefox"), "1024,700")
    yield driver
    driver.quit()


@pytest.fixture
def driver(request) -> Iterator[Any]:
    """Chromium, or each of the browsers for a test that is `in_both`; the page is left at the end."""
    driver = request.getfixturevalue(getattr(request, "param", "chromium"))
    yield driver
    driver.get("about:blank")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Give a port on 127.0.0.1 that nobody listens on."""
    return localaws.free_port


@pytest.fixture
def own_notebooks(tmp_path, monkeypatch) -> Path:
    """A folder of notebooks of the test's own, with the workshop's lessons and nothing made of them yet."""
    folder = tmp_path / "checkout" / "notebooks"  # the reader's copies are in tmp_path / "notebooks"
    folder.mkdir(parents=True)
    (folder / "lessons").symlink_to(settings.NOTEBOOKS / "lessons")
    monkeypatch.setattr(settings, "NOTEBOOKS", folder)
    return folder


@pytest.fixture(scope="session")
def embedded_home(tmp_path_factory) -> Path:
    """The WORKSHOP_HOME of the embedded AWS that tests share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def embedded_aws(embedded_home, free_port) -> Iterator[Endpoint]:
    """A fresh embedded AWS, shared by all tests of a run; at its end no process of it may be left."""
    endpoint = start_server(embedded_home, free_port())
    yield endpoint
    assert psutil.pid_exists(endpoint.pid), "the embedded AWS died: " + (embedded_home / localaws.LOG_FILE).read_text()
    assert localaws.stop(embedded_home)
    assert "cannot be saved" not in (embedded_home / localaws.LOG_FILE).read_text()  # of all that the tests have made
    eventually(lambda: not processes_of(embedded_home))


@pytest.fixture(scope="session")
def clients(embedded_aws) -> Callable[[str], Any]:
    """Give the boto3 client of a service; it knows nothing of this project but endpoint and keys."""
    return clients_for(embedded_aws)


_numbers = itertools.count(1)


@pytest.fixture
def make_function(clients) -> Iterator[Callable[..., TestedFunction]]:
    """Deploy `code`, the text of the handler's file or a dict of files; it is deleted afterwards."""
    made = []

    def make(code: str | dict[str, str | bytes], runtime: str = "", executable=(), **configuration) -> TestedFunction:
        too_old = "SnapStart" in configuration and sys.version_info < (3, 12)  # for which AWS has no SnapStart
        runtime = runtime or ("python3.13" if too_old else THIS_PYTHON)
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
        with contextlib.suppress(clients("lambda").exceptions.ResourceNotFoundException):  # a test's own business
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
    from helpers.resources.types import RESOURCE_TYPES

    with pytest.MonkeyPatch.context() as patched:
        workshop = _connect(embedded_aws, embedded_home, patched)
        there = workshop.ledger.entries()
        yield workshop
        made = [entry for entry in workshop.ledger.entries() if entry not in there]
        order = [kind.name for kind in RESOURCE_TYPES]
        for entry in sorted(made, key=lambda entry: order.index(entry.kind)):
            eventually(lambda entry=entry: _is_removed(workshop, entry), 180)  # as long as clean() tries


def _is_removed(workshop, entry) -> bool:
    """Remove it, and say whether that could be: a mapping that changes is in use for a moment."""
    from helpers.resources.cleanup import remove

    try:
        remove(workshop, entry)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        return False
    return True


def _connect(endpoint: Endpoint, home: Path, patched: pytest.MonkeyPatch):
    from helpers.connect import connect

    for name in ("AWS_ENDPOINT_URL", "WORKSHOP_TARGET"):
        patched.delenv(name, raising=False)
    patched.setenv("WORKSHOP_HOME", str(home))
    patched.setenv("WORKSHOP_CLEAN", "yes")
    patched.setenv("WORKSHOP_PORT", str(endpoint.port))
    return connect()
