# %% [markdown]
# # 06 Limits
#
# After this notebook you will be able to
#
# - recognise each of Lambda's limits by its error, in an answer or in a log;
# - say which limits you set yourself, and which are the same for everybody;
# - write a function that stops in time and hands on what is left to do;
# - predict how often a failing event is run, and catch it when Lambda stops trying;
# - choose what to use instead when a job does not fit.
#
# It takes about 40 minutes.
# Slides: "Caveats of Lambda, part 3: memory, time and size limits" (「Lambdaの注意点 その3 メモリ/実行時間/関数のサイズに制限がある」, page 11), in the part "Know Lambda".
#
# The slide names four limits. Here are the ones that people meet, in 2019 and now:
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
# The numbers in bold are on the slide. Sources: [Lambda quotas]({{zip.source}}) in the AWS Lambda Developer Guide, checked on
# {{zip.checked}}; for the time, [AWS's API]({{timeout.source}}): {{timeout.lag}}.
# (*Lambda Managed Instances*, EC2 instances of your account that run your functions, have other limits: up to {{timeout_managed_instances}} for asynchronous
# and event source invocations, and {{memory_managed_instances}}.)
#
# We go beyond each limit and read what Lambda says.

# %% notes [markdown]
# Minutes: 2
#
# Say: The slide has four numbers; read the table and ask which of them have changed since. More useful is the last
# column: some limits are yours, and a limit of your own is a decision. We go beyond each of them, so that you
# recognise it later.
#
# Goes wrong: People read the whole table. It is for later; show the numbers in bold.

# %%
import base64
import inspect
import json
import time
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
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
s3, sqs = workshop.client("s3"), workshop.client("sqs")
MB = 1024 * 1024
workshop

# %%
from helpers import check, claim, hint, predict, predicted, solution

# %% [markdown]
# Two small helpers. `invoke` returns the function's answer and the end of its log. `ask`, in the folded cell, makes any call of boto3 and
# returns AWS's error, or "accepted".


# %%
def invoke(name, event):
    text = json.dumps(event)
    response = lambda_client.invoke(FunctionName=name, Payload=text, LogType="Tail")
    log = base64.b64decode(response["LogResult"]).decode()
    return json.load(response["Payload"]), log


# %% ask folded
def ask(operation, **parameters):
    try:
        operation(**parameters)
    except ClientError as error:
        told = error.response["Error"]
        return f"{told['Code']}: {told['Message']}"
    except ConnectionClosedError:
        return "AWS closed the connection in the middle of the upload"
    return "accepted"


# %% [markdown]
# ## Time
#
# This function works for as many seconds as the event says, and prints how much time it has left:
# `context.get_remaining_time_in_millis()` counts down.
#
# **Predict:** we deploy it without a `Timeout` and ask for five seconds. How many lines will it print?

# %% notes [markdown]
# Minutes: 4
#
# Say: Two guesses, and the second one is the important one. Then let the log speak. Ask what happens to a file that
# was half written, or to a payment that was half done.
#
# Goes wrong: They count wrongly, because the first line is printed at once. And they ask for the `finally`: it does
# not run either.
#
# Goes wrong: Somebody asks why a long function ran twice at work. boto3 waits one minute for an answer by default,
# and then calls again. That paragraph is worth reading aloud.
#
# Answer 06.a: Three, as the default limit is three seconds: at the beginning, after one second, and after two.
#
# Answer 06.b: No. Lambda kills the process; no exception, no `except`, no `finally`.

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
stopped = "Duration: 3000.00 ms" in log and "caught" not in log
claim("Lambda stops the function after three seconds, and nothing is caught", stopped)

# %% [markdown]
# Lambda stopped it after three seconds, the default. Your code gets no exception, no `except`
# and no `finally` runs: the process is killed in the middle of its work. The answer says `Sandbox.Timedout`, and the
# REPORT says `Status: timeout`. You pay for the three seconds, without a result.
#
# The maximum is {{timeout}}. Can we have a second more?

# %%
update = lambda_client.update_function_configuration
ask(update, FunctionName=slow, Timeout=fact("timeout") + 1)

# %% [markdown]
# No. And do not set a limit that is *yours* to the maximum by default: when a function hangs, for example on a server that does not answer, you pay until
# its limit.
#
# A caller has a limit, too. By itself boto3 waits 60 seconds for an answer; then it takes the call for lost and *makes it again*, and the function runs
# twice. For a function that takes longer, give the client `Config(read_timeout=…, tcp_keepalive=True)`, with more seconds than the function's `Timeout`, or do
# not wait for the answer at all (`InvocationType="Event"`). The clients of this workshop wait long enough.
#
# ## Memory
#
# The next function takes as many MB as the event says. We try four amounts with three values of `MemorySize`, and read
# REPORT from CloudWatch: `Max Memory Used`, and the status.
#
# **Predict:** how much of 128 MB is left for your data?

# %% notes [markdown]
# Minutes: 4
#
# Say: Ask where the memory goes before a line of yours runs. Then look for the row that was killed, and read its
# message: *signal: killed*, and nothing about memory. You will see that at night, once.
#
# Goes wrong: They look for a `MemoryError` of Python. There is none; it is the system that ends the process. On AWS a
# function that lacks only little may end with a timeout.
#
# Answer 06.c: Most of it, but not all: Python itself takes a small part, more than a tenth. On AWS the runtime takes
# somewhat more.

# %%
predict("06.c")


# %%
def handler(event, context):
    data = b"x" * (event["mb"] * 1024 * 1024)
    return len(data)


# %%
hungry, amounts = workshop.name("hungry"), [25, 75, 150, 300]
code = {"app.py": inspect.getsource(handler)}


def try_with(memory_mb):
    deploy(workshop, hungry, code, MemorySize=memory_mb, Timeout=30)
    began = datetime.now(UTC)
    answers = [invoke(hungry, {"mb": mb})[0] for mb in amounts]
    rows = reports(logs, hungry, at_least=len(amounts), since=began)
    return rows.assign(data_mb=amounts, answer=answers)


# %%
tables = [try_with(memory_mb) for memory_mb in track([128, 256, 512], "memory sizes")]
memory = pd.concat(tables, ignore_index=True)
memory[["memory_mb", "data_mb", "max_memory_mb", "status", "error_type"]]

# %% [markdown]
# The folded cell draws it.

# %% draw-memory folded
is_killed = memory["status"] != "success"
answered, killed = memory[~is_killed], memory[is_killed]
python_mb = (answered["max_memory_mb"] - answered["data_mb"]).median()
figure, axes = plt.subplots(1, 3, figsize=(10, 4), sharey=True)
for ax, size in zip(axes, [128, 256, 512], strict=True):
    ax.axhline(size, color="0.4", linestyle="--", label="MemorySize")
    for rows, label, colour, marker in [
        (answered, "answered", BLUE, "o"),
        (killed, "killed", RED, "X"),
    ]:
        rows = rows[rows["memory_mb"] == size]
        style = {"s": 130, "color": colour, "marker": marker, "zorder": 3}
        ax.scatter(rows["data_mb"], rows["max_memory_mb"], label=label, **style)
    ax.set_title(f"MemorySize={size}")
    ax.set_xlabel("data of the handler, MB")
axes[0].set(ylim=(0, 560), ylabel="Max Memory Used, MB")
axes[0].legend(loc="center left", bbox_to_anchor=(0, 0.6))
finding = f"{len(killed)} of {len(memory)} calls were killed: they needed more memory"
_ = figure.suptitle(finding, x=0.01, ha="left")

needs_more = memory["data_mb"] + python_mb > memory["memory_mb"]
claim(
    "calls that need more than MemorySize are killed", (is_killed == needs_more).all()
)
all_used = (killed["max_memory_mb"] == killed["memory_mb"]).all()
claim("a killed call has Max Memory Used equal to Memory Size", all_used)

# %%
predicted("06.c", f"about {128 - python_mb:.0f} MB")

# %% [markdown]
# `Max Memory Used` is the data and what Python itself needs. Where it would cross the dashed line, the process is
# killed. (On AWS the runtime needs some MB more. And `Max Memory Used` is the most that this *execution environment* has ever
# used, so we asked for more each time, not less. On AWS a function that lacks only a little memory may not be killed: it becomes very slow, and ends with
# `Status: timeout`. So look at the memory of a timeout, too.)
#
# What does the caller get?

# %%
first = killed.iloc[0]
print("REPORT says:", first["error_type"])
first["answer"]

# %% [markdown]
# The message says only `signal: killed`. The type names the cause, `Runtime.OutOfMemory` (in some logs it is `Runtime.ExitError`). When you see it, compare
# `Max Memory Used` with `Memory Size`: if they are equal, or a few MB apart, memory was the cause. Often a higher `MemorySize` solves it; the maximum is {{memory_max}} now, not {{memory_max.slides}}.
# (A new AWS account may start with less, and Lambda's answer then names the smaller number.)

# %%
ask(update, FunctionName=hungry, MemorySize=fact("memory_max") + 1)

# %% [markdown]
# ## The package
#
# ### {{zip}} in the request
#
# We make a zip of 51 MB: a small handler, and noise, which does not get smaller in a zip. (The folded cell defines `zip_of`; the workshop's
# `package()` refuses to make a zip of this size.) On AWS, the upload may take some minutes.

# %% notes [markdown]
# Minutes: 5
#
# Say: Two limits, and only one of them has a way round. The upload can go through S3; the unzipped size cannot. Ask
# what makes their packages large.
#
# Goes wrong: On AWS the upload of the noise takes minutes on a slow line: do not run this cell in front of a room.
# People believe that layers give more room; they count into the same sum.
#
# Answer 06.d: No. It is small as a zip, and too large unzipped. S3 would not help.
#
# Skip: *Layers and environment variables*.


# %% zip-of folded
import io
import zipfile


def zip_of(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16  # or the function may not read it
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=1)
    return buffer.getvalue()


# %%
hello = {"app.py": "def handler(event, context):\n    return 'hello'\n"}
heavy = workshop.name("heavy")
deployed = deploy(workshop, heavy, hello, Timeout=30)

# %%
large_zip = zip_of(hello | {"noise.bin": np.random.default_rng(6).bytes(51 * MB)})
update_code = lambda_client.update_function_code
ask(update_code, FunctionName=heavy, ZipFile=large_zip)

# %% [markdown]
# The number in the answer is larger than {{zip}}, because boto3 sends the zip as base64, which is longer by a third. (AWS may
# also close the connection before you have sent all. It means the same.)
#
# The way out: put the zip into S3, and tell Lambda where it is. (The name of a bucket is unique in the whole world; `workshop.bucket` makes one
# that is yours.)

# %% bucket
bucket = workshop.bucket("limits")
bucket_arn = f"arn:{workshop.partition}:s3:::{bucket}"

# %%
place = {"LocationConstraint": workshop.region}
in_region = {"CreateBucketConfiguration": place}
in_region = {} if workshop.region == "us-east-1" else in_region  # must not be named
try:
    s3.create_bucket(Bucket=bucket, **in_region)
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("The bucket is there already.")

# %%
s3.put_object(Bucket=bucket, Key="large.zip", Body=large_zip)
update_code(FunctionName=heavy, S3Bucket=bucket, S3Key="large.zip")
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=heavy)

# %%
size = lambda_client.get_function_configuration(FunctionName=heavy)["CodeSize"]
payload, log = invoke(heavy, {})
print(f"{size / MB:.1f} MB, and it answers {payload!r}")

# %% [markdown]
# (Lambda copies the zip. Since {{code_by_reference}} it can also use the object where it is: [`S3ObjectStorageMode="REFERENCE"`]({{code_by_reference.source}}).)
#
# ### {{unzipped}} unzipped
#
# S3 does not help against the other limit. Zeros compress well, so we can reach it with a small upload.
#
# **Predict:** will Lambda take this zip?

# %%
predict("06.d", choices=["yes", "no"])

# %%
zeros_zip = zip_of(hello | {"zeros.bin": bytes(251 * MB)})
print(f"{len(zeros_zip) / MB:.1f} MB zipped")
said = ask(update_code, FunctionName=heavy, ZipFile=zeros_zip)
said

# %%
predicted("06.d", "yes" if said == "accepted" else "no")

# %% [markdown]
# 262,144,000 bytes are {{unzipped}}, for your code and all its layers together. A **layer** is a package that several
# functions share; a function can have {{layers}}. The way out is a container image of up to {{image}} (the embedded AWS does not run
# those), or a smaller package: leave out tests and documentation and, if nothing else helps, boto3: the runtime has it, in a version that AWS
# chooses.
#
# ### Layers and environment variables
#
# Lambda refuses six small layers, too, and {{environment_variables}} of variables (4,096 letters, plus the name and some quotes).


# %%
def publish(number):
    content = {"ZipFile": zip_of({f"python/part_{number}.py": f"NUMBER = {number}\n"})}
    name = workshop.name(f"part-{number}")
    return lambda_client.publish_layer_version(LayerName=name, Content=content)


layers = [publish(number)["LayerVersionArn"] for number in range(6)]
ask(update, FunctionName=heavy, Layers=layers)

# %%
variables = {"Variables": {"SETTINGS": "x" * 4096}}
said = ask(update, FunctionName=heavy, Environment=variables)
said[:220] + " …"

# %% [markdown]
# (Lambda writes all of the variables into its answer, so be careful with a log that keeps it.) Keep what is large elsewhere: settings in AWS AppConfig or the Parameter Store, secrets in Secrets Manager, everything
# else in S3. Read it during init, once for each execution environment.
#
# ## Events and answers
#
# An event and an answer can have {{payload}} each when you wait for the answer. When you do not wait
# (`InvocationType="Event"`, an *asynchronous* call), the event can have {{payload_asynchronous}}, because Lambda keeps it in a queue of its own. The
# function below answers with as many bytes as the event asks for.

# %% notes [markdown]
# Minutes: 3
#
# Say: Nobody sends a film in a letter; one sends the address. Ask where they have seen it: an event of S3 has a
# bucket and a key, and never the file.
#
# Goes wrong: A large event is an error of the *call*, and the function does not run; a large answer is an error of
# the *function*, which ran and is billed. Many mix these two.


# %%
def handler(event, context):
    return {"received": len(event["text"]), "answer": "x" * event["answer_bytes"]}


# %%
echo = workshop.name("echo")
code = {"app.py": inspect.getsource(handler)}
deploy(workshop, echo, code, MemorySize=512, Timeout=30)
large = json.dumps({"text": "x" * 6 * MB, "answer_bytes": 0})
ask(lambda_client.invoke, FunctionName=echo, Payload=large)

# %%
call = {"FunctionName": echo}
call["Payload"] = json.dumps({"text": "x" * MB, "answer_bytes": 0})
print("asynchronous:", ask(lambda_client.invoke, InvocationType="Event", **call))
print("synchronous:", ask(lambda_client.invoke, **call))

# %% [markdown]
# These are errors of the *call*: the function did not run. A large *answer* is different: the function ran, you pay for it,
# and Lambda discards its answer.

# %%
payload, log = invoke(echo, {"text": "", "answer_bytes": 7 * MB})
print(log[log.index("REPORT") :])
payload

# %% [markdown]
# (On AWS the wording of these errors may differ a little; look at the error's name.)
#
# The way out is the same in both directions: **put the data into S3, and its address into the event.** An event
# from S3 does the same: it holds a bucket and a key, never the file. The function below counts the lines of an object of 20 MB. (We deploy the source
# of one function alone, so `import boto3` and the client are inside it. In a file of your own, write them above it, so that they belong to init.)


# %%
def handler(event, context):
    import boto3

    found = boto3.client("s3").get_object(Bucket=event["bucket"], Key=event["key"])
    return {"lines": sum(1 for line in found["Body"].iter_lines(1024 * 1024))}


# %% [markdown]
# A function may make only the calls to AWS that its **role** allows. This one gets the *statement* `read`: `GetObject`, for the
# objects (`/*`) of this one bucket. It may not write there, and not read elsewhere. (`workshop.role` adds the right to write logs.)

# %% read
read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket_arn}/*"}
counter, role = workshop.name("line-counter"), workshop.role(read)
options = {"Role": role, "MemorySize": 1769, "Timeout": 60}
deployed = deploy(workshop, counter, {"app.py": inspect.getsource(handler)}, **options)

# %%
s3.put_object(Bucket=bucket, Key="lines.txt", Body=b"a line of text ....\n" * MB)
payload, log = invoke(counter, {"bucket": bucket, "key": "lines.txt"})
payload

# %% [markdown]
# (On AWS a new role needs some seconds: if the answer says `AccessDenied`, run the cell again.)
#
# Answers have one more way: *response streaming* sends up to {{streamed}} piece by piece, for example through a
# function URL. Node.js supports it; Python needs a custom runtime. Notebook [13](13-rendering-pages.ipynb) does it.
#
# ## /tmp
#
# A function can write files only in `/tmp`. Each execution environment has a `/tmp` of its own, which stays from one invocation to the
# next and ends with the environment. This function writes a file in pieces, and says how many MB it has written.
#
# **Predict:** how much of 520 MB will it write into a `/tmp` of 512 MB?

# %% notes [markdown]
# Minutes: 2
#
# Say: A disk that may be gone at the next call, or may still be there with what the last caller left. Ask which of
# the two is the worse one.
#
# Goes wrong: Both lines say that all was written: on this machine functions are not confined, and share its `/tmp`.
# `python3 -m helpers doctor` says so.
#
# Answer 06.e: All 512 MB that there are, and not the last piece: the system says *No space left on device*.

# %%
predict("06.e")


# %%
def handler(event, context):
    import os

    path, piece, written = "/tmp/limits-notebook.bin", b"x" * (8 * 1024 * 1024), 0
    try:
        with open(path, "wb", buffering=0) as file:
            while written < event["mb"]:
                file.write(piece)
                written += 8
    except OSError as error:
        return {"written_mb": written, "error": f"{type(error).__name__}: {error}"}
    finally:
        os.remove(path)
    return {"written_mb": written, "error": None}


# %%
writer, written = workshop.name("writer"), {}
code = {"app.py": inspect.getsource(handler)}
for size in track([512, 1024], "sizes of /tmp"):
    options = {"EphemeralStorage": {"Size": size}, "MemorySize": 1769, "Timeout": 60}
    deploy(workshop, writer, code, **options)
    payload, log = invoke(writer, {"mb": 520})
    written[size] = payload["written_mb"]
    print(f"/tmp of {size} MB: {payload}")

# %%
predicted("06.e", f"{written[512]} MB")
claim("520 MB fit into a /tmp of 1,024 MB", written[1024] == 520)

# %% [markdown]
# `No space left on device` comes from the operating system: `/tmp` is a file system of that size. 1,024 MB are
# enough. What is above {{tmp}} costs extra. (When *both* lines say 520 MB, functions on the embedded AWS share
# the `/tmp` of this machine, without a limit.) Everywhere else the answer is `Read-only file system`, or, for
# what belongs to another user, `Permission denied`: a function is not root, and the owner of its code is.
#
# ## It failed. And then?
#
# The slide adds: "there are retries, but …". Who retries?
#
# - **Synchronous**: Lambda does not try again. The caller gets the error and decides. (boto3 tries again when the
#   *call* failed, for example when it was throttled, or when no answer came in time; not when the function failed.)
# - **Asynchronous**: Lambda answers with 202 before the function runs. If the function fails, nobody waits for its answer, so
#   Lambda runs it again: by default twice, after one minute and after two more. On the embedded AWS each of
#   these minutes is a second.
#
# S3, EventBridge, SNS and others call functions asynchronously. (A queue of SQS has rules of its own: notebook 07.)
#
# Our function takes money, prints a line about it, and then fails. When Lambda stops trying, we want to know:
# the event goes to the `OnFailure` destination, here a queue.

# %% notes [markdown]
# Minutes: 6
#
# Say: The most expensive misunderstanding of this notebook. A function takes money, and then fails to send a mail.
# Ask how often the customer pays, and wait for the answers. Then the word: idempotent.
#
# Goes wrong: Who looks at the status in REPORT sees *success* three times. For the platform the function ended
# normally; look at the metric `Errors`. On AWS the three runs take more than three minutes: talk about the table of
# *What to use instead* meanwhile.
#
# Answer 06.f: Three: one run, and two more, as Lambda tries a failed asynchronous event twice again by default.
#
# Answer 06.g: One. The event then goes to the destination at once.


# %%
def handler(event, context):
    print("charged", event["amount"], "for order", event["order"])
    raise ConnectionError("the mail server does not answer")


# %%
queue_url = sqs.create_queue(QueueName=workshop.name("failed-orders"))["QueueUrl"]
found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
queue_arn = found["Attributes"]["QueueArn"]

# %% [markdown]
# Lambda sends the event to the queue in the function's role, so the role must allow `SendMessage` to this queue. Otherwise Lambda
# refuses the destination.

# %% send
send_failed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn}
cashier, role = workshop.name("cashier"), workshop.role(send_failed)
code = {"app.py": inspect.getsource(handler)}
deployed = deploy(workshop, cashier, code, Role=role)

# %% [markdown]
# (On AWS, the rights of a new role reach Lambda some seconds later; until then boto3 tries again, as `connect()` told it to.)


# %%
def set_retries(number):
    """Say how often Lambda tries again, and where the event goes in the end."""
    return ask(
        lambda_client.put_function_event_invoke_config,
        FunctionName=cashier,
        MaximumRetryAttempts=number,
        MaximumEventAgeInSeconds=3600,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    )


set_retries(2)

# %% [markdown]
# **Predict:** we send one event. How many lines with "charged" will there be?

# %%
predict("06.f")

# %% [markdown]
# `send` sends the event. Then `arrival`, in the folded cell, waits until the event is in the queue, and
# counts the runs: a few seconds here, more than three minutes on
# AWS.


# %% arrival folded
def arrival(event, request_id, limit=600):
    """Wait until the queue gets this event; return the record around it."""
    shown = display(Markdown("no run yet"), display_id=True)
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1)
        runs = reports(logs, cashier, at_least=0)["request_id"] == request_id
        shown.update(Markdown(f"runs so far: {runs.sum()}"))
        for message in found.get("Messages", []):
            receipt = message["ReceiptHandle"]
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=receipt)
            record = json.loads(message["Body"])
            if record["requestPayload"] == event:
                return record
    raise TimeoutError(f"The queue has no event after {limit} s; run this cell again.")


# %%
def send(event):
    """Invoke asynchronously; return the request id and what the queue gets."""
    call = {"FunctionName": cashier, "Payload": json.dumps(event)}
    response = lambda_client.invoke(InvocationType="Event", **call)
    print("status of the call:", response["StatusCode"])
    request_id = response["ResponseMetadata"]["RequestId"]
    return request_id, arrival(event, request_id)


# %%
began = datetime.now(UTC)
order = f"{began:%d-%H-%M-%S}"
retried_id, record = send({"order": order, "amount": "10 USD"})

# %%
attempts = reports(logs, cashier, at_least=3, since=began)
short_ids = attempts["request_id"].str[:8]
attempts.assign(request_id=short_ids)[["request_id", "start", "duration_ms", "status"]]

# %%
group = {"logGroupName": f"/aws/lambda/{cashier}"}
pages = logs.get_paginator("filter_log_events").paginate(**group)
lines = [event for page in pages for event in page["events"]]
messages = [line["message"] for line in lines if order in line["message"]]
charged = [message for message in messages if message.startswith("charged")]
print(*charged, sep="")

# %%
predicted("06.f", f"{len(charged)} lines")
claim("the money is taken three times", len(charged) == 3 == len(attempts))
claim("it has one request id", set(attempts["request_id"]) == {retried_id})
claim("REPORT says success", set(attempts["status"]) == {"success"})

# %% [markdown]
# One event, one request id, and the money was taken **three times**. The `status` is always `success`: for
# Lambda's platform, a function that raises an exception has ended normally. So watch the metric `Errors`, not the status in REPORT.
#
# The message in the queue says why Lambda stopped trying, and how often the function ran. It also holds the event and the error.

# %%
context = record["requestContext"]
print(context["condition"], "after", context["approximateInvokeCount"], "runs")
print(record["requestPayload"])
print(record["responsePayload"]["errorMessage"])

# %% [markdown]
# `MaximumRetryAttempts` can be 0, 1 or 2.
#
# **Predict:** how many runs with 0?

# %%
predict("06.g")

# %%
set_retries(0)
began = datetime.now(UTC)
single_id, record = send({"order": f"{began:%d-%H-%M-%S}", "amount": "10 USD"})
single = reports(logs, cashier, since=began)
record["requestContext"]["condition"]

# %%
predicted("06.g", len(single))
claim("with 0 retries there is one run", len(single) == 1)

# %% [markdown]
# The event went to the queue after one run. (An event that waits longer than `MaximumEventAgeInSeconds`, by default
# six hours, goes there, too.)
#
# Without retries, one short problem is enough: the event goes to the queue, and where there is no queue
# it is lost. And AWS may deliver even an event that did *not* fail more than once.
# So a second run of the same event must do no harm. Such a function is **idempotent** (more in notebook 15).
#
# ## What to use instead
#
# | it is… | then |
# |---|---|
# | too long for {{timeout}} | split it (exercise 1), or see below |
# | too large for memory | read in pieces; `MemorySize` up to {{memory_max}}; Fargate, Batch or EC2 beyond |
# | too large a package | layers do not help ({{unzipped}} together); a container image, up to {{image}} |
# | too large an event or answer | S3 and its address (exercise 2); response streaming for answers |
# | too many files for `/tmp`, or files to share | S3, Amazon EFS, or (since {{s3_files}}) a bucket mounted as a file system: [S3 Files]({{s3_files.source}}) |
# | a state to keep between calls | DynamoDB, S3 or a cache; never `/tmp` or a global variable alone |
# | a machine, a GPU, a device | EC2, or a container service; for a GPU also Managed Instances |
#
# What takes too long can go to
#
# - AWS Step Functions: a chain of steps;
# - Lambda's [durable functions]({{durable_functions.source}}) (notebook 15): waits of up to a year, each invocation still within {{timeout}};
# - AWS Fargate (containers without machines of your own), AWS Batch or EC2: one long computation.
#
# (The embedded AWS mounts neither EFS nor S3 Files.) The slide says: do not put work on Lambda that must watch its time. When a job usually takes more
# than a few minutes, or you do not know how long, look at this list first.
#
# ## Exercise 1: stop in time
#
# `work` takes its time for one item. Write the handler `stop_in_time`: work through `event["items"]` in their order and stop **before** the
# time runs out. Return `{"done": [...], "left": [...]}`. The event says how long an item takes, `event["seconds_each"]`, and
# `context.get_remaining_time_in_millis()` how much is left. Start an item only if there is time to finish it, with half a
# second more for the answer.
#
# Put your code in place of the line that begins with `raise`, and run the cell. The next cell deploys and
# checks it, which takes some seconds; `hint("06.1")` helps.

# %% notes [markdown]
# Minutes: 2
#
# Say: Take the cases that people named at the beginning, and look for their row. The slide says it in one sentence:
# what must watch its time does not belong here.
#
# Skip: The list below the table.

# %% notes [markdown]
# Minutes: 5
#
# Say: This is how a long job survives in a short function: it stops by itself, and says what is left. Look at the
# clock *before* each item, the first one too.
#
# Goes wrong: Seconds and milliseconds are mixed. The time for the answer is forgotten, the half second. A clock of
# their own in place of Lambda's: then another `Timeout` is not known. An item is copied and not moved, so that it is
# in both lists. The first item is begun without a look.
#
# Skip: Show the output of the check's cell: three invocations share the work.


# %% worker
def work(item, seconds):
    time.sleep(seconds)
    print("worked on", item)


def stop_in_time(event, context):
    done, left = [], list(event["items"])
    # solution: While items are left, and time for one: do the first, move it to done.
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

left = [*range(12)]
while left:  # the check has seen that each invocation does some
    answer, log = invoke(worker, {"items": left, "seconds_each": 0.5})
    print(f"done {answer['done']}, left {answer['left']}")
    left = answer["left"]

# %% [markdown]
# Six seconds of work, in a function that may run for three. Here the notebook hands on what is left; in production Step Functions
# or a queue does. (Do not let a function send work to itself: Lambda stops such a loop after
# about {{recursive_loop}} rounds, unless you allow it with `put_function_recursion_config`.)
#
# ## Exercise 2: an answer of any size
#
# The handler `make_table` below makes the text of a table. As an answer it is fine for ten rows, and too large for a million. So
# put the text into S3, at `event["bucket"]` and `event["key"]`, and return `{"bucket": ..., "key": ...}`, however small
# the table is.
#
# The cell with the check deploys your handler with the statement `write`: it may put objects into the bucket of this notebook, and
# nothing else.

# %% notes [markdown]
# Minutes: 4
#
# Say: Return an address, always, and not only when the table is large. Ask why: the caller should not need two kinds
# of code.
#
# Goes wrong: `Body` takes bytes: `text.encode()`. The address is returned with other names, `Bucket` and `Key`. They
# look into the bucket first, which the role does not allow: `PutObject` is all that it has.
#
# Skip: It can be homework.


# %% table-maker
def make_table(event, context):
    import boto3

    text = "".join(f"{n},{n * n}\n" for n in range(event["rows"]))
    # solution: Put the text into S3 with put_object, and return bucket and key.
    bucket, key = event["bucket"], event["key"]
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
    return {"bucket": bucket, "key": key}


# %% write
write = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{bucket_arn}/*"}

# %%
# check
table_maker = workshop.name("table-maker")
code = {"app.py": inspect.getsource(make_table)}
options = {"Handler": "app.make_table", "MemorySize": 1769, "Timeout": 60}
deploy(workshop, table_maker, code, Role=workshop.role(write), **options)
check("06.2")

event = {"rows": 500_000, "bucket": bucket, "key": "squares.csv"}
answer, log = invoke(table_maker, event)
size = s3.head_object(Bucket=answer["bucket"], Key=answer["key"])["ContentLength"]
print(f"an answer of {len(json.dumps(answer))} bytes, a table of {size / MB:.1f} MB")

# %% [markdown]
# ## Exercise 3: when was it run?
#
# Write `run_times`. It gets log events as `filter_log_events` returns them (a list of dicts with `"message"` and `"timestamp"`, in
# milliseconds) and a request id. It returns when this request was run, in **seconds after its first run**. For an event
# that was run three times on AWS that is about `[0.0, 60.0, 180.0]`. A run begins with a line
# `START RequestId: <request id> Version: $LATEST`. The log events come in any order, and other requests are among them.

# %% notes [markdown]
# Minutes: 4
#
# Say: Read the times out of a log: this is the work of the morning after. The pauses show who tried again.
#
# Goes wrong: All lines with the id are counted, not only those that begin with START. Milliseconds. The log is not in
# the order of time. Other requests are among them.
#
# Skip: It can be homework; the picture can be shown from the solution.


# %% run-times
def run_times(log_events, request_id):
    # solution: Sort the times of this request's START lines, and subtract the first.
    start = f"START RequestId: {request_id}"
    ours = [event for event in log_events if event["message"].startswith(start)]
    times = sorted(event["timestamp"] for event in ours)
    return [(each - times[0]) / 1000 for each in times]


# %% [markdown]
# The folded cell defines the drawing of your answer.


# %% draw-runs folded
def draw_runs(measured):
    rows = {"measured": measured, "AWS's documentation": [0.0, 60.0, 180.0]}
    figure, axes = plt.subplots(2, 1, figsize=(10, 3.6))
    styles = [{"color": BLUE, "marker": "o"}, {"color": ORANGE, "marker": "D"}]
    for ax, (label, times), style in zip(axes, rows.items(), styles, strict=True):
        ax.scatter(times, np.zeros(len(times)), s=140, **style)
        ax.set_yticks([0], [label])
        ax.grid(axis="x")
        ax.spines[["top", "right", "left"]].set_visible(False)
    axes[1].set_xlabel("seconds after the first run")
    pauses = [*np.diff(measured)]
    shown = " and ".join(f"{pause:.1f}" for pause in pauses)
    title = f"{len(measured)} runs, with pauses of {shown} s (AWS: 60 and 120 s)"
    figure.suptitle(title, x=0.01, ha="left")
    grows = len(pauses) == 2 and pauses[0] < pauses[1]
    claim("there are two pauses, and the second one is longer", grows)


# %%
# check
check("06.3", run_times)
draw_runs(run_times(lines, retried_id))

# %% [markdown]
# ## What you have learned
#
# - You set time and memory, up to {{timeout}} and {{memory_max}}. Beyond your limit the process is killed: `Sandbox.Timedout`,
#   or `signal: killed`. No code of yours runs any more, so look at the remaining time yourself.
# - AWS sets the sizes: {{zip}} in the request, {{unzipped}} unzipped, {{environment_variables}} of variables, {{payload}} each way, {{payload_asynchronous}} asynchronous. Put larger data
#   into S3, and its address into the event; make a container image of a larger package.
# - A failing asynchronous event is run three times, under one request id, and then goes to the destination that you
#   chose. Functions must be idempotent.
# - A job that must watch its time belongs somewhere else: Step Functions, Fargate, Batch, EC2.
#
# **Next:** notebook [07](07-databases.ipynb), *Databases*: a limit that is not Lambda's own.

# %% notes [markdown]
# Minutes: 1
#
# Say: Ask each table for one limit, and the sentence that it is recognised by.
