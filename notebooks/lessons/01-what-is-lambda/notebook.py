# %% [markdown]
# # 01 What is Lambda?
#
# After this notebook you will be able to
#
# - say what FaaS means, and what Lambda takes off your hands;
# - make a function on Lambda with plain boto3, step by step;
# - send it an event, read its answer, and find what it printed in CloudWatch;
# - tell an error of your function from an error of the call.
#
# It takes about 25 minutes.
# Slides: from the title to "Features of Lambda, part 1: serverless", in the part "Know Lambda".

# %% [markdown]
# ## Connect
#
# `connect()` finds the AWS that you chose in notebook 00: by default the embedded AWS, which runs on this machine
# and costs nothing. boto3 is AWS's library for Python, and `workshop.client("lambda")` is an ordinary boto3 client: in a script of
# your own you would write `boto3.client("lambda")`. Everything that you make gets a name that begins with your login name.

# %%
import base64
import inspect
import json

import pandas as pd
from helpers import connect, deploy, load_event, package, reports

workshop = connect()
lambda_client = workshop.client("lambda")
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# ## Event in, answer out
#
# FaaS is short for **Function as a Service**. You write one function; the provider runs it whenever an event comes.
# An event can be a request from a browser, a file that was put into storage, a message in a queue, or a time of day.
#
# In Python such a function takes two arguments, and AWS calls it the *handler*:
#
# - `event`: what happened, as a dict (or any other JSON value);
# - `context`: facts about this invocation, such as its id and the time that is left.
#
# (What these notebooks call a function of Lambda, AWS calls a **Lambda Event Function** today, to tell it from its younger relatives in notebook 08. The
# API still says "function" ([AWS's API]({{event_functions.source}}), read on {{event_functions.checked}}).)
#
# It is a function like any other. Before it goes anywhere, call it here.


# %%
def handler(event, context):
    print("received", event)
    return {"message": f"Hello, {event['name']}!"}


source = inspect.getsource(handler)  # its text, which becomes a file later
handler({"name": "Ada"}, None)

# %% [markdown]
# ## Make it a Lambda function
#
# Lambda needs four things: a **role** that says what the function may do, a **package** with the code, a **name**, and
# the **runtime** that knows the language. We take them in turn.
#
# ### The role
#
# A function acts with the rights of a role. Roles belong to IAM, the part of AWS that says who may do what. The trust policy says *who* may take the role: the Lambda service.
# The permissions say *what* it may do then: AWS has a ready-made policy that lets it write its log and nothing else.
#
# The cell can be run again: when the role is there already, AWS answers `EntityAlreadyExists`, and we look it up.

# %%
trust_policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
iam = workshop.client("iam")
role_name = workshop.name("hello-role")
try:
    role = iam.create_role(
        RoleName=role_name, AssumeRolePolicyDocument=json.dumps(trust_policy)
    )["Role"]
except iam.exceptions.EntityAlreadyExistsException:
    role = iam.get_role(RoleName=role_name)["Role"]
role["RoleName"]

# %%
iam.attach_role_policy(
    RoleName=role_name,
    PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
)
[
    policy["PolicyName"]
    for policy in iam.list_attached_role_policies(RoleName=role_name)[
        "AttachedPolicies"
    ]
]

# %% [markdown]
# ### The package
#
# Lambda takes the code as a zip file. `package` makes one in memory. Our file is called `app.py`, and its text is the
# function that you called above.

# %%
archive = package({"app.py": source})
print(source)
print(f"{len(archive)} bytes, zipped")

# %% [markdown]
# ### The function
#
# Now `create_function` puts it together. `Handler="app.handler"` means: in the file `app.py`, call `handler`. A function
# may use 128 MB of memory and three seconds unless we say otherwise.
#
# Should the function be there already, AWS answers `ResourceConflictException`, and the same package goes in with
# `update_function_code`. (On AWS a new role takes some seconds until Lambda may use it. If the cell says that the role
# *cannot be assumed*, wait a moment and run it again. Later notebooks wait for you.)

# %%
name = workshop.name("hello")
try:
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Arn"],
        Handler="app.handler",
        Code={"ZipFile": archive},
    )
except lambda_client.exceptions.ResourceConflictException:
    lambda_client.update_function_code(FunctionName=name, ZipFile=archive)

# %% [markdown]
# Making a function takes a moment. Until then its state is `Pending`. boto3 has *waiters* that ask again until a
# condition holds.

# %%
lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)
configuration = lambda_client.get_function_configuration(FunctionName=name)
{
    key: configuration[key]
    for key in ("State", "Runtime", "Handler", "MemorySize", "Timeout", "CodeSize")
}

# %% [markdown]
# From now on `deploy(workshop, name, code)` does these steps for us: create or update, then wait. Its keyword
# arguments are AWS's own: `Timeout=`, `MemorySize=`, `Environment=`.
#
# ## Send it an event
#
# This is the event.

# %%
event = load_event("hello")
event

# %% [markdown]
# **Predict:** what will the function answer?

# %%
predict("01.a")

# %% [markdown]
# **Predict:** where will the text go that it prints?

# %%
predict("01.b", choices=["into the answer", "into a log", "nowhere"])

# %%
response = lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
answer = json.loads(response["Payload"].read())
response["StatusCode"], answer

# %%
predicted("01.a", answer["message"])

# %% [markdown]
# `200` is the status of the *call*, and the payload is what the function returned, as JSON. The printed text is not
# here: there is no terminal. We will find it in the log.

# %% [markdown]
# ## Read its log
#
# CloudWatch is where AWS keeps logs and metrics. Whatever a function prints goes to **CloudWatch Logs**, into the log group
# `/aws/lambda/<name>`. Look for the line that our `print` wrote, and for the lines that Lambda wrote around it.
#
# On AWS the log lags some seconds behind. `reports` waits until the invocation's last line is there; the rest is plain boto3.

# %%
logs = workshop.client("logs")
reports(logs, name)
log_group = f"/aws/lambda/{name}"
pages = logs.get_paginator("filter_log_events").paginate(logGroupName=log_group)
lines = [event["message"] for page in pages for event in page["events"]]
print("".join(lines[-5:]))

# %%
logged = any(line.startswith("received") for line in lines)
predicted("01.b", "into a log" if logged else "nowhere")

# %% [markdown]
# - `INIT_START`: a new *execution environment* was started for the function. Not every invocation has this line:
#   notebook 04 is about it. (It names the Python that runs. The embedded AWS runs this machine's, whatever `Runtime` says.)
# - `START` and `END` frame one invocation, named by its **request id**.
# - `REPORT` is what the invocation cost: how long it ran, how long you pay for, and how much memory it had and used.
#
# (In AWS's console, *Live Tail* shows a log while it grows, and *Logs Insights* searches many at once. A function with `LoggingConfig={"LogFormat": "JSON"}` writes its
# lines as JSON, which is easier to search.)
#
# The last line again, field by field. Lambda separates the fields with tabs. (`pd` is pandas, Python's library for tables: a `Series` is one
# column with a label for each row, and a `DataFrame` a table of such columns.)

# %%
report = [line for line in lines if line.startswith("REPORT")][-1]
pd.Series(
    dict(field.split(": ") for field in report.strip().split("\t")), name="REPORT"
)

# %% [markdown]
# Each execution environment writes a **log stream** of its own. The name of the stream starts with the day.

# %%
streams = logs.describe_log_streams(logGroupName=log_group)["logStreams"]
[stream["logStreamName"] for stream in streams]

# %% [markdown]
# Change the event and invoke again, as often as you like: edit the text in the box and press the button. Then run the cells
# above once more: there are new lines in the log.

# %%
from ipywidgets import Textarea, interact_manual


def invoke(event):
    try:
        response = lambda_client.invoke(FunctionName=name, Payload=event)
        print(response["Payload"].read().decode())
    except lambda_client.exceptions.InvalidRequestContentException:
        print('This is not JSON: use double quotes, as in {"name": "you"}.')


box = Textarea(json.dumps({"name": "you"}), description="event")
_ = interact_manual.options(manual_name="Invoke")(invoke, event=box)

# %% [markdown]
# ## Look around inside
#
# The next function answers what it finds: facts from `context`, and the variables of its environment.


# %%
def handler(event, context):
    import os

    facts = {
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id,
        "remaining_ms": context.get_remaining_time_in_millis(),
    }
    return {"context": facts, "environment": dict(os.environ)}


# %%
inside = workshop.name("inside")
deploy(
    workshop,
    inside,
    {"app.py": inspect.getsource(handler)},
    Timeout=5,
    Environment={"Variables": {"GREETING": "Hello"}},
)
found = json.loads(lambda_client.invoke(FunctionName=inside)["Payload"].read())
found["context"]

# %% [markdown]
# `remaining_ms` starts at five seconds, the `Timeout` that we set, and counts down. A function that needs longer is stopped.
#
# Among its environment variables is yours, `GREETING`, surely.
#
# **Predict:** does the function also see those of this machine, such as `HOME` or `USER`?

# %%
predict("01.c", choices=["yes", "no"])

# %%
variables = found["environment"]
print("HOME" in variables, "USER" in variables)
shown = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "GREETING",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
]
{key: variables[key] for key in shown}

# %%
predicted("01.c", "yes" if {"HOME", "USER"} & set(variables) else "no")

# %% [markdown]
# A function lives in a small world of its own. It sees what Lambda documents and what you configured, and nothing of
# the machine below. (`LAMBDA_TASK_ROOT`, where the code lies, is `/var/task` on AWS; the embedded AWS uses a folder of this
# machine.) That is why it can run on any of thousands of machines, and why settings such as addresses and
# names belong in environment variables.
#
# On the embedded AWS there is one more, `AWS_ENDPOINT_URL`, so that boto3 *inside* the function talks to the embedded
# AWS too.
#
# ## When something goes wrong
#
# Our first function expects a `name`. Send it an event without one.
#
# **Predict:** will `invoke` raise an exception here in the notebook?

# %%
predict("01.d", choices=["yes", "no"])

# %%
response = lambda_client.invoke(FunctionName=name, Payload=json.dumps({}))
print(response["StatusCode"], response.get("FunctionError"))
json.loads(response["Payload"].read())

# %%
predicted("01.d", "no" if "FunctionError" in response else "yes")

# %% [markdown]
# The call worked, so its status is 200. It was the *function* that failed: `FunctionError` is set, and the payload
# says which exception was raised, and where. (Python's `KeyError` names the key that is missing.) So always look at
# `FunctionError`. When a function fails, its log says more. `LogType="Tail"` brings the end of it along with the answer:
# the quickest way to see what went wrong.

# %%
response = lambda_client.invoke(
    FunctionName=name, Payload=json.dumps({}), LogType="Tail"
)
print(base64.b64decode(response["LogResult"]).decode())

# %% [markdown]
# An error of the *call* looks different: here boto3 raises.

# %%
try:
    lambda_client.invoke(FunctionName=workshop.name("no-such-function"))
except lambda_client.exceptions.ResourceNotFoundException as error:
    print(type(error).__name__)

# %% [markdown]
# ## Serverless
#
# Think of what you did *not* do. You rented no machine, installed no operating system, opened no port, and nothing is
# running at this moment: between two events there is nothing to pay and nothing to patch.
#
# | On a server of your own | With Lambda |
# |---|---|
# | choose, rent and start a machine | nothing |
# | install and update the operating system | AWS does |
# | install and update the language runtime | AWS does, within the version you chose |
# | keep the process alive, restart it | AWS does, per event |
# | add machines under load | AWS does |
# | user accounts, SSH keys, open ports | a role: what the function may do |
# | the code | **you** |
#
# "Serverless" does not mean that there are no servers. It means that they are not your work.
#
# ## Exercise 1: a function that greets in three languages
#
# Finish `greet`. The event holds a `name` and may hold a `language`: `"en"`, `"fr"` or `"ja"`. Without one, greet in
# English. (A handler may have any name: `Handler="app.greet"` tells Lambda which function of which file to call.) For `{"name": "Ada", "language": "fr"}` the answer is `{"message": "Bonjour, Ada!"}`.
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which deploys and
# checks your function. When you are stuck, `hint("01.1")` in a cell of its own gives a hint, a further one each time, and
# `solution("01.1")` shows an answer.


# %% greeter
def greet(event, context):
    greetings = {"en": "Hello", "fr": "Bonjour", "ja": "Konnichiwa"}
    # solution: Look up the greeting for the event's language and return {"message": ...}.
    greeting = greetings[event.get("language", "en")]
    return {"message": f"{greeting}, {event['name']}!"}


# %%
# check
greeter = workshop.name("greeter")
deploy(workshop, greeter, {"app.py": inspect.getsource(greet)}, Handler="app.greet")
check("01.1")

payload = lambda_client.invoke(
    FunctionName=greeter, Payload='{"name": "Ada", "language": "fr"}'
)["Payload"]
assert json.loads(payload.read()) == {"message": "Bonjour, Ada!"}

# %% [markdown]
# ## Exercise 2: find your invocation in the log
#
# Every answer of boto3 carries the request id in `ResponseMetadata`. Write `report_of`: given the name of a function and
# a request id, it returns the REPORT line of that invocation. Ask CloudWatch for the function's log events as above,
# and pick the one line. The check invokes a function and asks yours for the line.


# %% report-of
def report_of(function_name, request_id):
    log_group = f"/aws/lambda/{function_name}"
    # solution: Return the message that starts with REPORT and holds the request id.
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=log_group)
    messages = [event["message"] for page in pages for event in page["events"]]
    return next(
        text for text in messages if text.startswith("REPORT") and request_id in text
    )


# %%
# check
check("01.2", report_of)

request_id = reports(logs, name)["request_id"].iloc[-1]
assert report_of(name, request_id).startswith(f"REPORT RequestId: {request_id}")

# %% [markdown]
# ## What you have learned
#
# - FaaS: you bring one function, the provider runs it for each event.
# - A Lambda function is a role, a package, a name and a runtime; `create_function`, then wait until it is active.
# - `invoke` sends an event; the answer has a status for the call and `FunctionError` for the function.
# - What it prints, and what it cost, is in CloudWatch Logs under `/aws/lambda/<name>`.
# - Serverless means that the machines, their systems and their upkeep are not your work.
#
# **Next:** notebook 02, *Scaling*, calls a function many times at once. The `Init Duration` of the first REPORT is the subject of
# notebook 04, *Cold start*.
