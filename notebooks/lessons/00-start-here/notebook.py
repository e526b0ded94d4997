# %% [markdown]
# # 00 Start here
#
# This is a workshop on **AWS Lambda**, in notebooks. You deploy real functions, send them events, and look at what
# happened. It follows, section by section, the slides of a study session on Lambda of 2019 (in Japanese), and says what has
# changed since. You need neither an AWS account nor Docker: an *embedded AWS* runs on
# this machine, and the same notebooks run on AWS itself by one setting.
#
# After this notebook you will
#
# - know your way around the workshop, and how to choose the AWS that it runs on;
# - have seen that everything works;
# - know what is real in the embedded AWS, and what is not.
#
# It takes about 10 minutes.
#
# **New to notebooks?** The grey boxes are *cells*. Click into one and press Shift+Enter: it runs, and its result appears
# below. Run the cells from top to bottom. You can change a cell and run it again, as often as you like.

# %% [markdown]
# ## The map

# %%
from helpers import choose, draw_map, hint, reset, solution, start_at

ax = draw_map()

# %% [markdown]
# Each notebook says at its top what you will be able to do, how long it takes, and which slides it belongs to. On the
# way it asks you to **predict** what a cell will show. A small box keeps your prediction, and shows it again beside what
# was measured: comparing the two is where the learning is. (Where no box appears, write it into the call, as in
# `predict("02.a", 12)`.)
#
# Most notebooks have **exercises**. A check looks at what you have written or deployed, and says what to look at if it is
# not right yet. `hint("01.1")` gives a hint, a further one each time, and `solution("01.1")` shows an answer. What you have
# solved gets a tick in the map. All notebooks are in the folder `solutions` too, solved and executed, so that you can
# read them without running anything.
#
# In a hurry? Take 01, 04 and 09. At the end of the way, 18 has a quiz, and removes all that you have made. To begin anywhere else, `start_at("16")` makes what the notebooks before 16 would have made,
# and `reset("09")` puts a lab back to its start.

# %% [markdown]
# ## Which AWS?
#
# `connect()` finds the AWS that you chose, and starts the embedded one if it is not running. Everything that you make will
# have a name that begins with yours: your login name, or what `WORKSHOP_LEARNER` says.

# %%
import json
import platform

import pandas as pd
from helpers import connect, deploy, load_event, reports

workshop = connect()
workshop

# %% [markdown]
# To use **AWS itself**, with the credentials and the region of your own configuration, run `choose("aws")` in a cell (or
# set `WORKSHOP_TARGET=aws` before you start JupyterLab) and restart the kernels of open notebooks. Before anything is made
# there, you are shown the account and an estimate of the costs, and asked. `choose("embedded")` goes back. If you run
# another emulator, set `AWS_ENDPOINT_URL` to its address.

# %% [markdown]
# ## Does everything work?
#
# A function in each language that this machine can run. A language that is missing says so; the workshop goes on
# in the others.

# %%
lambda_client = workshop.client("lambda")
languages = {"python": "python3.13", "node": "nodejs24.x", "ruby": "ruby3.4"}
answers = {}
for language, runtime in languages.items():
    name = workshop.name(f"first-{language}")
    deploy(workshop, name, f"hello/{language}", Runtime=runtime)
    response = lambda_client.invoke(
        FunctionName=name, Payload=json.dumps(load_event("hello"))
    )
    answer = json.loads(response["Payload"].read())
    answers[language] = answer.get("message") or answer["errorMessage"]
print(f"This machine's Python is {platform.python_version()}.")
pd.Series(answers, name="answer")

# %% [markdown]
# And what Lambda recorded of the Python function, read back from CloudWatch, which is where AWS keeps logs and metrics. Times
# are in milliseconds; notebooks 01 and 04 explain the columns.

# %%
logs = workshop.client("logs")
reports(logs, workshop.name("first-python"))[
    ["start", "init_ms", "duration_ms", "billed_ms", "status"]
].tail(3)

# %% [markdown]
# If you see a greeting in at least one language, and a row in this table, you are ready.

# %% [markdown]
# ## What is real, and what is not
#
# On the embedded AWS:
#
# | | |
# |---|---|
# | **real** | Each function runs in processes of its own, which are started when an event comes (a *cold* start), reused for the next one (*warm*), frozen in between and ended when idle. Init, duration and memory are measured on them. Errors, timeouts and crashes happen, and are reported in AWS's words. Your calls are boto3 calls to an HTTP API. The addresses of function URLs and HTTP APIs work, in a browser too. The database of notebook 07 is a PostgreSQL. |
# | **imitated** | S3, SQS, DynamoDB, EventBridge, IAM, CloudWatch, EC2 and Lambda's own API come from [MiniStack](https://github.com/ministackorg/ministack). They behave like AWS in what these notebooks use, and not in every corner: filter patterns of CloudWatch Logs, for example, know words only. Permissions are stored but not enforced. An EC2 instance is an entry in a list: no machine runs. The share of CPU that a memory size gets is imitated as well: a function that has computed for longer than its share is stopped for moments, so that at 128 MB it takes about 14 times as long as at {{vcpu_memory}}, and one that waits is not slowed. |
# | **not AWS's** | The network; the MicroVM around each environment; the processor; therefore every millisecond. The runtimes are those of this machine, whatever the runtime's name says: see `INIT_START` in a log. Code lies in a folder of this machine instead of `/var/task`. Under Linux each environment has a `/tmp` of its own, of the size that `EphemeralStorage` says, and code is read-only, as on AWS; under macOS, and in containers that forbid it, functions share this machine's `/tmp` and can write to their code (`python3 -m helpers doctor` says which it is). |
# | **quicker** | What takes AWS minutes takes seconds here. An asynchronous event that fails is tried again after one second and two more, where AWS waits as many minutes. Metrics and alarms follow within two seconds; on AWS they lag by minutes. |
# | **missing** | SnapStart, provisioned concurrency, Managed Instances, durable functions and tenant isolation (asking for them is an error), container images, response streaming, X-Ray traces. |
#
# Where a figure is from this machine, the notebooks say so, and put figures from AWS beside it where there are any.
#
# The embedded AWS forgets everything when it is stopped. Your notebooks stay.

# %% [markdown]
# ## How to go on
#
# - Open **01 What is Lambda?** from the list on the left.
# - Stuck? Look into `solutions`, or restart the kernel and run the notebook from the top: every notebook can be run again.
#   If the embedded AWS was stopped in between, it has forgotten what you made, and that is the way, too.
# - To remove all that the notebooks made, in the embedded AWS or in your account: `python3 -m helpers clean` in a
#   terminal (in JupyterLab: *File → New → Terminal*). It removes nothing that the workshop did not make, and shows that nothing is left.
# - To look at the embedded AWS with other tools: `eval "$(python3 -m helpers env)"`, then for example `aws s3 ls`, if you
#   have the AWS CLI.
#
# ## What you have learned
#
# - The notebooks follow the slides; each one asks, measures and closes with what was learned.
# - You are connected to an AWS, and a function has answered you.
# - Processes, init, logs and errors are real here; the network, the MicroVM and the milliseconds are not AWS's.
