"""What notebook 07 claims: N environments need N connections, and a queue, a pool or DynamoDB bound them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pg8000.native
import pytest
from localaws_client import ROLE, eventually

from helpers import package

USER, PASSWORD, NAME = "tester", "for-this-test-only", "tested-orders"
MAX_CONNECTIONS, RESERVED = 10, 3
ROOM = MAX_CONNECTIONS - RESERVED - 1  # one is the test's own
CALLERS = 12
CONNECT = f"""
import json, os
import pg8000.native
connection = pg8000.native.Connection(
    "{USER}", host="127.0.0.1", port=int(os.environ["DB_PORT"]), database="orders", password="{PASSWORD}"
)
"""
# Waits until the test lets go of the lock, so that how fast this machine is does not matter.
WAITING = (
    CONNECT
    + """
def handler(event, context):
    connection.run("SELECT pg_advisory_xact_lock_shared(1)")
    connection.run("INSERT INTO orders VALUES (:id)", id=event["id"])
"""
)
WORKING = (
    CONNECT
    + """
def handler(event, context):
    connection.run("INSERT INTO orders SELECT :id FROM pg_sleep(0.1)", id=event["id"])
"""
)
WRITING = (
    CONNECT
    + """
def handler(event, context):
    for record in event["Records"]:
        connection.run("INSERT INTO orders SELECT :id FROM pg_sleep(0.05)", id=json.loads(record["body"])["id"])
"""
)


def connect_to(port: int) -> pg8000.native.Connection:
    return pg8000.native.Connection(USER, host="127.0.0.1", port=port, database="orders", password=PASSWORD)


@pytest.fixture(scope="module")
def port(clients):
    rds = clients("rds")
    rds.create_db_parameter_group(DBParameterGroupName=NAME, DBParameterGroupFamily="postgres18", Description="x")
    few = {"ParameterName": "max_connections", "ParameterValue": str(MAX_CONNECTIONS), "ApplyMethod": "pending-reboot"}
    rds.modify_db_parameter_group(DBParameterGroupName=NAME, Parameters=[few])
    made = rds.create_db_instance(
        DBInstanceIdentifier=NAME,
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername=USER,
        MasterUserPassword=PASSWORD,
        DBName="orders",
        DBParameterGroupName=NAME,
    )["DBInstance"]
    yield made["Endpoint"]["Port"]
    rds.delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)
    rds.delete_db_parameter_group(DBParameterGroupName=NAME)


@pytest.fixture
def admin(port):
    connection = connect_to(port)
    eventually(lambda: others(connection) == 0)
    connection.run("DROP TABLE IF EXISTS orders")
    connection.run("CREATE TABLE orders (id int PRIMARY KEY)")
    yield connection
    connection.close()


def others(admin) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
    return admin.run(query)[0][0]


def rows(admin) -> int:
    return admin.run("SELECT count(*) FROM orders")[0][0]


@pytest.fixture
def with_driver(make_function, port):
    """Deploy a function that takes pg8000 along and connects to this port, or to the database's own."""

    def make(code: str, to_port: int | None = None):
        archive = package({"app.py": code}, libraries=["pg8000"])
        settings = {"Environment": {"Variables": {"DB_PORT": str(to_port or port)}}, "MemorySize": 1769, "Timeout": 120}
        return make_function(code, **settings, Code={"ZipFile": archive})

    return make


def call(clients, name: str, number: int) -> dict:
    answer = clients("lambda").invoke(FunctionName=name, Payload=json.dumps({"id": number}))
    return json.loads(answer["Payload"].read() or b"null") if "FunctionError" in answer else {}


def test_more_environments_than_connections_are_refused_and_those_that_have_one_keep_it(
    clients, admin, with_driver, port
):
    function = with_driver(WAITING)
    admin.run("SELECT pg_advisory_lock(1)")
    with ThreadPoolExecutor(CALLERS) as threads:
        calls = [threads.submit(call, clients, function.name, number) for number in range(CALLERS)]
        try:
            # The refused ones end; all others wait in the database, which is full.
            eventually(lambda: sum(each.done() for each in calls) == CALLERS - ROOM and others(admin) == ROOM, 90)
        finally:
            admin.run("SELECT pg_advisory_unlock(1)")
    failures = [each.result() for each in calls if each.result()]
    assert len(failures) == CALLERS - ROOM
    assert all(failure["errorType"] == "DatabaseError" for failure in failures)
    assert all("'C': '53300'" in failure["errorMessage"] for failure in failures)
    assert rows(admin) == ROOM

    # Nobody calls any more, and yet the database stays full, for everybody.
    assert others(admin) == ROOM
    with pytest.raises(pg8000.native.DatabaseError) as caught:
        connect_to(port)
    assert caught.value.args[0]["C"] == "53300"

    # Only the end of the environments is the end of their connections.
    clients("lambda").update_function_configuration(FunctionName=function.name, Timeout=120)
    eventually(lambda: others(admin) == 0)
    connect_to(port).close()


def test_reserved_concurrency_bounds_the_connections(clients, admin, with_driver):
    function = with_driver(WORKING)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=ROOM)
    left, peak, deadline = set(range(CALLERS)), 0, time.monotonic() + 90

    def attempt(number: int) -> None:
        try:
            assert call(clients, function.name, number) == {}
            left.discard(number)
        except clients("lambda").exceptions.TooManyRequestsException:
            return  # once more in the next round

    while left and time.monotonic() < deadline:
        with ThreadPoolExecutor(CALLERS) as threads:
            calls = [threads.submit(attempt, number) for number in list(left)]
            while not all(each.done() for each in calls):
                peak = max(peak, others(admin))
        for each in calls:
            each.result()
    assert (left, rows(admin)) == (set(), CALLERS)
    assert peak <= ROOM


def test_a_queue_with_two_writers_needs_two_connections_and_every_order_arrives(clients, admin, with_driver):
    sqs, orders = clients("sqs"), 30
    url = sqs.create_queue(QueueName=NAME, Attributes={"VisibilityTimeout": "120"})["QueueUrl"]
    for first in range(0, orders, 10):
        entries = [{"Id": str(n), "MessageBody": json.dumps({"id": n})} for n in range(first, first + 10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    writer = with_driver(WRITING)
    mapping = clients("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=writer.name,
        BatchSize=10,
        ScalingConfig={"MaximumConcurrency": 2},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )["UUID"]
    peak = []
    try:
        eventually(lambda: peak.append(others(admin)) or rows(admin) == orders, 90)
    finally:
        clients("lambda").delete_event_source_mapping(UUID=mapping)
        sqs.delete_queue(QueueUrl=url)
    assert 1 <= max(peak) <= 2


def test_a_proxy_lends_few_connections_to_many_callers_and_nobody_fails(clients, admin, with_driver):
    rds, size = clients("rds"), MAX_CONNECTIONS * 30 // 100
    secret = clients("secretsmanager").create_secret(
        Name=NAME, SecretString=json.dumps({"username": USER, "password": PASSWORD})
    )["ARN"]
    proxy = rds.create_db_proxy(
        DBProxyName=NAME,
        EngineFamily="POSTGRESQL",
        RoleArn=ROLE,
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret}],
        VpcSubnetIds=[subnet["SubnetId"] for subnet in clients("ec2").describe_subnets()["Subnets"]],
    )["DBProxy"]
    try:
        rds.register_db_proxy_targets(DBProxyName=NAME, DBInstanceIdentifiers=[NAME])
        rds.modify_db_proxy_target_group(
            DBProxyName=NAME, TargetGroupName="default", ConnectionPoolConfig={"MaxConnectionsPercent": 30}
        )
        function, peak = with_driver(WORKING, int(proxy["Endpoint"].partition(":")[2])), 0
        with ThreadPoolExecutor(CALLERS) as threads:
            calls = [threads.submit(call, clients, function.name, number) for number in range(CALLERS)]
            while not all(each.done() for each in calls):
                peak = max(peak, others(admin))
    finally:
        rds.delete_db_proxy(DBProxyName=NAME)
        clients("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    assert [each.result() for each in calls] == [{}] * CALLERS
    assert rows(admin) == CALLERS
    assert 1 <= peak <= size
