# %% [markdown]
# # 11 Thumbnails
#
# After this notebook you will be able to
#
# - put a queue between S3 and Lambda, and choose its settings and those of the mapping;
# - give a function a compiled library, and know how large it may be;
# - watch the work: queue depth, concurrency, results;
# - find what failed in a dead-letter queue, let an alarm tell you, fix the function, and send the work back;
# - say what the queue is good for, and when S3 can invoke the function directly.
#
# It takes about 50 minutes. You can do it in two sessions: there is a pause in the middle.
#
# Slides: "Example 1: make a thumbnail when a file is added to S3" (「例1: S3にファイルが追加されたらサムネイル作成」, page 26), in the part "Architectures".
#
# ![A picture in S3 becomes a message in a queue; Lambda makes thumbnails in batches; what fails goes to a dead-letter queue](lessons/11-thumbnails/picture.svg)
#
# Users upload pictures, and each needs a small copy. The web server should have time for its visitors, so
# it only puts the picture into S3. The rest happens without it:
#
# 1. S3 sends an event to a queue.
# 2. Lambda takes messages from the queue, several at once, and invokes the function with them.
# 3. The function makes thumbnails, and puts them into a second bucket.
# 4. What fails again and again goes to a **dead-letter queue**, and an alarm tells you.

# %% notes [markdown]
# Minutes: 2
#
# Say: The first example of the deck, and the first system that you build and not only call. Follow the arrows of the
# picture with your finger, and ask at each arrow: what happens if this one fails? By the end there is an answer for
# each.
#
# Goes wrong: It is long. Up to *A pause* it is a complete story; the second half is about failures, and worth a
# session of its own.

# %% imports
import hashlib
import inspect
import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

# %%
import numpy as np
import pandas as pd
from helpers import connect, deploy, package_layer, plot_timeline, reports, track, watch
from helpers.lessons import function_folder
from helpers.plots import RED
from IPython.display import Markdown, display
from PIL import Image, ImageDraw

# %% connect
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
s3, sqs = workshop.client("s3"), workshop.client("sqs")
cloudwatch = workshop.client("cloudwatch")
workshop

# %%
from helpers import check, claim, fact, hint, load_prices, predict, predicted, solution

# %% [markdown]
# ## The function
#
# It has two files. The first one makes a thumbnail from a record of an S3 event, with Pillow (imported as `PIL`), Python's
# best-known library for pictures.
#
# Before a thumbnail is published, another service checks what it shows, as Amazon Rekognition does. Here
# `moderate` only waits as long as such a call takes: 0.5 s.

# %% notes [markdown]
# Minutes: 4
#
# Say: Half of the work is in reading: a message of SQS has a body, and the body is an event of S3 as text. Ask
# somebody to find the picture's key in it. Then the guess: no work to do, so will it run?
#
# Goes wrong: `Unable to import module 'app': No module named 'PIL'`: it is wanted here. Who installs Pillow into the
# notebook's Python gains nothing; the function has a Python of its own.
#
# Answer 11.a: No. The import at the top fails before any work: Lambda's Python has the standard library and boto3.

# %% source-files
folder = function_folder("thumbnail") / "python"
original = {name: (folder / name).read_text() for name in ("thumbnail.py", "app.py")}

# %%
Markdown(f"```python\n{original['thumbnail.py']}```")

# %% [markdown]
# The second file has the handler. Look at `work`: an event of SQS holds messages, and the `body` of each message is the event of S3, as
# text: JSON within JSON. (`direct` is for later.)

# %%
Markdown(f"```python\n{original['app.py']}```")

# %% [markdown]
# A function may do only what its **role** allows. Each statement of a role names the calls that are allowed (`Action`), and where (`Resource`).
# Look at the code again: this function reads objects of one bucket, and puts objects into another one. So its role allows these two calls, and
# no more. (`workshop.role` adds the right to write logs.)

# %% role
uploads = workshop.bucket("thumbnail-uploads")
thumbnails = workshop.bucket("thumbnails")
uploads_arn = f"arn:{workshop.partition}:s3:::{uploads}"
thumbnails_arn = f"arn:{workshop.partition}:s3:::{thumbnails}"
read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{uploads_arn}/*"}
write = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{thumbnails_arn}/*"}
makes_thumbnails = workshop.role(read, write)

# %% [markdown]
# Deploy the function with this role, and invoke it.
#
# **Predict:** will it run? The event holds no message, so there is no work to do.

# %%
predict("11.a", choices=["yes", "no"])

# %% function
function = workshop.name("thumbnail")
options = {"Role": makes_thumbnails, "MemorySize": 512, "Timeout": 10}
options["Environment"] = {"Variables": {"THUMBNAILS": thumbnails, "SERVICE_S": "0.5"}}

# %% bare-function
deploy(workshop, function, "thumbnail/python", **options)
response = lambda_client.invoke(FunctionName=function, Payload='{"Records": []}')
json.loads(response["Payload"].read())

# %%
predicted("11.a", "no" if "FunctionError" in response else "yes")

# %% [markdown]
# Lambda's Python has the standard library and boto3, and nothing else. You bring other libraries along.
#
# ## A compiled library
#
# A library in pure Python is text, and runs anywhere. Pillow has parts in C, which are compiled for **one** kind of machine and one version of
# Python. On AWS that is Amazon Linux, the architecture of the function (here x86_64), and its runtime (here Python 3.13). A Pillow that you
# installed on a Mac does not run there.
#
# For AWS, `package_layer` downloads the Pillow that is compiled for Lambda's Linux and Python. The
# embedded AWS runs functions with this machine's Python, so it takes what is installed here.
# The names of the compiled files say for which Python and which machine they were made.

# %% notes [markdown]
# Minutes: 3
#
# Say: "It works on my Mac" is this section. Look at the names of the files: they say for which Python and which
# machine they were compiled. Ask who has met that with Lambda.
#
# Goes wrong: Somebody thinks that a layer makes room. It counts into the same unzipped size; what it saves is the
# upload at each change of your code.
#
# Skip: How `publish` compares hashes.

# %% archive
archive = package_layer(["pillow"], target=workshop.target)
entries = zipfile.ZipFile(io.BytesIO(archive)).infolist()
[each.filename.split("/")[-1] for each in entries if each.filename.endswith(".so")][:3]

# %% [markdown]
# Lambda limits the size of a zip that is sent in the call itself, and the size of everything unzipped: the function with
# all its layers. (A larger zip can come from S3, but the second limit holds for it, too.)

# %%
sizes = pd.Series([len(archive), sum(each.file_size for each in entries)])
limits = pd.Series([fact("zip"), fact("unzipped")])
columns = {"MB": (sizes / 2**20).round(1), "limit in MB": limits}
pd.DataFrame(columns).set_axis(["zipped", "unzipped"])

# %% [markdown]
# With Pillow in the package of the function, each small change of your code sends it all again. A **layer** is a zip of
# its own: you publish it once, and each function that needs it names it. Lambda unpacks it to `/opt`, and Python looks below
# `/opt/python`, so all names in the zip begin with `python/`.
#
# Each publication makes a new *version*, even with the same content. So `publish` keeps a hash of the content in the
# description, and compares first.


# %% layer
def publish(name, archive):
    """The ARN of the layer version with this content; made if the newest differs."""
    digest = hashlib.sha256(archive).hexdigest()
    versions = lambda_client.list_layer_versions(LayerName=name)["LayerVersions"]
    if versions and versions[0].get("Description") == digest:  # the newest comes first
        return versions[0]["LayerVersionArn"]
    layer = {"LayerName": name, "Description": digest, "Content": {"ZipFile": archive}}
    layer["CompatibleRuntimes"] = ["python3.13"]
    return lambda_client.publish_layer_version(**layer)["LayerVersionArn"]


# %% published-layer
options["Layers"] = [publish(workshop.name("pillow"), archive)]
print("version", options["Layers"][0].split(":")[-1])

# %% [markdown]
# With the layer, the same call works: no error, and the answer is `None`, JSON's `null`.

# %% layered-function
deploy(workshop, function, "thumbnail/python", **options)
response = lambda_client.invoke(FunctionName=function, Payload='{"Records": []}')
print(response.get("FunctionError"), json.loads(response["Payload"].read()))

# %% [markdown]
# ## The buckets and the queues
#
# You need **two** buckets: a function that writes into the bucket that starts it starts itself, again and again (notebook 15).
# Another prefix in the same bucket and a filter work as well, until somebody changes the filter.

# %% notes [markdown]
# Minutes: 3
#
# Say: Two buckets, and the reason is a nightmare: notebook 15 shows what one bucket does. Then three numbers of a
# queue; say each as a sentence: how long is a message hidden, how often is it tried, how long is it kept.
#
# Goes wrong: The visibility timeout is taken for a delay. It is the time in which nobody else sees a message that
# somebody works on.

# %% buckets
place = {"LocationConstraint": workshop.region}
in_region = {"CreateBucketConfiguration": place}
if workshop.region == "us-east-1":  # the one region that must not be named here
    in_region = {}
for bucket in (uploads, thumbnails):
    try:
        s3.create_bucket(Bucket=bucket, **in_region)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        print(bucket, "is there already.")

# %% [markdown]
# When Lambda takes a message, the message stays in the queue, but nobody else sees it for the **visibility timeout**: it is *in flight*. After
# success Lambda deletes it. After a failure nothing more happens: the timeout ends, the message is visible again, and is *tried again*.
#
# - `VisibilityTimeout`: longer than any try can take. AWS recommends six times the function's `Timeout`, plus the batching window.
# - `RedrivePolicy`: after `maxReceiveCount` tries a message goes to the dead-letter queue. AWS recommends at least 5, since a throttled
#   invocation counts as a try, too.
# - `MessageRetentionPeriod`: how long a queue keeps a message, {{sqs_retention_default}} by default, {{sqs_retention}} at most. The age of a
#   message goes on in the dead-letter queue, so let that queue keep messages longer.
#
# (Source: [Configuring an SQS queue for Lambda](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html), AWS Lambda Developer Guide, read in
# November 2026.)


# %% queues
def make_queue(name, attributes):
    """The queue's URL and ARN; a queue that is there already gets these attributes."""
    url = sqs.create_queue(QueueName=workshop.name(name))["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


# %% dead-letter-queue
longest = {"MessageRetentionPeriod": str(fact("sqs_retention") * 24 * 3600)}
failed_url, failed_arn = make_queue("thumbnail-failed", longest)


# %% jobs-queue
def patience(visibility_timeout, tries):
    """The attributes that say when a message is tried again, and how often."""
    redrive = {"deadLetterTargetArn": failed_arn, "maxReceiveCount": tries}
    timeout = {"VisibilityTimeout": str(visibility_timeout)}
    return timeout | {"RedrivePolicy": json.dumps(redrive)}


patient = patience(6 * options["Timeout"] + 1, tries=5)
jobs_url, jobs_arn = make_queue("thumbnail-jobs", patient)

# %% [markdown]
# ## From the queue to the function
#
# An **event source mapping** joins them: Lambda polls the queue for you, and invokes the function with what it finds. Lambda does that in the role of the
# function. So the role must allow three calls more, on this queue alone. (AWS's managed policy `AWSLambdaSQSQueueExecutionRole` allows the same
# three, but on every queue of the account.)

# %% notes [markdown]
# Minutes: 4
#
# Say: The function does not ask the queue. Lambda does, in the role of the function: so the role needs three rights
# for calls that your code never makes. That surprises everybody once.
#
# Goes wrong: Without these rights Lambda refuses the mapping. On AWS a change of a mapping takes up to a minute; the
# cell waits.

# %% queue-role
take = {"Effect": "Allow", "Resource": jobs_arn}
take["Action"] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
options["Role"] = workshop.role(read, write, take)
_ = deploy(workshop, function, "thumbnail/python", **options)

# %% [markdown]
# Without this role Lambda would refuse the mapping. A change of the mapping can take a minute on AWS: `wait_until` waits for a condition.


# %% change-mapping
from helpers import wait_until


def is_enabled():
    return lambda_client.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"


def change_mapping(**settings):
    lambda_client.update_event_source_mapping(UUID=mapping, **settings)
    wait_until(is_enabled)


# %% mapping
ends = {"EventSourceArn": jobs_arn, "FunctionName": function}
found = lambda_client.list_event_source_mappings(**ends)["EventSourceMappings"]
if not found:
    found = [lambda_client.create_event_source_mapping(**ends)]
mapping = found[0]["UUID"]
wait_until(is_enabled)

# %% [markdown]
# - `BatchSize`: at most five messages for one invocation.
# - `MaximumBatchingWindowInSeconds`: wait up to a second for a batch to become full.
# - `MaximumConcurrency`: at most two invocations at a time, the least that Lambda takes. Without it Lambda begins with five, and adds up to {{sqs_growth}} a minute.
#   With *provisioned mode* (`ProvisionedPollerConfig`, since {{sqs_provisioned_mode}}, not in the embedded AWS) you pay by the hour for up to
#   {{sqs_pollers}} pollers, and need not begin small.
# - `FunctionResponseTypes`: empty for now. The first exercise is about it.
#
# (Source of the numbers: [Scaling of SQS event source mappings]({{sqs_growth.source}}), read in November 2026.)

# %% mapping-settings
change_mapping(
    BatchSize=5,
    MaximumBatchingWindowInSeconds=1,
    ScalingConfig={"MaximumConcurrency": 2},
    FunctionResponseTypes=[],
)

# %% [markdown]
# ## From the bucket to the queue
#
# Two settings. The queue allows S3 to send, but only for our bucket and our account.

# %% notes [markdown]
# Minutes: 2
#
# Say: Two settings again, one on each side, as with every arrow: the queue lets S3 in, and the bucket sends. Ask
# which of the two people forget.
#
# Goes wrong: The call for notifications replaces all that the bucket had. Only keys that begin with `pictures/`
# count; a test file beside it does nothing.

# %% condition
account = jobs_arn.split(":")[4]
from_us = {
    "ArnEquals": {"aws:SourceArn": uploads_arn},
    "StringEquals": {"aws:SourceAccount": account},
}

# %% queue-policy
permission = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": jobs_arn,
    "Condition": from_us,
}
policy = json.dumps({"Version": "2012-10-17", "Statement": [permission]})
_ = sqs.set_queue_attributes(QueueUrl=jobs_url, Attributes={"Policy": policy})

# %% [markdown]
# The bucket notifies the queue of new objects whose keys begin with `pictures/`.


# %% notify
def created(prefix):
    rule = {"Name": "prefix", "Value": prefix}
    key = {"FilterRules": [rule]}
    return {"Events": ["s3:ObjectCreated:*"], "Filter": {"Key": key}}


def notify(**wanted):
    """Replace the notifications of the bucket by these."""
    s3.put_bucket_notification_configuration(
        Bucket=uploads, NotificationConfiguration=wanted
    )


# %% notification
to_queue = {"QueueArn": jobs_arn, **created("pictures/")}
notify(QueueConfigurations=[to_queue])

# %% [markdown]
# ## Sixty pictures
#
# The folded cell defines how to paint a picture: hills in the evening. Ten are painted, and each is uploaded six
# times: for the system that makes no difference.

# %% notes [markdown]
# Minutes: 6
#
# Say: Let everybody guess both numbers, then look at the queue of the picture, and not at the function: it fills, and
# nothing is refused. This is what a queue is for. The web server has been done for a long time.
#
# Goes wrong: More than twelve invocations: then some batches were not full. On AWS that is usual. If nothing happens
# at all, a cell of the mapping or of the notification was left out: *Run → Run All Above Selected Cell*.
#
# Answer 11.b: Twelve, if each batch is full: sixty messages, five in each.
#
# Answer 11.c: Two: the mapping lets two batches run at a time, and an environment is used again.
#
# Skip: What the folded cells do: how pictures are painted, and how the sheet of the results is made. Run them.


# %% paint folded
def paint(number, size=(1500, 1000)):
    """A landscape as a Pillow image."""
    random, unit = np.random.default_rng(number), size[0] / 3000
    dark, light = (tuple(random.integers(low, low + 80, 3)) for low in (20, 170))
    sky = Image.linear_gradient("L").resize(size)
    evening = Image.new("RGB", size, light), Image.new("RGB", size, dark)
    image = Image.composite(*evening, sky)
    draw = ImageDraw.Draw(image)
    x, y, radius = random.integers((400, 300, 100), (2600, 900, 240)) * unit
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 240, 190))
    steps = np.arange(0, 3050, 50)
    for hill in range(4):
        wave = np.sin(steps / random.integers(260, 840) + random.random() * 6)
        heights = 960 + 260 * hill + 180 * wave
        ridge = zip(steps * unit, heights * unit, strict=True)
        color = tuple(value // (hill + 2) for value in light)
        draw.polygon([(0, size[1]), *ridge, size], fill=color)
    return image


def as_file(image, kind="JPEG"):
    """The bytes of a file with this image."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


# %%
painted = [as_file(paint(number)) for number in track(range(10), "pictures painted")]
pictures = painted * 6
alt = {"image/png": {"alt": "A painted landscape: a sun above four hills"}}
display(paint(7).resize((420, 280)), metadata=alt)

# %% [markdown]
# What can you see from outside? SQS says how many messages wait and how many are in flight (*approximately*: on AWS the figures lag a little).
# S3 says how many thumbnails there are.


# %% depth
def depth(url):
    """Messages that wait, and messages in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return [int(answer["Attributes"][name]) for name in names]


# %% made
def made(prefix):
    """The keys of the thumbnails below this prefix."""
    answer = s3.list_objects_v2(Bucket=thumbnails, Prefix=prefix)
    return [each["Key"] for each in answer.get("Contents", [])]


# %% [markdown]
# So that you can run each cell again, `begin_anew` first deletes what an earlier or interrupted run left: messages in both queues, and
# thumbnails.


# %% emptied
def emptied(url):
    """Delete up to ten messages, and say whether the queue is empty."""
    few = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    messages = sqs.receive_message(QueueUrl=url, **few).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return not messages and depth(url) == [0, 0]


# %% begin-anew
def begin_anew(prefix):
    """Empty both queues, delete thumbnails with this prefix, return the time."""
    wait_until(lambda: emptied(jobs_url) and emptied(failed_url))
    for key in made(prefix):
        s3.delete_object(Bucket=thumbnails, Key=key)
    return datetime.now(UTC)


# %% put
def put(key, content):
    s3.put_object(Bucket=uploads, Key=key, Body=content)


# %% drop
def drop(prefix):
    """Put all pictures at once, as many users would; return when it began."""
    began = begin_anew(prefix)
    keys = [f"{prefix}{number:02}.jpg" for number in range(len(pictures))]
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(put, keys, pictures))
    return began


# %% all-made
def all_made(prefix):
    """Wait until there is a thumbnail of each picture."""
    wait_until(lambda: len(made(prefix)) == len(pictures))


# %% [markdown]
# `watch(…, show="system")` draws the system while a cell works: the buckets, queues and functions, and the lines along which something
# moves between them. (A dotted line: the role of the function allows it.) When the cell is done, a still picture stays. Look at the queue: how
# many messages wait, how many are in flight, and, as a small curve, how that changed. The numbers on the lines say how many have moved.
#
# **Predict:** sixty messages, five in a batch, two batches at a time. How many invocations will that be?

# %%
predict("11.b")

# %% [markdown]
# **Predict:** in how many environments?

# %%
predict("11.c")

# %% first
change_mapping(ScalingConfig={"MaximumConcurrency": 2})
with watch(workshop, function, show="system") as seen:
    first_began = drop("pictures/first/")
    all_made("pictures/first/")
first = reports(logs, function, at_least=12, since=first_began)

# %% [markdown]
# No event was refused: the *messages* waited. Now from Lambda's side: each bar is an invocation. (Lambda may hold a third batch ready:
# its messages are in flight, too.)

# %%
ax = plot_timeline(first)

# %%
predicted("11.b", f"{len(first)} invocations")
predicted("11.c", f"{first['environment'].nunique()} environments")
claim("messages waited", seen.most(workshop.name("thumbnail-jobs"))["waiting"] >= 10)
claim("no invocation failed", (first["status"] == "success").all())

# %% [markdown]
# If each batch is full, it is twelve invocations. The folded cell shows the results.


# %% gallery folded
def gallery(prefix, columns=12, width=80, height=55):
    """All thumbnails below this prefix on one sheet."""
    keys = made(prefix)
    rows = -(-len(keys) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for place, key in enumerate(keys):
        content = s3.get_object(Bucket=thumbnails, Key=key)["Body"].read()
        small = Image.open(io.BytesIO(content)).resize((width - 4, height - 4))
        row, column = divmod(place, columns)
        sheet.paste(small, (column * width, row * height))
    return sheet


count = len(made("pictures/first/"))
alt = {"image/png": {"alt": f"{count} small landscapes in rows"}}
display(gallery("pictures/first/"), metadata=alt)

# %% [markdown]
# ## More at once
#
# Now up to six batches at a time.
#
# **Predict:** how many times as fast will it be?

# %% notes [markdown]
# Minutes: 3
#
# Say: One number, three times as many at once. Ask what it costs: the same. Ask then why not a thousand: because
# something is behind the function.
#
# Goes wrong: It is less than three times as fast. New environments start cold, and the last batches are not full.
# Work that computes would gain nothing on a laptop with two cores.
#
# Answer 11.d: Less than three times. Three would be the best case; cold starts and batches that are not full cost a
# part of it.

# %%
predict("11.d")

# %% second
change_mapping(ScalingConfig={"MaximumConcurrency": 6})
with watch(workshop, function, show="system"):
    second_began = drop("pictures/second/")
    all_made("pictures/second/")
second = reports(logs, function, at_least=12, since=second_began)

# %%
ax = plot_timeline(second)


# %% seconds-in-all
def seconds_in_all(frame):
    """From the first START to the last REPORT."""
    end = frame["start"] + pd.to_timedelta(frame["duration_ms"], unit="ms")
    return (end.max() - frame["start"].min()).total_seconds()


# %%
runs = [first, second]
columns = {
    "seconds in all": [seconds_in_all(run) for run in runs],
    "seconds for one batch": [run["duration_ms"].mean() / 1000 for run in runs],
    "cold starts": [run["init_ms"].count() for run in runs],
}
pd.DataFrame(columns, pd.Index([2, 6], name="MaximumConcurrency")).round(1)

# %%
times = seconds_in_all(first) / seconds_in_all(second)
predicted("11.d", f"{times:.1f} times as fast")
claim("six batches at a time are much faster than two", times > 1.6)

# %% [markdown]
# At best it is three times as fast; cold starts, and batches that are not full, cost a part of that. The work costs the same: more environments
# work for a shorter time. Only their init is added.
#
# Here each batch mostly *waits* for the other service. Work that computes needs processors: on AWS each environment
# has its own share, on the embedded AWS all share those of this machine.
#
# More is not always better. A database, or a service that takes 20 calls at a time, may be behind the function; and all your functions share the
# concurrency of your account. `MaximumConcurrency` protects them.
#
# CloudWatch has a metric, `ConcurrentExecutions`. On AWS it comes a few minutes late.


# %% datapoints
def datapoints(metric, name, statistic, since):
    """The values of a metric of a function since then, one a minute."""
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=since.replace(second=0, microsecond=0),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )
    return [point[statistic] for point in answer["Datapoints"]]


# %%
at_once = ("ConcurrentExecutions", function, "Maximum", first_began)
wait_until(lambda: datapoints(*at_once))
print("at most", int(max(datapoints(*at_once))), "at once in any minute")

# %% [markdown]
# ## A pause
#
# This is a good place to stop: what you made stays. When you come back with a new kernel, select this cell, choose
# *Run → Run All Above Selected Cell*, and go on below.

# %% notes [markdown]
# Minutes: 0
#
# Say: Stop here in a day's course. What comes is about one bad picture.

# %% [markdown]
# ## An alarm, before something goes wrong
#
# Nobody looks at a dead-letter queue all day, so let CloudWatch do it: this alarm changes to `ALARM` when there is a message in the queue. With
# `AlarmActions=[…]` it tells an SNS topic, which sends a mail. Here you look at its state yourself.

# %% notes [markdown]
# Minutes: 1
#
# Say: A dead-letter queue that nobody looks at is a waste bin. Make the alarm before you need it; most teams do it
# after.
#
# Skip: Run it, and go on.

# %% alarm
alarm = workshop.name("thumbnail-failed")
more_than_none = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0}
_ = cloudwatch.put_metric_alarm(
    AlarmName=alarm,
    Namespace="AWS/SQS",
    MetricName="ApproximateNumberOfMessagesVisible",
    Dimensions=[{"Name": "QueueName", "Value": workshop.name("thumbnail-failed")}],
    Statistic="Maximum",
    Period=60,
    EvaluationPeriods=1,
    TreatMissingData="notBreaching",
    **more_than_none,
)


# %% alarm-state
def alarm_state():
    answer = cloudwatch.describe_alarms(AlarmNames=[alarm])
    return answer["MetricAlarms"][0]["StateValue"]


alarm_state()

# %% [markdown]
# (On AWS a new alarm is `INSUFFICIENT_DATA` at first. It may be `ALARM` because of a dead letter of an earlier run.)
#
# ## One picture that breaks it
#
# Now somebody uploads a logo: a PNG with a **transparent** background. JPEG has no transparency. What will Pillow do?

# %% notes [markdown]
# Minutes: 5
#
# Say: A logo with a transparent background, uploaded by a nice person in marketing. Nothing is broken on their side.
# Ask for both guesses, and wait for the table: the pictures after it were never tried.
#
# Goes wrong: On AWS the five may come in several batches, and fewer suffer; say so before you show the table. The
# section changes time limits on purpose, so that nobody waits for five minutes.
#
# Answer 11.e: Not at all. The handler ends at the exception, and the whole batch comes again; each time it ends at
# the same picture.
#
# Answer 11.f: All five. For Lambda a batch succeeds or fails as a whole, so the good ones go to the dead-letter queue
# with it.

# %% logo
logo = Image.new("RGBA", (600, 400), (0, 0, 0, 0))
ImageDraw.Draw(logo).ellipse((150, 50, 450, 350), fill=RED)
try:
    as_file(logo, "JPEG")
except OSError as error:
    print(error)

# %% [markdown]
# With the recommended values a message takes five minutes to reach the dead-letter queue. To save time, we leave out the other service. We set a
# `Timeout` of three seconds, a visibility timeout of the same length (the shortest that Lambda accepts), and three tries.
#
# To repeat this section later, begin here: these cells also bring back the function and the mapping.


# %% renew
def renew(files, **configuration):
    """Deploy, and have the cold start at once."""
    deploy(workshop, function, files, **configuration)
    lambda_client.invoke(FunctionName=function, Payload='{"Records": []}')


# %% [markdown]
# On AWS, new attributes of a queue need up to {{sqs_attributes}} until all of SQS knows them, and nothing tells when.


# %% change-queue
def change_queue(attributes):
    """Set these, and wait until they count."""
    sqs.set_queue_attributes(QueueUrl=jobs_url, Attributes=attributes)
    seconds = 0 if workshop.is_embedded else fact("sqs_attributes")
    for _ in track(range(seconds), "seconds"):
        time.sleep(1)


# %% impatient
hasty = options | {"Timeout": 3}
hasty["Environment"] = {"Variables": {"THUMBNAILS": thumbnails}}
renew(original, **hasty)
change_queue(patience(3, tries=3))
change_mapping(ScalingConfig={"MaximumConcurrency": 2}, FunctionResponseTypes=[])

# %% [markdown]
# What is in the dead-letter queue? A receive with `VisibilityTimeout=0` only looks: the message
# stays visible. With `WaitTimeSeconds` SQS asks all its servers, not only some.


# %% dead-letters
def dead_letters():
    """The keys of up to ten pictures whose messages are in the dead-letter queue."""
    look = {"VisibilityTimeout": 0, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    answer = sqs.receive_message(QueueUrl=failed_url, **look)
    bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [each["s3"]["object"]["key"] for body in bodies for each in body["Records"]]


# %% [markdown]
# The folded cell defines `outcome`, a table: how often each picture was tried (by the function's log), whether it has a thumbnail, and whether
# its message is in the dead-letter queue.


# %% outcome folded
def log_since(since):
    """What the function has logged since then, one text for each event."""
    group = {"logGroupName": f"/aws/lambda/{function}"}
    pages = logs.get_paginator("filter_log_events")
    found = pages.paginate(**group, startTime=int(since.timestamp() * 1000))
    return [event["message"] for page in found for event in page["events"]]


def outcome(names, prefix, since):
    """One row for each picture: its tries, its thumbnail, its dead letter."""
    said = [message.split() for message in log_since(since)]
    tried = [words[-1] for words in said if words[:1] == ["try"]]
    there, dead = made(prefix), dead_letters()
    keys = [prefix + name for name in names]
    columns = {
        "tries": [tried.count(key) for key in keys],
        "thumbnail": ["yes" if key in there else "no" for key in keys],
        "dead letter": ["yes" if key in dead else "no" for key in keys],
    }
    return pd.DataFrame(columns, index=list(names))


# %% upload
def upload(files, prefix):
    """Put these below the prefix, one after the other; return when it began."""
    began = begin_anew(prefix)
    for name, content in files.items():
        put(prefix + name, content)
    return began


# %% is-settled
def is_settled(key):
    """Whether this picture is a dead letter, and the queue has nothing left to do."""
    return key in dead_letters() and depth(jobs_url) == [0, 0]


# %% [markdown]
# Five pictures at once: four good ones, and the logo in the middle.
#
# **Predict:** how often will the two pictures after the logo be tried?

# %%
predict("11.e")

# %% [markdown]
# **Predict:** how many of the five will be in the dead-letter queue in the end? (In the picture below, look at the line between the queues.)

# %%
predict("11.f")

# %%
names = ["beach.jpg", "city.jpg", "logo.png", "lake.jpg", "wood.jpg"]
batch = {name: painted[place] for place, name in enumerate(names)}
batch["logo.png"] = as_file(logo, "PNG")

# %%
with watch(workshop, function, show="system"):
    broken_began = upload(batch, "pictures/mixed/")
    wait_until(lambda: is_settled("pictures/mixed/logo.png"))
mixed = outcome(batch, "pictures/mixed/", broken_began)
mixed

# %%
predicted("11.e", f"tried {mixed['tries']['lake.jpg']} times")
predicted("11.f", f"{(mixed['dead letter'] == 'yes').sum()} of {len(mixed)}")
claim("all that came with the logo suffered", list(mixed["tries"]) == [3, 3, 3, 0, 0])

# %% [markdown]
# One bad picture, and its whole batch is in the dead-letter queue. The pictures before it were made three times. Those after it were
# *never* tried: `handler` stopped at the exception. For Lambda a batch succeeds or fails as a whole. (On AWS the five may come in
# more than one batch. Then fewer suffer.)
#
# The log says what was wrong.

# %%
errors = [text for text in log_since(broken_began) if "[ERROR]" in text]
print(len(errors), "errors:", *[text.splitlines()[0] for text in errors[:1]])

# %% [markdown]
# And the alarm changes to `ALARM`. (On AWS that takes some minutes, on the embedded AWS seconds.)

# %%
wait_until(lambda: alarm_state() == "ALARM" or not dead_letters(), at_most_s=1200)
cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateReason"]

# %% [markdown]
# ## Fix it, and send the work back
#
# The picture is all right; the function is not. It needs one change: convert every image to RGB before it is saved.

# %% notes [markdown]
# Minutes: 2
#
# Say: The picture was right, and the function was wrong. So nobody uploads anything again: one call sends the work
# back. Ask what must be true of the work for that. It must be harmless when it is done again.

# %% fixed
save, save_as_rgb = "image.save(", 'image.convert("RGB").save('
text = original["thumbnail.py"].replace(save, save_as_rgb)
fixed = original | {"thumbnail.py": text}
renew(fixed, **hasty)

# %% [markdown]
# No upload is needed: the messages are still there. `start_message_move_task` sends all messages of a dead-letter queue back to where they came
# from (the console calls it *redrive*). There each begins anew, with a receive count of 0. In the picture they go back along the same line.

# %% redrive
with watch(workshop, function, show="system"):
    if dead_letters():  # otherwise they were sent back already
        redrive_began = datetime.now(UTC)
        sqs.start_message_move_task(SourceArn=failed_arn)
    wait_until(lambda: len(made("pictures/mixed/")) == 5 and depth(jobs_url) == [0, 0])

# %%
task = sqs.list_message_move_tasks(SourceArn=failed_arn)["Results"][0]
print(task["Status"], task["ApproximateNumberOfMessagesMoved"], "messages moved")

# %% [markdown]
# The outcome, counted from the redrive on. (On AWS, run the cell again if tries are missing: the log comes some seconds late.)

# %%
sent_back = outcome(batch, "pictures/mixed/", redrive_began)
claim("each was made in one more try", list(sent_back["tries"]) == [1] * 5)
sent_back

# %% [markdown]
# All five have their thumbnail. *beach* and *city* were made a fourth time, which does no harm, since the same key gets the same thumbnail: the work is
# **idempotent**. It must be: SQS delivers *at least* once, now and then twice.
#
# A file that is really broken would come back to the dead-letter queue. Then a person looks at it, and deletes the message.
#
# ## Without the queue
#
# S3 can invoke a function itself, which is simpler (notebook 16). What happens then to our logo? A second function, with the handler `app.direct` and
# the bug still in it, gets the pictures below `direct/`. It has no queue, so the first role is enough.
#
# Here S3 makes the call, not the function. So it is the *function* that must allow it: `add_permission` lets S3 invoke it, but only for our bucket and
# our account.

# %% notes [markdown]
# Minutes: 5
#
# Say: Fewer parts, and less time to repair something. Ask who would take this one, and for what. The table at the end
# is the best slide of this notebook.
#
# Goes wrong: They look for the lost event in the dead-letter queue of the first half. It belongs to the queue; this
# function has none.
#
# Answer 11.g: Three times: S3 invokes asynchronously, and Lambda tries a failed event twice more.
#
# Answer 11.h: Gone. A metric counts it, and nothing keeps it, unless you have set a destination.
#
# Skip: Run it, and show only the table.

# %% direct
direct = workshop.name("thumbnail-direct")
by_s3 = options | {"Role": makes_thumbnails, "Handler": "app.direct"}
deployed = deploy(workshop, direct, "thumbnail/python", **by_s3)
try:
    lambda_client.add_permission(
        FunctionName=direct,
        StatementId="uploads",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=uploads_arn,
        SourceAccount=account,
    )
except lambda_client.exceptions.ResourceConflictException:
    print("The permission is there already.")

# %% [markdown]
# The call replaces all notifications of the bucket, so name the queue once more.

# %% direct-notification
to_function = {"LambdaFunctionArn": deployed["FunctionArn"], **created("direct/")}
notify(QueueConfigurations=[to_queue], LambdaFunctionConfigurations=[to_function])

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

# %%
direct_began = datetime.now(UTC)
put("direct/logo.png", batch["logo.png"])

# %% [markdown]
# (AWS waits one minute before the second try and two before the third. In the embedded AWS a second is one of AWS's minutes.)

# %%
tries = reports(logs, direct, at_least=3, since=direct_began, timeout=600)
request = tries["request_id"].factorize()[0] + 1
tries[["start", "duration_ms", "init_ms"]].assign(request=request)

# %%
predicted("11.g", f"{len(tries)} times")

# %% [markdown]
# Three tries of one request. Then Lambda discarded the event: a metric counts it, but the event itself is gone.

# %%
dropped = ("AsyncEventsDropped", direct, "Sum", direct_began)
wait_until(lambda: datapoints(*dropped))
print("dropped:", int(sum(datapoints(*dropped))), "thumbnails:", made("direct/"))

# %%
kept = "direct/logo.png" in dead_letters()
predicted("11.h", "in the dead-letter queue" if kept else "gone")
claim("one event is gone after three tries", len(tries) == 3 and not kept)

# %% [markdown]
# | | S3 → Lambda | S3 → SQS → Lambda |
# |---|---|---|
# | the function fails | two more tries, within minutes | `maxReceiveCount` tries, one per visibility timeout |
# | and then | gone, unless an `OnFailure` destination or a dead-letter queue is set | in the dead-letter queue, for up to {{sqs_retention}} |
# | after the fix | a program of yours sends the destination's records again | redrive, one call |
# | how much waits? | you cannot see it, only the age of the events that Lambda takes (`AsyncEventAge`) | queue depth: a metric, and alarms on it |
# | how many at once? | as many as come, up to the account's limit or a reserved concurrency | `MaximumConcurrency` |
# | one event for the function | one object, as a rule | up to `BatchSize` objects |
# | parts to build | a permission and a notification | two queues, a policy, a mapping, an alarm |
#
# Neither is always right. The queue has more parts and adds a little delay, and it gives you time to fix things.
#
# ## What it costs
#
# This is Lambda's part, from the REPORT lines of the first sixty. You pay for the time in which the function waits for the other service, too. (Requests to
# S3 and SQS are extra. SQS has a million free requests a month. On AWS, Lambda polls an empty queue all the time, and those requests count.)

# %% notes [markdown]
# Minutes: 1
#
# Say: Half a second of waiting for another service is paid, too. Ask how you would avoid it.
#
# Skip: All of it.

# %%
prices = load_prices()["lambda"]
gb_seconds = (first["billed_ms"] / 1000 * first["memory_mb"] / 1024).sum()
dollars = gb_seconds * prices["gb_second"]["x86_64"] + len(first) * prices["request"]
thousand = dollars / len(pictures) * 1000
print(f"{gb_seconds:.1f} GB-s; {thousand:.4f} USD for a thousand pictures")

# %% [markdown]
# ## Exercise 1: only the bad one
#
# Four good pictures went to the dead-letter queue because of the logo. To avoid
# that, a function can return which messages of a batch failed; all others are
# deleted. Write `handle_each`, which takes the place of `handler`, so that
#
# - every message of the batch is tried, whatever happens to the others;
# - it returns `{"batchItemFailures": [{"itemIdentifier": <messageId>}, …]}`, with one entry for each message that failed, and an empty list when none did.
#
# `work(message)` is the one from above; it raises an exception when a picture fails. Print the exception, or nobody will ever know of it.

# %% notes [markdown]
# Minutes: 4
#
# Say: Nobody should suffer for the logo. One `try`, in the right place.
#
# Goes wrong: The `try` is outside of the loop, so the pictures after the bad one are not tried. The answer has
# another form: a bare list, ids without a dict, `receiptHandle` in place of `messageId`. The exception is caught and
# not printed: then nobody ever learns of it, and the check says so.


# %% partial-handler
def handle_each(event, context):
    failures = []
    # solution: Try work(message) for each message; note the messageId if it fails.
    for message in event["Records"]:
        try:
            work(message)
        except Exception as error:  # whatever it is, the others must not suffer
            print("failed:", message["messageId"], repr(error))
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}


# %% [markdown]
# The check deploys it as a function of its own. When it is right, it takes the place of the old one, and the mapping gets
# `ReportBatchItemFailures`: now Lambda reads its answer. Then five pictures come again. One of them is damaged, and no function can help it.

# %%
names = ["beach.jpg", "city.jpg", "damaged.jpg", "lake.jpg", "wood.jpg"]
damaged = {name: painted[place] for place, name in enumerate(names)}
damaged["damaged.jpg"] = damaged["damaged.jpg"][:20_000]
# Three tries and a short visibility timeout, also when you run this again at the end.
change_queue(patience(3, tries=3))

# %%
# check
each = fixed | {"app.py": fixed["app.py"] + "\n\n" + inspect.getsource(handle_each)}
with_answer = hasty | {"Handler": "app.handle_each"}
deploy(workshop, workshop.name("thumbnail-partial"), each, **with_answer)
check("11.1")

renew(each, **with_answer)
change_mapping(FunctionResponseTypes=["ReportBatchItemFailures"])
damaged_began = upload(damaged, "pictures/damaged/")
wait_until(lambda: is_settled("pictures/damaged/damaged.jpg"))
reported = outcome(damaged, "pictures/damaged/", damaged_began)
claim("only the bad one comes again", list(reported["tries"]) == [1, 1, 3, 1, 1])
reported

# %% [markdown]
# If you have solved it: each good picture was tried once, and only the damaged one came again, until it was a dead letter. The invocations count as successful now, so the
# metric `Errors` stays at 0: only the dead-letter queue and its alarm tell you of failures.
#
# Now the queue gets its recommended values back.

# %%
_ = sqs.set_queue_attributes(QueueUrl=jobs_url, Attributes=patient)

# %% [markdown]
# ## Exercise 2: how long will it take?
#
# The marketing department wants to upload 10,000 pictures at once. Write `drain_seconds`: how many seconds until the queue is empty again?
#
# - `frame` is a table of `reports()`, with one row for each batch. Take the mean `duration_ms` of the **warm** ones: among thousands of batches the few cold starts do not count;
# - `images` come at once, `batch_size` in each batch, and all batches are full, except perhaps the last;
# - `max_concurrency` batches are worked on at a time, and there is no other limit.

# %% notes [markdown]
# Minutes: 4
#
# Say: First without times: how many batches, and how many for each environment, one after the other?
#
# Goes wrong: The cold rows are counted. Milliseconds. Each picture is counted, where each *batch* takes its duration
# once. Both divisions need rounding up.
#
# Skip: It can be homework.


# %% drain-seconds
def drain_seconds(frame, images, batch_size, max_concurrency):
    # solution: How many batches are there, and how many for each environment?
    warm = frame[frame["init_ms"].isna()]
    batches = np.ceil(images / batch_size)
    return np.ceil(batches / max_concurrency) * warm["duration_ms"].mean() / 1000


# %%
# check
check("11.2", drain_seconds)

at_a_time = pd.Index([2, 10, 50, 200], name="MaximumConcurrency")
seconds = [drain_seconds(first, 10_000, 5, number) for number in at_a_time]
pd.DataFrame({"seconds": seconds}, at_a_time).round().astype(int)

# %% [markdown]
# These are seconds by *your* Durations. Each row costs the same: twice as many environments work for half as long. The limit is what is behind the function,
# and your account's concurrency.
#
# ## Exercise 3: with the queue, or without?
#
# Five cases. For each choose `"queue"` (S3 → SQS → Lambda) or `"direct"` (S3 → Lambda).
#
# - **scans**: At two in the morning 40,000 scans arrive at once. The function calls a service that takes 20 calls at a time.
# - **contracts**: Signed contracts. When a bug is found on Monday, all of a long weekend must be done again, by one call.
# - **avatars**: Ten a day. When one fails, its user uploads it again. The team wants as few parts as possible.
# - **readings**: A million small files an hour. Work on one takes 2 ms, and on a hundred together hardly more than 20 ms.
# - **preview**: A user waits for the preview of the one file just uploaded. An hour later nobody wants it any more.

# %% notes [markdown]
# Minutes: 3
#
# Say: Hands for each case, then the check. For each of them ask for the word in the text that decides.
#
# Goes wrong: *preview* gets a queue, because queues are good. Nobody wants it an hour later.

# %% ways
cases = ["scans", "contracts", "avatars", "readings", "preview"]
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
# - A role allows the calls that its function makes, and those that Lambda makes for it, each on its own bucket or queue.
# - A library must be compiled for the function's runtime and architecture. A layer keeps it apart from the code, and all together stay below {{unzipped}}.
# - A queue lets messages wait, shows how many wait, and lets you choose how many are worked on at once.
# - A failed message comes again after the visibility timeout, and after `maxReceiveCount` tries it is a dead letter. An alarm must tell somebody.
# - A batch succeeds or fails as a whole, unless the function reports its failures, and the mapping asks for them.
# - After the fix, a redrive sends the failed messages back to the function. Since messages come again, the work must be idempotent.
# - S3 → Lambda is simpler, and forgets after three tries.
#
# **Next:** notebook [12](12-night-scale-in.ipynb) has a function that a clock starts. `python3 -m helpers clean` removes what this notebook made.

# %% notes [markdown]
# Minutes: 1
#
# Say: Go through the picture at the top once more: what happens at each arrow when it fails?
