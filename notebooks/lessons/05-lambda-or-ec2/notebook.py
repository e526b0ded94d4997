# %% [markdown]
# # 05 Lambda or EC2
#
# After this notebook you will be able to
#
# - compute what a load costs on Lambda and on machines of EC2, and at which load the two cost the same;
# - derive the slide's two prices, 88 and 19 dollars, and say what they assume;
# - read a day's traffic: on Lambda you pay for its area, on EC2 for its height;
# - configure a function for a load, and say what each setting saves;
# - name what such a calculation leaves out, and decide.
#
# It takes about 40 minutes. Slides: "Caveats of Lambda, part 2: EC2 is cheaper in some cases" (Lambdaの注意点 その2「EC2のほうが安いケースがある」,
# page 10), in the part "Know Lambda".
#
# You rent EC2's virtual machines by the hour, used or not. This notebook starts none: the costs come from
# list prices, and from the REPORT lines of your functions. The prices are Tokyo's, as in the slides.

# %% notes [markdown]
# Minutes: 1
#
# Say: The slide asks "isn't EC2 good enough?", and gives two prices. Ask who has ever computed it for a system of
# their own, and who has only heard that serverless is cheap.

# %%
import inspect
import time
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, explore, fact, load_prices, reports
from helpers.plots import BLUE, RED, SKY

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution

# %% [markdown]
# ## The slide's calculation
#
# "For 2 GB of memory, for a month: Lambda 88 dollars, EC2 (t3.small) 19 dollars." The formula is in a comment of the slide. These are
# its inputs, from 2019:

# %% notes [markdown]
# Minutes: 3
#
# Say: Check the slide before you believe it. The arithmetic is right; ask what it assumes. One environment that never
# rests, for a month: who has such a function?
#
# Goes wrong: Somebody finds that the comment of the slide says "per ms" and concludes that the price is wrong by a
# hundred. It is the price of 100 ms; only the unit is wrong.

# %% prices
prices = load_prices()  # of Tokyo
then = prices["slides_2019"]
then

# %% slide
tenths = 10 * 60 * 60 * 24 * then["days_a_month"]  # of a second: Lambda's unit in 2019
lambda_2019 = then["lambda_100_ms"] * tenths
ec2_2019 = then["t3_small_hour"] * 24 * then["days_a_month"]
print(f"Lambda: {lambda_2019:.2f} USD a month, EC2: {ec2_2019:.2f} USD a month")

# %% [markdown]
# So the slide rounds 87.86 up, and cuts the cents of 19.91. (Its comment says "per ms", but this was the price of 100 ms.)
#
# The arithmetic is right. Look at what it *assumes*: **one** execution environment of 2,048 MB that works without a pause,
# day and night, for a month, and one machine with 2 GiB that has just as much to do.
#
# ## The same calculation now
#
# Lambda bills by the millisecond now, and its unit is a GB-second: one GB of memory for one second. AWS's calculator
# takes a month as 730 hours. There are also ARM processors, in Lambda (`arm64`) and in EC2 (`t4g`).

# %% notes [markdown]
# Minutes: 4
#
# Say: Seven years later, other processors, another rounding, two regions; and the quotient is still between four and
# six. Ask for the hours before you compute them, and write the guesses on the board.
#
# Answer 05.a: Some five and a half hours. It is the quotient of the slide's two prices, as a share of the day.

# %% today
HOURS = 365 * 24 / 12  # of a month: 730
MACHINES = {"x86_64": "t3.small", "arm64": "t4g.small"}  # both: 2 GiB and 2 vCPUs


def full_month(region, architecture):
    """USD of 2 GB in use all month, on Lambda and on a small machine."""
    listed = load_prices(region)
    on_lambda = listed["lambda"]["gb_second"][architecture] * 2 * HOURS * 3600
    return on_lambda, listed["ec2_hour"][MACHINES[architecture]] * HOURS


# %%
sums = {("2019", "Tokyo", "x86_64"): (lambda_2019, ec2_2019)}
for region, city in {"ap-northeast-1": "Tokyo", "us-east-1": "N. Virginia"}.items():
    for architecture in MACHINES:
        sums[prices["checked"], city, architecture] = full_month(region, architecture)
table = pd.DataFrame(sums, index=["Lambda, USD", "EC2, USD"]).T
table["times"] = table["Lambda, USD"] / table["EC2, USD"]
table.round(2)

# %% [markdown]
# It still holds: a machine that is **in use all month** costs less than a quarter of what Lambda does. "Lambda is cheap, because
# you pay only for what you use" is true only if you use little.
#
# **Predict:** for how many hours a day may the 2 GB be in use before Lambda costs more than the machine?

# %%
predict("05.a")

# %%
full, machine_usd = full_month("ap-northeast-1", "x86_64")
equal = machine_usd / full
predicted("05.a", f"{equal * 24:.1f} hours")
claim("a full machine costs less than a quarter of Lambda", table["times"].min() > 4)

# %% [markdown]
# The folded cell draws both costs over the hours.

# %% draw-hours folded
figure, ax = plt.subplots(figsize=(10, 4.2))
hours = np.linspace(0, 24, 101)
ax.plot(hours, hours / 24 * full, color=RED, linewidth=3, label="Lambda, 2048 MB")
label = "t3.small, always on"
ax.axhline(machine_usd, color=BLUE, linewidth=3, linestyle="--", label=label)
ax.plot(equal * 24, machine_usd, "ko", markersize=10)
ax.text(equal * 24 - 0.8, machine_usd + 8, f"{equal:.1%} of the day", ha="right")
ax.set_xlabel("hours a day in which the 2 GB are in use")
ax.set_ylabel("USD a month")
ax.set_title(f"In use for less than {equal * 24:.1f} hours a day, Lambda is cheaper")
ax.set_xticks(range(0, 25, 3))
_ = ax.legend()

# %% [markdown]
# The slide's two figures *are* the answer: 19 / 88. A machine is worth its price from that **utilisation** on: the share of
# its time in which it has work. A machine that serves people has less, at least at night.
#
# ## What a small machine is
#
# A t3.small is a *burstable* machine: the price of the hour covers 20% of each of its two vCPUs (virtual processors) on
# average. While it uses less, it earns credits, which it can spend later. Beyond its credits it becomes slow (standard
# mode), or you pay for more by the vCPU-hour (unlimited mode, the default). See
# [AWS's page](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html).
#
# Lambda's price includes the CPU: {{vcpu_memory}} come with one vCPU, so 2,048 MB with 1.16. What does the machine cost
# with 0.4 vCPUs in use, with 1.16, and with both?

# %% notes [markdown]
# Minutes: 2
#
# Say: The slide's machine is one that waits. One that computes all day costs more, and still less than Lambda. Ask
# which of the two a web server is.
#
# Skip: Run its cell, which later ones need, and say only the last sentence.

# %% vcpus
t3 = prices["ec2"]["t3.small"]
for vcpus in (0.4, 2048 / fact("vcpu_memory"), 2.0):
    surplus = max(vcpus - t3["vcpus"] * t3["baseline"], 0)
    usd = HOURS * (prices["ec2_hour"]["t3.small"] + surplus * t3["surplus_vcpu_hour"])
    print(f"{vcpus:.2f} vCPUs in use all month: {usd:.2f} USD")

# %% [markdown]
# So the 19 dollars are for a machine that waits most of the time, as web servers do. One that *computes* all day costs more,
# and still less than Lambda's 88 dollars. From here on we count machines that wait.
#
# ## From "busy" to requests
#
# Usually you know a rate: requests per second. Each request costs
#
# - the price of a request, whatever it does, and
# - its GB-seconds, duration in seconds times memory in GB, at the price of a GB-second.
#
# A month has `HOURS` × 3,600 seconds. A GB is 1,024 MB.
#
# **Predict:** what does one request per second cost in a month, of 200 ms at 512 MB? (In Tokyo, on x86_64, at list price
# without the free tier.)

# %% notes [markdown]
# Minutes: 2
#
# Say: Nobody knows for how many hours a day 2 GB are in use; people know requests per second. So change the unit. Let
# everybody guess the price of one request per second for a month.
#
# Answer 05.d: About five dollars. A month has some two and a half million seconds, which sounds like more; but each
# request costs only a few millionths of a dollar.

# %%
predict("05.d")


# %% lambda-cost
def request_usd(duration_ms, memory_mb):
    """USD of one request on Lambda, on x86_64."""
    gb_seconds = duration_ms / 1000 * memory_mb / 1024
    price = prices["lambda"]
    return price["request"] + gb_seconds * price["gb_second"]["x86_64"]


def lambda_cost(rate, duration_ms, memory_mb):
    """USD a month, for so many requests per second."""
    return rate * 3600 * HOURS * request_usd(duration_ms, memory_mb)


# %%
for rate in (0.1, 1, 10):
    print(f"{rate:4} per second: {lambda_cost(rate, 200, 512):6.2f} USD a month")
predicted("05.d", f"{lambda_cost(1, 200, 512):.2f} USD a month")

# %% [markdown]
# ## Where the two meet
#
# The machine costs a fixed sum an hour; Lambda costs a sum per request. So at the **break-even**
#
# > requests in an hour × price of one request on Lambda = price of the machine for an hour
#
# For requests of 200 ms at 512 MB it is at about four a second. **Predict:** requests of 20 ms at 128 MB are ten times as
# short, with a quarter of the memory. So their break-even is at more requests per second: how many times as many?

# %% notes [markdown]
# Minutes: 2
#
# Say: It is one division. The question with the choices is a trap, so let people argue before they run it.
#
# Answer 05.e: Fewer than ten, some eight. A fortieth of the GB-seconds would give forty; but a short request costs
# mostly the price of a request, which stays the same.

# %%
predict("05.e", choices=["ten", "forty", "between ten and forty", "fewer than ten"])


# %% break-even
def break_even(duration_ms, memory_mb):
    """The requests per second at which one t3.small costs what Lambda does."""
    machine_second = prices["ec2_hour"]["t3.small"] / 3600
    return machine_second / request_usd(duration_ms, memory_mb)


# %%
for size in [(20, 128), (200, 512), (2000, 1024)]:  # ms, MB
    print(f"{size}: {break_even(*size):.2f} requests per second")
more = break_even(20, 128) / break_even(200, 512)
predicted("05.e", f"{more:.1f} times as many")
claim("the break-even is at fewer than ten times as many requests", more < 10)

# %% [markdown]
# Fewer than ten: a short request costs mostly the price of a *request*, which is the same for any duration.
#
# ## You pay for whole machines
#
# The next function also knows the other architecture and the *free tier*: each month AWS gives an account
# {{free_requests}} requests and {{free_gb_seconds}} GB-seconds.

# %% notes [markdown]
# Minutes: 4
#
# Say: You cannot rent half a machine, and you should not rent one alone. Move the sliders with the room: a short
# duration, two zones, the free tier. Each time ask before you let go: where does the crossing go?
#
# Goes wrong: Both axes are logarithmic, so the steps of EC2 look small on the right. Say it.
#
# Answer 05.b: To the right, to about twice the rate: the machines cost twice as much, so Lambda stays cheaper for
# longer.


# %% lambda-month
def lambda_month(rate, duration_ms, memory_mb, architecture="x86_64", free_tier=False):
    requests = rate * 3600 * HOURS
    gb_seconds = requests * duration_ms / 1000 * memory_mb / 1024
    price = prices["lambda"]
    if free_tier:
        requests = np.maximum(requests - price["free_requests"], 0)
        gb_seconds = np.maximum(gb_seconds - price["free_gb_seconds"], 0)
    return requests * price["request"] + gb_seconds * price["gb_second"][architecture]


# %% [markdown]
# You cannot rent half a machine. How many do you need? Requests per second times seconds per request are the requests **in progress at
# the same time**. We let a machine serve as many at once as fit into its memory: 4 of 512 MB. This favours
# EC2: it leaves no memory for the operating system. (A program that serves many requests in one process can take more: give `at_once`.)
#
# A service that must not stop needs two machines, in two *availability zones*: data centres that do not fail together. Lambda
# uses several zones by itself.


# %% machines
def machines(rate, duration_ms, memory_mb, zones=1, at_once=None):
    in_progress = rate * duration_ms / 1000
    at_once = at_once or t3["memory_mb"] // memory_mb
    return np.maximum(np.ceil(in_progress / at_once), zones)


# %% ec2-month
def ec2_month(
    rate, duration_ms, memory_mb, machine="t3.small", region="ap-northeast-1", **more
):
    number = machines(rate, duration_ms, memory_mb, **more)
    return number * load_prices(region)["ec2_hour"][machine] * HOURS


# %%
rate = np.array([1, 10, 100, 1000])
number = machines(rate, 200, 512).astype(int)
pd.DataFrame({"requests per second": rate, "machines, for 200 ms at 512 MB": number})

# %% [markdown]
# Now a picture of both costs over the load, for requests of 200 ms at 512 MB. Their lines cross. (The folded cell defines it.)
#
# **Predict:** two machines in two zones instead of one: where does the crossing go?

# %%
predict("05.b", choices=["to the left", "to the right", "it stays"])


# %% costs folded
def costs(
    duration_ms=200,
    memory_mb=512,
    region="ap-northeast-1",
    architecture="x86_64",
    free_tier="no",
    zones=1,
):
    size = (duration_ms, memory_mb)
    rate, machine = np.logspace(-2, 2.5, 20_000), MACHINES[architecture]
    on_lambda = lambda_month(rate, *size, architecture, free_tier == "yes")
    on_ec2 = ec2_month(rate, *size, machine, region, zones=zones)
    figure, ax = plt.subplots(figsize=(10, 4.6))
    paid = np.where(on_lambda > 0, on_lambda, np.nan)
    ax.loglog(rate, paid, color=RED, linewidth=3, label="Lambda")
    label = f"{machine}, as many as needed"
    ax.loglog(rate, on_ec2, color=BLUE, linewidth=3, linestyle="--", label=label)
    title = "Lambda is cheaper for all these rates"
    if (on_lambda > on_ec2).any():
        first = np.argmax(on_lambda > on_ec2)
        ax.plot(rate[first], on_ec2[first], "ko", markersize=10)
        title = f"From {rate[first]:.3g} requests per second on, EC2 is cheaper"
    ax.set_title(f"{title} ({duration_ms} ms, {memory_mb} MB)")
    ax.set(ylim=(0.05, 3000), xlim=(rate[0], rate[-1]))
    plt.setp([ax.xaxis, ax.yaxis], major_formatter="{x:,g}")
    ax.set_xlabel("requests per second, the same all month")
    ax.set_ylabel("USD a month")
    ax.legend()
    return ax


settings_to_try = {
    "duration_ms": [2, 20, 200, 1000, 5000],
    "memory_mb": [128, 256, 512, 1024, 2048],
    "region": ["ap-northeast-1", "us-east-1"],
    "architecture": ["x86_64", "arm64"],
}

# %%
explore(costs, **settings_to_try, free_tier=["no", "yes"], zones=[1, 2])

# %% [markdown]
# Try a duration of 20 ms, two zones, the free tier. Both axes are logarithmic: each tick is ten times the one before.


# %%
def crossing(zones):
    """The first rate at which Lambda costs more, for requests of 200 ms at 512 MB."""
    rates = np.logspace(-2, 2.5, 20_000)
    on_ec2 = ec2_month(rates, 200, 512, zones=zones)
    return rates[np.argmax(lambda_month(rates, 200, 512) > on_ec2)]


# %%
one, two = crossing(zones=1), crossing(zones=2)
way = "to the right" if two > one else "to the left" if two < one else "it stays"
predicted("05.b", f"{way}, from {one:.2g} to {two:.2g} requests per second")

# %% [markdown]
# On the left you pay for a machine with hardly any work. On the right EC2 takes a step up for each further machine.
#
# ## All loads at once
#
# The folded cell draws every rate and duration, at 512 MB. The colour says how many times as much the more expensive one costs; the black
# line is the break-even. Each stripe on the right is one more machine.

# %% notes [markdown]
# Minutes: 2
#
# Say: Point at the two corners. On the left there is no bottom: an idle machine can cost thousands of times more. On
# the right there is a limit, the 88 / 19 of the slide. Ask which mistake is the more expensive one.
#
# Skip: The picture alone, without its code.

# %% draw-map folded
rate, duration_ms = np.meshgrid(np.logspace(-2, 2.5, 300), np.logspace(1, 4, 300))
# above 1, EC2 is cheaper
ratio = lambda_month(rate, duration_ms, 512) / ec2_month(rate, duration_ms, 512)
figure, ax = plt.subplots(figsize=(10, 4.8))
colors = {"cmap": "PuOr_r", "vmin": -2, "vmax": 2, "rasterized": True}
shades = ax.pcolormesh(rate, duration_ms, np.log10(ratio), **colors)
ax.contour(rate, duration_ms, ratio, levels=[1], colors="black", linewidths=3)
ax.text(0.02, 30, "Lambda is cheaper", size="large", color="white")
ax.text(8, 3000, "EC2 is cheaper", size="large")
ax.set(xscale="log", yscale="log")
plt.setp([ax.xaxis, ax.yaxis], major_formatter="{x:,g}")
ax.set_xlabel("requests per second, the same all month")
ax.set_ylabel("duration of a request, ms")
bar = figure.colorbar(shades, ticks=[-2, -1, 0, 1, 2], extend="min")
bar.ax.set_yticklabels(["1/100", "1/10", "the same", "10 times", "100 times"])
bar.set_label("Lambda's cost, compared with EC2's")
at_most, up_to = ratio.max(), 1 / ratio.min()
title = (
    f"Lambda costs {at_most:.0f} times as much at most, EC2 up to {up_to:,.0f} times"
)
ax.set_title(title)
claim("an idle machine costs over a thousand times what Lambda does", up_to > 1000)

# %% [markdown]
# A machine with hardly any work can cost a thousand times what Lambda would. In the other direction
# there is a limit: for full machines, Lambda costs 88 / 19 times as much, as on the slide. The factor is larger only for very short requests, at the
# bottom right, where a *request* costs more than its time.
#
# ## A day has a shape
#
# No load is "the same all month". Take a service where people order lunch: a rush at noon, and nothing at night.

# %% notes [markdown]
# Minutes: 3
#
# Say: On Lambda you pay for the area, on EC2 for the height. Draw it by hand before you show the picture: people
# remember the drawing. Ask for the shape of their own load.
#
# Answer 05.c: About a twentieth. The machines are for the peak at noon, and for most of the day nobody comes.

# %% office
hour = np.arange(0, 24, 1 / 60)  # each minute of a day
office = (hour >= 8) & (hour < 19)
load = office * (2 + 33 * np.exp(-(((hour - 12) / 0.5) ** 2)))  # requests per second
print(f"per second: {load.mean():.1f} on average, {load.max():.0f} at the peak")

# %% [markdown]
# On Lambda you pay for every request: the **area** under the curve. On EC2 you pay for machines for the peak, for 24 hours: the **height**.
#
# **Predict:** over the day, which share of those machines is in use?

# %%
predict("05.c")

# %%
per_machine = t3["memory_mb"] // 512 / 0.2  # requests per second, of 200 ms at 512 MB
fleet = machines(load.max(), 200, 512)
area, height = lambda_month(load.mean(), 200, 512), fleet * machine_usd
used = load.mean() / (fleet * per_machine)
predicted("05.c", f"{used:.0%}")

# %% [markdown]
# The folded cell draws the area and the height.

# %% draw-day folded
figure, ax = plt.subplots(figsize=(10, 4.2))
label = f"{fleet:.0f} machines, {height:.2f} USD a month"
ax.fill_between(hour, fleet * per_machine, color=SKY, alpha=0.35, label=label)
label = f"requests, on Lambda {area:.2f} USD a month"
ax.fill_between(hour, load, color=RED, label=label)
for number in range(1, int(fleet) + 1):
    ax.axhline(number * per_machine, color=BLUE, linestyle="--")
ax.set_xlabel("hour of the day")
ax.set_ylabel("requests per second")
ax.set_xticks(range(0, 25, 3))
ax.set(xlim=(0, 24), ylim=(0, fleet * per_machine * 1.35))
ax.legend(loc="upper right")
title = f"The machines for the peak are {used:.0%} in use"
_ = ax.set_title(f"{title}: {height:.0f} USD a month; Lambda: {area:.0f}")

# %% [markdown]
# EC2 has an answer: *Auto Scaling* starts and stops machines as the load changes. A perfect one would follow the curve minute by
# minute. A real machine takes minutes to start, so you scale early, and keep at least one.

# %%
scaled = {"EC2, enough for the peak, always": height}
for zones, least in enumerate(["none at night", "at least one", "at least two zones"]):
    number = machines(load, 200, 512, zones=zones).mean()
    scaled[f"EC2, perfect Auto Scaling, {least}"] = number * machine_usd
scaled["Lambda"] = area
pd.Series(scaled).map("{:.2f} USD a month".format).to_frame("cost")

# %% [markdown]
# Perfect Auto Scaling with no machine at night costs about what Lambda does, which scales like that by itself.
#
# ## Your own function
#
# Now a real function: it turns a password into a key, which is slow on purpose. Its billed
# duration and its memory come from its REPORT lines. (On the embedded AWS the milliseconds are this machine's, and the costs follow from them.)
# We leave the cold start out: Lambda bills it too, but under a steady load it is rare.

# %% notes [markdown]
# Minutes: 3
#
# Say: Now with a duration that you have measured. Everybody has another number here, as everybody has another laptop;
# so everybody has another break-even. Let two people compare.
#
# Goes wrong: With more than 2,048 MB the function does not fit into the machine of the comparison. And with
# `WORKSHOP_CPU_SHARE=off` more memory changes nothing.
#
# Skip: All of it.

# %%
source = """
import hashlib

def handler(event, context):
    key = hashlib.pbkdf2_hmac("sha256", event["password"].encode(), b"a salt", 100_000)
    return {"key": key.hex()}
"""
name = workshop.name("password-key")
_ = deploy(workshop, name, {"app.py": source}, MemorySize=512, Timeout=30)

# %%
began = datetime.now(UTC)
for _ in range(15):
    lambda_client.invoke(FunctionName=name, Payload='{"password": "correct horse"}')
own = reports(logs, name, at_least=15, since=began)
warm = own[own["init_ms"].isna()]
own_ms, own_mb = float(warm["billed_ms"].median()), int(warm["memory_mb"].iloc[0])
print(f"{own_ms:.0f} ms billed per warm call (median of {len(warm)}), at {own_mb} MB")

# %% [markdown]
# This function computes instead of waiting, so the credits count. We let a machine give a call as much CPU as Lambda does:
# `MemorySize` / {{vcpu_memory.number}} of a vCPU, one at most. `surplus` is what the credits do not cover.

# %%
a_day = np.array([1_000, 100_000, 1_000_000, 10_000_000])
rate = a_day / 86_400  # requests per second, spread evenly
number = machines(rate, own_ms, own_mb)
vcpus = rate * own_ms / 1000 * min(own_mb / fact("vcpu_memory"), 1)
surplus = np.maximum(vcpus - number * t3["vcpus"] * t3["baseline"], 0)

# %%
index = pd.Index(map("{:,}".format, a_day), name="calls a day, USD a month")
yours = pd.DataFrame(index=index)
yours["Lambda"] = lambda_month(rate, own_ms, own_mb)
yours["with the free tier"] = lambda_month(rate, own_ms, own_mb, free_tier=True)
yours["t3.small"] = number * machine_usd
yours["with surplus"] = yours["t3.small"] + surplus * t3["surplus_vcpu_hour"] * HOURS
yours.round(2)

# %%
first, last = yours.iloc[0], yours.iloc[-1]
claim("Lambda is cheaper at a thousand calls", first["Lambda"] < first["t3.small"])
claim("EC2 is cheaper at ten million calls", last["with surplus"] < last["Lambda"])

# %% [markdown]
# At a thousand calls a day Lambda is cheaper, at ten million the machines are. And in between?

# %%
one_request = request_usd(own_ms, own_mb)
meet = prices["ec2_hour"]["t3.small"] * 24 / one_request
print(f"A million calls of your function cost {one_request * 1e6:.2f} USD.")
print(f"At {meet:,.0f} calls a day they cost as much as one t3.small.")

# %% [markdown]
# Change `MemorySize` to 1024 (2048 at most: more does not fit into a t3.small) and run the cells again from there. More memory, and fewer
# milliseconds?
#
# ## Exercise 1: configure a function for its load
#
# The function `intake` takes readings of a partner's machines. Each call waits a tenth of a second for a service. On average **3** calls
# come in a second, at the peak **60**; the service can take **10** at once.

# %% notes [markdown]
# Minutes: 4
#
# Say: Four wishes, four settings. Do them in any order; the check says which one is missing.
#
# Goes wrong: They reserve 60, the calls in a second, and not the concurrency: multiply by the tenth of a second. They
# reserve one, from the average. Half of the memory is still too expensive: it waits, so take the least. The time
# limit stays at a quarter of an hour. And `deploy` cannot set the reservation: that is a call of its own.

# %% intake
intake_code = """
import time

def handler(event, context):
    time.sleep(0.1)
    return "stored"
"""
intake = workshop.name("intake")
deploy(workshop, intake, {"app.py": intake_code}, MemorySize=1024, Timeout=900)
print(f"{lambda_month(3, 100, 1024):.2f} USD a month as it is")

# %% [markdown]
# It costs more than it must, and when the service hangs, you pay for a quarter of an hour per call. Leave the code as it is, and change
# the configuration, so that
#
# - a month with this load costs **6 USD** at most, by the REPORT lines of the function (list price, without the free tier);
# - it runs on **arm64**: the code is Python alone and needs nothing that is made for another processor;
# - the peak has the environments that it needs (notebook 02: calls per second × seconds), and the service never has more than **10** calls at once;
# - Lambda stops a call that hangs after **5 seconds** at most.
#
# `deploy` takes AWS's own names, as above, and `Architectures=[...]` as well; for one of the points you need another call. The check reads the
# configuration back, and invokes your function. `hint("05.1")` in a cell of its own helps. (An account with a limit of {{concurrency_new_account}} can reserve nothing: do
# this exercise on the embedded AWS. What you reserve is taken from what your other functions may use, until you clean up.)

# %% configure
# solution: Deploy intake_code with other settings, and call put_function_concurrency.
settings = {"Architectures": ["arm64"], "MemorySize": 128, "Timeout": 3}
deploy(workshop, intake, {"app.py": intake_code}, **settings)
reserved = {"FunctionName": intake, "ReservedConcurrentExecutions": 10}
_ = lambda_client.put_function_concurrency(**reserved)

# %%
# check
check("05.1")

calls = reports(logs, intake).tail(8)
usd = lambda_month(3, calls["billed_ms"].min(), calls["memory_mb"].iloc[-1], "arm64")
print(f"{usd:.2f} USD a month now; one t3.small costs {machine_usd:.2f}")

# %% [markdown]
# What you can save on Lambda is in the configuration: memory that the function does not use, the processor, calls that hang.
#
# ## Exercise 2: pack them together
#
# Very short calls cost mostly the price of the *request*. Take a million readings, each in a call of its own, which
# takes 20 ms at 128 MB.

# %% notes [markdown]
# Minutes: 3
#
# Say: A million calls cost a million prices of a request. Ask what changes if a hundred come together. This is what a
# queue does for you in notebook 11.
#
# Goes wrong: A loop that saves each reading alone: it takes a hundred times 20 ms. Or only the first one is saved. Or
# nothing is saved, and the line is printed nevertheless; the check looks at the time.
#
# Skip: It can be homework.

# %%
one_by_one, requests_alone = 1e6 * request_usd(20, 128), 1e6 * request_usd(0, 128)
print(f"{one_by_one:.2f} USD, of which {requests_alone:.2f} are for requests")

# %% [markdown]
# Readings that wait in a queue come in batches, so let one call store a hundred.
#
# `save` sends a list of readings to the database. It takes 20 ms, however long the list is. Write `store_readings`: it stores all of
# `event["readings"]`, and returns `{"stored": how many}`. By its REPORT lines, a million readings in packs of a hundred must cost
# **0.02 USD** at most.


# %% store-readings
def save(readings):
    time.sleep(0.02)
    print("saved", len(readings), "readings")


def store_readings(event, context):
    # solution: Save all readings of the event, and return {"stored": how many}.
    save(event["readings"])
    return {"stored": len(event["readings"])}


# %%
# check
packs = workshop.name("reading-packs")
code = "\n\n".join(["import time", *map(inspect.getsource, [save, store_readings])])
options = {"Handler": "app.store_readings", "Timeout": 10}
deploy(workshop, packs, {"app.py": code}, **options)
check("05.2")

pack_ms = reports(logs, packs)["billed_ms"].min()
million = 1e4 * request_usd(pack_ms, 128)
print(f"A million readings in packs of a hundred: {million:.4f} USD")

# %% [markdown]
# ## What the calculation leaves out
#
# List prices of compute are easy to add up. Here is some of the rest, for one small machine in Tokyo. The two numbers of the first line
# are *yours*: set them to what is true where you work.

# %% notes [markdown]
# Minutes: 2
#
# Say: Put your own hourly rate into the cell. The difference of the slide, 88 less 19, is less than two hours of
# somebody's work. Ask who patches the machine.

# %%
HOURS_OF_WORK, AN_HOUR_USD = 1, 40  # a month, for updates, alarms, a full disk
left_out = {
    "the machine at night, from 19 to 8 o'clock": machine_usd * 13 / 24,
    "a second one, in another availability zone": machine_usd,
    "a public IPv4 address": prices["public_ipv4_hour"] * HOURS,
    f"{HOURS_OF_WORK} h of your work": HOURS_OF_WORK * AN_HOUR_USD,
}
pd.Series(left_out).map("{:.2f} USD a month".format).to_frame("left out")

# %%
minutes = (full - machine_usd) / AN_HOUR_USD * 60
print(f"{full:.2f} - {machine_usd:.2f} USD are {minutes:.0f} minutes of your work")

# %% [markdown]
# These depend on more than we know, so they have no number here:
#
# | | EC2 | Lambda |
# |---|---|---|
# | a sudden burst | more machines, kept ready or minutes late | up to {{scaling}} more environments every {{scaling_period.value}} seconds, within the account's limit, as cold starts |
# | in front of it | a load balancer for two machines or more, by the hour and by use ([prices](https://aws.amazon.com/elasticloadbalancing/pricing/)) | a function URL costs nothing extra; API Gateway charges per request ([prices](https://aws.amazon.com/api-gateway/pricing/)) |
# | logs | what you send to CloudWatch | a few lines of its own for each call, charged by the GB |
# | disk | a volume for each machine, by the GB and month | {{tmp}} of `/tmp` are in the price |
# | a promise for one or three years | [Savings Plans](https://aws.amazon.com/savingsplans/compute-pricing/): up to 66% off | up to 17% off |
#
# A burst, a load balancer and a disk move the break-even towards Lambda. A promise moves it towards EC2, and so does what grows
# with each request: API Gateway, where you need it, and log lines.
#
# ## "Isn't EC2 good enough?"
#
# That is the slide's question (「それEC2でよくね？」), and its answer: what runs all the time and hardly scales is fine on EC2. The trap, it says,
# is to use Lambda even where it does not fit. You see it in what people build around it: a pinger against cold starts
# (notebook 04), a chain of functions because {{timeout.minutes}} are not enough (06). The other trap is a machine that you
# pay day and night for a job of two minutes.
#
# AWS offers more between the two: [Managed Instances]({{managed_instances.source}}) (since {{managed_instances}}) run functions on EC2 machines
# in your account, several calls in one environment. You pay for the machines (three at least), a fee on top of their price,
# and the requests, but not for the time of a call; [Web Functions]({{web_functions.source}}) (read on
# {{web_functions.checked}}) run a web server that scales to zero when nobody calls. With both, one environment serves several calls at a time, which
# changes the calculation above.
#
# ## Exercise 3: decide
#
# Three loads, in Tokyo, on x86_64. `average` and `peak` are requests per second. `zones` is the least number of machines.

# %% notes [markdown]
# Minutes: 2
#
# Say: Two traps: Lambda where it does not fit, and a machine for a job of two minutes. Ask who has fallen into which.

# %% notes [markdown]
# Minutes: 3
#
# Say: First by feeling, with a show of hands for each of the three. Then compute. Where the hands were wrong, ask
# why.
#
# Goes wrong: They compute Lambda with the peak, or EC2 with the average. *tickets* looks like EC2 because of its high
# peak; it is the strongest case for Lambda.

# %% cases
cases = pd.DataFrame(
    [[0.02, 1, 300, 256, 1], [150, 160, 50, 128, 2], [1.5, 300, 400, 512, 2]],
    index=["webhook", "sensors", "tickets"],
    columns=["average", "peak", "duration_ms", "memory_mb", "zones"],
)
cases

# %% [markdown]
# - *webhook*: a partner's system calls when a customer has changed their address.
# - *sensors*: thousands of machines in factories send a measurement, by day and by night.
# - *tickets*: hardly anything happens, until the sale for a concert begins.
#
# Compute both costs for each case: Lambda by its average, EC2 by its peak. Then choose where it costs less: `"lambda"` or `"ec2"`.

# %% choices
choices = {"webhook": "?", "sensors": "?", "tickets": "?"}
# solution: Calculate the costs of each case, and replace each "?" by "lambda" or "ec2".
for case, row in cases.iterrows():
    size = row["duration_ms"], row["memory_mb"]
    on_lambda = lambda_month(row["average"], *size)
    on_ec2 = ec2_month(row["peak"], *size, zones=row["zones"])
    choices[case] = "lambda" if on_lambda < on_ec2 else "ec2"
    print(f"{case}: Lambda {on_lambda:.2f} USD, EC2 {on_ec2:.2f} USD a month")

# %%
# check
check("05.3", choices)

pd.Series(choices, name="cheaper").to_frame()

# %% [markdown]
# ## A short way to decide
#
# | the load | then | because |
# |---|---|---|
# | nothing for hours, or only at office hours | Lambda | an idle machine costs what a busy one does |
# | peaks far above the average, or no idea of the load yet | Lambda | on EC2 you pay for the peak |
# | steady, above the break-even, and somebody looks after machines anyway | EC2, or containers (notebook 08) | full machines cost a quarter |
# | steady, and many very short requests | EC2 | Lambda's price of a request is more than its time |
# | it does not fit into Lambda's limits (06), or needs a pinger to be usable (04) | not Lambda | the price is not the question |
# | some dollars of difference | what your team knows | an hour of work costs more |
#
# ## What you have learned
#
# - 88 and 19 dollars are right, for 2 GB that are in use all month; now it is 87.60 and 19.86.
# - The quotient of the two is the break-even: below some 23% of use, about five and a half hours a day, Lambda is cheaper.
# - Per request: its price, plus duration times memory. The rate at which a machine costs the same is a division.
# - On EC2 you pay for whole machines, in two zones, and for the peak of a day. On Lambda you pay for what runs.
# - The calculation leaves out work, networks and promises. Calculate before you decide.
#
# **Next:** notebook [06](06-limits.ipynb), *Limits*: what no price changes.

# %% notes [markdown]
# Minutes: 1
#
# Say: Read the last row: some dollars of difference, then take what your team knows.
#
# Skip: All but the last row.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask for the share of the day at which the two meet, from memory.
