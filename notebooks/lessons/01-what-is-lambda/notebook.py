# %% [markdown]
# # 01 What is Lambda?
#
# After this notebook you will be able to
#
# - say what FaaS means, and what Lambda does for you;
# - make a function on Lambda with plain boto3, step by step;
# - send it an event, read its answer, and find what it printed in CloudWatch;
# - see the difference between an error of your function and an error of the call.
#
# It takes about 30 minutes. Slides: "Features of Lambda, part 1: serverless" (Lambdaの特徴 その1「サーバーレス」, page 5) and
# the pages before it, in the part "Know Lambda".

# %% notes [markdown]
# Minutes: 1
#
# Say: The slide says "you write only the function". Here you find out what that means: you make one, call it, and
# look for what it has left behind. Ask: what does a function need to run in a place where you have never been?

# %% [markdown]
# ## Connect
#
# `connect()` finds the AWS that you chose in notebook 00: by default the embedded AWS, which runs on this machine
# and costs nothing. boto3 is AWS's library for Python, and `workshop.client("lambda")` is an ordinary boto3 client: in
# your own script you write `boto3.client("lambda")`. The name of everything that you make begins with your login name.

# %% notes [markdown]
# Minutes: 1
#
# Say: This is an ordinary boto3 client with an address of its own. Leave `workshop` away, write
# `boto3.client("lambda")`, and you have the script that you would write at work.
#
# Goes wrong: A cell says that the embedded AWS has stopped. `connect()` starts it again: run the notebook from the
# top.

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
from helpers import check, claim, hint, predict, predicted, solution

# %% [markdown]
# ## Event in, answer out
#
# FaaS is short for **Function as a Service**. You write one function; the provider runs it whenever an event comes.
# An event can be a request from a browser, a new file in a storage, a message in a queue, or a time of day.
#
# In Python such a function takes two arguments, and AWS calls it the *handler*:
#
# - `event`: what happened, as a dict (or any other JSON value);
# - `context`: facts about this invocation, such as its id and the time that is left.
#
# (AWS's pages call such a function a **Lambda Event Function**, to tell it from the newer kinds in notebook 08. Its API
# says "function" ([AWS's API]({{event_functions.source}}), read on {{event_functions.checked}}), and so do these notebooks.)
#
# It is an ordinary function, so first call it here.

# %% notes [markdown]
# Minutes: 2
#
# Say: There is no framework here: no class, no server, no port. It is a function with two arguments. Ask for examples
# of events from their own work, and write them on the board; you will need them again in notebook 10.
#
# Goes wrong: People look for what `context` is for, as the example gives `None`. Tell them that *Look around inside*
# uses it.


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
# the **runtime** that runs your language. We make them one after the other.
#
# ### The role
#
# A function acts with the rights of a role. Roles belong to IAM, the part of AWS that says who may do what. A role has a
# **trust policy**: it says *who* may use the role (AWS says: *assume* it). Here that is the Lambda service.

# %% notes [markdown]
# Minutes: 6
#
# Say: The console makes all of this with one click, and so hides it. There are four things, and most errors of the
# first weeks belong to one of them: the role. Two questions about a role: who may use it, and what may it do? The
# trust policy answers the first, the permissions the second. From here on `deploy` does it in one line, so this is
# the last time that you see it step by step.
#
# Goes wrong: Somebody runs a cell again and fears that they have broken something. The cells expect that:
# `EntityAlreadyExists` and `ResourceConflictException` are caught, and mean "it is there". On AWS, a person without
# the right to make roles gets `AccessDenied` here: then set `WORKSHOP_ROLE`, leave out the two cells, and write
# `workshop.role()`.
#
# Skip: Reading the JSON of the two policies. Run the cells, and name the four things.

# %%
service = {"Service": "lambda.amazonaws.com"}
allow = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
trust_policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})

# %% [markdown]
# You can run this cell again: if the role is there already, AWS answers `EntityAlreadyExists`.

# %%
iam, role_name = workshop.client("iam"), workshop.name("hello-role")
try:
    iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=trust_policy)
except iam.exceptions.EntityAlreadyExistsException:
    print("It is there already.")
role = iam.get_role(RoleName=role_name)["Role"]
role["RoleName"]

# %% [markdown]
# The **permissions** say *what* the role may do. AWS has a ready-made policy (a *managed policy*) that lets a function write its log, and
# nothing else. AWS names everything by an *ARN*; it begins with `arn:` and the partition, which is `aws` in most of the world.
#
# (If you may not create roles on AWS: set `WORKSHOP_ROLE` to one that you may use, leave out these two cells, and write
# `workshop.role()` in place of `role["Arn"]` below.)

# %%
policy = "service-role/AWSLambdaBasicExecutionRole"
policy_arn = f"arn:{workshop.partition}:iam::aws:policy/{policy}"
iam.attach_role_policy(RoleName=role_name, PolicyArn=policy_arn)
attached = iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]
[each["PolicyName"] for each in attached]

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
# Now `create_function` makes the function from these four. `Handler="app.handler"` means: in the file `app.py`, call `handler`. Unless you say
# otherwise, a function may use {{memory_default}} of memory and run for {{timeout_default}}.
#
# If the function is there already, AWS answers `ResourceConflictException`, and we give it the package with
# `update_function_code`. (On AWS, Lambda can use a new role only after some seconds. Our client tries again until it can.)

# %%
name = workshop.name("hello")
options = {"Runtime": "python3.13", "Handler": "app.handler", "Role": role["Arn"]}
code = {"ZipFile": archive}
try:
    lambda_client.create_function(FunctionName=name, Code=code, **options)
except lambda_client.exceptions.ResourceConflictException:
    lambda_client.update_function_code(FunctionName=name, ZipFile=archive)

# %% [markdown]
# Making a function takes a moment. Until it is ready, its state is `Pending`. boto3 has *waiters* that ask again until a
# condition is true.

# %%
lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)
configuration = lambda_client.get_function_configuration(FunctionName=name)
shown = ["State", "Runtime", "Handler", "MemorySize", "Timeout", "CodeSize"]
{key: configuration[key] for key in shown}

# %% [markdown]
# From now on `deploy(workshop, name, code)` does these steps: create or update, then wait. Its keyword
# arguments are AWS's own, such as `Timeout=` and `MemorySize=`.
#
# ## Send it an event
#
# This is the event.

# %% notes [markdown]
# Minutes: 3
#
# Say: Let everybody guess, then count hands for the three choices of the second question before anybody runs the
# cell. Do not say who is right.
#
# Goes wrong: Some write the whole JSON as a guess, some only the text. Both are fine: nobody judges a guess.
#
# Answer 01.a: `Hello, Lambda!`, as the event of this file has the name Lambda. "Hello, Ada!" is what the call in the
# notebook answered.
#
# Answer 01.b: Into a log. The answer holds only what the handler returns; what it prints goes to CloudWatch Logs. A
# cell of *Read its log* shows the line.

# %%
event = load_event("hello")
event

# %% [markdown]
# **Predict:** what will the function answer?

# %%
predict("01.a")

# %% [markdown]
# **Predict:** it also prints a text. Where will that go?

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
# here. It is in the log.
#
# ## Read its log
#
# CloudWatch is where AWS keeps logs and metrics. What a function prints goes to **CloudWatch Logs**, into the log group
# `/aws/lambda/<name>`. Look for the line that our `print` wrote, and for the lines that Lambda wrote around it.
#
# On AWS the log comes some seconds later. `reports` waits until the last line of the invocation is there; the rest is plain boto3.

# %% notes [markdown]
# Minutes: 5
#
# Say: Nobody can log in to the machine that ran this, so the log is all that you will ever see of it. Read the REPORT
# line aloud, field by field: two minutes spent here are saved in notebooks 02 to 05. Ask: which of these numbers do
# you pay for?
#
# Goes wrong: There is no `INIT_START` near the end, because the person has invoked several times: it is further up.
# With the log in JSON, somebody looks for a line that is not there: `ApplicationLogLevel` is INFO, so what is logged
# with `debug` is left out.
#
# Skip: *A log that can be searched*, and the box for an event of one's own. Notebook 03 shows Logs Insights, which is
# the better tool.

# %%
logs = workshop.client("logs")
recorded = reports(logs, name)
log_group = f"/aws/lambda/{name}"
pages = logs.get_paginator("filter_log_events").paginate(logGroupName=log_group)
lines = [event["message"] for page in pages for event in page["events"]]
print("".join(lines[-5:]))

# %%
logged = any(line.startswith("received") for line in lines)
claim("the first invocation of a function is cold", recorded["init_ms"].notna().any())
predicted("01.b", "into a log" if logged else "nowhere")

# %% [markdown]
# - `INIT_START`: a new *execution environment* was started for the function. Not every invocation has this line:
#   notebook 04 is about it. (It names the Python that runs. If this machine lacks the one that
#   `Runtime` says, the embedded AWS takes another one, and the log says so.)
# - `START` and `END` stand around what one invocation logs. Each invocation has an id of its own, the **request id**.
# - `REPORT`, after `END`, is what the invocation cost: how long it ran, how long you pay for, and how much memory it had and used.
#
# (In AWS's console, *Live Tail* shows a log while it grows.)
#
# Here is the last line again, field by field. Lambda separates the fields with tabs. (`pd` is pandas, a Python library for
# tables: a `Series` is one column with a label for each row, and a `DataFrame` is a table of such columns.)

# %%
report = [line for line in lines if line.startswith("REPORT")][-1]
fields = dict(field.split(": ") for field in report.strip().split("\t"))
pd.Series(fields, name="REPORT")

# %% [markdown]
# Each execution environment writes its own **log stream**. The name of the stream starts with the day.

# %%
streams = logs.describe_log_streams(logGroupName=log_group)["logStreams"]
[stream["logStreamName"] for stream in streams]

# %% [markdown]
# ### A log that can be searched
#
# With `LogFormat="JSON"` each line is a JSON object, those of Lambda, too. Python's `logging` writes the level of a line, and
# what you give it as `extra`.


# %%
def order(event, context):
    import logging

    level = logging.ERROR if event["amount"] > 100 else logging.INFO
    logging.log(level, "order", extra={"amount": event["amount"]})


# %%
orders = workshop.name("orders-log")
wanted = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO"}
code = {"app.py": inspect.getsource(order)}
_ = deploy(workshop, orders, code, Handler="app.order", LoggingConfig=wanted)
for amount in (20, 250, 700):
    lambda_client.invoke(FunctionName=orders, Payload=json.dumps({"amount": amount}))

# %% [markdown]
# Now CloudWatch can choose lines by what is in them. A **filter pattern** between braces names fields of the JSON.

# %%
_ = reports(logs, orders, at_least=3)
pattern = '{ $.level = "ERROR" && $.amount > 100 }'
asked = {"logGroupName": f"/aws/lambda/{orders}", "filterPattern": pattern}
pages = logs.get_paginator("filter_log_events").paginate(**asked)
found = [event for page in pages for event in page["events"]]
pd.DataFrame([json.loads(event["message"]) for event in found])

# %% [markdown]
# Change the event and invoke again: edit the text in the box and press the button. Then run the cells
# of *Read its log* once more, and find the new lines in the log.


# %%
def invoke(event):
    try:
        response = lambda_client.invoke(FunctionName=name, Payload=event)
        print(response["Payload"].read().decode())
    except lambda_client.exceptions.InvalidRequestContentException:
        print('This is not JSON: use double quotes, as in {"name": "you"}.')


# %%
from ipywidgets import Textarea, interact_manual

box = Textarea(json.dumps({"name": "you"}), description="event")
_ = interact_manual.options(manual_name="Invoke")(invoke, event=box)

# %% [markdown]
# ## Look around inside
#
# The next function returns what it finds: facts from `context`, and its environment variables.

# %% notes [markdown]
# Minutes: 2
#
# Say: Ask where the database's password comes from, if the function sees nothing of the machine. Environment
# variables are the answer of today; notebook 09 says why a secret needs a better place.
#
# Goes wrong: On a machine where functions are not confined, somebody prints more than the environment, and finds
# files of their own. That is true: the variables are clean there, the disk is not. `python3 -m helpers doctor` says
# which kind of machine it is.
#
# Answer 01.c: No. A function gets the variables that Lambda documents and those that you configure. What the shell of
# this machine has set is not passed on.
#
# Skip: All but the prediction and its answer.


# %%
def look(event, context):
    import os

    name, memory = context.function_name, context.memory_limit_in_mb
    remaining_ms = context.get_remaining_time_in_millis()
    facts = {"name": name, "memory in MB": memory, "remaining_ms": remaining_ms}
    return {"context": facts, "environment": dict(os.environ)}


# %%
inside, code = workshop.name("inside"), {"app.py": inspect.getsource(look)}
options = {"Handler": "app.look", "Timeout": 5}
variables = {"GREETING": "Hello"}
_ = deploy(workshop, inside, code, **options, Environment={"Variables": variables})

# %%
found = json.loads(lambda_client.invoke(FunctionName=inside)["Payload"].read())
remaining_ms = found["context"]["remaining_ms"]
claim("nearly all of the five seconds is left", 4500 < remaining_ms <= 5000)
found["context"]

# %% [markdown]
# `remaining_ms` starts at five seconds, the `Timeout` that we set, and counts down. Lambda stops a function that needs longer.
#
# The function's environment variables include yours, `GREETING`.
#
# **Predict:** does the function also see those of this machine, such as `HOME` or `USER`?

# %%
predict("01.c", choices=["yes", "no"])

# %%
variables = found["environment"]
print("HOME" in variables, "USER" in variables)
shown = ["AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_EXECUTION_ENV", "GREETING"]
{key: variables[key] for key in [*shown, "_HANDLER"]}

# %%
predicted("01.c", "yes" if {"HOME", "USER"} & set(variables) else "no")

# %% [markdown]
# A function sees the variables that Lambda documents and those that you configured, and none of the machine that it
# runs on. So it can run on any of thousands of machines, and settings such as addresses and names belong in environment
# variables.
#
# (On the embedded AWS there is one more, `AWS_ENDPOINT_URL`, so that boto3 *inside* the function also calls the embedded
# AWS.)
#
# ## When something goes wrong
#
# Our first function expects a `name`. Send it an event without one.
#
# **Predict:** will `invoke` raise an exception here in the notebook?

# %% notes [markdown]
# Minutes: 3
#
# Say: Take a vote, then run it. This is the mistake that costs people a night: the script says 200, so they think
# that all is well. Ask: where would you notice it, if nobody looks at the payload?
#
# Goes wrong: Somebody expects `FunctionError` to hold the message. It holds only one word; type and message are in
# the payload, the trace is there and in the log.
#
# Answer 01.d: No. The call succeeded, so boto3 raises nothing; the failure is a field of the answer. boto3 raises
# only when the call itself fails, as the last cell of this section shows.

# %%
predict("01.d", choices=["yes", "no"])

# %%
response = lambda_client.invoke(FunctionName=name, Payload=json.dumps({}))
print(response["StatusCode"], response.get("FunctionError"))
error = json.loads(response["Payload"].read())
error["errorType"], error["errorMessage"]

# %%
predicted("01.d", "no" if "FunctionError" in response else "yes")

# %% [markdown]
# The call worked, so its status is 200. The *function* failed: `FunctionError` is set, and the payload
# has the exception (Python's `KeyError` names the key that is missing) and a `stackTrace`. So always look at
# `FunctionError`. The log says more: with `LogType="Tail"` you get the end of it with the answer.
# (`/var/task` is where Lambda puts the code. On a machine where functions are not confined, it is another folder.)

# %%
response = lambda_client.invoke(FunctionName=name, Payload="{}", LogType="Tail")
print(base64.b64decode(response["LogResult"]).decode())

# %% [markdown]
# An error of the *call* is different: here boto3 raises an exception.

# %%
try:
    lambda_client.invoke(FunctionName=workshop.name("no-such-function"))
except lambda_client.exceptions.ResourceNotFoundException as error:
    print(type(error).__name__)

# %% [markdown]
# ## Serverless
#
# Think of what you did *not* do. You did not rent a machine, install an operating system or open a port. Now nothing
# runs: between two events there is nothing to pay for and nothing to update.
#
# | On a server of your own | With Lambda |
# |---|---|
# | choose, rent and start a machine | nothing |
# | install and update the operating system | AWS does |
# | install and update the language runtime | AWS does, within the version you chose |
# | keep the process running, restart it | AWS does |
# | add machines under load | AWS does |
# | user accounts, SSH keys, open ports | a role: what the function may do |
# | write the code | **you do** |
#
# (AWS updates a version of a runtime until a day that it publishes: Python 3.13 until {{python3.13}}. After that your function still runs, but with
# no more patches, and soon you cannot update it any more.)
#
# "Serverless" does not mean that there are no servers. It means that AWS looks after them.
#
# ## Exercise 1: a function that greets in three languages
#
# Finish `greet`. The event has a `name`, and sometimes a `language`: `"en"`, `"fr"` or `"ja"`. Without a language, greet in
# English. For `{"name": "Ada", "language": "fr"}` the answer is `{"message": "Bonjour, Ada!"}`. (A handler can have any
# name: `Handler="app.greet"` tells Lambda which function of which file to call.)
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which deploys and
# checks your function. If you need help, `hint("01.1")` in a new cell gives a hint, one more each time, and
# `solution("01.1")` shows an answer.

# %% notes [markdown]
# Minutes: 2
#
# Say: The slide lists what you do not manage. Ask which row of the table costs their team most today. Then ask what
# is new work with Lambda: roles, limits, and a log instead of a login.
#
# Skip: The table, if you go on to notebook 08, which measures it.

# %% notes [markdown]
# Minutes: 4
#
# Say: Four minutes, alone or in pairs. Who is done early changes the event in the check, and tries to break the
# function of a neighbour.
#
# Goes wrong: `KeyError: 'language'`: the sentence of the check says that the event had no language. Ask how a dict is
# asked for a key that may be missing. *Lambda finds no handler app.greet*: they have renamed the function, and
# `Handler` still has the old name. An answer that is a text and not `{"message": …}` is named too. Rarer: a language
# that stays from the last event, because somebody keeps it in a global variable; an environment is used again, which
# is the subject of notebook 04.
#
# Skip: It can be homework: nothing later needs `greet`.


# %% greeter
def greet(event, context):
    greetings = {"en": "Hello", "fr": "Bonjour", "ja": "Konnichiwa"}
    # solution: Look up the greeting of the language, and return {"message": ...}.
    greeting = greetings[event.get("language", "en")]
    return {"message": f"{greeting}, {event['name']}!"}


# %%
# check
greeter = workshop.name("greeter")
deploy(workshop, greeter, {"app.py": inspect.getsource(greet)}, Handler="app.greet")
check("01.1")

event = '{"name": "Ada", "language": "fr"}'
payload = lambda_client.invoke(FunctionName=greeter, Payload=event)["Payload"]
assert json.loads(payload.read()) == {"message": "Bonjour, Ada!"}

# %% [markdown]
# ## Exercise 2: find your invocation in the log
#
# Every answer of boto3 has the request id in `ResponseMetadata`. Write `report_of`: given the name of a function and
# a request id, it returns the REPORT line of that invocation. Ask CloudWatch for the function's log events as above,
# and choose the one line. The check invokes a function and asks yours for the line.

# %% notes [markdown]
# Minutes: 4
#
# Say: This is what you do at three in the morning: a customer has one request id, and the log has a million lines.
# The cell of *Read its log* has nearly all that you need.
#
# Goes wrong: They return the first line with the id, and the check says that it begins with START. Or they return the
# last REPORT of the log, which belongs to another invocation. Or a list of lines, where one text is asked for.
#
# Skip: It can be homework. Say that a filter pattern with the request id lets CloudWatch do the search.


# %% report-of
def report_of(function_name, request_id):
    log_group = f"/aws/lambda/{function_name}"
    # solution: Return the message that starts with REPORT and holds the request id.
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=log_group)
    messages = [event["message"] for page in pages for event in page["events"]]
    found = [text for text in messages if text.startswith("REPORT")]
    return next(text for text in found if request_id in text)


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
# - What it prints, and what it cost, is in CloudWatch Logs under `/aws/lambda/<name>`. A log in JSON is searched by its fields.
# - Serverless means that AWS looks after the machines and their operating systems.
#
# **Next:** notebook [02](02-scaling.ipynb), *Scaling*, calls a function many times at once. Notebook [04](04-cold-start.ipynb), *Cold start*, is
# about the `Init Duration` of the first REPORT.

# %% notes [markdown]
# Minutes: 1
#
# Say: Let three people say one thing each that was not as they had guessed. If nobody says "200", ask again what it
# means.
