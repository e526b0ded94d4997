# %% [markdown]
# # 06 Limits
#
# After this notebook you will be able to
#
# - recognise each of Lambda's limits by its error, in an answer or in a log;
# - say which limits you set yourself, and which are the same for everybody;
# - write a function that stops in time and hands on what is left to do;
# - predict how often a failing event is run, and catch it when Lambda gives up;
# - choose what to use instead when a job does not fit.
#
# It takes about 30 minutes.
# Slides: "Caveats of Lambda, part 3: memory, time and size limits", in the part "Know Lambda".
#
# The slide names four limits. Here are the ones that people meet, as they were in 2019 and as they are now:
#
# | limit | 2019 | now | whose choice? |
# |---|---|---|---|
# | time of one invocation | **{{timeout.slides}}** | {{timeout}}, since {{timeout.since}}; {{timeout_default}} if you say nothing | yours: `Timeout` |
# | memory | **{{memory_max.slides}}** | {{memory_min.value}} to {{memory_max}}, since {{memory_max.since}} | yours: `MemorySize` |
# | package in the request, zipped | **{{zip.slides}}** | {{zip}}; larger ones through S3 | AWS's |
# | package and layers, unzipped | **{{unzipped.slides}}** | {{unzipped}}; container images {{image}}, since {{image.since}} | AWS's |
# | layers | {{layers}} | {{layers}} | AWS's |
# | environment variables | {{environment_variables}} | {{environment_variables}}, all together | AWS's |
# | event and answer of a synchronous call | {{payload}} each | {{payload}} each | AWS's |
# | event of an asynchronous call | {{payload_asynchronous.was}} | {{payload_asynchronous}}, since {{payload_asynchronous.since}} | AWS's |
# | `/tmp` | {{tmp_max.was}} | {{tmp.value}} to {{tmp_max}}, since {{tmp_max.since}} | yours: `EphemeralStorage` |
# | open files; processes and threads | {{open_files}} each | {{open_files}} each | AWS's |
#
# The numbers in bold are on the slide. Source of today's: [Lambda quotas]({{zip.source}}) in the AWS Lambda Developer Guide, checked on
# {{zip.checked}}; of the time, [AWS's API]({{timeout.source}}): {{timeout.lag}}.
# (Functions on *Lambda Managed Instances*, EC2 machines of your account that Lambda runs, have other limits: up to {{timeout_managed_instances}} for events that nobody
# waits for, and {{memory_managed_instances}}.)
#
# We walk into each limit and read what Lambda says.

# %%
import base64
import inspect
import io
import json
import random
import time
import uuid
import zipfile
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from botocore.exceptions import ClientError, ConnectionClosedError
from helpers import connect, deploy, fact, reports, track
from helpers.plots import BLUE, ORANGE, RED
from IPython.display import Markdown, display

# %%
workshop = connect()
lambda_client = workshop.client("lambda")
logs = workshop.client("logs")
s3 = workshop.client("s3")
sqs = workshop.client("sqs")
MB = 1024 * 1024
workshop

# %%
from helpers import check, hint, predict, predicted, solution

# %% [markdown]
# Two small helpers. `invoke` returns the function's answer and the end of its log. `ask` makes any call of boto3 and
# says what AWS answered.


# %%
def invoke(name, event):
    response = lambda_client.invoke(
        FunctionName=name, Payload=json.dumps(event), LogType="Tail"
    )
    return json.loads(response["Payload"].read()), base64.b64decode(
        response["LogResult"]
    ).decode()


def ask(operation, **parameters):
    try:
        operation(**parameters)
    except ClientError as error:
        return (
            f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        )
    except ConnectionClosedError:
        return "AWS closed the connection in the middle of the upload"
    return "accepted"


# %% [markdown]
# ## Time
#
# This function works for as many seconds as the event says, and prints how much time Lambda leaves it. The
# `context` counts down for you: `get_remaining_time_in_millis()`.
#
# **Predict:** we deploy it without a word about `Timeout` and ask for five seconds. How many lines will it print?

# %%
predict("06.a")

# %% [markdown]
# **Predict:** will the `except` catch anything?

# %%
predict("06.b", choices=["yes", "no"])


# %%
def handler(event, context):
    import time

    try:
        for _ in range(event["seconds"]):
            print(context.get_remaining_time_in_millis(), "ms left")
            time.sleep(1)
    except BaseException as error:
        print("caught", error)
    return "done"


# %%
slow = workshop.name("slow")
deploy(workshop, slow, {"app.py": inspect.getsource(handler)})
payload, log = invoke(slow, {"seconds": 5})
print(log)
payload

# %%
predicted("06.a", f"{log.count('ms left')} lines")
predicted("06.b", "yes" if "caught" in log else "no")

# %% [markdown]
# Lambda stopped it after three seconds, the default. Nothing was caught: no exception is raised in your code, no `except`
# and no `finally` runs, the process is killed in the middle of its work. The answer says `Sandbox.Timedout`, and the
# REPORT says `Status: timeout`. You pay for all of the three seconds, and have nothing for them.
#
# The most is {{timeout}}. Can we have a second more?

# %%
ask(
    lambda_client.update_function_configuration,
    FunctionName=slow,
    Timeout=fact("timeout") + 1,
)

# %% [markdown]
# No. {{timeout}} are the end; in 2019 it was {{timeout.slides}}. And a limit that is *yours* should not be set to the maximum out of
# habit: a function that hangs, say on a server that does not answer, is paid for until its limit.
#
# ## Memory
#
# The next function takes as many MB as the event says. We try four amounts at three sizes of `MemorySize`, and read from
# CloudWatch what REPORT says of each: `Max Memory Used`, and its status.
#
# **Predict:** how much of 128 MB is left for your data?

# %%
predict("06.c")


# %%
def handler(event, context):
    data = b"x" * (event["mb"] * 1024 * 1024)
    return len(data)


# %%
hungry, amounts = workshop.name("hungry"), [25, 75, 150, 300]
frames = []
for memory_mb in track([128, 256, 512], "memory sizes"):
    deploy(
        workshop,
        hungry,
        {"app.py": inspect.getsource(handler)},
        MemorySize=memory_mb,
        Timeout=30,
    )
    began = datetime.now(UTC)
    answers = [invoke(hungry, {"mb": mb}) for mb in amounts]
    frame = reports(logs, hungry, at_least=len(amounts), since=began)
    frames.append(
        frame.assign(data_mb=amounts, answer=[payload for payload, _ in answers])
    )
memory = pd.concat(frames, ignore_index=True)
memory[["memory_mb", "data_mb", "max_memory_mb", "status", "error_type"]]

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 4.2), sharey=True)
killed = memory[memory["status"] != "success"]
for ax, (size, group) in zip(axes, memory.groupby("memory_mb"), strict=True):
    ax.axhline(size, color="0.4", linestyle="--", label="MemorySize")
    for rows, label, colour, marker in [
        (group[group["status"] == "success"], "answered", BLUE, "o"),
        (group[group["status"] != "success"], "killed", RED, "X"),
    ]:
        ax.scatter(
            rows["data_mb"],
            rows["max_memory_mb"],
            s=130,
            color=colour,
            marker=marker,
            label=label,
            zorder=3,
        )
    ax.set_title(f"MemorySize={size}")
    ax.set_xlabel("data of the handler, MB")
axes[0].set_ylim(0, 560)
axes[0].set_ylabel("Max Memory Used, MB")
axes[0].legend(loc="center left", bbox_to_anchor=(0, 0.6))
title = f"{len(killed)} of {len(memory)} calls wanted more memory than there was, and were killed"
_ = figure.suptitle(title, x=0.01, ha="left")

# %%
answered = memory[memory["status"] == "success"]
python_mb = (answered["max_memory_mb"] - answered["data_mb"]).median()
predicted("06.c", f"about {128 - python_mb:.0f} MB")

# %% [markdown]
# `Max Memory Used` is the data and what Python itself takes. Where it would cross the dashed line, the process is
# killed. (On AWS the runtime itself takes some MB more. And `Max Memory Used` is the most that this *environment* has ever
# used, so we asked for ever more, not less.)
#
# What does the caller get?

# %%
first = killed.iloc[0]
print("REPORT says:", first["error_type"])
first["answer"]

# %% [markdown]
# `signal: killed` does not contain the word memory. When you see it, compare `Max Memory Used` with `Memory Size`: when
# they are equal, that was it. The way out is often one number, as `MemorySize` goes up to {{memory_max}} now, not {{memory_max.slides}}.
# (Whether it goes that far for you is another matter: a new AWS account starts with less, and Lambda's answer then names the
# smaller number.)

# %%
ask(
    lambda_client.update_function_configuration,
    FunctionName=hungry,
    MemorySize=fact("memory_max") + 1,
)

# %% [markdown]
# ## The package
#
# ### {{zip}} in the request
#
# We make a zip of 51 MB: our small handler, and noise, which does not get smaller when it is zipped. (`package()` of this
# workshop would refuse to make it; so here is a zip by Python's own `zipfile`.) On AWS, this cell and the next one upload
# 51 MB each, which may take some minutes.


# %%
def zip_of(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


hello_source = "def handler(event, context):\n    return 'hello'\n"
heavy = workshop.name("heavy")
deploy(workshop, heavy, {"app.py": hello_source}, Timeout=30)
large_zip = zip_of(
    {"app.py": hello_source, "noise.bin": random.Random(6).randbytes(51 * MB)}
)
ask(lambda_client.update_function_code, FunctionName=heavy, ZipFile=large_zip)

# %% [markdown]
# The number in the answer is larger than {{zip}}, as boto3 sends the zip as base64, which is longer by a third. (AWS may
# also close the connection while you are still sending. It means the same.) The way out: put the zip into S3, and tell Lambda where it is. (A bucket's name is unique in the whole world; yours begins
# with your name.)

# %%
bucket = workshop.name("limits")
options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}
try:
    s3.create_bucket(Bucket=bucket, **options)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")

# %%
s3.put_object(Bucket=bucket, Key="large.zip", Body=large_zip)
lambda_client.update_function_code(
    FunctionName=heavy, S3Bucket=bucket, S3Key="large.zip"
)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=heavy)
size = lambda_client.get_function_configuration(FunctionName=heavy)["CodeSize"]
payload, log = invoke(heavy, {})
print(f"{size / MB:.1f} MB, and it answers {payload!r}")

# %% [markdown]
# (Lambda copies the zip. Since {{code_by_reference}} it can also use the object where it is: [`S3ObjectStorageMode="REFERENCE"`]({{code_by_reference.source}}).)
#
# ### {{unzipped}} unzipped
#
# S3 does not help against the other limit. Zeros compress well, so we can meet it with a small upload.
#
# **Predict:** will Lambda take this zip?

# %%
predict("06.d", choices=["yes", "no"])

# %%
zeros_zip = zip_of({"app.py": hello_source, "zeros.bin": bytes(251 * MB)})
print(f"{len(zeros_zip) / MB:.1f} MB zipped")
said = ask(lambda_client.update_function_code, FunctionName=heavy, ZipFile=zeros_zip)
said

# %%
predicted("06.d", "yes" if said == "accepted" else "no")

# %% [markdown]
# 262,144,000 bytes are {{unzipped}}, and they hold for your code and all its layers together. A **layer** is a package that several
# functions share; a function can have {{layers}}. The way out is a container image of up to {{image}} (the embedded AWS does not run
# those), or a smaller package: leave out tests, documentation, and boto3, which is there already.
#
# ### Layers and environment variables
#
# Six small layers, and {{environment_variables}} of variables (4,096 letters, plus the name and some quotes). Both are refused.

# %%
layers = []
for number in range(6):
    content = {"ZipFile": zip_of({f"python/part_{number}.py": f"NUMBER = {number}\n"})}
    layer = lambda_client.publish_layer_version(
        LayerName=workshop.name(f"part-{number}"), Content=content
    )
    layers.append(layer["LayerVersionArn"])
print(
    ask(lambda_client.update_function_configuration, FunctionName=heavy, Layers=layers)
)

variables = {"SETTINGS": "x" * 4096}
print(
    ask(
        lambda_client.update_function_configuration,
        FunctionName=heavy,
        Environment={"Variables": variables},
    )
)

# %% [markdown]
# What is large belongs elsewhere: settings into AWS AppConfig or the Parameter Store, secrets into Secrets Manager, anything
# else into S3. Read it in the init phase, once for each environment.
#
# ## Events and answers
#
# An event and an answer may have {{payload}} each when you wait for the answer. When you do not wait
# (`InvocationType="Event"`, an *asynchronous* call), the event may have {{payload_asynchronous}}, because Lambda keeps it in a queue of its own. The
# function below answers with as many bytes as the event asks for, and the length of the event.


# %%
def handler(event, context):
    return {"received": len(event["text"]), "answer": "x" * event["answer_bytes"]}


# %%
echo = workshop.name("echo")
deploy(
    workshop, echo, {"app.py": inspect.getsource(handler)}, MemorySize=512, Timeout=30
)
large_event = json.dumps({"text": "x" * 6 * MB, "answer_bytes": 0})
medium_event = json.dumps({"text": "x" * MB, "answer_bytes": 0})
print(ask(lambda_client.invoke, FunctionName=echo, Payload=large_event))
print(
    ask(
        lambda_client.invoke,
        FunctionName=echo,
        Payload=medium_event,
        InvocationType="Event",
    )
)
print(ask(lambda_client.invoke, FunctionName=echo, Payload=medium_event))

# %% [markdown]
# Those are errors of the *call*: the function has not run. A large *answer* is different: it has run, it has cost money,
# and its answer is thrown away.

# %%
payload, log = invoke(echo, {"text": "", "answer_bytes": 7 * MB})
print(log[log.index("REPORT") :])
payload

# %% [markdown]
# (On AWS some of these sentences may be worded a little differently; go by the error's name.)
#
# The way out is the same in both directions: **the data goes to S3, and the event carries its address.** That is why an event
# from S3 holds a bucket and a key, and never the file. The function below counts the lines of an object of 20 MB. Its
# event has some fifty bytes. (We deploy the source of a function alone, so `import boto3` and the client are inside it. In
# a file of your own they belong above it, into init.)


# %%
def handler(event, context):
    import boto3

    body = boto3.client("s3").get_object(Bucket=event["bucket"], Key=event["key"])[
        "Body"
    ]
    return {"lines": sum(1 for line in body.iter_lines(chunk_size=1024 * 1024))}


# %%
counter = workshop.name("line-counter")
role = workshop.role("AmazonS3FullAccess")
deploy(
    workshop,
    counter,
    {"app.py": inspect.getsource(handler)},
    Role=role,
    MemorySize=1769,
    Timeout=60,
)
s3.put_object(Bucket=bucket, Key="lines.txt", Body=b"a line of text ....\n" * MB)
payload, log = invoke(counter, {"bucket": bucket, "key": "lines.txt"})
payload

# %% [markdown]
# (The role may do anything in S3: short to write, and too much for a real function, which should have the one bucket and the
# one action that it needs. On AWS a new role takes some seconds to arrive everywhere: should the answer say `AccessDenied`, run
# the cell again.)
#
# An answer has one more way: *response streaming* sends up to {{streamed}} piece by piece, through a
# function URL, for example. Node.js can do it out of the box, Python needs a runtime of your own. The embedded AWS does
# not stream.
#
# ## /tmp
#
# A function can write files, in `/tmp` alone. Each environment has its own, which stays from one invocation to the
# next and is gone with the environment. This function writes a file in pieces, and says how far it came.
#
# **Predict:** how much of 520 MB will it write into a `/tmp` of 512 MB?

# %%
predict("06.e")


# %%
def handler(event, context):
    import os

    path, piece, written = "/tmp/limits-notebook.bin", b"x" * (8 * 1024 * 1024), 0
    try:
        with open(path, "wb") as file:
            while written < event["mb"]:
                file.write(piece)
                file.flush()
                written += 8
    except OSError as error:
        return {"written_mb": written, "error": f"{type(error).__name__}: {error}"}
    finally:
        os.remove(path)
    return {"written_mb": written, "error": None}


# %%
writer = workshop.name("writer")
tmp_source, written = inspect.getsource(handler), {}
for size_mb in (512, 1024):
    deploy(
        workshop,
        writer,
        {"app.py": tmp_source},
        EphemeralStorage={"Size": size_mb},
        MemorySize=1769,
        Timeout=60,
    )
    payload, log = invoke(writer, {"mb": 520})
    written[size_mb] = payload["written_mb"]
    print(f"/tmp of {size_mb} MB: {payload}")

# %%
predicted("06.e", f"{written[512]} MB")

# %% [markdown]
# `No space left on device` is the operating system's own word, since `/tmp` is a file system of that size; 1,024 MB are
# enough. What is above {{tmp}} costs extra. (When *both* lines say 520 MB, this machine does not let the
# embedded AWS give each environment a `/tmp` of its own: functions then share the machine's, without a limit.)
#
# ## It failed. And then?
#
# The slide adds: "there are retries, but …". Who retries?
#
# - A **synchronous** call is not tried again by Lambda. The caller has the error and decides. (boto3 tries again where the
#   *call* failed, for example when it was throttled; it does not when the function did.)
# - An **asynchronous** call is answered with 202 before the function runs. If the function fails, nobody is waiting, so
#   Lambda runs it again: by default twice, after one minute and after two more. On the embedded AWS each of
#   these minutes is a second.
#
# S3, EventBridge, SNS and others call functions asynchronously. (A queue of SQS has rules of its own: notebook 07.)
#
# Our function takes money, writes a line about it, and then something goes wrong. When Lambda gives up, we want to know:
# the `OnFailure` destination is a queue that gets the event.


# %%
def handler(event, context):
    print("charged", event["amount"], "for order", event["order"])
    raise ConnectionError("the mail server does not answer")


# %%
cashier, queue_name = workshop.name("cashier"), workshop.name("given-up")
role = workshop.role("AmazonSQSFullAccess")
deploy(workshop, cashier, {"app.py": inspect.getsource(handler)}, Role=role)
queue_url = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])[
    "Attributes"
]["QueueArn"]


# %%
def set_retries(number):
    """Say how often Lambda tries again, and who gets the event in the end."""
    for _ in range(12):  # a new role's rights reach Lambda some seconds late, on AWS
        said = ask(
            lambda_client.put_function_event_invoke_config,
            FunctionName=cashier,
            MaximumRetryAttempts=number,
            MaximumEventAgeInSeconds=3600,
            DestinationConfig={"OnFailure": {"Destination": queue_arn}},
        )
        if "does not have permissions" not in said:
            return said
        time.sleep(5)
    return said


set_retries(2)

# %% [markdown]
# **Predict:** we send one event. How many lines with "charged" will there be?

# %%
predict("06.f")

# %% [markdown]
# The cell after the next one sends it, and waits until the queue has it: a few seconds here, more than three minutes on
# AWS.


# %%
def send(event):
    """Invoke asynchronously and wait for the destination; return the request id and what the queue got."""
    response = lambda_client.invoke(
        FunctionName=cashier, InvocationType="Event", Payload=json.dumps(event)
    )
    request_id = response["ResponseMetadata"]["RequestId"]
    status = display(Markdown("no run yet"), display_id=True)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        messages = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1).get(
            "Messages", []
        )
        runs = (reports(logs, cashier, at_least=0)["request_id"] == request_id).sum()
        status.update(
            Markdown(
                f"status of the call {response['StatusCode']}; runs so far: {runs}"
            )
        )
        for message in messages:
            sqs.delete_message(
                QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"]
            )
            record = json.loads(message["Body"])
            if record["requestPayload"] == event:
                return request_id, record
    raise TimeoutError(
        "The queue did not get the event within ten minutes; run this cell again."
    )


# %%
began, order = datetime.now(UTC), str(uuid.uuid4())
retried_id, record = send({"order": order, "amount": "10 USD"})
attempts = reports(logs, cashier, at_least=3, since=began)
attempts[["request_id", "start", "duration_ms", "status"]]

# %%
pages = logs.get_paginator("filter_log_events").paginate(
    logGroupName=f"/aws/lambda/{cashier}"
)
lines = [event for page in pages for event in page["events"]]
charged = [
    line["message"]
    for line in lines
    if line["message"].startswith("charged") and order in line["message"]
]
print("".join(charged))

# %%
predicted("06.f", f"{len(charged)} lines")

# %% [markdown]
# One event, one request id, and the money was taken **three times**. The `status` is `success` all the while: for the
# platform an exception is an orderly end. So mind the metric `Errors`, not the status in REPORT.
#
# What the queue got tells the whole story: why Lambda gave up, the event, and the error.

# %%
{key: record[key] for key in ("requestContext", "requestPayload", "responsePayload")}

# %% [markdown]
# `MaximumRetryAttempts` can be 0, 1 or 2.
#
# **Predict:** how many runs with 0?

# %%
predict("06.g")

# %%
set_retries(0)
began = datetime.now(UTC)
single_id, record = send({"order": str(uuid.uuid4()), "amount": "10 USD"})
single = reports(logs, cashier, since=began)
record["requestContext"]

# %%
predicted("06.g", f"REPORT lines: {len(single)}")

# %% [markdown]
# The event went to the queue after a single run. (An event that waits longer than `MaximumEventAgeInSeconds`, which is
# six hours by default, is discarded too.)
#
# Without retries nothing is done twice for this reason, but any short trouble loses an event. And AWS says that
# even an event that did *not* fail may be delivered more than once. So a function has to bear it: the second run of
# the same event should do no harm. That is called **idempotent**. Notebook 15 comes back to it.
#
# ## What to use instead
#
# | it is… | then |
# |---|---|
# | too long for {{timeout}} | split it and hand on what is left (exercise 1); AWS Step Functions for a chain of steps; Lambda's [durable functions]({{durable_functions.source}}) (notebook 15) for a wait of up to a year, each invocation still within {{timeout}}; AWS Fargate (containers without machines of your own), AWS Batch or EC2 for one long computation |
# | too large for memory | read in pieces; `MemorySize` up to {{memory_max}}; Fargate, Batch or EC2 beyond |
# | too large a package | layers do not help ({{unzipped}} together); a container image, up to {{image}} |
# | too large an event or answer | S3 and its address (exercise 2); response streaming for answers |
# | too many files for `/tmp`, or files to share | S3, or a file system: Amazon EFS, or since {{s3_files}} a bucket mounted as one, [S3 Files]({{s3_files.source}}); the embedded AWS mounts neither |
# | a state to keep between calls | DynamoDB, S3 or a cache; never `/tmp` or a global variable alone |
# | a machine, a GPU, a device | EC2, or a container service; for a GPU also Managed Instances |
#
# "Do not put work on Lambda that has to mind its time", says the slide. A good rule of thumb: when a job usually takes more
# than a few minutes, or you do not know how long it takes, look at this table first.
#
# ## Exercise 1: stop in time
#
# `work` takes its time for one item. Write the handler `stop_in_time`: work through `event["items"]` in their order and stop **before** the
# time runs out. Return `{"done": [...], "left": [...]}`. The event says how long an item takes, `event["seconds_each"]`, and
# `context.get_remaining_time_in_millis()` how much is left. Start an item only if it will be finished, with half a
# second to spare for the answer.
#
# Put your code in place of the line that begins with `raise`, run the cell, and then the cell after it, which deploys and
# checks your function. `hint("06.1")` in a cell of its own helps.


# %% worker
def work(item, seconds):
    time.sleep(seconds)
    print("worked on", item)


def stop_in_time(event, context):
    done, left = [], list(event["items"])
    # solution: While something is left and there is time for it, work on the first item and move it to done.
    needed_ms = 1000 * (event["seconds_each"] + 0.5)
    while left and context.get_remaining_time_in_millis() > needed_ms:
        work(left[0], event["seconds_each"])
        done.append(left.pop(0))
    return {"done": done, "left": left}


# %%
# check
worker = workshop.name("worker")
source = "\n\n".join(["import time", *map(inspect.getsource, [work, stop_in_time])])
options = {"Handler": "app.stop_in_time", "Timeout": 3}
deploy(workshop, worker, {"app.py": source}, **options)
check("06.1")

left, invocations = list(range(12)), 0
while left:
    answer, log = invoke(worker, {"items": left, "seconds_each": 0.5})
    left, invocations = answer["left"], invocations + 1
    print(f"invocation {invocations}: done {answer['done']}, left {left}")
assert invocations > 1, "twelve items of half a second do not fit into three seconds"

# %% [markdown]
# Six seconds of work, in a function that may run for three. Here the notebook hands on what is left. In earnest a Step Functions
# workflow does, or a queue. (A function that sends itself its work looks like a mistake: Lambda stops such a loop after
# about 16 rounds, unless you allow it with `put_function_recursion_config`.)
#
# ## Exercise 2: an answer of any size
#
# The handler `make_table` below makes the text of a table. As an answer it would be fine for ten rows, and too large for a million. So
# put the text into S3, at `event["bucket"]` and `event["key"]`, and return `{"bucket": ..., "key": ...}`, however small
# the table is.


# %% table-maker
def make_table(event, context):
    import boto3

    text = "".join(f"{n},{n * n}\n" for n in range(event["rows"]))
    # solution: Put the text into S3 with put_object, and return bucket and key.
    boto3.client("s3").put_object(
        Bucket=event["bucket"], Key=event["key"], Body=text.encode()
    )
    return {"bucket": event["bucket"], "key": event["key"]}


# %%
# check
table_maker = workshop.name("table-maker")
source, role = inspect.getsource(make_table), workshop.role("AmazonS3FullAccess")
options = {"Handler": "app.make_table", "MemorySize": 1769, "Timeout": 60}
deploy(workshop, table_maker, {"app.py": source}, Role=role, **options)
check("06.2")

answer, log = invoke(
    table_maker, {"rows": 500_000, "bucket": bucket, "key": "squares.csv"}
)
size = s3.head_object(Bucket=answer["bucket"], Key=answer["key"])["ContentLength"]
print(
    f"The answer is {len(json.dumps(answer))} bytes long, and the table {size / MB:.1f} MB."
)

# %% [markdown]
# ## Exercise 3: when was it run?
#
# Write `run_times`: given log events as `filter_log_events` returns them (a list of dicts with `"message"` and `"timestamp"`, in
# milliseconds) and a request id, it returns when this request was run, in **seconds after its first run**. For an event
# that was run three times on AWS that would be about `[0.0, 60.0, 180.0]`. A run begins with a line
# `START RequestId: <request id> Version: $LATEST`. The log events may come in any order, and other requests are among them.


# %% run-times
def run_times(log_events, request_id):
    # solution: Keep the timestamps of the START lines of this request, sort them, and subtract the first.
    start = f"START RequestId: {request_id}"
    times = sorted(
        event["timestamp"] for event in log_events if event["message"].startswith(start)
    )
    return [(each - times[0]) / 1000 for each in times]


# %%
# check
check("06.3", run_times)

rows = {
    "measured": run_times(lines, retried_id),
    "AWS's documentation": [0.0, 60.0, 180.0],
}
figure, axes = plt.subplots(2, 1, figsize=(10, 3.6))
for ax, (label, times), colour, marker in zip(
    axes, rows.items(), [BLUE, ORANGE], "oD", strict=True
):
    ax.scatter(times, np.zeros(len(times)), s=140, color=colour, marker=marker)
    ax.set_yticks([0], [label])
    ax.grid(axis="x")
    ax.spines[["top", "right", "left"]].set_visible(False)
axes[1].set_xlabel("seconds after the first run")
pauses = " and ".join(f"{pause:.1f}" for pause in np.diff(rows["measured"]))
title = f"One failing event was run {len(rows['measured'])} times, with pauses of {pauses} s (AWS: 60 and 120 s)"
_ = figure.suptitle(title, x=0.01, ha="left")

# %% [markdown]
# ## What you have learned
#
# - Time and memory are limits that you set, up to {{timeout}} and {{memory_max}}. Beyond them the process is killed: `Sandbox.Timedout`,
#   or `signal: killed`; no code of yours runs any more, so look at the remaining time yourself.
# - The sizes are AWS's: {{zip}} in the request, {{unzipped}} unzipped, {{environment_variables}} of variables, {{payload}} each way, {{payload_asynchronous}} asynchronous. Larger data
#   goes to S3, and its address into the event; a larger package becomes a container image.
# - A failing asynchronous event is run three times, under one request id, and then goes to the destination that you
#   chose. Functions have to be idempotent.
# - A job that has to mind its time belongs somewhere else: Step Functions, Fargate, Batch, EC2.
#
# **Next:** notebook 07, *Databases*: a limit that is not Lambda's own.
