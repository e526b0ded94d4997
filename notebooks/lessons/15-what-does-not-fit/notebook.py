# %% [markdown]
# # 15 What does not fit
#
# After this notebook you will be able to
#
# - recognise five failures of functions by their logs and metrics;
# - make a function idempotent, so that a retry does no harm, and say what still can go wrong;
# - run a job that is longer than the time limit, through a queue or with Step Functions;
# - bring along a command that Lambda's image lacks;
# - stop a function that starts itself, and build it so that it cannot.
#
# It takes about 40 minutes. Slides: "Cases that do not suit", in the part "Architectures".
#
# ![Five failures: what goes wrong, what you see, what repairs it](lessons/15-what-does-not-fit/picture.svg)
#
# The slide names five cases: a connection to RDS, long processing, code that is hard to cut out of an existing program,
# what breaks when it is retried, and external commands. Four of them are rows of this picture; the hard cut comes near the end. The last
# row is not on the slide, but it can make the largest bill. We let each of them fail, look, and repair it.
#
# (On AWS all of this costs less than a cent. It takes some ten minutes longer there, for waiting.)

# %%
import base64
import inspect
import json
import re
import time
import uuid
from datetime import UTC, datetime, timedelta

import matplotlib.pyplot as plt
import pandas as pd
from helpers import connect, deploy, explore, fact, load_prices, package, reports
from helpers.lessons import function_folder
from IPython.display import display

workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
dynamodb, sqs, s3 = (
    workshop.client("dynamodb"),
    workshop.client("sqs"),
    workshop.client("s3"),
)
states, iam, cloudwatch = (
    workshop.client("stepfunctions"),
    workshop.client("iam"),
    workshop.client("cloudwatch"),
)
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# Small helpers: `show` prints a function's source; `invoke` returns its answer and the end of its log; `log_of` the lines
# that it logged since a moment, without tracebacks. (Roles here are AWS's ready-made policies, one for each service that a
# function uses: short to write, and wider than a real function should have. The embedded AWS does not enforce them.)


# %%
def show(name, file="app.py"):
    print((function_folder(name) / "python" / file).read_text())


def invoke(name, event):
    response = lambda_client.invoke(
        FunctionName=name, Payload=json.dumps(event), LogType="Tail"
    )
    return json.loads(response["Payload"].read()), base64.b64decode(
        response["LogResult"]
    ).decode()


def log_of(name, since):
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{name}", startTime=int(since.timestamp() * 1000)
    )
    return [
        event["message"].splitlines()[0]
        for page in pages
        for event in page["events"]
        if event["message"].strip()
    ]


# %% [markdown]
# ## 1. It breaks when it is retried
#
# A cashier: it lets a bank charge a customer, and then mails the receipt. Both services are elsewhere. Here a table of DynamoDB is
# the bank's book, with one row for each payment. `"fault"` in an event is our way to break something on order.

# %%
show("cashier")
show("cashier", "bank.py")


# %%
def make_table(name, hash_key, range_key=None, range_type="S"):
    keys = [(hash_key, "HASH", "S")] + (
        [(range_key, "RANGE", range_type)] if range_key else []
    )
    try:
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, _, kind in keys
            ],
            KeySchema=[
                {"AttributeName": key, "KeyType": role} for key, role, _ in keys
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    except dynamodb.exceptions.ResourceInUseException:
        print("The table is there already.")
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name


# %%
payments = make_table(workshop.name("payments"), "order_id", "payment")


def payments_of(order):
    """The rows of the bank's book for one order."""
    return dynamodb.query(
        TableName=payments,
        KeyConditionExpression="order_id = :order",
        ExpressionAttributeValues={":order": {"S": order}},
        ConsistentRead=True,
    )["Items"]


# %%
cashier = workshop.name("cashier")
database_role = workshop.role("AmazonDynamoDBFullAccess")
settings = {"Role": database_role, "MemorySize": 512, "Timeout": 10}
deploy(
    workshop,
    cashier,
    "cashier/python",
    Environment={"Variables": {"PAYMENTS": payments}},
    **settings,
)
payload, log = invoke(cashier, {"order": str(uuid.uuid4()), "amount": 10})
payload

# %% [markdown]
# That went well. Now the mail server is down, and the order comes as an asynchronous event, as from S3 or EventBridge.
#
# **Predict:** how many rows will the bank's book have for this one order?

# %%
predict("15.a")

# %% [markdown]
# The cell waits for three runs: a few seconds on the embedded AWS, more than three minutes on AWS (notebook 06).

# %%
order = str(uuid.uuid4())
charge_began = datetime.now(UTC)
event = {"order": order, "amount": 10, "fault": "mail"}
lambda_client.invoke(
    FunctionName=cashier, InvocationType="Event", Payload=json.dumps(event)
)
charge_runs = reports(logs, cashier, at_least=3, since=charge_began, timeout=600)
charge_runs[["request_id", "start", "duration_ms", "status"]]

# %%
book = [(row["payment"]["S"], int(row["amount"]["N"])) for row in payments_of(order)]
pd.DataFrame(book, columns=["payment", "USD"])

# %%
predicted("15.a", f"{len(book)} rows")

# %% [markdown]
# The customer paid three times. (`status` says `success`, as in notebook 06: for the platform an exception is an orderly end.)
# Nothing in the function is *wrong*: each run did its two steps in the right order. But Lambda delivers an event **at least
# once**. It comes again when a run fails, when a queue delivers twice, when a caller gave up too early and repeats. `MaximumRetryAttempts=0` takes away only the first of these, and then an order without a receipt stays so.
#
# ### What repairs it: an idempotency key
#
# A function is *idempotent* when a second run of the same event changes nothing. For that the event needs a **key** that is the same
# each time it comes: the number of the order, chosen by whoever placed it. Before the function acts, it claims the key, and
# of two runs only one may get it. DynamoDB can decide that: a put with the condition that there is no such item yet.
#
# **Predict:** we put the same key twice. What becomes of the second put?

# %%
predict("15.b", choices=["refused", "ignored", "written over the first"])

# %%
orders = make_table(workshop.name("orders"), "id")
key, refused = str(uuid.uuid4()), []
for attempt in (1, 2):
    try:
        dynamodb.put_item(
            TableName=orders,
            Item={"id": {"S": key}, "state": {"S": "started"}},
            ConditionExpression="attribute_not_exists(id)",
        )
        print(attempt, "claimed")
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        refused.append(attempt)
        print(attempt, error.response["Error"]["Message"])

# %%
predicted("15.b", "refused" if 2 in refused else "written over the first")

# %% [markdown]
# "Look whether it is there, and if not, put it" would not do: two runs at the same moment would both look, both find nothing, and both
# go on. With the condition, looking and putting are one step.
#
# ## Exercise 1: charge once
#
# Write `charge_once`. It gets the event, lets the bank charge the order with `charge(event)` **once**, however often and from
# however many runs at once it is called, and returns the number of the payment each time. The record in the table `orders` has two
# states: `{"id": ..., "state": "started"}` before the bank is asked, and `{"id": ..., "state": "charged", "payment": ...}` afterwards.
#
# When the order is claimed already, the record says what to do: return its payment, or, while it is still `"started"`, raise
# an exception. Then another run is under way, or it died before it could say how it ended.
#
# In the function, `orders` is a `Table` of boto3: `orders.put_item(Item={"id": "17"}, ConditionExpression=...)`
# and `orders.get_item(Key={"id": "17"}, ConsistentRead=True)["Item"]` take and give plain Python values. `Taken` is the
# exception of a failed condition.

# %% frame
before_charge_once = """
import os

import boto3
from bank import charge, send_receipt

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS"])
Taken = orders.meta.client.exceptions.ConditionalCheckFailedException
"""
after_charge_once = """

def handler(event, context):
    payment = charge_once(event)
    send_receipt(event)
    return {"payment": payment}
"""


# %% charge-once
def charge_once(event):
    order = event["order"]
    # solution: Claim the order, charge and note the payment; when it is taken, look at its record.
    try:
        orders.put_item(
            Item={"id": order, "state": "started"},
            ConditionExpression="attribute_not_exists(id)",
        )
    except Taken:
        record = orders.get_item(Key={"id": order}, ConsistentRead=True)["Item"]
        if record["state"] == "started":
            raise RuntimeError(f"order {order} was started and not finished") from None
        return record["payment"]
    payment = charge(event)
    orders.put_item(Item={"id": order, "state": "charged", "payment": payment})
    return payment


# %%
# check
once = workshop.name("cashier-once")
files = {
    "app.py": before_charge_once
    + "\n\n"
    + inspect.getsource(charge_once)
    + after_charge_once,
    "bank.py": (function_folder("cashier") / "python/bank.py").read_text(),
}
deploy(
    workshop,
    once,
    files,
    Environment={"Variables": {"PAYMENTS": payments, "ORDERS": orders}},
    **settings,
)
check("15.1")

began, order = datetime.now(UTC), str(uuid.uuid4())
event = {"order": order, "amount": 10, "fault": "mail"}
lambda_client.invoke(
    FunctionName=once, InvocationType="Event", Payload=json.dumps(event)
)
runs = reports(logs, once, at_least=3, since=began, timeout=600)
print(f"{len(runs)} runs, {len(payments_of(order))} payment")
payload, log = invoke(
    once, {"order": order, "amount": 10}
)  # the mail server is up again
print("".join(line for line in log.splitlines(keepends=True) if "receipt" in line))

# %% [markdown]
# Three runs failed, and a fourth sent the receipt, without another charge. Mind that it *did* go on to the mail: only the step
# that must not be done twice is skipped.
#
# ### What remains
#
# Between the bank's answer and the note about it there is a gap. Let the process die just there.
#
# **Predict:** what does the next run do?

# %%
predict("15.c", choices=["it charges again", "it returns the payment", "it fails"])

# %%
order = str(uuid.uuid4())
for fault in ("crash", None):
    payload, log = invoke(once, {"order": order, "amount": 10, "fault": fault})
    print(payload.get("errorType"), "-", payload.get("errorMessage"))
print("payments:", len(payments_of(order)))

# %%
ended = "it fails" if "errorType" in payload else "it returns the payment"
predicted("15.c", "it charges again" if len(payments_of(order)) > 1 else ended)

# %% [markdown]
# Nobody is charged twice, but the order is stuck: from its own table the function cannot know whether the bank was reached. No order
# of the two steps closes this gap, as they are in two systems. What does:
#
# - **Hand the key on.** Real payment services take an idempotency key with a charge and return the first payment when it comes
#   again. Then a run that finds `"started"` can simply ask again. The same holds for your own services: take a key.
# - **Ask.** Look the order up at the bank, or let a person look at what has been `"started"` for too long.
#
# You need not write all this yourself: *Powertools for AWS Lambda* has an idempotency utility for Python, TypeScript, Java and .NET.
# It keeps records like ours in DynamoDB, in progress and completed, gives back the stored answer, and lets records expire
# after a time that you choose. What to use as the key, and what a crash in the middle means, stays your decision.
#
# ## 2. It takes longer than its time limit
#
# A job of 24 items, a quarter of a second each. The function may run for three seconds. (So that you need not wait: with {{timeout}}
# and a job of an hour it is the same.) The file has three ways to do the job.

# %%
show("piecework")

# %%
results = make_table(workshop.name("results"), "job", "item", "N")
queue_name = workshop.name("piecework")
attributes = {"VisibilityTimeout": "18"}  # six times the time limit, as AWS recommends
queue_url = sqs.create_queue(QueueName=queue_name, Attributes=attributes)["QueueUrl"]
variables = {"RESULTS": results, "QUEUE_URL": queue_url}
role = workshop.role("AmazonDynamoDBFullAccess", "AmazonSQSFullAccess")
worker = {
    way: workshop.name("piecework-" + way.replace("_", "-"))
    for way in ("all_at_once", "handler", "from_queue")
}
for way, name in worker.items():
    environment = {"Variables": variables}
    configuration = {
        "Handler": f"app.{way}",
        "Role": role,
        "MemorySize": 512,
        "Timeout": 3,
    }
    deploy(workshop, name, "piecework/python", Environment=environment, **configuration)


# %%
def new_job():
    return {"job": str(uuid.uuid4()), "left": list(range(24)), "seconds_each": 0.25}


def done(job):
    """How many items of the job have a result."""
    return dynamodb.query(
        TableName=results,
        KeyConditionExpression="job = :job",
        ExpressionAttributeValues={":job": {"S": job["job"]}},
        ConsistentRead=True,
        Select="COUNT",
    )["Count"]


# %% [markdown]
# First all at once. What does the caller know of the results?
#
# **Predict:** how many of the 24 results are there afterwards?

# %%
predict("15.d")

# %%
job, time_began = new_job(), datetime.now(UTC)
payload, log = invoke(worker["all_at_once"], job)
results_of = {"all_at_once": done(job)}
print(payload)

# %%
predicted("15.d", f"{results_of['all_at_once']} of 24")

# %% [markdown]
# Some of the work is done, all of it is paid, and nobody knows where to go on. A retry would begin at the first item again, and end in the
# same place: **a job that is too long never gets done by trying again.** And `Timeout={{timeout.number}}` only moves the wall: the job grows
# with your data, the limit does not.
#
# ### What repairs it: pieces, and somebody who hands on the rest
#
# `handler` is the one of exercise 06.1: it stops in time and returns what is left. Who calls it again? First way: a queue.
# `from_queue` gets the job in a message, does what fits, and sends the rest as a new message.

# %%
queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])[
    "Attributes"
]["QueueArn"]
try:
    lambda_client.create_event_source_mapping(
        EventSourceArn=queue_arn, FunctionName=worker["from_queue"], BatchSize=1
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The mapping is there already.")

# %% [markdown]
# The picture below grows while the job runs.


# %%
from helpers.plots import BLUE, RED


def draw_progress(ax, seconds, counts):
    ax.clear()
    ax.step(seconds, counts, where="post", color=BLUE, linewidth=2.5)
    ax.axvline(3, color=RED, linestyle="--", linewidth=2)
    ax.text(3.1, 22, "time limit of one run", color=RED)
    title = f"{counts[-1]} of 24 items are done after {seconds[-1]:.1f} s, though each run has 3 s at most"
    ax.set_title(title)
    ax.set_xlabel("seconds after the message was sent")
    ax.set_ylabel("items with a result")
    ax.set_ylim(0, 25)


# %%
job, queue_began = new_job(), datetime.now(UTC)
sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(job))
seconds, counts = [0.0], [0]
figure, ax = plt.subplots(figsize=(10, 3.5))
plt.close(figure)  # shown below, and only once
shown = display(figure, display_id=True)
while counts[-1] < 24 and seconds[-1] < 120:
    time.sleep(0.4)
    seconds.append((datetime.now(UTC) - queue_began).total_seconds())
    counts.append(done(job))
    draw_progress(ax, seconds, counts)
    shown.update(figure)

# %%
results_of["from_queue"] = done(job)
queue_runs = reports(logs, worker["from_queue"], at_least=3, since=queue_began)
queue_runs[["start", "duration_ms", "billed_ms", "status"]]

# %% [markdown]
# Each run ended in time, and handed on what was left. If a run is killed midway, its message comes back after the
# visibility timeout, and some items are done again: that is why `work` stores each result under its own number.
#
# Mind that this function sends messages to the queue that starts it. For Lambda that is a **loop**, and it stops a chain like this
# after about 16 runs (part 5). For a longer chain, allow it with `put_function_recursion_config(FunctionName=...,
# RecursiveLoop="Allow")`, and be sure that the job gets smaller in each run. Often better: when the pieces are
# known from the start, send a message for each of them at once. Then they also run side by side.
#
# ### Or Step Functions
#
# **AWS Step Functions** runs a *state machine*: steps with what follows from each, described as JSON. It holds
# the job between the steps, for up to a year, so no function has to. Ours has three states: call `handler`, ask whether anything is left, and done.
# It needs a role of its own, which may invoke this one function.

# %%
worker_arn = lambda_client.get_function_configuration(FunctionName=worker["handler"])[
    "FunctionArn"
]

# %% state-machine
definition = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": worker_arn, "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "Retry": [
                {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}
            ],
            "Next": "Anything left?",
        },
        "Anything left?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.left[0]", "IsPresent": True, "Next": "Work"}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}

# %%
machine_role = workshop.name("piecework-states")
trust = {
    "Effect": "Allow",
    "Principal": {"Service": "states.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
may_invoke = {
    "Effect": "Allow",
    "Action": "lambda:InvokeFunction",
    "Resource": worker_arn,
}
try:
    iam.create_role(
        RoleName=machine_role,
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [trust]}
        ),
    )
except iam.exceptions.EntityAlreadyExistsException:
    print("The role is there already.")
policy = json.dumps({"Version": "2012-10-17", "Statement": [may_invoke]})
iam.put_role_policy(RoleName=machine_role, PolicyName="invoke", PolicyDocument=policy)
role_arn = iam.get_role(RoleName=machine_role)["Role"]["Arn"]

# %% [markdown]
# (On AWS a new role takes some seconds to arrive. Should the state machine be refused, or end as `FAILED` for lack of rights,
# run the cell again. Making the same state machine a second time gives back the one that is there.)
#
# **Predict:** how many times does the machine pass through `Work`?

# %%
predict("15.e")

# %%
machine_arn = states.create_state_machine(
    name=workshop.name("piecework"), definition=json.dumps(definition), roleArn=role_arn
)["stateMachineArn"]
job, machine_began = new_job(), datetime.now(UTC)
execution = states.start_execution(stateMachineArn=machine_arn, input=json.dumps(job))[
    "executionArn"
]
while (found := states.describe_execution(executionArn=execution))[
    "status"
] == "RUNNING":
    time.sleep(0.5)
results_of["handler"] = done(job)
print(found["status"], results_of["handler"], "of 24 items")

# %%
pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
history = [event for page in pages for event in page["events"]]
entered = [
    event["stateEnteredEventDetails"]["name"]
    for event in history
    if "stateEnteredEventDetails" in event
]
print(" → ".join(entered))

# %%
predicted("15.e", f"{entered.count('Work')} times")

# %% [markdown]
# What did the three ways cost? From the REPORT lines, at Lambda's list price; `handler` is the way of Step Functions. (Step Functions adds a price for each
# step, SQS one for each request: both are fractions of a cent here.)

# %%
prices = load_prices()["lambda"]
rows = []
for way, began in {
    "all_at_once": time_began,
    "from_queue": queue_began,
    "handler": machine_began,
}.items():
    billed_s = reports(logs, worker[way], since=began)["billed_ms"] / 1000
    gb_seconds = billed_s.sum() * 512 / 1024
    dollars = (
        len(billed_s) * prices["request"] + gb_seconds * prices["gb_second"]["x86_64"]
    )
    row = {
        "way": way,
        "results": results_of[way],
        "runs": len(billed_s),
        "billed s": billed_s.sum(),
        "USD": dollars,
    }
    rows.append(row)
pd.DataFrame(rows).set_index("way").round(6)

# %% [markdown]
# Three more things to know here:
#
# - A **durable function** (`DurableConfig`, since {{durable_functions}}; SDKs for JavaScript, Python and Java) is a state machine in your own code. It notes each step that is done, is stopped, and is run again
#   from the top with the noted results in place of the steps; it may wait for up to a year. It is AWS's answer to "takes long" and to "breaks when retried" in one
#   ([AWS's guide]({{durable_functions.source}})). Each run still has its `Timeout`.
# - A **Distributed Map** of Step Functions does one step for each of very many items, side by side ([guide]({{distributed_map.source}})). A `Retry` with `"JitterStrategy": "FULL"` (since
#   {{jitter}}) spreads their new tries, so that they do not all come back at the same moment ([guide]({{jitter.source}})).
# - A **Lambda MicroVM** keeps a program, with its memory, for up to {{microvm.hours}}, and suspends it while it waits (notebook 08).
#
# The embedded AWS has neither durable functions nor MicroVMs, and its state machines try again without jitter.
#
# When *one* step cannot be cut (a film to encode, a model to train), neither helps. Then it is a job for AWS Fargate, AWS
# Batch or EC2, which know no limit of {{timeout.minutes}}. A function can still start it.
#
# ## 3. A command that is not there
#
# Programs often call others: `ffmpeg` for films, ImageMagick's `convert` for pictures, `git`. This function counts the slides of a deck with a command
# `count-slides`.

# %%
show("count-slides")

# %%
counter = workshop.name("count-slides")
deploy(workshop, counter, "count-slides/python", MemorySize=512)
deck = "# One\n---\n# Two\n---\n# Three\n"
command_began = datetime.now(UTC)
payload, log = invoke(counter, {"deck": deck})
payload["errorType"], payload["errorMessage"]

# %% [markdown]
# There is no such command, and no place to install it: a function's machine is Lambda's. Its image for Python is a small Amazon Linux 2023
# with a shell, `grep`, `awk`, `curl`, and little else ([a list](https://github.com/amazonlinux/amazon-linux-2023/issues/585), of 2023): no `git`, no `ffmpeg`, no ImageMagick. (The embedded AWS has no
# image of its own. A function there finds the commands of *this* machine, so a `git` that works here fails on AWS.)
#
# ### What repairs it: bring it along
#
# Here is the command. It is a shell script, so that you can read it; a program in C, Go or Rust, built for Amazon Linux or linked
# statically, travels the same way.

# %%
script = (function_folder("count-slides") / "layer/bin/count-slides").read_text()
print(script)

# %% [markdown]
# A **layer** is unpacked into `/opt`, and `/opt/bin` is on the `PATH`: so the script has to be at `bin/count-slides` in the layer's zip.
#
# The first try makes the zip from a dict.
#
# **Predict:** what will be missing?

# %%
predict("15.f", choices=["nothing", "the file", "the right to run it"])


# %%
def with_layer(source):
    """Publish the layer, give it to the function, and return what the function answers."""
    layer = lambda_client.publish_layer_version(
        LayerName=workshop.name("count-slides"), Content={"ZipFile": package(source)}
    )
    deploy(
        workshop,
        counter,
        "count-slides/python",
        MemorySize=512,
        Layers=[layer["LayerVersionArn"]],
    )
    return invoke(counter, {"deck": deck})[0]


payload = with_layer({"bin/count-slides": script})
payload["errorType"], payload["errorMessage"]

# %%
missing = {"FileNotFoundError": "the file", "PermissionError": "the right to run it"}
predicted("15.f", missing.get(payload["errorType"], payload["errorType"]))

# %% [markdown]
# Now it is found, but it may not be run: a zip also carries permissions, and a file made from a dict is not executable. (Windows has no such
# permission at all. There, packages for Lambda are best made in a container or by CI.) The second try takes the folder, where the file has
# mode 755.

# %%
with_layer(function_folder("count-slides") / "layer")

# %% [markdown]
# A layer counts in the {{unzipped}} of notebook 06. What is larger, or wants to be installed with a package manager, goes into a **container image** of up to
# {{image}}: `FROM public.ecr.aws/lambda/python:3.13`, then `RUN dnf install ...`. (The embedded AWS does not run images.) So the slide's "external
# commands do not fit" has become: *bring them along*. What still does not fit is a command that wants a machine of its
# own: a daemon, hours of work, or a GPU, which Lambda has on Managed Instances alone.
#
# ## 4. A database connection for each environment
#
# You have seen this one in [notebook 07](07-databases.ipynb). Its picture: the same burst of orders, four ways.
#
# ![Connections, failed calls and arrived orders of four ways to store orders](images/databases.png)
#
# *Direct* needs one connection for each execution environment, and the database had 20. The three others bound what the database has to bear: DynamoDB
# has no connections, a queue lets two writers work it off, and RDS Proxy shares a few connections among all.
#
# ## 5. It starts itself
#
# Last, the failure that grows by itself. The function below puts a stamp under each text that comes into a bucket. It is triggered
# by S3 for keys that begin with `incoming/`, and it writes its copy under the name that `TARGET` says.

# %%
show("stamp")

# %%
bucket, stamp = workshop.name("stamps"), workshop.name("stamp")
options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}
try:
    s3.create_bucket(Bucket=bucket, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")


# %%
def deploy_stamp(target):
    return deploy(
        workshop,
        stamp,
        "stamp/python",
        Role=workshop.role("AmazonS3FullAccess"),
        Environment={"Variables": {"TARGET": target}},
        MemorySize=512,
        Timeout=10,
    )


stamp_arn = deploy_stamp("incoming/stamped-")["FunctionArn"]

# %% [markdown]
# The trigger, as in notebook 16: a permission for S3, and a notification of the bucket.

# %%
try:
    lambda_client.add_permission(
        FunctionName=stamp,
        StatementId="stamps",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
        SourceAccount=stamp_arn.split(":")[4],
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %%
lambda_client.put_function_recursion_config(
    FunctionName=stamp, RecursiveLoop="Terminate"
)  # the default
lambda_client.delete_function_concurrency(
    FunctionName=stamp
)  # no brake, whatever an earlier run left
rule = {"Name": "prefix", "Value": "incoming/"}
notification = {
    "LambdaFunctionArn": stamp_arn,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [rule]}},
}
_ = s3.put_bucket_notification_configuration(
    Bucket=bucket,
    NotificationConfiguration={"LambdaFunctionConfigurations": [notification]},
)

# %% [markdown]
# Did you see the mistake? The copy's key begins with `incoming/` too. `dropped` reads a metric of CloudWatch: invocations that Lambda
# refused because it recognised a loop.
#
# **Predict:** we upload **one** object. How many runs?

# %%
predict("15.g")

# %% [markdown]
# The picture follows the runs until the metric says that the loop was stopped (on AWS the metric comes some minutes late).


# %%
def dropped():
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="RecursiveInvocationsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": stamp}],
        StartTime=datetime.now(UTC) - timedelta(days=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return int(sum(point["Sum"] for point in points))


# %%
def draw_loop(ax, runs, title):
    ax.clear()
    seconds = (runs["start"] - loop_began).dt.total_seconds()
    ax.plot(seconds, range(1, len(runs) + 1), "o-", color=RED, markersize=8)
    ax.set_title(title)
    ax.set_xlabel("seconds after the upload")
    ax.set_ylabel("runs so far")
    ax.set_yticks(range(0, 21, 4))


# %%
dropped_before, loop_began = dropped(), datetime.now(UTC)
s3.put_object(Bucket=bucket, Key="incoming/note.txt", Body=b"a note\n")
figure, ax = plt.subplots(figsize=(10, 3.5))
plt.close(figure)  # shown below, and only once
shown = display(figure, display_id=True)
while dropped() <= dropped_before and datetime.now(UTC) - loop_began < timedelta(
    minutes=10
):
    loop_runs = reports(logs, stamp, since=loop_began)
    draw_loop(ax, loop_runs, f"One upload, {len(loop_runs)} runs so far")
    shown.update(figure)
    time.sleep(0.3)
loop_runs = reports(
    logs, stamp, at_least=16 if workshop.is_embedded else 1, since=loop_began
)  # AWS: "approximately"
draw_loop(
    ax,
    loop_runs,
    f"One upload, {len(loop_runs)} runs; then Lambda refused {dropped() - dropped_before} more",
)
shown.update(figure)

# %%
predicted("15.g", f"{len(loop_runs)} runs")

# %% [markdown]
# Every run succeeded, none has an error, nobody called. Lambda itself stopped it: since July 2023 it recognises
# loops [through SQS, SNS and its own Invoke](https://aws.amazon.com/about-aws/whats-new/2023/07/aws-lambda-detects-recursive-loops-lambda-functions/),
# and since October 2024 [through S3](https://aws.amazon.com/about-aws/whats-new/2024/10/aws-lambda-detects-stops-recursive-loops-lambda-s3/). How does it know? Each invocation carries a trace header, which AWS's SDKs
# send along with every call, and S3 and SQS hand on. In it Lambda counts how often a function has run in this chain, and after
# about 16 times it refuses. The event goes to the function's dead-letter queue or `OnFailure` destination, and AWS writes to the owner of the
# account. The embedded AWS does the same, at exactly 16.
#
# So is it harmless? Do not count on it:
#
# - It does not see loops through other services, such as DynamoDB, nor those of SDKs that are too old or of programs that speak HTTP by themselves.
# - It counts the *length* of a chain. A function that writes **two** objects for each one doubles the runs with each round.
#
# Move the slider. The price of a run is that of yours above.

# %%
billed_s = loop_runs["billed_ms"].median() / 1000
dollars_a_run = (
    prices["request"] + billed_s * 512 / 1024 * prices["gb_second"]["x86_64"]
)


# %%
def draw_growth(copies=2):
    runs = [copies**place for place in range(16)]
    total = sum(runs)
    figure, ax = plt.subplots(figsize=(10, 3.8))
    ax.bar(range(1, 17), runs, color=RED if copies > 1 else BLUE)
    ax.set_yscale("log")
    ax.set_ylim(0.5, 1e8)
    objects = "One object" if copies == 1 else f"{copies} objects"
    title = f"{objects} written in each run: {total:,} runs in 16 rounds, {total * dollars_a_run:,.4f} USD"
    ax.set_title(title)
    ax.set_xlabel("round")
    ax.set_ylabel("runs in this round (log scale)")
    return ax


explore(draw_growth, copies=[1, 2, 3])

# %% [markdown]
# (This is arithmetic, not a measurement: it takes each branch as a chain of its own. S3 charges for its requests on top, and in an
# account all other functions find no concurrency left meanwhile.)
#
# ### The emergency brake
#
# When you see a loop in your account, do not search for the mistake first. Set the function's **reserved concurrency to 0**: no invocation is let in any
# more. It is the button *Throttle* of the console.
#
# **Predict:** we upload another object. How many runs now?

# %%
predict("15.h")

# %%
lambda_client.put_function_concurrency(
    FunctionName=stamp, ReservedConcurrentExecutions=0
)
began = datetime.now(UTC)
s3.put_object(Bucket=bucket, Key="incoming/during-the-brake.txt", Body=b"a note\n")
time.sleep(3)  # longer than the first run took to begin
braked_runs = reports(logs, stamp, at_least=0, since=began)
predicted("15.h", f"{len(braked_runs)} runs")

# %% [markdown]
# What comes while the brake is on does not wait: it goes to the `OnFailure` destination at once, and without one it is lost. (On AWS a
# change of the concurrency takes a moment, so some runs may still slip through.)
#
# ### What repairs it: write where nothing starts you
#
# 1. Write to **another bucket**, and no notification can ever match. The best way where you have the choice.
# 2. Or to **another prefix**, outside of the filter. One word in our configuration: `TARGET` becomes `stamped/`.
# 3. Let the **role** forbid it: a function that may write to `stamped/*` alone cannot loop, whatever its code says. It gets
#    `AccessDenied` instead.
# 4. In the handler, **look whether the work is done**: by the key, or by metadata of the object. That is a second line of
#    defence, as each look is a run that you pay for.
#
# We take the second way, and release the brake.

# %%
deploy_stamp("stamped/")
lambda_client.delete_function_concurrency(FunctionName=stamp)
repaired_began = datetime.now(UTC)
s3.put_object(Bucket=bucket, Key="incoming/repaired.txt", Body=b"a note\n")
s3.get_waiter("object_exists").wait(
    Bucket=bucket, Key="stamped/repaired.txt", WaiterConfig={"Delay": 1}
)
print("runs:", len(reports(logs, stamp, since=repaired_began)))

# %% [markdown]
# ## And what is hard to cut out of existing code?
#
# The slide's remaining case cannot be run here, as it is about *your* program: a piece that needs the program's classes, its
# session, its configuration and its database. Cut out, it drags all of that along: a large package, a long init, connections. Two ways have
# proved themselves since 2019:
#
# - **One route at a time.** Put a router (an API Gateway, a load balancer, CloudFront) in front of the old program, let everything through to it, and
#   then send one path after the other to new functions. Each step is small and can be taken back. It is known as the *strangler fig*.
#   Begin with a piece that gets its data in the request or event, and needs nothing of the rest.
# - **The program as it is, in a container image.** The open-source *AWS Lambda Web Adapter* translates events into HTTP requests to a web
#   application that knows nothing of Lambda. It saves the cutting, and changes nothing else: what is kept in memory or in files between requests
#   is lost, init is as long as the program's start, and connections are one for each environment.
#
# And if neither is worth it, leave it where it is. Notebook 10 has the questions to ask.
#
# ## Exercise 2: which failure is this?
#
# You have caused four of the five failures, and notebook 07 the fifth. Here is what they left in CloudWatch. (For the database, from
# your run of notebook 07 if there was one, and otherwise as PostgreSQL says it there.)


# %%
def traces(name, since, most):
    """The first lines of a log, without INIT_START and END, and of REPORT only duration and status."""
    lines = [
        line for line in log_of(name, since) if not line.startswith(("INIT", "END"))
    ]
    kept = [re.sub(r"\tBilled.*?(?=\tStatus|$)", "", line) for line in lines]
    return "\n".join(kept[:most]) + (
        f"\n… and {len(kept) - most} lines more" if len(kept) > most else ""
    )


# %%
refused = [
    "[ERROR] DatabaseError: {'S': 'FATAL', 'C': '53300', 'M': 'sorry, too many clients already'}"
]
try:
    lines = log_of(
        workshop.name("orders-direct"), datetime.now(UTC) - timedelta(days=30)
    )
    refused = [line for line in lines if "'C': '53300'" in line] or refused
except logs.exceptions.ResourceNotFoundException:
    print("Notebook 07 was not run on this AWS, so C is an example.")
evidence = {
    "A": traces(stamp, loop_began, most=8),
    "B": traces(worker["all_at_once"], time_began, most=3),
    "C": refused[0],
    "D": traces(cashier, charge_began, most=12),
    "E": traces(counter, command_began, most=3),
}
for letter, lines in evidence.items():
    print(f"{letter}\n{lines}\n")

# %% [markdown]
# Say of each letter which failure it is, and what repairs it: `diagnosis["A"] = ("retried", "key")`, for example. These are the words. Some of
# the repairs repair nothing.

# %% failures
failures = {
    "retried": "it was run again after it had acted",
    "too long": "it takes longer than its time limit",
    "no command": "it calls a command that is not there",
    "connections": "each of its environments opens a connection",
    "loop": "it starts itself",
}
repairs = {
    "key": "claim an idempotency key with a conditional put",
    "pieces": "do what fits, and hand on the rest",
    "bring along": "put it into a layer or a container image",
    "bound": "a pool, a queue or DynamoDB in between",
    "elsewhere": "write to another bucket or prefix",
    "no retries": "MaximumRetryAttempts=0",
    "more time": f"Timeout={fact('timeout')}",
    "brake": "reserved concurrency of 0",
}

# %% diagnosis
diagnosis = dict.fromkeys(evidence)
# solution: Give each letter its failure and its repair, as in diagnosis["A"] = ("retried", "key").
diagnosis["A"] = ("loop", "elsewhere")
diagnosis["B"] = ("too long", "pieces")
diagnosis["C"] = ("connections", "bound")
diagnosis["D"] = ("retried", "key")
diagnosis["E"] = ("no command", "bring along")

# %%
# check
check("15.2", diagnosis)

pd.DataFrame(diagnosis, index=["failure", "repair"]).T

# %% [markdown]
# ## What you have learned
#
# - Events come at least once. A function claims a key of the event with a conditional put before it acts; what remains between two
#   systems is closed by handing the key on.
# - A job that is too long does not end by trying again. Cut it, and let a queue or Step Functions hold the rest.
# - A command is brought along in a layer or an image, executable and built for Amazon Linux.
# - Connections need a bound: a pool, a queue, or a database without them.
# - A function must not write where it is triggered. Lambda stops simple loops after about 16 runs; reserved concurrency 0 stops any.
# - So much of "does not fit" is now "fits, once it is repaired". What stays outside: long computations in one piece, machines of
#   one's own, and code that cannot leave its program.
#
# **Next:** notebook 16, a lab: your function from 09 runs by itself, when a file comes. `python3 -m helpers clean` removes what
# this notebook made, when you no longer need it.
