"""A room without a network: a folder of wheels is made where there is one, and a fresh checkout installed from it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from own_checkout import checkout

from helpers import localaws, settings
from helpers.installing import environment

pytestmark = pytest.mark.slow
LIMIT_S = 1800
# Where the system lets us, a network of our own, which has nobody in it.
ALONE = ["unshare", "--user", "--map-root-user", "--net"]
NOWHERE = "http://127.0.0.1:9"  # where nothing listens


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What `wheels` makes for this machine."""
    scratch = tmp_path_factory.mktemp("online")
    root = checkout(scratch / "checkout")
    folder = scratch / "a folder of wheels"
    made = run(root / ".venv" / "bin" / "python", root, "wheels", str(folder))
    if made.returncode and not os.environ.get("CI"):
        pytest.skip(f"the wheels cannot be had here: {made.stderr}")
    assert made.returncode == 0, made.stderr
    return folder


def run(python: Path | str, root: Path, *arguments: str, before: list[str] = (), **variables: str):  # type: ignore
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKSHOP_", "AWS_"))}
    command = [*before, str(python), "-m", "helpers", *arguments]
    return subprocess.run(command, cwd=root, env=kept | variables, capture_output=True, text=True, timeout=LIMIT_S)


def test_the_folder_has_what_the_lock_says(folder):
    wheels = {environment._normal(file.name.partition("-")[0]) for file in folder.glob("*.whl")}
    assert wheels >= set(environment.direct()) & environment.locked().keys()
    assert list(folder.glob("aws-sdk-client-s3-*.tgz"))


def test_it_is_installed_into_a_fresh_checkout_without_a_network(folder, tmp_path):
    root = checkout(tmp_path / "a fresh checkout", with_environment=False)
    shutil.rmtree(root / localaws.node_sdk.FOLDER.relative_to(settings.ROOT) / "node_modules", ignore_errors=True)
    possible = bool(shutil.which("unshare")) and subprocess.run([*ALONE, "true"]).returncode == 0
    nowhere = {"PIP_INDEX_URL": f"{NOWHERE}/simple", "NPM_CONFIG_REGISTRY": NOWHERE, "HTTPS_PROXY": NOWHERE}
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    variables = {"WORKSHOP_WHEELS": str(folder), "PIP_NO_CACHE_DIR": "1", "PIP_FIND_LINKS": "", **nowhere}
    done = run(base, root, "install", before=ALONE if possible else [], **variables)
    assert done.returncode == 0, done.stderr
    assert "could not be installed" not in done.stderr
    code = (
        "from helpers.installing import environment\nfrom helpers.localaws import node_sdk\n"
        "print(environment.made(), node_sdk.ready())"
    )
    python = root / ".venv" / "bin" / "python"
    said = subprocess.run([python, "-c", code], cwd=root, capture_output=True, text=True)
    assert said.stdout.split() == ["True", "True"], said.stderr
