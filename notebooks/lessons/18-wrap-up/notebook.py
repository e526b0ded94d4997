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
# It takes about 20 minutes. Slides: "Answers", "Summary", in the part "Wrap-up".
#
# The section "Clean up, and prove it" removes from AWS **everything** that you have made in this workshop. Until you run it, nothing is lost. Most cells
# here ask AWS about functions of *yours*, also those of the notebooks before. What you have left out is no harm: the cell says which notebook makes it.

# %% imports
import base64
import json
import re
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from botocore.exceptions import ClientError
from helpers import clean, connect, deploy, draw_map, fact, load_prices, reports, track
from IPython.display import Markdown

workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## The goals
#
# The slides begin with three goals. This is where you have met them:
#
# | goal of the slides | notebooks |
# |---|---|
# | know what is special about FaaS | [01](01-what-is-lambda.ipynb) to [03](03-billing.ipynb): no servers, scaling, billed by time; [04](04-cold-start.ipynb) to [07](07-databases.ipynb): cold starts, EC2, limits, databases; [08](08-xaas.ipynb): its neighbours |
# | know where to use it, and its architectures | [10](10-what-fits.ipynb): what fits; [11](11-thumbnails.ipynb) to [14](14-event-driven-pdf.ipynb): four systems; [15](15-what-does-not-fit.ipynb): what does not fit |
# | write code that runs on AWS Lambda | [09](09-slack.ipynb), [16](16-s3-to-slack.ipynb), [17](17-s3-list-to-slack.ipynb), in the language of your choice |
#
# And they end with two sentences: Lambda is handy; mind where you use it, and how you design. The quiz is about the first one and a half, and
# the design after it about the rest.
#
# ## Exercise 1: the quiz
#
# Twelve questions. Each is about something that the notebook in brackets has measured. Answer from memory first.
#
# - **burst** (02): Ten calls come at once to a function that was deployed a moment ago. Each takes a second. How many cold starts?
#   *Answers:* `0`, `1`, `5`, `10`
# - **pinger** (04): Another function is pinged once a minute. Now ten such calls come at once. How many cold starts? *Answers:* `0`, `1`, `9`, `10`
# - **cold bill** (03): REPORT says `Init Duration: 90.40 ms` and `Duration: 2.10 ms`. How many milliseconds are billed today?
#   *Answers:* `3`, `91`, `93`, `100`
# - **rounding** (03): A warm call takes 2.00 ms at 128 MB. How many milliseconds were billed in 2019? *Answers:* `2`, `3`, `10`, `100`
# - **memory** (03): A function computes, in one thread. It gets {{vcpu_memory}} in place of 128. What happens?
#   *Answers:* `"faster, more expensive"`, `"faster, same price"`, `"as slow, more expensive"`
# - **ec2** (05): Up to which part of the month in use is Lambda with 2 GB cheaper than a `t3.small`, in per cent?
#   *Answers:* `2`, `23`, `50`, `88`
# - **timeout** (06): `Timeout` is 1 second. The handler waits for five, within `try`, and there is a `finally`. What happens after one?
#   *Answers:* `"killed"`, `"finally runs"`, `"runs on"`
# - **retries** (06): A function fails each time. It gets one event with `InvocationType="Event"`. How many runs? *Answers:* `1`, `2`, `3`, `6`
# - **connections** (07): Forty environments connect to a PostgreSQL with `max_connections=20`. What happens to those that find no room?
#   *Answers:* `"wait"`, `"refused"`, `"shared"`
# - **batch** (11): SQS hands over five messages in a batch, and the third makes the handler raise. How many come again?
#   *Answers:* `1`, `3`, `5`
# - **night** (12): A rule of EventBridge has `cron(0 23 ? * MON-FRI *)`. On which days does it fire, in Japan?
#   *Answers:* `"MON-FRI"`, `"TUE-SAT"`, `"SUN-THU"`
# - **charge** (15): The event of an order may come twice. What makes sure that its customer pays once?
#   *Answers:* `"no retries"`, `"look first"`, `"conditional put"`, `"more time"`
#
# Write your answers into the dict: numbers as they are, words in quotes. `hint("18.1")` in a cell of its own helps.

# %% quiz
questions = "burst, pinger, cold bill, rounding, memory, ec2, timeout, retries, connections, batch, night, charge"
answers = dict.fromkeys(questions.split(", "))
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

pd.Series(answers, name="answer").to_frame()

# %% [markdown]
# ## Do not take our word for it
#
# Now we ask AWS the same. One small function does all that is needed: it waits, computes, or fails, as the event says.

# %% function
name = workshop.name("quiz")
code = """
import hashlib
import time

def handler(event, context):
    digest = b""
    for _ in range(event.get("hashes", 0)):
        digest = hashlib.sha256(digest).digest()
    try:
        time.sleep(event.get("wait_s", 0))
    finally:
        print("finally")
    if event.get("fail"):
        raise ValueError("told to fail")
"""
arn = deploy(workshop, name, {"app.py": code}, MemorySize=128, Timeout=30)[
    "FunctionArn"
]
measured = {}

# %% [markdown]
# `configure` changes the function, which makes its next call cold. `call` sends an event.


# %% ten-at-once
def configure(**changes):
    lambda_client.update_function_configuration(FunctionName=name, **changes)
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)


def call(**event):
    return lambda_client.invoke(
        FunctionName=name, Payload=json.dumps(event), LogType="Tail"
    )


def ten_at_once():
    """Call ten times at once, a second each, and return what REPORT says."""
    began = datetime.now(UTC)
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: call(wait_s=1), range(10)))
    return reports(logs, name, at_least=10, since=began)


# %% [markdown]
# **burst** and **pinger**: ten at once without a warm environment, and ten at once with one. (On an AWS account with a limit of ten, other functions that run meanwhile
# can change the figures.)

# %% burst-and-pinger
for question, pings in {"burst": 0, "pinger": 1}.items():
    configure(Environment={"Variables": {"RUN": str(time.time())}})
    for _ in range(pings):
        call()
    calls = ten_at_once()
    measured[question] = (
        f"{calls['init_ms'].notna().sum()} of {len(calls)} calls were cold"
    )
measured

# %% [markdown]
# **cold bill** and **rounding**: the REPORT of a cold call and that of a warm one. Today's figure is `Billed Duration`; that of 2019 is a sum.

# %% cold-bill-and-rounding
configure(Environment={"Variables": {"RUN": str(time.time())}})
began = datetime.now(UTC)
call(), call()
cold, warm = reports(logs, name, at_least=2, since=began).to_dict("records")
measured["cold bill"] = (
    f"{cold['init_ms']:.2f} + {cold['duration_ms']:.2f} ms are billed as {cold['billed_ms']}"
)
in_2019 = np.ceil(warm["duration_ms"] / 100) * 100
measured["rounding"] = (
    f"{warm['duration_ms']:.2f} ms: {warm['billed_ms']} today, {in_2019:.0f} in 2019"
)

# %% [markdown]
# **memory**: the same computation at both sizes, the best of six warm calls each.


# %% memory
def billed_ms(memory_mb):
    configure(MemorySize=memory_mb)
    call()  # cold
    began = datetime.now(UTC)
    for _ in range(6):
        call(hashes=150_000)
    return reports(logs, name, at_least=6, since=began)["billed_ms"].min()


slow, fast = billed_ms(128), billed_ms(1769)
measured["memory"] = (
    f"{slow / fast:.1f} times as fast, for {fast * 1769 / (slow * 128):.2f} times the price"
)

# %% [markdown]
# **timeout** and **retries**. A failing event is tried again after one minute and after two more on AWS, so there the cell takes over three minutes. The embedded AWS takes the tag as
# the length of such a minute.

# %% timeout
configure(Timeout=1)
log = base64.b64decode(call(wait_s=5)["LogResult"]).decode()
status, billed_for = (
    re.search(pattern, log)[1]
    for pattern in ("Status: (.*)", "Billed Duration: (.*?)\t")
)
measured["timeout"] = f"{status}; {billed_for} billed; finally ran: {'finally' in log}"

# %% retries
configure(Timeout=30)
lambda_client.tag_resource(Resource=arn, Tags={"localaws:retry-seconds": "0.2"})
began = datetime.now(UTC)
waits = call(fail=True)
does_not_wait = lambda_client.invoke(
    FunctionName=name, Payload='{"fail": true}', InvocationType="Event"
)
runs = reports(logs, name, at_least=4, since=began, timeout=600)[
    "request_id"
].value_counts()
once, often = (
    runs[each["ResponseMetadata"]["RequestId"]] for each in (waits, does_not_wait)
)
measured["retries"] = f"{often} runs; when the caller waits, {once}"

# %% [markdown]
# **charge**: ten runs claim the same order at the same moment, with the condition that nobody has.

# %% table
dynamodb, table, order = (
    workshop.client("dynamodb"),
    workshop.name("quiz-orders"),
    str(uuid.uuid4()),
)
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


# %% charge
def claim(_):
    condition = {"ConditionExpression": "attribute_not_exists(id)"}
    try:
        dynamodb.put_item(TableName=table, Item={"id": {"S": order}}, **condition)
        return "claimed it"
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return "were refused"


with ThreadPoolExecutor(10) as threads:
    claims = Counter(threads.map(claim, range(10)))
measured["charge"] = ", ".join(
    f"{number} {what}" for what, number in sorted(claims.items())
)

# %% [markdown]
# **ec2** and **night** need no function: a list of prices, and a calendar.

# %% ec2-and-night
prices = load_prices()  # Tokyo, as in the slides
busy_hour = 2 * 3600 * prices["lambda"]["gb_second"]["x86_64"]  # 2 GB
break_even = prices["ec2_hour"]["t3.small"] / busy_hour
measured["ec2"] = f"the prices meet at {break_even:.1%}"

monday = datetime(2026, 11, 2, 23, tzinfo=UTC)
fires = [
    (monday + timedelta(days=day)).astimezone(ZoneInfo("Asia/Tokyo"))
    for day in range(5)
]
measured["night"] = (
    f"{', '.join(f'{moment:%a}' for moment in fires)} at {fires[0]:%H:%M}"
)

# %% [markdown]
# **connections** and **batch** would need their whole system once more. So we look into the logs that notebooks 07 and 11 have left, if you have run them on this AWS.


# %% connections-and-batch
def log_of(function):
    """All lines that a function of yours has logged; none when there is no such function."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{workshop.name(function)}"
    )
    try:
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


refused = sum("'C': '53300'" in line for line in log_of("orders-direct"))
measured["connections"] = (
    f"refused {refused} times, by its log" if refused else "run notebook 07 to see it"
)
tried = sum(
    line.startswith("try") and "pictures/mixed/beach.jpg" in line
    for line in log_of("thumbnail")
)
measured["batch"] = (
    f"a good picture was tried {tried} times" if tried else "run notebook 11 to see it"
)

# %% what-aws-says
pd.DataFrame({"your answer": answers, "AWS says": measured}).fillna("no answer")

# %% [markdown]
# Where the columns disagree, who is right? AWS is, and the notebook in brackets says why. (On a busy machine a call of the ten may find an environment that is free again
# already. {{vcpu_memory}} are 14 times 128 MB; a busy machine, where other programs take CPU from the faster call, stays below that. And the call that is stopped after
# 1 s was cold, so its init is billed on top.)
#
# ## The slides' claims, 2019 and today
#
# What have all your functions seen so far? Their log groups begin with your prefix, as in notebook 03. (In the folder `solutions` each notebook runs on an AWS of its own,
# so there the figures are those of this notebook's one function.)

# %% everything
prefix = f"{workshop.tags['learner']}-"
pages = logs.get_paginator("describe_log_groups").paginate(
    logGroupNamePrefix=f"/aws/lambda/{prefix}"
)
groups = [
    group["logGroupName"].removeprefix("/aws/lambda/")
    for page in pages
    for group in page["logGroups"]
]
frames = [
    reports(logs, group, at_least=0).assign(function=group)
    for group in track(groups, "reading logs")
]
everything = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
print(
    f"functions: {everything['function'].nunique()}, invocations: {len(everything):,}"
)

# %% present-figures
pages = lambda_client.get_paginator("list_functions").paginate()
mine = [
    each
    for page in pages
    for each in page["Functions"]
    if each["FunctionName"].startswith(prefix)
]
package_kb = max(each["CodeSize"] for each in mine) / 1024
limit = lambda_client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
points = workshop.client("cloudwatch").get_metric_statistics(
    Namespace="AWS/Lambda",
    MetricName="ConcurrentExecutions",
    StartTime=datetime.now(UTC) - timedelta(days=1),
    EndTime=datetime.now(UTC) + timedelta(minutes=1),
    Period=3600,
    Statistics=["Maximum"],
)["Datapoints"]
at_once = max(
    (int(point["Maximum"]) for point in points), default="not known yet"
)  # AWS's metrics come minutes late

# %% past-figures
is_cold = everything["init_ms"].notna()
memory, billed = everything["memory_mb"], everything["billed_ms"]
then = np.ceil(everything["duration_ms"] / 100) * 100
costlier = (memory * then).sum() / (memory * billed).sum()
stopped = (everything["status"] == "timeout").sum()
longest = everything["duration_ms"].max() / 1000

# %% [markdown]
# On the left what the slides say, in the middle what AWS says today (November 2026; the notebooks have the sources), and on the right what you have.

# %% slides
Markdown(f"""
| the slides, 2019 | today | yours |
|---|---|---|
| no instances to manage | unchanged | machines that you look after, below your functions (now {len(mine)}): 0 |
| 1,000 at once by default | unchanged; new accounts often start at {fact("concurrency_new_account")}; each function gets {fact("scaling"):,} more every {fact("scaling_period")} s | limit {limit:,}; at once at most: {at_once} |
| billed by 100 ms | by 1 ms since {fact("billing_by_1_ms"):%B %Y}; init is in it since {fact("billing_of_init"):%B %Y} | the rule of 2019 would bill {costlier:.1f} times your GB-seconds |
| cold starts | unchanged; since then AWS sells provisioned concurrency, and has SnapStart | {is_cold.sum()} of {len(everything):,}; {everything["init_ms"].median():.0f} ms of init (median) |
| ping it regularly | keeps one environment warm | with one ping, {measured["pinger"]} |
| 2 GB for a month: Lambda 88 dollars, EC2 19 | 87.60 and 19.86 | the same price at {break_even:.0%} of use |
| memory up to 3,008 MB | {fact("memory_max"):,} MB | largest so far: {memory.max():,} MB |
| 900 s | {fact("timeout"):,} s | longest run {longest:.1f} s; stopped at their limit: {stopped} |
| 50 MB zipped, 250 MB unzipped | unchanged; container images up to {fact("image")} GB | largest package now: {package_kb:,.1f} kB zipped |
| do not connect to RDS | connections still run out; RDS Proxy since 2020; VPC cold starts repaired in 2019 | {measured["connections"]} |
| rendering pages on Lambda scales better than a web server on EC2 | unchanged, where a server has too few workers | [notebook 13](13-rendering-pages.ipynb) |
| what breaks when retried does not fit | unchanged, until it is idempotent | one failing event: {measured["retries"]} |
| external commands do not fit | bring them along, in a layer or an image | [notebook 15](15-what-does-not-fit.ipynb) |
""")

# %% [markdown]
# Count the rows where "today" begins with *unchanged*. ({{timeout}} are new, since {{timeout.since}}: {{timeout.lag}}.) What AWS has changed are numbers: finer billing, larger limits. What has stayed is what you have to design for: one call
# for each environment, an end after {{timeout.minutes}}, events that come twice.
#
# ## The bill of the session
#
# All your invocations, at list price and without the free tier. (On the embedded AWS it is what AWS would charge for these milliseconds. Queues, tables and logs have prices of their own, which are
# cents here.)

# %% bill
price = prices["lambda"]
everything["GB-seconds"] = memory / 1024 * billed / 1000
everything["USD"] = (
    everything["GB-seconds"] * price["gb_second"]["x86_64"] + price["request"]
)
bill = everything.groupby("function").agg(
    invocations=("USD", "size"), gb_seconds=("GB-seconds", "sum"), USD=("USD", "sum")
)
total, most = bill["USD"].sum(), bill["USD"].idxmax()
print(
    f"{total:.6f} USD for {len(everything):,} invocations; {bill['USD'].max() / total:.0%} of it is {most}"
)
print(
    f"Of the month's free tier: {bill['gb_seconds'].sum() / price['free_gb_seconds']:.4%} of the GB-seconds"
)
bill.sort_values("USD", ascending=False).head(8).style.format(
    {"gb_seconds": "{:.3f}", "USD": "{:.8f}"}
)

# %% [markdown]
# ## Exercise 2: design a system
#
# > The staff of a travel agency photograph receipts. A photo has 2 to 8 MB and goes to S3: some fifty a day, and **3,000** more in the last hour of each month. A function reads what is on
# > the receipt. That is computing in **one thread**: with one whole vCPU it takes **6 seconds** on average, **25** for the worst photos, and it uses **600 MB**. Then it
# > calls a partner's booking service, which bears **20 calls at once** and books whatever it is told, as often as it is told. Nobody waits, but the 3,000 have to
# > be booked within **three hours**. No receipt may be lost, none booked twice, and what cannot be read is for a person to look at.
#
# The function works on one photo at a time (with a queue: `BatchSize=1`). Choose the words and the numbers; more than one choice is right, and the check gives its reason for each that is
# not. Lambda gives CPU in proportion to memory, and a whole vCPU at {{vcpu_memory}}: mind what that does to the seconds.
#
# - `"trigger"`: `"S3 event"`, `"schedule"` or `"function URL"`
# - `"in between"`, before the function: `"queue"` or `"nothing"`
# - `"idempotency key"`: `"request id"`, `"message id"`, `"bucket, key and version"`, `"hash of the photo"` or `"user"`
# - `"MemorySize"` of the function, in MB, and its `"Timeout"`, in seconds
# - `"MaximumConcurrency"` of the event source mapping
# - `"VisibilityTimeout"` of the queue, in seconds, and its `"maxReceiveCount"`, after which a message is a dead letter

# %% design
fields = "trigger, in between, MemorySize, Timeout, MaximumConcurrency, VisibilityTimeout, maxReceiveCount"
design = dict.fromkeys([*fields.split(", "), "idempotency key"])
# solution: Choose a value for each field, as in design["Timeout"] = 3.
design["trigger"] = "S3 event"
design["in between"] = "queue"
design["MemorySize"] = 1769  # one vCPU
design["Timeout"] = 60
design["MaximumConcurrency"] = 10
design["VisibilityTimeout"] = 6 * 60
design["maxReceiveCount"] = 5
design["idempotency key"] = "bucket, key and version"

# %% check-design
# check
check("18.2", design)

seconds = 6 * max(1, fact("vcpu_memory") / design["MemorySize"])  # of an average photo
minutes = 3000 * seconds / design["MaximumConcurrency"] / 60
gb_seconds = (3000 + 30 * 50) * seconds * design["MemorySize"] / 1024  # of a month
dollars = (
    gb_seconds * price["gb_second"]["x86_64"] + (3000 + 30 * 50) * price["request"]
)
print(
    f"The 3,000 are booked after {minutes:.0f} minutes. A month costs {dollars:.2f} USD without the free tier, whichever size you choose."
)

# %% [markdown]
# Try other numbers. Twice the concurrency takes half the time, and costs the same. Half of the memory with twice the concurrency takes as long as now, and costs the same, too. A
# server for this peak would idle on all other days.
#
# ## What you have solved

# %% map
ax = draw_map()

# %% [markdown]
# ## The answers of the labs, in three languages
#
# | lab | Python | Node.js | Ruby |
# |---|---|---|---|
# | 09 | [slack](lessons/09-slack/functions/slack/python/app.py) | [slack](lessons/09-slack/functions/slack/node/index.mjs) | [slack](lessons/09-slack/functions/slack/ruby/app.rb) |
# | 16 | [s3-to-slack](lessons/16-s3-to-slack/functions/s3-to-slack/python/app.py) | [s3-to-slack](lessons/16-s3-to-slack/functions/s3-to-slack/node/index.mjs) | [s3-to-slack](lessons/16-s3-to-slack/functions/s3-to-slack/ruby/app.rb) |
# | 17 | [s3-list-to-slack](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/python/app.py) | [s3-list-to-slack](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/node/index.mjs) | [s3-list-to-slack](lessons/17-s3-list-to-slack/functions/s3-list-to-slack/ruby/app.rb) |
#
# The cell shows one lab; change `lab` to see another. All other exercises have their answers in Python: `solution("06.1")`, for example.

# %% labs
lab = "17"
for language in ("python", "node", "ruby"):
    solution(lab, language)

# %% [markdown]
# ## Clean up, and prove it
#
# **From here on it is removed.** Your notebooks, your lab files and what you have solved stay.
#
# The workshop has kept a ledger of all that it made, and `clean` goes by that. But a ledger is a witness in its own cause. So we ask AWS itself, service by service: what is there whose name
# begins with your prefix? These are boto3's own lists, with the place of the names in each answer. (EC2 shows a terminated instance for another hour, so it does not count,
# and its name is a tag.)

# %% names-of-instances
NAMES_OF_INSTANCES = """
Reservations[].Instances[] | [?!contains('shutting-down terminated', State.Name)].Tags[] | [?Key=='Name'].Value
"""

# %% often
OFTEN = [
    ("lambda", "list_functions", "Functions[].FunctionName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings[].FunctionArn"),
    ("lambda", "list_layers", "Layers[].LayerName"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("s3", "list_buckets", "Buckets[].Name"),
    ("sqs", "list_queues", "QueueUrls[]"),
    ("sns", "list_topics", "Topics[].TopicArn"),
    ("dynamodb", "list_tables", "TableNames[]"),
    ("events", "list_rules", "Rules[].Name"),
    ("scheduler", "list_schedules", "Schedules[].Name"),
    ("stepfunctions", "list_state_machines", "stateMachines[].name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    ("apigatewayv2", "get_apis", "Items[].Name"),
]

# %% lists
LISTS = OFTEN + [
    ("rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    ("rds", "describe_db_proxies", "DBProxies[].DBProxyName"),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups[].DBParameterGroupName"),
    ("secretsmanager", "list_secrets", "SecretList[].Name"),
    (
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups[].AutoScalingGroupName",
    ),
    ("ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateName"),
    ("ec2", "describe_instances", NAMES_OF_INSTANCES),
    ("iam", "list_roles", "Roles[].RoleName"),
]


# %% yours
def yours():
    """How many things of each list have a name that begins with your prefix."""
    counts = {}
    for service, operation, place in track(LISTS, "asking AWS"):
        try:
            found = list(
                workshop.client(service)
                .get_paginator(operation)
                .paginate()
                .search(place)
            )
            names = [
                re.split("[/:]", each)[-1] for each in found if each
            ]  # of an ARN or a URL the end
            counts[f"{service}: {operation}"] = sum(
                each.startswith(prefix) for each in names
            )
        except ClientError as error:
            counts[f"{service}: {operation}"] = error.response["Error"]["Code"]
    return pd.Series(counts, dtype=object)


before = yours()

# %% [markdown]
# **Predict:** how many of these lists hold something of yours now?

# %%
predict("18.a")

# %% [markdown]
# Now let it go: `clean` says how much there is, and removes it when you type `yes`. (On AWS it may take some minutes: it asks AWS until each thing is gone.)

# %% clean
clean(workshop)

# %% proof
pd.DataFrame({"before": before, "after": yours()})

# %%
predicted("18.a", f"{(before != 0).sum()} of {len(before)}")

# %% [markdown]
# If you typed `yes`, the right column should hold zeros alone. (AWS's lists can lag by a moment: then run the cell again.) Should something of yours be left, it was made by hand under your prefix: the ledger does not hold it, so `clean` has named it and left it alone.
#
# On AWS, mind what does not go with a function: **log groups** stay when their function is deleted, and are kept for ever unless you say otherwise. So do queues, tables, and roles. `clean` knows them, since the
# ledger does. In your own projects let a template make everything, with CloudFormation, AWS SAM, CDK or Terraform, and delete the whole stack in one go.
#
# ## What to read next
#
# - [Best practices for working with Lambda functions](https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html): now you know the reason for each line.
# - [The life of an execution environment](https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html), and [Lambda quotas](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html):
#   look numbers up there, and not in slides.
# - [Serverless Applications Lens](https://docs.aws.amazon.com/wellarchitected/latest/serverless-applications-lens/welcome.html) of AWS's Well-Architected Framework: questions to ask of a design.
# - [Powertools for AWS Lambda](https://docs.aws.amazon.com/lambda/latest/dg/powertools-for-lambda.html): idempotency, batches, logging, ready-made.
# - [AWS SAM](https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/what-is-sam.html): what you did with boto3, as a template.
#
# ## What you have learned
#
# - FaaS: one function, run for each event, on machines that are not your work, billed by the millisecond.
# - One environment serves one call at a time. Cold starts, bursts, connections and throttling all follow from that.
# - Events come at least once. What is harmful twice needs a key and a conditional write.
# - Lambda is handy for bursts, events and work that nobody waits for. For what runs all day, for long, or always in a few milliseconds, there are others.
# - Mind where you use it, and how you design it. You have measured why.
