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
# It takes about 40 minutes. Slides: "Features of Lambda, part 2: high scalability" (Lambdaの特徴 その2「高スケーラビリティ」, page 6),
# in the part "Know Lambda".
#
# The slide says three things: scaling is far easier than with instances, {{concurrency.slides}} calls can run at once by
# default, and it is fast. Environments, cold starts and throttles are real on the embedded AWS too, but this machine has a
# few cores. So we mostly send tens of calls, once as many as this machine carries, and calculate what is beyond. On AWS all
# calls of this notebook cost less than a cent.

# %% notes [markdown]
# Minutes: 1
#
# Say: The slide has one sentence on this: up to {{concurrency.slides}} at once, by itself, fast. Ask: where you work
# now, who decides how many machines there are, and how long does a change take? Then show that here nobody decides.
#
# Skip: *A thousand*, *What CloudWatch counts* and *How fast can AWS follow?* are the parts that a short session can
# do without.

# %%
import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from botocore.config import Config
from helpers import connect, deploy, explore, fact, plot_timeline, reports, track, watch
from helpers.plots import BLUE, GREEN, ORANGE, PINK, RED

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution

# %% [markdown]
# ## How many at once? Calculate first
#
# Lambda runs a function in **execution environments**. One environment serves **one invocation at a time**. While it is
# busy, a second call needs a second one, and making it is a **cold start**. A call that finds a free environment
# is **warm**. **Concurrency** is the number of invocations that run at the same time.
#
# (This is so for Event Functions on Lambda's own capacity, the subject of these notebooks. On
# [Managed Instances]({{managed_instances.source}}), since {{managed_instances}}, and in *Web Functions* (notebook [08](08-xaas.ipynb)) one environment
# serves several at a time.)
#
# You can calculate it. When 10 calls come every second, and each takes half a second, then 5 are running on average. This
# is Little's law: **concurrency = calls per second × seconds per call**. So a function that becomes twice as fast needs
# half the concurrency.
#
# ## Exercise 1: the calculation
#
# Write `concurrency_needed`: given the calls per second and the *milliseconds* that one takes, it returns how many
# environments the load needs, as a whole number. There is no half environment: round up.
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which checks it.
# `hint("02.1")` in a cell of its own helps.

# %% notes [markdown]
# Minutes: 3
#
# Say: Draw a supermarket till: one customer at a time, no queue inside. Ten customers a minute and half a minute each
# need how many tills? That is Little's law, and it is the only formula of this workshop that you should know by
# heart.

# %% notes [markdown]
# Minutes: 3
#
# Say: Three minutes. Do the first load of the table in your head before you write code.
#
# Goes wrong: Nobody reads that the time is in *milliseconds*: the answer is a thousand times too large. `round` in
# place of `math.ceil`: 6.3 needs seven, and the check gives the load for which it matters. Some add one in any case;
# where the load fills its environments exactly, that is one too many.
#
# Skip: In an evening, do the sum on the board, and go on. Nothing later needs the function.


# %% concurrency-needed
def concurrency_needed(calls_per_second, duration_ms):
    # solution: Multiply, convert the unit, and round up with math.ceil.
    return math.ceil(calls_per_second * duration_ms / 1000)


# %%
# check
check("02.1", concurrency_needed)

loads = [(10, 500), (100, 120), (1000, 200), (1000, 3000)]
rows = [(*load, concurrency_needed(*load)) for load in loads]
pd.DataFrame(rows, columns=["calls per second", "ms per call", "needed"])

# %% [markdown]
# The last row needs more than the {{concurrency}} that AWS gives an account by default: we come back to it.
#
# (For calls shorter than 100 ms, AWS has a second rule: an environment takes at most 10 synchronous calls per second. So a thousand
# calls of 20 ms each second need 100 environments, not 20. Source: ["Understanding Lambda function scaling"]({{scaling.source}}),
# AWS Lambda Developer Guide, November 2026.)
#
# ## Is it true?
#
# The next function only waits, as many do in real life: for a database, for another service. Waiting needs no CPU, so this
# machine can run many such calls at once.

# %% notes [markdown]
# Minutes: 6
#
# Say: Let the room write down both guesses before anybody runs the cell. Then watch the tiles together, and count
# aloud while they appear. The interesting question is not "five or seven" but "why more than five".
#
# Goes wrong: On a slow laptop there are eight or nine environments, because each init takes longer. That is the point
# of this section, and no fault: ask what the table with the two means says. *Not measured this time* appears where
# something else was busy: run from `began = …` again.
#
# Answer 02.a: A few more than the five that the sum gives. The first calls are cold, and a cold call keeps its
# environment busy during init, too, so for a moment more of them are needed.
#
# Answer 02.b: As many as there are environments: each has exactly one cold start, at its beginning. All other calls
# find one that is free.

# %%
waiter = workshop.name("waiter")
code = """
import time

def handler(event, context):
    time.sleep(event["seconds"])
"""

# %% [markdown]
# After a change of its configuration, a function gets new environments. So `deploy_anew` gives a variable a new value.


# %%
def deploy_anew(name):
    environment = {"Variables": {"RUN": str(time.time())}}
    deploy(workshop, name, {"app.py": code}, Timeout=20, Environment=environment)


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

# %% [markdown]
# `watch` shows the environments of a function while the cell runs. Each one is a **tile**. A pattern and a word say what it does: it is *waiting* for
# its turn to begin, in *init*, *busy* with an invocation, or *idle*, and at last *ended*. Its **strip** grows with its init and each invocation,
# without the time in between. Look for strips with several invocations: these environments were used again. A click on a tile shows
# its log. When the cell is done, a still picture takes the place of the moving one.
#
# (AWS does not show environments. There the tiles are made from the log: some seconds later, each from its first invocation on.
# The picture says so.)
#
# Each call has a thread of its own, so the loop does not wait for the answers.

# %%
began = datetime.now(UTC)
request = {"FunctionName": waiter, "Payload": '{"seconds": 0.5}'}
with watch(workshop, waiter), ThreadPoolExecutor(40) as threads:
    for _ in track(range(40), "calls sent"):
        threads.submit(lambda_client.invoke, **request)
        time.sleep(1 / 10)
steady = reports(logs, waiter, at_least=40, since=began)

# %% [markdown]
# And *when* was each call? `plot_timeline` draws each call as a bar, in the row of its environment (which is its log stream). In front of a cold
# call you see its *init*, the time that a new environment needs before the handler can run.

# %%
ax = plot_timeline(steady)

# %%
environments, cold = steady["environment"].nunique(), steady["init_ms"].notna().sum()
predicted("02.a", f"{environments} environments")
predicted("02.b", f"{cold} cold starts")
claim("the load needs five environments and a few more", 5 < environments <= 10)
claim("each environment has one cold start", cold == environments)

# %% [markdown]
# A few more than five. Is the calculation wrong? It needs to know how long a call keeps its environment *busy*, and a cold
# call keeps it busy during init, too. (`groupby` makes a group of the rows for each kind of call, and `mean` takes the mean of
# each group.)

# %%
kind = steady["init_ms"].isna().map({True: "warm", False: "cold"}).rename("call")
busy_ms = steady["init_ms"].fillna(0) + steady["duration_ms"]
mean_ms = busy_ms.groupby(kind).mean()
claim("a cold call is busy for longer", mean_ms.get("cold", 0) > mean_ms.get("warm", 0))
pd.DataFrame({"busy ms": mean_ms, "needed": 10 * mean_ms / 1000}).round(1)

# %% [markdown]
# So the cold calls explain a part of it. The rest stands in no REPORT line: a call often comes a moment before an environment is free again, and to start a
# process takes time before its init begins. The formula gives a mean; a moment can need more.
#
# You did not set the number of environments anywhere: Lambda made what was needed.
#
# ## A burst
#
# Now all at the same moment: 1 call, then 10, then 50, then 50 once more. Each takes two seconds. First we ask what this
# account allows: `ConcurrentExecutions` is the limit for all its functions in a region together.

# %% notes [markdown]
# Minutes: 5
#
# Say: Ask for the second question first: who thinks that the second burst of 50 is cold again? Then the rule in one
# sentence: a burst pays for what is missing. A shop that opens at nine, or an alarm that everybody gets, is such a
# burst.
#
# Goes wrong: On AWS with a new account the limit is {{concurrency_new_account}}, and the bursts of 50 are left out:
# the cell says which ones it takes. On a laptop with few cores the inits of the burst of 50 look longer than those
# before, because the processes share the cores. On AWS they do not.
#
# Answer 02.c: Nine. One environment is there from the first call, and ten calls at once need ten.
#
# Answer 02.d: None. The first burst of 50 has left 50 environments, and all are free.

# %%
limit = lambda_client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
bursts = [calls for calls in (1, 10, 50, 50) if calls <= limit]
print(f"{limit:,} invocations may run at once, so the bursts are {bursts}.")

# %% [markdown]
# {{concurrency}} is AWS's default, in 2019 and now. A new account often starts with **{{concurrency_new_account}}**, and AWS raises it with use
# or on request. There we leave out the bursts of 50.
#
# On the embedded AWS the limit is what your machine carries, {{concurrency}} at most.
#
# **Predict:** how many cold starts will the burst of 10 have? The environment of the first call is still there.

# %%
predict("02.c")

# %% [markdown]
# **Predict:** how many cold starts will the second burst of 50 have?

# %%
predict("02.d")

# %% [markdown]
# `burst` sends the calls at once and returns the answers. For a call that Lambda refuses, it returns the exception.


# %% burst
def burst(client, name, calls, payload='{"seconds": 1}'):
    def call(_):
        try:
            return client.invoke(FunctionName=name, Payload=payload)
        except client.exceptions.TooManyRequestsException as error:
            return error

    with ThreadPoolExecutor(calls) as threads:
        return list(threads.map(call, range(calls)))


# %% [markdown]
# `max_pool_connections` gives each call a connection of its own.

# %%
wide = workshop.client("lambda", Config(max_pool_connections=max(bursts)))
deploy_anew(waiter)
frames = []
for number, calls in enumerate(track(bursts, "bursts"), start=1):
    began = datetime.now(UTC)
    burst(wide, waiter, calls, payload='{"seconds": 2}')
    frame = reports(logs, waiter, at_least=calls, since=began)
    frames.append(frame.assign(burst=number))

# %%
bursts_seen = pd.concat(frames)
by_burst = bursts_seen.groupby("burst")
columns = {"environment": "nunique", "init_ms": ["count", "median"]}
table = by_burst.agg(columns).round()
table.columns = ["environments", "cold", "median init ms"]
table.insert(0, "calls", by_burst.size())
table

# %%
there = table["environments"].cummax().shift(fill_value=0)
missing = (table["calls"] - there).clip(lower=0)
claim("a burst is cold for what is missing", (table["cold"] == missing).all())

# %%
predicted("02.c", f"{table['cold'][2]} in burst 2")
predicted("02.d", f"{table['cold'].get(4, 'no such burst')} in burst 4")

# %% [markdown]
# N calls at once need N environments. Lambda keeps each of them for a while. So a burst has cold starts only for the environments that are
# *missing*: the burst of 10 needs 9 new ones, the first burst of 50 needs 40, and the second one finds all 50 warm.
# (Then there is no init, and pandas says `NaN`: no number.)
# (On AWS there may be fewer cold starts: now and then Lambda makes an environment before it is needed.)

# %%
ax = plot_timeline(bursts_seen)

# %% [markdown]
# Compare the inits of the bursts. If many at once take longer, the reason is this machine: the processes share its cores, so
# no more than two environments for each core begin at a time. The others wait for their turn. You see it as stairs; no duration in the log counts that
# wait, and the caller notices it. On AWS each environment has its own share of a CPU, so the fiftieth start takes about as long
# as the first.
#
# ## A thousand
#
# Now the number of the slide: {{concurrency.slides}} calls at once, or as many as the limit allows. (On AWS we send 100: your other functions need
# their part of the limit, too.) Each of a thousand calls takes ten seconds (fewer calls take less, on AWS one second). We send all of them, and then all of
# them again.
#
# **Predict:** how many of the second wave will be cold?

# %% notes [markdown]
# Minutes: 4
#
# Say: The number of the slide, on this laptop. Start the cell, and talk about Firecracker while the first wave runs:
# it takes a minute or two. Ask what the slope of the left picture is. It is this laptop, not Lambda.
#
# Goes wrong: The laptop becomes slow and its fan loud; somebody stops the cell half way. That does no harm, as
# nothing below needs it. Where a machine carries fewer than {{concurrency}}, the cell takes fewer, and `python3 -m
# helpers doctor` says how many. In a room where thirty people run it at the same time on a shared server, do it once,
# on the projector.
#
# Answer 02.g: Nearly none, and mostly none at all. All environments of the first wave are still there and idle.
#
# Skip: All of it. Show the picture of the solution, `solutions/02-scaling.ipynb`.

# %%
predict("02.g")

# %%
many = min(limit, 1000 if workshop.is_embedded else 100)
pool = Config(max_pool_connections=many)
crowd = workshop.client("lambda", pool)
seconds = max(1, many // 100)
request = {"FunctionName": waiter, "Payload": f'{{"seconds": {seconds}}}'}


# %% wave
def wave():
    """Send `many` calls at once; return their REPORT lines when all have answered."""
    began = datetime.now(UTC)
    with ThreadPoolExecutor(many) as threads:
        answers = [threads.submit(crowd.invoke, **request) for _ in range(many)]
        for answer in track(answers, "answers"):
            answer.result()
    return reports(logs, waiter, at_least=many, since=began)


# %% [markdown]
# The first wave may take a minute or two: this machine has {{concurrency}} processes to start, at most.

# %%
deploy_anew(waiter)
first, second = wave(), wave()

# %%
was_cold = second["init_ms"].notna().sum()
predicted("02.g", f"{was_cold} of {many:,}")
own = first["environment"].nunique()
claim("nearly every call of the first wave has its own environment", own > 0.9 * many)
claim("the second wave is warm", was_cold < 0.1 * many)

# %% [markdown]
# The folded cell draws a line for each call, from its start to its end, in the row of its environment.

# %% draw-waves folded
figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True)
rows_of = {each: row for row, each in enumerate(first["environment"].unique())}
for ax, name, calls, color in (
    (axes[0], "First", first, RED),
    (axes[1], "Second", second, BLUE),
):
    rows = [rows_of.setdefault(each, len(rows_of)) for each in calls["environment"]]
    start = (calls["start"] - calls["start"].min()).dt.total_seconds()
    end = start + calls["duration_ms"] / 1000
    ax.hlines(rows, start, end, color=color, linewidth=0.6)
    at_once = max(((start <= each) & (end > each)).sum() for each in start)
    begun = f"all had begun after {start.max():.0f} s"
    ax.set_title(f"{name} wave: {begun},\nat most {at_once:,} ran at the same time")
    ax.set_xlabel("seconds since the first one began")
    ax.set_xlim(left=0)
axes[0].yaxis.set_major_formatter("{x:,.0f}")
_ = axes[0].set_ylabel("execution environment")

# %%
claim("most of the second wave run at the same time", at_once > many / 2)

# %% [markdown]
# No setting says how many environments there shall be, and there are as many as calls, or nearly: a call that finds no free environment gets a new one, and
# waits for that one, also where another becomes free meanwhile. This machine starts only a few at a time: that is the slope on the left, which AWS does not
# have. In the second wave they were there, frozen, and all could run together. The slope that is left is the time that this machine needs to send so many calls
# and to hand them over.
#
# See it happen: a third wave, which we do not measure. So many environments are small squares. They are idle now. Watch how they become busy.

# %%
with watch(workshop, waiter):
    wave()

# %% [markdown]
# So many processes take memory. They end when the function changes:

# %%
deploy_anew(waiter)

# %% [markdown]
# ## What the slide calls a MicroVM
#
# How does AWS start environments so fast, and yet keep the customers apart? On AWS each environment is a virtual machine of
# its own, made by **Firecracker**, which AWS wrote for services like Lambda and published in 2018. It leaves out nearly all
# devices that a virtual machine usually has. Its specification promises at most 125 ms from the start of a machine with a
# minimal Linux to the first program in it, and at most 5 MiB of memory on top of the guest's own. (Source: SPECIFICATION.md
# of [firecracker-microvm/firecracker](https://github.com/firecracker-microvm/firecracker), November 2026.)
#
# An environment of your function serves all of *your* users, one after the other. With [tenant isolation]({{tenant_isolation.source}})
# (`TenancyConfig`, since {{tenant_isolation}}, to be chosen when the function is made) the caller names a tenant, and no environment serves two of them. The function reads
# `context.tenant_id`.
#
# The embedded AWS keeps tenants apart in the same way, but an environment is a process here, and no virtual machine. It starts
# fresh, runs one invocation at a time and is used again, but it does not protect you from code that you do not trust.
#
# ## Exercise 2: read the concurrency from the log
#
# The log tells how many invocations ran at once. Write `peak_concurrency`: given a table of `reports()`, it returns the
# largest number of invocations that were running at the same moment. An invocation runs from its `start` for `duration_ms`
# milliseconds; leave init out. (The titles of `plot_timeline` count init, too, since an environment in init is taken. So their number can be larger.) When one ends at the moment at which another starts, they did not run together.
#
# A way to do it: each start is a change of `+1`, each end a change of `-1`. Add them up in the order of time. (With
# pandas: `pd.concat` puts two Series below one another, `.groupby(level=0).sum()` adds up what has the same label, in order, and
# `.cumsum()` sums up from the top.)

# %% notes [markdown]
# Minutes: 2
#
# Say: Two customers run code on the same machine, and neither may see the other. That needs a virtual machine, and
# most of them take their time to start. Firecracker is the reason that Lambda can have both. Ask who has heard of it,
# and from where.

# %% notes [markdown]
# Minutes: 4
#
# Say: Draw three bars on the board, and move a pen from left to right: plus one, minus one. Then let them write it.
# This is the hardest exercise of the notebook; pairs work well.
#
# Goes wrong: They count rows, environments or cold starts, and the check says which of these it was. Two that follow
# one another are counted as two at once: ends come before starts of the same moment. The duration in milliseconds is
# added as if it was in nanoseconds, so that nothing overlaps. The table is not in the order of time: sort it.
#
# Skip: It can be homework.


# %% peak-concurrency
def peak_concurrency(frame):
    end = frame["start"] + pd.to_timedelta(frame["duration_ms"], unit="ms")
    # solution: Make +1 at each start and -1 at each end, and add them up in order.
    changes = pd.concat([pd.Series(1, index=frame["start"]), pd.Series(-1, index=end)])
    return int(changes.groupby(level=0).sum().cumsum().max())


# %%
# check
check("02.2", peak_concurrency)

for number, frame in by_burst:
    print(f"Burst {number}: {len(frame)} calls, {peak_concurrency(frame)} at once")

# %% [markdown]
# (Burst 3 may show fewer than 50: you left init out, and where it is long, the warm calls end before the last cold ones
# begin.)
#
# ## A cap: reserved concurrency
#
# You do not always want scaling. A database may allow 20 connections, a partner's API 5 calls at once. And one function
# can use up the limit of the whole account, so that Lambda refuses the calls of all your *other* functions.
#
# `put_function_concurrency` reserves a part of the account's limit for one function. This is a **guarantee**, since no
# other function can take this part, and a **cap**, since the function gets no more. It costs nothing.
#
# (At least {{concurrency_unreserved}} must stay unreserved; where this machine carries fewer than {{concurrency}}, a tenth. An account with a limit of
# {{concurrency_new_account}} can reserve nothing, and `reserve` says so. Your calls below then reach the account's own limit.)

# %% notes [markdown]
# Minutes: 6
#
# Say: We have shown that it grows by itself; now ask who wants that. The database of notebook 07 does not. Say
# "guarantee and cap" together, because people remember only the cap. The emergency stop is worth a minute: one call,
# nothing deleted.
#
# Goes wrong: Some expect a queue inside Lambda, so "they wait". There is none for synchronous calls. boto3 hides a
# refusal by trying again, so people see no error and believe that nothing happened: look at the last caller's waiting
# time. On AWS a reservation needs some seconds, so a few more calls may pass.
#
# Answer 02.e: They are refused, at once, with status 429. Nothing waits in Lambda for a caller who waits for an
# answer.
#
# Answer 02.f: About ten: 30 less the 20 that are reserved.
#
# Skip: *What boto3 hides*, but say its last sentence: when a service feels slow and its durations are fine, look at
# `Throttles`.

# %%
capped = workshop.name("capped")
deploy_anew(capped)


# %%
def reserve(number):
    """Reserve this much concurrency; None takes the reservation away."""
    new = {"FunctionName": capped, "ReservedConcurrentExecutions": number}
    try:
        if number is None:
            lambda_client.delete_function_concurrency(FunctionName=capped)
        else:
            lambda_client.put_function_concurrency(**new)
    except lambda_client.exceptions.InvalidParameterValueException as error:
        print(f"{number} cannot be reserved: {error}")
    time.sleep(0 if workshop.is_embedded else 10)  # AWS needs some seconds


# %% [markdown]
# ### The moment of throttling
#
# When Lambda refuses a call, boto3 tries again, with our settings up to five times in all. To see the refusal we make a client
# that tries only once.
#
# **Predict:** five environments are reserved, and 30 calls come at once. What happens to the other 25?

# %%
predict("02.e", choices=["they wait", "they are refused", "they run all the same"])

# %%
once = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
one_try = workshop.client("lambda", once)
window = datetime.now(UTC).replace(second=0, microsecond=0)  # for CloudWatch, below
reserve(5)
answers = burst(one_try, capped, 30)
all_answers = list(answers)

# %%
refused = [answer for answer in answers if isinstance(answer, Exception)]
ran = len(answers) - len(refused)
predicted("02.e", f"{len(refused)} are refused, {ran} run")
claim("the calls over the cap are refused", len(refused) >= 20)

# %%
error = refused[0].response
status = error["ResponseMetadata"]["HTTPStatusCode"]
status, error["Error"]["Code"], error["Reason"]

# %% [markdown]
# Nothing waits in Lambda: it refuses a synchronous call over the cap at once. This is **throttling**, status 429, and
# `Reason` says whose limit it was. `ReservedFunctionConcurrentInvocationLimitExceeded` is this function's own cap;
# `ConcurrentInvocationLimitExceeded` would be the account's.
#
# Now other caps, and the same 30 calls.
#
# **Predict:** how many of the 30 are throttled when 20 are reserved?

# %%
predict("02.f")

# %% [markdown]
# The answer to a call says how often boto3 tried again. If the call ended with an exception, its last try was refused, too.


# %% throttles-of
def throttles_of(answer):
    """How many times Lambda refused this call."""
    if isinstance(answer, Exception):
        return answer.response["ResponseMetadata"]["RetryAttempts"] + 1
    return answer["ResponseMetadata"]["RetryAttempts"]


# %%
caps = {}
for number in track([None, 20, 5, 1], "reservations"):
    reserve(number)
    answers = burst(one_try, capped, 30)
    all_answers += answers
    caps[number or "nothing"] = sum(map(throttles_of, answers))
pd.Series(caps, name="throttled of 30").rename_axis("reserved").to_frame()

# %%
predicted("02.f", f"{caps[20]} of 30")
throttled = list(caps.values())
can_reserve = limit >= 20 + fact("concurrency_unreserved")
claim("a smaller cap throttles more", not can_reserve or throttled == sorted(throttled))

# %% [markdown]
# The smaller the cap, the more calls are refused. (If you see fewer throttles on AWS than 30 less the reservation, run the
# cell again: a new reservation needs some seconds.)
#
# ### What boto3 hides
#
# The ordinary client tries again by itself. Before that it waits a random time, often a longer one after each attempt. Here
# are 15 calls of half a second, five at once:

# %%
reserve(5)
began = datetime.now(UTC)
retried = burst(lambda_client, capped, 15, payload='{"seconds": 0.5}')
took = (datetime.now(UTC) - began).total_seconds()
all_answers += retried

# %%
refusals = [throttles_of(answer) for answer in retried]
gave_up = sum(isinstance(answer, Exception) for answer in retried)
print(f"{15 - gave_up} calls were answered, {gave_up} failed")
print(f"{np.count_nonzero(refusals)} were refused first, {sum(refusals)} times in all")
print(f"The last caller waited {took:.1f} s for its answer")
claim("boto3 tries refused calls again", sum(refusals) > gave_up)
claim("the last caller waits for longer than its call takes", took > 1)

# %%
patient = reports(logs, capped, at_least=15 - gave_up, since=began)
ax = plot_timeline(patient)

# %% [markdown]
# The function noticed nothing: five environments, half a second for each call. But the *callers* waited longer, and
# a REPORT line does not show it: its Duration begins when the handler does. Where you see a gap, an environment was free
# while callers still waited for their next attempt.
#
# So when a service feels slow and its durations are fine, look at `RetryAttempts` in `ResponseMetadata`, and at the metric
# `Throttles`. A throttled call leaves no line in the function's log.
#
# When nobody waits for the answer (an upload to S3, a message of SNS, an `invoke` with `InvocationType="Event"`), a throttled
# event is not lost at once: Lambda keeps it in a queue and tries again for up to {{event_age.hours}}. Notebook
# [06](06-limits.ipynb) has the details.
#
# ### The emergency stop
#
# A function does damage, and you want it to stop *now*, without deleting anything. Reserve 0:

# %%
reserve(0)
[stopped] = burst(one_try, capped, 1)
claim("0 stops a function", isinstance(stopped, Exception))
print("0 reserved:", "refused" if isinstance(stopped, Exception) else "ran")

# %% [markdown]
# An *asynchronous* event does not wait now, either: with 0 reserved it goes to the function's OnFailure destination at once, and is lost where there is none
# (notebook 15). Messages of a queue wait, but each try counts (notebook 11). And back:

# %%
reserve(None)
[runs] = burst(lambda_client, capped, 1)
print("no reservation:", "refused" if isinstance(runs, Exception) else "ran")
all_answers += [stopped, runs]

# %% [markdown]
# ## What CloudWatch counts
#
# You do not see the exceptions of every caller. CloudWatch counts for all of them: `Invocations` and `Throttles` are sums,
# `ConcurrentExecutions` is a level, so ask for its maximum. A throttled call is not an invocation.

# %% notes [markdown]
# Minutes: 2
#
# Say: Nobody sees the exceptions of all callers, but CloudWatch does. Ask which of the three metrics deserves an
# alarm. A throttled call is in no log at all.
#
# Goes wrong: On AWS the cell waits for up to five minutes, because metrics are late there. Do not wait in front of a
# room.
#
# Skip: The whole section, on AWS.


# %%
cloudwatch = workshop.client("cloudwatch")
dimension = {"Name": "FunctionName", "Value": capped}
of_capped = {"Namespace": "AWS/Lambda", "Dimensions": [dimension]}


# %%
def metric(name, statistic):
    """The values of each minute since the first cap."""
    end = datetime.now(UTC) + timedelta(minutes=1)
    minutes = {"StartTime": window, "EndTime": end, "Period": 60}
    what = {"MetricName": name, "Statistics": [statistic]}
    answer = cloudwatch.get_metric_statistics(**of_capped, **minutes, **what)
    return [int(point[statistic]) for point in answer["Datapoints"]] or [0]


# %% [markdown]
# On AWS metrics come a minute or more later, so we wait until all that we have counted ourselves is there, five minutes at most.

# %%
logged = reports(logs, capped, since=window)
counted = [len(logged), sum(map(throttles_of, all_answers))]
limit_s = 20 if workshop.is_embedded else 300
for _ in track(range(limit_s), "seconds waited for CloudWatch"):
    seen = [sum(metric(name, "Sum")) for name in ("Invocations", "Throttles")]
    if seen[0] >= counted[0] and seen[1] >= counted[1]:
        break
    time.sleep(1)

# %%
most = max(metric("ConcurrentExecutions", "Maximum"))
rows = {
    "Invocations": ["REPORT lines", counted[0], seen[0]],
    "Throttles": ["exceptions and RetryAttempts", counted[1], seen[1]],
    "ConcurrentExecutions": ["log streams", logged["environment"].nunique(), most],
}
claim("CloudWatch has counted all", seen[0] >= counted[0] and seen[1] >= counted[1])
pd.DataFrame(rows, index=["we count", "our number", "CloudWatch"]).T

# %% [markdown]
# CloudWatch has counted what we have counted. (If you run a cell twice, it has both runs. `ConcurrentExecutions` can be
# smaller than the number of log streams, when some environments came later than others.) Set an alarm on `Throttles` above 0
# for a function in production.
#
# ## How fast can AWS follow?
#
# The slide says "fast". In numbers: each function may get **{{scaling}} environments at once, and 100 more every second**
# ({{scaling}} per {{scaling_period.value}} seconds), until the account's limit is reached. Lambda throttles the calls above that. (Source:
# "Lambda scaling behavior", AWS Lambda Developer Guide, November 2026.)
#
# In 2019 it was slower: 500 to 3,000 at once depending on the region (1,000 in Tokyo), then 500 more per *minute*, and all
# functions of an account shared them. That changed in {{scaling.since}}. (Source: AWS News Blog, "AWS Lambda functions now
# scale 12 times faster when handling high-volume requests"; for Tokyo the Developer Guide of that time.)
#
# This machine cannot show that, so here we calculate: a load that begins at once and stays. The calculation leaves out
# retries and the time of the cold starts.

# %% notes [markdown]
# Minutes: 3
#
# Say: Move one slider at a time, and ask before you let go. Begin with the account's limit: it is what hurts in
# practice. Then the green line: when would you rather pay for servers?
#
# Goes wrong: People read the orange area as calls that wait. They are refused; whoever does not try again has lost
# them.
#
# Skip: All but the picture.

# %% ramp
PER_SECOND = fact("scaling") // fact("scaling_period")


def ramp(calls_per_second, duration_s, account_limit):
    """Environments and throttled calls, for each second since the load began."""
    second = np.arange(121)
    most = min(math.ceil(calls_per_second * duration_s), account_limit)
    environments = np.minimum(fact("scaling") + PER_SECOND * second, most)
    throttled = np.maximum(0, calls_per_second - environments / duration_s)
    rows = {"second": second, "environments": environments, "throttled": throttled}
    return pd.DataFrame(rows)


# %%
ramp(calls_per_second=3000, duration_s=1, account_limit=10_000)[::5].head()

# %% [markdown]
# The two folded cells find the title of a picture, and draw it.


# %% finding folded
def finding(calls_per_second, duration_s, account_limit):
    table = ramp(calls_per_second, duration_s, account_limit)
    short = table["throttled"][table["throttled"] > 0]
    if short.empty:
        load = f"{calls_per_second:,} calls per second"
        return f"{load} are served from the first second on"
    if account_limit < calls_per_second * duration_s:
        throttled = f"{short.iloc[-1]:,.0f} calls per second"
        return f"Never enough: a limit of {account_limit:,} throttles {throttled}"
    until = f"until then about {short.sum():,.0f} calls are throttled"
    return f"All are served after {len(short)} s; {until}"


# %% draw folded
def draw(calls_per_second=3000, duration_s=1.0, account_limit=10_000, servers=20):
    table = ramp(calls_per_second, duration_s, account_limit)
    needed = calls_per_second * duration_s
    second, now = table["second"], table["environments"]
    then = np.minimum(1000 + 500 / 60 * second, min(needed, account_limit))  # Tokyo
    figure, ax = plt.subplots(figsize=(10, 4.4))
    ax.fill_between(second, now, needed, color=ORANGE, alpha=0.35, label="throttled")
    ax.axhline(needed, color="black", linestyle="--", label="needed")
    ax.plot(second, now, color=BLUE, linewidth=3, label="Lambda")
    style = {"color": PINK, "linewidth": 2, "linestyle": ":"}
    ax.plot(second, then, label="Lambda in 2019", **style)
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
# - With the default limit of {{concurrency}}, can Lambda serve the load of the picture at all? How short must a call be?
# - For which loads is nothing throttled, not even in the first second?
# - The green line is servers of your own, each with room for 50 calls at once. Calls above it wait or are refused. Where the
#   line is above the load, you pay for servers that you do not use. When would you choose the green line?
#
# "Scaling is easier than with instances" means this: the blue line moves up and down by itself, within seconds or
# minutes. The green one moves when you, or an Auto Scaling group, start machines.
#
# ## Exercise 3: choose a reservation
#
# A function writes orders into a database. Each environment keeps **one connection** open, and an order takes
# **0.4 seconds**. The database takes **20 connections**, and **6** of them belong to others: reports and backups.
# The picture, which the folded cell draws, shows the orders that came on the busiest day so far.

# %% notes [markdown]
# Minutes: 4
#
# Say: Two numbers limit the choice, one from below and one from above. Find both before you write anything. There are
# three right answers, so compare with your neighbour.
#
# Goes wrong: They take 20, since the database has 20 connections, and forget the six that others need. They take less
# than the peak needs, because they read the mean of the day and not the highest bar. 0 is the emergency stop: no
# order is written.
#
# Skip: Do it as a discussion, without the call.

# %% orders
night, day = [2, 1, 1, 1, 1, 2, 4], [8, 12, 15, 18, 22, 26, 24, 20, 18, 17]
evening = [19, 25, 30, 28, 18, 9, 4]
orders_per_second = pd.Series(night + day + evening)

# %% draw-orders folded
figure, ax = plt.subplots(figsize=(10, 3.6))
bars = ax.bar(orders_per_second.index, orders_per_second, color=BLUE)
peak, hour = orders_per_second.max(), orders_per_second.idxmax()
bars[hour].set(facecolor=RED, hatch="//", edgecolor="white")
ax.set_title(f"Orders peak at {hour}:00, with {peak} per second")
ax.set_xlabel("hour of the day")
_ = ax.set_ylabel("orders per second")

# %% [markdown]
# Reserve concurrency for the function, so that the database is safe, and the orders of such a day have the environments that
# they need. Count as if they came evenly within each hour. There is more than one right number. (An account with a
# limit of {{concurrency_new_account}} can reserve nothing: do this exercise on the embedded AWS.)

# %%
writer = workshop.name("order-writer")
deploy(workshop, writer, {"app.py": code}, Timeout=10)
reservation = lambda_client.get_function_concurrency(FunctionName=writer)
reservation.get("ReservedConcurrentExecutions", "no reservation yet")

# %% reservation
# solution: Call put_function_concurrency for the function `writer`.
reserved = lambda_client.put_function_concurrency(
    FunctionName=writer, ReservedConcurrentExecutions=14
)
reserved["ReservedConcurrentExecutions"]

# %%
# check
check("02.3")

throttled = sum(throttles_of(answer) for answer in burst(one_try, writer, 20))
print(f"20 orders at once: {20 - throttled} written, {throttled} throttled")

# %% [markdown]
# The calculated number is an average. Orders do not come evenly, and some moments need more than 12, so in practice a few are throttled.
# Such an order is lost unless its sender tries again. Notebook [07](07-databases.ipynb) puts a queue in between.
#
# ## What you have learned
#
# - One environment serves one invocation at a time. Concurrency is calls per second × seconds per call.
# - A burst of N calls needs N environments, and has a cold start for each one that is missing.
# - The default limit is {{concurrency}} at once for all functions of an account in a region; a new account may have
#   {{concurrency_new_account}}.
# - Reserved concurrency is a guarantee and a cap, and 0 is an emergency stop. Over a limit Lambda refuses a call with 429,
#   `TooManyRequestsException`; `Reason` says which limit.
# - boto3 tries again, so throttling looks like waiting. `Throttles` and `ConcurrentExecutions` in CloudWatch show it.
# - AWS gives a function {{scaling}} environments at once and 100 more per second, within the limit of the account.
#
# **Next:** notebook [03](03-billing.ipynb), *Billing*, works out what all these invocations cost. `python3 -m helpers clean` removes what this notebook made.
# On AWS do not forget it: `order-writer` keeps its reserved concurrency, which your other functions lack.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask for the formula, from memory. Then: which limit do you meet first, yours or AWS's?
