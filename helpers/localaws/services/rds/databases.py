"""RDS of the embedded AWS: a real PostgreSQL behind each DB instance, and a real connection pool behind each DB proxy.

MiniStack keeps the records; what listens behind them is ours, on 127.0.0.1. What neither of us does is refused.
"""

import asyncio
import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from ministack.services import rds, secretsmanager

from ...data_plane.sandbox import Keeper
from ...saved_state.stores import Store
from ..contract import Contract
from ..shapes import Answer, Key, Record
from .postgres import Postgres, PostgresError
from .proxy import ConnectionPool, RdsProxy

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (rds, "_error"): ("code", "message", "status"),
    (rds, "_p"): ("params", "key", "default"),
    (rds, "_create_db_instance"): ("p",),
    (rds, "_instances"): None,
    (rds, "_single_instance_response"): ("root_tag", "result_tag", "instance"),
    (rds, "_resolve_instance"): ("db_id",),
    (rds, "_delete_db_instance"): ("p",),
    (rds, "_create_db_proxy"): ("p",),
    (rds, "_get_db_proxy"): ("name",),
    (rds, "_xml"): ("status", "root_tag", "inner"),
    (rds, "_delete_db_proxy"): ("p",),
    (rds, "_register_db_proxy_targets"): ("p",),
    (rds, "_deregister_db_proxy_targets"): ("p",),
    (rds, "_modify_db_proxy_target_group"): ("p",),
    (rds, "_ACTION_MAP"): None,
    (secretsmanager, "resolve_secret_string"): ("secret_id", "version_stage", "version_id"),
    (rds, "_db_proxy_xml"): ("px",),
    (rds, "_param_groups"): None,
}

T = TypeVar("T")
Handler = Callable[[Record], Answer]  # of one action, given the request's parameters
NOT_HERE = (
    "CreateDBCluster",
    "CreateDBInstanceReadReplica",
    "ModifyDBInstance",
    "ModifyDBProxy",
    "RebootDBInstance",
    "RestoreDBInstanceFromDBSnapshot",
    "RestoreDBInstanceToPointInTime",
    "StartDBInstance",
    "StopDBInstance",
)


class Databases:
    """The servers and pools behind MiniStack's records; nothing is started before the first DB instance."""

    def __init__(self, home: Path) -> None:
        self._home = home / "rds"
        shutil.rmtree(self._home, ignore_errors=True)  # of a server that was killed
        self.lost: list[str] = []  # the DB instances of the last server
        self._keeper: Keeper | None = None
        self._servers: dict[str, Postgres] = {}  # by DbiResourceId
        self._proxies: dict[str, RdsProxy] = {}  # by DBProxyArn
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def store(self) -> Store:
        """Their names alone: the data ends with the server, and it can be said whose it was."""
        known = rds._instances._data
        return Store("DB instances", "rds", lambda: [(key, True) for key in list(known)], self._lose)

    def _lose(self, key: Key, _: bool) -> None:
        self.lost.append(key[2])

    def install(self) -> None:
        """Take the place of MiniStack's handlers. Call once, before it serves."""
        ours = {
            "CreateDBInstance": self._create_instance,
            "DeleteDBInstance": self._delete_instance,
            "CreateDBProxy": self._create_proxy,
            "DeleteDBProxy": self._delete_proxy,
            "RegisterDBProxyTargets": self._after(rds._register_db_proxy_targets),
            "DeregisterDBProxyTargets": self._after(rds._deregister_db_proxy_targets),
            "ModifyDBProxyTargetGroup": self._after(rds._modify_db_proxy_target_group),
        }
        rds._ACTION_MAP.update({action: _refused(action) for action in NOT_HERE} | ours)

    def close(self) -> None:
        """End everything, and remove the data."""
        self._stop_all()
        if self._keeper:
            self._keeper.close()
        if self._loop:
            self._loop.call_soon_threadsafe(self._loop.stop)
        shutil.rmtree(self._home, ignore_errors=True)

    def _create_instance(self, p: Record) -> Answer:
        engine = rds._p(p, "Engine")
        if engine != "postgres":
            return _error(f"The embedded AWS has DB instances with Engine=postgres, and none with {engine}.")
        answer: Answer = rds._create_db_instance(p)
        if answer[0] != 200:
            return answer
        record = rds._instances[rds._p(p, "DBInstanceIdentifier")]
        try:
            server = self._start(record, rds._p(p, "DBName"))
        except PostgresError as error:
            rds._delete_db_instance({**p, "SkipFinalSnapshot": ["true"], "DeletionProtection": ["false"]})
            return _error(str(error))
        record["Endpoint"] |= {"Address": "127.0.0.1", "Port": server.port}
        answer = rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", record)
        return answer

    def _start(self, record: Record, database: str) -> Postgres:
        with self._lock:
            self._keeper = self._keeper or Keeper()
        server = Postgres(self._keeper, self._home / record["DbiResourceId"], _parameters(record))
        try:
            server.make_user(record["MasterUsername"], record["_MasterUserPassword"], database)
        except BaseException:
            server.stop()
            raise
        self._servers[record["DbiResourceId"]] = server
        return server

    def _delete_instance(self, p: Record) -> Answer:
        record = rds._resolve_instance(rds._p(p, "DBInstanceIdentifier"))
        answer: Answer = rds._delete_db_instance(p)
        if answer[0] == 200 and (server := self._servers.pop(record["DbiResourceId"], None)):
            server.stop()
        return answer

    def _create_proxy(self, p: Record) -> Answer:
        answer: Answer = rds._create_db_proxy(p)
        if answer[0] != 200:
            return answer
        record = rds._get_db_proxy(rds._p(p, "DBProxyName"))
        self._proxies[record["DBProxyArn"]] = proxy = RdsProxy()
        # On AWS every proxy has an address of its own; here they share one, so that the port has to tell them apart.
        record["Endpoint"] = f"127.0.0.1:{self._do(proxy.open())}"
        told = f"<CreateDBProxyResult><DBProxy>{rds._db_proxy_xml(record)}</DBProxy></CreateDBProxyResult>"
        answer = rds._xml(200, "CreateDBProxyResponse", told)
        return answer

    def _delete_proxy(self, p: Record) -> Answer:
        record = rds._get_db_proxy(rds._p(p, "DBProxyName"))
        answer: Answer = rds._delete_db_proxy(p)
        if answer[0] == 200:
            self._do(self._proxies.pop(record["DBProxyArn"]).close())
        return answer

    def _after(self, handler: Handler) -> Handler:
        """MiniStack's handler, and then the proxy's pool as its record says."""

        def handle(p: Record) -> Answer:
            answer = handler(p)
            if answer[0] == 200:
                record = rds._get_db_proxy(rds._p(p, "DBProxyName"))
                self._do(self._proxies[record["DBProxyArn"]].serve_from(self._pool_of(record)))
            return answer

        return handle

    def _pool_of(self, record: Record) -> ConnectionPool | None:
        targets = [rds._resolve_instance(target["RdsResourceId"]) for target in record["Targets"]]
        server = self._servers.get(targets[0]["DbiResourceId"]) if targets and targets[0] else None
        if server is None:
            return None
        config = record["TargetGroup"]["ConnectionPoolConfig"]
        return ConnectionPool(
            port=server.port,
            credentials=_credentials(record),
            size=max(1, server.max_connections * config["MaxConnectionsPercent"] // 100),
            borrow_timeout_s=config["ConnectionBorrowTimeout"],
        )

    def _stop_all(self) -> None:
        while self._proxies:
            self._do(self._proxies.popitem()[1].close())
        while self._servers:
            self._servers.popitem()[1].stop()

    def _do(self, work: Coroutine[object, object, T]) -> T:
        """Run a coroutine on the loop that all pools share, and wait for what it returns."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True, name="rds-proxy").start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _parameters(record: Record) -> dict[str, str]:
    """What the instance's parameter groups set; the parameters of RDS itself are not PostgreSQL's."""
    found: dict[str, str] = {}
    for group in record["DBParameterGroups"]:
        set_here = (rds._param_groups.get(group["DBParameterGroupName"]) or {}).get("Parameters", {})
        found |= {name: each["ParameterValue"] for name, each in set_here.items() if not name.startswith("rds.")}
    return found


def _credentials(record: Record) -> dict[str, str]:
    """User -> password, from the secrets that the proxy was given."""
    found = {}
    for auth in record["Auth"]:
        secret = secretsmanager.resolve_secret_string(auth.get("SecretArn", "")) or "{}"
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a secret of another form lets nobody in
            content = json.loads(secret)
            found[content["username"]] = content["password"]
    return found


def _refused(action: str) -> Handler:
    return lambda p: _error(f"{action} is not in the embedded AWS; make a DB instance anew instead.")


def _error(message: str) -> Answer:
    answer: Answer = rds._error("InvalidParameterValue", message, 400)
    return answer
