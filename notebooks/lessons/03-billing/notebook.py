# %% [markdown]
# # 03 Billing
#
# After this notebook you will be able to
#
# - read in a REPORT line what an invocation costs, and add up the bill of everything that you have run so far;
# - say what a failure, a timeout, a cold start and an idle function cost;
# - compare the rule of 2019 (per 100 ms) with the one that holds now;
# - choose a memory size from a measurement, and say when more memory costs nothing.
#
# It takes about 45 minutes. Slides: "Features of Lambda, part 3: billed by time" (Lambdaの特徴 その3「時間単位課金」, page 7), in the
# part "Know Lambda".
#
# All durations come from REPORT lines in CloudWatch. The prices are AWS's list prices for x86 in Tokyo and N. Virginia (some regions
# cost more), so the totals are what AWS would charge there for these invocations. The embedded AWS itself costs nothing.

# %% notes [markdown]
# Minutes: 1
#
# Say: The slide promises that you pay for what you use. Tonight you check an invoice line by line. Ask: what does a
# server cost that nobody calls this night?

# %%
import inspect
import json
import time
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, explore, fact, load_prices, reports, track
from helpers.plots import BLUE, GREY, ORANGE, RED, SKY
from matplotlib.ticker import LogLocator

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution, wait_until

# %% [markdown]
# ## Two things are billed
#
# - **Requests**: every time that Lambda starts your handler.
# - **GB-seconds**: the memory that you *configure*, in GB (1,024 MB), times the time that is billed, in seconds. A
#   function with 512 MB that runs for two seconds uses one GB-second.
#
# With the memory you also choose the CPU: Lambda gives both together. So the slide's "CPU and memory are taken
# into account" is one number, `MemorySize`. Each month has a **free tier**: what you use below it is not charged.

# %% notes [markdown]
# Minutes: 3
#
# Say: Requests and GB-seconds, no third thing. The trap is in one word: the memory that you *configure*. Ask what a
# function with 1,024 MB that uses 80 MB is billed for.
#
# Goes wrong: Somebody asks for CPU as a price. It has none of its own: it comes with the memory, and the section on
# memory shows how.

# %%
listed = load_prices()
prices, x86 = listed["lambda"], listed["lambda"]["gb_second"]["x86_64"]
table = pd.DataFrame(index=["requests", "GB-seconds"])
table["USD per million"] = [prices["request"] * 1e6, x86 * 1e6]
table["free each month"] = [prices["free_requests"], prices["free_gb_seconds"]]
print(f"List prices of {listed['checked']}, from {listed['sources'][0]}")
table.round(2)

# %% [markdown]
# Nothing in this list is per function, per hour or per machine. A function that is never called costs nothing, and so
# does one between two calls: **idle time is free**. (Other services have their own prices: keeping logs, for
# example.)
#
# ## Calls to pay for
#
# One piece of code, five functions. Three succeed. One fails in every call. One waits for longer than its `Timeout` of one second, so
# Lambda stops it.

# %% notes [markdown]
# Minutes: 5
#
# Say: Five functions, one piece of code. Let the room vote: is a crash free? Is a timeout free? Then read the row of
# *too-slow*: this is what a hanging call costs, and the time limit is the price that you have agreed to.
#
# Goes wrong: Somebody has run the cell a moment ago, and the first row of a function is warm: it has `NaN` in the
# column of init. `status` of *fails* is `success`, and people think that the table is wrong. The REPORT line of a
# call that raised an exception looks like any other.
#
# Answer 03.a: None of them: all 35 are billed. Time was used, whether something came out of it or not. A timeout is
# billed for its full limit. Free is only what never reaches your function, such as a throttled call.

# %%
told_code = """
import time

def handler(event, context):
    time.sleep(event.get("wait_s", 0))
    if event.get("fail"):
        raise ValueError("told to fail")
"""

# %%
session = {  # function: (MemorySize, event, number of calls)
    "quick": (128, {}, 20),
    "waits": (128, {"wait_s": 0.11}, 5),
    "waits-1024": (1024, {"wait_s": 0.11}, 5),
    "fails": (128, {"fail": True}, 3),
    "too-slow": (128, {"wait_s": 5}, 2),
}

# %%
for label, (memory_mb, _, _) in session.items():
    options = {"MemorySize": memory_mb, "Timeout": 1}
    deploy(workshop, workshop.name(f"bill-{label}"), {"app.py": told_code}, **options)

# %% [markdown]
# **Predict:** which of these 35 calls will not be billed?

# %%
predict("03.a", choices=["fails", "too-slow", "fails and too-slow", "none"])

# %%
began, frames = datetime.now(UTC), []
for label, (_, event, number) in track(session.items(), "functions called"):
    name = workshop.name(f"bill-{label}")
    for _ in range(number):
        lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
    rows = reports(logs, name, at_least=number, since=began)
    frames.append(rows.assign(function=label))
calls = pd.concat(frames, ignore_index=True)

# %% [markdown]
# Here are the first two calls of each function: a cold one (unless you ran the last cell a short time ago), and a warm
# one, which has no init (`NaN`: no number). Compare `billed_ms` with the two columns before it.

# %%
first_two = calls.groupby("function", sort=False).nth([0, 1]).set_index("function")
first_two.drop(columns=["request_id", "environment", "start", "error_type"])

# %%
free = calls.loc[calls["billed_ms"] == 0, "function"].unique()
predicted("03.a", " and ".join(free) or "none")
stopped = calls.loc[calls["status"] == "timeout", "billed_ms"]
claim("every call is billed", len(free) == 0)
claim("a timeout is billed for its full limit", stopped.min() >= 1000)

# %% [markdown]
# - Every call has a `billed_ms`. An exception and a timeout are billed like a success: the time was used. (`status` says
#   `success` for *fails*, because the REPORT of a call that raised an exception looks like any other: the metric `Errors` counts them.) Only a call that
#   never reaches your function is free, for example one that is throttled.
# - A timeout costs its full limit. `Timeout` can be up to {{timeout}}: it is also what a call that hangs can cost you.
# - A cold start is billed: `billed_ms` is `init_ms` and `duration_ms` together, rounded up.
# - `memory_mb` is what you configured, and what you pay for. `max_memory_mb` is what was used; it does not change
#   the bill.

# %%
calls["gb_seconds"] = calls["memory_mb"] / 1024 * calls["billed_ms"] / 1000
used = calls.groupby("function", sort=False)["gb_seconds"].agg(["count", "sum"])
used.columns = ["requests", "GB-seconds"]
used["share"] = (used["GB-seconds"] / used["GB-seconds"].sum()).map("{:.0%}".format)
times = used["GB-seconds"]["waits-1024"] / used["GB-seconds"]["waits"]
claim("waits-1024 needs about eight times the GB-seconds of waits", 6.5 < times < 9.5)
used.round(4)

# %% [markdown]
# *waits* and *waits-1024* do the same, in the same time. The second one needs about eight times the GB-seconds: it has
# eight times the memory.
#
# ## The bill
#
# The folded cell arranges the same figures like AWS's invoice: an amount, a unit price, a charge.

# %% notes [markdown]
# Minutes: 3
#
# Say: The sum has many zeros, so nobody can feel it. Ask the better question: how often could we do this in a month
# for nothing? Then say that the free tier is one for the whole account, and not one for each function.
#
# Goes wrong: They look for the place where the free tier is subtracted. Nowhere: the table shows list prices, and the
# share of the free tier beside them.


# %% invoice folded
def invoice(frame):
    """What a table of reports() costs at list price, without the free tier."""
    gb_seconds = (frame["memory_mb"] / 1024 * frame["billed_ms"] / 1000).sum()
    lines = pd.DataFrame(index=["requests", "GB-seconds"])
    lines["amount"] = [len(frame), gb_seconds]
    lines["unit price"] = [prices["request"], prices["gb_second"]["x86_64"]]
    lines["USD"] = lines["amount"] * lines["unit price"]
    free = [prices["free_requests"], prices["free_gb_seconds"]]
    lines["of the free tier"] = lines["amount"] / free
    return lines


def show(lines):
    formats = {"amount": "{:,.6g}", "unit price": "{:.10f}", "USD": "{:.8f}"}
    formats["of the free tier"] = "{:.5%}"
    total = f"{lines['USD'].sum():.8f} USD in all"
    return lines.style.format(formats).set_caption(total)


# %%
show(invoice(calls))

# %% [markdown]
# That is very little. So we ask another question: how much of this could you do in a month?

# %%
lines, minutes = invoice(calls), 365 / 12 * 24 * 60  # in a month
usd, share = lines["USD"].sum() * minutes, lines["of the free tier"]
print(f"These 35 calls once a minute: {usd:.2f} USD a month, without free tier")
print(f"Free each month: {1 / share.max():,.0f} times (limit: {share.idxmax()})")

# %% [markdown]
# ## Rounding: 2019 and now
#
# The slide says: billed in units of 100 ms. That was the rule in 2019. It has changed twice since:
#
# | from | rounded up to | init of a cold start | source |
# |---|---|---|---|
# | 2014 | 100 ms | free | the slide, and the next post |
# | {{billing_by_1_ms}} | 1 ms | free | [AWS News Blog]({{billing_by_1_ms.source}}) |
# | {{billing_of_init}} | 1 ms | billed | [AWS Compute Blog]({{billing_of_init.source}}) |
#
# Init was free for zip packages on a runtime of AWS's, up to its limit of ten seconds. For container images and for
# your own runtimes it was billed before, too.
#
# We apply the three rules to your calls. The last rule should agree with REPORT.

# %% notes [markdown]
# Minutes: 6
#
# Say: The deck is right for its year, and wrong today, twice. Ask what people did in 2019 to save money: they put
# several tasks into one call. Ask if that still pays.
#
# Goes wrong: The pictures have no group "quick, cold" if the calls were warm; then there is no answer to the second
# question either. Change something in `session`, or wait five minutes.
#
# Answer 03.b: Some fifty times, or a hundred: a call of one or two milliseconds was rounded up to 100, and is now
# rounded up to the next millisecond.
#
# Answer 03.c: Not far from once, a little more or less. In 2019 its init was free, and its short run was rounded up
# to 100; now init and run are billed as they are, and together they take about as long.
#
# Answer 03.g: Somewhat less than twice. The calls at 1,024 MB count most, and their wait of 110 ms was billed as 200.
#
# Skip: The last prediction.


# %% three-rules
def three_rules(frame):
    """Milliseconds that each rule bills for each invocation."""
    duration, init = frame["duration_ms"], frame["init_ms"].fillna(0)
    rules = {"2019": np.ceil(duration / 100) * 100, "since Dec 2020": np.ceil(duration)}
    both = (duration + init).round(2)  # REPORT shows two decimals
    return pd.DataFrame(rules | {"since Aug 2025": np.ceil(both)})


# %%
rules = three_rules(calls)
agrees = rules["since Aug 2025"] == calls["billed_ms"]
claim("the last rule agrees with nine of ten REPORTs or more", agrees.mean() >= 0.9)
print(f"agrees with REPORT: {agrees.sum()} of {len(calls)}")

# %% [markdown]
# **Predict:** a warm call of *quick* runs for a few milliseconds. In 2019 more milliseconds of it were billed
# than now. How many times as many?

# %%
predict("03.b")

# %% [markdown]
# **Predict:** and a cold call of it?

# %%
predict("03.c")

# %% [markdown]
# The folded cell takes the median of the calls of each kind, and draws it.

# %% draw-rules folded
cold = calls["init_ms"].notna()
cases = {
    "quick, warm": (calls["function"] == "quick") & ~cold,
    "quick, cold": (calls["function"] == "quick") & cold,
    "waits 0.11 s, warm": (calls["function"] == "waits") & ~cold,
    "stopped after 1 s": (calls["function"] == "too-slow") & ~cold,
}
medians = pd.DataFrame({case: rules[rows].median() for case, rows in cases.items()})
medians = medians.dropna(axis="columns").T
factor = medians["2019"] / medians["since Aug 2025"]

figure, ax = plt.subplots(figsize=(10, 4.2))
colors, hatches = [RED, SKY, BLUE], ["//", "..", None]
for place, rule in enumerate(medians):
    x = np.arange(len(medians)) + (place - 1) * 0.27
    style = {"color": colors[place], "hatch": hatches[place], "edgecolor": "white"}
    bars = ax.bar(x, medians[rule], 0.25, label=rule, **style)
    ax.bar_label(bars, fmt="%.0f", padding=2)
ax.set(yscale="log", ylim=(0.8, 6000))
ax.set_xticks(range(len(medians)), medians.index)
ax.set_ylabel("billed, ms (log scale)")
ax.legend(ncols=3, loc="upper left")
times = f"{factor['quick, warm']:.0f} times as long as now"
_ = ax.set_title(f"In 2019 a short warm call was billed {times}")

# %%
short, cold_one = factor["quick, warm"], factor.get("quick, cold")
predicted("03.b", f"{short:.0f} times, warm")
claim("a short warm call was billed at least ten times as long in 2019", short >= 10)
if cold_one:  # else you ran the calls a short time ago
    predicted("03.c", f"{cold_one:.1f} times, cold")
    now = medians["since Aug 2025"]
    is_longer = now["quick, cold"] > now["quick, warm"]
    claim("now a cold call of quick is billed longer than a warm one", is_longer)

# %% [markdown]
# And all 35 calls together? A millisecond at 1,024 MB counts eight times as much as one at 128 MB.
#
# **Predict:** how many times as many GB-seconds would the rule of 2019 have billed?

# %%
predict("03.g")

# %%
then, now = rules["2019"], rules["since Aug 2025"]
more = (calls["memory_mb"] * then).sum() / (calls["memory_mb"] * now).sum()
predicted("03.g", f"{more:.2f} times as many GB-seconds")

# %% [markdown]
# The calls at 1,024 MB count most, and each of their waits of 110 ms was billed as 200. The old rule made short calls expensive: for a function of
# two milliseconds you paid 98 more. So people put several tasks into one call; you no longer need to.
#
# The rule of 2025 shows in the second group: now a cold start is the expensive call. Among many warm calls it hardly matters;
# with a long init and few calls it is most of the bill.
#
# ## Memory: pay more for less time?
#
# Lambda gives CPU in proportion to memory. At {{vcpu_memory}} a function has one full vCPU
# ([AWS]({{vcpu_memory.source}})); at 128 MB it has 7% of one. So twice
# the memory costs twice as much per second, and a function that *computes* needs half the seconds.
#
# Take a function that computes for a second or two at 128 MB, and one that only *waits*, for a database, say.
#
# **Predict:** how many times as fast is the first one with {{vcpu_memory}} as with 128 MB?

# %% notes [markdown]
# Minutes: 8
#
# Say: This is the most useful picture of the notebook, so give it time. Twice the memory is twice the price for each
# second, and half the seconds. So what is the bill? Let them guess before the cell runs; the cell takes half a minute
# or more, in which you can explain what a share of a CPU means. Ask afterwards: your function calls a database, which
# of the two lines is it?
#
# Goes wrong: On a busy laptop a claim says *Not measured this time*: run `computing = …` again, alone. With
# `WORKSHOP_CPU_SHARE=off` there is no difference at all, and the claims say so. Beyond one vCPU some expect a still
# shorter time: this code has one thread.
#
# Answer 03.d: About as many times as it has more memory, some fourteen: 128 MB have 7 % of a vCPU, and
# {{vcpu_memory}} have all of one.
#
# Answer 03.e: About the same. Each second costs fourteen times as much, and there are a fourteenth of them. Faster
# for the same price: that is what surprises people.
#
# Skip: The waiting. Run its cells before the session, as the month's bill and two exercises use what they make, and
# show the picture alone.

# %%
predict("03.d")

# %% [markdown]
# **Predict:** and how many times as much do a million such calls cost?

# %%
predict("03.e")

# %% [markdown]
# The embedded AWS imitates this share (unless `WORKSHOP_CPU_SHARE` is `off`): it pauses the function's process for a
# moment whenever the process has used its part of the CPU time.

# %%
work_code = """
import hashlib
import time

def handler(event, context):
    digest = b""
    for _ in range(event.get("hashes", 0)):
        digest = hashlib.sha256(digest).digest()
    time.sleep(event.get("wait_s", 0))
"""

# %%
tuned = workshop.name("bill-tuned")
_ = deploy(workshop, tuned, {"app.py": work_code}, MemorySize=3008, Timeout=60)
ONE_VCPU = fact("vcpu_memory")  # MB
SIZES = [128, 256, 512, 1024, ONE_VCPU, 3008]

# %% [markdown]
# `tune` gives the function each size in turn. The change makes the next call cold, so that call does nothing else. The
# calls after it are warm, and do the work. There are two rounds, so that a busy moment of your machine does not
# hit one size alone. It takes half a minute or more.


# %%
def resize(size):
    lambda_client.update_function_configuration(FunctionName=tuned, MemorySize=size)
    updated = lambda_client.get_waiter("function_updated_v2")
    updated.wait(FunctionName=tuned, WaiterConfig={"Delay": 0.2})


# %%
def tune(event, label, rounds=2, calls=4):
    """Invoke the function at each memory size; return the REPORT lines as a table."""
    began, sizes = datetime.now(UTC), SIZES * rounds
    for size in track(sizes, f"{label}, sizes"):
        resize(size)
        for payload in [{}] + [event] * calls:
            lambda_client.invoke(FunctionName=tuned, Payload=json.dumps(payload))
    return reports(logs, tuned, at_least=len(sizes) * (1 + calls), since=began)


# %%
computing = tune({"hashes": 200_000}, "computing")
waiting = tune({"wait_s": 0.2}, "waiting")

# %% [markdown]
# For each size: the fastest of the eight warm calls, and what a million like it cost. (The fastest, because other work on
# the machine can only make a call slower.)


# %% per-size
def per_size(frame):
    warm = frame[frame["init_ms"].isna()].groupby("memory_mb")
    table = warm[["duration_ms", "billed_ms"]].min()
    gb_seconds = table.index / 1024 * table["billed_ms"] / 1000
    each = gb_seconds * prices["gb_second"]["x86_64"] + prices["request"]
    return table.assign(usd_per_million=1e6 * each)


# %%
computes, waits = per_size(computing), per_size(waiting)
pd.concat({"computing": computes, "waiting": waits}, axis="columns").round(2)

# %%
small, one_cpu = computes.loc[128], computes.loc[ONE_VCPU]
faster = small["duration_ms"] / one_cpu["duration_ms"]
cost = one_cpu["usd_per_million"] / small["usd_per_million"]

# %% [markdown]
# The folded cell draws both columns over the memory.

# %% draw-sizes folded
# picture: power-tuning.png
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6))
where = "CPU share imitated" if workshop.is_embedded else f"on {workshop.target}"
lines = {"computes": (computes, RED, "D"), "waits": (waits, BLUE, "o")}
for ax, column in ((left, "duration_ms"), (right, "usd_per_million")):
    for label, (table, color, marker) in lines.items():
        style = {"color": color, "marker": marker, "markersize": 9, "linewidth": 2}
        ax.plot(table.index, table[column], label=label, **style)
    ax.axvline(ONE_VCPU, color=GREY, linestyle="--", label=f"{ONE_VCPU:,} MB: one vCPU")
    ax.set(xscale="log", yscale="log", xlabel="MemorySize, MB")
    ax.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
    ax.minorticks_off()
    ax.yaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
    ax.yaxis.set_major_formatter("{x:,g}")
left.set_title(f"Duration, ms (best of eight, {where})")
right.set_title("USD per million calls")
up_to = np.array([128, ONE_VCPU])  # MB
proportional = small["duration_ms"] * 128 / up_to
left.plot(up_to, proportional, ":", color=GREY, linewidth=3, label="time = 1 / memory")
left.legend()
result = f"computing is {faster:.1f} times as fast, for {cost:.2f} times the price"
title = f"{ONE_VCPU:,} MB instead of 128 MB: {result}"
_ = figure.suptitle(title, x=0.01, ha="left")

# %%
predicted("03.d", f"{faster:.1f} times as fast")
predicted("03.e", f"{cost:.2f} times the price")

# %%
up_to_one, beyond = computes.loc[:ONE_VCPU] / small, computes.loc[3008] / one_cpu
faster_each = up_to_one["duration_ms"].is_monotonic_decreasing and faster > 7
same_price = up_to_one["usd_per_million"].between(0.75, 1.3).all()
claim("up to one vCPU more memory is faster, for about the same price", same_price)
claim("up to one vCPU the time falls as memory grows", faster_each)

# %%
little, spread = beyond["duration_ms"] > 0.85, waits.max() / waits.min()
claim("beyond one vCPU the time falls little, if at all", little)
claim("beyond one vCPU the price rises", beyond["usd_per_million"] > 1.2)
claim("a wait is about as long at every size", spread["duration_ms"] < 1.2)
claim("a wait costs more with more memory", spread["usd_per_million"] > 8)

# %% [markdown]
# *On the embedded AWS the CPU share in this figure is imitated; the rule, in proportion to memory, is AWS's.*
#
# - **Computing:** up to one vCPU the time falls as memory grows, and the *faster function costs about the same*. Beyond, the
#   price rises and the time falls little, if at all: this code has one thread, and cannot use a second vCPU.
# - **Waiting:** the time is about the same at every size, so the price rises with the memory. Choose the smallest size that
#   is enough.
#
# Real functions do some of both, so measure yours. This is called *power tuning*. The open-source tool
# [AWS Lambda Power Tuning](https://github.com/alexcasalboni/aws-lambda-power-tuning) does on AWS what `tune` does here.
#
# The CPU share is for the handler. Init is not slowed down at small sizes (measured by others, not promised by AWS), and the
# embedded AWS does the same. So our cold calls at 128 MB should need less than twice the init of those at the largest size above,
# which have 24 times the memory:

# %%
cold = computing[computing["init_ms"].notna()]
init_ms = cold.groupby("memory_mb")["init_ms"].min()
claim("init is not slowed down by little memory", init_ms[128] < 2 * init_ms[3008])
init_ms.to_frame("Init Duration, ms").T

# %% [markdown]
# ## You pay while you wait
#
# A function that calls another one and waits for the answer is billed while it waits. Here *front* invokes *back* and
# returns its answer; *back* needs half a second.
#
# **Predict:** *front* does nothing itself. What share of the GB-seconds is *front*'s?

# %% notes [markdown]
# Minutes: 4
#
# Say: Two functions, one waits for the other. Ask who pays: everybody who is awake. It looks so natural, because in a
# program one function calls another; here it doubles the bill, and more.
#
# Goes wrong: People think that *front* is cheap since it does nothing. It has 512 MB, and it does nothing for half a
# second.
#
# Answer 03.f: About two thirds, all of it for waiting. Both run for the same half second, and *front* has twice the
# memory of *back*.

# %%
predict("03.f")

# %%
front_code = """
import json
import os

import boto3

client = boto3.client("lambda")

def handler(event, context):
    back, payload = os.environ["BACK"], json.dumps({"wait_s": 0.5})
    answer = client.invoke(FunctionName=back, Payload=payload)
    return json.load(answer["Payload"])
"""

# %%
front, back = workshop.name("bill-front"), workshop.name("bill-back")
made = deploy(workshop, back, {"app.py": work_code}, MemorySize=256, Timeout=10)

# %% [markdown]
# A function may make only the calls to AWS that its **role** allows. The role of *front* gets one *statement*: it allows *front* to
# invoke one function, *back*, and no other. (`workshop.role` adds the right to write logs.)

# %% invoke-back
invoke_back = {
    "Effect": "Allow",
    "Action": "lambda:InvokeFunction",
    "Resource": made["FunctionArn"],
}

# %%
role, variables = workshop.role(invoke_back), {"BACK": back}
settings = {"MemorySize": 512, "Timeout": 20, "Environment": {"Variables": variables}}
_ = deploy(workshop, front, {"app.py": front_code}, Role=role, **settings)

# %%
began = datetime.now(UTC)
for _ in range(3):
    lambda_client.invoke(FunctionName=front)
frames = [reports(logs, name, at_least=3, since=began) for name in (front, back)]
chain = pd.concat(frames, keys=["front", "back"], names=["function"])

# %%
warm = chain[chain["init_ms"].isna()].groupby("function", sort=False)
both = warm[["duration_ms", "billed_ms", "memory_mb"]].median()
both["gb_seconds"] = both["memory_mb"] / 1024 * both["billed_ms"] / 1000
both.round(3)

# %%
for_waiting = both["gb_seconds"]["front"] / both["gb_seconds"].sum()
predicted("03.f", f"{for_waiting:.0%}, all of it for waiting")
claim("both are billed for the half second", both["billed_ms"].min() >= 500)

# %% [markdown]
# The half second is paid twice, the second time at *front*'s memory size. In a chain of five functions it is paid five
# times. So let a function pass its work on and end: through a queue, an event, or Step Functions, AWS's service that keeps
# track of the steps. The same is true for a slow web service: you pay for the other side's time.
#
# ## Everything that you have run so far
#
# Each function writes its own log group, and the names of yours begin with your prefix. So the bill of *all* your
# functions, also of the notebooks before, is in the logs. (On AWS a log group stays when its function is
# deleted. `python3 -m helpers clean` deletes both, and the workshop's logs are kept for a week.)

# %% notes [markdown]
# Minutes: 3
#
# Say: Your own bill, of all notebooks of today. Ask who has the highest one, and which function it was. For who ran *A
# thousand* in 02 it is `waiter`; for the others, after this notebook, the one of the memory test, and hardly anybody guesses that.
#
# Goes wrong: It is nearly empty for somebody who began here. That is fine.
#
# Skip: The query in Logs Insights, unless you skip the one in 04, too. One of the two should be shown.

# %%
prefix = f"/aws/lambda/{workshop.tags['learner']}-"
pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
names = [group.removeprefix("/aws/lambda/") for group in groups]

# %%
tables = {name: reports(logs, name, at_least=0) for name in track(names, "log groups")}
frames = [table.assign(function=name) for name, table in tables.items() if len(table)]
everything = pd.concat(frames, ignore_index=True)
show(invoice(everything))

# %% [markdown]
# Which function costs most? Here every line of every log came to this notebook. In production you let CloudWatch add up:
# **Logs Insights** runs a query over as many as {{insights_groups}} and sends the result alone. It finds the fields of Lambda's lines by itself:
# `@billedDuration` in ms, and `@memorySize` in bytes, of which it counts a million for each MB. A query runs for a moment, so we start
# it, and ask for its rows until they are complete.


# %% ask
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
query = """
filter @type = "REPORT"
| stats count(*) as requests,
    sum(@billedDuration / 1000 * @memorySize / 1000 / 1000 / 1024) as gb_seconds by @log
| sort gb_seconds desc
| limit 5
"""
most_expensive = ask(
    query, groups[: fact("insights_groups")], everything["start"].min()
)
most_expensive

# %%
everything["gb_seconds"] = (
    everything["memory_mb"] / 1024 * everything["billed_ms"] / 1000
)
most = everything.groupby("function")["gb_seconds"].sum().idxmax()
claim(
    "both ways find the same function", most_expensive["@log"][0].endswith(f"/{most}")
)

# %% [markdown]
# `@log` is the account and the log group.
#
# Each of these functions has been ready all the time since its first call. You would pay for a server that is ready. We
# compare the time in which they were ready with the time that was billed. (Without `waiter` of notebook 02: no single server takes its calls, a thousand at
# once.)

# %%
rest = everything[everything["function"] != workshop.name("waiter")]
first_calls = rest.groupby("function")["start"].min()
ready = (pd.Timestamp.now("UTC") - first_calls).dt.total_seconds().sum()
billed = rest["billed_ms"].sum() / 1000
print(f"{len(first_calls)} functions: {ready:,.0f} s ready, {billed:,.1f} s billed")
claim("the functions were ready for longer than they were billed", ready > billed)

# %% [markdown]
# The difference grows while you read. Whether a server costs more depends on how busy it is:
# [notebook 05](05-lambda-or-ec2.ipynb) does this calculation.
#
# ## A month's bill
#
# `monthly` computes what one function costs. (AWS subtracts the free tier once for all functions of an account.)

# %% notes [markdown]
# Minutes: 2
#
# Say: Take the load of somebody in the room: calls a month, memory, milliseconds. Set the sliders, and read the title
# aloud.


# %% monthly
def monthly(calls, memory_mb, duration_ms, free=True):
    """USD a month for this many calls, x86, list price."""
    requests, gb_seconds = calls, calls * memory_mb / 1024 * duration_ms / 1000
    if free:
        requests = np.maximum(requests - prices["free_requests"], 0)
        gb_seconds = np.maximum(gb_seconds - prices["free_gb_seconds"], 0)
    return requests * prices["request"] + gb_seconds * prices["gb_second"]["x86_64"]


# %% [markdown]
# The folded cell draws the bill over the number of calls. Move the sliders.

# %% draw-month folded
CALLS = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]


def draw(memory_mb=512, duration_ms=200, calls_a_month=10_000_000):
    figure, ax = plt.subplots(figsize=(9, 4.5))
    many = np.logspace(4, 8, 400)
    all_of_it = monthly(many, memory_mb, duration_ms, free=False)
    ax.plot(many, all_of_it, "--", color=ORANGE, label="without free tier")
    less = monthly(many, memory_mb, duration_ms)
    ax.plot(many, less, color=BLUE, linewidth=3, label="with free tier")
    usd = monthly(calls_a_month, memory_mb, duration_ms)
    ax.plot(calls_a_month, max(usd, 0.01), "D", color=RED, markersize=11)
    ax.set(xscale="log", yscale="log", ylim=(0.01, 100_000))
    ax.xaxis.set_major_formatter("{x:,.15g}")
    ax.yaxis.set_major_formatter("{x:,.15g}")
    ax.set_xlabel("calls a month")
    ax.set_ylabel("USD a month")
    ax.legend()
    load = f"{calls_a_month:,} calls of {duration_ms:,} ms at {memory_mb:,} MB"
    ax.set_title(f"{load}: {usd:,.2f} USD a month")
    return ax


# %%
memory = [128, 256, 512, 1024, ONE_VCPU, 3008, fact("memory_max")]
durations = [1, 10, 50, 100, 200, 500, 1000, 3000]
explore(draw, memory_mb=memory, duration_ms=durations, calls_a_month=CALLS)

# %% [markdown]
# Three more prices:
#
# - **arm64**, AWS's own processors (`Architectures=["arm64"]`): the same Python code, other binaries.
# - *Provisioned concurrency*, environments that are kept ready: you also pay for them when they are idle, see [notebook
#   04](04-cold-start.ipynb).
# - More than {{tmp}} of `/tmp`: billed per GB-second, too.

# %%
arm = prices["gb_second"]["arm64"]
print(f"A GB-second on arm64 costs {1 - arm / x86:.0%} less than on x86.")

# %% [markdown]
# ## Exercise 1: the bill
#
# Write `bill`: given a table of reports, it returns what these invocations cost in USD, as one number: x86, list price,
# without the free tier. `list(calls)` shows the columns, and the prices are in `prices`. (pandas calculates with whole
# columns: `frame["a"] * frame["b"]` multiplies row by row, and `.sum()` adds up a column.)
#
# Replace the line that begins with `raise`, and run the cell and its check. `hint("03.1")` in a new cell helps.

# %% notes [markdown]
# Minutes: 4
#
# Say: It is one line of pandas. The traps are units: MB and GB, ms and s, per million and for each.
#
# Goes wrong: The check knows many ways to be wrong, and names the one that it sees. The common ones: `duration_ms` in
# place of `billed_ms`; `max_memory_mb`, which is what was used and not what is billed; the sum of all memory times
# the sum of all time; a GB taken as 1,000 MB; requests forgotten.
#
# Skip: It can be homework; nothing later in this notebook needs `bill`.


# %% bill
def bill(frame):
    # solution: Add up requests and GB-seconds, each times its price.
    gb_seconds = (frame["memory_mb"] / 1024 * frame["billed_ms"] / 1000).sum()
    return len(frame) * prices["request"] + gb_seconds * prices["gb_second"]["x86_64"]


# %%
# check
check("03.1", bill)

tables = {"the 35 calls": calls, "computing": computing, "waiting": waiting}
for label, frame in tables.items():
    usd = 1e6 * bill(frame) / len(frame)
    print(f"{label}: {usd:.2f} USD per million such calls")

# %% [markdown]
# ## Exercise 2: hand the work on
#
# *front* waits for *back*, and the half second is paid twice. Write `hand_on`, a handler that replaces *front*'s. It starts *back* with
# the event that it gets, does **not** wait until *back* is done, and returns `{"handed_on": True}`.
#
# `client`, `json` and `os` are there, as in `front_code`. The function gets *front*'s role, which may invoke *back* in both ways.
# The check invokes your function, and reads in the REPORT lines what both functions were billed.

# %% notes [markdown]
# Minutes: 4
#
# Say: You have seen that waiting costs. Now do not wait. One argument of `invoke` is enough. Ask first: what do you
# lose? The answer of *back*.
#
# Goes wrong: They leave out `InvocationType`, and the check says for how long the function was billed. They take
# `DryRun`, which runs nothing. They hand on `{}` in place of the event. They give `Payload` a dict: it has to be
# text, so `json.dumps`.


# %% hand-on
def hand_on(event, context):
    back = os.environ["BACK"]
    # solution: Invoke back with the event, but do not wait; return {"handed_on": True}.
    payload = json.dumps(event)
    client.invoke(FunctionName=back, InvocationType="Event", Payload=payload)
    return {"handed_on": True}


# %% hands-on
# check
hands_on, top = workshop.name("bill-hands-on"), front_code.partition("def handler")[0]
files = {"app.py": top + inspect.getsource(hand_on)}
deploy(workshop, hands_on, files, Handler="app.hand_on", Role=role, **settings)
check("03.2")

pair = {"front": front, "your function": hands_on}
billed = {label: reports(logs, pair[label])["billed_ms"].iloc[-1] for label in pair}
pd.Series(billed, name="billed, ms, while back works").to_frame()

# %% [markdown]
# The caller no longer gets the answer of *back*. If you need the answer, let *back* put it somewhere: into S3, a table, a message.
#
# ## Exercise 3: tune a function
#
# *bill-report* loads a table of 150 MB in its init phase, and waits a fifth of a second for a database in each
# call. Somebody gave it {{vcpu_memory}}, to be on the safe side.

# %% notes [markdown]
# Minutes: 4
#
# Say: Think before you try: does it compute or wait? Then which size will it be? Whoever has the answer without an
# experiment has understood the notebook.
#
# Goes wrong: 128 MB looks cheapest, and then each call fails, since the table alone needs more. arm64 alone saves
# only a fifth, which is too little. Somebody makes the code faster: the check refuses it, because only the
# configuration may change.

# %% report-code
report_code = """
import time

table = b"x" * 150 * 1024 * 1024

def handler(event, context):
    time.sleep(0.2)
    return len(table)
"""

# %% report
report, size = workshop.name("bill-report"), fact("vcpu_memory")
deploy(workshop, report, {"app.py": report_code}, MemorySize=size, Timeout=10)
for _ in range(3):
    lambda_client.invoke(FunctionName=report)
report_calls = reports(logs, report, at_least=3)
per_size(report_calls[-3:]).round(2)

# %% [markdown]
# Leave its code as it is. Change its **configuration** with `update_function_configuration`, so that a million warm calls cost
# **1.50 USD** at most (list price, without the free tier), and no call fails. The check invokes your function, and computes the cost from its
# REPORT lines.
#
# Think first: which size will it be? What happens at 128 MB? Would it help to make the function faster?

# %% tune-it
# solution: Give the function `report` another MemorySize.
_ = lambda_client.update_function_configuration(FunctionName=report, MemorySize=256)

# %% tuned
# check
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=report)
check("03.3")

per_size(reports(logs, report)).round(2)

# %% [markdown]
# It waits, so no size makes it faster, and you pay for each MB during the whole fifth of a second. `Max Memory Used` says how small
# it can be; leave some room. (arm64 would make the GB-second another fifth cheaper.)
#
# ## What you have learned
#
# - Two things are billed: requests, and GB-seconds of *configured* memory. Idle functions cost nothing.
# - Failures, timeouts and cold starts are billed; a timeout costs its full limit.
# - In 2019 every call was rounded up to 100 ms. Now it is 1 ms, and since {{billing_of_init}} init is billed too.
# - Memory buys CPU. Up to {{vcpu_memory}} a function that computes becomes faster at the same price; one that waits only
#   costs more.
# - A function that waits for another one is billed for the wait.
# - Logs Insights adds up the bill of many functions by one query.
#
# **Next:** [04 Cold start](04-cold-start.ipynb). `python3 -m helpers clean` removes what this notebook made, when you
# no longer need it.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask each row to name one thing that is billed and one that is free. Keep the GB-seconds of the evening for
# notebook 18, which adds them up again.
