# %% [markdown]
# # 07 Databases
#
# After this notebook you will be able to
#
# - say why N concurrent invocations need N database connections, and what these cost the database in CPU and memory;
# - see connections run out, in the database and in the function's log;
# - use DynamoDB, a queue or a pool of connections instead, and measure what each of them costs;
# - choose among the four ways for a case of your own.
#
# It takes about 45 minutes. Take it in two sessions.
# Slides: "Caveats of Lambda, part 4: do not connect to RDS" (Lambdaの注意点 その4「RDSと繋ぐな」, page 12), in the part "Know Lambda".
# The slide links an article, [LambdaとRDSで爆死してみる](https://qiita.com/asahi0301/items/49808ccf16dc2fff06f3) (in Japanese).
#
# RDS is AWS's service for relational databases. For it, the embedded AWS starts a real PostgreSQL on this machine, with PostgreSQL's own
# connections, limits and messages. The network is not AWS's: use the milliseconds only to compare.
#
# On AWS, RDS needs a private network (a VPC), takes about ten minutes to make, and costs money by the hour.
# There, the cells that need the database do nothing; those about DynamoDB and the queue run.

# %% notes [markdown]
# Minutes: 1
#
# Say: The loudest slide of the deck: do not connect to RDS. It was right in 2019; ask who still hears it today. You
# find out what is behind it, and which of four ways you would take.
#
# Goes wrong: On AWS the cells of the database do nothing. Teach this one on the embedded AWS.

# %%
import inspect
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pg8000.native
import psutil

# %%
from botocore.config import Config
from helpers import connect, deploy, explore, fact, package, reports, track, wait_until
from helpers.plots import BLUE, GREEN, PINK, RED

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
rds = workshop.client("rds")
has_database = workshop.is_embedded
print("with" if has_database else "without", "a database")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution, watch

# %% [markdown]
# ## A database with a limit
#
# A program speaks to PostgreSQL over a **connection**. For each one PostgreSQL starts a process. So there is a limit, the parameter
# `max_connections`. On RDS its default grows with memory, at most {{connections_per_gb}} for each GB
# ([Amazon RDS User Guide]({{connections_per_gb.source}}), read on {{connections_per_gb.checked}}).
# Ours gets 16: then a small burst of calls is for it what a large burst is for a large database.
# RDS keeps parameters in a *parameter group*.

# %% notes [markdown]
# Minutes: 4
#
# Say: A connection is a process on the other side. Ask how many connections their database at work has, and who uses
# them. Ours has sixteen, so that the room can count along.
#
# Goes wrong: The first start of the database takes some seconds, and the waiter looks as if it hangs. A second run of
# the notebook finds old connections; the cells that end environments are there for this.
#
# Skip: Reading the code of the DB instance. Run it.

# %%
MAX_CONNECTIONS = 16
name = workshop.name("orders")
group = {"DBParameterGroupName": name}

# %%
if has_database:
    with suppress(rds.exceptions.DBParameterGroupAlreadyExistsFault):
        rds.create_db_parameter_group(
            **group, DBParameterGroupFamily="postgres18", Description="few connections"
        )

# %%
limit = {
    "ParameterName": "max_connections",
    "ParameterValue": str(MAX_CONNECTIONS),
    "ApplyMethod": "pending-reboot",
}

# %%
if has_database:
    rds.modify_db_parameter_group(**group, Parameters=[limit])

# %% [markdown]
# The *DB instance* is the machine with the database. (On AWS it takes some minutes, and RDS can keep the password in Secrets Manager.)

# %%
USER, PASSWORD = "workshop", "not-a-secret-here"
machine = {"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}
user = {"MasterUsername": USER, "MasterUserPassword": PASSWORD}
database = {"Engine": "postgres", "DBName": "orders", **group}

# %%
if has_database:
    with suppress(rds.exceptions.DBInstanceAlreadyExistsFault):
        rds.create_db_instance(DBInstanceIdentifier=name, **machine, **database, **user)

# %% [markdown]
# Its *endpoint* is where programs connect.

# %%
if has_database:
    available = rds.get_waiter("db_instance_available")
    available.wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})
    found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    endpoint = found["Endpoint"]
    print(f"PostgreSQL listens at {endpoint['Address']}:{endpoint['Port']}")

# %%
if has_database:
    address = {"host": endpoint["Address"], "port": endpoint["Port"]}
    login = {"user": USER, "password": PASSWORD, "database": "orders", **address}

# %% [markdown]
# A function keeps its connection as long as its execution environment lives. After an update Lambda ends the old environments.
# So we update each function, in case an earlier run has left some.


# %%
def end_environments(*names):
    """Update each function to what it is, so that Lambda ends its environments."""
    not_made_yet = lambda_client.exceptions.ResourceNotFoundException
    for each in names:
        with suppress(not_made_yet):
            lambda_client.update_function_configuration(FunctionName=each, Timeout=30)
            lambda_client.get_waiter("function_updated_v2").wait(FunctionName=each)


# %%
ways = ("direct", "dynamodb", "queue", "proxy")
functions = {way: workshop.name(f"orders-{way}") for way in ways}
writer = workshop.name("orders-writer")
end_environments(*functions.values(), writer)

# %%
if has_database:  # an old proxy holds connections, too; we make it anew later
    with suppress(rds.exceptions.DBProxyNotFoundFault):
        rds.delete_db_proxy(DBProxyName=name)

# %% [markdown]
# pg8000 is a PostgreSQL driver in pure Python. We open one connection for ourselves, `admin`, and keep it.

# %% orders-table
TABLE = """CREATE TABLE orders (
    way text, id int, quantity int CHECK (quantity > 0), PRIMARY KEY (way, id)
)"""
if has_database:
    with suppress(NameError, pg8000.native.InterfaceError):  # none yet, or closed
        admin.close()
    admin = pg8000.native.Connection(**login)
    admin.run("DROP TABLE IF EXISTS orders")
    admin.run(TABLE)

# %% [markdown]
# `connections` asks the database how many others there are: the view `pg_stat_activity` has a row for each. And `wait_until`
# waits for a condition.

# %%
OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE usename = current_user AND pid <> pg_backend_pid()"""


def connections():
    """How many connections the database has, ours left out."""
    return admin.run(OTHERS)[0][0] if has_database else 0


# %%
wait_until(lambda: connections() == 0)
connections()

# %% [markdown]
# ## What a connection costs
#
# The slide says that connections use the database's CPU and memory. On AWS, CloudWatch has both, once a minute: the metrics
# `CPUUtilization` and `FreeableMemory` of the DB instance. The embedded AWS does not have these metrics, so we ask this machine's
# operating system. The folded cell adds up the CPU time of PostgreSQL's processes, and the memory that they do not share.

# %% notes [markdown]
# Minutes: 2
#
# Say: The slide says CPU and memory; here are both. The surprise is that an idle connection costs as well.
#
# Goes wrong: On macOS there is no figure for the CPU, as the system does not count processes that have ended.
#
# Skip: Run the cells, which later ones need, and talk about the memory alone.


# %% measure-database folded
def processes():
    """PostgreSQL's first process, and those that it has started, as for connections."""
    [[pid]] = admin.run("SELECT pg_backend_pid()")
    first = psutil.Process(pid).parent()
    return first, first.children()


def memory_mb():
    """The memory that its processes have for themselves, in MB."""
    total = 0
    for process in processes()[1]:
        with suppress(psutil.Error):  # it has ended meanwhile
            total += process.memory_full_info().uss
    return round(total / 1e6)


def load():
    """What the database has now."""
    return {"connections": connections(), "MB": memory_mb() if has_database else 0}


def cpu_s():
    """The CPU time that the database has used so far, in seconds."""
    first, others = processes()
    times = first.cpu_times()
    total = sum(times[:4])  # the last two are those of the processes that have ended
    for process in others:
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:2])
    return total


def cpu_ms(work, times=100):
    """The CPU time that the database needs for this work, in ms, on average."""
    before, used = connections(), cpu_s()
    for number in track(range(times), work.__name__):
        work(number)
    wait_until(lambda: connections() <= before)
    return (cpu_s() - used) / times * 1000


# %% [markdown]
# First the CPU, for a new connection and for an insert over an open one:


# %%
SMALL = "INSERT INTO orders VALUES ('cpu', :id, 1) ON CONFLICT DO NOTHING"


def connect_and_close(number):
    pg8000.native.Connection(**login).close()


def insert(number):
    admin.run(SMALL, id=number)


# %%
if has_database and psutil.LINUX:  # macOS does not count processes that have ended
    connecting, inserting = cpu_ms(connect_and_close), cpu_ms(insert)
    print(f"CPU: {connecting:.1f} ms to connect, {inserting:.1f} ms to insert")
    claim("connecting costs far more CPU", connecting > 3 * inserting)

# %% [markdown]
# To connect costs several times the CPU of a small insert. Now the memory, before and after we open ten:

# %%
if has_database:
    before = memory_mb()
    opened = [pg8000.native.Connection(**login) for _ in range(10)]
    with_ten = memory_mb()
    for each in opened:
        each.close()
    print(f"{before} MB before, {with_ten} MB with ten idle connections")
    claim("ten connections take memory", with_ten > before)

# %% [markdown]
# A connection takes memory even when it does nothing. That is why `max_connections` grows with memory.
#
# ## Way 1: each function connects
#
# A web application on a server opens some connections when it starts, a *pool*, and all its requests share them. A
# Lambda function connects in init, as notebook 04 says: once in each environment. Every order is an insert that takes the
# database 0.2 s: `pg_sleep` is there instead of real work.

# %% notes [markdown]
# Minutes: 9
#
# Say: Do the sum on the board: sixteen, less three, less one. Then run it, and watch the tiles that fail in their
# init. Now the more important question: the burst is over, nobody calls; is the database free again? Take a vote. The
# frozen environments hold their connections, and a colleague cannot get in.
#
# Goes wrong: Some expect that Lambda closes connections. It freezes a process, and a frozen process closes nothing.
# The log has more refusals than failed calls: Lambda tries a failed init once more.
#
# Answer 07.a: Eight. Three of the sixteen are for administrators and one is ours, so twelve are left for twenty
# callers.
#
# Answer 07.b: Twelve, as before. Nobody calls, but the environments are there, frozen, each with its connection.
#
# Answer 07.c: Is refused. The connections that are not in use are not free either.
#
# Skip: The picture of the durations, and the sliders.

# %% connect-source
connect_source = """
import json
import os
import pg8000.native

connection = pg8000.native.Connection(
    os.environ["DB_USER"], password=os.environ["DB_PASSWORD"], database="orders",
    host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]),
)
INSERT = (
    "INSERT INTO orders SELECT :way, :id, :quantity FROM pg_sleep(0.2) "
    "ON CONFLICT DO NOTHING"
)
"""

# %%
direct_source = f"""{connect_source}

def handler(event, context):
    connection.run(INSERT, **event)
"""

# %% [markdown]
# Lambda's Python has boto3 and no other library, so `libraries=` puts the driver, and what
# it needs, into the archive beside `app.py`.

# %%
archive = package({"app.py": direct_source}, libraries=["pg8000"])
print(f"{len(archive) / 1e3:.0f} kB, zipped")

# %% [markdown]
# Each function gets environment variables, and {{vcpu_memory}} of memory, which is one whole CPU.


# %%
def settings(**variables):
    size = {"MemorySize": fact("vcpu_memory"), "Timeout": 30}
    return {"Environment": {"Variables": variables}, **size}


def database_settings(host, port):
    return settings(DB_USER=USER, DB_PASSWORD=PASSWORD, DB_HOST=host, DB_PORT=str(port))


# %% [markdown]
# (On AWS, do not do this with a password: whoever may read the configuration can read it. Read it from Secrets Manager in init, or let RDS authenticate you with
# IAM: then there is no password.)

# %%
direct = functions["direct"]
if has_database:
    direct_settings = database_settings(**address)
    deploy(workshop, direct, archive, **direct_settings)
    lambda_client.delete_function_concurrency(FunctionName=direct)  # of exercise 1

# %% [markdown]
# `burst` lets many callers place an order at the same moment. With each answer it looks at the database; afterwards it counts
# failed calls and reads durations from the REPORT lines. Throttled callers try again, up to seven times.

# %%
patient = workshop.client("lambda", config=Config(retries={"total_max_attempts": 8}))


def place(way, number):
    """Place one order."""
    order = json.dumps({"way": way, "id": number, "quantity": 1})
    return patient.invoke(FunctionName=functions[way], Payload=order)


# %%
def burst(way, callers, written=lambda: True):
    """Place so many orders at once; when all are `written`, return what came of it."""
    seen, began = [], datetime.now(UTC)
    with ThreadPoolExecutor(callers) as threads:
        calls = [threads.submit(place, way, number) for number in range(callers)]
        for _ in track(as_completed(calls), f"{way}: answers", callers):
            seen.append(load())
    # append() returns None, so each time written() is asked, too
    wait_until(lambda: seen.append(load()) or written(), at_most_s=120)
    peak = {key: max(each[key] for each in seen) for key in seen[0]}
    failed = sum("FunctionError" in call.result() for call in calls)
    log = reports(logs, functions[way], at_least=callers, since=began)
    return {"callers": callers, **peak, "failed": failed, "log": log}


# %% [markdown]
# The folded cell defines `start_anew`, which ends environments and deletes the orders of an earlier burst, and two
# functions that make tables.


# %% start-anew folded
def start_anew(way, held=0):
    """No environment holds a connection, and no order went this way."""
    end_environments(direct, functions["proxy"], writer)
    wait_until(lambda: connections() <= held)
    if has_database:
        admin.run("DELETE FROM orders WHERE way = :way", way=way)


def shown(*bursts):
    columns = ["callers", "connections", "MB", "failed"]
    return pd.DataFrame(bursts, columns=columns).set_index("callers")


def durations_of(burst):
    """How long the invocations took, by their status."""
    return burst["log"].set_index("status")["duration_ms"]


# %% [markdown]
# **Predict:** PostgreSQL keeps three of the 16 connections for its administrators (`superuser_reserved_connections`), and we hold one.
# So let 5, 10 and 20 callers come at once: how many of the 20 fail?
#
# In the picture (notebook [02](02-scaling.ipynb) explains it), a tile that is idle or busy is an environment with *its* connection. One that gets none fails in
# its init and ends, twice: Lambda tries it once more.

# %%
predict("07.a")

# %%
# an AWS account may begin with a limit of ten concurrent executions
CALLERS = 20 if workshop.is_embedded else 10
rounds = []
if has_database:
    start_anew("direct")
    began = datetime.now(UTC)
    with watch(workshop, direct):
        rounds = [burst("direct", each) for each in (5, 10, CALLERS)]
shown(*rounds)

# %% show-refused folded
if has_database:
    predicted("07.a", f"{rounds[-1]['failed']} of {CALLERS} fail")
    failed, used, mb = (
        [each[key] for each in rounds] for key in ("failed", "connections", "MB")
    )
    claim("no call fails but some of the 20", failed[:2] == [0, 0] and failed[2] > 0)
    more = used[0] < used[1] < used[2] and mb[0] < mb[1] < mb[2]
    claim("more callers need more connections and more memory", more)

# %% [markdown]
# One invocation at a time for each environment, one connection for each environment: callers, connections and memory grow together
# until the database has no more connections. It refuses all further ones.
#
# The refused functions could not even finish their init, so the reason is in the log.
# PostgreSQL has two sentences for the same code, `53300` (`too_many_connections`): one while reserved places
# are left, one when those are taken too. (RDS keeps more places for itself, and its sentence names its own role. The code is the same.) The folded cell defines how
# we read them.


# %% read-refusals folded
def refusals(function, since):
    """PostgreSQL's errors in a function's log, counted by code and text."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{function}", startTime=int(since.timestamp() * 1000)
    )
    lines = [event["message"] for page in pages for event in page["events"]]
    errors = [line for line in lines if line.startswith("[ERROR]") and "'C': '" in line]
    return Counter(
        (line.split("'C': '")[1][:5], line.split("'M': '")[1].split("'")[0])
        for line in errors
    )


# %%
if has_database:
    for (code, message), times in refusals(direct, began).items():
        print(f"{times} times {code}: {message}")

# %% [markdown]
# (There may be more lines than failed calls: when init fails, Lambda tries it once more.)
#
# And how long does an order take? The folded cell draws each invocation's Duration, from its REPORT line.

# %% draw-durations folded
if has_database:
    figure, ax = plt.subplots(figsize=(10, 4))
    for place_on_x, each in enumerate(rounds):
        durations = durations_of(each).sort_values()
        x = place_on_x + np.linspace(-0.25, 0.25, len(durations))
        refused = durations.index != "success"
        for which, style, label in (
            (~refused, {"s": 45, "color": BLUE}, "answered"),
            (refused, {"s": 60, "color": RED, "marker": "X"}, "refused"),
        ):
            label = label if place_on_x == len(rounds) - 1 else None
            ax.scatter(x[which], durations[which], **style, label=label)
    ax.set_xticks(range(len(rounds)), [each["callers"] for each in rounds])
    ax.set(yscale="log", ylim=(100, None))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel("callers at once")
    ax.set_ylabel("Duration, ms (log scale)")
    ax.legend(loc="upper left")
    few, many = (durations_of(rounds[at]).quantile(0.95) for at in (0, -1))
    ax.set_title(
        f"95% of the calls took at most {few:.0f} ms with 5 callers, "
        f"and {many:,.0f} ms with {CALLERS}"
    )
    last = durations_of(rounds[-1])
    served, refused = last[last.index == "success"], last[last.index != "success"]
    first = durations_of(rounds[0]).median()
    is_so = served.median() < 1.5 * first and refused.median() > served.median()
    claim("refused calls take longest, and the others as long as before", is_so)

# %% [markdown]
# The work is 0.2 s, however many come: calls that get a connection take about as long as before. The longest Durations belong
# to the refused ones: their init failed, and Lambda tried it again as a part of the invocation.
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
    try:
        pg8000.native.Connection(**login).close()
    except pg8000.native.DatabaseError as error:
        colleague = "is refused"
        print(error.args[0]["C"], error.args[0]["M"])

# %%
if has_database:
    predicted("07.b", f"{held} connections")
    predicted("07.c", colleague)
    claim("the database stays full", held > 0 and colleague == "is refused")

# %% [markdown]
# The environments are frozen, and a frozen program closes nothing. They hold their connections, idle, for as long as Lambda keeps
# them, and nobody else gets in. The connections end only when the environments end. Each tile below is one connection, until it ends:

# %%
if has_database:
    with watch(workshop, direct):
        end_environments(direct)
        # PostgreSQL notices it a moment later; on AWS that may take minutes
        wait_until(lambda: connections() == 0)
    claim("with the environments their connections end", connections() == 0)
    print("connections now:", connections())

# %% [markdown]
# How many would *your* traffic need? On average, the calls in a second times the seconds that one takes. Move the sliders, and
# compare with the default limit of a DB instance with 1 GB. A burst needs more than the average.


# %% draw-needed folded
def draw(calls_per_second=500, duration_ms=500):
    rates = np.arange(0, 2001)
    needed = calls_per_second * duration_ms / 1000
    figure, ax = plt.subplots(figsize=(9, 4))
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
    asked = f"{calls_per_second} calls a second of {duration_ms} ms"
    ax.set_title(f"{asked} need {needed:,.0f} connections: {verdict}")
    ax.set_xlabel("calls per second")
    ax.set_ylabel("connections")
    ax.set_ylim(0, 1000)
    ax.legend(loc="upper left")
    return ax


# %%
rates = [10, 50, 100, 200, 500, 1000, 2000]
explore(draw, calls_per_second=rates, duration_ms=[50, 100, 200, 500])

# %% [markdown]
# ## A pause
#
# This is a good place to stop. What you have made stays. When you come back with a new kernel, click the heading "Way 2" and choose
# *Run → Run All Above Selected Cell*.
#
# ## Way 2: DynamoDB
#
# The slide says: *use DynamoDB*. DynamoDB is a key-value store without connections: each request is an HTTP request of its
# own, and there is no limit on the number of clients. (There is one on requests per second, which
# grows with the load.) The price: no joins, and queries only by key. You design tables for the questions that you will ask.

# %% notes [markdown]
# Minutes: 0
#
# Say: Stop here, if you have two sessions. The second one begins with Way 2: *Run → Run All Above Selected Cell*
# brings back what a new kernel needs.

# %% notes [markdown]
# Minutes: 3
#
# Say: No connections, so nothing to run out of. Ask what they would miss: joins, and questions that nobody has
# thought of before.

# %%
dynamodb = workshop.client("dynamodb")
attributes = [{"AttributeName": "id", "AttributeType": "N"}]
keys = [{"AttributeName": "id", "KeyType": "HASH"}]
table = {"AttributeDefinitions": attributes, "KeySchema": keys}

# %%
with suppress(dynamodb.exceptions.ResourceInUseException):
    dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **table)
dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
table_arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]

# %%
dynamodb_source = """
import os
import boto3

client = boto3.client("dynamodb")

def handler(event, context):
    item = {"id": {"N": str(event["id"])}, "quantity": {"N": str(event["quantity"])}}
    client.put_item(TableName=os.environ["TABLE"], Item=item)
"""

# %% [markdown]
# A function may make only the calls to AWS that its **role** allows. The function of way 1 makes none: the database asks it for a
# password, and not for a role. This one gets one *statement*: `PutItem`, into this table alone. (`workshop.role` adds the right to write logs.)

# %%
put = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": table_arn}
role, code = workshop.role(put), {"app.py": dynamodb_source}
_ = deploy(workshop, functions["dynamodb"], code, Role=role, **settings(TABLE=name))

# %%
results = {"direct": rounds[-1]} if has_database else {}
results["dynamodb"] = burst("dynamodb", CALLERS)
shown(results["dynamodb"])

# %% [markdown]
# ## Way 3: a queue in between
#
# *If it must be RDS*, says the slide, put a queue in between and write in batches. The function that takes the
# order only sends a message to **SQS**, AWS's queue, and is done. A second function, the *writer*, gets up to ten messages at once.
# `MaximumConcurrency` says how many writers run at a time: two, the smallest number that AWS allows.

# %% notes [markdown]
# Minutes: 5
#
# Say: Say the price first: the answer means "we have your order", and not "it is stored". Ask which of their pages
# could live with that.
#
# Goes wrong: They look for a setting that limits the first function. It is the *mapping* that has the limit,
# `MaximumConcurrency`; two is the least that AWS allows.
#
# Answer 07.d: Two, as two writers run at a time and each has one connection.
#
# Answer 07.e: Later. When the last caller has its answer, orders still wait in the queue.

# %%
sqs = workshop.client("sqs")
seconds = {"VisibilityTimeout": "180"}  # six times the writer's Timeout
queue_url = sqs.create_queue(QueueName=name, Attributes=seconds)["QueueUrl"]
found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
queue_arn = found["Attributes"]["QueueArn"]

# %%
queue_source = """
import json
import os
import boto3

client = boto3.client("sqs")

def handler(event, context):
    client.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
"""

# %% [markdown]
# This function may send messages to this queue, and do nothing else with it.

# %%
send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn}
role, code = workshop.role(send), {"app.py": queue_source}
variables = settings(QUEUE_URL=queue_url)
_ = deploy(workshop, functions["queue"], code, Role=role, **variables)

# %% [markdown]
# The writer runs the same insert as before, once for each record of its batch. (On AWS there is no writer here, and the messages
# stay in the queue.)

# %%
writer_source = f"""{connect_source}

def handler(event, context):
    for record in event["Records"]:
        connection.run(INSERT, **json.loads(record["body"]))
"""

# %% [markdown]
# The code of the writer does not call SQS: Lambda takes the messages, and deletes those that are done. It does so *in the writer's role*, which must
# allow these three calls; otherwise Lambda refuses the mapping below. (AWS's managed policy `AWSLambdaSQSQueueExecutionRole` allows the
# same, but on every queue.)

# %%
take = {"Effect": "Allow", "Resource": queue_arn}
take["Action"] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]

# %%
if has_database:
    writer_role = workshop.role(take)
    writer_archive = package({"app.py": writer_source}, libraries=["pg8000"])
    deploy(workshop, writer, writer_archive, Role=writer_role, **direct_settings)

# %% [markdown]
# An *event source mapping* connects the queue to it. (`ReportBatchItemFailures` matters in exercise 2.)

# %%
mapping = {"EventSourceArn": queue_arn, "FunctionName": writer}
batches = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
limit = {"ScalingConfig": {"MaximumConcurrency": 2}}
if has_database:
    with suppress(lambda_client.exceptions.ResourceConflictException):  # it is there
        lambda_client.create_event_source_mapping(**mapping, **batches, **limit)

# %% [markdown]
# **Predict:** 20 callers again. How many connections does the database have, at most?

# %%
predict("07.d")

# %% [markdown]
# **Predict:** and when are the rows there?

# %%
predict("07.e", choices=["with the answer", "later"])

# %% [markdown]
# When all callers have their answers, `written` notes how many orders are in the database, again and again.


# %%
def rows(way):
    """How many of the orders that went this way are in the database."""
    return admin.run("SELECT count(*) FROM orders WHERE way = :way", way=way)[0][0]


# %%
def written():
    """Whether all orders of the queue have arrived."""
    arrivals.append((time.time(), rows("queue")))
    return arrivals[-1][1] >= CALLERS


# %%
arrivals = []
start_anew("queue")
looks = {"written": written} if has_database else {}
results["queue"] = burst("queue", CALLERS, **looks)
shown(results["queue"])

# %% draw-arrivals folded
if has_database:
    seconds = np.array([moment for moment, _ in arrivals]) - arrivals[0][0]
    waiting = CALLERS - np.array([count for _, count in arrivals])
    figure, ax = plt.subplots(figsize=(10, 3.5))
    ax.step(seconds, waiting, where="post", color=BLUE, linewidth=2.5)
    ax.fill_between(seconds, waiting, step="post", color=BLUE, alpha=0.15)
    ax.set_title(
        f"When the last caller had its answer, {waiting[0]} orders still waited; "
        f"{seconds[-1]:.0f} s later, {waiting[-1] or 'none'}"
    )
    ax.set_xlabel("seconds after the last answer")
    ax.set_ylabel("orders on their way")
    ax.set_ylim(bottom=0)

# %%
if has_database:
    most, refused = (results["queue"][key] for key in ("connections", "failed"))
    predicted("07.d", f"{most} connections")
    predicted("07.e", f"{seconds[-1]:.0f} s later" if waiting[0] else "with the answer")
    claim("two connections are enough for the queue", most <= 2 and not refused)
    claim("the rows come after the answers", waiting[0] > 0 and waiting[-1] == 0)

# %% [markdown]
# No caller failed, and the database had two connections at most. The price: an answer means "we have your order", not "it is
# in the database". The queue keeps, for days if necessary, what the writers cannot write yet. This way does not fit a page
# that must show the result at once.
#
# ## Way 4: a pool in between
#
# The slides are from 2019. In 2020 AWS brought **RDS Proxy**: a pool of connections as a service. Any number of functions connect to the
# proxy. It lends them one of its few connections to the database for one *transaction*; when all are lent, callers wait.
# In the function only host and port change. The proxy takes the password from Secrets Manager.

# %% notes [markdown]
# Minutes: 4
#
# Say: What a web server has always had, a pool, now as a service beside the functions. In the function only host and
# port change. Ask what happens to the caller who finds all connections lent: it waits.
#
# Goes wrong: They expect a gain in speed. A proxy protects the database; it does not make an insert faster.
#
# Answer 07.f: None. Those who find no free connection wait for one.
#
# Answer 07.g: Not more than about a second: twenty inserts of 0.2 s over four connections. With cold starts that
# spread the calls it is less.

# %%
secrets = workshop.client("secretsmanager")
secret = json.dumps({"username": USER, "password": PASSWORD})
if has_database:
    with suppress(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name=name, SecretString=secret)
    secret_arn = secrets.describe_secret(SecretId=name)["ARN"]

# %% [markdown]
# (On AWS, `RoleArn` is a role that trusts `rds.amazonaws.com` and allows `secretsmanager:GetSecretValue` on this one secret. The embedded AWS
# does not look at it.)

# %%
if has_database:
    subnets = workshop.client("ec2").describe_subnets()["Subnets"]
    access = {
        "Auth": [{"AuthScheme": "SECRETS", "SecretArn": secret_arn}],
        "RoleArn": workshop.role(),
        "VpcSubnetIds": [subnet["SubnetId"] for subnet in subnets],
    }
    with suppress(rds.exceptions.DBProxyAlreadyExistsFault):
        rds.create_db_proxy(DBProxyName=name, EngineFamily="POSTGRESQL", **access)

# %% [markdown]
# We register our database as its target. The proxy may use 25% of the connections.

# %%
if has_database:
    with suppress(rds.exceptions.DBProxyTargetAlreadyRegisteredFault):
        rds.register_db_proxy_targets(DBProxyName=name, DBInstanceIdentifiers=[name])

# %%
pool = {"MaxConnectionsPercent": 25}
if has_database:
    rds.modify_db_proxy_target_group(
        DBProxyName=name, TargetGroupName="default", ConnectionPoolConfig=pool
    )

# %% [markdown]
# (In the embedded AWS a small pooler of ours answers as the proxy, and its address holds the port as well.)

# %%
if has_database:
    proxy = rds.describe_db_proxies(DBProxyName=name)["DBProxies"][0]
    host, _, port = proxy["Endpoint"].partition(":")
    to_proxy = database_settings(host, port or 5432)
    deploy(workshop, functions["proxy"], archive, **to_proxy)

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
    start_anew("proxy", held=4)  # the proxy's own
    results["proxy"] = burst("proxy", CALLERS)
    display(shown(results["proxy"]))

# %%
if has_database:
    longest = results["proxy"]["log"]["duration_ms"].max() / 1000
    most, refused = (results["proxy"][key] for key in ("connections", "failed"))
    predicted("07.f", f"{refused} of {CALLERS} fail")
    predicted("07.g", f"{longest:.1f} s")
    claim("four connections are enough for the proxy", most <= 4 and refused == 0)
    claim("nobody waits longer than two seconds", longest < 2)

# %% [markdown]
# Four connections at most, as configured, and nobody is refused. The longest Duration is a call that waited for its turn: 20 orders of 0.2 s
# over four connections take 1.0 s, or less where cold starts spread the calls. So nobody waits longer than two
# seconds. (The limit is `ConnectionBorrowTimeout`, {{proxy_borrow_timeout}} by default.)

# %% [markdown]
# ## All four
#
# The same burst, four ways. The folded cells show for each: the most connections and memory (MB) that the database had, the calls
# that failed, the orders that arrived, and the `Duration` of an invocation, without its cold start:
# the median, and p95, which 95% do not exceed.

# %% notes [markdown]
# Minutes: 2
#
# Say: One burst, four ways, one picture. Ask for the one word that each way costs: lost orders, another design,
# later, money.

# %%
pages = dynamodb.get_paginator("scan").paginate(TableName=name, Select="COUNT")
arrived = {"dynamodb": sum(page["Count"] for page in pages)}
if has_database:
    arrived |= {way: rows(way) for way in ("queue", "proxy")}
    arrived["direct"] = CALLERS - results["direct"]["failed"]

# %% table-of-ways folded
table = pd.DataFrame(results).T.assign(arrived=pd.Series(arrived))
table["median ms"] = [log["duration_ms"].median() for log in table["log"]]
table["p95 ms"] = [log["duration_ms"].quantile(0.95) for log in table["log"]]
table = table.drop(columns=["log", "callers"]).astype(float)
table.round().astype("Int64")

# %% draw-ways folded
# picture: databases.png
lost = (CALLERS - table["arrived"]).fillna(0).astype(int)
losers = [f"{way} loses {count}" for way, count in lost[lost > 0].items()]
keepers = f"; {', '.join(lost[lost == 0].index)}: none" if lost.any() else ""
there = f"a database for {MAX_CONNECTIONS} connections"
if not has_database:
    there = "no relational database"
title = f"{CALLERS} orders at once, {there}: {' and '.join(losers) or 'all arrive'}"
COLORS = {"direct": RED, "dynamodb": BLUE, "queue": GREEN, "proxy": PINK}
figure, axes = plt.subplots(1, 4, figsize=(13, 3.5), sharey=True)
panels = {
    "connections": "connections, at most",
    "failed": f"failed calls of {CALLERS}",
    "arrived": f"orders arrived of {CALLERS}",
    "median ms": "Duration, ms: median (p95)",
}
for ax, (column, label) in zip(axes, panels.items(), strict=True):
    colors = [COLORS[way] for way in table.index]
    bars = ax.barh(table.index, table[column], color=colors)
    both = [
        f"{row['median ms']:.0f} ({row['p95 ms']:.0f})" for _, row in table.iterrows()
    ]
    labels = both if column == "median ms" else None
    ax.bar_label(bars, labels, fmt="%.0f", padding=3)
    ax.set_xlabel(label)
    ax.margins(x=0.6 if column == "median ms" else 0.25)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].invert_yaxis()
_ = figure.suptitle(title + keepers, x=0.01, ha="left")
others = lost.drop("direct", errors="ignore")
claim("DynamoDB, the queue and the proxy lose no order", not others.any())

# %% [markdown]
# *Direct* is the simplest way, and nothing limits its connections. *DynamoDB* needs another design of your data. The *queue* answers before
# the work is done. The *proxy* lets callers wait, and on AWS it costs by the hour. (DynamoDB and SQS here are not AWS's: do not
# compare their milliseconds.)
#
# ## What has changed since 2019
#
# - There was a second reason against RDS: long cold starts of functions in a VPC. AWS solved that in 2019.
#   A function still reaches such a database only when it is *in the VPC*: `VpcConfig` names subnets, and a security group that the database lets in. From then on it
#   reaches the internet, and AWS's other services, only through that VPC.
# - **RDS Proxy** (2020) is AWS's answer for functions that need a relational database. Avoid *pinning*: a client
#   whose session has a state, for example after `SET`, keeps its connection until it disconnects
#   ([Amazon RDS User Guide](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html)).
# - The **Data API** of Aurora (AWS's own relational engine) takes SQL over HTTP: the function holds no connection.
# - For data that is read and written by key, DynamoDB is still the first choice.
#
# ## Exercise 1: a limit that the database survives
#
# The simplest protection for a database is **reserved concurrency**. The function then has that many
# environments at most. Lambda throttles further calls, and boto3 tries those again. How many are safe?
#
# Write `safe_concurrency`. The database has `max_connections`. Of these, `superuser_reserved` are not for you, and other programs
# use `others`. `functions` functions share the rest equally. Return the reserved concurrency
# of each, as large as it can be without a refused call; 0 if there is no room.

# %% notes [markdown]
# Minutes: 2
#
# Say: The second reason against RDS, the slow start inside a VPC, is gone. The first one, the number of connections,
# is not.
#
# Skip: All of it but RDS Proxy.

# %% notes [markdown]
# Minutes: 3
#
# Say: The simplest protection needs no new service: reserve as much as the database takes. Round down, because one
# too many is refused.
#
# Goes wrong: The three of the superuser are forgotten, or the connections of others. The division comes before the
# subtraction. Below zero: return 0.


# %% safe-concurrency
def safe_concurrency(max_connections, superuser_reserved, others, functions):
    # solution: Return a whole number, 0 or more.
    return max(0, max_connections - superuser_reserved - others) // functions


# %%
# check
check("07.1", safe_concurrency)

if has_database:
    start_anew("direct", held=4)
    held = connections()  # the proxy's own
    safe = int(safe_concurrency(MAX_CONNECTIONS, 3, held + 1, 1))
    limit = {"ReservedConcurrentExecutions": safe}
    lambda_client.put_function_concurrency(FunctionName=direct, **limit)
    again = burst("direct", CALLERS)
    print(f"{safe} environments at most, and {again['failed']} calls failed")
    end_environments(direct)  # they would keep everybody else out
    claim("with a limit no call is refused", again["failed"] == 0)

# %% [markdown]
# The same burst as before, and nobody is refused: the callers that found no environment waited and tried again. (After a deployment,
# old environments hold their connections for a while beside the new ones. In production, leave room for both.)
#
# ## Exercise 2: one bad order in the batch
#
# The table has a rule: `CHECK (quantity > 0)`. What if a batch holds an order of 0 pieces? PostgreSQL refuses it, pg8000 raises
# `DatabaseError`, the function fails, and SQS delivers the *whole batch* again after its visibility timeout. And again.
#
# With `ReportBatchItemFailures` the writer returns which messages failed, and only those come back:
# `{"batchItemFailures": [{"itemIdentifier": "<messageId>"}, …]}`, with an empty list when all went well.
#
# Write the handler `write_orders`. It stores every good order of the batch, wherever the bad ones are. `connection` and
# `INSERT` are there, as in the cell with `connect_source`. SQS may deliver a message twice, even to two environments at once:
# look at how `INSERT` ends.

# %% notes [markdown]
# Minutes: 4
#
# Say: One bad order brings the whole batch back, again and again. Report the bad one, and store all others, those
# after it too.
#
# Goes wrong: The loop stops at the first error, so good orders behind it are lost. The id of the *order* is reported,
# and not the `messageId`; then Lambda brings back the whole batch. One transaction around all: after an error
# PostgreSQL refuses the rest of it. Who looks first and inserts then is right for one environment, and wrong for two
# at the same moment.
#
# Skip: It can be homework. Notebook 11 has a shorter one of the same kind.


# %% orders-writer
def write_orders(event, context):
    # solution: Insert each record's order; return the messageId of the refused ones.
    failures = []
    for record in event["Records"]:
        try:
            connection.run(INSERT, **json.loads(record["body"]))
        except pg8000.native.DatabaseError as error:
            print("refused:", record["messageId"], error.args[0]["M"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


# %%
if has_database:
    solved_source = connect_source + "\n\n" + inspect.getsource(write_orders)
    solved_archive = package({"app.py": solved_source}, libraries=["pg8000"])
    solved_settings = {"Handler": "app.write_orders", "Role": writer_role}
    deploy(workshop, writer, solved_archive, **solved_settings, **direct_settings)

# %%
# check
check("07.2")

orders = [{"way": "mixed", "id": each, "quantity": each % 5} for each in range(10)]
entries = [{"Id": str(each["id"]), "MessageBody": json.dumps(each)} for each in orders]
sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
print(f"{len(orders)} orders are in the queue")
wait_until(lambda: rows("mixed") == 8)
print(f"{rows('mixed')} of {len(orders)} orders are stored, each once")

# %% [markdown]
# The two bad ones come back every three minutes, until the queue deletes them, after {{sqs_retention_default}} by default. In
# production they go to a *dead-letter queue* after some tries. We delete ours, which a queue lets us do once a minute.

# %%
if has_database:
    try:
        sqs.purge_queue(QueueUrl=queue_url)
    except sqs.exceptions.PurgeQueueInProgress as error:
        print(error.response["Error"]["Message"])

# %% [markdown]
# ## Exercise 3: which way?
#
# Choose `"direct"`, `"dynamodb"`, `"queue"` or `"proxy"` for each case. The check gives a reason where one does not fit.
#
# - *baskets*: a new shop reads and writes each customer's basket by the customer's number. A sale brings 3,000 calls at once.
# - *clicks*: 2,000 clicks a second go into the PostgreSQL of the analysts, who look the next day. Nobody waits.
# - *seats*: people book seats in an existing PostgreSQL, in one transaction over three tables. Up to 300 wait for their answer.
# - *nightly*: every night one function reads the existing PostgreSQL for two minutes and mails a report.

# %% notes [markdown]
# Minutes: 4
#
# Say: A discussion for four groups, one case each. Each group says what it would *not* take, and why. Three questions
# help: where must the data be, who waits, how many come at once?
#
# Goes wrong: *nightly* gets a proxy, because proxies are good. One caller needs one connection, and the proxy costs
# all day.

# %% choices
choices = dict.fromkeys(["baskets", "clicks", "seats", "nightly"])
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
# At the end, the environments give back the connections that they hold.

# %%
end_environments(*functions.values(), writer)

# %% [markdown]
# ## What you have learned
#
# - One execution environment, one connection: N concurrent invocations need N, and frozen environments keep theirs.
#   Each costs the database CPU when it begins, and memory while it is open.
# - A full database refuses everybody, with code 53300, until environments end.
# - DynamoDB has no connections. A queue with a small `MaximumConcurrency` limits them, and the caller has its answer
#   before the row is there. RDS Proxy lends a few connections to many functions, and lets the others wait.
# - Reserved concurrency is the simplest protection. A batch writer reports the messages that failed.
# - The question is not "Lambda or RDS?", but how many connections can be open at once, and which callers can wait.
#
# **Next:** notebook [08](08-xaas.ipynb), *XaaS compared*: who manages what. `python3 -m helpers clean` removes what this notebook made, the
# database included, when you no longer need it.

# %% notes [markdown]
# Minutes: 1
#
# Say: The question is not "Lambda or RDS". Ask for the better one: how many connections at once, and who can wait?
