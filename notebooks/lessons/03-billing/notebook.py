# %% [markdown]
# # 03 Billing
#
# After this notebook you will be able to
#
# - read off a REPORT line what an invocation costs, and add up the bill of everything that you have run so far;
# - say what a failure, a timeout, a cold start and an idle function cost;
# - compare the rule of 2019 (per 100 ms) with today's;
# - choose a memory size from a measurement, and say when more memory costs nothing.
#
# It takes about 30 minutes. Slides: "Features of Lambda, part 3: billed by time", in the part "Know Lambda".
#
# All durations come from REPORT lines in CloudWatch. The prices are AWS's list prices, so the sums are what AWS would
# charge for these invocations. The embedded AWS itself costs nothing.

# %%
import inspect
import json
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, explore, fact, load_prices, reports, track
from helpers.plots import BLUE, GREY, ORANGE, RED, SKY
from matplotlib.ticker import LogLocator

workshop = connect()
lambda_client = workshop.client("lambda")
logs = workshop.client("logs")
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## Two things are billed
#
# - **Requests**: every time that Lambda starts your handler.
# - **GB-seconds**: the memory that you *configured*, in GB (1,024 MB), times the time that is billed, in seconds. A
#   function with 512 MB that runs for two seconds uses one GB-second.
#
# Memory is also how you choose the CPU: Lambda gives both together. So the slide's "CPU and memory are taken
# into account" is one number, `MemorySize`. Each month has a **free tier**: what you use below it is not charged.

# %%
listed = load_prices()
prices = listed["lambda"]
print(
    f"List prices in {listed['currency']}, as of {listed['checked']}, from {listed['sources'][0]}"
)
print(
    f"per million requests   {prices['request'] * 1e6:.2f}     free: {prices['free_requests']:,} a month"
)
x86 = prices["gb_second"]["x86_64"]
print(
    f"per million GB-seconds {x86 * 1e6:.2f}    free: {prices['free_gb_seconds']:,} a month"
)

# %% [markdown]
# Nothing in this list is per function, per hour or per machine. A function that is never called costs nothing, and so
# does one between two calls: **what is idle is free**. (Other services have prices of their own: keeping logs, for
# example.)
#
# ## Calls to pay for
#
# One piece of code, five functions. Three do as they are told; one fails in every call, and one is told to wait for
# longer than its `Timeout` of one second, so that Lambda stops it.

# %%
code = """
import time


def handler(event, context):
    time.sleep(event.get("wait_s", 0))
    if event.get("fail"):
        raise ValueError("told to fail")
"""
session = {  # function: (MemorySize, event, number of calls)
    "quick": (128, {}, 20),
    "waits": (128, {"wait_s": 0.11}, 5),
    "waits-1024": (1024, {"wait_s": 0.11}, 5),
    "fails": (128, {"fail": True}, 3),
    "too-slow": (128, {"wait_s": 5}, 2),
}
for label, (memory_mb, _, _) in session.items():
    deploy(
        workshop,
        workshop.name(f"bill-{label}"),
        {"app.py": code},
        MemorySize=memory_mb,
        Timeout=1,
    )

# %% [markdown]
# **Predict:** which of these 35 calls will not be billed?

# %%
predict("03.a", choices=["fails", "too-slow", "fails and too-slow", "none"])

# %%
began = datetime.now(UTC)
frames = []
for label, (_, event, number) in track(
    session.items(), "calling the functions", total=len(session)
):
    name = workshop.name(f"bill-{label}")
    for _ in range(number):
        lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
    frames.append(
        reports(logs, name, at_least=number, since=began).assign(function=label)
    )
calls = pd.concat(frames, ignore_index=True)

# %% [markdown]
# The first call of each function, which had a cold start (unless you have run this cell just before), and one of the
# warm ones. Compare `billed_ms` with the two columns before it.

# %%
shown = [
    "function",
    "status",
    "init_ms",
    "duration_ms",
    "billed_ms",
    "memory_mb",
    "max_memory_mb",
]
calls.groupby("function", sort=False).nth([0, 1])[shown]

# %%
free = calls.loc[calls["billed_ms"] == 0, "function"].unique()
predicted("03.a", " and ".join(free) or "none")

# %% [markdown]
# - Every call has a `billed_ms`. An exception and a timeout are billed like a success: the time was used. (The REPORT
#   of a call that raised an exception looks like any other, so `status` says `success` of it.) Only a call that never
#   reaches your function is free, for example one that is throttled.
# - A timeout costs its full limit. A `Timeout` of {{timeout}}, the most that Lambda takes, is not only patient, it is also how much a call
#   that hangs can cost you.
# - A cold start is billed: `billed_ms` is `init_ms` and `duration_ms` together, rounded up.
# - `memory_mb` is what you configured, and what you pay for. `max_memory_mb` is what was used; it changes nothing on
#   the bill.

# %%
calls["gb_seconds"] = calls["memory_mb"] / 1024 * calls["billed_ms"] / 1000
used = calls.groupby("function", sort=False).agg(
    requests=("gb_seconds", "size"), gb_seconds=("gb_seconds", "sum")
)
used["share of GB-seconds"] = (used["gb_seconds"] / used["gb_seconds"].sum()).map(
    "{:.0%}".format
)
used.round({"gb_seconds": 4})

# %% [markdown]
# *waits* and *waits-1024* do the same, in the same time. The second one needs about eight times the GB-seconds: it has
# eight times the memory.
#
# ## The bill
#
# Now the same, laid out like AWS's invoice: an amount, a unit price, a charge.


# %% invoice
def invoice(frame):
    """Lay out what the invocations of a reports() table cost at list price, without the free tier."""
    gb_seconds = (frame["memory_mb"] / 1024 * frame["billed_ms"] / 1000).sum()
    lines = pd.DataFrame(index=["requests", "GB-seconds"])
    lines["amount"] = [len(frame), gb_seconds]
    lines["unit price"] = [prices["request"], prices["gb_second"]["x86_64"]]
    lines["USD"] = lines["amount"] * lines["unit price"]
    lines["of the free tier"] = lines["amount"] / [
        prices["free_requests"],
        prices["free_gb_seconds"],
    ]
    return lines


def show(lines):
    formats = {
        "amount": "{:,.6g}",
        "unit price": "{:.10f}",
        "USD": "{:.8f}",
        "of the free tier": "{:.5%}",
    }
    return lines.style.format(formats).set_caption(
        f"{lines['USD'].sum():.8f} USD in all"
    )


# %%
show(invoice(calls))

# %% [markdown]
# Small. So we ask it the other way round: how much of this could you do in a month?

# %%
lines = invoice(calls)
minutes = 365 / 12 * 24 * 60  # in a month
print(
    f"One such session every minute: {lines['USD'].sum() * minutes:.2f} USD a month without the free tier."
)
most = lines["of the free tier"]
print(
    f"Free every month: {1 / most.max():,.0f} such sessions; then the free {most.idxmax()} are used up."
)

# %% [markdown]
# ## Rounding: 2019 and today
#
# The slide says: billed in units of 100 ms. That was the rule in 2019. It has changed twice since:
#
# | from | rounded up to | init of a cold start | source |
# |---|---|---|---|
# | 2014 | 100 ms | free | the slide, and the next post |
# | {{billing_by_1_ms}} | 1 ms | free | [AWS News Blog]({{billing_by_1_ms.source}}) |
# | {{billing_of_init}} | 1 ms | billed | [AWS Compute Blog]({{billing_of_init.source}}) |
#
# "Free" was the init of a zip package on a runtime of AWS's, up to its limit of ten seconds. A container image or a
# runtime of your own paid for it all along.
#
# We apply the three rules to the calls that you have made. The last rule should agree with what REPORT says.


# %% three-rules
def three_rules(frame):
    """Milliseconds that each rule bills for each invocation of a reports() table."""
    duration, init = frame["duration_ms"], frame["init_ms"].fillna(0)
    return pd.DataFrame(
        {
            "2019": np.ceil(duration / 100) * 100,
            "since Dec 2020": np.ceil(duration),
            "since Aug 2025": np.ceil(
                (duration + init).round(2)
            ),  # REPORT shows two decimals
        }
    )


# %%
rules = three_rules(calls)
print(
    "agrees with REPORT:",
    (rules["since Aug 2025"] == calls["billed_ms"]).sum(),
    "of",
    len(calls),
)

# %% [markdown]
# **Predict:** a warm call of *quick* runs for a few milliseconds. How many times as long was it billed in 2019 as it is today?

# %%
predict("03.b")

# %% [markdown]
# **Predict:** and a cold call of it?

# %%
predict("03.c")

# %%
cold = calls["init_ms"].notna()
cases = {
    "quick, warm": (calls["function"] == "quick") & ~cold,
    "quick, cold": (calls["function"] == "quick") & cold,
    "waits 0.11 s, warm": (calls["function"] == "waits") & ~cold,
    "stopped after 1 s": (calls["function"] == "too-slow") & ~cold,
}
medians = (
    pd.DataFrame({case: rules[chosen].median() for case, chosen in cases.items()})
    .dropna(axis="columns")
    .T
)
medians

# %%
factor = medians["2019"] / medians["since Aug 2025"]
figure, ax = plt.subplots(figsize=(11, 5))
styles = [
    ("2019", RED, "//"),
    ("since Dec 2020", SKY, ".."),
    ("since Aug 2025", BLUE, None),
]
for place, (rule, color, hatch) in enumerate(styles):
    x = np.arange(len(medians)) + (place - 1) * 0.27
    bars = ax.bar(
        x, medians[rule], 0.25, color=color, hatch=hatch, edgecolor="white", label=rule
    )
    ax.bar_label(bars, fmt="%.0f", padding=2)
ax.set_yscale("log")
ax.set_ylim(0.8, 6000)
ax.set_xticks(range(len(medians)), medians.index)
ax.set_ylabel("billed, ms per call (median, log scale)")
ax.legend(ncols=3, loc="upper left")
short = factor["quick, warm"]
title = f"In 2019 a short warm call was billed {short:.0f} times as long as today, one of a second as long"
_ = ax.set_title(title)

# %%
predicted("03.b", f"{short:.0f} times, warm")
if "quick, cold" in factor:
    predicted("03.c", f"{factor['quick, cold']:.1f} times, cold")

# %% [markdown]
# And all 35 calls together? A millisecond at 1,024 MB weighs eight times as much as one at 128 MB.
#
# **Predict:** how many times as many GB-seconds would the rule of 2019 have billed?

# %%
predict("03.g")

# %%
then = (calls["memory_mb"] * rules["2019"]).sum()
today = (calls["memory_mb"] * rules["since Aug 2025"]).sum()
predicted("03.g", f"{then / today:.2f} times as many GB-seconds")

# %% [markdown]
# The calls at 1,024 MB weigh most, and each of their 111 ms was billed as 200. The old rule punished short calls; who called a two-millisecond function paid for 98 ms of nothing. People packed
# several tasks into one call to fill the 100 ms. You need no longer do that.
#
# The rule of 2025 shows in the second group: today a cold start is the expensive call. With few cold calls among
# many warm ones it hardly matters. With a large init and little traffic it is most of the bill.
#
# ## Memory: pay more for less time?
#
# Lambda gives CPU in proportion to memory. At {{vcpu_memory}} a function has one full vCPU ([AWS's
# words](https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)); at 128 MB it has 7% of one. So twice
# the memory costs twice as much per second, and a function that *computes* needs half the seconds.
#
# Take a function that computes for two seconds at 128 MB, and think of two curves over the memory, from 128 to {{memory_max.slides}}: how
# long it takes, and what a million calls cost. Think of the same two for one that only *waits*, for a database, say.
#
# **Predict:** how many times as fast does the first one compute with {{vcpu_memory}} as with 128 MB?

# %%
predict("03.d")

# %% [markdown]
# **Predict:** and how many times as much do a million such calls cost?

# %%
predict("03.e")

# %% [markdown]
# The embedded AWS imitates this share (unless `WORKSHOP_CPU_SHARE` is `off`): it stops the function's process for a
# moment whenever it has used up its part of the CPU time. A whole CPU of your machine takes the place of a vCPU.

# %%
tuned = workshop.name("bill-tuned")
code = """
import hashlib
import time


def handler(event, context):
    digest = b""
    for _ in range(event.get("hashes", 0)):
        digest = hashlib.sha256(digest).digest()
    time.sleep(event.get("wait_s", 0))
"""
_ = deploy(workshop, tuned, {"app.py": code}, MemorySize=3008, Timeout=60)

# %% [markdown]
# `tune` gives one function each size in turn. The change makes the next call cold: that call does nothing else. The
# calls after it are warm, and do the work. All goes round twice, so that a busy moment of your machine does not
# hit one size alone. It takes about half a minute.

# %%
ONE_VCPU = fact("vcpu_memory")  # MB
SIZES = [128, 256, 512, 1024, ONE_VCPU, 3008]


def tune(event, label, rounds=2, calls=2):
    """Invoke the function at each memory size, and return the REPORT lines as a table."""
    began = datetime.now(UTC)
    for memory_mb in track(SIZES * rounds, label):
        lambda_client.update_function_configuration(
            FunctionName=tuned, MemorySize=memory_mb
        )
        lambda_client.get_waiter("function_updated_v2").wait(FunctionName=tuned)
        for payload in [{}] + [event] * calls:
            lambda_client.invoke(FunctionName=tuned, Payload=json.dumps(payload))
    return reports(logs, tuned, at_least=len(SIZES) * rounds * (1 + calls), since=began)


# %%
computing = tune({"hashes": 500_000}, "computing")
waiting = tune({"wait_s": 0.2}, "waiting")

# %% [markdown]
# For each size: the fastest of the four warm calls, and what a million like it cost. (The fastest, because whatever
# else the machine does can only make a call slower.)


# %% per-size
def per_size(frame):
    warm = frame[frame["init_ms"].isna()]
    table = warm.groupby("memory_mb", as_index=False)[
        ["duration_ms", "billed_ms"]
    ].min()
    gb_seconds = table["memory_mb"] / 1024 * table["billed_ms"] / 1000
    table["usd_per_million"] = 1e6 * (
        gb_seconds * prices["gb_second"]["x86_64"] + prices["request"]
    )
    return table


# %%
computes, waits = per_size(computing), per_size(waiting)
both = {
    "computing": computes.set_index("memory_mb"),
    "waiting": waits.set_index("memory_mb"),
}
pd.concat(both, axis="columns").round(2)


# %%
def draw_sizes(ax, column, title):
    for label, table, color, marker in [
        ("computes", computes, RED, "D"),
        ("waits", waits, BLUE, "o"),
    ]:
        ax.plot(
            "memory_mb",
            column,
            data=table,
            color=color,
            marker=marker,
            markersize=9,
            linewidth=2,
            label=label,
        )
    ax.axvline(ONE_VCPU, color=GREY, linestyle="--", label=f"{ONE_VCPU:,} MB: one vCPU")
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
    ax.minorticks_off()
    ax.yaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
    ax.yaxis.set_major_formatter("{x:,g}")
    ax.set_xlabel("MemorySize, MB")
    ax.set_title(title)


# %%
# picture: power-tuning.png
figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5.5))
where = "CPU share imitated" if workshop.is_embedded else f"on {workshop.target}"
draw_sizes(left, "duration_ms", f"Duration, ms (best of four, {where})")
draw_sizes(right, "usd_per_million", "USD per million calls")
small, one_cpu = both["computing"].loc[128], both["computing"].loc[ONE_VCPU]
up_to = np.array([128, ONE_VCPU])  # MB
left.plot(
    up_to,
    small["duration_ms"] * 128 / up_to,
    ":",
    color=GREY,
    linewidth=3,
    label="time = 1 / memory",
)
left.legend()
faster, costlier = (
    small["duration_ms"] / one_cpu["duration_ms"],
    one_cpu["usd_per_million"] / small["usd_per_million"],
)
title = f"{ONE_VCPU:,} MB instead of 128 MB: computing is {faster:.1f} times as fast, for {costlier:.2f} times the price"
_ = figure.suptitle(title, x=0.01, ha="left")

# %%
predicted("03.d", f"{small['duration_ms'] / one_cpu['duration_ms']:.1f} times as fast")
cost = one_cpu["usd_per_million"] / small["usd_per_million"]
predicted("03.e", f"{cost:.2f} times the price")

# %% [markdown]
# *On the embedded AWS the CPU share in this figure is imitated; the rule, in proportion to memory, is AWS's.*
#
# - **Computing:** the time falls as memory grows, and the price stays about where it was: up to one vCPU the *faster
#   function costs the same*. Beyond, the price rises and the time does not fall any more: this code has one thread, and
#   cannot use a second vCPU. (More threads would not help either: Python runs one at a time, unless a library lets go
#   of its lock.)
# - **Waiting:** the time is the same at every size, so the price rises with the memory. Choose the smallest size that
#   holds it.
#
# Real functions do some of both, so measure yours. The measuring is called *power tuning*; the open-source tool
# [AWS Lambda Power Tuning](https://github.com/alexcasalboni/aws-lambda-power-tuning) does on AWS what `tune` does here.
#
# The share is for the handler. Init looks unthrottled (measured by others, not promised by AWS), and the embedded AWS
# does not slow it down either. The cold calls of our measurement should show no trend:

# %%
cold = computing[computing["init_ms"].notna()]
cold.groupby("memory_mb")["init_ms"].min().to_frame("Init Duration, ms").T

# %% [markdown]
# ## Who waits, pays
#
# A function that calls another one and waits for the answer is billed while it waits. Here *front* invokes *back* and
# hands its answer on; *back* needs half a second. `AWSLambdaRole` is AWS's ready-made policy that allows to invoke
# functions. (The embedded AWS does not check it.)
#
# **Predict:** which share of the GB-seconds is *front*'s, which does nothing itself?

# %%
predict("03.f")

# %%
front_code = """
import json
import os

import boto3

client = boto3.client("lambda")


def handler(event, context):
    answer = client.invoke(FunctionName=os.environ["BACK"], Payload=json.dumps({"wait_s": 0.5}))
    return json.load(answer["Payload"])
"""
front, back = workshop.name("bill-front"), workshop.name("bill-back")
deploy(workshop, back, {"app.py": code}, MemorySize=256, Timeout=10)
role = workshop.role("service-role/AWSLambdaRole")
variables = {"Variables": {"BACK": back}}
_ = deploy(
    workshop,
    front,
    {"app.py": front_code},
    MemorySize=512,
    Timeout=20,
    Role=role,
    Environment=variables,
)

# %%
began = datetime.now(UTC)
for _ in range(3):
    lambda_client.invoke(FunctionName=front)
chain = pd.concat(
    [
        reports(logs, name, at_least=3, since=began).assign(function=name)
        for name in (front, back)
    ]
)
warm = chain[chain["init_ms"].isna()]
medians = warm.groupby("function")[["duration_ms", "billed_ms", "memory_mb"]].median()
medians["gb_seconds"] = medians["memory_mb"] / 1024 * medians["billed_ms"] / 1000
for_waiting = medians["gb_seconds"][front] / medians["gb_seconds"].sum()
medians.round(3)

# %%
predicted("03.f", f"{for_waiting:.0%}, all of it for waiting")

# %% [markdown]
# The half second is paid twice, the second time at *front*'s memory size. In a chain of five functions it is paid five
# times. So let functions hand work over and end: through a queue, an event, or Step Functions, AWS's service that keeps
# track of the steps. The same holds for a slow web service: you pay for the other side's time.
#
# ## Everything that you have run so far
#
# Each function writes its own log group, and the names of yours begin with your prefix. So the bill of *all* your
# functions, those of the notebooks before included, is in the logs. (On AWS a log group stays when its function is
# deleted, until somebody deletes it too. `python3 -m helpers clean` does both.)

# %%
prefix = f"/aws/lambda/{workshop.tags['learner']}-"
pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
names = [
    group["logGroupName"].removeprefix("/aws/lambda/")
    for page in pages
    for group in page["logGroups"]
]
frames = [
    reports(logs, name, at_least=0).assign(function=name)
    for name in track(names, "reading log groups")
]
everything = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
show(invoice(everything))

# %% [markdown]
# Each of these functions was ready all the time since its first call. A server that is ready is paid for. We
# compare that time with what was billed.

# %%
first_calls = everything.groupby("function")["start"].min()
ready = (pd.Timestamp.now("UTC") - first_calls).dt.total_seconds().sum()
billed = everything["billed_ms"].sum() / 1000
print(
    f"{len(first_calls)} functions stood ready for {ready:,.0f} s in all; {billed:,.1f} s were billed."
)

# %% [markdown]
# The longer you read, the larger is the difference. Whether a server costs more is a question of how busy it is:
# [notebook 05](05-lambda-or-ec2.ipynb) does this sum.
#
# ## A month's bill
#
# Move the sliders. The line is the monthly bill over the number of calls; the free tier is subtracted in one of
# the two. (One function only; AWS subtracts the free tier once for all functions of an account.)


# %% monthly
def monthly(calls, memory_mb, duration_ms, free=True):
    """USD a month for this many calls, x86, list price."""
    requests, gb_seconds = calls, calls * memory_mb / 1024 * duration_ms / 1000
    if free:
        requests = np.maximum(requests - prices["free_requests"], 0)
        gb_seconds = np.maximum(gb_seconds - prices["free_gb_seconds"], 0)
    return requests * prices["request"] + gb_seconds * prices["gb_second"]["x86_64"]


# %%
def draw(memory_mb=512, duration_ms=200, calls_a_month=10_000_000):
    figure, ax = plt.subplots(figsize=(10, 5))
    many = np.logspace(4, 8, 400)
    ax.plot(
        many,
        monthly(many, memory_mb, duration_ms, free=False),
        "--",
        color=ORANGE,
        label="without free tier",
    )
    ax.plot(
        many,
        monthly(many, memory_mb, duration_ms),
        color=BLUE,
        linewidth=3,
        label="with free tier",
    )
    usd = monthly(calls_a_month, memory_mb, duration_ms)
    ax.plot(calls_a_month, max(usd, 0.01), "D", color=RED, markersize=11)
    ax.set(xscale="log", yscale="log", ylim=(0.01, 100_000))
    ax.xaxis.set_major_formatter("{x:,.15g}")
    ax.yaxis.set_major_formatter("{x:,.15g}")
    ax.set_xlabel("calls a month")
    ax.set_ylabel("USD a month")
    ax.legend()
    settings = f"{calls_a_month:,} calls of {duration_ms:,} ms at {memory_mb:,} MB"
    ax.set_title(f"{settings}: {usd:,.2f} USD a month")
    return ax


# %%
explore(
    draw,
    memory_mb=[128, 256, 512, 1024, 1769, 3008, 10240],
    duration_ms=[1, 10, 50, 100, 200, 500, 1000, 3000],
    calls_a_month=[10_000, 100_000, 1_000_000, 10_000_000, 100_000_000],
)

# %% [markdown]
# Two more prices. **arm64**, AWS's own processors (`Architectures=["arm64"]`): the same code in Python, other binaries.
# And *provisioned concurrency*, environments that are kept ready: these are paid for when idle too, see [notebook
# 04](04-cold-start.ipynb).

# %%
arm = prices["gb_second"]["arm64"]
print(f"A GB-second on arm64 costs {1 - arm / x86:.0%} less than on x86.")

# %% [markdown]
# ## Exercise 1: the bill
#
# Write `bill`: given a table of reports, it returns what these invocations cost in USD, as one number: x86, list price,
# without the free tier. The columns that there are: `list(calls)`. The prices are in `prices`. (pandas calculates with whole
# columns: `frame["a"] * frame["b"]` multiplies row by row, and `.sum()` adds up a column.)
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which checks
# it. `hint("03.1")` in a cell of its own helps.


# %% bill
def bill(frame):
    # solution: Add up requests and GB-seconds, each times its price.
    gb_seconds = (frame["memory_mb"] / 1024 * frame["billed_ms"] / 1000).sum()
    return len(frame) * prices["request"] + gb_seconds * prices["gb_second"]["x86_64"]


# %%
# check
check("03.1", bill)

for label, frame in {
    "the session": calls,
    "power tuning, computing": computing,
    "waiting": waiting,
}.items():
    print(f"{label}: {1e6 * bill(frame) / len(frame):.2f} USD per million such calls")

# %% [markdown]
# ## Exercise 2: hand the work on
#
# *front* waits for *back*, and the half second is paid twice. Write `hand_on`, a handler in *front*'s place: it starts *back* with
# the event that it gets, does **not** wait until *back* is done, and returns `{"handed_on": True}`.
#
# `client`, `json` and `os` are there, as in `front_code`. The check invokes your function and reads off both functions'
# REPORT lines what each was billed.


# %% hand-on
def hand_on(event, context):
    back = os.environ["BACK"]
    # solution: Invoke back with the event, but do not wait; return {"handed_on": True}.
    payload = json.dumps(event)
    client.invoke(FunctionName=back, InvocationType="Event", Payload=payload)
    return {"handed_on": True}


# %% hands-on
# check
hands_on = workshop.name("bill-hands-on")
hands_on_code = front_code.partition("def handler")[0] + inspect.getsource(hand_on)
deploy(
    workshop,
    hands_on,
    {"app.py": hands_on_code},
    Handler="app.hand_on",
    MemorySize=512,
    Timeout=20,
    Role=role,
    Environment=variables,
)
check("03.2")

billed = {name: reports(logs, name)["billed_ms"].iloc[-1] for name in (front, hands_on)}
print(f"While back works, front is billed {billed[front]} ms a call,")
print(f"and your function {billed[hands_on]} ms.")

# %% [markdown]
# The caller no longer hears what *back* has answered. Who needs the answer finds it elsewhere: in S3, in a table, in a message.
#
# ## Exercise 3: tune a function
#
# *bill-report* holds a table of 150 MB, which it reads in its init phase, and waits a fifth of a second for a database in each
# call. Somebody gave it {{vcpu_memory}}, to be on the safe side.

# %% report
report_code = """
import time

table = b"x" * 150 * 1024 * 1024


def handler(event, context):
    time.sleep(0.2)
    return len(table)
"""
report = workshop.name("bill-report")
deploy(workshop, report, {"app.py": report_code}, MemorySize=1769, Timeout=10)
for _ in range(3):
    lambda_client.invoke(FunctionName=report)
report_calls = reports(logs, report, at_least=3)
per_size(report_calls[-3:]).round(2)

# %% [markdown]
# Leave its code as it is. Change its **configuration** with `update_function_configuration`, so that a million warm calls cost
# **1.50 USD** at most (list price, without the free tier), and no call fails. The check invokes your function, and works out the cost from its
# REPORT lines.
#
# Before you try: which size will it be? What happens at 128 MB? Would it help to make the function faster?

# %% tune-it
# solution: Give the function `report` another MemorySize.
_ = lambda_client.update_function_configuration(FunctionName=report, MemorySize=256)

# %% tuned
# check
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=report)
check("03.3")

per_size(reports(logs, report)).round(2)

# %% [markdown]
# It waits, so no size makes it faster, and each MB is paid for the whole fifth of a second. Its data says how small it can be:
# `Max Memory Used`, with some room to spare. (`update_function_code` with `Architectures=["arm64"]` would take another fifth off the price of the GB-second.)
#
# ## What you have learned
#
# - Two things are billed: requests, and GB-seconds of *configured* memory. Idle functions cost nothing.
# - Failures, timeouts and cold starts are billed; a timeout costs its full limit.
# - In 2019 every call was rounded up to 100 ms. Now it is 1 ms, and since {{billing_of_init}} init is in it.
# - Memory buys CPU. Up to {{vcpu_memory}} a function that computes becomes faster at the same price; one that waits only
#   costs more.
# - Who waits for another function pays for both.
#
# **Next:** [04 Cold start](04-cold-start.ipynb). `python3 -m helpers clean` removes what this notebook made, when you
# no longer need it.
