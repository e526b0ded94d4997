# %% [markdown]
# # 04 Cold start
#
# After this notebook you will be able to
#
# - say what happens in a cold start, and see it in a REPORT line;
# - measure cold and warm invocations, and read the figures back from CloudWatch;
# - predict which of your changes, and which calls, cause cold starts;
# - choose what to do about them: nothing, less code, another language, a pinger, or what AWS sells;
# - publish a version, and give it a tenth of the calls before it gets all.
#
# It takes about 60 minutes. Slides: "Caveats of Lambda, part 1: the cold start problem" (Lambdaの注意点 その1「コールドスタート問題」,
# pages 8 and 9), in the part "Know Lambda". The slide links an article in Japanese about
# [memory and cold starts](https://dev.classmethod.jp/cloud/aws/lambda-memory-alloc-and-coldstart/).
#
# All durations here but one come from the REPORT lines in CloudWatch. On the embedded AWS the processes,
# their init and their reuse are real, but the milliseconds are your machine's. On AWS the calls cost a few cents at most; provisioned concurrency and
# SnapStart cost money until you end them, and the text says where.

# %% notes [markdown]
# Minutes: 1
#
# Say: Everybody has heard of the cold start, and everybody has an opinion. The slide has one, too: if you have to
# fight it, ask if Lambda is right. Ask the room: how long is a cold start, and how often does it happen? Write three
# answers on the board, and come back to them at the end.
#
# Goes wrong: The notebook is the longest. Decide beforehand where you stop; *Measure it* is enough for an evening.

# %%
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, load_event, package, plot_durations, reports, watch
from helpers.plots import BLUE, GREY, RED

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, claim, hint, load_prices, predict, predicted, solution, track

# %%
hello_event = json.dumps(load_event("hello"))


def call(name):
    return lambda_client.invoke(FunctionName=name, Payload=hello_event)


# %% [markdown]
# ## An experiment that needs a while
#
# We make two functions with the same code. A rule of EventBridge *pings* one of them every minute; nobody calls the other.
# Near the end we call both and compare. We start now, so that the time passes while you read.
#
# AWS does not document how long it keeps an idle environment, and you cannot set it: minutes, sometimes much longer. The
# embedded AWS keeps it for five minutes, or for as many seconds as the function's tag `localaws:idle-seconds` says.

# %% notes [markdown]
# Minutes: 3
#
# Say: Start it, and forget it. It needs a minute of rest, and you will talk for longer than that. It is the advice of
# the slide: call the function regularly, so that it stays warm. We will see if that works, and for how many callers.
#
# Skip: Where you end before *What to do about it*, as in an evening, leave it out.

# %%
IDLE_SECONDS = 70
pinged, left_alone = workshop.name("pinged"), workshop.name("left-alone")
tags = {"localaws:idle-seconds": str(IDLE_SECONDS)}
arns = {}
for name in (pinged, left_alone):
    arns[name] = deploy(workshop, name, "hello/python")["FunctionArn"]
    lambda_client.tag_resource(Resource=arns[name], Tags=tags)

# %% [markdown]
# EventBridge is AWS's service for events and schedules. The pinger is a rule with a schedule (`rate(1 minute)`) and a
# target: the function, with an event that says "ping".

# %%
events = workshop.client("events")
rule = workshop.name("every-minute")
made = events.put_rule(Name=rule, ScheduleExpression="rate(1 minute)")
target = {"Id": "ping", "Arn": arns[pinged], "Input": '{"ping": true}'}
_ = events.put_targets(Rule=rule, Targets=[target])

# %% [markdown]
# The function must also permit EventBridge to invoke it, for this rule alone (`SourceArn`). Without this permission no ping would
# arrive.

# %%
what = {"StatementId": "every-minute", "Action": "lambda:InvokeFunction"}
who = {"Principal": "events.amazonaws.com", "SourceArn": made["RuleArn"]}
with suppress(lambda_client.exceptions.ResourceConflictException):  # it is there
    lambda_client.add_permission(FunctionName=pinged, **what, **who)

# %% [markdown]
# For new schedules AWS recommends EventBridge Scheduler (notebook 12), and calls scheduled rules
# [{{scheduled_rules}}]({{scheduled_rules.source}}). A rule needs no role, so it is shorter here. It fires until a cell near
# the end removes it, or `python3 -m helpers clean`. Now we call both functions once.

# %%
experiment_began = datetime.now(UTC)
for name in (pinged, left_alone):
    call(name)

# %% [markdown]
# ## What a cold start is
#
# Lambda runs a function in an **execution environment**: on AWS a small virtual machine (a MicroVM) with the runtime and
# your code. When an event comes and no environment is free, Lambda makes a new one:
#
# 1. fetch and unpack your package;
# 2. start the runtime (Python, Node.js, …);
# 3. run your code *outside* the handler: imports, clients, tables to load. Steps 2 and 3 are the **init phase**;
# 4. call the handler.
#
# Afterwards Lambda keeps the environment, frozen, for the next event, which needs step 4 alone. The first kind of invocation
# is **cold**, the second **warm**.
#
# Here is one of each. `watch` (notebook [02](02-scaling.ipynb)) shows one tile for both: one init, and then two invocations, which are short beside it.
# Only the cold one has an `Init Duration` in its REPORT line. (The folded cell replaces the long names of
# environments by numbers.)

# %% notes [markdown]
# Minutes: 4
#
# Say: Show the four steps with your fingers. Which of them do *you* write? Only the third and the fourth; so these
# two you can make shorter. Then the picture: the first part of the strip is init, and the two invocations are hardly
# to be seen.
#
# Goes wrong: Both rows are warm, because the notebook was run a moment ago, and the environment is still there. Run
# *Measure it*, which makes cold ones by force.


# %% numbered folded
def numbered(rows):
    """The same REPORT lines, with environments 1, 2, 3 by their first use."""
    return rows.assign(environment=pd.factorize(rows["environment"])[0] + 1)


# %%
hello = workshop.name("cold-hello")
hello_arn = deploy(workshop, hello, "hello/python")["FunctionArn"]
began = datetime.now(UTC)
with watch(workshop, hello):
    for _ in range(2):
        call(hello)
first_two = numbered(reports(logs, hello, at_least=2, since=began))
first_two[["environment", "init_ms", "duration_ms", "billed_ms"]]

# %% [markdown]
# `init_ms` is the time of the init phase; a warm row has none (`NaN`). `billed_ms` is what you pay for: since {{billing_of_init}}
# it includes the init phase. Both rows have the same `environment`: the second call used the one that the first had made.
# (If both are warm, you ran this notebook a short time ago, and its environment was still there.)
#
# ## Measure it: ten cold, twenty warm
#
# To force a cold start we change the configuration: Lambda never uses an environment of the old configuration again. So
# each update of your function makes the next calls cold.
#
# **Predict:** how many times as long as a warm invocation does a cold one take?

# %% notes [markdown]
# Minutes: 5
#
# Say: Collect guesses aloud: twice, ten times, a thousand times? Then let the cell run, and ask who was within a
# factor of two. On AWS the number is another, the picture is the same: two groups of points, far apart.
#
# Goes wrong: A busy laptop has one point far away from its group. Use the median, and say why: a mean would be that
# one point. The axis is logarithmic; say so, as many read it as a linear one.
#
# Answer 04.a: A few tens of times here, by the medians. The function does nearly nothing, so a warm call is short,
# and a cold one is nearly all init. A function that works for seconds has a much smaller factor with the same init:
# what matters is the difference, and who waits for it.
#
# Skip: The query of Logs Insights, if you have shown the one in 03.

# %%
predict("04.a")


# %%
def make_cold(name, number, **variables):
    """Change an environment variable, so that the next invocation is cold."""
    new = {"Variables": variables | {"ROUND": f"{number} {time.time()}"}}
    lambda_client.update_function_configuration(FunctionName=name, Environment=new)
    updated = lambda_client.get_waiter("function_updated_v2")
    updated.wait(FunctionName=name, WaiterConfig={"Delay": 0.2})


# %%
def measure(name, rounds=10, calls=3, payload=hello_event, **variables):
    """Invoke `rounds` times cold, then warm; return the REPORT lines as a table."""
    began = datetime.now(UTC)
    for number in track(range(rounds), f"{name}, rounds"):
        make_cold(name, number, **variables)
        for _ in range(calls):
            lambda_client.invoke(FunctionName=name, Payload=payload)
    return reports(logs, name, at_least=rounds * calls, since=began)


# %%
measured = measure(hello)
columns = ["environment", "init_ms", "duration_ms", "billed_ms", "max_memory_mb"]
numbered(measured)[columns].head(6)

# %% [markdown]
# Every third row is cold, and begins a new environment. Now all thirty, on a logarithmic scale:

# %%
# picture: cold-start.png
ax = plot_durations(measured)

# %%
measured["kind"] = np.where(measured["init_ms"].isna(), "warm", "cold")
measured["total_ms"] = measured["init_ms"].fillna(0) + measured["duration_ms"]
totals = measured.groupby("kind")["total_ms"]
totals.describe(percentiles=[0.5]).round(1).astype({"count": int})

# %%
cold, warm = totals.median()["cold"], totals.median()["warm"]
predicted("04.a", f"{cold / warm:.0f} times, by the medians")
claim("a cold invocation takes more than twice as long as a warm one", cold > 2 * warm)

# %% [markdown]
# In production you do not read every line. **Logs Insights** reads them: a query counts the lines of many log groups, and gives a table.
# Of a function like this one only the REPORT line of a cold start has `@initDuration`, so `count(@initDuration)` is the number of cold starts. `pct` is a percentile.
# The folded cell starts a query and waits for its rows ([notebook 03](03-billing.ipynb) shows it).


# %% ask folded
from helpers import wait_until


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
| stats count(*) as calls, count(@initDuration) as cold,
    100 * count(@initDuration) / count(*) as percent,
    pct(@initDuration, 50) as init_p50, pct(@initDuration, 95) as init_p95,
    pct(@duration, 50) as duration_p50 by @log
"""
for _ in range(60):  # on AWS, a line reaches Logs Insights some seconds later
    asked = ask(query, [f"/aws/lambda/{hello}"], measured["start"].min())
    if len(asked) and int(asked["calls"][0]) >= len(measured):
        break
    time.sleep(1)
asked.T

# %%
shares = 100 * measured["init_ms"].notna().mean(), float(asked["percent"][0])
claim(
    "Logs Insights finds the same share of cold starts", abs(shares[0] - shares[1]) < 5
)

# %% [markdown]
# With `by bin(5m)` in place of `by @log` there is one row for each five minutes: the shape of a day.
#
# ## After a rest
#
# Lambda ends an environment that gets no call for a while. With the tag we set this time to two
# seconds. Then we call three times, the third time after a rest of four seconds. The tile says how long its
# environment is still kept.
#
# **Predict:** which of the three calls are cold?

# %% notes [markdown]
# Minutes: 3
#
# Say: The embedded AWS lets us choose when an environment ends; AWS does not, and does not say when. Ask: if you had
# to measure it on AWS, how would you do it, and how long would it take?
#
# Goes wrong: On AWS the third call is warm as well, almost certainly. Say so before somebody sees it as an error.
#
# Answer 04.b: The first and the third. The first finds no environment, as the configuration has just changed; the
# second uses that one; before the third call it has been ended, as it rested for longer than its two seconds.

# %%
predict("04.b", choices=["first", "first and second", "first and third", "all"])

# %%
lambda_client.tag_resource(Resource=hello_arn, Tags={"localaws:idle-seconds": "2"})
make_cold(hello, "after a rest")
began = datetime.now(UTC)
with watch(workshop, hello):
    for rest in track((0, 0, 4), "calls"):
        time.sleep(rest)
        call(hello)
rested = numbered(reports(logs, hello, at_least=3, since=began))
rested[["start", "environment", "init_ms", "duration_ms"]]

# %%
is_cold = rested["init_ms"].notna()
predicted("04.b", " and ".join(np.array(["first", "second", "third"])[is_cold]))
on_aws = not workshop.is_embedded
claim("the first and the third call are cold", on_aws or [*is_cold] == [1, 0, 1])

# %% [markdown]
# The third call needed a new environment. (On AWS you cannot set the time, and the third call is almost certainly warm.)
#
# ## Ten at once
#
# One environment serves **one invocation at a time**. Now ten calls come together, each taking half a second.
#
# **Predict:** how many cold starts will they cause?

# %% notes [markdown]
# Minutes: 4
#
# Say: This is the answer to "we ping it, so it is warm". Ask before you run: how many does a pinger keep warm? One.
# How many calls come at the same time in your system?
#
# Answer 04.c: Ten. An environment serves one invocation at a time, and all ten come together.
#
# Answer 04.d: None. Ten environments are there and free.

# %%
predict("04.c")

# %% [markdown]
# **Predict:** and ten more, right after?

# %%
predict("04.d")

# %%
source = """
import time

def handler(event, context):
    time.sleep(0.5)
"""
sleeper = workshop.name("sleeper")
_ = deploy(workshop, sleeper, {"app.py": source}, MemorySize=256)


# %%
def ten_at_once():
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(call, [sleeper] * 10))


# %%
make_cold(sleeper, "ten at once")
began = datetime.now(UTC)
ten_at_once()
ten_at_once()
parallel = numbered(reports(logs, sleeper, at_least=20, since=began))

# %%
is_cold = parallel["init_ms"].notna()
first, second = is_cold[:10].sum(), is_cold[10:].sum()
predicted("04.c", f"{first} of the first ten")
predicted("04.d", f"{second} of the second ten")
claim("the first ten calls are cold and the next ten warm", (first, second) == (10, 0))

# %% [markdown]
# The folded cell draws each invocation as a point, in the row of its environment.

# %% draw-waves folded
seconds = (parallel["start"] - parallel["start"].min()).dt.total_seconds()
figure, ax = plt.subplots(figsize=(10, 4))
for kind, marker, color, rows in (
    ("cold", "D", RED, is_cold),
    ("warm", "o", BLUE, ~is_cold),
):
    environment = parallel["environment"][rows]
    ax.scatter(seconds[rows], environment, s=70, color=color, marker=marker, label=kind)
ax.set_xlabel("start of the handler, seconds after the first")
ax.set_ylabel("execution environment")
environments = parallel["environment"].max()
ax.set_title(f"{len(parallel)} calls in two waves needed {environments} environments")
_ = ax.legend(loc="center")

# %% [markdown]
# Ten calls at once need ten environments, so ten cold starts. The second wave found all ten of them warm. A burst of traffic is a burst
# of cold starts: a pinger that keeps *one* environment warm does nothing for the other nine.
#
# (A new AWS account may start with a limit of {{concurrency_new_account}} concurrent executions. Lambda *throttles* a call over the
# limit, and boto3 tries it again a little later; then fewer environments can be enough.)
#
# ## What makes init long: your imports
#
# Three functions. The first imports nothing. The other two use boto3 to count your buckets: one imports boto3 and makes
# its client in the init phase, the other inside the handler, again in each call.
#
# **Predict:** which has the longest init?

# %% notes [markdown]
# Minutes: 6
#
# Say: Three functions, the same work. Let people choose first, and do not correct them. The sentence to remember is
# "prepare in init, work in the handler". Ask which imports of their own programs they could do without.
#
# Goes wrong: Few expect how slow the first *call* of *client in handler* is: the import that it has avoided in init
# comes back there, and at the small CPU share of its memory size. Look at the two columns together.
#
# Answer 04.e: *client in init*: it imports boto3 and makes a client before the first event comes. *client in handler*
# has an init as short as *no import*.
#
# Answer 04.f: *client in handler*: it makes the client again in every call. The import itself is quick from the
# second time on, the client is not.
#
# Answer 04.g: Nearly all of it. What remains for the handler is one request.
#
# Skip: The third prediction.

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
options = {"MemorySize": 512, "Timeout": 10}

# %% [markdown]
# A function may make only the calls to AWS that its **role** allows. So the two that count buckets get a role with one *statement*. It
# allows `list_buckets`, whose name in policies is `s3:ListAllMyBuckets`. (The list of your buckets belongs to no bucket, so
# `Resource` cannot name one. `workshop.role` adds the right to write logs.)

# %% counting
count_buckets = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
counting = options | {"Role": workshop.role(count_buckets)}

# %%
frames = []
for label, code in variants.items():
    name = workshop.name("import-" + label.replace(" ", "-"))
    deploy(workshop, name, code, **(options if label == "no import" else counting))
    frames.append(measure(name, rounds=4).assign(function=label))
imports = pd.concat(frames)

# %%
ax = plot_durations(imports, by="function")

# %%
init_ms = imports.groupby("function")["init_ms"].median()
warm_calls = imports[imports["init_ms"].isna()]
warm_ms = warm_calls.groupby("function")["duration_ms"].median()
predicted("04.e", init_ms.idxmax())
predicted("04.f", warm_ms.idxmax())

# %% [markdown]
# **Predict:** of the time of a cold call of *client in init*, how much is init, in percent? (The rows with an `init_ms` are the
# cold ones: `notna()` keeps them. `groupby` makes a group of rows for each function, and `sum` adds up each group.)

# %%
predict("04.g")

# %%
cold_calls = imports[imports["init_ms"].notna()]
sums = cold_calls.groupby("function")[["init_ms", "duration_ms"]].sum()
share = sums["init_ms"] / sums.sum(axis="columns")
share.map("{:.0%}".format).to_frame("init, of a cold call")

# %%
predicted("04.g", f"{share['client in init']:.0%}")

# %%
claim("client in init has the longest init", init_ms.idxmax() == "client in init")
claim(
    "importing boto3 doubles init", init_ms["client in init"] > 2 * init_ms["no import"]
)
claim("client in handler is slowest when warm", warm_ms.idxmax() == "client in handler")

# %% [markdown]
# *Client in init* has the longest init: boto3 makes it more than twice as long. *Client in handler* has a short init, but pays for
# the import in its first Duration, and for making the client in every call.
#
# In a cold start you wait for what you import. And a client that you make once, outside the
# handler, costs the warm calls nothing: **prepare in init, work in the handler**. There is one more
# reason, on AWS and here: a handler gets CPU in proportion to its memory, while init is not slowed down at small memory sizes (on AWS measured by
# others, not promised). So the same import takes longer in the handler than in init.
#
# ## What makes a cold start long, but is not in REPORT: the size of the package
#
# The slide says that a cold start unpacks the package. Let us put 25 MB of noise beside the same small handler.
# REPORT does not show this time: Lambda fetches and unpacks *before* the init phase, and does not bill it. But the caller
# waits, so here, and only here, we measure at the caller.

# %% notes [markdown]
# Minutes: 2
#
# Say: The only measurement of this notebook that is done at the caller. Ask why: nothing in the log shows it. On AWS
# most of this happens when you deploy, so do not promise your boss a number from here.
#
# Skip: All of it, in a session below two hours.

# %%
noise = np.random.default_rng(seed=4).bytes(25_000_000)  # which no zip makes smaller
handler = "def handler(event, context):\n    return 'hello'\n"
files = {"small": {"app.py": handler}}
files["large"] = files["small"] | {"noise.bin": noise}

# %% [markdown]
# Each round has a new package, so that each call has to wait until it is unpacked.


# %%
def caller_waits(label):
    """ms of the first call after an update of the code, and those of its init."""
    name = workshop.name(f"{label}-package")
    deploy(workshop, name, package(files[label] | {"made.txt": f"{time.time()}"}))
    began, start = datetime.now(UTC), time.perf_counter()
    call(name)
    waited = (time.perf_counter() - start) * 1000
    return label, waited, reports(logs, name, since=began)["init_ms"].iloc[0]


# %%
rows = [caller_waits(label) for label in track(["small", "large"] * 3, "calls")]
sizes = pd.DataFrame(rows, columns=["package", "caller waits ms", "init ms"])
waits = sizes.groupby("package").median().round(1)
waits

# %%
outside = waits["caller waits ms"] - waits["init ms"]
claim("a large package makes the caller wait", outside["large"] > outside["small"])

# %% [markdown]
# The caller of the large package waits longer, and `init ms` does not say why. AWS does most of this
# when you deploy, and keeps packages in caches: the difference there is not the same as here, and there may be none. Still: keep packages small, and do not look for their size in `Init Duration`.
#
# ## By language
#
# The slide advises a language that starts fast ("the JVM is slow"). Here is the same small function in the languages
# of this machine. Node.js came with the workshop; Ruby and Java take part if they are installed (`python3 -m helpers doctor` says how).

# %% notes [markdown]
# Minutes: 4
#
# Say: The slide says that the JVM is slow. Ask for the order of Python, Node.js, Ruby and Java before you show the
# picture. Then look at the second column: a JVM pays in its first call, too, and so does Node.js.
#
# Goes wrong: A language is left out, since the machine lacks it: the cell says so. Nobody should install Java now;
# the solution has the figures. People compare the bars of the left and the right picture. They are of two machines;
# compare the order.
#
# Skip: The archive of Java's classes.

# %%
runtimes = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
runtimes["java"] = "java21"
names = {language: workshop.name(f"hello-{language}") for language in runtimes}
for language, runtime in runtimes.items():
    deploy(workshop, names[language], f"hello/{language}", Runtime=runtime)

# %%
frames = []
for language, name in names.items():
    if "FunctionError" in call(name):
        print(f"{language} is left out: this machine does not have it")
    else:
        frames.append(measure(name, rounds=5).assign(function=language))
languages = pd.concat(frames, ignore_index=True)
here_init_ms = languages.groupby("function")["init_ms"].median()

# %% [markdown]
# The init phase is not all of a cold start: in the first call of the handler, much happens for the first time, too. So here are both, with a
# warm call and the memory beside them (medians).

# %%
cold_rows = languages["init_ms"].notna()
by_language = pd.DataFrame(
    {
        "init ms": here_init_ms,
        "first call ms": languages[cold_rows]
        .groupby("function")["duration_ms"]
        .median(),
        "warm call ms": languages[~cold_rows]
        .groupby("function")["duration_ms"]
        .median(),
        "memory MB": languages.groupby("function")["max_memory_mb"].median(),
    }
)
by_language.round(1)

# %% [markdown]
# Look at the first calls of Java and of Node.js: both compile while they run, and with {{memory_min}} a handler has a small part of a CPU. A JVM also loads
# classes when they are first needed. It runs here as on AWS: it compiles quickly rather than
# well (`-XX:TieredStopAtLevel=1`), and starts from an archive of the classes that every start needs. Without that archive:

# %%
if "java" in here_init_ms:
    java = by_language.loc["java"]
    slow_at_first = java["first call ms"] > 3 * java["warm call ms"]
    claim("Java's first call takes as long as several warm ones", slow_at_first)
    off = {"JAVA_TOOL_OPTIONS": "-Xshare:off"}
    without = measure(names["java"], rounds=5, **off)["init_ms"].median()
    claim("the archive makes Java's init shorter", without > here_init_ms["java"])
    print(
        f"Java's init: {here_init_ms['java']:.0f} ms, without the archive {without:.0f}"
    )

# %% [markdown]
# Now AWS itself. The medians on the left are from a public benchmark that runs every day,
# [maxday/lambda-perf](https://github.com/maxday/lambda-perf): "hello world", x86, 512 MB, as of 2026-08-22. Do not compare
# them with yours bar by bar. Look at the *order*: where is the JVM, and where is Rust, which compiles to machine code? (The folded
# cell draws both.)

# %% draw-languages folded
aws_init_ms = pd.Series(
    {
        "rust": 15,
        "python3.12": 82,
        "python3.14": 101,
        "nodejs24": 128,
        "nodejs22": 138,
        "ruby3.4": 230,
        "java21": 234,
    }
)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), width_ratios=[3, 2])
for ax, values, color, title in [
    (left, aws_init_ms, GREY, "On AWS: Ruby and Java take equally long"),
    (
        right,
        here_init_ms.sort_values(),
        BLUE,
        f"Here: {here_init_ms.idxmin()} starts first",
    ),
]:
    bars = ax.barh(values.index, values, color=color)
    ax.bar_label(bars, fmt="%.0f", padding=3)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_title(title)
    ax.set_xlabel("Init Duration, ms (medians)")

# %% [markdown]
# On AWS, Rust has by far the shortest init. Java's (234 ms) is about the same as Ruby's (230 ms): for a program this small the JVM
# is not the slow one. But this is not all of a JVM's cold start: at 128 MB Java's *first handler call* takes another
# 90 ms (same source), and a real Java program loads many more classes than "hello world".
#
# ## What to do about it
#
# 1. **Nothing.** Measure first how many of your calls are cold. Under steady traffic they are few, and for work that
#    nobody waits for (a file, a queue, a schedule) they do not matter.
# 2. **Less in init**: fewer imports, smaller packages.
# 3. **A faster language**, if you have the choice.
# 4. **Ping it regularly**, so that an environment stays warm. Our pinger has been running since the top of this
#    notebook: let us look.
#
# The next cell waits until the function that was left alone has rested for longer than `IDLE_SECONDS`.

# %% notes [markdown]
# Minutes: 5
#
# Say: Go through the list as a discussion. The first answer is the best one: do nothing, if nobody waits. Then look
# at the experiment of the beginning: who is warm? And what does it cost to keep *one* environment warm, and what does
# it help when ten calls come?
#
# Goes wrong: The waiting cell needs the rest of the minute, and people think that it hangs. It shows its progress in
# seconds. If the experiment was left out above, run its cells first; then this one waits for a little over a minute.
#
# Skip: The cost of the pings; but run its cell, which reads the prices for later.

# %%
passed = (datetime.now(UTC) - experiment_began).total_seconds()
for _ in track(range(max(0, round(IDLE_SECONDS + 5 - passed))), "seconds"):
    time.sleep(1)

# %%
calls = reports(logs, pinged, at_least=2, since=experiment_began)
print("pings so far:", len(calls) - 1)

# %%
asked = datetime.now(UTC)
for name in (pinged, left_alone):
    call(name)
both = [reports(logs, name, since=asked).tail(1) for name in (pinged, left_alone)]
outcome = pd.concat(both).assign(function=["pinged", "left alone"])
outcome[["function", "init_ms", "duration_ms"]].set_index("function")

# %%
as_said = [*outcome["init_ms"].isna()] == [True, False]
claim("the pinged function is warm and the one left alone is cold", on_aws or as_said)

# %% [markdown]
# The pinged function answered warm (no `init_ms`), the other one cold. On AWS both may be warm after so short a rest; the
# difference shows after a longer one.
#
# What does the pinger cost? Lambda counts GB-seconds: one GB of memory for one second is one. The pings of a month, at list prices
# (the same in Tokyo and N. Virginia):

# %%
pings = 60 * 24 * 365 / 12  # of a month
warm_pings = calls[calls["init_ms"].isna()]
gb_seconds = pings * warm_pings["billed_ms"].median() / 1000 * 128 / 1024
prices = load_prices()["lambda"]
usd = pings * prices["request"] + gb_seconds * prices["gb_second"]["x86_64"]
print(f"{pings:,.0f} pings, {gb_seconds:.0f} GB-seconds, {usd:.3f} USD a month")
claim("the pings of a month cost less than ten cents", usd < 0.10)

# %% [markdown]
# That is not much. But a pinger keeps only **one** environment warm. It needs care, like everything that you build. And AWS may
# still end the environment.
#
# We remove the pinger, so that it does not fire for ever.

# %%
no_rule = events.exceptions.ResourceNotFoundException
no_permission = lambda_client.exceptions.ResourceNotFoundException
with suppress(no_rule, no_permission):  # where this cell has run before
    events.remove_targets(Rule=rule, Ids=["ping"])
    events.delete_rule(Name=rule)
    lambda_client.remove_permission(FunctionName=pinged, StatementId="every-minute")

# %% [markdown]
# 5. **What AWS sells**, new since 2019: *provisioned concurrency* and *SnapStart*, which we try now.
# 6. **Think again.** The slide ends with this advice: if you need such measures, ask whether Lambda is right
#    for this job. A service that must always answer within 50 ms may fit better on a server that is always on.
#
# ## Ready before the first call: provisioned concurrency
#
# *Provisioned concurrency* holds as many environments initialised as you ask for, before anybody calls. They belong to a **version** of a function:
# `publish_version` freezes code and configuration, and gives them a number.
#
# The next function imports boto3, which makes its init long, and answers how its environment came to be.

# %% notes [markdown]
# Minutes: 5
#
# Say: AWS sells what the pinger tries. You say how many; they are ready; you pay for them day and night. Two words
# are new here, *version* and *alias*; draw them: a number that never changes, and a name that points at one. Exercise
# 4 needs both.
#
# Goes wrong: On AWS the waiting cell takes a minute or two. And do not stop here without the cell that ends it:
# `delete_provisioned_concurrency_config`. On AWS it costs for as long as it is configured.
#
# Answer 04.h: Two. Two environments were ready, and four calls came at once, so two had to begin cold.

# %% kind-of
source = """
import os
import time

import boto3


def handler(event, context):
    time.sleep(1)
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
"""


# %%
def publish(name, code, **more):
    """Deploy this code with a new setting, and publish it; return its version."""
    setting = {"Variables": {"ROUND": str(time.time())}}
    deploy(workshop, name, {"app.py": code}, **options, Environment=setting, **more)
    version = lambda_client.publish_version(FunctionName=name)["Version"]
    published = lambda_client.get_waiter("published_version_active")
    published.wait(FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 1})
    return version


# %%
ready = workshop.name("ready")
version = publish(ready, source)
version

# %% [markdown]
# Callers should not have to know the number. So they name an **alias**: a name that points at a version, and can be moved to the next one.


# %%
def point(name, alias, version):
    """Let the alias point at this version, and at no other."""
    here = {"FunctionName": name, "Name": alias, "FunctionVersion": version}
    try:
        lambda_client.create_alias(**here)
    except lambda_client.exceptions.ResourceConflictException:  # it is there
        none = {"AdditionalVersionWeights": {}}
        lambda_client.update_alias(**here, RoutingConfig=none)


point(ready, "live", version)

# %% [markdown]
# On AWS the next cell costs money from now on, called or not, until you run the cell with `delete_provisioned_concurrency_config` below: do not stop in
# between. (An account with a limit of {{concurrency_new_account}} can provision nothing, as it can reserve nothing: do this section on the embedded AWS.)

# %%
live = {"FunctionName": ready, "Qualifier": "live"}
two = live | {"ProvisionedConcurrentExecutions": 2}
lambda_client.put_provisioned_concurrency_config(**two)["Status"]

# %%
for _ in track(range(300), "seconds waited, at most"):
    state = lambda_client.get_provisioned_concurrency_config(**live)
    if state["Status"] != "IN_PROGRESS":
        break
    time.sleep(1)
state["Status"], state["AvailableProvisionedConcurrentExecutions"]

# %% [markdown]
# **Predict:** four calls come at once. They are the first that this version gets. How many of them are cold? (In the picture, the tiles that are *kept ready*
# are there before the first call.)

# %%
predict("04.h")


# %%
def call_live(_):
    return json.load(lambda_client.invoke(**live)["Payload"])


with watch(workshop, ready), ThreadPoolExecutor(4) as threads:
    kinds = list(threads.map(call_live, range(4)))
kinds

# %%
cold_calls = kinds.count("on-demand")
predicted("04.h", f"{cold_calls} of 4")
claim("two calls find an environment that is ready", cold_calls == 2)

# %% [markdown]
# Two calls found an environment that was ready: they were warm, though nobody had called before. The other two *spilled over*: Lambda made environments
# for them, with a cold start, as always. So this, too, helps only up to the number that you choose.
#
# You pay for what is ready as long as it is configured, used or not:

# %%
memory_gb, hours = 0.5, 730
idle_usd = memory_gb * hours * 3600 * prices["provisioned_gb_second"]
print(f"{idle_usd:.2f} USD a month for one idle environment of {memory_gb} GB")

# %% [markdown]
# So we end it now.

# %%
_ = lambda_client.delete_provisioned_concurrency_config(**live)

# %% [markdown]
# ## Init once for all: SnapStart
#
# *SnapStart* (Java, Python, .NET) does the init phase once, when you publish a version, and keeps a *snapshot* of the initialised environment. New
# environments of that version are *restored* from it, without an init of their own. On AWS a snapshot holds the memory and disk of the MicroVM, and
# it takes some minutes to make, in which nothing is printed. Here it is a process that has done its init, and a restore is a copy of it. SnapStart
# does not go together with provisioned concurrency.
#
# For Python and .NET you pay AWS for each restore, and for each snapshot until its version is deleted:

# %% notes [markdown]
# Minutes: 4
#
# Say: Take a photograph after init, and start from the photograph. Ask what could go wrong with a photograph:
# everything that was random, and every connection that was open, is the same in each copy. Do not answer; Exercise 3
# does.
#
# Goes wrong: On macOS the embedded AWS refuses SnapStart, and the cell prints why: go on with the text. On AWS with
# Python a snapshot costs extra: let everybody run `python3 -m helpers clean` at the end.
#
# Answer 04.i: Less than half as long. A restore does not run the imports again, it continues after them.

# %%
kept_usd = memory_gb * hours * 3600 * prices["snapstart_cached_gb_second"]
print(f"{kept_usd:.2f} USD a month for the snapshot of a version of {memory_gb} GB")

# %% [markdown]
# So on AWS run `python3 -m helpers clean` after this notebook: it makes some such versions.
#
# The same code again. The unpublished function (`$LATEST`) has no snapshot, so it has an init. In the picture, compare the first parts of the two strips.
#
# **Predict:** compared with that init, how long does a restore take?

# %%
predict("04.i", choices=["longer", "about as long", "less than half as long"])

# %%
snapped = workshop.name("snapped")
snap_start = {"SnapStart": {"ApplyOn": "PublishedVersions"}}
try:
    version = publish(snapped, source, **snap_start)
except lambda_client.exceptions.InvalidParameterValueException as refused:
    print(refused)  # the embedded AWS needs Linux for it
    snap_start = {}
    version = publish(snapped, source)

# %%
began = datetime.now(UTC)
with watch(workshop, snapped):
    for qualifier in ("$LATEST", version):
        lambda_client.invoke(FunctionName=snapped, Qualifier=qualifier)
both = reports(logs, snapped, at_least=2, since=began)
both = both.reindex(columns=["init_ms", "restore_ms", "duration_ms"])
both

# %%
init_ms, restore_ms = both["init_ms"].max(), both["restore_ms"].max()
if restore_ms > 0:
    predicted("04.i", f"{restore_ms / init_ms:.0%} of the init")
    claim("a restore takes less than half of the init", restore_ms < init_ms / 2)

# %% [markdown]
# The restored environment has a `restore_ms` in place of `init_ms`. It began with the memory of the snapshot: all that init had made, boto3 included, was there.
# This has a price that is easy to miss. Exercise 3 is about it.
#
# ## Exercise 1: a short cold start
#
# The function below greets. One event in a thousand asks how many buckets there are. For this event the function loads boto3 and
# makes a client in its init phase, so *every* cold start pays. Write `light_source`: its answers are the same, but only
# the events that count pay for boto3.
#
# Put your code in place of the line that begins with `raise`, and run the cell. The cell after it deploys both functions and
# checks yours. `hint("04.1")` in a cell of its own helps.

# %% notes [markdown]
# Minutes: 4
#
# Say: All cold starts pay for one event in a thousand. Turn it round.
#
# Goes wrong: They move only the client and leave `import boto3` at the top: the check still finds boto3 in a cold
# call that greets. They move both into the handler, above the `if`: then each event pays. They forget the cache, so
# each event that counts makes a client anew: the check accepts it; ask them what it costs.
#
# Skip: Show the solution, and ask what *every* event needs.

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
# solution: Put your version into light_source, as text in triple quotes.
light_source = """
import functools


@functools.cache  # once for each environment, like what is in init
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
for label, text in {"heavy": heavy_source, "light": light_source}.items():
    deploy(workshop, workshop.name(f"init-{label}"), {"app.py": text}, **counting)
check("04.1")

for label in ("heavy", "light"):
    greetings = measure(workshop.name(f"init-{label}"), rounds=3, calls=1)
    billed_ms = greetings["billed_ms"].median()
    print(f"{label}: a cold greeting is billed {billed_ms:.0f} ms")

# %% [markdown]
# The first event that counts is slower now: it pays what each cold start paid before. (What *every* event needs still belongs
# in init.)
#
# ## Exercise 2: make the warm calls fast
#
# The function below says whether a number from 2 to 999,999 is prime. It makes its list of primes again for every event. Move out of
# the handler everything that does not have to be done for every event. The answers must stay the same.

# %% notes [markdown]
# Minutes: 3
#
# Say: Cut, paste, done: which lines do not depend on the event? It is quick, so do this one if you do only one.
#
# Goes wrong: Somebody finds a better test for primes, and it gives other answers for 2 or for 9. The answers must
# stay the same.

# %% primes
slow_source = """
def handler(event, context):
    sieve = [True] * 1_000_000
    for n in range(2, 1000):
        if sieve[n]:
            sieve[n * n :: n] = [False] * len(sieve[n * n :: n])
    return sieve[event["number"]]
"""
# solution: Put your version into fast_source, as text in triple quotes.
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
for label, text in {"slow": slow_source, "fast": fast_source}.items():
    deploy(workshop, workshop.name(f"primes-{label}"), {"app.py": text}, **options)
check("04.2")

event = '{"number": 7919}'
for label in ("slow", "fast"):
    rows = measure(workshop.name(f"primes-{label}"), rounds=2, calls=5, payload=event)
    warm_ms = rows[rows["init_ms"].isna()]["duration_ms"].median()
    print(f"{label}: a warm call takes {warm_ms:.1f} ms (median)")

# %% [markdown]
# ## Exercise 3: unique, though restored
#
# The function below draws tickets. With SnapStart, init runs once for all environments of a version. Three calls at the same time need an environment each:
# look at their tickets.

# %% notes [markdown]
# Minutes: 3
#
# Say: Two customers get the same ticket number, and no test has found it, because in a test there is one environment.
# Ask where in their own code something random is made at the top of a file.
#
# Goes wrong: A seed from the time in init: that is in the photograph, too. One number drawn in init: the same for
# all. They remove the `sleep`: then calls do not need environments of their own, and nothing is tested. Where the
# embedded AWS has refused SnapStart, the exercise cannot be solved on this machine; the check says so.
#
# Skip: All of it, where nobody uses SnapStart.

# %% repeated
repeated_source = """
import random
import time

generator = random.Random()


def handler(event, context):
    time.sleep(event["seconds"])
    return {"ticket": generator.getrandbits(64)}
"""

# %% [markdown]
# The folded cell defines `draw_three`, which makes the three calls.


# %% draw-three folded
def draw_three(name, version):
    """Call a version of a function that draws tickets three times at once."""
    asked = {"FunctionName": name, "Qualifier": version, "Payload": '{"seconds": 1}'}
    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(lambda_client.invoke, **asked) for _ in range(3)]
    return [json.load(each.result()["Payload"]) for each in calls]


# %%
repeated = workshop.name("tickets-repeated")
version = publish(repeated, repeated_source, **snap_start)
draw_three(repeated, version)

# %% [markdown]
# Environments of one snapshot draw the *same* tickets. Write `unique_source`: each ticket is different, whichever environment draws it. The answer keeps its
# form. Keep the line with `sleep`, too: with it, calls at the same time need an environment each.

# %% tickets
# solution: Put your version into unique_source, as text in triple quotes.
unique_source = """
import secrets
import time


def handler(event, context):
    time.sleep(event["seconds"])
    return {"ticket": secrets.randbits(64)}
"""

# %%
# check
unique = workshop.name("tickets-unique")
version = publish(unique, unique_source, **snap_start)
check("04.3")

draw_three(unique, version)

# %% [markdown]
# `secrets` asks the operating system at each call, and so does a new `random.Random()` in the handler. The same fault hides in identifiers, keys and times that init
# makes, and in connections that it opens. The runtime can also call a function of yours after each restore: the module `snapshot_restore_py` has
# `register_after_restore`.
#
# ## Exercise 4: a tenth of the calls, and back
#
# An alias can share the calls between two versions, by weights. So a new version first gets a small part of the calls: if it fails, few notice.
#
# Below are two versions of a function, and the alias `live` points at the old one. Write `shift`: given a part such as 0.1, that part of the calls of `live`
# runs the *new* version, and all others run the old one. `shift(0)` sends all calls to the old one again. It is one call of `update_alias`; look at its
# `RoutingConfig` in the [API Reference](https://docs.aws.amazon.com/lambda/latest/api/API_AliasRoutingConfiguration.html).

# %% notes [markdown]
# Minutes: 3
#
# Say: The new version has a fault, and only a tenth of the callers meet it. To go back is one call. Ask how long it
# takes them today to take back a release.
#
# Goes wrong: They move the alias itself to the new version: then all callers have the fault. The weight is given in
# percent: AWS refuses 10, it wants 0.1. The way back is forgotten: `shift(0)` has to give no weights at all.

# %% versions
canary = workshop.name("canary")
greets = "def greet(event, context):\n    return 'Hello, ' + event['name']\n"
greets_better = greets.replace("event['name']", "event['title'] + event['name']")
old = publish(canary, greets, Handler="app.greet")
new = publish(canary, greets_better, Handler="app.greet")
point(canary, "live", old)


# %% shift
def shift(part):
    """Let this part of the calls of the alias run the new version."""
    # solution: Call update_alias for the alias `live` of the function `canary`.
    weights = {new: part} if part else {}
    lambda_client.update_alias(
        FunctionName=canary,
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": weights},
    )


# %% [markdown]
# The next cell checks it. Then it shifts a tenth of a hundred calls, and none again. `ExecutedVersion` in an answer says which version ran.

# %%
# check
check("04.4", shift)

called = {"FunctionName": canary, "Qualifier": "live", "Payload": '{"name": "Ada"}'}
shift(0.1)
answers = [lambda_client.invoke(**called) for _ in track(range(100), "calls")]
shift(0)
ran = pd.Series([answer["ExecutedVersion"] for answer in answers], name="version")
failed = pd.Series(["FunctionError" in answer for answer in answers])
failed.groupby(ran).agg(calls="size", failed="sum")

# %% [markdown]
# The new version wants a `title` that no caller sends, so its calls fail: about a tenth of all, and not all of them. To go back is one call, without a
# deployment.
#
# ## What you have learned
#
# - A cold start is a new execution environment: fetch, unpack, start the runtime, run the code outside the handler. Only
#   the last two are `Init Duration`.
# - Lambda uses an environment again, one invocation at a time, and ends it after a rest. An update makes the next calls cold, and
#   a burst needs as many environments as it has calls at once.
# - In production Logs Insights counts cold starts, by `@initDuration`. (What SnapStart restores has a Restore Duration in its place; what is provisioned has
#   an `@initDuration`, though nobody waited for it.)
# - Imports make init long; the language sets the minimum; a client made in init costs the warm calls nothing.
# - A pinger keeps one environment warm, for about a cent a month. Provisioned concurrency holds as many as you pay for. SnapStart restores environments from one init,
#   so nothing that must be unique may be made in init.
# - Callers name an alias. It points at a version, or shares the calls between two: a new version first gets a few.
# - And the first question is: does anybody wait for these calls?
#
# **Next:** notebook [05](05-lambda-or-ec2.ipynb), *Lambda or EC2*, asks when a machine that is always on is cheaper. `python3 -m helpers clean` removes what
# this notebook made, when you no longer need it. On AWS run it now: the snapshots cost money until then.

# %% notes [markdown]
# Minutes: 1
#
# Say: Look at the three guesses on the board. And ask the last question of the list: does anybody wait for these
# calls?
