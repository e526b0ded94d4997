# %% [markdown]
# # 18 Wrap-up
#
# After this notebook you will be able to
#
# - say what the slides wanted you to know, and where you have measured it;
# - tell what has changed since 2019, and what has not;
# - design a system around Lambda, and give a reason for each number in it;
# - leave an AWS account as you found it, and prove that.
#
# It takes about 30 minutes. Slides: "Answers" (回答例, page 38) and "Summary" (まとめ, page 39), in the part "Wrap-up".
#
# The section "Clean up, and prove it" removes from AWS **everything** that you have made in this workshop. Until you run it, nothing is removed. A cell that looks for
# something of an earlier notebook says so where it is not there.

# %% notes [markdown]
# Minutes: 1
#
# Say: Two sentences are on the last slide: Lambda is useful; think well about where you use it. Here you prove both
# to yourselves. Nothing is removed before the section that says so.

# %% imports
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from helpers import clean, connect, deploy, draw_map, load_prices, reports, track, watch

workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, claim, fact, hint, predict, predicted, solution

# %% [markdown]
# ## The goals
#
# The slides begin with three goals (ゴール). They are the goals of this workshop, too. This is where you have worked on them:
#
# | goal | notebooks |
# |---|---|
# | know what is special about FaaS | [01](01-what-is-lambda.ipynb) to [03](03-billing.ipynb): no servers, scaling, billed by time; [04](04-cold-start.ipynb) to [07](07-databases.ipynb): cold starts, EC2, limits, databases; [08](08-xaas.ipynb): its neighbours |
# | know where to use it, and how to design for it | [10](10-what-fits.ipynb): what fits; [11](11-thumbnails.ipynb) to [14](14-event-driven-pdf.ipynb): four systems; [15](15-what-does-not-fit.ipynb): what does not fit |
# | write code that runs on AWS Lambda | [09](09-slack.ipynb), [16](16-s3-to-slack.ipynb), [17](17-s3-list-to-slack.ipynb), in the language of your choice |
#
# The last slide has two sentences: Lambda is useful; think well about where you use it, and about the architecture. The quiz is about the first, the design about the
# second.
#
# ## Exercise 1: the quiz
#
# Twelve questions. The notebook in brackets measures the answer. Answer from memory first.
#
# - **burst** (02): Ten calls come at once to a function that was deployed a moment ago. Each takes a second. How many cold starts?
#   *Answers:* `0`, `1`, `5`, `10`
# - **pinger** (04): A ping keeps another function warm: one call each minute. Now ten such calls come at once. How many cold starts? *Answers:* `0`, `1`, `9`, `10`
# - **cold bill** (03): REPORT says `Init Duration: 90.40 ms` and `Duration: 2.10 ms`. How many milliseconds are billed today?
#   *Answers:* `3`, `91`, `93`, `100`
# - **rounding** (03): A warm call takes 2.00 ms at 128 MB. How many milliseconds were billed in 2019? *Answers:* `2`, `3`, `10`, `100`
# - **memory** (03): A function computes, in one thread. You give it {{vcpu_memory}} instead of 128 MB. What happens?
#   *Answers:* `"faster, more expensive"`, `"faster, same price"`, `"as slow, more expensive"`
# - **ec2** (05): A function with 2 GB runs for a part of the month. Up to how many per cent of the month is it cheaper than a `t3.small`?
#   *Answers:* `2`, `23`, `50`, `88`
# - **timeout** (06): `Timeout` is 1 second. The handler waits for five, inside `try`, and there is a `finally`. What happens after one second?
#   *Answers:* `"killed"`, `"finally runs"`, `"runs on"`
# - **retries** (06): A function fails each time. It gets one event with `InvocationType="Event"`. How many runs? *Answers:* `1`, `2`, `3`, `6`
# - **connections** (07): Forty environments connect to a PostgreSQL with `max_connections=20`. What happens to those that find no room?
#   *Answers:* `"wait"`, `"refused"`, `"shared"`
# - **batch** (11): A function gets a batch of five messages from SQS, and raises an error at the third. How many come again?
#   *Answers:* `1`, `3`, `5`
# - **night** (12): A rule of EventBridge has `cron(0 23 ? * MON-FRI *)`. On which days does it run, in Japan?
#   *Answers:* `"MON-FRI"`, `"TUE-SAT"`, `"SUN-THU"`
# - **charge** (15): The event of an order may come twice. What makes sure that the customer pays once?
#   *Answers:* `"no retries"`, `"look first"`, `"conditional put"`, `"more time"`
#
# Write your answers into the dict: numbers without quotes, words with quotes. `hint("18.1")` in a cell of its own helps.

# %% notes [markdown]
# Minutes: 1
#
# Say: Read the three goals, and ask for a hand for each that is reached. The table says where to go back to.

# %% notes [markdown]
# Minutes: 6
#
# Say: Everybody alone, from memory, five minutes. Then in pairs: where you disagree, the number in brackets says
# which notebook has measured it.
#
# Goes wrong: Numbers in quotes: the check asks for numbers without. *pinger* is answered with ten or with one.
# *rounding* is about 2019. *batch* is answered with one or with three; all five come again. *night*: the rule counts
# in UTC.
#
# Skip: In an evening do it aloud, with hands; it closes the day well.

# %% quiz
first = ["burst", "pinger", "cold bill", "rounding", "memory", "ec2"]
last = ["timeout", "retries", "connections", "batch", "night", "charge"]
answers = dict.fromkeys(first + last)
# solution: Answer each question, as in answers["burst"] = 5.
answers["burst"] = 10
answers["pinger"] = 9
answers["cold bill"] = 93
answers["rounding"] = 100
answers["memory"] = "faster, same price"
answers["ec2"] = 23
answers["timeout"] = "killed"
answers["retries"] = 3
answers["connections"] = "refused"
answers["batch"] = 5
answers["night"] = "TUE-SAT"
answers["charge"] = "conditional put"

# %% check-quiz
# check
check("18.1", answers)

# %% [markdown]
# ## Let AWS check the answers
#
# Now we ask AWS. One small function is enough: it computes, waits or fails, as the event says.

# %% notes [markdown]
# Minutes: 5
#
# Say: A quiz that the machine answers. Where your answer and the figure differ, trust neither: look at why.
#
# Goes wrong: On AWS the cell of the retries takes more than three minutes. On a busy laptop *memory* may not be met;
# run its cells again.
#
# Skip: Let the cells run while you talk about the quiz, and show the table alone.

# %% code
code = """
import hashlib, time

def handler(event, context):
    for _ in range(event.get("hashes", 0)):
        hashlib.sha256(b"Lambda").digest()
    try:
        time.sleep(event.get("wait_s", 0))
    finally:
        print("finally")
    if event.get("fail"):
        raise ValueError("told to fail")
"""

# %% function
name, measured = workshop.name("quiz"), {}
function = deploy(workshop, name, {"app.py": code}, MemorySize=128, Timeout=30)

# %% [markdown]
# `call` sends an event. `make_cold` changes the function's environment variable, so that its next call is cold.


# %% call
def call(**event):
    payload = json.dumps(event)
    return lambda_client.invoke(FunctionName=name, Payload=payload)


# %% configure
def configure(**changes):
    lambda_client.update_function_configuration(FunctionName=name, **changes)
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)


def make_cold():
    configure(Environment={"Variables": {"RUN": str(time.time())}})


# %% [markdown]
# **burst** and **pinger**: ten calls at once, a second each; first without a warm environment, then with one. (On an AWS account with a limit of ten, other functions that
# run at the same time can change the figures.)


# %% ten-at-once
def ten_at_once():
    """Call ten times at once; return how many calls were cold."""
    began = datetime.now(UTC)
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: call(wait_s=1), range(10)))
    return reports(logs, name, at_least=10, since=began)["init_ms"].count()


# %% burst-and-pinger
make_cold()
burst = ten_at_once()
make_cold()
call()  # the ping
pinger = ten_at_once()

# %% cold-calls
measured["burst"] = f"{burst} of 10 calls were cold"
measured["pinger"] = f"{pinger} of 10 calls were cold"
claim("ten of ten calls are cold, and nine after a ping", (burst, pinger) == (10, 9))

# %% [markdown]
# **cold bill** and **rounding**: the REPORT of a cold call and of a warm one. `Billed Duration` is today's figure. We compute that of 2019.

# %% cold-bill-and-rounding
make_cold()
began = datetime.now(UTC)
call(), call()
cold, warm = reports(logs, name, at_least=2, since=began).to_dict("records")

# %% cold-bill
parts = f"{cold['init_ms']:.2f} + {cold['duration_ms']:.2f} ms"
measured["cold bill"] = f"{parts} are billed as {cold['billed_ms']}"
claim("init is billed", cold["billed_ms"] > cold["init_ms"])

# %% bill-of-2019
in_2019 = int(np.ceil(warm["duration_ms"] / 100)) * 100
today = f"{warm['duration_ms']:.2f} ms: {warm['billed_ms']} today"
measured["rounding"] = f"{today}, {in_2019} in 2019"
claim("a short call was billed as 100 ms in 2019", in_2019 == 100)

# %% [markdown]
# **memory**: the same computation with both sizes. We take the best of six warm calls, since other programs can only slow a call down.


# %% memory
def billed_ms(memory_mb):
    configure(MemorySize=memory_mb)
    call()  # cold
    began = datetime.now(UTC)
    for _ in track(range(6), f"calls with {memory_mb:,} MB"):
        call(hashes=200_000)
    return reports(logs, name, at_least=6, since=began)["billed_ms"].min()


# %% memory-prices
slow, fast = billed_ms(128), billed_ms(fact("vcpu_memory"))
faster = slow / fast
costlier = fact("vcpu_memory") / 128 / faster
measured["memory"] = f"{faster:.1f} times as fast, for {costlier:.2f} times the price"
claim("more memory is faster, for about the same price", 0.8 < costlier < 1.25)

# %% [markdown]
# **timeout** and **retries**. A failing event is tried again after one minute, and once more after two. So the second cell takes more than three minutes on AWS. The embedded
# AWS reads from the tag how long such a minute is.

# %% timeout
configure(Timeout=1)
began = datetime.now(UTC)
call(wait_s=5)
[stopped] = reports(logs, name, at_least=1, since=began).to_dict("records")

# %% stopped
stream = {
    "logGroupName": f"/aws/lambda/{name}",
    "logStreamNames": [stopped["environment"]],
}
lines = logs.filter_log_events(**stream)["events"]
finally_ran = "finally" in "".join(line["message"] for line in lines)
ended = f"{stopped['status']}; {stopped['billed_ms']} ms billed"
measured["timeout"] = f"{ended}; finally ran: {finally_ran}"
claim("at its time limit the handler is stopped", not finally_ran)

# %% retries
arn = function["FunctionArn"]
lambda_client.tag_resource(Resource=arn, Tags={"localaws:retry-seconds": "0.2"})
configure(Timeout=30)
began = datetime.now(UTC)
waits = call(fail=True)

# %% tries
event = {"FunctionName": name, "Payload": '{"fail": true}'}
does_not_wait = lambda_client.invoke(**event, InvocationType="Event")
seen = reports(logs, name, at_least=4, since=began, timeout=600)

# %% runs
runs = seen["request_id"].value_counts()
ids = [each["ResponseMetadata"]["RequestId"] for each in (waits, does_not_wait)]
once, often = runs.reindex(ids)
measured["retries"] = f"{often} runs; when the caller waits, {once}"
claim("an event that fails runs three times", (once, often) == (1, 3))

# %% [markdown]
# **charge**: ten runs write the same order at the same moment, on the condition that it is not there yet. The folded cell makes the table.

# %% table folded
import uuid

dynamodb, table = workshop.client("dynamodb"), workshop.name("quiz-orders")
order = str(uuid.uuid4())
try:
    dynamodb.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
except dynamodb.exceptions.ResourceInUseException:
    print("The table is there already.")
dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


# %% conditional-put
def may_charge(_):
    put = {"TableName": table, "Item": {"id": {"S": order}}}
    try:
        dynamodb.put_item(**put, ConditionExpression="attribute_not_exists(id)")
        return True
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False


# %% charge
with ThreadPoolExecutor(10) as threads:
    charges = sum(threads.map(may_charge, range(10)))
measured["charge"] = f"{charges} may charge, {10 - charges} are refused"
claim("one of ten runs may charge", charges == 1)

# %% [markdown]
# **ec2** and **night** need no function: a list of prices, and a calendar.

# %% ec2
prices = load_prices()  # Tokyo, as in the slides
busy_hour = 2 * 3600 * prices["lambda"]["gb_second"]["x86_64"]  # 2 GB
break_even = prices["ec2_hour"]["t3.small"] / busy_hour
measured["ec2"] = f"the prices meet at {break_even:.1%}"

# %% night
days = pd.date_range("2026-11-02 23:00", periods=5, tz="UTC")  # Monday to Friday
in_japan = days.tz_convert("Asia/Tokyo")
measured["night"] = f"{', '.join(in_japan.strftime('%a'))} at {in_japan[0]:%H:%M}"

# %% [markdown]
# **connections** and **batch** would need their whole system again. So we look into the logs of notebooks 07 and 11, if you have run them on this AWS.


# %% log-of
def log_of(function):
    """All lines in the log of a function of yours; none where there is no such log."""
    group = f"/aws/lambda/{workshop.name(function)}"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    try:
        return [line["message"] for page in pages for line in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


# %% connections
see = "run notebook {} to see it".format
refused = sum("'C': '53300'" in line for line in log_of("orders-direct"))
measured["connections"] = f"refused {refused} times" if refused else see("07")

# %% batch
tries = [line for line in log_of("thumbnail") if line.startswith("try")]
tried = sum("pictures/mixed/beach.jpg" in line for line in tries)
measured["batch"] = f"a good picture was tried {tried} times" if tried else see("11")

# %% what-aws-says
pd.DataFrame({"your answer": answers, "AWS says": measured}).fillna("no answer")

# %% [markdown]
# Where an answer of yours differs from what AWS says, read the notebook in brackets. Where a figure surprises you, measure again: other programs on this machine
# slow calls down. (A cell above may say "Not measured this time".) Three remarks:
#
# - **memory**: {{vcpu_memory}} are about 14 times 128 MB. So a millisecond costs 14 times as much, and a function that is 14 times as fast costs the same.
# - **timeout**: the call was cold, so its init is billed on top of the 1,000 ms.
# - **batch**: all five messages come again, so the good pictures beside the bad one are tried again, too.
#
# ## The slides, 2019 and today
#
# *Today* is {{timeout.checked}}. The notebooks name the sources.
#
# | the slides, 2019 | today |
# |---|---|
# | no instances to manage | unchanged |
# | {{concurrency.slides}} at once by default | unchanged; new accounts often start with {{concurrency_new_account}}; each function gets up to {{scaling}} more every {{scaling_period}} |
# | billed by {{billing_by_1_ms.slides}} | by 1 ms since {{billing_by_1_ms}}; init is billed since {{billing_of_init}} |
# | cold starts | unchanged; AWS also sells provisioned concurrency and SnapStart (notebook 04) |
# | ping it regularly | unchanged: a ping keeps one environment warm |
# | 2 GB for a month: Lambda 88 dollars, EC2 19 | unchanged: 87.60 and 19.86 for 730 hours in Tokyo |
# | memory up to {{memory_max.slides}} | {{memory_max}} |
# | at most {{timeout.slides}} | {{timeout}}, since {{timeout.since}} ({{timeout.lag}}) |
# | {{zip}} zipped, {{unzipped}} unzipped | unchanged; container images up to {{image}} |
# | do not connect to RDS | connections still run out; RDS Proxy since 2020; cold starts in a VPC are fast since 2019 |
# | rendering pages on Lambda scales better than a web server on EC2 | unchanged, where a server has too few workers ([13](13-rendering-pages.ipynb)) |
# | what breaks when it is tried again does not fit | unchanged, until you make it idempotent ([15](15-what-does-not-fit.ipynb)) |
# | external commands do not fit | they work in a layer or an image ([15](15-what-does-not-fit.ipynb)) |
#
# Count the rows that begin with *unchanged*. AWS has changed numbers: finer billing, larger limits. What you design for has stayed: one call
# at a time in each environment, a time limit, events that come twice.
#
# ## Your session
#
# What have all your functions done? Their log groups begin with your prefix, as in notebook 03. (A notebook in the folder `solutions` runs on an AWS of its own,
# so there you see this notebook's one function.)

# %% notes [markdown]
# Minutes: 2
#
# Say: Count the rows that begin with *unchanged*. Numbers have changed, the design has not.

# %% notes [markdown]
# Minutes: 2
#
# Say: Your own day in ten figures. Who has the most cold starts, who the longest run?
#
# Goes wrong: In the folder `solutions` only the one function of this notebook is there, as a solution runs on an AWS
# of its own.

# %% everything
prefix = f"{workshop.tags['learner']}-"
lister = logs.get_paginator("describe_log_groups")
groups = lister.paginate(logGroupNamePrefix=f"/aws/lambda/{prefix}")
functions = [path.split("/")[-1] for path in groups.search("logGroups[].logGroupName")]

# %% read-logs
frames = []
for each in track(functions, "reading logs"):
    frames.append(reports(logs, each, at_least=0).assign(function=each))
everything = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
print(
    f"functions: {everything['function'].nunique()}, invocations: {len(everything):,}"
)

# %% [markdown]
# The folded cell asks AWS for your limit, your functions and the metric of concurrency, and puts the figures together.

# %% your-figures folded
pages = lambda_client.get_paginator("list_functions").paginate()
mine = [
    each
    for each in pages.search("Functions[]")
    if each["FunctionName"].startswith(prefix)
]
limit = lambda_client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
points = workshop.client("cloudwatch").get_metric_statistics(
    Namespace="AWS/Lambda",
    MetricName="ConcurrentExecutions",
    StartTime=datetime.now(UTC) - timedelta(days=1),
    EndTime=datetime.now(UTC) + timedelta(minutes=1),
    Period=3600,
    Statistics=["Maximum"],
)["Datapoints"]  # AWS's metrics come minutes late
at_once = max((int(point["Maximum"]) for point in points), default="not known yet")

memory, billed = everything["memory_mb"], everything["billed_ms"]
duration, init = everything["duration_ms"], everything["init_ms"]
in_2019 = (memory * np.ceil(duration / 100) * 100).sum() / (memory * billed).sum()
package_kb = max(each["CodeSize"] for each in mine) / 1024
figures = {
    "machines that you look after": "0",
    "functions now": f"{len(mine)}",
    "at once, at most": f"{at_once} of {limit:,}",
    "cold starts": f"{init.count()} of {len(init):,}",
    "init, median": f"{init.median():.0f} ms",
    "GB-seconds by the rule of 2019": f"{in_2019:.1f} times as many",
    "largest memory": f"{memory.max():,} MB",
    "longest run": f"{duration.max() / 1000:.1f} s",
    "stopped at their time limit": f"{(everything['status'] == 'timeout').sum()}",
    "largest package": f"{package_kb:,.1f} kB",
}
pd.Series(figures, name="your session").to_frame()

# %% [markdown]
# ## The bill of the session
#
# All your invocations, at the list price of x86 and without the free tier. (A REPORT does not say that a function ran on arm64.) On the embedded AWS it is what AWS would charge for these milliseconds. Queues, tables and logs have prices of their own; here they
# are cents.

# %% notes [markdown]
# Minutes: 1
#
# Say: Let everybody read out the total. It is a matter of cents; ask what a server for today would have cost.

# %% bill
price = prices["lambda"]
gb_seconds = memory / 1024 * billed / 1000
everything["USD"] = gb_seconds * price["gb_second"]["x86_64"] + price["request"]
bill = everything.groupby("function")["USD"].agg(invocations="size", USD="sum")
bill.nlargest(8, "USD").style.format({"USD": "{:.8f}"})

# %% total
free = gb_seconds.sum() / price["free_gb_seconds"]
print(f"{bill['USD'].sum():.6f} USD; {free:.4%} of the free GB-seconds of a month")

# %% [markdown]
# ## Exercise 2: design a system
#
# > The staff of a travel agency photograph receipts. A photo has 2 to 8 MB and goes to S3, into a bucket with versioning: some fifty a day, and **3,000** more in the last hour of each month. A function reads what is on
# > the receipt. That is computing in **one thread**: with one whole vCPU it takes **6 seconds** on average, **25** for the worst photos, and it uses **600 MB**. Then it
# > calls a partner's booking service, which handles **20 calls at once**. The service books each call that it gets, also the same receipt twice. Nobody waits, but the 3,000 must
# > be booked within **three hours**. No receipt may be lost, none booked twice, and a person looks at what cannot be read.
#
# The function works on one photo at a time (with a queue: `BatchSize=1`). Choose the words and the numbers. More than one choice is right, and the check gives its reason for each that is
# not. Lambda gives CPU in proportion to memory, and a whole vCPU with {{vcpu_memory}}. With less, the seconds above grow.
#
# - `"trigger"`: `"S3 event"`, `"schedule"` or `"function URL"`
# - `"in between"`, before the function: `"queue"` or `"nothing"`
# - `"idempotency key"`: `"request id"`, `"message id"`, `"bucket, key and version"`, `"hash of the photo"` or `"user"`
# - `"MemorySize"` of the function, in MB, and its `"Timeout"`, in seconds
# - `"MaximumConcurrency"` of the event source mapping
# - `"VisibilityTimeout"` of the queue, in seconds, and its `"maxReceiveCount"`: after so many tries a message goes to the dead-letter queue

# %% notes [markdown]
# Minutes: 7
#
# Say: In groups of three, one sheet of paper: first the words, then the numbers, each with a reason. Only then the
# check. More than one design is right, so compare two of them.
#
# Goes wrong: 128 MB: the process is killed, as it uses more. A `Timeout` that stops the worst photos: with less
# memory the work is slower, so it needs a longer one. A thousand at once, and the partner takes twenty. A visibility
# timeout below the `Timeout`. The request id or the message id as the key: both are new when the same receipt comes
# again.

# %% design
words, sizes = ["trigger", "in between", "idempotency key"], ["MemorySize", "Timeout"]
queue = ["MaximumConcurrency", "VisibilityTimeout", "maxReceiveCount"]
design = dict.fromkeys(words + sizes + queue)
# solution: Choose a value for each field, as in design["Timeout"] = 3.
design["trigger"] = "S3 event"
design["in between"] = "queue"
design["MemorySize"] = 1769  # one vCPU
design["Timeout"] = 60
design["MaximumConcurrency"] = 10
design["VisibilityTimeout"] = 6 * 60
design["maxReceiveCount"] = 5
design["idempotency key"] = "bucket, key and version"

# %% [markdown]
# The folded cell defines `cost_of`: it says how long your design takes, and what it costs.


# %% cost-of folded
def cost_of(design):
    seconds = 6 * max(1, fact("vcpu_memory") / design["MemorySize"])  # of one photo
    minutes = 3000 * seconds / design["MaximumConcurrency"] / 60
    photos = 3000 + 30 * 50  # a month
    gb_seconds = photos * seconds * design["MemorySize"] / 1024
    dollars = gb_seconds * price["gb_second"]["x86_64"] + photos * price["request"]
    print(f"The 3,000 are booked after {minutes:.0f} minutes.")
    print(f"A month costs {dollars:.2f} USD without the free tier.")


# %% check-design
# check
check("18.2", design)
cost_of(design)

# %% [markdown]
# Try other numbers. Twice the concurrency takes half the time, for the same price. Half the memory with twice the concurrency takes the same time, for the same price. A
# server for the last hour of a month has nearly nothing to do on all other days.
#
# ## What you have solved

# %% notes [markdown]
# Minutes: 1
#
# Say: Look at the ticks, and be content. The open ones are for home.

# %% map
ax = draw_map()

# %% [markdown]
# ## The answers of the labs, in three languages
#
# A click opens a file. `solution("17.2", "ruby")` in a cell of its own shows one here.
#
# | lab | Python | Node.js | Ruby |
# |---|---|---|---|
# | 09 | [slack](lessons/09-slack/functions/slack/python/app.py) | [slack](lessons/09-slack/functions/slack/node/index.mjs) | [slack](lessons/09-slack/functions/slack/ruby/app.rb) |
# | 16 | [s3-to-slack](lessons/16-s3-to-slack/functions/s3-to-slack/python/app.py) | [s3-to-slack](lessons/16-s3-to-slack/functions/s3-to-slack/node/index.mjs) | [s3-to-slack](lessons/16-s3-to-slack/functions/s3-to-slack/ruby/app.rb) |
# | 17 | [s3-list-to-slack](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/python/app.py) | [s3-list-to-slack](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/node/index.mjs) | [s3-list-to-slack](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/ruby/app.rb) |
#
# The slides link to [answers of their own](https://github.com/reireias/lambda-examples), in the same three languages. All other exercises have answers in Python: `solution("06.1")`, for example.
#
# ## Clean up, and prove it
#
# **From here on, things are removed.** Your notebooks, your lab files and what you have solved stay.
#
# The workshop keeps a list of all that it makes, the *ledger*, and `clean` removes what is in it. But such a list
# cannot prove that it is complete. So we ask AWS itself, service by service: whose
# name begins with your prefix? The folded cell has boto3's lists, and where the names are in each answer. (EC2 still shows a terminated instance for about an hour; it does not count.)

# %% notes [markdown]
# Minutes: 0
#
# Say: For those who want to compare languages, at home.
#
# Skip: All of it.

# %% notes [markdown]
# Minutes: 4
#
# Say: A list of what you have made cannot prove that it is complete, so ask AWS itself. Guess first how many services
# hold something of yours. On AWS nobody leaves the room before the right column is zero.
#
# Goes wrong: Nothing is removed, since `yes` was not typed. Something is left with their prefix: it was made by hand,
# in the console for example, and `clean` names it. On AWS it can take some minutes.
#
# Answer 18.a: It depends on what each person has run. After a whole day there are functions, log groups, buckets,
# queues, roles and more; in the solution, which runs alone, only a few.

# %% lists folded
import re

from botocore.exceptions import ClientError

LISTS = """
lambda list_functions Functions[].FunctionName
lambda list_event_source_mappings EventSourceMappings[].FunctionArn
lambda list_layers Layers[].LayerName
logs describe_log_groups logGroups[].logGroupName
s3 list_buckets Buckets[].Name
sqs list_queues QueueUrls[]
sns list_topics Topics[].TopicArn
dynamodb list_tables TableNames[]
events list_rules Rules[].Name
scheduler list_schedules Schedules[].Name
stepfunctions list_state_machines stateMachines[].name
cloudwatch describe_alarms MetricAlarms[].AlarmName
apigatewayv2 get_apis Items[].Name
rds describe_db_instances DBInstances[].DBInstanceIdentifier
rds describe_db_proxies DBProxies[].DBProxyName
rds describe_db_parameter_groups DBParameterGroups[].DBParameterGroupName
secretsmanager list_secrets SecretList[].Name
autoscaling describe_auto_scaling_groups AutoScalingGroups[].AutoScalingGroupName
ec2 describe_launch_templates LaunchTemplates[].LaunchTemplateName
iam list_roles Roles[].RoleName
"""
LISTS = [line.split() for line in LISTS.strip().splitlines()]
on = "Reservations[].Instances[] | [?!contains('shutting-down terminated', State.Name)]"
LISTS.append(["ec2", "describe_instances", f"{on}.Tags[] | [?Key=='Name'].Value"])


# %% count
def count(service, operation, place):
    """How many names of this list begin with your prefix."""
    try:
        pages = workshop.client(service).get_paginator(operation).paginate()
        names = [re.split("[/:]", each)[-1] for each in pages.search(place) if each]
        return sum(each.startswith(prefix) for each in names)
    except ClientError as error:
        return error.response["Error"]["Code"]


# %% yours
def yours():
    lists = track(LISTS, "asking AWS")
    counts = {f"{each[0]}: {each[1]}": count(*each) for each in lists}
    return pd.Series(counts, dtype=object)


before = yours()

# %% [markdown]
# **Predict:** how many of these lists hold something of yours now?

# %%
predict("18.a")

# %% [markdown]
# Now remove it: `clean` says how much there is, and removes it when you type `yes`. (On AWS this may take some minutes: it asks AWS until each thing is gone.)
#
# The picture (notebook [14](14-event-driven-pdf.ipynb)) shows the system that you have made. Look at it before you type: what leads to what? At the end nothing should stay.

# %% clean
with watch(workshop, show="system"):
    clean(workshop)

# %% proof
pd.DataFrame({"before": before, "after": yours()})

# %%
predicted("18.a", f"{(before != 0).sum()} of {len(before)}")

# %% [markdown]
# If you typed `yes`, the right column shows only zeros. (AWS's lists can be late by a moment: then run the cell again.) If something is left, somebody made it by hand, with
# your prefix. It is not in the ledger, so `clean` names it and does not remove it.
#
# On AWS, remember what does not go with a function. Its **log group** stays, and keeps the logs for ever unless you set a retention (the workshop sets a week). Queues, tables and roles stay, too. `clean` knows them from its
# ledger. These notebooks always ran `$LATEST`, the newest state of a function. In production publish **versions**, and let callers use an **alias**: it can send 10% of the calls to the new version first,
# and going back is one call. In your own projects let a template make everything, with CloudFormation, AWS SAM, CDK or Terraform, and delete the whole stack at once.
#
# ## What to read next
#
# - [Best practices for working with Lambda functions](https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html): now you have measured the reasons for many of them.
# - [The life of an execution environment](https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html), and [Lambda quotas](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html):
#   look numbers up there, and not in slides.
# - [Serverless Applications Lens](https://docs.aws.amazon.com/wellarchitected/latest/serverless-applications-lens/welcome.html) of AWS's Well-Architected Framework: questions to ask about a design.
# - [Powertools for AWS Lambda](https://docs.aws.amazon.com/lambda/latest/dg/powertools-for-lambda.html): idempotency, batches and logging, ready to use.
# - [AWS SAM](https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/what-is-sam.html): what you did with boto3, as a template.
#
# ## What you have learned
#
# - FaaS: one function, run for each event, on machines that you do not look after, billed by the millisecond.
# - One environment serves one call at a time. Cold starts, bursts, connections and throttling all follow from that.
# - Events come at least once. What is harmful twice needs a key and a conditional write.
# - Lambda is useful for bursts, for events, and for work that nobody waits for. For what runs all day, for long, or always in a few milliseconds, choose something else.
# - Think well about where you use it, and about the architecture. You have measured why.

# %% notes [markdown]
# Minutes: 0
#
# Say: Take one of these, and not all.

# %% notes [markdown]
# Minutes: 1
#
# Say: Last question to each person: what will you *not* put on Lambda?
