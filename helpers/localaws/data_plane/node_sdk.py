"""Installs what Lambda's Node.js runtime holds beside Node.js: AWS SDK v3, as bootstrap/node-sdk's lock says.

Only the S3 client, 22 MB: Lambda's own runtime has those of all services. Another is added to the lock with
`npm install --package-lock-only --omit-lockfile-registry-resolved --save-exact <package>` in that folder.
"""

import fcntl
from pathlib import Path

from . import npm, runtimes

FOLDER = runtimes.NODE_SDK
LOCK = npm.LOCK

_FAILED = "The AWS SDK for functions in Node.js could not be installed, and everything else works without it"


class NodeSdkError(RuntimeError):
    """The SDK could not be installed; the message is one sentence for the reader."""


def ready() -> bool:
    """Whether the SDK is installed as the lock says."""
    return npm.is_installed(FOLDER)


def version() -> str:
    """The locked version of the S3 client."""
    return npm.version(FOLDER, "@aws-sdk/client-s3")


def install(folder: Path | None = None) -> None:
    """Install the SDK unless it is; a half-made installation is made anew. Raises NodeSdkError.

    From npm's registry, or from a folder that npm.download has filled.
    """
    if ready():
        return
    try:
        with (FOLDER / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready():  # another command may have done it while this one waited
                npm.install(FOLDER, folder)
    except npm.NpmError as error:
        raise NodeSdkError(f"{_FAILED}: {error}") from None
    except OSError as error:
        raise NodeSdkError(f"{_FAILED}: {error.strerror or error} ({FOLDER}).") from None
