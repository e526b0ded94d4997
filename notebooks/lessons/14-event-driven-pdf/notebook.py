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
# It takes about 45 minutes. Take it in two sessions: there is a pause in the middle.
#
# Slides: "Example 4: event-driven architecture" (「例4: イベントドリブンアーキテクチャ」, page 29), in the part "Architectures".
#
# ![A PDF is split, each page is rendered, and when all pages are counted an index is assembled](lessons/14-event-driven-pdf/picture.svg)
#
# The slide joins functions by queues. Its example is a PDF whose pages become thumbnails. Follow the arrows:
#
# 1. A PDF is put into S3. S3 sends an event to the first queue.
# 2. The **splitter** looks how many pages the PDF has, and sends one message for each page to the second queue.
# 3. The **renderer** takes such messages, makes a thumbnail of each page, and counts the page in a DynamoDB table.
# 4. The renderer that counts the last page sends one message to the third queue, and the **indexer** makes one sheet of all thumbnails.
#
# No function calls another one. Each takes a message, does one small thing, and sends messages on. On the embedded AWS, too, the
# queues, the retries and the dying processes are real.

# %% notes [markdown]
# Minutes: 1
#
# Say: The fourth example of the deck, and the largest system of the workshop: three functions that do not know one
# another. Ask who calls whom. Nobody.
#
# Goes wrong: It is two sessions. Stop at *A pause*, and do not begin *Kill it* with ten minutes left.

# %% imports
import hashlib
import inspect
import io
import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import connect, deploy, package_layer, reports, track, wait_until, watch
from helpers.lessons import function_folder
from helpers.plots import BLUE
from IPython.display import Image, Markdown
from matplotlib.backends.backend_pdf import PdfPages

# %% connect
workshop = connect()
lambda_client, logs = workshop.client("lambda"), workshop.client("logs")
s3, sqs = workshop.client("s3"), workshop.client("sqs")
dynamodb, cloudwatch = workshop.client("dynamodb"), workshop.client("cloudwatch")
workshop

# %%
from helpers import check, claim, fact, hint, predict, predicted, solution

# %% [markdown]
# ## The work
#
# First the PDFs. The folded cell defines `make_pdf`, which draws a number and a curve on each page. One PDF has 3 pages, the other 100.

# %% notes [markdown]
# Minutes: 1
#
# Say: Two PDFs, one with three pages to think with, and one with a hundred to measure with.


# %% make-pdf folded
def make_pdf(pages):
    """A PDF whose pages show their number and a Lissajous curve each, as bytes."""
    figure = plt.figure(figsize=(4.1, 5.8))
    figure.set_layout_engine("none")
    ax = figure.add_axes((0.05, 0.05, 0.9, 0.75), xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
    ax.set_axis_off()
    (curve,) = ax.plot([], [], color=BLUE, linewidth=4)
    title = figure.text(0.5, 0.85, "", ha="center", size=64)
    t = np.linspace(0, 2 * np.pi, 300)
    file = io.BytesIO()
    # without a date in it, a PDF of the same pages has the same bytes every time
    with PdfPages(file, metadata={"CreationDate": None}) as pdf:
        for page in track(range(1, pages + 1), "pages drawn"):
            row, column = divmod(page - 1, 10)
            curve.set_data(np.sin((column + 1) * t + 1), np.sin((row + 1) * t))
            title.set_text(page)
            pdf.savefig(figure)
    plt.close(figure)
    return file.getvalue()


# %%
pdfs = {"short.pdf": make_pdf(3), "long.pdf": make_pdf(100)}
{name: f"{len(pdf) / 1000:.0f} kB" for name, pdf in pdfs.items()}

# %% [markdown]
# ## Build it, from the back to the front
#
# What a function uses must be there first: two buckets, a table and the queues.
#
# Both buckets are **versioned**: S3 keeps every write to a key, and not the last one alone. That helps twice. Each upload
# gets a version id, which names your *document*, also when another PDF comes under the same key. And the
# versions tell how often each thumbnail was written.
#
# There are two buckets, because a function that writes into the bucket that starts it starts itself again (notebook 15). The folded cell
# defines `create`, which makes a bucket as in notebook 11.

# %% notes [markdown]
# Minutes: 9
#
# Say: Build it from the end, as what a function uses must be there first. Do not read all the code; read the
# renderer, and ask the three questions above it. Let the room find out what saves it: a write that only the first one
# wins, and a set.
#
# Goes wrong: On AWS versioning of a new bucket takes a while, and `KeyError: 'VersionId'` follows. People want to
# know why the page is not counted with a number; *The count that goes wrong* shows it, so say "wait".
#
# Answer 14.a: Yes, it is rendered again. But nothing changes: the picture is written only where there is none, and
# the page is in the set already. The cells of *Twice* show it.
#
# Skip: The roles and the layer; run them.


# %% create folded
def create(bucket):
    """Make the bucket, unless it is there already."""
    options = {}
    if workshop.region != "us-east-1":  # the one region that must not be named here
        place = {"LocationConstraint": workshop.region}
        options["CreateBucketConfiguration"] = place
    try:
        s3.create_bucket(Bucket=bucket, **options)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        print(bucket, "is there already.")


# %% buckets
uploads_bucket, pictures_bucket = workshop.bucket("pdfs"), workshop.bucket("pdf-pages")
versioned = {"Status": "Enabled"}
for bucket in (uploads_bucket, pictures_bucket):
    create(bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioned)

# %% [markdown]
# On AWS, versioning that is new may take some minutes to reach all of S3. AWS advises to wait {{s3_versioning.minutes}} before you write. If
# `put_pdf` below fails with `KeyError: 'VersionId'`, wait, and run its cell again. (Source: "Enabling versioning on
# buckets", Amazon S3 User Guide.)
#
# The table has one item for each document. You pay per request.


# %% make-table
def make_table(name):
    table = {"TableName": name, "BillingMode": "PAY_PER_REQUEST"}
    table["KeySchema"] = [{"AttributeName": "document", "KeyType": "HASH"}]
    string = [{"AttributeName": "document", "AttributeType": "S"}]
    try:
        dynamodb.create_table(AttributeDefinitions=string, **table)
    except dynamodb.exceptions.ResourceInUseException:
        print(name, "is there already.")
    dynamodb.get_waiter("table_exists").wait(TableName=name)


# %% table
table = workshop.name("pdf-documents")
make_table(table)

# %% [markdown]
# ### The queues
#
# SQS delivers **at least once**. When Lambda receives a message, the message stays in the queue, but nobody else sees it for the
# **visibility timeout**: it is *in flight*. After success Lambda deletes it. When the function fails or dies, the timeout ends, the
# message is visible again, and is tried again. AWS recommends a timeout of at least six times the function's `Timeout`. (Source:
# [Configuring an SQS queue for Lambda](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html), AWS Lambda Developer Guide.)
#
# After five tries without success (`maxReceiveCount`) a message moves to the **dead-letter queue**. All three queues share one here.


# %% make-queue
def make_queue(name, attributes):
    """The queue's URL and ARN; a queue that is there already gets these attributes."""
    url = sqs.create_queue(QueueName=workshop.name(name))["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


# %% dead-letter-queue
longest = {"MessageRetentionPeriod": str(fact("sqs_retention") * 24 * 3600)}
failed_url, failed_arn = make_queue("pdf-failed", longest)

# %% queues
redrive = json.dumps({"deadLetterTargetArn": failed_arn, "maxReceiveCount": 5})
patient = {"RedrivePolicy": redrive, "VisibilityTimeout": "120"}
quick = patient | {"VisibilityTimeout": "30"}
uploads_url, uploads_arn = make_queue("pdf-uploads", patient)
pages_url, pages_arn = make_queue("pdf-pages", quick)
complete_url, complete_arn = make_queue("pdf-complete", patient)

# %% [markdown]
# Nobody watches a dead-letter queue all day. As in notebook 11, an **alarm** changes to `ALARM` as soon as a message is in it. (With
# `AlarmActions=[…]` it tells an SNS topic, which sends a mail.)

# %% alarm
alarm = workshop.name("pdf-failed")
metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible"}
metric["Dimensions"] = [{"Name": "QueueName", "Value": workshop.name("pdf-failed")}]
more_than_none = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0}
when = {"Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1}
when |= more_than_none | {"TreatMissingData": "notBreaching"}
_ = cloudwatch.put_metric_alarm(AlarmName=alarm, **metric, **when)

# %% [markdown]
# ### The library
#
# Lambda's Python has the standard library and boto3, and nothing else. To read a PDF take PDFium, the library of the Chromium browser
# (`pypdfium2`), and Pillow for PNG files. All three functions get them from one **layer**. The folded cell defines `publish`, as in notebook 11: it
# publishes a new version only when the content is new.


# %% publish folded
def publish(name, archive):
    """The ARN of the layer version with this content; made if the newest differs."""
    digest = hashlib.sha256(archive).hexdigest()
    versions = lambda_client.list_layer_versions(LayerName=name)["LayerVersions"]
    if versions and versions[0].get("Description") == digest:  # the newest comes first
        return versions[0]["LayerVersionArn"]
    layer = {"LayerName": name, "Description": digest, "Content": {"ZipFile": archive}}
    layer["CompatibleRuntimes"] = ["python3.13"]
    return lambda_client.publish_layer_version(**layer)["LayerVersionArn"]


# %% layer
archive = package_layer(["pypdfium2", "pillow"], target=workshop.target)
layer_arn = publish(workshop.name("pdf-layer"), archive)
print(f"version {layer_arn.split(':')[-1]}, {len(archive) / 2**20:.1f} MB zipped")

# %% [markdown]
# ### The functions
#
# In the splitter, look for three things. It skips messages that are no notifications. It writes the document into the table with
# `update_item`, which keeps what is in the item already. And it looks at `Failed`, since a part of
# `send_message_batch` can fail.


# %% source
def source(name):
    return (function_folder(name) / "python" / "app.py").read_text()


# %%
Markdown(f"```python\n{source('pdf-splitter')}```")

# %% [markdown]
# The renderer does most of the work. What happens when the process dies right after `put_once`? When
# two renderers finish the last two pages at the same moment? When the same message comes twice?

# %%
Markdown(f"```python\n{source('pdf-renderer')}```")

# %% [markdown]
# **Predict:** a message comes a second time. Is its page rendered again?

# %%
predict("14.a", choices=["yes", "no"])

# %% [markdown]
# The answers to the other questions:
#
# - `put_once` writes with `IfNoneMatch="*"`: only where nothing is yet. S3 decides, so two renderers cannot both win.
# - `rendered` is a **set** of page numbers. `ADD` of a page that is in it changes nothing, so a page can be counted again and again.
# - `update_item` is atomic, and returns the item as it is after *this* call. Of two renderers with the last two pages, the later one
#   sees the complete set.
# - An item has at most {{dynamodb_item}}, and a write is billed by the size of the item. So a set is good for hundreds of pages. For many
#   more, write one item for each page.
# - What dies half-way begins again from the start, and every step may be repeated. Such work is called **idempotent**.
#
# The [indexer](lessons/14-event-driven-pdf/functions/pdf-indexer/python/app.py) pastes the thumbnails into one picture, and writes it
# with `put_once` too.
#
# Now deploy the three. First the settings that they share.

# %% configuration
variables = {"DOCUMENTS_TABLE": table, "PICTURES_BUCKET": pictures_bucket}
variables |= {"PAGES_QUEUE": pages_url, "COMPLETE_QUEUE": complete_url}
common = {"Layers": [layer_arn], "MemorySize": 512}
common["Environment"] = {"Variables": variables}
slow = common | {"Timeout": 20}  # the visibility timeout is 6 * 20 s == 120 s
fast = common | {"Timeout": 5}  # 6 * 5 s == 30 s

# %% [markdown]
# Each function has a **role** of its own, which allows only the calls that are needed, on the resources that are needed. A role is a list of
# statements, and `allow` makes one: a resource, and the calls that are allowed on it.


# %% allow
def allow(resource, *actions):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def table_arn(name):
    return dynamodb.describe_table(TableName=name)["Table"]["TableArn"]


# %% [markdown]
# Look for two things in the next cell. Reading a certain version of an object has an action of its own, `s3:GetObjectVersion`. And it is Lambda that
# takes the messages of a queue for a function, but in the role of the function: that is `TAKE`.

# %% statements
in_s3 = f"arn:{workshop.partition}:s3:::"
read_pdf = allow(f"{in_s3}{uploads_bucket}/*", "s3:GetObjectVersion")
read_picture = allow(f"{in_s3}{pictures_bucket}/*", "s3:GetObject")
write_picture = allow(f"{in_s3}{pictures_bucket}/*", "s3:PutObject")
read_document = allow(table_arn(table), "dynamodb:GetItem")
update_document = allow(table_arn(table), "dynamodb:UpdateItem")
TAKE = "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"

# %% [markdown]
# Now read the three roles beside the picture at the top: each function takes from one queue, and sends at most to the next one. A mistake in
# one of them cannot delete a PDF, or change another table.

# %% roles
take_upload, take_page = allow(uploads_arn, *TAKE), allow(pages_arn, *TAKE)
take_complete = allow(complete_arn, *TAKE)
send_page = allow(pages_arn, "sqs:SendMessage")
send_complete = allow(complete_arn, "sqs:SendMessage")
splitter_role = workshop.role(take_upload, read_pdf, update_document, send_page)
renderer_role = workshop.role(
    take_page, read_pdf, write_picture, update_document, send_complete
)
indexer_role = workshop.role(take_complete, read_document, read_picture, write_picture)

# %% functions
steps = "pdf-splitter", "pdf-renderer", "pdf-indexer"
splitter, renderer, indexer = map(workshop.name, steps)
deploy(workshop, splitter, "pdf-splitter/python", Role=splitter_role, **slow)
deploy(workshop, renderer, "pdf-renderer/python", Role=renderer_role, **fast)
_ = deploy(workshop, indexer, "pdf-indexer/python", Role=indexer_role, **slow)

# %% [markdown]
# ### From the queues to the functions
#
# An **event source mapping** lets Lambda poll a queue, and invoke a function with what it finds. (`wait_until` waits for
# a condition.)


# %% join
def join(queue_arn, function, **options):
    """Let Lambda invoke the function with the messages of the queue."""
    ends = {"EventSourceArn": queue_arn, "FunctionName": function}
    found = lambda_client.list_event_source_mappings(**ends)["EventSourceMappings"]
    made = found or [lambda_client.create_event_source_mapping(**ends, **options)]
    return made[0]["UUID"]


# %% is-enabled
def is_enabled(mapping):
    return lambda_client.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"


# %% [markdown]
# The renderer takes up to five pages at once (`BatchSize`), in at most two environments (`MaximumConcurrency`). It may report single
# messages as failed (`ReportBatchItemFailures`), so that one bad page does not make the other four come again.

# %% mappings
batches_of_five = {
    "BatchSize": 5,
    "ScalingConfig": {"MaximumConcurrency": 2},
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
}
mappings = [join(pages_arn, renderer, **batches_of_five)]
mappings += [join(uploads_arn, splitter, BatchSize=1)]
mappings += [join(complete_arn, indexer, BatchSize=1)]
wait_until(lambda: all(map(is_enabled, mappings)))  # on AWS up to a minute

# %% [markdown]
# Last comes the first arrow, from the bucket to the queue. It takes two settings: the queue allows S3 to send, and
# the bucket notifies, here of keys that end in `.pdf`.

# %% from-our-bucket
account = uploads_arn.split(":")[4]
bucket_arn = f"arn:{workshop.partition}:s3:::{uploads_bucket}"
ours = {"ArnEquals": {"aws:SourceArn": bucket_arn}}
ours["StringEquals"] = {"aws:SourceAccount": account}

# %% queue-policy
let_in = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}
let_in |= {"Action": "sqs:SendMessage", "Resource": uploads_arn, "Condition": ours}
policy = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
_ = sqs.set_queue_attributes(QueueUrl=uploads_url, Attributes={"Policy": policy})

# %% notification
only_pdfs = {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".pdf"}]}}
notify = {"QueueArn": uploads_arn, "Events": ["s3:ObjectCreated:*"]}
queues_to_tell = {"QueueConfigurations": [notify | {"Filter": only_pdfs}]}
_ = s3.put_bucket_notification_configuration(
    Bucket=uploads_bucket, NotificationConfiguration=queues_to_tell
)

# %% [markdown]
# ### Begin anew
#
# SQS says how many messages wait in a queue, and how many are in flight (*approximately*: on AWS the figures lag a little).


# %% all-queues
queues = {"pdf-uploads": uploads_url, "pdf-pages": pages_url}
queues |= {"pdf-complete": complete_url, "pdf-failed": failed_url}


# %% depth
def depth(url):
    """Messages that wait, and messages in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return [int(answer["Attributes"][name]) for name in names]


# %% [markdown]
# You may interrupt a run, and run its cell again. So each run begins with `begin_anew`: it waits until the
# messages of an interrupted run are done, and empties the dead-letter queue.


# %% is-quiet
def is_quiet():
    """Whether no message waits or is in flight, the dead letters aside."""
    return not any(sum(depth(url)) for url in queues.values() if url != failed_url)


# %% emptied
def emptied(url):
    """Delete up to ten messages, and say whether the queue is empty."""
    some = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in some:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return depth(url) == [0, 0]


# %% begin-anew
def begin_anew():
    """Let old work end, empty the dead-letter queue, and return the time."""
    lambda_client.delete_function_concurrency(FunctionName=renderer)
    wait_until(is_quiet)
    wait_until(lambda: emptied(failed_url))
    return datetime.now(UTC)


# %% [markdown]
# ## Three pages
#
# Put the short PDF, and wait for its index. You call nothing else. `watch(…, show="system")` finds what is joined to a function, and draws what moves
# while the cell works (a dotted line: the role of the function allows it). In the still picture that stays, follow the numbers on the lines, from the left
# to the right: how many messages did one PDF become?

# %% notes [markdown]
# Minutes: 3
#
# Say: Put one file, and keep your hands off the keyboard. Then read the numbers on the lines, from left to right.


# %% put-pdf
def put_pdf(key):
    """Put the PDF into S3; the version id is the name of the document."""
    return s3.put_object(Bucket=uploads_bucket, Key=key, Body=pdfs[key])["VersionId"]


# %% index-of
def index_of(document):
    answer = s3.get_object(Bucket=pictures_bucket, Key=f"{document}/index.png")
    return answer["Body"].read()


# %%
begin_anew()
patience = {"Delay": 1, "MaxAttempts": 120}
with watch(workshop, renderer, show="system"):
    short = put_pdf("short.pdf")
    index = {"Bucket": pictures_bucket, "Key": f"{short}/index.png"}
    s3.get_waiter("object_exists").wait(**index, WaiterConfig=patience)

# %%
Image(index_of(short), alt="An index of three pages, 1 to 3, with a curve each")

# %% [markdown]
# The item in the table says how it went: how many pages there are, which are rendered, and that the indexer was told.


# %% item-of
def item_of(document):
    key = {"document": {"S": document}}
    answer = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    return answer.get("Item", {})


# %%
item_of(short) | {"document": "…"}

# %% [markdown]
# ## Watch a hundred
#
# Where is a document at this moment? You can ask every part: the queues for their messages, the table for the counted pages, and S3
# for the thumbnails.

# %% notes [markdown]
# Minutes: 4
#
# Say: Ask where a page can be at this moment: in S3, in a queue, in a function, in the table. Then watch, and count
# how many are in flight.
#
# Goes wrong: A few more than ten are in flight: Lambda may hold one more batch ready. The end takes a moment, as the
# indexer comes last.
#
# Answer 14.b: About ten: two environments, five pages each. All others wait in the queue, and nothing is refused.


# %% pictures-of
def pictures_of(document):
    found = s3.list_objects_v2(Bucket=pictures_bucket, Prefix=f"{document}/")
    return [each["Key"].split("/")[1] for each in found.get("Contents", [])]


# %% look
def look(document):
    """What every part of the system says of the document now."""
    item, pictures = item_of(document), pictures_of(document)
    return {
        "pages": int(item.get("pages", {"N": 0})["N"]),
        "counted": len(item.get("rendered", {"NS": []})["NS"]),
        "thumbnails": sum(name.startswith("page-") for name in pictures),
        "index": "index.png" in pictures,
        "queues": {name: depth(url) for name, url in queues.items()},
    }


# %%
look(short)


# %% is-done
def is_done(seen):
    """The index is there, and no message waits or is in flight."""
    return seen["index"] and is_quiet()


# %% [markdown]
# `begin` puts a PDF, and `finish` waits until its index is there.


# %% begin
def begin(key):
    """Put a PDF, and return the run of it through the system."""
    since = begin_anew()
    return SimpleNamespace(since=since, document=put_pdf(key))


# %% finish
def finish(run):
    wait_until(lambda: is_done(look(run.document)))
    run.until = datetime.now(UTC)


# %% [markdown]
# **Predict:** a hundred pages, at most two environments, five pages each. How many pages will be in flight at once, at most?

# %%
predict("14.b")

# %%
with watch(workshop, renderer, show="system") as seen:
    hundred = begin("long.pdf")
    finish(hundred)

# %%
most = seen.most(workshop.name("pdf-pages"))
claim("pages waited in the queue", most["waiting"] > 20)
claim("only a few were in flight", 0 < most["in_flight"] <= 20)
predicted("14.b", f"{most['in_flight']}, while up to {most['waiting']} waited")

# %% [markdown]
# The splitter is quick, so the pages *wait* in the queue. No message was refused. With more
# concurrency the system is faster; with less it is slower, and still loses nothing. (`most` of the picture is the most that it has seen at once.)
#
# At most 2 × 5 = 10 pages are in work at a time. (A few more may be in flight: Lambda's pollers may hold a batch ready.) In the log
# each bar is a batch, in the row of its environment.

# %%
from helpers import plot_timeline

batches = reports(logs, renderer, at_least=20, since=hundred.since)
_ = plot_timeline(batches)

# %%
index = index_of(hundred.document)
Image(index, alt="An index of a hundred pages, 1 to 100, none missing")

# %% [markdown]
# ## A pause
#
# This is a good place to stop: what you made stays. When you come back with a new kernel, select the next cell, choose
# *Run → Run All Above Selected Cell*, and go on below.

# %% notes [markdown]
# Minutes: 0
#
# Say: Stop here for a break. With a new kernel, *Run → Run All Above Selected Cell* brings everything back.

# %% [markdown]
# ## Twice
#
# A standard queue may deliver a message twice, and S3 may notify twice. It is rare, so do it by hand: page 2
# of the short PDF two times more, and then the notification of S3, which brings all three pages again.
#
# **Predict:** how many counted pages will the short PDF have afterwards?

# %% notes [markdown]
# Minutes: 4
#
# Say: It is rare, so do it by hand. Everybody expects damage; nothing happens, and that is the result.
#
# Answer 14.c: Three, as before. A set does not grow by what is in it.

# %%
predict("14.c")

# %%
twice_began = begin_anew()
page = {"bucket": uploads_bucket, "key": "short.pdf", "document": short, "page": 2}
for _ in range(2):
    sqs.send_message(QueueUrl=pages_url, MessageBody=json.dumps(page))

# %%
from helpers import load_event

event = load_event("s3-put")
event["Records"][0]["s3"]["bucket"]["name"] = uploads_bucket
event["Records"][0]["s3"]["object"] |= {"key": "short.pdf", "versionId": short}
_ = sqs.send_message(QueueUrl=uploads_url, MessageBody=json.dumps(event))


# %% [markdown]
# The renderer prints what it does. `lines` reads its log.


# %% lines
def lines(function, since):
    """What the function has printed since then."""
    group, start = f"/aws/lambda/{function}", int(since.timestamp() * 1000)
    found = logs.get_paginator("filter_log_events")
    pages = found.paginate(logGroupName=group, startTime=start)
    return [event["message"].strip() for page in pages for event in page["events"]]


# %%
def repeated(since):
    return sum(line.endswith("already") for line in lines(renderer, since))


# %%
wait_until(lambda: repeated(twice_began) >= 5)  # two by hand, three by the splitter
wait_until(is_quiet)
seen = look(short)

# %%
claim("nothing is counted twice", (seen["counted"], seen["thumbnails"]) == (3, 3))
predicted("14.a", "yes" if repeated(twice_began) else "no")
predicted("14.c", f"{seen['counted']} of {seen['pages']} pages")

# %% [markdown]
# The same as before. But were the thumbnails written again? The versions of each object tell.


# %% writes
def writes(document):
    """How often each picture of the document was written."""
    found = s3.get_paginator("list_object_versions")
    pages = found.paginate(Bucket=pictures_bucket, Prefix=f"{document}/")
    versions = [each for page in pages for each in page["Versions"]]
    return pd.Series([each["Key"].split("/")[1] for each in versions]).value_counts()


# %% proof
def proof(document):
    """What S3, DynamoDB and SQS say about a document in the end."""
    seen, written = look(document), writes(document)
    return {
        "pages of the PDF": seen["pages"],
        "pages counted": seen["counted"],
        "thumbnails": seen["thumbnails"],
        "index written": int(written["index.png"]),
        "objects written more than once": int((written > 1).sum()),
        "messages that failed": seen["queues"]["pdf-failed"][0],
    }


# %%
whole = {"short.pdf": proof(short), "long.pdf": proof(hundred.document)}
claim(
    "nothing was written twice",
    {max(writes(hundred.document)), max(writes(short))} == {1},
)
pd.DataFrame(whole)

# %% [markdown]
# Nothing was written twice, and there is one index each. The repeated pages cost the time to render them, and changed nothing.
#
# ## The count that goes wrong
#
# It looks simpler to count like this: add 1 for each message. When the count is the number of pages, the document is
# complete. Here is a function that does so. It returns the documents that its batch has completed.

# %% notes [markdown]
# Minutes: 3
#
# Say: This is the function that everybody would have written. Ask for the line that says "complete" before you run
# it. Then ask who has such a counter in production.
#
# Answer 14.d: The third. It has counted three messages, and page 3 is still missing. And when page 3 comes, nothing
# says "complete".

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


# %% [markdown]
# It has a table of its own, and a role that allows it to read and write the items of this table.

# %% counts
counts = workshop.name("pdf-counts")
make_table(counts)
items = "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"
counter_role = workshop.role(allow(table_arn(counts), *items))
options = {"Role": counter_role, "MemorySize": 512, "Timeout": 10}
options["Environment"] = {"Variables": {"TABLE": counts}}

# %% naive
naive = workshop.name("pdf-naive-counter")
files = {"app.py": counter_source + "\n\n" + inspect.getsource(count)}
_ = deploy(workshop, naive, files, **options)


# %% [markdown]
# `send` sends one page to a counter, and returns whether the document is complete. `send_pages` begins with a document
# without pages, and sends several, one after the other.


# %% send
def send(counter, page):
    body = json.dumps({"document": "example", "page": page, "pages": 3})
    payload = json.dumps({"Records": [{"messageId": str(page), "body": body}]})
    response = lambda_client.invoke(FunctionName=counter, Payload=payload)
    return bool(json.loads(response["Payload"].read())["complete"])


# %% send-pages
def send_pages(counter, numbers):
    dynamodb.delete_item(TableName=counts, Key={"document": {"S": "example"}})
    said = ["complete" if send(counter, page) else "not yet" for page in numbers]
    for page, word in zip(numbers, said, strict=True):
        print(f"page {page} of 3:", word)
    return said


# %% [markdown]
# A document of three pages, and page 1 is delivered twice: that makes four lines.
#
# **Predict:** which of them says "complete"?

# %%
predict("14.d", choices=["the second", "the third", "the fourth", "none"])

# %%
said = send_pages(naive, [1, 1, 2, 3])

# %%
places = ["the first", "the second", "the third", "the fourth"]
ends = [place for place, word in zip(places, said, strict=True) if word == "complete"]
predicted("14.d", " and ".join(ends) or "none")

# %% [markdown]
# It said "complete" when page 3 was missing. When page 3 came, it did not. The index is wrong, and no error tells you.
#
# ## Exercise 1: count each page once
#
# Write `count_once`, which replaces `count`. It counts page number `page` of `document`, which has `pages` pages.
#
# - It returns `True` for **the one** call that makes the document complete: whatever comes twice, in whatever order, and
#   however many environments count at the same moment.
# - It returns `False` for all other calls, also for a page that comes again after the end.
# - It keeps what it must remember in the table, because the next call may be in another environment.
#
# (If you read the item first and write it afterwards, another environment may write in between. The check makes two
# environments do so for certain.)
#
# `table` is there, as a resource of boto3: give it Python's numbers, and a set as `{page}`. The role allows `get_item`, `put_item` and `update_item`
# of this table, and nothing else. The renderer above shows half of an answer.

# %% notes [markdown]
# Minutes: 5
#
# Say: The renderer shows half of the answer. The other half is one question: was *this* call the one that made it
# complete?
#
# Goes wrong: Reading first and writing then: two environments at the same moment both read the old set. The check
# lets two meet for certain, so this is found. "Complete" comes again for a page that is repeated after the end. The
# exception of the condition is not caught. Or it is kept in the memory of one environment.


# %% count-once
def count_once(document, page, pages):
    # solution: Add the page to a set unless it is in it, and compare the size.
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
counts_once = f"\n\n{inspect.getsource(count_once)}\n\ncount = count_once\n"
deploy(workshop, counter, {"app.py": counter_source + counts_once}, **options)
check("14.1")

_ = send_pages(counter, [1, 1, 3, 2, 3])

# %% [markdown]
# A right answer says "complete" once, at the right moment. And if the function dies after it has counted the last page, before anybody reads
# its answer? Then the message comes again, `count_once` says `False`, and the document is never finished. So the renderer
# sends first and notes afterwards. Two messages are better than none: with the indexer's `put_once` the second
# one does no harm.
#
# ## Kill it
#
# Now the hard test. A second handler, the *saboteur* (who does damage on purpose), runs in front of the renderer. At the first try of every third page the process **dies**.
# Some pages of its batch are rendered and counted by then, but SQS does not know: the whole batch comes again.

# %% notes [markdown]
# Minutes: 6
#
# Say: Now be cruel. Every third page kills its process, and in the middle you stop everything. Ask where the pages
# are during the stop. Then compare the last two columns of the table: the same.
#
# Goes wrong: The emergency stop counts as a try for messages that Lambda had received; with a low `maxReceiveCount`
# it alone fills the dead-letter queue. It takes a while until the last pages come back: that is the visibility
# timeout, and no fault.
#
# Answer 14.e: In the queue: some wait, and some are in flight, although nobody works on them. SQS only knows that
# nobody has deleted them.

# %% saboteur-source
saboteur = """
import json, os, app


def handler(event, context):
    failures = []
    for message in event["Records"]:
        page = json.loads(message["body"])["page"]
        if page % 3 == 0 and message["attributes"]["ApproximateReceiveCount"] == "1":
            os._exit(1)  # no exception, no answer: gone
        failures += app.handler({"Records": [message]}, context)["batchItemFailures"]
    return {"batchItemFailures": failures}
"""

# %% saboteur
sabotaged = {"app.py": source("pdf-renderer"), "saboteur.py": saboteur}
killer = fast | {"Role": renderer_role, "Handler": "saboteur.handler"}
_ = deploy(workshop, renderer, sabotaged, **killer)

# %% [markdown]
# Watch how they come back to the queue. (You can break more: a picture that is the last line of a cell, such as `watch(workshop, renderer, show="system")`,
# stays live, and when you choose a function or a queue in it, there are buttons to end an environment, or to deliver a message twice.)
#
# As soon as ten pages are counted, you also pull the **emergency stop**: with a reserved concurrency of 0 the renderer does not
# run at all. Five seconds later you let it run again. (A message that Lambda receives meanwhile, and cannot deliver, uses up one of its
# five tries.)
#
# **Predict:** where are the pages meanwhile?

# %%
predict("14.e", choices=["lost", "in the queue", "in the functions"])

# %%
stop = {"FunctionName": renderer, "ReservedConcurrentExecutions": 0}
with watch(workshop, renderer, show="system"):
    killed = begin("long.pdf")
    wait_until(lambda: look(killed.document)["counted"] >= 10)
    lambda_client.put_function_concurrency(**stop)
    time.sleep(5)
    waiting, in_flight = depth(pages_url)
    lambda_client.delete_function_concurrency(FunctionName=renderer)
    finish(killed)

# %%
claim("the pages were in the queue during the stop", waiting + in_flight > 0)
where = "in the queue" if waiting + in_flight else "lost"
predicted("14.e", f"{where}: {waiting} waiting, {in_flight} in flight")

# %% [markdown]
# During the stop, no function worked on the pages in flight: it was dead, or was not allowed to run. SQS
# knows only that nobody deleted them, so 30 seconds after they were received they are visible again. You have not written any
# retries: the queue does that for you. In the picture, more messages go to the renderer than came into its queue: those are the tries.
#
# How much broke, and what was the result?

# %%
ran, again = reports(logs, renderer, since=killed.since), repeated(killed.since)
died = (ran["error_type"] == "Runtime.ExitError").sum()
print(f"processes killed: {died}, pages done again: {again}")

# %%
claim("processes died, and pages were done again", died > 0 and again > 0)
whole["long.pdf, killed"] = proof(killed.document)
claim("nothing is lost or twice", whole["long.pdf, killed"] == whole["long.pdf"])
pd.DataFrame(whole)

# %% [markdown]
# The last two columns are the same. Nothing is lost, since a message is deleted only after success. Some pages were rendered
# again, and it does no harm, since every step can be repeated. You need both.
#
# The index of the killed run has the same bytes, too. And the alarm is silent, as no message is in the dead-letter
# queue. (On AWS a new alarm says `INSUFFICIENT_DATA` at first.)

# %%
same = index_of(killed.document) == index_of(hundred.document)
state = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"]
claim("the index is the same, and the alarm is silent", same and state != "ALARM")
same, state

# %% [markdown]
# Deploy the renderer again, without the saboteur.

# %%
_ = deploy(workshop, renderer, "pdf-renderer/python", Role=renderer_role, **fast)

# %% [markdown]
# ## What it costs
#
# Lambda's part, from the REPORT lines of both runs of a hundred pages. (Requests to S3, SQS and DynamoDB are extra: for each page about one
# write to S3 and to DynamoDB, and half a request to SQS, since ten are sent and five received and deleted at once.)

# %% notes [markdown]
# Minutes: 1
#
# Say: A crash is expensive, since all imports are paid once more. Point at the two columns.
#
# Skip: All of it.

# %%
from helpers import load_prices

prices = load_prices()["lambda"]


def cost(run, function):
    """USD for the invocations of the function during a run."""
    ran = reports(logs, function, since=run.since)
    ran = ran[ran["start"] < run.until]
    gb_seconds = (ran["billed_ms"] / 1000 * ran["memory_mb"] / 1024).sum()
    return gb_seconds * prices["gb_second"]["x86_64"] + len(ran) * prices["request"]


# %%
def for_thousand(run):
    """USD for a thousand PDFs like this, for each function."""
    return {name: 1000 * cost(run, workshop.name(name)) for name in steps}


# %%
costs = {"as it should be": for_thousand(hundred), "killed": for_thousand(killed)}
thousand = pd.DataFrame(costs)
dying = thousand["killed"].sum() > thousand["as it should be"].sum()
claim("the run with dying processes costs more", dying)
thousand.round(3).rename_axis("USD for 1,000 PDFs")

# %% [markdown]
# A crash is expensive: after it, Lambda starts the environment again within the next invocation, and you pay for all imports once more,
# as Duration.
#
# Between two PDFs you pay for storage, and for polling: Lambda asks the queues all the time, and SQS counts a request also when
# no message was there. (Source: "Why are my Amazon SQS charges higher than expected?", AWS Knowledge Center.) So on AWS, remove what you do not use.
#
# ## Exercise 2: where is the message?
#
# Write `where_is`. A message is sent at second 0, and you know this of it:
#
# - `second`: the moment that is asked about;
# - `received`: the seconds at which it was received, in order, e.g. `[2, 32]`; some may be later than `second`;
# - `deleted`: the second at which Lambda deleted it after success, or `None`;
# - `visibility_timeout` in seconds, and `max_receives`, the `maxReceiveCount` of the queue.
#
# Return `"waiting"`, `"in flight"`, `"dead-letter queue"` or `"gone"`. When a message has been received `max_receives` times
# and becomes visible once more, SQS moves it to the dead-letter queue when it is next asked for messages. Lambda asks all the time, so take it as at once.

# %% notes [markdown]
# Minutes: 4
#
# Say: Draw a line with a receive, a timeout and a delete. Then it is four questions in the right order.
#
# Goes wrong: The timeout is counted from the beginning, and not from the *last* receive. Receives that are still to
# come are counted. A message that was deleted goes nowhere.
#
# Skip: Do it on the board, with the five times of the check's cell.


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

# a page whose first renderer died, as in the run above
page = {"received": [2, 34], "deleted": 35, "visibility_timeout": 30, "max_receives": 5}
[where_is(second, **page) for second in (1, 10, 33, 34.5, 36)]

# %% [markdown]
# So the visibility timeout is also how long the work of a dead function waits. Too long, and a crash costs minutes. Too short, and
# a second function gets the message while the first one still works on it. Six times the function's timeout leaves room for that, and
# for Lambda's own retries while the function is throttled.
#
# (Two services join functions for you, and neither is in this notebook. A [Distributed Map]({{distributed_map.source}}) of Step Functions, since {{distributed_map}}, runs
# a function for each of up to millions of objects, and knows when all are done. With [durable functions]({{durable_functions.source}}), since {{durable_functions}}, you write
# it as one program: notebook 15.)
#
# ## What you have learned
#
# - Each function has a role of its own, which allows its calls on its queues, buckets and tables.
# - Functions joined by queues: each step scales, fails and is tried again by itself. The work waits in the queue.
# - Delivery is at least once, so every step must allow repetition: conditional writes to S3, a set or a condition in DynamoDB.
# - "All pages are there" is an atomic count of *different* pages, never of messages.
# - Send first and note afterwards: twice is better than never, when the receiver is idempotent.
# - A message is deleted only after success. What dies is tried again after the visibility timeout. What never succeeds goes to
#   the dead-letter queue, and an alarm tells you.
#
# **Next:** notebook [15](15-what-does-not-fit.ipynb), *What does not fit*, has the opposite: five systems that break. `python3 -m helpers clean` removes what this notebook made.

# %% notes [markdown]
# Minutes: 1
#
# Say: Two sentences are needed together: nothing is lost, since a message is deleted only after success; and nothing
# is double, since every step may be repeated. Ask which of the two SQS gives you, and which is your own work.
