# %% [markdown]
# # 15 What does not fit
#
# After this notebook you will be able to
#
# - recognise five failures of functions by their logs and metrics;
# - make a function idempotent, so that a retry does no harm, and say what can still go wrong;
# - run a job that is longer than the time limit, through a queue or with Step Functions;
# - give a function a command that Lambda's image does not have;
# - stop a function that starts itself, and build it so that it cannot.
#
# It takes about 45 minutes. Take it in two sessions: there is a pause in the middle.
#
# Slides: "Cases that do not suit" (「向いていない例」, page 30), in the part "Architectures".
#
# ![Five failures: what goes wrong, what you see, what repairs it](lessons/15-what-does-not-fit/picture.svg)
#
# The slide names five cases: connecting to RDS, long processing, code that is hard to cut out of an existing program,
# code that breaks when it is retried, and external commands. Four of them are rows of this picture; the hard-to-cut code comes near the end.
# The last row is not on the slide, but it can make the largest bill. You let each of them fail, look, and repair it.
#
# (On AWS this costs less than a cent, and takes some ten minutes longer.)

# %% notes [markdown]
# Minutes: 2
#
# Say: The slide with the skull: five cases that do not fit. You let each of them fail, look at what it leaves in the
# log, and repair it. Ask which of the five somebody in the room has had.
#
# Goes wrong: Two sessions. If you have only one hour, take 1, exercise 1 and 5; these two cost the most in real life.

# %%
import base64
import inspect
import json
import re
import time
import uuid
from datetime import UTC, datetime, timedelta

# %%
import matplotlib.pyplot as plt
import pandas as pd
from helpers import connect, deploy, explore, fact, load_prices, package, reports
from helpers.lessons import function_folder
from helpers.plots import BLUE, RED
from IPython.display import Markdown, display

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
cloudwatch, states = workshop.client("cloudwatch"), workshop.client("stepfunctions")
dynamodb, sqs = workshop.client("dynamodb"), workshop.client("sqs")
s3, iam = workshop.client("s3"), workshop.client("iam")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution, track, watch

# %% [markdown]
# The folded cell defines small helpers: `show` prints a function's source, `invoke` returns its answer, `log_of` the lines that
# it logged since a moment. `make_table` makes a table of DynamoDB, and `items` reads the items of one key.


# %% small-helpers folded
def show(name, file="app.py"):
    text = (function_folder(name) / "python" / file).read_text()
    display(Markdown(f"```python\n{text}```"))


def invoke(name, event):
    answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def log_of(name, since):
    """The first lines of what was logged, without tracebacks."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{name}", startTime=int(since.timestamp() * 1000)
    )
    messages = [event["message"] for page in pages for event in page["events"]]
    return [message.splitlines()[0] for message in messages if message.strip()]


def make_table(name, **keys):
    """make_table(name, job="S", item="N") has two keys, a text and a number."""
    roles = zip(keys, ("HASH", "RANGE"), strict=False)
    kinds = [{"AttributeName": key, "AttributeType": keys[key]} for key in keys]
    schema = [{"AttributeName": key, "KeyType": role} for key, role in roles]
    settings = {"KeySchema": schema, "BillingMode": "PAY_PER_REQUEST"}
    try:
        dynamodb.create_table(TableName=name, AttributeDefinitions=kinds, **settings)
    except dynamodb.exceptions.ResourceInUseException:
        print("The table is there already.")
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name


def items(table, key, value):
    asked = {"KeyConditionExpression": f"{key} = :value", "ConsistentRead": True}
    asked["ExpressionAttributeValues"] = {":value": {"S": value}}
    return dynamodb.query(TableName=table, **asked)["Items"]


# %% [markdown]
# ## 1. It breaks when it is retried
#
# A cashier lets a bank charge a customer, and then mails the receipt. Bank and mail server are outside services. Here a table of DynamoDB is
# the bank's book, with one row for each payment.

# %% notes [markdown]
# Minutes: 5
#
# Say: Bank first, mail then, and the mail server is down. Ask each person for a number, and write the numbers on the
# board. Then show the bank's book.
#
# Goes wrong: Somebody wants to switch off the retries. Then the customer never gets a receipt, and queues and callers
# still send things twice.
#
# Answer 15.a: Three. One event, three runs, and each has charged before it failed.
#
# Answer 15.b: Refused. The condition makes reading and writing one step, so only one of two can win.

# %%
show("cashier")

# %% [markdown]
# The bank's side, and the mail server. `"fault"` in an event lets you break something when you want.

# %%
show("cashier", "bank.py")

# %%
payments = make_table(workshop.name("payments"), order_id="S", payment="S")


def payments_of(order):
    """The rows of the bank's book for one order."""
    return items(payments, "order_id", order)


# %% [markdown]
# What may the cashier do? Its code calls one operation on one table, so its role allows just that. `workshop.role` takes such a
# *statement*, and always lets a function write its log. The ARN of a table is in the answer of `describe_table`.


# %% table-arn
def table_arn(name):
    return dynamodb.describe_table(TableName=name)["Table"]["TableArn"]


to_payments = {"Effect": "Allow", "Action": "dynamodb:PutItem"}
to_payments["Resource"] = table_arn(payments)

# %%
cashier = workshop.name("cashier")
settings = {"Role": workshop.role(to_payments), "MemorySize": 512, "Timeout": 10}
settings["Environment"] = {"Variables": {"PAYMENTS": payments}}
deploy(workshop, cashier, "cashier/python", **settings)
invoke(cashier, {"order": str(uuid.uuid4()), "amount": 10})

# %% [markdown]
# Now the mail server is down, and the order comes as an asynchronous event, as from S3 or EventBridge. `send` waits for
# three runs: some seconds on the embedded AWS, more than three minutes on AWS (notebook 06).


# %%
def send(name, event):
    """Send an event that will fail, and wait for the three runs."""
    began, event = datetime.now(UTC), json.dumps(event)
    lambda_client.invoke(FunctionName=name, InvocationType="Event", Payload=event)
    for count in track((1, 2, 3), "runs"):
        runs = reports(logs, name, at_least=count, since=began, timeout=600)
    return runs


# %% [markdown]
# `watch` draws the execution environment of the cashier while the cell works, with a strip that grows by each run. A still picture stays.
#
# **Predict:** how many rows will the bank's book have for this one order?

# %%
predict("15.a")

# %%
order, charge_began = str(uuid.uuid4()), datetime.now(UTC)
with watch(workshop, cashier):
    charge_runs = send(cashier, {"order": order, "amount": 10, "fault": "mail"})

# %%
ids = charge_runs["request_id"]
claim("one request id has three runs", len(ids) == 3 and ids.nunique() == 1)
charge_runs[["start", "duration_ms", "status"]]

# %%
book = payments_of(order)
predicted("15.a", f"{len(book)} rows")
[f"{row['payment']['S'][:8]}…: {row['amount']['N']} USD" for row in book]

# %% [markdown]
# The customer paid three times. (`status` is `success`, as in notebook 06: an exception of the handler is a normal end for the platform.)
# Each run did its steps in the right order. But Lambda delivers an event **at least once**: it comes again when a run fails, when a queue
# delivers twice, or when a caller stops waiting and sends it again. `MaximumRetryAttempts=0` prevents only the first,
# and then the customer never gets a receipt.
#
# ### What repairs it: an idempotency key
#
# A function is *idempotent* when a second run of the same event changes nothing. For that, the event needs a **key** that is the same
# each time it comes: here the number of the order. Before the function acts,
# it *claims* the key, that is, it says "this order is mine". Only one of two runs can get it.
# DynamoDB decides that: put an item, on the condition that there is no such item yet.
#
# **Predict:** you put the same key twice. What happens to the second put?

# %%
predict("15.b", choices=["refused", "ignored", "written over the first"])

# %%
orders = make_table(workshop.name("orders"), id="S")
item = {"id": {"S": str(uuid.uuid4())}, "state": {"S": "started"}}
new = {"ConditionExpression": "attribute_not_exists(id)"}
second = "written over the first"
dynamodb.put_item(TableName=orders, Item=item, **new)
try:
    dynamodb.put_item(TableName=orders, Item=item, **new)
except dynamodb.exceptions.ConditionalCheckFailedException as error:
    second = "refused"
    print(error.response["Error"]["Message"])

# %%
predicted("15.b", second)

# %% [markdown]
# "Read first, and put if nothing is there" is not enough: two runs at the same moment both read, both find nothing, and both
# go on. With the condition, reading and writing are one step.
#
# ## Exercise 1: charge once
#
# Write `charge_once`. It gets the event, lets the bank charge the order with `charge(event)` **once**, however often it is called, also by
# several runs at once, and returns the number of the payment each time. The record in the table `orders` has two states:
#
# - `{"id": ..., "state": "started"}` before you ask the bank,
# - `{"id": ..., "state": "charged", "payment": ...}` afterwards.
#
# When the order is claimed already, the record says what to do: return its payment. While it is still `"started"`, raise
# an exception: another run is at work, or it died before it could say how it ended.
#
# In the function, `orders` is a `Table` of boto3: `orders.put_item(Item={"id": "17"}, ConditionExpression=...)`
# and `orders.get_item(Key={"id": "17"}, ConsistentRead=True)["Item"]` take and give plain Python values. `Taken` is the
# exception of a failed condition. The folded cell has the rest of the file: imports, these names, and a handler that calls `charge_once`.

# %% notes [markdown]
# Minutes: 6
#
# Say: Three steps: claim, charge, note. For each of them ask what is left in the table if the process ends right
# behind it.
#
# Goes wrong: Looking first and writing then: two runs at once both find nothing, and the check makes two meet. The
# claim comes after the bank was asked. The key is not the order: a new id each time, or the amount. The record in the
# state *started* is answered as if all had gone well; it has to raise an exception.
#
# Answer 15.c: It fails, with a right `charge_once`: it finds "started", and nobody knows if the bank was reached.
# Charging again would be worse. Whoever gets "it charges again" has no claim before the charge.

# %% frame folded
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

# %% [markdown]
# The new function also puts and gets records of `orders`, so its role has a second statement. Another operation, such as
# `update_item` or `delete_item`, would fail with `AccessDeniedException`: if your way needs one, add it to the list.

# %% once-role
to_orders = {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:GetItem"]}
to_orders["Resource"] = table_arn(orders)
once_settings = settings | {"Role": workshop.role(to_payments, to_orders)}


# %% charge-once
def charge_once(event):
    order = event["order"]
    # solution: Claim it, charge it, note the payment; if taken, read its record.
    try:
        started = {"id": order, "state": "started"}
        orders.put_item(Item=started, ConditionExpression="attribute_not_exists(id)")
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
variables = {"PAYMENTS": payments, "ORDERS": orders}
parts = before_charge_once, inspect.getsource(charge_once), after_charge_once
files = {"bank.py": (function_folder("cashier") / "python/bank.py").read_text()}
files["app.py"] = "\n\n".join(parts)
once_settings["Environment"] = {"Variables": variables}
deploy(workshop, once, files, **once_settings)
check("15.1")

# %% [markdown]
# Once the exercise is solved: three runs fail, as the mail server is down. Then it is up again, and a fourth run sends the receipt and
# returns the payment. Only the step that must not happen twice is left out.

# %%
mailed = {"order": str(uuid.uuid4()), "amount": 10}
runs = send(once, mailed | {"fault": "mail"})
print(f"{len(runs)} runs, {len(payments_of(mailed['order']))} payment")
answer = invoke(once, mailed)
print("The fourth run:", answer.get("errorMessage", answer))

# %% [markdown]
# ### What remains
#
# There is a gap between the bank's answer and the note about it. Let the process end exactly there.
#
# **Predict:** what does the next run do?

# %%
predict("15.c", choices=["it charges again", "it returns the payment", "it fails"])

# %%
crashed = {"order": str(uuid.uuid4()), "amount": 10}
answers = [invoke(once, crashed | {"fault": fault}) for fault in ("crash", None)]
paid = len(payments_of(crashed["order"]))
print(f"{paid} payment; the next run: {answers[1].get('errorMessage', answers[1])}")

# %%
ended = "it fails" if "errorType" in answers[1] else "it returns the payment"
predicted("15.c", "it charges again" if paid > 1 else ended)

# %% [markdown]
# With a right `charge_once`, nobody is charged twice, but the order is stuck: the function's own table does not say whether the bank was reached. Bank and table are two
# systems, so the gap is there whichever of the two steps comes first. Two ways close it:
#
# - **Pass the key on.** Real payment services take an idempotency key with a charge, and return the first payment when it comes
#   again. Then a run that finds `"started"` simply asks again. Do the same in your own services: take a key.
# - **Ask.** Look the order up at the bank, or let a person look at what has been `"started"` for too long.
#
# *Powertools for AWS Lambda* does much of this for Python, TypeScript, Java and .NET: it keeps such records in DynamoDB, returns the stored
# answer, and lets records expire. What to use as the key, and what a crash in the middle means, stays your decision.
#
# ## 2. It takes longer than its time limit
#
# A job of 24 items, a quarter of a second each. The function may run for three seconds. (The times are short so that you do not
# have to wait. With {{timeout}} and a job of an hour the same thing happens.) The file has three ways to do the job.

# %% notes [markdown]
# Minutes: 8
#
# Say: A retry does not make a job shorter. Ask what happens to it next year, when there is more data. Then two ways
# to hold what is left: a queue, or a state machine; let people say which one they could explain to a colleague.
#
# Goes wrong: They set the largest `Timeout` and are content. It only moves the limit. On AWS a new mapping needs up
# to a minute.
#
# Answer 15.d: A part of them, somewhat less than half: as many quarters of a second as fit into three seconds. And
# the caller does not know which.
#
# Answer 15.e: Three times, as a rule: each run does about ten of the items, with half a second kept for the answer.
# On a slow machine it can be four.
#
# Skip: Step Functions, if nobody uses it. Run its cells: the costs below need them.

# %%
show("piecework")

# %% [markdown]
# You need a table for the results, and a queue. A message that fails five times goes to a second queue, its **dead-letter queue**. AWS
# recommends a visibility timeout of six times the function's time limit.

# %%
results = make_table(workshop.name("results"), job="S", item="N")
unfinished_url = sqs.create_queue(QueueName=workshop.name("unfinished"))["QueueUrl"]


def arn_of(url):
    asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
    return sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]


# %%
redrive = {"deadLetterTargetArn": arn_of(unfinished_url), "maxReceiveCount": 5}
attributes = {"VisibilityTimeout": "18", "RedrivePolicy": json.dumps(redrive)}
queue_url = sqs.create_queue(QueueName=workshop.name("piecework"))["QueueUrl"]
_ = sqs.set_queue_attributes(QueueUrl=queue_url, Attributes=attributes)

# %% [markdown]
# All three ways store results. `from_queue` also sends what is left to the queue, and *Lambda itself*, in the function's role, takes
# the messages from there and deletes those that are done. So this one has more statements than the other two.

# %% piecework-policies
store = {"Effect": "Allow", "Action": "dynamodb:PutItem"}
store["Resource"] = table_arn(results)
take = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"]
pass_on = {"Effect": "Allow", "Resource": arn_of(queue_url)}
pass_on["Action"] = [f"sqs:{action}" for action in (*take, "SendMessage")]
policies = {"all_at_once": [store], "from_queue": [store, pass_on], "handler": [store]}

# %%
worker = {way: workshop.name("piecework-" + way.replace("_", "-")) for way in policies}
settings = {"MemorySize": 512, "Timeout": 3}
settings["Environment"] = {"Variables": {"RESULTS": results, "QUEUE_URL": queue_url}}
for way, name in worker.items():
    code = {"Role": workshop.role(*policies[way]), "Handler": f"app.{way}"}
    deploy(workshop, name, "piecework/python", **code, **settings)


# %%
def new_job():
    return {"job": str(uuid.uuid4()), "left": list(range(24)), "seconds_each": 0.25}


def done(job):
    """How many items of the job have a result."""
    return len(items(results, "job", job["job"]))


# %% [markdown]
# First all at once.
#
# **Predict:** how many of the 24 results are there afterwards?

# %%
predict("15.d")

# %%
long_job, time_began = new_job(), datetime.now(UTC)
answer = invoke(worker["all_at_once"], long_job)
re.search("Task.*", answer["errorMessage"])[0]

# %%
claim("a part of the 24 items is done, and not all", 0 < done(long_job) < 24)
predicted("15.d", f"{done(long_job)} of 24")

# %% [markdown]
# A part of the work is done, the run is paid, and the caller does not know where to go on. A retry would begin at the first item again, and
# end at the same place: **trying again does not finish a job that is too long.** And `Timeout={{timeout.number}}` only moves the limit: your
# data grows, the limit does not.
#
# ### What repairs it: pieces, and something that passes on the rest
#
# `handler` is the one of exercise 06.1: it stops in time and returns what is left. What calls it again? First way: a queue.
# `from_queue` gets the job in a message, does what fits, and sends the rest as a new message.

# %%
mapping = {"EventSourceArn": arn_of(queue_url), "FunctionName": worker["from_queue"]}
try:
    lambda_client.create_event_source_mapping(BatchSize=1, **mapping)
except lambda_client.exceptions.ResourceConflictException:
    print("The mapping is there already.")

# %% [markdown]
# On AWS a new mapping needs up to a minute until it polls:

# %%
from helpers import wait_until


def state_of_mapping():
    [found] = lambda_client.list_event_source_mappings(**mapping)["EventSourceMappings"]
    return found["State"]


wait_until(lambda: state_of_mapping() == "Enabled")

# %% [markdown]
# Send the job once. In the picture of the system, the dotted line from the function back to its queue says that its role lets it send there. Look at
# the numbers on both lines.

# %%
queue_job, queue_began = new_job(), datetime.now(UTC)
with watch(workshop, worker["from_queue"], show="system"):
    sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(queue_job))
    wait_until(lambda: done(queue_job) == 24, at_most_s=120)

# %%
queue_runs = reports(logs, worker["from_queue"], at_least=3, since=queue_began)
claim("every run ends in time", (queue_runs["status"] == "success").all())
queue_runs[["start", "duration_ms", "billed_ms", "status"]]

# %% [markdown]
# Each run ended in time, and passed on what was left. If a run is killed midway, its message comes back after the
# visibility timeout, and some items are done again: that is why `work` stores each result under its own number.
#
# This function sends messages to the queue that starts it. For Lambda that is a **loop**, and it stops such a chain
# after about {{recursive_loop}} runs (part 5), unless you allow it with `put_function_recursion_config(FunctionName=...,
# RecursiveLoop="Allow")`. Then be sure that the job gets smaller in each run. Often it is better to send one message for each piece
# at the start: the pieces then run at the same time.
#
# ### Or Step Functions
#
# **AWS Step Functions** runs a *state machine*: steps, and what follows each of them, as JSON. It holds
# the job between the steps, for up to a year. Yours has three states: call `handler`, ask whether anything is left, and done.

# %%
configuration = lambda_client.get_function_configuration(FunctionName=worker["handler"])
worker_arn = configuration["FunctionArn"]
to_lambda = f"arn:{workshop.partition}:states:::lambda:invoke"

# %% work-state
work = {
    "Type": "Task",
    "Resource": to_lambda,
    "Parameters": {"FunctionName": worker_arn, "Payload.$": "$"},
    "OutputPath": "$.Payload",
    "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5}],
    "Next": "Anything left?",
}

# %% state-machine
some_left = {"Variable": "$.left[0]", "IsPresent": True, "Next": "Work"}
choice = {"Type": "Choice", "Choices": [some_left], "Default": "Done"}
all_states = {"Work": work, "Anything left?": choice, "Done": {"Type": "Succeed"}}
definition = {"StartAt": "Work", "States": all_states}

# %% [markdown]
# It needs a role of its own, which Step Functions may assume for this account, and which may invoke this one function. (If you may not create roles on AWS,
# read this part, and run it on the embedded AWS.)


# %%
def policy(**statement):
    statements = [{"Effect": "Allow", **statement}]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


by_states = {"Service": "states.amazonaws.com"}
of_account = {"StringEquals": {"aws:SourceAccount": worker_arn.split(":")[4]}}
trust = policy(Principal=by_states, Action="sts:AssumeRole", Condition=of_account)
may_invoke = policy(Action="lambda:InvokeFunction", Resource=worker_arn)

# %%
machine_role = workshop.name("piecework-states")
try:
    iam.create_role(RoleName=machine_role, AssumeRolePolicyDocument=trust)
except iam.exceptions.EntityAlreadyExistsException:
    print("The role is there already.")
inline = {"PolicyName": "invoke", "PolicyDocument": may_invoke}
iam.put_role_policy(RoleName=machine_role, **inline)
role_arn = iam.get_role(RoleName=machine_role)["Role"]["Arn"]

# %% [markdown]
# (On AWS a new role needs some seconds until it works; `Retry` covers them.)
#
# **Predict:** how many times does the machine pass through `Work`?

# %%
predict("15.e")

# %%
machine = {"name": workshop.name("piecework"), "roleArn": role_arn}
machine = states.create_state_machine(definition=json.dumps(definition), **machine)
machine_arn = machine["stateMachineArn"]


# %%
def status_of(execution):
    return states.describe_execution(executionArn=execution)["status"]


# %%
machine_job, machine_began = new_job(), datetime.now(UTC)
begun = {"stateMachineArn": machine_arn, "input": json.dumps(machine_job)}
with watch(workshop, worker["handler"]):
    execution = states.start_execution(**begun)["executionArn"]
    wait_until(lambda: status_of(execution) != "RUNNING", at_most_s=120)
status_of(execution)

# %%
pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
entered = pages.search("events[].stateEnteredEventDetails.name")
entered = list(entered)
print(" → ".join(entered))
predicted("15.e", f"{entered.count('Work')} times")

# %% [markdown]
# What did the three ways cost? The folded cell adds up the REPORT lines, at Lambda's list price; `handler` is the way of Step Functions. (Its
# steps and the requests of SQS add fractions of a cent.)

# %% costs folded
prices = load_prices()["lambda"]
jobs = {
    "all_at_once": (long_job, time_began),
    "from_queue": (queue_job, queue_began),
    "handler": (machine_job, machine_began),
}
rows = []
for way, (job, began) in jobs.items():
    billed_s = reports(logs, worker[way], since=began)["billed_ms"] / 1000
    dollars = billed_s.sum() * 512 / 1024 * prices["gb_second"]["x86_64"]
    dollars += len(billed_s) * prices["request"]
    row = {"way": way, "results": done(job), "runs": len(billed_s)}
    rows.append(row | {"billed s": billed_s.sum(), "USD": dollars})
costs = pd.DataFrame(rows).set_index("way").round(6)
in_pieces = costs.loc[["from_queue", "handler"]]
claim("both ways in pieces do all 24 items", (in_pieces["results"] == 24).all())
claim("each of them takes several runs", (in_pieces["runs"] > 1).all())
costs

# %% [markdown]
# AWS has more for long jobs. The embedded AWS has neither the first nor the third, and its state machines try again without jitter:
#
# - A **durable function** (since {{durable_functions}}; SDKs for JavaScript, Python and Java) is a state machine in your own code. It notes each
#   finished step, and runs again from the top with the noted results; it may wait for up to a year
#   ([AWS's guide]({{durable_functions.source}})). Each run still has its `Timeout`. Each noted step costs extra, as with Step Functions. And what
#   is between the steps runs again each time, so it must come to the same result.
# - A **Distributed Map** of Step Functions does one step for each of very many items at the same time ([guide]({{distributed_map.source}})). A
#   `Retry` with `"JitterStrategy": "FULL"` (since {{jitter}}) spreads the new tries ([guide]({{jitter.source}})).
# - A **Lambda MicroVM** keeps a program, with its memory, for up to {{microvm.hours}}, and suspends it while it waits (notebook 08).
#
# When *one* step is too long and cannot be cut (encode a film, train a model), use AWS Fargate, AWS
# Batch or EC2, which have no limit of {{timeout.minutes}}. A function can start the job.
#
# ## A pause
#
# This is a good place to stop: what you made stays. When you come back with a new kernel, select the next cell, choose
# *Run → Run All Above Selected Cell*, and go on below.

# %% notes [markdown]
# Minutes: 0
#
# Say: Stop here for a break.

# %% [markdown]
# ## 3. A command that is not there
#
# Programs often call others: `ffmpeg` for films, ImageMagick's `convert` for pictures, `git`. This function counts the slides of a deck with a
# command `count-slides`.

# %% notes [markdown]
# Minutes: 3
#
# Say: On this laptop `git` is there, on Lambda it is not: say this aloud, as the embedded AWS finds this machine's
# commands. Then bring one along, and look what is still missing.
#
# Answer 15.f: The right to run it. The file is there now, but a zip also carries permissions, and this one was made
# from a text.
#
# Skip: Run the cells, as exercise 2 shows what they leave in the log, and talk about the prediction alone.

# %%
show("count-slides")

# %%
counter, deck = workshop.name("count-slides"), "# One\n---\n# Two\n---\n# Three\n"
deploy(workshop, counter, "count-slides/python", MemorySize=512)
command_began = datetime.now(UTC)
answer = invoke(counter, {"deck": deck})
answer["errorType"], answer["errorMessage"]

# %% [markdown]
# There is no such command, and you cannot install it: a function's machine is Lambda's. Its image for Python is a small Amazon Linux 2023
# with a shell, `grep`, `awk`, `curl`, and little else ([a list](https://github.com/amazonlinux/amazon-linux-2023/issues/585), of 2023): no
# `git`, `ffmpeg` or ImageMagick. (On the embedded AWS a function finds the commands of *this* machine: a `git` that works here fails on AWS.)
#
# ### What repairs it: bring it along
#
# Here is the command. It is a shell script, so that you can read it. A program in C, Go or Rust, built for Amazon Linux or linked
# statically, works the same way.

# %%
script = (function_folder("count-slides") / "layer/bin/count-slides").read_text()
print(script)

# %% [markdown]
# A **layer** is unpacked into `/opt`, and `/opt/bin` is on the `PATH`: so the script must be at `bin/count-slides` in the layer's zip.


# %%
def with_layer(source):
    """Publish the layer, give it to the function, and invoke this."""
    layer = {"LayerName": counter, "Content": {"ZipFile": package(source)}}
    version = lambda_client.publish_layer_version(**layer)["LayerVersionArn"]
    settings = {"MemorySize": 512, "Layers": [version]}
    deploy(workshop, counter, "count-slides/python", **settings)
    return invoke(counter, {"deck": deck})


# %% [markdown]
# The first try makes the zip from a dict.
#
# **Predict:** what will be missing?

# %%
predict("15.f", choices=["nothing", "the file", "the right to run it"])

# %%
answer = with_layer({"bin/count-slides": script})
print(answer["errorType"], "-", answer["errorMessage"])
missing = {"FileNotFoundError": "the file", "PermissionError": "the right to run it"}
predicted("15.f", missing.get(answer["errorType"], answer["errorType"]))

# %% [markdown]
# Now it is found, but it may not run: a zip also carries permissions, and a file made from a dict is not executable. (On Windows,
# which has no such permission, make packages in a container or in CI.) The second try takes the folder, where the file has
# mode 755.

# %%
with_layer(function_folder("count-slides") / "layer")

# %% [markdown]
# A layer counts in the {{unzipped}} of notebook 06. What is larger, or comes from a package manager, goes into a **container image** of up to
# {{image}}: `FROM public.ecr.aws/lambda/python:3.13`, then `RUN dnf install ...`. (The embedded AWS does not run images.) So the slide's
# "external commands do not fit" has become: *bring them along*. What still does not fit is a command that wants a machine of its
# own: a daemon, hours of work, or a GPU, which Lambda has on Managed Instances alone.
#
# ## 4. A database connection for each environment
#
# You know this one from [notebook 07](07-databases.ipynb). Its picture: the same burst of orders, four ways.
#
# ![Connections, failed calls and arrived orders of four ways to store orders](images/databases.png)
#
# *Direct* needs one connection for each execution environment, and the database has 16: 20 callers are too many. The other three limit what reaches the database:
# DynamoDB has no connections, a queue lets two writers store the orders, and RDS Proxy shares a few connections among all.
#
# ## 5. It starts itself
#
# Last, the failure that grows by itself. The function below puts a stamp under each text that comes into a bucket. S3 triggers it
# for keys that begin with `incoming/`, and it writes its copy under the name that `TARGET` says.

# %% notes [markdown]
# Minutes: 1
#
# Say: You know this one from notebook 07; look at the picture once more. If you have left out 07, this is its
# one-minute version.

# %% notes [markdown]
# Minutes: 8
#
# Say: The only failure without any error. Let somebody read the two names aloud, the prefix of the trigger and the
# prefix of the copy, until they laugh. Then upload one object. Move the slider to two copies, and be quiet for a
# moment: that is the bill.
#
# Goes wrong: They rely on Lambda, which stops the loop by itself. It counts the length of a chain, and not its width,
# and does not see loops through other services. On AWS the metric comes some minutes late.
#
# Answer 15.g: About {{recursive_loop}}, and then Lambda stops the chain. All of them succeed.
#
# Answer 15.h: None. With the brake on, the event goes to the destination at once.
#
# Answer 15.i: One run, which fails: the role refuses its first write, so nothing is there that could start it again.
#
# Skip: The brake can be told, without its cells. Do not skip the role.

# %%
show("stamp")

# %%
bucket, stamp = workshop.bucket("stamps"), workshop.name("stamp")
place = {"LocationConstraint": workshop.region}
in_region = {"CreateBucketConfiguration": place}
if workshop.region == "us-east-1":  # the one region that must not be named here
    in_region = {}
try:
    s3.create_bucket(Bucket=bucket, **in_region)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")


# %% [markdown]
# It reads below `incoming/`, and writes where you let it: `to` is the beginning of the keys. The last statement is for Lambda, which will send
# lost events to a queue, in the function's role.


# %% stamp-policies
bucket_arn = f"arn:{workshop.partition}:s3:::{bucket}"


def stamp_policies(to):
    """Read incoming/, write keys that begin with `to`, report what failed."""
    allow = {"Effect": "Allow"}
    read = {"Action": "s3:GetObject", "Resource": f"{bucket_arn}/incoming/*"}
    write = {"Action": "s3:PutObject", "Resource": f"{bucket_arn}/{to}*"}
    report = {"Action": "sqs:SendMessage", "Resource": arn_of(unfinished_url)}
    return [allow | each for each in (read, write, report)]


# %% deploy-stamp
def deploy_stamp(target, to):
    role = workshop.role(*stamp_policies(to))
    settings = {"Role": role, "MemorySize": 512, "Timeout": 10}
    settings["Environment"] = {"Variables": {"TARGET": target}}
    return deploy(workshop, stamp, "stamp/python", **settings)["FunctionArn"]


stamp_arn = deploy_stamp("incoming/stamped-", to="incoming/")

# %% [markdown]
# An event that Lambda discards should not be lost: the function's **OnFailure destination** gets it, here the queue for unfinished work.

# %%
destination = {"OnFailure": {"Destination": arn_of(unfinished_url)}}
_ = lambda_client.put_function_event_invoke_config(
    FunctionName=stamp, DestinationConfig=destination
)

# %% [markdown]
# The trigger, as in notebook 16: a permission for S3, and then a notification of the bucket.

# %%
by_s3 = {"Principal": "s3.amazonaws.com", "Action": "lambda:InvokeFunction"}
by_s3 |= {"SourceArn": bucket_arn, "SourceAccount": stamp_arn.split(":")[4]}
try:
    lambda_client.add_permission(FunctionName=stamp, StatementId="stamps", **by_s3)
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %% [markdown]
# The first cell takes back what an earlier run of this notebook changed, and the second makes the notification.

# %%
default = {"RecursiveLoop": "Terminate"}
lambda_client.put_function_recursion_config(FunctionName=stamp, **default)
_ = lambda_client.delete_function_concurrency(FunctionName=stamp)

# %%
key = {"FilterRules": [{"Name": "prefix", "Value": "incoming/"}]}
created = {"Events": ["s3:ObjectCreated:*"], "Filter": {"Key": key}}
wanted = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": stamp_arn, **created}]}
_ = s3.put_bucket_notification_configuration(
    Bucket=bucket, NotificationConfiguration=wanted
)

# %% [markdown]
# Did you see the mistake? The copy's key begins with `incoming/` too. `dropped` reads a metric of CloudWatch: invocations that Lambda
# refused because it recognised a loop.


# %%
def dropped():
    now, day = datetime.now(UTC), timedelta(days=1)
    times = {"StartTime": now - day, "EndTime": now + day, "Period": 3600}
    metric = {"Namespace": "AWS/Lambda", "MetricName": "RecursiveInvocationsDropped"}
    of_stamp = [{"Name": "FunctionName", "Value": stamp}]
    asked = {"Dimensions": of_stamp, "Statistics": ["Sum"], **metric, **times}
    points = cloudwatch.get_metric_statistics(**asked)["Datapoints"]
    return int(sum(point["Sum"] for point in points))


# %% [markdown]
# The cell below waits until the metric says that the loop was stopped (on AWS the metric comes some minutes late). In the picture, bucket and function
# are joined by two lines: the notification, and what the role allows.
#
# **Predict:** you upload **one** object. How many runs?

# %%
predict("15.g")

# %%
dropped_before, loop_began = dropped(), datetime.now(UTC)
with watch(workshop, stamp, show="system"):
    s3.put_object(Bucket=bucket, Key="incoming/note.txt", Body=b"a note\n")
    wait_until(lambda: dropped() > dropped_before)

# %%
# on the embedded AWS the log may come a moment after the metric
at_least = fact("recursive_loop") if workshop.is_embedded else 1
loop_runs = reports(logs, stamp, at_least=at_least, since=loop_began)

# %%
claim("every run succeeds", (loop_runs["status"] == "success").all())
claim("Lambda stops the loop after about 16 runs", 12 <= len(loop_runs) <= 24)
predicted("15.g", f"{len(loop_runs)} runs")

# %% [markdown]
# Every run succeeded, and no person called. Lambda itself stopped it: since {{loops_through_sqs}} it recognises
# loops [through SQS, SNS and its own Invoke]({{loops_through_sqs.source}}),
# and since {{loops_through_s3}} [through S3]({{loops_through_s3.source}}).
# Each invocation has a trace header, which AWS's SDKs send along with every call, and which S3 and SQS pass on. Lambda counts in it how often a
# function has run in this chain, and stops the chain after about {{recursive_loop}} times. AWS writes to the owner of the account. (The embedded AWS
# stops at exactly {{recursive_loop}}, and writes to nobody.)
#
# Where is the event of the last copy now? In the picture it went along the dashed line into the queue, and its `condition` says why.


# %%
def unfinished():
    """Take what is in the queue, and return why each event came there."""
    asked = {"QueueUrl": unfinished_url, "MaxNumberOfMessages": 10}
    messages = sqs.receive_message(WaitTimeSeconds=10, **asked).get("Messages", [])
    for each in messages:
        handle = each["ReceiptHandle"]
        sqs.delete_message(QueueUrl=unfinished_url, ReceiptHandle=handle)
    bodies = [json.loads(each["Body"]) for each in messages]
    records = [body["requestContext"] for body in bodies if "requestContext" in body]
    return [record["condition"] for record in records]


unfinished()

# %% [markdown]
# So is a loop harmless? Do not rely on this protection:
#
# - It does not see loops through other services, such as DynamoDB, nor those of old SDKs or of programs without an SDK.
# - It counts the *length* of a chain. A function that writes **two** objects for each one doubles the runs with each round.
#
# Move the slider. The folded cell takes the price of a run from yours above.


# %% growth folded
billed_s = loop_runs["billed_ms"].median() / 1000
dollars_a_run = prices["request"] + billed_s * 0.5 * prices["gb_second"]["x86_64"]


def draw_growth(copies=2):
    runs = [copies**place for place in range(16)]
    figure, ax = plt.subplots(figsize=(10, 3.8))
    ax.bar(range(1, 17), runs, color=RED if copies > 1 else BLUE)
    ax.set_yscale("log")
    ax.set_ylim(0.5, 1e8)
    objects, total = "1 object" if copies == 1 else f"{copies} objects", sum(runs)
    dollars = total * dollars_a_run
    ax.set_title(f"{objects} for each: {total:,} runs in 16 rounds, {dollars:,.4f} USD")
    ax.set_xlabel("round")
    ax.set_ylabel("runs in this round (log scale)")
    return ax


# %%
explore(draw_growth, copies=[1, 2, 3])

# %% [markdown]
# (This is arithmetic, not a measurement: it takes each branch as a chain of its own. S3's requests are extra, and the
# account's other functions find no concurrency left.)
#
# ### The brake: the emergency stop of notebook 02
#
# When you see a loop in your account, do not search for the mistake first. Set the function's **reserved concurrency to 0**: Lambda starts
# no more invocations of it. In the console it is the button *Throttle*.
#
# **Predict:** you upload another object. How many runs now?

# %%
predict("15.h")

# %%
lambda_client.put_function_concurrency(
    FunctionName=stamp, ReservedConcurrentExecutions=0
)
brake_began = datetime.now(UTC)
s3.put_object(Bucket=bucket, Key="incoming/during-the-brake.txt", Body=b"a note\n")
conditions = unfinished()

# %%
braked_runs = reports(logs, stamp, at_least=0, since=brake_began)
predicted("15.h", f"{len(braked_runs)} runs")
conditions

# %% [markdown]
# An event that comes while the brake is on does not wait: it goes to the OnFailure destination at once, and without one it is lost. (On AWS a
# change of the concurrency takes a moment, so some runs may still start.)
#
# ### What repairs it: write where nothing starts you
#
# 1. Write to **another bucket**: then no notification can match. This is the best way if you have the choice.
# 2. Or to **another prefix**, outside of the filter. Here that is one word of the configuration: `TARGET` becomes `stamped/`.
# 3. Let the **role** forbid it: a function that may write to `stamped/*` alone cannot loop, whatever its code says.
# 4. In the handler, **look whether the work is done**: by the key, or by metadata of the object. That is a second line of
#    defence, as you pay for each look.
#
# Take the third way first, with the mistake still there: `TARGET` stays as it was, and the role lets the function write to `stamped/` alone. Release the
# brake, invoke the function with a sample of an upload's event, and read its answer.
#
# **Predict:** how does it end?

# %%
predict("15.i", choices=["16 runs, as before", "one run, which fails", "no run"])

# %% forbidden
deploy_stamp("incoming/stamped-", to="stamped/")
lambda_client.delete_function_concurrency(FunctionName=stamp)
upload = {"bucket": {"name": bucket}, "object": {"key": "incoming/note.txt"}}
forbidden_began = datetime.now(UTC)
answer = invoke(stamp, {"Records": [{"s3": upload}]})
print(answer.get("errorMessage", answer))

# %%
forbidden = len(reports(logs, stamp, since=forbidden_began))
ended = {1: "one run, which fails"}.get(forbidden, f"{forbidden} runs")
claim("the role stops the loop at its first write", "AccessDenied" in str(answer))
predicted("15.i", ended)

# %% [markdown]
# Read it from left to right: **who** (the role, and after it the function), which **action**, on **what**, and **why**: no policy of
# the role allows it. Nothing was written, so nothing started the function again. The mistake is now an error that you see at once, and not a bill.
#
# Now the second way: correct `TARGET`, too.

# %%
deploy_stamp("stamped/", to="stamped/")
repaired_began = datetime.now(UTC)
s3.put_object(Bucket=bucket, Key="incoming/repaired.txt", Body=b"a note\n")
copy = {"Bucket": bucket, "Key": "stamped/repaired.txt"}
s3.get_waiter("object_exists").wait(WaiterConfig={"Delay": 1}, **copy)
print("runs:", len(reports(logs, stamp, since=repaired_began)))

# %% [markdown]
# ## And what is hard to cut out of existing code?
#
# The slide's remaining case is about *your* program: a piece that needs its classes, its
# session, its configuration and its database. Cut out, it takes all of that along: a large package, a long init, connections. Two ways
# work well:
#
# - **One route at a time.** Put a router (an API Gateway, a load balancer, CloudFront) in front of the old program, and
#   send one path after the other to new functions. Each step is small, and you can take it back. This is the *strangler fig* pattern.
#   Begin with a piece that gets its data in the request or event.
# - **The program as it is, in a container image.** The open-source *AWS Lambda Web Adapter* turns events into HTTP requests to a web
#   application that knows nothing of Lambda. You need not cut, but what is kept in memory or in files between requests
#   can be lost, init is as long as the program's start, and each environment has its own connections.
#
# If neither is worth it, leave the program where it is. Notebook 10 has the questions to ask.
#
# ## Exercise 2: which failure is this?
#
# You have caused four of the five failures, and notebook 07 the fifth. Here is what they left in CloudWatch. (The line of the database is
# from your run of notebook 07 if there was one, and otherwise an example.) The folded cell shortens and collects the logs.

# %% notes [markdown]
# Minutes: 2
#
# Say: The case of the slide without a measurement. Ask somebody to describe the piece that they would cut out, and
# what it would take along.

# %% notes [markdown]
# Minutes: 6
#
# Say: Five logs, five groups. Each group says first what it *sees*, then what it is, then what repairs it. Look at
# the request ids before anything else.
#
# Goes wrong: A is taken for a retry: but each run has another id, and none has failed. *more time* and *no retries*
# look like repairs; they only move or hide something. The brake stops a loop and repairs nothing.


# %% evidence folded
def traces(name, since, most):
    """The first lines of a log, without what does not help here."""
    lines = log_of(name, since)
    lines = [line for line in lines if not line.startswith(("INIT", "END"))]
    kept = [re.sub(r"\tBilled.*?(?=\tStatus|$)", "", line) for line in lines]
    more = len(kept) - most
    return "\n".join(kept[:most] + ([f"… and {more} lines more"] if more > 0 else []))


refused = [
    "[ERROR] DatabaseError: {'S': 'FATAL', 'C': '53300', "
    "'M': 'sorry, too many clients already'}"
]
try:
    month = datetime.now(UTC) - timedelta(days=30)
    lines = log_of(workshop.name("orders-direct"), month)
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

# %%
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

# %% repairs
repairs = {
    "key": "claim an idempotency key with a conditional put",
    "pieces": "do what fits, and pass on the rest",
    "bring along": "put it into a layer or a container image",
    "bound": "a pool, a queue or DynamoDB in between",
    "elsewhere": "write to another bucket or prefix",
    "no retries": "MaximumRetryAttempts=0",
    "more time": f"Timeout={fact('timeout')}",
    "brake": "reserved concurrency of 0",
}

# %% diagnosis
diagnosis = dict.fromkeys(evidence)
# solution: Give each letter its failure and its repair, as in the example above.
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
# In production nobody reads line by line. **Logs Insights** asks the logs of all functions at once: which error, in which
# function, how often? `parse` cuts a field out of each line by a regular expression, and `stats` counts. The folded cell starts a query
# and waits for its rows ([notebook 03](03-billing.ipynb) shows it).


# %% ask folded
def ask(query, groups, since):
    """The result of a query of Logs Insights over log groups, as a table."""
    times = {"startTime": int(since.timestamp()), "endTime": int(time.time()) + 1}
    started = logs.start_query(queryString=query, logGroupNames=groups, **times)
    this, under_way = {"queryId": started["queryId"]}, ("Scheduled", "Running")
    wait_until(lambda: logs.get_query_results(**this)["status"] not in under_way)
    rows = logs.get_query_results(**this)["results"]
    return pd.DataFrame(
        [{each["field"]: each["value"] for each in row} for row in rows]
    )


# %%
query = r"""
parse @message /(?<error>\w+Error|\w+Exception|Task timed out)/
| filter ispresent(error)
| stats count(*) as times by @log, error
| sort times desc
"""
names = [cashier, worker["all_at_once"], counter, stamp]
errors = ask(query, [f"/aws/lambda/{each}" for each in names], charge_began)
errors

# %%
claim("the time limit is one of the errors", "Task timed out" in set(errors["error"]))

# %% [markdown]
# *stamp* may not be there: its loop breaks nothing, so no line of its log says that something is wrong. That is why it needs an alarm on its
# invocations.
#
# (Write the log as JSON, as in [notebook 01](01-what-is-lambda.ipynb), and each field can be asked without `parse`. Traces
# (*X-Ray*) follow one event through all functions. With the remote debugging of AWS's toolkit for your editor you can go through a function on AWS step by step.)
#
# ## What you have learned
#
# - Events come at least once. A function claims a key of the event with a conditional put before it acts. Pass the key on to close the gap
#   between two systems.
# - Trying again does not finish a job that is too long. Cut it, and let a queue or Step Functions hold the rest.
# - A command comes along in a layer or an image, executable and built for Amazon Linux.
# - Connections need a limit: a pool, a queue, or a database without them.
# - A function must not write where it is triggered, and its role can forbid it. Lambda stops simple loops after about {{recursive_loop}} runs; reserved
#   concurrency 0 stops any.
# - One query of Logs Insights says which errors all functions have, and how often.
# - What fails again and again goes to a dead-letter queue or an OnFailure destination, so that it is not lost.
# - Much of "does not fit" is now "fits, once it is repaired". These still do not fit: long computations in one piece, programs
#   that need a machine of their own, and code that cannot leave its program.
#
# **Next:** notebook [16](16-s3-to-slack.ipynb), a lab: your function from 09 runs by itself when a file comes. `python3 -m helpers clean` removes what
# this notebook made, when you no longer need it.

# %% notes [markdown]
# Minutes: 2
#
# Say: Read the slide once more. Which of its five cases would you still put there today?
