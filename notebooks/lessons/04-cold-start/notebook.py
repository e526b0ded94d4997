# %% [markdown]
# # 04 Cold start
#
# After this notebook you will be able to
#
# - say what happens in a cold start, and see it in a REPORT line;
# - measure cold and warm invocations, and read the figures back from CloudWatch;
# - predict which of your changes and which of your callers cause cold starts;
# - choose what to do about them: nothing, less code, another language, a pinger, or what AWS sells.
#
# It takes about 40 minutes. Slides: "Caveats of Lambda, part 1: the cold start problem", in the part "Know Lambda".
#
# All durations here but one come from the REPORT lines in CloudWatch, as they would on AWS. On the embedded AWS the processes,
# their init and their reuse are real; the machine is yours, so your milliseconds are not AWS's. Figures that others
# measured on AWS are beside them.

# %%
import json
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, load_event, package, plot_durations, reports
from helpers.plots import BLUE, GREY, RED
from IPython.display import Markdown, display

workshop = connect()
lambda_client = workshop.client("lambda")
logs = workshop.client("logs")
print("this machine:", platform.system(), platform.machine(), f"{os.cpu_count()} CPUs")
workshop

# %%
from helpers import check, hint, load_prices, predict, predicted, solution

# %% [markdown]
# ## An experiment that needs a while
#
# Two functions with the same code. One of them will be *pinged* every minute by a rule of EventBridge; the other is left
# alone. At the end of this notebook we call both and compare. We start now, so that the time passes while you read.
#
# How long AWS keeps an idle environment is not documented and cannot be set: minutes, sometimes much longer. The
# embedded AWS keeps it for five minutes, or for as many seconds as the tag `localaws:idle-seconds` of a function says.

# %%
IDLE_SECONDS = 70
pinged, left_alone = workshop.name("pinged"), workshop.name("left-alone")
for name in (pinged, left_alone):
    arn = deploy(workshop, name, "hello/python")["FunctionArn"]
    lambda_client.tag_resource(
        Resource=arn, Tags={"localaws:idle-seconds": str(IDLE_SECONDS)}
    )

# %% [markdown]
# EventBridge is AWS's service for events and schedules. The pinger is a schedule (`rate(1 minute)`), a target (the function,
# with an event that says "ping"), and a permission: without it the function refuses to be called by EventBridge. (AWS
# checks that; the embedded AWS does not.) For new schedules AWS recommends EventBridge Scheduler, of notebook 12, and calls scheduled rules
# [{{scheduled_rules}}]({{scheduled_rules.source}}); a rule needs no role, so it is shorter here. The rule fires until a cell near the end removes it, or `python3 -m helpers clean`.

# %%
events = workshop.client("events")
rule_name = workshop.name("every-minute")
rule_arn = events.put_rule(
    Name=rule_name, ScheduleExpression="rate(1 minute)", State="ENABLED"
)["RuleArn"]
function_arn = lambda_client.get_function_configuration(FunctionName=pinged)[
    "FunctionArn"
]
events.put_targets(
    Rule=rule_name,
    Targets=[{"Id": "ping", "Arn": function_arn, "Input": '{"ping": true}'}],
)
try:
    lambda_client.add_permission(
        FunctionName=pinged,
        StatementId="every-minute",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %%
experiment_began = datetime.now(UTC)
for name in (pinged, left_alone):
    lambda_client.invoke(FunctionName=name, Payload=json.dumps(load_event("hello")))

# %% [markdown]
# ## What a cold start is
#
# Lambda runs a function in an **execution environment**: on AWS a small virtual machine (a MicroVM) with the runtime and
# your code. When an event comes and none is free, a new one has to be made:
#
# 1. fetch and unpack your package;
# 2. start the runtime (Python, Node.js, …);
# 3. run your code *outside* the handler: imports, clients, tables to load. Steps 2 and 3 are the **init phase**;
# 4. call the handler.
#
# Afterwards the environment is kept, frozen, for the next event, which needs step 4 alone. The first kind of invocation
# is called **cold**, the second **warm**.
#
# Let us see one of each. `INIT_START` marks the new environment, and only the first REPORT has an `Init Duration`.

# %%
hello = workshop.name("cold-hello")
deploy(workshop, hello, "hello/python")
began = datetime.now(UTC)
for _ in range(2):
    lambda_client.invoke(FunctionName=hello, Payload=json.dumps(load_event("hello")))
reports(logs, hello, at_least=2, since=began)[
    ["init_ms", "duration_ms", "billed_ms", "environment"]
]

# %% [markdown]
# `init_ms` is the time of the init phase; a warm row has none (`NaN`). `billed_ms` is what you pay for: since {{billing_of_init}}
# the init phase is in it. Both rows have the same `environment`: the second call found the first one's place still warm.
# (If both rows are warm, you have run this notebook before, and an environment from then was still there.)
#
# ## Measure it: ten cold, twenty warm
#
# To force a cold start we change the configuration: environments of the old configuration are not used again. So an
# update of your function makes everybody's next call cold.
#
# **Predict:** how many times as long as a warm invocation does a cold one take?

# %%
predict("04.a")


# %%
def make_cold(name, number):
    """Change an environment variable, so that the next invocation needs a new execution environment."""
    variables = {"ROUND": f"{number} {time.time()}"}
    lambda_client.update_function_configuration(
        FunctionName=name, Environment={"Variables": variables}
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)


# %%
def measure(name, rounds=10, calls=3, event=None):
    """Invoke `rounds` times cold, each time followed by warm calls; return the REPORT lines as a table."""
    began = datetime.now(UTC)
    for number in range(rounds):
        make_cold(name, number)
        for _ in range(calls):
            lambda_client.invoke(
                FunctionName=name, Payload=json.dumps(event or load_event("hello"))
            )
    return reports(logs, name, at_least=rounds * calls, since=began)


measured = measure(hello)
measured[["environment", "init_ms", "duration_ms", "billed_ms", "max_memory_mb"]].head(
    6
)

# %% [markdown]
# Every third row is cold, and begins a new environment. Now all thirty, each a point. The scale is logarithmic.

# %%
# picture: cold-start.png
ax = plot_durations(measured)

# %%
measured["kind"] = np.where(measured["init_ms"].isna(), "warm", "cold")
measured["total_ms"] = measured["init_ms"].fillna(0) + measured["duration_ms"]
medians = measured.groupby("kind")["total_ms"].median()
table = measured.groupby("kind")["total_ms"].describe(percentiles=[0.5, 0.95]).round(1)
table.astype({"count": int})[["count", "min", "50%", "95%", "max"]]

# %%
cold, warm = medians["cold"], medians["warm"]
predicted("04.a", f"{cold / warm:.0f} times, by the medians")

# %% [markdown]
# ## After a rest
#
# An environment that nobody calls is ended after a while. With the tag we make the embedded AWS impatient: two
# seconds. Then we call three times, the third time after a rest of four seconds.
#
# **Predict:** which of the three calls are cold?

# %%
predict("04.b", choices=["first", "first and second", "first and third", "all"])

# %%
arn = lambda_client.get_function_configuration(FunctionName=hello)["FunctionArn"]
lambda_client.tag_resource(Resource=arn, Tags={"localaws:idle-seconds": "2"})
make_cold(hello, "after a rest")
began = datetime.now(UTC)
for pause in (0, 0, 4):
    time.sleep(pause)  # the rest itself is the experiment
    lambda_client.invoke(FunctionName=hello, Payload=json.dumps(load_event("hello")))
rested = reports(logs, hello, at_least=3, since=began)
rested[["start", "environment", "init_ms", "duration_ms"]]

# %%
places = np.array(["first", "second", "third"])
predicted("04.b", " and ".join(places[rested["init_ms"].notna()]))

# %% [markdown]
# The third call came after four seconds of rest, and paid for it with a cold start in a new environment. (On AWS, where
# nobody can set the time, the third row is almost certainly warm.)
#
# ## Ten at once
#
# One environment serves **one invocation at a time**. So what happens when ten calls come together, each taking half a
# second?
#
# **Predict:** how many cold starts will ten parallel calls cause?

# %%
predict("04.c")

# %% [markdown]
# **Predict:** and ten more, right after?

# %%
predict("04.d")

# %%
sleeper = workshop.name("sleeper")
source = "import time\n\n\ndef handler(event, context):\n    time.sleep(0.5)\n"
deploy(workshop, sleeper, {"app.py": source}, MemorySize=256)


def ten_at_once():
    with ThreadPoolExecutor(10) as threads:
        list(
            threads.map(lambda _: lambda_client.invoke(FunctionName=sleeper), range(10))
        )


# %%
make_cold(sleeper, "ten at once")
began = datetime.now(UTC)
ten_at_once()
ten_at_once()
parallel = reports(logs, sleeper, at_least=20, since=began)
print("environments:", parallel["environment"].nunique())

# %%
predicted("04.c", f"{parallel['init_ms'][:10].notna().sum()} of the first ten")
predicted("04.d", f"{parallel['init_ms'][10:].notna().sum()} of the second ten")

# %% [markdown]
# Each point below is an invocation, placed when it started, in the row of its environment. Ten environments were needed,
# and each had a cold start. The second wave found ten warm ones. A burst of traffic is a burst of cold starts: a pinger
# that keeps *one* environment warm does nothing for the other nine.
#
# (A new AWS account may start with a limit of ten concurrent executions. A call over the limit is *throttled*, and boto3
# tries it again a little later; then fewer than ten environments can be enough.)

# %%
row = parallel["environment"].map(
    {name: i for i, name in enumerate(parallel["environment"].unique(), start=1)}
)
seconds = (parallel["start"] - parallel["start"].min()).dt.total_seconds()
is_cold = parallel["init_ms"].notna()
figure, ax = plt.subplots(figsize=(10, 4))
ax.scatter(seconds[is_cold], row[is_cold], s=70, color=RED, marker="D", label="cold")
ax.scatter(seconds[~is_cold], row[~is_cold], s=70, color=BLUE, label="warm")
ax.set_xlabel("start of the handler, seconds after the first")
ax.set_ylabel("execution environment")
ax.set_title(f"{len(parallel)} calls in two waves needed {row.max()} environments")
_ = ax.legend(loc="center")

# %% [markdown]
# ## What makes init long: your imports
#
# Three functions. The first imports nothing. The other two use boto3 to count your buckets: one imports boto3 and makes
# its client in the init phase, the other inside the handler, anew in each call.
#
# **Predict:** which has the longest init?

# %%
predict("04.e", choices=["no import", "client in init", "client in handler"])

# %% [markdown]
# **Predict:** which has the slowest *warm* call?

# %%
predict("04.f", choices=["no import", "client in init", "client in handler"])

# %%
variants = {
    "no import": "hello/python",
    "client in init": "client-in-init/python",
    "client in handler": "client-in-handler/python",
}
role = workshop.role("AmazonS3ReadOnlyAccess")
frames = []
for label, code in variants.items():
    name = workshop.name("import-" + label.replace(" ", "-"))
    deploy(workshop, name, code, Role=role, MemorySize=512, Timeout=10)
    frames.append(measure(name, rounds=4).assign(function=label))
imports = pd.concat(frames)

# %%
ax = plot_durations(imports, by="function")

# %%
predicted("04.e", imports.groupby("function")["init_ms"].median().idxmax())
warm_calls = imports[imports["init_ms"].isna()].groupby("function")
predicted("04.f", warm_calls["duration_ms"].median().idxmax())

# %% [markdown]
# **Predict:** how much of the time of a cold call of *client in init* is init, in percent? (The rows that have an `init_ms` are the
# cold ones: `notna()` keeps them. `groupby` then makes a group of rows for each function, and `sum` adds up each group.)

# %%
predict("04.g")

# %%
cold_calls = imports[imports["init_ms"].notna()]
sums = cold_calls.groupby("function")[["init_ms", "duration_ms"]].sum()
share = sums["init_ms"] / sums.sum(axis="columns")
share.map("{:.0%}".format).to_frame("init, of a cold call")

# %%
predicted("04.g", f"{share['client in init']:.0%}")

# %% [markdown]
# *Client in init* has the longest init. *Client in handler* starts quickly, but pays for the import in its first Duration, and
# for making the client in every call after it.
#
# Two lessons. What you import is most of what you wait for in a cold start. And a client that is made once, outside the
# handler, is free for every warm call after it: **prepare in init, work in the handler**. On AWS there is a further
# reason: init is not slowed down at small memory sizes, while a handler gets CPU in proportion to memory (measured by
# others, not promised by AWS).
#
# ## What makes it long, and does not show: the size of the package
#
# The slide says that the package is unpacked at a cold start. Let us put 45 MB of noise beside the same small handler.
# REPORT knows nothing of it: fetching and unpacking come *before* the init phase and are not billed. The caller waits
# all the same, so here, and only here, we take the time at the caller.

# %%
noise = np.random.default_rng(seed=4).bytes(
    45_000_000
)  # the same noise every time, and it cannot be compressed
hello_source = "def handler(event, context):\n    return 'hello'\n"
packages = {
    "small": {"app.py": hello_source},
    "large": {"app.py": hello_source, "noise.bin": noise},
}


def caller_waits(name, number):
    make_cold(name, number)
    began = time.perf_counter()
    lambda_client.invoke(FunctionName=name)
    return (time.perf_counter() - began) * 1000


# %%
rows = []
for label, files in packages.items():
    name = workshop.name(f"{label}-package")
    archive = package(files)
    deploy(workshop, name, archive)
    began = datetime.now(UTC)
    waits = [caller_waits(name, number) for number in range(5)]
    init = reports(logs, name, at_least=5, since=began)["init_ms"].median()
    rows.append(
        {
            "package": label,
            "zip kB": len(archive) / 1e3,
            "init ms": init,
            "caller waits ms": np.median(waits),
        }
    )
pd.DataFrame(rows).set_index("package").round(1)

# %% [markdown]
# Compare the columns: `init ms` should be about the same (on a busy machine it wavers), since bytes that nobody reads cost
# nothing in init. The caller of the large package waited longer, because it was unpacked first. AWS caches packages in clever ways, so the price there is another one, but the lesson holds: keep
# packages small, and do not look for their size in `Init Duration`.
#
# ## By language
#
# The slide advises a language that starts fast ("the JVM is slow"). Here is the same small function in the languages
# that this machine has. Node.js came with the workshop; Ruby is used if it is installed.

# %%
languages = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
frames = []
for language, runtime in languages.items():
    name = workshop.name(f"hello-{language}")
    deploy(workshop, name, f"hello/{language}", Runtime=runtime)
    response = lambda_client.invoke(
        FunctionName=name, Payload=json.dumps(load_event("hello"))
    )
    if "FunctionError" in response:
        print(
            language,
            "is left out:",
            json.loads(response["Payload"].read())["errorMessage"],
        )
    else:
        frames.append(measure(name, rounds=5).assign(function=language))
by_language = pd.concat(frames)

# %%
ax = plot_durations(by_language, by="function")

# %% [markdown]
# Now AWS itself. These medians are from a public benchmark that runs every day,
# [maxday/lambda-perf](https://github.com/maxday/lambda-perf): "hello world", x86, 512 MB, as of 2026-08-22. They are not from this machine, and cannot be compared with yours bar by bar. Compare the
# *order*: where is the JVM, and where is a language that compiles to machine code?

# %%
aws_init_ms = pd.Series(
    {
        "rust": 15,
        "python3.12": 82,
        "python3.14": 101,
        "nodejs24": 128,
        "nodejs22": 138,
        "ruby3.4": 230,
        "java21": 234,
    },
    name="Init Duration on AWS, ms",
)
here_init_ms = by_language.groupby("function")["init_ms"].median()
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), width_ratios=[3, 2])
for ax, values, title in [
    (
        left,
        aws_init_ms,
        f"AWS: java21 needs {aws_init_ms['java21'] / aws_init_ms['rust']:.0f} times rust's init",
    ),
    (
        right,
        here_init_ms.sort_values(),
        f"Here: {here_init_ms.idxmin()} starts first (medians of 5)",
    ),
]:
    bars = ax.barh(values.index, values, color=BLUE if ax is right else GREY)
    ax.bar_label(bars, fmt="%.0f", padding=3)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_title(title)
    ax.set_xlabel("Init Duration, ms")

# %% [markdown]
# A JVM's cold start has more to it than Init Duration: at 128 MB its *first handler call* takes 90 ms more, while classes
# are loaded (same source). And "hello world" loads hardly any classes; a real Java program loads many.
#
# ## What to do about it
#
# 1. **Nothing.** Measure first how many of your calls are cold. Under steady traffic it is few, and for work that
#    nobody waits for (a file, a queue, a schedule) it does not matter.
# 2. **Less in init**: fewer imports, smaller packages.
# 3. **A faster language**, if you have the choice.
# 4. **Ping it regularly**, so that an environment stays warm. We have had a pinger running since the top of this
#    notebook: let us see.
#
# The next cell waits until the function that was left alone has rested for longer than `IDLE_SECONDS`, and until the
# pinged one has had its ping.

# %%
rest = IDLE_SECONDS + 5
status = display(Markdown("resting"), display_id=True)
while (passed := (datetime.now(UTC) - experiment_began).total_seconds()) < rest:
    status.update(Markdown(f"resting: {passed:.0f} of {rest} seconds"))
    time.sleep(1)
status.update(Markdown(f"rested for {passed:.0f} seconds"))
pings = len(reports(logs, pinged, at_least=2, since=experiment_began)) - 1
print("pings so far:", pings)

# %%
asked = datetime.now(UTC)
for name in (pinged, left_alone):
    lambda_client.invoke(FunctionName=name, Payload=json.dumps(load_event("hello")))
outcome = pd.concat(
    [
        reports(logs, name, since=asked).tail(1).assign(function=name)
        for name in (pinged, left_alone)
    ]
)
outcome[["function", "init_ms", "duration_ms"]].set_index("function")

# %% [markdown]
# The pinged function answered warm (no `init_ms`), the other one cold. (Run the cell again at once, and both are warm.) On AWS
# both may be warm after so short a rest; the difference shows after a longer one.
#
# And the price of the trick? Lambda counts GB-seconds: one GB of memory for one second is one. The pings of a month:

# %%
pings_a_month = 60 * 24 * 365 / 12
billed = reports(logs, pinged, since=experiment_began)
ping_seconds = (
    billed[billed["init_ms"].isna()]["billed_ms"].median() / 1000
)  # a ping is warm
gb_seconds = pings_a_month * ping_seconds * 128 / 1024
prices = load_prices()[
    "lambda"
]  # list prices of November 2026; Tokyo and N. Virginia share them
dollars = pings_a_month * prices["request"] + gb_seconds * prices["gb_second"]["x86_64"]
print(
    f"{pings_a_month:,.0f} pings, {gb_seconds:.0f} GB-seconds, {dollars:.3f} USD a month"
)

# %% [markdown]
# Cheap. But it keeps **one** environment warm, it has to be watched like everything that you build, and AWS may end
# the environment all the same.
#
# We stop the pinger: a rule that nobody needs any more should not fire for ever.

# %%
try:
    events.remove_targets(Rule=rule_name, Ids=["ping"])
    events.delete_rule(Name=rule_name)
    lambda_client.remove_permission(FunctionName=pinged, StatementId="every-minute")
except (
    events.exceptions.ResourceNotFoundException,
    lambda_client.exceptions.ResourceNotFoundException,
):
    print("The pinger is gone already.")

# %% [markdown]
# 5. **What AWS offers since 2019:**
#    - *Provisioned concurrency* keeps a number of environments initialised for you, any number, and you pay for them for
#      as long as they are configured, used or not. The sum below shows how much.
#    - *SnapStart* (Java, Python, .NET) takes a snapshot of the initialised environment when you publish a version, and
#      starts new ones from it. The init phase runs once, so what must be unique, such as random seeds or connections,
#      has to be renewed after a restore. It does not go together with provisioned concurrency, and for Python and .NET the
#      stored snapshot and each restore cost extra.
#
#    The embedded AWS has neither of them: it makes no snapshots, and holds no environments ready.
# 6. **Think again.** The slide's last word on the matter: if you need such measures, ask whether Lambda is right for
#    this job at all. A service that must answer within 50 ms, always, may be better off on a server that is always on.

# %%
memory_gb, hours = 0.5, 730
idle = memory_gb * hours * 3600 * load_prices()["lambda"]["provisioned_gb_second"]
print(
    f"One provisioned environment of {memory_gb} GB: {idle:.2f} USD a month, before it has done anything."
)

# %% [markdown]
# ## Exercise 1: a short cold start
#
# The function below greets. One event in a thousand wants to know how many buckets there are, and for this one it loads boto3 and
# makes a client: in its init phase, so that *every* cold start pays. Write `light_source`, whose answers are the same, and in which only
# the events that count pay for boto3.
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which deploys both functions and
# checks yours. `hint("04.1")` in a cell of its own helps.

# %% heavy
heavy_source = """
import boto3

s3 = boto3.client("s3")


def handler(event, context):
    if event.get("count"):
        return {"buckets": len(s3.list_buckets()["Buckets"])}
    return {"message": f"Hello, {event['name']}!"}
"""

# %% light
# solution: Put your version, as text in triple quotes like heavy_source, into light_source = ...
light_source = """
import functools


@functools.cache  # once for each environment, like what stands in init
def s3():
    import boto3

    return boto3.client("s3")


def handler(event, context):
    if event.get("count"):
        return {"buckets": len(s3().list_buckets()["Buckets"])}
    return {"message": f"Hello, {event['name']}!"}
"""

# %%
# check
options = {"Role": workshop.role("AmazonS3ReadOnlyAccess"), "MemorySize": 512}
for label, text in {"heavy": heavy_source, "light": light_source}.items():
    name = workshop.name(f"init-{label}")
    deploy(workshop, name, {"app.py": text}, Timeout=10, **options)
check("04.1")

for label in ("heavy", "light"):
    greetings = measure(workshop.name(f"init-{label}"), rounds=3, calls=1)
    billed_ms = greetings["billed_ms"].median()
    print(f"{label}: a cold greeting is billed {billed_ms:.0f} ms")

# %% [markdown]
# The first event that counts is slower now, and pays what all cold starts have paid before. (What *every* event needs still belongs
# into init.)
#
# ## Exercise 2: make the warm calls fast
#
# The function below says whether a number from 2 to 999,999 is prime. It makes its list of primes anew for every event. Move what need not
# be done for every event out of the handler. The answers must stay the same.

# %% primes
slow_source = """
def handler(event, context):
    sieve = [True] * 1_000_000
    for n in range(2, 1000):
        if sieve[n]:
            sieve[n * n :: n] = [False] * len(sieve[n * n :: n])
    return sieve[event["number"]]
"""
# solution: Put your version, as text in triple quotes like slow_source, into fast_source = ...
fast_source = """
sieve = [True] * 1_000_000
for n in range(2, 1000):
    if sieve[n]:
        sieve[n * n :: n] = [False] * len(sieve[n * n :: n])


def handler(event, context):
    return sieve[event["number"]]
"""

# %%
# check
medians, answers = {}, {}
for label, text in {"slow": slow_source, "fast": fast_source}.items():
    name = workshop.name(f"primes-{label}")
    deploy(workshop, name, {"app.py": text}, MemorySize=512, Timeout=10)
    frame = measure(name, rounds=2, calls=5, event={"number": 7919})
    medians[label] = frame[frame["init_ms"].isna()]["duration_ms"].median()
    payloads = [json.dumps({"number": number}) for number in (7919, 7917)]
    answers[label] = [
        lambda_client.invoke(FunctionName=name, Payload=each)["Payload"].read()
        for each in payloads
    ]

check("04.2")

assert answers["fast"] == answers["slow"] == [b"true", b"false"], answers
assert medians["fast"] < medians["slow"] / 2, f"warm calls are hardly faster: {medians}"
print(f"Warm calls: {medians['slow']:.1f} ms before, {medians['fast']:.1f} ms now.")

# %% [markdown]
# ## What you have learned
#
# - A cold start is a new execution environment: fetch, unpack, start the runtime, run the code outside the handler. Only
#   the last two are `Init Duration`.
# - Environments are reused, one invocation at a time, and ended after a rest. An update makes the next call cold, and
#   a burst needs as many environments as it has calls at once.
# - Imports make init long; the language sets the floor; a client made in init is free for the warm calls.
# - A pinger keeps one environment warm, for pennies. Provisioned concurrency and SnapStart are what AWS offers for more.
# - And the first question stays: do these calls have somebody waiting for them?
#
# **Next:** notebook 05, *Lambda or EC2*, asks when a machine that is always on is cheaper. `python3 -m helpers clean` removes what
# this notebook made, when you no longer need it.
