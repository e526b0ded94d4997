# %% [markdown]
# # 08 XaaS compared
#
# After this notebook you will be able to
#
# - say what IaaS, CaaS, PaaS and FaaS leave to you, layer by layer;
# - name the services of AWS, Google Cloud and Azure on each level, in 2019 and today;
# - measure what the same task needs from you on a server, and as a function;
# - place a system on a level, and give the reason.
#
# It takes about 25 minutes.
# Slides: "Comparison with XaaS" (XaaSとの比較, page 13) and "Services that correspond to XaaS" (XaaSに対応するサービス, page 14),
# in the part "Know Lambda".

# %% notes [markdown]
# Minutes: 1
#
# Say: Four words with "as a service", and a picture that everybody has seen. Ask which of them they use today; write
# the names of the services on the board.

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

# %%
from helpers import connect, deploy, reports
from helpers.plots import BLUE, LIGHT_GREY, ORANGE

workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution

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
# The slide's picture is from [serverless.zone](https://serverless.zone/abstracting-the-back-end-with-faas-e5e80e837362). Here it is
# data: for each level, how many of the layers, from the top, are yours.

# %% notes [markdown]
# Minutes: 3
#
# Say: Read the picture from the bottom: what is nobody's worry any more? Then from the top: what always stays? Your
# code, on every level.
#
# Goes wrong: A discussion about ECS begins, and it is a good one: with machines of your own below it, the operating
# system is yours again. The second picture shows it.

# %%
layers = ["function", "application", "runtime", "container image"]
layers += ["operating system", "virtualisation", "hardware"]
yours = {"IaaS": 5, "CaaS": 4, "PaaS": 2, "FaaS": 1}

# %%
table = pd.DataFrame("provider", index=layers, columns=list(yours))
for level, number in yours.items():
    table.loc[layers[:number], level] = "you"
table

# %% [markdown]
# The folded cell defines the drawing.


# %% draw-layers folded
from matplotlib.colors import ListedColormap


def draw_layers(table):
    rows, columns = table.shape
    mine = (table == "you").to_numpy()
    figure, ax = plt.subplots(figsize=(2.2 + 2 * columns, 4.6))
    colours = ListedColormap([LIGHT_GREY, ORANGE])
    ax.pcolormesh(mine, cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=5)
    for (row, column), is_mine in np.ndenumerate(mine):
        style = {"ha": "center", "va": "center"}
        style["weight"] = "bold" if is_mine else "normal"
        ax.text(column + 0.5, row + 0.5, table.iloc[row, column], **style)
    ax.set_xticks(np.arange(columns) + 0.5, table.columns, size="large", weight="bold")
    ax.set_yticks(np.arange(rows) + 0.5, table.index, size="medium")
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    counted = (table == "you").sum().items()
    counts = ", ".join(f"{level} {number}" for level, number in counted)
    ax.set_title(f"Of {rows} layers, these many are yours: {counts}", pad=12)


# %%
draw_layers(table)

# %% [markdown]
# Three of the layers:
#
# - **Application** is what runs all day around your functions: the loop that waits for requests, and the decision how many
#   copies of it run. With FaaS both are the provider's.
# - **Runtime** is Python, Node.js or Java. On PaaS and FaaS you choose the version, and the provider keeps it patched.
# - **Container image** means the system libraries beside your program. A machine without containers has them too.
#
# When more work comes, this is added: on IaaS a machine, on CaaS a container, on PaaS a copy of the
# application, on FaaS an environment for each call that finds none free.
#
# The picture follows the table, so you can change it. Is the operating system below a container really the
# provider's? On AWS Fargate it is. But ECS and EKS can also run on EC2 instances of your own, and then it is yours
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
# The slide has AWS and Google Cloud in 2019. We add Azure, and the present.
#
# | | AWS 2019 | AWS today | Google Cloud 2019 | Google Cloud today | Azure today |
# |---|---|---|---|---|---|
# | IaaS | EC2 | EC2 | GCE | Compute Engine | Virtual Machines |
# | CaaS | ECS, EKS | ECS, EKS; Fargate; ECS Express Mode [1] | GKE | GKE, Autopilot [2]; Cloud Run [3] | AKS; Container Apps [4] |
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
# 4. The same on Azure: [Azure Container Apps](https://learn.microsoft.com/azure/container-apps/overview).
# 5. [Elastic Beanstalk's platforms](https://docs.aws.amazon.com/elasticbeanstalk/latest/platforms/welcome.html): an operating
#    system, a runtime and a web server. AWS publishes new versions of them, and installs them where *managed platform updates* are on, as they usually are.
# 6. Since {{app_runner_closed}} App Runner takes no new customers; AWS recommends ECS Express Mode instead:
#    [App Runner availability change]({{app_runner_closed.source}}).
# 7. Google renamed Cloud Functions in August 2024
#    ([a note by Okta](https://help.okta.com/en/prod/Content/Topics/Workflows/connector-reference/googlecloudfunctions/googlecloudfunctions.htm)),
#    and such a function is [deployed as a service on Cloud Run](https://docs.cloud.google.com/run/docs/functions/comparison).
#
# *Kubernetes* is a program that runs containers on many machines; EKS, GKE and AKS are Kubernetes as a service.
#
# Services come, get new names, and close. The four levels have stayed: learn those, and look up the names.
#
# ## The borders are not sharp today
#
# - A Lambda function can be a **container image** of up to {{image}}. Then you keep the image with its runtime patched: FaaS, with the
#   layers of CaaS.
# - **Fargate** runs containers without a machine that you see. **Cloud Run** and **Container Apps** also end the copies
#   when nobody calls ([instances of Cloud Run](https://docs.cloud.google.com/run/docs/about-instance-autoscaling)): CaaS
#   that scales like FaaS.
# - **Lambda Managed Instances** (since {{managed_instances}}) run functions on EC2 instances in your account, also with a GPU. AWS manages
#   them, three to begin with. One environment serves several calls at a time. There are no cold starts, because the instances run even
#   when nobody calls ([how they scale](https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-scaling.html), read in November 2026).
#   FaaS by its layers, IaaS by what runs all the time.
# - **Lambda Web Functions** run a web server in Node.js as it is: it listens on a port, gets an HTTPS address, serves up to {{web_function_concurrency}} requests in one
#   environment, and ends when nobody calls ([AWS's guide]({{web_functions.source}}), read on {{web_functions.checked}}). PaaS by its program, FaaS by how it scales.
# - **Lambda MicroVMs** give you the machines below Lambda. You make one from your image, suspend it with all that is in its memory, and
#   resume it. It lives for up to {{microvm.hours}} ([AWS's guide]({{microvm.source}}), read on {{microvm.checked}}). IaaS that starts like FaaS.
#
# These notebooks teach Lambda *Event* Functions. The embedded AWS has none of the last three.
#
# So do not ask which of the four names a service has. Ask three questions: which layers are mine? What is added when more work comes, and
# who decides it? What runs, and costs money, when nobody calls?
#
# ## Measured: the same task on a server and as a function
#
# The task waits for 0.2 seconds, as for a database. We put it on both ends of the picture, and ten callers
# come at once.
#
# One end should be an EC2 instance. In the embedded AWS an instance is an entry in a list, with no machine behind it. So we use a
# process on this machine: you start it by hand, it listens on a port, and it runs until you end it.

# %% notes [markdown]
# Minutes: 1
#
# Say: Look for the services on the board. Names change, one is closed already; the levels are the same.
#
# Skip: The table and the sources. They are to be looked up.

# %% notes [markdown]
# Minutes: 2
#
# Say: Do not ask which of the four names something has. Ask the three questions at the end of this section, and write
# them on the board: you use them in exercise 2.
#
# Skip: The list; keep the three questions.

# %% notes [markdown]
# Minutes: 7
#
# Say: The server has one place on purpose. Somebody will say that this is not fair: right, so set `places = 10`
# together, and it is as quick as the function. The point is who chooses that number, and when. Then ask what the
# process does while we talk.
#
# Goes wrong: They think that servers are slow. They are not: this one has one place because we said so.
#
# Answer 08.a: Two seconds: ten times 0.2 s, one after the other, as there is one place.
#
# Answer 08.b: It runs on, until somebody ends it. On EC2 it would cost all this time.
#
# Skip: The waves side by side; take the picture from the solution.

# %% task
task = """
import time

def handler(event, context):
    time.sleep(0.2)
    return "done"
"""

# %% [markdown]
# Around the task it needs all this code. `places` is how many requests it handles at a time. For each request it prints when it
# came, began and ended: its access log.

# %% web
web_source = r"""
import json, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

places = threading.Semaphore(int(sys.argv[1]))
class Web(BaseHTTPRequestHandler):
    def do_GET(self):
        came = time.time()
        with places:
            began = time.time()
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + handler({}, None).encode())
            times = {"came": came, "began": began, "ended": time.time()}
        print(json.dumps(times) + "\n", end="", flush=True)  # in one piece
"""

# %% server
server_source = f"""{web_source}
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
command = [sys.executable, "-c", task + server_source, str(places)]
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
server = subprocess.Popen(command, **pipes, text=True)
port = int(server.stdout.readline())


# %%
def call_server(_):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    return connection.getresponse().read()


# %%
with ThreadPoolExecutor(10) as threads:
    list(threads.map(call_server, range(10)))
lines = [server.stdout.readline() for _ in range(10)]
access_log = pd.DataFrame([json.loads(line) for line in lines])
(access_log - access_log["came"].min()).round(2)

# %%
all_ten = access_log["ended"].max() - access_log["came"].min()
predicted("08.a", f"{all_ten:.1f} s")
predicted("08.b", "it runs on" if server.poll() is None else "it ends")
claim("ten calls one after another take 2 s", places > 1 or 2 <= all_ten < 3)
claim("the server runs on", server.poll() is None)

# %% [markdown]
# The access log, in seconds since the first call: all *came* at about the same time, and each *began* when the one
# before had *ended*.
#
# Now the same task as a function. (The tag lets the embedded AWS end an idle environment after two seconds; we come back to it.)

# %%
name = workshop.name("xaas-task")
arn = deploy(workshop, name, {"app.py": task}, MemorySize=256)["FunctionArn"]
_ = lambda_client.tag_resource(Resource=arn, Tags={"localaws:idle-seconds": "2"})

# %% [markdown]
# A change of its configuration, so that the first calls find no environment:

# %%
changed = {"Variables": {"ROUND": str(time.time())}}
lambda_client.update_function_configuration(FunctionName=name, Environment=changed)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)

# %% [markdown]
# Ten calls, and ten more right after:


# %%
def call_function(_):
    return lambda_client.invoke(FunctionName=name)


# %%
began = datetime.now(UTC)
for _ in range(2):
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(call_function, range(10)))
calls = reports(logs, name, at_least=20, since=began)

# %%
kind = calls["init_ms"].notna().map({True: "cold", False: "warm"}).rename("medians")
calls.groupby(kind)[["init_ms", "duration_ms", "billed_ms"]].median().round(1)

# %% [markdown]
# (On an AWS account with a limit of ten concurrent executions some calls may be throttled and tried again.)
#
# The folded cells draw server and function side by side. The server's bars are from its access log, the function's from the REPORT
# lines. REPORT does not say when a call came. For a cold call we take the moment when its init began: it came then at the latest.

# %% waves folded
start = calls["start"].map(datetime.timestamp)
function = pd.DataFrame({"came": start - calls["init_ms"].fillna(0) / 1000})
function["began"] = start
function["ended"] = start + calls["duration_ms"] / 1000
label = f"server, {places} place" + "s" * (places > 1)
waves = {label: access_log}
waves |= {"function, first ten": function[:10], "function, next ten": function[10:]}
took = pd.Series(
    {label: wave["ended"].max() - wave["came"].min() for label, wave in waves.items()}
)

# %% draw-waves folded
figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharex=True, sharey=True)
for ax, (title, wave) in zip(axes, waves.items(), strict=True):
    wave = (wave - wave["came"].min()).sort_values("ended")
    row, came, began = range(1, len(wave) + 1), wave["came"], wave["began"]
    ax.barh(row, began - came, left=came, color=ORANGE, hatch="//", label="waits")
    ax.barh(row, wave["ended"] - began, left=began, color=BLUE, label="works")
    ax.set_title(f"{title}: {took[title]:.1f} s")
    ax.set_xlabel("seconds after the first call came")
axes[0].set_xlim(0)
axes[0].set_ylabel("call")
axes[0].invert_yaxis()
axes[0].legend()
ends = [f"{took[title]:.1f} s ({title})" for title in (took.idxmax(), took.idxmin())]
_ = figure.suptitle(f"Ten calls at once take {' or '.join(ends)}", x=0.01, ha="left")
half = took[label] / 2
claim("the function handles the calls at once", places > 1 or took.iloc[2] < half)

# %% [markdown]
# Is the server slow? No: set `places = 10`, run the cells again, and it handles all ten at once. A good server handles
# thousands of such waits. The question is *who chooses*, and when. You set `places`, choose a machine that is large enough, and must
# notice before your callers do that these places are too few. The function has no such number.
#
# And what does it cost when nobody calls? The operating system knows how long the process has run and how much
# memory it holds; the access log, how long it worked. REPORT says what the function is billed for.

# %%
process = psutil.Process(server.pid)
up, memory_mb = time.time() - process.create_time(), process.memory_info().rss / 1e6
worked = (access_log["ended"] - access_log["began"]).sum()
billed = calls["billed_ms"].sum() / 1000
print(f"server: up for {up:.1f} s, {worked:.1f} s of it work; holds {memory_mb:.0f} MB")
print(f"function: billed for {billed:.1f} s, no matter how long ago")

# %% [markdown]
# Run that cell again in a minute: the server's first figure has grown, the function's has not. EC2 bills the first, Lambda the second
# ([notebook 05](05-lambda-or-ec2.ipynb) finds where one gets cheaper than the other).
#
# And the function's environments? We wait until they have been idle for five seconds, and call once.

# %%
rested_until = calls["start"].max().timestamp() + 5
time.sleep(max(0, rested_until - time.time()))  # the rest itself is the experiment
asked = datetime.now(UTC)
lambda_client.invoke(FunctionName=name)
is_cold = reports(logs, name, since=asked)["init_ms"].notna().all()
print("needed a new environment:", is_cold)
claim("a new environment is needed after the rest", is_cold or not workshop.is_embedded)

# %% [markdown]
# It needs a new one: nothing of the function was left. (On AWS you cannot set the time. There the environments stay for minutes
# or longer, frozen and without cost to you, and the answer is probably `False`.)
#
# The server is still there, until you end it. (The exit code -15 says that signal 15 ended it, which `terminate` sends.)

# %%
server.terminate()
print("ended, with exit code", server.wait(timeout=10))

# %%
lines = sum(map(bool, server_source.splitlines()))
compared = {"server": [lines, 4, "yes"], "function": [0, 1, "no"]}
what = ["lines of code around the task", "steps of yours", "runs when nobody calls"]
pd.DataFrame(compared, index=what)

# %% [markdown]
# The four steps: choose the places, start the server, find its port, end it. The function has one: deploy it.
#
# A real server needs more: a machine to rent, its updates, a restart after a crash, a second
# machine for the day on which the first one breaks. And the function has its own limits: it runs for {{timeout.minutes}} at most, keeps no
# caller's connection open after its answer, and starts cold.
#
# ## Exercise 1: whose turn is it?
#
# Six things happen at night. On which of the four levels must **you** act? In `you_act`, give each incident a list
# of levels, an empty one where it is the provider's turn on all of them. For CaaS take the picture's Fargate.
#
# - *disk*: a disk breaks in the data centre.
# - *kernel*: the kernel of the operating system needs a security update.
# - *library*: OpenSSL, the system library that your program uses for encryption, has a security hole.
# - *patch*: your version of Python gets a security patch (say, 3.13.7 becomes 3.13.8).
# - *end of support*: your version of Python gets no more patches. You need 3.14 instead of 3.13.
# - *bug*: your shop computes a discount wrongly.
#
# `hint("08.1")` in a cell of its own helps.

# %% notes [markdown]
# Minutes: 4
#
# Say: It is three in the morning, and something happens. Who gets up? In pairs, one minute for each incident, then
# compare.
#
# Goes wrong: *patch* and *end of support* are taken for the same. Within a version the provider patches, on PaaS and
# FaaS; a move to the next version is your work everywhere. Or the answer says where the *provider* acts: the check
# sees that.

# %% whose-turn
incidents = ["disk", "kernel", "library", "patch", "end of support", "bug"]
you_act = dict.fromkeys(incidents)
# solution: Give each its levels, as in you_act["disk"] = ["IaaS", "FaaS"].
you_act["disk"] = []
you_act["kernel"] = ["IaaS"]
you_act["library"] = ["IaaS", "CaaS"]
you_act["patch"] = ["IaaS", "CaaS"]
you_act["end of support"] = ["IaaS", "CaaS", "PaaS", "FaaS"]
you_act["bug"] = ["IaaS", "CaaS", "PaaS", "FaaS"]

# %%
# check
check("08.1", you_act)

nights = pd.DataFrame("-", index=incidents, columns=list(yours))
for incident, levels in you_act.items():
    nights.loc[incident, list(levels)] = "you"
nights

# %% [markdown]
# ## Exercise 2: where would you put it?
#
# Choose a level for each of eight systems, in `choices`. Of the levels that fit, take the one that leaves you the fewest layers.
# Where good engineers disagree the check takes either answer. For a wrong one it gives the reason.
#
# - *driver*: an old accounting program. It needs one version of Windows, and its licence check is a driver in the kernel.
# - *report*: every night at three, a report is made from a table and mailed. It takes 20 seconds.
# - *chat*: a chat server keeps 5,000 connections open for hours (WebSockets). In its memory it has who is in which room.
# - *training*: a model is trained for ten hours on a GPU.
# - *thumbnails*: users upload photos: none for an hour, then 200 in a minute. Each thumbnail takes a second.
# - *shop*: a shop in PHP, with a common framework and one database; busy all day. Two developers, no administrator.
# - *videos*: one run of three hours converts the day's videos, with a program that needs a large disk.
# - *fleet*: twelve services run on Kubernetes in your own rooms. Their images and settings should move as they are.

# %% notes [markdown]
# Minutes: 5
#
# Say: Eight cards, eight groups, one minute for each group to defend its card. Good engineers disagree on four of
# them, and the check knows it.
#
# Goes wrong: *chat* goes to FaaS because it is modern: a function is frozen after each event and keeps no connection.
# *shop* goes to IaaS, though there is nobody to patch it. *training* goes to FaaS: it takes ten hours.
#
# Skip: Discuss four cards in place of eight; `solution("08.2", use=True)` puts in the whole answer.

# %% where-to-put-it
cards = ["driver", "report", "chat", "training", "thumbnails", "shop"]
cards += ["videos", "fleet"]
choices = dict.fromkeys(cards)
# solution: Choose a level for each, as in choices["driver"] = "PaaS".
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

placed = pd.DataFrame({"level": choices})
placed["layers of yours"] = placed["level"].map(yours)
in_all, at_most = placed["layers of yours"].sum(), len(cards) * yours["IaaS"]
print(f"You look after {in_all} layers; with IaaS for all it would be {at_most}.")
placed.sort_values("layers of yours")

# %% [markdown]
# ## What you have learned
#
# - IaaS, CaaS, PaaS and FaaS differ in how many layers are yours: all down to the operating system, or one.
# - The provider patches your runtime on PaaS and FaaS. A move to its next version is your work on every level.
# - A server has a number of places that you choose, and it runs while nobody calls. A function gets an environment for each
#   call that finds none free, and is billed for its calls.
# - Names of services change (Cloud Run functions, App Runner), and the borders are not sharp. The three questions stay: which layers are
#   mine, what is added under load, and what runs when nobody calls?
#
# **Next:** enough of comparing. In notebook [09](09-slack.ipynb) you write a function that posts to Slack.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask for the three questions again.
