# %% [markdown]
# # 07 Databases
#
# After this notebook you will be able to
#
# - say why N concurrent invocations need N database connections, and what that does to a database;
# - see connections run out, in the database and in the function's log;
# - put DynamoDB, a queue or a pool of connections in their place, and measure what each of them costs;
# - choose among the four for a case of your own.
#
# It takes about 30 minutes. Slides: "Caveats of Lambda, part 4: do not connect to RDS", in the part "Know Lambda".
#
# RDS is AWS's service for relational databases. Here it is real where it matters: the embedded AWS starts a PostgreSQL
# on this machine, and its connections, its limits and its error messages are PostgreSQL's own. The network
# between a function and its database is not AWS's, so take the milliseconds for comparison only.
#
# On AWS itself a function reaches such a database inside a private network (a VPC), which takes ten minutes to make and is paid
# by the hour. There, the cells that need the database do nothing; those about DynamoDB and the queue run.

# %%
import contextlib
import inspect
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pg8000.native
from botocore.config import Config
from helpers import connect, deploy, explore, package, reports, track
from helpers.plots import BLUE, GREEN, PINK, RED

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
rds = workshop.client("rds")
has_database = workshop.is_embedded
print(
    "with a database"
    if has_database
    else "No database here: the cells about RDS do nothing, the others run."
)
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## A database with a limit
#
# A program speaks to PostgreSQL over a **connection**. For each one PostgreSQL starts a process of its own, which takes
# memory, so there is a limit: the parameter `max_connections`. On RDS its default grows with the memory of the
# machine, about 112 for each GB ([Amazon RDS User Guide](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html), November 2026). Ours gets 16, so that a small burst shows what a large
# one does to a large database. Parameters of a database are kept in a *parameter group*.

# %%
MAX_CONNECTIONS = 16
name = workshop.name("orders")
if has_database:
    try:
        rds.create_db_parameter_group(
            DBParameterGroupName=name,
            DBParameterGroupFamily="postgres18",
            Description="few connections",
        )
    except rds.exceptions.DBParameterGroupAlreadyExistsFault:
        print("The parameter group is there already.")
    limit = {
        "ParameterName": "max_connections",
        "ParameterValue": str(MAX_CONNECTIONS),
        "ApplyMethod": "pending-reboot",
    }
    rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=[limit])

# %% [markdown]
# The DB instance is the machine with the database. Its endpoint is where programs connect. (On AWS it takes some minutes
# until it is available, and the password would be one that nobody can guess, kept in Secrets Manager.)

# %%
USER, PASSWORD = "workshop", "not-a-secret-here"
if has_database:
    try:
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            DBInstanceClass="db.t4g.micro",
            AllocatedStorage=20,
            MasterUsername=USER,
            MasterUserPassword=PASSWORD,
            DBName="orders",
            DBParameterGroupName=name,
        )
    except rds.exceptions.DBInstanceAlreadyExistsFault:
        print("The database is there already.")
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=name, WaiterConfig={"Delay": 1}
    )
    endpoint = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0][
        "Endpoint"
    ]
    print(f"PostgreSQL listens at {endpoint['Address']}:{endpoint['Port']}")

# %% [markdown]
# pg8000 is a PostgreSQL driver in pure Python. We open one connection for ourselves and keep it: it will watch. `connections` asks the
# database how many others there are: the view `pg_stat_activity` has a row for each. `settle` waits until few are left.
#
# A function that has run keeps its connection for as long as its execution environment lives. `end_environments` ends
# what an earlier run of this notebook has left, if any: after an update, Lambda ends the environments from before it.


# %%
def end_environments(*names):
    """Update the configuration to what it is, so that the environments of these functions are not used again."""
    for each in names:
        with contextlib.suppress(
            lambda_client.exceptions.ResourceNotFoundException
        ):  # not made yet
            lambda_client.update_function_configuration(FunctionName=each, Timeout=30)
            lambda_client.get_waiter("function_updated_v2").wait(FunctionName=each)


ways = ("direct", "dynamodb", "queue", "proxy")
functions = {way: workshop.name(f"orders-{way}") for way in ways}
writer = workshop.name("orders-writer")
end_environments(*functions.values(), writer)
if has_database:
    with contextlib.suppress(
        rds.exceptions.DBProxyNotFoundFault
    ):  # it holds connections, too; we come to it later
        rds.delete_db_proxy(DBProxyName=name)

# %% orders-table
if has_database:
    with contextlib.suppress(
        NameError, pg8000.native.InterfaceError
    ):  # there is none yet, or it is closed
        admin.close()
    admin = pg8000.native.Connection(
        USER,
        host=endpoint["Address"],
        port=endpoint["Port"],
        database="orders",
        password=PASSWORD,
    )
    admin.run("DROP TABLE IF EXISTS orders")
    admin.run(
        "CREATE TABLE orders (way text, id int, quantity int CHECK (quantity > 0), PRIMARY KEY (way, id))"
    )


def connections():
    """How many connections the database has, ours left out."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
    return admin.run(query)[0][0] if has_database else 0


# %%
def settle(at_most):
    """Wait, ten seconds at most, until the database has no more connections than this."""
    deadline = time.monotonic() + 10
    while connections() > at_most and time.monotonic() < deadline:
        time.sleep(0.05)


settle(0)
connections()

# %% [markdown]
# ## Way 1: each function connects
#
# A web application on a server opens some connections when it starts, a *pool*, and all its requests take turns. What does a
# Lambda function do? As notebook 04 says: prepare in init, work in the handler. So it connects once for each
# environment. Every order is an insert that takes the database 0.2 s: `pg_sleep` takes the place of a real query's work.

# %% connect-source
connect_source = """
import json
import os

import pg8000.native

connection = pg8000.native.Connection(
    os.environ["DB_USER"], host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]),
    database="orders", password=os.environ["DB_PASSWORD"],
)
INSERT = "INSERT INTO orders SELECT :way, :id, :quantity FROM pg_sleep(0.2) ON CONFLICT DO NOTHING"
"""

# %%
direct_source = f"""{connect_source}

def handler(event, context):
    connection.run(INSERT, **event)
"""
print(direct_source)

# %% [markdown]
# Lambda's Python has boto3 and no other library, so the driver travels with the function: `libraries=` puts it, and what
# it needs, into the archive beside `app.py`. ({{vcpu_memory}} of memory are one whole CPU: this notebook is not about slow CPUs.)

# %%
archive = package({"app.py": direct_source}, libraries=["pg8000"])
print(f"{len(archive) / 1e3:.0f} kB, zipped")


def database_settings(host, port):
    variables = {
        "DB_USER": USER,
        "DB_PASSWORD": PASSWORD,
        "DB_HOST": host,
        "DB_PORT": str(port),
    }
    return {"Environment": {"Variables": variables}, "MemorySize": 1769, "Timeout": 30}


if has_database:
    direct_settings = database_settings(endpoint["Address"], endpoint["Port"])
    deploy(workshop, functions["direct"], archive, **direct_settings)
    lambda_client.delete_function_concurrency(
        FunctionName=functions["direct"]
    )  # exercise 1 will set one

# %% [markdown]
# `burst` lets many callers place an order at the same moment. Meanwhile it counts connections, and afterwards it counts
# calls that failed and reads durations from the REPORT lines. Callers that are throttled try again, up to seven times.


# %%
patient = workshop.client("lambda", config=Config(retries={"total_max_attempts": 8}))


def burst(way, callers):
    """Place `callers` orders at once, and return what came of it."""
    began, peak = datetime.now(UTC), connections()
    with ThreadPoolExecutor(callers) as threads:
        orders = [
            json.dumps({"way": way, "id": number, "quantity": 1})
            for number in range(callers)
        ]
        calls = [
            threads.submit(patient.invoke, FunctionName=functions[way], Payload=order)
            for order in orders
        ]
        while not all(call.done() for call in calls):
            peak = max(peak, connections())
            time.sleep(0.05)
    failed = sum("FunctionError" in call.result() for call in calls)
    durations = reports(logs, functions[way], at_least=callers, since=began).set_index(
        "status"
    )["duration_ms"]
    return {
        "callers": callers,
        "connections": max(peak, connections()),
        "failed": failed,
        "durations": durations,
    }


# %% [markdown]
# **Predict:** PostgreSQL keeps three of the 16 connections for its administrators (`superuser_reserved_connections`), and we hold one.
# So let 5, 10 and 20 callers come at once: how many of the 20 fail?

# %%
predict("07.a")

# %%
CALLERS = (
    20 if workshop.is_embedded else 10
)  # an AWS account may begin with a limit of ten concurrent executions
rounds = []
if has_database:
    for callers in track((5, 10, CALLERS), "bursts"):
        rounds.append(burst("direct", callers))
pd.DataFrame(rounds, columns=["callers", "connections", "failed"]).set_index("callers")

# %%
if has_database:
    predicted("07.a", f"{rounds[-1]['failed']} of {CALLERS} fail")

# %% [markdown]
# One invocation at a time for each environment, one connection for each environment: callers and connections grow together, until
# the database has no more. Whoever comes then is refused. (Fewer than you have counted, perhaps: an environment that has
# answered one caller takes the next.) What do they hear? The function could not even be initialised, so the answer is
# in its log. PostgreSQL has two sentences for the same code, `53300` (`too_many_connections`): one
# for the places that are reserved, one for when not even those are left.


# %%
def refusals(function):
    """The messages of PostgreSQL's errors in a function's log, counted by their code and text."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{function}"
    )
    lines = [event["message"] for page in pages for event in page["events"]]
    errors = [line for line in lines if line.startswith("[ERROR]") and "'C': '" in line]
    return Counter(
        (line.split("'C': '")[1][:5], line.split("'M': '")[1].split("'")[0])
        for line in errors
    )


for (sqlstate, message), times in (
    refusals(functions["direct"]) if has_database else Counter()
).items():
    print(f"{times:3} times {sqlstate}: {message}")

# %% [markdown]
# (There may be more lines than failed calls: when init fails, Lambda tries it once more before it gives up. And a log keeps the
# lines of earlier runs.)
#
# And how long does an order take, as more callers come? Each point is an invocation's Duration, from its REPORT line.

# %%
if has_database:
    figure, ax = plt.subplots(figsize=(10, 4))
    for place, each in enumerate(rounds):
        durations = each["durations"].sort_values()
        x = place + np.linspace(-0.25, 0.25, len(durations))
        refused = durations.index != "success"
        ax.scatter(
            x[~refused],
            durations[~refused],
            s=45,
            color=BLUE,
            label="answered" if place == 0 else None,
        )
        ax.scatter(
            x[refused],
            durations[refused],
            s=60,
            color=RED,
            marker="X",
            label="refused" if place == 2 else None,
        )
    ax.set_xticks(range(len(rounds)), [each["callers"] for each in rounds])
    ax.set(yscale="log", ylim=(100, None))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel("callers at once")
    ax.set_ylabel("Duration, ms (log scale)")
    ax.legend(loc="upper left")
    few, many = (each["durations"].quantile(0.95) for each in (rounds[0], rounds[-1]))
    ax.set_title(
        f"95% of the calls took at most {few:.0f} ms with 5 callers, and {many:,.0f} ms with {CALLERS}"
    )

# %% [markdown]
# The work is 0.2 s, however many come. Those who get a connection are served nearly as fast as before. The longest Durations belong
# to the callers who get nothing: their init has failed, and Lambda has tried it once more within the invocation.
#
# Now the burst is over, and nobody calls.
#
# **Predict:** how many connections does the database have *now*?

# %%
predict("07.b")

# %% [markdown]
# **Predict:** and a colleague who wants to look at a table?

# %%
predict("07.c", choices=["gets in", "is refused"])

# %%
if has_database:
    held, colleague = connections(), "gets in"
    state = "SELECT state, count(*) FROM pg_stat_activity WHERE usename = current_user GROUP BY state ORDER BY 2 DESC"
    print("their states:", dict(map(tuple, admin.run(state))))
    try:
        pg8000.native.Connection(
            USER,
            host=endpoint["Address"],
            port=endpoint["Port"],
            database="orders",
            password=PASSWORD,
        )
    except pg8000.native.DatabaseError as error:
        colleague = "is refused"
        print("the colleague:", error.args[0]["C"], error.args[0]["M"])

# %%
if has_database:
    predicted("07.b", f"{held} connections")
    predicted("07.c", colleague)

# %% [markdown]
# (The active one is ours, which asks.) The environments are frozen, and a frozen program closes nothing. They hold the
# database, idle, for as long as Lambda keeps them, and everybody else is shut out. A server with a pool would have kept ten connections busy; these do
# nothing and still count. Only when environments end do their connections end:

# %%
if has_database:
    end_environments(functions["direct"])
    settle(0)  # PostgreSQL notices a moment later; on AWS that may take minutes
    print("connections now:", connections())

# %% [markdown]
# How many would *your* traffic need? On average as many invocations run at once as begin in a second, times the seconds
# that one takes. Move the sliders, and compare with the default limit of a machine with 1 GB. A burst is more than the average.


# %%
def draw(calls_per_second=500, duration_ms=500):
    rates = np.arange(0, 2001)
    needed = calls_per_second * duration_ms / 1000
    figure, ax = plt.subplots(figsize=(10, 4))
    ax.plot(
        rates,
        rates * duration_ms / 1000,
        color=RED,
        linewidth=2.5,
        label="one for each environment",
    )
    ax.axhline(
        112,
        color=BLUE,
        linewidth=2.5,
        linestyle="--",
        label="max_connections with 1 GB of memory",
    )
    ax.plot(calls_per_second, needed, "o", markersize=12, color=RED)
    verdict = "more than there are" if needed > 112 else "that fits, without bursts"
    title = f"{calls_per_second} calls a second of {duration_ms} ms need {needed:,.0f} connections: {verdict}"
    ax.set_title(title)
    ax.set_xlabel("calls per second")
    ax.set_ylabel("connections")
    ax.set_ylim(0, 1000)
    ax.legend(loc="upper left")
    return ax


# %%
explore(
    draw,
    calls_per_second=[10, 50, 100, 200, 500, 1000, 2000],
    duration_ms=[50, 100, 200, 500],
)

# %% [markdown]
# ## Way 2: DynamoDB
#
# The slide's advice: *use DynamoDB*. DynamoDB is a key-value store without connections: each request is an HTTP request of its
# own, with its own signature, and there is no limit on how many clients there are. (There is one on requests per second, which
# AWS raises with the load.) The price: no joins, and queries by key alone, so you design tables for the questions that you will ask.

# %%
dynamodb = workshop.client("dynamodb")
try:
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
except dynamodb.exceptions.ResourceInUseException:
    print("The table is there already.")
dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})

# %%
dynamodb_source = """
import os

import boto3

client = boto3.client("dynamodb")


def handler(event, context):
    item = {"id": {"N": str(event["id"])}, "quantity": {"N": str(event["quantity"])}}
    client.put_item(TableName=os.environ["TABLE"], Item=item)
"""

# %%
role, variables = (
    workshop.role("AmazonDynamoDBFullAccess"),
    {"Variables": {"TABLE": name}},
)
table_settings = {
    "Role": role,
    "Environment": variables,
    "MemorySize": 1769,
    "Timeout": 30,
}
deploy(workshop, functions["dynamodb"], {"app.py": dynamodb_source}, **table_settings)
results = {"direct": rounds[-1]} if has_database else {}
results["dynamodb"] = burst("dynamodb", CALLERS)
{key: results["dynamodb"][key] for key in ("callers", "connections", "failed")}

# %% [markdown]
# ## Way 3: a queue in between
#
# *If it has to be RDS*, says the slide, put a queue in between and write in batches. The function that takes the
# order only sends a message to **SQS**, AWS's queue, and is done. A second function, the *writer*, gets up to ten messages at once.
# With `MaximumConcurrency` we say how many writers there may be at a time: two, the least that AWS allows.

# %%
sqs = workshop.client("sqs")
queue_url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})[
    "QueueUrl"
]
queue_source = """
import json
import os

import boto3

client = boto3.client("sqs")


def handler(event, context):
    client.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
"""

# %%
role, variables = (
    workshop.role("AmazonSQSFullAccess"),
    {"Variables": {"QUEUE_URL": queue_url}},
)
queue_settings = {
    "Role": role,
    "Environment": variables,
    "MemorySize": 1769,
    "Timeout": 30,
}
_ = deploy(workshop, functions["queue"], {"app.py": queue_source}, **queue_settings)

# %% [markdown]
# The writer runs the same insert as before, once for each record of its batch. An *event source mapping* connects the
# queue to it. `ReportBatchItemFailures` will matter in exercise 2. (On AWS there is no writer here, and the messages
# stay in the queue.)

# %%
writer_source = f"""{connect_source}

def handler(event, context):
    for record in event["Records"]:
        connection.run(INSERT, **json.loads(record["body"]))
"""

# %%
if has_database:
    writer_role = workshop.role("service-role/AWSLambdaSQSQueueExecutionRole")
    writer_archive = package({"app.py": writer_source}, libraries=["pg8000"])
    deploy(workshop, writer, writer_archive, Role=writer_role, **direct_settings)
    queue_arn = sqs.get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    mappings = lambda_client.list_event_source_mappings(
        EventSourceArn=queue_arn, FunctionName=writer
    )
    if not mappings["EventSourceMappings"]:
        lambda_client.create_event_source_mapping(
            EventSourceArn=queue_arn,
            FunctionName=writer,
            BatchSize=10,
            ScalingConfig={"MaximumConcurrency": 2},
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

# %% [markdown]
# **Predict:** 20 callers again. How many connections does the database have, at most?

# %%
predict("07.d")

# %% [markdown]
# **Predict:** and when are the rows there?

# %%
predict("07.e", choices=["with the answer", "later"])

# %% [markdown]
# After the burst the next cell watches until all orders have arrived.


# %%
def rows(way):
    """How many of the orders that went this way are in the database."""
    return admin.run("SELECT count(*) FROM orders WHERE way = :way", way=way)[0][0]


end_environments(
    functions["direct"]
)  # if you have run Way 1 again, its environments hold the database
results["queue"] = burst("queue", CALLERS)
watched = [(time.time(), rows("queue"))] if has_database else []
while watched and watched[-1][1] < CALLERS:
    results["queue"]["connections"] = max(
        results["queue"]["connections"], connections()
    )
    watched.append((time.time(), rows("queue")))
    time.sleep(0.1)
{key: results["queue"][key] for key in ("callers", "connections", "failed")}

# %%
if has_database:
    seconds = np.array([moment for moment, _ in watched]) - watched[0][0]
    waiting = CALLERS - np.array([count for _, count in watched])
    figure, ax = plt.subplots(figsize=(10, 3.5))
    ax.step(seconds, waiting, where="post", color=BLUE, linewidth=2.5)
    ax.fill_between(seconds, waiting, step="post", color=BLUE, alpha=0.15)
    ax.set_title(
        f"When the last caller had its answer, {waiting[0]} orders still waited; {seconds[-1]:.0f} s later, none"
    )
    ax.set_xlabel("seconds after the last answer")
    ax.set_ylabel("orders on their way")
    ax.set_ylim(bottom=0)

# %%
if has_database:
    predicted("07.d", f"{results['queue']['connections']} connections")
    predicted("07.e", f"{seconds[-1]:.0f} s later" if waiting[0] else "with the answer")

# %% [markdown]
# No caller failed, and the database had two connections. The price: an answer means "we have your order", not "it is
# in the database". The queue keeps what comes faster than the writers can write, for days if need be. For a page
# that must show the result at once, this is no way.
#
# ## Way 4: a pool in between
#
# The slides are from 2019. In 2020 AWS brought **RDS Proxy**: a pool of connections as a service. Functions connect to the
# proxy, as many as they like. It lends them one of its few connections to the database for the length of a *transaction*,
# and whoever comes when all are lent waits. The function stays as it was: only its host and port change.
#
# Our proxy may use 25% of the connections. It takes the password from Secrets Manager. (On AWS its `RoleArn` has to be a
# role that RDS may take and that may read the secret; the embedded AWS does not look at it. There, a small pooler of ours
# answers in the proxy's place, and its address holds the port as well.)

# %%
secrets = workshop.client("secretsmanager")
if has_database:
    credentials = json.dumps({"username": USER, "password": PASSWORD})
    try:
        secret_arn = secrets.create_secret(Name=name, SecretString=credentials)["ARN"]
    except secrets.exceptions.ResourceExistsException:
        secret_arn = secrets.describe_secret(SecretId=name)["ARN"]
    try:
        rds.create_db_proxy(
            DBProxyName=name,
            EngineFamily="POSTGRESQL",
            Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret_arn}],
            RoleArn=workshop.role(),
            VpcSubnetIds=[
                subnet["SubnetId"]
                for subnet in workshop.client("ec2").describe_subnets()["Subnets"]
            ],
        )
    except rds.exceptions.DBProxyAlreadyExistsFault:
        print("The proxy is there already.")

# %%
if has_database:
    try:
        rds.register_db_proxy_targets(DBProxyName=name, DBInstanceIdentifiers=[name])
    except rds.exceptions.DBProxyTargetAlreadyRegisteredFault:
        print("The target is registered already.")
    rds.modify_db_proxy_target_group(
        DBProxyName=name,
        TargetGroupName="default",
        ConnectionPoolConfig={"MaxConnectionsPercent": 25},
    )
    proxy = rds.describe_db_proxies(DBProxyName=name)["DBProxies"][0]
    host, _, port = proxy["Endpoint"].partition(":")
    deploy(
        workshop, functions["proxy"], archive, **database_settings(host, port or 5432)
    )

# %% [markdown]
# **Predict:** 20 callers, each with an insert of 0.2 s, and 25% of 16 connections. How many fail?

# %%
predict("07.f")

# %% [markdown]
# **Predict:** how long does the longest call take?

# %%
predict("07.g")

# %%
if has_database:
    end_environments(functions["direct"], functions["proxy"], writer)
    settle(4)  # the proxy's own
    results["proxy"] = burst("proxy", CALLERS)
    print({key: results["proxy"][key] for key in ("callers", "connections", "failed")})
    durations = results["proxy"]["durations"]
    print(
        f"Duration: median {durations.median():.0f} ms, longest {durations.max():.0f} ms"
    )

# %%
if has_database:
    predicted("07.f", f"{results['proxy']['failed']} of {CALLERS} fail")
    predicted("07.g", f"{durations.max() / 1000:.1f} s")

# %% [markdown]
# Four connections, as configured, and nobody was refused. The longest Duration is a caller that waited for its turn: 20 orders of 0.2 s
# over four connections take 1.0 s, less what cold starts have spread the callers. A wait has a limit, too
# (`ConnectionBorrowTimeout`, 120 s by default).

# %% [markdown]
# ## All four
#
# The same burst, four ways. For each: the most connections that the database had, the calls that failed, the orders that arrived, and
# how long an invocation took (`Duration` in the REPORT lines: without its cold start, and for failed ones too).

# %%
pages = dynamodb.get_paginator("scan").paginate(
    TableName=name, Select="COUNT", ConsistentRead=True
)
arrived = {"dynamodb": sum(page["Count"] for page in pages)}
if has_database:
    arrived |= {way: rows(way) for way in ("queue", "proxy")}
    arrived["direct"] = CALLERS - results["direct"]["failed"]
table = pd.DataFrame(results).T.assign(arrived=pd.Series(arrived))
table["median ms"] = [durations.median() for durations in table["durations"]]
table["p95 ms"] = [durations.quantile(0.95) for durations in table["durations"]]
table = table.drop(columns="durations").astype(float)
table.round().astype("Int64")

# %%
lost = (CALLERS - table["arrived"]).fillna(0).astype(int)
losers = (
    " and ".join(f"{way} loses {count}" for way, count in lost[lost > 0].items())
    or "all arrive"
)
keepers = f"; {', '.join(lost[lost == 0].index)}: none" if lost.any() else ""
there = (
    f"a database for {MAX_CONNECTIONS} connections"
    if has_database
    else "no relational database"
)
title = f"{CALLERS} orders at once, {there}: {losers}{keepers}"

# %%
# picture: databases.png
COLORS = {"direct": RED, "dynamodb": BLUE, "queue": GREEN, "proxy": PINK}
figure, axes = plt.subplots(1, 4, figsize=(13, 4), sharey=True)
panels = {
    "connections": "connections, at most",
    "failed": f"failed calls of {CALLERS}",
    "arrived": f"orders arrived of {CALLERS}",
    "median ms": "Duration, ms: median (p95)",
}
for ax, (column, label) in zip(axes, panels.items(), strict=True):
    bars = ax.barh(
        table.index, table[column], color=[COLORS[way] for way in table.index]
    )
    with_p95 = [
        f"{row['median ms']:.0f} ({row['p95 ms']:.0f})" for _, row in table.iterrows()
    ]
    ax.bar_label(
        bars, with_p95 if column == "median ms" else None, fmt="%.0f", padding=3
    )
    ax.set_xlabel(label)
    ax.margins(x=0.6 if column == "median ms" else 0.25)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].invert_yaxis()
_ = figure.suptitle(title, x=0.01, ha="left")

# %% [markdown]
# Nothing is free. *Direct* is the simplest and has no bound. *DynamoDB* asks for another design of your data. The *queue* answers before
# the work is done. The *proxy* lets callers wait, and on AWS it costs by the hour. (Your DynamoDB and SQS are the embedded
# AWS's: compare their failures and connections, not their milliseconds.)
#
# ## What has changed since 2019
#
# - There was a second reason against RDS: functions in a VPC had long cold starts. AWS solved that in 2019.
# - **RDS Proxy** (2020) is AWS's answer for functions that need a relational database. Mind *pinning*: a client
#   whose session has a state, such as `SET` or a named prepared statement, keeps its connection until it leaves
#   ([Amazon RDS User Guide](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html)).
# - The **Data API** of Aurora (AWS's own relational engine) takes SQL by HTTP, so that a function holds no connection at all.
# - For data that is read and written by key, DynamoDB is still the first choice.
#
# ## Exercise 1: a limit that the database survives
#
# The least that you can do for a database: limit the function's concurrency. With **reserved concurrency** it has that many
# environments at most; further calls are throttled, and boto3 tries those again. How many are safe?
#
# Write `safe_concurrency`. The database has `max_connections`, of which `superuser_reserved` are not for you. `others` are in use
# by programs that are not functions. The rest is shared equally by `functions` functions. Return the reserved concurrency
# of each, as large as it can be without a call ever being refused; 0 if there is no room.


# %% safe-concurrency
def safe_concurrency(max_connections, superuser_reserved, others, functions):
    # solution: Return a whole number, 0 or more.
    return max(0, max_connections - superuser_reserved - others) // functions


# %%
# check
check("07.1", safe_concurrency)

if has_database:
    end_environments(*functions.values(), writer)
    settle(4)
    held = connections()  # by the proxy, which keeps its own open
    limit = int(safe_concurrency(MAX_CONNECTIONS, 3, held + 1, 1))
    lambda_client.put_function_concurrency(
        FunctionName=functions["direct"], ReservedConcurrentExecutions=limit
    )
    again = burst("direct", CALLERS)
    print(f"{CALLERS} callers, {limit} environments at most: {again['failed']} failed")
    print(f"connections: {again['connections']}, of which the proxy holds {held}")
    end_environments(functions["direct"])  # they would shut out everybody else

# %% [markdown]
# The same burst that was refused before. The callers that found no room waited and tried again. (After a deployment, environments of the old version hold their
# connections for a while beside those of the new one. In production, leave room for both.)
#
# ## Exercise 2: one bad order in the batch
#
# The table has a rule: `CHECK (quantity > 0)`. What does our writer do with a batch that holds an order of 0 pieces? PostgreSQL refuses it, pg8000 raises
# `DatabaseError`, the function fails, and SQS delivers the *whole batch* again when its visibility timeout has passed. And again.
#
# With `ReportBatchItemFailures` a writer can do better: it returns which messages failed, and SQS
# brings back only those:
# `{"batchItemFailures": [{"itemIdentifier": "<messageId>"}, …]}`, an empty list when all went well.
#
# Write the handler `write_orders`. Every good order of the batch has to be stored, wherever the bad ones are. `connection` and
# `INSERT` are there, as in the cell with `connect_source`. SQS may deliver a message twice, even to two environments at the same
# moment: look at how `INSERT` ends.


# %% orders-writer
def write_orders(event, context):
    # solution: Insert the order of each record; return the messageId of those that PostgreSQL refuses.
    failures = []
    for record in event["Records"]:
        try:
            connection.run(INSERT, **json.loads(record["body"]))
        except pg8000.native.DatabaseError as error:
            print("refused:", record["messageId"], error.args[0]["M"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


# %%
# check
if has_database:
    solved_source = connect_source + "\n\n" + inspect.getsource(write_orders)
    solved_archive = package({"app.py": solved_source}, libraries=["pg8000"])
    settings = {"Handler": "app.write_orders", "Role": writer_role, **direct_settings}
    deploy(workshop, writer, solved_archive, **settings)
check("07.2")

orders = [
    {"way": "mixed", "id": number, "quantity": number % 5} for number in range(10)
]
entries = [
    {"Id": str(order["id"]), "MessageBody": json.dumps(order)} for order in orders
]
sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
good = sum(order["quantity"] > 0 for order in orders)
while rows("mixed") < good:
    time.sleep(0.1)
print(f"{rows('mixed')} of {len(orders)} orders are stored, each once")

# %% [markdown]
# The two bad ones stay in the queue and come back every 60 seconds, until the queue gives them up after four days. In
# production they go to a *dead-letter queue* after some tries, where somebody looks at them. We throw ours away.

# %%
if has_database:
    sqs.purge_queue(QueueUrl=queue_url)

# %% [markdown]
# ## Exercise 3: which way?
#
# Four cases. Choose `"direct"`, `"dynamodb"`, `"queue"` or `"proxy"` for each. A choice that does not fit comes back with the reason.

# %% choices
cases = {
    "baskets": "A new shop keeps each customer's basket, read and written by the customer's number. "
    "A sale brings 3,000 calls at once.",
    "clicks": "2,000 clicks a second go into the PostgreSQL of the analysts, who look the next day. Nobody waits.",
    "seats": "Seats are booked in an existing PostgreSQL, in one transaction over three tables. "
    "Up to 300 people wait for their answer.",
    "nightly": "A schedule starts one function each night. It reads the existing PostgreSQL "
    "for two minutes and mails a report.",
}
choices = dict.fromkeys(cases)
# solution: Choose a way for each case, as in choices["baskets"] = "queue".
choices["baskets"] = "dynamodb"
choices["clicks"] = "queue"
choices["seats"] = "proxy"
choices["nightly"] = "direct"

# %%
# check
check("07.3", choices)

pd.Series(choices, name="way").to_frame()

# %% [markdown]
# Last of all, the connections that are still held are given back.

# %%
end_environments(*functions.values(), writer)

# %% [markdown]
# ## What you have learned
#
# - One execution environment, one connection: N concurrent invocations need N, and frozen environments keep theirs.
# - A database that is full refuses everybody, with code 53300, until environments end.
# - DynamoDB has no connections to run out of. A queue with a small `MaximumConcurrency` bounds them, and answers before the row is
#   there. RDS Proxy lends a few connections to many functions, and lets them wait.
# - Reserved concurrency is the simplest protection; a batch writer reports the messages that failed, one by one.
# - The question is not "Lambda or RDS", but how many connections can be open at once, and who may wait.
#
# **Next:** notebook 08, *XaaS compared*: who manages what. `python3 -m helpers clean` removes what this notebook made, the
# database included, when you no longer need it.
