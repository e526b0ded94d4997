"""An AWS inside the Python environment: starts, finds and stops the server process. Standard library only.

The server is MiniStack (S3, SQS, EventBridge, IAM, CloudWatch, Lambda's control plane) with Lambda's data plane
replaced by true execution environments:

    server ─► gateway ─► MiniStack ─► seam ─► pool ─► execution environment ─► keeper ─► process
                                                        runtime API, log stream, platform logs
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

STATE_FILE = "localaws.json"
LOG_FILE = "localaws.log"
START_LIMIT_S = 60
STOP_LIMIT_S = 20
ROOT = Path(__file__).resolve().parent.parent.parent
# Straight to this machine, whatever proxy the reader's environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LocalAwsError(RuntimeError):
    """The embedded AWS could not be started or stopped; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Endpoint:
    """A running embedded AWS."""

    port: int
    pid: int
    region: str = "us-east-1"
    inbox_url: str = field(default="", repr=False)  # of the Slack webhook; a secret, like one of Slack's own

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def variables(self) -> dict[str, str]:
        """What any AWS client needs in its environment to talk to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "embedded",
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


def running(home: Path) -> Endpoint | None:
    """The embedded AWS of this folder, if it runs and answers."""
    try:
        state = json.loads((home / STATE_FILE).read_text())
        endpoint = Endpoint(**state)
        with _opener.open(f"{endpoint.url}/_localaws", timeout=5) as answer:
            return endpoint if json.load(answer)["pid"] == endpoint.pid else None
    except (OSError, ValueError, KeyError, TypeError):  # no file, nobody there, or somebody else
        return None


def start(home: Path, port: int, region: str = "us-east-1") -> Endpoint:
    """Start the embedded AWS in the background unless it runs already; returns when it answers."""
    with _only_one(home):
        if endpoint := running(home):
            return endpoint
        _check_port(port)
        with (home / LOG_FILE).open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "helpers.localaws", "--home", home, "--port", str(port), "--region", region],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        try:
            endpoint = _wait_until_ready(process, home)
        except BaseException:  # Ctrl-C included: nothing half-started stays
            process.terminate()
            process.wait()
            raise
        # When it ends while we live on, as a notebook does, no zombie shall pass for a server that is alive.
        threading.Thread(target=process.wait, daemon=True, name="localaws").start()
        return endpoint


def stop(home: Path) -> bool:
    """Stop the embedded AWS, and with it every function process; False when none was running."""
    endpoint = running(home)
    if endpoint is None:
        return False
    os.kill(endpoint.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_LIMIT_S
    while _is_alive(endpoint.pid):
        if time.monotonic() > deadline:
            os.kill(endpoint.pid, signal.SIGKILL)  # its keeper then ends the function processes
            (home / STATE_FILE).unlink(missing_ok=True)
            break
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def _only_one(home: Path):
    """Hold the folder's lock, so that two commands do not start two servers."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / "localaws.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise LocalAwsError(
            f"Cannot write to {error.filename or home} ({error.strerror}); "
            "set WORKSHOP_HOME to a folder that you may write to."
        ) from None


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise LocalAwsError(
                f"Port {port} on 127.0.0.1 is taken by another program; stop that one, or choose another port, "
                f"for example WORKSHOP_PORT={port + 1 if port < 65535 else 4566}."
            ) from None


def _wait_until_ready(process: subprocess.Popen, home: Path) -> Endpoint:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        endpoint = running(home)
        if endpoint and endpoint.pid == process.pid:
            return endpoint
        if process.poll() is not None:
            lines = (home / LOG_FILE).read_text().strip().splitlines() or ["it said nothing"]
            raise LocalAwsError(f"The embedded AWS did not start: {lines[-1]} (more in {home / LOG_FILE}).")
        time.sleep(0.05)
    raise LocalAwsError(f"The embedded AWS did not answer within {START_LIMIT_S} seconds; see {home / LOG_FILE}.")


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:  # it was our own child
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
