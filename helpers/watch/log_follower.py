"""LogFollower: the log stream of one environment, as it grows, read through the workshop's own client and bounded."""

import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..errors import WorkshopError

EVERY_S = 1
LINES = 200  # of a stream that are shown at once
CHARACTERS = 4000  # of a line, which may have a quarter of a million


class LogFollower:
    """Sends {"type": "log", …} of the one stream that is looked at, if any: all lines first, then the new ones."""

    def __init__(self, logs: Any, send: Callable[[dict[str, Any]], None]) -> None:
        self._logs, self._send = logs, send
        self._ended = threading.Event()  # of the stream that is followed now
        self._lock = threading.Lock()

    def follow(self, environment: str | None) -> None:
        """Show the stream of this one, "<log group>:<log stream>", in place of the one before; None: no stream."""
        with self._lock:
            self._ended.set()
            self._ended = threading.Event()
            if environment is None:
                return
            arguments = (environment, self._ended)
            threading.Thread(target=self._run, args=arguments, daemon=True, name="watch-log").start()

    def _run(self, environment: str, ended: threading.Event) -> None:
        token: str | None = None
        is_first = True
        while not ended.is_set():
            try:
                lines, token = self._read(environment, token)
            except (ClientError, BotoCoreError, WorkshopError):  # it has no line yet, or the AWS does not answer now
                lines = []
            if (lines or is_first) and not ended.is_set():
                self._send({"type": "log", "environment": environment, "lines": lines, "begins": is_first})
                is_first = False
            ended.wait(EVERY_S)

    def _read(self, environment: str, token: str | None) -> tuple[list[dict[str, Any]], str]:
        """The lines since the token, or the last ones; the newest LINES of them, and the next token."""
        group, _, stream = environment.partition(":")
        wanted = {"logGroupName": group, "logStreamName": stream, "limit": LINES}
        page = self._logs.get_log_events(**wanted, **({"nextToken": token} if token else {"startFromHead": False}))
        lines = [
            {"at": each["timestamp"], "text": each["message"][:CHARACTERS].rstrip("\n")} for each in page["events"]
        ]
        return lines, page["nextForwardToken"]
