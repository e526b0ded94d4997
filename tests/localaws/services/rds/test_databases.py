"""RDS of the embedded AWS: a real PostgreSQL behind a DB instance, a real pool behind a proxy, nothing left of them."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pg8000
import pg8000.native
import psutil
import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, clients_for, eventually, start_server

from helpers import localaws

MAX_CONNECTIONS, RESERVED = 24, 3
USER, PASSWORD = "tester", "correct horse's battery"
NAME = "tested-db"
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"


def create(rds, name: str = NAME, parameters: dict[str, str] | None = None, **configuration) -> dict:
    """A DB instance with a parameter group of its own, as describe_db_instances tells of it."""
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="postgres18", Description="x")
    changes = [
        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        for key, value in (parameters or {"max_connections": str(MAX_CONNECTIONS)}).items()
    ]
    rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=changes)
    rds.create_db_instance(
        **{
            "DBInstanceIdentifier": name,
            "Engine": "postgres",
            "DBInstanceClass": "db.t4g.micro",
            "AllocatedStorage": 20,
            "MasterUsername": USER,
            "MasterUserPassword": PASSWORD,
            "DBName": "orders",
            "DBParameterGroupName": name,
            **configuration,
        }
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def delete(rds, name: str = NAME) -> None:
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    rds.delete_db_parameter_group(DBParameterGroupName=name)


def connection_to(endpoint: dict, password: str = PASSWORD, driver=pg8000.native.Connection):
    return driver(
        USER, host=endpoint["Address"], port=endpoint["Port"], database="orders", password=password, timeout=30
    )


def databases_of(home) -> set[str]:
    """The data below this folder for which processes of PostgreSQL run, whatever title they give themselves.

    Of a database that others use processes come and go.
    """
    found = set()
    for process in psutil.process_iter():
        try:
            if "postgres" in process.name() and process.cwd().startswith(str(home)):
                found.add(process.cwd())
        except psutil.Error:  # it has ended, or is somebody else's
            continue
    return found


def said(caught) -> tuple[str, str]:
    """SQLSTATE and message of a pg8000 error."""
    return caught.value.args[0]["C"], caught.value.args[0]["M"]


@pytest.fixture(scope="module")
def endpoint(clients):
    yield create(clients("rds"))["Endpoint"]
    delete(clients("rds"))


@pytest.fixture
def admin(endpoint):
    """A connection to the database itself, with an empty table; nobody else is connected."""
    connection = connection_to(endpoint)
    eventually(lambda: connection.run(OTHERS)[0][0] == 0)
    connection.run("DROP TABLE IF EXISTS orders")
    connection.run("CREATE TABLE orders (id int PRIMARY KEY)")
    yield connection
    connection.close()


@pytest.fixture
def proxy(clients, endpoint):
    """Make a DB proxy in front of the database; returns its endpoint."""
    rds, secrets = clients("rds"), clients("secretsmanager")
    secret = secrets.create_secret(
        Name="tested-secret", SecretString=json.dumps({"username": USER, "password": PASSWORD})
    )["ARN"]
    subnets = [subnet["SubnetId"] for subnet in clients("ec2").describe_subnets()["Subnets"]]
    made = []

    def make(target: str | None = NAME, **pool_config) -> dict:
        made.append(name := f"tested-proxy-{len(made)}")
        found = rds.create_db_proxy(
            DBProxyName=name,
            EngineFamily="POSTGRESQL",
            RoleArn=ROLE,
            VpcSubnetIds=subnets,
            Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret}],
        )["DBProxy"]
        if target:
            rds.register_db_proxy_targets(DBProxyName=name, DBInstanceIdentifiers=[target])
        rds.modify_db_proxy_target_group(DBProxyName=name, TargetGroupName="default", ConnectionPoolConfig=pool_config)
        host, _, port = found["Endpoint"].partition(":")
        return {"Address": host, "Port": int(port)}

    yield make
    for name in made:
        rds.delete_db_proxy(DBProxyName=name)
    secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)


# DB instances


def test_the_database_has_the_limits_of_its_parameter_group(admin):
    shown = {name: admin.run(f"SHOW {name}")[0][0] for name in ("max_connections", "superuser_reserved_connections")}
    assert shown == {"max_connections": str(MAX_CONNECTIONS), "superuser_reserved_connections": str(RESERVED)}


def test_it_listens_on_this_machine_alone(admin):
    assert admin.run("SHOW listen_addresses") == [["127.0.0.1"]]


def test_the_master_user_is_no_superuser_and_sees_all_activity(admin, endpoint):
    assert admin.run("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [[False, True]]
    other = connection_to(endpoint)
    other.run("SELECT 42 AS answer")
    assert ["SELECT 42 AS answer"] in admin.run("SELECT query FROM pg_stat_activity")
    other.close()


def test_a_wrong_password_is_refused(endpoint):
    with pytest.raises(pg8000.native.DatabaseError) as caught:
        connection_to(endpoint, password="guessed")
    assert said(caught)[0] == "28P01"


def test_one_connection_too_many_is_refused_and_one_that_ends_makes_room(admin, endpoint):
    held = [connection_to(endpoint) for _ in range(MAX_CONNECTIONS - RESERVED - 1)]  # one is ours
    with pytest.raises(pg8000.native.DatabaseError) as caught:
        connection_to(endpoint)
    assert said(caught)[0] == "53300"
    assert admin.run(OTHERS) == [[len(held)]]
    for connection in held:
        connection.close()
    eventually(lambda: admin.run(OTHERS) == [[0]])
    connection_to(endpoint).close()


def test_a_deleted_database_leaves_no_process_and_no_data(clients, embedded_home):
    rds = clients("rds")
    before = databases_of(embedded_home)
    address = create(rds, "short-lived")["Endpoint"]
    connection = connection_to(address)
    (data,) = databases_of(embedded_home) - before
    delete(rds, "short-lived")
    eventually(lambda: databases_of(embedded_home) <= before and not Path(data).exists())
    with pytest.raises(pg8000.native.InterfaceError):
        connection.run("SELECT 1")
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="short-lived")


def test_a_database_that_cannot_start_says_why_and_is_not_there(clients, embedded_home):
    rds = clients("rds")
    before = databases_of(embedded_home)
    with pytest.raises(ClientError, match="PostgreSQL does not start: .*max_connections"):
        create(rds, "impossible", {"max_connections": "many"})
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="impossible")
    rds.delete_db_parameter_group(DBParameterGroupName="impossible")
    assert databases_of(embedded_home) <= before


def test_parameters_of_rds_itself_are_not_given_to_postgresql(clients):
    rds = clients("rds")
    found = create(rds, "with-rds", {"rds.force_ssl": "0", "max_connections": "30", "work_mem": "1MB"})
    connection = connection_to(found["Endpoint"])
    assert connection.run("SHOW work_mem") == [["1MB"]]
    connection.close()
    delete(rds, "with-rds")


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_db_instance", {"DBInstanceIdentifier": "x", "DBInstanceClass": "db.t4g.micro", "Engine": "mysql"}),
        ("create_db_cluster", {"DBClusterIdentifier": "x", "Engine": "aurora-postgresql"}),
        ("modify_db_instance", {"DBInstanceIdentifier": NAME, "MasterUserPassword": "another"}),
        ("stop_db_instance", {"DBInstanceIdentifier": NAME}),
        ("reboot_db_instance", {"DBInstanceIdentifier": NAME}),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(operation, arguments, clients, endpoint):
    with pytest.raises(ClientError, match="the embedded AWS|The embedded AWS"):
        getattr(clients("rds"), operation)(**arguments)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["told to end", "killed"])
def test_no_database_outlives_the_embedded_aws(number, tmp_path, free_port):
    server = start_server(tmp_path, free_port())
    address = create(clients_for(server)("rds"))["Endpoint"]
    connection_to(address)  # with a client, too
    assert databases_of(tmp_path)
    os.kill(server.pid, number)
    eventually(lambda: not databases_of(tmp_path))
    eventually(lambda: localaws.running(tmp_path) is None)
    if number == signal.SIGTERM:
        eventually(lambda: not list((tmp_path / "localaws").glob("rds/*")))
    eventually(lambda: localaws.alive(tmp_path) is None)
    again = localaws.start(tmp_path, server.port)
    try:
        assert f"Databases of RDS end with the embedded AWS, so this is gone: {NAME}." in again.found
        assert clients_for(again)("rds").describe_db_instances()["DBInstances"] == []
    finally:
        localaws.stop(tmp_path)


# DB proxies


def test_many_clients_share_few_connections(admin, proxy):
    address = proxy(MaxConnectionsPercent=25)  # 6 of 24
    peak = []

    def work(number: int) -> None:
        connection = connection_to(address)
        connection.run("SELECT pg_sleep(0.05)")
        connection.run("INSERT INTO orders VALUES (:id)", id=number)
        clients.append(connection)  # they stay connected, as frozen environments do

    clients: list = []
    with ThreadPoolExecutor(40) as threads:
        calls = [threads.submit(work, number) for number in range(40)]
        while not all(call.done() for call in calls):
            peak.append(admin.run(OTHERS)[0][0])
    for call in calls:
        call.result()  # raises where it failed
    assert max(peak) <= 6
    assert admin.run("SELECT count(*) FROM orders") == [[40]]
    assert len(clients) == 40 and admin.run(OTHERS)[0][0] <= 6
    for connection in clients:
        connection.close()


def test_transactions_of_clients_that_take_turns_do_not_mix(admin, proxy):
    address = proxy(MaxConnectionsPercent=9)  # 2 of 24
    first, second = connection_to(address), connection_to(address)
    first.run("BEGIN")
    first.run("INSERT INTO orders VALUES (1)")
    second.run("INSERT INTO orders VALUES (2)")
    assert second.run("SELECT id FROM orders") == [[2]]
    first.run("ROLLBACK")
    assert first.run("SELECT id FROM orders") == [[2]]
    first.close()
    second.close()


def test_a_driver_that_begins_transactions_by_itself_works(admin, proxy):
    connection = connection_to(proxy(MaxConnectionsPercent=5), driver=pg8000.connect)  # 1 of 24
    cursor = connection.cursor()
    cursor.execute("INSERT INTO orders VALUES (%s)", (7,))
    connection.commit()
    assert admin.run("SELECT id FROM orders") == [[7]]
    connection.close()


def test_an_error_ends_a_statement_and_not_the_turn_of_others(admin, proxy):
    address = proxy(MaxConnectionsPercent=5, ConnectionBorrowTimeout=5)
    first, second = connection_to(address), connection_to(address)
    admin.run("INSERT INTO orders VALUES (1)")
    for statement in ("INSERT INTO orders VALUES (:id)", "SELECT nonsense FROM orders WHERE id = :id"):
        with pytest.raises(pg8000.native.DatabaseError):
            first.run(statement, id=1)
        assert second.run("SELECT count(*) FROM orders") == [[1]]
    first.close()
    second.close()


def test_whoever_waits_too_long_is_refused_and_the_next_one_is_served(admin, proxy):
    address = proxy(MaxConnectionsPercent=5, ConnectionBorrowTimeout=1)
    first, second = connection_to(address), connection_to(address)
    first.run("BEGIN")
    with pytest.raises(pg8000.native.DatabaseError, match="Timed-out waiting to acquire database connection"):
        second.run("SELECT 1")
    first.run("COMMIT")
    third = connection_to(address)
    assert third.run("SELECT 1") == [[1]]
    first.close()
    third.close()


def test_a_client_that_dies_in_a_transaction_is_rolled_back_and_makes_room(admin, proxy):
    address = proxy(MaxConnectionsPercent=5, ConnectionBorrowTimeout=10)
    dying, other = connection_to(address), connection_to(address)
    dying.run("BEGIN")
    dying.run("INSERT INTO orders VALUES (1)")
    dying._usock.shutdown(socket.SHUT_RDWR)  # without a word, as a killed process
    assert other.run("SELECT count(*) FROM orders") == [[0]]
    other.close()


@pytest.mark.parametrize("pin", ["prepared", "SET work_mem = '1MB'"])
def test_a_session_with_a_state_keeps_its_connection(pin, admin, proxy):
    address = proxy(MaxConnectionsPercent=5, ConnectionBorrowTimeout=1)
    pinned = connection_to(address)
    if pin == "prepared":
        statement = pinned.prepare("SELECT :number::int + 1")
        assert [statement.run(number=number) for number in (1, 2)] == [[[2]], [[3]]]
    else:
        pinned.run(pin)
        assert pinned.run("SHOW work_mem") == [["1MB"]]
    other = connection_to(address)
    with pytest.raises(pg8000.native.DatabaseError, match="Timed-out"):
        other.run("SELECT 1")
    pinned.close()
    third = connection_to(address)
    assert third.run("SHOW work_mem") == [["4MB"]]
    third.close()


def test_the_limits_of_a_pool_can_be_changed_while_it_serves(admin, proxy, clients):
    address = proxy(MaxConnectionsPercent=5, ConnectionBorrowTimeout=1)
    first, second = connection_to(address), connection_to(address)
    first.run("BEGIN")
    clients("rds").modify_db_proxy_target_group(
        DBProxyName="tested-proxy-0", TargetGroupName="default", ConnectionPoolConfig={"MaxConnectionsPercent": 20}
    )
    assert second.run("SELECT 1") == [[1]]
    first.close()
    second.close()


def test_the_proxy_asks_for_the_password_of_the_secret(proxy):
    with pytest.raises(pg8000.native.DatabaseError) as caught:
        connection_to(proxy(), password="guessed")
    assert said(caught)[0] == "28P01"


def test_a_proxy_without_a_target_says_so(proxy):
    with pytest.raises(pg8000.native.DatabaseError, match="no target"):
        connection_to(proxy(target=None))


def test_clients_of_a_proxy_whose_database_is_deleted_are_told_and_do_not_hang(clients, proxy):
    rds = clients("rds")
    create(rds, "going")
    connection = connection_to(proxy("going"))
    assert connection.run("SELECT 1") == [[1]]
    delete(rds, "going")
    began = time.monotonic()
    with pytest.raises(pg8000.native.InterfaceError):
        connection.run("SELECT 1")
    assert time.monotonic() - began < 20
