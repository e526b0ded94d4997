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
# It takes about 40 minutes. Slides: "Example 4: event-driven architecture", in the part "Architectures".
#
# ![A PDF is split, each page is rendered, and when all pages are counted an index is assembled](lessons/14-event-driven-pdf/picture.svg)
#
# The slide says: functions, joined by queues, and as the example a PDF whose pages become thumbnails. Follow the arrows:
#
# 1. A PDF is put into S3. S3 sends an event to the first queue.
# 2. The **splitter** looks how many pages it has, and sends one message for each page to the second queue.
# 3. The **renderer** takes such messages, makes a thumbnail of each page, and counts the page in a DynamoDB table.
# 4. Whoever counts the last page sends one message to the third queue, and the **indexer** makes one sheet of all thumbnails.
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
from helpers import connect, deploy, load_event, package_layer, reports, track
from helpers.lessons import function_folder
from helpers.plots import BLUE, DARK_GREY, GREEN, PARTS, PINK, RED
from IPython.display import Image, Markdown, display

workshop = connect()
lambda_client, logs, s3, sqs, dynamodb = map(
    workshop.client, ["lambda", "logs", "s3", "sqs", "dynamodb"]
)
workshop

# %% [markdown]
# ## The work
#
# First the PDFs: real ones, made here, with a number and a curve on each page. One has 3 pages, the other 100. (Without a creation date
# in it, a PDF of the same pages has the same bytes every time.)


# %% make-pdf
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
from helpers import check, hint, load_prices, predict, predicted, solution

# %%
pdfs = {"short.pdf": make_pdf(3), "long.pdf": make_pdf(100)}
{name: f"{len(pdf) / 1000:.0f} kB" for name, pdf in pdfs.items()}

# %% [markdown]
# ## Build it, from the back to the front
#
# What is used has to be there first. So we begin with what keeps things: two buckets, the table, the queues.
#
# Both buckets are **versioned**: S3 keeps every write to a key, instead of the last one alone. That serves us twice. Each upload
# gets a version id, which names our *document*, even when somebody puts another PDF under the same key. And afterwards the
# versions tell how often each thumbnail was written.
#
# Two buckets, because a function that writes into the bucket that starts it starts itself again (notebook 15).

# %% buckets
account = workshop.client("sts").get_caller_identity()["Account"]
bucket_options = {}
if workshop.region != "us-east-1":  # the one region that must not be named here
    bucket_options["CreateBucketConfiguration"] = {
        "LocationConstraint": workshop.region
    }
uploads_bucket, pictures_bucket = workshop.name("pdfs"), workshop.name("pdf-pictures")
for bucket in (uploads_bucket, pictures_bucket):
    try:
        s3.create_bucket(Bucket=bucket, **bucket_options)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        print(bucket, "is there already.")
    s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )

# %% table
table = workshop.name("pdf-documents")


def make_table(name):
    """A DynamoDB table with one item for each document, paid per request."""
    try:
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "document", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "document", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    except dynamodb.exceptions.ResourceInUseException:
        print(name, "is there already.")
    dynamodb.get_waiter("table_exists").wait(TableName=name)


make_table(table)

# %% [markdown]
# ### The queues
#
# SQS delivers **at least once**. When a function receives a message, the message stays in the queue, but nobody else sees it for the
# **visibility timeout**: it is *in flight*. When the function has succeeded, Lambda deletes it. When the function fails,
# or dies, or says nothing, the timeout ends, the message is visible again, and the next one gets it. AWS recommends a visibility timeout of at
# least six times the function's `Timeout`. (Source: "Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide.)
#
# After five tries without success (`maxReceiveCount`) a message is moved to the **dead-letter queue**, where it waits
# for a person. All three queues share one here.


# %% queues
def make_queue(name, attributes):
    """The queue's URL and ARN."""
    url = sqs.create_queue(QueueName=workshop.name(name), Attributes=attributes)[
        "QueueUrl"
    ]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


failed_url, failed_arn = make_queue(
    "pdf-failed", {"MessageRetentionPeriod": str(14 * 24 * 3600)}
)
redrive = {
    "RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": failed_arn, "maxReceiveCount": 5}
    )
}
uploads_url, uploads_arn = make_queue(
    "pdf-uploads", redrive | {"VisibilityTimeout": "120"}
)
pages_url, pages_arn = make_queue("pdf-pages", redrive | {"VisibilityTimeout": "30"})
complete_url, complete_arn = make_queue(
    "pdf-complete", redrive | {"VisibilityTimeout": "120"}
)

# %% [markdown]
# ### The library
#
# Lambda's runtime has boto3 and nothing else. To read a PDF we take PDFium, the library of the Chromium browser (as `pypdfium2`), and Pillow for
# PNG files. Both were compiled for one kind of machine. So `package_layer` takes this machine's own for the embedded AWS, and those built
# for Amazon Linux for AWS. All three functions get them from one **layer**, which may have {{zip}} zipped.
#
# A layer cannot be changed, only published anew, as a new version. So `publish` compares first, as in notebook 11.

# %% layer
archive = package_layer(["pypdfium2", "pillow"], target=workshop.target)


def publish(name, archive):
    """The ARN of the layer version with this content; a new one only where the newest has another content."""
    digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    versions = lambda_client.list_layer_versions(LayerName=name)[
        "LayerVersions"
    ]  # the newest comes first
    if versions:
        newest = lambda_client.get_layer_version(
            LayerName=name, VersionNumber=versions[0]["Version"]
        )
        if newest["Content"]["CodeSha256"] == digest:
            return newest["LayerVersionArn"]
    content = {"ZipFile": archive}
    made = lambda_client.publish_layer_version(
        LayerName=name, Content=content, CompatibleRuntimes=["python3.13"]
    )
    return made["LayerVersionArn"]


layer_arn = publish(workshop.name("pdf-layer"), archive)
print(f"version {layer_arn.split(':')[-1]}, {len(archive) / 2**20:.1f} MB zipped")

# %% [markdown]
# ### The functions
#
# Here is the splitter. Look for three things: it skips what is no notification; it enters the document with
# `update_item`, which leaves alone what is in the item already; and it looks at `Failed`, since `send_message_batch` can succeed
# in part.


# %%
def show(name):
    display(
        Markdown(
            f"```python\n{(function_folder(name) / 'python' / 'app.py').read_text()}```"
        )
    )


show("pdf-splitter")

# %% [markdown]
# The renderer is where the work is. Ask yourself while you read: what happens when the process dies right after `put_once`? When
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
# - `put_once` writes with `IfNoneMatch="*"`: only where nothing is yet. S3 decides, so two renderers cannot both win.
# - `rendered` is a **set** of page numbers. `ADD` of a page that is in it changes nothing, so a page can be counted again and again.
# - `update_item` is atomic, and answers the item as it is after *this* call. Of two renderers with the last two pages, exactly
#   one sees the complete set.
# - An item may have 400 KB, and a write is billed by the size of the item. So a set is good for hundreds of pages; for very many,
#   one would write one item for each page.
# - Whatever dies half-way is begun again from the front, and every step may be repeated. Such work is called **idempotent**.
#
# The indexer reads the number of pages from the table, pastes the thumbnails into one picture, and writes it with `put_once`
# too. (`lessons/14-event-driven-pdf/functions/pdf-indexer/python/app.py`)
#
# Now deploy the three, each with a role of its own that may do what it has to. The embedded AWS does not enforce roles; AWS does. (These are AWS's
# ready-made policies. In production you would write your own, which name these buckets, queues and this table.)

# %% configuration
SQS_TRIGGER = "service-role/AWSLambdaSQSQueueExecutionRole"
READ_S3, WRITE_S3 = "AmazonS3ReadOnlyAccess", "AmazonS3FullAccess"
SEND, TABLE = "AmazonSQSFullAccess", "AmazonDynamoDBFullAccess"
variables = {
    "DOCUMENTS_TABLE": table,
    "PICTURES_BUCKET": pictures_bucket,
    "PAGES_QUEUE": pages_url,
    "COMPLETE_QUEUE": complete_url,
}
common = {
    "Layers": [layer_arn],
    "MemorySize": 512,
    "Environment": {"Variables": variables},
}
splitter, renderer, indexer = (
    workshop.name(name) for name in ("pdf-splitter", "pdf-renderer", "pdf-indexer")
)
slow = common | {
    "Timeout": 20
}  # and their queues' visibility timeout is 6 * 20 s == 120 s
fast = common | {"Timeout": 5}  # 6 * 5 s == 30 s

# %% functions
renderer_role = workshop.role(SQS_TRIGGER, WRITE_S3, SEND, TABLE)
deploy(
    workshop,
    splitter,
    "pdf-splitter/python",
    Role=workshop.role(SQS_TRIGGER, READ_S3, SEND, TABLE),
    **slow,
)
deploy(workshop, renderer, "pdf-renderer/python", Role=renderer_role, **fast)
deploy(
    workshop,
    indexer,
    "pdf-indexer/python",
    Role=workshop.role(SQS_TRIGGER, WRITE_S3, TABLE),
    **slow,
)
lambda_client.delete_function_concurrency(
    FunctionName=renderer
)  # nothing reserved, whatever an earlier run left

# %% [markdown]
# ### The joints
#
# An **event source mapping** lets Lambda poll a queue and invoke a function with what it finds. The renderer takes up to
# five pages at once (`BatchSize`), in at most two environments (`MaximumConcurrency`), and may report single messages as failed
# (`ReportBatchItemFailures`), so that one bad page does not make the other four come again.


# %% mappings
def join(queue_arn, function, **options):
    """Let Lambda invoke the function with the messages of the queue, and wait until it does."""
    found = lambda_client.list_event_source_mappings(
        EventSourceArn=queue_arn, FunctionName=function
    )["EventSourceMappings"]
    if not found:
        found = [
            lambda_client.create_event_source_mapping(
                EventSourceArn=queue_arn, FunctionName=function, **options
            )
        ]
    while (
        lambda_client.get_event_source_mapping(UUID=found[0]["UUID"])["State"]
        != "Enabled"
    ):
        time.sleep(1)  # on AWS up to a minute


join(uploads_arn, splitter, BatchSize=1)
join(
    pages_arn,
    renderer,
    BatchSize=5,
    ScalingConfig={"MaximumConcurrency": 2},
    FunctionResponseTypes=["ReportBatchItemFailures"],
)
join(complete_arn, indexer, BatchSize=1)

# %% [markdown]
# The last joint is the first one: the bucket notifies the queue. As in notebook 16 it takes two settings: the queue permits S3 to send, and
# the bucket notifies, here for keys that end in `.pdf`.

# %% notification
permission = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": uploads_arn,
    "Condition": {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{uploads_bucket}"},
        "StringEquals": {"aws:SourceAccount": account},
    },
}
policy = json.dumps({"Version": "2012-10-17", "Statement": [permission]})
sqs.set_queue_attributes(QueueUrl=uploads_url, Attributes={"Policy": policy})
notification = {
    "QueueArn": uploads_arn,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".pdf"}]}},
}
_ = s3.put_bucket_notification_configuration(
    Bucket=uploads_bucket,
    NotificationConfiguration={"QueueConfigurations": [notification]},
)

# %% [markdown]
# ## Three pages
#
# Put the short PDF, and wait for its index. Nothing else has to be called.


# %% put-pdf
def put_pdf(key):
    """Put the PDF into S3; the version id is the name of the document."""
    return s3.put_object(Bucket=uploads_bucket, Key=key, Body=pdfs[key])["VersionId"]


def index_of(document):
    return s3.get_object(Bucket=pictures_bucket, Key=f"{document}/index.png")[
        "Body"
    ].read()


# %%
short = put_pdf("short.pdf")
waiter = s3.get_waiter("object_exists")
waiter.wait(
    Bucket=pictures_bucket,
    Key=f"{short}/index.png",
    WaiterConfig={"Delay": 1, "MaxAttempts": 120},
)
Image(index_of(short), alt="An index of three pages, 1 to 3, with a curve each")

# %% [markdown]
# The item in the table says how it went: how many pages there are, which are rendered, and that the indexer was told.

# %%
dynamodb.get_item(TableName=table, Key={"document": {"S": short}})["Item"] | {
    "document": "…"
}

# %% [markdown]
# ## Watch a hundred
#
# Where is a document at this moment? Nobody has to keep a record: every stage can be asked. SQS says how many messages are visible
# and in flight (*approximately*: on AWS the figures lag by a moment), the table how many pages are counted, S3 how many thumbnails there are.


# %% depth
QUEUES = {
    "pdf-uploads": uploads_url,
    "pdf-pages": pages_url,
    "pdf-complete": complete_url,
    "pdf-failed": failed_url,
}


def depth(url):
    """Messages that wait, and messages in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)[
        "Attributes"
    ]
    return [int(attributes[name]) for name in names]


# %% look
def look(document):
    """What every stage says of the document now."""
    found = dynamodb.get_item(
        TableName=table, Key={"document": {"S": document}}, ConsistentRead=True
    ).get("Item", {})
    listed = s3.list_objects_v2(Bucket=pictures_bucket, Prefix=f"{document}/").get(
        "Contents", []
    )
    keys = [each["Key"].rpartition("/")[2] for each in listed]
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
# The next three cells only draw: the picture from the top of this notebook with these numbers in it, and below it how they changed. You
# need not read them.

# %%
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

# %%
BUCKETS = {
    "pdfs": "pages",
    "thumbnails": "thumbnails",
    "index": "index",
}  # what is counted in each
# From one column to the other, in a row.
ARROWS = [
    (0, 1, 0),
    (1, 2, 0),
    (2, 3, 0),
    (3, 4, 0),
    (4, 5, 0),
    (4, 5, 1),
    (4, 3, 1),
    (3, 2, 1),
    (2, 1, 1),
]
LINES = [
    ("pages counted", GREEN, "-"),
    ("pages waiting in the queue", PINK, "--"),
    ("pages in flight", RED, ":"),
]


# %%
def fill_in(texts, seen):
    """Write into the boxes what look() has seen."""
    queues = {
        name: f"SQS {name}\n{waiting} waiting\n{flying} in flight"
        for name, (waiting, flying) in seen["queues"].items()
    }
    functions = {
        name: f"Lambda\n{name}" for name in ("splitter", "renderer", "indexer")
    }
    buckets = {name: f"S3\n{seen[what]} {what}" for name, what in BUCKETS.items()}
    for name, text in {**queues, **functions, **buckets}.items():
        texts[name].set_text(text)
    texts["table"].set_text(f"DynamoDB\n{seen['counted']} pages\ncounted")


# %%
def draw_boxes(ax):
    """Draw boxes and arrows, and return the text of each box."""
    for start, end, row in ARROWS:
        side = 0.41 if end > start else -0.41
        style = {"arrowstyle": "-|>", "color": DARK_GREY, "linewidth": 2}
        ax.annotate("", (end - side, row), (start + side, row), arrowprops=style)
    texts = {}
    for name, (x, y, part) in PLACES.items():
        height = 1.76 if name == "renderer" else 0.76
        shape = "round,pad=0,rounding_size=0.06"
        ax.add_patch(
            FancyBboxPatch(
                (x - 0.4, y - 0.38), 0.8, height, boxstyle=shape, color=PARTS[part]
            )
        )
        texts[name] = ax.text(
            x,
            y - 0.38 + height / 2,
            "",
            ha="center",
            va="center",
            size=12,
            color="white",
        )
    ax.set(xlim=(-0.45, 5.45), ylim=(1.45, -0.45))
    ax.set_axis_off()
    return texts


# %%
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
    title = f"{seen['counted']} of {seen['pages']} pages {there}, {seen['queues']['pdf-failed'][0] or 'none'} failed"
    run.figure.axes[0].set_title(f"{age(run):.0f} s: {title}")
    for line, values in zip(run.lines, run.values, strict=True):
        line.set_data(run.seconds, values)
    run.ax.relim()
    run.ax.autoscale()
    run.shown.update(run.figure)


# %% [markdown]
# `begin` puts a PDF and begins a picture. `follow` looks some times a second, and keeps the picture up to date, until something is the case
# that you ask for. `note` writes into the picture.


# %%
def begin(key):
    """Put a PDF; return the run of it through the system."""
    figure, (top, ax) = plt.subplots(2, 1, figsize=(13, 7.2))
    run = SimpleNamespace(
        figure=figure,
        ax=ax,
        texts=draw_boxes(top),
        lines=draw_lines(ax),
        seconds=[],
        values=([], [], []),
    )
    figure.legend(loc="outside lower left", ncols=3, frameon=False)
    figure.draw_without_rendering()
    figure.set_layout_engine(
        "none"
    )  # everything stays in its place while the numbers change
    plt.close(figure)  # otherwise Jupyter shows it once more when the cell ends
    run.shown = display(display_id=True)
    run.began, run.document = time.monotonic(), put_pdf(key)
    return run


# %%
def age(run):
    return time.monotonic() - run.began


def note(run, text):
    run.ax.axvline(age(run), color="0.4", linewidth=1)
    run.ax.annotate(
        text,
        (age(run), 1),
        (4, -4),
        ("data", "axes fraction"),
        "offset points",
        va="top",
    )


# %%
def follow(run, until, limit=300):
    """Look and draw, until until(what was seen) is true."""
    drawn, drawn_at, enough = None, 0, False
    while not enough:
        if age(run) > limit:
            raise TimeoutError(
                f"Not within {limit} s; the logs of the functions say more."
            )
        seen = look(run.document)
        run.seconds.append(age(run))
        for values, number in zip(
            run.values, [seen["counted"], *seen["queues"]["pdf-pages"]], strict=True
        ):
            values.append(number)
        enough = until(seen)
        if enough or (seen != drawn and age(run) > drawn_at + 1):
            redraw(run, seen)
            drawn, drawn_at = seen, age(run)
        time.sleep(0.3 + age(run) / 30)  # less and less often: to look takes CPU, too


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
predicted("14.b", f"{max(in_flight)}, while up to {max(waiting)} waited")

# %% [markdown]
# The splitter is quick, so the pages *wait*, and the queue is where they wait. Nobody was turned away, and no function was busy with waiting. With
# more concurrency the green line would be steeper; with less, the system would be slower, and still whole. (The seconds are this machine's. On
# AWS expect the same shape, and other seconds.)
#
# At most 2 × 5 = 10 pages are in work at a time. (In flight can be a little more: Lambda's pollers may hold a batch ready.) The log tells who
# did the work: each bar is a batch, in the row of its environment.

# %%
from helpers import plot_timeline

batches = reports(
    logs, renderer, at_least=20, since=hundred_began
)  # 100 pages, five at most in a batch
ax = plot_timeline(batches)

# %% [markdown]
# And here is the index. The last function made it, because the queue told it that all pages are there.

# %%
Image(index_of(long), alt="An index of a hundred pages, 1 to 100, none missing")

# %% [markdown]
# ## Twice
#
# "At least once" is meant seriously: a standard queue may deliver a message twice, and S3 may notify twice. It is rare, so we do it by hand: page 2
# of the short PDF two times more, and then the notification of S3 (its shape is in `events/s3-put.json`).
#
# **Predict:** how many counted pages will the short PDF have afterwards?

# %%
predict("14.c")


# %% lines
def lines(function, since):
    """What the function has printed since then."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{function}", startTime=int(since.timestamp() * 1000)
    )
    return [event["message"].strip() for page in pages for event in page["events"]]


# %%
twice_began = datetime.now(UTC)
page_two = {"bucket": uploads_bucket, "key": "short.pdf", "document": short, "page": 2}
for _ in range(2):
    sqs.send_message(QueueUrl=pages_url, MessageBody=json.dumps(page_two))
event = load_event("s3-put")
event["Records"][0]["s3"]["bucket"]["name"] = uploads_bucket
event["Records"][0]["s3"]["object"] |= {"key": "short.pdf", "versionId": short}
_ = sqs.send_message(QueueUrl=uploads_url, MessageBody=json.dumps(event))


# %%
def repeated():
    return sum(
        line.endswith("was there already") for line in lines(renderer, twice_began)
    )


for number in track(
    range(1, 6), "pages done again"
):  # two by hand, three through the splitter
    while repeated() < number:
        time.sleep(0.5)
look(short)

# %%
seen = look(short)
predicted("14.a", "yes" if repeated() else "no")
predicted("14.c", f"{seen['counted']} of {seen['pages']} pages")


# %% [markdown]
# The same as before. To see more than the numbers, ask for the *history*: how often was each object written?


# %% proof
def proof(document):
    """What S3, DynamoDB and SQS say about a document in the end."""
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=pictures_bucket, Prefix=f"{document}/"
    )
    writes = pd.Series(
        [each["Key"].rpartition("/")[2] for page in pages for each in page["Versions"]]
    ).value_counts()
    seen = look(document)
    return {
        "pages of the PDF": seen["pages"],
        "pages counted": seen["counted"],
        "thumbnails": seen["thumbnails"],
        "index written": int(writes["index.png"]),
        "objects written more than once": int((writes > 1).sum()),
        "messages that failed": seen["queues"]["pdf-failed"][0],
    }


# %%
pd.DataFrame({"short.pdf": proof(short), "long.pdf": proof(long)})

# %% [markdown]
# Nothing was written twice, and there is one index each. The repeated pages cost the time of their rendering, and changed nothing.
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
    item = table.update_item(
        Key={"document": document},
        UpdateExpression="ADD rendered :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    return item["rendered"] == pages


# %% counts
counts = workshop.name("pdf-counts")
make_table(counts)
options = {
    "Role": workshop.role(TABLE),
    "MemorySize": 512,
    "Timeout": 10,
    "Environment": {"Variables": {"TABLE": counts}},
}
naive = workshop.name("pdf-naive-counter")
deploy(
    workshop, naive, {"app.py": counter_source + inspect.getsource(count)}, **options
)


# %% send-pages
def send_pages(function, document, numbers, pages=3):
    """Invoke with one message for each of these pages; print and return each answer."""
    said = []
    for page in numbers:
        body = json.dumps({"document": document, "page": page, "pages": pages})
        payload = json.dumps({"Records": [{"messageId": str(page), "body": body}]})
        answer = json.loads(
            lambda_client.invoke(FunctionName=function, Payload=payload)[
                "Payload"
            ].read()
        )
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
# It said "complete" when page 3 was missing, and when page 3 came, it said nothing. A wrong index is made, and nobody hears
# of the mistake.
#
# ## Exercise 1: count each page once
#
# Write `count_once`, which takes the place of `count`. It counts page number `page` of `document`, which has `pages` pages, and returns `True` for **the one** call that makes
# the document complete, whatever comes twice, in whatever order, and however many environments count at the same moment. It returns `False` for all others, also for a page that comes again
# after the end. What it remembers has to be in the table, because the next call may be in another environment.
#
# (Whoever reads the item first, and writes it afterwards, is too late: another environment has written in between. The check lets two
# environments do so for certain.)
#
# `table` is there, as a resource of boto3: numbers may be given as Python's, and a set as `{page}`. The renderer above shows half of an answer.


# %% count-once
def count_once(document, page, pages):
    # solution: Add the page to a set, on the condition that it is not in it, and compare the size of the set.
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
# One "complete", at the right moment. And if the function dies after it has counted the last page, and before anybody has read its answer?
# Then the message comes again, `count_once` says `False`, and the document is never finished. That is why the renderer does it in another order:
# it sends first and notes afterwards, and would rather send two messages than none. The indexer's `put_once` makes the second one harmless.
#
# ## Kill it
#
# Now the hard test. This saboteur is in front of the renderer: at the first try of every third page the process **dies** in the middle of
# its batch. Pages of the batch that are done already were rendered and counted, but SQS never hears of it: the whole batch comes again.

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
renderer_source = (function_folder("pdf-renderer") / "python" / "app.py").read_text()
sabotaged = {"app.py": renderer_source, "saboteur.py": saboteur}
_ = deploy(
    workshop,
    renderer,
    sabotaged,
    Handler="saboteur.handler",
    Role=renderer_role,
    **fast,
)

# %% [markdown]
# And as if that were not enough: as soon as ten pages are counted we pull the **emergency stop**. With a reserved concurrency of 0 the renderer may not
# run at all. Five seconds later we let it run again. (A message that was received meanwhile could not be delivered, and has used up one of its five tries.)
#
# The green line will be flat for a while.
#
# **Predict:** where are the pages meanwhile?

# %%
predict("14.e", choices=["lost", "in the queue", "in the functions"])

# %%
killed_began = datetime.now(UTC)
run = begin("long.pdf")
follow(run, until=lambda seen: seen["counted"] >= 10)
lambda_client.put_function_concurrency(
    FunctionName=renderer, ReservedConcurrentExecutions=0
)
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
predicted("14.e", f"{where}: {waiting} waiting, {in_flight} in flight")

# %% [markdown]
# Look at the orange line. Its pages were in nobody's hands: their function was dead, or was not allowed to run. SQS does not know that. It only knows that
# nobody deleted them, and 30 seconds after they were received it gave them to the next one. You have written no retry; the queue is one.
#
# How much was broken, and what came of it?

# %%
ran = reports(logs, renderer, since=killed_began)
printed = lines(renderer, killed_began)
print("processes killed:", (ran["error_type"] == "Runtime.ExitError").sum())
print("pages rendered:", sum(line.endswith("rendered") for line in printed))
print("pages done again:", sum(line.endswith("was there already") for line in printed))
pd.DataFrame({"long.pdf": proof(long), "long.pdf, killed": proof(killed)})

# %% [markdown]
# The two columns are the same. Nothing is lost, since a message is deleted only after success. That is why some pages were rendered a second time, and it did no
# harm, since every step can be repeated. Neither alone would do.
#
# The last check of all: the index of the killed run has the same bytes.

# %%
assert index_of(killed) == index_of(long)
deploy(
    workshop, renderer, "pdf-renderer/python", Role=renderer_role, **fast
)  # without the saboteur again

# %% [markdown]
# ## What it costs
#
# Lambda's part, from the REPORT lines of both runs of a hundred pages. (Requests to S3, SQS and DynamoDB come on top: for each page about one
# write to S3 and to DynamoDB, and less than one request to SQS, since ten are sent and five received and deleted at once.)

# %%
prices = load_prices()["lambda"]
rows = []
for label, since, end in [
    ("as it should be", hundred_began, twice_began),
    ("killed", killed_began, datetime.now(UTC)),
]:
    for function in (splitter, renderer, indexer):
        frame = reports(logs, function, since=since)
        frame = frame[frame["start"] < end]
        gb_seconds = (frame["billed_ms"] / 1000 * frame["memory_mb"] / 1024).sum()
        cost = (
            gb_seconds * prices["gb_second"]["x86_64"] + len(frame) * prices["request"]
        )
        rows.append(
            {
                "run": label,
                "function": function,
                "invocations": len(frame),
                "GB-s": gb_seconds,
                "USD": cost,
            }
        )
costs = pd.DataFrame(rows)
costs.style.format({"GB-s": "{:.1f}", "USD": "{:.6f}"}).hide()

# %%
thousand = 1000 * costs.groupby("run")["USD"].sum()
print(
    f"A thousand such PDFs: {thousand['as it should be']:.2f} USD, and {thousand['killed']:.2f} USD with all the dying."
)

# %% [markdown]
# Dying is expensive: after a crash Lambda starts the environment anew within the next invocation, and all imports are paid once more, as Duration.
#
# Between two PDFs it costs hardly anything: storage, and the polling. Lambda asks the queues all the time, and SQS counts a request also when
# nothing was there. (Source: "Why are my Amazon SQS charges higher than expected?", AWS Knowledge Center.) So on AWS, remove what you do not use.
#
# ## Exercise 2: where is the message?
#
# Write `where_is`. A message is sent at second 0, and this is known of it:
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
    # solution: Look at `deleted` first, then at the last time it was received before `second`.
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
[
    where_is(
        second, received=[2, 34], deleted=35, visibility_timeout=30, max_receives=5
    )
    for second in (1, 10, 33, 34.5, 36)
]

# %% [markdown]
# So the visibility timeout is also how long a dead function's work lies around. Too long, and a crash costs minutes. Too short, and a
# message is given to a second function while the first is still working on it: duplicates, without any fault. Six times the
# function's timeout leaves room for that, and for Lambda's own retries while the function is throttled.
#
# (Two services do such joints for you, and neither is in this notebook. A [Distributed Map]({{distributed_map.source}}) of Step Functions, since {{distributed_map}}, runs a function for each of up
# to millions of objects, and knows when all are done. [Durable functions]({{durable_functions.source}}), since {{durable_functions}}, write it as one program: notebook 15.)
#
# ## What you have learned
#
# - Functions joined by queues: each step scales, fails and is tried again by itself. The queue is where the work waits.
# - Delivery is at least once, so every step must bear a repetition: conditional writes to S3, a set or a condition in DynamoDB.
# - "All pages are there" is an atomic count of *different* pages, never of messages.
# - Send first and note afterwards: better twice than never, when the receiver is idempotent.
# - A message is deleted only after success. What dies is tried again after the visibility timeout; what never succeeds ends in
#   the dead-letter queue.
#
# **Next:** notebook 15, *What does not fit*, has the opposite: five systems that break. `python3 -m helpers clean` removes what this notebook made.
