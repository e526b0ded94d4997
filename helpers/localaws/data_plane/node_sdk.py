"""Installs what Lambda's Node.js runtime holds beside Node.js: AWS SDK v3, as bootstrap/node-sdk's lock says.

Only the S3 client, 22 MB: Lambda's own runtime has those of all services. Another is added to the lock with
`npm install --package-lock-only --omit-lockfile-registry-resolved --save-exact <package>` in that folder.
"""

import fcntl
import json
import re
import shutil
import subprocess
from pathlib import Path

from . import runtimes

FOLDER = runtimes.NODE_SDK
LIMIT_S = 300
# As npm writes them: the lock in git, and what it has installed, which it writes last.
LOCK, INSTALLED = "package-lock.json", "node_modules/.package-lock.json"

_FAILED = "The AWS SDK for functions in Node.js could not be installed, and everything else works without it"


class NodeSdkError(RuntimeError):
    """The SDK could not be installed; the message is one sentence for the reader."""


def ready() -> bool:
    """Whether the SDK is installed as the lock says."""
    return (FOLDER / INSTALLED).is_file() and _packages(INSTALLED) == _packages(LOCK)


def version() -> str:
    """The locked version of the S3 client."""
    return str(json.loads((FOLDER / LOCK).read_text())["packages"]["node_modules/@aws-sdk/client-s3"]["version"])


def install() -> None:
    """Install the SDK unless it is; a half-made installation is made anew. Raises NodeSdkError."""
    if ready():
        return
    try:
        with (FOLDER / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready():  # another command may have done it while this one waited
                _install()
    except OSError as error:
        raise NodeSdkError(f"{_FAILED}: {error.strerror or error} ({FOLDER}).") from None


def _install() -> None:
    command = [
        *[*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
        "--loglevel=error",
        # in ms: where there is no network, every command of the reader waits for this
        *["--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=10000"],
    ]
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise NodeSdkError(f"{_FAILED}: npm did not end within {LIMIT_S} s.") from None
    if done.returncode or not ready():
        code = re.search(r"npm error code (\S+)", done.stderr)
        raise NodeSdkError(
            f"{_FAILED}: npm failed ({code[1] if code else f'exit code {done.returncode}'}); "
            "check the network, or set NPM_CONFIG_REGISTRY to a registry that can be reached."
        )


def _npm() -> list[str]:
    """npm as it comes with the Node.js that runs functions."""
    try:
        node = Path(runtimes.node_program())
    except runtimes.MissingRuntime as missing:
        raise NodeSdkError(f"{_FAILED}: {missing}.") from None
    script = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.exists():
        return [str(node), str(script)]
    if npm := shutil.which("npm"):
        return [npm]
    raise NodeSdkError(f"{_FAILED}: npm is not on this machine.")


def _packages(file: str) -> dict[str, str]:
    """Folder -> hash of every package that a lock names."""
    packages = json.loads((FOLDER / file).read_text())["packages"]
    return {folder: package["integrity"] for folder, package in packages.items() if folder}
