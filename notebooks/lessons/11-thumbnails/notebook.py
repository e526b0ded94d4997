# %% [markdown]
# # 11 Thumbnails
#
# After this notebook you will be able to
#
# - put a queue between S3 and Lambda, and choose its parameters and those of the mapping;
# - give a function a library that was compiled, and know how large it may be;
# - watch work through: queue depth, concurrency, results;
# - find what failed in a dead-letter queue, be told of it by an alarm, fix the function, and send the work back;
# - say what the queue is good for, and when S3 may as well invoke the function directly.
#
# It takes about 45 minutes.
# Slides: "Example 1: make a thumbnail when a file is added to S3", in the part "Architectures".
#
# ![A picture in S3 becomes a message in a queue; Lambda makes thumbnails in batches; what fails goes to a dead-letter queue](lessons/11-thumbnails/picture.svg)
#
# Users upload pictures, and each needs a small copy. The web server could do that, but then it is busy with pictures instead of visitors.
# So it only puts the picture into S3. The rest happens without it:
#
# 1. S3 sends an event to a queue.
# 2. Lambda takes messages from the queue, several at once, and invokes the function with them.
# 3. The function makes thumbnails, and puts them into a second bucket.
# 4. What fails again and again goes to a **dead-letter queue**. An alarm says so, a person fixes it, and sends the work back.

# %% imports
import base64
import hashlib
import inspect
import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, package_layer, plot_timeline, reports, track
from helpers.lessons import function_folder
from helpers.plots import BLUE, GREEN, RED
from IPython.display import Markdown, display
from PIL import Image, ImageDraw

# %% connect
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
s3, sqs, cloudwatch = (
    workshop.client("s3"),
    workshop.client("sqs"),
    workshop.client("cloudwatch"),
)
workshop

# %%
from helpers import check, hint, load_prices, predict, predicted, solution

# %% [markdown]
# ## The function
#
# It consists of two files. The first one makes a thumbnail from a record of an S3 event. Pillow, which is imported as `PIL`, is Python's
# best-known library for pictures.


# %%
def show(file):
    display(
        Markdown(
            f"```python\n{(function_folder('thumbnail') / 'python' / file).read_text()}```"
        )
    )


show("thumbnail.py")

# %% [markdown]
# The second one is the way in. Look at `work`: an event of SQS holds messages, and the `body` of each message is the event of S3, as text.
# So there is JSON within JSON. (`direct` is for later.)

# %%
show("app.py")

# %% [markdown]
# Deploy it. Its role may take messages from SQS, and read and write S3. The embedded AWS does not enforce roles, but AWS does. (These are AWS's ready-made
# policies, which allow more than is needed. In production you would write your own, for these buckets and this queue alone.)
#
# **Predict:** will it run? The event holds no message, so there is no work to do.

# %%
predict("11.a", choices=["yes", "no"])

# %% function
uploads, thumbnails = workshop.name("thumbnail-uploads"), workshop.name("thumbnails")
function = workshop.name("thumbnail")
options = {
    "Role": workshop.role(
        "service-role/AWSLambdaSQSQueueExecutionRole", "AmazonS3FullAccess"
    ),
    "MemorySize": 512,
    "Timeout": 5,
    "Environment": {"Variables": {"THUMBNAILS": thumbnails}},
}
deploy(workshop, function, "thumbnail/python", **options)
response = lambda_client.invoke(FunctionName=function, Payload='{"Records": []}')
json.loads(response["Payload"].read())

# %%
predicted("11.a", "no" if "FunctionError" in response else "yes")

# %% [markdown]
# Lambda's Python has the standard library and boto3, and nothing else. Other libraries have to come along.
#
# ## A library that was compiled
#
# A library in pure Python is text, and runs anywhere. Pillow has parts in C, and those are compiled for **one** kind of machine and one version of
# Python. On AWS that is Amazon Linux, the architecture of the function (here x86_64), and its runtime (here Python 3.13). What you have
# installed on a Mac, say, does not run there.
#
# `package_layer` knows both: for AWS it downloads the file that Pillow's makers have built for Lambda's kind of Linux, of the same version. The
# embedded AWS runs functions on this machine with this machine's Python, so it takes what is installed here.
# The names of the compiled parts say for which Python and which machine they are.

# %% archive
archive = package_layer(["pillow"], target=workshop.target)
entries = zipfile.ZipFile(io.BytesIO(archive)).infolist()
[entry.filename for entry in entries if entry.filename.endswith(".so")]

# %% [markdown]
# It is not small. These are Lambda's limits: for a zip that is sent in the call itself, and for everything unzipped, the function with
# all its layers. (A larger zip can come from S3, but what is in it must keep the second limit.)

# %%
megabyte = 2**20
sizes = {"zipped": len(archive), "unzipped": sum(entry.file_size for entry in entries)}
limits = pd.DataFrame(
    {"MB": pd.Series(sizes) / megabyte, "limit in MB": {"zipped": 50, "unzipped": 250}}
)
limits["share"] = (limits["MB"] / limits["limit in MB"]).map("{:.0%}".format)
limits.round(1)

# %% [markdown]
# It could go into the package of the function. Then each small change of the code would send it all again. A **layer** is a zip of
# its own, which is published once and named by each function that wants it. Lambda unpacks it to `/opt`, and Python looks below `/opt/python`, which is why
# all names in it begin with `python/`.
#
# Each publication makes a new *version* of the layer, even with the same content. So we compare first: AWS tells the SHA-256 of what it has.


# %% layer
def publish(name, archive):
    """The ARN of the layer version with this content; a new one only where the newest has another content."""
    sha256 = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    versions = lambda_client.list_layer_versions(LayerName=name)[
        "LayerVersions"
    ]  # the newest comes first
    if versions:
        newest = lambda_client.get_layer_version(
            LayerName=name, VersionNumber=versions[0]["Version"]
        )
        if newest["Content"]["CodeSha256"] == sha256:
            return newest["LayerVersionArn"]
    published = lambda_client.publish_layer_version(
        LayerName=name, Content={"ZipFile": archive}, CompatibleRuntimes=["python3.13"]
    )
    return published["LayerVersionArn"]


options["Layers"] = [publish(workshop.name("pillow"), archive)]
print("version", options["Layers"][0].split(":")[-1])

# %% [markdown]
# With the layer, the same call ends well: the answer is `None`, JSON's `null`.

# %% layered-function
deploy(workshop, function, "thumbnail/python", **options)
response = lambda_client.invoke(FunctionName=function, Payload='{"Records": []}')
print(response.get("FunctionError"), json.loads(response["Payload"].read()))

# %% [markdown]
# ## The buckets and the queues
#
# **Two** buckets: a function that writes into the bucket that starts it starts itself, again and again. Another prefix in the same bucket, and a
# filter, would do as well, until somebody changes the filter. Notebook 15 shows what happens then.

# %% buckets
account = workshop.client("sts").get_caller_identity()["Account"]
bucket_options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    bucket_options["CreateBucketConfiguration"] = {
        "LocationConstraint": workshop.region
    }
for bucket in (uploads, thumbnails):
    try:
        s3.create_bucket(Bucket=bucket, **bucket_options)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        print(bucket, "is there already.")

# %% [markdown]
# When Lambda takes a message, the message stays in the queue, but nobody else sees it for the **visibility timeout**: it is *in flight*. After
# success Lambda deletes it. After a failure nothing is done at all: the timeout ends, the message is visible again, and is *tried again*.
#
# - `VisibilityTimeout`: longer than any try can take. AWS recommends six times the function's `Timeout`, plus the batching window.
# - `RedrivePolicy`: where a message goes after `maxReceiveCount` tries. AWS recommends at least 5, since a throttled invocation counts as a try, too.
# - `MessageRetentionPeriod`: how long a message is kept, 4 days unless said otherwise, 14 at most. Its age runs on when it is moved to the
#   dead-letter queue, so the latter should keep longer.
#
# (Source: [Configuring an SQS queue for Lambda](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html), AWS Lambda Developer Guide, read in
# November 2026.)


# %% queues
def make_queue(name, attributes):
    """The queue's URL and ARN. Attributes are set apart, so that the call can be repeated with others."""
    url = sqs.create_queue(QueueName=workshop.name(name))["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]


def patience(visibility_timeout, tries):
    """The attributes that say when a message is tried again, and how often."""
    redrive = {"deadLetterTargetArn": failed_arn, "maxReceiveCount": tries}
    return {
        "VisibilityTimeout": str(visibility_timeout),
        "RedrivePolicy": json.dumps(redrive),
    }


failed_url, failed_arn = make_queue(
    "thumbnail-failed", {"MessageRetentionPeriod": str(14 * 24 * 3600)}
)
jobs_url, jobs_arn = make_queue(
    "thumbnail-jobs", patience(6 * options["Timeout"] + 1, tries=5)
)

# %% [markdown]
# ## The joints
#
# From the queue to the function: an **event source mapping**. Lambda polls the queue for us, and invokes the function with what it finds.
#
# - `BatchSize`: at most five messages for one invocation;
# - `MaximumBatchingWindowInSeconds`: wait up to a second for a batch to become full;
# - `MaximumConcurrency`: at most two invocations at a time. Without it Lambda begins with five, and adds up to 300 a minute;
#   with *provisioned mode* (`ProvisionedPollerConfig`, since {{sqs_provisioned_mode}}, up to {{sqs_pollers}} pollers, paid for by the hour) it need not begin small. The embedded
#   AWS does not have that mode;
# - `FunctionResponseTypes`: empty for now. The first exercise is about it.
#
# Creating and changing a mapping can take a minute on AWS, so we wait. (Source of the numbers:
# [Scaling of SQS event source mappings](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html), read in November 2026.)


# %% wait-until
def wait_until(condition, seconds=600):
    """Look twice a second until condition() is true."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(
                f"It did not happen within {seconds} s; the function's log may say why."
            )
        time.sleep(0.5)


def change_mapping(**settings):
    lambda_client.update_event_source_mapping(UUID=mapping, **settings)
    wait_until(
        lambda: (
            lambda_client.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"
        )
    )


# %% mapping
found = lambda_client.list_event_source_mappings(
    EventSourceArn=jobs_arn, FunctionName=function
)["EventSourceMappings"]
if not found:
    found = [
        lambda_client.create_event_source_mapping(
            EventSourceArn=jobs_arn, FunctionName=function
        )
    ]
mapping = found[0]["UUID"]
wait_until(
    lambda: lambda_client.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"
)
change_mapping(
    BatchSize=5,
    MaximumBatchingWindowInSeconds=1,
    ScalingConfig={"MaximumConcurrency": 2},
    FunctionResponseTypes=[],
)

# %% [markdown]
# From the bucket to the queue it takes two settings, as in notebook 16: the queue permits S3 to send, and the bucket notifies, here for keys that begin with
# `pictures/`.

# %% notification
permission = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": jobs_arn,
    "Condition": {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{uploads}"},
        "StringEquals": {"aws:SourceAccount": account},
    },
}
policy = json.dumps({"Version": "2012-10-17", "Statement": [permission]})
sqs.set_queue_attributes(QueueUrl=jobs_url, Attributes={"Policy": policy})
to_queue = {
    "QueueArn": jobs_arn,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "pictures/"}]}},
}
_ = s3.put_bucket_notification_configuration(
    Bucket=uploads, NotificationConfiguration={"QueueConfigurations": [to_queue]}
)

# %% [markdown]
# ## Fifty pictures
#
# The pictures are made here, too: hills in the evening, each another one. The same number gives the same picture. (Ten are painted, and each is uploaded five times: for the system that makes no difference.)


# %% paint
def paint(number, size=(3000, 2000)):
    """A landscape as a Pillow image."""
    random = np.random.default_rng(number)
    dark, light = (
        tuple(int(value) for value in random.integers(low, low + 80, 3))
        for low in (20, 170)
    )
    sky = Image.linear_gradient("L").resize(size)
    image = Image.composite(
        Image.new("RGB", size, light), Image.new("RGB", size, dark), sky
    )
    draw = ImageDraw.Draw(image)
    x, y, radius = random.integers((400, 300, 100), (2600, 900, 240))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 240, 190))
    steps = np.arange(0, size[0] + 50, 50)
    for hill in range(4):
        heights = (
            960
            + 260 * hill
            + 180 * np.sin(steps / random.integers(260, 840) + random.random() * 6)
        )
        outline = [(0, size[1]), *zip(steps, heights, strict=True), size]
        draw.polygon(outline, fill=tuple(value // (hill + 2) for value in light))
    return image


# %%
def as_jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


painted = [as_jpeg(paint(number)) for number in track(range(10), "pictures painted")]
pictures = painted * 5
print(f"{sum(map(len, pictures)) / 1e6:.1f} MB")
alt = {"image/png": {"alt": "A painted landscape: a sun above four hills"}}
display(paint(7).resize((420, 280)), metadata=alt)

# %% [markdown]
# What is to be seen of the system from outside? SQS says how many messages wait and how many are in flight, *approximately*: on AWS the figures lag a little.
# S3 says how many thumbnails there are. The first cell below asks both, and the second draws a picture of the answers.


# %% depth
def depth(url):
    """Messages that wait, and messages in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)[
        "Attributes"
    ]
    return [int(attributes[name]) for name in names]


def made(prefix):
    """The keys of the thumbnails below this prefix."""
    return [
        each["Key"]
        for each in s3.list_objects_v2(Bucket=thumbnails, Prefix=prefix).get(
            "Contents", []
        )
    ]


# %%
LINES = [
    ("thumbnails in S3", GREEN, "o-"),
    ("messages waiting", BLUE, "s--"),
    ("messages in flight", RED, "^:"),
]


def draw(history, total):
    seconds, waiting, in_flight, done = zip(*history, strict=True)
    figure, ax = plt.subplots(figsize=(10, 4.2))
    for (label, color, style), values in zip(
        LINES, (done, waiting, in_flight), strict=True
    ):
        ax.plot(
            seconds, values, style, color=color, linewidth=3, label=label, markersize=6
        )
    title = f"{done[-1]} of {total} thumbnails after {seconds[-1]:.0f} s; up to {max(waiting)} messages waited"
    ax.set_title(title)
    ax.set_xlabel("seconds since the last picture was put into S3")
    ax.set_ylabel("number")
    ax.set_ylim(bottom=0)
    figure.legend(loc="outside lower left", ncols=3, frameon=False)
    plt.close(figure)  # otherwise Jupyter shows it once more when the cell ends
    return figure


# %% [markdown]
# `drop` puts all fifty at once, as users would, and keeps the picture up to date until the last thumbnail is there.


# %% put
def put(key, content):
    s3.put_object(Bucket=uploads, Key=key, Body=content)


def forget(prefix):
    """Delete the thumbnails that an earlier run has made."""
    for key in made(prefix):
        s3.delete_object(Bucket=thumbnails, Key=key)


# %%
def drop(prefix, limit=600):
    """Put the pictures below this prefix, look on until all thumbnails are made; return when it began."""
    forget(prefix)
    began, history = datetime.now(UTC), []
    keys = [f"{prefix}{number:02}.jpg" for number in range(len(pictures))]
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(put, keys, pictures))
    zero, shown = (
        time.monotonic(),
        display(Markdown("The pictures are in S3."), display_id=True),
    )
    while not history or history[-1][-1] < len(pictures):
        history.append((time.monotonic() - zero, *depth(jobs_url), len(made(prefix))))
        if (
            len(history) == 1 or history[-1][1:] != history[-2][1:]
        ):  # else there is nothing new to see
            shown.update(draw(history, len(pictures)))
        if history[-1][0] > limit:
            raise TimeoutError(f"Not within {limit} s; the function's log may say why.")
        time.sleep(1)
    return began


# %% [markdown]
# **Predict:** fifty messages, five in a batch, two batches at a time. How many invocations will that be?

# %%
predict("11.b")

# %% [markdown]
# **Predict:** in how many environments?

# %%
predict("11.c")

# %%
first_began = drop("pictures/first/")

# %% [markdown]
# Nobody was turned away, and no function had to wait: the *messages* waited. Now from Lambda's side: each bar is an invocation. (In flight can be a little more than
# two batches, because Lambda may hold a batch ready.)

# %%
first = reports(logs, function, at_least=10, since=first_began)
ax = plot_timeline(first)

# %%
predicted("11.b", f"{len(first)} invocations")
predicted("11.c", f"{first['environment'].nunique()} environments")

# %% [markdown]
# And the results.


# %%
def gallery(prefix, columns=10, width=96, height=66):
    """All thumbnails below this prefix on one sheet."""
    keys = made(prefix)
    sheet = Image.new(
        "RGB", (columns * width, -(-len(keys) // columns) * height), "white"
    )
    for place, key in enumerate(keys):
        file = io.BytesIO(s3.get_object(Bucket=thumbnails, Key=key)["Body"].read())
        row, column = divmod(place, columns)
        sheet.paste(
            Image.open(file).resize((width - 4, height - 4)),
            (column * width, row * height),
        )
    return sheet


alt = {"image/png": {"alt": f"{len(made('pictures/first/'))} small landscapes in rows"}}
display(gallery("pictures/first/"), metadata=alt)

# %% [markdown]
# ## More at once
#
# Now up to six batches at a time. What could keep the work from being three times as fast?
#
# **Predict:** how many times as fast will it be?

# %%
predict("11.d")

# %%
change_mapping(ScalingConfig={"MaximumConcurrency": 6})
second_began = drop("pictures/second/")

# %%
second = reports(logs, function, at_least=10, since=second_began)
ax = plot_timeline(second)


# %%
def summary(frame):
    end = frame["start"] + pd.to_timedelta(frame["duration_ms"], unit="ms")
    return {
        "invocations": len(frame),
        "cold starts": int(frame["init_ms"].notna().sum()),
        "mean Duration, ms": round(frame["duration_ms"].mean()),
        "first START to last REPORT, s": round(
            (end.max() - frame["start"].min()).total_seconds(), 1
        ),
    }


runs = {"MaximumConcurrency 2": first, "MaximumConcurrency 6": second}
pd.DataFrame(
    {label: pd.Series(summary(frame), dtype=object) for label, frame in runs.items()}
)

# %%
took = [summary(frame)["first START to last REPORT, s"] for frame in (first, second)]
predicted("11.d", f"{took[0] / took[1]:.1f} times as fast")

# %% [markdown]
# On the embedded AWS the environments share the processors of this machine, so at some point each is slower the more there are: compare the
# Durations. On AWS they do not. There other things set the limit: a database or a service that the function calls, or the concurrency of your
# account, which all your functions share. That is what `MaximumConcurrency` is for: it is a valve. (The least that Lambda takes is 2.)
#
# CloudWatch has a metric for it, `ConcurrentExecutions`. On AWS it comes a few minutes late.


# %% datapoints
def datapoints(namespace, metric, dimension, name, statistic, since):
    """The values of a metric since then, one a minute, as boto3 returns them."""
    return cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": dimension, "Value": name}],
        StartTime=since.replace(second=0, microsecond=0),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]


concurrency = (
    "AWS/Lambda",
    "ConcurrentExecutions",
    "FunctionName",
    function,
    "Maximum",
    first_began,
)
wait_until(lambda: datapoints(*concurrency))
print(
    "at most",
    int(max(point["Maximum"] for point in datapoints(*concurrency))),
    "at once in any minute",
)

# %% [markdown]
# ## An alarm, before something goes wrong
#
# A dead-letter queue that nobody looks at is a wastebasket. So let CloudWatch look: an alarm that goes off as soon as there is a message in it. With
# `AlarmActions=[…]` it would tell an SNS topic, which sends a mail. Here we look at its state ourselves. (On AWS a new alarm is `INSUFFICIENT_DATA` at
# first. And when this notebook was run before, it may be `ALARM` already: a dead letter of that run is still there.)

# %% alarm
alarm = workshop.name("thumbnail-failed")
cloudwatch.put_metric_alarm(
    AlarmName=alarm,
    Namespace="AWS/SQS",
    MetricName="ApproximateNumberOfMessagesVisible",
    Dimensions=[{"Name": "QueueName", "Value": workshop.name("thumbnail-failed")}],
    Statistic="Maximum",
    Period=60,
    EvaluationPeriods=1,
    Threshold=0,
    ComparisonOperator="GreaterThanThreshold",
    TreatMissingData="notBreaching",
)


def alarm_state():
    return cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0][
        "StateValue"
    ]


alarm_state()

# %% [markdown]
# ## One picture that breaks it
#
# Our fifty were JPEG files. Now somebody uploads a logo: a PNG whose background is **transparent**. JPEG knows nothing of transparency. What will Pillow do?

# %% logo
logo = Image.new("RGBA", (600, 400), (0, 0, 0, 0))
ImageDraw.Draw(logo).ellipse((150, 50, 450, 350), fill=RED)
try:
    logo.save(io.BytesIO(), "JPEG")
except OSError as error:
    print(error)

# %% [markdown]
# So that we need not wait, we make the queue impatient: three tries instead of five, and a visibility timeout of five seconds, the function's `Timeout`, which is the least
# that Lambda accepts of the queue of a mapping. (With the recommended values a message would need two and a half minutes to the dead-letter queue.)

# %%
impatient = patience(options["Timeout"], tries=3)
sqs.set_queue_attributes(QueueUrl=jobs_url, Attributes=impatient)
change_mapping(ScalingConfig={"MaximumConcurrency": 2})

# %% [markdown]
# Two functions to see what becomes of some pictures: how often each was tried, by the function's log; whether it has a thumbnail; and whether its message is in
# the dead-letter queue. (A receive with `VisibilityTimeout=0` only looks: the message
# stays visible. `WaitTimeSeconds` makes SQS ask all its servers, instead of some.)


# %% outcome
def dead_letters():
    """The keys in the dead-letter queue, of up to ten messages."""
    answer = sqs.receive_message(
        QueueUrl=failed_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        WaitTimeSeconds=1,
    )
    bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [
        record["s3"]["object"]["key"] for body in bodies for record in body["Records"]
    ]


def outcome(names, prefix, since):
    """One row for each picture: its tries, its thumbnail, its dead letter."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{function}", startTime=int(since.timestamp() * 1000)
    )
    messages = [event["message"].split() for page in pages for event in page["events"]]
    tried, there, dead = (
        [words[-1] for words in messages if words[:1] == ["try"]],
        made(prefix),
        dead_letters(),
    )
    rows = [
        {
            "tries": tried.count(key),
            "thumbnail": key in there,
            "dead letter": key in dead,
        }
        for key in (prefix + name for name in names)
    ]
    return pd.DataFrame(rows, index=names).replace({True: "yes", False: "no"})


# %% [markdown]
# Five pictures at once: four good ones, and the logo in the middle.
#
# **Predict:** how often will the two be tried that come after the logo?

# %%
predict("11.e")

# %% [markdown]
# **Predict:** how many of the five will be in the dead-letter queue in the end?

# %%
predict("11.f")


# %% upload
def upload(files, prefix):
    """Put these, without thumbnails of an earlier run and without old dead letters; return when it began."""
    forget(prefix)
    while old := sqs.receive_message(
        QueueUrl=failed_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
    ).get("Messages"):
        entries = [
            {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]}
            for i, message in enumerate(old)
        ]
        sqs.delete_message_batch(QueueUrl=failed_url, Entries=entries)
    began = datetime.now(UTC)
    for name, content in files.items():
        put(prefix + name, content)
    return began


def as_png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


# %%
batch = dict(
    zip(
        ["beach.jpg", "city.jpg", "logo.png", "lake.jpg", "wood.jpg"],
        pictures,
        strict=False,
    )
)
batch["logo.png"] = as_png(logo)
broken_began = upload(batch, "pictures/mixed/")
wait_until(
    lambda: "pictures/mixed/logo.png" in dead_letters() and depth(jobs_url) == [0, 0]
)

# %%
mixed = outcome(batch, "pictures/mixed/", broken_began)
mixed

# %%
predicted("11.e", f"tried {mixed['tries']['lake.jpg']} times")
predicted("11.f", f"{(mixed['dead letter'] == 'yes').sum()} of {len(mixed)}")

# %% [markdown]
# One bad picture, and all that came in its batch are in the dead-letter queue. Those before it were made, and made again, three times. Those after it were
# *never* tried: `handler` stopped at the exception each time. To Lambda a batch is one thing: it succeeds, or it fails. (On AWS the five may have been
# spread over more than one batch. Then fewer suffered.)
#
# The log says what was wrong.

# %%
pages = logs.get_paginator("filter_log_events").paginate(
    logGroupName=f"/aws/lambda/{function}",
    startTime=int(broken_began.timestamp() * 1000),
)
errors = [
    event["message"]
    for page in pages
    for event in page["events"]
    if "[ERROR]" in event["message"]
]
print(len(errors), "errors:", errors[0].splitlines()[0])

# %% [markdown]
# And the alarm goes off. (On AWS the metric comes some minutes late, and CloudWatch evaluates this alarm once a minute; the embedded AWS
# is there within seconds.)

# %%
wait_until(lambda: alarm_state() == "ALARM", seconds=1200)
cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateReason"]

# %% [markdown]
# ## Fix it, and send the work back
#
# The picture is not to blame: the function is. Convert every image to RGB before it is saved, and that is all.
#
# A new version of the code means a cold start, and five seconds are not much. If a batch takes longer than its visibility timeout, it is
# delivered a second time, although nothing is wrong. So `renew` has the cold start at once.

# %% fixed
source = {
    name: (function_folder("thumbnail") / "python" / name).read_text()
    for name in ("app.py", "thumbnail.py")
}
fixed = source | {
    "thumbnail.py": source["thumbnail.py"].replace(
        "image.save(", 'image.convert("RGB").save('
    )
}


def renew(files, **configuration):
    deploy(workshop, function, files, **configuration)
    lambda_client.invoke(FunctionName=function, Payload='{"Records": []}')


renew(fixed, **options)
print(
    [line.strip() for line in fixed["thumbnail.py"].splitlines() if "convert" in line]
)

# %% [markdown]
# Nothing has to be uploaded again, and no user has noticed: the messages are still there. `start_message_move_task` sends all that is in a dead-letter queue back to where it came
# from (the console calls it *redrive*). There each begins anew, with a receive count of 0.

# %%
redrive_began = datetime.now(UTC)
sqs.start_message_move_task(SourceArn=failed_arn)
wait_until(
    lambda: len(made("pictures/mixed/")) == len(batch) and depth(jobs_url) == [0, 0]
)
task = sqs.list_message_move_tasks(SourceArn=failed_arn)["Results"][0]
print(task["Status"], task["ApproximateNumberOfMessagesMoved"], "messages moved")

# %% [markdown]
# The outcome, counted from the redrive on. (On AWS the log lags some seconds behind: run the cell again when tries are missing.)

# %%
outcome(batch, "pictures/mixed/", redrive_began)

# %% [markdown]
# All five have their thumbnail. *beach* and *city* were made a fourth time, which does no harm, since the same key gets the same thumbnail: the work is
# **idempotent**. With queues it has to be, for another reason, too: SQS delivers *at least* once, now and then twice.
#
# A file that is really broken would come back to the dead-letter queue. Then it is for a person to look at it, and to delete the message.
#
# ## Without the queue
#
# Notebook 16 has S3 invoke the function itself. That is simpler. What happens there to our logo? A second function, with the handler `app.direct` and
# the bug still in it, gets the pictures below `direct/`.

# %% direct
direct = workshop.name("thumbnail-direct")
direct_arn = deploy(
    workshop, direct, "thumbnail/python", Handler="app.direct", **options
)["FunctionArn"]
try:
    lambda_client.add_permission(
        FunctionName=direct,
        StatementId="uploads",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{uploads}",
        SourceAccount=account,
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %% [markdown]
# The call replaces the whole configuration of the bucket, so the way to the queue has to be in it once more.

# %% direct-notification
to_function = {
    "LambdaFunctionArn": direct_arn,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "direct/"}]}},
}
_ = s3.put_bucket_notification_configuration(
    Bucket=uploads,
    NotificationConfiguration={
        "QueueConfigurations": [to_queue],
        "LambdaFunctionConfigurations": [to_function],
    },
)

# %% [markdown]
# S3 invokes asynchronously: Lambda takes the event and tries it.
#
# **Predict:** how often?

# %%
predict("11.g")

# %% [markdown]
# **Predict:** where is the event afterwards?

# %%
predict("11.h", choices=["in the queue", "in the dead-letter queue", "gone"])

# %% [markdown]
# (AWS waits one minute before the second try and two before the third. In the embedded AWS a second is one of AWS's minutes.)

# %%
direct_began = datetime.now(UTC)
put("direct/logo.png", batch["logo.png"])
tries = reports(logs, direct, at_least=3, since=direct_began, timeout=600)
tries[["start", "request_id", "duration_ms", "init_ms"]].assign(
    request_id=tries["request_id"].factorize()[0] + 1
)

# %%
predicted("11.g", f"{len(tries)} times")

# %% [markdown]
# Three tries of one and the same request (`request_id` is numbered here). Then Lambda gave up. A metric counts it; the event itself is gone.

# %%
dropped = (
    "AWS/Lambda",
    "AsyncEventsDropped",
    "FunctionName",
    direct,
    "Sum",
    direct_began,
)
wait_until(lambda: datapoints(*dropped))
print(
    "dropped:",
    int(sum(point["Sum"] for point in datapoints(*dropped))),
    "thumbnails:",
    made("direct/"),
)

# %%
kept = "direct/logo.png" in dead_letters()
predicted("11.h", "in the dead-letter queue" if kept else "gone")

# %% [markdown]
# | | S3 → Lambda | S3 → SQS → Lambda |
# |---|---|---|
# | the function fails | two more tries, within minutes | `maxReceiveCount` tries, one per visibility timeout |
# | and then | gone, unless an `OnFailure` destination or a dead-letter queue is set | in the dead-letter queue, for up to {{sqs_retention}} |
# | after the fix | a destination's records have to be sent again by a program of yours | redrive, one call |
# | how much is waiting? | not to be seen, only the age of what is taken (`AsyncEventAge`) | queue depth: a metric, and alarms on it |
# | how many at once? | as many as come, up to the account's limit or a reserved concurrency | `MaximumConcurrency` |
# | what is one event for the function? | one object, as a rule | up to `BatchSize` objects |
# | parts to build | a permission and a notification | two queues, a policy, a mapping, an alarm |
#
# Neither is always right. The queue costs parts, and a little delay, and gives time: time to fix.
#
# ## What it costs
#
# Lambda's part, from the REPORT lines of the first fifty. (Requests to S3 and SQS come on top. SQS has a million free requests per month, and batches need fewer. On
# AWS, Lambda polls an empty queue all the time, and those requests count.)

# %%
prices = load_prices()["lambda"]
gb_seconds = (first["billed_ms"] / 1000 * first["memory_mb"] / 1024).sum()
cost = gb_seconds * prices["gb_second"]["x86_64"] + len(first) * prices["request"]
print(
    f"{gb_seconds:.1f} GB-s for {len(pictures)} pictures: {cost / len(pictures) * 1000:.4f} USD for a thousand"
)

# %% [markdown]
# ## Exercise 1: only the bad one
#
# Four good pictures suffered with the logo. Lambda offers a remedy: a function may answer which messages of a batch have failed, and all others are
# deleted. Write `handle_each`, which takes the place of `handler`, so that
#
# - every message of the batch is tried, whatever happens to the others;
# - it returns `{"batchItemFailures": [{"itemIdentifier": <messageId>}, …]}`, with one entry for each message that failed, and an empty list when none did.
#
# `work(message)` is the one from above; it raises an exception when a picture fails. Print the exception, or else nobody will ever know of it.


# %% partial-handler
def handle_each(event, context):
    failures = []
    # solution: Try work(message) for each of event["Records"]; note the messageId of each that fails.
    for message in event["Records"]:
        try:
            work(message)
        except Exception as error:  # whatever it is, the others must not suffer
            print("failed:", message["messageId"], repr(error))
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}


# %% [markdown]
# The next cell deploys it as a function of its own, and checks it. When it is right, it takes the place of the old one, and the mapping is told to listen to its answer
# (`ReportBatchItemFailures`). Then five pictures come again. One of them was cut off in the middle, and no function can help it.

# %%
# check
each = fixed | {"app.py": fixed["app.py"] + "\n\n" + inspect.getsource(handle_each)}
options_of_each = options | {"Handler": "app.handle_each"}
deploy(workshop, workshop.name("thumbnail-partial"), each, **options_of_each)
check("11.1")

renew(each, **options_of_each)
change_mapping(FunctionResponseTypes=["ReportBatchItemFailures"])
damaged = dict(
    zip(
        ["beach.jpg", "city.jpg", "damaged.jpg", "lake.jpg", "wood.jpg"],
        pictures,
        strict=False,
    )
)
damaged["damaged.jpg"] = damaged["damaged.jpg"][:50_000]
damaged_began = upload(damaged, "pictures/damaged/")
wait_until(
    lambda: (
        "pictures/damaged/damaged.jpg" in dead_letters() and depth(jobs_url) == [0, 0]
    )
)
outcome(damaged, "pictures/damaged/", damaged_began)

# %% [markdown]
# If you have solved it: each good picture was tried once, and only the damaged one came again, until it was a dead letter. The invocations themselves count as successful now, so the
# metric `Errors` stays at 0. What tells you of failures is the dead-letter queue, and its alarm.
#
# Now the queue gets its patience back.

# %%
_ = sqs.set_queue_attributes(
    QueueUrl=jobs_url, Attributes=patience(6 * options["Timeout"] + 1, tries=5)
)

# %% [markdown]
# ## Exercise 2: how long will it take?
#
# The marketing department wants to upload 10,000 pictures at once. Write `drain_seconds`: how many seconds until the queue is empty again?
#
# - `frame` is a table of `reports()`, with one row per batch. Take the mean `duration_ms` of the **warm** ones: among thousands of batches the few cold starts do not count;
# - `images` come at once, `batch_size` in each batch, and all batches are full but maybe the last;
# - `max_concurrency` batches are worked on at a time, and no other limit holds.


# %% drain-seconds
def drain_seconds(frame, images, batch_size, max_concurrency):
    # solution: How many batches are there, and how many does each of the environments have to do?
    warm = frame[frame["init_ms"].isna()]
    batches = np.ceil(images / batch_size)
    return np.ceil(batches / max_concurrency) * warm["duration_ms"].mean() / 1000


# %%
# check
check("11.2", drain_seconds)

seconds = {
    number: round(drain_seconds(first, 10_000, 5, number))
    for number in (2, 10, 50, 200)
}
pd.Series(seconds, name="seconds").rename_axis("MaximumConcurrency").to_frame()

# %% [markdown]
# These are seconds by *your* Durations. Each row costs the same: twice as many environments work for half as long. Only what is behind the function, and your account's limit,
# says where to stop.
#
# ## Exercise 3: with the queue, or without?
#
# Five cases. For each choose `"queue"` (S3 → SQS → Lambda) or `"direct"` (S3 → Lambda).

# %% cases
cases = {
    "scans": "At two in the morning 40,000 scans arrive at once. The function calls a service that bears 20 calls at a time.",
    "contracts": "Signed contracts. When a bug is found on Monday, all of a long weekend must be done again, by one call.",
    "avatars": "Ten a day. When one fails, its user uploads it again. The team wants as few parts as possible.",
    "readings": "A million small files an hour. Work on one takes 2 ms, and on a hundred together hardly more than 20 ms.",
    "preview": "A user waits for the preview of the one file just uploaded. An hour later nobody wants it any more.",
}
display(Markdown("\n".join(f"- **{case}**: {text}" for case, text in cases.items())))

# %% ways
ways = dict.fromkeys(cases, "choose")
# solution: Write your choices here, e.g. ways["scans"] = "direct".
ways |= dict.fromkeys(["scans", "contracts", "readings"], "queue")
ways |= dict.fromkeys(["avatars", "preview"], "direct")

# %%
# check
check("11.3", ways)

pd.Series(ways, name="way").to_frame()

# %% [markdown]
# ## What you have learned
#
# - A compiled library has to be built for the function's runtime and architecture; a layer keeps it apart from the code, and all together stay below {{unzipped}}.
# - A queue in between lets messages wait instead of functions, shows how many wait, and lets you choose how many are worked on at once.
# - A failed message comes again after the visibility timeout, and after `maxReceiveCount` tries it is a dead letter. An alarm must tell somebody.
# - A batch succeeds or fails as a whole, unless the function reports its failures, and the mapping asks for them.
# - After the fix, a redrive does the work that was left. Since messages come again, the work must be idempotent.
# - S3 → Lambda is simpler, and forgets after three tries.
#
# **Next:** notebook 12 has a function that a clock starts. `python3 -m helpers clean` removes what this notebook made.
