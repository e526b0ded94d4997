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
# It takes about 40 minutes. Slides: "Features of Lambda, part 2: high scalability" (Lambdaの特徴 その2: 高スケーラビリティ), page 6, in the part "Know Lambda".
#
# The slide says three things: scaling is far easier than with instances, {{concurrency.slides}} calls can run at once by default, and it
# is fast. We look at each of them. Environments, cold starts and throttles are real on the embedded AWS too, but this
# machine has a few cores, and AWS has data centres. So the bursts are of tens of calls, and the thousands are a sum. On AWS all calls of this notebook cost less than a
# tenth of a cent.

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

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
cloudwatch = workshop.client("cloudwatch")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution

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
# You can know the concurrency without an experiment. When 10 calls come every second, and each takes half a second, then 5 are running on
# average. This is Little's law: **concurrency = calls per second × seconds per call**.
#
# So a function that becomes twice as fast needs half the concurrency.
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

loads = [(10, 500), (100, 120), (1000, 200), (1000, 3000)]
rows = [(*load, concurrency_needed(*load)) for load in loads]
pd.DataFrame(rows, columns=["calls per second", "duration in ms", "needed"])

# %% [markdown]
# The last row needs more than the {{concurrency}} that AWS gives an account by default: we come back to it.
#
# (Below 100 ms a second rule holds on AWS: an environment takes at most 10 synchronous calls per second. A thousand calls of
# 20 ms each second need 100 environments, not 20. Source: "Understanding Lambda function scaling" in the AWS Lambda Developer Guide, November 2026.)
#
# ## Is it so?
#
# The next function only waits, as many do in practice: for a database, for another service. Waiting needs no CPU of this
# machine, so many can wait at once. `deploy_anew` gives a variable a new value, so that no environment of an earlier run is used again.

# %%
code = "import time\ndef handler(event, context):\n    time.sleep(event['seconds'])"
source = {"app.py": code}


def deploy_anew(name):
    environment = {"Variables": {"RUN": str(time.time())}}
    deploy(workshop, name, source, Timeout=10, Environment=environment)


waiter = workshop.name("waiter")
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
    call = {"FunctionName": name, "Payload": payload}
    with ThreadPoolExecutor(50) as threads:
        calls = []
        for _ in track(range(calls_per_second * seconds), "calls sent"):
            calls.append(threads.submit(lambda_client.invoke, **call))
            time.sleep(1 / calls_per_second)
        return [call.result() for call in calls]


# %%
began = datetime.now(UTC)
steady_load(waiter, calls_per_second=10, seconds=4, payload='{"seconds": 0.5}')
steady = reports(logs, waiter, at_least=40, since=began)

# %% [markdown]
# `plot_timeline` draws each call as a bar, in the row of its environment (that is, of its log stream). Before a cold call
# is its *init*, the time that a new environment needs before the handler can run.

# %%
ax = plot_timeline(steady)

# %%
environments, cold_calls = steady["environment"].nunique(), steady["init_ms"].count()
claim("at least five environments are needed", environments >= 5)
claim("each environment is cold once", environments == cold_calls)
predicted("02.a", f"{environments} environments")
predicted("02.b", f"{cold_calls} cold starts")

# %% [markdown]
# Five, or a little more. The sum asks how long a call keeps its environment *busy*, and a cold call
# keeps it busy during init, too. When the environments were there, they took turns. You did not have to say how many.
# (`groupby` makes a group of the rows for each kind of call, and `mean` takes the mean of each group.)

# %%
kind = steady["init_ms"].notna().map({True: "cold", False: "warm"})
busy_ms = (steady["init_ms"].fillna(0) + steady["duration_ms"]).groupby(kind).mean()
needed = (10 * busy_ms / 1000).round(1)
pd.DataFrame({"busy in ms": busy_ms.round(), "10 per second need": needed})

# %% [markdown]
# ## A burst
#
# Now all at the same moment: 1 call, then 10, then 50, then 50 once more. Each takes one second. First we ask what this
# account allows: `ConcurrentExecutions` is the limit for all its functions in a region together.

# %%
limit = lambda_client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
bursts = [calls for calls in (1, 10, 50, 50) if calls <= limit]
print(f"This account may run {limit:,} invocations at once. The bursts: {bursts}.")

# %% [markdown]
# {{concurrency}} is AWS's default, in 2019 as now. A new account often starts with **{{concurrency_new_account}}**, and AWS raises it with use or on request.
# There the bursts of 50 are left out: the calls over the limit would be refused.
#
# Have a strong machine, or AWS with a higher limit? Add a bigger number to `bursts`. Each environment here is a process of
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
    """The answers of so many calls at once; of a refused one the exception."""

    def call(_):
        try:
            return client.invoke(FunctionName=name, Payload=payload)
        except client.exceptions.TooManyRequestsException as error:
            return error

    with ThreadPoolExecutor(calls) as threads:
        return list(threads.map(call, range(calls)))


# %%
deploy_anew(waiter)
wide = workshop.client("lambda", Config(max_pool_connections=max(bursts)))
frames = []
for number, calls in enumerate(track(bursts, "bursts"), start=1):
    began = datetime.now(UTC)
    burst(wide, waiter, calls)
    seen = reports(logs, waiter, at_least=calls, since=began)
    frames.append(seen.assign(burst=number))
bursts_seen = pd.concat(frames)

# %% [markdown]
# (`wide` is a client with a connection for every call.) The folded cell makes a table of them.

# %% bursts-table folded
by_burst = bursts_seen.groupby("burst")
cold_starts = by_burst["init_ms"].count()
claim("a burst is cold only for what was missing", cold_starts.get(2) == 9)
claim("a second burst of the same size is warm", cold_starts.get(4, 0) == 0)
pd.DataFrame(
    {
        "calls": by_burst.size(),
        "environments": by_burst["environment"].nunique(),
        "cold": cold_starts,
        "warm": by_burst.size() - cold_starts,
        "median init ms": by_burst["init_ms"].median().round(),
    }
)

# %%
predicted("02.c", f"{cold_starts[2]} in burst 2")
predicted("02.d", f"{cold_starts.get(4, 'no such burst')} in burst 4")

# %% [markdown]
# N calls at once need N environments. Lambda keeps those that it has, so a burst is cold only for what was *missing*: the burst of 10
# needed 9 new environments, and the second burst of 50 found all of them warm.

# %%
ax = plot_timeline(bursts_seen)

# %% [markdown]
# Look at the inits of the large burst: they are long, because all the processes that start at
# once share this machine's cores. On AWS each environment has its own share of a CPU, so the fiftieth start takes about as
# long as the first.
#
# ## What the slide calls a MicroVM
#
# How does AWS start environments so fast, and yet keep one customer's code apart from another's? Each environment on AWS is a virtual machine of
# its own, made by **Firecracker**. AWS wrote it for services like Lambda, and published it in 2018. It leaves out nearly all devices that a
# virtual machine usually has. Its specification promises at most 125 ms from the start of a machine with a minimal Linux to
# the first program in it, and at most 5 MiB of memory on top of the guest's own. (Source: SPECIFICATION.md of
# [firecracker-microvm/firecracker](https://github.com/firecracker-microvm/firecracker), as of November 2026.)
#
# One customer's environment serves all of that customer's users, one after the other. With [tenant isolation]({{tenant_isolation.source}}) (`TenancyConfig`, since
# {{tenant_isolation}}) the caller names a tenant, and no environment ever serves two of them; the function reads `context.tenant_id`.
#
# The embedded AWS has neither tenant isolation nor MicroVMs: an environment here is a process. It starts, serves one invocation at
# a time, and is used again, as on AWS. But it does not protect you from code that you do not trust.
#
# ## Exercise 2: read the concurrency from the log
#
# CloudWatch Logs knows how many invocations ran at once. Write `peak_concurrency`: given a table
# of `reports()`, it returns the largest number of invocations that were running at the same moment. An invocation runs from its `start`
# for `duration_ms` milliseconds; leave init out. When one ends at the moment when another starts, they did not
# run together.
#
# A way to do it: each start is a change of `+1`, each end a change of `-1`. In the order of time, add them up. (With pandas: `pd.concat` puts
# two Series below one another, `.groupby(level=0).sum()` adds up what has the same label, in order, and `.cumsum()` sums up from the top.)


# %% peak-concurrency
def peak_concurrency(frame):
    end = frame["start"] + pd.to_timedelta(frame["duration_ms"], unit="ms")
    # solution: Make a Series of +1 and -1 by time; add up each time, then cumsum().
    changes = pd.concat([pd.Series(1, index=frame["start"]), pd.Series(-1, index=end)])
    return int(changes.groupby(level=0).sum().cumsum().max())


# %%
# check
check("02.2", peak_concurrency)

for number, frame in by_burst:
    print(f"Burst {number}: {len(frame)} calls, {peak_concurrency(frame)} at once")

# %% [markdown]
# (Burst 3 may show fewer than 50. Init is left out, and in such a burst it is long on this machine: the warm calls end
# before the last cold ones begin.)
#
# ## A cap: reserved concurrency
#
# Scaling is not always what you want. A database may allow 20 connections, a partner's API 5 calls at once. And a function
# with a fault can use up the limit of the whole account, so that all your *other* functions are refused.
#
# `put_function_concurrency` reserves a part of the account's limit for one function. It is two things in one: a
# **guarantee**, since no other function can take this part, and a **cap**, since the function gets no more than this. It
# costs nothing.
#
# (On AWS at least 100 must stay unreserved, says "Configuring reserved concurrency" in the Developer Guide; the embedded AWS does not check that. An account with a limit of 10 can
# reserve nothing, and `reserve` says so. Then the calls below meet the account's own limit, and every number but 0 gives the same picture.)

# %%
capped = workshop.name("capped")
deploy_anew(capped)


# %%
def reserve(number):
    try:
        lambda_client.put_function_concurrency(
            FunctionName=capped, ReservedConcurrentExecutions=number
        )
    except lambda_client.exceptions.InvalidParameterValueException as error:
        print(f"{number} cannot be reserved:", error.response["Error"]["Message"])


# %% [markdown]
# ### What a throttled call gets
#
# boto3 tries again when a call is refused: with our settings, five times in all. That hides what happened. With
# `Config` we make a client that tries once.
#
# **Predict:** five environments are reserved, and 30 calls come at once. What happens to the other 25?

# %%
predict("02.e", choices=["they wait", "they are refused", "they run all the same"])

# %%
once = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
honest = workshop.client("lambda", once)
window = datetime.now(UTC).replace(
    second=0, microsecond=0
)  # CloudWatch counts by minute
reserve(5)
answers = burst(honest, capped, 30)
refused = [answer for answer in answers if isinstance(answer, Exception)]
print(f"{len(answers) - len(refused)} ran, {len(refused)} were refused")

# %%
response = refused[0].response
status = response["ResponseMetadata"]["HTTPStatusCode"]
status, response["Error"]["Code"], response["Reason"]

# %%
claim("five of the thirty run, and the others are refused", len(refused) == 25)
predicted("02.e", f"{len(refused)} are refused, {len(answers) - len(refused)} run")

# %% [markdown]
# A synchronous call over the cap does not wait: Lambda refuses it at once. That is **throttling**, status 429, and
# `Reason` says which limit it was. `ReservedFunctionConcurrentInvocationLimitExceeded` is this function's own cap;
# `ConcurrentInvocationLimitExceeded` would be the account's.
#
# Other caps, and the same 30 calls.
#
# **Predict:** how many of the 30 are throttled when 20 are reserved?

# %%
predict("02.f")


# %% throttles-of
def throttles_of(answer):
    """How often a call was refused: once for each new try, and once at the end."""
    if isinstance(answer, Exception):
        return answer.response["ResponseMetadata"]["RetryAttempts"] + 1
    return answer["ResponseMetadata"]["RetryAttempts"]


# %%
throttles = sum(map(throttles_of, answers))
throttled = {}
for number in track([20, 5, 1], "reservations"):
    reserve(number)
    answers = burst(honest, capped, 30)
    throttled[number] = sum(map(throttles_of, answers))
throttles += sum(throttled.values())
pd.Series(throttled, name="throttled of 30").rename_axis("reserved").to_frame()

# %%
missing = {number: 30 - number for number in throttled}
claim("every environment that is missing is a call refused", throttled == missing)
predicted("02.f", f"{throttled[20]} of 30")

# %% [markdown]
# Every environment that is missing is a call refused. (On AWS a new reservation needs some seconds until it holds for every
# call. If your table shows fewer throttles than 30 less the reservation, run the cell again.)
#
# ### What boto3 hides
#
# The ordinary client tries again by itself. It waits a random time, and a longer one
# after each try. 20 calls of half a second, five at once:

# %%
reserve(5)
began = datetime.now(UTC)
answers = burst(lambda_client, capped, 20, payload='{"seconds": 0.5}')
refusals = [throttles_of(answer) for answer in answers]
failed = sum(isinstance(answer, Exception) for answer in answers)
print(f"{20 - failed} calls were answered, {failed} failed")
print(f"{np.count_nonzero(refusals)} were refused first, {sum(refusals)} times in all")

# %%
throttles += sum(refusals)
patient = reports(logs, capped, at_least=20 - failed, since=began)
claim("most calls are refused at first", np.count_nonzero(refusals) >= 8)
ax = plot_timeline(patient)

# %% [markdown]
# The function noticed nothing: five environments, half a second for each call. But look at the time axis. The *callers* waited, for
# seconds, and a REPORT line does not know it: its Duration begins when the handler does. Look at the gaps, too: an
# environment was free while callers waited before their next try.
#
# So when a service feels slow and its durations are fine, look at `RetryAttempts` in `ResponseMetadata`, and the metric
# `Throttles`. A throttled call leaves no line in the function's log.
#
# An event whose sender waits for no answer (an upload to S3, a message of SNS, an `invoke` with `InvocationType="Event"`) is not lost when the function is throttled: Lambda keeps it in a queue and tries
# again for up to six hours. Notebook 06 has the details.
#
# ### The emergency stop
#
# A function does damage, and you want it to stop *now*, without deleting anything. Reserve 0:

# %%
reserve(0)
[answer] = burst(honest, capped, 1)
throttles += throttles_of(answer)
print("0 reserved:", "refused" if isinstance(answer, Exception) else "ran")

# %% [markdown]
# `delete_function_concurrency` takes the reservation away.

# %%
lambda_client.delete_function_concurrency(FunctionName=capped)
[answer] = burst(lambda_client, capped, 1)
throttles += throttles_of(answer)
print("reservation deleted:", "refused" if isinstance(answer, Exception) else "ran")

# %% [markdown]
# ## What CloudWatch counts
#
# You cannot see the exceptions of all callers. CloudWatch counts for all of them: `Invocations` and `Throttles` are sums,
# `ConcurrentExecutions` is a level, so ask for its maximum. A throttled call is not an invocation.


# %%
def metric(name, statistic):
    dimension = {"Name": "FunctionName", "Value": capped}
    until = datetime.now(UTC) + timedelta(minutes=1)
    when = {"StartTime": window, "EndTime": until, "Period": 60}
    which = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": [dimension]}
    answer = cloudwatch.get_metric_statistics(**which, **when, Statistics=[statistic])
    values = [point[statistic] for point in answer["Datapoints"]]
    return int(sum(values) if statistic == "Sum" else max(values, default=0))


# %% [markdown]
# On AWS metrics come a minute or more later, so we wait until all our invocations are there. The folded cell does so, and sets
# our own numbers beside those of CloudWatch.

# %% metrics-table folded
logged = reports(logs, capped, since=window)
for _ in track(range(300), "seconds waited for CloudWatch"):
    invocations, refused = metric("Invocations", "Sum"), metric("Throttles", "Sum")
    if invocations >= len(logged) and refused >= throttles:
        break
    time.sleep(1)
claim("CloudWatch counts what we counted", refused >= throttles)
pd.DataFrame(
    {
        "we counted": [len(logged), throttles, logged["environment"].nunique()],
        "where": ["REPORT lines", "exceptions and RetryAttempts", "log streams"],
        "CloudWatch": [invocations, refused, metric("ConcurrentExecutions", "Maximum")],
    },
    index=["Invocations", "Throttles", "ConcurrentExecutions"],
)

# %% [markdown]
# The same numbers from two sides. (When you have run a cell twice, CloudWatch has counted both runs. And `ConcurrentExecutions`
# can be smaller than the number of log streams: some environments came after others had
# ended.) An alarm on `Throttles` above 0 is one of the first that a function in production needs.
#
# ## How fast can AWS follow?
#
# The slide says "fast". In numbers: each function may get **{{scaling}} environments at once, and 100 more every second**
# ({{scaling}} per {{scaling_period.value}} seconds), until the account's limit is reached. Calls beyond that are throttled. (Source: "Lambda scaling behavior", AWS Lambda
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
    """For each second: environments, and calls that are throttled in it."""
    second = np.arange(seconds + 1)
    most = min(math.ceil(calls_per_second * duration_s), account_limit)
    environments = np.minimum(AT_ONCE + PER_SECOND * second, most)
    throttled = np.maximum(0, calls_per_second - environments / duration_s)
    found = {"second": second, "environments": environments, "throttled": throttled}
    return pd.DataFrame(found)


# %%
ramp(calls_per_second=3000, duration_s=1, account_limit=10_000)[::5].head()

# %% [markdown]
# Two folded cells say what comes of a load, and draw it.


# %% finding folded
def finding(calls_per_second, duration_s, account_limit):
    table = ramp(calls_per_second, duration_s, account_limit)
    short = table[table["throttled"] > 0]
    if short.empty:
        return f"{calls_per_second:,} calls per second are served from the first second"
    if account_limit < calls_per_second * duration_s:
        refused = f"{table['throttled'].iloc[-1]:,.0f} calls per second"
        return f"Never enough: a limit of {account_limit:,} throttles {refused}"
    refused = f"{short['throttled'].sum():,.0f} calls are throttled"
    return f"All are served after {len(short)} s; until then about {refused}"


# %% draw folded
def draw(calls_per_second=3000, duration_s=1.0, account_limit=10_000, servers=20):
    table = ramp(calls_per_second, duration_s, account_limit)
    needed = calls_per_second * duration_s
    figure, ax = plt.subplots(figsize=(8.5, 4.4))
    second, served = table["second"], table["environments"]
    throttled = {"color": ORANGE, "alpha": 0.35, "label": "throttled"}
    ax.fill_between(second, served, needed, **throttled)
    ax.axhline(needed, color="black", linestyle="--", label="needed")
    ax.plot(second, served, color=BLUE, linewidth=3, label="Lambda")
    then = np.minimum(1000 + 500 / 60 * second, min(needed, account_limit))
    in_2019 = {"color": PINK, "linewidth": 2, "linestyle": ":"}
    ax.plot(second, then, **in_2019, label="Lambda in 2019")
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
# - Which loads are served from the first second?
# - The green line is a fleet of your own, which serves 50 calls at once on each server. The load above it waits or is refused.
#   Where the line is above the load, you pay for servers that you do not use. When would you prefer the green line?
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
night, morning = [2, 1, 1, 1, 1, 2, 4], [8, 12, 15, 18, 22, 26]
afternoon, evening = [24, 20, 18, 17, 19, 25], [30, 28, 18, 9, 4]
orders_per_second = pd.Series(night + morning + afternoon + evening)

# %% draw-orders folded
figure, ax = plt.subplots(figsize=(10, 3.6))
bars = ax.bar(orders_per_second.index, orders_per_second, color=BLUE)
busiest, most = orders_per_second.idxmax(), orders_per_second.max()
bars[busiest].set(facecolor=RED, hatch="//", edgecolor="white")
ax.set_title(f"Orders peak at {busiest}:00, with {most} per second")
ax.set_xlabel("hour of the day")
ax.set_ylabel("orders per second")

# %% [markdown]
# Reserve concurrency for the function, so that the database is safe, and the orders of such a day have the environments that
# they need. Count as if they came evenly within each hour. There is more than one right number. (In an account with a limit of 10 nothing can be reserved: do this one on the embedded AWS.)

# %%
writer = workshop.name("order-writer")
deploy(workshop, writer, source, Timeout=10)
concurrency = lambda_client.get_function_concurrency(FunctionName=writer)
concurrency.get("ReservedConcurrentExecutions", "no reservation yet")

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
written = sum(throttles_of(answer) == 0 for answer in answers)
print(f"20 orders at once: {written} written, the others throttled")

# %% [markdown]
# The sum is an average. Orders do not come evenly, and some moments need more than 12, so in practice a few are throttled. Such
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
