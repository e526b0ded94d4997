# %% [markdown]
# # 02 Scaling
#
# After this notebook you will be able to
#
# - say how many execution environments a load needs, before you try it;
# - see in the log which environment ran which call, and which calls were cold;
# - cap a function with reserved concurrency, and recognise a call that was throttled;
# - read concurrency and throttles from CloudWatch;
# - work out how fast AWS can follow a load that you expect.
#
# It takes about 30 minutes. Slides: "Features of Lambda, part 2: high scalability", in the part "Know Lambda".
#
# The slide says three things: scaling is far easier than with instances, {{concurrency.slides}} calls can run at once by default, and it
# is fast. We take them in turn. Environments, cold starts and throttles are real on the embedded AWS too, but this
# machine has a few cores, not a data centre. So the bursts are of tens of calls, and the thousands are a sum. On AWS the calls of this notebook cost less than a tenth of
# a cent together.

# %%
import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from botocore.config import Config
from helpers import connect, deploy, explore, plot_timeline, reports, track
from helpers.plots import BLUE, GREEN, ORANGE, PINK, RED

workshop = connect()
lambda_client = workshop.client("lambda")
logs = workshop.client("logs")
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## How many at once? A sum first
#
# Lambda runs a function in **execution environments**. One environment serves **one invocation at a time**. While it is
# busy, a second call needs a second environment, and making one is a **cold start**. A call that finds a free environment
# is **warm**. How many are busy at the same time is called **concurrency**.
#
# (That is so for Event Functions on Lambda's own capacity, the subject of these notebooks. On [Managed Instances]({{managed_instances.source}}), since {{managed_instances}},
# and in *Web Functions* one environment serves several at a time: notebook 08.)
#
# You need no experiment to know it. When 10 calls come every second, and each takes half a second, then 5 are running on
# average. This is Little's law: **concurrency = calls per second × seconds per call**.
#
# Note what follows: a function that becomes twice as fast needs half the concurrency.
#
# ## Exercise 1: the sum
#
# Write `concurrency_needed`: given the calls per second and the *milliseconds* that one takes, it returns how many
# environments the load needs, as a whole number. There is no half environment, so round up.
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which checks it.
# `hint("02.1")` in a cell of its own helps.


# %% concurrency-needed
def concurrency_needed(calls_per_second, duration_ms):
    # solution: Multiply, mind the unit, and round up with math.ceil.
    return math.ceil(calls_per_second * duration_ms / 1000)


# %%
# check
check("02.1", concurrency_needed)

loads = pd.DataFrame(
    {"calls_per_second": [10, 100, 1000, 1000], "duration_ms": [500, 120, 200, 3000]}
)
loads.assign(
    needed=[concurrency_needed(*load) for load in loads.itertuples(index=False)]
)

# %% [markdown]
# The last row needs more than the {{concurrency}} that AWS gives an account by default: we come back to it.
#
# (Below 100 ms a second rule holds on AWS: an environment takes at most 10 synchronous calls per second. A thousand calls of
# 20 ms each second need 100 environments, not 20. Source: "Understanding Lambda function scaling" in the AWS Lambda Developer Guide, November 2026.)
#
# ## Is it so?
#
# The next function does nothing but wait, as many do in real life: for a database, for another service. Waiting costs this
# machine no CPU, so many can wait at once.

# %%
waiter = workshop.name("waiter")
source = (
    "import time\n\n\ndef handler(event, context):\n    time.sleep(event['seconds'])\n"
)


def deploy_anew(name):
    """Deploy with a variable that has a new value, so that no environment of an earlier run is used again."""
    deploy(
        workshop,
        name,
        {"app.py": source},
        Timeout=10,
        Environment={"Variables": {"RUN": str(time.time())}},
    )


deploy_anew(waiter)

# %% [markdown]
# We send 10 calls per second for four seconds. Each takes half a second.
#
# **Predict:** how many environments will serve the 40 calls?

# %%
predict("02.a")

# %% [markdown]
# **Predict:** how many of the 40 calls will be cold starts?

# %%
predict("02.b")


# %%
def steady_load(name, calls_per_second, seconds, payload):
    """Invoke at an even pace, without waiting for the answers before."""
    with ThreadPoolExecutor(50) as threads:
        calls = []
        for _ in track(range(calls_per_second * seconds), "calls sent"):
            calls.append(
                threads.submit(lambda_client.invoke, FunctionName=name, Payload=payload)
            )
            time.sleep(1 / calls_per_second)
        return [call.result() for call in calls]


began = datetime.now(UTC)
steady_load(waiter, calls_per_second=10, seconds=4, payload='{"seconds": 0.5}')
steady = reports(logs, waiter, at_least=40, since=began)

# %% [markdown]
# `plot_timeline` draws each call as a bar, in the row of its environment (that is, of its log stream). Before a cold call
# is its *init*, the time that a new environment needs before the handler can run.

# %%
ax = plot_timeline(steady)

# %%
predicted("02.a", f"{steady['environment'].nunique()} environments")
predicted("02.b", f"{steady['init_ms'].notna().sum()} cold starts")

# %% [markdown]
# A little more than five. The sum holds all the same: it asks how long a call keeps its environment *busy*, and a cold call
# keeps it busy during init, too. (`groupby` makes a group of the rows for each kind of call, and `mean` takes the mean of each group.) Once the environments were there, they took turns, each free again just in time, and some had nothing to do. Nobody had
# to say how many.

# %%
busy_ms = steady["init_ms"].fillna(0) + steady["duration_ms"]
for kind, milliseconds in (
    busy_ms.groupby(np.where(steady["init_ms"].isna(), "warm", "cold")).mean().items()
):
    print(
        f"a {kind} call: busy for {milliseconds:.0f} ms, and 10 per second need {10 * milliseconds / 1000:.1f}"
    )

# %% [markdown]
#
# ## A burst
#
# Now all at the same moment: 1 call, then 10, then 50, then 50 once more. Each takes one second. First we ask what this
# account allows: `ConcurrentExecutions` is the limit for all its functions in a region together.

# %%
limit = lambda_client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
bursts = [calls for calls in (1, 10, 50, 50) if calls <= limit]
print(
    f"This account may run {limit:,} invocations at once, so the bursts are {bursts}."
)

# %% [markdown]
# {{concurrency}} is AWS's default, in 2019 as now. A new account often starts with **{{concurrency_new_account}}**, and AWS raises it with use or on request.
# There the bursts of 50 are left out: the calls over the limit would be refused.
#
# Have a strong machine, or AWS with a higher limit? Add a bigger number to `bursts`. Each environment is a process here, of
# some 15 MB.
#
# **Predict:** how many cold starts has the burst of 10, when the environment of the first call is still there?

# %%
predict("02.c")

# %% [markdown]
# **Predict:** how many cold starts has the second burst of 50?

# %%
predict("02.d")


# %% burst
def burst(client, name, calls, payload='{"seconds": 1}'):
    """Invoke `calls` times at once, and return the answers; a call that was refused gives the exception."""

    def call(_):
        try:
            return client.invoke(FunctionName=name, Payload=payload)
        except client.exceptions.TooManyRequestsException as error:
            return error

    with ThreadPoolExecutor(calls) as threads:
        return list(threads.map(call, range(calls)))


# %%
deploy_anew(waiter)
wide = workshop.client(
    "lambda", Config(max_pool_connections=max(bursts))
)  # a connection for every call
frames = []
for number, calls in enumerate(track(bursts, "bursts"), start=1):
    began = datetime.now(UTC)
    burst(wide, waiter, calls)
    frames.append(
        reports(logs, waiter, at_least=calls, since=began).assign(burst=number)
    )
bursts_seen = pd.concat(frames)

# %%
by_burst = bursts_seen.groupby("burst")
pd.DataFrame(
    {
        "calls": by_burst.size(),
        "environments": by_burst["environment"].nunique(),
        "cold": by_burst["init_ms"].count(),
        "warm": by_burst.size() - by_burst["init_ms"].count(),
        "median init ms": by_burst["init_ms"].median().round(),
    }
)

# %%
cold_starts = by_burst["init_ms"].count()
predicted("02.c", f"{cold_starts[2]} in burst 2")
predicted("02.d", f"{cold_starts.get(4, 'no such burst')} in burst 4")

# %% [markdown]
# N calls at once need N environments. Lambda keeps those that it has, so a burst is cold only for what was *missing*: the burst of 10
# needed 9 new ones, the first burst of 50 needed 40, and the second one found all 50 warm.

# %%
ax = plot_timeline(bursts_seen)

# %% [markdown]
# Compare the inits: the larger the burst, the longer they take. That is this machine: all the processes that start at
# once share its cores. On AWS each environment has its own share of a CPU, so the fiftieth start takes about as
# long as the first.
#
# ## What the slide calls a MicroVM
#
# How does AWS start environments so fast, and yet keep one customer's code apart from another's? Each environment on AWS is a virtual machine of
# its own, made by **Firecracker**, which AWS wrote for services like Lambda and published in 2018. It leaves out nearly all of the devices that a
# virtual machine usually has. Its specification promises at most 125 ms from the start of a machine with a minimal Linux to
# the first program in it, and at most 5 MiB of memory on top of the guest's own. (Source: SPECIFICATION.md of
# [firecracker-microvm/firecracker](https://github.com/firecracker-microvm/firecracker), as of November 2026.)
#
# One customer's environment serves all of that customer's users, one after the other. With [tenant isolation]({{tenant_isolation.source}}) (`TenancyConfig`, since
# {{tenant_isolation}}) the caller names a tenant, and no environment ever serves two of them; the function reads `context.tenant_id`.
#
# The embedded AWS has neither tenant isolation nor MicroVMs: an environment is a process here. What you see of it is the same (a fresh start, one invocation at
# a time, reuse), but it does not wall off code that you do not trust.
#
# ## Exercise 2: read the concurrency from the log
#
# CloudWatch Logs has all that is needed to say how many invocations ran at once. Write `peak_concurrency`: given a table
# of `reports()`, it returns the largest number of invocations that were running at the same moment. An invocation runs from its `start`
# for `duration_ms` milliseconds; leave init out. When one ends in the very moment in which another starts, they did not
# run together.
#
# A way to do it: each start is a change of `+1`, each end a change of `-1`. In the order of time, add them up. (With pandas: `pd.concat` puts
# two Series below one another, `.groupby(level=0).sum()` adds up what has the same label, in order, and `.cumsum()` sums up from the top.)


# %% peak-concurrency
def peak_concurrency(frame):
    end = frame["start"] + pd.to_timedelta(frame["duration_ms"], unit="ms")
    # solution: Make a Series of +1 and -1 with the times as its index, add up what is at the same time, then cumsum().
    changes = pd.concat([pd.Series(1, index=frame["start"]), pd.Series(-1, index=end)])
    return int(changes.groupby(level=0).sum().cumsum().max())


# %%
# check
check("02.2", peak_concurrency)

for number, frame in by_burst:
    print(f"Burst {number}: {len(frame)} calls, {peak_concurrency(frame)} at once")

# %% [markdown]
# (Burst 3 may show fewer than 50. Init is left out, and in such a burst it is long on this machine: the warm calls have ended
# before the last cold ones begin.)
#
# ## A cap: reserved concurrency
#
# Scaling is not always what you want. A database may bear 20 connections, a partner's API 5 calls at once. And a function
# that runs wild can use up the limit of the whole account, so that all your *other* functions are refused.
#
# `put_function_concurrency` reserves a part of the account's limit for one function. It is two things in one: a
# **guarantee**, since no other function can take this part, and a **cap**, since the function gets no more than this. It
# costs nothing.
#
# (On AWS at least 100 must stay unreserved, says "Configuring reserved concurrency" in the Developer Guide; the embedded AWS does not check that. An account with a limit of 10 can
# reserve nothing, and `reserve` says so. The calls below then meet the account's own limit, and every number but 0 gives the same picture.)

# %%
capped = workshop.name("capped")
deploy_anew(capped)


def reserve(number):
    """Reserve this much concurrency for the function, or with None nothing; wait until Lambda reports it."""
    try:
        if number is None:
            lambda_client.delete_function_concurrency(FunctionName=capped)
        else:
            lambda_client.put_function_concurrency(
                FunctionName=capped, ReservedConcurrentExecutions=number
            )
    except lambda_client.exceptions.InvalidParameterValueException as error:
        print(f"{number} cannot be reserved:", error.response["Error"]["Message"])
        return
    while (
        lambda_client.get_function_concurrency(FunctionName=capped).get(
            "ReservedConcurrentExecutions"
        )
        != number
    ):
        time.sleep(0.2)


# %% [markdown]
# ### The moment of throttling
#
# To see it we need a client that tells the truth: boto3 tries again when a call is refused, with our settings five attempts in all. With
# `Config` we make one that tries once.
#
# **Predict:** five environments are reserved, and 30 calls come at once. What happens to the other 25?

# %%
predict("02.e", choices=["they wait", "they are refused", "they run all the same"])

# %%
honest = workshop.client(
    "lambda", Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
)
window = datetime.now(UTC).replace(
    second=0, microsecond=0
)  # CloudWatch counts by the minute
reserve(5)
answers = burst(honest, capped, 30)
refused = [answer for answer in answers if isinstance(answer, Exception)]
print(f"{len(answers) - len(refused)} ran, {len(refused)} were refused")

# %%
response = refused[0].response
(
    response["ResponseMetadata"]["HTTPStatusCode"],
    response["Error"]["Code"],
    response["Reason"],
)

# %%
predicted("02.e", f"{len(refused)} are refused, {len(answers) - len(refused)} run")

# %% [markdown]
# Nothing waits in Lambda: a synchronous call over the cap is refused at once. That is **throttling**, status 429, and
# `Reason` says whose limit it was. `ReservedFunctionConcurrentInvocationLimitExceeded` is this function's own cap;
# `ConcurrentInvocationLimitExceeded` would be the account's.
#
# Other caps, and the same 30 calls. (`None` takes the reservation away.)
#
# **Predict:** how many of the 30 are throttled when 20 are reserved?

# %%
predict("02.f")


# %% throttles-of
def throttles_of(answer):
    """How often this call was refused: once for each time that it was tried again, and once for the end."""
    if isinstance(answer, Exception):
        return answer.response["ResponseMetadata"]["RetryAttempts"] + 1
    return answer["ResponseMetadata"]["RetryAttempts"]


# %%
throttles = sum(map(throttles_of, answers))
rows = []
for number in track([None, 20, 5, 1], "reservations"):
    reserve(number)
    answers = burst(honest, capped, 30)
    rows.append(
        {"reserved": number, "calls": 30, "throttled": sum(map(throttles_of, answers))}
    )
    throttles += rows[-1]["throttled"]
caps = pd.DataFrame(rows, dtype=object).set_index("reserved")
caps

# %%
predicted("02.f", f"{caps['throttled'][20]} of 30")

# %% [markdown]
# Every environment that is missing is a call refused. (On AWS a new reservation needs some seconds until every call
# obeys it. If your table shows fewer throttles than 30 less the reservation, run the cell again.)
#
# ### What boto3 hides
#
# The ordinary client, the one that you have used so far, tries again by itself. It waits a random time, and a longer one
# after each attempt. 20 calls of half a second, five at once:

# %%
reserve(5)
began = datetime.now(UTC)
answers = burst(lambda_client, capped, 20, payload='{"seconds": 0.5}')
refusals = [throttles_of(answer) for answer in answers]
throttles += sum(refusals)
gave_up = sum(isinstance(answer, Exception) for answer in answers)
patient = reports(logs, capped, at_least=20 - gave_up, since=began)
print(f"{20 - gave_up} calls were answered, {gave_up} gave up")
print(
    f"{np.count_nonzero(refusals)} calls were refused first, {sum(refusals)} times in all"
)

# %%
ax = plot_timeline(patient)

# %% [markdown]
# The function noticed nothing: five environments, half a second for each call. But look at the time axis. The *callers* waited, for
# seconds, and a REPORT line does not know it: its Duration begins when the handler does. Look at the gaps, too: an
# environment was free, and those who would have needed it were still asleep.
#
# So when a service feels slow and its durations are fine, look at `RetryAttempts` in `ResponseMetadata`, and the metric
# `Throttles`. A throttled call leaves no line in the function's log.
#
# An event that nobody waits for (an upload to S3, a message of SNS, an `invoke` with `InvocationType="Event"`) is not lost when the function is throttled: Lambda keeps it in a queue and tries
# again for up to six hours. Notebook 06 has the details.
#
# ### The emergency stop
#
# A function does damage, and you want it to stop *now*, without deleting anything. Reserve nothing:

# %%
reserve(0)
[answer] = burst(honest, capped, 1)
throttles += throttles_of(answer)
print("0 reserved:", "refused" if isinstance(answer, Exception) else "ran")

reserve(None)
[answer] = burst(lambda_client, capped, 1)
throttles += throttles_of(answer)
print("reservation deleted:", "refused" if isinstance(answer, Exception) else "ran")

# %% [markdown]
# ## What CloudWatch counts
#
# Nobody sees every caller's exceptions. CloudWatch counts for all of them: `Invocations` and `Throttles` are sums,
# `ConcurrentExecutions` is a level, so ask for its maximum. A throttled call is not an invocation.
#
# On AWS metrics come a minute or more behind, so we wait until all our invocations are there.


# %%
cloudwatch = workshop.client("cloudwatch")


def metric(name, statistic):
    """The metric of the capped function, since this part of the notebook began."""
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": "FunctionName", "Value": capped}],
        StartTime=window,
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]
    return int(
        {"Sum": sum, "Maximum": max}[statistic](
            [point[statistic] for point in points] or [0]
        )
    )


# %%
logged = reports(logs, capped, since=window)
for _ in track(range(300), "seconds waited for CloudWatch"):
    if (
        metric("Invocations", "Sum") >= len(logged)
        and metric("Throttles", "Sum") >= throttles
    ):
        break
    time.sleep(1)
pd.DataFrame(
    {
        "we counted": [len(logged), throttles, logged["environment"].nunique()],
        "where": ["REPORT lines", "exceptions and RetryAttempts", "log streams"],
        "CloudWatch": [
            metric("Invocations", "Sum"),
            metric("Throttles", "Sum"),
            metric("ConcurrentExecutions", "Maximum"),
        ],
    },
    index=["Invocations", "Throttles", "ConcurrentExecutions"],
)

# %% [markdown]
# The same numbers, from two sides. (When you have run a cell twice, CloudWatch has both runs in it. And `ConcurrentExecutions`
# can be smaller than the number of log streams, when some environments came after others had
# gone.) An alarm on `Throttles` above 0 is among the first that a function in production gets.
#
# ## How fast can AWS follow?
#
# The slide says "fast". In numbers: each function may get **{{scaling}} environments at once, and 100 more every second**
# ({{scaling}} per {{scaling_period.value}} seconds), until the account's limit is reached. What comes on top is throttled. (Source: "Lambda scaling behavior", AWS Lambda
# Developer Guide, November 2026.)
#
# In 2019 it was slower: 500 to 3,000 at once depending on the region (1,000 in Tokyo), then 500 more per *minute*, and all
# functions of an account shared them. That changed in {{scaling.since}}. (Source: AWS News Blog, "AWS Lambda functions now
# scale 12 times faster when handling high-volume requests"; for Tokyo the Developer Guide of the time.)
#
# This machine cannot show thousands of environments, so here we calculate: a load that begins at once and stays. It is a sum without
# retries, and without the time of the cold starts.

# %% ramp
AT_ONCE, PER_SECOND = 1000, 100


def ramp(calls_per_second, duration_s, account_limit, seconds=120):
    """One row for each second since the load began: environments, and calls throttled in this second."""
    second = np.arange(seconds + 1)
    needed = math.ceil(calls_per_second * duration_s)
    environments = np.minimum(AT_ONCE + PER_SECOND * second, min(needed, account_limit))
    throttled = np.maximum(0, calls_per_second - environments / duration_s)
    return pd.DataFrame(
        {"second": second, "environments": environments, "throttled": throttled}
    )


ramp(calls_per_second=3000, duration_s=1, account_limit=10_000)[::5].head()


# %% finding
def finding(calls_per_second, duration_s, account_limit):
    table = ramp(calls_per_second, duration_s, account_limit)
    short = table[table["throttled"] > 0]
    if short.empty:
        return (
            f"{calls_per_second:,} calls per second are served from the first second on"
        )
    if account_limit < calls_per_second * duration_s:
        throttled = table["throttled"].iloc[-1]
        return f"Never enough: a limit of {account_limit:,} throttles {throttled:,.0f} calls per second"
    return f"All are served after {len(short)} s; until then about {short['throttled'].sum():,.0f} calls are throttled"


# %% draw
def draw(calls_per_second=3000, duration_s=1.0, account_limit=10_000, servers=20):
    table = ramp(calls_per_second, duration_s, account_limit)
    needed = calls_per_second * duration_s
    figure, ax = plt.subplots(figsize=(10, 4.6))
    ax.fill_between(
        table["second"],
        table["environments"],
        needed,
        color=ORANGE,
        alpha=0.35,
        label="throttled",
    )
    ax.axhline(needed, color="black", linestyle="--", label="needed")
    ax.plot(
        table["second"], table["environments"], color=BLUE, linewidth=3, label="Lambda"
    )
    then = np.minimum(1000 + 500 / 60 * table["second"], min(needed, account_limit))
    ax.plot(
        table["second"],
        then,
        color=PINK,
        linewidth=2,
        linestyle=":",
        label="Lambda in 2019",
    )
    ax.axhline(servers * 50, color=GREEN, linestyle="-.", label=f"{servers} servers")
    ax.set(xlim=(0, 120), ylim=(0, None))
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_title(finding(calls_per_second, duration_s, account_limit))
    ax.set_xlabel("seconds since the load began")
    ax.set_ylabel("calls served at once")
    figure.legend(loc="outside lower left", ncols=5, frameon=False)
    return ax


# %%
explore(
    draw,
    calls_per_second=[100, 500, 1000, 3000, 10_000],
    duration_s=[0.1, 0.2, 0.5, 1.0, 2.0],
    account_limit=[10, 1000, 3000, 10_000],
    servers=[5, 20, 50, 100],
)

# %% [markdown]
# Move the sliders. Some things to find out:
#
# - With the default limit of {{concurrency}}, can the load of the picture be served at all? How short must a call be?
# - Which loads need no ramp at all?
# - The green line is a fleet of your own, which serves 50 calls at once on each server. What lies above it waits or is turned away;
#   what the line has above the load, you pay for and do not use. When would you rather have the green line?
#
# "Scaling is easier than with instances" means this: the blue line moves up and down by itself, within a second or
# within a minute. The green one moves when you, or an Auto Scaling group, start machines.
#
# ## Exercise 3: choose a reservation
#
# A function writes orders into a database. Each environment keeps **one connection** open, and an order takes
# **0.4 seconds**. The database takes **20 connections**, and **6** of them belong to others: reports and backups.
# The picture shows the orders that came on the busiest day so far.

# %% orders
orders_per_second = pd.Series(
    [
        2,
        1,
        1,
        1,
        1,
        2,
        4,
        8,
        12,
        15,
        18,
        22,
        26,
        24,
        20,
        18,
        17,
        19,
        25,
        30,
        28,
        18,
        9,
        4,
    ]
)
figure, ax = plt.subplots(figsize=(10, 3.6))
bars = ax.bar(orders_per_second.index, orders_per_second, color=BLUE)
bars[orders_per_second.idxmax()].set(facecolor=RED, hatch="//", edgecolor="white")
title = f"Orders peak at {orders_per_second.idxmax()}:00, with {orders_per_second.max()} per second"
ax.set_title(title)
ax.set_xlabel("hour of the day")
ax.set_ylabel("orders per second")

# %% [markdown]
# Reserve concurrency for the function, so that the database is safe, and the orders of such a day have the environments that
# they need. Count as if they came evenly within each hour. There is more than one right number. (In an account with a limit of 10 nothing can be reserved: do this one on the embedded AWS.)

# %%
writer = workshop.name("order-writer")
deploy(workshop, writer, {"app.py": source}, Timeout=10)
lambda_client.get_function_concurrency(FunctionName=writer).get(
    "ReservedConcurrentExecutions", "no reservation yet"
)

# %% reservation
# solution: Call put_function_concurrency for the function `writer`.
reserved = lambda_client.put_function_concurrency(
    FunctionName=writer, ReservedConcurrentExecutions=14
)
reserved["ReservedConcurrentExecutions"]

# %%
# check
check("02.3")

answers = burst(honest, writer, 20)
print(
    f"20 orders at once: {sum(throttles_of(answer) == 0 for answer in answers)} written, the others throttled"
)

# %% [markdown]
# The sum is an average. Orders do not come evenly, and some moments need more than 12, so a few are throttled in practice. Such
# an order is lost unless its sender tries again. Notebook 07 puts a queue in between.
#
# ## What you have learned
#
# - One environment serves one invocation at a time. Concurrency is calls per second × seconds per call.
# - A burst of N calls needs N environments, and has a cold start for each one that is missing.
# - The default limit is {{concurrency}} at once for all functions of an account in a region; a new account may have {{concurrency_new_account}}.
# - Reserved concurrency is a guarantee and a cap, and 0 is an emergency stop. Over a limit a call is refused with 429,
#   `TooManyRequestsException`; `Reason` says which limit.
# - boto3 tries again, so that throttling looks like waiting. `Throttles` and `ConcurrentExecutions` in CloudWatch show it.
# - AWS gives a function {{scaling}} environments at once and 100 more per second, within the limit of the account.
#
# **Next:** notebook 03, *Billing*, works out what all these invocations cost.
