"""What the embedded AWS keeps in its folder from one start to the next: opened, restored, saved, told in a sentence."""

import sqlite3
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from ..addresses import Addresses
from ..saved_state import LOGS
from ..saved_state.saver import Saver
from ..saved_state.state_file import CannotBeRestored, Damaged, Opened, explained, opened, put_aside
from .logs.store import Logs
from .rds.databases import Databases
from .remembered import Remembered
from .stores import MiniStackStores

# What of it is told, by the ends of the names of stores: one, and several.
TOLD = {
    "lambda_svc._functions": ("function", "functions"),
    "lambda_svc._layers": ("layer", "layers"),
    "lambda_svc._esms": ("event source mapping", "event source mappings"),
    "sqs._queues": ("queue", "queues"),
    "sns._topics": ("topic", "topics"),
    "s3._buckets": ("bucket", "buckets"),
    "dynamodb._tables": ("table", "tables"),
    "eventbridge._rules": ("rule", "rules"),
    "scheduler._schedules": ("schedule", "schedules"),
    "stepfunctions._state_machines": ("state machine", "state machines"),
    "apigateway._apis": ("HTTP API", "HTTP APIs"),
    "apigateway_v1._rest_apis": ("REST API", "REST APIs"),
    "iam._roles": ("role", "roles"),
    "secretsmanager._secrets": ("secret", "secrets"),
    "cloudwatch._alarms": ("alarm", "alarms"),
    "cloudwatch_logs._log_groups": ("log group", "log groups"),
    "cloudformation._stacks": ("stack", "stacks"),
    "autoscaling._asgs": ("Auto Scaling group", "Auto Scaling groups"),
}


class Kept:
    """The state in `folder`, and the logs beside it. Raises StateError where another server has them."""

    def __init__(self, folder: Path, fresh: bool, remark: str | None) -> None:
        self._folder, self._fresh = folder, fresh
        self._opened, self.logs = self._open()
        self.life = self._opened.life
        self.found = remark or self._opened.remark
        self._restored = False

    def _open(self) -> tuple[Opened, Logs]:
        writer = f"MiniStack {version('ministack')}"
        found = opened(self._folder, writer, self._fresh)
        try:
            return found, Logs(self._folder)
        except sqlite3.Error as error:
            found.file.close()
            meant = explained(error, self._folder / LOGS)
            if not isinstance(meant, Damaged):
                raise meant from error
            raise CannotBeRestored(_damaged(meant, put_aside(self._folder))) from error

    def restore(self, remembered: Remembered, addresses: Addresses, databases: Databases) -> None:
        """Put everything back, and let what was under way go on. Raises CannotBeRestored."""
        stores = MiniStackStores([*remembered.stores, addresses.store()])
        self.saver = Saver(self._opened.file, stores, self.logs.mark)
        try:
            stores.load(self._opened.file.stores())
            counts = self.saver.restore()
            for resume in remembered.resume:
                resume()
        except Damaged as damage:
            self._opened.file.close()
            self.logs.close()
            raise CannotBeRestored(_damaged(damage, put_aside(self._folder))) from damage
        remarks = [self.found, _told(counts), *_moved(addresses.moved), *_lost(databases.lost)]
        self.found = " ".join(filter(None, remarks))
        self._restored = True

    def close(self) -> None:
        """Save for the last time. Raises NotSaved."""
        try:
            if self._restored:
                self.saver.close()
        finally:
            self._opened.file.close()
            self.logs.close()


def _damaged(damage: Damaged, where: Path | None) -> str:
    return f"What it had kept cannot be read ({damage}), so it begins empty; the old files are in {where}."


def _told(counts: Counter[str]) -> str:
    by_end = {name.removeprefix("ministack.services."): count for name, count in counts.items()}
    found = [f"{count} {TOLD[name][count > 1]}" for name in TOLD if (count := by_end.get(name, 0))]
    return f"Found from last time: {', '.join(found)}." if found else ""


def _moved(ports: list[tuple[int, int]]) -> list[str]:
    return [f"An address at port {old} is at port {new} now, as another program has the old one." for old, new in ports]


def _lost(databases: list[str]) -> list[str]:
    names = ", ".join(databases)
    return [f"Databases of RDS end with the embedded AWS, so this is gone: {names}."] if names else []
