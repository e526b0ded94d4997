# %% [markdown]
# # 10 What fits
#
# After this notebook you will be able to
#
# - name the five reasons that speak for Lambda, and find them in the facts of a case;
# - recall Lambda's traits, each with a figure that you measured;
# - hand work to a function and go on at once, and say why such work must be harmless when it is done twice;
# - sort systems: fits, repair first, does not fit.
#
# It takes about 20 minutes. Slides: "Features (recap)" (特徴(おさらい), page 24) and "What is it suited to?" (何に向いているか？, page 25), in the part "Architectures".

# %% notes [markdown]
# Minutes: 1
#
# Say: The second half of the deck begins: where does it belong? After this notebook you can answer that for a system
# of your own. So write down one system now, in a sentence; you need it at the end.

# %%
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

# %%
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution

# %% [markdown]
# ## The traits, once more
#
# The slide recalls six: serverless, highly scalable, billed by time; cold starts, EC2 is cheaper in some cases, better
# not to access what is inside a VPC (a private network on AWS, where databases live). One small load shows them all
# again: twenty calls of half a second at once, and twenty more right after.
#
# **Predict:** how many environments?

# %% notes [markdown]
# Minutes: 3
#
# Say: Six traits, and for each of them a figure that you have measured. Before you run it, let somebody who was not
# here last time explain why both guesses are easy.
#
# Goes wrong: On an account with a limit of {{concurrency_new_account}} there are fewer environments, as calls are
# throttled and tried again.
#
# Answer 10.a: About twenty: as many as calls at once.
#
# Answer 10.b: About twenty of the forty: the first wave is cold, and the second one finds what the first has left.
#
# Skip: Run it, and read only the table.

# %%
predict("10.a")

# %% [markdown]
# **Predict:** how many of the forty calls are cold?

# %%
predict("10.b")

# %% sleeper
code = """
import time

def handler(event, context):
    time.sleep(event["seconds"])
"""

# %% [markdown]
# Each run of the next cell changes the function's environment variables, so that the first call finds no environment.

# %%
name = workshop.name("fits-burst")
variables = {"ROUND": datetime.now(UTC).isoformat()}
environment = {"Variables": variables}
_ = deploy(workshop, name, {"app.py": code}, MemorySize=256, Environment=environment)


# %% at-once
def call(_number):
    return lambda_client.invoke(FunctionName=name, Payload='{"seconds": 0.5}')


def at_once(number):
    with ThreadPoolExecutor(number) as threads:
        list(threads.map(call, range(number)))


# %%
began = datetime.now(UTC)
at_once(20)
at_once(20)
calls = reports(logs, name, at_least=40, since=began)

# %% burst
environments, cold = calls["environment"].nunique(), calls["init_ms"].dropna()
predicted("10.a", f"{environments} environments")
predicted("10.b", f"{len(cold)} of {len(calls)} are cold")
claim("twenty calls at once need about as many environments", 15 <= environments <= 25)
claim("each environment is cold once", len(cold) == environments)

# %% [markdown]
# Calls that come at once need about as many environments; later calls find them warm.
# (A new AWS account may have a limit of {{concurrency_new_account}} concurrent executions. Then the other calls are
# throttled, and boto3 tries them again.)
#
# What did the forty calls cost, and when is a server cheaper?

# %% break-even
prices = load_prices()
gb_second, request = (
    prices["lambda"]["gb_second"]["x86_64"],
    prices["lambda"]["request"],
)
gb_seconds = (calls["billed_ms"] / 1000 * calls["memory_mb"] / 1024).sum()
dollars = gb_seconds * gb_second + len(calls) * request
lambda_hour = 2 * 3600 * gb_second  # 2 GB, always busy
break_even = prices["ec2_hour"]["t3.small"] / lambda_hour  # a t3.small has 2 GB, too

# %% [markdown]
# The folded cell shows each trait with its figure from the REPORT lines, and the notebook where you measured it before.

# %% traits folded
billed, ms = calls["billed_ms"].sum() / 1000, cold.median()
traits = {
    "serverless": "machines that you made: 0",
    "highly scalable": f"environments for 20 calls at once: {environments}",
    "billed by time": f"{billed:.1f} s billed: {dollars:.6f} USD",
    "cold starts": f"{len(cold)} of {len(calls)} calls; init {ms:.0f} ms (median)",
    "EC2 can be cheaper": f"once 2 GB are busy over {break_even:.0%} of the time",
    "databases": f"connections that these calls would have opened: {environments}",
}
places = [
    "[01](01-what-is-lambda.ipynb)",
    "[02](02-scaling.ipynb)",
    "[03](03-billing.ipynb)",
    "[04](04-cold-start.ipynb)",
    "[05](05-lambda-or-ec2.ipynb)",
    "[07](07-databases.ipynb)",
]
rows = [[*trait, place] for trait, place in zip(traits.items(), places, strict=True)]
table = [["trait", "figure", "notebook"], ["---"] * 3, *rows]
Markdown("\n".join(f"| {' | '.join(row)} |" for row in table))

# %% [markdown]
# On the slide's last point: a function inside a VPC used to start much later than others, until AWS fixed that in 2019, the year of
# the slides. The number of connections, one for each environment, is still a problem: notebook [07](07-databases.ipynb).
#
# ## Five reasons for Lambda
#
# The next slide asks what these traits are good for.
#
# | reason | the work … | what Lambda has for it |
# |---|---|---|
# | **burst** | comes in peaks far above its mean | an environment for each call, within seconds |
# | **offload** | takes CPU that a web server needs for its visitors | it runs elsewhere, and cannot slow the server down |
# | **event** | begins because something happened: a file, a message, a time of day | event sources that call the function by themselves |
# | **async** | has nobody waiting for its answer | a queue in front, retries, and a cold start that nobody feels |
# | **no server** | is too little for a server of its own | nothing to pay and nothing to patch in between |
#
# You have just seen a burst. Next come *async* and *offload*.
#
# ## Hand it over and go on
#
# A visitor asks for something that takes two seconds. If the web server calls a function and waits, the
# visitor waits as well. With `InvocationType="Event"` Lambda puts the event into a queue of its own and answers at once.
#
# **Predict:** which status will the five answers have?

# %% notes [markdown]
# Minutes: 2
#
# Say: The slide has five lines. For each of them ask for one example from the room. Where nobody has one, take the
# thumbnail: it has all five.

# %% notes [markdown]
# Minutes: 4
#
# Say: A visitor waits two seconds, or does not wait. Ask what the answer can hold, if the work has not begun.
# Nothing: it is a receipt.
#
# Goes wrong: People look for the result in the answer. There is none, so the function must put it somewhere. And it
# may run twice: say it here, notebook 15 comes back to it.
#
# Answer 10.c: 202 for each of them: accepted, not done.
#
# Answer 10.d: None. The work takes two seconds, and the answers come at once.

# %%
predict("10.c")

# %% [markdown]
# **Predict:** how many REPORT lines will there be when the last answer is here?

# %%
predict("10.d")

# %% slow-function
slow = workshop.name("fits-slow")
deploy(workshop, slow, {"app.py": code}, Timeout=10)
event = {"InvocationType": "Event", "Payload": '{"seconds": 2}'}

# %%
handed_over, answered = datetime.now(UTC), {}
for _ in range(5):
    response = lambda_client.invoke(FunctionName=slow, **event)
    answered[response["ResponseMetadata"]["RequestId"]] = datetime.now(UTC)
so_far = len(reports(logs, slow, at_least=0, since=handed_over))
print("payload of the last answer:", response["Payload"].read())

# %%
predicted("10.c", f"status {response['StatusCode']}")
predicted("10.d", f"{so_far} REPORT lines")
claim("no work was done when the last answer came", so_far == 0)

# %% [markdown]
# `202` means *accepted*, not *done*, and there is no payload: if you need the result, the function must put it somewhere. Now wait for the
# work itself. When it began and ended is in CloudWatch.

# %%
work = reports(logs, slow, at_least=5, since=handed_over).drop_duplicates("request_id")
work["ended"] = work["start"] + pd.to_timedelta(work["duration_ms"], unit="ms")
work["answered"] = work["request_id"].map(answered)

# %% [markdown]
# The folded cell draws the answers and the work.

# %% draw-work folded
times = work[["answered", "start", "ended"]] - work["answered"].min()
times = times.apply(lambda column: column.dt.total_seconds()).sort_values("answered")
rows = range(1, len(times) + 1)
later = times["ended"].max() - times["answered"].max()
claim("the caller goes on at least a second before the work is done", later > 1)

figure, ax = plt.subplots(figsize=(10, 3.6))
lasted = times["ended"] - times["start"]
works = ax.barh(rows, lasted, left=times["start"], height=0.5, color=BLUE)
(answer,) = ax.plot(times["answered"], rows, "D", color=RED, markersize=10)
labels = ["the caller has its answer, 202", "the function works (REPORT)"]
figure.legend([answer, works], labels, loc="outside lower left", ncols=2, frameon=False)
ax.set_title(f"The caller could go on {later:.1f} s before the last work was done")
ax.set_xlabel("seconds after the first answer")
ax.set_ylabel("call")
ax.invert_yaxis()

# %% [markdown]
# The web server is free again for its visitors. The price (notebook [06](06-limits.ipynb)): a function that fails is tried
# again, up to two more times, and
# [even without an error an event may come twice](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)
# (AWS, read in November 2026). So async work must be **harmless when it is done twice**. Notebook 15 repairs work that is not.
#
# ## A decision aid
#
# The facts of a case show which reasons it has. Here are six cases; the first four are the examples of the slides (notebooks 11
# to 14). `mean` and `peak` are calls per second, over the month and in its busiest minute; `seconds` is the time of one call.

# %% notes [markdown]
# Minutes: 1
#
# Say: The first four rows are the four examples of the deck. Which of the facts would you not know for your own
# system? Find that out first.

# %% cases
facts = "case, started by, somebody waits, mean, peak, seconds, on the web server now"
rows = [
    ("thumbnails", "file", False, 0.02, 20, 1.0, True),
    ("night scale-in", "schedule", False, 2 / 86_400, 0.02, 3.0, False),
    ("page rendering", "request", True, 5, 100, 0.1, True),
    ("pages of a PDF", "message", False, 0.05, 100, 3.0, True),
    ("busy API", "request", True, 200, 300, 0.1, False),
    ("chat server", "itself", True, 50, 80, 0.01, False),
]
cases = pd.DataFrame(rows, columns=facts.split(", "))
cases.set_index("case")

# %% [markdown]
# ## What speaks against it
#
# If one of these objections holds, the case does not fit, or must be repaired first:
#
# - one piece of work takes **longer than {{timeout.minutes}}** ([06](06-limits.ipynb)), and cannot be cut into shorter ones;
# - something must **stay between the calls**: a caller's open connection, a game in memory ([04](04-cold-start.ipynb): environments come and go);
# - it must **always** answer in a few milliseconds ([04](04-cold-start.ipynb): the first call of an environment is slower);
# - it **does harm when it is done twice**, and events do come twice ([06](06-limits.ipynb), and 15 later);
# - it opens a **database connection** in each environment, more than the database takes ([07](07-databases.ipynb));
# - it **cannot be cut out** of the program that it is part of.
#
# *Repair first* is common: cut the work into pieces, remember the ids of events that are done, put a queue
# in front of the database. Notebook 15 does it.
#
# ## Exercise 1: what speaks for Lambda?
#
# Write `speaks_for(case)`. It gets the facts of one case, a dict whose keys are the table's columns, and returns a list of
# the reasons that hold:
#
# - `"burst"`: the peak is at least 1 call per second, and at least ten times the mean;
# - `"offload"`: it is on the web server now;
# - `"event"`: it is started by a `"file"`, a `"message"` or a `"schedule"`;
# - `"async"`: nobody waits;
# - `"no server"`: one server is busy for less than `break_even` of the time. How much it is busy follows from
#   `mean` and `seconds`.

# %% notes [markdown]
# Minutes: 2
#
# Say: One objection weighs more than five reasons. Go through the list with the systems that people have written
# down.

# %% notes [markdown]
# Minutes: 4
#
# Say: Five questions, five `if`. One is there already.
#
# Goes wrong: `elif` or an early `return`: then only the first reason is found. "At least ten times" needs `>=`. *no
# server*: the calls have to be multiplied by the seconds, and compared with a share from 0 to 1, not with percent. A
# request is no event here, and what runs by itself is none either.
#
# Skip: Do it on paper, with the six cases.


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


# %% [markdown]
# The folded cell defines the drawing.


# %% draw-reasons folded
def draw_reasons(cases, reasons=("burst", "offload", "event", "async", "no server")):
    found = [speaks_for(case) for case in cases.to_dict("records")]
    holds = np.array([[reason in each for reason in reasons] for each in found])
    figure, ax = plt.subplots(figsize=(10, 0.5 * len(cases) + 1.2))
    colors = {"cmap": ListedColormap([LIGHT_GREY, SKY]), "vmin": 0, "vmax": 1}
    ax.pcolormesh(holds, edgecolors="white", linewidth=5, **colors)
    for row, column in np.argwhere(holds):
        ax.text(column + 0.5, row + 0.5, "yes", ha="center", va="center", weight="bold")
    ax.set_xticks(np.arange(len(reasons)) + 0.5, reasons, size="large")
    ax.set_yticks(np.arange(len(cases)) + 0.5, cases["case"], size="medium")
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    count = pd.Series(holds.sum(axis=1), index=cases["case"])
    most, least = count.idxmax(), count.idxmin()
    title = f"{most}: {count.max()} of 5 reasons hold; {least}: {count.min()}"
    ax.set_title(title, pad=12)


# %%
# check
check("10.1", speaks_for)

draw_reasons(cases)

# %% [markdown]
# Compare it with the slides: thumbnails have *offload*, *event* and *async* there, page rendering *burst* and *offload*. Change a
# figure of the table (what if page rendering has a mean of 50?), and draw again. The aid only counts
# reasons, and does not weigh them.
#
# ## Exercise 2: sort the cards
#
# Ten cases, three piles. Run the folded cell, and choose in its boxes (or write your choices into the cell after it). For some cards more than one
# pile is right.

# %% notes [markdown]
# Minutes: 4
#
# Say: This is the best discussion of the day. Print the ten cards, or read them aloud, and let the room walk to three
# corners. For a wrong card the check gives the reason; let somebody defend it first.
#
# Goes wrong: *points* is put on *fits*: adding is harmful when it is done twice. *prices* too: steady load and
# servers that are there already; no reason speaks for a move. *film* and *discount* may lie on two piles. The boxes
# and the cell must agree: who writes choices into the cell overrides the boxes.

# %% cards folded
cards = {
    "photos": "Users upload photos: none for an hour, then 200 in a minute. "
    "Each gets a thumbnail, named after it.",
    "points": "Each message about a purchase adds 10 points to the customer's account: "
    "points = points + 10.",
    "backup": "Once a week a database of 2 TB is copied into one file, in one go. "
    "It takes five hours.",
    "report": "Every night at three a report is made from a table, in 20 seconds, "
    "and sent by mail.",
    "game": "A game server keeps each match in memory and sends its players "
    "30 updates a second, for half an hour.",
    "film": "A film of an hour is converted. One machine takes 40 minutes; "
    "the film can be cut into pieces.",
    "orders": "Orders come in waves of 500 at once. Each opens a connection to "
    "PostgreSQL, which takes 100.",
    "TV page": "Pages are rendered, 80 ms each: five a second, and 300 when it "
    "is on TV. A page may take 0.3 s now and then.",
    "prices": "Day and night, 200 requests a second, 100 ms each, no peaks. "
    "The team runs its own servers already, and runs them well.",
    "discount": "The discount rules of an old shop use its classes and its session "
    "everywhere. The team wants to move them into a function.",
}
piles = ["fits", "repair first", "does not fit"]
boxes = {
    card: Dropdown(options=["choose", *piles], layout=Layout(width="12em"))
    for card in cards
}
texts = {card: HTML(f"<b>{card}</b>: {text}") for card, text in cards.items()}
display(VBox([part for card in cards for part in (texts[card], boxes[card])]))

# %% sorted-cards
sorted_cards = {card: box.value for card, box in boxes.items()}  # what you chose above
# solution: Choose, then delete this line; or write: sorted_cards["photos"] = "fits".
sorted_cards |= dict.fromkeys(["photos", "report", "TV page"], "fits")
sorted_cards |= dict.fromkeys(["points", "film", "orders", "discount"], "repair first")
sorted_cards |= dict.fromkeys(["backup", "game", "prices"], "does not fit")

# %%
# check
check("10.2", sorted_cards)

lying = {pile: [card for card in cards if sorted_cards[card] == pile] for pile in piles}
pd.Series(lying, name="cards").str.join(", ").to_frame()

# %% [markdown]
# ## What you have learned
#
# - Six traits, and a figure for each: environments, seconds billed, milliseconds of init, the share of the time above
#   which a server is cheaper, connections.
# - Five reasons: burst, offload, event, async, no server. You find them in facts: what starts it, who waits, how much
#   comes at once.
# - `InvocationType="Event"` answers 202 before the work is done; such work must be harmless when it is done twice.
# - One objection can outweigh five reasons: too long, something that stays, always fast, harmful twice, connections, cannot be cut out. Some
#   can be repaired.
#
# **Next:** notebook [11](11-thumbnails.ipynb) builds the case with the most reasons: thumbnails for uploaded images.

# %% notes [markdown]
# Minutes: 1
#
# Say: Take your own system again, and say its pile and one reason, in one sentence. Two or three aloud.
