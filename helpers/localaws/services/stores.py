"""What MiniStack keeps in memory, as stores that are saved: whatever its services keep by account, each by its name.

MiniStack saves by itself only when it ends. Its own way back is not taken: it leaves out some of it, such as the
records of a table's stream. Here an entry is put back as it was.
"""

import importlib
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch, dynamodb, sqs, stepfunctions, sts

from ..saved_state.state_file import Damaged
from ..saved_state.stores import Store
from .contract import Contract
from .shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (responses, "AccountRegionScopedDict"): None,
    (responses, "AccountScopedDict"): None,
    (cloudwatch, "_metrics"): None,
    (dynamodb, "_INDEX_MEMBERS"): None,
    (dynamodb, "_tables"): None,
    (sqs, "_queue_name_to_url"): None,
    (sqs, "_queue_url_for_account"): ("account_id", "name"),
    (sqs, "_queues"): None,
    (stepfunctions, "_activity_tasks"): None,
    (stepfunctions, "_task_tokens"): None,
    (sts, "_sessions"): None,
}

SERVICES = "ministack.services"
NAME = re.compile(r"ministack\.services(\.[a-z0-9_]+)+\._[a-z0-9_]+")
DATABASES = f"{SERVICES}.rds"  # whose data ends with the server
WITH_BLOBS = ("lambda_svc", "s3")  # code and objects
EC2, SCOPES = f"{SERVICES}.ec2", "_default_initialized_scopes"  # where EC2 has made what every account has


class MiniStackStores:
    """The stores of the modules that are loaded: most are only when somebody needs them. Some have `others` instead."""

    def __init__(self, others: list[Store]) -> None:
        self._others = {store.name: store for store in others}
        self._stores: list[Store] = []
        self._loaded = 0

    def __call__(self) -> list[Store]:
        loaded = len(sys.modules)
        if loaded != self._loaded:
            found = {store.name: store for store in _found()}
            self._stores, self._loaded = list((found | self._others).values()), loaded
        return self._stores

    def load(self, names: set[str]) -> None:
        """Load the modules of stores that were saved."""
        for name in names - self._others.keys():
            if not NAME.fullmatch(name):
                raise Damaged(f"there is no store {name}")
            try:
                importlib.import_module(name.rpartition(".")[0])
            except ImportError:
                raise Damaged(f"there is no store {name}") from None


def _found() -> Iterator[Store]:
    """A store that several modules know is that of the one with the shortest name: a package has it from no module."""
    seen = {id(stepfunctions._activity_tasks), id(stepfunctions._task_tokens)}  # what waits for them is a thread
    names = sorted(
        (name for name in sys.modules if name.startswith(f"{SERVICES}.")), key=lambda name: (len(name), name)
    )
    for module in names:
        for name, kept in sorted(vars(sys.modules[module]).items()):
            is_store = isinstance(kept, responses.AccountScopedDict | responses.AccountRegionScopedDict)
            if is_store and id(kept) not in seen and module != DATABASES:
                seen.add(id(kept))
                yield _store(module, name, kept)
    if EC2 in sys.modules:
        scopes = getattr(sys.modules[EC2], SCOPES)
        yield Store(f"{EC2}.{SCOPES}", "ec2", lambda: [(each, True) for each in scopes], lambda key, _: scopes.add(key))


def _store(module: str, name: str, kept: Any) -> Store:
    group = module.removeprefix(f"{SERVICES}.").partition(".")[0]
    entries, restore = kept._data.items, kept._data.__setitem__
    if kept is dynamodb._tables:
        entries = lambda: [(key, _table(table)) for key, table in list(kept._data.items())]  # noqa: E731
    appends = kept is cloudwatch._metrics  # its points: to look at each of them anew would take longer with each call
    return Store(f"{module}.{name}", group, lambda: list(entries()), restore, group in WITH_BLOBS, appends)


def _table(table: Record) -> Record:
    """Without the indexes, which DynamoDB makes anew where it has none."""
    return {name: value for name, value in table.items() if name != dynamodb._INDEX_MEMBERS}


def sessions() -> Store:
    """The role sessions of clients; those of functions and services have no time, and end with the server."""

    def entries() -> list[tuple[str, Record]]:
        now = time.time()
        return [(key, each) for key, each in list(sts._sessions.items()) if (each.get("Expiration") or 0) > now]

    return Store("role sessions", "sts", entries, sts._sessions.__setitem__)


def move_queues() -> None:
    """Let the URLs of queues name the port of this server, which need not be that of the last one."""
    for key, queue in list(sqs._queues._data.items()):
        account, region, url = key
        now = sqs._queue_url_for_account(account, url.rpartition("/")[2])
        if now != url:
            del sqs._queues._data[key]
            sqs._queues._data[account, region, now] = _renamed(queue, url, now)
    for name, url in list(sqs._queue_name_to_url._data.items()):
        sqs._queue_name_to_url._data[name] = sqs._queue_url_for_account(name[0], url.rpartition("/")[2])


def _renamed(queue: Record, old: str, new: str) -> Record:
    return {name: new if value == old else value for name, value in queue.items()}
