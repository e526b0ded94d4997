# %% [markdown]
# # 10 What fits
#
# After this notebook you will be able to
#
# - name the five reasons that speak for Lambda, and find them in the facts of a case;
# - recall Lambda's traits, each with a figure that you measured;
# - hand work to a function and go on at once, and say what that asks of the function;
# - sort systems: fits, repair first, does not fit.
#
# It takes about 25 minutes. Slides: "Features (recap)" and "What is it suited to?", in the part "Architectures".

# %%
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, load_prices, reports
from helpers.plots import BLUE, LIGHT_GREY, RED, SKY
from IPython.display import Markdown, display
from ipywidgets import HTML, Dropdown, Layout, VBox
from matplotlib.colors import ListedColormap

workshop = connect()
lambda_client = workshop.client("lambda")
logs = workshop.client("logs")
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## The traits, once more
#
# The slide recalls six: serverless, highly scalable, billed by time; cold starts, EC2 is cheaper in some cases, better
# not to access what is inside a VPC (a private network on AWS, where databases live). One small load shows them all
# again: twenty calls at once of half a second, and twenty more right after.
#
# **Predict:** how many environments?

# %%
predict("10.a")

# %% [markdown]
# **Predict:** how many of the forty calls are cold?

# %%
predict("10.b")

# %%
name = workshop.name("fits-burst")
deploy(
    workshop,
    name,
    {"app.py": "import time\n\n\ndef handler(event, context):\n    time.sleep(0.5)\n"},
    MemorySize=256,
)
variables = {
    "ROUND": str(time.time())
}  # a change, so that the first call finds no environment
lambda_client.update_function_configuration(
    FunctionName=name, Environment={"Variables": variables}
)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)


# %%
def at_once(number):
    with ThreadPoolExecutor(number) as threads:
        list(
            threads.map(
                lambda _: lambda_client.invoke(FunctionName=name), range(number)
            )
        )


began = datetime.now(UTC)
at_once(20)
at_once(20)
calls = reports(logs, name, at_least=40, since=began)

# %%
predicted("10.a", f"{calls['environment'].nunique()} environments")
predicted("10.b", f"{calls['init_ms'].notna().sum()} of {len(calls)} are cold")

# %% [markdown]
# Now the traits, each with its figure from the REPORT lines of these forty calls, and the notebook in which you met it. Compare the
# figures with those that you measured there.
#
# (On an AWS account that starts with a limit of ten concurrent executions there are at most ten environments; the other calls
# are throttled, and boto3 tries them again.)

# %% break-even
prices = load_prices()
environments, cold = calls["environment"].nunique(), calls["init_ms"].dropna()
gb_seconds = (calls["billed_ms"] / 1000 * calls["memory_mb"] / 1024).sum()
dollars = (
    gb_seconds * prices["lambda"]["gb_second"]["x86_64"]
    + len(calls) * prices["lambda"]["request"]
)
lambda_hour = 2 * 3600 * prices["lambda"]["gb_second"]["x86_64"]  # 2 GB, always busy
break_even = prices["ec2_hour"]["t3.small"] / lambda_hour  # a t3.small has 2 GB, too

# %%
traits = [
    ("serverless", "machines that you made: 0", "[01](01-what-is-lambda.ipynb)"),
    (
        "highly scalable",
        f"environments for 20 calls at once: {environments}",
        "[02](02-scaling.ipynb)",
    ),
    (
        "billed by time",
        f"{calls['billed_ms'].sum() / 1000:.1f} s billed: {dollars:.6f} USD",
        "[03](03-billing.ipynb)",
    ),
    (
        "cold starts",
        f"{len(cold)} of {len(calls)} calls, {cold.median():.0f} ms of init each (median)",
        "[04](04-cold-start.ipynb)",
    ),
    (
        "EC2 can be cheaper",
        f"a t3.small is, once 2 GB are busy for more than {break_even:.0%} of the time",
        "[05](05-lambda-or-ec2.ipynb)",
    ),
    (
        "databases",
        f"connections that these calls would have opened: {environments}",
        "[07](07-databases.ipynb)",
    ),
]
Markdown(
    "\n".join(
        f"| {' | '.join(row)} |"
        for row in [("trait", "figure", "notebook"), ("---",) * 3, *traits]
    )
)

# %% [markdown]
# On the slide's last point: a function inside a VPC used to start much later than others, and that was fixed in 2019, the year of
# the slides. What has stayed is the number of connections, one for each environment: notebook [07](07-databases.ipynb).
#
# ## Five reasons for Lambda
#
# The next slide turns the traits around: to what are they good?
#
# | reason | the work … | what Lambda has for it |
# |---|---|---|
# | **burst** | comes in peaks far above its mean | an environment for each call, within seconds |
# | **offload** | takes CPU that a web server needs for its visitors | it runs elsewhere, and cannot slow the server down |
# | **event** | begins because something happened: a file, a message, a time of day | event sources that call the function by themselves |
# | **async** | has nobody waiting for its answer | a queue in front, retries, and a cold start that nobody feels |
# | **no server** | is too little for a server of its own | nothing to pay and nothing to patch in between |
#
# The burst you have just seen. Let us look at *async* and *offload* more closely.
#
# ## Hand it over and go on
#
# A visitor asks for something that takes two seconds. If the web server calls a function and waits for its answer, then the
# visitor waits as well. With `InvocationType="Event"` Lambda puts the event into a queue of its own and answers at once.
#
# **Predict:** which status will the five answers have?

# %%
predict("10.c")

# %% [markdown]
# **Predict:** how many REPORT lines will there be when the last of them is here?

# %%
predict("10.d")

# %%
slow = workshop.name("fits-slow")
deploy(
    workshop,
    slow,
    {"app.py": "import time\n\n\ndef handler(event, context):\n    time.sleep(2)\n"},
    Timeout=10,
)
handed_over, statuses, answered = datetime.now(UTC), [], {}
for _ in range(5):
    response = lambda_client.invoke(FunctionName=slow, InvocationType="Event")
    statuses.append(response["StatusCode"])
    answered[response["ResponseMetadata"]["RequestId"]] = datetime.now(UTC)
print("statuses:", statuses)
print("payload of the last answer:", response["Payload"].read())
so_far = len(reports(logs, slow, at_least=0, since=handed_over))

# %%
predicted("10.c", f"status {statuses[-1]}")
predicted("10.d", f"{so_far} REPORT lines")

# %% [markdown]
# `202` means *accepted*, not *done*, and there is no payload: whoever needs the result has to find it elsewhere. Then we wait for the work
# itself. When each answer came is by the clock of the caller; when the work began and ended is from CloudWatch.

# %%
work = (
    reports(logs, slow, at_least=5, since=handed_over)
    .drop_duplicates("request_id")
    .set_index("request_id")
)
work["answered"] = pd.Series(answered)
zero = work["answered"].min()
work["ended"] = work["start"] + pd.to_timedelta(work["duration_ms"], unit="ms")
times = (work[["answered", "start", "ended"]] - zero).apply(
    lambda column: column.dt.total_seconds()
)
times.sort_values("answered").round(2)

# %%
times = times.sort_values("answered")
rows = range(1, len(times) + 1)
later = times["ended"].max() - times["answered"].max()
figure, ax = plt.subplots(figsize=(10, 3.6))
works = ax.barh(
    rows, times["ended"] - times["start"], left=times["start"], height=0.5, color=BLUE
)
(answer,) = ax.plot(times["answered"], rows, "D", color=RED, markersize=10)
labels = ["the caller has its answer, 202", "the function works (REPORT)"]
figure.legend([answer, works], labels, loc="outside lower left", ncols=2, frameon=False)
ax.set_title(f"The caller could go on {later:.1f} s before the last work was done")
ax.set_xlabel("seconds after the first answer")
ax.set_ylabel("call")
ax.invert_yaxis()

# %% [markdown]
# The web server is free again, and its CPU was left to its visitors. This has a price that you know from notebook [06](06-limits.ipynb): a function that fails is run
# again, up to two more times, and
# [even without an error an event may come twice](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)
# (AWS, read in November 2026). So async work has to be **harmless when it is done twice**. Notebook 15 repairs one that is not.
#
# ## A decision aid
#
# Facts of a case say which of the five reasons it has. Here are six cases; the first four are the examples of the slides, which notebooks 11
# to 14 build. `mean` and `peak` are calls per second, over the month and in its busiest minute; `seconds` is the time of one call.

# %% cases
cases = pd.DataFrame(
    [
        ("thumbnails", "file", False, 0.02, 20, 1.0, True),
        ("night scale-in", "schedule", False, 2 / 86_400, 0.02, 3.0, False),
        ("page rendering", "request", True, 5, 100, 0.1, True),
        ("pages of a PDF", "message", False, 0.05, 100, 3.0, True),
        ("busy API", "request", True, 200, 300, 0.1, False),
        ("chat server", "itself", True, 50, 80, 0.01, False),
    ],
    columns=[
        "case",
        "started by",
        "somebody waits",
        "mean",
        "peak",
        "seconds",
        "on the web server now",
    ],
)
cases.set_index("case")

# %% [markdown]
# ## What speaks against it
#
# Reasons for are one half. One of these on the other side, and it does not fit, or has to be repaired first:
#
# - one piece of work takes **longer than {{timeout.minutes}}** ([06](06-limits.ipynb)), and cannot be cut into shorter ones;
# - something has to **stay between the calls**: a caller's open connection, a game in memory ([04](04-cold-start.ipynb): environments come and go);
# - it must answer in a few milliseconds, **always** ([04](04-cold-start.ipynb): the first call of an environment is slower);
# - it would be **harmful twice**, and events do come twice ([06](06-limits.ipynb), and 15 later);
# - it opens a **database connection** in each environment, more than the database takes ([07](07-databases.ipynb));
# - it **cannot be cut out** of the program that it is part of.
#
# The middle way is common: *repair first*. Work is cut into pieces, the ids of events that are done are remembered, a queue
# goes in front of the database. Notebook 15 does it.
#
# ## Exercise 1: what speaks for Lambda?
#
# Write `speaks_for(case)`: from the facts of one case, a dict with the keys of the table's columns, it returns a list with those of
# the five reasons that hold:
#
# - `"burst"`: the peak is at least 1 call per second, and at least ten times the mean;
# - `"offload"`: it is on the web server now;
# - `"event"`: it is started by a `"file"`, a `"message"` or a `"schedule"`;
# - `"async"`: nobody waits;
# - `"no server"`: one server would be busy for less than `break_even` of the time. How much it is busy follows from
#   `mean` and `seconds`.


# %% speaks-for
def speaks_for(case):
    found = []
    if case["peak"] >= 1 and case["peak"] >= 10 * case["mean"]:
        found.append("burst")
    # solution: Add the other four reasons where they hold; return the list.
    if case["on the web server now"]:
        found.append("offload")
    if case["started by"] in ("file", "message", "schedule"):
        found.append("event")
    if not case["somebody waits"]:
        found.append("async")
    if case["mean"] * case["seconds"] < break_even:
        found.append("no server")
    return found


# %%
def draw_reasons(cases, reasons=("burst", "offload", "event", "async", "no server")):
    found = [speaks_for(case) for case in cases.to_dict("records")]
    holds = np.array([[reason in each for reason in reasons] for each in found])
    figure, ax = plt.subplots(figsize=(11, 0.65 * len(cases) + 1.4))
    ax.pcolormesh(
        holds,
        cmap=ListedColormap([LIGHT_GREY, SKY]),
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=5,
    )
    for row, column in np.argwhere(holds):
        ax.text(column + 0.5, row + 0.5, "yes", ha="center", va="center", weight="bold")
    ax.set_xticks(np.arange(len(reasons)) + 0.5, reasons, size="large")
    ax.set_yticks(np.arange(len(cases)) + 0.5, cases["case"], size="medium")
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    count = pd.Series(holds.sum(axis=1), index=cases["case"])
    title = f"{count.idxmax()}: {count.max()} of 5 reasons speak for Lambda; {count.idxmin()}: {count.min()}"
    ax.set_title(title, pad=12)


# %%
# check
check("10.1", speaks_for)

draw_reasons(cases)

# %% [markdown]
# Compare it with the labels in the slides: thumbnails have *offload*, *event* and *async* there, page rendering *burst* and *offload*. Change a
# figure of the table (what if page rendering has a mean of 50?), and draw again. The aid is crude, as rules are: it counts
# reasons, and does not weigh them.
#
# ## Exercise 2: sort the cards
#
# Ten cases, three piles. Choose in the boxes (or write your choices into the cell after them). For some cards more than one
# pile can be argued for; the check knows them, and says why where yours cannot.

# %% cards
cards = {
    "photos": "Users upload photos: none for an hour, then 200 in a minute. Each gets a thumbnail, named after it.",
    "points": "Each message about a purchase adds 10 points to the customer's account: points = points + 10.",
    "backup": "Once a week a database of 2 TB is copied into one file, in one go. It takes five hours.",
    "report": "Every night at three a report is made from a table, in 20 seconds, and sent by mail.",
    "game": "A game server keeps each match in memory and sends its players 30 updates a second, for half an hour.",
    "film": "A film of an hour is converted. One machine takes 40 minutes; the film can be cut into pieces.",
    "orders": "Orders come in waves of 500 at once. Each opens a connection to PostgreSQL, which takes 100.",
    "TV page": "Pages are rendered, 80 ms each: five a second, and 300 when it is on TV. 0.3 s now and then is fine.",
    "prices": "Day and night, 200 requests a second, 100 ms each, no peaks. The team runs well-kept servers already.",
    "discount": "The discount rules of an old shop, tangled with its classes and its session, shall be a function.",
}
piles = ["fits", "repair first", "does not fit"]

# %%
boxes = {
    card: Dropdown(
        options=["choose", *piles], description=card, layout=Layout(width="20em")
    )
    for card in cards
}
display(
    VBox(
        [
            part
            for card, text in cards.items()
            for part in (HTML(f"<b>{card}</b>: {text}"), boxes[card])
        ]
    )
)

# %% sorted-cards
sorted_cards = {
    card: box.value for card, box in boxes.items()
}  # what you chose in the boxes
# solution: Choose in the boxes and delete this line, or write here: sorted_cards["photos"] = "fits".
sorted_cards |= dict.fromkeys(["photos", "report", "TV page"], "fits")
sorted_cards |= dict.fromkeys(["points", "film", "orders", "discount"], "repair first")
sorted_cards |= dict.fromkeys(["backup", "game", "prices"], "does not fit")

# %%
# check
check("10.2", sorted_cards)

pd.Series(
    {
        pile: ", ".join(card for card in cards if sorted_cards[card] == pile)
        for pile in piles
    },
    name="cards",
).to_frame()

# %% [markdown]
# ## What you have learned
#
# - Six traits, and a figure for each: environments per call, seconds billed, milliseconds of init, the share of the month at
#   which a server gets cheaper, connections per environment.
# - Five reasons: burst, offload, event, async, no server. They are found in facts: what starts it, who waits, how much of it
#   comes at once.
# - `InvocationType="Event"` answers 202 before the work is done; such work has to be harmless when it is done twice.
# - One objection can outweigh five reasons: too long, something that stays, always fast, harmful twice, connections, tangled. Some of them
#   can be repaired.
#
# **Next:** notebook 11 builds the case with the most reasons: thumbnails for uploaded images.
