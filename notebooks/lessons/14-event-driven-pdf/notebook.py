# %% [markdown]
# # 14 Event-driven PDF
#
# After this notebook you will be able to
#
# - build a system of functions that are joined by queues, so that each step can fail and be tried again alone;
# - count what is done in DynamoDB, so that a message that comes twice counts once;
# - find a message: waiting, in flight, gone, or in the dead-letter queue;
# - kill functions in the middle of their work, and prove that nothing was lost and nothing done twice.
#
# It takes about 50 minutes. Take it in two sittings: there is a pause in the middle. Slides: "Example 4: event-driven architecture" (イベント駆動アーキテクチャ), in the part "Architectures".
#
# ![A PDF is split, each page is rendered, and when all pages are counted an index is assembled](lessons/14-event-driven-pdf/picture.svg)
#
# The slide joins functions by queues. Its example is a PDF whose pages become thumbnails. Follow the arrows:
#
# 1. A PDF is put into S3. S3 sends an event to the first queue.
# 2. The **splitter** looks how many pages it has, and sends one message for each page to the second queue.
# 3. The **renderer** takes such messages, makes a thumbnail of each page, and counts the page in a DynamoDB table.
# 4. The renderer that counts the last page sends one message to the third queue, and the **indexer** makes one sheet of all thumbnails.
#
# No function calls another one. Each takes a message, does one small thing, and sends messages on. On the embedded AWS, too, the queues, the
# retries and the processes that die are real.

# %% imports
import base64
import hashlib
import inspect
import io
import json
import time
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

# %% imports-of-ours
from helpers import connect, deploy, load_event, package_layer, reports, track
from helpers.lessons import function_folder
from helpers.plots import BLUE, DARK_GREY, GREEN, PARTS, PINK, RED
from IPython.display import Image, Markdown, display

# %% connect
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
s3, sqs = workshop.client("s3"), workshop.client("sqs")
dynamodb, cloudwatch = workshop.client("dynamodb"), workshop.client("cloudwatch")
workshop

# %% [markdown]
# ## The work
#
# First the PDFs: real ones, made here, with a number and a curve on each page. One has 3 pages, the other 100. The folded cell draws them. (Without a creation date
# in it, a PDF of the same pages has the same bytes every time.)


# %% make-pdf folded
from matplotlib.backends.backend_pdf import PdfPages


def make_pdf(pages):
    """A PDF whose pages show their number and a Lissajous curve each, as bytes."""
    figure = plt.figure(figsize=(4.1, 5.8))
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.05, 0.05, 0.9, 0.75), xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
    ax.set_axis_off()
    (curve,), title = (
        ax.plot([], [], color=BLUE, linewidth=4),
        figure.text(0.5, 0.85, "", ha="center", size=64),
    )
    t = np.linspace(0, 2 * np.pi, 300)
    file = io.BytesIO()
    with PdfPages(file, metadata={"CreationDate": None}) as pdf:
        for page in track(range(1, pages + 1), "pages drawn"):
            row, column = divmod(page - 1, 10)
            curve.set_data(np.sin((column + 1) * t + 1), np.sin((row + 1) * t))
            title.set_text(page)
            pdf.savefig(figure)
    plt.close(figure)
    return file.getvalue()


# %%
from helpers import check, claim, hint, load_prices, predict, predicted, solution

# %%
pdfs = {"short.pdf": make_pdf(3), "long.pdf": make_pdf(100)}
{name: f"{len(pdf) / 1000:.0f} kB" for name, pdf in pdfs.items()}

# %% [markdown]
# ## Build it, from the back to the front
#
# We begin with what keeps things: two buckets, the table, the queues.
#
# Both buckets are **versioned**: S3 keeps every write to a key, and not only the last one. Each upload
# gets a version id, which names our *document*, even when somebody puts another PDF under the same key. And afterwards the
# versions tell how often each thumbnail was written. (On AWS, S3 may need up to 15 minutes until versioning works for every write,
# says "Enabling versioning on buckets" in the S3 User Guide. It rarely takes so long.)
#
# Two buckets, because a function that writes into the bucket that starts it starts itself again (notebook 15).

# %% bucket-options
account = workshop.client("sts").get_caller_identity()["Account"]
options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    options["CreateBucketConfiguration"] = {"LocationConstraint": workshop.region}

# %% buckets
uploads_bucket, pictures_bucket = (
    workshop.bucket("pdfs"),
    workshop.bucket("pdf-pictures"),
)
for bucket in (uploads_bucket, pictures_bucket):
    try:
        s3.create_bucket(Bucket=bucket, **options)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        print(bucket, "is there already.")
    versioned = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioned)


# %% table
def make_table(name):
    """A DynamoDB table with one item for each document, paid per request."""
    attribute = {"AttributeName": "document", "AttributeType": "S"}
    key = {"AttributeName": "document", "KeyType": "HASH"}
    schema = {"AttributeDefinitions": [attribute], "KeySchema": [key]}
    try:
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **schema)
    except dynamodb.exceptions.ResourceInUseException:
        print(name, "is there already.")
    dynamodb.get_waiter("table_exists").wait(TableName=name)


# %% documents-table
table = workshop.name("pdf-documents")
make_table(table)

# %% [markdown]
# ### The queues
#
# SQS delivers **at least once**. When a function receives a message, the message stays in the queue, but no other function sees it for the
# **visibility timeout**: it is *in flight*. When the function has succeeded, Lambda deletes it. When the function fails,
# or dies, the timeout ends, and the message is visible again. AWS recommends a visibility timeout of at
# least six times the function's `Timeout`. (Source: "Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide.)
#
# After five tries without success (`maxReceiveCount`) a message is moved to the **dead-letter queue**, where it waits
# for a person. All three queues have the same one here.


# %% make-queue
def make_queue(name, attributes):
    """The queue's URL and ARN."""
    queue = sqs.create_queue(QueueName=workshop.name(name), Attributes=attributes)
    url = queue["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


# %% queues
two_weeks = {"MessageRetentionPeriod": str(14 * 24 * 3600)}
failed_url, failed_arn = make_queue("pdf-failed", two_weeks)
five_tries = json.dumps({"deadLetterTargetArn": failed_arn, "maxReceiveCount": 5})
slow_queue = {"RedrivePolicy": five_tries, "VisibilityTimeout": "120"}
fast_queue = {"RedrivePolicy": five_tries, "VisibilityTimeout": "30"}

# %% working-queues
uploads_url, uploads_arn = make_queue("pdf-uploads", slow_queue)
pages_url, pages_arn = make_queue("pdf-pages", fast_queue)
complete_url, complete_arn = make_queue("pdf-complete", slow_queue)

# %% [markdown]
# An alarm goes off when a message is in the dead-letter queue, as in notebook 11.

# %%
metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible"}
metric["Dimensions"] = [{"Name": "QueueName", "Value": workshop.name("pdf-failed")}]
above_zero = {"Threshold": 0, "ComparisonOperator": "GreaterThanThreshold"}
each_minute = {"Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1}
alarm = {"AlarmName": workshop.name("pdf-failed"), "TreatMissingData": "notBreaching"}
_ = cloudwatch.put_metric_alarm(**alarm, **metric, **above_zero, **each_minute)

# %% [markdown]
# ### The library
#
# Lambda's runtime has boto3 and nothing else. To read a PDF we take PDFium, the library of the Chromium browser (as `pypdfium2`), and Pillow for
# PNG files. Both were compiled for one kind of machine. So `package_layer` takes this machine's own for the embedded AWS, and those built
# for Amazon Linux for AWS. All three functions get them from one **layer**, which may have {{zip}} zipped.
#
# A layer cannot be changed, only published again, as a new version. So `publish`, in the folded cell, compares first, as in notebook 11.


# %% publish folded
def publish(name, archive):
    """The ARN of the version with this content; a new one only where it is new."""
    digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    versions = lambda_client.list_layer_versions(LayerName=name)["LayerVersions"]
    if versions:  # the newest comes first
        newest = lambda_client.get_layer_version(
            LayerName=name, VersionNumber=versions[0]["Version"]
        )
        if newest["Content"]["CodeSha256"] == digest:
            return newest["LayerVersionArn"]
    made = lambda_client.publish_layer_version(
        LayerName=name, Content={"ZipFile": archive}, CompatibleRuntimes=["python3.13"]
    )
    return made["LayerVersionArn"]


# %% layer
archive = package_layer(["pypdfium2", "pillow"], target=workshop.target)
layer_arn = publish(workshop.name("pdf-layer"), archive)
print(f"version {layer_arn.split(':')[-1]}, {len(archive) / 2**20:.1f} MB zipped")

# %% [markdown]
# ### The functions
#
# Here is the splitter. Look for three things: it skips what is no notification; it enters the document with
# `update_item`, which keeps what is in the item already; and it looks at `Failed`, because `send_message_batch` can succeed
# in part.


# %%
def show(name):
    source = (function_folder(name) / "python" / "app.py").read_text()
    display(Markdown(f"```python\n{source}```"))


show("pdf-splitter")

# %% [markdown]
# The renderer does the work. Ask yourself while you read: what happens when the process dies right after `put_once`? When
# two renderers finish the last two pages at the same moment? When the same message comes twice?

# %%
show("pdf-renderer")

# %% [markdown]
# **Predict:** a message comes a second time. Is its page rendered again?

# %%
predict("14.a", choices=["yes", "no"])

# %% [markdown]
# The answers:
#
# - `put_once` writes with `IfNoneMatch="*"`: only where nothing is yet. S3 decides, so only one of two renderers writes.
# - `rendered` is a **set** of page numbers. `ADD` of a page that is in it changes nothing, so a page can be counted again and again.
# - `update_item` is atomic, and answers the item as it is after *this* call. Of two renderers with the last two pages, exactly
#   one sees the complete set.
# - An item may have 400 KB, and a write is billed by the size of the item. So a set is good for hundreds of pages. For very many,
#   write one item for each page.
# - Work that dies half-way begins again from the start, and every step may be repeated. Such work is called **idempotent**.
#
# The [indexer](lessons/14-event-driven-pdf/functions/pdf-indexer/python/app.py) reads the number of pages from the table, pastes the thumbnails into one picture, and writes it with `put_once`
# too.
#
# Now deploy the three, each with a role of its own. The embedded AWS does not enforce roles; AWS does. (These are AWS's
# ready-made policies. In production, write your own, for these buckets, queues and this table alone.)

# %% configuration
variables = {"DOCUMENTS_TABLE": table, "PICTURES_BUCKET": pictures_bucket}
variables |= {"PAGES_QUEUE": pages_url, "COMPLETE_QUEUE": complete_url}
common = {"Layers": [layer_arn], "MemorySize": 512}
common["Environment"] = {"Variables": variables}
slow = common | {"Timeout": 20}  # and the visibility timeout is 6 * 20 s == 120 s
fast = common | {"Timeout": 5}  # 6 * 5 s == 30 s

# %% roles
take = "service-role/AWSLambdaSQSQueueExecutionRole"
send, count_pages = "AmazonSQSFullAccess", "AmazonDynamoDBFullAccess"
read, write = "AmazonS3ReadOnlyAccess", "AmazonS3FullAccess"

# %% three-roles
splitter_role = workshop.role(take, read, send, count_pages)
renderer_role = workshop.role(take, write, send, count_pages)
indexer_role = workshop.role(take, write, count_pages)

# %% functions
splitter, renderer = workshop.name("pdf-splitter"), workshop.name("pdf-renderer")
indexer = workshop.name("pdf-indexer")

# %% deployed
deploy(workshop, splitter, "pdf-splitter/python", Role=splitter_role, **slow)
deploy(workshop, renderer, "pdf-renderer/python", Role=renderer_role, **fast)
deploy(workshop, indexer, "pdf-indexer/python", Role=indexer_role, **slow)
# Nothing is reserved, whatever an earlier run left.
_ = lambda_client.delete_function_concurrency(FunctionName=renderer)

# %% [markdown]
# ### What joins them
#
# An **event source mapping** lets Lambda poll a queue and invoke a function with the messages. `join` makes one, or keeps the one that
# is there, and waits until it is enabled: on AWS up to a minute.


# %% join
def join(queue_arn, function, **options):
    both = {"EventSourceArn": queue_arn, "FunctionName": function}
    there = lambda_client.list_event_source_mappings(**both)["EventSourceMappings"]
    if not there:
        there = [lambda_client.create_event_source_mapping(**both, **options)]
    for _ in range(120):
        found = lambda_client.get_event_source_mapping(UUID=there[0]["UUID"])
        if found["State"] == "Enabled":
            return
        time.sleep(1)
    raise TimeoutError(f"The mapping of {function} is still {found['State']}.")


# %% [markdown]
# The renderer takes up to five pages at once (`BatchSize`), in at most two environments (`MaximumConcurrency`), and may report single
# messages as failed (`ReportBatchItemFailures`), so that one bad page does not make the other four come again.

# %% mappings
join(uploads_arn, splitter, BatchSize=1)
at_most_two = {"ScalingConfig": {"MaximumConcurrency": 2}, "BatchSize": 5}
single = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
join(pages_arn, renderer, **at_most_two, **single)
join(complete_arn, indexer, BatchSize=1)

# %% [markdown]
# Last, the bucket notifies the first queue. As in notebook 16 it takes two settings. The queue permits S3 to send:

# %% queue-policy
bucket_arn = f"arn:{workshop.partition}:s3:::{uploads_bucket}"
from_bucket = {"ArnEquals": {"aws:SourceArn": bucket_arn}}
of_account = {"StringEquals": {"aws:SourceAccount": account}}

# %% queue-permission
allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": uploads_arn}
allow["Principal"] = {"Service": "s3.amazonaws.com"}
allow["Condition"] = from_bucket | of_account
policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
_ = sqs.set_queue_attributes(QueueUrl=uploads_url, Attributes={"Policy": policy})

# %% [markdown]
# And the bucket notifies, here for keys that end in `.pdf`.

# %% notification
pdfs_only = {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".pdf"}]}}
to_queue = {"QueueArn": uploads_arn, "Events": ["s3:ObjectCreated:*"]}
to_queue["Filter"] = pdfs_only
_ = s3.put_bucket_notification_configuration(
    Bucket=uploads_bucket, NotificationConfiguration={"QueueConfigurations": [to_queue]}
)

# %% [markdown]
# ## Three pages
#
# Put the short PDF, and wait for its index. You call nothing else.


# %% put-pdf
def put_pdf(key):
    """Put the PDF into S3; the version id is the name of the document."""
    return s3.put_object(Bucket=uploads_bucket, Key=key, Body=pdfs[key])["VersionId"]


# %% index-of
def index_of(document):
    answer = s3.get_object(Bucket=pictures_bucket, Key=f"{document}/index.png")
    return answer["Body"].read()


# %%
short = put_pdf("short.pdf")
index = {"Bucket": pictures_bucket, "Key": f"{short}/index.png"}
patience = {"Delay": 1, "MaxAttempts": 120}
s3.get_waiter("object_exists").wait(**index, WaiterConfig=patience)
Image(index_of(short), alt="An index of three pages, 1 to 3, with a curve each")

# %% [markdown]
# The item in the table says how it went: how many pages there are, which are rendered, and that the indexer was told.

# %%
item = dynamodb.get_item(TableName=table, Key={"document": {"S": short}})["Item"]
item | {"document": "…"}

# %% [markdown]
# ## Watch a hundred
#
# Where is a document at this moment? You can ask every stage. SQS says how many messages are visible
# and in flight (*approximately*: on AWS the figures are a moment late), the table how many pages are counted, S3 how many thumbnails there are.


# %% depth
QUEUES = {"pdf-uploads": uploads_url, "pdf-pages": pages_url}
QUEUES |= {"pdf-complete": complete_url, "pdf-failed": failed_url}


# %% depth-of
def depth(url):
    """Messages that wait, and messages in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return [int(answer["Attributes"][name]) for name in names]


# %% look
def look(document):
    """What every stage says of the document now."""
    key = {"document": {"S": document}}
    answer = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    found, prefix = answer.get("Item", {}), f"{document}/"
    listed = s3.list_objects_v2(Bucket=pictures_bucket, Prefix=prefix)
    keys = [each["Key"].removeprefix(prefix) for each in listed.get("Contents", [])]
    return {
        "pages": int(found.get("pages", {"N": 0})["N"]),
        "counted": len(found.get("rendered", {"NS": []})["NS"]),
        "thumbnails": sum(key.startswith("page-") for key in keys),
        "index": keys.count("index.png"),
        "queues": {name: depth(url) for name, url in QUEUES.items()},
    }


# %%
look(short)

# %% [markdown]
# The next five cells are folded. They draw the picture from the top of this notebook with these numbers in it, and below it how they changed.
# `begin` waits until the queues are empty, puts a PDF and begins a picture. `follow` looks some times a second, and draws, until a
# condition holds. `note` writes into the picture.

# %% picture-parts folded
from types import SimpleNamespace

from matplotlib.patches import FancyBboxPatch

PLACES = {  # column and row of each box, and what it is
    "pdfs": (0, 0, "bucket"),
    "pdf-uploads": (1, 0, "queue"),
    "splitter": (2, 0, "function"),
    "pdf-pages": (3, 0, "queue"),
    "renderer": (4, 0, "function"),
    "thumbnails": (5, 0, "bucket"),
    "table": (5, 1, "table"),
    "pdf-complete": (3, 1, "queue"),
    "indexer": (2, 1, "function"),
    "index": (1, 1, "bucket"),
    "pdf-failed": (0, 1, "queue"),
}
# What is counted in each bucket.
BUCKETS = {"pdfs": "pages", "thumbnails": "thumbnails", "index": "index"}
# From one column to the other, in a row.
ARROWS = [(0, 1, 0), (1, 2, 0), (2, 3, 0), (3, 4, 0), (4, 5, 0)]
ARROWS += [(4, 5, 1), (4, 3, 1), (3, 2, 1), (2, 1, 1)]
LINES = [
    ("pages counted", GREEN, "-"),
    ("pages waiting in the queue", PINK, "--"),
    ("pages in flight", RED, ":"),
]


# %% picture-boxes folded
def draw_boxes(ax):
    """Draw boxes and arrows, and return the text of each box."""
    style = {"arrowstyle": "-|>", "color": DARK_GREY, "linewidth": 2}
    for start, end, row in ARROWS:
        side = 0.41 if end > start else -0.41
        ax.annotate("", (end - side, row), (start + side, row), arrowprops=style)
    texts, shape = {}, "round,pad=0,rounding_size=0.06"
    middle = {"ha": "center", "va": "center", "size": 11, "color": "white"}
    for name, (x, y, part) in PLACES.items():
        height = 1.76 if name == "renderer" else 0.76
        corner = (x - 0.4, y - 0.38)
        box = FancyBboxPatch(corner, 0.8, height, boxstyle=shape, color=PARTS[part])
        ax.add_patch(box)
        texts[name] = ax.text(x, y - 0.38 + height / 2, "", **middle)
    ax.set(xlim=(-0.45, 5.45), ylim=(1.45, -0.45))
    ax.set_axis_off()
    return texts


def fill_in(texts, seen):
    """Write into the boxes what look() has seen."""
    for name, (waiting, flying) in seen["queues"].items():
        texts[name].set_text(f"SQS {name}\n{waiting} waiting\n{flying} in flight")
    for name in ("splitter", "renderer", "indexer"):
        texts[name].set_text(f"Lambda\n{name}")
    for name, what in BUCKETS.items():
        texts[name].set_text(f"S3\n{seen[what]} {what}")
    texts["table"].set_text(f"DynamoDB\n{seen['counted']} pages\ncounted")


# %% picture-lines folded
def draw_lines(ax):
    """Name the axes, and return three lines that have no points yet."""
    ax.set_xlabel("seconds since the PDF was put into S3")
    ax.set_ylabel("pages")
    shape = {"linewidth": 3, "drawstyle": "steps-post"}
    return [
        ax.plot([], [], style, color=color, label=label, **shape)[0]
        for label, color, style in LINES
    ]


def redraw(run, seen):
    """Bring the picture of a run up to date."""
    fill_in(run.texts, seen)
    there = "and the index are there" if seen["index"] else "are counted"
    failed = seen["queues"]["pdf-failed"][0] or "none"
    title = f"{seen['counted']} of {seen['pages']} pages {there}, {failed} failed"
    run.figure.axes[0].set_title(f"{age(run):.0f} s: {title}")
    for line, values in zip(run.lines, run.values, strict=True):
        line.set_data(run.seconds, values)
    run.ax.relim()
    run.ax.autoscale()
    run.shown.update(run.figure)


# %% begin folded
def begin(key):
    """Put a PDF, after what an interrupted run has left; return its run."""
    while any(sum(depth(url)) for url in (uploads_url, pages_url, complete_url)):
        time.sleep(0.5)
    figure, (top, ax) = plt.subplots(2, 1, figsize=(11.5, 5.6))
    run = SimpleNamespace(figure=figure, ax=ax, seconds=[], values=([], [], []))
    run.texts, run.lines = draw_boxes(top), draw_lines(ax)
    figure.legend(loc="outside lower left", ncols=3, frameon=False)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # all stays in its place while numbers change
    plt.close(figure)  # otherwise Jupyter shows it once more when the cell ends
    run.shown = display(display_id=True)
    run.began, run.document = time.monotonic(), put_pdf(key)
    return run


# %% follow folded
def age(run):
    return time.monotonic() - run.began


def note(run, text):
    place = ("data", "axes fraction"), "offset points"
    run.ax.axvline(age(run), color="0.4", linewidth=1)
    run.ax.annotate(text, (age(run), 1), (4, -4), *place, va="top")


def follow(run, until, limit=300):
    """Look and draw, until until(what was seen) is true."""
    enough, drawn, drawn_at = False, None, -1
    while not enough and age(run) < limit:
        seen = look(run.document)
        run.seconds.append(age(run))
        numbers = [seen["counted"], *seen["queues"]["pdf-pages"]]
        for values, number in zip(run.values, numbers, strict=True):
            values.append(number)
        enough = until(seen)
        if enough or (seen != drawn and age(run) > drawn_at + 1):
            redraw(run, seen)
            drawn, drawn_at = seen, age(run)
        time.sleep(0.3 + age(run) / 30)  # less and less often: to look takes CPU
    if not enough:
        raise TimeoutError(f"Not within {limit} s; the functions' logs say more.")


# %%
def is_done(seen):
    """The index is there, and the queues have nothing left to do."""
    names = ("pdf-uploads", "pdf-pages", "pdf-complete")
    return seen["index"] and not any(sum(seen["queues"][name]) for name in names)


# %% [markdown]
# **Predict:** a hundred pages, at most two environments, five pages each. How many pages will be in flight at once, at most?

# %%
predict("14.b")

# %%
hundred_began = datetime.now(UTC)
run = begin("long.pdf")
follow(run, until=is_done)
long = run.document

# %%
_, waiting, in_flight = run.values
claim("pages wait in the queue", max(waiting) > 10)
claim("about ten pages at a time are in work", max(in_flight) <= 20)
predicted("14.b", f"{max(in_flight)}, while up to {max(waiting)} waited")

# %% [markdown]
# The splitter is quick, so the pages *wait*, and they wait in the queue. Nothing was refused, and no function was busy with waiting. With
# more concurrency the green line is steeper; with less, the system is slower, and loses nothing. (The seconds are this machine's. On
# AWS expect the same shape, and other seconds.)
#
# At most 2 × 5 = 10 pages are in work at a time. (In flight can be a little more: Lambda's pollers may hold a batch ready.) The log tells which
# environment did the work: each bar is a batch, of five pages at most.

# %%
from helpers import plot_timeline

batches = reports(logs, renderer, at_least=20, since=hundred_began)
ax = plot_timeline(batches)

# %% [markdown]
# And here is the index. The last function made it, because the queue told it that all pages are there.

# %%
Image(index_of(long), alt="An index of a hundred pages, 1 to 100", height=420)

# %% [markdown]
# ## A pause
#
# This is a good place to stop. All that you made stays. When you come back with a new kernel, select this cell and choose
# *Run > Run All Above Selected Cell*.
#
# ## Twice
#
# A standard queue may deliver a message twice, and S3 may notify twice. It is rare, so we do it by hand: page 2
# of the short PDF two times more, and then the notification of S3 (its shape is in `events/s3-put.json`).
#
# **Predict:** how many counted pages will the short PDF have afterwards?

# %%
predict("14.c")


# %% lines
def lines(function, since):
    """What the function has printed since then."""
    group, milliseconds = f"/aws/lambda/{function}", int(since.timestamp() * 1000)
    paginator = logs.get_paginator("filter_log_events")
    pages = paginator.paginate(logGroupName=group, startTime=milliseconds)
    return [event["message"].strip() for page in pages for event in page["events"]]


# %%
twice_began = datetime.now(UTC)
page_two = {"bucket": uploads_bucket, "key": "short.pdf", "document": short, "page": 2}
for _ in range(2):
    sqs.send_message(QueueUrl=pages_url, MessageBody=json.dumps(page_two))

# %%
event = load_event("s3-put")
about_s3 = event["Records"][0]["s3"]
about_s3["bucket"]["name"] = uploads_bucket
about_s3["object"] |= {"key": "short.pdf", "versionId": short}
_ = sqs.send_message(QueueUrl=uploads_url, MessageBody=json.dumps(event))

# %% [markdown]
# Five pages are done again: two by hand, and three by the splitter. We wait for them, two minutes at most.


# %%
def repeated():
    printed = lines(renderer, twice_began)
    return sum(line.endswith("was there already") for line in printed)


for _ in track(range(240), "half seconds waited"):
    if repeated() >= 5:
        break
    time.sleep(0.5)
seen = look(short)
seen

# %%
claim("five pages are done again", repeated() >= 5)
claim("a page that comes twice counts once", seen["counted"] == seen["pages"])
predicted("14.a", "yes" if repeated() else "no")
predicted("14.c", f"{seen['counted']} of {seen['pages']} pages")


# %% [markdown]
# The same as before. To see more than the numbers, ask for the *history*: how often was each object written?


# %% proof
def proof(document):
    """What S3, DynamoDB and SQS say about a document in the end."""
    paginator = s3.get_paginator("list_object_versions")
    pages = paginator.paginate(Bucket=pictures_bucket, Prefix=f"{document}/")
    keys = [version["Key"] for page in pages for version in page["Versions"]]
    writes, seen = pd.Series(keys).value_counts(), look(document)
    return {
        "pages of the PDF": seen["pages"],
        "pages counted": seen["counted"],
        "thumbnails": seen["thumbnails"],
        "index written": int(writes[f"{document}/index.png"]),
        "objects written more than once": int((writes > 1).sum()),
        "messages that failed": seen["queues"]["pdf-failed"][0],
    }


# %%
proofs = pd.DataFrame({"short.pdf": proof(short), "long.pdf": proof(long)})
once = (proofs.loc["objects written more than once"] == 0).all()
claim("nothing was written twice", once)
proofs

# %% [markdown]
# Nothing was written twice, and each has one index. The repeated pages cost the time of their rendering, and changed nothing.
#
# ## The count that goes wrong
#
# It looks simpler to count like this: add 1 for each message, and when the count reaches the number of pages, the document is
# complete. Here is a function that does so. It answers which documents its batch has completed.

# %% counter-source
counter_source = """
import json
import os
import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

def handler(event, context):
    pages = [json.loads(message["body"]) for message in event["Records"]]
    return {"complete": [page["document"] for page in pages if count(**page)]}


"""


# %% naive-count
def count(document, page, pages):
    answer = table.update_item(
        Key={"document": document},
        UpdateExpression="ADD rendered :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="ALL_NEW",
    )
    return answer["Attributes"]["rendered"] == pages


# %% counts
counts, naive = workshop.name("pdf-counts"), workshop.name("pdf-naive-counter")
make_table(counts)
options = {"Role": workshop.role(count_pages), "MemorySize": 512, "Timeout": 10}
options["Environment"] = {"Variables": {"TABLE": counts}}
naive_source = {"app.py": counter_source + inspect.getsource(count)}
_ = deploy(workshop, naive, naive_source, **options)


# %% send-pages
def send_pages(function, document, numbers, pages=3):
    """Invoke with a message for each page; print and return each answer."""
    said = []
    for page in numbers:
        body = json.dumps({"document": document, "page": page, "pages": pages})
        payload = json.dumps({"Records": [{"messageId": str(page), "body": body}]})
        response = lambda_client.invoke(FunctionName=function, Payload=payload)
        answer = json.loads(response["Payload"].read())
        said.append("complete" if answer["complete"] else "not yet")
        print(f"page {page} of {pages}:", said[-1])
    return said


# %% [markdown]
# A document of three pages, and page 1 is delivered twice: that makes four lines.
#
# **Predict:** which of them says "complete"?

# %%
predict("14.d", choices=["the second", "the third", "the fourth", "none"])

# %%
dynamodb.delete_item(TableName=counts, Key={"document": {"S": "example"}})
said = send_pages(naive, "example", [1, 1, 2, 3])

# %%
places = ["the first", "the second", "the third", "the fourth"]
ends = [place for place, word in zip(places, said, strict=True) if word == "complete"]
predicted("14.d", " and ".join(ends) or "none")

# %% [markdown]
# It said "complete" when page 3 was missing, and when page 3 came, it said nothing. A wrong index is made, and no error says so.
#
# ## Exercise 1: count each page once
#
# Write `count_once`, which takes the place of `count`. It counts page number `page` of `document`, which has `pages` pages, and returns `True` for **the one** call that makes
# the document complete: pages may come twice, in any order, and to many environments at the same moment. It returns `False` for all others, also for a page that comes again
# after the end. What it remembers must be in the table, because the next call may be in another environment.
#
# (Code that first reads the item, and then writes it, is too late: another environment has written in between. The check makes two
# environments meet so.)
#
# `table` is there, as a resource of boto3: numbers may be given as Python's, and a set as `{page}`. The renderer above shows half of an answer.


# %% count-once
def count_once(document, page, pages):
    # solution: Add the page to a set if it is not in it; compare the size of the set.
    try:
        item = table.update_item(
            Key={"document": document},
            UpdateExpression="ADD rendered :pages",
            ConditionExpression="NOT contains(rendered, :page)",
            ExpressionAttributeValues={":pages": {page}, ":page": page},
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False  # this page is counted already
    return len(item["rendered"]) == pages


# %% counter
# check
counter = workshop.name("pdf-counter")
counts_once = inspect.getsource(count_once) + "\n\ncount = count_once\n"
deploy(workshop, counter, {"app.py": counter_source + counts_once}, **options)
check("14.1")

dynamodb.delete_item(TableName=counts, Key={"document": {"S": "example"}})
_ = send_pages(counter, "example", [1, 1, 3, 2, 3])

# %% [markdown]
# One "complete", at the right moment. And if the function dies after it has counted the last page, and before its answer is read?
# Then the message comes again, `count_once` says `False`, and the document is never finished. That is why the renderer has another order:
# it sends first and notes afterwards. It may send two messages, and never none. With the indexer's `put_once` the second one does no harm.
#
# ## Kill it
#
# Now the hard test. A *saboteur* runs in front of the renderer: at the first try of every third page the process **dies** in the middle of
# its batch. Some pages of the batch are rendered and counted by then, but SQS does not know: the whole batch comes again.

# %% saboteur
saboteur = """
import json
import os
import app

def handler(event, context):
    failures = []
    for message in event["Records"]:
        page = json.loads(message["body"])["page"]
        if page % 3 == 0 and message["attributes"]["ApproximateReceiveCount"] == "1":
            os._exit(1)  # no exception, no answer: gone
        failures += app.handler({"Records": [message]}, context)["batchItemFailures"]
    return {"batchItemFailures": failures}
"""

# %% sabotage
renderer_source = (function_folder("pdf-renderer") / "python" / "app.py").read_text()
sabotaged = {"app.py": renderer_source, "saboteur.py": saboteur}
first_saboteur = {"Handler": "saboteur.handler", "Role": renderer_role}
_ = deploy(workshop, renderer, sabotaged, **first_saboteur, **fast)

# %% [markdown]
# In addition, as soon as ten pages are counted we use the **emergency stop**. With a reserved concurrency of 0 the renderer may not
# run at all. Five seconds later we let it run again. (A message that was received meanwhile could not be delivered, and has used up one of its five tries.)
#
# The green line will be flat for a while.
#
# **Predict:** where are the pages meanwhile?

# %%
predict("14.e", choices=["lost", "in the queue", "in the functions"])

# %%
lambda_client.delete_function_concurrency(FunctionName=renderer)  # of a run before
killed_began = datetime.now(UTC)
run = begin("long.pdf")
follow(run, until=lambda seen: seen["counted"] >= 10)

# %% [markdown]
# Ten pages are counted: stop.

# %%
nothing = {"ReservedConcurrentExecutions": 0}
lambda_client.put_function_concurrency(FunctionName=renderer, **nothing)
note(run, "stop")
stopped = age(run)
follow(run, until=lambda seen: age(run) > stopped + 5)
lambda_client.delete_function_concurrency(FunctionName=renderer)
note(run, "go on")
follow(run, until=is_done)
killed = run.document

# %%
pause = np.searchsorted(run.seconds, stopped + 5) - 1  # the last look before it goes on
_, waiting, in_flight = (values[pause] for values in run.values)
where = "in the queue" if waiting + in_flight else "lost"
claim("the pages wait in the queue meanwhile", where == "in the queue")
predicted("14.e", f"{where}: {waiting} waiting, {in_flight} in flight")

# %% [markdown]
# Look at the line of the pages in flight. Their function was dead, or was not allowed to run. SQS does not know that. It only knows that
# they were not deleted, so 30 seconds after they were received it delivered them again. You have written no retry: the queue does it.
#
# How many processes died, and what came of it?

# %%
ran = reports(logs, renderer, since=killed_began)
printed = lines(renderer, killed_began)
dead = (ran["error_type"] == "Runtime.ExitError").sum()
again = sum(line.endswith("was there already") for line in printed)
print(f"{dead} processes killed, {again} pages done again")

# %%
claim("processes died, and pages were done again", dead > 0 and again > 0)
proofs = pd.DataFrame({"long.pdf": proof(long), "long.pdf, killed": proof(killed)})
claim("nothing is lost and nothing done twice", proof(long) == proof(killed))
proofs

# %% [markdown]
# The two columns are the same. Nothing is lost, because a message is deleted only after success. So some pages were rendered a second time. That did no
# harm, because every step can be repeated. The system needs both.
#
# And the index of the killed run has the same bytes. (Then the renderer is deployed without the saboteur.)

# %%
print("the same index:", index_of(killed) == index_of(long))
_ = deploy(workshop, renderer, "pdf-renderer/python", Role=renderer_role, **fast)

# %% [markdown]
# ## What it costs
#
# Lambda's part, from the REPORT lines of both runs of a hundred pages; the folded cell adds them up. (Requests to S3, SQS and DynamoDB come on top: for each page about one
# write to S3 and to DynamoDB, and less than one request to SQS, because ten are sent and five received and deleted at once.)

# %% costs folded
prices = load_prices()["lambda"]
runs = [("without a fault", hundred_began, twice_began)]
runs += [("killed", killed_began, datetime.now(UTC))]
rows = []
for label, since, end in runs:
    for function in (splitter, renderer, indexer):
        frame = reports(logs, function, since=since)
        frame = frame[frame["start"] < end]
        gb_seconds = (frame["billed_ms"] / 1000 * frame["memory_mb"] / 1024).sum()
        requests_usd = len(frame) * prices["request"]
        usd = gb_seconds * prices["gb_second"]["x86_64"] + requests_usd
        rows.append((label, function, len(frame), gb_seconds, usd))
columns = ["run", "function", "invocations", "GB-s", "USD"]
costs = pd.DataFrame(rows, columns=columns)
costs.style.format({"GB-s": "{:.1f}", "USD": "{:.6f}"}).hide()

# %%
thousand = 1000 * costs.groupby("run")["USD"].sum()
killed_usd, whole_usd = thousand["killed"], thousand["without a fault"]
claim("dying is expensive", killed_usd > whole_usd)
print(f"A thousand such PDFs: {whole_usd:.2f} USD, and killed {killed_usd:.2f} USD")

# %% [markdown]
# Dying is expensive: after a crash Lambda starts the environment again within the next invocation, and you pay for all imports once more, as Duration.
#
# Between two PDFs it costs very little: storage, and the polling. Lambda asks the queues all the time, and SQS counts a request also when
# the queue is empty. (Source: "Why are my Amazon SQS charges higher than expected?", AWS Knowledge Center.) So on AWS, remove what you do not use.
#
# ## Exercise 2: where is the message?
#
# Write `where_is`. A message is sent at second 0, and you know this:
#
# - `second`: the moment that we ask about;
# - `received`: the seconds at which it was received, in order, e.g. `[2, 32]`; later than `second` may be among them;
# - `deleted`: the second at which Lambda deleted it after success, or `None`;
# - `visibility_timeout` in seconds, and `max_receives`, the `maxReceiveCount` of the queue.
#
# Return `"waiting"`, `"in flight"`, `"dead-letter queue"` or `"gone"`. When a message has been received `max_receives` times
# and becomes visible once more, it goes to the dead-letter queue at once.


# %% where-is
def where_is(second, received, deleted, visibility_timeout, max_receives):
    # solution: Look at `deleted` first, then at the last receive before `second`.
    if deleted is not None and second >= deleted:
        return "gone"
    received = [each for each in received if each <= second]
    if not received:
        return "waiting"
    if second < received[-1] + visibility_timeout:
        return "in flight"
    return "dead-letter queue" if len(received) >= max_receives else "waiting"


# %%
# check
check("14.2", where_is)

# a page whose first renderer died, as in the picture above
page = {"received": [2, 34], "deleted": 35}
queue = {"visibility_timeout": 30, "max_receives": 5}
[where_is(second, **page, **queue) for second in (1, 10, 33, 34.5, 36)]

# %% [markdown]
# So after a function dies, its work waits for the visibility timeout. If that is too long, a crash costs minutes. If it is too short, a
# message is delivered to a second function while the first still works on it: done twice, without any fault. Six times the
# function's timeout leaves room for that, and for Lambda's own retries while the function is throttled.
#
# (Two services join functions for you, and neither is in this notebook. A [Distributed Map]({{distributed_map.source}}) of Step Functions, since {{distributed_map}}, runs a function for each of up
# to millions of objects, and knows when all are done. [Durable functions]({{durable_functions.source}}), since {{durable_functions}}, write it as one program: notebook 15.)
#
# ## What you have learned
#
# - Functions joined by queues: each step scales, fails and is tried again by itself. The queue is where the work waits.
# - Delivery is at least once, so every step may be repeated: conditional writes to S3, a set or a condition in DynamoDB.
# - "All pages are there" is an atomic count of *different* pages, never of messages.
# - Send first and note afterwards: twice is better than never, when the receiver is idempotent.
# - A message is deleted only after success. Work that dies is tried again after the visibility timeout; a message that never succeeds ends in
#   the dead-letter queue, and an alarm says so.
#
# **Next:** notebook 15, *What does not fit*, has the opposite: five systems that break. `python3 -m helpers clean` removes what this notebook made.
