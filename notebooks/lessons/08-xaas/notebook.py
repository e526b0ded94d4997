# %% [markdown]
# # 08 XaaS compared
#
# After this notebook you will be able to
#
# - say what IaaS, CaaS, PaaS and FaaS leave to you, layer by layer;
# - name the services of AWS, Google Cloud and Azure on each level, in 2019 and today;
# - show by a measurement what the same task costs you on a server, and what it costs as a function;
# - place a system on a level, and give the reason.
#
# It takes about 20 minutes.
# Slides: "Comparison with XaaS" and "Services that correspond to XaaS", in the part "Know Lambda".

# %%
import http.client
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import psutil
from helpers import connect, deploy, reports
from helpers.plots import BLUE, LIGHT_GREY, ORANGE
from IPython.display import Markdown

workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## Who manages what
#
# **XaaS** is "something as a service". The provider looks after everything up to some layer, and you after the rest:
#
# - **IaaS**, infrastructure: you rent a machine and run what you like on it;
# - **CaaS**, containers: you bring a container image, which is your program with its runtime and its system libraries;
# - **PaaS**, platform: you bring an application, a program that waits for requests;
# - **FaaS**, function: you bring the code that handles one event.
#
# As data: for each level, how many of the layers, counted from the top, are yours.

# %%
layers = [
    "function",
    "application",
    "runtime",
    "container image",
    "operating system",
    "virtualisation",
    "hardware",
]
yours = {"IaaS": 5, "CaaS": 4, "PaaS": 2, "FaaS": 1}
table = pd.DataFrame(
    {
        level: ["you"] * number + ["provider"] * (len(layers) - number)
        for level, number in yours.items()
    },
    index=layers,
)
table


# %%
from matplotlib.colors import ListedColormap


def draw_layers(table):
    rows, columns = table.shape
    mine = (table == "you").to_numpy()
    figure, ax = plt.subplots(figsize=(2.2 + 2.1 * columns, 5.2))
    ax.pcolormesh(
        mine,
        cmap=ListedColormap([LIGHT_GREY, ORANGE]),
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=5,
    )
    for (row, column), is_mine in np.ndenumerate(mine):
        weight = "bold" if is_mine else "normal"
        ax.text(
            column + 0.5,
            row + 0.5,
            table.iloc[row, column],
            ha="center",
            va="center",
            weight=weight,
        )
    ax.set_xticks(np.arange(columns) + 0.5, table.columns, size="large", weight="bold")
    ax.set_yticks(np.arange(rows) + 0.5, table.index, size="medium")
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    counts = ", ".join(
        f"{level} {number}" for level, number in (table == "you").sum().items()
    )
    ax.set_title(f"Of {rows} layers, these many are yours: {counts}", pad=12)


# %%
draw_layers(table)

# %% [markdown]
# Three layers need a word.
#
# - **Application** is what runs all day around your functions: the loop that waits for requests, and the decision how many
#   copies of it run. With FaaS both are the provider's.
# - **Runtime** is Python, Node.js or Java. On PaaS and FaaS you choose the version, and the provider keeps it patched.
# - **Container image** means the system libraries beside your program. A machine without containers has them too.
#
# What is added when more work comes follows from it: on IaaS a machine, on CaaS a container, on PaaS a copy of the
# application, on FaaS an environment for each call.
#
# The picture follows the table, so that you can argue with it. Is the operating system below a container really the
# provider's? On AWS Fargate it is. A cluster of ECS or EKS can also run on EC2 instances of your own, and then it is yours
# ([shared responsibility in ECS](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-shared-model.html),
# read in November 2026).

# %%
detailed = table.rename(columns={"CaaS": "ECS on Fargate"})
detailed.insert(1, "ECS on EC2", table["CaaS"])
detailed.loc["operating system", "ECS on EC2"] = "you"
draw_layers(detailed)

# %% [markdown]
# ## The services, 2019 and today
#
# The slide has AWS and Google Cloud as of 2019. Azure is ours, and so is the present.
#
# | | AWS 2019 | AWS today | Google Cloud 2019 | Google Cloud today | Azure today |
# |---|---|---|---|---|---|
# | IaaS | EC2 | EC2 | GCE | Compute Engine | Virtual Machines |
# | CaaS | ECS, EKS | ECS and EKS, with Fargate below; ECS Express Mode [1] | GKE | GKE, with Autopilot [2]; Cloud Run [3] | AKS; Container Apps [4] |
# | PaaS | Beanstalk | Elastic Beanstalk [5]; App Runner is closed to new customers [6] | GAE | App Engine | App Service |
# | FaaS | Lambda | Lambda | Cloud Functions | Cloud Run functions [7] | Functions |
#
# Sources, read in November 2026. Azure's column follows
# [Microsoft's comparison of the compute services of Azure and AWS](https://learn.microsoft.com/azure/architecture/aws-professional/compute),
# Google's its [overview of hosting options](https://cloud.google.com/docs/choosing-a-compute-option).
#
# 1. From a container image and two roles to a load-balanced service on Fargate:
#    [ECS Express Mode](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-work.html).
# 2. Google looks after the machines of the cluster: [GKE's modes](https://docs.cloud.google.com/kubernetes-engine/docs/concepts/choose-cluster-mode).
# 3. Containers without a cluster: [is it a fit for Cloud Run?](https://docs.cloud.google.com/run/docs/fit-for-run)
# 4. Likewise: [Azure Container Apps](https://learn.microsoft.com/azure/container-apps/overview).
# 5. [Elastic Beanstalk's platforms](https://docs.aws.amazon.com/elasticbeanstalk/latest/platforms/welcome.html): an operating
#    system, a runtime and a web server, which AWS updates.
# 6. App Runner came in 2021, and takes no new customers since 30 April 2026; AWS names ECS Express Mode in its place:
#    [App Runner availability change](https://docs.aws.amazon.com/apprunner/latest/dg/apprunner-availability-change.html).
# 7. Cloud Functions was renamed in August 2024
#    ([so says Okta, whose product calls it](https://help.okta.com/en/prod/Content/Topics/Workflows/connector-reference/googlecloudfunctions/googlecloudfunctions.htm)),
#    and such a function is [deployed as a service on Cloud Run](https://docs.cloud.google.com/run/docs/functions/comparison).
#
# *Kubernetes* is the program that most people use to spread containers over machines; EKS, GKE and AKS are
# Kubernetes as a service.
#
# Services come, are renamed, and close. The four levels have stayed: learn those, and look up the names.
#
# ## The borders are blurred today
#
# - A Lambda function can be a **container image** of up to {{image}}. The image with its runtime is then yours to keep patched: FaaS, with the
#   layers of CaaS.
# - **Fargate** runs containers without a machine that you would see. **Cloud Run** and **Container Apps** take away the copies as
#   well when nobody calls ([instances of Cloud Run](https://docs.cloud.google.com/run/docs/about-instance-autoscaling)): CaaS,
#   scaled as FaaS is.
# - **Lambda Managed Instances** (since {{managed_instances}}) run functions on EC2 instances in your account, with a GPU if you like, that AWS looks after: three to begin with. One
#   environment serves several calls at a time, and there are no cold starts, because the instances are up while nobody calls
#   ([how they scale](https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-scaling.html), read in November 2026).
#   FaaS by its layers, IaaS by what runs meanwhile.
# - **Lambda Web Functions** run a web server in Node.js as it is: it listens on a port, gets an HTTPS address, serves up to {{web_function_concurrency}} requests in one
#   environment, and ends when nobody calls ([AWS's guide]({{web_functions.source}}), read on {{web_functions.checked}}). PaaS by its program, FaaS by how it scales.
# - **Lambda MicroVMs** are the machines below Lambda, for you: made from an image of yours, suspended with all that is in their memory, resumed, for up to {{microvm.hours}}
#   ([AWS's guide]({{microvm.source}}), read on {{microvm.checked}}). IaaS that starts like FaaS.
#
# What these notebooks teach are the others, Lambda *Event* Functions. The embedded AWS has none of these three.
#
# So do not ask which letter a service has. Ask three questions: which layers are mine? What is added when more work comes, and by
# whom? What runs, and is paid for, when nobody calls?
#
# ## Measured: the same task on a server and as a function
#
# The task takes 0.2 seconds, in which it waits, as for a database. We put it on the two ends of the picture and let ten callers
# come at once.
#
# The lower end should be an EC2 instance. In the embedded AWS an instance is an entry in a list, with no machine behind it. So a process
# on this machine takes its place: it is started by hand, listens on a port, and runs until somebody ends it. Below is all the code
# that it needs around the task. `places` is how many requests it handles at a time.

# %% task
task = """
import time

def handler(event, context):
    time.sleep(0.2)
    return "done"
"""

# %% server
server_source = r"""
import json, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

places = threading.Semaphore(int(sys.argv[1]))
class Web(BaseHTTPRequestHandler):
    def do_GET(self):
        came = time.time()
        with places:
            began = time.time()
            answer = handler({}, None)
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + answer.encode())
            print(json.dumps({"came": came, "began": began, "ended": time.time()}), flush=True)

server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
server.socket.listen(100)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()  # should you forget it, it ends with the notebook
"""

# %% [markdown]
# **Predict:** with one place, how long do ten calls take?

# %%
predict("08.a")

# %% [markdown]
# **Predict:** what does the process do afterwards?

# %%
predict("08.b", choices=["it ends", "it runs on"])

# %%
places = 1
server = subprocess.Popen(
    [sys.executable, "-c", task + server_source, str(places)],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
)
port = int(server.stdout.readline())


def call_server(_):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    return connection.getresponse().read()


with ThreadPoolExecutor(10) as threads:
    list(threads.map(call_server, range(10)))
access_log = pd.DataFrame([json.loads(server.stdout.readline()) for _ in range(10)])
(access_log - access_log["came"].min()).round(2)

# %%
predicted("08.a", f"{access_log['ended'].max() - access_log['came'].min():.1f} s")
predicted("08.b", "it runs on" if server.poll() is None else "it ends")

# %% [markdown]
# Its own access log, in seconds since the first call came: they all *came* at about the same time, and each *began* when the one
# before had *ended*.
#
# Now the same task as a function. Ten calls, and ten more right after. (The tag lets the embedded AWS give up an idle
# environment after two seconds; we come back to it.)

# %%
name = workshop.name("xaas-task")
arn = deploy(workshop, name, {"app.py": task}, MemorySize=256)["FunctionArn"]
lambda_client.tag_resource(Resource=arn, Tags={"localaws:idle-seconds": "2"})
variables = {
    "ROUND": str(time.time())
}  # a change, so that the first ten calls find no environment
lambda_client.update_function_configuration(
    FunctionName=name, Environment={"Variables": variables}
)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)

# %%
began = datetime.now(UTC)
for _ in range(2):
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: lambda_client.invoke(FunctionName=name), range(10)))
calls = reports(logs, name, at_least=20, since=began)
kind = calls["init_ms"].notna().map({True: "cold", False: "warm"}).rename("medians")
calls.groupby(kind)[["init_ms", "duration_ms", "billed_ms"]].median().round(1)

# %% [markdown]
# (On an AWS account with a limit of ten concurrent executions some calls may be throttled and tried again.)
#
# Side by side, with the same scale. The server's bars are from its access log, the function's from the REPORT lines: a cold call
# came, at the latest, when its init began.

# %%
start = calls["start"].map(datetime.timestamp)
function = pd.DataFrame(
    {
        "came": start - calls["init_ms"].fillna(0) / 1000,
        "began": start,
        "ended": start + calls["duration_ms"] / 1000,
    }
)
label = f"server, {places} place" + "s" * (places > 1)
waves = {
    label: access_log,
    "function, first ten": function[:10],
    "function, next ten": function[10:],
}
took = pd.Series(
    {label: wave["ended"].max() - wave["came"].min() for label, wave in waves.items()}
)

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharex=True, sharey=True)
for ax, (label, wave) in zip(axes, waves.items(), strict=True):
    wave = (wave - wave["came"].min()).sort_values("ended")
    row = range(1, len(wave) + 1)
    ax.barh(
        row,
        wave["began"] - wave["came"],
        left=wave["came"],
        color=ORANGE,
        hatch="//",
        label="waits",
    )
    ax.barh(
        row,
        wave["ended"] - wave["began"],
        left=wave["began"],
        color=BLUE,
        label="works",
    )
    ax.set_title(f"{label}: {took[label]:.1f} s")
    ax.set_xlabel("seconds after the first call came")
axes[0].set_xlim(0)
axes[0].set_ylabel("call")
axes[0].invert_yaxis()
axes[0].legend()
slow, fast = took.idxmax(), took.idxmin()
title = (
    f"Ten calls at once take {took[slow]:.1f} s ({slow}) or {took[fast]:.1f} s ({fast})"
)
_ = figure.suptitle(title, x=0.01, ha="left")

# %% [markdown]
# Is the server slow? No: set `places = 10`, run the cells again, and it handles all ten at once. A good server would handle
# thousands of such waits. The point is *who chooses*, and when. Somebody has to set `places`, size the machine for it, and see that
# it is too few before the callers do. The function had no such number.
#
# And what does it cost when nobody calls? The operating system says of the process how long it has been up and how much
# memory it holds; its access log, how long it worked. REPORT says what the function is billed for.

# %%
process = psutil.Process(server.pid)
up = time.time() - process.create_time()
worked = (access_log["ended"] - access_log["began"]).sum()
memory_mb, billed = process.memory_info().rss / 1e6, calls["billed_ms"].sum() / 1000
print(
    f"server:   up for {up:.1f} s, of which {worked:.1f} s were work; it holds {memory_mb:.0f} MB now"
)
print(
    f"function: {len(calls)} calls are billed as {billed:.1f} s, however long ago they were"
)

# %% [markdown]
# Run that cell again in a minute: the server's first figure has grown, the function's has not. EC2 bills by the first, Lambda by the second
# ([notebook 05](05-lambda-or-ec2.ipynb) finds where the one gets cheaper than the other).
#
# What has become of the function's environments? They have rested for a while now. We rest a little longer and call once.

# %%
rested_until = calls["start"].max().timestamp() + 5
time.sleep(max(0, rested_until - time.time()))  # the rest itself is the experiment
asked = datetime.now(UTC)
lambda_client.invoke(FunctionName=name)
print(
    "needed a new environment:",
    reports(logs, name, since=asked)["init_ms"].notna().all(),
)

# %% [markdown]
# It needed a new one: nothing of the function was left running. (On AWS nobody can set the time. There the environments stay for minutes
# or longer, frozen, at AWS's expense, and the answer is probably `False`.)
#
# The server is still there. Nobody ends it but you. (An exit code of -15 says that signal 15 ended it, which `terminate` sends.)

# %%
server.terminate()
print("ended, with exit code", server.wait(timeout=10))

# %%
pd.DataFrame(
    {
        "server": [sum(map(bool, server_source.splitlines())), 4, "yes"],
        "function": [0, 1, "no"],
    },
    index=[
        "lines of code around the task",
        "steps of yours",
        "something runs when nobody calls",
    ],
)

# %% [markdown]
# The four steps were: choose the places, start it, find its port, end it. The one step of the function was to deploy it.
#
# Our server lacks what a real one has besides: a machine to rent, its updates, a restart when it crashes, a second
# one for the day on which the first breaks. And the function gave up something in return: it may run for {{timeout.minutes}} at most, keeps no
# caller's connection open after its answer, and starts cold.
#
# ## Exercise 1: whose turn is it?
#
# Back to the picture of the layers. Six things happen at night. On which of the four levels do **you** have to act? Fill in `you_act`: for each incident a list
# of levels, empty where it is the provider's turn on all of them. For CaaS take the picture's: Fargate, not machines of your own.
#
# `hint("08.1")` in a cell of its own helps.

# %% incidents
incidents = {
    "disk": "A disk breaks in the data centre.",
    "kernel": "The kernel of the operating system needs a security update.",
    "library": "A hole was found in OpenSSL, the system library that your program uses for encryption.",
    "patch": "Your version of Python gets a security patch (say, 3.13.7 becomes 3.13.8).",
    "end of support": "Your version of Python gets no patches any more: 3.13 has to become 3.14.",
    "bug": "The discount in your shop is computed wrongly.",
}
Markdown("\n".join(f"- **{name}**: {text}" for name, text in incidents.items()))

# %% whose-turn
you_act = dict.fromkeys(incidents)
# solution: Give each incident the levels on which you act, as in you_act["disk"] = ["IaaS", "FaaS"].
you_act["disk"] = []
you_act["kernel"] = ["IaaS"]
you_act["library"] = ["IaaS", "CaaS"]
you_act["patch"] = ["IaaS", "CaaS"]
you_act["end of support"] = ["IaaS", "CaaS", "PaaS", "FaaS"]
you_act["bug"] = ["IaaS", "CaaS", "PaaS", "FaaS"]

# %%
# check
check("08.1", you_act)

nights = pd.DataFrame(
    {level: {name: level in you_act[name] for name in incidents} for level in yours}
)
nights.replace({True: "you", False: "-"})

# %% [markdown]
# ## Exercise 2: where would you put it?
#
# Eight systems. Choose a level for each, in `choices`. Take the highest level that fits: what you need not look after, you should
# not. Where reasonable people differ the check takes either answer, and a wrong one comes back with the reason.

# %% cards
cards = {
    "driver": "An old accounting program. It wants one version of Windows, and its licence check is a driver in the kernel.",
    "report": "Every night at three, a report is made from a table and sent by mail. It takes 20 seconds.",
    "chat": "A chat server keeps 5,000 connections open for hours (WebSockets), and in its memory who is in which room.",
    "training": "A model is trained for ten hours on a GPU.",
    "thumbnails": "Users upload photos: none for an hour, then 200 in a minute. Each thumbnail takes a second.",
    "shop": "A shop in PHP, with a common framework and one database; busy all day. Two developers, no administrator.",
    "videos": "The day's videos are converted in one run of three hours, by a program that needs a large disk.",
    "fleet": "Twelve services run on Kubernetes in your own rooms. Their images and settings shall move as they are.",
}
Markdown("\n".join(f"- **{name}**: {text}" for name, text in cards.items()))

# %% where-to-put-it
choices = dict.fromkeys(cards)
# solution: Choose a level for each card, as in choices["driver"] = "PaaS".
choices["driver"] = "IaaS"
choices["report"] = "FaaS"
choices["chat"] = "PaaS"
choices["training"] = "CaaS"
choices["thumbnails"] = "FaaS"
choices["shop"] = "PaaS"
choices["videos"] = "CaaS"
choices["fleet"] = "CaaS"

# %%
# check
check("08.2", choices)

placed = pd.DataFrame({"level": choices, "case": cards})
placed["layers of yours"] = placed["level"].map(yours)
in_all, at_most = placed["layers of yours"].sum(), len(cards) * yours["IaaS"]
print(f"You look after {in_all} layers; with IaaS for all it would be {at_most}.")
placed[["level", "layers of yours"]].sort_values("layers of yours")

# %% [markdown]
# ## What you have learned
#
# - IaaS, CaaS, PaaS and FaaS differ in how many layers are yours: all down to the operating system, or one.
# - The provider patches your runtime on PaaS and FaaS; moving to its next version stays your work on every level.
# - A server has a number of places that somebody chose, and it runs while nobody calls. A function gets an environment for each
#   call, and is billed for its calls.
# - The names of services change (Cloud Run functions, App Runner), and the borders blur. The three questions stay: which layers are
#   mine, what is added under load, and what runs when nobody calls?
#
# **Next:** enough of comparing. In notebook 09 you write a function that posts to Slack.
