"""Fixtures of the tests that need JupyterLab in a real browser: `lab` as a reader starts it, and a Chromium."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import headless_chromium
import pytest
from lab_in_a_browser import LAB_LIMIT_S, address, eventually, listens

from helpers.settings import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A checkout as git has cloned it, to which JupyterLab may do what it does."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("helpers", "notebooks", "events", "pyproject.toml", "requirements.lock", "README.md", ".gitignore"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as it was cloned"]):
        subprocess.run([*git, *command], cwd=copy, check=True)
    return copy


@pytest.fixture(scope="module")
def lab(checkout, tmp_path_factory, free_port) -> Iterator[str]:
    """The address that `lab --no-browser` prints, with the work folder in the checkout."""
    with _lab(checkout, checkout / "work", tmp_path_factory.mktemp("jupyter"), free_port()) as printed:
        yield printed


@pytest.fixture(scope="module")
def lab_elsewhere(checkout, tmp_path_factory, free_port) -> Iterator[tuple[str, Path]]:
    """The same with a work folder outside of the checkout, and that folder."""
    home = tmp_path_factory.mktemp("elsewhere")
    with _lab(checkout, home, tmp_path_factory.mktemp("jupyter"), free_port()) as printed:
        yield printed, home


@pytest.fixture(scope="module")
def presented(checkout, tmp_path_factory, free_port) -> Iterator[tuple[str, str]]:
    """The addresses that `present` prints, of the projector and of the presenter page, in the evening's notebook 04."""
    home, config = checkout / "work", tmp_path_factory.mktemp("jupyter")
    with _started(checkout, home, config, free_port(), "present", "04", "--plan", "evening") as (printed, said):
        [page] = re.findall(r"http://127\.0\.0\.1:\d+/enter\S+", "".join(said))
        yield printed, page
    assert not listens(int(page.split(":")[2].partition("/")[0])), "the presenter page goes with JupyterLab"
    assert not (home / "jupyterlab").exists(), "the layout of `lab` is another"


@contextlib.contextmanager
def _lab(checkout: Path, home: Path, config: Path, port: int) -> Iterator[str]:
    with _started(checkout, home, config, port, "lab") as (printed, _):
        yield printed


@contextlib.contextmanager
def _started(checkout: Path, home: Path, config: Path, port: int, *command: str) -> Iterator[tuple[str, list[str]]]:
    """A command that opens JupyterLab, in a session of its own that ends with Ctrl-C; gives what it says, too."""
    # lets the test see cells that are not on the screen; nothing else differs from a reader's JupyterLab
    (config / "jupyter_lab_config.json").write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))},
        "WORKSHOP_HOME": str(home),
        "WORKSHOP_PORT": str(port),
        "WORKSHOP_LEARNER": "browser",
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(config / "data"),
        "JUPYTER_RUNTIME_DIR": str(config / "runtime"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", *command, "--no-browser"],
        cwd=checkout,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    try:
        yield eventually(lambda: address(said, process), LAB_LIMIT_S, lambda: "".join(said)), said
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.returncode == 130
    assert not (home / "localaws.json").exists(), "the embedded AWS goes with JupyterLab"


@pytest.fixture(scope="module")
def browser(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1400,1000")
    yield driver
    driver.quit()
