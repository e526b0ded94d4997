"""The server process of the embedded AWS, from outside: starts, finds and stops it. Standard library only."""

import contextlib
import fcntl
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from ..errors import WorkshopError
from .command_lines import command_line, command_lines
from .ports import is_free
from .saved_state import STATE

STATE_FILE = "localaws.json"
LOG_FILE = "localaws.log"
USERS_FILE = "localaws.users"
ACTIVITY_FILE = "access-activity.jsonl"
KEPT = Path("localaws", STATE)  # what it goes on with
START_LIMIT_S = 60
STOP_LIMIT_S = 20
ROOM = 256 * 1024  # bytes: its state and its log, and the code of a function or two
TELL = signal.SIGUSR1  # asks the server to write its state file anew
TELL_LIMIT_S = 5
KILL_LIMIT_S = 10  # what the system takes at most to end a process and free its port
LIFE_HEADER = "x-localaws-life"  # of a request that is meant for one life of the embedded AWS, and no other
OTHER_LIFE = "AnotherEmbeddedAws"  # the error code that such a request gets in any other
ROOT = Path(__file__).resolve().parent.parent.parent
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LocalAwsError(WorkshopError):
    """The embedded AWS could not be started or stopped; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Endpoint:
    """A running embedded AWS."""

    port: int
    pid: int
    region: str = "us-east-1"
    inbox_url: str = field(default="", repr=False)  # of the Slack webhook; a secret, like one of Slack's own
    inbox_https_url: str = field(default="", repr=False)  # the same by https; "" where openssl is missing
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    life: str = ""  # of what it keeps: another one where it began with nothing
    found: str = field(default="", compare=False)  # what it found when it started, in sentences for the reader

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def hung(self) -> str:
        """One sentence for when its process is there and does not answer."""
        return (
            f"The embedded AWS (process {self.pid}) does not answer; end it with python3 -m helpers stop, "
            "and start it again."
        )

    def variables(self) -> dict[str, str]:
        """What any AWS client needs in its environment to talk to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


def open_url(request: str | urllib.request.Request, timeout: float) -> http.client.HTTPResponse:
    """As urllib.request.urlopen, but straight to this machine, whatever proxy the reader's environment names."""
    answer: http.client.HTTPResponse = _opener.open(request, timeout=timeout)
    return answer


def running(home: Path) -> Endpoint | None:
    """The embedded AWS of this folder, if it runs and answers.

    Where its state file is damaged or gone, it is found by its command line, and writes the file anew.
    Raises LocalAwsError where it cannot.
    """
    recorded = _recorded(home)
    if recorded and _pid_at(recorded.port) == recorded.pid:
        return recorded
    found = _found(home)
    if found is None or _pid_at(found.port) != found.pid:
        return None
    return _told_anew(home, found)


def alive(home: Path) -> Endpoint | None:
    """The embedded AWS of this folder, if its process exists, whether it answers or not.

    Where its state file is damaged or gone, no more is known than process, port and region.
    """
    endpoint = _recorded(home)
    if endpoint is None:
        return _found(home)
    command = command_line(endpoint.pid)  # the number may be another process's by now
    ours = " -m helpers.localaws " in command and f" --port {endpoint.port} " in command
    return endpoint if ours else _found(home)


def has_kept(home: Path) -> bool:
    """Whether something is kept in this folder that the embedded AWS goes on with when it starts."""
    return (home / KEPT).exists()


def is_at(url: str, home: Path, port: int) -> bool:
    """Whether `url` is the embedded AWS: where that of this folder runs, or would start, at `port`.

    Where another program listens at `port` it is that program: many emulators share our default port.
    """
    try:
        host, named = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        return False
    if host not in ("127.0.0.1", "localhost"):
        return False
    endpoint = running(home) or alive(home)
    return named == endpoint.port if endpoint else named == port and is_free(port)


def start(
    home: Path,
    port: int,
    region: str = "us-east-1",
    *,
    cpu_share: bool = True,
    iam: bool = True,
    concurrency: int | None = None,
    access_activity: bool = False,
    fresh: bool = False,
) -> Endpoint:
    """Start the embedded AWS in the background unless it runs already; returns when it answers.

    It goes on with what the last one in this folder kept, unless it is to be `fresh`: then that is put aside.

    `cpu_share` says whether each function gets only the share of CPU that goes with its memory, `iam` whether the
    policies of roles and resources are asked, `concurrency` how many invocations run at a time (by default what this
    machine carries), `access_activity` whether it is noted who does what.
    """
    with _only_one(home):
        if endpoint := running(home):
            return endpoint
        if hung := alive(home):
            raise LocalAwsError(hung.hung)
        _check_port(port)
        _check_room(home)
        with (home / LOG_FILE).open("w") as log:
            command = [sys.executable, "-m", "helpers.localaws", "--home", str(home), "--port", str(port)]
            command += ["--region", region, "--cpu-share", _on(cpu_share), "--iam", _on(iam)]
            command += ["--concurrency", str(concurrency)] if concurrency else []
            command += ["--access-activity"] if access_activity else []
            command += ["--fresh"] if fresh else []
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
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


def access_activity(home: Path) -> list[dict[str, Any]]:
    """What was noted, where this is on, since it was last asked: who did what, and which policies roles were given.

    {"principal": …, "action": …, "resource": …, "allowed": …}, with "passed_to" where a role was handed to a service;
    {"role": …, "policy": …}, which is a document or an ARN.
    """
    file = home / ACTIVITY_FILE
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    os.truncate(file, 0)
    return [json.loads(line) for line in text.splitlines()]


def stop(home: Path) -> bool:
    """Stop the embedded AWS, and with it every function process; False when none was there."""
    endpoint = alive(home)
    if endpoint is None:
        return False
    _signal(endpoint.pid, signal.SIGTERM)
    _signal(endpoint.pid, signal.SIGCONT)  # one that is suspended takes no other signal but SIGKILL
    if not _wait_until_ended(endpoint.pid, STOP_LIMIT_S):
        _signal(endpoint.pid, signal.SIGKILL)  # its keeper then ends the function processes
        _wait_until_ended(endpoint.pid, KILL_LIMIT_S)
        with contextlib.suppress(OSError):
            (home / STATE_FILE).unlink()
    return True


@contextlib.contextmanager
def needed(home: Path, port: int, region: str, say: Callable[[str], None], **options: Any) -> Iterator[None]:
    """The embedded AWS for as long as this lasts: started unless it runs, and stopped by the last of several at once.

    One that runs because of start() stays. `say` is given a sentence on what is done, start() the `options`.
    """
    with _explained(home):
        home.mkdir(parents=True, exist_ok=True)
        # Locked, shared, by all; holds the process that one of them started.
        users = (home / USERS_FILE).open("a+", errors="replace")
    with users:
        fcntl.flock(users, fcntl.LOCK_SH)
        before = alive(home)
        try:
            if before is None:
                say("Starting the embedded AWS.")
            endpoint = start(home, port, region, **options)
            if before is None:
                if endpoint.found:
                    say(endpoint.found)
                users.truncate(0)
                users.write(str(endpoint.pid))
                users.flush()
            yield
        finally:
            if _is_last(users) and (before is None or _started_by(users, home)) and stop(home):
                say("The embedded AWS is stopped.")


def _on(is_on: bool) -> str:
    return "on" if is_on else "off"


def _is_last(users: TextIO) -> bool:
    """Whether nobody else needs it; from then on who comes waits until `users` is closed."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _started_by(users: TextIO, home: Path) -> bool:
    users.seek(0)
    endpoint = alive(home)
    return endpoint is not None and users.read() == str(endpoint.pid)


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two commands do not start two servers."""
    with _explained(home):
        home.mkdir(parents=True, exist_ok=True)
        with (home / "localaws.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextlib.contextmanager
def _explained(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LocalAwsError.about_file(error, home) from None


def _recorded(home: Path) -> Endpoint | None:
    """What the state file says, if that makes sense."""
    try:
        state = json.loads((home / STATE_FILE).read_text())
        endpoint = Endpoint(**state)
    except (OSError, ValueError, TypeError, RecursionError):  # no file, no JSON, or other fields
        return None
    numbers = (endpoint.port, endpoint.pid)
    texts = (endpoint.region, endpoint.inbox_url, endpoint.access_key_id, endpoint.secret_access_key, endpoint.life)
    sound = all(type(each) is int and each > 0 for each in numbers) and all(
        type(each) is str and each for each in texts
    )
    sound = sound and type(endpoint.inbox_https_url) is type(endpoint.found) is str
    return endpoint if sound and endpoint.port < 2**16 else None


def _found(home: Path) -> Endpoint | None:
    """The server of this folder among all processes: start() has written the folder on its command line."""
    ours = re.compile(rf".* -m helpers\.localaws --home {re.escape(str(home))} --port (\d+) --region (\S+) ")
    for pid, command in command_lines():
        if (said := ours.match(command)) and " -c " not in command:  # a shell's is that of whoever starts it
            return Endpoint(int(said[1]), pid, said[2])
    return None


def _told_anew(home: Path, found: Endpoint) -> Endpoint:
    """All about a server that answers, after it has written its state file anew."""
    _signal(found.pid, TELL)
    deadline = time.monotonic() + TELL_LIMIT_S
    while time.monotonic() < deadline:
        told = _recorded(home)
        if told and told.pid == found.pid and told.port == found.port:
            return told
        time.sleep(0.05)
    raise LocalAwsError(
        f"The embedded AWS runs (process {found.pid}), and its file {home / STATE_FILE} can neither be read nor "
        "written anew; end it with python3 -m helpers stop, move that file away, and start it again."
    )


def _pid_at(port: int) -> int | None:
    """The process of the embedded AWS that answers at this port, if one does."""
    try:
        with open_url(f"http://127.0.0.1:{port}/_localaws", timeout=5) as answer:
            pid: int = json.load(answer)["pid"]
            return pid
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):  # nobody there, or somebody else
        return None


def _check_room(home: Path) -> None:
    """Refuse to start on a full disk, where the server could not even say what is wrong: its log is there, too."""
    (home / "localaws").mkdir(exist_ok=True)  # of what it unpacks
    probe = home / "localaws.room"
    try:
        probe.write_bytes(b"\0" * ROOM)
    finally:
        probe.unlink(missing_ok=True)


def _check_port(port: int) -> None:
    if not is_free(port):
        pid = _pid_at(port)
        who = f"another folder's embedded AWS (process {pid})" if pid else "another program"
        raise LocalAwsError(
            f"Port {port} on 127.0.0.1 is taken by {who}; stop that one, or choose another port, "
            f"for example WORKSHOP_PORT={port + 1 if port < 65535 else 4566}."
        )


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # it has ended meanwhile
        pass
    except PermissionError:
        raise LocalAwsError(
            f"The embedded AWS (process {pid}) was started by another user of this machine; stop it as that user, "
            "or set WORKSHOP_HOME to a folder of your own."
        ) from None


def _wait_until_ended(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _wait_until_ready(process: subprocess.Popen[bytes], home: Path) -> Endpoint:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        endpoint = _recorded(home)
        if endpoint and endpoint.pid == process.pid == _pid_at(endpoint.port):
            return endpoint
        if process.poll() is not None:
            lines = (home / LOG_FILE).read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise LocalAwsError(f"The embedded AWS did not start: {lines[-1].rstrip('.')} (more in {home / LOG_FILE}).")
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
