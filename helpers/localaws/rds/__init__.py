"""RDS of the embedded AWS: a real PostgreSQL behind each DB instance, and a real connection pool behind each DB proxy.

MiniStack keeps the records; what listens behind them is ours, on 127.0.0.1. What neither of us does is refused.
"""

import asyncio
import contextlib
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from ministack.services import rds, secretsmanager

from ..data_plane.sandbox import Keeper
from .pooler import Pool, Pooler
from .postgres import Postgres, PostgresError

# What we replace or call, with the parameters that it had in the version that pyproject.toml pins; see seam.CONTRACT.
CONTRACT = {
    (rds, "_create_db_instance"): ("p",),
    (rds, "_delete_db_instance"): ("p",),
    (rds, "_create_db_proxy"): ("p",),
    (rds, "_modify_db_proxy_target_group"): ("p",),
    (rds, "_register_db_proxy_targets"): ("p",),
    (rds, "_deregister_db_proxy_targets"): ("p",),
    (rds, "_delete_db_proxy"): ("p",),
    (rds, "_resolve_instance"): ("db_id",),
    (rds, "_get_db_proxy"): ("name",),
    (rds, "_db_proxy_xml"): ("px",),
    (rds, "_single_instance_response"): ("root_tag", "result_tag", "instance"),
    (rds, "_xml"): ("status", "root_tag", "inner"),
    (rds, "_error"): ("code", "message", "status"),
    (rds, "_p"): ("params", "key", "default"),
    (rds, "_ACTION_MAP"): None,
    (rds, "_instances"): None,
    (rds, "_param_groups"): None,
    (rds, "reset"): (),
    (secretsmanager, "resolve_secret_string"): ("secret_id", "version_stage", "version_id"),
}
NOT_HERE = (
    "CreateDBCluster", "CreateDBInstanceReadReplica", "ModifyDBInstance", "ModifyDBProxy", "RebootDBInstance",
    "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime", "StartDBInstance", "StopDBInstance",
)  # fmt: skip


class Databases:
    """The servers and pools behind MiniStack's records; nothing is started before the first DB instance."""

    def __init__(self, home: Path) -> None:
        self._home = home / "rds"
        shutil.rmtree(self._home, ignore_errors=True)  # of a server that was killed
        self._keeper: Keeper | None = None
        self._servers: dict[str, Postgres] = {}  # by DbiResourceId
        self._poolers: dict[str, Pooler] = {}  # by DBProxyArn
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def install(self) -> None:
        """Take the place of MiniStack's handlers. Call once, before it serves."""
        ours = {
            "CreateDBInstance": self._create_instance, "DeleteDBInstance": self._delete_instance,
            "CreateDBProxy": self._create_proxy, "DeleteDBProxy": self._delete_proxy,
            "RegisterDBProxyTargets": self._after(rds._register_db_proxy_targets),
            "DeregisterDBProxyTargets": self._after(rds._deregister_db_proxy_targets),
            "ModifyDBProxyTargetGroup": self._after(rds._modify_db_proxy_target_group),
        }  # fmt: skip
        rds._ACTION_MAP.update({action: _refused(action) for action in NOT_HERE} | ours)
        reset = rds.reset

        def reset_all() -> None:
            self._stop_all()
            reset()

        rds.reset = reset_all

    def close(self) -> None:
        """End everything, and remove the data."""
        self._stop_all()
        if self._keeper:
            self._keeper.close()
        if self._loop:
            self._loop.call_soon_threadsafe(self._loop.stop)
        shutil.rmtree(self._home, ignore_errors=True)

    def _create_instance(self, p: dict) -> tuple:
        engine = rds._p(p, "Engine")
        if engine != "postgres":
            return _error(f"The embedded AWS has DB instances with Engine=postgres, and none with {engine}.")
        answer = rds._create_db_instance(p)
        if answer[0] != 200:
            return answer
        record = rds._instances[rds._p(p, "DBInstanceIdentifier")]
        try:
            server = self._start(record, rds._p(p, "DBName"))
        except PostgresError as error:
            rds._delete_db_instance({**p, "SkipFinalSnapshot": ["true"], "DeletionProtection": ["false"]})
            return _error(str(error))
        record["Endpoint"] |= {"Address": "127.0.0.1", "Port": server.port}
        return rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", record)

    def _start(self, record: dict, database: str) -> Postgres:
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

    def _delete_instance(self, p: dict) -> tuple:
        record = rds._resolve_instance(rds._p(p, "DBInstanceIdentifier"))
        answer = rds._delete_db_instance(p)
        if answer[0] == 200 and (server := self._servers.pop(record["DbiResourceId"], None)):
            server.stop()
        return answer

    def _create_proxy(self, p: dict) -> tuple:
        answer = rds._create_db_proxy(p)
        if answer[0] != 200:
            return answer
        proxy = rds._get_db_proxy(rds._p(p, "DBProxyName"))
        self._poolers[proxy["DBProxyArn"]] = pooler = Pooler()
        # On AWS every proxy has an address of its own; here they share one, so that the port has to tell them apart.
        proxy["Endpoint"] = f"127.0.0.1:{self._do(pooler.open)}"
        return rds._xml(
            200, "CreateDBProxyResponse",
            f"<CreateDBProxyResult><DBProxy>{rds._db_proxy_xml(proxy)}</DBProxy></CreateDBProxyResult>",
        )  # fmt: skip

    def _delete_proxy(self, p: dict) -> tuple:
        proxy = rds._get_db_proxy(rds._p(p, "DBProxyName"))
        answer = rds._delete_db_proxy(p)
        if answer[0] == 200:
            self._do(self._poolers.pop(proxy["DBProxyArn"]).close)
        return answer

    def _after(self, handler: Callable[[dict], tuple]) -> Callable[[dict], tuple]:
        """MiniStack's handler, and then the proxy's pool as its record says."""

        def handle(p: dict) -> tuple:
            answer = handler(p)
            if answer[0] == 200:
                proxy = rds._get_db_proxy(rds._p(p, "DBProxyName"))
                self._do(self._poolers[proxy["DBProxyArn"]].serve_from, self._pool_of(proxy))
            return answer

        return handle

    def _pool_of(self, proxy: dict) -> Pool | None:
        targets = [rds._resolve_instance(target["RdsResourceId"]) for target in proxy["Targets"]]
        server = self._servers.get(targets[0]["DbiResourceId"]) if targets and targets[0] else None
        if server is None:
            return None
        config = proxy["TargetGroup"]["ConnectionPoolConfig"]
        return Pool(
            port=server.port,
            credentials=_credentials(proxy),
            size=max(1, server.max_connections * config["MaxConnectionsPercent"] // 100),
            borrow_timeout_s=config["ConnectionBorrowTimeout"],
        )

    def _stop_all(self) -> None:
        while self._poolers:
            self._do(self._poolers.popitem()[1].close)
        while self._servers:
            self._servers.popitem()[1].stop()

    def _do(self, coroutine: Callable, *arguments):
        """Run a coroutine on the loop that all pools share, and wait for what it returns."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True, name="rds-proxy").start()
        return asyncio.run_coroutine_threadsafe(coroutine(*arguments), self._loop).result()


def _parameters(record: dict) -> dict[str, str]:
    """What the instance's parameter groups set; the parameters of RDS itself are not PostgreSQL's."""
    found: dict[str, str] = {}
    for group in record["DBParameterGroups"]:
        set_here = (rds._param_groups.get(group["DBParameterGroupName"]) or {}).get("Parameters", {})
        found |= {name: each["ParameterValue"] for name, each in set_here.items() if not name.startswith("rds.")}
    return found


def _credentials(proxy: dict) -> dict[str, str]:
    """User -> password, from the secrets that the proxy was given."""
    found = {}
    for auth in proxy["Auth"]:
        secret = secretsmanager.resolve_secret_string(auth.get("SecretArn", "")) or "{}"
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a secret of another form lets nobody in
            content = json.loads(secret)
            found[content["username"]] = content["password"]
    return found


def _refused(action: str) -> Callable[[dict], tuple]:
    return lambda p: _error(f"{action} is not in the embedded AWS; make a DB instance anew instead.")


def _error(message: str) -> tuple:
    return rds._error("InvalidParameterValue", message, 400)
